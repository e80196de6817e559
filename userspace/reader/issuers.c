// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of issuers, and what they say of a letter. A line is "NAME = CODE, OTHER NAME, ..."; "@types CODE ..." names kinds of documents, which
 * stand before the issuer in a number ("12/BC-CATTT"). '#' begins a comment. Strict: half a table would give letters to the wrong agency.
 */
#include "reader/issuers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "reader/private.h"

#define BLANKS " \t\r\f\v"
#define LINE_BYTES 1024
#define NAME_BYTES 200 /* longest name of an issuer */

/* A code or name, in both the forms it is compared in, and whose it is. */
struct key {
	char *folded; /* kh_text_fold: "cattt", "cucantoanthongtin" */
	char *pattern; /* for kh_word_match: "cUc An tOAn thOng tIn" */
	char *issuer; /* NULL: a kind of document */
	int line; /* in the file being added; 0: of a file before */
};

struct kh_issuers {
	struct key *keys;
	size_t count, capacity;
};

struct kh_issuers *kh_issuers_new(void)
{
	return calloc(1, sizeof(struct kh_issuers));
}

static void key_clear(struct key *key)
{
	free(key->folded);
	free(key->pattern);
	free(key->issuer);
	*key = (struct key){};
}

void kh_issuers_free(struct kh_issuers *issuers)
{
	for (size_t i = 0; issuers && i < issuers->count; i++)
		key_clear(&issuers->keys[i]);
	free(issuers ? issuers->keys : NULL);
	free(issuers);
}

/* ---- A file ------------------------------------------------------------------------------------- */

struct file {
	const char *name;
	int line;
	struct kh_error *error;
};

KH_PRINTF(2, 3)
static int fail(const struct file *file, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	kh_text_printable(what);
	kh_fail_at(file->error, -EINVAL, file->line, "%s:%d: %s", file->name, file->line, what);
	kh_hint(file->error, _("write: %s"), "Cục An toàn thông tin = CATTT, ATTT");
	return -EINVAL;
}

/* Recognition of scans drops accented vowels: in the pattern they are capitals. malloc'ed; NULL: out of memory. */
static char *pattern_of(const char *text)
{
	char *composed KH_CLEANUP(kh_freep) = kh_compose(text, strlen(text));
	char *pattern = composed ? malloc(strlen(composed) + 1) : NULL, *to = pattern;

	for (const char *at = composed; pattern && *at;) {
		size_t size = 1;
		char letter[8], *plain KH_CLEANUP(kh_freep) = NULL;

		while (size < 4 && (at[size] & 0xc0) == 0x80)
			size++;
		snprintf(letter, sizeof(letter), "%.*s", (int)size, at);
		plain = kh_fold(letter, size);
		if (!plain) {
			free(pattern);
			return NULL;
		}
		if (size == 1)
			*to++ = *plain;
		else if (*plain && strchr("aeiouy", *plain))
			*to++ = (char)(*plain - 32);
		else
			to = stpncpy(to, plain, size);
		at += size;
	}
	if (pattern)
		*to = '\0';
	return pattern;
}

static struct key *find_key(const struct kh_issuers *issuers, const char *folded)
{
	for (size_t i = 0; i < issuers->count; i++)
		if (!strcmp(issuers->keys[i].folded, folded))
			return &issuers->keys[i];
	return NULL;
}

/* One code or name of the issuer (NULL: a kind of document). */
static int add_key(struct kh_issuers *issuers, const struct file *file, const char *text, const char *issuer)
{
	struct key key = { .folded = kh_text_fold(text),
			   .pattern = pattern_of(text),
			   .issuer = issuer ? strdup(issuer) : NULL,
			   .line = file->line },
		   *held = key.folded ? find_key(issuers, key.folded) : NULL;
	int code = 0;

	if (!key.folded || !key.pattern || (issuer && !key.issuer))
		code = -ENOMEM;
	else if (held && held->line && held->line != file->line)
		code = fail(file, _("\"%s\" stands in line %d too"), text, held->line);
	else if (!held && issuers->count >= KH_ISSUERS_KEYS_MAX)
		code = fail(file, _("more than %zu codes and names"), KH_ISSUERS_KEYS_MAX);
	else if (!held)
		code = kh_grow(&issuers->keys, &issuers->capacity, issuers->count + 1, sizeof(*issuers->keys));
	if (code < 0) {
		key_clear(&key);
		return code;
	}
	if (!held)
		held = &issuers->keys[issuers->count++];
	else
		key_clear(held);
	*held = key;
	return 0;
}

