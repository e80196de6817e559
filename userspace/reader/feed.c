// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists in JSON: an object a line with a "cidr" (Spamhaus), rule sets of sing-box, arrays of values; and what `khien read --json` printed on another machine. The last
 * is believed no more than a document is: its decisions are made again.
 */
#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "reader/reader.h"
#include "reader/tree.h"

/* ---- What was read elsewhere ---------------------------------------------------------------------------- */

static int set_field(char **field, const char *text)
{
	if (*field || !*text)
		return 0;
	*field = strdup(text);
	if (!*field)
		return -ENOMEM;
	kh_text_printable(*field);
	return 0;
}

/* The proposal that the row's own reason makes, never its decision. */
static void claim_of(const json_t *row, struct kh_claim *claim)
{
	static const enum kh_decision_reason enforcing[] = { KH_WHY_TABLE, KH_WHY_ANNEX, KH_WHY_DEFANGED,
							     KH_WHY_ACTIONABLE };
	const char *name = kh_tree_text(row, "reason");
	const char *raw = kh_tree_text(row, "raw");
	json_int_t line = json_integer_value(json_object_get(row, "line"));
	json_int_t page = json_integer_value(json_object_get(row, "page"));

	claim->line = line > 0 && line < INT32_MAX ? (int)line : claim->line;
	claim->page = page > 0 && page < INT32_MAX ? (int)page : 0;
	claim->raw = *raw ? raw : NULL;
	for (enum kh_section section = KH_SECTION_BODY; section <= KH_SECTION_LIST; section++)
		if (!strcmp(kh_section_name(section), kh_tree_text(row, "section")))
			claim->section = section;
	claim->proposed = KH_REVIEW;
	if (kh_decision_reason_from_name(name, &claim->reason))
		claim->reason = KH_WHY_PROSE;
	for (size_t i = 0; i < KH_ARRAY_SIZE(enforcing); i++)
		if (claim->reason == enforcing[i])
			claim->proposed = KH_ENFORCE;
	/* a refusal, or that no packet shows it, is judged here: where it stood is not known any more */
	if (claim->proposed == KH_REVIEW &&
	    (claim->reason == KH_WHY_DOMAIN || claim->reason == KH_WHY_URL || claim->reason == KH_WHY_SHARED_HOST))
		claim->proposed = KH_ENFORCE;
}

static int read_row(struct kh_collector *collector, const json_t *row, int line)
{
	struct kh_claim claim = { .line = line };
	const char *value = kh_tree_text(row, "value");
	char *wide KH_CLEANUP(kh_freep) = NULL;

	claim_of(row, &claim);
	if (!json_is_true(json_object_get(row, "subdomains")))
		return kh_tree_value(collector, value, &claim);
	if (asprintf(&wide, "*.%s", value) < 0)
		return -ENOMEM;
	return kh_tree_value(collector, wide, &claim);
}

#define NOTES_MAX 100

/* What was said of it there; of the guard there it says nothing that holds here, but a person may want to know. */
static int read_notes(struct kh_collector *collector, const json_t *document)
{
	const json_t *notes = json_object_get(document, "notes");
	int result = 0;

	for (size_t i = 0; i < json_array_size(notes) && i < NOTES_MAX && !result; i++) {
		const char *text = json_string_value(json_array_get(notes, i));

		if (text)
			result = kh_collect_note(collector, "%.400s", text);
	}
	return result;
}

static uint8_t tenths_of(double score)
{
	uint8_t below = (uint8_t)(score * 10);

	return (uint8_t)(below + (score * 10 - below >= 0.5));
}

/* How grave each is: numbers and words of the form that it has here, or nothing. */
static int read_grades(struct kh_collector *collector, const json_t *document)
{
	const json_t *rows = json_object_get(document, "vulnerabilities"), *row;
	int result = 0;

	for (size_t i = 0; i < json_array_size(rows) && !result; i++) {
		const char *name = kh_tree_text(row = json_array_get(rows, i), "cve");
		double score = json_number_value(json_object_get(row, "cvss"));
		const struct kh_grade grade = {
			.level = (uint8_t)kh_level_from_name(kh_tree_text(row, "severity")),
			.score = score > 0 && score <= 10 ? tenths_of(score) : 0,
		};
		int64_t position = kh_collect_find_cve(collector, name, strlen(name));

		if (position >= 0 && (grade.level || grade.score))
			result = kh_collect_grade(collector, (size_t)position, &grade);
		else if (position == -ENOMEM)
			result = -ENOMEM;
	}
	return result;
}

