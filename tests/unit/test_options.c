// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line of khiend.
 */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/util.h"

/* Splits nothing: words as the shell would hand them over, up to NULL. */
static int parse(struct kh_options *ret_options, const char *first, ...)
{
	char *words[16] = { (char *)(uintptr_t) "khiend" };
	int count = 1;
	va_list rest;

	va_start(rest, first);
	for (const char *word = first; word; word = va_arg(rest, const char *))
		words[count++] = (char *)(uintptr_t)word;
	va_end(rest);
	optind = 0; /* getopt(3): begin anew */
	opterr = 0;
	return kh_options_parse(count, words, ret_options);
}

static void test_defaults(void **state KH_UNUSED)
{
	struct kh_options options;

	assert_int_equal(parse(&options, NULL), 0);
	assert_int_equal(options.task, KH_TASK_RUN);
	assert_string_equal(options.config, KH_SYSCONFDIR "/khien/khien.conf");
	assert_string_equal(options.state, KH_STATEDIR);
	assert_string_equal(options.run, "/run/khien");
	assert_string_equal(options.bpffs, "/sys/fs/bpf/khien");
	assert_false(options.load);
}

static void test_folders(void **state KH_UNUSED)
{
	struct kh_options options;

	assert_int_equal(parse(&options, "--config", "a", "--state=b", "--run", "c", "--bpffs=d", "--foreground", NULL),
			 0);
	assert_int_equal(options.task, KH_TASK_RUN);
	assert_string_equal(options.config, "a");
	assert_string_equal(options.state, "b");
	assert_string_equal(options.run, "c");
	assert_string_equal(options.bpffs, "d");
}

static void test_tasks(void **state KH_UNUSED)
{
	static const struct {
		const char *word;
		enum kh_task task;
	} cases[] = {
		{ "--check", KH_TASK_CHECK },	  { "--detect", KH_TASK_DETECT },
		{ "--detach", KH_TASK_DETACH },	  { "--new-ledger", KH_TASK_NEW_LEDGER },
		{ "--version", KH_TASK_VERSION }, { "--help", KH_TASK_HELP },
	};
	struct kh_options options;

	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(&options, cases[i].word, NULL), 0);
		assert_int_equal(options.task, cases[i].task);
		assert_int_equal(parse(&options, cases[i].word, cases[i].word, NULL), 0);
	}
	assert_int_equal(parse(&options, "--check", "--load", NULL), 0);
	assert_true(options.load);
}

static void test_refusals_leave_the_output(void **state KH_UNUSED)
{
	struct kh_options options = { .config = "before" };

	assert_int_equal(parse(&options, "--check", "--detach", NULL), -EINVAL);
	assert_int_equal(parse(&options, "--load", NULL), -EINVAL);
	assert_int_equal(parse(&options, "--detect", "--load", NULL), -EINVAL);
	assert_int_equal(parse(&options, "start", NULL), -EINVAL);
	assert_int_equal(parse(&options, "--config", NULL), -EINVAL);
	assert_int_equal(parse(&options, "--colour", NULL), -EINVAL);
	assert_int_equal(parse(&options, "-x", NULL), -EINVAL);
	assert_string_equal(options.config, "before");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_refusals_leave_the_output),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
