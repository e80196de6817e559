/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet -> order, by the generation image (khien/abi.h describes it). Which generation is read once a packet; everything the
 * verdict needs is in it, so a packet sees one generation and no mixture. Allow and never-block are not here: the
 * compiler has cut them out.
 *
 * kh_match() is inlined and ends for nearly all packets at the presence bits. kh_match_listed() does the rest; it is a global
 * function: the verifier proves it once, for any packet, however many programs call it.
 */
#ifndef KHIEN_BPF_MATCH_H
#define KHIEN_BPF_MATCH_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "packet.h"

/* The order that one address (and port) gives. */
struct kh_order_match {
	__u32 slot; /* 0: none */
	__u32 action;
};

/* A page that is not in the base. */
static __always_inline const __u8 *kh_page(void *image, __u32 page)
{
	page -= KH_BASE_PAGES;
	return bpf_map_lookup_elem(image, &page);
}

/* The base of the generation in this place, or NULL. */
static __always_inline const struct kh_image_base *kh_base(__u32 place)
{
	void *array = place ? bpf_map_lookup_elem(&bases, &place) : NULL;
	__u32 zero = 0;

	return array ? bpf_map_lookup_elem(array, &zero) : NULL;
}

static __always_inline __u32 kh_popcount(__u64 x)
{
	x -= (x >> 1) & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + ((x >> 2) & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (__u32)((x * 0x0101010101010101ull) >> 56);
}

/*
 * Binary search inside one page of (MASK + 1) entries, for slices of at most 2 * HALF: the last entry of [at, end) whose start is not
 * above the key. `at` comes from the image and is masked at every step, so the verifier sees one unknown number instead of every path.
 */
#define KH_SEARCH_PAGE(at, end, half, mask, start_of, key)               \
	_Pragma("unroll") for (__u32 step_ = (half); step_; step_ >>= 1) \
	{                                                                \
		__u32 next_ = ((at) + step_) & (mask);                   \
		if ((at) + step_ < (end) && (start_of(next_)) <= (key))  \
			(at) = next_;                                    \
	}

/* The page of a long slice that holds `key`: a slice of more than a page starts on one, so each page's first entry tells. */
static __always_inline __u32 kh_slice_page(void *image, __u32 page, __u32 pages, __u64 key, __u32 wide)
{
	__u32 low = 0, high = pages; /* the answer is in [low, high) */

	for (int i = 0; i < KH_SLICE_SEARCH_STEPS && high - low > 1; i++) {
		__u32 middle = low + (high - low) / 2;
		const __u8 *entries = kh_page(image, page + middle);
		__u64 start;

		if (!entries)
			return page;
		start = wide ? *(const __u64 *)entries : *(const __u32 *)entries;
		if (start <= key)
			low = middle;
		else
			high = middle;
	}
	return page + low;
}

/* The answer of a slice of the section that starts at `section`. */
static __always_inline __u32 kh_slice(void *image, __u32 section, __u32 first, __u32 count, __u32 key)
{
	__u32 page = section + first / KH_ENTRIES_PER_PAGE, at = first & (KH_ENTRIES_PER_PAGE - 1);
	const struct kh_entry *entries;

	if (count > KH_ENTRIES_PER_PAGE) {
		__u32 found =
			kh_slice_page(image, page, (count + KH_ENTRIES_PER_PAGE - 1) / KH_ENTRIES_PER_PAGE, key, 0);

		count -= (found - page) * KH_ENTRIES_PER_PAGE;
		page = found;
	}
	entries = (const struct kh_entry *)kh_page(image, page);
	if (!entries)
		return KH_REF_NONE;
	count += at;
#define KH_START(i) (entries[i].start)
	KH_SEARCH_PAGE(at, count, KH_ENTRIES_PER_PAGE / 2, KH_ENTRIES_PER_PAGE - 1, KH_START, key)
#undef KH_START
	return entries[at & (KH_ENTRIES_PER_PAGE - 1)].ref;
}

static __always_inline __u32 kh_v4_has(const struct kh_image_base *base, __u32 address)
{
	__u32 net = address >> (base->header.v4_shift & 31);

	return base->v4_present[(net >> 6) & (KH_V4_BLOCKS - 1)] >> (net & 63) & 1;
}

static __always_inline __u64 kh_v4_cell(void *image, const struct kh_image_header *header, __u32 index)
{
	const __u64 *page = (const __u64 *)kh_page(image, header->v4_cells_page + index / KH_CELLS_PER_PAGE);

	return page ? page[index & (KH_CELLS_PER_PAGE - 1)] : 0;
}

static __always_inline __u32 kh_match_v4(void *image, const struct kh_image_base *base, __u32 address)
{
	__u32 shift = base->header.v4_shift & 31, net = address >> shift, offset = address & ((1u << shift) - 1);
	__u32 block = (net >> 6) & (KH_V4_BLOCKS - 1), rank = base->v4_rank[block], index = rank & KH_V4_CELL;
	__u64 present = base->v4_present[block], bit = 1ull << (net & 63), cell;

	if (!(present & bit))
		return KH_REF_NONE;
	if (rank & KH_V4_UNIFORM)
		return rank & KH_REF_MASK;
	if (rank & KH_V4_COMMON) {
		present = kh_v4_cell(image, &base->header, index);
		if (!(present & bit))
			return (__u32)kh_v4_cell(image, &base->header, index + 1) & KH_REF_MASK;
		index += 2;
	}
	cell = kh_v4_cell(image, &base->header, index + kh_popcount(present & (bit - 1)));
	if (KH_CELL_KIND(cell) == KH_CELL_SLICE)
		return kh_slice(image, base->header.v4_entries_page, (__u32)cell, KH_CELL_COUNT(cell), offset) &
		       KH_REF_MASK;
	if (KH_CELL_OFFSET(cell) == offset)
		return (__u32)cell & KH_REF_MASK;
	return (__u32)(cell >> KH_REF_BITS) & KH_REF_MASK;
}

static __always_inline __u32 kh_v6_low(void *image, const struct kh_image_header *header, __u32 first, __u64 key)
{
	__u32 page = header->v6_low_page + first / KH_V6_LOWS_PER_PAGE, at = first & (KH_V6_LOWS_PER_PAGE - 1), count;
	const struct kh_v6_low *entries = (const struct kh_v6_low *)kh_page(image, page);

	if (!entries)
		return KH_REF_NONE;
	count = entries[at].count;
	if (count > KH_V6_LOWS_PER_PAGE) {
		__u32 found =
			kh_slice_page(image, page, (count + KH_V6_LOWS_PER_PAGE - 1) / KH_V6_LOWS_PER_PAGE, key, 1);

		count -= (found - page) * KH_V6_LOWS_PER_PAGE;
		entries = (const struct kh_v6_low *)kh_page(image, found);
		if (!entries)
			return KH_REF_NONE;
	}
	count += at;
#define KH_START(i) (entries[i].start)
	KH_SEARCH_PAGE(at, count, KH_V6_LOWS_PER_PAGE / 2, KH_V6_LOWS_PER_PAGE - 1, KH_START, key)
#undef KH_START
	return entries[at & (KH_V6_LOWS_PER_PAGE - 1)].ref;
}

/* Is the bit of this hash set? */
static __always_inline __u32 kh_bit(const __u8 bits[KH_BITS_BYTES], __u32 mask, __u32 hash)
{
	__u32 bit = hash & mask;

	return bits[(bit >> 3) & (KH_BITS_BYTES - 1)] >> (bit & 7) & 1;
}

static __always_inline __u32 kh_v6_has(const struct kh_image_base *base, __u64 high)
{
	return kh_bit(base->v6_bits, base->header.v6_bits_mask, kh_hash_word(base->header.hash_seed, high >> 32));
}

static __always_inline __u32 kh_match_v6(void *image, const struct kh_image_base *base, __u64 high, __u64 low)
{
	const struct kh_image_header *header = &base->header;
	__u32 key = (__u32)(high >> 32), hash = kh_hash_word(header->hash_seed, key), search = key, ref;
	__u32 first = header->v6_wide_first, count = header->v6_wide_count;

	if (!kh_bit(base->v6_bits, header->v6_bits_mask, hash))
		goto found;
	for (__u32 probe = 0; probe < KH_HASH_PROBES; probe++) {
		__u32 bucket = (hash + probe) & header->v6_buckets_mask;
		const __u8 *page = kh_page(image, header->v6_buckets_page + bucket / KH_BUCKETS_PER_PAGE);
		const struct kh_v6_net *net;
		__u32 free = 0;

		if (!page)
			break;
		net = (const struct kh_v6_net *)(page + (bucket & (KH_BUCKETS_PER_PAGE - 1)) * 64);
#pragma unroll
		for (__u32 i = 0; i < KH_V6_NETS_PER_BUCKET; i++) {
			if (!net[i].count) {
				free = 1;
			} else if (net[i].key == key) {
				first = net[i].first;
				count = net[i].count;
				search = (__u32)high;
				goto found;
			}
		}
		if (free)
			break;
	}
found:
	if (!count)
		return KH_REF_NONE;
	if (count == KH_V6_WHOLE)
		return first & KH_REF_MASK;
	ref = kh_slice(image, header->v6_mid_page, first, count, search);
	if (ref & KH_V6_LOW)
		ref = kh_v6_low(image, header, ref & ~KH_V6_LOW, low);
	return ref;
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
		__u32 bucket = (hash + probe) & header->ports_mask;
		const __u8 *page = kh_page(image, header->ports_page + bucket / KH_BUCKETS_PER_PAGE);
		const struct kh_port_entry *entry;
		__u32 free = 0;

		if (!page)
			break;
		entry = (const struct kh_port_entry *)(page + (bucket & (KH_BUCKETS_PER_PAGE - 1)) * 64);
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

/* Follows a reference to the order in force now, past those whose deadline is over. */
static __always_inline void kh_resolve(void *image, const struct kh_image_header *header, __u32 ref, __u32 now,
				       struct kh_order_match *match)
{
	for (int link = 0; link <= KH_UNDER_LINKS && ref; link++) {
		const struct kh_order *order;
		const __u8 *page;
		__u32 index;

		if (!(ref & KH_REF_CONDITIONAL)) {
			match->slot = ref;
			match->action = KH_ACTION_DROP;
			return;
		}
		index = ref & KH_REF_INDEX;
		page = kh_page(image, header->orders_page + index / KH_ORDERS_PER_PAGE);
		if (!page)
			return;
		order = (const struct kh_order *)(page + (index & (KH_ORDERS_PER_PAGE - 1)) * sizeof(*order));
		if (!order->deadline || now < order->deadline) {
			match->slot = order->slot;
			match->action = order->action;
			return;
		}
		ref = order->under;
	}
}

/* Keeps `match` unless `other` is a drop and it is not. */
static __always_inline void kh_prefer(struct kh_order_match *match, const struct kh_order_match *other)
{
	if (!other->slot || (match->slot && (match->action == KH_ACTION_DROP || other->action != KH_ACTION_DROP)))
		return;
	*match = *other;
}

static __always_inline __u32 kh_wall_clock(const struct kh_control *state)
{
	return (__u32)(((bpf_jiffies64() + state->clock_offset) * state->clock_mult) >> 32);
}

/* One side of the packet: its address, then its port. Between drops the address wins. */
static __always_inline void kh_match_side(void *image, const struct kh_image_base *base, const struct kh_packet *packet,
					  const struct kh_control *state, __u32 destination, __u32 *now,
					  struct kh_order_match *match)
{
	__u64 high = destination ? packet->destination_high : packet->source_high;
	__u64 low = destination ? packet->destination_low : packet->source_low;
	__u16 port = destination ? packet->destination_port : packet->source_port;
	struct kh_order_match by_port = {};
	__u32 ref;

	if (packet->family == 4)
		ref = kh_match_v4(image, base, (__u32)low);
	else
		ref = kh_match_v6(image, base, high, low);
	if (ref) {
		*now = kh_wall_clock(state);
		kh_resolve(image, &base->header, ref, *now, match);
	}
	if (!packet->has_ports || !base->header.ports_count)
		return;
	ref = kh_match_port(image, base, high, low, port, packet->protocol, packet->family);
	if (ref) {
		*now = kh_wall_clock(state);
		kh_resolve(image, &base->header, ref, *now, &by_port);
		kh_prefer(match, &by_port);
	}
}

/* Judges a packet of which something is listed, by the generation in match->place. Returns 0. */
__noinline int kh_match_listed(const struct kh_packet *packet, struct kh_match *match)
{
	struct kh_order_match remote = {}, near = {};
	__u32 zero = 0, place, now = 0, destination_first;
	const struct kh_control *state;
	const struct kh_image_base *base;
	void *image;

	if (!packet || !match)
		return 0;
	place = match->place;
	state = bpf_map_lookup_elem(&control, &zero);
	base = kh_base(place);
	image = bpf_map_lookup_elem(&images, &place);
	if (!state || !base || !image)
		return 0;
	destination_first = packet->role == KH_ROLE_LAN || packet->direction == KH_EGRESS;
	kh_match_side(image, base, packet, state, destination_first, &now, &remote);
	kh_match_side(image, base, packet, state, !destination_first, &now, &near);
	match->on_destination = (__u8)destination_first;
	if (near.slot && (!remote.slot || (near.action == KH_ACTION_DROP && remote.action != KH_ACTION_DROP))) {
		remote = near;
		match->on_destination = !destination_first;
	}
	if (!remote.slot)
		return 0;
	match->slot = remote.slot;
	match->action = (__u8)remote.action;
	match->now = now;
	match->reason = remote.action == KH_ACTION_DROP ? KH_REASON_DROPPED : KH_REASON_MONITORED;
	return 0;
}

/* Can there be an order for either side? Both sides' loads are under way before the first is waited for. */
static __always_inline __u32 kh_is_listed(const struct kh_image_base *base, const struct kh_packet *packet)
{
	__u32 listed;

	if (packet->family == 4)
		listed = kh_v4_has(base, (__u32)packet->source_low) | kh_v4_has(base, (__u32)packet->destination_low);
	else
		listed = base->header.v6_wide_count | kh_v6_has(base, packet->source_high) |
			 kh_v6_has(base, packet->destination_high);
	if (base->header.ports_count && packet->has_ports)
		listed |= kh_port_has(base, packet->source_high, packet->source_low) |
			  kh_port_has(base, packet->destination_high, packet->destination_low);
	return listed;
}

/* Judges a parsed packet by the generation in force. Always fills match. */
static __always_inline void kh_match(const struct kh_packet *packet, struct kh_match *match)
{
	const struct kh_control *state;
	const struct kh_image_base *base;
	__u32 zero = 0;

	match->reason = packet->reason;
	state = bpf_map_lookup_elem(&control, &zero);
	if (!state)
		return;
	match->place = *(volatile const __u32 *)&state->active;
	base = kh_base(match->place);
	if (!base)
		match->reason = KH_REASON_NO_GENERATION;
	else if (packet->family && kh_is_listed(base, packet))
		kh_match_listed(packet, match);
}

#endif
