/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard by example: every rule, the letter limit, exemptions.
 */
#include "guard_case.h"

static void test_empty_guard_lets_stand(void **state)
{
	GUARD(guard);

	(void)state;
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "203.0.113.7", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "2001:db8::1", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
}

static void test_inside_is_refused(void **state)
{
	GUARD(guard);

	(void)state;
	add(guard, "10.0.0.0/8", KH_WHY_SPECIAL, "private");
	add(guard, "2001:db8::/32", KH_WHY_SPECIAL, "documentation");
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "10.0.0.0", KH_REFUSE, KH_WHY_SPECIAL, "private", 0);
	expect(guard, "10.255.255.255", KH_REFUSE, KH_WHY_SPECIAL, "private", 0);
	expect(guard, "10.0.0.0/8", KH_REFUSE, KH_WHY_SPECIAL, "private", 0);
	expect(guard, "10.0.0.5-10.200.0.1", KH_REFUSE, KH_WHY_SPECIAL, "private", 0);
	expect(guard, "9.255.255.255", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "11.0.0.0", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "2001:db8:ffff::/48", KH_REFUSE, KH_WHY_SPECIAL, "documentation", 0);
	expect(guard, "2001:db9::", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
}

/* The same number in the other family is another address. */
static void test_families_are_apart(void **state)
{
	GUARD(guard);

	(void)state;
	add(guard, "::a00:0/104", KH_WHY_SPECIAL, "six");
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "10.0.0.1", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "::a00:1", KH_REFUSE, KH_WHY_SPECIAL, "six", 0);
}

static void test_narrowest_rule_speaks(void **state)
{
	GUARD(guard);

	(void)state;
	add(guard, "10.0.0.0/8", KH_WHY_SPECIAL, "private");
	add(guard, "10.1.2.0/24", KH_WHY_OWN_SUBNET, "eth1");
	add(guard, "10.1.2.1", KH_WHY_OWN_ADDRESS, "eth1");
	add(guard, "10.1.2.0/24", KH_WHY_MANAGEMENT, "management: 10.1.2.0/24");
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "10.1.2.1", KH_REFUSE, KH_WHY_OWN_ADDRESS, "eth1", 0);
	expect(guard, "10.1.2.2", KH_REFUSE, KH_WHY_OWN_SUBNET, "eth1", 0);
	expect(guard, "10.1.2.0/25", KH_REFUSE, KH_WHY_OWN_SUBNET, "eth1", 0);
	expect(guard, "10.1.2.0-10.1.3.0", KH_REFUSE, KH_WHY_SPECIAL, "private", 0);
}

static void test_covered_by_several_rules_is_refused(void **state)
{
	GUARD(guard);

	(void)state;
	add(guard, "203.0.112.0/25", KH_WHY_NEVER_BLOCK, "low");
	add(guard, "203.0.112.128-203.0.113.255", KH_WHY_MANAGEMENT, "high");
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "203.0.112.0/23", KH_REFUSE, KH_WHY_NEVER_BLOCK, "low", 0);
	expect(guard, "203.0.112.0/22", KH_ENFORCE, KH_WHY_ANNEX, "", 1);
}

static void test_wider_is_cut(void **state)
{
	GUARD(guard);
	const struct kh_range *holes;
	size_t count;

	(void)state;
	add(guard, "198.18.5.5", KH_WHY_RESOLVER, "resolv.conf");
	add(guard, "198.18.4.0/25", KH_WHY_OWN_SUBNET, "eth1");
	add(guard, "198.18.4.9", KH_WHY_OWN_ADDRESS, "eth1");
	add(guard, "198.18.4.128/25", KH_WHY_OWN_SUBNET, "eth2");
	add(guard, "2001:db8::1", KH_WHY_RESOLVER, "resolv.conf");
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "198.18.0.0/20", KH_ENFORCE, KH_WHY_ANNEX, "", 2);
	expect(guard, "198.18.5.0/24", KH_ENFORCE, KH_WHY_ANNEX, "", 1);
	expect(guard, "198.18.4.200-198.18.5.4", KH_ENFORCE, KH_WHY_ANNEX, "", 1);
	kh_guard_holes(guard, &holes, &count);
	assert_int_equal(count, 3);
	assert_true(kh_range_contains(&holes[0], &(struct kh_range){ 0xc6120400, 0xc61204ff, 4 }));
	assert_int_equal(holes[0].last - holes[0].first, 255);
	assert_true(holes[1].first == 0xc6120505 && holes[1].last == 0xc6120505);
	assert_int_equal(holes[2].family, 6);
}

