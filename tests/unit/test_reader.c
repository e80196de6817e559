// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reader as its callers see it: documents, errors, limits. Whole letters are golden tests (tests/golden/).
 */
#include "reader_case.h"

#include "common/text.h"
#include "reader/private.h"

/* ---- What is refused ---------------------------------------------------------------------------- */

static void expect_error(const char *data, size_t length, int code, const char *text)
{
	struct kh_document *document = (void *)1;
	struct kh_error error = { 0 };

	assert_int_equal(read_bytes(data, length, &document, &error), code);
	assert_ptr_equal(document, (void *)1);
	if (!strstr(error.text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, error.text);
	if (!strstr(error.text, "f.txt"))
		fail_msg("the file is not named: \"%s\"", error.text);
	assert_true(error.hint[0]);
}

static void test_empty_files(void **state)
{
	static const char *const texts[] = { "", " ", "\n\n", "\t \r\n \f", "\xef\xbb\xbf", "\xef\xbb\xbf\r\n" };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++)
		expect_error(texts[i], strlen(texts[i]), -EINVAL, "empty");
}

static void test_bad_bytes_have_line_and_column(void **state)
{
	static const struct {
		const char *data;
		size_t length;
		int line, column;
		const char *text;
	} cases[] = {
		{ "203.0.113.1\0", 12, 1, 12, "binary" },
		{ "a\nb\x01", 4, 2, 2, "binary" },
		{ "a\n\n\x1b[2J", 7, 3, 1, "binary" },
		{ "a\r\nb\xff", 5, 2, 2, "UTF-8" },
		{ "\xef\xbb\xbf"
		  "a\xc3",
		  5, 1, 2, "UTF-8" },
		{ "\xed\xa0\x80", 3, 1, 1, "UTF-8" },
		{ "\xc0\xaf", 2, 1, 1, "UTF-8" },
		{ "a\nv\xe3n b\xb6n", 9, 2, 2, "UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		struct kh_document *document = NULL;
		struct kh_error error = { 0 };

		expect_error(cases[i].data, cases[i].length, -EINVAL, cases[i].text);
		assert_int_equal(read_bytes(cases[i].data, cases[i].length, &document, &error), -EINVAL);
		assert_int_equal(error.line, cases[i].line);
		assert_int_equal(error.column, cases[i].column);
	}
}

static void test_other_formats_are_named(void **state)
{
#define BYTES(text) text, sizeof(text) - 1
	static const struct {
		const char *data;
		size_t length;
		const char *name;
	} cases[] = {
		{ BYTES("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"), "Office" },
		{ BYTES("{\\rtf1\\ansi"), "RTF" },
		{ BYTES("\x89PNG\r\n\x1a\n"), "PNG" },
		{ BYTES("\xff\xd8\xff\xe0"), "JPEG" },
		{ BYTES("II*\0"), "TIFF" },
		{ BYTES("\x1f\x8b\x08\0"), "gzip" },
		{ BYTES("{\"a\":\"203.0.113.0/24\"}"), "JSON" },
		{ BYTES("<?xml version=\"1.0\"?><a/>"), "XML" },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		expect_error(cases[i].data, cases[i].length, -ENOTSUP, cases[i].name);
		expect_error(cases[i].data, cases[i].length, -ENOTSUP, "does not read");
	}
}

static void test_too_large_is_refused(void **state)
{
	size_t length = KH_READER_MAX_BYTES + 1;
	char *data KH_CLEANUP(kh_freep) = malloc(length);
	struct kh_document *document = NULL;
	struct kh_error error = { 0 };

	(void)state;
	assert_non_null(data);
	memset(data, '1', length);
	assert_int_equal(kh_reader_read("big.txt", data, length, &document, &error), -EFBIG);
	assert_non_null(strstr(error.text, "big.txt"));
	assert_null(document);
}

/* A word longer than a line is cut nowhere: it could end in the middle of an address. */
static void test_endless_word_is_refused(void **state)
{
	char *data KH_CLEANUP(kh_freep) = malloc(KH_LINE_MAX + 32);

	(void)state;
	assert_non_null(data);
	memset(data, 'x', KH_LINE_MAX + 32);
	memcpy(data, "203.0.113.1\n", 12);
	expect_error(data, KH_LINE_MAX + 32, -EINVAL, "line 2");
}

/* ---- Lists -------------------------------------------------------------------------------------- */

static void test_order_and_duplicates(void **state)
{
	DOCUMENT(document) =
		document_of("203.0.113.9\r\n203.0.113.1\n203[.]0[.]113[.]9\n203.0.113.1/32\n203.0.113.1:80\n");

	(void)state;
	assert_string_equal(document->format, "list");
	assert_string_equal(document->file, "f.txt");
	assert_int_equal(document->findings_count, 3);
	assert_int_equal(document->duplicates, 2);
	expect_finding(&document->findings[0], "203.0.113.9 enforce listed");
	expect_finding(&document->findings[1], "203.0.113.1 enforce listed");
	expect_finding(&document->findings[2], "203.0.113.1:80 enforce listed");
	assert_int_equal(document->findings[0].line, 1);
	assert_int_equal(document->findings[2].line, 5);
	assert_int_equal(document->notes_count, 0);
}

static void test_strongest_proposal_is_kept(void **state)
{
	DOCUMENT(document) =
		document_of("Kính gửi: Các đơn vị\nMáy 203.0.113.1 bị nghi ngờ.\nPhụ lục\n203.0.113.1\n203.0.113.2\n"
			    "Máy 203.0.113.2 cũng vậy.\n");

	(void)state;
	assert_int_equal(document->findings_count, 2);
	assert_int_equal(document->duplicates, 2);
	expect_finding(&document->findings[0], "203.0.113.1 enforce annex");
	assert_int_equal(document->findings[0].line, 4);
	assert_int_equal(document->findings[0].section, KH_SECTION_ANNEX);
	expect_finding(&document->findings[1], "203.0.113.2 enforce annex");
	assert_int_equal(document->findings[1].line, 5);
}

/* Many values that are no plain ones, each twice: the set grows several times, nothing is lost or doubled. */
static void test_many_values(void **state)
{
	const size_t count = 50000;
	char *text KH_CLEANUP(kh_freep) = malloc(2 * count * 48);
	size_t length = 0;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 2 * count; i++) {
		unsigned value = (unsigned)(i % count) * 2654435761u; /* odd: a permutation of 32 bits */

		length += (size_t)(i % 3 ? sprintf(text + length, "%u.%u.%u.%u:80\n", value >> 24, value >> 16 & 255,
						   value >> 8 & 255, value & 255)
					 : sprintf(text + length, "%u.%u.%u.%u:80\t%zu\n", value >> 24,
						   value >> 16 & 255, value >> 8 & 255, value & 255, i));
	}
	{
		DOCUMENT(document) = document_of(text);

		assert_int_equal(document->findings_count, count);
		assert_int_equal(document->duplicates, count);
		for (size_t i = 0; i < count; i++)
			assert_int_equal((uint32_t)document->findings[i].indicator.range.first,
					 (uint32_t)i * 2654435761u);
	}
}

