// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is this an image that may be installed? After 0, no look-up leaves its section or finds a reference to nothing, whatever
 * wrote the file. Says nothing about which orders it holds.
 */
#include "compile/private.h"

#include <errno.h>

#include "common/lang.h"

/* The image and the capacity of its sections, in elements. */
struct view {
	const uint8_t *data;
	const struct kh_image_header *header;
	uint64_t cells, entries, nets, mids, lones, lows, ports;
};

static const void *section(const struct view *view, uint32_t page)
{
	return view->data + (size_t)page * KH_PAGE_SIZE;
}

static bool reference_ok(const struct view *view, uint32_t reference)
{
	if (reference > KH_REF_MASK)
		return false;
	if (reference & KH_REF_CONDITIONAL)
		return (reference & KH_REF_INDEX) < view->header->orders_count;
	return !reference || reference < view->header->slots_needed;
}

/* Within its section. */
static bool slice_ok(uint64_t first, uint64_t count, uint64_t capacity)
{
	return count && first < capacity && count <= capacity - first;
}

static bool mask_ok(uint32_t mask, uint64_t capacity)
{
	return !(mask & (mask + 1)) && (uint64_t)mask + 1 == capacity;
}

/* A power of two from least to most, - 1. */
static bool mask_in(uint32_t mask, uint32_t least, uint32_t most)
{
	return !(mask & (mask + 1)) && mask >= least - 1 && mask < most;
}

/* Presence bits for `count` keys. */
static bool bits_ok(uint32_t mask, uint32_t count)
{
	return count ? mask_in(mask, KH_PAGE_SIZE * 8, KH_BITS_BYTES * 8) : !mask;
}

/* ---- Sections -------------------------------------------------------------------------------- */

/* The starts rise inside the net. */
static bool v4_slice_ok(const struct view *view, uint64_t first)
{
	const struct kh_entry *entries = section(view, view->header->v4_entries_page);
	uint64_t count = first < view->entries ? entries[first].start : 0;
	uint32_t before = 0;

	if (!slice_ok(first, count, view->entries))
		return false;
	/* within a page or beginning on one */
	if (count > KH_ENTRIES_PER_PAGE ? first % KH_ENTRIES_PER_PAGE
					: first % KH_ENTRIES_PER_PAGE + count > KH_ENTRIES_PER_PAGE)
		return false;
	for (uint64_t i = first + 1; i < first + count; before = entries[i++].start)
		if (entries[i].start <= before)
			return false;
	return !(before >> KH_V4_SHIFT);
}

static bool v4_cell_ok(const struct view *view, uint64_t cell)
{
	if (KH_CELL_KIND(cell) == KH_CELL_SLICE)
		return v4_slice_ok(view, cell & KH_CELL_FIRST);
	return !cell || (KH_CELL_KIND(cell) && reference_ok(view, cell & KH_CELL_FIRST));
}

static bool v4_ok(const struct view *view)
{
	const struct kh_image_base *base = section(view, 0);
	const uint64_t *cells = section(view, view->header->v4_cells_page);
	const struct kh_entry *entries = section(view, view->header->v4_entries_page);

	if (view->header->v4_wide_shift < KH_V4_WIDE_SHIFT_MIN || view->header->v4_wide_shift > KH_V4_WIDE_SHIFT_MAX ||
	    !view->header->filter_words || view->header->filter_words > KH_FILTER_WORDS)
		return false;
	for (uint32_t i = 0; i < KH_V4_BLOCKS; i++)
		if (!reference_ok(view, base->v4_common[i]))
			return false;
	for (uint64_t i = 0; i < view->cells; i++)
		if (!v4_cell_ok(view, cells[i]))
			return false;
	for (uint64_t i = 0; i < view->entries; i++)
		if (!reference_ok(view, entries[i].ref))
			return false;
	return true;
}

