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

/* ---- Listed is not malicious ------------------------------------------------------------------------ */

/* Two addresses listed under it, as items and as they stand in a letter. */
static void expect_under(const char *heading, const char *decision)
{
	static const char *const before[] = {
		"Kính gửi: Các đơn vị\n\n",
		"Kính gửi: Các đơn vị\n\nĐề nghị các đơn vị rà soát hệ thống của mình và báo cáo.\n\n",
		"",
		"Kính gửi: Các đơn vị\n\nPHỤ LỤC\n\n",
	};
	static const char *const lists[] = { "- 203.0.113.7\n- 203.0.113.8\n", "\n203.0.113.7\n203.0.113.8\n",
					     "203.0.113.7\n203.0.113.8\n", "1. 203.0.113.7\n2. 203.0.113.8\n" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(before); i++) {
		char text[2048];

		snprintf(text, sizeof(text), "%s%s\n%s", before[i], heading, lists[i]);
		{
			DOCUMENT(document) = document_of(text);

			assert_int_equal(document->findings_count, 2);
			for (size_t j = 0; j < 2; j++)
				if (strcmp(kh_decision_name(document->findings[j].proposed), decision) != 0)
					fail_msg("%s: %s", text, kh_decision_name(document->findings[j].proposed));
		}
	}
}

static void test_bystanders_wait(void **state)
{
	static const char *const headings[] = {
		"Name servers:",
		"The following DNS resolvers were in use at the time:",
		"Public DNS servers queried by the malware:",
		"Scanners",
		"Sinkholes:",
		"Targeted organisations:",
		"Targets:",
		"Victims of the DDoS attacks:",
		"Infected machines:",
		"Reporting contacts:",
		"Máy chủ DNS:",
		"Danh sách máy chủ phân giải tên miền:",
		"Nạn nhân",
		"Danh sách các cơ quan bị tấn công:",
		"Các máy bị nhiễm mã độc:",
		"Địa chỉ IP của các máy tính bị lây nhiễm mã độc",
		"Các máy bị nhiễm đã kết nối tới máy chủ C2:",
		"Máy quét của tổ chức nghiên cứu:",
		"Mục tiêu:",
		"Đầu mối tiếp nhận báo cáo:",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(headings); i++)
		expect_under(headings[i], "review");
}

static void test_accusations_overrule(void **state)
{
	static const char *const headings[] = {
		"Danh sách IP C&C",
		"Máy chủ điều khiển mà các máy bị nhiễm kết nối đến:",
		"Các máy bị nhiễm kết nối tới các máy chủ điều khiển sau:",
		"Malicious DNS servers:",
		"Máy chủ DNS độc hại:",
		"C2 servers contacted by victims:",
		"Danh sách máy quét, đề nghị ngăn chặn kết nối:",
		"Để tránh bị tấn công, đề nghị chặn các địa chỉ sau:",
		"Scanners to be blocked at the gateway:",
		"Rà soát các máy bị nhiễm theo các dấu hiệu sau:",
		"Indicators of compromise:",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(headings); i++)
		expect_under(headings[i], "enforce");
}

static void test_bystanders_on_the_line(void **state)
{
	(void)state;
	EXPECT("Kính gửi: Các đơn vị\n\nDanh sách máy chủ điều khiển:\n- 203.0.113.7\n- 203.0.113.8 (máy chủ DNS)\n"
	       "Máy chủ DNS:\n- 203.0.113.9\n- 203.0.113.10 (C2)\nMáy chủ C2:\n- 203.0.113.11\n",
	       "203.0.113.7 enforce listed", "203.0.113.8 review context", "203.0.113.9 review context",
	       "203.0.113.10 enforce listed", "203.0.113.11 enforce listed");
	EXPECT("Kính gửi: Các đơn vị\n\nMáy nạn nhân 203.0.113[.]7 kết nối tới máy chủ điều khiển 203.0.113[.]8 qua DNS\n"
	       "công cộng của nhà mạng và các máy phân giải khác nhau trong nước; khi đó các resolver\n203.0.113[.]9 trả lời.\n",
	       "203.0.113.7 review context", "203.0.113.8 enforce defanged", "203.0.113.9 review context");
	EXPECT("Kính gửi: Các đơn vị\n\nNạn nhân:\n- c2[.]example\nMáy chủ C2:\n- c3[.]example\n",
	       "c2.example review context", "c3.example unenforceable domain");
}

