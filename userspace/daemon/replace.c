// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A copy of a source replaces the one before: what the letter orders and the new copy does not hold is withdrawn, before the copy is
 * written. A long list that lost a few values gets a row for each of them; one that lost many is withdrawn whole and written anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/alter.h"
#include "daemon/plan.h"
#include "daemon/source.h"

#define MANY 8 /* of a list: more than one in so many */

/* ---- What the new copy holds ---------------------------------------------------------------------------- */

struct content {
	const struct kh_plan *plan;
	const struct kh_indicator **sorted; /* of the findings */
	size_t count;
};

static void content_clear(struct content *content)
{
	free(content->sorted);
}

static int compare(const void *a, const void *b)
{
	return kh_indicator_compare(*(const struct kh_indicator *const *)a, *(const struct kh_indicator *const *)b);
}

static int content_of(const struct kh_plan *plan, struct content *ret_content)
{
	const struct kh_plan_letter *letter = &plan->letters[0];

	*ret_content = (struct content){ .plan = plan, .count = letter->count };
	ret_content->sorted = calloc(letter->count + 1, sizeof(const struct kh_indicator *));
	if (!ret_content->sorted)
		return -ENOMEM;
	for (size_t i = 0; i < letter->count; i++)
		ret_content->sorted[i] = &letter->findings[i].indicator;
	if (letter->count)
		qsort(ret_content->sorted, letter->count, sizeof(const struct kh_indicator *), compare);
	return 0;
}

static bool holds(const struct content *content, const struct kh_indicator *indicator)
{
	if (content->count &&
	    bsearch(&indicator, content->sorted, content->count, sizeof(const struct kh_indicator *), compare))
		return true;
	if (indicator->type != KH_TYPE_ADDRESS && indicator->type != KH_TYPE_PREFIX && indicator->type != KH_TYPE_RANGE)
		return false;
	for (size_t i = 0; i < content->plan->files_count; i++)
		if (kh_bulk_holds(&content->plan->files[i].document->bulk, &indicator->range))
			return true;
	return false;
}

/* ---- Rows ------------------------------------------------------------------------------------------------- */

struct gone {
	struct kh_alter alter; /* first: edit_gone() gets it */
	const struct content *content;
};

static int edit_gone(struct kh_alter *alter, struct kh_order_row *row)
{
	const struct gone *gone = (const struct gone *)(const void *)alter;

	if (row->state == KH_ORDER_WITHDRAWN || row->state == KH_ORDER_REJECTED ||
	    holds(gone->content, &row->indicator))
		return 0;
	row->state = KH_ORDER_WITHDRAWN;
	row->since = kh_now();
	return 1;
}

static int64_t withdraw_rows(const struct kh_request *request, const struct content *content, int64_t letter,
			     struct kh_error *error)
{
	struct gone gone = { .alter = { .request = request, .edit = edit_gone }, .content = content };
	int code = kh_alter_rows(&gone.alter, letter);

	if (code < 0 && error)
		*error = gone.alter.error;
	return code < 0 ? code : gone.alter.touched;
}

/* ---- Long lists --------------------------------------------------------------------------------------------- */

struct list {
	int64_t id, count;
	struct kh_order_row terms; /* of which texts are not used */
	struct kh_range *gone;
	size_t gone_count, gone_capacity;
};

struct lists {
	const struct content *content;
	struct list *all;
	size_t count, capacity;
};

static void lists_clear(struct lists *lists)
{
	for (size_t i = 0; i < lists->count; i++)
		free(lists->all[i].gone);
	free(lists->all);
}

static int note_list(const struct kh_bulk_row *row, void *context)
{
	struct lists *lists = context;
	struct list *list;
	uint32_t line;
	int code;

	if (row->terms.state != KH_ORDER_ACTIVE && row->terms.state != KH_ORDER_EXPIRED)
		return 0;
	code = kh_grow(&lists->all, &lists->capacity, lists->count + 1, sizeof(*lists->all));
	if (code < 0)
		return code;
	list = &lists->all[lists->count++];
	*list = (struct list){ .id = row->id, .count = row->count, .terms = row->terms };
	for (size_t i = 0; i < kh_bulk_count(row->values); i++) {
		struct kh_range range = kh_bulk_range(row->values, i, &line);
		struct kh_indicator indicator = kh_indicator_of_range(&range);

		if ((row->left_out && (row->left_out[i / 64] >> i % 64 & 1)) || holds(lists->content, &indicator))
			continue;
		code = kh_grow(&list->gone, &list->gone_capacity, list->gone_count + 1, sizeof(*list->gone));
		if (code < 0)
			return code;
		list->gone[list->gone_count++] = range;
	}
	return 0;
}

static int64_t withdraw_values(struct kh_ledger *ledger, const struct list *list, int64_t letter,
			       struct kh_error *error)
{
	int64_t touched = 0;

	for (size_t i = 0; i < list->gone_count; i++) {
		struct kh_order_row row = { .letter = letter,
					    .indicator = kh_indicator_of_range(&list->gone[i]),
					    .state = KH_ORDER_WITHDRAWN,
					    .action = list->terms.action,
					    .reason = KH_WHY_TABLE,
					    .rule = "",
					    .note = "",
					    .raw = "",
					    .file = "",
					    .section = KH_SECTION_LIST,
					    .since = kh_now() };
		int code = kh_ledger_order_put(ledger, &row, error);

		if (code < 0)
			return code;
		touched += code;
	}
	return touched;
}

/* What stays gets the terms of the new copy, so that it need not be written again. */
static int64_t alter_list(struct kh_ledger *ledger, const struct list *list, const struct kh_plan *plan,
			  struct kh_error *error)
{
	bool whole = (int64_t)list->gone_count > list->count / MANY;
	struct kh_order_row terms = list->terms;
	int64_t touched, more;

	terms.note = "";
	if (whole) {
		terms.state = KH_ORDER_WITHDRAWN;
		terms.since = kh_now();
	} else {
		terms.state = KH_ORDER_ACTIVE;
		terms.action = plan->action;
		terms.expires = plan->expires;
		if (list->terms.state != terms.state || list->terms.action != terms.action)
			terms.since = kh_now();
	}
	touched = kh_ledger_bulk_change(ledger, list->id, &terms, error);
	if (touched < 0 || whole)
		return touched;
	more = withdraw_values(ledger, list, plan->letters[0].id, error);
	return more < 0 ? more : touched + more;
}

static int64_t replace_lists(const struct kh_request *request, const struct content *content, int64_t letter,
			     struct kh_error *error)
{
	struct lists lists KH_CLEANUP(lists_clear) = { .content = content };
	struct kh_ledger *ledger = request->core->ledger;
	int64_t touched = 0;
	int code = kh_ledger_bulks(ledger, letter, note_list, &lists);

	if (code < 0)
		return kh_fail(error, code, _("the lists of the source could not be read"));
	for (size_t i = 0; i < lists.count; i++) {
		int64_t more = alter_list(ledger, &lists.all[i], content->plan, error);

		if (more < 0)
			return more;
		touched += more;
	}
	return touched;
}

int64_t kh_plan_replace(const struct kh_request *request, const struct kh_plan *plan, struct kh_error *error)
{
	struct content content KH_CLEANUP(content_clear) = {};
	int64_t letter = plan->letters[0].id, rows, lists;

	if (content_of(plan, &content) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	rows = withdraw_rows(request, &content, letter, error);
	if (rows < 0)
		return rows;
	lists = replace_lists(request, &content, letter, error);
	return lists < 0 ? lists : rows + lists;
}
