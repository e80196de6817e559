/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ZIP files whose members are stored as they are (APPNOTE 4.3): quicker to make than with a library, and the same for the same bytes. */
#ifndef KHIEN_TESTS_FUZZ_STORED_ZIP_H
#define KHIEN_TESTS_FUZZ_STORED_ZIP_H

#include <stdint.h>
#include <string.h>

#include "common/bytes.h"

struct stored {
	const char *name;
	const void *data;
	size_t length;
};

static uint32_t crc_of(const void *data, size_t length)
{
	static uint32_t table[256];
	const uint8_t *at = data;
	uint32_t crc = 0xffffffff;

	for (uint32_t i = 0; i < 256 && !table[255]; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] & 1 ? table[i] >> 1 ^ 0xedb88320 : table[i] >> 1;
	}
	for (size_t i = 0; i < length; i++)
		crc = table[(crc ^ at[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

static int put_little(struct kh_bytes *bytes, uint64_t number, size_t size)
{
	uint8_t little[8];

	for (size_t i = 0; i < size; i++)
		little[i] = (uint8_t)(number >> 8 * i);
	return kh_bytes_add(bytes, little, size);
}

/* What the two headers of a member have in common: version, flags, method 0, date, sum, sizes, length of the name. */
static int put_header(struct kh_bytes *bytes, const struct stored *member)
{
	int result = put_little(bytes, 20, 2);

	result |= put_little(bytes, 0x0800, 4); /* names in UTF-8; stored */
	result |= put_little(bytes, 0x00210000, 4); /* 1 January 1980 */
	result |= put_little(bytes, crc_of(member->data, member->length), 4);
	result |= put_little(bytes, member->length, 4);
	result |= put_little(bytes, member->length, 4);
	return result | put_little(bytes, strlen(member->name), 4); /* and no extra field */
}

/* Appends a ZIP file of the members up to one without a name, at most 8. 0 or not. */
static int put_zip(struct kh_bytes *bytes, const struct stored *members)
{
	size_t begin = bytes->length, starts[8], count = 0, directory;
	int result = 0;

	for (; members[count].name; count++) {
		starts[count] = bytes->length - begin;
		result |= kh_bytes_add(bytes, "PK\3\4", 4) | put_header(bytes, &members[count]);
		result |= kh_bytes_add(bytes, members[count].name, strlen(members[count].name));
		result |= kh_bytes_add(bytes, members[count].data, members[count].length);
	}
	directory = bytes->length - begin;
	for (size_t i = 0; i < count; i++) {
		result |= kh_bytes_add(bytes, "PK\1\2\24", 6) | put_header(bytes, &members[i]);
		result |= put_little(bytes, 0, 8); /* comment, disk, attributes */
		result |= put_little(bytes, 0, 2) | put_little(bytes, starts[i], 4);
		result |= kh_bytes_add(bytes, members[i].name, strlen(members[i].name));
	}
	result |= kh_bytes_add(bytes, "PK\5\6\0\0\0", 8) | put_little(bytes, count, 2) | put_little(bytes, count, 2);
	result |= put_little(bytes, bytes->length - begin - directory - 12, 4);
	return result | put_little(bytes, directory, 4) | put_little(bytes, 0, 2);
}

#endif
