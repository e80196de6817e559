/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet -> order, by the generation image. Which generation is read once a packet; everything the verdict needs is in it, so a packet
 * sees one generation and no mixture. Allow and never-block are not here: the compiler has cut them out.
 *
 * kh_match() is inlined and ends for nearly all packets at the presence bits. kh_match_listed() does the rest; it is a global
 * function: the verifier proves it once, for any packet, however many programs call it.
 *
 * In a flood from listed sources the presence bits are of no use: they are one more line to wait for before the cell's. So the packet
 * after a listed one, of the same receive queue, tries the cell, or the /32, first (kh_match_again).
 */
#ifndef KHIEN_BPF_MATCH_H
#define KHIEN_BPF_MATCH_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "image.h"
#include "maps.h"
#include "packet.h"

/* The order that one address (and port) gives. */
struct kh_order_match {
	__u32 slot; /* 0: none */
	__u32 action;
};

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

/* The reference of one side of an IPv6 packet. A global function: the verifier proves the walk once. */
__noinline int kh_match_v6(const struct kh_packet *packet, __u32 place, __u32 destination)
{
	const struct kh_image_base *base = kh_base(place);
	void *image = bpf_map_lookup_elem(&images, &place);

	if (!packet || !base || !image)
		return KH_REF_NONE;
	if (destination)
		return (int)kh_walk_v6(image, &base->header, packet->destination_high, packet->destination_low);
	return (int)kh_walk_v6(image, &base->header, packet->source_high, packet->source_low);
}

/* One side of the packet: its address, then its port. Between drops the address wins. */
static __always_inline void kh_match_side(void *image, const struct kh_image_base *base, const struct kh_packet *packet,
					  const struct kh_control *state, __u32 place, __u32 destination, __u32 *now,
					  struct kh_order_match *match)
{
	__u64 high = destination ? packet->destination_high : packet->source_high;
	__u64 low = destination ? packet->destination_low : packet->source_low;
	__u16 port = destination ? packet->destination_port : packet->source_port;
	struct kh_order_match by_port = {};
	__u32 ref = KH_REF_NONE;

	if (packet->family == 4)
		ref = kh_match_v4(image, base, (__u32)low);
	else if (base->header.v6_wide_lines | kh_v6_pair(base, high))
		ref = (__u32)kh_match_v6(packet, place, destination);
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
	destination_first = kh_is_outbound(packet);
	kh_match_side(image, base, packet, state, place, destination_first, &now, &remote);
	kh_match_side(image, base, packet, state, place, !destination_first, &now, &near);
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

	if (packet->family == 4) {
		listed = kh_v4_has(base, (__u32)packet->source_low) | kh_v4_has(base, (__u32)packet->destination_low);
	} else {
		__u32 source = kh_v6_pair(base, packet->source_high);
		__u32 destination = kh_v6_pair(base, packet->destination_high);

		listed = source | destination;
		if (listed)
			listed = kh_v6_has(base, source, packet->source_high) |
				 kh_v6_has(base, destination, packet->destination_high);
		listed |= base->header.v6_wide_lines;
	}
	if (base->header.ports_count && packet->has_ports)
		listed |= kh_port_has(base, packet->source_high, packet->source_low) |
			  kh_port_has(base, packet->destination_high, packet->destination_low);
	return listed;
}

/*
 * The answer for a packet whose remote side has an IPv4 cell that is no slice, or anything of IPv6, that says: drop, with no deadline.
 * Nothing else can outweigh that (kh_match_listed would say the same). 0: look properly.
 */
static __always_inline __u32 kh_match_again(const struct kh_control *state, const struct kh_image_base *base,
					    const struct kh_packet *packet, struct kh_match *match)
{
	__u32 destination = kh_is_outbound(packet), ref;
	__u32 address = (__u32)(destination ? packet->destination_low : packet->source_low);
	void *image = bpf_map_lookup_elem(&images, &match->place);
	__u64 cell;

	if (!image || !packet->family)
		return 0;
	if (packet->family == 4) {
		cell = kh_v4_cell(image, &base->header, address);
		ref = KH_CELL_KIND(cell) == KH_CELL_SLICE ? KH_REF_NONE : kh_cell_reference(cell, address);
	} else {
		ref = (__u32)kh_match_v6(packet, match->place, destination);
	}
	if (!ref || ref & KH_REF_CONDITIONAL)
		return 0;
	match->slot = ref;
	match->action = KH_ACTION_DROP;
	match->on_destination = (__u8)destination;
	match->now = kh_wall_clock(state);
	match->reason = KH_REASON_DROPPED;
	return 1;
}

/* Judges a parsed packet by the generation in force. Always fills match. `recent`: of its receive queue, or NULL. */
static __always_inline void kh_match(const struct kh_packet *packet, struct kh_recent *recent, struct kh_match *match)
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
	if (!base) {
		match->reason = KH_REASON_NO_GENERATION;
		return;
	}
	if (recent && recent->listed && kh_match_again(state, base, packet, match))
		return;
	if (packet->family && kh_is_listed(base, packet))
		kh_match_listed(packet, match);
	if (recent && recent->listed != (match->slot != 0))
		recent->listed = match->slot != 0;
}

#endif
