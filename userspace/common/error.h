/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error text that travels up to a person: what, where, what to do next. Filled by the module that
 * knows, shown by daemon and cli only. The text is already in the reader's language (lang.h).
 */
#ifndef KHIEN_COMMON_ERROR_H
#define KHIEN_COMMON_ERROR_H

#include <stdarg.h>

#include "common/util.h"

struct kh_error {
	int line; /* 1-based line of the input; 0: not about a line */
	int column; /* 1-based byte of that line; 0: not known */
	char text[512]; /* what is wrong, and where; no final full stop, no newline */
	char hint[512]; /* what to do next; may be empty */
};

/* Fills error (may be NULL) and returns `code`, so that a function can end with
 * `return kh_fail(error, -EINVAL, "...", ...)`. Clears hint and line. */
int kh_fail(struct kh_error *error, int code, const char *format, ...) KH_PRINTF(3, 4);
int kh_fail_at(struct kh_error *error, int code, int line, const char *format, ...) KH_PRINTF(4, 5);

/* Adds the next step to an error already filled. error may be NULL. */
void kh_hint(struct kh_error *error, const char *format, ...) KH_PRINTF(2, 3);

#endif
