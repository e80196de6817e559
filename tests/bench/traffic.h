/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live frames into a veth pair. The device is its receiving end; the sending one is one higher.
 */
#ifndef KHIEN_TESTS_BENCH_TRAFFIC_H
#define KHIEN_TESTS_BENCH_TRAFFIC_H

#include "harness.h"

#define BENCH_BATCH 64

void bench_device_up(unsigned device);
uint64_t bench_arrived(unsigned device); /* packets, since it was made */
uint64_t bench_stack_received(void); /* IPv4 packets in all */
void bench_attach(struct kh_kernel *kernel); /* Khiên on BENCH_WAN, natively */
/* Sends `packets` UDP frames (a multiple of BENCH_BATCH) whose sources are the samples, from `offset` on. Returns when they are through. The caller is
 * pinned to `cpu`. */
void bench_send(struct bench_bpf *skeleton, unsigned device, uint64_t offset, uint32_t cpu, uint32_t packets);

#endif
