// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How single values are written: defanging, ports, ranges, look-alikes; and what stands in text without being one.
 */
#include "reader_case.h"

#include "reader/private.h"

/* ---- Refanging ---------------------------------------------------------------------------------- */

static void expect_refanged(const char *written, const char *expected)
{
	struct kh_clean clean KH_CLEANUP(kh_clean_clear) = { 0 };

	assert_int_equal(kh_refang(written, strlen(written), &clean), 0);
	if (strcmp(clean.text, expected) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", written, clean.text, expected);
	assert_int_equal(kh_origin(&clean, clean.length), strlen(written));
	for (size_t i = 0; i < clean.length; i++)
		assert_true(kh_origin(&clean, i) <= kh_origin(&clean, i + 1));
}

static void test_refang(void **state)
{
	static const char *const cases[][2] = {
		{ "203[.]0(.)113{.}7", "203.0.113.7" },
		{ "203.0.113[.]7", "203.0.113.7" },
		{ "203[,]0(,)113[.]7", "203.0.113.7" },
		{ "203 [.] 0 [.] 113 [.] 7", "203.0.113.7" },
		{ "c2[dot]example c2(DOT)test c2{Dot}example", "c2.example c2.test c2.example" },
		{ "c2[chấm]example c2(cham)example c2[punto]example", "c2.example c2.example c2.example" },
		{ "www[.[c2].]example].[test", "www.c2.example.test" },
		{ "www[.c2.]example", "www.c2.example" },
		{ "c2\\.example c2^.example c2DOTexample c2 DOT example",
		  "c2.example c2.example c2.example c2.example" },
		{ "hxxp://a hXXps://a h**p://a h__p://a xxxx://a xxxxs://a meow://a",
		  "http://a https://a http://a http://a http://a https://a http://a" },
		{ "hxxps[:]//a hxxp[://]a http[:]\\\\a [http]://a (https)://a",
		  "https://a http://a http://a http://a https://a" },
		{ "http ://a http:// a https//a http:///a https&://a",
		  "http://a http://a https://a http://a https://a" },
		{ "https://c2. example/x", "https://c2.example/x" },
		{ "[www].c2.example", "www.c2.example" },
		{ "2001:db8[:]:1 c2[-]x.example/a[/]b", "2001:db8::1 c2-x.example/a/b" },
		{ "bob[@]c2.example bob (at) c2.example bobATc2.example bob[a còng]c2.example",
		  "bob@c2.example bob@c2.example bob@c2.example bob@c2.example" },
		/* left as it is */
		{ "x-dot-y.example", "x-dot-y.example" },
		{ "(xem www.c2.example). Sau", "(xem www.c2.example). Sau" },
		{ "a. [b] (c). (d) MATE ANTIDOTE", "a. [b] (c). (d) MATE ANTIDOTE" },
		{ "[2001:db8::1]:443 f(x) [1]", "[2001:db8::1]:443 f(x) [1]" },
		{ "https://c2. sau đó https://c2. com sau", "https://c2. sau đó https://c2. com sau" },
		{ "a][b a[[b a[..]b a..[b", "a][b a[[b a[..]b a..[b" },
		{ "[", "[" },
		{ "hxx", "hxx" },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++)
		expect_refanged(cases[i][0], cases[i][1]);
}

/* ---- One value, typed --------------------------------------------------------------------------- */

static void test_typed_value(void **state)
{
	static const char *const cases[][2] = {
		{ "203.0.113[.]7", "203.0.113.7" },
		{ " 203.0.113.0/24\n", "203.0.113.0/24" },
		{ "hxxp://C2[.]example/X", "http://c2.example/X" },
		{ "[2001:db8::1]:443", "[2001:db8::1]:443" },
		{ "2001:DB8[:]:1", "2001:db8::1" },
		{ "203.0.113.7|443", "203.0.113.7:443" },
		{ "203.0.113.7 port 443", "203.0.113.7:443" },
		{ "203.0.113.1 - 203.0.113.9", "203.0.113.1-203.0.113.9" },
		{ "c2(.)example", "c2.example" },
	};
	static const char *const bad[] = {
		"", " ", "1.2.3.4.5", "203.0.113.7 203.0.113.8", "xin chào", "010.1.2.3", "203.0.113.7 port 80, 443"
	};
	struct kh_indicator indicator = { 0 };
	struct kh_error error = { 0 };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		char *text KH_CLEANUP(kh_freep) = NULL;

		if (kh_reader_value(cases[i][0], &indicator, &error))
			fail_msg("%s: %s", cases[i][0], error.text);
		assert_string_equal(error.text, "");
		text = kh_indicator_format(&indicator);
		assert_string_equal(text, cases[i][1]);
		kh_indicator_clear(&indicator);
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(bad); i++) {
		indicator.port = 7;
		assert_int_equal(kh_reader_value(bad[i], &indicator, &error), -EINVAL);
		assert_int_equal(indicator.port, 7);
		assert_true(error.text[0]);
		error = (struct kh_error){ 0 };
	}
	assert_int_equal(kh_reader_value("10.1.2.3/8", &indicator, &error), -EDOM);
	assert_int_equal((uint32_t)indicator.range.first, 10u << 24);
}

