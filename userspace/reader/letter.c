// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The head of a letter: number, date, issuer, subject. Best effort, in one column or in two, composed or decomposed
 * letters, scans that lost their vowels, and the overlay of digital signatures ("Số: /CATTT-NCSC941"). Only lines above
 * "Kính gửi" count: letters quote the numbers and dates of other letters below it.
 */
#include "reader/head.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"

#define SUBJECT_LINES 8
#define DATE_BYTES 64 /* folded; a longer end of a line is no cut date */
#define FIELD_MAX ((size_t)1000)

/* ---- Number ------------------------------------------------------------------------------------- */

/* The line that holds "Số: ..."; the number goes to letter. Index, or -1; -ENOMEM in *ret_result. */
static int find_number(struct kh_head *head, struct kh_letter *letter, bool *ret_overlaid, int *ret_result)
{
	for (size_t i = 0; i < head->count; i++) {
		const struct kh_line *line = &head->lines[i];
		struct kh_head_cell cell;

		for (size_t at = 0; kh_head_cell(line, &at, &cell);) {
			char *folded KH_CLEANUP(kh_freep) = kh_fold(cell.text, cell.length);
			const char *from = memchr(cell.text, ':', cell.length);

			*ret_result = folded ? 0 : -ENOMEM;
			if (!folded)
				return -1;
			if (kh_word_match(folded, "sO :"))
				from = from ? from + 1 : NULL;
			else if (kh_word_match(folded, "sO ") && kh_is_digit(folded[kh_word_match(folded, "sO ")]))
				from = memchr(cell.text, ' ', cell.length);
			else
				continue;
			head->field = true;
			if (from)
				*ret_result = kh_letter_number(from, line->text + line->length, &letter->number,
							       ret_overlaid);
			if (*ret_result < 0)
				return -1;
			if (*ret_result == 1) {
				*ret_result = 0;
				return (int)i;
			}
		}
	}
	return -1;
}

/* An annex, and no letter: "(Kèm theo Công văn số 123/CATTT-NCSC)". 0 or -ENOMEM. */
static int find_attached(const struct kh_head *head, struct kh_letter *letter)
{
	static const char *const words[] = { "kEm theo", NULL };
	int result = 0;

	for (size_t i = 0; i < head->count && !result && !head->closed; i++)
		if (kh_word_find(head->folded[i], words))
			result = kh_letter_named(&head->lines[i], &letter->number);
	letter->attached = result == 1;
	return result < 0 ? result : 0;
}

/* Is it the head of a letter, readable or not? The number of a list, or a greeting in a mail, are not enough. */
static bool is_letter_head(const struct kh_head *head, const struct kh_letter *letter)
{
	static const char *const mottos[] = { "cOng hOa xA hOi chU nghIa", NULL };
	bool said = letter->date || letter->subject;

	for (size_t i = 0; i < head->count; i++)
		if (kh_word_find(head->folded[i], mottos))
			return true;
	return letter->number || (head->closed && (head->field || said)) || (head->field && said);
}

/* ---- Date --------------------------------------------------------------------------------------- */

static size_t number_at(const char *text, int *ret_number)
{
	size_t used = 0;

	*ret_number = 0;
	for (; used < 8 && kh_is_digit(text[used]); used++)
		*ret_number = *ret_number * 10 + (text[used] - '0');
	return used;
}

/* "ngay thang nam 202227 06": day and month laid over the end of the line. */
static bool overlaid_date(const char *text, int *day, int *month, int *year)
{
	size_t used = kh_word_match(text, "ngAy thAng nAm "), digits;
	int number;

	if (!used)
		return false;
	digits = number_at(text + used, &number);
	text += used + digits;
	text += strspn(text, " \t");
	if (digits < 5 || digits > 6 || !number_at(text, month))
		return false;
	*year = number / (digits == 6 ? 100 : 10);
	*day = number % (digits == 6 ? 100 : 10);
	return true;
}

static bool plain_date(const char *text, int *day, int *month, int *year)
{
	size_t used = kh_word_match(text, "ngAy "), step;

	if (!used || !(step = number_at(text + used, day)))
		return false;
	text += used + step;
	text += strspn(text, " \t");
	used = kh_word_match(text, "thAng ");
	if (!used || !(step = number_at(text + used, month)))
		return false;
	text += used + step;
	text += strspn(text, " \t");
	used = kh_word_match(text, "nAm ");
	return used && number_at(text + used, year) == 4;
}

