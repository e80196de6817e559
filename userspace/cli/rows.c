// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows grouped by decision: what is blocked, what waits, what is refused, what cannot be enforced; each with its source and reason.
 */
#include <string.h>

#include "cli/plan.h"
#include "cli/render.h"
#include "common/lang.h"

static const struct {
	const char *decision;
	const char *label;
	enum kh_tone tone;
	size_t cut; /* of `most` rows one in this many is shown: what needs no decision is shown short */
} groups[] = {
	{ "enforce", N_("BLOCK"), KH_TONE_BAD, 1 },
	{ "review", N_("REVIEW"), KH_TONE_WARN, 1 },
	{ "refuse", N_("REFUSED"), KH_TONE_WARN, 1 },
	{ "unenforceable", N_("UNENFORCEABLE"), KH_TONE_DIM, 4 },
};

static bool is_in(const json_t *row, size_t group)
{
	const char *decision = json_string_value(json_object_get(row, "decision"));

	return decision && !strcmp(decision, groups[group].decision);
}

static void add_more(struct kh_table *table, size_t more)
{
	char text[64];
	const char *const cells[] = { "", "", text, "", "" };

	snprintf(text, sizeof(text), _("… and %zu more"), more);
	kh_table_row(table, cells);
}

/* The rows of one group; its name and count stand before the first. */
static void add_group(struct kh_table *table, const json_t *rows, const json_t *counts, size_t group, size_t most,
		      bool monitor)
{
	const char *label = monitor && !group ? _("MONITOR") : gettext(groups[group].label);
	size_t count = (size_t)kh_number_of(counts, groups[group].decision),
	       limit = most ? most / groups[group].cut : count, shown = 0;
	char number[24];

	if (count == limit + 1) /* one row more takes no more room than saying so */
		limit++;
	snprintf(number, sizeof(number), "%zu", count);
	for (size_t i = 0; i < json_array_size(rows) && shown < limit; i++) {
		const json_t *row = json_array_get(rows, i);

		if (!is_in(row, group))
			continue;
		const char *const cells[] = { shown ? "" : kh_tone(groups[group].tone, label), shown ? "" : number,
					      kh_text_of(row, "value"), kh_source(row), kh_reason(row) };

		kh_table_row(table, cells);
		shown++;
	}
	if (shown < count)
		add_more(table, count - shown);
}

void kh_rows_show(const json_t *rows, const json_t *counts, size_t most, bool monitor)
{
	const char *const titles[] = { _("DECISION"), "", _("INDICATOR"), _("SOURCE"), _("REASON") };
	struct kh_table *table;

	if (!json_array_size(rows))
		return;
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 1u << 1);
	for (size_t i = 0; i < KH_ARRAY_SIZE(groups); i++)
		add_group(table, rows, counts, i, most, monitor);
	kh_table_end(table);
}

void kh_rows_show_counts(const json_t *counts, bool monitor)
{
	kh_say(monitor ? _("To monitor %lld") : _("To block %lld"), kh_number_of(counts, "enforce"));
	kh_say(_(" · to review %lld · refused %lld · unenforceable %lld"), kh_number_of(counts, "review"),
	       kh_number_of(counts, "refuse"), kh_number_of(counts, "unenforceable"));
	if (kh_number_of(counts, "unchanged"))
		kh_say(_(" · as before %lld"), kh_number_of(counts, "unchanged"));
	kh_say("\n");
}
