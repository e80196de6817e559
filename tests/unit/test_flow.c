// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One connection out of what the kernel says of it: every field, what is left out, and messages that are cut off or lie.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/util.h"
#include "flow_message.h"
#include "netlink/private.h"

#define NOW 1700000000
#define ID 0x11223344u

static const struct flow_side original = { "192.0.2.57", "203.0.113.7", 40001, 443 };
static const struct flow_side reply = { "203.0.113.7", "192.0.2.129", 443, 61000 };

/* All that the kernel can say. */
static struct nlmsghdr *whole(void *buffer)
{
	struct nlmsghdr *header = flow_begin(buffer, NLM_F_MULTI, 1, AF_INET);

	flow_put_side(header, CTA_TUPLE_ORIG, &original, IPPROTO_TCP);
	flow_put_side(header, CTA_TUPLE_REPLY, &reply, IPPROTO_TCP);
	mnl_attr_put_u16(header, CTA_ZONE, htons(7));
	mnl_attr_put_u32(header, CTA_ID, ID);
	flow_put_number(header, CTA_COUNTERS_ORIG, CTA_COUNTERS_BYTES, 1000);
	flow_put_number(header, CTA_COUNTERS_REPLY, CTA_COUNTERS_BYTES, 23);
	flow_put_number(header, CTA_TIMESTAMP, CTA_TIMESTAMP_START, (NOW - 3600) * 1000000000ull);
	return header;
}

static void assert_address(const struct kh_range *address, const char *text)
{
	char buffer[KH_RANGE_TEXT];

	assert_string_equal(kh_range_format(address, buffer), text);
}

static void everything_is_read(void **state KH_UNUSED)
{
	uint32_t buffer[256];
	struct kh_flow flow;

	whole(buffer);
	assert_int_equal(kh_flow_parse((void *)buffer, sizeof(buffer), NOW, &flow), 0);
	assert_address(&flow.original.source, "192.0.2.57");
	assert_address(&flow.original.destination, "203.0.113.7");
	assert_address(&flow.reply.source, "203.0.113.7");
	assert_address(&flow.reply.destination, "192.0.2.129");
	assert_int_equal(flow.original.source_port, 40001);
	assert_int_equal(flow.original.destination_port, 443);
	assert_int_equal(flow.reply.destination_port, 61000);
	assert_int_equal(flow.original.protocol, IPPROTO_TCP);
	assert_int_equal(flow.zone, 7);
	assert_int_equal(flow.key.zone, 7);
	assert_int_equal(flow.key.id, ID);
	assert_int_equal(flow.key.family, AF_INET);
	assert_int_equal(flow.bytes, 1023);
	assert_int_equal(flow.seconds, 3600);
}

static void what_is_not_said_is_unknown(void **state KH_UNUSED)
{
	uint32_t buffer[256];
	struct nlmsghdr *header = flow_begin(buffer, NLM_F_MULTI, 1, AF_INET6);
	struct kh_flow flow;

	flow_put_side(header, CTA_TUPLE_ORIG, &(struct flow_side){ "2001:db8:1::57", "2001:db8:bad::7", 1, 2 },
		      IPPROTO_UDP);
	flow_put_side(header, CTA_TUPLE_REPLY, &(struct flow_side){ "2001:db8:bad::7", "2001:db8:1::57", 2, 1 },
		      IPPROTO_UDP);
	mnl_attr_put_u32(header, CTA_ID, ID);
	assert_int_equal(kh_flow_parse(header, sizeof(buffer), NOW, &flow), 0);
	assert_address(&flow.original.destination, "2001:db8:bad::7");
	assert_int_equal(flow.key.family, AF_INET6);
	assert_int_equal(flow.zone, 0);
	assert_int_equal(flow.bytes, -1);
	assert_int_equal(flow.seconds, -1);
	flow_put_number(header, CTA_TIMESTAMP, CTA_TIMESTAMP_START, (NOW + 3600) * 1000000000ull);
	assert_int_equal(kh_flow_parse(header, sizeof(buffer), NOW, &flow), 0);
	assert_int_equal(flow.seconds, 0); /* the clock was set back */
	flow_put_number(header, CTA_COUNTERS_ORIG, CTA_COUNTERS_BYTES, UINT64_MAX);
	flow_put_number(header, CTA_COUNTERS_REPLY, CTA_COUNTERS_BYTES, UINT64_MAX);
	assert_int_equal(kh_flow_parse(header, sizeof(buffer), NOW, &flow), 0);
	assert_true(flow.bytes == INT64_MAX);
}

static void a_zone_of_one_way_is_in_the_key(void **state KH_UNUSED)
{
	uint32_t buffer[256];
	struct nlmsghdr *header = flow_begin(buffer, NLM_F_MULTI, 1, AF_INET);
	struct nlattr *tuple;
	struct kh_flow flow;

	tuple = mnl_nlmsg_get_payload_tail(header);
	flow_put_side(header, CTA_TUPLE_ORIG, &original, IPPROTO_TCP);
	mnl_attr_put_u16(header, CTA_TUPLE_ZONE, htons(9));
	mnl_attr_nest_end(header, tuple);
	flow_put_side(header, CTA_TUPLE_REPLY, &reply, IPPROTO_TCP);
	mnl_attr_put_u32(header, CTA_ID, ID);
	assert_int_equal(kh_flow_parse(header, sizeof(buffer), NOW, &flow), 0);
	assert_int_equal(flow.zone, 9);
	assert_int_equal(flow.key.zone, 0);
	assert_int_equal(flow.key.length, mnl_attr_get_payload_len(tuple));
	assert_memory_equal(flow.key.tuple, mnl_attr_get_payload(tuple), flow.key.length);
}

