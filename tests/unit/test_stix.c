// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STIX and MISP: which values a source orders to block, which only under conditions, and what its marks mean.
 */
#include "reader_case.h"
#include "reader/pattern.h"

/* ---- Patterns: what each hands out, as "value[:port][/protocol][?]" with ? for "not alone" ------------------- */

static int note_value(void *context, const struct kh_pattern_value *value)
{
	char *said = context;
	size_t length = strlen(said);

	length += (size_t)snprintf(said + length, 4096 - length, "%s%s%s", length ? " " : "", value->hash ? "#" : "",
				   value->text);
	if (value->port)
		length += (size_t)snprintf(said + length, 4096 - length, ":%u", value->port);
	if (value->protocol)
		length += (size_t)snprintf(said + length, 4096 - length, "/%s", value->protocol == 6 ? "tcp" : "udp");
	if (!value->alone && !value->hash)
		snprintf(said + length, 4096 - length, "?");
	return 0;
}

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern, *said; /* NULL: not understood */
	} cases[] = {
		{ "[ipv4-addr:value = '203.0.113.7']", "203.0.113.7" },
		{ "[ipv4-addr:value='203.0.113.7'OR domain-name:value='c2.example']", "203.0.113.7 c2.example" },
		{ "[ipv4-addr:value IN ('203.0.113.7', '203.0.113.8')]", "203.0.113.7 203.0.113.8" },
		{ "[ipv4-addr:value ISSUBSET '203.0.113.0/24']", "203.0.113.0/24" },
		{ "[ipv4-addr:value = '203.0.113.7'] OR ([ipv6-addr:value = '2001:db8::7'] AND [url:value = 'http://c2.example/'])",
		  "203.0.113.7 2001:db8::7 http://c2.example/" },
		{ "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.7']",
		  "203.0.113.7" },
		{ "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = '54865']",
		  "203.0.113.7:54865" },
		{ "[network-traffic:dst_port = 443 AND network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:protocols[*] = 'tcp']",
		  "203.0.113.7:443/tcp" },
		{ "[network-traffic:src_ref.value = '203.0.113.7' AND network-traffic:dst_port = 22]", "203.0.113.7?" },
		{ "[network-traffic:src_ref.value = '203.0.113.7' AND network-traffic:dst_ref.value = '203.0.113.8']",
		  "203.0.113.7? 203.0.113.8?" },
		{ "[domain-name:value='c2.example' AND domain-name:resolves_to_refs[*].value='203.0.113.7']",
		  "c2.example? 203.0.113.7?" },
		{ "[domain-name:resolves_to_refs[*].value='203.0.113.7']", "203.0.113.7?" },
		{ "[network-traffic:extensions.'http-request-ext'.request_header.Host = 'c2.example']", "c2.example?" },
		{ "[hostname:value = 'c2.example']", "c2.example" },
		{ "[ipv4-addr:value != '203.0.113.7']", "203.0.113.7?" },
		{ "[ipv4-addr:value NOT = '203.0.113.7']", "203.0.113.7?" },
		{ "[ipv4-addr:value NOT IN ('203.0.113.7')]", "203.0.113.7?" },
		{ "[ipv4-addr:value <> '203.0.113.7']", "203.0.113.7?" },
		{ "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:protocols[*] = 'udp']",
		  "203.0.113.7?" },
		{ "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:protocols[*] = 'http']",
		  "203.0.113.7?" },
		{ "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:protocols[0] = 'ipv4']",
		  "203.0.113.7" },
		{ "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 80 AND network-traffic:dst_port = 443]",
		  "203.0.113.7?" },
		{ "[network-traffic:dst_ref.value = '203.0.113.7' AND (network-traffic:dst_port = 80 OR network-traffic:dst_port = 443)]",
		  "203.0.113.7:80 203.0.113.7:443" },
		{ "[file:hashes.MD5 != 'aa' AND url:value = 'http://c2.example/']", "http://c2.example/?" },
		{ "[domain-name:value LIKE '%.example']", "%.example?" },
		{ "[domain-name:value MATCHES '^c2\\\\.']", "^c2\\.?" },
		{ "[ipv4-addr:value = '203.0.113.7'] FOLLOWEDBY [ipv4-addr:value = '203.0.113.8']",
		  "203.0.113.7? 203.0.113.8?" },
		{ "[ipv4-addr:value = '203.0.113.7'] REPEATS 5 TIMES WITHIN 60 SECONDS", "203.0.113.7?" },
		{ "[ipv4-addr:value = '203.0.113.7'] START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
		  "203.0.113.7?" },
		{ "[(ipv4-addr:value = '203.0.113.7' OR ipv4-addr:value = '203.0.113.8') AND file:name = 'a']",
		  "203.0.113.7? 203.0.113.8?" },
		{ "[file:hashes.'SHA-256' = 'aa' OR url:value = 'http://c2.example/it\\'s']",
		  "http://c2.example/it's #aa" },
		{ "[file:name = 'ipv4-addr:value = 203.0.113.7']", "" },
		{ "[email-message:body_multipart[*].body_raw_ref.name = 'x' OR windows-registry-key:values[0].data = 'y']",
		  "" },
		{ " /* a */ [ ipv4-addr:value = '203.0.113.7' ] // b", "203.0.113.7" },
		{ "[ipv4-addr:value IN ()]", "" },
		{ "", NULL },
		{ "ipv4-addr:value = '203.0.113.7'", NULL },
		{ "[ipv4-addr:value = '203.0.113.7'", NULL },
		{ "[ipv4-addr:value = '203.0.113.7]", NULL },
		{ "[ipv4-addr:value = '203.0.113.7'] x", NULL },
		{ "[ipv4-addr:value '203.0.113.7']", NULL },
		{ "[ipv4-addr:value = ]", NULL },
		{ "[ipv4-addr:value = '203.0.113.7' AND]", NULL },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		char said[4096] = "";
		size_t at;
		int code = kh_pattern_read(cases[i].pattern, &at, note_value, said);

		if (!cases[i].said) {
			assert_int_equal(code, -EINVAL);
			assert_string_equal(said, "");
			assert_in_range(at, 0, strlen(cases[i].pattern));
		} else if (code || strcmp(said, cases[i].said)) {
			fail_msg("%s: %d \"%s\"", cases[i].pattern, code, said);
		}
	}
}

