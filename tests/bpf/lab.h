/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the packet programs are tested: a mount namespace with a bpffs of its own and a network namespace with a few devices,
 * so that nothing of the machine is touched and nothing is left, however the test ends. Frames go through the
 * real programs by BPF_PROG_TEST_RUN; what they counted is read as the daemon reads it.
 */
#ifndef KHIEN_TESTS_LAB_H
#define KHIEN_TESTS_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/address.h"
#include "common/util.h"
#include "compile/compile.h"
#include "kernel/kernel.h"

#define LAB_SKIPPED 77 /* exit code */
#define LAB_FOLDER "/mnt/khien"

/* Devices: interface indexes. */
#define LAB_LAN 10
#define LAB_WAN 11
#define LAB_COVERED 12 /* stacked on LAB_LAN */
#define LAB_UNKNOWN 13 /* not in the interface table */
#define LAB_ANY 14 /* LAN with more subnets than the table holds */
#define LAB_WG 15 /* LAN without an Ethernet header */
#define LAB_FAR (LAB_LAN + KH_INTERFACE_PLACES) /* LAN; wants the place of LAB_LAN in the table */

enum lab_program {
	LAB_XDP,
	LAB_TC_IN,
	LAB_TC_IN_L3,
	LAB_TC_OUT,
	LAB_TC_OUT_L3,
	LAB_PROGRAMS,
};
extern const char *const lab_program_names[LAB_PROGRAMS];

static inline bool lab_is_l3(enum lab_program program)
{
	return program == LAB_TC_IN_L3 || program == LAB_TC_OUT_L3;
}

static inline bool lab_is_out(enum lab_program program)
{
	return program == LAB_TC_OUT || program == LAB_TC_OUT_L3;
}

/* Enters the namespaces, makes the devices, opens the kernel module's folder and fills the interface table. 0, or LAB_SKIPPED after saying
 * why; ends the program on anything else. For cmocka's group setup: lab_setup, lab_teardown. */
int lab_enter(void);
int lab_setup(void **state);
int lab_teardown(void **state);

struct kh_kernel *lab_kernel(void);
/* Closes and opens the folder again, as a restart of the daemon does. */
void lab_reopen(void);
/* The row of the counters of a device. */
uint8_t lab_number(uint32_t ifindex);

/* ---- Lists ---- */

struct kh_image *lab_compile(const struct kh_compile_order *orders, size_t orders_count, const struct kh_range *holes,
			     size_t holes_count);
/* Prepares and switches to the image, and frees it. */
void lab_install(struct kh_image *image);
/* The switch alone, without its grace period: with another generation prepared, makes that the one in force. Back by the same. */
void lab_flip(void);
struct kh_range lab_range(const char *text);

/* ---- Packets ---- */

struct lab_run {
	enum lab_program program;
	uint32_t ifindex;
	uint32_t came_by; /* tc: ingress_ifindex, 0: sent by the gateway */
	uint16_t gso_segs, gso_size;
	uint32_t repeat; /* 0: once */
};

enum lab_verdict {
	LAB_PASSED,
	LAB_DROPPED,
	LAB_REFUSED, /* tc: newer kernels run no packet that is shorter than the IP header its EtherType promises */
};

/* Fails the test when the program returns anything that it should not. */
enum lab_verdict lab_send(const struct lab_run *run, const void *frame, size_t length);

/* ---- Evidence ---- */

struct lab_evidence {
	struct kh_counter counters[KH_COUNTERS];
	struct kh_record *records; /* of the generation in force */
	size_t records_count;
	struct kh_sighting_entry *sightings;
	size_t sightings_count;
	uint64_t events_lost, sightings_lost;
};

/* Reads all there is. What the struct (zero at first) held before is freed. */
void lab_read(struct lab_evidence *evidence);
void lab_evidence_clear(struct lab_evidence *evidence);
const struct kh_counter *lab_counter(const struct lab_evidence *evidence, uint32_t ifindex, enum kh_direction direction,
				     enum kh_reason reason);
/* Only the reasons of one device and direction: quicker. */
void lab_read_reasons(uint32_t ifindex, enum kh_direction direction,
		      struct kh_counter ret_reasons[static KH_REASON_ROWS]);
/* Value of a sighting, or NULL. */
const struct kh_sighting *lab_sighting(const struct lab_evidence *evidence, const struct kh_sighting_key *key);
/* Puts entries into the table of sightings that no packet made: of slot 0, so that none can meet them. */
void lab_fill_sightings(uint32_t count);
const char *lab_reason_name(uint32_t reason);

/* ---- The clock ---- */

/* From now on it is this wall-clock second for the programs, and stays so. */
void lab_freeze_clock(uint32_t seconds);
/* Real time again. */
void lab_thaw_clock(void);

/* ---- Random numbers: xorshift64*, always the same from one seed ---- */

struct lab_random {
	uint64_t state;
};

uint64_t lab_random(struct lab_random *random);
static inline uint32_t lab_below(struct lab_random *random, uint32_t limit)
{
	return (uint32_t)((lab_random(random) >> 32) * limit >> 32);
}

#endif
