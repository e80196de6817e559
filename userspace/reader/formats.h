/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The formats: what a line of the tables in reader.c, formats.c and plain.c is, and the functions that stand in them. Each format is a file of its own name.
 */
#ifndef KHIEN_READER_FORMATS_H
#define KHIEN_READER_FORMATS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/bytes.h"
#include "common/error.h"
#include "model/document.h"

struct kh_collector;

struct kh_input {
	const char *file;
	const char *text; /* without byte order mark; UTF-8 checked before a text format is asked */
	size_t length;
};

/* A recogniser looks at content, never at the name: 1, 0, -ENOMEM. A reader fills the collector: 0, -ENOMEM, or -EINVAL, -EFBIG, -ENOTSUP with
 * collector->error. An extractor makes text with marks of it, and reads nothing in it. */
struct kh_format {
	const char *name;
	int (*recognise)(const struct kh_input *input); /* NULL: takes everything */
	int (*extract)(const struct kh_input *input, struct kh_collector *collector,
		       struct kh_bytes *ret_text); /* or: */
	int (*read)(const struct kh_input *input, struct kh_collector *collector);
	bool letter; /* has a head, announces counts */
};

/* Each table is asked in its order and ends with a format without a name; the first that recognises the input reads it. */
struct kh_formats {
	const struct kh_format *binaries; /* by their bytes, before they are taken for text */
	const struct kh_format *markup; /* then, of UTF-8 text, by how it begins */
};

/* reader.c: as kh_reader_read() does, of these formats and of plain text. */
int kh_read(const struct kh_formats *formats, const char *file, const void *data, size_t length,
	    struct kh_document **ret_document, struct kh_error *error);

/* signs.c: begins as a package does. Also the recognisers of archive, mail and html. */
bool kh_package_is(const struct kh_input *input);

int kh_docx_recognise(const struct kh_input *input);
int kh_docx_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text);
int kh_odt_recognise(const struct kh_input *input);
int kh_odt_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text);
int kh_ods_recognise(const struct kh_input *input);
int kh_ods_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text);
int kh_xlsx_recognise(const struct kh_input *input);
int kh_xlsx_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text);
int kh_domains_recognise(const struct kh_input *input);
int kh_domains_read(const struct kh_input *input, struct kh_collector *collector);
int kh_csv_recognise(const struct kh_input *input);
int kh_csv_read(const struct kh_input *input, struct kh_collector *collector);
int kh_feed_recognise(const struct kh_input *input);
int kh_feed_read(const struct kh_input *input, struct kh_collector *collector);
int kh_html_recognise(const struct kh_input *input);
int kh_html_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text);
int kh_mail_recognise(const struct kh_input *input);
int kh_mail_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text);
int kh_stix_recognise(const struct kh_input *input);
int kh_stix_read(const struct kh_input *input, struct kh_collector *collector);
int kh_misp_recognise(const struct kh_input *input);
int kh_misp_read(const struct kh_input *input, struct kh_collector *collector);
int kh_openioc_recognise(const struct kh_input *input);
int kh_openioc_read(const struct kh_input *input, struct kh_collector *collector);
int kh_archive_recognise(const struct kh_input *input);
int kh_archive_read(const struct kh_input *input, struct kh_collector *collector);

int kh_list_recognise(const struct kh_input *input); /* 1, 0, -ENOMEM */
int kh_list_read(const struct kh_input *input, struct kh_collector *collector);
int kh_prose_read(const struct kh_input *input, struct kh_collector *collector); /* also text with marks */

#endif
