// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Slots of bulk lists: a run of numbers for each list in force, kept while it is in force and for some time after, as the slots of single
 * indicators are (force.c).
 */
#include "ledger/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"

int kh_slot_runs_load(struct kh_ledger *ledger, int64_t now, int64_t grace, struct kh_slot_runs *runs,
		      struct kh_error *error)
{
	KH_STATEMENT(statement);
	int64_t end = 1;
	int code =
		kh_sql_prepare(ledger, "SELECT bulk, first, count, left_at, left_fold FROM bulk_slots ORDER BY first",
			       &statement, error);

	while (code >= 0 && (code = kh_sql_step(ledger, statement, error)) == 1) {
		int64_t left_at = sqlite3_column_int64(statement, 3);
		struct kh_slot_run run = {
			.bulk = sqlite3_column_int64(statement, 0),
			.first = sqlite3_column_int64(statement, 1),
			.count = sqlite3_column_int64(statement, 2),
			.left = left_at != 0,
			.reusable =
				left_at && now - left_at >= grace && ledger->folds > sqlite3_column_int64(statement, 4),
			.stored = true,
		};

		if (run.first < end || run.count <= 0 || run.first + run.count - 1 > KH_SLOT_MAX)
			return kh_sql_fail(ledger, SQLITE_CORRUPT, error);
		end = run.first + run.count;
		if (kh_grow(&runs->list, &runs->capacity, runs->count + 1, sizeof(*runs->list)) < 0)
			return kh_fail(error, -ENOMEM, _("out of memory"));
		runs->list[runs->count++] = run;
	}
	return code;
}

size_t kh_slot_runs_skip(const struct kh_slot_runs *runs, size_t slot)
{
	for (size_t i = 0; i < runs->count; i++)
		if (slot >= (size_t)runs->list[i].first && slot < (size_t)(runs->list[i].first + runs->list[i].count))
			slot = (size_t)(runs->list[i].first + runs->list[i].count);
	return slot;
}

/* Runs that were left long ago are free again. */
static int drop_old(struct kh_ledger *ledger, struct kh_slot_runs *runs, struct kh_error *error)
{
	size_t kept = 0;

	for (size_t i = 0; i < runs->count; i++) {
		const struct kh_slot_run *run = &runs->list[i];
		int64_t rows;

		if (!run->reusable || run->seen) {
			runs->list[kept++] = *run;
			continue;
		}
		rows = kh_sql_change(ledger, "DELETE FROM bulk_slots WHERE bulk = ?1", (int64_t[4]){ run->bulk },
				     error);
		if (rows < 0)
			return (int)rows;
	}
	runs->count = kept;
	return 0;
}

/* The lowest place that holds `count` slots. */
static int64_t find_room(const struct kh_slot_runs *runs, int64_t count,
			 bool (*taken)(size_t slot, const void *context), size_t taken_count, const void *context)
{
	int64_t first = KH_BULK_SLOTS;

	for (size_t i = 0; i <= runs->count; i++) {
		int64_t end = i < runs->count ? runs->list[i].first : (int64_t)KH_SLOT_MAX + 1;

		for (int64_t slot = first; slot < (int64_t)taken_count && slot < end; slot++)
			if (taken((size_t)slot, context))
				first = slot + 1;
		if (end - first >= count)
			return first;
		if (i < runs->count && first < end + runs->list[i].count)
			first = end + runs->list[i].count;
	}
	return 0;
}

static int by_first(const void *a, const void *b)
{
	int64_t x = ((const struct kh_slot_run *)a)->first, y = ((const struct kh_slot_run *)b)->first;

	return (x > y) - (x < y);
}

static struct kh_slot_run *find_run(struct kh_slot_runs *runs, int64_t bulk)
{
	for (size_t i = 0; i < runs->count; i++)
		if (runs->list[i].bulk == bulk)
			return &runs->list[i];
	return NULL;
}

static int hand_out(const struct kh_held *held, const struct kh_slot_run *run, int64_t deadline,
		    int (*callback)(const struct kh_force *, void *), void *context)
{
	struct kh_force force = { .action = held->action, .deadline = deadline, .fresh = !run->stored };
	size_t count = kh_members_count(held->members);

	for (size_t i = 0; i < count; i++) {
		uint32_t line, indicator;
		int code;

		if (!kh_held_shows(held, i))
			continue;
		force.slot = (uint32_t)((size_t)run->first + i);
		force.indicator.range = kh_member_range(held->members, i, &line, &indicator);
		force.indicator.type =
			force.indicator.range.first == force.indicator.range.last ? KH_TYPE_ADDRESS : KH_TYPE_RANGE;
		code = callback(&force, context);
		if (code)
			return code;
	}
	return 0;
}

static int hand_over(const struct kh_held *held, const struct kh_slot_run *run, int64_t deadline,
		     int (*list)(const struct kh_force_list *, void *), void *context)
{
	struct kh_force_list force = {
		.values = &held->members->values,
		.left_out = held->hidden,
		.first_slot = (uint32_t)run->first,
		.action = held->action,
		.deadline = deadline,
		.fresh = !run->stored,
	};

	return list(&force, context);
}

