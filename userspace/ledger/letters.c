// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Letters, their files, and what else they name. Letters are told apart by number, issuer and year, compared folded.
 */
#include "ledger/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"

struct letter_key {
	char *number, *issuer;
	int year;
};

static void key_clear(struct letter_key *key)
{
	free(key->number);
	free(key->issuer);
}

/* Where one side does not say who issued it, the number and year are enough when only one letter has them. */
static int find_letter(struct kh_ledger *ledger, const struct letter_key *key, int64_t *ret_id, struct kh_error *error)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(
		ledger, KH_SQL_LETTER_FIND,
		"SELECT id, issuer_key = ?2, count(*) OVER () FROM letters WHERE number_key = ?1 AND year = ?3"
		" AND (issuer_key = ?2 OR issuer_key = '' OR ?2 = '') ORDER BY 2 DESC LIMIT 1",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_text(statement, 1, key->number);
	kh_sql_bind_text(statement, 2, key->issuer);
	kh_sql_bind_int(statement, 3, key->year);
	code = kh_sql_step(ledger, statement, error);
	if (code == 1 && !sqlite3_column_int(statement, 1) && sqlite3_column_int(statement, 2) > 1)
		return 0;
	if (code == 1)
		*ret_id = sqlite3_column_int64(statement, 0);
	return code;
}

static int insert_letter(struct kh_ledger *ledger, const struct letter_key *key, const struct kh_letter *letter,
			 int64_t now, int64_t *ret_id, struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = kh_sql_cached(
		ledger, KH_SQL_LETTER_NEW,
		"INSERT INTO letters (number, number_key, issuer, issuer_key, year, date, subject, received)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_text(statement, 1, letter->number);
	kh_sql_bind_text(statement, 2, key->number);
	kh_sql_bind_text(statement, 3, letter->issuer);
	kh_sql_bind_text(statement, 4, key->issuer);
	kh_sql_bind_int(statement, 5, key->year);
	kh_sql_bind_text(statement, 6, letter->date);
	kh_sql_bind_text(statement, 7, letter->subject);
	kh_sql_bind_int(statement, 8, now);
	code = kh_sql_run(ledger, statement, error);
	if (code >= 0)
		*ret_id = sqlite3_last_insert_rowid(ledger->db);
	return code;
}

/* A later file may tell what the first one did not. */
static int complete_letter(struct kh_ledger *ledger, int64_t id, const struct kh_letter *letter, const char *issuer_key,
			   struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code;

	if (!letter->date && !letter->subject && !letter->issuer)
		return 0;
	code = kh_sql_cached(
		ledger, KH_SQL_LETTER_COMPLETE,
		"UPDATE letters SET date = coalesce(date, ?2), subject = coalesce(subject, ?3),"
		" issuer = coalesce(issuer, ?4), issuer_key = CASE WHEN issuer_key = '' THEN ?5 ELSE issuer_key END WHERE id = ?1"
		" AND (date IS NULL AND ?2 IS NOT NULL OR subject IS NULL AND ?3 IS NOT NULL OR issuer_key = '' AND ?5 <> '')",
		&statement, error);
	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, id);
	kh_sql_bind_text(statement, 2, letter->date);
	kh_sql_bind_text(statement, 3, letter->subject);
	kh_sql_bind_text(statement, 4, letter->issuer);
	kh_sql_bind_text(statement, 5, issuer_key);
	return kh_sql_run(ledger, statement, error);
}

int kh_ledger_letter_put(struct kh_ledger *ledger, const struct kh_letter *letter, int year, int64_t now,
			 int64_t *ret_id, struct kh_error *error)
{
	struct letter_key key KH_CLEANUP(key_clear) = { .year = year };
	int64_t id = 0;
	int code = kh_sql_writable(ledger, error);

	if (code < 0)
		return code;
	key.number = kh_text_fold(letter->number ? letter->number : "");
	key.issuer = kh_text_fold(letter->issuer ? letter->issuer : "");
	if (!key.number || !key.issuer)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	if (!key.number[0])
		return kh_fail(error, -EINVAL, _("a letter needs a number"));
	code = find_letter(ledger, &key, &id, error);
	if (code == 1)
		code = complete_letter(ledger, id, letter, key.issuer, error);
	else if (code == 0)
		code = insert_letter(ledger, &key, letter, now, &id, error);
	if (code < 0)
		return code;
	*ret_id = id;
	return 0;
}

