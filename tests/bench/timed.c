// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-timed COMMAND...: runs it with its output to /dev/null (BENCH_OUTPUT names another file) and prints "milliseconds peak-KiB exit-code".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	const char *path = getenv("BENCH_OUTPUT");
	int output = open(path ? path : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), status;
	struct rusage usage;
	double start;
	pid_t child;

	if (argc < 2 || output < 0)
		return 2;
	start = now_ms();
	child = fork();
	if (!child) {
		dup2(output, STDOUT_FILENO);
		execvp(argv[1], argv + 1);
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0)
		return 2;
	printf("%.1f %ld %d\n", now_ms() - start, usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