/* Brackets without end, and products that would not fit into any memory. */
static void test_hostile_patterns(void **state)
{
	size_t size = 200000, at, length;
	char *pattern = malloc(size + 64), said[4096] = "";

	(void)state;
	memset(pattern, '(', size);
	pattern[size] = '\0';
	assert_int_equal(kh_pattern_read(pattern, &at, note_value, said), -E2BIG);
	length = (size_t)sprintf(pattern, "[");
	for (int i = 0; i < 40; i++)
		length += (size_t)sprintf(pattern + length, "%s(file:name = 'a' OR file:name = 'b')", i ? " AND " : "");
	sprintf(pattern + length, "]");
	assert_int_equal(kh_pattern_read(pattern, &at, note_value, said), 0);
	free(pattern);
}

static int count_value(void *context, const struct kh_pattern_value *value)
{
	size_t *counts = context;

	counts[value->alone]++;
	return 0;
}

/* As many of the same as there is room for; what each costs must not grow with their number. */
static void expect_many(const char *head, const char *one, const char *between, const char *tail, size_t alone,
			size_t waiting)
{
	size_t most = 1000000, length, at, counts[2] = {};
	char *pattern KH_CLEANUP(kh_freep) = malloc(most + 512);

	assert_non_null(pattern);
	length = (size_t)sprintf(pattern, "[%s", head);
	for (size_t i = 0; i < alone + waiting; i++)
		length += (size_t)sprintf(pattern + length, "%s%s", i ? between : "", one);
	assert_true(length < most);
	sprintf(pattern + length, "%s]", tail);
	assert_int_equal(kh_pattern_read(pattern, &at, count_value, counts), 0);
	assert_int_equal(counts[true], alone);
	assert_int_equal(counts[false], waiting);
}

