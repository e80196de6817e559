// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tools of the packet tests, held against bytes written by hand: what frame_build() makes of a text, and what the reference
 * parser reads in it. Needs no root.
 */
#include "lab.h"

#include <stdio.h>
#include <string.h>

#include "frames.h"
#include "reference.h"

static void expect_bytes(const char *text, const char *hex)
{
	static struct frame frame;
	char got[3 * 256] = "";

	frame_build(text, &frame);
	assert_true(frame.length <= 256);
	for (size_t i = 0; i < frame.length; i++)
		snprintf(got + 2 * i, 3, "%02x", frame.data[i]);
	assert_string_equal(got, hex);
}

#define ETHERNET "00005e00530100005e005357"

static void test_links(void **state)
{
	(void)state;
	expect_bytes("type=0806 data=2", ETHERNET "0806d5d5");
	expect_bytes("ad q type=88cc", ETHERNET "88a80123"
						"8100"
						"0123"
						"88cc");
	expect_bytes("pppoe=C021 data=1", ETHERNET "886411004b480003c021d5");
}

static void test_ipv4(void **state)
{
	(void)state;
	expect_bytes("4:192.0.2.1>203.0.113.7 tcp:1024>443 data=1 pad=2", ETHERNET "0800"
										   "4500002900000000"
										   "40060000c0000201cb007107"
										   "040001bb0000000000000000"
										   "5000000000000000d50000");
	expect_bytes("raw 4:192.0.2.1>203.0.113.7 opt=4 frag=185+ proto=17", "4600001800"
									     "0020b940110000c0000201cb00710701010101");
	expect_bytes("q pppoe1 4:192.0.2.1>203.0.113.7 ihl=4 ver=5 icmp total=9 cut-1",
		     ETHERNET "81000123"
			      "886411004b48001521"
			      "5400000900000000"
			      "40010000c0000201cb0071");
}

static void test_ipv6(void **state)
{
	(void)state;
	expect_bytes("pppoe 6:2001:db8::1>2001:db8::2 hop dst=1 frag=1+ udp:53>1024 data=1",
		     ETHERNET "8864"
			      "11004b4800530057"
			      "60000000"
			      "0029"
			      "0040"
			      "20010db8000000000000000000000001"
			      "20010db8000000000000000000000002"
			      "3c00000000000000"
			      "2c010000000000000000000000000000"
			      "1100000900000000"
			      "003504000009"
			      "0000d5");
}

static void read_text(const char *text, struct reference *ret_reference)
{
	static struct frame frame;

	frame_build(text, &frame);
	reference_read(frame.data, frame.length, ret_reference);
}

static void test_reference(void **state)
{
	struct reference reference;

	(void)state;
	read_text("ad q pppoe 4:192.0.2.1>203.0.113.7 opt=8 tcp:1024>443 pad=9", &reference);
	assert_int_equal(reference.reason, KH_REASON_PASSED);
	assert_true(reference.addresses && reference.ports);
	assert_true(reference.source.first == 0xc0000201 && reference.destination.first == 0xcb007107);
	assert_int_equal(reference.source.family, 4);
	assert_int_equal(reference.source_port, 1024);
	assert_int_equal(reference.destination_port, 443);
	assert_int_equal(reference.protocol, 6);
	assert_int_equal(reference.bytes, 48);

	read_text("6:2001:db8::1>2001:db8::2 hop ah dst frag=3+ proto=17 data=9", &reference);
	assert_int_equal(reference.reason, KH_REASON_FRAGMENT);
	assert_true(reference.addresses && !reference.ports);
	assert_true((uint64_t)reference.destination.first == 2);
	assert_int_equal(reference.protocol, 17);
	assert_int_equal(reference.bytes, 40 + 8 + 12 + 8 + 8 + 9);

	read_text("q q ad 4:192.0.2.1>203.0.113.7 tcp:1024>443", &reference);
	assert_int_equal(reference.reason, KH_REASON_TOO_MANY_TAGS);
	assert_false(reference.addresses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
