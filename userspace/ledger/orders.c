// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing orders: the hot path of a push. One row an indicator and letter; each step is one prepared statement, and a row
 * newly made costs nothing in the past (changes.c).
 */
#include "ledger/private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/lang.h"

const char *kh_order_state_name(enum kh_order_state state)
{
	static const char *const names[] = {
#define X(symbol, name) [symbol] = name,
		KH_ORDER_STATES(X)
#undef X
	};

	_Static_assert(KH_ARRAY_SIZE(names) == KH_ORDER_STATE_COUNT, "a state lacks its name");
	return (unsigned int)state < KH_ORDER_STATE_COUNT ? names[state] : "?";
}

/* The id it has in a bulk list, or the next new one, which is still to be taken. */
static int64_t choose_id(struct kh_ledger *ledger, const struct kh_indicator *indicator, struct kh_error *error)
{
	int64_t id = 0;
	int code = 0;

	if (indicator->type == KH_TYPE_ADDRESS || indicator->type == KH_TYPE_PREFIX || indicator->type == KH_TYPE_RANGE)
		code = kh_bulk_indicator(ledger, &indicator->range, &id, error);
	if (code < 0)
		return code;
	return code ? id : kh_indicator_reserve(ledger, 0, error);
}

/* 1: made; 0: was there; or -errno. */
static int find_or_make_indicator(struct kh_ledger *ledger, const struct kh_indicator *indicator,
				  const struct kh_key *key, const char *value, int64_t *ret_id, struct kh_error *error)
{
	KH_CACHED(find);
	sqlite3_stmt *insert;
	int64_t id = choose_id(ledger, indicator, error);
	int code;

	if (id < 0)
		return (int)id;
	code = kh_sql_cached(ledger, KH_SQL_INDICATOR_NEW,
			     "INSERT OR IGNORE INTO indicators (id, key, value) VALUES (?1, ?2, ?3)", &insert, error);
	if (code < 0)
		return code;
	kh_sql_bind_int(insert, 1, id);
	kh_sql_bind_blob(insert, 2, key->bytes, key->size);
	kh_sql_bind_text(insert, 3, value);
	code = kh_sql_run(ledger, insert, error);
	if (code < 0)
		return code;
	if (sqlite3_changes(ledger->db)) {
		*ret_id = id;
		if (id == ledger->bulks.next_indicator)
			id = kh_indicator_reserve(ledger, 1, error);
		return id < 0 ? (int)id : 1;
	}
	code = kh_sql_cached(ledger, KH_SQL_INDICATOR_FIND, "SELECT id FROM indicators WHERE key = ?1", &find, error);
	if (code < 0)
		return code;
	kh_sql_bind_blob(find, 1, key->bytes, key->size);
	code = kh_sql_step(ledger, find, error);
	if (code == 0)
		return kh_sql_fail(ledger, SQLITE_CORRUPT, error); /* the index says one thing, the table another */
	*ret_id = sqlite3_column_int64(find, 0);
	return code < 0 ? code : 0;
}

/* ?1 indicator ?2 letter ?3 state ?4 action ?5 decision ?6 reason ?7 section ?8 page ?9 line ?10 since ?11 expires ?12 change
 * ?13 rule ?14 note ?15 raw ?16 file; ?17 id */
static void bind_order(sqlite3_stmt *statement, const struct kh_order_row *order, int64_t indicator, int64_t change,
		       const char *raw)
{
	kh_sql_bind_int(statement, 1, indicator);
	kh_sql_bind_int(statement, 2, order->letter);
	kh_sql_bind_int(statement, 3, (int64_t)order->state);
	kh_sql_bind_int(statement, 4, (int64_t)order->action);
	kh_sql_bind_int(statement, 5, (int64_t)order->decision);
	kh_sql_bind_int(statement, 6, (int64_t)order->reason);
	kh_sql_bind_int(statement, 7, (int64_t)order->section);
	kh_sql_bind_int(statement, 8, order->page);
	kh_sql_bind_int(statement, 9, order->line);
	kh_sql_bind_int(statement, 10, order->since);
	kh_sql_bind_int(statement, 11, order->expires);
	kh_sql_bind_int(statement, 12, change);
	kh_sql_bind_text(statement, 13, order->rule ? order->rule : "");
	kh_sql_bind_text(statement, 14, order->note ? order->note : "");
	kh_sql_bind_text(statement, 15, raw);
	kh_sql_bind_text(statement, 16, order->file ? order->file : "");
}

static int insert_order(struct kh_ledger *ledger, const struct kh_order_row *order, int64_t indicator, const char *raw,
			struct kh_error *error)
{
	int64_t id = KH_ORDER_ID(indicator, order->letter);
	sqlite3_stmt *statement;
	int code = kh_sql_cached(
		ledger, KH_SQL_ORDER_NEW,
		"INSERT INTO orders (indicator, letter, state, action, decision, reason, section, page, line, since, expires,"
		" change, rule, note, raw, file, id)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
		&statement, error);

