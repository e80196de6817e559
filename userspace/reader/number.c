// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The number of a letter, and what a letter says of others: whose advisory it passes on, and until when it wants an answer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"
#include "reader/private.h"

#define RELAYS_MAX 16
#define WORDS_BEFORE 40 /* bytes */

const char *kh_skip_blank(const char *at, const char *end)
{
	while (at < end && kh_is_blank(*at))
		at++;
	return at;
}

/* "CATTT-NCSC", also "VNCERT - ĐPƯC"; its end. */
static const char *code_end(const char *at, const char *end)
{
	for (;;) {
		const char *next;

		while (at < end && !kh_is_blank(*at) && !strchr(",;()|:\"", *at))
			at++;
		next = kh_skip_blank(at, end);
		if (next == at || next >= end || *next != '-' || next - at > 1)
			return at;
		next = kh_skip_blank(next + 1, end);
		if (next >= end || !((*next >= 'A' && *next <= 'Z') || (*next & 0x80)))
			return at;
		at = next;
	}
}

bool kh_has_letter(const char *at, const char *end)
{
	for (; at < end; at++) {
		if (kh_is_letter(*at) || (*at & 0x80))
			return true;
	}
	return false;
}

int kh_letter_number(const char *at, const char *end, char **ret_number, bool *ret_overlaid)
{
	char *composed KH_CLEANUP(kh_freep) = NULL;
	const char *digits = kh_skip_blank(at, end), *slash = digits, *code, *tail;
	char joined[160];
	size_t to = 0;

	while (slash < end && kh_is_digit(*slash))
		slash++;
	at = slash;
	if (at > digits && at < end && kh_is_letter(*at)) /* 12a/... */
		at++;
	slash = at;
	at = kh_skip_blank(at, end);
	if (at >= end || *at != '/' || slash - digits > 8)
		return 0;
	code = kh_skip_blank(at + 1, end);
	tail = code_end(code, end);
	while (tail > code && strchr(".,-/", tail[-1]))
		tail--;
	if (!kh_has_letter(code, tail) || tail - code > 100)
		return 0;
	at = tail;
	if (slash == digits) { /* the number was laid over the line and stands at its end */
		while (tail > code && kh_is_digit(tail[-1]))
			tail--;
		digits = tail;
		slash = at;
		if (slash == digits || slash - digits > 6)
			return 0;
		*ret_overlaid = true;
	}
	to = (size_t)snprintf(joined, sizeof(joined), "%.*s/", (int)(slash - digits), digits);
	for (; code < tail; code++) {
		if (!kh_is_blank(*code))
			joined[to++] = *code;
	}
	composed = kh_compose(joined, to);
	if (!composed)
		return -ENOMEM;
	*ret_number = KH_TAKE(composed);
	return 1;
}

/* ---- Letters that it passes on ------------------------------------------------------------------------ */

int kh_letter_relay(struct kh_letter *letter, char *number_take)
{
	char *number KH_CLEANUP(kh_freep) = number_take, **relays;

	if ((letter->number && !strcmp(letter->number, number)) || letter->relays_count >= RELAYS_MAX)
		return 0;
	for (size_t i = 0; i < letter->relays_count; i++)
		if (!strcmp(letter->relays[i], number))
			return 0;
	relays = realloc(letter->relays, (letter->relays_count + 1) * sizeof(char *));
	if (!relays)
		return -ENOMEM;
	letter->relays = relays;
	letter->relays[letter->relays_count++] = KH_TAKE(number);
	return 0;
}

/* Do the words before it say that it is a letter's number? 1, 0, -ENOMEM. */
static int names_letter(const char *line, const char *number)
{
	static const char *const words[] = { "cOng vAn sO ", "vAn bAn sO ", "cOng diEn sO ", "cAnh bAo sO " };
	const char *from = number - line > WORDS_BEFORE ? number - WORDS_BEFORE : line;
	char *folded KH_CLEANUP(kh_freep) = NULL;

	while (from < number && (*from & 0xc0) == 0x80)
		from++;
	folded = kh_fold(from, (size_t)(number - from));
	if (!folded)
		return -ENOMEM;
	for (const char *at = folded; *at; at++) {
		for (size_t i = 0; i < KH_ARRAY_SIZE(words); i++) {
			size_t used = kh_word_match(at, words[i]);

			if (used && !at[used])
				return 1;
		}
	}
	return 0;
}

