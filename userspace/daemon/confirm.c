// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Confirm, or it comes back: a change with "confirm_within" is undone by the daemon unless somebody confirms it in time. Packets pass again at that
 * moment by the deadlines in the generation (ledger/unconfirmed.h); what is here brings the ledger after.
 */
#include <errno.h>
#include <string.h>

#include "common/crash.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "daemon/log.h"
#include "daemon/private.h"
#include "ledger/unconfirmed.h"

#define RETRY_SECONDS 10 /* after a failure */

/* ---- Asking for it -------------------------------------------------------------------------------- */

json_t *kh_confirm_check(const struct kh_request *request, bool possible)
{
	json_t *within = json_object_get(request->body, "confirm_within");
	int64_t seconds = kh_request_number(request->body, "confirm_within", 0),
		ttl = kh_request_number(request->body, "ttl", 0);

	if (!within)
		return NULL;
	if (!possible)
		return kh_reply_usage(_("--confirm-within is for push, block, accept and enforce"));
	if (seconds < KH_CONFIRM_SECONDS_MIN || seconds > KH_CONFIRM_SECONDS_MAX)
		return kh_reply_usage(_("--confirm-within takes 30s to 24h"));
	if (kh_request_flag(request->body, "monitor"))
		return kh_reply_usage(_("--confirm-within is for what is blocked, and --monitor blocks nothing"));
	if (ttl > 0 && ttl <= seconds)
		return kh_reply_usage(_("it would end (--ttl) before it is to be confirmed (--confirm-within)"));
	return NULL;
}

int kh_confirm_begin(const struct kh_request *request, struct kh_error *error)
{
	int64_t seconds = kh_request_number(request->body, "confirm_within", 0);

	return seconds ? kh_ledger_unconfirmed_put(request->core->ledger, kh_now() + seconds, error) : 0;
}

void kh_confirm_tell(struct kh_core *core, int64_t change, json_t *reply)
{
	int64_t until = kh_ledger_unconfirmed_until(core->ledger, change);

	if (until)
		json_object_set_new(
			reply, "unconfirmed",
			json_pack("{s:I, s:o}", "change", (json_int_t)change, "until", kh_json_time(core, until)));
}

struct waiting {
	struct kh_core *core;
	json_t *array;
	int64_t now; /* those whose time is over, else 0: all */
	struct kh_unconfirmed list[KH_UNCONFIRMED_MAX];
	size_t count;
};

static int on_json(const struct kh_unconfirmed *row, void *context)
{
	struct waiting *waiting = context;

	json_array_append_new(waiting->array, json_pack("{s:I, s:o, s:s, s:o}", "change", (json_int_t)row->change,
							"until", kh_json_time(waiting->core, row->until), "kind",
							row->kind, "actor", kh_json_text(row->actor)));
	return 0;
}

json_t *kh_unconfirmed_json(struct kh_core *core)
{
	struct waiting waiting = { .core = core, .array = json_array() };

	kh_ledger_unconfirmed(core->ledger, on_json, &waiting);
	return waiting.array;
}

static int on_waiting(const struct kh_unconfirmed *row, void *context)
{
	struct waiting *waiting = context;

	if (waiting->count < KH_UNCONFIRMED_MAX && (!waiting->now || (row->until <= waiting->now && !row->held_by)))
		waiting->list[waiting->count++] = *row;
	return 0;
}

/* ---- Taking back ----------------------------------------------------------------------------------- */

/* As `khien undo` does. 0 or -errno with error. */
static int take_back(struct kh_core *core, int64_t change, struct kh_error *error)
{
	json_t *body = json_object();
	const struct kh_request request = { .core = core, .body = body, .actor = "khiend" };
	struct kh_undo_result result = {};
	struct kh_change undo;
	int64_t undone;
	char note[160];
	int code;

	snprintf(note, sizeof(note), _("change %lld was not confirmed in time"), (long long)change);
	json_object_set_new(body, "note", json_string(note));
	code = kh_change_start(&request, "undo", 0, &undo, error);
	if (code >= 0) {
		KH_CRASH_POINT("take-back.started");
		code = kh_ledger_undo(core->ledger, change, &undone, &result, error);
		KH_CRASH_POINT("take-back.written");
		if (code < 0)
			kh_ledger_rollback(core->ledger);
		else
			code = kh_apply(core, error);
		KH_CRASH_POINT("take-back.applied");
	}
	json_decref(body);
	if (code < 0)
		return code;
	kh_log(LOG_WARNING, "event=not-confirmed change=%lld undo=%lld restored=%lld skipped=%lld", (long long)change,
	       (long long)undo.id, (long long)result.restored, (long long)result.skipped);
	return 0;
}

