/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a snapshot that do not come from rtnetlink.
 */
#ifndef KHIEN_NETLINK_PRIVATE_H
#define KHIEN_NETLINK_PRIVATE_H

#include "netlink/links.h"

int kh_read_endpoints(struct kh_links *links); /* wireguard.c: by generic netlink; 0 or -ENOMEM */
int kh_read_resolvers(struct kh_links *links); /* resolvers.c: 0 or -ENOMEM */

#endif