static void test_everything_is_refused(void **state)
{
	GUARD(guard);

	(void)state;
	add(guard, "10.0.0.0/8", KH_WHY_SPECIAL, "private");
	kh_guard_set_limits(guard, &(struct kh_guard_limits){ 0, 0, UINT64_MAX });
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "0.0.0.0/0", KH_REFUSE, KH_WHY_EVERYTHING, "", 0);
	expect(guard, "0.0.0.0-255.255.255.255", KH_REFUSE, KH_WHY_EVERYTHING, "", 0);
	expect(guard, "::/0", KH_REFUSE, KH_WHY_EVERYTHING, "", 0);
	expect(guard, "0.0.0.0/1", KH_ENFORCE, KH_WHY_ANNEX, "", 1);
	expect(guard, "8000::/1", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
}

static void test_first_and_last_address(void **state)
{
	GUARD(guard);
	const struct kh_range *holes;
	size_t count;

	(void)state;
	add(guard, "0.0.0.0", KH_WHY_SPECIAL, "first");
	add(guard, "255.255.255.255", KH_WHY_SPECIAL, "last");
	add(guard, "::", KH_WHY_SPECIAL, "first6");
	add(guard, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", KH_WHY_SPECIAL, "last6");
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "0.0.0.0", KH_REFUSE, KH_WHY_SPECIAL, "first", 0);
	expect(guard, "0.0.0.1", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "255.255.255.255", KH_REFUSE, KH_WHY_SPECIAL, "last", 0);
	expect(guard, "255.255.255.254", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "255.255.255.254/31", KH_ENFORCE, KH_WHY_ANNEX, "", 1);
	expect(guard, "::", KH_REFUSE, KH_WHY_SPECIAL, "first6", 0);
	expect(guard, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", KH_REFUSE, KH_WHY_SPECIAL, "last6", 0);
	kh_guard_holes(guard, &holes, &count);
	assert_int_equal(count, 4);
}

static void test_width_limits(void **state)
{
	GUARD(guard);

	(void)state;
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "198.18.0.0/20", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "198.18.0.0/19", KH_REVIEW, KH_WHY_TOO_WIDE, "widest_ipv4 = 20", 0);
	expect(guard, "198.18.0.1-198.18.16.0", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "198.18.0.1-198.18.16.1", KH_REVIEW, KH_WHY_TOO_WIDE, "widest_ipv4 = 20", 0);
	expect(guard, "2001:db8::/48", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "2001:db8::/47", KH_REVIEW, KH_WHY_TOO_WIDE, "widest_ipv6 = 48", 0);
	kh_guard_set_limits(guard, &(struct kh_guard_limits){ 32, 128, 65536 });
	expect(guard, "198.18.0.0/31", KH_REVIEW, KH_WHY_TOO_WIDE, "widest_ipv4 = 32", 0);
	expect(guard, "198.18.0.0", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "2001:db8::", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
}

static void test_shared_waits(void **state)
{
	GUARD(guard);

	(void)state;
	add(guard, "198.18.0.0/16", KH_WHY_SHARED, "cdn");
	add(guard, "198.18.7.0/24", KH_WHY_SHARED, "mail");
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "198.18.1.1", KH_REVIEW, KH_WHY_SHARED, "cdn", 0);
	expect(guard, "198.18.7.1", KH_REVIEW, KH_WHY_SHARED, "mail", 0);
	expect(guard, "198.17.255.0-198.18.0.0", KH_REVIEW, KH_WHY_SHARED, "cdn", 0);
	expect(guard, "198.19.0.0", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
}

/* Only ever lowered, and the question about the value itself is asked first. */
static void test_proposals(void **state)
{
	GUARD(guard);
	static const struct {
		const char *text;
		enum kh_decision proposed, decision;
		enum kh_decision_reason why, reason;
	} cases[] = {
		{ "198.18.1.1", KH_REVIEW, KH_REVIEW, KH_WHY_PROSE, KH_WHY_SHARED },
		{ "198.0.0.0/8", KH_REVIEW, KH_REVIEW, KH_WHY_PROSE, KH_WHY_TOO_WIDE },
		{ "192.0.2.1", KH_REVIEW, KH_REVIEW, KH_WHY_PROSE, KH_WHY_PROSE },
		{ "198.0.0.0/8", KH_REVIEW, KH_REVIEW, KH_WHY_HOST_BITS, KH_WHY_HOST_BITS },
		{ "10.0.0.0/8", KH_REVIEW, KH_REVIEW, KH_WHY_HOST_BITS, KH_WHY_HOST_BITS },
		{ "0.0.0.0/0", KH_REVIEW, KH_REFUSE, KH_WHY_HOST_BITS, KH_WHY_EVERYTHING },
		{ "10.0.0.1", KH_REVIEW, KH_REFUSE, KH_WHY_PROSE, KH_WHY_SPECIAL },
		{ "10.0.0.1", KH_REVIEW, KH_REVIEW, KH_WHY_MALFORMED, KH_WHY_MALFORMED },
		{ "10.0.0.1", KH_UNENFORCEABLE, KH_UNENFORCEABLE, KH_WHY_DOMAIN, KH_WHY_DOMAIN },
	};

	(void)state;
	add(guard, "198.18.0.0/16", KH_WHY_SHARED, "cdn");
	add(guard, "10.0.0.0/8", KH_WHY_SPECIAL, "private");
	assert_int_equal(kh_guard_seal(guard), 0);
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		struct kh_finding finding = finding_of(cases[i].text, cases[i].proposed, cases[i].why);
		struct kh_judgement judgement;

		kh_guard_judge(guard, &finding, &judgement);
		if (judgement.decision != cases[i].decision || judgement.reason != cases[i].reason)
			fail_msg("case %zu: %s %s", i, kh_decision_name(judgement.decision),
				 kh_decision_reason_name(judgement.reason));
	}
}