static int write_run(struct kh_ledger *ledger, const struct kh_slot_run *run, int64_t now, struct kh_error *error)
{
	int64_t rows = 0;

	if (!run->stored)
		rows = kh_sql_change(ledger, "INSERT INTO bulk_slots (bulk, first, count) VALUES (?1, ?2, ?3)",
				     (int64_t[4]){ run->bulk, run->first, run->count }, error);
	else if (run->seen && run->left)
		rows = kh_sql_change(ledger, "UPDATE bulk_slots SET left_at = 0, left_fold = 0 WHERE bulk = ?1",
				     (int64_t[4]){ run->bulk }, error);
	else if (!run->seen && !run->left)
		rows = kh_sql_change(ledger, "UPDATE bulk_slots SET left_at = ?2, left_fold = ?3 WHERE bulk = ?1",
				     (int64_t[4]){ run->bulk, now, ledger->folds }, error);
	return rows < 0 ? (int)rows : 0;
}

static bool is_in_force(const struct kh_held *held)
{
	return !held->absent && held->state == KH_ORDER_ACTIVE && kh_held_shown(held) > 0;
}

static int give_runs(struct kh_ledger *ledger, struct kh_slot_runs *runs,
		     bool (*taken)(size_t slot, const void *context), size_t taken_count, const void *context,
		     struct kh_error *error)
{
	for (size_t i = 0; i < ledger->bulks.count; i++) {
		const struct kh_held *held = &ledger->bulks.list[i];
		struct kh_slot_run *run = find_run(runs, held->id), fresh;

		if (!is_in_force(held))
			continue;
		if (run) {
			run->seen = true;
			continue;
		}
		if (drop_old(ledger, runs, error) < 0)
			return -EIO;
		fresh = (struct kh_slot_run){ .bulk = held->id,
					      .count = (int64_t)kh_members_count(held->members),
					      .seen = true };
		fresh.first = find_room(runs, fresh.count, taken, taken_count, context);
		if (!fresh.first) {
			kh_fail(error, -ENOSPC, _("more than %u indicators in force"), KH_SLOT_MAX);
			kh_hint(error, _("withdraw letters that are no longer needed (khien unblock --ref)"));
			return -ENOSPC;
		}
		if (kh_grow(&runs->list, &runs->capacity, runs->count + 1, sizeof(*runs->list)) < 0)
			return kh_fail(error, -ENOMEM, _("out of memory"));
		runs->list[runs->count++] = fresh;
		qsort(runs->list, runs->count, sizeof(*runs->list), by_first);
	}
	return 0;
}

int kh_slot_runs_force(struct kh_ledger *ledger, struct kh_slot_runs *runs, int64_t now,
		       bool (*taken)(size_t slot, const void *context), size_t taken_count, const void *taken_context,
		       int (*callback)(const struct kh_force *, void *),
		       int (*list)(const struct kh_force_list *, void *), void *context, struct kh_error *error)
{
	bool moved = false;
	int code = kh_bulks_load(ledger, error);

	for (size_t i = 0; i < ledger->bulks.count && code >= 0; i++) { /* before any old run is dropped */
		struct kh_slot_run *run = find_run(runs, ledger->bulks.list[i].id);

		if (run)
			run->seen = is_in_force(&ledger->bulks.list[i]);
	}
	if (code >= 0)
		code = give_runs(ledger, runs, taken, taken_count, taken_context, error);
	for (size_t i = 0; i < ledger->bulks.count && code == 0; i++) {
		const struct kh_held *held = &ledger->bulks.list[i];
		int64_t deadline;

		if (!is_in_force(held))
			continue;
		code = kh_awaited_bulk(ledger, held, &deadline, error);
		if (code < 0)
			break;
		code = list ? hand_over(held, find_run(runs, held->id), deadline, list, context)
			    : hand_out(held, find_run(runs, held->id), deadline, callback, context);
	}
	for (size_t i = 0; i < runs->count && code == 0; i++) {
		const struct kh_slot_run *run = &runs->list[i];

		moved = moved || !run->stored || run->seen == run->left;
		code = write_run(ledger, run, now, error);
	}
	for (size_t i = 0; i < ledger->bulks.count && moved; i++) {
		struct kh_held *held = &ledger->bulks.list[i];
		const struct kh_slot_run *run = find_run(runs, held->id);

		held->first_slot = run ? run->first : 0;
		held->left = run && !run->seen;
	}
	return code;
}

int kh_bulk_holder(struct kh_ledger *ledger, uint32_t slot, int64_t *ret_indicator, struct kh_error *error)
{
	int code = kh_bulks_load(ledger, error);

	for (size_t i = 0; i < ledger->bulks.count && code >= 0; i++) {
		const struct kh_held *held = &ledger->bulks.list[i];
		uint32_t line, indicator;
		struct kh_range range;

		if (!held->first_slot || slot < held->first_slot ||
		    slot >= held->first_slot + (int64_t)kh_members_count(held->members))
			continue;
		range = kh_member_range(held->members, (size_t)(slot - held->first_slot), &line, &indicator);
		code = kh_bulk_name(ledger, indicator, &range, error);
		if (code < 0)
			return code;
		*ret_indicator = indicator;
		return 1;
	}
	return code;
}
