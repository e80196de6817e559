/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole files in and out. Reading has a cap, writing is all or nothing and durable (temporary file in
 * the same folder, fsync, rename, fsync of the folder).
 */
#ifndef KHIEN_COMMON_FILE_H
#define KHIEN_COMMON_FILE_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

/* Reads all of fd from its start (pread; a pipe is read to its end). *ret_data is malloc'ed and followed
 * by a NUL that is not counted. 0, -EFBIG beyond `limit` bytes, -EISDIR, -ENOMEM or the errno of read. */
int kh_file_read_fd(int fd, size_t limit, char **ret_data, size_t *ret_length);
/* The same by path ("-" is standard input); also the errno of open. */
int kh_file_read(const char *path, size_t limit, char **ret_data, size_t *ret_length);
/* Writes all of it to fd, from where that stands. 0 or -errno. */
int kh_file_write_fd(int fd, const void *data, size_t length);
/* Replaces `path`. 0 or -errno; on failure the old file stays and nothing is left behind. */
int kh_file_write(const char *path, const void *data, size_t length, mode_t mode);
/* Every file of the folder whose name ends in `ending` and begins with no dot, in the order of their names: `take` gets its name and bytes (followed by a NUL
 * that is not counted; gone afterwards), or a negative `code`, why it cannot be read, and no bytes; a file larger than `limit` is -EFBIG. What `take`
 * returns below zero ends it and is returned; else how many there are; or -errno of the folder. */
int kh_folder_read(const char *folder, const char *ending, size_t limit,
		   int (*take)(const char *name, int code, const char *data, size_t length, void *context),
		   void *context);
/* Where a program of this package is: beside the one that runs, or else where it is installed. */
void kh_program_find(const char *name, char ret_path[static PATH_MAX]);
/* mkdir -p. 0 or -errno. */
int kh_make_folders(const char *path, mode_t mode);

#endif
