/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses, prefixes and ranges: what is accepted, what is refused, how it is printed, and the arithmetic at both ends.
 */
#include "common/address.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

/* A heap copy without a NUL, so that ASan sees any byte read beyond the length. */
static char *bare(const char *text)
{
	size_t length = strlen(text);
	char *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, text, length);
	return copy;
}

static int parse_address(const char *text, struct kh_range *ret_range)
{
	char *copy KH_CLEANUP(kh_freep) = bare(text);

	return kh_address_parse(copy, strlen(text), ret_range);
}

static int parse_range(const char *text, struct kh_range *ret_range)
{
	char *copy KH_CLEANUP(kh_freep) = bare(text);

	return kh_range_parse(copy, strlen(text), ret_range);
}

static struct kh_range must(const char *text)
{
	struct kh_range range = { 0 };

	if (parse_range(text, &range) < 0)
		fail_msg("%s is refused", text);
	return range;
}

static void test_accepts(void **state)
{
	static const struct {
		const char *text, *canonical; /* NULL: the same */
	} rows[] = {
		{ "0.0.0.0", NULL },
		{ "255.255.255.255", NULL },
		{ "203.0.113.7", NULL },
		{ "10.0.0.100", NULL },
		{ "::", NULL },
		{ "::1", NULL },
		{ "1::", NULL },
		{ "2001:DB8::1", "2001:db8::1" },
		{ "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" }, /* the first of two equal runs */
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" }, /* the longer one */
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" }, /* one zero group is not shortened */
		{ "2001:db8::0:1:1:1:1", "2001:db8::1:1:1:1" },
		{ "0:0:1:1:1:1:0:0", "::1:1:1:1:0:0" },
		{ "1:0:0:0:0:0:0:0", "1::" },
		{ "::ffff:192.0.2.1", NULL },
		{ "::ffff:c000:201", "::ffff:192.0.2.1" },
		{ "0:0:0:0:0:FFFF:0.0.0.0", "::ffff:0.0.0.0" },
		{ "::192.0.2.1", "::c000:201" }, /* IPv4-compatible is deprecated: no dots */
		{ "::1:2", NULL },
		{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
		{ "::ffff:0:192.0.2.1", "::ffff:0:c000:201" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		char text[KH_RANGE_TEXT];
		struct kh_range range;

		if (parse_address(rows[i].text, &range) < 0)
			fail_msg("%s is refused", rows[i].text);
		assert_true(range.first == range.last);
		assert_int_equal(range.family, strchr(rows[i].text, ':') ? 6 : 4);
		assert_string_equal(kh_range_format(&range, text),
				    rows[i].canonical ? rows[i].canonical : rows[i].text);
	}
}

static void test_refuses_addresses(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		".",
		"1",
		"1.2.3",
		"1.2.3.",
		".1.2.3",
		"1..2.3",
		"1.2.3.4.5",
		"1.2.3.4.",
		"1.2.3.256",
		"1.2.3.999",
		"1.2.3.4294967297",
		"01.2.3.4",
		"1.2.3.04",
		"1.2.3.00",
		"1.2.3.007",
		"0x1.2.3.4",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.-4",
		"+1.2.3.4",
		"1.2.3.4\n",
		"1,2,3,4",
		"1.2.3.a",
		"16909060",
		"1.2.3.4/32",
		"1.2.3.4-1.2.3.5",
		":",
		":::",
		"1:2",
		"1::2::3",
		"12345::",
		"00001::",
		"g::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7:8::",
		":1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:",
		"fe80::1%eth0",
		"::1%1",
		"[::1]",
		"::ffff:1.2.3",
		"::ffff:01.2.3.4",
		"::ffff:1.2.3.256",
		"::1.2.3.4.5",
		"1.2.3.4::",
		"::1 ",
		" ::1",
		"2001:db8::1/64",
		"0000:0000:0000:0000:0000:0000:255.255.255.2550",
		"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0001",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		struct kh_range range = { .first = 42, .last = 43, .family = 4 };

		if (parse_address(rows[i], &range) != -EINVAL)
			fail_msg("\"%s\" is accepted", rows[i]);
		assert_true(range.first == 42 && range.last == 43); /* unchanged */
	}
}

/* A NUL inside the length is a byte like any other, and no digit. */
static void test_refuses_embedded_nul(void **state)
{
	static const char v4[] = "1.2.3.4\0005", v6[] = "::1\0::2";
	struct kh_range range;

	(void)state;
	assert_int_equal(kh_address_parse(v4, sizeof(v4) - 1, &range), -EINVAL);
	assert_int_equal(kh_address_parse(v6, sizeof(v6) - 1, &range), -EINVAL);
	assert_int_equal(kh_address_parse("1.2.3.45", 7, &range), 0);
	assert_true(range.first == 0x01020304);
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *text;
		const char *first, *last;
		enum kh_host_bits host_bits;
	} rows[] = {
		{ "0.0.0.0/0", "0.0.0.0", "255.255.255.255", KH_HOST_BITS_NONE },
		{ "128.0.0.0/1", "128.0.0.0", "255.255.255.255", KH_HOST_BITS_NONE },
		{ "10.1.2.3/8", "10.0.0.0", "10.255.255.255", KH_HOST_BITS_SET },
		{ "203.0.113.0/24", "203.0.113.0", "203.0.113.255", KH_HOST_BITS_NONE },
		{ "203.0.113.1/24", "203.0.113.0", "203.0.113.255", KH_HOST_BITS_SET },
		{ "255.255.255.255/32", "255.255.255.255", "255.255.255.255", KH_HOST_BITS_NONE },
		{ "0.0.0.1/31", "0.0.0.0", "0.0.0.1", KH_HOST_BITS_SET },
		{ "1.0.0.0/0", "0.0.0.0", "255.255.255.255", KH_HOST_BITS_SET },
		{ "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", KH_HOST_BITS_NONE },
		{ "2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", KH_HOST_BITS_NONE },
		{ "2001:db8::1/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", KH_HOST_BITS_SET },
		{ "2001:db8::8000:0:0:0/65", "2001:db8:0:0:8000::", "2001:db8::ffff:ffff:ffff:ffff",
		  KH_HOST_BITS_NONE },
		{ "::1/128", "::1", "::1", KH_HOST_BITS_NONE },
		{ "::1/127", "::", "::1", KH_HOST_BITS_SET },
		{ "::ffff:0.0.0.0/96", "::ffff:0.0.0.0", "::ffff:255.255.255.255", KH_HOST_BITS_NONE },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		char *copy KH_CLEANUP(kh_freep) = bare(rows[i].text);
		enum kh_host_bits host_bits;
		struct kh_range range, first = must(rows[i].first), last = must(rows[i].last);

		if (kh_prefix_parse(copy, strlen(rows[i].text), &range, &host_bits) < 0)
			fail_msg("%s is refused", rows[i].text);
		if (range.first != first.first || range.last != last.first || host_bits != rows[i].host_bits)
			fail_msg("%s is understood wrongly", rows[i].text);
		assert_int_equal(parse_range(rows[i].text, &range), host_bits == KH_HOST_BITS_SET ? -EINVAL : 0);
	}
}

