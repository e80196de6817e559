// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: what is asked of the program that fetches, and what it answers. What is accepted is written again as the same bytes. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"
#include "model/fetched.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct kh_fetch_answer *answer)
{
	const char *const texts[] = { answer->text, answer->hint, answer->etag, answer->last_modified };

	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++) {
		if (!texts[i])
			continue;
		assert(strlen(texts[i]) <= KH_FETCH_TEXT_MAX);
		assert(kh_utf8_check(texts[i], strlen(texts[i])) == strlen(texts[i]));
	}
	assert(answer->result < KH_FETCH_RESULT_COUNT && (answer->result != KH_FETCH_FAILED || answer->text));
	assert(answer->status >= 0 && answer->bytes >= 0 && answer->entries >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kh_bytes again KH_CLEANUP(kh_bytes_clear) = {};
	struct kh_fetch_request request = {};
	struct kh_fetch_answer answer = {};
	size_t rest = SIZE_MAX;

	if (!kh_fetch_answer_read(data, size, &answer, &rest)) {
		assert(rest <= size);
		check_answer(&answer);
		assert(!kh_fetch_answer_write(&answer, &again));
		kh_fetch_answer_clear(&answer);
	} else {
		assert(rest == SIZE_MAX && !answer.text && !answer.etag);
	}
	again.length = 0;
	rest = SIZE_MAX;
	if (!kh_fetch_request_read(data, size, &request, &rest)) {
		assert(request.name && request.url && !kh_fetch_request_write(&request, &again));
		assert(rest <= size && again.length == rest && !memcmp(again.data, data, rest));
		kh_fetch_request_clear(&request);
	}
	return 0;
}
