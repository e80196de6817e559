// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing a bulk list: one row, its values in a few large parts. What a value has already is found by walking sorted lists side by
 * side: its indicator, a row of its own under the letter, or the same order in an older list of the letter.
 */
#include "ledger/private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/lang.h"

#define PART_BYTES (1u << 20)

enum fate {
	FATE_NEW, /* to be written */
	FATE_ROW, /* the letter has a row of it */
	FATE_SAME, /* and it orders just this */
	FATE_OTHER, /* a list of the letter holds it, on other terms: to be written, and to hide that */
};

struct writing {
	struct kh_ledger *ledger;
	const struct kh_order_row *terms;
	struct kh_members values; /* all of the list; indicator 0: not known yet */
	uint8_t *fates;
	const struct kh_held *held; /* that is walked along */
};

static void writing_clear(struct writing *writing)
{
	kh_bulk_clear(&writing->values.values);
	free(writing->values.indicators);
	free(writing->fates);
}

static int copy_values(struct writing *writing, const struct kh_bulk *bulk)
{
	struct kh_bulk *values = &writing->values.values;
	size_t count = kh_bulk_count(bulk);

	values->v4 = malloc((bulk->v4_count + 1) * sizeof(*values->v4));
	values->v6 = malloc((bulk->v6_count + 1) * sizeof(*values->v6));
	writing->values.indicators = calloc(count + 1, sizeof(uint32_t));
	writing->fates = calloc(count + 1, 1);
	if (!values->v4 || !values->v6 || !writing->values.indicators || !writing->fates)
		return -ENOMEM;
	if (bulk->v4_count)
		memcpy(values->v4, bulk->v4, bulk->v4_count * sizeof(*values->v4));
	if (bulk->v6_count)
		memcpy(values->v6, bulk->v6, bulk->v6_count * sizeof(*values->v6));
	values->v4_count = bulk->v4_count;
	values->v6_count = bulk->v6_count;
	return 0;
}

/* ---- What is known of them ---------------------------------------------------------------------------- */

static bool same_terms(const struct kh_held *held, const struct kh_order_row *terms)
{
	return held->state == KH_ORDER_ACTIVE && held->action == terms->action && held->expires == terms->expires &&
	       !strcmp(held->note, terms->note ? terms->note : "");
}

static void on_held(size_t theirs, size_t ours, void *context)
{
	struct writing *writing = context;
	const struct kh_held *held = writing->held;
	uint32_t line, indicator;

	kh_member_range(held->members, theirs, &line, &indicator);
	writing->values.indicators[ours] = indicator;
	if (!held->absent && held->letter == writing->terms->letter && kh_held_shows(held, theirs))
		writing->fates[ours] = same_terms(held, writing->terms) ? FATE_SAME : FATE_OTHER;
}

/* Indicators with rows: few beside a long list, so they lead. */
static int find_rows(struct writing *writing, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(
		writing->ledger,
		"SELECT i.id, i.key, o.id FROM indicators i LEFT JOIN orders o ON o.id = i.id * 1048576 + ?1",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, writing->terms->letter);
	while ((code = kh_sql_step(writing->ledger, statement, error)) == 1) {
		const void *key = sqlite3_column_blob(statement, 1);
		struct kh_indicator indicator;
		int64_t found;

		if (kh_key_read(key, (size_t)sqlite3_column_bytes(statement, 1), "-", &indicator) < 0)
			return kh_sql_fail(writing->ledger, SQLITE_CORRUPT, error);
		if (indicator.type != KH_TYPE_ADDRESS && indicator.type != KH_TYPE_PREFIX &&
		    indicator.type != KH_TYPE_RANGE)
			continue;
		found = kh_bulk_find(&writing->values.values, &indicator.range);
		if (found < 0)
			continue;
		writing->values.indicators[found] = (uint32_t)sqlite3_column_int64(statement, 0);
		if (sqlite3_column_type(statement, 2) != SQLITE_NULL)
			writing->fates[found] = FATE_ROW;
	}
	return code;
}

static int find_known(struct writing *writing, struct kh_error *error)
{
	struct kh_bulks *bulks = &writing->ledger->bulks;
	int code = kh_bulks_load(writing->ledger, error);

	for (size_t i = 0; i < bulks->count && code >= 0; i++) {
		writing->held = &bulks->list[i];
		kh_members_meet(writing->held->members, &writing->values, on_held, writing);
	}
	return code < 0 ? code : find_rows(writing, error);
}

/* ---- Writing ------------------------------------------------------------------------------------------- */

/* Keeps what is to be written, and gives new indicators to those that have none. */
static int pick(struct writing *writing, size_t *ret_unchanged, struct kh_error *error)
{
	struct kh_bulk *values = &writing->values.values;
	uint32_t *indicators = writing->values.indicators;
	size_t v4 = 0, v6 = 0, all = kh_bulk_count(values);
	int64_t fresh = 0, next;

	*ret_unchanged = 0;
	for (size_t i = 0; i < all; i++) {
		*ret_unchanged += writing->fates[i] == FATE_SAME;
		if (writing->fates[i] != FATE_NEW && writing->fates[i] != FATE_OTHER)
			continue;
		fresh += !indicators[i];
		indicators[v4 + v6] = indicators[i];
		if (i < values->v4_count)
			values->v4[v4++] = values->v4[i];
		else
			values->v6[v6++] = values->v6[i - values->v4_count];
	}
	values->v4_count = v4;
	values->v6_count = v6;
	next = fresh ? kh_indicator_reserve(writing->ledger, fresh, error) : 1;
	if (next < 0)
		return (int)next;
	for (size_t i = 0; i < v4 + v6; i++)
		if (!indicators[i])
			indicators[i] = (uint32_t)next++;
	return 0;
}

