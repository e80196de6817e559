// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of issuers: which agency a number's code and a head's name lead to, what a file of one's own changes, and what is refused with its line.
 */
#include "reader/issuers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"
#include "common/util.h"

#define ISSUERS(issuers) struct kh_issuers *issuers KH_CLEANUP(kh_issuers_freep) = kh_issuers_new()

static void add(struct kh_issuers *issuers, const char *name, const char *text)
{
	struct kh_error error = {};

	if (kh_issuers_add(issuers, name, text, strlen(text), &error) < 0)
		fail_msg("%s", error.text);
}

static void add_shipped(struct kh_issuers *issuers)
{
	char *data KH_CLEANUP(kh_freep) = NULL;
	size_t length;

	assert_int_equal(kh_file_read("rules/issuers.d/10-trung-uong.list", KH_ISSUERS_FILE_BYTES, &data, &length), 0);
	add(issuers, "10-trung-uong.list", data);
}

/* What a letter with this number and head (each may be NULL) is said to be issued by. */
static void expect(const struct kh_issuers *issuers, const char *number, const char *head, const char *expected)
{
	struct kh_letter letter KH_CLEANUP(kh_letter_clear) = { .number = number ? strdup(number) : NULL,
								.issuer = head ? strdup(head) : NULL };

	assert_int_equal(kh_issuers_name(issuers, &letter), 0);
	if (!expected || !letter.issuer) {
		assert_null(expected);
		assert_null(letter.issuer);
		return;
	}
	assert_string_equal(letter.issuer, expected);
}

static void test_shipped(void **state)
{
	ISSUERS(issuers);

	(void)state;
	add_shipped(issuers);
	expect(issuers, "941/CATTT-NCSC", NULL, "Cục An toàn thông tin");
	expect(issuers, "941/CATTT-NCSC", "CỤC AN TOÀN THÔNG TIN", "Cục An toàn thông tin");
	expect(issuers, "58/VNCERT-ĐPƯC", NULL, "Trung tâm Ứng cứu khẩn cấp máy tính Việt Nam");
	expect(issuers, "58/vncert-dpuc", NULL, "Trung tâm Ứng cứu khẩn cấp máy tính Việt Nam");
	expect(issuers, "2290/BTTTT-CATTT", NULL, "Bộ Thông tin và Truyền thông");
	expect(issuers, "12/BC-CATTT", NULL, "Cục An toàn thông tin");
	expect(issuers, "2898/A05-P5", NULL, "Cục An ninh mạng và phòng, chống tội phạm sử dụng công nghệ cao");
	expect(issuers, "2312/CVT-CS", NULL, "Cục Viễn thông");
	expect(issuers, "05/2017/QĐ-TTg", NULL, "Thủ tướng Chính phủ");
	expect(issuers, "77/VNCERT/CC-KT", NULL, "Trung tâm Ứng cứu khẩn cấp không gian mạng Việt Nam");
	expect(issuers, "46/STTTT-BCVTCNTT", NULL, "Sở Thông tin và Truyền thông");
	expect(issuers, "61/XYZ-YTĐT", NULL, NULL);
	expect(issuers, "61/BC", NULL, NULL);
	expect(issuers, "khong-co-so", NULL, NULL);
	expect(issuers, NULL, NULL, NULL);
}

/* A head says more than a code; a scan drops vowels; two lines of a head may have been read as one. */
static void test_heads(void **state)
{
	ISSUERS(issuers);

	(void)state;
	add_shipped(issuers);
	expect(issuers, NULL, "CC AN TON THNG TIN", "Cục An toàn thông tin");
	expect(issuers, "941/CATTT-NCSC", "CC AN TON THNG TIN", "Cục An toàn thông tin");
	expect(issuers, NULL, "BỘ THÔNG TIN VÀ TRUYỀN THÔNG VNCERT", "Trung tâm Ứng cứu khẩn cấp máy tính Việt Nam");
	expect(issuers, "46/STTTT-CNTT", "SỞ THÔNG TIN VÀ TRUYỀN THÔNG TỈNH HÀ NAM",
	       "SỞ THÔNG TIN VÀ TRUYỀN THÔNG TỈNH HÀ NAM");
	expect(issuers, "12/CATTT-NCSC", "| - ~ 1", "Cục An toàn thông tin");
	expect(issuers, "9/XYZ", "CỤC CÔNG NGHỆ THÔNG TIN", "CỤC CÔNG NGHỆ THÔNG TIN");
	/* decomposed letters, as some programs write them */
	expect(issuers, NULL, "Bo\xcc\xa3\xcc\x82 Y te\xcc\x82\xcc\x81", "Bộ Y tế");
}

/* What a province adds is heard without recompiling, and replaces what was said of the same code. */
static void test_own_file(void **state)
{
	ISSUERS(issuers);

	(void)state;
	add_shipped(issuers);
	add(issuers, "50-tinh.list",
	    "\xef\xbb\xbf# của tỉnh\r\n"
	    "Sở Khoa học và Công nghệ tỉnh Mẫu = SKHCN, SKHCN-CĐS ; Sở KH&CN\r\n"
	    "Cục Công nghệ thông tin, Bộ Y tế = CNTT-YTĐT   # cả ký hiệu\r\n"
	    "@types MẬT\n");
	expect(issuers, "7/SKHCN-BCVT", NULL, "Sở Khoa học và Công nghệ tỉnh Mẫu");
	expect(issuers, "7/MẬT-SKHCN", NULL, "Sở Khoa học và Công nghệ tỉnh Mẫu");
	expect(issuers, NULL, "SỞ KH&CN", "Sở Khoa học và Công nghệ tỉnh Mẫu");
	/* the whole code was put there by a person: it says more than a head that no file knows */
	expect(issuers, "61/CNTT-YTĐT", "CỤC CÔNG NGHỆ THÔNG TIN", "Cục Công nghệ thông tin, Bộ Y tế");
	expect(issuers, "941/CATTT-NCSC", NULL, "Cục An toàn thông tin");
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "\n\nCATTT\n", "x.list:3: not \"NAME = CODE, ...\": CATTT" },
		{ "= CATTT\n", "x.list:1: no name before the =" },
		{ "A = X1\n@kind BC\n", "x.list:2: not understood: @kind" },
		{ "A = X1\nB = X2, x1\n", "x.list:2: \"x1\" stands in line 1 too" },
		{ "A = \xff\n", "x.list:1: not text in UTF-8" },
	};
	char line[2048];
	struct kh_error error = {};
	ISSUERS(issuers);

	(void)state;
	add(issuers, "a.list", "Bộ Mẫu = X1\n");
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		assert_int_equal(kh_issuers_add(issuers, "x.list", cases[i].text, strlen(cases[i].text), &error),
				 -EINVAL);
		assert_string_equal(error.text, cases[i].message);
		assert_string_equal(error.hint, "write: Cục An toàn thông tin = CATTT, ATTT");
	}
	memset(line, 'x', sizeof(line));
	assert_int_equal(kh_issuers_add(issuers, "x.list", line, sizeof(line), &error), -EINVAL);
	assert_string_equal(error.text, "x.list:1: the line is too long");
	expect(issuers, "1/X1", NULL, "Bộ Mẫu"); /* all or nothing: it is as it was */
	expect(issuers, "1/X2", NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_own_file),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("issuers", tests, NULL, NULL);
}
