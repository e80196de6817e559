// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien-fetch LANGUAGE FOLDER: the request and the kept copy on standard input, the answer and what was fetched on standard output
 * (model/fetched.h). Runs in the sandbox, started by khien-refresh.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "fetch/fetch.h"

static int answer(const struct kh_fetch_request *request, const char *kept, size_t length)
{
	struct kh_bytes content KH_CLEANUP(kh_bytes_clear) = {}, head KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_fetch_answer answer KH_CLEANUP(kh_fetch_answer_clear) = {};
	int code;

	kh_fetch(request, kept, length, &content, &answer);
	code = kh_fetch_answer_write(&answer, &head);
	if (!code)
		code = kh_file_write_fd(STDOUT_FILENO, head.data, head.length);
	return code < 0 || !content.length ? code : kh_file_write_fd(STDOUT_FILENO, content.data, content.length);
}

int main(int count, char **words)
{
	struct kh_fetch_request request KH_CLEANUP(kh_fetch_request_clear) = {};
	char *data KH_CLEANUP(kh_freep) = NULL;
	size_t length = 0, rest = 0;
	int code;

	if (count != 3) {
		fprintf(stderr, "usage: khien-fetch LANGUAGE FOLDER < REQUEST\n");
		return 2;
	}
	setenv("KHIEN_LOCALEDIR", words[2], 1);
	kh_lang_init();
	kh_lang_set(words[1]);
	code = kh_file_read_fd(STDIN_FILENO, KH_FETCH_INPUT_MAX, &data, &length);
	if (!code)
		code = kh_fetch_request_read(data, length, &request, &rest);
	if (!code)
		code = answer(&request, data + rest, length - rest);
	if (code < 0)
		fprintf(stderr, "%s\n", strerror(-code));
	return code < 0;
}
