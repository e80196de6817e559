// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plain lists: one value a line, first column; comments, list markers, hosts files. A line that holds something and
 * no value is never passed over in silence: look-alikes become findings of type unknown, the rest is counted in a note.
 * What is plain on a long list goes into the document's bulk, everything else of it is a finding as on any list.
 */
#include "reader/heed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

struct list {
	struct kh_collector *collector;
	struct kh_line line;
	struct kh_clean clean;
	struct kh_tokens tokens;
	enum kh_decision_reason reason; /* for the line: KH_WHY_TABLE, or why it waits */
	bool bulk; /* a long list: its plain values are no findings */
	bool spans, named; /* two addresses on a line are the ends of a range; by the headings */
	bool single; /* all of it is one line */
	bool content; /* a line with content was seen: the first may be column names */
	size_t skipped, first_skipped; /* lines without a value */
	size_t excepted; /* "@@c2.example" */
	size_t pairs, first_pair; /* two addresses on a line, taken as two */
	size_t ranges, first_range; /* taken as a range, though nothing else says so */
};

static void list_clear(struct list *list)
{
	kh_clean_clear(&list->clean);
	kh_tokens_free(&list->tokens);
}

/* ---- Plain lines: an address, prefix or range, alone or before a column of numbers --------------- */

static bool is_mapped(kh_u128 address)
{
	return address >> 32 == 0xffff;
}

/* How many bytes the value takes; 0: look closer. */
static size_t plain_value(const char *text, size_t length, struct kh_range *ret_range)
{
	size_t value = kh_range_scan(text, length, ret_range);

	if (!value || (value < length && !kh_is_blank(text[value])))
		return 0;
	for (size_t at = value; at < length; at++)
		if (!kh_is_digit(text[at]) && !kh_is_blank(text[at]))
			return 0;
	/* Of ::/80 only the last address is mapped: a prefix as any other. */
	if (ret_range->family == 6 &&
	    (is_mapped(ret_range->first) || (is_mapped(ret_range->last) && kh_range_prefix_length(ret_range) < 0)))
		return 0;
	return value;
}

/* 1: the line was read; 0: look closer; -errno. */
static int read_plain(struct list *list, const char *text, size_t length)
{
	struct kh_place place = {
		.proposed = KH_ENFORCE,
		.reason = KH_WHY_TABLE,
		.section = KH_SECTION_LIST,
		.page = list->line.page,
		.line = list->line.number,
		.raw = text,
	};
	struct kh_indicator indicator;
	struct kh_range range;
	int result;

	place.raw_length = plain_value(text, length, &range);
	if (!place.raw_length)
		return 0;
	if (list->bulk && !list->line.page) {
		result = kh_collect_bulk(list->collector, &range, list->line.number);
	} else {
		indicator = kh_indicator_of_range(&range);
		result = kh_collect_take(list->collector, &indicator, &place);
	}
	return result ? result : 1;
}

/* Are there KH_BULK_MIN plain values? */
static bool is_long(const struct kh_input *input)
{
	struct kh_lines lines;
	struct kh_line line;
	struct kh_range range;
	size_t plain = 0;

	kh_lines_init(&lines, input->text, input->length);
	while (plain < KH_BULK_MIN && kh_lines_next(&lines, &line) == 1) {
		size_t start = kh_list_indent(&line);

		plain += plain_value(line.text + start, line.length - start, &range) > 0;
	}
	return plain == KH_BULK_MIN;
}

/* ---- Any other line ----------------------------------------------------------------------------- */

static bool is_named(const struct kh_token *token)
{
	return token->indicator.type == KH_TYPE_DOMAIN || token->indicator.type == KH_TYPE_URL;
}

