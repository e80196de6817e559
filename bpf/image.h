/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address -> reference: the walks of the generation image (khien/abi.h describes it).
 */
#ifndef KHIEN_BPF_IMAGE_H
#define KHIEN_BPF_IMAGE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "khien/hash.h"
#include "maps.h"

/* A page that is not in the base. */
static __always_inline const __u8 *kh_page(void *image, __u32 page)
{
	page -= KH_BASE_PAGES;
	return bpf_map_lookup_elem(image, &page);
}

/* A line of 64 bytes of the section that starts at page `section`. */
static __always_inline const __u8 *kh_line(void *image, __u32 section, __u32 line)
{
	const __u8 *page = kh_page(image, section + line / KH_LINES_PER_PAGE);

	return page ? page + (line & (KH_LINES_PER_PAGE - 1)) * KH_LINE_BYTES : NULL;
}

/* The base of the generation in this place, or NULL. */
static __always_inline const struct kh_image_base *kh_base(__u32 place)
{
	void *array = place ? bpf_map_lookup_elem(&bases, &place) : NULL;
	__u32 zero = 0;

	return array ? bpf_map_lookup_elem(array, &zero) : NULL;
}

/* The page of a long slice that holds `key`: a slice of more than a page starts on one, so each page's first entry tells. */
static __always_inline __u32 kh_slice_page(void *image, __u32 page, __u32 pages, __u32 key)
{
	__u32 low = 0, high = pages; /* the answer is in [low, high) */

	for (int i = 0; i < KH_SLICE_SEARCH_STEPS && high - low > 1; i++) {
		__u32 middle = low + (high - low) / 2;
		const __u8 *entries = kh_page(image, page + middle);

		if (!entries)
			return page;
		if (*(const __u32 *)entries <= key)
			low = middle;
		else
			high = middle;
	}
	return page + low;
}

/* The answer of an IPv4 slice. Inside a page it is halved from the whole page on, for at most 512 entries; `at` comes from the image and is
 * masked at every step, so the verifier sees one unknown number instead of every path. */
static __always_inline __u32 kh_v4_slice(void *image, __u32 section, __u32 first, __u32 key)
{
	__u32 page = section + first / KH_ENTRIES_PER_PAGE, at = first & (KH_ENTRIES_PER_PAGE - 1), count;
	const struct kh_entry *entries = (const struct kh_entry *)kh_page(image, page);

	if (!entries)
		return KH_REF_NONE;
	count = entries[at].start;
	if (count > KH_ENTRIES_PER_PAGE) {
		__u32 found = kh_slice_page(image, page, (count + KH_ENTRIES_PER_PAGE - 1) / KH_ENTRIES_PER_PAGE, key);

		count -= (found - page) * KH_ENTRIES_PER_PAGE;
		entries = (const struct kh_entry *)kh_page(image, found);
		if (!entries)
			return KH_REF_NONE;
	}
	count += at;
#pragma unroll
	for (__u32 step = KH_ENTRIES_PER_PAGE / 2; step; step >>= 1) {
		__u32 next = (at + step) & (KH_ENTRIES_PER_PAGE - 1);

		if (at + step < count && entries[next].start <= key)
			at = next;
	}
	return entries[at & (KH_ENTRIES_PER_PAGE - 1)].ref;
}

static __always_inline __u64 kh_filter_knows(const struct kh_image_base *base, __u64 hash)
{
	return kh_filter_has(base->filter[kh_filter_word(hash, base->header.filter_words) & (KH_FILTER_WORDS - 1)],
			     hash);
}

static __always_inline __u32 kh_v4_has(const struct kh_image_base *base, __u32 address)
{
	__u32 wide = address >> (base->header.v4_wide_shift & 31);

	return (__u32)((base->v4_wide[(wide >> 6) & (KH_V4_WIDE_WORDS - 1)] >> (wide & 63) & 1) |
		       kh_filter_knows(base, kh_hash_v4(base->header.v4_seed, address)));
}

/* What the upper half of `hash` is a home of: the cell of the address's net if it is in there, else 0. All places are compared at once:
 * which one it is nobody can predict. */
static __always_inline __u64 kh_v4_cell_at(void *image, const struct kh_image_header *header, __u64 hash, __u32 address,
					   __u32 *ret_full)
{
	__u32 bucket = ((hash >> 32) * header->v4_buckets) >> 32;
	const __u64 *cells = (const __u64 *)kh_line(image, header->v4_cells_page, bucket);
	__u64 found = 0;

	*ret_full = 0;
	if (!cells)
		return 0;
#pragma unroll
	for (__u32 i = 0; i < KH_CELLS_PER_BUCKET; i++) {
		__u64 mask = (__u64)((__s64)(((cells[i] >> 32 ^ address) >> KH_V4_SHIFT) - 1) >>
				     63); /* all ones: of this net */

		barrier_var(mask); /* or the compiler makes branches of it again */
		found |= cells[i] & mask;
	}
	*ret_full = cells[KH_CELLS_PER_BUCKET - 1] != 0;
	return found;
}

