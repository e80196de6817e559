// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes and undo: what is put back is compared with the whole state before, every column; and random histories of acts
 * and undos are checked against a model that keeps every state it saw.
 */
#include "ledger_help.h"

static int print_change(const struct kh_change *change, void *context)
{
	print(context, "%lld %s u%lld by%lld o%lld a%lld\n", (long long)change->id, change->kind,
	      (long long)change->undoes, (long long)change->undone_by, (long long)change->orders,
	      (long long)change->allows);
	return 0;
}

static const char *changes_text(struct env *env)
{
	clear(env);
	assert_int_equal(kh_ledger_changes(env->ledger, 0, print_change, env), 0);
	return env->text;
}

/* Undoes in a change of its own; 0 or the error. Outputs may be NULL. */
static int undo(struct env *env, int64_t id, int64_t *ret_id, struct kh_undo_result *ret_result)
{
	struct kh_undo_result result = { -1, -1 };
	struct kh_error error = {};
	int64_t undone = -1;
	int code;

	act(env, "undo");
	code = kh_ledger_undo(env->ledger, id, &undone, &result, &error);
	if (code < 0) {
		assert_true(error.text[0]);
		kh_ledger_rollback(env->ledger);
	} else {
		commit(env);
	}
	if (ret_id)
		*ret_id = undone;
	if (ret_result)
		*ret_result = result;
	return code;
}

#define assert_state(env, expected)                  \
	do {                                         \
		char *now_ = whole_state(env);       \
		assert_string_equal(now_, expected); \
		free(now_);                          \
	} while (0)

static void a_push_is_undone_exactly(void **state)
{
	struct env *env = *state;
	struct kh_undo_result result;
	char *before, *after;
	int64_t a, b, id;

	act(env, "push");
	a = put_letter(env, "1/A", NULL, 2020, 1);
	b = put_letter(env, "2/B", NULL, 2020, 1);
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, a, "203.0.113.2", KH_ORDER_REVIEW, 0);
	put_allow(env, "198.51.100.1", 77, true);
	commit(env);
	before = whole_state(env);

	act(env, "push"); /* makes some, changes some, in two letters that take turns */
	put(env, b, "203.0.113.1", KH_ORDER_ACTIVE, 5);
	put(env, a, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	put(env, b, "203.0.113.4", KH_ORDER_ACTIVE, 0);
	put(env, a, "203.0.113.4", KH_ORDER_ACTIVE, 0);
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 999);
	put(env, a, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	put(env, a, "203.0.113.2", KH_ORDER_REFUSED, 0); /* twice: what was before the change counts */
	put_allow(env, "198.51.100.1", 0, false);
	put_allow(env, "198.51.100.2", 0, true);
	commit(env);
	after = whole_state(env);
	assert_string_not_equal(before, after);

	assert_int_equal(undo(env, 0, &id, &result), 0);
	assert_int_equal(id, 2);
	assert_int_equal(result.restored, 8);
	assert_int_equal(result.skipped, 0);
	assert_state(env, before);
	assert_string_equal(changes_text(env), "3 undo u2 by0 o6 a2\n2 push u0 by3 o6 a2\n1 push u0 by0 o2 a1\n");

	reopen(env);
	assert_int_equal(undo(env, 2, NULL, NULL), -EALREADY);
	assert_int_equal(undo(env, 3, &id, &result), 0); /* and back again */
	assert_int_equal(result.restored, 8);
	assert_state(env, after);
	assert_string_equal(changes_text(env),
			    "4 undo u3 by0 o6 a2\n3 undo u2 by4 o6 a2\n2 push u0 by0 o6 a2\n1 push u0 by0 o2 a1\n");
	assert_int_equal(undo(env, 2, NULL, &result), 0);
	assert_int_equal(result.skipped, 0);
	assert_state(env, before);
	free(before);
	free(after);
}

