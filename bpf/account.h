/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters, sightings and first-sight events of a packet already judged. Returns nothing: a full table or buffer
 * loses a count (and counts the loss), never changes a verdict.
 */
#ifndef KHIEN_BPF_ACCOUNT_H
#define KHIEN_BPF_ACCOUNT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "packet.h"

/* The interface's entry, or NULL: an interface that is not in the table is judged but never accounted. */
static __always_inline const struct kh_interface *kh_find_interface(__u32 ifindex)
{
	for (__u32 probe = 0; probe < KH_INTERFACE_PROBES; probe++) {
		__u32 place = (ifindex + probe) & (KH_INTERFACE_PLACES - 1);
		const struct kh_interface *interface = bpf_map_lookup_elem(&interfaces, &place);

		if (!interface || !interface->ifindex)
			return NULL;
		if (interface->ifindex == ifindex)
			return interface;
	}
	return NULL;
}

static __always_inline void kh_count_reason(const struct kh_packet *packet, __u32 reason)
{
	__u32 index = ((__u32)packet->number * KH_DIRECTIONS + packet->direction) * KH_REASON_ROWS + reason;
	struct kh_counter *counter = bpf_map_lookup_elem(&counters, &index);

	if (counter) {
		counter->packets += packet->packets;
		counter->bytes += packet->bytes;
	}
}

static __always_inline struct kh_record *kh_record(__u32 place, __u32 slot)
{
	void *array = bpf_map_lookup_elem(&records, &place);

	return array ? bpf_map_lookup_elem(array, &slot) : NULL;
}

static __always_inline void kh_add(struct kh_record *record, const struct kh_pending_count *count)
{
	__sync_fetch_and_add(&record->packets, count->packets);
	__sync_fetch_and_add(&record->bytes, count->bytes);
	if (record->first_seen - 1u > count->first_seen - 1u) /* 0: never */
		record->first_seen = count->first_seen;
	if (record->last_seen < count->last_seen)
		record->last_seen = count->last_seen;
}

static __always_inline void kh_add_to_record(const struct kh_pending_count *count)
{
	struct kh_record *record = kh_record(count->place, count->slot);

	if (record)
		kh_add(record, count);
}

/*
 * Brings a full queue into the records. The loads of the second loop are for nothing but to have the records on their way, all at once: an
 * atomic addition waits for its own, and behind a call's return the processor does not look ahead. Returns 0.
 */
__noinline int kh_empty_queue(struct kh_pending *mine)
{
	struct kh_record *found[KH_PENDING_QUEUE];

	if (!mine)
		return 0;
	mine->queued = 0;
#pragma unroll
	for (__u32 i = 0; i < KH_PENDING_QUEUE; i++) {
		found[i] = kh_record(mine->queue[i].place, mine->queue[i].slot);
		if (!found[i])
			goto missing;
	}
#pragma unroll
	for (__u32 i = 0; i < KH_PENDING_QUEUE; i++)
		(void)*(volatile __u64 *)&found[i]->packets;
#pragma unroll
	for (__u32 i = 0; i < KH_PENDING_QUEUE; i++)
		kh_add(found[i], &mine->queue[i]);
	return 0;
missing: /* never, or the records of a place have gone: one by one, those that are there */
	for (__u32 i = 0; i < KH_PENDING_QUEUE; i++)
		kh_add_to_record(&mine->queue[i]);
	return 0;
}

static __always_inline void kh_count_record(const struct kh_packet *packet, const struct kh_match *match)
{
	__u32 zero = 0;
	struct kh_pending *mine = bpf_map_lookup_elem(&pending, &zero);
	const struct kh_control *state = bpf_map_lookup_elem(&control, &zero);
	struct kh_pending_count *count, one = { .slot = match->slot,
						.place = match->place,
						.packets = packet->packets,
						.bytes = packet->bytes,
						.first_seen = match->now,
						.last_seen = match->now };

	if (!mine || !state)
		return;
	if (mine->busy || *(volatile const __u32 *)&state->hold) {
		kh_add_to_record(&one);
		return;
	}
	mine->busy = 1;
	barrier();
	count = &mine->counts[match->slot & (KH_PENDING_PLACES - 1)];
	if (count->slot == match->slot && count->place == match->place) {
		count->packets += packet->packets;
		count->bytes += packet->bytes;
		count->last_seen = match->now;
	} else {
		if (count->slot) {
			__u32 at = mine->queued & (KH_PENDING_QUEUE - 1);

			mine->queue[at] = *count;
			mine->queued = at + 1;
			if (at == KH_PENDING_QUEUE - 1)
				kh_empty_queue(mine);
		}
		*count = one;
	}
	barrier();
	mine->busy = 0;
}

