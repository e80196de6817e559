// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which device stands on which: pure questions to a snapshot. Only a ppp interface's carrier has to be asked elsewhere, since
 * netlink does not tell it: the kernel lists PPPoE sessions in /proc/net/pppoe (Id, Address, Device).
 */
#include "netlink/links.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"

#define STACK_DEPTH 8

const struct kh_link *kh_link_by_name(const struct kh_links *links, const char *name)
{
	for (size_t i = 0; i < links->links_count; i++)
		if (!strcmp(links->links[i].name, name))
			return &links->links[i];
	return NULL;
}

const struct kh_link *kh_link_by_index(const struct kh_links *links, uint32_t ifindex)
{
	for (size_t i = 0; i < links->links_count && ifindex; i++)
		if (links->links[i].ifindex == ifindex)
			return &links->links[i];
	return NULL;
}

bool kh_link_is_ethernet(const struct kh_link *link)
{
	return link->type == ARPHRD_ETHER;
}

/* The device of the only PPPoE session. With several sessions the kernel does not say which interface is whose. */
static const struct kh_link *pppoe_device(const struct kh_links *links)
{
	char *text KH_CLEANUP(kh_freep) = NULL, *line, *next;
	const struct kh_link *found = NULL;
	size_t length;

	if (kh_file_read("/proc/net/pppoe", 65536, &text, &length) < 0)
		return NULL;
	for (line = text; line && *line; line = next) {
		char id[32], address[32], device[IF_NAMESIZE];
		const struct kh_link *link;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (sscanf(line, "%31s %31s %15s", id, address, device) != 3)
			continue;
		link = kh_link_by_name(links, device);
		if (!link)
			continue;
		if (found && found != link)
			return NULL;
		found = link;
	}
	return found;
}

static const struct kh_link *below(const struct kh_links *links, const struct kh_link *link)
{
	if (link->type == ARPHRD_PPP) /* netlink leaves its parent at 0; a snapshot made by hand may name one */
		return link->parent ? kh_link_by_index(links, link->parent) : pppoe_device(links);
	if (!strcmp(link->kind, "vlan") || !strcmp(link->kind, "macvlan"))
		return kh_link_by_index(links, link->parent);
	return NULL;
}

int kh_link_carrier(const struct kh_links *links, const struct kh_link *link, const struct kh_link **ret_carrier, struct kh_error *error)
{
	for (int depth = 0; depth < STACK_DEPTH; depth++) {
		const struct kh_link *next = below(links, link);

		if (!next && link->type == ARPHRD_PPP) {
			kh_fail(error, -ENOENT, _("%s: cannot tell which Ethernet device carries it"), link->name);
			kh_hint(error, _("write that device in [gateway], for example wan = eth0"));
			return -ENOENT;
		}
		if (!next)
			break;
		link = next;
	}
	*ret_carrier = link;
	return 0;
}

/* Depth bounds what a broken snapshot could turn into a circle. */
static bool stands_on(const struct kh_links *links, const struct kh_link *upper, const struct kh_link *lower, int depth)
{
	for (size_t i = 0; i < links->links_count && depth > 0; i++) {
		const struct kh_link *next = &links->links[i]; /* directly above: a VLAN or ppp over it, its bridge or bond */

		if ((lower->master && next->ifindex == lower->master) || below(links, next) == lower)
			if (next == upper || stands_on(links, upper, next, depth - 1))
				return true;
	}
	return false;
}

bool kh_link_is_above(const struct kh_links *links, const struct kh_link *upper, const struct kh_link *lower)
{
	return upper != lower && stands_on(links, upper, lower, STACK_DEPTH);
}