/* The cell of the address's net, or 0: it has none. */
static __always_inline __u64 kh_v4_cell(void *image, const struct kh_image_header *header, __u32 address)
{
	__u64 hash = kh_hash_net(header->v4_seed, address >> KH_V4_SHIFT), cell;
	__u32 full;

	cell = kh_v4_cell_at(image, header, hash, address, &full);
	if (!cell && full)
		cell = kh_v4_cell_at(image, header, hash << 32, address, &full);
	return cell;
}

/* What a cell that is no slice says of the address; no cell says nothing. */
static __always_inline __u32 kh_cell_reference(__u64 cell, __u32 address)
{
	if (KH_CELL_KIND(cell) == KH_CELL_ADDRESS && cell >> 32 != address)
		return KH_REF_NONE;
	return (__u32)cell & KH_REF_MASK;
}

static __always_inline __u32 kh_match_v4(void *image, const struct kh_image_base *base, __u32 address)
{
	__u64 cell;

	if (!kh_v4_has(base, address))
		return KH_REF_NONE;
	cell = kh_v4_cell(image, &base->header, address);
	if (!cell)
		return base->v4_common[address >> KH_V4_SHIFT >> 6] & KH_REF_MASK;
	if (KH_CELL_KIND(cell) == KH_CELL_SLICE)
		return kh_v4_slice(image, base->header.v4_entries_page, (__u32)cell & KH_CELL_FIRST,
				   address & ((1u << KH_V4_SHIFT) - 1)) &
		       KH_REF_MASK;
	return kh_cell_reference(cell, address);
}

/* The line in [line, end) of a slice that holds the key, by the first start of each. */
static __always_inline __u32 kh_v6_search(void *image, __u32 section, __u32 line, __u32 end, __u64 key, __u32 wide)
{
	for (int i = 0; i < KH_SLICE_SEARCH_STEPS && end - line > 1; i++) {
		__u32 middle = line + (end - line) / 2;
		const __u8 *starts = kh_line(image, section, middle);

		if (!starts)
			return line;
		if ((wide ? *(const __u64 *)starts : *(const __u32 *)starts) <= key)
			line = middle;
		else
			end = middle;
	}
	return line;
}

/* How many of the ascending starts are not above the key: all are looked at, for a branch would be guessed wrong half of the time. */
static __always_inline __u32 kh_count_starts(const __u32 *starts, __u32 count, __u32 key)
{
	__u64 found = count;

#pragma unroll
	for (__u32 i = 0; i < count; i++) {
		__u64 difference = (__u64)key - starts[i]; /* its top bit: the start is above */

		barrier_var(difference);
		found -= difference >> 63;
	}
	return (__u32)found;
}

static __always_inline __u32 kh_v6_lone(void *image, const struct kh_image_header *header, __u32 index, __u64 key)
{
	const struct kh_v6_lone *lone =
		(const struct kh_v6_lone *)kh_line(image, header->v6_lone_page, index / KH_V6_LONES_PER_LINE);

	if (!lone)
		return KH_REF_NONE;
	lone += index & (KH_V6_LONES_PER_LINE - 1);
	return (key - lone->start) >> KH_V6_SPAN(lone->ref) ? lone->around : lone->ref;
}

static __always_inline __u32 kh_v6_low(void *image, const struct kh_image_header *header, __u32 first, __u64 key)
{
	const struct kh_v6_low *line = (const struct kh_v6_low *)kh_line(image, header->v6_low_page, first);
	__u64 found = KH_V6_LOWS - 1;

	if (!line)
		return KH_REF_NONE;
	if (line->lines > 1) {
		first = kh_v6_search(image, header->v6_low_page, first, first + line->lines, key, 1);
		line = (const struct kh_v6_low *)kh_line(image, header->v6_low_page, first);
		if (!line)
			return KH_REF_NONE;
	}
#pragma unroll
	for (__u32 i = 1; i < KH_V6_LOWS; i++) {
		__u64 start = line->start[i], borrow = (~key & start) | ((~key | start) & (key - start));

		barrier_var(borrow);
		found -= borrow >> 63;
	}
	found &= 7;
	barrier_var(found); /* so that the verifier sees the very number that is compared */
	return found < KH_V6_LOWS ? line->ref[found] : KH_REF_NONE;
}

/* What lines [line, end) of the mid section say of the key. */
static __always_inline __u32 kh_v6_mid(void *image, const struct kh_image_header *header, __u32 line, __u32 end,
				       __u32 key)
{
	const struct kh_v6_mid *mid;
	__u32 found, ref;

	if (end - line > 1)
		line = kh_v6_search(image, header->v6_mid_page, line, end, key, 0);
	mid = (const struct kh_v6_mid *)kh_line(image, header->v6_mid_page, line);
	if (!mid)
		return KH_REF_NONE;
	found = (kh_count_starts(mid->start, KH_V6_MIDS, key) - 1) & (KH_V6_MIDS - 1);
	ref = mid->ref[found];
	/* A key below all starts is taken for one of the last entry, and is far beyond it. */
	return ((__u64)key - mid->start[found]) >> KH_V6_SPAN(ref) ? KH_REF_NONE : ref;
}

