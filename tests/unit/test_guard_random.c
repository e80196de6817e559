/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard against a naive one: random nested and overlapping ranges in worlds of 256 addresses (the first, the last
 * and some in between, of both families), where every address and every rule can be looked at. Seeded: always the same.
 */
#include "guard_case.h"

#include <stdio.h>

#define WORLD 256
#define RULES 24

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % limit;
}

struct world {
	kh_u128 base; /* the 256 addresses from here on are all there is */
	uint8_t family;
	struct kh_range ranges[RULES];
	enum kh_decision_reason reasons[RULES];
	size_t count;
};

static struct kh_range random_range(const struct world *world)
{
	struct kh_range range = { .family = world->family };
	uint32_t size = 1u << random_below(8);
	uint32_t first = random_below(WORLD), last;

	if (random_below(4) > 0) { /* a prefix, so that most nest */
		first &= ~(size - 1);
		last = first + size - 1;
	} else {
		last = first + random_below(WORLD - first);
	}
	range.first = world->base + first;
	range.last = world->base + last;
	return range;
}

/* What the guard must say, by looking at every rule. */
static size_t naive(const struct world *world, const struct kh_range *asked, bool shared, bool containing)
{
	size_t best = KH_ARRAY_SIZE(world->ranges);

	for (size_t i = 0; i < world->count; i++) {
		const struct kh_range *range = &world->ranges[i];
		bool hit = containing ? kh_range_contains(range, asked) : kh_range_overlaps(range, asked);
		kh_u128 width = range->last - range->first;
		kh_u128 best_width = best < world->count ? world->ranges[best].last - world->ranges[best].first : 0;

		if (!hit || (world->reasons[i] == KH_WHY_SHARED) != shared)
			continue;
		if (best >= world->count || width < best_width ||
		    (width == best_width && world->reasons[i] < world->reasons[best]))
			best = i;
	}
	return best;
}

static void compare(const struct kh_guard *guard, const struct world *world, const bool *refused,
		    const struct kh_range *asked)
{
	struct kh_finding finding = { .indicator = { .type = KH_TYPE_RANGE, .range = *asked },
				      .proposed = KH_ENFORCE,
				      .reason = KH_WHY_TABLE };
	enum kh_decision decision = KH_ENFORCE;
	size_t in = 0, cuts = 0, best = KH_ARRAY_SIZE(world->ranges);
	uint32_t first = (uint32_t)(asked->first - world->base), last = (uint32_t)(asked->last - world->base);
	struct kh_judgement judgement;
	char rule[24] = "", text[KH_RANGE_TEXT];

	for (uint32_t i = first; i <= last; i++) {
		in += refused[i];
		cuts += refused[i] && (i == first || !refused[i - 1]);
	}
	if (in == last - first + 1) {
		decision = KH_REFUSE;
		cuts = 0;
		best = naive(world, asked, false, true);
		if (best >= world->count)
			best = naive(world, asked, false, false);
	} else {
		best = naive(world, asked, true, false);
		if (best < world->count)
			decision = KH_REVIEW;
	}
	if (best < world->count)
		snprintf(rule, sizeof(rule), "%zu", best);
	kh_guard_judge(guard, &finding, &judgement);
	if (judgement.decision != decision || judgement.cuts != cuts || strcmp(judgement.rule, rule) != 0)
		fail_msg("%s: got %d \"%s\" %zu, expected %d \"%s\" %zu", kh_range_format(asked, text),
			 judgement.decision, judgement.rule, judgement.cuts, decision, rule, cuts);
}

static void compare_find(const struct kh_guard *guard, const struct world *world, const struct kh_range *asked)
{
	size_t refuse = naive(world, asked, false, false), shared = naive(world, asked, true, false), best = refuse;
	enum kh_decision_reason reason;
	char rule[24], expected[24];
	int found;

	if (refuse >= world->count ||
	    (shared < world->count && world->ranges[shared].last - world->ranges[shared].first <
					      world->ranges[refuse].last - world->ranges[refuse].first))
		best = shared;
	found = kh_guard_find(guard, asked, &reason, rule, sizeof(rule));
	assert_int_equal(found, best < world->count);
	if (!found)
		return;
	snprintf(expected, sizeof(expected), "%zu", best);
	assert_string_equal(rule, expected);
	assert_int_equal(reason, world->reasons[best]);
}

static void compare_holes(const struct kh_guard *guard, const struct world *world, const bool *refused)
{
	const struct kh_range *holes;
	size_t count, at = 0;

	kh_guard_holes(guard, &holes, &count);
	for (uint32_t i = 0; i < WORLD; i++) {
		if (!refused[i] || (i > 0 && refused[i - 1]))
			continue;
		assert_true(at < count);
		assert_true(holes[at].family == world->family && holes[at].first == world->base + i);
		while (i + 1 < WORLD && refused[i + 1])
			i++;
		assert_true(holes[at].last == world->base + i);
		at++;
	}
	assert_int_equal(at, count);
}

