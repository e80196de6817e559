/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The audit: who did what. One entry for each request that changes something or tried to, and for what the daemon does itself. Entries are only ever
 * added, and each is chained to the one before it, so that none can be changed, left out or put in without the rest telling.
 *
 * The hash of an entry is the SHA-256 of "khien audit 1\n" and these fields, each as its length in bytes (8 bytes, big-endian) and then its bytes; a
 * number is 8 bytes, big-endian, two's complement: the hash before it (32 bytes; of the first: zeros), number, time, uid, login, proven (0 or 1), actor,
 * command, change, letter, files, exit.
 *
 * The ledger also notes number and hash of the newest entry apart from the table (meta "audit"). Whoever can write the file can write all of it anew, that
 * note included: against that, the daemon says each hash in its log, which is kept elsewhere.
 */
#ifndef KHIEN_LEDGER_AUDIT_H
#define KHIEN_LEDGER_AUDIT_H

#include "ledger/ledger.h"

#define KH_AUDIT_HASH_BYTES 32
#define KH_AUDIT_HASH_TEXT (2 * KH_AUDIT_HASH_BYTES + 1)

struct kh_audit {
	int64_t number; /* out; 1, 2, 3 ... */
	int64_t time; /* wall-clock seconds */
	int64_t uid; /* -1: the daemon itself */
	int64_t login; /* the uid that the person logged in with; -1: none, or not known */
	bool proven; /* that it is */
	const char *actor; /* "van (root)" */
	const char *command; /* a JSON object: "op" and its arguments */
	int64_t change; /* 0: none */
	const char *letter; /* numbers of the letters it is about, joined by ", "; may be "" */
	const uint8_t *files; /* SHA-256 of each file, one after the other; may be NULL */
	size_t files_bytes;
	int exit; /* enum kh_exit */
	uint8_t before[KH_AUDIT_HASH_BYTES], hash[KH_AUDIT_HASH_BYTES]; /* out */
};

/* Adds an entry to the running transaction; number, before and hash are filled in. 0 or -errno; then the transaction can only be rolled back. */
int kh_ledger_audit_add(struct kh_ledger *ledger, struct kh_audit *entry, struct kh_error *error);
/* The number of the newest entry, one of the running transaction included; 0: none. */
int64_t kh_ledger_audit_newest(const struct kh_ledger *ledger);
/* Newest first; before = 0 for all, else only numbers below it. callback returns 0 to go on, non-zero to stop (returned). What it is given is valid during
 * the call only. 0 or -errno. */
int kh_ledger_audits(struct kh_ledger *ledger, int64_t before, int (*callback)(const struct kh_audit *, void *),
		     void *context);

#define KH_AUDIT_FAULTS(X)                                                                             \
	X(KH_AUDIT_WHOLE, "none")                                                                      \
	X(KH_AUDIT_CHANGED, "changed") /* the entry is not what its hash says */                       \
	X(KH_AUDIT_MISSING, "missing") /* there is none of this number */                              \
	X(KH_AUDIT_REPLACED, "replaced") /* the next entry is chained to another one than this */      \
	X(KH_AUDIT_CUT, "cut") /* this and what came after it were there, and are gone from the end */ \
	X(KH_AUDIT_ADDED, "added") /* this and what comes after it were put in behind the end */       \
	X(KH_AUDIT_UNRECORDED, "unrecorded") /* a change that no entry speaks of */

enum kh_audit_fault {
#define X(symbol, name) symbol,
	KH_AUDIT_FAULTS(X)
#undef X
		KH_AUDIT_FAULT_COUNT,
};
const char *kh_audit_fault_name(enum kh_audit_fault fault);

struct kh_audit_report {
	int64_t entries; /* looked at: all of them, or those up to the fault */
	int64_t first_time, last_time; /* of the first and the last of them; 0: none */
	int64_t last_number;
	uint8_t last_hash[KH_AUDIT_HASH_BYTES]; /* all zeros: none */
	enum kh_audit_fault fault; /* the first that was found */
	int64_t number; /* of the entry at fault; KH_AUDIT_UNRECORDED: of the change */
	int64_t time; /* of what is at fault, or where that is gone, of the last entry before it; 0: not known */
};
/* Goes through the whole chain, one entry at a time. 0 and *ret_report, also when the chain is broken; or -errno. */
int kh_ledger_audit_verify(struct kh_ledger *ledger, struct kh_audit_report *ret_report, struct kh_error *error);

/* The hash as hexadecimal text. Returns buffer. */
char *kh_audit_hash_text(const uint8_t hash[static KH_AUDIT_HASH_BYTES], char buffer[static KH_AUDIT_HASH_TEXT]);

#endif
