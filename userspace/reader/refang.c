// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Undoes defanging: "203.0.113[.]7", "hxxps[:]//c2(dot)example", "www[.[c2].]example", "h**p ://", "\." and the like.
 * Works on the line as a whole and marks what it changed; whether the result is a value is for tokens.c to say, so a
 * rule may be generous. Left alone on purpose: "-dot-", which is part of real host names.
 */
#include "reader/private.h"

#include <errno.h>
#include <string.h>

#include "common/util.h"

/* What a bracketed word stands for: "[.]", "(dot)", "{at}" ... Folded to lower case, UTF-8. */
static const struct bracketed {
	const char *core;
	const char *plain;
} bracketed[] = {
	{ ".", "." },	      { ",", "." },	 { "dot", "." },    { "d0t", "." },   { "punto", "." },
	{ "punkt", "." },     { "cham", "." },	 { "chấm", "." },   { "://", "://" }, { ":", ":" },
	{ "/", "/" },	      { "-", "-" },	 { "@", "@" },	    { "at", "@" },    { "et", "@" },
	{ "arroba", "@" },    { "a còng", "@" }, { "a cong", "@" }, { "www", "www" }, { "http", "http" },
	{ "https", "https" },
};

static bool opens(char c)
{
	return c == '[' || c == '(' || c == '{' || c == '<';
}
static bool closes(char c)
{
	return c == ']' || c == ')' || c == '}' || c == '>';
}

struct work {
	const char *text;
	size_t length, at;
	struct kh_clean *clean;
	bool in_host; /* since the last "://" only host characters were written */
};

static char peek(const struct work *work, size_t ahead)
{
	return work->at + ahead < work->length ? work->text[work->at + ahead] : '\0';
}

static char written(const struct work *work)
{
	return work->clean->length ? work->clean->text[work->clean->length - 1] : '\0';
}

/* Writes `plain` for the next `used` bytes of the line. reserve() made room: no rule writes more than 7 bytes for 6. */
static void put(struct work *work, const char *plain, size_t used, bool defanged)
{
	struct kh_clean *clean = work->clean;

	for (; *plain; plain++) {
		clean->text[clean->length] = *plain;
		clean->origin[clean->length++] = (uint32_t)work->at | (defanged ? KH_DEFANGED : 0);
	}
	work->at += used;
}

/* Spaces ahead; no rule bridges more than two, so it counts to three at most. */
static size_t blanks(const struct work *work, size_t ahead)
{
	size_t count = 0;

	while (count < 3 && peek(work, ahead + count) == ' ')
		count++;
	return count;
}

/* Does the text `ahead` go on like a name or number, if need be in another bracket? */
static bool goes_on(const struct work *work, size_t ahead)
{
	char c = peek(work, ahead);

	return kh_is_alnum(c) || (opens(c) && kh_is_alnum(peek(work, ahead + 1)));
}

static bool core_at(const struct work *work, size_t ahead, const char *core)
{
	for (size_t i = 0; core[i]; i++) {
		if (kh_lower(peek(work, ahead + i)) != core[i])
			return false;
	}
	return true;
}

/* "[.]", " [dot] ", "(at)", "[://]", "[www]" */
static bool bracket_rule(struct work *work)
{
	size_t before = blanks(work, 0), open = before + 1, close, after;

	if (before > 2 || !opens(peek(work, before)))
		return false;
	open += blanks(work, open);
	for (size_t i = 0; i < KH_ARRAY_SIZE(bracketed); i++) {
		const char *plain = bracketed[i].plain;
		bool joins = !kh_is_letter(*plain); /* stands between two parts, not before them */

		if (!core_at(work, open, bracketed[i].core))
			continue;
		close = open + strlen(bracketed[i].core);
		close += blanks(work, close);
		if (!closes(peek(work, close)))
			continue;
		after = blanks(work, close + 1);
		if (!joins && (before || after || (peek(work, close + 1) != '.' && peek(work, close + 1) != ':')))
			continue;
		if (joins && (!kh_is_alnum(written(work)) && written(work) != ':' && written(work) != '/'))
			continue;
		if ((*plain == '.' || *plain == '@') && (after > 2 || !goes_on(work, close + 1 + after)))
			continue;
		if ((*plain != '.' && *plain != '@') && before)
			continue;
		put(work, plain, close + 1 + (*plain == '.' || *plain == '@' ? after : 0), true);
		return true;
	}
	return false;
}

