// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a value stands on its line: as an item of a list, in a cell of a table, after a label, or in a sentence. Only
 * looks at the line; what the neighbours and headings say is added by prose.c.
 */
#include "reader/private.h"

#include <string.h>

#include "common/util.h"

#define TAIL_WORDS 3 /* "203.0.113.7 Hà Nội" is an item; a sentence is longer */
#define ROW_WORDS 12 /* beside the number of a row */
#define LABEL_WORDS 12

/* Length of a list sign of more than one byte at text, 0: none. */
static size_t wide_bullet(const char *text)
{
	static const char *const bullets[] = { "•", "·", "–", "—", "▪",	     "■",      "●",
					       "○", "►", "➢", "✓", "\uf0b7", "\uf02d", "\uf0a7" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(bullets) && (*text & 0x80); i++) {
		size_t size = strlen(bullets[i]);

		if (strncmp(text, bullets[i], size) == 0)
			return size;
	}
	return 0;
}

/* "1.", "12)", "(3)", "a)", "iv." and the number of a row before a blank or bar; 0: none. */
static size_t number_marker(const char *text)
{
	size_t at = *text == '(', start = at, digits = 0;

	for (; kh_is_digit(text[at]) && digits < 5; at++)
		digits++;
	if (!digits && kh_is_letter(text[at]) && !kh_is_word(text[at + 1]))
		at++;
	if (at == start)
		return 0;
	if (text[at] == ')' || (text[at] == '.' && start == 0)) {
		at++;
		return kh_is_blank(text[at]) || !text[at] || text[at] == '|' ? at : 0;
	}
	/* a bare number counts rows: what follows must be blank or a separator, then something */
	if (!digits || start || !(kh_is_blank(text[at]) || text[at] == '|'))
		return 0;
	return at;
}

size_t kh_marker_skip(const char *text)
{
	size_t at = 0;

	for (;;) {
		size_t used = 0;

		while (kh_is_blank(text[at]) || text[at] == '|' || text[at] == '"' || text[at] == '\'')
			at++;
		if (strchr("-+*>", text[at]) && text[at] && (kh_is_blank(text[at + 1]) || kh_is_digit(text[at + 1])))
			used = 1;
		if (text[at] == 'o' && text[at + 1] == ' ') /* the hollow bullet of a word processor */
			used = 1;
		if (!used)
			used = wide_bullet(text + at);
		if (!used)
			used = number_marker(text + at);
		if (!used)
			return at;
		at += used;
	}
}

/* Words (runs with a letter) in text[from..to). */
static size_t count_words(const char *text, size_t from, size_t to)
{
	size_t words = 0;
	bool letter = false;

	for (size_t at = from; at <= to; at++) {
		bool inside = at < to && kh_is_word(text[at]);

		if (inside && (kh_is_letter(text[at]) || (text[at] & 0x80)))
			letter = true;
		if (!inside) {
			words += letter;
			letter = false;
		}
	}
	return words;
}

#define SEPARATORS " \t\r,;|&/()[]\"'"

/* How many tokens, from `first` on, follow the place `at` and one another with nothing but separators between. */
static size_t run_of(const struct kh_clean *line, const struct kh_tokens *tokens, size_t first, size_t at)
{
	size_t count = 0;

	for (; first + count < tokens->count; count++) {
		const struct kh_token *token = &tokens->list[first + count];

		while (at < token->start && strchr(SEPARATORS, line->text[at]))
			at++;
		if (at < token->start)
			break;
		at = token->end;
	}
	return count;
}

/* "12   203.0.113.7 Máy chủ điều khiển": does the line begin with the number of a row and a gap, as tables do that are laid out in text? */
static bool is_row(const char *text, size_t indent, size_t start)
{
	size_t digits = strspn(text + indent, "0123456789");

	return digits && digits <= 5 && start >= indent + digits + 2 &&
	       strspn(text + indent + digits, " \t") == start - indent - digits;
}

/* Does a remark, and not a sentence, follow the value? */
static bool tail_is_remark(const struct kh_clean *line, size_t at, size_t words)
{
	static const char *const breaks[] = { "\t", "|",  "  ",	 ",",	";",   ":",   "(",   "[",    "#",    " (", " [",
					      " #", " |", " //", " - ", " – ", " — ", " : ", " -> ", " => ", "\"" };

	if (!line->text[at + strspn(line->text + at, " \t\r.;,)]\"'")])
		return true;
	for (size_t i = 0; i < KH_ARRAY_SIZE(breaks); i++) {
		if (strncmp(line->text + at, breaks[i], strlen(breaks[i])) == 0)
			return true;
	}
	return count_words(line->text, at, line->length) <= words;
}

