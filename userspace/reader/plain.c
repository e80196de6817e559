// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * In place of the formats in formats.c the answer that they are not read here. A program that is linked with this and not with formats.c starts without libzip, libxml2 and GMime and what they bring along,
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

static const struct kh_format markup[] = {
	{ "html", kh_html_recognise, NULL, leave, false },
	{ 0 },
};

int kh_reader_read_plain(const char *file, const void *data, size_t length, struct kh_document **ret_document,
			 struct kh_error *error)
{
	static const struct kh_formats plain = { binaries, markup };

	return kh_read(&plain, file, data, length, ret_document, error);
}
