/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames from one line of text, a word a layer, so that a table of packets can be read. Each layer tells the one before what it
 * is, and the lengths are filled in at the end, unless a word says otherwise. Words:
 *
 *   raw                     no Ethernet header: starts with the IP header (first word)
 *   q, ad                   a VLAN tag, 802.1Q or 802.1ad
 *   pppoe, pppoe1           PPPoE session, protocol in two bytes or compressed to one
 *   pppoe=C021              the same with this PPP protocol, whatever follows
 *   type=0806               the EtherType said so far, whatever follows
 *   4:192.0.2.1>203.0.113.7, 6:2001:db8::1>2001:db8::2        IP
 *   opt=8                   bytes of IPv4 options
 *   ver=6 ihl=4             these IPv4 (ver: also IPv6) header fields, true or not
 *   total=20, total+4, total-4      the IP length field (of IPv6 the payload length), true or not
 *   hop dst rt mh hip shim ah       an IPv6 extension header of 8 bytes (ah: 12); hop=3: 3 more units of length
 *   frag=0+ frag=0 frag=185 frag=185+    IPv4 field or IPv6 header: offset in units of 8 bytes, + means more follow
 *   proto=47                the IP protocol, whatever follows; also by name: icmp icmp6 gre esp ipip sit none
 *   tcp:1024>443 udp:53>53  TCP with doff 5, UDP; tcp:1024>443/8 has doff 8
 *   vxlan                   UDP to port 4789 and a VXLAN header
 *   data=100                payload
 *   pad=6                   bytes after what IP counts
 *   cut=40, cut-1           the frame ends after 40 bytes, or 1 byte earlier
 */
#ifndef KHIEN_TESTS_FRAMES_H
#define KHIEN_TESTS_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_SIZE 16384

struct frame {
	uint8_t data[FRAME_SIZE];
	size_t length;
	size_t network; /* where the IP header begins, or would */
	size_t datagram; /* bytes from the IP header to the end of the payload, without padding; before any cut */
	size_t payload; /* where the payload of the transport begins: all before it are headers */
};

#define FRAME_MAC "\x00\x00\x5e\x00\x53\x57" /* the source of every frame */

/* Fails the test on a word it does not know. */
void frame_build(const char *text, struct frame *ret_frame);

#endif
