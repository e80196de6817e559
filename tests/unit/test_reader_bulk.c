// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Long lists: what is plain goes into the bulk, everything else is what it is in a short list, nothing is lost or twice.
 */
#include "reader_case.h"

#include <stdbool.h>

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % limit;
}

struct text {
	char *data;
	size_t length, capacity;
};

static void text_clear(struct text *text)
{
	free(text->data);
}

static void KH_PRINTF(2, 3) append(struct text *text, const char *format, ...)
{
	va_list values;

	assert_int_equal(kh_grow(&text->data, &text->capacity, text->length + 256, 1), 0);
	va_start(values, format);
	text->length += (size_t)vsnprintf(text->data + text->length, 256, format, values);
	va_end(values);
}

#define TEXT(text) struct text text KH_CLEANUP(text_clear) = { 0 }

static void expect_bulk(const struct kh_document *document, size_t index, const char *value, uint32_t line)
{
	char found[KH_RANGE_TEXT];
	struct kh_range range;
	uint32_t found_line;

	range = kh_bulk_range(&document->bulk, index, &found_line);
	assert_string_equal(kh_range_format(&range, found), value);
	assert_int_equal(found_line, line);
}

/* KH_BULK_MIN plain values and one of every other kind; fewer are findings all. */
static void append_list(struct text *text, unsigned plain)
{
	append(text,
	       "# danh sách\n198.51.100.7:443\nc2.example\n10.1.2.3/8\n1.2.3\ntrừ 203.0.113.62\n203[.]0[.]113[.]9\n"
	       "CVE-2022-21990\n");
	for (unsigned i = 0; i < plain - 6; i++)
		append(text, "%s100.%u.%u.1%s", i % 7 ? "" : "  ", i >> 8, i & 255, i % 5 ? "\n" : "\t12 3\r\n");
	append(text, "2001:db8::/48\n2001:DB8::1\n203.0.113.16-203.0.113.20\n203.0.113.0-203.0.113.255\n");
	append(text, "203.0.113.9\n100.0.0.1\n203.0.113.62 # không chặn\n");
}

static void test_plain_values_are_the_bulk(void **state)
{
	TEXT(text);

	(void)state;
	append_list(&text, KH_BULK_MIN);
	{
		DOCUMENT(document) = document_of(text.data);

		assert_string_equal(document->format, "list");
		assert_int_equal(kh_bulk_count(&document->bulk), KH_BULK_MIN - 1);
		assert_int_equal(document->duplicates, 3);
		expect_bulk(document, 0, "100.0.0.1", 9);
		expect_bulk(document, 1, "100.0.1.1", 10);
		expect_bulk(document, KH_BULK_MIN - 6, "203.0.113.0/24", KH_BULK_MIN + 6);
		expect_bulk(document, KH_BULK_MIN - 5, "203.0.113.9", KH_BULK_MIN + 7);
		expect_bulk(document, KH_BULK_MIN - 4, "203.0.113.16-203.0.113.20", KH_BULK_MIN + 5);
		expect_bulk(document, KH_BULK_MIN - 3, "2001:db8::/48", KH_BULK_MIN + 3);
		expect_bulk(document, KH_BULK_MIN - 2, "2001:db8::1", KH_BULK_MIN + 4);
		assert_int_equal(document->findings_count, 5);
		expect_finding(&document->findings[0], "198.51.100.7:443 enforce listed");
		expect_finding(&document->findings[1], "c2.example unenforceable domain");
		expect_finding(&document->findings[2], "10.0.0.0/8 review host-bits");
		expect_finding(&document->findings[3], "1.2.3 review malformed");
		expect_finding(&document->findings[4], "203.0.113.62 review prose");
		assert_int_equal(document->cves_count, 1);
		assert_int_equal(document->notes_count, 0);
	}
}

static void test_a_shorter_list_is_findings(void **state)
{
	TEXT(text);

	(void)state;
	append_list(&text, KH_BULK_MIN - 1);
	{
		DOCUMENT(document) = document_of(text.data);

		assert_int_equal(kh_bulk_count(&document->bulk), 0);
		assert_int_equal(document->findings_count, KH_BULK_MIN - 2 + 5);
		assert_int_equal(document->duplicates, 3);
		expect_finding(&document->findings[5], "203.0.113.9 enforce listed");
		assert_int_equal(document->findings[5].line, 7);
		expect_finding(&document->findings[6], "100.0.0.1 enforce listed");
		expect_finding(&document->findings[document->findings_count - 1], "203.0.113.0/24 enforce listed");
	}
}

