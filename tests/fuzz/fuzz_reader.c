// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any bytes as a document, and as a typed value. What comes out must hold together: canonical values parse
 * again, proposals fit the kind of value, lines lie within the file.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"
#include "reader/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Why something that is no value waits. */
static bool is_doubt(enum kh_decision_reason reason)
{
	return reason == KH_WHY_MALFORMED || reason == KH_WHY_ZONE || reason == KH_WHY_GLUED || reason == KH_WHY_CUT;
}

static void check_finding(const struct kh_finding *finding, int lines)
{
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&finding->indicator);
	struct kh_indicator again = { 0 };

	assert(finding->line >= 1 && finding->line <= lines);
	assert(finding->raw && strlen(finding->raw) <= 256);
	assert(kh_utf8_check(finding->raw, strlen(finding->raw)) == strlen(finding->raw));
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
static void check_bulk(const struct kh_document *document, int lines)
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

static void check_document(const struct kh_document *document, const uint8_t *data, size_t size)
{
	int lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (strcmp(document->format, "list") && strcmp(document->format, "text"))
		lines = INT32_MAX; /* rows and objects say their own */
	if (!strcmp(document->format, "json")) /* what was read elsewhere has its lines there */
		lines = INT_MAX;
	for (size_t i = 0; i < document->findings_count; i++)
		check_finding(&document->findings[i], lines);
	check_bulk(document, lines);
	assert(document->findings_count || kh_bulk_count(&document->bulk) || document->notes_count ||
	       document->parts_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_indicator indicator = { 0 };
	struct kh_error error = { 0 };
	char *text KH_CLEANUP(kh_freep) = malloc(size + 1);
	int result = kh_reader_read("fuzz", data, size, &document, &error);

	assert(result == 0 || result == -EINVAL || result == -ENOTSUP || result == -EFBIG);
	if (result == 0)
		check_document(document, data, size);
	else
		assert(!document && error.text[0] && error.hint[0]);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	result = kh_reader_value(text, &indicator, &error);
	assert(result == 0 || result == -EINVAL || result == -EDOM);
	kh_indicator_clear(&indicator);
	return 0;
}
