/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between prose.c and prose_look.c: the state of reading a running text.
 */
#ifndef KHIEN_READER_PROSE_H
#define KHIEN_READER_PROSE_H

#include "reader/heed.h"

#define HOSTS_SHOWN 3

/* What the key words of a line say, asked once a line: a line may hold thousands of values. */
struct about {
	bool agent, accusing, exempting, reference;
	enum kh_talk talk;
};

struct prose {
	struct kh_collector *collector;
	const struct kh_lines *rest; /* after the current line */
	struct kh_line line;
	struct kh_clean clean, ahead;
	struct kh_tokens tokens, ahead_tokens;
	struct kh_shape shape;
	char *folded, *words; /* the current line, with its values and without */
	struct about about; /* it; only when it holds values */
	enum kh_section section;
	struct kh_line_before previous; /* blank ones left out */
	struct kh_heed heed;
	bool has_cve; /* on the current line */
	bool agent; /* the line is a User-Agent, or the rest of one */
	int agent_open; /* brackets that it left open */
	char piece[64]; /* half a name that the line before ended in; "": none */
	bool cut_first; /* the line's first value may be half of one */
	int counter; /* the last number that stood alone on a line */
	bool references; /* under a heading of references */
	bool contact; /* the line, or the sentence it goes on with, tells how to reach somebody */
	struct kh_table table; /* the one that the line belongs to */
	struct kh_bytes joined; /* a line and what it goes on with */
	size_t links; /* not taken as indicators */
	char hosts[HOSTS_SHOWN][64]; /* of the first of them */
};

/* Is the value to be spared, by its line or what leads to it? 1, 0, -ENOMEM. */
int kh_prose_spared(const struct prose *prose, const struct kh_token *token, bool item);
/* Says whether the line is a User-Agent, or the rest of one. */
void kh_prose_agent(struct prose *prose);
/* Looks for values that the width of the page has cut in two, and notes them. 0 or -ENOMEM. */
int kh_prose_cuts(struct prose *prose);
bool kh_prose_is_cut(const struct prose *prose, const struct kh_token *token);

#endif
