// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening, checking, creating, setting aside and closing the file of the ledger.
 *
 * A new ledger is made complete under another name and renamed, so a file under the right name always carries our mark
 * from its first byte on: whatever does not (empty, cut off, another program's) is not touched, not even by SQLite.
 * Damage found later is never checkpointed. A lock file keeps a second daemon out; reading with other tools stays possible.
 */
#include "ledger/private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/crash.h"
#include "common/lang.h"
#include "ledger/files.h"

#define HEADER_SIZE 100 /* of an SQLite file: https://www.sqlite.org/fileformat.html 1.3 */

static uint32_t big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int fail_damaged(const char *path, const char *why, struct kh_error *error)
{
	kh_fail(error, -EUCLEAN, _("%s is not a usable ledger: %s"), path, why);
	kh_hint(error, _("the file is left as it is; keep a copy, and restore a backup or move it aside"));
	return -EUCLEAN;
}

static int fail_path(const char *path, int code, struct kh_error *error)
{
	kh_fail(error, -code, _("cannot open %s: %s"), path, strerror(code));
	return -code;
}

/* 1: there is a file with our mark; 0: there is none; or -errno. */
static int check_header(const char *path, struct kh_error *error)
{
	int fd KH_CLEANUP(kh_closep) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t header[HEADER_SIZE];
	struct stat status;
	ssize_t length;

	if (fd < 0)
		return errno == ENOENT ? 0 : fail_path(path, errno, error);
	if (fstat(fd, &status) < 0)
		return fail_path(path, errno, error);
	if (!S_ISREG(status.st_mode))
		return fail_path(path, S_ISDIR(status.st_mode) ? EISDIR : EINVAL, error);
	length = pread(fd, header, sizeof(header), 0);
	if (length < 0)
		return fail_path(path, errno, error);
	if (length == 0)
		return fail_damaged(path, _("it is empty"), error);
	if (length < HEADER_SIZE)
		return fail_damaged(path, _("it is cut off"), error);
	if (memcmp(header, "SQLite format 3", 16))
		return fail_damaged(path, _("it is not an SQLite database"), error);
	if (big_endian(header + 68) != KH_LEDGER_APPLICATION_ID)
		return fail_damaged(path, _("it is the database of another program"), error);
	return 1;
}

static int lock(const char *path, int *ret_fd, struct kh_error *error)
{
	char name[PATH_MAX], owner[32] = "";
	int fd KH_CLEANUP(kh_closep) = -1;

	if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name))
		return fail_path(path, ENAMETOOLONG, error);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail_path(name, errno, error);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return fail_path(name, errno, error);
		if (pread(fd, owner, sizeof(owner) - 1, 0) < 0)
			owner[0] = '\0';
		owner[strspn(owner, "0123456789")] = '\0';
		kh_fail(error, -EBUSY, _("the ledger %s is in use by another daemon (process %s)"), path,
			owner[0] ? owner : "?");
		kh_hint(error, _("stop that one first, or give this one its own --state folder"));
		return -EBUSY;
	}
	/* Who holds it is a courtesy: on a full disk the lock holds all the same. */
	snprintf(owner, sizeof(owner), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, owner, strlen(owner), 0) < 0)
		errno = 0;
	*ret_fd = KH_TAKE_FD(fd);
	return 0;
}

/* Nothing is checkpointed unless all went well, so that a damaged ledger stays as it is. */
static int connect_file(struct kh_ledger *ledger, const char *path, bool exclusive, struct kh_error *error)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
	int result = sqlite3_open_v2(path, &ledger->db, flags, NULL), code;

	if (result != SQLITE_OK)
		return kh_sql_fail(ledger, result, error);
	sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_busy_timeout(ledger->db, 2000);
	if (sqlite3_db_readonly(ledger->db, "main") == 1)
		return kh_sql_fail(ledger, SQLITE_READONLY, error);
	/* First of all: whatever else touches the file would open the shared index. */
	code = exclusive ? kh_sql_exec(ledger, "PRAGMA locking_mode = EXCLUSIVE", error) : 0;
	if (code >= 0)
		code = kh_sql_exec(
			ledger, "PRAGMA mmap_size = 0; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;", error);
	return code;
}

static void disconnect(struct kh_ledger *ledger)
{
	for (size_t i = 0; i < KH_SQL_CACHED_COUNT; i++) {
		sqlite3_finalize(ledger->cached[i]);
		ledger->cached[i] = NULL;
	}
	sqlite3_close(ledger->db);
	ledger->db = NULL;
}

/* The first thing that is wrong, in SQLite's words; "ok" when nothing is. */
static int check_content(struct kh_ledger *ledger, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(ledger, "PRAGMA quick_check(1)", &statement, error);

	if (code >= 0)
		code = kh_sql_step(ledger, statement, error);
	if (code < 0)
		return code;
	if (code == 0 || strcmp(kh_sql_text(statement, 0), "ok"))
		return fail_damaged(ledger->path, kh_sql_text(statement, 0), error);
	return 0;
}

