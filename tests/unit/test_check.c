/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khiend --check and --detect on machines made by hand.
 */
#include "daemon/check.h"

#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/file.h"
#include "common/util.h"

#define GUARD "[guard]\nmanagement = 10.20.0.0/24\n"

/* ---- A machine ------------------------------------------------------------------------------- */

static struct machine {
	struct kh_link links[16];
	struct kh_link_address addresses[16];
	struct kh_link_route routes[8];
	struct kh_links snapshot;
} machine;

static struct kh_link *link_named(const char *name)
{
	for (size_t i = 0; i < machine.snapshot.links_count; i++)
		if (strcmp(machine.links[i].name, name) == 0)
			return &machine.links[i];
	fail_msg("no link %s in the test", name);
	return NULL;
}

static struct kh_link *add_link(const char *name, const char *kind, uint16_t type)
{
	struct kh_link *link = &machine.links[machine.snapshot.links_count++];

	assert_true(machine.snapshot.links_count <= KH_ARRAY_SIZE(machine.links));
	*link = (struct kh_link){ .ifindex = (uint32_t)machine.snapshot.links_count,
				  .type = type,
				  .mtu = 1500,
				  .up = true,
				  .running = true,
				  .forwards_v4 = true,
				  .forwards_v6 = true };
	snprintf(link->name, sizeof(link->name), "%s", name);
	snprintf(link->kind, sizeof(link->kind), "%s", kind);
	return link;
}

static void add_over(const char *name, const char *kind, uint16_t type, const char *parent)
{
	add_link(name, kind, type)->parent = link_named(parent)->ifindex;
}

static void add_ports(const char *bridge, const char *first, const char *second)
{
	uint32_t index = add_link(bridge, "bridge", ARPHRD_ETHER)->ifindex;

	link_named(first)->master = index;
	link_named(second)->master = index;
}

static void add_address(const char *name, const char *address, const char *subnet)
{
	struct kh_link_address *added = &machine.addresses[machine.snapshot.addresses_count++];

	added->ifindex = link_named(name)->ifindex;
	assert_int_equal(kh_range_parse(address, strlen(address), &added->address), 0);
	assert_int_equal(kh_range_parse(subnet, strlen(subnet), &added->subnet), 0);
}

static void add_default(const char *name)
{
	struct kh_link_route *route = &machine.routes[machine.snapshot.routes_count++];

	*route = (struct kh_link_route){ .ifindex = link_named(name)->ifindex, .is_default = true };
	route->destination = (struct kh_range){ .last = kh_address_max(4), .family = 4 };
}

/* eth0 outside, eth1 inside, eth2 unused, wg0 to the districts. */
static int plain(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	machine.snapshot.links = machine.links;
	machine.snapshot.addresses = machine.addresses;
	machine.snapshot.routes = machine.routes;
	add_link("lo", "", ARPHRD_LOOPBACK);
	add_link("eth0", "", ARPHRD_ETHER);
	add_link("eth1", "", ARPHRD_ETHER);
	add_link("eth2", "", ARPHRD_ETHER);
	add_link("wg0", "wireguard", ARPHRD_NONE);
	add_address("lo", "127.0.0.1", "127.0.0.0/8");
	add_address("eth0", "198.51.100.2", "198.51.100.0/24");
	add_address("eth1", "192.168.1.1", "192.168.1.0/24");
	add_address("eth1", "fe80::1", "fe80::/64");
	add_address("eth2", "fe80::2", "fe80::/64");
	add_address("wg0", "10.99.0.1", "10.99.0.0/24");
	add_default("eth0");
	return 0;
}

/* The provider's PPPoE inside VLAN 11 of eth0; eth0 has an address for the modem. */
static int pppoe(void **state)
{
	plain(state);
	add_over("eth0.11", "vlan", ARPHRD_ETHER, "eth0");
	add_over("ppp0", "ppp", ARPHRD_PPP, "eth0.11");
	machine.snapshot.addresses[1].ifindex = link_named("ppp0")->ifindex;
	machine.snapshot.routes[0].ifindex = link_named("ppp0")->ifindex;
	add_address("eth0", "192.168.100.2", "192.168.100.0/24");
	return 0;
}

/* ---- What is said ---------------------------------------------------------------------------- */

static struct kh_config config;
static struct kh_check check;

static void run(const char *text)
{
	struct kh_error error;

	if (kh_config_parse("khien.conf", text, strlen(text), &config, &error) < 0)
		fail_msg("%s", error.text);
	memset(&check, 0, sizeof(check));
	kh_check(&config, &machine.snapshot, &check);
}

