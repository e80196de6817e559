// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real packets: see wire.h.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_STEPS 5000 /* of a millisecond */

static void command(const char *text)
{
	if (system(text) != 0)
		fail_msg("failed: %s", text);
}

void wire_up(void)
{
	static const uint32_t devices[] = { LAB_LAN, LAB_WAN, LAB_COVERED, LAB_UNKNOWN, LAB_ANY, LAB_WG };

	command("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
	command("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
	for (size_t i = 0; i < KH_ARRAY_SIZE(devices); i++) {
		char text[128];

		snprintf(text, sizeof(text), "ip link set khb%u up && ip link set khp%u up", devices[i], devices[i]);
		command(text);
	}
}

int wire_tun(const char *name, uint32_t *ret_ifindex)
{
	struct ifreq request = { .ifr_flags = IFF_TUN };
	char text[64];
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		close(fd);
		return -1;
	}
	snprintf(text, sizeof(text), "ip link set %s up", name);
	command(text);
	*ret_ifindex = if_nametoindex(name);
	return fd;
}

void wire_send(uint32_t ifindex, const void *frame, size_t length)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_ifindex = (int)ifindex };
	int fd KH_CLEANUP(kh_closep) = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	/* ENOBUFS: what tc drops on its way out is told to the sender. */
	if (sendto(fd, frame, length, 0, (struct sockaddr *)&address, sizeof(address)) < 0 && errno != ENOBUFS)
		fail_msg("cannot send %zu bytes out of %u: %s", length, ifindex, strerror(errno));
}

void wire_send_tun(int tun, uint16_t type, const void *packet, size_t length)
{
	uint8_t data[2048] = { 0, 0, (uint8_t)(type >> 8), (uint8_t)type };

	assert_true(length + 4 <= sizeof(data));
	memcpy(data + 4, packet, length);
	if (write(tun, data, length + 4) < 0)
		fail_msg("cannot write %zu bytes to the tun device: %s", length, strerror(errno));
}

void wire_await(uint32_t ifindex, enum kh_direction direction, uint64_t packets,
		struct kh_counter ret_reasons[static KH_REASON_ROWS])
{
	uint64_t seen = 0;

	for (int step = 0; step < WAIT_STEPS; step++) {
		seen = 0;
		lab_read_reasons(ifindex, direction, ret_reasons);
		for (uint32_t reason = 0; reason < KH_REASON_COUNT; reason++)
			seen += ret_reasons[reason].packets;
		if (seen >= packets)
			break;
		poll(NULL, 0, 1);
	}
	if (seen != packets)
		fail_msg("device %u: %lu packets counted, %lu sent", ifindex, (unsigned long)seen,
			 (unsigned long)packets);
}

int wire_listen(uint32_t ifindex)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = (int)ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

size_t wire_heard(int listener, size_t wanted)
{
	uint8_t frame[2048];
	size_t count = 0;

	for (int step = 0; step < WAIT_STEPS && count < wanted; step++) {
		while (recv(listener, frame, sizeof(frame), 0) >= 0)
			count++;
		if (count < wanted)
			poll(NULL, 0, 1);
	}
	while (recv(listener, frame, sizeof(frame), 0) >= 0)
		count++;
	return count;
}
