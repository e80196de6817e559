// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any bytes as a document from a process that reads foreign files. What is accepted is written again as the same bytes.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/util.h"
#include "model/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_bytes again KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_error error = {};

	if (kh_wire_read(data, size, &document, &error) < 0) {
		assert(!document && error.text[0]);
		return 0;
	}
	assert(kh_wire_write(document, &again) == 0);
	assert(again.length == size && !memcmp(again.data, data, size));
	return 0;
}
