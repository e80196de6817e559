// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A clock that is put right moves the deadlines that were counted by the wrong one: those written by changes after a given one, and not those before,
 * which are times of day.
 */
#include "ledger/private.h"
#include "ledger/unconfirmed.h"

int64_t kh_ledger_last_change(struct kh_ledger *ledger)
{
	KH_STATEMENT(statement);

	if (kh_sql_prepare(ledger, "SELECT coalesce(max(id), 0) FROM changes", &statement, NULL) < 0 ||
	    kh_sql_step(ledger, statement, NULL) != 1)
		return 0;
	return sqlite3_column_int64(statement, 0);
}

/* A row that was written since, but kept the deadline that it had before, is left alone. */
#define MOVED(table)                                                                                         \
	"UPDATE " table                                                                                      \
	" SET expires = expires + ?2 WHERE expires > 0 AND change > ?1 AND NOT EXISTS (SELECT 1 FROM " table \
	"_before b WHERE b.id = " table ".id AND b.change <= ?1 AND b.at_change > ?1 AND b.expires = " table \
	".expires)"

int64_t kh_ledger_deadlines_shift(struct kh_ledger *ledger, int64_t after, int64_t seconds, struct kh_error *error)
{
	static const char *const statements[] = { MOVED("orders"), MOVED("bulks"), MOVED("allows") };
	const int64_t values[4] = { after, seconds };
	int64_t rows = kh_sql_writable(ledger, error), count = 0;

	for (size_t i = 0; i < KH_ARRAY_SIZE(statements) && rows >= 0; i++) {
		rows = kh_sql_change(ledger, statements[i], values, error);
		count += rows;
	}
	kh_bulks_forget(ledger, false);
	return rows < 0 ? rows : count;
}
