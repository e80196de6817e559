// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Thousands of small lists made to hurt, and lists of 10,000 to 1,000,000 orders, against the naive matcher, every border at many moments.
 * KH_TEST_LISTS asks for more small lists, KH_TEST_SCALE for one larger list, KH_TEST_PROBES for more addresses on each large one.
 */
#include "compile_case.h"

#include <stdlib.h>

#include "nearby.h"
#include "worlds.h"

#define BASE 1700000000u
#define ORDERS_MAX 40

static size_t number_from(const char *variable, size_t otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static struct kh_image *compile_world(const struct kh_world *world, const char *name, uint64_t number)
{
	struct kh_image *image = compile_list(&world->list, number);
	struct kh_error error = {};

	if (kh_image_check(image->data, image->pages * KH_PAGE_SIZE, &error) < 0)
		fail_msg("%s, list %lu: %s", name, (unsigned long)number, error.text);
	return image;
}

/* By address and by a port, before, while and after orders end. */
static void probe(const struct kh_image *image, const struct kh_naive_list *list, const struct kh_range *address,
		  uint64_t *random)
{
	static const uint16_t ports[] = { 1, 2, 3, 443 };
	struct kh_naive_query query = { .address = *address };

	for (int i = 0; i < 2; i++) {
		query.now = BASE + kh_world_below(random, KH_WORLD_MOMENTS + 2);
		query.port = 0;
		compare_with_naive(image, list, &query);
		query.port = ports[kh_world_below(random, 4)];
		query.protocol = kh_world_below(random, 2) ? 6 : 17;
		compare_with_naive(image, list, &query);
	}
}

static void probe_borders(const struct kh_image *image, const struct kh_naive_list *list, const struct kh_range *range,
			  uint64_t *random)
{
	kh_u128 max = kh_address_max(range->family);
	const kh_u128 places[] = { range->first - 1, range->first, range->first + 1,
				   range->last - 1,  range->last,  range->last + 1 };

	for (size_t i = 0; i < KH_ARRAY_SIZE(places); i++)
		probe(image, list, &(struct kh_range){ places[i] & max, places[i] & max, range->family }, random);
}

/* ---- Small lists --------------------------------------------------------------------------------- */

static void test_lists_made_to_hurt(void **state)
{
	size_t lists = number_from("KH_TEST_LISTS", 100);

	(void)state;
	for (enum kh_world_kind kind = 0; kind < KH_WORLD_SMALL; kind++) {
		for (uint64_t seed = 1; seed <= lists; seed++) {
			struct kh_world world;
			struct kh_image *image;
			uint64_t random = seed;

			assert_true(kh_world_make(kind, ORDERS_MAX, seed, BASE, &world));
			image = compile_world(&world, kh_world_names[kind], seed);
			for (size_t i = 0; i < world.list.orders_count; i++)
				probe_borders(image, &world.list, &world.orders[i].range, &random);
			for (size_t i = 0; i < world.list.holes_count; i++)
				probe_borders(image, &world.list, &world.holes[i], &random);
			for (int i = 0; i < 60; i++) {
				struct kh_range address = kh_world_address(&world, &random, i & 1 ? 4 : 6);

				probe(image, &world.list, &address, &random);
			}
			kh_image_free(image);
			kh_world_clear(&world);
		}
	}
}

/* ---- Large lists --------------------------------------------------------------------------------- */

/* The quick way to the orders near an address finds what the scan over all finds. */
static void check_nearby(const struct kh_naive_list *list, const struct kh_naive_list *near,
			 const struct kh_range *address, uint64_t *random)
{
	struct kh_naive_query query = { .address = *address,
					.now = BASE + kh_world_below(random, KH_WORLD_MOMENTS + 2) };

	for (int i = 0; i < 2; i++) {
		struct kh_naive_verdict whole = kh_naive_match(list, &query), quick = kh_naive_match(near, &query);

		assert_int_equal(whole.slot, quick.slot);
		assert_int_equal(whole.action, quick.action);
		query.port = 443;
		query.protocol = 6;
	}
}

static void compare_large(enum kh_world_kind kind, size_t count)
{
	size_t probes = number_from("KH_TEST_PROBES", 40000), hits = 0;
	uint64_t random = count;
	struct kh_nearby *nearby;
	struct kh_world world;
	struct kh_image *image;

	assert_true(kh_world_make(kind, count, 1, BASE, &world));
	assert_int_equal(world.list.orders_count, count);
	nearby = kh_nearby_make(&world.list);
	assert_non_null(nearby);
	image = compile_world(&world, kh_world_names[kind], count);
	for (size_t i = 0; i < probes; i++) {
		struct kh_range address = kh_world_address(&world, &random, i & 1 ? 4 : 6);
		struct kh_naive_list near;

		assert_true(kh_nearby_list(nearby, &address, 1, &near));
		if (i % (probes / 8 + 1) == 0)
			check_nearby(&world.list, &near, &address, &random);
		probe(image, &near, &address, &random);
		hits += near.orders_count > 0;
	}
	if (probes > 1000)
		assert_in_range(hits, probes / 8, probes - probes / 8);
	kh_image_free(image);
	kh_nearby_free(nearby);
	kh_world_clear(&world);
}

static void test_10k(void **state)
{
	(void)state;
	compare_large(KH_WORLD_RANDOM, 10000);
	compare_large(KH_WORLD_CLUSTERED, 10000);
}

static void test_100k(void **state)
{
	(void)state;
	compare_large(KH_WORLD_RANDOM, 100000);
	compare_large(KH_WORLD_CLUSTERED, 100000);
}

static void test_1m(void **state)
{
	(void)state;
	compare_large(KH_WORLD_RANDOM, 1000000);
	compare_large(KH_WORLD_CLUSTERED, 1000000);
}

static void test_as_large_as_asked(void **state)
{
	size_t count = number_from("KH_TEST_SCALE", 0);

	(void)state;
	if (!count)
		skip();
	compare_large(KH_WORLD_RANDOM, count);
	compare_large(KH_WORLD_CLUSTERED, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_made_to_hurt),
		cmocka_unit_test(test_10k),
		cmocka_unit_test(test_100k),
		cmocka_unit_test(test_1m),
		cmocka_unit_test(test_as_large_as_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
