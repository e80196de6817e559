/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien.conf: what is read, what is refused and with which words, and the example that ships.
 */
#include "daemon/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

#define MINIMAL "[gateway]\nwan = eth0\nlan = eth1\n"

static struct kh_config *config;

static int setup(void **state)
{
	(void)state;
	config = calloc(1, sizeof(*config));
	return config ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(config);
	return 0;
}

static void parse(const char *text)
{
	struct kh_error error = { 0 };

	if (kh_config_parse("khien.conf", text, strlen(text), config, &error) < 0)
		fail_msg("%s (%s)", error.text, error.hint);
}

static void test_defaults(void **state)
{
	(void)state;
	parse(MINIMAL);
	assert_string_not_equal(config->name, "");
	assert_int_equal(config->mode, KH_MODE_AUTO);
	assert_string_equal(config->language, "vi");
	assert_string_equal(config->timezone, "Asia/Ho_Chi_Minh");
	assert_string_equal(config->never_block, KH_SYSCONFDIR "/khien/never-block.d");
	assert_string_equal(config->issuers, KH_SYSCONFDIR "/khien/issuers.d");
	assert_int_equal(config->management.count + config->exempt.count, 0);
	assert_int_equal(config->widest_ipv4, 20);
	assert_int_equal(config->widest_ipv6, 48);
	assert_true(config->listen_set);
	assert_true(config->listen.first == 0x7f000001 && config->listen.family == 4);
	assert_int_equal(config->listen_port, 9847);
	assert_int_equal(config->lines[KH_KEY_WAN], 2);
	assert_int_equal(config->lines[KH_KEY_MODE], 0);
}

static void test_every_key(void **state)
{
	(void)state;
	parse("[gateway]\n"
	      "name = Văn phòng UBND tỉnh, cổng #1\n"
	      "wan = eth0.11\n"
	      "lan = eth1 eth2,eth3 , wg0\n"
	      "mode = tc\n"
	      "language = en\n"
	      "timezone = UTC\n"
	      "[guard]\n"
	      "never_block = /srv/lists\n"
	      "management = 10.20.0.0/24, 2001:db8:20::/64 192.0.2.5\n"
	      "widest_ipv4 = 24\n"
	      "widest_ipv6 = 0\n"
	      "exempt = 203.0.113.0/24\n"
	      "[letters]\n"
	      "issuers = /srv/issuers\n"
	      "[http]\n"
	      "listen = [::1]:80\n"
	      "[sources]\n"
	      "proxy = socks5h://proxy.example:1080\n"
	      "proxy_credentials = /etc/khien/proxy.secret\n"
	      "[trust]\n"
	      "keys = RWT0anfBFSOuGoPvGSjaX1dtucLpX9Q0qElNlkyCI3iQNv4QDX/9UhWM /etc/khien/keys,"
	      " RWTklMTHhhd6VrFTAGPcrM5ScbfGF0ax8BsAFC7UX8zUvrRoPdxMu+d9\n");
	assert_int_equal(config->trust_keys_count, 2);
	assert_int_equal(config->trust_keys[0].id[7], 0x1a);
	assert_int_equal(config->trust_keys[1].key[31], 0x7d);
	assert_string_equal(config->trust_file, "/etc/khien/keys");
	assert_string_equal(config->proxy, "socks5h://proxy.example:1080");
	assert_string_equal(config->proxy_credentials, "/etc/khien/proxy.secret");
	assert_string_equal(config->name, "Văn phòng UBND tỉnh, cổng #1");
	assert_int_equal(config->wan.count, 1);
	assert_string_equal(config->wan.names[0], "eth0.11");
	assert_int_equal(config->lan.count, 4);
	assert_string_equal(config->lan.names[1], "eth2");
	assert_string_equal(config->lan.names[3], "wg0");
	assert_int_equal(config->mode, KH_MODE_TC);
	assert_string_equal(config->language, "en");
	assert_string_equal(config->timezone, "UTC");
	assert_string_equal(config->never_block, "/srv/lists");
	assert_string_equal(config->issuers, "/srv/issuers");
	assert_int_equal(config->management.count, 3);
	assert_int_equal(config->management.ranges[1].family, 6);
	assert_true(config->management.ranges[2].first == 0xc0000205 &&
		    config->management.ranges[2].last == 0xc0000205);
	assert_int_equal(config->widest_ipv4, 24);
	assert_int_equal(config->widest_ipv6, 0);
	assert_int_equal(config->exempt.count, 1);
	assert_true(config->listen.first == 1 && config->listen.family == 6);
	assert_int_equal(config->listen_port, 80);
	assert_int_equal(config->lines[KH_KEY_LISTEN], 17);
}

