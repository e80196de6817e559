/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ethernet -> at most 2 VLAN tags -> PPPoE session -> IPv4 or IPv6 -> TCP or UDP, into struct kh_packet.
 * Reads, never judges: what is odd sets packet->reason, and whatever could be read of the addresses is
 * there to be matched. Each step moves the cursor on and checks it against the end of the data.
 */
#ifndef KHIEN_BPF_PARSE_H
#define KHIEN_BPF_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "packet.h"

#define KH_VLAN_TAGS 2
#define KH_EXTENSION_HEADERS 6
#define KH_PPP_IP 0x0021
#define KH_PPP_IPV6 0x0057
#define KH_PPP_CONTROL 0x8000 /* network control, LCP, authentication: from here up (RFC 1661 2) */
#define KH_VXLAN_PORT 4789

struct kh_cursor {
	const __u8 *at;
	const __u8 *end;
	/* What follows `end` in a buffer of more than one part; unknown with `xdp`, which can tell. */
	__u64 beyond;
	struct xdp_md *xdp;
};

struct kh_vlan_header {
	__be16 tci;
	__be16 protocol;
};

/* RFC 2516 4 and the two-byte PPP protocol after it. */
struct kh_pppoe_header {
	__u8 version_type;
	__u8 code;
	__be16 session;
	__be16 length;
	__be16 protocol;
};

struct kh_extension_header {
	__u8 next;
	__u8 length;
	__be16 rest; /* the fragment header's offset and flags */
	__be32 more;
};

/* Moves past `size` bytes and returns where they begin; NULL when they are not all there. */
static __always_inline const void *kh_take(struct kh_cursor *cursor, __u32 size)
{
	const __u8 *at = cursor->at;

	if (at + size > cursor->end)
		return NULL;
	cursor->at = at + size;
	return at;
}

static __always_inline __u64 kh_left(const struct kh_cursor *cursor)
{
	return cursor->end > cursor->at ? (__u64)(cursor->end - cursor->at) : 0;
}

/* From here to the end of the frame. Asking is a call, so it is asked only where the linear data do not say enough. */
static __always_inline __u64 kh_available(const struct kh_cursor *cursor, __u64 left)
{
	__u64 linear;

	if (!cursor->xdp)
		return left + cursor->beyond;
	linear = (__u64)((long)cursor->xdp->data_end - (long)cursor->xdp->data);
	barrier_var(linear); /* else clang mixes it with `left`, and the verifier meets half a difference of pointers */
	return left + bpf_xdp_get_buff_len(cursor->xdp) - linear;
}

static __always_inline void kh_set_ports(struct kh_packet *packet, __be16 source, __be16 destination)
{
	packet->source_port = bpf_ntohs(source);
	packet->destination_port = bpf_ntohs(destination);
	packet->has_ports = 1;
}

/* Transport header: ports of TCP and UDP. `size` is what the IP header promises from here on. Returns the header's length. */
static __always_inline __u32 kh_parse_transport(struct kh_cursor *cursor, struct kh_packet *packet, __u64 size,
						__u8 first_fragment)
{
	const struct tcphdr *tcp;
	const struct udphdr *udp;

	switch (packet->protocol) {
	case IPPROTO_TCP:
		tcp = kh_take(cursor, sizeof(*tcp));
		if (!tcp || size < sizeof(*tcp))
			break;
		kh_set_ports(packet, tcp->source, tcp->dest);
		return tcp->doff * 4u;
	case IPPROTO_UDP:
		udp = kh_take(cursor, sizeof(*udp));
		if (!udp || size < sizeof(*udp))
			break;
		kh_set_ports(packet, udp->source, udp->dest);
		if (packet->destination_port == KH_VXLAN_PORT)
			packet->reason = KH_REASON_ENCAPSULATED;
		return sizeof(*udp);
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
	case IPPROTO_ESP:
		packet->reason = KH_REASON_ENCAPSULATED;
		return 0;
	default:
		return 0;
	}
	packet->reason = first_fragment ? KH_REASON_FRAGMENT : KH_REASON_L4_TRUNCATED;
	return 0;
}

