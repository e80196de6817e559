// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What it came to: totals by indicator, letter, interface, reason and machine.
 */
#include "ledger/private.h"

#include <errno.h>
#include <string.h>

enum key_form {
	FORM_TEXT,
	FORM_REASON, /* the key is a number of enum kh_reason */
	FORM_HOST, /* key and extra are an address and a MAC */
};

/* Columns: key, extra, packets, bytes, first seen, last seen. ?1: seen since; ?2: limit. */
#define LETTERS                                                                                                                                       \
	"bulk_numbers(c.indicator, (SELECT group_concat(number, ', ') FROM (SELECT DISTINCT l.number FROM orders o JOIN letters l ON l.id = o.letter" \
	" WHERE " KH_SQL_OF_INDICATOR("o", "c.indicator") " AND o.state = 0 AND l.id <> 1 ORDER BY o.id)))"
#define TIMES "coalesce(min(nullif(first_seen, 0)), 0), max(last_seen)"
#define MOST " ORDER BY 3 DESC, 4 DESC, 1, 2 LIMIT ?2"

static const struct {
	const char *by;
	enum key_form form;
	const char *sql;
} queries[] = {
	{ "indicator", FORM_TEXT,
	  "SELECT i.value, " LETTERS
	  ", c.packets, c.bytes, c.first_seen, c.last_seen FROM counts c JOIN indicators i ON i.id = c.indicator"
	  " WHERE c.last_seen >= ?1" MOST },
	{ "advisory", FORM_TEXT,
	  "SELECT l.number, '', sum(c.packets), sum(c.bytes), " TIMES
	  " FROM (SELECT c.*, o.letter FROM counts c CROSS JOIN orders o ON " KH_SQL_OF_INDICATOR(
		  "o",
		  "c.indicator") " WHERE o.state IN (0, 4, 5) UNION SELECT c.*, b.letter FROM (SELECT DISTINCT letter FROM bulks) b"
				 " CROSS JOIN counts c ON bulk_holds(c.indicator, b.letter)) c JOIN letters l ON l.id = c.letter"
				 " WHERE c.last_seen >= ?1 GROUP BY l.id" MOST },
	{ "interface", FORM_TEXT,
	  "SELECT interface, CASE direction WHEN 0 THEN 'ingress' ELSE 'egress' END, sum(packets), sum(bytes), 0, 0 FROM counters"
	  " WHERE ?1 IS NOT NULL GROUP BY interface, direction" MOST },
	{ "reason", FORM_REASON,
	  "SELECT reason, '', sum(packets), sum(bytes), 0, 0 FROM counters WHERE ?1 IS NOT NULL GROUP BY reason" MOST },
	{ "host", FORM_HOST,
	  "SELECT host, mac, sum(packets), sum(bytes), " TIMES
	  " FROM sightings WHERE last_seen >= ?1 GROUP BY host, mac" MOST },
};

static const char *reason_name(int64_t reason)
{
	static const char *const names[] = {
#define KH_REASON(symbol, name, help) [KH_REASON_##symbol] = name,
#include "khien/reasons.def"
#undef KH_REASON
	};

	return reason >= 0 && reason < (int64_t)KH_ARRAY_SIZE(names) ? names[reason] : "?";
}

static int hand_out(sqlite3_stmt *statement, enum key_form form, int (*callback)(const struct kh_total *, void *),
		    void *context)
{
	char host[KH_RANGE_TEXT], mac[KH_MAC_TEXT];
	struct kh_total total = {
		.packets = sqlite3_column_int64(statement, 2),
		.bytes = sqlite3_column_int64(statement, 3),
		.first_seen = sqlite3_column_int64(statement, 4),
		.last_seen = sqlite3_column_int64(statement, 5),
	};

	switch (form) {
	case FORM_TEXT:
		total.key = kh_sql_text(statement, 0);
		total.extra = kh_sql_text(statement, 1);
		break;
	case FORM_REASON:
		total.key = reason_name(sqlite3_column_int64(statement, 0));
		total.extra = "";
		break;
	case FORM_HOST:
		kh_sighting_host(sqlite3_column_blob(statement, 0), sqlite3_column_bytes(statement, 0), host);
		kh_sighting_mac(sqlite3_column_blob(statement, 1), sqlite3_column_bytes(statement, 1), mac);
		total.key = host;
		total.extra = mac;
		break;
	}
	return callback(&total, context);
}

int kh_ledger_totals(struct kh_ledger *ledger, const char *by, int64_t since, int64_t limit,
		     int (*callback)(const struct kh_total *, void *), void *context)
{
	KH_STATEMENT(statement);
	size_t query = 0;
	int code;

	while (query < KH_ARRAY_SIZE(queries) && strcmp(queries[query].by, by))
		query++;
	if (query == KH_ARRAY_SIZE(queries))
		return -EINVAL;
	code = kh_bulks_load(ledger, NULL);
	if (code >= 0)
		code = kh_sql_prepare(ledger, queries[query].sql, &statement, NULL);
	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, since);
	kh_sql_bind_int(statement, 2, limit > 0 ? limit : -1);
	while ((code = kh_sql_step(ledger, statement, NULL)) == 1) {
		int stop = hand_out(statement, queries[query].form, callback, context);

		if (stop)
			return stop;
	}
	return code;
}
