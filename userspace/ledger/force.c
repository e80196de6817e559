// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is in force, with slots: one pass over the active orders, in ascending order of indicators.
 */
#include "ledger/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"

struct force {
	struct kh_ledger *ledger;
	int (*callback)(const struct kh_force *, void *);
	void *context;

	struct kh_slot_runs runs; /* of bulk lists */
	struct kh_awaited_list awaited; /* orders that another deadline counts for */
	sqlite3_stmt *indicators; /* walks along with the orders */
	int64_t indicator; /* where it stands; 0: not begun */
};

static void force_clear(struct force *force)
{
	free(force->runs.list);
	free(force->awaited.list);
	sqlite3_finalize(force->indicators);
}

/* All active orders of one indicator. */
struct gathered {
	int64_t indicator; /* 0: none yet */
	bool ordered[2]; /* by action */
	int64_t deadline[2]; /* the latest; 0: one of them has none */
};

static void gather(struct gathered *gathered, int64_t indicator, int64_t action, int64_t expires)
{
	size_t i = action == KH_ACTION_MONITOR;

	if (gathered->indicator != indicator)
		*gathered = (struct gathered){ .indicator = indicator };
	if (!gathered->ordered[i] || (gathered->deadline[i] && expires > gathered->deadline[i]))
		gathered->deadline[i] = expires;
	if (!expires)
		gathered->deadline[i] = 0;
	gathered->ordered[i] = true;
}

static void gather_row(const struct force *force, struct gathered *gathered, sqlite3_stmt *row)
{
	const struct kh_awaited_list *awaited = &force->awaited;
	int64_t indicator = sqlite3_column_int64(row, 0), id = sqlite3_column_int64(row, 3);
	size_t i = kh_awaited_find(awaited, id);

	if (i == awaited->count || awaited->list[i].id != id)
		gather(gathered, indicator, sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2));
	for (; i < awaited->count && awaited->list[i].id == id; i++)
		gather(gathered, indicator, awaited->list[i].action, awaited->list[i].deadline);
}

/* Steps the indicators on to the one wanted: mostly the next. */
static int read_indicator(struct force *force, int64_t indicator, struct kh_indicator *ret_indicator,
			  struct kh_error *error)
{
	sqlite3_stmt *statement = force->indicators;
	const void *key;
	int code = 1;

	for (int steps = 0; force->indicator < indicator && code == 1; steps++) {
		if (!force->indicator || steps == 16) {
			sqlite3_reset(statement);
			kh_sql_bind_int(statement, 1, indicator);
		}
		code = kh_sql_step(force->ledger, statement, error);
		force->indicator = sqlite3_column_int64(statement, 0);
	}
	if (code < 0)
		return code;
	key = sqlite3_column_blob(statement, 1);
	if (force->indicator != indicator ||
	    kh_key_read(key, (size_t)sqlite3_column_bytes(statement, 1), "-", ret_indicator) < 0)
		return kh_sql_fail(force->ledger, SQLITE_CORRUPT, error);
	return 0;
}

static int hand_out(struct force *force, const struct gathered *gathered, struct kh_error *error)
{
	struct kh_force row = {};
	int code;

	if (!gathered->indicator)
		return 0;
	code = read_indicator(force, gathered->indicator, &row.indicator, error);
	if (code < 0 || !kh_indicator_enforceable(&row.indicator))
		return code;
	code = kh_slots_give(force->ledger, &force->runs, gathered->indicator, &row.slot, &row.fresh, error);
	for (size_t i = 0; i < 2 && code == 0; i++) {
		if (!gathered->ordered[i])
			continue;
		row.action = i ? KH_ACTION_MONITOR : KH_ACTION_DROP;
		row.deadline = gathered->deadline[i];
		code = force->callback(&row, force->context);
	}
	return code;
}

static int walk(struct force *force, struct kh_error *error)
{
	KH_STATEMENT(statement);
	struct gathered gathered = {};
	int code = kh_sql_prepare(
		force->ledger, "SELECT indicator, action, expires, id FROM orders WHERE state = 0 ORDER BY indicator",
		&statement, error);

	if (code < 0)
		return code;
	while ((code = kh_sql_step(force->ledger, statement, error)) == 1) {
		int64_t indicator = sqlite3_column_int64(statement, 0);
		int stop = indicator == gathered.indicator ? 0 : hand_out(force, &gathered, error);

		if (stop)
			return stop;
		gather_row(force, &gathered, statement);
	}
	return code < 0 ? code : hand_out(force, &gathered, error);
}

int kh_ledger_force(struct kh_ledger *ledger, int64_t now, int64_t grace,
		    int (*callback)(const struct kh_force *, void *), int (*list)(const struct kh_force_list *, void *),
		    void *context, struct kh_error *error)
{
	struct force force KH_CLEANUP(force_clear) = { .ledger = ledger, .callback = callback, .context = context };
	int code = kh_sql_writable(ledger, error);

	if (code >= 0)
		code = kh_slots_begin(ledger, now, grace, error);
	if (code >= 0)
		code = kh_slot_runs_load(ledger, now, grace, &force.runs, error);
	if (code >= 0)
		code = kh_awaited_load(ledger, &force.awaited, error);
	if (code >= 0)
		code = kh_sql_prepare(ledger, "SELECT id, key FROM indicators WHERE id >= ?1 ORDER BY id",
				      &force.indicators, error);
	if (code >= 0)
		code = walk(&force, error);
	if (!code)
		code = kh_slot_runs_force(ledger, &force.runs, now, kh_slots_taken, kh_slots_end(&ledger->slots),
					  &ledger->slots, callback, list, context, error);
	return code ? code : kh_slots_write(ledger, error);
}