static int collect(struct list *list, struct kh_token *token)
{
	struct kh_place place = kh_place_of(&list->line, &list->clean, token, KH_SECTION_LIST);

	if (token->kind == KH_TOKEN_VALUE && token->indicator.type == KH_TYPE_DOMAIN &&
	    kh_token_is_wildcard(&list->clean, token))
		token->indicator.subdomains = true;

	place.proposed = list->reason == KH_WHY_TABLE ? KH_ENFORCE : KH_REVIEW;
	place.reason = list->reason;
	if (token->kind == KH_TOKEN_CVE)
		return kh_collect_cve(list->collector, list->clean.text + token->start, token->end - token->start);
	if (token->kind == KH_TOKEN_HASH)
		return kh_collect_hash(list->collector, list->clean.text + token->start, token->end - token->start);
	if (token->kind == KH_TOKEN_MALFORMED || token->host_bits) {
		place.proposed = KH_REVIEW;
		place.reason = token->host_bits ? KH_WHY_HOST_BITS : KH_WHY_MALFORMED;
	} else if (is_named(token) && list->reason != KH_WHY_CONTEXT && list->reason != KH_WHY_UNCLEAR) {
		place.proposed = KH_UNENFORCEABLE;
		place.reason = token->indicator.type == KH_TYPE_URL ? KH_WHY_URL : KH_WHY_DOMAIN;
	}
	return kh_collect_take(list->collector, &token->indicator, &place);
}

/* Only separators between the two? Then the second stands beside the first, not in a remark about it. */
static bool adjoin(const struct kh_clean *clean, const struct kh_token *a, const struct kh_token *b)
{
	for (size_t at = a->end; at < b->start; at++) {
		if (!strchr(" \t,;|\"'", clean->text[at]))
			return false;
	}
	return true;
}

/* Does the prefix length of the two stand behind them? */
static bool is_measured(const struct list *list, const struct kh_token *a, const struct kh_token *b)
{
	struct kh_range range;
	size_t at = b->end + strspn(list->clean.text + b->end, " \t,;|");
	int length = 0;

	for (size_t digits = 0; digits < 3 && kh_is_digit(list->clean.text[at + digits]); digits++)
		length = length * 10 + (list->clean.text[at + digits] - '0');
	return at > b->end && kh_span_join(&a->indicator.range, &b->indicator.range, true, &range) &&
	       length == kh_range_prefix_length(&range);
}

/* "43.229.53.0 43.229.53.255 24", "start,end": the first and the last of a range. */
static bool is_first_last(struct list *list, size_t first)
{
	struct kh_token *a = &list->tokens.list[first], *b = a + 1;
	struct kh_range range;
	bool block;

	if (first + 1 >= list->tokens.count || a->kind != KH_TOKEN_VALUE || b->kind != KH_TOKEN_VALUE ||
	    a->indicator.type != KH_TYPE_ADDRESS || b->indicator.type != KH_TYPE_ADDRESS || !adjoin(&list->clean, a, b))
		return false;
	block = kh_span_join(&a->indicator.range, &b->indicator.range, false, &range) || is_measured(list, a, b);
	if (!block && !list->spans)
		return false;
	if (!kh_span_join(&a->indicator.range, &b->indicator.range, true, &range)) {
		list->reason = KH_WHY_UNCLEAR;
		return false;
	}
	if (!block && !list->named && !list->ranges++)
		list->first_range = (size_t)list->line.number;
	a->indicator = kh_indicator_of_range(&range);
	a->end = b->end;
	return true;
}

/* The line's own words about its value: "trừ 203.0.113.62", "203.0.113.62 # không chặn". What stands before it, and is no
 * column or label, may say anything; what follows is a remark, and only heeded when it exempts. */