/* A page stands in no bulk list: with form feeds, all are findings. */
static void test_pages_are_kept(void **state)
{
	TEXT(text);

	(void)state;
	for (unsigned i = 0; i <= KH_BULK_MIN; i++)
		append(&text, "%s100.%u.%u.1\n", i == 100 ? "\f" : "", i >> 8, i & 255);
	{
		DOCUMENT(document) = document_of(text.data);

		assert_int_equal(kh_bulk_count(&document->bulk), 0);
		assert_int_equal(document->findings_count, KH_BULK_MIN + 1);
		assert_int_equal(document->findings[99].page, 1);
		assert_int_equal(document->findings[100].page, 2);
	}
}

static void test_too_many_values(void **state)
{
	const size_t count = KH_READER_MAX_FINDINGS + 1, length = strlen("10.0.0.1\n");
	char *text KH_CLEANUP(kh_freep) = malloc(count * length);
	struct kh_document *document = NULL;
	struct kh_error error = { 0 };

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * length, "10.0.0.1\n", length);
	assert_int_equal(kh_reader_read("f.txt", text, count * length, &document, &error), -EFBIG);
	assert_null(document);
	assert_string_equal(error.text, "f.txt: more than 4194304 values in one file");
	assert_string_equal(error.hint, "split it into several files");
}

/* ---- The same as a short list, whatever stands in it ---------------------------------------------- */

static void append_random(struct text *text)
{
	unsigned a = random_below(6), b = random_below(256), c = random_below(4), port = random_below(3) + 1;

	switch (random_below(40)) {
	case 0:
		return append(text, "203.0.%u.%u:%u\n", a, b, port);
	case 1:
		return append(text, "c%u.example\n", b);
	case 2:
		return append(text, "203[.]0[.]%u[.]%u\n", a, b);
	case 3:
		return append(text, "203.0.%u.%u/2%u\n", a, b, c);
	case 4:
		return append(text, "203.0.%u\n", b);
	case 5:
		return append(text, "203.0.%u.%u # không chặn\n", a, b);
	case 6:
		return append(text, "203.0.%u.%u 203.0.%u.%u\n", a, b, a, 255 - b);
	case 7:
		return append(text, "trừ 203.0.%u.%u\n", a, b);
	case 8:
		return append(text, "203.0.%u.%u - 203.0.%u.255\n", a, b, a);
	case 9:
		return append(text, "::ffff:203.0.%u.%u\n", a, b);
	case 10:
		return append(text, "203.0.%u.%u-203.0.%u.%u\n", a, b, a + c - 1, b);
	case 11:
		return append(text, "203.0.%u.%u-%u\n", a, b, b);
	case 12:
		return append(text, "CVE-2022-%u\n\n# ghi chú\n", 10000 + b);
	case 13:
		return append(text, "203.0.%u.%u,%u\n", a, b, b);
	case 14:
		return append(text, "hxxp://203.0.%u.%u/x\n", a, b);
	case 15:
		return append(text, "203.0.%u.%u/32\n", a, b);
	case 16:
		return append(text, "2001:db8:%x::%u/%u\n", a, c, 126 + c);
	case 17:
		return append(text, "2001:db8:%x::%x\t%u\n", a, b, b);
	case 18:
		return append(text, "2001:DB8:%x::%x-2001:db8:%x::%x\n", a, b, a, 200);
	default:
		return append(text, "203.%u.%u.%u%s\n", random_below(4), a, b, c ? "" : "/32");
	}
}

/* "VALUE decision reason", sorted; of a value found again, as the reader keeps it: the strongest, the first of equals. */
struct outcome {
	char **lines;
	size_t count, capacity;
};

static void outcome_clear(struct outcome *outcome)
{
	for (size_t i = 0; i < outcome->count; i++)
		free(outcome->lines[i]);
	free(outcome->lines);
}

