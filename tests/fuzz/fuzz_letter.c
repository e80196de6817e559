// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: text that a program took out of the pages of a document, columns and line breaks with it; the first byte says out of which kind. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_error error = { 0 };
	int result;

	if (!size)
		return 0;
	keep_encodings();
	result = kh_reader_read_pages("fuzz", data[0] == 's' ? "scan" : "pdf", data + 1, size - 1, &document, &error);
	check_result(result, document, &error, data + 1, size - 1);
	return 0;
}
