// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "reader/pattern_terms.h"

#define DEPTH_MAX 64
#define TERMS_MAX 200000 /* more than a pattern of that length can have without AND */
#define WORK_LEAST 256
#define PATH_MAX_BYTES 512
#define PATTERN_MAX ((size_t)1 << 20)

void kh_pattern_terms_clear(struct kh_pattern_terms *terms)
{
	free(terms->list);
	*terms = (struct kh_pattern_terms){};
}

void kh_pattern_clear(struct kh_pattern *pattern)
{
	for (size_t i = 0; i < pattern->count; i++) {
		struct kh_pattern_test *proposition = &pattern->propositions[i];

		for (size_t j = 0; j < proposition->values_count; j++)
			free(proposition->values[j]);
		free(proposition->values);
		free(proposition->path);
	}
	free(pattern->propositions);
}

/* ---- Words --------------------------------------------------------------------------------------------- */

static void skip(struct kh_pattern *pattern)
{
	for (;;) {
		pattern->at += strspn(pattern->at, " \t\r\n\f\v");
		if (!strncmp(pattern->at, "//", 2)) {
			pattern->at += strcspn(pattern->at, "\r\n");
		} else if (!strncmp(pattern->at, "/*", 2)) {
			const char *end = strstr(pattern->at + 2, "*/");

			pattern->at = end ? end + 2 : pattern->at + strlen(pattern->at);
		} else {
			return;
		}
	}
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool take_char(struct kh_pattern *pattern, char c)
{
	skip(pattern);
	if (*pattern->at != c)
		return false;
	pattern->at++;
	return true;
}

static bool word_ahead(struct kh_pattern *pattern, const char *word)
{
	size_t length = strlen(word);

	skip(pattern);
	return !strncasecmp(pattern->at, word, length) && !is_name(pattern->at[length]);
}

static bool take_word(struct kh_pattern *pattern, const char *word)
{
	if (!word_ahead(pattern, word))
		return false;
	pattern->at += strlen(word);
	return true;
}

/* '...' with \' and \\ in it. malloc'ed, no longer than it is: a set may have many thousands of them. */
static int take_string(struct kh_pattern *pattern, char **ret_text)
{
	const char *from = pattern->at + 1, *end = from;
	size_t length = 0;
	char *text;

	while (*end && *end != '\'')
		end += *end == '\\' && (end[1] == '\\' || end[1] == '\'') ? 2 : 1;
	pattern->at = end;
	if (*end != '\'')
		return -EINVAL;
	text = malloc((size_t)(end - from) + 1);
	if (!text)
		return -ENOMEM;
	for (; from < end; from++) {
		if (*from == '\\' && (from[1] == '\\' || from[1] == '\''))
			from++;
		text[length++] = *from;
	}
	text[length] = '\0';
	pattern->at++;
	*ret_text = text;
	return 0;
}

/* A literal: a string, a number, true, t'...', h'...', b'...'. As text; malloc'ed. */
static int take_literal(struct kh_pattern *pattern, char **ret_text)
{
	size_t length;

	skip(pattern);
	if (strchr("thb", *pattern->at) && *pattern->at && pattern->at[1] == '\'')
		pattern->at++;
	if (*pattern->at == '\'')
		return take_string(pattern, ret_text);
	length = strspn(pattern->at, "+-.0123456789eE");
	if (!length || strcspn(pattern->at, "0123456789") >= length)
		length = !strncasecmp(pattern->at, "true", 4) ? 4 : !strncasecmp(pattern->at, "false", 5) ? 5 : 0;
	if (!length || is_name(pattern->at[length]))
		return -EINVAL;
	*ret_text = strndup(pattern->at, length);
	pattern->at += length;
	return *ret_text ? 0 : -ENOMEM;
}

/* ---- Propositions ---------------------------------------------------------------------------------------- */

static int take_value(struct kh_pattern *pattern, struct kh_pattern_test *proposition)
{
	char *text = NULL;
	int result = take_literal(pattern, &text);

	if (!result && kh_grow(&proposition->values, &proposition->values_capacity, proposition->values_count + 1,
			       sizeof(*proposition->values))) {
		free(text);
		result = -ENOMEM;
	}
	if (!result)
		proposition->values[proposition->values_count++] = text;
	return result;
}

static int take_set(struct kh_pattern *pattern, struct kh_pattern_test *proposition)
{
	int result;

	if (!take_char(pattern, '('))
		return -EINVAL;
	if (take_char(pattern, ')'))
		return 0;
	do {
		result = take_value(pattern, proposition);
	} while (!result && take_char(pattern, ','));
	return !result && !take_char(pattern, ')') ? -EINVAL : result;
}

/* The components behind the colon, onto `path`, which has room. 0, -EINVAL, -E2BIG. */
static int take_components(struct kh_pattern *pattern, char path[static PATH_MAX_BYTES], size_t length)
{
	for (;;) {
		const char *from = pattern->at;
		size_t used = 1, kept = 1;

		if (*from == '\'') {
			used = strcspn(++from, "'");
			kept = used;
			if (from[used] != '\'')
				return -EINVAL;
			used += 2;
		} else if (*from == '[') {
			used = from[1] == '*' ? 1 : strspn(from + 1, "0123456789");
			if (!used || from[1 + used] != ']')
				return -EINVAL;
			used += 2;
		} else if (!is_name(*from) && *from != '.') {
			path[length] = '\0';
			return 0;
		}
		if (length + kept >= PATH_MAX_BYTES)
			return -E2BIG;
		memcpy(path + length, from, kept);
		length += kept;
		pattern->at += used;
	}
}

/* file:hashes.'SHA-256', network-traffic:protocols[*], x:extensions.'a'.b_ref.c */
static int take_path(struct kh_pattern *pattern, struct kh_pattern_test *proposition)
{
	char path[PATH_MAX_BYTES];
	const char *from;
	size_t length;
	int result;

	skip(pattern);
	from = pattern->at;
	while (is_name(*pattern->at))
		pattern->at++;
	if (pattern->at == from || *pattern->at != ':')
		return -EINVAL;
	length = (size_t)(++pattern->at - from);
	if (length >= sizeof(path))
		return -E2BIG;
	memcpy(path, from, length);
	result = take_components(pattern, path, length);
	if (result)
		return result;
	proposition->path = strdup(path);
	return proposition->path ? 0 : -ENOMEM;
}

static int take_test(struct kh_pattern *pattern, struct kh_pattern_test *proposition)
{
	static const char *const symbols[] = { "!=", "<>", "<=", ">=", "<", ">" };

	proposition->negated = take_word(pattern, "NOT");
	if (take_word(pattern, "IN")) {
		proposition->op = KH_OP_IN;
		return take_set(pattern, proposition);
	}
	proposition->op = take_word(pattern, "ISSUBSET") ? KH_OP_ISSUBSET : KH_OP_OTHER;
	if (proposition->op == KH_OP_ISSUBSET || take_word(pattern, "ISSUPERSET") || take_word(pattern, "LIKE") ||
	    take_word(pattern, "MATCHES"))
		return take_value(pattern, proposition);
	if (take_char(pattern, '=')) {
		if (*pattern->at == '=')
			pattern->at++;
		proposition->op = KH_OP_EQUAL;
		return take_value(pattern, proposition);
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(symbols); i++) {
		if (strncmp(pattern->at, symbols[i], strlen(symbols[i])) != 0)
			continue;
		pattern->at += strlen(symbols[i]);
		return take_value(pattern, proposition);
	}
	return -EINVAL;
}

static int add_term(struct kh_pattern_terms *terms, const struct kh_pattern_term *term)
{
	if (terms->count >= TERMS_MAX)
		return -E2BIG;
	if (kh_grow(&terms->list, &terms->capacity, terms->count + 1, sizeof(*terms->list)))
		return -ENOMEM;
	terms->list[terms->count++] = *term;
	return 0;
}

static int take_proposition(struct kh_pattern *pattern, struct kh_pattern_terms *terms)
{
	struct kh_pattern_term term = { .parts = { (uint32_t)pattern->count }, .count = 1 };
	struct kh_pattern_test *proposition;
	int result;

	if (kh_grow(&pattern->propositions, &pattern->capacity, pattern->count + 1, sizeof(*pattern->propositions)))
		return -ENOMEM;
	proposition = &pattern->propositions[pattern->count++];
	*proposition = (struct kh_pattern_test){};
	if (take_word(pattern, "EXISTS")) {
		proposition->op = KH_OP_OTHER;
		result = take_path(pattern, proposition);
	} else {
		result = take_path(pattern, proposition);
		if (!result)
			result = take_test(pattern, proposition);
	}
	return result ? result : add_term(terms, &term);
}

/* ---- Expressions -------------------------------------------------------------------------------------------- */

static int take_or(struct kh_pattern *pattern, struct kh_pattern_terms *terms);

static int take_operand(struct kh_pattern *pattern, struct kh_pattern_terms *terms)
{
	int result;

	if (!take_char(pattern, '('))
		return take_proposition(pattern, terms);
	if (++pattern->depth > DEPTH_MAX)
		return -E2BIG;
	result = take_or(pattern, terms);
	pattern->depth--;
	return !result && !take_char(pattern, ')') ? -EINVAL : result;
}

/* Appends the terms of the one to those of the other. */
static int append(struct kh_pattern_terms *left, const struct kh_pattern_terms *right)
{
	int result = 0;

	for (size_t i = 0; i < right->count && !result; i++)
		result = add_term(left, &right->list[i]);
	return result;
}

/* Both: each term of the one with each of the other. Where that would be out of proportion to the pattern's length, no value of the pattern is
 * told from another any more: all wait. */
static int join(struct kh_pattern *pattern, struct kh_pattern_terms *left, const struct kh_pattern_terms *right)
{
	struct kh_pattern_terms joined KH_CLEANUP(kh_pattern_terms_clear) = {};
	size_t work = left->count * right->count;
	int result = 0;

	if (work > pattern->work) {
		pattern->conditional = true;
		return append(left, right);
	}
	pattern->work -= work;
	for (size_t i = 0; i < work && !result; i++) {
		const struct kh_pattern_term *other = &right->list[i % right->count];
		struct kh_pattern_term term = left->list[i / right->count];

		term.open = term.open || other->open;
		for (uint8_t k = 0; k < other->count; k++) {
			if (term.count < KH_TERM_TESTS_MAX)
				term.parts[term.count++] = other->parts[k];
			else
				term.open = true;
		}
		result = add_term(&joined, &term);
	}
	if (result)
		return result;
	kh_pattern_terms_clear(left);
	*left = joined;
	joined = (struct kh_pattern_terms){};
	return 0;
}

static int take_and(struct kh_pattern *pattern, struct kh_pattern_terms *terms)
{
	int result = take_operand(pattern, terms);

	while (!result && take_word(pattern, "AND")) {
		struct kh_pattern_terms right KH_CLEANUP(kh_pattern_terms_clear) = {};

		result = take_operand(pattern, &right);
		if (!result)
			result = join(pattern, terms, &right);
	}
	return result;
}

/* Appends to terms. */
static int take_or(struct kh_pattern *pattern, struct kh_pattern_terms *terms)
{
	int result;

	do {
		struct kh_pattern_terms side KH_CLEANUP(kh_pattern_terms_clear) = {};

		result = take_and(pattern, &side);
		if (!result)
			result = append(terms, &side);
	} while (!result && take_word(pattern, "OR"));
	return result;
}

/* WITHIN 5 SECONDS, REPEATS 3 TIMES, START t'...' STOP t'...' */
static int take_qualifiers(struct kh_pattern *pattern)
{
	for (;;) {
		char *text[2] = {};
		int result = 0;

		if (take_word(pattern, "WITHIN") || take_word(pattern, "REPEATS")) {
			result = take_literal(pattern, &text[0]);
			if (!result && !take_word(pattern, "SECONDS") && !take_word(pattern, "TIMES"))
				result = -EINVAL;
		} else if (take_word(pattern, "START")) {
			result = take_literal(pattern, &text[0]);
			if (!result)
				result = take_word(pattern, "STOP") ? take_literal(pattern, &text[1]) : -EINVAL;
		} else {
			return 0;
		}
		free(text[0]);
		free(text[1]);
		if (result)
			return result;
		pattern->conditional = true;
	}
}

static int take_observations(struct kh_pattern *pattern, struct kh_pattern_terms *terms);

static int take_observation(struct kh_pattern *pattern, struct kh_pattern_terms *terms)
{
	int result;

	if (take_char(pattern, '[')) {
		result = take_or(pattern, terms);
		if (!result && !take_char(pattern, ']'))
			result = -EINVAL;
	} else if (take_char(pattern, '(')) {
		if (++pattern->depth > DEPTH_MAX)
			return -E2BIG;
		result = take_observations(pattern, terms);
		pattern->depth--;
		if (!result && !take_char(pattern, ')'))
			result = -EINVAL;
	} else {
		return -EINVAL;
	}
	return result ? result : take_qualifiers(pattern);
}

static int take_observations(struct kh_pattern *pattern, struct kh_pattern_terms *terms)
{
	int result = take_observation(pattern, terms);

	while (!result) {
		bool followed = take_word(pattern, "FOLLOWEDBY");

		if (!followed && !take_word(pattern, "AND") && !take_word(pattern, "OR"))
			break;
		pattern->conditional = pattern->conditional || followed;
		result = take_observation(pattern, terms);
	}
	return result;
}

int kh_pattern_parse(struct kh_pattern *pattern, struct kh_pattern_terms *terms)
{
	size_t length = strlen(pattern->text);
	int result;

	pattern->work = length + WORK_LEAST;
	result = length > PATTERN_MAX ? -E2BIG : take_observations(pattern, terms);
	skip(pattern);
	return !result && *pattern->at ? -EINVAL : result;
}
