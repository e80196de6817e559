// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a command as a unit with this SystemCallFilter= would: the system calls named in the file, one a line, are allowed, all others fail with EPERM.
 *
 *   filtered FILE COMMAND...
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	FILE *names = argc > 2 ? fopen(argv[1], "re") : NULL;
	char name[128];
	int code = filter && names ? 0 : -EINVAL;

	while (!code && fgets(name, sizeof(name), names)) {
		int number;

		name[strcspn(name, "\n")] = '\0';
		number = seccomp_syscall_resolve_name(name);
		if (number >= 0) /* of another architecture, or newer than the library: not there */
			code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	if (!code)
		code = seccomp_load(filter);
	if (code) {
		fprintf(stderr, "filtered: %s\n", strerror(-code));
		return 1;
	}
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 1;
}
