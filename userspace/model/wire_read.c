// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes to documents: see wire.h. After the first fault reading goes on with zeros; each part is judged at its end.
 */
#include "model/wire.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

#define FINDING_BYTES 40 /* one takes at least as many */
#define TEXT_BYTES 4
#define PART_BYTES 8
#define RAW_MAX 256
#define COLUMN_MAX 64
#define MAGIC_BYTES (sizeof(KH_WIRE_MAGIC) - 1)

struct reading {
	const unsigned char *at, *end;
	int fault; /* the first: -EINVAL or -ENOMEM; 0: none */
};

static void stop(struct reading *reading, int fault)
{
	if (!reading->fault)
		reading->fault = fault;
	reading->at = reading->end;
}

/* The next `length` bytes, or NULL. */
static const void *take(struct reading *reading, size_t length)
{
	const unsigned char *at = reading->at;

	if (reading->fault || length > (size_t)(reading->end - at)) {
		stop(reading, -EINVAL);
		return NULL;
	}
	reading->at += length;
	return at;
}

static uint32_t take_number(struct reading *reading)
{
	const void *bytes = take(reading, sizeof(uint32_t));
	uint32_t little = 0;

	if (bytes)
		memcpy(&little, bytes, sizeof(little));
	return le32toh(little);
}

/* From `low` to INT_MAX. */
static int take_int(struct reading *reading, int low)
{
	int number = (int)take_number(reading);

	if (number < low)
		stop(reading, -EINVAL);
	return reading->fault ? 0 : number;
}

/* 0 or later. */
static int64_t take_time(struct reading *reading)
{
	uint64_t low = take_number(reading), time = low | (uint64_t)take_number(reading) << 32;

	if (time > INT64_MAX)
		stop(reading, -EINVAL);
	return reading->fault ? 0 : (int64_t)time;
}

/* How many elements follow, each of `least` bytes or more. */
static size_t take_count(struct reading *reading, size_t least)
{
	size_t count = take_number(reading);

	if (count > (size_t)(reading->end - reading->at) / least) {
		stop(reading, -EINVAL);
		count = 0;
	}
	return count;
}

static bool is_clean(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return kh_utf8_check(text, length) == length;
}

/* malloc'ed; NULL is a text, too. */
static char *take_text(struct reading *reading)
{
	uint32_t length = take_number(reading);
	const char *bytes;
	char *text;

	if (reading->fault || length == KH_WIRE_NO_TEXT)
		return NULL;
	bytes = take(reading, length);
	if (!bytes)
		return NULL;
	if (!is_clean(bytes, length)) {
		stop(reading, -EINVAL);
		return NULL;
	}
	text = strndup(bytes, length);
	if (!text)
		stop(reading, -ENOMEM);
	return text;
}

/* One that has to be there; NULL only with a fault. */
static char *take_some_text(struct reading *reading)
{
	char *text = take_text(reading);

	if (!text)
		stop(reading, -EINVAL);
	return text;
}

/* Texts of which each is as `fits` says (NULL: any). */
static void take_texts(struct reading *reading, char ***ret_texts, size_t *ret_count, bool (*fits)(const char *text))
{
	size_t count = take_count(reading, TEXT_BYTES);
	char **texts = count ? calloc(count, sizeof(*texts)) : NULL;

	if (count && !texts)
		return stop(reading, -ENOMEM);
	*ret_texts = texts;
	while (*ret_count < count && !reading->fault) {
		char *text = take_some_text(reading);

		if (!text)
			return;
		texts[(*ret_count)++] = text;
		if (fits && !fits(text))
			stop(reading, -EINVAL);
	}
}

static bool is_cve(const char *text)
{
	size_t digits;

	if (strncmp(text, "CVE-", 4) || strspn(text + 4, "0123456789") != 4 || text[8] != '-')
		return false;
	digits = strspn(text + 9, "0123456789");
	return digits >= 4 && !text[9 + digits];
}

static bool is_hash(const char *text)
{
	size_t length = strspn(text, "0123456789abcdef");

	return !text[length] && (length == 32 || length == 40 || length == 64);
}

/* ---- Its parts ------------------------------------------------------------------------------------ */

