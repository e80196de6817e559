// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * OpenIOC: which items stand alone, what is said about the rest, and XML that means harm.
 */
#include "reader_case.h"

#define ITEM(condition, search, content)                                                                         \
	"<IndicatorItem id='a' condition='" condition "'><Context document='d' search='" search "' type='mir'/>" \
	"<Content type='string'>" content "</Content></IndicatorItem>\n"
#define IOC(head, items)                                                                                         \
	"<?xml version='1.0' encoding='utf-8'?>\n<ioc xmlns='http://schemas.mandiant.com/2010/ioc' id='i'>" head \
	"<definition>\n" items "</definition></ioc>\n"

static void test_items(void **state)
{
	(void)state;
	EXPECT(IOC("", "<Indicator operator='OR'>" ITEM("is", "PortItem/remoteIP", " 203.0.113.7 ")
			       ITEM("is", "RouteEntryItem/Destination", "198.51.100.0/24")
				       ITEM("is", "Network/DNS", "c2.example") ITEM("is", "UrlHistoryItem/URL",
										    "http://c2.example/a?b=1&amp;c")
					       ITEM("contains", "DnsEntryItem/Host",
						    "c3.example") ITEM("isnot", "PortItem/remoteIP", "203.0.113.8")
						       ITEM("is", "FileItem/FileName", "203.0.113.9") "</Indicator>"),
	       "203.0.113.7 enforce actionable", "198.51.100.0/24 enforce actionable",
	       "c2.example unenforceable domain", "http://c2.example/a?b=1&c unenforceable url",
	       "c3.example review condition", "203.0.113.8 review condition");
	EXPECT(IOC("",
		   "<Indicator operator='OR'><Indicator operator='AND'>" ITEM("is", "PortItem/remoteIP", "203.0.113.7")
			   ITEM("is", "PortItem/remotePort", "443") "</Indicator>" ITEM("is", "PortItem/remoteIP",
											"203.0.113.8") "</Indicator>"),
	       "203.0.113.7 review condition", "203.0.113.8 enforce actionable");
	EXPECT(IOC("",
		   "<Indicator operator='OR'>"
		   "<IndicatorItem condition='is' negate='true'><Context search='PortItem/remoteIP'/><Content>203.0.113.7</Content></IndicatorItem>"
		   "</Indicator>"),
	       "203.0.113.7 review condition");
}

/* Where the schema has none: what is said there waits, and what an item says holds for it alone. */
static void test_values_outside_of_items(void **state)
{
	DOCUMENT(document) = document_of(IOC(
		"",
		"<Indicator operator='OR'><Context search='PortItem/remoteIP'/><Content>203.0.113.7</Content>\n" ITEM(
			"is", "PortItem/remoteIP", "203.0.113.8") "<Content>203.0.113.9</Content></Indicator>"));

	(void)state;
	assert_int_equal(document->findings_count, 2);
	expect_finding(&document->findings[0], "203.0.113.7 review condition");
	assert_int_equal(document->findings[0].line, 3);
	expect_finding(&document->findings[1], "203.0.113.8 enforce actionable");
}

static void test_head_and_lines(void **state)
{
	DOCUMENT(document) = document_of(IOC(
		"<short_description>Chiến\n dịch</short_description><authored_by>CERT</authored_by><authored_date>2026-01-15T00:00:00</authored_date>\n"
		"<links><link rel='r'>http://report.example/</link></links>",
		"<Indicator operator='OR'>\n" ITEM("is", "PortItem/remoteIP", "203.0.113.7")
			ITEM("is", "FileItem/Md5sum", "0123456789ABCDEF0123456789abcdef")
				ITEM("is", "RegistryItem/Path", "a") "</Indicator>"));

	(void)state;
	assert_string_equal(document->format, "openioc");
	assert_string_equal(document->letter.subject, "Chiến dịch");
	assert_string_equal(document->letter.issuer, "CERT");
	assert_string_equal(document->letter.date, "2026-01-15");
	assert_int_equal(document->findings_count, 1);
	assert_int_equal(document->findings[0].line, 6);
	assert_int_equal(document->hashes_count, 1);
	assert_int_equal(document->notes_count, 1);
	assert_non_null(strstr(document->notes[0], ": 1"));
}

static void expect_refused(const char *text, int line)
{
	DOCUMENT(document) = NULL;
	struct kh_error error = {};

	assert_int_equal(read_bytes(text, strlen(text), &document, &error), -EINVAL);
	assert_null(document);
	assert_non_null(strstr(error.text, "f.txt: "));
	assert_int_equal(error.line, line);
}

static void test_hostile_files(void **state)
{
	size_t length;
	char *deep KH_CLEANUP(kh_freep) = malloc(400000);

	(void)state;
	assert_non_null(deep);
	expect_refused("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<ioc id='i'><Indicator operator='OR'/></ioc>", 1);
	expect_refused("<ioc id='i'>\n<Indicator operator='OR'></ioc>", 2);
	length = (size_t)sprintf(deep, "<ioc id='i'>\n");
	for (int i = 0; i < 10000; i++)
		length += (size_t)sprintf(deep + length, "<Indicator operator='OR'>");
	expect_refused(deep, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_values_outside_of_items),
		cmocka_unit_test(test_head_and_lines),
		cmocka_unit_test(test_hostile_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