/* "theo Công văn số 58/VNCERT-ĐPƯC": the next on the line, from *at on, which moves behind it. 1, 0, -ENOMEM. */
static int next_named(const struct kh_line *line, const char **at, char **ret_number)
{
	const char *end = line->text + line->length;
	int result = 0;

	for (; *at < end && !result; ++*at) {
		bool overlaid = false;

		if (!kh_is_digit(**at) || (*at > line->text && kh_is_digit((*at)[-1])))
			continue;
		result = names_letter(line->text, *at);
		if (result > 0)
			result = kh_letter_number(*at, end, ret_number, &overlaid);
	}
	return result;
}

int kh_letter_named(const struct kh_line *line, char **ret_number)
{
	const char *at = line->text;

	return next_named(line, &at, ret_number);
}

static int find_relays(const struct kh_line *line, struct kh_letter *letter)
{
	const char *at = line->text;
	char *number = NULL;
	int result;

	while ((result = next_named(line, &at, &number)) == 1) {
		result = kh_letter_relay(letter, KH_TAKE(number));
		if (result < 0)
			break;
	}
	return result;
}

/* ---- Until when it wants an answer ----------------------------------------------------------------------- */

static size_t take_digits(const char *text, int *ret_number)
{
	size_t used = 0;

	for (*ret_number = 0; used < 4 && kh_is_digit(text[used]); used++)
		*ret_number = *ret_number * 10 + (text[used] - '0');
	return used;
}

/* "30/9", "30/09/2017", "30 tháng 9 năm 2017" (folded); year 0: it does not say. */
static bool read_date(const char *text, int *day, int *month, int *year)
{
	size_t used = take_digits(text, day), step;

	*year = 0;
	if (!used)
		return false;
	text += used;
	step = kh_word_match(text, " thAng ");
	if (!step && (!*text || !strchr("/-", *text)))
		return false;
	text += step ? step : 1;
	used = take_digits(text, month);
	if (!used || *day < 1 || *day > 31 || *month < 1 || *month > 12)
		return false;
	text += used;
	step = kh_word_match(text, " nAm ");
	if (!step && *text && strchr("/-", *text))
		step = 1;
	if (step && take_digits(text + step, year) != 4)
		*year = 0;
	return true;
}

/* A day without a year is the next of its kind after the letter's own. */
static int set_report_by(struct kh_letter *letter, int day, int month, int year)
{
	char own[11] = "", text[32];

	if (letter->date)
		snprintf(own, sizeof(own), "%s", letter->date);
	if (!year && !own[0])
		return 0;
	if (!year)
		year = (own[0] - '0') * 1000 + (own[1] - '0') * 100 + (own[2] - '0') * 10 + (own[3] - '0');
	snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, day);
	if (own[0] && strcmp(text, own) < 0)
		snprintf(text, sizeof(text), "%04d-%02d-%02d", year + 1, month, day);
	letter->report_by = strdup(text);
	return letter->report_by ? 0 : -ENOMEM;
}

/* "báo cáo ... trước ngày 30/9", on one line or on two. */
static int find_report_by(const char *before, const char *folded, struct kh_letter *letter)
{
	static const char *const asks[] = { "bAo cAo", "phAn hOi", "gUi kEt quA", "thOng bAo kEt quA", NULL };
	static const char *const untils[] = { "trUOc", "chAm nhAt", NULL };
	const char *until = kh_word_find(folded, untils);
	int day, month, year;

	if (letter->report_by || !until || !(kh_word_find(folded, asks) || kh_word_find(before, asks)))
		return 0;
	for (const char *at = until; *at && at < until + 60; at++) {
		if (!kh_is_digit(*at) || kh_is_digit(at[-1]))
			continue;
		if (at[1] == 'h' || at[1] == ':' ||
		    (at[1] && (at[2] == 'h' || at[2] == ':'))) { /* "trước 17h00 ngày 30/9" */
			at += strcspn(at, " ");
			if (!*at)
				break;
			continue;
		}
		return read_date(at, &day, &month, &year) ? set_report_by(letter, day, month, year) : 0;
	}
	return 0;
}

int kh_letter_asks(const struct kh_input *input, struct kh_letter *letter)
{
	char *before KH_CLEANUP(kh_freep) = strdup("");
	struct kh_lines lines;
	struct kh_line line;
	int result = before ? 0 : -ENOMEM;

	kh_lines_init(&lines, input->text, input->length);
	while (!result && kh_lines_next(&lines, &line) == 1) {
		char *folded = kh_fold(line.text, line.length);

		result = folded ? find_relays(&line, letter) : -ENOMEM;
		if (!result)
			result = find_report_by(before, folded, letter);
		free(before);
		before = folded;
	}
	return result;
}
