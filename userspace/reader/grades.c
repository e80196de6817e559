// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How grave the vulnerabilities of a letter are: the CVSS score or the word that stands with a CVE number, before it ("Mức Nghiêm trọng: CVE-..."), behind it
 * ("CVE-... (CVSS: 8.8)"), in the lines below it, in the heading above it, or in its row of a table. Only what is written is kept: a score is never
 * turned into a word.
 */
#include <errno.h>
#include <string.h>

#include "common/util.h"
#include "reader/private.h"

#define LINES_AFTER 10 /* below a CVE that may be about it */
#define INDENT_AFTER 48 /* bytes before the mention in such a line: "- Điểm CVSS", not a sentence */

/* ---- Of which CVEs ------------------------------------------------------------------------------ */

static bool is_blank_grade(struct kh_grade grade)
{
	return !grade.level && !grade.score;
}

/* Gives the grade to the CVEs from `first` of the group on. 0 or -ENOMEM. */
static int give(struct kh_collector *collector, size_t first, struct kh_grade grade)
{
	struct kh_grading *grading = &collector->grading;
	int result = 0;

	for (size_t i = first; i < grading->count && !result; i++)
		result = kh_collect_grade(collector, grading->group[i], &grade);
	grading->graded = true;
	return result;
}

/* Ends the group: of what nothing was said, the heading says it. */
static int finish(struct kh_collector *collector)
{
	struct kh_grading *grading = &collector->grading;
	int result = 0;

	for (size_t i = 0; i < grading->count && !result && !is_blank_grade(grading->heading); i++)
		if (is_blank_grade(kh_document_grade(collector->document, grading->group[i])))
			result = kh_collect_grade(collector, grading->group[i], &grading->heading);
	grading->count = 0;
	grading->graded = false;
	return result;
}

static size_t cve_at(const char *at)
{
	size_t digits;

	if (strncmp(at, "cve-", 4) || strspn(at + 4, "0123456789") != 4 || at[8] != '-')
		return 0;
	digits = strspn(at + 9, "0123456789");
	return digits >= 4 ? 9 + digits : 0;
}

/* Has nothing but signs and "and" stood between the two? */
static bool is_joined(const char *from, const char *to)
{
	while (from < to) {
		size_t used = kh_word_match(from, "vA ");

		if (!used)
			used = kh_word_match(from, "and ");
		if (!used && !strchr(" \t,;&/|-", *from))
			return false;
		from += used ? used : 1;
	}
	return true;
}

/* A CVE number more: in the group of the one before it, or the first of its own. */
static int add_cve(struct kh_collector *collector, const char *at, size_t length, bool joined)
{
	struct kh_grading *grading = &collector->grading;
	int64_t position = kh_collect_find_cve(collector, at, length);
	int result = 0;

	if (position < 0)
		return position == -ENOMEM ? -ENOMEM : 0;
	if (!joined || grading->graded || grading->count == KH_GRADED_MAX)
		result = finish(collector);
	grading->group[grading->count++] = (size_t)position;
	grading->lines = 0;
	return result;
}

/* What stands straight behind a CVE: "(Critical, 9.8)", "(8.8)", ": Nghiêm trọng", "- Cao". Where it ends, NULL: no grade. */
static const char *beside(const char *at, struct kh_grade *ret_grade)
{
	const char *open = at + strspn(at, " \t"), *close;

	if (*open == '(' || *open == '[')
		close = strpbrk(open, ")]");
	else if (*open && strchr(":-|", *open))
		close = open + strcspn(open, ".;\r");
	else if (!strncmp(open, "–", 3) || !strncmp(open, "—", 3))
		close = open + strcspn(open, ".;\r");
	else
		return NULL;
	if (!close || !kh_grade_is(open, (size_t)(close - open), ret_grade))
		return NULL;
	return close;
}

/* ---- Lines -------------------------------------------------------------------------------------- */

