/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file -> document, without reading it in this process: khien-parse does, in the sandbox, and what it answers is checked. The only
 * way by which foreign files are read.
 */
#ifndef KHIEN_INTAKE_INTAKE_H
#define KHIEN_INTAKE_INTAKE_H

#include "common/error.h"
#include "model/document.h"

#define KH_INTAKE_SECONDS 60 /* a document may take */

/* Reads fd (regular file or memfd, from its start; borrowed), named `file` for messages and provenance. Errors are those of
 * kh_reader_read() and of kh_sandbox_run(); with error, which names the file (but
 * where an answer does not hold together). On failure *ret_document is unchanged. */
int kh_intake_read(const char *file, int fd, struct kh_document **ret_document, struct kh_error *error);

#endif