static void test_long_patterns(void **state)
{
	(void)state;
	expect_many("ipv4-addr:value IN (", "'203.0.113.7'", ",", ")", 60000, 0);
	expect_many("", "ipv4-addr:value = '203.0.113.7'", " OR ", "", 20000, 0);
	expect_many("", "ipv4-addr:value = '203.0.113.7'", " AND ", "", 0, 20000);
}

/* ---- Documents ------------------------------------------------------------------------------------------------- */

static struct kh_document *read_text(const char *text)
{
	struct kh_document *document = NULL;
	struct kh_error error = {};

	if (read_bytes(text, strlen(text), &document, &error))
		fail_msg("%s", error.text);
	return document;
}

static void expect(const struct kh_document *document, size_t which, const char *value, enum kh_decision proposed,
		   enum kh_decision_reason reason)
{
	char *text KH_CLEANUP(kh_freep) = NULL;

	assert_true(which < document->findings_count);
	text = kh_indicator_format(&document->findings[which].indicator);
	assert_string_equal(text, value);
	assert_int_equal(document->findings[which].proposed, proposed);
	assert_int_equal(document->findings[which].reason, reason);
}

#define INDICATOR(pattern, more) \
	"{\"type\": \"indicator\", \"id\": \"indicator--1\", \"pattern\": \"" pattern "\"" more "}"

static void test_a_bundle(void **state)
{
	DOCUMENT(document) = read_text(
		"{\"type\": \"bundle\", \"id\": \"bundle--1\", \"objects\": [\n"
		"{\"type\": \"report\", \"name\": \"Chiến dịch mới\", \"published\": \"2026-01-15T01:02:03Z\"},\n" INDICATOR("[ipv4-addr:value = '203.0.113.7']", ", \"valid_until\": \"2026-02-01T00:00:00.5+07:00\"") ",\n" INDICATOR(
			"[ipv4-addr:value = '203.0.113.8']",
			", \"revoked\": true") ",\n" INDICATOR("[url:value = 'tcp://203.0.113.9:8443/']",
							       "") ",\n" INDICATOR("[domain-name:value = 'C2.example']",
										   "") ",\n" INDICATOR("[ipv4-addr:value = '203.0.113.1/24']",
												       "") ",\n" INDICATOR("rule x { }",
															   ", \"pattern_type\": \"yara\"") ",\n" INDICATOR("[ipv4-addr:value = '203.0.113.10",
																					   "") ",\n" INDICATOR("[url:value = 'search:query=c2']",
																							       "") ",\n"
																								   "{\"type\": \"ipv4-addr\", \"value\": \"203.0.113.66\"},\n"
																								   "{\"type\": \"vulnerability\", \"name\": \"CVE-2026-1234\"}]}");

	(void)state;
	assert_string_equal(document->format, "stix");
	assert_string_equal(document->letter.subject, "Chiến dịch mới");
	assert_string_equal(document->letter.date, "2026-01-15");
	assert_int_equal(document->findings_count, 6);
	expect(document, 0, "203.0.113.7", KH_ENFORCE, KH_WHY_ACTIONABLE);
	assert_int_equal(document->findings[0].line, 3);
	assert_int_equal(document->findings[0].expires, 1769878800);
	expect(document, 1, "203.0.113.8", KH_REVIEW, KH_WHY_REVOKED);
	expect(document, 2, "203.0.113.9:8443/tcp", KH_ENFORCE, KH_WHY_ACTIONABLE);
	expect(document, 3, "c2.example", KH_UNENFORCEABLE, KH_WHY_DOMAIN);
	expect(document, 4, "203.0.113.0/24", KH_REVIEW, KH_WHY_HOST_BITS);
	expect(document, 5, "search:query=c2", KH_REVIEW, KH_WHY_MALFORMED);
	assert_int_equal(document->cves_count, 1);
	assert_int_equal(document->notes_count, 3);
	assert_non_null(strstr(document->notes[0], "line 9: indicator--1"));
	assert_non_null(strstr(document->notes[1], "not read: 1"));
	assert_non_null(strstr(document->notes[2], "not taken: 1"));
}

