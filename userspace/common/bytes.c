// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes that grow.
 */
#include "common/bytes.h"

#include <string.h>

#include "common/util.h"

int kh_bytes_add(struct kh_bytes *bytes, const void *data, size_t length)
{
	int code = kh_grow(&bytes->data, &bytes->capacity, bytes->length + length, 1);

	if (code < 0)
		return code;
	if (length)
		memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
	return 0;
}

void kh_bytes_clear(struct kh_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct kh_bytes){};
}
