/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of khien.conf for libinih, and what is wrong with them. libinih tells its handler no line number, ends a
 * comment only at ';' and reads 200 bytes at a time; this reader counts, cuts comments and feeds long lines in
 * pieces (libinih takes an indented line as more of the value before it). Used by config.c only.
 */
#ifndef KHIEN_DAEMON_CONFIG_LINES_H
#define KHIEN_DAEMON_CONFIG_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define KH_CONFIG_LINE_BYTES 4096 /* longest line, comment included */

struct kh_config_lines {
	const char *file; /* for messages */
	const char *data;
	size_t length;
	size_t at; /* next byte of data */
	int line; /* 1-based number of the line last handed out */
	bool more; /* the piece last handed out continues the one before */
	bool failed; /* error is filled: nothing more is handed out */
	char rest[KH_CONFIG_LINE_BYTES]; /* of the line, what has not been handed out yet */
	struct kh_error *error;
};

/* An ini_reader (fgets), with a struct kh_config_lines as context: the next piece, NULL at the end or after a failure. */
char *kh_config_lines_read(char *buffer, int size, void *context);

/* Of `count` words the one most like `text`, NULL when none is. */
const char *kh_config_nearest(const char *text, const char *const *words, size_t count);

#endif
