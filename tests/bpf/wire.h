/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real packets between the devices of the laboratory: raw sockets on the ends of veth pairs, a tun device.
 */
#ifndef KHIEN_TESTS_WIRE_H
#define KHIEN_TESTS_WIRE_H

#include "lab.h"

/* The other end of a laboratory device: what is sent there comes in here. */
#define WIRE_PEER(ifindex) ((ifindex) + 500)

/* Sets all devices up, without a packet of their own (no IPv6 on them). */
void wire_up(void);
/* Makes a tun device, up; returns its descriptor, or -1 where the kernel has none. */
int wire_tun(const char *name, uint32_t *ret_ifindex);
/* Sends one frame out of a device. */
void wire_send(uint32_t ifindex, const void *frame, size_t length);
/* Writes one packet of this EtherType to a tun device: it comes in there. */
void wire_send_tun(int tun, uint16_t type, const void *packet, size_t length);
/* Waits until the reasons of a device add up to `packets` (5 s at most), and reads them. */
void wire_await(uint32_t ifindex, enum kh_direction direction, uint64_t packets,
		struct kh_counter ret_reasons[static KH_REASON_ROWS]);
/* Opens a socket that sees what comes in at a device; the number of frames waiting in it, read and forgotten. */
int wire_listen(uint32_t ifindex);
size_t wire_heard(int listener, size_t wanted);

#endif
