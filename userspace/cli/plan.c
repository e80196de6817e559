// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Look before you act: the plan as a table, the question (default No), the act, the proof.
 */
#include "cli/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/render.h"
#include "common/lang.h"
#include "common/util.h"

#define ROWS_SHOWN 12

enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_ALL, /* show everything, ask again */
	ANSWER_MONITOR,
};

static const struct {
	const char *decision;
	const char *label;
	enum kh_tone tone;
} groups[] = {
	{ "enforce", N_("BLOCK"), KH_TONE_BAD },
	{ "review", N_("REVIEW"), KH_TONE_WARN },
	{ "refuse", N_("REFUSED"), KH_TONE_WARN },
	{ "unenforceable", N_("UNENFORCEABLE"), KH_TONE_DIM },
};

static void source_of(json_t *row, char *ret_source, size_t size)
{
	const char *file = kh_text_of(row, "file"), *base = strrchr(file, '/');
	size_t used = (size_t)snprintf(ret_source, size, "%s", base ? base + 1 : file);

	if (kh_number_of(row, "page") && used < size)
		used += (size_t)snprintf(ret_source + used, size - used, _(" p.%lld"), kh_number_of(row, "page"));
	if (kh_number_of(row, "line") && used < size)
		snprintf(ret_source + used, size - used, _(" l.%lld"), kh_number_of(row, "line"));
}

static void reason_of(json_t *row, char *ret_reason, size_t size)
{
	const char *rule = kh_text_of(row, "rule");
	size_t used = (size_t)snprintf(ret_reason, size, "%s", kh_text_of(row, "sentence"));

	if (rule[0] && used < size)
		used += (size_t)snprintf(ret_reason + used, size - used, ": %s", rule);
	if (kh_number_of(row, "cuts") && used < size)
		snprintf(ret_reason + used, size - used, _(" (%lld never-block ranges are cut out)"), kh_number_of(row, "cuts"));
}

/* One decision's rows; how many there are. */
static size_t add_group(struct kh_table *table, json_t *rows, size_t group, size_t most)
{
	size_t index, count = 0;
	json_t *row;

	json_array_foreach(rows, index, row) {
		char source[256], reason[512], value[256];
		const char *cells[4];

		if (strcmp(kh_text_of(row, "decision"), groups[group].decision))
			continue;
		if (most && count++ >= most)
			continue;
		source_of(row, source, sizeof(source));
		reason_of(row, reason, sizeof(reason));
		snprintf(value, sizeof(value), "%s", kh_text_of(row, "value"));
		cells[0] = kh_tone(groups[group].tone, gettext(groups[group].label));
		cells[1] = value;
		cells[2] = source;
		cells[3] = reason;
		kh_table_row(table, cells);
	}
	return count;
}

void kh_plan_show_rows(json_t *rows, size_t most)
{
	const char *const titles[] = { _("DECISION"), _("INDICATOR"), _("SOURCE"), _("REASON") };
	struct kh_table *table;
	size_t more = 0;

	if (!json_array_size(rows))
		return;
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles));
	for (size_t i = 0; i < KH_ARRAY_SIZE(groups); i++) {
		size_t count = add_group(table, rows, i, most);

		more += most && count > most ? count - most : 0;
	}
	kh_table_end(table);
	if (more)
		kh_say(_("... and %zu more\n"), more);
}

static void show_head(json_t *letter)
{
	const char *number = kh_text_of(letter, "number"), *date = kh_text_of(letter, "date"), *issuer = kh_text_of(letter, "issuer"),
		   *subject = kh_text_of(letter, "subject");
	json_t *cves = json_object_get(letter, "cves");

	if (number[0] && date[0] && strlen(date) == 10)
		kh_say(_("Letter %s, %.2s/%.2s/%.4s"), number, date + 8, date + 5, date);
	else
		kh_say(_("Letter %s"), number[0] ? number : _("(by hand)"));
	if (issuer[0])
		kh_say(" · %s", issuer);
	kh_say("\n");
	if (subject[0])
		kh_say("%s\n", subject);
	if (json_array_size(cves))
		kh_say(_("Vulnerabilities named: %zu (%s%s)\n"), json_array_size(cves), json_string_value(json_array_get(cves, 0)),
		       json_array_size(cves) > 1 ? ", ..." : "");
	if (kh_number_of(letter, "hashes"))
		kh_say(_("File hashes kept: %lld\n"), kh_number_of(letter, "hashes"));
	if (json_is_string(json_object_get(letter, "duplicate_since")))
		kh_say(_("The same file was loaded at %s\n"), kh_when(letter, "duplicate_since"));
}

static void show_plan(json_t *plan, size_t most)
{
	json_t *counts = json_object_get(plan, "counts"), *item;
	size_t index;

	json_array_foreach(json_object_get(plan, "letters"), index, item)
		show_head(item);
	json_array_foreach(json_object_get(plan, "notes"), index, item)
		kh_say("· %s\n", json_string_value(item));
	kh_plan_show_rows(json_object_get(plan, "rows"), most);
	if (kh_number_of(plan, "omitted"))
		kh_say(_("... and %lld more, not listed\n"), kh_number_of(plan, "omitted"));
	kh_say(_("To block %lld · to review %lld · refused %lld · unenforceable %lld"), kh_number_of(counts, "enforce"),
	       kh_number_of(counts, "review"), kh_number_of(counts, "refuse"), kh_number_of(counts, "unenforceable"));
	if (kh_number_of(counts, "unchanged"))
		kh_say(_(" · already so %lld"), kh_number_of(counts, "unchanged"));
	kh_say("\n");
	if (kh_number_of(counts, "enforce"))
		kh_say(_("Deadline: %s\n"), json_is_string(json_object_get(plan, "expires")) ? kh_when(plan, "expires") : _("none"));
}