/* The letter as it was read there, and what is not sure of it. */
static int read_head(struct kh_letter *letter, const json_t *head)
{
	const char *date = kh_tree_text(head, "date"), *until = kh_tree_text(head, "report_by");
	const json_t *relays = json_object_get(head, "relays");
	int result = set_field(&letter->number, kh_tree_text(head, "number"));

	if (!result)
		result = set_field(&letter->date, kh_tree_time(date) ? date : "");
	if (!result)
		result = set_field(&letter->issuer, kh_tree_text(head, "issuer"));
	if (!result)
		result = set_field(&letter->subject, kh_tree_text(head, "subject"));
	if (!result)
		result = set_field(&letter->report_by, kh_tree_time(until) ? until : "");
	letter->headed = json_is_true(json_object_get(head, "headed"));
	letter->doubtful = letter->number && json_is_true(json_object_get(head, "doubtful"));
	letter->attached = letter->number && json_is_true(json_object_get(head, "attached"));
	for (size_t i = 0; i < json_array_size(relays) && !result; i++) {
		char *number KH_CLEANUP(kh_freep) = NULL;

		result = set_field(&number, json_is_string(json_array_get(relays, i))
						    ? json_string_value(json_array_get(relays, i))
						    : "");
		if (!result && number)
			result = kh_letter_relay(letter, KH_TAKE(number));
	}
	return result;
}

static int read_facts(struct kh_collector *collector, const json_t *document)
{
	const json_t *cves = json_object_get(document, "cves"), *hashes = json_object_get(document, "hashes");
	int result = 0;

	for (size_t i = 0; i < json_array_size(cves) && !result; i++) {
		const char *text = json_string_value(json_array_get(cves, i));

		result = text ? kh_tree_cve(collector, text) : 0;
	}
	for (size_t i = 0; i < json_array_size(hashes) && !result; i++) {
		const char *text = json_string_value(json_array_get(hashes, i));
		size_t length = text ? strlen(text) : 0;

		if ((length == 32 || length == 40 || length == 64) && strspn(text, "0123456789abcdef") == length)
			result = kh_collect_hash(collector, text, length);
	}
	return result;
}

/* Each document but the first is handed on as one by itself: it may be another letter. */
static int hand_on(struct kh_collector *collector, json_t *document, size_t number)
{
	json_t *alone = json_pack("{s:[O]}", "documents", document);
	char name[64], *text = alone ? json_dumps(alone, JSON_COMPACT) : NULL;
	int result = -ENOMEM;

	snprintf(name, sizeof(name), "%zu", number + 1);
	if (text)
		result = kh_collect_part(collector, name, text, strlen(text));
	free(text);
	json_decref(alone);
	return result;
}

struct elsewhere {
	struct kh_collector *collector;
	const json_t *rows; /* of the first document */
};

static int visit_row(void *context, const char *key, json_t *object, int line, bool *ret_inside)
{
	struct elsewhere *elsewhere = context;

	if (strcmp(key, "indicators") != 0)
		return 0;
	*ret_inside = false;
	for (size_t i = 0; elsewhere->rows && i < 1; i++)
		return read_row(elsewhere->collector, object, line);
	return 0;
}

static int read_elsewhere(struct kh_tree *tree)
{
	json_t *documents = json_object_get(tree->root, "documents"), *first = json_array_get(documents, 0),
	       *head = json_object_get(first, "letter");
	struct elsewhere elsewhere = { tree->collector, json_object_get(first, "indicators") };
	int result = 0;

	for (size_t i = 1; i < json_array_size(documents) && !result; i++)
		result = hand_on(tree->collector, json_array_get(documents, i), i);
	while (json_array_size(documents) > 1 && !result)
		json_array_remove(documents, json_array_size(documents) - 1);
	if (!result)
		result = read_head(&tree->collector->document->letter, head);
	if (!result)
		result = read_facts(tree->collector, first);
	if (!result)
		result = read_grades(tree->collector, first);
	if (!result)
		result = read_notes(tree->collector, first);
	return result ? result : kh_tree_walk(tree, visit_row, &elsewhere);
}

/* ---- Rule sets and arrays ------------------------------------------------------------------------------------- */

static int read_strings(struct kh_collector *collector, const json_t *values, bool subdomains,
			const struct kh_claim *claim)
{
	size_t count = json_is_string(values) ? 1 : json_array_size(values);

	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_is_string(values) ? values : json_array_get(values, i));
		char *wide KH_CLEANUP(kh_freep) = NULL;
		int result;

		if (!text)
			continue;
		if (subdomains && asprintf(&wide, "*.%s", text + (*text == '.')) < 0)
			return -ENOMEM;
		result = kh_tree_value(collector, wide ? wide : text, claim);
		if (result)
			return result;
	}
	return 0;
}

/* Its values are alternatives to each other; any further member (a port, a process, "invert") narrows them or turns them round. */
static bool is_narrowed(json_t *rule)
{
	static const char *const alternatives[] = { "domain",  "domain_suffix", "domain_keyword", "domain_regex",
						    "ip_cidr", "type",		"mode",		  "rules" };
	const char *name;
	json_t *member;

	json_object_foreach(rule, name, member) {
		bool known = false;

		for (size_t i = 0; i < KH_ARRAY_SIZE(alternatives); i++)
			known = known || !strcmp(name, alternatives[i]);
		if (!known && !json_is_false(member))
			return true;
	}
	return !strcmp(kh_tree_text(rule, "mode"), "and");
}

#define RULE_DEPTH_MAX 16

