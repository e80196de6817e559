/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the ledger: the connection, the running transaction and change, and the helpers over SQLite that every
 * part of it uses. Only files of ledger/ (and its tests) include this.
 */
#ifndef KHIEN_LEDGER_PRIVATE_H
#define KHIEN_LEDGER_PRIVATE_H

#include <sqlite3.h>

#include "ledger/ledger.h"
#include "ledger/waiting.h"

#define KH_LEDGER_APPLICATION_ID 0x4b484c31 /* "KHL1", at offset 68 of the file */

/* What keeps the past of its rows. Both tables have companions NAME_before and NAME_made (schema.c). */
enum kh_table {
	KH_TABLE_ORDERS,
	KH_TABLE_ALLOWS,
	KH_TABLE_BULKS,
	KH_TABLE_COUNT,
};

/* Statements that writing repeats; prepared once. Reading with a callback prepares its own: callbacks may ask again. */
enum kh_cached {
	KH_SQL_INDICATOR_NEW,
	KH_SQL_INDICATOR_FIND,
	KH_SQL_ORDER_FIND,
	KH_SQL_ORDER_KEEP,
	KH_SQL_ORDER_NEW,
	KH_SQL_ORDER_UPDATE,
	KH_SQL_ALLOW_FIND,
	KH_SQL_ALLOW_KEEP,
	KH_SQL_ALLOW_NEW,
	KH_SQL_ALLOW_UPDATE,
	KH_SQL_LETTER_FIND,
	KH_SQL_LETTER_NEW,
	KH_SQL_LETTER_COMPLETE,
	KH_SQL_LETTER_CORRECT,
	KH_SQL_LETTER_OF_FILE,
	KH_SQL_LETTER_SUMS,
	KH_SQL_DOCUMENT_FIND,
	KH_SQL_DOCUMENT_NEW,
	KH_SQL_FACT_NEW,
	KH_SQL_MADE_ORDERS,
	KH_SQL_MADE_ALLOWS,
	KH_SQL_MADE_BULKS,
	KH_SQL_ORDER_STATE,
	KH_SQL_BULK_PART,
	KH_SQL_BULK_NAME,
	KH_SQL_BULK_COUNTS,
	KH_SQL_META_GET,
	KH_SQL_META_PUT,
	KH_SQL_FACT_GET,
	KH_SQL_FACT_PUT,
	KH_SQL_SLOT_NEW,
	KH_SQL_SLOT_GIVE,
	KH_SQL_SLOT_LEAVE,
	KH_SQL_SLOT_RETURN,
	KH_SQL_SLOT_HOLDER,
	KH_SQL_SLOT_BASES,
	KH_SQL_SLOT_BASES_PUT,
	KH_SQL_COUNT_ADD,
	KH_SQL_SIGHTING_FIND,
	KH_SQL_SIGHTING_BASE,
	KH_SQL_SIGHTING_ADD,
	KH_SQL_COUNTER_FIND,
	KH_SQL_COUNTER_PUT,
	KH_SQL_HEALTH_LAST,
	KH_SQL_HEALTH_PUT,
	KH_SQL_HEALTH_TEXT,
	KH_SQL_ORDER_TERMS,
	KH_SQL_AUDIT_LAST,
	KH_SQL_AUDIT_NEW,
	KH_SQL_CACHED_COUNT,
};

/* The id of an order is its indicator and its letter, so one tree finds it by either and keeps an indicator's orders together. */
#define KH_ORDER_STEP ((int64_t)1 << 20)
#define KH_ORDER_ID(indicator, letter) ((indicator)*KH_ORDER_STEP + (letter))
#define KH_SQL_OF_INDICATOR(order, indicator) \
	order ".id BETWEEN " indicator " * 1048576 AND " indicator " * 1048576 + 1048575"

/* Rows made one after the other under one change are kept as runs of ids: a push of a million costs one row here. */
struct kh_run {
	int64_t first, last; /* first 0: empty */
};

/* ---- Bulk lists in memory (bulks.c) ---- */

/* A set of indicators, a bit each. May be all zero: empty. */
struct kh_ids {
	uint64_t *bits;
	int64_t first, count; /* of the bits; `first` is a multiple of 64 */
};

/* Values of a bulk list, sorted, and the indicator of each. They never change. */
struct kh_members {
	int64_t bulk;
	struct kh_bulk values;
	uint32_t *indicators; /* kh_bulk_count(&values) */
	struct kh_ids ids;
	bool pending; /* written in the running transaction */
};