static void expect_count(size_t count)
{
	if (check.count == count)
		return;
	kh_check_print(stderr, "khien.conf", &check);
	fail_msg("%zu findings instead of %zu", check.count, count);
}

static void expect(size_t index, enum kh_severity severity, enum kh_config_key key, const char *says, const char *hint)
{
	const struct kh_check_finding *finding = &check.findings[index];

	if (index < check.count && finding->severity == severity && finding->key == key &&
	    finding->line == config.lines[key] && strstr(finding->text, says) && strcmp(finding->hint, hint) == 0)
		return;
	kh_check_print(stderr, "khien.conf", &check);
	fail_msg("finding %zu is not \"%s\"", index, says);
}

static void test_nothing_to_say(void **state)
{
	(void)state;
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD);
	expect_count(0);
	assert_int_equal(kh_check_worst(&check), KH_NOTICE);
}

static void test_no_such_interface(void **state)
{
	(void)state;
	run("[gateway]\nwan = eth0\nlan = eth1 wg1\n" GUARD);
	expect(0, KH_ERROR, KH_KEY_LAN, "lan: wg1: no such interface; there are: eth0 eth1 eth2 wg0",
	       "write: lan = eth1 wg0");
	run("[gateway]\nwan = eth0\nlan = eth1 wg0 tunnel7\n" GUARD);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_LAN, "tunnel7: no such interface",
	       "an interface that comes later is attached to when it comes");
	run("[gateway]\nwan = eth0\nlan = eth1 lo wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_LAN, "lo is the loopback", "khiend --detect proposes interfaces");
}

static void test_interface_down(void **state)
{
	(void)state;
	link_named("eth1")->up = false;
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_NOTICE, KH_KEY_LAN, "eth1 is down", "ip link set eth1 up");
}

static void test_swapped_by_default_route(void **state)
{
	(void)state;
	run("[gateway]\nwan = eth1\nlan = eth0\n" GUARD);
	expect(0, KH_ERROR, KH_KEY_WAN,
	       "wan: the default route leaves by eth0, which is in lan: are wan and lan swapped?",
	       "write: wan = eth0, and: lan = eth1");
	run("[gateway]\nwan = eth1\nlan = wg0 eth0\n" GUARD);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_WAN, "swapped", "write: wan = eth0, and: lan = eth1 wg0");
}

static void test_swapped_by_addresses(void **state)
{
	(void)state;
	machine.snapshot.routes_count = 0;
	run("[gateway]\nwan = eth1\nlan = eth0 wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_WAN, "private addresses on wan and public ones on eth0",
	       "write: wan = eth0, and: lan = eth1 wg0");
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_WARNING, KH_KEY_WAN, "there is no default route", "check again when the connection is up");
}

static void test_other_default_routes(void **state)
{
	(void)state;
	add_default("wg0");
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_WARNING, KH_KEY_LAN, "a default route leaves by wg0 too, which is in lan",
	       "list it in wan when a provider is behind it");
	run("[gateway]\nwan = eth0\nlan = eth1\n" GUARD);
	expect_count(1);
	expect(0, KH_WARNING, KH_KEY_WAN, "a default route leaves by wg0, which is in no role",
	       "write: wan = eth0 wg0");
	machine.snapshot.routes[0].ifindex = link_named("wg0")->ifindex;
	run("[gateway]\nwan = eth0\nlan = eth1\n" GUARD);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_WAN, "a default route leaves by wg0, which is in no role", "write: wan = eth0 wg0");
}

static void test_forwarding_without_role(void **state)
{
	(void)state;
	run("[gateway]\nwan = eth0\nlan = eth1\n" GUARD);
	expect_count(1); /* eth2 has a link-local address only */
	expect(0, KH_WARNING, KH_KEY_LAN, "wg0 forwards and is in no role", "write: lan = eth1 wg0");
	link_named("wg0")->forwards_v4 = false;
	link_named("wg0")->forwards_v6 = false;
	run("[gateway]\nwan = eth0\nlan = eth1\n" GUARD);
	expect_count(0);
}

static void test_carried(void **state)
{
	(void)state;
	run("[gateway]\nwan = ppp0\nlan = eth1 wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_NOTICE, KH_KEY_WAN, "wan: ppp0 is carried by eth0: the programs are attached there",
	       "write: wan = eth0");
	run("[gateway]\nwan = eth0.11\nlan = eth1 wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_NOTICE, KH_KEY_WAN, "eth0.11 is carried by eth0", "write: wan = eth0");
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD);
	expect_count(0);
}

