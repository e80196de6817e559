// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Undo: puts back the rows of one change, exactly, `change` column included. A row that a later change touched stays as it
 * is; but undoing that later change first gives the row back to this one, so changes can be taken back one by one.
 * Undoing an undo does its change again, and whether a change counts as undone follows along the chain.
 */
#include "ledger/private.h"

#include <assert.h>
#include <errno.h>

#include "common/lang.h"

/* ?1: the change undone; ?2: the running one. Each pair keeps, then acts on, the same rows. */
struct undo_table {
	const char *total; /* rows that ?1 touched */
	const char *keep_made, *delete_made;
	const char *keep_changed, *restore_changed;
	const char *keep_gone, *restore_gone;
};

#define TOTAL(table)                                                                                           \
	"SELECT (SELECT coalesce(sum((last - first) / step + 1), 0) FROM " table "_made WHERE at_change = ?1)" \
	" + (SELECT count(*) FROM " table "_before WHERE at_change = ?1)"

/* Rows it made that are still as it left them: keep, then delete. CROSS JOIN: the past leads, the table is looked up. */
#define MADE(table)                                                                        \
	" FROM " table "_made m CROSS JOIN " table " t ON t.id BETWEEN m.first AND m.last" \
	" AND (t.id - m.first) % m.step = 0 AND t.change = m.after_change WHERE m.at_change = ?1"
#define KEEP(table, after) "INSERT INTO " table "_before SELECT ?2, " after ", t.*"
#define KEPT " ON CONFLICT (at_change, id) DO UPDATE SET after_change = excluded.after_change"
#define KEEP_MADE(table) KEEP(table, "NULL") MADE(table) KEPT
#define DELETE_MADE(table) "DELETE FROM " table " WHERE id IN (SELECT t.id" MADE(table) ")"

/* Rows it changed that are still as it left them: keep them as they are, then put back what was. */
#define CHANGED(table)                               \
	" FROM " table "_before b CROSS JOIN " table \
	" t ON t.id = b.id AND t.change = b.after_change WHERE b.at_change = ?1"
#define KEEP_CHANGED(table) KEEP(table, "b.change") CHANGED(table) KEPT
#define RESTORE_CHANGED(table, columns)                                                                  \
	"INSERT OR REPLACE INTO " table " SELECT " columns " FROM " table "_before WHERE at_change = ?1" \
	" AND id IN (SELECT t.id" CHANGED(table) ")"

/* Rows it took away, where nothing has come in their place: say that they are made, then make them. */
#define GONE(table, same)                                                                     \
	" FROM " table "_before WHERE at_change = ?1 AND after_change IS NULL AND NOT EXISTS" \
	" (SELECT 1 FROM " table " t WHERE t.id = " table "_before.id)"                       \
	" AND NOT EXISTS (SELECT 1 FROM " table " t WHERE " same ")"
#define KEEP_GONE(table, same) "INSERT OR IGNORE INTO " table "_made SELECT ?2, id, id, 1, change" GONE(table, same)
#define RESTORE_GONE(table, columns, same) "INSERT INTO " table " SELECT " columns GONE(table, same)

#define UNDO(table, columns, same)                                                                                  \
	{                                                                                                           \
		TOTAL(table), KEEP_MADE(table), DELETE_MADE(table), KEEP_CHANGED(table),                            \
			RESTORE_CHANGED(table, columns), KEEP_GONE(table, same), RESTORE_GONE(table, columns, same) \
	}

/* In the order of the tables (schema.c). */
#define ORDER_COLUMNS \
	"id, indicator, letter, state, action, decision, reason, section, page, line, since, expires, change, rule, note, raw, file"
#define BULK_COLUMNS "id, letter, state, action, since, expires, change, note, file, count"
#define ALLOW_COLUMNS "id, key, value, note, actor, since, expires, change, active"

static const struct undo_table tables[KH_TABLE_COUNT] = {
	[KH_TABLE_ORDERS] = UNDO("orders", ORDER_COLUMNS, "t.id = orders_before.id"),
	[KH_TABLE_BULKS] = UNDO("bulks", BULK_COLUMNS, "t.id = bulks_before.id"),
	[KH_TABLE_ALLOWS] = UNDO("allows", ALLOW_COLUMNS, "t.key = allows_before.key"),
};

static int count_rows(struct kh_ledger *ledger, const char *sql, int64_t id, int64_t *ret_count, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(ledger, sql, &statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, id);
	code = kh_sql_step(ledger, statement, error);
	if (code == 1)
		*ret_count = sqlite3_column_int64(statement, 0);
	return code < 0 ? code : 0;
}

/* Values of the bulk lists that a change touched, as they stood before this undo. */
static int count_values(struct kh_ledger *ledger, int64_t change, int64_t *ret_count, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(
		ledger,
		"SELECT p.bulk FROM (SELECT DISTINCT id / 1048576 AS bulk FROM bulk_parts) p WHERE EXISTS"
		" (SELECT 1 FROM bulks_before b WHERE b.at_change = ?1 AND b.id = p.bulk) OR EXISTS"
		" (SELECT 1 FROM bulks_made m WHERE m.at_change = ?1 AND p.bulk BETWEEN m.first AND m.last)",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, change);
	*ret_count = 0;
	while ((code = kh_sql_step(ledger, statement, error)) == 1) {
		for (size_t i = 0; i < ledger->bulks.count; i++) {
			const struct kh_held *held = &ledger->bulks.list[i];

			if (held->id == sqlite3_column_int64(statement, 0))
				*ret_count +=
					held->absent ? (int64_t)kh_members_count(held->members) : kh_held_shown(held);
		}
	}
	return code;
}

