/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small things every module uses: cleanup attributes, ownership hand-over, sizes.
 * Holds no state and never logs.
 */
#ifndef KHIEN_COMMON_UTIL_H
#define KHIEN_COMMON_UTIL_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KH_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define KH_CLEANUP(function) __attribute__((cleanup(function)))
#define KH_PRINTF(text_argument, first_value) __attribute__((format(printf, text_argument, first_value)))
#define KH_UNUSED __attribute__((unused))

/* Hands a pointer (or descriptor) over: the local is cleared, so its cleanup does nothing. */
#define KH_TAKE(pointer)                                   \
	__extension__({                                    \
		__typeof__(pointer) kh_taken_ = (pointer); \
		(pointer) = NULL;                          \
		kh_taken_;                                 \
	})
#define KH_TAKE_FD(fd)                   \
	__extension__({                  \
		int kh_taken_fd_ = (fd); \
		(fd) = -1;               \
		kh_taken_fd_;            \
	})

/* For KH_CLEANUP on locals of any pointer from malloc: char *text KH_CLEANUP(kh_freep) = NULL; */
static inline void kh_freep(void *pointer)
{
	free(*(void **)pointer);
}

static inline void kh_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void kh_fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* Grows *array so that it holds at least `wanted` elements of `size` bytes; doubles. 0 or -ENOMEM,
 * then *array and *capacity are unchanged. */
int kh_grow(void *array, size_t *capacity, size_t wanted, size_t size);

#endif