/* ---- Lists -------------------------------------------------------------------------------------- */

static void test_ports_and_ranges(void **state)
{
	(void)state;
	EXPECT("203.0.113.7:443", "203.0.113.7:443 enforce listed");
	EXPECT("203.0.113.7:443/udp", "203.0.113.7:443/udp enforce listed");
	EXPECT("203.0.113.7|443", "203.0.113.7:443 enforce listed");
	EXPECT("203.0.113.7 port 443 (tcp)", "203.0.113.7:443/tcp enforce listed");
	EXPECT("203.0.113.7, cổng: 80, 443", "203.0.113.7:80 enforce listed", "203.0.113.7:443 enforce listed");
	EXPECT("203.0.113.7:80, 443", "203.0.113.7:80 enforce listed", "203.0.113.7:443 enforce listed");
	EXPECT("203.0.113.7:80,10", "203.0.113.7:80 enforce listed"); /* a column */
	EXPECT("tcp://203.0.113.7:80/", "203.0.113.7:80/tcp enforce listed");
	EXPECT("udp://203.0.113.7:53", "203.0.113.7:53/udp enforce listed");
	EXPECT("[2001:db8::7]:443", "[2001:db8::7]:443 enforce listed");
	EXPECT("[2001:db8::7]", "2001:db8::7 enforce listed");
	EXPECT("2001:db8::7 port 443", "[2001:db8::7]:443 enforce listed");
	EXPECT("203.0.113.4-203.0.113.7", "203.0.113.4/30 enforce listed");
	EXPECT("203.0.113.4 – 203.0.113.8", "203.0.113.4-203.0.113.8 enforce listed");
	EXPECT("2001:db8::1-2001:db8::3", "2001:db8::1-2001:db8::3 enforce listed");
	EXPECT("203.0.113.7/32", "203.0.113.7 enforce listed");
	EXPECT("203.0.113.7/", "203.0.113.7 enforce listed");
	EXPECT("203.0.113.7/x.php", "http://203.0.113.7/x.php unenforceable url");
	EXPECT("203.0.113.7:8080/x.php", "http://203.0.113.7:8080/x.php unenforceable url");
	EXPECT("c2.example/x", "http://c2.example/x unenforceable url");
	EXPECT("c2.example:8080", "c2.example unenforceable domain");
	EXPECT("::ffff:203.0.113.7", "203.0.113.7 enforce listed");
	EXPECT("0.0.0.0/0", "0.0.0.0/0 enforce listed");
	EXPECT("::/0", "::/0 enforce listed");
	EXPECT("::/80", "::/80 enforce listed"); /* its last address is mapped */
	EXPECT("::1-::ffff:203.0.113.7", "::1-::ffff:203.0.113.7 review malformed");
}

/* With the guess at what is meant. */
static void test_other_signs_for_a_dot(void **state)
{
	(void)state;
	EXPECT("8,217.199.160", "8.217.199.160 review unclear");
	EXPECT("34.243/214.122", "34.243.214.122 review unclear");
}

static void test_look_alikes_wait(void **state)
{
	static const char *const texts[] = { "1.2.3.4.5",
					     "010.1.2.3",
					     "69.49.230.906",
					     "203.0.113.7/33",
					     "203.0.113.9-203.0.113.1",
					     "203.0.113.9-20",
					     "203.0.113.9:0",
					     "203.0.113.9:65536",
					     "10.1.2",
					     "2001:db8:::1",
					     "2001:db8::/129",
					     "203.0.113.1-2001:db8::1",
					     "203.0.113.1/24/24",
					     "203.0.113.0/24.5" };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++) {
		DOCUMENT(document) = document_of(texts[i]);

		assert_string_equal(document->format, "list");
		if (document->findings_count != 1)
			fail_msg("%s: %zu findings", texts[i], document->findings_count);
		assert_int_equal(document->findings[0].indicator.type, KH_TYPE_UNKNOWN);
		assert_int_equal(document->findings[0].proposed, KH_REVIEW);
		assert_int_equal(document->findings[0].reason, KH_WHY_MALFORMED);
		assert_string_equal(document->findings[0].raw, texts[i]);
		assert_false(kh_indicator_enforceable(&document->findings[0].indicator));
	}
	EXPECT("10.1.2.3/8", "10.0.0.0/8 review host-bits");
	EXPECT("2001:db8::1/32", "2001:db8::/32 review host-bits");
}

