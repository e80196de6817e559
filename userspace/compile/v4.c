// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IPv4: disjoint ranges in ascending order -> blocks, cells and entries.
 *
 * A net (a /24) is kept open while ranges fall into it, then becomes a cell; the cells of 64 nets are kept, then become a block, whose
 * common reference (the one most of its whole nets have) saves their cells. All cells are then hashed (cells.c), and what they say is
 * put into the presence bits (filter.c).
 */
#include "compile/private.h"

#include <errno.h>
#include <string.h>

#define ENTRIES_MAX ((size_t)KH_CELL_FIRST + 1)
#define BLOCK_NETS 64

static uint64_t cell_of(uint32_t address, uint32_t kind, uint32_t payload)
{
	return (uint64_t)address << 32 | kind << 30 | payload;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* The reference of most of the whole nets among the cells of the block at hand, and of how many. */
static uint32_t common_reference(const struct kh_v4 *v4, size_t *ret_nets)
{
	struct {
		uint32_t reference;
		unsigned int count;
	} counts[2 * BLOCK_NETS] = {};
	unsigned int best = 0;
	uint32_t common = KH_REF_NONE;

	for (size_t i = v4->block_first; i < v4->cells_count; i++) {
		uint32_t reference = (uint32_t)v4->cells[i] & KH_REF_MASK;
		unsigned int at = (reference * 0x9e3779b9u) >> 25;

		if (KH_CELL_KIND(v4->cells[i]) != KH_CELL_NET)
			continue;
		while (counts[at].count && counts[at].reference != reference)
			at = (at + 1) % KH_ARRAY_SIZE(counts);
		counts[at].reference = reference;
		if (++counts[at].count > best) {
			best = counts[at].count;
			common = reference;
		}
	}
	*ret_nets = best;
	return common;
}

/* What most whole nets of a block have is the block's, where that saves cells: those nets need none, but the nets with no order do. The room
 * for them was made with the block's first cell. */
static void close_block(struct kh_v4 *v4)
{
	size_t held = v4->cells_count - v4->block_first, kept = v4->block_first, nets = 0;
	uint32_t common = v4->whole_nets ? common_reference(v4, &nets) : KH_REF_NONE;
	uint64_t empty = UINT64_MAX;

	if (nets > BLOCK_NETS - held) {
		for (size_t i = v4->block_first; i < v4->cells_count; i++) {
			empty &= ~(UINT64_C(1) << (v4->cells[i] >> (32 + KH_V4_SHIFT)) % BLOCK_NETS);
			if (KH_CELL_KIND(v4->cells[i]) != KH_CELL_NET ||
			    ((uint32_t)v4->cells[i] & KH_REF_MASK) != common)
				v4->cells[kept++] = v4->cells[i];
		}
		for (; empty; empty &= empty - 1) {
			uint32_t net = v4->block * BLOCK_NETS + (uint32_t)__builtin_ctzll(empty);

			v4->cells[kept++] = cell_of(net << KH_V4_SHIFT, KH_CELL_NET, KH_REF_NONE);
		}
		v4->cells_count = kept;
		v4->common[v4->block] = common;
	}
	v4->whole_nets = 0;
	v4->block_first = v4->cells_count;
}

static int set_cell(struct kh_v4 *v4, uint32_t net, uint64_t cell)
{
	if (net / BLOCK_NETS != v4->block || !v4->cells_capacity) {
		int r;

		close_block(v4);
		r = kh_grow(&v4->cells, &v4->cells_capacity, v4->cells_count + BLOCK_NETS, sizeof(*v4->cells));
		if (r < 0)
			return r;
		v4->block = net / BLOCK_NETS;
	}
	v4->cells[v4->cells_count++] = cell;
	v4->whole_nets += KH_CELL_KIND(cell) == KH_CELL_NET;
	return 0;
}

/* Whole nets, first to last. */
static int put_nets(struct kh_v4 *v4, uint32_t first, uint32_t last, uint32_t reference)
{
	for (uint32_t net = first; net <= last;) {
		int r;

		if (!(net % BLOCK_NETS) && last - net >= BLOCK_NETS - 1) {
			v4->common[net / BLOCK_NETS] = reference;
			net += BLOCK_NETS;
			continue;
		}
		r = set_cell(v4, net, cell_of(net << KH_V4_SHIFT, KH_CELL_NET, reference));
		net++;
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- One net --------------------------------------------------------------------------------- */

static int push_entry(struct kh_v4 *v4, uint32_t offset, uint32_t reference)
{
	int r;

	if (v4->entries_count > v4->slice_first && v4->entries[v4->entries_count - 1].ref == reference)
		return 0;
	if (v4->entries_count >= ENTRIES_MAX)
		return -E2BIG;
	r = kh_grow(&v4->entries, &v4->entries_capacity, v4->entries_count + 1, sizeof(*v4->entries));
	if (r < 0)
		return r;
	v4->entries[v4->entries_count++] = (struct kh_entry){ offset, reference };
	return 0;
}

static int push_range(struct kh_v4 *v4, uint32_t first, uint32_t last, uint32_t reference)
{
	int r;

	if (first > v4->next_offset) {
		r = push_entry(v4, v4->next_offset, KH_REF_NONE);
		if (r < 0)
			return r;
	}
	v4->next_offset = last + 1;
	return push_entry(v4, first, reference);
}

/* Moves the slice at the end of the entries to where it may be, and returns where that is. */
static int store_slice(struct kh_v4 *v4, uint32_t *ret_first)
{
	size_t count = v4->entries_count - v4->slice_first;
	size_t first = v4->slice_first, used = first % KH_ENTRIES_PER_PAGE;
	int r;

	if (used && used + count > KH_ENTRIES_PER_PAGE)
		first += KH_ENTRIES_PER_PAGE - used; /* within a page, or on one */
	if (first != v4->slice_first) {
		r = kh_grow(&v4->entries, &v4->entries_capacity, first + count, sizeof(*v4->entries));
		if (r < 0)
			return r;
		memmove(v4->entries + first, v4->entries + v4->slice_first, count * sizeof(*v4->entries));
		memset(v4->entries + v4->slice_first, 0, (first - v4->slice_first) * sizeof(*v4->entries));
		v4->entries_count = first + count;
	}
	v4->entries[first].start = (uint32_t)count;
	*ret_first = (uint32_t)first;
	return 0;
}

/* The cell of a net that is one order or has one address only; 0: it needs its slice. */
static uint64_t small_cell(const struct kh_v4 *v4, const struct kh_entry *slice, size_t count)
{
	uint32_t address = v4->net << KH_V4_SHIFT, last = (1u << KH_V4_SHIFT) - 1;

	if (count == 1)
		return cell_of(address, KH_CELL_NET, slice[0].ref);
	if (count == 2 && slice[1].start == 1 && !slice[1].ref)
		return cell_of(address, KH_CELL_ADDRESS, slice[0].ref);
	if (count == 2 && slice[1].start == last && !slice[0].ref)
		return cell_of(address | last, KH_CELL_ADDRESS, slice[1].ref);
	if (count == 3 && !slice[0].ref && !slice[2].ref && slice[2].start - slice[1].start == 1)
		return cell_of(address | slice[1].start, KH_CELL_ADDRESS, slice[1].ref);
	return 0;
}

static int close_net(struct kh_v4 *v4)
{
	uint32_t first;
	uint64_t cell;
	int r;

	if (!v4->net_open)
		return 0;
	v4->net_open = false;
	if (v4->next_offset < 1u << KH_V4_SHIFT) {
		r = push_entry(v4, v4->next_offset, KH_REF_NONE);
		if (r < 0)
			return r;
	}
	cell = small_cell(v4, v4->entries + v4->slice_first, v4->entries_count - v4->slice_first);
	if (cell) {
		v4->entries_count = v4->slice_first;
	} else {
		r = store_slice(v4, &first);
		if (r < 0)
			return r;
		cell = cell_of(v4->net << KH_V4_SHIFT, KH_CELL_SLICE, first);
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
		v4->slice_first = v4->entries_count;
		v4->next_offset = 0;
	}
	return r;
}

static int put(struct kh_sink *sink, kh_u128 first_address, kh_u128 last_address, uint32_t reference)
{
	struct kh_v4 *v4 = (struct kh_v4 *)sink;
	uint32_t first = (uint32_t)first_address, last = (uint32_t)last_address, rest = (1u << KH_V4_SHIFT) - 1;
	uint32_t net = first >> KH_V4_SHIFT, last_net = last >> KH_V4_SHIFT;
	int r;

	if ((first & rest) || (net == last_net && (last & rest) != rest)) { /* the rest of a net, or a part */
		r = open_net(v4, net);
		if (r < 0)
			return r;
		r = push_range(v4, first & rest, net == last_net ? last & rest : rest, reference);
		if (net == last_net || r < 0)
			return r;
		net++;
	}
	r = close_net(v4);
	if (r < 0)
		return r;
	if ((last & rest) == rest)
		return put_nets(v4, net, last_net, reference);
	if (net < last_net) {
		r = put_nets(v4, net, last_net - 1, reference);
		if (r < 0)
			return r;
	}
	r = open_net(v4, last_net);
	if (r < 0)
		return r;
	return push_range(v4, 0, last & rest, reference);
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

/* Is this address, which meets no other order, alone in its net, and in no hole? `next`: the item after it, or NULL. */
static bool is_alone(struct kh_v4 *v4, const struct kh_sort_item *item, const struct kh_sort_item *next)
{
	uint32_t first = item_first(item), net = first >> KH_V4_SHIFT;

	return first == item_last(item) && (!v4->net_open || v4->net != net) &&
	       (!next || item_first(next) >> KH_V4_SHIFT != net) && kh_sink_is_clear(&v4->sink, first, first);
}

/* Nearly all of a long list: its cell at once. */
static int put_alone(struct kh_v4 *v4, uint32_t address, uint32_t reference)
{
	int r = close_net(v4);

	return r < 0 ? r : set_cell(v4, address >> KH_V4_SHIFT, cell_of(address, KH_CELL_ADDRESS, reference));
}

static int put_single(struct kh_v4 *v4, struct kh_chains *chains, const struct kh_sort_item *item,
		      const struct kh_sort_item *next)
{
	struct kh_link link = { item->deadline, item->order };
	uint32_t reference = KH_LINK_SLOT(link);
	int r = kh_link_is_plain(link) ? 0 : kh_chains_intern(chains, &link, 1, &reference);

	if (r < 0)
		return r;
	if (is_alone(v4, item, next))
		return put_alone(v4, item_first(item), reference);
	return kh_sink_put(&v4->sink, item_first(item), item_last(item), reference);
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
			r = put_single(v4, flatten->chains, &items[i], end < count ? &items[end] : NULL);
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
	v4->common = calloc(KH_V4_BLOCKS, sizeof(*v4->common));
	if (!v4->common)
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
	close_block(v4);
	return 0;
}

void kh_v4_clear(struct kh_v4 *v4)
{
	free(v4->common);
	free(v4->cells);
	free(v4->entries);
	*v4 = (struct kh_v4){};
}
