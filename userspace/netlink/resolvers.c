// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DNS resolvers in use, from the files in which the system keeps them.
 */
#include "netlink/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/util.h"

static const char *const files[] = {
	"/etc/resolv.conf",	    "/run/systemd/resolve/resolv.conf", "/etc/ppp/resolv.conf",
	"/run/dnsmasq/resolv.conf", "/run/resolvconf/resolv.conf",
};

static bool is_loopback(const struct kh_range *address)
{
	return address->family == 4 ? address->first >> 24 == 127 : address->first == 1;
}

int kh_resolvers_parse(const char *text, struct kh_range **ret_resolvers, size_t *ret_count)
{
	struct kh_range *resolvers KH_CLEANUP(kh_freep) = NULL;
	size_t count = 0, capacity = 0;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		static const char keyword[] = "nameserver";
		const char *at = line + strspn(line, " \t");
		struct kh_range address;

		if (strncmp(at, keyword, sizeof(keyword) - 1))
			continue;
		at += sizeof(keyword) - 1;
		if (*at != ' ' && *at != '\t')
			continue;
		at += strspn(at, " \t");
		if (kh_address_parse(at, strcspn(at, " \t\r\n#;%"), &address) < 0 || is_loopback(&address))
			continue;
		if (kh_grow(&resolvers, &capacity, count + 1, sizeof(*resolvers)) < 0)
			return -ENOMEM;
		resolvers[count++] = address;
	}
	*ret_resolvers = KH_TAKE(resolvers);
	*ret_count = count;
	return 0;
}

int kh_read_resolvers(struct kh_links *links)
{
	size_t capacity = 0;

	for (size_t i = 0; i < KH_ARRAY_SIZE(files); i++) {
		char *text KH_CLEANUP(kh_freep) = NULL;
		struct kh_range *found KH_CLEANUP(kh_freep) = NULL;
		size_t length, count = 0;

		if (kh_file_read(files[i], 65536, &text, &length) < 0)
			continue;
		if (kh_resolvers_parse(text, &found, &count) < 0 ||
		    kh_grow(&links->resolvers, &capacity, links->resolvers_count + count, sizeof(*found)) < 0)
			return -ENOMEM;
		if (count)
			memcpy(links->resolvers + links->resolvers_count, found, count * sizeof(*found));
		links->resolvers_count += count;
	}
	return 0;
}
