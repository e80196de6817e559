// SPDX-License-Identifier: GPL-2.0-or-later
#include "reader/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "reader/reader.h"

#define VALUE_MAX ((size_t)4096)

bool kh_tree_looks(const struct kh_input *input, const char *first, const char *word)
{
	size_t start = 0;

	while (start < input->length && kh_is_blank(input->text[start]))
		start++;
	if (start >= input->length || !strchr(first, input->text[start]))
		return false;
	return memmem(input->text + start, input->length - start, word, strlen(word)) != NULL;
}

/* The end of the string that begins at `at`, which holds a quotation mark; or `length`. */
static size_t string_end(const char *text, size_t length, size_t at)
{
	for (at++; at < length && text[at] != '"'; at++)
		at += text[at] == '\\';
	return at < length ? at : length;
}

static size_t blanks(const char *text, size_t length, size_t at)
{
	while (at < length && kh_is_blank(text[at]))
		at++;
	return at;
}

static bool is_string(const char *text, size_t length, size_t at, const char *expected)
{
	size_t size = strlen(expected);

	return at + size + 1 < length && text[at] == '"' && !memcmp(text + at + 1, expected, size) &&
	       text[at + 1 + size] == '"';
}

bool kh_tree_has(const struct kh_input *input, const char *name, const char *text)
{
	const char *from = input->text;
	size_t length = input->length, at = blanks(from, length, 0), depth = 0;
	size_t wanted = at < length && from[at] == '[' ? 2 : 1;

	for (; at < length; at++) {
		if (from[at] == '{' || from[at] == '[') {
			depth++;
		} else if (from[at] == '}' || from[at] == ']') {
			if (depth-- <= wanted) /* the object ends */
				return false;
		} else if (from[at] == '"') {
			size_t end = string_end(from, length, at), colon = blanks(from, length, end + 1);
			bool found = depth == wanted && colon < length && from[colon] == ':' &&
				     is_string(from, length, at, name);

			if (found && (!text || is_string(from, length, blanks(from, length, colon + 1), text)))
				return true;
			at = end;
		}
	}
	return false;
}

/* The line of each '{' outside of strings. */
static int find_lines(struct kh_tree *tree)
{
	const char *text = tree->input->text;
	size_t capacity = 0;
	bool string = false;
	int line = 1;

	for (size_t i = 0; i < tree->input->length; i++) {
		line += text[i] == '\n';
		if (string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			string = !string;
		if (string || text[i] != '{')
			continue;
		if (kh_grow(&tree->lines, &capacity, tree->lines_count + 1, sizeof(*tree->lines)))
			return -ENOMEM;
		tree->lines[tree->lines_count++] = line;
	}
	return 0;
}

static int scrub_text(json_t *value)
{
	size_t length = json_string_length(value);
	const char *text = json_string_value(value);
	char *copy KH_CLEANUP(kh_freep) = NULL;

	if (strlen(text) == length)
		return 0;
	copy = malloc(length);
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++)
		copy[i] = text[i] ? text[i] : '\x7f';
	return json_string_setn_nocheck(value, copy, length) ? -ENOMEM : 0;
}

/* Puts another control character for each NUL, so that no text seems to end before it does. */
static int scrub(json_t *value)
{
	int result = json_is_string(value) ? scrub_text(value) : 0;
	const char *name;
	size_t index;
	json_t *member;

	json_array_foreach(value, index, member) {
		if (!result)
			result = scrub(member);
	}
	json_object_foreach(value, name, member) {
		if (!result)
			result = scrub(member);
	}
	return result;
}

