// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bulk lists: whoever reads the ledger cannot tell them from rows. Two ledgers do the same, one with a row for each value of a list, one
 * with bulk lists; what they tell is compared after every step. Seeded; KH_TEST_LISTS asks for more.
 */
#include "ledger_help.h"

#define VALUES 48
#define LETTERS 3
#define STEPS 60

struct pair {
	struct env *rows, *bulk;
	uint64_t random;
	int64_t now;
	uint32_t map;
	bool expires; /* this walk has deadlines pass, another undoes */
	struct kh_record
		records[2]
		       [VALUES]; /* what the kernel counts for each value, in either world: alike but for the slots */
};

static const char *const letters[LETTERS] = { "1/A", "2/B", "3/C" };
static struct kh_range values[VALUES];

static uint32_t below(struct pair *pair, uint32_t limit)
{
	pair->random ^= pair->random >> 12;
	pair->random ^= pair->random << 25;
	pair->random ^= pair->random >> 27;
	return (uint32_t)((pair->random * 0x2545f4914f6cdd1dull >> 32) * limit >> 32);
}

static void make_values(void)
{
	static const char *const bases[] = { "203.0.113.%u",  "198.51.100.%u",	  "2001:db8::%u",
					     "203.0.%u.0/24", "2001:db8:%u::/48", "192.0.2.%u-192.0.2.77" };
	char text[64];

	for (uint32_t i = 0; i < VALUES; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), bases[i % 6], 1 + i / 6 * 3);
#pragma GCC diagnostic pop
		assert_int_equal(kh_range_parse(text, strlen(text), &values[i]), 0);
	}
}

static struct kh_indicator indicator_of(size_t i)
{
	struct kh_indicator indicator = {};
	char text[KH_RANGE_TEXT];

	assert_int_equal(kh_indicator_parse(kh_range_format(&values[i], text), &indicator, NULL), 0);
	return indicator;
}

/* ---- Doing the same to both ----------------------------------------------------------------------- */

static struct kh_order_row terms(struct pair *pair, int64_t letter)
{
	return (struct kh_order_row){ .letter = letter,
				      .reason = KH_WHY_TABLE,
				      .section = KH_SECTION_LIST,
				      .file = "feed.txt",
				      .since = pair->now };
}

static int put_value(struct env *env, const struct kh_order_row *terms, size_t i, uint32_t line)
{
	struct kh_order_row row = *terms;
	char text[KH_RANGE_TEXT];

	row.indicator = indicator_of(i);
	row.raw = kh_range_format(&values[i], text);
	row.line = (int)line;
	return put_row(env, &row);
}

static size_t value_of(const struct kh_range *range)
{
	for (size_t i = 0; i < VALUES; i++)
		if (!kh_range_compare(&values[i], range))
			return i;
	fail_msg("a value that was never put");
	return 0;
}

struct leftover {
	size_t values[VALUES], count;
	uint32_t lines[VALUES];
};

static int on_leftover(const struct kh_range *range, uint32_t line, void *context)
{
	struct leftover *leftover = context;

	leftover->lines[leftover->count] = line;
	leftover->values[leftover->count++] = value_of(range);
	return 0;
}

static void push_bulk(struct env *env, const struct kh_order_row *terms, uint64_t chosen, size_t *ret_made,
		      size_t *ret_unchanged)
{
	struct leftover leftover = {};
	struct kh_bulk bulk = {};

	for (uint32_t i = 0; i < VALUES; i++)
		if (chosen >> i & 1)
			assert_int_equal(kh_bulk_add(&bulk, &values[i], i + 1), 0);
	assert_int_equal(kh_bulk_sort(&bulk), 0);
	assert_ok(kh_ledger_bulk_put(env->ledger, terms, &bulk, on_leftover, &leftover, ret_made, ret_unchanged, &why));
	for (size_t i = 0; i < leftover.count; i++) {
		int made = put_value(env, terms, leftover.values[i], leftover.lines[i]);

		*(made ? ret_made : ret_unchanged) += 1;
	}
	kh_bulk_clear(&bulk);
}

static void push(struct pair *pair, int64_t letter, uint64_t chosen)
{
	struct kh_order_row row = terms(pair, letter);
	size_t made[2] = {}, unchanged[2] = {};

	row.action = below(pair, 4) ? KH_ACTION_DROP : KH_ACTION_MONITOR;
	row.expires = below(pair, 3) ? 0 : pair->now + 10 * below(pair, 5);
	for (size_t i = 0; i < VALUES; i++)
		if (chosen >> i & 1)
			*(put_value(pair->rows, &row, i, (uint32_t)i + 1) ? &made[0] : &unchanged[0]) += 1;
	push_bulk(pair->bulk, &row, chosen, &made[1], &unchanged[1]);
	assert_int_equal(made[0], made[1]);
	assert_int_equal(unchanged[0], unchanged[1]);
}

