// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * why VALUE | MACHINE: is it blocked, by which entry of which letter, until when, what cuts it out; or what a machine of ours called.
 */
#include "daemon/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "reader/reader.h"

#define SIGHTINGS_MAX 50
#define ORDERS_MAX 50

struct gather {
	const struct kh_core *core;
	json_t *array;
	const struct kh_range *range; /* allows that overlap it */
	struct kh_letter_ids letters;
};

static int on_order(const struct kh_order_row *row, void *context)
{
	struct gather *gather = context;

	json_array_append_new(gather->array, kh_json_order(gather->core, row));
	kh_letters_note(&gather->letters, row->letter);
	return json_array_size(gather->array) >= ORDERS_MAX;
}

static int on_allow(const struct kh_allow_row *row, void *context)
{
	struct gather *gather = context;

	if (kh_range_overlaps(&row->range, gather->range))
		json_array_append_new(gather->array, kh_json_allow(gather->core, row));
	return 0;
}

static int on_sighting(const struct kh_sighting_row *row, void *context)
{
	struct gather *gather = context;

	json_array_append_new(gather->array, kh_json_sighting(gather->core, row));
	return 0;
}

static json_t *sightings_of(struct kh_core *core, const char *host)
{
	struct gather gather = { .core = core, .array = json_array() };

	kh_ledger_sightings(core->ledger, host, NULL, SIGHTINGS_MAX, on_sighting, &gather);
	return gather.array;
}

/* Who called: by each order that stands on the value, since a machine is sighted under the order that judged it. */
static json_t *sightings_under(struct kh_core *core, json_t *orders, const char *value)
{
	struct gather gather = { .core = core, .array = json_array() };
	json_t *seen = json_object(), *row;
	size_t index;

	json_array_foreach(orders, index, row) {
		const char *order = json_string_value(json_object_get(row, "value"));

		if (!order || json_object_get(seen, order))
			continue;
		json_object_set_new(seen, order, json_true());
		kh_ledger_sightings(core->ledger, NULL, order, SIGHTINGS_MAX, on_sighting, &gather);
	}
	if (!json_array_size(orders))
		kh_ledger_sightings(core->ledger, NULL, value, SIGHTINGS_MAX, on_sighting, &gather);
	json_decref(seen);
	return gather.array;
}

/* Puts the orders, "by", and the letters that they are of into the reply. */
static void add_orders(struct kh_core *core, const struct kh_order_filter *filter, json_t *reply)
{
	struct gather gather = { .core = core, .array = json_array() };

	kh_ledger_orders(core->ledger, filter, on_order, &gather);
	json_object_set_new(reply, "by", gather.array);
	json_object_set_new(reply, "letters", kh_letters_json(core, &gather.letters));
}

/* The verdict of the generation in force on the first address of the value, now. */
static const char *verdict_of(const struct kh_core *core, const struct kh_indicator *indicator)
{
	struct kh_range address = { .first = indicator->range.first,
				    .last = indicator->range.first,
				    .family = indicator->range.family };
	uint32_t references[3] = {}, slot;
	const char *verdict = "passed";
	enum kh_action action;

	if (!core->image)
		return verdict;
	references[0] = kh_image_lookup(core->image, &address);
	if (indicator->type == KH_TYPE_ADDRESS_PORT) {
		references[1] = kh_image_lookup_port(core->image, &address, indicator->port,
						     indicator->protocol == 17 ? 17 : 6);
		references[2] =
			indicator->protocol ? 0 : kh_image_lookup_port(core->image, &address, indicator->port, 17);
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(references); i++) {
		if (!references[i] || !kh_image_resolve(core->image, references[i], (uint32_t)kh_now(), &slot, &action))
			continue;
		if (action == KH_ACTION_DROP)
			return "dropped";
		verdict = "monitored";
	}
	return verdict;
}