static bool v6_mid_ok(const struct view *view, uint32_t reference)
{
	const struct kh_v6_low *lows = section(view, view->header->v6_low_page);
	uint32_t index = reference & KH_V6_INDEX;

	if (KH_V6_SPAN(reference) > KH_V6_SPAN_MAX)
		return false;
	switch (KH_V6_KIND(reference)) {
	case KH_V6_REFERENCE:
		return reference_ok(view, index);
	case KH_V6_LONE:
		return index < view->lones;
	case KH_V6_LOW:
		return index < view->lows && slice_ok(index, lows[index].lines, view->lows);
	default:
		return false;
	}
}

/* It does not go on past the last address. */
static bool v6_lone_ok(const struct view *view, const struct kh_v6_lone *lone)
{
	return !(lone->ref >> 30) && reference_ok(view, lone->ref & KH_REF_MASK) && reference_ok(view, lone->around) &&
	       lone->start <= UINT64_MAX - ((UINT64_C(1) << KH_V6_SPAN(lone->ref)) - 1);
}

static bool v6_slices_ok(const struct view *view)
{
	const struct kh_v6_mid *mids = section(view, view->header->v6_mid_page);
	const struct kh_v6_lone *lones = section(view, view->header->v6_lone_page);
	const struct kh_v6_low *lows = section(view, view->header->v6_low_page);

	for (uint64_t i = 0; i < view->mids * KH_V6_MIDS; i++)
		if (!v6_mid_ok(view, mids[i / KH_V6_MIDS].ref[i % KH_V6_MIDS]))
			return false;
	for (uint64_t i = 0; i < view->lones; i++)
		if (!v6_lone_ok(view, &lones[i]))
			return false;
	for (uint64_t i = 0; i < view->lows * KH_V6_LOWS; i++)
		if (!reference_ok(view, lows[i / KH_V6_LOWS].ref[i % KH_V6_LOWS]))
			return false;
	return true;
}

/* The net's groups are those of its lines. */
static bool v6_net_ok(const struct view *view, const struct kh_v6_net *net)
{
	const struct kh_v6_mid *mids = section(view, view->header->v6_mid_page);

	if (net->lines == KH_V6_WHOLE)
		return reference_ok(view, net->first);
	if (!slice_ok(net->first, net->lines, view->mids) || net->group_shift > 31 ||
	    (uint64_t)KH_V6_GROUPS << net->group_shift < net->lines)
		return false;
	for (uint64_t i = 1; i < KH_V6_GROUPS; i++) {
		uint64_t line = i << net->group_shift;

		if (net->starts[i - 1] != (line < net->lines ? mids[net->first + line].start[0] : UINT32_MAX))
			return false;
	}
	return true;
}

static bool v6_ok(const struct view *view)
{
	const struct kh_image_header *header = view->header;
	const struct kh_v6_net *nets = section(view, header->v6_nets_page);
	uint64_t found = 0;

	if (header->v6_wide_lines && !slice_ok(header->v6_wide_first, header->v6_wide_lines, view->mids))
		return false;
	for (uint64_t i = 0; i < view->nets; i++) {
		if (!nets[i].lines)
			continue;
		if (!v6_net_ok(view, &nets[i]))
			return false;
		found++;
	}
	return found == header->v6_nets && v6_slices_ok(view);
}

static bool ports_ok(const struct view *view)
{
	const struct kh_port_entry *entries = section(view, view->header->ports_page);
	uint64_t found = 0;

	for (uint64_t i = 0; i < view->ports; i++) {
		if (!entries[i].family)
			continue;
		if (!reference_ok(view, entries[i].ref))
			return false;
		found++;
	}
	return found == view->header->ports_count;
}

static bool orders_ok(const struct view *view)
{
	const struct kh_order *orders = section(view, view->header->orders_page);

	for (uint32_t i = 0; i < view->header->orders_count; i++) {
		uint32_t under = orders[i].under;

		if (!orders[i].slot || orders[i].slot >= view->header->slots_needed ||
		    orders[i].action > KH_ACTION_MONITOR)
			return false;
		/* the compiler stores what is enclosed after what encloses it, so there can be no circle */
		if (!reference_ok(view, under) || ((under & KH_REF_CONDITIONAL) && (under & KH_REF_INDEX) >= i))
			return false;
	}
	return true;
}

