// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The entry points. A packet goes: parse.h (what is it) -> match.h (is there an order) -> account.h (count it) -> verdict.
 *
 *   khien_xdp        Ethernet devices, native XDP
 *   khien_tc_in      Ethernet devices without native XDP
 *   khien_tc_in_l3   devices without an Ethernet header: WireGuard, ppp, tun
 *   khien_tc_out     what the gateway itself sends, on the WAN
 *   khien_tc_out_l3  the same on a WAN without an Ethernet header
 *   khien_clock      tells user space the kernel's jiffies; never attached
 *   khien_flush      empties a CPU's pending counts into the records; never attached
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "khien/abi.h"
#include "maps.h"
#include "packet.h"
#include "parse.h"
#include "match.h"
#include "account.h"

#define KH_PULL_BYTES \
	512 /* headers that a tc program makes readable: Ethernet, tags, PPPoE, IPv6 with its extensions, TCP */

char LICENSE[] SEC("license") = "GPL";

/* From parsed packet to verdict: 1 drop, 0 pass. `recent` may be NULL. */
static __always_inline int kh_judge(struct kh_packet *packet, const struct kh_interface *interface,
				    struct kh_recent *recent)
{
	struct kh_match match = {};
	struct kh_pending *leaving = NULL;

	if (interface) {
		packet->role = interface->role;
		packet->number = interface->number & (KH_INTERFACES_MAX - 1);
		if (recent && recent->listed)
			leaving = kh_start_home();
	}
	kh_match(packet, recent, &match);
	if (interface)
		kh_account(packet, &match, interface, leaving);
	return match.reason == KH_REASON_DROPPED;
}

SEC("xdp.frags")
int khien_xdp(struct xdp_md *context)
{
	struct kh_cursor cursor = { .at = (const __u8 *)(long)context->data,
				    .end = (const __u8 *)(long)context->data_end,
				    .xdp = context };
	struct kh_packet packet = { .packets = 1, .direction = KH_INGRESS, .ifindex = context->ingress_ifindex };
	__u32 queue = (packet.ifindex * KH_RECENT_QUEUES + context->rx_queue_index) & (KH_RECENTS - 1);

	kh_parse_ethernet(&cursor, &packet);
	return kh_judge(&packet, kh_find_interface(packet.ifindex), bpf_map_lookup_elem(&recents, &queue)) ? XDP_DROP
													   : XDP_PASS;
}

/* Wire packets of a buffer. What comes from a virtual machine or a tun device says how long its segments are, not how many there are. */
static __always_inline __u32 kh_segments(const struct __sk_buff *skb, __u64 bytes, __u32 headers)
{
	__u32 size = skb->gso_size;

	if (skb->gso_segs)
		return skb->gso_segs;
	if (!size || bytes <= headers)
		return 1;
	return (__u32)((bytes - headers + size - 1) / size);
}

static __always_inline int kh_tc(struct __sk_buff *skb, __u8 direction, __u8 ethernet)
{
	struct kh_packet packet = { .packets = 1, .direction = direction, .ifindex = skb->ifindex };
	const struct kh_interface *interface;
	struct kh_cursor cursor = {};
	__u32 headers;

	bpf_skb_pull_data(skb, skb->len < KH_PULL_BYTES ? skb->len : KH_PULL_BYTES);
	cursor.at = (const __u8 *)(long)skb->data;
	cursor.end = (const __u8 *)(long)skb->data_end;
	cursor.beyond = skb->len - (__u64)(cursor.end - cursor.at);
	if (ethernet)
		headers = kh_parse_ethernet(&cursor, &packet);
	else
		headers = kh_parse_network(&cursor, &packet, bpf_ntohs((__u16)skb->protocol));
	packet.packets = kh_segments(skb, packet.bytes, headers);
	packet.bytes += (__u64)(packet.packets - 1) * headers;
	interface = kh_find_interface(packet.ifindex);
	if (direction == KH_EGRESS && skb->ingress_ifindex && kh_find_interface(skb->ingress_ifindex)) {
		if (interface) {
			packet.number = interface->number & (KH_INTERFACES_MAX - 1);
			kh_count_reason(&packet, KH_REASON_ALREADY_JUDGED);
		}
		return TC_ACT_UNSPEC;
	}
	return kh_judge(&packet, interface, NULL) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int khien_tc_in(struct __sk_buff *skb)
{
	return kh_tc(skb, KH_INGRESS, 1);
}

SEC("tc")
int khien_tc_in_l3(struct __sk_buff *skb)
{
	return kh_tc(skb, KH_INGRESS, 0);
}

SEC("tc")
int khien_tc_out(struct __sk_buff *skb)
{
	return kh_tc(skb, KH_EGRESS, 1);
}

SEC("tc")
int khien_tc_out_l3(struct __sk_buff *skb)
{
	return kh_tc(skb, KH_EGRESS, 0);
}

SEC("xdp")
int khien_clock(struct xdp_md *context)
{
	__u64 *jiffies = (__u64 *)(long)context->data;

	if ((void *)(jiffies + 1) > (void *)(long)context->data_end)
		return XDP_ABORTED;
	*jiffies = bpf_jiffies64();
	return XDP_PASS;
}

SEC("xdp")
int khien_flush(struct xdp_md *context)
{
	const __u32 *cpu = (const __u32 *)(long)context->data;
	struct kh_pending *counts;
	__u32 zero = 0;

	if ((const void *)(cpu + 1) > (const void *)(long)context->data_end)
		return XDP_ABORTED;
	counts = bpf_map_lookup_percpu_elem(&pending, &zero, *cpu);
	kh_empty_queue(counts);
	return XDP_PASS;
}
