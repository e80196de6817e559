/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The audit from the daemon's side (ledger/audit.h is its chain). Inside of the core.
 *
 *   audit.c          writing: what an operation notes of its request, and when an entry is written
 *   audit_answer.c   reading: khien history --audit and --verify
 *
 * A change that is begun by kh_change_start() and ended by kh_commit() (kh_apply() does that) has its entry by itself. A request that the daemon makes
 * itself may have no note; then its entry says DONE.
 */
#ifndef KHIEN_DAEMON_AUDIT_H
#define KHIEN_DAEMON_AUDIT_H

#include "daemon/private.h"
#include "ledger/audit.h"

#define KH_REFUSED_UNSIGNED "unsigned" /* neither signed nor confirmed */
#define KH_REFUSED_SIGNATURE "signature" /* a bad one */

/* What an entry says besides the request itself, gathered while that is answered. Begins all zero. */
struct kh_audit_note {
	char letter[512]; /* numbers, joined by ", " */
	uint8_t files[KH_PROTO_MAX_FILES][32];
	size_t files_count;
	int exit; /* with which the change that is being written will be answered */
	const char *
		refused; /* for want of that: KH_GROUP_CHANGE, KH_REFUSED_UNSIGNED, KH_REFUSED_SIGNATURE; NULL: it was not */
	uint8_t keys[KH_PROTO_MAX_FILES][8]; /* ids of those that signed files of it (trust.h) */
	size_t keys_count;
	bool is_signed; /* with them, all that it orders */
	bool confirmed; /* at a terminal, and that counted */
	int64_t unlisted; /* refusals before this one that were only counted */
	bool written; /* a change of it was committed, with an entry */
	int exit_written; /* which says this */
};

/* The file is one of those that the request is about. */
void kh_audit_file(const struct kh_request *request, const uint8_t sha256[static 32]);
/* So is the letter. NULL and "" are nobody's number. */
void kh_audit_letter(const struct kh_request *request, const char *number);
/* The same by id, where no letter was named yet. */
void kh_audit_letter_id(const struct kh_request *request, int64_t letter);
/* The running change will be answered with this; otherwise DONE. */
void kh_audit_exit(const struct kh_request *request, int code);

/* The running transaction writes this change for the request, which must live until it ends. Part of kh_change_start(). */
void kh_audit_begin(const struct kh_request *request, int64_t change);
/* The request was answered with this: writes its entry, unless its change has it, in a transaction of its own. A failure is logged. */
void kh_audit_request(const struct kh_request *request, int code);
/* It was refused, for want of what note->refused says. So many in one minute are written down, and the others counted. */
void kh_audit_refusal(const struct kh_request *request, int code);

#endif