/* Does a date begin at `at`, which may go on in the line below? */
static bool date_at(const struct kh_head *head, size_t line, const char *at, int *day, int *month, int *year)
{
	char joined[2 * DATE_BYTES];

	if (plain_date(at, day, month, year))
		return true;
	if (line + 1 >= head->count || !kh_word_match(at, "ngAy ") || strnlen(at, DATE_BYTES) == DATE_BYTES)
		return false;
	snprintf(joined, sizeof(joined), "%s %s", at, head->folded[line + 1]);
	return plain_date(joined, day, month, year);
}

static int find_date(const struct kh_head *head, struct kh_letter *letter, bool *ret_overlaid)
{
	for (size_t i = 0; i < head->count; i++) {
		for (const char *at = head->folded[i]; *at; at++) {
			int day = 0, month = 0, year = 0;
			bool overlaid;

			if (at > head->folded[i] && kh_is_word(at[-1]))
				continue;
			overlaid = overlaid_date(at, &day, &month, &year);
			if (!overlaid && !date_at(head, i, at, &day, &month, &year))
				continue;
			if (day < 1 || day > 31 || month < 1 || month > 12 || year < 1990 || year > 2199)
				continue;
			*ret_overlaid = *ret_overlaid || overlaid;
			return asprintf(&letter->date, "%04d-%02d-%02d", year, month, day) < 0 ? -ENOMEM : 0;
		}
	}
	return 0;
}

/* ---- Issuer and subject ------------------------------------------------------------------------- */

bool kh_is_body_name(const char *folded)
{
	static const char *const patterns[] = { "bO",	     "cUc",	"sO",	"ubnd",	   "Uy ban", "trung tAm",
						"vAn phOng", "cOng an", "tOng", "chi cUc", "ban",    "vIEn",
						"hOi",	     "hUyEn",	"tInh", "dOn",	   NULL };

	for (const char *const *pattern = patterns; *pattern; pattern++) {
		size_t used = kh_word_match(folded, *pattern);

		if (used && !kh_is_word(folded[used]))
			return true;
	}
	return false;
}

/* The motto, dates, rules of dashes: not the name of a body. */
static bool is_furniture(const char *folded)
{
	static const char *const patterns[] = { "cOng hOa", "dOc lAp", "ngAy", "v/v", "sO:", "trang", NULL };

	return !kh_has_letter(folded, folded + strlen(folded)) || kh_word_find(folded, patterns) == folded;
}

/* Scans have the motto on the line of the name, with one space between. 0 or -ENOMEM. */
static int cut_motto(struct kh_head_cell *cell)
{
	static const char *const mottos[] = { "cOng hOa xA hOi", "chU nghIa viEt nam", "dOc lAp - tU do", "dOc lAp",
					      NULL };

	for (size_t at = 1; at < cell->length; at++) {
		char *folded KH_CLEANUP(kh_freep) = NULL;

		if (cell->text[at - 1] != ' ' || kh_is_blank(cell->text[at]))
			continue;
		folded = kh_fold(cell->text + at, cell->length - at);
		if (!folded)
			return -ENOMEM;
		if (kh_word_find(folded, mottos) == folded) {
			cell->length = at - 1;
			return 0;
		}
	}
	return 0;
}

/* The line above the number, left column; a name that runs over two lines is joined. 0 or -ENOMEM. */
static int find_issuer(const struct kh_head *head, int number, struct kh_letter *letter)
{
	char joined[2 * FIELD_MAX + 2];
	struct kh_head_cell parts[2]; /* the lower line first */
	size_t count = 0, at;
	bool complete = false;

	for (int i = number - 1; i >= 0 && count < 2 && !complete; i--) {
		char *folded KH_CLEANUP(kh_freep) = NULL;

		at = 0;
		if (!kh_head_cell(&head->lines[i], &at, &parts[count]))
			continue;
		if (parts[count].length > FIELD_MAX)
			return 0;
		if (cut_motto(&parts[count]) < 0)
			return -ENOMEM;
		folded = kh_fold(parts[count].text, parts[count].length);
		if (!folded)
			return -ENOMEM;
		if (is_furniture(folded))
			continue;
		complete = kh_is_body_name(folded);
		if (count && !complete)
			break;
		count++;
	}
	if (!count)
		return 0;
	at = (size_t)snprintf(joined, sizeof(joined), "%.*s %.*s", count > 1 ? (int)parts[1].length : 0,
			      count > 1 ? parts[1].text : "", (int)parts[0].length, parts[0].text);
	letter->issuer = kh_compose(joined + (count == 1), at - (count == 1));
	return letter->issuer ? 0 : -ENOMEM;
}

