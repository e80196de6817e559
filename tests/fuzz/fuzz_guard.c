// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: a file of what is never to be blocked, as a list or a warninglist; the first byte says which. A file is taken whole or not at all, and what it lists
 * is refused, or waits.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "common/util.h"
#include "guard/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void free_guard(struct kh_guard **guard)
{
	kh_guard_free(*guard);
}

/* The decision on one address that a document proposes to enforce. */
static enum kh_decision decide(const struct kh_guard *guard, const struct kh_range *address)
{
	struct kh_finding finding = { .indicator = kh_indicator_of_range(address),
				      .proposed = KH_ENFORCE,
				      .reason = KH_WHY_TABLE };
	struct kh_judgement judgement;

	kh_guard_judge(guard, &finding, &judgement);
	assert(memchr(judgement.rule, '\0', sizeof(judgement.rule)));
	return judgement.decision;
}

/* Sorted, apart; the first and last address of each hole is refused, what lies just outside it is not for that reason. */
static void check_holes(const struct kh_guard *guard, size_t *ret_count)
{
	const struct kh_range *holes;

	kh_guard_holes(guard, &holes, ret_count);
	for (size_t i = 0; i < *ret_count; i++) {
		struct kh_range first = { .family = holes[i].family, .first = holes[i].first, .last = holes[i].first };
		struct kh_range last = { .family = holes[i].family, .first = holes[i].last, .last = holes[i].last };

		assert(holes[i].first <= holes[i].last);
		assert(!i || holes[i].family > holes[i - 1].family || holes[i].first > holes[i - 1].last);
		assert(decide(guard, &first) == KH_REFUSE && decide(guard, &last) == KH_REFUSE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "a.list", "a.json", "a.shared.json" };
	struct kh_guard *guard KH_CLEANUP(free_guard) = kh_guard_new();
	struct kh_error error = { 0 };
	size_t holes = 0;
	int result;

	if (!size || !guard || kh_guard_add_list(guard, "b.list", "192.0.2.0/24 b\n", 15, NULL))
		return 0;
	result = kh_guard_add_list(guard, names[data[0] % KH_ARRAY_SIZE(names)], (const char *)data + 1, size - 1,
				   &error);
	assert(result == 0 || result == -EINVAL);
	assert(!result == !error.text[0] && !result == !error.hint[0]);
	if (kh_guard_seal(guard))
		return 0;
	check_holes(guard, &holes);
	assert(holes >= 1 && (!result || holes == 1));
	return 0;
}
