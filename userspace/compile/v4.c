// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IPv4: disjoint ranges in ascending order -> level 1 blocks, cells and entries.
 *
 * A /24 is kept open while ranges fall into it, then becomes a cell; 64 cells are kept open, then become a block, whose
 * common reference (the one most of its /24s have) saves their cells.
 */
#include "compile/private.h"

#include <errno.h>
#include <string.h>

#define REFERENCE(cell) ((uint32_t)(cell)&KH_REF_MASK)

static uint64_t lonely(unsigned int octet, uint32_t reference, uint32_t others)
{
	return (uint64_t)KH_CELL_LONELY << 62 | (uint64_t)octet << 48 | (uint64_t)others << KH_REF_BITS | reference;
}

static uint64_t uniform(uint32_t reference)
{
	return lonely(0, reference, reference);
}

static bool is_uniform(uint64_t cell)
{
	return KH_CELL_KIND(cell) == KH_CELL_LONELY && REFERENCE(cell) == REFERENCE(cell >> KH_REF_BITS);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* The reference of most uniform /24s of the block at hand; `untouched` ones have none. */
static uint32_t common_reference(const struct kh_v4 *v4, unsigned int untouched)
{
	unsigned int best = untouched;
	struct {
		uint32_t reference;
		unsigned int count;
	} counts[128] = {};
	uint32_t common = KH_REF_NONE;

	for (uint64_t rest = v4->touched; rest; rest &= rest - 1) {
		uint64_t cell = v4->block_cells[__builtin_ctzll(rest)];
		unsigned int at;

		if (!is_uniform(cell))
			continue;
		at = (REFERENCE(cell) * 0x9e3779b9u) >> 25;
		while (counts[at].count && counts[at].reference != REFERENCE(cell))
			at = (at + 1) & 127;
		counts[at].reference = REFERENCE(cell);
		if (++counts[at].count > best) {
			best = counts[at].count;
			common = REFERENCE(cell);
		}
	}
	return common;
}

/* A block of which most is one reference: a mask of what differs, that reference, and the cells that differ. */
static void push_common(struct kh_v4 *v4, uint32_t common)
{
	size_t first = v4->cells_count;
	uint64_t differs = 0;

	v4->rank[v4->block] = KH_V4_COMMON | (uint32_t)first;
	v4->present[v4->block] = UINT64_MAX;
	v4->cells_count += 2;
	for (unsigned int net = 0; net < 64; net++) {
		if (v4->touched & UINT64_C(1) << net ? v4->block_cells[net] == uniform(common) : !common)
			continue;
		differs |= UINT64_C(1) << net;
		v4->cells[v4->cells_count++] = v4->touched & UINT64_C(1) << net ? v4->block_cells[net] : uniform(0);
	}
	v4->cells[first] = differs;
	v4->cells[first + 1] = common;
	if (differs)
		return;
	v4->cells_count = first;
	v4->rank[v4->block] = KH_V4_UNIFORM | common;
}

static int close_block(struct kh_v4 *v4)
{
	unsigned int untouched = 64 - (unsigned int)__builtin_popcountll(v4->touched);
	uint32_t common;
	int r;

	if (!v4->touched)
		return 0;
	r = kh_grow(&v4->cells, &v4->cells_capacity, v4->cells_count + 66, sizeof(*v4->cells));
	if (r < 0)
		return r;
	common = untouched < 32 ? common_reference(v4, untouched) : KH_REF_NONE;
	if (common) {
		push_common(v4, common);
	} else {
		v4->rank[v4->block] = (uint32_t)v4->cells_count;
		v4->present[v4->block] = v4->touched;
		for (uint64_t rest = v4->touched; rest; rest &= rest - 1)
			v4->cells[v4->cells_count++] = v4->block_cells[__builtin_ctzll(rest)];
	}
	v4->touched = 0;
	return 0;
}

static int set_cell(struct kh_v4 *v4, uint32_t net, uint64_t cell)
{
	if (net >> 6 != v4->block) {
		int r = close_block(v4);

		if (r < 0)
			return r;
		v4->block = net >> 6;
	}
	v4->block_cells[net & 63] = cell;
	v4->touched |= UINT64_C(1) << (net & 63);
	return 0;
}

/* Whole /24s, first to last. */
static int put_nets(struct kh_v4 *v4, uint32_t first, uint32_t last, uint32_t reference)
{
	for (uint32_t net = first; net <= last;) {
		int r;

		if (!(net & 63) && last - net >= 63) {
			v4->rank[net >> 6] = KH_V4_UNIFORM | reference;
			v4->present[net >> 6] = UINT64_MAX;
			net += 64;
			continue;
		}
		r = set_cell(v4, net++, uniform(reference));
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- One /24 --------------------------------------------------------------------------------- */

static void push_entry(struct kh_v4 *v4, unsigned int octet, uint32_t reference)
{
	if (!v4->slice_count || REFERENCE(v4->slice[v4->slice_count - 1]) != reference)
		v4->slice[v4->slice_count++] = octet << KH_REF_BITS | reference;
}

static void put_octets(struct kh_v4 *v4, unsigned int first, unsigned int last, uint32_t reference)
{
	if (first > v4->next_octet)
		push_entry(v4, v4->next_octet, KH_REF_NONE);
	push_entry(v4, first, reference);
	v4->next_octet = last + 1;
}

/* The slice's place in the entries; it must not cross a page. */
static int store_slice(struct kh_v4 *v4, uint64_t *ret_cell)
{
	size_t first = v4->entries_count, room = KH_V4_ENTRIES_PER_PAGE - first % KH_V4_ENTRIES_PER_PAGE;
	int r;

	if (v4->slice_count > room)
		first += room;
	r = kh_grow(&v4->entries, &v4->entries_capacity, first + v4->slice_count, sizeof(*v4->entries));
	if (r < 0)
		return r;
	memset(v4->entries + v4->entries_count, 0, (first - v4->entries_count) * sizeof(*v4->entries));
	memcpy(v4->entries + first, v4->slice, v4->slice_count * sizeof(*v4->entries));
	v4->entries_count = first + v4->slice_count;
	*ret_cell = (uint64_t)KH_CELL_SLICE << 62 | (uint64_t)v4->slice_count << 32 | first;
	return 0;
}

static int close_net(struct kh_v4 *v4)
{
	const uint32_t *slice = v4->slice;
	uint64_t cell;
	int r;

	if (!v4->net_open)
		return 0;
	if (v4->next_octet < 256)
		push_entry(v4, v4->next_octet, KH_REF_NONE);
	v4->net_open = false;
	if (v4->slice_count == 1) {
		cell = uniform(REFERENCE(slice[0]));
	} else if (v4->slice_count == 2 && slice[1] >> KH_REF_BITS == 1) {
		cell = lonely(0, REFERENCE(slice[0]), REFERENCE(slice[1]));
	} else if (v4->slice_count == 2 && slice[1] >> KH_REF_BITS == 255) {
		cell = lonely(255, REFERENCE(slice[1]), REFERENCE(slice[0]));
	} else if (v4->slice_count == 3 && REFERENCE(slice[0]) == REFERENCE(slice[2]) &&
		   (slice[2] >> KH_REF_BITS) - (slice[1] >> KH_REF_BITS) == 1) {
		cell = lonely(slice[1] >> KH_REF_BITS, REFERENCE(slice[1]), REFERENCE(slice[0]));
	} else {
		r = store_slice(v4, &cell);
		if (r < 0)
			return r;
	}
	return set_cell(v4, v4->net, cell);
}

static int open_net(struct kh_v4 *v4, uint32_t net)
{
	int r = 0;

	if (!v4->net_open || v4->net != net) {
		r = close_net(v4);
		v4->net = net;
		v4->net_open = true;
		v4->slice_count = v4->next_octet = 0;
	}
	return r;
}

static int put(struct kh_sink *sink, kh_u128 first_address, kh_u128 last_address, uint32_t reference)
{
	struct kh_v4 *v4 = (struct kh_v4 *)sink;
	uint32_t first = (uint32_t)first_address, last = (uint32_t)last_address;
	uint32_t net = first >> 8, last_net = last >> 8;
	int r;

	if ((first & 255) || (net == last_net && (last & 255) != 255)) { /* the rest of a /24, or a part */
		r = open_net(v4, net);
		if (r < 0)
			return r;
		put_octets(v4, first & 255, net == last_net ? last & 255 : 255, reference);
		if (net == last_net)
			return 0;
		net++;
	}
	r = close_net(v4);
	if (r < 0)
		return r;
	if ((last & 255) == 255)
		return put_nets(v4, net, last_net, reference);
	if (net < last_net) {
		r = put_nets(v4, net, last_net - 1, reference);
		if (r < 0)
			return r;
	}
	r = open_net(v4, last_net);
	if (r < 0)
		return r;
	put_octets(v4, 0, last & 255, reference);
	return 0;
}

/* ---- Orders -> ranges ------------------------------------------------------------------------ */

static uint32_t item_first(const struct kh_sort_item *item)
{
	return (uint32_t)(item->key >> 32);
}

static uint32_t item_last(const struct kh_sort_item *item)
{
	return (uint32_t)item->key;
}

static int put_single(struct kh_v4 *v4, struct kh_chains *chains, const struct kh_sort_item *item)
{
	struct kh_link link = { item->deadline, item->order };
	uint32_t reference;
	int r = kh_chains_intern(chains, &link, 1, &reference);

	return r < 0 ? r : kh_sink_put(&v4->sink, item_first(item), item_last(item), reference);
}

static int sweep(struct kh_v4 *v4, struct kh_flatten *flatten, const struct kh_sort_item *items, size_t count)
{
	struct kh_span *spans KH_CLEANUP(kh_freep) = NULL;
	size_t capacity = 0, end;
	int r = 0;

	for (size_t i = 0; i < count && r >= 0; i = end) {
		uint32_t last = item_last(&items[i]);

		for (end = i + 1; end < count && item_first(&items[end]) <= last; end++)
			last = item_last(&items[end]) > last ? item_last(&items[end]) : last;
		if (end == i + 1) {
			r = put_single(v4, flatten->chains, &items[i]);
			continue;
		}
		r = kh_grow(&spans, &capacity, end - i, sizeof(*spans));
		if (r < 0)
			return r;
		for (size_t j = i; j < end; j++)
			spans[j - i] = (struct kh_span){ item_first(&items[j]),
							 item_last(&items[j]),
							 { items[j].deadline, items[j].order } };
		r = kh_flatten_group(flatten, spans, end - i);
	}
	return r;
}

int kh_v4_build(struct kh_v4 *v4, struct kh_chains *chains, struct kh_sort_item **items, size_t count)
{
	struct kh_flatten flatten KH_CLEANUP(kh_flatten_clear) = { .sink = &v4->sink, .chains = chains };
	int r;

	v4->sink.put = put;
	v4->present = calloc(KH_V4_BLOCKS, sizeof(*v4->present));
	v4->rank = calloc(KH_V4_BLOCKS, sizeof(*v4->rank));
	if (!v4->present || !v4->rank)
		return -ENOMEM;
	r = kh_sort_items(items, count, 32);
	if (r < 0)
		return r;
	r = sweep(v4, &flatten, *items, count);
	if (r < 0)
		return r;
	r = close_net(v4);
	if (r < 0)
		return r;
	return close_block(v4);
}

void kh_v4_clear(struct kh_v4 *v4)
{
	free(v4->present);
	free(v4->rank);
	free(v4->cells);
	free(v4->entries);
	*v4 = (struct kh_v4){};
}
