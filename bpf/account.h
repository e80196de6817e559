/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters, sightings and first-sight events of a packet already judged. Returns nothing: a full table or buffer
 * loses a count (and counts the loss), never changes a verdict.
 *
 * Records of a full queue are fetched while the next packet is judged. 1 M addresses, ns a hit, in turn: all records waited for behind the
 * packet that filled the queue 243, 258, 193, 215, this 222, 241, 158, 237. One indicator at a time, its record asked for a packet earlier,
 * was no better than either (285, 293, 376): every packet then has an atomic addition, past which the processor does not look.
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

/* Keys are copies on the stack: Linux 6.1 takes none from the memory of a global function's argument. */
static __always_inline void *kh_records_of(__u32 place)
{
	return bpf_map_lookup_elem(&records, &place);
}

static __always_inline struct kh_record *kh_record_in(void *array, __u32 slot)
{
	return array ? bpf_map_lookup_elem(array, &slot) : NULL;
}

static __always_inline struct kh_record *kh_record(__u32 place, __u32 slot)
{
	return kh_record_in(kh_records_of(place), slot);
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

/* May the counts of this CPU be touched? Not by a program that interrupted another, nor while user space is emptying them. */
static __always_inline struct kh_pending *kh_take_pending(void)
{
	__u32 zero = 0;
	struct kh_pending *mine = bpf_map_lookup_elem(&pending, &zero);
	const struct kh_control *state = bpf_map_lookup_elem(&control, &zero);

	if (!mine || !state || mine->busy || *(volatile const __u32 *)&state->hold)
		return NULL;
	mine->busy = 1;
	barrier();
	return mine;
}

static __always_inline void kh_leave_pending(struct kh_pending *mine)
{
	barrier();
	mine->busy = 0;
}

/* Asks for the records of a full queue, and waits for none: the loads are for nothing else. Returns 0. */
__noinline int kh_fetch_records(const struct kh_pending *mine)
{
	struct kh_record *found[KH_PENDING_QUEUE];
	void *array;

	if (!mine)
		return 0;
	array = kh_records_of(mine->queue[0].place);
#pragma unroll
	for (__u32 i = 0; i < KH_PENDING_QUEUE; i++) {
		found[i] = kh_record_in(array, mine->queue[i].slot);
		if (!found[i])
			return 0;
	}
#pragma unroll
	for (__u32 i = 0; i < KH_PENDING_QUEUE; i++)
		(void)*(volatile __u64 *)&found[i]->packets;
	return 0;
}

/* Adds what is queued to the records. Returns 0. */
__noinline int kh_empty_queue(struct kh_pending *mine)
{
	__u32 place;
	void *array;

	if (!mine)
		return 0;
	place = mine->queue[0].place; /* of nearly all */
	array = kh_records_of(place);
	for (__u32 i = 0; i < KH_PENDING_QUEUE; i++) {
		const struct kh_pending_count *count = &mine->queue[i];
		struct kh_record *record;

		if (i >= mine->queued)
			break;
		record =
			count->place == place ? kh_record_in(array, count->slot) : kh_record(count->place, count->slot);
		if (record)
			kh_add(record, count);
	}
	mine->queued = 0;
	return 0;
}

/* A full queue goes to the records with the packet at hand, which is judged while they are being fetched. Returns what kh_end_home() takes. */
static __always_inline struct kh_pending *kh_start_home(void)
{
	struct kh_pending *mine = kh_take_pending();

	if (!mine)
		return NULL;
	if (mine->queued < KH_PENDING_QUEUE) {
		kh_leave_pending(mine);
		return NULL;
	}
	kh_fetch_records(mine);
	return mine;
}

static __always_inline void kh_end_home(struct kh_pending *mine)
{
	if (!mine)
		return;
	kh_empty_queue(mine);
	kh_leave_pending(mine);
}

/* Where in the queue that record's count is; KH_PENDING_QUEUE: nowhere. */
static __always_inline __u32 kh_find_pending(const struct kh_pending *mine, __u32 slot, __u32 place)
{
	__u32 found = KH_PENDING_QUEUE;

#pragma unroll
	for (__u32 i = 0; i < KH_PENDING_QUEUE; i++)
		if (i < mine->queued && mine->queue[i].slot == slot && mine->queue[i].place == place)
			found = i;
	return found;
}

static __always_inline void kh_count_record(const struct kh_packet *packet, const struct kh_match *match)
{
	struct kh_pending *mine = kh_take_pending();
	struct kh_pending_count *count, one = { .slot = match->slot,
						.place = match->place,
						.packets = packet->packets,
						.bytes = packet->bytes,
						.first_seen = match->now,
						.last_seen = match->now };
	__u32 at;

	if (!mine) {
		kh_add_to_record(&one);
		return;
	}
	at = kh_find_pending(mine, match->slot, match->place);
	if (at < KH_PENDING_QUEUE) {
		count = &mine->queue[at];
		count->packets += packet->packets;
		count->bytes += packet->bytes;
		count->last_seen = match->now;
	} else {
		if (mine->queued >= KH_PENDING_QUEUE) {
			kh_fetch_records(mine);
			kh_empty_queue(mine);
		}
		mine->queue[mine->queued & (KH_PENDING_QUEUE - 1)] = one;
		mine->queued++;
	}
	kh_leave_pending(mine);
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
				       const struct kh_interface *interface, struct kh_pending *leaving)
{
	kh_count_reason(packet, match->reason);
	kh_end_home(leaving);
	if (!match->slot)
		return;
	kh_count_record(packet, match);
	if (match->on_destination && kh_is_outbound(packet))
		kh_sight(packet, match, interface);
}

#endif
