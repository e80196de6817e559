/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [trust] keys: only what is signed with one of these keys, or confirmed by an administrator at a terminal, becomes enforced. Inside of the core.
 *
 *   trust.c   whether a request is covered; what the audit and the answer say of it
 *   trust_keys.c the keys, and whether a signature is of one of them
 *   signed.c  a push with signatures, and the copy of a source
 *   reading.c the daemon's own reading of signed bytes
 *   minisign.c the form of keys and signatures
 *
 * What is held to be true, and why.
 *
 * Signed: the daemon itself reads the bytes of the file once, into memory that nobody else can write; the signature is verified over those, and
 * khien-parse, started by the daemon in the sandbox, reads those again. What the client's reader made of the file is not looked at. So a signed push orders
 * what stands in the signed bytes, whoever pushes it. Not signed, and so not covered: --accept and --accept-all-in, by which a person decides on what
 * the reader left for review. The name of the file, --ref, --date, --issuer, --ttl and --monitor are the pusher's: they make nothing be dropped that is not
 * in the file. A signature has no end: an old list with its signature is as good as a new one.
 *
 * Confirmed at a terminal: the kernel says (SO_PEERCRED) which process has connected, and /proc/PID/stat that it has a controlling terminal and is in the
 * foreground of it; that process says that a person typed the command or answered its question there ("typed"). From Linux 6.5 (SO_PEERPIDFD) it is proven
 * that the process looked at is the one that connected. It is no proof against an administrator who makes a terminal for a script: whoever may change
 * anything could. It keeps scripts, timers and services without a terminal from ordering anything by themselves.
 *
 * Where it is judged: in kh_apply(), through which all goes that becomes enforced. A change counts when it brings an order that drops into force, or
 * puts the end of one later (kh_ledger_change_blocks()), whichever command makes it. What is taken out of force, counted only, allowed or kept for
 * review needs no signature, nor does what was in force before the section was there or was signed with a key that is trusted no more. The daemon's own
 * changes, without a note for the audit (deadlines, changes that nobody confirmed), only go back to what was.
 */
#ifndef KHIEN_DAEMON_TRUST_H
#define KHIEN_DAEMON_TRUST_H

#include "daemon/minisign.h"
#include "daemon/private.h"

/* trust_keys.c */
/* Reads the keys of the configuration, and those of its file. 0; or -errno with error, "FILE:LINE: what"; the keys that were understood are in *ret_trust
 * all the same, and it is on when the configuration has the key. */
int kh_trust_read(const struct kh_config *config, struct kh_trust *ret_trust, struct kh_error *error);

/* The text of a signature over `length` bytes of what is named `name`: 0 and the key that made it; -EINVAL, -ENOKEY, -EBADMSG, with error: it is bad. */
int kh_trust_verify(const struct kh_trust *trust, const char *name, const char *text, size_t text_length,
		    const void *data, size_t length, struct kh_minisign *ret_signature, struct kh_error *error);

/* trust.c */
/* Did a person type this, or answer its question, at a terminal? */
bool kh_trust_is_typed(const struct kh_request *request);
/* May the running change become enforced? 0; -EACCES with error: it is covered by nothing; or -errno. Part of kh_apply(). */
int kh_trust_check(struct kh_core *core, struct kh_error *error);
/* Of a trial run, before it is rolled back: "trust" {"signed": [key ids], "confirm": it takes a person at a terminal}, and a note of that. */
void kh_trust_tell(const struct kh_request *request, json_t *reply);

/* A bad signature was refused: the journal has it, and so has the audit. `trial`: no entry will be written otherwise. */
void kh_trust_refused(const struct kh_request *request, const char *name, const struct kh_error *error, bool trial);

/* signed.c */
/* Files of a push, as the daemon holds and reads them itself where they are signed. */
struct kh_signed {
	int fds[KH_PROTO_MAX_FDS]; /* instead of the request's; borrowed */
	json_t *notes; /* what is to be told; may be NULL */
};
/* NULL: go on with ret_signed->fds; json_null(): not yet; else the reply that ends the request. The notes are the caller's. */
json_t *kh_signed_files(const struct kh_request *request, struct kh_signed *ret_signed);

/* reading.c */
/* The documents in these bytes, by the daemon's own reading, kept for a while. 1 and two descriptors, borrowed until the loop goes round: the
 * bytes (sealed), and the documents (model/wire.h); 0: it reads, and a kh_control_again() follows; or -errno with error. */
int kh_reading_of(struct kh_core *core, const char *name, const void *data, size_t length, int *ret_content,
		  int *ret_documents, struct kh_error *error);
void kh_readings_tick(struct kh_core *core);
void kh_readings_close(struct kh_core *core);

#endif
