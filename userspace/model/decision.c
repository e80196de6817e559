// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of decisions and reasons.
 */
#include "model/decision.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

static const char *const decisions[] = {
	[KH_ENFORCE] = "enforce",
	[KH_REVIEW] = "review",
	[KH_REFUSE] = "refuse",
	[KH_UNENFORCEABLE] = "unenforceable",
};
_Static_assert(KH_ARRAY_SIZE(decisions) == KH_DECISION_COUNT, "a decision without a name");

static const char *const reasons[] = {
#define X(symbol, name, sentence) [symbol] = name,
	KH_DECISION_REASONS(X)
#undef X
};

static const char *const sentences[] = {
#define X(symbol, name, sentence) [symbol] = sentence,
	KH_DECISION_REASONS(X)
#undef X
};

const char *kh_decision_name(enum kh_decision decision)
{
	return (unsigned int)decision < KH_DECISION_COUNT ? decisions[decision] : "";
}

static int find_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -EINVAL;
}

int kh_decision_from_name(const char *name, enum kh_decision *ret_decision)
{
	int found = find_name(decisions, KH_ARRAY_SIZE(decisions), name);

	if (found < 0)
		return found;
	*ret_decision = (enum kh_decision)found;
	return 0;
}

const char *kh_decision_reason_name(enum kh_decision_reason reason)
{
	return (unsigned int)reason < KH_WHY_COUNT ? reasons[reason] : "";
}

const char *kh_decision_reason_sentence(enum kh_decision_reason reason)
{
	return (unsigned int)reason < KH_WHY_COUNT ? sentences[reason] : "";
}

int kh_decision_reason_from_name(const char *name, enum kh_decision_reason *ret_reason)
{
	int found = find_name(reasons, KH_ARRAY_SIZE(reasons), name);

	if (found < 0)
		return found;
	*ret_reason = (enum kh_decision_reason)found;
	return 0;
}
