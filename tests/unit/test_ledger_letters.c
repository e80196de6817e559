// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Letters, counts by state, expiry, allows, health: the rest of what people ask about.
 */
#include "ledger_help.h"

/* ---- Letters ------------------------------------------------------------------------------------- */

static int print_letter(const struct kh_letter_row *row, void *context)
{
	print(context, "%s %d\n", row->number, row->year);
	return 0;
}

static const char *letters_text(struct env *env, const char *ref)
{
	clear(env);
	assert_int_equal(kh_ledger_letters(env->ledger, ref, print_letter, env), 0);
	return env->text;
}

static void letters_are_found_by_what_people_type(void **state)
{
	struct env *env = *state;

	begin(env);
	put_letter(env, "298/VNCERT-ĐPƯC", "VNCERT", 2019, 10);
	put_letter(env, "81/VNCERT-ĐPƯC", "VNCERT", 2019, 11);
	put_letter(env, "8/CATTT-NCSC", NULL, 2020, 12);
	commit(env);
	assert_string_equal(letters_text(env, "298/vncert-dpuc"), "298/VNCERT-ĐPƯC 2019\n");
	assert_string_equal(letters_text(env, " 298 / VNCERT-ĐpưC "), "298/VNCERT-ĐPƯC 2019\n");
	assert_string_equal(letters_text(env, "29"), "298/VNCERT-ĐPƯC 2019\n");
	assert_string_equal(letters_text(env, "8"), "8/CATTT-NCSC 2020\n81/VNCERT-ĐPƯC 2019\n"); /* newest first */
	assert_string_equal(letters_text(env, "8/"), "8/CATTT-NCSC 2020\n");
	assert_string_equal(letters_text(env, "298/VNCERT-ĐPƯC-2"), "");
	assert_string_equal(letters_text(env, ""), "");
	assert_string_equal(letters_text(env, "%"), "");
	assert_string_equal(letters_text(env, NULL), "8/CATTT-NCSC 2020\n81/VNCERT-ĐPƯC 2019\n298/VNCERT-ĐPƯC 2019\n");
}

static int print_value(const struct kh_order_row *row, void *context)
{
	print(context, "%s %s%s\n", row->value, row->indicator.text, row->indicator.subdomains ? " and below" : "");
	return 0;
}

/* "c2.example" and "*.c2.example" are two orders; each is found by what a person types. */
static void a_name_and_all_below_it_are_kept_apart(void **state)
{
	struct env *env = *state;
	struct kh_order_filter filter = { .state = -1 };
	int64_t letter;

	act(env, "push");
	letter = put_letter(env, "1/A", NULL, 2020, 10);
	assert_int_equal(put(env, letter, "c2.example", KH_ORDER_UNENFORCEABLE, 0), 1);
	assert_int_equal(put(env, letter, "*.c2.example", KH_ORDER_UNENFORCEABLE, 0), 1);
	assert_int_equal(put(env, letter, "*.c2.example", KH_ORDER_UNENFORCEABLE, 0), 0);
	commit(env);
	clear(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &filter, print_value, env), 0);
	assert_string_equal(env->text, "c2.example c2.example\n*.c2.example c2.example and below\n");
	filter.value = "*.c2.example";
	clear(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &filter, print_value, env), 0);
	assert_string_equal(env->text, "*.c2.example c2.example and below\n");
}

static void an_exact_number_wins_over_longer_ones(void **state)
{
	struct env *env = *state;

	begin(env);
	put_letter(env, "12/NCSC", NULL, 2020, 10);
	put_letter(env, "12/NCSC-A", NULL, 2020, 11);
	commit(env);
	assert_string_equal(letters_text(env, "12/ncsc"), "12/NCSC 2020\n");
	assert_string_equal(letters_text(env, "12/ncs"), "12/NCSC-A 2020\n12/NCSC 2020\n");
}

static void a_number_starts_again_each_year(void **state)
{
	struct env *env = *state;
	int64_t old, new;

	begin(env);
	old = put_letter(env, "5/NCSC", "Cục ATTT", 2019, 10);
	new = put_letter(env, "5/NCSC", "Cục ATTT", 2020, 11);
	assert_true(old > KH_LETTER_BY_HAND && new > KH_LETTER_BY_HAND &&old != new);
	assert_int_equal(put_letter(env, "5/ncsc", "CỤC attt", 2019, 12), old);
	assert_int_not_equal(put_letter(env, "5/NCSC", "Bộ TTTT", 2019, 13), old);
	commit(env);
	assert_string_equal(letters_text(env, "5/ncsc(2020)"), "5/NCSC 2020\n");
	assert_string_equal(letters_text(env, "5/NCSC (2019)"), "5/NCSC 2019\n5/NCSC 2019\n");
	assert_string_equal(letters_text(env, "5/ncsc"), "5/NCSC 2019\n5/NCSC 2020\n5/NCSC 2019\n");
}

