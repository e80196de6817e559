/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values that the width of a column, a cell or a page has cut: put together where the first piece is no value by itself, for a person to check where it is.
 */
#ifndef KHIEN_READER_CUT_H
#define KHIEN_READER_CUT_H

#include "reader/private.h"

#define KH_PIECES_MAX 4 /* of one value */
#define KH_PIECE_BYTES ((size_t)200)

/* Pieces below each other, so far. Begins all zero. */
struct kh_pieces {
	char text[KH_PIECES_MAX * KH_PIECE_BYTES];
	size_t length, count;
};
enum kh_piece {
	KH_PIECE_NONE, /* does not belong there */
	KH_PIECE_MORE, /* no whole value yet */
	KH_PIECE_WHOLE, /* an address or a name now; it ends here */
};
/* Adds one. What is whole is never lengthened, but by a piece that begins with a dot. `clean` is a buffer. */
enum kh_piece kh_pieces_add(struct kh_pieces *pieces, const char *text, size_t length, struct kh_clean *clean);

/* The next line of the cell from *at on, which moves behind it. False: no more. */
bool kh_cell_line(const struct kh_cell *cell, size_t *at, struct kh_cell *ret_line);
void kh_cell_trim(struct kh_cell *text);
/* Is the line of the cell the first piece of a value that goes on in the lines from *at on? Then *line is all of it, in *pieces, and *at moves behind it. */
bool kh_cell_join(const struct kh_cell *cell, size_t *at, struct kh_cell *line, struct kh_pieces *pieces,
		  struct kh_clean *clean);

/* "203.0.113.1" and, all there is on the line below, "2": is it 203.0.113.12? Then the token is marked as cut, and a note gives the guess; `number` is that of its
 * line. 0 or -ENOMEM. */
int kh_cut_address(struct kh_collector *collector, const struct kh_clean *clean, struct kh_token *token,
		   const struct kh_line *below, int number);

/* rejoin.c: the word that stands in that column of the line (in characters, one more or less), alone in its cell. */
bool kh_word_in_column(const struct kh_line *line, size_t column, struct kh_line *ret_word);

#endif
