// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intervals of health, and small facts that outlive the daemon.
 */
#include "ledger/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct last {
	int64_t id, since;
	char state[32];
	bool same_problems;
};

static int find_last(struct kh_ledger *ledger, const char *problems, struct last *ret_last, struct kh_error *error)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(ledger, KH_SQL_HEALTH_LAST,
				 "SELECT id, since, state, problems FROM health ORDER BY id DESC LIMIT 1", &statement,
				 error);

	if (code >= 0)
		code = kh_sql_step(ledger, statement, error);
	if (code <= 0)
		return code;
	ret_last->id = sqlite3_column_int64(statement, 0);
	ret_last->since = sqlite3_column_int64(statement, 1);
	snprintf(ret_last->state, sizeof(ret_last->state), "%s", kh_sql_text(statement, 2));
	ret_last->same_problems = problems && !strcmp(kh_sql_text(statement, 3), problems);
	return 1;
}

static int put(struct kh_ledger *ledger, enum kh_cached which, const char *sql, const char *state, const char *problems,
	       int64_t number, struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = kh_sql_cached(ledger, which, sql, &statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_text(statement, 1, state);
	kh_sql_bind_text(statement, 2, problems);
	kh_sql_bind_int(statement, 3, number);
	return kh_sql_run(ledger, statement, error);
}

int kh_ledger_health_put(struct kh_ledger *ledger, const char *state, const char *problems, int64_t now,
			 struct kh_error *error)
{
	struct last last = {};
	int code = kh_sql_writable(ledger, error);

	problems = problems ? problems : "";
	if (code >= 0)
		code = find_last(ledger, problems, &last, error);
	if (code < 0)
		return code;
	if (strcmp(last.state, state))
		return put(ledger, KH_SQL_HEALTH_PUT, "INSERT INTO health (state, problems, since) VALUES (?1, ?2, ?3)",
			   state, problems, now, error);
	/* The interval goes on; what it is about may have changed. */
	return last.same_problems
		       ? 0
		       : put(ledger, KH_SQL_HEALTH_TEXT, "UPDATE health SET state = ?1, problems = ?2 WHERE id = ?3",
			     state, problems, last.id, error);
}

int kh_ledger_health(struct kh_ledger *ledger, char *ret_state, size_t size, int64_t *ret_since)
{
	struct last last = {};
	int code = find_last(ledger, NULL, &last, NULL);

	if (code <= 0)
		return code < 0 ? code : -ENOENT;
	snprintf(ret_state, size, "%s", last.state);
	*ret_since = last.since;
	return 0;
}

int kh_ledger_fact_get(struct kh_ledger *ledger, const char *key, int64_t *ret_value)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(ledger, KH_SQL_FACT_GET, "SELECT value FROM facts WHERE key = ?1", &statement, NULL);

	if (code < 0)
		return code;
	kh_sql_bind_text(statement, 1, key);
	code = kh_sql_step(ledger, statement, NULL);
	if (code <= 0)
		return code < 0 ? code : -ENOENT;
	*ret_value = sqlite3_column_int64(statement, 0);
	return 0;
}

int kh_ledger_fact_put(struct kh_ledger *ledger, const char *key, int64_t value, struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = kh_sql_writable(ledger, error);

	if (code >= 0)
		code = kh_sql_cached(ledger, KH_SQL_FACT_PUT,
				     "INSERT OR REPLACE INTO facts (key, value) VALUES (?1, ?2)", &statement, error);
	if (code < 0)
		return code;
	kh_sql_bind_text(statement, 1, key);
	kh_sql_bind_int(statement, 2, value);
	return kh_sql_run(ledger, statement, error);
}
