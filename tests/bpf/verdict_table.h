/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of DESIGN's "What a packet gets", "Counting", "Direction" and "Sightings": one row a promise. Addresses are symbols, so that
 * each row is tested in several worlds: IPv4 and IPv6, with an Ethernet header and without.
 */
#ifndef KHIEN_TESTS_VERDICT_TABLE_H
#define KHIEN_TESTS_VERDICT_TABLE_H

#include "lab.h"

#define TABLE_NOW 1700000000u /* the programs' clock stands here */

enum where {
	AT_LAN, /* comes in on the LAN side */
	AT_WAN,
	AT_OUT, /* leaves on the WAN side */
};

enum sight {
	NOBODY,
	MACHINE, /* source address and MAC */
	SPOOFED,
	GATEWAY,
};

#define ONLY_IPV4 1u
#define ONLY_IPV6 2u
#define ONLY_ETHERNET 4u /* also understood from words like "q" at the start of the frame */
#define ONLY_TC 8u
#define ONLY_XDP 16u

#define NO_BYTES UINT64_MAX

struct table_row {
	const char *name;
	enum where where;
	const char *frame; /* words of frames.h; "ip:office.57>bad.7" is IP in either family */
	enum kh_reason reason;
	uint32_t slot; /* which order; 0: none */
	enum sight sight;
	unsigned int only;
	uint64_t bytes; /* 0: those of the datagram */
	uint32_t device; /* 0: LAB_LAN (LAB_WG), LAB_WAN */
	uint32_t came_by;
	uint16_t gso_segs, gso_size;
	uint32_t packets; /* 0: 1 */
};

/* The list in force, in each world. */
struct table_order {
	uint32_t slot;
	const char *net; /* of the address symbol */
	uint8_t first, host_bits;
	enum kh_action action;
	uint16_t port;
	uint8_t protocol;
	uint32_t deadline;
};

struct table_hole {
	const char *net;
	uint8_t first, host_bits;
};

extern const struct table_row table_rows[];
extern const size_t table_rows_count;
extern const struct table_order table_orders[];
extern const size_t table_orders_count;
extern const struct table_hole table_holes[];
extern const size_t table_holes_count;

#define TABLE_SLOTS 64 /* slots of one world */

#endif
