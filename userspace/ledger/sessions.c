// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The connections of people at work that are spared, so that a daemon that starts again goes on sparing them. What they are, the daemon knows.
 */
#include "ledger/private.h"

static int change_row(struct kh_ledger *ledger, const char *sql, const char *connection, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_writable(ledger, error);

	if (code >= 0)
		code = kh_sql_prepare(ledger, sql, &statement, error);
	if (code < 0)
		return code;
	kh_sql_bind_text(statement, 1, connection);
	return kh_sql_run(ledger, statement, error);
}

int kh_ledger_session_put(struct kh_ledger *ledger, const char *connection, struct kh_error *error)
{
	return change_row(ledger, "INSERT OR IGNORE INTO sessions (connection) VALUES (?1)", connection, error);
}

int kh_ledger_session_remove(struct kh_ledger *ledger, const char *connection, struct kh_error *error)
{
	return change_row(ledger, "DELETE FROM sessions WHERE connection = ?1", connection, error);
}

int kh_ledger_sessions(struct kh_ledger *ledger, int (*callback)(const char *connection, void *), void *context)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(ledger, "SELECT connection FROM sessions ORDER BY connection", &statement, NULL);

	while (code >= 0 && (code = kh_sql_step(ledger, statement, NULL)) == 1) {
		int stop = callback(kh_sql_text(statement, 0), context);

		if (stop)
			return stop;
	}
	return code;
}
