// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a letter says besides its values: whose advisory it passes on, until when it wants an answer.
 */
#include "reader_case.h"

#define HEAD \
	"SỞ THÔNG TIN VÀ TRUYỀN THÔNG\nSố: 46/STTTT-BCVTCNTT\nHà Nam, ngày 20 tháng 12 năm 2019\nV/v ngăn chặn mã độc\n\nKính gửi: Các đơn vị\n\n"

static struct kh_document *read_letter(const char *text)
{
	struct kh_document *document = NULL;
	struct kh_error error = {};

	if (read_bytes(text, strlen(text), &document, &error))
		fail_msg("%s", error.text);
	return document;
}

static void test_relays(void **state)
{
	DOCUMENT(document) = read_letter(
		HEAD
		"Thực hiện Công văn số 58/VNCERT-ĐPƯC ngày 15/12/2019 của VNCERT và văn bản số 674 /CATTT-NCSC,\n"
		"căn cứ Quyết định số 05/2017/QĐ-TTg; công văn số 58/VNCERT-ĐPƯC, Công văn số 46/STTTT-BCVTCNTT này.\n\nPHỤ LỤC\n203.0.113.7\n");

	(void)state;
	assert_string_equal(document->letter.number, "46/STTTT-BCVTCNTT");
	assert_int_equal(document->letter.relays_count, 2);
	assert_string_equal(document->letter.relays[0], "58/VNCERT-ĐPƯC");
	assert_string_equal(document->letter.relays[1], "674/CATTT-NCSC");
	assert_null(document->letter.report_by);
	assert_int_equal(document->findings_count, 1);
}

static void test_report_by(void **state)
{
	static const struct {
		const char *text, *date;
	} cases[] = {
		{ "Báo cáo tình hình lây nhiễm và kết quả xử lý về VNCERT trước ngày 30/12.", "2019-12-30" },
		{ "Đề nghị báo cáo về Sở trước ngày 15/01.", "2020-01-15" },
		{ "Báo cáo trước 17h00 ngày 25/12/2019.", "2019-12-25" },
		{ "Đề nghị các đơn vị gửi báo cáo kết quả thực hiện\nvề Cục trước ngày 05 tháng 02 năm 2020.",
		  "2020-02-05" },
		{ "Phản hồi chậm nhất 31-12-2019.", "2019-12-31" },
		{ "Cập nhật bản vá trước ngày 30/12.", NULL },
		{ "Báo cáo về Cục. Các phiên bản trước 5.2 bị ảnh hưởng.", NULL },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		char text[2048];

		snprintf(text, sizeof(text), "%s%s\n", HEAD, cases[i].text);
		{
			DOCUMENT(document) = read_letter(text);
			const char *date = document->letter.report_by;

			if ((date == NULL) != (cases[i].date == NULL) || (date && strcmp(date, cases[i].date) != 0))
				fail_msg("%s: %s", cases[i].text, date ? date : "none");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_relays), cmocka_unit_test(test_report_by) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
