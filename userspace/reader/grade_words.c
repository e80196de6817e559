// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The words and numbers that say how grave a vulnerability is: "CVSS v3.1: 9.8/10 (Nghiêm trọng)", "mức độ: Cao", "critical severity". All take
 * folded text; the version of the scale is no score.
 */
#include <string.h>

#include "common/util.h"
#include "reader/private.h"

const char *kh_grade_skip(const char *at, const char *signs)
{
	static const char *const dashes[] = { "–", "—", "●", "•" };

	for (;;) {
		size_t used = *at && strchr(signs, *at) ? 1 : 0;

		for (size_t i = 0; i < KH_ARRAY_SIZE(dashes) && !used; i++)
			used = strncmp(at, dashes[i], strlen(dashes[i])) == 0 ? strlen(dashes[i]) : 0;
		if (!used)
			return at;
		at += used;
	}
}

/* A level as a word of its own at `at`; bytes, 0: none. */
static size_t level_at(const char *at, uint8_t *ret_level)
{
	static const struct {
		const char *pattern;
		enum kh_level level;
	} words[] = {
		{ "nghiEm trOng", KH_LEVEL_CRITICAL },
		{ "critical", KH_LEVEL_CRITICAL },
		{ "cao", KH_LEVEL_HIGH },
		{ "high", KH_LEVEL_HIGH },
		{ "trung bInh", KH_LEVEL_MEDIUM },
		{ "medium", KH_LEVEL_MEDIUM },
		{ "moderate", KH_LEVEL_MEDIUM },
		{ "thAp", KH_LEVEL_LOW },
		{ "low", KH_LEVEL_LOW },
	};

	for (size_t i = 0; i < KH_ARRAY_SIZE(words); i++) {
		size_t used = kh_word_match(at, words[i].pattern);

		if (!used || kh_is_word(at[used]))
			continue;
		*ret_level = (uint8_t)words[i].level;
		return used;
	}
	return 0;
}

/* "9.8", "9,8", "10", "10.0" at `at`; bytes, 0: no score. */
static size_t score_at(const char *at, uint8_t *ret_score)
{
	size_t used = 0;
	unsigned whole = 0, tenths = 0;

	for (; used < 2 && kh_is_digit(at[used]); used++)
		whole = whole * 10 + (unsigned)(at[used] - '0');
	if (!used || whole > 10)
		return 0;
	if ((at[used] == '.' || at[used] == ',') && kh_is_digit(at[used + 1])) {
		tenths = (unsigned)(at[used + 1] - '0');
		used += 2;
	}
	if (kh_is_word(at[used]) || (at[used] == '.' && kh_is_digit(at[used + 1])) || whole * 10 + tenths > 100 ||
	    !(whole + tenths))
		return 0;
	*ret_score = (uint8_t)(whole * 10 + tenths);
	return used;
}

/* Is the number the version of the scale, and not a score: "v3.1", "CVSS 3.1: 9.8", "CVSS:3.1/AV:N/..."? */
static bool is_version(const char *before, const char *at, size_t used, uint8_t score)
{
	static const uint8_t versions[] = { 20, 30, 31, 40 };
	const char *after = kh_grade_skip(at + used, " \t:)=(");
	bool known = false;
	uint8_t next;

	for (size_t i = 0; i < KH_ARRAY_SIZE(versions); i++)
		known = known || versions[i] == score;
	if (!known)
		return false;
	return at[-1] == 'v' || (at[used] == '/' && kh_is_letter(at[used + 1])) || score_at(after, &next) ||
	       (before[strspn(before, " \t")] && before + strspn(before, " \t") == at);
}

/* The score after "cvss", "điểm:", "score:" at `at`; where it ends, NULL: none is there. */
static const char *scored(const char *at, struct kh_grade *grade)
{
	const char *before = at;

	for (const char *end = at + 32; at < end && *at; at++) {
		uint8_t score;
		size_t used;

		if (!kh_is_digit(*at) || (kh_is_word(at[-1]) && at[-1] != 'v'))
			continue;
		used = score_at(at, &score);
		if (!used)
			return NULL;
		if (is_version(before, at, used, score)) {
			if (at[used] == '/')
				return NULL;
			at += used - 1;
			continue;
		}
		grade->score = score;
		at += used;
		at = kh_grade_skip(at, " \t");
		if (!strncmp(at, "/10", 3) || !strncmp(at, "/ 10", 4))
			at += 3 + (at[1] == ' ');
		at = kh_grade_skip(at, " \t,;:-(/[");
		return at + level_at(at, &grade->level);
	}
	return NULL;
}

