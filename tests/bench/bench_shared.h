/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bench.bpf.c and the programs that drive it share.
 */
#ifndef KHIEN_TESTS_BENCH_SHARED_H
#define KHIEN_TESTS_BENCH_SHARED_H

#include <linux/types.h>

#define BENCH_CPUS 64
#define BENCH_CHUNK 16384u /* packets between two readings of the clock */
#define BENCH_STAMPS 1024u
#define BENCH_SAMPLES_V4 (1u << 20) /* addresses a run walks over, again and again */
#define BENCH_SAMPLES_V6 (1u << 18)
#define BENCH_VERDICTS 8
#define BENCH_LIMIT_ENTRIES (1u << 20) /* the longest list that has a limit */

/* What the harness keeps for one CPU. `position` and `offset` are set before a run. */
struct bench_lane {
	__u64 position;
	__u64 offset; /* of the first sample */
	__u64 verdicts[BENCH_VERDICTS]; /* by XDP action */
	__u64 reserved[6];
	__u64 stamps[BENCH_STAMPS]; /* nanoseconds at packet 0, BENCH_CHUNK, 2 * BENCH_CHUNK ... */
};

struct bench_v6 {
	__be64 high, low;
};

struct bench_lpm_v4_key {
	__u32 length;
	__be32 address;
};

struct bench_lpm_v6_key {
	__u32 length;
	__be64 high, low;
} __attribute__((packed));

#endif
