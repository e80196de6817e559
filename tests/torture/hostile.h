/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hostile frames and the lists they meet, all from one seed: the same seed, list, batch and number give the same frame on the same hook, so
 * that any of them can be sent again alone. A frame begins as one of a list's templates, which are built from random words of frames.h (tag stacks, PPPoE,
 * options, chains of extension headers, fragments, lengths that lie), with addresses close to the borders of the orders, and is then cut, mutated
 * where headers are read, glued to another, or replaced by random bytes. Sends nothing and knows no verdict.
 */
#ifndef KHIEN_TESTS_HOSTILE_H
#define KHIEN_TESTS_HOSTILE_H

#include "frames.h"
#include "lab.h"
#include "naive.h"

#define HOSTILE_BATCH 128 /* frames that go one after the other through one hook */
#define HOSTILE_ORDERS 56
#define HOSTILE_NOW 1700000000u /* the clock of all lists: some of their deadlines have passed */

struct hostile_frame {
	uint8_t data[FRAME_SIZE]; /* at least 14 bytes of it are used */
	size_t length;
	const char *how; /* what was done to it: for messages */
};

/* Makes list `number` of this seed and its templates; the list is valid until the next call. Of no address are more orders in force than an
 * image keeps, so that attribution is exact (naive.h). */
void hostile_begin(uint64_t seed, uint32_t number, struct kh_naive_list *ret_list);
/* Frees the templates. */
void hostile_end(void);

/* Frame `index` (below HOSTILE_BATCH) of a batch of the list. `l3`: it starts with the IP header, and its bytes 12 and 13 are the type that a
 * test run takes from an Ethernet header. Every eighth batch is one template at every length from 14 bytes on. */
void hostile_frame(uint32_t batch, uint32_t index, bool l3, struct hostile_frame *ret_frame);

#endif
