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
#include "cli/plan.h"
#include "cli/render.h"
#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "guard/guard.h"
#include "reader/reader.h"

#ifndef KH_SYSCONFDIR
#define KH_SYSCONFDIR "/etc"
#endif
#define LIST_MAX ((size_t)8 << 20)

enum { NEVER_BLOCK = 1 };

static int is_list(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && entry->d_name[0] != '.' && !strcmp(entry->d_name + length - 5, ".list");
}

/* The guard of this folder; lists that cannot be read are named and left out. */
static struct kh_guard *load_guard(const char *folder)
{
	struct kh_guard *guard = kh_guard_new();
	struct dirent **entries = NULL;
	int count = guard ? scandir(folder, &entries, is_list, alphasort) : -1;

	if (guard && count < 0)
		kh_complain(_("note: never-block lists are not in %s (%s); judged without them"), folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX], *data KH_CLEANUP(kh_freep) = NULL;
		struct kh_error error = {};
		size_t length;

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (kh_file_read(path, LIST_MAX, &data, &length) < 0)
			kh_complain(_("note: %s cannot be read"), path);
		else if (kh_guard_add_list(guard, entries[i]->d_name, data, length, &error) < 0)
			kh_complain("%s", error.text);
		free(entries[i]);
	}
	free(entries);
	if (guard && kh_guard_seal(guard) < 0) {
		kh_guard_free(guard);
		return NULL;
	}
	return guard;
}

static json_t *text_or_null(const char *text)
{
	char *copy KH_CLEANUP(kh_freep) = text ? strdup(text) : NULL;

	if (!copy)
		return json_null();
	kh_text_printable(copy);
	return json_string(copy);
}

static json_t *finding_json(const struct kh_document *document, const struct kh_finding *finding, const struct kh_judgement *judgement)
{
	const struct kh_indicator *indicator = &finding->indicator;
	bool port = indicator->type == KH_TYPE_ADDRESS_PORT;
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(indicator);
	json_t *row = json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:o}", "type", kh_indicator_type_name(indicator->type), "value", text_or_null(value),
				"port", port ? json_integer(indicator->port) : json_null(), "protocol",
				port && indicator->protocol ? json_string(indicator->protocol == 6 ? "tcp" : "udp") : json_null(), "decision",
				kh_decision_name(judgement->decision), "reason", kh_decision_reason_name(judgement->reason), "raw",
				text_or_null(finding->raw));

	json_object_set_new(row, "page", finding->page ? json_integer(finding->page) : json_null());
	json_object_set_new(row, "line", json_integer(finding->line));
	json_object_set_new(row, "section", json_string(kh_section_name(finding->section)));
	json_object_set_new(row, "rule", judgement->rule[0] ? json_string(judgement->rule) : json_null());
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

static json_t *document_json(const struct kh_document *document, const struct kh_guard *guard)
{
	struct kh_judgement *judgements KH_CLEANUP(kh_freep) = calloc(document->findings_count + 1, sizeof(*judgements));
	const struct kh_letter *letter = &document->letter;
	json_t *rows = json_array();

	if (!judgements)
		return NULL;
	kh_guard_judge_all(guard, document->findings, document->findings_count, judgements);
	for (size_t i = 0; i < document->findings_count; i++)
		json_array_append_new(rows, finding_json(document, &document->findings[i], &judgements[i]));
	return json_pack("{s:o, s:s, s:{s:o, s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o}", "file", text_or_null(document->file), "format",
			 document->format, "letter", "number", text_or_null(letter->number), "date", text_or_null(letter->date), "issuer",
			 text_or_null(letter->issuer), "subject", text_or_null(letter->subject), "announced",
			 announced_json(&document->announced), "cves", texts_json(document->cves, document->cves_count), "hashes",
			 texts_json(document->hashes, document->hashes_count), "indicators", rows, "notes",
			 texts_json(document->notes, document->notes_count));
}

