/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger: what was ordered, by which letter, who changed what, and what the packets came to. One SQLite
 * file (WAL, foreign keys, synchronous=FULL, schema version with migrations), one writer: the daemon.
 *
 * It decides nothing: decisions come from guard/ and core, numbers from kernel/. It keeps identity: an indicator
 * has one row for ever, a slot (its counter record) while it is in force, and its counts across both.
 *
 *   letter      a cong van; letter 1 is "by hand" (orders given without a letter)
 *   indicator   one canonical value (kh_indicator_format)
 *   order       indicator x letter: decision, action, deadline, provenance; at most one row a pair
 *   allow       a value that is never blocked while it stands
 *   change      one act of one person (or the daemon): numbered, undoable through its items
 *
 * All times are wall-clock seconds. Strings handed out by rows are valid during the callback only; a callback may read, and
 * must not write. -EUCLEAN from any call: the file is damaged.
 */
#ifndef KHIEN_LEDGER_LEDGER_H
#define KHIEN_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "khien/abi.h"
#include "model/document.h"

#define KH_LEDGER_VERSION 6
#define KH_LETTER_BY_HAND 1

struct kh_ledger;

/* Opens or creates (mode 0600, the folder must exist). 0; -EUCLEAN: the file is damaged, empty or not a ledger (named in error; it
 * is left exactly as it is); -EPROTO: written by a newer version; -EBUSY: another process has it open for writing; or -errno. */
int kh_ledger_open(const char *path, struct kh_ledger **ret_ledger, struct kh_error *error);
void kh_ledger_close(struct kh_ledger *ledger); /* takes NULL; checkpoints */
/* Moves a damaged ledger (with -wal and -shm) aside to PATH.damaged-YYYYMMDDTHHMMSS (UTC). The new name in ret_name (PATH_MAX).
 * 0; -EBUSY: it is open; -ENOENT; or -errno. */
int kh_ledger_set_aside(const char *path, char *ret_name, size_t size);

/* Transactions. Every writing call below needs one. commit is durable when it returns 0; on failure everything since begin
 * is undone and error says why (disk full named as such). Once a write failed for the sake of the file, the rest of the
 * transaction fails too. rollback takes a ledger without a transaction as well. */
int kh_ledger_begin(struct kh_ledger *ledger, struct kh_error *error);
int kh_ledger_commit(struct kh_ledger *ledger, struct kh_error *error);
void kh_ledger_rollback(struct kh_ledger *ledger);

/* ---- Changes ------------------------------------------------------------------------------------ */

struct kh_change {
	int64_t id; /* out; 1, 2, 3 ... without gaps */
	int64_t time;
	int64_t uid; /* of the person; -1: the daemon itself */
	const char *actor; /* login name */
	const char *
		kind; /* "push" "block" "unblock" "allow" "disallow" "accept" "reject" "enforce" "monitor" "extend" "undo" "expire" "confirm"; of sources: "source" (a refresh) "source-add" "source-pause" "source-resume" "source-promote" "source-remove" */
	const char *note; /* may be NULL */
	int64_t letter; /* 0: none */
	int64_t undoes; /* the change this one undid; 0 */
	int64_t undone_by; /* out; 0 */
	int64_t orders; /* out: order rows touched */
	int64_t allows; /* out: allow rows touched */
	int64_t confirm_until; /* out: it is to be confirmed until then (unconfirmed.h); 0: it needs none */
	int64_t confirm_ended; /* out: the change that ended its waiting; 0: it waits */
	bool confirmed; /* out: that one confirmed it, else took it back */
};

int64_t kh_ledger_last_change(struct kh_ledger *ledger); /* 0: none yet */
/* Starts a change: until commit, every order and allow row written is recorded under it, before and after. 0 or -errno. */
int kh_ledger_change_begin(struct kh_ledger *ledger, struct kh_change *change, struct kh_error *error);
/* The number of the change that the running transaction writes; 0: none. */
int64_t kh_ledger_change_running(const struct kh_ledger *ledger);

/* Has the running change, so far, brought an order into force that drops, or put the end of one later? 1, 0 or -errno. It is about orders: what an allow
 * leaves out counts too. */
