/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UTF-8, Vietnamese letters, columns, numbers, durations and times.
 */
#include "common/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

static size_t check(const char *text)
{
	return kh_utf8_check(text, strlen(text));
}

static void test_utf8(void **state)
{
	(void)state;
	assert_int_equal(kh_utf8_check("", 0), 0);
	assert_int_equal(check("Đối chiếu"), strlen("Đối chiếu"));
	assert_int_equal(check("\xf0\x9f\x9b\xa1"), 4);
	assert_int_equal(check("\xf4\x8f\xbf\xbf"), 4); /* U+10FFFF */
	assert_int_equal(check("ab\xff"), 2);
	assert_int_equal(check("a\x80"), 1); /* no lead byte */
	assert_int_equal(check("a\xc0\xaf"), 1); /* overlong */
	assert_int_equal(check("a\xe0\x80\xaf"), 1);
	assert_int_equal(check("a\xf0\x80\x80\xaf"), 1);
	assert_int_equal(check("a\xed\xa0\x80"), 1); /* surrogate */
	assert_int_equal(check("a\xf4\x90\x80\x80"), 1); /* beyond U+10FFFF */
	assert_int_equal(check("a\xf5\x80\x80\x80"), 1);
	assert_int_equal(check("a\xe1\xba"), 1); /* cut off */
	assert_int_equal(check("a\xe1\xba"
			       "b"),
			 1);
	assert_int_equal(kh_utf8_check("\xe1\xba\xa1", 2), 0);
	assert_int_equal(kh_utf8_check("a\0b", 3), 3);
}

static void assert_unaccent(const char *text, const char *expected)
{
	char *plain KH_CLEANUP(kh_freep) = kh_text_unaccent(text);

	assert_string_equal(plain, expected);
}

/* Every letter of the alphabet, both cases, composed; compared with the row of base letters. */
static void test_unaccent_composed(void **state)
{
	(void)state;
	assert_unaccent("àáảãạăằắẳẵặâầấẩẫậ", "aaaaaaaaaaaaaaaaa");
	assert_unaccent("ÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬ", "AAAAAAAAAAAAAAAAA");
	assert_unaccent("èéẻẽẹêềếểễệ", "eeeeeeeeeee");
	assert_unaccent("ÈÉẺẼẸÊỀẾỂỄỆ", "EEEEEEEEEEE");
	assert_unaccent("ìíỉĩịÌÍỈĨỊ", "iiiiiIIIII");
	assert_unaccent("òóỏõọôồốổỗộơờớởỡợ", "ooooooooooooooooo");
	assert_unaccent("ÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢ", "OOOOOOOOOOOOOOOOO");
	assert_unaccent("ùúủũụưừứửữự", "uuuuuuuuuuu");
	assert_unaccent("ÙÚỦŨỤƯỪỨỬỮỰ", "UUUUUUUUUUU");
	assert_unaccent("ỳýỷỹỵỲÝỶỸỴ", "yyyyyYYYYY");
	assert_unaccent("đĐ", "dD");
	assert_unaccent("Ð", "D"); /* U+00D0: what old keyboards type for Đ */
	assert_unaccent("Cục An toàn thông tin, số 298/VNCERT-ĐPƯC", "Cuc An toan thong tin, so 298/VNCERT-DPUC");
}

static void test_unaccent_decomposed(void **state)
{
	(void)state;
	assert_unaccent("Đo\xcc\x82\xcc\x81i chie\xcc\x82\xcc\x81u", "Doi chieu");
	assert_unaccent("U\xcc\x9b\xcc\xa3", "U"); /* horn, dot below */
	assert_unaccent("a\xcc\x86\xcc\x81 \xc4\x83\xcc\x81", "a a"); /* the second one half composed */
	assert_unaccent("", "");
}

/* What is not Vietnamese stays, byte by byte. */
static void test_unaccent_leaves_the_rest(void **state)
{
	(void)state;
	assert_unaccent("tiếng 日本 ñ ü ß №", "tieng 日本 ñ ü ß №");
	assert_unaccent("a\xff\xe1\xba", "a\xff\xe1\xba");
}

static void assert_fold(const char *text, const char *expected)
{
	char *folded KH_CLEANUP(kh_freep) = kh_text_fold(text);

	assert_string_equal(folded, expected);
}

