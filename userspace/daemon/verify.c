// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is what is ordered what is enforced? `khien verify` asks now, of all orders or of a sample that it states. The daemon asks all day, a slice
 * every second, round after round: a difference is told at once, and what a whole round came to when it is over.
 *
 * A slice takes the next orders as they are at that moment, so what was withdrawn since the round began is not missed, and what came is found by
 * the next round. 1 M orders take five and a half hours.
 */
#include "daemon/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/log.h"
#include "ledger/unconfirmed.h"

#define SLICE 50 /* orders looked at in a second: a packet through the program takes 20 to 30 microseconds */
#define ROUND_SECONDS 10 /* between the beginnings of two rounds, at least */

static void conclude(struct kh_core *core, int64_t ordered, int64_t enforced)
{
	core->verified = kh_now();
	core->verified_ordered = ordered;
	core->verified_enforced = enforced;
}

/* The packet path lets go of a deadline, or of a change that nobody confirmed, before the ledger says so. */
static bool is_ending(const struct kh_core *core, const struct kh_order_row *row)
{
	int64_t until = kh_ledger_unconfirmed_until(core->ledger, row->change), soon = kh_now() + 1;

	return (row->expires && row->expires <= soon) || (until && until <= soon);
}

/* ---- Now ---------------------------------------------------------------------------------------- */

struct verify {
	struct kh_core *core;
	int64_t ordered, enforced, cut, tried;
	int64_t step; /* one in so many is tried, evenly over all */
	json_t *differences;
};

/* Tries it if it is its turn. True: it should be dropped and is not. */
static bool differs(struct verify *verify, const struct kh_indicator *indicator)
{
	int dropped;

	if (verify->ordered++ % verify->step)
		return false;
	verify->tried++;
	dropped = kh_prove_one(verify->core, indicator);
	verify->enforced += dropped == 1;
	verify->cut += dropped == -ENODATA;
	return dropped != 1 && dropped != -ENODATA && json_array_size(verify->differences) < 1000;
}

static int on_verify(const struct kh_order_row *row, void *context)
{
	struct verify *verify = context;

	if (row->action == KH_ACTION_DROP && kh_indicator_enforceable(&row->indicator) &&
	    !is_ending(verify->core, row) && differs(verify, &row->indicator))
		json_array_append_new(verify->differences, kh_json_order(verify->core, row));
	return 0;
}

/* Without a row for each of a million values; only one that differs is told as a row. */
static int on_verify_list(const struct kh_bulk_row *list, void *context)
{
	struct verify *verify = context;

	if (list->terms.state != KH_ORDER_ACTIVE || list->terms.action != KH_ACTION_DROP ||
	    is_ending(verify->core, &list->terms))
		return 0;
	for (size_t i = 0; i < kh_bulk_count(list->values); i++) {
		struct kh_indicator indicator = { .type = KH_TYPE_RANGE };
		struct kh_order_row row = list->terms;
		char value[KH_RANGE_TEXT];
		uint32_t line;

		if (list->left_out && (list->left_out[i / 64] >> i % 64 & 1))
			continue;
		indicator.range = kh_bulk_range(list->values, i, &line);
		if (!differs(verify, &indicator))
			continue;
		row.indicator = indicator;
		row.line = (int)line;
		row.value = row.raw = kh_range_format(&indicator.range, value);
		json_array_append_new(verify->differences, kh_json_order(verify->core, &row));
	}
	return 0;
}

static int verify_all(struct verify *verify)
{
	struct kh_order_filter filter = { .state = KH_ORDER_ACTIVE, .rows_only = true };
	struct kh_ledger *ledger = verify->core->ledger;
	int64_t counts[KH_ORDER_STATE_COUNT], monitored;
	int code = kh_ledger_order_counts(ledger, counts, &monitored);

	if (code < 0)
		return code;
	verify->step = (counts[KH_ORDER_ACTIVE] + KH_VERIFY_MAX - 1) / KH_VERIFY_MAX;
	verify->step = verify->step > 0 ? verify->step : 1;
	code = kh_ledger_orders(ledger, &filter, on_verify, verify);
	return code < 0 ? code : kh_ledger_bulks(ledger, 0, on_verify_list, verify);
}

json_t *kh_op_verify(const struct kh_request *request)
{
	struct verify verify = { .core = request->core, .differences = json_array() };
	int code = verify_all(&verify);
	json_t *reply;

	if (code < 0) {
		json_decref(verify.differences);
		return kh_reply_ledger(code);
	}
	conclude(request->core, verify.tried - verify.cut, verify.enforced);
	if (!json_array_size(verify.differences))
		request->core->round.astray[0] = '\0';
	reply = kh_reply(json_array_size(verify.differences) ? KH_EXIT_FAILED : KH_EXIT_DONE);
	json_object_set_new(reply, "time", kh_json_time(request->core, kh_now()));
	json_object_set_new(reply, "ordered", json_integer(verify.ordered));
	json_object_set_new(reply, "tried", json_integer(verify.tried));
	json_object_set_new(reply, "enforced", json_integer(verify.enforced));
	json_object_set_new(reply, "cut", json_integer(verify.cut));
	json_object_set_new(reply, "differences", verify.differences);
	return reply;
}

/* ---- All day ------------------------------------------------------------------------------------ */

/* The first is told; khien verify lists all. */
static void note_astray(struct kh_core *core, const struct kh_order_row *row)
{
	struct kh_round *round = &core->round;

	if (round->astray[0])
		return;
	kh_log(LOG_ALERT, "event=not-enforced value=%s letter=\"%s\"", row->value, row->number);
	snprintf(round->astray, sizeof(round->astray), "%s", row->value);
}

static int on_slice(const struct kh_order_row *row, void *context)
{
	struct kh_core *core = context;
	struct kh_round *round = &core->round;
	int dropped;

	round->after = row->id;
	round->looked++;
	if (row->action != KH_ACTION_DROP || !kh_indicator_enforceable(&row->indicator) || is_ending(core, row))
		return 0;
	dropped = kh_prove_one(core, &row->indicator);
	if (dropped == -ENODATA)
		return 0;
	round->ordered++;
	round->enforced += dropped == 1;
	if (dropped != 1)
		note_astray(core, row);
	return 0;
}

void kh_verify_slice(struct kh_core *core, int64_t now)
{
	struct kh_order_filter filter = { .state = KH_ORDER_ACTIVE, .limit = SLICE };
	struct kh_round *round = &core->round;

	if (!round->running) {
		if (now >= round->started && now - round->started < ROUND_SECONDS)
			return;
		round->running = true;
		round->started = now;
		round->after = round->ordered = round->enforced = 0;
	}
	filter.after = round->after;
	round->looked = 0;
	if (kh_ledger_orders(core->ledger, &filter, on_slice, core) < 0)
		return; /* the ledger's own problem is told elsewhere */
	if (round->looked == SLICE)
		return;
	round->running = false;
	conclude(core, round->ordered, round->enforced);
	if (round->enforced == round->ordered)
		round->astray[0] = '\0';
}