/* "Địa chỉ máy chủ: 203.0.113.7, 203.0.113.8." */
static bool is_labelled(const struct kh_clean *line, const struct kh_tokens *tokens, const struct kh_shape *shape)
{
	size_t first, colon, last;

	if (!tokens->count)
		return false;
	first = colon = tokens->list[0].start;
	last = tokens->list[tokens->count - 1].end;
	while (colon > shape->start && kh_is_blank(line->text[colon - 1]))
		colon--;
	if (colon <= shape->start || line->text[colon - 1] != ':' || run_of(line, tokens, 0, first) < tokens->count)
		return false;
	return count_words(line->text, shape->start, colon) <= LABEL_WORDS &&
	       count_words(line->text, last, line->length) <= 1;
}

struct kh_shape kh_shape_of(const struct kh_clean *line, const struct kh_tokens *tokens)
{
	struct kh_shape shape = { .start = kh_marker_skip(line->text), .indent = strspn(line->text, " \t") };
	size_t at = shape.start;

	shape.marker = shape.start > shape.indent;
	for (size_t i = 0; i < tokens->count; i++) {
		const struct kh_token *token = &tokens->list[i];

		if (token->start > at)
			shape.words += count_words(line->text, at, token->start);
		if (token->end > at)
			at = token->end;
	}
	shape.words += at < line->length ? count_words(line->text, at, line->length) : 0;
	shape.leading = run_of(line, tokens, 0, shape.start);
	if (shape.leading && !tail_is_remark(line, tokens->list[shape.leading - 1].end,
					     is_row(line->text, shape.indent, shape.start) ? ROW_WORDS : TAIL_WORDS))
		shape.leading = 0;
	shape.plain = tokens->count && shape.leading == tokens->count && !shape.words;
	shape.labelled = is_labelled(line, tokens, &shape);
	for (size_t end = line->length; end > 0 && !shape.last; end--)
		shape.last = kh_is_blank(line->text[end - 1]) ? '\0' : line->text[end - 1];
	return shape;
}

/* Is the token alone between borders? `wide`: two spaces are a border too. */
static bool alone(const struct kh_clean *line, const struct kh_shape *shape, const struct kh_token *token, bool wide)
{
	const char *text = line->text;
	size_t left = token->start, right = token->end, borders = 0, spaces = 0;

	while (left > shape->start && (text[left - 1] == ' ' || text[left - 1] == '"')) {
		left--;
		spaces += text[left] == ' ';
	}
	if (left > shape->start && text[left - 1] != '\t' && text[left - 1] != '|' && !(wide && spaces >= 2))
		return false;
	borders += left > shape->start || shape->marker;
	spaces = 0;
	while (text[right] == ' ' || text[right] == '"') {
		spaces += text[right] == ' ';
		right++;
	}
	if (text[right] && text[right] != '\t' && text[right] != '|' && !(wide && spaces >= 2))
		return false;
	return borders || text[right];
}

enum kh_stand kh_stand_of(const struct kh_clean *line, const struct kh_tokens *tokens, size_t which,
			  const struct kh_shape *shape)
{
	if (which < shape->leading)
		return KH_STANDS_FIRST;
	if (alone(line, shape, &tokens->list[which], false))
		return KH_STANDS_IN_CELL;
	if (shape->labelled)
		return KH_STANDS_LABELLED;
	if (alone(line, shape, &tokens->list[which], true))
		return KH_STANDS_IN_COLUMN;
	return KH_STANDS_IN_TEXT;
}

bool kh_is_heading_number(const struct kh_clean *line, const struct kh_token *token, const struct kh_shape *shape)
{
	const char *after = line->text + token->end;
	unsigned number = 0;

	if (token->start != shape->indent || token->defanged || shape->words == 0)
		return false;
	for (size_t at = token->start; at < token->end; at++) {
		if (line->text[at] != '.' && !kh_is_digit(line->text[at]))
			return false;
		number = line->text[at] == '.' ? 0 : number * 10 + (unsigned)(line->text[at] - '0');
		if (number > 20)
			return false;
	}
	after += *after == '.';
	if (*after != ' ' || after[1] == ' ')
		return false;
	return (after[1] >= 'A' && after[1] <= 'Z') || (after[1] & 0x80);
}
