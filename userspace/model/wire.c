// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Documents to bytes: see wire.h.
 */
#include "model/wire.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "common/util.h"

static int put_number(struct kh_bytes *bytes, uint64_t number)
{
	uint32_t little = htole32((uint32_t)number);

	return number > UINT32_MAX ? -ENOMEM : kh_bytes_add(bytes, &little, sizeof(little));
}

static int put_text(struct kh_bytes *bytes, const char *text)
{
	size_t length = text ? strlen(text) : 0;
	int code = put_number(bytes, text ? length : KH_WIRE_NO_TEXT);

	return code < 0 || !text ? code : kh_bytes_add(bytes, text, length);
}

static int put_time(struct kh_bytes *bytes, int64_t time)
{
	int code = put_number(bytes, (uint32_t)time);

	return code < 0 ? code : put_number(bytes, (uint32_t)((uint64_t)time >> 32));
}

static int put_texts(struct kh_bytes *bytes, char *const *texts, size_t count)
{
	int code = put_number(bytes, count);

	for (size_t i = 0; i < count && code >= 0; i++)
		code = put_text(bytes, texts[i]);
	return code;
}

static int put_finding(struct kh_bytes *bytes, const struct kh_finding *finding)
{
	const unsigned char marks[] = { (unsigned char)finding->indicator.type, (unsigned char)finding->proposed,
					(unsigned char)finding->reason, (unsigned char)finding->section };
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&finding->indicator);
	int code = value ? kh_bytes_add(bytes, marks, sizeof(marks)) : -ENOMEM;

	if (code >= 0)
		code = put_text(bytes, value);
	if (code >= 0)
		code = put_text(bytes, finding->raw);
	if (code >= 0)
		code = put_text(bytes, finding->column);
	if (code >= 0)
		code = put_number(bytes, (uint32_t)finding->page);
	if (code >= 0)
		code = put_number(bytes, (uint32_t)finding->line);
	if (code >= 0)
		code = put_time(bytes, finding->starts);
	return code < 0 ? code : put_time(bytes, finding->expires);
}

static int put_grades(struct kh_bytes *bytes, const struct kh_document *document)
{
	int code = put_number(bytes, document->grades_count);

	for (size_t i = 0; i < document->grades_count && code >= 0; i++) {
		const unsigned char marks[] = { document->grades[i].level, document->grades[i].score };

		code = kh_bytes_add(bytes, marks, sizeof(marks));
	}
	return code;
}

static int put_parts(struct kh_bytes *bytes, const struct kh_document *document)
{
	int code = put_number(bytes, document->parts_count);

	for (size_t i = 0; i < document->parts_count && code >= 0; i++) {
		const struct kh_part *part = &document->parts[i];

		code = put_text(bytes, part->name);
		if (code >= 0)
			code = put_number(bytes, part->length);
		if (code >= 0)
			code = kh_bytes_add(bytes, part->data, part->length);
	}
	return code;
}

/* The structs as they are: both ends are one machine. */
static int put_bulk(struct kh_bytes *bytes, const struct kh_bulk *bulk)
{
	int code = put_number(bytes, bulk->v4_count);

	if (code >= 0)
		code = kh_bytes_add(bytes, bulk->v4, bulk->v4_count * sizeof(*bulk->v4));
	if (code >= 0)
		code = put_number(bytes, bulk->v6_count);
	return code < 0 ? code : kh_bytes_add(bytes, bulk->v6, bulk->v6_count * sizeof(*bulk->v6));
}

int kh_wire_write(const struct kh_document *document, struct kh_bytes *bytes)
{
	const struct kh_letter *letter = &document->letter;
	const char *const texts[] = { document->file, document->format, letter->number,	  letter->date,
				      letter->issuer, letter->subject,	letter->report_by };
	const int counts[] = { document->announced.addresses, document->announced.domains, document->announced.hashes };
	int code = kh_bytes_add(bytes, KH_WIRE_MAGIC, sizeof(KH_WIRE_MAGIC) - 1);

	for (size_t i = 0; i < KH_ARRAY_SIZE(texts) && code >= 0; i++)
		code = put_text(bytes, texts[i]);
	if (code >= 0)
		code = put_texts(bytes, letter->relays, letter->relays_count);
	if (code >= 0)
		code = put_number(bytes, (uint32_t)letter->headed | (uint32_t)letter->doubtful << 1 |
						 (uint32_t)letter->attached << 2);
	for (size_t i = 0; i < KH_ARRAY_SIZE(counts) && code >= 0; i++)
		code = put_number(bytes, (uint32_t)counts[i]);
	if (code >= 0)
		code = put_number(bytes, document->duplicates);
	if (code >= 0)
		code = put_number(bytes, document->findings_count);
	for (size_t i = 0; i < document->findings_count && code >= 0; i++)
		code = put_finding(bytes, &document->findings[i]);
	if (code >= 0)
		code = put_bulk(bytes, &document->bulk);
	if (code >= 0)
		code = put_texts(bytes, document->cves, document->cves_count);
	if (code >= 0)
		code = put_grades(bytes, document);
	if (code >= 0)
		code = put_texts(bytes, document->hashes, document->hashes_count);
	if (code >= 0)
		code = put_texts(bytes, document->notes, document->notes_count);
	return code < 0 ? code : put_parts(bytes, document);
}

int kh_wire_write_error(int code, const struct kh_error *why, struct kh_bytes *bytes)
{
	const int numbers[] = { -code, why->line, why->column };
	int result = kh_bytes_add(bytes, KH_WIRE_ERROR_MAGIC, sizeof(KH_WIRE_ERROR_MAGIC) - 1);

	for (size_t i = 0; i < KH_ARRAY_SIZE(numbers) && result >= 0; i++)
		result = put_number(bytes, (uint32_t)numbers[i]);
	if (result >= 0)
		result = put_text(bytes, why->text);
	return result < 0 ? result : put_text(bytes, why->hint);
}