int kh_tree_open(const struct kh_input *input, struct kh_collector *collector, struct kh_tree *ret_tree)
{
	json_error_t why;

	*ret_tree = (struct kh_tree){ .input = input, .collector = collector };
	ret_tree->root = json_loadb(input->text, input->length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	if (ret_tree->root && memmem(input->text, input->length, "\\u0000", 6) && scrub(ret_tree->root))
		return -ENOMEM;
	if (ret_tree->root)
		return find_lines(ret_tree);
	if (json_error_code(&why) == json_error_out_of_memory)
		return -ENOMEM;
	kh_text_printable(why.text);
	kh_fail_at(collector->error, -EINVAL, why.line, _("%s: line %d, column %d: not valid JSON: %s"), input->file,
		   why.line, why.column, why.text);
	if (collector->error)
		collector->error->column = why.column;
	kh_hint(collector->error, _("have it sent again, whole"));
	return -EINVAL;
}

void kh_tree_close(struct kh_tree *tree)
{
	json_decref(tree->root);
	free(tree->lines);
	*tree = (struct kh_tree){};
}

/* `visit` NULL: only counts. */
static int walk(struct kh_tree *tree, const char *key, json_t *value, kh_tree_visitor visit, void *context)
{
	bool inside = true;
	int line, result = 0;
	size_t index;
	const char *name;
	json_t *member;

	if (json_is_array(value)) {
		json_array_foreach(value, index, member) {
			result = walk(tree, key, member, visit, context);
			if (result)
				return result;
		}
		return 0;
	}
	if (!json_is_object(value))
		return 0;
	line = tree->next < tree->lines_count ? tree->lines[tree->next++] : 1;
	if (visit)
		result = visit(context, key, value, line, &inside);
	json_object_foreach(value, name, member) {
		if (!result)
			result = walk(tree, name, member, inside ? visit : NULL, context);
	}
	return result;
}

int kh_tree_walk(struct kh_tree *tree, kh_tree_visitor visit, void *context)
{
	tree->next = 0;
	return walk(tree, "", tree->root, visit, context);
}

const char *kh_tree_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

bool kh_tree_true(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);

	return json_is_true(value) || json_integer_value(value) == 1 ||
	       (text && (!strcmp(text, "1") || !strcasecmp(text, "true")));
}

int64_t kh_tree_time(const char *text)
{
	struct tm calendar = {};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &calendar);
	int hours = 0, minutes = 0;
	int64_t seconds;
	char sign;

	if (!end) {
		memset(&calendar, 0, sizeof(calendar));
		end = strptime(text, "%Y-%m-%d", &calendar);
	}
	if (!end)
		return 0;
	seconds = timegm(&calendar);
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (sscanf(end, "%c%2d:%2d", &sign, &hours, &minutes) == 3 && (sign == '+' || sign == '-'))
		seconds -= (sign == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
	return seconds > 0 ? seconds : 0;
}

/* ---- Values ------------------------------------------------------------------------------------------- */

/* "tcp://203.0.113.7:443/" without its dress; the protocol goes to *ret_protocol. */
static const char *undress(char *text, uint8_t *ret_protocol)
{
	static const struct {
		const char *scheme;
		uint8_t protocol;
	} schemes[] = { { "tcp://", 6 }, { "udp://", 17 } };
	size_t length;

	for (size_t i = 0; i < KH_ARRAY_SIZE(schemes); i++) {
		if (strncasecmp(text, schemes[i].scheme, 6) != 0)
			continue;
		text += 6;
		length = strlen(text);
		if (length && text[length - 1] == '/')
			text[length - 1] = '\0';
		*ret_protocol = schemes[i].protocol;
		break;
	}
	return text;
}

/* Does it hold control characters, which JSON can? They stand in no value, and must not reach the document. 1, 0, -ENOMEM. */
static int clean(char *text)
{
	char *before KH_CLEANUP(kh_freep) = strdup(text);

	if (!before)
		return -ENOMEM;
	kh_text_printable(text);
	return strcmp(before, text) != 0;
}

static int collect_text(struct kh_collector *collector, const char *text, size_t length, struct kh_place *place)
{
	struct kh_indicator indicator = { .type = KH_TYPE_UNKNOWN,
					  .text = strndup(text, length < 256 ? length : kh_utf8_check(text, 256)) };

	if (!indicator.text)
		return -ENOMEM;
	kh_text_printable(indicator.text);
	place->proposed = KH_REVIEW;
	place->reason = KH_WHY_MALFORMED;
	return kh_collect_take(collector, &indicator, place);
}

