// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text recognition, in two ways: as a column of lines of any height, and as one block. A value that both read waits for review; one that only
 * one of them read waits too, and says so. Nothing read from a picture is enforced by itself.
 */
#include "intake/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

#define TOOL "tesseract"
#define TEXT_MAX ((size_t)8 << 20)

static const char *const layouts[] = { "4", "6" }; /* one column of lines of any height; one block */

void kh_scan_clear(struct kh_scan *scan)
{
	kh_bytes_clear(&scan->texts[0]);
	kh_bytes_clear(&scan->texts[1]);
}

bool kh_scan_possible(const char *file, struct kh_error *error)
{
	static const char *const needed[] = { "/usr/bin/pdftoppm", "/usr/bin/tesseract",
					      "/usr/share/tesseract-ocr/5/tessdata/vie.traineddata",
					      "/usr/share/tesseract-ocr/5/tessdata/eng.traineddata" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(needed); i++) {
		if (!access(needed[i], R_OK))
			continue;
		kh_fail(error, -ENOPKG, _("%s: a picture of text, and text recognition is not installed"), file);
		kh_hint(error,
			_("apt install poppler-utils tesseract-ocr tesseract-ocr-vie tesseract-ocr-eng, or type the values into a "
			  "list, or read it on another machine: khien read --json FILE > FILE.json, and push that"));
		return false;
	}
	return true;
}