static void put_one(struct pair *pair, int64_t letter)
{
	struct kh_order_row row = terms(pair, letter);
	size_t i = below(pair, VALUES);
	struct env *const both[] = { pair->rows, pair->bulk };
	int outcome[2];

	row.reason = KH_WHY_TYPED;
	row.file = "";
	row.state = (enum kh_order_state[]){ KH_ORDER_ACTIVE, KH_ORDER_WITHDRAWN, KH_ORDER_REVIEW }[below(pair, 3)];
	row.action = below(pair, 2) ? KH_ACTION_DROP : KH_ACTION_MONITOR;
	row.expires = below(pair, 2) ? 0 : pair->now + 10 * below(pair, 5);
	for (size_t w = 0; w < 2; w++)
		outcome[w] = put_value(both[w], &row, i, 0);
	assert_int_equal(outcome[0], outcome[1]);
}

/* A change of all orders of a letter, as unblock --ref, monitor REF and extend REF make it. */
struct alter {
	enum { WITHDRAW, MONITOR, EXTEND } kind;
	int64_t now, expires, touched;
	struct kh_order_row rows[VALUES];
	char texts[VALUES][3][64];
	size_t count;
	struct {
		int64_t bulk;
		struct kh_order_row terms;
		char note[64], file[64];
	} lists[STEPS];
	size_t lists_count;
};

static bool edit(const struct alter *alter, struct kh_order_row *row)
{
	switch (alter->kind) {
	case WITHDRAW:
		if (row->state != KH_ORDER_ACTIVE && row->state != KH_ORDER_REVIEW)
			return false;
		row->state = KH_ORDER_WITHDRAWN;
		row->since = alter->now;
		return true;
	case MONITOR:
		if (row->state != KH_ORDER_ACTIVE || row->action == KH_ACTION_MONITOR)
			return false;
		row->action = KH_ACTION_MONITOR;
		row->since = alter->now;
		return true;
	case EXTEND:
		if (row->state != KH_ORDER_ACTIVE && row->state != KH_ORDER_EXPIRED)
			return false;
		if (row->state == KH_ORDER_EXPIRED)
			row->since = alter->now;
		row->state = KH_ORDER_ACTIVE;
		row->expires = alter->expires;
		return true;
	}
	return false;
}

static int keep_row(const struct kh_order_row *row, void *context)
{
	struct alter *alter = context;
	struct kh_order_row *kept = &alter->rows[alter->count];
	char(*texts)[64] = alter->texts[alter->count];

	*kept = *row;
	snprintf(texts[0], 64, "%s", row->raw);
	snprintf(texts[1], 64, "%s", row->note);
	snprintf(texts[2], 64, "%s", row->file);
	kept->raw = texts[0];
	kept->note = texts[1];
	kept->file = texts[2];
	kept->rule = "";
	alter->count += edit(alter, kept);
	return 0;
}

static int keep_list(const struct kh_bulk_row *row, void *context)
{
	struct alter *alter = context;
	size_t i = alter->lists_count;

	assert_true(row->count > 0);
	alter->lists[i].bulk = row->id;
	alter->lists[i].terms = row->terms;
	snprintf(alter->lists[i].note, 64, "%s", row->terms.note);
	snprintf(alter->lists[i].file, 64, "%s", row->terms.file);
	alter->lists[i].terms.note = alter->lists[i].note;
	alter->lists[i].terms.file = alter->lists[i].file;
	alter->lists_count += edit(alter, &alter->lists[i].terms);
	return 0;
}

static int64_t alter_letter(struct env *env, struct alter *alter, int64_t letter, bool lists)
{
	struct kh_order_filter filter = { .letter = letter, .state = -1, .rows_only = lists };

	alter->count = alter->lists_count = 0;
	alter->touched = 0;
	assert_int_equal(kh_ledger_orders(env->ledger, &filter, keep_row, alter), 0);
	if (lists)
		assert_int_equal(kh_ledger_bulks(env->ledger, letter, keep_list, alter), 0);
	for (size_t i = 0; i < alter->count; i++)
		alter->touched += put_row(env, &alter->rows[i]);
	for (size_t i = 0; i < alter->lists_count; i++) {
		struct kh_error error = {};
		int64_t count =
			kh_ledger_bulk_change(env->ledger, alter->lists[i].bulk, &alter->lists[i].terms, &error);

		assert_true(count >= 0);
		alter->touched += count;
	}
	return alter->touched;
}

