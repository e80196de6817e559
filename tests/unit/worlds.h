/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generated lists: small ones made to hurt, and large ones as feeds are. From a seed, always the same; the packet tests and those in user
 * space get the same lists. Needs nothing but the headers.
 */
#ifndef KHIEN_TESTS_WORLDS_H
#define KHIEN_TESTS_WORLDS_H

#include "naive.h"

#define KH_WORLD_MOMENTS 12 /* deadlines are `base` + 1 .. `base` + KH_WORLD_MOMENTS, or none */
#define KH_WORLD_PORTS 3 /* ports are 1 .. KH_WORLD_PORTS, and 443 in large lists */

/* Each holds both families. */
enum kh_world_kind {
	KH_WORLD_NESTED, /* prefixes of every length on one address, from /0 on */
	KH_WORLD_ADJACENT, /* runs of ranges that touch, some with a hole or nothing in between */
	KH_WORLD_WHOLE, /* orders on the whole space, with holes of every size in it */
	KH_WORLD_EDGES, /* the first and last address of the space and of every level of an image */
	KH_WORLD_DUPLICATES, /* one value many times: other action, deadline, slot */
	KH_WORLD_ALL_BUT, /* everything but a few addresses */
	KH_WORLD_LADDER, /* nested, and each ends before or after the one it is in */
	KH_WORLD_CROSSING, /* ranges that overlap and are in none of the others */
	KH_WORLD_SERVICES, /* address and port, for one protocol or both, under orders on the address */
	KH_WORLD_SMALL, /* how many kinds of small lists */
	KH_WORLD_RANDOM = KH_WORLD_SMALL, /* anywhere; ask for a size */
	KH_WORLD_CLUSTERED, /* few networks hold most of the list, as in real blocklists */
	KH_WORLD_KINDS,
};
extern const char *const kh_world_names[KH_WORLD_KINDS];

struct kh_world {
	struct kh_naive_list list; /* slots are 1 .. orders_count */
	struct kh_compile_order *orders;
	struct kh_range *holes;
	size_t capacity; /* of each */
	uint64_t random;
	uint32_t base;
};

/* `size` orders at most of a small kind; exactly of a large one. False: no memory. */
bool kh_world_make(enum kh_world_kind kind, size_t size, uint64_t seed, uint32_t base, struct kh_world *ret_world);
void kh_world_clear(struct kh_world *world);

/* splitmix64 */
uint64_t kh_world_next(uint64_t *state);
static inline uint32_t kh_world_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)(kh_world_next(state) % limit);
}

/* One address in the list's eyes: beside a border of an order or a hole, in one, or anywhere. */
struct kh_range kh_world_address(const struct kh_world *world, uint64_t *random, uint8_t family);

#endif
