// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orders: what is written is what is read, by every way of asking for it.
 */
#include "ledger_help.h"

/* ---- Orders -------------------------------------------------------------------------------------- */

static int check_row(const struct kh_order_row *row, void *context)
{
	int64_t *change = context;

	assert_string_equal(row->value, "203.0.113.7:443/tcp");
	assert_string_equal(row->number, "1/A");
	assert_int_equal(row->indicator.type, KH_TYPE_ADDRESS_PORT);
	assert_true(row->indicator.range.first == 0xcb007107 && row->indicator.range.last == 0xcb007107 &&
		    row->indicator.range.family == 4);
	assert_int_equal(row->indicator.port, 443);
	assert_int_equal(row->indicator.protocol, 6);
	assert_null(row->indicator.text);
	assert_int_equal(row->state, KH_ORDER_REVIEW);
	assert_int_equal(row->action, KH_ACTION_MONITOR);
	assert_int_equal(row->decision, KH_REVIEW);
	assert_int_equal(row->reason, KH_WHY_SHARED);
	assert_string_equal(row->rule, "cdn.list:4");
	assert_string_equal(row->note, "Ghi chú");
	assert_string_equal(row->raw, "203[.]0[.]113[.]7:443");
	assert_string_equal(row->file, "phụ lục.xlsx");
	assert_int_equal(row->page, 3);
	assert_int_equal(row->line, 12);
	assert_int_equal(row->section, KH_SECTION_ANNEX);
	assert_int_equal(row->since, 5000);
	assert_int_equal(row->expires, 9000);
	assert_int_equal(row->change, *change);
	assert_int_equal(row->slot, 0);
	assert_int_equal(row->packets + row->bytes + row->first_seen + row->last_seen, 0);
	*change = -1;
	return 0;
}

static void an_order_is_read_as_it_was_written(void **state)
{
	struct env *env = *state;
	int64_t change = act(env, "push"), letter = put_letter(env, "1/A", NULL, 2020, 1);
	struct kh_order_row row = order_of("203.0.113.7:443/tcp", letter);

	row.state = KH_ORDER_REVIEW;
	row.action = KH_ACTION_MONITOR;
	row.decision = KH_REVIEW;
	row.reason = KH_WHY_SHARED;
	row.rule = "cdn.list:4";
	row.note = "Ghi chú";
	row.raw = "203[.]0[.]113[.]7:443";
	row.file = "phụ lục.xlsx";
	row.page = 3;
	row.line = 12;
	row.section = KH_SECTION_ANNEX;
	row.since = 5000;
	row.expires = 9000;
	assert_int_equal(put_row(env, &row), 1);
	commit(env);
	reopen(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &(struct kh_order_filter){ .state = -1 }, check_row, &change),
			 0);
	assert_int_equal(change, -1);
}

static int print_raw(const struct kh_order_row *row, void *context)
{
	print(context, "%s<%s><%s>\n", row->value, row->raw, row->rule);
	return 0;
}

static void every_type_of_value_comes_back(void **state)
{
	static const char *const values[] = {
		"0.0.0.0",
		"255.255.255.255",
		"203.0.113.0/24",
		"0.0.0.0/0",
		"203.0.113.1-203.0.113.9",
		"203.0.113.7:443",
		"203.0.113.7:53/udp",
		"::",
		"2001:db8::1",
		"2001:db8::/32",
		"::/0",
		"2001:db8::1-2001:db8::9",
		"[2001:db8::1]:443/udp",
		"c2.example",
		"http://c2.example/a?b=%20",
	};
	struct env *env = *state;
	char expected[2048] = "";

	act(env, "push");
	for (size_t i = 0; i < KH_ARRAY_SIZE(values); i++) {
		assert_int_equal(put(env, 1, values[i], KH_ORDER_ACTIVE, 0), 1);
		snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "%s<%s><>\n", values[i],
			 values[i]);
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(values); i++)
		assert_int_equal(put(env, 1, values[i], KH_ORDER_ACTIVE, 0), 0);
	commit(env);
	assert_string_equal(query_text(env, "SELECT count(*) FROM orders WHERE raw IS NOT NULL"),
			    "0\n"); /* not stored twice */
	clear(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &(struct kh_order_filter){ .state = -1 }, print_raw, env), 0);
	assert_string_equal(env->text, expected);
	for (size_t i = 0; i < KH_ARRAY_SIZE(values); i++) {
		snprintf(expected, sizeof(expected), "%s - active drop 0\n", values[i]);
		assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1, .value = values[i] }),
				    expected);
	}
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1, .value = "203.0.113.8" }), "");
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1, .value = "no such \x01 value" }),
			    "");
}

