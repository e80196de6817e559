/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that only this process has, with something in it; its offset is at the end.
 */
#ifndef KHIEN_TESTS_MEMORY_FILE_H
#define KHIEN_TESTS_MEMORY_FILE_H

#include <sys/mman.h>
#include <unistd.h>

static inline int memory_file(const void *data, size_t length)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, length), length);
	return fd;
}

#endif
