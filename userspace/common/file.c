// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole files in and out.
 */
#include "common/crash.h"
#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"

#define FIRST_BYTES ((size_t)64 << 10)

static ssize_t read_some(int fd, char *at, size_t size, off_t offset, int seekable)
{
	ssize_t got;

	do
		got = seekable ? pread(fd, at, size, offset) : read(fd, at, size);
	while (got < 0 && errno == EINTR);
	return got;
}

int kh_file_read_fd(int fd, size_t limit, char **ret_data, size_t *ret_length)
{
	char *data KH_CLEANUP(kh_freep) = NULL;
	size_t length = 0, capacity = FIRST_BYTES;
	struct stat there;
	int seekable;

	if (fstat(fd, &there) < 0)
		return -errno;
	if (S_ISDIR(there.st_mode))
		return -EISDIR;
	seekable = S_ISREG(there.st_mode);
	if (seekable && there.st_size > 0) {
		if ((uint64_t)there.st_size > limit)
			return -EFBIG;
		capacity = (size_t)there.st_size + 1; /* one more, to see the end */
	}
	for (;;) {
		ssize_t got;
		char *grown = realloc(data, capacity + 1);

		if (!grown)
			return -ENOMEM;
		data = grown;
		got = read_some(fd, data + length, capacity - length, (off_t)length, seekable);
		if (got < 0)
			return -errno;
		if (!got)
			break;
		length += (size_t)got;
		if (length > limit)
			return -EFBIG;
		if (length == capacity)
			capacity *= 2;
	}
	data[length] = '\0';
	*ret_data = KH_TAKE(data);
	*ret_length = length;
	return 0;
}

int kh_file_read(const char *path, size_t limit, char **ret_data, size_t *ret_length)
{
	int fd KH_CLEANUP(kh_closep) = -1;

	if (!strcmp(path, "-"))
		return kh_file_read_fd(STDIN_FILENO, limit, ret_data, ret_length);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : kh_file_read_fd(fd, limit, ret_data, ret_length);
}

int kh_file_write_fd(int fd, const void *data, size_t length)
{
	const char *at = data;

	while (length) {
		ssize_t put = write(fd, at, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		at += put;
		length -= (size_t)put;
	}
	return 0;
}

static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd KH_CLEANUP(kh_closep) = -1;
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int kh_file_write(const char *path, const void *data, size_t length, mode_t mode)
{
	char temporary[PATH_MAX];
	int fd KH_CLEANUP(kh_closep) = -1, code;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	code = fchmod(fd, mode) < 0 ? -errno : kh_file_write_fd(fd, data, length);
	if (!code && fsync(fd) < 0)
		code = -errno;
	KH_CRASH_POINT("file.written");
	if (!code && rename(temporary, path) < 0)
		code = -errno;
	KH_CRASH_POINT("file.renamed");
	if (code) {
		unlink(temporary);
		return code;
	}
	return sync_folder(path);
}

/* Does the name end so? Hidden files are not meant. */
static bool is_wanted(const char *name, const char *ending)
{
	size_t length = strlen(name), tail = strlen(ending);

	return name[0] != '.' && length > tail && !strcmp(name + length - tail, ending);
}

int kh_folder_read(const char *folder, const char *ending, size_t limit,
		   int (*take)(const char *name, int code, const char *data, size_t length, void *context),
		   void *context)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, alphasort), taken = 0;

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX + NAME_MAX + 2], *data KH_CLEANUP(kh_freep) = NULL;
		const char *name = entries[i]->d_name;
		size_t length = 0;
		int code;

		if (taken < 0 || !is_wanted(name, ending))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		code = kh_file_read(path, limit, &data, &length);
		code = take(name, code, data, length, context);
		taken = code < 0 ? code : taken + 1;
	}
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return taken;
}

void kh_program_find(const char *name, char ret_path[static PATH_MAX])
{
	char self[PATH_MAX] = "";
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = length > 0 ? strrchr(self, '/') : NULL;

	if (slash) {
		*slash = '\0';
		if (snprintf(ret_path, PATH_MAX, "%s/%s", self, name) < PATH_MAX && !access(ret_path, X_OK))
			return;
	}
	snprintf(ret_path, PATH_MAX, KH_PREFIX "/libexec/khien/%s", name);
}

int kh_make_folders(const char *path, mode_t mode)
{
	char part[PATH_MAX];
	size_t length = strlen(path);
	struct stat there;

	if (!length || length >= sizeof(part))
		return length ? -ENAMETOOLONG : -ENOENT;
	memcpy(part, path, length + 1);
	for (size_t i = 1; i <= length; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return -errno;
		part[i] = path[i];
	}
	if (stat(path, &there) < 0) /* EEXIST is also said of a file */
		return -errno;
	return S_ISDIR(there.st_mode) ? 0 : -ENOTDIR;
}