int kh_ledger_letter_correct(struct kh_ledger *ledger, int64_t id, const char *date, const char *issuer,
			     struct kh_error *error)
{
	char *issuer_key KH_CLEANUP(kh_freep) = issuer ? kh_text_fold(issuer) : NULL;
	sqlite3_stmt *statement;
	int code = kh_sql_writable(ledger, error);

	if (issuer && !issuer_key)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	if (code >= 0)
		code = kh_sql_cached(
			ledger, KH_SQL_LETTER_CORRECT,
			"UPDATE OR IGNORE letters SET date = coalesce(?2, date), year = coalesce(substr(?2, 1, 4) + 0, year),"
			" issuer = coalesce(?3, issuer), issuer_key = coalesce(?4, issuer_key) WHERE id = ?1"
			" AND (?2 IS NOT NULL AND date IS NOT ?2 OR ?3 IS NOT NULL AND issuer IS NOT ?3)",
			&statement, error);
	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, id);
	kh_sql_bind_text(statement, 2, date);
	kh_sql_bind_text(statement, 3, issuer);
	kh_sql_bind_text(statement, 4, issuer_key);
	code = kh_sql_run(ledger, statement, error);
	return code < 0 ? code : sqlite3_changes(ledger->db) > 0;
}

int kh_ledger_letter_of_file(struct kh_ledger *ledger, const char *number, const uint8_t sha256[static 32],
			     int64_t *ret_id, struct kh_error *error)
{
	KH_CACHED(statement);
	char *key KH_CLEANUP(kh_freep) = kh_text_fold(number);
	int code;

	if (!key)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	code = kh_sql_cached(ledger, KH_SQL_LETTER_OF_FILE,
			     "SELECT l.id FROM documents d JOIN letters l ON l.id = d.letter"
			     " WHERE d.sha256 = ?2 AND l.number_key = ?1 ORDER BY l.id DESC LIMIT 1",
			     &statement, error);
	if (code < 0)
		return code;
	kh_sql_bind_text(statement, 1, key);
	kh_sql_bind_blob(statement, 2, sha256, 32);
	code = kh_sql_step(ledger, statement, error);
	if (code == 1)
		*ret_id = sqlite3_column_int64(statement, 0);
	return code;
}

int kh_ledger_document_put(struct kh_ledger *ledger, int64_t letter, const char *file, const char *format,
			   const uint8_t sha256[static 32], int64_t now, int64_t *ret_loaded, struct kh_error *error)
{
	KH_CACHED(find);
	sqlite3_stmt *insert;
	int code = kh_sql_writable(ledger, error);

	if (code >= 0)
		code = kh_sql_cached(ledger, KH_SQL_DOCUMENT_FIND,
				     "SELECT loaded FROM documents WHERE letter = ?1 AND sha256 = ?2", &find, error);
	if (code < 0)
		return code;
	kh_sql_bind_int(find, 1, letter);
	kh_sql_bind_blob(find, 2, sha256, 32);
	code = kh_sql_step(ledger, find, error);
	if (code == 1) {
		*ret_loaded = sqlite3_column_int64(find, 0);
		return 0;
	}
	if (code >= 0)
		code = kh_sql_cached(
			ledger, KH_SQL_DOCUMENT_NEW,
			"INSERT INTO documents (letter, file, format, sha256, loaded) VALUES (?1, ?2, ?3, ?4, ?5)",
			&insert, error);
	if (code < 0)
		return code;
	kh_sql_bind_int(insert, 1, letter);
	kh_sql_bind_text(insert, 2, file ? file : "");
	kh_sql_bind_text(insert, 3, format ? format : "");
	kh_sql_bind_blob(insert, 4, sha256, 32);
	kh_sql_bind_int(insert, 5, now);
	code = kh_sql_run(ledger, insert, error);
	return code < 0 ? code : 1;
}

int kh_ledger_letter_fact(struct kh_ledger *ledger, int64_t letter, const char *kind, const char *value,
			  struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = kh_sql_writable(ledger, error);

	if (code >= 0)
		code = kh_sql_cached(
			ledger, KH_SQL_FACT_NEW,
			"INSERT INTO letter_facts (letter, kind, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
			&statement, error);
	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, letter);
	kh_sql_bind_text(statement, 2, kind);
	kh_sql_bind_text(statement, 3, value);
	return kh_sql_run(ledger, statement, error);
}

