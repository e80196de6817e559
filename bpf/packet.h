/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the steps of a packet's journey hand to each other: parse.h fills struct kh_packet, match.h fills
 * struct kh_match, account.h reads both. No packet pointer is in either.
 */
#ifndef KHIEN_BPF_PACKET_H
#define KHIEN_BPF_PACKET_H

#include "khien/abi.h"

struct kh_packet {
	__u64 source_high, source_low; /* host byte order; IPv4 in the low 32 bits of _low */
	__u64 destination_high, destination_low;
	__u64 bytes; /* layer 3, over all wire packets */
	__u32 packets; /* on the wire: more than 1 for a GSO buffer */
	__u32 ifindex;
	__u16 source_port, destination_port; /* host byte order; valid with has_ports */
	__u8 family; /* 4 or 6; 0: the addresses could not be read */
	__u8 protocol;
	__u8 has_ports;
	__u8 reason; /* enum kh_reason: how it leaves when no order matches */
	__u8 direction; /* enum kh_direction */
	__u8 role; /* enum kh_role of the interface; NONE: not in the table */
	__u8 number; /* counter row of the interface */
	__u8 mac[6]; /* source; zero without an Ethernet header */
	__u8 reserved[7];
};

/* Is the destination the remote side: does the packet leave the office? */
static inline __attribute__((always_inline)) __u32 kh_is_outbound(const struct kh_packet *packet)
{
	return packet->role == KH_ROLE_LAN || packet->direction == KH_EGRESS;
}

struct kh_match {
	__u32 slot; /* record to count in; 0: no order matched */
	__u32 place; /* of the generation that judged */
	__u32 now; /* wall-clock seconds; set when an order matched */
	__u8 action; /* enum kh_action */
	__u8 on_destination; /* the destination matched, not the source */
	__u8 reason; /* enum kh_reason: how the packet leaves */
	__u8 reserved;
};

#endif
