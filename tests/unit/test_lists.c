// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists in many dialects: the same names, the same addresses, whatever is written around them; and what is no value is never passed over.
 */
#include "list_case.h"

static void test_names(void **state)
{
	(void)state;
	expect("# x\n0.0.0.0 c2.example\n0.0.0.0 www.c3.example c4.example\n", "list",
	       "c2.example! www.c3.example! c4.example!");
	expect("c2.example\nwww.c3.example\n", "list", "c2.example! www.c3.example!");
	expect("*.c2.example\n*.www.c3.example\n", "list", "*.c2.example! *.www.c3.example!");
	expect("address=/c2.example/#\nserver=/www.c3.example/\nlocal=/c4.example/c5.example/\n", "domains",
	       "*.c2.example! *.www.c3.example! *.c4.example! *.c5.example!");
	expect("server:\nlocal-zone: \"c2.example.\" always_null\n  local-zone: www.c3.example. static\nlocal-zone: \"ok.example\" transparent\n",
	       "domains", "*.c2.example! *.www.c3.example!");
	expect("[Adblock Plus 2.0]\n! x\n||c2.example^\n||www.c3.example^$third-party\n@@||ok.example^\n||203.0.113.7^\n||c4.example/path\n",
	       "domains", "*.c2.example! *.www.c3.example! 203.0.113.7");
	expect("$TTL 60\n@ IN SOA localhost. root.localhost. (\n 1 ; serial\n 2 3 4 5 )\n NS localhost.\nc2.example CNAME .\n*.c2.example 60 IN CNAME .\n"
	       "ok.example CNAME rpz-passthru.\n32.7.113.0.203.rpz-ip CNAME .\n24.0.100.51.198.rpz-ip CNAME .\n32.zz.db8.2001.rpz-ip CNAME .\n128.7.zz.db8.2001.rpz-ip CNAME .\n",
	       "domains", "c2.example! *.c2.example! 203.0.113.7 198.51.100.0/24 2001:db8::/32 2001:db8::7");
}

/* Letters outside ASCII; what anybody may register under. */
static void test_names_of_the_world(void **state)
{
	(void)state;
	expect("bücher.example\nxn--bcher-kva.example\nc2.com.vn\ncom.vn\n*.github.io\n", "list",
	       "xn--bcher-kva.example! c2.com.vn! com.vn? *.github.io?");
	expect("address=/TênMiền.example/#\n||com.vn^\naddress=/a.example/\n", "domains",
	       "*.xn--tnmin-hsa0954c.example! *.com.vn? *.a.example!");
}

static void test_columns(void **state)
{
	static const char values[] = "203.0.113.7 198.51.100.81";

	(void)state;
	expect("203.0.113.7 # with 198.51.100[.]81 and evil[.]example, also 192.0.2.1\n192.0.2.7\n", "list",
	       "203.0.113.7 198.51.100.81? evil.example! 192.0.2.7");
	expect("203.0.113.7\t3\n198.51.100.81\t1\n", "list", values);
	expect("203.0.113.7 ; SBL1\n198.51.100.81 ; SBL2\n", "list", values);
	expect("203.0.113.7,1,90\n198.51.100.81,1,80\n", "list", values);
	expect("# first\n\"2026-01-01\",\"203.0.113.7\",\"443\"\r\n\"2026-01-02\",\"198.51.100.81\",\"8443\"\r\n",
	       "csv", values);
	expect("# \"first_seen_utc\",\"dst_ip\",\"dst_port\",\"last_online\"\n\"2026-01-01\",\"203.0.113.7\",\"443\",\"x\"\n\"2026-01-02\",\"198.51.100.81\",\"80\",\"x\"\n",
	       "csv", values);
	expect("\xef\xbb\xbfIndicator_type;Data;Note\r\nip;203.0.113.7;see 192.0.2.9\r\nip;198.51.100.81;\r\n", "csv",
	       "203.0.113.7 192.0.2.9? 198.51.100.81");
	expect("#fields\tindicator\tindicator_type\tmeta.source\n203.0.113.7\tIntel::ADDR\tx\n198.51.100.81\tIntel::ADDR\tx\n",
	       "csv", values);
	expect("64496  |  EXAMPLE  |  203.0.113.7  |  2026-01-01\n64497  |  EXAMPLE  |  198.51.100.81  |  2026-01-01\n",
	       "csv", values);
	expect("Source,Indicator\n\"hxxps://www[.]report[.]example/a\",203.0.113[.]7\n\"hxxps://192.0.2[.]9/\",198.51.100[.]81\n",
	       "csv", values);
	expect("{\"cidr\":\"203.0.113.7\",\"sblid\":\"SBL1\"}\n{\"cidr\":\"198.51.100.81\"}\n{\"type\":\"metadata\",\"size\":2}\n",
	       "json", values);
	expect("[\"203.0.113.7\", \"198.51.100.81\"]", "json", values);
	expect("{\"version\": 1, \"rules\": [{\"ip_cidr\": [\"203.0.113.7\", \"198.51.100.0/24\"], \"domain\": \"c2.example\", \"domain_suffix\": [\".c3.example\"]}]}",
	       "json", "c2.example! *.c3.example! 203.0.113.7 198.51.100.0/24");
}

