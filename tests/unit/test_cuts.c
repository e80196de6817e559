// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values that a narrow column or cell has cut, and values with nothing between: both readings are shown and a person decides. Never is the first half of an
 * address blocked, which may be somebody else's.
 */
#include "reader_case.h"
#include "zip_file.h"

#define HEAD "Kính gửi: Các đơn vị\nPHỤ LỤC\n\n"
#define CELL(text) "<td>" text "</td>"
#define PAGE(cells) \
	"<html><body><h1>PHỤ LỤC</h1><table><tr><th>Địa chỉ</th></tr><tr>" cells "</tr></table></body></html>"

static void expect(const struct kh_document *document, const char *const *expected)
{
	size_t count = 0;

	for (; expected[count]; count++) {
		if (count >= document->findings_count)
			fail_msg("not found: %s", expected[count]);
		expect_finding(&document->findings[count], expected[count]);
	}
	if (document->findings_count > count)
		fail_msg("found besides: %s", document->findings[count].raw);
}

static void expect_pages(const char *pages, const char *note, const char *const *expected)
{
	DOCUMENT(document) = NULL;
	bool noted = !note;

	assert_int_equal(kh_reader_read_pages("f.pdf", "pdf", pages, strlen(pages), &document, NULL), 0);
	expect(document, expected);
	for (size_t i = 0; i < document->notes_count; i++)
		noted = noted || strstr(document->notes[i], note);
	if (!noted)
		fail_msg("no note says %s", note);
}
#define EXPECT_PAGES(pages, note, ...) expect_pages(pages, note, (const char *const[]){ __VA_ARGS__, NULL })

static void test_columns_of_a_page(void **state)
{
	(void)state;
	EXPECT_PAGES(HEAD
		     "TT    Địa chỉ IP      Ghi chú\n1     203.0.113.1     máy chủ\n      2               thứ nhất\n"
		     "2     203.0.113.9     khác\n",
		     "203.0.113.12", "203.0.113.1 review cut", "203.0.113.9 enforce annex");
	EXPECT_PAGES(HEAD "203.0.113.1       198.51.100.2\n4                 5\n", "198.51.100.25",
		     "203.0.113.1 review cut", "198.51.100.2 review cut");
	/* a column of numbers, a row of its own, a number that makes none */
	EXPECT_PAGES(HEAD "203.0.113.1     80\n203.0.113.2     443\n", NULL, "203.0.113.1 enforce annex",
		     "203.0.113.2 enforce annex");
	EXPECT_PAGES(HEAD "203.0.113.1     x\n2               203.0.113.2\n", NULL, "203.0.113.1 enforce annex",
		     "203.0.113.2 enforce annex");
	EXPECT_PAGES(HEAD "203.0.113.7     x\n443             y\n", NULL, "203.0.113.7 enforce annex");
}

static void test_names_in_three_lines(void **state)
{
	(void)state;
	EXPECT_PAGES(
		HEAD
		"1     c2.rat-dai-     x\n      ten-mien.       y\n      example         z\n2     c3.example      x\n",
		NULL, "c2.rat-dai-ten-mien.example unenforceable domain", "c3.example unenforceable domain");
	/* what is a name by itself is no rest of another */
	EXPECT_PAGES(HEAD "1     tap.tin         x\n      khac            y\n      c3.example      z\n", NULL,
		     "c3.example unenforceable domain");
}

static void test_cells(void **state)
{
	(void)state;
	EXPECT(PAGE(CELL("203.0.113.1<br>2")), "203.0.113.1 review cut");
	EXPECT(PAGE(CELL("203.0.113.1<br>203.0.113.2")), "203.0.113.1 enforce annex", "203.0.113.2 enforce annex");
	EXPECT(PAGE(CELL("203.0.113.7<br>443")), "203.0.113.7 enforce annex");
	EXPECT(PAGE(CELL("203.0.113.<br>12")), "203.0.113.12 review cut");
	EXPECT(PAGE(CELL("203.0.113.<br>1<br>2")), "203.0.113.1 review cut");
	EXPECT(PAGE(CELL("c2.rat-dai-<br>ten-mien.<br>example")), "c2.rat-dai-ten-mien.example review cut");
	EXPECT(PAGE(CELL("c2.exam<br>ple")), "c2.example review cut");
	EXPECT(PAGE(CELL("c2.example<br>c3.example")), "c2.example unenforceable domain",
	       "c3.example unenforceable domain");
}

static void test_a_cell_of_a_letter(void **state)
{
	static const struct member members[] = {
		{ "word/document.xml",
		  "<d><p><r><t>PHỤ LỤC</t></r></p><tbl><tr><tc><p><r><t>203.0.113.1</t></r></p><p><r><t>2</t></r></p></tc>"
		  "<tc><p><r><t>c2.bad.</t></r></p><p><r><t>exam</t></r></p><p><r><t>ple</t></r></p></tc></tr></tbl></d>",
		  0, NULL },
		{ 0 },
	};
	static const char *const expected[] = { "203.0.113.1 review cut", "c2.bad.example review cut", NULL };
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	DOCUMENT(document) = NULL;

	(void)state;
	make_zip(members, &bytes);
	assert_int_equal(read_bytes(bytes.data, bytes.length, &document, NULL), 0);
	expect(document, expected);
	assert_int_equal(document->notes_count, 2);
	assert_non_null(strstr(document->notes[0], "203.0.113.12"));
	assert_non_null(strstr(document->notes[1], "c2.bad.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_of_a_page),
		cmocka_unit_test(test_names_in_three_lines),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_a_cell_of_a_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
