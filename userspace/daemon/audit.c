// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing the audit: an entry for each request that changes something or tries to, in the transaction of its change where it makes one. kh_commit() is the
 * one way to end a transaction that may hold a change, so that there is no change without an entry; kh_audit_request() adds the entry of a request that
 * made none.
 */
#include "daemon/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/crash.h"
#include "common/text.h"
#include "common/util.h"
#include "daemon/log.h"

#define COMMAND_BYTES 4096 /* a longer command is cut, and its whole told by its SHA-256 */
#define ITEMS_KEPT 8 /* of each list of one that is cut */
#define TEXT_KEPT 256 /* bytes of each text */
#define REFUSALS_EACH_MINUTE 60 /* written down; more are counted: nobody who may only look shall fill the disk */

/* ---- What is known of a request ------------------------------------------------------------------------- */

void kh_audit_file(const struct kh_request *request, const uint8_t sha256[static 32])
{
	struct kh_audit_note *note = request->note;

	if (!note || note->files_count >= KH_ARRAY_SIZE(note->files))
		return;
	memcpy(note->files[note->files_count++], sha256, 32);
}

void kh_audit_letter(const struct kh_request *request, const char *number)
{
	struct kh_audit_note *note = request->note;
	size_t used = note ? strlen(note->letter) : 0, length = number ? strlen(number) : 0;

	if (!note || !length || used + length + 3 > sizeof(note->letter))
		return;
	snprintf(note->letter + used, sizeof(note->letter) - used, "%s%s", used ? ", " : "", number);
}

static int on_head(const struct kh_letter_row *row, void *context)
{
	kh_audit_letter(context, row->number);
	return 0;
}

void kh_audit_letter_id(const struct kh_request *request, int64_t letter)
{
	struct kh_request copy = *request; /* a callback's context is not const */

	if (request->note && letter > KH_LETTER_BY_HAND && !request->note->letter[0])
		kh_ledger_letter_head(request->core->ledger, letter, on_head, &copy);
}

void kh_audit_exit(const struct kh_request *request, int code)
{
	if (request->note)
		request->note->exit = code;
}

/* ---- The command ------------------------------------------------------------------------------------------ */

/* Whoever is not allowed to put a password into an address has put it there all the same. */
static json_t *without_password(const char *address)
{
	const char *scheme = strstr(address, "://"), *host = scheme ? scheme + 3 : address,
		   *end = host + strcspn(host, "/?#"), *at = memrchr(host, '@', (size_t)(end - host));

	return at ? json_sprintf("%.*s***%s", (int)(host - address), address, at) : json_string(address);
}

