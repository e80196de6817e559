// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What happens when it ends badly: killed in a transaction, killed between acknowledged commits, a full disk, a file system
 * gone read-only, a write refused. The state is that before or that after, and the error says which and why.
 * Disk-full cases need root (a small tmpfs in a mount namespace of this process); without it they say so and skip.
 */
#include "ledger_help.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void put_many(struct env *env, unsigned int from, unsigned int count)
{
	for (unsigned int i = from; i < from + count; i++) {
		struct kh_order_row row = { .letter = 1, .raw = "", .since = 1 };

		row.indicator.range = (struct kh_range){ .first = i, .last = i, .family = 4 };
		put_row(env, &row);
	}
}

static int64_t number(struct env *env, const char *sql)
{
	return atoll(query_text(env, sql));
}

/* ---- Killed --------------------------------------------------------------------------------------- */

/* Runs `body` in a child that ends only by SIGKILL, after it said `count` bytes through the pipe. */
static void run_and_kill(struct env *env, void (*body)(struct env *, int), int count)
{
	int pipes[2], status;
	char byte;
	pid_t child;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		body(env, pipes[1]);
		for (;;)
			pause();
	}
	close(pipes[1]);
	for (int i = 0; i < count; i++)
		assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(pipes[0]);
}

static void say(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(1);
}

static void push_without_end(struct env *env, int fd)
{
	open_ledger(env);
	sqlite3_exec(env->ledger->db, "PRAGMA cache_size = 10", NULL, NULL,
		     NULL); /* so that much of it is on the disk already */
	act(env, "push");
	put_many(env, 1000, 3000);
	say(fd);
}

static void killed_in_a_transaction_is_as_before(void **state)
{
	struct env *env = *state;
	char *before;

	open_ledger(env);
	act(env, "push");
	put_many(env, 0, 5);
	commit(env);
	before = whole_state(env);
	close_ledger(env);
	run_and_kill(env, push_without_end, 1);
	open_ledger(env); /* the lock went with its holder */
	{
		char *now = whole_state(env);

		assert_string_equal(now, before);
		free(now);
	}
	assert_int_equal(number(env, "SELECT count(*) FROM changes"), 1);
	assert_int_equal(number(env, "SELECT count(*) FROM indicators"), 5);
	act(env, "push");
	put_many(env, 1000, 10);
	commit(env);
	assert_int_equal(number(env, "SELECT max(id) FROM changes"), 2);
	free(before);
}

#define ROWS 7

static void commit_and_say(struct env *env, int fd)
{
	open_ledger(env);
	for (unsigned int i = 0; i < 1000; i++) {
		act(env, "push");
		put_many(env, i * ROWS, ROWS);
		commit(env);
		say(fd);
	}
}

static void what_was_acknowledged_is_there(void **state)
{
	struct env *env = *state;

	for (int acknowledged = 1; acknowledged < 60; acknowledged += 9) {
		int64_t changes;

		unlink(env->path);
		open_ledger(env);
		close_ledger(env);
		run_and_kill(env, commit_and_say, acknowledged);
		open_ledger(env);
		changes = number(env, "SELECT count(*) FROM changes");
		assert_true(changes >= acknowledged);
		assert_int_equal(number(env, "SELECT count(*) FROM orders"), changes * ROWS); /* whole changes only */
		assert_int_equal(number(env, "SELECT sum(orders) FROM changes"), changes * ROWS);
		close_ledger(env);
	}
}

static void create_and_say(struct env *env, int fd)
{
	open_ledger(env);
	say(fd);
}

static void a_new_ledger_survives_at_once(void **state)
{
	struct env *env = *state;

	run_and_kill(env, create_and_say, 1);
	open_ledger(env);
	assert_int_equal(number(env, "SELECT count(*) FROM letters"), 1);
}

/* ---- Writes refused ------------------------------------------------------------------------------- */

