// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/minisign.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

#define UNTRUSTED "untrusted comment: "
#define TRUSTED "trusted comment: "

_Static_assert(sizeof(((struct kh_minisign *)NULL)->signature) == crypto_sign_BYTES, "Ed25519");
_Static_assert(sizeof(((struct kh_minisign_key *)NULL)->key) == crypto_sign_PUBLICKEYBYTES, "Ed25519");

/* Exactly `size` bytes as base64, and nothing else. */
static int decode(const char *text, size_t length, void *ret_bytes, size_t size)
{
	const char *end;
	size_t got;

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] > '~') /* libsodium 1.0.18 takes 0xaf for '/' */
			return -EINVAL;
	if (sodium_base642bin(ret_bytes, size, text, length, NULL, &got, &end, sodium_base64_VARIANT_ORIGINAL) < 0)
		return -EINVAL;
	return got == size && end == text + length ? 0 : -EINVAL;
}

int kh_minisign_key_read(const char *text, size_t length, struct kh_minisign_key *ret_key)
{
	uint8_t bytes[2 + sizeof(ret_key->id) + sizeof(ret_key->key)];

	if (decode(text, length, bytes, sizeof(bytes)) < 0 || memcmp(bytes, "Ed", 2) != 0)
		return -EINVAL;
	memcpy(ret_key->id, bytes + 2, sizeof(ret_key->id));
	memcpy(ret_key->key, bytes + 2 + sizeof(ret_key->id), sizeof(ret_key->key));
	return 0;
}

/* ---- A signature file --------------------------------------------------------------------------- */

struct lines {
	const char *at, *end;
	int number; /* of the line last handed out */
	const char *text; /* it, without its end */
	size_t length;
};

static bool next_line(struct lines *lines)
{
	const char *stop;

	lines->number++;
	lines->text = lines->at;
	lines->length = 0;
	if (lines->at >= lines->end)
		return false;
	stop = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
	lines->length = (size_t)((stop ? stop : lines->end) - lines->at);
	lines->at = stop ? stop + 1 : lines->end;
	if (lines->length && lines->text[lines->length - 1] == '\r')
		lines->length--;
	return true;
}

static bool begins(const struct lines *lines, const char *word)
{
	return lines->length >= strlen(word) && memcmp(lines->text, word, strlen(word)) == 0;
}

/* The four lines. 0, or the sentence of what is wrong at lines->number. */
static const char *read_lines(struct lines *lines, struct kh_minisign *signature)
{
	uint8_t bytes[2 + sizeof(signature->id) + sizeof(signature->signature)];

	if (!next_line(lines) || !begins(lines, UNTRUSTED))
		return N_("it does not begin with an untrusted comment");
	if (!next_line(lines) || decode(lines->text, lines->length, bytes, sizeof(bytes)) < 0)
		return N_("this is not a whole signature");
	if (memcmp(bytes, "Ed", 2) != 0 && memcmp(bytes, "ED", 2) != 0)
		return N_("it is made by an algorithm that is not known here");
	signature->prehashed = bytes[1] == 'D';
	memcpy(signature->id, bytes + 2, sizeof(signature->id));
	memcpy(signature->signature, bytes + 2 + sizeof(signature->id), sizeof(signature->signature));
	if (!next_line(lines) || !begins(lines, TRUSTED))
		return N_("here should be a trusted comment");
	signature->comment = lines->text + strlen(TRUSTED);
	signature->comment_length = lines->length - strlen(TRUSTED);
	if (!next_line(lines) ||
	    decode(lines->text, lines->length, signature->comment_signature, sizeof(signature->comment_signature)) < 0)
		return N_("this is not the whole signature of the comment");
	while (next_line(lines))
		if (lines->length)
			return N_("there is more than a signature");
	return NULL;
}

int kh_minisign_read(const char *text, size_t length, struct kh_minisign *ret_signature, struct kh_error *error)
{
	struct lines lines = { .at = text, .end = text + length };
	struct kh_minisign signature = {};
	const char *wrong;

	if (length > KH_MINISIGN_BYTES_MAX)
		return kh_fail(error, -EINVAL, _("it has more than %d bytes"), KH_MINISIGN_BYTES_MAX);
	wrong = read_lines(&lines, &signature);
	if (wrong)
		return kh_fail_at(error, -EINVAL, lines.number, "%s", gettext(wrong));
	*ret_signature = signature;
	return 0;
}

/* ---- Does it fit? ------------------------------------------------------------------------------- */

static bool fits_data(const struct kh_minisign *signature, const struct kh_minisign_key *key, const void *data,
		      size_t length)
{
	uint8_t hash[crypto_generichash_BYTES_MAX];

	if (!signature->prehashed)
		return !crypto_sign_verify_detached(signature->signature, data, length, key->key);
	return !crypto_generichash(hash, sizeof(hash), data, length, NULL, 0) &&
	       !crypto_sign_verify_detached(signature->signature, hash, sizeof(hash), key->key);
}

static bool fits_comment(const struct kh_minisign *signature, const struct kh_minisign_key *key)
{
	uint8_t both[sizeof(signature->signature) + KH_MINISIGN_BYTES_MAX];

	assert(signature->comment_length <= KH_MINISIGN_BYTES_MAX);
	memcpy(both, signature->signature, sizeof(signature->signature));
	if (signature->comment_length)
		memcpy(both + sizeof(signature->signature), signature->comment, signature->comment_length);
	return !crypto_sign_verify_detached(signature->comment_signature, both,
					    sizeof(signature->signature) + signature->comment_length, key->key);
}

int kh_minisign_verify(const struct kh_minisign *signature, const struct kh_minisign_key *key, const void *data,
		       size_t length)
{
	if (memcmp(signature->id, key->id, sizeof(key->id)) != 0 || !fits_data(signature, key, data, length))
		return -EBADMSG;
	return fits_comment(signature, key) ? 0 : -EPROTO;
}

char *kh_minisign_id_text(const uint8_t id[static 8], char buffer[static KH_MINISIGN_ID_TEXT])
{
	for (int i = 0; i < 8; i++) /* minisign reads it as a little-endian number */
		snprintf(buffer + 2 * i, 3, "%02X", id[7 - i]);
	return buffer;
}