static int heed_words(struct list *list)
{
	const char *text = list->clean.text, *after = text + list->tokens.list[0].end;
	size_t marker = kh_marker_skip(text), at = list->tokens.list[0].start;
	char *folded KH_CLEANUP(kh_freep) = NULL;
	bool before;

	list->reason = kh_sign_of(text, at, list->tokens.list[0].end);
	if (list->reason != KH_WHY_TABLE)
		return 0;
	while (at > marker && strchr(" \"'(", text[at - 1]))
		at--;
	before = at > marker && (kh_is_word(text[at - 1]) || text[at - 1] == ':');
	while (*after && !kh_is_letter(*after) && !(*after & 0x80))
		after++;
	if (!before && !*after)
		return 0;
	folded = kh_fold(text, list->clean.length);
	if (!folded)
		return -ENOMEM;
	if (kh_is_sparing(folded) || (before && kh_talk_of(folded) == KH_TALK_BYSTANDERS))
		list->reason = KH_WHY_CONTEXT;
	else if (before && text[at - 1] != ':')
		list->reason = KH_WHY_PROSE;
	return 0;
}

/* Further on the line, behind something else: written defanged it is an indicator, though perhaps not one of this list's. */
static int collect_defanged(struct list *list, size_t from)
{
	int result = 0;

	for (size_t i = from; i < list->tokens.count && !result; i++) {
		if (!list->tokens.list[i].defanged)
			continue;
		if (list->reason == KH_WHY_TABLE)
			list->reason = KH_WHY_PROSE;
		result = collect(list, &list->tokens.list[i]);
	}
	return result;
}

/* The names behind the address of a hosts file, up to a remark. */
static int collect_hosts(struct list *list)
{
	struct kh_token *tokens = list->tokens.list;
	int result = 0;

	for (size_t i = 1; i < list->tokens.count && !result; i++) {
		if (!is_named(&tokens[i]) || !adjoin(&list->clean, &tokens[i - 1], &tokens[i]))
			break;
		if (!kh_hosts_local(tokens[i].indicator.text))
			result = collect(list, &tokens[i]);
	}
	return result;
}

/* The values of the line: of the first column, or all when nothing else stands there. */
static int collect_line(struct list *list)
{
	struct kh_token *tokens = list->tokens.list;
	size_t first = 0, next = 0, taken = 0;
	bool named;
	int result;

	if (kh_hosts_line(&list->clean, &list->tokens))
		return collect_hosts(list);
	if (is_first_last(list, first))
		return collect(list, &tokens[first]);
	named = is_named(&tokens[first]);
	for (; next < list->tokens.count; next++, taken++) {
		bool fact = tokens[next].kind == KH_TOKEN_CVE || tokens[next].kind == KH_TOKEN_HASH;

		if (next > first && !adjoin(&list->clean, &tokens[next - 1], &tokens[next]) &&
		    tokens[next].start != tokens[next - 1].start)
			break;
		if (next > first && !fact && is_named(&tokens[next]) != named && !list->single)
			break;
		result = collect(list, &tokens[next]);
		if (result)
			return result;
	}
	result = collect_defanged(list, next);
	if (result)
		return result;
	if (taken == 2 && !named && tokens[first].start != tokens[first + 1].start && !list->pairs++)
		list->first_pair = (size_t)list->line.number;
	return 0;
}

