// SPDX-License-Identifier: GPL-2.0-or-later
#include "ledger/sources.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "ledger/private.h"

#define COLUMNS                                                                                                            \
	"name, url, credentials, authority, letter, every, ttl, bytes_max, entries_max, action, paused, checked, fetched," \
	" changed, until, count, held, failures, etag, last_modified, digest, problem, kind, unmarked, proxy, proxy_credentials"

static void copy(char *to, size_t size, sqlite3_stmt *statement, int column)
{
	snprintf(to, size, "%s", kh_sql_text(statement, column));
}

/* A number that other hands wrote is the first choice. */
static int read_choice(sqlite3_stmt *statement, int column, int count)
{
	int choice = sqlite3_column_int(statement, column);

	return choice >= 0 && choice < count ? choice : 0;
}

static void read_row(sqlite3_stmt *statement, struct kh_source *source)
{
	const struct {
		char *text;
		size_t size;
		int column;
	} texts[] = {
		{ source->name, sizeof(source->name), 1 },
		{ source->url, sizeof(source->url), 2 },
		{ source->credentials, sizeof(source->credentials), 3 },
		{ source->authority, sizeof(source->authority), 4 },
		{ source->etag, sizeof(source->etag), 19 },
		{ source->last_modified, sizeof(source->last_modified), 20 },
		{ source->digest, sizeof(source->digest), 21 },
		{ source->problem, sizeof(source->problem), 22 },
		{ source->proxy, sizeof(source->proxy), 25 },
		{ source->proxy_credentials, sizeof(source->proxy_credentials), 26 },
	};
	int64_t *const numbers[] = { &source->letter, &source->every, &source->ttl, &source->bytes_max,
				     &source->entries_max };
	int64_t *const times[] = { &source->checked, &source->fetched, &source->changed, &source->until,
				   &source->count,   &source->held,    &source->failures };

	source->id = sqlite3_column_int64(statement, 0);
	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++)
		copy(texts[i].text, texts[i].size, statement, texts[i].column);
	for (size_t i = 0; i < KH_ARRAY_SIZE(numbers); i++)
		*numbers[i] = sqlite3_column_int64(statement, 5 + (int)i);
	source->action = sqlite3_column_int(statement, 10) == KH_ACTION_MONITOR ? KH_ACTION_MONITOR : KH_ACTION_DROP;
	source->paused = sqlite3_column_int(statement, 11) != 0;
	for (size_t i = 0; i < KH_ARRAY_SIZE(times); i++)
		*times[i] = sqlite3_column_int64(statement, 12 + (int)i);
	source->kind = (enum kh_fetch_kind)read_choice(statement, 23, KH_FETCH_KIND_COUNT);
	source->unmarked = (enum kh_unmarked)read_choice(statement, 24, KH_UNMARKED_COUNT);
}

static void bind_row(sqlite3_stmt *statement, const struct kh_source *source)
{
	const char *const texts[] = { source->name, source->url, source->credentials, source->authority };
	const int64_t numbers[] = { source->letter,	 source->every,	  source->ttl,	  source->bytes_max,
				    source->entries_max, source->action,  source->paused, source->checked,
				    source->fetched,	 source->changed, source->until,  source->count,
				    source->held,	 source->failures };
	const char *const last[] = { source->etag, source->last_modified, source->digest, source->problem };
	int place = 1;

	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++)
		kh_sql_bind_text(statement, place++, texts[i]);
	for (size_t i = 0; i < KH_ARRAY_SIZE(numbers); i++)
		kh_sql_bind_int(statement, place++, numbers[i]);
	for (size_t i = 0; i < KH_ARRAY_SIZE(last); i++)
		kh_sql_bind_text(statement, place++, last[i]);
	kh_sql_bind_int(statement, place++, source->kind);
	kh_sql_bind_int(statement, place++, source->unmarked);
	kh_sql_bind_text(statement, place++, source->proxy);
	kh_sql_bind_text(statement, place++, source->proxy_credentials);
	kh_sql_bind_int(statement, place, source->id);
}

