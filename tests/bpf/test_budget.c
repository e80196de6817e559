// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The verifier's budget: budget.txt has, for each program, the instructions that a kernel series verified when it was last measured. More than 10 %
 * above is a defect or a decision; a decision is written down by the line that this test prints. Kernels that are not in the file are
 * held to twice the largest number.
 */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define BUDGET_FILE "tests/bpf/budget.txt"

struct line {
	char kernel[16], program[32];
	unsigned long instructions;
};

static size_t read_budget(struct line lines[static 64])
{
	FILE *file KH_CLEANUP(kh_fclosep) = fopen(BUDGET_FILE, "r");
	size_t count = 0;
	char text[256];

	if (!file)
		fail_msg("cannot read " BUDGET_FILE " (start the test from the top of the tree)");
	while (count < 64 && fgets(text, sizeof(text), file)) {
		if (text[0] == '#')
			continue;
		assert_int_equal(sscanf(text, "%15s %31s %lu", lines[count].kernel, lines[count].program,
					&lines[count].instructions),
				 3);
		count++;
	}
	return count;
}

/* What the program may need on this kernel. */
static unsigned long limit_of(const struct line *lines, size_t count, const char *kernel, const char *program)
{
	unsigned long largest = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(lines[i].program, program))
			continue;
		if (!strcmp(lines[i].kernel, kernel))
			return lines[i].instructions + lines[i].instructions / 10;
		if (largest < lines[i].instructions)
			largest = lines[i].instructions;
	}
	return 2 * largest;
}

static void test_budget(void **state)
{
	struct line lines[64], now;
	size_t count = read_budget(lines), programs = 0, over = 0;
	struct kh_error error = {};
	char report[1024] = "", kernel[16];
	unsigned int major, minor;
	struct utsname name;

	(void)state;
	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%u.%u", &major, &minor), 2);
	snprintf(kernel, sizeof(kernel), "%u.%u", major, minor);
	if (kh_kernel_check(report, sizeof(report), &error) < 0)
		fail_msg("the programs do not load: %s", error.text);
	for (char *rest = report, *text; (text = strsep(&rest, "\n"));) {
		unsigned long limit;

		if (sscanf(text, "%31s %lu", now.program, &now.instructions) != 2)
			continue;
		programs++;
		limit = limit_of(lines, count, kernel, now.program);
		printf("%s %s %lu\n", kernel, now.program, now.instructions);
		if (now.instructions <= limit)
			continue;
		print_error("%s: %lu verified instructions, at most %lu planned\n", now.program, now.instructions,
			    limit);
		over++;
	}
	assert_true(programs >= 5);
	assert_int_equal(over, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_budget),
	};
	int code = lab_enter();

	return code ? code : cmocka_run_group_tests(tests, NULL, NULL);
}
