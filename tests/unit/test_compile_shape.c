// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an image is made of: which presence bits, blocks, cells and lines a list gives. That its answers are right is told by the other tests.
 */
#include "compile_case.h"

#include <stdlib.h>

#include "common/util.h"

#define DROP KH_ACTION_DROP

static void test_whole_space_costs_no_cells(void **state)
{
	const struct kh_compile_order orders[] = { { range_of("0.0.0.0/0"), 1, 0, 0, 0, DROP },
						   { range_of("::/0"), 2, 0, 0, 0, DROP } };
	struct kh_naive_list list = { orders, 2, NULL, 0 };
	struct kh_image *image = compile_list(&list, 1);

	(void)state;
	assert_int_equal(image->pages, KH_BASE_PAGES + 2); /* a page of empty buckets, and the wide slice of IPv6 */
	kh_image_free(image);
}

static size_t cells_held(const struct kh_image *image)
{
	const struct kh_image_base *base = image->data;
	const uint64_t *cells = (const void *)(base + 1);
	size_t held = 0;

	for (size_t i = 0; i < (size_t)base->header.v4_buckets * KH_CELLS_PER_BUCKET; i++)
		held += cells[i] != 0;
	return held;
}

static void test_a_block_has_the_reference_most_common_in_it(void **state)
{
	const struct kh_compile_order orders[] = {
		{ range_of("198.16.0.0-198.16.42.255"), 1, 0, 0, 0, DROP },
		{ range_of("198.16.43.0-198.16.59.255"), 2, 0, 0, 0, DROP },
		{ range_of("198.16.128.0/24"), 3, 0, 0, 0, DROP },
	};
	struct kh_naive_list list = { orders, KH_ARRAY_SIZE(orders), NULL, 0 };
	struct kh_image *image = compile_list(&list, 1);
	const struct kh_image_base *base = image->data;

	(void)state;
	assert_int_equal(base->v4_common[0xc6100000u >> 14], 1);
	assert_int_equal(base->v4_common[0xc6108000u >> 14], KH_REF_NONE); /* it would cost 63 cells and save one */
	/* the nets of the second order, the four empty ones at the end of their block, and that of the third */
	assert_int_equal(cells_held(image), 17 + 4 + 1);
	kh_image_free(image);
}

/* How many of `count` addresses at this distance pass the presence bits. */
static unsigned int known_of(const struct kh_image *image, uint32_t first, uint32_t distance, uint32_t count)
{
	unsigned int known = 0;

	for (uint32_t i = 0; i < count; i++)
		known += kh_image_may_hold_v4(image, first + i * distance);
	return known;
}

/* What is next to a listed address does not look further: one in 25 at the most (one or two in a hundred do). */
static void test_small_orders_are_known_by_address(void **state)
{
	enum { COUNT = 4096 };
	struct kh_compile_order orders[COUNT];
	struct kh_naive_list list = { orders, COUNT, NULL, 0 };
	struct kh_image *image;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) { /* one in two of them ends some time, one in four has 16 addresses */
		uint32_t address = 0xc6000000u + i * 64;

		orders[i] = (struct kh_compile_order){
			{ address, address | (i % 4 ? 0 : KH_V4_SMALL - 1), 4 }, i + 1, i % 2 * 2000000000u, 0, 0, DROP
		};
	}
	image = compile_list(&list, 1);
	assert_int_equal(known_of(image, 0xc6000000u, 64, COUNT), COUNT);
	assert_int_equal(known_of(image, 0xc6000000u + KH_V4_SMALL - 1, 256, COUNT / 4), COUNT / 4);
	assert_true(known_of(image, 0xc6000000u + KH_V4_SMALL, 64, COUNT) <= COUNT / 25);
	assert_true(known_of(image, 0x0a000000u, 4099, COUNT) <= COUNT / 25);
	kh_image_free(image);
}

/* Larger orders are known by nets, which are as large as the list allows. */
static void test_wide_orders_are_known_by_nets_as_large_as_the_list_allows(void **state)
{
	enum { COUNT = 300 };
	struct kh_compile_order orders[COUNT];

	(void)state;
	for (unsigned int shift = KH_V4_WIDE_SHIFT_MIN; shift <= KH_V4_WIDE_SHIFT_MAX; shift++) {
		struct kh_naive_list list = { orders, COUNT, NULL, 0 };
		struct kh_image *image;

		for (uint32_t i = 0; i < COUNT; i++) {
			uint32_t address = 0xc6000000u + (i << (shift + 1)) + i % 100;

			orders[i] = (struct kh_compile_order){
				{ address, address + KH_V4_SMALL, 4 }, i + 1, 0, 0, 0, DROP
			};
		}
		image = compile_list(&list, 1);
		assert_int_equal(kh_image_header(image)->v4_wide_shift, shift);
		assert_int_equal(kh_image_header(image)->filter_words, 1);
		assert_int_equal(kh_image_check(image->data, image->pages * KH_PAGE_SIZE, NULL), 0);
		for (uint32_t i = 0; i < COUNT; i++) {
			struct kh_range next = orders[i].range;

			next.last = next.first;
			assert_int_equal(kh_image_lookup(image, &next), i + 1);
			next.first = next.last = orders[i].range.last + 1;
			assert_int_equal(kh_image_lookup(image, &next), KH_REF_NONE);
		}
		assert_false(kh_image_may_hold_v4(image, 0xc6000000u - 1));
		assert_false(kh_image_may_hold_v4(image, 0xc6000000u + (COUNT << (shift + 1))));
		kh_image_free(image);
	}
}