static void show_document(json_t *document)
{
	json_t *letter = json_object_get(document, "letter"), *item, *rows = json_object_get(document, "indicators");
	size_t index, counts[KH_DECISION_COUNT] = {};

	kh_say("%s", kh_text_of(document, "file"));
	if (kh_text_of(letter, "number")[0])
		kh_say(_(" · letter %s"), kh_text_of(letter, "number"));
	if (kh_text_of(letter, "date")[0])
		kh_say(" · %s", kh_text_of(letter, "date"));
	kh_say("\n");
	if (kh_text_of(letter, "subject")[0])
		kh_say("%s\n", kh_text_of(letter, "subject"));
	json_array_foreach(json_object_get(document, "notes"), index, item)
		kh_say("· %s\n", json_string_value(item));
	json_array_foreach(json_object_get(document, "cves"), index, item)
		kh_say("%s%s", index ? ", " : _("Vulnerabilities: "), json_string_value(item));
	if (json_array_size(json_object_get(document, "cves")))
		kh_say("\n");
	if (json_array_size(json_object_get(document, "hashes")))
		kh_say(_("File hashes: %zu\n"), json_array_size(json_object_get(document, "hashes")));
	kh_plan_show_rows(rows, 0);
	json_array_foreach(rows, index, item) {
		enum kh_decision decision;

		if (!kh_decision_from_name(kh_text_of(item, "decision"), &decision))
			counts[decision]++;
	}
	kh_say(_("To block %zu · to review %zu · refused %zu · unenforceable %zu\n"), counts[KH_ENFORCE], counts[KH_REVIEW], counts[KH_REFUSE],
	       counts[KH_UNENFORCEABLE]);
}

static json_t *read_one(const char *name, const struct kh_guard *guard)
{
	char *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_error error = {};
	size_t length;
	int code = kh_file_read(name, KH_READER_MAX_BYTES, &data, &length);

	if (code == -EFBIG)
		kh_fail(&error, code, _("%s: larger than %zu MiB"), name, KH_READER_MAX_BYTES >> 20);
	else if (code < 0)
		kh_fail(&error, code, "%s: %s", name, strerror(-code));
	else
		code = kh_reader_read(name, data, length, &document, &error);
	if (code < 0) {
		kh_complain("khien read: %s", error.text);
		if (error.hint[0])
			kh_complain("→ %s", error.hint);
		return NULL;
	}
	return document_json(document, guard);
}

static int run_read(struct kh_cli *cli, int argc, char **argv)
{
	static const struct kh_option options[] = { { "never-block", true, NEVER_BLOCK } };
	const char *folder = getenv("KHIEN_NEVER_BLOCK");
	json_t *documents, *document;
	struct kh_guard *guard;
	int letter, code = KH_EXIT_DONE;

	folder = folder ? folder : KH_SYSCONFDIR "/khien/never-block.d";
	while ((letter = kh_next_option(cli, argc, argv, options, KH_ARRAY_SIZE(options), &code)) >= 0)
		folder = optarg;
	if (letter == -2)
		return code;
	if (optind >= argc)
		return kh_usage_error(cli, _("name at least one file"));
	guard = load_guard(folder);
	if (!guard)
		return KH_EXIT_FAILED;
	documents = json_array();
	for (int i = optind; i < argc; i++) {
		document = read_one(argv[i], guard);
		if (!document) {
			code = KH_EXIT_FAILED;
			continue;
		}
		if (!cli->json)
			show_document(document);
		json_array_append_new(documents, document);
	}
	if (cli->json) {
		json_t *all = json_pack("{s:O}", "documents", documents);

		kh_print_json(all);
		json_decref(all);
	}
	json_decref(documents);
	kh_guard_free(guard);
	return code;
}

const struct kh_command kh_command_read = {
	.name = "read",
	.usage = "FILE... [--never-block FOLDER]",
	.summary = N_("what is in this document; needs no root and no daemon"),
	.run = run_read,
};
