// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The door of the reader: checks size and encoding, finds the format by content, and hands over. A format is a line
 * in the table below; those that are known and not read are in signature.c.
 */
#include "reader/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "reader/private.h"

/* Asked in this order; the first that recognises the input reads it. */
static const struct format {
	const char *name;
	int (*recognise)(const struct kh_input *input); /* 1, 0, -errno; NULL: takes everything */
	int (*read)(const struct kh_input *input, struct kh_collector *collector);
	bool letter; /* has a head, announces counts */
} formats[] = {
	{ "list", kh_list_recognise, kh_list_read, false },
	{ "text", NULL, kh_prose_read, true },
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

static int check(const struct kh_input *input, struct kh_error *error)
{
	int result;

	if (input->length > KH_READER_MAX_BYTES) {
		kh_fail(error, -EFBIG, _("%s: larger than %zu MB"), input->file, KH_READER_MAX_BYTES >> 20);
		kh_hint(error, _("split it into several files"));
		return -EFBIG;
	}
	result = refuse(input, true, error);
	if (!result)
		result = check_text(input, error);
	return result ? result : refuse(input, false, error);
}

/* ---- What is said about the whole --------------------------------------------------------------- */

static bool is_address(const struct kh_finding *finding)
{
	return kh_indicator_enforceable(&finding->indicator);
}

static bool differs(int announced, size_t found)
{
	return announced >= 0 && (size_t)announced != found;
}

/* The announced counts against what was read. Addresses only mentioned in a sentence count when that makes it right. */
static int compare(struct kh_collector *collector)
{
	const struct kh_document *document = collector->document;
	const struct kh_announced *announced = &document->announced;
	size_t listed = kh_bulk_count(&document->bulk), mentioned = 0, domains = 0;
	int result = 0;

	for (size_t i = 0; i < document->findings_count; i++) {
		const struct kh_finding *finding = &document->findings[i];

		domains += finding->indicator.type == KH_TYPE_DOMAIN;
		mentioned += is_address(finding) && finding->reason == KH_WHY_PROSE;
		listed += is_address(finding) && finding->reason != KH_WHY_PROSE;
	}
	if (!listed || !differs(announced->addresses, listed + mentioned))
		listed += mentioned;
	if (differs(announced->addresses, listed))
		result = kh_collect_note(collector,
					 _("the letter announces %d addresses, %zu were read: compare with the letter"),
					 announced->addresses, listed);
	if (!result && differs(announced->domains, domains))
		result = kh_collect_note(collector,
					 _("the letter announces %d domains, %zu were read: compare with the letter"),
					 announced->domains, domains);
	if (!result && differs(announced->hashes, document->hashes_count))
		result = kh_collect_note(collector,
					 _("the letter announces %d hashes, %zu were read: compare with the letter"),
					 announced->hashes, document->hashes_count);
	return result;
}

static int note_nothing(struct kh_collector *collector)
{
	const struct kh_document *document = collector->document;

	if (document->findings_count || kh_bulk_count(&document->bulk))
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

static int read_letter(const struct kh_input *input, struct kh_collector *collector)
{
	bool overlaid = false;
	int result = kh_letter_read(input, &collector->document->letter, &overlaid);

	if (!result)
		result = kh_announced_read(input, &collector->document->announced);
	if (!result)
		result = compare(collector);
	if (!result && overlaid)
		result = kh_collect_note(
			collector,
			_("number or date were put together from the overlay of a digital signature: check them"));
	return result;
}

/* ---- Public ------------------------------------------------------------------------------------- */

static int read_as(const struct format *format, const struct kh_input *input, struct kh_collector *collector,
		   struct kh_error *error)
{
	int result = kh_collector_init(collector, input->file, format->name, error);

	if (!result)
		result = format->read(input, collector);
	if (!result && format->letter)
		result = read_letter(input, collector);
	return result ? result : note_nothing(collector);
}

int kh_reader_read(const char *file, const void *data, size_t length, struct kh_document **ret_document,
		   struct kh_error *error)
{
	struct kh_collector collector KH_CLEANUP(kh_collector_clear) = { 0 };
	struct kh_input input = { .file = file, .text = data, .length = length };
	int result = 0;

	if (length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		input.text += 3;
		input.length -= 3;
	}
	result = check(&input, error);
	for (size_t i = 0; !result; i++) {
		int recognised = formats[i].recognise ? formats[i].recognise(&input) : 1;

		if (recognised < 0)
			result = recognised;
		if (recognised <= 0)
			continue;
		result = read_as(&formats[i], &input, &collector, error);
		break;
	}
	if (result == -ENOMEM)
		return kh_fail(error, -ENOMEM, _("%s: out of memory"), file);
	if (result)
		return result;
	*ret_document = KH_TAKE(collector.document);
	return 0;
}

/* A form that only the scanner knows ("203.0.113.7|443", "203.0.113.7 port 443"): taken when it is all there is. 1, 0, -ENOMEM. */
static int scan_value(const struct kh_clean *clean, struct kh_indicator *ret_indicator)
{
	struct kh_tokens tokens KH_CLEANUP(kh_tokens_free) = { 0 };
	int result = kh_tokens_read(&tokens, clean, KH_MEANT);
	struct kh_token *token = tokens.list;

	if (result || tokens.count != 1 || token->kind != KH_TOKEN_VALUE || token->host_bits)
		return result;
	if (token->start > 0 || token->end < clean->length)
		return 0;
	*ret_indicator = token->indicator;
	token->indicator = (struct kh_indicator){ 0 };
	return 1;
}

int kh_reader_value(const char *text, struct kh_indicator *ret_indicator, struct kh_error *error)
{
	struct kh_clean clean KH_CLEANUP(kh_clean_clear) = { 0 };
	size_t start = strspn(text, " \t\r\n"), length = strlen(text + start);
	int result;

	while (length && kh_is_blank(text[start + length - 1]))
		length--;
	if (length > KH_LINE_MAX)
		return kh_fail(error, -EINVAL, _("a value is at most %zu bytes long"), KH_LINE_MAX);
	if (kh_refang(text + start, length, &clean))
		return kh_fail(error, -ENOMEM, _("out of memory"));
	result = kh_indicator_parse(clean.text, ret_indicator, error);
	if (result != -EINVAL)
		return result;
	switch (scan_value(&clean, ret_indicator)) {
	case 1:
		if (error)
			*error = (struct kh_error){ 0 };
		return 0;
	case -ENOMEM:
		return kh_fail(error, -ENOMEM, _("out of memory"));
	default:
		return result;
	}
}
