// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Slots of single indicators. The table is read once and then kept in memory as it is in the file, since a change touches few of its rows; a
 * transaction that is rolled back forgets it. A pass asks for the slots of all indicators in force, in ascending order, and then writes
 * what differs.
 */
#include "ledger/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"

void kh_slots_forget(struct kh_ledger *ledger)
{
	ledger->slots.valid = false;
}

void kh_slots_clear(struct kh_ledger *ledger)
{
	struct kh_slots *slots = &ledger->slots;

	free(slots->list);
	free(slots->fresh);
	free(slots->holders);
	free(slots->given);
	free(slots->merged);
	*slots = (struct kh_slots){};
}

/* ---- Reading -------------------------------------------------------------------------------------- */

static int append_slot(struct kh_slot **list, size_t *count, size_t *capacity, const struct kh_slot *slot,
		       struct kh_error *error)
{
	if (kh_grow(list, capacity, *count + 1, sizeof(**list)) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	(*list)[(*count)++] = *slot;
	return 0;
}

static int append_holder(struct kh_slot_holder **list, size_t *count, size_t *capacity, int64_t indicator, size_t slot,
			 struct kh_error *error)
{
	if (kh_grow(list, capacity, *count + 1, sizeof(**list)) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	(*list)[(*count)++] = (struct kh_slot_holder){ indicator, slot };
	return 0;
}

static int by_indicator(const void *a, const void *b)
{
	int64_t x = ((const struct kh_slot_holder *)a)->indicator, y = ((const struct kh_slot_holder *)b)->indicator;

	return (x > y) - (x < y);
}

static int read_row(struct kh_ledger *ledger, sqlite3_stmt *statement, struct kh_error *error)
{
	struct kh_slots *slots = &ledger->slots;
	int64_t number = sqlite3_column_int64(statement, 0);
	struct kh_slot slot = {
		.number = (uint32_t)number,
		.indicator = sqlite3_column_int64(statement, 1),
		.left_at = sqlite3_column_int64(statement, 2),
		.left_fold = sqlite3_column_int64(statement, 3),
	};
	int code;

	if (number <= 0 || number > KH_SLOT_MAX || slot.indicator <= 0)
		return kh_sql_fail(ledger, SQLITE_CORRUPT, error);
	code = append_holder(&slots->holders, &slots->holders_count, &slots->holders_capacity, slot.indicator,
			     slots->count, error);
	return code < 0 ? code : append_slot(&slots->list, &slots->count, &slots->capacity, &slot, error);
}

static int read_all(struct kh_ledger *ledger, struct kh_error *error)
{
	KH_STATEMENT(statement);
	struct kh_slots *slots = &ledger->slots;
	int code = kh_sql_prepare(ledger, "SELECT slot, indicator, left_at, left_fold FROM slots ORDER BY slot",
				  &statement, error);

	slots->count = slots->holders_count = 0;
	while (code >= 0 && (code = kh_sql_step(ledger, statement, error)) == 1)
		code = read_row(ledger, statement, error);
	if (code == 0 && slots->holders_count)
		qsort(slots->holders, slots->holders_count, sizeof(*slots->holders), by_indicator);
	return code;
}

/* ---- A pass --------------------------------------------------------------------------------------- */

int kh_slots_begin(struct kh_ledger *ledger, int64_t now, int64_t grace, struct kh_error *error)
{
	struct kh_slots *slots = &ledger->slots;
	int code = slots->valid ? 0 : read_all(ledger, error);

	slots->valid = false; /* until the pass has written what it gave */
	slots->now = now;
	slots->grace = grace;
	slots->next = 1;
	slots->at_slot = slots->at_holder = 0;
	slots->fresh_count = slots->given_count = 0;
	for (size_t i = 0; i < slots->count; i++)
		slots->list[i].seen = slots->list[i].fresh = false;
	return code;
}

/* Nobody's for long enough, and not taken up again in this pass. */
static bool is_free(const struct kh_ledger *ledger, const struct kh_slot *slot)
{
	const struct kh_slots *slots = &ledger->slots;

	return !slot->seen && slot->left_at && slots->now - slot->left_at >= slots->grace &&
	       ledger->folds > slot->left_fold;
}

/* The lowest number that is nobody's, or whose holder has been gone for long enough. */
static int take(struct kh_ledger *ledger, const struct kh_slot_runs *runs, int64_t indicator, uint32_t *ret_number,
		struct kh_error *error)
{
	struct kh_slots *slots = &ledger->slots;
	struct kh_slot slot = { .indicator = indicator, .seen = true, .fresh = true }, *held = NULL;
	int code;

