// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The review screen, the question (default No), the act, the proof. What was shown is what is done: the plan's token goes along.
 */
#include "cli/plan.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/letters.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/text.h"

#define ROWS_SHOWN 12

enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_VIEW, /* show everything, ask again */
	ANSWER_MONITOR,
};

/* ---- The plan ----------------------------------------------------------------------------------- */

static void show_files(const json_t *files)
{
	for (size_t i = 0; i < json_array_size(files); i++) {
		const char *name = kh_text_at(files, i), *base = strrchr(name, '/');

		kh_say("%s%s", i ? " + " : "",
		       !strcmp(name, "-") ? _("standard input")
		       : base && base[1]  ? base + 1
					  : name);
	}
}

static void show_letter(const json_t *letter)
{
	const json_t *files = json_object_get(letter, "files"), *cves = json_object_get(letter, "cves"),
		     *chain = json_object_get(letter, "chain");

	if (kh_has(letter, "number")) {
		kh_say(_("Letter %s"), kh_text_of(letter, "number"));
		if (kh_has(letter, "date"))
			kh_say(", %s", kh_date(kh_text_of(letter, "date")));
		if (kh_has(letter, "issuer"))
			kh_say(" · %s", kh_text_of(letter, "issuer"));
		if (json_array_size(files))
			kh_say(_(" (correct it: --ref --date --issuer)"));
		kh_say("\n");
	} else {
		kh_say(_("By hand, without a letter\n"));
	}
	if (kh_has(letter, "subject"))
		kh_say("%s\n", kh_text_of(letter, "subject"));
	if (kh_has(letter, "report_by"))
		kh_say(_("Wants a report by %s\n"), kh_date(kh_text_of(letter, "report_by")));
	show_files(files);
	if (json_array_size(cves))
		kh_say(_("%sCVE: %s"), json_array_size(files) ? " · " : "", kh_cves_of(letter, 3));
	if (kh_number_of(letter, "hashes"))
		kh_say(_(" · file hashes kept: %lld"), kh_number_of(letter, "hashes"));
	if (json_array_size(files) || json_array_size(cves))
		kh_say("\n");
	if (json_array_size(json_object_get(letter, "relays")))
		kh_say(_("Passes on: %s\n"), kh_joined(json_object_get(letter, "relays"), 4));
	for (size_t i = 0; i < json_array_size(chain); i++) {
		const json_t *other = json_array_get(chain, i);

		kh_say(_("The same advisory as %s, here since %s: it has %lld of these values\n"),
		       kh_text_of(other, "number"), kh_when(other, "received"), kh_number_of(other, "shared"));
	}
	if (kh_has(letter, "duplicate_since"))
		kh_say(_("The same file was loaded at %s\n"), kh_when(letter, "duplicate_since"));
}

static bool is_monitor(const json_t *plan)
{
	return !strcmp(kh_text_of(plan, "action"), "monitor");
}

static void show_plan(const json_t *plan)
{
	const json_t *letters = json_object_get(plan, "letters"), *notes = json_object_get(plan, "notes"),
		     *counts = json_object_get(plan, "counts");

	for (size_t i = 0; i < json_array_size(letters); i++)
		show_letter(json_array_get(letters, i));
	for (size_t i = 0; i < json_array_size(notes); i++)
		kh_say("· %s\n", kh_text_at(notes, i));
	kh_rows_show(json_object_get(plan, "rows"), counts, ROWS_SHOWN, is_monitor(plan));
	kh_rows_show_counts(counts, is_monitor(plan));
	if (!kh_number_of(counts, "enforce"))
		return;
	if (kh_has(plan, "expires"))
		kh_say(_("Deadline: %s\n"), kh_when(plan, "expires"));
	else
		kh_say(_("Deadline: none\n"));
}

/* Is everything in the ledger already as the plan would have it? */
static bool is_all_unchanged(const json_t *plan)
{
	const json_t *counts = json_object_get(plan, "counts");
	long long all = kh_number_of(counts, "enforce") + kh_number_of(counts, "review") +
			kh_number_of(counts, "refuse") + kh_number_of(counts, "unenforceable");

	return all && kh_number_of(counts, "unchanged") == all;
}