static void alter_both(struct pair *pair, int64_t letter)
{
	static struct alter alter;
	int64_t touched;

	alter.kind = below(pair, 3);
	alter.now = pair->now;
	alter.expires = pair->now + 1 + 10 * below(pair, 5);
	touched = alter_letter(pair->rows, &alter, letter, false);
	assert_int_equal(alter_letter(pair->bulk, &alter, letter, true), touched);
}

static void undo_both(struct pair *pair)
{
	struct env *const both[] = { pair->rows, pair->bulk };
	struct kh_undo_result results[2] = {};
	int64_t ids[2] = {};
	int codes[2];

	for (size_t w = 0; w < 2; w++) {
		struct kh_error error = {};

		codes[w] = kh_ledger_undo(both[w]->ledger, 0, &ids[w], &results[w], &error);
	}
	assert_int_equal(codes[0], codes[1]);
	assert_int_equal(ids[0], ids[1]);
	assert_int_equal(results[0].restored, results[1].restored);
	assert_int_equal(results[0].skipped, results[1].skipped);
}

static void expire_both(struct pair *pair)
{
	struct kh_error error = {};
	int64_t count = kh_ledger_expire(pair->rows->ledger, pair->now, &error);

	assert_int_equal(kh_ledger_expire(pair->bulk->ledger, pair->now, &error), count);
}

/* Only `since` may differ: a list put on new terms is since then, a row since it is in its state. */

/* ---- What they tell --------------------------------------------------------------------------------- */

struct telling {
	char lines[VALUES * LETTERS + 64][160];
	size_t count;
};

