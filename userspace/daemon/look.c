// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers that only look: list, show, review, stats, history. Counts are folded first, so an answer is exact now.
 */
#include "daemon/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/plan.h"

struct rows {
	const struct kh_core *core;
	json_t *array;
	int64_t last;
	size_t limit;
	struct kh_letter_ids letters;
};

static int on_order(const struct kh_order_row *row, void *context)
{
	struct rows *rows = context;

	json_array_append_new(rows->array, kh_json_order(rows->core, row));
	rows->last = row->id;
	kh_letters_note(&rows->letters, row->letter);
	return 0;
}

static int on_allow(const struct kh_allow_row *row, void *context)
{
	struct rows *rows = context;

	json_array_append_new(rows->array, kh_json_allow(rows->core, row));
	return 0;
}

static void collect_first(struct kh_core *core)
{
	struct kh_error error = {};

	kh_collect(core, &error); /* on failure the counts are as of the last time; health says why */
}

static json_t *list_orders(const struct kh_request *request, struct kh_order_filter *filter)
{
	struct rows rows = { .core = request->core, .array = json_array() },
		    allows = { .core = request->core, .array = json_array() };
	int64_t limit = kh_request_number(request->body, "limit", KH_ROWS_MAX);
	json_t *reply;
	int code;

	filter->after = kh_request_number(request->body, "after", 0);
	filter->limit = limit > 0 && limit <= KH_ROWS_MAX ? limit : KH_ROWS_MAX;
	code = kh_ledger_orders(request->core->ledger, filter, on_order, &rows);
	if (code >= 0 && !filter->after)
		code = kh_ledger_allows(request->core->ledger, true, on_allow, &allows);
	if (code < 0) {
		json_decref(rows.array);
		json_decref(allows.array);
		return kh_reply_ledger(code);
	}
	reply = kh_reply(KH_EXIT_DONE);
	json_object_set_new(reply, "next",
			    json_integer((int64_t)json_array_size(rows.array) == filter->limit ? rows.last : 0));
	json_object_set_new(reply, "indicators", rows.array);
	json_object_set_new(reply, "letters", kh_letters_json(request->core, &rows.letters));
	json_object_set_new(reply, "allows", allows.array);
	return reply;
}

/* The letter named by "ref" goes into the filter. NULL: go on. */
static json_t *filter_letter(const struct kh_request *request, struct kh_order_filter *filter)
{
	const char *ref = kh_request_text(request->body, "ref");
	char number[256];

	return ref && ref[0] ? kh_require_letter(request->core, ref, &filter->letter, number, sizeof(number)) : NULL;
}

json_t *kh_op_list(const struct kh_request *request)
{
	struct kh_order_filter filter = { .state = KH_ORDER_ACTIVE };
	int64_t expiring = kh_request_number(request->body, "expiring", 0);
	json_t *reply = filter_letter(request, &filter);

	if (reply)
		return reply;
	if (kh_request_flag(request->body, "unenforceable")) /* names and links: for the resolver (khien export) */
		filter.state = KH_ORDER_UNENFORCEABLE;
	else if (expiring > 0)
		filter.expires_before = kh_now() + expiring;
	collect_first(request->core);
	return list_orders(request, &filter);
}

json_t *kh_op_review(const struct kh_request *request)
{
	struct kh_order_filter filter = { .state = KH_ORDER_REVIEW };
	json_t *reply = filter_letter(request, &filter);

	return reply ? reply : list_orders(request, &filter);
}

static int on_letter(const struct kh_letter_row *row, void *context)
{
	struct rows *rows = context;

	json_array_append_new(rows->array, kh_json_letter(rows->core, row));
	return json_array_size(rows->array) >= KH_ROWS_MAX;
}

/* "CVE-2022-21990 88 high", as plan.c wrote it, to its row: the first that was said of it counts. */
static void put_grade(json_t *rows, const char *fact)
{
	char cve[32], level[16];
	unsigned score;
	json_t *row;
	size_t index;

	if (sscanf(fact, "%31s %u %15s", cve, &score, level) != 3)
		return;
	json_array_foreach(rows, index, row) {
		if (strcmp(kh_request_text(row, "cve"), cve) != 0 || kh_request_text(row, "severity") ||
		    json_is_real(json_object_get(row, "cvss")))
			continue;
		json_array_set_new(rows, index, kh_json_grade(cve, score, level[0] == '-' ? NULL : level));
	}
}

static int on_fact(const char *kind, const char *value, void *context)
{
	static const char *const members[][2] = { { "cve", "cves" }, { "hash", "hashes" }, { "relay", "relays" } };
	json_t *reply = context;

	for (size_t i = 0; i < KH_ARRAY_SIZE(members); i++)
		if (!strcmp(kind, members[i][0]))
			json_array_append_new(json_object_get(reply, members[i][1]), kh_json_text(value));
	if (!strcmp(kind, "cve"))
		json_array_append_new(json_object_get(reply, "vulnerabilities"), kh_json_grade(value, 0, NULL));
	else if (!strcmp(kind, "cve-grade"))
		put_grade(json_object_get(reply, "vulnerabilities"), value);
	return 0;
}

