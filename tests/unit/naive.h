/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a list of orders means, said as plainly as possible: a linear scan with no structure that could be wrong. The
 * compiled image and the packet programs are compared with it. Needs nothing but the headers.
 */
#ifndef KHIEN_TESTS_NAIVE_H
#define KHIEN_TESTS_NAIVE_H

#include <stdbool.h>

#include "compile/compile.h"

struct kh_naive_list {
	const struct kh_compile_order *orders;
	size_t orders_count;
	const struct kh_range *holes;
	size_t holes_count;
};

/* One address at one moment. With a port only the orders on that port are meant, without one only those on the address. */
struct kh_naive_query {
	struct kh_range address;
	uint32_t now;
	uint16_t port; /* 0: by address */
	uint8_t protocol;
};

struct kh_naive_verdict {
	uint32_t slot; /* 0: no order */
	enum kh_action action;
};

struct kh_naive_verdict kh_naive_match(const struct kh_naive_list *list, const struct kh_naive_query *query);
/* One side of a packet: its address, and its port if it has one. Drop beats monitor; between equals, the address. */
struct kh_naive_verdict kh_naive_side(const struct kh_naive_list *list, const struct kh_naive_query *query);
/* Is this one of the orders in force there, the best one or not? */
bool kh_naive_holds(const struct kh_naive_list *list, const struct kh_naive_query *query,
		    struct kh_naive_verdict verdict);
/* How many orders are the best one there at some time. Above KH_UNDER_LINKS + 1 an image may name another of the orders in
 * force with the same action. */
size_t kh_naive_chain_length(const struct kh_naive_list *list, const struct kh_naive_query *query);

#endif
