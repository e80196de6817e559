// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orders by prefix: see nearby.h. Ranges that are no prefix are few in such lists, and looked at one by one.
 */
#include "nearby.h"

#include <stdlib.h>

#define NOBODY UINT32_MAX

struct kh_nearby {
	const struct kh_compile_order *orders;
	bool lengths[2][129];
	uint32_t *heads, *nexts; /* chains by hash of the prefix, first order of the list first */
	size_t mask;
	uint32_t *others;
	size_t others_count;
};

static size_t place_of(const struct kh_nearby *nearby, const struct kh_range *prefix)
{
	uint64_t hash = prefix->family;

	for (int i = 0; i < 4; i++) {
		hash = (hash ^ (uint32_t)(prefix->first >> (32 * i))) * 0x100000001b3ull;
		hash ^= hash >> 32;
	}
	hash = (hash ^ (unsigned int)kh_range_prefix_length(prefix)) * 0x9e3779b97f4a7c15ull;
	return (size_t)(hash >> 32) & nearby->mask;
}

struct kh_nearby *kh_nearby_make(const struct kh_compile_order *orders, size_t count)
{
	struct kh_nearby *nearby = calloc(1, sizeof(*nearby));
	size_t places = 1024;

	if (!nearby)
		return NULL;
	while (places < 2 * count)
		places *= 2;
	nearby->orders = orders;
	nearby->mask = places - 1;
	nearby->heads = malloc(places * sizeof(*nearby->heads));
	nearby->nexts = malloc((count + 1) * sizeof(*nearby->nexts));
	nearby->others = malloc((count + 1) * sizeof(*nearby->others));
	if (!nearby->heads || !nearby->nexts || !nearby->others) {
		kh_nearby_free(nearby);
		return NULL;
	}
	for (size_t i = 0; i < places; i++)
		nearby->heads[i] = NOBODY;
	for (size_t i = count; i-- > 0;) {
		const struct kh_range *range = &orders[i].range;
		int length = kh_range_prefix_length(range);
		uint32_t *head;

		if (length < 0) {
			nearby->others[nearby->others_count++] = (uint32_t)i;
			continue;
		}
		head = &nearby->heads[place_of(nearby, range)];
		nearby->nexts[i] = *head;
		*head = (uint32_t)i;
		nearby->lengths[range->family == 6][length] = true;
	}
	return nearby;
}

void kh_nearby_free(struct kh_nearby *nearby)
{
	if (!nearby)
		return;
	free(nearby->heads);
	free(nearby->nexts);
	free(nearby->others);
	free(nearby);
}

size_t kh_nearby_orders(const struct kh_nearby *nearby, const struct kh_range *address,
			struct kh_compile_order *ret_orders, size_t count, size_t size)
{
	uint8_t longest = address->family == 4 ? 32 : 128;

	for (uint8_t length = 0; length <= longest; length++) {
		struct kh_range prefix;

		if (!nearby->lengths[address->family == 6][length])
			continue;
		prefix = kh_range_of_prefix(address->first, length, address->family);
		for (uint32_t i = nearby->heads[place_of(nearby, &prefix)]; i != NOBODY; i = nearby->nexts[i]) {
			if (kh_range_compare(&nearby->orders[i].range, &prefix) != 0)
				continue;
			if (count >= size)
				return size + 1;
			ret_orders[count++] = nearby->orders[i];
		}
	}
	for (size_t i = 0; i < nearby->others_count; i++) {
		const struct kh_compile_order *order = &nearby->orders[nearby->others[i]];

		if (!kh_range_contains(&order->range, address))
			continue;
		if (count >= size)
			return size + 1;
		ret_orders[count++] = *order;
	}
	return count;
}
