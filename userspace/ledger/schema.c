// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables, and the steps from one version of them to the next. A step is never edited once released: a new one is
 * appended and KH_LEDGER_VERSION raised.
 *
 * The past of orders and allows lies beside them: NAME_made (rows that a change made, as runs of ids: first, first + step ..
 * last) and NAME_before (rows as they were before a change touched them; their columns are those of NAME, in its order, after
 * at_change and after_change).
 * after_change is the `change` the row carried when that change was done with it, NULL when it was gone: a row still stands
 * as a change left it exactly when the two agree.
 */
#include "ledger/private.h"

#include <errno.h>
#include <stdio.h>

#include "common/crash.h"
#include "common/lang.h"
#include "model/fetched.h"

static const char *const version_1[] = {
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
	"CREATE TABLE facts (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",

	/* number_key, issuer_key: folded (kh_text_fold) */
	"CREATE TABLE letters (id INTEGER PRIMARY KEY, number TEXT NOT NULL, number_key TEXT NOT NULL, issuer TEXT,"
	" issuer_key TEXT NOT NULL, year INTEGER NOT NULL, date TEXT, subject TEXT, received INTEGER NOT NULL,"
	" UNIQUE (number_key, issuer_key, year))",
	"INSERT INTO letters VALUES (1, '', '', NULL, '', 0, NULL, NULL, 0)",
	"CREATE TABLE documents (id INTEGER PRIMARY KEY, letter INTEGER NOT NULL REFERENCES letters, file TEXT NOT NULL,"
	" format TEXT NOT NULL, sha256 BLOB NOT NULL, loaded INTEGER NOT NULL, UNIQUE (letter, sha256))",
	"CREATE TABLE letter_facts (id INTEGER PRIMARY KEY, letter INTEGER NOT NULL REFERENCES letters, kind TEXT NOT NULL,"
	" value TEXT NOT NULL, UNIQUE (letter, kind, value))",

	/* never deleted and never changed; key: key.c */
	"CREATE TABLE indicators (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, value TEXT NOT NULL)",

	"CREATE TABLE changes (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, uid INTEGER NOT NULL, actor TEXT NOT NULL,"
	" kind TEXT NOT NULL, note TEXT, letter INTEGER REFERENCES letters, undoes INTEGER NOT NULL DEFAULT 0,"
	" undone_by INTEGER NOT NULL DEFAULT 0, orders INTEGER NOT NULL DEFAULT 0, allows INTEGER NOT NULL DEFAULT 0)",

	/* id: KH_ORDER_ID, so the table itself is the index by indicator and letter. raw NULL: written as its value. */
	"CREATE TABLE orders (id INTEGER PRIMARY KEY, indicator INTEGER NOT NULL REFERENCES indicators,"
	" letter INTEGER NOT NULL REFERENCES letters, state INTEGER NOT NULL, action INTEGER NOT NULL, decision INTEGER NOT NULL,"
	" reason INTEGER NOT NULL, section INTEGER NOT NULL, page INTEGER NOT NULL, line INTEGER NOT NULL, since INTEGER NOT NULL,"
	" expires INTEGER NOT NULL, change INTEGER NOT NULL, rule TEXT NOT NULL, note TEXT NOT NULL, raw TEXT, file TEXT NOT NULL)",
	"CREATE INDEX orders_letter ON orders (letter)",
	"CREATE INDEX orders_deadline ON orders (expires) WHERE state = 0 AND expires > 0",
	"CREATE TABLE orders_before (at_change INTEGER NOT NULL, after_change INTEGER, id INTEGER NOT NULL,"
	" indicator INTEGER NOT NULL, letter INTEGER NOT NULL, state INTEGER NOT NULL, action INTEGER NOT NULL,"
	" decision INTEGER NOT NULL, reason INTEGER NOT NULL, section INTEGER NOT NULL, page INTEGER NOT NULL,"
	" line INTEGER NOT NULL, since INTEGER NOT NULL, expires INTEGER NOT NULL, change INTEGER NOT NULL, rule TEXT NOT NULL,"
	" note TEXT NOT NULL, raw TEXT, file TEXT NOT NULL, PRIMARY KEY (at_change, id)) WITHOUT ROWID",
	"CREATE TABLE orders_made (at_change INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" step INTEGER NOT NULL, after_change INTEGER NOT NULL, PRIMARY KEY (at_change, first)) WITHOUT ROWID",

	"CREATE TABLE allows (id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, value TEXT NOT NULL, note TEXT NOT NULL,"
	" actor TEXT NOT NULL, since INTEGER NOT NULL, expires INTEGER NOT NULL, change INTEGER NOT NULL REFERENCES changes,"
	" active INTEGER NOT NULL)",
	"CREATE TABLE allows_before (at_change INTEGER NOT NULL, after_change INTEGER, id INTEGER NOT NULL, key BLOB NOT NULL,"
	" value TEXT NOT NULL, note TEXT NOT NULL, actor TEXT NOT NULL, since INTEGER NOT NULL, expires INTEGER NOT NULL,"
	" change INTEGER NOT NULL, active INTEGER NOT NULL, PRIMARY KEY (at_change, id)) WITHOUT ROWID",
	"CREATE TABLE allows_made (at_change INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" step INTEGER NOT NULL, after_change INTEGER NOT NULL, PRIMARY KEY (at_change, first)) WITHOUT ROWID",

	/* left_at 0: in force; left_fold: `folds` when it left */
	"CREATE TABLE slots (slot INTEGER PRIMARY KEY, indicator INTEGER NOT NULL UNIQUE, since INTEGER NOT NULL,"
	" left_at INTEGER NOT NULL DEFAULT 0, left_fold INTEGER NOT NULL DEFAULT 0)",
	/* what was folded last of a slot's record, for which indicator; old_*: the same of the array before, which may be folded
	 * once more after its successor */
	"CREATE TABLE slot_bases (slot INTEGER PRIMARY KEY, indicator INTEGER NOT NULL, map INTEGER NOT NULL, packets INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, old_indicator INTEGER NOT NULL,"
	" old_map INTEGER NOT NULL, old_packets INTEGER NOT NULL, old_bytes INTEGER NOT NULL, old_first_seen INTEGER NOT NULL,"
	" old_last_seen INTEGER NOT NULL)",

	/* totals; only of indicators that were ever met */
	"CREATE TABLE counts (indicator INTEGER PRIMARY KEY REFERENCES indicators, packets INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL)",
	"CREATE TABLE sightings (indicator INTEGER NOT NULL REFERENCES indicators, host BLOB NOT NULL, mac BLOB NOT NULL,"
	" interface TEXT NOT NULL, flags INTEGER NOT NULL, packets INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, PRIMARY KEY (indicator, host, mac, interface, flags)) WITHOUT ROWID",
	/* by the kernel's own key: what was folded last, and for whom */
	"CREATE TABLE sighting_bases (slot INTEGER NOT NULL, host BLOB NOT NULL, mac BLOB NOT NULL, interface TEXT NOT NULL,"
	" flags INTEGER NOT NULL, indicator INTEGER NOT NULL, map INTEGER NOT NULL, packets INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, PRIMARY KEY (slot, host, mac, interface, flags)) WITHOUT ROWID",
	"CREATE TABLE counters (interface TEXT NOT NULL, direction INTEGER NOT NULL, reason INTEGER NOT NULL,"
	" packets INTEGER NOT NULL, bytes INTEGER NOT NULL, map INTEGER NOT NULL, raw_packets INTEGER NOT NULL,"
	" raw_bytes INTEGER NOT NULL, PRIMARY KEY (interface, direction, reason)) WITHOUT ROWID",

	"CREATE TABLE health (id INTEGER PRIMARY KEY, since INTEGER NOT NULL, state TEXT NOT NULL, problems TEXT NOT NULL)",
	NULL,
};

