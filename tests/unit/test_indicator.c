/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person may type as an indicator, its canonical text, and that the two are inverse; names of types and decisions.
 */
#include "model/indicator.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "model/decision.h"
#include "model/document.h"

static const struct {
	const char *text;
	enum kh_indicator_type type;
	const char *canonical; /* NULL: the same */
	uint16_t port;
	uint8_t protocol;
} good[] = {
	{ "203.0.113.7", KH_TYPE_ADDRESS, NULL, 0, 0 },
	{ "2001:DB8::7", KH_TYPE_ADDRESS, "2001:db8::7", 0, 0 },
	{ "::ffff:203.0.113.7", KH_TYPE_ADDRESS, NULL, 0, 0 },
	{ "203.0.113.7/32", KH_TYPE_ADDRESS, "203.0.113.7", 0, 0 },
	{ "2001:db8::7/128", KH_TYPE_ADDRESS, "2001:db8::7", 0, 0 },
	{ "203.0.113.7-203.0.113.7", KH_TYPE_ADDRESS, "203.0.113.7", 0, 0 },
	{ "203.0.113.0/24", KH_TYPE_PREFIX, NULL, 0, 0 },
	{ "0.0.0.0/0", KH_TYPE_PREFIX, NULL, 0, 0 },
	{ "::/0", KH_TYPE_PREFIX, NULL, 0, 0 },
	{ "203.0.113.0-203.0.113.255", KH_TYPE_PREFIX, "203.0.113.0/24", 0, 0 },
	{ "203.0.113.1-203.0.113.9", KH_TYPE_RANGE, NULL, 0, 0 },
	{ "2001:db8::1-2001:db8::9", KH_TYPE_RANGE, NULL, 0, 0 },
	{ "203.0.113.7:443", KH_TYPE_ADDRESS_PORT, NULL, 443, 0 },
	{ "203.0.113.7:443/tcp", KH_TYPE_ADDRESS_PORT, NULL, 443, 6 },
	{ "203.0.113.7:65535/UDP", KH_TYPE_ADDRESS_PORT, "203.0.113.7:65535/udp", 65535, 17 },
	{ "203.0.113.7:1", KH_TYPE_ADDRESS_PORT, NULL, 1, 0 },
	{ "[2001:db8::1]:443/udp", KH_TYPE_ADDRESS_PORT, NULL, 443, 17 },
	{ "[2001:DB8:0::1]:443", KH_TYPE_ADDRESS_PORT, "[2001:db8::1]:443", 443, 0 },
	{ "C2.Example", KH_TYPE_DOMAIN, "c2.example", 0, 0 },
	{ "c2.example.", KH_TYPE_DOMAIN, "c2.example", 0, 0 },
	{ "_dmarc.xn--in-mka.vn", KH_TYPE_DOMAIN, NULL, 0, 0 },
	{ "1.2.3.4.example", KH_TYPE_DOMAIN, NULL, 0, 0 },
	{ "HTTP://C2.Example/Path?Q=A", KH_TYPE_URL, "http://c2.example/Path?Q=A", 0, 0 },
	{ "https://203.0.113.7:8443/a", KH_TYPE_URL, NULL, 0, 0 },
};

static void test_accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(good); i++) {
		struct kh_indicator indicator = { .type = KH_TYPE_COUNT }, again = { .type = KH_TYPE_COUNT };
		struct kh_error error = { 0 };
		char *text KH_CLEANUP(kh_freep) = NULL, *text_again KH_CLEANUP(kh_freep) = NULL;

		if (kh_indicator_parse(good[i].text, &indicator, &error) < 0)
			fail_msg("%s: %s", good[i].text, error.text);
		assert_int_equal(indicator.type, good[i].type);
		assert_int_equal(indicator.port, good[i].port);
		assert_int_equal(indicator.protocol, good[i].protocol);
		text = kh_indicator_format(&indicator);
		assert_string_equal(text, good[i].canonical ? good[i].canonical : good[i].text);
		assert_int_equal(kh_indicator_parse(text, &again, &error),
				 0); /* what is printed is understood again, as the same */
		assert_int_equal(again.type, indicator.type);
		text_again = kh_indicator_format(&again);
		assert_string_equal(text_again, text);
		assert_int_equal(kh_indicator_enforceable(&indicator),
				 good[i].type != KH_TYPE_DOMAIN && good[i].type != KH_TYPE_URL);
		kh_indicator_clear(&indicator);
		kh_indicator_clear(&again);
		assert_null(indicator.text);
	}
}