static void test_upper_and_lower_both_listed(void **state)
{
	(void)state;
	run("[gateway]\nwan = eth0 ppp0\nlan = eth1 wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_WAN, "wan: ppp0 runs over eth0, and both are listed", "write: wan = eth0");
	run("[gateway]\nwan = eth0.11 eth0\nlan = eth1 wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_WAN, "eth0.11 runs over eth0, and both are listed", "write: wan = eth0");
	run("[gateway]\nwan = ppp0\nlan = eth1 wg0 eth0\n" GUARD);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_WAN, "ppp0 runs over eth0, and both are listed",
	       "wan and lan each need an Ethernet port of their own");
}

static void test_vlans_of_one_port(void **state)
{
	(void)state;
	add_over("eth1.10", "vlan", ARPHRD_ETHER, "eth1");
	add_over("eth1.20", "vlan", ARPHRD_ETHER, "eth1");
	run("[gateway]\nwan = eth0\nlan = eth1.10 eth1.20 wg0\n" GUARD);
	expect_count(3);
	expect(0, KH_NOTICE, KH_KEY_LAN, "eth1.10 is carried by eth1", "write: lan = eth1 wg0");
	expect(1, KH_NOTICE, KH_KEY_LAN, "eth1.10 and eth1.20 are both carried by eth1, which is watched once",
	       "write: lan = eth1 wg0");
	expect(2, KH_NOTICE, KH_KEY_LAN, "eth1.20 is carried by eth1", "write: lan = eth1 wg0");
	machine.snapshot.routes[0].ifindex = link_named("eth1.10")->ifindex;
	run("[gateway]\nwan = eth1.10\nlan = eth1.20 wg0 eth0\n" GUARD);
	expect(1, KH_ERROR, KH_KEY_LAN, "eth1.10 and eth1.20 are both carried by eth1: one port cannot be wan and lan",
	       "wan and lan each need an Ethernet port of their own");
}

static void test_bridge(void **state)
{
	(void)state;
	add_ports("br0", "eth1", "eth2");
	machine.snapshot.addresses[2].ifindex = link_named("br0")->ifindex;
	run("[gateway]\nwan = eth0\nlan = br0 wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_WARNING, KH_KEY_LAN, "br0 is a bridge: list its ports", "write: lan = eth1 eth2 wg0");
	run("[gateway]\nwan = eth0\nlan = eth1 eth2 wg0\n" GUARD);
	expect_count(0);
	run("[gateway]\nwan = eth0\nlan = br0 eth1 wg0\n" GUARD);
	expect(0, KH_ERROR, KH_KEY_LAN, "br0 runs over eth1, and both are listed", "write: lan = eth1 wg0");
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD);
	expect_count(1);
	expect(0, KH_WARNING, KH_KEY_LAN, "eth2 is a port of br0 like eth1, and in no role",
	       "write: lan = eth1 wg0 eth2");
	/* a VLAN of the bridge stands on its ports too */
	add_over("br0.5", "vlan", ARPHRD_ETHER, "br0");
	add_address("br0.5", "10.5.0.1", "10.5.0.0/24");
	run("[gateway]\nwan = eth0\nlan = eth1 eth2 wg0\n" GUARD);
	expect_count(0);
}

static void test_empty_bridge(void **state)
{
	(void)state;
	add_link("br1", "bridge", ARPHRD_ETHER);
	run("[gateway]\nwan = eth0\nlan = eth1 wg0 br1\n" GUARD);
	expect_count(1);
	expect(0, KH_WARNING, KH_KEY_LAN, "br1 is a bridge", "it has no ports yet");
}

static void test_values(void **state)
{
	(void)state;
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n[guard]\nexempt = 203.0.113.0/24\n[http]\nlisten = 0.0.0.0:9847\n");
	expect_count(3);
	expect(0, KH_WARNING, KH_KEY_MANAGEMENT, "management: empty", "write: management = 192.168.1.0/24");
	expect(1, KH_ERROR, KH_KEY_LISTEN, "listen: 0.0.0.0 is reached from other machines",
	       "write: listen = 127.0.0.1:9847");
	expect(2, KH_WARNING, KH_KEY_EXEMPT, "exempt: 203.0.113.0/24 may be blocked",
	       "meant for laboratories: remove the line on a real gateway");
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD
	    "exempt = 203.0.113.0/24 192.0.2.0/24\n[http]\nlisten = [::]:80\n");
	expect_count(2);
	expect(0, KH_ERROR, KH_KEY_LISTEN, ":: is reached", "write: listen = [::1]:80");
	expect(1, KH_WARNING, KH_KEY_EXEMPT, "203.0.113.0/24 and others",
	       "meant for laboratories: remove the line on a real gateway");
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD "[http]\nlisten = 127.9.9.9:80\n");
	expect_count(0);
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD "[http]\nlisten =\n");
	expect_count(0);
}