static void nothing_written_is_not_the_value_itself(void **state)
{
	struct env *env = *state;
	struct kh_order_row row = order_of("203.0.113.7", 1);

	act(env, "push");
	assert_int_equal(put_row(env, &row), 1);
	row.raw = "";
	assert_int_equal(put_row(env, &row), 1);
	commit(env);
	clear(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &(struct kh_order_filter){ .state = -1 }, print_raw, env), 0);
	assert_string_equal(env->text, "203.0.113.7<><>\n");
}

/* What no code of ours writes; the file may be sound as a database all the same. */
static void senseless_numbers_are_damage(void **state)
{
	static const char *const damages[] = {
		"UPDATE orders SET state = 7",
		"UPDATE orders SET state = -1",
		"UPDATE orders SET action = 2",
		"UPDATE orders SET decision = 4",
		"UPDATE orders SET reason = 999",
		"UPDATE orders SET section = -3",
		"UPDATE indicators SET key = x''",
		"UPDATE indicators SET key = x'20cb'",
		"UPDATE indicators SET key = x'20cb00710700000000'",
		"UPDATE indicators SET key = x'18cb007107cb007106'",
		"UPDATE indicators SET key = x'fa61'",
	};
	struct env *env = *state;

	act(env, "push");
	put(env, 1, "203.0.113.7", KH_ORDER_ACTIVE, 0);
	commit(env);
	for (size_t i = 0; i < KH_ARRAY_SIZE(damages); i++) {
		const struct kh_order_filter all = { .state = -1 };

		assert_int_equal(sqlite3_exec(env->ledger->db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_exec(env->ledger->db, damages[i], NULL, NULL, NULL), SQLITE_OK);
		clear(env);
		if (kh_ledger_orders(env->ledger, &all, print_order, env) != -EUCLEAN)
			fail_msg("overlooked: %s", damages[i]);
		assert_string_equal(env->text, "");
		assert_int_equal(sqlite3_exec(env->ledger->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	}
}

static void an_unknown_value_is_kept_as_written(void **state)
{
	struct env *env = *state;
	struct kh_order_row row = { .letter = 1, .state = KH_ORDER_REVIEW, .raw = "", .since = 1 };

	act(env, "push");
	row.indicator.type = KH_TYPE_UNKNOWN;
	row.indicator.text = (char *)"1.2.3.4.5";
	assert_int_equal(put_row(env, &row), 1);
	commit(env);
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1, .value = "1.2.3.4.5" }),
			    "1.2.3.4.5 - review drop 0\n");
	clear(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &(struct kh_order_filter){ .state = -1 }, print_raw, env), 0);
	assert_string_equal(env->text, "1.2.3.4.5<><>\n");
}

static int print_since(const struct kh_order_row *row, void *context)
{
	print(context, "%s %lld %lld\n", kh_order_state_name(row->state), (long long)row->since,
	      (long long)row->change);
	return 0;
}

static void an_order_lives_through_its_states(void **state)
{
	struct env *env = *state;
	const struct kh_order_filter all = { .state = -1 };
	struct kh_order_row row = order_of("203.0.113.7", 1);
	int64_t first = act(env, "push"), second;

	row.state = KH_ORDER_REVIEW;
	assert_int_equal(put_row(env, &row), 1);
	commit(env);
	act(env, "push");
	row.since = 2000; /* the same again, later: as it was */
	assert_int_equal(put_row(env, &row), 0);
	commit(env);
	clear(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &all, print_since, env), 0);
	assert_int_equal(first, 1);
	assert_string_equal(env->text, "review 1000 1\n");

	second = act(env, "accept");
	row.state = KH_ORDER_ACTIVE;
	row.since = 3000;
	assert_int_equal(put_row(env, &row), 1);
	row.note = "changed in the same state";
	row.since = 4000;
	assert_int_equal(put_row(env, &row), 1);
	commit(env);
	assert_int_equal(second, 3);
	clear(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &all, print_since, env), 0);
	assert_string_equal(env->text, "active 3000 3\n");
	assert_string_equal(query_text(env, "SELECT id, orders, allows FROM changes"), "1|1|0\n2|0|0\n3|1|0\n");
}

static void wrong_orders_are_refused(void **state)
{
	struct env *env = *state;
	struct kh_order_row row = order_of("203.0.113.7", 1), bad;
	struct kh_error error = {};

	act(env, "push");
	bad = row, bad.state = KH_ORDER_STATE_COUNT;
	assert_int_equal(kh_ledger_order_put(env->ledger, &bad, &error), -EINVAL);
	bad = row, bad.letter = 0;
	assert_int_equal(kh_ledger_order_put(env->ledger, &bad, &error), -EINVAL);
	bad = row, bad.indicator.range.first = 9, bad.indicator.range.last = 8;
	assert_int_equal(kh_ledger_order_put(env->ledger, &bad, &error), -EINVAL);
	bad = row, bad.indicator.range.last = (kh_u128)1 << 32;
	assert_int_equal(kh_ledger_order_put(env->ledger, &bad, &error), -EINVAL);
	bad = row, bad.indicator.type = KH_TYPE_DOMAIN;
	assert_int_equal(kh_ledger_order_put(env->ledger, &bad, &error), -EINVAL);
	assert_int_equal(put_row(env, &row), 1); /* the transaction is none the worse */
	commit(env);
}

