// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes that wait for confirmation (unconfirmed.h), and what that makes of the deadlines of what they ordered.
 */
#include "ledger/unconfirmed.h"

#include <assert.h>
#include <errno.h>

#include "common/lang.h"
#include "ledger/private.h"

static int load(struct kh_ledger *ledger, struct kh_error *error)
{
	KH_STATEMENT(statement);
	struct kh_waiting *waiting = &ledger->waiting;
	int code;

	if (waiting->valid)
		return 0;
	_Static_assert(KH_UNCONFIRMED_MAX == 64, "the number in the statement");
	code = kh_sql_prepare(ledger,
			      "SELECT change, until FROM unconfirmed WHERE ended_by = 0 ORDER BY change LIMIT 64",
			      &statement, error);
	waiting->count = 0;
	while (code >= 0 && (code = kh_sql_step(ledger, statement, error)) == 1) {
		waiting->changes[waiting->count] = sqlite3_column_int64(statement, 0);
		waiting->untils[waiting->count++] = sqlite3_column_int64(statement, 1);
	}
	waiting->valid = code >= 0;
	return code;
}

/* ---- Writing ------------------------------------------------------------------------------------- */

static int64_t change_rows(struct kh_ledger *ledger, const char *sql, int64_t first, int64_t second,
			   struct kh_error *error)
{
	int code = kh_sql_writable(ledger, error);

	if (code < 0)
		return code;
	ledger->waiting.valid = false;
	return kh_sql_change(ledger, sql, (int64_t[4]){ first, second }, error);
}

int kh_ledger_unconfirmed_put(struct kh_ledger *ledger, int64_t until, struct kh_error *error)
{
	int64_t rows;
	int code = load(ledger, error);

	assert(ledger->change);
	if (code < 0)
		return code;
	if (ledger->waiting.count >= KH_UNCONFIRMED_MAX) {
		kh_fail(error, -ENOSPC, _("%d changes wait for confirmation already"), KH_UNCONFIRMED_MAX);
		return kh_hint(error, _("khien confirm keeps them")), -ENOSPC;
	}
	rows = change_rows(ledger, "INSERT OR REPLACE INTO unconfirmed (change, until) VALUES (?1, ?2)", ledger->change,
			   until, error);
	return rows < 0 ? (int)rows : 0;
}

int kh_unconfirmed_end(struct kh_ledger *ledger, int64_t change, struct kh_error *error)
{
	return (int)change_rows(ledger, "UPDATE unconfirmed SET ended_by = ?2 WHERE change = ?1 AND ended_by = 0",
				change, ledger->change, error);
}

int kh_ledger_unconfirmed_confirm(struct kh_ledger *ledger, int64_t change, struct kh_error *error)
{
	assert(ledger->change);
	return kh_unconfirmed_end(ledger, change, error);
}

int kh_ledger_unconfirmed_shift(struct kh_ledger *ledger, int64_t after, int64_t seconds, struct kh_error *error)
{
	return (int)change_rows(ledger, "UPDATE unconfirmed SET until = until + ?2 WHERE ended_by = 0 AND change > ?1",
				after, seconds, error);
}

/* ---- Reading ------------------------------------------------------------------------------------- */

/* Does the change `later` touch what `u` left? A row before it carries that change then. */
#define TOUCHED(table) "EXISTS (SELECT 1 FROM " table " b WHERE b.at_change = later.change AND b.change = u.change)"

int kh_ledger_unconfirmed(struct kh_ledger *ledger, int (*callback)(const struct kh_unconfirmed *, void *),
			  void *context)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(
		ledger,
		"SELECT u.change, u.until, c.kind, c.actor, (SELECT max(later.change) FROM unconfirmed later WHERE"
		" later.ended_by = 0 AND later.change > u.change AND (" TOUCHED("orders_before") " OR " TOUCHED(
			"bulks_before") ")) FROM unconfirmed u JOIN changes c ON c.id = u.change WHERE u.ended_by = 0"
					" ORDER BY u.change",
		&statement, NULL);

	while (code >= 0 && (code = kh_sql_step(ledger, statement, NULL)) == 1) {
		const struct kh_unconfirmed row = {
			.change = sqlite3_column_int64(statement, 0),
			.until = sqlite3_column_int64(statement, 1),
			.kind = kh_sql_text(statement, 2),
			.actor = kh_sql_text(statement, 3),
			.held_by = sqlite3_column_int64(statement, 4),
		};
		int stop = callback(&row, context);

		if (stop)
			return stop;
	}
	return code;
}

int64_t kh_ledger_unconfirmed_next(struct kh_ledger *ledger)
{
	int64_t next = 0;

	if (load(ledger, NULL) < 0)
		return 0;
	for (size_t i = 0; i < ledger->waiting.count; i++)
		if (!next || ledger->waiting.untils[i] < next)
			next = ledger->waiting.untils[i];
	return next;
}

int64_t kh_ledger_unconfirmed_until(struct kh_ledger *ledger, int64_t change)
{
	if (load(ledger, NULL) < 0)
		return 0;
	for (size_t i = 0; i < ledger->waiting.count; i++)
		if (ledger->waiting.changes[i] == change)
			return ledger->waiting.untils[i];
	return 0;
}

int kh_ledger_confirmation(struct kh_ledger *ledger, int64_t change, struct kh_confirmation *ret_confirmation)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(
		ledger,
		"SELECT u.change, u.until, u.ended_by, e.time, e.kind = 'confirm' FROM unconfirmed u"
		" LEFT JOIN changes e ON e.id = u.ended_by WHERE u.change = ?1 OR (?1 = 0 AND u.ended_by > 0)"
		" ORDER BY u.ended_by DESC, u.change DESC LIMIT 1",
		&statement, NULL);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, change);
	code = kh_sql_step(ledger, statement, NULL);
	if (code == 1)
		*ret_confirmation = (struct kh_confirmation){
			.change = sqlite3_column_int64(statement, 0),
			.until = sqlite3_column_int64(statement, 1),
			.ended_by = sqlite3_column_int64(statement, 2),
			.ended = sqlite3_column_int64(statement, 3),
			.confirmed = sqlite3_column_int(statement, 4) != 0,
		};
	return code;
}

