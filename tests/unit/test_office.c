// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Office files: the same letter as DOCX, ODT and XLSX and as plain text gives the same values; what is not on the page is not read; what is made
 * to do harm ends in an error that names the file.
 */
#include "reader_case.h"
#include "zip_file.h"

#define W "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\""
#define P(text) "<w:p><w:r><w:t xml:space=\"preserve\">" text "</w:t></w:r></w:p>"
#define C(text) "<w:tc><w:tcPr/>" P(text) "</w:tc>"
#define ROW(a, b, c, d) "<w:tr>" C(a) C(b) C(c) C(d) "</w:tr>"
#define HEAD                                                              \
	P("VNCERT")                                                       \
	P("Số: 81/VNCERT-ĐPƯC          Hà Nội, ngày 15 tháng 3 năm 2019") \
	P("V/v theo dõi, ngăn chặn mã độc") P("Kính gửi: Các đơn vị")
#define DOCX(body) "<?xml version=\"1.0\"?><w:document " W "><w:body>" body "</w:body></w:document>"

static int read_zip(const struct member *members, struct kh_document **ret_document, struct kh_error *error)
{
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};

	make_zip(members, &bytes);
	return read_bytes(bytes.data, bytes.length, ret_document, error);
}

static struct kh_document *read_docx(const char *xml)
{
	const struct member members[] = { { "[Content_Types].xml", "<Types/>", 0, NULL },
					  { "word/document.xml", xml, 0, NULL },
					  { 0 } };
	struct kh_document *document = NULL;
	struct kh_error error = {};

	if (read_zip(members, &document, &error))
		fail_msg("%s", error.text);
	return document;
}

static const struct kh_finding *find(const struct kh_document *document, const char *value)
{
	for (size_t i = 0; i < document->findings_count; i++) {
		char *text KH_CLEANUP(kh_freep) = kh_indicator_format(&document->findings[i].indicator);

		if (!strcmp(text, value))
			return &document->findings[i];
	}
	return NULL;
}

static void expect(const struct kh_document *document, const char *value, enum kh_decision proposed,
		   enum kh_decision_reason reason)
{
	const struct kh_finding *finding = find(document, value);

	if (!finding)
		fail_msg("%s is missing", value);
	assert_int_equal(finding->proposed, proposed);
	assert_int_equal(finding->reason, reason);
}

static void test_a_letter_with_an_annex_table(void **state)
{
	DOCUMENT(document) = read_docx(
		DOCX(HEAD P("Ngăn chặn kết nối tới 03 địa chỉ IP trong phụ lục; máy 192.0.2.99 từng bị tấn công.")
			     P("PHỤ LỤC") "<w:tbl>" ROW("STT", "Địa chỉ IP", "Cổng", "Ghi chú")
				     ROW("1", "203.0.113[.]7", "", "máy chủ điều khiển")
					     ROW("2", "198.51.100.81", "8443", "xem 192.0.2.5")
						     ROW("3", "2001:db8::7", "--", "") "</w:tbl>"));

	(void)state;
	assert_string_equal(document->format, "docx");
	assert_string_equal(document->letter.number, "81/VNCERT-ĐPƯC");
	assert_string_equal(document->letter.date, "2019-03-15");
	assert_int_equal(document->announced.addresses, 3);
	expect(document, "203.0.113.7", KH_ENFORCE, KH_WHY_ANNEX);
	expect(document, "198.51.100.81", KH_ENFORCE, KH_WHY_ANNEX);
	expect(document, "2001:db8::7", KH_ENFORCE, KH_WHY_ANNEX);
	expect(document, "192.0.2.99", KH_REVIEW, KH_WHY_PROSE);
	expect(document, "192.0.2.5", KH_REVIEW, KH_WHY_COLUMN);
	assert_string_equal(find(document, "203.0.113.7")->column, "Địa chỉ IP");
	assert_string_equal(find(document, "203.0.113.7")->raw, "203.0.113[.]7");
	assert_int_equal(document->findings_count, 5);
}

