// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Endpoints of WireGuard peers (linux/wireguard.h, generic netlink "wireguard", Linux 5.6). Without the module there are none.
 */
#include "netlink/private.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <string.h>

#include "common/util.h"

struct collect {
	struct kh_links *links;
	size_t capacity;
	int code;
};

static int add_endpoint(struct kh_links *links, size_t *capacity, const struct nlattr *attribute)
{
	const struct sockaddr *address = nla_data(attribute);
	struct kh_range endpoint;

	if (nla_len(attribute) >= (int)sizeof(struct sockaddr_in) && address->sa_family == AF_INET)
		endpoint = kh_range_from_bytes(&((const struct sockaddr_in *)nla_data(attribute))->sin_addr, 4);
	else if (nla_len(attribute) >= (int)sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6)
		endpoint = kh_range_from_bytes(&((const struct sockaddr_in6 *)nla_data(attribute))->sin6_addr, 6);
	else
		return 0;
	if (kh_grow(&links->endpoints, capacity, links->endpoints_count + 1, sizeof(endpoint)) < 0)
		return -ENOMEM;
	links->endpoints[links->endpoints_count++] = endpoint;
	return 0;
}

int kh_endpoints_add(struct kh_links *links, size_t *capacity, const struct nlattr *attributes, int length)
{
	const struct nlattr *peers = nla_find(attributes, length, WGDEVICE_A_PEERS);
	struct nlattr *peer;
	int left, code = 0;

	if (!peers)
		return 0;
	nla_for_each_nested(peer, peers, left)
	{
		const struct nlattr *endpoint = nla_find(nla_data(peer), nla_len(peer), WGPEER_A_ENDPOINT);

		if (endpoint && code >= 0)
			code = add_endpoint(links, capacity, endpoint);
	}
	return code;
}

static int on_device(struct nl_msg *message, void *context)
{
	struct genlmsghdr *header = genlmsg_hdr(nlmsg_hdr(message));
	struct collect *collect = context;

	if (collect->code >= 0)
		collect->code = kh_endpoints_add(collect->links, &collect->capacity, genlmsg_attrdata(header, 0),
						 genlmsg_attrlen(header, 0));
	return NL_OK;
}

/* Peers may change while they are listed; the answer is then asked for again. One endpoint twice does no harm. */
static void read_device(struct nl_sock *socket, int family, uint32_t ifindex)
{
	int code = -NLE_DUMP_INTR;

	for (int attempt = 0; attempt < 3 && code == -NLE_DUMP_INTR; attempt++) {
		struct nl_msg *message = nlmsg_alloc();

		if (!message)
			return;
		code = -NLE_NOMEM;
		if (genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_DUMP, WG_CMD_GET_DEVICE,
				WG_GENL_VERSION) &&
		    !nla_put_u32(message, WGDEVICE_A_IFINDEX, ifindex) && nl_send_auto(socket, message) >= 0)
			code = nl_recvmsgs_default(socket);
		nlmsg_free(message);
	}
}

int kh_read_endpoints(struct kh_links *links)
{
	struct collect collect = { .links = links };
	struct nl_sock *socket;
	int family;
	bool any = false;

	for (size_t i = 0; i < links->links_count; i++)
		any = any || !strcmp(links->links[i].kind, "wireguard");
	if (!any)
		return 0;
	socket = nl_socket_alloc();
	if (!socket)
		return -ENOMEM;
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_device, &collect);
	if (!genl_connect(socket)) {
		family = genl_ctrl_resolve(socket, WG_GENL_NAME);
		for (size_t i = 0; i < links->links_count && family >= 0; i++)
			if (!strcmp(links->links[i].kind, "wireguard"))
				read_device(socket, family, links->links[i].ifindex);
	}
	nl_socket_free(socket);
	return collect.code;
}