/* ---- The question ------------------------------------------------------------------------------- */

static enum answer understand(char *line, bool monitor)
{
	static const struct {
		const char *word;
		enum answer answer;
	} words[] = {
		{ "c", ANSWER_YES },	       { "co", ANSWER_YES },	{ "y", ANSWER_YES },
		{ "yes", ANSWER_YES },	       { "x", ANSWER_VIEW },	{ "xem", ANSWER_VIEW },
		{ "v", ANSWER_VIEW },	       { "view", ANSWER_VIEW }, { "g", ANSWER_MONITOR },
		{ "giamsat", ANSWER_MONITOR }, { "m", ANSWER_MONITOR }, { "monitor", ANSWER_MONITOR },
	};
	char *folded KH_CLEANUP(kh_freep) = kh_text_fold(line); /* "Có" is "co", however it was typed */

	for (size_t i = 0; folded && i < KH_ARRAY_SIZE(words); i++)
		if (!strcmp(folded, words[i].word) && !(monitor && words[i].answer == ANSWER_MONITOR))
			return words[i].answer;
	return ANSWER_NO;
}

static enum answer ask(long long count, bool monitor)
{
	char line[64];

	if (monitor)
		kh_say(ngettext("Monitor %lld indicator? [y]es/[N]o/[v]iew: ",
				"Monitor %lld indicators? [y]es/[N]o/[v]iew: ", (unsigned long)count),
		       count);
	else
		kh_say(ngettext("Block %lld indicator? [y]es/[N]o/[v]iew/[m]onitor: ",
				"Block %lld indicators? [y]es/[N]o/[v]iew/[m]onitor: ", (unsigned long)count),
		       count);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin)) {
		kh_say("\n");
		return ANSWER_NO;
	}
	return understand(line, monitor);
}

/* From the plan shown to the answer, into the request. 0: go on; else the exit code. */
static int confirm(const struct kh_cli *cli, const json_t *plan, json_t *request)
{
	bool monitor = is_monitor(plan);
	enum answer answer;

	if ((!isatty(STDIN_FILENO) || cli->json) &&
	    json_is_true(json_object_get(json_object_get(plan, "trust"), "confirm"))) {
		kh_complain(
			_("khien %s: it is not signed with one of [trust] keys: an administrator must answer at a terminal, and there is none; nothing was changed"),
			cli->command->name);
		return KH_EXIT_USAGE;
	}
	if (!isatty(STDIN_FILENO) || cli->json) {
		kh_complain(_("khien %s: there is no terminal to ask on; --yes goes ahead, --dry-run only looks"),
			    cli->command->name);
		return KH_EXIT_USAGE;
	}
	while ((answer = ask(kh_number_of(json_object_get(plan, "counts"), "enforce"), monitor)) == ANSWER_VIEW)
		kh_rows_show(json_object_get(plan, "rows"), json_object_get(plan, "counts"), 0, monitor);
	if (answer == ANSWER_NO) {
		kh_say(_("Nothing was changed.\n"));
		return KH_EXIT_FAILED;
	}
	if (answer == ANSWER_MONITOR) { /* another plan than was shown, and a milder one: it drops nothing */
		json_object_set_new(request, "monitor", json_true());
		json_object_del(request, "confirm_within");
	} else {
		json_object_set(request, "token", json_object_get(plan, "token"));
	}
	return 0;
}

/* ---- What came of it ---------------------------------------------------------------------------- */

static void show_nothing(const json_t *reply)
{
	const json_t *counts = json_object_get(reply, "counts");
	long long others =
		kh_number_of(counts, "review") + kh_number_of(counts, "refuse") + kh_number_of(counts, "unenforceable");

	if (kh_number_of(counts, "enforce"))
		return;
	if (others)
		kh_say("%s\n", kh_tone(KH_TONE_WARN, _("NOTHING IS BLOCKED BY THIS.")));
	else
		kh_say(_("It names nothing that could be blocked: there is nothing to do on this gateway.\n"));
}

