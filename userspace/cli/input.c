// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that a person names.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/util.h"
#include "reader/reader.h"

/* What can be read once only (a pipe, a terminal) goes into memory: it is read for the plan, and again for the act. No more of it than
 * shows that it is too much. */
static int keep(int fd)
{
	int memory KH_CLEANUP(kh_closep) = memfd_create("khien-input", MFD_CLOEXEC);
	char buffer[65536];
	size_t kept = 0;
	ssize_t got;

	if (memory < 0)
		return -errno;
	while (kept <= KH_READER_MAX_BYTES && (got = read(fd, buffer, sizeof(buffer))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || write(memory, buffer, (size_t)got) != got)
			return got < 0 ? -errno : -ENOSPC;
		kept += (size_t)got;
	}
	return KH_TAKE_FD(memory);
}

int kh_input_open(const char *name)
{
	int fd KH_CLEANUP(kh_closep) =
		strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY) : dup(STDIN_FILENO);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	return S_ISREG(status.st_mode) ? KH_TAKE_FD(fd) : keep(fd);
}