static int print_head(const struct kh_letter_row *row, void *context)
{
	print(context, "%s|%s|%s|%lld\n", row->date ? row->date : "-", row->issuer ? row->issuer : "-",
	      row->subject ? row->subject : "-", (long long)row->received);
	return 0;
}

static void a_later_file_completes_the_head_and_overwrites_nothing(void **state)
{
	struct env *env = *state;
	struct kh_letter first = { .number = "9/A", .date = "2020-01-02" },
			 second = { .number = "9/a", .date = "2021-01-01", .subject = "mã độc" };
	struct kh_letter nameless = { .subject = "x" };
	struct kh_error error = {};
	int64_t a, b, c = 77;

	begin(env);
	assert_ok(kh_ledger_letter_put(env->ledger, &first, 2020, 50, &a, &why));
	assert_ok(kh_ledger_letter_put(env->ledger, &second, 2020, 60, &b, &why));
	assert_int_equal(a, b);
	assert_int_equal(kh_ledger_letter_put(env->ledger, &nameless, 2020, 60, &c, &error), -EINVAL);
	assert_int_equal(c, 77);
	commit(env);
	clear(env);
	assert_int_equal(kh_ledger_letters(env->ledger, "9/a", print_head, env), 0);
	assert_string_equal(env->text, "2020-01-02|-|mã độc|50\n");
}

static int print_fact(const char *kind, const char *value, void *context)
{
	print(context, "%s %s\n", kind, value);
	return 0;
}

static void documents_and_facts_are_kept_once(void **state)
{
	struct env *env = *state;
	const uint8_t one[32] = { 1 }, two[32] = { 2 };
	int64_t a, b, loaded = -5;

	begin(env);
	a = put_letter(env, "1/A", NULL, 2020, 10);
	b = put_letter(env, "2/A", NULL, 2020, 10);
	assert_int_equal(kh_ledger_document_put(env->ledger, a, "x.txt", "text", one, 100, &loaded, NULL), 1);
	assert_int_equal(loaded, -5);
	assert_int_equal(kh_ledger_document_put(env->ledger, a, "y.txt", "text", one, 200, &loaded, NULL), 0);
	assert_int_equal(loaded, 100);
	assert_int_equal(kh_ledger_document_put(env->ledger, a, "x.txt", "text", two, 300, &loaded, NULL), 1);
	assert_int_equal(kh_ledger_document_put(env->ledger, b, "x.txt", "text", one, 400, &loaded, NULL), 1);
	assert_int_equal(kh_ledger_letter_fact(env->ledger, a, "cve", "CVE-2021-26855", NULL), 0);
	assert_int_equal(kh_ledger_letter_fact(env->ledger, a, "cve", "CVE-2020-0688", NULL), 0);
	assert_int_equal(kh_ledger_letter_fact(env->ledger, a, "cve", "CVE-2021-26855", NULL), 0);
	assert_int_equal(kh_ledger_letter_fact(env->ledger, b, "hash", "d41d8cd98f00b204e9800998ecf8427e", NULL), 0);
	commit(env);
	clear(env);
	assert_int_equal(kh_ledger_letter_facts(env->ledger, a, print_fact, env), 0);
	assert_string_equal(env->text, "cve CVE-2021-26855\ncve CVE-2020-0688\n");
}

/* ---- Counts -------------------------------------------------------------------------------------- */

static const char *counts_text(struct env *env)
{
	int64_t counts[KH_ORDER_STATE_COUNT], monitored;

	clear(env);
	assert_int_equal(kh_ledger_order_counts(env->ledger, counts, &monitored), 0);
	for (int i = 0; i < KH_ORDER_STATE_COUNT; i++)
		print(env, "%lld ", (long long)counts[i]);
	print(env, "m%lld", (long long)monitored);
	return env->text;
}

