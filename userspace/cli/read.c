// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien read FILE...: what is in this document. Needs no root and no daemon: it reads and judges here, by the shipped never-block
 * lists; the gateway's own addresses are known to the daemon only, and join in at push.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/plan.h"
#include "cli/render.h"
#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "guard/guard.h"
#include "intake/intake.h"

#ifndef KH_SYSCONFDIR
#define KH_SYSCONFDIR "/etc"
#endif
#define LIST_MAX ((size_t)8 << 20)
#define NEVER_BLOCK_ENV "KHIEN_NEVER_BLOCK"
#define NEVER_BLOCK_DEFAULT KH_SYSCONFDIR "/khien/never-block.d"

struct judge {
	struct kh_guard *guard;
	json_t *notes; /* lists that are missing: said with each document, since its judgement is the weaker for it */
};

static void judge_clear(struct judge *judge)
{
	kh_guard_free(judge->guard);
	json_decref(judge->notes);
}

static void add_note(json_t *notes, const char *text)
{
	json_array_append_new(notes, json_string(text));
}

/* ---- The guard ---------------------------------------------------------------------------------- */

static int is_list(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && entry->d_name[0] != '.' && !strcmp(entry->d_name + length - 5, ".list");
}

static void load_list(struct judge *judge, const char *folder, const char *name)
{
	char path[PATH_MAX + NAME_MAX + 2], *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = {};
	size_t length;
	int code;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	code = kh_file_read(path, LIST_MAX, &data, &length);
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
	count = scandir(folder, &entries, is_list, alphasort);
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

/* ---- A document as JSON, the form both outputs are made of -------------------------------------- */

static json_t *text_or_null(const char *text)
{
	char *copy KH_CLEANUP(kh_freep) = text ? strdup(text) : NULL;

	if (!copy)
		return json_null();
	kh_text_printable(copy);
	return json_string(copy);
}

static json_t *protocol_or_null(uint8_t protocol)
{
	if (!protocol)
		return json_null();
	return json_string(protocol == IPPROTO_TCP ? "tcp" : "udp");
}

static json_t *finding_json(const struct kh_document *document, const struct kh_finding *finding,
			    const struct kh_judgement *judgement)
{
	const struct kh_indicator *indicator = &finding->indicator;
	bool port = indicator->type == KH_TYPE_ADDRESS_PORT;
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(indicator);
	json_t *row =
		json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:o}", "type", kh_indicator_type_name(indicator->type),
			  "value", text_or_null(value), "port", port ? json_integer(indicator->port) : json_null(),
			  "protocol", port ? protocol_or_null(indicator->protocol) : json_null(), "decision",
			  kh_decision_name(judgement->decision), "reason", kh_decision_reason_name(judgement->reason),
			  "raw", text_or_null(finding->raw));

	json_object_set_new(row, "page", finding->page ? json_integer(finding->page) : json_null());
	json_object_set_new(row, "line", json_integer(finding->line));
	json_object_set_new(row, "section", json_string(kh_section_name(finding->section)));
	json_object_set_new(row, "rule", judgement->rule[0] ? text_or_null(judgement->rule) : json_null());
	json_object_set_new(row, "sentence", json_string(gettext(kh_decision_reason_sentence(judgement->reason))));
	json_object_set_new(row, "cuts", json_integer((json_int_t)judgement->cuts));
	json_object_set_new(row, "file", text_or_null(document->file));
	return row;
}

static json_t *texts_json(char *const *texts, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, text_or_null(texts[i]));
	return array;
}

static json_t *announced_json(const struct kh_announced *announced)
{
	json_t *object = json_object();

	if (announced->addresses >= 0)
		json_object_set_new(object, "addresses", json_integer(announced->addresses));
	if (announced->domains >= 0)
		json_object_set_new(object, "domains", json_integer(announced->domains));
	if (announced->hashes >= 0)
		json_object_set_new(object, "hashes", json_integer(announced->hashes));
	return object;
}

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

static json_t *bulk_json(const struct kh_document *document, size_t index)
{
	static const struct kh_judgement plainly = { .decision = KH_ENFORCE, .reason = KH_WHY_TABLE };
	struct kh_finding finding = { .section = KH_SECTION_LIST };
	char raw[KH_RANGE_TEXT];
	struct kh_range range;
	uint32_t line;

	range = kh_bulk_range(&document->bulk, index, &line);
	finding.indicator = kh_indicator_of_range(&range);
	finding.raw = kh_range_format(&range, raw);
	finding.line = (int)line;
	return finding_json(document, &finding, &plainly);
}

