// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Small parts of khien that need no daemon: the command that was meant, the language of the configuration, phrases out of replies.
 * Screens are compared by tests/golden/cli.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cli/language.h"
#include "cli/nearest.h"
#include "cli/pins.h"
#include "cli/render.h"
#include "common/file.h"
#include "common/lang.h"

static const char *meant(const char *typed)
{
	static const char *const names[] = { "read",  "push",	 "review", "accept",   "reject",
					     "block", "unblock", "allow",  "disallow", "status",
					     "stats", "list",	 "why",	   "undo",     "enforce" };

	return kh_nearest(typed, names, KH_ARRAY_SIZE(names));
}

static void test_nearest(void **state KH_UNUSED)
{
	assert_string_equal(meant("psuh"), "push"); /* two letters swapped */
	assert_string_equal(meant("pus"), "push");
	assert_string_equal(meant("pussh"), "push");
	assert_string_equal(meant("pash"), "push");
	assert_string_equal(meant("blcok"), "block");
	assert_string_equal(meant("unblcok"), "unblock");
	assert_string_equal(meant("stat"), "status"); /* the first of those it begins */
	assert_string_equal(meant("stast"), "stats");
	assert_string_equal(meant("enfroce"), "enforce");
	assert_string_equal(meant("l"), "list");
}

/* Swapped letters are one slip, not two: they win over a name that comes first and is two away. */
static void test_swapped_letters(void **state KH_UNUSED)
{
	static const char *const names[] = { "abcxy", "abdc" };

	assert_string_equal(kh_nearest("abcd", names, 2), "abdc");
}

