// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of connections of a real kernel, in a network namespace of its own that goes with the process: entries are made by ctnetlink.
 * Needs root and nf_conntrack; skipped without.
 */
#include "netlink/conntrack.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "common/util.h"
#include "flow_message.h"

#define MANY 100000
#define NOW 1700000000

static struct mnl_socket *maker;
static struct kh_conntrack *conntrack;

static int setup(void **state KH_UNUSED)
{
	struct kh_error error;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		return 0;
	maker = mnl_socket_open(NETLINK_NETFILTER);
	if (!maker || mnl_socket_bind(maker, 0, MNL_SOCKET_AUTOPID) < 0)
		return -1;
	return kh_conntrack_open(&conntrack, &error) == -EOPNOTSUPP ? 0 : conntrack ? 0 : -1;
}

static int teardown(void **state KH_UNUSED)
{
	kh_conntrack_close(conntrack);
	if (maker)
		mnl_socket_close(maker);
	conntrack = NULL;
	maker = NULL;
	return 0;
}

static void need_table(void)
{
	if (!conntrack) {
		print_message("no root, or no table of connections\n");
		skip();
	}
}

static void send_made(struct nlmsghdr *header)
{
	uint32_t buffer[1024];
	struct nlmsgerr *answer = NULL;

	if (mnl_socket_sendto(maker, header, header->nlmsg_len) < 0 ||
	    mnl_socket_recvfrom(maker, buffer, sizeof(buffer)) < 0)
		fail_msg("ctnetlink: %m");
	answer = mnl_nlmsg_get_payload((struct nlmsghdr *)buffer);
	if (answer->error)
		fail_msg("the entry is not made: %s", strerror(-answer->error));
}

/* An entry that lives for an hour. */
static void make(const struct flow_side *original, const struct flow_side *reply, uint8_t protocol, uint16_t zone)
{
	uint32_t buffer[1024];
	struct nlmsghdr *header = flow_begin(buffer, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 1,
					     strchr(original->source, ':') ? AF_INET6 : AF_INET);

	flow_put_side(header, CTA_TUPLE_ORIG, original, protocol);
	flow_put_side(header, CTA_TUPLE_REPLY, reply, protocol);
	mnl_attr_put_u32(header, CTA_TIMEOUT, htonl(3600));
	if (zone)
		mnl_attr_put_u16(header, CTA_ZONE, htons(zone));
	send_made(header);
}

static void make_udp(uint16_t port, uint16_t zone)
{
	const struct flow_side original = { "192.0.2.57", "203.0.113.7", port, 53 },
			       reply = { "203.0.113.7", "192.0.2.57", 53, port };

	make(&original, &reply, IPPROTO_UDP, zone);
}

struct seen {
	struct kh_flow flows[16];
	size_t count, begun;
	int stop_at;
};

static int on_flow(const struct kh_flow *flow, void *context)
{
	struct seen *seen = context;

	if (!flow) {
		seen->count = 0;
		seen->begun++;
		return 0;
	}
	if (seen->count < KH_ARRAY_SIZE(seen->flows))
		seen->flows[seen->count] = *flow;
	seen->count++;
	return seen->stop_at && (int)seen->count >= seen->stop_at ? -ECANCELED : 0;
}

static size_t count_all(struct seen *seen)
{
	*seen = (struct seen){};
	assert_int_equal(kh_conntrack_list(conntrack, NOW, on_flow, seen), 0);
	assert_true(seen->begun >= 1);
	return seen->count;
}

static void an_empty_table_is_empty(void **state KH_UNUSED)
{
	struct seen seen;

	need_table();
	assert_int_equal(count_all(&seen), 0);
}

static void both_families_and_all_zones_are_listed(void **state KH_UNUSED)
{
	const struct flow_side original = { "2001:db8:1::57", "2001:db8:bad::7", 40000, 443 },
			       reply = { "2001:db8:bad::7", "2001:db8:1::57", 443, 40000 };
	struct seen seen;
	int zones = 0, six = 0;

	need_table();
	make_udp(40000, 0);
	make_udp(40000, 5);
	make(&original, &reply, IPPROTO_UDP, 0);
	assert_int_equal(count_all(&seen), 3);
	for (size_t i = 0; i < 3; i++) {
		zones += seen.flows[i].zone == 5;
		six += seen.flows[i].original.source.family == 6;
		assert_int_equal(seen.flows[i].original.source_port, 40000);
	}
	assert_int_equal(zones, 1);
	assert_int_equal(six, 1);
}