static void a_refused_write_is_named_and_undone(void **state)
{
	struct env *env = *state;
	struct rlimit before, small;
	struct kh_error error = {};
	struct stat status;
	int code = 0;

	open_ledger(env);
	act(env, "push");
	put_many(env, 0, 5);
	commit(env);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(stat(env->path, &status), 0);
	small = before;
	small.rlim_cur = (rlim_t)status.st_size + 100000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	sqlite3_exec(env->ledger->db, "PRAGMA cache_size = 10", NULL, NULL, NULL);
	act(env, "push");
	for (unsigned int i = 0; i < 20000 && code >= 0; i++) {
		struct kh_order_row row = { .letter = 1, .raw = "", .since = 1 };

		row.indicator.range = (struct kh_range){ .first = 1000 + i, .last = 1000 + i, .family = 4 };
		code = kh_ledger_order_put(env->ledger, &row, &error);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(code < 0);
	assert_non_null(strstr(error.text, env->path));
	/* Room again: but what began before it failed can only be rolled back. */
	assert_int_equal(kh_ledger_commit(env->ledger, &error), code);
	assert_int_equal(number(env, "SELECT count(*) FROM orders"), 5);
	act(env, "push");
	put_many(env, 1000, 10);
	commit(env);
	reopen(env);
	assert_int_equal(number(env, "SELECT count(*) FROM orders"), 15);
	assert_int_equal(number(env, "SELECT max(id) FROM changes"), 2);
}

/* SQLite ends a transaction on its own on some errors: nothing of it may then be written row by row. */
static void a_transaction_that_ended_takes_no_more(void **state)
{
	struct env *env = *state;
	struct kh_order_row row = order_of("203.0.113.7", 1);
	struct kh_error error = {};

	open_ledger(env);
	act(env, "push");
	assert_int_equal(sqlite3_exec(env->ledger->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(kh_ledger_order_put(env->ledger, &row, &error), -EIO);
	assert_int_equal(kh_ledger_commit(env->ledger, &error), -EIO);
	assert_int_equal(number(env, "SELECT count(*) FROM orders"), 0);
}

/* ---- A full disk ---------------------------------------------------------------------------------- */

static bool small_disk(struct env *env, const char *size)
{
	char options[64];

	if (geteuid() != 0) {
		print_message("skipped: a small file system needs root\n");
		return false;
	}
	snprintf(options, sizeof(options), "size=%s", size);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", env->folder, "tmpfs", 0, options) < 0) {
		print_message("skipped: no mount namespace to be had: %s\n", strerror(errno));
		return false;
	}
	return true;
}

static void ballast_path(const struct env *env, char path[static 128])
{
	snprintf(path, 128, "%s/ballast", env->folder);
}

static void fill_disk(struct env *env)
{
	static const char block[4096];
	char path[128];
	int fd;

	ballast_path(env, path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void free_disk(struct env *env)
{
	char path[128];

	ballast_path(env, path);
	assert_int_equal(unlink(path), 0);
}

static int teardown_disk(void **state)
{
	struct env *env = *state;

	kh_ledger_close(env->ledger);
	env->ledger = NULL;
	umount2(env->folder, MNT_DETACH);
	return teardown(state);
}

static void assert_full(struct env *env, int code, const struct kh_error *error)
{
	assert_int_equal(code, -ENOSPC);
	assert_non_null(strstr(error->text, "no space left"));
	assert_non_null(strstr(error->text, env->path));
	assert_true(error->hint[0]);
}

static void a_full_disk_fails_the_push_and_nothing_else(void **state)
{
	struct env *env = *state;
	struct kh_error error = {};
	char *before, *after;
	int code = 0;

	if (!small_disk(env, "4m"))
		skip();
	open_ledger(env);
	act(env, "push");
	put_many(env, 0, 20);
	commit(env);
	before = whole_state(env);
	fill_disk(env);
	sqlite3_exec(env->ledger->db, "PRAGMA cache_size = 10", NULL, NULL, NULL);
	act(env, "push");
	for (unsigned int i = 0; i < 100000 && code >= 0; i++) {
		struct kh_order_row row = { .letter = 1, .raw = "", .since = 1 };

		row.indicator.range = (struct kh_range){ .first = 1000 + i, .last = 1000 + i, .family = 4 };
		code = kh_ledger_order_put(env->ledger, &row, &error);
	}
	assert_full(env, code, &error);
	assert_int_equal(kh_ledger_commit(env->ledger, &error), -ENOSPC);
	after = whole_state(env);
	assert_string_equal(after, before);
	free(after);
	free_disk(env);
	act(env, "push");
	put_many(env, 1000, 10);
	commit(env);
	assert_int_equal(number(env, "SELECT max(id) FROM changes"), 2);
	reopen(env);
	assert_int_equal(number(env, "SELECT count(*) FROM orders"), 30);
	free(before);
}

static void a_commit_that_does_not_fit_is_undone(void **state)
{
	struct env *env = *state;
	struct kh_error error = {};

	if (!small_disk(env, "4m"))
		skip();
	open_ledger(env);
	act(env, "push");
	put_many(env, 0, 2000); /* all in memory still */
	fill_disk(env);
	assert_full(env, kh_ledger_commit(env->ledger, &error), &error);
	assert_int_equal(number(env, "SELECT count(*) FROM orders"), 0);
	free_disk(env);
	act(env, "push");
	put_many(env, 0, 2000);
	commit(env);
	assert_int_equal(number(env, "SELECT count(*) FROM orders"), 2000);
}

static void a_daemon_starts_on_a_full_disk(void **state)
{
	struct env *env = *state;
	char fresh[160];
	struct kh_error error = {};

	if (!small_disk(env, "4m"))
		skip();
	open_ledger(env);
	act(env, "push");
	put_many(env, 0, 20);
	commit(env);
	close_ledger(env);
	fill_disk(env);
	open_ledger(env);
	assert_int_equal(number(env, "SELECT count(*) FROM orders"), 20); /* what is ordered can be enforced */
	begin(env);
	kh_ledger_rollback(env->ledger);
	close_ledger(env);
	free_disk(env);

	snprintf(env->path, sizeof(env->path), "%s/other.db", env->folder);
	fill_disk(env);
	assert_int_equal(kh_ledger_open(env->path, &env->ledger, &error), -ENOSPC);
	assert_non_null(strstr(error.text, env->path));
	snprintf(fresh, sizeof(fresh), "%s.new", env->path);
	assert_int_not_equal(access(fresh, F_OK), 0);
	free_disk(env);
	open_ledger(env); /* nothing half-made is in the way */
}

static void a_read_only_disk_is_named(void **state)
{
	struct env *env = *state;
	struct kh_error error = {};

	if (!small_disk(env, "4m"))
		skip();
	open_ledger(env);
	close_ledger(env);
	assert_int_equal(mount("none", env->folder, NULL, MS_REMOUNT | MS_RDONLY, "size=4m"), 0);
	assert_int_equal(kh_ledger_open(env->path, &env->ledger, &error), -EROFS);
	assert_non_null(strstr(error.text, env->path));
	assert_int_equal(mount("none", env->folder, NULL, MS_REMOUNT, "size=4m"), 0);
	open_ledger(env);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_folder, teardown)
#define DISK(name) cmocka_unit_test_setup_teardown(name, setup_folder, teardown_disk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(killed_in_a_transaction_is_as_before),
		CASE(what_was_acknowledged_is_there),
		CASE(a_new_ledger_survives_at_once),
		CASE(a_refused_write_is_named_and_undone),
		CASE(a_transaction_that_ended_takes_no_more),
		DISK(a_full_disk_fails_the_push_and_nothing_else),
		DISK(a_commit_that_does_not_fit_is_undone),
		DISK(a_daemon_starts_on_a_full_disk),
		DISK(a_read_only_disk_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