static json_t *machine_json(const struct kh_core *core, const char *text, const struct kh_range *address,
			    const char *interface)
{
	json_t *machine = json_pack("{s:s, s:o, s:n}", "address", text, "interface", kh_json_text(interface), "mac");

	for (size_t i = 0; i < core->links->neighbours_count; i++) {
		const struct kh_link_neighbour *neighbour = &core->links->neighbours[i];
		char mac[24];

		if (!kh_range_contains(&neighbour->address, address))
			continue;
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", neighbour->mac[0], neighbour->mac[1],
			 neighbour->mac[2], neighbour->mac[3], neighbour->mac[4], neighbour->mac[5]);
		json_object_set_new(machine, "mac", json_string(mac));
	}
	return machine;
}

static bool is_mac(const char *text)
{
	if (strlen(text) != 17)
		return false;
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' : !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	return true;
}

static json_t *answer_machine(struct kh_core *core, const char *text, json_t *machine)
{
	json_t *reply = kh_reply(KH_EXIT_DONE);

	json_object_set_new(reply, "value", kh_json_text(text));
	json_object_set_new(reply, "verdict", json_string("machine"));
	json_object_set_new(reply, "now", kh_json_time(core, kh_now()));
	json_object_set_new(reply, "machine", machine);
	json_object_set_new(reply, "sightings", sightings_of(core, text));
	return reply;
}

static json_t *answer_mac(struct kh_core *core, const char *text)
{
	char lower[18];

	for (size_t i = 0; i < sizeof(lower); i++)
		lower[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + ('a' - 'A') : text[i]);
	return answer_machine(core, lower, json_pack("{s:n, s:n, s:s}", "address", "interface", "mac", lower));
}

static void add_address_facts(struct kh_core *core, const struct kh_indicator *indicator, json_t *reply)
{
	struct gather allows = { .core = core, .array = json_array(), .range = &indicator->range };
	enum kh_decision_reason reason;
	char rule[160];

	kh_ledger_allows(core->ledger, true, on_allow, &allows);
	json_object_set_new(reply, "allow", allows.array);
	if (kh_guard_find(core->guard, &indicator->range, &reason, rule, sizeof(rule)))
		json_object_set_new(reply, "never_block",
				    json_pack("{s:s, s:s, s:o}", "reason", kh_decision_reason_name(reason), "sentence",
					      gettext(kh_decision_reason_sentence(reason)), "rule",
					      kh_json_text(rule)));
}

json_t *kh_op_why(const struct kh_request *request)
{
	const char *text = kh_request_text(request->body, "value"), *interface;
	struct kh_core *core = request->core;
	struct kh_order_filter filter = { .state = -1 };
	struct kh_indicator indicator = {};
	char *value KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = {};
	json_t *reply;
	bool address;

	if (!text || !text[0])
		return kh_reply_usage(_("say which value or machine: khien why VALUE"));
	kh_collect(core, &error);
	if (is_mac(text))
		return answer_mac(core, text);
	if (kh_reader_value(text, &indicator, &error) == -EINVAL)
		return kh_reply_error(KH_EXIT_USAGE, &error);
	value = kh_indicator_format(&indicator);
	address = kh_indicator_enforceable(&indicator);
	if (value && indicator.type == KH_TYPE_ADDRESS && kh_is_machine(core, &indicator.range, &interface))
		return answer_machine(core, value, machine_json(core, value, &indicator.range, interface));
	reply = kh_reply(KH_EXIT_DONE);
	json_object_set_new(reply, "value", kh_json_text(value));
	json_object_set_new(reply, "verdict", json_string(address ? verdict_of(core, &indicator) : "passed"));
	json_object_set_new(reply, "now", kh_json_time(core, kh_now()));
	if (address)
		filter.overlaps = &indicator.range;
	else
		filter.value = value;
	add_orders(core, &filter, reply);
	json_object_set_new(reply, "sightings", sightings_under(core, json_object_get(reply, "by"), value));
	json_object_set_new(reply, "allow", json_array());
	if (address)
		add_address_facts(core, &indicator, reply);
	kh_indicator_clear(&indicator);
	return reply;
}
