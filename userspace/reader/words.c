// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Vietnamese key words, with or without marks, as scans lose them; composition of decomposed letters.
 */
#include "reader/private.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

char *kh_fold(const char *text, size_t length)
{
	char *copy KH_CLEANUP(kh_freep) = malloc(length + 1);
	char *folded;

	if (!copy)
		return NULL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	folded = kh_text_unaccent(copy);
	for (char *at = folded; at && *at; at++)
		*at = kh_lower(*at);
	return folded;
}

size_t kh_word_match(const char *text, const char *pattern)
{
	const char *at = text;

	for (; *pattern; pattern++) {
		if (*pattern == ' ') {
			while (kh_is_blank(*at))
				at++;
		} else if (*at && *at == kh_lower(*pattern)) {
			at++;
		} else if (*pattern < 'A' || *pattern > 'Z') {
			return 0;
		}
	}
	return (size_t)(at - text);
}

/* Which bytes are in it. */
struct byte_set {
	uint64_t bits[4];
};

static void put(struct byte_set *set, char c)
{
	set->bits[(unsigned char)c >> 6] |= (uint64_t)1 << ((unsigned char)c & 63);
}

static bool has(const struct byte_set *set, char c)
{
	return set->bits[(unsigned char)c >> 6] >> ((unsigned char)c & 63) & 1;
}

/* What the match of a pattern may begin with: a capital or a space of it may be missing. */
static struct byte_set first_of(const char *const *patterns)
{
	struct byte_set first = {};