static void test_fold(void **state)
{
	(void)state;
	assert_fold("298/VNCERT-ĐPƯC", "298/vncert-dpuc");
	assert_fold("298 /vncert-dpuc", "298/vncert-dpuc");
	assert_fold(" 298/\tVNCERT\n-\xc2\xa0 DPU\xcc\x9b"
		    "C\r\n",
		    "298/vncert-dpuc");
	assert_fold("298/VNCERT–ĐPƯC", "298/vncert-dpuc"); /* en dash, by a word processor */
	assert_fold("298/VNCERT−ĐPƯC", "298/vncert-dpuc"); /* minus sign */
	assert_fold("298/VNCERT\xe2\x80\x91ĐPƯC\xef\xbb\xbf", "298/vncert-dpuc"); /* no-break hyphen, byte order mark */
	assert_fold("29\xc2\xad"
		    "8/VNCERT-ĐPƯC",
		    "298/vncert-dpuc"); /* soft hyphen */
	assert_fold("", "");
	assert_fold("日本", "日本");
	assert_fold("a\xe2\x80", "a\xe2\x80");
	assert_fold("298/VNCERT_DPUC", "298/vncert_dpuc");
}

static void test_columns(void **state)
{
	(void)state;
	assert_int_equal(kh_text_columns(""), 0);
	assert_int_equal(kh_text_columns("abc"), 3);
	assert_int_equal(kh_text_columns("Đang bảo vệ"), 11);
	assert_int_equal(kh_text_columns("ba\xcc\x89o ve\xcc\x82\xcc\xa3"), 6);
	assert_int_equal(kh_text_columns("日本"), 4);
	assert_int_equal(kh_text_columns("→ ·"), 3);
	assert_int_equal(kh_text_columns("a\xff"), 2);
}

static void assert_printable(const char *text, const char *expected)
{
	char buffer[64];

	strcpy(buffer, text);
	kh_text_printable(buffer);
	assert_string_equal(buffer, expected);
}

static void test_printable(void **state)
{
	(void)state;
	assert_printable("Công văn 123", "Công văn 123");
	assert_printable("a\x1b[31mb", "a?[31mb");
	assert_printable("a\nb\tc\x7f", "a?b?c?");
	assert_printable("a\xc2\x9b"
			 "b",
			 "a?b"); /* C1: one-character CSI */
	assert_printable("a\xff\xe1\xba", "a???");
	assert_printable("1.2.3\xe2\x80\xae.4", "1.2.3?.4"); /* right-to-left override */
	assert_printable("1.2\xe2\x80\x8b.3.4", "1.2?.3.4"); /* zero width space */
	assert_printable("", "");
}

static void test_numbers(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "0x10", "1e3", "1.0", "-", "--1", "a", "1a", "१" };
	int64_t number = 42;

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(bad); i++)
		if (kh_number_parse(bad[i], INT64_MIN, INT64_MAX, &number) != -EINVAL)
			fail_msg("\"%s\" is accepted", bad[i]);
	assert_int_equal(kh_number_parse("11", 1, 10, &number), -ERANGE);
	assert_int_equal(kh_number_parse("0", 1, 10, &number), -ERANGE);
	assert_int_equal(kh_number_parse("-1", 0, 10, &number), -ERANGE);
	assert_int_equal(kh_number_parse("9223372036854775808", INT64_MIN, INT64_MAX, &number), -ERANGE);
	assert_int_equal(kh_number_parse("-9223372036854775809", INT64_MIN, INT64_MAX, &number), -ERANGE);
	assert_int_equal(number, 42); /* unchanged */
	assert_int_equal(kh_number_parse("10", 1, 10, &number), 0);
	assert_int_equal(number, 10);
	assert_int_equal(kh_number_parse("-5", -5, 10, &number), 0);
	assert_int_equal(number, -5);
	assert_int_equal(kh_number_parse("9223372036854775807", INT64_MIN, INT64_MAX, &number), 0);
	assert_true(number == INT64_MAX);
}

static void test_dates(void **state)
{
	static const struct {
		const char *text, *date;
	} rows[] = {
		{ "2019-03-15", "2019-03-15" }, { "15/3/2019", "2019-03-15" },	{ "15/03/2019", "2019-03-15" },
		{ "1-2-2023", "2023-02-01" },	{ "01.02.2023", "2023-02-01" }, { "29/2/2024", "2024-02-29" },
		{ "29/02/2000", "2000-02-29" }, { "2199-12-31", "2199-12-31" }, { "1990-1-1", "1990-01-01" },
	};
	static const char *const bad[] = {
		"",	      "15",	    "15/3",	  "15/3/19",	"29/2/2023",  "29/2/2100",
		"31/4/2023",  "0/1/2023",   "1/0/2023",	  "1/13/2023",	"2023-13-01", "2023-1-32",
		"2023/03/15", "15/3-2019",  "15/3/2019 ", " 15/3/2019", "15/3/2019x", "1989-12-31",
		"2200-01-01", "015/3/2019", "15//2019",	  "-1/3/2019",	"15 3 2019",  "2019-03-15-",
	};
	char date[KH_DATE_TEXT] = "unchanged";

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(bad); i++)
		if (kh_date_parse(bad[i], date) != -EINVAL)
			fail_msg("taken for a date: %s", bad[i]);
	assert_string_equal(date, "unchanged");
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		assert_int_equal(kh_date_parse(rows[i].text, date), 0);
		assert_string_equal(date, rows[i].date);
	}
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = { { "1", 1 },
		     { "30s", 30 },
		     { "5m", 300 },
		     { "24h", 86400 },
		     { "7d", 604800 },
		     { "2w", 1209600 },
		     { "3650d", 315360000 },
		     { "315360000", 315360000 },
		     { "315360000s", 315360000 } };
	static const char *const bad[] = { "",
					   "0",
					   "0h",
					   "-5m",
					   "+5m",
					   "5M",
					   "5 m",
					   "m",
					   "1h30m",
					   "1.5h",
					   "5mm",
					   " 5m",
					   "5m ",
					   "3651d",
					   "315360001",
					   "522w",
					   "99999999999999w",
					   "5y",
					   "5ms" };
	int64_t seconds = 42;

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		assert_int_equal(kh_duration_parse(rows[i].text, &seconds), 0);
		assert_int_equal(seconds, rows[i].seconds);
	}
	seconds = 42;
	for (size_t i = 0; i < KH_ARRAY_SIZE(bad); i++)
		if (kh_duration_parse(bad[i], &seconds) != -EINVAL)
			fail_msg("\"%s\" is accepted", bad[i]);
	assert_int_equal(seconds, 42);
}