static int undo_table(struct kh_ledger *ledger, enum kh_table table, int64_t id, struct kh_undo_result *result,
		      struct kh_error *error)
{
	const char *const sql[] = { tables[table].keep_made,	tables[table].delete_made,
				    tables[table].keep_changed, tables[table].restore_changed,
				    tables[table].keep_gone,	tables[table].restore_gone };
	const int64_t values[4] = { id, ledger->change };
	int64_t total = 0, restored = 0;
	int code = count_rows(ledger, tables[table].total, id, &total, error);

	if (code < 0 || !total)
		return code;
	for (size_t i = 0; i < KH_ARRAY_SIZE(sql); i++) {
		int64_t rows = kh_sql_change(ledger, sql[i], values, error);

		if (rows < 0)
			return (int)rows;
		if (i % 2) /* the second of each pair does it */
			restored += rows;
	}
	if (table == KH_TABLE_BULKS) {
		code = count_values(ledger, id, &total, error);
		if (code >= 0)
			code = count_values(ledger, ledger->change, &restored, error);
		if (code < 0)
			return code;
	}
	ledger->touched[table] += restored;
	result->restored += restored;
	result->skipped += total - restored;
	return 0;
}

/* ---- Which change -------------------------------------------------------------------------------- */

/* Loads what `id` undid and by what it was undone. 1, 0: there is no such change, or -errno. */
static int find_change(struct kh_ledger *ledger, int64_t id, int64_t *ret_undoes, int64_t *ret_undone_by,
		       struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(ledger, "SELECT undoes, undone_by FROM changes WHERE id = ?1", &statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, id);
	code = kh_sql_step(ledger, statement, error);
	if (code == 1) {
		*ret_undoes = sqlite3_column_int64(statement, 0);
		*ret_undone_by = sqlite3_column_int64(statement, 1);
	}
	return code;
}

static int find_newest(struct kh_ledger *ledger, int64_t *ret_id, struct kh_error *error)
{
	int64_t id = 0;
	int code = count_rows(
		ledger,
		"SELECT coalesce(max(id), 0) FROM changes WHERE id <> ?1 AND uid >= 0 AND undoes = 0 AND undone_by = 0"
		" AND kind <> 'undo' AND orders + allows > 0",
		ledger->change, &id, error);

	if (code < 0)
		return code;
	if (!id)
		return kh_fail(error, -ENOENT, _("there is no change to undo"));
	*ret_id = id;
	return 0;
}

static int fail_unknown(int64_t id, struct kh_error *error)
{
	kh_fail(error, -ENOENT, _("there is no change %lld"), (long long)id);
	kh_hint(error, _("khien history --changes lists them"));
	return -ENOENT;
}

/* `id` is undone by `by` (0: in effect again); what it had undone itself turns the other way, and so on down the chain. */
static int mark(struct kh_ledger *ledger, int64_t id, int64_t by, struct kh_error *error)
{
	while (id) {
		int64_t undoes = 0, undone_by, rows;
		int code = find_change(ledger, id, &undoes, &undone_by, error);

		if (code < 0)
			return code;
		rows = kh_sql_change(ledger, "UPDATE changes SET undone_by = ?2 WHERE id = ?1", (int64_t[4]){ id, by },
				     error);
		if (rows < 0)
			return (int)rows;
		if (undoes >= id)
			return 0; /* only in a file written by other hands: no loops */
		by = by ? 0 : id;
		id = undoes;
	}
	return 0;
}

int kh_ledger_undo(struct kh_ledger *ledger, int64_t id, int64_t *ret_id, struct kh_undo_result *ret_result,
		   struct kh_error *error)
{
	struct kh_undo_result result = {};
	int64_t undoes, undone_by, rows;
	int code = kh_sql_writable(ledger, error);

	assert(ledger->change);
	if (code >= 0 && !id)
		code = find_newest(ledger, &id, error);
	if (code >= 0)
		code = find_change(ledger, id, &undoes, &undone_by, error);
	if (code < 0)
		return code;
	if (code == 0 || id == ledger->change)
		return fail_unknown(id, error);
	if (undone_by)
		return kh_fail(error, -EALREADY, _("change %lld was undone by change %lld"), (long long)id,
			       (long long)undone_by);
	code = kh_change_flush(ledger, error);
	if (code >= 0)
		code = kh_bulks_load(ledger, error);
	for (enum kh_table table = 0; table < KH_TABLE_COUNT && code >= 0; table++)
		code = undo_table(ledger, table, id, &result, error);
	if (code >= 0)
		code = mark(ledger, id, ledger->change, error);
	if (code >= 0)
		code = kh_unconfirmed_end(ledger, id, error);
	if (code < 0)
		return code;
	rows = kh_sql_change(ledger, "UPDATE changes SET undoes = ?2 WHERE id = ?1", (int64_t[4]){ ledger->change, id },
			     error);
	if (rows < 0)
		return (int)rows;
	kh_bulks_forget(ledger, false);
	*ret_id = id;
	*ret_result = result;
	return 0;
}
