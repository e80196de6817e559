/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bulk list: the plain addresses, prefixes and ranges of a long list (a feed), packed, so that a million of them are a few
 * megabytes and cost no allocation each. All stand alike: one a line, meant to be enforced. Of the text only the line number is kept.
 */
#ifndef KHIEN_MODEL_BULK_H
#define KHIEN_MODEL_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

/* Values; a shorter list is findings, as any document. (The fuzzer's lists are short.) */
#ifndef KH_BULK_MIN
#define KH_BULK_MIN 10000
#endif

/* Numbers in host byte order. */
struct kh_bulk_v4 {
	uint32_t first, last;
	uint32_t line; /* 1-based */
};

struct kh_bulk_v6 {
	uint64_t first_high, first_low;
	uint64_t last_high, last_low;
	uint32_t line;
	uint32_t reserved;
};
_Static_assert(sizeof(struct kh_bulk_v4) == 12 && sizeof(struct kh_bulk_v6) == 40, "they are stored as they are");

/* May be all zero: empty. Sorted by first, then last descending (enclosing first), no two alike: kh_bulk_sort() makes it so. */
struct kh_bulk {
	struct kh_bulk_v4 *v4;
	size_t v4_count, v4_capacity;
	struct kh_bulk_v6 *v6;
	size_t v6_count, v6_capacity;
};

/* Appends. 0 or -ENOMEM. */
int kh_bulk_add(struct kh_bulk *bulk, const struct kh_range *range, uint32_t line);
/* Sorts, and drops what stands there twice (the first line stays). How many were dropped, or -ENOMEM (then nothing is changed). */
int64_t kh_bulk_sort(struct kh_bulk *bulk);
void kh_bulk_clear(struct kh_bulk *bulk);
static inline size_t kh_bulk_count(const struct kh_bulk *bulk)
{
	return bulk->v4_count + bulk->v6_count;
}

static inline struct kh_range kh_bulk_v4_range(const struct kh_bulk_v4 *value)
{
	return (struct kh_range){ value->first, value->last, 4 };
}
static inline struct kh_range kh_bulk_v6_range(const struct kh_bulk_v6 *value)
{
	return (struct kh_range){ (kh_u128)value->first_high << 64 | value->first_low,
				  (kh_u128)value->last_high << 64 | value->last_low, 6 };
}
/* Value number `index` of kh_bulk_count(), IPv4 first. */
struct kh_range kh_bulk_range(const struct kh_bulk *bulk, size_t index, uint32_t *ret_line);
/* Its number in the (sorted) list, or -1. */
int64_t kh_bulk_find(const struct kh_bulk *bulk, const struct kh_range *range);
static inline bool kh_bulk_holds(const struct kh_bulk *bulk, const struct kh_range *range)
{
	return kh_bulk_find(bulk, range) >= 0;
}
/* Keeps the values for which `keep` is true, in their order. */
void kh_bulk_filter(struct kh_bulk *bulk, bool (*keep)(const struct kh_range *range, uint32_t line, void *context),
		    void *context);
/* How many IPv4 addresses the (sorted) list covers, each counted once. */
uint64_t kh_bulk_ipv4_addresses(const struct kh_bulk *bulk);

#endif
