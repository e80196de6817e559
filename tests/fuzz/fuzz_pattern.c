// SPDX-License-Identifier: GPL-2.0-or-later
/* STIX patterns: values that are handed out are of the pattern, and what is handed out alone was asked for. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reader/pattern.h"

static int take(void *context, const struct kh_pattern_value *value)
{
	assert(strlen(value->text) <= *(const size_t *)context);
	assert(value->alone || (!value->port && !value->protocol));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	size_t at, length;

	memcpy(text, data, size);
	text[size] = '\0';
	length = strlen(text);
	kh_pattern_read(text, &at, take, &length);
	assert(at <= length);
	free(text);
	return 0;
}
