// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How grave each CVE of a letter is, in the ways that letters say it; and what only looks like it.
 */
#include "reader_case.h"

/* "CVE-... 9.8 critical, ..." of all CVEs, as read. */
static void expect(const char *text, const char *expected)
{
	DOCUMENT(document) = document_of(text);
	char found[1024] = "";
	size_t length = 0;

	for (size_t i = 0; i < document->cves_count; i++) {
		struct kh_grade grade = kh_document_grade(document, i);

		length += (size_t)snprintf(found + length, sizeof(found) - length, "%s%s", i ? ", " : "",
					   document->cves[i] + 4);
		if (grade.score)
			length += (size_t)snprintf(found + length, sizeof(found) - length, " %u.%u", grade.score / 10,
						   grade.score % 10);
		if (grade.level)
			length += (size_t)snprintf(found + length, sizeof(found) - length, " %s",
						   kh_level_name(grade.level));
	}
	if (strcmp(found, expected) != 0)
		fail_msg("%s\n  read:     %s\n  expected: %s", text, found, expected);
}

#define HEAD "Số: 1/A\nKính gửi: B\n"

static void test_beside_the_number(void **state)
{
	static const char *const rows[][2] = {
		{ "CVE-2022-21990 (CVSS: 8.8)", "2022-21990 8.8" },
		{ "CVE-2022-21990 (điểm CVSS: 8,8 - Cao)", "2022-21990 8.8 high" },
		{ "CVE-2022-21990 (CVSS v3.1: 9.8/10, Nghiêm trọng) trong X", "2022-21990 9.8 critical" },
		{ "CVE-2022-21990 (CVSS 3.1: 9.8)", "2022-21990 9.8" },
		{ "CVE-2022-21990 (CVSS 10.0; Critical)", "2022-21990 10.0 critical" },
		{ "CVE-2022-21990 (Nghiêm trọng), CVE-2022-23285 (Cao)", "2022-21990 critical, 2022-23285 high" },
		{ "CVE-2022-21990 (9.8) và CVE-2022-23285 (7.5)", "2022-21990 9.8, 2022-23285 7.5" },
		{ "CVE-2022-21990, CVE-2022-23285 (8.8)", "2022-21990, 2022-23285 8.8" },
		{ "- CVE-2022-21990: Trung bình", "2022-21990 medium" },
		{ "- CVE-2022-21990 – Thấp.", "2022-21990 low" },
		{ "02 lỗ hổng CVE-2022-21990, CVE-2022-23285 có mức độ nghiêm trọng: Cao",
		  "2022-21990 high, 2022-23285 high" },
		{ "CVE-2022-21990 is a critical severity issue, CVSS score 9.1.", "2022-21990 9.1 critical" },
		{ "Mức Nghiêm trọng: CVE-2022-21990, CVE-2022-23285; mức Cao: CVE-2022-1388.",
		  "2022-21990 critical, 2022-23285 critical, 2022-1388 high" },
		{ "Severity: High - CVE-2022-21990", "2022-21990 high" },
		{ "cve-2022-21990 mc đ nghim trng", "2022-21990 critical" }, /* as a scan may lose vowels */
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), HEAD "%s\n", rows[i][0]);
		expect(text, rows[i][1]);
	}
}

static void test_lines_below_and_headings_above(void **state)
{
	(void)state;
	expect(HEAD "1. CVE-2022-21990\n- Mô tả: lỗ hổng cho phép thực thi mã.\n- Điểm CVSS: 8.8 (Cao)\n"
		    "2. CVE-2022-23285\n- Mức độ: Nghiêm trọng\n- CVSS: 9.8\n3. CVE-2022-1388\n",
	       "2022-21990 8.8 high, 2022-23285 9.8 critical, 2022-1388");
	expect(HEAD "a) Các lỗ hổng mức Nghiêm trọng:\n- CVE-2022-21990 trong X\n- CVE-2022-23285\n"
		    "b) Các lỗ hổng ở mức độ Cao:\n- CVE-2022-1388 (CVSS: 7.2)\n- CVE-2022-1389\n",
	       "2022-21990 critical, 2022-23285 critical, 2022-1388 7.2, 2022-1389 high");
}

static void test_tables(void **state)
{
	(void)state;
	/* laid out in columns, as the text of a PDF */
	expect(HEAD "STT   Mã CVE           Mức độ         Sản phẩm\n"
		    "1     CVE-2022-21990   Cao            Remote Desktop\n"
		    "2     CVE-2022-23285   Nghiêm trọng   Máy khách X 3.1\n",
	       "2022-21990 high, 2022-23285 critical");
	expect("CVE,Product,CVSS,Severity\nCVE-2022-21990,X 3.1,8.8,High\nCVE-2022-23285,Y,9.8,\n",
	       "2022-21990 8.8 high, 2022-23285 9.8");
	expect("<html><body><table><tr><th>STT</th><th>CVE</th><th>Mô tả</th></tr>"
	       "<tr><td>1</td><td>CVE-2022-21990</td><td>- Điểm: CVSS: 8.8 (Cao)<br>- Mô tả: lỗ hổng cho phép</td></tr>"
	       "<tr><td>2</td><td>CVE-2022-23285<br>CVE-2022-23286</td><td>- Điểm CVSS: 9.8</td></tr></table></body></html>",
	       "2022-21990 8.8 high, 2022-23285 9.8, 2022-23286 9.8");
	expect("<html><body><table><tr><th>Mức độ</th><th>Mã lỗ hổng</th><th>CVSS 3.1</th></tr>"
	       "<tr><td>Cao</td><td>CVE-2022-21990</td><td>8,8</td></tr></table></body></html>",
	       "2022-21990 8.8 high");
}

/* Versions, dates, sections and vectors are no scores. */
static void test_what_is_none(void **state)
{
	static const char *const rows[] = {
		"CVE-2022-21990 trong CVSS v3.1",
		"CVE-2022-21990, bản 9.8 trở xuống",
		"CVE-2022-21990 tại thời điểm 9.30",
		"CVE-2022-21990 (bản 7.5)",
		"CVE-2022-21990 (CVSS:3.1/AV:N/AC:L/PR:N)",
		"CVE-2022-21990 (CVSS: 11.2)",
		"CVE-2022-21990 trong phần mềm có độ phức tạp cao",
		"Điểm: 9.8\nCVE-2022-21990",
		"Cổng thông tin mức độ 4\nCVE-2022-21990",
		"CVE-2022-21990 (CVSS: 0.0)",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), HEAD "%s\n", rows[i]);
		expect(text, "2022-21990");
	}
}

/* What one place says stays, whatever another says later. */
static void test_the_first_word_counts(void **state)
{
	(void)state;
	expect(HEAD "CVE-2022-21990 (8.8)\nCVE-2022-21990 (9.9, Cao)\n", "2022-21990 8.8 high");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beside_the_number),
		cmocka_unit_test(test_lines_below_and_headings_above),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_the_first_word_counts),
	};

	return cmocka_run_group_tests_name("grades", tests, NULL, NULL);
}