int kh_ledger_letter_facts(struct kh_ledger *ledger, int64_t letter,
			   int (*callback)(const char *kind, const char *value, void *), void *context)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(ledger, "SELECT kind, value FROM letter_facts WHERE letter = ?1 ORDER BY id",
				  &statement, NULL);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, letter);
	while ((code = kh_sql_step(ledger, statement, NULL)) == 1) {
		int stop = callback(kh_sql_text(statement, 0), kh_sql_text(statement, 1), context);

		if (stop)
			return stop;
	}
	return code;
}

/* ---- Reading ------------------------------------------------------------------------------------- */

/* ?1: folded REF or NULL. What a list of candidates shows, "298/VNCERT-ĐPƯC (2019)", is a REF as well. */
#define NAMED "number_key || '(' || year || ')'"
#define FITS                                                                                         \
	" FROM letters WHERE id <> 1 AND (?1 IS NULL OR substr(" NAMED ", 1, length(?1)) = ?1 AND (" \
	"number_key = ?1 OR " NAMED " = ?1 OR NOT EXISTS (SELECT 1 FROM letters WHERE id <> 1 AND"   \
	" (number_key = ?1 OR " NAMED " = ?1))))"

static int add_sums(struct kh_ledger *ledger, struct kh_letter_row *row)
{
	KH_CACHED(statement);
	/* Only what was in force at some time: a refused order has no part in what its value was counted for. */
	int code = kh_sql_cached(
		ledger, KH_SQL_LETTER_SUMS,
		"SELECT coalesce(sum(c.packets), 0), coalesce(sum(c.bytes), 0), coalesce(min(nullif(c.first_seen, 0)), 0),"
		" coalesce(max(c.last_seen), 0) FROM counts c WHERE bulk_holds(c.indicator, ?1) OR EXISTS (SELECT 1 FROM orders o"
		" WHERE o.id = c.indicator * 1048576 + ?1 AND o.state IN (0, 4, 5))",
		&statement, NULL);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, row->id);
	code = kh_sql_step(ledger, statement, NULL);
	if (code < 0)
		return code;
	row->packets = sqlite3_column_int64(statement, 0);
	row->bytes = sqlite3_column_int64(statement, 1);
	row->first_seen = sqlite3_column_int64(statement, 2);
	row->last_seen = sqlite3_column_int64(statement, 3);
	return 0;
}

static int fill_letter(struct kh_ledger *ledger, sqlite3_stmt *statement, struct kh_letter_row *ret_row)
{
	int64_t id = sqlite3_column_int64(statement, 0);
	const struct kh_letter_tally *tally = kh_tallies_letter(ledger, id);

	*ret_row = (struct kh_letter_row){
		.id = id,
		.number = kh_sql_text(statement, 1),
		.date = (const char *)sqlite3_column_text(statement, 2),
		.issuer = (const char *)sqlite3_column_text(statement, 3),
		.subject = (const char *)sqlite3_column_text(statement, 4),
		.year = sqlite3_column_int(statement, 5),
		.received = sqlite3_column_int64(statement, 6),
		.enforced = tally->enforced,
		.monitored = tally->monitored,
		.review = tally->review,
		.refused = tally->refused,
		.unenforceable = tally->unenforceable,
		.ended = tally->ended,
	};
	return add_sums(ledger, ret_row);
}

int kh_ledger_letters(struct kh_ledger *ledger, const char *ref, int (*callback)(const struct kh_letter_row *, void *),
		      void *context)
{
	KH_STATEMENT(statement);
	char *folded KH_CLEANUP(kh_freep) = ref ? kh_text_fold(ref) : NULL;
	int code;

	if (ref && !folded)
		return -ENOMEM;
	if (folded && !folded[0])
		return 0; /* nothing was named */
	code = kh_tallies_load(ledger);
	if (code >= 0)
		code = kh_sql_prepare(ledger,
				      "SELECT id, number, date, issuer, subject, year, received" FITS
				      " ORDER BY received DESC, id DESC",
				      &statement, NULL);
	if (code < 0)
		return code;
	kh_sql_bind_text(statement, 1, folded);
	while ((code = kh_sql_step(ledger, statement, NULL)) == 1) {
		struct kh_letter_row row;
		int stop = fill_letter(ledger, statement, &row);

		if (!stop)
			stop = callback(&row, context);
		if (stop)
			return stop;
	}
	return code;
}