static void test_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"203.0.113",
		"1.2.3.4.5",
		"203.0.113.256",
		"203.0.113.07",
		"203.0.113[.]7",
		"203.0.113.7 ",
		"203.0.113.0/33",
		"203.0.113.9-203.0.113.1",
		"203.0.113.7:0",
		"203.0.113.7:65536",
		"203.0.113.7:",
		"203.0.113.7:443/",
		"203.0.113.7:443/sctp",
		"203.0.113.7:443/tcp ",
		"203.0.113.7:+443",
		"203.0.113.7:0443",
		"203.0.113.7:44 3",
		"203.0.113.0/24:443",
		"[203.0.113.7]:443",
		"[2001:db8::1]",
		"[2001:db8::1]443",
		"[2001:db8::1",
		"[]:443",
		"fe80::1%eth0",
		"localhost",
		"example",
		".example.vn",
		"c2..example",
		"c2.example..",
		"-c2.example",
		"c2-.example",
		"c2.example-",
		"c2 .example",
		"c2.exam/ple",
		"c2.123",
		"điện.vn",
		"hxxp:/c2.example",
		"://c2.example",
		"http://",
		"http:///path",
		"http://c2.example/a b",
		"http://c2.example/\x1b[2J",
		"http://c2.example/\xff",
		"ht!tp://c2.example",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(bad); i++) {
		struct kh_indicator indicator = { .type = KH_TYPE_COUNT, .port = 42 };
		struct kh_error error = { 0 };

		if (kh_indicator_parse(bad[i], &indicator, &error) != -EINVAL)
			fail_msg("\"%s\" is accepted", bad[i]);
		assert_true(indicator.type == KH_TYPE_COUNT && indicator.port == 42);
		assert_true(error.text[0] && error.hint[0]);
		assert_null(strchr(error.text, '\x1b'));
	}
}

static void test_long_names(void **state)
{
	char text[400] = "";
	struct kh_indicator indicator;

	(void)state;
	memset(text, 'a', 63);
	strcpy(text + 63, ".vn");
	assert_int_equal(kh_indicator_parse(text, &indicator, NULL), 0);
	kh_indicator_clear(&indicator);
	memset(text, 'a', 64);
	strcpy(text + 64, ".vn");
	assert_int_equal(kh_indicator_parse(text, &indicator, NULL), -EINVAL);
	for (int i = 0; i < 126; i++)
		memcpy(text + 2 * i, "a.", 2);
	strcpy(text + 252, "a"); /* 253 bytes */
	assert_int_equal(kh_indicator_parse(text, &indicator, NULL), 0);
	kh_indicator_clear(&indicator);
	strcpy(text + 252, "aa");
	assert_int_equal(kh_indicator_parse(text, &indicator, NULL), -EINVAL);
}

static void test_host_bits(void **state)
{
	struct kh_indicator indicator = { .type = KH_TYPE_COUNT };
	struct kh_error error = { 0 };
	char *text KH_CLEANUP(kh_freep) = NULL;

	(void)state;
	assert_int_equal(kh_indicator_parse("10.1.2.3/8", &indicator, &error), -EDOM);
	assert_non_null(strstr(error.text, "10.1.2.3/8"));
	text = kh_indicator_format(&indicator); /* the network, for the caller to decide */
	assert_string_equal(text, "10.0.0.0/8");
	assert_int_equal(indicator.type, KH_TYPE_PREFIX);
	assert_int_equal(kh_indicator_parse("2001:db8::1/64", &indicator, NULL), -EDOM);
}

/* A look-alike keeps its text and is never enforceable. */
static void test_unknown(void **state)
{
	struct kh_indicator indicator = { .type = KH_TYPE_UNKNOWN, .text = strdup("1.2.3.4.5") }, copy;
	char *text KH_CLEANUP(kh_freep) = kh_indicator_format(&indicator);

	(void)state;
	assert_string_equal(text, "1.2.3.4.5");
	assert_false(kh_indicator_enforceable(&indicator));
	assert_int_equal(kh_indicator_copy(&copy, &indicator), 0);
	assert_ptr_not_equal(copy.text, indicator.text);
	kh_indicator_clear(&indicator);
	assert_string_equal(copy.text, "1.2.3.4.5");
	kh_indicator_clear(&copy);
}

