// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orders that exist already: the review queue (review, accept, reject), monitor and back (enforce, monitor), deadlines (extend).
 * Each is one change: find the orders meant, alter them, apply, answer with what was altered.
 */
#include "daemon/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "reader/reader.h"

struct kept;

struct alter {
	const struct kh_request *request;
	struct kh_change change;
	struct kh_error error;
	json_t *rows;
	int64_t letter; /* 0: any */
	int64_t touched, partly;
	int64_t expires; /* extend */
	struct kept *kept;
	size_t kept_count, kept_capacity;
	int (*edit)(struct alter *alter, struct kh_order_row *row); /* 1 write it, 0 leave it */
};

/* An order kept past the callback that showed it: the ledger may not be written while it is being read. */
struct kept {
	struct kh_order_row row;
	char *texts[6];
};

static void kept_clear(struct kept *kept)
{
	for (size_t i = 0; i < KH_ARRAY_SIZE(kept->texts); i++)
		free(kept->texts[i]);
	kh_indicator_clear(&kept->row.indicator);
}

static int keep(struct kept *kept, const struct kh_order_row *row)
{
	const char **const places[] = { &kept->row.value, &kept->row.number, &kept->row.rule,
					&kept->row.note,  &kept->row.raw,    &kept->row.file };

	*kept = (struct kept){ .row = *row };
	kept->row.indicator.text = NULL;
	for (size_t i = 0; i < KH_ARRAY_SIZE(places); i++) {
		*places[i] = kept->texts[i] = strdup(*places[i] ? *places[i] : "");
		if (!kept->texts[i])
			return -ENOMEM;
	}
	return kh_indicator_copy(&kept->row.indicator, &row->indicator);
}

static int on_order(const struct kh_order_row *row, void *context)
{
	struct alter *alter = context;
	struct kh_order_row edited = *row;
	int code = alter->edit(alter, &edited);

	if (code <= 0)
		return code;
	code = kh_grow(&alter->kept, &alter->kept_capacity, alter->kept_count + 1, sizeof(*alter->kept));
	if (code < 0)
		return kh_fail(&alter->error, code, _("out of memory"));
	code = keep(&alter->kept[alter->kept_count++], row);
	return code < 0 ? kh_fail(&alter->error, code, _("out of memory")) : 0;
}

static int write_kept(struct alter *alter, struct kept *kept)
{
	int code = alter->edit(alter, &kept->row);

	if (code > 0)
		code = kh_ledger_order_put(alter->request->core->ledger, &kept->row, &alter->error);
	if (code < 0)
		return code;
	alter->touched += code;
	if (json_array_size(alter->rows) < KH_ROWS_MAX)
		json_array_append_new(alter->rows, kh_json_order(alter->request->core, &kept->row));
	return 0;
}

/* Finds the orders that the filter names, then alters them. */
static int alter_orders(struct alter *alter, const struct kh_order_filter *filter)
{
	int code = kh_ledger_orders(alter->request->core->ledger, filter, on_order, alter);

	for (size_t i = 0; i < alter->kept_count; i++) {
		if (code >= 0)
			code = write_kept(alter, &alter->kept[i]);
		kept_clear(&alter->kept[i]);
	}
	free(KH_TAKE(alter->kept));
	alter->kept_count = alter->kept_capacity = 0;
	return code;
}

/* The canonical text of a typed value. malloc'ed, or NULL with error. */
static char *canonical(const char *text, struct kh_error *error)
{
	struct kh_indicator indicator = {};
	char *value;

	if (kh_reader_value(text, &indicator, error) == -EINVAL)
		return NULL;
	value = kh_indicator_format(&indicator);
	kh_indicator_clear(&indicator);
	return value;
}

/* Orders of one value: 0, or -ENOENT when none was touched. */
static int alter_value(struct alter *alter, const char *text)
{
	struct kh_order_filter filter = { .state = -1, .letter = alter->letter };
	char *value KH_CLEANUP(kh_freep) = canonical(text, &alter->error);
	size_t before = json_array_size(alter->rows);
	int code;

	if (!value)
		return -EINVAL;
	filter.value = value;
	code = alter_orders(alter, &filter);
	if (code < 0)
		return code;
	if (json_array_size(alter->rows) > before)
		return 0;
	kh_fail(&alter->error, -ENOENT, _("%s: no such order to change"), value);
	kh_hint(&alter->error, _("khien why %s tells what is known of it"), value);
	return -ENOENT;
}

