// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One letter in many encodings, as a web page, and as mail: the same head, the same values.
 */
#include <iconv.h>

#include "reader_case.h"

#define HEAD \
	"TRUNG TÂM VNCERT\nSố: 81/VNCERT-ĐPƯC\nHà Nội, ngày 15 tháng 3 năm 2019\nV/v ngăn chặn mã độc\n\nKính gửi: Các đơn vị\n\n"
#define BODY \
	"Các đơn vị ngăn chặn kết nối tới các địa chỉ của máy chủ trong phụ lục.\nMáy 192.0.2.99 được kiểm tra.\n\n"
#define ANNEX "PHỤ LỤC\n203.0.113[.]7\n198.51.100.81:8443\n"
static const char letter[] = HEAD BODY ANNEX;

static const struct kh_finding *find(const struct kh_document *document, const char *value)
{
	for (size_t i = 0; i < document->findings_count; i++) {
		char *text KH_CLEANUP(kh_freep) = kh_indicator_format(&document->findings[i].indicator);

		if (!strcmp(text, value))
			return &document->findings[i];
	}
	fail_msg("%s is missing", value);
	return NULL;
}

static void expect_values(const struct kh_document *document)
{
	assert_int_equal(find(document, "203.0.113.7")->proposed, KH_ENFORCE);
	assert_int_equal(find(document, "203.0.113.7")->reason, KH_WHY_ANNEX);
	assert_int_equal(find(document, "198.51.100.81:8443")->proposed, KH_ENFORCE);
	assert_int_equal(find(document, "192.0.2.99")->proposed, KH_REVIEW);
	assert_int_equal(document->findings_count, 3);
}

static void expect_letter(const struct kh_document *document)
{
	assert_string_equal(document->letter.number, "81/VNCERT-ĐPƯC");
	assert_string_equal(document->letter.date, "2019-03-15");
	assert_string_equal(document->letter.subject, "ngăn chặn mã độc");
	assert_string_equal(document->letter.issuer, "TRUNG TÂM VNCERT");
	expect_values(document);
}

static struct kh_document *read_form(const void *data, size_t length, const char *format)
{
	struct kh_document *document = NULL;
	struct kh_error error = {};

	if (read_bytes(data, length, &document, &error))
		fail_msg("%s", error.text);
	assert_string_equal(document->format, format);
	return document;
}

static void test_encodings(void **state)
{
	static const struct {
		const char *iconv, *mark, *note;
	} encodings[] = {
		{ "UTF-16LE", "\xff\xfe", "UTF-16" }, { "UTF-16BE", "\xfe\xff", "UTF-16" },
		{ "UTF-16LE", "", "UTF-16" },	      { "UTF-16BE", "", "UTF-16" },
		{ "CP1258", "", "Windows-1258" },     { "TCVN5712-1", "", "TCVN3" },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(encodings); i++) {
		char data[8192], *to = data, *from = (char *)(uintptr_t)letter;
		size_t left = strlen(letter), room = sizeof(data);
		iconv_t converter = iconv_open(encodings[i].iconv, "UTF-8");

		to = stpcpy(to, encodings[i].mark);
		room -= (size_t)(to - data);
		assert_int_equal(iconv(converter, &from, &left, &to, &room), 0);
		iconv(converter, NULL, NULL, &to, &room);
		iconv_close(converter);
		{
			DOCUMENT(document) = read_form(data, (size_t)(to - data), "text");

			expect_letter(document);
			assert_non_null(strstr(document->notes[0], encodings[i].note));
		}
	}
}

/* Letters as VNI fonts have them, and composed of parts. */
static void test_vni_and_decomposed(void **state)
{
	static const char vni[] = "TRUNG TA\xc2M VNCERT\nSo\xe1: 81/VNCERT-\xd1P\xd6"
				  "C\nHa\xf8 No\xe4i, nga\xf8y 15 tha\xf9ng 3 na\xeam 2019\n"
				  "V/v nga\xean cha\xebn ma\xf5 \xf1o\xe4"
				  "c\n\nK\xednh g\xf6\xfbi: Ca\xf9"
				  "c \xf1\xf4n v\xf2\n\n"
				  "Ca\xf9"
				  "c \xf1\xf4n v\xf2 nga\xean cha\xebn ke\xe1t no\xe1i t\xf4\xf9i ca\xf9"
				  "c \xf1\xf2"
				  "a ch\xe6 cu\xfb"
				  "a ma\xf9y chu\xfb trong phu\xef lu\xef"
				  "c.\n"
				  "Ma\xf9y 192.0.2.99 \xf1\xf6\xf4\xef"
				  "c kie\xe5m tra.\n\nPHU\xcf LU\xcf"
				  "C\n203.0.113[.]7\n198.51.100.81:8443\n";
	static const char decomposed[] =
		"TRUNG TA\u0302M VNCERT\nSo\u0302\u0301: 81/VNCERT-ĐPU\u031bC\nHa\u0300 No\u0323\u0302i, nga\u0300y 15 tha\u0301ng 3 na\u0306m 2019\n"
		"V/v nga\u0306n cha\u0323\u0306n ma\u0303 đo\u0323\u0302c\n\nKi\u0301nh gu\u031b\u0309i: Ca\u0301c đơn vi\u0323\n\n"
		"Ma\u0301y 192.0.2.99 được kiểm tra.\n\nPHU\u0323 LU\u0323C\n203.0.113[.]7\n198.51.100.81:8443\n";
	DOCUMENT(first) = read_form(vni, sizeof(vni) - 1, "text");
	DOCUMENT(second) = read_form(decomposed, sizeof(decomposed) - 1, "text");

	(void)state;
	expect_letter(first);
	assert_non_null(strstr(first->notes[0], "VNI"));
	expect_letter(second);
}

