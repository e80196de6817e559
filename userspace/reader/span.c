// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two addresses beside each other: two values, or the first and the last of a range? A block on bit borders is a range; any other is one when the
 * headings say so, or all rows have the form and half of them are blocks (a sorted list in two columns has the form, too, and orders nothing in between).
 */
#include <errno.h>
#include <string.h>

#include "common/util.h"
#include "reader/private.h"

#define SAMPLE_LINES 2000

/* Read in lists without headings: a range is narrower than chance would have it. */
static bool is_narrow(const struct kh_range *range)
{
	return range->last - range->first < (range->family == 4 ? (kh_u128)1 << 24 : (kh_u128)1 << 96);
}

static bool is_block(const struct kh_range *range)
{
	return range->last - range->first >= 3 && kh_range_prefix_length(range) >= 0;
}

static bool is_single(const struct kh_range *range)
{
	return range->first == range->last;
}

bool kh_span_join(const struct kh_range *first, const struct kh_range *last, bool spans, struct kh_range *ret_range)
{
	struct kh_range range = { first->first, last->last, first->family };

	if (first->family != last->family || !is_single(first) || !is_single(last) || range.first > range.last)
		return false;
	if (!spans && !is_block(&range))
		return false;
	*ret_range = range;
	return true;
}

enum kh_span_end kh_span_heading(const char *folded)
{
	static const char *const firsts[] = { "start",	 "begin",  "first",	  "from",    "low",	"tU",
					      "bAt dAu", "ip dAu", "dIa chI dAu", "startip", "ipstart", NULL };
	static const char *const lasts[] = { "end",	"last",		"to",	 "high",  "dEn", "kEt thUc",
					     "ip cuOi", "dIa chI cuOi", "endip", "ipend", NULL };
	static const char *const times[] = { "seen",   "date",	 "time",  "ngAy", "thOi gian",
					     "online", "update", "valid", NULL };

	if (kh_word_find(folded, times))
		return KH_SPAN_NONE;
	if (kh_word_find(folded, firsts))
		return KH_SPAN_FIRST;
	return kh_word_find(folded, lasts) ? KH_SPAN_LAST : KH_SPAN_NONE;
}

void kh_spans_add(struct kh_spans *spans, const struct kh_range *first, const struct kh_range *last)
{
	struct kh_range range;

	spans->pairs++;
	if (!kh_span_join(first, last, true, &range) || !is_narrow(&range))
		return;
	spans->rising++;
	spans->blocks += is_block(&range) || range.first == range.last;
}

bool kh_spans_all(const struct kh_spans *spans)
{
	return spans->pairs >= 2 && spans->pairs == spans->rows && spans->rising == spans->pairs &&
	       2 * spans->blocks >= spans->pairs;
}

/* ---- Lists without quotes ---------------------------------------------------------------------------------- */

/* "start,end": is it the first line of the list? 1, 0, -ENOMEM. */
static int is_heading(const char *text, size_t length)
{
	const char *end = text + length, *stop = memchr(text, ',', length);
	char *first KH_CLEANUP(kh_freep) = NULL, *last KH_CLEANUP(kh_freep) = NULL;

	stop = stop ? stop : memchr(text, ';', length);
	stop = stop ? stop : memchr(text, '\t', length);
	if (!stop || length > 400)
		return 0;
	first = kh_fold(text, (size_t)(stop - text));
	last = kh_fold(stop + 1, (size_t)(end - stop - 1));
	if (!first || !last)
		return -ENOMEM;
	for (char *at = first; *at; at++)
		*at = *at == '_' || *at == '-' ? ' ' : *at;
	for (char *at = last; *at; at++) {
		*at = *at == '_' || *at == '-' ? ' ' : *at;
		if (strchr(",;\t", *at)) {
			*at = '\0';
			break;
		}
	}
	return kh_span_heading(first) == KH_SPAN_FIRST && kh_span_heading(last) == KH_SPAN_LAST;
}

static void add_line(struct kh_spans *spans, const char *text, size_t length)
{
	struct kh_range first, last;
	size_t at = kh_range_scan(text, length, &first), used;

	if (!at)
		return;
	spans->rows++;
	used = at;
	while (at < length && strchr(" \t,;|", text[at]))
		at++;
	if (at < length && memchr(text + used, ' ', at - used) && !memchr(text + used, ',', at - used))
		return; /* words of a line stand so too */
	if (at > used && at < length && kh_range_scan(text + at, length - at, &last))
		kh_spans_add(spans, &first, &last);
}

int kh_spans_of(const struct kh_input *input, bool *ret_named)
{
	struct kh_spans spans = {};
	struct kh_lines lines;
	struct kh_line line;
	size_t seen = 0;

	*ret_named = false;
	kh_lines_init(&lines, input->text, input->length);
	while (seen < SAMPLE_LINES && kh_lines_next(&lines, &line) == 1) {
		size_t start = kh_list_indent(&line);
		int heading;

		if (kh_list_is_comment(&line, start))
			continue;
		if (!seen++) {
			heading = is_heading(line.text + start, line.length - start);
			if (heading) {
				*ret_named = heading > 0;
				return heading;
			}
		}
		add_line(&spans, line.text + start, line.length - start);
	}
	return kh_spans_all(&spans);
}