static int print_counts(const struct kh_letter_row *row, void *context)
{
	print(context, "%s e%lld m%lld r%lld x%lld u%lld z%lld\n", row->number, (long long)row->enforced,
	      (long long)row->monitored, (long long)row->review, (long long)row->refused, (long long)row->unenforceable,
	      (long long)row->ended);
	return 0;
}

static void indicators_count_once_by_their_strongest_state(void **state)
{
	struct env *env = *state;
	int64_t a, b;

	assert_string_equal(counts_text(env), "0 0 0 0 0 0 0 m0");
	act(env, "push");
	a = put_letter(env, "1/A", NULL, 2020, 1);
	b = put_letter(env, "2/B", NULL, 2020, 2);
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put_monitor(env, b, "203.0.113.1", 0); /* drop is stronger */
	put_monitor(env, a, "203.0.113.2", 0);
	put(env, b, "203.0.113.2", KH_ORDER_REVIEW, 0);
	put(env, a, "203.0.113.3", KH_ORDER_WITHDRAWN, 0);
	put(env, b, "203.0.113.3", KH_ORDER_REFUSED, 0);
	put(env, b, "c2.example", KH_ORDER_UNENFORCEABLE, 0);
	assert_string_equal(counts_text(env), "2 0 1 1 0 0 0 m1"); /* inside the transaction too */
	commit(env);
	assert_string_equal(counts_text(env), "2 0 1 1 0 0 0 m1");
	clear(env);
	assert_int_equal(kh_ledger_letters(env->ledger, NULL, print_counts, env), 0);
	assert_string_equal(env->text, "2/B e0 m1 r1 x1 u1 z0\n1/A e1 m1 r0 x0 u0 z1\n");

	act(env, "unblock");
	put(env, a, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	assert_string_equal(counts_text(env), "2 0 1 1 0 0 0 m2");
	kh_ledger_rollback(env->ledger);
	assert_string_equal(counts_text(env), "2 0 1 1 0 0 0 m1");
}

/* ---- Expiry -------------------------------------------------------------------------------------- */

static void what_has_passed_expires_and_nothing_else(void **state)
{
	struct env *env = *state;
	int64_t count;

	assert_int_equal(kh_ledger_next_deadline(env->ledger), 0);
	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 100);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 101);
	put(env, 1, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.4", KH_ORDER_REVIEW, 50);
	put_allow(env, "198.51.100.1", 90, true);
	put_allow(env, "198.51.100.2", 0, true);
	put_allow(env, "198.51.100.3", 40, false);
	commit(env);
	assert_int_equal(kh_ledger_next_deadline(env->ledger), 90);
	act(env, "expire");
	count = kh_ledger_expire(env->ledger, 89, NULL);
	assert_int_equal(count, 0);
	count = kh_ledger_expire(env->ledger, 100, NULL);
	assert_int_equal(count, 2);
	assert_int_equal(kh_ledger_expire(env->ledger, 100, NULL), 0);
	commit(env);
	assert_int_equal(kh_ledger_next_deadline(env->ledger), 101);
	assert_string_equal(
		query_text(env,
			   "SELECT value, state, o.since, change FROM orders o JOIN indicators i ON i.id = indicator"),
		"203.0.113.1|4|100|2\n203.0.113.2|0|1000|1\n203.0.113.3|0|1000|1\n203.0.113.4|1|1000|1\n");
	assert_string_equal(query_text(env, "SELECT value, active, since, change FROM allows"),
			    "198.51.100.1|0|100|2\n198.51.100.2|1|1000|1\n198.51.100.3|0|1000|1\n");
	assert_string_equal(query_text(env, "SELECT orders, allows FROM changes WHERE id = 2"), "1|1\n");
}

/* ---- Allows -------------------------------------------------------------------------------------- */

static int print_allow(const struct kh_allow_row *row, void *context)
{
	char text[KH_RANGE_TEXT];

	assert_string_equal(row->value, kh_range_format(&row->range, text));
	print(context, "%s %s %s %lld %lld %d\n", row->value, row->note, row->actor, (long long)row->since,
	      (long long)row->expires, row->active);
	return 0;
}

static const char *allows_text(struct env *env, bool active_only)
{
	clear(env);
	assert_int_equal(kh_ledger_allows(env->ledger, active_only, print_allow, env), 0);
	return env->text;
}