/* A bulk list as it is now. */
struct kh_held {
	int64_t id, letter, since, expires, change;
	int64_t count; /* values */
	enum kh_order_state state;
	enum kh_action action;
	char *note, *file, *number; /* number: of the letter */
	bool absent; /* undone: only its indicators are still known */
	struct kh_members *members;
	uint64_t *hidden; /* a bit for each value that a row, or a newer list of the letter, speaks for; NULL: none */
	size_t hidden_count;
	struct kh_ids shown; /* indicators of the others */
	int64_t first_slot; /* 0: none; value n has the slot first_slot + n */
	bool left; /* not in force: its slots are kept for some time only */
};

struct kh_bulks {
	bool valid;
	struct kh_held *list; /* by id */
	size_t count, capacity;
	struct kh_members **members; /* all that were loaded; lists borrow them */
	size_t members_count, members_capacity;
	int64_t next_indicator; /* the next new indicator has this id; 0: ask the file */
};

/* ---- Slots of single indicators in memory (slots.c) ---- */

/* A row of `slots`. */
struct kh_slot {
	int64_t indicator;
	int64_t left_at, left_fold; /* left_at 0: in force */
	uint32_t number;
	bool seen; /* in force in this pass */
	bool fresh; /* given in this pass */
};
struct kh_slot_holder {
	int64_t indicator;
	size_t slot; /* place in the list */
};
struct kh_slots {
	bool valid; /* as in the file */
	struct kh_slot *list; /* by number */
	size_t count, capacity;
	struct kh_slot_holder *holders; /* by indicator */
	size_t holders_count, holders_capacity;

	/* of the running pass */
	int64_t now, grace;
	size_t next; /* below it nothing is free */
	size_t at_slot,
		at_holder; /* the first in the list that is not below next; the first not below the indicator asked for */
	struct kh_slot *fresh; /* given, and without a row yet */
	size_t fresh_count, fresh_capacity;
	struct kh_slot_holder *given; /* in ascending order, as asked for */
	size_t given_count, given_capacity;
	struct kh_slot_holder *merged; /* room for the next order of holders */
	size_t merged_capacity;
};

struct kh_letter_tally {
	int64_t letter;
	int64_t enforced, monitored, review, refused, unenforceable, ended;
};

/* Counts over all orders, made in one pass and kept until an order is written. */
struct kh_tallies {
	bool valid;
	int64_t states[KH_ORDER_STATE_COUNT], monitored; /* distinct indicators */
	struct kh_letter_tally *letters; /* by letter id */
	size_t letters_count, letters_capacity;
};

struct kh_ledger {
	sqlite3 *db;
	char *path;
	int lock_fd;
	sqlite3_stmt *cached[KH_SQL_CACHED_COUNT];

	bool in_transaction, stale; /* stale: to be read again before it is believed */
	int failure; /* of the running transaction: it can only be rolled back */
	bool folded; /* counts were folded in the running transaction */
	int64_t folds; /* transactions with counts so far */

	int64_t change; /* running; 0: none */
	int64_t touched[KH_TABLE_COUNT]; /* rows, by the running change */
	struct kh_run made[KH_TABLE_COUNT];

	int64_t epoch; /* one more with each boot of the machine: kernel map ids start again */
	char boot[40]; /* boot id that goes with epoch */
	bool boot_pending; /* epoch is newer than what the file says */

	struct {
		int64_t number; /* of the newest entry, as noted apart from the entries (audit.c); 0: none */
		uint8_t hash[32];
	} audit;
	struct kh_tallies tallies;
	struct kh_bulks bulks;
	struct kh_slots slots;
	struct kh_waiting waiting;
};

/* ---- sql.c -------------------------------------------------------------------------------------- */

/* Maps an SQLite result to -errno, says it in error, and marks the running transaction as failed. */
int kh_sql_fail(struct kh_ledger *ledger, int result, struct kh_error *error);
int kh_sql_prepare(struct kh_ledger *ledger, const char *sql, sqlite3_stmt **ret_statement, struct kh_error *error);
/* The statement `which`, prepared from `sql` on first use; reset and unbound by kh_sql_run(), else by kh_sql_resetp(). */
int kh_sql_cached(struct kh_ledger *ledger, enum kh_cached which, const char *sql, sqlite3_stmt **ret_statement,
		  struct kh_error *error);
/* 1: a row; 0: the end; or -errno. */
int kh_sql_step(struct kh_ledger *ledger, sqlite3_stmt *statement, struct kh_error *error);
/* Steps to the end and resets. 0 or -errno. */
int kh_sql_run(struct kh_ledger *ledger, sqlite3_stmt *statement, struct kh_error *error);
int kh_sql_exec(struct kh_ledger *ledger, const char *sql, struct kh_error *error);
/* Runs `sql` with up to four integers bound to ?1 .. ?4. Rows changed, or -errno. */
int64_t kh_sql_change(struct kh_ledger *ledger, const char *sql, const int64_t values[static 4],
		      struct kh_error *error);
