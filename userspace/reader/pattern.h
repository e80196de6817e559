/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STIX patterns (STIX 2.1, part 9): parsed whole, then asked which network values alone make the pattern match. Those can be blocked; a value that only
 * matches together with something a packet does not show cannot.
 */
#ifndef KHIEN_READER_PATTERN_H
#define KHIEN_READER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kh_pattern_value {
	const char *text; /* as in the pattern, unescaped */
	bool hash; /* of a file */
	bool alone; /* blocks what the pattern means, no more */
	uint16_t port; /* 0: all */
	uint8_t protocol; /* 0: all */
};

typedef int (*kh_pattern_take)(void *context, const struct kh_pattern_value *value); /* 0, or what ends the reading */

/* 0; -EINVAL: not a pattern, *ret_at is where (bytes); -E2BIG: too long or too deep; -ENOMEM; or what take returned. Values are handed out after all of it
 * was understood. */
int kh_pattern_read(const char *pattern, size_t *ret_at, kh_pattern_take take, void *context);

#endif
