// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image asked in user space: the walk of bpf/match.h, in C. A page beyond the image gives NULL, as it does there.
 */
#include "compile/private.h"

static const void *page_of(const struct kh_image *image, uint64_t page)
{
	return page < image->pages ? (const uint8_t *)image->data + page * KH_PAGE_SIZE : NULL;
}

/* A line of 64 bytes of the section, or NULL. */
static const void *line_of(const struct kh_image *image, uint32_t section, uint64_t line)
{
	const uint8_t *page = page_of(image, section + line / KH_LINES_PER_PAGE);

	return page ? page + line % KH_LINES_PER_PAGE * KH_LINE_BYTES : NULL;
}

/* ---- IPv4 ------------------------------------------------------------------------------------ */

/* The page of a slice of `pages` pages that holds the key, by the first entry of each. */
static uint64_t slice_page(const struct kh_image *image, uint64_t page, uint32_t pages, uint32_t key)
{
	uint32_t low = 0, high = pages;

	for (int i = 0; i < KH_SLICE_SEARCH_STEPS && high - low > 1; i++) {
		uint32_t middle = low + (high - low) / 2;
		const struct kh_entry *entries = page_of(image, page + middle);

		if (!entries)
			return page;
		if (entries->start <= key)
			low = middle;
		else
			high = middle;
	}
	return page + low;
}

static uint32_t lookup_slice(const struct kh_image *image, uint32_t first, uint32_t key)
{
	uint64_t page = (uint64_t)kh_image_header(image)->v4_entries_page + first / KH_ENTRIES_PER_PAGE, found;
	uint32_t at = first % KH_ENTRIES_PER_PAGE, count;
	const struct kh_entry *entries = page_of(image, page);

	if (!entries)
		return KH_REF_NONE;
	count = entries[at].start;
	if (count > KH_ENTRIES_PER_PAGE) {
		found = slice_page(image, page, (count - 1) / KH_ENTRIES_PER_PAGE + 1, key);
		count -= (uint32_t)(found - page) * KH_ENTRIES_PER_PAGE;
		entries = page_of(image, found);
		if (!entries)
			return KH_REF_NONE;
	}
	count = count > KH_ENTRIES_PER_PAGE - at ? KH_ENTRIES_PER_PAGE : at + count;
	for (uint32_t step = KH_ENTRIES_PER_PAGE / 2; step; step /= 2)
		if (at + step < count && entries[at + step].start <= key)
			at += step;
	return entries[at].ref & KH_REF_MASK;
}

static uint64_t find_cell(const struct kh_image *image, uint32_t address)
{
	const struct kh_image_header *header = kh_image_header(image);
	uint64_t hash = kh_hash_net(header->v4_seed, address >> KH_V4_SHIFT);

	for (uint32_t home = 0; home < KH_CELL_HOMES; home++, hash <<= 32) {
		uint64_t bucket = (hash >> 32) * header->v4_buckets >> 32;
		const uint64_t *cells = line_of(image, header->v4_cells_page, bucket);

		if (!cells)
			return 0;
		for (uint32_t i = 0; i < KH_CELLS_PER_BUCKET; i++) {
			if (!cells[i])
				return 0;
			if ((cells[i] >> 32 ^ address) >> KH_V4_SHIFT == 0)
				return cells[i];
		}
	}
	return 0;
}

static bool filter_knows(const struct kh_image_base *base, uint64_t hash)
{
	return kh_filter_has(base->filter[kh_filter_word(hash, base->header.filter_words) % KH_FILTER_WORDS], hash);
}

bool kh_image_may_hold_v4(const struct kh_image *image, uint32_t address)
{
	const struct kh_image_base *base = image->data;
	uint32_t wide = address >> (base->header.v4_wide_shift & 31);

	return filter_knows(base, kh_hash_v4(base->header.v4_seed, address)) ||
	       base->v4_wide[wide / 64 % KH_V4_WIDE_WORDS] >> wide % 64 & 1;
}

