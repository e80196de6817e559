/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs have in common that read one document in the sandbox (intake.c starts them; by hand they are of little use, and do no harm):
 *
 *   PROGRAM NAME LANGUAGE FOLDER [FORMAT]   the document on standard input, as bytes (model/wire.h) on standard output
 *
 * khien-parse reads plain text, which is what comes in a hurry and from feeds; for everything else khien-parse-documents takes its place,
 * behind the same walls.
 */
#ifndef KHIEN_PARSE_ANSWER_H
#define KHIEN_PARSE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "model/document.h"

typedef int kh_read_function(const char *name, const void *data, size_t length, struct kh_document **ret_document,
			     struct kh_error *error);

/* All of the program: its exit status, with the words of the command line. When `read` says -ENOEXEC nothing is written, standard input is at its
 * start again and *ret_other is true. */
int kh_parse_answer(int count, char **words, kh_read_function *read, bool *ret_other);

#endif