/* One line on its way: what was said before its first CVE is of those that follow. */
struct passing {
	struct kh_collector *collector;
	const char *line, *after_cve; /* behind the last CVE; NULL: there was none */
	struct kh_grade ahead;
};

static int take_cve(struct passing *passing, const char *at, size_t length, const char **ret_end)
{
	bool joined = passing->after_cve ? is_joined(passing->after_cve, at) : passing->collector->grading.row;
	int result = add_cve(passing->collector, at, length, joined);
	struct kh_grade grade = {};
	const char *end = beside(at + length, &grade);

	passing->after_cve = at + length;
	*ret_end = end ? end : at + length;
	if (!result && end) /* of this one, whatever stands before it */
		result = give(passing->collector, passing->collector->grading.count - 1, grade);
	else if (!result && !is_blank_grade(passing->ahead)) {
		result = give(passing->collector, passing->collector->grading.count - 1, passing->ahead);
		passing->collector->grading.graded = false;
	}
	return result;
}

static int take_mention(struct passing *passing, const char *at, struct kh_grade grade)
{
	struct kh_grading *grading = &passing->collector->grading;
	bool own = !passing->after_cve && at - passing->line <= INDENT_AFTER && grading->lines <= LINES_AFTER;
	bool bracket = passing->after_cve && (*kh_grade_skip(passing->after_cve, " \t") == '(');

	if (passing->after_cve || (own && grading->count))
		return give(passing->collector, bracket && grading->count ? grading->count - 1 : 0, grade);
	return 0;
}

/* Length of the cell at `at`: to a tab, bar or two spaces; in a line without those, to a comma or semicolon. */
static size_t cell_length(const char *at, const char *signs)
{
	const char *gap = signs[0] == '\t' ? strstr(at, "  ") : NULL;
	size_t length = strcspn(at, signs);

	return gap && (size_t)(gap - at) < length ? (size_t)(gap - at) : length;
}

/* "STT  Mã CVE  Mức độ  Mô tả": remembers where the grades stand. "1  CVE-...  Cao  ...": takes it. */
static int read_columns(struct kh_collector *collector, const char *folded, bool cve)
{
	struct kh_grading *grading = &collector->grading;
	bool spaced = strpbrk(folded, "\t|") || strstr(folded, "  ");
	const char *signs = spaced ? "\t|" : ",;", *blanks = spaced ? " \t|" : "",
		   *at = folded + strspn(folded, blanks);
	struct kh_grade grade = {}, found;
	uint32_t columns = 0;
	int count = 0;
	bool names_cve = false, more = *at;

	for (; more && count < 32; count++) {
		size_t length = cell_length(at, signs);

		if (cve && (grading->columns & 1u << count) && kh_grade_is(at, length, &found)) {
			grade.score = grade.score ? grade.score : found.score;
			grade.level = grade.level ? grade.level : found.level;
		}
		if (!cve && kh_grades_heading(at, length))
			columns |= 1u << count;
		names_cve = names_cve || (length >= 3 && !strncmp(at + length - 3, "cve", 3));
		more = at[length];
		at += length + (!spaced && more);
		at += strspn(at, blanks);
		more = spaced ? *at : more;
	}
	if (cve)
		return count == grading->cells && !is_blank_grade(grade) ? give(collector, 0, grade) : 0;
	if (count > 2 && names_cve) {
		grading->columns = columns;
		grading->cells = count;
	}
	return 0;
}

/* "Lỗ hổng mức Nghiêm trọng:" is of those below it. */
static int read_heading(struct kh_collector *collector, const char *folded)
{
	static const char *const words[] = { "lO hOng", "cve", "diem yEu", "vulnerabilities", "vulnerability", NULL };
	size_t length = strlen(folded);
	struct kh_grade grade;
	int result;

	while (length && kh_is_blank(folded[length - 1]))
		length--;
	if (!length || folded[length - 1] != ':' || !kh_word_find(folded, words))
		return 0;
	for (const char *at = folded; *at; at++) {
		if ((at > folded && kh_is_word(at[-1])) || !kh_grade_mention(at, &grade))
			continue;
		result = finish(collector);
		collector->grading.heading = grade;
		return result ? result : 1;
	}
	return 0;
}

