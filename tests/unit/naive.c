// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The linear scan. Slow on purpose: every rule of DESIGN.md is one line here.
 */
#include "naive.h"

static bool contains(const struct kh_range *range, const struct kh_range *address)
{
	return range->family == address->family && range->first <= address->first && address->first <= range->last;
}

static bool in_hole(const struct kh_naive_list *list, const struct kh_range *address)
{
	for (size_t i = 0; i < list->holes_count; i++)
		if (contains(&list->holes[i], address))
			return true;
	return false;
}

static bool applies(const struct kh_compile_order *order, const struct kh_naive_query *query)
{
	if (!contains(&order->range, &query->address) || order->port != query->port)
		return false;
	return !order->port || !order->protocol || order->protocol == query->protocol;
}

static bool is_live(const struct kh_compile_order *order, uint32_t now)
{
	return !order->deadline || now < order->deadline;
}

/* Does `a` live longer than `b`? */
static bool outlives(const struct kh_compile_order *a, const struct kh_compile_order *b)
{
	if (!a->deadline)
		return b->deadline;
	return b->deadline && a->deadline > b->deadline;
}

/* Does `a` come before `b`? Both apply. */
static bool is_better(const struct kh_compile_order *a, const struct kh_compile_order *b)
{
	kh_u128 size_a = a->range.last - a->range.first, size_b = b->range.last - b->range.first;

	if (a->action != b->action)
		return a->action == KH_ACTION_DROP;
	if (size_a != size_b)
		return size_a < size_b;
	if (!a->protocol != !b->protocol)
		return a->protocol;
	if (outlives(a, b) || outlives(b, a))
		return outlives(a, b);
	return a->slot < b->slot;
}

struct kh_naive_verdict kh_naive_match(const struct kh_naive_list *list, const struct kh_naive_query *query)
{
	const struct kh_compile_order *best = NULL;

	if (in_hole(list, &query->address))
		return (struct kh_naive_verdict){};
	for (size_t i = 0; i < list->orders_count; i++) {
		const struct kh_compile_order *order = &list->orders[i];

		if (applies(order, query) && is_live(order, query->now) && (!best || is_better(order, best)))
			best = order;
	}
	return best ? (struct kh_naive_verdict){ best->slot, best->action } : (struct kh_naive_verdict){};
}

struct kh_naive_verdict kh_naive_side(const struct kh_naive_list *list, const struct kh_naive_query *query)
{
	struct kh_naive_query by_address = { .address = query->address, .now = query->now };
	struct kh_naive_verdict address = kh_naive_match(list, &by_address), port;

	if (!query->port)
		return address;
	port = kh_naive_match(list, query);
	if (!port.slot || (address.slot && (address.action == KH_ACTION_DROP || port.action != KH_ACTION_DROP)))
		return address;
	return port;
}

bool kh_naive_holds(const struct kh_naive_list *list, const struct kh_naive_query *query,
		    struct kh_naive_verdict verdict)
{
	if (in_hole(list, &query->address))
		return false;
	for (size_t i = 0; i < list->orders_count; i++) {
		const struct kh_compile_order *order = &list->orders[i];

		if (applies(order, query) && is_live(order, query->now) && order->slot == verdict.slot &&
		    order->action == verdict.action)
			return true;
	}
	return false;
}

/* Is there an order before this one that lives as long? Of twins the first counts. */
static bool is_idle(const struct kh_naive_list *list, const struct kh_naive_query *query, size_t index)
{
	const struct kh_compile_order *order = &list->orders[index];

	for (size_t i = 0; i < list->orders_count; i++) {
		const struct kh_compile_order *other = &list->orders[i];

		if (i == index || !applies(other, query) || outlives(order, other))
			continue;
		if (is_better(other, order) || (!is_better(order, other) && i < index))
			return true;
	}
	return false;
}

size_t kh_naive_chain_length(const struct kh_naive_list *list, const struct kh_naive_query *query)
{
	size_t length = 0;

	for (size_t i = 0; i < list->orders_count; i++)
		length += applies(&list->orders[i], query) && !is_idle(list, query, i);
	return length;
}