static void test_many_findings_are_counted(void **state)
{
	char text[1024] = GUARD "[gateway]\nwan = eth0\nlan =";

	(void)state;
	for (int i = 0; i < 29; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " gone%d", i);
	run(text);
	memset(&check, 0, sizeof(check));
	for (int i = 0; i < 3; i++)
		kh_check(&config, &machine.snapshot, &check);
	assert_int_equal(check.count, KH_CHECK_MAX);
	assert_true(check.more > 0);
	assert_non_null(strstr(check.findings[KH_CHECK_MAX - 1].text, "no such interface"));
	assert_string_equal(check.findings[KH_CHECK_MAX - 1].hint,
			    "an interface that comes later is attached to when it comes");
	assert_int_equal(kh_check_worst(&check), KH_ERROR);
}

static void test_print(void **state)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n[http]\nlisten = 10.0.0.1:1\n");
	kh_check_print(out, "/etc/khien/khien.conf", &check);
	fclose(out);
	assert_string_equal(
		text,
		"/etc/khien/khien.conf: warning: management: empty: a letter could block the network you administer this "
		"gateway from\n"
		"    write: management = 192.168.1.0/24\n"
		"/etc/khien/khien.conf:5: error: listen: 10.0.0.1 is reached from other machines, and nobody is asked for "
		"a password there\n"
		"    write: listen = 127.0.0.1:1\n");
}

/* ---- The lists ------------------------------------------------------------------------------- */

static void write_list(const char *name, const char *text)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", config.never_block, name);
	assert_int_equal(kh_file_write(path, text, strlen(text), 0600), 0);
}

static void test_lists(void **state)
{
	char folder[] = "/tmp/khien-check-XXXXXX", command[64];

	(void)state;
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD);
	assert_non_null(mkdtemp(folder));
	snprintf(config.never_block, sizeof(config.never_block), "%s", folder);
	kh_check_lists(&config, &check);
	expect_count(1);
	expect(0, KH_WARNING, KH_KEY_NEVER_BLOCK, "no *.list file in /tmp/khien-check-",
	       "write: never_block = " KH_SYSCONFDIR "/khien/never-block.d");
	write_list("a.list", "192.0.2.1 fine\n");
	write_list("notes.txt", "not a list\n");
	memset(&check, 0, sizeof(check));
	kh_check_lists(&config, &check);
	expect_count(0);
	write_list("b.list", "192.0.2.1\n192.0.2.5/24\n");
	snprintf(command, sizeof(command), "%s/c.list", folder);
	assert_int_equal(mkdir(command, 0700), 0); /* unreadable, for root too */
	write_list("d.json", "{\"list\": [\"203.0.113.0/24\"]}\n");
	write_list("e.json", "{\"list\": [\"203.0.113.300\"]}\n");
	kh_check_lists(&config, &check);
	expect_count(3);
	expect(0, KH_ERROR, KH_KEY_NEVER_BLOCK, "/b.list:2: address bits beyond",
	       "write the network, 192.0.2.0/24, or the address alone");
	expect(1, KH_ERROR, KH_KEY_NEVER_BLOCK, "/c.list: ", "the list must be readable by root, and a file");
	expect(2, KH_ERROR, KH_KEY_NEVER_BLOCK, "/e.json: a warninglist without an address or name",
	       "write a .list file instead: one address, prefix, range or name a line");
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
	memset(&check, 0, sizeof(check));
	kh_check_lists(&config, &check);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_NEVER_BLOCK, folder, "write: never_block = " KH_SYSCONFDIR "/khien/never-block.d");
}

