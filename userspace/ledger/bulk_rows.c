// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bulk lists as others see them: rows like any other, letters that hold an indicator; and the way of a single value out of a
 * list into a row of its own.
 */
#include "ledger/private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"

/* What pages through rows sees as their ids: behind those of all rows of the table. */
#define CURSOR ((int64_t)1 << 62)
#define CURSOR_OF(bulk, index) (CURSOR | (bulk) << 32 | (int64_t)(index))

/* ---- Reading ------------------------------------------------------------------------------------------- */

static bool fits_list(const struct kh_held *held, const struct kh_order_filter *filter)
{
	return !held->absent && (!filter->letter || held->letter == filter->letter) &&
	       (filter->state < 0 || (int)held->state == filter->state) &&
	       (!filter->bulk || held->id == filter->bulk) &&
	       (!filter->expires_before ||
		(held->state == KH_ORDER_ACTIVE && held->expires > 0 && held->expires < filter->expires_before));
}

static int add_counts(struct kh_ledger *ledger, struct kh_order_row *row)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(ledger, KH_SQL_BULK_COUNTS,
				 "SELECT packets, bytes, first_seen, last_seen FROM counts WHERE indicator = ?1",
				 &statement, NULL);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, row->indicator_id);
	code = kh_sql_step(ledger, statement, NULL);
	if (code <= 0)
		return code;
	row->packets = sqlite3_column_int64(statement, 0);
	row->bytes = sqlite3_column_int64(statement, 1);
	row->first_seen = sqlite3_column_int64(statement, 2);
	row->last_seen = sqlite3_column_int64(statement, 3);
	return 0;
}

static enum kh_indicator_type type_of(const struct kh_range *range)
{
	return range->first == range->last	    ? KH_TYPE_ADDRESS
	       : kh_range_prefix_length(range) >= 0 ? KH_TYPE_PREFIX
						    : KH_TYPE_RANGE;
}

/* The list's own columns: what is the same of all its rows. */
static struct kh_order_row terms_of(const struct kh_held *held)
{
	return (struct kh_order_row){
		.letter = held->letter,
		.number = held->number,
		.state = held->state,
		.action = held->action,
		.decision = KH_ENFORCE,
		.reason = KH_WHY_TABLE,
		.rule = "",
		.note = held->note,
		.value = "",
		.raw = "",
		.file = held->file,
		.section = KH_SECTION_LIST,
		.since = held->since,
		.expires = held->expires,
		.change = held->change,
	};
}

static int hand_out(struct kh_ledger *ledger, const struct kh_held *held, size_t index,
		    int (*callback)(const struct kh_order_row *, void *), void *context)
{
	struct kh_order_row row = terms_of(held);
	char value[KH_RANGE_TEXT];
	uint32_t line, indicator;
	int code;

	row.indicator.range = kh_member_range(held->members, index, &line, &indicator);
	row.indicator.type = type_of(&row.indicator.range);
	row.id = CURSOR_OF(held->id, index);
	row.indicator_id = indicator;
	row.value = row.raw = kh_range_format(&row.indicator.range, value);
	row.line = (int)line;
	row.slot = held->first_slot && !held->left ? (uint32_t)((size_t)held->first_slot + index) : 0;
	code = add_counts(ledger, &row);
	return code < 0 ? code : callback(&row, context);
}

/* The value that the filter asks for: 1 it does, 0 it does not ask, -ENOENT none of a bulk list can fit. */
static int wanted_value(const struct kh_order_filter *filter, struct kh_range *ret_range)
{
	struct kh_indicator indicator = {};

	if (!filter->value)
		return 0;
	if (kh_indicator_parse(filter->value, &indicator, NULL) < 0)
		return -ENOENT;
	if (indicator.type == KH_TYPE_ADDRESS_PORT || !kh_indicator_enforceable(&indicator)) {
		kh_indicator_clear(&indicator);
		return -ENOENT;
	}
	*ret_range = indicator.range;
	return 1;
}

