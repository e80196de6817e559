// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of a text: LF or CRLF, form feeds as page breaks, very long lines in pieces.
 */
#include "reader/private.h"

#include <errno.h>
#include <string.h>

void kh_lines_init(struct kh_lines *lines, const char *text, size_t length)
{
	*lines = (struct kh_lines){
		.at = text,
		.end = text + length,
		.number = 1,
		.page = length && memchr(text, '\f', length) ? 1 : 0,
	};
}

static bool separates(char c)
{
	return kh_is_blank(c) || c == ',' || c == ';' || c == '|' || c == KH_MARK_CELL || c == KH_MARK_BREAK;
}

/* The end of a piece of at most KH_LINE_MAX bytes, after a separator: cut elsewhere, 10.0.0.12 could become 10.0.0.1. */
static const char *cut(const char *from)
{
	const char *at = from + KH_LINE_MAX;

	while (at > from && !separates(at[-1]))
		at--;
	return at > from ? at : NULL;
}

int kh_lines_next(struct kh_lines *lines, struct kh_line *ret_line)
{
	const char *from = lines->at, *newline, *to;

	if (from >= lines->end)
		return 0;
	newline = memchr(from, '\n', (size_t)(lines->end - from));
	to = newline ? newline : lines->end;
	while (lines->page && from < to && *from == '\f') {
		lines->page++;
		from++;
	}
	*ret_line = (struct kh_line){ .text = from, .number = lines->number, .page = lines->page };
	if ((size_t)(to - from) > KH_LINE_MAX) {
		to = cut(from);
		if (!to)
			return -E2BIG;
		lines->at = to;
	} else {
		lines->at = newline ? newline + 1 : to;
		lines->number++;
	}
	for (const char *at = from; lines->page && at < to; at++)
		lines->page += *at == '\f';
	while (to > from && (to[-1] == '\r' || to[-1] == '\f'))
		to--;
	ret_line->length = (size_t)(to - from);
	return 1;
}
