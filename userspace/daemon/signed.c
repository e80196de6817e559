// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The files of a push that come with signatures: each is read once, verified, and handed on as the daemon holds and reads it itself.
 */
#include <errno.h>
#include <string.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "daemon/audit.h"
#include "daemon/plan.h"
#include "daemon/trust.h"
#include "reader/reader.h"

#define COMMENT_SHOWN 200

struct one {
	const char *name, *text; /* of the file, and of its signature */
	size_t place, count; /* of the file, and how many there are */
};

static void note_key(const struct kh_request *request, const struct kh_minisign *signature, const char *name,
		     json_t *notes)
{
	struct kh_audit_note *note = request->note;
	char id[KH_MINISIGN_ID_TEXT], comment[COMMENT_SHOWN + 1];
	const char *base = strrchr(name, '/');
	bool seen = false;

	for (size_t i = 0; i < note->keys_count; i++)
		seen |= !memcmp(note->keys[i], signature->id, sizeof(signature->id));
	if (!seen)
		memcpy(note->keys[note->keys_count++], signature->id, sizeof(signature->id));
	snprintf(comment, sizeof(comment), "%.*s", (int)signature->comment_length, signature->comment);
	comment[kh_utf8_check(comment, strlen(comment))] = '\0'; /* it may be cut in a letter */
	for (char *tab = comment; (tab = strchr(tab, '\t'));) /* minisign puts them in */
		*tab = ' ';
	kh_text_printable(comment);
	json_array_append_new(notes, json_sprintf(_("%s: signed with key %s: %s"), base && base[1] ? base + 1 : name,
						  kh_minisign_id_text(signature->id, id), comment));
}

/* 1: it is in `sign`; 0: it is being read; or -errno with error. */
static int take(const struct kh_request *request, const struct one *one, struct kh_signed *sign, struct kh_error *error)
{
	char *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_minisign signature;
	size_t length;
	int code = kh_file_read_fd(request->fds[one->place], KH_READER_MAX_BYTES, &data, &length);

	if (code == -EFBIG) /* the reader's own message */
		return kh_plan_hash((uint8_t[32]){}, request->fds[one->place], one->name, error);
	if (code < 0)
		return kh_fail(error, code, _("%s: cannot be read: %s"), one->name, strerror(-code));
	code = kh_trust_verify(&request->core->trust, one->name, one->text, strlen(one->text), data, length, &signature,
			       error);
	if (code < 0) {
		uint8_t sha256[32];

		crypto_hash_sha256(sha256, (const unsigned char *)data, length);
		kh_audit_file(request, sha256);
		kh_trust_refused(request, one->name, error, kh_request_flag(request->body, "dry_run"));
		return code;
	}
	note_key(request, &signature, one->name, sign->notes);
	return kh_reading_of(request->core, one->name, data, length, &sign->fds[one->place],
			     &sign->fds[one->count + one->place], error);
}

/* By --accept a person decides on what the list itself does not say. */
static bool is_the_lists_own(json_t *body)
{
	return !json_array_size(json_object_get(body, "accept")) && !kh_request_text(body, "accept_all_in");
}

json_t *kh_signed_files(const struct kh_request *request, struct kh_signed *ret_signed)
{
	json_t *names = json_object_get(request->body, "files"), *texts = json_object_get(request->body, "signatures");
	size_t count = json_array_size(names), present = 0;
	struct kh_error error = {};
	bool waits = false;

	memcpy(ret_signed->fds, request->fds, request->fds_count * sizeof(*request->fds));
	ret_signed->notes = json_array();
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(names, i));
		struct one one = { name ? name : "-", json_string_value(json_array_get(texts, i)), i, count };
		int code;

		if (!one.text)
			continue;
		present++;
		if (!request->core->trust.on)
			continue;
		code = take(request, &one, ret_signed, &error);
		if (code < 0)
			return kh_reply_error(KH_EXIT_FAILED, &error);
		waits |= code == 0;
	}
	if (waits)
		return json_null();
	if (present && !request->core->trust.on)
		json_array_append_new(
			ret_signed->notes,
			json_string(_("its signature was not looked at: khien.conf has no [trust] keys")));
	request->note->is_signed = request->core->trust.on && present == count && is_the_lists_own(request->body);
	return NULL;
}
