// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lists of worlds.h. A kind is a function that adds orders and holes until the list is as long as was asked for.
 */
#include "worlds.h"

#include <stdlib.h>
#include <string.h>

const char *const kh_world_names[KH_WORLD_KINDS] = { "nested",	   "adjacent", "whole space", "edges",
						     "duplicates", "all but",  "ladder",      "crossing",
						     "services",   "random",   "clustered" };

uint64_t kh_world_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint32_t below(struct kh_world *world, uint32_t limit)
{
	return kh_world_below(&world->random, limit);
}

static bool one_in(struct kh_world *world, uint32_t chance)
{
	return below(world, chance) == 0;
}

static kh_u128 random_u128(uint64_t *random)
{
	return (kh_u128)kh_world_next(random) << 64 | kh_world_next(random);
}

static uint8_t width_of(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

/* ---- Adding -------------------------------------------------------------------------------------- */

static bool is_full(const struct kh_world *world)
{
	return world->list.orders_count == world->capacity;
}

/* Adds an order on the range with any action and deadline; returns it, to be changed. */
static struct kh_compile_order *add(struct kh_world *world, kh_u128 first, kh_u128 last, uint8_t family)
{
	static struct kh_compile_order nowhere;
	struct kh_compile_order *order = is_full(world) ? &nowhere : &world->orders[world->list.orders_count++];
	kh_u128 max = kh_address_max(family);

	first &= max;
	last &= max;
	*order = (struct kh_compile_order){ .slot = (uint32_t)world->list.orders_count };
	order->range =
		first <= last ? (struct kh_range){ first, last, family } : (struct kh_range){ last, first, family };
	order->action = one_in(world, 3) ? KH_ACTION_MONITOR : KH_ACTION_DROP;
	if (one_in(world, 2))
		order->deadline = world->base + 1 + below(world, KH_WORLD_MOMENTS);
	return order;
}

static struct kh_compile_order *add_prefix(struct kh_world *world, kh_u128 address, unsigned int length, uint8_t family)
{
	struct kh_range range = kh_range_of_prefix(address & kh_address_max(family), (uint8_t)length, family);

	return add(world, range.first, range.last, family);
}

static void add_hole(struct kh_world *world, kh_u128 first, kh_u128 last, uint8_t family)
{
	kh_u128 max = kh_address_max(family);

	first &= max;
	last &= max;
	if (first <= last && world->list.holes_count < world->capacity)
		world->holes[world->list.holes_count++] = (struct kh_range){ first, last, family };
}

/* Where the levels of an image meet, and anywhere. */
static kh_u128 random_place(struct kh_world *world, uint8_t family)
{
	static const uint32_t v4[] = { 0, UINT32_MAX, 0xc0000200, 0xc0003fff, 0xc0004000, 0x7fffffff, 0x80000000 };
	static const uint64_t v6[] = { 0, UINT64_MAX, 0x20010db800000000, 0x20010db8ffffffff, 0x20010db8000000ff };

	if (one_in(world, 4))
		return random_u128(&world->random) & kh_address_max(family);
	if (family == 4)
		return v4[below(world, KH_ARRAY_SIZE(v4))];
	return (kh_u128)v6[below(world, KH_ARRAY_SIZE(v6))] << 64 | (one_in(world, 2) ? UINT64_MAX : below(world, 2));
}

static uint8_t random_family(struct kh_world *world)
{
	return one_in(world, 2) ? 4 : 6;
}

/* ---- Small lists made to hurt ---------------------------------------------------------------------- */

static void make_nested(struct kh_world *world)
{
	uint8_t family = random_family(world), width = width_of(family);
	kh_u128 place = random_place(world, family);
	unsigned int step = family == 4 ? 1 + below(world, 3) : 1 + below(world, 9);

	for (unsigned int length = below(world, step); length <= width && !is_full(world); length += step) {
		add_prefix(world, place, length, family);
		if (one_in(world, 8)) /* and one beside it */
			add_prefix(world, place ^ (length ? (kh_u128)1 << (width - length) : 0), length, family);
		if (one_in(world, 10)) {
			struct kh_range range = kh_range_of_prefix(
				place, (uint8_t)(length + below(world, width - length + 1u)), family);

			add_hole(world, range.first, range.last, family);
		}
	}
}

static void make_adjacent(struct kh_world *world)
{
	static const unsigned int sizes[] = { 0, 0, 0, 1, 7, 8, 14, 16, 32, 64, 80, 96 };
	uint8_t family = random_family(world);
	kh_u128 at = random_place(world, family), size;

	for (uint32_t i = 0; i < 12; i++) {
		size = (kh_u128)1 << sizes[below(world, family == 4 ? 8 : KH_ARRAY_SIZE(sizes))];
		size += below(world, 3);
		if (at + size - 1 > kh_address_max(family) || at + size - 1 < at) {
			add(world, at, kh_address_max(family), family);
			return;
		}
		switch (below(world, 8)) {
		case 0:
			add_hole(world, at, at + size - 1, family);
			break;
		case 1:
			break;
		default:
			add(world, at, at + size - 1, family);
		}
		at += size;
		if (at > kh_address_max(family) || !at)
			return;
	}
}

static void make_whole(struct kh_world *world)
{
	uint8_t family = random_family(world), width = width_of(family);
	kh_u128 max = kh_address_max(family);

	add_prefix(world, 0, below(world, 3), family);
	if (one_in(world, 3))
		add_prefix(world, max, below(world, 3), family);
	if (one_in(world, 4))
		add_hole(world, 0, 0, family);
	if (one_in(world, 4))
		add_hole(world, max, max, family);
	for (uint32_t i = below(world, 12); i; i--) {
		kh_u128 place = random_place(world, family);
		struct kh_range range = kh_range_of_prefix(place, (uint8_t)below(world, width + 1u), family);

		if (one_in(world, 3))
			add(world, range.first, range.last, family);
		else if (one_in(world, 2))
			add_hole(world, range.first, range.last, family);
		else
			add_hole(world, place, place, family);
	}
}

static void make_edges(struct kh_world *world)
{
	static const uint8_t levels_v4[] = { 0, 8, 18, 24, 31, 32 },
			     levels_v6[] = { 0, 16, 32, 48, 63, 64, 65, 96, 128 };
	uint8_t family = random_family(world);
	uint8_t level = family == 4 ? levels_v4[below(world, KH_ARRAY_SIZE(levels_v4))]
				    : levels_v6[below(world, KH_ARRAY_SIZE(levels_v6))];
	struct kh_range range = kh_range_of_prefix(random_place(world, family), level, family);

	for (unsigned int i = 0; i < 3; i++) {
		if (one_in(world, 2))
			add(world, range.first - 1 + i, range.first - 1 + i, family);
		if (one_in(world, 2))
			add(world, range.last - 1 + i, range.last - 1 + i, family);
	}
	if (one_in(world, 3))
		add(world, range.first + 1, range.last - 1, family);
	if (one_in(world, 4))
		add_hole(world, range.first, range.first, family);
	if (one_in(world, 4))
		add_hole(world, range.last, range.last, family);
}

static void make_duplicates(struct kh_world *world)
{
	uint8_t family = random_family(world);
	unsigned int length = width_of(family) - (one_in(world, 2) ? 0 : below(world, width_of(family) + 1u));
	kh_u128 place = random_place(world, family);

	for (uint32_t i = 2 + below(world, 12); i; i--) {
		struct kh_compile_order *order = add_prefix(world, place, length, family);

		if (one_in(world, 4) && order->range.first == order->range.last) {
			order->port = (uint16_t)(1 + below(world, KH_WORLD_PORTS));
			order->protocol = (uint8_t[]){ 0, 6, 17 }[below(world, 3)];
		}
	}
}

static void make_all_but(struct kh_world *world)
{
	uint8_t family = random_family(world);
	kh_u128 next = 0, place, max = kh_address_max(family);

	for (uint32_t i = 1 + below(world, 6); i; i--) {
		place = random_place(world, family);
		if (place < next)
			continue;
		if (place > next)
			add(world, next, place - 1, family);
		if (place == max)
			return;
		next = place + 1;
	}
	add(world, next, max, family);
}

static void make_ladder(struct kh_world *world)
{
	uint8_t family = random_family(world), width = width_of(family);
	kh_u128 place = random_place(world, family);
	bool rising = one_in(world, 2), mixed = one_in(world, 3);
	uint32_t steps = 2 + below(world, KH_WORLD_MOMENTS - 1);

	for (uint32_t i = 0; i < steps; i++) {
		struct kh_compile_order *order = add_prefix(world, place, width - i * (width / 16u), family);

		order->deadline = world->base + 1 + (rising ? i : KH_WORLD_MOMENTS - 1 - i);
		if (!mixed)
			order->action = i == steps - 1 ? KH_ACTION_MONITOR : KH_ACTION_DROP;
	}
	if (one_in(world, 4))
		add_prefix(world, place, 0, family)->deadline = 0;
}

static void make_crossing(struct kh_world *world)
{
	uint8_t family = random_family(world);
	kh_u128 at = random_place(world, family);
	kh_u128 step = (kh_u128)(1 + below(world, 300))
		       << (one_in(world, 2) ? 0 : below(world, family == 4 ? 20 : 100));

	for (uint32_t i = 2 + below(world, 10); i; i--) {
		kh_u128 size = step * (2 + below(world, 5)) + below(world, 2);

		if (at + size > kh_address_max(family) || at + size < at)
			return;
		add(world, at, at + size, family);
		at += step + below(world, 2);
	}
}

static void make_services(struct kh_world *world)
{
	uint8_t family = random_family(world);
	kh_u128 place = random_place(world, family) & kh_address_max(family);

	for (uint32_t i = 1 + below(world, 10); i; i--) {
		struct kh_compile_order *order = add_prefix(world, place ^ below(world, 3), width_of(family), family);

		order->port = (uint16_t)(1 + below(world, KH_WORLD_PORTS));
		order->protocol = (uint8_t[]){ 0, 6, 17 }[below(world, 3)];
	}
	if (one_in(world, 2))
		add_prefix(world, place, below(world, width_of(family) + 1u), family);
	if (one_in(world, 6))
		add_hole(world, place, place, family);
}

/* ---- Large lists as feeds are ---------------------------------------------------------------------- */

/* Most are plain drops for ever, as in a feed; the rest is everything an order may be. */
static void plain(struct kh_world *world, struct kh_compile_order *order)
{
	if (!one_in(world, 12)) {
		order->action = KH_ACTION_DROP;
		order->deadline = 0;
	}
	if (order->range.first == order->range.last && one_in(world, 24)) {
		order->port = 443;
		order->protocol = (uint8_t[]){ 0, 6, 17 }[below(world, 3)];
	}
}

/* Some are a range that is no prefix, some have a hole in them or beside. */
static void add_large(struct kh_world *world, kh_u128 address, unsigned int length, uint8_t family)
{
	struct kh_compile_order *order;

	if (one_in(world, 40)) {
		kh_u128 last = address + 1 + below(world, 5000);

		order = add(world, address, last > kh_address_max(family) ? address : last, family);
	} else {
		order = add_prefix(world, address, length, family);
	}
	plain(world, order);
	if (one_in(world, 60)) {
		kh_u128 hole =
			order->range.first + (kh_world_next(&world->random) & (order->range.last - order->range.first));

		add_hole(world, hole, hole + (one_in(world, 2) ? 0 : below(world, 300)), family);
	}
}

static void make_random(struct kh_world *world)
{
	static const uint8_t lengths_v6[] = { 128, 128, 128, 64, 64, 56, 48, 36 };
	uint8_t family = random_family(world);

	add_large(world, random_u128(&world->random) & kh_address_max(family),
		  family == 4 ? (one_in(world, 50) ? 20 + below(world, 12) : 32) : lengths_v6[below(world, 8)], family);
}

static void make_clustered(struct kh_world *world)
{
	static const uint8_t lengths_v4[] = { 32, 32, 32, 32, 32, 29, 24, 22 };
	static const uint8_t lengths_v6[] = { 128, 128, 127, 96, 64, 64, 48, 40 };
	uint64_t place = below(world, (uint32_t)(world->capacity / 50 + 1)) * 0x9e3779b97f4a7c15u;
	kh_u128 address;

	if (one_in(world, 2)) {
		address = (uint32_t)((place >> 32 & 0xffffff00) + below(world, 600));
		add_large(world, address, lengths_v4[below(world, 8)], 4);
	} else {
		address = (kh_u128)(0x2000000000000000 | place >> 3) << 64;
		address &= ~(((kh_u128)1 << 96) - 1);
		address += (kh_u128)below(world, 0x30000) << 64 | below(world, 0x1000);
		add_large(world, address, lengths_v6[below(world, 8)], 6);
	}
}

/* ---- What the tests ask for ------------------------------------------------------------------------ */

bool kh_world_make(enum kh_world_kind kind, size_t size, uint64_t seed, uint32_t base, struct kh_world *ret_world)
{
	static void (*const makers[KH_WORLD_KINDS])(struct kh_world *) = { make_nested, make_adjacent,	 make_whole,
									   make_edges,	make_duplicates, make_all_but,
									   make_ladder, make_crossing,	 make_services,
									   make_random, make_clustered };
	struct kh_world world = { .capacity = size, .random = seed * KH_WORLD_KINDS + kind, .base = base };
	size_t wanted;

	world.orders = calloc(size, sizeof(*world.orders));
	world.holes = calloc(size, sizeof(*world.holes));
	if (!world.orders || !world.holes) {
		kh_world_clear(&world);
		return false;
	}
	wanted = kind < KH_WORLD_SMALL ? 1 + below(&world, (uint32_t)size) : size;
	while (world.list.orders_count < wanted)
		makers[kind](&world);
	world.list.orders = world.orders;
	world.list.holes = world.holes;
	*ret_world = world;
	return true;
}

void kh_world_clear(struct kh_world *world)
{
	free(world->orders);
	free(world->holes);
	memset(world, 0, sizeof(*world));
}

struct kh_range kh_world_address(const struct kh_world *world, uint64_t *random, uint8_t family)
{
	kh_u128 max = kh_address_max(family), address = random_u128(random);
	size_t item = kh_world_next(random) % (world->list.orders_count + world->list.holes_count);
	const struct kh_range *range = item < world->list.orders_count ? &world->orders[item].range
								       : &world->holes[item - world->list.orders_count];

	switch (kh_world_below(random, range->family == family ? 9 : 1)) {
	case 0:
		break;
	case 1:
	case 2:
		address = range->first - kh_world_below(random, 2);
		break;
	case 3:
	case 4:
		address = range->last + kh_world_below(random, 2);
		break;
	case 5:
		address = range->first + (address & 0xffff);
		break;
	case 6:
		address = range->first ^ (address & 0xff);
		break;
	default:
		if (range->last - range->first != ~(kh_u128)0)
			address = range->first + address % (range->last - range->first + 1);
	}
	address &= max;
	return (struct kh_range){ address, address, family };
}
