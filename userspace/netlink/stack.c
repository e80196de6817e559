// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which device stands on which: pure questions to a snapshot.
 */
#include "netlink/links.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <string.h>

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

/* The kinds whose frames pass through the device below as they are, at most with a tag before them. */
static bool is_carried(const struct kh_link *link)
{
	static const char *const kinds[] = { "vlan", "macvlan", "macvtap", "ipvlan" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(kinds); i++)
		if (!strcmp(link->kind, kinds[i]))
			return true;
	return link->type == ARPHRD_PPP;
}

static const struct kh_link *below(const struct kh_links *links, const struct kh_link *link)
{
	return is_carried(link) ? kh_link_by_index(links, link->parent) : NULL;
}

int kh_link_carrier(const struct kh_links *links, const struct kh_link *link, const struct kh_link **ret_carrier,
		    struct kh_error *error)
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
		const struct kh_link *next =
			&links->links[i]; /* directly above: a VLAN or ppp over it, its bridge or bond */

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