static bool is_of_the_talk(const char *name)
{
	static const char *const names[] = { "v", "lang", "token", "rows", "signatures" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* The request without what only the talk about it needs, and without what is secret. */
static json_t *command_of(json_t *body)
{
	json_t *command = json_object(), *value;
	const char *name;

	json_object_foreach(body, name, value) {
		if (is_of_the_talk(name))
			continue;
		if (json_is_string(value) && (!strcmp(name, "url") || !strcmp(name, "proxy")))
			json_object_set_new(command, name, without_password(json_string_value(value)));
		else
			json_object_set(command, name, value);
	}
	return command;
}

static json_t *cut_text(const char *text)
{
	char kept[TEXT_KEPT + 1];
	size_t length;

	snprintf(kept, sizeof(kept), "%s", text);
	length = kh_utf8_check(kept, strlen(kept));
	return json_stringn(kept, length);
}

static json_t *cut_list(const json_t *list)
{
	json_t *kept = json_array();

	for (size_t i = 0; i < json_array_size(list) && i < ITEMS_KEPT; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		json_array_append_new(kept, text ? cut_text(text) : json_null());
	}
	return kept;
}

static char *dump(const json_t *command)
{
	return json_dumps(command, JSON_COMPACT | JSON_SORT_KEYS);
}

/* A command too long to keep: the beginning of its lists and texts, how long it was, and which it was. */
static char *dump_cut(json_t *command, const char *whole)
{
	json_t *cut = json_object(), *value;
	unsigned char digest[crypto_hash_sha256_BYTES];
	char hash[2 * sizeof(digest) + 1], *text;
	const char *name;

	crypto_hash_sha256(digest, (const unsigned char *)whole, strlen(whole));
	sodium_bin2hex(hash, sizeof(hash), digest, sizeof(digest));
	json_object_foreach(command, name, value) {
		if (json_is_array(value))
			json_object_set_new(cut, name, cut_list(value));
		else if (json_is_string(value))
			json_object_set_new(cut, name, cut_text(json_string_value(value)));
		else if (!json_is_object(value))
			json_object_set(cut, name, value);
	}
	json_object_set_new(cut, "cut", json_pack("{s:I, s:s}", "bytes", (json_int_t)strlen(whole), "sha256", hash));
	text = dump(cut);
	if (text && strlen(text) > COMMAND_BYTES) { /* many members that nobody knows */
		json_t *little =
			json_pack("{s:O, s:O}", "op", json_object_get(cut, "op"), "cut", json_object_get(cut, "cut"));

		free(text);
		text = dump(little);
		json_decref(little);
	}
	json_decref(cut);
	return text;
}

/* By what it may be enforced, where that is asked for. */
static void add_trust(json_t *command, const struct kh_audit_note *note)
{
	json_t *keys = note->keys_count ? json_array() : NULL;
	char id[KH_MINISIGN_ID_TEXT];

	for (size_t i = 0; i < note->keys_count; i++)
		json_array_append_new(keys, json_string(kh_minisign_id_text(note->keys[i], id)));
	if (keys)
		json_object_set_new(command, "signed", keys);
	if (note->confirmed)
		json_object_set_new(command, "confirmed", json_string("terminal"));
}

/* malloc'ed; NULL: out of memory. */
static char *command_text(const struct kh_request *request)
{
	json_t *command = command_of(request->body);
	char *text;

	if (request->note && request->note->refused)
		json_object_set_new(command, "refused", json_string(request->note->refused));
	if (request->note)
		add_trust(command, request->note);
	if (request->note && request->note->unlisted)
		json_object_set_new(command, "unlisted", json_integer(request->note->unlisted));
	text = dump(command);
	if (text && strlen(text) > COMMAND_BYTES) {
		char *cut = dump_cut(command, text);

		free(text);
		text = cut;
	}
	json_decref(command);
	return text;
}

/* ---- An entry --------------------------------------------------------------------------------------------- */

/* Under the running transaction. */
static int add(const struct kh_request *request, int64_t change, int code, struct kh_audit *ret_entry,
	       struct kh_error *error)
{
	const struct kh_audit_note *note = request->note;
	char *command KH_CLEANUP(kh_freep) = command_text(request), actor[KH_ACTOR_BYTES];
	bool own = request->actor != NULL;
	struct kh_audit entry = { .time = kh_now(),
				  .uid = own ? -1 : (int64_t)request->peer->uid,
				  .login = own ? -1 : request->peer->login,
				  .proven = !own && request->peer->login_proven,
				  .actor = own ? request->actor : kh_peer_name(request->peer, actor),
				  .command = command,
				  .change = change,
				  .letter = note ? note->letter : "",
				  .files = note ? note->files[0] : NULL,
				  .files_bytes = note ? note->files_count * 32 : 0,
				  .exit = code };
	int r = command ? kh_ledger_audit_add(request->core->ledger, &entry, error)
			: kh_fail(error, -ENOMEM, "%s", strerror(ENOMEM));

	if (r < 0)
		return r;
	entry.actor = entry.command = entry.letter = NULL; /* they end here */
	entry.files = NULL;
	*ret_entry = entry;
	return 0;
}

/* The journal is kept elsewhere: what it says of the chain, nobody who writes the ledger can change. */
static void say(const struct kh_request *request, const struct kh_audit *entry)
{
	const char *op = kh_request_text(request->body, "op");
	char hash[KH_AUDIT_HASH_TEXT];

	kh_log(LOG_NOTICE,
	       "event=audit entry=%" PRId64 " hash=%s op=%s uid=%" PRId64 " login=%" PRId64 " change=%" PRId64
	       " exit=%d",
	       entry->number, kh_audit_hash_text(entry->hash, hash), op ? op : "", entry->uid, entry->login,
	       entry->change, entry->exit);
}

void kh_audit_begin(const struct kh_request *request, int64_t change)
{
	request->core->acting = (struct kh_acting){ request, change };
}

int kh_commit(struct kh_core *core, struct kh_error *error)
{
	struct kh_acting acting = core->acting;
	int64_t change = kh_ledger_change_running(core->ledger);
	struct kh_audit_note *note;
	struct kh_audit entry;
	int code;

	core->acting = (struct kh_acting){};
	if (!change || change != acting.change) /* nobody's change: links, lists, configuration */
		return kh_ledger_commit(core->ledger, error);
	note = acting.request->note;
	code = add(acting.request, change, note ? note->exit : KH_EXIT_DONE, &entry, error);
	if (code < 0) {
		kh_ledger_rollback(core->ledger);
		return code;
	}
	KH_CRASH_POINT("audit.added");
	code = kh_ledger_commit(core->ledger, error);
	if (code < 0)
		return code;
	KH_CRASH_POINT("audit.committed");
	if (note) {
		note->written = true;
		note->exit_written = entry.exit;
	}
	say(acting.request, &entry);
	return 0;
}

void kh_audit_request(const struct kh_request *request, int code)
{
	struct kh_core *core = request->core;
	struct kh_error error = {};
	struct kh_audit entry;
	int r;

	core->acting = (struct kh_acting){};
	if (request->note->written && request->note->exit_written == code)
		return;
	r = kh_ledger_begin(core->ledger, &error);
	if (r >= 0) {
		r = add(request, 0, code, &entry, &error);
		if (r >= 0)
			r = kh_ledger_commit(core->ledger, &error);
		if (r < 0)
			kh_ledger_rollback(core->ledger);
	}
	if (r < 0)
		kh_log_error(LOG_ERR, "audit-not-written", &error);
	else
		say(request, &entry);
}

void kh_audit_refusal(const struct kh_request *request, int code)
{
	struct kh_refusals *refusals = &request->core->refusals;
	int64_t minute = kh_now() / 60;

	if (refusals->minute != minute) {
		refusals->minute = minute;
		refusals->count = 0;
	}
	if (refusals->count++ >= REFUSALS_EACH_MINUTE) {
		refusals->unlisted++;
		return;
	}
	request->note->unlisted = refusals->unlisted;
	refusals->unlisted = 0;
	kh_audit_request(request, code);
}