/* Zeros, or bytes that are no text in any of them: refused, with the place. */
static void test_what_is_no_text(void **state)
{
	static const char *const inputs[] = { "203.0.113.7\n\x01\xff", "\x80\x81\x82\x83\x84\x85\xff\xfe\xf0\x90\x91" };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(inputs); i++) {
		DOCUMENT(document) = NULL;
		struct kh_error error = {};

		assert_int_equal(read_bytes(inputs[i], strlen(inputs[i]), &document, &error), -EINVAL);
		assert_true(error.line > 0);
	}
}

#define PAGE                                                                                                                                                         \
	"<!DOCTYPE html><html><head><title>203.0.113.50</title><meta charset=\"windows-1258\"><style>a{}</style></head><body>"                                       \
	"<table><tr><td>TRUNG TÂM VNCERT<br>Số: 81/VNCERT-ĐPƯC<br>V/v ngăn chặn mã độc</td><td>Hà Nội, ngày 15 tháng 3 năm 2019</td></tr></table>" \
	"<p>Kính gửi: Các đơn&nbsp;vị</p><script>var a = \"203.0.113.51\";</script><p hidden>203.0.113.52</p><div style='display: none'>203.0.113.53</div>"  \
	"<p>Máy 192.0.2.99 được kiểm\n tra.</p><h2>PHỤ LỤC</h2><table><tr><th>Địa chỉ</th><th>Cổng</th><th>Ghi chú</th></tr>"                     \
	"<tr><td>203.0.113<b>[.]7</b></td><td></td><td><a href=\"http://203.0.113.54/\">xem</a></td></tr>"                                                           \
	"<tr><td>198.51.100&#46;81:8443<td>8443<td></tr></table></body></html>"

static void test_a_page(void **state)
{
	DOCUMENT(document) = read_form(PAGE, strlen(PAGE), "html");

	(void)state;
	expect_letter(document);
	assert_string_equal(find(document, "203.0.113.7")->column, "Địa chỉ");
}

/* A list in a page; tags that never close; what only looks like a page. */
static void test_other_pages(void **state)
{
	static const char list[] =
		"<html><body><ul><li>203.0.113.1<li>203.0.113.2</ul><pre>203.0.113.3\n203.0.113.4</pre>";
	static const char text[] = "PHỤ LỤC\n203.0.113.7 <html> x\n";
	DOCUMENT(page) = read_form(list, strlen(list), "html");
	DOCUMENT(plain) = read_form(text, strlen(text), "text");

	(void)state;
	assert_int_equal(page->findings_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(page->findings[i].proposed, KH_ENFORCE);
	assert_int_equal(plain->findings_count, 1);
}

/* A link that the page was too narrow for is one; two items are two. */
static void test_wrapped_links(void **state)
{
	static const char text[] =
		"Kính gửi: Các đơn vị\n\nDanh sách:\n\n- hxxps://c2[.]example/a%2F\n  Letter_b.js?x=1\n- hxxp://c3[.]example/a\n- c4[.]example\n"
		"hxxp://c5[.]example/a/\nc6[.]example\n- hxxp://c7[.]example/a\nc8[.]example\n";
	static const char *const values[] = { "https://c2.example/a%2FLetter_b.js?x=1",
					      "http://c3.example/a",
					      "c4.example",
					      "http://c5.example/a/",
					      "c6.example",
					      "http://c7.example/a",
					      "c8.example" };
	DOCUMENT(document) = read_form(text, strlen(text), "text");

	(void)state;
	assert_int_equal(document->findings_count, KH_ARRAY_SIZE(values));
	for (size_t i = 0; i < KH_ARRAY_SIZE(values); i++)
		assert_string_equal(document->findings[i].indicator.text, values[i]);
}

/* Columns of a page, too narrow for what is in them; whole values stay as they are. */
static void test_narrow_columns(void **state)
{
	static const char page[] =
		"PHỤ LỤC\n\nSTT   Địa chỉ IP      Tên miền        Ghi chú\n"
		"                      c2.bad.\n1     203.0.113.7                     C&C\n                      example\n\n"
		"                      c3.ver\n2     203.0.113.8                     C&C\n                      ybad.com\n\n"
		"3     203.0.          c4.bad          x\n      113.9           .com.vn\n\n"
		"4     203.0.113.10    c5.bad.com      x\n      203.0.113.11    c6.bad.com\n\n"
		"5     203.0.113.1     c7.bad.com\n      2               net\n";
	static const char *const values[] = { "c2.bad.example", "203.0.113.7",	 "c3.verybad.com", "203.0.113.8",
					      "203.0.113.9",	"c4.bad.com.vn", "203.0.113.10",   "c5.bad.com",
					      "203.0.113.11",	"c6.bad.com",	 "203.0.113.1",	   "c7.bad.com" };
	DOCUMENT(document) = NULL;
	struct kh_error error = {};

	(void)state;
	if (kh_reader_read_pages("f.pdf", "pdf", page, strlen(page), &document, &error))
		fail_msg("%s", error.text);
	for (size_t i = 0; i < document->findings_count && i < KH_ARRAY_SIZE(values); i++) {
		char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&document->findings[i].indicator);

		assert_string_equal(value, values[i]);
	}
	assert_int_equal(document->findings_count, KH_ARRAY_SIZE(values));
}

