// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a program in the sandbox can do, and what it cannot: by a program that tries (victim.c). As root and as anybody.
 */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/util.h"
#include "memory_file.h"

static char victim[4096];
static bool network; /* of the sandbox to come */

static int run(const char *what, const char *path, int input, struct kh_sandbox_result *result, struct kh_error *error)
{
	const char *const words[] = { "victim", what, path, NULL };
	const struct kh_sandbox sandbox = { .program = victim,
					    .arguments = words,
					    .input = input,
					    .output_max = 1 << 20,
					    .memory_max = 64 << 20,
					    .seconds_max = 20,
					    .network = network };

	*result = (struct kh_sandbox_result){};
	return kh_sandbox_run(&sandbox, result, error);
}

/* Runs it and compares what it printed. */
static void expect(const char *what, const char *path, const char *expected)
{
	struct kh_sandbox_result result;
	struct kh_error error = {};

	if (run(what, path, -1, &result, &error))
		fail_msg("%s %s: %s", what, path, error.text);
	kh_bytes_add(&result.output, "", 1);
	if (strcmp((char *)result.output.data, expected))
		fail_msg("%s %s: %s, not %s", what, path, (char *)result.output.data, expected);
	kh_sandbox_result_clear(&result);
}

static void test_it_reads_and_answers(void **state)
{
	char *data KH_CLEANUP(kh_freep) = malloc(300000);
	int fd KH_CLEANUP(kh_closep) = -1;
	struct kh_sandbox_result result;
	struct kh_error error = {};

	(void)state;
	for (size_t i = 0; i < 300000; i++)
		data[i] = (char)(i * 7);
	fd = memory_file(data, 300000); /* its offset is at the end now */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run("echo", NULL, fd, &result, &error), 0);
		assert_int_equal(result.status, 0);
		assert_int_equal(result.output.length, 300000);
		assert_memory_equal(result.output.data, data, 300000);
		kh_sandbox_result_clear(&result);
	}
}

static void test_its_complaint_is_kept(void **state)
{
	struct kh_sandbox_result result;
	struct kh_error error = {};

	(void)state;
	assert_int_equal(run("complain", NULL, -1, &result, &error), 0);
	assert_int_equal(result.status, 3);
	assert_int_equal(strncmp(result.complaint, "line 7?[31m is wrong", 20), 0);
	assert_int_equal(strlen(result.complaint), sizeof(result.complaint) - 1);
	kh_sandbox_result_clear(&result);
}

static void test_it_reads_what_is_installed(void **state)
{
	(void)state;
	expect("read", "/usr/bin/env", "done\n");
	expect("read", "/usr/lib", "done\n");
}

static void test_and_no_other_file(void **state)
{
	(void)state;
	expect("read", "/etc/passwd", "EACCES\n");
	expect("read", "/etc", "EACCES\n");
	expect("read", "/proc/self/status", "EACCES\n");
	expect("read", "/dev/null", "EACCES\n");
	expect("read", "/", "EACCES\n");
}

static void test_it_writes_no_file(void **state)
{
	char path[] = "/tmp/khien-sandbox-XXXXXX";
	int fd KH_CLEANUP(kh_closep) = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0666), 0);
	expect("read", path, "EACCES\n");
	expect("write", path, "EPERM\n");
	expect("remove", path, "EPERM\n");
	assert_int_equal(unlink(path), 0);
	expect("write", path, "EPERM\n");
	assert_int_equal(access(path, F_OK), -1);
}

static void test_it_talks_to_nobody(void **state)
{
	(void)state;
	expect("inet", NULL, "EPERM\n");
	expect("unix", NULL, "EPERM\n");
	expect("fork", NULL, "EPERM\n");
	expect("kill", NULL, "EPERM\n");
	expect("trace", NULL, "EPERM\n");
	expect("limit", NULL, "EPERM\n");
}

static void test_nothing_is_handed_on(void **state)
{
	int high KH_CLEANUP(kh_closep) = fcntl(2, F_DUPFD, 700), low KH_CLEANUP(kh_closep) = dup(2);

	(void)state;
	assert_true(high > 2 && low > 2);
	setenv("SECRET", "x", 1);
	expect("descriptors", NULL, "0 1 2 \n");
	if (getuid())
		return;
	expect("who", NULL, "65534 65534\nLC_ALL=C.UTF-8\nOMP_THREAD_LIMIT=1\n");
}

static void test_it_starts_with_the_standard_descriptors_closed(void **state)
{
	int kept[3];

	(void)state;
	fflush(NULL);
	for (int i = 0; i < 3; i++)
		kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
	for (int i = 0; i < 3; i++)
		close(i);
	expect("descriptors", NULL, "0 1 2 \n");
	for (int i = 0; i < 3; i++) {
		dup2(kept[i], i);
		close(kept[i]);
	}
}