	if (code < 0)
		return code;
	bind_order(statement, order, indicator, ledger->change, raw);
	kh_sql_bind_int(statement, 17, id);
	code = kh_sql_run(ledger, statement, error);
	if (code < 0)
		return code;
	code = kh_change_made(ledger, KH_TABLE_ORDERS, id, error);
	return code < 0 ? code : 1;
}

struct stored {
	int64_t since, change;
	bool same, same_state;
};

static bool same_text(sqlite3_stmt *statement, int column, const char *text)
{
	return !strcmp(kh_sql_text(statement, column), text ? text : "");
}

/* 1: found, and compared with what is ordered now; 0: there is none. */
static int find_order(struct kh_ledger *ledger, const struct kh_order_row *order, int64_t indicator, const char *raw,
		      struct stored *ret_stored, struct kh_error *error)
{
	const int64_t wanted[] = { (int64_t)order->state,
				   (int64_t)order->action,
				   (int64_t)order->decision,
				   (int64_t)order->reason,
				   (int64_t)order->section,
				   order->page,
				   order->line,
				   order->expires };
	KH_CACHED(statement);
	int code = kh_sql_cached(
		ledger, KH_SQL_ORDER_FIND,
		"SELECT since, change, rule, note, raw, file, state, action, decision, reason, section, page, line, expires"
		" FROM orders WHERE id = ?1",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, KH_ORDER_ID(indicator, order->letter));
	code = kh_sql_step(ledger, statement, error);
	if (code <= 0)
		return code;
	ret_stored->since = sqlite3_column_int64(statement, 0);
	ret_stored->change = sqlite3_column_int64(statement, 1);
	ret_stored->same = same_text(statement, 2, order->rule) && same_text(statement, 3, order->note) &&
			   same_text(statement, 4, raw) && (sqlite3_column_type(statement, 4) == SQLITE_NULL) == !raw &&
			   same_text(statement, 5, order->file);
	for (int i = 0; i < (int)KH_ARRAY_SIZE(wanted); i++)
		ret_stored->same = ret_stored->same && sqlite3_column_int64(statement, 6 + i) == wanted[i];
	ret_stored->same_state = sqlite3_column_int64(statement, 6) == wanted[0];
	return 1;
}

static int update_order(struct kh_ledger *ledger, const struct kh_order_row *order, int64_t indicator, const char *raw,
			const struct stored *stored, struct kh_error *error)
{
	struct kh_order_row row = *order;
	sqlite3_stmt *statement;
	int code = 0;

	if (stored->change != ledger->change) {
		code = kh_sql_cached(ledger, KH_SQL_ORDER_KEEP,
				     "INSERT INTO orders_before SELECT ?1, ?1, t.* FROM orders t WHERE t.id = ?2"
				     " ON CONFLICT (at_change, id) DO UPDATE SET after_change = excluded.after_change",
				     &statement, error);
		if (code < 0)
			return code;
		kh_sql_bind_int(statement, 1, ledger->change);
		kh_sql_bind_int(statement, 2, KH_ORDER_ID(indicator, order->letter));
		code = kh_sql_run(ledger, statement, error);
		ledger->touched[KH_TABLE_ORDERS]++;
	}
	if (code >= 0)
		code = kh_sql_cached(
			ledger, KH_SQL_ORDER_UPDATE,
			"UPDATE orders SET indicator = ?1, letter = ?2, state = ?3, action = ?4, decision = ?5, reason = ?6,"
			" section = ?7, page = ?8, line = ?9, since = ?10, expires = ?11, change = ?12, rule = ?13, note = ?14,"
			" raw = ?15, file = ?16 WHERE id = ?17",
			&statement, error);
	if (code < 0)
		return code;
	if (stored->same_state)
		row.since = stored->since;
	bind_order(statement, &row, indicator, ledger->change, raw);
	kh_sql_bind_int(statement, 17, KH_ORDER_ID(indicator, order->letter));
	code = kh_sql_run(ledger, statement, error);
	return code < 0 ? code : 1;
}

static bool valid(const struct kh_order_row *order)
{
	return order->letter > 0 && order->letter < KH_ORDER_STEP &&
	       (unsigned int)order->state < KH_ORDER_STATE_COUNT && (unsigned int)order->action <= KH_ACTION_MONITOR &&
	       (unsigned int)order->decision < KH_DECISION_COUNT && (unsigned int)order->reason < KH_WHY_COUNT &&
	       (unsigned int)order->section <= KH_SECTION_LIST;
}