/* Without blanks at its ends. In place. */
static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && strchr(BLANKS, end[-1]))
		*--end = '\0';
	return text + strspn(text, BLANKS);
}

/* "@types BC QĐ TB" */
static int add_types(struct kh_issuers *issuers, const struct file *file, char *text)
{
	char *rest = NULL, *word = strtok_r(text, BLANKS ",", &rest);
	int code = 0;

	if (strcmp(word, "@types") != 0)
		return fail(file, _("not understood: %s"), word);
	while (!code && (word = strtok_r(NULL, BLANKS ",", &rest)))
		code = add_key(issuers, file, word, NULL);
	return code;
}

/* "Cục An toàn thông tin = CATTT, ATTT": the name is one of its keys. */
static int add_issuer(struct kh_issuers *issuers, const struct file *file, char *text)
{
	char *equals = strchr(text, '='), *rest = NULL, *word, *name, *composed KH_CLEANUP(kh_freep) = NULL;
	int code;

	if (!equals)
		return fail(file, _("not \"NAME = CODE, ...\": %s"), text);
	*equals = '\0';
	name = trim(text);
	if (!*name || strlen(name) >= NAME_BYTES)
		return fail(file, *name ? _("a name of more than %d bytes") : _("no name before the ="),
			    NAME_BYTES - 1);
	composed = kh_compose(name, strlen(name));
	code = composed ? add_key(issuers, file, composed, composed) : -ENOMEM;
	for (word = strtok_r(equals + 1, ",;", &rest); !code && word; word = strtok_r(NULL, ",;", &rest)) {
		word = trim(word);
		if (*word)
			code = add_key(issuers, file, word, composed);
	}
	return code;
}

static int add_line(struct kh_issuers *issuers, const struct file *file, const char *line, size_t length)
{
	char text[LINE_BYTES], *start;

	if (length >= sizeof(text))
		return fail(file, _("the line is too long"));
	if (memchr(line, '\0', length) || kh_utf8_check(line, length) < length)
		return fail(file, _("not text in UTF-8"));
	memcpy(text, line, length);
	text[length] = '\0';
	text[strcspn(text, "#")] = '\0';
	start = trim(text);
	if (!*start)
		return 0;
	return *start == '@' ? add_types(issuers, file, start) : add_issuer(issuers, file, start);
}

/* Makes *copy hold what is in *from. 0 or -ENOMEM. */
static int copy_keys(const struct kh_issuers *from, struct kh_issuers *copy)
{
	copy->keys = calloc(from->count + 1, sizeof(*copy->keys));
	copy->capacity = copy->keys ? from->count + 1 : 0;
	for (size_t i = 0; copy->keys && i < from->count; i++) {
		const struct key *key = &from->keys[i];
		struct key *to = &copy->keys[copy->count++];

		*to = (struct key){ .folded = strdup(key->folded),
				    .pattern = strdup(key->pattern),
				    .issuer = key->issuer ? strdup(key->issuer) : NULL };
		if (!to->folded || !to->pattern || (key->issuer && !to->issuer))
			return -ENOMEM;
	}
	return copy->keys ? 0 : -ENOMEM;
}

int kh_issuers_add(struct kh_issuers *issuers, const char *name, const char *data, size_t length,
		   struct kh_error *error)
{
	struct kh_issuers *next KH_CLEANUP(kh_issuers_freep) = kh_issuers_new();
	struct file file = { .name = name, .error = error };
	size_t at = length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	struct kh_issuers before;
	int code = next ? copy_keys(issuers, next) : -ENOMEM;