static void test_validity(void **state)
{
	DOCUMENT(document) = read_text(
		"{\"objects\": [" INDICATOR("[ipv4-addr:value = '203.0.113.7']", ", \"valid_from\": \"2026-02-01T00:00:00Z\", \"spec_version\": \"2.1\"") "," INDICATOR(
			"[ipv4-addr:value = '203.0.113.8']",
			", \"valid_until\": \"2026-01-01T00:00:00Z\"") "," INDICATOR("[ipv4-addr:value = '203.0.113.9']",
										     ", \"valid_from\": \"2026-01-01T00:00:00Z\", \"valid_until\": \"2026-02-01T00:00:00Z\"") "]}");

	(void)state;
	kh_document_date(document, 1768435200); /* 2026-01-15 */
	expect(document, 0, "203.0.113.7", KH_REVIEW, KH_WHY_OUTDATED);
	expect(document, 1, "203.0.113.8", KH_REVIEW, KH_WHY_OUTDATED);
	expect(document, 2, "203.0.113.9", KH_ENFORCE, KH_WHY_ACTIONABLE);
}

static void test_an_event(void **state)
{
	DOCUMENT(document) = read_text(
		"{\"response\": [{\"Event\": {\"info\": \"Sự cố\", \"date\": \"2026-01-15\", \"Orgc\": {\"name\": \"CERT\"},\n"
		"\"Attribute\": [{\"type\": \"ip-dst\", \"value\": \" 203.0.113.7 \", \"to_ids\": true},\n"
		"{\"type\": \"ip-src\", \"value\": \"203.0.113.8\", \"to_ids\": false},\n"
		"{\"type\": \"ip-dst|port\", \"value\": \"203.0.113.9|443\", \"to_ids\": true},\n"
		"{\"type\": \"domain|ip\", \"value\": \"c2.example|203.0.113.10\", \"to_ids\": true},\n"
		"{\"type\": \"ip-dst\", \"value\": \"203.0.113.11\", \"to_ids\": true, \"deleted\": true},\n"
		"{\"type\": \"comment\", \"value\": \"203.0.113.12\", \"to_ids\": true},\n"
		"{\"type\": \"filename|md5\", \"value\": \"a.exe|0123456789abcdef0123456789ABCDEF\", \"to_ids\": true}],\n"
		"\"RelatedEvent\": [{\"Event\": {\"info\": \"x\", \"Attribute\": [{\"type\": \"ip-dst\", \"value\": \"203.0.113.13\", \"to_ids\": true}]}}],\n"
		"\"Object\": [{\"name\": \"network-connection\", \"Attribute\": [{\"type\": \"ip-dst\", \"value\": \"2001:db8::7\", \"to_ids\": true}]}]}}]}");

	(void)state;
	assert_string_equal(document->format, "misp");
	assert_string_equal(document->letter.subject, "Sự cố");
	assert_string_equal(document->letter.issuer, "CERT");
	assert_int_equal(document->findings_count, 6);
	expect(document, 0, "203.0.113.7", KH_ENFORCE, KH_WHY_ACTIONABLE);
	assert_int_equal(document->findings[0].line, 2);
	assert_string_equal(document->findings[0].raw, "203.0.113.7");
	expect(document, 1, "203.0.113.8", KH_REVIEW, KH_WHY_NOT_ACTIONABLE);
	expect(document, 2, "203.0.113.9:443", KH_ENFORCE, KH_WHY_ACTIONABLE);
	expect(document, 3, "c2.example", KH_UNENFORCEABLE, KH_WHY_DOMAIN);
	expect(document, 4, "203.0.113.10", KH_ENFORCE, KH_WHY_ACTIONABLE);
	expect(document, 5, "2001:db8::7", KH_ENFORCE, KH_WHY_ACTIONABLE);
	assert_int_equal(document->findings[5].line, 10);
	assert_int_equal(document->hashes_count, 1);
	assert_int_equal(document->notes_count, 1);
}