static void test_bystanders_in_tables(void **state)
{
	(void)state;
	EXPECT("<p>Kính gửi: Các đơn vị</p><p>Máy bị nhiễm:</p><table><tr><th>STT</th><th>Địa chỉ IP</th></tr>"
	       "<tr><td>1</td><td>203.0.113.7</td></tr></table><p>Máy chủ C2:</p>"
	       "<table><tr><th>STT</th><th>Địa chỉ IP</th><th>Ghi chú</th></tr><tr><td>1</td><td>203.0.113.8</td><td></td></tr>"
	       "<tr><td>2</td><td>203.0.113.9</td><td>Máy chủ DNS công cộng</td></tr>"
	       "<tr><td>Nạn nhân</td><td></td><td></td></tr><tr><td>3</td><td>203.0.113.10</td><td></td></tr></table>",
	       "203.0.113.7 review context", "203.0.113.8 enforce listed", "203.0.113.9 review context",
	       "203.0.113.10 review context");
	EXPECT("<p>Kính gửi: Các đơn vị</p><table><tr><th>C2</th><th>Name server</th></tr>"
	       "<tr><td>203.0.113.7</td><td>203.0.113.8</td></tr></table>",
	       "203.0.113.7 enforce listed", "203.0.113.8 review context");
}

/* What a feed remarks is about what it lists. */
static void test_remarks_of_feeds_spare_nobody(void **state)
{
	(void)state;
	EXPECT("ip,first_seen,comment\n203.0.113.7,2023-01-01,scanner\n203.0.113.8,2023-01-02,open resolver\n",
	       "203.0.113.7 enforce listed", "203.0.113.8 enforce listed");
	EXPECT("203.0.113.7 # scanner\n203.0.113.8 # infected\n", "203.0.113.7 enforce listed",
	       "203.0.113.8 enforce listed");
}

/* ---- What is no value as it stands ------------------------------------------------------------------- */

static void expect_note(const char *text, const char *part)
{
	DOCUMENT(document) = document_of(text);

	for (size_t i = 0; i < document->notes_count; i++)
		if (strstr(document->notes[i], part))
			return;
	fail_msg("%s: no note says %s", text, part);
}

#define LETTER "Kính gửi: Các đơn vị\n\nDanh sách máy chủ điều khiển:\n"

static void test_zone_ids_are_refused(void **state)
{
	(void)state;
	EXPECT("2001:db8::1%eth0\n2001:db8::2\n", "2001:db8::1%eth0 review zone", "2001:db8::2 enforce listed");
	EXPECT(LETTER "- fe80::1%eth0\n- [2001:db8::1%25eth0]:443\n- 2001:db8::2\n", "fe80::1%eth0 review zone",
	       "[2001:db8::1%25eth0]:443 review zone", "2001:db8::2 enforce listed");
}

static void test_glued_values_wait(void **state)
{
	(void)state;
	EXPECT(LETTER "- nvedia.ddns.infoair.dcsvn.org\n- 203.0.113.7198.51.100.9\n- 203.0.113.9\n",
	       "nvedia.ddns.infoair.dcsvn.org review glued", "203.0.113.7198.51.100.9 review glued",
	       "203.0.113.9 enforce listed");
	EXPECT(LETTER "Mã độc kết nối tới 203.0.113.7198.51.100.9 khi chạy.\n", "203.0.113.7198.51.100.9 review glued");
	EXPECT(LETTER "- ec2-1.compute.example.com\n- a.b.community.c.example.org\n",
	       "ec2-1.compute.example.com unenforceable domain", "a.b.community.c.example.org unenforceable domain");
	expect_note(LETTER "- nvedia.ddns.infoair.dcsvn.org\n", "nvedia.ddns.info and air.dcsvn.org");
	EXPECT(LETTER "- c2.bad.com.vngate.bad.example\n- c2.bad.xyzgate.bad.example\n",
	       "c2.bad.com.vngate.bad.example review glued", "c2.bad.xyzgate.bad.example review glued");
	expect_note(LETTER "- c2.bad.com.vngate.bad.example\n", "c2.bad.com.vn and gate.bad.example");
	expect_note(LETTER "- c2.bad.xyzgate.bad.example\n", "c2.bad.xyz and gate.bad.example");
	/* what belongs to a suffix of many, a word, a country that no second level stands before */
	EXPECT(LETTER "- c2.eastus.cloudapp.azure.com\n- a.b.internal.c.example.org\n- a.b.mega.c.example.org\n",
	       "c2.eastus.cloudapp.azure.com unenforceable domain", "a.b.internal.c.example.org unenforceable domain",
	       "a.b.mega.c.example.org unenforceable domain");
}

