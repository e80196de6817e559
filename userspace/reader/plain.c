// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The formats of plain text: the same lines as in formats.c, in the same order, and in place of the others the answer that they are not
 * read here. A program that is linked with this and not with formats.c starts without libzip, libxml2 and GMime and what they bring along,
 * 25 libraries, which take longer to load than most lists take to be read.
 */
#include <errno.h>

#include "common/util.h"
#include "reader/private.h"
#include "reader/reader.h"

static int leave(const struct kh_input *input KH_UNUSED, struct kh_collector *collector KH_UNUSED)
{
	return -ENOEXEC;
}

static const struct kh_format binaries[] = {
	{ "zip", kh_archive_recognise, NULL, leave, false }, /* and what is a package */
	{ "eml", kh_mail_recognise, NULL, leave, false },
	{ 0 },
};

static const struct kh_format texts[] = {
	{ "misp", kh_misp_recognise, NULL, kh_misp_read, false },
	{ "stix", kh_stix_recognise, NULL, kh_stix_read, false },
	{ "json", kh_feed_recognise, NULL, kh_feed_read, false },
	{ "openioc", kh_openioc_recognise, NULL, kh_openioc_read, false },
	{ "html", kh_html_recognise, NULL, leave, false },
	{ "domains", kh_domains_recognise, NULL, kh_domains_read, false },
	{ "csv", kh_csv_recognise, NULL, kh_csv_read, false },
	{ 0 },
};

int kh_reader_read_plain(const char *file, const void *data, size_t length, struct kh_document **ret_document,
			 struct kh_error *error)
{
	static const struct kh_formats plain = { binaries, texts };

	return kh_read(&plain, file, data, length, ret_document, error);
}
