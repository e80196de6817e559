// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads a named counter of nftables by netlink. nft(8) itself would list a set of a million elements first.
 */
#include "nft.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "bench.h"

static int find_packets(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == NFTA_COUNTER_PACKETS)
		*(uint64_t *)data = be64toh(mnl_attr_get_u64(attribute));
	return MNL_CB_OK;
}

static int find_data(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == NFTA_OBJ_DATA)
		mnl_attr_parse_nested(attribute, find_packets, data);
	return MNL_CB_OK;
}

static int on_object(const struct nlmsghdr *header, void *data)
{
	mnl_attr_parse(header, sizeof(struct nfgenmsg), find_data, data);
	return MNL_CB_OK;
}

uint64_t bench_nft_counter(const char *table, const char *name)
{
	char buffer[4096] __attribute__((aligned(8)));
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	uint64_t packets = UINT64_MAX;
	struct nfgenmsg *message;
	ssize_t length;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		bench_die("no netlink: %s", strerror(errno));
	header->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETOBJ;
	header->nlmsg_flags = NLM_F_REQUEST;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->nfgen_family = NFPROTO_NETDEV;
	mnl_attr_put_strz(header, NFTA_OBJ_TABLE, table);
	mnl_attr_put_strz(header, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(header, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		bench_die("no netlink: %s", strerror(errno));
	length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (length > 0)
		mnl_cb_run(buffer, (size_t)length, 0, 0, on_object, &packets);
	mnl_socket_close(socket);
	if (packets == UINT64_MAX)
		bench_die("nftables has no counter %s", name);
	return packets;
}