/* Returns the length of all headers from layer 3 to the payload, for GSO accounting. */
static __always_inline __u32 kh_parse_ipv4(struct kh_cursor *cursor, struct kh_packet *packet)
{
	__u64 left = kh_left(cursor), total;
	const struct iphdr *header = kh_take(cursor, sizeof(*header));
	__u32 header_length, options;
	__u16 fragment;

	if (!header || header->version != 4) {
		packet->bytes = kh_available(cursor, left);
		packet->reason = header ? KH_REASON_BAD_VERSION : KH_REASON_TOO_SHORT;
		return 0;
	}
	packet->family = 4;
	packet->source_low = bpf_ntohl(header->saddr);
	packet->destination_low = bpf_ntohl(header->daddr);
	packet->protocol = header->protocol;
	header_length = header->ihl * 4u;
	total = bpf_ntohs(header->tot_len);
	if (!total || total > left) {
		left = kh_available(cursor, left);
		if (!total || total > left) /* 0: a GSO buffer beyond 64 KiB; longer than the frame: it lies */
			total = left;
	}
	packet->bytes = total;
	fragment = bpf_ntohs(header->frag_off);
	options = header_length - (__u32)sizeof(*header);
	barrier_var(options); /* the mask says nothing new, but to the verifier of 6.1 */
	options &= 0x3f;
	if (header_length < sizeof(*header) || total < header_length || !kh_take(cursor, options)) {
		packet->reason = KH_REASON_BAD_HEADER;
		return 0;
	}
	if (fragment & 0x1fff) {
		packet->reason = KH_REASON_FRAGMENT;
		return header_length;
	}
	return header_length + kh_parse_transport(cursor, packet, total - header_length, (fragment & 0x2000) != 0);
}

static __always_inline __u8 kh_is_extension(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case 139: /* HIP */
	case 140: /* Shim6 */
		return 1;
	}
	return 0;
}

static __always_inline __u32 kh_parse_ipv6(struct kh_cursor *cursor, struct kh_packet *packet)
{
	__u64 left = kh_left(cursor), total;
	const struct ipv6hdr *header = kh_take(cursor, sizeof(*header));
	__u32 length = sizeof(*header);
	__u8 first_fragment = 0;

	if (!header || header->version != 6) {
		packet->bytes = kh_available(cursor, left);
		packet->reason = header ? KH_REASON_BAD_VERSION : KH_REASON_TOO_SHORT;
		return 0;
	}
	packet->family = 6;
	packet->source_high = ((__u64)bpf_ntohl(header->saddr.in6_u.u6_addr32[0]) << 32) |
			      bpf_ntohl(header->saddr.in6_u.u6_addr32[1]);
	packet->source_low = ((__u64)bpf_ntohl(header->saddr.in6_u.u6_addr32[2]) << 32) |
			     bpf_ntohl(header->saddr.in6_u.u6_addr32[3]);
	packet->destination_high = ((__u64)bpf_ntohl(header->daddr.in6_u.u6_addr32[0]) << 32) |
				   bpf_ntohl(header->daddr.in6_u.u6_addr32[1]);
	packet->destination_low = ((__u64)bpf_ntohl(header->daddr.in6_u.u6_addr32[2]) << 32) |
				  bpf_ntohl(header->daddr.in6_u.u6_addr32[3]);
	packet->protocol = header->nexthdr;
	total = bpf_ntohs(header->payload_len) + sizeof(*header);
	if (total == sizeof(*header) || total > left) {
		left = kh_available(cursor, left);
		if (total == sizeof(*header) || total > left) /* no length: a jumbogram or a large GSO buffer */
			total = left;
	}
	packet->bytes = total;

	for (int i = 0; i <= KH_EXTENSION_HEADERS; i++) {
		const struct kh_extension_header *extension;
		__u32 size;

		if (!kh_is_extension(packet->protocol))
			return length +
			       kh_parse_transport(cursor, packet, total > length ? total - length : 0, first_fragment);
		if (i == KH_EXTENSION_HEADERS)
			break;
		extension = kh_take(cursor, sizeof(*extension));
		if (!extension)
			break;
		if (packet->protocol == IPPROTO_FRAGMENT) {
			__u16 fragment = bpf_ntohs(extension->rest);

			size = sizeof(*extension);
			first_fragment = fragment & 1;
			if (fragment & 0xfff8) {
				packet->protocol = extension->next;
				packet->reason = KH_REASON_FRAGMENT;
				return length + size;
			}
		} else if (packet->protocol == IPPROTO_AH) {
			size = (extension->length + 2u) * 4u;
		} else {
			size = (extension->length + 1u) * 8u;
		}
		packet->protocol = extension->next;
		length += size;
		if (size < sizeof(*extension) || !kh_take(cursor, size - (__u32)sizeof(*extension)))
			break;
	}
	packet->reason = KH_REASON_EXTENSION_HEADERS;
	return 0;
}

