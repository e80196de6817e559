// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Seeded random damage to the file and its log: nothing crashes, nothing is lost, and no state is ever half of one.
 */
#include "ledger_files.h"

/* ---- Damage --------------------------------------------------------------------------------------- */

static uint64_t seed;

static size_t random_below(size_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)((seed >> 11) % limit);
}

static void fill(struct env *env)
{
	int64_t letter;

	open_ledger(env);
	act(env, "push");
	letter = put_letter(env, "1/A", "NCSC", 2020, 1);
	for (unsigned int i = 0; i < 300; i++) {
		char value[64];

		snprintf(value, sizeof(value), i % 3 ? "203.0.%u.%u" : "2001:db8:%x::%x", i / 256, i % 256);
		put(env, i % 2 ? letter : 1, value, (enum kh_order_state)(i % 4), i % 5 * 100);
	}
	put(env, 1, "c2.example", KH_ORDER_UNENFORCEABLE, 0);
	put_allow(env, "198.51.100.0/24", 50, true);
	force_text(env, 1, 1);
	commit(env);
	act(env, "unblock");
	put(env, 1, "203.0.0.1", KH_ORDER_WITHDRAWN, 0);
	commit(env);
}

static int ignore_order(const struct kh_order_row *row, void *context)
{
	(void)context;
	return kh_decision_reason_name(row->reason) && strlen(row->value) && kh_section_name(row->section) ? 0 : 0;
}

static int ignore_letter(const struct kh_letter_row *row, void *context)
{
	(void)context;
	return strlen(row->number) > 100000;
}

static int ignore_force(const struct kh_force *force, void *context)
{
	(void)context;
	return force->slot > KH_SLOT_MAX;
}

static int ignore_total(const struct kh_total *total, void *context)
{
	(void)context;
	return strlen(total->key) + strlen(total->extra) > 100000;
}

static int ignore_allow(const struct kh_allow_row *row, void *context)
{
	(void)context;
	return row->range.first > row->range.last;
}

static int ignore_change(const struct kh_change *change, void *context)
{
	(void)context;
	return strlen(change->kind) > 100000;
}

static void use_reading(struct kh_ledger *ledger)
{
	const struct kh_range all = kh_range_of_prefix(0, 0, 4);
	int64_t counts[KH_ORDER_STATE_COUNT], monitored;

	kh_ledger_orders(ledger, &(struct kh_order_filter){ .state = -1 }, ignore_order, NULL);
	kh_ledger_orders(ledger, &(struct kh_order_filter){ .state = -1, .overlaps = &all }, ignore_order, NULL);
	kh_ledger_orders(ledger, &(struct kh_order_filter){ .state = -1, .value = "203.0.0.1" }, ignore_order, NULL);
	kh_ledger_order_counts(ledger, counts, &monitored);
	kh_ledger_letters(ledger, "1", ignore_letter, NULL);
	kh_ledger_totals(ledger, "indicator", 0, 0, ignore_total, NULL);
	kh_ledger_totals(ledger, "advisory", 0, 0, ignore_total, NULL);
	kh_ledger_allows(ledger, false, ignore_allow, NULL);
	kh_ledger_changes(ledger, 0, ignore_change, NULL);
	kh_ledger_next_deadline(ledger);
}

static int use_writing(struct kh_ledger *ledger)
{
	struct kh_change change = { .time = 1, .uid = 1, .actor = "a", .kind = "undo" };
	const struct kh_fold_record raw = { .slot = 1,
					    .raw = { .packets = 5, .bytes = 5, .first_seen = 1, .last_seen = 1 } };
	struct kh_order_row order = order_of("198.51.100.7", 1);
	struct kh_undo_result result;
	int64_t id;
	int code = kh_ledger_begin(ledger, NULL);

	if (code >= 0)
		code = kh_ledger_change_begin(ledger, &change, NULL);
	if (code >= 0)
		code = kh_ledger_undo(ledger, 1, &id, &result, NULL);
	if (code >= 0)
		code = kh_ledger_order_put(ledger, &order, NULL);
	if (code >= 0)
		code = (int)kh_ledger_expire(ledger, 250, NULL);
	if (code >= 0)
		code = kh_ledger_fold_records(ledger, 1, &raw, 1, NULL);
	if (code >= 0)
		code = kh_ledger_force(ledger, 100, 1, ignore_force, NULL, NULL, NULL);
	if (code >= 0)
		code = kh_ledger_commit(ledger, NULL);
	kh_ledger_rollback(ledger);
	return code;
}

