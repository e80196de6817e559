// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Starting the program, listening to it, and ending it when its time, or our patience with its answer, is over.
 */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "sandbox/private.h"

#define STACK_BYTES 65536 /* a multiple of 16 */

struct run {
	const struct kh_sandbox *sandbox;
	pid_t pid; /* 0: none */
	int output, complaint, report; /* ends of pipes */
	int64_t deadline; /* milliseconds */
	struct kh_sandbox_result result;
	size_t complained;
};

void kh_sandbox_result_clear(struct kh_sandbox_result *result)
{
	kh_bytes_clear(&result->output);
}

static void run_clear(struct run *run)
{
	if (run->pid > 0) {
		kill(run->pid, SIGKILL);
		waitpid(run->pid, NULL, 0);
	}
	kh_closep(&run->output);
	kh_closep(&run->complaint);
	kh_closep(&run->report);
	kh_sandbox_result_clear(&run->result);
}

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- Starting ------------------------------------------------------------------------------------------ */

struct pipes {
	int output[2], complaint[2], report[2], input;
};

static void pipes_clear(struct pipes *pipes)
{
	int *const all[] = { &pipes->output[0], &pipes->output[1], &pipes->complaint[0], &pipes->complaint[1],
			     &pipes->report[0], &pipes->report[1], &pipes->input };

	for (size_t i = 0; i < KH_ARRAY_SIZE(all); i++)
		kh_closep(all[i]);
}

/* Copies lie above the standard descriptors, which are replaced one by one. */
static int make_pipes(const struct kh_sandbox *sandbox, struct pipes *pipes)
{
	int *const ends[] = { pipes->output, pipes->complaint, pipes->report };

	for (size_t i = 0; i < KH_ARRAY_SIZE(ends); i++) {
		int made[2];

		if (pipe2(made, O_CLOEXEC) < 0)
			return -errno;
		for (int end = 0; end < 2; end++) {
			ends[i][end] = fcntl(made[end], F_DUPFD_CLOEXEC, 3);
			close(made[end]);
		}
		if (ends[i][0] < 0 || ends[i][1] < 0)
			return -EMFILE;
	}
	if (sandbox->input >= 0 && lseek(sandbox->input, 0, SEEK_SET) < 0)
		return -errno;
	pipes->input = sandbox->input >= 0 ? fcntl(sandbox->input, F_DUPFD_CLOEXEC, 3)
					   : open("/dev/null", O_RDONLY | O_CLOEXEC);
	return pipes->input < 0 ? -errno : 0;
}

/* As vfork, with a stack of its own: no copy of a large process, and none of its pages after it, one by one. The process id, or -errno. */
static pid_t make_process(struct kh_confined *confined)
{
	char *stack KH_CLEANUP(kh_freep) = malloc(STACK_BYTES);
	sigset_t all, before;
	pid_t pid;
	int code;

	if (!stack)
		return -ENOMEM;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = clone(kh_confined_exec, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, confined);
	code = -errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? code : pid;
}

static int start(struct run *run, const struct kh_walls *walls)
{
	struct pipes pipes KH_CLEANUP(pipes_clear) = { { -1, -1 }, { -1, -1 }, { -1, -1 }, -1 };
	struct kh_confined confined = { .sandbox = run->sandbox, .walls = walls, .parent = getpid() };
	int code = make_pipes(run->sandbox, &pipes);

	if (code)
		return code;
	confined.descriptors[0] = pipes.input;
	confined.descriptors[1] = pipes.output[1];
	confined.descriptors[2] = pipes.complaint[1];
	confined.report = pipes.report[1];
	run->pid = make_process(&confined);
	if (run->pid < 0)
		return run->pid;
	run->output = KH_TAKE_FD(pipes.output[0]);
	run->complaint = KH_TAKE_FD(pipes.complaint[0]);
	run->report = KH_TAKE_FD(pipes.report[0]);
	return 0;
}

/* What failed before the program began; 0: it began. */
static int started(const struct run *run)
{
	int code = 0;
	ssize_t got;

	do
		got = read(run->report, &code, sizeof(code));
	while (got < 0 && errno == EINTR);
	return got == sizeof(code) ? code : 0;
}

/* ---- Listening ----------------------------------------------------------------------------------------- */

