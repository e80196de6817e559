// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien read FILE...: what is in this document. Needs no root and no daemon: it reads and judges here, by the shipped never-block
 * lists; the gateway's own addresses are known to the daemon only, and join in at push.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/document.h"
#include "cli/letters.h"
#include "cli/plan.h"
#include "cli/render.h"
#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "guard/guard.h"
#include "intake/intake.h"
#include "reader/reader.h"

#ifndef KH_SYSCONFDIR
#define KH_SYSCONFDIR "/etc"
#endif
#define ROWS_SHOWN 12 /* of the plain values of a long list */
#define NEVER_BLOCK_ENV "KHIEN_NEVER_BLOCK"
#define NEVER_BLOCK_DEFAULT KH_SYSCONFDIR "/khien/never-block.d"

struct judge {
	struct kh_guard *guard;
	struct kh_issuers *issuers;
	json_t *notes; /* lists that are missing: said with each document, since its judgement is the weaker for it */
};

static void judge_clear(struct judge *judge)
{
	kh_guard_free(judge->guard);
	kh_issuers_free(judge->issuers);
	json_decref(judge->notes);
}

static void add_note(json_t *notes, const char *text)
{
	json_array_append_new(notes, json_string(text));
}

/* ---- The guard ---------------------------------------------------------------------------------- */

static void load_list(struct judge *judge, const char *folder, const char *name)
{
	char path[PATH_MAX + NAME_MAX + 2], *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = {};
	size_t length;
	int code;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	code = kh_file_read(path, KH_GUARD_LIST_BYTES, &data, &length);
	if (code < 0)
		add_note(judge->notes, kh_printf(_("judged without %s: %s"), kh_printable(path), kh_errno_text(-code)));
	else if (kh_guard_add_list(judge->guard, name, data, length, &error) < 0)
		add_note(judge->notes,
			 kh_printf(_("judged without %s: %s"), kh_printable(path), kh_printable(error.text)));
}

