// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of hosts files: the address is that of nowhere, the names behind it are the values; what a machine has for itself ("localhost") is none.
 */
#include <string.h>

#include "common/util.h"
#include "reader/private.h"

static bool is_nowhere(const struct kh_range *range)
{
	if (range->family == 4)
		return range->first == 0 || range->first >> 24 == 127;
	return range->first <= 1;
}

/* 255.255.255.255, fe80::1, fe00::, ff02::1: in the hosts files of systems. */
static bool is_local(const struct kh_range *range)
{
	return range->family == 4 ? range->first == 0xffffffff : range->first >> 121 == 0x7f;
}

bool kh_hosts_local(const char *name)
{
	static const char *const tails[] = { "localhost", "localdomain", "local" };
	const char *last = strrchr(name, '.');

	last = last ? last + 1 : name;
	for (size_t i = 0; i < KH_ARRAY_SIZE(tails); i++)
		if (!strcmp(last, tails[i]))
			return true;
	return false;
}

static bool has_local_word(const char *text)
{
	return !strncmp(text, "local", 5) || !strncmp(text, "ip6-", 4) || !strncmp(text, "broadcasthost", 13);
}

bool kh_hosts_line(const struct kh_clean *line, const struct kh_tokens *tokens)
{
	const struct kh_token *token = tokens->list;
	const char *after = line->text + (tokens->count ? token->end : 0);

	if (tokens->count && token->kind == KH_TOKEN_MALFORMED &&
	    memchr(line->text + token->start, '%', token->end - token->start)) /* fe80::1%lo0: of this machine */
		return has_local_word(after + strspn(after, " \t"));
	if (!tokens->count || token->kind != KH_TOKEN_VALUE || token->indicator.type != KH_TYPE_ADDRESS)
		return false;
	if (*after != ' ' && *after != '\t')
		return false;
	after += strspn(after, " \t");
	if (is_local(&token->indicator.range))
		return has_local_word(after);
	return is_nowhere(&token->indicator.range) &&
	       (kh_is_letter(*after) || *after & 0x80 || *after == '_' || !strncmp(after, "0.0.0.0", 7) ||
		(tokens->count > 1 && token[1].indicator.type == KH_TYPE_DOMAIN &&
		 token[1].start == (size_t)(after - line->text)));
}