static void show_result(json_t *reply)
{
	const json_t *counts = json_object_get(reply, "counts"), *proof = json_object_get(reply, "proof");
	long long tried = kh_number_of(proof, "tried"), blocked = kh_number_of(proof, "blocked");

	show_nothing(reply);
	if (!kh_has(reply, "change")) {
		if (is_all_unchanged(reply))
			kh_say(_("Nothing changed: all of it was so already.\n"));
		return;
	}
	kh_say("%s %s", kh_tone(KH_TONE_GOOD, _("DONE")), kh_clock(reply, "time"));
	if (tried)
		kh_say(_(" · tried %lld/%lld dropped"), blocked, tried);
	if (kh_number_of(proof, "cut"))
		kh_say(_(" · %lld cut out by allow or never-block"), kh_number_of(proof, "cut"));
	if (is_monitor(reply) && kh_number_of(counts, "enforce"))
		kh_say(_(" · %lld monitored, not blocked"), kh_number_of(counts, "enforce"));
	if (kh_number_of(counts, "review"))
		kh_say(" · %s", kh_tone(KH_TONE_WARN,
					kh_printf(_("%lld STILL WAIT FOR REVIEW"), kh_number_of(counts, "review"))));
	kh_say(" · khien undo %lld\n", kh_number_of(reply, "change"));
	kh_show_confirmation(reply);
	kh_show_alarms(reply);
	if (tried != blocked)
		kh_say("%s\n", kh_tone(KH_TONE_BAD, _("NOT EVERYTHING IS DROPPED → khien verify")));
}

/* ---- The command -------------------------------------------------------------------------------- */

/* `plan`: what was shown. NULL, for --yes: the answer shows it as well. */
static int go_ahead(struct kh_cli *cli, json_t *request, const int *fds, size_t fds_count, const json_t *plan)
{
	json_t *reply KH_CLEANUP(kh_json_decrefp) = NULL;
	int code;

	if (!cli->json) /* the one row more: see add_group() */
		json_object_set_new(request, "rows", json_integer(plan ? 0 : ROWS_SHOWN + 1));
	code = kh_call(cli, request, fds, fds_count, &reply);
	if (!reply)
		return code;
	if (cli->json) {
		kh_json_print(reply);
		return code;
	}
	if (!plan)
		show_plan(reply);
	show_result(reply);
	if (plan && !is_monitor(reply))
		kh_impact_show_end(cli, plan, reply);
	return code;
}

int kh_plan_command(struct kh_cli *cli, json_t *request, const int *fds, size_t fds_count)
{
	bool yes = kh_option_flag(request, ".yes"), dry_run = json_is_true(json_object_get(request, "dry_run"));
	json_t *plan KH_CLEANUP(kh_json_decrefp) = NULL;
	int code, answer = 0;

	if (yes) /* nobody has looked at it, and nobody is asked: daemon/trust.h */
		json_object_del(request, "typed");
	if (yes && !dry_run)
		return go_ahead(cli, request, fds, fds_count, NULL);
	json_object_set_new(request, "dry_run", json_true());
	code = kh_call(cli, request, fds, fds_count, &plan);
	if (!plan)
		return code;
	if (!cli->json) {
		show_plan(plan);
		kh_impact_show(plan, request);
	} else if (dry_run) {
		kh_json_print(plan);
		return code;
	}
	if (dry_run) {
		show_nothing(plan);
		kh_say(_("A trial run: nothing was changed.\n"));
		return code;
	}
	json_object_del(request, "dry_run");
	if (kh_number_of(json_object_get(plan, "counts"), "enforce") && !is_all_unchanged(plan) &&
	    !json_is_false(json_object_get(plan, "may_change"))) /* who may not is told so, and not asked first */
		answer = confirm(cli, plan, request);
	/* nothing to block needs no question: the letter, its CVEs and what waits are kept */
	return answer ? answer : go_ahead(cli, request, fds, fds_count, plan);
}