int kh_ledger_change_blocks(struct kh_ledger *ledger, struct kh_error *error);

struct kh_undo_result {
	int64_t restored;
	int64_t skipped; /* rows that a later change touched: left as they are */
};
/* Under the running change, puts back every row that change `id` touched and no later change did (later ones that were undone
 * themselves do not count). Rows it made are gone again. -ENOENT, -EALREADY (undone before), or 0. id 0: the newest change by a
 * person that touched something, is not undone and is not an undo; its number in ret_id. Undoing an undo does its change again. */
int kh_ledger_undo(struct kh_ledger *ledger, int64_t id, int64_t *ret_id, struct kh_undo_result *ret_result,
		   struct kh_error *error);

/* Newest first; before = 0 for all, else only ids below it. callback returns 0 to go on, non-zero to stop (returned). */
int kh_ledger_changes(struct kh_ledger *ledger, int64_t before, int (*callback)(const struct kh_change *, void *),
		      void *context);

/* ---- Letters ------------------------------------------------------------------------------------ */

struct kh_letter_row {
	int64_t id;
	const char *number, *date, *issuer, *subject; /* number is never NULL; the others may be */
	int year;
	int64_t received; /* first loaded */
	int64_t enforced, monitored, review, refused, unenforceable,
		ended; /* order rows by state; ended: expired, withdrawn, rejected */
	int64_t packets, bytes, first_seen, last_seen; /* over its orders' indicators */
};

/* Finds or makes the letter (key: folded number, folded issuer or "", year); what was not known of it before is added. A letter without an issuer is the
 * one of that number and year, when there is one only. 0 or -errno. */
int kh_ledger_letter_put(struct kh_ledger *ledger, const struct kh_letter *letter, int year, int64_t now,
			 int64_t *ret_id, struct kh_error *error);
/* What a person says of it replaces what was read: date "2019-03-15" (and with it the year), issuer; NULL: stays. 1: changed; 0: it was so already, or another
 * letter is just that; or -errno. */
int kh_ledger_letter_correct(struct kh_ledger *ledger, int64_t id, const char *date, const char *issuer,
			     struct kh_error *error);
/* The newest letter of that number, of whatever issuer and year, that holds this very file. 1, 0 or -errno. */
int kh_ledger_letter_of_file(struct kh_ledger *ledger, const char *number, const uint8_t sha256[static 32],
			     int64_t *ret_id, struct kh_error *error);
/* Records a file of a letter. 1: new; 0: the same bytes were loaded for this letter before, at *ret_loaded. */
int kh_ledger_document_put(struct kh_ledger *ledger, int64_t letter, const char *file, const char *format,
			   const uint8_t sha256[static 32], int64_t now, int64_t *ret_loaded, struct kh_error *error);
/* What is held of one letter, without counts and packets. Callback as for kh_ledger_changes(). */
int kh_ledger_letter_head(struct kh_ledger *ledger, int64_t letter,
			  int (*callback)(const struct kh_letter_row *, void *), void *context);
/* Says that the letter passes on the one of this number. */
int kh_ledger_relay_put(struct kh_ledger *ledger, int64_t letter, const char *number, struct kh_error *error);
/* The other letters that are the same advisory, oldest first: those it passes on, those that pass it on, and those that share a file with it; without
 * counts and packets. Callback as for kh_ledger_changes(). */
int kh_ledger_chain(struct kh_ledger *ledger, int64_t letter, int (*callback)(const struct kh_letter_row *, void *),
		    void *context);
/* What a letter names besides orders: kind "cve" or "hash". Duplicates are kept once. */
int kh_ledger_letter_fact(struct kh_ledger *ledger, int64_t letter, const char *kind, const char *value,
			  struct kh_error *error);
int kh_ledger_letter_facts(struct kh_ledger *ledger, int64_t letter,
			   int (*callback)(const char *kind, const char *value, void *), void *context);
/* Letters whose folded number starts with (or equals: then only that) the folded `ref`; NULL: all but "by hand". Newest first.
 * "298/VNCERT-ĐPƯC (2019)" tells the years of one number apart. Packets count orders that are or were in force. */
int kh_ledger_letters(struct kh_ledger *ledger, const char *ref, int (*callback)(const struct kh_letter_row *, void *),
		      void *context);

