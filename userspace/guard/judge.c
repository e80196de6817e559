/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judgement: refuse what must stay reachable, make wait what is too wide or shared, let the rest stand as the
 * reader proposed it. A proposal is only ever lowered.
 */
#include "guard/private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

/* Holes [*ret_first, return value) overlap the range. */
static size_t holes_overlapping(const struct kh_guard *guard, const struct kh_range *range, size_t *ret_first)
{
	size_t bounds[2];

	for (int upper = 0; upper < 2; upper++) {
		size_t low = 0, high = guard->holes_count;

		while (low < high) {
			size_t middle = low + (high - low) / 2;
			const struct kh_range *hole = &guard->holes[middle];
			bool before = hole->family != range->family ? hole->family < range->family
				      : upper			    ? hole->first <= range->last
								    : hole->last < range->first;

			if (before)
				low = middle + 1;
			else
				high = middle;
		}
		bounds[upper] = low;
	}
	*ret_first = bounds[0];
	return bounds[1];
}

static void set(struct kh_judgement *judgement, enum kh_decision decision, enum kh_decision_reason reason,
		const char *rule)
{
	judgement->decision = decision;
	judgement->reason = reason;
	snprintf(judgement->rule, sizeof(judgement->rule), "%s", rule);
}

static void set_by_rule(const struct kh_guard *guard, const struct kh_rules *rules, size_t position,
			enum kh_decision decision, struct kh_judgement *judgement)
{
	const struct kh_rule *rule = &rules->rules[position];

	set(judgement, decision, rule->reason, guard->texts + rule->text);
}

/* Everything of the range lies in never-block ranges, or it is a whole family. */
static bool refused(const struct kh_guard *guard, const struct kh_range *range, struct kh_judgement *judgement)
{
	size_t first, end, position;

	if (range->first == 0 && range->last == kh_address_max(range->family)) {
		set(judgement, KH_REFUSE, KH_WHY_EVERYTHING, "");
		return true;
	}
	end = holes_overlapping(guard, range, &first);
	judgement->cuts = end - first;
	if (first == end || !kh_range_contains(&guard->holes[first], range))
		return false;
	judgement->cuts = 0;
	position = kh_rules_containing(&guard->refuse, range);
	if (position == KH_RULE_NONE) /* several rules together cover it: name the narrowest */
		position = kh_rules_overlapping(&guard->refuse, range);
	set_by_rule(guard, &guard->refuse, position, KH_REFUSE, judgement);
	return true;
}

static bool too_wide(const struct kh_guard *guard, const struct kh_range *range, struct kh_judgement *judgement)
{
	int widest = range->family == 4 ? guard->limits.widest_ipv4 : guard->limits.widest_ipv6;
	kh_u128 most = kh_address_max(range->family);
	char rule[32];

	if (widest > 0)
		most = ((kh_u128)1 << ((range->family == 4 ? 32 : 128) - widest)) - 1;
	if (range->last - range->first <= most)
		return false;
	snprintf(rule, sizeof(rule), "widest_ipv%d = %d", range->family, widest);
	set(judgement, KH_REVIEW, KH_WHY_TOO_WIDE, rule);
	return true;
}

void kh_guard_judge(const struct kh_guard *guard, const struct kh_finding *finding, struct kh_judgement *ret_judgement)
{
	const struct kh_indicator *indicator = &finding->indicator;
	size_t position;

	assert(guard->sealed);
	memset(ret_judgement, 0, sizeof(*ret_judgement));
	set(ret_judgement, finding->proposed, finding->reason, "");
	if (finding->proposed == KH_UNENFORCEABLE || finding->reason == KH_WHY_MALFORMED)
		return;
	if (!kh_indicator_enforceable(indicator)) {
		if (finding->proposed != KH_ENFORCE)
			return;
		if (indicator->type == KH_TYPE_UNKNOWN)
			set(ret_judgement, KH_REVIEW, KH_WHY_MALFORMED, "");
		else
			set(ret_judgement, KH_UNENFORCEABLE,
			    indicator->type == KH_TYPE_URL ? KH_WHY_URL : KH_WHY_DOMAIN, "");
		return;
	}
	if (refused(guard, &indicator->range, ret_judgement)) {
		/* 10.1.2.3/8 may mean the host: refusing the network would answer the question for the reader. */
		if (finding->reason == KH_WHY_HOST_BITS && ret_judgement->reason != KH_WHY_EVERYTHING)
			set(ret_judgement, finding->proposed, finding->reason, "");
		return;
	}
	/* The other reasons to wait are questions about the value itself: they are asked first. */
	if (finding->proposed != KH_ENFORCE && finding->reason != KH_WHY_PROSE)
		return;
	if (too_wide(guard, &indicator->range, ret_judgement))
		return;
	position = kh_rules_overlapping(&guard->shared, &indicator->range);
	if (position != KH_RULE_NONE)
		set_by_rule(guard, &guard->shared, position, KH_REVIEW, ret_judgement);
}

static bool counts(const struct kh_finding *finding, const struct kh_judgement *judgement)
{
	return judgement->decision == KH_ENFORCE && finding->indicator.range.family == 4 &&
	       finding->indicator.type != KH_TYPE_ADDRESS_PORT;
}

