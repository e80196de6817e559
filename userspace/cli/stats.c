// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What came of it: stats; and verify, the proof.
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
