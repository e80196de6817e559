/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands on what, in snapshots made by hand: VLANs, PPPoE and WireGuard need modules that a test machine may lack.
 * Also the texts and messages a snapshot is made of: /proc/net/pppoe, resolv.conf, WireGuard's answer.
 */
#include "netlink/links.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <netlink/genl/genl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "netlink/private.h"

static struct kh_link table[16];
static struct kh_links links;

static int setup(void **state)
{
	(void)state;
	memset(table, 0, sizeof(table));
	links = (struct kh_links){ .links = table };
	return 0;
}

/* parent and master by name; "" for none. */
static void add(const char *name, const char *kind, uint16_t type, const char *parent, const char *master)
{
	const struct kh_link *below = kh_link_by_name(&links, parent), *above = kh_link_by_name(&links, master);
	struct kh_link *link = &table[links.links_count];

	assert_true(links.links_count++ < KH_ARRAY_SIZE(table));
	link->ifindex = (uint32_t)(links.links_count + 10);
	snprintf(link->name, sizeof(link->name), "%s", name);
	snprintf(link->kind, sizeof(link->kind), "%s", kind);
	link->type = type;
	link->parent = below ? below->ifindex : 0;
	link->master = above ? above->ifindex : 0;
}

static const struct kh_link *named(const char *name)
{
	const struct kh_link *link = kh_link_by_name(&links, name);

	assert_non_null(link);
	return link;
}

/* eth0 with VLANs 11 and 35, PPPoE in 11; eth1 and bond0 (eth2, eth3) in a bridge that has a VLAN; a tunnel. */
static void office(void)
{
	add("lo", "", ARPHRD_LOOPBACK, "", "");
	add("eth0", "", ARPHRD_ETHER, "", "");
	add("eth0.11", "vlan", ARPHRD_ETHER, "eth0", "");
	add("eth0.35", "vlan", ARPHRD_ETHER, "eth0", "");
	add("q", "vlan", ARPHRD_ETHER, "eth0.35", ""); /* QinQ */
	add("ppp0", "ppp", ARPHRD_PPP, "", "");
	add("br0", "bridge", ARPHRD_ETHER, "", "");
	add("br0.5", "vlan", ARPHRD_ETHER, "br0", "");
	add("eth1", "", ARPHRD_ETHER, "", "br0");
	add("bond0", "bond", ARPHRD_ETHER, "", "br0");
	add("eth2", "", ARPHRD_ETHER, "", "bond0");
	add("eth3", "", ARPHRD_ETHER, "", "bond0");
	add("wg0", "wireguard", ARPHRD_NONE, "", "");
	add("mac0", "macvlan", ARPHRD_ETHER, "eth1", "");
	add("gre0", "ipip", ARPHRD_TUNNEL, "eth0", ""); /* bound to eth0, but its packets are inside others */
}

static void assert_carrier(const char *name, const char *expected)
{
	const struct kh_link *carrier = NULL;
	struct kh_error error = { 0 };

	if (kh_link_carrier(&links, named(name), &carrier, &error) < 0)
		fail_msg("%s: %s", name, error.text);
	assert_string_equal(carrier->name, expected);
}

static void test_lookup(void **state)
{
	(void)state;
	office();
	assert_ptr_equal(kh_link_by_index(&links, named("eth1")->ifindex), named("eth1"));
	assert_null(kh_link_by_index(&links, 0));
	assert_null(kh_link_by_index(&links, 4711));
	assert_null(kh_link_by_name(&links, "eth"));
	assert_null(kh_link_by_name(&links, "eth00"));
	assert_null(kh_link_by_name(&links, ""));
	assert_true(kh_link_is_ethernet(named("eth0")) && kh_link_is_ethernet(named("br0")));
	assert_false(kh_link_is_ethernet(named("wg0")) || kh_link_is_ethernet(named("ppp0")) ||
		     kh_link_is_ethernet(named("lo")));
}

static void test_carrier(void **state)
{
	(void)state;
	office();
	assert_carrier("eth0", "eth0");
	assert_carrier("eth0.11", "eth0");
	assert_carrier("q", "eth0");
	assert_carrier("mac0", "eth1");
	assert_carrier("br0", "br0");
	assert_carrier("br0.5", "br0");
	assert_carrier("bond0", "bond0");
	assert_carrier("wg0", "wg0");
	assert_carrier("gre0", "gre0");
}

#define HEADING "Id       Address              Device\n"

