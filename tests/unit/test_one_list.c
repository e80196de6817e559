// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One list in every dialect gives one set: names alone and names with all below them kept apart, addresses beside them. And a line without an end is read, or refused,
 * within bounds.
 */
#include "list_case.h"

/* Formats with one %s each; NULL: the dialect cannot say it. */
static const struct dialect {
	const char *name, *format, *head, *exact, *below, *address, *tail;
} dialects[] = {
	{ "plain", "list", "# names\n", "%s\n", "*.%s\n", "%s\n", "" },
	{ "CRLF", "list", "", "%s\r\n", "*.%s\r\n", "%s\r\n", "" },
	{ "remarks", "list", "", "%s # seen\n", "*.%s # seen\n", "%s # seen\n", "" },
	{ "hosts", "list", "127.0.0.1 localhost\n::1 localhost\n", "0.0.0.0 %s\n", NULL, NULL, "" },
	{ "hosts, tabs", "list", "", "127.0.0.1\t%s\r\n", NULL, NULL, "" },
	{ "CSV", "csv", "date,indicator,note\n", "2026-01-01,%s,x\n", "2026-01-01,*.%s,x\n", "2026-01-01,%s,x\n", "" },
	{ "CSV, quoted", "csv", "\"Domain\",\"Type\"\r\n", "\"%s\",\"a \"\"b\"\"\"\r\n", "\"*.%s\",\"a\"\r\n",
	  "\"%s\",\"a\"\r\n", "" },
	{ "CSV, mark", "csv",
	  "\xef\xbb\xbf"
	  "value,type\n",
	  "%s,domain\n", "*.%s,domain\n", "%s,ip\n", "" },
	{ "CSV, no headings", "list", "", "%s,1\n", "*.%s,1\n", "%s,1\n", "" },
	{ "TSV", "csv", "#fields\tindicator\tindicator_type\tmeta.source\n", "%s\tIntel::DOMAIN\tx\n",
	  "*.%s\tIntel::DOMAIN\tx\n", "%s\tIntel::ADDR\tx\n", "" },
	{ "semicolon", "csv", "Indicator_type;Data;Note\n", "domain;%s;\n", "domain;*.%s;\n", "ip;%s;\n", "" },
	{ "bar", "csv", "first | host | last\n", "1 | %s | x\n", "1 | *.%s | x\n", "1 | %s | x\n", "" },
	{ "dnsmasq", "domains", "# x\n", NULL, "address=/%s/#\n", NULL, "" },
	{ "dnsmasq, nowhere", "domains", "", NULL, "address=/%s/0.0.0.0\n", NULL, "" },
	{ "dnsmasq, local", "domains", "", NULL, "local=/%s/\n", NULL, "" },
	{ "dnsmasq, server", "domains", "", NULL, "server=/%s/\n", NULL, "" },
	{ "unbound", "domains", "server:\n", "local-data: \"%s A 0.0.0.0\"\n", NULL, NULL, "" },
	{ "unbound, zones", "domains", "server:\n", NULL, "  local-zone: \"%s.\" always_null\n", NULL, "" },
	{ "adblock", "domains", "[Adblock Plus 2.0]\n! x\n", NULL, "||%s^\n", NULL, "" },
	{ "policy zone", "domains", "$TTL 60\n@ SOA a. b. 1 2 3 4 5\n NS a.\n", "%s CNAME .\n", "*.%s CNAME .\n", NULL,
	  "" },
	{ "policy zone, local data", "domains", "$TTL 60\n@ SOA a. b. 1 2 3 4 5\n", "%s 60 IN A 192.0.2.1\n",
	  "*.%s A 192.0.2.1\n", NULL, "" },
	{ "policy zone, its own name", "domains", "$ORIGIN rpz.example.\n@ SOA a. b. ( 1 2\n 3 4 5 )\n",
	  "%s.rpz.example. CNAME .\n", "*.%s CNAME .\n", NULL, "" },
	{ "rule set", "json", "{\"version\": 2, \"rules\": [", "{\"domain\": [\"%s\"]},\n",
	  "{\"domain_suffix\": \"%s\"},\n", "{\"ip_cidr\": [\"%s\"]},\n", "{}]}" },
	{ "array", "json", "[", "\"%s\",\n", "\"*.%s\",\n", "\"%s\",\n", "\"\"]" },
};

static const char *const words[] = { "a",     "c2",  "login-secure", "xn--bcher-kva", "bücher", "tênmiền", "đường-dây",
				     "0",     "123", "_dmarc",	     "x--y",	      "win",	"mail",	   "пример",
				     "UPPER", "v2",  "sub.of.it",    "github",	      "cdn7",	"e" };
