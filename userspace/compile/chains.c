// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chain of orders on one address, and the orders section that holds each distinct chain once.
 *
 * In the priority of a chain an order matters only if it outlives all before it, so a chain is the rising maxima of the
 * deadlines. Where very many orders cover an address, a tree of maxima finds each next one in one descent.
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

/* ---- The orders section ---------------------------------------------------------------------- */

static uint32_t hash_order(const struct kh_order *order)
{
	return kh_hash_word(((uint64_t)order->under << 8) | order->action,
			    ((uint64_t)order->deadline << 32) | order->slot);
}

static bool same_order(const struct kh_order *a, const struct kh_order *b)
{
	return a->slot == b->slot && a->deadline == b->deadline && a->under == b->under && a->action == b->action;
}

/* Doubles. The old table is read and the new one written nearly in order, so this stays cheap when neither fits a cache. */
static int grow_table(struct kh_chains *chains)
{
	size_t size = chains->table_size ? chains->table_size * 2 : 256;
	unsigned int shift = chains->table_size ? chains->table_shift - 1 : 24;
	uint64_t *table = calloc(size, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < chains->table_size; i++) {
		size_t at = (size_t)(chains->table[i] >> 32 >> shift);

		if (!chains->table[i])
			continue;
		while (table[at])
			at = (at + 1) & (size - 1);
		table[at] = chains->table[i];
	}
	free(chains->table);
	chains->table = table;
	chains->table_size = size;
	chains->table_shift = shift;
	return 0;
}

static int intern_order(struct kh_chains *chains, const struct kh_order *order, uint32_t *ret_reference)
{
	uint32_t hash = hash_order(order);
	size_t at;
	int r;

	if (4 * (chains->count + 1) > 3 * chains->table_size) {
		r = grow_table(chains);
		if (r < 0)
			return r;
	}
	for (at = hash >> chains->table_shift; chains->table[at]; at = (at + 1) & (chains->table_size - 1)) {
		uint32_t index = (uint32_t)chains->table[at] - 1;

		if (chains->table[at] >> 32 == hash && same_order(&chains->orders[index], order)) {
			*ret_reference = KH_REF_CONDITIONAL | index;
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
	chains->table[at] = (uint64_t)hash << 32 | ++chains->count;
	return 0;
}

/* The reference of a chain in its order. */
static int intern_chain(struct kh_chains *chains, const struct kh_link *links, size_t count, uint32_t *ret_reference)
{
	uint32_t reference = KH_REF_NONE;

	while (count--) {
		struct kh_link link = links[count];
		bool monitor = link.order & KH_LINK_MONITOR;
		struct kh_order order = { .slot = KH_LINK_SLOT(link),
					  .deadline = link.deadline,
					  .under = reference,
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

/* How many drops a chain may hold: monitors that outlive them need a place. */
static size_t drops_limit(uint64_t drops_end, uint64_t monitors_end)
{
	return monitors_end > drops_end ? KH_CHAIN_MAX - 1 : KH_CHAIN_MAX;
}

/* Appends the rising maxima above `floor` until `limit` links; the last place goes to the one that lives longest, so that
 * a chain cut short still ends when it should. */
static size_t append_rising_links(const struct kh_link *from, const struct kh_link *end, uint64_t floor,
				  uint64_t longest, struct kh_link *links, size_t count, size_t limit)
{
	for (; from < end && count < limit && floor < longest; from++) {
		if (life(*from) <= floor || (count + 1 == limit && life(*from) < longest))
			continue;
		links[count++] = *from;
		floor = life(*from);
	}
	return count;
}

int kh_chains_intern(struct kh_chains *chains, const struct kh_link *links, size_t count, uint32_t *ret_reference)
{
	const struct kh_link *end = links + count, *monitors = links;
	uint64_t drops_end = 0, monitors_end = 0;
	struct kh_link chain[KH_CHAIN_MAX];

	if (count == 1)
		return intern_chain(chains, links, 1, ret_reference);
	for (; monitors < end && !(monitors->order & KH_LINK_MONITOR); monitors++)
		drops_end = life(*monitors) > drops_end ? life(*monitors) : drops_end;
	for (const struct kh_link *link = monitors; link < end; link++)
		monitors_end = life(*link) > monitors_end ? life(*link) : monitors_end;
	count = append_rising_links(links, monitors, 0, drops_end, chain, 0, drops_limit(drops_end, monitors_end));
	count = append_rising_links(monitors, end, drops_end, monitors_end, chain, count, KH_CHAIN_MAX);
	return intern_chain(chains, chain, count, ret_reference);
}

void kh_chains_clear(struct kh_chains *chains)
{
	free(chains->orders);
	free(chains->table);
	*chains = (struct kh_chains){};
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

/* As append_rising_links(), by the tree. */
static size_t append_rising(const struct kh_tree *tree, const struct kh_link *ranked, uint64_t floor,
			    struct kh_link *links, size_t count, size_t limit)
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
	uint64_t drops_end = active->drop_tree.max[1], monitors_end = active->monitor_tree.max[1];
	struct kh_link chain[KH_CHAIN_MAX];
	size_t count;

	count = append_rising(&active->drop_tree, active->ranked, 0, chain, 0, drops_limit(drops_end, monitors_end));
	count = append_rising(&active->monitor_tree, active->ranked + active->drops, drops_end, chain, count,
			      KH_CHAIN_MAX);
	return intern_chain(chains, chain, count, ret_reference);
}

void kh_active_clear(struct kh_active *active)
{
	free(active->drop_tree.max);
	free(active->monitor_tree.max);
	*active = (struct kh_active){};
}