/* What a rule set narrows to a port or a process is not all of the address. */
static void test_narrowed_rules(void **state)
{
	(void)state;
	expect("{\"version\": 1, \"rules\": [{\"ip_cidr\": \"203.0.113.7\", \"port\": 443}, {\"invert\": true, \"domain\": [\"c2.example\"]},\n"
	       "{\"type\": \"logical\", \"mode\": \"and\", \"rules\": [{\"ip_cidr\": \"203.0.113.8\"}, {\"process_name\": \"a\"}]},\n"
	       "{\"type\": \"logical\", \"mode\": \"or\", \"rules\": [{\"ip_cidr\": \"203.0.113.9\", \"invert\": false}]}, {\"domain_keyword\": [\"a\"]}]}",
	       "json", "203.0.113.7? c2.example? 203.0.113.8? 203.0.113.9");
}

/* Where a value stood on the other machine is kept; what is said there of names does not hold for addresses. */
static void test_places_of_elsewhere(void **state)
{
	DOCUMENT(document) = read_list(
		"{\"documents\": [{\"notes\": [\"n\"], \"indicators\": [{\"value\": \"203.0.113.7\", \"reason\": \"annex\", \"raw\": \"203[.]0.113.7\", \"page\": 3, \"line\": 77, \"section\": \"annex\"},\n"
		"{\"value\": \"203.0.113.8\", \"reason\": \"domain\", \"raw\": \"a\\u001bb\"}]}]}",
		"json");

	(void)state;
	assert_int_equal(document->findings_count, 2);
	expect_finding(&document->findings[0], "203.0.113.7 enforce annex");
	assert_string_equal(document->findings[0].raw, "203[.]0.113.7");
	assert_int_equal(document->findings[0].page, 3);
	assert_int_equal(document->findings[0].line, 77);
	assert_int_equal(document->findings[0].section, KH_SECTION_ANNEX);
	expect_finding(&document->findings[1], "203.0.113.8 review prose");
	assert_string_equal(document->findings[1].raw, "a?b");
	assert_int_equal(document->findings[1].line, 2);
	assert_string_equal(document->notes[0], "n");
}

/* IPv4 addresses in IPv6 clothes. */
static void test_mapped_prefixes(void **state)
{
	(void)state;
	expect("::ffff:203.0.113.0/120\n::ffff:203.0.113.9/128\n192.0.2.1\n", "list",
	       "203.0.113.0/24 203.0.113.9 192.0.2.1");
	expect("::ffff:20:1/32\n192.0.2.1\n", "list", "::/32? 192.0.2.1");
}

