/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ships in rules/never-block.d: every list loads, and says what it must about addresses that matter.
 */
#include "guard/guard.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"
#include "common/util.h"

#define FOLDER "rules/never-block.d"

static const char *const shipped[] = { "special-purpose.list", "resolvers.list",    "root-servers.list",
				       "vn-nameservers.list",  "time-servers.list", "shared.list",
				       "popular.list" };

static struct kh_guard *guard;

static void load(const char *name)
{
	char path[512];
	char *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = { 0 };
	size_t length;

	snprintf(path, sizeof(path), "%s/%s", FOLDER, name);
	if (kh_file_read(path, 1 << 20, &data, &length) < 0)
		fail_msg("%s cannot be read", path);
	if (kh_guard_add_list(guard, name, data, length, &error) < 0)
		fail_msg("%s: %s (%s)", path, error.text, error.hint);
}

static int setup(void **state)
{
	(void)state;
	guard = kh_guard_new();
	if (!guard)
		return -1;
	for (size_t i = 0; i < KH_ARRAY_SIZE(shipped); i++)
		load(shipped[i]);
	return kh_guard_seal(guard);
}

static int teardown(void **state)
{
	(void)state;
	kh_guard_free(guard);
	return 0;
}

/* A list that is not in the array above would ship untested. */
static void test_every_list_is_known(void **state)
{
	DIR *folder = opendir(FOLDER);
	size_t found = 0;

	(void)state;
	assert_non_null(folder);
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		size_t i = 0;

		if (entry->d_name[0] == '.')
			continue;
		while (i < KH_ARRAY_SIZE(shipped) && strcmp(shipped[i], entry->d_name) != 0)
			i++;
		if (i == KH_ARRAY_SIZE(shipped))
			fail_msg("%s is not tested", entry->d_name);
		found++;
	}
	closedir(folder);
	assert_int_equal(found, KH_ARRAY_SIZE(shipped));
}

static struct kh_judgement judge(const char *text)
{
	struct kh_finding finding = { .proposed = KH_ENFORCE, .reason = KH_WHY_ANNEX };
	struct kh_judgement judgement;

	finding.indicator.type = strchr(text, '/') ? KH_TYPE_PREFIX : KH_TYPE_ADDRESS;
	if (kh_range_parse(text, strlen(text), &finding.indicator.range) < 0)
		fail_msg("bad range in the test: %s", text);
	kh_guard_judge(guard, &finding, &judgement);
	return judgement;
}

static void expect(const char *text, enum kh_decision_reason reason, const char *rule)
{
	struct kh_judgement judgement = judge(text);

	if (judgement.reason != reason || !strstr(judgement.rule, rule))
		fail_msg("%s: got %s, \"%s\"", text, kh_decision_reason_name(judgement.reason), judgement.rule);
}

/* Every entry of the two registries of RFC 6890 and its updates, and the multicast blocks. */
static void test_special_purpose(void **state)
{
	static const char *const entries[] = {
		"0.0.0.0/8",
		"10.0.0.0/8",
		"100.64.0.0/10",
		"127.0.0.0/8",
		"169.254.0.0/16",
		"172.16.0.0/12",
		"192.0.0.0/24",
		"192.0.0.0/29",
		"192.0.0.8",
		"192.0.0.9",
		"192.0.0.10",
		"192.0.0.170",
		"192.0.0.171",
		"192.0.2.0/24",
		"192.31.196.0/24",
		"192.52.193.0/24",
		"192.88.99.0/24",
		"192.168.0.0/16",
		"192.175.48.0/24",
		"198.18.0.0/15",
		"198.51.100.0/24",
		"203.0.113.0/24",
		"224.0.0.0/4",
		"240.0.0.0/4",
		"255.255.255.255",
		"::1",
		"::",
		"::ffff:0:0/96",
		"64:ff9b::/96",
		"64:ff9b:1::/48",
		"100::/64",
		"100:0:0:1::/64",
		"2001::/23",
		"2001::/32",
		"2001:1::1",
		"2001:1::2",
		"2001:1::3",
		"2001:2::/48",
		"2001:3::/32",
		"2001:4:112::/48",
		"2001:10::/28",
		"2001:20::/28",
		"2001:30::/28",
		"2001:db8::/32",
		"2002::/16",
		"2620:4f:8000::/48",
		"3fff::/20",
		"5f00::/16",
		"fc00::/7",
		"fe80::/10",
		"ff00::/8",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(entries); i++)
		expect(entries[i], KH_WHY_SPECIAL, "special-purpose.list:");
	expect("192.0.2.57", KH_WHY_SPECIAL, "RFC 5737");
	expect("fe80::1", KH_WHY_SPECIAL, "RFC 4291");
}