	for (;; slots->next++) {
		slots->next = kh_slot_runs_skip(runs, slots->next);
		while (slots->at_slot < slots->count && slots->list[slots->at_slot].number < slots->next)
			slots->at_slot++;
		held = slots->at_slot < slots->count ? &slots->list[slots->at_slot] : NULL;
		if (!held || held->number != slots->next || is_free(ledger, held))
			break;
	}
	if (slots->next > KH_SLOT_MAX) {
		kh_fail(error, -ENOSPC, _("more than %u indicators in force"), KH_SLOT_MAX);
		kh_hint(error, _("withdraw letters that are no longer needed (khien unblock --ref)"));
		return -ENOSPC;
	}
	*ret_number = slot.number = (uint32_t)slots->next++;
	if (!held || held->number != slot.number)
		return append_slot(&slots->fresh, &slots->fresh_count, &slots->fresh_capacity, &slot, error);
	code = append_holder(&slots->given, &slots->given_count, &slots->given_capacity, indicator, slots->at_slot,
			     error);
	*held = slot;
	return code;
}

int kh_slots_give(struct kh_ledger *ledger, const struct kh_slot_runs *runs, int64_t indicator, uint32_t *ret_number,
		  bool *ret_fresh, struct kh_error *error)
{
	struct kh_slots *slots = &ledger->slots;

	/* Both come in ascending order of indicators. */
	while (slots->at_holder < slots->holders_count && slots->holders[slots->at_holder].indicator < indicator)
		slots->at_holder++;
	if (slots->at_holder < slots->holders_count && slots->holders[slots->at_holder].indicator == indicator) {
		struct kh_slot *slot = &slots->list[slots->holders[slots->at_holder].slot];

		if (slot->indicator == indicator) {
			slot->seen = true;
			*ret_number = slot->number;
			*ret_fresh = slot->fresh;
			return 0;
		}
	}
	*ret_fresh = true;
	return take(ledger, runs, indicator, ret_number, error);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = ((const struct kh_slot *)a)->number, y = ((const struct kh_slot *)b)->number;

	return (x > y) - (x < y);
}

static bool holds(const struct kh_slot *list, size_t count, size_t number)
{
	const struct kh_slot wanted = { .number = (uint32_t)number };

	return count && bsearch(&wanted, list, count, sizeof(wanted), by_number);
}

bool kh_slots_taken(size_t number, const void *context)
{
	const struct kh_slots *slots = context;

	return holds(slots->list, slots->count, number) || holds(slots->fresh, slots->fresh_count, number);
}

size_t kh_slots_end(const struct kh_slots *slots)
{
	size_t end = slots->count ? slots->list[slots->count - 1].number + (size_t)1 : 0;
	size_t fresh = slots->fresh_count ? slots->fresh[slots->fresh_count - 1].number + (size_t)1 : 0;

	return fresh > end ? fresh : end;
}

/* ---- Writing -------------------------------------------------------------------------------------- */

/* A row that is there: given to another, left, or taken up again. */
static int update_row(struct kh_ledger *ledger, struct kh_slot *slot, struct kh_error *error)
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
	size_t kind = slot->fresh ? 0 : slot->seen ? 2 : 1;
	sqlite3_stmt *statement;
	int code = kh_sql_cached(ledger, writes[kind].which, writes[kind].sql, &statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, slot->number);
	kh_sql_bind_int(statement, 2, slot->indicator);
	kh_sql_bind_int(statement, 3, ledger->slots.now);
	kh_sql_bind_int(statement, 4, ledger->folds);
	slot->left_at = slot->seen ? 0 : ledger->slots.now;
	slot->left_fold = slot->seen ? 0 : ledger->folds;
	return kh_sql_run(ledger, statement, error);
}

/* In ascending order: an indicator that comes back after its slot was given away in this pass has a higher one now, so its
 * old row is the other's before its new row is written. */
static int update_rows(struct kh_ledger *ledger, struct kh_error *error)
{
	int code = 0;

	for (size_t i = 0; i < ledger->slots.count && code >= 0; i++) {
		struct kh_slot *slot = &ledger->slots.list[i];

		if (slot->fresh || slot->seen == (slot->left_at != 0))
			code = update_row(ledger, slot, error);
	}
	return code;
}

#define ROW "(?, ?, ?)"
#define ROWS_8 ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW
#define BATCH 32

/* The first list is long: many rows a statement. What a last, shorter batch leaves unbound is NULL and skipped. */
static int insert_rows(struct kh_ledger *ledger, struct kh_error *error)
{
	const struct kh_slots *slots = &ledger->slots;
	sqlite3_stmt *statement;
	int filled = 0;
	int code = kh_sql_cached(ledger, KH_SQL_SLOT_NEW,
				 "INSERT INTO slots (slot, indicator, since) SELECT * FROM (VALUES " ROWS_8 "," ROWS_8
				 "," ROWS_8 "," ROWS_8 ") WHERE column1 IS NOT NULL",
				 &statement, error);

	if (code >= 0)
		sqlite3_clear_bindings(statement);
	for (size_t i = 0; i < slots->fresh_count && code >= 0; i++) {
		kh_sql_bind_int(statement, filled * 3 + 1, slots->fresh[i].number);
		kh_sql_bind_int(statement, filled * 3 + 2, slots->fresh[i].indicator);
		kh_sql_bind_int(statement, filled * 3 + 3, slots->now);
		if (++filled < BATCH)
			continue;
		code = kh_sql_run(ledger, statement, error);
		sqlite3_clear_bindings(statement);
		filled = 0;
	}
	return code < 0 || !filled ? code : kh_sql_run(ledger, statement, error);
}

/* ---- Memory after writing ------------------------------------------------------------------------- */

/* Rows that are new follow all others; their holders join those of rows that were given. False: they do not follow, and the table is to be
 * read again. */
static bool append_fresh(struct kh_slots *slots)
{
	if (!slots->fresh_count)
		return true;
	if (slots->count && slots->fresh[0].number < slots->list[slots->count - 1].number)
		return false;
	for (size_t i = 0; i < slots->fresh_count; i++)
		if (append_holder(&slots->given, &slots->given_count, &slots->given_capacity, slots->fresh[i].indicator,
				  slots->count, NULL) < 0 ||
		    append_slot(&slots->list, &slots->count, &slots->capacity, &slots->fresh[i], NULL) < 0)
			return false;
	return true;
}

/* Holders whose slot is another's now go, those of this pass come in: both were in order, so they are merged. Rows that were there are given
 * before new ones are made, so the holders of both are in order too. */
static bool merge_holders(struct kh_slots *slots)
{
	size_t count = 0, at = 0;
	struct kh_slot_holder *merged;

	if (!slots->given_count)
		return true;
	if (kh_grow(&slots->merged, &slots->merged_capacity, slots->holders_count + slots->given_count,
		    sizeof(*slots->merged)) < 0)
		return false;
	merged = slots->merged;
	for (size_t i = 0; i < slots->holders_count; i++) {
		const struct kh_slot_holder *holder = &slots->holders[i];

		if (slots->list[holder->slot].indicator != holder->indicator)
			continue;
		while (at < slots->given_count && slots->given[at].indicator < holder->indicator)
			merged[count++] = slots->given[at++];
		merged[count++] = *holder;
	}
	while (at < slots->given_count)
		merged[count++] = slots->given[at++];
	slots->merged = slots->holders;
	slots->holders = merged;
	at = slots->merged_capacity;
	slots->merged_capacity = slots->holders_capacity;
	slots->holders_capacity = at;
	slots->holders_count = count;
	return true;
}

int kh_slots_write(struct kh_ledger *ledger, struct kh_error *error)
{
	struct kh_slots *slots = &ledger->slots;
	int code = update_rows(ledger, error);

	if (code >= 0)
		code = insert_rows(ledger, error);
	if (code >= 0)
		slots->valid = append_fresh(slots) && merge_holders(slots);
	return code;
}
