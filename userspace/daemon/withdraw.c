// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What takes away from enforcement without touching an order: allow and disallow; and undo, which takes back one change.
 */
#include "daemon/audit.h"

#include <errno.h>
#include <string.h>

#include "common/crash.h"
#include "common/lang.h"
#include "common/util.h"
#include "reader/reader.h"

#define ALLOW_SECONDS (4 * 3600) /* an allow over an order, without --ttl */
#define ALLOW_VALUES_MAX 1000

static int count_order(const struct kh_order_row *row, void *context)
{
	(void)row;
	++*(int *)context;
	return 1; /* one is enough */
}

static bool is_ordered(struct kh_core *core, const struct kh_range *range)
{
	struct kh_order_filter filter = { .state = KH_ORDER_ACTIVE, .overlaps = range, .limit = 1 };
	int count = 0;

	kh_ledger_orders(core->ledger, &filter, count_order, &count);
	return count > 0;
}

/* Parses what may be allowed: an address, prefix or range. */
static int parse_allow(const char *text, struct kh_range *ret_range, struct kh_error *error)
{
	struct kh_indicator indicator = {};
	int code = kh_reader_value(text, &indicator, error);

	if (code == -EDOM)
		return kh_fail(error, -EINVAL, _("%s has bits set beyond its length"), text);
	if (code < 0)
		return code;
	if (indicator.type != KH_TYPE_ADDRESS && indicator.type != KH_TYPE_PREFIX && indicator.type != KH_TYPE_RANGE) {
		kh_indicator_clear(&indicator);
		return kh_fail(error, -EINVAL, _("%s: only addresses, prefixes and ranges can be allowed"), text);
	}
	*ret_range = indicator.range;
	return 0;
}

struct find_allow {
	const char *value;
	struct kh_allow_row row;
	bool found;
};

static int on_allow(const struct kh_allow_row *row, void *context)
{
	struct find_allow *find = context;

	if (strcmp(row->value, find->value))
		return 0;
	find->row = *row;
	find->found = true;
	return 1;
}

static int put_allow(const struct kh_request *request, const char *text, bool active, json_t *rows,
		     struct kh_error *error)
{
	const char *note = kh_request_text(request->body, "note");
	char value[KH_RANGE_TEXT];
	struct kh_allow_row row = { .note = note ? note : "", .actor = "", .since = kh_now(), .active = active };
	int64_t seconds;
	int code = parse_allow(text, &row.range, error);

	if (code < 0)
		return code;
	row.value = kh_range_format(&row.range, value);
	if (!active) {
		struct find_allow find = { .value = value };

		kh_ledger_allows(request->core->ledger, true, on_allow, &find);
		if (!find.found)
			return kh_fail(error, -ENOENT, _("%s is not on the allow list"), value);
	}
	seconds = kh_request_number(request->body, "ttl", is_ordered(request->core, &row.range) ? ALLOW_SECONDS : 0);
	row.expires = active && seconds > 0 ? kh_now() + seconds : 0;
	code = kh_ledger_allow_put(request->core->ledger, &row, error);
	if (code >= 0)
		json_array_append_new(rows, kh_json_allow(request->core, &row));
	return code;
}

static json_t *change_allows(const struct kh_request *request, const char *kind, bool active)
{
	json_t *values = json_object_get(request->body, "values"), *item, *rows, *reply;
	struct kh_error error = {};
	struct kh_change change;
	size_t index;
	int code;

	if (!json_array_size(values) || json_array_size(values) > ALLOW_VALUES_MAX)
		return kh_reply_usage(_("%s needs 1 to %d values"), kind, ALLOW_VALUES_MAX);
	code = kh_change_start(request, kind, 0, &change, &error);
	if (code < 0)
		return kh_reply_error(KH_EXIT_FAILED, &error);
	rows = json_array();
	json_array_foreach(values, index, item) {
		const char *text = json_string_value(item);

		code = text ? put_allow(request, text, active, rows, &error)
			    : kh_fail(&error, -EINVAL, _("a value is not text"));
		if (code < 0)
			break;
	}
	if (code < 0)
		kh_ledger_rollback(request->core->ledger);
	else
		code = kh_apply(request->core, &error);
	if (code < 0) {
		json_decref(rows);
		return kh_reply_error(KH_EXIT_FAILED, &error);
	}
	reply = kh_reply(KH_EXIT_DONE);
	json_object_set_new(reply, "change", json_integer(change.id));
	json_object_set_new(reply, "time", kh_json_time(request->core, kh_now()));
	json_object_set_new(reply, "rows", rows);
	return reply;
}

json_t *kh_op_allow(const struct kh_request *request)
{
	const char *note = kh_request_text(request->body, "note");

	if (!note || !note[0])
		return kh_reply_usage(_("say why it is allowed: --note TEXT"));
	return change_allows(request, "allow", true);
}

json_t *kh_op_disallow(const struct kh_request *request)
{
	return change_allows(request, "disallow", false);
}

json_t *kh_op_undo(const struct kh_request *request)
{
	int64_t wanted = kh_request_number(request->body, "change", 0), undone = 0;
	struct kh_undo_result result = {};
	struct kh_error error = {};
	struct kh_change change;
	json_t *reply;
	int code = kh_change_start(request, "undo", 0, &change, &error);

	if (code < 0)
		return kh_reply_error(KH_EXIT_FAILED, &error);
	KH_CRASH_POINT("undo.started");
	code = kh_ledger_undo(request->core->ledger, wanted, &undone, &result, &error);
	KH_CRASH_POINT("undo.written");
	kh_audit_exit(request, result.skipped ? KH_EXIT_PARTLY : KH_EXIT_DONE);
	if (code < 0)
		kh_ledger_rollback(request->core->ledger);
	else
		code = kh_apply(request->core, &error);
	if (code < 0)
		return kh_reply_error(KH_EXIT_FAILED, &error);
	KH_CRASH_POINT("undo.applied");
	reply = kh_reply(result.skipped ? KH_EXIT_PARTLY : KH_EXIT_DONE);
	json_object_set_new(reply, "change", json_integer(change.id));
	json_object_set_new(reply, "undone", json_integer(undone));
	json_object_set_new(reply, "restored", json_integer(result.restored));
	json_object_set_new(reply, "skipped", json_integer(result.skipped));
	json_object_set_new(reply, "time", kh_json_time(request->core, kh_now()));
	return reply;
}
