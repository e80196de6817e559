// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: what comes as JSON, from the readers of events and bundles to what was read on another machine. The first byte says what stands round the bytes, so
 * that most of them meet the reader they are for.
 */
#include "fuzz.h"

static const struct {
	const char *before, *after;
} forms[] = {
	{ "", "" },
	{ "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[", "]}" },
	{ "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{\"type\":\"indicator\",", "}]}" },
	{ "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{\"type\":\"indicator\",\"pattern\":\"", "\"}]}" },
	{ "{\"Event\":{", "}}" },
	{ "{\"Event\":{\"Attribute\":[{", "}]}}" },
	{ "{\"response\":[{\"Event\":{\"Object\":[{\"Attribute\":[{", "}]}]}}]}" },
	{ "{\"version\":1,\"rules\":[{", "}]}" },
	{ "{\"documents\":[{", ",\"indicators\":[]}]}" },
	{ "{\"documents\":[{\"indicators\":[{", "}]}]}" },
	{ "[\"203.0.113.7\",\"", "\"]" },
	{ "{\"cidr\":\"203.0.113.0/24\"}\n{\"cidr\":\"", "\"}\n" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t form = size ? data[0] % KH_ARRAY_SIZE(forms) : 0;

	if (size)
		fuzz_read_within(forms[form].before, data + 1, size - 1, forms[form].after);
	return 0;
}
