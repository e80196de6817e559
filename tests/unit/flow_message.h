/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections as ctnetlink writes them, for the tests that read such messages and for those that give them to the kernel.
 */
#ifndef KHIEN_TESTS_FLOW_MESSAGE_H
#define KHIEN_TESTS_FLOW_MESSAGE_H

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>

struct flow_side {
	const char *source, *destination;
	uint16_t source_port, destination_port;
};

static inline struct nlmsghdr *flow_begin(void *buffer, uint16_t flags, uint32_t sequence, uint8_t family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *message;

	header->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	header->nlmsg_flags = flags;
	header->nlmsg_seq = sequence;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->nfgen_family = family;
	return header;
}

static inline void flow_put_side(struct nlmsghdr *header, uint16_t type, const struct flow_side *side, uint8_t protocol)
{
	struct nlattr *tuple = mnl_attr_nest_start(header, type), *nest = mnl_attr_nest_start(header, CTA_TUPLE_IP);
	int family = strchr(side->source, ':') ? AF_INET6 : AF_INET;
	size_t size = family == AF_INET ? 4 : 16;
	uint8_t bytes[16];

	inet_pton(family, side->source, bytes);
	mnl_attr_put(header, family == AF_INET ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, size, bytes);
	inet_pton(family, side->destination, bytes);
	mnl_attr_put(header, family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST, size, bytes);
	mnl_attr_nest_end(header, nest);
	nest = mnl_attr_nest_start(header, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(header, CTA_PROTO_NUM, protocol);
	mnl_attr_put_u16(header, CTA_PROTO_SRC_PORT, htons(side->source_port));
	mnl_attr_put_u16(header, CTA_PROTO_DST_PORT, htons(side->destination_port));
	mnl_attr_nest_end(header, nest);
	mnl_attr_nest_end(header, tuple);
}

static inline void flow_put_number(struct nlmsghdr *header, uint16_t nest_type, uint16_t type, uint64_t value)
{
	struct nlattr *nest = mnl_attr_nest_start(header, nest_type);

	mnl_attr_put_u64(header, type, htobe64(value));
	mnl_attr_nest_end(header, nest);
}

#endif
