// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random lists against the naive matcher. Small worlds, so that ranges nest, touch and collide all the time; every border and
 * its neighbours are probed at many moments. Seeded; KH_TEST_LISTS asks for more lists. For large ones see test_compile_scale.c.
 */
#include "compile_case.h"

#include <stdlib.h>

#define ORDERS_MAX 120
#define HOLES_MAX 8
#define DEADLINES 12
#define PORTS 3

struct random_list {
	uint64_t random;
	struct kh_compile_order orders[ORDERS_MAX];
	struct kh_range holes[HOLES_MAX];
	struct kh_naive_list list;
};

static size_t number_from(const char *variable, size_t otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

/* ---- Small worlds ---------------------------------------------------------------------------- */

/* Where lists live: both ends of the space, the borders of the levels of an image, and somewhere. */
static kh_u128 random_base(uint64_t *random, uint8_t family)
{
	static const uint32_t v4[] = { 0, UINT32_MAX, 0xc0000200, 0xc0003fff, 0xc0004000, 0x7fffffff };
	static const uint64_t v6[] = { 0, UINT64_MAX, 0x20010db800000000, 0x20010db8ffffffff, 0x20010db8000000ff };
	uint32_t choice = random_below(random, 6);

	if (family == 4)
		return v4[choice];
	if (choice == 5)
		return (kh_u128)v6[random_below(random, KH_ARRAY_SIZE(v6))] << 64 | UINT64_MAX;
	return (kh_u128)v6[choice] << 64 | random_below(random, 2);
}

static kh_u128 random_address(uint64_t *random, uint8_t family)
{
	static const unsigned int shifts_v6[] = { 0, 0, 8, 60, 64, 64, 92, 96 };
	unsigned int shift = family == 4 ? random_below(random, 12) : shifts_v6[random_below(random, 8)];
	kh_u128 base = random_base(random, family), offset = (kh_u128)random_below(random, 16) << shift;

	return (random_below(random, 2) ? base + offset : base - offset) & kh_address_max(family);
}

static struct kh_range random_range(uint64_t *random, uint8_t family)
{
	kh_u128 first = random_address(random, family), last;
	uint8_t width = family == 4 ? 32 : 128, wild = random_below(random, 40) == 0;
	uint32_t kind = random_below(random, 8);

	if (kind < 3)
		return (struct kh_range){ first, first, family };
	if (kind < 7) {
		uint32_t host_bits =
			wild ? random_below(random, width + 1u) : random_below(random, family == 4 ? 12 : 100);

		return kh_range_of_prefix(first, (uint8_t)(width - host_bits), family);
	}
	last = wild ? random_address(random, family) : first + random_below(random, 600);
	last &= kh_address_max(family);
	return first <= last ? (struct kh_range){ first, last, family } : (struct kh_range){ last, first, family };
}

static uint32_t random_deadline(uint64_t *random)
{
	uint32_t deadline = random_below(random, DEADLINES + 1);

	return deadline == DEADLINES ? UINT32_MAX : deadline;
}

static void random_order(struct random_list *list, struct kh_compile_order *order, bool deadlines)
{
	uint64_t *random = &list->random;
	uint8_t family = random_below(random, 2) ? 4 : 6;

	*order = (struct kh_compile_order){ .range = random_range(random, family),
					    .slot = 1 + random_below(random, ORDERS_MAX) };
	if (random_below(random, 3) == 0)
		order->action = KH_ACTION_MONITOR;
	if (deadlines && random_below(random, 4))
		order->deadline = random_deadline(random);
	if (random_below(random, 4) == 0) {
		order->range.last = order->range.first;
		order->port = (uint16_t)(1 + random_below(random, PORTS));
		order->protocol = (uint8_t[]){ 0, 6, 17 }[random_below(random, 3)];
	}
}

static void random_list(struct random_list *list, uint64_t seed)
{
	bool deadlines;

	list->random = seed;
	deadlines = random_below(&list->random, 4);
	list->list = (struct kh_naive_list){ list->orders, random_below(&list->random, ORDERS_MAX), list->holes,
					     random_below(&list->random, HOLES_MAX) };
	for (size_t i = 0; i < list->list.orders_count; i++)
		random_order(list, &list->orders[i], deadlines);
	for (size_t i = 0; i < list->list.holes_count; i++)
		list->holes[i] = random_range(&list->random, random_below(&list->random, 2) ? 4 : 6);
}

/* By address and by one port at two moments, one of them without deadlines to speak of. */
static void probe(struct random_list *list, const struct kh_image *image, kh_u128 address, uint8_t family)
{
	struct kh_naive_query query = { .address = { address, address, family } };

	if (address > kh_address_max(family))
		return;
	for (int i = 0; i < 2; i++) {
		query.now =
			i ? random_below(&list->random, DEADLINES + 1) : UINT32_MAX - random_below(&list->random, 2);
		query.port = 0;
		compare_with_naive(image, &list->list, &query);
		query.port = (uint16_t)(1 + random_below(&list->random, PORTS));
		query.protocol = random_below(&list->random, 2) ? 6 : 17;
		compare_with_naive(image, &list->list, &query);
	}
}

static void probe_borders(struct random_list *list, const struct kh_image *image, const struct kh_range *range)
{
	probe(list, image, range->first, range->family);
	probe(list, image, range->first - 1, range->family);
	probe(list, image, range->last, range->family);
	probe(list, image, range->last + 1, range->family);
	probe(list, image, range->last - 1, range->family);
}

static void test_small_lists(void **state)
{
	size_t lists = number_from("KH_TEST_LISTS", 400);
	struct random_list list;

	(void)state;
	for (size_t seed = 1; seed <= lists; seed++) {
		struct kh_error error = {};
		struct kh_image *image;

		random_list(&list, seed);
		image = compile_list(&list.list, seed);
		if (kh_image_check(image->data, image->pages * KH_PAGE_SIZE, &error) < 0)
			fail_msg("list %zu: %s", seed, error.text);
		for (size_t i = 0; i < list.list.orders_count; i++)
			probe_borders(&list, image, &list.orders[i].range);
		for (size_t i = 0; i < list.list.holes_count; i++)
			probe_borders(&list, image, &list.holes[i]);
		for (int i = 0; i < 100; i++) {
			uint8_t family = i & 1 ? 4 : 6;

			probe(&list, image, random_address(&list.random, family), family);
		}
		kh_image_free(image);
	}
}

/* ---- Bulk lists: the same image as from as many orders ------------------------------------------------ */

#define LISTS_MAX 3

/* A list of random values, and the orders that it stands for. Returns how many. */
static size_t random_bulk(struct random_list *list, struct kh_compile_list *ret_list, struct kh_bulk *bulk,
			  uint64_t *left_out, uint32_t first_slot, struct kh_compile_order *ret_orders)
{
	struct kh_compile_list made = { .values = bulk,
					.left_out = random_below(&list->random, 2) ? left_out : NULL,
					.first_slot = first_slot,
					.deadline = random_below(&list->random, 2) ? random_deadline(&list->random) : 0,
					.action = random_below(&list->random, 3) == 0 };
	uint32_t values = random_below(&list->random, 60);
	size_t count = 0;

	for (uint32_t i = 0; i < values; i++) {
		struct kh_range range = random_range(&list->random, random_below(&list->random, 2) ? 4 : 6);

		assert_int_equal(kh_bulk_add(bulk, &range, i), 0);
	}
	assert_true(kh_bulk_sort(bulk) >= 0);
	for (size_t i = 0; i < kh_bulk_count(bulk); i++) {
		uint32_t line;

		if (random_below(&list->random, 4) == 0)
			left_out[i / 64] |= 1ull << i % 64;
		if (made.left_out && (left_out[i / 64] >> i % 64 & 1))
			continue;
		ret_orders[count++] = (struct kh_compile_order){ .range = kh_bulk_range(bulk, i, &line),
								 .slot = first_slot + (uint32_t)i,
								 .deadline = made.deadline,
								 .action = made.action };
	}
	*ret_list = made;
	return count;
}

static void test_bulk_lists(void **state)
{
	static struct random_list list;
	static struct kh_compile_order all[ORDERS_MAX + LISTS_MAX * 64];
	size_t seeds = number_from("KH_TEST_LISTS", 400);

	(void)state;
	for (size_t seed = 1; seed <= seeds; seed++) {
		struct kh_compile_list lists[LISTS_MAX];
		struct kh_bulk bulks[LISTS_MAX] = {};
		uint64_t left_out[LISTS_MAX][1] = {};
		struct kh_image *from_orders = NULL, *from_lists = NULL;
		struct kh_compile_input input = { .lists = lists };
		struct kh_error error = {};
		size_t count;

		random_list(&list, seed);
		input.orders = list.orders;
		input.orders_count = count = list.list.orders_count;
		input.holes = list.holes;
		input.holes_count = list.list.holes_count;
		memcpy(all, list.orders, count * sizeof(all[0]));
		input.lists_count = random_below(&list.random, LISTS_MAX + 1);
		for (size_t i = 0; i < input.lists_count; i++)
			count += random_bulk(&list, &lists[i], &bulks[i], left_out[i], 1000 + 64 * (uint32_t)i,
					     all + count);
		if (kh_compile_all(&input, seed, &from_lists, &error) < 0 ||
		    kh_compile(all, count, list.holes, list.list.holes_count, seed, &from_orders, &error) < 0)
			fail_msg("list %zu: %s", seed, error.text);
		/* a list has slots for what it leaves out, too: those are looked at, not the rest of the header */
		assert_int_equal(from_lists->pages, from_orders->pages);
		if (memcmp((const char *)from_lists->data + KH_PAGE_SIZE,
			   (const char *)from_orders->data + KH_PAGE_SIZE, (from_lists->pages - 1) * KH_PAGE_SIZE) != 0)
			fail_msg("list %zu: another image", seed);
		assert_true(kh_image_header(from_lists)->slots_needed >= kh_image_header(from_orders)->slots_needed);
		assert_int_equal(kh_image_header(from_lists)->indicators_v4,
				 kh_image_header(from_orders)->indicators_v4);
		assert_int_equal(kh_image_header(from_lists)->indicators_v6,
				 kh_image_header(from_orders)->indicators_v6);
		kh_image_free(from_lists);
		kh_image_free(from_orders);
		for (size_t i = 0; i < LISTS_MAX; i++)
			kh_bulk_clear(&bulks[i]);
	}
}

/* ---- Lists made to hurt ------------------------------------------------------------------------ */

static void compare_large(struct kh_compile_order *orders, size_t count, uint64_t random, size_t probes)
{
	const struct kh_range holes[] = { range_of("10.0.0.0/8"), range_of("fe80::/10"), range_of("2000::/16"),
					  range_of("128.0.0.0/4") };
	struct kh_naive_list list = { orders, count, holes, KH_ARRAY_SIZE(holes) };
	struct kh_image *image = compile_list(&list, 1);
	struct kh_error error = {};

	if (kh_image_check(image->data, image->pages * KH_PAGE_SIZE, &error) < 0)
		fail_msg("%s", error.text);
	for (size_t i = 0; i < probes; i++) {
		const struct kh_compile_order *order = &orders[random_below(&random, (uint32_t)count)];
		struct kh_naive_query query = { .address = order->range, .now = random_below(&random, DEADLINES) };
		uint32_t kind = random_below(&random, 4);

		query.address.first =
			(kind & 1 ? order->range.first : order->range.last) + (kind >> 1) - random_below(&random, 2);
		query.address.first &= kh_address_max(query.address.family);
		query.address.last = query.address.first;
		compare_with_naive(image, &list, &query);
		query.port = 443;
		query.protocol = order->protocol ? order->protocol : 6;
		compare_with_naive(image, &list, &query);
	}
	kh_image_free(image);
}

/* Orders that all cover one address, each inside the next; with `rising`, each inside one that lives longer. */
static void compare_deep_nesting(bool rising, uint64_t random)
{
	size_t count = 1000;
	struct kh_compile_order *orders = calloc(count, sizeof(*orders));

	assert_non_null(orders);
	for (size_t i = 0; i < count; i++) {
		uint8_t family = i & 1 ? 4 : 6;
		kh_u128 middle = kh_address_max(family) / 2, room = middle / count;

		orders[i].range = (struct kh_range){ middle - room * i, middle + room * i, family };
		orders[i].slot = (uint32_t)i + 1;
		orders[i].action = (uint8_t)random_below(&random, 2) || (rising && i > count / 2);
		if (rising)
			orders[i].deadline = 1 + (uint32_t)(i * (DEADLINES - 1) / count);
		else /* some monitors end with the drops, some after them */
			orders[i].deadline =
				1 + random_below(&random, orders[i].action == KH_ACTION_MONITOR ? DEADLINES : 4);
	}
	compare_large(orders, count, random, 600);
	free(orders);
}

static void test_deep_nesting(void **state)
{
	(void)state;
	compare_deep_nesting(false, 3);
	compare_deep_nesting(true, 4);
}

/* Orders that overlap their neighbours and hide nobody. */
static void test_long_overlaps(void **state)
{
	size_t count = 20000;
	struct kh_compile_order *orders = calloc(count, sizeof(*orders));
	uint64_t random = 4;

	(void)state;
	assert_non_null(orders);
	for (size_t i = 0; i < count; i++) {
		uint32_t first = random_below(&random, 0x80000000), size = random_below(&random, 0x80000000);

		orders[i].range = (struct kh_range){ first, first + size, 4 };
		orders[i].slot = (uint32_t)i + 1;
		orders[i].deadline = random_below(&random, 2) ? 1 + random_below(&random, DEADLINES) : 0;
		orders[i].action = i & 1;
	}
	compare_large(orders, count, random, 300);
	free(orders);
}

/* One /32 with more /64s than a page holds, and one /64 with more addresses: slices of several pages. */
static void test_slices_longer_than_a_page(void **state)
{
	size_t count = 6000;
	struct kh_compile_order *orders = calloc(count, sizeof(*orders));
	const kh_u128 net = range_of("2001:db8::").first, wide = range_of("2400::").first;

	(void)state;
	assert_non_null(orders);
	for (size_t i = 0; i < count; i++) {
		kh_u128 step = 3 * (i / 3);
		kh_u128 address = i % 3 == 0   ? net + (step << 64)
				  : i % 3 == 1 ? net + ((kh_u128)1 << 64) + step
					       : wide + (step << 96);
		uint8_t length = i % 3 == 0 ? 64 : i % 3 == 1 ? 128 : 32;

		orders[i].range = kh_range_of_prefix(address, length, 6);
		orders[i].slot = (uint32_t)i + 1;
	}
	compare_large(orders, count, 5, 2000);
	free(orders);
}

/* Every key of a full hash is within reach, and what is not there is not found. */
static void check_full_hash(size_t count, uint32_t base, uint32_t buckets)
{
	struct kh_compile_order *orders = calloc(count, sizeof(*orders));
	struct kh_naive_list list = { orders, count, NULL, 0 };
	struct kh_image *image;

	assert_non_null(orders);
	for (size_t i = 0; i < count; i++) {
		orders[i].range = (struct kh_range){ base + i, base + i, 4 };
		orders[i].slot = (uint32_t)i + 1;
		orders[i].port = 443; /* for both protocols: two entries */
	}
	image = compile_list(&list, 1);
	assert_int_equal(kh_image_header(image)->ports_mask + 1, buckets);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(kh_image_lookup_port(image, &orders[i].range, 443, 17), i + 1);
		assert_int_equal(kh_image_lookup_port(image, &orders[i].range, 443, 6), i + 1);
		assert_int_equal(kh_image_lookup_port(image, &orders[i].range, 444, 6), 0);
	}
	kh_image_free(image);
	free(orders);
}

static void test_full_hashes(void **state)
{
	(void)state;
	check_full_hash(30000, 0x01000000, 65536); /* nearly half full */
	check_full_hash(87381, 0x01000000, 131072); /* two thirds; the first seed leaves some out of reach */
	check_full_hash(87381, 0x03000000, 131072);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_lists),
		cmocka_unit_test(test_bulk_lists),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_long_overlaps),
		cmocka_unit_test(test_slices_longer_than_a_page),
		cmocka_unit_test(test_full_hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
