/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the ledger share: a real SQLite file in a folder of its own, short ways to write orders, and
 * everything that can be read as text, so that a test compares one string.
 */
#ifndef KHIEN_TESTS_LEDGER_HELP_H
#define KHIEN_TESTS_LEDGER_HELP_H

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/private.h"

struct env {
	char folder[64];
	char path[128];
	struct kh_ledger *ledger;
	char text[16384]; /* of the last *_text() call */
	size_t used;
};

KH_UNUSED static void print(struct env *env, const char *format, ...) KH_PRINTF(2, 3);
static void print(struct env *env, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(env->text + env->used, sizeof(env->text) - env->used, format, arguments);
	va_end(arguments);
	assert_in_range(length, 0, sizeof(env->text) - env->used - 1);
	env->used += (size_t)length;
}

KH_UNUSED static void clear(struct env *env)
{
	env->used = 0;
	env->text[0] = '\0';
}

KH_UNUSED static void open_ledger(struct env *env)
{
	struct kh_error error = {};
	int code = kh_ledger_open(env->path, &env->ledger, &error);

	if (code < 0)
		fail_msg("open: %d %s", code, error.text);
}

KH_UNUSED static void close_ledger(struct env *env)
{
	kh_ledger_close(env->ledger);
	env->ledger = NULL;
}

KH_UNUSED static void reopen(struct env *env)
{
	close_ledger(env);
	open_ledger(env);
}

