// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of operations, and what they share: reading a request, naming a letter, starting a change, answering.
 */
#include "daemon/private.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/impact.h"
#include "daemon/log.h"

static const struct {
	const char *name;
	kh_operation operation;
	bool changes; /* asks for more than looking */
} operations[] = {
	{ "accept", kh_op_accept, true },
	{ "allow", kh_op_allow, true },
	{ "block", kh_op_block, true },
	{ "cut", kh_op_cut, false },
	{ "detach", kh_op_detach, true },
	{ "disallow", kh_op_disallow, true },
	{ "enforce", kh_op_enforce, true },
	{ "extend", kh_op_extend, true },
	{ "history", kh_op_history, false },
	{ "list", kh_op_list, false },
	{ "monitor", kh_op_monitor, true },
	{ "push", kh_op_push, true },
	{ "reattach", kh_op_reattach, true },
	{ "reject", kh_op_reject, true },
	{ "review", kh_op_review, false },
	{ "show", kh_op_show, false },
	{ "stats", kh_op_stats, false },
	{ "status", kh_op_status, false },
	{ "unblock", kh_op_unblock, true },
	{ "source-add", kh_op_source_add, true },
	{ "source-list", kh_op_source_list, false },
	{ "source-pause", kh_op_source_pause, true },
	{ "source-promote", kh_op_source_promote, true },
	{ "source-refresh", kh_op_source_refresh, true },
	{ "source-remove", kh_op_source_remove, true },
	{ "source-resume", kh_op_source_resume, true },
	{ "source-show", kh_op_source_show, false },
	{ "undo", kh_op_undo, true },
	{ "verify", kh_op_verify, false },
	{ "why", kh_op_why, false },
};

json_t *kh_reply(int code)
{
	return json_pack("{s:i}", "exit", code);
}

json_t *kh_reply_error(int code, const struct kh_error *error)
{
	return json_pack("{s:i, s:{s:o, s:o, s:i}}", "exit", code, "error", "text", kh_json_text(error->text), "hint",
			 kh_json_text(error->hint), "line", error->line);
}

json_t *kh_reply_usage(const char *format, ...)
{
	struct kh_error error = {};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error.text, sizeof(error.text), format, arguments);
	va_end(arguments);
	return kh_reply_error(KH_EXIT_USAGE, &error);
}

const char *kh_request_text(json_t *request, const char *name)
{
	return json_string_value(json_object_get(request, name));
}

