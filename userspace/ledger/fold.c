// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Folding: what the kernel counts since its maps were made, into totals that last. For each kernel key the last values folded are
 * kept (the base); what is new is the difference to them, or everything when the record started again.
 *
 * A record goes on when it is in the same map (of the same boot: kernel ids start again), did not go backwards, and was not
 * first seen after the last time it was folded. A slot given to another indicator keeps the base of its former holder: a record
 * that was zeroed in between starts again, one that was not (it still has its first time) tells nothing new. Either way nobody
 * gets the counts of another.
 */
#include "ledger/private.h"

#include <errno.h>

#include "common/lang.h"

/* Two processors may write `first seen` one after the other within a second. */
#define FIRST_SEEN_SLACK 2

static bool goes_on(const struct kh_base *base, const struct kh_base *raw)
{
	if (base->map != raw->map || raw->packets < base->packets || raw->bytes < base->bytes)
		return false;
	if (base->indicator != raw->indicator)
		return base->first_seen && raw->first_seen == base->first_seen;
	return !base->first_seen || !raw->first_seen || raw->first_seen == base->first_seen ||
	       raw->first_seen <= base->last_seen + FIRST_SEEN_SLACK;
}

void kh_fold_difference(const struct kh_base *base, const struct kh_base *raw, int64_t *ret_packets, int64_t *ret_bytes)
{
	bool on = goes_on(base, raw);

	*ret_packets = raw->packets - (on ? base->packets : 0);
	*ret_bytes = raw->bytes - (on ? base->bytes : 0);
}

bool kh_fold_same(const struct kh_base *base, const struct kh_base *raw)
{
	return base->map == raw->map && base->packets == raw->packets && base->bytes == raw->bytes &&
	       base->first_seen == raw->first_seen && base->last_seen == raw->last_seen;
}

struct kh_base kh_fold_base_at(sqlite3_stmt *statement, int column)
{
	return (struct kh_base){
		.indicator = sqlite3_column_int64(statement, column),
		.map = sqlite3_column_int64(statement, column + 1),
		.packets = sqlite3_column_int64(statement, column + 2),
		.bytes = sqlite3_column_int64(statement, column + 3),
		.first_seen = sqlite3_column_int64(statement, column + 4),
		.last_seen = sqlite3_column_int64(statement, column + 5),
	};
}

void kh_fold_bind_base(sqlite3_stmt *statement, int place, const struct kh_base *base)
{
	kh_sql_bind_int(statement, place, base->indicator);
	kh_sql_bind_int(statement, place + 1, base->map);
	kh_sql_bind_int(statement, place + 2, base->packets);
	kh_sql_bind_int(statement, place + 3, base->bytes);
	kh_sql_bind_int(statement, place + 4, base->first_seen);
	kh_sql_bind_int(statement, place + 5, base->last_seen);
}

int64_t kh_fold_map(const struct kh_ledger *ledger, uint32_t map)
{
	return ledger->epoch << 32 | map;
}

/* ---- Records of indicators ----------------------------------------------------------------------- */

int kh_fold_find_holder(struct kh_ledger *ledger, uint32_t slot, int64_t *ret_indicator, struct kh_error *error)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(ledger, KH_SQL_SLOT_HOLDER, "SELECT indicator FROM slots WHERE slot = ?1", &statement,
				 error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, slot);
	code = kh_sql_step(ledger, statement, error);
	if (code == 1)
		*ret_indicator = sqlite3_column_int64(statement, 0);
	return code ? code : kh_bulk_holder(ledger, slot, ret_indicator, error);
}

/* Of the array in use, and of the one before. */
struct bases {
	struct kh_base current, old;
};

static int find_bases(struct kh_ledger *ledger, uint32_t slot, struct bases *ret_bases, struct kh_error *error)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(
		ledger, KH_SQL_SLOT_BASES,
		"SELECT indicator, map, packets, bytes, first_seen, last_seen, old_indicator, old_map, old_packets, old_bytes,"
		" old_first_seen, old_last_seen FROM slot_bases WHERE slot = ?1",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, slot);
	code = kh_sql_step(ledger, statement, error);
	if (code == 1)
		*ret_bases = (struct bases){ .current = kh_fold_base_at(statement, 0),
					     .old = kh_fold_base_at(statement, 6) };
	return code;
}

