// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IPv6: disjoint ranges in ascending order -> the wide slice (whole /32s), mid slices (whole /64s of a /32) and low slices
 * (parts of a /64).
 *
 * One /32 and one /64 are open at a time. When one is closed and turns out uniform, it goes to the level above.
 */
#include "compile/private.h"

#include <errno.h>
#include <string.h>

#define LOWS_MAX (size_t)(KH_V6_LOW - 1)
#define MIDS_MAX (size_t) UINT32_MAX

static kh_u128 bits_below(unsigned int count)
{
	return ((kh_u128)1 << count) - 1;
}

/* ---- The wide slice -------------------------------------------------------------------------- */

static int wide_push(struct kh_v6 *v6, uint64_t start, uint32_t reference)
{
	int r;

	if (v6->wide_count && v6->wide[v6->wide_count - 1].ref == reference)
		return 0;
	r = kh_grow(&v6->wide, &v6->wide_capacity, v6->wide_count + 1, sizeof(*v6->wide));
	if (r < 0)
		return r;
	v6->wide[v6->wide_count++] = (struct kh_entry){ (uint32_t)start, reference };
	return 0;
}

static int push_net(struct kh_v6 *v6, struct kh_v6_net net)
{
	int r = kh_grow(&v6->nets, &v6->nets_capacity, v6->nets_count + 1, sizeof(*v6->nets));

	if (r < 0)
		return r;
	if (v6->wide_count && v6->wide_next == net.key)
		v6->wide_next++; /* a net is found first, so the wide slice need not be interrupted */
	v6->nets[v6->nets_count++] = net;
	return 0;
}

/* Whole /32s, first to last: few are nets, which the presence bits keep out of the way of all others. */
static int wide_put(struct kh_v6 *v6, uint32_t first, uint32_t last, uint32_t reference)
{
	int r = 0;

	if (last - first < KH_V6_WIDE_MIN - 1) {
		for (uint64_t net = first; net <= last && r >= 0; net++)
			r = push_net(v6, (struct kh_v6_net){ (uint32_t)net, KH_V6_WHOLE, reference, 0 });
		return r;
	}
	if (first > v6->wide_next) {
		r = wide_push(v6, v6->wide_next, KH_REF_NONE);
		if (r < 0)
			return r;
	}
	r = wide_push(v6, first, reference);
	v6->wide_next = (uint64_t)last + 1;
	return r;
}

/* ---- Mid slices ------------------------------------------------------------------------------ */

static int mid_push(struct kh_v6 *v6, uint64_t start, uint32_t reference)
{
	int r;

	if (v6->mids_count > v6->mid_first && v6->mids[v6->mids_count - 1].ref == reference)
		return 0;
	if (v6->mids_count >= MIDS_MAX)
		return -E2BIG;
	r = kh_grow(&v6->mids, &v6->mids_capacity, v6->mids_count + 1, sizeof(*v6->mids));
	if (r < 0)
		return r;
	v6->mids[v6->mids_count++] = (struct kh_entry){ (uint32_t)start, reference };
	return 0;
}

static int mid_put(struct kh_v6 *v6, uint32_t first, uint32_t last, uint32_t reference)
{
	int r;

	if (first > v6->mid_next) {
		r = mid_push(v6, v6->mid_next, KH_REF_NONE);
		if (r < 0)
			return r;
	}
	r = mid_push(v6, first, reference);
	v6->mid_next = (uint64_t)last + 1;
	return r;
}

/* Moves the slice at the end of the mid section to where it may be. */
static int mid_align(struct kh_v6 *v6)
{
	size_t count = v6->mids_count - v6->mid_first,
	       first = kh_place_slice(v6->mid_first, count, KH_ENTRIES_PER_PAGE);
	int r;

	if (first == v6->mid_first)
		return 0;
	if (first + count > MIDS_MAX)
		return -E2BIG;
	r = kh_grow(&v6->mids, &v6->mids_capacity, first + count, sizeof(*v6->mids));
	if (r < 0)
		return r;
	memmove(v6->mids + first, v6->mids + v6->mid_first, count * sizeof(*v6->mids));
	memset(v6->mids + v6->mid_first, 0, (first - v6->mid_first) * sizeof(*v6->mids));
	v6->mid_first = first;
	v6->mids_count = first + count;
	return 0;
}

/* ---- Low slices ------------------------------------------------------------------------------ */