static void test_refuses_prefixes_and_ranges(void **state)
{
	static const char *const rows[] = {
		"1.2.3.0/",
		"/24",
		"1.2.3.0/33",
		"1.2.3.0/024",
		"1.2.3.0/00",
		"1.2.3.0/+8",
		"1.2.3.0/-1",
		"1.2.3.0/8 ",
		"1.2.3.0//8",
		"1.2.3.0/24/24",
		"1.2.3.0/255.255.255.0",
		"1.2.3.0/1000",
		"1.2.3/24",
		"::/129",
		"::/256",
		"::/0x40",
		"::/",
		"1.2.3.4-",
		"-1.2.3.4",
		"1.2.3.4-1.2.3.3",
		"1.2.3.4-::1",
		"::1-1.2.3.4",
		"::2-::1",
		"1.2.3.4--1.2.3.5",
		"1.2.3.4 - 1.2.3.5",
		"1.2.3.4-1.2.3.5-1.2.3.6",
		"1.2.3.4-5",
		"1.2.3.0/24-1.2.4.0/24",
		"-",
		"1.2.3.1/24",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		struct kh_range range = { .first = 42 };

		if (parse_range(rows[i], &range) != -EINVAL)
			fail_msg("\"%s\" is accepted", rows[i]);
		assert_true(range.first == 42);
	}
}

