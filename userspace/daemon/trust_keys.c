// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys of [trust], and whether a signature is one of theirs. Needs nothing of the core: khiend --check reads the keys too.
 */
#include <errno.h>
#include <string.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "daemon/trust.h"

#define FILE_MAX ((size_t)64 << 10)
#define COMMENT "untrusted comment:"

/* ---- The keys ----------------------------------------------------------------------------------- */

static const struct kh_minisign_key *key_of(const struct kh_trust *trust, const uint8_t id[static 8])
{
	for (size_t i = 0; i < trust->keys_count; i++)
		if (!memcmp(trust->keys[i].id, id, sizeof(trust->keys[i].id)))
			return &trust->keys[i];
	return NULL;
}

/* One line of the file. NULL, or what is wrong with it. */
static const char *add_line(struct kh_trust *trust, const char *line, size_t length)
{
	struct kh_minisign_key key;

	while (length && strchr(" \t\r", line[length - 1]))
		length--;
	if (!length || line[0] == '#' || (length >= strlen(COMMENT) && !memcmp(line, COMMENT, strlen(COMMENT))))
		return NULL;
	if (kh_minisign_key_read(line, length, &key) < 0)
		return N_("this is not a public key of minisign");
	if (key_of(trust, key.id))
		return N_("a key of this number stands there twice");
	if (trust->keys_count == KH_TRUST_KEYS_MAX)
		return N_("there are too many keys");
	trust->keys[trust->keys_count++] = key;
	return NULL;
}

/* The lines of a file that is followed by a NUL. The first that is wrong is told. */
static int add_lines(struct kh_trust *trust, const char *file, const char *data, size_t length, struct kh_error *error)
{
	const char *at = data;
	int code = 0;

	for (int number = 1; at < data + length; number++) {
		size_t rest = (size_t)(data + length - at), line = strcspn(at, "\n");
		const char *wrong = add_line(trust, at, line < rest ? line : rest);

		if (wrong && !code) {
			code = kh_fail_at(error, -EINVAL, number, "%s:%d: %s", file, number, gettext(wrong));
			kh_hint(error, _("a line is the second one of a minisign.pub, RWQ...; # begins a comment"));
		}
		if (line < rest && at[line] == '\0' && !code) /* strcspn() stops there */
			code = kh_fail_at(error, -EINVAL, number, "%s:%d: %s", file, number,
					  _("this is not a public key of minisign"));
		at += line + 1;
	}
	return code;
}

int kh_trust_read(const struct kh_config *config, struct kh_trust *ret_trust, struct kh_error *error)
{
	struct kh_trust trust = { .on = config->lines[KH_KEY_TRUST_KEYS] > 0, .keys_count = config->trust_keys_count };
	char *data KH_CLEANUP(kh_freep) = NULL;
	size_t length;
	int code = 0;

	memcpy(trust.keys, config->trust_keys, sizeof(trust.keys));
	if (config->trust_file[0])
		code = kh_file_read(config->trust_file, FILE_MAX, &data, &length);
	if (code < 0)
		kh_fail(error, code, _("%s: cannot be read: %s"), config->trust_file, strerror(-code));
	else if (data)
		code = add_lines(&trust, config->trust_file, data, length, error);
	*ret_trust = trust;
	return code;
}

/* ---- A signature -------------------------------------------------------------------------------- */

static int fail_text(const char *name, const struct kh_error *why, struct kh_error *error)
{
	kh_fail(error, -EINVAL, _("%s: its signature cannot be read: line %d: %s"), name, why->line, why->text);
	kh_hint(error,
		_("ask who sent it for both files again, the list and the .minisig beside it; nothing was changed"));
	return -EINVAL;
}

int kh_trust_verify(const struct kh_trust *trust, const char *name, const char *text, size_t text_length,
		    const void *data, size_t length, struct kh_minisign *ret_signature, struct kh_error *error)
{
	const struct kh_minisign_key *key;
	struct kh_error why = {};
	char id[KH_MINISIGN_ID_TEXT];
	int code = kh_minisign_read(text, text_length, ret_signature, &why);

	if (code < 0)
		return fail_text(name, &why, error);
	kh_minisign_id_text(ret_signature->id, id);
	key = key_of(trust, ret_signature->id);
	if (!key) {
		kh_fail(error, -ENOKEY, _("%s: signed with key %s, which is none of [trust] keys"), name, id);
		kh_hint(error,
			_("if the sender has this key, and told you so by another way than this list, add it to [trust] keys in khien.conf; nothing was changed"));
		return -ENOKEY;
	}
	code = kh_minisign_verify(ret_signature, key, data, length);
	if (!code)
		return 0;
	if (code == -EPROTO)
		kh_fail(error, -EBADMSG, _("%s: the comment of its signature is not what key %s signed"), name, id);
	else
		kh_fail(error, -EBADMSG, _("%s: it is not what key %s signed: the file or its signature was changed"),
			name, id);
	kh_hint(error, _("do not use it: ask who sent it for both files again, and tell them; nothing was changed"));
	return -EBADMSG;
}