/* ---- Bulk lists: what stays in one is what the guard has nothing to say about ---------------------------- */

struct sifted {
	struct kh_range out[64];
	size_t count;
};

static int on_out(const struct kh_finding *finding, void *context)
{
	struct sifted *sifted = context;
	char text[KH_RANGE_TEXT];

	assert_int_equal(finding->proposed, KH_ENFORCE);
	assert_int_equal(finding->reason, KH_WHY_TABLE);
	assert_int_equal(finding->line, 7);
	assert_string_equal(finding->raw, kh_range_format(&finding->indicator.range, text));
	sifted->out[sifted->count++] = finding->indicator.range;
	return 0;
}

static bool was_out(const struct sifted *sifted, const struct kh_range *range)
{
	for (size_t i = 0; i < sifted->count; i++)
		if (!kh_range_compare(&sifted->out[i], range))
			return true;
	return false;
}

static void compare_sift(const struct kh_guard *guard, const struct world *world, enum kh_sift what)
{
	struct sifted sifted = {};
	struct kh_bulk bulk = {};
	struct kh_range asked[64];

	for (size_t i = 0; i < KH_ARRAY_SIZE(asked); i++) {
		asked[i] = random_range(world);
		if (random_below(2))
			asked[i].last = asked[i].first;
		assert_int_equal(kh_bulk_add(&bulk, &asked[i], 7), 0);
	}
	assert_true(kh_bulk_sort(&bulk) >= 0);
	assert_int_equal(kh_guard_sift(guard, &bulk, what, on_out, &sifted), 0);
	for (size_t i = 0; i < KH_ARRAY_SIZE(asked); i++) {
		struct kh_finding finding = { .indicator = { .type = KH_TYPE_RANGE, .range = asked[i] },
					      .proposed = KH_ENFORCE,
					      .reason = KH_WHY_TABLE };
		bool goes = asked[i].first != asked[i].last;
		struct kh_judgement judgement;

		kh_guard_judge(guard, &finding, &judgement);
		if (what == KH_SIFT_RULES)
			goes = judgement.decision != KH_ENFORCE || judgement.cuts || judgement.rule[0];
		assert_int_equal(kh_bulk_holds(&bulk, &asked[i]), !goes);
		assert_int_equal(was_out(&sifted, &asked[i]), goes);
	}
	kh_bulk_clear(&bulk);
}

static void run_world(struct world *world)
{
	static const enum kh_decision_reason reasons[] = { KH_WHY_SHARED, KH_WHY_OWN_SUBNET, KH_WHY_SPECIAL,
							   KH_WHY_NEVER_BLOCK };
	GUARD(guard);
	bool refused[WORLD] = { false };

	kh_guard_set_limits(guard, &(struct kh_guard_limits){ 0, 0, UINT64_MAX });
	world->count = random_below(RULES + 1);
	for (size_t i = 0; i < world->count; i++) {
		char rule[24];

		world->ranges[i] = random_range(world);
		world->reasons[i] = reasons[random_below(KH_ARRAY_SIZE(reasons))];
		snprintf(rule, sizeof(rule), "%zu", i);
		assert_int_equal(kh_guard_add(guard, &world->ranges[i], world->reasons[i], rule), 0);
		for (uint32_t j = 0; j < WORLD && world->reasons[i] != KH_WHY_SHARED; j++)
			refused[j] |=
				world->base + j >= world->ranges[i].first && world->base + j <= world->ranges[i].last;
	}
	assert_int_equal(kh_guard_seal(guard), 0);
	compare_holes(guard, world, refused);
	compare_sift(guard, world, KH_SIFT_RULES);
	compare_sift(guard, world, KH_SIFT_WIDE);
	for (int i = 0; i < 100; i++) {
		struct kh_range asked = random_range(world);

		compare(guard, world, refused, &asked);
		compare_find(guard, world, &asked);
	}
}

static void test_random_against_naive(void **state)
{
	const kh_u128 max4 = kh_address_max(4), max6 = kh_address_max(6);
	const struct world worlds[] = {
		{ .base = 0, .family = 4 },
		{ .base = 0xc6120000, .family = 4 },
		{ .base = max4 - (WORLD - 1), .family = 4 },
		{ .base = 0, .family = 6 },
		{ .base = (kh_u128)0x20010db8 << 96, .family = 6 },
		{ .base = max6 - (WORLD - 1), .family = 6 },
	};

	(void)state;
	random_state = 0x4b686965;
	for (int round = 0; round < 150; round++)
		for (size_t i = 0; i < KH_ARRAY_SIZE(worlds); i++) {
			struct world world = worlds[i];

			run_world(&world);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_against_naive),
	};

	return cmocka_run_group_tests_name("guard_random", tests, NULL, NULL);
}
