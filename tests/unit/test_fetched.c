// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What goes to the program that fetches, and what comes back: whole, or refused. The answer is foreign: every cut and every changed byte of
 * it is tried.
 */
#include "model/fetched.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

static void fill(struct kh_fetch_answer *answer)
{
	*answer = (struct kh_fetch_answer){ .result = KH_FETCH_FAILED, .status = 404, .bytes = 12, .entries = 3 };
	answer->text = strdup("the server answered with status 404");
	answer->etag = strdup("\"abc\"");
	answer->last_modified = strdup("Sat, 21 Jan 2023 15:47:10 GMT");
}

static void a_request_comes_back_whole(void **state KH_UNUSED)
{
	struct kh_fetch_request request = { .bytes_max = 1000,
					    .entries_max = 7,
					    .kind = KH_FETCH_MISP,
					    .unmarked = KH_UNMARKED_SKIP },
				read = {};
	struct kh_bytes bytes = {};
	size_t rest = 0;

	request.name = strdup("feodo");
	request.url = strdup("https://feeds.example/list.txt");
	request.user = strdup("van-phong");
	request.password = strdup("");
	request.proxy = strdup("socks5h://proxy.example:1080");
	request.proxy_password = strdup("p");
	assert_int_equal(kh_fetch_request_write(&request, &bytes), 0);
	assert_int_equal(kh_bytes_add(&bytes, "kept", 4), 0);
	assert_int_equal(kh_fetch_request_read(bytes.data, bytes.length, &read, &rest), 0);
	assert_int_equal(bytes.length - rest, 4);
	assert_int_equal(read.kind, KH_FETCH_MISP);
	assert_int_equal(read.unmarked, KH_UNMARKED_SKIP);
	assert_string_equal(read.proxy, request.proxy);
	assert_null(read.proxy_user);
	assert_string_equal(read.proxy_password, "p");
	assert_string_equal(read.name, "feodo");
	assert_string_equal(read.url, request.url);
	assert_string_equal(read.user, "van-phong");
	assert_string_equal(read.password, "");
	assert_null(read.bearer);
	assert_null(read.etag);
	assert_int_equal(read.bytes_max, 1000);
	assert_int_equal(read.entries_max, 7);
	for (size_t length = 0; length < rest; length++) {
		struct kh_fetch_request cut = {};
		size_t none;

		assert_int_equal(kh_fetch_request_read(bytes.data, length, &cut, &none), -EINVAL);
	}
	kh_fetch_request_clear(&request);
	kh_fetch_request_clear(&read);
	kh_bytes_clear(&bytes);
}

static void a_kind_that_is_none_is_refused(void **state KH_UNUSED)
{
	struct kh_fetch_request request = { .bytes_max = 1, .kind = KH_FETCH_KIND_COUNT }, read = {};
	struct kh_bytes bytes = {};
	size_t rest;

	request.name = strdup("feodo");
	request.url = strdup("https://feeds.example/list.txt");
	assert_int_equal(kh_fetch_request_write(&request, &bytes), 0);
	assert_int_equal(kh_fetch_request_read(bytes.data, bytes.length, &read, &rest), -EINVAL);
	kh_bytes_clear(&bytes);
	request.kind = KH_FETCH_TAXII;
	request.unmarked = KH_UNMARKED_COUNT;
	assert_int_equal(kh_fetch_request_write(&request, &bytes), 0);
	assert_int_equal(kh_fetch_request_read(bytes.data, bytes.length, &read, &rest), -EINVAL);
	kh_fetch_request_clear(&request);
	kh_bytes_clear(&bytes);
}

static void kinds_and_policies_have_names(void **state KH_UNUSED)
{
	for (int i = 0; i < KH_FETCH_KIND_COUNT; i++)
		assert_int_equal(kh_fetch_kind_find(kh_fetch_kind_name((enum kh_fetch_kind)i)), i);
	for (int i = 0; i < KH_UNMARKED_COUNT; i++)
		assert_int_equal(kh_unmarked_find(kh_unmarked_name((enum kh_unmarked)i)), i);
	assert_int_equal(kh_fetch_kind_find("stix"), -EINVAL);
	assert_int_equal(kh_unmarked_find(""), -EINVAL);
}

static void an_answer_comes_back_with_what_follows(void **state KH_UNUSED)
{
	struct kh_fetch_answer answer, read = {};
	struct kh_bytes bytes = {};
	size_t rest = 0;

	fill(&answer);
	assert_int_equal(kh_fetch_answer_write(&answer, &bytes), 0);
	assert_int_equal(kh_bytes_add(&bytes, "203.0.113.7\n", 12), 0);
	assert_int_equal(kh_fetch_answer_read(bytes.data, bytes.length, &read, &rest), 0);
	assert_int_equal(bytes.length - rest, 12);
	assert_int_equal(read.result, KH_FETCH_FAILED);
	assert_int_equal(read.status, 404);
	assert_string_equal(read.text, answer.text);
	assert_null(read.hint);
	assert_string_equal(read.etag, "\"abc\"");
	assert_int_equal(read.entries, 3);
	kh_fetch_answer_clear(&read);
	kh_fetch_answer_clear(&answer);
	kh_bytes_clear(&bytes);
}

static void a_cut_or_changed_answer_is_refused_or_harmless(void **state KH_UNUSED)
{
	struct kh_fetch_answer answer, read = {};
	struct kh_bytes bytes = {};
	size_t rest;

	fill(&answer);
	assert_int_equal(kh_fetch_answer_write(&answer, &bytes), 0);
	for (size_t length = 0; length < bytes.length; length++)
		assert_int_equal(kh_fetch_answer_read(bytes.data, length, &read, &rest), -EINVAL);
	for (size_t at = 0; at < bytes.length; at++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes.data[at] ^= (unsigned char)(1 << bit);
			if (!kh_fetch_answer_read(bytes.data, bytes.length, &read, &rest)) {
				assert_true(read.result < KH_FETCH_RESULT_COUNT && read.bytes >= 0);
				assert_in_range(rest, 1, bytes.length);
				kh_fetch_answer_clear(&read);
			}
			bytes.data[at] ^= (unsigned char)(1 << bit);
		}
	}
	kh_fetch_answer_clear(&answer);
	kh_bytes_clear(&bytes);
}

static void what_could_not_be_sent_again_is_refused(void **state KH_UNUSED)
{
	struct kh_fetch_answer answer, read = {};
	struct kh_bytes bytes = {};
	size_t rest;

	fill(&answer);
	free(answer.etag);
	answer.etag = strdup("\"abc\"\r\nX-Other: 1"); /* another header, in the next request */
	assert_int_equal(kh_fetch_answer_write(&answer, &bytes), 0);
	assert_int_equal(kh_fetch_answer_read(bytes.data, bytes.length, &read, &rest), -EINVAL);
	kh_fetch_answer_clear(&answer);
	kh_bytes_clear(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_comes_back_whole),
		cmocka_unit_test(a_kind_that_is_none_is_refused),
		cmocka_unit_test(kinds_and_policies_have_names),
		cmocka_unit_test(an_answer_comes_back_with_what_follows),
		cmocka_unit_test(a_cut_or_changed_answer_is_refused_or_harmless),
		cmocka_unit_test(what_could_not_be_sent_again_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