static const char *const version_2[] = {
	/* A long plain list of one letter: what is the same of all its values, and how many they are. Its columns are those of an order
	 * where the names are the same. A value that has a row under the letter is the row's. */
	"CREATE TABLE bulks (id INTEGER PRIMARY KEY, letter INTEGER NOT NULL REFERENCES letters, state INTEGER NOT NULL,"
	" action INTEGER NOT NULL, since INTEGER NOT NULL, expires INTEGER NOT NULL, change INTEGER NOT NULL, note TEXT NOT NULL,"
	" file TEXT NOT NULL, count INTEGER NOT NULL)",
	"CREATE TABLE bulks_before (at_change INTEGER NOT NULL, after_change INTEGER, id INTEGER NOT NULL, letter INTEGER NOT NULL,"
	" state INTEGER NOT NULL, action INTEGER NOT NULL, since INTEGER NOT NULL, expires INTEGER NOT NULL, change INTEGER NOT NULL,"
	" note TEXT NOT NULL, file TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (at_change, id)) WITHOUT ROWID",
	"CREATE TABLE bulks_made (at_change INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" step INTEGER NOT NULL, after_change INTEGER NOT NULL, PRIMARY KEY (at_change, first)) WITHOUT ROWID",
	/* Its values: never changed, and kept when the row is gone, for an undo of that. id: bulk << 20 | part; data: n values as
	 * struct kh_bulk_v4 or kh_bulk_v6 (little-endian), then n indicators of 32 bits. */
	"CREATE TABLE bulk_parts (id INTEGER PRIMARY KEY, family INTEGER NOT NULL, data BLOB NOT NULL)",
	/* member n has slot first + n; left_*: as in slots */
	"CREATE TABLE bulk_slots (bulk INTEGER PRIMARY KEY, first INTEGER NOT NULL, count INTEGER NOT NULL,"
	" left_at INTEGER NOT NULL DEFAULT 0, left_fold INTEGER NOT NULL DEFAULT 0)",
	NULL,
};