static void test_domains_cannot_be_enforced(void **state)
{
	GUARD(guard);
	char text[] = "c2.example";
	struct kh_finding finding = { .indicator = { .type = KH_TYPE_DOMAIN, .text = text },
				      .proposed = KH_ENFORCE,
				      .reason = KH_WHY_ANNEX };
	struct kh_judgement judgement;

	(void)state;
	assert_int_equal(kh_guard_seal(guard), 0);
	kh_guard_judge(guard, &finding, &judgement);
	assert_int_equal(judgement.decision, KH_UNENFORCEABLE);
	assert_int_equal(judgement.reason, KH_WHY_DOMAIN);
	finding.indicator.type = KH_TYPE_URL;
	kh_guard_judge(guard, &finding, &judgement);
	assert_int_equal(judgement.reason, KH_WHY_URL);
	finding.indicator.type = KH_TYPE_UNKNOWN;
	kh_guard_judge(guard, &finding, &judgement);
	assert_int_equal(judgement.decision, KH_REVIEW);
	assert_int_equal(judgement.reason, KH_WHY_MALFORMED);
	finding.indicator.type = KH_TYPE_DOMAIN;
	finding.proposed = KH_REVIEW;
	kh_guard_judge(guard, &finding, &judgement);
	assert_int_equal(judgement.decision, KH_REVIEW);
	assert_int_equal(judgement.reason, KH_WHY_ANNEX);
}

static void test_address_with_port(void **state)
{
	GUARD(guard);
	struct kh_finding finding = finding_of("10.0.0.1", KH_ENFORCE, KH_WHY_ANNEX);
	struct kh_judgement judgement;

	(void)state;
	finding.indicator.type = KH_TYPE_ADDRESS_PORT;
	finding.indicator.port = 443;
	add(guard, "10.0.0.0/8", KH_WHY_SPECIAL, "private");
	assert_int_equal(kh_guard_seal(guard), 0);
	kh_guard_judge(guard, &finding, &judgement);
	assert_int_equal(judgement.decision, KH_REFUSE);
}

static void judge_letter(const char *const *texts, size_t count, struct kh_judgement *ret_judgements)
{
	GUARD(guard);
	struct kh_finding findings[8];

	assert_true(count <= KH_ARRAY_SIZE(findings));
	for (size_t i = 0; i < count; i++)
		findings[i] = finding_of(texts[i], KH_ENFORCE, KH_WHY_ANNEX);
	kh_guard_set_limits(guard, &(struct kh_guard_limits){ 15, 32, 65536 });
	add(guard, "10.0.0.0/8", KH_WHY_SPECIAL, "private");
	assert_int_equal(kh_guard_seal(guard), 0);
	kh_guard_judge_all(guard, findings, count, NULL, ret_judgements);
}

