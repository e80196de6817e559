/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the words round a value say of it, and what stands in a text as no value is written.
 */
#ifndef KHIEN_READER_HEED_H
#define KHIEN_READER_HEED_H

#include "reader/private.h"

/* ---- Whom a text speaks of ------------------------------------------------------------------------ */

/* talk.c */
/* A line folded without its values: "c2.example" accuses nobody. malloc'ed; NULL: out of memory. */
char *kh_talk_fold(const struct kh_clean *clean, const struct kh_tokens *tokens);
enum kh_talk {
	KH_TALK_NEUTRAL,
	KH_TALK_BYSTANDERS, /* name servers, scanners, victims, contacts: listed is not malicious */
	KH_TALK_ACCUSES, /* or orders a block */
};
enum kh_talk kh_talk_of(const char *folded); /* a heading, an item with its remark, a row */
enum kh_talk kh_talk_before(const char *folded); /* a sentence up to a value */

/* heed.c: what the lines before an item say about it. Begins all zero. */
struct kh_heed {
	bool exempt; /* the list below is of what is not to be blocked */
	bool bystanders; /* ... of bystanders */
	bool versions; /* the table below has a column of versions */
	struct kh_bytes sentence; /* folded, so far; NUL-terminated unless empty */
};
struct kh_line_before {
	size_t words;
	char last;
	bool item; /* it holds items */
};
/* glued.c */
/* Where the second of two names glued together may begin; 0: it is one. */
size_t kh_glued_name(const char *name);
/* The same of two IPv4 addresses ("203.0.113.7198.51.100.9"). */
size_t kh_glued_addresses(const char *text, size_t length);
/* The number that is all there is on the line, at most 999; -1: it is not that. */
int kh_line_number_alone(const struct kh_line *line);
/* Does the line end in the first half of a name ("- java-")? *ret_piece is it. */
bool kh_line_ends_cut(const struct kh_line *line, struct kh_line *ret_piece);

/* heed.c */
/* Does the line go on with the sentence? Then it is added to it, else it begins one. 0 or -ENOMEM. */
int kh_heed_sentence(struct kh_heed *heed, const char *folded, const struct kh_shape *shape,
		     const struct kh_line_before *before);
/* After kh_heed_sentence(), for a line without items. */
void kh_heed_line(struct kh_heed *heed, const char *folded, const struct kh_shape *shape,
		  const struct kh_line_before *before);
/* A heading by itself: the title row of a table. */
void kh_heed_title(struct kh_heed *heed, const char *folded);

#endif
