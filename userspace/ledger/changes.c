// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes: numbered acts, and the rows they touched. The acts are written here; what lay before them is kept by the
 * statements of orders.c and allows.c, and put back by undo.c.
 */
#include "ledger/private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/lang.h"

static const int64_t steps[KH_TABLE_COUNT] = {
	[KH_TABLE_ORDERS] = KH_ORDER_STEP, [KH_TABLE_ALLOWS] = 1, [KH_TABLE_BULKS] = 1
};

int kh_change_flush(struct kh_ledger *ledger, struct kh_error *error)
{
	static const char *const sql[KH_TABLE_COUNT] = {
		[KH_TABLE_ORDERS] = "INSERT INTO orders_made VALUES (?1, ?2, ?3, ?4, ?1)",
		[KH_TABLE_ALLOWS] = "INSERT INTO allows_made VALUES (?1, ?2, ?3, ?4, ?1)",
		[KH_TABLE_BULKS] = "INSERT INTO bulks_made VALUES (?1, ?2, ?3, ?4, ?1)",
	};
	static const enum kh_cached which[KH_TABLE_COUNT] = {
		[KH_TABLE_ORDERS] = KH_SQL_MADE_ORDERS,
		[KH_TABLE_ALLOWS] = KH_SQL_MADE_ALLOWS,
		[KH_TABLE_BULKS] = KH_SQL_MADE_BULKS,
	};
	int64_t orders, allows;
	int code = 0;

	for (enum kh_table table = 0; table < KH_TABLE_COUNT && code >= 0; table++) {
		struct kh_run *run = &ledger->made[table];
		sqlite3_stmt *statement;

		if (!run->first)
			continue;
		code = kh_sql_cached(ledger, which[table], sql[table], &statement, error);
		if (code < 0)
			return code;
		kh_sql_bind_int(statement, 1, ledger->change);
		kh_sql_bind_int(statement, 2, run->first);
		kh_sql_bind_int(statement, 3, run->last);
		kh_sql_bind_int(statement, 4, steps[table]);
		code = kh_sql_run(ledger, statement, error);
		run->first = 0;
	}
	orders = ledger->touched[KH_TABLE_ORDERS] +
		 ledger->touched[KH_TABLE_BULKS]; /* a value of a list is an order too */
	allows = ledger->touched[KH_TABLE_ALLOWS];
	if (code >= 0 && (orders || allows)) {
		code = (int)kh_sql_change(ledger,
					  "UPDATE changes SET orders = orders + ?2, allows = allows + ?3 WHERE id = ?1",
					  (int64_t[4]){ ledger->change, orders, allows }, error);
		memset(ledger->touched, 0, sizeof(ledger->touched));
	}
	return code < 0 ? code : 0;
}

int kh_change_made(struct kh_ledger *ledger, enum kh_table table, int64_t id, struct kh_error *error)
{
	struct kh_run *run = &ledger->made[table];

	if (run->first && run->last + steps[table] != id) {
		int code = kh_change_flush(ledger, error);

		if (code < 0)
			return code;
	}
	if (!run->first)
		run->first = id;
	run->last = id;
	ledger->touched[table]++;
	return 0;
}

static int insert_change(struct kh_ledger *ledger, const struct kh_change *change, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(
		ledger,
		"INSERT INTO changes (id, time, uid, actor, kind, note, letter, undoes)"
		" VALUES ((SELECT coalesce(max(id), 0) + 1 FROM changes), ?1, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7)",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, change->time);
	kh_sql_bind_int(statement, 2, change->uid);
	kh_sql_bind_text(statement, 3, change->actor ? change->actor : "");
	kh_sql_bind_text(statement, 4, change->kind);
	kh_sql_bind_text(statement, 5, change->note);
	kh_sql_bind_int(statement, 6, change->letter);
	kh_sql_bind_int(statement, 7, change->undoes);
	return kh_sql_run(ledger, statement, error);
}

int kh_ledger_change_begin(struct kh_ledger *ledger, struct kh_change *change, struct kh_error *error)
{
	int code = kh_sql_writable(ledger, error);

	assert(change->kind);
	if (code >= 0)
		code = kh_change_flush(ledger, error); /* of a change before it in the same transaction */
	if (code >= 0)
		code = insert_change(ledger, change, error);
	if (code < 0)
		return code;
	ledger->change = sqlite3_last_insert_rowid(ledger->db);
	change->id = ledger->change;
	return 0;
}

int64_t kh_ledger_change_running(const struct kh_ledger *ledger)
{
	return ledger->change;
}

/* Rows it made, and rows it touched that did not drop before, or not for so long. CROSS JOIN: the past leads, the table is looked up. */
#define BLOCKS(table)                                                                                 \
	"SELECT 1 FROM " table "_made m CROSS JOIN " table " t ON t.id BETWEEN m.first AND m.last"    \
	" AND (t.id - m.first) % m.step = 0 WHERE m.at_change = ?1 AND t.state = 0 AND t.action = 0"  \
	" UNION ALL SELECT 1 FROM " table "_before b CROSS JOIN " table " t ON t.id = b.id"           \
	" WHERE b.at_change = ?1 AND t.state = 0 AND t.action = 0 AND (b.state <> 0 OR b.action <> 0" \
	" OR (b.expires > 0 AND (t.expires = 0 OR t.expires > b.expires)))"

int kh_ledger_change_blocks(struct kh_ledger *ledger, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_change_flush(ledger, error);

	_Static_assert(KH_ORDER_ACTIVE == 0 && KH_ACTION_DROP == 0, "the numbers in the statement");
	assert(ledger->change);
	if (code >= 0)
		code = kh_sql_prepare(ledger, BLOCKS("orders") " UNION ALL " BLOCKS("bulks") " LIMIT 1", &statement,
				      error);
	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, ledger->change);
	return kh_sql_step(ledger, statement, error);
}

int kh_ledger_changes(struct kh_ledger *ledger, int64_t before, int (*callback)(const struct kh_change *, void *),
		      void *context)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(
		ledger,
		"SELECT c.id, c.time, c.uid, c.actor, c.kind, c.note, c.letter, c.undoes, c.undone_by, c.orders, c.allows, u.until,"
		" u.ended_by, e.kind = 'confirm' FROM changes c LEFT JOIN unconfirmed u ON u.change = c.id"
		" LEFT JOIN changes e ON e.id = u.ended_by WHERE ?1 = 0 OR c.id < ?1 ORDER BY c.id DESC",
		&statement, NULL);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, before);
	while ((code = kh_sql_step(ledger, statement, NULL)) == 1) {
		struct kh_change change = {
			.id = sqlite3_column_int64(statement, 0),
			.time = sqlite3_column_int64(statement, 1),
			.uid = sqlite3_column_int64(statement, 2),
			.actor = kh_sql_text(statement, 3),
			.kind = kh_sql_text(statement, 4),
			.note = (const char *)sqlite3_column_text(statement, 5),
			.letter = sqlite3_column_int64(statement, 6),
			.undoes = sqlite3_column_int64(statement, 7),
			.undone_by = sqlite3_column_int64(statement, 8),
			.orders = sqlite3_column_int64(statement, 9),
			.allows = sqlite3_column_int64(statement, 10),
			.confirm_until = sqlite3_column_int64(statement, 11),
			.confirm_ended = sqlite3_column_int64(statement, 12),
			.confirmed = sqlite3_column_int(statement, 13) != 0,
		};
		int stop = callback(&change, context);

		if (stop)
			return stop;
	}
	return code;
}
