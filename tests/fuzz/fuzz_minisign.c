// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: a signature file and a public key of minisign. What is taken stays inside its text, and verifies no bytes that nobody signed. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_signature(const char *text, size_t length)
{
	static const char key_text[] = "RWT0anfBFSOuGoPvGSjaX1dtucLpX9Q0qElNlkyCI3iQNv4QDX/9UhWM";
	struct kh_minisign signature = { .prehashed = true };
	struct kh_error error = {};
	struct kh_minisign_key key;
	int code = kh_minisign_read(text, length, &signature, &error);

	assert(code == 0 || code == -EINVAL);
	if (code) {
		assert(error.text[0] && error.line >= 0 && signature.prehashed && !signature.comment);
		return;
	}
	assert(signature.comment >= text && signature.comment + signature.comment_length <= text + length);
	assert(!memchr(signature.comment, '\n', signature.comment_length));
	assert(!kh_minisign_key_read(key_text, strlen(key_text), &key));
	assert(kh_minisign_verify(&signature, &key, "nobody signed this", 18) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1), id[KH_MINISIGN_ID_TEXT]; /* without a byte behind it */
	struct kh_minisign_key key;

	assert(text);
	memcpy(text, data, size);
	check_signature(text, size);
	if (!kh_minisign_key_read(text, size, &key))
		assert(strlen(kh_minisign_id_text(key.id, id)) == KH_MINISIGN_ID_TEXT - 1);
	free(text);
	return 0;
}
