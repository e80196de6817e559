/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's table of live connections (ctnetlink, by libmnl): lists them, ends one. Of the current network namespace; judges nothing.
 */
#ifndef KHIEN_NETLINK_CONNTRACK_H
#define KHIEN_NETLINK_CONNTRACK_H

#include <stdint.h>

#include "common/address.h"
#include "common/error.h"

/* One way of a connection, as its packets carry it. Ports in host byte order; 0 where the protocol has none. */
struct kh_flow_tuple {
	struct kh_range source, destination; /* one address each */
	uint16_t source_port, destination_port;
	uint8_t protocol; /* IPPROTO_* */
};

#define KH_FLOW_KEY_BYTES 128

/* What names exactly one entry to the kernel, as it said it itself: also for protocols that are told apart by other things than ports. */
struct kh_flow_key {
	uint8_t tuple[KH_FLOW_KEY_BYTES]; /* what stands in CTA_TUPLE_ORIG */
	uint16_t length;
	uint16_t zone; /* CTA_ZONE, host byte order; a zone of the original way alone stands in the tuple */
	/* CTA_ID: opaque, and not 0. A later connection with the same addresses and ports has another, unless the kernel put it into the very
	 * memory of this one (Linux 6.18: a hash over where the entry lies). */
	uint32_t id;
	uint8_t family; /* AF_INET or AF_INET6 */
};

/* Plain data. Without address translation the reply is the original turned round. */
struct kh_flow {
	struct kh_flow_tuple original, reply;
	struct kh_flow_key key;
	uint16_t zone; /* host byte order; 0: the default one */
	int64_t bytes; /* both ways; -1: not counted (net.netfilter.nf_conntrack_acct) */
	int64_t seconds; /* since it began; -1: not known (net.netfilter.nf_conntrack_timestamp) */
};

struct kh_conntrack;

/* 0; -EOPNOTSUPP: this kernel has no table of connections (the module nf_conntrack is not loaded, and is not loaded by this); or -errno.
 * error is filled for people. */
int kh_conntrack_open(struct kh_conntrack **ret_conntrack, struct kh_error *error);
void kh_conntrack_close(struct kh_conntrack *conntrack); /* takes NULL */

/*
 * Hands every entry to the callback, IPv4 and IPv6, all zones; `now` is wall-clock seconds. The callback gets NULL where the list begins, and
 * again when the kernel says that it changed under way: what came before is to be forgotten then. It returns 0, or below 0 to stop.
 * An entry may come twice, or not at all, when the table is resized meanwhile. 0, what the callback returned, -EOPNOTSUPP, -EINTR (it kept
 * changing) or -errno. Nothing is allocated for an entry; 100,000 take 110 ms (two cores of a virtual machine under load, Linux 6.18).
 */
int kh_conntrack_list(struct kh_conntrack *conntrack, int64_t now,
		      int (*callback)(const struct kh_flow *flow, void *context), void *context);

/* Takes one entry off the table. 1; 0: it had ended by itself, whatever has its addresses and ports by now; or -errno. */
int kh_conntrack_delete(struct kh_conntrack *conntrack, const struct kh_flow_key *key);

#endif
