// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bulk lists: see bulk.h. They are sorted by radix: a million values take a few passes.
 */
#include "model/bulk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

int kh_bulk_add(struct kh_bulk *bulk, const struct kh_range *range, uint32_t line)
{
	int code;

	if (range->family == 4) {
		code = kh_grow(&bulk->v4, &bulk->v4_capacity, bulk->v4_count + 1, sizeof(*bulk->v4));
		if (code < 0)
			return code;
		bulk->v4[bulk->v4_count++] = (struct kh_bulk_v4){ (uint32_t)range->first, (uint32_t)range->last, line };
		return 0;
	}
	code = kh_grow(&bulk->v6, &bulk->v6_capacity, bulk->v6_count + 1, sizeof(*bulk->v6));
	if (code < 0)
		return code;
	bulk->v6[bulk->v6_count++] = (struct kh_bulk_v6){ .first_high = (uint64_t)(range->first >> 64),
							  .first_low = (uint64_t)range->first,
							  .last_high = (uint64_t)(range->last >> 64),
							  .last_low = (uint64_t)range->last,
							  .line = line };
	return 0;
}

void kh_bulk_clear(struct kh_bulk *bulk)
{
	free(bulk->v4);
	free(bulk->v6);
	memset(bulk, 0, sizeof(*bulk));
}

/* ---- Sorting ------------------------------------------------------------------------------------ */

/* What IPv4 is sorted by: first ascending, then the wider first, which is last descending. (Of the width few bits differ.) */
static uint64_t key_v4(const void *value)
{
	const struct kh_bulk_v4 *v4 = value;

	return (uint64_t)v4->first << 32 | (uint32_t) ~(v4->last - v4->first);
}

static uint64_t high_v6(const void *value)
{
	return ((const struct kh_bulk_v6 *)value)->first_high;
}

/* One pass of the radix sort: by 11 bits of the key, stable. */
static inline __attribute__((always_inline)) void scatter(const char *from, char *to, size_t count, size_t size,
							  uint64_t (*key)(const void *), int shift)
{
	size_t places[2048] = {}, next = 0;

	for (size_t i = 0; i < count; i++)
		places[key(from + i * size) >> shift & 2047]++;
	for (size_t i = 0; i < KH_ARRAY_SIZE(places); i++) {
		size_t here = places[i];

		places[i] = next;
		next += here;
	}
	for (size_t i = 0; i < count; i++)
		memcpy(to + size * places[key(from + i * size) >> shift & 2047]++, from + i * size, size);
}

/* Sorts *values, which may become another array of exactly `count`. Stable: of two alike, the one of the earlier line stays
 * first. Bits that no two keys differ in cost nothing. Inlined, so that size and key are constants. 1: moved; 0; -ENOMEM. */
static inline __attribute__((always_inline)) int radix_sort(void **values, size_t count, size_t size,
							    uint64_t (*key)(const void *))
{
	char *from = *values, *to;
	uint64_t differ = 0;
	bool sorted = true;
	int shift = 0;

	for (size_t i = 1; i < count; i++) {
		differ |= key(from + i * size) ^ key(from);
		sorted = sorted && key(from + (i - 1) * size) <= key(from + i * size);
	}
	if (sorted)
		return 0;
	to = malloc(count * size);
	if (!to)
		return -ENOMEM;
	for (; shift < 64 && differ >> shift; shift += 11) {
		char *swap = from;

		shift += __builtin_ctzll(differ >> shift);
		scatter(from, to, count, size, key, shift);
		from = to;
		to = swap;
	}
	free(to);
	*values = from;
	return 1;
}

static int sort_v4(struct kh_bulk *bulk)
{
	void *values = bulk->v4;
	int moved = radix_sort(&values, bulk->v4_count, sizeof(*bulk->v4), key_v4);

	if (moved == 1) {
		bulk->v4 = values;
		bulk->v4_capacity = bulk->v4_count;
	}
	return moved < 0 ? moved : 0;
}