/* ---- Orders ------------------------------------------------------------------------------------- */

#define KH_ORDER_STATES(X)                         \
	X(KH_ORDER_ACTIVE, "active")               \
	X(KH_ORDER_REVIEW, "review")               \
	X(KH_ORDER_REFUSED, "refused")             \
	X(KH_ORDER_UNENFORCEABLE, "unenforceable") \
	X(KH_ORDER_EXPIRED, "expired")             \
	X(KH_ORDER_WITHDRAWN, "withdrawn")         \
	X(KH_ORDER_REJECTED, "rejected")

enum kh_order_state {
#define X(symbol, name) symbol,
	KH_ORDER_STATES(X)
#undef X
		KH_ORDER_STATE_COUNT,
};
const char *kh_order_state_name(enum kh_order_state state);

struct kh_order_row {
	int64_t id; /* for paging only */
	int64_t indicator_id, letter;
	struct kh_indicator indicator;
	const char *value; /* canonical text */
	const char *number; /* of the letter; "" by hand */
	enum kh_order_state state;
	enum kh_action action;
	enum kh_decision decision;
	enum kh_decision_reason reason;
	const char *rule; /* of the guard; may be "" */
	const char *note;
	const char *raw, *file; /* provenance; may be "" */
	int page, line;
	enum kh_section section;
	int64_t since; /* in this state */
	int64_t expires; /* 0: no deadline */
	int64_t change; /* that touched it last */
	/* of the indicator, over all letters */
	uint32_t slot; /* 0: none */
	int64_t packets, bytes, first_seen, last_seen;
};

/* Writes one order (by indicator and letter): makes the indicator and the row, or updates the row. Fields used: letter, indicator,
 * state, action, decision, reason, rule, note, raw, file, page, line, section, since, expires. 1: new or changed, 0: as it was. */
int kh_ledger_order_put(struct kh_ledger *ledger, const struct kh_order_row *order, struct kh_error *error);

/* The state of the order of this value in that letter: 1; 0: there is none; or -errno. */
int kh_ledger_order_state(struct kh_ledger *ledger, int64_t letter, const struct kh_indicator *indicator,
			  enum kh_order_state *ret_state);

struct kh_order_filter {
	int64_t letter; /* 0: any */
	int state; /* enum kh_order_state, or -1: any */
	const char *value; /* canonical; NULL: any */
	const struct kh_range *overlaps; /* orders on addresses that overlap; NULL: any */
	int64_t expires_before; /* active ones whose deadline is before; 0: any */
	bool rows_only; /* not the values of bulk lists */
	int64_t bulk; /* only the values of this bulk list; 0: any */
	int64_t after; /* row ids above it, for paging; rows come by id */
	int64_t limit; /* 0: no limit */
};
int kh_ledger_orders(struct kh_ledger *ledger, const struct kh_order_filter *filter,
		     int (*callback)(const struct kh_order_row *, void *), void *context);
int kh_ledger_order_counts(
	struct kh_ledger *ledger, int64_t ret_counts[static KH_ORDER_STATE_COUNT],
	int64_t *ret_monitored); /* distinct indicators by strongest state; monitored is a part of active */

/* ---- Bulk lists ----
 * The values of a long plain list are not a row each: they are held as one, in packed parts (model/bulk.h), and look like rows to
 * those who read. One that is put by itself gets a row first. */

/* Writes the values as active orders of terms' letter, with its action, note, file, since and expires, under the running change. What the
 * letter orders just so already is left as it is. Values of which the letter has rows are not written: `row` is called for
 * each (it must not write), and the caller puts them by kh_ledger_order_put afterwards. What the letter orders on other terms is
 * since now, though its state is as before. `bulk` is sorted. 0, -errno, or what `row` returned. */
int kh_ledger_bulk_put(struct kh_ledger *ledger, const struct kh_order_row *terms, const struct kh_bulk *bulk,
		       int (*row)(const struct kh_range *range, uint32_t line, void *context), void *context,
		       size_t *ret_made, size_t *ret_unchanged, struct kh_error *error);