/* Where the subject begins in the cell: after "V/v" or at "Về việc"; NULL: it does not. */
static const char *subject_start(const char *folded, const struct kh_head_cell *cell)
{
	const char *from;

	if (kh_word_match(folded, "v /v ") || kh_word_match(folded, "v/ v ")) {
		from = memchr(cell->text, '/', cell->length);
		from = from ? kh_skip_blank(from + 1, cell->text + cell->length) : NULL;
		return from && from < cell->text + cell->length ? from + 1 : NULL;
	}
	if (!kh_word_match(folded, "vE viEc "))
		return NULL;
	from = memchr(cell->text, ' ', cell->length);
	from = from ? kh_skip_blank(from, cell->text + cell->length) : NULL;
	return from ? memchr(from, ' ', (size_t)(cell->text + cell->length - from)) : NULL;
}

/* Does the line go on with the subject of the line above? */
static bool goes_on(const struct kh_head *head, size_t i)
{
	static const char *const ends[] = { "hA nOi", "ngAy", "sO :", "cOng hOa", "cAn cU", NULL };
	const char *folded = head->folded[i] + strspn(head->folded[i], " \t");
	const char *text = head->lines[i].text + strspn(head->lines[i].text, " \t");

	if (kh_word_find(folded, ends) == folded || !kh_has_letter(folded, folded + strlen(folded)))
		return false;
	return !head->after_blank[i] || (*text >= 'a' && *text <= 'z') || (*text & 0x80);
}

static int find_subject(const struct kh_head *head, struct kh_letter *letter)
{
	char joined[FIELD_MAX + 1];
	size_t length = 0, i = 0;
	struct kh_head_cell cell;

	for (; i < head->count && !length; i++) {
		for (size_t at = 0; !length && kh_head_cell(&head->lines[i], &at, &cell);) {
			char *folded KH_CLEANUP(kh_freep) = kh_fold(cell.text, cell.length);
			const char *from;

			if (!folded)
				return -ENOMEM;
			from = subject_start(folded, &cell);
			if (from)
				length = (size_t)snprintf(joined, sizeof(joined), "%.*s",
							  (int)(cell.text + cell.length - from), from);
		}
	}
	if (!length)
		return 0;
	for (size_t last = i + SUBJECT_LINES; i < head->count && i < last && length < FIELD_MAX && goes_on(head, i);
	     i++) {
		size_t at = 0;

		if (!kh_head_cell(&head->lines[i], &at, &cell))
			break;
		length += (size_t)snprintf(joined + length, sizeof(joined) - length, " %.*s", (int)cell.length,
					   cell.text);
	}
	letter->subject = kh_compose(joined, kh_utf8_check(joined, strlen(joined)));
	return letter->subject ? 0 : -ENOMEM;
}

int kh_letter_read(const struct kh_input *input, struct kh_letter *ret_letter, bool *ret_overlaid)
{
	struct kh_head head KH_CLEANUP(kh_head_clear) = { .count = 0 };
	int result = kh_head_read(input, &head), number = -1;

	if (!result)
		number = find_number(&head, ret_letter, ret_overlaid, &result);
	if (!result)
		result = find_date(&head, ret_letter, ret_overlaid);
	if (!result && number > 0)
		result = find_issuer(&head, number, ret_letter);
	if (!result)
		result = find_subject(&head, ret_letter);
	if (result)
		return result;
	ret_letter->headed = is_letter_head(&head, ret_letter);
	return ret_letter->number || head.field ? 0 : find_attached(&head, ret_letter);
}
