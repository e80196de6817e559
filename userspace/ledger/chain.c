// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One advisory under several numbers: a ministry's letter, and those that pass it on. What ties them are the numbers that each names as the letter
 * it passes on (facts "relay"; "relay-key" is the folded form), and files they share.
 */
#include "ledger/private.h"

#include <errno.h>

#include "common/text.h"

int kh_ledger_relay_put(struct kh_ledger *ledger, int64_t letter, const char *number, struct kh_error *error)
{
	char *key KH_CLEANUP(kh_freep) = kh_text_fold(number);
	int code = key ? kh_ledger_letter_fact(ledger, letter, "relay", number, error) : -ENOMEM;

	return code < 0 ? code : kh_ledger_letter_fact(ledger, letter, "relay-key", key, error);
}

/* Numbers begin again every January: a letter is passed on within the year, or in the next. */
#define CHAIN                                                                                                                  \
	"WITH RECURSIVE named(a, b) AS (SELECT l.number_key, f.value FROM letter_facts f JOIN letters l ON l.id = f.letter"    \
	" WHERE f.kind = 'relay-key'), ties(a, b) AS (SELECT a, b FROM named UNION SELECT b, a FROM named),"                   \
	" own(id, key, year) AS (SELECT id, number_key, year FROM letters WHERE id = ?1),"                                     \
	" chain(key) AS (SELECT key FROM own UNION SELECT t.b FROM ties t JOIN chain c ON t.a = c.key)"                        \
	" SELECT l.id, l.number, l.date, l.issuer, l.subject, l.year, l.received FROM letters l, own"                          \
	" WHERE l.id <> own.id AND l.id <> 1 AND (l.number_key IN chain AND abs(l.year - own.year) <= 1"                       \
	" OR l.id IN (SELECT d.letter FROM documents d JOIN documents mine ON mine.sha256 = d.sha256 WHERE mine.letter = ?1))" \
	" ORDER BY l.received, l.id"

/* Each letter that the query, of which ?1 is a letter, gives. */
static int read_heads(struct kh_ledger *ledger, const char *sql, int64_t letter,
		      int (*callback)(const struct kh_letter_row *, void *), void *context)
{
	KH_STATEMENT(statement);
	int code = letter == KH_LETTER_BY_HAND ? 0 : kh_sql_prepare(ledger, sql, &statement, NULL);

	if (code < 0 || !statement)
		return code;
	kh_sql_bind_int(statement, 1, letter);
	while ((code = kh_sql_step(ledger, statement, NULL)) == 1) {
		const struct kh_letter_row row = {
			.id = sqlite3_column_int64(statement, 0),
			.number = kh_sql_text(statement, 1),
			.date = (const char *)sqlite3_column_text(statement, 2),
			.issuer = (const char *)sqlite3_column_text(statement, 3),
			.subject = (const char *)sqlite3_column_text(statement, 4),
			.year = sqlite3_column_int(statement, 5),
			.received = sqlite3_column_int64(statement, 6),
		};
		int stop = callback(&row, context);

		if (stop)
			return stop;
	}
	return code;
}

int kh_ledger_chain(struct kh_ledger *ledger, int64_t letter, int (*callback)(const struct kh_letter_row *, void *),
		    void *context)
{
	return read_heads(ledger, CHAIN, letter, callback, context);
}

int kh_ledger_letter_head(struct kh_ledger *ledger, int64_t letter,
			  int (*callback)(const struct kh_letter_row *, void *), void *context)
{
	return read_heads(ledger, "SELECT id, number, date, issuer, subject, year, received FROM letters WHERE id = ?1",
			  letter, callback, context);
}
