// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which values of a plan are dropped already because another letter orders them: two authorities often pass on the same list.
 */
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "daemon/flows.h"
#include "daemon/impact.h"
#include "daemon/plan.h"

#define LISTED 10

struct known {
	const struct kh_core *core;
	int64_t letter; /* the plan's: what it orders itself is not news */
	const struct kh_bulk *bulk; /* whose values are looked for */
	uint64_t *marks; /* a bit for each of its values: found */
	size_t count;
	json_t *list;
};

static bool is_others(const struct known *known, const struct kh_order_row *row)
{
	return row->letter != known->letter && row->state == KH_ORDER_ACTIVE && row->action == KH_ACTION_DROP;
}

static void found(struct known *known, const char *value, const char *number)
{
	known->count++;
	if (json_array_size(known->list) < LISTED)
		json_array_append_new(known->list, json_pack("{s:o, s:o}", "value", kh_json_text(value), "ref",
							     kh_json_text(number)));
}

/* ---- Single values: each is asked about, when the list in force holds its first address at all ----------- */

static int on_order(const struct kh_order_row *row, void *context)
{
	struct known *known = context;

	if (!is_others(known, row))
		return 0;
	found(known, row->value, row->number);
	return 1;
}

static bool may_be_dropped(const struct kh_core *core, const struct kh_indicator *indicator)
{
	struct kh_range first = { indicator->range.first, indicator->range.first, indicator->range.family };
	uint16_t port = indicator->type == KH_TYPE_ADDRESS_PORT ? indicator->port : 0;
	uint32_t now = (uint32_t)kh_now();

	return kh_party_is_dropped(core->image, now, &first, port, indicator->protocol ? indicator->protocol : 6) ||
	       (port && !indicator->protocol && kh_party_is_dropped(core->image, now, &first, port, 17));
}

static void look_for_findings(struct known *known, const struct kh_plan_letter *letter)
{
	for (size_t i = 0; i < letter->count; i++) {
		struct kh_order_filter filter = { .state = KH_ORDER_ACTIVE };
		char *value KH_CLEANUP(kh_freep) = NULL;

		if (letter->judgements[i].decision != KH_ENFORCE ||
		    !may_be_dropped(known->core, &letter->findings[i].indicator))
			continue;
		filter.value = value = kh_indicator_format(&letter->findings[i].indicator);
		if (value)
			kh_ledger_orders(known->core->ledger, &filter, on_order, known);
	}
}

/* ---- The values of a long list: looked up in it, order by order and list by list -------------------------- */

static bool marked(const uint64_t *marks, size_t at)
{
	return marks && marks[at / 64] >> at % 64 & 1;
}

static void mark(struct known *known, const struct kh_range *range, const char *number)
{
	int64_t at = kh_bulk_find(known->bulk, range);
	char text[KH_RANGE_TEXT];

	if (at < 0 || marked(known->marks, (size_t)at))
		return;
	known->marks[at / 64] |= UINT64_C(1) << at % 64;
	found(known, kh_range_format(range, text), number);
}

static int on_row(const struct kh_order_row *row, void *context)
{
	struct known *known = context;

	if (is_others(known, row) && row->indicator.type != KH_TYPE_ADDRESS_PORT &&
	    kh_indicator_enforceable(&row->indicator))
		mark(known, &row->indicator.range, row->number);
	return 0;
}

static int on_list(const struct kh_bulk_row *row, void *context)
{
	struct known *known = context;
	uint32_t line;

	for (size_t i = 0; is_others(known, &row->terms) && i < kh_bulk_count(row->values); i++) {
		struct kh_range range = kh_bulk_range(row->values, i, &line);

		if (!marked(row->left_out, i))
			mark(known, &range, row->terms.number);
	}
	return 0;
}

static void look_for_bulk(struct known *known, const struct kh_bulk *bulk)
{
	struct kh_order_filter filter = { .state = KH_ORDER_ACTIVE, .rows_only = true };
	uint64_t *marks KH_CLEANUP(kh_freep) = calloc(kh_bulk_count(bulk) / 64 + 1, sizeof(*marks));

	if (!marks)
		return;
	known->bulk = bulk;
	known->marks = marks;
	kh_ledger_bulks(known->core->ledger, 0, on_list, known);
	kh_ledger_orders(known->core->ledger, &filter, on_row, known);
}

void kh_known_answer(const struct kh_core *core, const struct kh_plan *plan, json_t *impact)
{
	struct known known = { .core = core, .list = json_array() };

	for (size_t i = 0; i < plan->letters_count; i++) {
		known.letter = plan->letters[i].id;
		look_for_findings(&known, &plan->letters[i]);
	}
	for (size_t i = 0; i < plan->files_count; i++) {
		const struct kh_bulk *bulk = &plan->files[i].document->bulk;

		known.letter = plan->letters[plan->files[i].letter].id;
		if (kh_bulk_count(bulk))
			look_for_bulk(&known, bulk);
	}
	json_object_set_new(impact, "known", json_integer((json_int_t)known.count));
	json_object_set_new(impact, "known_by", known.list);
}