static void test_comments_and_blanks(void **state)
{
	(void)state;
	parse("\xef\xbb\xbf# a comment\r\n"
	      "; another\r\n"
	      "   [gateway]   # here\r\n"
	      "\r\n"
	      "  name=Cổng 1 ; not this\r\n"
	      "\twan\t=\teth0 ; one or more\r\n"
	      "lan = eth1 #office\r\n"
	      "mode = tc # slower\r\n"
	      "[http]\r\n"
	      "listen = ; off");
	assert_string_equal(config->name, "Cổng 1");
	assert_string_equal(config->wan.names[0], "eth0");
	assert_int_equal(config->lan.count, 1);
	assert_int_equal(config->mode, KH_MODE_TC);
	assert_false(config->listen_set);
	assert_int_equal(config->lines[KH_KEY_WAN], 6);
	parse(MINIMAL "name = Cổng#1;2\n"); /* no blank before: no comment */
	assert_string_equal(config->name, "Cổng#1;2");
}

static void long_line(int pad, int count)
{
	char text[4096];
	size_t used = (size_t)snprintf(text, sizeof(text), MINIMAL "[guard]\nmanagement =%*s", pad, "");

	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s2001:db8:%x::/64", i % 3 ? " " : ",", i);
	snprintf(text + used, sizeof(text) - used, " ; 10.0.0.0/8\nwidest_ipv4 = 22\n");
	parse(text);
	assert_int_equal(config->management.count, count);
	for (int i = 0; i < count; i++) {
		assert_int_equal((uint32_t)(config->management.ranges[i].first >> 80) & 0xffff, i);
		assert_int_equal(kh_range_prefix_length(&config->management.ranges[i]), 64);
	}
	assert_int_equal(config->widest_ipv4, 22);
	assert_int_equal(config->lines[KH_KEY_WIDEST_IPV4], 6);
}

