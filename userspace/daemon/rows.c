// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The JSON of rows, with the names of DESIGN ("What other programs read"). One builder a kind, used by every answer.
 */
#include "daemon/private.h"

#include <netinet/in.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "ledger/unconfirmed.h"

json_t *kh_json_time(const struct kh_core *core, int64_t seconds)
{
	char text[KH_TIME_TEXT];

	return seconds ? json_string(kh_time_format(seconds, core->config->timezone, text)) : json_null();
}

json_t *kh_json_text(const char *text)
{
	char *copy KH_CLEANUP(kh_freep) = NULL;

	if (!text || !text[0])
		return json_null();
	copy = strdup(text);
	if (!copy)
		return json_null();
	kh_text_printable(copy);
	return json_string(copy);
}

const char *kh_order_state_text(const struct kh_order_row *row)
{
	if (row->state != KH_ORDER_ACTIVE)
		return kh_order_state_name(row->state);
	return row->action == KH_ACTION_MONITOR ? "monitored" : "enforced";
}

static json_t *protocol_of(const struct kh_indicator *indicator)
{
	if (indicator->protocol == IPPROTO_TCP)
		return json_string("tcp");
	return indicator->protocol == IPPROTO_UDP ? json_string("udp") : json_null();
}

json_t *kh_json_order(const struct kh_core *core, const struct kh_order_row *row)
{
	bool port = row->indicator.type == KH_TYPE_ADDRESS_PORT;
	json_t *refs = row->number[0] ? json_pack("[o]", kh_json_text(row->number)) : json_array();
	json_t *object =
		json_pack("{s:I, s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:s}", "id",
			  (json_int_t)row->indicator_id, "type", kh_indicator_type_name(row->indicator.type), "value",
			  kh_json_text(row->value), "port", port ? json_integer(row->indicator.port) : json_null(),
			  "protocol", port ? protocol_of(&row->indicator) : json_null(), "decision",
			  kh_decision_name(row->decision), "reason", kh_decision_reason_name(row->reason), "action",
			  row->action == KH_ACTION_MONITOR ? "monitor" : "drop", "refs", refs, "since",
			  kh_json_time(core, row->since), "expires", kh_json_time(core, row->expires), "state",
			  kh_order_state_text(row));
	int64_t until = row->state == KH_ORDER_ACTIVE ? kh_ledger_unconfirmed_until(core->ledger, row->change) : 0;

	json_object_set_new(
		object, "ends",
		kh_json_time(core, until && (!row->expires || until < row->expires) ? until : row->expires));
	json_object_set_new(object, "unconfirmed", until ? json_integer(row->change) : json_null());
	json_object_set_new(object, "packets", json_integer(row->packets));
	json_object_set_new(object, "bytes", json_integer(row->bytes));
	json_object_set_new(object, "first_seen", kh_json_time(core, row->first_seen));
	json_object_set_new(object, "last_seen", kh_json_time(core, row->last_seen));
	json_object_set_new(object, "sentence", json_string(gettext(kh_decision_reason_sentence(row->reason))));
	json_object_set_new(object, "rule", kh_json_text(row->rule));
	json_object_set_new(object, "note", kh_json_text(row->note));
	json_object_set_new(object, "raw", kh_json_text(row->raw));
	json_object_set_new(object, "file", kh_json_text(row->file));
	json_object_set_new(object, "page", row->page ? json_integer(row->page) : json_null());
	json_object_set_new(object, "line", row->line ? json_integer(row->line) : json_null());
	json_object_set_new(object, "section", json_string(kh_section_name(row->section)));
	json_object_set_new(object, "change", json_integer(row->change));
	return object;
}

json_t *kh_json_letter(const struct kh_core *core, const struct kh_letter_row *row)
{
	json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:o}", "number", kh_json_text(row->number), "date",
				   kh_json_text(row->date), "issuer", kh_json_text(row->issuer), "subject",
				   kh_json_text(row->subject), "received", kh_json_time(core, row->received));

	json_object_set_new(object, "counts",
			    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "enforced", (json_int_t)row->enforced,
				      "monitored", (json_int_t)row->monitored, "review", (json_int_t)row->review,
				      "refused", (json_int_t)row->refused, "unenforceable",
				      (json_int_t)row->unenforceable, "ended", (json_int_t)row->ended));
	json_object_set_new(object, "packets", json_integer(row->packets));
	json_object_set_new(object, "bytes", json_integer(row->bytes));
	json_object_set_new(object, "first_seen", kh_json_time(core, row->first_seen));
	json_object_set_new(object, "last_seen", kh_json_time(core, row->last_seen));
	return object;
}

json_t *kh_json_allow(const struct kh_core *core, const struct kh_allow_row *row)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "value", kh_json_text(row->value), "note",
			 kh_json_text(row->note), "actor", kh_json_text(row->actor), "since",
			 kh_json_time(core, row->since), "expires", kh_json_time(core, row->expires), "active",
			 row->active);
}

json_t *kh_json_sighting(const struct kh_core *core, const struct kh_sighting_row *row)
{
	json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "value", kh_json_text(row->value), "refs",
				   kh_json_text(row->numbers), "host", kh_json_text(row->host), "mac",
				   kh_json_text(row->mac), "interface", kh_json_text(row->interface), "spoofed",
				   row->flags & KH_SIGHTING_SPOOFED, "gateway", row->flags & KH_SIGHTING_GATEWAY);

	json_object_set_new(object, "packets", json_integer(row->packets));
	json_object_set_new(object, "bytes", json_integer(row->bytes));
	json_object_set_new(object, "first_seen", kh_json_time(core, row->first_seen));
	json_object_set_new(object, "last_seen", kh_json_time(core, row->last_seen));
	return object;
}
