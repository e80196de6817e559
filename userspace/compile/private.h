/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the steps of a compilation hand to each other: sort -> flatten (with chains) -> v4, v6, ports -> image.
 * Every struct here may be all zero, and its _clear() takes it half-built.
 */
#ifndef KHIEN_COMPILE_PRIVATE_H
#define KHIEN_COMPILE_PRIVATE_H

#include <stdbool.h>

#include "common/util.h"
#include "compile/compile.h"
#include "khien/hash.h"

#define KH_CHAIN_MAX (KH_UNDER_LINKS + 1)
#define KH_COMPILE_ORDERS_MAX (1u << 26) /* so that every count derived from it fits 32 bits */

/* ---- sort.c ---------------------------------------------------------------------------------- */

struct kh_sort_item {
	uint64_t key;
	uint32_t deadline;
	uint32_t order;
};

/* Sorts by the bits of key from low_bit up; stable, linear. *items may be replaced by another malloc'ed array. 0 or -ENOMEM. */
int kh_sort_items(struct kh_sort_item **items, size_t count, unsigned int low_bit);

/* Sorts the last `tail` of the items, which are in any order, and merges them with those before, which are sorted. Stable; what is before
 * stays where it is up to the first item of the tail. 0 or -ENOMEM. */
int kh_sort_tail(struct kh_sort_item *items, size_t count, size_t tail, unsigned int low_bit);

/* ---- chains.c: orders on one address, and the image's orders section ---------------------------- */

/* One order of a chain. */
struct kh_link {
	uint32_t deadline; /* 0: none */
	uint32_t order; /* slot, and KH_LINK_MONITOR */
};
#define KH_LINK_MONITOR 0x80000000u
#define KH_LINK_SLOT(link) ((link).order & KH_SLOT_MAX)

/* A drop without end is its slot: no chain is needed. */
static inline bool kh_link_is_plain(struct kh_link link)
{
	return !link.deadline && !(link.order & KH_LINK_MONITOR);
}

static inline struct kh_link kh_link_of(const struct kh_compile_order *order)
{
	return (struct kh_link){ order->deadline,
				 order->slot | (order->action == KH_ACTION_MONITOR ? KH_LINK_MONITOR : 0) };
}

/* Drops first, later deadline first (none is latest), lower slot first. The size of the range comes between, see callers. */
int kh_link_compare_action(struct kh_link a, struct kh_link b);
int kh_link_compare_deadline(struct kh_link a, struct kh_link b);

/* The orders section, each distinct order with its `under` once. */
struct kh_chains {
	struct kh_order *orders;
	size_t count, capacity;
	uint64_t *table; /* hash << 32 | index + 1; open addressing from the top bits of the hash on */
	size_t table_size; /* 0 or a power of two */
	unsigned int table_shift; /* hash >> table_shift is the home */
};

/* The reference of the chain of all orders that cover an address, in their priority. 0, -ENOMEM or -E2BIG. */
int kh_chains_intern(struct kh_chains *chains, const struct kh_link *links, size_t count, uint32_t *ret_reference);
void kh_chains_clear(struct kh_chains *chains);

/* Maxima of deadlines over ranks: leaf `rank` is how long that order lives, 0 while it does not cover the address. */
struct kh_tree {
	uint64_t *max;
	size_t capacity, leaves;
};

/* The same for very many: the orders that cover the address of the moment, out of `ranked`, all that may in their priority. */
struct kh_active {
	const struct kh_link *ranked; /* borrowed */
	size_t drops; /* ranks below are drops, the others monitors */
	struct kh_tree drop_tree, monitor_tree;
};

int kh_active_start(struct kh_active *active, const struct kh_link *ranked, size_t count);
void kh_active_add(struct kh_active *active, size_t rank);
void kh_active_remove(struct kh_active *active, size_t rank);
/* Interns the chain of the orders added and not removed; O(KH_CHAIN_MAX log n). 0, -ENOMEM or -E2BIG. */
int kh_active_chain(const struct kh_active *active, struct kh_chains *chains, uint32_t *ret_reference);
void kh_active_clear(struct kh_active *active);

/* ---- flatten.c ------------------------------------------------------------------------------- */

