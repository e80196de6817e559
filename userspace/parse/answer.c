// SPDX-License-Identifier: GPL-2.0-or-later
#include "parse/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "model/wire.h"
#include "reader/reader.h"

/* The document, or why there is none. 0 or -errno: there is no answer at all. */
static int answer(const char *name, const char *format, kh_read_function *read, struct kh_bytes *bytes)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	char *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = {};
	size_t length;
	int code = kh_file_read_fd(STDIN_FILENO, KH_READER_MAX_BYTES, &data, &length);

	if (code == -EFBIG) {
		kh_fail(&error, code, _("%s: larger than %zu MiB"), name, KH_READER_MAX_BYTES >> 20);
		kh_hint(&error, _("split it, and push the parts with the same --ref"));
	} else if (code < 0)
		return code;
	else if (format)
		code = kh_reader_read_pages(name, format, data, length, &document, &error);
	else
		code = read(name, data, length, &document, &error);
	free(KH_TAKE(data));
	if (code == -ENOEXEC)
		return code;
	kh_text_printable(error.text); /* a long name may have been cut within a letter */
	return code < 0 ? kh_wire_write_error(code, &error, bytes) : kh_wire_write(document, bytes);
}

int kh_parse_answer(int count, char **words, kh_read_function *read, bool *ret_other)
{
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	int code;

	*ret_other = false;
	if (count < 4 || count > 5 || (count == 5 && !kh_document_format(words[4]))) {
		fprintf(stderr, "usage: %s NAME LANGUAGE FOLDER [FORMAT] < DOCUMENT\n", words[0]);
		return 2;
	}
	setenv("KHIEN_LOCALEDIR", words[3], 1);
	kh_lang_init();
	kh_lang_set(words[2]);
	code = answer(words[1], words[4], read, &bytes);
	if (code == -ENOEXEC && lseek(STDIN_FILENO, 0, SEEK_SET) == 0) {
		*ret_other = true;
		return 0;
	}
	if (code == -ENOEXEC) {
		fprintf(stderr, "%s: a document of this kind comes as a file, not through a pipe\n", words[1]);
		return 1;
	}
	if (!code)
		code = kh_file_write_fd(STDOUT_FILENO, bytes.data, bytes.length);
	if (code < 0)
		fprintf(stderr, "%s\n", strerror(-code));
	return code < 0;
}
