/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the intake: intake.c tells files apart and walks those in files; pages.c takes text and pictures out of pages;
 * scan.c reads pictures twice and compares.
 */
#ifndef KHIEN_INTAKE_PRIVATE_H
#define KHIEN_INTAKE_PRIVATE_H

#include "common/bytes.h"
#include "intake/intake.h"

/* khien-parse on fd; `format` NULL: it finds out; else "pdf" or "scan" for the text of pages. */
int kh_parse(const char *file, const char *format, int fd, struct kh_document **ret_document, struct kh_error *error);

/* An installed program on `input`, behind the walls; what it wrote is *ret_output. 0; -ENOPKG: not installed; -EPROTO: it ended with an
 * error (error->text is what it said); the errors of kh_sandbox_run(). */
int kh_run(const char *const *words, int input, size_t output_max, struct kh_bytes *ret_output, struct kh_error *error);

/* memfd with these bytes, or -errno. */
int kh_memory_file(const void *data, size_t length);

/* Documents of a PDF: its text, and what its pages without text show. */
int kh_pdf_read(const char *file, int fd, struct kh_documents *documents, struct kh_error *error);
/* Document of a picture. */
int kh_picture_read(const char *file, int fd, struct kh_documents *documents, struct kh_error *error);

/* Is text recognition installed? If not, error says how to install it. */
bool kh_scan_possible(const char *file, struct kh_error *error);
/* Reads one picture in two ways and appends what was read, with a form feed. */
struct kh_scan {
	struct kh_bytes texts[2];
};
int kh_scan_page(int picture, struct kh_scan *scan, struct kh_error *error);
/* An empty page. */
int kh_scan_skip(struct kh_scan *scan);
/* The document of the pages so far. */
int kh_scan_end(const char *file, struct kh_scan *scan, struct kh_document **ret_document, struct kh_error *error);
void kh_scan_clear(struct kh_scan *scan);

#endif
