// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Judging a document, and the order of its rows (document.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/document.h"
#include "common/util.h"

/* ---- Judging: a long list's values are findings only when the guard has something to say about them - */

struct taking {
	struct kh_document *document;
	size_t capacity; /* of its findings */
};

static int take(const struct kh_finding *finding, void *context)
{
	struct taking *taking = context;
	struct kh_document *document = taking->document;
	char *raw = strdup(finding->raw);

	if (!raw || kh_grow(&document->findings, &taking->capacity, document->findings_count + 1,
			    sizeof(*document->findings)) < 0) {
		free(raw);
		return -ENOMEM;
	}
	document->findings[document->findings_count] = *finding;
	document->findings[document->findings_count++].raw = raw;
	return 0;
}

/* Sifts its bulk list and judges its findings. malloc'ed; NULL: out of memory. */
static struct kh_judgement *judge_document(struct kh_document *document, const struct kh_guard *guard)
{
	const struct kh_bulk *list = &document->bulk;
	const struct kh_guard_bulks bulks = { &list, 1 };
	struct taking taking = { document, document->findings_count };
	struct kh_judgement *judgements = NULL;

	for (enum kh_sift what = KH_SIFT_RULES; what <= KH_SIFT_WIDE; what++) {
		free(judgements);
		judgements = kh_guard_sift(guard, &document->bulk, what, take, &taking) < 0
				     ? NULL
				     : calloc(document->findings_count + 1, sizeof(*judgements));
		if (!judgements ||
		    !kh_guard_judge_all(guard, document->findings, document->findings_count, &bulks, judgements))
			break;
	}
	return judgements;
}

/* ---- The order of the rows: as they stand in the document --------------------------------------- */

struct place {
	uint32_t line;
	uint32_t index; /* of the findings */
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Where the findings stand; what the guard said of a long list's values was found last, by address. NULL: out of memory. */
static struct place *places_of_findings(const struct kh_document *document)
{
	struct place *places = calloc(document->findings_count + 1, sizeof(*places));

	for (size_t i = 0; places && i < document->findings_count; i++)
		places[i] = (struct place){ (uint32_t)document->findings[i].line, (uint32_t)i };
	if (places && kh_bulk_count(&document->bulk))
		qsort(places, document->findings_count, sizeof(*places), compare_places);
	return places;
}

/* Which plain value stands in which line, plus one: one at most, so they need no sorting. NULL: out of memory. */
static uint32_t *bulk_by_line(const struct kh_bulk *bulk, uint32_t *ret_last)
{
	uint32_t *by_line, line, last = 0;

	for (size_t i = 0; i < kh_bulk_count(bulk); i++) {
		kh_bulk_range(bulk, i, &line);
		last = line > last ? line : last;
	}
	by_line = calloc((size_t)last + 1, sizeof(*by_line));
	for (size_t i = 0; by_line && i < kh_bulk_count(bulk); i++) {
		kh_bulk_range(bulk, i, &line);
		by_line[line] = (uint32_t)i + 1;
	}
	*ret_last = last;
	return by_line;
}

static int order_rows(const struct kh_document *document, uint32_t *order)
{
	struct place *places KH_CLEANUP(kh_freep) = places_of_findings(document);
	uint32_t last, *by_line KH_CLEANUP(kh_freep) = bulk_by_line(&document->bulk, &last);
	size_t findings = document->findings_count, finding = 0, next = 0;

	if (!places || !by_line)
		return -ENOMEM;
	for (size_t line = 0; line <= last; line++) {
		while (finding < findings && places[finding].line <= line)
			order[next++] = places[finding++].index;
		if (by_line[line])
			order[next++] = (uint32_t)findings + by_line[line] - 1;
	}
	while (finding < findings)
		order[next++] = places[finding++].index;
	return 0;
}

void kh_judged_clear(struct kh_judged *judged)
{
	free(judged->judgements);
	free(judged->order);
	*judged = (struct kh_judged){};
}

int kh_judged_make(struct kh_judged *judged, struct kh_document *document, const struct kh_guard *guard)
{
	*judged = (struct kh_judged){ .document = document, .judgements = judge_document(document, guard), .only = -1 };
	if (judged->judgements)
		judged->order = calloc(kh_document_values(document) + 1, sizeof(*judged->order));
	if (!judged->order || order_rows(document, judged->order) < 0) {
		kh_judged_clear(judged);
		return -ENOMEM;
	}
	return 0;
}
