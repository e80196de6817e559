// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names by the libraries that know them: libidn2 for letters outside ASCII, libpsl for what is no name of anybody.
 */
#include <errno.h>
#include <idn2.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "reader/private.h"

#define NAME_MAX_BYTES ((size_t)1024)

int kh_name_read(const char *text, size_t length, struct kh_indicator *ret_indicator)
{
	char *copy KH_CLEANUP(kh_freep) = length <= NAME_MAX_BYTES ? strndup(text, length) : NULL;
	struct kh_indicator indicator = {};
	size_t start = length > 2 && text[0] == '*' && text[1] == '.' ? 2 : 0;
	char *ascii = NULL;
	int code;

	if (!copy)
		return length <= NAME_MAX_BYTES ? -ENOMEM : -EINVAL;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)copy[i] <= ' ' || strchr("/:@", copy[i]))
			return -EINVAL;
	code = idn2_to_ascii_8z(copy + start, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (code != IDN2_OK)
		return code == IDN2_MALLOC ? -ENOMEM : -EINVAL;
	code = kh_indicator_parse(ascii, &indicator, NULL);
	idn2_free(ascii);
	if (!code && indicator.type != KH_TYPE_DOMAIN)
		code = -EINVAL;
	if (code) {
		kh_indicator_clear(&indicator);
		return code == -ENOMEM ? code : -EINVAL;
	}
	indicator.subdomains = start > 0;
	*ret_indicator = indicator;
	return 0;
}

bool kh_name_is_public_suffix(const char *name)
{
	const psl_ctx_t *list = psl_builtin();

	return list && psl_is_public_suffix(list, name);
}

bool kh_name_is_top_level(const char *text, size_t length)
{
	char copy[64];

	if (length > 1 && text[0] == '*' && text[1] == '.') {
		text += 2;
		length -= 2;
	} else if (length && *text == '.') {
		text++;
		length--;
	}
	if (length && text[length - 1] == '.')
		length--;
	if (length < 2 || length >= sizeof(copy) || memchr(text, '.', length))
		return false;
	for (size_t i = 0; i < length; i++)
		copy[i] = kh_lower(text[i]);
	copy[length] = '\0';
	return psl_builtin() && psl_is_public_suffix2(psl_builtin(), copy, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

/* Bytes of a letter outside ASCII, or 0: punctuation stands between words. */
static size_t wide_letter(const char *text, size_t at)
{
	unsigned char first = (unsigned char)text[at], second = first ? (unsigned char)text[at + 1] : 0;
	size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

	if (first < 0xc3 || (first == 0xe2 && second < 0xb0) || (first == 0xe3 && second == 0x80) ||
	    (first == 0xef && second >= 0xb8))
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((text[at + i] & 0xc0) != 0x80)
			return 0;
	return size;
}

/* May a name begin here? */
static bool starts(const char *text, size_t at)
{
	char before = at ? text[at - 1] : ' ';

	return !kh_is_word(before) && !strchr("@/\\-", before) && (before != '.' || (at > 1 && text[at - 2] == '*'));
}

int kh_name_scan(const char *text, size_t at, struct kh_indicator *ret_indicator, size_t *ret_end)
{
	struct kh_indicator indicator = {};
	size_t end = at, wide = 0, size;
	const char *last;
	int result;

	if (!starts(text, at))
		return 0;
	while ((size = wide_letter(text, end)) || kh_is_alnum(text[end]) || text[end] == '-' || text[end] == '.') {
		wide += size;
		end += size ? size : 1;
	}
	while (end > at && (text[end - 1] == '.' || text[end - 1] == '-'))
		end--;
	if (!wide || !memchr(text + at, '.', end - at) || text[end] == '@' || text[end] == '/')
		return 0;
	result = kh_name_read(text + at, end - at, &indicator);
	if (result)
		return result == -ENOMEM ? result : 0;
	last = strrchr(indicator.text, '.') + 1;
	if (strncmp(last, "xn--", 4) == 0 ? !kh_name_is_top_level(last, strlen(last))
					  : !kh_domain_plausible(indicator.text, strlen(indicator.text), KH_MEANT)) {
		kh_indicator_clear(&indicator);
		return 0;
	}
	*ret_indicator = indicator;
	*ret_end = end;
	return 1;
}