static int put_bases(struct kh_ledger *ledger, uint32_t slot, const struct bases *bases, struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = kh_sql_cached(
		ledger, KH_SQL_SLOT_BASES_PUT,
		"INSERT OR REPLACE INTO slot_bases (slot, indicator, map, packets, bytes, first_seen, last_seen, old_indicator,"
		" old_map, old_packets, old_bytes, old_first_seen, old_last_seen)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, slot);
	kh_fold_bind_base(statement, 2, &bases->current);
	kh_fold_bind_base(statement, 8, &bases->old);
	return kh_sql_run(ledger, statement, error);
}

static int add_count(struct kh_ledger *ledger, int64_t indicator, const struct kh_base *more, struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = kh_sql_cached(
		ledger, KH_SQL_COUNT_ADD,
		"INSERT INTO counts VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (indicator) DO UPDATE SET"
		" packets = packets + excluded.packets, bytes = bytes + excluded.bytes,"
		" first_seen = CASE WHEN first_seen = 0 THEN excluded.first_seen WHEN excluded.first_seen = 0 THEN first_seen"
		" ELSE min(first_seen, excluded.first_seen) END, last_seen = max(last_seen, excluded.last_seen)",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, indicator);
	kh_sql_bind_int(statement, 2, more->packets);
	kh_sql_bind_int(statement, 3, more->bytes);
	kh_sql_bind_int(statement, 4, more->first_seen);
	kh_sql_bind_int(statement, 5, more->last_seen);
	return kh_sql_run(ledger, statement, error);
}

static int fold_record(struct kh_ledger *ledger, struct kh_base *raw, uint32_t slot, struct kh_error *error)
{
	struct bases bases = {};
	struct kh_base more, *base;
	int code = find_bases(ledger, slot, &bases, error);

	if (code < 0 || kh_fold_same(&bases.current, raw))
		return code < 0 ? code : 0;
	code = kh_fold_find_holder(ledger, slot, &raw->indicator, error);
	if (code <= 0)
		return code; /* nobody's: the ledger is younger than the maps */
	more = *raw;
	base = raw->map == bases.old.map ? &bases.old : &bases.current;
	if (raw->map != base->map)
		bases.old = bases.current;
	kh_fold_difference(base, raw, &more.packets, &more.bytes);
	if (!more.packets && !more.bytes && raw->map == base->map)
		return 0;
	*base = *raw;
	code = put_bases(ledger, slot, &bases, error);
	if (code >= 0 && (more.packets || more.bytes))
		code = add_count(ledger, raw->indicator, &more, error);
	return code;
}

int kh_ledger_fold_records(struct kh_ledger *ledger, uint32_t map, const struct kh_fold_record *records, size_t count,
			   struct kh_error *error)
{
	int code = kh_sql_writable(ledger, error);

	ledger->folded = true;
	for (size_t i = 0; i < count && code >= 0; i++) {
		const struct kh_record *record = &records[i].raw;
		struct kh_base raw = { .map = kh_fold_map(ledger, map),
				       .packets = (int64_t)record->packets,
				       .bytes = (int64_t)record->bytes,
				       .first_seen = record->first_seen,
				       .last_seen = record->last_seen };

		if (raw.packets || raw.bytes)
			code = fold_record(ledger, &raw, records[i].slot, error);
	}
	return code < 0 ? code : 0;
}

/* ---- Counters of interfaces and reasons ----------------------------------------------------------- */

static void bind_counter_key(sqlite3_stmt *statement, const struct kh_fold_counter *counter)
{
	kh_sql_bind_text(statement, 1, counter->interface);
	kh_sql_bind_int(statement, 2, (int64_t)counter->direction);
	kh_sql_bind_int(statement, 3, (int64_t)counter->reason);
}

static int find_counter(struct kh_ledger *ledger, const struct kh_fold_counter *counter, struct kh_base *ret_base,
			struct kh_error *error)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(
		ledger, KH_SQL_COUNTER_FIND,
		"SELECT map, raw_packets, raw_bytes FROM counters WHERE interface = ?1 AND direction = ?2 AND reason = ?3",
		&statement, error);

	if (code < 0)
		return code;
	bind_counter_key(statement, counter);
	code = kh_sql_step(ledger, statement, error);
	if (code == 1)
		*ret_base = (struct kh_base){ .map = sqlite3_column_int64(statement, 0),
					      .packets = sqlite3_column_int64(statement, 1),
					      .bytes = sqlite3_column_int64(statement, 2) };
	return code;
}

static int fold_counter(struct kh_ledger *ledger, int64_t map, const struct kh_fold_counter *counter,
			struct kh_error *error)
{
	struct kh_base base = {}, raw = { .map = map,
					  .packets = (int64_t)counter->raw.packets,
					  .bytes = (int64_t)counter->raw.bytes };
	int64_t packets, bytes;
	sqlite3_stmt *statement;
	int code = find_counter(ledger, counter, &base, error);

	if (code < 0)
		return code;
	kh_fold_difference(&base, &raw, &packets, &bytes);
	if (!packets && !bytes && base.map == map)
		return 0;
	code = kh_sql_cached(
		ledger, KH_SQL_COUNTER_PUT,
		"INSERT INTO counters VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET"
		" packets = packets + excluded.packets, bytes = bytes + excluded.bytes, map = excluded.map,"
		" raw_packets = excluded.raw_packets, raw_bytes = excluded.raw_bytes",
		&statement, error);
	if (code < 0)
		return code;
	bind_counter_key(statement, counter);
	kh_sql_bind_int(statement, 4, packets);
	kh_sql_bind_int(statement, 5, bytes);
	kh_sql_bind_int(statement, 6, raw.map);
	kh_sql_bind_int(statement, 7, raw.packets);
	kh_sql_bind_int(statement, 8, raw.bytes);
	return kh_sql_run(ledger, statement, error);
}

int kh_ledger_fold_counters(struct kh_ledger *ledger, uint32_t map, const struct kh_fold_counter *counters,
			    size_t count, struct kh_error *error)
{
	int code = kh_sql_writable(ledger, error);

	ledger->folded = true;
	for (size_t i = 0; i < count && code >= 0; i++)
		if (counters[i].raw.packets || counters[i].raw.bytes)
			code = fold_counter(ledger, kh_fold_map(ledger, map), &counters[i], error);
	return code < 0 ? code : 0;
}