static int rank(const char *line)
{
	return strstr(line, " enforce ") ? 2 : strstr(line, " unenforceable ") ? 1 : 0;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_outcome(struct outcome *outcome, const struct kh_finding *finding)
{
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&finding->indicator), *line = NULL;

	assert_true(asprintf(&line, "%s %s %s", value, kh_decision_name(finding->proposed),
			     kh_decision_reason_name(finding->reason)) > 0);
	for (size_t i = 0; i < outcome->count; i++) {
		char *known = outcome->lines[i];

		if (strncmp(known, line, strlen(value) + 1) != 0)
			continue;
		outcome->lines[i] = rank(line) > rank(known) ? line : known;
		free(rank(line) > rank(known) ? known : line);
		return;
	}
	assert_int_equal(kh_grow(&outcome->lines, &outcome->capacity, outcome->count + 1, sizeof(char *)), 0);
	outcome->lines[outcome->count++] = line;
}

/* In pieces that are too short for a bulk. Returns how many values stand there, again and again. */
static size_t read_pieces(const char *text, struct outcome *outcome)
{
	size_t seen = 0;

	while (*text) {
		struct kh_document *document = NULL;
		const char *end = text;

		for (size_t lines = 0; *end && lines < KH_BULK_MIN / 2; lines++)
			end = strchr(end, '\n') + 1;
		assert_int_equal(read_bytes(text, (size_t)(end - text), &document, NULL), 0);
		assert_string_equal(document->format, "list");
		assert_int_equal(kh_bulk_count(&document->bulk), 0);
		seen += document->findings_count + document->duplicates;
		for (size_t i = 0; i < document->findings_count; i++)
			add_outcome(outcome, &document->findings[i]);
		kh_document_free(document);
		text = end;
	}
	return seen;
}

/* Does the line hold nothing before the value? */
static bool stands_on(const struct kh_range *range, const char *text, uint32_t line)
{
	struct kh_range found;

	for (; line > 1; line--)
		text = strchr(text, '\n') + 1;
	return kh_range_scan(text, strcspn(text, "\n"), &found) && kh_range_compare(&found, range) == 0;
}

static void compare_with_pieces(const char *text)
{
	struct outcome whole KH_CLEANUP(outcome_clear) = { 0 }, pieces KH_CLEANUP(outcome_clear) = { 0 };
	size_t seen = read_pieces(text, &pieces), values;
	DOCUMENT(document) = document_of(text);

	assert_true(kh_bulk_count(&document->bulk) > 1000);
	values = kh_bulk_count(&document->bulk) + document->findings_count;
	assert_int_equal(values, pieces.count);
	assert_int_equal(values + document->duplicates, seen);
	for (size_t i = 0; i < kh_bulk_count(&document->bulk); i++) {
		struct kh_finding finding = { .proposed = KH_ENFORCE, .reason = KH_WHY_TABLE };
		struct kh_range range;
		uint32_t line;

		range = kh_bulk_range(&document->bulk, i, &line);
		finding.indicator = kh_indicator_of_range(&range);
		assert_true(stands_on(&range, text, line));
		add_outcome(&whole, &finding);
	}
	for (size_t i = 0; i < document->findings_count; i++)
		add_outcome(&whole, &document->findings[i]);
	assert_int_equal(whole.count, pieces.count);
	qsort(whole.lines, whole.count, sizeof(char *), compare_lines);
	qsort(pieces.lines, pieces.count, sizeof(char *), compare_lines);
	for (size_t i = 0; i < whole.count; i++)
		assert_string_equal(whole.lines[i], pieces.lines[i]);
}

static void test_random_lists_as_in_pieces(void **state)
{
	(void)state;
	random_state = 0x4b686965;
	for (int round = 0; round < 3; round++) {
		TEXT(text);

		for (int i = 0; i < KH_BULK_MIN * 2; i++)
			append_random(&text);
		compare_with_pieces(text.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_values_are_the_bulk),
		cmocka_unit_test(test_a_shorter_list_is_findings),
		cmocka_unit_test(test_pages_are_kept),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_random_lists_as_in_pieces),
	};

	return cmocka_run_group_tests_name("reader_bulk", tests, NULL, NULL);
}