/* Takes disjoint ranges in ascending order, with the holes cut out. First member of the family's builder. */
struct kh_sink {
	const struct kh_range *hole,
		*holes_end; /* sorted, disjoint, of the family; `hole` moves along with the ranges */
	int (*put)(struct kh_sink *sink, kh_u128 first, kh_u128 last, uint32_t reference);
};

int kh_sink_put(struct kh_sink *sink, kh_u128 first, kh_u128 last, uint32_t reference);
/* Is there no hole in the range, which is the next one? */
static inline bool kh_sink_is_clear(struct kh_sink *sink, kh_u128 first, kh_u128 last)
{
	while (sink->hole < sink->holes_end && sink->hole->last < first)
		sink->hole++;
	return sink->hole == sink->holes_end || sink->hole->first > last;
}

struct kh_span {
	kh_u128 first, last;
	struct kh_link link;
};

#define KH_NEAR_MAX 32 /* more orders than this on one address need a tree */

struct kh_flatten {
	struct kh_sink *sink;
	struct kh_chains *chains;
	struct kh_active active;
	/* the spans of the group at hand that cover the place of the sweep */
	uint32_t *ends; /* heap, the one that ends first on top */
	size_t ends_count, ends_capacity;
	bool deep; /* in `active`, else in `near` */
	uint32_t near[KH_NEAR_MAX]; /* in their priority */
	size_t near_count;
	/* for a deep group */
	size_t capacity;
	struct kh_link *ranked; /* by rank */
	uint32_t *by_rank; /* rank -> span */
	uint32_t *rank; /* span -> rank */
};

/* Flattens spans sorted by `first` that hang together: each but the first begins before all those before it have ended. */
int kh_flatten_group(struct kh_flatten *flatten, const struct kh_span *spans, size_t count);
/* The same for any spans sorted by `first`: finds the groups. */
int kh_flatten_spans(struct kh_flatten *flatten, const struct kh_span *spans, size_t count);
void kh_flatten_clear(struct kh_flatten *flatten);

/* Sorts holes and joins those that overlap or touch; returns how many are left. */
size_t kh_holes_merge(struct kh_range *holes, size_t count);
/* Is all of the range in one of the merged holes? */
bool kh_holes_swallow(const struct kh_range *holes, size_t count, const struct kh_range *range);

/* ---- v4.c, v6.c: the sections of the image ------------------------------------------------ */

struct kh_v4 {
	struct kh_sink sink;
	uint32_t *common; /* KH_V4_BLOCKS, as in struct kh_image_base */
	uint64_t *cells;
	size_t cells_count, cells_capacity;
	struct kh_entry *entries;
	size_t entries_count, entries_capacity;
	/* the net at hand: where its slice begins among the entries, and the first offset they say nothing about */
	uint32_t net;
	bool net_open;
	size_t slice_first;
	uint32_t next_offset;
	/* the block at hand: its first cell, and how many of its cells are whole nets */
	uint32_t block;
	size_t block_first, whole_nets;
};

/* Items: key = first << 32 | last, any order (sorted here). 0, -ENOMEM or -E2BIG. */
int kh_v4_build(struct kh_v4 *v4, struct kh_chains *chains, struct kh_sort_item **items, size_t count);
void kh_v4_clear(struct kh_v4 *v4);

/* cells.c: how many buckets so many cells need, at least one and whole pages; and the cells into as many, which are all zero, in linear
 * time. The seed depends on the cells and on nothing else. 0, -ENOMEM or -E2BIG: no seed would do. */
uint32_t kh_cells_buckets(size_t count);
int kh_cells_hash(const struct kh_v4 *v4, uint32_t buckets, void *table, uint64_t *ret_seed);

/* A slice that grows: where each reference begins, and from where on it says nothing. */
struct kh_slice {
	struct kh_step {
		uint64_t start;
		uint32_t ref;
	} * steps;
	size_t count, capacity;
	uint64_t next;
	bool full; /* up to the highest; next is 0 */
};

struct kh_v6 {
	struct kh_sink sink;
	/* the sections */
	struct kh_v6_net *nets;
	size_t nets_count, nets_capacity;
	struct kh_v6_mid *mids;
	size_t mids_count, mids_capacity;
	struct kh_v6_lone *lones;
	size_t lones_count, lones_capacity;
	struct kh_v6_low *lows;
	size_t lows_count, lows_capacity;
	uint32_t wide_first, wide_lines; /* in mids, once built */
	/* the wide slice, and the first /32 it says nothing about */
	struct kh_slice wide;
	/* the /32 at hand, its slice, and the first /64 that one says nothing about; likewise the /64 */
	bool net_open;
	uint32_t net;
	struct kh_slice mid;
	bool subnet_open;
	uint32_t subnet;
	struct kh_slice low;
};

