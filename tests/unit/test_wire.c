// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Documents between processes: what the reader makes of real letters and lists comes through as it was; whatever was changed on the
 * way is refused, or is what a document may be.
 */
#include "reader_case.h"

#include <glob.h>

#include "common/file.h"
#include "model/wire.h"

static struct kh_bytes written(const struct kh_document *document)
{
	struct kh_bytes bytes = {};

	assert_int_equal(kh_wire_write(document, &bytes), 0);
	return bytes;
}

static struct kh_bytes read_and_written(const char *text)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;

	assert_int_equal(kh_reader_read("f.txt", text, strlen(text), &document, NULL), 0);
	return written(document);
}

/* What is accepted is written again as the same bytes: so nothing got lost, and there is one way to say a thing. */
static bool is_accepted(const struct kh_bytes *bytes)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_error error = {};
	struct kh_bytes again;

	if (kh_wire_read(bytes->data, bytes->length, &document, &error) < 0) {
		assert_null(document);
		assert_non_null(strstr(error.text, "hold together"));
		return false;
	}
	again = written(document);
	assert_int_equal(again.length, bytes->length);
	assert_memory_equal(again.data, bytes->data, bytes->length);
	kh_bytes_clear(&again);
	return true;
}

static const char letter[] =
	"SỞ MẪU\nSố: 12 /SM-CNTT\nHà Nội, ngày 2 tháng 9 năm 2023\nV/v một việc\nKính gửi: A\n"
	"Chặn hxxps[:]//c2[.]example/a và 203.0.113[.]7 cổng 80, 443; 2 IP, CVE-2022-21990.\fPHỤ LỤC\n"
	"1. 203.0.113.9 – 203.0.113.10\n203.0.113.300\n2001:db8::7\n198.51.100.0/24\n0123456789abcdef0123456789abcdef\nc3.example\n";

static void test_a_letter_comes_through(void **state)
{
	struct kh_bytes bytes = read_and_written(letter);
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;

	(void)state;
	assert_true(is_accepted(&bytes));
	assert_int_equal(kh_wire_read(bytes.data, bytes.length, &document, NULL), 0);
	assert_string_equal(document->file, "f.txt");
	assert_string_equal(document->format, "text");
	assert_string_equal(document->letter.number, "12/SM-CNTT");
	assert_string_equal(document->letter.date, "2023-09-02");
	assert_int_equal(document->announced.addresses, 2);
	assert_int_equal(document->announced.domains, -1);
	assert_true(document->findings_count >= 8);
	assert_int_equal(document->findings[document->findings_count - 1].page, 2);
	assert_string_equal(document->cves[0], "CVE-2022-21990");
	assert_int_equal(document->hashes_count, 1);
	assert_true(document->notes_count > 0);
	kh_bytes_clear(&bytes);
}

static void test_a_long_list_comes_through(void **state)
{
	char *text KH_CLEANUP(kh_freep) = long_list("c2.example\n203[.]0.113.7\n");
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_bytes bytes;

	(void)state;
	bytes = read_and_written(text);
	assert_true(is_accepted(&bytes));
	assert_int_equal(kh_wire_read(bytes.data, bytes.length, &document, NULL), 0);
	assert_true(kh_bulk_count(&document->bulk) >= KH_BULK_MIN);
	assert_int_equal(document->findings_count, 2);
	kh_bytes_clear(&bytes);
}

static void test_golden_documents_come_through(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob("tests/golden/reader/*.txt", 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 10);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
		char *data KH_CLEANUP(kh_freep) = NULL;
		struct kh_bytes bytes;
		size_t length;

		assert_int_equal(kh_file_read(found.gl_pathv[i], KH_READER_MAX_BYTES, &data, &length), 0);
		if (kh_reader_read("f", data, length, &document, NULL) < 0)
			continue; /* it is there to be refused */
		bytes = written(document);
		if (!is_accepted(&bytes))
			fail_msg("%s does not come through", found.gl_pathv[i]);
		kh_bytes_clear(&bytes);
	}
	globfree(&found);
}