int kh_ledger_source_put(struct kh_ledger *ledger, struct kh_source *source, struct kh_error *error)
{
	KH_STATEMENT(statement);
	struct kh_source *other KH_CLEANUP(kh_freep) = malloc(sizeof(*other));
	int code = other ? kh_sql_writable(ledger, error) : kh_fail(error, -ENOMEM, _("out of memory"));

	if (code >= 0)
		code = kh_ledger_source_find(ledger, source->name, other);
	if (code < 0)
		return code;
	if (code == 1 && other->id != source->id)
		return kh_fail(error, -EEXIST, _("there is a source \"%s\" already"), source->name);
	code = kh_sql_prepare(
		ledger,
		"INSERT OR REPLACE INTO sources (" COLUMNS ", id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
		" ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26,"
		" nullif(?27, 0))",
		&statement, error);
	if (code < 0)
		return code;
	bind_row(statement, source);
	code = kh_sql_run(ledger, statement, error);
	if (code >= 0 && !source->id)
		source->id = sqlite3_last_insert_rowid(ledger->db);
	return code < 0 ? code : 0;
}

int kh_ledger_source_remove(struct kh_ledger *ledger, int64_t id, struct kh_error *error)
{
	int code = kh_sql_writable(ledger, error);
	int64_t removed;

	if (code < 0)
		return code;
	removed = kh_sql_change(ledger, "DELETE FROM sources WHERE id = ?1", (int64_t[4]){ id }, error);
	return removed < 0 ? (int)removed : 0;
}

int kh_ledger_sources(struct kh_ledger *ledger, int (*callback)(const struct kh_source *, void *), void *context)
{
	KH_STATEMENT(statement);
	struct kh_source *source KH_CLEANUP(kh_freep) = malloc(sizeof(*source));
	int code =
		source ? kh_sql_prepare(ledger, "SELECT id, " COLUMNS " FROM sources ORDER BY name", &statement, NULL)
		       : -ENOMEM;

	if (code < 0)
		return code;
	while ((code = kh_sql_step(ledger, statement, NULL)) == 1) {
		read_row(statement, source);
		code = callback(source, context);
		if (code)
			return code;
	}
	return code;
}

struct find {
	const char *name;
	struct kh_source *found;
};

static int on_source(const struct kh_source *source, void *context)
{
	struct find *find = context;

	if (strcmp(source->name, find->name) != 0)
		return 0;
	*find->found = *source;
	return 1;
}

int kh_ledger_source_find(struct kh_ledger *ledger, const char *name, struct kh_source *ret_source)
{
	struct find find = { name, ret_source };

	return kh_ledger_sources(ledger, on_source, &find);
}

int kh_ledger_order_terms(struct kh_ledger *ledger, int64_t letter, const struct kh_indicator *indicator,
			  struct kh_order_terms *ret_terms)
{
	KH_CACHED(statement);
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(indicator);
	int64_t id = 0;
	int code = value ? kh_key_find(ledger, value, &id) : -ENOMEM;

	if (code <= 0)
		return code == -ENOENT ? 0 : code;
	code = kh_sql_cached(ledger, KH_SQL_ORDER_TERMS,
			     "SELECT state, action, expires, changes.uid >= 0 AND changes.kind NOT LIKE 'source%'"
			     " FROM orders JOIN changes ON changes.id = orders.change WHERE orders.id = ?1",
			     &statement, NULL);
	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, KH_ORDER_ID(id, letter));
	code = kh_sql_step(ledger, statement, NULL);
	if (code <= 0)
		return code;
	*ret_terms = (struct kh_order_terms){ .state = (enum kh_order_state)sqlite3_column_int(statement, 0),
					      .action = (enum kh_action)sqlite3_column_int(statement, 1),
					      .expires = sqlite3_column_int64(statement, 2),
					      .by_person = sqlite3_column_int(statement, 3) != 0 };
	return 1;
}
