/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of lists share: the values of a list in one line, and its notes.
 */
#ifndef KHIEN_TESTS_LIST_CASE_H
#define KHIEN_TESTS_LIST_CASE_H

#include "reader_case.h"

static inline struct kh_document *read_list(const char *text, const char *format)
{
	struct kh_document *document = NULL;
	struct kh_error error = {};

	if (read_bytes(text, strlen(text), &document, &error))
		fail_msg("%s\n%s", error.text, text);
	if (strcmp(document->format, format) != 0)
		fail_msg("%s, not %s:\n%s", document->format, format, text);
	return document;
}

/* Values, in their order, with what is proposed unless it is plain: "a b? c!" (? waits, ! cannot be enforced). */
static inline void expect(const char *text, const char *format, const char *said)
{
	DOCUMENT(document) = read_list(text, format);
	char found[4096] = "";
	size_t length = 0;

	for (size_t i = 0; i < document->findings_count; i++) {
		const struct kh_finding *finding = &document->findings[i];
		char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&finding->indicator);

		length += (size_t)snprintf(found + length, sizeof(found) - length, "%s%s%s", length ? " " : "", value,
					   finding->proposed == KH_REVIEW	   ? "?"
					   : finding->proposed == KH_UNENFORCEABLE ? "!"
										   : "");
	}
	if (strcmp(found, said) != 0)
		fail_msg("\"%s\", not \"%s\", of:\n%s", found, said, text);
}

/* The only note. */
static inline void expect_notes(const char *text, const char *said)
{
	DOCUMENT(document) = document_of(text);

	assert_int_equal(document->notes_count, 1);
	assert_string_equal(document->notes[0], said);
}

#endif
