// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The door of the reader: checks size and encoding, finds the format by content, and hands over. Formats are lines of
 * the tables here and in formats.c; those that are known and not read are in signature.c.
 */
#include "reader/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "reader/charset.h"
#include "reader/private.h"

#define HEAD_BYTES ((size_t)64 << 10) /* in which the head of a letter stands */

/* Of UTF-8 text that is no markup, by what they must contain: */
static const struct kh_format texts[] = {
	{ "misp", kh_misp_recognise, NULL, kh_misp_read, false },
	{ "stix", kh_stix_recognise, NULL, kh_stix_read, false },
	{ "json", kh_feed_recognise, NULL, kh_feed_read, false },
	{ "openioc", kh_openioc_recognise, NULL, kh_openioc_read, false },
	{ "domains", kh_domains_recognise, NULL, kh_domains_read, false },
	{ "csv", kh_csv_recognise, NULL, kh_csv_read, false },
	{ 0 },
};

/* And what no signature refuses: */
static const struct kh_format others[] = {
	{ "list", kh_list_recognise, NULL, kh_list_read, false },
	{ "text", NULL, NULL, kh_prose_read, true },
	{ 0 },
};

/* ---- What is no text ---------------------------------------------------------------------------- */

static int refuse(const struct kh_input *input, bool binary, struct kh_error *error)
{
	const char *hint = NULL, *name = kh_signature_find(input, binary, &hint);

	if (!name)
		return 0;
	kh_fail(error, -ENOTSUP, _("%s: this version does not read this format: %s"), input->file, name);
	kh_hint(error, "%s", hint);
	return -ENOTSUP;
}

/* Fills line and column of the byte at `at`. */
static int fail_at_byte(const struct kh_input *input, size_t at, const char *what, struct kh_error *error)
{
	int line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		column = input->text[i] == '\n' ? 1 : column + 1;
		line += input->text[i] == '\n';
	}
	kh_fail_at(error, -EINVAL, line, _("%s: line %d, byte %d: %s"), input->file, line, column, what);
	if (error)
		error->column = column;
	kh_hint(error, _("save it as plain text in UTF-8 and read that"));
	return -EINVAL;
}

int kh_fail_long_line(const struct kh_input *input, const struct kh_line *line, struct kh_error *error)
{
	kh_fail_at(error, -EINVAL, line->number, _("%s: line %d: more than %zu bytes without a space or comma"),
		   input->file, line->number, KH_LINE_MAX);
	kh_hint(error, _("write one value a line"));
	return -EINVAL;
}

/* C0 without white space, and DEL. Without a branch, so that a block of bytes is looked at in a few instructions. */
static unsigned char is_control(char c)
{
	unsigned char byte = (unsigned char)c;

	return (unsigned char)((byte < 0x20) & ((unsigned char)(byte - '\t') > '\r' - '\t')) | (byte == 0x7f);
}

/* Where the first control character is, or `length`. */
static size_t find_control(const char *text, size_t length)
{
	enum { BLOCK = 64 };
	unsigned char found = 0;
	size_t at = 0;

	while (length - at >= BLOCK) {
		for (size_t i = 0; i < BLOCK; i++)
			found |= is_control(text[at + i]);
		if (found)
			break;
		at += BLOCK;
	}
	while (at < length && !is_control(text[at]))
		at++;
	return at;
}

static int check_text(const struct kh_input *input, struct kh_error *error)
{
	size_t bad = kh_utf8_check(input->text, input->length), control = find_control(input->text, bad), blank = 0;

	if (control < bad)
		return fail_at_byte(input, control, _("a binary file, not text"), error);
	if (bad < input->length)
		return fail_at_byte(input, bad, _("not UTF-8"), error);
	while (blank < input->length && kh_is_blank(input->text[blank]))
		blank++;
	if (blank == input->length) {
		kh_fail(error, -EINVAL, _("%s: the file is empty"), input->file);
		kh_hint(error, _("check the path, and that the file was transferred whole"));
		return -EINVAL;
	}
	return 0;
}

