// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/document.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/text.h"

/* ---- Rows --------------------------------------------------------------------------------------- */

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
	bool port = indicator->type == KH_TYPE_ADDRESS_PORT, domain = indicator->type == KH_TYPE_DOMAIN;
	char *value KH_CLEANUP(kh_freep) = domain ? strdup(indicator->text) : kh_indicator_format(indicator);
	json_t *row =
		json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:o}", "type", kh_indicator_type_name(indicator->type),
			  "value", text_or_null(value), "port", port ? json_integer(indicator->port) : json_null(),
			  "protocol", port ? protocol_or_null(indicator->protocol) : json_null(), "decision",
			  kh_decision_name(judgement->decision), "reason", kh_decision_reason_name(judgement->reason),
			  "raw", text_or_null(finding->raw));

	if (domain)
		json_object_set_new(row, "subdomains", json_boolean(indicator->subdomains));
	json_object_set_new(row, "column", text_or_null(finding->column));
	json_object_set_new(row, "page", finding->page ? json_integer(finding->page) : json_null());
	json_object_set_new(row, "line", json_integer(finding->line));
	json_object_set_new(row, "section", json_string(kh_section_name(finding->section)));
	json_object_set_new(row, "rule", judgement->rule[0] ? text_or_null(judgement->rule) : json_null());
	json_object_set_new(row, "sentence", json_string(gettext(kh_decision_reason_sentence(judgement->reason))));
	json_object_set_new(row, "cuts", json_integer((json_int_t)judgement->cuts));
	json_object_set_new(row, "file", text_or_null(document->file));
	return row;
}

/* A plain value of the long list. */
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

static json_t *finding_row(const struct kh_judged *judged, size_t index)
{
	return finding_json(judged->document, &judged->document->findings[index], &judged->judgements[index]);
}

static size_t rows_of(const struct kh_judged *judged)
{
	return kh_document_values(judged->document);
}

/* Is the row, a finding or a plain value, one of those asked for? */
static bool is_shown(const struct kh_judged *judged, size_t index)
{
	bool plain = index >= judged->document->findings_count;

	return judged->only < 0 || (int)(plain ? KH_ENFORCE : judged->judgements[index].decision) == judged->only;
}

json_t *kh_judged_rows(const struct kh_judged *judged, size_t most)
{
	size_t findings = judged->document->findings_count;
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < rows_of(judged); i++) {
		size_t index = judged->order[i];

		if (!is_shown(judged, index))
			continue;
		if (index < findings)
			json_array_append_new(rows, finding_row(judged, index));
		else if (most && most--)
			json_array_append_new(rows, bulk_json(judged->document, index - findings));
	}
	return rows;
}

json_t *kh_judged_counts(const struct kh_judged *judged)
{
	json_t *counts = json_object();
	const char *plain = kh_decision_name(KH_ENFORCE);

	json_object_set_new(counts, plain, json_integer((json_int_t)kh_bulk_count(&judged->document->bulk)));
	for (size_t i = 0; i < judged->document->findings_count; i++) {
		const char *decision = kh_decision_name(judged->judgements[i].decision);

		json_object_set_new(counts, decision, json_integer(kh_number_of(counts, decision) + 1));
	}
	return counts;
}

/* ---- The whole of it as JSON -------------------------------------------------------------------- */

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

static json_t *letter_json(const struct kh_letter *letter)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b}", "number", text_or_null(letter->number),
			 "date", text_or_null(letter->date), "issuer", text_or_null(letter->issuer), "subject",
			 text_or_null(letter->subject), "report_by", text_or_null(letter->report_by), "relays",
			 texts_json(letter->relays, letter->relays_count), "headed", letter->headed, "doubtful",
			 letter->doubtful, "attached", letter->attached);
}

/* Each CVE with how grave it is, as far as the document says. */
static json_t *grades_json(const struct kh_document *document)
{
	json_t *array = json_array();

	for (size_t i = 0; i < document->cves_count; i++) {
		struct kh_grade grade = kh_document_grade(document, i);

		json_array_append_new(array,
				      json_pack("{s:o, s:o, s:o}", "cve", text_or_null(document->cves[i]), "cvss",
						grade.score ? json_real(grade.score / 10.0) : json_null(), "severity",
						grade.level ? json_string(kh_level_name(grade.level)) : json_null()));
	}
	return array;
}

/* By their length. */
static json_t *hash_counts(const struct kh_document *document)
{
	json_int_t md5 = 0, sha1 = 0, sha256 = 0;

	for (size_t i = 0; i < document->hashes_count; i++) {
		size_t length = strlen(document->hashes[i]);

		*(length == 32 ? &md5 : length == 40 ? &sha1 : &sha256) += 1;
	}
	return json_pack("{s:I, s:I, s:I}", "md5", md5, "sha1", sha1, "sha256", sha256);
}

json_t *kh_judged_head(const struct kh_judged *judged, const json_t *more)
{
	const struct kh_document *document = judged->document;
	json_t *notes = texts_json(document->notes, document->notes_count);

	json_array_extend(notes, (json_t *)more);
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "file", text_or_null(document->file),
			 "format", document->format, "letter", letter_json(&document->letter), "announced",
			 announced_json(&document->announced), "cves", texts_json(document->cves, document->cves_count),
			 "vulnerabilities", grades_json(document), "hashes",
			 texts_json(document->hashes, document->hashes_count), "hash_counts", hash_counts(document),
			 "notes", notes);
}