/* 0 when a write may go on: there is a transaction and nothing in it failed. */
int kh_sql_writable(struct kh_ledger *ledger, struct kh_error *error);

void kh_sql_finalizep(sqlite3_stmt **statement);
void kh_sql_resetp(sqlite3_stmt **statement);
#define KH_STATEMENT(name) sqlite3_stmt *name KH_CLEANUP(kh_sql_finalizep) = NULL
#define KH_CACHED(name) sqlite3_stmt *name KH_CLEANUP(kh_sql_resetp) = NULL

void kh_sql_bind_int(sqlite3_stmt *statement, int place, int64_t value);
void kh_sql_bind_text(sqlite3_stmt *statement, int place, const char *text); /* borrowed; NULL binds NULL */
void kh_sql_bind_blob(sqlite3_stmt *statement, int place, const void *data, size_t size); /* borrowed */
const char *kh_sql_text(sqlite3_stmt *statement, int column); /* never NULL */

/* ---- schema.c, open.c, transaction.c ------------------------------------------------------------- */

/* Brings an open database from its user_version to KH_LEDGER_VERSION, all or nothing. */
int kh_schema_migrate(struct kh_ledger *ledger, struct kh_error *error);
/* Are all tables there? */
int kh_schema_check(struct kh_ledger *ledger, struct kh_error *error);

int kh_ledger_load(struct kh_ledger *ledger, struct kh_error *error); /* what begin..commit count on */
int kh_ledger_refresh(struct kh_ledger *ledger, struct kh_error *error); /* after a rollback that could not */
/* Small facts of the file itself, as a number or a text. 1, 0: there is none, or -errno. */
int kh_meta_get(struct kh_ledger *ledger, const char *key, int64_t *ret_value, char *ret_text, size_t size,
		struct kh_error *error);
int kh_meta_put(struct kh_ledger *ledger, const char *key, int64_t value, const char *text, struct kh_error *error);
int kh_audit_load(struct kh_ledger *ledger, struct kh_error *error); /* audit.c: part of the former */
void kh_ledger_set_boot(struct kh_ledger *ledger, const char *boot); /* another one than before starts a new epoch */

/* ---- key.c -------------------------------------------------------------------------------------- */

/* The key of an indicator: one byte of kind, then what is compared, so that one index finds a value and walks over overlaps.
 *   0..32, 64..192   IPv4 resp. IPv6 by the length of the shortest prefix around it; first address; last address unless it
 *                    is the same; for address-port: port and protocol
 *   240, 241, 242    domain, URL, unknown; then the text */
#define KH_KEY_MAX 4096
struct kh_key {
	size_t size;
	uint8_t bytes[KH_KEY_MAX];
};
int kh_key_of(const struct kh_indicator *indicator, struct kh_key *ret_key); /* 0; -EINVAL; -E2BIG */
void kh_key_of_range(const struct kh_range *range, struct kh_key *ret_key);
/* The reverse. `value` lends its bytes to the text of domains and their like. 0 or -EUCLEAN. */
int kh_key_read(const void *bytes, size_t size, const char *value, struct kh_indicator *ret_indicator);
/* The ids of all indicators that overlap, as a JSON array for json_each(). malloc'ed. 0 or -errno. */
int kh_key_overlaps(struct kh_ledger *ledger, const struct kh_range *range, char **ret_ids);
/* Id of the indicator of this canonical value. 1, 0: unknown, or -errno. */
int kh_key_find(struct kh_ledger *ledger, const char *value, int64_t *ret_id);

/* ---- bulk_members.c, bulks.c: what the ledger holds of bulk lists, in memory ---------------------------- */

static inline size_t kh_members_count(const struct kh_members *members)
{
	return kh_bulk_count(&members->values);
}
/* Member number `index`, IPv4 first. */
static inline struct kh_range kh_member_range(const struct kh_members *members, size_t index, uint32_t *ret_line,
					      uint32_t *ret_indicator)
{
	*ret_indicator = members->indicators[index];
	return kh_bulk_range(&members->values, index, ret_line);
}
static inline bool kh_held_shows(const struct kh_held *held, size_t index)
{
	return !held->hidden || !(held->hidden[index / 64] >> index % 64 & 1);
}
static inline int64_t kh_held_shown(const struct kh_held *held)
{
	return held->absent ? 0 : (int64_t)(kh_members_count(held->members) - held->hidden_count);
}