int kh_bulk_orders(struct kh_ledger *ledger, const struct kh_order_filter *filter, int64_t limit,
		   int (*callback)(const struct kh_order_row *, void *), void *context)
{
	struct kh_range wanted = {};
	int asked = wanted_value(filter, &wanted), code = asked == -ENOENT ? 0 : kh_bulks_load(ledger, NULL);

	if (asked == -ENOENT || code < 0)
		return code;
	for (size_t i = 0; i < ledger->bulks.count; i++) {
		const struct kh_held *held = &ledger->bulks.list[i];
		size_t count = kh_members_count(held->members), at = 0;

		if (!fits_list(held, filter))
			continue;
		if (asked) {
			int64_t found = kh_bulk_find(&held->members->values, &wanted);

			if (found < 0)
				continue;
			at = (size_t)found;
			count = at + 1;
		}
		if (filter->after >= CURSOR_OF(held->id, 0) && filter->after >= CURSOR_OF(held->id, at))
			at = filter->after >= CURSOR_OF(held->id + 1, 0) ? count : (size_t)(uint32_t)filter->after + 1;
		for (; at < count; at++) {
			uint32_t line, indicator;
			struct kh_range range;

			if (!kh_held_shows(held, at))
				continue;
			range = kh_member_range(held->members, at, &line, &indicator);
			if (filter->overlaps && !kh_range_overlaps(&range, filter->overlaps))
				continue;
			if (limit-- == 0)
				return 0;
			code = hand_out(ledger, held, at, callback, context);
			if (code)
				return code;
		}
	}
	return 0;
}

int kh_ledger_bulks(struct kh_ledger *ledger, int64_t letter, int (*callback)(const struct kh_bulk_row *, void *),
		    void *context)
{
	int code = kh_bulks_load(ledger, NULL);

	for (size_t i = 0; i < ledger->bulks.count && code == 0; i++) {
		const struct kh_held *held = &ledger->bulks.list[i];
		struct kh_bulk_row row = { .id = held->id,
					   .terms = terms_of(held),
					   .values = &held->members->values,
					   .left_out = held->hidden,
					   .count = kh_held_shown(held) };

		if (!held->absent && (!letter || held->letter == letter) && row.count)
			code = callback(&row, context);
	}
	return code;
}

int kh_bulk_state(struct kh_ledger *ledger, int64_t letter, const struct kh_indicator *indicator,
		  enum kh_order_state *ret_state)
{
	int code = kh_bulks_load(ledger, NULL);

	if (indicator->type != KH_TYPE_ADDRESS && indicator->type != KH_TYPE_PREFIX && indicator->type != KH_TYPE_RANGE)
		return 0;
	for (size_t i = 0; i < ledger->bulks.count && code >= 0; i++) {
		const struct kh_held *held = &ledger->bulks.list[i];
		int64_t found;

		if (held->absent || held->letter != letter)
			continue;
		found = kh_bulk_find(&held->members->values, &indicator->range);
		if (found < 0 || !kh_held_shows(held, (size_t)found))
			continue;
		*ret_state = held->state;
		return 1;
	}
	return code;
}

/* ---- SQL functions --------------------------------------------------------------------------------------- */

static bool was_in_force(enum kh_order_state state)
{
	return state == KH_ORDER_ACTIVE || state == KH_ORDER_EXPIRED || state == KH_ORDER_WITHDRAWN;
}

static void sql_holds(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct kh_ledger *ledger = sqlite3_user_data(context);
	int64_t indicator = sqlite3_value_int64(values[0]), letter = sqlite3_value_int64(values[1]);
	int holds = 0;

	(void)count;
	for (size_t i = 0; i < ledger->bulks.count && !holds; i++) {
		const struct kh_held *held = &ledger->bulks.list[i];

		holds = !held->absent && held->letter == letter && was_in_force(held->state) &&
			kh_ids_hold(&held->shown, indicator);
	}
	sqlite3_result_int(context, holds);
}

