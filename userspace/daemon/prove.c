// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Proof instead of hope: a packet from the indicator's own address goes through the live program, which must drop it. The
 * device of a test run is in no table, so nothing is counted.
 */
#include "daemon/private.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

#include "common/util.h"

#define FRAME_BYTES 128

static size_t make_transport(uint8_t *at, uint8_t protocol, uint16_t port)
{
	struct tcphdr tcp = { .source = htons(port), .dest = htons(40000), .doff = 5, .syn = 1 };
	uint16_t udp[4] = { htons(port), htons(40000), htons(8), 0 };

	if (protocol == IPPROTO_UDP) {
		memcpy(at, udp, sizeof(udp));
		return sizeof(udp);
	}
	memcpy(at, &tcp, sizeof(tcp));
	return sizeof(tcp);
}

static size_t make_frame(uint8_t frame[static FRAME_BYTES], const struct kh_range *source, uint8_t protocol,
			 uint16_t port)
{
	struct ethhdr ethernet = { .h_proto = htons(source->family == 4 ? ETH_P_IP : ETH_P_IPV6) };
	uint8_t transport[64], mapped[16];
	size_t length = make_transport(transport, protocol, port), at = sizeof(ethernet);

	memset(frame, 0, FRAME_BYTES);
	memcpy(frame, &ethernet, sizeof(ethernet));
	kh_range_to_mapped(source, mapped);
	if (source->family == 4) {
		struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = protocol };

		ip.tot_len = htons((uint16_t)(sizeof(ip) + length));
		memcpy(&ip.saddr, mapped + 12, 4);
		memcpy(frame + at, &ip, sizeof(ip));
		at += sizeof(ip);
	} else {
		struct ipv6hdr ip = { .version = 6, .nexthdr = protocol, .hop_limit = 64 };

		ip.payload_len = htons((uint16_t)length);
		memcpy(&ip.saddr, mapped, 16);
		memcpy(frame + at, &ip, sizeof(ip));
		at += sizeof(ip);
	}
	memcpy(frame + at, transport, length);
	return at + length;
}

/* Is the address cut out by an allow or a never-block rule? Everything else of an order must be dropped. */
static bool is_cut(const struct kh_core *core, const struct kh_range *address)
{
	for (size_t i = 0; i < core->holes_count; i++)
		if (kh_range_contains(&core->holes[i], address))
			return true;
	return false;
}

int kh_prove_one(struct kh_core *core, const struct kh_indicator *indicator)
{
	const struct kh_range *range = &indicator->range;
	const kh_u128 tries[] = { range->first, range->last, range->first + (range->last - range->first) / 2 };
	uint8_t protocol = indicator->protocol ? indicator->protocol : IPPROTO_TCP;
	uint16_t port = indicator->type == KH_TYPE_ADDRESS_PORT ? indicator->port : 40001;
	uint8_t frame[FRAME_BYTES];

	if (!core->image)
		return -ENODATA;
	for (size_t i = 0; i < KH_ARRAY_SIZE(tries); i++) {
		struct kh_range address = { .first = tries[i], .last = tries[i], .family = range->family };
		bool dropped = false;
		size_t length;
		int code;

		if (is_cut(core, &address))
			continue;
		length = make_frame(frame, &address, protocol, port);
		code = kh_kernel_probe(core->kernel, KH_PROBE_XDP, frame, length, &dropped);
		return code < 0 ? code : dropped;
	}
	return -ENODATA;
}