static __always_inline __u8 kh_is_own_source(const struct kh_packet *packet, const struct kh_interface *interface)
{
	if (interface->any_source)
		return 1;
	if (packet->family == 4) {
		for (int i = 0; i < KH_SUBNETS_V4; i++) {
			if (i >= interface->subnets_v4)
				break;
			if (((__u32)packet->source_low & interface->v4[i].mask) == interface->v4[i].network)
				return 1;
		}
		return 0;
	}
	for (int i = 0; i < KH_SUBNETS_V6; i++) {
		if (i >= interface->subnets_v6)
			break;
		if ((packet->source_high & interface->v6[i].mask_high) == interface->v6[i].high &&
		    (packet->source_low & interface->v6[i].mask_low) == interface->v6[i].low)
			return 1;
	}
	return 0;
}

static __always_inline void kh_mapped_source(const struct kh_packet *packet, __u8 address[16])
{
	__u64 high = packet->source_high, low = packet->source_low;

	if (packet->family == 4)
		low |= 0xffff00000000ull;
	high = bpf_cpu_to_be64(high);
	low = bpf_cpu_to_be64(low);
	__builtin_memcpy(address, &high, 8);
	__builtin_memcpy(address + 8, &low, 8);
}

static __always_inline void kh_first_sight(const struct kh_packet *packet, const struct kh_match *match,
					   const struct kh_sighting_key *key, struct kh_control *state)
{
	struct kh_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&state->events_lost, 1);
		return;
	}
	event->key = *key;
	event->seconds = match->now;
	event->remote_port = packet->has_ports ? packet->destination_port : 0;
	event->protocol = packet->protocol;
	event->action = match->action;
	event->reserved = 0;
	bpf_ringbuf_submit(event, 0);
}

/* Who called: on the LAN side and for what the gateway itself sends. A source on the WAN names no machine of ours. */
static __always_inline void kh_sight(const struct kh_packet *packet, const struct kh_match *match,
				     const struct kh_interface *interface)
{
	struct kh_sighting_key key = { .slot = match->slot, .interface = packet->number };
	struct kh_sighting *sighting, fresh = {};
	struct kh_control *state;
	__u32 zero = 0;

	if (packet->direction == KH_EGRESS) {
		key.flags = KH_SIGHTING_GATEWAY;
		kh_mapped_source(packet, key.address);
	} else if (kh_is_own_source(packet, interface)) {
		__builtin_memcpy(key.mac, packet->mac, sizeof(key.mac));
		kh_mapped_source(packet, key.address);
	} else {
		key.flags = KH_SIGHTING_SPOOFED;
	}
	state = bpf_map_lookup_elem(&control, &zero);
	if (!state)
		return;
	sighting = bpf_map_lookup_elem(&sightings, &key);
	if (!sighting) {
		fresh.first_seen = match->now;
		if (!bpf_map_update_elem(&sightings, &key, &fresh, BPF_NOEXIST))
			kh_first_sight(packet, match, &key, state);
		sighting = bpf_map_lookup_elem(&sightings, &key);
		if (!sighting) {
			__sync_fetch_and_add(&state->sightings_lost, packet->packets);
			return;
		}
	}
	__sync_fetch_and_add(&sighting->packets, packet->packets);
	__sync_fetch_and_add(&sighting->bytes, packet->bytes);
	if (sighting->last_seen != match->now)
		sighting->last_seen = match->now;
}

static __always_inline void kh_account(const struct kh_packet *packet, const struct kh_match *match,
				       const struct kh_interface *interface)
{
	kh_count_reason(packet, match->reason);
	if (!match->slot)
		return;
	kh_count_record(packet, match);
	if (match->on_destination && kh_is_outbound(packet))
		kh_sight(packet, match, interface);
}

#endif
