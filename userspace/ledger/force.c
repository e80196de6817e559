// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is in force, with slots: the smallest free numbers from 1 up, kept by an indicator while it is in force and for some
 * time after. One pass over the active orders and one over the slots; only what differs is written.
 */
#include "ledger/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"

struct place {
	int64_t slot;
	int64_t indicator;
	bool left; /* its holder was not in force before this call */
	bool reusable; /* and has been gone for long enough */
	bool seen; /* in force now */
	bool fresh; /* given in this call */
};

struct holder {
	int64_t indicator;
	size_t place;
};

/* Slots in ascending order. */
struct places {
	struct place *list;
	size_t count, capacity;
};

struct force {
	struct kh_ledger *ledger;
	int64_t now, grace;
	int (*callback)(const struct kh_force *, void *);
	void *context;

	struct places places; /* those that have rows */
	struct places fresh; /* those given in this call that have none */
	size_t at_place; /* the first in places that is not below next */
	int64_t next; /* below it nothing is free */
	struct kh_slot_runs runs; /* of bulk lists */
	struct holder *holders; /* by indicator */
	size_t holders_count, holders_capacity;
	bool holders_unsorted; /* while they are read; where no slot was used again, the order of slots is theirs */
	size_t at_holder;
	sqlite3_stmt *indicators; /* walks along with the orders */
	int64_t indicator; /* where it stands; 0: not begun */
};

static void force_clear(struct force *force)
{
	free(force->places.list);
	free(force->fresh.list);
	free(force->holders);
	free(force->runs.list);
	sqlite3_finalize(force->indicators);
}

