// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that tries what hostile input would make a parser do, and prints what came of it. For test_sandbox.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

static int print(long result)
{
	printf("%s\n", result < 0 ? strerrorname_np(errno) : "done");
	return 0;
}

static int echo(void)
{
	char buffer[4096];
	ssize_t got;

	while ((got = read(0, buffer, sizeof(buffer))) > 0)
		if (write(1, buffer, (size_t)got) != got)
			return 1;
	return got < 0;
}

static int print_descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d ", fd);
	printf("\n");
	return 0;
}

static int print_who(void)
{
	printf("%u %u\n", getuid(), geteuid());
	for (char **variable = environ; *variable; variable++)
		printf("%s\n", *variable);
	return 0;
}

static int take_memory(void)
{
	for (size_t taken = 0;; taken++) {
		char *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED) {
			printf("%s after %zu MB\n", strerrorname_np(errno), taken);
			return 0;
		}
		memset(page, 1, 1 << 20);
	}
}

static int flood(void)
{
	static char block[65536];

	while (write(1, block, sizeof(block)) > 0)
		;
	return 1;
}

static int complain(void)
{
	fprintf(stderr, "line 7\x1b[31m is wrong\n");
	for (int i = 0; i < 100000; i++)
		fprintf(stderr, "and so on\n");
	return 3;
}

static int answer_calls(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		return 1;
	return print(listen(fd, 1));
}

static void *nothing(void *context)
{
	return context;
}

static int start_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, nothing, NULL);
	if (!errno)
		pthread_join(thread, NULL);
	return print(errno ? -1 : 0);
}

int main(int count, char **words)
{
	const char *what = count > 1 ? words[1] : "", *path = count > 2 ? words[2] : "";
	struct rlimit more = { 1 << 30, 1 << 30 };
	char *const true_words[] = { (char[]){ "true" }, NULL };

	if (!strcmp(what, "echo"))
		return echo();
	if (!strcmp(what, "read"))
		return print(open(path, O_RDONLY));
	if (!strcmp(what, "write"))
		return print(open(path, O_WRONLY | O_CREAT, 0600));
	if (!strcmp(what, "remove"))
		return print(unlink(path));
	if (!strcmp(what, "inet"))
		return print(socket(AF_INET, SOCK_STREAM, 0));
	if (!strcmp(what, "listen"))
		return answer_calls();
	if (!strcmp(what, "thread"))
		return start_thread();
	if (!strcmp(what, "unix"))
		return print(socket(AF_UNIX, SOCK_STREAM, 0));
	if (!strcmp(what, "fork"))
		return print(fork());
	if (!strcmp(what, "kill"))
		return print(kill(getppid(), SIGTERM));
	if (!strcmp(what, "trace"))
		return print(ptrace(PTRACE_ATTACH, getppid(), 0, 0));
	if (!strcmp(what, "limit"))
		return print(setrlimit(RLIMIT_FSIZE, &more));
	if (!strcmp(what, "exec"))
		return print(execv(path, true_words));
	if (!strcmp(what, "descriptors"))
		return print_descriptors();
	if (!strcmp(what, "who"))
		return print_who();
	if (!strcmp(what, "memory"))
		return take_memory();
	if (!strcmp(what, "flood"))
		return flood();
	if (!strcmp(what, "complain"))
		return complain();
	if (!strcmp(what, "fault"))
		abort();
	if (!strcmp(what, "spin"))
		for (volatile unsigned long i = 0;; i++)
			;
	if (!strcmp(what, "hang"))
		pause(), sleep(1000);
	if (!strcmp(what, "hide")) { /* closes its ends and goes on */
		close(1);
		close(2);
		sleep(1000);
	}
	return 2;
}
