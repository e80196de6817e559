/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The language of messages: a catalogue of our own making is found without any installed locale, and changes at run time.
 */
#include "common/lang.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/util.h"

static char folder[] = "/tmp/khien-test-lang.XXXXXX";

/* A catalogue (gettext manual, "The Format of GNU MO Files") of the header and one message. */
static void write_catalogue(const char *path)
{
	static const char head[] = "Content-Type: text/plain; charset=UTF-8\n", from[] = "protected",
			  to[] = "đang bảo vệ";
	const uint32_t words[] = { 0x950412de,
				   0,
				   2,
				   28,
				   44,
				   0,
				   60, /* two entries; originals, translations: length, offset */
				   0,
				   60,
				   sizeof(from) - 1,
				   61,
				   sizeof(head) - 1,
				   61 + sizeof(from),
				   sizeof(to) - 1,
				   61 + sizeof(from) + sizeof(head) };
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fwrite(words, 1, sizeof(words), file);
	fputc('\0', file);
	fwrite(from, 1, sizeof(from), file);
	fwrite(head, 1, sizeof(head), file);
	fwrite(to, 1, sizeof(to), file);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	char path[128];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/vi", folder);
	mkdir(path, 0755);
	strcat(path, "/LC_MESSAGES");
	mkdir(path, 0755);
	strcat(path, "/khien.mo");
	write_catalogue(path);
	setenv("KHIEN_LOCALEDIR", folder, 1);
	kh_lang_init();
	return 0;
}

static int teardown(void **state)
{
	static const char *const parts[] = { "/vi/LC_MESSAGES/khien.mo", "/vi/LC_MESSAGES", "/vi", "" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(parts); i++) {
		snprintf(path, sizeof(path), "%s%s", folder, parts[i]);
		if (remove(path) < 0)
			return -1;
	}
	return 0;
}

static void test_changes_at_run_time(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) { /* more than once: glibc keeps what it looked up */
		kh_lang_set("en");
		assert_string_equal(kh_lang_get(), "en");
		assert_string_equal(_("protected"), "protected");
		kh_lang_set("vi");
		assert_string_equal(kh_lang_get(), "vi");
		assert_string_equal(_("protected"), "đang bảo vệ");
	}
	kh_lang_set("vi");
	assert_string_equal(_("not in the catalogue"), "not in the catalogue");
	kh_lang_set("fr");
	assert_string_equal(kh_lang_get(), "en");
	assert_string_equal(_("protected"), "protected");
	kh_lang_set(NULL);
	assert_string_equal(kh_lang_get(), "en");
}

static void test_environment(void **state)
{
	static const struct {
		const char *all, *messages, *lang, *language, *expected;
	} rows[] = {
		{ NULL, NULL, NULL, NULL, "en" },
		{ NULL, NULL, "vi_VN.UTF-8", NULL, "vi" },
		{ NULL, NULL, "vi_VN", NULL, "vi" },
		{ NULL, NULL, "vi", NULL, "vi" },
		{ NULL, NULL, "vi.UTF-8", NULL, "vi" },
		{ NULL, NULL, "en_US.UTF-8", NULL, "en" },
		{ NULL, NULL, "vilnius", NULL, "en" },
		{ "en_US.UTF-8", NULL, "vi_VN.UTF-8", NULL, "en" },
		{ "vi_VN.UTF-8", "en_US.UTF-8", NULL, NULL, "vi" },
		{ NULL, "vi_VN.UTF-8", "en_US.UTF-8", NULL, "vi" },
		{ "", "", "vi_VN.UTF-8", NULL, "vi" },
		{ NULL, NULL, "C.UTF-8", "vi:en", "vi" }, /* a Debian without locales */
		{ NULL, NULL, "C.UTF-8", "vi", "vi" },
		{ NULL, NULL, "C.UTF-8", "en:vi", "en" },
		{ NULL, NULL, "C.UTF-8", NULL, "en" },
		{ "C.UTF-8", NULL, "vi_VN.UTF-8", NULL, "vi" },
		{ "C", NULL, "vi_VN.UTF-8", "vi", "en" }, /* a script asks for English */
		{ "POSIX", NULL, "vi_VN.UTF-8", NULL, "en" },
	};
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE" };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		const char *const values[] = { rows[i].all, rows[i].messages, rows[i].lang, rows[i].language };

		for (size_t j = 0; j < KH_ARRAY_SIZE(names); j++) {
			if (values[j])
				setenv(names[j], values[j], 1);
			else
				unsetenv(names[j]);
		}
		if (strcmp(kh_lang_from_environment(), rows[i].expected))
			fail_msg("row %zu is not %s", i, rows[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_at_run_time),
		cmocka_unit_test(test_environment),
	};

	return cmocka_run_group_tests_name("lang", tests, setup, teardown);
}
