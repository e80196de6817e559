// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The audit: what an entry holds, that it stands and falls with its change, and that whoever changes the file by another way is found out and where.
 */
#include "ledger_help.h"

#include <sodium.h>

#include "ledger/audit.h"
#include "ledger/private.h"

static const uint8_t two_files[64] = { 1, [32] = 2 };

static struct kh_audit entry_of(int64_t time, const char *actor, const char *command)
{
	return (struct kh_audit){ .time = time,
				  .uid = 0,
				  .login = 1000,
				  .proven = true,
				  .actor = actor,
				  .command = command,
				  .letter = "298/VNCERT-ĐPƯC",
				  .files = two_files,
				  .files_bytes = sizeof(two_files) };
}

static void add(struct env *env, struct kh_audit *entry)
{
	begin(env);
	assert_ok(kh_ledger_audit_add(env->ledger, entry, &why));
	commit(env);
}

/* Five of them, at 1001 .. 1005. */
static int setup_five(void **state)
{
	static const char *const commands[] = { "{\"op\":\"push\"}", "{\"op\":\"block\"}", "{\"op\":\"allow\"}",
						"{\"op\":\"undo\"}", "{\"op\":\"detach\"}" };

	if (setup(state))
		return -1;
	for (int i = 0; i < 5; i++) {
		struct kh_audit entry = entry_of(1001 + i, "van (root)", commands[i]);

		add(*state, &entry);
	}
	return 0;
}

static int print_entry(const struct kh_audit *entry, void *context)
{
	char hash[KH_AUDIT_HASH_TEXT];

	print(context, "%lld %lld %lld %lld%s %s %s %lld %s %zu %d %.8s\n", (long long)entry->number,
	      (long long)entry->time, (long long)entry->uid, (long long)entry->login, entry->proven ? "" : "?",
	      entry->actor, entry->command, (long long)entry->change, entry->letter, entry->files_bytes / 32,
	      entry->exit, kh_audit_hash_text(entry->hash, hash));
	return 0;
}

static const char *verify_text(struct env *env)
{
	struct kh_audit_report report = {};

	clear(env);
	assert_ok(kh_ledger_audit_verify(env->ledger, &report, &why));
	print(env, "%lld entries %lld-%lld %s %lld %lld", (long long)report.entries, (long long)report.first_time,
	      (long long)report.last_time, kh_audit_fault_name(report.fault), (long long)report.number,
	      (long long)report.time);
	return env->text;
}

/* ---- An entry ------------------------------------------------------------------------------------- */

/* By another hand than audit.c's: the form that its header and khiend(8) describe. */
static void the_hash_is_that_of_the_form_described(void **state)
{
	struct env *env = *state;
	struct kh_audit entry = entry_of(1700000000, "van (root)", "{\"op\":\"push\"}");
	char expected[KH_AUDIT_HASH_TEXT], got[KH_AUDIT_HASH_TEXT];
	unsigned char digest[32];
	static const unsigned char form[] =
		"khien audit 1\n"
		"\0\0\0\0\0\0\0\x20"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x01" /* number */
		"\0\0\0\0\0\0\0\x08\0\0\0\0\x65\x53\xf1\0" /* time */
		"\0\0\0\0\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xff" /* uid -1 */
		"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\x03\xe8" /* login */
		"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x01"
		"\0\0\0\0\0\0\0\x0avan (root)"
		"\0\0\0\0\0\0\0\x0d{\"op\":\"push\"}"
		"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\x05"
		"7/STT"
		"\0\0\0\0\0\0\0\x20\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x03";

	entry.uid = -1;
	entry.letter = "7/STT";
	entry.files_bytes = 32;
	entry.exit = 3;
	add(env, &entry);
	crypto_hash_sha256(digest, form, sizeof(form) - 1);
	assert_string_equal(kh_audit_hash_text(entry.hash, got), kh_audit_hash_text(digest, expected));
	assert_int_equal(entry.number, 1);
}

/* "ab" and "c" are not "a" and "bc". */
static void fields_do_not_run_into_each_other(void **state)
{
	struct env *env = *state;
	struct kh_audit one = entry_of(1000, "ab", "c"), other = entry_of(1000, "a", "bc");

	begin(env);
	assert_ok(kh_ledger_audit_add(env->ledger, &one, &why));
	kh_ledger_rollback(env->ledger);
	begin(env);
	assert_ok(kh_ledger_audit_add(env->ledger, &other, &why));
	assert_int_equal(one.number, other.number);
	assert_memory_not_equal(one.hash, other.hash, sizeof(one.hash));
	commit(env);
}

