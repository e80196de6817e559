// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sightings: which machine called which indicator. Totals are kept by indicator and machine, what was folded last by the
 * kernel's own key; so a slot that changes hands never accuses a machine of another's calls.
 */
#include "ledger/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"

/* ?1 slot or indicator ?2 host ?3 mac ?4 interface ?5 flags */
static void bind_sighting_key(sqlite3_stmt *statement, int64_t first, const struct kh_fold_sighting *sighting)
{
	kh_sql_bind_int(statement, 1, first);
	kh_sql_bind_blob(statement, 2, sighting->key.address, sizeof(sighting->key.address));
	kh_sql_bind_blob(statement, 3, sighting->key.mac, sizeof(sighting->key.mac));
	kh_sql_bind_text(statement, 4, sighting->interface ? sighting->interface : "");
	kh_sql_bind_int(statement, 5, sighting->key.flags);
}

static int find_sighting(struct kh_ledger *ledger, const struct kh_fold_sighting *sighting, struct kh_base *ret_base,
			 struct kh_error *error)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(
		ledger, KH_SQL_SIGHTING_FIND,
		"SELECT indicator, map, packets, bytes, first_seen, last_seen FROM sighting_bases WHERE slot = ?1"
		" AND host = ?2 AND mac = ?3 AND interface = ?4 AND flags = ?5",
		&statement, error);

	if (code < 0)
		return code;
	bind_sighting_key(statement, sighting->key.slot, sighting);
	code = kh_sql_step(ledger, statement, error);
	if (code == 1)
		*ret_base = kh_fold_base_at(statement, 0);
	return code;
}

static int put_sighting(struct kh_ledger *ledger, const struct kh_fold_sighting *sighting, const struct kh_base *raw,
			const struct kh_base *more, struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = kh_sql_cached(
		ledger, KH_SQL_SIGHTING_BASE,
		"INSERT OR REPLACE INTO sighting_bases (slot, host, mac, interface, flags, indicator, map, packets, bytes,"
		" first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
		&statement, error);

	if (code < 0)
		return code;
	bind_sighting_key(statement, sighting->key.slot, sighting);
	kh_fold_bind_base(statement, 6, raw);
	code = kh_sql_run(ledger, statement, error);
	if (code < 0 || (!more->packets && !more->bytes))
		return code;
	code = kh_sql_cached(
		ledger, KH_SQL_SIGHTING_ADD,
		"INSERT INTO sightings (indicator, host, mac, interface, flags, packets, bytes, first_seen, last_seen)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET packets = packets + excluded.packets,"
		" bytes = bytes + excluded.bytes, first_seen = min(first_seen, excluded.first_seen),"
		" last_seen = max(last_seen, excluded.last_seen)",
		&statement, error);
	if (code < 0)
		return code;
	bind_sighting_key(statement, raw->indicator, sighting);
	kh_sql_bind_int(statement, 6, more->packets);
	kh_sql_bind_int(statement, 7, more->bytes);
	kh_sql_bind_int(statement, 8, more->first_seen);
	kh_sql_bind_int(statement, 9, more->last_seen);
	return kh_sql_run(ledger, statement, error);
}

static int fold_sighting(struct kh_ledger *ledger, const struct kh_fold_sighting *sighting, struct kh_base *raw,
			 struct kh_error *error)
{
	struct kh_base before = {}, more;
	int code = find_sighting(ledger, sighting, &before, error);

	if (code < 0 || kh_fold_same(&before, raw))
		return code < 0 ? code : 0;
	code = kh_fold_find_holder(ledger, sighting->key.slot, &raw->indicator, error);
	if (code <= 0)
		return code;
	more = *raw;
	kh_fold_difference(&before, raw, &more.packets, &more.bytes);
	if (!more.packets && !more.bytes && before.map == raw->map)
		return 0;
	/* The entry of the former holder, not forgotten by the kernel: the machine called this indicator later. */
	if (before.indicator && before.indicator != raw->indicator && more.packets != raw->packets)
		more.first_seen = raw->last_seen;
	return put_sighting(ledger, sighting, raw, &more, error);
}

int kh_ledger_fold_sightings(struct kh_ledger *ledger, uint32_t map, const struct kh_fold_sighting *sightings,
			     size_t count, struct kh_error *error)
{
	int code = kh_sql_writable(ledger, error);

	ledger->folded = true;
	for (size_t i = 0; i < count && code >= 0; i++) {
		const struct kh_sighting *sighting = &sightings[i].raw;
		struct kh_base raw = { .map = kh_fold_map(ledger, map),
				       .packets = (int64_t)sighting->packets,
				       .bytes = (int64_t)sighting->bytes,
				       .first_seen = sighting->first_seen,
				       .last_seen = sighting->last_seen };

		if (raw.packets || raw.bytes)
			code = fold_sighting(ledger, &sightings[i], &raw, error);
	}
	return code < 0 ? code : 0;
}

/* ---- Reading ------------------------------------------------------------------------------------- */

