/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * List files of the guard: the format, what is wrong with a line, all or nothing.
 */
#include "guard_case.h"

#include <errno.h>

static int add_list(struct kh_guard *guard, const char *text, struct kh_error *error)
{
	return kh_guard_add_list(guard, "x.list", text, strlen(text), error);
}

static void test_list_format(void **state)
{
	GUARD(guard);
	struct kh_error error;

	(void)state;
	assert_int_equal(add_list(guard,
				  "\xef\xbb\xbf# heading\r\n"
				  "\n"
				  "192.0.2.1   Máy phân giải # comment\r\n"
				  "\t192.0.2.8/30\n"
				  "@kind special-purpose # from here\n"
				  "192.0.2.16-192.0.2.20#x\n"
				  "@kind\tshared-infrastructure\n"
				  "2001:db8::/32 CDN\n"
				  "@kind never-block\n"
				  "192.0.2.99",
				  &error),
			 0);
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "192.0.2.1", KH_REFUSE, KH_WHY_NEVER_BLOCK, "x.list:3 Máy phân giải", 0);
	expect(guard, "192.0.2.9", KH_REFUSE, KH_WHY_NEVER_BLOCK, "x.list:4", 0);
	expect(guard, "192.0.2.20", KH_REFUSE, KH_WHY_SPECIAL, "x.list:6", 0);
	expect(guard, "2001:db8::1", KH_REVIEW, KH_WHY_SHARED, "x.list:8 CDN", 0);
	expect(guard, "192.0.2.99", KH_REFUSE, KH_WHY_NEVER_BLOCK, "x.list:10", 0);
}

static void test_list_errors(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *says, *hints;
	} cases[] = {
		{ "192.0.2.1\n192.0.2.300\n", 2, "x.list:2: not an address, prefix or range: 192.0.2.300", "comment" },
		{ "resolver\n", 1, "not an address", "comment" },
		{ "192.0.2.5/24\n", 1, "beyond the prefix length: 192.0.2.5/24", "192.0.2.0/24" },
		{ "192.0.2.9-192.0.2.1\n", 1, "not an address", "first-last" },
		{ "192.0.2.1\n\n@kind everything\n", 3, "x.list:3: not understood: @kind everything",
		  "@kind never-block" },
		{ "@kinds never-block\n", 1, "not understood", "@kind" },
		{ "0.0.0.0/0\n", 1, "covers all of IPv4", "stay reachable" },
		{ "::/0\n", 1, "covers all of IPv6", "stay reachable" },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		GUARD(guard);
		struct kh_error error;
		const struct kh_range *holes;
		size_t count;

		assert_int_equal(add_list(guard, cases[i].text, &error), -EINVAL);
		assert_int_equal(error.line, cases[i].line);
		if (!strstr(error.text, cases[i].says) || !strstr(error.hint, cases[i].hints))
			fail_msg("case %zu: \"%s\", hint \"%s\"", i, error.text, error.hint);
		assert_int_equal(kh_guard_seal(guard), 0);
		kh_guard_holes(guard, &holes, &count);
		assert_int_equal(count, 0); /* all or nothing */
	}
}

static void test_list_keeps_what_was_there(void **state)
{
	GUARD(guard);
	struct kh_error error;

	(void)state;
	assert_int_equal(add_list(guard, "192.0.2.1 kept\n", &error), 0);
	assert_int_equal(add_list(guard, "192.0.2.2\n@kind shared-infrastructure\n192.0.2.3\nrubbish\n", &error),
			 -EINVAL);
	assert_int_equal(add_list(guard, "192.0.2.4 later\n", &error), 0);
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "192.0.2.1", KH_REFUSE, KH_WHY_NEVER_BLOCK, "x.list:1 kept", 0);
	expect(guard, "192.0.2.2", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "192.0.2.3", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "192.0.2.4", KH_REFUSE, KH_WHY_NEVER_BLOCK, "x.list:1 later", 0);
}

static void test_list_hostile_lines(void **state)
{
	GUARD(guard);
	struct kh_error error;
	static const char with_nul[] = "192.0.2.1\0x\n";
	char text[2048];

	(void)state;
	assert_int_equal(kh_guard_add_list(guard, "x.list", with_nul, sizeof(with_nul) - 1, &error), -EINVAL);
	memset(text, '1', sizeof(text));
	assert_int_equal(kh_guard_add_list(guard, "x.list", text, sizeof(text), &error), -EINVAL);
	/* a long label is cut between characters, never inside one */
	strcpy(text, "192.0.2.1 ");
	for (int i = 0; i < 100; i++)
		strcat(text, "ạ");
	assert_int_equal(add_list(guard, text, &error), 0);
	assert_int_equal(kh_guard_seal(guard), 0);
	assert_int_equal(strlen(judge(guard, "192.0.2.1").rule), strlen("x.list:1 ") + 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_format),
		cmocka_unit_test(test_list_errors),
		cmocka_unit_test(test_list_keeps_what_was_there),
		cmocka_unit_test(test_list_hostile_lines),
	};

	return cmocka_run_group_tests_name("guard_list", tests, NULL, NULL);
}
