// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs packets through a program under test and reads how long they took; every verdict is checked. See bench.h.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"

size_t bench_frame(uint8_t family, uint8_t frame[static BENCH_FRAME])
{
	struct ethhdr *ethernet = (struct ethhdr *)frame;
	struct udphdr *udp;

	memset(frame, 0, BENCH_FRAME);
	memcpy(ethernet->h_dest, "\x00\x00\x5e\x00\x53\x01", ETH_ALEN);
	memcpy(ethernet->h_source, "\x00\x00\x5e\x00\x53\x57", ETH_ALEN);
	if (family == 4) {
		struct iphdr *ip = (struct iphdr *)(ethernet + 1);

		ethernet->h_proto = htons(ETH_P_IP);
		*ip = (struct iphdr){ .version = 4,
				      .ihl = 5,
				      .ttl = 64,
				      .protocol = IPPROTO_UDP,
				      .tot_len = htons(60 - ETH_HLEN),
				      .saddr = htonl(BENCH_OFFICE_V4),
				      .daddr = htonl(BENCH_OFFICE_V4) };
		udp = (struct udphdr *)(ip + 1);
		udp->len = htons(60 - ETH_HLEN - sizeof(*ip));
	} else {
		struct ipv6hdr *ip = (struct ipv6hdr *)(ethernet + 1);

		ethernet->h_proto = htons(ETH_P_IPV6);
		ip->version = 6;
		ip->hop_limit = 64;
		ip->nexthdr = IPPROTO_UDP;
		ip->payload_len = htons(sizeof(*udp) + 8);
		memcpy(&ip->daddr, "\x20\x01\x0d\xb8\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x57", 16);
		udp = (struct udphdr *)(ip + 1);
		udp->len = htons(sizeof(*udp) + 8);
	}
	udp->source = htons(40000);
	udp->dest = htons(443);
	return family == 4 ? 60 : 70;
}

void bench_pin(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		bench_die("cannot run on CPU %u: %s", cpu, strerror(errno));
}

static int program_of(const struct bench_run *run)
{
	const struct bench_bpf *skeleton = run->skeleton;

	if (run->family == 6)
		return bpf_program__fd(skeleton->progs.bench_v6_source);
	return bpf_program__fd(run->destination ? skeleton->progs.bench_v4_destination
						: skeleton->progs.bench_v4_source);
}

struct bench_lane *bench_lane_of(const struct bench_run *run)
{
	return &run->skeleton->bss->lanes[run->cpu % BENCH_CPUS];
}

void bench_run(const struct bench_run *run, uint32_t chunks, uint32_t expected)
{
	uint8_t frame[BENCH_FRAME];
	size_t length = bench_frame(run->family, frame);
	struct xdp_md context = { .ingress_ifindex = run->ifindex, .data_end = (uint32_t)length };
	uint32_t packets = chunks * BENCH_CHUNK + 1; /* one more, for the last reading of the clock */
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (uint32_t)length, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = (int)packets);
	struct bench_lane *lane = bench_lane_of(run);

	lane->position = 0;
	lane->offset = run->offset;
	memset(lane->verdicts, 0, sizeof(lane->verdicts));
	if (chunks >= BENCH_STAMPS)
		bench_die("a run of %u chunks is too long", chunks);
	if (bpf_prog_test_run_opts(program_of(run), &options) < 0)
		bench_die("the test run failed: %s", strerror(errno));
	if (lane->verdicts[expected] != packets)
		bench_die("WRONG VERDICT: %s: of %u packets %llu got what they must get (%s)", run->what, packets,
			  (unsigned long long)lane->verdicts[expected], expected == XDP_DROP ? "drop" : "pass");
}

/* The CPU time of this thread; less than the time that passed when others ran in between. */
static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

#define REPEATS 12 /* of the whole benchmark: on a busy machine it must end all the same */

unsigned bench_disturbed;

double bench_run_ns(const struct bench_run *run, uint32_t warm, uint32_t chunks, uint32_t expected)
{
	const struct bench_lane *lane = bench_lane_of(run);

	static unsigned repeats;

	for (;;) {
		double cpu = cpu_ms(), wall;

		bench_run(run, warm + chunks, expected);
		cpu = cpu_ms() - cpu;
		wall = (double)(lane->stamps[warm + chunks] - lane->stamps[0]) / 1e6;
		if (cpu > wall * 0.97 || ++repeats > REPEATS) {
			bench_disturbed += cpu <= wall * 0.97;
			return (double)(lane->stamps[warm + chunks] - lane->stamps[warm]) / chunks / BENCH_CHUNK;
		}
	}
}
