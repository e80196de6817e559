// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes that wait for confirmation: the deadline that packets see, what goes on beside it, how the waiting ends, and what is kept over a restart.
 */
#include "ledger_help.h"

#define assert_state(env, expected)                  \
	do {                                         \
		char *now_ = whole_state(env);       \
		assert_string_equal(now_, expected); \
		free(now_);                          \
	} while (0)

/* A change that waits until then. */
static int64_t act_until(struct env *env, const char *kind, int64_t until)
{
	int64_t change = act(env, kind);

	assert_ok(kh_ledger_unconfirmed_put(env->ledger, until, &why));
	return change;
}

static int print_waiting(const struct kh_unconfirmed *row, void *context)
{
	print(context, "%lld %s %s until %lld", (long long)row->change, row->kind, row->actor, (long long)row->until);
	if (row->held_by)
		print(context, " held by %lld", (long long)row->held_by);
	print(context, "\n");
	return 0;
}

static const char *waiting_text(struct env *env)
{
	clear(env);
	assert_int_equal(kh_ledger_unconfirmed(env->ledger, print_waiting, env), 0);
	return env->text;
}

static void undo(struct env *env, int64_t change, int64_t restored, int64_t skipped)
{
	struct kh_undo_result result;
	int64_t undone;

	act(env, "undo");
	assert_ok(kh_ledger_undo(env->ledger, change, &undone, &result, &why));
	commit(env);
	assert_int_equal(result.restored, restored);
	assert_int_equal(result.skipped, skipped);
}

static void confirm(struct env *env, int64_t change)
{
	act(env, "confirm");
	assert_int_equal(kh_ledger_unconfirmed_confirm(env->ledger, change, NULL), 1);
	assert_int_equal(kh_ledger_unconfirmed_confirm(env->ledger, change, NULL), 0);
	commit(env);
}

static void the_earlier_end_is_what_packets_see(void **state)
{
	struct env *env = *state;

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	act_until(env, "push", 500);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.3", KH_ORDER_ACTIVE, 400);
	put(env, 1, "203.0.113.4", KH_ORDER_ACTIVE, 900);
	put(env, 1, "203.0.113.5", KH_ORDER_REVIEW, 0);
	/* before it commits, too: that is what the new generation is made of */
	assert_string_equal(force_text(env, 1, 1), "1 203.0.113.1 drop 0 fresh\n2 203.0.113.2 drop 500 fresh\n"
						   "3 203.0.113.3 drop 400 fresh\n4 203.0.113.4 drop 500 fresh\n");
	commit(env);
	reopen(env);
	assert_string_equal(force_now(env, 1, 1), "1 203.0.113.1 drop 0\n2 203.0.113.2 drop 500\n"
						  "3 203.0.113.3 drop 400\n4 203.0.113.4 drop 500\n");
	assert_string_equal(waiting_text(env), "2 push nam until 500\n");
	assert_int_equal(kh_ledger_unconfirmed_next(env->ledger), 500);
	assert_int_equal(kh_ledger_unconfirmed_until(env->ledger, 1), 0);
	/* what was asked for stays as it was asked */
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = KH_ORDER_ACTIVE }),
			    "203.0.113.1 - active drop 0\n203.0.113.2 - active drop 0\n"
			    "203.0.113.3 - active drop 400\n203.0.113.4 - active drop 900\n");
	confirm(env, 2);
	assert_string_equal(force_now(env, 1, 1), "1 203.0.113.1 drop 0\n2 203.0.113.2 drop 0\n"
						  "3 203.0.113.3 drop 400\n4 203.0.113.4 drop 900\n");
	assert_string_equal(waiting_text(env), "");
	assert_int_equal(kh_ledger_unconfirmed_next(env->ledger), 0);
}

