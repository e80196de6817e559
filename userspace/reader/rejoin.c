// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cells that a column of a page was too narrow for: "c2.bad." and, below it in the same column, "example". Two words go together only where the first is no value by itself
 * and both are one: what is whole is never lengthened.
 */
#include "reader/cut.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define LINES_AHEAD 2
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

bool kh_word_in_column(const struct kh_line *line, size_t column, struct kh_line *ret_word)
{
	struct word word;

	if (!word_at(line->text, line->length, 0, column, &word))
		return false;
	*ret_word = (struct kh_line){ line->text + word.start, word.end - word.start, line->number, line->page };
	return true;
}

/* The word below, in the same column of one of the next lines of the page. */
static bool find_below(const char *text, size_t length, const struct word *word, size_t column, struct word *ret_below)
{
	size_t at = line_end(text, length, word->end);

	for (int ahead = 0; ahead < LINES_AHEAD && at < length; ahead++) {
		size_t end = line_end(text, length, at + 1);

		if (end == SIZE_MAX || memchr(text + word->end, '\f', at + 1 - word->end))
			return false;
		if (word_at(text, length, at + 1, column, ret_below))
			return true;
		at = end;
	}
	return false;
}

/* What goes on below the word; how many pieces, 0: it does not. */
static size_t find_rest(const char *text, size_t length, const struct word *word, struct kh_clean *clean,
			struct word rest[static KH_PIECES_MAX])
{
	struct kh_pieces pieces = { .count = 0 };
	enum kh_piece kind = kh_pieces_add(&pieces, text + word->start, word->end - word->start, clean);
	size_t count = 0;

	while (kind == KH_PIECE_MORE && count < KH_PIECES_MAX) {
		const struct word *last = count ? &rest[count - 1] : word;

		if (!find_below(text, length, last, word->column, &rest[count]))
			return 0;
		kind = kh_pieces_add(&pieces, text + rest[count].start, rest[count].end - rest[count].start, clean);
		count++;
	}
	return kind == KH_PIECE_WHOLE ? count : 0;
}

static int copy(char *text, size_t length, struct kh_clean *clean, struct kh_bytes *ret_text)
{
	size_t at = 0, copied = 0, column = 0;
	int result = 0;

	while (at < length && !result) {
		struct word word, rest[KH_PIECES_MAX];
		size_t pieces;

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
		pieces = word.alone ? find_rest(text, length, &word, clean, rest) : 0;
		if (!pieces)
			continue;
		result = kh_bytes_add(ret_text, text + copied, word.end - copied);
		for (size_t i = 0; i < pieces && !result; i++) {
			result = kh_bytes_add(ret_text, text + rest[i].start, rest[i].end - rest[i].start);
			memset(text + rest[i].start, ' ', rest[i].end - rest[i].start); /* not read again */
		}
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
