// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bulk lists in memory: their rows, their values, and which values they speak for. Values never change once written, so they
 * are read once; the rest is read again when something was written.
 *
 * Of several lists of one letter that hold a value the newest speaks for it, whatever state it is in; a row of the value and letter
 * speaks before them all. So pushing a list again with another deadline hides the older one, and undoing that shows it again.
 */
#include "ledger/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"

/* ---- Reading rows ----------------------------------------------------------------------------------- */

static void clear_list(struct kh_bulks *bulks)
{
	for (size_t i = 0; i < bulks->count; i++) {
		struct kh_held *held = &bulks->list[i];

		free(held->note);
		free(held->file);
		free(held->number);
		if (held->hidden) /* else they are those of its members */
			kh_ids_clear(&held->shown);
		free(held->hidden);
	}
	bulks->count = 0;
}

static int add_held(struct kh_ledger *ledger, sqlite3_stmt *statement, struct kh_error *error)
{
	struct kh_bulks *bulks = &ledger->bulks;
	struct kh_held held = {
		.id = sqlite3_column_int64(statement, 0),
		.absent = sqlite3_column_type(statement, 1) == SQLITE_NULL, /* then all else is 0 */
		.letter = sqlite3_column_int64(statement, 1),
		.state = (enum kh_order_state)sqlite3_column_int(statement, 2),
		.action = (enum kh_action)sqlite3_column_int(statement, 3),
		.since = sqlite3_column_int64(statement, 4),
		.expires = sqlite3_column_int64(statement, 5),
		.change = sqlite3_column_int64(statement, 6),
		.first_slot = sqlite3_column_int64(statement, 10),
		.left = sqlite3_column_int64(statement, 11) != 0,
		.count = sqlite3_column_int64(statement, 12),
	};
	int code = kh_members_read(ledger, held.id, &held.members, error);

	if (code < 0)
		return code;
	if ((unsigned int)held.state >= KH_ORDER_STATE_COUNT || (unsigned int)held.action > KH_ACTION_MONITOR)
		return kh_sql_fail(ledger, SQLITE_CORRUPT, error);
	held.shown = held.members->ids;
	held.note = strdup(kh_sql_text(statement, 7));
	held.file = strdup(kh_sql_text(statement, 8));
	held.number = strdup(kh_sql_text(statement, 9));
	if (!held.note || !held.file || !held.number ||
	    kh_grow(&bulks->list, &bulks->capacity, bulks->count + 1, sizeof(*bulks->list)) < 0) {
		free(held.note);
		free(held.file);
		free(held.number);
		return kh_fail(error, -ENOMEM, _("out of memory"));
	}
	bulks->list[bulks->count++] = held;
	return 0;
}

static int read_list(struct kh_ledger *ledger, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(
		ledger,
		"SELECT p.bulk, b.letter, b.state, b.action, b.since, b.expires, b.change, b.note, b.file, l.number, s.first, s.left_at, b.count"
		" FROM (SELECT DISTINCT id / 1048576 AS bulk FROM bulk_parts) p LEFT JOIN bulks b ON b.id = p.bulk"
		" LEFT JOIN letters l ON l.id = b.letter LEFT JOIN bulk_slots s ON s.bulk = p.bulk ORDER BY 1",
		&statement, error);

	while (code >= 0 && (code = kh_sql_step(ledger, statement, error)) == 1)
		code = add_held(ledger, statement, error);
	return code;
}

/* ---- Who speaks -------------------------------------------------------------------------------------- */

struct meeting {
	struct kh_held *older;
	int code;
};

static void on_met(size_t older, size_t newer, void *context)
{
	struct meeting *meeting = context;

	(void)newer;
	if (meeting->code >= 0)
		meeting->code = kh_held_hide(meeting->older, older);
}

static int hide_older(struct kh_bulks *bulks)
{
	for (size_t i = 0; i < bulks->count; i++) {
		struct meeting meeting = { .older = &bulks->list[i] };

		for (size_t j = i + 1; j < bulks->count && !bulks->list[i].absent; j++)
			if (!bulks->list[j].absent && bulks->list[j].letter == bulks->list[i].letter)
				kh_members_meet(bulks->list[i].members, bulks->list[j].members, on_met, &meeting);
		if (meeting.code < 0)
			return meeting.code;
	}
	return 0;
}