void kh_unconfirmed_tick(struct kh_core *core, int64_t now)
{
	int64_t next = kh_ledger_unconfirmed_next(core->ledger);
	struct kh_error error = {};

	if (!next || next > now)
		return;
	if (core->not_taken_back && now >= core->not_taken_back && now - core->not_taken_back < RETRY_SECONDS)
		return;
	core->not_taken_back = 0;
	for (;;) {
		struct waiting due = { .core = core, .now = now };

		/* the newest first; one that it held back comes in the next round */
		if (kh_ledger_unconfirmed(core->ledger, on_waiting, &due) < 0 || !due.count)
			return;
		if (take_back(core, due.list[due.count - 1].change, &error) < 0)
			break;
	}
	core->not_taken_back = now;
	kh_log_error(LOG_ERR, "not-taken-back", &error);
}

/* ---- confirm --------------------------------------------------------------------------------------- */

/* Why there is nothing to confirm. `change` 0: whatever was last. */
static json_t *refuse(struct kh_core *core, int64_t change)
{
	struct kh_confirmation last;
	struct kh_error error = {};
	char when[KH_TIME_TEXT] = "";
	bool known = kh_ledger_confirmation(core->ledger, change, &last) == 1 && last.ended_by;

	if (known)
		kh_time_format(last.ended, core->config->timezone, when);
	if (!change)
		kh_fail(&error, -ENOENT, _("nothing waits for confirmation"));
	else if (!known)
		kh_fail(&error, -ENOENT, _("change %lld does not wait for confirmation"), (long long)change);
	else if (last.confirmed)
		kh_fail(&error, -EALREADY, _("change %lld was confirmed at %s (change %lld)"), (long long)change, when,
			(long long)last.ended_by);
	else
		kh_fail(&error, -ETIME, _("change %lld was taken back at %s by change %lld"), (long long)change, when,
			(long long)last.ended_by);
	if (known && !last.confirmed && change)
		kh_hint(&error, _("khien undo %lld puts it in force again"), (long long)last.ended_by);
	else if (known && !last.confirmed)
		kh_hint(&error,
			_("change %lld was taken back at %s by change %lld; khien undo %lld puts it in force again"),
			(long long)last.change, when, (long long)last.ended_by, (long long)last.ended_by);
	return kh_reply_error(KH_EXIT_FAILED, &error);
}

static int confirm_all(struct kh_core *core, const struct waiting *waiting, json_t *confirmed, struct kh_error *error)
{
	for (size_t i = 0; i < waiting->count; i++) {
		int code = kh_ledger_unconfirmed_confirm(core->ledger, waiting->list[i].change, error);

		if (code < 0)
			return code;
		json_array_append_new(confirmed, json_integer(waiting->list[i].change));
	}
	return 0;
}

json_t *kh_op_confirm(const struct kh_request *request)
{
	int64_t wanted = kh_request_number(request->body, "change", 0);
	struct kh_core *core = request->core;
	struct waiting waiting = { .core = core };
	json_t *reply, *confirmed;
	struct kh_error error = {};
	struct kh_change change;
	int code;

	if (kh_request_flag(request->body, "clock"))
		return kh_clock_confirm(request);
	kh_unconfirmed_tick(core, kh_now()); /* late is late, though the second is not over */
	kh_ledger_unconfirmed(core->ledger, on_waiting, &waiting);
	for (size_t i = 0; wanted && i < waiting.count; i++)
		if (waiting.list[i].change == wanted) {
			waiting.list[0] = waiting.list[i];
			waiting.count = 1;
			wanted = 0;
		}
	if (wanted || !waiting.count)
		return refuse(core, wanted);
	code = kh_change_start(request, "confirm", 0, &change, &error);
	if (code < 0)
		return kh_reply_error(KH_EXIT_FAILED, &error);
	confirmed = json_array();
	KH_CRASH_POINT("confirm.started");
	code = confirm_all(core, &waiting, confirmed, &error);
	KH_CRASH_POINT("confirm.written");
	if (code < 0)
		kh_ledger_rollback(core->ledger);
	else
		code = kh_apply(core, &error);
	if (code < 0) {
		json_decref(confirmed);
		return kh_reply_error(KH_EXIT_FAILED, &error);
	}
	KH_CRASH_POINT("confirm.applied");
	reply = kh_reply(KH_EXIT_DONE);
	json_object_set_new(reply, "change", json_integer(change.id));
	json_object_set_new(reply, "confirmed", confirmed);
	json_object_set_new(reply, "time", kh_json_time(core, kh_now()));
	return reply;
}
