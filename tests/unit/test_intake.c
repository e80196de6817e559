// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Documents by way of khien-parse in the sandbox: the same as read here, errors and all.
 */
#include "intake/intake.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/mman.h>

#include "common/file.h"
#include "model/wire.h"
#include "reader_case.h"
#include "memory_file.h"
#include "intake/private.h"

static void expect_same(const char *name, const char *data, size_t length)
{
	DOCUMENT(near) = NULL;
	struct kh_documents far KH_CLEANUP(kh_documents_clear) = {};
	int fd KH_CLEANUP(kh_closep) = memory_file(data, length);
	struct kh_bytes near_bytes KH_CLEANUP(kh_bytes_clear) = {}, far_bytes KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_error near_error = {}, far_error = {};
	int code = kh_reader_read(name, data, length, &near, &near_error);

	assert_int_equal(kh_intake_read(name, fd, &far, &far_error), code);
	if (code) {
		assert_int_equal(far.count, 0);
		assert_string_equal(far_error.text, near_error.text);
		assert_string_equal(far_error.hint, near_error.hint);
		assert_int_equal(far_error.line, near_error.line);
		assert_int_equal(far_error.column, near_error.column);
		return;
	}
	assert_int_equal(far.count, 1);
	assert_int_equal(kh_wire_write(near, &near_bytes), 0);
	assert_int_equal(kh_wire_write(far.list[0], &far_bytes), 0);
	assert_int_equal(near_bytes.length, far_bytes.length);
	assert_memory_equal(near_bytes.data, far_bytes.data, near_bytes.length);
}

static void test_documents_are_the_same(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob("tests/golden/reader/*.txt", 0, NULL, &found), 0);
	assert_int_equal(glob("rules/advisories/*.txt", GLOB_APPEND, NULL, &found), 0);
	assert_true(found.gl_pathc > 10);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *data KH_CLEANUP(kh_freep) = NULL;
		size_t length;

		assert_int_equal(kh_file_read(found.gl_pathv[i], KH_READER_MAX_BYTES, &data, &length), 0);
		expect_same(found.gl_pathv[i], data, length);
	}
	globfree(&found);
}

static void test_refusals_are_the_same(void **state)
{
	static const struct {
		const char *data;
		size_t length;
	} inputs[] = {
		{ "", 0 },
		{ "203.0.113.7\n\x80\n", 14 },
		{ "a\0b", 3 },
		{ "PK\003\004aaaaaaaaaaaaaaaa", 20 },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(inputs); i++)
		expect_same("thư.txt", inputs[i].data, inputs[i].length);
}

static void test_any_bytes_may_be_a_name(void **state)
{
	static const char *const names[] = { "", "-", "--help", "a\nb", "\x1b[31m", "m\xe1t.txt" };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(names); i++) {
		int fd KH_CLEANUP(kh_closep) = memory_file("203.0.113.7\n", 12);
		struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
		struct kh_error error = {};

		if (kh_intake_read(names[i], fd, &documents, &error))
			fail_msg("%s", error.text);
		assert_string_equal(documents.list[0]->file, names[i]);
	}
}

/* An error text has its limit, and is cut between letters. */
static void test_a_long_name_in_an_error(void **state)
{
	int fd KH_CLEANUP(kh_closep) = memory_file("\x01", 1);
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	struct kh_error error = {};
	char name[901] = "";

	(void)state;
	for (size_t i = 0; i < 300; i++)
		memcpy(name + 3 * i, "ệ", 4);
	assert_int_equal(kh_intake_read(name, fd, &documents, &error), -EINVAL);
	assert_memory_equal(error.text, name, 300);
}

static void test_what_is_too_large_is_refused(void **state)
{
	int fd KH_CLEANUP(kh_closep) = memfd_create("input", MFD_CLOEXEC);
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	struct kh_error error = {};

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)KH_READER_MAX_BYTES + 1), 0);
	assert_int_equal(kh_intake_read("f.txt", fd, &documents, &error), -EFBIG);
	assert_string_equal(error.text, "f.txt: larger than 64 MiB");
}

/* ---- Two readings of one picture ---------------------------------------------------------------- */

