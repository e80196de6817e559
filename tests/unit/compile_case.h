/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the compiler share: orders from text, the comparison of an image with the naive matcher, a seeded
 * generator. Include once in each test program.
 */
#ifndef KHIEN_TESTS_COMPILE_CASE_H
#define KHIEN_TESTS_COMPILE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/address.h"
#include "compile/compile.h"
#include "naive.h"

static inline struct kh_range range_of(const char *text)
{
	struct kh_range range;

	if (kh_range_parse(text, strlen(text), &range) < 0)
		fail_msg("bad range in the test: %s", text);
	return range;
}

static inline struct kh_image *compile_list(const struct kh_naive_list *list, uint64_t generation)
{
	struct kh_error error = {};
	struct kh_image *image = NULL;

	if (kh_compile(list->orders, list->orders_count, list->holes, list->holes_count, generation, &image, &error) <
	    0)
		fail_msg("compile: %s", error.text);
	return image;
}

static inline struct kh_naive_verdict image_match(const struct kh_image *image, const struct kh_naive_query *query)
{
	struct kh_naive_verdict verdict = {};
	uint32_t reference;

	if (query->port)
		reference = kh_image_lookup_port(image, &query->address, query->port, query->protocol);
	else
		reference = kh_image_lookup(image, &query->address);
	kh_image_resolve(image, reference, query->now, &verdict.slot, &verdict.action);
	return verdict;
}

/* The verdict must be the same; the order named must be too, unless the chain was cut short. */
static inline void compare_with_naive(const struct kh_image *image, const struct kh_naive_list *list,
				      const struct kh_naive_query *query)
{
	struct kh_naive_verdict found = image_match(image, query), wanted = kh_naive_match(list, query);
	char text[KH_RANGE_TEXT];

	if (found.slot == wanted.slot && (!found.slot || found.action == wanted.action))
		return;
	if (found.slot && wanted.slot && found.action == wanted.action && kh_naive_holds(list, query, found) &&
	    kh_naive_chain_length(list, query) > KH_UNDER_LINKS + 1)
		return;
	fail_msg("%s port %u protocol %u at %u: found %u/%d, wanted %u/%d (chain of %zu)",
		 kh_range_format(&query->address, text), query->port, query->protocol, query->now, found.slot,
		 (int)found.action, wanted.slot, (int)wanted.action, kh_naive_chain_length(list, query));
}

/* splitmix64 */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static inline uint32_t random_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)(random_next(state) % limit);
}

#endif
