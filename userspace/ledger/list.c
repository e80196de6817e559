// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading orders: by letter, state, value, overlap and deadline, in pages.
 */
#include "ledger/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SELECT                                                                                                                   \
	"SELECT o.id, o.indicator, o.letter, i.key, i.value, l.number, o.state, o.action, o.decision, o.reason, o.rule, o.note," \
	" o.raw, o.file, o.page, o.line, o.section, o.since, o.expires, o.change, s.slot, c.packets, c.bytes, c.first_seen,"     \
	" c.last_seen FROM orders o JOIN indicators i ON i.id = o.indicator JOIN letters l ON l.id = o.letter"                   \
	" LEFT JOIN slots s ON s.indicator = o.indicator AND s.left_at = 0 LEFT JOIN counts c ON c.indicator = o.indicator"      \
	" WHERE o.id > ?1"

/* By indicator when the list of ids is what narrows it down. */
#define OVERLAPS \
	" AND o.id IN (SELECT x.id FROM json_each(?5) j CROSS JOIN orders x ON " KH_SQL_OF_INDICATOR("x", "j.value") ")"

#define LONGEST 1600

static int read_order(sqlite3_stmt *statement, struct kh_order_row *ret_row)
{
	const char *value = kh_sql_text(statement, 4);
	struct kh_order_row row = {
		.id = sqlite3_column_int64(statement, 0),
		.indicator_id = sqlite3_column_int64(statement, 1),
		.letter = sqlite3_column_int64(statement, 2),
		.value = value,
		.number = kh_sql_text(statement, 5),
		.state = (enum kh_order_state)sqlite3_column_int(statement, 6),
		.action = (enum kh_action)sqlite3_column_int(statement, 7),
		.decision = (enum kh_decision)sqlite3_column_int(statement, 8),
		.reason = (enum kh_decision_reason)sqlite3_column_int(statement, 9),
		.rule = kh_sql_text(statement, 10),
		.note = kh_sql_text(statement, 11),
		.raw = sqlite3_column_type(statement, 12) == SQLITE_NULL ? value : kh_sql_text(statement, 12),
		.file = kh_sql_text(statement, 13),
		.page = sqlite3_column_int(statement, 14),
		.line = sqlite3_column_int(statement, 15),
		.section = (enum kh_section)sqlite3_column_int(statement, 16),
		.since = sqlite3_column_int64(statement, 17),
		.expires = sqlite3_column_int64(statement, 18),
		.change = sqlite3_column_int64(statement, 19),
		.slot = (uint32_t)sqlite3_column_int64(statement, 20),
		.packets = sqlite3_column_int64(statement, 21),
		.bytes = sqlite3_column_int64(statement, 22),
		.first_seen = sqlite3_column_int64(statement, 23),
		.last_seen = sqlite3_column_int64(statement, 24),
	};
	const void *key = sqlite3_column_blob(statement, 3);
	int code = kh_key_read(key, (size_t)sqlite3_column_bytes(statement, 3), value, &row.indicator);

	/* Numbers that became something else on the disk must not index a table of names. */
	if (code < 0 || (unsigned int)row.state >= KH_ORDER_STATE_COUNT ||
	    (unsigned int)row.action > KH_ACTION_MONITOR || (unsigned int)row.decision >= KH_DECISION_COUNT ||
	    (unsigned int)row.reason >= KH_WHY_COUNT || (unsigned int)row.section > KH_SECTION_LIST)
		return -EUCLEAN;
	*ret_row = row;
	return 0;
}

static void compose(const struct kh_order_filter *filter, char sql[static LONGEST])
{
	snprintf(sql, LONGEST, SELECT "%s%s%s%s%s ORDER BY o.id LIMIT ?7", filter->letter ? " AND o.letter = ?2" : "",
		 filter->state >= 0 ? " AND o.state = ?3" : "",
		 filter->value ? " AND " KH_SQL_OF_INDICATOR("o", "?4") : "", filter->overlaps ? OVERLAPS : "",
		 filter->expires_before ? " AND o.state = 0 AND o.expires > 0 AND o.expires < ?6" : "");
}

/* 1: prepared; 0: nothing can fit; or -errno. `ids` is lent to the statement. */
static int prepare(struct kh_ledger *ledger, const struct kh_order_filter *filter, char **ids,
		   sqlite3_stmt **ret_statement)
{
	int64_t indicator = 0;
	char sql[LONGEST];
	int code = 1;

	if (filter->value)
		code = kh_key_find(ledger, filter->value, &indicator);
	if (code <= 0)
		return code;
	code = filter->overlaps ? kh_key_overlaps(ledger, filter->overlaps, ids) : 0;
	if (code < 0)
		return code;
	compose(filter, sql);
	code = kh_sql_prepare(ledger, sql, ret_statement, NULL);
	if (code < 0)
		return code;
	kh_sql_bind_int(*ret_statement, 1, filter->after);
	kh_sql_bind_int(*ret_statement, 2, filter->letter);
	kh_sql_bind_int(*ret_statement, 3, filter->state);
	kh_sql_bind_int(*ret_statement, 4, indicator);
	kh_sql_bind_text(*ret_statement, 5, *ids);
	kh_sql_bind_int(*ret_statement, 6, filter->expires_before);
	kh_sql_bind_int(*ret_statement, 7, filter->limit > 0 ? filter->limit : -1);
	return 1;
}

int kh_ledger_orders(struct kh_ledger *ledger, const struct kh_order_filter *filter,
		     int (*callback)(const struct kh_order_row *, void *), void *context)
{
	char *ids KH_CLEANUP(kh_freep) = NULL;
	KH_STATEMENT(statement);
	int64_t left = filter->limit > 0 ? filter->limit : -1;
	int code = filter->bulk ? 0 : prepare(ledger, filter, &ids, &statement);

	if (code < 0)
		return code;
	while (statement && (code = kh_sql_step(ledger, statement, NULL)) == 1) {
		struct kh_order_row row;
		int stop = read_order(statement, &row);

		if (!stop)
			stop = callback(&row, context);
		if (stop)
			return stop;
		left--;
	}
	if (code < 0 || left == 0 || filter->rows_only)
		return code;
	return kh_bulk_orders(ledger, filter, left, callback, context);
}

int kh_ledger_order_state(struct kh_ledger *ledger, int64_t letter, const struct kh_indicator *indicator,
			  enum kh_order_state *ret_state)
{
	KH_CACHED(statement);
	struct kh_key key;
	int code = kh_key_of(indicator, &key);

	if (code >= 0)
		code = kh_sql_cached(
			ledger, KH_SQL_ORDER_STATE,
			"SELECT o.state FROM indicators i JOIN orders o ON o.id = i.id * 1048576 + ?2 WHERE i.key = ?1",
			&statement, NULL);
	if (code < 0)
		return code;
	kh_sql_bind_blob(statement, 1, key.bytes, key.size);
	kh_sql_bind_int(statement, 2, letter);
	code = kh_sql_step(ledger, statement, NULL);
	if (code == 1)
		*ret_state = (enum kh_order_state)sqlite3_column_int(statement, 0);
	return code ? code : kh_bulk_state(ledger, letter, indicator, ret_state);
}