/* The level after "mức độ", "severity" at `at`; where it ends, NULL: none is there. */
static const char *levelled(const char *at, struct kh_grade *grade)
{
	static const char *const fillers[] = { "nguy hiEm", "Anh hUOng", "rUi ro", "dAnh giA", "cUa lO hOng", "dO",
					       "lA",	    "rating",	 "level",  "lO hOng",  "bAo mAt",     NULL };
	size_t used = 1;

	while (used) {
		at = kh_grade_skip(at, " \t:-=(");
		used = 0;
		for (const char *const *filler = fillers; *filler && !used; filler++) {
			used = kh_word_match(at, *filler);
			if (used && kh_is_word(at[used]) && kh_is_word(at[used - 1]))
				used = 0;
		}
		at += used;
	}
	used = level_at(at, &grade->level);
	if (!used)
		return NULL;
	at += used;
	if (grade->level == KH_LEVEL_CRITICAL) { /* "mức độ nghiêm trọng cao" */
		const char *next = kh_grade_skip(at, " \t:=");

		used = level_at(next, &grade->level);
		at = used ? next + used : at;
	}
	return at;
}

const char *kh_grade_mention(const char *at, struct kh_grade *ret_grade)
{
	static const char *const scores[] = { "diEm cvss", "diEm sO cvss", "cvss", "diEm sO :",
					      "diEm :",	   "score :",	   NULL };
	static const char *const levels[] = { "mUc dO", "mUc", "severity", "dO nghiEm trOng", NULL };
	struct kh_grade grade = {};
	const char *end = NULL;
	size_t used;

	for (const char *const *word = scores; *word && !end; word++) {
		used = kh_word_match(at, *word);
		if (used && !kh_is_letter(at[used]))
			end = scored(at + used, &grade);
	}
	for (const char *const *word = levels; *word && !end; word++) {
		used = kh_word_match(at, *word);
		if (used && !kh_is_word(at[used]))
			end = levelled(at + used, &grade);
	}
	used = end ? 0 : level_at(at, &grade.level);
	if (used) { /* "critical severity", "high-severity" */
		const char *next = kh_grade_skip(at + used, " \t-");

		end = !strncmp(next, "severity", 8) ? next + 8 : NULL;
	}
	if (end && !grade.level) { /* "CVSS: 9.8 - mức độ: Cao" is two mentions */
		const char *word = kh_grade_skip(end, " \t");

		end = word > end && *end == ' ' ? end : word;
	}
	if (end)
		*ret_grade = grade;
	return end;
}

bool kh_grade_is(const char *text, size_t length, struct kh_grade *ret_grade)
{
	struct kh_grade grade = {};
	const char *at = text;
	char copy[KH_GRADE_CELL_MAX + 1];

	if (length > KH_GRADE_CELL_MAX)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	at = copy;
	while (*(at = kh_grade_skip(at, " \t\r/()[],;:-"))) {
		size_t used = kh_word_match(at, "cvss");

		if (!used)
			used = kh_word_match(at, "diEm");
		if (!used && *at == 'v' && kh_is_digit(at[1])) /* "v3.1" */
			used = 1 + strspn(at + 1, "0123456789.");
		if (!used && !grade.score)
			used = score_at(at, &grade.score);
		if (!used && grade.score && !strncmp(at, "10", 2)) /* "9.8/10" */
			used = 2;
		if (!used && !grade.level)
			used = level_at(at, &grade.level);
		if (!used)
			return false;
		at += used;
	}
	*ret_grade = grade;
	return grade.score || grade.level;
}

bool kh_grades_heading(const char *folded, size_t length)
{
	static const char *const words[] = { "mUc dO", "cvss", "severity", "diEm", "score", "dO nghiEm trOng", NULL };
	char copy[KH_GRADE_CELL_MAX + 1];

	if (length > KH_GRADE_CELL_MAX)
		return false;
	memcpy(copy, folded, length);
	copy[length] = '\0';
	return kh_word_find(copy, words) != NULL;
}