struct kh_bulk_row {
	int64_t id;
	struct kh_order_row terms; /* what its rows have in common */
	const struct kh_bulk *values;
	const uint64_t *left_out; /* a bit for each value that another speaks for; NULL: none */
	int64_t count; /* of the others */
};
/* The bulk lists of a letter (0: all) that speak for some value. */
int kh_ledger_bulks(struct kh_ledger *ledger, int64_t letter, int (*callback)(const struct kh_bulk_row *, void *),
		    void *context);
/* Changes all values of a list alike: state, action, since, expires and note of `terms`. How many it speaks for; 0: as it was; or -errno. */
int64_t kh_ledger_bulk_change(struct kh_ledger *ledger, int64_t bulk, const struct kh_order_row *terms,
			      struct kh_error *error);

/* Under the running change: active orders whose deadline has passed become expired, and allows inactive. Rows or -errno. */
int64_t kh_ledger_expire(struct kh_ledger *ledger, int64_t now, struct kh_error *error);
/* The next deadline of an active order or allow; 0: none. */
int64_t kh_ledger_next_deadline(struct kh_ledger *ledger);
/* The clock was put right by so many seconds: deadlines given by changes after `after` move with it. Lapsed ones too, for an undo. Needs a transaction, no change.
 * Rows or -errno. */
int64_t kh_ledger_deadlines_shift(struct kh_ledger *ledger, int64_t after, int64_t seconds, struct kh_error *error);

/* ---- Allows ------------------------------------------------------------------------------------- */

struct kh_allow_row {
	int64_t id;
	struct kh_range range;
	const char *value, *note, *actor;
	int64_t since, expires; /* 0: no deadline */
	int64_t change;
	bool active;
};
/* Writes one allow (by range): range, note, actor, since, expires, active are used. 1: new or changed, 0: as it was. */
int kh_ledger_allow_put(struct kh_ledger *ledger, const struct kh_allow_row *allow, struct kh_error *error);
int kh_ledger_allows(struct kh_ledger *ledger, bool active_only, int (*callback)(const struct kh_allow_row *, void *),
		     void *context);

/* ---- For the compiler --------------------------------------------------------------------------- */

/* Slots: the number of an indicator's counter record in the kernel, and what makes counts survive generations, restarts and upgrades.
 *
 * Assigned: here alone, in the transaction of the change that brings an indicator into force. A single indicator gets the smallest free
 * number, a bulk list one run of numbers from 65,536 on, value n the number first + n. It keeps it as long as it is in force, in every
 * generation.
 *
 * Reused: once nobody in force has it, `grace` seconds have passed since its holder left (the daemon: 60) and its counts were folded by a
 * transaction that committed after that. Until then a holder that comes back finds it again, with its record going on.
 *
 * Never confused: the new holder of a number is told to be fresh, and its record is zeroed before the change commits; each fold keeps whose
 * raw counts they were and of which map of which boot (fold.c), so counts from before go to the former holder or to nobody. The generation
 * before has the same record array, or, when the array had to grow, its own under another map id, which is folded once more after no
 * packet counts there and only then dropped.
 *
 * Gives every indicator with an active, enforceable order a slot (free slots are reused no earlier than `grace` seconds after
 * their indicator left force, and only after counts were folded since), frees the slots of those that left, and calls back once
 * for each indicator and action in force: the latest deadline of its active orders (0 when one has none). `now` is for the slots
 * only: nothing expires here. An indicator that comes back finds its slot again as long as nobody else has it. A failed or
 * stopped call leaves a transaction fit only for rollback. */
struct kh_force {
	uint32_t slot;
	enum kh_action action;
	int64_t deadline;
	struct kh_indicator indicator;
	bool fresh; /* the slot was newly given: the caller zeroes its record in the kernel before commit */
};
/* A bulk list in force, for `list`; borrowed until the ledger is used again. */
struct kh_force_list {
	const struct kh_bulk *values; /* number n has the slot first_slot + n */
	const uint64_t *left_out; /* a bit for each value that others speak for; NULL: none */
	uint32_t first_slot;
	enum kh_action action;
	int64_t deadline;
	bool fresh; /* all slots are */
};
/* list NULL: callback is called for each value of the lists. */
int kh_ledger_force(struct kh_ledger *ledger, int64_t now, int64_t grace,
		    int (*callback)(const struct kh_force *, void *), int (*list)(const struct kh_force_list *, void *),
		    void *context, struct kh_error *error);

