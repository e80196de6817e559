/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP connections that are established on this machine, as the kernel lists them in /proc/net/tcp and /proc/net/tcp6 of the caller's network
 * namespace. IPv4 that an IPv6 socket serves is IPv4 here.
 */
#ifndef KHIEN_NETLINK_CONNECTIONS_H
#define KHIEN_NETLINK_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"

struct kh_connection {
	struct kh_range peer, local; /* one address each */
	uint16_t peer_port, local_port; /* host byte order */
};

#define KH_CONNECTION_TEXT (2 * KH_ADDRESS_TEXT + 16)

/* What sshd tells a session in SSH_CONNECTION: "203.0.113.7 51234 192.0.2.129 22": client, its port, server, its port. A zone id is left out. 0 or -EINVAL. */
int kh_connection_parse(const char *text, struct kh_connection *ret_connection);
/* The reverse, canonical. Returns buffer. */
char *kh_connection_format(const struct kh_connection *connection, char buffer[static KH_CONNECTION_TEXT]);
bool kh_connection_same(const struct kh_connection *a, const struct kh_connection *b);

/* One line of /proc/net/tcp or tcp6. 1; 0: no connection, or not an established one. */
int kh_connection_read(const char *line, struct kh_connection *ret_connection);
/* All that are established. callback returns 0 to go on, non-zero to stop (returned). 0, that, or -errno. */
int kh_connections(int (*callback)(const struct kh_connection *connection, void *context), void *context);

#endif
