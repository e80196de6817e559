/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines above "Kính gửi", where a letter says whose it is. Knows lines, columns and cells; what is in them is for letter.c.
 */
#ifndef KHIEN_READER_HEAD_H
#define KHIEN_READER_HEAD_H

#include "reader/private.h"

#define KH_HEAD_LINES ((size_t)60)
#define KH_HEAD_PARTS (2 * KH_HEAD_LINES)

/* Two columns beside each other are read one after the other: first what stands left of the motto, then what stands below it. */
struct kh_head {
	struct kh_line lines[KH_HEAD_PARTS]; /* not blank */
	char *folded[KH_HEAD_PARTS];
	bool after_blank[KH_HEAD_PARTS];
	size_t count;
	bool closed; /* by "Kính gửi" */
	bool field; /* "Số:" stands in it, whether or not a number could be read there */
};

/* Fills a head that is all zero; lines are borrowed from the input. 0 or -ENOMEM; to be cleared either way. */
int kh_head_read(const struct kh_input *input, struct kh_head *head);
void kh_head_clear(struct kh_head *head);

/* A cell of a line: two columns are set apart by a tab or several spaces. */
struct kh_head_cell {
	const char *text;
	size_t length;
};

/* The cell at *at, which moves past it; false: no more. */
bool kh_head_cell(const struct kh_line *line, size_t *at, struct kh_head_cell *ret_cell);

#endif