static int compare_v6(const void *a, const void *b)
{
	const struct kh_bulk_v6 *x = a, *y = b;
	struct kh_range first = kh_bulk_v6_range(x), second = kh_bulk_v6_range(y);
	int order = kh_range_compare(&first, &second);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* By the high half of the address, then the few that have it in common by comparison. */
static int sort_v6(struct kh_bulk *bulk)
{
	void *values = bulk->v6;
	int moved = radix_sort(&values, bulk->v6_count, sizeof(*bulk->v6), high_v6);

	if (moved < 0)
		return moved;
	if (moved) {
		bulk->v6 = values;
		bulk->v6_capacity = bulk->v6_count;
	}
	for (size_t start = 0, end; start < bulk->v6_count; start = end) {
		bool sorted = true;

		for (end = start + 1; end < bulk->v6_count && high_v6(&bulk->v6[end]) == high_v6(&bulk->v6[start]);
		     end++)
			sorted = sorted && compare_v6(&bulk->v6[end - 1], &bulk->v6[end]) <= 0;
		if (!sorted)
			qsort(&bulk->v6[start], end - start, sizeof(*bulk->v6), compare_v6);
	}
	return 0;
}

int64_t kh_bulk_sort(struct kh_bulk *bulk)
{
	size_t before = kh_bulk_count(bulk), kept = 0;

	if (sort_v4(bulk) < 0 || sort_v6(bulk) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < bulk->v4_count; i++)
		if (!kept || key_v4(&bulk->v4[kept - 1]) != key_v4(&bulk->v4[i]))
			bulk->v4[kept++] = bulk->v4[i];
	bulk->v4_count = kept;
	kept = 0;
	for (size_t i = 0; i < bulk->v6_count; i++)
		if (!kept || memcmp(&bulk->v6[kept - 1], &bulk->v6[i], offsetof(struct kh_bulk_v6, line)) != 0)
			bulk->v6[kept++] = bulk->v6[i];
	bulk->v6_count = kept;
	return (int64_t)(before - kh_bulk_count(bulk));
}

/* ---- Asking ------------------------------------------------------------------------------------- */

struct kh_range kh_bulk_range(const struct kh_bulk *bulk, size_t index, uint32_t *ret_line)
{
	if (index < bulk->v4_count) {
		*ret_line = bulk->v4[index].line;
		return kh_bulk_v4_range(&bulk->v4[index]);
	}
	index -= bulk->v4_count;
	*ret_line = bulk->v6[index].line;
	return kh_bulk_v6_range(&bulk->v6[index]);
}

int64_t kh_bulk_find(const struct kh_bulk *bulk, const struct kh_range *range)
{
	size_t low = range->family == 4 ? 0 : bulk->v4_count;
	size_t high = range->family == 4 ? bulk->v4_count : kh_bulk_count(bulk);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t line;
		struct kh_range here = kh_bulk_range(bulk, middle, &line);
		int order = kh_range_compare(&here, range);

		if (!order)
			return (int64_t)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

void kh_bulk_filter(struct kh_bulk *bulk, bool (*keep)(const struct kh_range *range, uint32_t line, void *context),
		    void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < bulk->v4_count; i++) {
		struct kh_range range = kh_bulk_v4_range(&bulk->v4[i]);

		if (keep(&range, bulk->v4[i].line, context))
			bulk->v4[kept++] = bulk->v4[i];
	}
	bulk->v4_count = kept;
	kept = 0;
	for (size_t i = 0; i < bulk->v6_count; i++) {
		struct kh_range range = kh_bulk_v6_range(&bulk->v6[i]);

		if (keep(&range, bulk->v6[i].line, context))
			bulk->v6[kept++] = bulk->v6[i];
	}
	bulk->v6_count = kept;
}

uint64_t kh_bulk_ipv4_addresses(const struct kh_bulk *bulk)
{
	uint64_t covered = 0, next = 0;

	for (size_t i = 0; i < bulk->v4_count; i++) {
		uint64_t first = bulk->v4[i].first, end = (uint64_t)bulk->v4[i].last + 1;

		if (first < next)
			first = next;
		if (end > first) {
			covered += end - first;
			next = end;
		}
	}
	return covered;
}
