// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/proxy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/lang.h"
#include "common/text.h"

/* HOST:PORT, with an IPv6 address in brackets, and nothing else. */
static bool is_place(const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	int64_t port;

	if (!length || kh_number_parse(colon + 1, 1, 65535, &port) < 0)
		return false;
	if (text[0] == '[')
		return length > 2 && colon[-1] == ']' && strspn(text + 1, "0123456789abcdefABCDEF:.") == length - 2;
	return strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") == length;
}

int kh_proxy_check(const char *proxy, struct kh_error *error)
{
	bool web = !strncasecmp(proxy, "http://", 7), socks = !strncasecmp(proxy, "socks5h://", 10);
	char place[KH_FETCH_PROXY_BYTES];
	size_t length;

	if (strchr(proxy, '@')) { /* not shown: it holds a password */
		kh_fail(error, -EINVAL, _("user and password do not belong into the address of a proxy"));
		return kh_hint(error, _("put them into a file for root alone, and name that")), -EINVAL;
	}
	length = strlen(proxy);
	if ((web || socks) && length < sizeof(place)) {
		snprintf(place, sizeof(place), "%s", proxy + (web ? 7 : 10));
		length = strlen(place);
		if (length && place[length - 1] == '/')
			place[length - 1] = '\0';
		if (is_place(place))
			return 0;
	}
	kh_fail(error, -EINVAL, _("%.128s is not the address of a proxy"), proxy);
	return kh_hint(error, _("write it as http://proxy.example:3128 or socks5h://proxy.example:1080")), -EINVAL;
}
