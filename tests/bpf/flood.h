/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live traffic in the laboratory: one processor sends frames of a few classes at full speed, by XDP live frames, into the far end of LAB_LAN, where
 * the native program is attached; what it lets through is counted behind it, and ends there. The caller's thread gets another processor.
 */
#ifndef KHIEN_TESTS_FLOOD_H
#define KHIEN_TESTS_FLOOD_H

#include "lab.h"

#include "flood_shared.h"

/* After lab_setup(): devices up, programs loaded, khien_xdp attached by kh_kernel_attach(). `frames` are one for each class, in the words of
 * frames.h, without payload. */
void flood_open(const char *const *frames, size_t classes);
void flood_close(void);

/* Sends from now on; sent and passed start at zero. */
void flood_start(void);
/* Returns when `packets` more were sent. */
void flood_wait(uint64_t packets);
void flood_stop(void);

struct flood_tally {
	uint64_t sent[FLOOD_CLASSES_MAX], passed[FLOOD_CLASSES_MAX]; /* by class, since the start */
	uint64_t strange; /* came through and is none of ours */
	uint64_t arrived,
		refused; /* by the device, since it was made: received; not received since its queue was full */
};
void flood_read(struct flood_tally *ret_tally);

#endif
