// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bulk lists under the guard: a letter of findings and two bulk lists comes to the same decisions, reasons, rules and cuts, value by
 * value, as when every value is a finding. Random rules, limits and lists; seeded: always the same.
 */
#include "guard_case.h"

#include <errno.h>
#include <stdio.h>

#define LISTS 2
#define VALUES 40 /* of each list */
#define OTHERS 10
#define ALL (LISTS * VALUES + OTHERS)

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % limit;
}

/* In 512 addresses of either family, at one end of the address space or the other. */
static struct kh_range random_range(bool wide)
{
	struct kh_range range = { .family = random_below(4) ? 4 : 6 };
	kh_u128 base = random_below(8) ? 0xc6120000 : kh_address_max(range.family) - 511;
	uint32_t size = 1u << random_below(wide ? 10 : 6), first = random_below(512), last = first;

	if (random_below(2)) {
		first &= ~(size - 1);
		last = first + size - 1 < 512 ? first + size - 1 : 511;
	} else if (random_below(8) == 0) {
		last = first + random_below(512 - first);
	}
	range.first = base + first;
	range.last = base + last;
	if (wide && random_below(64) == 0)
		range = (struct kh_range){ 0, kh_address_max(range.family), range.family };
	return range;
}

/* A letter in its two forms. */
struct letter {
	struct kh_finding plain[ALL]; /* every value a finding: the others, then list by list */
	struct kh_judgement expected[ALL];
	struct kh_bulk lists[LISTS];
	struct kh_finding findings[ALL]; /* the others, then what was taken out */
	struct kh_judgement judgements[ALL];
	size_t from[ALL]; /* list */
	size_t count, list;
};

static int take(const struct kh_finding *finding, void *context)
{
	struct letter *letter = context;
	char text[KH_RANGE_TEXT];

	assert_true(letter->count < ALL);
	assert_string_equal(finding->raw, kh_range_format(&finding->indicator.range, text));
	assert_int_equal(finding->section, KH_SECTION_LIST);
	assert_int_equal(finding->page, 0);
	letter->from[letter->count] = letter->list;
	letter->findings[letter->count] = *finding;
	letter->findings[letter->count++].raw = NULL;
	return 0;
}

static void make_others(struct letter *letter)
{
	static const struct {
		enum kh_decision proposed;
		enum kh_decision_reason reason;
	} forms[] = { { KH_ENFORCE, KH_WHY_DEFANGED },
		      { KH_ENFORCE, KH_WHY_TABLE },
		      { KH_REVIEW, KH_WHY_PROSE },
		      { KH_REVIEW, KH_WHY_HOST_BITS } };

	for (size_t i = 0; i < OTHERS; i++) {
		struct kh_finding *finding = &letter->plain[i];
		struct kh_range range = random_range(false);
		size_t form = random_below(KH_ARRAY_SIZE(forms));

		finding->indicator = kh_indicator_of_range(&range);
		if (finding->indicator.type == KH_TYPE_ADDRESS && random_below(2)) {
			finding->indicator.type = KH_TYPE_ADDRESS_PORT;
			finding->indicator.port = 443;
		}
		finding->proposed = forms[form].proposed;
		finding->reason = forms[form].reason;
		letter->findings[i] = *finding;
	}
	letter->count = OTHERS;
}

static size_t make_lists(struct letter *letter)
{
	size_t count = OTHERS;

	for (size_t list = 0; list < LISTS; list++) {
		struct kh_bulk *bulk = &letter->lists[list];

		for (size_t i = 0; i < VALUES; i++) {
			struct kh_range range = random_range(true);

			assert_int_equal(kh_bulk_add(bulk, &range, (uint32_t)i + 1), 0);
		}
		assert_true(kh_bulk_sort(bulk) >= 0);
		for (size_t i = 0; i < kh_bulk_count(bulk); i++) {
			struct kh_finding *finding = &letter->plain[count];
			struct kh_range range;
			uint32_t line;

			range = kh_bulk_range(bulk, i, &line);
			*finding = (struct kh_finding){ .indicator = kh_indicator_of_range(&range),
							.proposed = KH_ENFORCE,
							.reason = KH_WHY_TABLE,
							.section = KH_SECTION_LIST,
							.line = (int)line };
			letter->from[count++] = list; /* of the plain form; read before anything is taken out */
		}
	}
	return count;
}

/* As guard.h has it. True: the letter is too wide. */
static bool judge_in_bulk(const struct kh_guard *guard, struct letter *letter)
{
	const struct kh_bulk *lists[LISTS];
	const struct kh_guard_bulks bulks = { lists, LISTS };
	bool wide = false;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < LISTS; i++) {
			lists[i] = &letter->lists[i];
			letter->list = i;
			assert_int_equal(kh_guard_sift(guard, &letter->lists[i], round ? KH_SIFT_WIDE : KH_SIFT_RULES,
						       take, letter),
					 0);
		}
		if (!kh_guard_judge_all(guard, letter->findings, letter->count, &bulks, letter->judgements))
			return wide;
		wide = true;
	}
	return wide;
}