static void test_issuers(void **state)
{
	static const char two[] = "Sở Mẫu = SM\nSở Hai = SM\n";
	char folder[] = "/tmp/khien-check-XXXXXX", path[64];

	(void)state;
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD);
	snprintf(config.issuers, sizeof(config.issuers), "rules/issuers.d");
	kh_check_issuers(&config, &check);
	expect_count(0);
	assert_non_null(mkdtemp(folder));
	snprintf(config.issuers, sizeof(config.issuers), "%s", folder);
	snprintf(path, sizeof(path), "%s/a.list", folder);
	assert_int_equal(kh_file_write(path, two, strlen(two), 0600), 0);
	snprintf(path, sizeof(path), "%s/b.list", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	kh_check_issuers(&config, &check);
	expect_count(2);
	expect(0, KH_ERROR, KH_KEY_ISSUERS, "/a.list:2: \"SM\" stands in line 1 too",
	       "write: Cục An toàn thông tin = CATTT, ATTT");
	expect(1, KH_ERROR, KH_KEY_ISSUERS, "/b.list: ", "the list must be readable by root, and a file");
	rmdir(path);
	snprintf(path, sizeof(path), "%s/a.list", folder);
	unlink(path);
	rmdir(folder);
	memset(&check, 0, sizeof(check));
	kh_check_issuers(&config, &check); /* an installation of before they came */
	expect_count(0);
	config.lines[KH_KEY_ISSUERS] = 9;
	kh_check_issuers(&config, &check);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_ISSUERS, folder, "write: issuers = " KH_SYSCONFDIR "/khien/issuers.d");
}

static void test_credentials_of_the_proxy(void **state)
{
	char path[] = "/tmp/khien-check-XXXXXX", hint[128];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	snprintf(hint, sizeof(hint), "chown root: %s && chmod 0600 %s", path, path);
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD "[sources]\nproxy = http://proxy.example:3128\n");
	kh_check_proxy(&config, &check); /* one that asks for none */
	expect_count(0);
	snprintf(config.proxy_credentials, sizeof(config.proxy_credentials), "%s", path);
	assert_int_equal(kh_file_write(path, "user = van\npassword = mai\n", 26, 0600), 0);
	kh_check_proxy(&config, &check);
	expect_count(0);
	assert_int_equal(kh_file_write(path, "user = van\nhoa = dao\n", 21, 0600), 0);
	kh_check_proxy(&config, &check);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_PROXY_CREDENTIALS, ": line 2 is not what such a file holds",
	       "write two lines, user = NAME and password = TEXT");
	assert_int_equal(chmod(path, 0640), 0);
	kh_check_proxy(&config, &check);
	expect_count(2);
	expect(1, KH_ERROR, KH_KEY_PROXY_CREDENTIALS, ": others than root may read it", hint);
	unlink(path);
	kh_check_proxy(&config, &check);
	expect_count(3);
	expect(2, KH_ERROR, KH_KEY_PROXY_CREDENTIALS, "No such file or directory",
	       "write two lines, user = NAME and password = TEXT");
	config.proxy[0] = '\0';
	config.lines[KH_KEY_PROXY_CREDENTIALS] = 9;
	memset(&check, 0, sizeof(check));
	kh_check_proxy(&config, &check);
	expect_count(1);
	expect(0, KH_ERROR, KH_KEY_PROXY_CREDENTIALS, "there is no proxy to show them to",
	       "write: proxy = http://proxy.example:3128");
}

static void test_shipped_lists(void **state)
{
	(void)state;
	run("[gateway]\nwan = eth0\nlan = eth1 wg0\n" GUARD);
	snprintf(config.never_block, sizeof(config.never_block), "rules/never-block.d");
	kh_check_lists(&config, &check);
	expect_count(0);
}

/* ---- The proposal ---------------------------------------------------------------------------- */

/* What is proposed parses, and the check has nothing against it. */
static void expect_detected(const char *expected)
{
	char *text KH_CLEANUP(kh_freep) = kh_check_detect(&machine.snapshot);
	char whole[2048];

	assert_non_null(text);
	assert_string_equal(text, expected);
	snprintf(whole, sizeof(whole), "%s" GUARD, text);
	run(whole);
	expect_count(0);
}

static void test_detect_plain(void **state)
{
	(void)state;
	expect_detected("[gateway]\n"
			"# eth0: the default route leaves here\n"
			"# eth1: 192.168.1.0/24\n"
			"# wg0: 10.99.0.0/24\n"
			"wan = eth0\n"
			"lan = eth1 wg0\n");
}

static void test_detect_pppoe(void **state)
{
	(void)state;
	expect_detected("[gateway]\n"
			"# eth0: carries ppp0, where the default route leaves\n"
			"# eth1: 192.168.1.0/24\n"
			"# wg0: 10.99.0.0/24\n"
			"wan = eth0\n"
			"lan = eth1 wg0\n");
}