/* Values of one family with their indicators. */
static int write_parts(struct kh_ledger *ledger, int64_t bulk, int family, const void *values, size_t each,
		       const uint32_t *indicators, size_t count, int64_t *part, struct kh_error *error)
{
	const uint8_t *at = values;
	size_t most = PART_BYTES / (each + sizeof(*indicators));
	uint8_t *data KH_CLEANUP(kh_freep) = malloc(PART_BYTES);

	if (!data)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	while (count) {
		size_t here = count < most ? count : most;
		KH_STATEMENT(statement);
		int code = kh_sql_prepare(ledger, "INSERT INTO bulk_parts VALUES (?1 * 1048576 + ?2, ?3, ?4)",
					  &statement, error);

		if (code < 0)
			return code;
		memcpy(data, at, here * each);
		memcpy(data + here * each, indicators, here * sizeof(*indicators));
		kh_sql_bind_int(statement, 1, bulk);
		kh_sql_bind_int(statement, 2, (*part)++);
		kh_sql_bind_int(statement, 3, family);
		kh_sql_bind_blob(statement, 4, data, here * (each + sizeof(*indicators)));
		code = kh_sql_run(ledger, statement, error);
		if (code < 0)
			return code;
		at += here * each;
		indicators += here;
		count -= here;
	}
	return 0;
}

/* The id of the new list, or -errno. Ids of lists whose row is gone are not given again: their parts stay. */
static int64_t write_row(struct kh_ledger *ledger, const struct kh_order_row *terms, size_t count,
			 struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(
		ledger,
		"INSERT INTO bulks SELECT coalesce(max(id) / 1048576, 0) + 1, ?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM bulk_parts",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, terms->letter);
	kh_sql_bind_int(statement, 2, (int64_t)terms->action);
	kh_sql_bind_int(statement, 3, terms->since);
	kh_sql_bind_int(statement, 4, terms->expires);
	kh_sql_bind_int(statement, 5, ledger->change);
	kh_sql_bind_text(statement, 6, terms->note ? terms->note : "");
	kh_sql_bind_text(statement, 7, terms->file ? terms->file : "");
	kh_sql_bind_int(statement, 8, (int64_t)count);
	code = kh_sql_run(ledger, statement, error);
	return code < 0 ? code : sqlite3_last_insert_rowid(ledger->db);
}

static int write_list(struct writing *writing, struct kh_error *error)
{
	struct kh_ledger *ledger = writing->ledger;
	const struct kh_bulk *values = &writing->values.values;
	const uint32_t *indicators = writing->values.indicators;
	struct kh_members *members;
	int64_t part = 0, id = write_row(ledger, writing->terms, kh_bulk_count(values), error);
	int code;

	if (id < 0)
		return (int)id;
	code = write_parts(ledger, id, 4, values->v4, sizeof(*values->v4), indicators, values->v4_count, &part, error);
	if (code >= 0)
		code = write_parts(ledger, id, 6, values->v6, sizeof(*values->v6), indicators + values->v4_count,
				   values->v6_count, &part, error);
	if (code < 0)
		return code;
	members = malloc(sizeof(*members));
	if (!members)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	*members = (struct kh_members){ .bulk = id, .values = *values, .indicators = writing->values.indicators };
	writing->values.indicators = NULL;
	memset(&writing->values.values, 0, sizeof(writing->values.values));
	ledger->touched[KH_TABLE_BULKS] += (int64_t)kh_members_count(members) - 1; /* and one by kh_change_made */
	code = kh_bulks_adopt(ledger, members);
	if (code < 0)
		return kh_fail(error, code, _("out of memory"));
	code = kh_change_made(ledger, KH_TABLE_BULKS, id, error);
	kh_bulks_forget(ledger, false);
	return code;
}

static int hand_out_rows(struct writing *writing, int (*row)(const struct kh_range *, uint32_t, void *), void *context)
{
	for (size_t i = 0; i < kh_members_count(&writing->values); i++) {
		uint32_t line, indicator;
		struct kh_range range;
		int code;

		if (writing->fates[i] != FATE_ROW)
			continue;
		range = kh_member_range(&writing->values, i, &line, &indicator);
		code = row(&range, line, context);
		if (code)
			return code;
	}
	return 0;
}

int kh_ledger_bulk_put(struct kh_ledger *ledger, const struct kh_order_row *terms, const struct kh_bulk *bulk,
		       int (*row)(const struct kh_range *range, uint32_t line, void *context), void *context,
		       size_t *ret_made, size_t *ret_unchanged, struct kh_error *error)
{
	struct writing writing KH_CLEANUP(writing_clear) = { .ledger = ledger, .terms = terms };
	size_t unchanged = 0;
	int code = kh_sql_writable(ledger, error);

	assert(ledger->change);
	if (code < 0)
		return code;
	if (copy_values(&writing, bulk) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	code = find_known(&writing, error);
	if (code >= 0)
		code = hand_out_rows(&writing, row, context);
	if (code)
		return code;
	code = pick(&writing, &unchanged, error);
	if (code < 0)
		return code;
	*ret_made = kh_members_count(&writing.values);
	*ret_unchanged = unchanged;
	return *ret_made ? write_list(&writing, error) : 0;
}