/* Too many small orders for the filter: all are known by their nets, and found. */
static void test_a_list_too_long_for_the_filter(void **state)
{
	enum { COUNT = (8u << 18) / KH_V4_SMALL + 1 };
	struct kh_compile_order *orders = calloc(COUNT, sizeof(*orders));
	struct kh_naive_list list = { orders, COUNT, NULL, 0 };

	(void)state;
	assert_non_null(orders);
	for (size_t longer = 0; longer < 2; longer++) {
		struct kh_image *image;

		for (uint32_t i = 0; i < COUNT; i++) {
			uint32_t address = 0xc6000000u + i * 2 * KH_V4_SMALL;

			orders[i] = (struct kh_compile_order){
				{ address, address + KH_V4_SMALL - 1, 4 }, i + 1, 0, 0, 0, DROP
			};
		}
		list.orders_count = COUNT - 1 + longer;
		image = compile_list(&list, 1);
		assert_int_equal(kh_image_header(image)->filter_words, longer ? 1 : KH_FILTER_WORDS);
		assert_true(known_of(image, 0x0a000000u, 4099, 4096) <= (longer ? 0 : 400));
		for (uint32_t i = 0; i < list.orders_count; i++) {
			struct kh_range last = { orders[i].range.last, orders[i].range.last, 4 };

			assert_int_equal(kh_image_lookup(image, &last), i + 1);
			last.first = ++last.last;
			assert_int_equal(kh_image_lookup(image, &last), KH_REF_NONE);
		}
		kh_image_free(image);
	}
	free(orders);
}

/* How many of the /48s first, first + 1 .. of a /32 pass the presence bits. */
static unsigned int known_parts(const struct kh_image *image, uint32_t net, uint32_t first, uint32_t count)
{
	unsigned int known = 0;

	for (uint32_t i = 0; i < count; i++)
		known += kh_image_may_hold_v6(image, (uint64_t)net << 32 | (uint64_t)(first + i) << 16 | i);
	return known;
}