static const char *counts(struct env *env)
{
	int64_t states[KH_ORDER_STATE_COUNT], monitored;

	assert_int_equal(kh_ledger_order_counts(env->ledger, states, &monitored), 0);
	clear(env);
	print(env, "%lld %lld", (long long)states[KH_ORDER_ACTIVE], (long long)states[KH_ORDER_REVIEW]);
	return env->text;
}

static void rows_made_and_rows_changed_between_them_are_told_apart(void **state)
{
	struct env *env = *state;
	struct kh_undo_result result;
	char *before;
	int64_t a, b;

	act(env, "push");
	a = put_letter(env, "1/A", NULL, 2020, 1);
	b = put_letter(env, "2/B", NULL, 2020, 1);
	put(env, b, "203.0.113.1", KH_ORDER_REVIEW, 0);
	put(env, b, "203.0.113.2", KH_ORDER_REVIEW, 0);
	put(env, b, "203.0.113.3", KH_ORDER_REVIEW, 0);
	commit(env);
	before = whole_state(env);
	act(env, "push");
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 0); /* one run of rows made ... */
	put(env, a, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	put(env, a, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	put(env, b, "203.0.113.2", KH_ORDER_ACTIVE, 9); /* ... and one changed whose id lies inside it */
	commit(env);
	assert_string_equal(counts(env), "3 0");
	assert_int_equal(undo(env, 2, NULL, &result), 0);
	assert_int_equal(result.restored, 4);
	assert_int_equal(result.skipped, 0);
	assert_state(env, before);
	assert_string_equal(counts(env), "0 3"); /* no number from before the undo */
	free(before);
}

static void what_one_change_made_and_expired_is_gone_with_it(void **state)
{
	struct env *env = *state;
	struct kh_undo_result result;
	char *before = whole_state(env);

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 10);
	put_allow(env, "198.51.100.1", 10, true);
	assert_int_equal(kh_ledger_expire(env->ledger, 20, NULL), 2);
	commit(env);
	assert_string_equal(changes_text(env), "1 push u0 by0 o1 a1\n");
	assert_int_equal(undo(env, 1, NULL, &result), 0);
	assert_int_equal(result.restored, 2);
	assert_int_equal(result.skipped, 0);
	assert_state(env, before);
	free(before);
}

static void doing_again_what_stood_on_something_undone_is_skipped(void **state)
{
	struct env *env = *state;
	struct kh_undo_result result;
	char *empty = whole_state(env);

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	act(env, "extend");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 900);
	commit(env);
	assert_int_equal(undo(env, 2, NULL, NULL), 0); /* 3 */
	assert_int_equal(undo(env, 1, NULL, NULL), 0); /* 4: the row is gone */
	assert_int_equal(undo(env, 3, NULL, &result), 0); /* extend it again: there is nothing to extend */
	assert_int_equal(result.restored, 0);
	assert_int_equal(result.skipped, 1);
	assert_state(env, empty);
	free(empty);
}

static void what_a_later_change_touched_stays(void **state)
{
	struct env *env = *state;
	struct kh_undo_result result;
	const struct kh_order_filter all = { .state = -1 };

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 50);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	commit(env);
	act(env, "expire");
	assert_int_equal(kh_ledger_expire(env->ledger, 60, NULL), 1);
	commit(env);
	act(env, "unblock");
	put(env, 1, "203.0.113.3", KH_ORDER_WITHDRAWN, 0);
	commit(env);
	assert_int_equal(undo(env, 1, NULL, &result), 0);
	assert_int_equal(result.restored, 1);
	assert_int_equal(result.skipped, 2);
	assert_string_equal(orders_text(env, all), "203.0.113.1 - expired drop 50\n203.0.113.3 - withdrawn drop 0\n");
	assert_int_equal(undo(env, 1, NULL, NULL), -EALREADY);
}