static int check_size(const struct kh_input *input, struct kh_error *error)
{
	if (input->length > KH_READER_MAX_BYTES) {
		kh_fail(error, -EFBIG, _("%s: larger than %zu MB"), input->file, KH_READER_MAX_BYTES >> 20);
		kh_hint(error, _("split it into several files"));
		return -EFBIG;
	}
	return 0;
}

/* ---- What is said about the whole --------------------------------------------------------------- */

static int note_nothing(struct kh_collector *collector)
{
	const struct kh_document *document = collector->document;

	if (document->findings_count || kh_bulk_count(&document->bulk) || document->parts_count)
		return 0;
	if (document->cves_count)
		return kh_collect_note(
			collector,
			_("no network indicators: the document is about vulnerabilities (CVE numbers: %zu), "
			  "which are patched, not blocked"),
			document->cves_count);
	if (document->hashes_count)
		return kh_collect_note(
			collector,
			_("no network indicators: the document lists file hashes (%zu), which cannot be blocked at a gateway"),
			document->hashes_count);
	return kh_collect_note(collector,
			       _("no network indicators: the document names no address, domain or link to block"));
}

/* What was found wins over what the file says of itself (a mail's subject and date). */
static void put_field(char **field, char *found)
{
	if (!found)
		return;
	free(*field);
	*field = found;
}

/* Heads of letters are set in tables: each line of a cell is a line. */
static int read_head(const struct kh_input *input, struct kh_letter *letter, bool *ret_overlaid)
{
	struct kh_input head = { .file = input->file,
				 .length = input->length < HEAD_BYTES ? input->length : HEAD_BYTES };
	char *text KH_CLEANUP(kh_freep) = NULL;
	struct kh_letter found = {};
	int result;

	head.length = kh_utf8_check(input->text, head.length);
	text = malloc(head.length + 1);
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < head.length; i++)
		text[i] = input->text[i] >= KH_MARK_BREAK && input->text[i] <= KH_MARK_CELL ? '\n' : input->text[i];
	head.text = text;
	result = kh_letter_read(&head, &found, ret_overlaid);
	put_field(&letter->number, found.number);
	put_field(&letter->date, found.date);
	put_field(&letter->issuer, found.issuer);
	put_field(&letter->subject, found.subject);
	letter->headed = found.headed;
	letter->attached = found.attached;
	return result ? result : kh_letter_asks(&head, letter);
}

static int read_letter(const struct kh_input *input, struct kh_collector *collector)
{
	bool overlaid = false;
	int result = read_head(input, &collector->document->letter, &overlaid);

	if (!result)
		result = kh_announced_read(input, &collector->document->announced);
	if (!result && strcmp(collector->document->format, "scan") != 0) /* one of two readings says nothing yet */
		result = kh_document_compare(collector->document);
	if (!result && overlaid)
		result = kh_collect_note(
			collector,
			_("number or date were put together from the overlay of a digital signature: check them"));
	return result;
}

/* ---- Reading ------------------------------------------------------------------------------------ */

/* Fills *ret_format when one of the table takes the input. 0, also when none does; -errno. */
static int find_format(const struct kh_format *table, const struct kh_input *input, const struct kh_format **ret_format)
{
	for (; table->name; table++) {
		int recognised = table->recognise ? table->recognise(input) : 1;

		if (recognised < 0)
			return recognised;
		if (!recognised)
			continue;
		*ret_format = table;
		break;
	}
	return 0;
}

/* Bytes of no length have no data; a text always has. */
static void take_text(struct kh_input *input, const struct kh_bytes *bytes)
{
	input->text = bytes->data ? (const char *)bytes->data : "";
	input->length = bytes->length;
}