/* A line without a value: "10.1.2" and "8,217.199.160" look like one, "Danh sách" does not. */
static int no_value(struct list *list, size_t start)
{
	const char *text = list->line.text + start;
	size_t length = 0, digits = 0, points = 0;
	bool wide = false;
	int code;
	struct kh_indicator indicator = { .type = KH_TYPE_UNKNOWN };
	struct kh_place place = { .proposed = KH_REVIEW,
				  .reason = KH_WHY_MALFORMED,
				  .section = KH_SECTION_LIST,
				  .page = list->line.page,
				  .line = list->line.number,
				  .raw = text };

	for (; start + length < list->line.length && !kh_is_blank(text[length]); length++) {
		wide = wide || (text[length] & 0x80);
		digits += kh_is_digit(text[length]);
		points += text[length] == '.' || text[length] == ':';
	}
	while (length && strchr(",;|\"'", text[length - 1]))
		length--;
	code = wide && points ? kh_name_read(text, length, &indicator) : -EINVAL;
	if (code == -ENOMEM)
		return code;
	if (!code) {
		place.proposed = KH_UNENFORCEABLE;
		place.reason = KH_WHY_DOMAIN;
		place.raw_length = length;
		return kh_collect_take(list->collector, &indicator, &place);
	}
	if (kh_name_is_top_level(text, length) && strchr("*.", *text)) {
		place.raw_length = length;
		return kh_collect_top_level(list->collector, text, length, &place);
	}
	place.raw_length = kh_guess_address(text, length, &indicator);
	if (place.raw_length) {
		place.reason = KH_WHY_UNCLEAR;
		return kh_collect_take(list->collector, &indicator, &place);
	}
	if (digits < 2 || !points || length > 64) {
		if (list->content && !list->skipped++)
			list->first_skipped = (size_t)list->line.number;
		return 0;
	}
	indicator.type = KH_TYPE_UNKNOWN;
	place.raw_length = length;
	indicator.text = strndup(text, length);
	return indicator.text ? kh_collect_take(list->collector, &indicator, &place) : -ENOMEM;
}

static int read_line(struct list *list)
{
	const struct kh_line *line = &list->line;
	size_t start = kh_list_indent(line), marker;
	int result;

	if (kh_list_is_comment(line, start))
		return 0;
	if (line->length - start > 2 && !memcmp(line->text + start, "@@", 2)) {
		list->excepted++;
		return 0;
	}
	result = read_plain(list, line->text + start, line->length - start);
	if (result) {
		list->content = true;
		return result < 0 ? result : 0;
	}
	result = kh_refang(line->text + start, line->length - start, &list->clean);
	if (result)
		return result;
	list->line.text += start;
	list->line.length -= start;
	result = kh_tokens_read(&list->tokens, &list->clean, KH_MEANT);
	if (result)
		return result;
	marker = kh_marker_skip(list->clean.text);
	if (list->tokens.count) {
		result = heed_words(list);
		if (!result)
			result = collect_line(list);
	} else
		result = no_value(list, kh_origin(&list->clean, marker));
	list->content = true;
	return result;
}

static int add_notes(struct list *list)
{
	int result = 0;

	if (list->skipped)
		result = kh_collect_note(list->collector, _("lines without a value: %zu, the first is line %zu"),
					 list->skipped, list->first_skipped);
	if (!result && list->excepted)
		result = kh_collect_note(list->collector,
					 _("exceptions of the list (names that it does not block), not taken: %zu"),
					 list->excepted);
	if (!result && list->pairs)
		result = kh_collect_note(
			list->collector,
			_("two addresses on one line: %zu times, first on line %zu; taken as single addresses, "
			  "write a range as first-last"),
			list->pairs, list->first_pair);
	if (!result && list->ranges)
		result = kh_collect_note(
			list->collector,
			_("two addresses on one line: %zu times, first on line %zu; taken as the first and last of a range"),
			list->ranges, list->first_range);
	return result;
}

int kh_list_read(const struct kh_input *input, struct kh_collector *collector)
{
	struct list list KH_CLEANUP(list_clear) = { .collector = collector, .bulk = is_long(input) };
	const char *end = memchr(input->text, '\n', input->length);
	struct kh_lines lines;
	int result = kh_spans_of(input, &list.named);

	if (result < 0)
		return result;
	list.spans = result;
	list.single = !end || end + 1 == input->text + input->length;
	kh_lines_init(&lines, input->text, input->length);
	while ((result = kh_lines_next(&lines, &list.line)) == 1) {
		result = read_line(&list);
		if (result)
			return result;
	}
	if (result)
		return kh_fail_long_line(input, &list.line, collector->error);
	result = kh_collect_bulk_end(collector);
	return result ? result : add_notes(&list);
}