/* The findings of a text, as reader_case.h compares them. */
#define OBJECTS(objects) "{\"type\": \"bundle\", \"id\": \"bundle--1\", \"objects\": [" objects "]}"
#define ORDER INDICATOR("[ipv4-addr:value = '203.0.113.7']", "")

/* The form of a file is told by its own members, not by texts anywhere in it. */
static void test_forms_of_files(void **state)
{
	(void)state;
	EXPECT(OBJECTS("{\"type\": \"malware\", \"name\": \"Event\"}, " ORDER), "203.0.113.7 enforce actionable");
	EXPECT("[" ORDER "]", "203.0.113.7 enforce actionable");
	EXPECT(ORDER, "203.0.113.7 enforce actionable");
	EXPECT("{\"more\": false, \"objects\": [" ORDER "]}", "203.0.113.7 enforce actionable");
	EXPECT("{\"documents\": [{\"indicators\": [{\"value\": \"203.0.113.7\", \"reason\": \"annex\", \"raw\": \"bundle\"}]}]}",
	       "203.0.113.7 enforce annex");
}

/* JSON can hold what text cannot; it must not cost the rest of the file, nor reach the document. */
static void test_control_characters(void **state)
{
	(void)state;
	EXPECT(OBJECTS(INDICATOR("[url:value = 'http://c2.example/\\u001b[2J']", "") ", " ORDER),
	       "http://c2.example/?[2J review malformed", "203.0.113.7 enforce actionable");
	EXPECT(OBJECTS(INDICATOR("[domain-name:value = 'c2.example\\u0000.b']", "") ", " ORDER),
	       "c2.example?.b review malformed", "203.0.113.7 enforce actionable");
	EXPECT(OBJECTS("{\"type\": \"malware\", \"name\": \"a\\u0000b\"}, " ORDER), "203.0.113.7 enforce actionable");
}

/* A name that only begins like a CVE number made a document that did not hold together. */
static void test_cves(void **state)
{
	static const char *const names[] = { "CVE-2026-1234 and more", " cve-2026-1234", "CVE-2026-XXXX",
					     "CVE-2026-12" };
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(names); i++) {
		char text[512];
		DOCUMENT(document) = NULL;

		snprintf(text, sizeof(text), OBJECTS("{\"type\": \"vulnerability\", \"name\": \"%s\"}"), names[i]);
		document = document_of(text);
		count += document->cves_count;
		if (document->cves_count)
			assert_string_equal(document->cves[0], "CVE-2026-1234");
	}
	assert_int_equal(count, 2);
}

#define FORM(time, more) INDICATOR("[ipv4-addr:value = '203.0.113.7']", ", \"modified\": \"" time "\"" more)

static void test_the_latest_form_counts(void **state)
{
	(void)state;
	EXPECT(OBJECTS(FORM("2026-01-01T00:00:00Z", "") ", " FORM("2026-01-01T00:00:00.5Z", ", \"revoked\": true")),
	       "203.0.113.7 review revoked");
	EXPECT(OBJECTS(FORM("2026-01-01T00:00:00.123Z", ", \"revoked\": true") ", " FORM("2026-01-01T00:00:00.12Z",
											 "")),
	       "203.0.113.7 review revoked");
	EXPECT(OBJECTS(FORM("2026-01-02T00:00:00Z", "") ", " FORM("2026-01-01T00:00:00.5Z", ", \"revoked\": true")),
	       "203.0.113.7 enforce actionable");
}

