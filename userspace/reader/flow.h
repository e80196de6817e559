/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paragraphs and tables as a document has them -> text with marks (private.h). An office file or a web page says what begins and ends; this
 * keeps the lines, the rows, and the order of both. A table in a table is text of the cell that it stands in.
 */
#ifndef KHIEN_READER_FLOW_H
#define KHIEN_READER_FLOW_H

#include "reader/private.h"

/* Begins zero but for text. Functions return 0 or -ENOMEM, or -EFBIG when the text grows beyond KH_FLOW_MAX. */
struct kh_flow {
	struct kh_bytes *text; /* so far; not owned */
	struct kh_bytes line; /* the paragraph, or all of the cell */
	int tables; /* open ones, in each other */
	size_t cells; /* of the row, so far */
	bool row, cell;
	size_t pages; /* page breaks that wait for the end of the line */
};

#define KH_FLOW_MAX ((size_t)256 << 20)

void kh_flow_clear(struct kh_flow *flow);
int kh_flow_text(struct kh_flow *flow, const char *text, size_t length);
int kh_flow_break(struct kh_flow *flow); /* a line ends; also at the end of a paragraph */
int kh_flow_item(struct kh_flow *flow); /* the paragraph is an item of a list */
int kh_flow_page(struct kh_flow *flow);
int kh_flow_table_begin(struct kh_flow *flow);
int kh_flow_table_end(struct kh_flow *flow);
int kh_flow_row_begin(struct kh_flow *flow, size_t number); /* 0: the line says which */
int kh_flow_row_end(struct kh_flow *flow);
int kh_flow_cell_begin(struct kh_flow *flow);
int kh_flow_cell_end(struct kh_flow *flow, size_t span); /* columns it stands in */

#endif