	while (at < length && !code) {
		const char *newline = memchr(data + at, '\n', length - at);
		size_t bytes = newline ? (size_t)(newline - data) - at : length - at;

		file.line++;
		code = add_line(next, &file, data + at, bytes);
		at += bytes + 1;
	}
	if (code == -ENOMEM)
		return kh_fail_at(error, code, file.line, _("%s: out of memory"), name);
	if (code < 0)
		return code;
	for (size_t i = 0; i < next->count; i++)
		next->keys[i].line = 0;
	before = *issuers; /* all or nothing: what was held goes with `next` */
	*issuers = *next;
	*next = before;
	return 0;
}

/* ---- A letter ----------------------------------------------------------------------------------- */

/* Whose name the folded text is, as a whole. NULL: nobody's. */
static const char *named(const struct kh_issuers *issuers, const char *text)
{
	for (size_t i = 0; i < issuers->count; i++) {
		const struct key *key = &issuers->keys[i];
		size_t used = key->issuer ? kh_word_match(text, key->pattern) : 0;

		if (used && !text[used])
			return key->issuer;
	}
	return NULL;
}

/* By the name in the head; where two lines of it were read as one, the issuer is behind the body that it belongs to. */
static const char *by_name(const struct kh_issuers *issuers, char *folded)
{
	const char *issuer = named(issuers, folded);

	for (char *at = strchr(folded, ' '); at && !issuer; at = strchr(at + 1, ' ')) {
		*at = '\0';
		if (named(issuers, folded))
			issuer = named(issuers, at + 1);
		*at = ' ';
	}
	return issuer;
}

/* By "CATTT-NCSC", the first of its parts that is no kind of document; *ret_whole: a file has all of it. */
static const char *by_part(const struct kh_issuers *issuers, const char *text, bool *ret_whole)
{
	char *code KH_CLEANUP(kh_freep) = kh_text_fold(text), *rest = NULL;
	const struct key *key = code ? find_key(issuers, code) : NULL;

	*ret_whole = key && key->issuer;
	if (*ret_whole || !code)
		return *ret_whole ? key->issuer : NULL;
	for (char *part = strtok_r(code, "-", &rest); part; part = strtok_r(NULL, "-", &rest)) {
		key = find_key(issuers, part);
		if (!key || key->issuer)
			return key ? key->issuer : NULL;
	}
	return NULL;
}

/* "941/CATTT-NCSC", "12/VNCERT/CC", "05/2017/QĐ-TTg" */
static const char *by_code(const struct kh_issuers *issuers, const char *number, bool *ret_whole)
{
	const char *issuer = NULL;

	for (const char *at = strchr(number, '/'); at && !issuer; at = strchr(at + 1, '/'))
		issuer = by_part(issuers, at + 1, ret_whole);
	return issuer;
}

int kh_issuers_name(const struct kh_issuers *issuers, struct kh_letter *letter)
{
	char *composed KH_CLEANUP(kh_freep) =
		letter->issuer ? kh_compose(letter->issuer, strlen(letter->issuer)) : NULL;
	char *folded KH_CLEANUP(kh_freep) = composed ? kh_fold(composed, strlen(composed)) : NULL, *copy;
	bool whole = false;
	const char *coded = letter->number ? by_code(issuers, letter->number, &whole) : NULL,
		   *issuer = folded ? by_name(issuers, folded) : NULL;

	if (letter->issuer && !folded)
		return -ENOMEM;
	/* A head that names a body which no file knows says more than a part of the code does. */
	if (!issuer && (whole || !folded || !kh_is_body_name(folded)))
		issuer = coded;
	if (!issuer)
		return 0;
	copy = strdup(issuer);
	if (!copy)
		return -ENOMEM;
	free(letter->issuer);
	letter->issuer = copy;
	return 0;
}