/* "00:00:5e:00:53:57", also with '-'. */
static bool parse_mac(const char *text, uint8_t ret_mac[static 6])
{
	unsigned int byte[6];
	int end = 0;
	char copy[18];

	if (strlen(text) != 17)
		return false;
	for (int i = 0; i < 18; i++)
		copy[i] = text[i] == '-' ? ':' : text[i];
	if (sscanf(copy, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4], &byte[5],
		   &end) != 6 ||
	    end != 17)
		return false;
	for (int i = 0; i < 6; i++)
		ret_mac[i] = (uint8_t)byte[i];
	return true;
}

void kh_sighting_host(const void *bytes, int size, char ret_text[static KH_RANGE_TEXT])
{
	static const uint8_t none[16];
	struct kh_range range;

	ret_text[0] = '\0';
	if (size != 16 || !memcmp(bytes, none, 16))
		return; /* spoofed: no machine to name */
	range = kh_range_from_mapped(bytes);
	kh_range_format(&range, ret_text);
}

void kh_sighting_mac(const void *bytes, int size, char ret_text[static KH_MAC_TEXT])
{
	static const uint8_t none[6];
	const uint8_t *mac = bytes;

	ret_text[0] = '\0';
	if (size == 6 && memcmp(mac, none, 6))
		snprintf(ret_text, KH_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			 mac[5]);
}

#define NUMBERS                                                                                                                                       \
	"bulk_numbers(s.indicator, (SELECT group_concat(number, ', ') FROM (SELECT DISTINCT l.number FROM orders o JOIN letters l ON l.id = o.letter" \
	" WHERE " KH_SQL_OF_INDICATOR("o", "s.indicator") " AND o.state = 0 AND l.id <> 1 ORDER BY o.id)))"

static int prepare(struct kh_ledger *ledger, const char *host_or_mac, const char *value, int64_t limit,
		   uint8_t bytes[static 16], sqlite3_stmt **ret_statement)
{
	bool by_mac = host_or_mac && parse_mac(host_or_mac, bytes);
	struct kh_range address;
	int64_t indicator = 0;
	char sql[1000];
	int code = 1;

	if (host_or_mac && !by_mac) {
		if (kh_address_parse(host_or_mac, strlen(host_or_mac), &address) < 0)
			return -EINVAL;
		kh_range_to_mapped(&address, bytes);
	}
	if (value)
		code = kh_key_find(ledger, value, &indicator);
	if (code > 0)
		code = kh_bulks_load(ledger, NULL) < 0 ? -EIO : 1;
	if (code <= 0)
		return code;
	snprintf(
		sql, sizeof(sql),
		"SELECT i.value, " NUMBERS
		", s.host, s.mac, s.interface, s.flags, s.packets, s.bytes, s.first_seen, s.last_seen"
		" FROM sightings s JOIN indicators i ON i.id = s.indicator WHERE true%s%s ORDER BY s.last_seen DESC, s.first_seen DESC,"
		" s.indicator, s.host LIMIT ?3",
		host_or_mac ? by_mac ? " AND s.mac = ?1" : " AND s.host = ?1" : "",
		value ? " AND s.indicator = ?2" : "");
	code = kh_sql_prepare(ledger, sql, ret_statement, NULL);
	if (code < 0)
		return code;
	kh_sql_bind_blob(*ret_statement, 1, bytes, by_mac ? 6 : 16);
	kh_sql_bind_int(*ret_statement, 2, indicator);
	kh_sql_bind_int(*ret_statement, 3, limit > 0 ? limit : -1);
	return 1;
}

int kh_ledger_sightings(struct kh_ledger *ledger, const char *host_or_mac, const char *value, int64_t limit,
			int (*callback)(const struct kh_sighting_row *, void *), void *context)
{
	KH_STATEMENT(statement);
	uint8_t bytes[16] = {};
	int code = prepare(ledger, host_or_mac, value, limit, bytes, &statement);

	if (code <= 0)
		return code;
	while ((code = kh_sql_step(ledger, statement, NULL)) == 1) {
		char host[KH_RANGE_TEXT], mac[KH_MAC_TEXT];
		struct kh_sighting_row row = {
			.value = kh_sql_text(statement, 0),
			.numbers = kh_sql_text(statement, 1),
			.host = host,
			.mac = mac,
			.interface = kh_sql_text(statement, 4),
			.flags = (uint8_t)sqlite3_column_int(statement, 5),
			.packets = sqlite3_column_int64(statement, 6),
			.bytes = sqlite3_column_int64(statement, 7),
			.first_seen = sqlite3_column_int64(statement, 8),
			.last_seen = sqlite3_column_int64(statement, 9),
		};
		int stop;

		kh_sighting_host(sqlite3_column_blob(statement, 2), sqlite3_column_bytes(statement, 2), host);
		kh_sighting_mac(sqlite3_column_blob(statement, 3), sqlite3_column_bytes(statement, 3), mac);
		stop = callback(&row, context);
		if (stop)
			return stop;
	}
	return code;
}