/* As editors store it: a value in several runs, a soft hyphen, a tracked change, hidden text, a field, a link, a picture. */
static void test_what_is_on_the_page(void **state)
{
	static const char xml[] = DOCX(P(
		"PHỤ LỤC") "<w:p><w:r><w:t>203.0.</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>113</w:t></w:r><w:proofErr/><w:r><w:t>.7</w:t></w:r></w:p>"
			   "<w:p><w:del><w:r><w:delText>203.0.113.8</w:delText></w:r></w:del><w:ins><w:r><w:t>203.0.113.9</w:t></w:r></w:ins></w:p>"
			   "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>203.0.113.10</w:t></w:r></w:p>"
			   "<w:p><w:r><w:rPr><w:vanish w:val=\"0\"/></w:rPr><w:t>203.0.113.11</w:t></w:r></w:p>"
			   "<w:p><w:r><w:instrText>HYPERLINK \"http://203.0.113.12/\"</w:instrText></w:r><w:hyperlink><w:r><w:t>203.0.113.13</w:t></w:r></w:hyperlink></w:p>"
			   "<w:p><w:r><w:t>203.0.113</w:t><w:softHyphen/><w:t>.14</w:t></w:r></w:p>"
			   "<w:p><w:r><w:br w:type=\"page\"/><w:t>203.0.113.15</w:t><w:br/><w:t>203.0.113.16</w:t></w:r></w:p>"
			   "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>203.0.113.17</w:t></w:r></w:p>");
	const struct member members[] = { { "word/document.xml", xml, 0, NULL },
					  { "word/media/image1.png", "x", 0, NULL },
					  { 0 } };
	DOCUMENT(document) = NULL;

	(void)state;
	assert_int_equal(read_zip(members, &document, NULL), 0);
	for (int i = 7; i <= 17; i++) {
		char value[32];

		snprintf(value, sizeof(value), "203.0.113.%d", i);
		if (i == 8 || i == 10 || i == 12)
			assert_null(find(document, value));
		else
			expect(document, value, KH_ENFORCE, KH_WHY_ANNEX);
	}
	assert_int_equal(find(document, "203.0.113.7")->page, 1);
	assert_int_equal(find(document, "203.0.113.15")->page, 2);
	assert_int_equal(document->notes_count, 1);
	assert_non_null(strstr(document->notes[0], "pictures in it: 1"));
}

/* Several addresses in a cell, one a paragraph; merged headings; a table in a cell. */
static void test_cells(void **state)
{
	DOCUMENT(document) = read_docx(
		DOCX("<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr>" P(
			"Máy chủ điều khiển") "</w:tc>" C("Nguồn tham khảo") "</w:tr><w:tr>" C("Địa chỉ") C("Cổng")
			     C("") "</w:tr><w:tr><w:tc>" P("203.0.113.1") P("203.0.113.2") "</w:tc><w:tc>" P("80")
				     P("443") "</w:tc>" C("https://report.example/203.0.113.77") "</w:tr></w:tbl>" P(
					     "Danh sách:") "<w:tbl><w:tr><w:tc><w:tbl><w:tr>" C("203.0.113.3")
					     C("203.0.113.4") "</w:tr></w:tbl></w:tc></w:tr></w:tbl>"));

	(void)state;
	expect(document, "203.0.113.1", KH_ENFORCE, KH_WHY_TABLE);
	expect(document, "203.0.113.2", KH_ENFORCE, KH_WHY_TABLE);
	expect(document, "203.0.113.3", KH_ENFORCE, KH_WHY_TABLE);
	expect(document, "203.0.113.4", KH_ENFORCE, KH_WHY_TABLE);
	assert_int_equal(document->findings_count, 4);
}

#define O "xmlns:office=\"urn:o\" xmlns:text=\"urn:t\" xmlns:table=\"urn:b\""
#define OP(text) "<text:p>" text "</text:p>"
#define OC(text) "<table:table-cell>" OP(text) "</table:table-cell>"