static void test_carrier_of_pppoe(void **state)
{
	(void)state;
	office();
	kh_pppoe_carry(&links, HEADING "0000002A 00:00:5e:00:53:01  eth0.11\n");
	assert_int_equal(named("ppp0")->parent, named("eth0.11")->ifindex);
	assert_carrier("ppp0", "eth0");
	assert_true(kh_link_is_above(&links, named("ppp0"), named("eth0.11")));
	assert_true(kh_link_is_above(&links, named("ppp0"), named("eth0")));
	assert_false(kh_link_is_above(&links, named("ppp0"), named("eth0.35")));
}

static void test_two_sessions_on_one_device(void **state)
{
	(void)state;
	office();
	add("ppp1", "ppp", ARPHRD_PPP, "", "");
	kh_pppoe_carry(&links, HEADING "00000001 00:00:5e:00:53:01     eth0\n00000002 00:00:5e:00:53:01     eth0");
	assert_carrier("ppp0", "eth0");
	assert_carrier("ppp1", "eth0");
}

/* Better not known than wrong: then it is asked for. */
static void test_pppoe_not_certain(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		HEADING,
		HEADING "00000001 00:00:5e:00:53:01     eth0\n", /* two interfaces, one session: the other is a modem */
		HEADING "00000001 00:00:5e:00:53:01     eth0\n00000002 00:00:5e:00:53:02     eth1\n",
		HEADING
		"00000001 00:00:5e:00:53:01     eth9\n00000002 00:00:5e:00:53:01     eth9\n", /* not in the snapshot */
		HEADING "00000001 00:00:5e:00:53:01     eth0\n00000002 00:00:5e:00:53:01     eth9\n",
		HEADING "00000001 00:00:5e:00:53:01     eth9\n00000002 00:00:5e:00:53:01     eth0\n"
			"00000003 00:00:5e:00:53:01     eth0\n",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++) {
		const struct kh_link *carrier = NULL;
		struct kh_error error = { 0 };

		setup(NULL);
		office();
		add("ppp1", "ppp", ARPHRD_PPP, "", "");
		kh_pppoe_carry(&links, texts[i]);
		if (kh_link_carrier(&links, named("ppp0"), &carrier, &error) != -ENOENT)
			fail_msg("text %zu is believed", i);
		assert_null(carrier);
		assert_non_null(strstr(error.text, "ppp0"));
		assert_non_null(strstr(error.hint, "wan = "));
	}
	assert_int_equal(kh_link_carrier(&links, named("ppp0"), &(const struct kh_link *){ NULL }, NULL), -ENOENT);
}

/* The heading is no session, whatever an interface is called. */
static void test_pppoe_heading(void **state)
{
	(void)state;
	add("Device", "", ARPHRD_ETHER, "", "");
	add("ppp0", "ppp", ARPHRD_PPP, "", "");
	kh_pppoe_carry(&links, HEADING);
	assert_int_equal(named("ppp0")->parent, 0);
}

static void test_above(void **state)
{
	static const struct {
		const char *upper, *lower;
		bool above;
	} rows[] = {
		{ "eth0.11", "eth0", true }, { "q", "eth0", true },	   { "q", "eth0.35", true },
		{ "q", "eth0.11", false },   { "eth0", "eth0.11", false }, { "eth0", "eth0", false },
		{ "br0", "eth1", true },     { "br0", "eth2", true },	   { "bond0", "eth2", true },
		{ "bond0", "eth1", false },  { "br0", "bond0", true },	   { "eth1", "br0", false },
		{ "br0.5", "br0", true },    { "br0.5", "eth1", true },	   { "br0.5", "eth3", true },
		{ "br0.5", "eth0", false },  { "mac0", "eth1", true },	   { "br0", "mac0", false },
		{ "eth2", "eth3", false },   { "wg0", "eth0", false },	   { "gre0", "eth0", false },
		{ "lo", "eth0", false },
	};

	(void)state;
	office();
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++)
		if (kh_link_is_above(&links, named(rows[i].upper), named(rows[i].lower)) != rows[i].above)
			fail_msg("%s over %s", rows[i].upper, rows[i].lower);
}

/* Interfaces can change while they are listed: neither a circle nor a missing parent may hang or crash. */
static void test_broken_snapshots(void **state)
{
	const struct kh_link *carrier;

	(void)state;
	add("a", "vlan", ARPHRD_ETHER, "", "");
	add("b", "vlan", ARPHRD_ETHER, "a", "");
	add("c", "vlan", ARPHRD_ETHER, "", "");
	table[0].parent = table[1].ifindex;
	table[2].parent = 4711;
	assert_int_equal(kh_link_carrier(&links, named("a"), &carrier, NULL), 0);
	assert_false(kh_link_is_above(&links, named("c"), named("a")));
	assert_carrier("c", "c");
	assert_false(kh_link_is_above(&links, named("a"), named("a")));
	table[0].master = table[0].ifindex;
	assert_false(kh_link_is_above(&links, named("c"), named("a")));
}