static void test_type_names(void **state)
{
	(void)state;
	for (unsigned int type = 0; type < KH_TYPE_COUNT; type++) {
		enum kh_indicator_type back = KH_TYPE_COUNT;

		assert_true(kh_indicator_type_name(type)[0]);
		assert_int_equal(kh_indicator_type_from_name(kh_indicator_type_name(type), &back), 0);
		assert_int_equal(back, type);
	}
	assert_string_equal(kh_indicator_type_name(KH_TYPE_ADDRESS_PORT), "address-port");
	assert_string_equal(kh_indicator_type_name(KH_TYPE_COUNT), "");
	assert_int_equal(kh_indicator_type_from_name("", &(enum kh_indicator_type){ 0 }), -EINVAL);
	assert_int_equal(kh_indicator_type_from_name("Address", &(enum kh_indicator_type){ 0 }), -EINVAL);
}

static void test_decision_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KH_DECISION_COUNT; i++) {
		enum kh_decision back = KH_DECISION_COUNT;

		assert_int_equal(kh_decision_from_name(kh_decision_name(i), &back), 0);
		assert_int_equal(back, i);
	}
	for (unsigned int i = 0; i < KH_WHY_COUNT; i++) {
		enum kh_decision_reason back = KH_WHY_COUNT;

		assert_int_equal(kh_decision_reason_from_name(kh_decision_reason_name(i), &back), 0);
		assert_int_equal(back, i);
		assert_true(strlen(kh_decision_reason_sentence(i)) > 5);
	}
	assert_string_equal(kh_decision_name(KH_UNENFORCEABLE), "unenforceable");
	assert_string_equal(kh_decision_reason_name(KH_WHY_RESOLVER), "resolver");
	assert_string_equal(kh_decision_name(KH_DECISION_COUNT), "");
	assert_string_equal(kh_decision_reason_name(KH_WHY_COUNT), "");
	assert_int_equal(kh_decision_from_name("drop", &(enum kh_decision){ 0 }), -EINVAL);
	assert_int_equal(kh_decision_reason_from_name("", &(enum kh_decision_reason){ 0 }), -EINVAL);
	assert_string_equal(kh_section_name(KH_SECTION_BODY), "body");
	assert_string_equal(kh_section_name(KH_SECTION_ANNEX), "annex");
	assert_string_equal(kh_section_name(KH_SECTION_LIST), "list");
}

/* Every owned field, for LeakSanitizer to count. */
static void test_document_free(void **state)
{
	struct kh_document *document = calloc(1, sizeof(*document));

	(void)state;
	kh_document_free(NULL);
	assert_non_null(document);
	document->file = strdup("file");
	document->letter = (struct kh_letter){ .number = strdup("1/A"),
					       .date = strdup("2023-01-21"),
					       .issuer = strdup("A"),
					       .subject = strdup("V/v"),
					       .report_by = strdup("2023-01-30") };
	document->letter.relays = calloc(1, sizeof(char *));
	document->letter.relays[document->letter.relays_count++] = strdup("2/B");
	document->parts = calloc(1, sizeof(*document->parts));
	document->parts[document->parts_count++] = (struct kh_part){ strdup("a.txt"), strdup("x"), 1 };
	document->findings = calloc(2, sizeof(*document->findings));
	document->findings_count = 2;
	document->findings[0].raw = strdup("203.0.113[.]7");
	document->findings[0].column = strdup("IP");
	document->findings[1].indicator = (struct kh_indicator){ .type = KH_TYPE_DOMAIN, .text = strdup("c2.example") };
	document->cves = calloc(1, sizeof(char *));
	document->cves[document->cves_count++] = strdup("CVE-2022-21990");
	document->hashes = calloc(1, sizeof(char *));
	document->hashes[document->hashes_count++] = strdup("d41d8cd98f00b204e9800998ecf8427e");
	document->notes = calloc(1, sizeof(char *));
	document->notes[document->notes_count++] = strdup("note");
	kh_document_freep(&document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),	       cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_long_names),     cmocka_unit_test(test_host_bits),
		cmocka_unit_test(test_unknown),	       cmocka_unit_test(test_type_names),
		cmocka_unit_test(test_decision_names), cmocka_unit_test(test_document_free),
	};

	return cmocka_run_group_tests_name("indicator", tests, NULL, NULL);
}