static uint32_t lookup_v4(const struct kh_image *image, uint32_t address)
{
	const struct kh_image_base *base = image->data;
	uint64_t cell;

	if (!kh_image_may_hold_v4(image, address))
		return KH_REF_NONE;
	cell = find_cell(image, address);
	if (!cell)
		return base->v4_common[address >> KH_V4_SHIFT >> 6] & KH_REF_MASK;
	if (KH_CELL_KIND(cell) == KH_CELL_SLICE)
		return lookup_slice(image, (uint32_t)cell & KH_CELL_FIRST, address & ((1u << KH_V4_SHIFT) - 1));
	if (KH_CELL_KIND(cell) == KH_CELL_ADDRESS && cell >> 32 != address)
		return KH_REF_NONE;
	return (uint32_t)cell & KH_REF_MASK;
}

/* ---- IPv6 ------------------------------------------------------------------------------------ */

/* The line in [line, end) of a slice that holds the key, by the first start of each. */
static uint64_t find_line(const struct kh_image *image, uint32_t section, uint64_t line, uint64_t end, uint64_t key,
			  bool wide)
{
	while (end - line > 1) {
		uint64_t middle = line + (end - line) / 2;
		const void *starts = line_of(image, section, middle);

		if (!starts)
			return line;
		if ((wide ? *(const uint64_t *)starts : *(const uint32_t *)starts) <= key)
			line = middle;
		else
			end = middle;
	}
	return line;
}

static uint32_t lookup_lone(const struct kh_image *image, uint32_t index, uint64_t key)
{
	const struct kh_v6_lone *lone =
		line_of(image, kh_image_header(image)->v6_lone_page, index / KH_V6_LONES_PER_LINE);

	if (!lone)
		return KH_REF_NONE;
	lone += index % KH_V6_LONES_PER_LINE;
	return ((key - lone->start) >> KH_V6_SPAN(lone->ref) ? lone->around : lone->ref) & KH_REF_MASK;
}

static uint32_t lookup_low(const struct kh_image *image, uint32_t first, uint64_t key)
{
	uint32_t section = kh_image_header(image)->v6_low_page, at = KH_V6_LOWS - 1;
	const struct kh_v6_low *line = line_of(image, section, first);

	if (!line)
		return KH_REF_NONE;
	line = line_of(image, section, find_line(image, section, first, (uint64_t)first + line->lines, key, true));
	if (!line)
		return KH_REF_NONE;
	while (at && line->start[at] > key)
		at--;
	return line->ref[at];
}

static uint32_t lookup_mid(const struct kh_image *image, uint64_t first, uint64_t end, uint32_t key)
{
	uint32_t section = kh_image_header(image)->v6_mid_page, at = KH_V6_MIDS - 1;
	const struct kh_v6_mid *line = line_of(image, section, find_line(image, section, first, end, key, false));

	if (!line)
		return KH_REF_NONE;
	while (at && line->start[at] > key)
		at--;
	return ((uint64_t)key - line->start[at]) >> KH_V6_SPAN(line->ref[at]) ? KH_REF_NONE : line->ref[at];
}

static bool bit_set(const uint8_t bits[static KH_BITS_BYTES], uint32_t mask, uint32_t hash)
{
	uint32_t bit = hash & mask;

	return bits[(bit >> 3) % KH_BITS_BYTES] >> (bit & 7) & 1;
}

bool kh_image_may_hold_v6(const struct kh_image *image, uint64_t high)
{
	const struct kh_image_base *base = image->data;
	uint64_t seed = base->header.hash_seed;
	uint32_t at = kh_hash_word(seed, high >> 32) & base->header.v6_bits_mask;
	uint32_t pair = base->v6_bits[at / 4 % sizeof(base->v6_bits)] >> at % 4 * 2 & 3;

	return base->header.v6_wide_lines || pair & KH_V6_ANY ||
	       (pair & KH_V6_PARTS && (filter_knows(base, kh_hash_v6_narrow(seed, high)) ||
				       filter_knows(base, kh_hash_v6_broad(seed, high))));
}