/* A stranger in a listed /32 does not look further; nor one in another. */
static void test_a_listed_provider_is_known_by_its_parts(void **state)
{
	const struct kh_compile_order orders[] = {
		{ range_of("2001:db8:1:8000::/49"), 1, 0, 0, 0, DROP },
		{ range_of("2001:db8:100:ffff::-2001:db8:10f::"), 2, 0, 0, 0, DROP }, /* on 16 /48s */
		{ range_of("2001:db8:8000::-2001:db8:8010:ffff:ffff:ffff:ffff:ffff"), 3, 0, 0, 0,
		  DROP }, /* on 17: by its /40 */
		{ range_of("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 4, 0, 0, 0, DROP },
		{ range_of("2001:db9::/32"), 5, 0, 0, 0, DROP },
		{ range_of("2001:dba::/33"), 6, 0, 0, 0, DROP },
	};
	struct kh_naive_list list = { orders, KH_ARRAY_SIZE(orders), NULL, 0 };
	struct kh_image *image = compile_list(&list, 1);

	(void)state;
	assert_int_equal(known_parts(image, 0x20010db8, 1, 1), 1);
	assert_int_equal(known_parts(image, 0x20010db8, 0x100, 16), 16);
	assert_int_equal(known_parts(image, 0x20010db8, 0x8000, 256), 256);
	assert_int_equal(known_parts(image, 0x20010db8, 0xffff, 1), 1);
	assert_int_equal(known_parts(image, 0x20010db9, 0, 4096), 4096);
	assert_int_equal(known_parts(image, 0x20010dba, 0, 0x8000), 0x8000);
	assert_true(known_parts(image, 0x20010db8, 0x200, 4096) <= 4096 / 25);
	assert_true(known_parts(image, 0x20010dba, 0x8000, 4096) <= 4096 / 25);
	assert_int_equal(known_parts(image, 0x20010dbb, 0, 4096), 0);
	kh_image_free(image);
}

/* More parts than the filter has room for: what is in a listed /32 looks further, and is found. What IPv4 has in the filter comes first. */
static void test_more_parts_than_the_filter_has_room_for(void **state)
{
	enum { COUNT = (8u << 18) / KH_V6_NARROW_MAX };
	struct kh_compile_order *orders = calloc(COUNT + 1, sizeof(*orders));
	struct kh_naive_list list = { orders, COUNT, NULL, 0 };

	(void)state;
	assert_non_null(orders);
	for (uint32_t i = 0; i < COUNT; i++) {
		kh_u128 first = ((kh_u128)0x20010db8 << 96) + ((kh_u128)i << 85); /* /44s, each second one */

		orders[i] = (struct kh_compile_order){
			{ first, first | (((kh_u128)1 << 84) - 1), 6 }, i + 1, 0, 0, 0, DROP
		};
	}
	orders[COUNT] = (struct kh_compile_order){ range_of("198.51.100.7"), COUNT + 1, 0, 0, 0, DROP };
	for (unsigned int more = 0; more < 2; more++) {
		struct kh_image *image;

		list.orders_count = COUNT + more;
		image = compile_list(&list, 1);
		assert_int_equal(kh_image_header(image)->filter_words, more ? 1 : KH_FILTER_WORDS);
		if (more)
			assert_int_equal(known_parts(image, 0x20010db8, 0x10, 16), 16);
		else
			assert_true(known_parts(image, 0x20010db8, 0x10, 16) <= 4);
		assert_true(known_of(image, 0x0a000000u, 4099, 4096) <= 400);
		for (uint32_t i = 0; i < COUNT; i += 97) {
			struct kh_range at = { orders[i].range.last, orders[i].range.last, 6 };

			assert_int_equal(kh_image_lookup(image, &at), i + 1);
			at.first = ++at.last;
			assert_int_equal(kh_image_lookup(image, &at), KH_REF_NONE);
		}
		assert_int_equal(kh_image_lookup(image, &orders[COUNT].range), more ? COUNT + 1 : KH_REF_NONE);
		kh_image_free(image);
	}
	free(orders);
}

static void test_few_whole_nets_leave_all_others_alone(void **state)
{
	const struct kh_compile_order orders[] = {
		{ range_of("2001:db8::/32"), 1, 0, 0, 0, DROP },
		{ range_of("2400::/24"), 2, 0, 0, 0, DROP }, /* 256 of them */
		{ range_of("2600::-2600:0100:ffff:ffff:ffff:ffff:ffff:ffff"), 3, 0, 0, 0, DROP }, /* one more */
	};
	struct kh_naive_list few = { orders, 2, NULL, 0 }, many = { orders, 3, NULL, 0 };
	struct kh_image *image = compile_list(&few, 1);

	(void)state;
	assert_int_equal(kh_image_header(image)->v6_nets, 257);
	assert_int_equal(kh_image_header(image)->v6_wide_lines, 0);
	kh_image_free(image);
	image = compile_list(&many, 1);
	assert_int_equal(kh_image_header(image)->v6_nets, 257);
	assert_int_equal(kh_image_header(image)->v6_wide_lines, 1);
	kh_image_free(image);
}

/* The words of a mid line, of the one /32 with this key. */
static const struct kh_v6_mid *line_of_net(const struct kh_image *image, uint32_t key)
{
	const struct kh_image_header *header = kh_image_header(image);
	const uint8_t *data = image->data;
	const struct kh_v6_net *net = (const void *)(data + (size_t)header->v6_nets_page * KH_PAGE_SIZE);

	while (net->key != key || !net->lines)
		net++;
	assert_int_equal(net->lines, 1);
	return (const struct kh_v6_mid *)(const void *)(data + (size_t)header->v6_mid_page * KH_PAGE_SIZE) + net->first;
}

static const struct kh_v6_lone *lone_of(const struct kh_image *image, uint32_t ref)
{
	const uint8_t *data = image->data;

	assert_int_equal(KH_V6_KIND(ref), KH_V6_LONE);
	return (const struct kh_v6_lone *)(const void *)(data +
							 (size_t)kh_image_header(image)->v6_lone_page * KH_PAGE_SIZE) +
	       (ref & KH_V6_INDEX);
}

/* One among nothing is one entry: with a span, or a lone one. */
static void test_a_prefix_among_nothing_is_one_entry(void **state)
{
	const struct kh_compile_order orders[] = {
		{ range_of("2001:db8:1::/49"), 1, 0, 0, 0, DROP },
		{ range_of("2001:db8:2::5"), 2, 0, 0, 0, DROP },
		{ range_of("2001:db8:3::-2001:db8:3:2:ffff:ffff:ffff:ffff"), 3, 0, 0, 0, DROP }, /* no power of two */
		{ range_of("2001:db8:ffff:ffff::"), 4, 0, 0, 0, DROP }, /* in the last /64 */
	};
	struct kh_naive_list list = { orders, KH_ARRAY_SIZE(orders), NULL, 0 };
	struct kh_image *image = compile_list(&list, 1);
	const struct kh_v6_mid *line = line_of_net(image, 0x20010db8);
	const uint32_t starts[] = { 0x10000, 0x20000, 0x30000, 0x30003, UINT32_MAX };
	const uint32_t refs[] = { 15 << 24 | 1, KH_V6_LONE << 30, 32 << 24 | 3, 32 << 24,
				  KH_V6_LONE << 30 | 32 << 24 | 1 };

	(void)state;
	for (size_t i = 0; i < KH_V6_MIDS; i++) {
		assert_int_equal(line->start[i], starts[i < 4 ? i : 4]);
		assert_int_equal(line->ref[i], refs[i < 4 ? i : 4]); /* what is left over is as the last /64 */
	}
	assert_int_equal(kh_image_header(image)->v6_low_page, kh_image_header(image)->ports_page);
	assert_int_equal(lone_of(image, line->ref[1])->start, 5);
	assert_int_equal(lone_of(image, line->ref[1])->ref, 2);
	assert_int_equal(lone_of(image, line->ref[1])->around, KH_REF_NONE);
	kh_image_free(image);
}

static void test_a_divided_subnet_is_lone_if_it_can_be(void **state)
{
	static const struct {
		const char *orders[3];
		bool lone;
		uint64_t start;
		uint32_t ref, around;
	} subnets[] = {
		{ { "2001:db8::8000:0:0:1" }, true, 0x8000000000000001, 1, 0 },
		{ { "2001:db8::/64", "2001:db8::1:0:0:0/80" }, true, 0x1000000000000, 48 << 24 | 2, 1 },
		{ { "2001:db8::/65", "2001:db8::8000:0:0:0/65" }, true, 0, 63 << 24 | 1, 2 },
		{ { "2001:db8::" }, true, 0, 1, 0 },
		{ { "2001:db8::ffff:ffff:ffff:ffff" }, true, UINT64_MAX, 1, 0 },
		{ { "2001:db8::4-2001:db8::7" }, true, 4, 2 << 24 | 1, 0 },
		{ { "2001:db8::4-2001:db8::6" }, false, 0, 0, 0 },
		{ { "2001:db8::1", "2001:db8::3" }, false, 0, 0, 0 },
		{ { "2001:db8::1-2001:db8::ffff:ffff:ffff:ffff", "2001:db8::" }, true, 0, 2, 1 },
		{ { "2001:db8::3-2001:db8::ffff:ffff:ffff:ffff" }, false, 0, 0, 0 },
		{ { "2001:db8::1", "2001:db8::2-2001:db8::ffff:ffff:ffff:ffff" }, false, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(subnets); i++) {
		struct kh_compile_order orders[3] = {};
		struct kh_naive_list list = { orders, 0, NULL, 0 };
		struct kh_image *image;
		uint32_t ref;

		for (; list.orders_count < 3 && subnets[i].orders[list.orders_count]; list.orders_count++)
			orders[list.orders_count] =
				(struct kh_compile_order){ range_of(subnets[i].orders[list.orders_count]),
							   (uint32_t)list.orders_count + 1,
							   0,
							   0,
							   0,
							   DROP };
		image = compile_list(&list, 1);
		ref = line_of_net(image, 0x20010db8)->ref[0];
		assert_int_equal(KH_V6_KIND(ref), subnets[i].lone ? KH_V6_LONE : KH_V6_LOW);
		assert_int_equal(KH_V6_SPAN(ref), 0);
		assert_int_equal(line_of_net(image, 0x20010db8)->ref[KH_V6_MIDS - 1], KH_REF_NONE);
		if (subnets[i].lone) {
			assert_true(lone_of(image, ref)->start == subnets[i].start);
			assert_int_equal(lone_of(image, ref)->ref, subnets[i].ref);
			assert_int_equal(lone_of(image, ref)->around, subnets[i].around);
		}
		assert_int_equal(kh_image_check(image->data, image->pages * KH_PAGE_SIZE, NULL), 0);
		kh_image_free(image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_space_costs_no_cells),
		cmocka_unit_test(test_a_block_has_the_reference_most_common_in_it),
		cmocka_unit_test(test_small_orders_are_known_by_address),
		cmocka_unit_test(test_wide_orders_are_known_by_nets_as_large_as_the_list_allows),
		cmocka_unit_test(test_a_list_too_long_for_the_filter),
		cmocka_unit_test(test_a_listed_provider_is_known_by_its_parts),
		cmocka_unit_test(test_more_parts_than_the_filter_has_room_for),
		cmocka_unit_test(test_few_whole_nets_leave_all_others_alone),
		cmocka_unit_test(test_a_prefix_among_nothing_is_one_entry),
		cmocka_unit_test(test_a_divided_subnet_is_lone_if_it_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