/* The judgement of value number i of the plain form; NULL: it is still in its list. */
static const struct kh_judgement *judgement_of(const struct letter *letter, size_t i, size_t list)
{
	const struct kh_finding *asked = &letter->plain[i];

	if (i < OTHERS)
		return &letter->judgements[i];
	for (size_t j = OTHERS; j < letter->count; j++) {
		if (letter->from[j] == list && letter->findings[j].line == asked->line &&
		    !kh_range_compare(&letter->findings[j].indicator.range, &asked->indicator.range))
			return &letter->judgements[j];
	}
	assert_true(kh_bulk_holds(&letter->lists[list], &asked->indicator.range));
	return NULL;
}

static void compare(const struct letter *letter, size_t count, const size_t *lists)
{
	static const struct kh_judgement plainly = { .decision = KH_ENFORCE, .reason = KH_WHY_TABLE };
	size_t held = 0;

	for (size_t i = 0; i < count; i++) {
		const struct kh_judgement *found = judgement_of(letter, i, lists[i]), *expected = &letter->expected[i];
		char text[KH_RANGE_TEXT];

		held += !found;
		found = found ? found : &plainly;
		if (found->decision != expected->decision || found->reason != expected->reason ||
		    found->cuts != expected->cuts || strcmp(found->rule, expected->rule) != 0)
			fail_msg("%s: got %s, %s, \"%s\", %zu, expected %s, %s, \"%s\", %zu",
				 kh_range_format(&letter->plain[i].indicator.range, text),
				 kh_decision_name(found->decision), kh_decision_reason_name(found->reason), found->rule,
				 found->cuts, kh_decision_name(expected->decision),
				 kh_decision_reason_name(expected->reason), expected->rule, expected->cuts);
	}
	assert_int_equal(held, kh_bulk_count(&letter->lists[0]) + kh_bulk_count(&letter->lists[1]));
	assert_int_equal(held + letter->count, count); /* nothing is lost or twice */
}

static void test_bulk_lists_are_judged_as_findings(void **state)
{
	static const enum kh_decision_reason reasons[] = { KH_WHY_SHARED, KH_WHY_OWN_SUBNET, KH_WHY_NEVER_BLOCK };
	size_t wide = 0, held = 0;
	const int rounds = 2000;

	(void)state;
	random_state = 0x4b686965;
	for (int round = 0; round < rounds; round++) {
		struct letter letter = { .count = 0 };
		size_t count, lists[ALL];
		GUARD(guard);

		kh_guard_set_limits(guard, &(struct kh_guard_limits){
						   random_below(8) ? (int)random_below(12) + 21 : 0,
						   random_below(8) ? (int)random_below(12) + 117 : 0,
						   random_below(2) ? 512 : random_below(512),
					   });
		for (uint32_t rules = random_below(8); rules > 0; rules--) {
			struct kh_range range = random_range(false);
			char rule[24];

			snprintf(rule, sizeof(rule), "%u", rules);
			assert_int_equal(
				kh_guard_add(guard, &range, reasons[random_below(KH_ARRAY_SIZE(reasons))], rule), 0);
		}
		assert_int_equal(kh_guard_seal(guard), 0);
		make_others(&letter);
		count = make_lists(&letter);
		memcpy(lists, letter.from, sizeof(lists));
		kh_guard_judge_all(guard, letter.plain, count, NULL, letter.expected);
		wide += judge_in_bulk(guard, &letter);
		compare(&letter, count, lists);
		for (size_t i = 0; i < LISTS; i++) {
			held += kh_bulk_count(&letter.lists[i]);
			kh_bulk_clear(&letter.lists[i]);
		}
	}
	/* all of it happened */
	assert_in_range(wide, rounds / 10, rounds * 9 / 10);
	assert_in_range(held, rounds * 10, rounds * LISTS * VALUES - 1);
}

static int stop_at_third(const struct kh_finding *finding, void *context)
{
	(void)finding;
	return ++*(size_t *)context == 3 ? -ENOMEM : 0;
}

/* What was not taken when it was stopped is still there. */
static void test_stopped_sift_loses_nothing(void **state)
{
	struct kh_bulk bulk = { 0 };
	size_t taken = 0;
	GUARD(guard);

	(void)state;
	add(guard, "198.18.0.0/28", KH_WHY_NEVER_BLOCK, "");
	assert_int_equal(kh_guard_seal(guard), 0);
	for (uint32_t i = 0; i < 40; i++) {
		struct kh_range range = { 0xc6120000 + i, 0xc6120000 + i, 4 };

		assert_int_equal(kh_bulk_add(&bulk, &range, i + 1), 0);
	}
	assert_int_equal(kh_guard_sift(guard, &bulk, KH_SIFT_RULES, stop_at_third, &taken), -ENOMEM);
	assert_int_equal(taken, 3);
	assert_int_equal(kh_bulk_count(&bulk), 38);
	assert_int_equal(bulk.v4[0].line, 3);
	kh_bulk_clear(&bulk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bulk_lists_are_judged_as_findings),
		cmocka_unit_test(test_stopped_sift_loses_nothing),
	};

	return cmocka_run_group_tests_name("guard_bulk", tests, NULL, NULL);
}
