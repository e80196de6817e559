// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What may be a source, and when it is fetched again.
 */
#include "daemon/source.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

/* As requests.c has them, without the rest of the daemon. */
const char *kh_request_text(json_t *request, const char *name)
{
	return json_string_value(json_object_get(request, name));
}

int64_t kh_request_number(json_t *request, const char *name, int64_t otherwise)
{
	json_t *value = json_object_get(request, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool kh_request_flag(json_t *request, const char *name)
{
	return json_is_true(json_object_get(request, name));
}

/* A request with one member more or other than a good one. */
static int take(const char *more, struct kh_source *source, struct kh_error *error)
{
	json_t *body = json_pack("{s:s, s:s}", "name", "feed", "url", "https://feeds.example/list.txt");
	json_t *other = json_loads(more, 0, NULL);
	int code;

	assert_non_null(other);
	json_object_update(body, other);
	code = kh_source_take(body, source, error);
	json_decref(other);
	json_decref(body);
	return code;
}

static void a_source_is_monitored_every_six_hours(void **state KH_UNUSED)
{
	struct kh_source source;

	assert_int_equal(take("{}", &source, NULL), 0);
	assert_string_equal(source.name, "feed");
	assert_int_equal(source.every, 6 * 3600);
	assert_int_equal(source.ttl, 0);
	assert_int_equal(source.action, KH_ACTION_MONITOR);
	assert_int_equal(source.bytes_max, 16 << 20);
	assert_int_equal(source.count, -1);
	assert_int_equal(source.held, -1);
	assert_int_equal(take("{\"drop\": true, \"every\": 300, \"ttl\": 600}", &source, NULL), 0);
	assert_int_equal(source.action, KH_ACTION_DROP);
	assert_int_equal(source.ttl, 600);
}

static void what_cannot_be_one_is_refused(void **state KH_UNUSED)
{
	static const char *const bad[] = {
		"{\"name\": \"\"}",
		"{\"name\": \"Feed\"}",
		"{\"name\": \"a/b\"}",
		"{\"name\": \"-a\"}",
		"{\"name\": \"..\"}",
		"{\"name\": \"abcdefghijklmnopqrstuvwxyz0123456\"}",
		"{\"name\": 7}",
		"{\"url\": \"\"}",
		"{\"url\": \"ftp://feeds.example/list.txt\"}",
		"{\"url\": \"file:///etc/shadow\"}",
		"{\"url\": \"https://\"}",
		"{\"url\": \"https:///list.txt\"}",
		"{\"url\": \"https://:443/\"}",
		"{\"url\": \"https://feeds.example/a b\"}",
		"{\"url\": \"https://feeds.example/a\\nX: 1\"}",
		"{\"url\": \"https://feeds.example/\\u0111\"}",
		"{\"url\": \"http://feeds.example/\", \"credentials\": \"/etc/khien/feed\"}",
		"{\"credentials\": \"feed\"}",
		"{\"authority\": \"feed\"}",
		"{\"every\": 299}",
		"{\"every\": -1}",
		"{\"every\": 9223372036854775807}",
		"{\"ttl\": 43199}",
		"{\"ttl\": 1}",
		"{\"max_bytes\": 0}",
		"{\"max_bytes\": 67108865}",
		"{\"max_values\": 2000001}",
		"{\"kind\": \"stix\"}",
		"{\"kind\": \"taxii\", \"unmarked\": \"take\"}",
		"{\"kind\": \"misp\", \"unmarked\": \"drop\"}",
		"{\"proxy\": \"proxy.example:3128\"}",
		"{\"proxy\": \"https://proxy.example:3128\"}",
		"{\"proxy\": \"socks5://proxy.example:1080\"}",
		"{\"proxy\": \"http://proxy.example\"}",
		"{\"proxy\": \"http://proxy.example:0\"}",
		"{\"proxy\": \"http://proxy.example:3128/x\"}",
		"{\"proxy\": \"http://:3128\"}",
		"{\"proxy\": \"http://2001:db8::1:3128\"}",
		"{\"proxy\": \"http://proxy.example\\nX:1\"}",
		"{\"proxy\": \"none\", \"proxy_credentials\": \"/etc/khien/proxy\"}",
		"{\"proxy_credentials\": \"/etc/khien/proxy\"}",
		"{\"proxy\": \"http://proxy.example:3128\", \"proxy_credentials\": \"proxy\"}",
	};

	for (size_t i = 0; i < KH_ARRAY_SIZE(bad); i++) {
		struct kh_source source;
		struct kh_error error = {};

		if (take(bad[i], &source, &error) != -EINVAL || !error.text[0])
			fail_msg("%s: taken", bad[i]);
	}
}

static void a_password_in_the_address_is_not_repeated(void **state KH_UNUSED)
{
	struct kh_source source;
	struct kh_error error = {};

	assert_int_equal(take("{\"url\": \"https://phong:bi-mat@feeds.example/\"}", &source, &error), -EINVAL);
	assert_null(strstr(error.text, "bi-mat"));
	assert_null(strstr(error.hint, "bi-mat"));
	assert_int_equal(take("{\"url\": \"https://feeds.example/@list\"}", &source, &error), 0);
	assert_int_equal(take("{\"proxy\": \"http://phong:bi-mat@proxy.example:3128\"}", &source, &error), -EINVAL);
	assert_null(strstr(error.text, "bi-mat"));
	assert_null(strstr(error.hint, "bi-mat"));
}

static void kind_policy_and_proxy_are_taken(void **state KH_UNUSED)
{
	static const char *const proxies[] = { "none", "http://proxy.example:3128", "http://proxy.example:3128/",
					       "socks5h://[2001:db8::1]:1080", "HTTP://192.0.2.1:80" };
	struct kh_source source;
	struct kh_error error = {};

	assert_int_equal(take("{}", &source, NULL), 0);
	assert_int_equal(source.kind, KH_FETCH_FILE);
	assert_string_equal(source.proxy, "");
	assert_int_equal(take("{\"kind\": \"misp\", \"unmarked\": \"skip\"}", &source, NULL), 0);
	assert_int_equal(source.kind, KH_FETCH_MISP);
	assert_int_equal(source.unmarked, KH_UNMARKED_SKIP);
	for (size_t i = 0; i < KH_ARRAY_SIZE(proxies); i++) {
		char more[200];

		snprintf(more, sizeof(more), "{\"kind\": \"taxii\", \"proxy\": \"%s\"}", proxies[i]);
		if (take(more, &source, &error))
			fail_msg("%s: %s", proxies[i], error.text);
		assert_string_equal(source.proxy, proxies[i]);
	}
	assert_int_equal(take("{\"proxy\": \"http://p.example:1\", \"proxy_credentials\": \"/p\"}", &source, NULL), 0);
	assert_string_equal(source.proxy_credentials, "/p");
}

static void failures_are_tried_again_ever_later(void **state KH_UNUSED)
{
	static const int64_t waits[] = { 3600, 60, 120, 240, 480, 960, 1920, 3600, 3600 };
	struct kh_source source = { .every = 3600 };

	assert_int_equal(kh_source_due(&source), 0); /* never tried */
	source.checked = 1000000;
	for (size_t i = 0; i < KH_ARRAY_SIZE(waits); i++) {
		source.failures = (int64_t)i;
		assert_int_equal(kh_source_due(&source) - source.checked, waits[i]);
	}
	source.failures = INT64_MAX;
	assert_int_equal(kh_source_due(&source) - source.checked, 3600);
	source.every = 30 * 86400;
	assert_in_range(kh_source_due(&source) - source.checked, 86400, 30 * 86400);
}

static void a_failure_is_spoken_of_when_it_lasts(void **state KH_UNUSED)
{
	struct kh_source source = { .every = 3600, .checked = 1000000, .fetched = 1000000 };
	int64_t old = source.fetched + 3 * 3600;

	assert_false(kh_source_stale(&source, old + 1));
	source.failures = 1;
	assert_false(kh_source_stale(&source, old));
	assert_true(kh_source_stale(&source, old + 1));
	source.paused = true;
	assert_false(kh_source_stale(&source, old + 1));
	source.paused = false;
	source.fetched = 0; /* never: nothing of it is in force */
	assert_true(kh_source_stale(&source, source.checked));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_is_monitored_every_six_hours),
		cmocka_unit_test(what_cannot_be_one_is_refused),
		cmocka_unit_test(a_password_in_the_address_is_not_repeated),
		cmocka_unit_test(kind_policy_and_proxy_are_taken),
		cmocka_unit_test(failures_are_tried_again_ever_later),
		cmocka_unit_test(a_failure_is_spoken_of_when_it_lasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