	for (; *patterns; patterns++) {
		if (**patterns < 'a')
			return (struct byte_set){ { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
		put(&first, **patterns);
	}
	return first;
}

const char *kh_word_find(const char *text, const char *const *patterns)
{
	const struct byte_set first = first_of(patterns);

	for (const char *at = text; *at; at++) {
		if (!has(&first, *at) || (at > text && kh_is_word(at[-1])))
			continue;
		for (const char *const *pattern = patterns; *pattern; pattern++) {
			size_t used;

			if (**pattern != *at && **pattern >= 'a') /* nearly always; saves the call */
				continue;
			used = kh_word_match(at, *pattern);
			if (used && !kh_is_word(at[used]))
				return at;
		}
	}
	return NULL;
}

/* ---- Composition -------------------------------------------------------------------------------- */

/* The vowels, each in six tones: none, grave, acute, hook, tilde, dot below. */
static const struct vowel {
	char letter;
	uint32_t shape; /* combining mark that makes it, or 0 */
	const char *tones;
} vowels[] = {
	{ 'a', 0, "aàáảãạ" },	  { 'a', 0x306, "ăằắẳẵặ" }, { 'a', 0x302, "âầấẩẫậ" }, { 'e', 0, "eèéẻẽẹ" },
	{ 'e', 0x302, "êềếểễệ" }, { 'i', 0, "iìíỉĩị" },	    { 'o', 0, "oòóỏõọ" },     { 'o', 0x302, "ôồốổỗộ" },
	{ 'o', 0x31b, "ơờớởỡợ" }, { 'u', 0, "uùúủũụ" },	    { 'u', 0x31b, "ưừứửữự" }, { 'y', 0, "yỳýỷỹỵ" },
	{ 'A', 0, "AÀÁẢÃẠ" },	  { 'A', 0x306, "ĂẰẮẲẴẶ" }, { 'A', 0x302, "ÂẦẤẨẪẬ" }, { 'E', 0, "EÈÉẺẼẸ" },
	{ 'E', 0x302, "ÊỀẾỂỄỆ" }, { 'I', 0, "IÌÍỈĨỊ" },	    { 'O', 0, "OÒÓỎÕỌ" },     { 'O', 0x302, "ÔỒỐỔỖỘ" },
	{ 'O', 0x31b, "ƠỜỚỞỠỢ" }, { 'U', 0, "UÙÚỦŨỤ" },	    { 'U', 0x31b, "ƯỪỨỬỮỰ" }, { 'Y', 0, "YỲÝỶỸỴ" },
};

static const uint32_t tone_marks[] = { 0, 0x300, 0x301, 0x309, 0x303, 0x323 };

/* Bytes of the UTF-8 sequence that begins at text (known to be valid). */
static size_t size_of(const char *text)
{
	unsigned char first = (unsigned char)*text;

	return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The same, and its code point. */
static size_t decode(const char *text, uint32_t *ret_point)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t size = size_of(text);
	uint32_t point = size == 1 ? *at : *at & (0xffu >> (size + 1));

	for (size_t i = 1; i < size; i++) {
		if (!at[i])
			size = i;
		else
			point = point << 6 | (at[i] & 0x3f);
	}
	*ret_point = point;
	return size;
}

/* The vowel and tone of the letter at text; NULL: not a vowel of the table. */
static const struct vowel *vowel_at(const char *text, size_t size, int *ret_tone)
{
	if (size == 1 && !strchr("aeiouyAEIOUY", *text)) /* nearly always: the other letters, digits, signs */
		return NULL;
	for (size_t i = 0; i < KH_ARRAY_SIZE(vowels); i++) {
		const char *at = vowels[i].tones;

		for (int tone = 0; *at && (tone == 0 || size > 1); tone++) {
			size_t step = size_of(at);

			if (step == size && at[size - 1] == text[size - 1] && memcmp(at, text, size) == 0) {
				*ret_tone = tone;
				return &vowels[i];
			}
			at += step;
		}
	}
	return NULL;
}

/* One combining mark more; false when the letter does not take it. */
static bool add_mark(const struct vowel **vowel, int *tone, uint32_t mark)
{
	for (size_t i = 1; i < KH_ARRAY_SIZE(tone_marks); i++) {
		if (tone_marks[i] == mark && *tone == 0) {
			*tone = (int)i;
			return true;
		}
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(vowels) && (*vowel)->shape == 0; i++) {
		if (vowels[i].letter == (*vowel)->letter && vowels[i].shape == mark && mark) {
			*vowel = &vowels[i];
			return true;
		}
	}
	return false;
}

/* Composes the letter at text with the marks after it. Bytes read; the letter goes to *to, which moves on. */
static size_t compose_one(const char *text, char **to)
{
	uint32_t point, mark;
	int tone = 0;
	size_t used = decode(text, &point), step;
	const struct vowel *vowel = vowel_at(text, used, &tone);
	const char *letter;

	if (!vowel) {
		memmove(*to, text, used); /* it may be the same memory (kh_compose_all) */
		*to += used;
		return used;
	}
	while ((text[used] & 0x80) && (step = decode(text + used, &mark)) && add_mark(&vowel, &tone, mark))
		used += step;
	letter = vowel->tones;
	for (int i = 0; i < tone; i++)
		letter += decode(letter, &point);
	step = decode(letter, &point);
	memcpy(*to, letter, step);
	*to += step;
	return used;
}

char *kh_compose(const char *text, size_t length)
{
	char *copy KH_CLEANUP(kh_freep) = malloc(length + 1);
	char *composed = malloc(length + 1); /* a composed letter is never longer than the letter and its marks */
	char *to = composed;

	if (!copy || !composed) {
		free(composed);
		return NULL;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	for (const char *at = copy; *at;) {
		if (kh_is_blank(*at)) {
			if (to > composed && to[-1] != ' ')
				*to++ = ' ';
			at++;
		} else {
			at += compose_one(at, &to);
		}
	}
	while (to > composed && to[-1] == ' ')
		to--;
	*to = '\0';
	return composed;
}

int kh_compose_all(struct kh_bytes *text)
{
	int result = kh_bytes_add(text, "", 1);
	const char *from, *end;
	char *to;

	if (result)
		return result;
	to = (char *)text->data;
	from = to;
	end = to + text->length - 1;
	while (from < end) {
		if (*from & 0x80 || (from[1] & 0x80))
			from += compose_one(from, &to);
		else
			*to++ = *from++;
	}
	text->length = (size_t)(to - (char *)text->data);
	return 0;
}