static int append(struct places *places, const struct place *place, struct kh_error *error)
{
	if (kh_grow(&places->list, &places->capacity, places->count + 1, sizeof(*places->list)) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	places->list[places->count++] = *place;
	return 0;
}

static int by_indicator(const void *a, const void *b)
{
	int64_t x = ((const struct holder *)a)->indicator, y = ((const struct holder *)b)->indicator;

	return (x > y) - (x < y);
}

static int add_place(struct force *force, sqlite3_stmt *statement, struct kh_error *error)
{
	struct holder holder = { sqlite3_column_int64(statement, 1), force->places.count };
	int64_t left_at = sqlite3_column_int64(statement, 2);
	struct place place = {
		.slot = sqlite3_column_int64(statement, 0),
		.indicator = holder.indicator,
		.left = left_at != 0,
		.reusable = left_at && force->now - left_at >= force->grace &&
			    force->ledger->folds > sqlite3_column_int64(statement, 3),
	};

	if (place.slot <= 0 || place.slot > KH_SLOT_MAX || place.indicator <= 0)
		return kh_sql_fail(force->ledger, SQLITE_CORRUPT, error);
	if (kh_grow(&force->holders, &force->holders_capacity, force->holders_count + 1, sizeof(*force->holders)) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	force->holders_unsorted |=
		force->holders_count && force->holders[force->holders_count - 1].indicator > holder.indicator;
	force->holders[force->holders_count++] = holder;
	return append(&force->places, &place, error);
}

static int load_places(struct force *force, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(force->ledger, "SELECT slot, indicator, left_at, left_fold FROM slots ORDER BY slot",
				  &statement, error);

	if (code < 0)
		return code;
	while ((code = kh_sql_step(force->ledger, statement, error)) == 1) {
		code = add_place(force, statement, error);
		if (code < 0)
			return code;
	}
	if (code == 0 && force->holders_unsorted)
		qsort(force->holders, force->holders_count, sizeof(*force->holders), by_indicator);
	return code;
}

/* The lowest slot that is nobody's, or whose holder has been gone for long enough. */
static int take_slot(struct force *force, int64_t indicator, struct place *ret_place, struct kh_error *error)
{
	struct place place = { .indicator = indicator, .seen = true, .fresh = true };
	struct place *held = NULL;

	for (;; force->next++) {
		force->next = (int64_t)kh_slot_runs_skip(&force->runs, (size_t)force->next);
		while (force->at_place < force->places.count && force->places.list[force->at_place].slot < force->next)
			force->at_place++;
		held = force->at_place < force->places.count ? &force->places.list[force->at_place] : NULL;
		if (!held || held->slot != force->next || (held->reusable && !held->seen))
			break;
	}
	if (force->next > KH_SLOT_MAX) {
		kh_fail(error, -ENOSPC, _("more than %u indicators in force"), KH_SLOT_MAX);
		kh_hint(error, _("withdraw letters that are no longer needed (khien unblock --ref)"));
		return -ENOSPC;
	}
	place.slot = force->next++;
	*ret_place = place;
	if (!held || held->slot != place.slot)
		return append(&force->fresh, &place, error);
	*held = place;
	return 0;
}

/* The slot it has, had, or gets now. */
static int slot_of(struct force *force, int64_t indicator, struct place *ret_place, struct kh_error *error)
{
	/* Both come in ascending order of indicators. */
	while (force->at_holder < force->holders_count && force->holders[force->at_holder].indicator < indicator)
		force->at_holder++;
	if (force->at_holder < force->holders_count && force->holders[force->at_holder].indicator == indicator) {
		struct place *place = &force->places.list[force->holders[force->at_holder].place];

		if (place->indicator == indicator) {
			place->seen = true;
			*ret_place = *place;
			return 0;
		}
	}
	return take_slot(force, indicator, ret_place, error);
}

/* ---- The walk over what is active ----------------------------------------------------------------- */

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
	struct place place = {};
	int code;

	if (!gathered->indicator)
		return 0;
	code = read_indicator(force, gathered->indicator, &row.indicator, error);
	if (code < 0 || !kh_indicator_enforceable(&row.indicator))
		return code;
	code = slot_of(force, gathered->indicator, &place, error);
	row.slot = (uint32_t)place.slot;
	row.fresh = place.fresh;
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
	int code = kh_sql_prepare(force->ledger,
				  "SELECT id / 1048576, action, expires FROM orders WHERE state = 0 ORDER BY id",
				  &statement, error);

	if (code < 0)
		return code;
	while ((code = kh_sql_step(force->ledger, statement, error)) == 1) {
		int64_t indicator = sqlite3_column_int64(statement, 0);
		int stop = indicator == gathered.indicator ? 0 : hand_out(force, &gathered, error);

		if (stop)
			return stop;
		gather(&gathered, indicator, sqlite3_column_int64(statement, 1), sqlite3_column_int64(statement, 2));
	}
	return code < 0 ? code : hand_out(force, &gathered, error);
}

/* ---- Writing -------------------------------------------------------------------------------------- */

/* A row that is there: given to another, left, or taken up again. */
static int update_slot(struct force *force, const struct place *place, struct kh_error *error)
{
	static const struct {
		enum kh_cached which;
		const char *sql;
	} writes[] = {
		{ KH_SQL_SLOT_GIVE,
		  "UPDATE slots SET indicator = ?2, since = ?3, left_at = 0, left_fold = 0 WHERE slot = ?1" },
		{ KH_SQL_SLOT_LEAVE,
		  "UPDATE slots SET left_at = ?3, left_fold = ?4 WHERE slot = ?1 AND indicator = ?2" },
		{ KH_SQL_SLOT_RETURN,
		  "UPDATE slots SET left_at = 0, left_fold = 0 WHERE slot = ?1 AND indicator = ?2" },
	};
	size_t kind = place->fresh ? 0 : place->seen ? 2 : 1;
	sqlite3_stmt *statement;
	int code = kh_sql_cached(force->ledger, writes[kind].which, writes[kind].sql, &statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, place->slot);
	kh_sql_bind_int(statement, 2, place->indicator);
	kh_sql_bind_int(statement, 3, force->now);
	kh_sql_bind_int(statement, 4, force->ledger->folds);
	return kh_sql_run(force->ledger, statement, error);
}

/* In ascending order: an indicator that comes back after its slot was given away in this call has a higher one now, so its
 * old row is the other's before its new row is written. */
static int update_slots(struct force *force, struct kh_error *error)
{
	int code = 0;

	for (size_t i = 0; i < force->places.count && code >= 0; i++) {
		const struct place *place = &force->places.list[i];

		/* given to another, left, or taken up again */
		if (place->fresh || place->seen == place->left)
			code = update_slot(force, place, error);
	}
	return code;
}

#define ROW "(?, ?, ?)"
#define ROWS_8 ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW
#define BATCH 32

/* The first list is long: many rows a statement. What a last, shorter batch leaves unbound is NULL and skipped. */
static int insert_slots(struct force *force, struct kh_error *error)
{
	sqlite3_stmt *statement;
	int filled = 0;
	int code = kh_sql_cached(force->ledger, KH_SQL_SLOT_NEW,
				 "INSERT INTO slots (slot, indicator, since) SELECT * FROM (VALUES " ROWS_8 "," ROWS_8
				 "," ROWS_8 "," ROWS_8 ") WHERE column1 IS NOT NULL",
				 &statement, error);

	if (code >= 0)
		sqlite3_clear_bindings(statement);
	for (size_t i = 0; i < force->fresh.count && code >= 0; i++) {
		const struct place *place = &force->fresh.list[i];

		kh_sql_bind_int(statement, filled * 3 + 1, place->slot);
		kh_sql_bind_int(statement, filled * 3 + 2, place->indicator);
		kh_sql_bind_int(statement, filled * 3 + 3, force->now);
		if (++filled < BATCH)
			continue;
		code = kh_sql_run(force->ledger, statement, error);
		sqlite3_clear_bindings(statement);
		filled = 0;
	}
	return code < 0 || !filled ? code : kh_sql_run(force->ledger, statement, error);
}

static int by_slot(const void *a, const void *b)
{
	int64_t x = ((const struct place *)a)->slot, y = ((const struct place *)b)->slot;

	return (x > y) - (x < y);
}

static bool holds(const struct places *places, int64_t slot)
{
	const struct place wanted = { .slot = slot };

	return places->count && bsearch(&wanted, places->list, places->count, sizeof(wanted), by_slot);
}

static bool is_taken(size_t slot, const void *context)
{
	const struct force *force = context;

	return holds(&force->places, (int64_t)slot) || holds(&force->fresh, (int64_t)slot);
}

/* Above all that are taken. */
static size_t slots_end(const struct force *force)
{
	size_t end = 0;

	if (force->places.count)
		end = (size_t)force->places.list[force->places.count - 1].slot + 1;
	if (force->fresh.count && (size_t)force->fresh.list[force->fresh.count - 1].slot >= end)
		end = (size_t)force->fresh.list[force->fresh.count - 1].slot + 1;
	return end;
}

int kh_ledger_force(struct kh_ledger *ledger, int64_t now, int64_t grace,
		    int (*callback)(const struct kh_force *, void *), int (*list)(const struct kh_force_list *, void *),
		    void *context, struct kh_error *error)
{
	struct force force KH_CLEANUP(force_clear) = {
		.ledger = ledger, .now = now, .grace = grace, .next = 1, .callback = callback, .context = context
	};
	int code = kh_sql_writable(ledger, error);

	if (code >= 0)
		code = load_places(&force, error);
	if (code >= 0)
		code = kh_slot_runs_load(ledger, now, grace, &force.runs, error);
	if (code >= 0)
		code = kh_sql_prepare(ledger, "SELECT id, key FROM indicators WHERE id >= ?1 ORDER BY id",
				      &force.indicators, error);
	if (code >= 0)
		code = walk(&force, error);
	if (!code)
		code = kh_slot_runs_force(ledger, &force.runs, now, is_taken, slots_end(&force), &force, callback, list,
					  context, error);
	if (code)
		return code;
	code = update_slots(&force, error);
	return code < 0 ? code : insert_slots(&force, error);
}