/* libinih reads 200 bytes at a time and would break a longer line in the middle of a word: every place of the break. */
static void test_long_lines(void **state)
{
	(void)state;
	for (int pad = 0; pad < 40; pad++) {
		long_line(pad, 10); /* 182 to 222 bytes */
		long_line(pad, 100);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *says, *hint;
	} cases[] = {
		/* keys and sections */
		{ "[gateway]\nwann = eth0\n", 2, "khien.conf:2: unknown key: wann", "write: wan = eth0" },
		{ "[gateway]\nlanguages = vi\n", 2, "unknown key: languages", "write: language = vi" },
		{ "[gateway]\nfrobnicate = 1\n", 2, "unknown key: frobnicate", "remove the line" },
		{ "[gateway]\nmanagement = 10.0.0.0/8\n", 2, "unknown key: management", "move the line below [guard]" },
		{ "wan = eth0\n", 1, "unknown key: wan", "put [gateway] on a line above it" },
		{ "[gatway]\nwan = eth0\n", 1, "khien.conf:1: unknown section: [gatway]", "write: [gateway]" },
		{ "\n\n[firewall]\n", 3, "unknown section: [firewall]", "the sections are" },
		{ "[gateway\nwan = eth0\n", 1, "a section is a name in brackets", "write: [gateway]" },
		{ "[gateway] wan = eth0\n", 1, "a section is a name in brackets", "write: [gateway]" },
		{ MINIMAL "mode native\n", 4, "not a comment, [section] or \"key = value\"", "write: mode = VALUE" },
		{ MINIMAL "  eth2\n", 4, "not a comment, [section] or", "write: eth2 = VALUE" },
		{ MINIMAL "wan = eth5\n", 4, "khien.conf:4: wan is given a second time", "keep this line or line 2" },
		{ MINIMAL "[guard]\n[gateway]\nlan = eth5\n", 6, "lan is given a second time", "line 3" },
		{ "", 0, "khien.conf: wan is missing", "add below [gateway]: wan = eth0" },
		{ "[gateway]\nwan = eth0\n", 0, "khien.conf: lan is missing", "add below [gateway]: lan = eth1" },
		/* sources */
		{ MINIMAL "[sources]\nproxy = proxy:3128\n", 5, "proxy: proxy:3128 is not the address of a proxy",
		  "write: proxy = http://" },
		{ MINIMAL "[sources]\nproxy = http://a:b@proxy.example:1\n", 5, "user and password do not belong",
		  "write: proxy = http://" },
		{ MINIMAL "[sources]\nproxy_credentials = secret\n", 5, "not an absolute path: secret",
		  "write: proxy_credentials = " },
		/* interfaces */
		{ "[gateway]\nwan =\nlan = eth1\n", 2, "khien.conf:2: wan: no interface named", "write: wan = eth0" },
		{ "[gateway]\nwan = eth0/1 eth2\n", 2, "wan: not the name of an interface: eth0/1",
		  "write: wan = eth2" },
		{ "[gateway]\nwan = a-name-too-long-to-be\n", 2, "not the name of an interface", "write: wan = eth0" },
		{ "[gateway]\nlan = eth1 eth2, eth1\n", 2, "lan: eth1 stands there twice", "write: lan = eth1 eth2" },
		{ "[gateway]\nlan = eth1\nwan = eth0 eth1\n", 3, "wan: eth1 is in both wan and lan",
		  "leave it in the one" },
		/* values */
		{ MINIMAL "mode = xdp\n", 4, "khien.conf:4: mode: not one of auto, native, tc, generic: xdp",
		  "write: mode = auto" },
		{ MINIMAL "mode =\n", 4, "mode: not one of", "write: mode = auto" },
		{ MINIMAL "language = vn\n", 4, "language: neither vi nor en: vn", "write: language = vi" },
		{ MINIMAL "language = english\n", 4, "language: neither", "write: language = en" },
		{ MINIMAL "timezone = Asia/Saigonn\n", 4, "timezone: not a time zone",
		  "write: timezone = Asia/Ho_Chi_Minh" },
		{ MINIMAL "[guard]\nnever_block = lists\n", 5, "never_block: not an absolute path: lists",
		  "/khien/never-block.d" },
		{ MINIMAL "[guard]\nnever_block =\n", 5, "never_block: not an absolute path", "/khien/never-block.d" },
		{ MINIMAL "[letters]\nissuers = lists\n", 5, "issuers: not an absolute path: lists",
		  "/khien/issuers.d" },
		{ MINIMAL "[trust]\nkeys =\n", 5, "keys: no key named", "remove the line" },
		{ MINIMAL "[trust]\nkeys = RWQnonsense\n", 5, "keys: not a public key of minisign: RWQnonsense",
		  "minisign.pub" },
		{ MINIMAL "[trust]\nkeys = /a /b\n", 5, "keys: more than one file: /b", "minisign.pub" },
		{ MINIMAL "[trust]\nkeys = RWT0anfBFSOuGoPvGSjaX1dtucLpX9Q0qElNlkyCI3iQNv4QDX/9UhWM"
			  " RWT0anfBFSOuGoPvGSjaX1dtucLpX9Q0qElNlkyCI3iQNv4QDX/9UhWM\n",
		  5, "keys: a key of this number stands there twice: RWT0", "minisign.pub" },
		{ MINIMAL "[guard]\nmanagement = 10.20.0.0/24 10.21.0.5/24\n", 5,
		  "management: address bits beyond the prefix length: 10.21.0.5/24",
		  "write: management = 10.20.0.0/24 10.21.0.0/24" },
		{ MINIMAL "[guard]\nmanagement = 10.20.0.300\n", 5, "management: not an address or prefix: 10.20.0.300",
		  "write: management = " },
		{ MINIMAL "[guard]\nmanagement = 0.0.0.0/0\n", 5, "management: 0.0.0.0/0 is every address there is",
		  "write: management = " },
		{ MINIMAL "[guard]\nexempt = ::/0\n", 5, "exempt: ::/0 is every address there is", "write: exempt = " },
		{ MINIMAL "[guard]\nwidest_ipv4 = 33\n", 5, "widest_ipv4: not a prefix length from 0 to 32: 33",
		  "write: widest_ipv4 = 20" },
		{ MINIMAL "[guard]\nwidest_ipv4 = /20\n", 5, "widest_ipv4: not a prefix length",
		  "write: widest_ipv4 = 20" },
		{ MINIMAL "[guard]\nwidest_ipv6 = 129\n", 5, "widest_ipv6: not a prefix length from 0 to 128",
		  "write: widest_ipv6 = 48" },
		{ MINIMAL "[http]\nlisten = 9000\n", 5, "listen: not ADDRESS:PORT: 9000",
		  "write: listen = 127.0.0.1:9000" },
		{ MINIMAL "[http]\nlisten = :9000\n", 5, "listen: not ADDRESS:PORT", "write: listen = 127.0.0.1:9000" },
		{ MINIMAL "[http]\nlisten = 127.0.0.1\n", 5, "listen: not ADDRESS:PORT",
		  "write: listen = 127.0.0.1:9847" },
		{ MINIMAL "[http]\nlisten = ::1\n", 5, "listen: not ADDRESS:PORT", "write: listen = [::1]:9847" },
		{ MINIMAL "[http]\nlisten = ::1:80\n", 5, "listen: not ADDRESS:PORT", "write: listen = [::1:80]:9847" },
		{ MINIMAL "[http]\nlisten = [127.0.0.1]:80\n", 5, "listen: not ADDRESS:PORT",
		  "write: listen = 127.0.0.1:9847" },
		{ MINIMAL "[http]\nlisten = localhost:80\n", 5, "listen: not ADDRESS:PORT",
		  "write: listen = 127.0.0.1:9847" },
		{ MINIMAL "[http]\nlisten = 127.0.0.1:0\n", 5, "listen: not ADDRESS:PORT", "write: listen = " },
		{ MINIMAL "[http]\nlisten = 127.0.0.1:65536\n", 5, "listen: not ADDRESS:PORT", "write: listen = " },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		struct kh_error error = { 0 };

		config->widest_ipv4 = -7;
		assert_int_equal(kh_config_parse("khien.conf", cases[i].text, strlen(cases[i].text), config, &error),
				 -EINVAL);
		if (error.line != cases[i].line || !strstr(error.text, cases[i].says) ||
		    !strstr(error.hint, cases[i].hint))
			fail_msg("case %zu: line %d, \"%s\", hint \"%s\"", i, error.line, error.text, error.hint);
		assert_int_equal(config->widest_ipv4, -7); /* unchanged */
		assert_int_equal(kh_config_parse("khien.conf", cases[i].text, strlen(cases[i].text), config, NULL),
				 -EINVAL);
	}
}

