// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file of the ledger: creating, locking, moving aside, older and newer versions, foreign and damaged files. What cannot be
 * used is left byte for byte as it is.
 */
#include "ledger_files.h"
#include "ledger/audit.h"
#include "ledger/sources.h"

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
	assert_string_equal(query_text(env, "PRAGMA user_version"), "6\n");
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

/* What version 6 brought. */
#define WITHOUT_6 "DROP TABLE audit; DROP TABLE unconfirmed; DROP TABLE sessions;"
#define MARK "PRAGMA application_id = 1263029297;"

static void version_0_is_brought_up(void **state)
{
	struct env *env = *state;

	make_database(env, MARK "CREATE TABLE old (x)");
	open_ledger(env);
	assert_string_equal(query_text(env, "PRAGMA user_version"), "6\n");
	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	reopen(env);
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1 }), "203.0.113.1 - active drop 0\n");
}

static void version_2_is_brought_up_with_its_orders(void **state)
{
	struct env *env = *state;

	open_ledger(env);
	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	put(env, 1, "203.0.113.2", KH_ORDER_WITHDRAWN, 0);
	commit(env);
	close_ledger(env);
	make_database(env, WITHOUT_6 "DROP INDEX orders_active; DROP TABLE sources; PRAGMA user_version = 2");
	open_ledger(env);
	assert_string_equal(query_text(env, "PRAGMA user_version"), "6\n");
	assert_string_equal(query_text(env, "SELECT count(*) FROM orders INDEXED BY orders_active WHERE state = 0"),
			    "1\n");
	assert_string_equal(force_now(env, 1, 1), "1 203.0.113.1 drop 0 fresh\n");
}

static void version_3_is_brought_up_with_its_letters(void **state)
{
	struct env *env = *state;

	open_ledger(env);
	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	close_ledger(env);
	make_database(env, WITHOUT_6 "DROP TABLE sources; PRAGMA user_version = 3");
	open_ledger(env);
	assert_string_equal(query_text(env, "PRAGMA user_version"), "6\n");
	assert_string_equal(query_text(env, "SELECT count(*) FROM sources"), "0\n");
	assert_string_equal(orders_text(env, (struct kh_order_filter){ .state = -1 }), "203.0.113.1 - active drop 0\n");
}

/* As version 4 made the table. */
#define SOURCES_4                                                                                                            \
	"DROP TABLE sources; CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, url TEXT NOT NULL,"    \
	" credentials TEXT NOT NULL, authority TEXT NOT NULL, letter INTEGER NOT NULL REFERENCES letters, every INTEGER NOT" \
	" NULL, ttl INTEGER NOT NULL, bytes_max INTEGER NOT NULL, entries_max INTEGER NOT NULL, action INTEGER NOT NULL,"    \
	" paused INTEGER NOT NULL, checked INTEGER NOT NULL, fetched INTEGER NOT NULL, changed INTEGER NOT NULL, until"      \
	" INTEGER NOT NULL, count INTEGER NOT NULL, held INTEGER NOT NULL, failures INTEGER NOT NULL, etag TEXT NOT NULL,"   \
	" last_modified TEXT NOT NULL, digest TEXT NOT NULL, problem TEXT NOT NULL);"

static void version_4_is_brought_up_with_its_sources(void **state)
{
	struct env *env = *state;
	struct kh_source *source = calloc(1, sizeof(*source));

	assert_non_null(source);
	open_ledger(env);
	close_ledger(env);
	make_database(env, WITHOUT_6 SOURCES_4
		      "INSERT INTO sources VALUES (3, 'feed', 'https://feeds.example/', '/c', '/a', 1, 3600, 0,"
		      " 5, 6, 1, 0, 11, 12, 13, 14, 15, -1, 0, 'e', 'm', 'd', 'p'); PRAGMA user_version = 4");
	open_ledger(env);
	assert_string_equal(query_text(env, "PRAGMA user_version"), "6\n");
	assert_int_equal(kh_ledger_source_find(env->ledger, "feed", source), 1);
	assert_int_equal(source->kind, KH_FETCH_FILE);
	assert_int_equal(source->unmarked, KH_UNMARKED_REVIEW);
	assert_string_equal(source->proxy, "");
	assert_string_equal(source->proxy_credentials, "");
	assert_string_equal(source->etag, "e");
	assert_string_equal(source->problem, "p");
	assert_int_equal(source->count, 15);
	free(source);
}

/* Nobody can say afterwards who made the changes of before; from then on there is an entry for each. */
static void version_5_is_brought_up_with_its_changes(void **state)
{
	struct env *env = *state;
	struct kh_audit_report report = {};

	open_ledger(env);
	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	close_ledger(env);
	make_database(env, WITHOUT_6 "DELETE FROM meta WHERE key = 'audit-since'; PRAGMA user_version = 5");
	open_ledger(env);
	assert_int_equal(kh_ledger_audit_verify(env->ledger, &report, NULL), 0);
	assert_int_equal(report.fault, KH_AUDIT_WHOLE);
	act(env, "push");
	put(env, 1, "203.0.113.2", KH_ORDER_ACTIVE, 0);
	commit(env);
	assert_int_equal(kh_ledger_audit_verify(env->ledger, &report, NULL), 0);
	assert_int_equal(report.fault, KH_AUDIT_UNRECORDED);
	assert_int_equal(report.number, 2);
}

static void a_step_that_fails_leaves_the_old_version(void **state)
{
	struct env *env = *state;

	make_database(env,
		      MARK "CREATE TABLE health (x); INSERT INTO health VALUES (7)"); /* in the way of the last table */
	assert_refused(env, -EUCLEAN, "health");
}

static void a_newer_version_is_left_alone(void **state)
{
	struct env *env = *state;

	make_database(env, MARK "CREATE TABLE t (x); PRAGMA user_version = 7");
	assert_refused(env, -EPROTO, "newer");
}

static void a_ledger_without_its_tables_is_damaged(void **state)
{
	struct env *env = *state;

	make_database(env, MARK "CREATE TABLE t (x); PRAGMA user_version = 6");
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
		CASE(version_2_is_brought_up_with_its_orders),
		CASE(version_4_is_brought_up_with_its_sources),
		CASE(version_5_is_brought_up_with_its_changes),
		CASE(a_step_that_fails_leaves_the_old_version),
		CASE(version_3_is_brought_up_with_its_letters),
		CASE(a_newer_version_is_left_alone),
		CASE(a_ledger_without_its_tables_is_damaged),
		CASE(foreign_files_are_named_and_left),
		CASE(what_is_no_file_is_refused),
		CASE(a_log_without_its_ledger_is_noticed),
		CASE(a_damaged_ledger_is_moved_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
