/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshot and the monitor against a real kernel: every test makes a network namespace (and a mount namespace, for
 * resolv.conf) of its own, which goes with the process. Needs root; skipped without.
 */
#include "netlink/links.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/util.h"

static struct kh_links *links;

/* A fresh namespace. IPv6 waits for nothing there: no duplicate address detection, no addresses of its own. */
static int setup(void **state)
{
	(void)state;
	links = NULL;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		return errno == EPERM ? 0 : -1;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kh_links_free(links);
	return 0;
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("not root\n");
		skip();
	}
	run("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.addr_gen_mode=1 net.ipv4.conf.all.forwarding=0");
}

static void read_links(void)
{
	struct kh_error error = { 0 };

	kh_links_free(links);
	links = NULL;
	if (kh_links_read(&links, &error) < 0)
		fail_msg("%s", error.text);
}

static const struct kh_link *named(const char *name)
{
	const struct kh_link *link = kh_link_by_name(links, name);

	if (!link)
		fail_msg("%s is not in the snapshot", name);
	return link;
}

static void test_empty_namespace(void **state)
{
	(void)state;
	need_root();
	read_links();
	assert_int_equal(named("lo")->type, ARPHRD_LOOPBACK);
	assert_false(named("lo")->up);
	assert_false(kh_link_is_ethernet(named("lo")));
	assert_int_equal(links->addresses_count, 0);
	assert_int_equal(links->routes_count, 0);
	assert_int_equal(links->neighbours_count, 0);
	assert_int_equal(links->endpoints_count, 0);
}

static void test_interfaces(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0x57 };

	(void)state;
	need_root();
	run("ip link add v0 type veth peer name v1");
	run("ip link set v0 address 02:00:00:00:00:57 mtu 1400 up && ip link set v1 up");
	run("ip link add br0 type bridge && ip link set v1 master br0");
	run("ip tuntap add dev t0 mode tun && ip tuntap add dev t1 mode tap");
	run("sysctl -qw net.ipv4.conf.v0.forwarding=1 net.ipv6.conf.v1.forwarding=1");
	read_links();
	assert_string_equal(named("v0")->kind, "veth");
	assert_int_equal(named("v0")->type, ARPHRD_ETHER);
	assert_memory_equal(named("v0")->mac, mac, sizeof(mac));
	assert_int_equal(named("v0")->mtu, 1400);
	assert_true(named("v0")->up && named("v0")->running);
	assert_int_equal(named("v0")->parent, 0); /* the other end is beside it, not below */
	assert_int_equal(named("v0")->master, 0);
	assert_int_equal(named("v1")->master, named("br0")->ifindex);
	assert_true(kh_link_is_above(links, named("br0"), named("v1")));
	assert_false(kh_link_is_above(links, named("v0"), named("v1")));
	assert_string_equal(named("br0")->kind, "bridge");
	assert_false(named("br0")->up);
	assert_string_equal(named("t0")->kind, "tun");
	assert_int_equal(named("t0")->type, ARPHRD_NONE);
	assert_true(kh_link_is_ethernet(named("t1")));
	assert_true(named("v0")->forwards_v4 && !named("v0")->forwards_v6);
	assert_true(named("v1")->forwards_v6 && !named("v1")->forwards_v4);
	run("ip link set v1 down");
	read_links();
	assert_true(named("v0")->up);
	assert_false(named("v0")->running); /* no carrier */
}

/* "address subnet peer" of the only address of an interface that has the family. */
static const char *address_of(const char *name, uint8_t family)
{
	static char text[3 * KH_RANGE_TEXT];
	char a[KH_RANGE_TEXT], b[KH_RANGE_TEXT], c[KH_RANGE_TEXT];
	uint32_t ifindex = named(name)->ifindex;

	text[0] = '\0';
	for (size_t i = 0; i < links->addresses_count; i++) {
		const struct kh_link_address *at = &links->addresses[i];

		if (at->ifindex != ifindex || at->address.family != family)
			continue;
		assert_int_equal(text[0], '\0');
		snprintf(text, sizeof(text), "%s %s %s", kh_range_format(&at->address, a),
			 kh_range_format(&at->subnet, b), at->peer.family ? kh_range_format(&at->peer, c) : "-");
	}
	return text;
}