static void what_it_replaced_goes_on(void **state)
{
	struct env *env = *state;

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 800); /* in force before */
	put_monitor(env, 1, "203.0.113.2", 0); /* counted before */
	put(env, 1, "203.0.113.3", KH_ORDER_WITHDRAWN, 0);
	put(env, 1, "203.0.113.4", KH_ORDER_ACTIVE, 0);
	commit(env);
	act_until(env, "enforce", 500);
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	put_monitor(env, 1, "203.0.113.4", 0); /* milder: dropping must not go on beside it */
	commit(env);
	assert_string_equal(
		force_now(env, 1, 1),
		"1 203.0.113.1 drop 800 fresh\n2 203.0.113.2 drop 500 fresh\n2 203.0.113.2 monitor 0 fresh\n"
		"3 203.0.113.3 drop 500 fresh\n4 203.0.113.4 monitor 500 fresh\n");
	/* and through two that wait */
	act_until(env, "extend", 700);
	put(env, 1, "203.0.113.3", KH_ORDER_ACTIVE, 9000);
	commit(env);
	assert_string_equal(force_now(env, 1, 1),
			    "1 203.0.113.1 drop 800\n2 203.0.113.2 drop 500\n2 203.0.113.2 monitor 0\n"
			    "3 203.0.113.3 drop 700\n4 203.0.113.4 monitor 500\n");
	/* another letter's order stands by itself */
	act(env, "push");
	put(env, put_letter(env, "1/A", NULL, 2020, 1), "203.0.113.3", KH_ORDER_ACTIVE, 0);
	commit(env);
	assert_string_equal(force_now(env, 1, 1),
			    "1 203.0.113.1 drop 800\n2 203.0.113.2 drop 500\n2 203.0.113.2 monitor 0\n"
			    "3 203.0.113.3 drop 0\n4 203.0.113.4 monitor 500\n");
}

static void an_undo_ends_the_waiting(void **state)
{
	struct env *env = *state;
	struct kh_confirmation ended;
	char *before = whole_state(env), *after;

	act_until(env, "push", 500);
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	after = whole_state(env);
	assert_int_equal(kh_ledger_confirmation(env->ledger, 0, &ended), 0);
	assert_int_equal(kh_ledger_confirmation(env->ledger, 1, &ended), 1);
	assert_int_equal(ended.ended_by, 0);
	undo(env, 1, 1, 0);
	assert_string_equal(waiting_text(env), "");
	assert_state(env, before);
	assert_int_equal(kh_ledger_confirmation(env->ledger, 0, &ended), 1);
	assert_int_equal(ended.change, 1);
	assert_int_equal(ended.ended_by, 2);
	assert_int_equal(ended.ended, 1000);
	assert_false(ended.confirmed);
	undo(env, 2, 1, 0); /* done again by a person: it stays */
	assert_state(env, after);
	assert_string_equal(force_now(env, 1, 1), "1 203.0.113.1 drop 0 fresh\n");
	assert_string_equal(waiting_text(env), "");
	assert_int_equal(kh_ledger_confirmation(env->ledger, 7, &ended), 0);
	free(before);
	free(after);
}

static void one_that_was_written_over_waits_for_the_other(void **state)
{
	struct env *env = *state;
	char *before = whole_state(env);

	act_until(env, "push", 500);
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	commit(env);
	act_until(env, "block", 900);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 2000);
	commit(env);
	act_until(env, "block", 700);
	put(env, 1, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	commit(env);
	assert_string_equal(waiting_text(env),
			    "1 push nam until 500 held by 2\n2 block nam until 900\n3 block nam until 700\n");
	assert_string_equal(
		force_now(env, 1, 1),
		"1 203.0.113.1 drop 500 fresh\n2 203.0.113.2 drop 900 fresh\n3 203.0.113.3 drop 700 fresh\n");
	undo(env, 3, 1, 0);
	undo(env, 2, 1, 0);
	assert_string_equal(waiting_text(env), "1 push nam until 500\n");
	assert_string_equal(force_now(env, 1, 1), "1 203.0.113.1 drop 500\n2 203.0.113.2 drop 500\n");
	undo(env, 1, 2, 0);
	assert_state(env, before);
	free(before);
}

static void a_later_change_without_it_stays(void **state)
{
	struct env *env = *state;

	act_until(env, "push", 500);
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	commit(env);
	act(env, "extend");
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 2000);
	commit(env);
	assert_string_equal(waiting_text(env), "1 push nam until 500\n");
	assert_string_equal(force_now(env, 1, 1), "1 203.0.113.1 drop 500 fresh\n2 203.0.113.2 drop 2000 fresh\n");
	undo(env, 1, 1, 1);
	assert_string_equal(waiting_text(env), "");
	assert_string_equal(force_now(env, 1, 1), "2 203.0.113.2 drop 2000\n");
}