/* ---- The header ------------------------------------------------------------------------------ */

/* Fills the view; false: the sections do not lie one after the other, or do not fit their masks and counts. */
static bool view_sections(const void *data, struct view *ret_view)
{
	const struct kh_image_header *header = data;
	const uint32_t starts[] = {
		KH_BASE_PAGES,	     header->v4_cells_page, header->v4_entries_page, header->v6_nets_page,
		header->v6_mid_page, header->v6_lone_page,  header->v6_low_page,     header->ports_page,
		header->orders_page, header->pages,
	};

	for (size_t i = 1; i < KH_ARRAY_SIZE(starts); i++)
		if (starts[i] < starts[i - 1])
			return false;
	*ret_view = (struct view){
		.data = data,
		.header = header,
		.cells = (uint64_t)(header->v4_entries_page - header->v4_cells_page) * KH_LINES_PER_PAGE *
			 KH_CELLS_PER_BUCKET,
		.entries = (uint64_t)(header->v6_nets_page - header->v4_entries_page) * KH_ENTRIES_PER_PAGE,
		.nets = (uint64_t)(header->v6_mid_page - header->v6_nets_page) * KH_LINES_PER_PAGE,
		.mids = (uint64_t)(header->v6_lone_page - header->v6_mid_page) * KH_LINES_PER_PAGE,
		.lones = (uint64_t)(header->v6_low_page - header->v6_lone_page) * KH_LINES_PER_PAGE *
			 KH_V6_LONES_PER_LINE,
		.lows = (uint64_t)(header->ports_page - header->v6_low_page) * KH_LINES_PER_PAGE,
		.ports = (uint64_t)(header->orders_page - header->ports_page) * KH_LINES_PER_PAGE * KH_PORTS_PER_BUCKET,
	};
	if (!header->v4_buckets || header->v4_buckets > ret_view->cells / KH_CELLS_PER_BUCKET)
		return false;
	if (!bits_ok(header->v6_bits_mask, header->v6_nets) || !bits_ok(header->ports_bits_mask, header->ports_count))
		return false;
	if (header->v6_nets && !mask_ok(header->v6_nets_mask, ret_view->nets))
		return false;
	if (header->ports_count && !mask_ok(header->ports_mask, ret_view->ports / KH_PORTS_PER_BUCKET))
		return false;
	return header->orders_count <= (uint64_t)(header->pages - header->orders_page) * KH_ORDERS_PER_PAGE &&
	       header->slots_needed && header->slots_needed <= KH_SLOT_MAX + 1;
}

int kh_image_check(const void *data, size_t length, struct kh_error *error)
{
	const struct kh_image_header *header = data;
	struct view view;

	if (length < KH_BASE_PAGES * KH_PAGE_SIZE || length % KH_PAGE_SIZE)
		return kh_fail(error, -EINVAL, _("The generation image is cut short: %zu bytes"), length);
	if (header->magic != KH_IMAGE_MAGIC)
		return kh_fail(error, -EINVAL, _("This is not a generation image"));
	if (header->abi_version != KH_ABI_VERSION)
		return kh_fail(error, -EINVAL, _("The generation image has version %u, this program needs %u"),
			       header->abi_version, KH_ABI_VERSION);
	if (header->pages > KH_IMAGE_MAX_PAGES || header->pages != length / KH_PAGE_SIZE)
		return kh_fail(error, -EINVAL, _("The generation image should have %u pages and has %zu"),
			       header->pages, length / KH_PAGE_SIZE);
	if (header->checksum != kh_image_checksum(data, length))
		return kh_fail(error, -EINVAL, _("The generation image is damaged: its checksum is wrong"));
	if (!view_sections(data, &view) || !orders_ok(&view) || !v4_ok(&view) || !v6_ok(&view) || !ports_ok(&view))
		return kh_fail(error, -EINVAL, _("The generation image contradicts itself"));
	return 0;
}