static void an_order_of_no_letter_fails_the_whole_push(void **state)
{
	struct env *env = *state;
	struct kh_order_row row = order_of("203.0.113.8", 99);
	struct kh_error error = {};

	act(env, "push");
	put(env, 1, "203.0.113.7", KH_ORDER_ACTIVE, 0);
	assert_int_equal(kh_ledger_order_put(env->ledger, &row, &error), -EINVAL); /* foreign key */
	row.letter = 1;
	assert_int_equal(kh_ledger_order_put(env->ledger, &row, &error), -EINVAL); /* from now on nothing goes */
	assert_int_equal(kh_ledger_commit(env->ledger, &error), -EINVAL);
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1 }), "");
	act(env, "push");
	put(env, 1, "203.0.113.7", KH_ORDER_ACTIVE, 0);
	commit(env);
	assert_string_equal(query_text(env, "SELECT id FROM changes"), "1\n"); /* no gap */
}

static void filters_choose(void **state)
{
	struct env *env = *state;
	int64_t a, b;

	act(env, "push");
	a = put_letter(env, "1/A", NULL, 2020, 1);
	b = put_letter(env, "2/B", NULL, 2020, 1);
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, a, "203.0.113.2", KH_ORDER_REVIEW, 0);
	put(env, b, "203.0.113.1", KH_ORDER_ACTIVE, 500);
	put(env, b, "203.0.113.3", KH_ORDER_ACTIVE, 900);
	put(env, b, "203.0.113.4", KH_ORDER_EXPIRED, 100);
	commit(env);
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1, .letter = a }),
			    "203.0.113.1 1/A active drop 0\n203.0.113.2 1/A review drop 0\n");
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = KH_ORDER_REVIEW }),
			    "203.0.113.2 1/A review drop 0\n");
	assert_string_equal(
		orders_text(env, (struct kh_order_filter){ .state = KH_ORDER_ACTIVE, .value = "203.0.113.1" }),
		"203.0.113.1 1/A active drop 0\n203.0.113.1 2/B active drop 500\n");
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1, .expires_before = 900 }),
			    "203.0.113.1 2/B active drop 500\n");
	assert_string_equal(
		orders_text(env, (struct kh_order_filter){ .state = -1, .expires_before = 901, .letter = b }),
		"203.0.113.1 2/B active drop 500\n203.0.113.3 2/B active drop 900\n");
}

struct page {
	struct env *env;
	int64_t last;
	int rows;
};

static int on_page(const struct kh_order_row *row, void *context)
{
	struct page *page = context;

	assert_true(row->id > page->last);
	page->last = row->id;
	page->rows++;
	print(page->env, "%s ", row->value);
	return 0;
}

static void pages_give_each_row_once(void **state)
{
	struct env *env = *state;
	struct page page = { .env = env };
	int pages = 0;

	act(env, "push");
	for (int i = 1; i <= 10; i++) {
		char value[32];

		snprintf(value, sizeof(value), "203.0.113.%d", i);
		put(env, 1, value, KH_ORDER_ACTIVE, 0);
	}
	commit(env);
	clear(env);
	do {
		page.rows = 0;
		assert_int_equal(kh_ledger_orders(env->ledger,
						  &(struct kh_order_filter){
							  .state = -1, .letter = 1, .after = page.last, .limit = 4 },
						  on_page, &page),
				 0);
		pages += page.rows > 0;
	} while (page.rows);
	assert_int_equal(pages, 3);
	assert_string_equal(
		env->text,
		"203.0.113.1 203.0.113.2 203.0.113.3 203.0.113.4 203.0.113.5 203.0.113.6 203.0.113.7 203.0.113.8 "
		"203.0.113.9 203.0.113.10 ");
}

static int stop_at_once(const struct kh_order_row *row, void *context)
{
	(void)row;
	++*(int *)context;
	return -E2BIG;
}

static void a_callback_can_stop(void **state)
{
	struct env *env = *state;
	int rows = 0;

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	commit(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &(struct kh_order_filter){ .state = -1 }, stop_at_once, &rows),
			 -E2BIG);
	assert_int_equal(rows, 1);
}

/* ---- Overlaps ------------------------------------------------------------------------------------ */

static const char *overlaps_text(struct env *env, const char *text)
{
	struct kh_range range;

	assert_int_equal(kh_range_parse(text, strlen(text), &range), 0);
	return orders_text(env, (struct kh_order_filter){ .state = -1, .overlaps = &range });
}

