/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file -> its documents, without reading it in this process: khien-parse does, in the sandbox, and what it answers is checked. The only
 * way by which foreign files are read.
 *
 * A PDF becomes text by pdftotext, its pages without text, and pictures, by pdftoppm and tesseract: each by itself behind the same walls.
 * What was read from a picture is read twice, in two ways, and always waits for review. Files in the file (a mail's attachments, the
 * members of an archive) are documents of their own, named "mail.eml/annex.xlsx".
 */
#ifndef KHIEN_INTAKE_INTAKE_H
#define KHIEN_INTAKE_INTAKE_H

#include "common/error.h"
#include "model/document.h"

#define KH_INTAKE_SECONDS 60 /* each program may take, for a file or a page */
#define KH_INTAKE_PAGES_MAX 40 /* that are read from pictures, of one file */
#define KH_INTAKE_DEPTH_MAX 4 /* of files in files */
#define KH_INTAKE_FILES_MAX 200 /* in one file, at all depths */
#define KH_INTAKE_BYTES_MAX ((size_t)512 << 20) /* of them together */

/* Reads fd (regular file or memfd, from its start; borrowed), named `file` for messages and provenance, and adds its documents, at least one. A file in it
 * that cannot be read is a note of its document, with what to do. Errors are those of kh_reader_read() and of kh_sandbox_run(); with error,
 * which names the file. On failure *documents is unchanged. */
int kh_intake_read(const char *file, int fd, struct kh_documents *documents, struct kh_error *error);

#endif
