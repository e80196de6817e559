// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SSH session that somebody types in, as sshd tells it in SSH_CONNECTION: the daemon does not cut it off. sudo and su take the variable away, so the
 * processes that this one comes from are asked too, as far as they may be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/file.h"
#include "common/text.h"

#define VARIABLE "SSH_CONNECTION"
#define ANCESTORS 32
#define ENVIRONMENT_BYTES ((size_t)4 << 20)
#define LONGEST 160

static bool is_fit(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length < LONGEST && kh_utf8_check(text, length) == length;
}

/* The variable in the environment that a process began with; true: it is there. */
static bool read_environment(long pid, char ret_text[static LONGEST])
{
	char path[64], *data KH_CLEANUP(kh_freep) = NULL;
	size_t length, at = 0;

	snprintf(path, sizeof(path), "/proc/%ld/environ", pid);
	if (kh_file_read(path, ENVIRONMENT_BYTES, &data, &length) < 0)
		return false;
	while (at < length) { /* each ends with a zero, and so do the data */
		if (!strncmp(data + at, VARIABLE "=", sizeof(VARIABLE)) && is_fit(data + at + sizeof(VARIABLE))) {
			snprintf(ret_text, LONGEST, "%s", data + at + sizeof(VARIABLE));
			return true;
		}
		at += strlen(data + at) + 1;
	}
	return false;
}

static long parent_of(long pid)
{
	FILE *file KH_CLEANUP(kh_fclosep) = NULL;
	char path[64], line[256];
	long parent = 0;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	file = fopen(path, "re");
	while (file && !parent && fgets(line, sizeof(line), file))
		if (sscanf(line, "PPid: %ld", &parent) == 1)
			return parent;
	return 0;
}

const char *kh_session_find(void)
{
	static char found[LONGEST];
	static bool looked;
	const char *own = getenv(VARIABLE);
	long pid = (long)getppid();

	if (own)
		return is_fit(own) ? own : NULL;
	for (int i = 0; !looked && i < ANCESTORS && pid > 1 && !read_environment(pid, found); i++)
		pid = parent_of(pid);
	looked = true;
	return found[0] ? found : NULL;
}