/* Recognised text is no source of control characters; one that is there ends nothing. */
static int append(struct kh_bytes *text, const struct kh_bytes *page)
{
	int code = 0;

	for (size_t i = 0; i < page->length; i++) {
		unsigned char *c = &page->data[i];

		if ((*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
			*c = ' ';
	}
	code = kh_bytes_add(text, page->data, page->length);
	return code < 0 ? code : kh_bytes_add(text, "\f", 1);
}

int kh_scan_page(int picture, struct kh_scan *scan, struct kh_error *error)
{
	for (size_t i = 0; i < KH_ARRAY_SIZE(layouts); i++) {
		const char *const words[] = { TOOL,
					      "stdin",
					      "stdout",
					      "-l",
					      "vie+eng",
					      "--dpi",
					      "300",
					      "--psm",
					      layouts[i],
					      "-c",
					      "debug_file=/dev/null",
					      NULL };
		struct kh_bytes page KH_CLEANUP(kh_bytes_clear) = {};
		int code = kh_run(words, picture, TEXT_MAX, &page, error);

		if (code < 0)
			return code;
		if (append(&scan->texts[i], &page) < 0)
			return kh_fail(error, -ENOMEM, _("out of memory"));
	}
	return 0;
}

int kh_scan_skip(struct kh_scan *scan)
{
	int code = kh_bytes_add(&scan->texts[0], "\f", 1);

	return code < 0 ? code : kh_bytes_add(&scan->texts[1], "\f", 1);
}

/* ---- Comparing -------------------------------------------------------------------------------------- */

static int compare_findings(const void *a, const void *b)
{
	const struct kh_finding *const *x = a, *const *y = b;

	return kh_indicator_compare(&(*x)->indicator, &(*y)->indicator);
}

/* Its findings by value. NULL: out of memory. */
static struct kh_finding **sorted(struct kh_document *document)
{
	struct kh_finding **findings = calloc(document->findings_count + 1, sizeof(struct kh_finding *));

	for (size_t i = 0; findings && i < document->findings_count; i++)
		findings[i] = &document->findings[i];
	if (findings && document->findings_count)
		qsort(findings, document->findings_count, sizeof(struct kh_finding *), compare_findings);
	return findings;
}

static bool holds(struct kh_finding **findings, size_t count, const struct kh_finding *finding)
{
	return count && bsearch(&finding, findings, count, sizeof(struct kh_finding *), compare_findings);
}

/* What a picture shows waits, whatever it looked like; why it would wait anyhow is the better reason. */
static void hold_back(struct kh_finding *finding, bool confirmed)
{
	if (finding->proposed == KH_REVIEW && confirmed)
		return;
	finding->proposed = KH_REVIEW;
	finding->reason = confirmed ? KH_WHY_SCAN : KH_WHY_SCAN_DIFFERS;
}

/* Adds to `first` what only `second` has. */
static int merge(struct kh_document *first, struct kh_document *second)
{
	struct kh_finding **of_first KH_CLEANUP(kh_freep) = sorted(first),
				     **of_second KH_CLEANUP(kh_freep) = sorted(second);
	size_t count = first->findings_count + second->findings_count;
	struct kh_finding *all = calloc(count + 1, sizeof(*all));
	size_t kept = first->findings_count;

	if (!of_first || !of_second || !all) {
		free(all);
		return -ENOMEM;
	}
	for (size_t i = 0; i < first->findings_count; i++) {
		hold_back(&first->findings[i], holds(of_second, second->findings_count, &first->findings[i]));
		all[i] = first->findings[i];
	}
	for (size_t i = 0; i < second->findings_count; i++) {
		if (holds(of_first, first->findings_count, &second->findings[i]))
			continue;
		hold_back(&second->findings[i], false);
		all[kept++] = second->findings[i];
		second->findings[i] = (struct kh_finding){};
	}
	free(first->findings);
	first->findings = all;
	first->findings_count = kept;
	return 0;
}

/* Takes what only the second reading has of a field. Do the two say different things? -ENOMEM. */
static int differs(char **first, char **second)
{
	char *a KH_CLEANUP(kh_freep) = *first ? kh_text_fold(*first) : NULL,
		*b KH_CLEANUP(kh_freep) = *second ? kh_text_fold(*second) : NULL;

	if ((*first && !a) || (*second && !b))
		return -ENOMEM;
	if (!*first)
		*first = KH_TAKE(*second);
	return a && b ? strcmp(a, b) != 0 : a || b;
}

static const char *unread(const char *text)
{
	return text ? text : _("nothing legible");
}

/* The heads of the two: a number that only one of them read, or that they read differently, is a guess. 0 or -ENOMEM. */
static int merge_heads(struct kh_document *first, struct kh_document *second)
{
	struct kh_letter *letter = &first->letter, *other = &second->letter;
	char *note KH_CLEANUP(kh_freep) = NULL;
	int number, date;

	letter->headed = letter->headed || other->headed;
	letter->attached = letter->number ? letter->attached : other->attached;
	number = differs(&letter->number, &other->number);
	date = differs(&letter->date, &other->date);
	if (number < 0 || date < 0 || differs(&letter->issuer, &other->issuer) < 0 ||
	    differs(&letter->subject, &other->subject) < 0)
		return -ENOMEM;
	letter->doubtful = number && !letter->attached;
	if (!letter->doubtful && !(date && other->date))
		return 0;
	if (asprintf(&note,
		     letter->doubtful ? _("the letter's number was read as %s and as %s: look at the paper")
				      : _("the letter's date was read as %s and as %s: look at the paper"),
		     letter->doubtful ? letter->number : letter->date,
		     unread(letter->doubtful ? other->number : other->date)) < 0)
		return -ENOMEM;
	return kh_document_note(first, note);
}

static bool is_blank(const struct kh_bytes *text)
{
	for (size_t i = 0; i < text->length; i++)
		if (text->data[i] > ' ')
			return false;
	return true;
}

/* A picture in which no letter was found is a document, of nothing. */
static int make_blank(const char *file, struct kh_document **ret_document)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = calloc(1, sizeof(*document));

	if (!document || !(document->file = strdup(file)))
		return -ENOMEM;
	document->format = kh_document_format("scan");
	document->announced = (struct kh_announced){ -1, -1, -1 };
	*ret_document = KH_TAKE(document);
	return 0;
}

static int parse(const char *file, const struct kh_bytes *text, struct kh_document **ret_document,
		 struct kh_error *error)
{
	int fd KH_CLEANUP(kh_closep) = -1;

	if (is_blank(text))
		return make_blank(file, ret_document) < 0 ? kh_fail(error, -ENOMEM, _("out of memory")) : 0;
	fd = kh_memory_file(text->data, text->length);
	if (fd < 0)
		return kh_fail(error, fd, "%s: %s", file, strerror(-fd));
	return kh_parse(file, "scan", fd, ret_document, error);
}

int kh_scan_end(const char *file, struct kh_scan *scan, struct kh_document **ret_document, struct kh_error *error)
{
	struct kh_document *first KH_CLEANUP(kh_document_freep) = NULL, *second KH_CLEANUP(kh_document_freep) = NULL;
	unsigned int legible = is_blank(&scan->texts[0]); /* the one that says more, where one of them says nothing */
	const char *note =
		is_blank(&scan->texts[legible])
			? _("no text was found in the picture")
			: _("read from pictures of pages, in two ways: compare the values with the paper, then push with --accept");
	int code = parse(file, &scan->texts[legible], &first, error);

	if (!code)
		code = parse(file, &scan->texts[!legible], &second, error);
	if (code < 0)
		return code;
	if (merge(first, second) < 0 || merge_heads(first, second) < 0 || kh_document_compare(first) < 0 ||
	    kh_document_note(first, note) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	*ret_document = KH_TAKE(first);
	return 0;
}