/* slice.c. Nothing is put in front of what was put before. `highest`: of the slice. 0 or -ENOMEM. */
void kh_slice_start(struct kh_slice *slice);
int kh_slice_put(struct kh_slice *slice, uint64_t first, uint64_t last, uint64_t highest, uint32_t reference);
int kh_slice_end(struct kh_slice *slice);
/* Appends the slice to the mid section; it is used up. 0, -ENOMEM or -E2BIG. */
int kh_mids_append(struct kh_v6 *v6, struct kh_slice *slice, uint32_t *ret_first, uint32_t *ret_lines);
/* Appends v6->low, of two steps at least, to the lone or the low section, and says how a mid entry names it. 0, -ENOMEM or -E2BIG. */
int kh_subnet_append(struct kh_v6 *v6, uint32_t *ret_reference);

/* Items: key = the high 64 bits of the first address, `order` the index in orders. */
int kh_v6_build(struct kh_v6 *v6, struct kh_chains *chains, const struct kh_compile_order *orders,
		struct kh_sort_item **items, size_t count);
void kh_v6_clear(struct kh_v6 *v6);

/* ---- filter.c, filter_v6.c: presence bits ------------------------------------------------------ */

/* v4_wide, v6_bits and the filter of the base, which are all zero, with their sizes, from what was built and the seeds in the header.
 * 0 or -ENOMEM. */
int kh_filter_fill(const struct kh_v4 *v4, const struct kh_v6 *v6, struct kh_image_base *base);

/* The keys that IPv6 has in the filter: how many at most; and all of them into it. */
size_t kh_filter_v6_count(const struct kh_v6 *v6);
void kh_filter_v6_fill(const struct kh_v6 *v6, struct kh_image_base *base);
/* The pair of each /32. `parts`: what holds anything of it is in the filter. */
void kh_filter_v6_pairs(const struct kh_v6 *v6, struct kh_image_base *base, bool parts);

static inline void kh_filter_put(struct kh_image_base *base, uint64_t hash)
{
	base->filter[kh_filter_word(hash, base->header.filter_words)] |= kh_filter_bits(hash);
}

/* ---- ports.c --------------------------------------------------------------------------------- */

struct kh_ports {
	struct kh_port_entry *entries; /* sorted by family, address, port, protocol */
	size_t count, capacity;
};

/* `indexes`: which of the orders have a port and lie in no hole. */
int kh_ports_build(struct kh_ports *ports, struct kh_chains *chains, const struct kh_compile_order *orders,
		   const uint32_t *indexes, size_t count);
void kh_ports_clear(struct kh_ports *ports);

/* ---- hash.c ---------------------------------------------------------------------------------- */

/* One hash table of the image: where each key goes. */
struct kh_table {
	size_t count;
	unsigned int per_bucket;
	uint32_t buckets; /* a power of two; 0: no table */
	uint32_t bits; /* of the presence bitmap, a power of two */
	uint32_t *place; /* bucket * per_bucket + place in it, by key */
};

struct kh_hashes {
	uint64_t seed;
	struct kh_table v6, ports;
};

/* Finds the seed and the sizes with which every key is found within KH_HASH_PROBES. 0, -ENOMEM or -E2BIG. */
int kh_hashes_build(struct kh_hashes *hashes, const struct kh_v6 *v6, const struct kh_ports *ports);
void kh_hashes_clear(struct kh_hashes *hashes);

/* ---- image.c --------------------------------------------------------------------------------- */

struct kh_parts {
	uint64_t generation;
	uint32_t slots_needed, indicators_v4, indicators_v6, indicators_ports;
	struct kh_chains chains;
	struct kh_v4 v4;
	struct kh_v6 v6;
	struct kh_ports ports;
	struct kh_hashes hashes;
};

int kh_image_assemble(const struct kh_parts *parts, struct kh_image **spare, struct kh_image **ret_image);
uint64_t kh_image_checksum(const void *data, size_t length);

#endif