KH_UNUSED static int setup_folder(void **state)
{
	struct env *env = calloc(1, sizeof(*env));

	/* Real files in memory where there is such a place: nothing here is about how fast a disk syncs. */
	snprintf(env->folder, sizeof(env->folder), "%s/kh-ledger-test-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(env->folder))
		return -1;
	snprintf(env->path, sizeof(env->path), "%s/ledger.db", env->folder);
	*state = env;
	return 0;
}

KH_UNUSED static int setup(void **state)
{
	if (setup_folder(state))
		return -1;
	open_ledger(*state);
	return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

KH_UNUSED static int teardown(void **state)
{
	struct env *env = *state;

	kh_ledger_close(env->ledger);
	nftw(env->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(env);
	return 0;
}

/* ---- Writing ------------------------------------------------------------------------------------- */

/* `call` may fill `why`. */
#define assert_ok(call)                                                             \
	do {                                                                        \
		struct kh_error why = {};                                           \
		int64_t code_ = (call);                                             \
		if (code_ < 0)                                                      \
			fail_msg("%s: %lld %s", #call, (long long)code_, why.text); \
	} while (0)

KH_UNUSED static void begin(struct env *env)
{
	assert_ok(kh_ledger_begin(env->ledger, &why));
}

KH_UNUSED static void commit(struct env *env)
{
	assert_ok(kh_ledger_commit(env->ledger, &why));
}

/* Begins a transaction and a change in it. */
KH_UNUSED static int64_t act(struct env *env, const char *kind)
{
	struct kh_change change = {
		.time = 1000, .uid = strcmp(kind, "expire") ? 1000 : -1, .actor = "nam", .kind = kind
	};

	begin(env);
	assert_ok(kh_ledger_change_begin(env->ledger, &change, &why));
	return change.id;
}

KH_UNUSED static int64_t put_letter(struct env *env, const char *number, const char *issuer, int year, int64_t now)
{
	struct kh_letter letter = { .number = (char *)number, .issuer = (char *)issuer };
	int64_t id = 0;

	assert_ok(kh_ledger_letter_put(env->ledger, &letter, year, now, &id, &why));
	return id;
}

KH_UNUSED static struct kh_order_row order_of(const char *value, int64_t letter)
{
	struct kh_order_row row = {
		.letter = letter, .reason = KH_WHY_ANNEX, .raw = value, .file = "cv.txt", .line = 7, .since = 1000
	};

	if (kh_indicator_parse(value, &row.indicator, NULL) < 0)
		fail_msg("bad value in the test: %s", value);
	return row;
}

KH_UNUSED static int put_row(struct env *env, struct kh_order_row *row)
{
	struct kh_error error = {};
	int code = kh_ledger_order_put(env->ledger, row, &error);

	if (code < 0)
		fail_msg("put: %d %s", code, error.text);
	return code;
}

KH_UNUSED static int put(struct env *env, int64_t letter, const char *value, enum kh_order_state state, int64_t expires)
{
	struct kh_order_row row = order_of(value, letter);
	int code;

	row.state = state;
	row.expires = expires;
	code = put_row(env, &row);
	kh_indicator_clear(&row.indicator);
	return code;
}

KH_UNUSED static int put_monitor(struct env *env, int64_t letter, const char *value, int64_t expires)
{
	struct kh_order_row row = order_of(value, letter);

	row.action = KH_ACTION_MONITOR;
	row.expires = expires;
	return put_row(env, &row);
}

KH_UNUSED static int put_allow(struct env *env, const char *range, int64_t expires, bool active)
{
	struct kh_allow_row allow = {
		.note = "hop", .actor = "nam", .since = 1000, .expires = expires, .active = active
	};
	struct kh_error error = {};
	int code;

	assert_int_equal(kh_range_parse(range, strlen(range), &allow.range), 0);
	code = kh_ledger_allow_put(env->ledger, &allow, &error);
	if (code < 0)
		fail_msg("allow: %d %s", code, error.text);
	return code;
}

/* ---- Reading ------------------------------------------------------------------------------------- */

/* Everything a query tells, a row a line, columns joined by '|'. */
KH_UNUSED static const char *query_text(struct env *env, const char *sql)
{
	sqlite3_stmt *statement = NULL;

	clear(env);
	if (sqlite3_prepare_v2(env->ledger->db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(env->ledger->db));
	while (sqlite3_step(statement) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			const unsigned char *text = sqlite3_column_text(statement, i);

			print(env, "%s%s", i ? "|" : "", text ? (const char *)text : "NULL");
		}
		print(env, "\n");
	}
	sqlite3_finalize(statement);
	return env->text;
}

/* All that orders and allows are, for "exactly as before". */
KH_UNUSED static char *whole_state(struct env *env)
{
	char *orders = strdup(query_text(env, "SELECT * FROM orders ORDER BY id"));
	char *all = NULL;

	if (asprintf(
		    &all, "%s---\n%s", orders,
		    query_text(
			    env,
			    "SELECT id, hex(key), value, note, actor, since, expires, change, active FROM allows ORDER BY id")) <
	    0)
		abort();
	free(orders);
	return all;
}

static int print_order(const struct kh_order_row *row, void *context)
{
	print(context, "%s %s %s %s %lld\n", row->value, row->number[0] ? row->number : "-",
	      kh_order_state_name(row->state), row->action == KH_ACTION_MONITOR ? "monitor" : "drop",
	      (long long)row->expires);
	return 0;
}

KH_UNUSED static const char *orders_text(struct env *env, struct kh_order_filter filter)
{
	clear(env);
	assert_int_equal(kh_ledger_orders(env->ledger, &filter, print_order, env), 0);
	return env->text;
}

static int print_force(const struct kh_force *force, void *context)
{
	char *value = kh_indicator_format(&force->indicator);

	print(context, "%u %s %s %lld%s\n", force->slot, value, force->action == KH_ACTION_MONITOR ? "monitor" : "drop",
	      (long long)force->deadline, force->fresh ? " fresh" : "");
	free(value);
	return 0;
}

KH_UNUSED static const char *force_text(struct env *env, int64_t now, int64_t grace)
{
	clear(env);
	assert_ok(kh_ledger_force(env->ledger, now, grace, print_force, NULL, env, &why));
	return env->text;
}

/* A transaction of its own. */
KH_UNUSED static const char *force_now(struct env *env, int64_t now, int64_t grace)
{
	begin(env);
	force_text(env, now, grace);
	commit(env);
	return env->text;
}

#endif
