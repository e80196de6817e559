// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The copy that is kept of a collection or feed: read back as it was written, or not at all; and of several forms of one item the newest.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/text.h"
#include "fetch/private.h"

#define HEAD "\"type\":\"bundle\","

static struct kh_fetch_request request = { .bytes_max = 1 << 20, .entries_max = 100, .kind = KH_FETCH_TAXII };
static struct kh_fetch_answer answer;
static struct kh_feed feed = { .request = &request, .answer = &answer };

static void add(struct kh_copy *copy, const char *id, const char *version, const char *value, bool ended)
{
	json_t *item = json_pack("{s:s, s:s, s:s}", "id", id, "modified", version, "value", value);

	assert_int_equal(kh_copy_add(&feed, copy, id, version, item, ended), 0);
	json_decref(item);
}

static bool name(const json_t *item, const char **id, const char **version)
{
	*id = kh_json_string(item, "id");
	*version = kh_json_string(item, "modified");
	return **id != '\0';
}

/* "id=value id=value" */
static const char *text_of(const struct kh_copy *copy)
{
	static char text[1000];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < copy->count; i++) {
		json_t *item = json_loads(copy->items[i].text, 0, NULL);

		assert_non_null(item);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s", i ? " " : "", copy->items[i].id,
					 kh_json_string(item, "value"));
		json_decref(item);
	}
	return text;
}

static void write_out(const struct kh_copy *copy, struct kh_bytes *bytes)
{
	json_t *state = json_pack("{s:s}", "last", "2023-01-21T00:00:00Z");

	assert_int_equal(kh_copy_write(&feed, copy, HEAD, state, "objects", bytes), 0);
	json_decref(state);
}

/* 1 where the bytes are a copy, and then what is in it. */
static int read_back(const void *data, size_t length, struct kh_copy *copy)
{
	json_t *state = NULL;
	int code;

	feed.kept = data;
	feed.kept_length = length;
	code = kh_copy_read(&feed, name, &state, copy);
	if (code)
		assert_string_equal(kh_json_string(state, "last"), "2023-01-21T00:00:00Z");
	else
		assert_true(!state && !copy->count && !copy->items);
	json_decref(state);
	return code;
}

static void the_newest_form_stays_and_what_has_ended_goes(void **state)
{
	struct kh_copy copy = {};

	(void)state;
	add(&copy, "c", "2023-01-03T00:00:00Z", "old", false);
	add(&copy, "a", "2023-01-02T00:00:00.5Z", "new", false);
	add(&copy, "b", "2023-01-01T00:00:00Z", "b", false);
	add(&copy, "a", "2023-01-02T00:00:00Z", "late", false); /* older, though it comes later */
	add(&copy, "c", "2023-01-04T00:00:00Z", "", true);
	add(&copy, "d", "2023-01-04T00:00:00Z", "", true);
	add(&copy, "d", "2023-01-05T00:00:00Z", "again", false);
	add(&copy, "b", "2023-01-01T00:00:00Z", "b2", false); /* alike: the last that came */
	kh_copy_settle(&copy);
	assert_string_equal(text_of(&copy), "a=new b=b2 d=again");
	kh_copy_clear(&copy);
}

static void it_is_json_and_comes_back_whole(void **state)
{
	struct kh_copy copy = {}, again = {};
	struct kh_bytes bytes = {}, twice = {};
	json_t *whole;

	(void)state;
	add(&copy, "a", "2023-01-02T00:00:00Z", "line\nof two", false);
	add(&copy, "b", "", "]}", false);
	write_out(&copy, &bytes);
	whole = json_loadb((const char *)bytes.data, bytes.length, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(whole, "objects")), 2);
	assert_string_equal(kh_json_string(whole, "type"), "bundle");
	assert_int_equal(read_back(bytes.data, bytes.length, &again), 1);
	assert_string_equal(text_of(&again), "a=line\nof two b=]}");
	write_out(&again, &twice);
	assert_int_equal(twice.length, bytes.length);
	assert_memory_equal(twice.data, bytes.data, bytes.length);
	json_decref(whole);
	kh_copy_clear(&again);
	kh_copy_clear(&copy);
	kh_bytes_clear(&twice);
	kh_bytes_clear(&bytes);
}