/* The network of a value with host bits is enforced when the list also names it as a network. */
static void test_host_bits_beside_the_network(void **state)
{
	(void)state;
	EXPECT("198.51.100.9/24\n198.51.100.0/24", "198.51.100.0/24 enforce listed");
	EXPECT("198.51.100.0/24\n198.51.100.9/24", "198.51.100.0/24 enforce listed");
}

static void test_words_about_a_value_are_heeded(void **state)
{
	(void)state;
	EXPECT("203.0.113.1\n203.0.113.2\ntrừ 203.0.113.3\nkhông chặn: 203.0.113.4\nIP: 203.0.113.5\n"
	       "203.0.113.6 # máy của ta, không chặn\n203.0.113.7,sinkhole\n203.0.113.8 # trụ sở cũ của nhóm tấn công này và máy khác\n",
	       "203.0.113.1 enforce listed", "203.0.113.2 enforce listed", "203.0.113.3 review prose",
	       "203.0.113.4 review context", "203.0.113.5 enforce listed", "203.0.113.6 review context",
	       "203.0.113.7 review context", "203.0.113.8 enforce listed");
}

/* ---- Text --------------------------------------------------------------------------------------- */

#define LETTER "Kính gửi: Các đơn vị\n"

static void test_no_values_in_text(void **state)
{
	static const char *const lines[] = {
		"Tệp McAfee.exe (137.28 KB), a.dll, install.sh, readme.md, *.GDCB, C:\\Windows\\system32\\x.test, sao-luu.zip.",
		"Phiên bản 5.2, 1.0, phiên bản 14.0.3.1, version 9.1.0.3, v7.4.2.1, lên bản từ 7.0.0.9.",
		"Chuỗi ExchangeServicesClient/0.0.0.0 và Chrome/51.0.2704.103 trong nhật ký.",
		"Mozilla/5.0 (X11) +http://tim.test/bot 1.2.3.4",
		"1.1.1.1 Phạm vi",
		"1.2.3.4.5. Đối tượng",
		"Ngày 15.3.2019 lúc 22:47:10, máy 00:00:5e:00:53:57, std::string, ab::cd.",
		"Điện thoại 024.3640.4421, fax 010.20.30.40, thư truc@x.test, website: http://x.test.",
		"Xem thêm: https://x.test/cve",
		"CVE-2022-21990: https://x.test/cve",
		"Trang https://www.mic.gov.vn/tin và vncert.vn.",
		"An ninh.Do đó, KH.CN, ASP.NET, TP.HCM, Node.js.",
		"Số 85/2016/NĐ-CP, 24/7, 10.000.000.000 đồng, 1.000.000 máy.",
		"Trang http://[domain]/x và https://-/.",
		"Bob @ x.test và bob (at) x[.]test viết thư.",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(lines); i++) {
		char text[512];

		snprintf(text, sizeof(text), LETTER "%s\n", lines[i]);
		EXPECT(text, NULL);
	}
}

static void test_mentions_wait(void **state)
{
	(void)state;
	EXPECT(LETTER "Máy trạm dùng máy chủ tên miền 8.8.8.8 của nhà cung cấp.", "8.8.8.8 review prose");
	EXPECT(LETTER "Mạng 10.0.0.0/8 là mạng nội bộ.", "10.0.0.0/8 review prose");
	EXPECT(LETTER "Nhật ký cho thấy máy trạm của đơn vị đã nhiều lần gọi tới\n203.0.113.7.",
	       "203.0.113.7 review prose");
	EXPECT(LETTER "- 203.0.113.7 là máy chủ thư của Sở Mẫu và đang hoạt động", "203.0.113.7 review prose");
	EXPECT(LETTER "PHỤ LỤC\nNăm ngoái nhóm này thuê máy 203.0.113.7 ở nước ngoài.", "203.0.113.7 review prose");
	EXPECT(LETTER "PHỤ LỤC\n1 | CVE-2022-21990 | 203.0.113.7", "203.0.113.7 review prose");
}

static void test_items_are_enforced(void **state)
{
	(void)state;
	EXPECT(LETTER "Chặn các địa chỉ:\n- 203.0.113.7\n+ 203.0.113.8: dự phòng\n3) 203.0.113.9",
	       "203.0.113.7 enforce listed", "203.0.113.8 enforce listed", "203.0.113.9 enforce listed");
	EXPECT(LETTER "| 1 | 203.0.113.7 | máy chủ điều khiển của nhóm tấn công nêu trên |",
	       "203.0.113.7 enforce listed");
	EXPECT(LETTER "Chặn máy chủ C2: 203.0.113.7, 203.0.113.8.", "203.0.113.7 enforce listed",
	       "203.0.113.8 enforce listed");
	EXPECT(LETTER "một hai ba bốn\t203.0.113.7\r\n", "203.0.113.7 enforce listed");
	EXPECT(LETTER "Phụ lục 1: Danh sách\n 1   203.0.113.7   Ý   8080", "203.0.113.7 enforce annex");
	EXPECT(LETTER "Ph lc\nDanh sách\n203.0.113.7", "203.0.113.7 enforce annex");
	EXPECT(LETTER "Máy đã gọi 203.0.113[.]7 hai lần.", "203.0.113.7 enforce defanged");
	EXPECT(LETTER "Máy đã gọi 203.0.113[.]300 hai lần.", "203.0.113.300 review malformed");
	EXPECT(LETTER "Indicators of Compromise\n203.0.113.7", "203.0.113.7 enforce annex");
}

