// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tells that links, addresses or routes changed. What changed is not kept: the snapshot is cheap, and lost messages
 * (ENOBUFS) are then no special case.
 */
#include "netlink/links.h"

#include <errno.h>
#include <linux/rtnetlink.h>
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
				      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, 0) < 0) {
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

bool kh_links_monitor_drain(struct kh_links_monitor *monitor)
{
	bool changed = false;
	char buffer[16384];

	for (;;) {
		ssize_t got = recv(nl_socket_get_fd(monitor->socket), buffer, sizeof(buffer), MSG_DONTWAIT);

		if (got > 0 || (got < 0 && errno == ENOBUFS))
			changed = true;
		else if (!(got < 0 && errno == EINTR))
			return changed;
	}
}