static int prepare_connection(struct kh_ledger *ledger, struct kh_error *error)
{
	int code = kh_schema_migrate(ledger, error);

	if (code >= 0)
		code = kh_schema_check(ledger, error);
	if (code >= 0)
		code = kh_bulk_functions(ledger, error);
	if (code >= 0)
		code = kh_ledger_load(ledger, error);
	if (code >= 0)
		code = kh_sql_exec(ledger,
				   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
				   "PRAGMA journal_size_limit = 67108864;",
				   error);
	return code;
}

static int create(struct kh_ledger *ledger, const char *path, struct kh_error *error)
{
	char fresh[PATH_MAX], mark[64];
	int fd, code;

	if (kh_files_stray(path)) {
		fail_damaged(path, _("it is gone, and its write-ahead log is still there"), error);
		kh_hint(error, _("put the ledger back beside %s-wal, or move that file aside"), path);
		return -EUCLEAN;
	}
	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return fail_path(path, ENAMETOOLONG, error);
	kh_files_remove(fresh);
	fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_path(fresh, errno, error);
	close(fd);
	KH_CRASH_POINT("create.named");
	snprintf(mark, sizeof(mark), "PRAGMA application_id = %d", KH_LEDGER_APPLICATION_ID);
	code = connect_file(ledger, fresh, false, error);
	if (code >= 0)
		code = kh_sql_exec(ledger, mark, error);
	if (code >= 0)
		code = kh_schema_migrate(ledger, error);
	disconnect(ledger);
	KH_CRASH_POINT("create.made");
	if (code >= 0) {
		code = kh_files_publish(fresh, path);
		if (code < 0)
			fail_path(path, -code, error);
		KH_CRASH_POINT("create.published");
	}
	if (code < 0)
		kh_files_remove(fresh);
	return code;
}

static int open_existing(struct kh_ledger *ledger, bool exclusive, struct kh_error *error)
{
	int code = connect_file(ledger, ledger->path, exclusive, error);

	if (code >= 0)
		code = check_content(ledger, error);
	KH_CRASH_POINT("open.checked");
	if (code >= 0)
		code = prepare_connection(ledger, error);
	KH_CRASH_POINT("open.prepared");
	if (code < 0)
		disconnect(ledger);
	else
		sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return code;
}

static void read_boot(struct kh_ledger *ledger)
{
	char boot[sizeof(ledger->boot)] = "";
	FILE *file KH_CLEANUP(kh_fclosep) = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || !fgets(boot, sizeof(boot), file))
		return; /* the same boot as far as we can tell; counts that went backwards still start again */
	boot[strcspn(boot, "\n")] = '\0';
	kh_ledger_set_boot(ledger, boot);
}

static int open_locked(struct kh_ledger *ledger, struct kh_error *error)
{
	int code = check_header(ledger->path, error);

	if (code == 0)
		code = create(ledger, ledger->path, error);
	if (code < 0)
		return code;
	code = open_existing(ledger, false, error);
	/* The shared index beside a WAL needs room on the disk; alone, SQLite keeps it in memory. A full disk must not keep the
	 * daemon from reading what is ordered. */
	if (code == -ENOSPC || code == -EIO)
		code = open_existing(ledger, true, error);
	if (code >= 0)
		read_boot(ledger);
	return code;
}

int kh_ledger_open(const char *path, struct kh_ledger **ret_ledger, struct kh_error *error)
{
	struct kh_ledger *ledger = calloc(1, sizeof(*ledger));
	int code;

	if (!ledger)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
		       0); /* nobody reads it, and it costs a tenth of a push; refused when too late */
	ledger->lock_fd = -1;
	ledger->path = strdup(path);
	if (!ledger->path) {
		free(ledger);
		return kh_fail(error, -ENOMEM, _("out of memory"));
	}
	code = lock(path, &ledger->lock_fd, error);
	if (code >= 0)
		code = open_locked(ledger, error);
	if (code < 0) {
		kh_ledger_close(ledger);
		return code;
	}
	*ret_ledger = ledger;
	return 0;
}

void kh_ledger_close(struct kh_ledger *ledger)
{
	if (!ledger)
		return;
	if (ledger->db) {
		kh_ledger_rollback(ledger);
		disconnect(ledger); /* the last one out: SQLite checkpoints and removes the log */
	}
	if (ledger->lock_fd >= 0)
		close(ledger->lock_fd);
	kh_bulks_clear(ledger);
	kh_slots_clear(ledger);
	kh_tallies_clear(ledger);
	free(ledger->path);
	free(ledger);
}

int kh_ledger_set_aside(const char *path, char *ret_name, size_t size)
{
	int fd KH_CLEANUP(kh_closep) = -1;
	int code = lock(path, &fd, NULL);

	return code < 0 ? code : kh_files_set_aside(path, ret_name, size);
}