/* What the plain values of one type have in common, as the members that follow value, raw and line. malloc'ed; NULL: out of memory. */
static char *common_members(const struct kh_document *document, size_t index)
{
	json_t *row = bulk_json(document, index);
	char *text;

	json_object_del(row, "value");
	json_object_del(row, "raw");
	json_object_del(row, "line");
	text = kh_json_text(row, JSON_COMPACT);
	json_decref(row);
	return text;
}

/* The members that the plain values of a type have in common, made once. */
struct common {
	char *members[KH_TYPE_COUNT];
};

static void common_clear(struct common *common)
{
	for (size_t i = 0; i < KH_TYPE_COUNT; i++)
		free(common->members[i]);
}

static int write_bulk(const struct kh_document *document, size_t index, struct common *common, FILE *stream)
{
	char value[KH_RANGE_TEXT];
	uint32_t line;
	struct kh_range range = kh_bulk_range(&document->bulk, index, &line);
	char **members = &common->members[kh_indicator_of_range(&range).type];

	if (!*members)
		*members = common_members(document, index);
	if (!*members)
		return -ENOMEM;
	kh_range_format(&range, value);
	fputs("{\"value\":\"", stream);
	fputs(value, stream);
	fputs("\",\"raw\":\"", stream);
	fputs(value, stream);
	fprintf(stream, "\",\"line\":%u,", line);
	fputs(*members + 1, stream);
	return 0;
}

static int write_finding(const struct kh_judged *judged, size_t index, FILE *stream)
{
	json_t *row KH_CLEANUP(kh_json_decrefp) = finding_row(judged, index);
	char *text KH_CLEANUP(kh_freep) = row ? kh_json_text(row, JSON_COMPACT) : NULL;

	if (!text)
		return -ENOMEM;
	fputs(text, stream);
	return 0;
}

int kh_judged_write(const struct kh_judged *judged, json_t *head, FILE *stream)
{
	char *text KH_CLEANUP(kh_freep) = kh_json_text(head, JSON_INDENT(2));
	size_t findings = judged->document->findings_count;
	struct common common KH_CLEANUP(common_clear) = {};
	int code = 0;

	json_decref(head);
	if (!text)
		return -ENOMEM;
	text[strlen(text) - 2] = '\0'; /* the line end and the brace */
	fprintf(stream, "%s,\n  \"indicators\": [", text);
	for (size_t i = 0, shown = 0; i < rows_of(judged) && code >= 0; i++) {
		size_t index = judged->order[i];

		if (!is_shown(judged, index))
			continue;
		fputs(shown++ ? ",\n" : "\n", stream);
		code = index < findings ? write_finding(judged, index, stream)
					: write_bulk(judged->document, index - findings, &common, stream);
	}
	fputs("\n]}", stream);
	return code;
}

/* ---- Other forms ------------------------------------------------------------------------------------ */

static void write_field(const char *text, bool first, FILE *stream)
{
	bool quoted = strpbrk(text, ",\"\r\n") != NULL;

	fputs(first ? "" : ",", stream);
	if (!quoted) {
		fputs(text, stream);
		return;
	}
	fputc('"', stream);
	for (; *text; text++)
		fprintf(stream, *text == '"' ? "\"\"" : "%c", *text);
	fputc('"', stream);
}

static void write_csv_row(const json_t *row, const char *const *names, FILE *stream)
{
	for (size_t i = 0; names[i]; i++) {
		const json_t *value = json_object_get(row, names[i]);
		char number[32] = "";

		if (json_is_integer(value))
			snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		write_field(json_is_string(value) ? json_string_value(value)
			    : json_is_true(value) ? "true"
						  : number,
			    !i, stream);
	}
	fputs("\r\n", stream);
}

int kh_judged_write_csv(const struct kh_judged *judged, bool names, FILE *stream)
{
	static const char *const columns[] = { "decision", "type",    "value",	"subdomains", "port",
					       "protocol", "reason",  "rule",	"file",	      "page",
					       "line",	   "section", "column", "raw",	      NULL };

	for (size_t i = 0; names && columns[i]; i++)
		write_field(columns[i], !i, stream);
	fputs(names ? "\r\n" : "", stream);
	for (size_t i = 0; i < rows_of(judged); i++) {
		size_t index = judged->order[i], findings = judged->document->findings_count;
		json_t *row;

		if (!is_shown(judged, index))
			continue;
		row = index < findings ? finding_row(judged, index) : bulk_json(judged->document, index - findings);
		if (!row)
			return -ENOMEM;
		write_csv_row(row, columns, stream);
		json_decref(row);
	}
	return 0;
}

/* The same value, or for an address one that holds it. */
static bool is_about(const struct kh_indicator *held, const struct kh_indicator *asked)
{
	if (!kh_indicator_compare(held, asked))
		return true;
	return kh_indicator_enforceable(held) && kh_indicator_enforceable(asked) &&
	       held->range.family == asked->range.family && held->range.first <= asked->range.first &&
	       held->range.last >= asked->range.last &&
	       (asked->type != KH_TYPE_ADDRESS_PORT || held->type != KH_TYPE_ADDRESS_PORT || held->port == asked->port);
}

json_t *kh_judged_rows_of(const struct kh_judged *judged, const struct kh_indicator *value)
{
	size_t findings = judged->document->findings_count;
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < rows_of(judged); i++) {
		size_t index = judged->order[i];
		struct kh_indicator held;
		struct kh_range range;

		if (index < findings) {
			held = judged->document->findings[index].indicator;
		} else {
			uint32_t line;

			range = kh_bulk_range(&judged->document->bulk, index - findings, &line);
			held = kh_indicator_of_range(&range);
		}
		if (is_about(&held, value))
			json_array_append_new(rows, index < findings ? finding_row(judged, index)
								     : bulk_json(judged->document, index - findings));
	}
	return rows;
}
