// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The form for programs: the reply as it came, less what belongs to the protocol. What a terminal would obey (C1 controls,
 * direction marks) is escaped, which JSON reads as the same text.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/render.h"

/* The code point of a two- or three-byte sequence that a terminal might obey, else 0. C0 is escaped by the dump itself. */
static unsigned int dangerous(const unsigned char *at, size_t left, size_t *ret_length)
{
	unsigned int point = 0;

	*ret_length = 1;
	if (at[0] == 0x7f)
		return 0x7f;
	if (left >= 2 && (at[0] & 0xe0) == 0xc0) {
		*ret_length = 2;
		point = (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu);
		return (point >= 0x80 && point < 0xa0) || point == 0x61c ? point : 0;
	}
	if (left >= 3 && (at[0] & 0xf0) == 0xe0) {
		*ret_length = 3;
		point = (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
		return (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
				       (point >= 0x2060 && point <= 0x2069) || point == 0xfeff
			       ? point
			       : 0;
	}
	return 0;
}

/* The dump hands out whole strings or parts between escapes: never half a character. */
static int put(const char *data, size_t size, void *stream)
{
	const unsigned char *at = (const unsigned char *)data;

	while (size) {
		size_t length;
		unsigned int point = dangerous(at, size, &length);

		if (point)
			fprintf(stream, "\\u%04x", point);
		else
			fwrite(at, 1, length, stream);
		at += length;
		size -= length;
	}
	return 0;
}

char *kh_json_text(const json_t *value, size_t flags)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	int code;

	if (!stream)
		return NULL;
	code = json_dump_callback(value, put, stream, flags | JSON_REAL_PRECISION(3));
	if (!fclose(stream) && code >= 0)
		return text;
	free(text);
	return NULL;
}

void kh_json_print(json_t *reply)
{
	json_object_del(reply, "exit");
	json_object_del(reply, "token");
	json_dump_callback(reply, put, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(3));
	putchar('\n');
}