static void test_opendocument(void **state)
{
	static const char letter[] =
		"<office:document-content " O "><office:body><office:text>"
		"<text:tracked-changes><text:changed-region><text:deletion>" OP(
			"203.0.113.66") "</text:deletion></text:changed-region></text:tracked-changes>" OP("Số: 81/VNCERT-ĐPƯC")
			OP("V/v ngăn chặn") OP("Kính gửi: Các đơn vị") OP("PHỤ LỤC") "<table:table><table:table-row>" OC(
				"Địa chỉ IP") OC("Nạn nhân") "</table:table-row><table:table-row>" OC("203.0.113<text:s/>")
				OC("192.0.2.9") "</table:table-row>"
						"<table:table-row>" OC("203.0.<text:span>113.7</text:span>") OC(
							"") "</table:table-row></table:table>"
							    "<text:list><text:list-item>" OP(
								    "198.51.100.81") "</text:list-item></text:list></office:text></office:body></office:document-content>";
	static const char sheet[] =
		"<office:document-content " O
		"><office:body><office:spreadsheet><table:table table:name=\"Phụ lục\"><table:table-row>" OC(
			"IP") "</table:table-row><table:table-row table:number-rows-repeated=\"3\"><table:table-cell table:number-columns-repeated=\"1000\"/></table:table-row>"
			      "<table:table-row>" OC(
				      "203.0.113.7") "</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>";
	const struct member text[] = { { "mimetype", "application/vnd.oasis.opendocument.text", 0, NULL },
				       { "content.xml", letter, 0, NULL },
				       { 0 } };
	const struct member cells[] = { { "mimetype", "application/vnd.oasis.opendocument.spreadsheet", 0, NULL },
					{ "content.xml", sheet, 0, NULL },
					{ 0 } };
	DOCUMENT(odt) = NULL;
	DOCUMENT(ods) = NULL;

	(void)state;
	assert_int_equal(read_zip(text, &odt, NULL), 0);
	assert_string_equal(odt->format, "odt");
	assert_string_equal(odt->letter.number, "81/VNCERT-ĐPƯC");
	expect(odt, "203.0.113.7", KH_ENFORCE, KH_WHY_ANNEX);
	expect(odt, "198.51.100.81", KH_ENFORCE, KH_WHY_ANNEX);
	expect(odt, "192.0.2.9", KH_REVIEW, KH_WHY_CONTEXT);
	assert_null(find(odt, "203.0.113.66"));
	assert_int_equal(read_zip(cells, &ods, NULL), 0);
	assert_string_equal(ods->format, "ods");
	expect(ods, "203.0.113.7", KH_ENFORCE, KH_WHY_ANNEX);
	assert_int_equal(find(ods, "203.0.113.7")->line, 5);
}

#define S \
	"xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\""

static void test_workbook(void **state)
{
	static const struct member members[] = {
		{ "xl/workbook.xml",
		  "<workbook " S
		  "><sheets><sheet name=\"C2\" sheetId=\"1\" r:id=\"rId2\"/><sheet name=\"Ẩn\" sheetId=\"2\" state=\"hidden\" r:id=\"rId1\"/></sheets></workbook>",
		  0, NULL },
		{ "xl/_rels/workbook.xml.rels",
		  "<Relationships><Relationship Id=\"rId1\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Target=\"/xl/worksheets/sheet2.xml\"/></Relationships>",
		  0, NULL },
		{ "xl/sharedStrings.xml",
		  "<sst " S
		  "><si><t>Indicator</t></si><si><r><t>203.0.</t></r><r><t>113.7</t></r><rPh><t>9</t></rPh></si><si><t>Description</t></si></sst>",
		  0, NULL },
		{ "xl/worksheets/sheet2.xml",
		  "<worksheet " S
		  "><sheetData><row r=\"3\"><c r=\"B3\" t=\"s\"><v>0</v></c><c r=\"D3\" t=\"s\"><v>2</v></c></row>"
		  "<row r=\"7\"><c r=\"A7\"><v>1</v></c><c r=\"B7\" t=\"s\"><v>1</v></c><c r=\"D7\" t=\"inlineStr\"><is><t>from 192.0.2.1</t></is></c></row>"
		  "<row r=\"8\"><c r=\"B8\" t=\"str\"><f>A1</f><v>c2.example</v></c></row></sheetData></worksheet>",
		  0, NULL },
		{ "xl/worksheets/sheet1.xml",
		  "<worksheet " S
		  "><sheetData><row><c t=\"inlineStr\"><is><t>198.51.100.81</t></is></c></row></sheetData></worksheet>",
		  0, NULL },
		{ 0 },
	};
	DOCUMENT(document) = NULL;
	struct kh_error error = {};

	(void)state;
	if (read_zip(members, &document, &error))
		fail_msg("%s", error.text);
	assert_string_equal(document->format, "xlsx");
	expect(document, "203.0.113.7", KH_ENFORCE, KH_WHY_TABLE);
	assert_int_equal(find(document, "203.0.113.7")->line, 7);
	assert_int_equal(find(document, "203.0.113.7")->page, 1);
	assert_string_equal(find(document, "203.0.113.7")->column, "Indicator");
	expect(document, "c2.example", KH_UNENFORCEABLE, KH_WHY_DOMAIN);
	expect(document, "192.0.2.1", KH_REVIEW, KH_WHY_COLUMN);
	expect(document, "198.51.100.81", KH_ENFORCE, KH_WHY_TABLE);
	assert_int_equal(find(document, "198.51.100.81")->page, 2);
	assert_non_null(strstr(document->notes[0], "hidden"));
}