/* ---- Forgeries ------------------------------------------------------------------------------------ */

static void test_cut_short_or_too_long(void **state)
{
	struct kh_bytes bytes = read_and_written(letter), cut;

	(void)state;
	for (size_t length = 0; length < bytes.length; length++) {
		cut.data = malloc(length + 1); /* so that a read beyond it is seen */
		assert_non_null(cut.data);
		memcpy(cut.data, bytes.data, length);
		cut.length = length;
		assert_false(is_accepted(&cut));
		free(cut.data);
	}
	cut = (struct kh_bytes){ malloc(bytes.length + 1), bytes.length + 1, bytes.length + 1 };
	assert_non_null(cut.data);
	memcpy(cut.data, bytes.data, bytes.length);
	cut.data[bytes.length] = 0;
	assert_false(is_accepted(&cut));
	kh_bytes_clear(&cut);
	kh_bytes_clear(&bytes);
}

/* Each byte as each of some others: refused, or another document that holds together (a digit of a raw form, say). */
static void test_any_byte_changed(void **state)
{
	static const unsigned char values[] = { 0, 1, 7, 0x20, '0', '.', 0x7f, 0x80, 0xff };
	struct kh_bytes bytes = read_and_written(letter);
	size_t refused = 0;

	(void)state;
	for (size_t at = 0; at < bytes.length; at++) {
		unsigned char before = bytes.data[at];

		for (size_t i = 0; i < sizeof(values); i++) {
			bytes.data[at] = values[i];
			refused += !is_accepted(&bytes);
		}
		bytes.data[at] = before;
	}
	assert_true(refused > bytes.length);
	kh_bytes_clear(&bytes);
}

/* A document, and the part that its fault is told of. */
struct forgery {
	struct kh_document *document;
	struct kh_finding *finding; /* an address that is enforced */
};

#define FORGERIES(X)                                                                                                \
	X("the head", forgery.document->format = "pfd")                                                             \
	X("the head", set_text(&forgery.document->letter.issuer, "SỞ\x1b[31m MẪU"))                                 \
	X("the head", set_text(&forgery.document->letter.subject, "m\xe1t"))                                        \
	X("the head", forgery.document->announced.addresses = -2)                                                   \
	X("the values", forgery.finding->proposed = KH_REFUSE)                                                      \
	X("the values", forgery.finding->proposed = 200)                                                            \
	X("the values", forgery.finding->reason = KH_WHY_COUNT)                                                     \
	X("the values", forgery.finding->section = KH_SECTION_LIST + 1)                                             \
	X("the values", forgery.finding->page = -1)                                                                 \
	X("the values", forgery.finding->line = 0)                                                                  \
	X("the values", set_long(&forgery.finding->raw))                                                            \
	X("the values", forgery.finding->raw[0] = '\n')                                                             \
	X("the values", forgery.finding->indicator.type = KH_TYPE_PREFIX)                                           \
	X("the values", forgery.finding->indicator.range.first++)                                                   \
	X("the values",                                                                                             \
	  (forgery.finding->indicator.type = KH_TYPE_UNKNOWN, set_text(&forgery.finding->indicator.text, "1.2.3"))) \
	X("the values", (forgery.finding->indicator.type = KH_TYPE_DOMAIN,                                          \
			 set_text(&forgery.finding->indicator.text, "c2.example")))                                 \
	X("the values", (forgery.finding->proposed = KH_REVIEW, forgery.finding->indicator.type = KH_TYPE_DOMAIN,   \
			 set_text(&forgery.finding->indicator.text, "C2.example")))                                 \
	X("the list", add_bulk(forgery.document, 9, 8, 1))                                                          \
	X("the list", add_bulk(forgery.document, 9, 9, 0))                                                          \
	X("the list", (add_bulk(forgery.document, 9, 9, 1), add_bulk(forgery.document, 9, 9, 2)))                   \
	X("the list", (add_bulk(forgery.document, 9, 9, 1), add_bulk(forgery.document, 8, 8, 2)))                   \
	X("what follows the values", forgery.document->cves[0][4] = 'x')                                            \
	X("what follows the values", forgery.document->cves[0][12] = '\0')                                          \
	X("what follows the values", add_grade(forgery.document, KH_LEVEL_CRITICAL + 1, 98))                        \
	X("what follows the values", add_grade(forgery.document, KH_LEVEL_HIGH, 101))                               \
	X("what follows the values",                                                                                \
	  (add_grade(forgery.document, KH_LEVEL_HIGH, 88), add_grade(forgery.document, KH_LEVEL_HIGH, 88)))         \
	X("what follows the values", forgery.document->hashes[0][3] = 'A')                                          \
	X("what follows the values", forgery.document->hashes[0][31] = '\0')                                        \
	X("what follows the values", forgery.document->notes[0][0] = '\a')

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = strdup(value);
}

