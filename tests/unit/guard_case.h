/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the guard share: ranges from text, one judgement, one expectation.
 */
#ifndef KHIEN_TESTS_GUARD_CASE_H
#define KHIEN_TESTS_GUARD_CASE_H

#include "guard/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

static inline void guard_freep(struct kh_guard **guard)
{
	kh_guard_free(*guard);
}

#define GUARD(guard) struct kh_guard *guard KH_CLEANUP(guard_freep) = kh_guard_new()

static inline struct kh_range range_of(const char *text)
{
	struct kh_range range;

	if (kh_range_parse(text, strlen(text), &range) < 0)
		fail_msg("bad range in the test: %s", text);
	return range;
}

static inline void add(struct kh_guard *guard, const char *text, enum kh_decision_reason reason, const char *rule)
{
	struct kh_range range = range_of(text);

	assert_int_equal(kh_guard_add(guard, &range, reason, rule), 0);
}

static inline struct kh_finding finding_of(const char *text, enum kh_decision proposed, enum kh_decision_reason reason)
{
	struct kh_finding finding = { .proposed = proposed, .reason = reason };

	finding.indicator.range = range_of(text);
	finding.indicator.type = strchr(text, '-')   ? KH_TYPE_RANGE
				 : strchr(text, '/') ? KH_TYPE_PREFIX
						     : KH_TYPE_ADDRESS;
	return finding;
}

static inline struct kh_judgement judge(const struct kh_guard *guard, const char *text)
{
	struct kh_finding finding = finding_of(text, KH_ENFORCE, KH_WHY_ANNEX);
	struct kh_judgement judgement;

	kh_guard_judge(guard, &finding, &judgement);
	return judgement;
}

static inline void expect(const struct kh_guard *guard, const char *text, enum kh_decision decision,
			  enum kh_decision_reason reason, const char *rule, size_t cuts)
{
	struct kh_judgement judgement = judge(guard, text);

	if (judgement.decision != decision || judgement.reason != reason || judgement.cuts != cuts ||
	    strcmp(judgement.rule, rule) != 0)
		fail_msg("%s: got %s, %s, \"%s\", %zu cuts", text, kh_decision_name(judgement.decision),
			 kh_decision_reason_name(judgement.reason), judgement.rule, judgement.cuts);
}

#endif
