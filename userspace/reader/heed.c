// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the lines before an item say about it: a heading or a sentence that leads to a list speaks of all of the list, until another does.
 */
#include "reader/heed.h"

#include <string.h>

#define SENTENCE_WORDS 8 /* a line with fewer is a heading, a cell, an item */
#define SENTENCE_BYTES ((size_t)2000)

static bool is_unfinished(const struct kh_line_before *before)
{
	return !before->item && !strchr(".:;!?", before->last);
}

int kh_heed_sentence(struct kh_heed *heed, const char *folded, const struct kh_shape *shape,
		     const struct kh_line_before *before)
{
	struct kh_bytes *sentence = &heed->sentence;
	bool goes_on = sentence->length && is_unfinished(before) && !shape->marker && before->words >= SENTENCE_WORDS;

	if (!goes_on || sentence->length > SENTENCE_BYTES)
		sentence->length = 0;
	else
		sentence->data[sentence->length - 1] = ' ';
	return kh_bytes_add(sentence, folded, strlen(folded) + 1);
}

/* Does it lead to what comes next, and not only tell of it? */
static bool leads(const char *sentence, const struct kh_shape *shape)
{
	static const char *const points[] = { "sau dAy", "dUOi dAy", "sau",	 "nhU sau", "following",
					      "below",	 "these",    "kEm theo", NULL };

	return shape->last != '.' || shape->words < SENTENCE_WORDS || kh_word_find(sentence, points);
}

static const char *last_sentence(const char *text)
{
	const char *last = text;

	for (const char *at = text; *at; at++)
		if (*at == '.' && kh_is_blank(at[1]) && kh_has_letter(at, at + strlen(at)))
			last = at + 1;
	return last;
}

/* The last of several sentences, when it says something; else all. */
static enum kh_talk talk_of(const char *text)
{
	enum kh_talk talk = kh_talk_of(last_sentence(text));

	return talk == KH_TALK_NEUTRAL ? kh_talk_of(text) : talk;
}

void kh_heed_line(struct kh_heed *heed, const char *folded, const struct kh_shape *shape,
		  const struct kh_line_before *before)
{
	static const char *const version_words[] = { "phiEn bAn", "version", "versions", NULL };
	bool held = (heed->exempt || heed->bystanders) && is_unfinished(before) && !shape->marker;
	bool heading = shape->last == ':' || shape->marker || shape->words >= SENTENCE_WORDS;
	const char *sentence = heed->sentence.length ? (const char *)heed->sentence.data : folded;
	enum kh_talk talk;

	if (!shape->words)
		return;
	talk = talk_of(sentence);
	if (shape->words < 2 && shape->last != ':' && talk == KH_TALK_NEUTRAL)
		return;
	if (kh_is_exempting(folded))
		heed->exempt = true;
	else if ((heading && !held) || talk == KH_TALK_ACCUSES)
		heed->exempt = false;
	if (talk == KH_TALK_BYSTANDERS && leads(sentence, shape))
		heed->bystanders = true;
	else if ((heading && !held) || talk == KH_TALK_ACCUSES)
		heed->bystanders = false;
	heed->versions = kh_word_find(last_sentence(folded), version_words) && !strchr(".;", shape->last);
}

void kh_heed_title(struct kh_heed *heed, const char *folded)
{
	enum kh_talk talk = kh_talk_of(folded);

	if (kh_is_exempting(folded))
		heed->exempt = true;
	else if (talk == KH_TALK_ACCUSES)
		heed->exempt = false;
	if (talk != KH_TALK_NEUTRAL)
		heed->bystanders = talk == KH_TALK_BYSTANDERS;
}