static void test_time_in_vietnam(void **state)
{
	char buffer[KH_TIME_TEXT];

	(void)state;
	setenv("TZDIR", "/nonexistent", 1); /* the default zone needs no files */
	assert_string_equal(kh_time_format(1674229939, NULL, buffer), "2023-01-20T22:52:19+07:00");
	assert_string_equal(kh_time_format(1674229939, "Asia/Ho_Chi_Minh", buffer), "2023-01-20T22:52:19+07:00");
	assert_string_equal(kh_time_format_local(1674229939, NULL, buffer), "22:52:19 20/01/2023");
	assert_string_equal(kh_time_format(1674234000, NULL, buffer), "2023-01-21T00:00:00+07:00");
	assert_string_equal(kh_time_format(0, NULL, buffer), "1970-01-01T07:00:00+07:00");
	assert_string_equal(kh_time_format(1674229939, "UTC", buffer), "2023-01-20T15:52:19+00:00");
	unsetenv("TZDIR");
}

/* Whatever the ledger holds, the text is a time; and the zone never changes that of the process. */
static void test_time_at_the_ends(void **state)
{
	char buffer[KH_TIME_TEXT];

	(void)state;
	assert_string_equal(kh_time_format(INT64_MAX, NULL, buffer), "9999-12-31T06:59:59+07:00");
	assert_string_equal(kh_time_format(INT64_MIN, NULL, buffer), "1000-01-02T07:00:00+07:00");
	assert_string_equal(kh_time_format_local(INT64_MAX, "UTC", buffer), "23:59:59 30/12/9999");
	assert_int_equal(strlen(kh_time_format(INT64_MIN, "UTC", buffer)), 25);
}

static void test_zones(void **state)
{
	static const char *const bad[] = { "",
					   "Asia",
					   "Asia/",
					   "zone.tab",
					   "tzdata.zi",
					   "../zoneinfo/UTC",
					   "/etc/localtime",
					   ":UTC",
					   "Asia/Hanoi",
					   "Europe/Nowhere",
					   "EST5EDT,M3.2.0,M11.1.0" };
	char folder[] = "/tmp/khien-test-zones.XXXXXX", path[128];
	/* A version 1 file (RFC 8536): no transitions, one type of -3:30 that is called "X". */
	static const char zone[] =
		"TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\2"
		"\xff\xff\xce\xc8\0\0X\0";
	int offset = 42;
	const char *before = getenv("TZ");
	FILE *file;

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(bad); i++)
		if (kh_timezone_offset(bad[i], 0, &offset) != -EINVAL)
			fail_msg("\"%s\" is accepted", bad[i]);
	assert_int_equal(offset, 42);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/Here", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(zone, 1, sizeof(zone) - 1, file), sizeof(zone) - 1);
	fclose(file);
	setenv("TZDIR", folder, 1);
	assert_int_equal(kh_timezone_offset("Here", 0, &offset), 0);
	assert_int_equal(offset, -12600);
	assert_string_equal(kh_time_format(0, "Here", path), "1969-12-31T20:30:00-03:30");
	unsetenv("TZDIR");
	snprintf(path, sizeof(path), "%s/Here", folder);
	unlink(path);
	rmdir(folder);
	assert_true(before ? getenv("TZ") && !strcmp(getenv("TZ"), before) : !getenv("TZ"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_unaccent_composed),
		cmocka_unit_test(test_unaccent_decomposed),
		cmocka_unit_test(test_unaccent_leaves_the_rest),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_time_in_vietnam),
		cmocka_unit_test(test_time_at_the_ends),
		cmocka_unit_test(test_zones),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
