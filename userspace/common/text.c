// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UTF-8 and Vietnamese: checking, marks off, REFs, columns. Numbers, durations and times are in time.c.
 */
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

/* One code point from valid or invalid UTF-8. Its length; 0 at the end; -1 for a bad byte. */
static int decode(const char *text, size_t length, uint32_t *ret_point)
{
	const uint8_t *at = (const uint8_t *)text;
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t point;
	int count;

	if (!length)
		return 0;
	if (at[0] < 0x80) {
		*ret_point = at[0];
		return 1;
	}
	count = at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc2 ? 2 : 0;
	if (!count || at[0] >= 0xf5 || (size_t)count > length)
		return -1;
	point = at[0] & (0x7fu >> count);
	for (int i = 1; i < count; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return -1;
		point = point << 6 | (at[i] & 0x3fu);
	}
	if (point < lowest[count] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return -1;
	*ret_point = point;
	return count;
}

size_t kh_utf8_check(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length) {
		uint32_t point;
		uint64_t eight;
		int count;

		if (length - at >= sizeof(eight)) { /* most text is ASCII */
			memcpy(&eight, text + at, sizeof(eight));
			if (!(eight & 0x8080808080808080u)) {
				at += sizeof(eight);
				continue;
			}
		}
		count = decode(text + at, length - at, &point);

		if (count < 0)
			return at;
		at += (size_t)count;
	}
	return length;
}

/* Base letters of the precomposed Vietnamese letters outside U+1EA0..U+1EF9. */
static char base_of_latin(uint32_t point)
{
	static const struct {
		uint32_t point;
		char base;
	} letters[] = {
		{ 0xc0, 'A' },	{ 0xc1, 'A' },	{ 0xc2, 'A' },	{ 0xc3, 'A' },	{ 0xc8, 'E' },	{ 0xc9, 'E' },
		{ 0xca, 'E' },	{ 0xcc, 'I' },	{ 0xcd, 'I' },	{ 0xd2, 'O' },	{ 0xd3, 'O' },	{ 0xd4, 'O' },
		{ 0xd5, 'O' },	{ 0xd9, 'U' },	{ 0xda, 'U' },	{ 0xdd, 'Y' },	{ 0xe0, 'a' },	{ 0xe1, 'a' },
		{ 0xe2, 'a' },	{ 0xe3, 'a' },	{ 0xe8, 'e' },	{ 0xe9, 'e' },	{ 0xea, 'e' },	{ 0xec, 'i' },
		{ 0xed, 'i' },	{ 0xf2, 'o' },	{ 0xf3, 'o' },	{ 0xf4, 'o' },	{ 0xf5, 'o' },	{ 0xf9, 'u' },
		{ 0xfa, 'u' },	{ 0xfd, 'y' },	{ 0x102, 'A' }, { 0x103, 'a' }, { 0x110, 'D' }, { 0x111, 'd' },
		{ 0x128, 'I' }, { 0x129, 'i' }, { 0x168, 'U' }, { 0x169, 'u' }, { 0x1a0, 'O' }, { 0x1a1, 'o' },
		{ 0x1af, 'U' }, { 0x1b0, 'u' }, { 0xd0, 'D' },	{ 0x189, 'D' }, /* eth and African D: they look like Đ */
	};

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].point == point)
			return letters[i].base;
	return 0;
}

/* U+1EA0..U+1EF9 is 12 pairs of A, 8 of E, 2 of I, 12 of O, 7 of U, 4 of Y, upper case first (the Unicode chart). */
static char base_of(uint32_t point)
{
	static const struct {
		uint32_t end;
		char base;
	} runs[] = { { 0x1eb8, 'A' }, { 0x1ec8, 'E' }, { 0x1ecc, 'I' },
		     { 0x1ee4, 'O' }, { 0x1ef2, 'U' }, { 0x1efa, 'Y' } };

	if (point < 0x1ea0 || point >= 0x1efa)
		return base_of_latin(point);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		if (point < runs[i].end)
			return (char)(runs[i].base + (point % 2 ? 'a' - 'A' : 0));
	return 0;
}

static int is_combining(uint32_t point)
{
	return point >= 0x300 && point < 0x370;
}