static int read_as(const struct kh_format *format, const struct kh_input *input, struct kh_collector *collector)
{
	struct kh_bytes text KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_input extracted = *input;
	int result = 0;

	if (format->extract) {
		result = format->extract(input, collector, &text);
		take_text(&extracted, &text);
	}
	if (!result)
		result = format->read ? format->read(&extracted, collector) : kh_prose_read(&extracted, collector);
	if (!result)
		result = kh_grades_end(collector);
	if (!result && format->letter)
		result = read_letter(&extracted, collector);
	return result ? result : note_nothing(collector);
}

static int read_text(const struct kh_formats *formats, struct kh_input *input, const struct kh_format *given,
		     struct kh_collector *collector)
{
	struct kh_bytes decoded KH_CLEANUP(kh_bytes_clear) = {}, unveiled KH_CLEANUP(kh_bytes_clear) = {};
	const struct kh_format *format = given;
	const char *encoding = NULL;
	int result = kh_charset_decode(input, &decoded, &encoding);

	if (result < 0)
		return result;
	if (result)
		take_text(input, &decoded);
	if (input->length >= 3 && memcmp(input->text, "\xef\xbb\xbf", 3) == 0) {
		input->text += 3;
		input->length -= 3;
	}
	result = check_text(input, collector->error);
	if (!result)
		result = kh_mark_unveil(&unveiled, input->text, input->length);
	if (result > 0) {
		take_text(input, &unveiled);
		result = 0;
	}
	if (!result && !format)
		result = find_format(formats->markup, input, &format);
	if (!result && !format)
		result = find_format(texts, input, &format);
	if (!result && !format)
		result = refuse(input, false, collector->error);
	if (!result && !format)
		result = find_format(others, input, &format);
	if (result)
		return result;
	if (!given)
		collector->document->format = format->name;
	if (encoding)
		result = kh_collect_note(collector, _("written in %s"), encoding);
	return result ? result : read_as(format, input, collector);
}

static int read_any(const struct kh_formats *formats, struct kh_input *input, const struct kh_format *given,
		    struct kh_collector *collector)
{
	const struct kh_format *format = NULL;
	int result = check_size(input, collector->error);

	if (!result && !given)
		result = find_format(formats->binaries, input, &format);
	if (result)
		return result;
	if (format) {
		collector->document->format = format->name;
		return read_as(format, input, collector);
	}
	if (!given)
		result = refuse(input, true, collector->error);
	return result ? result : read_text(formats, input, given, collector);
}

/* As `given`; NULL: as one of `formats`. */
static int read_document(const struct kh_formats *formats, const char *file, const struct kh_format *given,
			 const void *data, size_t length, struct kh_document **ret_document, struct kh_error *error)
{
	struct kh_collector collector KH_CLEANUP(kh_collector_clear) = {};
	struct kh_input input = { .file = file, .text = data, .length = length };
	int result = kh_collector_init(&collector, file, given ? given->name : "text", error);

	if (!result)
		result = read_any(formats, &input, given, &collector);
	if (result == -ENOMEM)
		return kh_fail(error, -ENOMEM, _("%s: out of memory"), file);
	if (result == -EFBIG && error && !error->text[0]) {
		kh_fail(error, -EFBIG, _("%s: too much text in one file"), file);
		kh_hint(error, _("split it into several files"));
	}
	if (result)
		return result;
	*ret_document = KH_TAKE(collector.document);
	return 0;
}

int kh_read(const struct kh_formats *formats, const char *file, const void *data, size_t length,
	    struct kh_document **ret_document, struct kh_error *error)
{
	return read_document(formats, file, NULL, data, length, ret_document, error);
}

/* ---- Pages -------------------------------------------------------------------------------------- */

static int extract_pages(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text)
{
	int result = kh_rejoin(input, ret_text);

	if (!result && ret_text->length && !strcmp(collector->document->format, "scan"))
		kh_scanned_brackets(ret_text);
	return result;
}

int kh_reader_read_pages(const char *file, const char *format, const void *data, size_t length,
			 struct kh_document **ret_document, struct kh_error *error)
{
	const struct kh_format pages = { .name = kh_document_format(format), .extract = extract_pages, .letter = true };

	return read_document(NULL, file, &pages, data, length, ret_document, error);
}
