/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules in order, and a search tree over them: a balanced tree by position, with the highest last address and
 * the narrowest rule of every subtree (an interval tree without pointers).
 */
#include "guard/private.h"

#include <errno.h>
#include <stdlib.h>

#include "common/util.h"

void kh_rules_clear(struct kh_rules *rules)
{
	free(rules->rules);
	free(rules->nodes);
	*rules = (struct kh_rules){ 0 };
}

int kh_rules_add(struct kh_rules *rules, const struct kh_rule *rule)
{
	int err = kh_grow(&rules->rules, &rules->capacity, rules->count + 1, sizeof(*rules->rules));

	if (err < 0)
		return err;
	rules->rules[rules->count++] = *rule;
	free(rules->nodes);
	rules->nodes = NULL;
	return 0;
}

/* Is rule a the better answer: narrower; of equal width the more telling reason (they are declared from the office's
 * own addresses outwards), then the one added first. A total order, so that the answer never depends on the sort. */
static bool better(const struct kh_rule *a, const struct kh_rule *b)
{
	kh_u128 width_a = a->range.last - a->range.first;
	kh_u128 width_b = b->range.last - b->range.first;

	if (width_a != width_b)
		return width_a < width_b;
	if (a->reason != b->reason)
		return a->reason < b->reason;
	return a->order < b->order;
}

static bool improves(const struct kh_rules *rules, size_t candidate, size_t best)
{
	return best == KH_RULE_NONE || better(&rules->rules[candidate], &rules->rules[best]);
}

static void build(struct kh_rules *rules, size_t low, size_t high)
{
	size_t middle = low + (high - low) / 2;
	struct kh_rule_node node;

	if (low == high)
		return;
	node = (struct kh_rule_node){ rules->rules[middle].range.last, middle };
	for (int side = 0; side < 2; side++) {
		size_t from = side ? middle + 1 : low, to = side ? high : middle;
		const struct kh_rule_node *child = &rules->nodes[from + (to - from) / 2];

		if (from == to)
			continue;
		build(rules, from, to);
		if (child->last > node.last)
			node.last = child->last;
		if (improves(rules, child->narrowest, node.narrowest))
			node.narrowest = child->narrowest;
	}
	rules->nodes[middle] = node;
}

static int compare_rules(const void *a, const void *b)
{
	return kh_range_compare(&((const struct kh_rule *)a)->range, &((const struct kh_rule *)b)->range);
}

int kh_rules_index(struct kh_rules *rules)
{
	struct kh_rule_node *nodes;

	nodes = calloc(rules->count + 1, sizeof(*nodes)); /* one more: never a size of 0 */
	if (!nodes)
		return -ENOMEM;
	free(rules->nodes);
	rules->nodes = nodes;
	if (rules->count > 0)
		qsort(rules->rules, rules->count, sizeof(*rules->rules), compare_rules);
	rules->split = 0;
	while (rules->split < rules->count && rules->rules[rules->split].range.family == 4)
		rules->split++;
	build(rules, 0, rules->split);
	build(rules, rules->split, rules->count);
	return 0;
}

static void search_containing(const struct kh_rules *rules, size_t low, size_t high, const struct kh_range *range,
			      size_t *best)
{
	size_t middle = low + (high - low) / 2;

	if (low == high || rules->nodes[middle].last < range->last || rules->rules[low].range.first > range->first ||
	    !improves(rules, rules->nodes[middle].narrowest, *best))
		return;
	search_containing(rules, low, middle, range, best);
	if (kh_range_contains(&rules->rules[middle].range, range) && improves(rules, middle, *best))
		*best = middle;
	search_containing(rules, middle + 1, high, range, best);
}

static void search_overlapping(const struct kh_rules *rules, size_t low, size_t high, const struct kh_range *range,
			       size_t *best)
{
	size_t middle = low + (high - low) / 2;

	if (low == high || rules->nodes[middle].last < range->first || rules->rules[low].range.first > range->last ||
	    !improves(rules, rules->nodes[middle].narrowest, *best))
		return;
	if (rules->rules[low].range.first >= range->first && rules->rules[high - 1].range.first <= range->last) {
		*best = rules->nodes[middle].narrowest; /* all of them begin inside the range */
		return;
	}
	search_overlapping(rules, low, middle, range, best);
	if (kh_range_overlaps(&rules->rules[middle].range, range) && improves(rules, middle, *best))
		*best = middle;
	search_overlapping(rules, middle + 1, high, range, best);
}

size_t kh_rules_containing(const struct kh_rules *rules, const struct kh_range *range)
{
	size_t best = KH_RULE_NONE;

	if (range->family == 4)
		search_containing(rules, 0, rules->split, range, &best);
	else
		search_containing(rules, rules->split, rules->count, range, &best);
	return best;
}

size_t kh_rules_overlapping(const struct kh_rules *rules, const struct kh_range *range)
{
	size_t best = KH_RULE_NONE;

	if (range->family == 4)
		search_overlapping(rules, 0, rules->split, range, &best);
	else
		search_overlapping(rules, rules->split, rules->count, range, &best);
	return best;
}
