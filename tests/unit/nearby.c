// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orders and holes by prefix: see nearby.h. A range that is no prefix stands there as the few prefixes that make it up.
 */
#include "nearby.h"

#include <stdlib.h>

#define NOBODY UINT32_MAX

struct node {
	struct kh_range prefix;
	uint32_t item, next;
};

/* Of orders or of holes: either begins with its range. */
struct index {
	const struct kh_range *items;
	size_t stride;
	bool lengths[2][129];
	uint32_t *heads;
	size_t mask;
	struct node *nodes;
	uint32_t nodes_count;
};

struct kh_nearby {
	const struct kh_naive_list *list;
	struct index orders, holes;
	uint32_t *found;
	size_t found_count, found_capacity;
	struct kh_compile_order *near_orders;
	struct kh_range *near_holes;
};

static const struct kh_range *item_at(const struct index *index, uint32_t item)
{
	return (const struct kh_range *)((const char *)index->items + item * index->stride);
}

static size_t place_of(const struct index *index, const struct kh_range *prefix, unsigned int length)
{
	uint64_t hash = prefix->family;

	for (int i = 0; i < 4; i++) {
		hash = (hash ^ (uint32_t)(prefix->first >> (32 * i))) * 0x100000001b3ull;
		hash ^= hash >> 32;
	}
	hash = (hash ^ length) * 0x9e3779b97f4a7c15ull;
	return (size_t)(hash >> 32) & index->mask;
}

/* The largest prefix that begins where the range does and ends in it. */
static struct kh_range first_prefix(const struct kh_range *range, uint8_t *ret_length)
{
	uint8_t length = range->family == 4 ? 32 : 128;
	struct kh_range prefix = kh_range_of_prefix(range->first, length, range->family), larger;

	while (length > 0) {
		larger = kh_range_of_prefix(range->first, (uint8_t)(length - 1), range->family);
		if (larger.first != range->first || larger.last > range->last)
			break;
		prefix = larger;
		length--;
	}
	*ret_length = length;
	return prefix;
}

/* Puts all prefixes of an item into the table; without one, counts them only. */
static size_t add_item(struct index *index, uint32_t item)
{
	struct kh_range rest = *item_at(index, item), prefix;
	size_t count = 0;
	uint8_t length;

	for (;; count++) {
		prefix = first_prefix(&rest, &length);
		if (index->nodes) {
			uint32_t *head = &index->heads[place_of(index, &prefix, length)];

			index->nodes[index->nodes_count] = (struct node){ prefix, item, *head };
			*head = index->nodes_count++;
			index->lengths[prefix.family == 6][length] = true;
		}
		if (prefix.last == rest.last)
			return count + 1;
		rest.first = prefix.last + 1;
	}
}

static bool index_make(struct index *index, const void *items, size_t count, size_t stride)
{
	size_t places = 1024, nodes = 0;

	index->items = items;
	index->stride = stride;
	for (size_t i = 0; i < count; i++)
		nodes += add_item(index, (uint32_t)i);
	while (places < nodes)
		places *= 2;
	index->mask = places - 1;
	index->heads = malloc(places * sizeof(*index->heads));
	index->nodes = malloc((nodes + 1) * sizeof(*index->nodes));
	if (!index->heads || !index->nodes)
		return false;
	for (size_t i = 0; i < places; i++)
		index->heads[i] = NOBODY;
	for (size_t i = count; i-- > 0;)
		add_item(index, (uint32_t)i);
	return true;
}

struct kh_nearby *kh_nearby_make(const struct kh_naive_list *list)
{
	struct kh_nearby *nearby = calloc(1, sizeof(*nearby));

	if (!nearby)
		return NULL;
	nearby->list = list;
	if (index_make(&nearby->orders, list->orders, list->orders_count, sizeof(*list->orders)) &&
	    index_make(&nearby->holes, list->holes, list->holes_count, sizeof(*list->holes)))
		return nearby;
	kh_nearby_free(nearby);
	return NULL;
}

void kh_nearby_free(struct kh_nearby *nearby)
{
	if (!nearby)
		return;
	free(nearby->orders.heads);
	free(nearby->orders.nodes);
	free(nearby->holes.heads);
	free(nearby->holes.nodes);
	free(nearby->found);
	free(nearby->near_orders);
	free(nearby->near_holes);
	free(nearby);
}

static bool remember(struct kh_nearby *nearby, uint32_t item)
{
	if (nearby->found_count == nearby->found_capacity) {
		size_t capacity = nearby->found_capacity ? 2 * nearby->found_capacity : 64;
		uint32_t *found = realloc(nearby->found, capacity * sizeof(*found));
		struct kh_compile_order *orders = realloc(nearby->near_orders, capacity * sizeof(*orders));
		struct kh_range *holes = realloc(nearby->near_holes, capacity * sizeof(*holes));

		nearby->found = found ? found : nearby->found;
		nearby->near_orders = orders ? orders : nearby->near_orders;
		nearby->near_holes = holes ? holes : nearby->near_holes;
		if (!found || !orders || !holes)
			return false;
		nearby->found_capacity = capacity;
	}
	nearby->found[nearby->found_count++] = item;
	return true;
}

static bool find(struct kh_nearby *nearby, const struct index *index, const struct kh_range *addresses, size_t count)
{
	nearby->found_count = 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t family = addresses[i].family, longest = family == 4 ? 32 : 128;

		for (uint8_t length = 0; length <= longest; length++) {
			struct kh_range prefix;

			if (!index->lengths[family == 6][length])
				continue;
			prefix = kh_range_of_prefix(addresses[i].first, length, family);
			for (uint32_t node = index->heads[place_of(index, &prefix, length)]; node != NOBODY;
			     node = index->nodes[node].next)
				if (kh_range_compare(&index->nodes[node].prefix, &prefix) == 0 &&
				    !remember(nearby, index->nodes[node].item))
					return false;
		}
	}
	return true;
}

bool kh_nearby_list(struct kh_nearby *nearby, const struct kh_range *addresses, size_t count,
		    struct kh_naive_list *ret_list)
{
	size_t holes;

	if (!find(nearby, &nearby->holes, addresses, count))
		return false;
	holes = nearby->found_count;
	for (size_t i = 0; i < holes; i++)
		nearby->near_holes[i] = nearby->list->holes[nearby->found[i]];
	if (!find(nearby, &nearby->orders, addresses, count))
		return false;
	for (size_t i = 0; i < nearby->found_count; i++)
		nearby->near_orders[i] = nearby->list->orders[nearby->found[i]];
	*ret_list = (struct kh_naive_list){ nearby->near_orders, nearby->found_count, nearby->near_holes, holes };
	return true;
}