static int alter_letter(struct alter *alter, int64_t letter)
{
	struct kh_order_filter filter = { .state = -1, .letter = letter };

	return alter_orders(alter, &filter);
}

static bool is_value(const char *text)
{
	struct kh_indicator indicator = {};
	int code = kh_reader_value(text, &indicator, NULL);
	bool value = !code && kh_indicator_enforceable(&indicator);

	kh_indicator_clear(&indicator);
	return value;
}

/* One target: a value, else a REF. NULL, or a reply that ends the request. */
static json_t *alter_target(struct alter *alter, const char *target)
{
	char number[256];
	int64_t letter;
	json_t *reply;
	int code;

	if (is_value(target)) {
		code = alter_value(alter, target);
		return code < 0 ? kh_reply_error(KH_EXIT_FAILED, &alter->error) : NULL;
	}
	reply = kh_require_letter(alter->request->core, target, &letter, number, sizeof(number));
	if (reply)
		return reply;
	code = alter_letter(alter, letter);
	return code < 0 ? kh_reply_error(KH_EXIT_FAILED, &alter->error) : NULL;
}

static json_t *end_change(struct alter *alter)
{
	struct kh_core *core = alter->request->core;
	json_t *reply;

	if (!alter->touched) {
		kh_ledger_rollback(core->ledger);
		reply = kh_reply(KH_EXIT_DONE);
	} else if (kh_request_flag(alter->request->body, "dry_run")) {
		kh_ledger_rollback(core->ledger);
		reply = kh_reply(KH_EXIT_DONE);
	} else if (kh_apply(core, &alter->error) < 0) {
		return kh_reply_error(KH_EXIT_FAILED, &alter->error);
	} else {
		reply = kh_reply(KH_EXIT_DONE);
		json_object_set_new(reply, "change", json_integer(alter->change.id));
		json_object_set_new(
			reply, "generation",
			json_integer(core->image ? (json_int_t)kh_image_header(core->image)->generation : 0));
	}
	json_object_set_new(reply, "time", kh_json_time(core, kh_now()));
	json_object_set(reply, "rows", alter->rows);
	json_object_set_new(reply, "changed", json_integer(alter->touched));
	return reply;
}

/* `names`: member of the request that lists the targets. values_only: a REF is not a target. */
static json_t *alter_all(struct alter *alter, const char *kind, const char *names, bool values_only)
{
	json_t *targets = json_object_get(alter->request->body, names), *item, *reply = NULL;
	size_t index;

	if (!json_array_size(targets))
		return kh_reply_usage(_("%s needs at least one value or letter"), kind);
	if (kh_change_start(alter->request, kind, alter->letter, &alter->change, &alter->error) < 0)
		return kh_reply_error(KH_EXIT_FAILED, &alter->error);
	alter->rows = json_array();
	json_array_foreach(targets, index, item) {
		const char *target = json_string_value(item);

		if (!target)
			reply = kh_reply_usage(_("%s needs at least one value or letter"), kind);
		else if (values_only)
			reply = alter_value(alter, target) < 0 ? kh_reply_error(KH_EXIT_FAILED, &alter->error) : NULL;
		else
			reply = alter_target(alter, target);
		if (reply)
			break;
	}
	if (reply)
		kh_ledger_rollback(alter->request->core->ledger);
	else
		reply = end_change(alter);
	json_decref(alter->rows);
	return reply;
}

/* The letter named by "ref", when there is one. NULL: go on. */
static json_t *take_ref(struct alter *alter, bool needed)
{
	const char *ref = kh_request_text(alter->request->body, "ref");
	char number[256];

	if (ref && ref[0])
		return kh_require_letter(alter->request->core, ref, &alter->letter, number, sizeof(number));
	return needed ? kh_reply_usage(_("say which letter: --ref NUMBER")) : NULL;
}

/* ---- The operations ----------------------------------------------------------------------------- */

static int edit_accept(struct alter *alter, struct kh_order_row *row)
{
	struct kh_finding finding = { .indicator = row->indicator, .proposed = KH_ENFORCE, .reason = KH_WHY_TYPED };
	struct kh_judgement judgement;

	if (row->state != KH_ORDER_REVIEW && row->state != KH_ORDER_REJECTED)
		return 0;
	if (!kh_indicator_enforceable(&row->indicator)) {
		kh_fail(&alter->error, -EINVAL, _("%s is not a value that can be enforced"), row->value);
		kh_hint(&alter->error, _("correct it and block it: khien block VALUE --ref %s"), row->number);
		return -EINVAL;
	}
	kh_guard_judge(alter->request->core->guard, &finding, &judgement);
	if (judgement.decision == KH_REFUSE) {
		kh_fail(&alter->error, -EPERM, _("%s is refused: %s"), row->value,
			gettext(kh_decision_reason_sentence(judgement.reason)));
		kh_hint(&alter->error, _("rule: %s"), judgement.rule);
		return -EPERM;
	}
	row->state = KH_ORDER_ACTIVE;
	row->decision = KH_ENFORCE;
	row->since = kh_now();
	return 1;
}

