// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tells that links, addresses, routes or filters changed. What changed is not kept: the snapshot is cheap, and lost messages
 * (ENOBUFS) are then no special case.
 */
#include "netlink/links.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/lang.h"
#include "common/util.h"

struct kh_links_monitor {
	struct nl_sock *socket;
};

int kh_links_monitor_open(struct kh_links_monitor **ret_monitor, struct kh_error *error)
{
	struct kh_links_monitor *monitor = calloc(1, sizeof(*monitor));

	if (monitor)
		monitor->socket = nl_socket_alloc();
	if (!monitor || !monitor->socket) {
		free(monitor);
		return kh_fail(error, -ENOMEM, _("out of memory"));
	}
	nl_socket_disable_seq_check(monitor->socket);
	if (nl_connect(monitor->socket, NETLINK_ROUTE) < 0 || nl_socket_set_nonblocking(monitor->socket) < 0 ||
	    nl_socket_add_memberships(monitor->socket, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_TC, 0) < 0) {
		kh_links_monitor_close(monitor);
		return kh_fail(error, -EIO, _("cannot listen for changes of the interfaces"));
	}
	*ret_monitor = monitor;
	return 0;
}

void kh_links_monitor_close(struct kh_links_monitor *monitor)
{
	if (!monitor)
		return;
	nl_socket_free(monitor->socket);
	free(monitor);
}

int kh_links_monitor_fd(const struct kh_links_monitor *monitor)
{
	return nl_socket_get_fd(monitor->socket);
}

/* What one datagram tells of. Classes and chains of others are none of our business, nor are filters that are added. */
static unsigned int changes_in(void *data, int length)
{
	unsigned int changes = KH_LINKS_NOTHING;

	for (struct nlmsghdr *message = data; nlmsg_ok(message, length); message = nlmsg_next(message, &length)) {
		switch (message->nlmsg_type) {
		case RTM_DELTFILTER:
		case RTM_DELQDISC:
		case RTM_NEWQDISC:
			changes |= KH_LINKS_FILTERS;
			break;
		case RTM_NEWTFILTER:
		case RTM_NEWTCLASS:
		case RTM_DELTCLASS:
		case RTM_NEWCHAIN:
		case RTM_DELCHAIN:
			break;
		default:
			changes |= KH_LINKS_CHANGED;
		}
	}
	return changes;
}

unsigned int kh_links_monitor_drain(struct kh_links_monitor *monitor)
{
	unsigned int changes = KH_LINKS_NOTHING;
	_Alignas(struct nlmsghdr) char buffer[16384];

	for (;;) {
		ssize_t got = recv(nl_socket_get_fd(monitor->socket), buffer, sizeof(buffer), MSG_DONTWAIT);

		if (got > 0)
			changes |= changes_in(buffer, (int)got);
		else if (got < 0 && errno == ENOBUFS)
			changes |= KH_LINKS_CHANGED | KH_LINKS_FILTERS;
		else if (!(got < 0 && errno == EINTR))
			return changes;
	}
}
