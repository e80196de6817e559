/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes -> document with provenance. Pure: no files, no kernel, no database; input is hostile.
 *
 * The format is found by content, never by the file's name; the tables in reader.c and formats.c list those there are. What is known and not read is refused by
 * name (signature.c), so that nothing half-read is ever enforced. What needs a program of its own (PDF, pictures) arrives as the text
 * that program made of it.
 *
 * A list with at least KH_BULK_MIN plain values (an address, prefix or a-b range on its line, perhaps before columns of numbers; no
 * pages) has those in document->bulk; everything else it holds are findings, as all of a shorter list is.
 *
 * A new format is one file in this folder and one line in reader.c, or in formats.c when it needs a library of its own.
 */
#ifndef KHIEN_READER_READER_H
#define KHIEN_READER_READER_H

#include <stddef.h>

#include "common/error.h"
#include "model/document.h"

#define KH_READER_MAX_BYTES ((size_t)64 << 20) /* a larger file is refused */
#define KH_READER_MAX_FINDINGS ((size_t)4 << 20) /* findings and bulk together */

/* Reads `length` bytes named `file` (for messages and provenance; borrowed, copied). 0; -EINVAL (empty, binary,
 * not UTF-8: error says line and column), -EFBIG, -ENOTSUP (a format this version does not read, named),
 * -ENOMEM. On failure *ret_document is unchanged. */
int kh_reader_read(const char *file, const void *data, size_t length, struct kh_document **ret_document,
		   struct kh_error *error);

/* The same for those formats alone that are plain text: quick to start. -ENOEXEC, without error: it is one of the others (packages, mail, HTML). */
int kh_reader_read_plain(const char *file, const void *data, size_t length, struct kh_document **ret_document,
			 struct kh_error *error);

/* The same for the text of pages, divided by form feeds, that a program took out of a document: `format` is "pdf" or "scan". */
int kh_reader_read_pages(const char *file, const char *format, const void *data, size_t length,
			 struct kh_document **ret_document, struct kh_error *error);

/* One value as typed by a person or pasted from a letter, defanged or not: "203.0.113[.]7", "hxxp://c2[.]example/x",
 * "[2001:db8::1]:443". Returns as kh_indicator_parse does. */
int kh_reader_value(const char *text, struct kh_indicator *ret_indicator, struct kh_error *error);

#endif
