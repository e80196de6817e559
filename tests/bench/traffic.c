// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Live frames into a veth pair, and what arrived on its other end. See live.c.
 */
#include "traffic.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"

void bench_device_up(unsigned device)
{
	char command[96];
	struct ethtool_value gro = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq request = { .ifr_data = (void *)&gro };
	int fd KH_CLEANUP(kh_closep) = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(command, sizeof(command), "ip link set bench%u up && ip link set far%u up", device, device);
	if (system(command))
		bench_die("cannot set the devices up");
	/* Without XDP the receiving end takes no frames unless GRO is on. */
	snprintf(request.ifr_name, sizeof(request.ifr_name), "bench%u", device);
	if (ioctl(fd, SIOCETHTOOL, &request) < 0)
		bench_die("cannot switch GRO on: %s", strerror(errno));
}

uint64_t bench_arrived(unsigned device)
{
	FILE *file KH_CLEANUP(kh_fclosep) = fopen("/proc/net/dev", "re");
	unsigned long long packets;
	char line[512], name[32];

	snprintf(name, sizeof(name), "bench%u:", device);
	while (file && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, name);

		if (at && sscanf(at + strlen(name), "%*u %llu", &packets) == 1)
			return packets;
	}
	bench_die("/proc/net/dev has no %s", name);
}

uint64_t bench_stack_received(void)
{
	FILE *file KH_CLEANUP(kh_fclosep) = fopen("/proc/net/snmp", "re");
	unsigned long long packets = 0;
	char line[1024];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Ip: %*d %*d %llu", &packets) == 1)
			return packets;
	bench_die("/proc/net/snmp cannot be read");
}

void bench_attach(struct kh_kernel *kernel)
{
	struct kh_attach attach = {
		.ifindex = BENCH_WAN, .name = "bench11", .ethernet = true, .wanted = KH_WANT_NATIVE
	};
	struct kh_attached attached;
	struct kh_error error = {};

	if (kh_kernel_attach(kernel, &attach, &attached, &error) < 0)
		bench_die("%s", error.text);
}

static uint32_t header_sum(const uint8_t *frame)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2) {
		uint16_t word;

		memcpy(&word, frame + 14 + i, sizeof(word));
		if (i != 10 && i != 12 && i != 14)
			sum += word;
	}
	return sum;
}

void bench_send(struct bench_bpf *skeleton, unsigned device, uint64_t offset, uint32_t cpu, uint32_t packets)
{
	struct bench_lane *lane = &skeleton->bss->lanes[cpu % BENCH_CPUS];
	uint8_t frame[BENCH_FRAME];
	size_t length = bench_frame(4, frame);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (uint32_t)length,
		    .repeat = (int)packets, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BENCH_BATCH);

	skeleton->bss->generate_sum = header_sum(frame);
	skeleton->bss->generate_to = device + 1;
	lane->position = 0;
	lane->offset = offset;
	if (bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.bench_generate), &options) < 0)
		bench_die("live frames: %s", strerror(errno));
}
