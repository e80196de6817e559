/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the values of a line stand on it: alone, in a column, behind a label, or in a sentence.
 */
#ifndef KHIEN_READER_SHAPE_H
#define KHIEN_READER_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

struct kh_clean;
struct kh_token;
struct kh_tokens;

struct kh_shape {
	size_t indent, start; /* of the line; after its list markers */
	bool marker;
	size_t words; /* outside values */
	char last; /* last character that is not blank */
	size_t leading; /* tokens that begin the line, with no sentence after them */
	bool plain; /* nothing but values, separators and list markers */
	bool labelled; /* "label: value, value" to the end of the line */
};
struct kh_shape kh_shape_of(const struct kh_clean *line, const struct kh_tokens *tokens);

enum kh_stand {
	KH_STANDS_IN_TEXT,
	KH_STANDS_FIRST, /* begins the line, and no sentence follows */
	KH_STANDS_IN_CELL, /* alone between tabs or bars */
	KH_STANDS_IN_COLUMN, /* alone between runs of spaces */
	KH_STANDS_LABELLED, /* "label: value, value" to the end of the line */
};
enum kh_stand kh_stand_of(const struct kh_clean *line, const struct kh_tokens *tokens, size_t which,
			  const struct kh_shape *shape);
/* "1.2.3.4 Tieu de": a section number and its title. */
bool kh_is_heading_number(const struct kh_clean *line, const struct kh_token *token, const struct kh_shape *shape);

#endif