static void allows_are_kept_by_range(void **state)
{
	struct env *env = *state;
	struct kh_allow_row later = { .note = "hop", .actor = "nam", .since = 2000, .expires = 700, .active = true };
	struct kh_error error = {};

	act(env, "allow");
	assert_int_equal(put_allow(env, "203.0.113.0/24", 500, true), 1);
	assert_int_equal(put_allow(env, "203.0.113.0/24", 500, true), 0);
	assert_int_equal(put_allow(env, "203.0.113.0", 0, true), 1);
	assert_int_equal(put_allow(env, "2001:db8::1-2001:db8::4", 0, true), 1);
	assert_int_equal(put_allow(env, "203.0.113.0/24", 600, true), 1);
	commit(env);
	act(env, "disallow");
	assert_int_equal(put_allow(env, "203.0.113.0", 0, false), 1);
	commit(env);
	assert_string_equal(allows_text(env, true),
			    "203.0.113.0/24 hop nam 1000 600 1\n2001:db8::1-2001:db8::4 hop nam 1000 0 1\n");
	assert_string_equal(
		allows_text(env, false),
		"203.0.113.0/24 hop nam 1000 600 1\n203.0.113.0 hop nam 1000 0 0\n2001:db8::1-2001:db8::4 hop nam 1000 0 1\n");
	act(env, "allow");
	assert_int_equal(kh_range_parse("203.0.113.0", 11, &later.range), 0); /* again: since now */
	assert_int_equal(kh_ledger_allow_put(env->ledger, &later, NULL), 1);
	assert_int_equal(kh_range_parse("203.0.113.0/24", 14, &later.range), 0); /* extended: since then */
	assert_int_equal(kh_ledger_allow_put(env->ledger, &later, NULL), 1);
	later.range.last = 0;
	assert_int_equal(kh_ledger_allow_put(env->ledger, &later, &error), -EINVAL);
	commit(env);
	assert_string_equal(allows_text(env, true),
			    "203.0.113.0/24 hop nam 1000 700 1\n203.0.113.0 hop nam 2000 700 1\n"
			    "2001:db8::1-2001:db8::4 hop nam 1000 0 1\n");
}

/* ---- Health and facts ---------------------------------------------------------------------------- */

static void health_is_kept_in_intervals(void **state)
{
	struct env *env = *state;
	char name[32] = "unchanged";
	int64_t since = -1, value = -1;

	assert_int_equal(kh_ledger_health(env->ledger, name, sizeof(name), &since), -ENOENT);
	assert_string_equal(name, "unchanged");
	begin(env);
	assert_int_equal(kh_ledger_health_put(env->ledger, "protected", "", 100, NULL), 0);
	assert_int_equal(kh_ledger_health_put(env->ledger, "protected", "", 200, NULL), 0);
	assert_int_equal(kh_ledger_health_put(env->ledger, "degraded", "a", 300, NULL), 0);
	assert_int_equal(kh_ledger_health_put(env->ledger, "degraded", "b", 400, NULL), 0);
	assert_int_equal(kh_ledger_fact_get(env->ledger, "generation", &value), -ENOENT);
	assert_int_equal(kh_ledger_fact_put(env->ledger, "generation", 41, NULL), 0);
	assert_int_equal(kh_ledger_fact_put(env->ledger, "generation", 42, NULL), 0);
	commit(env);
	assert_int_equal(kh_ledger_health(env->ledger, name, sizeof(name), &since), 0);
	assert_string_equal(name, "degraded");
	assert_int_equal(since, 300);
	assert_string_equal(query_text(env, "SELECT since, state, problems FROM health"),
			    "100|protected|\n300|degraded|b\n");
	assert_int_equal(kh_ledger_fact_get(env->ledger, "generation", &value), 0);
	assert_int_equal(value, 42);
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(kh_order_state_name(KH_ORDER_ACTIVE), "active");
	assert_string_equal(kh_order_state_name(KH_ORDER_REJECTED), "rejected");
	assert_string_equal(kh_order_state_name(KH_ORDER_STATE_COUNT), "?");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(letters_are_found_by_what_people_type),
		CASE(a_name_and_all_below_it_are_kept_apart),
		CASE(an_exact_number_wins_over_longer_ones),
		CASE(a_number_starts_again_each_year),
		CASE(a_later_file_completes_the_head_and_overwrites_nothing),
		CASE(documents_and_facts_are_kept_once),
		CASE(indicators_count_once_by_their_strongest_state),
		CASE(what_has_passed_expires_and_nothing_else),
		CASE(allows_are_kept_by_range),
		CASE(health_is_kept_in_intervals),
		cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