static void entries_are_read_newest_first(void **state)
{
	struct env *env = *state;

	clear(env);
	assert_int_equal(kh_ledger_audits(env->ledger, 3, print_entry, env), 0);
	assert_non_null(strstr(env->text, "2 1002 0 1000 van (root) {\"op\":\"block\"} 0 298/VNCERT-ĐPƯC 2 0 "));
	assert_int_equal(env->text[0], '2');
	assert_non_null(strstr(env->text, "\n1 1001 "));
	assert_null(strstr(env->text, "\n3 "));
}

/* ---- With its change -------------------------------------------------------------------------------- */

static void an_entry_stands_and_falls_with_its_change(void **state)
{
	struct env *env = *state;
	struct kh_audit entry = entry_of(1000, "nam", "{\"op\":\"block\"}");

	entry.change = act(env, "block");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	assert_ok(kh_ledger_audit_add(env->ledger, &entry, &why));
	assert_int_equal(kh_ledger_audit_newest(env->ledger), 1);
	kh_ledger_rollback(env->ledger);
	assert_int_equal(kh_ledger_audit_newest(env->ledger), 0);
	assert_string_equal(query_text(env, "SELECT count(*) FROM audit"), "0\n");
	assert_string_equal(verify_text(env), "0 entries 0-0 none 0 0");

	entry.change = act(env, "block");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	assert_ok(kh_ledger_audit_add(env->ledger, &entry, &why));
	commit(env);
	reopen(env);
	assert_int_equal(kh_ledger_audit_newest(env->ledger), 1);
	assert_string_equal(verify_text(env), "1 entries 1000-1000 none 0 0");
}

static void a_change_without_an_entry_is_named(void **state)
{
	struct env *env = *state;

	act(env, "push");
	put(env, 1, "203.0.113.1", KH_ORDER_ACTIVE, 0);
	commit(env);
	assert_string_equal(verify_text(env), "5 entries 1001-1005 unrecorded 1 1000");
}

/* ---- Only added to ------------------------------------------------------------------------------------ */

static int refused(struct env *env, const char *sql)
{
	return sqlite3_exec(env->ledger->db, sql, NULL, NULL, NULL);
}

static void nothing_is_changed_or_removed(void **state)
{
	static const char *const tries[] = {
		"UPDATE audit SET exit = 0 WHERE number = 2",
		"UPDATE OR REPLACE audit SET number = 3 WHERE number = 2",
		"DELETE FROM audit WHERE number = 5",
		"DELETE FROM audit",
		"INSERT OR REPLACE INTO audit SELECT number, time, uid, login, proven, 'hoa', command, change, letter, files,"
		" exit, before, hash FROM audit WHERE number = 2",
	};
	struct env *env = *state;

	for (size_t i = 0; i < KH_ARRAY_SIZE(tries); i++)
		if (refused(env, tries[i]) != SQLITE_CONSTRAINT_TRIGGER)
			fail_msg("not refused: %s", tries[i]);
	assert_string_equal(verify_text(env), "5 entries 1001-1005 none 0 0");
}

/* ---- Tampering ---------------------------------------------------------------------------------------- */

#define UNGUARDED                                                                   \
	"DROP TRIGGER IF EXISTS audit_update; DROP TRIGGER IF EXISTS audit_delete;" \
	"DROP TRIGGER IF EXISTS audit_insert;"

