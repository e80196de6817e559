// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows of sources: kept whole, told apart by name, gone when removed; and which orders a person decided.
 */
#include "ledger/sources.h"

#include "ledger_help.h"

static struct kh_source source_of(const char *name, int64_t letter)
{
	struct kh_source source = { .letter = letter, .every = 3600, .count = -1, .held = -1, .bytes_max = 5 };

	snprintf(source.name, sizeof(source.name), "%s", name);
	snprintf(source.url, sizeof(source.url), "https://feeds.example/%s", name);
	return source;
}

static void put_source(struct env *env, struct kh_source *source)
{
	begin(env);
	assert_ok(kh_ledger_source_put(env->ledger, source, &why));
	commit(env);
}

static void every_member_is_kept(void **state)
{
	struct env *env = *state;
	struct kh_source source = source_of("feodo", 1), read;

	source.ttl = 7200;
	source.entries_max = 6;
	source.action = KH_ACTION_MONITOR;
	source.paused = true;
	source.checked = 11;
	source.fetched = 12;
	source.changed = 13;
	source.until = 14;
	source.count = 15;
	source.held = 16;
	source.failures = 17;
	snprintf(source.etag, sizeof(source.etag), "\"e\"");
	snprintf(source.last_modified, sizeof(source.last_modified), "m");
	snprintf(source.digest, sizeof(source.digest), "d");
	snprintf(source.problem, sizeof(source.problem), "p");
	snprintf(source.credentials, sizeof(source.credentials), "/etc/khien/c");
	snprintf(source.authority, sizeof(source.authority), "/etc/khien/a");
	source.kind = KH_FETCH_MISP;
	source.unmarked = KH_UNMARKED_TAKE;
	snprintf(source.proxy, sizeof(source.proxy), "http://proxy.example:3128");
	snprintf(source.proxy_credentials, sizeof(source.proxy_credentials), "/etc/khien/p");
	put_source(env, &source);
	assert_int_not_equal(source.id, 0);
	reopen(env);
	memset(&read, 0, sizeof(read));
	assert_int_equal(kh_ledger_source_find(env->ledger, "feodo", &read), 1);
	assert_int_equal(read.id, source.id);
	assert_string_equal(read.url, source.url);
	assert_string_equal(read.credentials, "/etc/khien/c");
	assert_string_equal(read.authority, "/etc/khien/a");
	assert_string_equal(read.etag, "\"e\"");
	assert_string_equal(read.last_modified, "m");
	assert_string_equal(read.digest, "d");
	assert_string_equal(read.problem, "p");
	assert_int_equal(read.kind, KH_FETCH_MISP);
	assert_int_equal(read.unmarked, KH_UNMARKED_TAKE);
	assert_string_equal(read.proxy, source.proxy);
	assert_string_equal(read.proxy_credentials, "/etc/khien/p");
	assert_int_equal(read.letter, 1);
	assert_int_equal(read.every, 3600);
	assert_int_equal(read.ttl, 7200);
	assert_int_equal(read.bytes_max, 5);
	assert_int_equal(read.entries_max, 6);
	assert_int_equal(read.action, KH_ACTION_MONITOR);
	assert_true(read.paused);
	for (int i = 0; i < 7; i++)
		assert_int_equal((&read.checked)[i], 11 + i);
}

static void a_name_is_given_once(void **state)
{
	struct env *env = *state;
	struct kh_source first = source_of("a", 1), second = source_of("a", 1);
	struct kh_error error = {};

	put_source(env, &first);
	begin(env);
	assert_int_equal(kh_ledger_source_put(env->ledger, &second, &error), -EEXIST);
	kh_ledger_rollback(env->ledger);
	first.count = 4;
	put_source(env, &first); /* the same row again */
	assert_string_equal(query_text(env, "SELECT name, count FROM sources"), "a|4\n");
}

static void it_is_removed_and_its_orders_stay(void **state)
{
	struct env *env = *state;
	struct kh_source source = source_of("a", 1), read;

	act(env, "source");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	put_source(env, &source);
	begin(env);
	assert_ok(kh_ledger_source_remove(env->ledger, source.id, &why));
	commit(env);
	assert_int_equal(kh_ledger_source_find(env->ledger, "a", &read), 0);
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1 }), "203.0.113.1 - active drop 0\n");
}

static void act_as(struct env *env, const char *kind, int64_t uid)
{
	struct kh_change change = { .time = 1000, .uid = uid, .actor = "x", .kind = kind };

	begin(env);
	assert_ok(kh_ledger_change_begin(env->ledger, &change, &why));
}

static int by_person(struct env *env, const char *value)
{
	struct kh_order_row row = order_of(value, 1);
	struct kh_order_terms terms = {};
	int code = kh_ledger_order_terms(env->ledger, 1, &row.indicator, &terms);

	assert_in_range(code, 0, 1);
	return code ? terms.by_person : -1;
}

static void what_a_person_decided_is_known(void **state)
{
	struct env *env = *state;

	act_as(env, "source", -1);
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	commit(env);
	assert_int_equal(by_person(env, "203.0.113.1"), 0);
	assert_int_equal(by_person(env, "203.0.113.9"), -1);
	act_as(env, "unblock", 1000);
	put(env, 1, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	commit(env);
	act_as(env, "source-promote", 1000); /* of the whole source */
	put_monitor(env, 1, "203.0.113.2", 0);
	commit(env);
	assert_int_equal(by_person(env, "203.0.113.1"), 1);
	assert_int_equal(by_person(env, "203.0.113.2"), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(every_member_is_kept),
		CASE(a_name_is_given_once),
		CASE(it_is_removed_and_its_orders_stay),
		CASE(what_a_person_decided_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