static int put_list(struct env *env, int64_t letter, int64_t expires, enum kh_action action)
{
	const struct kh_order_row terms = {
		.letter = letter, .since = 1000, .expires = expires, .action = action, .note = "", .file = "list.txt"
	};
	struct kh_bulk bulk = {};
	size_t made = 0, unchanged = 0;

	for (uint32_t i = 1; i <= 3; i++) {
		struct kh_range range = { .first = 0xcb007100 + i, .last = 0xcb007100 + i, .family = 4 };

		assert_int_equal(kh_bulk_add(&bulk, &range, i), 0);
	}
	assert_int_equal(kh_bulk_sort(&bulk), 0);
	assert_ok(kh_ledger_bulk_put(env->ledger, &terms, &bulk, NULL, NULL, &made, &unchanged, &why));
	kh_bulk_clear(&bulk);
	return (int)made;
}

static void long_lists_end_the_same_way(void **state)
{
	struct env *env = *state;
	struct kh_order_row terms = { .letter = 1, .since = 1000, .expires = 300, .note = "" };

	act_until(env, "push", 500);
	assert_int_equal(put_list(env, 1, 0, KH_ACTION_DROP), 3);
	assert_string_equal(force_text(env, 1, 1),
			    "65536 203.0.113.1 drop 500 fresh\n65537 203.0.113.2 drop 500 fresh\n"
			    "65538 203.0.113.3 drop 500 fresh\n");
	commit(env);
	act_until(env, "block", 400); /* one of them by itself, over the list */
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	commit(env);
	assert_string_equal(waiting_text(env), "1 push nam until 500 held by 2\n2 block nam until 400\n");
	undo(env, 2, 1, 0);
	confirm(env, 1);
	act_until(env, "extend", 350); /* changed as a whole: what it was goes on */
	assert_int_equal(kh_ledger_bulk_change(env->ledger, 1, &terms, NULL), 2);
	commit(env);
	force_now(env, 1, 1);
	assert_non_null(strstr(env->text, "203.0.113.1 drop 0\n"));
	undo(env, 5, 2, 0);
	assert_string_equal(waiting_text(env), "");
}

static void a_clock_that_is_set_changes_no_waiting(void **state)
{
	struct env *env = *state;

	act_until(env, "push", 500);
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	act_until(env, "push", 900);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	commit(env);
	confirm(env, 2);
	begin(env);
	assert_int_equal(kh_ledger_unconfirmed_shift(env->ledger, 0, -450, NULL), 1);
	commit(env);
	assert_string_equal(waiting_text(env), "1 push nam until 50\n");
	assert_string_equal(force_now(env, 1, 1), "1 203.0.113.1 drop 50 fresh\n2 203.0.113.2 drop 0 fresh\n");
	begin(env);
	assert_int_equal(kh_ledger_unconfirmed_shift(env->ledger, 0, 1000, NULL), 1);
	assert_int_equal(kh_ledger_unconfirmed_next(env->ledger), 1050);
	kh_ledger_rollback(env->ledger); /* nothing that was not committed is believed */
	assert_int_equal(kh_ledger_unconfirmed_next(env->ledger), 50);
}

static void a_clock_that_was_wrong_moves_what_it_gave(void **state)
{
	struct env *env = *state;

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 500);
	put_monitor(env, 1, "203.0.113.2", 0);
	commit(env);
	act_until(env, "push", 700);
	put(env, 1, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	commit(env);
	assert_int_equal(kh_ledger_last_change(env->ledger), 2);
	/* from here on the clock is wrong */
	act_until(env, "push", 800);
	put(env, 1, "203.0.113.4", KH_ORDER_ACTIVE, 600);
	put(env, 1, "203.0.113.5", KH_ORDER_ACTIVE, 0);
	put_monitor(env, 1, "203.0.113.1", 500); /* its deadline is from before */
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 650); /* and this one is not */
	commit(env);
	begin(env);
	assert_int_equal(kh_ledger_deadlines_shift(env->ledger, 2, 1000, NULL), 2);
	assert_int_equal(kh_ledger_unconfirmed_shift(env->ledger, 2, 1000, NULL), 1);
	commit(env);
	assert_string_equal(
		orders_text(env, (struct kh_order_filter){ .state = KH_ORDER_ACTIVE }),
		"203.0.113.1 - active monitor 500\n203.0.113.2 - active drop 1650\n203.0.113.3 - active drop 0\n"
		"203.0.113.4 - active drop 1600\n203.0.113.5 - active drop 0\n");
	assert_string_equal(waiting_text(env), "2 push nam until 700\n3 push nam until 1800\n");
}

