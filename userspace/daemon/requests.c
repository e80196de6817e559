// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of operations, and what they share: reading a request, naming a letter, starting a change, answering.
 */
#include "daemon/audit.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/log.h"

static const struct {
	const char *name;
	kh_operation operation;
	enum kh_right right; /* that it takes */
	bool tries; /* "dry_run" is heeded, and only looks */
	bool blocks; /* and may wait for confirmation */
} operations[] = {
	{ "accept", kh_op_accept, KH_RIGHT_CHANGE, false, true },
	{ "allow", kh_op_allow, KH_RIGHT_CHANGE, false, false },
	{ "audit", kh_op_audit, KH_RIGHT_LOOK, false, false },
	{ "audit-verify", kh_op_audit_verify, KH_RIGHT_LOOK, false, false },
	{ "block", kh_op_block, KH_RIGHT_CHANGE, true, true },
	{ "confirm", kh_op_confirm, KH_RIGHT_CHANGE, false, false },
	{ "cut", kh_op_cut, KH_RIGHT_LOOK, false, false },
	{ "detach", kh_op_detach, KH_RIGHT_CHANGE, false, false },
	{ "disallow", kh_op_disallow, KH_RIGHT_CHANGE, false, false },
	{ "enforce", kh_op_enforce, KH_RIGHT_CHANGE, false, true },
	{ "extend", kh_op_extend, KH_RIGHT_CHANGE, false, false },
	{ "history", kh_op_history, KH_RIGHT_LOOK, false, false },
	{ "list", kh_op_list, KH_RIGHT_LOOK, false, false },
	{ "monitor", kh_op_monitor, KH_RIGHT_CHANGE, false, false },
	{ "push", kh_op_push, KH_RIGHT_CHANGE, true, true },
	{ "reattach", kh_op_reattach, KH_RIGHT_CHANGE, false, false },
	{ "reject", kh_op_reject, KH_RIGHT_CHANGE, false, false },
	{ "review", kh_op_review, KH_RIGHT_LOOK, false, false },
	{ "show", kh_op_show, KH_RIGHT_LOOK, false, false },
	{ "stats", kh_op_stats, KH_RIGHT_LOOK, false, false },
	{ "status", kh_op_status, KH_RIGHT_LOOK, false, false },
	{ "unblock", kh_op_unblock, KH_RIGHT_CHANGE, false, false },
	{ "source-add", kh_op_source_add, KH_RIGHT_CHANGE, false, false },
	{ "source-list", kh_op_source_list, KH_RIGHT_LOOK, false, false },
	{ "source-pause", kh_op_source_pause, KH_RIGHT_CHANGE, false, false },
	{ "source-promote", kh_op_source_promote, KH_RIGHT_CHANGE, false, false },
	{ "source-refresh", kh_op_source_refresh, KH_RIGHT_CHANGE, false, false },
	{ "source-remove", kh_op_source_remove, KH_RIGHT_CHANGE, false, false },
	{ "source-resume", kh_op_source_resume, KH_RIGHT_CHANGE, false, false },
	{ "source-show", kh_op_source_show, KH_RIGHT_LOOK, false, false },
	{ "undo", kh_op_undo, KH_RIGHT_CHANGE, false, false },
	{ "verify", kh_op_verify, KH_RIGHT_LOOK, false, false },
	{ "why", kh_op_why, KH_RIGHT_LOOK, false, false },
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

json_t *kh_reply_ledger(int code)
{
	struct kh_error error = {};

	kh_fail(&error, code, _("cannot read the ledger: %s"), strerror(-code));
	return kh_reply_error(KH_EXIT_FAILED, &error);
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

int kh_change_start(const struct kh_request *request, const char *kind, int64_t letter, struct kh_change *ret_change,
		    struct kh_error *error)
{
	char actor[KH_ACTOR_BYTES];
	int code = kh_collect(request->core, error); /* counts of what may now leave force are safe first */

	if (code >= 0)
		code = kh_ledger_begin(request->core->ledger, error);
	if (code < 0)
		return code;
	*ret_change = (struct kh_change){
		.time = kh_now(),
		.uid = request->actor ? -1 : (int64_t)request->peer->uid,
		.actor = request->actor ? request->actor : kh_peer_name(request->peer, actor),
		.kind = kind,
		.note = kh_request_text(request->body, "note"),
		.letter = letter,
	};
	code = kh_ledger_change_begin(request->core->ledger, ret_change, error);
	ret_change->actor = NULL;
	if (code < 0) {
		kh_ledger_rollback(request->core->ledger);
		return code;
	}
	kh_audit_letter_id(request, letter);
	kh_audit_begin(request, ret_change->id);
	return code;
}

/* ---- Who may -------------------------------------------------------------------------------------- */

static json_t *refuse(const struct kh_peer *peer, const char *op, enum kh_right wanted)
{
	const char *groups = wanted == KH_RIGHT_CHANGE ? KH_GROUP_LOOK "," KH_GROUP_CHANGE : KH_GROUP_LOOK;
	struct kh_error error = {};
	char name[64];

	kh_user_name(peer->uid, name);
	if (wanted == KH_RIGHT_CHANGE)
		kh_fail(&error, -EPERM, _("%s may look, but change nothing: \"%s\" needs the group %s"), name, op,
			KH_GROUP_CHANGE);
	else
		kh_fail(&error, -EPERM, _("%s may not look: that needs the group %s"), name, KH_GROUP_LOOK);
	kh_hint(&error, _("as root: usermod --append --groups %s %s, then log in again; or use sudo"), groups, name);
	return kh_reply_error(KH_EXIT_FAILED, &error);
}

static bool may(const struct kh_peer *peer, enum kh_right wanted)
{
	struct kh_groups groups = { (gid_t)-1, (gid_t)-1 };

	if (peer->uid) /* root needs no group */
		kh_groups_find(&groups);
	return kh_right_of(peer, &groups) >= wanted;
}

/* NULL: it may; else the answer. */
static json_t *check_right(const struct kh_request *request, const char *op, enum kh_right wanted, bool changes)
{
	json_t *reply;

	if (may(request->peer, wanted))
		return NULL;
	reply = refuse(request->peer, op, wanted);
	if (changes) {
		request->note->refused = KH_GROUP_CHANGE;
		kh_audit_refusal(request, KH_EXIT_FAILED);
	}
	return reply;
}

json_t *kh_core_request(void *context, const struct kh_peer *peer, json_t *request, const int *fds, size_t fds_count)
{
	struct kh_audit_note note = {};
	struct kh_request all = {
		.core = context, .peer = peer, .body = request, .fds = fds, .fds_count = fds_count, .note = &note
	};
	const char *name = kh_request_text(request, "op"), *language = kh_request_text(request, "lang");

	kh_lang_set(language ? language : all.core->config->language);
	if (kh_request_number(request, "v", 0) != KH_PROTO_VERSION)
		return kh_reply_usage(
			_("this khien speaks another version of the control protocol than the daemon (%d)"),
			KH_PROTO_VERSION);
	if (!all.core->detached)
		kh_clock_tick(all.core);
	for (size_t i = 0; name && i < KH_ARRAY_SIZE(operations); i++) {
		bool looks = operations[i].right == KH_RIGHT_LOOK ||
			     (operations[i].tries && kh_request_flag(request, "dry_run"));
		json_t *reply;

		if (strcmp(operations[i].name, name))
			continue;
		reply = check_right(&all, name, looks ? KH_RIGHT_LOOK : KH_RIGHT_CHANGE, !looks);
		if (reply)
			return reply;
		reply = kh_confirm_check(&all, operations[i].blocks);
		if (!reply && operations[i].right == KH_RIGHT_CHANGE && may(peer, KH_RIGHT_CHANGE))
			kh_session_take(all.core, kh_request_text(request, "session"));
		if (!reply)
			reply = operations[i].operation(&all);
		if (json_is_null(reply))
			return reply; /* not yet: control.h */
		if (note.refused &&
		    !strcmp(note.refused, KH_REFUSED_UNSIGNED)) /* a question that nobody could answer */
			json_object_set_new(reply, "exit", json_integer(KH_EXIT_USAGE));
		if (looks && operations[i].tries)
			json_object_set_new(reply, "may_change", json_boolean(may(peer, KH_RIGHT_CHANGE)));
		if (looks)
			all.core->acting = (struct kh_acting){}; /* a dry run was about to act */
		else
			kh_audit_request(&all, (int)json_integer_value(json_object_get(reply, "exit")));
		return reply;
	}
	return kh_reply_usage(_("the daemon does not know the operation \"%s\""), name ? name : "");
}