/* A row that says it is one in thousands of millions is read like any other; its cells are what they hold. */
static void test_row_numbers(void **state)
{
	static const struct member members[] = {
		{ "xl/workbook.xml", "<workbook><sheet name=\"a\" id=\"1\"/></workbook>", 0, NULL },
		{ "xl/_rels/workbook.xml.rels", "<r><Relationship Id=\"1\" Target=\"a\"/></r>", 0, NULL },
		{ "xl/a",
		  "<worksheet><row r=\"2147483647\"><c t=\"str\"><v>IP</v></c></row><row r=\"999999999\"><c t=\"str\"><v>203.0.113.7</v></c></row>"
		  "<row r=\"1000000000\"><c t=\"str\"><v>203.0.113.8</v></c></row></worksheet>",
		  0, NULL },
		{ 0 },
	};
	DOCUMENT(document) = NULL;

	(void)state;
	assert_int_equal(read_zip(members, &document, NULL), 0);
	assert_int_equal(document->findings_count, 2);
	expect(document, "203.0.113.7", KH_ENFORCE, KH_WHY_TABLE);
	assert_int_equal(find(document, "203.0.113.7")->line, 999999999);
	assert_string_equal(find(document, "203.0.113.7")->column, "IP");
	expect(document, "203.0.113.8", KH_ENFORCE, KH_WHY_TABLE);
	assert_string_equal(find(document, "203.0.113.8")->raw, "203.0.113.8");
}

static void test_archive(void **state)
{
	static const struct member members[] = { { "thư/phụ lục.txt", "203.0.113.7\n", 0, NULL },
						 { "__MACOSX/._a", "x", 0, NULL },
						 { "khoá.txt", "203.0.113.8\n", 0, "mật khẩu" },
						 { 0 } };
	DOCUMENT(document) = NULL;

	(void)state;
	assert_int_equal(read_zip(members, &document, NULL), 0);
	assert_string_equal(document->format, "zip");
	assert_int_equal(document->parts_count, 1);
	assert_string_equal(document->parts[0].name, "thư/phụ lục.txt");
	assert_int_equal(document->parts[0].length, 12);
	assert_int_equal(document->notes_count, 1);
	assert_non_null(strstr(document->notes[0], "password"));
}

static void expect_refused(const struct member *members, int code, const char *said)
{
	DOCUMENT(document) = NULL;
	struct kh_error error = {};

	assert_int_equal(read_zip(members, &document, &error), code);
	assert_null(document);
	if (!strstr(error.text, said))
		fail_msg("\"%s\" does not say \"%s\"", error.text, said);
	assert_int_equal(strncmp(error.text, "f.txt: ", 7), 0);
	assert_true(error.hint[0]);
}

