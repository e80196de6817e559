// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * begin, commit, rollback, and the small numbers that live as long as the file: folds and the boot epoch.
 */
#include "ledger/private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/crash.h"
#include "common/lang.h"

int kh_meta_get(struct kh_ledger *ledger, const char *key, int64_t *ret_value, char *ret_text, size_t size,
		struct kh_error *error)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(ledger, KH_SQL_META_GET, "SELECT value FROM meta WHERE key = ?1", &statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_text(statement, 1, key);
	code = kh_sql_step(ledger, statement, error);
	if (code <= 0)
		return code;
	if (ret_value)
		*ret_value = sqlite3_column_int64(statement, 0);
	if (ret_text) {
		const unsigned char *value = sqlite3_column_text(statement, 0); /* NOT NULL, so NULL is: no memory */

		if (!value)
			return kh_sql_fail(ledger, SQLITE_NOMEM, error);
		snprintf(ret_text, size, "%s", (const char *)value);
	}
	return 1;
}

int kh_meta_put(struct kh_ledger *ledger, const char *key, int64_t value, const char *text, struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = kh_sql_cached(ledger, KH_SQL_META_PUT, "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
				 &statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_text(statement, 1, key);
	if (text)
		kh_sql_bind_text(statement, 2, text);
	else
		kh_sql_bind_int(statement, 2, value);
	return kh_sql_run(ledger, statement, error);
}

int kh_ledger_load(struct kh_ledger *ledger, struct kh_error *error)
{
	int code;

	ledger->folds = 0;
	code = kh_meta_get(ledger, "folds", &ledger->folds, NULL, 0, error);
	if (code >= 0 && !ledger->boot_pending) {
		ledger->epoch = 1;
		code = kh_meta_get(ledger, "epoch", &ledger->epoch, NULL, 0, error);
		if (code >= 0)
			code = kh_meta_get(ledger, "boot", NULL, ledger->boot, sizeof(ledger->boot), error);
	}
	if (code >= 0)
		code = kh_audit_load(ledger, error);
	ledger->change = 0;
	ledger->folded = false;
	kh_bulks_forget(ledger, true);
	kh_slots_forget(ledger);
	ledger->waiting.valid = false;
	memset(ledger->made, 0, sizeof(ledger->made));
	return code < 0 ? code : 0;
}

void kh_ledger_set_boot(struct kh_ledger *ledger, const char *boot)
{
	if (!strcmp(boot, ledger->boot))
		return;
	ledger->epoch++;
	snprintf(ledger->boot, sizeof(ledger->boot), "%s", boot);
	ledger->boot_pending = true; /* written with the next transaction: opening works on a full disk too */
}

static int write_boot(struct kh_ledger *ledger, struct kh_error *error)
{
	int code = kh_meta_put(ledger, "epoch", ledger->epoch, NULL, error);

	return code < 0 ? code : kh_meta_put(ledger, "boot", 0, ledger->boot, error);
}

int kh_ledger_refresh(struct kh_ledger *ledger, struct kh_error *error)
{
	int code = ledger->stale ? kh_ledger_load(ledger, error) : 0;

	ledger->stale = code < 0;
	return code;
}

int kh_ledger_begin(struct kh_ledger *ledger, struct kh_error *error)
{
	int code;

	assert(!ledger->in_transaction);
	code = kh_ledger_refresh(ledger, error);
	if (code >= 0)
		code = kh_sql_exec(ledger, "BEGIN IMMEDIATE", error);
	if (code < 0)
		return code;
	ledger->in_transaction = true;
	ledger->failure = 0;
	KH_CRASH_POINT("ledger.begun");
	if (ledger->boot_pending) {
		code = write_boot(ledger, error);
		if (code < 0)
			kh_ledger_rollback(ledger);
	}
	return code;
}

static int finish(struct kh_ledger *ledger, struct kh_error *error)
{
	int code = kh_sql_writable(ledger, error);

	if (code >= 0)
		code = kh_change_flush(ledger, error);
	if (code >= 0 && ledger->folded)
		code = kh_meta_put(ledger, "folds", ++ledger->folds, NULL, error);
	KH_CRASH_POINT("ledger.flushed");
	if (code >= 0)
		code = kh_sql_exec(ledger, "COMMIT", error);
	KH_CRASH_POINT("ledger.committed");
	return code;
}

int kh_ledger_commit(struct kh_ledger *ledger, struct kh_error *error)
{
	int code = finish(ledger, error);

	if (code < 0) {
		kh_ledger_rollback(ledger);
		return code;
	}
	kh_bulks_settle(ledger);
	ledger->in_transaction = false;
	ledger->change = 0;
	ledger->folded = false;
	ledger->boot_pending = false;
	return 0;
}

void kh_ledger_rollback(struct kh_ledger *ledger)
{
	if (!ledger->in_transaction)
		return;
	for (size_t i = 0; i < KH_SQL_CACHED_COUNT; i++)
		if (ledger->cached[i])
			sqlite3_reset(ledger->cached[i]);
	if (!sqlite3_get_autocommit(ledger->db))
		sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
	KH_CRASH_POINT("ledger.rolled-back");
	ledger->in_transaction = false;
	ledger->failure = 0;
	ledger->stale = true;
	kh_ledger_refresh(ledger, NULL); /* when even reading fails now, the next begin will say so */
}
