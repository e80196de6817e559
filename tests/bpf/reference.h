/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet is and gets, told a second time: the rules of "What a packet gets" and "Counting" in plain C over an array of bytes, and
 * the list by linear scan, for slow and sure comparison with the packet programs. Shares nothing with them but the names of the reasons.
 */
#ifndef KHIEN_TESTS_REFERENCE_H
#define KHIEN_TESTS_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "khien/abi.h"
#include "naive.h"

struct reference {
	enum kh_reason reason; /* how it leaves when no order matches */
	bool addresses; /* both could be read */
	struct kh_range source, destination;
	uint8_t protocol; /* the last that could be read */
	bool ports;
	uint16_t source_port, destination_port;
	uint64_t bytes; /* layer 3 */
};

/* A whole Ethernet frame of at least 14 bytes. */
void reference_read(const uint8_t *data, size_t length, struct reference *ret_reference);
/* What follows a layer-2 header that named this EtherType. */
void reference_read_bare(const uint8_t *data, size_t length, uint16_t type, struct reference *ret_reference);

struct judgement {
	enum kh_reason reason;
	uint32_t slot; /* 0: no order */
	bool on_destination; /* with a slot */
};

/* What the list says about such a packet. `outbound`: met on the LAN side, or leaving by the WAN. */
void reference_judge(const struct reference *reference, const struct kh_naive_list *list, bool outbound, uint32_t now,
		     struct judgement *ret_judgement);

#endif