static void changes_are_taken_back_one_after_the_other(void **state)
{
	struct env *env = *state;
	struct kh_undo_result result;
	char *empty = whole_state(env), *pushed;
	int64_t id;

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	pushed = whole_state(env);
	act(env, "extend");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 900);
	commit(env);
	assert_int_equal(undo(env, 0, &id, &result), 0);
	assert_int_equal(id, 2);
	assert_state(env, pushed);
	assert_int_equal(undo(env, 0, &id, &result), 0); /* not the undo, not what it undid: the push */
	assert_int_equal(id, 1);
	assert_int_equal(result.restored, 1);
	assert_int_equal(result.skipped, 0);
	assert_state(env, empty);
	assert_int_equal(undo(env, 0, NULL, NULL), -ENOENT);
	free(empty);
	free(pushed);
}

static void a_row_made_anew_is_not_the_undone_ones(void **state)
{
	struct env *env = *state;
	struct kh_undo_result result;
	char *again;

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	assert_int_equal(undo(env, 1, NULL, NULL), 0);
	act(env, "block");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 5);
	commit(env);
	again = whole_state(env);
	assert_int_equal(undo(env, 2, NULL, &result),
			 0); /* the undo would bring the first one back: its place is taken */
	assert_int_equal(result.restored, 0);
	assert_int_equal(result.skipped, 1);
	assert_state(env, again);
	free(again);
}

static void wrong_numbers_are_named(void **state)
{
	struct env *env = *state;
	struct kh_undo_result result = { 5, 6 };
	struct kh_error error = {};
	int64_t id = 7, own;

	assert_int_equal(undo(env, 99, NULL, NULL), -ENOENT);
	assert_int_equal(undo(env, -1, NULL, NULL), -ENOENT);
	own = act(env, "undo");
	assert_int_equal(kh_ledger_undo(env->ledger, own, &id, &result, &error), -ENOENT);
	assert_int_equal(id, 7);
	assert_int_equal(result.restored + result.skipped, 11);
	commit(env);
}

static void the_newest_is_a_persons_and_touched_something(void **state)
{
	struct env *env = *state;
	int64_t id;

	act(env, "block");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 50);
	commit(env);
	act(env, "push"); /* nothing new */
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 50);
	commit(env);
	act(env, "expire");
	put(env, 1, "203.0.113.2", KH_ORDER_EXPIRED, 0);
	commit(env);
	assert_int_equal(undo(env, 0, &id, NULL), 0);
	assert_int_equal(id, 1);
}

static int stop_at_three(const struct kh_change *change, void *context)
{
	print_change(change, context);
	return change->id == 3 ? 42 : 0;
}

static void history_comes_newest_first_in_pages(void **state)
{
	struct env *env = *state;
	struct kh_change change = {
		.time = 5, .uid = -1, .actor = NULL, .kind = "expire", .note = "ghi chú", .letter = 1
	};

	for (int i = 0; i < 5; i++) {
		act(env, "block");
		commit(env);
	}
	clear(env);
	assert_int_equal(kh_ledger_changes(env->ledger, 5, stop_at_three, env), 42);
	assert_string_equal(env->text, "4 block u0 by0 o0 a0\n3 block u0 by0 o0 a0\n");
	begin(env);
	assert_ok(kh_ledger_change_begin(env->ledger, &change, &why));
	commit(env);
	assert_int_equal(change.id, 6);
	assert_string_equal(query_text(env, "SELECT * FROM changes WHERE id = 6"),
			    "6|5|-1||expire|ghi chú|1|0|0|0|0\n");
}

static void two_changes_in_one_transaction_keep_apart(void **state)
{
	struct env *env = *state;
	struct kh_change second = { .time = 1, .uid = 0, .actor = "a", .kind = "block" };
	struct kh_undo_result result;

	act(env, "expire");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	assert_ok(kh_ledger_change_begin(env->ledger, &second, &why));
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	commit(env);
	assert_string_equal(changes_text(env), "2 block u0 by0 o2 a0\n1 expire u0 by0 o1 a0\n");
	assert_int_equal(undo(env, 2, NULL, &result), 0);
	assert_int_equal(result.restored, 2);
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1 }), "203.0.113.1 - active drop 0\n");
}

