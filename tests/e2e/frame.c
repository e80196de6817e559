// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends crafted Ethernet frames: `frame IFACE COUNT [vlan:ID]... [pppoe] SOURCE DESTINATION DPORT`. For framing that this kernel has no devices
 * for (PPPoE in a VLAN), so that the filter below is exercised by real frames on a real veth.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static uint8_t frame[256];
static size_t length;

static void put(const void *data, size_t size)
{
	memcpy(frame + length, data, size);
	length += size;
}

static void put16(uint16_t value)
{
	value = htons(value);
	put(&value, sizeof(value));
}

static uint16_t checksum(const void *data, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2) {
		uint16_t word;

		memcpy(&word, (const uint8_t *)data + i, 2);
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void put_ipv4(const char *source, const char *destination)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .tot_len = htons(20 + 8 + 4) };

	if (inet_pton(AF_INET, source, &ip.saddr) != 1 || inet_pton(AF_INET, destination, &ip.daddr) != 1)
		exit(2);
	ip.check = checksum(&ip, sizeof(ip));
	put(&ip, sizeof(ip));
}

static void put_ipv6(const char *source, const char *destination)
{
	struct ipv6hdr ip = { .version = 6, .hop_limit = 64, .nexthdr = IPPROTO_UDP, .payload_len = htons(8 + 4) };

	if (inet_pton(AF_INET6, source, &ip.saddr) != 1 || inet_pton(AF_INET6, destination, &ip.daddr) != 1)
		exit(2);
	put(&ip, sizeof(ip));
}

int main(int argc, char **argv)
{
	static const uint8_t macs[12] = { 0x00, 0x00, 0x5e, 0x00, 0x53, 0x01, 0x00, 0x00, 0x5e, 0x00, 0x53, 0xfe };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	struct udphdr udp = { .source = htons(40000), .len = htons(8 + 4) };
	int at = 3, v6, pppoe = 0, fd;

	if (argc < 6)
		return 2;
	put(macs, sizeof(macs));
	for (; at < argc && !strncmp(argv[at], "vlan:", 5); at++) {
		put16(ETH_P_8021Q);
		put16((uint16_t)strtoul(argv[at] + 5, NULL, 10));
	}
	if (at < argc && !strcmp(argv[at], "pppoe"))
		pppoe = at++;
	if (argc - at != 3)
		return 2;
	v6 = strchr(argv[at], ':') != NULL;
	put16(pppoe ? ETH_P_PPP_SES : v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (pppoe) {
		put16(0x1100); /* version 1, type 1, session data */
		put16(7);
		put16((uint16_t)(2 + (v6 ? 40 : 20) + 8 + 4));
		put16(v6 ? 0x0057 : 0x0021);
	}
	(v6 ? put_ipv6 : put_ipv4)(argv[at], argv[at + 1]);
	udp.dest = htons((uint16_t)strtoul(argv[at + 2], NULL, 10));
	put(&udp, sizeof(udp));
	put("tet!", 4);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	memcpy(to.sll_addr, macs, 6);
	for (unsigned long i = strtoul(argv[2], NULL, 10); i; i--)
		if (sendto(fd, frame, length, 0, (struct sockaddr *)&to, sizeof(to)) < 0) {
			perror("sendto");
			return 1;
		}
	return 0;
}