struct rules {
	struct kh_collector *collector;
	size_t unread; /* key words and regular expressions; rules nested too deep */
};

static int read_rule(struct rules *rules, json_t *rule, bool narrowed, int line, int depth)
{
	struct kh_claim claim = { .proposed = KH_ENFORCE, .reason = KH_WHY_TABLE, .line = line };
	json_t *inner = json_object_get(rule, "rules"), *one;
	size_t index;
	int result;

	narrowed = narrowed || is_narrowed(rule);
	if (narrowed) {
		claim.proposed = KH_REVIEW;
		claim.reason = KH_WHY_CONDITION;
	}
	rules->unread += json_object_get(rule, "domain_keyword") || json_object_get(rule, "domain_regex") ||
			 (inner && depth >= RULE_DEPTH_MAX);
	result = read_strings(rules->collector, json_object_get(rule, "domain"), false, &claim);
	if (!result)
		result = read_strings(rules->collector, json_object_get(rule, "domain_suffix"), true, &claim);
	if (!result)
		result = read_strings(rules->collector, json_object_get(rule, "ip_cidr"), false, &claim);
	json_array_foreach(inner, index, one) {
		if (!result && depth < RULE_DEPTH_MAX)
			result = read_rule(rules, one, narrowed, line, depth + 1);
	}
	return result;
}

static int visit_rule(void *context, const char *key, json_t *object, int line, bool *ret_inside)
{
	if (strcmp(key, "rules") != 0)
		return 0;
	*ret_inside = false;
	return read_rule(context, object, false, line, 0);
}

static int read_rules(struct kh_tree *tree)
{
	struct rules rules = { .collector = tree->collector };
	int result = kh_tree_walk(tree, visit_rule, &rules);

	if (result || !rules.unread)
		return result;
	return kh_collect_note(tree->collector,
			       _("rules by key word, regular expression or too deep in others, not read: %zu"),
			       rules.unread);
}

static bool is_array_of_strings(const json_t *root)
{
	for (size_t i = 0; i < json_array_size(root); i++)
		if (!json_is_string(json_array_get(root, i)))
			return false;
	return json_array_size(root) > 0;
}

/* ---- An object a line --------------------------------------------------------------------------------------------- */

static bool is_lines(const struct kh_input *input)
{
	const char *newline = memchr(input->text, '\n', input->length);
	size_t length = newline ? (size_t)(newline - input->text) : input->length;

	return memmem(input->text, length, "\"cidr\"", 6) || memmem(input->text, length, "\"ip\"", 4);
}

static int read_lines(const struct kh_input *input, struct kh_collector *collector)
{
	struct kh_lines lines;
	struct kh_line line;
	size_t others = 0, first = 0;
	int result, code = 0;

	kh_lines_init(&lines, input->text, input->length);
	while (!code && (result = kh_lines_next(&lines, &line)) == 1) {
		json_t *object = json_loadb(line.text, line.length, 0, NULL);
		const struct kh_claim claim = { .proposed = KH_ENFORCE, .reason = KH_WHY_TABLE, .line = line.number };
		const char *value = kh_tree_text(object, "cidr");

		value = *value ? value : kh_tree_text(object, "ip");
		if (*value)
			code = kh_tree_value(collector, value, &claim);
		else if (line.length && strcmp(kh_tree_text(object, "type"), "metadata") != 0 && !others++)
			first = (size_t)line.number;
		json_decref(object);
	}
	if (code)
		return code;
	if (result)
		return kh_fail_long_line(input, &line, collector->error);
	return others ? kh_collect_note(collector, _("lines without a value: %zu, the first is line %zu"), others,
					first)
		      : 0;
}

/* ---- All ---------------------------------------------------------------------------------------------------------- */

int kh_feed_recognise(const struct kh_input *input)
{
	if (!kh_tree_looks(input, "{[", "\""))
		return 0;
	if (kh_tree_has(input, "documents", NULL) && kh_tree_looks(input, "{", "\"indicators\""))
		return 1;
	if (kh_tree_has(input, "rules", NULL) && kh_tree_has(input, "version", NULL))
		return 1;
	if (kh_tree_looks(input, "[", "\""))
		return !kh_tree_looks(input, "[", "{");
	return is_lines(input);
}

int kh_feed_read(const struct kh_input *input, struct kh_collector *collector)
{
	struct kh_tree tree KH_CLEANUP(kh_tree_close) = {};
	int result;

	if (kh_tree_looks(input, "{", "") && is_lines(input) && !kh_tree_looks(input, "{", "\"documents\""))
		return read_lines(input, collector);
	result = kh_tree_open(input, collector, &tree);
	if (result)
		return result;
	if (json_is_array(json_object_get(tree.root, "documents")))
		return read_elsewhere(&tree);
	if (is_array_of_strings(tree.root))
		return read_strings(collector, tree.root, false,
				    &(struct kh_claim){ .proposed = KH_ENFORCE, .reason = KH_WHY_TABLE, .line = 1 });
	return read_rules(&tree);
}
