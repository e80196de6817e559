/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures in the form of minisign: Ed25519 over a file (legacy, "Ed") or over its BLAKE2b-512 ("ED"), and over the trusted comment. Text -> struct,
 * and whether one fits a key and bytes. Pure: opens nothing, knows no policy (trust.h) and no time.
 *
 * A signature file has four lines: an untrusted comment, base64 of {algorithm[2], key id[8], signature[64]}, "trusted comment: " and its text, base64 of
 * the signature[64] over {the signature above, that text}. A public key is base64 of {"Ed", key id[8], key[32]}. Lines may end in CR LF, as mail makes
 * them; base64 is strict (RFC 4648, no blanks in it). The format: minisign's manual page; the algorithm: RFC 8032, by libsodium, which refuses keys of
 * small order and signatures that are not canonical.
 */
#ifndef KHIEN_DAEMON_MINISIGN_H
#define KHIEN_DAEMON_MINISIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define KH_MINISIGN_BYTES_MAX 8192 /* of a signature file */
#define KH_MINISIGN_ID_TEXT 17 /* with NUL */
#define KH_MINISIGN_ENDING ".minisig"

struct kh_minisign_key {
	uint8_t id[8];
	uint8_t key[32];
};

/* Points into the text it was read from. */
struct kh_minisign {
	bool prehashed;
	uint8_t id[8]; /* of the key that it says it is from */
	uint8_t signature[64];
	const char *comment; /* trusted once verified; not terminated, any bytes but line ends */
	size_t comment_length;
	uint8_t comment_signature[64];
};

/* "RWQ...": 0; or -EINVAL: not a public key of minisign. */
int kh_minisign_key_read(const char *text, size_t length, struct kh_minisign_key *ret_key);
/* The text of a signature file. 0; or -EINVAL with error (text without a file's name, and no hint): what is wrong, and its line. On failure
 * *ret_signature is unchanged. */
int kh_minisign_read(const char *text, size_t length, struct kh_minisign *ret_signature, struct kh_error *error);

/* 0; -EBADMSG: these bytes are not what was signed, or not by that key; -EPROTO: they are, but the trusted comment is not. The ids must be equal: the caller
 * looks the key up by it. */
int kh_minisign_verify(const struct kh_minisign *signature, const struct kh_minisign_key *key, const void *data,
		       size_t length);

/* As minisign shows it: "430EB1827EE4D214". Returns buffer. */
char *kh_minisign_id_text(const uint8_t id[static 8], char buffer[static KH_MINISIGN_ID_TEXT]);

#endif
