// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names in the guard, and lists in MISP's form: what is popular waits, what must never be blocked is refused, a page on a shared site says so; and no form
 * of a listed address is enforced.
 */
#include "guard/guard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

static struct kh_guard *make(const char *name, const char *text)
{
	struct kh_guard *guard = kh_guard_new();
	struct kh_error error = { 0 };

	assert_non_null(guard);
	if (kh_guard_add_list(guard, name, text, strlen(text), &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(kh_guard_seal(guard), 0);
	return guard;
}

static void expect(const struct kh_guard *guard, const char *value, enum kh_decision decision,
		   enum kh_decision_reason reason, const char *rule)
{
	struct kh_finding finding = { .raw = (char *)(uintptr_t)value };
	struct kh_judgement judgement;

	assert_int_equal(kh_indicator_parse(value, &finding.indicator, NULL), 0);
	finding.proposed = kh_indicator_enforceable(&finding.indicator) ? KH_ENFORCE : KH_UNENFORCEABLE;
	finding.reason = finding.proposed == KH_ENFORCE		 ? KH_WHY_ANNEX
			 : finding.indicator.type == KH_TYPE_URL ? KH_WHY_URL
								 : KH_WHY_DOMAIN;
	kh_guard_judge(guard, &finding, &judgement);
	if (judgement.decision != decision || judgement.reason != reason || strcmp(judgement.rule, rule) != 0)
		fail_msg("%s: %s %s \"%s\"", value, kh_decision_name(judgement.decision),
			 kh_decision_reason_name(judgement.reason), judgement.rule);
	kh_indicator_clear(&finding.indicator);
}

static void test_names(void **state)
{
	struct kh_guard *guard = make(
		"n.list",
		"own.example  us\n*.all.example\n@kind shared-infrastructure\n*.files.example  files\nfree.example\nown.example\n");

	(void)state;
	expect(guard, "own.example", KH_REFUSE, KH_WHY_NEVER_BLOCK, "n.list:1 us");
	expect(guard, "www.own.example", KH_UNENFORCEABLE, KH_WHY_DOMAIN, "");
	expect(guard, "all.example", KH_REFUSE, KH_WHY_NEVER_BLOCK, "n.list:2");
	expect(guard, "a.b.all.example", KH_REFUSE, KH_WHY_NEVER_BLOCK, "n.list:2");
	expect(guard, "ball.example", KH_UNENFORCEABLE, KH_WHY_DOMAIN, "");
	expect(guard, "x.files.example", KH_REVIEW, KH_WHY_SHARED, "n.list:4 files");
	expect(guard, "*.files.example", KH_REVIEW, KH_WHY_SHARED, "n.list:4 files");
	expect(guard, "free.example", KH_REVIEW, KH_WHY_SHARED, "n.list:5");
	expect(guard, "bad.free.example", KH_UNENFORCEABLE, KH_WHY_DOMAIN, "");
	expect(guard, "https://x.files.example/a.exe", KH_UNENFORCEABLE, KH_WHY_SHARED_HOST, "n.list:4 files");
	expect(guard, "http://user:word@own.example:8080?q", KH_UNENFORCEABLE, KH_WHY_SHARED_HOST, "n.list:1 us");
	expect(guard, "http://files.example.bad.example/", KH_UNENFORCEABLE, KH_WHY_URL, "");
	expect(guard, "http://203.0.113.7/", KH_UNENFORCEABLE, KH_WHY_URL, "");
	kh_guard_free(guard);
}

static void test_warninglists(void **state)
{
	struct kh_guard *never = make(
		"w.json",
		" {\"name\": \"x\", \"type\": \"cidr\", \"list\": [\"203.0.113.0/24\", \"2001:db8::7\", \"0.0.0.0/0\", \"own.example\"]}");
	struct kh_guard *shared =
		make("w.shared.json",
		     "{\"type\": \"hostname\", \"list\": [\".files.example\", \"198.51.100.7\", \"a@mail.example\"]}");

	(void)state;
	expect(never, "203.0.113.7", KH_REFUSE, KH_WHY_NEVER_BLOCK, "w.json:1");
	expect(never, "203.0.113.7:443/tcp", KH_REFUSE, KH_WHY_NEVER_BLOCK, "w.json:1");
	expect(never, "203.0.113.8/30", KH_REFUSE, KH_WHY_NEVER_BLOCK, "w.json:1");
	expect(never, "203.0.113.8-203.0.113.21", KH_REFUSE, KH_WHY_NEVER_BLOCK, "w.json:1");
	expect(never, "2001:db8::7", KH_REFUSE, KH_WHY_NEVER_BLOCK, "w.json:2");
	expect(never, "192.0.2.1", KH_ENFORCE, KH_WHY_ANNEX, "");
	expect(never, "own.example", KH_REFUSE, KH_WHY_NEVER_BLOCK, "w.json:4");
	expect(never, "www.own.example", KH_UNENFORCEABLE, KH_WHY_DOMAIN, "");
	expect(shared, "www.files.example", KH_REVIEW, KH_WHY_SHARED, "w.shared.json:1");
	expect(shared, "198.51.100.7", KH_REVIEW, KH_WHY_SHARED, "w.shared.json:2");
	kh_guard_free(never);
	kh_guard_free(shared);
}

/* All or nothing: what was there before stays, nothing of the bad file does. */
static void test_bad_files(void **state)
{
	static const char *const bad[] = { "{\"list\": [\"203.0.113.7\"", "{\"type\": \"regex\", \"list\": [\"x\"]}",
					   "{\"type\": \"cidr\"}", "{\"list\": []}", "other.example\n203.0.113.300\n" };
	struct kh_guard *guard = make("n.list", "own.example\n");

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(bad); i++) {
		struct kh_error error = { 0 };

		assert_int_equal(kh_guard_add_list(guard, "bad", bad[i], strlen(bad[i]), &error), -EINVAL);
		assert_int_equal(strncmp(error.text, "bad:", 4), 0);
		assert_true(error.hint[0]);
	}
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "own.example", KH_REFUSE, KH_WHY_NEVER_BLOCK, "n.list:1");
	expect(guard, "other.example", KH_UNENFORCEABLE, KH_WHY_DOMAIN, "");
	expect(guard, "203.0.113.7", KH_ENFORCE, KH_WHY_ANNEX, "");
	kh_guard_free(guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_warninglists),
					    cmocka_unit_test(test_bad_files) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