static void a_clock_that_was_wrong_moves_long_lists(void **state)
{
	struct env *env = *state;
	struct kh_order_row terms = { .letter = 1, .since = 1000, .expires = 300, .note = "" };

	act(env, "push");
	assert_int_equal(put_list(env, 1, 0, KH_ACTION_DROP), 3);
	commit(env);
	act(env, "extend");
	assert_int_equal(kh_ledger_bulk_change(env->ledger, 1, &terms, NULL), 3);
	commit(env);
	begin(env);
	assert_int_equal(kh_ledger_deadlines_shift(env->ledger, 2, 1000, NULL), 0);
	assert_int_equal(kh_ledger_deadlines_shift(env->ledger, 1, 1000, NULL), 1);
	commit(env);
	force_now(env, 1, 1);
	assert_non_null(strstr(env->text, "203.0.113.1 drop 1300"));
	assert_int_equal(kh_ledger_next_deadline(env->ledger), 1300);
}

static int print_change(const struct kh_change *change, void *context)
{
	print(context, "%lld %lld %lld %d\n", (long long)change->id, (long long)change->confirm_until,
	      (long long)change->confirm_ended, change->confirmed);
	return 0;
}

static void the_history_tells_how_it_ended(void **state)
{
	struct env *env = *state;

	for (int i = 0; i < 3; i++) {
		act_until(env, "push", 500 + i);
		put(env, 1, (const char *[]){ "203.0.113.1", "203.0.113.2", "203.0.113.3" }[i], KH_ORDER_ACTIVE, 0);
		commit(env);
	}
	confirm(env, 1);
	undo(env, 2, 1, 0);
	reopen(env);
	clear(env);
	assert_int_equal(kh_ledger_changes(env->ledger, 0, print_change, env), 0);
	assert_string_equal(env->text, "5 0 0 0\n4 0 0 0\n3 502 0 0\n2 501 5 0\n1 500 4 1\n");
}

static void only_so_many_wait(void **state)
{
	struct env *env = *state;
	struct kh_error error = {};

	for (int i = 0; i < KH_UNCONFIRMED_MAX; i++) {
		act_until(env, "push", 500);
		commit(env);
	}
	act(env, "push");
	assert_int_equal(kh_ledger_unconfirmed_put(env->ledger, 500, &error), -ENOSPC);
	assert_true(error.text[0] && error.hint[0]);
	kh_ledger_rollback(env->ledger);
	confirm(env, 7);
	act_until(env, "push", 500);
	commit(env);
}

static int print_session(const char *connection, void *context)
{
	print(context, "%s\n", connection);
	return 0;
}

static void sessions_are_kept(void **state)
{
	struct env *env = *state;

	begin(env);
	assert_ok(kh_ledger_session_put(env->ledger, "203.0.113.7 51234 192.0.2.129 22", &why));
	assert_ok(kh_ledger_session_put(env->ledger, "203.0.113.7 51234 192.0.2.129 22", &why));
	assert_ok(kh_ledger_session_put(env->ledger, "203.0.113.8 51234 192.0.2.129 22", &why));
	assert_ok(kh_ledger_session_remove(env->ledger, "203.0.113.8 51234 192.0.2.129 22", &why));
	commit(env);
	reopen(env);
	clear(env);
	assert_int_equal(kh_ledger_sessions(env->ledger, print_session, env), 0);
	assert_string_equal(env->text, "203.0.113.7 51234 192.0.2.129 22\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_earlier_end_is_what_packets_see),
		CASE(what_it_replaced_goes_on),
		CASE(an_undo_ends_the_waiting),
		CASE(one_that_was_written_over_waits_for_the_other),
		CASE(a_later_change_without_it_stays),
		CASE(long_lists_end_the_same_way),
		CASE(a_clock_that_is_set_changes_no_waiting),
		CASE(a_clock_that_was_wrong_moves_what_it_gave),
		CASE(a_clock_that_was_wrong_moves_long_lists),
		CASE(the_history_tells_how_it_ended),
		CASE(only_so_many_wait),
		CASE(sessions_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