static void test_letter_at_the_limit_stands(void **state)
{
	/* exactly 65536: what overlaps is counted once, what is refused or IPv6 or waits for another reason not at all */
	const char *texts[] = { "198.18.0.0/17", "198.18.0.0/18", "198.18.128.0/17", "198.18.4.4",
				"10.9.0.0/16",	 "2001:db8::/32", "128.0.0.0/8" };
	struct kh_judgement judgements[KH_ARRAY_SIZE(texts)];

	(void)state;
	judge_letter(texts, KH_ARRAY_SIZE(texts), judgements);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(judgements[i].decision, KH_ENFORCE);
	assert_int_equal(judgements[4].reason, KH_WHY_SPECIAL);
	assert_int_equal(judgements[5].decision, KH_ENFORCE);
	assert_int_equal(judgements[6].reason, KH_WHY_TOO_WIDE);
}

static void test_letter_over_the_limit_waits(void **state)
{
	const char *texts[] = { "198.18.0.0/16", "203.0.113.1", "2001:db8::/32", "203.0.113.4-203.0.113.9",
				"10.9.0.0/16" };
	struct kh_judgement judgements[KH_ARRAY_SIZE(texts)];

	(void)state;
	judge_letter(texts, KH_ARRAY_SIZE(texts), judgements);
	assert_int_equal(judgements[0].reason, KH_WHY_LETTER_TOO_WIDE);
	assert_int_equal(judgements[0].decision, KH_REVIEW);
	assert_string_equal(judgements[0].rule, "65543 > 65536");
	assert_int_equal(judgements[1].decision, KH_ENFORCE);
	assert_int_equal(judgements[2].reason, KH_WHY_LETTER_TOO_WIDE);
	assert_int_equal(judgements[3].reason, KH_WHY_LETTER_TOO_WIDE);
	assert_int_equal(judgements[4].reason, KH_WHY_SPECIAL);
}

/* Findings and bulk lists, each address counted once: 65,536 in all, or one more. */
static void test_bulk_lists_count_for_the_limit(void **state)
{
	static const char *const texts[][3] = { { "198.18.0.0/17", "198.18.127.255", NULL },
						{ "198.18.64.0/18", "198.18.128.0-198.18.254.255", NULL } };
	struct kh_finding finding = finding_of("198.18.255.0/24", KH_ENFORCE, KH_WHY_ANNEX);
	const struct kh_bulk *lists[2];
	const struct kh_guard_bulks bulks = { lists, 2 };
	struct kh_bulk both[2] = {};
	struct kh_judgement judgement;
	GUARD(guard);

	(void)state;
	assert_int_equal(kh_guard_seal(guard), 0);
	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; texts[i][j]; j++) {
			struct kh_range range = range_of(texts[i][j]);

			assert_int_equal(kh_bulk_add(&both[i], &range, 1), 0);
		}
		assert_int_equal(kh_bulk_sort(&both[i]), 0);
		lists[i] = &both[i];
	}
	assert_false(kh_guard_judge_all(guard, &finding, 1, &bulks, &judgement));
	assert_int_equal(judgement.decision, KH_ENFORCE);
	finding.indicator.range.last++;
	assert_true(kh_guard_judge_all(guard, &finding, 1, &bulks, &judgement));
	assert_int_equal(judgement.reason, KH_WHY_LETTER_TOO_WIDE);
	assert_string_equal(judgement.rule, "65537 > 65536");
	assert_false(kh_guard_judge_all(guard, NULL, 0, &bulks, NULL));
	for (size_t i = 0; i < 2; i++)
		kh_bulk_clear(&both[i]);
}

static void test_exempt_lifts_special_only(void **state)
{
	GUARD(guard);
	struct kh_range lifted = range_of("203.0.113.64/26"), all = range_of("192.0.2.0/23");

	(void)state;
	assert_int_equal(kh_guard_exempt(guard, &lifted), 0); /* before the rules it is about */
	add(guard, "203.0.113.0/24", KH_WHY_SPECIAL, "documentation");
	add(guard, "203.0.113.70", KH_WHY_OWN_ADDRESS, "eth0");
	add(guard, "192.0.2.0/24", KH_WHY_SPECIAL, "documentation");
	assert_int_equal(kh_guard_exempt(guard, &all), 0);
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "203.0.113.63", KH_REFUSE, KH_WHY_SPECIAL, "documentation", 0);
	expect(guard, "203.0.113.64", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "203.0.113.70", KH_REFUSE, KH_WHY_OWN_ADDRESS, "eth0", 0);
	expect(guard, "203.0.113.127", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "203.0.113.128", KH_REFUSE, KH_WHY_SPECIAL, "documentation", 0);
	expect(guard, "203.0.113.0/24", KH_ENFORCE, KH_WHY_ANNEX, "", 3);
	expect(guard, "192.0.2.0/24", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	add(guard, "192.0.2.0/24", KH_WHY_SPECIAL, "again"); /* still exempt at the next seal */
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "192.0.2.1", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
}

