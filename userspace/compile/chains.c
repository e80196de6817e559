// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chain of orders on one address, and the orders section that holds each distinct chain once.
 *
 * In the priority of a chain an order matters only if it outlives all before it, so a chain is the rising maxima of the
 * deadlines. A tree of maxima finds each next one in one descent, however many orders cover the address.
 */
#include "compile/private.h"

#include <errno.h>
#include <string.h>

/* How long an order lives, as a number that compares: none is later than any deadline. */
static uint64_t life(struct kh_link link)
{
	return link.deadline ? link.deadline : UINT64_C(1) << 32;
}

int kh_link_compare_action(struct kh_link a, struct kh_link b)
{
	bool monitor_a = a.order & KH_LINK_MONITOR, monitor_b = b.order & KH_LINK_MONITOR;

	return monitor_a - monitor_b;
}

int kh_link_compare_deadline(struct kh_link a, struct kh_link b)
{
	if (life(a) != life(b))
		return life(a) > life(b) ? -1 : 1;
	return (a.order > b.order) - (a.order < b.order);
}

/* ---- The tree -------------------------------------------------------------------------------- */

static int tree_start(struct kh_tree *tree, size_t leaves)
{
	size_t size = 1;
	int r;

	while (size < leaves)
		size *= 2;
	r = kh_grow(&tree->max, &tree->capacity, 2 * size, sizeof(*tree->max));
	if (r < 0)
		return r;
	memset(tree->max, 0, 2 * size * sizeof(*tree->max));
	tree->leaves = size;
	return 0;
}

static void tree_set(struct kh_tree *tree, size_t leaf, uint64_t value)
{
	size_t node = tree->leaves + leaf;

	tree->max[node] = value;
	for (node /= 2; node; node /= 2) {
		uint64_t left = tree->max[2 * node], right = tree->max[2 * node + 1], max = left > right ? left : right;

		if (tree->max[node] == max)
			return;
		tree->max[node] = max;
	}
}

/* The first leaf above `floor`; there must be one. */
static size_t tree_first_above(const struct kh_tree *tree, uint64_t floor)
{
	size_t node = 1;

	while (node < tree->leaves)
		node = 2 * node + (tree->max[2 * node] <= floor);
	return node - tree->leaves;
}

/* ---- What covers the address of the moment ---------------------------------------------------- */

int kh_active_start(struct kh_active *active, const struct kh_link *ranked, size_t count)
{
	size_t drops = 0;
	int r;

	while (drops < count && !(ranked[drops].order & KH_LINK_MONITOR))
		drops++;
	r = tree_start(&active->drop_tree, drops);
	if (r < 0)
		return r;
	r = tree_start(&active->monitor_tree, count - drops);
	if (r < 0)
		return r;
	active->ranked = ranked;
	active->drops = drops;
	return 0;
}

static void set(struct kh_active *active, size_t rank, uint64_t value)
{
	if (rank < active->drops)
		tree_set(&active->drop_tree, rank, value);
	else
		tree_set(&active->monitor_tree, rank - active->drops, value);
}

void kh_active_add(struct kh_active *active, size_t rank)
{
	set(active, rank, life(active->ranked[rank]));
}

void kh_active_remove(struct kh_active *active, size_t rank)
{
	set(active, rank, 0);
}

/* Appends the rising maxima above `floor` until `limit` links; the last place goes to the one that lives longest, so that
 * a chain cut short still ends when it should. */
static size_t append_rising(const struct kh_tree *tree, const struct kh_link *ranked, uint64_t floor, struct kh_link *links,
			    size_t count, size_t limit)
{
	uint64_t longest = tree->max[1];

	while (count < limit && floor < longest) {
		size_t leaf = tree_first_above(tree, count + 1 == limit ? longest - 1 : floor);

		links[count++] = ranked[leaf];
		floor = tree->max[tree->leaves + leaf];
	}
	return count;
}

int kh_active_chain(const struct kh_active *active, struct kh_chains *chains, uint32_t *ret_reference)
{
	uint64_t drops_end = active->drop_tree.max[1];
	bool monitors = active->monitor_tree.max[1] > drops_end; /* one place is kept for them */
	struct kh_link links[KH_CHAIN_MAX];
	size_t count;

	count = append_rising(&active->drop_tree, active->ranked, 0, links, 0, monitors ? KH_CHAIN_MAX - 1 : KH_CHAIN_MAX);
	count = append_rising(&active->monitor_tree, active->ranked + active->drops, drops_end, links, count, KH_CHAIN_MAX);
	return kh_chains_intern(chains, links, count, ret_reference);
}

void kh_active_clear(struct kh_active *active)
{
	free(active->drop_tree.max);
	free(active->monitor_tree.max);
	*active = (struct kh_active){};
}

/* ---- The orders section ---------------------------------------------------------------------- */

static size_t hash_order(const struct kh_order *order)
{
	return kh_hash_word(((uint64_t)order->under << 8) | order->action, ((uint64_t)order->deadline << 32) | order->slot);
}

static bool same_order(const struct kh_order *a, const struct kh_order *b)
{
	return a->slot == b->slot && a->deadline == b->deadline && a->under == b->under && a->action == b->action;
}

/* At most half full. */
static int grow_table(struct kh_chains *chains)
{
	size_t size = chains->table_size ? chains->table_size * 2 : 256;
	uint32_t *table = calloc(size, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < chains->count; i++) {
		size_t at = hash_order(&chains->orders[i]) & (size - 1);

		while (table[at])
			at = (at + 1) & (size - 1);
		table[at] = (uint32_t)i + 1;
	}
	free(chains->table);
	chains->table = table;
	chains->table_size = size;
	return 0;
}

static int intern_order(struct kh_chains *chains, const struct kh_order *order, uint32_t *ret_reference)
{
	size_t at;
	int r;

	if (2 * (chains->count + 1) > chains->table_size) {
		r = grow_table(chains);
		if (r < 0)
			return r;
	}
	for (at = hash_order(order) & (chains->table_size - 1); chains->table[at]; at = (at + 1) & (chains->table_size - 1)) {
		if (same_order(&chains->orders[chains->table[at] - 1], order)) {
			*ret_reference = KH_REF_CONDITIONAL | (chains->table[at] - 1);
			return 0;
		}
	}
	if (chains->count >= KH_ORDERS_MAX)
		return -E2BIG;
	r = kh_grow(&chains->orders, &chains->capacity, chains->count + 1, sizeof(*chains->orders));
	if (r < 0)
		return r;
	chains->orders[chains->count] = *order;
	*ret_reference = KH_REF_CONDITIONAL | (uint32_t)chains->count;
	chains->table[at] = (uint32_t)++chains->count;
	return 0;
}

int kh_chains_intern(struct kh_chains *chains, const struct kh_link *links, size_t count, uint32_t *ret_reference)
{
	uint32_t reference = KH_REF_NONE;

	while (count--) {
		struct kh_link link = links[count];
		bool monitor = link.order & KH_LINK_MONITOR;
		struct kh_order order = { .slot = KH_LINK_SLOT(link), .deadline = link.deadline, .under = reference,
					  .action = monitor ? KH_ACTION_MONITOR : KH_ACTION_DROP };
		int r;

		if (!monitor && !link.deadline) {
			reference = order.slot;
			continue;
		}
		r = intern_order(chains, &order, &reference);
		if (r < 0)
			return r;
	}
	*ret_reference = reference;
	return 0;
}

void kh_chains_clear(struct kh_chains *chains)
{
	free(chains->orders);
	free(chains->table);
	*chains = (struct kh_chains){};
}