static void test_detect_bridge_and_vlans(void **state)
{
	(void)state;
	add_ports("br0", "eth1", "eth2");
	machine.snapshot.addresses[2].ifindex = link_named("br0")->ifindex;
	add_link("eth3", "", ARPHRD_ETHER);
	add_over("eth3.10", "vlan", ARPHRD_ETHER, "eth3");
	add_over("eth3.20", "vlan", ARPHRD_ETHER, "eth3");
	add_address("eth3.10", "10.1.0.1", "10.1.0.0/16");
	add_address("eth3.20", "2001:db8:20::1", "2001:db8:20::/64");
	expect_detected("[gateway]\n"
			"# eth0: the default route leaves here\n"
			"# wg0: 10.99.0.0/24\n"
			"# eth1: a port of br0\n"
			"# eth2: a port of br0\n"
			"# eth3: carries eth3.10, 10.1.0.0/16\n"
			"# eth3: carries eth3.20, 2001:db8:20::/64\n"
			"wan = eth0\n"
			"lan = wg0 eth1 eth2 eth3\n");
}

static void test_detect_leaves_out(void **state)
{
	char *text KH_CLEANUP(kh_freep) = NULL;

	(void)state;
	add_over("eth0.20", "vlan", ARPHRD_ETHER, "eth0");
	add_address("eth0.20", "10.20.0.1", "10.20.0.0/24");
	add_link("docker0", "bridge", ARPHRD_ETHER);
	add_link("veth1", "veth", ARPHRD_ETHER)->master = link_named("docker0")->ifindex;
	add_address("docker0", "172.17.0.1", "172.17.0.0/16");
	link_named("eth2")->master = link_named("docker0")->ifindex; /* in a container eth2 is a veth too, and stays */
	snprintf(link_named("eth2")->kind, sizeof(link_named("eth2")->kind), "veth");
	text = kh_check_detect(&machine.snapshot);
	assert_non_null(strstr(text, "\nwan = eth0\nlan = eth1 wg0 eth2\n"));
	free(text);
	link_named("eth2")->master = 0;
	text = kh_check_detect(&machine.snapshot);
	assert_non_null(strstr(text, "# eth0.20: left out, it shares eth0 with the WAN"));
	assert_non_null(strstr(text, "# docker0: left out, a bridge without ports that stay"));
	assert_non_null(strstr(text, "\nwan = eth0\nlan = eth1 wg0\n"));
}

static void test_detect_nothing(void **state)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error;

	(void)state;
	machine.snapshot.routes_count = 0;
	machine.snapshot.addresses_count = 1;
	text = kh_check_detect(&machine.snapshot);
	assert_string_equal(text, "[gateway]\n"
				  "wan = # no default route: name the interface that faces the provider\n"
				  "lan = # none found: name the interfaces that face the office\n");
	assert_true(kh_config_parse("f", text, strlen(text), &config, &error) < 0);
	assert_int_equal(error.line, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_to_say, plain),
		cmocka_unit_test_setup(test_no_such_interface, plain),
		cmocka_unit_test_setup(test_interface_down, plain),
		cmocka_unit_test_setup(test_swapped_by_default_route, plain),
		cmocka_unit_test_setup(test_swapped_by_addresses, plain),
		cmocka_unit_test_setup(test_other_default_routes, plain),
		cmocka_unit_test_setup(test_forwarding_without_role, plain),
		cmocka_unit_test_setup(test_carried, pppoe),
		cmocka_unit_test_setup(test_upper_and_lower_both_listed, pppoe),
		cmocka_unit_test_setup(test_vlans_of_one_port, plain),
		cmocka_unit_test_setup(test_bridge, plain),
		cmocka_unit_test_setup(test_empty_bridge, plain),
		cmocka_unit_test_setup(test_values, plain),
		cmocka_unit_test_setup(test_many_findings_are_counted, plain),
		cmocka_unit_test_setup(test_print, plain),
		cmocka_unit_test_setup(test_lists, plain),
		cmocka_unit_test_setup(test_shipped_lists, plain),
		cmocka_unit_test_setup(test_issuers, plain),
		cmocka_unit_test_setup(test_credentials_of_the_proxy, plain),
		cmocka_unit_test_setup(test_detect_plain, plain),
		cmocka_unit_test_setup(test_detect_pppoe, pppoe),
		cmocka_unit_test_setup(test_detect_bridge_and_vlans, plain),
		cmocka_unit_test_setup(test_detect_leaves_out, plain),
		cmocka_unit_test_setup(test_detect_nothing, plain),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
