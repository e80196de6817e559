// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The snapshot, by libnl-route. What cannot be read (no WireGuard, no resolv.conf) is empty, not an error.
 */
#include "netlink/links.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "netlink/private.h"

struct growing {
	struct kh_links *links;
	size_t links_capacity, addresses_capacity, routes_capacity, neighbours_capacity;
	int code;
};

/* False, and *ret_range as it was, when there is no address of a family we know. */
static bool range_of(struct nl_addr *address, struct kh_range *ret_range)
{
	uint8_t family;

	if (!address || (nl_addr_get_family(address) != AF_INET && nl_addr_get_family(address) != AF_INET6))
		return false;
	family = nl_addr_get_family(address) == AF_INET ? 4 : 6;
	if (nl_addr_get_len(address) != (family == 4 ? 4u : 16u))
		return false;
	*ret_range = kh_range_from_bytes(nl_addr_get_binary_addr(address), family);
	return true;
}

static bool reads_one(const char *family, const char *name)
{
	char path[128], *text KH_CLEANUP(kh_freep) = NULL;
	size_t length;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/forwarding", family, name);
	return !kh_file_read(path, 64, &text, &length) && text[0] == '1';
}

static void on_link(struct nl_object *object, void *context)
{
	struct growing *growing = context;
	struct rtnl_link *from = (struct rtnl_link *)object;
	struct nl_addr *mac = rtnl_link_get_addr(from);
	const char *kind = rtnl_link_get_type(from);
	struct kh_link *link;

	growing->code = growing->code < 0 ? growing->code
					  : kh_grow(&growing->links->links, &growing->links_capacity,
						    growing->links->links_count + 1, sizeof(*link));
	if (growing->code < 0)
		return;
	link = &growing->links->links[growing->links->links_count++];
	memset(link, 0, sizeof(*link));
	link->ifindex = (uint32_t)rtnl_link_get_ifindex(from);
	snprintf(link->name, sizeof(link->name), "%s", rtnl_link_get_name(from));
	snprintf(link->kind, sizeof(link->kind), "%s", kind ? kind : "");
	link->type = (uint16_t)rtnl_link_get_arptype(from);
	if (mac && nl_addr_get_len(mac) == sizeof(link->mac))
		memcpy(link->mac, nl_addr_get_binary_addr(mac), sizeof(link->mac));
	/* A veth's IFLA_LINK is its peer, which is beside it and not below it; one in another namespace says nothing here. */
	if (strcmp(link->kind, "veth") && rtnl_link_get_link_netnsid(from, &(int32_t){ 0 }) < 0)
		link->parent = (uint32_t)rtnl_link_get_link(from);
	link->master = (uint32_t)rtnl_link_get_master(from);
	link->mtu = rtnl_link_get_mtu(from);
	link->up = rtnl_link_get_flags(from) & IFF_UP;
	link->running = rtnl_link_get_flags(from) & IFF_RUNNING;
	link->forwards_v4 = reads_one("ipv4", link->name);
	link->forwards_v6 = reads_one("ipv6", link->name);
}

static void on_address(struct nl_object *object, void *context)
{
	struct growing *growing = context;
	struct rtnl_addr *from = (struct rtnl_addr *)object;
	struct kh_link_address entry = { .ifindex = (uint32_t)rtnl_addr_get_ifindex(from) };

	if (growing->code < 0 || !range_of(rtnl_addr_get_local(from), &entry.address))
		return;
	range_of(rtnl_addr_get_peer(from), &entry.peer);
	entry.subnet = kh_range_of_prefix(entry.peer.family ? entry.peer.first : entry.address.first,
					  (uint8_t)rtnl_addr_get_prefixlen(from), entry.address.family);
	growing->code = kh_grow(&growing->links->addresses, &growing->addresses_capacity,
				growing->links->addresses_count + 1, sizeof(entry));
	if (growing->code >= 0)
		growing->links->addresses[growing->links->addresses_count++] = entry;
}

struct hops {
	struct growing *growing;
	struct kh_link_route route;
};

static void on_hop(struct rtnl_nexthop *hop, void *context)
{
	struct hops *hops = context;
	struct growing *growing = hops->growing;
	struct kh_link_route entry = hops->route;

	entry.ifindex = (uint32_t)rtnl_route_nh_get_ifindex(hop);
	if (!range_of(rtnl_route_nh_get_gateway(hop), &entry.gateway))
		range_of(rtnl_route_nh_get_via(hop), &entry.gateway); /* IPv4 by an IPv6 gateway */
	growing->code = growing->code < 0 ? growing->code
					  : kh_grow(&growing->links->routes, &growing->routes_capacity,
						    growing->links->routes_count + 1, sizeof(entry));
	if (growing->code >= 0)
		growing->links->routes[growing->links->routes_count++] = entry;
}