static void set_long(char **text)
{
	char longest[258];

	memset(longest, 'a', 257);
	longest[257] = '\0';
	set_text(text, longest);
}

static void add_bulk(struct kh_document *document, unsigned first, unsigned last, uint32_t line)
{
	struct kh_range range = { 0xcb007100u + first, 0xcb007100u + last, 4 };

	assert_int_equal(kh_bulk_add(&document->bulk, &range, line), 0);
}

static void add_grade(struct kh_document *document, int level, int score)
{
	document->grades = realloc(document->grades, (document->grades_count + 1) * sizeof(*document->grades));
	assert_non_null(document->grades);
	document->grades[document->grades_count++] = (struct kh_grade){ (uint8_t)level, (uint8_t)score };
}

static void check_forgery(unsigned which)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL, *read = NULL;
	struct forgery forgery = {};
	struct kh_error error = {};
	const char *part = NULL, *what = NULL;
	struct kh_bytes bytes;
	unsigned number = 0;

	assert_int_equal(kh_reader_read("f.txt", letter, strlen(letter), &document, NULL), 0);
	forgery.document = document;
	for (size_t i = 0; i < document->findings_count && !forgery.finding; i++)
		if (document->findings[i].proposed == KH_ENFORCE &&
		    document->findings[i].indicator.type == KH_TYPE_RANGE)
			forgery.finding = &document->findings[i];
	assert_non_null(forgery.finding);
#define X(name, change)          \
	if (number++ == which) { \
		part = name;     \
		what = #change;  \
		(void)(change);  \
	}
	FORGERIES(X)
#undef X
	bytes = written(document);
	if (kh_wire_read(bytes.data, bytes.length, &read, &error) != -EINVAL)
		fail_msg("accepted: %s", what);
	if (!strstr(error.text, part))
		fail_msg("%s: %s", what, error.text);
	kh_bytes_clear(&bytes);
}

static void test_what_no_document_can_be(void **state)
{
	(void)state;
#define X(name, change) +1
	for (unsigned which = 0; which < 0 FORGERIES(X); which++)
		check_forgery(which);
#undef X
}

static struct kh_document *made(const char *text)
{
	struct kh_document *document = NULL;

	assert_int_equal(kh_reader_read("f.txt", text, strlen(text), &document, NULL), 0);
	return document;
}