/* ---- Sessions ----------------------------------------------------------------------------------- */

/* The connections, as the daemon writes them, that are spared of every block while they last. Writing needs a transaction. 0 or -errno. */
int kh_ledger_session_put(struct kh_ledger *ledger, const char *connection, struct kh_error *error);
int kh_ledger_session_remove(struct kh_ledger *ledger, const char *connection, struct kh_error *error);
int kh_ledger_sessions(struct kh_ledger *ledger, int (*callback)(const char *connection, void *), void *context);

/* ---- Counts ------------------------------------------------------------------------------------- */

/* Raw values are what a kernel map holds now; `map` is its kernel id. The ledger keeps, for each key, the last raw value folded and the map
 * it came from, and adds the difference (or all of it, for a new map) to its totals: exact across restarts of the daemon and of the machine
 * (map ids of another boot are other maps). An array replaced by a larger one may be folded once more after it. Keys that did
 * not move may be left out. A fold that commits says that all counts were collected: slots wait for it (kh_ledger_force). */
struct kh_fold_record {
	uint32_t slot;
	struct kh_record raw;
};
int kh_ledger_fold_records(struct kh_ledger *ledger, uint32_t map, const struct kh_fold_record *records, size_t count,
			   struct kh_error *error);
struct kh_fold_sighting {
	struct kh_sighting_key key;
	const char *interface; /* name */
	struct kh_sighting raw;
};
int kh_ledger_fold_sightings(struct kh_ledger *ledger, uint32_t map, const struct kh_fold_sighting *sightings,
			     size_t count, struct kh_error *error);
struct kh_fold_counter {
	const char *interface; /* name */
	enum kh_direction direction;
	enum kh_reason reason;
	struct kh_counter raw;
};
int kh_ledger_fold_counters(struct kh_ledger *ledger, uint32_t map, const struct kh_fold_counter *counters,
			    size_t count, struct kh_error *error);

struct kh_total {
	const char *key; /* indicator value, letter number, interface, reason name, host */
	const char *
		extra; /* letters in force on an indicator; "ingress" or "egress" of an interface; MAC of a host; may be "" */
	int64_t packets, bytes, first_seen, last_seen; /* seen: 0 where not kept */
};
/* by: "indicator" "advisory" "interface" "reason" "host"; seen since `since` (0: ever; for interface and reason ignored); most packets
 * first. The counts are totals; of an interface: of all packets seen there. -EINVAL for another `by`. */
int kh_ledger_totals(struct kh_ledger *ledger, const char *by, int64_t since, int64_t limit,
		     int (*callback)(const struct kh_total *, void *), void *context);

struct kh_sighting_row {
	const char *value; /* indicator */
	const char *numbers; /* letters in force on it, joined by ", " */
	const char *host; /* address text; "" for spoofed */
	const char *mac; /* "00:00:5e:00:53:57" or "" */
	const char *interface;
	uint8_t flags;
	int64_t packets, bytes, first_seen, last_seen;
};
/* Sightings of one host (address text or MAC, else -EINVAL) and/or one indicator value; NULL: any. Newest first. */
int kh_ledger_sightings(struct kh_ledger *ledger, const char *host_or_mac, const char *value, int64_t limit,
			int (*callback)(const struct kh_sighting_row *, void *), void *context);

/* ---- Health ------------------------------------------------------------------------------------- */

/* Notes the state from `now` on ("protected", "degraded", "unprotected"); the same state again only renews the problems. */
int kh_ledger_health_put(struct kh_ledger *ledger, const char *state, const char *problems, int64_t now,
			 struct kh_error *error);
/* The state and since when; 0, or -ENOENT. */
int kh_ledger_health(struct kh_ledger *ledger, char *ret_state, size_t size, int64_t *ret_since);
/* Small facts: "generation". 0; -ENOENT. */
int kh_ledger_fact_get(struct kh_ledger *ledger, const char *key, int64_t *ret_value);
int kh_ledger_fact_put(struct kh_ledger *ledger, const char *key, int64_t value, struct kh_error *error);

#endif
