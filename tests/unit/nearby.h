/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For lists too long to scan for every packet: which of the orders cover an address, so that the naive matcher need look at those
 * only. One hash lookup for each prefix length there is: a structure that has nothing in common with the image.
 */
#ifndef KHIEN_TESTS_NEARBY_H
#define KHIEN_TESTS_NEARBY_H

#include "naive.h"

struct kh_nearby;

/* Borrows the orders. NULL: no memory. */
struct kh_nearby *kh_nearby_make(const struct kh_compile_order *orders, size_t count);
void kh_nearby_free(struct kh_nearby *nearby); /* takes NULL */

/* Copies the orders that cover the address, whatever their port, in the order of the list, and appends them to `ret_orders`, which
 * holds `count` of at most `size`. Returns how many it holds now; size + 1: it is too small. */
size_t kh_nearby_orders(const struct kh_nearby *nearby, const struct kh_range *address,
			struct kh_compile_order *ret_orders, size_t count, size_t size);

#endif
