// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bulk lists on their way through a plan: what the guard speaks about, and what has a row already, comes out and goes the way of every
 * finding; the rest is written as one.
 */
#include "daemon/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

struct taking {
	struct kh_plan *plan;
	struct kh_plan_letter *letter;
	const char *file;
};

/* A finding that no document owns. */
static int take(const struct kh_finding *finding, void *context)
{
	struct taking *taking = context;
	struct kh_plan *plan = taking->plan;
	struct kh_finding owned = *finding;
	int code = kh_grow(&plan->owned, &plan->owned_capacity, plan->owned_count + 1, sizeof(*plan->owned));

	if (code < 0)
		return code;
	owned.raw = strdup(finding->raw);
	if (!owned.raw)
		return -ENOMEM;
	plan->owned[plan->owned_count++] = owned.raw;
	return kh_plan_add(taking->letter, &owned, taking->file);
}

static int sift(const struct kh_request *request, struct kh_plan *plan, size_t letter, enum kh_sift what)
{
	int code = 0;

	for (size_t i = 0; i < plan->files_count && code >= 0; i++) {
		struct kh_document *document = plan->files[i].document;
		struct taking taking = { plan, &plan->letters[letter], document->file };

		if (plan->files[i].letter == letter && kh_bulk_count(&document->bulk))
			code = kh_guard_sift(request->core->guard, &document->bulk, what, take, &taking);
	}
	return code < 0 ? code : kh_plan_reserve(&plan->letters[letter], 0);
}

int kh_plan_judge(const struct kh_request *request, struct kh_plan *plan, size_t letter)
{
	const struct kh_bulk **lists KH_CLEANUP(kh_freep) =
		calloc(plan->files_count + 1, sizeof(const struct kh_bulk *));
	const struct kh_plan_letter *judged = &plan->letters[letter];
	const struct kh_guard *guard = request->core->guard;
	struct kh_guard_bulks bulks = { .lists = lists };
	int code = lists ? sift(request, plan, letter, KH_SIFT_RULES) : -ENOMEM;

	if (code < 0)
		return code;
	for (size_t i = 0; i < plan->files_count; i++)
		if (plan->files[i].letter == letter && kh_bulk_count(&plan->files[i].document->bulk))
			lists[bulks.count++] = &plan->files[i].document->bulk;
	if (!kh_guard_judge_all(guard, judged->findings, judged->count, &bulks, judged->judgements) || !bulks.count)
		return 0;
	code = sift(request, plan, letter, KH_SIFT_WIDE);
	if (code >= 0)
		kh_guard_judge_all(guard, judged->findings, judged->count, &bulks, judged->judgements);
	return code;
}

/* ---- Writing ------------------------------------------------------------------------------------------ */

static int take_row(const struct kh_range *range, uint32_t line, void *context)
{
	struct kh_finding finding = {
		.proposed = KH_ENFORCE, .reason = KH_WHY_TABLE, .line = (int)line, .section = KH_SECTION_LIST
	};
	char raw[KH_RANGE_TEXT];

	finding.indicator = kh_indicator_of_range(range);
	finding.raw = kh_range_format(range, raw);
	return take(&finding, context);
}

int kh_plan_write_bulk(const struct kh_request *request, struct kh_plan *plan, struct kh_plan_file *file,
		       struct kh_error *error)
{
	const char *note = kh_request_text(request->body, "note");
	struct kh_plan_letter *letter = &plan->letters[file->letter];
	struct taking taking = { plan, letter, file->document->file };
	struct kh_order_row terms = { .letter = letter->id,
				      .action = plan->action,
				      .note = note ? note : "",
				      .file = file->document->file,
				      .since = kh_now(),
				      .expires = plan->expires };
	size_t before = letter->count;
	int code;

	if (!kh_bulk_count(&file->document->bulk))
		return 0;
	code = kh_ledger_bulk_put(request->core->ledger, &terms, &file->document->bulk, take_row, &taking,
				  &file->bulk_made, &file->bulk_unchanged, error);
	if (code < 0)
		return code;
	if (kh_plan_reserve(letter, before) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	for (size_t i = before; i < letter->count; i++) /* the guard had nothing to say about them */
		letter->judgements[i] = (struct kh_judgement){ .decision = KH_ENFORCE, .reason = KH_WHY_TABLE };
	return 0;
}

/* ---- Answering ----------------------------------------------------------------------------------------- */

static void add_rows(const struct kh_core *core, const struct kh_plan *plan, const struct kh_plan_file *file,
		     struct kh_plan_tally *tally, json_t *rows)
{
	static const struct kh_judgement judgement = { .decision = KH_ENFORCE, .reason = KH_WHY_TABLE };
	const struct kh_bulk *bulk = &file->document->bulk;
	const char *name = file->document->file;
	size_t shown = tally->decisions[KH_ENFORCE], room = plan->rows_each > shown ? plan->rows_each - shown : 0;

	for (size_t i = 0; i < kh_bulk_count(bulk) && i < room; i++) {
		struct kh_finding finding = { .section = KH_SECTION_LIST };
		char raw[KH_RANGE_TEXT];
		uint32_t line;

		finding.indicator.range = kh_bulk_range(bulk, i, &line);
		finding.indicator.type = finding.indicator.range.first == finding.indicator.range.last ? KH_TYPE_ADDRESS
					 : kh_range_prefix_length(&finding.indicator.range) >= 0       ? KH_TYPE_PREFIX
												       : KH_TYPE_RANGE;
		finding.raw = kh_range_format(&finding.indicator.range, raw);
		finding.line = (int)line;
		json_array_append_new(rows, kh_plan_row(core, plan, &plan->letters[file->letter], &finding, &judgement,
							name, file->bulk_made > 0));
	}
}

void kh_plan_answer_bulk(const struct kh_core *core, const struct kh_plan *plan, struct kh_plan_tally *tally,
			 json_t *rows)
{
	for (size_t i = 0; i < plan->files_count; i++) {
		const struct kh_plan_file *file = &plan->files[i];
		size_t counts[2] = { file->bulk_made, file->bulk_unchanged }, before = json_array_size(rows), added;

		if (!kh_bulk_count(&file->document->bulk))
			continue;
		tally->changed += counts[0];
		tally->unchanged += counts[1];
		/* Which values these are follows from the file and from what was taken out of it, which is in the hash already. */
		crypto_hash_sha256_update(&tally->hash, file->sha256, sizeof(file->sha256));
		crypto_hash_sha256_update(&tally->hash, (const unsigned char *)counts, sizeof(counts));
		add_rows(core, plan, file, tally, rows);
		tally->decisions[KH_ENFORCE] += counts[0] + counts[1];
		added = json_array_size(rows) - before;
		tally->omitted += counts[0] + counts[1] > added ? counts[0] + counts[1] - added : 0;
	}
}
