// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/private.h"

/* A text of an answer, not cut within a letter. */
static char *clipped(const char *text)
{
	size_t length = strlen(text);

	if (length > KH_FETCH_TEXT_MAX)
		for (length = KH_FETCH_TEXT_MAX; length && ((unsigned char)text[length] & 0xc0) == 0x80;)
			length--;
	return strndup(text, length);
}

__attribute__((format(printf, 2, 0))) static void set_text(char **text, const char *format, va_list values)
{
	char *longer = NULL;

	free(*text);
	*text = NULL;
	if (vasprintf(&longer, format, values) < 0)
		return;
	*text = clipped(longer);
	free(longer);
}

int kh_feed_fail(struct kh_feed *feed, int code, const char *hint, const char *format, ...)
{
	struct kh_fetch_answer *answer = feed->answer;
	va_list values;

	va_start(values, format);
	set_text(&answer->text, format, values);
	va_end(values);
	free(answer->hint);
	answer->hint = hint ? clipped(hint) : NULL;
	answer->result = KH_FETCH_FAILED;
	return code;
}

void kh_feed_forgive(struct kh_feed *feed)
{
	free(KH_TAKE(feed->answer->text));
	free(KH_TAKE(feed->answer->hint));
}

void kh_feed_remark(struct kh_feed *feed, const char *format, ...)
{
	va_list values;

	kh_feed_forgive(feed);
	va_start(values, format);
	set_text(&feed->answer->text, format, values);
	va_end(values);
}
