// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is not written as a value, though one is meant: a sign in front of it or behind it, another sign where a dot belongs. A person decides.
 */
#include <string.h>

#include "common/util.h"
#include "reader/private.h"

enum kh_decision_reason kh_sign_of(const char *text, size_t start, size_t end)
{
	char before = start ? text[start - 1] : '\0';

	if (before == '!' || (before == '@' && start > 1 && text[start - 2] == '@'))
		return KH_WHY_CONTEXT; /* "all but this" */
	if ((before && strchr("?~^%&$\\", before)) || text[end] == '?')
		return KH_WHY_UNCLEAR;
	return KH_WHY_TABLE;
}

/* One of four numbers at text + *at, up to three digits; false: it is none. */
static bool octet(const char *text, size_t length, size_t *at, kh_u128 *address)
{
	size_t used = 0;
	unsigned number = 0;

	for (; *at + used < length && used < 4 && kh_is_digit(text[*at + used]); used++)
		number = number * 10 + (unsigned)(text[*at + used] - '0');
	if (!used || used > 3 || number > 255 || (used > 1 && text[*at] == '0'))
		return false;
	*address = *address << 8 | number;
	*at += used;
	return true;
}

size_t kh_guess_address(const char *text, size_t length, struct kh_indicator *ret_indicator)
{
	struct kh_range range = { .family = 4 };
	size_t at = 0, wrong = 0;

	for (int i = 0; i < 4; i++) {
		if (i) {
			if (at >= length || !strchr(".,/", text[at]))
				return 0;
			wrong += text[at++] != '.';
		}
		if (!octet(text, length, &at, &range.first))
			return 0;
	}
	if (wrong != 1 || (at < length && (kh_is_word(text[at]) || (text[at] == '.' && at + 1 < length))))
		return 0;
	range.last = range.first;
	*ret_indicator = kh_indicator_of_range(&range);
	return at;
}
