// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a dialect says besides values: exceptions, forwards, conditions, remarks, ranges. More than what is ordered is never blocked; what is ordered is never passed over.
 */
#include "list_case.h"

/* Only what has an answer of its own, or none, is blocked; what is sent on to a resolver is not. */
static void test_dnsmasq(void **state)
{
	(void)state;
	expect("address=/c1.example/#\naddress=/c2.example/0.0.0.0\naddress=/c3.example/::\naddress=/c4.example/\naddress=/c5.example/127.0.0.1\n"
	       "server=/c6.example/\nlocal=/c7.example/ # said why\nserver=/.c8.example/\n"
	       "server=/office.example/192.0.2.53\nserver=/lan.example/192.0.2.53#5353\nlocal=/more.example/192.0.2.53\nserver=/rest.example/#\n"
	       "address=/host.example/192.0.2.10\n",
	       "domains",
	       "*.c1.example! *.c2.example! *.c3.example! *.c4.example! *.c5.example! *.c6.example! *.c7.example! *.c8.example! *.host.example?");
	expect_notes("address=/c1.example/#\nserver=/office.example/192.0.2.53\n",
		     "exceptions of the list (names that it does not block), not taken: 1");
}

static void test_unbound(void **state)
{
	(void)state;
	expect("server:\nlocal-zone: \"a.example\" always_nxdomain\nlocal-zone: 'b.example.' always_null\nlocal-zone: c.example always_refuse\n"
	       "local-zone: \"d.example\" always_nodata\nlocal-zone: \"e.example\" \"static\"\nlocal-zone: \"f.example\" refuse\nlocal-zone: \"g.example\" deny\n"
	       "local-zone: \"h.example\" redirect\nlocal-data: \"h.example A 192.0.2.80\"\nlocal-zone: \"i.example\" inform_deny # x\n"
	       "local-zone: \"j.example\" inform\nlocal-zone: \"k.example\" transparent\nlocal-zone: \"l.example\" typetransparent\nlocal-zone: \"m.example\" nodefault\n"
	       "local-zone: \"n.example\" always_transparent\nlocal-zone: \"o.example\"\n",
	       "domains",
	       "*.a.example! *.b.example! *.c.example! *.d.example! *.e.example! *.f.example! *.g.example! *.h.example! *.i.example!");
	/* data of a name outside of the zones stand for that name alone; with an address of somebody a person looks */
	expect("server:\nlocal-data: \"www.a.example A 0.0.0.0\"\nlocal-zone: \"a.example\" static\nlocal-data: \"b.example. 60 IN A 127.0.0.1\"\n"
	       "local-data: 'b.example AAAA ::1'\nlocal-data: \"c.example A 192.0.2.1\"\nlocal-data: \"d.example TXT x\"\n",
	       "domains", "*.a.example! b.example! c.example?");
	expect_notes("local-zone: \"a.example\" static\nlocal-data: \"d.example TXT x\"\n",
		     "lines without a value: 1, the first is line 2");
}

static void test_adblock(void **state)
{
	(void)state;
	expect("||a.example^\n||b.example^$domain=shop.example|news.example\n||c.example^$third-party,important\n||d.example^$all\n||e.example^$script\n"
	       "||f.example^$badfilter\n||g.example^\n||g.example^$badfilter\n",
	       "domains", "*.a.example! *.b.example? *.c.example! *.d.example! *.e.example? *.g.example?");
	expect("||a.example^\n@@||a.example^\n||shop.example^\n@@||good.shop.example^\n||x.b.example^\n@@||b.example^$document\n||c.example^\n",
	       "domains", "*.a.example? *.shop.example? *.x.b.example? *.c.example!");
	expect("a.example\nb.example\nc.example\n@@||d.example^\n@@e.example\n!203.0.113.9\n", "list",
	       "a.example! b.example! c.example! 203.0.113.9?");
}