/* Columns, times, letters passed on, files in the file: what comes out is what went in. */
static void test_all_that_a_document_carries(void **state)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = made("203.0.113.7\n*.c2.example\n"),
				     *read KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_bytes bytes, again;

	(void)state;
	document->findings[0].column = strdup("Địa chỉ");
	document->findings[0].starts = 1;
	document->findings[0].expires = INT64_C(1) << 40;
	document->letter.report_by = strdup("2020-01-02");
	document->letter.relays = calloc(1, sizeof(char *));
	document->letter.relays[document->letter.relays_count++] = strdup("58/VNCERT-ĐPƯC");
	document->letter.headed = document->letter.doubtful = true;
	document->cves = calloc(2, sizeof(char *));
	document->cves[document->cves_count++] = strdup("CVE-2022-21990");
	document->cves[document->cves_count++] = strdup("CVE-2022-23285");
	add_grade(document, KH_LEVEL_HIGH, 88);
	document->parts = calloc(1, sizeof(*document->parts));
	document->parts[document->parts_count++] = (struct kh_part){ strdup("a.txt"), strdup("x"), 1 };
	bytes = written(document);
	assert_int_equal(kh_wire_read(bytes.data, bytes.length, &read, NULL), 0);
	assert_string_equal(read->findings[0].column, "Địa chỉ");
	assert_int_equal(read->findings[0].expires, INT64_C(1) << 40);
	assert_true(read->findings[1].indicator.subdomains);
	assert_string_equal(read->letter.relays[0], "58/VNCERT-ĐPƯC");
	assert_true(read->letter.headed && read->letter.doubtful);
	assert_int_equal(kh_document_grade(read, 0).level, KH_LEVEL_HIGH);
	assert_int_equal(kh_document_grade(read, 0).score, 88);
	assert_int_equal(kh_document_grade(read, 1).score, 0);
	assert_memory_equal(read->parts[0].data, "x", 1);
	again = written(read);
	assert_int_equal(again.length, bytes.length);
	assert_memory_equal(again.data, bytes.data, bytes.length);
	kh_bytes_clear(&bytes);
	kh_bytes_clear(&again);
}

static void expect_no_set(const struct kh_bytes *bytes, size_t length)
{
	struct kh_documents read KH_CLEANUP(kh_documents_clear) = {};
	struct kh_error error = {};

	assert_int_equal(kh_wire_read_all(bytes->data, length, &read, &error), -EINVAL);
	assert_int_equal(read.count, 0);
	assert_true(error.text[0]);
}

/* The documents of a file: all of them, in their order, or none. */
static void test_sets(void **state)
{
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {}, read KH_CLEANUP(kh_documents_clear) = {};
	struct kh_bytes bytes = {};

	(void)state;
	assert_int_equal(kh_wire_write_all(&documents, &bytes), 0);
	expect_no_set(&bytes, bytes.length);
	bytes.length = 0;
	assert_int_equal(kh_documents_add(&documents, made("203.0.113.7\n")), 0);
	assert_int_equal(kh_documents_add(&documents, made("203.0.113.8\n203.0.113.9\n")), 0);
	assert_int_equal(kh_wire_write_all(&documents, &bytes), 0);
	assert_int_equal(kh_wire_read_all(bytes.data, bytes.length, &read, NULL), 0);
	assert_int_equal(read.count, 2);
	assert_int_equal(read.list[1]->findings_count, 2);
	for (size_t length = 0; length < bytes.length; length++)
		expect_no_set(&bytes, length);
	assert_int_equal(kh_bytes_add(&bytes, "x", 1), 0);
	expect_no_set(&bytes, bytes.length);
	bytes.length = 0;
	documents.list[1]->parts = calloc(1, sizeof(*documents.list[1]->parts));
	documents.list[1]->parts[documents.list[1]->parts_count++] =
		(struct kh_part){ strdup("a.txt"), strdup("x"), 1 };
	assert_int_equal(kh_wire_write_all(&documents, &bytes), 0);
	expect_no_set(&bytes, bytes.length);
	kh_bytes_clear(&bytes);
}

