// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The formats that need a library of their own, a line each; those of plain text are in reader.c.
 */
#include <stddef.h>

#include "reader/private.h"
#include "reader/reader.h"

static const struct kh_format binaries[] = {
	{ "docx", kh_docx_recognise, kh_docx_extract, NULL, true },
	{ "xlsx", kh_xlsx_recognise, kh_xlsx_extract, NULL, true },
	{ "odt", kh_odt_recognise, kh_odt_extract, NULL, true },
	{ "ods", kh_ods_recognise, kh_ods_extract, NULL, true },
	{ "zip", kh_archive_recognise, NULL, kh_archive_read, false },
	{ "eml", kh_mail_recognise, kh_mail_extract, NULL, true },
	{ 0 },
};

static const struct kh_format markup[] = {
	{ "html", kh_html_recognise, kh_html_extract, NULL, true },
	{ 0 },
};

int kh_reader_read(const char *file, const void *data, size_t length, struct kh_document **ret_document,
		   struct kh_error *error)
{
	static const struct kh_formats all = { binaries, markup };

	return kh_read(&all, file, data, length, ret_document, error);
}