static void test_the_issuer(void **state)
{
	DOCUMENT(document) = document_of(OBJECTS(
		"{\"type\": \"identity\", \"id\": \"identity--1\", \"name\": \"Another\"}, {\"type\": \"identity\", \"id\": \"identity--2\", \"name\": \"CERT Mẫu\"},"
		"{\"type\": \"report\", \"id\": \"report--1\", \"created_by_ref\": \"identity--2\", \"name\": \"R\", \"published\": \"2026-01-01T00:00:00Z\"}"));

	(void)state;
	assert_string_equal(document->letter.issuer, "CERT Mẫu");
}

/* A port that cannot be told, or is none, must not leave the whole address. */
static void test_ports(void **state)
{
	(void)state;
	EXPECT(OBJECTS(INDICATOR(
		       "[network-traffic:dst_ref.value = '203.0.113.0/24' AND network-traffic:dst_port = 443]", "")),
	       "203.0.113.0/24 review condition");
	EXPECT("{\"Event\": {\"Attribute\": [{\"type\": \"ip-dst|port\", \"value\": \"203.0.113.7|443 \", \"to_ids\": true},"
	       "{\"type\": \"ip-dst|port\", \"value\": \"203.0.113.8|99999\", \"to_ids\": true},"
	       "{\"type\": \"ip-src|port\", \"value\": \"2001:db8::7|53\", \"to_ids\": \"1\"},"
	       "{\"type\": \"ip-dst\", \"value\": \"203.0.113.9\", \"to_ids\": true, \"deleted\": \"1\"}]}}",
	       "203.0.113.7:443 enforce actionable", "203.0.113.8|99999 review malformed",
	       "[2001:db8::7]:53 enforce actionable");
}

static void test_several_events(void **state)
{
#define EVENT(info) "{\"Event\": {\"info\": \"" info "\", \"date\": \"2026-01-15\", \"Orgc\": {\"name\": \"CERT\"}}}"
	DOCUMENT(document) = document_of("[" EVENT("a") "," EVENT("b") "]");

	(void)state;
	assert_null(document->letter.subject);
	assert_null(document->letter.date);
	assert_string_equal(document->letter.issuer, "CERT");
	assert_non_null(strstr(document->notes[0], "2"));
}

static void expect_refused(const char *text, int code, int line)
{
	DOCUMENT(document) = NULL;
	struct kh_error error = {};

	assert_int_equal(read_bytes(text, strlen(text), &document, &error), code);
	assert_int_equal(strncmp(error.text, "f.txt: ", 7), 0);
	assert_int_equal(error.line, line);
	assert_true(error.hint[0]);
}

static void test_refusals(void **state)
{
	(void)state;
	expect_refused("{\"type\": \"bundle\",\n\"objects\": [,]}", -EINVAL, 2);
	expect_refused("{\"type\": \"bundle\", \"spec_version\": \"1.2\", \"objects\": []}", -ENOTSUP, 0);
	expect_refused("<stix:STIX_Package>", -ENOTSUP, 0);
	expect_refused("{\"stix_header\": {}, \"version\": \"1.2\", \"indicators\": []}", -ENOTSUP, 0);
	expect_refused("{\"5a5b0000-1111-4222-8333-abcdefabcdef\": {\"info\": \"a\", \"timestamp\": 1}}", -ENOTSUP, 0);
	expect_refused("{\"type\": \"bundle\", \"objects\": [{\"a\": 1,\n\"a\": 2}]}", -EINVAL, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_hostile_patterns),
		cmocka_unit_test(test_long_patterns),
		cmocka_unit_test(test_forms_of_files),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_cves),
		cmocka_unit_test(test_the_latest_form_counts),
		cmocka_unit_test(test_the_issuer),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_several_events),
		cmocka_unit_test(test_a_bundle),
		cmocka_unit_test(test_validity),
		cmocka_unit_test(test_an_event),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
