// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A comparison expression becomes terms: propositions that must hold together. OR puts terms side by side, AND makes each pair of terms one.
 */
#include "reader/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"

#define DEPTH_MAX 64
#define TERMS_MAX 4096
#define TERM_PARTS_MAX 16
#define PATTERN_MAX ((size_t)1 << 20)

enum op { OP_EQUAL, OP_IN, OP_ISSUBSET, OP_OTHER };

struct proposition {
	char *path; /* "ipv4-addr:value"; quotes around keys taken away */
	enum op op;
	bool negated;
	char **values; /* of a set, or the one */
	size_t values_count, values_capacity;
};

struct term {
	uint32_t parts[TERM_PARTS_MAX]; /* propositions, by number */
	uint8_t count;
	bool open; /* more than that, or not asked for */
};

struct terms {
	struct term *list;
	size_t count, capacity;
};

struct pattern {
	const char *text, *at;
	struct proposition *propositions;
	size_t count, capacity;
	int depth;
	bool conditional; /* order, time or number of observations matters */
};

static void terms_clear(struct terms *terms)
{
	free(terms->list);
	*terms = (struct terms){};
}

static void pattern_clear(struct pattern *pattern)
{
	for (size_t i = 0; i < pattern->count; i++) {
		struct proposition *proposition = &pattern->propositions[i];

		for (size_t j = 0; j < proposition->values_count; j++)
			free(proposition->values[j]);
		free(proposition->values);
		free(proposition->path);
	}
	free(pattern->propositions);
}

/* ---- Words --------------------------------------------------------------------------------------------- */

static void skip(struct pattern *pattern)
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

static bool take_char(struct pattern *pattern, char c)
{
	skip(pattern);
	if (*pattern->at != c)
		return false;
	pattern->at++;
	return true;
}

static bool word_ahead(struct pattern *pattern, const char *word)
{
	size_t length = strlen(word);

	skip(pattern);
	return !strncasecmp(pattern->at, word, length) && !is_name(pattern->at[length]);
}

static bool take_word(struct pattern *pattern, const char *word)
{
	if (!word_ahead(pattern, word))
		return false;
	pattern->at += strlen(word);
	return true;
}

/* '...' with \' and \\ in it. malloc'ed. */
static int take_string(struct pattern *pattern, char **ret_text)
{
	const char *from = pattern->at + 1;
	char *text = malloc(strlen(from) + 1), *to = text;

	if (!text)
		return -ENOMEM;
	for (; *from && *from != '\''; from++) {
		if (*from == '\\' && (from[1] == '\\' || from[1] == '\''))
			from++;
		*to++ = *from;
	}
	*to = '\0';
	pattern->at = from;
	if (*from != '\'') {
		free(text);
		return -EINVAL;
	}
	pattern->at++;
	*ret_text = text;
	return 0;
}

/* A literal: a string, a number, true, t'...', h'...', b'...'. As text; malloc'ed. */
static int take_literal(struct pattern *pattern, char **ret_text)
{
	size_t length;

	skip(pattern);
	if (strchr("thb", *pattern->at) && *pattern->at && pattern->at[1] == '\'')
		pattern->at++;
	if (*pattern->at == '\'')
		return take_string(pattern, ret_text);
	length = strspn(pattern->at, "+-.0123456789eE");
	if (!length || !strpbrk(pattern->at, "0123456789"))
		length = !strncasecmp(pattern->at, "true", 4) ? 4 : !strncasecmp(pattern->at, "false", 5) ? 5 : 0;
	if (!length || is_name(pattern->at[length]))
		return -EINVAL;
	*ret_text = strndup(pattern->at, length);
	pattern->at += length;
	return *ret_text ? 0 : -ENOMEM;
}

/* ---- Propositions ---------------------------------------------------------------------------------------- */

static int take_value(struct pattern *pattern, struct proposition *proposition)
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

static int take_set(struct pattern *pattern, struct proposition *proposition)
{
	int result;

	if (!take_char(pattern, '('))
		return -EINVAL;
	do {
		result = take_value(pattern, proposition);
	} while (!result && take_char(pattern, ','));
	return !result && !take_char(pattern, ')') ? -EINVAL : result;
}