static void test_its_memory_is_limited(void **state)
{
	struct kh_sandbox_result result;
	struct kh_error error = {};
	unsigned taken = 0;

	(void)state;
	assert_int_equal(run("memory", NULL, -1, &result, &error), 0);
	kh_bytes_add(&result.output, "", 1);
	assert_int_equal(sscanf((char *)result.output.data, "ENOMEM after %u MB", &taken), 1);
	assert_in_range(taken, 30, 64);
	kh_sandbox_result_clear(&result);
}

static void expect_stopped(const char *what, unsigned int seconds, int code, const char *text)
{
	const char *const words[] = { "victim", what, NULL };
	const struct kh_sandbox sandbox = { .program = victim,
					    .arguments = words,
					    .input = -1,
					    .output_max = 1 << 20,
					    .memory_max = 64 << 20,
					    .seconds_max = seconds };
	struct kh_sandbox_result result = {};
	struct kh_error error = {};

	assert_int_equal(kh_sandbox_run(&sandbox, &result, &error), code);
	assert_null(result.output.data);
	if (!strstr(error.text, text))
		fail_msg("%s: %s", what, error.text);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
	assert_int_equal(errno, ECHILD);
}

static void test_it_is_stopped(void **state)
{
	(void)state;
	expect_stopped("spin", 1, -ETIMEDOUT, "more than 1 seconds");
	expect_stopped("hang", 1, -ETIMEDOUT, "more than 1 seconds");
	expect_stopped("hide", 1, -ETIMEDOUT, "more than 1 seconds");
	expect_stopped("flood", 20, -EFBIG, "more than 1 MB");
	expect_stopped("fault", 20, -EPROTO, "broke off");
}

static void test_what_is_not_installed_is_said(void **state)
{
	const char *const words[] = { "x", NULL };
	const struct kh_sandbox sandbox = { .program = "/usr/bin/no-such-program",
					    .arguments = words,
					    .input = -1,
					    .output_max = 1,
					    .memory_max = 64 << 20,
					    .seconds_max = 1 };
	struct kh_sandbox_result result = {};
	struct kh_error error = {};

	(void)state;
	assert_int_equal(kh_sandbox_run(&sandbox, &result, &error), -ENOENT);
	assert_string_equal(error.text, "no-such-program is not installed");
}

/* Another program may take its place, behind the same walls: this one is there, that one is not. */
static void test_another_program_has_the_same_walls(void **state)
{
	struct kh_sandbox_result result;
	struct kh_error error = {};

	(void)state;
	assert_int_equal(run("exec", "/usr/bin/true", -1, &result, &error), 0);
	assert_int_equal(result.output.length, 0);
	kh_sandbox_result_clear(&result);
	expect("exec", "/bin/no-such-program", "ENOENT\n");
}

/* Whoever fetches may call out. It may be called by nobody, and not speak to a daemon of this machine by its socket's name. */
static void test_who_fetches_calls_out_and_no_more(void **state)
{
	(void)state;
	network = true;
	expect("inet", NULL, "done\n");
	expect("thread", NULL, "done\n");
	expect("listen", NULL, "EPERM\n");
	expect("unix", NULL, "EPERM\n");
	expect("fork", NULL, "EPERM\n");
	expect("kill", NULL, "EPERM\n");
	expect("trace", NULL, "EPERM\n");
	expect("read", "/etc/passwd", "EACCES\n");
	expect("write", "/tmp/khien-victim", "EPERM\n");
	network = false;
	expect("inet", NULL, "EPERM\n");
	expect("thread", NULL, "EPERM\n");
}

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_reads_and_answers),
		cmocka_unit_test(test_its_complaint_is_kept),
		cmocka_unit_test(test_it_reads_what_is_installed),
		cmocka_unit_test(test_and_no_other_file),
		cmocka_unit_test(test_it_writes_no_file),
		cmocka_unit_test(test_it_talks_to_nobody),
		cmocka_unit_test(test_who_fetches_calls_out_and_no_more),
		cmocka_unit_test(test_nothing_is_handed_on),
		cmocka_unit_test(test_it_starts_with_the_standard_descriptors_closed),
		cmocka_unit_test(test_its_memory_is_limited),
		cmocka_unit_test(test_it_is_stopped),
		cmocka_unit_test(test_what_is_not_installed_is_said),
		cmocka_unit_test(test_another_program_has_the_same_walls),
	};
	char self[4000];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)count;
	(void)words;
	if (length < 0)
		return 1;
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(victim, sizeof(victim), "%s/victim", self);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
