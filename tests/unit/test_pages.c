// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PDF and pictures by way of the real pdftotext, pdftoppm and tesseract in the sandbox: what is text is read as text, what is a picture
 * waits for review, and what cannot be read is said.
 */
#include "intake/intake.h"

#include "intake/private.h"
#include "reader_case.h"
#include "memory_file.h"
#include "pdf_file.h"

static const char *const letter[] = { "VNCERT",
				      "So: 81/VNCERT-DPUC        Ha Noi, ngay 15 thang 3 nam 2019",
				      "V/v theo doi, ngan chan ket noi may chu dieu khien ma doc",
				      "Kinh gui: Cac don vi",
				      "Cac don vi ngan chan ket noi toi cac dia chi trong phu luc.",
				      NULL };
static const char *const annex[] = { "PHU LUC", "1. 203.0.113.7", "2. 198.51.100.81", "3. 192.0.2.44:8443", NULL };

static int read_file_of(const char *name, const struct kh_bytes *bytes, struct kh_documents *documents,
			struct kh_error *error)
{
	int fd KH_CLEANUP(kh_closep) = memory_file((const char *)bytes->data, bytes->length);

	return kh_intake_read(name, fd, documents, error);
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
		   enum kh_decision_reason reason, int page)
{
	const struct kh_finding *finding = find(document, value);

	if (!finding)
		fail_msg("%s is missing", value);
	assert_int_equal(finding->proposed, proposed);
	assert_int_equal(finding->reason, reason);
	assert_int_equal(finding->page, page);
}

static void draw(const struct kh_bytes *pdf, const char *kind, struct kh_bytes *ret_picture)
{
	const char *const words[] = { "pdftoppm", "-r", "200", kind, "-f", "1", "-l", "1", "-", NULL };
	int fd KH_CLEANUP(kh_closep) = memory_file((const char *)pdf->data, pdf->length);
	struct kh_error error = {};

	if (kh_run(words, fd, (size_t)64 << 20, ret_picture, &error))
		fail_msg("%s", error.text);
}

static void test_a_pdf_is_its_text(void **state)
{
	struct pdf pdf = {};
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	struct kh_error error = {};

	(void)state;
	pdf_begin(&pdf);
	pdf_text_page(&pdf, letter);
	pdf_text_page(&pdf, annex);
	pdf_end(&pdf);
	if (read_file_of("cv.pdf", &pdf.bytes, &documents, &error))
		fail_msg("%s", error.text);
	kh_bytes_clear(&pdf.bytes);
	assert_int_equal(documents.count, 1);
	assert_string_equal(documents.list[0]->format, "pdf");
	assert_string_equal(documents.list[0]->letter.number, "81/VNCERT-DPUC");
	assert_string_equal(documents.list[0]->letter.date, "2019-03-15");
	assert_int_equal(documents.list[0]->findings_count, 3);
	expect(documents.list[0], "203.0.113.7", KH_ENFORCE, KH_WHY_ANNEX, 2);
	expect(documents.list[0], "192.0.2.44:8443", KH_ENFORCE, KH_WHY_ANNEX, 2);
}

/* A letter with a text of its own, and its annex as a picture. */
static void test_a_page_without_text_waits_for_review(void **state)
{
	struct pdf drawn = {}, pdf = {};
	struct kh_bytes picture KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	struct kh_error error = {};

	(void)state;
	pdf_begin(&drawn);
	pdf_text_page(&drawn, annex);
	pdf_end(&drawn);
	draw(&drawn.bytes, "-gray", &picture);
	kh_bytes_clear(&drawn.bytes);
	pdf_begin(&pdf);
	pdf_text_page(&pdf, letter);
	pdf_picture_page(&pdf, &picture);
	pdf_end(&pdf);
	if (read_file_of("cv.pdf", &pdf.bytes, &documents, &error))
		fail_msg("%s", error.text);
	kh_bytes_clear(&pdf.bytes);
	assert_int_equal(documents.count, 2);
	assert_string_equal(documents.list[0]->letter.number, "81/VNCERT-DPUC");
	assert_int_equal(documents.list[0]->findings_count, 0);
	assert_string_equal(documents.list[1]->format, "scan");
	expect(documents.list[1], "203.0.113.7", KH_REVIEW, KH_WHY_SCAN, 2);
	expect(documents.list[1], "198.51.100.81", KH_REVIEW, KH_WHY_SCAN, 2);
	expect(documents.list[1], "192.0.2.44:8443", KH_REVIEW, KH_WHY_SCAN, 2);
	for (size_t i = 0; i < documents.list[1]->findings_count; i++)
		assert_int_equal(documents.list[1]->findings[i].proposed, KH_REVIEW);
}

static void test_a_picture_waits_for_review(void **state)
{
	struct pdf pdf = {};
	struct kh_bytes picture KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	struct kh_error error = {};

	(void)state;
	pdf_begin(&pdf);
	pdf_text_page(&pdf, annex);
	pdf_end(&pdf);
	draw(&pdf.bytes, "-png", &picture);
	kh_bytes_clear(&pdf.bytes);
	if (read_file_of("scan.png", &picture, &documents, &error))
		fail_msg("%s", error.text);
	assert_int_equal(documents.count, 1);
	expect(documents.list[0], "203.0.113.7", KH_REVIEW, KH_WHY_SCAN, 1);
}

/* Damaged, empty, or no PDF at all behind the name: an error that names the file, and no document. */
static void test_damage_is_said(void **state)
{
	static const char *const broken[] = { "%PDF-1.7\n1 0 obj\n", "%PDF-", "\x89PNG\r\n\x1a\n not a picture" };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(broken); i++) {
		struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
		int fd KH_CLEANUP(kh_closep) = memory_file(broken[i], strlen(broken[i]));
		struct kh_error error = {};

		assert_true(kh_intake_read("hỏng.pdf", fd, &documents, &error) < 0);
		assert_int_equal(documents.count, 0);
		assert_non_null(strstr(error.text, "hỏng.pdf: "));
		assert_true(error.hint[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pdf_is_its_text),
		cmocka_unit_test(test_a_page_without_text_waits_for_review),
		cmocka_unit_test(test_a_picture_waits_for_review),
		cmocka_unit_test(test_damage_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
