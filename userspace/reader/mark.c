// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A document's own text on its way into text with marks.
 */
#include "reader/private.h"

#include <string.h>

#include "common/text.h"

/* Characters that are there for the typesetter, and would part a value in two. */
static const char *const invisible[] = {
	"\xc2\xad", /* soft hyphen */
	"\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", /* zero width space, non-joiner, joiner */
	"\xe2\x80\x8e", "\xe2\x80\x8f", /* marks of direction */
	"\xe2\x81\xa0", /* word joiner */
	"\xef\xbb\xbf", /* byte order mark */
};

static const char *const spaces[] = { "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x87" }; /* no-break, narrow, figure */

/* Bytes of the one of `list` that stands at text, or 0. */
static size_t one_of(const char *text, size_t length, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(list[i]);

		if (size <= length && !memcmp(text, list[i], size))
			return size;
	}
	return 0;
}

/* Bytes of a character outside ASCII; what stands for it goes to *ret_plain. */
static size_t wide(const char *text, size_t length, const char **ret_plain)
{
	size_t used = one_of(text, length, invisible, KH_ARRAY_SIZE(invisible));

	*ret_plain = "";
	if (used)
		return used;
	*ret_plain = " ";
	used = one_of(text, length, spaces, KH_ARRAY_SIZE(spaces));
	if (used)
		return used;
	*ret_plain = NULL;
	for (used = 2; used <= 4 && used <= length; used++)
		if (kh_utf8_check(text, used) == used)
			return used;
	*ret_plain = "\xef\xbf\xbd";
	return 1;
}

static char plain(char c, bool cell)
{
	if (c == '\n')
		return cell ? KH_MARK_BREAK : '\n';
	if (c == '\t')
		return cell ? ' ' : '\t';
	return (unsigned char)c < 0x20 || c == 0x7f ? '\0' : c;
}

int kh_mark_text(struct kh_bytes *text, const char *from, size_t length, bool cell)
{
	int result = 0;

	for (size_t at = 0; at < length && !result;) {
		const char *instead;
		size_t used;
		char c;

		if (!(from[at] & 0x80)) {
			c = plain(from[at++], cell);
			result = c ? kh_mark(text, c) : 0;
			continue;
		}
		used = wide(from + at, length - at, &instead);
		result = instead ? kh_bytes_add(text, instead, strlen(instead)) : kh_bytes_add(text, from + at, used);
		at += used;
	}
	return result;
}

int kh_mark_unveil(struct kh_bytes *text, const char *from, size_t length)
{
	size_t done = 0;
	int result = 0;

	for (size_t at = 0; at < length && !result;) {
		const char *instead;
		size_t used;

		/* only these begin one of them */
		if (from[at] != '\xc2' && from[at] != '\xe2' && from[at] != '\xef') {
			at++;
			continue;
		}
		used = wide(from + at, length - at, &instead);
		if (instead) {
			result = kh_bytes_add(text, from + done, at - done);
			if (!result)
				result = kh_bytes_add(text, instead, strlen(instead));
			done = at + used;
		}
		at += used;
	}
	if (result || !done)
		return result;
	result = kh_bytes_add(text, from + done, length - done);
	return result ? result : 1;
}
