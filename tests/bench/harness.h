/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets through a program under test, timed. The program is chosen by bench_select(), the addresses by bench_samples_set().
 */
#ifndef KHIEN_TESTS_BENCH_HARNESS_H
#define KHIEN_TESTS_BENCH_HARNESS_H

#include "bench.h"

#define BENCH_FRAME 128

struct bench_run {
	struct bench_bpf *skeleton;
	const char *what; /* for messages */
	uint64_t offset; /* of the first sample */
	uint32_t ifindex; /* by which the packets come */
	uint32_t cpu; /* the caller is pinned to it */
	uint8_t family;
	bool destination; /* write the samples there, not into the source */
};

/* A UDP frame from and to the office. Returns its length. */
size_t bench_frame(uint8_t family, uint8_t frame[static BENCH_FRAME]);
void bench_pin(unsigned cpu);
struct bench_lane *bench_lane_of(const struct bench_run *run);
/* Runs `chunks` * BENCH_CHUNK packets (and one); exits with a message when one of them does not get the verdict `expected` (an XDP action). */
void bench_run(const struct bench_run *run, uint32_t chunks, uint32_t expected);
/* The same after `warm` chunks that are not timed; nanoseconds a packet. A run in which others had the CPU is repeated, a few times. */
extern unsigned bench_disturbed; /* runs that were taken although others had the CPU */
double bench_run_ns(const struct bench_run *run, uint32_t warm, uint32_t chunks, uint32_t expected);

#endif