/* What is said of the value, by its type. */
static void place_value(const struct kh_indicator *indicator, const struct kh_claim *claim, struct kh_place *place)
{
	bool url = indicator->type == KH_TYPE_URL;

	place->proposed = claim->proposed;
	place->reason = claim->reason;
	if (claim->proposed == KH_ENFORCE && !kh_indicator_enforceable(indicator)) {
		place->proposed = KH_UNENFORCEABLE;
		place->reason = url ? KH_WHY_URL : KH_WHY_DOMAIN;
	} else if (claim->proposed == KH_ENFORCE && (claim->reason == KH_WHY_DOMAIN || claim->reason == KH_WHY_URL ||
						     claim->reason == KH_WHY_SHARED_HOST)) {
		place->proposed = KH_REVIEW; /* said of an address, it says nothing */
		place->reason = KH_WHY_PROSE;
	}
}

int kh_tree_cve(struct kh_collector *collector, const char *text)
{
	size_t digits;

	text += strspn(text, " \t");
	if (strncasecmp(text, "CVE-", 4) != 0 || strspn(text + 4, "0123456789") != 4 || text[8] != '-')
		return 0;
	digits = strspn(text + 9, "0123456789");
	return digits >= 4 && digits <= 10 ? kh_collect_cve(collector, text, 9 + digits) : 0;
}

/* As trimmed, of `length` bytes; *copy is its own, and changed. */
static int take_value(struct kh_collector *collector, char *copy, size_t length, const struct kh_claim *claim,
		      struct kh_place *place)
{
	struct kh_indicator indicator = {};
	uint8_t protocol = claim->protocol;
	char *text KH_CLEANUP(kh_freep) = strdup(copy);
	int code = -EINVAL;

	if (!text)
		return -ENOMEM;
	if (length <= VALUE_MAX)
		code = kh_reader_value(undress(copy, &protocol), &indicator, NULL);
	if (code == -ENOMEM)
		return code;
	if (code == -EINVAL)
		return collect_text(collector, text, length, place);
	place_value(&indicator, claim, place);
	if (code == -EDOM && place->proposed == KH_ENFORCE) {
		place->proposed = KH_REVIEW;
		place->reason = KH_WHY_HOST_BITS;
	}
	if (claim->port && indicator.type == KH_TYPE_ADDRESS) {
		indicator.type = KH_TYPE_ADDRESS_PORT;
		indicator.port = claim->port;
	} else if (claim->port && place->proposed == KH_ENFORCE && indicator.port != claim->port) {
		place->proposed = KH_REVIEW; /* the port of a prefix cannot be told to the packet programs */
		place->reason = KH_WHY_CONDITION;
	}
	if (indicator.type == KH_TYPE_ADDRESS_PORT && protocol)
		indicator.protocol = protocol;
	return kh_collect_take(collector, &indicator, place);
}

int kh_tree_value(struct kh_collector *collector, const char *text, const struct kh_claim *claim)
{
	struct kh_place place = {
		.section = claim->raw ? claim->section : KH_SECTION_LIST,
		.page = claim->page,
		.line = claim->line,
		.starts = claim->starts,
		.expires = claim->expires,
	};
	char *copy KH_CLEANUP(kh_freep) = NULL, *raw KH_CLEANUP(kh_freep) = NULL;
	size_t length;
	int dirty;

	text += strspn(text, " \t\r\n");
	length = strlen(text);
	while (length && kh_is_blank(text[length - 1]))
		length--;
	if (!length)
		return 0;
	copy = strndup(text, length);
	raw = claim->raw ? strdup(claim->raw) : strndup(text, length);
	dirty = copy && raw ? clean(copy) : -ENOMEM;
	if (dirty < 0)
		return dirty;
	kh_text_printable(raw);
	place.raw = raw;
	place.raw_length = strlen(raw);
	return dirty ? collect_text(collector, copy, strlen(copy), &place)
		     : take_value(collector, copy, length, claim, &place);
}