static const char *const version_3[] = {
	/* What is in force, read whole at every change: all that is asked of it, and nothing of what was withdrawn in the years before. */
	"CREATE INDEX orders_active ON orders (indicator, action, expires) WHERE state = 0",
	NULL,
};

static const char *const version_4[] = {
	/* What is fetched again and again, and how the last refresh went (sources.h). What it brought are the orders of its letter. */
	"CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, url TEXT NOT NULL, credentials TEXT NOT NULL,"
	" authority TEXT NOT NULL, letter INTEGER NOT NULL REFERENCES letters, every INTEGER NOT NULL, ttl INTEGER NOT NULL,"
	" bytes_max INTEGER NOT NULL, entries_max INTEGER NOT NULL, action INTEGER NOT NULL, paused INTEGER NOT NULL,"
	" checked INTEGER NOT NULL, fetched INTEGER NOT NULL, changed INTEGER NOT NULL, until INTEGER NOT NULL, count INTEGER NOT NULL,"
	" held INTEGER NOT NULL, failures INTEGER NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL, digest TEXT NOT NULL,"
	" problem TEXT NOT NULL)",
	NULL,
};

static const char *const version_5[] = {
	/* What stands at the address (enum kh_fetch_kind), what becomes of what is not marked (enum kh_unmarked), and the way there. A source of
	 * before was a file. */
	"ALTER TABLE sources ADD COLUMN kind INTEGER NOT NULL DEFAULT 0",
	"ALTER TABLE sources ADD COLUMN unmarked INTEGER NOT NULL DEFAULT 0",
	"ALTER TABLE sources ADD COLUMN proxy TEXT NOT NULL DEFAULT ''",
	"ALTER TABLE sources ADD COLUMN proxy_credentials TEXT NOT NULL DEFAULT ''",
	NULL,
};

static const char *const version_6[] = {
	/* Changes to be confirmed (unconfirmed.h) and the change that ended the waiting (0: it goes on); connections that are spared (sessions.c). */
	"CREATE TABLE unconfirmed (change INTEGER PRIMARY KEY REFERENCES changes, until INTEGER NOT NULL,"
	" ended_by INTEGER NOT NULL DEFAULT 0)",
	"CREATE TABLE sessions (connection TEXT PRIMARY KEY) WITHOUT ROWID",
	/* Who did what (audit.h). Only ever added to: what would change or remove an entry is refused, and so is REPLACE, for which no DELETE is seen. */
	"CREATE TABLE audit (number INTEGER PRIMARY KEY, time INTEGER NOT NULL, uid INTEGER NOT NULL, login INTEGER NOT NULL,"
	" proven INTEGER NOT NULL, actor TEXT NOT NULL, command TEXT NOT NULL, change INTEGER NOT NULL, letter TEXT NOT NULL,"
	" files BLOB NOT NULL, exit INTEGER NOT NULL, before BLOB NOT NULL, hash BLOB NOT NULL)",
	"CREATE INDEX audit_change ON audit (change) WHERE change > 0",
	"CREATE TRIGGER audit_insert BEFORE INSERT ON audit WHEN NEW.number <= (SELECT coalesce(max(number), 0) FROM audit)"
	" BEGIN SELECT raise(ABORT, 'the audit is only added to'); END",
	"CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit is only added to'); END",
	"CREATE TRIGGER audit_delete BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit is only added to'); END",
	"INSERT OR REPLACE INTO meta (key, value) SELECT 'audit-since', coalesce(max(id), 0) FROM changes",
	NULL,
};