static void test_range_forms(void **state)
{
	static const struct {
		const char *text, *canonical;
	} rows[] = {
		{ "203.0.113.1-203.0.113.9", "203.0.113.1-203.0.113.9" },
		{ "203.0.113.0-203.0.113.255", "203.0.113.0/24" },
		{ "203.0.113.7-203.0.113.7", "203.0.113.7" },
		{ "203.0.113.7/32", "203.0.113.7" },
		{ "0.0.0.0-255.255.255.255", "0.0.0.0/0" },
		{ "0.0.0.0-255.255.255.254", "0.0.0.0-255.255.255.254" },
		{ "203.0.113.1-203.0.113.2", "203.0.113.1-203.0.113.2" }, /* two addresses, but not aligned */
		{ "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0" },
		{ "2001:db8::-2001:db8::ffff", "2001:db8::/112" },
		{ "2001:db8::1-2001:db8::ffff", "2001:db8::1-2001:db8::ffff" },
		{ "::1/128", "::1" },
		{ "::ffff:192.0.2.0/120", "::ffff:192.0.2.0/120" },
		{ "1111:1111:1111:1111:1111:1111:1111:1111-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
		  "1111:1111:1111:1111:1111:1111:1111:1111-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe" },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		struct kh_range range = must(rows[i].text);
		char text[KH_RANGE_TEXT];

		assert_string_equal(kh_range_format(&range, text), rows[i].canonical);
	}
}

static void test_prefix_arithmetic(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		uint8_t bits = family == 4 ? 32 : 128;
		kh_u128 max = kh_address_max((uint8_t)family);

		for (uint8_t length = 0; length <= bits; length++) {
			struct kh_range top = kh_range_of_prefix(max, length, (uint8_t)family);
			struct kh_range bottom = kh_range_of_prefix(0, length, (uint8_t)family);

			assert_int_equal(kh_range_prefix_length(&top), length);
			assert_int_equal(kh_range_prefix_length(&bottom), length);
			assert_true(top.last == max);
			assert_true(bottom.first == 0);
			assert_true(top.last - top.first == bottom.last);
			if (length && length < bits)
				assert_true(bottom.last == (max >> length));
			assert_true(length == 0 ? top.first == 0 : bottom.last < top.first);
		}
	}
	assert_true(kh_address_max(4) == UINT32_MAX);
	assert_true(kh_address_max(6) + 1 == 0);
}