int kh_ledger_order_put(struct kh_ledger *ledger, const struct kh_order_row *order, struct kh_error *error)
{
	char *value KH_CLEANUP(kh_freep) = NULL;
	const char *raw = order->raw ? order->raw : "";
	struct stored stored;
	struct kh_key key;
	int64_t indicator = 0;
	int code = kh_sql_writable(ledger, error);

	assert(ledger->change);
	if (code >= 0)
		code = valid(order) ? kh_key_of(&order->indicator, &key) : -EINVAL;
	if (code < 0)
		return ledger->failure ? code : kh_fail(error, code, _("not a valid order"));
	value = kh_indicator_format(&order->indicator);
	if (!value)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	if (!strcmp(raw, value))
		raw = NULL; /* as most are */
	code = kh_bulk_take_out(ledger, order->letter, &order->indicator, error);
	if (code < 0)
		return code;
	code = find_or_make_indicator(ledger, &order->indicator, &key, value, &indicator, error);
	if (code == 0)
		code = find_order(ledger, order, indicator, raw, &stored, error);
	else if (code == 1)
		code = 0; /* a new indicator has no orders */
	if (code < 0)
		return code;
	if (code == 1 && stored.same)
		return 0;
	ledger->tallies.valid = false;
	return code == 1 ? update_order(ledger, order, indicator, raw, &stored, error)
			 : insert_order(ledger, order, indicator, raw, error);
}

struct expiring {
	int64_t now, bulk;
	struct kh_order_row terms;
};

static int find_expiring(const struct kh_bulk_row *row, void *context)
{
	struct expiring *expiring = context;

	if (row->terms.state != KH_ORDER_ACTIVE || !row->terms.expires || row->terms.expires > expiring->now)
		return 0;
	expiring->bulk = row->id;
	expiring->terms = row->terms;
	return 1;
}

/* Lists that speak for something: the others may come back by an undo, and expire then. */
static int64_t expire_lists(struct kh_ledger *ledger, int64_t now, struct kh_error *error)
{
	struct expiring expiring = { .now = now };
	int64_t count = 0;
	int code;

	while ((code = kh_ledger_bulks(ledger, 0, find_expiring, &expiring)) == 1) {
		int64_t values;

		expiring.terms.state = KH_ORDER_EXPIRED;
		expiring.terms.since = now;
		values = kh_ledger_bulk_change(ledger, expiring.bulk, &expiring.terms, error);
		if (values < 0)
			return values;
		count += values;
	}
	return code < 0 ? code : count;
}

int64_t kh_ledger_expire(struct kh_ledger *ledger, int64_t now, struct kh_error *error)
{
	static const struct {
		enum kh_table table;
		const char *keep, *act;
	} sets[] = {
		{ KH_TABLE_ORDERS,
		  "INSERT INTO orders_before SELECT ?1, ?1, t.* FROM orders t WHERE state = 0 AND expires > 0 AND expires <= ?2"
		  " AND change <> ?1 ON CONFLICT (at_change, id) DO UPDATE SET after_change = excluded.after_change",
		  "UPDATE orders SET state = 4, since = ?2, change = ?1 WHERE state = 0 AND expires > 0 AND expires <= ?2" },
		{ KH_TABLE_ALLOWS,
		  "INSERT INTO allows_before SELECT ?1, ?1, t.* FROM allows t WHERE active = 1 AND expires > 0 AND expires <= ?2"
		  " AND change <> ?1 ON CONFLICT (at_change, id) DO UPDATE SET after_change = excluded.after_change",
		  "UPDATE allows SET active = 0, since = ?2, change = ?1 WHERE active = 1 AND expires > 0 AND expires <= ?2" },
	};
	const int64_t values[4] = { ledger->change, now };
	int64_t count, rows;
	int code = kh_sql_writable(ledger, error);

	assert(ledger->change);
	if (code < 0)
		return code;
	count = expire_lists(ledger, now, error);
	if (count < 0)
		return count;
	for (size_t i = 0; i < KH_ARRAY_SIZE(sets); i++) {
		rows = kh_sql_change(ledger, sets[i].keep, values, error);
		if (rows >= 0) {
			ledger->touched[sets[i].table] += rows;
			rows = kh_sql_change(ledger, sets[i].act, values, error);
		}
		if (rows < 0)
			return rows;
		count += rows;
	}
	ledger->tallies.valid = false;
	return count;
}

static int find_deadline(const struct kh_bulk_row *row, void *context)
{
	int64_t *next = context;

	if (row->terms.state == KH_ORDER_ACTIVE && row->terms.expires && (!*next || row->terms.expires < *next))
		*next = row->terms.expires;
	return 0;
}

int64_t kh_ledger_next_deadline(struct kh_ledger *ledger)
{
	KH_STATEMENT(statement);
	int64_t next = 0;
	int code = kh_sql_prepare(
		ledger,
		"SELECT min(d) FROM (SELECT min(expires) AS d FROM orders WHERE state = 0 AND expires > 0"
		" UNION ALL SELECT min(expires) FROM allows WHERE active = 1 AND expires > 0)",
		&statement, NULL);

	if (code >= 0)
		code = kh_sql_step(ledger, statement, NULL);
	if (code == 1)
		next = sqlite3_column_int64(statement, 0);
	kh_ledger_bulks(ledger, 0, find_deadline, &next);
	return next;
}
