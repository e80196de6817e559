// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is in force, and its slots: smallest first, stable, given to another only after grace and a fold.
 */
#include "ledger_help.h"

static void one_act(struct env *env, const char *value, enum kh_order_state state, int64_t expires)
{
	act(env, "block");
	put(env, 1, value, state, expires);
	commit(env);
}

/* A fold of nothing in particular: counts were collected. */
static void collect(struct env *env)
{
	begin(env);
	assert_int_equal(kh_ledger_fold_counters(env->ledger, 9, NULL, 0, NULL), 0);
	commit(env);
}

static void slots_are_numbered_from_one(void **state)
{
	struct env *env = *state;

	assert_string_equal(force_now(env, 100, 60), "");
	act(env, "push");
	put(env, 1, "203.0.113.9", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.8", KH_ORDER_REVIEW, 0);
	put(env, 1, "c2.example", KH_ORDER_ACTIVE, 0); /* active or not, it cannot be enforced */
	put(env, 1, "203.0.113.7:443", KH_ORDER_ACTIVE, 500);
	put(env, 1, "2001:db8::/32", KH_ORDER_ACTIVE, 0);
	assert_string_equal(
		force_text(env, 100, 60),
		"1 203.0.113.9 drop 0 fresh\n2 203.0.113.7:443 drop 500 fresh\n3 2001:db8::/32 drop 0 fresh\n");
	commit(env);
	assert_string_equal(force_now(env, 100, 60),
			    "1 203.0.113.9 drop 0\n2 203.0.113.7:443 drop 500\n3 2001:db8::/32 drop 0\n");
	reopen(env);
	assert_string_equal(force_now(env, 99999, 60),
			    "1 203.0.113.9 drop 0\n2 203.0.113.7:443 drop 500\n3 2001:db8::/32 drop 0\n");
}

static void the_latest_deadline_of_several_letters_counts(void **state)
{
	struct env *env = *state;
	int64_t a, b, c;

	act(env, "push");
	a = put_letter(env, "1/A", NULL, 2020, 1);
	b = put_letter(env, "2/B", NULL, 2020, 1);
	c = put_letter(env, "3/C", NULL, 2020, 1);
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 500);
	put(env, b, "203.0.113.1", KH_ORDER_ACTIVE, 900);
	put(env, c, "203.0.113.1", KH_ORDER_ACTIVE, 700);
	assert_string_equal(force_text(env, 1, 0), "1 203.0.113.1 drop 900 fresh\n");
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	assert_string_equal(force_text(env, 1, 0), "1 203.0.113.1 drop 0\n");
	put(env, a, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	assert_string_equal(force_text(env, 1, 0), "1 203.0.113.1 drop 900\n");
	put(env, b, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	assert_string_equal(force_text(env, 1, 0), "1 203.0.113.1 drop 700\n");
	put(env, c, "203.0.113.1", KH_ORDER_WITHDRAWN, 0); /* with its last letter it goes */
	assert_string_equal(force_text(env, 1, 0), "");
	put(env, c, "203.0.113.1", KH_ORDER_ACTIVE, 0); /* a deadline after one without, and before */
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 800);
	assert_string_equal(force_text(env, 1, 0), "1 203.0.113.1 drop 0\n");
	commit(env);
}

static void drop_and_monitor_are_told_apart(void **state)
{
	struct env *env = *state;
	int64_t a;

	act(env, "push");
	a = put_letter(env, "1/A", NULL, 2020, 1);
	put_monitor(env, 1, "203.0.113.1", 300);
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 200);
	put_monitor(env, a, "203.0.113.2", 0);
	assert_string_equal(
		force_text(env, 1, 0),
		"1 203.0.113.1 drop 200 fresh\n1 203.0.113.1 monitor 300 fresh\n2 203.0.113.2 monitor 0 fresh\n");
	commit(env);
}

static void what_only_the_clock_says_is_still_in_force(void **state)
{
	struct env *env = *state;

	one_act(env, "203.0.113.1", KH_ORDER_ACTIVE, 50);
	assert_string_equal(force_now(env, 100, 60), "1 203.0.113.1 drop 50 fresh\n");
}