static void a_cut_or_changed_copy_is_none_or_whole(void **state)
{
	struct kh_copy copy = {}, again = {};
	struct kh_bytes bytes = {};

	(void)state;
	add(&copy, "a", "2023-01-02T00:00:00Z", "1", false);
	add(&copy, "b", "2023-01-02T00:00:00Z", "2", false);
	write_out(&copy, &bytes);
	for (size_t length = 0; length < bytes.length; length++)
		assert_int_equal(read_back(bytes.data, length, &again), 0);
	for (size_t at = 0; at < bytes.length; at++) {
		json_t *read_state = NULL;

		bytes.data[at] ^= 0x55;
		feed.kept = bytes.data;
		feed.kept_length = bytes.length;
		kh_copy_read(&feed, name, &read_state,
			     &again); /* a value may be another; the digest is the daemon's matter */
		assert_true(again.count == 0 || again.count == 2);
		json_decref(read_state);
		kh_copy_clear(&again);
		bytes.data[at] ^= 0x55;
	}
	kh_copy_clear(&copy);
	kh_bytes_clear(&bytes);
}

static void nothing_is_an_empty_file(void **state)
{
	struct kh_copy copy = {};
	struct kh_bytes bytes = {};

	(void)state;
	write_out(&copy, &bytes);
	assert_int_equal(bytes.length, 0);
}

static void more_than_is_allowed_is_refused(void **state)
{
	struct kh_copy copy = {};
	json_t *item = json_pack("{s:s}", "id", "a");
	int code = 0;

	(void)state;
	for (int i = 0; i <= 200 && !code; i++)
		code = kh_copy_add(&feed, &copy, "a", "", item, false);
	assert_int_equal(code, -E2BIG);
	assert_int_equal(answer.result, KH_FETCH_FAILED);
	assert_non_null(strstr(answer.text, "more than 100 values"));
	assert_non_null(strstr(answer.hint, "--max-values"));
	json_decref(item);
	kh_copy_clear(&copy);
	kh_fetch_answer_clear(&answer);
}

static void a_long_text_is_cut_between_letters(void **state)
{
	char text[2 * KH_FETCH_TEXT_MAX] = "";

	(void)state;
	for (size_t at = 1; at < sizeof(text) - 4; at += 2)
		memcpy(text + at, "đ", 2);
	text[0] = 'x';
	kh_feed_fail(&feed, -EPROTO, text, "%s", text);
	assert_in_range(strlen(answer.text), KH_FETCH_TEXT_MAX - 2, KH_FETCH_TEXT_MAX);
	assert_int_equal(kh_utf8_check(answer.text, strlen(answer.text)), strlen(answer.text));
	assert_int_equal(kh_utf8_check(answer.hint, strlen(answer.hint)), strlen(answer.hint));
	kh_fetch_answer_clear(&answer);
}

static void times_are_compared_as_they_are_written(void **state)
{
	(void)state;
	assert_true(kh_time_compare("2023-01-21T00:00:00Z", "2023-01-21T00:00:00.5Z") < 0);
	assert_true(kh_time_compare("2023-01-21T00:00:00.51Z", "2023-01-21T00:00:00.5Z") > 0);
	assert_true(kh_time_compare("2023-01-20T23:59:59.9Z", "2023-01-21T00:00:00Z") < 0);
	assert_int_equal(kh_time_compare("2023-01-21T00:00:00Z", "2023-01-21T00:00:00Z"), 0);
	assert_true(kh_time_compare("", "2023-01-21T00:00:00Z") < 0);
	assert_int_equal(kh_time_compare("", ""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_form_stays_and_what_has_ended_goes),
		cmocka_unit_test(it_is_json_and_comes_back_whole),
		cmocka_unit_test(a_cut_or_changed_copy_is_none_or_whole),
		cmocka_unit_test(nothing_is_an_empty_file),
		cmocka_unit_test(more_than_is_allowed_is_refused),
		cmocka_unit_test(a_long_text_is_cut_between_letters),
		cmocka_unit_test(times_are_compared_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
