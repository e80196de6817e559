/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that grow.
 */
#ifndef KHIEN_COMMON_BYTES_H
#define KHIEN_COMMON_BYTES_H

#include <stddef.h>

/* May be all zero: empty. */
struct kh_bytes {
	unsigned char *data;
	size_t length, capacity;
};

int kh_bytes_add(struct kh_bytes *bytes, const void *data, size_t length); /* 0, or -ENOMEM: unchanged */
void kh_bytes_clear(struct kh_bytes *bytes);

#endif