static void a_thousand_rows_made_cost_one_row_of_the_past(void **state)
{
	struct env *env = *state;
	struct kh_undo_result result;
	int64_t letter;

	act(env, "push");
	letter = put_letter(env, "1/A", NULL, 2020, 1);
	for (unsigned int i = 0; i < 1000; i++) {
		struct kh_order_row row = { .letter = letter, .raw = "", .since = 1 };

		row.indicator.range = (struct kh_range){ .first = i, .last = i, .family = 4 };
		assert_int_equal(put_row(env, &row), 1);
	}
	commit(env);
	assert_string_equal(query_text(env, "SELECT count(*) FROM orders_made"), "1\n");
	assert_string_equal(query_text(env, "SELECT count(*) FROM orders_before"), "0\n");
	act(env, "block");
	put(env, 1, "0.0.0.5", KH_ORDER_ACTIVE, 0); /* by hand, in the middle of the run */
	commit(env);
	assert_int_equal(undo(env, 1, NULL, &result), 0);
	assert_int_equal(result.restored, 1000);
	assert_int_equal(result.skipped, 0);
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1 }), "0.0.0.5 - active drop 0\n");
}

/* ---- Random histories ---------------------------------------------------------------------------- */

static uint64_t seed;

static int random_below(int limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int)((seed >> 11) % (uint64_t)limit);
}

/* One random act on a few values and letters, so that rows are made, changed, expired and met again all the time. */
static void random_act(struct env *env, const int64_t letters[static 3])
{
	int count = random_below(5);

	act(env, "push");
	if (random_below(8) == 0)
		kh_ledger_expire(env->ledger, 40 + random_below(30), NULL);
	for (int i = 0; i < count; i++) {
		char value[32];

		snprintf(value, sizeof(value), "203.0.113.%d", random_below(6));
		if (random_below(5) == 0)
			put_allow(env, value, random_below(3) * 30, random_below(2));
		else
			put(env, letters[random_below(3)], value, (enum kh_order_state)random_below(3),
			    random_below(3) * 30);
	}
	commit(env);
}

/* Undoing the newest change in effect, whatever its kind, gives the state before it; so acts and undos form a stack. */
static void random_histories_go_back_step_by_step(void **state)
{
	struct env *env = *state;
	int64_t letters[3] = { 1 }, changes = 0;
	char *states[64];

	seed = 0x9e3779b97f4a7c15u;
	begin(env);
	letters[1] = put_letter(env, "1/A", NULL, 2020, 1);
	letters[2] = put_letter(env, "2/A", NULL, 2020, 1);
	commit(env);
	for (int round = 0; round < 25; round++) {
		int64_t first = changes;
		int depth = 1 + random_below(12);

		for (int i = 0; i < depth; i++) {
			states[i] = whole_state(env);
			random_act(env, letters);
			changes++;
		}
		for (int i = depth - 1; i >= 0; i--) {
			struct kh_undo_result result;
			char *now = whole_state(env);

			assert_int_equal(undo(env, first + i + 1, NULL, &result), 0);
			changes++;
			assert_int_equal(result.skipped, 0);
			assert_state(env, states[i]);
			if (random_below(3) == 0) { /* there and back */
				assert_int_equal(undo(env, changes, NULL, &result), 0);
				changes++;
				assert_int_equal(result.skipped, 0);
				assert_state(env, now);
				assert_int_equal(undo(env, first + i + 1, NULL, &result), 0);
				changes++;
				assert_state(env, states[i]);
			}
			free(now);
			free(states[i]);
		}
		random_act(env, letters); /* the next round starts from somewhere else */
		changes++;
	}
	assert_string_equal(query_text(env, "SELECT count(*) = max(id) FROM changes"), "1\n");
}

/* Does the running change block? Then it is given up. */
static int blocks(struct env *env)
{
	int code = kh_ledger_change_blocks(env->ledger, NULL);

	kh_ledger_rollback(env->ledger);
	return code;
}