static int low_push(struct kh_v6 *v6, uint64_t start, uint32_t reference)
{
	int r;

	if (v6->lows_count > v6->low_first && v6->lows[v6->lows_count - 1].ref == reference)
		return 0;
	r = kh_grow(&v6->lows, &v6->lows_capacity, v6->lows_count + 1, sizeof(*v6->lows));
	if (r < 0)
		return r;
	v6->lows[v6->lows_count++] = (struct kh_v6_low){ .start = start, .ref = reference };
	return 0;
}

static int low_put(struct kh_v6 *v6, uint64_t first, uint64_t last, uint32_t reference)
{
	int r;

	if (first > v6->low_next) {
		r = low_push(v6, v6->low_next, KH_REF_NONE);
		if (r < 0)
			return r;
	}
	r = low_push(v6, first, reference);
	v6->low_next = last + 1;
	v6->subnet_full = last == UINT64_MAX;
	return r;
}

static int low_align(struct kh_v6 *v6)
{
	size_t count = v6->lows_count - v6->low_first,
	       first = kh_place_slice(v6->low_first, count, KH_V6_LOWS_PER_PAGE);
	int r;

	if (first + count > LOWS_MAX)
		return -E2BIG;
	if (first != v6->low_first) {
		r = kh_grow(&v6->lows, &v6->lows_capacity, first + count, sizeof(*v6->lows));
		if (r < 0)
			return r;
		memmove(v6->lows + first, v6->lows + v6->low_first, count * sizeof(*v6->lows));
		memset(v6->lows + v6->low_first, 0, (first - v6->low_first) * sizeof(*v6->lows));
		v6->low_first = first;
		v6->lows_count = first + count;
	}
	v6->lows[first].count = (uint32_t)count;
	return 0;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static int close_subnet(struct kh_v6 *v6)
{
	uint32_t reference;
	int r = 0;

	if (!v6->subnet_open)
		return 0;
	v6->subnet_open = false;
	if (!v6->subnet_full)
		r = low_push(v6, v6->low_next, KH_REF_NONE);
	if (r < 0)
		return r;
	if (v6->lows_count - v6->low_first == 1) {
		reference = v6->lows[--v6->lows_count].ref;
	} else {
		r = low_align(v6);
		if (r < 0)
			return r;
		reference = KH_V6_LOW | (uint32_t)v6->low_first;
	}
	return mid_put(v6, v6->subnet, v6->subnet, reference);
}

static int close_net(struct kh_v6 *v6)
{
	int r = close_subnet(v6);

	if (r < 0 || !v6->net_open)
		return r;
	v6->net_open = false;
	if (v6->mid_next <= UINT32_MAX)
		r = mid_push(v6, v6->mid_next, KH_REF_NONE);
	if (r < 0)
		return r;
	if (v6->mids_count - v6->mid_first == 1)
		return wide_put(v6, v6->net, v6->net, v6->mids[--v6->mids_count].ref);
	r = mid_align(v6);
	if (r < 0)
		return r;
	return push_net(v6, (struct kh_v6_net){ .key = v6->net,
						.count = (uint32_t)(v6->mids_count - v6->mid_first),
						.first = (uint32_t)v6->mid_first });
}

static int open_net(struct kh_v6 *v6, uint32_t net)
{
	int r;

	if (v6->net_open && v6->net == net)
		return 0;
	r = close_net(v6);
	v6->net_open = true;
	v6->net = net;
	v6->mid_first = v6->mids_count;
	v6->mid_next = 0;
	return r;
}

static int open_subnet(struct kh_v6 *v6, uint32_t subnet)
{
	int r;

	if (v6->subnet_open && v6->subnet == subnet)
		return 0;
	r = close_subnet(v6);
	v6->subnet_open = true;
	v6->subnet_full = false;
	v6->subnet = subnet;
	v6->low_first = v6->lows_count;
	v6->low_next = 0;
	return r;
}

/* A range inside one /64. */
static int put_in_subnet(struct kh_v6 *v6, kh_u128 first, kh_u128 last, uint32_t reference)
{
	int r = open_subnet(v6, (uint32_t)(first >> 64));

	return r < 0 ? r : low_put(v6, (uint64_t)first, (uint64_t)last, reference);
}

/* A range inside one /32: the head of a /64, whole ones, the tail of another. */
static int put_in_net(struct kh_v6 *v6, kh_u128 first, kh_u128 last, uint32_t reference)
{
	kh_u128 host = bits_below(64), tail = last + 1;
	int r = open_net(v6, (uint32_t)(first >> 96));

	if (r < 0)
		return r;
	if (first >> 64 == last >> 64 && (last - first) != host)
		return put_in_subnet(v6, first, last, reference);
	if (first & host) {
		r = put_in_subnet(v6, first, first | host, reference);
		if (r < 0)
			return r;
		first = (first | host) + 1;
	}
	if ((last & host) != host)
		tail = last & ~host;
	if (first != tail) {
		r = close_subnet(v6);
		if (r < 0)
			return r;
		r = mid_put(v6, (uint32_t)(first >> 64), (uint32_t)((tail - 1) >> 64), reference);
		if (r < 0)
			return r;
	}
	return (last & host) == host ? 0 : put_in_subnet(v6, tail, last, reference);
}

static int put(struct kh_sink *sink, kh_u128 first, kh_u128 last, uint32_t reference)
{
	struct kh_v6 *v6 = (struct kh_v6 *)sink;
	kh_u128 rest = bits_below(96), tail = last + 1; /* 0: up to the last address */
	int r;

	if (first >> 96 == last >> 96 && last - first != rest)
		return put_in_net(v6, first, last, reference);
	if (first & rest) {
		r = put_in_net(v6, first, first | rest, reference);
		if (r < 0)
			return r;
		first = (first | rest) + 1;
	}
	if ((last & rest) != rest)
		tail = last & ~rest;
	if (first != tail || !first) {
		r = close_net(v6);
		if (r < 0)
			return r;
		r = wide_put(v6, (uint32_t)(first >> 96), (uint32_t)((tail - 1) >> 96), reference);
		if (r < 0)
			return r;
	}
	return (last & rest) == rest ? 0 : put_in_net(v6, tail, last, reference);
}

/* ---- Orders -> ranges ------------------------------------------------------------------------ */

static int compare_first(const void *a, const void *b)
{
	const struct kh_span *span_a = a, *span_b = b;

	return (span_a->first > span_b->first) - (span_a->first < span_b->first);
}

/* The spans in order of their first address. The items are sorted by its high half only. */
static int collect_spans(const struct kh_compile_order *orders, const struct kh_sort_item *items, size_t count,
			 struct kh_span **ret_spans)
{
	struct kh_span *spans = malloc(count * sizeof(*spans));
	size_t end;

	if (!spans)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct kh_compile_order *order = &orders[items[i].order];

		spans[i] = (struct kh_span){ order->range.first, order->range.last, kh_link_of(order) };
	}
	for (size_t i = 0; i < count; i = end) {
		for (end = i + 1; end < count && items[end].key == items[i].key; end++)
			;
		if (end - i > 1)
			qsort(spans + i, end - i, sizeof(*spans), compare_first);
	}
	*ret_spans = spans;
	return 0;
}