/* The same addresses and ports in two zones: the one that is meant goes, the other stays. */
static void one_entry_is_deleted_and_no_other(void **state KH_UNUSED)
{
	struct seen seen, after;
	size_t meant;

	need_table();
	make_udp(40000, 0);
	make_udp(40000, 5);
	make_udp(40001, 5);
	assert_int_equal(count_all(&seen), 3);
	for (meant = 0; seen.flows[meant].zone != 5 || seen.flows[meant].original.source_port != 40000;)
		meant++;
	assert_int_equal(kh_conntrack_delete(conntrack, &seen.flows[meant].key), 1);
	assert_int_equal(count_all(&after), 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(after.flows[i].zone == 0 || after.flows[i].original.source_port == 40001);
	assert_int_equal(kh_conntrack_delete(conntrack, &seen.flows[meant].key), 0);
}

/* Whether a later one gets another id is the kernel's to say (its memory may be given out again); that the id counts is ours. */
static void another_connection_with_the_same_ports_is_spared(void **state KH_UNUSED)
{
	struct kh_flow_key other;
	struct seen seen;

	need_table();
	make_udp(40000, 0);
	assert_int_equal(count_all(&seen), 1);
	other = seen.flows[0].key;
	other.id ^= 1;
	assert_int_equal(kh_conntrack_delete(conntrack, &other), 0);
	assert_int_equal(count_all(&seen), 1);
	assert_int_equal(kh_conntrack_delete(conntrack, &seen.flows[0].key), 1);
}

/* A protocol without ports: the kernel's own name of the entry serves. */
static void an_echo_is_deleted(void **state KH_UNUSED)
{
	uint32_t buffer[1024];
	struct nlmsghdr *header = flow_begin(buffer, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 1, AF_INET);
	struct seen seen;

	need_table();
	for (int way = 0; way < 2; way++) {
		struct nlattr *tuple = mnl_attr_nest_start(header, way ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);
		struct nlattr *nest = mnl_attr_nest_start(header, CTA_TUPLE_IP);

		mnl_attr_put_u32(header, way ? CTA_IP_V4_DST : CTA_IP_V4_SRC, inet_addr("192.0.2.57"));
		mnl_attr_put_u32(header, way ? CTA_IP_V4_SRC : CTA_IP_V4_DST, inet_addr("203.0.113.7"));
		mnl_attr_nest_end(header, nest);
		nest = mnl_attr_nest_start(header, CTA_TUPLE_PROTO);
		mnl_attr_put_u8(header, CTA_PROTO_NUM, IPPROTO_ICMP);
		mnl_attr_put_u16(header, CTA_PROTO_ICMP_ID, htons(77));
		mnl_attr_put_u8(header, CTA_PROTO_ICMP_TYPE, way ? 0 : 8);
		mnl_attr_put_u8(header, CTA_PROTO_ICMP_CODE, 0);
		mnl_attr_nest_end(header, nest);
		mnl_attr_nest_end(header, tuple);
	}
	mnl_attr_put_u32(header, CTA_TIMEOUT, htonl(3600));
	send_made(header);
	assert_int_equal(count_all(&seen), 1);
	assert_int_equal(seen.flows[0].original.protocol, IPPROTO_ICMP);
	assert_int_equal(seen.flows[0].original.destination_port, 0);
	assert_int_equal(kh_conntrack_delete(conntrack, &seen.flows[0].key), 1);
	assert_int_equal(count_all(&seen), 0);
}

static void a_callback_may_stop(void **state KH_UNUSED)
{
	struct seen seen = { .stop_at = 2 };

	need_table();
	for (uint16_t i = 0; i < 1000; i++)
		make_udp((uint16_t)(10000 + i), 0);
	assert_int_equal(kh_conntrack_list(conntrack, NOW, on_flow, &seen), -ECANCELED);
	assert_int_equal(seen.count, 2);
	assert_int_equal(count_all(&seen), 1000); /* and the next question meets nothing of it */
}

static void a_hundred_thousand_are_listed(void **state KH_UNUSED)
{
	struct timespec begin, end;
	struct seen seen;

	need_table();
	for (uint32_t i = 0; i < MANY; i++)
		make_udp((uint16_t)(10000 + i % 50000), (uint16_t)(1 + i / 50000));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(count_all(&seen), MANY);
	clock_gettime(CLOCK_MONOTONIC, &end);
	print_message("%d entries in %.0f ms\n", MANY,
		      (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_table_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(both_families_and_all_zones_are_listed, setup, teardown),
		cmocka_unit_test_setup_teardown(one_entry_is_deleted_and_no_other, setup, teardown),
		cmocka_unit_test_setup_teardown(another_connection_with_the_same_ports_is_spared, setup, teardown),
		cmocka_unit_test_setup_teardown(an_echo_is_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_callback_may_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hundred_thousand_are_listed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