static int tell_order(const struct kh_order_row *row, void *context)
{
	struct telling *telling = context;

	assert_true(telling->count < KH_ARRAY_SIZE(telling->lines));
	snprintf(telling->lines[telling->count++], 160,
		 "%s %s %d %d %d %d %s|%s|%s %d until %lld change %lld: %lld %lld %lld %lld", row->value, row->number,
		 (int)row->state, (int)row->action, (int)row->reason, (int)row->section, row->raw, row->note, row->file,
		 row->line, (long long)row->expires, (long long)row->change, (long long)row->packets,
		 (long long)row->bytes, (long long)row->first_seen, (long long)row->last_seen);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void tell_orders(struct env *env, struct kh_order_filter filter, struct telling *telling)
{
	telling->count = 0;
	assert_int_equal(kh_ledger_orders(env->ledger, &filter, tell_order, telling), 0);
	qsort(telling->lines, telling->count, sizeof(telling->lines[0]), by_text);
}

static void same_orders(struct pair *pair, struct kh_order_filter filter)
{
	static struct telling rows, bulk;

	tell_orders(pair->rows, filter, &rows);
	tell_orders(pair->bulk, filter, &bulk);
	for (size_t i = 0; i < rows.count && i < bulk.count; i++)
		assert_string_equal(bulk.lines[i], rows.lines[i]);
	assert_int_equal(bulk.count, rows.count);
}

/* In pages of a few rows. */
static int note_last(const struct kh_order_row *row, void *context)
{
	*(int64_t *)context = row->id;
	return 0;
}

static void same_by_pages(struct pair *pair)
{
	static struct telling whole, pages;
	struct kh_order_filter filter = { .state = -1, .limit = 1 + below(pair, 7) };
	size_t before;

	tell_orders(pair->bulk, (struct kh_order_filter){ .state = -1 }, &whole);
	pages.count = 0;
	do {
		before = pages.count;
		assert_int_equal(kh_ledger_orders(pair->bulk->ledger, &filter, tell_order, &pages), 0);
		assert_int_equal(kh_ledger_orders(pair->bulk->ledger, &filter, note_last, &filter.after), 0);
	} while ((int64_t)(pages.count - before) == filter.limit);
	qsort(pages.lines, pages.count, sizeof(pages.lines[0]), by_text);
	assert_int_equal(pages.count, whole.count);
	for (size_t i = 0; i < whole.count; i++)
		assert_string_equal(pages.lines[i], whole.lines[i]);
}

static int tell_letter(const struct kh_letter_row *row, void *context)
{
	print(context, "%s %lld %lld %lld %lld: %lld %lld %lld %lld\n", row->number, (long long)row->enforced,
	      (long long)row->monitored, (long long)row->review, (long long)row->ended, (long long)row->packets,
	      (long long)row->bytes, (long long)row->first_seen, (long long)row->last_seen);
	return 0;
}

static int tell_total(const struct kh_total *total, void *context)
{
	struct env *env = context;
	char extra[64];
	size_t count = 0;
	char *names[LETTERS + 1], *at = extra;

	snprintf(extra, sizeof(extra), "%s", total->extra); /* letters in any order */
	for (char *name = strtok_r(at, ", ", &at); name && count <= LETTERS; name = strtok_r(NULL, ", ", &at))
		names[count++] = name;
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (strcmp(names[j], names[i]) < 0) {
				char *swap = names[i];

				names[i] = names[j];
				names[j] = swap;
			}
	print(env, "%s [", total->key);
	for (size_t i = 0; i < count; i++)
		print(env, "%s,", names[i]);
	print(env, "] %lld %lld %lld %lld\n", (long long)total->packets, (long long)total->bytes,
	      (long long)total->first_seen, (long long)total->last_seen);
	return 0;
}

static int tell_change(const struct kh_change *change, void *context)
{
	print(context, "%lld %s %lld %lld %lld\n", (long long)change->id, change->kind, (long long)change->orders,
	      (long long)change->undoes, (long long)change->undone_by);
	return 0;
}

static const char *summary(struct env *env)
{
	int64_t counts[KH_ORDER_STATE_COUNT], monitored;

	clear(env);
	assert_int_equal(kh_ledger_order_counts(env->ledger, counts, &monitored), 0);
	for (size_t i = 0; i < KH_ORDER_STATE_COUNT; i++)
		print(env, "%lld ", (long long)counts[i]);
	print(env, "monitored %lld deadline %lld\n", (long long)monitored,
	      (long long)kh_ledger_next_deadline(env->ledger));
	assert_int_equal(kh_ledger_letters(env->ledger, NULL, tell_letter, env), 0);
	assert_int_equal(kh_ledger_totals(env->ledger, "indicator", 0, 0, tell_total, env), 0);
	assert_int_equal(kh_ledger_totals(env->ledger, "advisory", 0, 0, tell_total, env), 0);
	assert_int_equal(kh_ledger_changes(env->ledger, 0, tell_change, env), 0);
	return env->text;
}

/* By lines: a message has room for one. */
static void same_lines(char *a, char *b)
{
	char *line, *other, *rest_a = a, *rest_b = b;

	do {
		line = strsep(&rest_a, "\n");
		other = strsep(&rest_b, "\n");
		assert_string_equal(line ? line : "", other ? other : "");
	} while (line);
}

static void same_states(struct pair *pair)
{
	for (size_t i = 0; i < VALUES; i++) {
		struct kh_indicator indicator = indicator_of(i);
		enum kh_order_state states[2] = { KH_ORDER_STATE_COUNT, KH_ORDER_STATE_COUNT };
		int64_t letter = 2 + (int64_t)i % LETTERS;
		int code = kh_ledger_order_state(pair->rows->ledger, letter, &indicator, &states[0]);

		assert_int_equal(kh_ledger_order_state(pair->bulk->ledger, letter, &indicator, &states[1]), code);
		assert_int_equal(states[0], states[1]);
	}
}

static void same_story(struct pair *pair)
{
	char *rows = strdup(summary(pair->rows)), *bulk = strdup(summary(pair->bulk)), value[KH_RANGE_TEXT];
	const struct kh_range *range = &values[below(pair, VALUES)];

	same_lines(bulk, rows);
	free(rows);
	free(bulk);
	same_orders(pair, (struct kh_order_filter){ .state = -1 });
	same_orders(pair, (struct kh_order_filter){ .state = KH_ORDER_ACTIVE, .letter = 2 + below(pair, LETTERS) });
	same_orders(pair, (struct kh_order_filter){ .state = -1, .value = kh_range_format(range, value) });
	same_orders(pair, (struct kh_order_filter){ .state = -1, .overlaps = range });
	same_orders(pair, (struct kh_order_filter){ .state = -1, .expires_before = pair->now + 20 });
	same_by_pages(pair);
	same_states(pair);
}

/* ---- What is in force, and its counts ----------------------------------------------------------------- */

/* For each value the latest deadline of what drops and of what monitors it; 0: none; INT64_MAX: for ever. And whose slot. */
struct in_force {
	int64_t deadline[VALUES][2];
	uint32_t slot[VALUES];
	bool seen[1 << 18];
};

static int on_force(const struct kh_force *force, void *context)
{
	struct in_force *in_force = context;
	size_t i = value_of(&force->indicator.range);
	int64_t deadline = force->deadline ? force->deadline : INT64_MAX;

	if (deadline > in_force->deadline[i][force->action])
		in_force->deadline[i][force->action] = deadline;
	in_force->slot[i] = force->slot;
	assert_true(force->slot < KH_ARRAY_SIZE(in_force->seen));
	in_force->seen[force->slot] = true;
	return 0;
}

static void count_packets(struct pair *pair)
{
	static struct in_force worlds[2];
	struct env *const both[] = { pair->rows, pair->bulk };

	memset(worlds, 0, sizeof(worlds));
	for (size_t w = 0; w < 2; w++) {
		begin(both[w]);
		assert_ok(kh_ledger_force(both[w]->ledger, pair->now, 5, on_force, NULL, &worlds[w], &why));
		commit(both[w]);
	}
	assert_memory_equal(worlds[0].deadline, worlds[1].deadline, sizeof(worlds[0].deadline));
	pair->map++; /* every time an array of its own, as if all had been zeroed */
	for (size_t i = 0; i < VALUES; i++) {
		struct kh_record record = { .packets = 1 + below(pair, 5), .first_seen = 100 + below(pair, 9) };
		struct kh_fold_record fold = { .raw = record };

		fold.raw.bytes = 60 * record.packets;
		fold.raw.last_seen = record.first_seen + below(pair, 100);
		if (!worlds[0].slot[i] || below(pair, 4))
			continue;
		for (size_t w = 0; w < 2; w++) {
			fold.slot = worlds[w].slot[i];
			begin(both[w]);
			assert_ok(kh_ledger_fold_records(both[w]->ledger, pair->map, &fold, 1, &why));
			commit(both[w]);
		}
	}
}

/* ---- The walk ------------------------------------------------------------------------------------------ */

static uint64_t random_set(struct pair *pair)
{
	uint64_t set = (uint64_t)below(pair, UINT32_MAX) << 32 | below(pair, UINT32_MAX);

	if (below(pair, 2)) /* most of them: lists that come again */
		set |= (uint64_t)below(pair, UINT32_MAX) << 32 | below(pair, UINT32_MAX);
	return set & ((1ull << VALUES) - 1);
}

static void step(struct pair *pair)
{
	static const char *const kinds[] = { "push", "push", "block", "extend", "undo", "expire" };
	/* Not both in one walk: of a list that is hidden in part all expires, so what an undo shows again has expired already. */
	uint32_t kind = below(pair, 5);
	int64_t letter = 2 + below(pair, LETTERS);
	bool keep = below(pair, 5) > 0;

	pair->now += below(pair, 20);
	act(pair->rows, kinds[kind + (kind == 4 && pair->expires)]);
	act(pair->bulk, kinds[kind + (kind == 4 && pair->expires)]);
	if (kind < 2)
		push(pair, letter, random_set(pair));
	else if (kind == 2)
		put_one(pair, letter);
	else if (kind == 3)
		alter_both(pair, letter);
	else if (pair->expires)
		expire_both(pair);
	else
		undo_both(pair);
	if (keep) {
		commit(pair->rows);
		commit(pair->bulk);
	} else {
		kh_ledger_rollback(pair->rows->ledger);
		kh_ledger_rollback(pair->bulk->ledger);
	}
	if (below(pair, 6) == 0) {
		reopen(pair->rows);
		reopen(pair->bulk);
	}
	if (below(pair, 3) == 0)
		count_packets(pair);
}

static void the_same_is_told(void **state)
{
	const char *wanted = getenv("KH_TEST_LISTS");
	const char *first = getenv("KH_TEST_FIRST");
	unsigned long walks = wanted ? strtoul(wanted, NULL, 10) : 4;

	(void)state;
	make_values();
	for (unsigned long walk = first ? strtoul(first, NULL, 10) : 0; walk < walks; walk++) {
		struct pair pair = { .random = 0xb01d + walk * 7919, .now = 1000, .expires = walk % 2 };

		assert_int_equal(setup((void **)&pair.rows), 0);
		assert_int_equal(setup((void **)&pair.bulk), 0);
		for (size_t i = 0; i < LETTERS; i++) {
			begin(pair.rows);
			begin(pair.bulk);
			put_letter(pair.rows, letters[i], "", 2023, 1000 + (int64_t)i);
			put_letter(pair.bulk, letters[i], "", 2023, 1000 + (int64_t)i);
			commit(pair.rows);
			commit(pair.bulk);
		}
		for (int i = 0; i < STEPS; i++) {
			if (wanted)
				print_message("walk %lu step %d\n", walk, i);
			step(&pair);
			same_story(&pair);
		}
		teardown((void **)&pair.rows);
		teardown((void **)&pair.bulk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