/* file:hashes.'SHA-256', network-traffic:protocols[*], x:extensions.'a'.b_ref.c */
static int take_path(struct pattern *pattern, struct proposition *proposition)
{
	const char *from;
	char *to;

	skip(pattern);
	from = pattern->at;
	while (is_name(*pattern->at))
		pattern->at++;
	if (pattern->at == from || *pattern->at != ':')
		return -EINVAL;
	proposition->path = to = malloc(strlen(from) + 1);
	if (!to)
		return -ENOMEM;
	for (; from <= pattern->at; from++)
		*to++ = *from;
	for (;;) {
		pattern->at = from;
		*to = '\0';
		if (is_name(*from) || *from == '.') {
			*to++ = *from++;
		} else if (*from == '\'') {
			const char *end = strchr(from + 1, '\'');

			if (!end)
				return -EINVAL;
			for (from++; from < end; from++)
				*to++ = *from;
			from++;
		} else if (*from == '[') {
			size_t inside = from[1] == '*' ? 1 : strspn(from + 1, "0123456789");

			if (!inside || from[1 + inside] != ']')
				return -EINVAL;
			from += inside + 2;
			*to++ = '[';
		} else {
			return 0;
		}
	}
}

static int take_test(struct pattern *pattern, struct proposition *proposition)
{
	static const char *const symbols[] = { "!=", "<=", ">=", "<", ">" };

	proposition->negated = take_word(pattern, "NOT");
	if (take_word(pattern, "IN")) {
		proposition->op = OP_IN;
		return take_set(pattern, proposition);
	}
	proposition->op = take_word(pattern, "ISSUBSET") ? OP_ISSUBSET : OP_OTHER;
	if (proposition->op == OP_ISSUBSET || take_word(pattern, "ISSUPERSET") || take_word(pattern, "LIKE") ||
	    take_word(pattern, "MATCHES"))
		return take_value(pattern, proposition);
	if (take_char(pattern, '=')) {
		if (*pattern->at == '=')
			pattern->at++;
		proposition->op = OP_EQUAL;
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

static int add_term(struct terms *terms, const struct term *term)
{
	if (terms->count >= TERMS_MAX)
		return -E2BIG;
	if (kh_grow(&terms->list, &terms->capacity, terms->count + 1, sizeof(*terms->list)))
		return -ENOMEM;
	terms->list[terms->count++] = *term;
	return 0;
}

static int take_proposition(struct pattern *pattern, struct terms *terms)
{
	struct term term = { .parts = { (uint32_t)pattern->count }, .count = 1 };
	struct proposition *proposition;
	int result;

	if (kh_grow(&pattern->propositions, &pattern->capacity, pattern->count + 1, sizeof(*pattern->propositions)))
		return -ENOMEM;
	proposition = &pattern->propositions[pattern->count++];
	*proposition = (struct proposition){};
	if (take_word(pattern, "EXISTS")) {
		proposition->op = OP_OTHER;
		result = take_path(pattern, proposition);
	} else {
		result = take_path(pattern, proposition);
		if (!result)
			result = take_test(pattern, proposition);
	}
	return result ? result : add_term(terms, &term);
}

/* ---- Expressions -------------------------------------------------------------------------------------------- */

static int take_or(struct pattern *pattern, struct terms *terms);

static int take_operand(struct pattern *pattern, struct terms *terms)
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

/* Both: each term of the one with each of the other. */
static int join(struct terms *left, const struct terms *right)
{
	struct terms joined KH_CLEANUP(terms_clear) = {};
	int result = 0;

	for (size_t i = 0; i < left->count && !result; i++) {
		for (size_t j = 0; j < right->count && !result; j++) {
			struct term term = left->list[i];

			term.open = term.open || right->list[j].open;
			for (uint8_t k = 0; k < right->list[j].count; k++) {
				if (term.count < TERM_PARTS_MAX)
					term.parts[term.count++] = right->list[j].parts[k];
				else
					term.open = true;
			}
			result = add_term(&joined, &term);
		}
	}
	if (result)
		return result;
	terms_clear(left);
	*left = joined;
	joined = (struct terms){};
	return 0;
}

static int take_and(struct pattern *pattern, struct terms *terms)
{
	int result = take_operand(pattern, terms);

	while (!result && take_word(pattern, "AND")) {
		struct terms right KH_CLEANUP(terms_clear) = {};

		result = take_operand(pattern, &right);
		if (!result)
			result = join(terms, &right);
	}
	return result;
}

/* Appends to terms. */
static int take_or(struct pattern *pattern, struct terms *terms)
{
	int result;

	do {
		struct terms side KH_CLEANUP(terms_clear) = {};

		result = take_and(pattern, &side);
		for (size_t i = 0; i < side.count && !result; i++)
			result = add_term(terms, &side.list[i]);
	} while (!result && take_word(pattern, "OR"));
	return result;
}

/* WITHIN 5 SECONDS, REPEATS 3 TIMES, START t'...' STOP t'...' */
static int take_qualifiers(struct pattern *pattern)
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

static int take_observations(struct pattern *pattern, struct terms *terms);

static int take_observation(struct pattern *pattern, struct terms *terms)
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

static int take_observations(struct pattern *pattern, struct terms *terms)
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

/* ---- What can be blocked -------------------------------------------------------------------------------------- */

static bool is_any(const char *path, const char *const *paths)
{
	for (; *paths; paths++)
		if (!strcmp(path, *paths))
			return true;
	return false;
}

static bool names_value(const char *path)
{
	static const char *const paths[] = { "ipv4-addr:value",
					     "ipv6-addr:value",
					     "domain-name:value",
					     "url:value",
					     "network-traffic:dst_ref.value",
					     "network-traffic:src_ref.value",
					     NULL };

	return is_any(path, paths);
}

static bool names_hash(const char *path)
{
	return strstr(path, ":hashes.") || strstr(path, ".hashes.");
}

static bool is_asked(const struct proposition *proposition)
{
	return !proposition->negated && proposition->op != OP_OTHER && proposition->values_count;
}

/* "dst" or "src"; the side of a traffic object that the path is about. */
static const char *side_of(const char *path)
{
	if (!strncmp(path, "network-traffic:dst_", 20))
		return "dst";
	return !strncmp(path, "network-traffic:src_", 20) ? "src" : NULL;
}

/* Propositions beside the value that only say again what it is, or which port and protocol. */
static bool belongs(const struct proposition *proposition, const char *side, struct kh_pattern_value *value)
{
	static const char *const types[] = { "ipv4-addr", "ipv6-addr", "domain-name", NULL };
	const char *own = side_of(proposition->path), *text;

	if (proposition->negated || proposition->op != OP_EQUAL)
		return false;
	text = proposition->values[0];
	if (!strcmp(proposition->path, "network-traffic:protocols[")) {
		if (!strcasecmp(text, "tcp") || !strcasecmp(text, "udp"))
			value->protocol = !strcasecmp(text, "tcp") ? 6 : 17;
		return true;
	}
	if (!own || strcmp(own, side) != 0)
		return false;
	own = proposition->path + 20;
	if (!strcmp(own, "ref.type"))
		return is_any(text, types);
	if (!strcmp(own, "port")) {
		int64_t port;

		if (kh_number_parse(text, 1, 65535, &port))
			return false;
		value->port = (uint16_t)port;
		return true;
	}
	return false;
}

/* May the value of proposition `which` be blocked alone? */
static bool stands_alone(const struct pattern *pattern, const struct term *term, uint8_t which,
			 struct kh_pattern_value *value)
{
	const struct proposition *asked = &pattern->propositions[term->parts[which]];
	const char *side = side_of(asked->path);

	if (!is_asked(asked) || term->open || pattern->conditional)
		return false;
	for (uint8_t i = 0; i < term->count; i++)
		if (i != which && (!side || !belongs(&pattern->propositions[term->parts[i]], side, value)))
			return false;
	return true;
}

static int hand_out(const struct pattern *pattern, const struct term *term, kh_pattern_take take, void *context)
{
	int result = 0;

	for (uint8_t i = 0; i < term->count; i++) {
		const struct proposition *proposition = &pattern->propositions[term->parts[i]];
		struct kh_pattern_value value = { .hash = names_hash(proposition->path) };

		if (!value.hash && !names_value(proposition->path))
			continue;
		value.alone = stands_alone(pattern, term, i, &value);
		if (!value.alone)
			value.port = value.protocol = 0;
		for (size_t j = 0; j < proposition->values_count && !result; j++) {
			value.text = proposition->values[j];
			result = take(context, &value);
		}
	}
	return result;
}

int kh_pattern_read(const char *text, size_t *ret_at, kh_pattern_take take, void *context)
{
	struct pattern pattern KH_CLEANUP(pattern_clear) = { .text = text, .at = text };
	struct terms terms KH_CLEANUP(terms_clear) = {};
	int result = strlen(text) > PATTERN_MAX ? -E2BIG : take_observations(&pattern, &terms);

	skip(&pattern);
	if (!result && *pattern.at)
		result = -EINVAL;
	*ret_at = (size_t)(pattern.at - text);
	for (size_t i = 0; i < terms.count && !result; i++)
		result = hand_out(&pattern, &terms.list[i], take, context);
	return result;
}