static void test_cut_values_wait(void **state)
{
	(void)state;
	EXPECT(LETTER "- java-\n  se.com\n- 203.0.113.9\n", "se.com review cut", "203.0.113.9 enforce listed");
	EXPECT("- java-\n  se.com\n- 203.0.113.9\n", "se.com review cut", "203.0.113.9 enforce listed");
	EXPECT(LETTER "- 203.0.113.1\n  2\n- 203.0.113.9\n", "203.0.113.1 review cut", "203.0.113.9 enforce listed");
	EXPECT("203.0.113.1\n2\n203.0.113.9\n", "203.0.113.1 review cut", "203.0.113.9 enforce listed");
	EXPECT("1\n203.0.113.1\n2\n203.0.113.9\n3\n203.0.113.10\n", "203.0.113.1 enforce listed",
	       "203.0.113.9 enforce listed", "203.0.113.10 enforce listed");
	expect_note(LETTER "- java-\n  se.com\n", "java-se.com");
	expect_note(LETTER "- 203.0.113.1\n  2\n", "203.0.113.12");
}

static void test_links_agents_and_one_line(void **state)
{
	(void)state;
	EXPECT(LETTER "- https://c2.example/a\n   \n- 203.0.113.9\n", "https://c2.example/a unenforceable url",
	       "203.0.113.9 enforce listed");
	EXPECT(LETTER "- [https://c2.example/a](https://c2.example/a)\n", "https://c2.example/a unenforceable url");
	EXPECT(LETTER "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64;\nx64; http://bot.example/) AppleWebKit/537.36\n"
		      "Chrome/51.0.2704.103 bot.example/crawler Safari/537.36\n\n- 203.0.113.9\n",
	       "203.0.113.9 enforce listed");
	EXPECT("203.0.113.7, c2.example, 203.0.113.8, c3.example\n", "203.0.113.7 enforce listed",
	       "c2.example unenforceable domain", "203.0.113.8 enforce listed", "c3.example unenforceable domain");
}

/* Laid out as on the page, lines broken in both columns; and as a scan has it, one space between them. */
static void test_heads_in_two_columns(void **state)
{
	DOCUMENT(page) = read_letter("                                                  CỘNG HÒA XÃ HỘI CHỦ\n"
				     "      BỘ THÔNG TIN VÀ TRUYỀN THÔNG                    NGHĨA VIỆT NAM\n"
				     "         CỤC AN TOÀN THÔNG TIN                   Độc lập - Tự do - Hạnh\n"
				     "                                                         phúc\n\n"
				     "          Số: 298 /CATTT-NCSC\n"
				     "                                               Hà Nội, ngày 07 tháng 9 năm\n"
				     "V/v ngăn chặn khẩn cấp các máy chủ điều\n"
				     "                                                         2017\n"
				     "        khiển mã độc\n\n"
				     "              Kính gửi: Các đơn vị.\n\nChặn 203.0.113[.]7.\n");
	DOCUMENT(scan) = read_letter("BỘ THÔNG TIN VÀ TRUYỀN THÔNG CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n"
				     "CỤC AN TOÀN THÔNG TIN Độc lập - Tự do - Hanh phúc\n\n"
				     "Số: 298/CATTT-NCSC\nHà Nội, ngày 07 tháng 9 năm\n2017\n\n"
				     "Kính gửi: Các đơn vị.\n\nChặn 203.0.113[.]7.\n");

	(void)state;
	assert_string_equal(page->letter.number, "298/CATTT-NCSC");
	assert_string_equal(page->letter.date, "2017-09-07");
	assert_string_equal(page->letter.issuer, scan->letter.issuer);
	assert_string_equal(page->letter.subject, "ngăn chặn khẩn cấp các máy chủ điều khiển mã độc");
	assert_string_equal(scan->letter.number, "298/CATTT-NCSC");
	assert_string_equal(scan->letter.date, "2017-09-07");
	assert_null(strstr(scan->letter.issuer, "phúc"));
}

