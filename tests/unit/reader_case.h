/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the reader share: a document from a text, and the one line a finding is compared by.
 */
#ifndef KHIEN_TESTS_READER_CASE_H
#define KHIEN_TESTS_READER_CASE_H

#include "reader/reader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

#define DOCUMENT(document) struct kh_document *document KH_CLEANUP(kh_document_freep)

/* Reads a copy of exactly that size, so that a byte read beyond it is seen. */
static inline int read_bytes(const void *data, size_t length, struct kh_document **ret_document, struct kh_error *error)
{
	void *copy KH_CLEANUP(kh_freep) = malloc(length ? length : 1);

	assert_non_null(copy);
	if (length)
		memcpy(copy, data, length);
	return kh_reader_read("f.txt", copy, length, ret_document, error);
}

static inline struct kh_document *document_of(const char *text)
{
	struct kh_document *document = NULL;
	struct kh_error error = { 0 };

	if (read_bytes(text, strlen(text), &document, &error))
		fail_msg("%s", error.text);
	return document;
}

/* A list long enough to be held as one, with addresses of both families, and then `more`. malloc'ed. */
static inline char *long_list(const char *more)
{
	const size_t room = KH_BULK_MIN * 24 + strlen(more) + 1;
	char *text = malloc(room);
	size_t length = 0;

	assert_non_null(text);
	for (unsigned i = 0; i < KH_BULK_MIN; i++)
		length += (size_t)snprintf(text + length, room - length, i % 9 ? "100.%u.%u.1\n" : "2001:db8:%x::%x\n",
					   i & 255, i >> 8);
	strcpy(text + length, more);
	return text;
}

/* "VALUE decision reason" */
static inline void expect_finding(const struct kh_finding *finding, const char *expected)
{
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&finding->indicator);
	char found[512];

	snprintf(found, sizeof(found), "%s %s %s", value, kh_decision_name(finding->proposed),
		 kh_decision_reason_name(finding->reason));
	assert_string_equal(found, expected);
}

/* The findings of a text, in order; NULL ends. */
static inline void expect_findings(const char *text, const char *const *expected)
{
	DOCUMENT(document) = document_of(text);
	size_t count = 0;

	for (; expected[count]; count++) {
		if (count >= document->findings_count)
			fail_msg("%s: not found: %s", text, expected[count]);
		expect_finding(&document->findings[count], expected[count]);
	}
	if (document->findings_count > count)
		fail_msg("%s: found besides: %s", text, document->findings[count].raw);
}

#define EXPECT(text, ...) expect_findings(text, (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

#endif