static void take_head(struct reading *reading, struct kh_document *document)
{
	struct kh_letter *letter = &document->letter;
	uint32_t marks;
	char *format KH_CLEANUP(kh_freep) = NULL;

	if (take(reading, MAGIC_BYTES) && memcmp(reading->at - MAGIC_BYTES, KH_WIRE_MAGIC, MAGIC_BYTES))
		stop(reading, -EINVAL);
	document->file = take_some_text(reading);
	format = take_some_text(reading);
	document->format = format ? kh_document_format(format) : NULL;
	if (!document->format)
		stop(reading, -EINVAL);
	letter->number = take_text(reading);
	letter->date = take_text(reading);
	letter->issuer = take_text(reading);
	letter->subject = take_text(reading);
	letter->report_by = take_text(reading);
	take_texts(reading, &letter->relays, &letter->relays_count, NULL);
	marks = take_number(reading);
	letter->headed = marks & 1;
	letter->doubtful = marks & 2;
	letter->attached = marks & 4;
	if (marks > 7)
		stop(reading, -EINVAL);
	document->announced.addresses = take_int(reading, -1);
	document->announced.domains = take_int(reading, -1);
	document->announced.hashes = take_int(reading, -1);
	document->duplicates = take_number(reading);
}

/* What looks like an address and is none has no canonical form: it is its text. */
static void take_indicator(struct reading *reading, enum kh_indicator_type type, struct kh_indicator *ret_indicator)
{
	char *value KH_CLEANUP(kh_freep) = take_some_text(reading);
	char *again KH_CLEANUP(kh_freep) = NULL;
	int code;

	if (!value)
		return;
	if (type == KH_TYPE_UNKNOWN) {
		*ret_indicator = (struct kh_indicator){ .type = type, .text = KH_TAKE(value) };
		return;
	}
	code = kh_indicator_parse(value, ret_indicator, NULL);
	if (code < 0)
		return stop(reading, code == -ENOMEM ? code : -EINVAL);
	again = kh_indicator_format(ret_indicator);
	if (!again)
		return stop(reading, -ENOMEM);
	if (ret_indicator->type != type || strcmp(value, again))
		stop(reading, -EINVAL);
}

/* As document.h says of a finding. */
static bool finding_fits(const struct kh_finding *finding)
{
	if (finding->proposed != KH_ENFORCE && finding->proposed != KH_REVIEW && finding->proposed != KH_UNENFORCEABLE)
		return false;
	if (finding->reason >= KH_WHY_COUNT || finding->section > KH_SECTION_LIST || finding->line < 1)
		return false;
	if (!finding->raw || strlen(finding->raw) > RAW_MAX)
		return false;
	if ((finding->column && strlen(finding->column) > COLUMN_MAX))
		return false;
	return finding->proposed != KH_ENFORCE || kh_indicator_enforceable(&finding->indicator);
}

static void take_finding(struct reading *reading, struct kh_finding *finding)
{
	const unsigned char *marks = take(reading, 4);

	if (!marks)
		return;
	finding->proposed = marks[1];
	finding->reason = marks[2];
	finding->section = marks[3];
	take_indicator(reading, marks[0], &finding->indicator);
	finding->raw = take_some_text(reading);
	finding->column = take_text(reading);
	finding->page = take_int(reading, 0);
	finding->line = take_int(reading, 1);
	finding->starts = take_time(reading);
	finding->expires = take_time(reading);
	if (!reading->fault && !finding_fits(finding))
		stop(reading, -EINVAL);
}

static void take_findings(struct reading *reading, struct kh_document *document)
{
	size_t count = take_count(reading, FINDING_BYTES);

	document->findings = count ? calloc(count, sizeof(*document->findings)) : NULL;
	if (count && !document->findings)
		return stop(reading, -ENOMEM);
	while (document->findings_count < count && !reading->fault)
		take_finding(reading, &document->findings[document->findings_count++]);
}

static void *take_array(struct reading *reading, size_t size, size_t *ret_count)
{
	size_t count = take_count(reading, size);
	const void *bytes = take(reading, count * size);
	void *array = bytes && count ? malloc(count * size) : NULL;

	*ret_count = 0;
	if (bytes && count && !array)
		stop(reading, -ENOMEM);
	if (!array)
		return NULL;
	*ret_count = count;
	return memcpy(array, bytes, count * size);
}

static bool bulk_fits(const struct kh_bulk *bulk)
{
	struct kh_range before = {};

	for (size_t i = 0; i < kh_bulk_count(bulk); i++) {
		uint32_t line;
		struct kh_range range = kh_bulk_range(bulk, i, &line);

		if (range.first > range.last || !line || line > INT_MAX)
			return false;
		if (i && kh_range_compare(&before, &range) >= 0)
			return false;
		before = range;
	}
	return true;
}