/* Is the bit of this hash set? */
static __always_inline __u32 kh_bit(const __u8 bits[KH_BITS_BYTES], __u32 mask, __u32 hash)
{
	__u32 bit = hash & mask;

	return bits[(bit >> 3) & (KH_BITS_BYTES - 1)] >> (bit & 7) & 1;
}

/* The pair of the address's /32. */
static __always_inline __u32 kh_v6_pair(const struct kh_image_base *base, __u64 high)
{
	__u32 pair = kh_hash_word(base->header.hash_seed, high >> 32) & base->header.v6_bits_mask;

	return base->v6_bits[(pair >> 2) & (2 * KH_BITS_BYTES - 1)] >> (2 * (pair & 3)) & 3;
}

/* What a pair and the filter come to: 0, nothing of this address is listed. */
static __always_inline __u32 kh_v6_has(const struct kh_image_base *base, __u32 pair, __u64 high)
{
	__u64 parts = kh_filter_knows(base, kh_hash_v6_narrow(base->header.hash_seed, high)) |
		      kh_filter_knows(base, kh_hash_v6_broad(base->header.hash_seed, high));

	return pair & (KH_V6_ANY | (__u32)parts);
}

/* The /32 of the address, or NULL: none of its own. */
static __always_inline const struct kh_v6_net *kh_v6_net(void *image, const struct kh_image_header *header, __u32 key)
{
	__u32 hash = kh_hash_word(header->hash_seed, key);

	if (!header->v6_nets) /* the section is empty: what is there is another */
		return NULL;
	for (__u32 probe = 0; probe < KH_HASH_PROBES; probe++) {
		const struct kh_v6_net *net = (const struct kh_v6_net *)kh_line(image, header->v6_nets_page,
										(hash + probe) & header->v6_nets_mask);

		if (!net || !net->lines)
			break;
		if (net->key == key)
			return net;
	}
	return NULL;
}

static __always_inline __u32 kh_walk_v6(void *image, const struct kh_image_header *header, __u64 high, __u64 low)
{
	__u32 line = header->v6_wide_first, end = line + header->v6_wide_lines, key = (__u32)(high >> 32), ref;
	const struct kh_v6_net *net = kh_v6_net(image, header, key);

	if (net) {
		__u32 shift = net->group_shift & 31, lines = net->lines, group;

		if (lines == KH_V6_WHOLE)
			return net->first & KH_REF_MASK;
		key = (__u32)high;
		group = kh_count_starts(net->starts, KH_V6_GROUPS - 1, key) << shift;
		if (group >= lines) /* the highest address, where there are less groups */
			group = (lines - 1) >> shift << shift;
		line = net->first + group;
		end = line + (lines - group < 1u << shift ? lines - group : 1u << shift);
	}
	if (line == end)
		return KH_REF_NONE;
	ref = kh_v6_mid(image, header, line, end, key);
	if (KH_V6_KIND(ref) == KH_V6_LONE)
		ref = kh_v6_lone(image, header, ref & KH_V6_INDEX, low);
	else if (KH_V6_KIND(ref) == KH_V6_LOW)
		ref = kh_v6_low(image, header, ref & KH_V6_INDEX, low);
	return ref & KH_REF_MASK;
}

static __always_inline __u32 kh_port_has(const struct kh_image_base *base, __u64 high, __u64 low)
{
	return kh_bit(base->ports_bits, base->header.ports_bits_mask,
		      kh_hash_address(base->header.hash_seed, high, low));
}

static __always_inline __u32 kh_match_port(void *image, const struct kh_image_base *base, __u64 high, __u64 low,
					   __u16 port, __u8 protocol, __u8 family)
{
	const struct kh_image_header *header = &base->header;
	__u32 hash = kh_hash_address(header->hash_seed, high, low);

	if (!kh_bit(base->ports_bits, header->ports_bits_mask, hash))
		return KH_REF_NONE;
	hash = kh_hash_port(hash, port, protocol);
	for (__u32 probe = 0; probe < KH_HASH_PROBES; probe++) {
		const struct kh_port_entry *entry = (const struct kh_port_entry *)kh_line(
			image, header->ports_page, (hash + probe) & header->ports_mask);
		__u32 free = 0;

		if (!entry)
			break;
#pragma unroll
		for (__u32 i = 0; i < KH_PORTS_PER_BUCKET; i++) {
			if (!entry[i].family)
				free = 1;
			else if (entry[i].address_low == low && entry[i].address_high == high &&
				 entry[i].port == port && entry[i].protocol == protocol && entry[i].family == family)
				return entry[i].ref;
		}
		if (free)
			break;
	}
	return KH_REF_NONE;
}

#endif
