// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Radix sort, least significant digit first: a million items in some milliseconds, and no input makes it slow.
 */
#include "compile/private.h"

#include <errno.h>
#include <string.h>
#include <stdint.h>

#define DIGIT_BITS \
	8 /* 256 places written to at a time stay in the first-level cache; 2,048 do not, and fewer passes do not make up for it */
#define DIGIT_VALUES (1u << DIGIT_BITS)
#define DIGITS_MAX 8 /* 64 bits */

static bool is_sorted(const struct kh_sort_item *items, size_t count, unsigned int low_bit)
{
	for (size_t i = 1; i < count; i++)
		if (items[i - 1].key >> low_bit > items[i].key >> low_bit)
			return false;
	return true;
}

static void count_digits(const struct kh_sort_item *items, size_t count, unsigned int low_bit, unsigned int digits,
			 size_t (*counts)[DIGIT_VALUES])
{
	for (size_t i = 0; i < count; i++) {
		uint64_t key = items[i].key >> low_bit;

		for (unsigned int digit = 0; digit < digits; digit++, key >>= DIGIT_BITS)
			counts[digit][key & (DIGIT_VALUES - 1)]++;
	}
}

int kh_sort_items(struct kh_sort_item **items, size_t count, unsigned int low_bit)
{
	struct kh_sort_item *other KH_CLEANUP(kh_freep) = NULL;
	size_t(*counts)[DIGIT_VALUES] KH_CLEANUP(kh_freep) = NULL;
	unsigned int digits = (64 - low_bit + DIGIT_BITS - 1) / DIGIT_BITS;

	if (is_sorted(*items, count, low_bit))
		return 0;
	other = malloc(count * sizeof(*other));
	counts = calloc(DIGITS_MAX, sizeof(*counts));
	if (!other || !counts)
		return -ENOMEM;
	count_digits(*items, count, low_bit, digits, counts);
	for (unsigned int digit = 0; digit < digits; digit++) {
		unsigned int shift = low_bit + digit * DIGIT_BITS;
		size_t *places = counts[digit], sum = 0;
		struct kh_sort_item *from = *items;

		if (places[from[0].key >> shift & (DIGIT_VALUES - 1)] == count)
			continue; /* all alike: the host bits of a list of prefixes */
		for (unsigned int value = 0; value < DIGIT_VALUES; value++) {
			size_t here = places[value];

			places[value] = sum;
			sum += here;
		}
		for (size_t i = 0; i < count; i++)
			other[places[from[i].key >> shift & (DIGIT_VALUES - 1)]++] = from[i];
		*items = other;
		other = from;
	}
	return 0;
}

int kh_sort_tail(struct kh_sort_item *items, size_t count, size_t tail, unsigned int low_bit)
{
	struct kh_sort_item *run KH_CLEANUP(kh_freep) = NULL;
	size_t left = count - tail, at = count;
	int r;

	if (!tail || (is_sorted(items + left, tail, low_bit) &&
		      (!left || items[left - 1].key >> low_bit <= items[left].key >> low_bit)))
		return 0;
	run = malloc(tail * sizeof(*run));
	if (!run)
		return -ENOMEM;
	memcpy(run, items + left, tail * sizeof(*run));
	r = kh_sort_items(&run, tail, low_bit);
	if (r < 0)
		return r;
	while (tail) { /* from the end, so that nothing is overwritten before it was moved */
		if (left && items[left - 1].key >> low_bit > run[tail - 1].key >> low_bit)
			items[--at] = items[--left];
		else
			items[--at] = run[--tail];
	}
	return 0;
}