static void test_policy_zones(void **state)
{
	(void)state;
	/* triggers that are no names of a block; answers that are none */
	expect("$TTL 60\n@ SOA localhost. root.localhost. 1 2 3 4 5\n  NS localhost.\na.example CNAME .\nb.example CNAME *.\nc.example CNAME rpz-drop.\n"
	       "d.example CNAME rpz-passthru.\ne.example CNAME e.example.\nf.example CNAME rpz-tcp-only.\n*.g.example CNAME *.g.example.\n"
	       "32.7.113.0.203.rpz-client-ip CNAME .\n32.8.113.0.203.rpz-nsip CNAME .\nns.h.example.rpz-nsdname CNAME .\n"
	       "i.example CNAME walled.garden.example.\n32.9.113.0.203.rpz-ip CNAME .\n32.10.113.0.203.rpz-ip CNAME 32.10.113.0.203.rpz-ip.\n",
	       "domains", "a.example! b.example! c.example! i.example! 203.0.113.9");
	/* local data, also of the owner on the line before */
	expect("$TTL 60\na.example A 192.0.2.1\n        AAAA 2001:db8::1\n*.b.example 60 IN AAAA ::\nc.example CNAME .\nd.example IN 60 A 0.0.0.0\n",
	       "domains", "a.example! *.b.example! c.example! d.example!");
	/* names below the zone's own, and below others in it */
	expect("$ORIGIN rpz.example.\n$TTL 60\n@ IN SOA ns.rpz.example. root.rpz.example. (\n 1 2\n 3 4 5 ) ; serial\n@ NS ns.rpz.example.\na.test CNAME .\n"
	       "b.test.rpz.example. CNAME .\nc.test. CNAME .\n$ORIGIN d.test.rpz.example.\nwww CNAME .\n@ CNAME .\n*.mail CNAME .\n",
	       "domains", "a.test! b.test! c.test! www.d.test! d.test! *.mail.d.test!");
	expect("rpz.example. IN SOA ns.rpz.example. root.rpz.example. 1 2 3 4 5\na.test.rpz.example. CNAME .\n*.a.test.rpz.example. CNAME .\nb.test.rpz.example. CNAME b.test.\n"
	       "$ORIGIN test.rpz.example.\nc CNAME .\n$ORIGIN e\nd CNAME .\n",
	       "domains", "a.test! *.a.test! c.test! d.e.test!");
	/* more special triggers go before less special ones */
	expect("*.a.example CNAME .\na.example CNAME .\ngood.a.example CNAME rpz-passthru.\nb.example CNAME .\nb.example CNAME rpz-passthru.\n",
	       "domains", "*.a.example? a.example! b.example?");
	expect_notes("a.example CNAME .\n32.8.113.0.203.rpz-nsip CNAME .\n",
		     "rules about clients and name servers, not taken: 1, the first is line 2");
}

/* Whose addresses stand only for "nowhere", and the names that a machine has for itself. */
static void test_hosts(void **state)
{
	(void)state;
	expect("127.0.0.1 localhost localhost.localdomain\n127.0.1.1 may-01\n::1 localhost ip6-localhost\nfe80::1%lo0 localhost\nff02::1 ip6-allnodes\nff00::0 ip6-mcastprefix\n"
	       "255.255.255.255 broadcasthost\n127.0.0.1 may-01.local\n0.0.0.0 0.0.0.0\n0.0.0.0 c2.example # 192.0.2.1\n127.0.0.1\tc3.example\n:: c4.example\n",
	       "list", "c2.example! c3.example! c4.example!");
	expect("0.0.0.0 c2.example\n203.0.113.7\n0.0.0.0/8\n", "list", "c2.example! 203.0.113.7 0.0.0.0/8");
}

/* A sorted list written in two columns: what lies between two neighbours is not ordered, however many rows there are. */
static void two_columns(void)
{
	char text[2048] = "", said[2048] = "";

	for (unsigned int row = 0; row < 40; row++) {
		unsigned int first = row * 6, last = first + 5;

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "203.0.113.%u,203.0.113.%u\n", first, last);
		snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s203.0.113.%u 203.0.113.%u",
			 said[0] ? " " : "", first, last);
	}
	expect(text, "list", said);
}

