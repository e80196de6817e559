// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any bytes as documents from a process that reads foreign files. What is accepted is written again as the same bytes.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/util.h"
#include "model/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const uint8_t *data, size_t size)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_bytes again KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_error error = {};

	if (kh_wire_read(data, size, &document, &error) < 0) {
		assert(!document && error.text[0]);
		return;
	}
	assert(kh_wire_write(document, &again) == 0);
	assert(again.length == size && !memcmp(again.data, data, size));
}

static void read_all(const uint8_t *data, size_t size)
{
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	struct kh_bytes again KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_error error = {};

	if (kh_wire_read_all(data, size, &documents, &error) < 0) {
		assert(!documents.count && error.text[0]);
		return;
	}
	assert(documents.count && kh_wire_write_all(&documents, &again) == 0);
	assert(again.length == size && !memcmp(again.data, data, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool set = size >= sizeof(KH_WIRE_SET_MAGIC) - 1 &&
		   !memcmp(data, KH_WIRE_SET_MAGIC, sizeof(KH_WIRE_SET_MAGIC) - 1);

	if (set)
		read_all(data, size);
	else
		read_one(data, size);
	return 0;
}