static void test_addresses(void **state)
{
	(void)state;
	need_root();
	run("ip link set lo up && ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
	run("ip address add 192.0.2.57/24 dev v0 && ip address add 2001:db8:1::57/64 dev v0");
	run("ip tuntap add dev t0 mode tun && ip address add 198.51.100.2 peer 198.51.100.1/32 dev t0");
	run("ip address add 2001:db8:2::2 peer 2001:db8:2::1/128 dev t0");
	run("ip address add 203.0.113.9/32 dev v1");
	read_links();
	assert_string_equal(address_of("v0", 4), "192.0.2.57 192.0.2.0/24 -");
	assert_string_equal(address_of("v0", 6), "2001:db8:1::57 2001:db8:1::/64 -");
	assert_string_equal(address_of("t0", 4), "198.51.100.2 198.51.100.1 198.51.100.1");
	assert_string_equal(address_of("t0", 6), "2001:db8:2::2 2001:db8:2::1 2001:db8:2::1");
	assert_string_equal(address_of("v1", 4), "203.0.113.9 203.0.113.9 -");
	assert_string_equal(address_of("lo", 4), "127.0.0.1 127.0.0.0/8 -");
	assert_string_equal(address_of("lo", 6), "::1 ::1 -");
}

/* The routes as "destination via gateway dev name", default routes with a star; sorted by nothing, so searched. */
static bool has_route(const char *wanted)
{
	for (size_t i = 0; i < links->routes_count; i++) {
		const struct kh_link_route *route = &links->routes[i];
		const struct kh_link *link = kh_link_by_index(links, route->ifindex);
		char text[300], a[KH_RANGE_TEXT], b[KH_RANGE_TEXT];

		snprintf(text, sizeof(text), "%s%s via %s dev %s", route->is_default ? "*" : "",
			 kh_range_format(&route->destination, a),
			 route->gateway.family ? kh_range_format(&route->gateway, b) : "-", link ? link->name : "-");
		if (!strcmp(text, wanted))
			return true;
	}
	return false;
}

static void test_routes(void **state)
{
	(void)state;
	need_root();
	run("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
	run("ip address add 192.0.2.57/24 dev v0 && ip address add 2001:db8:1::57/64 dev v0 && ip address add 198.51.100.57/24 dev v1");
	run("ip route add default via 192.0.2.1 && ip -6 route add default via 2001:db8:1::1");
	run("ip route add 10.20.0.0/16 via 192.0.2.2 && ip route add 10.30.0.0/16 dev v0 && ip route add 0.0.0.0/1 via 192.0.2.3");
	run("ip route add 10.40.0.0/16 nexthop via 192.0.2.4 nexthop via 198.51.100.4");
	run("ip route add 10.60.0.0/16 via inet6 2001:db8:1::6 dev v0");
	run("ip route add default via 192.0.2.9 table 100 && ip route add blackhole 10.50.0.0/16");
	run("ip -6 route add unreachable 2001:db8:50::/48");
	read_links();
	assert_true(has_route("*0.0.0.0/0 via 192.0.2.1 dev v0"));
	assert_true(has_route("*::/0 via 2001:db8:1::1 dev v0"));
	assert_true(has_route("192.0.2.0/24 via - dev v0"));
	assert_true(has_route("2001:db8:1::/64 via - dev v0"));
	assert_true(has_route("10.20.0.0/16 via 192.0.2.2 dev v0"));
	assert_true(has_route("10.30.0.0/16 via - dev v0"));
	assert_true(has_route("0.0.0.0/1 via 192.0.2.3 dev v0"));
	assert_true(has_route("10.40.0.0/16 via 192.0.2.4 dev v0"));
	assert_true(has_route("10.40.0.0/16 via 198.51.100.4 dev v1"));
	assert_true(has_route("10.60.0.0/16 via 2001:db8:1::6 dev v0"));
	assert_false(has_route("*0.0.0.0/0 via 192.0.2.9 dev v0")); /* another table */
	assert_int_equal(links->routes_count,
			 11); /* the above and 198.51.100.0/24: no blackhole, no local or multicast route */
}

/* One that is only on the link: PPPoE without a gateway. */
static void test_default_route_without_gateway(void **state)
{
	(void)state;
	need_root();
	run("ip tuntap add dev t0 mode tun && ip link set t0 up && ip address add 198.51.100.2 peer 198.51.100.1/32 dev t0");
	run("ip route add default dev t0");
	read_links();
	assert_true(has_route("*0.0.0.0/0 via - dev t0"));
	assert_true(has_route("198.51.100.1 via - dev t0"));
}

static void test_neighbours(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
	size_t found = 0;

	(void)state;
	need_root();
	run("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
	run("ip address add 192.0.2.57/24 dev v0 && ip address add 2001:db8:1::57/64 dev v0");
	run("ip neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0 nud permanent");
	run("ip neighbour add 2001:db8:1::9 lladdr 02:00:00:00:00:09 dev v0 nud stale");
	run("ip neighbour add 192.0.2.10 lladdr 02:00:00:00:00:10 dev v0 nud failed");
	run("ip neighbour add 192.0.2.11 lladdr 02:00:00:00:00:11 dev v0 nud noarp");
	read_links();
	for (size_t i = 0; i < links->neighbours_count; i++) {
		const struct kh_link_neighbour *at = &links->neighbours[i];
		char text[KH_RANGE_TEXT];

		kh_range_format(&at->address, text);
		if (strcmp(text, "192.0.2.9") && strcmp(text, "2001:db8:1::9"))
			fail_msg("%s", text);
		assert_int_equal(at->ifindex, named("v0")->ifindex);
		assert_memory_equal(at->mac, mac, sizeof(mac));
		found++;
	}
	assert_int_equal(found, 2);
}

/* A file of ours is laid over the real one, seen by this process alone. */
static void test_resolvers_in_use(void **state)
{
	char path[] = "/tmp/khien-test-resolv.XXXXXX", text[KH_RANGE_TEXT];
	static const char content[] = "nameserver 127.0.0.53\nnameserver 203.0.113.53\nnameserver 2001:db8::53\n";
	bool v4 = false, v6 = false;
	int fd, code;

	(void)state;
	need_root();
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, sizeof(content) - 1), sizeof(content) - 1);
	close(fd);
	code = mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL);
	unlink(path); /* the mount keeps it */
	if (code < 0)
		skip();
	read_links();
	umount2("/etc/resolv.conf", MNT_DETACH);
	for (size_t i = 0; i < links->resolvers_count; i++) { /* the machine may have more, in other files */
		kh_range_format(&links->resolvers[i], text);
		v4 = v4 || !strcmp(text, "203.0.113.53");
		v6 = v6 || !strcmp(text, "2001:db8::53");
		assert_string_not_equal(text, "127.0.0.53");
	}
	assert_true(v4 && v6);
}

