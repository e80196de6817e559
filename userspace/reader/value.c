// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One value by itself, as a person types or pastes it.
 */
#include "reader/reader.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "reader/private.h"

/* A form that only the scanner knows ("203.0.113.7|443", "203.0.113.7 port 443"): taken when it is all there is. 1, 0, -ENOMEM. */
static int scan_value(const struct kh_clean *clean, struct kh_indicator *ret_indicator)
{
	struct kh_tokens tokens KH_CLEANUP(kh_tokens_free) = { 0 };
	int result = kh_tokens_read(&tokens, clean, KH_MEANT);
	struct kh_token *token = tokens.list;

	if (result || tokens.count != 1 || token->kind != KH_TOKEN_VALUE || token->host_bits)
		return result;
	if (token->start > 0 || token->end < clean->length)
		return 0;
	*ret_indicator = token->indicator;
	token->indicator = (struct kh_indicator){ 0 };
	return 1;
}

int kh_reader_value(const char *text, struct kh_indicator *ret_indicator, struct kh_error *error)
{
	struct kh_clean clean KH_CLEANUP(kh_clean_clear) = { 0 };
	size_t start = strspn(text, " \t\r\n"), length = strlen(text + start);
	int result;

	while (length && kh_is_blank(text[start + length - 1]))
		length--;
	if (length > KH_LINE_MAX)
		return kh_fail(error, -EINVAL, _("a value is at most %zu bytes long"), KH_LINE_MAX);
	if (kh_refang(text + start, length, &clean))
		return kh_fail(error, -ENOMEM, _("out of memory"));
	result = kh_indicator_parse(clean.text, ret_indicator, error);
	if (result != -EINVAL)
		return result;
	result = kh_name_read(clean.text, clean.length, ret_indicator);
	if (result == -ENOMEM)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	if (!result) {
		if (error)
			*error = (struct kh_error){ 0 };
		return 0;
	}
	switch (scan_value(&clean, ret_indicator)) {
	case 1:
		if (error)
			*error = (struct kh_error){ 0 };
		return 0;
	case -ENOMEM:
		return kh_fail(error, -ENOMEM, _("out of memory"));
	default:
		return result;
	}
}
