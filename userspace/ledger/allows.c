// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Allows: what is never blocked while it stands. One row a value; an allow that ended stays, inactive.
 */
#include "ledger/private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/lang.h"

struct stored {
	int64_t id, since, change;
	bool active, same;
};

static int find_allow(struct kh_ledger *ledger, const struct kh_allow_row *allow, const struct kh_key *key,
		      struct stored *ret_stored, struct kh_error *error)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(ledger, KH_SQL_ALLOW_FIND,
				 "SELECT id, since, change, active, expires, note, actor FROM allows WHERE key = ?1",
				 &statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_blob(statement, 1, key->bytes, key->size);
	code = kh_sql_step(ledger, statement, error);
	if (code <= 0)
		return code;
	ret_stored->id = sqlite3_column_int64(statement, 0);
	ret_stored->since = sqlite3_column_int64(statement, 1);
	ret_stored->change = sqlite3_column_int64(statement, 2);
	ret_stored->active = sqlite3_column_int(statement, 3) != 0;
	ret_stored->same = ret_stored->active == allow->active &&
			   sqlite3_column_int64(statement, 4) == allow->expires &&
			   !strcmp(kh_sql_text(statement, 5), allow->note ? allow->note : "") &&
			   !strcmp(kh_sql_text(statement, 6), allow->actor ? allow->actor : "");
	return 1;
}

static int keep_allow(struct kh_ledger *ledger, int64_t id, struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = kh_sql_cached(ledger, KH_SQL_ALLOW_KEEP,
				 "INSERT INTO allows_before SELECT ?1, ?1, t.* FROM allows t WHERE t.id = ?2"
				 " ON CONFLICT (at_change, id) DO UPDATE SET after_change = excluded.after_change",
				 &statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, ledger->change);
	kh_sql_bind_int(statement, 2, id);
	ledger->touched[KH_TABLE_ALLOWS]++;
	return kh_sql_run(ledger, statement, error);
}

/* ?1 id (0: the next) ?2 note ?3 actor ?4 since ?5 expires ?6 change ?7 active ?8 key ?9 value */
static void bind_allow(sqlite3_stmt *statement, const struct kh_allow_row *allow, int64_t id, int64_t since,
		       int64_t change)
{
	kh_sql_bind_int(statement, 1, id);
	kh_sql_bind_text(statement, 2, allow->note ? allow->note : "");
	kh_sql_bind_text(statement, 3, allow->actor ? allow->actor : "");
	kh_sql_bind_int(statement, 4, since);
	kh_sql_bind_int(statement, 5, allow->expires);
	kh_sql_bind_int(statement, 6, change);
	kh_sql_bind_int(statement, 7, allow->active);
}

static int insert_allow(struct kh_ledger *ledger, const struct kh_allow_row *allow, const struct kh_key *key,
			struct kh_error *error)
{
	char value[KH_RANGE_TEXT];
	sqlite3_stmt *statement;
	int code = kh_sql_cached(ledger, KH_SQL_ALLOW_NEW,
				 "INSERT INTO allows (id, note, actor, since, expires, change, active, key, value)"
				 " VALUES (nullif(?1, 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
				 &statement, error);

	if (code < 0)
		return code;
	bind_allow(statement, allow, 0, allow->since, ledger->change);
	kh_sql_bind_blob(statement, 8, key->bytes, key->size);
	kh_sql_bind_text(statement, 9, kh_range_format(&allow->range, value));
	code = kh_sql_run(ledger, statement, error);
	if (code < 0)
		return code;
	code = kh_change_made(ledger, KH_TABLE_ALLOWS, sqlite3_last_insert_rowid(ledger->db), error);
	return code < 0 ? code : 1;
}

static int update_allow(struct kh_ledger *ledger, const struct kh_allow_row *allow, const struct stored *stored,
			struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = stored->change == ledger->change ? 0 : keep_allow(ledger, stored->id, error);

	if (code >= 0)
		code = kh_sql_cached(
			ledger, KH_SQL_ALLOW_UPDATE,
			"UPDATE allows SET note = ?2, actor = ?3, since = ?4, expires = ?5, change = ?6, active = ?7 WHERE id = ?1",
			&statement, error);
	if (code < 0)
		return code;
	bind_allow(statement, allow, stored->id, stored->active == allow->active ? stored->since : allow->since,
		   ledger->change);
	code = kh_sql_run(ledger, statement, error);
	return code < 0 ? code : 1;
}

int kh_ledger_allow_put(struct kh_ledger *ledger, const struct kh_allow_row *allow, struct kh_error *error)
{
	const struct kh_range *range = &allow->range;
	struct stored stored;
	struct kh_key key;
	int code = kh_sql_writable(ledger, error);

	assert(ledger->change);
	if (code < 0)
		return code;
	if ((range->family != 4 && range->family != 6) || range->first > range->last ||
	    range->last > kh_address_max(range->family))
		return kh_fail(error, -EINVAL, _("not a valid range"));
	kh_key_of_range(range, &key);
	code = find_allow(ledger, allow, &key, &stored, error);
	if (code < 0)
		return code;
	if (code == 0)
		return insert_allow(ledger, allow, &key, error);
	return stored.same ? 0 : update_allow(ledger, allow, &stored, error);
}

int kh_ledger_allows(struct kh_ledger *ledger, bool active_only, int (*callback)(const struct kh_allow_row *, void *),
		     void *context)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(
		ledger,
		"SELECT id, key, value, note, actor, since, expires, change, active FROM allows WHERE active OR NOT ?1"
		" ORDER BY id",
		&statement, NULL);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, active_only);
	while ((code = kh_sql_step(ledger, statement, NULL)) == 1) {
		struct kh_indicator indicator = {};
		struct kh_allow_row row = {
			.id = sqlite3_column_int64(statement, 0),
			.value = kh_sql_text(statement, 2),
			.note = kh_sql_text(statement, 3),
			.actor = kh_sql_text(statement, 4),
			.since = sqlite3_column_int64(statement, 5),
			.expires = sqlite3_column_int64(statement, 6),
			.change = sqlite3_column_int64(statement, 7),
			.active = sqlite3_column_int(statement, 8) != 0,
		};
		const void *key = sqlite3_column_blob(statement, 1);
		int stop = kh_key_read(key, (size_t)sqlite3_column_bytes(statement, 1), row.value, &indicator);

		if (!stop && !indicator.range.family)
			stop = -EUCLEAN;
		row.range = indicator.range;
		if (!stop)
			stop = callback(&row, context);
		if (stop)
			return stop;
	}
	return code;
}