/* One monitor for each command, in a namespace where nothing else happens: what it hears is that command. */
static void test_monitor(void **state)
{
	static const struct {
		const char *command;
		bool heard;
	} rows[] = {
		{ "true", false },
		{ "ip link set lo mtu 60000", true },
		{ "ip link show > /dev/null", false },
		{ "ip address add 192.0.2.1/32 dev lo", true },
		{ "ip address add 2001:db8::1/128 dev lo nodad", true },
		{ "ip address change 2001:db8::1/128 dev lo nodad noprefixroute valid_lft 9000 preferred_lft 8000",
		  true },
		{ "ip address change 192.0.2.1/32 dev lo valid_lft 9000 preferred_lft 9000",
		  true }, /* no route changes */
		{ "ip address delete 192.0.2.1/32 dev lo", true },
		{ "ip address delete 2001:db8::1/128 dev lo", true },
		{ "ip link add v0 type veth peer name v1", true },
		{ "ip link set v0 up; ip link set v1 up; ip link set lo up", true },
		{ "ip route add 198.51.100.0/24 dev lo", true },
		{ "ip route delete 198.51.100.0/24 dev lo", true },
		{ "ip -6 route add 2001:db8:9::/48 dev lo", true },
		{ "ip link delete v0", true },
	};

	(void)state;
	need_root();
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		struct kh_links_monitor *monitor = NULL;

		assert_int_equal(kh_links_monitor_open(&monitor, NULL), 0);
		assert_true(kh_links_monitor_fd(monitor) >= 0);
		run(rows[i].command);
		if ((kh_links_monitor_drain(monitor) != KH_LINKS_NOTHING) != rows[i].heard)
			fail_msg("%s", rows[i].command);
		if (i < 10) /* later ones may be followed by the carrier's coming up */
			assert_false(kh_links_monitor_drain(monitor));
		kh_links_monitor_close(monitor);
	}
	kh_links_monitor_close(NULL);
}

/* What is attached at tc, and may have been ours: told apart from what changes addresses. */
static void test_monitor_filters(void **state)
{
	static const struct {
		const char *command;
		unsigned int changes;
	} rows[] = {
		{ "tc qdisc add dev lo clsact", KH_LINKS_FILTERS },
		{ "tc filter add dev lo ingress prio 7 protocol all bpf bytecode '1,6 0 0 4294967295'",
		  KH_LINKS_NOTHING },
		{ "tc filter del dev lo ingress prio 7", KH_LINKS_FILTERS },
		{ "tc qdisc del dev lo clsact", KH_LINKS_FILTERS },
		{ "tc qdisc add dev lo clsact; ip link set lo mtu 6000", KH_LINKS_FILTERS | KH_LINKS_CHANGED },
	};

	(void)state;
	need_root();
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		struct kh_links_monitor *monitor = NULL;

		assert_int_equal(kh_links_monitor_open(&monitor, NULL), 0);
		run(rows[i].command);
		if (kh_links_monitor_drain(monitor) != rows[i].changes)
			fail_msg("%s", rows[i].command);
		kh_links_monitor_close(monitor);
	}
}

/* More than the socket holds: what was lost counts as changed, and it goes on afterwards. */
static void test_monitor_overflow(void **state)
{
	struct kh_links_monitor *monitor = NULL;
	int small = 1;

	(void)state;
	need_root();
	assert_int_equal(kh_links_monitor_open(&monitor, NULL), 0);
	assert_int_equal(setsockopt(kh_links_monitor_fd(monitor), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	run("for i in 1 2 3 4 5 6 7 8; do ip link set lo mtu 600$i; done");
	assert_int_equal(kh_links_monitor_drain(monitor), KH_LINKS_CHANGED | KH_LINKS_FILTERS);
	assert_false(kh_links_monitor_drain(monitor));
	run("ip address add 192.0.2.1/32 dev lo");
	assert_true(kh_links_monitor_drain(monitor));
	kh_links_monitor_close(monitor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty_namespace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interfaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_default_route_without_gateway, setup, teardown),
		cmocka_unit_test_setup_teardown(test_neighbours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolvers_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_monitor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_monitor_filters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_monitor_overflow, setup, teardown),
	};

	return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
