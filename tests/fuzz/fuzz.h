/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets share: a document is read through the door of the reader, and what comes out must hold together. Canonical values parse
 * again, proposals fit the kind of value, lines lie within the file, texts are short and UTF-8, and the process that trusts nothing accepts it.
 */
#ifndef KHIEN_TESTS_FUZZ_H
#define KHIEN_TESTS_FUZZ_H

#include <assert.h>
#include <errno.h>
#include <iconv.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"
#include "model/wire.h"
#include "reader/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Why something that is no value waits. */
static inline bool is_doubt(enum kh_decision_reason reason)
{
	return reason == KH_WHY_MALFORMED || reason == KH_WHY_ZONE || reason == KH_WHY_GLUED || reason == KH_WHY_CUT ||
	       reason == KH_WHY_TOO_WIDE;
}

static inline void check_text(const char *text, size_t most)
{
	size_t length = strlen(text);

	assert(length <= most && kh_utf8_check(text, length) == length);
}

static inline void check_finding(const struct kh_finding *finding, int lines)
{
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&finding->indicator);
	struct kh_indicator again = { 0 };

	assert(finding->line >= 1 && finding->line <= lines && finding->page >= 0);
	check_text(finding->raw, 256);
	if (finding->column)
		check_text(finding->column, 64);
	if (finding->proposed == KH_ENFORCE)
		assert(kh_indicator_enforceable(&finding->indicator));
	if (finding->indicator.type == KH_TYPE_UNKNOWN) {
		assert(finding->proposed == KH_REVIEW && is_doubt(finding->reason));
		return;
	}
	assert(kh_indicator_parse(value, &again, NULL) == 0);
	assert(again.type == finding->indicator.type && again.port == finding->indicator.port);
	assert(again.range.first == finding->indicator.range.first &&
	       again.range.last == finding->indicator.range.last);
	kh_indicator_clear(&again);
}

/* Sorted, each value once and in none of the findings; it parses again. */
static inline void check_bulk(const struct kh_document *document, int lines)
{
	const struct kh_bulk *bulk = &document->bulk;
	struct kh_range before = { 0 };

	for (size_t i = 0; i < kh_bulk_count(bulk); i++) {
		struct kh_indicator indicator = { 0 }, again = { 0 };
		char value[KH_RANGE_TEXT];
		struct kh_range range;
		uint32_t line;

		range = kh_bulk_range(bulk, i, &line);
		assert(line >= 1 && line <= (uint32_t)lines);
		assert(i == 0 || kh_range_compare(&before, &range) < 0);
		indicator = kh_indicator_of_range(&range);
		assert(kh_indicator_parse(kh_range_format(&range, value), &again, NULL) == 0);
		assert(again.type == indicator.type && kh_range_compare(&again.range, &range) == 0);
		before = range;
	}
	for (size_t i = 0; i < document->findings_count && kh_bulk_count(bulk); i++) {
		const struct kh_indicator *indicator = &document->findings[i].indicator;

		assert(indicator->type == KH_TYPE_ADDRESS_PORT || !kh_indicator_enforceable(indicator) ||
		       !kh_bulk_holds(bulk, &indicator->range));
	}
}

/* Whoever asked for the document reads the same from its bytes: what this process writes, that one accepts. */
static inline void check_wire(const struct kh_document *document)
{
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {}, again KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_document *accepted KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_error error = { 0 };

	assert(kh_wire_write(document, &bytes) == 0);
	if (kh_wire_read(bytes.data, bytes.length, &accepted, &error)) {
		fprintf(stderr, "%s\n", error.text);
		abort();
	}
	assert(kh_wire_write(accepted, &again) == 0);
	assert(again.length == bytes.length && !memcmp(again.data, bytes.data, bytes.length));
}

static inline void check_document(const struct kh_document *document, const uint8_t *data, size_t size)
{
	int lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (strcmp(document->format, "list") && strcmp(document->format, "text"))
		lines = INT_MAX; /* rows and objects say their own */
	for (size_t i = 0; i < document->findings_count; i++)
		check_finding(&document->findings[i], lines);
	check_bulk(document, lines);
	for (size_t i = 0; i < document->notes_count; i++)
		check_text(document->notes[i], SIZE_MAX);
	for (size_t i = 0; i < document->parts_count; i++)
		check_text(document->parts[i].name, SIZE_MAX);
	assert(document->findings_count || kh_bulk_count(&document->bulk) || document->notes_count ||
	       document->parts_count);
	check_wire(document);
}

/* What reading gave: a document that holds together, or an error with what to do next. */
static inline void check_result(int result, const struct kh_document *document, const struct kh_error *error,
				const uint8_t *data, size_t size)
{
	assert(result == 0 || result == -EINVAL || result == -ENOTSUP || result == -EFBIG);
	if (result == 0)
		check_document(document, data, size);
	else
		assert(!document && error->text[0] && error->hint[0]);
}

/* The system loads a module for each encoding asked for, and forgets it after: that would be most of the time of a run. */
static inline void keep_encodings(void)
{
	static const char *const names[] = { "TCVN5712-1", "CP1258", "CP1252", "UTF-16LE", "UTF-16BE" };
	static iconv_t kept[KH_ARRAY_SIZE(names)];

	for (size_t i = 0; i < KH_ARRAY_SIZE(names) && !kept[i]; i++)
		kept[i] = iconv_open("UTF-8", names[i]);
}

/* Reads bytes as a file; files in it too, down to `depth`. */
static inline void fuzz_read(const uint8_t *data, size_t size, int depth)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_error error = { 0 };
	int result;

	keep_encodings();
	result = kh_reader_read("fuzz", data, size, &document, &error);
	check_result(result, document, &error, data, size);
	for (size_t i = 0; depth && document && i < document->parts_count; i++)
		fuzz_read(document->parts[i].data, document->parts[i].length, depth - 1);
}

/* Reads `before`, the bytes and `after` as one file. */
static inline void fuzz_read_within(const char *before, const uint8_t *data, size_t size, const char *after)
{
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};

	if (kh_bytes_add(&bytes, before, strlen(before)) || kh_bytes_add(&bytes, data, size) ||
	    kh_bytes_add(&bytes, after, strlen(after)))
		return;
	fuzz_read(bytes.data ? bytes.data : (const uint8_t *)"", bytes.length, 1);
}

#endif