static const struct kh_v6_net *find_net(const struct kh_image *image, uint32_t key)
{
	const struct kh_image_header *header = kh_image_header(image);
	uint32_t hash = kh_hash_word(header->hash_seed, key);

	if (!header->v6_nets)
		return NULL;
	for (uint32_t probe = 0; probe < KH_HASH_PROBES; probe++) {
		const struct kh_v6_net *net =
			line_of(image, header->v6_nets_page, (hash + probe) & header->v6_nets_mask);

		if (!net || !net->lines)
			return NULL;
		if (net->key == key)
			return net;
	}
	return NULL;
}

/* By the lines alone: what the groups of a net say must come to the same. */
static uint32_t lookup_v6(const struct kh_image *image, uint64_t high, uint64_t low)
{
	const struct kh_image_header *header = kh_image_header(image);
	const struct kh_v6_net *net;
	uint32_t ref = KH_REF_NONE;

	if (!kh_image_may_hold_v6(image, high))
		return KH_REF_NONE;
	net = find_net(image, (uint32_t)(high >> 32));
	if (net && net->lines == KH_V6_WHOLE)
		return net->first & KH_REF_MASK;
	if (net)
		ref = lookup_mid(image, net->first, (uint64_t)net->first + net->lines, (uint32_t)high);
	else if (header->v6_wide_lines)
		ref = lookup_mid(image, header->v6_wide_first, (uint64_t)header->v6_wide_first + header->v6_wide_lines,
				 (uint32_t)(high >> 32));
	switch (KH_V6_KIND(ref)) {
	case KH_V6_LONE:
		return lookup_lone(image, ref & KH_V6_INDEX, low);
	case KH_V6_LOW:
		return lookup_low(image, ref & KH_V6_INDEX, low);
	default:
		return ref & KH_REF_MASK;
	}
}

/* ---- What others call ------------------------------------------------------------------------ */

uint32_t kh_image_lookup(const struct kh_image *image, const struct kh_range *address)
{
	if (address->family == 4)
		return lookup_v4(image, (uint32_t)address->first);
	return lookup_v6(image, (uint64_t)(address->first >> 64), (uint64_t)address->first);
}

uint32_t kh_image_lookup_port(const struct kh_image *image, const struct kh_range *address, uint16_t port,
			      uint8_t protocol)
{
	const struct kh_image_base *base = image->data;
	const struct kh_image_header *header = &base->header;
	uint64_t high = (uint64_t)(address->first >> 64), low = (uint64_t)address->first;
	uint32_t hash = kh_hash_address(header->hash_seed, high, low);

	if (!header->ports_count || !bit_set(base->ports_bits, header->ports_bits_mask, hash))
		return KH_REF_NONE;
	hash = kh_hash_port(hash, port, protocol);
	for (uint32_t probe = 0; probe < KH_HASH_PROBES; probe++) {
		const struct kh_port_entry *entries =
			line_of(image, header->ports_page, (hash + probe) & header->ports_mask);
		bool has_room = false;

		if (!entries)
			return KH_REF_NONE;
		for (uint32_t i = 0; i < KH_PORTS_PER_BUCKET; i++) {
			const struct kh_port_entry *entry = &entries[i];

			if (entry->family == address->family && entry->address_high == high &&
			    entry->address_low == low && entry->port == port && entry->protocol == protocol)
				return entry->ref;
			has_room |= !entry->family;
		}
		if (has_room)
			return KH_REF_NONE;
	}
	return KH_REF_NONE;
}

int kh_image_resolve(const struct kh_image *image, uint32_t reference, uint32_t now, uint32_t *ret_slot,
		     enum kh_action *ret_action)
{
	for (uint32_t link = 0; link <= KH_UNDER_LINKS && reference; link++) {
		const struct kh_order *order;
		uint32_t index = reference & KH_REF_INDEX;

		if (!(reference & KH_REF_CONDITIONAL)) {
			*ret_slot = reference;
			*ret_action = KH_ACTION_DROP;
			return 1;
		}
		order = page_of(image, (uint64_t)kh_image_header(image)->orders_page + index / KH_ORDERS_PER_PAGE);
		if (!order)
			return 0;
		order += index % KH_ORDERS_PER_PAGE;
		if (!order->deadline || now < order->deadline) {
			*ret_slot = order->slot;
			*ret_action = order->action;
			return 1;
		}
		reference = order->under;
	}
	return 0;
}