static const char *const tails[] = { "example", "example.com", "com.vn", "live", "test", "co.uk", "vn", "click" };

/* Puts the values of the kind into the text. */
static size_t put(char *text, size_t room, const char *format, const char *prefix)
{
	size_t length = 0;
	char name[256];

	for (size_t i = 0; i < KH_ARRAY_SIZE(words) * KH_ARRAY_SIZE(tails); i++) {
		snprintf(name, sizeof(name), "%s%s.%zu.%s", prefix, words[i % KH_ARRAY_SIZE(words)], i,
			 tails[i / KH_ARRAY_SIZE(words)]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		length += (size_t)snprintf(text + length, room - length, format, name);
#pragma GCC diagnostic pop
	}
	assert_true(length < room);
	return length;
}

static size_t put_addresses(char *text, size_t room, const char *format)
{
	size_t length = 0;
	char address[64];

	for (unsigned i = 1; i < 60; i++) {
		snprintf(address, sizeof(address), i % 3 ? "203.0.113.%u" : "198.51.%u.0/24", i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		length += (size_t)snprintf(text + length, room - length, format, address);
#pragma GCC diagnostic pop
	}
	assert_true(length < room);
	return length;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What was found of one kind, sorted, a line each. */
static void found_of(const struct kh_document *document, int kind, char *into, size_t room)
{
	char **list = calloc(document->findings_count + 1, sizeof(*list));
	size_t count = 0, length = 0;

	assert_non_null(list);
	for (size_t i = 0; i < document->findings_count; i++) {
		const struct kh_finding *finding = &document->findings[i];
		bool domain = finding->indicator.type == KH_TYPE_DOMAIN;

		if (finding->proposed != (domain ? KH_UNENFORCEABLE : KH_ENFORCE))
			fail_msg("%s: %s", document->format, finding->raw);
		if (kind == (domain ? finding->indicator.subdomains : 2))
			list[count++] = kh_indicator_format(&finding->indicator);
	}
	qsort(list, count, sizeof(*list), compare_text);
	*into = '\0';
	for (size_t i = 0; i < count; i++) {
		length += (size_t)snprintf(into + length, room - length, "%s\n", list[i]);
		free(list[i]);
	}
	assert_true(length < room);
	free(list);
}

static void test_dialects(void **state)
{
	enum { ROOM = 1 << 16 };
	static char text[3 * ROOM], first[3][ROOM], found[ROOM];

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(dialects); i++) {
		const struct dialect *dialect = &dialects[i];
		DOCUMENT(document) = NULL;
		size_t length = (size_t)sprintf(text, "%s", dialect->head);

		if (dialect->exact)
			length += put(text + length, sizeof(text) - length, dialect->exact, "");
		if (dialect->below)
			length += put(text + length, sizeof(text) - length, dialect->below, "all.");
		if (dialect->address)
			length += put_addresses(text + length, sizeof(text) - length, dialect->address);
		sprintf(text + length, "%s", dialect->tail);
		document = read_list(text, dialect->format);
		for (int kind = 0; kind < 3; kind++) {
			const char *form = kind == 0 ? dialect->exact : kind == 1 ? dialect->below : dialect->address;

			found_of(document, kind, found, sizeof(found));
			if (!i)
				strcpy(first[kind], found);
			if (form && strcmp(found, first[kind]) != 0)
				fail_msg("%s, kind %d:\n%s\nnot\n%s", dialect->name, kind, found, first[kind]);
			if (!form && *found)
				fail_msg("%s, kind %d: there are none, but\n%s", dialect->name, kind, found);
		}
	}
}

/* One row of 60 MB: refused, as the only one and behind others, and never held again as a whole. */
static void test_endless_row(void **state)
{
	const size_t size = (size_t)60 << 20;
	char *text = malloc(size + 16384);
	size_t length = 0;

	(void)state;
	assert_non_null(text);
	for (int rows = 0; rows < 2; rows++) {
		struct kh_document *document = NULL;
		struct kh_error error = {};

		length = (size_t)sprintf(text, "date,ip,note\n");
		for (int i = 0; i < 250 * rows; i++)
			length += (size_t)sprintf(text + length, "2026-01-01,203.0.113.%d,x\n", i);
		length += (size_t)sprintf(text + length, "2026-01-01,203.0.113.7,");
		memset(text + length, 'a', size);
		assert_int_equal(kh_reader_read("f", text, length + size, &document, &error), -EINVAL);
		assert_int_equal(error.line, 2 + 250 * rows);
		assert_null(document);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialects),
		cmocka_unit_test(test_endless_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
