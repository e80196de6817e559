// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading addresses at the start of a text: how far, and IPv6 as the C library reads it. Seeded: always the same.
 */
#include "common/address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

static uint32_t random_state;

static uint32_t random_below(size_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % (uint32_t)limit;
}

/* A heap copy without a NUL, so that ASan sees any byte read beyond the length. */
static char *bare(const char *text)
{
	size_t length = strlen(text);
	char *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, text, length);
	return copy;
}

/* A text near the forms of IPv6: groups, colons, an IPv4 address at times, then a few bytes changed. */
static void random_text(char text[static 64])
{
	size_t length = 0;

	for (size_t groups = random_below(9) + 1; groups > 0; groups--) {
		uint32_t kind = random_below(16);

		if (kind == 0)
			length += (size_t)snprintf(text + length, 64 - length, ":");
		else if (kind == 1 && length < 40)
			length += (size_t)snprintf(text + length, 64 - length, "%u.%u.%u.%u", random_below(270),
						   random_below(256), random_below(256), random_below(256));
		else if (length < 56)
			length += (size_t)snprintf(text + length, 64 - length, "%x",
						   random_below(0x11000) >> random_below(16));
		if (groups > 1 && length < 60)
			text[length++] = ':';
		if (groups > 1 && length < 60 && random_below(8) == 0)
			text[length++] = ':';
		text[length] = '\0';
	}
	for (size_t changes = random_below(8); changes > 5 && length > 0; changes--)
		text[random_below(length)] = "0123456789abcdefABCDEF:.g/-% "[random_below(29)];
}

static void test_ipv6_as_the_library_reads_it(void **state)
{
	int accepted = 0;

	(void)state;
	random_state = 20230120;
	for (int i = 0; i < 300000; i++) {
		struct kh_range range, expected;
		uint8_t bytes[16];
		char text[64], *copy KH_CLEANUP(kh_freep) = NULL;
		int result;
		bool valid;

		random_text(text);
		copy = bare(text);
		valid = inet_pton(AF_INET6, text, bytes) == 1;
		result = kh_address_parse(copy, strlen(text), &range);
		if (result == 0 && range.family == 4)
			continue;
		if ((result == 0) != valid)
			fail_msg("%s: %s", text, valid ? "refused" : "accepted");
		accepted += valid;
		if (!valid)
			continue;
		expected = kh_range_from_bytes(bytes, 6);
		assert_int_equal(kh_range_compare(&range, &expected), 0);
	}
	assert_true(accepted > 10000);
}

static void test_scans_as_far_as_the_value_goes(void **state)
{
	static const struct {
		const char *text;
		size_t used;
	} cases[] = {
		{ "203.0.113.7", 11 },
		{ "203.0.113.7 # x", 11 },
		{ "203.0.113.7:80", 11 },
		{ "203.0.113.7.9", 11 },
		{ "203.0.113.0/24,x", 14 },
		{ "203.0.113.1-203.0.113.9\t4", 23 },
		{ "2001:db8::1;", 11 },
		{ "2001:db8::/32", 13 },
		{ "2001:db8::1-2001:db8::9 5", 23 },
		{ "::ffff:203.0.113.7x", 18 },
		{ "203.0.113.70000", 0 },
		{ "203.0.113.7/", 0 },
		{ "203.0.113.7/33", 0 },
		{ "203.0.113.7/240", 0 },
		{ "203.0.113.7/24", 0 },
		{ "203.0.113.7-", 0 },
		{ "203.0.113.7-203.0.113.1", 0 },
		{ "203.0.113.7-2001:db8::1", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		char *copy KH_CLEANUP(kh_freep) = bare(cases[i].text);
		struct kh_range range;

		if (kh_range_scan(copy, strlen(cases[i].text), &range) != cases[i].used)
			fail_msg("%s: %zu bytes", cases[i].text, kh_range_scan(copy, strlen(cases[i].text), &range));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv6_as_the_library_reads_it),
		cmocka_unit_test(test_scans_as_far_as_the_value_goes),
	};

	return cmocka_run_group_tests_name("address_scan", tests, NULL, NULL);
}
