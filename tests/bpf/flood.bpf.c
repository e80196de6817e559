// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both ends of live traffic: flood_send makes every frame one of a few classes, in turn, and sends it out of a device; flood_seen, at tc ingress
 * behind the filter, counts what came through, by class, and ends it there. The last byte of a frame names its class.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "flood_shared.h"

char LICENSE[] SEC("license") = "GPL";

__u8 flood_frames[FLOOD_CLASSES_MAX][FLOOD_FRAME];
__u32 flood_classes; /* how many there are */
__u32 flood_to; /* ifindex */
__u64 flood_sent[FLOOD_CLASSES_MAX]; /* one processor sends */
__u64 flood_passed[FLOOD_CLASSES_MAX];
__u64 flood_strange; /* came through and is none of ours */

static __u32 next;

SEC("xdp")
int flood_send(struct xdp_md *context)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	__u32 class = next;

	next = class + 1 < flood_classes ? class + 1 : 0;
	if (class >= FLOOD_CLASSES_MAX || data + FLOOD_FRAME > end)
		return XDP_ABORTED;
	__builtin_memcpy(data, flood_frames[class], FLOOD_FRAME);
	flood_sent[class]++;
	return (int)bpf_redirect(flood_to, 0);
}

SEC("tc")
int flood_seen(struct __sk_buff *skb)
{
	__u8 class = FLOOD_CLASSES_MAX;

	if (skb->len == FLOOD_FRAME)
		bpf_skb_load_bytes(skb, FLOOD_FRAME - 1, &class, sizeof(class));
	if (class < FLOOD_CLASSES_MAX)
		__sync_fetch_and_add(&flood_passed[class], 1);
	else
		__sync_fetch_and_add(&flood_strange, 1);
	return TC_ACT_SHOT;
}