/* One line of 200 KB: read in pieces, no value cut. */
static void test_long_line_loses_nothing(void **state)
{
	const unsigned count = 12000;
	char *text KH_CLEANUP(kh_freep) = malloc(count * 20);
	size_t length = 0;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < count; i++)
		length += (size_t)sprintf(text + length, "203.%u.%u.100,", i >> 8, i & 255);
	{
		DOCUMENT(document) = document_of(text);

		assert_int_equal(document->findings_count, count);
		for (unsigned i = 0; i < count; i++) {
			assert_int_equal((uint32_t)document->findings[i].indicator.range.first,
					 203u << 24 | i << 8 | 100);
			assert_int_equal(document->findings[i].line, 1);
		}
	}
}

/* Form feeds count pages, wherever they stand; without any there are none. */
static void test_pages(void **state)
{
	DOCUMENT(document) =
		document_of("203.0.113.1\n203.0.113.2\n\f203.0.113.3\n\f\f203.0.113.4\n# x \f\n203.0.113.5\n");
	DOCUMENT(plain) = document_of("203.0.113.1\n");
	static const int pages[] = { 1, 1, 2, 4, 5 };

	(void)state;
	assert_int_equal(document->findings_count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(document->findings[i].page, pages[i]);
	assert_int_equal(document->findings[3].line, 4);
	assert_int_equal(plain->findings[0].page, 0);
}

static void test_raw_is_short_and_printable(void **state)
{
	char text[1200];
	size_t length = (size_t)snprintf(text, sizeof(text), "https://c2.test/a");

	(void)state;
	for (size_t i = 0; i < 160; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s", i % 2 ? "ắ" : "\u202e");
	{
		DOCUMENT(document) = document_of(text);

		assert_int_equal(document->findings_count, 1);
		/* 254 bytes, since the next letter would end beyond 256; each mark of direction is one '?' in place of three bytes */
		assert_int_equal(strlen(document->findings[0].raw), 17 + 39 * 3 + 40);
		assert_null(strstr(document->findings[0].raw, "\u202e"));
		assert_int_equal(kh_utf8_check(document->findings[0].raw, strlen(document->findings[0].raw)),
				 strlen(document->findings[0].raw));
	}
}

/* ---- Letters ------------------------------------------------------------------------------------ */

static void expect_letter(const char *head, const char *number, const char *date, const char *issuer,
			  const char *subject)
{
	DOCUMENT(document) = document_of(head);
	const char *found[] = { document->letter.number, document->letter.date, document->letter.issuer,
				document->letter.subject };
	const char *expected[] = { number, date, issuer, subject };

	for (size_t i = 0; i < KH_ARRAY_SIZE(found); i++) {
		if (!expected[i] && found[i])
			fail_msg("%s: found \"%s\"", head, found[i]);
		if (expected[i] && (!found[i] || strcmp(found[i], expected[i]) != 0))
			fail_msg("%s: \"%s\" instead of \"%s\"", head, found[i] ? found[i] : "(nothing)", expected[i]);
	}
}

static void test_letter_heads(void **state)
{
	(void)state;
	expect_letter("SỞ MẪU\nSố: 81/VNCERT-ĐPƯC\nHà Nội, ngày 15 tháng 3 năm 2019\nV/v một việc\nKính gửi: A",
		      "81/VNCERT-ĐPƯC", "2019-03-15", "SỞ MẪU", "một việc");
	expect_letter("Số: 674 /CATTT-NCSC\nKính gửi: A", "674/CATTT-NCSC", NULL, NULL, NULL);
	expect_letter("Số: 12a / BC - CATTT\nKính gửi: A", "12a/BC-CATTT", NULL, NULL, NULL);
	expect_letter("Số: 123/2023/BC-CATTT   Hà Nội, ngày 01 tháng 12 năm 2023\nKính gửi: A", "123/2023/BC-CATTT",
		      "2023-12-01", NULL, NULL);
	expect_letter("Số: /CATTT-NCSC941\nngày  tháng  năm 202227 06\nKính gửi: A", "941/CATTT-NCSC", "2022-06-27",
		      NULL, NULL);
	/* a form that was never filled in */
	expect_letter("Số:      /CATTT-NCSC\nHà Nội, ngày    tháng   năm 2022\nKính gửi: A", NULL, NULL, NULL, NULL);
	expect_letter("Số: .../SM-CNTT\nngày 31 tháng 13 năm 2022\nKính gửi: A", NULL, NULL, NULL, NULL);
	/* other letters, quoted below the address */
	expect_letter("Kính gửi: A\nSố: 9/SM-X\nV/v khác\nngày 1 tháng 2 năm 2020 có Công văn số 14/STTTT", NULL, NULL,
		      NULL, NULL);
	/* a name over two lines; the motto between name and number */
	expect_letter(
		"TRUNG TÂM ỨNG CỨU\nKHẨN CẤP MẪU\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n-------\nSố: 1/A-B\nKính gửi: A",
		"1/A-B", NULL, "TRUNG TÂM ỨNG CỨU KHẨN CẤP MẪU", NULL);
	/* without an address the head is short: a number far below is another letter's */
	expect_letter("a\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\nSố: 9/SM-X",
		      NULL, NULL, NULL, NULL);
	expect_letter("a\na\nSố: 9/SM-X", "9/SM-X", NULL, "a", NULL);
	expect_letter("Về việc một\n\nviệc dài\n\nThành phố\nKính gửi: A", NULL, NULL, NULL, "một việc dài");
}

static void expect_announced(const char *sentence, int addresses, int domains, int hashes)
{
	char text[512];

	snprintf(text, sizeof(text), "Kính gửi: Các đơn vị\n%s", sentence);
	{
		DOCUMENT(document) = document_of(text);

		if (document->announced.addresses != addresses || document->announced.domains != domains ||
		    document->announced.hashes != hashes)
			fail_msg("%s: %d %d %d", sentence, document->announced.addresses, document->announced.domains,
				 document->announced.hashes);
	}
}

static void test_announced_counts(void **state)
{
	(void)state;
	expect_announced("gồm 33 địa chỉ IP, 71 tên miền và 20 mã băm", 33, 71, 20);
	expect_announced("17 IP, 71 domains, 20 MD5", 17, 71, 20);
	expect_announced("hai (02) địa chỉ\nIP; 3 (ba) tên miền", 2, 3, -1);
	expect_announced("5 địa chỉ IPv4 và 2 địa chỉ IPv6", 7, -1, -1);
	expect_announced("3 MD5, 4 SHA-1 và 22 SHA-256", -1, -1, 29);
	expect_announced("gồm 5 IP, trong đó 3 IP mới", 5, -1, -1);
	expect_announced("04 đa ch IP", 4, -1, -1); /* a scan without its vowels */
	expect_announced("4 dia chi IP, 5 ten mien", 4, 5, -1);
	expect_announced("cổng 10.1.2.3 IP, 24/7 IP, 02 lỗ hổng, 5 địa chỉ email, 1234567 IP", -1, -1, -1);
}

static void test_notes(void **state)
{
	(void)state;
	{
		DOCUMENT(document) = document_of("Kính gửi: Các đơn vị\nĐề nghị tăng cường bảo vệ.\n");

		assert_int_equal(document->notes_count, 1);
		assert_non_null(strstr(document->notes[0], "no network indicators"));
	}
	{
		DOCUMENT(document) =
			document_of("Kính gửi: A\nVá lỗ hổng cve-2022-21990, CVE-2022-21990 và CVE-2022-1.\n");

		assert_int_equal(document->cves_count, 1);
		assert_string_equal(document->cves[0], "CVE-2022-21990");
		assert_non_null(strstr(document->notes[0], "vulnerabilities"));
	}
	{
		DOCUMENT(document) = document_of("Kính gửi: A\nPhụ lục có 2 địa chỉ IP.\nPhụ lục\n203.0.113.1\n");

		assert_int_equal(document->notes_count, 1);
		assert_non_null(strstr(document->notes[0], "announces 2 addresses, 1 were read"));
	}
	{ /* a count that only fits with those mentioned in a sentence does fit */
		DOCUMENT(document) = document_of(
			"Kính gửi: A\nCó 2 địa chỉ IP, một là máy 203.0.113.2 nói trên.\nPhụ lục\n203.0.113.1\n");

		assert_int_equal(document->notes_count, 0);
	}
}

/* Every beginning of a letter and of a list is read or refused, and nothing beyond it is touched. */
static void test_every_truncation(void **state)
{
	static const char *const texts[] = {
		"SỞ MẪU\nSố: 12 /SM-CNTT   Hà Nội, ngày 2 tháng 9 năm 2023\nV/v x\nKính gửi: A\nChặn hxxps[:]//c2[.]example/a, "
		"203.0.113[.]7 cổng 80, 443; 2 (hai) IP, [2001:db8::1]:443/tcp và 10.1.2.3/8 - CVE-2022-21990.\nPHỤ LỤC\n1. 203.0.113.9 – "
		"203.0.113.10\n| 2 | 203.0.113.1@80\\x |\nfooDOTexample bob [at] x[.]test http ://a.test\n",
		"# a\r\n203.0.113.1\t9\r\n203.0.113.0/24 ; SBL1\r\n0.0.0.0 c2.example\r\n203.0.113.0 203.0.113.255 24\r\n::ffff:203.0.113.5\r\n"
		"1.2.3.4.5\r\n203.0.113.1|8080\r\nhxxp://[2001:db8::1]/x\r\n",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++) {
		for (size_t length = 0; length <= strlen(texts[i]); length++) {
			DOCUMENT(document) = NULL;
			struct kh_error error = { 0 };
			int result = read_bytes(texts[i], length, &document, &error);

			assert_true(result == 0 || result == -EINVAL);
			assert_true((result == 0) == (document != NULL));
			assert_true((result == 0) || error.text[0]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_files),
		cmocka_unit_test(test_bad_bytes_have_line_and_column),
		cmocka_unit_test(test_other_formats_are_named),
		cmocka_unit_test(test_too_large_is_refused),
		cmocka_unit_test(test_endless_word_is_refused),
		cmocka_unit_test(test_order_and_duplicates),
		cmocka_unit_test(test_strongest_proposal_is_kept),
		cmocka_unit_test(test_many_values),
		cmocka_unit_test(test_long_line_loses_nothing),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_raw_is_short_and_printable),
		cmocka_unit_test(test_letter_heads),
		cmocka_unit_test(test_announced_counts),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_every_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
