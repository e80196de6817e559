// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Renaming and removing the files of a database. Nothing is ever overwritten here.
 */
#include "ledger/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/util.h"

/* The database comes first: a log without its database is noticed at the next start, the reverse would not be. */
static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

static int join(char name[static PATH_MAX], const char *path, const char *suffix)
{
	return snprintf(name, PATH_MAX, "%s%s", path, suffix) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int fd KH_CLEANUP(kh_closep) = -1;
	char *slash;

	if (join(folder, path, "") < 0)
		return -ENAMETOOLONG;
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder ? 1 : 0] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

bool kh_files_stray(const char *path)
{
	char name[PATH_MAX];
	struct stat status;

	return !join(name, path, "-wal") && !stat(name, &status) && status.st_size > 0;
}

void kh_files_remove(const char *path)
{
	char name[PATH_MAX];

	for (size_t i = 0; i < KH_ARRAY_SIZE(suffixes); i++)
		if (!join(name, path, suffixes[i]))
			unlink(name);
}

int kh_files_publish(const char *fresh, const char *path)
{
	int fd KH_CLEANUP(kh_closep) = open(fresh, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE) < 0)
		return -errno;
	return sync_folder(path);
}

static bool exists(const char *path, const char *suffix)
{
	char name[PATH_MAX];
	struct stat status;

	return !join(name, path, suffix) && !lstat(name, &status);
}

/* A base name under which none of the files exists yet. */
static int free_name(const char *path, char ret_base[static PATH_MAX])
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &utc);
	for (int i = 1; i < 1000; i++) {
		char number[16] = "";
		bool taken = false;

		if (i > 1)
			snprintf(number, sizeof(number), "-%d", i);
		if (snprintf(ret_base, PATH_MAX, "%s.damaged-%s%s", path, stamp, number) >= PATH_MAX)
			return -ENAMETOOLONG;
		for (size_t j = 0; j < KH_ARRAY_SIZE(suffixes); j++)
			taken = taken || exists(ret_base, suffixes[j]);
		if (!taken)
			return 0;
	}
	return -EEXIST;
}

int kh_files_set_aside(const char *path, char *ret_name, size_t size)
{
	char base[PATH_MAX], from[PATH_MAX], to[PATH_MAX];
	int moved = 0, code = free_name(path, base);

	if (code < 0)
		return code;
	if (strlen(base) >= size)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < KH_ARRAY_SIZE(suffixes); i++) {
		if (join(from, path, suffixes[i]) < 0 || join(to, base, suffixes[i]) < 0)
			return -ENAMETOOLONG;
		if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
			moved++;
		else if (errno != ENOENT)
			return -errno;
	}
	if (!moved)
		return -ENOENT;
	memcpy(ret_name, base, strlen(base) + 1);
	return sync_folder(path);
}