/* IPv4 addresses that the enforced findings cover, each counted once. Without memory for that, each as often as it is listed. */
static uint64_t addresses_covered(const struct kh_finding *findings, size_t count,
				  const struct kh_judgement *judgements)
{
	struct kh_range *ranges KH_CLEANUP(kh_freep) = calloc(count, sizeof(*ranges));
	uint64_t covered = 0, listed = 0, next = 0;
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		const struct kh_range *range = &findings[i].indicator.range;

		if (!counts(&findings[i], &judgements[i]))
			continue;
		listed += (uint64_t)(range->last - range->first) + 1;
		if (ranges)
			ranges[used++] = *range;
	}
	if (!ranges)
		return listed;
	qsort(ranges, used, sizeof(*ranges), kh_range_compare);
	for (size_t i = 0; i < used; i++) {
		uint64_t first = (uint64_t)ranges[i].first, end = (uint64_t)ranges[i].last + 1;

		if (first < next)
			first = next;
		if (end > first) {
			covered += end - first;
			next = end;
		}
	}
	return covered;
}

bool kh_guard_judge_all(const struct kh_guard *guard, const struct kh_finding *findings, size_t count, uint64_t more,
			struct kh_judgement *ret_judgements)
{
	uint64_t covered = more;
	char rule[64];

	for (size_t i = 0; i < count; i++)
		kh_guard_judge(guard, &findings[i], &ret_judgements[i]);
	covered += count > 0 ? addresses_covered(findings, count, ret_judgements) : 0;
	if (covered <= guard->limits.letter_ipv4)
		return false;
	snprintf(rule, sizeof(rule), "%" PRIu64 " > %" PRIu64, covered, guard->limits.letter_ipv4);
	for (size_t i = 0; i < count; i++) {
		enum kh_indicator_type type = findings[i].indicator.type;

		if (ret_judgements[i].decision == KH_ENFORCE && (type == KH_TYPE_PREFIX || type == KH_TYPE_RANGE))
			set(&ret_judgements[i], KH_REVIEW, KH_WHY_LETTER_TOO_WIDE, rule);
	}
	return true;
}

/* ---- Bulk lists ------------------------------------------------------------------------------------ */

struct sifting {
	const struct kh_guard *guard;
	enum kh_sift what;
	int (*out)(const struct kh_finding *finding, void *context);
	void *context;
	int code;
};

/* Would its judgement be anything but "enforce, nothing to say"? */
static bool is_spoken_of(const struct kh_guard *guard, const struct kh_range *range)
{
	struct kh_judgement judgement;
	size_t first;

	return holes_overlapping(guard, range, &first) > first ||
	       (range->first != range->last && too_wide(guard, range, &judgement)) ||
	       (guard->shared.count && kh_rules_overlapping(&guard->shared, range) != KH_RULE_NONE);
}

static bool keep(const struct kh_range *range, uint32_t line, void *context)
{
	struct sifting *sifting = context;
	struct kh_finding finding = {
		.proposed = KH_ENFORCE, .reason = KH_WHY_TABLE, .line = (int)line, .section = KH_SECTION_LIST
	};
	char raw[KH_RANGE_TEXT];
	bool wide = range->first != range->last;

	if (sifting->code || (sifting->what == KH_SIFT_WIDE ? !wide : !is_spoken_of(sifting->guard, range)))
		return true;
	finding.indicator.range = *range;
	finding.indicator.type = !wide				      ? KH_TYPE_ADDRESS
				 : kh_range_prefix_length(range) >= 0 ? KH_TYPE_PREFIX
								      : KH_TYPE_RANGE;
	finding.raw = kh_range_format(range, raw);
	sifting->code = sifting->out(&finding, sifting->context);
	return false;
}

int kh_guard_sift(const struct kh_guard *guard, struct kh_bulk *bulk, enum kh_sift what,
		  int (*out)(const struct kh_finding *finding, void *context), void *context)
{
	struct sifting sifting = { .guard = guard, .what = what, .out = out, .context = context };

	assert(guard->sealed);
	kh_bulk_filter(bulk, keep, &sifting);
	return sifting.code;
}

int kh_guard_find(const struct kh_guard *guard, const struct kh_range *range, enum kh_decision_reason *ret_reason,
		  char *ret_rule, size_t rule_size)
{
	const struct kh_rules *both[] = { &guard->refuse, &guard->shared };
	const struct kh_rule *found = NULL;

	assert(guard->sealed);
	for (size_t i = 0; i < KH_ARRAY_SIZE(both); i++) {
		size_t position = kh_rules_overlapping(both[i], range);
		const struct kh_rule *rule = position == KH_RULE_NONE ? NULL : &both[i]->rules[position];

		if (rule && (!found || rule->range.last - rule->range.first < found->range.last - found->range.first))
			found = rule;
	}
	if (!found)
		return 0;
	*ret_reason = found->reason;
	snprintf(ret_rule, rule_size, "%s", guard->texts + found->text);
	return 1;
}
