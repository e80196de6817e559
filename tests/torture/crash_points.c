// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The crash points (common/crash.h) of the daemon that is built for make torture. KHIEN_CRASH names a file, which is looked at whenever a point is
 * passed, and need not be there:
 *
 *   "NAME N"    the daemon ends by SIGKILL at the N-th passing of that point since the file was written
 *   "trace"     each name that is passed is appended to FILE.trace
 *
 * KHIEN_CRASH_LIST set: prints the names of all points, sorted, and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crash.h"

extern const char *__start_kh_crash_points[], *__stop_kh_crash_points[];

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

__attribute__((constructor)) static void list(void)
{
	size_t count = (size_t)(__stop_kh_crash_points - __start_kh_crash_points);

	if (!getenv("KHIEN_CRASH_LIST"))
		return;
	qsort(__start_kh_crash_points, count, sizeof(*__start_kh_crash_points), compare);
	for (size_t i = 0; i < count; i++)
		if (!i || strcmp(__start_kh_crash_points[i], __start_kh_crash_points[i - 1]))
			puts(__start_kh_crash_points[i]);
	exit(0);
}

static void trace(const char *path, const char *name)
{
	char file[4096], line[128];
	int fd;

	snprintf(file, sizeof(file), "%s.trace", path);
	snprintf(line, sizeof(line), "%s\n", name);
	fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		abort();
	close(fd);
}

static void pass(const char *name)
{
	static ino_t inode; /* of the file that is being counted for */
	static long passed;
	const char *path = getenv("KHIEN_CRASH");
	char wanted[128] = "", *number;
	struct stat status;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	if (fstat(fd, &status) < 0 || read(fd, wanted, sizeof(wanted) - 1) < 0)
		abort();
	close(fd);
	wanted[strcspn(wanted, "\n")] = '\0';
	if (!strcmp(wanted, "trace")) {
		trace(path, name);
		return;
	}
	number = strchr(wanted, ' ');
	if (!number)
		return;
	*number++ = '\0';
	if (status.st_ino != inode) {
		inode = status.st_ino;
		passed = 0;
	}
	if (!strcmp(wanted, name) && ++passed == atol(number))
		kill(getpid(), SIGKILL);
}

void kh_crash_point(const char *name)
{
	int code = errno; /* whoever is about to look at it must not notice us */

	pass(name);
	errno = code;
}
