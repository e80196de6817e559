// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file of the ledger: creating, locking, moving aside, older and newer versions, foreign and damaged files, and
 * seeded random damage: nothing crashes, and what cannot be used is left byte for byte as it is.
 */
#include "ledger_help.h"

#include <fcntl.h>

struct bytes {
	char *data;
	size_t size;
};

static struct bytes read_bytes(const char *path)
{
	struct bytes bytes = {};
	FILE *file = fopen(path, "rb");

	if (!file)
		return bytes;
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	bytes.size = (size_t)ftell(file);
	bytes.data = malloc(bytes.size + 1);
	rewind(file);
	assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
	fclose(file);
	return bytes;
}

static void write_bytes(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void assert_bytes(const char *path, const struct bytes *expected)
{
	struct bytes now = read_bytes(path);

	assert_int_equal(now.size, expected->size);
	if (expected->size)
		assert_memory_equal(now.data, expected->data, expected->size);
	free(now.data);
}

static const char *beside(const struct env *env, const char *suffix)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s%s", env->path, suffix);
	return path;
}

/* Opening must fail with `expected` and leave every byte; the error names the file. */
static void assert_refused(struct env *env, int expected, const char *part)
{
	struct bytes before = read_bytes(env->path);
	struct kh_error error = {};
	int code = kh_ledger_open(env->path, &env->ledger, &error);

	if (code != expected)
		fail_msg("%d instead of %d: %s", code, expected, error.text);
	assert_null(env->ledger);
	assert_non_null(strstr(error.text, env->path));
	if (!strstr(error.text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, error.text);
	assert_true(error.hint[0]);
	assert_bytes(env->path, &before);
	free(before.data);
}

/* ---- Opening -------------------------------------------------------------------------------------- */

static void a_new_ledger_is_complete_and_private(void **state)
{
	struct env *env = *state;
	struct stat status;

	open_ledger(env);
	assert_int_equal(stat(env->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_string_equal(query_text(env, "PRAGMA user_version"), "1\n");
	assert_string_equal(query_text(env, "PRAGMA application_id"), "1263029297\n");
	assert_string_equal(query_text(env, "PRAGMA journal_mode"), "wal\n");
	assert_string_equal(query_text(env, "PRAGMA synchronous"), "2\n");
	assert_string_equal(query_text(env, "PRAGMA foreign_keys"), "1\n");
	assert_string_equal(query_text(env, "PRAGMA foreign_key_check"), "");
	close_ledger(env);
	assert_int_not_equal(access(beside(env, "-wal"), F_OK), 0); /* checkpointed */
	assert_int_not_equal(access(beside(env, ".new"), F_OK), 0);
	open_ledger(env);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	struct env *env = *state;
	struct kh_error error = {};

	snprintf(env->path, sizeof(env->path), "%s/no/ledger.db", env->folder);
	assert_int_equal(kh_ledger_open(env->path, &env->ledger, &error), -ENOENT);
	assert_non_null(strstr(error.text, env->path));
}

static void half_made_ones_are_made_again(void **state)
{
	struct env *env = *state;

	write_bytes(beside(env, ".new"), "half", 4);
	write_bytes(beside(env, ".new-journal"), "half", 4);
	open_ledger(env);
	assert_int_not_equal(access(beside(env, ".new"), F_OK), 0);
	assert_int_not_equal(access(beside(env, ".new-journal"), F_OK), 0);
}

static void a_second_daemon_is_kept_out(void **state)
{
	struct env *env = *state;
	struct kh_ledger *second = NULL;
	struct kh_error error = {};
	char name[PATH_MAX] = "unchanged", process[32];

	open_ledger(env);
	assert_int_equal(kh_ledger_open(env->path, &second, &error), -EBUSY);
	assert_null(second);
	snprintf(process, sizeof(process), "%d", (int)getpid());
	assert_non_null(strstr(error.text, env->path));
	assert_non_null(strstr(error.text, process));
	assert_true(error.hint[0]);
	assert_int_equal(kh_ledger_set_aside(env->path, name, sizeof(name)), -EBUSY);
	assert_string_equal(name, "unchanged");
	reopen(env);
}

static void rollback_and_close_take_anything(void **state)
{
	struct env *env = *state;

	kh_ledger_close(NULL);
	open_ledger(env);
	kh_ledger_rollback(env->ledger);
	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	reopen(env); /* closed in the middle: as if it had not begun */
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1 }), "");
}

/* ---- Versions ------------------------------------------------------------------------------------- */

/* A database made by other hands. */
static void make_database(struct env *env, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(env->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#define MARK "PRAGMA application_id = 1263029297;"

static void version_0_is_brought_up(void **state)
{
	struct env *env = *state;

	make_database(env, MARK "CREATE TABLE old (x)");
	open_ledger(env);
	assert_string_equal(query_text(env, "PRAGMA user_version"), "1\n");
	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	reopen(env);
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1 }), "203.0.113.1 - active drop 0\n");
}

static void a_step_that_fails_leaves_the_old_version(void **state)
{
	struct env *env = *state;

	make_database(env, MARK "CREATE TABLE health (x); INSERT INTO health VALUES (7)"); /* in the way of the last table */
	assert_refused(env, -EUCLEAN, "health");
}

