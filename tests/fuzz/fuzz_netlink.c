// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: what the kernel answers, as bytes. The first one chooses who reads the rest: a connection of ctnetlink, the attributes of a WireGuard
 * device, messages of rtnetlink (each after its length in a byte), or one of the texts in /proc and /etc. What is taken holds together.
 */
#include <assert.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <netlink/cache.h>
#include <netlink/msg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "netlink/connections.h"
#include "netlink/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_range(const struct kh_range *range)
{
	assert(range->family == 4 || range->family == 6);
	assert(range->first <= range->last && range->last <= kh_address_max(range->family));
}

static void check_address(const struct kh_range *range)
{
	check_range(range);
	assert(range->first == range->last);
}

static struct nlmsghdr *message_of(const uint8_t *data, size_t size, uint16_t type)
{
	struct nlmsghdr *header = malloc(NLMSG_HDRLEN + size);

	assert(header);
	*header = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size), .nlmsg_type = type };
	memcpy(NLMSG_DATA(header), data, size);
	return header;
}

static void read_flow(const uint8_t *data, size_t size)
{
	struct nlmsghdr *header KH_CLEANUP(kh_freep) =
		message_of(data, size, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW);
	struct kh_flow flow = { .seconds = -2 };

	if (kh_flow_parse(header, header->nlmsg_len, 1700000000, &flow) < 0) {
		assert(flow.seconds == -2);
		return;
	}
	check_address(&flow.original.source);
	check_address(&flow.original.destination);
	check_address(&flow.reply.source);
	check_address(&flow.reply.destination);
	assert(flow.original.source.family == flow.reply.destination.family);
	assert(flow.key.length <= KH_FLOW_KEY_BYTES && flow.key.id);
	assert(flow.bytes >= -1 && flow.seconds >= -1);
}

/* The same with a header that says anything. */
static void read_header(const uint8_t *data, size_t size)
{
	struct nlmsghdr *header KH_CLEANUP(kh_freep) = malloc(size ? size : 1);
	struct kh_flow flow;

	assert(header);
	memcpy(header, data, size);
	kh_flow_parse(header, size, 1700000000, &flow);
}

static void read_endpoints(const uint8_t *data, size_t size)
{
	struct nlattr *attributes KH_CLEANUP(kh_freep) = malloc(size ? size : 1);
	struct kh_links *links = calloc(1, sizeof(*links));
	size_t capacity = 0;

	assert(attributes && links);
	memcpy(attributes, data, size);
	assert(kh_endpoints_add(links, &capacity, attributes, (int)size) == 0);
	for (size_t i = 0; i < links->endpoints_count; i++)
		check_address(&links->endpoints[i]);
	kh_links_free(links);
}

static void check_links(const struct kh_links *links)
{
	for (size_t i = 0; i < links->links_count; i++)
		assert(memchr(links->links[i].name, '\0', IF_NAMESIZE));
	for (size_t i = 0; i < links->addresses_count; i++) {
		check_address(&links->addresses[i].address);
		check_range(&links->addresses[i].subnet);
	}
	for (size_t i = 0; i < links->routes_count; i++) {
		check_range(&links->routes[i].destination);
		if (links->routes[i].gateway.family)
			check_address(&links->routes[i].gateway);
	}
	for (size_t i = 0; i < links->neighbours_count; i++)
		check_address(&links->neighbours[i].address);
}

/* libnl 3.7 (rtnl_route_parse) never comes back from a next hop that says it has no length. The kernel writes none. */
static bool hangs_the_library(const struct nlmsghdr *header)
{
	const struct nlattr *hops =
		nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)header, sizeof(struct rtmsg), RTA_MULTIPATH);
	const uint8_t *at = hops ? nla_data(hops) : NULL;

	for (int left = hops ? nla_len(hops) : 0; left >= (int)sizeof(struct rtnexthop);) {
		uint16_t length;

		memcpy(&length, at, sizeof(length));
		if (length < sizeof(struct rtnexthop))
			return true;
		left -= (int)RTNH_ALIGN(length);
		at += RTNH_ALIGN(length);
	}
	return false;
}

static void read_listing(const uint8_t *data, size_t size, enum kh_listing listing)
{
	static const struct {
		const char *name;
		uint16_t type;
	} kinds[] = { [KH_LISTING_LINKS] = { "route/link", RTM_NEWLINK },
		      [KH_LISTING_ADDRESSES] = { "route/addr", RTM_NEWADDR },
		      [KH_LISTING_ROUTES] = { "route/route", RTM_NEWROUTE },
		      [KH_LISTING_NEIGHBOURS] = { "route/neigh", RTM_NEWNEIGH } };
	struct kh_links *links = calloc(1, sizeof(*links));
	struct nl_cache *cache = NULL;

	assert(links && nl_cache_alloc_name(kinds[listing].name, &cache) == 0);
	while (size > 1) {
		size_t length = data[0] < size - 1 ? data[0] : size - 1;
		struct nlmsghdr *header KH_CLEANUP(kh_freep) = message_of(data + 1, length, kinds[listing].type);
		struct nl_msg *message = nlmsg_convert(header);

		data += length + 1;
		size -= length + 1;
		assert(message);
		nlmsg_set_proto(message, NETLINK_ROUTE);
		if (listing != KH_LISTING_ROUTES || !hangs_the_library(header))
			nl_cache_parse_and_add(cache, message);
		nlmsg_free(message);
	}
	assert(kh_links_add(links, listing, cache) == 0);
	check_links(links);
	nl_cache_free(cache);
	kh_links_free(links);
}

static void read_texts(const char *text)
{
	struct kh_link all[] = { { .ifindex = 2, .name = "eth0", .type = 1 },
				 { .ifindex = 3, .name = "ppp0", .type = 512 } };
	struct kh_links links = { .links = all, .links_count = KH_ARRAY_SIZE(all) };
	struct kh_range *resolvers KH_CLEANUP(kh_freep) = NULL;
	struct kh_connection connection, again;
	char formatted[KH_CONNECTION_TEXT];
	size_t count;

	kh_pppoe_carry(&links, text);
	assert(all[1].parent == 0 || all[1].parent == 2);
	assert(kh_resolvers_parse(text, &resolvers, &count) == 0);
	for (size_t i = 0; i < count; i++)
		check_address(&resolvers[i]);
	if (kh_connection_read(text, &connection) == 1) {
		check_address(&connection.peer);
		check_address(&connection.local);
	}
	if (kh_connection_parse(text, &connection) == 0) {
		assert(kh_connection_parse(kh_connection_format(&connection, formatted), &again) == 0);
		assert(kh_connection_same(&connection, &again));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text KH_CLEANUP(kh_freep) = NULL;

	if (!size)
		return 0;
	switch (data[0] & 7) {
	case 0:
		read_flow(data + 1, size - 1);
		break;
	case 1:
		read_header(data + 1, size - 1);
		break;
	case 2:
		read_endpoints(data + 1, size - 1);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		read_listing(data + 1, size - 1, (enum kh_listing)((data[0] & 7) - 3));
		break;
	default:
		text = strndup((const char *)data + 1, size - 1);
		assert(text);
		read_texts(text);
	}
	return 0;
}
