// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Folding is exact: over restarts of the daemon, new maps, replaced arrays, reboots, zeroed records and slots that change
 * hands; and totals and sightings tell it by every key.
 */
#include "ledger_help.h"

static struct kh_fold_record record(uint32_t slot, uint64_t packets, uint64_t bytes, uint32_t first, uint32_t last)
{
	return (struct kh_fold_record){
		.slot = slot, .raw = { .packets = packets, .bytes = bytes, .first_seen = first, .last_seen = last }
	};
}

static void fold(struct env *env, uint32_t map, struct kh_fold_record raw)
{
	begin(env);
	assert_ok(kh_ledger_fold_records(env->ledger, map, &raw, 1, &why));
	commit(env);
}

static int print_total(const struct kh_total *total, void *context)
{
	print(context, "%s [%s] %lld %lld %lld-%lld\n", total->key, total->extra, (long long)total->packets,
	      (long long)total->bytes, (long long)total->first_seen, (long long)total->last_seen);
	return 0;
}

static const char *totals_text(struct env *env, const char *by, int64_t since, int64_t limit)
{
	clear(env);
	assert_int_equal(kh_ledger_totals(env->ledger, by, since, limit, print_total, env), 0);
	return env->text;
}

static const char *totals(struct env *env)
{
	return totals_text(env, "indicator", 0, 0);
}

/* 203.0.113.1 has slot 1, 203.0.113.2 slot 2. */
static int setup_two(void **state)
{
	struct env *env;

	if (setup(state))
		return -1;
	env = *state;
	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	force_text(env, 100, 60);
	commit(env);
	return 0;
}

static void differences_add_up(void **state)
{
	struct env *env = *state;
	const struct kh_fold_record both[] = { record(1, 0, 0, 0, 0), record(2, 7, 700, 50, 60) };

	fold(env, 5, record(1, 10, 1000, 500, 510));
	fold(env, 5, record(1, 10, 1000, 500, 510));
	fold(env, 5, record(1, 25, 2600, 500, 530));
	assert_string_equal(totals(env), "203.0.113.1 [] 25 2600 500-530\n");
	begin(env);
	assert_ok(kh_ledger_fold_records(env->ledger, 5, both, 2, &why)); /* zero tells nothing */
	commit(env);
	fold(env, 5, record(3, 99, 99, 1, 1)); /* nobody's slot */
	assert_string_equal(totals(env), "203.0.113.1 [] 25 2600 500-530\n203.0.113.2 [] 7 700 50-60\n");
}

static void within_one_second_or_one_number_is_not_the_same(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	fold(env, 5, record(1, 12, 1000, 500, 510));
	fold(env, 5, record(1, 12, 1200, 500, 510));
	assert_string_equal(totals(env), "203.0.113.1 [] 12 1200 500-510\n");
	fold(env, 6, record(1, 12, 1200, 500, 510));
	assert_string_equal(totals(env), "203.0.113.1 [] 24 2400 500-510\n");
}

static void a_restarted_daemon_goes_on(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	reopen(env);
	fold(env, 5, record(1, 12, 1200, 500, 520));
	assert_string_equal(totals(env), "203.0.113.1 [] 12 1200 500-520\n");
}

static void what_was_not_committed_is_folded_again(void **state)
{
	struct env *env = *state;
	struct kh_fold_record raw = record(1, 10, 1000, 500, 510);

	begin(env);
	assert_ok(kh_ledger_fold_records(env->ledger, 5, &raw, 1, &why));
	kh_ledger_rollback(env->ledger);
	assert_string_equal(totals(env), "");
	fold(env, 5, raw);
	assert_string_equal(totals(env), "203.0.113.1 [] 10 1000 500-510\n");
}

static void a_new_map_counts_from_zero(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	fold(env, 6, record(1, 30, 3000, 600, 610));
	fold(env, 6, record(1, 31, 3100, 600, 611));
	assert_string_equal(totals(env), "203.0.113.1 [] 41 4100 500-611\n");
}

static void a_replaced_array_may_be_folded_after_its_successor(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	fold(env, 6, record(1, 1, 100, 600, 610));
	fold(env, 5, record(1, 14, 1400, 500, 605)); /* the four that came before the switch */
	assert_string_equal(totals(env), "203.0.113.1 [] 15 1500 500-610\n");
	fold(env, 6, record(1, 3, 300, 600, 620));
	fold(env, 5, record(1, 14, 1400, 500, 605));
	assert_string_equal(totals(env), "203.0.113.1 [] 17 1700 500-620\n");
}