static void test_brackets_of_scans(void **state)
{
	static const char text[] = "Danh sách\n- c2[.Jbad[. Jexample\n- d2[{.]bad[.lexample\n- e2[.]bad[.]example\n";
	static const char *const wanted[] = { "c2.bad.example", "d2.bad.example", "e2.bad.example" };
	DOCUMENT(document) = NULL;

	(void)state;
	assert_int_equal(kh_reader_read_pages("f.png", "scan", text, sizeof(text) - 1, &document, NULL), 0);
	assert_int_equal(document->findings_count, 3);
	for (size_t i = 0; i < KH_ARRAY_SIZE(wanted); i++) {
		char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&document->findings[i].indicator);

		assert_string_equal(value, wanted[i]);
	}
}

/* The rows of a table as pdftotext lays them out; a number and a sentence are no row. */
static void test_rows_laid_out_in_text(void **state)
{
	(void)state;
	EXPECT(LETTER "STT Địa chỉ IP    Ghi chú\n\n1    203.0.113.7 Máy chủ điều khiển của mã độc\n\n"
		      "2    203.0.113.8 Máy chủ điều khiển của mã độc\n",
	       "203.0.113.7 enforce listed", "203.0.113.8 enforce listed");
	EXPECT(LETTER "1    203.0.113.7 Máy chủ của nạn nhân bị lây nhiễm\n", "203.0.113.7 review context");
	EXPECT(LETTER "2 203.0.113.8 thì máy chủ này đã ngừng hoạt động từ lâu.\n", "203.0.113.8 review prose");
}

/* A sentence on versions says nothing of the list that the next sentence leads to. */
static void test_versions_and_then_a_list(void **state)
{
	(void)state;
	EXPECT(LETTER
	       "Mã độc GandCrab 5.2 (các phiên bản trước: 1.0, 2.0) phát tán qua thư. Các đơn vị chặn kết nối tới máy chủ:\n"
	       "- 198.51.100.21\n",
	       "198.51.100.21 enforce listed");
	EXPECT(LETTER "Các phiên bản bị ảnh hưởng của phần mềm Example Server:\n- 14.0.4.1\n",
	       "14.0.4.1 review context");
}

/* What is a letter whose number one would ask for, and which letter an annex says it belongs to. */
static void test_heads_without_a_number(void **state)
{
	static const struct {
		const char *text;
		bool headed, attached;
		const char *number;
	} rows[] = {
		{ "Số: 12/SM\nKính gửi: A\n", true, false, "12/SM" },
		{ "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nSố:   /\nKính gửi: A\n", true, false, NULL },
		{ "Số: ~~/|\nV/v chặn máy chủ\nKính gửi: A\n", true, false, NULL },
		{ "Chào anh,\nchặn giúp 203.0.113.7 nhé, máy này đang gửi thư rác khắp nơi.\n", false, false, NULL },
		{ "Kính gửi anh Nam,\nnhờ anh chặn giúp 203.0.113.7 trong hôm nay vì nó gửi thư rác.\n", false, false,
		  NULL },
		{ "203.0.113.7\n203.0.113.8\n", false, false, NULL },
		{ "PHỤ LỤC\n(Kèm theo Công văn số 12/SM-CNTT ngày 2/9/2023 của Sở Mẫu)\n203.0.113.7\n", true, true,
		  "12/SM-CNTT" },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		DOCUMENT(document) = document_of(rows[i].text);
		const struct kh_letter *letter = &document->letter;

		if (letter->attached != rows[i].attached || (!rows[i].attached && letter->headed != rows[i].headed) ||
		    strcmp(letter->number ? letter->number : "", rows[i].number ? rows[i].number : "") != 0)
			fail_msg("%s: headed %d, attached %d, number %s", rows[i].text, letter->headed,
				 letter->attached, letter->number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relays),
		cmocka_unit_test(test_heads_without_a_number),
		cmocka_unit_test(test_report_by),
		cmocka_unit_test(test_bystanders_wait),
		cmocka_unit_test(test_accusations_overrule),
		cmocka_unit_test(test_bystanders_on_the_line),
		cmocka_unit_test(test_bystanders_in_tables),
		cmocka_unit_test(test_remarks_of_feeds_spare_nobody),
		cmocka_unit_test(test_zone_ids_are_refused),
		cmocka_unit_test(test_glued_values_wait),
		cmocka_unit_test(test_cut_values_wait),
		cmocka_unit_test(test_links_agents_and_one_line),
		cmocka_unit_test(test_heads_in_two_columns),
		cmocka_unit_test(test_brackets_of_scans),
		cmocka_unit_test(test_rows_laid_out_in_text),
		cmocka_unit_test(test_versions_and_then_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