/* "; mức Cao: CVE-...": is what was said of the number behind it? */
static bool leads(const char *end)
{
	const char *colon = end + strspn(end, " \t");

	return *colon == ':' && cve_at(colon + 1 + strspn(colon + 1, " \t"));
}

int kh_grades_line(struct kh_collector *collector, const char *folded)
{
	struct passing passing = { .collector = collector, .line = folded };
	bool cve = strstr(folded, "cve-") != NULL;
	int result = 0;

	if (!cve && (result = read_heading(collector, folded)))
		return result < 0 ? result : 0;
	collector->grading.lines++;
	if (!cve && !collector->grading.count)
		return read_columns(collector, folded, false);
	for (const char *at = folded; *at && !result;) {
		bool border = at == folded || !kh_is_word(at[-1]);
		size_t used = border ? cve_at(at) : 0;
		const char *end = NULL;
		struct kh_grade grade = {};

		if (used)
			result = take_cve(&passing, at, used, &end);
		else if (border)
			end = kh_grade_mention(at, &grade);
		if (end && !used && cve && (!passing.after_cve || leads(end)))
			passing.ahead = grade;
		else if (end && !used)
			result = take_mention(&passing, at, grade);
		at = end && end > at ? end : at + 1;
	}
	return result ? result : read_columns(collector, folded, cve);
}

/* ---- Tables ------------------------------------------------------------------------------------- */

/* The lines of one cell. */
static int read_cell(struct kh_collector *collector, const struct kh_cell *cell)
{
	char *folded KH_CLEANUP(kh_freep) = kh_fold(cell->text, cell->length);
	const char breaks[] = { KH_MARK_BREAK, KH_MARK_CELL, '\n', '\0' };
	char *rest = NULL;
	int result = folded ? 0 : -ENOMEM;

	for (char *line = folded ? strtok_r(folded, breaks, &rest) : NULL; line && !result;
	     line = strtok_r(NULL, breaks, &rest))
		result = kh_grades_line(collector, line);
	return result;
}

/* The grade of the row: a cell in a column of grades. */
static int row_grade(const struct kh_column *columns, const struct kh_cell *cells, size_t count, struct kh_grade *grade)
{
	for (size_t i = 0; i < count && i < KH_TABLE_COLUMNS; i++) {
		char *heading KH_CLEANUP(kh_freep) = NULL, *cell KH_CLEANUP(kh_freep) = NULL;
		struct kh_grade found = {};

		if (!columns[i].heading || cells[i].length > KH_GRADE_CELL_MAX)
			continue;
		heading = kh_fold(columns[i].heading, strlen(columns[i].heading));
		cell = kh_fold(cells[i].text, cells[i].length);
		if (!heading || !cell)
			return -ENOMEM;
		if (!kh_grades_heading(heading, strlen(heading)) || !kh_grade_is(cell, strlen(cell), &found))
			continue;
		grade->score = grade->score ? grade->score : found.score;
		grade->level = grade->level ? grade->level : found.level;
	}
	return 0;
}

int kh_grades_row(struct kh_collector *collector, const struct kh_column *columns, const struct kh_cell *cells,
		  size_t count)
{
	struct kh_grading *grading = &collector->grading;
	struct kh_grade grade = {};
	int result;

	if (!collector->document->cves_count)
		return 0;
	result = finish(collector);
	grading->row = true;
	for (size_t i = 0; i < count && !result; i++)
		result = read_cell(collector, &cells[i]);
	grading->row = false;
	if (!result && grading->count)
		result = row_grade(columns, cells, count, &grade);
	if (!result && !is_blank_grade(grade))
		result = give(collector, 0, grade);
	return result ? result : finish(collector);
}

int kh_grades_end(struct kh_collector *collector)
{
	return finish(collector);
}
