// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The steps of a compilation, in order: check the orders, leave out those wholly in holes, build the sections, assemble.
 */
#include "compile/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"

/* The orders by where they go. */
struct sorted_orders {
	struct kh_sort_item *v4, *v6;
	uint32_t *ports;
	size_t v4_count, v6_count, ports_count;
	uint32_t highest_slot;
};

/* Slots already counted as an indicator, one bit each. */
struct slot_set {
	uint64_t *words;
};

static void parts_clear(struct kh_parts *parts)
{
	kh_chains_clear(&parts->chains);
	kh_v4_clear(&parts->v4);
	kh_v6_clear(&parts->v6);
	kh_ports_clear(&parts->ports);
	kh_hashes_clear(&parts->hashes);
}

static void sorted_orders_clear(struct sorted_orders *sorted)
{
	free(sorted->v4);
	free(sorted->v6);
	free(sorted->ports);
	*sorted = (struct sorted_orders){};
}

static void slot_set_clear(struct slot_set *set)
{
	free(set->words);
}

/* ---- Checks ---------------------------------------------------------------------------------- */

static bool range_ok(const struct kh_range *range)
{
	if (range->family != 4 && range->family != 6)
		return false;
	return range->first <= range->last && range->last <= kh_address_max(range->family);
}

/* What is wrong with an order, or NULL. */
static const char *order_fault(const struct kh_compile_order *order)
{
	if (!range_ok(&order->range))
		return N_("its range is not one");
	if (!order->slot || order->slot > KH_SLOT_MAX)
		return N_("its slot is out of bounds");
	if (order->action != KH_ACTION_DROP && order->action != KH_ACTION_MONITOR)
		return N_("its action is unknown");
	if (order->port && order->range.first != order->range.last)
		return N_("it has a port, and more than one address");
	if (order->protocol && (!order->port || (order->protocol != 6 && order->protocol != 17)))
		return N_("its protocol does not go with its port");
	return NULL;
}

/* Checks the orders and counts them by where they go; one pass, since it is the memory that takes the time. */
static int check_orders(const struct kh_compile_order *orders, size_t count, struct sorted_orders *ret_sorted,
			struct kh_error *error)
{
	if (count > KH_COMPILE_ORDERS_MAX)
		return kh_fail(error, -E2BIG, _("%zu orders are more than a generation can hold (%u)"), count,
			       KH_COMPILE_ORDERS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct kh_compile_order *order = &orders[i];
		const char *fault = order_fault(order);

		if (fault)
			return kh_fail(error, -EINVAL, _("Order %zu cannot be compiled: %s"), i, _(fault));
		ret_sorted->highest_slot =
			order->slot > ret_sorted->highest_slot ? order->slot : ret_sorted->highest_slot;
		ret_sorted->ports_count += order->port != 0;
		ret_sorted->v4_count += !order->port && order->range.family == 4;
		ret_sorted->v6_count += !order->port && order->range.family == 6;
	}
	return 0;
}

static int check_lists(const struct kh_compile_input *input, struct sorted_orders *ret_sorted, struct kh_error *error)
{
	size_t total = input->orders_count;

	for (size_t i = 0; i < input->lists_count; i++) {
		const struct kh_compile_list *list = &input->lists[i];
		size_t count = kh_bulk_count(list->values);
		struct kh_compile_order same = { .action = list->action, .slot = list->first_slot };
		const char *fault;

		total += count;
		if (total > KH_COMPILE_ORDERS_MAX)
			return kh_fail(error, -E2BIG, _("%zu orders are more than a generation can hold (%u)"), total,
				       KH_COMPILE_ORDERS_MAX);
		if (list->first_slot && count)
			same.slot = list->first_slot + (uint32_t)count - 1;
		for (size_t j = 0; j < count; j++) {
			const struct kh_bulk_v4 *v4 = &list->values->v4[j];
			uint32_t line;

			if (j && j < list->values->v4_count && v4->first <= v4->last)
				continue; /* what else may be wrong is the same for all */
			same.range = kh_bulk_range(list->values, j, &line);
			fault = order_fault(&same);
			if (fault)
				return kh_fail(error, -EINVAL, _("Order %zu cannot be compiled: %s"), total - count + j,
					       _(fault));
		}
		ret_sorted->highest_slot = same.slot > ret_sorted->highest_slot ? same.slot : ret_sorted->highest_slot;
		ret_sorted->v4_count += list->values->v4_count;
		ret_sorted->v6_count += list->values->v6_count;
	}
	return 0;
}

static int check_holes(const struct kh_range *holes, size_t count, struct kh_error *error)
{
	for (size_t i = 0; i < count; i++)
		if (!range_ok(&holes[i]))
			return kh_fail(error, -EINVAL, _("Exception %zu cannot be compiled: %s"), i,
				       _("its range is not one"));
	return 0;
}

