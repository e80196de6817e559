// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Overlapping spans -> disjoint ranges, each with the reference of its chain; then the holes are cut out.
 *
 * A sweep over the borders. The spans that cover the place of the moment are in a heap by their end, and by priority in a
 * short array or, where they are very many, in kh_active: O(log n) a border, whatever the nesting.
 */
#include "compile/private.h"

#include <errno.h>

/* ---- Holes ----------------------------------------------------------------------------------- */

size_t kh_holes_merge(struct kh_range *holes, size_t count)
{
	size_t kept = 0;

	if (!count)
		return 0;
	qsort(holes, count, sizeof(*holes), kh_range_compare);
	for (size_t i = 1; i < count; i++) {
		struct kh_range *open = &holes[kept];

		if (holes[i].family != open->family || (holes[i].first > open->last && holes[i].first - open->last > 1))
			holes[++kept] = holes[i];
		else if (holes[i].last > open->last)
			open->last = holes[i].last;
	}
	return kept + 1;
}

bool kh_holes_swallow(const struct kh_range *holes, size_t count, const struct kh_range *range)
{
	size_t low = 0, high = count; /* the last hole that begins at or before the range is below high */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (holes[middle].family < range->family ||
		    (holes[middle].family == range->family && holes[middle].first <= range->first))
			low = middle + 1;
		else
			high = middle;
	}
	return low && holes[low - 1].family == range->family && holes[low - 1].last >= range->last;
}

int kh_sink_put(struct kh_sink *sink, kh_u128 first, kh_u128 last, uint32_t reference)
{
	int r;

	if (kh_sink_is_clear(sink, first, last))
		return sink->put(sink, first, last, reference);
	for (; sink->hole < sink->holes_end && sink->hole->first <= last; sink->hole++) {
		if (sink->hole->first > first) {
			r = sink->put(sink, first, sink->hole->first - 1, reference);
			if (r < 0)
				return r;
		}
		if (sink->hole->last >= last)
			return 0; /* it may reach into the next range: stay on it */
		first = sink->hole->last + 1;
	}
	return sink->put(sink, first, last, reference);
}

/* ---- The heap of ends ------------------------------------------------------------------------ */

static void ends_push(struct kh_flatten *flatten, const struct kh_span *spans, uint32_t span)
{
	size_t at = flatten->ends_count++;

	while (at) {
		size_t parent = (at - 1) / 2;

		if (spans[flatten->ends[parent]].last <= spans[span].last)
			break;
		flatten->ends[at] = flatten->ends[parent];
		at = parent;
	}
	flatten->ends[at] = span;
}

static void ends_pop(struct kh_flatten *flatten, const struct kh_span *spans)
{
	uint32_t moved = flatten->ends[--flatten->ends_count];
	size_t count = flatten->ends_count, at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && spans[flatten->ends[child + 1]].last < spans[flatten->ends[child]].last)
			child++;
		if (spans[flatten->ends[child]].last >= spans[moved].last)
			break;
		flatten->ends[at] = flatten->ends[child];
		at = child;
	}
	flatten->ends[at] = moved;
}

/* ---- The sweep ------------------------------------------------------------------------------- */

static int compare_spans(const struct kh_span *a, const struct kh_span *b)
{
	kh_u128 size_a = a->last - a->first, size_b = b->last - b->first;
	int r = kh_link_compare_action(a->link, b->link);

	if (r)
		return r;
	if (size_a != size_b)
		return size_a < size_b ? -1 : 1;
	return kh_link_compare_deadline(a->link, b->link);
}

static int compare_indexes(const void *a, const void *b, void *context)
{
	const struct kh_span *spans = context;

	return compare_spans(&spans[*(const uint32_t *)a], &spans[*(const uint32_t *)b]);
}

/* Ranks the spans for kh_active. */
static int rank_spans(struct kh_flatten *flatten, const struct kh_span *spans, size_t count)
{
	size_t capacity = flatten->capacity, same = capacity, again = capacity;
	int r = kh_grow(&flatten->ranked, &capacity, count, sizeof(*flatten->ranked));

	if (r >= 0)
		r = kh_grow(&flatten->by_rank, &same, count, sizeof(*flatten->by_rank));
	if (r >= 0)
		r = kh_grow(&flatten->rank, &again, count, sizeof(*flatten->rank));
	if (r < 0)
		return r;
	flatten->capacity = capacity;
	for (size_t i = 0; i < count; i++)
		flatten->by_rank[i] = (uint32_t)i;
	qsort_r(flatten->by_rank, count, sizeof(*flatten->by_rank), compare_indexes, (void *)spans);
	for (size_t i = 0; i < count; i++) {
		flatten->rank[flatten->by_rank[i]] = (uint32_t)i;
		flatten->ranked[i] = spans[flatten->by_rank[i]].link;
	}
	return kh_active_start(&flatten->active, flatten->ranked, count);
}