static void test_bytes_that_are_no_text(void **state)
{
	static const char with_nul[] = "[gateway]\nwan = eth0\0\nlan = eth1\n";
	static const char not_utf8[] = "[gateway]\nname = V\xffn\n";
	struct kh_error error;
	char text[8192];

	(void)state;
	assert_int_equal(kh_config_parse("f", with_nul, sizeof(with_nul) - 1, config, &error), -EINVAL);
	assert_int_equal(error.line, 2);
	assert_int_equal(kh_config_parse("f", not_utf8, sizeof(not_utf8) - 1, config, &error), -EINVAL);
	assert_int_equal(error.line, 2);
	assert_non_null(strstr(error.text, "UTF-8"));
	memset(text, 'x', sizeof(text));
	assert_int_equal(kh_config_parse("f", text, sizeof(text), config, &error), -EINVAL);
	assert_non_null(strstr(error.text, "too long"));
	memcpy(text, "[gateway]\nwan = ", 16); /* one word, longer than libinih takes */
	text[1000] = '\n';
	assert_int_equal(kh_config_parse("f", text, 1001, config, &error), -EINVAL);
	assert_int_equal(error.line, 2);
}

static void test_too_many(void **state)
{
	char text[16384] = "[gateway]\nwan = eth0\nlan =";
	struct kh_error error;

	(void)state;
	for (int i = 0; i < KH_CONFIG_INTERFACES_MAX; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, " lan%d", i);
	}
	parse(text);
	assert_int_equal(config->lan.count, KH_CONFIG_INTERFACES_MAX);
	strcat(text, " more");
	assert_int_equal(kh_config_parse("f", text, strlen(text), config, &error), -EINVAL);
	assert_non_null(strstr(error.text, "more than"));
}