static void the_same_map_number_after_a_reboot_is_another_map(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	kh_ledger_set_boot(env->ledger, "another boot");
	fold(env, 5, record(1, 11, 1100, 505, 700));
	assert_string_equal(totals(env), "203.0.113.1 [] 21 2100 500-700\n");
	kh_ledger_set_boot(env->ledger, "another boot"); /* the same one still */
	fold(env, 5, record(1, 12, 1200, 505, 701));
	assert_string_equal(totals(env), "203.0.113.1 [] 22 2200 500-701\n");
	assert_string_equal(query_text(env, "SELECT value FROM meta WHERE key = 'boot'"), "another boot\n");
}

static void a_boot_that_was_not_written_is_noticed_again(void **state)
{
	struct env *env = *state;
	int64_t epoch;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	epoch = env->ledger->epoch;
	kh_ledger_set_boot(env->ledger, "another boot");
	begin(env);
	kh_ledger_rollback(env->ledger);
	assert_int_equal(env->ledger->epoch, epoch + 1);
	fold(env, 5, record(1, 11, 1100, 500, 511));
	assert_string_equal(totals(env), "203.0.113.1 [] 21 2100 500-511\n");
}

static void a_record_that_started_again_counts_in_full(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	fold(env, 5, record(1, 4, 400, 511, 910)); /* went back */
	assert_string_equal(totals(env), "203.0.113.1 [] 14 1400 500-910\n");
	fold(env, 5, record(1, 50, 5000, 2000, 2010)); /* ahead already, but first seen after the last time */
	assert_string_equal(totals(env), "203.0.113.1 [] 64 6400 500-2010\n");
}

static void a_first_time_written_twice_is_no_restart(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 1, 100, 0, 0)); /* counted, not yet stamped */
	fold(env, 5, record(1, 2, 200, 500, 500));
	fold(env, 5, record(1, 3, 300, 501, 501)); /* two processors */
	assert_string_equal(totals(env), "203.0.113.1 [] 3 300 500-501\n");
}

/* ---- Slots that change hands --------------------------------------------------------------------- */