/* Do more than KH_NEAR_MAX spans cover some place? Leaves the heap empty. */
static bool is_deep(struct kh_flatten *flatten, const struct kh_span *spans, size_t count)
{
	size_t depth = 0;

	flatten->ends_count = 0;
	for (size_t i = 0; i < count && depth <= KH_NEAR_MAX; i++) {
		while (flatten->ends_count && spans[flatten->ends[0]].last < spans[i].first)
			ends_pop(flatten, spans);
		ends_push(flatten, spans, (uint32_t)i);
		depth = flatten->ends_count > depth ? flatten->ends_count : depth;
	}
	flatten->ends_count = 0;
	return depth > KH_NEAR_MAX;
}

static int start(struct kh_flatten *flatten, const struct kh_span *spans, size_t count)
{
	int r = kh_grow(&flatten->ends, &flatten->ends_capacity, count, sizeof(*flatten->ends));

	if (r < 0)
		return r;
	flatten->near_count = 0;
	flatten->deep = count > KH_NEAR_MAX && is_deep(flatten, spans, count);
	return flatten->deep ? rank_spans(flatten, spans, count) : 0;
}

static void enter(struct kh_flatten *flatten, const struct kh_span *spans, uint32_t span)
{
	size_t at = flatten->near_count;

	ends_push(flatten, spans, span);
	if (flatten->deep) {
		kh_active_add(&flatten->active, flatten->rank[span]);
		return;
	}
	for (; at && compare_spans(&spans[span], &spans[flatten->near[at - 1]]) < 0; at--)
		flatten->near[at] = flatten->near[at - 1];
	flatten->near[at] = span;
	flatten->near_count++;
}

/* Lets go of the span that ends first. */
static void leave(struct kh_flatten *flatten, const struct kh_span *spans)
{
	uint32_t span = flatten->ends[0];
	size_t at = 0;

	ends_pop(flatten, spans);
	if (flatten->deep) {
		kh_active_remove(&flatten->active, flatten->rank[span]);
		return;
	}
	while (flatten->near[at] != span)
		at++;
	for (flatten->near_count--; at < flatten->near_count; at++)
		flatten->near[at] = flatten->near[at + 1];
}

static int put_chain(struct kh_flatten *flatten, const struct kh_span *spans, kh_u128 first, kh_u128 last)
{
	struct kh_link links[KH_NEAR_MAX];
	uint32_t reference;
	int r;

	if (flatten->deep) {
		r = kh_active_chain(&flatten->active, flatten->chains, &reference);
	} else {
		for (size_t i = 0; i < flatten->near_count; i++)
			links[i] = spans[flatten->near[i]].link;
		r = kh_chains_intern(flatten->chains, links, flatten->near_count, &reference);
	}
	return r < 0 ? r : kh_sink_put(flatten->sink, first, last, reference);
}

int kh_flatten_group(struct kh_flatten *flatten, const struct kh_span *spans, size_t count)
{
	kh_u128 at = spans[0].first;
	size_t next = 0;
	int r = start(flatten, spans, count);

	if (r < 0)
		return r;
	do {
		kh_u128 end;

		for (; next < count && spans[next].first == at; next++)
			enter(flatten, spans, (uint32_t)next);
		end = spans[flatten->ends[0]].last;
		if (next < count && spans[next].first <= end) {
			r = put_chain(flatten, spans, at, spans[next].first - 1);
			at = spans[next].first;
		} else {
			r = put_chain(flatten, spans, at, end);
			while (flatten->ends_count && spans[flatten->ends[0]].last == end)
				leave(flatten, spans);
			at = end + 1; /* wraps only when nothing is left */
		}
		if (r < 0)
			return r;
	} while (flatten->ends_count);
	return 0;
}

int kh_flatten_spans(struct kh_flatten *flatten, const struct kh_span *spans, size_t count)
{
	size_t end;
	int r = 0;

	for (size_t i = 0; i < count && r >= 0; i = end) {
		kh_u128 last = spans[i].last;
		uint32_t reference;

		for (end = i + 1; end < count && spans[end].first <= last; end++)
			last = spans[end].last > last ? spans[end].last : last;
		if (end > i + 1) {
			r = kh_flatten_group(flatten, spans + i, end - i);
			continue;
		}
		r = kh_chains_intern(flatten->chains, &spans[i].link, 1, &reference);
		if (r >= 0)
			r = kh_sink_put(flatten->sink, spans[i].first, spans[i].last, reference);
	}
	return r;
}

void kh_flatten_clear(struct kh_flatten *flatten)
{
	kh_active_clear(&flatten->active);
	free(flatten->ends);
	free(flatten->ranked);
	free(flatten->by_rank);
	free(flatten->rank);
	*flatten = (struct kh_flatten){};
}
