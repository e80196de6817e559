// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The documents of one file: their number, then each with its length before it (wire.h).
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "model/wire.h"

#define MAGIC_BYTES (sizeof(KH_WIRE_SET_MAGIC) - 1)

static int put_number(struct kh_bytes *bytes, size_t number)
{
	uint32_t little = htole32((uint32_t)number);

	return number > UINT32_MAX ? -ENOMEM : kh_bytes_add(bytes, &little, sizeof(little));
}

int kh_wire_write_all(const struct kh_documents *documents, struct kh_bytes *bytes)
{
	int code = kh_bytes_add(bytes, KH_WIRE_SET_MAGIC, MAGIC_BYTES);

	if (code >= 0)
		code = put_number(bytes, documents->count);
	for (size_t i = 0; i < documents->count && code >= 0; i++) {
		size_t at = bytes->length, length;
		uint32_t little;

		code = put_number(bytes, 0);
		if (code >= 0)
			code = kh_wire_write(documents->list[i], bytes);
		if (code < 0)
			break;
		length = bytes->length - at - sizeof(little);
		little = htole32((uint32_t)length);
		memcpy(bytes->data + at, &little, sizeof(little));
		code = length > UINT32_MAX ? -ENOMEM : 0;
	}
	return code;
}

struct reading {
	const unsigned char *at, *end;
};

/* False: there are not as many bytes. */
static bool take_number(struct reading *reading, size_t *ret_number)
{
	uint32_t little;

	if ((size_t)(reading->end - reading->at) < sizeof(little))
		return false;
	memcpy(&little, reading->at, sizeof(little));
	reading->at += sizeof(little);
	*ret_number = le32toh(little);
	return true;
}

static int refuse(struct kh_error *error)
{
	return kh_fail(error, -EINVAL, _("what was read of a document does not hold together: %s"), _("the documents"));
}

/* The files in a file have been read by now: a document with parts is none. */
static int take_document(struct reading *reading, struct kh_documents *documents, struct kh_error *error)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	size_t length;
	int code;

	if (!take_number(reading, &length) || length > (size_t)(reading->end - reading->at))
		return refuse(error);
	code = kh_wire_read(reading->at, length, &document, error);
	if (code)
		return code;
	if (document->parts_count)
		return refuse(error);
	reading->at += length;
	return kh_documents_add(documents, KH_TAKE(document)) < 0 ? kh_fail(error, -ENOMEM, _("out of memory")) : 0;
}

int kh_wire_read_all(const void *data, size_t length, struct kh_documents *documents, struct kh_error *error)
{
	struct reading reading = { .at = data, .end = (const unsigned char *)data + length };
	size_t before = documents->count, count = 0;
	int code = 0;

	if (length < MAGIC_BYTES || memcmp(data, KH_WIRE_SET_MAGIC, MAGIC_BYTES) != 0)
		return refuse(error);
	reading.at += MAGIC_BYTES;
	if (!take_number(&reading, &count) || !count || count > KH_WIRE_SET_MAX)
		return refuse(error);
	for (size_t i = 0; i < count && !code; i++)
		code = take_document(&reading, documents, error);
	if (!code && reading.at != reading.end)
		code = refuse(error);
	while (code && documents->count > before)
		kh_document_free(documents->list[--documents->count]);
	return code;
}