static int load_guard(struct judge *judge, const char *folder)
{
	struct dirent **entries = NULL;
	int count;

	judge->guard = kh_guard_new();
	judge->notes = json_array();
	if (!judge->guard || !judge->notes)
		return -ENOMEM;
	count = scandir(folder, &entries, kh_guard_is_list, alphasort);
	if (count < 0)
		add_note(judge->notes, kh_printf(_("judged without never-block lists: %s: %s"), kh_printable(folder),
						 kh_errno_text(errno)));
	else if (!count)
		add_note(judge->notes,
			 kh_printf(_("judged without never-block lists: %s holds no *.list"), kh_printable(folder)));
	for (int i = 0; i < count; i++) {
		load_list(judge, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return kh_guard_seal(judge->guard);
}

/* ---- A document as text ------------------------------------------------------------------------- */

static void show_head(const json_t *document)
{
	const json_t *letter = json_object_get(document, "letter");
	const char *file = kh_text_of(document, "file");

	kh_say("%s", strcmp(file, "-") != 0 ? file : _("standard input"));
	if (kh_has(letter, "number"))
		kh_say(_(" · letter %s"), kh_text_of(letter, "number"));
	if (json_is_true(json_object_get(letter, "doubtful")))
		kh_say(_(" (not sure)"));
	if (kh_has(letter, "date"))
		kh_say(", %s", kh_date(kh_text_of(letter, "date")));
	if (kh_has(letter, "issuer"))
		kh_say(" · %s", kh_text_of(letter, "issuer"));
	kh_say("\n");
	if (kh_has(letter, "subject"))
		kh_say("%s\n", kh_text_of(letter, "subject"));
	if (json_array_size(json_object_get(letter, "relays")))
		kh_say(_("Passes on: %s\n"), kh_joined(json_object_get(letter, "relays"), 4));
	if (kh_has(letter, "report_by"))
		kh_say(_("Wants a report by %s\n"), kh_date(kh_text_of(letter, "report_by")));
}

static void show_document(const struct kh_judged *judged, const json_t *head)
{
	json_t *rows KH_CLEANUP(kh_json_decrefp) = kh_judged_rows(judged, ROWS_SHOWN);
	json_t *counts KH_CLEANUP(kh_json_decrefp) = kh_judged_counts(judged);
	const json_t *notes = json_object_get(head, "notes");

	show_head(head);
	for (size_t i = 0; i < json_array_size(notes); i++)
		kh_say("· %s\n", kh_text_at(notes, i));
	if (json_array_size(json_object_get(head, "cves")))
		kh_say("CVE: %s\n", kh_cves_of(head, 8));
	if (json_array_size(json_object_get(head, "hashes")))
		kh_say(_("File hashes: %zu\n"), json_array_size(json_object_get(head, "hashes")));
	kh_rows_show(rows, counts, 0, false);
	kh_rows_show_counts(counts, false);
}

/* ---- The command -------------------------------------------------------------------------------- */

/* What is printed of the files so far. */
struct printing {
	const struct kh_cli *cli;
	const struct judge *judge;
	bool csv;
	int only; /* a decision; -1: all */
	struct kh_indicator explain; /* the value asked about; used when asked */
	bool asked;
	json_t *rows; /* of it, with --json */
	size_t shown, explained;
	const char *ref, *date, *issuer; /* as the person corrects them; NULL: as read */
};

static void printing_clear(struct printing *printing)
{
	kh_indicator_clear(&printing->explain);
	json_decref(printing->rows);
}

/* Where the value stands, what was decided, and by which rule. */
static void explain(struct printing *printing, const struct kh_judged *judged)
{
	json_t *rows KH_CLEANUP(kh_json_decrefp) = kh_judged_rows_of(judged, &printing->explain);

	if (printing->cli->json) {
		printing->explained += json_array_size(rows);
		json_array_extend(printing->rows, rows);
		return;
	}
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		printing->explained++;
		kh_say("%s · %s\n", kh_text_of(row, "value"), kh_source(row));
		kh_say(_("  written: %s\n"), kh_text_of(row, "raw"));
		if (kh_has(row, "column"))
			kh_say(_("  column: %s\n"), kh_text_of(row, "column"));
		kh_say(_("  decision: %s, because: %s (%s)\n"), kh_text_of(row, "decision"),
		       kh_text_of(row, "sentence"), kh_text_of(row, "reason"));
		if (kh_has(row, "rule"))
			kh_say(_("  rule: %s\n"), kh_text_of(row, "rule"));
	}
}

/* The field, when it is given, as the person says it. 0 or -ENOMEM. */
static int correct(char **field, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (!text)
		return 0;
	if (!copy)
		return -ENOMEM;
	kh_text_printable(copy);
	free(*field);
	*field = copy;
	return 0;
}

static int correct_letter(const struct printing *printing, struct kh_letter *letter)
{
	int code = correct(&letter->number, printing->ref);

	if (!code && printing->ref)
		letter->doubtful = letter->attached = false;
	if (!code)
		code = correct(&letter->date, printing->date);
	if (!code)
		code = kh_issuers_name(printing->judge->issuers, letter);
	return code ? code : correct(&letter->issuer, printing->issuer);
}

static int print(struct printing *printing, struct kh_document *document)
{
	struct kh_judged judged KH_CLEANUP(kh_judged_clear) = {};
	int code = correct_letter(printing, &document->letter);
	json_t *head;

	if (code >= 0)
		code = kh_judged_make(&judged, document, printing->judge->guard);
	head = code < 0 ? NULL : kh_judged_head(&judged, printing->judge->notes);

	if (!head)
		return -ENOMEM;
	judged.only = printing->only;
	if (printing->asked) {
		explain(printing, &judged);
		json_decref(head);
		return 0;
	}
	if (printing->csv) {
		json_decref(head);
		return kh_judged_write_csv(&judged, !printing->shown++, stdout);
	}
	if (printing->cli->json) {
		printf("%s", printing->shown++ ? ",\n" : "");
		return kh_judged_write(&judged, head, stdout);
	}
	kh_say("%s", printing->shown++ ? "\n" : "");
	show_document(&judged, head);
	json_decref(head);
	return 0;
}

static int read_one(struct printing *printing, const char *name)
{
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	int fd KH_CLEANUP(kh_closep) = kh_input_open(name), code = fd;
	struct kh_error error = {};

	if (code < 0)
		kh_fail(&error, code, "%s: %s", name, kh_errno_text(-code));
	else
		code = kh_intake_read(name, fd, &documents, &error);
	for (size_t i = 0; i < documents.count && code >= 0; i++)
		code = print(printing, documents.list[i]);
	if (code == -ENOMEM)
		code = kh_fail(&error, -ENOMEM, "%s: %s", name, kh_errno_text(ENOMEM));
	if (code >= 0)
		return 0;
	/* on standard error even with --json: the other documents are still printed as one object */
	kh_complain("khien %s: %s", printing->cli->command->name, kh_printable(error.text));
	if (error.hint[0])
		kh_complain("→ %s", kh_printable(error.hint));
	return code;
}

/* 0, or the exit code: used wrongly. */
static int read_options_of(const struct kh_cli *cli, json_t *request, struct printing *printing)
{
	const char *only = json_string_value(json_object_get(request, ".only")),
		   *value = json_string_value(json_object_get(request, ".explain"));
	enum kh_decision decision = KH_ENFORCE;
	struct kh_error error = {};
	int code;

	printing->csv = kh_option_flag(request, ".csv");
	if (only && kh_decision_from_name(only, &decision))
		return kh_usage_error(cli, _("--only takes enforce, review, refuse or unenforceable"));
	if (printing->csv && cli->json)
		return kh_usage_error(cli, _("--csv and --json exclude each other"));
	printing->only = only ? (int)decision : -1;
	printing->asked = value != NULL;
	printing->rows = json_array();
	code = value ? kh_reader_value(value, &printing->explain, &error) : 0;
	return code && code != -EDOM ? kh_usage_error(cli, "%s", kh_printable(error.text)) : 0;
}

static int run_read(struct kh_cli *cli, json_t *request, int count, char **names)
{
	struct judge judge KH_CLEANUP(judge_clear) = {};
	struct printing printing KH_CLEANUP(printing_clear) = { .cli = cli, .judge = &judge };
	const char *folder = json_string_value(json_object_get(request, ".never_block"));
	int code = KH_EXIT_DONE;

	code = read_options_of(cli, request, &printing);
	if (!code)
		code = kh_letter_options(cli, request, ".date", ".issuer");
	if (code)
		return code;
	printing.ref = json_string_value(json_object_get(request, ".ref"));
	printing.date = json_string_value(json_object_get(request, ".date"));
	printing.issuer = json_string_value(json_object_get(request, ".issuer"));
	if (!folder)
		folder = getenv(NEVER_BLOCK_ENV);
	if (load_guard(&judge, folder && folder[0] ? folder : NEVER_BLOCK_DEFAULT) < 0 ||
	    !(judge.issuers =
		      kh_letter_issuers(json_string_value(json_object_get(request, ".issuers")), judge.notes))) {
		kh_show_error(cli, _("out of memory"), NULL);
		return KH_EXIT_FAILED;
	}
	if (cli->json && !printing.asked) {
		setvbuf(stdout, NULL, _IOFBF, (size_t)1 << 18);
		printf("{\"documents\": [\n");
	}
	for (int i = 0; i < count; i++)
		if (read_one(&printing, names[i]) < 0)
			code = KH_EXIT_FAILED;
	if (cli->json && !printing.asked)
		printf("%s]}\n", printing.shown ? "\n" : "");
	if (printing.asked && cli->json) {
		json_t *reply KH_CLEANUP(kh_json_decrefp) = json_pack("{s:O}", "rows", printing.rows);

		kh_json_print(reply);
	}
	if (printing.asked && !printing.explained && !cli->json && code == KH_EXIT_DONE) {
		kh_say(_("It stands in none of these documents.\n"));
		return KH_EXIT_FAILED;
	}
	return code;
}

static const struct kh_option read_options[] = {
	{ KH_OPTION_TEXT, "only", "DECISION", ".only",
	  N_("only rows that are: enforce, review, refuse or unenforceable") },
	{ KH_OPTION_FLAG, "csv", NULL, ".csv", N_("all rows as comma-separated values") },
	{ KH_OPTION_TEXT, "explain", "VALUE", ".explain",
	  N_("where this value stands, what was decided of it, and by which rule") },
	{ KH_OPTION_TEXT, "ref", "NUMBER", ".ref",
	  N_("the letter's number, when the file does not say it or says it wrong") },
	{ KH_OPTION_TEXT, "date", "DATE", ".date", N_("its date, likewise: 21/01/2023 or 2023-01-21") },
	{ KH_OPTION_TEXT, "issuer", "TEXT", ".issuer", N_("who issued it, likewise") },
	{ KH_OPTION_TEXT, "issuers", "FOLDER", ".issuers", N_("folder of lists of issuers to name them by") },
	{ KH_OPTION_TEXT, "never-block", "FOLDER", ".never_block", N_("folder of never-block lists to judge by") },
	{},
};

const struct kh_command kh_command_read = {
	.name = "read",
	.usage =
		"FILE... [--ref NUMBER] [--date DATE] [--issuer TEXT] [--only DECISION] [--csv] [--explain VALUE] [--never-block FOLDER] [--issuers FOLDER]",
	.summary = N_("what is in this document; needs no root and no daemon"),
	.help = N_(
		"FILE is whatever was sent: a letter (text, PDF, DOCX, ODT, a web page, mail, a scan), a table (XLSX, ODS, CSV), a list,\n"
		"STIX, MISP, or an archive of these; - is standard input. What was read from a picture always waits for review.\n"
		"Of a list of many thousands the first plain values are shown; --json gives them all.\n"
		"The gateway's own addresses are not known here: push judges by those too."),
	.options = read_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_read,
};