static void test_ranges(void **state)
{
	(void)state;
	expect("start,end\n203.0.113.0,203.0.113.255\n198.51.100.3,198.51.100.9\n", "list",
	       "203.0.113.0/24 198.51.100.3-198.51.100.9");
	expect("203.0.113.0,203.0.113.255\n198.51.100.3,198.51.100.9\n192.0.2.7,192.0.2.7\n", "list",
	       "203.0.113.0/24 198.51.100.3-198.51.100.9 192.0.2.7");
	expect("Start\tEnd\tNetmask\tAttacks\tName\tCountry\temail\n203.0.113.0\t203.0.113.255\t24\t77\tX\tVN\ta@b.example\n198.51.100.0\t198.51.100.255\t24\t5\n",
	       "list", "203.0.113.0/24 198.51.100.0/24");
	expect("203.0.113.0\t203.0.113.255\t24\n", "list", "203.0.113.0/24");
	expect("203.0.113.64,203.0.113.127\n", "list", "203.0.113.64/26");
	expect("start_ip,end_ip,country\n203.0.113.0,203.0.113.255,VN\n198.51.100.3,198.51.100.9,VN\n198.51.100.9,198.51.100.3,VN\n",
	       "csv", "203.0.113.0/24 198.51.100.3-198.51.100.9 198.51.100.9? 198.51.100.3?");
	expect("\"203.0.113.0\",\"203.0.113.255\",\"VN\"\n\"198.51.100.3\",\"198.51.100.9\",\"VN\"\n", "csv",
	       "203.0.113.0/24 198.51.100.3-198.51.100.9");
	expect("2001:db8::,2001:db8::ffff\n2001:db8:1::,2001:db8:1::ffff\n", "list", "2001:db8::/112 2001:db8:1::/112");
	/* two of them, not from one to the other */
	expect("203.0.113.6,203.0.113.9\n192.0.2.9,192.0.2.3\n", "list", "203.0.113.6 203.0.113.9 192.0.2.9 192.0.2.3");
	expect("src_ip,dst_ip\n203.0.113.6,198.51.100.9\n", "csv", "203.0.113.6 198.51.100.9");
	two_columns();
}

/* A sign in front of or behind a value says something of it that a person has to read. */
static void test_doubts(void **state)
{
	(void)state;
	expect("?203.0.113.7\n203.0.113.8\n203.0.113.9?\n~203.0.113.10\n\"203.0.113.11\"\n- 203.0.113.12\n?c2.example\n[203.0.113.13]\n",
	       "list",
	       "203.0.113.7? 203.0.113.8 203.0.113.9? 203.0.113.10? 203.0.113.11 203.0.113.12 c2.example? 203.0.113.13");
	expect("8,217.199.160\n34.243/214.122\n69.49.230.906\n203.0.113.8\n203.0.113.9\n203.0.113.10\n", "list",
	       "8.217.199.160? 34.243.214.122? 69.49.230.906? 203.0.113.8 203.0.113.9 203.0.113.10");
	expect("date,ip,note\n2026-01-01,8,217.199.160,x\n2026-01-01,\"8,217.199.161\",y\n2026-01-01,203.0.113.8,\n2026-01-01,?203.0.113.9,\n",
	       "csv", "8.217.199.160? 8.217.199.161? 203.0.113.8 203.0.113.9?");
}

static void test_columns_of_feeds(void **state)
{
	(void)state;
	expect("phish_id,url,phish_detail_url,submission_time,verified\n1,http://c2.example/a,http://www.phish.example/phish_detail.php?phish_id=1,2026-01-01T00:00:00+00:00,yes\n",
	       "csv", "http://c2.example/a!");
	expect("# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\"reference\",\"tags\",\"reporter\"\n"
	       "\"2026-01-01\", \"1\", \"203.0.113.7:443\", \"ip:port\", \"botnet_cc\", \"win.live\", \"a.zone,b.team\", \"Cobalt.Live\", \"https://r.example/\", \"CVE-2026-12345,win.live\", \"x.click\"\n"
	       "\"2026-01-01\", \"2\", \"c2.example\", \"domain\", \"botnet_cc\", \"elf.live\", \"None\", \"x\", \"\", \"\", \"x.click\"\n",
	       "csv", "203.0.113.7:443 c2.example!");
	expect("\"2026-01-01\",\"203.0.113.7\",\"win.live\"\n\"2026-01-01\",\"203.0.113.8\",\"elf.team\"\n", "csv",
	       "203.0.113.7 203.0.113.8");
	/* rows before the first value do not take the headings' place */
	expect("ip,note\n-,nothing yet\nn/a,source\n203.0.113.7,see https://192.0.2.1/\n198.51.100.7,\n", "csv",
	       "203.0.113.7 198.51.100.7");
	/* what it is about does not take it away */
	expect("ip,tags\n203.0.113.7,CVE-2026-12345\n203.0.113.8,\"scanner, CVE-2026-12346\"\n", "csv",
	       "203.0.113.7 203.0.113.8");
	expect("203.0.113.7#4#2#Malicious Host#KR##37.5111999512,126.974098206#3\n203.0.113.8#4#2#Scanning Host#CN#Beijing#39.9,116.3#11\n"
	       "203.0.113.9#6#5#C&C#US##38.0,-97.0#2\n203.0.113.10#6#5#Spamming;Scanning Host#US##38.0,-97.0#2\n",
	       "list", "203.0.113.7 203.0.113.8 203.0.113.9 203.0.113.10");
}

