// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Items of a list that the page was too narrow for: "- hxxps://c2.example/a%2F" and below it, further in, "Letter.js". Only a link that runs to the end of its line,
 * and a single word that stands deeper than the item, go together; anything else may be two values.
 */
#include "reader/private.h"

#include <string.h>

#include "common/util.h"

#define PIECES_MAX 8

static size_t indent_of(const struct kh_line *line)
{
	size_t indent = 0;

	while (indent < line->length && (line->text[indent] == ' ' || line->text[indent] == '\t'))
		indent++;
	return indent;
}

static size_t end_of(const struct kh_line *line)
{
	size_t end = line->length;

	while (end && kh_is_blank(line->text[end - 1]))
		end--;
	return end;
}

/* Does an item's line end in a link? */
static bool ends_in_link(const struct kh_line *line)
{
	size_t indent = indent_of(line), end = end_of(line), word = end;

	if (indent + 2 >= end || !strchr("-*+", line->text[indent]) || line->text[indent + 1] != ' ')
		return false;
	while (word > indent && !kh_is_blank(line->text[word - 1]))
		word--;
	return memmem(line->text + word, end - word, "//", 2) && !strchr(".,;)", line->text[end - 1]);
}

/* Is it the rest of a link: one word, deeper, that begins nothing new? */
static bool is_rest(const struct kh_line *line, size_t indent)
{
	size_t start = indent_of(line), end = end_of(line);

	if (start <= indent || start >= end || memmem(line->text + start, end - start, "//", 2))
		return false;
	for (size_t i = start; i < end; i++)
		if (kh_is_blank(line->text[i]) ||
		    (!kh_is_alnum(line->text[i]) && !strchr("%/_-.?=&+~#:[]", line->text[i])))
			return false;
	return true;
}

int kh_unwrap(struct kh_lines *lines, struct kh_line *line, struct kh_bytes *joined)
{
	size_t indent = indent_of(line);
	struct kh_lines ahead = *lines;
	struct kh_line next;
	int result = 0;

	if (!ends_in_link(line))
		return 0;
	joined->length = 0;
	for (int piece = 0;
	     piece < PIECES_MAX && !result && kh_lines_next(&ahead, &next) == 1 && is_rest(&next, indent); piece++) {
		size_t start = indent_of(&next);

		if (!joined->length)
			result = kh_bytes_add(joined, line->text, end_of(line));
		if (!result)
			result = kh_bytes_add(joined, next.text + start, end_of(&next) - start);
		*lines = ahead;
	}
	if (!result && joined->length && joined->length <= KH_LINE_MAX) {
		line->text = (const char *)joined->data;
		line->length = joined->length;
	}
	return result;
}