static void test_nothing_near(void **state KH_UNUSED)
{
	char longest[100];

	memset(longest, 'p', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_null(meant(""));
	assert_null(meant("firewall"));
	assert_null(meant("chặn"));
	assert_null(meant(longest));
	longest[32] = '\0';
	assert_null(meant(longest));
}

static const char *language(const char *text)
{
	char path[] = "/tmp/khien-cli-test.XXXXXX";
	const char *found;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	found = kh_language_of_configuration(path);
	unlink(path);
	return found;
}

static void test_language_of_configuration(void **state KH_UNUSED)
{
	assert_string_equal(language("[gateway]\nname = x\nlanguage = vi\n"), "vi");
	assert_string_equal(language("# language = vi\n[gateway]\n\tlanguage=en ; tiếng Anh\r\nwan = eth0\n"), "en");
	assert_string_equal(language("[gateway]\nlanguage = vi#x\n"), "vi");
	assert_null(language("language = vi\n"));
	assert_null(language("[guard]\nlanguage = vi\n"));
	assert_null(language("[gateway]\n[http]\nlanguage = vi\n"));
	assert_null(language("[gateway]\nlanguage = vie\n"));
	assert_null(language("[gateway]\nlanguage = fr\n"));
	assert_null(language("[gateway]\nlanguages = vi\n"));
	assert_null(language("[gateway]\n#language = vi\n"));
	assert_null(language(""));
	assert_null(kh_language_of_configuration("/nowhere/khien.conf"));
}

static const char *zone(const char *time)
{
	json_t *object = json_pack("{s:s}", "t", time);
	const char *text = kh_zone(object, "t");

	json_decref(object);
	return text;
}

static void test_zone(void **state KH_UNUSED)
{
	assert_string_equal(zone("2023-01-20T22:47:10+07:00"), "UTC+7");
	assert_string_equal(zone("2023-01-20T22:47:10-11:00"), "UTC-11");
	assert_string_equal(zone("2023-01-20T22:47:10+05:30"), "UTC+5:30");
	assert_string_equal(zone("2023-01-20T22:47:10+00:00"), "UTC+0");
	assert_string_equal(zone("2023-01-20T22:47:10Z"), "UTC");
	assert_string_equal(zone("yesterday"), "UTC");
}

static const char *span(const char *first, const char *last, const char *now)
{
	json_t *object = json_pack("{s:s?, s:s?}", "f", first, "l", last);
	const char *text = kh_span(object, "f", "l", now);

	json_decref(object);
	return text;
}

static void test_span(void **state KH_UNUSED)
{
	const char *early = "2023-01-20T22:47:12+07:00", *late = "2023-01-20T23:00:58+07:00",
		   *next = "2023-01-21T00:10:00+07:00";

	assert_string_equal(span(early, late, late), "22:47:12–23:00:58");
	assert_string_equal(span(early, late, next), "22:47:12–23:00:58 20/01/2023");
	assert_string_equal(span(early, late, NULL), "22:47:12–23:00:58 20/01/2023");
	assert_string_equal(span(early, next, next), "22:47:12 20/01/2023 – 00:10:00 21/01/2023");
	assert_string_equal(span(early, early, late), "22:47:12");
	assert_string_equal(span(NULL, late, next), "23:00:58 20/01/2023");
	assert_string_equal(span(early, NULL, next), "");
	assert_string_equal(span(early, "2023-01-20 23:00", next), "");
}

static void test_times_of_another_shape(void **state KH_UNUSED)
{
	static const char *const times[] = { "", "2023", "20/01/2023 22:47:10", "2023-01-20T22:47:1",
					     "2023-01-20T22:47:x0" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(times); i++) {
		json_t *object = json_pack("{s:s}", "t", times[i]);

		assert_string_equal(kh_when(object, "t"), "");
		assert_string_equal(kh_clock(object, "t"), "");
		json_decref(object);
	}
	assert_string_equal(kh_date("2023-01-20"), "20/01/2023");
	assert_string_equal(kh_date("tháng 1"), "tháng 1");
}

static void test_numbers(void **state KH_UNUSED)
{
	kh_text_begin("en");
	assert_string_equal(kh_count(0), "0");
	assert_string_equal(kh_count(99999), "99999");
	assert_string_equal(kh_count(100000), "100.0 k");
	assert_string_equal(kh_count(1234567), "1.2 M");
	assert_string_equal(kh_bytes(1023), "1023 B");
	assert_string_equal(kh_bytes(1024), "1.0 KiB");
	assert_string_equal(kh_bytes(5LL << 50), "5120.0 TiB");
	kh_text_begin("vi");
	assert_string_equal(kh_count(1234567), "1,2 M");
	kh_text_begin("en");
}

/* A text longer than a buffer ends at a whole character. */
static void test_long_text(void **state KH_UNUSED)
{
	char text[3001];

	for (size_t i = 0; i < 1000; i++)
		memcpy(text + 3 * i, "ế", 3);
	text[3000] = '\0';
	assert_int_equal(strlen(kh_printable(text)) % 3, 0);
	assert_null(strchr(kh_printable(text), '?'));
	assert_null(strchr(kh_printable(text + 1) + 2, '?')); /* only the two stray bytes it begins with */
	assert_string_equal(kh_printable("a\033[1mb"), "a?[1mb");
}

static void test_pins(void **state KH_UNUSED)
{
	char folder[] = "/tmp/khien-cli-pins.XXXXXX", path[128];
	int error = 0;
	json_t *links;

	links = kh_pins_read("/nowhere/khien", &error);
	assert_int_equal(json_array_size(links), 0);
	json_decref(links);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/v7/links", folder);
	assert_int_equal(kh_make_folders(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/v7/links/xdp-generic-1", folder);
	assert_int_equal(kh_file_write(path, "", 0, 0600), 0);
	snprintf(path, sizeof(path), "%s/v7/links/strange", folder);
	assert_int_equal(kh_file_write(path, "", 0, 0600), 0);
	snprintf(path, sizeof(path), "%s/v", folder); /* no version: not looked into */
	assert_int_equal(kh_file_write(path, "", 0, 0600), 0);
	links = kh_pins_read(folder, &error);
	assert_int_equal(json_array_size(links), 2);
	assert_string_equal(kh_text_at(links, 0), "strange");
	assert_string_equal(kh_text_at(links, 1), "lo xdp-generic");
	json_decref(links);
	snprintf(path, sizeof(path), "%s/v", folder);
	assert_null(kh_pins_read(path, &error)); /* a file, not a folder */
	assert_int_equal(error, ENOTDIR);
	snprintf(path, sizeof(path), "rm -r %s", folder);
	assert_int_equal(system(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_swapped_letters),
		cmocka_unit_test(test_nothing_near),
		cmocka_unit_test(test_language_of_configuration),
		cmocka_unit_test(test_zone),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_times_of_another_shape),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_pins),
	};

	kh_lang_init();
	kh_lang_set("en");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