static void test_mapped_bytes(void **state)
{
	struct kh_range v4 = must("203.0.113.7"), v6 = must("2001:db8::cb00:7107"), mapped = must("::ffff:203.0.113.7"),
			back;
	uint8_t bytes[16];

	(void)state;
	kh_range_to_mapped(&v4, bytes);
	assert_memory_equal(bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xcb\0\x71\x07", 16);
	back = kh_range_from_mapped(bytes);
	assert_int_equal(kh_range_compare(&back, &v4), 0);
	kh_range_to_mapped(&mapped, bytes); /* the same sixteen bytes: it is the same machine */
	back = kh_range_from_mapped(bytes);
	assert_int_equal(kh_range_compare(&back, &v4), 0);
	kh_range_to_mapped(&v6, bytes);
	assert_memory_equal(bytes, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\xcb\0\x71\x07", 16);
	back = kh_range_from_mapped(bytes);
	assert_int_equal(kh_range_compare(&back, &v6), 0);
	back = kh_range_from_bytes("\xcb\0\x71\x07", 4);
	assert_int_equal(kh_range_compare(&back, &v4), 0);
}

static void test_relations(void **state)
{
	struct kh_range wide = must("203.0.113.0/24"), inside = must("203.0.113.9"),
			end = must("203.0.113.255-203.0.114.0");
	struct kh_range after = must("203.0.114.0/24"), all = must("0.0.0.0/0"), v6 = must("::/0"),
			low = must("::cb00:7109");

	(void)state;
	assert_true(kh_range_contains(&wide, &inside) && kh_range_contains(&wide, &wide) &&
		    kh_range_contains(&all, &wide));
	assert_false(kh_range_contains(&inside, &wide));
	assert_false(kh_range_contains(&wide, &end));
	assert_false(kh_range_contains(&v6, &inside)); /* another family */
	assert_false(kh_range_contains(&wide, &low));
	assert_true(kh_range_overlaps(&wide, &end) && kh_range_overlaps(&end, &wide) &&
		    kh_range_overlaps(&end, &after));
	assert_false(kh_range_overlaps(&wide, &after));
	assert_false(kh_range_overlaps(&after, &wide));
	assert_false(kh_range_overlaps(&all, &v6));
	assert_true(kh_range_compare(&all, &v6) < 0);
	assert_true(kh_range_compare(&v6, &all) > 0);
	assert_true(kh_range_compare(&wide, &after) < 0);
	assert_true(kh_range_compare(&all, &wide) < 0);
	assert_int_equal(kh_range_compare(&wide, &wide), 0);
	wide = must("10.0.0.0/8");
	inside = must("10.0.0.0/9");
	assert_true(kh_range_compare(&wide, &inside) < 0); /* the enclosing one first */
	assert_true(kh_range_compare(&inside, &wide) > 0);
}

/* splitmix64 (Steele, Lea, Flood 2014), seeded: the same values in every run. */
static uint64_t next_random(uint64_t *seed)
{
	uint64_t mixed = *seed += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

/* Often zero groups and small ones, so that shortening is met. */
static kh_u128 random_address(uint64_t *seed, uint8_t family)
{
	kh_u128 address = 0;

	for (int group = 0; group < 8; group++) {
		uint64_t value = next_random(seed);

		address = address << 16 | (value >> 32 & 3 ? (value & 0xffff) >> (value >> 40 & 15) : 0);
	}
	return address & kh_address_max(family);
}

static void test_round_trip(void **state)
{
	uint64_t seed = 20230121;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint8_t family = next_random(&seed) & 1 ? 4 : 6, bits = family == 4 ? 32 : 128;
		struct kh_range range = { .first = random_address(&seed, family), .family = family }, back;
		char text[KH_RANGE_TEXT], again[KH_RANGE_TEXT];

		range.last = range.first;
		if (i % 3 == 1) {
			range = kh_range_of_prefix(range.first, (uint8_t)(next_random(&seed) % (bits + 1u)), family);
		} else if (i % 3 == 2) {
			range.last = random_address(&seed, family);
			if (range.last < range.first) {
				kh_u128 swap = range.first;

				range.first = range.last;
				range.last = swap;
			}
		}
		kh_range_format(&range, text);
		if (parse_range(text, &back) < 0 || kh_range_compare(&back, &range))
			fail_msg("%s does not come back", text);
		assert_string_equal(kh_range_format(&back, again), text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_refuses_addresses),
		cmocka_unit_test(test_refuses_embedded_nul),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_refuses_prefixes_and_ranges),
		cmocka_unit_test(test_range_forms),
		cmocka_unit_test(test_prefix_arithmetic),
		cmocka_unit_test(test_mapped_bytes),
		cmocka_unit_test(test_relations),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