int kh_bulks_load(struct kh_ledger *ledger, struct kh_error *error)
{
	struct kh_bulks *bulks = &ledger->bulks;
	int code;

	if (bulks->valid)
		return 0;
	clear_list(bulks);
	code = read_list(ledger, error);
	if (code >= 0)
		code = hide_older(bulks);
	if (code >= 0)
		code = kh_bulks_hide_rows(ledger, error);
	if (code < 0) {
		clear_list(bulks);
		return code == -ENOMEM ? kh_fail(error, code, _("out of memory")) : code;
	}
	bulks->valid = true;
	return 0;
}

void kh_bulks_forget(struct kh_ledger *ledger, bool all)
{
	struct kh_bulks *bulks = &ledger->bulks;
	size_t kept = 0;

	bulks->valid = false;
	ledger->tallies.valid = false;
	if (!all)
		return;
	clear_list(bulks); /* it borrows the members */
	for (size_t i = 0; i < bulks->members_count; i++) {
		if (bulks->members[i]->pending)
			kh_members_free(bulks->members[i]);
		else
			bulks->members[kept++] = bulks->members[i];
	}
	bulks->members_count = kept;
	bulks->next_indicator = 0;
}

void kh_bulks_settle(struct kh_ledger *ledger)
{
	for (size_t i = 0; i < ledger->bulks.members_count; i++)
		ledger->bulks.members[i]->pending = false;
}

void kh_bulks_clear(struct kh_ledger *ledger)
{
	struct kh_bulks *bulks = &ledger->bulks;

	clear_list(bulks);
	for (size_t i = 0; i < bulks->members_count; i++)
		kh_members_free(bulks->members[i]);
	free(bulks->list);
	free(bulks->members);
	memset(bulks, 0, sizeof(*bulks));
}

/* ---- Indicators --------------------------------------------------------------------------------------- */

int kh_bulk_indicator(struct kh_ledger *ledger, const struct kh_range *range, int64_t *ret_id, struct kh_error *error)
{
	int code = kh_bulks_load(ledger, error);

	for (size_t i = 0; i < ledger->bulks.count && code >= 0; i++) {
		const struct kh_members *members = ledger->bulks.list[i].members;
		int64_t found = kh_bulk_find(&members->values, range);
		uint32_t line, indicator;

		if (found < 0)
			continue;
		kh_member_range(members, (size_t)found, &line, &indicator);
		*ret_id = indicator;
		return 1;
	}
	return code;
}

int64_t kh_indicator_reserve(struct kh_ledger *ledger, int64_t count, struct kh_error *error)
{
	struct kh_bulks *bulks = &ledger->bulks;
	int64_t first;
	int code;

	if (!bulks->next_indicator) {
		KH_STATEMENT(statement);

		code = kh_sql_prepare(ledger, "SELECT coalesce(max(id), 0) + 1 FROM indicators", &statement, error);
		if (code >= 0)
			code = kh_sql_step(ledger, statement, error);
		if (code >= 0)
			code = kh_bulks_load(ledger, error);
		if (code < 0)
			return code;
		bulks->next_indicator = sqlite3_column_int64(statement, 0);
		for (size_t i = 0; i < bulks->count; i++) {
			const struct kh_ids *ids = &bulks->list[i].members->ids;

			if (ids->first + ids->count > bulks->next_indicator) /* at most 63 too high */
				bulks->next_indicator = ids->first + ids->count;
		}
	}
	first = bulks->next_indicator;
	if (first + count > UINT32_MAX)
		return kh_fail(error, -ENOSPC, _("more than %u different indicators in one ledger"), UINT32_MAX);
	bulks->next_indicator += count;
	return first;
}

int kh_bulk_name(struct kh_ledger *ledger, int64_t indicator, const struct kh_range *range, struct kh_error *error)
{
	char value[KH_RANGE_TEXT];
	sqlite3_stmt *statement;
	struct kh_key key;
	int code = kh_sql_cached(ledger, KH_SQL_BULK_NAME,
				 "INSERT OR IGNORE INTO indicators (id, key, value) VALUES (?1, ?2, ?3)", &statement,
				 error);

	if (code < 0)
		return code;
	kh_key_of_range(range, &key);
	kh_sql_bind_int(statement, 1, indicator);
	kh_sql_bind_blob(statement, 2, key.bytes, key.size);
	kh_sql_bind_text(statement, 3, kh_range_format(range, value));
	return kh_sql_run(ledger, statement, error);
}
