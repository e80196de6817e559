// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Altering orders: see alter.h. Rows are altered one by one, bulk lists of a letter as a whole.
 */
#include "daemon/alter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/audit.h"
#include "reader/reader.h"

/* An order kept past the callback that showed it: the ledger may not be written while it is being read. */
struct kh_kept {
	struct kh_order_row row;
	char *texts[6];
};

static void kept_clear(struct kh_kept *kept)
{
	for (size_t i = 0; i < KH_ARRAY_SIZE(kept->texts); i++)
		free(kept->texts[i]);
	kh_indicator_clear(&kept->row.indicator);
}

static int keep(struct kh_kept *kept, const struct kh_order_row *row)
{
	const char **const places[] = { &kept->row.value, &kept->row.number, &kept->row.rule,
					&kept->row.note,  &kept->row.raw,    &kept->row.file };

	*kept = (struct kh_kept){ .row = *row };
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
	struct kh_alter *alter = context;
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

static int write_kept(struct kh_alter *alter, struct kh_kept *kept)
{
	int code = alter->edit(alter, &kept->row);

	if (code > 0)
		code = kh_ledger_order_put(alter->request->core->ledger, &kept->row, &alter->error);
	if (code < 0)
		return code;
	alter->touched += code;
	if (kept->row.state == KH_ORDER_ACTIVE && kept->row.action == KH_ACTION_DROP &&
	    kh_indicator_enforceable(&kept->row.indicator))
		kh_spared_add(alter->request, &alter->spared, &kept->row.indicator.range);
	if (json_array_size(alter->rows) < KH_ROWS_MAX)
		json_array_append_new(alter->rows, kh_json_order(alter->request->core, &kept->row));
	return 0;
}

/* Finds the orders that the filter names, then alters them. */
static int alter_orders(struct kh_alter *alter, const struct kh_order_filter *filter)
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
static int alter_value(struct kh_alter *alter, const char *text)
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

/* ---- Bulk lists: altered as a whole ------------------------------------------------------------------ */

struct kh_kept_list {
	int64_t bulk;
	struct kh_kept terms;
};

static int on_list(const struct kh_bulk_row *row, void *context)
{
	struct kh_alter *alter = context;
	struct kh_order_row edited = row->terms;
	int code = alter->edit(alter, &edited);

	if (code <= 0)
		return code;
	code = kh_grow(&alter->lists, &alter->lists_capacity, alter->lists_count + 1, sizeof(*alter->lists));
	if (code >= 0) {
		alter->lists[alter->lists_count].bulk = row->id;
		code = keep(&alter->lists[alter->lists_count++].terms, &row->terms);
	}
	return code < 0 ? kh_fail(&alter->error, code, _("out of memory")) : 0;
}

static int show_value(const struct kh_order_row *row, void *context)
{
	struct kh_alter *alter = context;

	json_array_append_new(alter->rows, kh_json_order(alter->request->core, row));
	return 0;
}

static int write_list(struct kh_alter *alter, struct kh_kept_list *list)
{
	struct kh_ledger *ledger = alter->request->core->ledger;
	size_t shown = json_array_size(alter->rows);
	struct kh_order_filter filter = { .state = -1,
					  .bulk = list->bulk,
					  .limit = shown < KH_ROWS_MAX ? (int64_t)(KH_ROWS_MAX - shown) : 0 };
	int64_t count = alter->edit(alter, &list->terms.row);

	if (count > 0)
		count = kh_ledger_bulk_change(ledger, list->bulk, &list->terms.row, &alter->error);
	if (count < 0)
		return (int)count;
	alter->touched += count;
	return count && filter.limit ? kh_ledger_orders(ledger, &filter, show_value, alter) : 0;
}

static int alter_lists(struct kh_alter *alter, int64_t letter)
{
	int code = kh_ledger_bulks(alter->request->core->ledger, letter, on_list, alter);

	for (size_t i = 0; i < alter->lists_count; i++) {
		if (code >= 0)
			code = write_list(alter, &alter->lists[i]);
		kept_clear(&alter->lists[i].terms);
	}
	free(KH_TAKE(alter->lists));
	alter->lists_count = alter->lists_capacity = 0;
	return code;
}

int kh_alter_rows(struct kh_alter *alter, int64_t letter)
{
	struct kh_order_filter filter = { .state = -1, .letter = letter, .rows_only = true };

	return alter_orders(alter, &filter);
}

static int alter_letter(struct kh_alter *alter, int64_t letter)
{
	int code = kh_alter_rows(alter, letter);

	return code < 0 ? code : alter_lists(alter, letter);
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
static json_t *alter_target(struct kh_alter *alter, const char *target)
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
	kh_audit_letter(alter->request, number);
	code = alter_letter(alter, letter);
	return code < 0 ? kh_reply_error(KH_EXIT_FAILED, &alter->error) : NULL;
}

static int confirm_and_apply(struct kh_alter *alter)
{
	int code = kh_confirm_begin(alter->request, &alter->error);

	if (code < 0)
		kh_ledger_rollback(alter->request->core->ledger);
	return code < 0 ? code : kh_apply(alter->request->core, &alter->error);
}

static json_t *end_change(struct kh_alter *alter)
{
	struct kh_core *core = alter->request->core;
	json_t *reply, *notes = json_array();

	kh_sessions_note(core, alter->change.id, notes);
	if (!alter->touched) {
		kh_ledger_rollback(core->ledger);
		reply = kh_reply(KH_EXIT_DONE);
	} else if (kh_request_flag(alter->request->body, "dry_run")) {
		reply = kh_reply(KH_EXIT_DONE);
		kh_impact_answer(alter->request, NULL, &alter->spared, reply);
		kh_ledger_rollback(core->ledger);
	} else if (confirm_and_apply(alter) < 0) {
		json_decref(notes);
		return kh_reply_error(KH_EXIT_FAILED, &alter->error);
	} else {
		reply = kh_reply(KH_EXIT_DONE);
		json_object_set_new(reply, "change", json_integer(alter->change.id));
		kh_confirm_tell(core, alter->change.id, reply);
		kh_sessions_alarm(core, alter->change.id, reply);
		json_object_set_new(
			reply, "generation",
			json_integer(core->image ? (json_int_t)kh_image_header(core->image)->generation : 0));
	}
	json_object_set_new(reply, "time", kh_json_time(core, kh_now()));
	json_object_set(reply, "rows", alter->rows);
	json_object_set_new(reply, "notes", notes);
	json_object_set_new(reply, "changed", json_integer(alter->touched));
	return reply;
}

json_t *kh_alter_all(struct kh_alter *alter, const char *kind, const char *names, bool values_only)
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
	kh_spared_clear(&alter->spared);
	json_decref(alter->rows);
	return reply;
}

json_t *kh_alter_take_ref(struct kh_alter *alter, bool needed)
{
	const char *ref = kh_request_text(alter->request->body, "ref");
	char number[256];

	if (ref && ref[0])
		return kh_require_letter(alter->request->core, ref, &alter->letter, number, sizeof(number));
	return needed ? kh_reply_usage(_("say which letter: --ref NUMBER")) : NULL;
}

json_t *kh_alter_letter(struct kh_alter *alter, const char *kind)
{
	json_t *reply;

	if (kh_change_start(alter->request, kind, alter->letter, &alter->change, &alter->error) < 0)
		return kh_reply_error(KH_EXIT_FAILED, &alter->error);
	alter->rows = json_array();
	if (alter_letter(alter, alter->letter) < 0) {
		kh_ledger_rollback(alter->request->core->ledger);
		reply = kh_reply_error(KH_EXIT_FAILED, &alter->error);
	} else {
		reply = end_change(alter);
	}
	kh_spared_clear(&alter->spared);
	json_decref(alter->rows);
	return reply;
}