/* ---- Deadlines ------------------------------------------------------------------------------------ */

/* What a row orders, or ordered before a change touched it. */
struct terms {
	int64_t state, action, expires, change;
};

static int64_t deadline_of(struct kh_ledger *ledger, const struct terms *terms)
{
	int64_t until = kh_ledger_unconfirmed_until(ledger, terms->change);

	return until && (!terms->expires || until < terms->expires) ? until : terms->expires;
}

/* From a row as an unconfirmed change left it to what it was before. 1; 0: there was none, or it needs no confirmation; or -errno. */
static int step_back(struct kh_ledger *ledger, sqlite3_stmt *before, int64_t id, struct terms *terms,
		     struct kh_error *error)
{
	int64_t change = terms->change;
	int code;

	if (!kh_ledger_unconfirmed_until(ledger, change))
		return 0;
	kh_sql_bind_int(before, 1, change);
	kh_sql_bind_int(before, 2, id);
	code = kh_sql_step(ledger, before, error);
	if (code == 1)
		*terms = (struct terms){ sqlite3_column_int64(before, 0), sqlite3_column_int64(before, 1),
					 sqlite3_column_int64(before, 2), sqlite3_column_int64(before, 3) };
	sqlite3_reset(before);
	return code == 1 ? terms->change < change : code; /* only in a file written by other hands: no loops */
}

/* Does it go on beside what came after it? What was dropped before must not be while a milder order is tried. */
static bool goes_on(const struct terms *past, int64_t action)
{
	return past->state == KH_ORDER_ACTIVE && (past->action == action || action == KH_ACTION_DROP);
}

static int add(struct kh_awaited_list *awaited, int64_t id, int64_t action, int64_t deadline, struct kh_error *error)
{
	if (kh_grow(&awaited->list, &awaited->capacity, awaited->count + 1, sizeof(*awaited->list)) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	awaited->list[awaited->count++] = (struct kh_awaited){ id, action, deadline };
	return 0;
}

static int add_row(struct kh_ledger *ledger, struct kh_awaited_list *awaited, sqlite3_stmt *row, sqlite3_stmt *before,
		   struct kh_error *error)
{
	struct terms terms = { KH_ORDER_ACTIVE, sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2),
			       sqlite3_column_int64(row, 3) };
	int64_t id = sqlite3_column_int64(row, 0), action = terms.action;
	int code = add(awaited, id, action, deadline_of(ledger, &terms), error);

	while (code >= 0 && (code = step_back(ledger, before, id, &terms, error)) == 1)
		if (goes_on(&terms, action) && add(awaited, id, terms.action, deadline_of(ledger, &terms), error) < 0)
			return -ENOMEM;
	return code;
}

#define AWAITED(join)                                                                    \
	"SELECT o.id, o.action, o.expires, o.change FROM unconfirmed u CROSS JOIN " join \
	" AND o.change = u.change WHERE u.ended_by = 0 AND o.state = 0"

int kh_awaited_load(struct kh_ledger *ledger, struct kh_awaited_list *awaited, struct kh_error *error)
{
	KH_STATEMENT(statement);
	KH_STATEMENT(before);
	int code = load(ledger, error);

	if (code < 0 || !ledger->waiting.count)
		return code;
	code = ledger->change ? kh_change_flush(ledger, error) : 0; /* it may be one of them */
	if (code >= 0)
		code = kh_sql_prepare(
			ledger,
			AWAITED("orders_made m ON m.at_change = u.change CROSS JOIN orders o"
				" ON o.id BETWEEN m.first AND m.last AND (o.id - m.first) % m.step = 0") " UNION ALL " AWAITED("orders_before b ON b.at_change = u.change CROSS JOIN orders o ON o.id = b.id") " ORDER BY 1",
			&statement, error);
	if (code >= 0)
		code = kh_sql_prepare(
			ledger,
			"SELECT state, action, expires, change FROM orders_before WHERE at_change = ?1 AND id = ?2",
			&before, error);
	while (code >= 0 && (code = kh_sql_step(ledger, statement, error)) == 1)
		code = add_row(ledger, awaited, statement, before, error);
	return code;
}

size_t kh_awaited_find(const struct kh_awaited_list *awaited, int64_t id)
{
	size_t low = 0, high = awaited->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (awaited->list[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int kh_awaited_bulk(struct kh_ledger *ledger, const struct kh_held *held, int64_t *ret_deadline, struct kh_error *error)
{
	KH_STATEMENT(before);
	struct terms terms = { held->state, held->action, held->expires, held->change };
	int64_t deadline;
	int code = load(ledger, error);

	if (code < 0)
		return code;
	deadline = deadline_of(ledger, &terms);
	if (kh_ledger_unconfirmed_until(ledger, held->change))
		code = kh_sql_prepare(
			ledger,
			"SELECT state, action, expires, change FROM bulks_before WHERE at_change = ?1 AND id = ?2",
			&before, error);
	while (before && code >= 0 && (code = step_back(ledger, before, held->id, &terms, error)) == 1) {
		int64_t past = deadline_of(ledger, &terms);

		if (terms.state == KH_ORDER_ACTIVE && terms.action == (int64_t)held->action)
			deadline = !past || !deadline ? 0 : past > deadline ? past : deadline;
	}
	*ret_deadline = deadline;
	return code;
}
