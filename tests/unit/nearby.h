/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For lists too long to scan for every packet: which of the orders and holes cover an address, so that the naive matcher need look at
 * those only. One hash lookup for each prefix length there is: a structure that has nothing in common with the image.
 */
#ifndef KHIEN_TESTS_NEARBY_H
#define KHIEN_TESTS_NEARBY_H

#include "naive.h"

struct kh_nearby;

/* Borrows the list. NULL: no memory. */
struct kh_nearby *kh_nearby_make(const struct kh_naive_list *list);
void kh_nearby_free(struct kh_nearby *nearby); /* takes NULL */

/* The orders, whatever their port, and the holes that cover one of the addresses; an order that covers two stands there twice. What is
 * returned is good until the next call. False: no memory. */
bool kh_nearby_list(struct kh_nearby *nearby, const struct kh_range *addresses, size_t count,
		    struct kh_naive_list *ret_list);

#endif