/* As with sqlite3(1) on the file, the daemon being stopped. */
static void tamper(struct env *env, const char *sql)
{
	sqlite3 *db = NULL;

	close_ledger(env);
	assert_int_equal(sqlite3_open(env->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, UNGUARDED, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	open_ledger(env);
}

static void every_field_is_held(void **state)
{
	static const char *const fields[] = {
		"time = time + 1", "uid = 33",	     "login = -1", "proven = 0",  "actor = 'hoa'", "command = '{}'",
		"change = 7",	   "letter = '1/A'", "exit = 1",   "files = x''", "before = x''",  "hash = before",
	};

	for (size_t i = 0; i < KH_ARRAY_SIZE(fields); i++) {
		void *own = NULL;
		char sql[128];

		(void)state;
		assert_int_equal(setup_five(&own), 0);
		snprintf(sql, sizeof(sql), "UPDATE audit SET %s WHERE number = 3", fields[i]);
		tamper(own, sql);
		if (!strstr(verify_text(own), "2 entries 1001-1002 changed 3 100"))
			fail_msg("%s: %s", fields[i], ((struct env *)own)->text);
		teardown(&own);
	}
}

static void a_deleted_entry_is_missed(void **state)
{
	struct env *env = *state;

	tamper(env, "DELETE FROM audit WHERE number = 3");
	assert_string_equal(verify_text(env), "2 entries 1001-1002 missing 3 1002");
}

static void so_is_the_first(void **state)
{
	struct env *env = *state;

	tamper(env, "DELETE FROM audit WHERE number = 1");
	assert_string_equal(verify_text(env), "0 entries 0-0 missing 1 0");
}

static void so_are_the_last(void **state)
{
	struct env *env = *state;
	struct kh_audit entry = entry_of(1006, "nam", "{\"op\":\"push\"}");

	tamper(env, "DELETE FROM audit WHERE number > 3");
	assert_string_equal(verify_text(env), "3 entries 1001-1003 cut 4 1003");
	add(env, &entry); /* what comes later does not cover it */
	assert_int_equal(entry.number, 6);
	assert_string_equal(verify_text(env), "3 entries 1001-1003 missing 4 1003");
}

static void so_are_all_of_them(void **state)
{
	struct env *env = *state;

	tamper(env, "DELETE FROM audit");
	assert_string_equal(verify_text(env), "0 entries 0-0 cut 1 0");
}

/* In a place that others are pushed out of. */
static void an_inserted_entry_is_found(void **state)
{
	struct env *env = *state;

	tamper(env,
	       "UPDATE audit SET number = -(number + 1) WHERE number >= 3; UPDATE audit SET number = -number WHERE number < 0;"
	       "INSERT INTO audit SELECT 3, time, uid, login, proven, 'hoa', command, change, letter, files, exit, before, hash"
	       " FROM audit WHERE number = 2");
	assert_string_equal(verify_text(env), "2 entries 1001-1002 changed 3 1002");
}

/* What audit.c would have written, by somebody who has read audit.h. */
static struct kh_audit forged(struct env *env, int64_t number, const char *actor)
{
	struct kh_audit entry = entry_of(1000 + number, actor, "{\"op\":\"push\"}");
	sqlite3_stmt *statement = NULL;

	assert_int_equal(
		sqlite3_prepare_v2(env->ledger->db, "SELECT hash FROM audit WHERE number = ?1", -1, &statement, NULL),
		SQLITE_OK);
	sqlite3_bind_int64(statement, 1, number - 1);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	env->ledger->audit.number = number - 1;
	memcpy(env->ledger->audit.hash, sqlite3_column_blob(statement, 0), 32);
	sqlite3_finalize(statement);
	assert_int_equal(refused(env, UNGUARDED "CREATE TEMP TABLE kept AS SELECT * FROM audit; DELETE FROM audit"),
			 SQLITE_OK);
	begin(env);
	assert_ok(kh_ledger_audit_add(env->ledger, &entry, &why));
	commit(env);
	assert_int_equal(refused(env, "INSERT OR IGNORE INTO audit SELECT * FROM kept"), SQLITE_OK);
	return entry;
}

static void a_rewritten_entry_does_not_fit_the_next(void **state)
{
	struct env *env = *state;

	forged(env, 3, "hoa");
	assert_string_equal(verify_text(env), "3 entries 1001-1003 replaced 3 1003");
}

/* With a note of the newest entry that is not what it was, nothing in the file tells; the log does. */
static void the_last_one_rewritten_does_not_fit_the_note(void **state)
{
	struct env *env = *state;
	char *note = strdup(query_text(env, "SELECT value FROM meta WHERE key = 'audit'")), sql[256];

	note[strcspn(note, "\n")] = '\0';
	forged(env, 5, "hoa");
	assert_string_equal(verify_text(env), "5 entries 1001-1005 none 0 0");
	snprintf(sql, sizeof(sql), "UPDATE meta SET value = '%s' WHERE key = 'audit'", note);
	assert_int_equal(refused(env, sql), SQLITE_OK);
	reopen(env);
	assert_string_equal(verify_text(env), "5 entries 1001-1005 replaced 5 1005");
	free(note);
}

static void an_entry_put_in_behind_the_end_is_found(void **state)
{
	struct env *env = *state;
	char *note = strdup(query_text(env, "SELECT value FROM meta WHERE key = 'audit'")), sql[256];
	struct kh_audit entry = entry_of(1006, "hoa", "{\"op\":\"push\"}");

	note[strcspn(note, "\n")] = '\0';
	add(env, &entry);
	snprintf(sql, sizeof(sql), "UPDATE meta SET value = '%s' WHERE key = 'audit'", note);
	tamper(env, sql);
	assert_string_equal(verify_text(env), "6 entries 1001-1006 added 6 1006");
	tamper(env, "DELETE FROM meta WHERE key = 'audit'");
	assert_string_equal(verify_text(env), "1 entries 1001-1001 added 1 1001");
	free(note);
}

static void swapped_entries_are_found(void **state)
{
	struct env *env = *state;

	tamper(env, "UPDATE audit SET number = 100 WHERE number = 2; UPDATE audit SET number = 2 WHERE number = 4;"
		    "UPDATE audit SET number = 4 WHERE number = 100");
	assert_string_equal(verify_text(env), "1 entries 1001-1001 changed 2 1004");
}

static void note_rollback(void *context)
{
	*(int *)context = 1;
}

static int refuse(void *context)
{
	return *(int *)context;
}

/* What a rollback cannot read again is not taken for what is in the file: an entry that was taken back would leave a hole in the chain. */
static void a_rollback_that_cannot_read_leaves_no_hole(void **state)
{
	struct env *env = *state;
	struct kh_audit entry = entry_of(1006, "an", "{}");
	int rolled_back = 0;

	begin(env);
	assert_ok(kh_ledger_audit_add(env->ledger, &entry, &why));
	sqlite3_rollback_hook(env->ledger->db, note_rollback, &rolled_back);
	sqlite3_progress_handler(env->ledger->db, 1, refuse, &rolled_back);
	kh_ledger_rollback(env->ledger);
	assert_true(kh_ledger_begin(env->ledger, NULL) < 0);
	sqlite3_progress_handler(env->ledger->db, 0, NULL, NULL);
	sqlite3_rollback_hook(env->ledger->db, NULL, NULL);
	assert_string_equal(verify_text(env), "5 entries 1001-1005 none 0 0");
	entry = entry_of(1007, "an", "{}");
	add(env, &entry);
	assert_string_equal(verify_text(env), "6 entries 1001-1007 none 0 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_hash_is_that_of_the_form_described, setup, teardown),
		cmocka_unit_test_setup_teardown(fields_do_not_run_into_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(entries_are_read_newest_first, setup_five, teardown),
		cmocka_unit_test_setup_teardown(an_entry_stands_and_falls_with_its_change, setup, teardown),
		cmocka_unit_test_setup_teardown(a_change_without_an_entry_is_named, setup_five, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_changed_or_removed, setup_five, teardown),
		cmocka_unit_test(every_field_is_held),
		cmocka_unit_test_setup_teardown(a_deleted_entry_is_missed, setup_five, teardown),
		cmocka_unit_test_setup_teardown(so_is_the_first, setup_five, teardown),
		cmocka_unit_test_setup_teardown(so_are_the_last, setup_five, teardown),
		cmocka_unit_test_setup_teardown(so_are_all_of_them, setup_five, teardown),
		cmocka_unit_test_setup_teardown(an_inserted_entry_is_found, setup_five, teardown),
		cmocka_unit_test_setup_teardown(a_rewritten_entry_does_not_fit_the_next, setup_five, teardown),
		cmocka_unit_test_setup_teardown(the_last_one_rewritten_does_not_fit_the_note, setup_five, teardown),
		cmocka_unit_test_setup_teardown(an_entry_put_in_behind_the_end_is_found, setup_five, teardown),
		cmocka_unit_test_setup_teardown(a_rollback_that_cannot_read_leaves_no_hole, setup_five, teardown),
		cmocka_unit_test_setup_teardown(swapped_entries_are_found, setup_five, teardown),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
