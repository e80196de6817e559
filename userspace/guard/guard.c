/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard's rules: adding them, lifting what is exempt, and sealing: sorted, indexed, merged into holes.
 */
#include "guard/private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define RULE_TEXT_BYTES sizeof(((struct kh_judgement *)0)->rule)

struct kh_guard *kh_guard_new(void)
{
	struct kh_guard *guard = calloc(1, sizeof(*guard));

	if (guard)
		guard->limits = (struct kh_guard_limits){ .widest_ipv4 = 20, .widest_ipv6 = 48, .letter_ipv4 = 65536 };
	return guard;
}

void kh_guard_free(struct kh_guard *guard)
{
	if (!guard)
		return;
	kh_hosts_clear(&guard->hosts);
	kh_rules_clear(&guard->refuse);
	kh_rules_clear(&guard->shared);
	kh_rules_clear(&guard->spared);
	free(guard->exempt);
	free(guard->holes);
	free(guard->cut);
	free(guard->ruled);
	free(guard->texts);
	free(guard);
}

void kh_guard_set_limits(struct kh_guard *guard, const struct kh_guard_limits *limits)
{
	guard->limits = *limits;
}

/* Bytes of text that fit into a judgement without cutting a UTF-8 sequence. */
static size_t fitting(const char *text)
{
	size_t length = strlen(text);

	if (length < RULE_TEXT_BYTES)
		return length;
	length = RULE_TEXT_BYTES - 1;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

/* Keeps the text of a rule; its place. 0 or -ENOMEM. */
static int add_text(struct kh_guard *guard, const char *rule, size_t *ret_place)
{
	size_t length = fitting(rule ? rule : "");
	int err = kh_grow(&guard->texts, &guard->texts_capacity, guard->texts_length + length + 1, 1);

	if (err < 0)
		return err;
	memcpy(guard->texts + guard->texts_length, rule ? rule : "", length);
	guard->texts[guard->texts_length + length] = '\0';
	*ret_place = guard->texts_length;
	guard->texts_length += length + 1;
	guard->sealed = false;
	return 0;
}

static int add_rule(struct kh_guard *guard, struct kh_rules *rules, const struct kh_range *range,
		    enum kh_decision_reason reason, const char *rule)
{
	struct kh_rule added = { .range = *range, .reason = reason, .order = guard->added };
	size_t before = guard->texts_length;
	int err = add_text(guard, rule, &added.text);

	if (err == 0)
		err = kh_rules_add(rules, &added);
	if (err < 0) {
		guard->texts_length = before;
		return err;
	}
	guard->added++;
	return 0;
}

int kh_guard_add(struct kh_guard *guard, const struct kh_range *range, enum kh_decision_reason reason, const char *rule)
{
	assert(reason >= KH_WHY_SHARED && reason <= KH_WHY_EVERYTHING);
	return add_rule(guard, reason == KH_WHY_SHARED ? &guard->shared : &guard->refuse, range, reason, rule);
}

int kh_guard_spare(struct kh_guard *guard, const struct kh_range *range, const char *rule)
{
	return add_rule(guard, &guard->spared, range, KH_WHY_SESSION, rule);
}

int kh_guard_add_host(struct kh_guard *guard, const struct kh_indicator *name, enum kh_decision_reason reason,
		      const char *rule)
{
	size_t place, before = guard->texts_length;
	int err = add_text(guard, rule, &place);

	if (err == 0)
		err = kh_hosts_add(&guard->hosts, name, reason, place);
	if (err < 0)
		guard->texts_length = before;
	return err;
}

int kh_guard_exempt(struct kh_guard *guard, const struct kh_range *range)
{
	int err = kh_grow(&guard->exempt, &guard->exempt_capacity, guard->exempt_count + 1, sizeof(*guard->exempt));

	if (err < 0)
		return err;
	guard->exempt[guard->exempt_count++] = *range;
	guard->sealed = false;
	return 0;
}

/* Appends to `out` what is left of each rule when `lifted` is taken out of the special-purpose ones. 0 or -ENOMEM. */
static int subtract(struct kh_rules *out, const struct kh_rules *in, const struct kh_range *lifted)
{
	int err = 0;

	for (size_t i = 0; i < in->count && err == 0; i++) {
		const struct kh_rule *rule = &in->rules[i];
		struct kh_rule below = *rule, above = *rule;

		if (rule->reason != KH_WHY_SPECIAL || !kh_range_overlaps(&rule->range, lifted)) {
			err = kh_rules_add(out, rule);
			continue;
		}
		if (rule->range.first < lifted->first) {
			below.range.last = lifted->first - 1;
			err = kh_rules_add(out, &below);
		}
		if (err == 0 && rule->range.last > lifted->last) {
			above.range.first = lifted->last + 1;
			err = kh_rules_add(out, &above);
		}
	}
	return err;
}

static int lift_exempt(struct kh_guard *guard)
{
	for (size_t i = 0; i < guard->exempt_count; i++) {
		struct kh_rules left = { 0 };
		int err = subtract(&left, &guard->refuse, &guard->exempt[i]);

		if (err < 0) {
			kh_rules_clear(&left);
			return err;
		}
		kh_rules_clear(&guard->refuse);
		guard->refuse = left;
	}
	return 0;
}

/* The ranges of some rules, sorted, disjoint, neighbours as one. */
static int merge(const struct kh_rules *const *lists, size_t lists_count, struct kh_range **ret_ranges,
		 size_t *ret_count)
{
	size_t count = 0, all = 0;
	struct kh_range *ranges;

	for (size_t i = 0; i < lists_count; i++)
		all += lists[i]->count;
	ranges = calloc(all + 1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0, at = 0; i < lists_count; i++)
		for (size_t j = 0; j < lists[i]->count; j++)
			ranges[at++] = lists[i]->rules[j].range;
	qsort(ranges, all, sizeof(*ranges), kh_range_compare);
	for (size_t i = 0; i < all; i++) {
		const struct kh_range range = ranges[i];
		struct kh_range *top = count > 0 ? &ranges[count - 1] : NULL;

		/* first - 1 is not reached for first == 0: then it is at most top->last */
		if (!top || top->family != range.family || (range.first > top->last && range.first - 1 > top->last))
			ranges[count++] = range;
		else if (range.last > top->last)
			top->last = range.last;
	}
	free(*ret_ranges);
	*ret_ranges = ranges;
	*ret_count = count;
	return 0;
}

int kh_guard_seal(struct kh_guard *guard)
{
	const struct kh_rules *const both[] = { &guard->refuse, &guard->shared };
	const struct kh_rules *const cut[] = { &guard->refuse, &guard->spared };
	int err = lift_exempt(guard);

	kh_hosts_index(&guard->hosts);
	if (err == 0)
		err = kh_rules_index(&guard->refuse);
	if (err == 0)
		err = kh_rules_index(&guard->shared);
	if (err == 0)
		err = kh_rules_index(&guard->spared);
	if (err == 0)
		err = merge(both, 1, &guard->holes, &guard->holes_count);
	if (err == 0)
		err = merge(cut, KH_ARRAY_SIZE(cut), &guard->cut, &guard->cut_count);
	if (err == 0)
		err = merge(both, KH_ARRAY_SIZE(both), &guard->ruled, &guard->ruled_count);
	guard->sealed = err == 0;
	return err;
}

void kh_guard_holes(const struct kh_guard *guard, const struct kh_range **ret_holes, size_t *ret_count)
{
	assert(guard->sealed);
	*ret_holes = guard->cut;
	*ret_count = guard->cut_count;
}
