// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bulk lists: see bulk.h. IPv4 is sorted by radix, for it is what long lists are; IPv6 by comparison.
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

/* What is sorted by: first ascending, last descending. */
static uint64_t key_v4(const struct kh_bulk_v4 *value)
{
	return (uint64_t)value->first << 32 | (uint32_t)~value->last;
}

/* Stable: of two alike, the one of the earlier line stays first. Bits that no two values differ in cost nothing. */
static int sort_v4(struct kh_bulk *bulk)
{
	size_t count = bulk->v4_count;
	struct kh_bulk_v4 *from = bulk->v4, *to;
	uint64_t differ = 0;
	bool sorted = true;

	for (size_t i = 1; i < count; i++) {
		differ |= key_v4(&from[i]) ^ key_v4(&from[0]);
		sorted = sorted && key_v4(&from[i - 1]) <= key_v4(&from[i]);
	}
	if (sorted)
		return 0;
	to = malloc(count * sizeof(*to));
	if (!to)
		return -ENOMEM;
	for (unsigned int shift = 0; shift < 64; shift += 11) {
		size_t places[2048] = {}, next = 0;
		struct kh_bulk_v4 *swap;

		if (!(differ >> shift & 2047))
			continue;
		for (size_t i = 0; i < count; i++)
			places[key_v4(&from[i]) >> shift & 2047]++;
		for (size_t i = 0; i < KH_ARRAY_SIZE(places); i++) {
			size_t here = places[i];

			places[i] = next;
			next += here;
		}
		for (size_t i = 0; i < count; i++)
			to[places[key_v4(&from[i]) >> shift & 2047]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	if (from != bulk->v4)
		bulk->v4_capacity = count;
	bulk->v4 = from;
	free(to);
	return 0;
}

static int compare_v6(const void *a, const void *b)
{
	const struct kh_bulk_v6 *x = a, *y = b;
	struct kh_range first = kh_bulk_v6_range(x), second = kh_bulk_v6_range(y);
	int order = kh_range_compare(&first, &second);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

int64_t kh_bulk_sort(struct kh_bulk *bulk)
{
	size_t before = kh_bulk_count(bulk), kept = 0;

	if (sort_v4(bulk) < 0)
		return -ENOMEM;
	if (bulk->v6_count)
		qsort(bulk->v6, bulk->v6_count, sizeof(*bulk->v6), compare_v6);
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