/* What remains of a message when one attribute is missing or another. */
static int parse_without(unsigned int left_out)
{
	uint32_t buffer[256];
	struct nlmsghdr *header = flow_begin(buffer, NLM_F_MULTI, 1, AF_INET);
	struct kh_flow flow;

	if (left_out != 1)
		flow_put_side(header, CTA_TUPLE_ORIG, &original, IPPROTO_TCP);
	if (left_out != 2)
		flow_put_side(header, CTA_TUPLE_REPLY, &reply, IPPROTO_TCP);
	if (left_out != 3)
		mnl_attr_put_u32(header, CTA_ID, ID);
	return kh_flow_parse(header, sizeof(buffer), NOW, &flow);
}

static void half_an_entry_is_none(void **state KH_UNUSED)
{
	uint32_t buffer[256];
	struct nlmsghdr *header = whole(buffer);
	struct kh_flow flow = { .zone = 99 };

	assert_int_equal(parse_without(0), 0);
	for (unsigned int i = 1; i <= 3; i++)
		assert_int_equal(parse_without(i), -EBADMSG);
	header->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	assert_int_equal(kh_flow_parse(header, sizeof(buffer), NOW, &flow), -EBADMSG);
	header = whole(buffer);
	((struct nfgenmsg *)mnl_nlmsg_get_payload(header))->nfgen_family = AF_INET6;
	assert_int_equal(kh_flow_parse(header, sizeof(buffer), NOW, &flow), -EBADMSG);
	header = flow_begin(buffer, NLM_F_MULTI, 1, AF_INET);
	flow_put_side(header, CTA_TUPLE_ORIG, &(struct flow_side){ "2001:db8::1", "2001:db8::2", 1, 2 }, IPPROTO_UDP);
	flow_put_side(header, CTA_TUPLE_REPLY, &reply, IPPROTO_UDP);
	mnl_attr_put_u32(header, CTA_ID, ID);
	assert_int_equal(kh_flow_parse(header, sizeof(buffer), NOW, &flow), -EBADMSG);
	header = flow_begin(buffer, NLM_F_MULTI, 1, AF_INET);
	flow_put_side(header, CTA_TUPLE_ORIG, &original, IPPROTO_TCP);
	flow_put_side(header, CTA_TUPLE_REPLY, &reply, IPPROTO_TCP);
	mnl_attr_put_u16(header, CTA_ID, 0x1122); /* too short for one */
	assert_int_equal(kh_flow_parse(header, sizeof(buffer), NOW, &flow), -EBADMSG);
	assert_int_equal(flow.zone, 99); /* nothing was written */
}

/* A tuple longer than any the kernel makes does not fit the key. */
static void a_swollen_tuple_is_refused(void **state KH_UNUSED)
{
	static const uint8_t filling[KH_FLOW_KEY_BYTES];
	uint32_t buffer[512];
	struct nlmsghdr *header = flow_begin(buffer, NLM_F_MULTI, 1, AF_INET);
	struct nlattr *tuple = mnl_nlmsg_get_payload_tail(header);
	struct kh_flow flow;

	flow_put_side(header, CTA_TUPLE_ORIG, &original, IPPROTO_TCP);
	mnl_attr_put(header, 99, sizeof(filling), filling);
	mnl_attr_nest_end(header, tuple);
	flow_put_side(header, CTA_TUPLE_REPLY, &reply, IPPROTO_TCP);
	mnl_attr_put_u32(header, CTA_ID, ID);
	assert_int_equal(kh_flow_parse(header, sizeof(buffer), NOW, &flow), -EBADMSG);
}

/* Cut off anywhere, in memory of just that size: the sanitizer watches. */
static void every_truncation_is_survived(void **state KH_UNUSED)
{
	uint32_t buffer[256];
	struct nlmsghdr *header = whole(buffer);
	size_t length = header->nlmsg_len;
	struct kh_flow flow;

	for (size_t cut = sizeof(*header); cut < length; cut++) {
		struct nlmsghdr *copy = malloc(cut);

		assert_non_null(copy);
		memcpy(copy, buffer, cut);
		assert_int_equal(kh_flow_parse(copy, cut, NOW, &flow), -EBADMSG); /* it says that it is longer */
		copy->nlmsg_len = (uint32_t)cut;
		kh_flow_parse(copy, cut, NOW, &flow); /* it says that it ends here */
		free(copy);
	}
}

/* Each byte in turn becomes others: lengths that lie, kinds that are something else. */
static void every_byte_may_lie(void **state KH_UNUSED)
{
	static const uint8_t values[] = { 0, 1, 3, 4, 5, 8, 0x7f, 0x80, 0xff };
	uint32_t buffer[256];
	size_t length = whole(buffer)->nlmsg_len;
	struct kh_flow flow;

	for (size_t at = 0; at < length; at++) {
		for (size_t i = 0; i < KH_ARRAY_SIZE(values); i++) {
			uint8_t *copy = malloc(length);

			assert_non_null(copy);
			memcpy(copy, buffer, length);
			copy[at] = values[i];
			if (!kh_flow_parse((void *)copy, length, NOW, &flow))
				assert_true(flow.key.length <= sizeof(flow.key.tuple));
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(what_is_not_said_is_unknown),
		cmocka_unit_test(a_zone_of_one_way_is_in_the_key),
		cmocka_unit_test(half_an_entry_is_none),
		cmocka_unit_test(a_swollen_tuple_is_refused),
		cmocka_unit_test(every_truncation_is_survived),
		cmocka_unit_test(every_byte_may_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