static void a_slot_waits_for_grace_and_a_fold(void **state)
{
	struct env *env = *state;

	one_act(env, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	one_act(env, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	force_now(env, 100, 60);
	one_act(env, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	assert_string_equal(force_now(env, 200, 60), "2 203.0.113.2 drop 0\n");

	one_act(env, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	begin(env);
	assert_string_equal(force_text(env, 1000, 60),
			    "2 203.0.113.2 drop 0\n3 203.0.113.3 drop 0 fresh\n"); /* grace, no fold */
	kh_ledger_rollback(env->ledger);
	collect(env);
	begin(env);
	assert_string_equal(force_text(env, 259, 60),
			    "2 203.0.113.2 drop 0\n3 203.0.113.3 drop 0 fresh\n"); /* fold, no grace */
	kh_ledger_rollback(env->ledger);
	begin(env);
	assert_string_equal(force_text(env, 150, 60),
			    "2 203.0.113.2 drop 0\n3 203.0.113.3 drop 0 fresh\n"); /* a clock set back */
	kh_ledger_rollback(env->ledger);
	reopen(env);
	assert_string_equal(force_now(env, 260, 60), "2 203.0.113.2 drop 0\n1 203.0.113.3 drop 0 fresh\n");
	assert_string_equal(force_now(env, 261, 60), "2 203.0.113.2 drop 0\n1 203.0.113.3 drop 0\n");
	assert_string_equal(query_text(env, "SELECT slot, indicator, left_at FROM slots"), "1|3|0\n2|2|0\n");
}

static void who_comes_back_finds_its_slot(void **state)
{
	struct env *env = *state;

	one_act(env, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	one_act(env, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	force_now(env, 100, 60);
	one_act(env, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	force_now(env, 200, 60);
	one_act(env, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	assert_string_equal(force_now(env, 9000, 60), "1 203.0.113.1 drop 0\n2 203.0.113.2 drop 0\n");
	one_act(env, "203.0.113.1", KH_ORDER_WITHDRAWN, 0); /* grace runs from the last time it left */
	force_now(env, 9001, 60);
	collect(env);
	one_act(env, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	assert_string_equal(force_now(env, 9060, 60), "2 203.0.113.2 drop 0\n3 203.0.113.3 drop 0 fresh\n");
}

static void who_comes_back_too_late_gets_another(void **state)
{
	struct env *env = *state;

	one_act(env, "203.0.113.5", KH_ORDER_REVIEW, 0); /* known first, so it comes first in the pass */
	one_act(env, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	one_act(env, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	force_now(env, 100, 60);
	one_act(env, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	one_act(env, "203.0.113.2", KH_ORDER_WITHDRAWN, 0);
	force_now(env, 200, 60);
	collect(env);
	act(env, "push"); /* all at once: 5 takes the slot of 1, which takes that of 2, which gets a new one */
	put(env, 1, "203.0.113.5", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	assert_string_equal(force_text(env, 300, 60),
			    "1 203.0.113.5 drop 0 fresh\n2 203.0.113.1 drop 0 fresh\n3 203.0.113.2 drop 0 fresh\n");
	commit(env);
	assert_string_equal(query_text(env, "SELECT slot, indicator FROM slots"), "1|1\n2|2\n3|3\n");
	assert_string_equal(force_now(env, 300, 60),
			    "1 203.0.113.5 drop 0\n2 203.0.113.1 drop 0\n3 203.0.113.2 drop 0\n");
}

static void long_stretches_out_of_force_are_passed_over(void **state)
{
	struct env *env = *state;
	char expected[1024] = "";
	uint32_t slot = 0;

	act(env, "push");
	for (unsigned int i = 1; i <= 250; i++) {
		bool active = i % 70 == 0 || i == 143;
		char value[32];

		snprintf(value, sizeof(value), "203.0.113.%u", i);
		put(env, 1, value, active ? KH_ORDER_ACTIVE : KH_ORDER_REVIEW, 0);
		if (active)
			snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
				 "%u %s drop 0 fresh\n", ++slot, value);
	}
	assert_string_equal(force_text(env, 1, 1), expected);
	commit(env);
}

static int stop_with(const struct kh_force *force, void *context)
{
	(void)force;
	return *(int *)context;
}

static void a_stopped_pass_says_so(void **state)
{
	struct env *env = *state;
	int stop = -ENOSPC;

	one_act(env, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	one_act(env, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	begin(env);
	assert_int_equal(kh_ledger_force(env->ledger, 1, 1, stop_with, NULL, &stop, NULL), -ENOSPC);
	kh_ledger_rollback(env->ledger);
	stop = 1;
	begin(env);
	assert_int_equal(kh_ledger_force(env->ledger, 1, 1, stop_with, NULL, &stop, NULL), 1);
	kh_ledger_rollback(env->ledger);
	assert_string_equal(query_text(env, "SELECT * FROM slots"), "");
}

/* What was kept in memory from a transaction that never was is not believed. */
static void a_pass_rolled_back_gave_nothing(void **state)
{
	struct env *env = *state;

	one_act(env, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	assert_string_equal(force_now(env, 100, 60), "1 203.0.113.1 drop 0 fresh\n");
	act(env, "block");
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	assert_string_equal(force_text(env, 200, 60), "2 203.0.113.2 drop 0 fresh\n");
	kh_ledger_rollback(env->ledger);
	assert_string_equal(force_now(env, 300, 60), "1 203.0.113.1 drop 0\n");
	one_act(env, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	assert_string_equal(force_now(env, 300, 60), "1 203.0.113.1 drop 0\n2 203.0.113.3 drop 0 fresh\n");
}

/* A list that is gone leaves a gap between the numbers of the others. */
static void a_gap_is_filled_first(void **state)
{
	struct env *env = *state;

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.3", KH_ORDER_WITHDRAWN, 0);
	commit(env);
	force_now(env, 100, 60);
	query_text(env, "UPDATE slots SET slot = 5 WHERE slot = 1");
	reopen(env);
	assert_string_equal(force_now(env, 100, 60), "5 203.0.113.1 drop 0\n2 203.0.113.2 drop 0\n");
	one_act(env, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	assert_string_equal(force_now(env, 100, 60),
			    "5 203.0.113.1 drop 0\n2 203.0.113.2 drop 0\n1 203.0.113.3 drop 0 fresh\n");
	one_act(env, "203.0.113.4", KH_ORDER_ACTIVE, 0);
	one_act(env, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	assert_string_equal(force_now(env, 100, 60),
			    "2 203.0.113.2 drop 0\n1 203.0.113.3 drop 0\n3 203.0.113.4 drop 0 fresh\n");
	collect(env);
	for (int i = 5; i <= 7; i++) {
		char value[32];

		snprintf(value, sizeof(value), "203.0.113.%d", i);
		one_act(env, value, KH_ORDER_ACTIVE, 0);
	}
	assert_string_equal(
		force_now(env, 200, 60),
		"2 203.0.113.2 drop 0\n1 203.0.113.3 drop 0\n3 203.0.113.4 drop 0\n4 203.0.113.5 drop 0 fresh\n"
		"5 203.0.113.6 drop 0 fresh\n6 203.0.113.7 drop 0 fresh\n");
	assert_string_equal(query_text(env, "SELECT slot, indicator FROM slots ORDER BY slot"),
			    "1|3\n2|2\n3|4\n4|5\n5|6\n6|7\n");
}

static int print_slot(const struct kh_order_row *row, void *context)
{
	print(context, "%s %u\n", row->value, row->slot);
	return 0;
}

static void rows_show_the_slot_while_in_force(void **state)
{
	struct env *env = *state;
	const struct kh_order_filter all = { .state = -1 };

	one_act(env, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	one_act(env, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	force_now(env, 100, 60);
	one_act(env, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	force_now(env, 100, 60);
	clear(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &all, print_slot, env), 0);
	assert_string_equal(env->text, "203.0.113.1 0\n203.0.113.2 2\n");
}

/* ---- Random comings and goings -------------------------------------------------------------------- */

#define VALUES 40

struct model {
	uint32_t slot[VALUES + 1], before[VALUES + 1]; /* by last octet; 0: not in force */
	int64_t left[256]; /* when the slot was left; 0: never held or held now */
	int owner[256]; /* last octet of who had it last */
	int64_t now;
	int64_t folded; /* when counts were collected last */
};

static uint64_t seed;

static int random_below(int limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int)((seed >> 11) % (uint64_t)limit);
}

static int on_force(const struct kh_force *force, void *context)
{
	struct model *model = context;
	int octet = (int)(force->indicator.range.first & 0xff);

	assert_in_range(force->slot, 1, 255);
	assert_int_equal(model->slot[octet], 0); /* once a pass */
	model->slot[octet] = force->slot;
	if (model->before[octet]) { /* in force before: the same slot, not fresh */
		assert_int_equal(force->slot, model->before[octet]);
		assert_false(force->fresh);
	} else if (!force->fresh) { /* come back to its own */
		assert_int_equal(model->owner[force->slot], octet);
	} else if (model->owner[force->slot]) { /* somebody's before */
		assert_true(model->left[force->slot] && model->now - model->left[force->slot] >= 60);
		assert_true(model->folded > model->left[force->slot]);
	}
	return 0;
}

static void check_pass(struct env *env, struct model *model)
{
	bool used[256] = {};

	memcpy(model->before, model->slot, sizeof(model->slot));
	memset(model->slot, 0, sizeof(model->slot));
	assert_ok(kh_ledger_force(env->ledger, model->now, 60, on_force, NULL, model, &why));
	for (int octet = 1; octet <= VALUES; octet++) {
		uint32_t slot = model->slot[octet], before = model->before[octet];

		if (before && !slot)
			model->left[before] = model->now;
		if (!slot)
			continue;
		assert_false(used[slot]); /* never two on one */
		used[slot] = true;
	}
	for (int octet = 1; octet <= VALUES; octet++)
		if (model->slot[octet]) {
			model->owner[model->slot[octet]] = octet;
			model->left[model->slot[octet]] = 0;
		}
}

static void random_comings_and_goings_keep_the_rules(void **state)
{
	struct env *env = *state;
	struct model model = { .now = 1000 };
	uint32_t highest = 0;

	seed = 0x123456789abcdefu;
	for (int round = 0; round < 150; round++) {
		act(env, "push");
		for (int i = random_below(12); i > 0; i--) {
			char value[32];

			snprintf(value, sizeof(value), "203.0.113.%d", 1 + random_below(VALUES));
			put(env, 1, value, random_below(2) ? KH_ORDER_ACTIVE : KH_ORDER_WITHDRAWN, 0);
		}
		check_pass(env, &model);
		commit(env);
		model.now += random_below(50);
		if (random_below(2)) {
			model.now++;
			collect(env);
			model.folded = model.now;
			model.now++;
		}
		if (random_below(10) == 0)
			reopen(env);
		for (int octet = 1; octet <= VALUES; octet++)
			if (model.slot[octet] > highest)
				highest = model.slot[octet];
	}
	assert_in_range(highest, 1, VALUES); /* slots were used again */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(slots_are_numbered_from_one),
		CASE(the_latest_deadline_of_several_letters_counts),
		CASE(drop_and_monitor_are_told_apart),
		CASE(what_only_the_clock_says_is_still_in_force),
		CASE(a_slot_waits_for_grace_and_a_fold),
		CASE(who_comes_back_finds_its_slot),
		CASE(who_comes_back_too_late_gets_another),
		CASE(long_stretches_out_of_force_are_passed_over),
		CASE(a_stopped_pass_says_so),
		CASE(a_pass_rolled_back_gave_nothing),
		CASE(a_gap_is_filled_first),
		CASE(rows_show_the_slot_while_in_force),
		CASE(random_comings_and_goings_keep_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