/* Every truncation of a good file is read or refused, never worse (the sanitizers watch). */
static void test_every_truncation(void **state)
{
	static const char text[] =
		"[gateway]\nname = a\nwan = eth0\nlan = eth1, eth2\nmode = tc\n[guard]\nmanagement = 10.0.0.0/8\n"
		"[http]\nlisten = [::1]:9\n";

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		char *copy = malloc(i + 1);
		struct kh_error error;
		int r;

		memcpy(copy, text, i);
		r = kh_config_parse("f", copy, i, config, &error);
		assert_true(r == 0 || (r == -EINVAL && error.text[0] && error.hint[0]));
		free(copy);
	}
}

static void test_load(void **state)
{
	struct kh_error error;

	(void)state;
	assert_int_equal(kh_config_load("/nonexistent/khien.conf", config, &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent/khien.conf: "));
	assert_non_null(strstr(error.hint, "--detect"));
}

static void test_shipped_example(void **state)
{
	struct kh_config *defaults KH_CLEANUP(kh_freep) = calloc(1, sizeof(*defaults));
	struct kh_error error = { 0 };

	(void)state;
	assert_non_null(defaults);
	kh_config_defaults(defaults);
	if (kh_config_load("rules/khien.conf", config, &error) < 0)
		fail_msg("%s (%s)", error.text, error.hint);
	/* it says that it shows the defaults; the two that have none are comments there */
	assert_int_equal(config->mode, defaults->mode);
	assert_string_equal(config->language, defaults->language);
	assert_string_equal(config->timezone, defaults->timezone);
	assert_int_equal(config->widest_ipv4, defaults->widest_ipv4);
	assert_int_equal(config->widest_ipv6, defaults->widest_ipv6);
	assert_true(config->listen.first == defaults->listen.first && config->listen_port == defaults->listen_port);
	assert_int_equal(config->management.count + config->exempt.count, 0);
	for (int key = 0; key < KH_KEY_COUNT; key++)
		if (config->lines[key] == 0 && key != KH_KEY_EXEMPT && key != KH_KEY_TRUST_KEYS)
			fail_msg("%s is not in the example", kh_config_key_name((enum kh_config_key)key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_comments_and_blanks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bytes_that_are_no_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_truncation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shipped_example, setup, teardown),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
