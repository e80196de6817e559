/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine looks like to the kernel: interfaces, addresses, routes, neighbours, WireGuard endpoints; as one snapshot
 * of plain data, and a descriptor that tells when it is out of date. Reads only; knows nothing of roles or rules.
 */
#ifndef KHIEN_NETLINK_LINKS_H
#define KHIEN_NETLINK_LINKS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/error.h"

struct kh_link {
	uint32_t ifindex;
	char name[IF_NAMESIZE];
	char kind[16]; /* IFLA_INFO_KIND: "vlan" "bridge" "ppp" "wireguard" "tun" "veth" "bond"; "" for real devices */
	uint16_t type; /* ARPHRD_*: 1 ARPHRD_ETHER, 512 ARPHRD_PPP, 65534 ARPHRD_NONE, 772 ARPHRD_LOOPBACK */
	uint8_t mac[6];
	uint32_t
		parent; /* ifindex of the device below (IFLA_LINK; ppp: of its PPPoE session) in this namespace; 0: none */
	uint32_t master; /* ifindex of the bridge or bond it is a port of; 0: none */
	uint32_t mtu; /* bytes */
	bool up; /* IFF_UP */
	bool running; /* IFF_RUNNING */
	bool forwards_v4, forwards_v6; /* net.ipv{4,6}.conf.NAME.forwarding */
};

struct kh_link_address {
	uint32_t ifindex;
	struct kh_range address; /* one address */
	struct kh_range subnet; /* of its prefix; for a point-to-point link the peer's */
	struct kh_range peer; /* family 0: none */
};

struct kh_link_route {
	uint32_t ifindex; /* it leaves by */
	struct kh_range destination; /* the whole family: a default route */
	struct kh_range gateway; /* family 0: on the link itself */
	bool is_default;
};

struct kh_link_neighbour {
	uint32_t ifindex;
	struct kh_range address;
	uint8_t mac[6];
};

/* main table and local addresses only. All arrays are owned by the snapshot. */
struct kh_links {
	struct kh_link *links;
	size_t links_count;
	struct kh_link_address *addresses;
	size_t addresses_count;
	struct kh_link_route *routes;
	size_t routes_count;
	struct kh_link_neighbour *neighbours;
	size_t neighbours_count;
	struct kh_range *endpoints; /* of WireGuard peers */
	size_t endpoints_count;
	struct kh_range *resolvers; /* in use, without loopback stubs */
	size_t resolvers_count;
};

/* Reads everything of the current network namespace. 0 or -errno with error. */
int kh_links_read(struct kh_links **ret_links, struct kh_error *error);
void kh_links_free(struct kh_links *links); /* takes NULL */

const struct kh_link *kh_link_by_name(const struct kh_links *links, const char *name); /* NULL: none */
const struct kh_link *kh_link_by_index(const struct kh_links *links, uint32_t ifindex);

/* Does it carry Ethernet frames that XDP can parse? (ARPHRD_ETHER) */
bool kh_link_is_ethernet(const struct kh_link *link);

/* The device to attach to for `link`: a VLAN's or ppp interface's Ethernet parent, followed to the bottom; else the link itself.
 * 0, or -ENOENT with error when what carries a ppp interface cannot be found out (and what to write instead). */
int kh_link_carrier(const struct kh_links *links, const struct kh_link *link, const struct kh_link **ret_carrier,
		    struct kh_error *error);

/* Is `upper` stacked on `lower` (VLAN, ppp over it, bridge or bond above its port), at any depth? */
bool kh_link_is_above(const struct kh_links *links, const struct kh_link *upper, const struct kh_link *lower);

/* Name servers of a resolv.conf text, loopback left out. *ret_resolvers is malloc'ed. 0 or -ENOMEM. */
int kh_resolvers_parse(const char *text, struct kh_range **ret_resolvers, size_t *ret_count);

/* Changes of links, addresses and routes, IPv4 and IPv6; and of what is attached at tc. The kernel tells of the latter only where it is a filter of a
 * queueing discipline (RTNLGRP_TC); it tells of an XDP program that is put on or taken off by netlink with the link (IFLA_XDP), and tells nobody of
 * a bpf_link that is detached. Bits. */
enum kh_links_change {
	KH_LINKS_NOTHING = 0,
	KH_LINKS_CHANGED = 1, /* read the snapshot anew; also when messages were lost */
	KH_LINKS_FILTERS = 2, /* a filter, or the discipline that holds filters, went or was made */
};
struct kh_links_monitor;
int kh_links_monitor_open(struct kh_links_monitor **ret_monitor, struct kh_error *error);
void kh_links_monitor_close(struct kh_links_monitor *monitor); /* takes NULL */
int kh_links_monitor_fd(const struct kh_links_monitor *monitor);
/* Reads what is there: enum kh_links_change, ored. Lost messages (ENOBUFS) count as both. */
unsigned int kh_links_monitor_drain(struct kh_links_monitor *monitor);

#endif
