// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes to JSON when there is no memory: each allocation of a parse fails in its turn, and all from there on.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/frame.h"

static size_t left; /* allocations that succeed; SIZE_MAX: all */
static bool all; /* after it all fail */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (left != SIZE_MAX && !left) {
		left = all ? 0 : SIZE_MAX;
		return NULL;
	}
	left -= left != SIZE_MAX;
	return __real_malloc(size);
}

/* Long strings with escapes, numbers, and a word that the lexer keeps: all that grows piece by piece. */
static size_t make(char *text, size_t size)
{
	size_t length = (size_t)snprintf(text, size, "{\"values\": [\"");

	for (int i = 0; i < 3000; i++)
		length += (size_t)snprintf(text + length, size - length, "ch\\u00e0o \\\"%d\\\" ", i);
	length += (size_t)snprintf(text + length, size - length, "\"");
	for (int i = 0; i < 40; i++)
		length += (size_t)snprintf(text + length, size - length, ", \"203.0.113.%d\", %d.5, true", i, i);
	return length + (size_t)snprintf(text + length, size - length, "], \"note\": \"%0900d\"}", 7);
}

static size_t sweep(const char *text, size_t length)
{
	struct kh_error error;
	json_t *request;
	size_t n = 0;
	int code;

	do {
		request = NULL;
		left = n++;
		code = kh_frame_parse(text, length, &request, &error);
		left = SIZE_MAX;
		if (code < 0) {
			assert_int_equal(code, -ENOMEM);
			assert_null(request);
		}
	} while (code < 0);
	assert_int_equal(json_array_size(json_object_get(request, "values")), 121);
	assert_int_equal(json_string_length(json_object_get(request, "note")), 900);
	json_decref(request);
	return n;
}

static void test_no_memory_is_an_error(void **state)
{
	static char text[200000];
	size_t length = make(text, sizeof(text));

	(void)state;
	all = false;
	assert_true(sweep(text, length) > 100);
	all = true;
	assert_true(sweep(text, length) > 100);
}

static void test_the_longest_string_has_room(void **state)
{
	char *text = malloc(KH_PROTO_MAX_REQUEST);
	struct kh_error error;
	json_t *request = NULL;

	(void)state;
	memset(text, 'x', KH_PROTO_MAX_REQUEST);
	memcpy(text, "{\"note\": \"", 10);
	memcpy(text + KH_PROTO_MAX_REQUEST - 2, "\"}", 2);
	all = true;
	for (size_t n = 0; n < 30; n++) {
		left = n;
		if (!kh_frame_parse(text, KH_PROTO_MAX_REQUEST, &request, &error))
			json_decref(request);
		left = SIZE_MAX;
	}
	assert_int_equal(kh_frame_parse(text, KH_PROTO_MAX_REQUEST, &request, &error), 0);
	json_decref(request);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory_is_an_error),
		cmocka_unit_test(test_the_longest_string_has_room),
	};

	left = SIZE_MAX;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
