/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a snapshot that do not come from rtnetlink, and the reading of one connection.
 */
#ifndef KHIEN_NETLINK_PRIVATE_H
#define KHIEN_NETLINK_PRIVATE_H

#include "netlink/conntrack.h"
#include "netlink/links.h"

struct nl_cache;
struct nlattr;
struct nlmsghdr;

/* links.c: each object of a listing, which libnl made of the kernel's answer, is added to what is empty of that kind. 0 or -ENOMEM. */
enum kh_listing {
	KH_LISTING_LINKS,
	KH_LISTING_ADDRESSES,
	KH_LISTING_ROUTES,
	KH_LISTING_NEIGHBOURS,
};
int kh_links_add(struct kh_links *links, enum kh_listing listing, struct nl_cache *cache);

int kh_read_endpoints(struct kh_links *links); /* wireguard.c: by generic netlink; 0 or -ENOMEM */
/* The endpoints in one WG_CMD_GET_DEVICE answer are added. 0 or -ENOMEM. */
int kh_endpoints_add(struct kh_links *links, size_t *capacity, const struct nlattr *attributes, int length);
void kh_read_pppoe(struct kh_links *links); /* pppoe.c: after the interfaces */
/* Gives ppp interfaces their parent from the text of /proc/net/pppoe, where that is certain. */
void kh_pppoe_carry(struct kh_links *links, const char *text);
int kh_read_resolvers(struct kh_links *links); /* resolvers.c: 0 or -ENOMEM */
/* flow.c: one message of ctnetlink, of `length` bytes at most, aligned as netlink does. 0; -EBADMSG: it is no entry, or not a whole one. */
int kh_flow_parse(const struct nlmsghdr *header, size_t length, int64_t now, struct kh_flow *ret_flow);

#endif