static void what_a_change_blocks_is_what_drops_longer_than_before(void **state)
{
	struct env *env = *state;
	static const struct {
		const char *value;
		enum kh_order_state state;
		bool monitor;
		int64_t expires;
		int blocks;
	} acts[] = {
		{ "203.0.113.9", KH_ORDER_ACTIVE, false, 0, 1 }, /* new */
		{ "203.0.113.9", KH_ORDER_ACTIVE, true, 0, 0 },
		{ "203.0.113.9", KH_ORDER_REVIEW, false, 0, 0 },
		{ "203.0.113.9", KH_ORDER_REFUSED, false, 0, 0 },
		{ "203.0.113.1", KH_ORDER_ACTIVE, false, 500, 0 }, /* dropped until 500 */
		{ "203.0.113.1", KH_ORDER_ACTIVE, false, 400, 0 }, /* an earlier end */
		{ "203.0.113.1", KH_ORDER_ACTIVE, false, 501, 1 },
		{ "203.0.113.1", KH_ORDER_ACTIVE, false, 0, 1 },
		{ "203.0.113.1", KH_ORDER_ACTIVE, true, 0, 0 },
		{ "203.0.113.1", KH_ORDER_WITHDRAWN, false, 500, 0 },
		{ "203.0.113.2", KH_ORDER_ACTIVE, false, 0, 1 }, /* monitored */
		{ "203.0.113.3", KH_ORDER_ACTIVE, false, 0, 1 }, /* waited for review */
		{ "203.0.113.4", KH_ORDER_ACTIVE, false, 900, 0 }, /* dropped for ever */
	};
	int64_t letter, withdrawn;

	act(env, "push");
	letter = put_letter(env, "1/A", NULL, 2020, 1);
	put(env, letter, "203.0.113.1", KH_ORDER_ACTIVE, 500);
	put_monitor(env, letter, "203.0.113.2", 0);
	put(env, letter, "203.0.113.3", KH_ORDER_REVIEW, 0);
	put(env, letter, "203.0.113.4", KH_ORDER_ACTIVE, 0);
	assert_int_equal(kh_ledger_change_blocks(env->ledger, NULL), 1);
	commit(env);
	for (size_t i = 0; i < KH_ARRAY_SIZE(acts); i++) {
		act(env, "push");
		if (acts[i].monitor)
			put_monitor(env, letter, acts[i].value, acts[i].expires);
		else
			put(env, letter, acts[i].value, acts[i].state, acts[i].expires);
		if (kh_ledger_change_blocks(env->ledger, NULL) != acts[i].blocks)
			fail_msg("act %zu", i);
		kh_ledger_rollback(env->ledger);
	}
	act(env, "allow");
	put_allow(env, "203.0.113.1", 0, true);
	assert_int_equal(blocks(env), 0);
	withdrawn = act(env, "unblock");
	put(env, letter, "203.0.113.4", KH_ORDER_WITHDRAWN, 0);
	commit(env);
	act(env, "undo");
	assert_int_equal(kh_ledger_undo(env->ledger, withdrawn, &withdrawn, &(struct kh_undo_result){}, NULL), 0);
	assert_int_equal(blocks(env), 1); /* it brings it back */
	act(env, "undo");
	assert_int_equal(kh_ledger_undo(env->ledger, 1, &withdrawn, &(struct kh_undo_result){}, NULL), 0);
	assert_int_equal(blocks(env), 0); /* it takes all away */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_push_is_undone_exactly),
		CASE(rows_made_and_rows_changed_between_them_are_told_apart),
		CASE(what_one_change_made_and_expired_is_gone_with_it),
		CASE(doing_again_what_stood_on_something_undone_is_skipped),
		CASE(what_a_later_change_touched_stays),
		CASE(changes_are_taken_back_one_after_the_other),
		CASE(a_row_made_anew_is_not_the_undone_ones),
		CASE(wrong_numbers_are_named),
		CASE(the_newest_is_a_persons_and_touched_something),
		CASE(history_comes_newest_first_in_pages),
		CASE(two_changes_in_one_transaction_keep_apart),
		CASE(a_thousand_rows_made_cost_one_row_of_the_past),
		CASE(what_a_change_blocks_is_what_drops_longer_than_before),
		CASE(random_histories_go_back_step_by_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