json_t *kh_op_show(const struct kh_request *request)
{
	const char *ref = kh_request_text(request->body, "ref");
	struct kh_order_filter filter = { .state = -1 };
	struct rows letters = { .core = request->core };
	json_t *reply;

	if (!ref || !ref[0])
		return kh_reply_usage(_("say which letter: khien show NUMBER"));
	reply = filter_letter(request, &filter);
	if (reply)
		return reply;
	collect_first(request->core);
	reply = list_orders(request, &filter);
	json_object_del(reply, "allows");
	json_object_del(reply, "letters");
	letters.array = json_array();
	kh_ledger_letters(request->core->ledger, ref, on_letter, &letters);
	json_object_set(reply, "letter", json_array_get(letters.array, 0));
	json_decref(letters.array);
	json_object_set_new(reply, "cves", json_array());
	json_object_set_new(reply, "hashes", json_array());
	json_object_set_new(reply, "vulnerabilities", json_array());
	json_object_set_new(reply, "relays", json_array());
	json_object_set_new(reply, "chain", kh_json_chain(request->core, filter.letter, NULL));
	kh_ledger_letter_facts(request->core->ledger, filter.letter, on_fact, reply);
	return reply;
}

/* ---- stats -------------------------------------------------------------------------------------- */

struct sum {
	int64_t packets_seen, packets_dropped, bytes_dropped, packets_monitored;
};

static int on_reason(const struct kh_total *total, void *context)
{
	struct sum *sum = context;

	if (strcmp(total->key, "already-judged")) /* counted where it came in */
		sum->packets_seen += total->packets;
	if (!strcmp(total->key, "dropped")) {
		sum->packets_dropped = total->packets;
		sum->bytes_dropped = total->bytes;
	} else if (!strcmp(total->key, "monitored")) {
		sum->packets_monitored = total->packets;
	}
	return 0;
}

static int on_total(const struct kh_total *total, void *context)
{
	struct rows *rows = context;
	json_t *row = json_pack("{s:o, s:o, s:I, s:I, s:o, s:o}", "key", kh_json_text(total->key), "extra",
				kh_json_text(total->extra), "packets", (json_int_t)total->packets, "bytes",
				(json_int_t)total->bytes, "first_seen", kh_json_time(rows->core, total->first_seen),
				"last_seen", kh_json_time(rows->core, total->last_seen));

	json_array_append_new(rows->array, row);
	return 0;
}

json_t *kh_op_stats(const struct kh_request *request)
{
	const char *by = kh_request_text(request->body, "by");
	int64_t since = kh_request_number(request->body, "since", 0),
		limit = kh_request_number(request->body, "limit", 100);
	struct rows rows = { .core = request->core };
	struct sum sum = {};
	json_t *reply;
	int code;

	collect_first(request->core);
	by = by ? by : "indicator";
	since = since > 0 ? kh_now() - since : 0;
	code = kh_ledger_totals(request->core->ledger, "reason", 0, 0, on_reason, &sum);
	rows.array = json_array();
	if (code >= 0)
		code = kh_ledger_totals(request->core->ledger, by, since,
					limit > 0 && limit <= KH_ROWS_MAX ? limit : KH_ROWS_MAX, on_total, &rows);
	if (code < 0) {
		json_decref(rows.array);
		return code == -EINVAL
			       ? kh_reply_usage(
					 _("stats --by knows indicator, advisory, interface, reason and host, not \"%s\""),
					 by)
			       : kh_reply_ledger(code);
	}
	reply = kh_reply(KH_EXIT_DONE);
	json_object_set_new(reply, "by", json_string(by));
	json_object_set_new(reply, "since", kh_json_time(request->core, since));
	json_object_set_new(reply, "total",
			    json_pack("{s:I, s:I, s:I, s:I}", "packets_seen", (json_int_t)sum.packets_seen,
				      "packets_dropped", (json_int_t)sum.packets_dropped, "bytes_dropped",
				      (json_int_t)sum.bytes_dropped, "packets_monitored",
				      (json_int_t)sum.packets_monitored));
	json_object_set_new(reply, "rows", rows.array);
	return reply;
}

/* ---- history ------------------------------------------------------------------------------------ */

static int on_change(const struct kh_change *change, void *context)
{
	struct rows *rows = context;
	json_t *row = json_pack("{s:I, s:o, s:I, s:o, s:o, s:o, s:I, s:I}", "id", (json_int_t)change->id, "time",
				kh_json_time(rows->core, change->time), "uid", (json_int_t)change->uid, "actor",
				kh_json_text(change->actor), "kind", kh_json_text(change->kind), "note",
				kh_json_text(change->note), "orders", (json_int_t)change->orders, "allows",
				(json_int_t)change->allows);

	json_object_set_new(row, "undoes", change->undoes ? json_integer(change->undoes) : json_null());
	json_object_set_new(row, "undone_by", change->undone_by ? json_integer(change->undone_by) : json_null());
	json_object_set_new(row, "confirmation",
			    change->confirm_until ? json_pack("{s:s, s:o, s:I}", "state",
							      !change->confirm_ended ? "waiting"
							      : change->confirmed    ? "confirmed"
										     : "taken-back",
							      "until", kh_json_time(rows->core, change->confirm_until),
							      "by", (json_int_t)change->confirm_ended)
						  : json_null());
	json_array_append_new(rows->array, row);
	return json_array_size(rows->array) >= rows->limit;
}

json_t *kh_op_history(const struct kh_request *request)
{
	int64_t limit = kh_request_number(request->body, "limit", 50);
	struct rows rows = { .core = request->core,
			     .array = json_array(),
			     .limit = limit > 0 && limit <= KH_ROWS_MAX ? (size_t)limit : KH_ROWS_MAX };
	int code = kh_ledger_changes(request->core->ledger, kh_request_number(request->body, "before", 0), on_change,
				     &rows);
	json_t *reply;

	if (code < 0) {
		json_decref(rows.array);
		return kh_reply_ledger(code);
	}
	reply = kh_reply(KH_EXIT_DONE);
	json_object_set_new(reply, "changes", rows.array);
	return reply;
}