json_t *kh_op_accept(const struct kh_request *request)
{
	struct alter alter = { .request = request, .edit = edit_accept };
	json_t *reply = take_ref(&alter, false);

	return reply ? reply : alter_all(&alter, "accept", "values", true);
}

static int edit_reject(struct alter *alter, struct kh_order_row *row)
{
	const char *note = kh_request_text(alter->request->body, "note");

	if (row->state != KH_ORDER_REVIEW)
		return 0;
	row->state = KH_ORDER_REJECTED;
	row->since = kh_now();
	row->note = note ? note : "";
	return 1;
}

json_t *kh_op_reject(const struct kh_request *request)
{
	struct alter alter = { .request = request, .edit = edit_reject };
	const char *note = kh_request_text(request->body, "note");
	json_t *reply = take_ref(&alter, false);

	if (reply)
		return reply;
	if (!note || !note[0])
		return kh_reply_usage(_("say why it is rejected: --note TEXT"));
	return alter_all(&alter, "reject", "values", true);
}

static int edit_enforce(struct alter *alter, struct kh_order_row *row)
{
	(void)alter;
	if (row->state != KH_ORDER_ACTIVE || row->action == KH_ACTION_DROP)
		return 0;
	row->action = KH_ACTION_DROP;
	row->since = kh_now();
	return 1;
}

static int edit_monitor(struct alter *alter, struct kh_order_row *row)
{
	(void)alter;
	if (row->state != KH_ORDER_ACTIVE || row->action == KH_ACTION_MONITOR)
		return 0;
	row->action = KH_ACTION_MONITOR;
	row->since = kh_now();
	return 1;
}

json_t *kh_op_enforce(const struct kh_request *request)
{
	struct alter alter = { .request = request, .edit = edit_enforce };

	return alter_all(&alter, "enforce", "targets", false);
}

json_t *kh_op_monitor(const struct kh_request *request)
{
	struct alter alter = { .request = request, .edit = edit_monitor };

	return alter_all(&alter, "monitor", "targets", false);
}

static int edit_extend(struct alter *alter, struct kh_order_row *row)
{
	if (row->state != KH_ORDER_ACTIVE && row->state != KH_ORDER_EXPIRED)
		return 0;
	if (row->state == KH_ORDER_EXPIRED)
		row->since = kh_now();
	row->state = KH_ORDER_ACTIVE;
	row->expires = alter->expires;
	return 1;
}

json_t *kh_op_extend(const struct kh_request *request)
{
	struct alter alter = { .request = request, .edit = edit_extend };
	int64_t seconds = kh_request_number(request->body, "ttl", 0);

	if (seconds <= 0)
		return kh_reply_usage(_("say for how long: --ttl 7d"));
	alter.expires = kh_now() + seconds;
	return alter_all(&alter, "extend", "targets", false);
}

static int edit_withdraw(struct alter *alter, struct kh_order_row *row)
{
	(void)alter;
	if (row->state != KH_ORDER_ACTIVE && row->state != KH_ORDER_REVIEW)
		return 0;
	row->state = KH_ORDER_WITHDRAWN;
	row->since = kh_now();
	return 1;
}

json_t *kh_op_unblock(const struct kh_request *request)
{
	struct alter alter = { .request = request, .edit = edit_withdraw };
	json_t *reply;

	if (json_array_size(json_object_get(request->body, "values"))) {
		reply = take_ref(&alter, false);
		return reply ? reply : alter_all(&alter, "unblock", "values", true);
	}
	reply = take_ref(&alter, true);
	if (reply)
		return reply;
	if (kh_change_start(request, "unblock", alter.letter, &alter.change, &alter.error) < 0)
		return kh_reply_error(KH_EXIT_FAILED, &alter.error);
	alter.rows = json_array();
	if (alter_letter(&alter, alter.letter) < 0) {
		kh_ledger_rollback(request->core->ledger);
		reply = kh_reply_error(KH_EXIT_FAILED, &alter.error);
	} else {
		reply = end_change(&alter);
	}
	json_decref(alter.rows);
	return reply;
}