int kh_ids_reserve(struct kh_ids *ids, int64_t low, int64_t high); /* room for low..high; 0 or -ENOMEM */
static inline void kh_ids_drop(struct kh_ids *ids, int64_t id)
{
	ids->bits[(id - ids->first) / 64] &= ~(1ull << (id - ids->first) % 64);
}
static inline void kh_ids_add(struct kh_ids *ids, int64_t id)
{
	ids->bits[(id - ids->first) / 64] |= 1ull << (id - ids->first) % 64;
}
static inline bool kh_ids_hold(const struct kh_ids *ids, int64_t id)
{
	return id >= ids->first && id - ids->first < ids->count &&
	       (ids->bits[(id - ids->first) / 64] >> (id - ids->first) % 64 & 1);
}
static inline bool kh_ids_room(const struct kh_ids *ids, int64_t id)
{
	return id >= ids->first && id - ids->first < ids->count;
}
void kh_ids_clear(struct kh_ids *ids);

/* The values of a list, read once. 0 or -errno. */
int kh_members_read(struct kh_ledger *ledger, int64_t bulk, struct kh_members **ret_members, struct kh_error *error);
/* Brings ledger->bulks up to date, values included. 0 or -errno. */
int kh_bulks_load(struct kh_ledger *ledger, struct kh_error *error);
/* They are not what the file says any more (`all`: nor are values written in this transaction, which was undone). */
void kh_bulks_forget(struct kh_ledger *ledger, bool all);
void kh_bulks_clear(struct kh_ledger *ledger);
/* The transaction was committed. */
void kh_bulks_settle(struct kh_ledger *ledger);
/* Takes the members over, as those of a list just written. */
int kh_bulks_adopt(struct kh_ledger *ledger, struct kh_members *members_take);
void kh_members_free(struct kh_members *members);
/* Calls back for each value that is in both, with its numbers in a and b. */
void kh_members_meet(const struct kh_members *a, const struct kh_members *b,
		     void (*callback)(size_t a, size_t b, void *context), void *context);

/* The indicator of a value that some bulk list holds or held. 1, 0: none does, or -errno. */
int kh_bulk_indicator(struct kh_ledger *ledger, const struct kh_range *range, int64_t *ret_id, struct kh_error *error);
/* Id for an indicator that nobody knows yet, and `count` - 1 more after it. Positive, or -errno. */
int64_t kh_indicator_reserve(struct kh_ledger *ledger, int64_t count, struct kh_error *error);
/* Gives an indicator of a bulk list its row, so that others can refer to it. */
int kh_bulk_name(struct kh_ledger *ledger, int64_t indicator, const struct kh_range *range, struct kh_error *error);

/* ---- bulk_rows.c: bulk lists as rows -------------------------------------------------------------------- */

/* The rows of bulk lists that a filter names, after those of the table. As kh_ledger_orders. */
int kh_bulk_orders(struct kh_ledger *ledger, const struct kh_order_filter *filter, int64_t limit,
		   int (*callback)(const struct kh_order_row *, void *), void *context);
/* ---- bulk_force.c: slots of bulk lists ----------------------------------------------------------------------- */

/* Ordinary indicators take the smallest free slots, lists whole runs from here on: so a few hundred orders beside a feed of a million are
 * found in a small table. */
#define KH_BULK_SLOTS 65536

struct kh_slot_run {
	int64_t bulk, first, count;
	bool left, reusable, seen, stored;
};
struct kh_slot_runs {
	struct kh_slot_run *list; /* by first slot */
	size_t count, capacity;
};
int kh_slot_runs_load(struct kh_ledger *ledger, int64_t now, int64_t grace, struct kh_slot_runs *runs,
		      struct kh_error *error);
/* The first slot from `slot` on that is in no run. */
size_t kh_slot_runs_skip(const struct kh_slot_runs *runs, size_t slot);
/* Gives the lists in force their slots, hands out their values, and writes what differs. `taken` tells of slots below `taken_count`
 * whether an ordinary indicator has them. 0, -errno, or what the callback returned. */
int kh_slot_runs_force(struct kh_ledger *ledger, struct kh_slot_runs *runs, int64_t now,
		       bool (*taken)(size_t slot, const void *context), size_t taken_count, const void *taken_context,
		       int (*callback)(const struct kh_force *, void *),
		       int (*list)(const struct kh_force_list *, void *), void *context, struct kh_error *error);
/* Whose slot it is: 1, 0: no list's, or -errno. Names the indicator. */
int kh_bulk_holder(struct kh_ledger *ledger, uint32_t slot, int64_t *ret_indicator, struct kh_error *error);