/* One of the ways in which files go bad. */
static size_t damage(char *data, size_t size)
{
	size_t at = random_below(size), length = 1 + random_below(600), kind = random_below(5);

	if (at + length > size)
		length = size - at;
	switch (kind) {
	case 0: /* cut off */
		return at;
	case 1: /* a page of zeros */
		memset(data + at, 0, length);
		break;
	case 2: /* one bit */
		data[at] = (char)(data[at] ^ 1 << random_below(8));
		break;
	case 3: /* a few bytes of noise, near the front of a page, where its shape is kept */
		at = at / 4096 * 4096 + random_below(40);
		for (size_t i = at; i < at + 6 && i < size; i++)
			data[i] = (char)random_below(256);
		break;
	default: /* a stretch of noise */
		for (size_t i = at; i < at + length; i++)
			data[i] = (char)random_below(256);
	}
	return size;
}

enum outcome {
	REFUSED,
	USED, /* opened; something may have failed later */
	USABLE, /* all of it worked */
};

/* Opens and uses what may be damaged. */
static enum outcome try_damaged(struct env *env, const struct bytes *damaged, const struct bytes *log)
{
	struct kh_error error = {};
	bool usable;
	int code;

	write_bytes(env->path, damaged->data, damaged->size);
	if (log)
		write_bytes(beside(env, "-wal"), log->data, log->size);
	code = kh_ledger_open(env->path, &env->ledger, &error);
	if (code < 0) {
		if (code != -EUCLEAN && code != -EPROTO && code != -EROFS)
			fail_msg("%d: %s", code, error.text);
		assert_non_null(strstr(error.text, env->path));
		assert_bytes(env->path, damaged);
		if (log)
			assert_bytes(beside(env, "-wal"), log);
		return REFUSED;
	}
	use_reading(env->ledger);
	usable = use_writing(env->ledger) >= 0;
	close_ledger(env);
	assert_int_equal(access(env->path, F_OK), 0);
	return usable ? USABLE : USED;
}

static void forget_files(struct env *env)
{
	unlink(env->path);
	unlink(beside(env, "-wal"));
	unlink(beside(env, "-shm"));
}

static void random_damage_never_crashes_and_loses_nothing(void **state)
{
	struct env *env = *state;
	struct bytes good, damaged;
	int outcomes[3] = {};

	seed = 0xfeedfacecafebeefu;
	fill(env);
	close_ledger(env);
	good = read_bytes(env->path);
	damaged.data = malloc(good.size);
	for (int i = 0; i < 200; i++) {
		memcpy(damaged.data, good.data, good.size);
		damaged.size = damage(damaged.data, good.size);
		forget_files(env);
		outcomes[try_damaged(env, &damaged, NULL)]++;
	}
	/* Not all damage touches something that is looked at; what does is found when the ledger is opened, hardly ever later. */
	assert_true(outcomes[REFUSED] > 60 && outcomes[USABLE] > 20 && outcomes[USED] <= 6);
	free(good.data);
	free(damaged.data);
}

static void a_damaged_ledger_keeps_its_log(void **state)
{
	struct env *env = *state;
	struct bytes good, log, damaged;
	int outcomes[3] = {};

	seed = 0x0123456789abcdefu;
	fill(env);
	good = read_bytes(env->path); /* as a crash would leave them: nothing checkpointed */
	log = read_bytes(beside(env, "-wal"));
	close_ledger(env);
	assert_true(log.size > 4096);
	damaged.data = malloc(good.size);
	for (int i = 0; i < 40; i++) {
		memcpy(damaged.data, good.data, good.size);
		damaged.size = damage(damaged.data, good.size);
		forget_files(env);
		outcomes[try_damaged(env, &damaged, &log)]++;
	}
	assert_true(outcomes[REFUSED] > 5 && outcomes[USABLE] > 5);
	free(good.data);
	free(log.data);
	free(damaged.data);
}

/* A log cut off anywhere gives the last state that is whole in it, never a part of one. */
static void a_log_cut_off_gives_a_whole_state(void **state)
{
	struct env *env = *state;
	struct bytes good, log;
	int states[3] = {};

	seed = 0x00c0ffee00c0ffeeu;
	fill(env);
	good = read_bytes(env->path);
	log = read_bytes(beside(env, "-wal"));
	close_ledger(env);
	for (int i = 0; i < 60; i++) {
		const char *found;
		int which;

		forget_files(env);
		write_bytes(env->path, good.data, good.size);
		write_bytes(beside(env, "-wal"), log.data, random_below(log.size + 1));
		open_ledger(env);
		found = query_text(env,
				   "SELECT (SELECT count(*) FROM changes) || ' ' || (SELECT count(*) FROM orders)");
		which = !strcmp(found, "0 0\n")	    ? 0
			: !strcmp(found, "1 301\n") ? 1
			: !strcmp(found, "2 301\n") ? 2
						    : -1;
		assert_in_range(which, 0, 2);
		states[which]++;
		close_ledger(env);
	}
	assert_true(states[0] && states[1]);
	free(good.data);
	free(log.data);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_folder, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(random_damage_never_crashes_and_loses_nothing),
		CASE(a_damaged_ledger_keeps_its_log),
		CASE(a_log_cut_off_gives_a_whole_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