static void overlaps_by_example(void **state)
{
	struct env *env = *state;

	act(env, "push");
	put(env, 1, "0.0.0.0/0", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.0/24", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.7:443/tcp", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.112.250-203.0.113.3", KH_ORDER_ACTIVE, 0);
	put(env, 1, "::/0", KH_ORDER_ACTIVE, 0);
	put(env, 1, "2001:db8::/32", KH_ORDER_ACTIVE, 0);
	put(env, 1, "c2.example", KH_ORDER_UNENFORCEABLE, 0);
	commit(env);
	assert_string_equal(overlaps_text(env, "203.0.113.7"),
			    "0.0.0.0/0 - active drop 0\n203.0.113.0/24 - active drop 0\n"
			    "203.0.113.7:443/tcp - active drop 0\n");
	assert_string_equal(overlaps_text(env, "203.0.113.3"),
			    "0.0.0.0/0 - active drop 0\n203.0.113.0/24 - active drop 0\n"
			    "203.0.112.250-203.0.113.3 - active drop 0\n");
	assert_string_equal(overlaps_text(env, "203.0.112.0/24"),
			    "0.0.0.0/0 - active drop 0\n203.0.112.250-203.0.113.3 - active drop 0\n");
	assert_string_equal(overlaps_text(env, "2001:db9::1"), "::/0 - active drop 0\n");
	assert_string_equal(overlaps_text(env, "2001:db8::1"), "::/0 - active drop 0\n2001:db8::/32 - active drop 0\n");
}

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 11) % limit);
}

/* Few bits, spread over the whole width, so that ranges meet often and at every prefix length. */
static struct kh_range random_range(uint8_t family)
{
	struct kh_range range = { .family = family };
	unsigned int bits = family == 4 ? 32 : 128;
	kh_u128 a = 0, b = 0;

	for (unsigned int i = 0; i < 6; i++) {
		unsigned int at = random_below(bits);

		a |= (kh_u128)random_below(2) << at;
		b |= (kh_u128)random_below(2) << at;
	}
	if (random_below(3) == 0)
		return kh_range_of_prefix(a, (uint8_t)random_below(bits + 1), family);
	if (random_below(2))
		b = a;
	range.first = a < b ? a : b;
	range.last = a < b ? b : a;
	return range;
}

struct naive {
	struct kh_range ranges[400];
	bool present[400], found[400];
	size_t count;
};

static int on_overlap(const struct kh_order_row *row, void *context)
{
	struct naive *naive = context;

	for (size_t i = 0; i < naive->count; i++)
		if (!kh_range_compare(&naive->ranges[i], &row->indicator.range)) {
			assert_false(naive->found[i]);
			naive->found[i] = true;
			return 0;
		}
	fail_msg("%s was never written", row->value);
	return 0;
}

static void random_overlaps_agree_with_a_naive_scan(void **state)
{
	struct env *env = *state;
	struct naive naive = {};

	seed = 88172645463325252u;
	act(env, "push");
	while (naive.count < KH_ARRAY_SIZE(naive.ranges)) {
		struct kh_order_row row = { .letter = 1, .raw = "x", .since = 1 };

		row.indicator.range = random_range(random_below(2) ? 4 : 6);
		row.indicator.type = row.indicator.range.first == row.indicator.range.last ? KH_TYPE_ADDRESS
				     : kh_range_prefix_length(&row.indicator.range) >= 0   ? KH_TYPE_PREFIX
											   : KH_TYPE_RANGE;
		if (put_row(env, &row) == 1)
			naive.ranges[naive.count++] = row.indicator.range;
	}
	commit(env);
	for (int i = 0; i < 400; i++) {
		struct kh_range range = random_range(random_below(2) ? 4 : 6);

		memset(naive.found, 0, sizeof(naive.found));
		assert_int_equal(kh_ledger_orders(env->ledger,
						  &(struct kh_order_filter){ .state = -1, .overlaps = &range },
						  on_overlap, &naive),
				 0);
		for (size_t j = 0; j < naive.count; j++)
			assert_int_equal(naive.found[j], kh_range_overlaps(&naive.ranges[j], &range));
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_order_is_read_as_it_was_written),
		CASE(every_type_of_value_comes_back),
		CASE(nothing_written_is_not_the_value_itself),
		CASE(senseless_numbers_are_damage),
		CASE(an_unknown_value_is_kept_as_written),
		CASE(an_order_lives_through_its_states),
		CASE(wrong_orders_are_refused),
		CASE(an_order_of_no_letter_fails_the_whole_push),
		CASE(filters_choose),
		CASE(pages_give_each_row_once),
		CASE(a_callback_can_stop),
		CASE(overlaps_by_example),
		CASE(random_overlaps_agree_with_a_naive_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
