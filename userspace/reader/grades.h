/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How grave the vulnerabilities of a letter are, as it says.
 */
#ifndef KHIEN_READER_GRADES_H
#define KHIEN_READER_GRADES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/document.h"

struct kh_cell;
struct kh_collector;
struct kh_column;

/* grades.c: what was said last of vulnerabilities, and of which. Begins all zero. */
#define KH_GRADED_MAX 32
struct kh_grading {
	size_t group[KH_GRADED_MAX], count; /* positions of the CVEs that what follows is about */
	bool graded; /* something was said of them: the next CVE begins a group of its own */
	size_t lines; /* since the last of them */
	bool row; /* what is read is a row of a table: CVEs on lines of their own are one group */
	struct kh_grade heading; /* of the CVEs below it that nothing else is said of */
	uint32_t columns; /* of a table in lines: bit n: cell n holds grades */
	int cells; /* in its heading line */
};

/* grades.c: what a folded line says of how grave CVEs are, once those in it are collected; and a row of a table, whose columns may have headings. 0 or -ENOMEM. */
int kh_grades_line(struct kh_collector *collector, const char *folded);
int kh_grades_row(struct kh_collector *collector, const struct kh_column *columns, const struct kh_cell *cells,
		  size_t count);
/* At the end of the document. 0 or -ENOMEM. */
int kh_grades_end(struct kh_collector *collector);

/* ---- grade_words.c: folded text ------------------------------------------------------------------ */

#define KH_GRADE_CELL_MAX 48 /* bytes of a text that is a grade and nothing else */

/* Behind these signs, and dashes and bullets of several bytes. */
const char *kh_grade_skip(const char *at, const char *signs);
/* What is said of a grade at `at`, which stands at the border of a word; where it ends, NULL: nothing. */
const char *kh_grade_mention(const char *at, struct kh_grade *ret_grade);
/* "Cao", "9.8", "8.8 (Cao)": is all of a short text a grade? */
bool kh_grade_is(const char *text, size_t length, struct kh_grade *ret_grade);
/* Does the folded heading name a column of grades? */
bool kh_grades_heading(const char *folded, size_t length);

#endif