static void test_find_tells_the_narrowest(void **state)
{
	GUARD(guard);
	enum kh_decision_reason reason;
	char rule[16];
	struct kh_range asked = range_of("198.18.0.0/24");

	(void)state;
	add(guard, "198.18.0.0/16", KH_WHY_SHARED, "cdn");
	add(guard, "198.0.0.0/8", KH_WHY_NEVER_BLOCK, "wide");
	assert_int_equal(kh_guard_seal(guard), 0);
	assert_int_equal(kh_guard_find(guard, &asked, &reason, rule, sizeof(rule)), 1);
	assert_int_equal(reason, KH_WHY_SHARED);
	assert_string_equal(rule, "cdn");
	asked = range_of("198.19.0.0/24");
	assert_int_equal(kh_guard_find(guard, &asked, &reason, rule, sizeof(rule)), 1);
	assert_int_equal(reason, KH_WHY_NEVER_BLOCK);
	asked = range_of("199.0.0.0");
	assert_int_equal(kh_guard_find(guard, &asked, &reason, rule, sizeof(rule)), 0);
}

/* Spared is cut out of every block, and judged as if nothing were there: what orders it waits for its end. */
static void test_spared_is_a_hole_and_no_refusal(void **state)
{
	struct kh_range peer = range_of("203.0.113.7"), wide = range_of("203.0.113.0/24");
	enum kh_decision_reason reason;
	const struct kh_range *holes;
	size_t count;
	char rule[160];
	GUARD(guard);

	(void)state;
	add(guard, "203.0.113.8", KH_WHY_MANAGEMENT, "management");
	assert_int_equal(kh_guard_spare(guard, &peer, "ssh: 203.0.113.7 51234"), 0);
	assert_int_equal(kh_guard_seal(guard), 0);
	expect(guard, "203.0.113.7", KH_ENFORCE, KH_WHY_ANNEX, "", 0);
	expect(guard, "203.0.113.7-203.0.113.8", KH_ENFORCE, KH_WHY_ANNEX, "", 1);
	expect(guard, "203.0.113.8", KH_REFUSE, KH_WHY_MANAGEMENT, "management", 0);
	kh_guard_holes(guard, &holes, &count);
	assert_int_equal(count, 1);
	assert_true(holes[0].first == peer.first && holes[0].last == peer.first + 1);
	assert_int_equal(kh_guard_find(guard, &peer, &reason, rule, sizeof(rule)), 1);
	assert_int_equal(reason, KH_WHY_SESSION);
	assert_string_equal(rule, "ssh: 203.0.113.7 51234");
	assert_int_equal(kh_guard_find(guard, &wide, &reason, rule, sizeof(rule)), 1);
	assert_int_equal(reason, KH_WHY_MANAGEMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_guard_lets_stand),
		cmocka_unit_test(test_inside_is_refused),
		cmocka_unit_test(test_families_are_apart),
		cmocka_unit_test(test_narrowest_rule_speaks),
		cmocka_unit_test(test_covered_by_several_rules_is_refused),
		cmocka_unit_test(test_wider_is_cut),
		cmocka_unit_test(test_everything_is_refused),
		cmocka_unit_test(test_first_and_last_address),
		cmocka_unit_test(test_width_limits),
		cmocka_unit_test(test_shared_waits),
		cmocka_unit_test(test_proposals),
		cmocka_unit_test(test_domains_cannot_be_enforced),
		cmocka_unit_test(test_address_with_port),
		cmocka_unit_test(test_letter_at_the_limit_stands),
		cmocka_unit_test(test_letter_over_the_limit_waits),
		cmocka_unit_test(test_bulk_lists_count_for_the_limit),
		cmocka_unit_test(test_exempt_lifts_special_only),
		cmocka_unit_test(test_find_tells_the_narrowest),
		cmocka_unit_test(test_spared_is_a_hole_and_no_refusal),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