static void a_newer_version_is_left_alone(void **state)
{
	struct env *env = *state;

	make_database(env, MARK "CREATE TABLE t (x); PRAGMA user_version = 2");
	assert_refused(env, -EPROTO, "newer");
}

static void a_ledger_without_its_tables_is_damaged(void **state)
{
	struct env *env = *state;

	make_database(env, MARK "CREATE TABLE t (x); PRAGMA user_version = 1");
	assert_refused(env, -EUCLEAN, "meta");
	unlink(env->path);
	open_ledger(env);
	close_ledger(env);
	make_database(env, "DROP TABLE sightings");
	assert_refused(env, -EUCLEAN, "sightings");
}

/* ---- Not a ledger --------------------------------------------------------------------------------- */

static void foreign_files_are_named_and_left(void **state)
{
	struct env *env = *state;
	char noise[5000];

	write_bytes(env->path, "", 0);
	assert_refused(env, -EUCLEAN, "empty");
	write_bytes(env->path, "SQLite format 3", 16);
	assert_refused(env, -EUCLEAN, "cut off");
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 7919 >> 3);
	write_bytes(env->path, noise, sizeof(noise));
	assert_refused(env, -EUCLEAN, "not an SQLite database");
	unlink(env->path);
	make_database(env, "PRAGMA application_id = 7; CREATE TABLE t (x)");
	assert_refused(env, -EUCLEAN, "another program");
}

static void what_is_no_file_is_refused(void **state)
{
	struct env *env = *state;
	struct kh_error error = {};

	assert_int_equal(mkdir(env->path, 0700), 0);
	assert_int_equal(kh_ledger_open(env->path, &env->ledger, &error), -EISDIR);
	assert_int_equal(rmdir(env->path), 0);
	assert_int_equal(mkfifo(env->path, 0600), 0);
	assert_int_equal(kh_ledger_open(env->path, &env->ledger, &error), -EINVAL);
	assert_non_null(strstr(error.text, env->path));
}

static void a_log_without_its_ledger_is_noticed(void **state)
{
	struct env *env = *state;
	struct kh_error error = {};

	write_bytes(beside(env, "-wal"), "log", 3);
	assert_int_equal(kh_ledger_open(env->path, &env->ledger, &error), -EUCLEAN);
	assert_non_null(strstr(error.hint, "-wal"));
	assert_int_not_equal(access(env->path, F_OK), 0);
}

static void a_damaged_ledger_is_moved_whole(void **state)
{
	struct env *env = *state;
	char name[PATH_MAX], second[PATH_MAX], moved[PATH_MAX + 8];
	struct stat status;

	assert_int_equal(kh_ledger_set_aside(env->path, name, sizeof(name)), -ENOENT);
	write_bytes(env->path, "damaged", 7);
	write_bytes(beside(env, "-wal"), "log", 3);
	assert_int_equal(kh_ledger_set_aside(env->path, name, 10), -ENAMETOOLONG);
	assert_int_equal(kh_ledger_set_aside(env->path, name, sizeof(name)), 0);
	assert_int_equal(strncmp(name, beside(env, ".damaged-2"), strlen(beside(env, ".damaged-2"))), 0);
	assert_int_equal(stat(name, &status), 0);
	assert_int_equal(status.st_size, 7);
	snprintf(moved, sizeof(moved), "%s-wal", name);
	assert_int_equal(stat(moved, &status), 0);
	assert_int_equal(status.st_size, 3);
	assert_int_not_equal(access(env->path, F_OK), 0);
	assert_int_not_equal(access(beside(env, "-wal"), F_OK), 0);
	write_bytes(env->path, "another", 7); /* in the same second, most likely: never one over the other */
	assert_int_equal(kh_ledger_set_aside(env->path, second, sizeof(second)), 0);
	assert_string_not_equal(name, second);
	open_ledger(env);
}

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
	const struct kh_fold_record raw = { .slot = 1, .raw = { .packets = 5, .bytes = 5, .first_seen = 1, .last_seen = 1 } };
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
		code = kh_ledger_force(ledger, 100, 1, ignore_force, NULL, NULL);
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
		found = query_text(env, "SELECT (SELECT count(*) FROM changes) || ' ' || (SELECT count(*) FROM orders)");
		which = !strcmp(found, "0 0\n") ? 0 : !strcmp(found, "1 301\n") ? 1 : !strcmp(found, "2 301\n") ? 2 : -1;
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
		CASE(a_new_ledger_is_complete_and_private),
		CASE(a_folder_that_is_not_there_is_named),
		CASE(half_made_ones_are_made_again),
		CASE(a_second_daemon_is_kept_out),
		CASE(rollback_and_close_take_anything),
		CASE(version_0_is_brought_up),
		CASE(a_step_that_fails_leaves_the_old_version),
		CASE(a_newer_version_is_left_alone),
		CASE(a_ledger_without_its_tables_is_damaged),
		CASE(foreign_files_are_named_and_left),
		CASE(what_is_no_file_is_refused),
		CASE(a_log_without_its_ledger_is_noticed),
		CASE(a_damaged_ledger_is_moved_whole),
		CASE(random_damage_never_crashes_and_loses_nothing),
		CASE(a_damaged_ledger_keeps_its_log),
		CASE(a_log_cut_off_gives_a_whole_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