/* Letters outside ASCII, and characters that nobody sees, wherever a value stands. */
static void test_letters(void **state)
{
	(void)state;
	expect("0.0.0.0 bücher.example\n0.0.0.0 c2.example tênmiền.vn\n", "list",
	       "xn--bcher-kva.example! c2.example! xn--tnmin-hsa0954c.vn!");
	expect("domain,note\nbücher.example,x\n*.tênmiền.vn,y\n", "csv",
	       "xn--bcher-kva.example! *.xn--tnmin-hsa0954c.vn!");
	expect("[\"bücher.example\", \"*.tênmiền.vn\"]", "json", "xn--bcher-kva.example! *.xn--tnmin-hsa0954c.vn!");
	expect("{\"version\": 1, \"rules\": [{\"domain_suffix\": [\"tênmiền.vn\"], \"domain\": \"bücher.example\"}]}",
	       "json", "xn--bcher-kva.example! *.xn--tnmin-hsa0954c.vn!");
	expect("*.bücher.example\n*.c2.example # ghi chú.Tiếng Việt\n", "list",
	       "*.xn--bcher-kva.example! *.c2.example!");
	expect("bücher.example CNAME .\n*.bücher.example CNAME .\n", "domains",
	       "xn--bcher-kva.example! *.xn--bcher-kva.example!");
	expect("date,ip\n2026-01-01,\xef\xbb\xbf"
	       "203.0.113.7\n2026-01-01,198.51\xe2\x80\x8b.100.7\n2026-01-01,\xc2\xa0"
	       "192.0.2.7\xc2\xa0\n",
	       "csv", "203.0.113.7 198.51.100.7 192.0.2.7");
	expect("\xe2\x80\x8e"
	       "203.0.113.7\n198.51.100.7\xe2\x80\x8b\n\xef\xbb\xbf"
	       "c2.example\n",
	       "list", "203.0.113.7 198.51.100.7 c2.example!");
	expect("||c2.\xe2\x80\x8b"
	       "example^\n",
	       "domains", "*.c2.example!");
}

/* Ordered, and far too much: it waits under its name. */
static void test_top_level(void **state)
{
	(void)state;
	expect("||zip^\n||c2.example^\n", "domains", "*.zip? *.c2.example!");
	expect("address=/zip/#\nlocal=/mov/\n", "domains", "*.zip? *.mov?");
	expect("local-zone: \"zip.\" static\n", "domains", "*.zip?");
	expect("*.zip CNAME .\na.example CNAME .\n", "domains", "*.zip? a.example!");
	expect("*.zip\n*.c2.example\n", "list", "*.zip? *.c2.example!");
	expect("{\"version\": 1, \"rules\": [{\"domain_suffix\": [\"zip\", \"c2.example\"]}]}", "json",
	       "*.zip? *.c2.example!");
	expect("address=/#/0.0.0.0\naddress=/c2.example/#\n", "domains", "*.c2.example!");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dnsmasq), cmocka_unit_test(test_unbound),
		cmocka_unit_test(test_adblock), cmocka_unit_test(test_policy_zones),
		cmocka_unit_test(test_hosts),	cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_doubts),	cmocka_unit_test(test_columns_of_feeds),
		cmocka_unit_test(test_letters), cmocka_unit_test(test_top_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