/* ---- Orders by family ------------------------------------------------------------------------ */

static int allocate(struct sorted_orders *sorted, struct slot_set *set)
{
	sorted->v4 = malloc((sorted->v4_count + 1) * sizeof(*sorted->v4));
	sorted->v6 = malloc((sorted->v6_count + 1) * sizeof(*sorted->v6));
	sorted->ports = malloc((sorted->ports_count + 1) * sizeof(*sorted->ports));
	set->words = calloc(sorted->highest_slot / 64 + 1, sizeof(*set->words));
	sorted->v4_count = sorted->v6_count = sorted->ports_count = 0;
	return sorted->v4 && sorted->v6 && sorted->ports && set->words ? 0 : -ENOMEM;
}

/* 1 when the slot is new to the set. */
static uint32_t add_slot(struct slot_set *set, uint32_t slot)
{
	uint64_t bit = UINT64_C(1) << (slot & 63), *word = &set->words[slot >> 6];
	uint32_t is_new = !(*word & bit);

	*word |= bit;
	return is_new;
}

/* Deals the orders out; an order wholly in holes is left out, and so is not counted. */
static void deal(const struct kh_compile_order *orders, size_t count, const struct kh_range *holes, size_t holes_count,
		 struct sorted_orders *sorted, struct slot_set *set, struct kh_parts *parts)
{
	for (size_t i = 0; i < count; i++) {
		const struct kh_compile_order *order = &orders[i];
		struct kh_link link = kh_link_of(order);

		if (holes_count && kh_holes_swallow(holes, holes_count, &order->range))
			continue;
		if (order->port) {
			sorted->ports[sorted->ports_count++] = (uint32_t)i;
			parts->indicators_ports += add_slot(set, order->slot);
		} else if (order->range.family == 4) {
			uint64_t key = (uint64_t)order->range.first << 32 | (uint64_t)order->range.last;

			sorted->v4[sorted->v4_count++] = (struct kh_sort_item){ key, link.deadline, link.order };
			parts->indicators_v4 += add_slot(set, order->slot);
		} else {
			uint64_t key = (uint64_t)(order->range.first >> 64);

			sorted->v6[sorted->v6_count++] = (struct kh_sort_item){ key, 0, (uint32_t)i };
			parts->indicators_v6 += add_slot(set, order->slot);
		}
	}
}

/* Sorted values go along with the sorted holes. */
static void deal_list_v4(const struct kh_compile_list *list, const struct kh_range *holes, size_t holes_count,
			 struct sorted_orders *sorted, struct slot_set *set, struct kh_parts *parts)
{
	struct kh_compile_order order = { .action = list->action, .deadline = list->deadline };
	size_t hole = 0;

	for (size_t i = 0; i < list->values->v4_count; i++) {
		const struct kh_bulk_v4 *value = &list->values->v4[i];
		struct kh_link link;

		while (hole < holes_count && holes[hole].family == 4 && holes[hole].last < value->first)
			hole++;
		if (list->left_out && (list->left_out[i / 64] >> i % 64 & 1))
			continue;
		if (hole < holes_count && holes[hole].family == 4 && holes[hole].first <= value->first &&
		    holes[hole].last >= value->last)
			continue;
		order.slot = list->first_slot + (uint32_t)i;
		link = kh_link_of(&order);
		sorted->v4[sorted->v4_count++] =
			(struct kh_sort_item){ (uint64_t)value->first << 32 | value->last, link.deadline, link.order };
		parts->indicators_v4 += add_slot(set, order.slot);
	}
}