/* ---- slots.c: slots of single indicators --------------------------------------------------------------------- */

/* Begins a pass: `grace` seconds after it was left a slot is free, if counts were folded since. 0 or -errno. */
int kh_slots_begin(struct kh_ledger *ledger, int64_t now, int64_t grace, struct kh_error *error);
/* The slot that an indicator has, had, or gets now; asked in ascending order of indicators. 0 or -errno. */
int kh_slots_give(struct kh_ledger *ledger, const struct kh_slot_runs *runs, int64_t indicator, uint32_t *ret_number,
		  bool *ret_fresh, struct kh_error *error);
bool kh_slots_taken(size_t number, const void *slots); /* a row's, or given in this pass */
size_t kh_slots_end(const struct kh_slots *slots); /* above all that are taken */
/* Ends the pass: writes what differs. 0 or -errno; without it the transaction is fit only for rollback. */
int kh_slots_write(struct kh_ledger *ledger, struct kh_error *error);
void kh_slots_forget(struct kh_ledger *ledger); /* the transaction was undone */
void kh_slots_clear(struct kh_ledger *ledger);

/* ---- bulk_out.c: rows out of bulk lists ----------------------------------------------------------------- */

/* A value of a letter is about to be written by itself: where a bulk list of the letter speaks for it, it becomes a row first, with
 * the list's past as its own; and from now on no list of the letter speaks for it. 0 or -errno. */
int kh_bulk_take_out(struct kh_ledger *ledger, int64_t letter, const struct kh_indicator *indicator,
		     struct kh_error *error);
/* For kh_bulks_load: what has a row under its letter is the row's. */
int kh_bulks_hide_rows(struct kh_ledger *ledger, struct kh_error *error);
/* A row, or a newer list, speaks for that value of the list. 0 or -errno. */
int kh_held_hide(struct kh_held *held, size_t index);

/* As kh_ledger_order_state, of bulk lists. */
int kh_bulk_state(struct kh_ledger *ledger, int64_t letter, const struct kh_indicator *indicator,
		  enum kh_order_state *ret_state);
/* SQL functions: bulk_holds(indicator, letter): is or was it in force there; bulk_numbers(indicator, text): text and the letters whose
 * bulk lists are in force on it, joined by ", ". */
int kh_bulk_functions(struct kh_ledger *ledger, struct kh_error *error);

/* ---- changes.c ---------------------------------------------------------------------------------- */

/* A row was made under the running change. */
int kh_change_made(struct kh_ledger *ledger, enum kh_table table, int64_t id, struct kh_error *error);
/* Writes out what the running change gathered. */
int kh_change_flush(struct kh_ledger *ledger, struct kh_error *error);

/* ---- tallies.c ---------------------------------------------------------------------------------- */

int kh_tallies_load(struct kh_ledger *ledger); /* 0 or -errno */
void kh_tallies_clear(struct kh_ledger *ledger);
const struct kh_letter_tally *kh_tallies_letter(const struct kh_ledger *ledger, int64_t letter); /* never NULL */

/* ---- fold.c, sightings.c ------------------------------------------------------------------------- */

/* What a kernel record held when it was folded last. */
struct kh_base {
	int64_t indicator; /* for which it was folded */
	int64_t map; /* epoch << 32 | kernel id; 0: none */
	int64_t packets, bytes, first_seen, last_seen;
};

int64_t kh_fold_map(const struct kh_ledger *ledger, uint32_t map);
/* What `raw` adds to what `base` has told already: all of it when the record started again. */
void kh_fold_difference(const struct kh_base *base, const struct kh_base *raw, int64_t *ret_packets,
			int64_t *ret_bytes);
/* Nothing moved since it was folded last: most of what is asked. */
bool kh_fold_same(const struct kh_base *base, const struct kh_base *raw);
/* Six columns from `column`, six places from `place`: indicator, map, packets, bytes, first and last seen. */
struct kh_base kh_fold_base_at(sqlite3_stmt *statement, int column);
void kh_fold_bind_base(sqlite3_stmt *statement, int place, const struct kh_base *base);
/* Whose slot it is. 1, 0: nobody's, or -errno. */
int kh_fold_find_holder(struct kh_ledger *ledger, uint32_t slot, int64_t *ret_indicator, struct kh_error *error);

#define KH_MAC_TEXT 18
/* Text of what is stored; "" when it names no machine. */
void kh_sighting_host(const void *bytes, int size, char ret_text[static KH_RANGE_TEXT]);
void kh_sighting_mac(const void *bytes, int size, char ret_text[static KH_MAC_TEXT]);

#endif
