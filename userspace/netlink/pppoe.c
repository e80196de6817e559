// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What carries a ppp interface. Netlink does not say; the kernel lists its PPPoE sessions in /proc/net/pppoe (Id, Address,
 * Device), but not which interface is whose. So it is known only when there is nothing to choose.
 */
#include "netlink/private.h"

#include <linux/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/util.h"

/* The device that all sessions share, and how many they are; NULL: none, or several devices. */
static const struct kh_link *common_device(const struct kh_links *links, const char *text, size_t *ret_sessions)
{
	const struct kh_link *found = NULL;

	*ret_sessions = 0;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char row[128], id[32], address[32], device[IF_NAMESIZE];
		const struct kh_link *link;

		snprintf(row, sizeof(row), "%.*s", (int)strcspn(line, "\n"), line);
		if (sscanf(row, "%31s %31s %15s", id, address, device) != 3 || !strchr(address, ':'))
			continue; /* the heading */
		link = kh_link_by_name(links, device);
		if (!link || (found && found != link))
			return NULL;
		found = link;
		(*ret_sessions)++;
	}
	return found;
}

void kh_pppoe_carry(struct kh_links *links, const char *text)
{
	size_t sessions, interfaces = 0;
	const struct kh_link *device = common_device(links, text, &sessions);

	for (size_t i = 0; i < links->links_count; i++)
		interfaces += links->links[i].type == ARPHRD_PPP;
	if (!device || interfaces > sessions) /* one of them is a modem, or not connected */
		return;
	for (size_t i = 0; i < links->links_count; i++)
		if (links->links[i].type == ARPHRD_PPP)
			links->links[i].parent = device->ifindex;
}

void kh_read_pppoe(struct kh_links *links)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	size_t length;

	if (!kh_file_read("/proc/net/pppoe", 1 << 20, &text, &length))
		kh_pppoe_carry(links, text);
}
