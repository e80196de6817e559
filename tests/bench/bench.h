/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The benchmark: what is measured, and how.
 *
 * bench-lookup: one look-up. A small packet program of ours (bench.bpf.c) is run by BPF_PROG_TEST_RUN with a repeat count. Every time it
 *   writes the next address of a list of samples into the frame (source, WAN side; the destination stays one address of the office) and calls
 *   the program under test, which is the shipped khien_xdp as userspace/kernel loads it, by a tail call out of a subprogram: so the verdict comes
 *   back, and the verdict of *every* timed packet is checked. All contenders bear the same harness; what it costs alone is measured too (a program
 *   that returns at once). The harness keeps its state per CPU. Times are the kernel's clock, read by the harness every BENCH_CHUNK
 *   packets, after a first pass that warms the caches. Contenders take turns; the result is the median over the rounds.
 *     floor  the shipped program, an empty generation installed, all counters
 *     khien  the shipped program with the list: compiled by userspace/compile, installed by userspace/kernel; the interface is in the
 *            interface table, so reasons, records (and sightings on the LAN side) are counted
 *     lpm    parse.h and the kernel's LPM trie, source only, passed and dropped counted per CPU: less work than khien does
 *     limit  no matcher, and told the verdict: parse.h, counters per CPU, and what memory any matcher must touch. For a hit one byte of what says
 *            which of the N it is, 14 bits an entry (N of the 2^32 IPv4 addresses cannot be told apart in less than log2 C(2^32, N): 13.4
 *            bits each at 1 M, 16.8 at 100 k), then the record that byte leads to, one among N; for a miss one bit among 16 N, hashed. What it
 *            waits for on a long list and not on the shortest, added to the floor, is what memory allows a matcher in the shipped program; a
 *            target below that is refused by this machine's memory, and the report says so. Live, it is the limit itself.
 *   Programs are loaded with the capabilities of the daemon's unit (speculation barriers depend on them).
 *   hit: addresses of the list, each as likely. miss: addresses not in the list, over the whole address space; where the list says so, half of
 *   them (clustered, IPv6) or all (adversarial) close to what is listed.
 *
 * bench-live: traffic through a real device. XDP live frames (batches of 64) are redirected into one end of a veth pair; the filter is on the other
 *   end; one core does everything. See live.c.
 *
 * bench-load: compile, install, memory; the same list loaded by nft, ipset and into an LPM trie. See load.c.
 * push.sh:    a list pushed through the real daemon in a laboratory of namespaces; emergency pushes onto it; khien stats.
 * report.py:  the table, the targets, bench.json and the picture, from what the others wrote.
 */
#ifndef KHIEN_TESTS_BENCH_H
#define KHIEN_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench_shared.h"
#include "common/address.h"
#include "common/util.h"
#include "compile/compile.h"
#include "kernel/kernel.h"

/* ---- lists.c: what is looked up ------------------------------------------------------------------ */

struct bench_entry {
	kh_u128 first;
	uint8_t length; /* prefix length */
	bool hole; /* an allow cut out of the orders */
};

struct bench_interval {
	kh_u128 first, last;
};

/* Where the misses are: the share of them, in percent, that falls close to what is listed (same /24, same /32 of IPv6). */
struct bench_list {
	char name[64]; /* without the count */
	uint8_t family;
	uint8_t near_percent;
	struct bench_entry *entries; /* sorted by address, none twice */
	size_t count;
	struct bench_interval *blocked, *holes; /* merged, disjoint, sorted: the oracle */
	size_t blocked_count, holes_count;
};

/* "random:100000", "clustered:N", "nested:N", "holes:N", "second:N", "random6:N", or a file of one address or prefix a line. Made from a fixed
 * seed. Exits with a message when it cannot. */
struct bench_list *bench_list_make(const char *what);
void bench_list_free(struct bench_list *list);
static inline void bench_list_freep(struct bench_list **list)
{
	bench_list_free(*list);
}
bool bench_list_blocks(const struct bench_list *list, kh_u128 address);
/* Fills `samples` with addresses that are blocked (hit) or not. */
void bench_list_sample(const struct bench_list *list, bool hit, kh_u128 *samples, size_t count);
uint64_t bench_random(void); /* the same sequence in every run */

/* ---- setup.c: where it happens -------------------------------------------------------------------- */

#define BENCH_SKIPPED 77
#define BENCH_WAN 11 /* ifindexes, in a network namespace of our own */
#define BENCH_LAN 21
#define BENCH_NFT 31
#define BENCH_STACK 41 /* no XDP on it; the other ends are one higher */
#define BENCH_OFFICE_V4 0xc0000239u /* 192.0.2.57 */

__attribute__((noreturn)) void bench_die(const char *format, ...) KH_PRINTF(1, 2);
/* A mount and a network namespace with a bpffs on /mnt and two veth pairs. Nothing is left of them when the process ends, however it does. */
void bench_enter(void);
/* An empty /run that only this process and its children see: for what nft and ipset load. */
void bench_scratch(void);
/* From here on the process has the capabilities of the daemon's unit and no others. */
void bench_drop_capabilities(void);

/* The shipped programs in a folder of their own, interface table and clock set; nothing installed. */
struct kh_kernel *bench_kernel_open(const char *name);
/* The orders that a list gives: slots in list order. malloc'ed. */
struct kh_compile_order *bench_orders(const struct bench_list *list, size_t *ret_count);
struct kh_range *bench_holes(const struct bench_list *list, size_t *ret_count);
/* Compiles and installs; `shuffled`: the orders are in no order. NULL: the empty list. Returns milliseconds from orders in memory to enforced. */
double bench_install(struct kh_kernel *kernel, const struct bench_list *list, bool shuffled);
/* What the generation of that folder takes in the kernel: images and records. */
uint64_t bench_kernel_bytes(const char *name);

struct bench_bpf;
/* The programs of bench.bpf.c, loaded afresh. */
struct bench_bpf *bench_bpf_load(void);
/* Puts a program where the harness calls it. */
void bench_select(struct bench_bpf *skeleton, int program_fd);
/* Fills the LPM trie of the list's family. Milliseconds. */
double bench_lpm_fill(struct bench_bpf *skeleton, const struct bench_list *list);
/* Sets what the limit is of. False: the list is too long to have one. */
bool bench_limit_set(struct bench_bpf *skeleton, const struct bench_list *list, bool hit);
void bench_samples_set(struct bench_bpf *skeleton, uint8_t family, const kh_u128 *samples, size_t count);

double bench_now_ms(void);
double bench_median(double *values, size_t count);

#endif
