/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders -> flattened ranges -> generation image (include/khien/abi.h). Pure.
 *
 * 1. Flatten: a sweep over the borders of all orders and holes gives disjoint ranges, each with the chain of orders
 *    that cover it; holes (never-block and allow) cut everything.
 * 2. Chain: drops before monitors, the longest prefix (smallest range) first; an order that can never be reached (its
 *    deadline is not later than one before it) is left out; at most KH_UNDER_LINKS + 1 orders are kept, among them the drop with
 *    the latest deadline and the monitor with the latest: so the verdict is exact at any time, only the attribution may not be.
 *    A chain that starts with a drop without deadline is that slot alone. Equal chains are stored once.
 * 3. Image: the ranges are laid out for look-up.
 * Time O(n log n), memory O(n). Nothing here knows about indicators beyond slot, action and deadline.
 */
#ifndef KHIEN_COMPILE_COMPILE_H
#define KHIEN_COMPILE_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/error.h"
#include "khien/abi.h"
#include "model/bulk.h"

/* One order in force. Several orders may have the same range, and the same slot. */
struct kh_compile_order {
	struct kh_range range; /* one address when port is set */
	uint32_t slot; /* 1 .. KH_SLOT_MAX */
	uint32_t deadline; /* wall-clock seconds, exclusive; 0: none */
	uint16_t port; /* 0: all traffic of the address */
	uint8_t protocol; /* with port: 6, 17, or 0 for both */
	uint8_t action; /* enum kh_action */
};

/* A bulk list in force: what a million orders are when all agree. Value n has the slot first_slot + n. */
struct kh_compile_list {
	const struct kh_bulk *values; /* borrowed; sorted */
	const uint64_t *left_out; /* a bit for each value that is not ordered; NULL: all are */
	uint32_t first_slot;
	uint32_t deadline;
	uint8_t action;
};

/* What is compiled: all borrowed, nothing changed. */
struct kh_compile_input {
	const struct kh_compile_order *orders;
	size_t orders_count;
	const struct kh_compile_list *lists;
	size_t lists_count;
	const struct kh_range *holes; /* in any order */
	size_t holes_count;
	struct kh_image *
		*spare; /* NULL, or what kh_image_spare() made: the new image may take it, and then it is NULL */
};

struct kh_image {
	void *data; /* `pages` * KH_PAGE_SIZE bytes, page-aligned; starts with struct kh_image_header */
	size_t pages;
	size_t room; /* pages that there is memory for */
	bool clean; /* a spare: all of it is zero */
};

/* Compiles. Orders are borrowed and not changed; holes must be sorted and disjoint per kh_range_compare, or any order:
 * they are sorted here. 0; -EINVAL (an order is malformed: index in error), -E2BIG (beyond the limits of the ABI), -ENOMEM.
 * The same input gives the same image, byte for byte; between generations only the number and the checksum differ.
 * An order wholly in holes is left out, and is not among the header's indicators. */
int kh_compile(const struct kh_compile_order *orders, size_t orders_count, const struct kh_range *holes,
	       size_t holes_count, uint64_t generation, struct kh_image **ret_image, struct kh_error *error);

/* The same of orders and lists. The index in an error counts the orders first, then the values of the lists. */
int kh_compile_all(const struct kh_compile_input *input, uint64_t generation, struct kh_image **ret_image,
		   struct kh_error *error);

void kh_image_free(struct kh_image *image); /* takes NULL */

/* Sees to memory for the next image of about so many pages, so that compiling in a hurry neither waits for any nor clears it: *spare, which may be an
 * image that nobody looks at any more, is kept when it will do, else made anew, or NULL where there is no memory. */
void kh_image_spare(struct kh_image **spare, size_t pages);

static inline const struct kh_image_header *kh_image_header(const struct kh_image *image)
{
	return image->data;
}

/* Checks an image from disk before it may be installed: magic, ABI, size, checksum, section bounds. 0 or -EINVAL with error. */
int kh_image_check(const void *data, size_t length, struct kh_error *error);

/* The reference (KH_REF_*) that the image holds for an address, computed exactly as the packet program does, in C:
 * for `khien why`, `verify` and tests. */
uint32_t kh_image_lookup(const struct kh_image *image, const struct kh_range *address);
uint32_t kh_image_lookup_port(const struct kh_image *image, const struct kh_range *address, uint16_t port,
			      uint8_t protocol);
/* What the presence bits of IPv4 say: false, and there is no order on the address; true, and there may be one. */
bool kh_image_may_hold_v4(const struct kh_image *image, uint32_t address);
/* The same of IPv6, by address bits 0..63. */
bool kh_image_may_hold_v6(const struct kh_image *image, uint64_t high);
/* Follows a reference at wall-clock `now`: 1 and slot and action of the order in force, or 0: none is. */
int kh_image_resolve(const struct kh_image *image, uint32_t reference, uint32_t now, uint32_t *ret_slot,
		     enum kh_action *ret_action);

#endif
