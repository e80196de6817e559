// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is the file a plain list? By a sample of its lines: most hold a value in one of the first columns, hardly one is a
 * sentence, and none belongs to the frame of a letter.
 */
#include "reader/heed.h"

#include <errno.h>
#include <string.h>

#include "common/util.h"

size_t kh_list_indent(const struct kh_line *line)
{
	size_t at = 0;

	while (at < line->length && kh_is_blank(line->text[at]))
		at++;
	return at;
}

bool kh_list_is_comment(const struct kh_line *line, size_t at)
{
	const char *text = line->text + at;
	size_t length = line->length - at;

	if (length && *text == '!') /* of adblock lists; "!203.0.113.7" says "but this" */
		return length == 1 || kh_is_blank(text[1]);
	return !length || *text == '#' || *text == ';' || (length >= 2 && text[0] == '/' && text[1] == '/');
}

#define SAMPLE_LINES 2000

/* Is it a line of a letter's head or frame? Such a file is a letter, however long its annex. */
static int is_letter_line(const struct kh_line *line)
{
	static const char *const marks[] = {
		"kInh gUi", "cOng hOa xA hOi chU nghIa", "v/v", "phU lUc", "nOi nhAn", NULL
	};
	char *folded KH_CLEANUP(kh_freep) = kh_fold(line->text, line->length);

	if (!folded)
		return -ENOMEM;
	return kh_word_find(folded, marks) || kh_talk_of(folded) == KH_TALK_BYSTANDERS; /* what it says counts */
}

/* Does the field look like a value, defanged or not? */
static bool field_like_value(const char *field, size_t length)
{
	size_t dots = 0, colons = 0, other = 0;

	for (size_t i = 0; i < length; i++) {
		dots += field[i] == '.';
		colons += field[i] == ':';
		if (!kh_is_alnum(field[i]) && !strchr("._-[](){}:/@*?\"'\\", field[i]))
			other++;
	}
	return !other && (dots || colons >= 2) && length >= 3 && field[length - 1] != '.' && field[length - 1] != ':';
}

enum line_kind { LINE_EMPTY, LINE_VALUE, LINE_WORDS, LINE_SENTENCE };

/* "# ...", " // ...", " ; ..." */
static bool is_remark(const struct kh_line *line, size_t at)
{
	const char *text = line->text + at;

	if (*text == '#')
		return true;
	if (!at || !kh_is_blank(text[-1]))
		return false;
	return *text == ';' || (*text == '/' && at + 1 < line->length && text[1] == '/');
}

static enum line_kind line_kind(const struct kh_line *line)
{
	size_t at = kh_list_indent(line), fields = 0, words = 0, letters = 0;
	bool value = false;

	if (kh_list_is_comment(line, at))
		return LINE_EMPTY;
	while (at < line->length && !is_remark(line, at)) {
		size_t start = at;

		for (letters = 0; at < line->length && !strchr(" \t,;|\r\f\v#", line->text[at]); at++)
			letters += kh_is_letter(line->text[at]) || (line->text[at] & 0x80);
		if (at > start && fields++ < 3 && !words)
			value = value || field_like_value(line->text + start, at - start);
		words += letters && letters == at - start;
		at += at < line->length;
	}
	if (words > 5)
		return LINE_SENTENCE;
	return value ? LINE_VALUE : LINE_WORDS;
}

/* Words between tabs: the headings of columns. */
static bool is_heading(const struct kh_line *line)
{
	size_t tabs = 0;

	for (size_t i = 0; i < line->length; i++)
		tabs += line->text[i] == '\t';
	return tabs >= 2;
}

int kh_list_recognise(const struct kh_input *input)
{
	size_t counts[] = { [LINE_EMPTY] = 0, [LINE_VALUE] = 0, [LINE_WORDS] = 0, [LINE_SENTENCE] = 0 }, seen = 0;
	struct kh_lines lines;
	struct kh_line line;

	kh_lines_init(&lines, input->text, input->length);
	while (seen < SAMPLE_LINES && kh_lines_next(&lines, &line) == 1) {
		enum line_kind kind = line_kind(&line);
		bool words = kind == LINE_WORDS || kind == LINE_SENTENCE;
		struct kh_line piece;
		int letter = words ? is_letter_line(&line) : 0;

		if (words && (kh_line_ends_cut(&line, &piece) || kh_line_number_alone(&line) >= 0))
			return 0; /* a value may go on in the next line, which a list does not look for */
		if (letter)
			return letter < 0 ? letter : 0;
		if (!seen && kind == LINE_SENTENCE && is_heading(&line))
			kind = LINE_WORDS;
		counts[kind]++;
		seen += kind != LINE_EMPTY;
	}
	if (!counts[LINE_VALUE] || counts[LINE_SENTENCE] * 10 > counts[LINE_VALUE])
		return 0;
	return counts[LINE_WORDS] <= counts[LINE_VALUE] / 2 + 1;
}
