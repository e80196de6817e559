// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What came of it: stats, history; and verify, the proof.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"

/* ---- stats -------------------------------------------------------------------------------------- */

/* What stands in the first two columns. Reasons and directions keep their names: those of the metrics. */
static const struct {
	const char *by, *key, *extra;
} titles_by[] = {
	{ "indicator", N_("INDICATOR"), N_("LETTER") }, { "advisory", N_("LETTER"), "" },
	{ "interface", N_("INTERFACE"), "" },		{ "reason", N_("REASON"), "" },
	{ "host", N_("MACHINE"), N_("MAC") },
};

static void show_total(const json_t *reply)
{
	const json_t *total = json_object_get(reply, "total");

	kh_say(_("In all: %s packets seen, %s dropped (%s), %s monitored\n"),
	       kh_count(kh_number_of(total, "packets_seen")), kh_count(kh_number_of(total, "packets_dropped")),
	       kh_bytes(kh_number_of(total, "bytes_dropped")), kh_count(kh_number_of(total, "packets_monitored")));
	if (kh_has(reply, "since"))
		kh_say(_("Seen since %s:\n"), kh_when(reply, "since"));
}

static void show_stats(json_t *reply)
{
	const char *by = kh_text_of(reply, "by"), *key = "", *extra = "";
	const json_t *rows = json_object_get(reply, "rows");
	struct kh_table *table;

	show_total(reply);
	if (!json_array_size(rows)) {
		kh_say(_("Nothing was counted.\n"));
		return;
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(titles_by); i++) {
		if (strcmp(by, titles_by[i].by) != 0)
			continue;
		key = gettext(titles_by[i].key);
		extra = titles_by[i].extra[0] ? gettext(titles_by[i].extra) : "";
	}
	{
		const char *const titles[] = { key, extra, _("PACKETS"), _("BYTES"), _("FIRST SEEN"), _("LAST SEEN") };

		table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 1u << 2 | 1u << 3);
	}
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *name = kh_text_of(row, "key");
		const char *const cells[] = { name[0] ? name : _("(spoofed source)"),
					      kh_text_of(row, "extra"),
					      kh_count(kh_number_of(row, "packets")),
					      kh_bytes(kh_number_of(row, "bytes")),
					      kh_when(row, "first_seen"),
					      kh_when(row, "last_seen") };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
}

static int run_stats(struct kh_cli *cli, json_t *request, int count KH_UNUSED, char **arguments KH_UNUSED)
{
	return kh_ask(cli, request, show_stats);
}

static const struct kh_option stats_options[] = {
	{ KH_OPTION_TEXT, "by", "WHAT", "by", N_("indicator, advisory, interface, reason or host (indicator)") },
	{ KH_OPTION_DURATION, "since", "1h", "since", N_("only what was seen in the last hour") },
	{ KH_OPTION_NUMBER, "top", "N", "limit", N_("only the N largest (100)") },
	{},
};

const struct kh_command kh_command_stats = {
	.name = "stats",
	.usage = "[--by indicator|advisory|interface|reason|host] [--since 1h] [--top N]",
	.summary = N_("what was dropped and counted, most packets first"),
	.options = stats_options,
	.run = run_stats,
};

/* ---- history ------------------------------------------------------------------------------------ */

/* What became of a change that was to be confirmed. */
static const char *confirmation(const json_t *row)
{
	const json_t *confirmation = json_object_get(row, "confirmation");
	const char *state = kh_text_of(confirmation, "state");

	if (!strcmp(state, "waiting"))
		return kh_printf(_("waits for confirmation until %s"), kh_when(confirmation, "until"));
	return !strcmp(state, "confirmed")
		       ? kh_printf(_("confirmed by %lld"), kh_number_of(confirmation, "by"))
		       : kh_printf(_("not confirmed, taken back by %lld"), kh_number_of(confirmation, "by"));
}

/* What happened to it since, else what was said of it. */
static const char *note_of(const json_t *row)
{
	const char *note = kh_text_of(row, "note");

	if (kh_number_of(row, "undone_by"))
		note = kh_printf(_("undone by %lld"), kh_number_of(row, "undone_by"));
	else if (kh_number_of(row, "undoes"))
		note = kh_printf(_("undoes %lld"), kh_number_of(row, "undoes"));
	if (!kh_has(row, "confirmation"))
		return note;
	return note[0] && !kh_number_of(row, "undone_by") ? kh_printf("%s · %s", confirmation(row), note)
							  : confirmation(row);
}

static void show_history(json_t *reply)
{
	const char *const titles[] = { _("CHANGE"), _("WHEN"), _("WHO"), _("ACT"), _("ORDERS"), _("NOTE") };
	const json_t *rows = json_object_get(reply, "changes");
	struct kh_table *table;

	if (!json_array_size(rows)) {
		kh_say(_("Nobody has changed anything yet.\n"));
		return;
	}
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 1u << 0 | 1u << 4);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *const cells[] = { kh_printf("%lld", kh_number_of(row, "id")),
					      kh_when(row, "time"),
					      kh_text_of(row, "actor"),
					      kh_text_of(row, "kind"),
					      kh_printf("%lld",
							kh_number_of(row, "orders") + kh_number_of(row, "allows")),
					      note_of(row) };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
}

static int run_history(struct kh_cli *cli, json_t *request, int count KH_UNUSED, char **arguments KH_UNUSED)
{
	kh_option_flag(request, ".changes"); /* there is nothing else yet */
	return kh_ask(cli, request, show_history);
}

static const struct kh_option history_options[] = {
	{ KH_OPTION_FLAG, "changes", NULL, ".changes", N_("changes of orders (this is what is shown)") },
	{ KH_OPTION_NUMBER, "before", "CHANGE", "before", N_("older than this change") },
	{ KH_OPTION_NUMBER, "top", "N", "limit", N_("the newest N (50)") },
	{},
};

const struct kh_command kh_command_history = {
	.name = "history",
	.usage = "[--changes] [--before CHANGE] [--top N]",
	.summary = N_("who changed what, when; newest first"),
	.options = history_options,
	.run = run_history,
};

/* ---- verify ------------------------------------------------------------------------------------- */

static void show_verify(json_t *reply)
{
	const json_t *rows = json_object_get(reply, "differences");

	kh_say(_("Ordered %lld · tried %lld · dropped %lld"), kh_number_of(reply, "ordered"),
	       kh_number_of(reply, "tried"), kh_number_of(reply, "enforced"));
	if (kh_number_of(reply, "cut"))
		kh_say(_(" · %lld cut out by allow or never-block"), kh_number_of(reply, "cut"));
	kh_say("\n");
	if (!json_array_size(rows)) {
		kh_say("%s\n", kh_tone(KH_TONE_GOOD, _("What is ordered is what is enforced.")));
		return;
	}
	kh_say("%s\n", kh_tone(KH_TONE_BAD, _("NOT ENFORCED AS ORDERED:")));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		kh_say("  %s · %s · %s\n", kh_text_of(row, "value"), kh_state(row), kh_refs(row));
	}
	kh_say(_("→ the log says why: journalctl -u khiend -e; systemctl restart khiend installs the list anew\n"));
}

static int run_verify(struct kh_cli *cli, json_t *request, int count KH_UNUSED, char **arguments KH_UNUSED)
{
	return kh_ask(cli, request, show_verify);
}

const struct kh_command kh_command_verify = {
	.name = "verify",
	.usage = "",
	.summary = N_("prove that what is ordered is what is enforced"),
	.help = N_(
		"A packet from each indicator goes through the live program, which must drop it. Nothing is counted by this."),
	.run = run_verify,
};