/* What a person broke is shown, and never becomes another address. */
static void test_junk(void **state)
{
	DOCUMENT(document) = read_list(
		"date,ip\n2026-01-01,\"8,217.199.160\"\n2026-01-01,69.49.230.906\n2026-01-01,34.243/214.122\n2026-01-01,?23.27.127.254\n"
		"2026-01-01,194.76.225.61:443\n2026-01-01,\"a \"\"b\"\"\n198.51.100.81\"\n2026-01-01,n/a\n",
		"csv");
	size_t enforced = 0;

	(void)state;
	for (size_t i = 0; i < document->findings_count; i++)
		enforced += document->findings[i].proposed == KH_ENFORCE;
	assert_int_equal(enforced, 2);
	assert_int_equal(document->findings_count, 6);
	assert_int_equal(document->notes_count, 1);
	assert_non_null(strstr(document->notes[0], "1, the first is line 9"));
}

/* Made on another machine: its reasons are heard, its decisions are not. */
static void test_read_elsewhere(void **state)
{
	static const char text[] =
		"{\"documents\": [{\"file\": \"cv.pdf\", \"format\": \"scan\", \"letter\": {\"number\": \"81/VNCERT-ĐPƯC\", \"date\": \"2019-03-15\"}, \"cves\": [\"CVE-2026-1234\"],\n"
		"\"indicators\": [{\"value\": \"203.0.113.7\", \"decision\": \"enforce\", \"reason\": \"scan\", \"line\": 12},\n"
		"{\"value\": \"203.0.113.8\", \"decision\": \"refuse\", \"reason\": \"annex\"}, {\"value\": \"203.0.113.9\", \"decision\": \"enforce\", \"reason\": \"prose\"},\n"
		"{\"value\": \"203.0.113.10\", \"decision\": \"enforce\", \"reason\": \"special-purpose\"}, {\"value\": \"c2.example\", \"subdomains\": true, \"decision\": \"enforce\", \"reason\": \"domain\"}]},\n"
		"{\"file\": \"b\", \"letter\": {\"number\": \"82/X\"}, \"indicators\": [{\"value\": \"203.0.113.11\", \"reason\": \"annex\"}]}]}";
	DOCUMENT(document) = read_list(text, "json");

	(void)state;
	expect(text, "json", "203.0.113.7? 203.0.113.8 203.0.113.9? 203.0.113.10? *.c2.example!");
	assert_string_equal(document->letter.number, "81/VNCERT-ĐPƯC");
	assert_int_equal(document->findings[0].reason, KH_WHY_SCAN);
	assert_int_equal(document->findings[0].line, 12);
	assert_int_equal(document->cves_count, 1);
	assert_int_equal(document->parts_count, 1);
	{
		DOCUMENT(second) = NULL;

		assert_int_equal(read_bytes(document->parts[0].data, document->parts[0].length, &second, NULL), 0);
		assert_string_equal(second->letter.number, "82/X");
		assert_int_equal(second->findings_count, 1);
	}
}

/* Quotes that never close, very many columns, one endless line. */
static void test_hostile_columns(void **state)
{
	size_t size = (size_t)8 << 20, length = 0;
	char *text = malloc(size + 1);

	(void)state;
	length += (size_t)sprintf(text, "ip,\"note\n203.0.113.7,\"x\n");
	while (length + 32 < size)
		length += (size_t)sprintf(text + length, "203.0.113.8,%zu\n", length);
	{
		DOCUMENT(document) = NULL;

		assert_int_equal(read_bytes(text, length, &document, NULL), 0);
		assert_true(document->findings_count >= 2);
	}
	length = (size_t)sprintf(text, "ip,x\n");
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 10000; j++)
			length += (size_t)sprintf(text + length, "%s203.0.%d.%d", j ? "," : "", j / 256 % 256, j % 256);
		length += (size_t)sprintf(text + length, "\n");
	}
	{
		DOCUMENT(document) = NULL;

		assert_int_equal(read_bytes(text, length, &document, NULL), 0);
		assert_int_equal(document->findings_count, 10000);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_of_the_world),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_mapped_prefixes),
		cmocka_unit_test(test_junk),
		cmocka_unit_test(test_read_elsewhere),
		cmocka_unit_test(test_narrowed_rules),
		cmocka_unit_test(test_places_of_elsewhere),
		cmocka_unit_test(test_hostile_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
