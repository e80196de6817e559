// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IPv6: disjoint ranges in ascending order -> the wide slice (whole /32s), mid slices (whole /64s of a /32) and, for the parts of a
 * /64, a lone entry or a low slice.
 *
 * One /32 and one /64 are open at a time. When one is closed and turns out uniform, it goes to the level above.
 */
#include "compile/private.h"

#include <errno.h>

static kh_u128 bits_below(unsigned int count)
{
	return ((kh_u128)1 << count) - 1;
}

/* ---- /32s ------------------------------------------------------------------------------------ */

static int push_net(struct kh_v6 *v6, struct kh_v6_net net)
{
	int r = kh_grow(&v6->nets, &v6->nets_capacity, v6->nets_count + 1, sizeof(*v6->nets));

	if (r < 0)
		return r;
	if (v6->wide.count && v6->wide.next == net.key) {
		/* a net is found first, so the wide slice need not be interrupted */
		v6->wide.next++;
		v6->wide.full = net.key == UINT32_MAX;
	}
	v6->nets[v6->nets_count++] = net;
	return 0;
}

/* Whole /32s, first to last: few are nets, which the presence bits keep out of the way of all others. */
static int wide_put(struct kh_v6 *v6, uint32_t first, uint32_t last, uint32_t reference)
{
	int r = 0;

	if (last - first >= KH_V6_WIDE_MIN - 1)
		return kh_slice_put(&v6->wide, first, last, UINT32_MAX, reference);
	for (uint64_t net = first; net <= last && r >= 0; net++)
		r = push_net(v6, (struct kh_v6_net){ .key = (uint32_t)net, .lines = KH_V6_WHOLE, .first = reference });
	return r;
}

/* The /32 at hand, with its slice. */
static int push_slice(struct kh_v6 *v6)
{
	struct kh_v6_net net = { .key = v6->net };
	int r = kh_mids_append(v6, &v6->mid, &net.first, &net.lines);

	if (r < 0)
		return r;
	while (net.lines > KH_V6_GROUPS << net.group_shift)
		net.group_shift++;
	for (uint64_t i = 1; i < KH_V6_GROUPS; i++)
		net.starts[i - 1] = i << net.group_shift < net.lines
					    ? v6->mids[net.first + (i << net.group_shift)].start[0]
					    : UINT32_MAX;
	return push_net(v6, net);
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static int close_subnet(struct kh_v6 *v6)
{
	uint32_t reference;
	int r;

	if (!v6->subnet_open)
		return 0;
	v6->subnet_open = false;
	r = kh_slice_end(&v6->low);
	if (r < 0)
		return r;
	reference = v6->low.steps[0].ref;
	if (v6->low.count > 1)
		r = kh_subnet_append(v6, &reference);
	return r < 0 ? r : kh_slice_put(&v6->mid, v6->subnet, v6->subnet, UINT32_MAX, reference);
}

static int close_net(struct kh_v6 *v6)
{
	int r = close_subnet(v6);

	if (r < 0 || !v6->net_open)
		return r;
	v6->net_open = false;
	r = kh_slice_end(&v6->mid);
	if (r < 0)
		return r;
	if (v6->mid.count == 1)
		return wide_put(v6, v6->net, v6->net, v6->mid.steps[0].ref);
	return push_slice(v6);
}

static int open_net(struct kh_v6 *v6, uint32_t net)
{
	int r;

	if (v6->net_open && v6->net == net)
		return 0;
	r = close_net(v6);
	v6->net_open = true;
	v6->net = net;
	kh_slice_start(&v6->mid);
	return r;
}

static int open_subnet(struct kh_v6 *v6, uint32_t subnet)
{
	int r;

	if (v6->subnet_open && v6->subnet == subnet)
		return 0;
	r = close_subnet(v6);
	v6->subnet_open = true;
	v6->subnet = subnet;
	kh_slice_start(&v6->low);
	return r;
}

/* A range inside one /64. */
static int put_in_subnet(struct kh_v6 *v6, kh_u128 first, kh_u128 last, uint32_t reference)
{
	int r = open_subnet(v6, (uint32_t)(first >> 64));

	return r < 0 ? r : kh_slice_put(&v6->low, (uint64_t)first, (uint64_t)last, UINT64_MAX, reference);
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
		r = kh_slice_put(&v6->mid, (uint32_t)(first >> 64), (uint32_t)((tail - 1) >> 64), UINT32_MAX,
				 reference);
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

	if (r < 0 || !v6->wide.count)
		return r;
	r = kh_slice_end(&v6->wide);
	return r < 0 ? r : kh_mids_append(v6, &v6->wide, &v6->wide_first, &v6->wide_lines);
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
	free(v6->lones);
	free(v6->lows);
	free(v6->wide.steps);
	free(v6->mid.steps);
	free(v6->low.steps);
	*v6 = (struct kh_v6){};
}
