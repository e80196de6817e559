// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bulk lists: sorted, without twins, and found again, against the plainest way to do it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "model/bulk.h"

static uint64_t state = 0x5eed;

static uint64_t random_word(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

static struct kh_range random_range(void)
{
	uint8_t family = random_word() % 4 ? 4 : 6;
	uint8_t bits = family == 4 ? 32 : 128;
	kh_u128 address = (kh_u128)random_word() << 64 | random_word();

	if (random_word() % 2) /* few values, so that there are twins */
		address = (address & 3) << (random_word() % bits);
	if (random_word() % 8 == 0) {
		struct kh_range range = { address & 0xffff, (address & 0xffff) + random_word() % 300, family };

		return range;
	}
	return kh_range_of_prefix(address & kh_address_max(family), (uint8_t)(bits - random_word() % 9), family);
}

#define COUNT 3000

static void test_sorted_without_twins(void **unused)
{
	static struct kh_range ranges[COUNT];
	struct kh_bulk bulk = {};
	int64_t dropped;
	size_t different = 0;
	struct kh_range before = {};

	(void)unused;
	for (uint32_t i = 0; i < COUNT; i++) {
		ranges[i] = random_range();
		assert_int_equal(kh_bulk_add(&bulk, &ranges[i], i + 1), 0);
	}
	dropped = kh_bulk_sort(&bulk);
	for (size_t i = 0; i < COUNT; i++) {
		size_t first = 0;

		while (kh_range_compare(&ranges[first], &ranges[i]) != 0)
			first++;
		different += first == i;
		assert_true(kh_bulk_holds(&bulk, &ranges[i]));
	}
	assert_int_equal(kh_bulk_count(&bulk), different);
	assert_int_equal(dropped, COUNT - different);
	assert_true(dropped > 100);
	for (size_t i = 0; i < kh_bulk_count(&bulk); i++) {
		uint32_t line;
		struct kh_range range = kh_bulk_range(&bulk, i, &line);

		assert_true(i == 0 || kh_range_compare(&before, &range) < 0);
		assert_int_equal(kh_range_compare(&range, &ranges[line - 1]), 0);
		for (uint32_t earlier = 1; earlier < line; earlier++) /* the first line stays */
			assert_true(kh_range_compare(&range, &ranges[earlier - 1]) != 0);
		before = range;
	}
	assert_int_equal(kh_bulk_sort(&bulk), 0);
	kh_bulk_clear(&bulk);
}

static bool is_even_line(const struct kh_range *range, uint32_t line, void *context)
{
	(void)range;
	++*(size_t *)context;
	return line % 2 == 0;
}

static void test_filter(void **unused)
{
	struct kh_bulk bulk = {};
	size_t asked = 0;

	(void)unused;
	for (uint32_t i = 0; i < 100; i++) {
		struct kh_range range = { 1000 + i, 1000 + i, i % 3 ? 4 : 6 };

		assert_int_equal(kh_bulk_add(&bulk, &range, i), 0);
	}
	assert_int_equal(kh_bulk_sort(&bulk), 0);
	kh_bulk_filter(&bulk, is_even_line, &asked);
	assert_int_equal(asked, 100);
	assert_int_equal(kh_bulk_count(&bulk), 50);
	for (uint32_t i = 0; i < 100; i++) {
		struct kh_range range = { 1000 + i, 1000 + i, i % 3 ? 4 : 6 };

		assert_int_equal(kh_bulk_holds(&bulk, &range), i % 2 == 0);
	}
	kh_bulk_clear(&bulk);
}

static void test_addresses_covered(void **unused)
{
	static const struct kh_range ranges[] = {
		{ 0, 255, 4 },	{ 16, 31, 4 }, { 100, 300, 4 }, { 302, 302, 4 }, { 0xffffffff, 0xffffffff, 4 },
		{ 0, 1000, 6 },
	};
	struct kh_bulk bulk = {};

	(void)unused;
	assert_int_equal(kh_bulk_ipv4_addresses(&bulk), 0);
	for (size_t i = 0; i < KH_ARRAY_SIZE(ranges); i++)
		assert_int_equal(kh_bulk_add(&bulk, &ranges[i], 1), 0);
	kh_bulk_sort(&bulk);
	assert_int_equal(kh_bulk_ipv4_addresses(&bulk), 303);
	kh_bulk_clear(&bulk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_without_twins),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_addresses_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
