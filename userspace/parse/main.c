// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien-parse: see answer.h. khien-parse-documents is beside it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "parse/answer.h"
#include "reader/reader.h"

int main(int count, char **words)
{
	char path[PATH_MAX];
	bool other;
	int status = kh_parse_answer(count, words, kh_reader_read_plain, &other);

	if (!other)
		return status;
	snprintf(path, sizeof(path), "%s-documents", (const char *)getauxval(AT_EXECFN));
	execv(path, words);
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return 1;
}
