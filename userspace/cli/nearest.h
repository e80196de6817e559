/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The name that was meant, out of those there are.
 */
#ifndef KHIEN_CLI_NEAREST_H
#define KHIEN_CLI_NEAREST_H

#include <stddef.h>

/* The name with the fewest letters to add, drop, change or swap with the next; NULL when none is within a third of
 * what was typed (at least two letters), so that nonsense gets no advice. */
const char *kh_nearest(const char *typed, const char *const *names, size_t count);

#endif
