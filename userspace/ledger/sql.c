// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Thin helpers over SQLite: prepared statements with cleanup, and its result codes as -errno with a sentence for a
 * person. The first failure inside a transaction marks it: nothing half-done can be committed after it.
 */
#include "ledger/private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/lang.h"

static int io_errno(struct kh_ledger *ledger)
{
	int code = ledger->db ? sqlite3_system_errno(ledger->db) : 0;

	return code > 0 ? code : EIO;
}

static int fail_full(struct kh_ledger *ledger, struct kh_error *error)
{
	kh_fail(error, -ENOSPC, _("no space left on the disk for %s"), ledger->path);
	kh_hint(error, _("free some space and do it again; nothing was changed, and what was enforced stays enforced"));
	return -ENOSPC;
}

static int fail_damaged(struct kh_ledger *ledger, const char *why, struct kh_error *error)
{
	kh_fail(error, -EUCLEAN, _("the ledger %s is damaged: %s"), ledger->path, why);
	kh_hint(error, _("the file is left as it is; keep a copy, and restore a backup or move it aside"));
	return -EUCLEAN;
}

static int fail_io(struct kh_ledger *ledger, struct kh_error *error)
{
	int code = io_errno(ledger);

	if (code == ENOSPC || code == EDQUOT)
		return fail_full(ledger, error);
	kh_fail(error, -code, _("cannot read or write %s: %s"), ledger->path, strerror(code));
	kh_hint(error, _("look at the disk (dmesg); nothing was changed"));
	return -code;
}

static int explain(struct kh_ledger *ledger, int result, struct kh_error *error)
{
	const char *why = ledger->db ? sqlite3_errmsg(ledger->db) : sqlite3_errstr(result);

	switch (result & 0xff) {
	case SQLITE_FULL:
		return fail_full(ledger, error);
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return fail_io(ledger, error);
	case SQLITE_READONLY:
		kh_fail(error, -EROFS, _("%s cannot be written: the file or its file system is read-only"),
			ledger->path);
		kh_hint(error, _("check the mount and the permissions of the file and its folder"));
		return -EROFS;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
	case SQLITE_ERROR: /* our statements are constant, so it is the schema that is not ours */
	case SQLITE_MISMATCH:
		return fail_damaged(ledger, why, error);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		kh_fail(error, -EBUSY, _("%s is locked by another program"), ledger->path);
		kh_hint(error, _("close what has it open (fuser %s) and do it again"), ledger->path);
		return -EBUSY;
	case SQLITE_NOMEM:
		return kh_fail(error, -ENOMEM, _("out of memory"));
	case SQLITE_TOOBIG:
		return kh_fail(error, -E2BIG, _("a value is too large for %s"), ledger->path);
	case SQLITE_CONSTRAINT:
		return kh_fail(error, -EINVAL, _("%s refuses it: %s"), ledger->path, why);
	default:
		return kh_fail(error, -EIO, "%s: %s", ledger->path, why);
	}
}

int kh_sql_fail(struct kh_ledger *ledger, int result, struct kh_error *error)
{
	int code = explain(ledger, result, error);

	if (ledger->in_transaction && !ledger->failure)
		ledger->failure = code;
	return code;
}

int kh_sql_writable(struct kh_ledger *ledger, struct kh_error *error)
{
	assert(ledger->in_transaction);
	/* SQLite itself ends a transaction on some errors (disk full): what came next would be written on its own. */
	if (!ledger->failure && sqlite3_get_autocommit(ledger->db))
		ledger->failure = -EIO;
	if (!ledger->failure)
		return 0;
	return kh_fail(error, ledger->failure, _("an earlier step failed (%s); nothing was changed in %s"),
		       strerror(-ledger->failure), ledger->path);
}

int kh_sql_prepare(struct kh_ledger *ledger, const char *sql, sqlite3_stmt **ret_statement, struct kh_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v3(ledger->db, sql, -1, 0, &statement, NULL);

	if (result != SQLITE_OK)
		return kh_sql_fail(ledger, result, error);
	*ret_statement = statement;
	return 0;
}

int kh_sql_cached(struct kh_ledger *ledger, enum kh_cached which, const char *sql, sqlite3_stmt **ret_statement,
		  struct kh_error *error)
{
	if (!ledger->cached[which]) {
		int result = sqlite3_prepare_v3(ledger->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &ledger->cached[which],
						NULL);

		if (result != SQLITE_OK)
			return kh_sql_fail(ledger, result, error);
	}
	*ret_statement = ledger->cached[which];
	return 0;
}

int kh_sql_step(struct kh_ledger *ledger, sqlite3_stmt *statement, struct kh_error *error)
{
	int result = sqlite3_step(statement);

	if (result == SQLITE_ROW)
		return 1;
	return result == SQLITE_DONE ? 0 : kh_sql_fail(ledger, result, error);
}

int kh_sql_run(struct kh_ledger *ledger, sqlite3_stmt *statement, struct kh_error *error)
{
	int code;

	do
		code = kh_sql_step(ledger, statement, error);
	while (code == 1);
	sqlite3_reset(statement);
	return code;
}

int kh_sql_exec(struct kh_ledger *ledger, const char *sql, struct kh_error *error)
{
	int result = sqlite3_exec(ledger->db, sql, NULL, NULL, NULL);

	return result == SQLITE_OK ? 0 : kh_sql_fail(ledger, result, error);
}

int64_t kh_sql_change(struct kh_ledger *ledger, const char *sql, const int64_t values[static 4], struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(ledger, sql, &statement, error);

	if (code < 0)
		return code;
	for (int i = 0; i < 4 && i < sqlite3_bind_parameter_count(statement); i++)
		kh_sql_bind_int(statement, i + 1, values[i]);
	code = kh_sql_run(ledger, statement, error);
	return code < 0 ? code : sqlite3_changes64(ledger->db);
}

void kh_sql_finalizep(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

void kh_sql_resetp(sqlite3_stmt **statement)
{
	if (*statement)
		sqlite3_reset(*statement);
}

/* Binding borrowed bytes can fail only for what is beyond SQLite's limit; NULL is bound then and NOT NULL refuses it. */
void kh_sql_bind_int(sqlite3_stmt *statement, int place, int64_t value)
{
	sqlite3_bind_int64(statement, place, value);
}

void kh_sql_bind_text(sqlite3_stmt *statement, int place, const char *text)
{
	sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

void kh_sql_bind_blob(sqlite3_stmt *statement, int place, const void *data, size_t size)
{
	sqlite3_bind_blob64(statement, place, data, size, SQLITE_STATIC);
}

const char *kh_sql_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text ? text : "";
}
