// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: one value as a person types it. What is understood is written in one form, which is understood the same. */
#include "fuzz.h"

static void check_value(const struct kh_indicator *indicator)
{
	char *text KH_CLEANUP(kh_freep) = kh_indicator_format(indicator), *same KH_CLEANUP(kh_freep) = NULL;
	struct kh_indicator again = { 0 };

	assert(text && kh_indicator_parse(text, &again, NULL) == 0);
	same = kh_indicator_format(&again);
	assert(same && !strcmp(text, same));
	assert(again.type == indicator->type &&
	       kh_indicator_enforceable(&again) == kh_indicator_enforceable(indicator));
	assert(indicator->range.first <= indicator->range.last);
	kh_indicator_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text KH_CLEANUP(kh_freep) = malloc(size + 1);
	struct kh_indicator indicator = { 0 };
	struct kh_error error = { 0 };
	int result;

	memcpy(text, data, size);
	text[size] = '\0';
	result = kh_reader_value(text, &indicator, &error);
	assert(result == 0 || result == -EINVAL || result == -EDOM);
	if (!result)
		check_value(&indicator);
	else
		assert(error.text[0]);
	kh_indicator_clear(&indicator);
	return 0;
}
