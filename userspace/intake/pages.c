// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What has pages: PDF and pictures. The text of a PDF is pdftotext's, laid out as on the page. A page with hardly a letter is a picture of a
 * page, or blank: it is drawn and read as such.
 */
#include "intake/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

#define TEXT_MAX ((size_t)64 << 20)
#define PICTURE_MAX ((size_t)256 << 20)
#define LETTERS_MIN 24 /* of a page with a text of its own: a stamp, a page number are fewer */

#define LAYOUT_TOOL "pdftotext"
#define DRAWING_TOOL "pdftoppm"

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0xc0;
}

/* The page from *at on, which moves behind its form feed. False: no more. */
static bool next_page(const struct kh_bytes *text, size_t *at, size_t *ret_letters)
{
	size_t letters = 0;

	if (*at >= text->length)
		return false;
	for (; *at < text->length && text->data[*at] != '\f'; ++*at)
		letters += is_letter(text->data[*at]);
	++*at;
	*ret_letters = letters;
	return true;
}

static int fail_layout(const char *file, int code, const struct kh_error *why, struct kh_error *error)
{
	if (code == -ENOPKG) {
		kh_fail(error, code, _("%s: PDF is read by %s, which is not installed"), file, LAYOUT_TOOL);
		kh_hint(error, _("apt install poppler-utils"));
	} else if (strstr(why->text, "password")) {
		kh_fail(error, -ENOTSUP, _("%s: the PDF is locked with a password"), file);
		kh_hint(error,
			_("open it with the password and print it to a new PDF, or ask the sender for one without"));
		return -ENOTSUP;
	} else {
		kh_fail(error, code, "%s: %s", file, why->text);
		kh_hint(error, _("look at the file on another machine before you trust it"));
	}
	return code;
}

static int draw(int fd, size_t page, struct kh_scan *scan, struct kh_error *error)
{
	char number[16];
	const char *const words[] = { DRAWING_TOOL, "-q", "-r", "300", "-gray", "-f", number, "-l", number, "-", NULL };
	struct kh_bytes picture KH_CLEANUP(kh_bytes_clear) = {};
	int memory KH_CLEANUP(kh_closep) = -1, code;

	snprintf(number, sizeof(number), "%zu", page);
	code = kh_run(words, fd, PICTURE_MAX, &picture, error);
	if (code < 0)
		return code;
	memory = kh_memory_file(picture.data, picture.length);
	return memory < 0 ? kh_fail(error, memory, "%s", strerror(-memory)) : kh_scan_page(memory, scan, error);
}

/* Reads the pages without text; *ret_document stays NULL when there are none. */
static int read_drawn(const char *file, int fd, const struct kh_bytes *text, struct kh_document **ret_document,
		      struct kh_error *error)
{
	struct kh_scan scan KH_CLEANUP(kh_scan_clear) = {};
	size_t page = 0, drawn = 0, at = 0, letters;
	struct kh_error why = {};
	int code = 0;

	while (!code && next_page(text, &at, &letters)) {
		page++;
		if (letters >= LETTERS_MIN) {
			code = kh_scan_skip(&scan);
			continue;
		}
		if (!drawn && !kh_scan_possible(file, error))
			return -ENOPKG;
		if (++drawn > KH_INTAKE_PAGES_MAX) {
			kh_fail(error, -EFBIG, _("%s: more than %d pages are pictures"), file, KH_INTAKE_PAGES_MAX);
			kh_hint(error, _("split it into several files"));
			return -EFBIG;
		}
		code = draw(fd, page, &scan, &why);
	}
	if (code < 0)
		return fail_layout(file, code, &why, error);
	return drawn ? kh_scan_end(file, &scan, ret_document, error) : 0;
}

static bool has_text(const struct kh_bytes *text)
{
	size_t at = 0, letters;

	while (next_page(text, &at, &letters))
		if (letters)
			return true;
	return false;
}

/* The text of the pages that have one. */
static int read_laid_out(const char *file, const struct kh_bytes *text, struct kh_document **ret_document,
			 struct kh_error *error)
{
	int fd KH_CLEANUP(kh_closep) = kh_memory_file(text->data, text->length);

	if (fd < 0)
		return kh_fail(error, fd, "%s: %s", file, strerror(-fd));
	return kh_parse(file, "pdf", fd, ret_document, error);
}

static bool says_something(const struct kh_document *document)
{
	return document->findings_count || document->cves_count || document->hashes_count || document->letter.number;
}

/* Pages that could not be read beside others that were: what stands in them is missing, and that is said. */
static int note_unread(struct kh_document *document, const struct kh_error *why)
{
	char *note KH_CLEANUP(kh_freep) = NULL;

	if (asprintf(&note, _("PAGES WITHOUT TEXT WERE NOT READ: %s: %s"), why->text, why->hint) < 0)
		return -ENOMEM;
	return kh_document_note(document, note);
}

int kh_pdf_read(const char *file, int fd, struct kh_documents *documents, struct kh_error *error)
{
	static const char *const words[] = { LAYOUT_TOOL, "-q", "-layout", "-enc", "UTF-8", "-", "-", NULL };
	struct kh_bytes text KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_document *laid_out KH_CLEANUP(kh_document_freep) = NULL, *drawn KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_error why = {}, drawing = {};
	int code = kh_run(words, fd, TEXT_MAX, &text, &why), drawing_code;

	if (code < 0)
		return fail_layout(file, code, &why, error);
	if (has_text(&text)) {
		code = read_laid_out(file, &text, &laid_out, error);
		if (code < 0)
			return code;
	}
	drawing_code = read_drawn(file, fd, &text, &drawn, &drawing);
	if (drawing_code == -ENOMEM || (drawing_code < 0 && !laid_out)) {
		if (error)
			*error = drawing;
		return drawing_code;
	}
	if (drawing_code < 0 && note_unread(laid_out, &drawing) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	if (!laid_out && !drawn) {
		kh_fail(error, -EINVAL, _("%s: the PDF has no pages"), file);
		return kh_hint(error, _("check the path, and that the file was transferred whole")), -EINVAL;
	}
	/* A blank last page is no document. */
	if (laid_out && drawn && !says_something(drawn))
		kh_document_free(KH_TAKE(drawn));
	if (laid_out && kh_documents_add(documents, KH_TAKE(laid_out)) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	if (drawn && kh_documents_add(documents, KH_TAKE(drawn)) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	return 0;
}

int kh_picture_read(const char *file, int fd, struct kh_documents *documents, struct kh_error *error)
{
	struct kh_scan scan KH_CLEANUP(kh_scan_clear) = {};
	struct kh_document *document = NULL;
	struct kh_error why = {};
	int code;

	if (!kh_scan_possible(file, error))
		return -ENOPKG;
	code = kh_scan_page(fd, &scan, &why);
	if (code < 0)
		return fail_layout(file, code, &why, error);
	code = kh_scan_end(file, &scan, &document, error);
	if (code < 0)
		return code;
	return kh_documents_add(documents, document) < 0 ? kh_fail(error, -ENOMEM, _("out of memory")) : 0;
}
