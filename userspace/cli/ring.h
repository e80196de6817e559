/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short-lived texts for one line of output. A ring, so that nobody has to free them.
 */
#ifndef KHIEN_CLI_RING_H
#define KHIEN_CLI_RING_H

#define RING_SIZE 32
#define RING_TEXT 1024

char *kh_ring_next(void); /* RING_TEXT bytes; used again after RING_SIZE calls */

#endif