static void assert_resolvers(const char *text, const char *expected)
{
	struct kh_range *resolvers KH_CLEANUP(kh_freep) = NULL;
	char all[512] = "", one[KH_RANGE_TEXT];
	size_t count = 42;

	assert_int_equal(kh_resolvers_parse(text, &resolvers, &count), 0);
	for (size_t i = 0; i < count; i++) {
		strcat(all, i ? " " : "");
		strcat(all, kh_range_format(&resolvers[i], one));
	}
	assert_string_equal(all, expected);
}

static void test_resolvers(void **state)
{
	(void)state;
	assert_resolvers("", "");
	assert_resolvers("nameserver 203.0.113.53", "203.0.113.53");
	assert_resolvers(
		"# nameserver 198.51.100.1\n;nameserver 198.51.100.1\nsearch example\nnameserver 203.0.113.53\n"
		"options edns0\nnameserver 2001:db8::53\r\n",
		"203.0.113.53 2001:db8::53");
	assert_resolvers("\tnameserver\t203.0.113.53 # ours\nnameserver 203.0.113.54;\n", "203.0.113.53 203.0.113.54");
	assert_resolvers("nameserver 127.0.0.53\nnameserver ::1\nnameserver 127.1.2.3\n",
			 ""); /* stubs on this machine */
	assert_resolvers("nameserver fe80::1%eth0\n", "fe80::1");
	assert_resolvers(
		"nameservers 203.0.113.53\nnameserver203.0.113.53\nnameserver\nnameserver \nnameserver dns.example\n",
		"");
	assert_resolvers("nameserver\n203.0.113.53\n", "");
	assert_resolvers("nameserver 203.0.113.053\nnameserver 203.0.113.53", "203.0.113.53");
	assert_resolvers("nameserver ::ffff:203.0.113.53\n", "::ffff:203.0.113.53");
}

static void put_peer(struct nl_msg *message, const void *endpoint, int length)
{
	struct nlattr *peer = nla_nest_start(message, 0);

	nla_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 25);
	if (endpoint)
		nla_put(message, WGPEER_A_ENDPOINT, length, endpoint);
	nla_nest_end(message, peer);
}

/* The answer of linux/wireguard.h, as the module writes it. */
static void test_endpoints(void **state)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(51820), .sin_addr = { htonl(0xcb007107) } };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = { { { 0x20, 1, 0xd, 0xb8, [15] = 9 } } } };
	struct sockaddr_in other = { .sin_family = AF_UNIX };
	struct nl_msg *message = nlmsg_alloc();
	struct nlattr *peers;
	struct genlmsghdr *header;
	size_t capacity = 0;
	char text[KH_RANGE_TEXT];

	(void)state;
	assert_non_null(genlmsg_put(message, 0, 0, 77, 0, 0, WG_CMD_GET_DEVICE, WG_GENL_VERSION));
	header = genlmsg_hdr(nlmsg_hdr(message));
	nla_put_u16(message, WGDEVICE_A_LISTEN_PORT, 51820);
	assert_int_equal(kh_endpoints_add(&links, &capacity, genlmsg_attrdata(header, 0), genlmsg_attrlen(header, 0)),
			 0);
	assert_int_equal(links.endpoints_count, 0); /* no peers */
	peers = nla_nest_start(message, WGDEVICE_A_PEERS);
	put_peer(message, &v4, sizeof(v4));
	put_peer(message, NULL, 0); /* never seen */
	put_peer(message, &other, sizeof(other));
	put_peer(message, &v6, 8); /* cut off */
	put_peer(message, &v6, sizeof(v6));
	nla_nest_end(message, peers);
	assert_int_equal(kh_endpoints_add(&links, &capacity, genlmsg_attrdata(header, 0), genlmsg_attrlen(header, 0)),
			 0);
	nlmsg_free(message);
	assert_int_equal(links.endpoints_count, 2);
	assert_string_equal(kh_range_format(&links.endpoints[0], text), "203.0.113.7");
	assert_string_equal(kh_range_format(&links.endpoints[1], text), "2001:db8::9");
	free(links.endpoints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lookup, setup),
		cmocka_unit_test_setup(test_carrier, setup),
		cmocka_unit_test_setup(test_carrier_of_pppoe, setup),
		cmocka_unit_test_setup(test_two_sessions_on_one_device, setup),
		cmocka_unit_test_setup(test_pppoe_not_certain, setup),
		cmocka_unit_test_setup(test_pppoe_heading, setup),
		cmocka_unit_test_setup(test_above, setup),
		cmocka_unit_test_setup(test_broken_snapshots, setup),
		cmocka_unit_test(test_resolvers),
		cmocka_unit_test_setup(test_endpoints, setup),
	};

	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
