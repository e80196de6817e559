// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One message of ctnetlink -> one flow (linux/netfilter/nfnetlink_conntrack.h; numbers in network byte order). No length in it is believed.
 */
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "netlink/private.h"

#define NS_PER_SECOND 1000000000u

/* Bytes from here to the end; the library wants them as an int, and its own loops do not say so. */
static int left(const struct nlattr *attribute, const struct nlattr *nest)
{
	return (int)((const uint8_t *)nest + nest->nla_len - (const uint8_t *)attribute);
}

#define FOR_EACH(attribute, nest)                                                                     \
	for ((attribute) = mnl_attr_get_payload(nest); mnl_attr_ok(attribute, left(attribute, nest)); \
	     (attribute) = mnl_attr_next(attribute))

/* Exactly `size` bytes, or false and *ret_value as it was. */
static bool take(const struct nlattr *attribute, void *ret_value, size_t size)
{
	if (mnl_attr_get_payload_len(attribute) != size)
		return false;
	memcpy(ret_value, mnl_attr_get_payload(attribute), size);
	return true;
}

static uint16_t take_u16(const struct nlattr *attribute)
{
	uint16_t value = 0;

	take(attribute, &value, sizeof(value));
	return be16toh(value);
}

static uint64_t take_u64(const struct nlattr *attribute)
{
	uint64_t value = 0;

	take(attribute, &value, sizeof(value));
	return be64toh(value);
}

static void take_address(const struct nlattr *attribute, uint8_t family, struct kh_range *ret_address)
{
	uint8_t bytes[16];

	if (take(attribute, bytes, family == 4 ? 4 : 16))
		*ret_address = kh_range_from_bytes(bytes, family);
}

static void read_addresses(const struct nlattr *nest, struct kh_flow_tuple *tuple)
{
	const struct nlattr *attribute;

	FOR_EACH(attribute, nest)
	{
		switch (mnl_attr_get_type(attribute)) {
		case CTA_IP_V4_SRC:
			take_address(attribute, 4, &tuple->source);
			break;
		case CTA_IP_V4_DST:
			take_address(attribute, 4, &tuple->destination);
			break;
		case CTA_IP_V6_SRC:
			take_address(attribute, 6, &tuple->source);
			break;
		case CTA_IP_V6_DST:
			take_address(attribute, 6, &tuple->destination);
			break;
		default:
			break;
		}
	}
}

static void read_protocol(const struct nlattr *nest, struct kh_flow_tuple *tuple)
{
	const struct nlattr *attribute;

	FOR_EACH(attribute, nest)
	{
		switch (mnl_attr_get_type(attribute)) {
		case CTA_PROTO_NUM:
			take(attribute, &tuple->protocol, sizeof(tuple->protocol));
			break;
		case CTA_PROTO_SRC_PORT:
			tuple->source_port = take_u16(attribute);
			break;
		case CTA_PROTO_DST_PORT:
			tuple->destination_port = take_u16(attribute);
			break;
		default:
			break;
		}
	}
}

/* 0: both addresses are there, of one family; or -EBADMSG. */
static int read_tuple(const struct nlattr *nest, struct kh_flow_tuple *ret_tuple, uint16_t *zone)
{
	struct kh_flow_tuple tuple = {};
	const struct nlattr *attribute;

	FOR_EACH(attribute, nest)
	{
		switch (mnl_attr_get_type(attribute)) {
		case CTA_TUPLE_IP:
			read_addresses(attribute, &tuple);
			break;
		case CTA_TUPLE_PROTO:
			read_protocol(attribute, &tuple);
			break;
		case CTA_TUPLE_ZONE: /* a zone of this way only (Linux 4.3) */
			*zone = take_u16(attribute);
			break;
		default:
			break;
		}
	}
	if (!tuple.source.family || tuple.source.family != tuple.destination.family)
		return -EBADMSG;
	*ret_tuple = tuple;
	return 0;
}

static int keep_key(const struct nlattr *nest, struct kh_flow_key *key)
{
	key->length = mnl_attr_get_payload_len(nest);
	if (key->length > sizeof(key->tuple))
		return -EBADMSG;
	memcpy(key->tuple, mnl_attr_get_payload(nest), key->length);
	return 0;
}

static void add_bytes(const struct nlattr *nest, int64_t *bytes)
{
	const struct nlattr *attribute;

	FOR_EACH(attribute, nest)
	{
		uint64_t sum = *bytes < 0 ? 0 : (uint64_t)*bytes, more;

		if (mnl_attr_get_type(attribute) != CTA_COUNTERS_BYTES)
			continue;
		more = take_u64(attribute);
		*bytes = more > INT64_MAX - sum ? INT64_MAX : (int64_t)(sum + more);
	}
}

static void read_start(const struct nlattr *nest, int64_t now, int64_t *seconds)
{
	const struct nlattr *attribute;

	FOR_EACH(attribute, nest)
	{
		int64_t start;

		if (mnl_attr_get_type(attribute) != CTA_TIMESTAMP_START)
			continue;
		start = (int64_t)(take_u64(attribute) / NS_PER_SECOND);
		if (start) /* the clock may have been set back since */
			*seconds = start < now ? now - start : 0;
	}
}

static int read_attribute(const struct nlattr *attribute, int64_t now, struct kh_flow *flow)
{
	switch (mnl_attr_get_type(attribute)) {
	case CTA_TUPLE_ORIG:
		return read_tuple(attribute, &flow->original, &flow->zone) < 0 ? -EBADMSG
									       : keep_key(attribute, &flow->key);
	case CTA_TUPLE_REPLY:
		return read_tuple(attribute, &flow->reply, &flow->zone);
	case CTA_ZONE:
		flow->zone = flow->key.zone = take_u16(attribute);
		return 0;
	case CTA_ID:
		take(attribute, &flow->key.id, sizeof(flow->key.id));
		return 0;
	case CTA_COUNTERS_ORIG:
	case CTA_COUNTERS_REPLY:
		add_bytes(attribute, &flow->bytes);
		return 0;
	case CTA_TIMESTAMP:
		read_start(attribute, now, &flow->seconds);
		return 0;
	default:
		return 0;
	}
}

int kh_flow_parse(const struct nlmsghdr *header, size_t length, int64_t now, struct kh_flow *ret_flow)
{
	struct kh_flow flow = { .bytes = -1, .seconds = -1 };
	const struct nlattr *attribute, *end;

	/* the library rounds the end up to four bytes; the kernel's messages end so */
	if (length > INT32_MAX || !mnl_nlmsg_ok(header, (int)length) || header->nlmsg_len % MNL_ALIGNTO ||
	    mnl_nlmsg_get_payload_len(header) < sizeof(struct nfgenmsg) ||
	    header->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
		return -EBADMSG;
	flow.key.family = ((const struct nfgenmsg *)mnl_nlmsg_get_payload(header))->nfgen_family;
	end = mnl_nlmsg_get_payload_tail(header);
	for (attribute = mnl_nlmsg_get_payload_offset(header, sizeof(struct nfgenmsg));
	     mnl_attr_ok(attribute, (int)((const uint8_t *)end - (const uint8_t *)attribute));
	     attribute = mnl_attr_next(attribute))
		if (read_attribute(attribute, now, &flow) < 0)
			return -EBADMSG;
	/* Without an id a later connection with the same addresses and ports could be meant. */
	if (!flow.original.source.family || flow.original.source.family != flow.reply.source.family || !flow.key.id ||
	    flow.key.family != (flow.original.source.family == 4 ? AF_INET : AF_INET6))
		return -EBADMSG;
	*ret_flow = flow;
	return 0;
}
