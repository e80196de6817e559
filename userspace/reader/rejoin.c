// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cells that a column of a page was too narrow for: "c2.bad." and, below it in the same column, "example". Two words go together only where the first is no value by itself
 * and both are one: what is whole is never lengthened.
 */
#include "reader/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define LINES_AHEAD 2
#define WORD_MAX 200
#define LINE_BYTES 2000 /* of a page; a longer line has no columns */

struct word {
	size_t start, end; /* in the text; the same: none */
	size_t column; /* characters before it on its line */
	bool alone; /* in its cell: two blanks or a border on both sides */
};

static bool is_break(char c)
{
	return c == '\n' || c == '\f';
}

static bool is_end(const char *text, size_t length, size_t at)
{
	return at >= length || is_break(text[at]) || text[at] == '\r';
}

/* The next word of the line from *at on, which moves behind it. False: the line has no more. */
static bool next_word(const char *text, size_t length, size_t *at, size_t *column, struct word *ret_word)
{
	size_t blanks = *column ? 0 : 2;

	while (!is_end(text, length, *at) && kh_is_blank(text[*at])) {
		blanks += text[*at] == '\t' ? 2 : 1;
		++*column;
		++*at;
	}
	if (is_end(text, length, *at))
		return false;
	*ret_word = (struct word){ .start = *at, .column = *column };
	while (!is_end(text, length, *at) && !kh_is_blank(text[*at])) {
		*column += (text[*at] & 0xc0) != 0x80;
		++*at;
	}
	ret_word->end = *at;
	ret_word->alone = blanks >= 2 && (is_end(text, length, *at) || is_end(text, length, *at + 1) ||
					  (kh_is_blank(text[*at]) && kh_is_blank(text[*at + 1])));
	return true;
}

/* Where the line ends; SIZE_MAX: it is too long for one of a page. */
static size_t line_end(const char *text, size_t length, size_t at)
{
	size_t left = length - at;
	const char *end = memchr(text + at, '\n', left < LINE_BYTES ? left : LINE_BYTES);

	return end ? (size_t)(end - text) : left < LINE_BYTES ? length : SIZE_MAX;
}

/* The word that stands alone in that column of the line at `at`. */
static bool word_at(const char *text, size_t length, size_t at, size_t wanted, struct word *ret_word)
{
	size_t column = 0;

	while (next_word(text, length, &at, &column, ret_word))
		if (ret_word->column + 1 >= wanted && ret_word->column <= wanted + 1)
			return ret_word->alone;
	return false;
}

static bool is_plain(const char *text, const struct word *word)
{
	for (size_t i = word->start; i < word->end; i++)
		if (!kh_is_alnum(text[i]) && !strchr(".-_[]", text[i]))
			return false;
	return word->end - word->start <= WORD_MAX;
}

/* Is it a whole address or name, once undone of its defanging? */
static bool is_whole(const char *text, size_t length, struct kh_clean *clean)
{
	struct kh_range range;

	if (kh_refang(text, length, clean) || !clean->length || !strchr(clean->text, '.') ||
	    strchr(".-", clean->text[clean->length - 1]))
		return false;
	if (!kh_address_parse(clean->text, clean->length, &range))
		return true;
	return kh_domain_plausible(clean->text, clean->length, KH_DOUBTED);
}

/* Does `first` go on with `rest`, below it? */
static bool belong(const char *text, const struct word *first, const struct word *rest, struct kh_clean *clean)
{
	char both[2 * WORD_MAX];
	size_t length = first->end - first->start, more = rest->end - rest->start;

	if (!is_plain(text, first) || !is_plain(text, rest) || !memchr(text + first->start, '.', length))
		return false;
	if (text[rest->start] != '.' && is_whole(text + first->start, length, clean))
		return false;
	memcpy(both, text + first->start, length);
	memcpy(both + length, text + rest->start, more);
	return is_whole(both, length + more, clean);
}

/* What goes on below the word; its line's words are blanked, so that it is not read again. */
static bool find_rest(char *text, size_t length, const struct word *word, struct kh_clean *clean, struct word *ret_rest)
{
	size_t at = line_end(text, length, word->end);

	for (int ahead = 0; ahead < LINES_AHEAD && at < length; ahead++) {
		size_t end = line_end(text, length, at + 1);

		if (end == SIZE_MAX || memchr(text + word->end, '\f', at + 1 - word->end))
			return false;
		if (word_at(text, length, at + 1, word->column, ret_rest))
			return belong(text, word, ret_rest, clean);
		at = end;
	}
	return false;
}

static int copy(char *text, size_t length, struct kh_clean *clean, struct kh_bytes *ret_text)
{
	size_t at = 0, copied = 0, column = 0;
	int result = 0;

	while (at < length && !result) {
		struct word word, rest;

		if (!column && line_end(text, length, at) == SIZE_MAX) {
			const char *next = memchr(text + at, '\n', length - at);

			at = next ? (size_t)(next + 1 - text) : length;
			continue;
		}
		if (!next_word(text, length, &at, &column, &word)) {
			at += at < length;
			column = 0;
			continue;
		}
		if (!word.alone || !find_rest(text, length, &word, clean, &rest))
			continue;
		result = kh_bytes_add(ret_text, text + copied, word.end - copied);
		if (!result)
			result = kh_bytes_add(ret_text, text + rest.start, rest.end - rest.start);
		memset(text + rest.start, ' ', rest.end - rest.start);
		copied = word.end;
	}
	return result ? result : kh_bytes_add(ret_text, text + copied, length - copied);
}

int kh_rejoin(const struct kh_input *input, struct kh_bytes *ret_text)
{
	char *text KH_CLEANUP(kh_freep) = malloc(input->length + 1);
	struct kh_clean clean KH_CLEANUP(kh_clean_clear) = { 0 };

	if (!text)
		return -ENOMEM;
	memcpy(text, input->text, input->length);
	text[input->length] = '\0';
	return copy(text, input->length, &clean, ret_text);
}