static void take_bulk(struct reading *reading, struct kh_document *document)
{
	struct kh_bulk *bulk = &document->bulk;

	bulk->v4 = take_array(reading, sizeof(*bulk->v4), &bulk->v4_count);
	bulk->v4_capacity = bulk->v4_count;
	bulk->v6 = take_array(reading, sizeof(*bulk->v6), &bulk->v6_count);
	bulk->v6_capacity = bulk->v6_count;
	if (!bulk_fits(bulk))
		stop(reading, -EINVAL);
}

static void take_part(struct reading *reading, struct kh_part *part)
{
	const void *bytes;

	part->name = take_some_text(reading);
	part->length = take_number(reading);
	bytes = take(reading, part->length);
	part->data = bytes ? malloc(part->length + 1) : NULL;
	if (part->data)
		memcpy(part->data, bytes, part->length);
	else if (bytes)
		stop(reading, -ENOMEM);
	if (!part->data)
		part->length = 0;
}

static void take_parts(struct reading *reading, struct kh_document *document)
{
	size_t count = take_count(reading, PART_BYTES);

	document->parts = count ? calloc(count, sizeof(*document->parts)) : NULL;
	if (count && !document->parts)
		return stop(reading, -ENOMEM);
	while (document->parts_count < count && !reading->fault)
		take_part(reading, &document->parts[document->parts_count++]);
}

static void take_grades(struct reading *reading, struct kh_document *document)
{
	size_t count = take_count(reading, 2);

	if (count > document->cves_count)
		return stop(reading, -EINVAL);
	document->grades = count ? calloc(count, sizeof(*document->grades)) : NULL;
	if (count && !document->grades)
		return stop(reading, -ENOMEM);
	while (document->grades_count < count) {
		const unsigned char *marks = take(reading, 2);

		if (!marks)
			return;
		document->grades[document->grades_count++] = (struct kh_grade){ marks[0], marks[1] };
		if (marks[0] > KH_LEVEL_CRITICAL || marks[1] > 100)
			stop(reading, -EINVAL);
	}
}

static void take_others(struct reading *reading, struct kh_document *document)
{
	take_texts(reading, &document->cves, &document->cves_count, is_cve);
	take_grades(reading, document);
	take_texts(reading, &document->hashes, &document->hashes_count, is_hash);
	take_texts(reading, &document->notes, &document->notes_count, NULL);
	take_parts(reading, document);
	if (reading->at != reading->end)
		stop(reading, -EINVAL);
}

/* What the reader says when it refuses a document (reader.h). */
static int take_error(struct reading *reading, struct kh_error *error)
{
	int code = -take_int(reading, 1), line = take_int(reading, 0), column = take_int(reading, 0);
	char *text KH_CLEANUP(kh_freep) = take_some_text(reading);
	char *hint KH_CLEANUP(kh_freep) = take_some_text(reading);

	if (code != -EINVAL && code != -EFBIG && code != -ENOTSUP && code != -ENOMEM)
		stop(reading, -EINVAL);
	if (reading->at != reading->end || (text && (!text[0] || strlen(text) >= sizeof(error->text))) ||
	    (hint && strlen(hint) >= sizeof(error->hint)))
		stop(reading, -EINVAL);
	if (reading->fault)
		return kh_fail(error, reading->fault, _("what was read of a document does not hold together: %s"),
			       _("the error"));
	kh_fail_at(error, code, line, "%s", text);
	if (error)
		error->column = column;
	if (hint[0])
		kh_hint(error, "%s", hint);
	return code;
}

int kh_wire_read(const void *data, size_t length, struct kh_document **ret_document, struct kh_error *error)
{
	static const struct {
		void (*take)(struct reading *reading, struct kh_document *document);
		const char *name;
	} parts[] = {
		{ take_head, N_("the head") },
		{ take_findings, N_("the values") },
		{ take_bulk, N_("the list") },
		{ take_others, N_("what follows the values") },
	};
	struct kh_document *document KH_CLEANUP(kh_document_freep) = calloc(1, sizeof(*document));
	struct reading reading = { .at = data, .end = (const unsigned char *)data + length };

	if (!document)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	if (length >= MAGIC_BYTES && !memcmp(data, KH_WIRE_ERROR_MAGIC, MAGIC_BYTES)) {
		reading.at += MAGIC_BYTES;
		return take_error(&reading, error);
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(parts); i++) {
		parts[i].take(&reading, document);
		if (reading.fault == -ENOMEM)
			return kh_fail(error, -ENOMEM, _("out of memory"));
		if (reading.fault)
			return kh_fail(error, reading.fault,
				       _("what was read of a document does not hold together: %s"), _(parts[i].name));
	}
	*ret_document = KH_TAKE(document);
	return 0;
}