/* A mention of the annex is not the annex. */
static void test_annex_headings(void **state)
{
	static const struct {
		const char *line;
		bool heading;
	} cases[] = {
		{ "PHỤ LỤC", true },
		{ "Phụ lục", true },
		{ "  Phụ lục II", true },
		{ "PHỤ LỤC 1. DANH SÁCH", true },
		{ "Phụ lục A: danh sách", true },
		{ "Phụ lục kèm theo Công văn số 1/X-Y ngày 2/3/2023", true },
		{ "Appendix B", true },
		{ "phụ lục kèm theo công văn này;", false },
		{ "phụ lục.", false },
		{ "Phụ lục kèm theo nêu rõ các địa chỉ.", false },
		{ "theo Phụ lục", false },
		{ "Phụ lục này có ba phần,", false },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		char *folded KH_CLEANUP(kh_freep) = kh_fold(cases[i].line, strlen(cases[i].line));

		if (kh_is_annex_heading(folded, cases[i].line, strlen(cases[i].line)) != cases[i].heading)
			fail_msg("%s", cases[i].line);
	}
}

static void test_names_are_kept_apart(void **state)
{
	(void)state;
	EXPECT(LETTER "Tên miền mã độc: a.ddns.test; b.c2.example.", "a.ddns.test unenforceable domain",
	       "b.c2.example unenforceable domain");
	EXPECT(LETTER "Trang giả mạo https://gia. club/ và hxxp://mic.gov[.]vn/x.",
	       "https://gia.club/ unenforceable url", "http://mic.gov.vn/x unenforceable url");
	EXPECT(LETTER "PHỤ LỤC\n1. c2.example\n2. *.c3.example\n3. hxxp://[2001:db8::1]:443/x",
	       "c2.example unenforceable domain", "c3.example unenforceable domain",
	       "http://[2001:db8::1]:443/x unenforceable url");
}

/* ---- Vietnamese letters ------------------------------------------------------------------------- */

static void expect_composed(const char *text, const char *expected)
{
	char *composed KH_CLEANUP(kh_freep) = kh_compose(text, strlen(text));

	assert_string_equal(composed, expected);
}

static void test_compose(void **state)
{
	(void)state;
	expect_composed(
		"e\u0302\u0301 e\u0323\u0302 \u00ea\u0301 o\u031b\u0323 u\u031b\u0309 a\u0306\u0303 y\u0300 I\u0309",
		"ế ệ ế ợ ử ẵ ỳ Ỉ");
	expect_composed("  Đ\t\n D\u01b0 ", "Đ Dư");
	expect_composed("x\u0301 \u0301 \u0302", "x\u0301 \u0301 \u0302");
	expect_composed("ế\u0301", "ế\u0301"); /* one tone is enough */
	expect_composed("", "");
}

static void test_patterns(void **state)
{
	(void)state;
	assert_int_equal(kh_word_match("phu luc i", "phU lUc"), 7);
	assert_int_equal(kh_word_match("ph lc", "phU lUc"), 5);
	assert_int_equal(kh_word_match("phuluc", "phU lUc"), 6);
	assert_int_equal(kh_word_match("phi luc", "phU lUc"), 0);
	assert_int_equal(kh_word_match("ph", "phU lUc"), 0);
	assert_null(kh_word_find("xphu luc phu lucx", (const char *const[]){ "phU lUc", NULL }));
	assert_non_null(kh_word_find("(phu luc)", (const char *const[]){ "annex", "phU lUc", NULL }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refang),
		cmocka_unit_test(test_typed_value),
		cmocka_unit_test(test_ports_and_ranges),
		cmocka_unit_test(test_other_signs_for_a_dot),
		cmocka_unit_test(test_look_alikes_wait),
		cmocka_unit_test(test_host_bits_beside_the_network),
		cmocka_unit_test(test_words_about_a_value_are_heeded),
		cmocka_unit_test(test_no_values_in_text),
		cmocka_unit_test(test_mentions_wait),
		cmocka_unit_test(test_items_are_enforced),
		cmocka_unit_test(test_annex_headings),
		cmocka_unit_test(test_names_are_kept_apart),
		cmocka_unit_test(test_compose),
		cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