/* Values are canonical: one indicator has one form, and so one row. */
static void test_only_canonical_values(void **state)
{
	static const struct {
		const char *from, *to;
	} pairs[] = {
		{ "2001:db8::7", "2001:DB8::7" },
		{ "198.51.100.0/24", "198.51.100.7/24" },
		{ "203.0.113.9-203.0.113.10", "203.0.113.9 203.0.113.10" },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(pairs); i++) {
		struct kh_bytes bytes = read_and_written(letter);
		size_t length = strlen(pairs[i].from);
		unsigned char *place = memmem(bytes.data, bytes.length, pairs[i].from, length);

		assert_non_null(place);
		assert_true(is_accepted(&bytes));
		memcpy(place, pairs[i].to, length);
		assert_false(is_accepted(&bytes));
		kh_bytes_clear(&bytes);
	}
}

static void test_an_error_comes_through(void **state)
{
	static const int codes[] = { -EINVAL, -EFBIG, -ENOTSUP, -ENOMEM };
	struct kh_error why = { .line = 7, .column = 3, .text = "f.txt: dòng 7", .hint = "gõ lại" }, error;
	struct kh_document *document = NULL;

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(codes); i++) {
		struct kh_bytes bytes = {};

		error = (struct kh_error){};
		assert_int_equal(kh_wire_write_error(codes[i], &why, &bytes), 0);
		assert_int_equal(kh_wire_read(bytes.data, bytes.length, &document, &error), codes[i]);
		assert_int_equal(kh_wire_read(bytes.data, bytes.length, &document, NULL), codes[i]);
		assert_memory_equal(&error, &why, sizeof(error));
		for (size_t length = 0; length < bytes.length; length++)
			assert_int_equal(kh_wire_read(bytes.data, length, &document, &error), -EINVAL);
		assert_non_null(strstr(error.text, "hold together: the error"));
		assert_null(document);
		kh_bytes_clear(&bytes);
	}
}

static void test_no_other_error_does(void **state)
{
	static const struct {
		int code;
		struct kh_error why;
	} forgeries[] = {
		{ -EACCES, { .text = "a" } },
		{ 0, { .text = "a" } },
		{ -EINVAL, { .text = "" } },
		{ -EINVAL, { .text = "a\x1b[2J" } },
		{ -EINVAL, { .text = "a", .line = -1 } },
		{ -EINVAL, { .text = "a", .hint = "\n" } },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(forgeries); i++) {
		struct kh_document *document = NULL;
		struct kh_error error = {};
		struct kh_bytes bytes = {};

		assert_int_equal(kh_wire_write_error(forgeries[i].code, &forgeries[i].why, &bytes), 0);
		assert_int_equal(kh_wire_read(bytes.data, bytes.length, &document, &error), -EINVAL);
		if (!strstr(error.text, "hold together"))
			fail_msg("%zu: %s", i, error.text);
		kh_bytes_clear(&bytes);
	}
}

/* A count that promises more than there is costs nothing. */
static void test_a_large_count_takes_no_memory(void **state)
{
	struct kh_bytes bytes = read_and_written("203.0.113.7\n");
	size_t changed = 0;

	(void)state;
	for (size_t at = 8; at + 4 <= bytes.length; at++) {
		unsigned char before[4];

		memcpy(before, bytes.data + at, 4);
		memcpy(bytes.data + at, "\xff\xff\xff\x7f", 4);
		changed += !is_accepted(&bytes); /* the sanitizer's limit on one allocation is below it */
		memcpy(bytes.data + at, before, 4);
	}
	assert_true(changed > bytes.length / 2);
	kh_bytes_clear(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_letter_comes_through),
		cmocka_unit_test(test_a_long_list_comes_through),
		cmocka_unit_test(test_golden_documents_come_through),
		cmocka_unit_test(test_cut_short_or_too_long),
		cmocka_unit_test(test_any_byte_changed),
		cmocka_unit_test(test_what_no_document_can_be),
		cmocka_unit_test(test_all_that_a_document_carries),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_only_canonical_values),
		cmocka_unit_test(test_an_error_comes_through),
		cmocka_unit_test(test_no_other_error_does),
		cmocka_unit_test(test_a_large_count_takes_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
