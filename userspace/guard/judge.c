/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judgement: refuse what must stay reachable, make wait what is too wide or shared, let the rest stand as the
 * reader proposed it. A proposal is only ever lowered.
 */
#include "guard/private.h"

#include <assert.h>
#include <errno.h>
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

bool kh_guard_too_wide(const struct kh_guard *guard, const struct kh_range *range)
{
	int widest = range->family == 4 ? guard->limits.widest_ipv4 : guard->limits.widest_ipv6;
	kh_u128 most = kh_address_max(range->family);

	if (widest > 0)
		most = ((kh_u128)1 << ((range->family == 4 ? 32 : 128) - widest)) - 1;
	return range->last - range->first > most;
}

static void set_too_wide(const struct kh_guard *guard, uint8_t family, struct kh_judgement *judgement)
{
	int widest = family == 4 ? guard->limits.widest_ipv4 : guard->limits.widest_ipv6;
	char rule[32];

	snprintf(rule, sizeof(rule), "widest_ipv%d = %d", family, widest);
	set(judgement, KH_REVIEW, KH_WHY_TOO_WIDE, rule);
}

/* The host of a URL, without what stands round it: lower case as the model has it. */
static bool host_of(const char *url, char *ret_host, size_t size)
{
	const char *host = strstr(url, "://"), *at;
	size_t length;

	if (!host)
		return false;
	host += 3;
	length = strcspn(host, "/?#");
	at = memrchr(host, '@', length);
	if (at) {
		length -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	length = strcspn(host, ":/?#") < length ? strcspn(host, ":/?#") : length;
	if (!length || length >= size)
		return false;
	memcpy(ret_host, host, length);
	ret_host[length] = '\0';
	return true;
}

static void judge_name(const struct kh_guard *guard, const struct kh_indicator *indicator,
		       struct kh_judgement *judgement)
{
	bool url = indicator->type == KH_TYPE_URL;
	const struct kh_host *rule = NULL;
	char host[256];

	if (indicator->type == KH_TYPE_DOMAIN)
		rule = kh_hosts_find(&guard->hosts, indicator->text);
	else if (url && host_of(indicator->text, host, sizeof(host)))
		rule = kh_hosts_find(&guard->hosts, host);
	if (!rule)
		return;
	set(judgement,
	    url				    ? KH_UNENFORCEABLE
	    : rule->reason == KH_WHY_SHARED ? KH_REVIEW
					    : KH_REFUSE,
	    url ? KH_WHY_SHARED_HOST : rule->reason, guard->texts + rule->text);
}

void kh_guard_judge(const struct kh_guard *guard, const struct kh_finding *finding, struct kh_judgement *ret_judgement)
{
	const struct kh_indicator *indicator = &finding->indicator;
	size_t position;

	assert(guard->sealed);
	memset(ret_judgement, 0, sizeof(*ret_judgement));
	set(ret_judgement, finding->proposed, finding->reason, "");
	if (finding->proposed == KH_UNENFORCEABLE)
		judge_name(guard, indicator, ret_judgement);
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
		judge_name(guard, indicator, ret_judgement);
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
	if (kh_guard_too_wide(guard, &indicator->range)) {
		set_too_wide(guard, indicator->range.family, ret_judgement);
		return;
	}
	position = kh_rules_overlapping(&guard->shared, &indicator->range);
	if (position != KH_RULE_NONE)
		set_by_rule(guard, &guard->shared, position, KH_REVIEW, ret_judgement);
}

static bool counts(const struct kh_finding *finding, const struct kh_judgement *judgement)
{
	return judgement->decision == KH_ENFORCE && finding->indicator.range.family == 4 &&
	       finding->indicator.type != KH_TYPE_ADDRESS_PORT;
}

/* ---- The letter as a whole ---------------------------------------------------------------------- */

/* What the enforced findings and the bulk lists cover in IPv4: one sorted list each, read in step. */
struct sweep {
	struct kh_bulk found;
	struct kh_bulk_cursor {
		const struct kh_bulk_v4 *at, *end;
	} * cursors;
	size_t count;
};

static void sweep_clear(struct sweep *sweep)
{
	kh_bulk_clear(&sweep->found);
	free(sweep->cursors);
}

static int gather(struct kh_bulk *found, const struct kh_finding *findings, size_t count,
		  const struct kh_judgement *judgements)
{
	for (size_t i = 0; i < count; i++)
		if (counts(&findings[i], &judgements[i]) && kh_bulk_add(found, &findings[i].indicator.range, 0) < 0)
			return -ENOMEM;
	return kh_bulk_sort(found) < 0 ? -ENOMEM : 0;
}

static uint64_t run_sweep(struct sweep *sweep)
{
	uint64_t covered = 0, next = 0;

	for (;;) {
		struct kh_bulk_cursor *lowest = NULL;
		uint64_t first, end;

		for (size_t i = 0; i < sweep->count; i++) {
			struct kh_bulk_cursor *cursor = &sweep->cursors[i];

			if (cursor->at < cursor->end && (!lowest || cursor->at->first < lowest->at->first))
				lowest = cursor;
		}
		if (!lowest)
			return covered;
		first = lowest->at->first > next ? lowest->at->first : next;
		end = (uint64_t)lowest->at->last + 1;
		if (end > first) {
			covered += end - first;
			next = end;
		}
		lowest->at++;
	}
}

/* IPv4 addresses that the letter would enforce, each counted once. Without memory for that, as often as a file lists it. */
static uint64_t addresses_covered(const struct kh_finding *findings, size_t count, const struct kh_guard_bulks *bulks,
				  const struct kh_judgement *judgements)
{
	struct sweep sweep KH_CLEANUP(sweep_clear) = { .count = (bulks ? bulks->count : 0) + 1 };
	uint64_t listed = 0;

	sweep.cursors = calloc(sweep.count, sizeof(*sweep.cursors));
	if (sweep.cursors && !gather(&sweep.found, findings, count, judgements)) {
		for (size_t i = 0; i < sweep.count; i++) {
			const struct kh_bulk *list = i + 1 < sweep.count ? bulks->lists[i] : &sweep.found;

			if (list->v4_count)
				sweep.cursors[i] = (struct kh_bulk_cursor){ list->v4, list->v4 + list->v4_count };
		}
		return run_sweep(&sweep);
	}
	for (size_t i = 0; i < count; i++)
		if (counts(&findings[i], &judgements[i]))
			listed += (uint64_t)(findings[i].indicator.range.last - findings[i].indicator.range.first) + 1;
	for (size_t i = 0; bulks && i < bulks->count; i++)
		listed += kh_bulk_ipv4_addresses(bulks->lists[i]);
	return listed;
}

bool kh_guard_judge_all(const struct kh_guard *guard, const struct kh_finding *findings, size_t count,
			const struct kh_guard_bulks *bulks, struct kh_judgement *ret_judgements)
{
	uint64_t covered;
	char rule[64];

	for (size_t i = 0; i < count; i++)
		kh_guard_judge(guard, &findings[i], &ret_judgements[i]);
	covered = addresses_covered(findings, count, bulks, ret_judgements);
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

int kh_guard_find(const struct kh_guard *guard, const struct kh_range *range, enum kh_decision_reason *ret_reason,
		  char *ret_rule, size_t rule_size)
{
	const struct kh_rules *all[] = { &guard->refuse, &guard->spared, &guard->shared };
	const struct kh_rule *found = NULL;

	assert(guard->sealed);
	for (size_t i = 0; i < KH_ARRAY_SIZE(all); i++) {
		size_t position = kh_rules_overlapping(all[i], range);
		const struct kh_rule *rule = position == KH_RULE_NONE ? NULL : &all[i]->rules[position];

		if (rule && (!found || rule->range.last - rule->range.first < found->range.last - found->range.first))
			found = rule;
	}
	if (!found)
		return 0;
	*ret_reason = found->reason;
	snprintf(ret_rule, rule_size, "%s", guard->texts + found->text);
	return 1;
}