int64_t kh_request_number(json_t *request, const char *name, int64_t otherwise)
{
	json_t *value = json_object_get(request, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool kh_request_flag(json_t *request, const char *name)
{
	return json_is_true(json_object_get(request, name));
}

/* ---- Letters by REF ----------------------------------------------------------------------------- */

struct candidates {
	int count;
	int64_t id;
	char *text;
	size_t size;
	bool plain; /* text holds the one number, not a list for a message */
};

static int on_candidate(const struct kh_letter_row *row, void *context)
{
	struct candidates *candidates = context;
	size_t used = strlen(candidates->text);

	if (candidates->count++ == 0)
		candidates->id = row->id;
	snprintf(candidates->text + used, candidates->size - used, "%s%s (%d)", used ? ", " : "", row->number,
		 row->year);
	return candidates->count > 8;
}

int kh_find_letter(struct kh_core *core, const char *ref, int64_t *ret_id, char *ret_text, size_t size)
{
	struct candidates candidates = { .text = ret_text, .size = size };

	ret_text[0] = '\0';
	kh_ledger_letters(core->ledger, ref, on_candidate, &candidates);
	if (candidates.count == 1)
		*ret_id = candidates.id;
	return candidates.count > 1 ? 2 : candidates.count;
}

json_t *kh_require_letter(struct kh_core *core, const char *ref, int64_t *ret_id, char *ret_number, size_t size)
{
	struct kh_error error = {};
	char text[512];
	int found = kh_find_letter(core, ref, ret_id, text, sizeof(text));

	if (found == 1) {
		char *year = strrchr(text, '(');

		if (year && year > text)
			year[-1] = '\0';
		snprintf(ret_number, size, "%s", text);
		return NULL;
	}
	if (found == 0) {
		kh_fail(&error, -ENOENT, _("no letter \"%s\" in the ledger"), ref);
		kh_hint(&error, _("khien list shows the letters in force; khien history all changes"));
		return kh_reply_error(KH_EXIT_FAILED, &error);
	}
	kh_fail(&error, -EEXIST, _("\"%s\" fits more than one letter: %s"), ref, text);
	kh_hint(&error, _("write more of the number"));
	return kh_reply_error(KH_EXIT_USAGE, &error);
}

static int count_letter(const struct kh_letter_row *row, void *context)
{
	*(int64_t *)context += row->enforced + row->monitored > 0;
	return 0;
}

int64_t kh_letters_count(struct kh_core *core)
{
	int64_t count = 0;

	kh_ledger_letters(core->ledger, NULL, count_letter, &count);
	return count;
}

/* ---- Changes ------------------------------------------------------------------------------------ */

static const char *name_of(uid_t uid, char buffer[static 64])
{
	struct passwd entry, *found = NULL;
	char space[1024];

	if (!getpwuid_r(uid, &entry, space, sizeof(space), &found) && found)
		snprintf(buffer, 64, "%s", entry.pw_name);
	else
		snprintf(buffer, 64, "uid %u", (unsigned int)uid);
	return buffer;
}

int kh_change_start(const struct kh_request *request, const char *kind, int64_t letter, struct kh_change *ret_change,
		    struct kh_error *error)
{
	char actor[64];
	int code = kh_collect(request->core, error); /* counts of what may now leave force are safe first */

	if (code >= 0)
		code = kh_ledger_begin(request->core->ledger, error);
	if (code < 0)
		return code;
	*ret_change = (struct kh_change){
		.time = kh_now(),
		.uid = request->actor ? -1 : (int64_t)request->peer->uid,
		.actor = request->actor ? request->actor : name_of(request->peer->uid, actor),
		.kind = kind,
		.note = kh_request_text(request->body, "note"),
		.letter = letter,
	};
	code = kh_ledger_change_begin(request->core->ledger, ret_change, error);
	ret_change->actor = NULL;
	if (code < 0)
		kh_ledger_rollback(request->core->ledger);
	else
		request->core->changing = ret_change->id;
	return code;
}

json_t *kh_core_request(void *context, const struct kh_peer *peer, json_t *request, const int *fds, size_t fds_count)
{
	struct kh_request all = { .core = context, .peer = peer, .body = request, .fds = fds, .fds_count = fds_count };
	struct kh_session session;
	const char *name = kh_request_text(request, "op"), *language = kh_request_text(request, "lang");

	kh_lang_set(language ? language : all.core->config->language);
	if (kh_request_number(request, "v", 0) != KH_PROTO_VERSION)
		return kh_reply_usage(
			_("this khien speaks another version of the control protocol than the daemon (%d)"),
			KH_PROTO_VERSION);
	if (kh_session_read(request, &session) < 0)
		return kh_reply_usage(_("\"session\" is not the address and port of a person's connection"));
	for (size_t i = 0; name && i < KH_ARRAY_SIZE(operations); i++) {
		json_t *reply;

		if (strcmp(operations[i].name, name))
			continue;
		reply = operations[i].operation(&all);
		if (operations[i].changes && !kh_request_flag(request, "dry_run"))
			kh_log(LOG_NOTICE, "event=request op=%s uid=%u exit=%lld", name, (unsigned int)peer->uid,
			       (long long)json_integer_value(json_object_get(reply, "exit")));
		return reply;
	}
	return kh_reply_usage(_("the daemon does not know the operation \"%s\""), name ? name : "");
}