static int hear_output(struct run *run)
{
	unsigned char buffer[65536];
	ssize_t got = read(run->output, buffer, sizeof(buffer));

	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	if (!got)
		kh_closep(&run->output), run->output = -1;
	if ((size_t)got > run->sandbox->output_max - run->result.output.length)
		return -EFBIG;
	return got ? kh_bytes_add(&run->result.output, buffer, (size_t)got) : 0;
}

/* The beginning is kept, the rest heard to its end. */
static int hear_complaint(struct run *run)
{
	char buffer[4096];
	ssize_t got = read(run->complaint, buffer, sizeof(buffer));
	size_t room = sizeof(run->result.complaint) - 1 - run->complained;

	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	if (!got)
		kh_closep(&run->complaint), run->complaint = -1;
	room = (size_t)got < room ? (size_t)got : room;
	memcpy(run->result.complaint + run->complained, buffer, room);
	run->complained += room;
	return 0;
}

static int listen_to(struct run *run)
{
	int code = 0;

	while (!code && (run->output >= 0 || run->complaint >= 0)) {
		struct pollfd polls[] = { { run->output, POLLIN, 0 }, { run->complaint, POLLIN, 0 } };
		int64_t left = run->deadline - milliseconds();

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(polls, KH_ARRAY_SIZE(polls), left > 1000 ? 1000 : (int)left) < 0 && errno != EINTR)
			return -errno;
		if (polls[0].revents)
			code = hear_output(run);
		if (polls[1].revents && !code)
			code = hear_complaint(run);
	}
	return code;
}

/* It may close its ends and go on. */
static int wait_for_end(struct run *run)
{
	int descriptor KH_CLEANUP(kh_closep) = (int)syscall(SYS_pidfd_open, run->pid, 0);
	int64_t left = run->deadline - milliseconds();
	struct pollfd poll_end = { descriptor, POLLIN, 0 };
	int status;

	if (descriptor < 0)
		return -errno;
	while (left > 0 && poll(&poll_end, 1, (int)left) < 0 && errno == EINTR)
		left = run->deadline - milliseconds();
	if (left <= 0 || !poll_end.revents)
		return -ETIMEDOUT;
	if (waitpid(run->pid, &status, 0) < 0)
		return -errno;
	run->pid = 0;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGXCPU ? -ETIMEDOUT : -EPROTO;
	run->result.status = WEXITSTATUS(status);
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------------------------- */

static int say(const struct kh_sandbox *sandbox, int code, struct kh_error *error)
{
	const char *name = strrchr(sandbox->program, '/') ? strrchr(sandbox->program, '/') + 1 : sandbox->program;

	switch (code) {
	case -ENOENT:
		return kh_fail(error, code, _("%s is not installed"), name);
	case -ETIMEDOUT:
		return kh_fail(error, code, _("%s was stopped: it took more than %u seconds"), name,
			       sandbox->seconds_max);
	case -EFBIG:
		return kh_fail(error, code, _("%s was stopped: it wrote more than %zu MB"), name,
			       sandbox->output_max >> 20);
	case -EPROTO:
		return kh_fail(error, code, _("%s broke off: the document may be damaged, or made to do harm"), name);
	default:
		return kh_fail(error, code, _("%s could not be started: %s"), name, strerror(-code));
	}
}

int kh_sandbox_run(const struct kh_sandbox *sandbox, struct kh_sandbox_result *ret_result, struct kh_error *error)
{
	struct run run KH_CLEANUP(run_clear) = { .sandbox = sandbox, .output = -1, .complaint = -1, .report = -1 };
	struct kh_walls walls KH_CLEANUP(kh_walls_clear) = { .landlock = -1 };
	int code = kh_walls_build(sandbox, &walls);

	run.deadline = milliseconds() + (int64_t)sandbox->seconds_max * 1000;
	if (!code)
		code = start(&run, &walls);
	if (!code)
		code = started(&run);
	if (!code)
		code = listen_to(&run);
	if (!code)
		code = wait_for_end(&run);
	if (code)
		return say(sandbox, code, error);
	kh_text_printable(run.result.complaint);
	*ret_result = run.result;
	run.result = (struct kh_sandbox_result){};
	return 0;
}