static void test_harm(void **state)
{
	static const char doctype[] = "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><w:document " W
				      "><w:body>" P("&c;") "</w:body></w:document>";
	size_t large = ((size_t)257 << 20), deep = 4000;
	char *zeros = calloc(1, large), *nested = malloc(2 * deep * 16);
	const struct member bomb[] = { { "word/document.xml", zeros, large, NULL }, { 0 } };
	const struct member types[] = { { "word/document.xml", doctype, 0, NULL }, { 0 } };
	const struct member cut[] = { { "word/document.xml", "<w:document " W "><w:body>", 0, NULL }, { 0 } };
	const struct member empty[] = { { "word/document.xml", "", 0, NULL }, { 0 } };
	const struct member nest[] = { { "word/document.xml", nested, 0, NULL }, { 0 } };
	const struct member locked[] = { { "word/document.xml", "<a/>", 0, "p" }, { 0 } };

	(void)state;
	assert_non_null(zeros);
	for (size_t i = 0; i < deep; i++)
		memcpy(nested + 3 * i, "<a>", 3);
	for (size_t i = 0; i < deep; i++)
		memcpy(nested + 3 * deep + 4 * i, "</a>", 5);
	expect_refused(bomb, -EFBIG, "larger than");
	expect_refused(types, -EINVAL, "word/document.xml, line 1");
	expect_refused(cut, -EINVAL, "damaged");
	expect_refused(nest, -EINVAL, "damaged");
	expect_refused(empty, -EINVAL, "damaged");
	expect_refused(locked, -ENOTSUP, "password");
	free(zeros);
	free(nested);
}

/* Any byte changed, any end cut off: an answer, or an error that says something. */
static void test_damage(void **state)
{
	static const struct member members[] = {
		{ "word/document.xml", DOCX(P("PHỤ LỤC") "<w:tbl>" ROW("1", "203.0.113.7", "80", "x") "</w:tbl>"), 0,
		  NULL },
		{ 0 }
	};
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	unsigned int random = 1;

	(void)state;
	make_zip(members, &bytes);
	for (int i = 0; i < 4000; i++) {
		DOCUMENT(document) = NULL;
		struct kh_error error = {};
		size_t at, length = bytes.length;
		unsigned char kept;

		random = random * 1103515245 + 12345;
		at = (random >> 8) % bytes.length;
		kept = bytes.data[at];
		bytes.data[at] = (unsigned char)(random >> 3);
		if (i % 4 == 0)
			length = at;
		if (read_bytes(bytes.data, length, &document, &error))
			assert_true(error.text[0]);
		bytes.data[at] = kept;
	}
}

/* What is plain text is read alike by both readers; the other formats are left, and nothing is said of them. */
static void test_the_plain_reader(void **state)
{
	static const char *const plain[] = { "203.0.113.7\n198.51.100.9\n", "Số: 81/VNCERT-ĐPƯC\nChặn 203.0.113[.]7\n",
					     "ip,port\n203.0.113.7,443\n",
					     "{\"Event\":{\"info\":\"x\",\"Attribute\":[]}}" };
	static const char *const others[] = { "<!DOCTYPE html><p>203.0.113[.]7</p>",
					      "From: a@b.example\nTo: c@d.example\nSubject: x\n\n203.0.113.7\n",
					      "PK\003\004 is no whole package" };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(plain); i++) {
		DOCUMENT(document) = document_of(plain[i]);
		DOCUMENT(quick) = NULL;
		struct kh_error error = {};

		assert_int_equal(kh_reader_read_plain("f.txt", plain[i], strlen(plain[i]), &quick, &error), 0);
		assert_string_equal(quick->format, document->format);
		assert_int_equal(quick->findings_count, document->findings_count);
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(others); i++) {
		DOCUMENT(quick) = NULL;
		struct kh_error error = {};

		assert_int_equal(kh_reader_read_plain("f.txt", others[i], strlen(others[i]), &quick, &error), -ENOEXEC);
		assert_null(quick);
		assert_string_equal(error.text, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_letter_with_an_annex_table),
		cmocka_unit_test(test_what_is_on_the_page),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_opendocument),
		cmocka_unit_test(test_workbook),
		cmocka_unit_test(test_row_numbers),
		cmocka_unit_test(test_archive),
		cmocka_unit_test(test_harm),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_the_plain_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