#define HEAD(number, day) \
	"CỤC MẪU\nSố: " number "\nHà Nội, ngày " day " tháng 01 năm 2026\n\nV/v ngăn chặn kết nối\n\nPHỤ LỤC\n"

static struct kh_document *scanned(const char *first, const char *second)
{
	const char *const texts[] = { first, second };
	struct kh_document *document = NULL;
	struct kh_scan scan = {};
	struct kh_error error = {};

	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++)
		assert_int_equal(kh_bytes_add(&scan.texts[i], texts[i], strlen(texts[i])), 0);
	if (kh_scan_end("thư.png", &scan, &document, &error))
		fail_msg("%s", error.text);
	kh_scan_clear(&scan);
	return document;
}

static void expect_note(const struct kh_document *document, const char *says, bool expected)
{
	bool found = false;

	for (size_t i = 0; i < document->notes_count; i++)
		found |= strstr(document->notes[i], says) != NULL;
	if (found != expected)
		fail_msg("%s: %s", expected ? "not said" : "said", says);
}

static void test_two_readings_that_agree(void **state)
{
	DOCUMENT(document) = scanned(HEAD("12/CM-AT", "20") "203.0.113.7\n", HEAD("12/CM-AT", "20") "203.0.113.7\n");

	(void)state;
	assert_string_equal(document->letter.number, "12/CM-AT");
	assert_string_equal(document->letter.date, "2026-01-20");
	assert_false(document->letter.doubtful);
	assert_int_equal(document->findings_count, 1);
	assert_int_equal(document->findings[0].proposed, KH_REVIEW);
	assert_int_equal(document->findings[0].reason, KH_WHY_SCAN);
	expect_note(document, "was read as", false);
}

static void test_two_readings_of_a_number(void **state)
{
	DOCUMENT(document) = scanned(HEAD("12/CM-AT", "20") "203.0.113.7\n", HEAD("17/CM-AT", "20") "203.0.113.1\n");
	DOCUMENT(one) = scanned(HEAD("", "20") "203.0.113.7\n", HEAD("17/CM-AT", "20") "203.0.113.7\n");

	(void)state;
	assert_true(document->letter.doubtful);
	expect_note(document, "the letter's number was read as 12/CM-AT and as 17/CM-AT", true);
	assert_int_equal(document->findings_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(document->findings[i].reason, KH_WHY_SCAN_DIFFERS);
	assert_string_equal(one->letter.number, "17/CM-AT");
	assert_true(one->letter.doubtful);
}

static void test_two_readings_of_a_date(void **state)
{
	DOCUMENT(document) = scanned(HEAD("12/CM-AT", "20") "203.0.113.7\n", HEAD("12/CM-AT", "26") "203.0.113.7\n");

	(void)state;
	assert_false(document->letter.doubtful);
	expect_note(document, "the letter's date was read as 2026-01-20 and as 2026-01-26", true);
}

/* One way of reading found nothing: what the other found is there, and doubtful. */
static void test_one_reading_of_two(void **state)
{
	static const char text[] = HEAD("12/CM-AT", "20") "203.0.113.7\n";
	DOCUMENT(first) = scanned(text, "\f\n");
	DOCUMENT(second) = scanned(" \n", text);
	DOCUMENT(none) = scanned("\n", "\f");
	struct kh_document *const either[] = { first, second };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(either); i++) {
		assert_string_equal(either[i]->letter.number, "12/CM-AT");
		assert_true(either[i]->letter.doubtful);
		assert_int_equal(either[i]->findings_count, 1);
		assert_int_equal(either[i]->findings[0].reason, KH_WHY_SCAN_DIFFERS);
	}
	assert_int_equal(none->findings_count, 0);
	expect_note(none, "no text was found in the picture", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents_are_the_same),	     cmocka_unit_test(test_refusals_are_the_same),
		cmocka_unit_test(test_any_bytes_may_be_a_name),	     cmocka_unit_test(test_a_long_name_in_an_error),
		cmocka_unit_test(test_what_is_too_large_is_refused), cmocka_unit_test(test_two_readings_that_agree),
		cmocka_unit_test(test_two_readings_of_a_number),     cmocka_unit_test(test_two_readings_of_a_date),
		cmocka_unit_test(test_one_reading_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