#define MAIL_HEAD                                                                                                                           \
	"Received: from a.example ([203.0.113.60]) by b.example\r\nFrom: =?UTF-8?Q?Tr=E1=BB=B1c?= <truc@so.example>\r\nTo: b@c.example\r\n" \
	"Subject: =?UTF-8?B?Q+G6o25oIGLDoW8=?=\r\nDate: Sat, 16 Mar 2019 08:00:00 +0700\r\nMIME-Version: 1.0\r\n"

static void test_a_mail(void **state)
{
	static const char mail[] = MAIL_HEAD
		"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=\"c\"\r\n\r\n"
		"--c\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n> PHỤ LỤC\r\n> 203.0.113[.]7\r\n> 198.51.100.81:8443\r\n> \r\n> Máy 192.0.2.99 được kiểm tra hôm qua.\r\n"
		"--c\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>203.0.113.61</p>\r\n--c--\r\n"
		"--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*=UTF-8''ph%E1%BB%A5%20l%E1%BB%A5c.txt\r\nContent-Transfer-Encoding: base64\r\n\r\nMjAzLjAuMTEzLjgK\r\n"
		"--b\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n";
	DOCUMENT(document) = read_form(mail, strlen(mail), "eml");

	(void)state;
	expect_values(document);
	assert_string_equal(document->letter.subject, "Cảnh báo");
	assert_string_equal(document->letter.date, "2019-03-16");
	assert_int_equal(document->parts_count, 1);
	assert_string_equal(document->parts[0].name, "phụ lục.txt");
	assert_int_equal(document->parts[0].length, 12);
	assert_memory_equal(document->parts[0].data, "203.0.113.8\n", 12);
	assert_non_null(strstr(document->notes[document->notes_count - 1], "pictures in it: 1"));
}

static void test_a_mail_around_a_letter(void **state)
{
	char mail[8192];

	(void)state;
	snprintf(mail, sizeof(mail),
		 "%sContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s", MAIL_HEAD,
		 PAGE);
	{
		DOCUMENT(document) = read_form(mail, strlen(mail), "eml");

		expect_letter(document);
	}
}

/* Headers about nothing, parts in parts in parts. */
static void test_hostile_mail(void **state)
{
	size_t length = 0, size = (size_t)4 << 20;
	char *mail = malloc(size);
	DOCUMENT(document) = NULL;
	struct kh_error error = {};

	(void)state;
	length += (size_t)sprintf(mail, "From: a\nTo: b\nSubject: c\n");
	for (int i = 0; i < 2000; i++)
		length += (size_t)sprintf(mail + length, "Content-Type: multipart/mixed; boundary=\"%d\"\n\n--%d\n", i,
					  i);
	if (read_bytes(mail, length, &document, &error))
		assert_true(error.text[0] && error.hint[0]);
	free(mail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_vni_and_decomposed),
		cmocka_unit_test(test_what_is_no_text),
		cmocka_unit_test(test_a_page),
		cmocka_unit_test(test_other_pages),
		cmocka_unit_test(test_wrapped_links),
		cmocka_unit_test(test_narrow_columns),
		cmocka_unit_test(test_a_mail),
		cmocka_unit_test(test_a_mail_around_a_letter),
		cmocka_unit_test(test_hostile_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
