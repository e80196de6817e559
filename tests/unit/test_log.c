// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log: what arrives on standard error, under the journal and without it.
 */
#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static int saved_stderr, read_end;

static int setup(void **state KH_UNUSED)
{
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(pipes[1], STDERR_FILENO) >= 0);
	close(pipes[1]);
	read_end = pipes[0];
	unsetenv("JOURNAL_STREAM");
	unsetenv("KHIEN_DEBUG");
	kh_log_init();
	return 0;
}

static int teardown(void **state KH_UNUSED)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(read_end);
	return 0;
}

static const char *logged(void)
{
	static char text[8192];
	ssize_t got;

	assert_int_equal(fcntl(read_end, F_SETFL, O_NONBLOCK), 0);
	got = read(read_end, text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void listen_as_journal(void)
{
	struct stat status;
	char stream[64];

	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	kh_log_init();
}

static void test_plain_without_the_journal(void **state KH_UNUSED)
{
	kh_log(LOG_WARNING, "event=test number=%d", 7);
	assert_string_equal(logged(), "event=test number=7\n");
}

static void test_priority_under_the_journal(void **state KH_UNUSED)
{
	listen_as_journal();
	kh_log(LOG_WARNING, "event=test");
	kh_log(LOG_INFO, "event=test");
	assert_string_equal(logged(), "<4>event=test\n<6>event=test\n");
}

/* The variable is inherited by a program whose output goes elsewhere. */
static void test_plain_beside_the_journal(void **state KH_UNUSED)
{
	setenv("JOURNAL_STREAM", "1:2", 1);
	kh_log_init();
	kh_log(LOG_INFO, "event=test");
	assert_string_equal(logged(), "event=test\n");
	setenv("JOURNAL_STREAM", "garbage", 1);
	kh_log_init();
	kh_log(LOG_INFO, "event=test");
	assert_string_equal(logged(), "event=test\n");
}

static void test_a_value_cannot_forge_a_line(void **state KH_UNUSED)
{
	kh_log(LOG_INFO, "event=test file=%s", "a\n<0>event=panic\x1b[31m\xff");
	assert_string_equal(logged(), "event=test file=a?<0>event=panic?[31m?\n");
}

static void test_long_lines_are_cut(void **state KH_UNUSED)
{
	char text[4000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	kh_log(LOG_INFO, "%s", text);
	assert_int_equal(strlen(logged()), 2048);
}

static void test_debug_only_when_asked(void **state KH_UNUSED)
{
	kh_log(LOG_DEBUG, "event=detail");
	assert_string_equal(logged(), "");
	setenv("KHIEN_DEBUG", "1", 1);
	kh_log_init();
	kh_log(LOG_DEBUG, "event=detail");
	assert_string_equal(logged(), "event=detail\n");
}

static void test_errno_is_kept(void **state KH_UNUSED)
{
	errno = EDOM;
	close(read_end); /* the write fails, too */
	read_end = -1;
	signal(SIGPIPE, SIG_IGN);
	kh_log(LOG_INFO, "event=test");
	assert_int_equal(errno, EDOM);
}

static void test_error_with_and_without_hint(void **state KH_UNUSED)
{
	struct kh_error error;

	kh_fail(&error, -EINVAL, "what");
	kh_log_error(LOG_ERR, "failed", &error);
	kh_hint(&error, "next");
	kh_log_error(LOG_ERR, "failed", &error);
	assert_string_equal(logged(), "event=failed error=\"what\"\nevent=failed error=\"what\" hint=\"next\"\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_plain_without_the_journal),
		CASE(test_priority_under_the_journal),
		CASE(test_plain_beside_the_journal),
		CASE(test_a_value_cannot_forge_a_line),
		CASE(test_long_lines_are_cut),
		CASE(test_debug_only_when_asked),
		CASE(test_errno_is_kept),
		CASE(test_error_with_and_without_hint),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