static enum answer ask(long long count, bool monitor)
{
	char line[64];

	if (monitor)
		kh_say(_("Monitor %lld indicators? [y]es/[N]o/[v]iew all: "), count);
	else
		kh_say(_("Block %lld indicators? [y]es/[N]o/[v]iew all/[m]onitor: "), count);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return ANSWER_NO;
	line[strcspn(line, "\r\n")] = '\0';
	if (!strcasecmp(line, "c") || !strcasecmp(line, "có") || !strcasecmp(line, "co") || !strcasecmp(line, "y") || !strcasecmp(line, "yes"))
		return ANSWER_YES;
	if (!strcasecmp(line, "x") || !strcasecmp(line, "v"))
		return ANSWER_ALL;
	if (!monitor && (!strcasecmp(line, "g") || !strcasecmp(line, "m")))
		return ANSWER_MONITOR;
	return ANSWER_NO;
}

static void show_result(json_t *reply)
{
	json_t *counts = json_object_get(reply, "counts"), *proof = json_object_get(reply, "proof");

	if (!json_object_get(reply, "change")) {
		kh_say("%s\n", kh_number_of(counts, "enforce") ? _("Nothing changed: everything was in force already.") :
								 _("NOTHING IS BLOCKED BY THIS."));
		return;
	}
	if (!kh_number_of(counts, "enforce"))
		kh_say("%s\n", kh_tone(KH_TONE_WARN, _("NOTHING IS BLOCKED BY THIS.")));
	kh_say("%s %.8s", kh_tone(KH_TONE_GOOD, _("DONE")), kh_when(reply, "time"));
	if (json_is_object(proof)) {
		kh_say(_(" · tried %lld, dropped %lld"), kh_number_of(proof, "tried"), kh_number_of(proof, "blocked"));
		if (kh_number_of(proof, "cut"))
			kh_say(_(" · %lld cut out by allow or never-block"), kh_number_of(proof, "cut"));
	}
	if (kh_number_of(counts, "review"))
		kh_say(_(" · %lld WAIT FOR REVIEW: khien review"), kh_number_of(counts, "review"));
	kh_say(_(" · to take it back: khien undo %lld\n"), kh_number_of(reply, "change"));
	if (json_is_object(proof) && kh_number_of(proof, "tried") != kh_number_of(proof, "blocked"))
		kh_say("%s\n", kh_tone(KH_TONE_BAD, _("NOT EVERYTHING IS DROPPED: khien verify")));
}

static int enforce(struct kh_cli *cli, json_t *request, const int *fds, size_t fds_count)
{
	json_t *reply;
	int code = kh_call(cli, request, fds, fds_count, &reply);

	if (!reply)
		return code;
	if (cli->json)
		kh_print_json(reply);
	else
		show_result(reply);
	json_decref(reply);
	return code;
}

/* From the plan shown to the answer. True: go on with the request. */
static bool confirm(struct kh_cli *cli, json_t *plan, json_t *request, bool monitor)
{
	enum answer answer;

	while ((answer = ask(kh_number_of(json_object_get(plan, "counts"), "enforce"), monitor)) == ANSWER_ALL)
		kh_plan_show_rows(json_object_get(plan, "rows"), 0);
	(void)cli;
	if (answer == ANSWER_NO) {
		kh_say(_("Nothing was changed.\n"));
		return false;
	}
	if (answer == ANSWER_MONITOR)
		json_object_set_new(request, "monitor", json_true());
	else
		json_object_set(request, "token", json_object_get(plan, "token"));
	return true;
}

int kh_plan_command(struct kh_cli *cli, json_t *request, const int *fds, size_t fds_count, const struct kh_plan_options *options)
{
	json_t *plan, *preview = json_copy(request);
	int code;

	if (options->monitor)
		json_object_set_new(request, "monitor", json_true());
	json_object_set_new(preview, "dry_run", json_true());
	if (options->monitor)
		json_object_set_new(preview, "monitor", json_true());
	code = kh_call(cli, preview, fds, fds_count, &plan);
	if (!plan) {
		json_decref(request);
		return code;
	}
	if (!cli->json)
		show_plan(plan, ROWS_SHOWN);
	if (options->dry_run || (!options->yes && !kh_number_of(json_object_get(plan, "counts"), "enforce") && isatty(STDIN_FILENO))) {
		if (cli->json)
			kh_print_json(plan);
		else if (options->dry_run)
			kh_say(_("A trial run: nothing was changed.\n"));
	}
	if (options->dry_run) {
		json_decref(plan);
		json_decref(request);
		return code;
	}
	if (options->yes || !kh_number_of(json_object_get(plan, "counts"), "enforce")) {
		/* nothing to block needs no question: the letter, its CVEs and what waits are kept */
		json_object_set(request, "token", json_object_get(plan, "token"));
	} else if (!isatty(STDIN_FILENO) || cli->json) {
		kh_complain(_("khien: nobody to ask; add --yes to go ahead or --dry-run to look"));
		json_decref(plan);
		json_decref(request);
		return KH_EXIT_USAGE;
	} else if (!confirm(cli, plan, request, options->monitor)) {
		json_decref(plan);
		json_decref(request);
		return KH_EXIT_FAILED;
	}
	json_decref(plan);
	return enforce(cli, request, fds, fds_count);
}
