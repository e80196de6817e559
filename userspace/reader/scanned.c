// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the recognition of a scan makes of defanging: "c2[.Jbad[. lexample", "c2[{.]bad". Only for scans, whose values wait for a person whatever
 * they are; in other text such letters may be part of a name.
 */
#include <string.h>

#include "reader/private.h"

/* The bytes of a misread "[.]" at `at`; 0: there is none. */
static size_t bracketed_dot(const char *at, const char *end)
{
	const char *next = at;

	while (next < end && next - at < 2 && strchr("[{(", *next))
		next++;
	if (next == at)
		return 0;
	if (next < end && *next == ' ')
		next++;
	if (next >= end || *next++ != '.')
		return 0;
	if (next < end && *next == ' ')
		next++;
	/* a bracket, or what looks like one; then a name goes on */
	if (next + 1 >= end || !strchr("]}JlI1|", *next) || !kh_is_alnum(next[1]))
		return 0;
	return (size_t)(next + 1 - at);
}

void kh_scanned_brackets(struct kh_bytes *text)
{
	char *from = (char *)text->data, *to = from, *end = from + text->length;

	while (from < end) {
		size_t used = to > (char *)text->data && kh_is_alnum(to[-1]) ? bracketed_dot(from, end) : 0;

		if (used < 3) {
			*to++ = *from++;
			continue;
		}
		*to++ = '[';
		*to++ = '.';
		*to++ = ']';
		from += used;
	}
	text->length = (size_t)(to - (char *)text->data);
}
