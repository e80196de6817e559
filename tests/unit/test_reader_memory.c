// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Out of memory at every allocation in turn: the reader says so, gives nothing back, and leaks nothing (LeakSanitizer
 * looks at the end).
 */
#include "reader_case.h"

#include "model/wire.h"

static long allowed = -1; /* allocations before the one that fails; -1: all succeed */

static int fails(void)
{
	return allowed >= 0 && allowed-- == 0;
}

#define WRAP(type, name, arguments, values)  \
	type __real_##name arguments;        \
	type __wrap_##name arguments;        \
	type __wrap_##name arguments         \
	{                                    \
		if (fails()) {               \
			errno = ENOMEM;      \
			return NULL;         \
		}                            \
		return __real_##name values; \
	}

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, (void *old, size_t size), (old, size))
WRAP(char *, strdup, (const char *text), (text))
WRAP(char *, strndup, (const char *text, size_t size), (text, size))

static const char letter[] =
	"SỞ MẪU\nSố: 12 /SM-CNTT\nHà Nội, ngày 2 tháng 9 năm 2023\nV/v một việc\nKính gửi: A\n"
	"Chặn hxxps[:]//c2[.]example/a và 203.0.113[.]7 cổng 80, 443; 2 IP, bản 1.2.3.4, máy 203.0.113.9, CVE-2022-21990 (CVSS: 8.8, Cao).\n"
	"Xem thêm http://x.test\nNhật ký cho thấy máy trạm của đơn vị đã nhiều lần gọi tới\n203.0.113.7.\n"
	"PHỤ LỤC\n1. 203.0.113.9 – 203.0.113.10\n203.0.113.300\n0123456789abcdef0123456789abcdef\nc3.example\n";
static const char list[] =
	"ip,điểm\n203.0.113.1\n203.0.113.2\t9\n10.1.2.3/8\n1.2.3\nc2.example\n203.0.113.1\ntrừ 203.0.113.4\n"
	"203.0.113.5 203.0.113.6\nchưa rõ\nCVE-2022-21990\n0123456789abcdef0123456789abcdef\nhttp://c2.example/x\n";

/* Fails the first, second, ... allocation until none is left to fail. */
static void sweep(const char *text)
{
	long failed = 0;

	for (;; failed++) {
		struct kh_document *document = NULL;
		struct kh_error error = { 0 };
		int result;

		allowed = failed;
		result = kh_reader_read("f.txt", text, strlen(text), &document, &error);
		if (allowed >= 0) { /* it went through without reaching the one that would fail */
			allowed = -1;
			assert_int_equal(result, 0);
			assert_non_null(document);
			kh_document_free(document);
			break;
		}
		assert_int_equal(result, -ENOMEM);
		assert_null(document);
		assert_non_null(strstr(error.text, "out of memory"));
	}
	assert_true(failed > 20);
}

static void test_letter_without_memory(void **state)
{
	(void)state;
	sweep(letter);
}

static void test_list_without_memory(void **state)
{
	(void)state;
	sweep(list);
}

static const char bundle[] =
	"{\"type\": \"bundle\", \"objects\": [{\"type\": \"identity\", \"id\": \"identity--1\", \"name\": \"a\\u0000b\"},\n"
	"{\"type\": \"report\", \"name\": \"R\", \"created_by_ref\": \"identity--1\", \"published\": \"2026-01-01T00:00:00Z\"},\n"
	"{\"type\": \"indicator\", \"id\": \"indicator--1\", \"pattern\": \"[ipv4-addr:value IN ('203.0.113.7', '203.0.113.8') OR (a:b = 1 AND url:value = 'x')]\"},\n"
	"{\"type\": \"indicator\", \"id\": \"indicator--1\", \"pattern\": \"[file:hashes.MD5 = '0123456789abcdef0123456789abcdef'\"}]}";
static const char event[] =
	"{\"Event\": {\"info\": \"S\", \"date\": \"2026-01-15\", \"Orgc\": {\"name\": \"C\"}, \"Attribute\": [\n"
	"{\"type\": \"ip-dst|port\", \"value\": \"203.0.113.9|443\", \"to_ids\": true}, {\"type\": \"url\", \"value\": \"a b\"},\n"
	"{\"type\": \"vulnerability\", \"value\": \"CVE-2026-1234\"}]}}";
static const char rules[] =
	"{\"version\": 1, \"rules\": [{\"ip_cidr\": [\"203.0.113.7\", \"198.51.100.0/24\"], \"port\": 1, \"domain_suffix\": \".c3.example\"}, {\"domain_regex\": \"a\"}]}";
static const char elsewhere[] =
	"{\"documents\": [{\"letter\": {\"number\": \"1/A\"}, \"notes\": [\"n\"], \"cves\": [\"CVE-2026-1234\"], \"indicators\": [{\"value\": \"203.0.113.7\", \"reason\": \"annex\", \"raw\": \"a\"}]}, {\"indicators\": []}]}";

static void test_json_without_memory(void **state)
{
	(void)state;
	sweep(bundle);
	sweep(event);
	sweep(rules);
	sweep(elsewhere);
}

static void test_long_list_without_memory(void **state)
{
	char *text KH_CLEANUP(kh_freep) =
		long_list("100.1.0.1\nc2.example\n203[.]0.113.7\ntrừ 203.0.113.8\n100[.]2.0.1\n");

	(void)state;
	sweep(text);
}

/* To bytes and back. */
static void test_wire_without_memory(void **state)
{
	DOCUMENT(document) = document_of(letter);

	(void)state;
	for (long failed = 0;; failed++) {
		struct kh_bytes bytes = { 0 };
		DOCUMENT(again) = NULL;
		int result;

		allowed = failed;
		result = kh_wire_write(document, &bytes);
		if (!result)
			result = kh_wire_read(bytes.data, bytes.length, &again, NULL);
		kh_bytes_clear(&bytes);
		if (allowed >= 0) {
			allowed = -1;
			assert_int_equal(result, 0);
			assert_true(failed > 40);
			break;
		}
		assert_int_equal(result, -ENOMEM);
		assert_null(again);
	}
}

static void test_value_without_memory(void **state)
{
	static const char *const texts[] = { "hxxp://c2[.]example/x", "203.0.113.7|443" };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++) {
		for (long failed = 0;; failed++) {
			struct kh_indicator indicator = { 0 };
			int result;

			allowed = failed;
			result = kh_reader_value(texts[i], &indicator, NULL);
			if (allowed >= 0) {
				allowed = -1;
				assert_int_equal(result, 0);
				kh_indicator_clear(&indicator);
				assert_true(failed > 1);
				break;
			}
			assert_int_equal(result, -ENOMEM);
			assert_null(indicator.text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_letter_without_memory), cmocka_unit_test(test_list_without_memory),
		cmocka_unit_test(test_json_without_memory),   cmocka_unit_test(test_long_list_without_memory),
		cmocka_unit_test(test_wire_without_memory),   cmocka_unit_test(test_value_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