/* Their neighbours are ordinary addresses. */
static void test_beside_special_purpose(void **state)
{
	static const char *const neighbours[] = {
		"1.0.0.0",     "9.255.255.255",	  "11.0.0.0",	"100.63.255.255", "100.128.0.0", "126.255.255.255",
		"128.0.0.0",   "172.15.255.255",  "172.32.0.0", "192.0.1.0",	  "192.0.3.0",	 "192.167.255.255",
		"192.169.0.0", "198.17.255.255",  "198.20.0.0", "203.0.112.255",  "203.0.114.0", "223.255.255.255",
		"2001:200::",  "2001:db7:ffff::", "2001:db9::", "2003::",	  "4000::",	 "2a00:1::1",
		"fbff::",      "fe00::",
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(neighbours); i++)
		expect(neighbours[i], KH_WHY_ANNEX, "");
}

static void test_never_block(void **state)
{
	(void)state;
	expect("8.8.8.8", KH_WHY_NEVER_BLOCK, "resolvers.list:");
	expect("1.1.1.1", KH_WHY_NEVER_BLOCK, "Cloudflare");
	expect("2606:4700:4700::1111", KH_WHY_NEVER_BLOCK, "resolvers.list:");
	expect("9.9.9.9", KH_WHY_NEVER_BLOCK, "Quad9");
	expect("4.2.2.3", KH_WHY_NEVER_BLOCK, "resolvers.list:");
	expect("203.113.131.1", KH_WHY_NEVER_BLOCK, "Viettel");
	expect("203.162.4.191", KH_WHY_NEVER_BLOCK, "VNPT");
	expect("210.245.24.20", KH_WHY_NEVER_BLOCK, "FPT");
	expect("194.0.1.18", KH_WHY_NEVER_BLOCK, "a.dns-servers.vn");
	expect("2001:678:4::12", KH_WHY_NEVER_BLOCK, "vn-nameservers.list:");
	expect("216.239.35.0", KH_WHY_NEVER_BLOCK, "time1.google.com");
}

static void test_thirteen_roots(void **state)
{
	static const char *const roots[][2] = {
		{ "198.41.0.4", "2001:503:ba3e::2:30" }, { "170.247.170.2", "2801:1b8:10::b" },
		{ "192.33.4.12", "2001:500:2::c" },	 { "199.7.91.13", "2001:500:2d::d" },
		{ "192.203.230.10", "2001:500:a8::e" },	 { "192.5.5.241", "2001:500:2f::f" },
		{ "192.112.36.4", "2001:500:12::d0d" },	 { "198.97.190.53", "2001:500:1::53" },
		{ "192.36.148.17", "2001:7fe::53" },	 { "192.58.128.30", "2001:503:c27::2:30" },
		{ "193.0.14.129", "2001:7fd::1" },	 { "199.7.83.42", "2001:500:9f::42" },
		{ "202.12.27.33", "2001:dc3::35" },
	};

	(void)state;
	assert_int_equal(KH_ARRAY_SIZE(roots), 13);
	for (size_t i = 0; i < KH_ARRAY_SIZE(roots); i++)
		for (size_t family = 0; family < 2; family++) {
			char name[32];

			snprintf(name, sizeof(name), "%c.root-servers.net", (char)('a' + i));
			expect(roots[i][family], KH_WHY_NEVER_BLOCK, name);
		}
}

static void test_shared(void **state)
{
	(void)state;
	expect("104.16.0.1", KH_WHY_SHARED, "Cloudflare");
	expect("151.101.1.1", KH_WHY_SHARED, "Fastly");
	expect("52.112.0.1", KH_WHY_SHARED, "Teams");
	expect("170.114.0.1", KH_WHY_SHARED, "Zoom");
	expect("2a02:26f0::1", KH_WHY_SHARED, "Akamai");
	expect("142.250.1.1", KH_WHY_SHARED, "Google");
	assert_int_equal(judge("104.16.0.1").decision, KH_REVIEW);
}

/* A never-block list is small: one wrong line must not hide much of the internet. */
static void test_holes_are_small(void **state)
{
	const struct kh_range *holes;
	uint64_t addresses = 0;
	size_t count;

	(void)state;
	kh_guard_holes(guard, &holes, &count);
	for (size_t i = 0; i < count; i++) {
		enum kh_decision_reason reason;
		char rule[160];

		assert_int_equal(kh_guard_find(guard, &holes[i], &reason, rule, sizeof(rule)), 1);
		if (holes[i].family == 4)
			addresses += (uint64_t)(holes[i].last - holes[i].first) + 1;
	}
	/* 0/8, 10/8, 127/8, 224/3, 100.64/10, 172.16/12 and some thousands */
	assert_in_range(addresses, 592000000, 593000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_list_is_known),    cmocka_unit_test(test_special_purpose),
		cmocka_unit_test(test_beside_special_purpose), cmocka_unit_test(test_never_block),
		cmocka_unit_test(test_thirteen_roots),	       cmocka_unit_test(test_shared),
		cmocka_unit_test(test_holes_are_small),
	};

	return cmocka_run_group_tests_name("rules", tests, setup, teardown);
}