/* "[.", "].", ".[", "[.[", "].[", ".}" ...: square and curly only, round ones are punctuation. */
static bool half_bracket_rule(struct work *work)
{
	size_t used = 0, dots = 0;
	char c;

	if (!kh_is_alnum(written(work)))
		return false;
	for (; (c = peek(work, used)) == '.' || c == '[' || c == ']' || c == '{' || c == '}'; used++)
		dots += c == '.';
	if (dots != 1 || used < 2 || used > 3 || !kh_is_alnum(peek(work, used)))
		return false;
	put(work, ".", used, true);
	return true;
}

/* "\.", "^.", "\/" */
static bool escape_rule(struct work *work)
{
	char c = peek(work, 0), next = peek(work, 1);

	if (!kh_is_alnum(written(work)))
		return false;
	if ((c == '\\' || c == '^') && next == '.' && kh_is_alnum(peek(work, 2)))
		put(work, ".", 2, true);
	else if (c == '\\' && next == '/')
		put(work, "/", 2, true);
	else
		return false;
	return true;
}

static bool capitals_at(const struct work *work, size_t ahead, const char *word)
{
	for (; *word; word++, ahead++) {
		if (peek(work, ahead) != *word)
			return false;
	}
	return true;
}

static bool is_lower_or_digit(char c)
{
	return kh_is_digit(c) || (c >= 'a' && c <= 'z');
}

/* "fooDOTcom", "foo DOT com", "bobATexample.com": capitals between small letters, glued or set off on both sides. */
static bool word_rule(struct work *work)
{
	size_t before = blanks(work, 0), word, after;
	bool dot = capitals_at(work, before, "DOT");

	if (before > 2 || !is_lower_or_digit(written(work)))
		return false;
	if (!dot && !capitals_at(work, before, "AT"))
		return false;
	word = before + (dot ? 3 : 2);
	after = blanks(work, word);
	if ((before == 0) != (after == 0) || after > 2 || !is_lower_or_digit(peek(work, word + after)))
		return false;
	put(work, dot ? "." : "@", word + after, true);
	return true;
}

/* Length of "://" in its many spellings, 0: none. */
static size_t separator_at(const struct work *work, size_t ahead)
{
	static const char *const forms[] = { ":///",  "://",   "[:]//", "[://]",   "(:)//", "(://)",
					     "{:}//", "{://}", ":\\\\", "[:]\\\\", "///",   "//" };
	size_t before = blanks(work, ahead);

	if (before > 1)
		return 0;
	for (size_t i = 0; i < KH_ARRAY_SIZE(forms); i++) {
		size_t end = ahead + before + strlen(forms[i]), after;

		if (!core_at(work, ahead + before, forms[i]))
			continue;
		after = blanks(work, end);
		if (after > 1 || !goes_on(work, end + after))
			return 0;
		return end + after - ahead;
	}
	return 0;
}

/* Bytes of a spelling of "http" or "https" at the cursor: http, hXXp, h**p, xxxxs, meow ...; 0: none. */
static size_t scheme_at(const struct work *work, size_t ahead, bool *ret_secure)
{
	size_t used = 4;
	char c = peek(work, ahead);

	if (core_at(work, ahead, "meow")) {
		*ret_secure = false;
		return used;
	}
	if (!strchr("hHxX", c) || !strchr("pPxX", peek(work, ahead + 3)) || !c || !peek(work, ahead + 3))
		return 0;
	for (size_t i = 1; i < 3; i++) {
		c = peek(work, ahead + i);
		if (!c || !strchr("tTxX*_zZ#", c))
			return 0;
	}
	c = peek(work, ahead + used);
	*ret_secure = c == 's' || c == 'S' || c == 'x' || c == 'X';
	return used + (*ret_secure ? 1 : 0);
}