static void sql_numbers(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct kh_ledger *ledger = sqlite3_user_data(context);
	int64_t indicator = sqlite3_value_int64(values[0]);
	const char *before = (const char *)sqlite3_value_text(values[1]);
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	(void)count;
	if (!stream) {
		sqlite3_result_error_nomem(context);
		return;
	}
	fputs(before ? before : "", stream);
	for (size_t i = 0; i < ledger->bulks.count; i++) {
		const struct kh_held *held = &ledger->bulks.list[i];

		if (!held->absent && held->state == KH_ORDER_ACTIVE && held->letter != KH_LETTER_BY_HAND &&
		    kh_ids_hold(&held->shown, indicator))
			fprintf(stream, "%s%s", ftell(stream) > 0 ? ", " : "", held->number);
	}
	if (fclose(stream))
		sqlite3_result_error_nomem(context);
	else
		sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
	free(text);
}

int kh_bulk_functions(struct kh_ledger *ledger, struct kh_error *error)
{
	int result = sqlite3_create_function(ledger->db, "bulk_holds", 2, SQLITE_UTF8, ledger, sql_holds, NULL, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_create_function(ledger->db, "bulk_numbers", 2, SQLITE_UTF8, ledger, sql_numbers, NULL,
						 NULL);
	return result == SQLITE_OK ? 0 : kh_sql_fail(ledger, result, error);
}

/* ---- Changing a list as a whole ---------------------------------------------------------------------------- */

static const struct kh_held *find_held(struct kh_ledger *ledger, int64_t id)
{
	for (size_t i = 0; i < ledger->bulks.count; i++)
		if (ledger->bulks.list[i].id == id && !ledger->bulks.list[i].absent)
			return &ledger->bulks.list[i];
	return NULL;
}

int64_t kh_ledger_bulk_change(struct kh_ledger *ledger, int64_t bulk, const struct kh_order_row *terms,
			      struct kh_error *error)
{
	KH_STATEMENT(statement);
	const struct kh_held *held;
	int64_t count, rows;
	int code = kh_sql_writable(ledger, error);

	assert(ledger->change);
	if (code >= 0)
		code = kh_bulks_load(ledger, error);
	if (code < 0)
		return code;
	held = find_held(ledger, bulk);
	if (!held)
		return -ENOENT;
	if (held->state == terms->state && held->action == terms->action && held->expires == terms->expires &&
	    !strcmp(held->note, terms->note ? terms->note : ""))
		return 0;
	count = kh_held_shown(held);
	if (held->change != ledger->change) {
		rows = kh_sql_change(ledger,
				     "INSERT INTO bulks_before SELECT ?1, ?1, t.* FROM bulks t WHERE t.id = ?2"
				     " ON CONFLICT (at_change, id) DO UPDATE SET after_change = excluded.after_change",
				     (int64_t[4]){ ledger->change, bulk }, error);
		if (rows < 0)
			return rows;
		ledger->touched[KH_TABLE_BULKS] += count;
	}
	code = kh_sql_prepare(
		ledger,
		"UPDATE bulks SET state = ?2, action = ?3, since = ?4, expires = ?5, note = ?6, change = ?7 WHERE id = ?1",
		&statement, error);
	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, bulk);
	kh_sql_bind_int(statement, 2, (int64_t)terms->state);
	kh_sql_bind_int(statement, 3, (int64_t)terms->action);
	kh_sql_bind_int(statement, 4, terms->since);
	kh_sql_bind_int(statement, 5, terms->expires);
	kh_sql_bind_text(statement, 6, terms->note ? terms->note : "");
	kh_sql_bind_int(statement, 7, ledger->change);
	code = kh_sql_run(ledger, statement, error);
	kh_bulks_forget(ledger, false);
	return code < 0 ? code : count;
}