/* IPv6 values of lists as orders: an item refers to its order, and such lists are short. */
static int expand_v6(const struct kh_compile_input *input, size_t v6_values, struct kh_compile_order **ret_orders,
		     size_t *ret_count)
{
	struct kh_compile_order *orders = malloc((input->orders_count + v6_values + 1) * sizeof(*orders));
	size_t count = input->orders_count;

	if (!orders)
		return -ENOMEM;
	if (count)
		memcpy(orders, input->orders, count * sizeof(*orders));
	for (size_t i = 0; i < input->lists_count; i++) {
		const struct kh_compile_list *list = &input->lists[i];

		for (size_t j = 0; j < list->values->v6_count; j++) {
			size_t number = list->values->v4_count + j;

			if (list->left_out && (list->left_out[number / 64] >> number % 64 & 1))
				continue;
			orders[count++] = (struct kh_compile_order){ .range = kh_bulk_v6_range(&list->values->v6[j]),
								     .slot = list->first_slot + (uint32_t)number,
								     .deadline = list->deadline,
								     .action = list->action };
		}
	}
	*ret_orders = orders;
	*ret_count = count;
	return 0;
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* Holes are sorted IPv4 first; each family's builder gets its own. */
static void share_holes(struct kh_parts *parts, const struct kh_range *holes, size_t count)
{
	size_t v4_count = 0;

	while (v4_count < count && holes[v4_count].family == 4)
		v4_count++;
	parts->v4.sink.hole = holes;
	parts->v4.sink.holes_end = holes + v4_count;
	parts->v6.sink.hole = holes + v4_count;
	parts->v6.sink.holes_end = holes + count;
}

static int build(struct kh_parts *parts, const struct kh_compile_order *orders, struct sorted_orders *sorted)
{
	int r = kh_v4_build(&parts->v4, &parts->chains, &sorted->v4, sorted->v4_count);

	if (r < 0)
		return r;
	r = kh_v6_build(&parts->v6, &parts->chains, orders, &sorted->v6, sorted->v6_count);
	if (r < 0)
		return r;
	r = kh_ports_build(&parts->ports, &parts->chains, orders, sorted->ports, sorted->ports_count);
	if (r < 0)
		return r;
	return kh_hashes_build(&parts->hashes, &parts->v6, &parts->ports);
}

static int copy_holes(const struct kh_range *holes, size_t *count, struct kh_range **ret_holes)
{
	struct kh_range *copy;

	if (*count > SIZE_MAX / sizeof(*copy) - 1)
		return -ENOMEM;
	copy = malloc((*count + 1) * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	if (*count)
		memcpy(copy, holes, *count * sizeof(*copy));
	*count = kh_holes_merge(copy, *count);
	*ret_holes = copy;
	return 0;
}

static int deal_all(const struct kh_compile_input *input, const struct kh_compile_order *orders, size_t orders_count,
		    const struct kh_range *holes, size_t holes_count, struct sorted_orders *sorted,
		    struct kh_parts *parts)
{
	struct slot_set set KH_CLEANUP(slot_set_clear) = {};
	size_t before = 0;
	int r = allocate(sorted, &set);

	if (r < 0)
		return r;
	parts->slots_needed = sorted->highest_slot + 1;
	for (size_t i = 0; i < input->lists_count && r >= 0; i++) {
		before = sorted->v4_count;
		deal_list_v4(&input->lists[i], holes, holes_count, sorted, &set, parts);
		r = kh_sort_tail(sorted->v4, sorted->v4_count, sorted->v4_count - before, 32);
	}
	if (r < 0)
		return r;
	before = sorted->v4_count;
	deal(orders, orders_count, holes, holes_count, sorted, &set, parts);
	/* A few orders beside long lists, which are sorted already. (Alone they are sorted where they are laid out.) */
	return before ? kh_sort_tail(sorted->v4, sorted->v4_count, sorted->v4_count - before, 32) : 0;
}

int kh_compile_all(const struct kh_compile_input *input, uint64_t generation, struct kh_image **ret_image,
		   struct kh_error *error)
{
	struct kh_parts parts KH_CLEANUP(parts_clear) = { .generation = generation };
	struct sorted_orders sorted KH_CLEANUP(sorted_orders_clear) = {};
	struct kh_range *merged KH_CLEANUP(kh_freep) = NULL;
	struct kh_compile_order *expanded KH_CLEANUP(kh_freep) = NULL;
	const struct kh_compile_order *orders = input->orders;
	size_t orders_count = input->orders_count, holes_count = input->holes_count, v6_values;
	int r = check_orders(orders, orders_count, &sorted, error);

	v6_values = sorted.v6_count;
	if (r >= 0)
		r = check_lists(input, &sorted, error);
	if (r >= 0)
		r = check_holes(input->holes, holes_count, error);
	if (r < 0)
		return r;
	v6_values = sorted.v6_count - v6_values;
	r = copy_holes(input->holes, &holes_count, &merged);
	if (r >= 0 && v6_values)
		r = expand_v6(input, v6_values, &expanded, &orders_count);
	if (expanded)
		orders = expanded;
	if (r >= 0)
		r = deal_all(input, orders, orders_count, merged, holes_count, &sorted, &parts);
	if (r >= 0) {
		share_holes(&parts, merged, holes_count);
		r = build(&parts, orders, &sorted);
	}
	sorted_orders_clear(&sorted); /* the image is as long: not both */
	if (r >= 0)
		r = kh_image_assemble(&parts, input->spare, ret_image);
	if (r == -E2BIG)
		return kh_fail(error, r, _("%zu orders make a generation too large"), orders_count);
	if (r == -ENOMEM)
		return kh_fail(error, r, _("No memory to compile %zu orders"), orders_count);
	return r;
}

int kh_compile(const struct kh_compile_order *orders, size_t orders_count, const struct kh_range *holes,
	       size_t holes_count, uint64_t generation, struct kh_image **ret_image, struct kh_error *error)
{
	const struct kh_compile_input input = {
		.orders = orders, .orders_count = orders_count, .holes = holes, .holes_count = holes_count
	};

	return kh_compile_all(&input, generation, ret_image, error);
}