/* Closes what is open and appends the wide slice to the mid section. */
static int finish(struct kh_v6 *v6)
{
	int r = close_net(v6);

	if (r < 0 || !v6->wide_count)
		return r;
	if (v6->wide_next <= UINT32_MAX) {
		r = wide_push(v6, v6->wide_next, KH_REF_NONE);
		if (r < 0)
			return r;
	}
	v6->mid_first = v6->mids_count;
	r = kh_grow(&v6->mids, &v6->mids_capacity, v6->mids_count + v6->wide_count, sizeof(*v6->mids));
	if (r < 0)
		return r;
	memcpy(v6->mids + v6->mids_count, v6->wide, v6->wide_count * sizeof(*v6->wide));
	v6->mids_count += v6->wide_count;
	r = mid_align(v6);
	v6->wide_first = v6->mid_first;
	return r;
}

int kh_v6_build(struct kh_v6 *v6, struct kh_chains *chains, const struct kh_compile_order *orders,
		struct kh_sort_item **items, size_t count)
{
	struct kh_flatten flatten KH_CLEANUP(kh_flatten_clear) = { .sink = &v6->sink, .chains = chains };
	struct kh_span *spans KH_CLEANUP(kh_freep) = NULL;
	int r;

	if (!count)
		return 0;
	v6->sink.put = put;
	r = kh_sort_items(items, count, 0);
	if (r < 0)
		return r;
	r = collect_spans(orders, *items, count, &spans);
	if (r < 0)
		return r;
	r = kh_flatten_spans(&flatten, spans, count);
	return r < 0 ? r : finish(v6);
}

void kh_v6_clear(struct kh_v6 *v6)
{
	free(v6->nets);
	free(v6->mids);
	free(v6->lows);
	free(v6->wide);
	*v6 = (struct kh_v6){};
}
