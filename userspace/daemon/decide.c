// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orders that exist already: the review queue (review, accept, reject), monitor and back (enforce, monitor), deadlines (extend),
 * withdrawal (unblock). Each says which orders it takes and what becomes of them; alter.c does the rest.
 */
#include <errno.h>

#include "common/lang.h"
#include "daemon/alter.h"

static int edit_accept(struct kh_alter *alter, struct kh_order_row *row)
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
	struct kh_alter alter = { .request = request, .edit = edit_accept };
	json_t *reply = kh_alter_take_ref(&alter, false);

	return reply ? reply : kh_alter_all(&alter, "accept", "values", true);
}

static int edit_reject(struct kh_alter *alter, struct kh_order_row *row)
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
	struct kh_alter alter = { .request = request, .edit = edit_reject };
	const char *note = kh_request_text(request->body, "note");
	json_t *reply = kh_alter_take_ref(&alter, false);

	if (reply)
		return reply;
	if (!note || !note[0])
		return kh_reply_usage(_("say why it is rejected: --note TEXT"));
	return kh_alter_all(&alter, "reject", "values", true);
}

static int edit_enforce(struct kh_alter *alter, struct kh_order_row *row)
{
	(void)alter;
	if (row->state != KH_ORDER_ACTIVE || row->action == KH_ACTION_DROP)
		return 0;
	row->action = KH_ACTION_DROP;
	row->since = kh_now();
	return 1;
}

static int edit_monitor(struct kh_alter *alter, struct kh_order_row *row)
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
	struct kh_alter alter = { .request = request, .edit = edit_enforce };

	return kh_alter_all(&alter, "enforce", "targets", false);
}

json_t *kh_op_monitor(const struct kh_request *request)
{
	struct kh_alter alter = { .request = request, .edit = edit_monitor };

	return kh_alter_all(&alter, "monitor", "targets", false);
}

static int edit_extend(struct kh_alter *alter, struct kh_order_row *row)
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
	struct kh_alter alter = { .request = request, .edit = edit_extend };
	int64_t seconds = kh_request_number(request->body, "ttl", 0);

	if (seconds <= 0)
		return kh_reply_usage(_("say for how long: --ttl 7d"));
	alter.expires = kh_now() + seconds;
	return kh_alter_all(&alter, "extend", "targets", false);
}

static int edit_withdraw(struct kh_alter *alter, struct kh_order_row *row)
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
	struct kh_alter alter = { .request = request, .edit = edit_withdraw };
	json_t *reply;

	if (json_array_size(json_object_get(request->body, "values"))) {
		reply = kh_alter_take_ref(&alter, false);
		return reply ? reply : kh_alter_all(&alter, "unblock", "values", true);
	}
	reply = kh_alter_take_ref(&alter, true);
	if (reply)
		return reply;
	return kh_alter_letter(&alter, "unblock");
}