char *kh_text_unaccent(const char *text)
{
	size_t length = strlen(text), out = 0, at = 0;
	char *plain = malloc(length + 1);

	while (plain && at < length) {
		uint32_t point = 0;
		int count = decode(text + at, length - at, &point);
		char base = count > 1 ? base_of(point) : 0;

		if (base) {
			plain[out++] = base;
		} else if (count > 0 && !is_combining(point)) {
			memcpy(plain + out, text + at, (size_t)count);
			out += (size_t)count;
		} else if (count < 0) {
			plain[out++] = text[at];
		}
		at += count > 0 ? (size_t)count : 1;
	}
	if (plain)
		plain[out] = '\0';
	return plain;
}

/* Spaces and dashes beyond ASCII, as word processors put them into a number: no-break and typographic spaces, soft hyphen,
 * byte order mark go; every dash is "-". */
static bool is_space_or_dash(const unsigned char *at, size_t *ret_length, bool *ret_dash)
{
	uint32_t point = 0;
	int count = at[0] < 0xc2 ? 0 : decode((const char *)at, strnlen((const char *)at, 4), &point);
	bool dash = (point >= 0x2010 && point <= 0x2015) || point == 0x2212;

	if (count < 2)
		return false;
	if (!dash && point != 0xa0 && point != 0xad && !(point >= 0x2000 && point <= 0x200b) && point != 0x202f &&
	    point != 0x3000 && point != 0xfeff)
		return false;
	*ret_length = (size_t)count;
	*ret_dash = dash;
	return true;
}

char *kh_text_fold(const char *text)
{
	char *folded = kh_text_unaccent(text), *out = folded;
	size_t skip;
	bool dash;

	for (const char *at = folded; at && *at; at++) {
		if (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r' || *at == '\v' || *at == '\f')
			continue;
		if (is_space_or_dash((const unsigned char *)at, &skip, &dash)) {
			if (dash)
				*out++ = '-';
			at += skip - 1;
			continue;
		}
		*out++ = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
	}
	if (folded)
		*out = '\0';
	return folded;
}

/* Two columns: East Asian Wide and Fullwidth blocks, and emoji (Unicode Standard Annex 11, by block). */
static int is_wide(uint32_t point)
{
	return (point >= 0x1100 && point <= 0x115f) || (point >= 0x2e80 && point <= 0x303e) ||
	       (point >= 0x3041 && point <= 0xa4cf) || (point >= 0xac00 && point <= 0xd7a3) ||
	       (point >= 0xf900 && point <= 0xfaff) || (point >= 0xfe30 && point <= 0xfe6f) ||
	       (point >= 0xff00 && point <= 0xff60) || (point >= 0xffe0 && point <= 0xffe6) ||
	       (point >= 0x1f300 && point <= 0x1faff) || (point >= 0x20000 && point <= 0x3fffd);
}

static int is_zero_width(uint32_t point)
{
	return is_combining(point) || (point >= 0x200b && point <= 0x200f) || point == 0xfeff ||
	       (point >= 0x1ab0 && point <= 0x1aff) || (point >= 0x20d0 && point <= 0x20ff) ||
	       (point >= 0xfe00 && point <= 0xfe0f);
}

size_t kh_text_columns(const char *text)
{
	size_t length = strlen(text), at = 0, columns = 0;

	while (at < length) {
		uint32_t point = 0;
		int count = decode(text + at, length - at, &point);

		if (count < 0)
			columns++;
		else if (!is_zero_width(point) && point >= 0x20)
			columns += is_wide(point) ? 2 : 1;
		at += count > 0 ? (size_t)count : 1;
	}
	return columns;
}

/* C0, DEL, C1, line separators, and what is invisible or turns the direction of text: it makes one value look like another. */
static int is_dangerous(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x2069) || (point >= 0x200b && point <= 0x200f) || point == 0x61c ||
	       point == 0xfeff;
}

void kh_text_printable(char *text)
{
	size_t length = strlen(text), at = 0, out = 0;

	while (at < length) {
		uint32_t point = 0;
		int count = decode(text + at, length - at, &point);

		if (count < 0 || is_dangerous(point)) {
			text[out++] = '?';
		} else {
			memmove(text + out, text + at, (size_t)count);
			out += (size_t)count;
		}
		at += count > 0 ? (size_t)count : 1;
	}
	text[out] = '\0';
}