static bool scheme_rule(struct work *work)
{
	bool bracket = opens(peek(work, 0)), secure, changed;
	size_t start = bracket ? 1 : 0, scheme, junk = 0, separator;

	if (kh_is_word(written(work)))
		return false;
	scheme = scheme_at(work, start, &secure);
	if (!scheme)
		return false;
	if (bracket && !closes(peek(work, start + scheme)))
		bracket = false;
	if (start && !bracket)
		return false; /* "(http://...": the bracket is punctuation; the next byte starts a scheme */
	scheme += start + (bracket ? 1 : 0);
	if (strchr("!@A&", peek(work, scheme)) && peek(work, scheme))
		junk = 1;
	separator = separator_at(work, scheme + junk);
	if (!separator)
		return false;
	changed = junk || bracket || kh_lower(peek(work, 0)) != 'h' || kh_lower(peek(work, 1)) != 't' ||
		  kh_lower(peek(work, 2)) != 't' || !core_at(work, scheme, "://");
	put(work, secure ? "https://" : "http://", scheme + junk + separator, changed);
	work->in_host = true;
	return true;
}

/* "https://c2. example/": a space inside the host, as editors put it there. */
static bool host_space_rule(struct work *work)
{
	size_t tld = 0;

	if (!work->in_host || peek(work, 0) != ' ' || written(work) != '.')
		return false;
	while (kh_is_letter(peek(work, 1 + tld)))
		tld++;
	if (peek(work, 1 + tld) != '/' || !kh_domain_known_tld(work->text + work->at + 1, tld))
		return false;
	if (work->clean->length)
		work->clean->origin[work->clean->length - 1] |= KH_DEFANGED;
	work->at++;
	return true;
}

static int reserve(struct kh_clean *clean, size_t length)
{
	size_t wanted = length + length / 4 + 8;
	int result = kh_grow(&clean->text, &clean->text_capacity, wanted, sizeof(*clean->text));

	return result ? result : kh_grow(&clean->origin, &clean->origin_capacity, wanted, sizeof(*clean->origin));
}

/* Can a rule begin with the byte at the cursor? Most cannot, and need no closer look. */
static bool may_begin(const struct work *work)
{
	char next = peek(work, 1);

	switch (work->text[work->at]) {
	case ' ':
		return next == ' ' || opens(next) || next == 'D' || next == 'A' || work->in_host;
	case '.':
		return next == '[' || next == ']' || next == '{' || next == '}';
	case '[':
	case ']':
	case '(':
	case '{':
	case '}':
	case '<':
	case '\\':
	case '^':
	case 'h':
	case 'H':
	case 'x':
	case 'X':
	case 'm':
	case 'M':
	case 'D':
	case 'A':
		return true;
	default:
		return false;
	}
}

static bool apply_rule(struct work *work)
{
	return scheme_rule(work) || bracket_rule(work) || half_bracket_rule(work) || escape_rule(work) ||
	       word_rule(work) || host_space_rule(work);
}

int kh_refang(const char *text, size_t length, struct kh_clean *clean)
{
	struct work work = { .text = text, .length = length, .clean = clean };
	int result = reserve(clean, length);

	if (result)
		return result;
	clean->length = 0;
	while (work.at < length) {
		char c = text[work.at];

		if (may_begin(&work) && apply_rule(&work))
			continue;
		if (work.in_host && !kh_is_alnum(c) && c != '.' && c != '-')
			work.in_host = false;
		clean->text[clean->length] = c;
		clean->origin[clean->length++] = (uint32_t)work.at++;
	}
	clean->text[clean->length] = '\0';
	clean->origin[clean->length] = (uint32_t)length;
	return 0;
}

void kh_clean_clear(struct kh_clean *clean)
{
	free(clean->text);
	free(clean->origin);
	*clean = (struct kh_clean){ 0 };
}