/* From the layer-3 header on; `protocol` is the EtherType. */
static __always_inline __u32 kh_parse_network(struct kh_cursor *cursor, struct kh_packet *packet, __u16 protocol)
{
	if (protocol == ETH_P_IP)
		return kh_parse_ipv4(cursor, packet);
	if (protocol == ETH_P_IPV6)
		return kh_parse_ipv6(cursor, packet);
	packet->bytes = kh_available(cursor, kh_left(cursor));
	packet->reason = KH_REASON_NOT_IP;
	return 0;
}

/* The two-byte protocol only: a one-byte (compressed) one has its lowest bit set in the first byte (RFC 1661 2). */
static __always_inline __u16 kh_parse_pppoe(struct kh_cursor *cursor, struct kh_packet *packet)
{
	const struct kh_pppoe_header *header = kh_take(cursor, sizeof(*header));
	__u16 protocol;

	if (!header) {
		packet->reason = KH_REASON_TOO_SHORT;
		return 0;
	}
	protocol = bpf_ntohs(header->protocol);
	if (protocol == KH_PPP_IP)
		return ETH_P_IP;
	if (protocol == KH_PPP_IPV6)
		return ETH_P_IPV6;
	packet->reason = protocol >= KH_PPP_CONTROL && !(protocol & 0x0100) ? KH_REASON_NOT_IP : KH_REASON_PPP_OTHER;
	return 0;
}

static __always_inline __u8 kh_is_vlan(__u16 protocol)
{
	return protocol == ETH_P_8021Q || protocol == ETH_P_8021AD;
}

/* A whole Ethernet frame. Returns as kh_parse_network. */
static __always_inline __u32 kh_parse_ethernet(struct kh_cursor *cursor, struct kh_packet *packet)
{
	const struct ethhdr *ethernet = kh_take(cursor, sizeof(*ethernet));
	__u16 protocol;
	__u64 left;

	packet->bytes = 0;
	if (!ethernet) {
		packet->reason = KH_REASON_TOO_SHORT;
		return 0;
	}
	__builtin_memcpy(packet->mac, ethernet->h_source, sizeof(packet->mac));
	protocol = bpf_ntohs(ethernet->h_proto);
	for (int i = 0; i < KH_VLAN_TAGS; i++) {
		const struct kh_vlan_header *tag;

		if (!kh_is_vlan(protocol))
			break;
		tag = kh_take(cursor, sizeof(*tag));
		if (!tag) {
			packet->reason = KH_REASON_TOO_SHORT;
			return 0;
		}
		protocol = bpf_ntohs(tag->protocol);
	}
	left = kh_left(cursor);
	if (kh_is_vlan(protocol)) {
		packet->bytes = kh_available(cursor, left);
		packet->reason = KH_REASON_TOO_MANY_TAGS;
		return 0;
	}
	if (protocol == ETH_P_PPP_SES) {
		protocol = kh_parse_pppoe(cursor, packet);
		if (!protocol) {
			packet->bytes = kh_available(cursor, left);
			return 0;
		}
	}
	return kh_parse_network(cursor, packet, protocol);
}

#endif