/* steps[n] leads from version n to n + 1. */
static const char *const *const steps[KH_LEDGER_VERSION] = { version_1, version_2, version_3,
							     version_4, version_5, version_6 };

/* The numbers below are stored in `orders` and in the index conditions above: never renumber. */
_Static_assert(KH_ORDER_ACTIVE == 0 && KH_ORDER_REVIEW == 1 && KH_ORDER_REFUSED == 2 && KH_ORDER_UNENFORCEABLE == 3 &&
		       KH_ORDER_EXPIRED == 4 && KH_ORDER_WITHDRAWN == 5 && KH_ORDER_REJECTED == 6,
	       "order states are stored");
_Static_assert(KH_ENFORCE == 0 && KH_REVIEW == 1 && KH_REFUSE == 2 && KH_UNENFORCEABLE == 3, "decisions are stored");
_Static_assert(KH_ACTION_DROP == 0 && KH_ACTION_MONITOR == 1, "actions are stored");
_Static_assert(KH_FETCH_FILE == 0 && KH_FETCH_TAXII == 1 && KH_FETCH_MISP == 2, "kinds of sources are stored");
_Static_assert(KH_UNMARKED_REVIEW == 0 && KH_UNMARKED_TAKE == 1 && KH_UNMARKED_SKIP == 2, "so are their policies");
_Static_assert(KH_SECTION_BODY == 0 && KH_SECTION_ANNEX == 1 && KH_SECTION_LIST == 2, "sections are stored");

static int user_version(struct kh_ledger *ledger, int *ret_version, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(ledger, "PRAGMA user_version", &statement, error);

	if (code >= 0)
		code = kh_sql_step(ledger, statement, error);
	if (code < 0)
		return code;
	*ret_version = sqlite3_column_int(statement, 0);
	return 0;
}

static int run_step(struct kh_ledger *ledger, int version, struct kh_error *error)
{
	char pragma[64];

	for (const char *const *sql = steps[version]; *sql; sql++) {
		int code = kh_sql_exec(ledger, *sql, error);

		if (code < 0)
			return code;
		KH_CRASH_POINT("migrate.statement");
	}
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", version + 1);
	return kh_sql_exec(ledger, pragma, error);
}

int kh_schema_migrate(struct kh_ledger *ledger, struct kh_error *error)
{
	int version = 0, code = user_version(ledger, &version, error);

	if (code < 0 || version == KH_LEDGER_VERSION)
		return code;
	if (version < 0 || version > KH_LEDGER_VERSION) {
		kh_fail(error, -EPROTO,
			_("the ledger %s was written by a newer version (schema %d, this one knows %d)"), ledger->path,
			version, KH_LEDGER_VERSION);
		kh_hint(error, _("install the version that wrote it, or restore the backup made before the upgrade"));
		return -EPROTO;
	}
	code = kh_sql_exec(ledger, "BEGIN IMMEDIATE", error);
	if (code < 0)
		return code;
	KH_CRASH_POINT("migrate.begun");
	while (version < KH_LEDGER_VERSION && code >= 0)
		code = run_step(ledger, version++, error);
	KH_CRASH_POINT("migrate.written");
	if (code >= 0)
		code = kh_sql_exec(ledger, "COMMIT", error);
	KH_CRASH_POINT("migrate.committed");
	if (code < 0)
		sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
	return code;
}

int kh_schema_check(struct kh_ledger *ledger, struct kh_error *error)
{
	KH_STATEMENT(statement);

	return kh_sql_prepare(
		ledger,
		"SELECT 1 FROM meta, facts, letters, documents, letter_facts, indicators, changes, orders, orders_before, orders_made,"
		" allows, allows_before, allows_made, slots, slot_bases, counts, sightings, sighting_bases, counters, health,"
		" bulks, bulks_before, bulks_made, bulk_parts, bulk_slots, sources, unconfirmed, sessions, audit WHERE 0",
		&statement, error);
}
