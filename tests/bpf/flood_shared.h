/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What flood.bpf.c and flood.c share.
 */
#ifndef KHIEN_TESTS_FLOOD_SHARED_H
#define KHIEN_TESTS_FLOOD_SHARED_H

#define FLOOD_FRAME 80 /* bytes */
#define FLOOD_CLASSES_MAX 16 /* a power of two */

#endif