/* Slot 1 goes from 203.0.113.1 to 203.0.113.3. */
static void hand_over(struct env *env)
{
	act(env, "unblock");
	put(env, 1, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	force_text(env, 1000, 60);
	commit(env);
	begin(env);
	assert_ok(kh_ledger_fold_counters(env->ledger, 9, NULL, 0, &why));
	commit(env);
	act(env, "block");
	put(env, 1, "203.0.113.3", KH_ORDER_ACTIVE, 0);
	assert_string_equal(force_text(env, 2000, 60), "2 203.0.113.2 drop 0\n1 203.0.113.3 drop 0 fresh\n");
	commit(env);
}

static void counts_after_leaving_are_still_its_own(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	act(env, "unblock");
	put(env, 1, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	force_text(env, 1000, 60);
	commit(env);
	fold(env, 5, record(1, 13, 1300, 500, 999));
	assert_string_equal(totals(env), "203.0.113.1 [] 13 1300 500-999\n");
}

static void a_zeroed_record_is_the_new_holders(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	hand_over(env);
	fold(env, 5, record(1, 15, 1500, 2001, 2002)); /* more than the former holder ever had */
	fold(env, 5, record(1, 16, 1600, 2001, 2003));
	assert_string_equal(totals(env), "203.0.113.3 [] 16 1600 2001-2003\n203.0.113.1 [] 10 1000 500-510\n");
}

static void a_zeroed_record_is_known_by_a_clock_set_back_too(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	hand_over(env);
	fold(env, 5, record(1, 10, 1000, 300, 510)); /* only the first time tells it from the former holder's */
	assert_string_equal(totals(env), "203.0.113.1 [] 10 1000 500-510\n203.0.113.3 [] 10 1000 300-510\n");
	fold(env, 5, record(1, 15, 1500, 300, 511));
	assert_string_equal(totals(env), "203.0.113.3 [] 15 1500 300-511\n203.0.113.1 [] 10 1000 500-510\n");
}

static void a_record_nobody_zeroed_tells_only_what_is_new(void **state)
{
	struct env *env = *state;

	fold(env, 5, record(1, 10, 1000, 500, 510));
	hand_over(env);
	fold(env, 5, record(1, 10, 1000, 500, 510));
	assert_string_equal(totals(env), "203.0.113.1 [] 10 1000 500-510\n");
	fold(env, 5, record(1, 12, 1200, 500, 2500));
	assert_string_equal(totals_text(env, "indicator", 0, 1), "203.0.113.1 [] 10 1000 500-510\n");
	assert_string_equal(query_text(env, "SELECT packets FROM counts WHERE indicator = 3"), "2\n");
}

/* ---- Sightings ------------------------------------------------------------------------------------ */

static struct kh_fold_sighting sighting(uint32_t slot, const char *host, uint64_t packets, uint32_t first,
					uint32_t last)
{
	struct kh_fold_sighting fold = {
		.key = { .slot = slot, .mac = { 0, 0, 0x5e, 0, 0x53, 0x57 } },
		.interface = "eth1",
		.raw = { .packets = packets, .bytes = packets * 100, .first_seen = first, .last_seen = last }
	};
	struct kh_range range;

	if (host) {
		assert_int_equal(kh_address_parse(host, strlen(host), &range), 0);
		kh_range_to_mapped(&range, fold.key.address);
	} else {
		fold.key.flags = KH_SIGHTING_SPOOFED;
		memset(fold.key.mac, 0, sizeof(fold.key.mac));
	}
	return fold;
}

static void sight(struct env *env, uint32_t map, struct kh_fold_sighting raw)
{
	begin(env);
	assert_ok(kh_ledger_fold_sightings(env->ledger, map, &raw, 1, &why));
	commit(env);
}

static int print_sighting(const struct kh_sighting_row *row, void *context)
{
	print(context, "%s (%s) %s %s %s f%d %lld %lld %lld-%lld\n", row->value, row->numbers, row->host, row->mac,
	      row->interface, row->flags, (long long)row->packets, (long long)row->bytes, (long long)row->first_seen,
	      (long long)row->last_seen);
	return 0;
}

static const char *sightings(struct env *env, const char *host, const char *value)
{
	clear(env);
	assert_int_equal(kh_ledger_sightings(env->ledger, host, value, 0, print_sighting, env), 0);
	return env->text;
}

static void sightings_name_machine_and_letters(void **state)
{
	struct env *env = *state;
	int64_t a, b;

	act(env, "push");
	a = put_letter(env, "1/A", NULL, 2020, 1);
	b = put_letter(env, "2/B", NULL, 2020, 1);
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, b, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, b, "203.0.113.2", KH_ORDER_REVIEW, 0);
	commit(env);
	sight(env, 8, sighting(1, "192.0.2.57", 3, 500, 510));
	sight(env, 8, sighting(1, "192.0.2.57", 5, 500, 520));
	sight(env, 8, sighting(2, "2001:db8::57", 1, 600, 600));
	sight(env, 8, sighting(2, NULL, 9, 400, 400));
	reopen(env);
	sight(env, 8, sighting(1, "192.0.2.57", 6, 500, 530));
	assert_string_equal(sightings(env, NULL, NULL),
			    "203.0.113.2 () 2001:db8::57 00:00:5e:00:53:57 eth1 f0 1 100 600-600\n"
			    "203.0.113.1 (1/A, 2/B) 192.0.2.57 00:00:5e:00:53:57 eth1 f0 6 600 500-530\n"
			    "203.0.113.2 ()   eth1 f1 9 900 400-400\n");
	assert_string_equal(sightings(env, "192.0.2.57", NULL),
			    "203.0.113.1 (1/A, 2/B) 192.0.2.57 00:00:5e:00:53:57 eth1 f0 6 600 500-530\n");
	assert_string_equal(sightings(env, "00-00-5E-00-53-57", "203.0.113.2"),
			    "203.0.113.2 () 2001:db8::57 00:00:5e:00:53:57 eth1 f0 1 100 600-600\n");
	assert_string_equal(sightings(env, "192.0.2.58", NULL), "");
	assert_string_equal(sightings(env, NULL, "203.0.113.99"), "");
	assert_int_equal(kh_ledger_sightings(env->ledger, "KT-MAY03", NULL, 0, print_sighting, env), -EINVAL);
	clear(env);
	assert_int_equal(kh_ledger_sightings(env->ledger, NULL, NULL, 1, print_sighting, env), 0);
	assert_string_equal(env->text, "203.0.113.2 () 2001:db8::57 00:00:5e:00:53:57 eth1 f0 1 100 600-600\n");
}

static void a_forgotten_sighting_seen_again_adds_up(void **state)
{
	struct env *env = *state;

	sight(env, 8, sighting(1, "192.0.2.57", 3, 500, 510));
	sight(env, 8, sighting(1, "192.0.2.57", 3, 9000, 9010)); /* the kernel's entry was deleted in between */
	assert_string_equal(sightings(env, NULL, NULL),
			    "203.0.113.1 () 192.0.2.57 00:00:5e:00:53:57 eth1 f0 6 600 500-9010\n");
}

static void nobody_is_accused_of_the_former_holders_calls(void **state)
{
	struct env *env = *state;

	sight(env, 8, sighting(1, "192.0.2.57", 3, 500, 510));
	sight(env, 8, sighting(1, "192.0.2.58", 4, 500, 510));
	hand_over(env);
	sight(env, 8, sighting(1, "192.0.2.57", 3, 500, 510)); /* still in the kernel's table */
	assert_string_equal(sightings(env, NULL, "203.0.113.3"), "");
	sight(env, 8, sighting(1, "192.0.2.57", 4, 500, 2500));
	assert_string_equal(sightings(env, NULL, "203.0.113.3"),
			    "203.0.113.3 () 192.0.2.57 00:00:5e:00:53:57 eth1 f0 1 100 2500-2500\n");
	sight(env, 8, sighting(1, "192.0.2.58", 4, 2600, 2700)); /* that one was forgotten and is new */
	assert_string_equal(sightings(env, "192.0.2.58", "203.0.113.3"),
			    "203.0.113.3 () 192.0.2.58 00:00:5e:00:53:57 eth1 f0 4 400 2600-2700\n");
	assert_string_equal(sightings(env, NULL, "203.0.113.1"),
			    "203.0.113.1 () 192.0.2.57 00:00:5e:00:53:57 eth1 f0 3 300 500-510\n"
			    "203.0.113.1 () 192.0.2.58 00:00:5e:00:53:57 eth1 f0 4 400 500-510\n");
}

/* ---- Totals --------------------------------------------------------------------------------------- */

static void counter(struct env *env, uint32_t map, const char *interface, enum kh_direction direction,
		    enum kh_reason reason, uint64_t packets)
{
	struct kh_fold_counter fold = { interface, direction, reason, { packets, packets * 10 } };

	begin(env);
	assert_ok(kh_ledger_fold_counters(env->ledger, map, &fold, 1, &why));
	commit(env);
}

static void interfaces_and_reasons_add_up(void **state)
{
	struct env *env = *state;

	counter(env, 3, "eth0", KH_INGRESS, KH_REASON_PASSED, 100);
	counter(env, 3, "eth0", KH_INGRESS, KH_REASON_PASSED, 150);
	counter(env, 3, "eth0", KH_INGRESS, KH_REASON_DROPPED, 5);
	counter(env, 3, "eth0", KH_EGRESS, KH_REASON_DROPPED, 20);
	counter(env, 3, "eth1", KH_INGRESS, KH_REASON_ENCAPSULATED, 1);
	reopen(env);
	counter(env, 4, "eth0", KH_INGRESS, KH_REASON_PASSED, 50);
	assert_string_equal(totals_text(env, "interface", 99999, 0),
			    "eth0 [ingress] 205 2050 0-0\neth0 [egress] 20 200 0-0\neth1 [ingress] 1 10 0-0\n");
	assert_string_equal(totals_text(env, "reason", 0, 2), "passed [] 200 2000 0-0\ndropped [] 25 250 0-0\n");
}

static void totals_by_letter_machine_and_time(void **state)
{
	struct env *env = *state;
	int64_t a, b;

	act(env, "push");
	a = put_letter(env, "1/A", NULL, 2020, 1);
	b = put_letter(env, "2/B", NULL, 2020, 1);
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, a, "203.0.113.2", KH_ORDER_EXPIRED, 0);
	put(env, b, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	put(env, b, "203.0.113.1", KH_ORDER_REFUSED, 0); /* never in force: no part in it */
	commit(env);
	fold(env, 5, record(1, 10, 1000, 500, 510));
	fold(env, 5, record(2, 7, 700, 400, 900));
	sight(env, 8, sighting(1, "192.0.2.57", 3, 500, 510));
	sight(env, 8, sighting(2, "192.0.2.57", 4, 520, 530));
	sight(env, 8, sighting(2, "192.0.2.58", 9, 600, 900));
	assert_string_equal(totals(env), "203.0.113.1 [1/A] 10 1000 500-510\n203.0.113.2 [2/B] 7 700 400-900\n");
	assert_string_equal(totals_text(env, "indicator", 511, 0), "203.0.113.2 [2/B] 7 700 400-900\n");
	assert_string_equal(totals_text(env, "advisory", 0, 0),
			    " [] 17 1700 400-900\n1/A [] 17 1700 400-900\n2/B [] 7 700 400-900\n");
	assert_string_equal(totals_text(env, "advisory", 511, 2), " [] 7 700 400-900\n1/A [] 7 700 400-900\n");
	assert_string_equal(totals_text(env, "host", 0, 0), "192.0.2.58 [00:00:5e:00:53:57] 9 900 600-900\n"
							    "192.0.2.57 [00:00:5e:00:53:57] 7 700 500-530\n");
	assert_string_equal(totals_text(env, "host", 520, 0), "192.0.2.58 [00:00:5e:00:53:57] 9 900 600-900\n"
							      "192.0.2.57 [00:00:5e:00:53:57] 4 400 520-530\n");
	assert_int_equal(kh_ledger_totals(env->ledger, "colour", 0, 0, print_total, env), -EINVAL);
}

static int print_sums(const struct kh_letter_row *row, void *context)
{
	print(context, "%s %lld %lld %lld-%lld\n", row->number, (long long)row->packets, (long long)row->bytes,
	      (long long)row->first_seen, (long long)row->last_seen);
	return 0;
}

static int print_counts(const struct kh_order_row *row, void *context)
{
	print(context, "%s %lld %lld %lld-%lld\n", row->value, (long long)row->packets, (long long)row->bytes,
	      (long long)row->first_seen, (long long)row->last_seen);
	return 0;
}

static void letters_and_orders_carry_their_counts(void **state)
{
	struct env *env = *state;
	int64_t a;

	act(env, "push");
	a = put_letter(env, "1/A", NULL, 2020, 1);
	put(env, a, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, a, "203.0.113.2", KH_ORDER_WITHDRAWN, 0);
	put(env, a, "203.0.113.9", KH_ORDER_ACTIVE, 0);
	put(env, put_letter(env, "2/B", NULL, 2020, 0), "203.0.113.1", KH_ORDER_REFUSED, 0);
	commit(env);
	fold(env, 5, record(1, 10, 1000, 500, 510));
	fold(env, 5, record(2, 7, 700, 400, 900));
	clear(env);
	assert_int_equal(kh_ledger_letters(env->ledger, NULL, print_sums, env), 0);
	assert_int_equal(
		kh_ledger_orders(env->ledger, &(struct kh_order_filter){ .state = -1, .letter = a }, print_counts, env),
		0);
	assert_string_equal(
		env->text,
		"1/A 17 1700 400-900\n2/B 0 0 0-0\n203.0.113.1 10 1000 500-510\n203.0.113.2 7 700 400-900\n203.0.113.9 0 0 0-0\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_two, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(differences_add_up),
		CASE(within_one_second_or_one_number_is_not_the_same),
		CASE(a_restarted_daemon_goes_on),
		CASE(what_was_not_committed_is_folded_again),
		CASE(a_new_map_counts_from_zero),
		CASE(a_replaced_array_may_be_folded_after_its_successor),
		CASE(the_same_map_number_after_a_reboot_is_another_map),
		CASE(a_boot_that_was_not_written_is_noticed_again),
		CASE(a_record_that_started_again_counts_in_full),
		CASE(a_first_time_written_twice_is_no_restart),
		CASE(counts_after_leaving_are_still_its_own),
		CASE(a_zeroed_record_is_the_new_holders),
		CASE(a_zeroed_record_is_known_by_a_clock_set_back_too),
		CASE(a_record_nobody_zeroed_tells_only_what_is_new),
		CASE(sightings_name_machine_and_letters),
		CASE(a_forgotten_sighting_seen_again_adds_up),
		CASE(nobody_is_accused_of_the_former_holders_calls),
		CASE(interfaces_and_reasons_add_up),
		CASE(totals_by_letter_machine_and_time),
		CASE(letters_and_orders_carry_their_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