struct place {
	uint32_t line;
	uint32_t index; /* of the findings, then of the bulk list */
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Findings in document order; of a long list, with the values of its bulk, by line. NULL: out of memory. */
static json_t *rows_json(const struct kh_document *document, const struct kh_judgement *judgements, bool is_long)
{
	size_t findings = document->findings_count, bulk = kh_bulk_count(&document->bulk);
	struct place *places KH_CLEANUP(kh_freep) = calloc(findings + bulk + 1, sizeof(*places));
	json_t *rows = places ? json_array() : NULL;

	for (size_t i = 0; rows && i < findings + bulk; i++) {
		places[i] = (struct place){ .index = (uint32_t)i };
		if (i >= findings)
			kh_bulk_range(&document->bulk, i - findings, &places[i].line);
		else if (is_long)
			places[i].line = (uint32_t)document->findings[i].line;
	}
	if (rows && is_long)
		qsort(places, findings + bulk, sizeof(*places), compare_places);
	for (size_t i = 0; rows && i < findings + bulk; i++) {
		size_t index = places[i].index;

		json_array_append_new(rows, index >= findings ? bulk_json(document, index - findings)
							      : finding_json(document, &document->findings[index],
									     &judgements[index]));
	}
	return rows;
}

static json_t *document_json(struct kh_document *document, const struct judge *judge)
{
	bool is_long = kh_bulk_count(&document->bulk) > 0;
	struct kh_judgement *judgements KH_CLEANUP(kh_freep) = judge_document(document, judge->guard);
	json_t *rows = judgements ? rows_json(document, judgements, is_long) : NULL, *notes;
	const struct kh_letter *letter = &document->letter;

	if (!rows)
		return NULL;
	notes = texts_json(document->notes, document->notes_count);
	json_array_extend(notes, judge->notes);
	return json_pack("{s:o, s:s, s:{s:o, s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o}", "file",
			 text_or_null(document->file), "format", document->format, "letter", "number",
			 text_or_null(letter->number), "date", text_or_null(letter->date), "issuer",
			 text_or_null(letter->issuer), "subject", text_or_null(letter->subject), "announced",
			 announced_json(&document->announced), "cves", texts_json(document->cves, document->cves_count),
			 "hashes", texts_json(document->hashes, document->hashes_count), "indicators", rows, "notes",
			 notes);
}

/* ---- A document as text ------------------------------------------------------------------------- */

static void show_head(const json_t *document)
{
	const json_t *letter = json_object_get(document, "letter");
	const char *file = kh_text_of(document, "file");

	kh_say("%s", strcmp(file, "-") != 0 ? file : _("standard input"));
	if (kh_has(letter, "number"))
		kh_say(_(" · letter %s"), kh_text_of(letter, "number"));
	if (kh_has(letter, "date"))
		kh_say(", %s", kh_date(kh_text_of(letter, "date")));
	if (kh_has(letter, "issuer"))
		kh_say(" · %s", kh_text_of(letter, "issuer"));
	kh_say("\n");
	if (kh_has(letter, "subject"))
		kh_say("%s\n", kh_text_of(letter, "subject"));
}

static void show_document(const json_t *document)
{
	const json_t *rows = json_object_get(document, "indicators"), *notes = json_object_get(document, "notes");
	json_t *counts KH_CLEANUP(kh_json_decrefp) = json_object();

	show_head(document);
	for (size_t i = 0; i < json_array_size(notes); i++)
		kh_say("· %s\n", kh_text_at(notes, i));
	if (json_array_size(json_object_get(document, "cves")))
		kh_say("CVE: %s\n", kh_joined(json_object_get(document, "cves"), 8));
	if (json_array_size(json_object_get(document, "hashes")))
		kh_say(_("File hashes: %zu\n"), json_array_size(json_object_get(document, "hashes")));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *decision = json_string_value(json_object_get(json_array_get(rows, i), "decision"));

		json_object_set_new(counts, decision, json_integer(kh_number_of(counts, decision) + 1));
	}
	kh_rows_show(rows, counts, 0, false);
	kh_rows_show_counts(counts, false);
}

/* ---- The command -------------------------------------------------------------------------------- */

static json_t *read_one(const struct kh_cli *cli, const char *name, const struct judge *judge)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	int fd KH_CLEANUP(kh_closep) = kh_input_open(name), code = fd;
	struct kh_error error = {};

	if (code < 0)
		kh_fail(&error, code, "%s: %s", name, kh_errno_text(-code));
	else
		code = kh_intake_read(name, fd, &document, &error);
	if (code >= 0)
		return document_json(document, judge);
	/* on standard error even with --json: the other documents are still printed as one object */
	kh_complain("khien %s: %s", cli->command->name, kh_printable(error.text));
	if (error.hint[0])
		kh_complain("→ %s", kh_printable(error.hint));
	return NULL;
}

static int run_read(struct kh_cli *cli, json_t *request, int count, char **names)
{
	struct judge judge KH_CLEANUP(judge_clear) = {};
	json_t *all KH_CLEANUP(kh_json_decrefp) = json_pack("{s:[]}", "documents");
	const char *folder = json_string_value(json_object_get(request, ".never_block"));
	int code = KH_EXIT_DONE, shown = 0;

	if (!folder)
		folder = getenv(NEVER_BLOCK_ENV);
	if (load_guard(&judge, folder && folder[0] ? folder : NEVER_BLOCK_DEFAULT) < 0) {
		kh_show_error(cli, _("out of memory"), NULL);
		return KH_EXIT_FAILED;
	}
	for (int i = 0; i < count; i++) {
		json_t *document = read_one(cli, names[i], &judge);

		if (!document) {
			code = KH_EXIT_FAILED;
			continue;
		}
		if (!cli->json) {
			kh_say("%s", shown++ ? "\n" : "");
			show_document(document);
			json_decref(document);
		} else {
			json_array_append_new(json_object_get(all, "documents"), document);
		}
	}
	if (cli->json)
		kh_json_print(all);
	return code;
}

static const struct kh_option read_options[] = {
	{ KH_OPTION_TEXT, "never-block", "FOLDER", ".never_block", N_("folder of never-block lists to judge by") },
	{},
};

const struct kh_command kh_command_read = {
	.name = "read",
	.usage = "FILE... [--never-block FOLDER]",
	.summary = N_("what is in this document; needs no root and no daemon"),
	.help = N_("FILE is a letter as text, or a list with one value a line; - is standard input.\n"
		   "The gateway's own addresses are not known here: push judges by those too."),
	.options = read_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_read,
};