static void on_route(struct nl_object *object, void *context)
{
	struct rtnl_route *from = (struct rtnl_route *)object;
	struct nl_addr *destination = rtnl_route_get_dst(from);
	struct hops hops = { .growing = context };
	uint8_t family, bits;

	if (rtnl_route_get_table(from) != RT_TABLE_MAIN || rtnl_route_get_type(from) != RTN_UNICAST || !destination)
		return;
	if (nl_addr_get_family(destination) != AF_INET && nl_addr_get_family(destination) != AF_INET6)
		return;
	family = nl_addr_get_family(destination) == AF_INET ? 4 : 6;
	bits = (uint8_t)nl_addr_get_prefixlen(destination);
	if (!range_of(destination, &hops.route.destination))
		hops.route.destination =
			(struct kh_range){ .family = family }; /* libnl gives a default route an empty address */
	hops.route.destination = kh_range_of_prefix(hops.route.destination.first, bits, family);
	hops.route.is_default = bits == 0;
	rtnl_route_foreach_nexthop(from, on_hop, &hops);
}

static void on_neighbour(struct nl_object *object, void *context)
{
	struct growing *growing = context;
	struct rtnl_neigh *from = (struct rtnl_neigh *)object;
	struct nl_addr *mac = rtnl_neigh_get_lladdr(from);
	struct kh_link_neighbour entry = { .ifindex = (uint32_t)rtnl_neigh_get_ifindex(from) };

	if (rtnl_neigh_get_state(from) & NUD_NOARP) /* made up by the kernel: multicast, point-to-point */
		return;
	if (growing->code < 0 || !mac || nl_addr_get_len(mac) != sizeof(entry.mac) ||
	    !range_of(rtnl_neigh_get_dst(from), &entry.address))
		return;
	memcpy(entry.mac, nl_addr_get_binary_addr(mac), sizeof(entry.mac));
	growing->code = kh_grow(&growing->links->neighbours, &growing->neighbours_capacity,
				growing->links->neighbours_count + 1, sizeof(entry));
	if (growing->code >= 0)
		growing->links->neighbours[growing->links->neighbours_count++] = entry;
}

/* libnl has numbers of its own. It asks again by itself when a listing changed meanwhile. */
static int errno_of(int code)
{
	return code == -NLE_NOMEM ? -ENOMEM : code == -NLE_PERM || code == -NLE_NOACCESS ? -EPERM : -EIO;
}

int kh_links_add(struct kh_links *links, enum kh_listing listing, struct nl_cache *cache)
{
	static void (*const callbacks[])(struct nl_object *, void *) = {
		[KH_LISTING_LINKS] = on_link,
		[KH_LISTING_ADDRESSES] = on_address,
		[KH_LISTING_ROUTES] = on_route,
		[KH_LISTING_NEIGHBOURS] = on_neighbour,
	};
	struct growing growing = { .links = links };

	nl_cache_foreach(cache, callbacks[listing], &growing);
	return growing.code;
}

/* Takes a listing and frees it; `code` is what allocating it said. */
static int take(struct kh_links *links, enum kh_listing listing, struct nl_cache *cache, int code)
{
	if (code < 0)
		return errno_of(code);
	code = kh_links_add(links, listing, cache);
	nl_cache_free(cache);
	return code;
}

static int read_all(struct nl_sock *socket, struct kh_links *links)
{
	struct nl_cache *cache = NULL;
	int code = rtnl_link_alloc_cache(socket, AF_UNSPEC, &cache);

	code = take(links, KH_LISTING_LINKS, cache, code);
	if (code < 0)
		return code;
	code = rtnl_addr_alloc_cache(socket, &cache);
	code = take(links, KH_LISTING_ADDRESSES, cache, code);
	if (code < 0)
		return code;
	code = rtnl_route_alloc_cache(socket, AF_UNSPEC, 0, &cache);
	code = take(links, KH_LISTING_ROUTES, cache, code);
	if (code < 0)
		return code;
	code = rtnl_neigh_alloc_cache(socket, &cache);
	return take(links, KH_LISTING_NEIGHBOURS, cache, code);
}

int kh_links_read(struct kh_links **ret_links, struct kh_error *error)
{
	struct kh_links *links = calloc(1, sizeof(*links));
	struct nl_sock *socket = nl_socket_alloc();
	int code = -ENOMEM;

	if (links && socket) {
		code = nl_connect(socket, NETLINK_ROUTE);
		code = code < 0 ? errno_of(code) : read_all(socket, links);
	}
	nl_socket_free(socket);
	if (code >= 0)
		kh_read_pppoe(links);
	if (code >= 0)
		code = kh_read_endpoints(links);
	if (code >= 0)
		code = kh_read_resolvers(links);
	if (code < 0) {
		kh_links_free(links);
		return kh_fail(error, code, _("cannot read the interfaces from the kernel: %s"), strerror(-code));
	}
	*ret_links = links;
	return 0;
}

void kh_links_free(struct kh_links *links)
{
	if (!links)
		return;
	free(links->links);
	free(links->addresses);
	free(links->routes);
	free(links->neighbours);
	free(links->endpoints);
	free(links->resolvers);
	free(links);
}
