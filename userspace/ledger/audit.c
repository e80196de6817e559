// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Adding to the audit, reading it, and proving its chain: see audit.h.
 */
#include "ledger/audit.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "ledger/private.h"

#define COLUMNS "number, time, uid, login, proven, actor, command, change, letter, files, exit, before, hash"
#define META "audit" /* "NUMBER HASH" of the newest entry */
#define META_SINCE "audit-since" /* the last change from before there was an audit */

const char *kh_audit_fault_name(enum kh_audit_fault fault)
{
	static const char *const names[] = {
#define X(symbol, name) [symbol] = name,
		KH_AUDIT_FAULTS(X)
#undef X
	};

	_Static_assert(KH_ARRAY_SIZE(names) == KH_AUDIT_FAULT_COUNT, "a name for each");
	return fault < KH_AUDIT_FAULT_COUNT ? names[fault] : "none";
}

char *kh_audit_hash_text(const uint8_t hash[static KH_AUDIT_HASH_BYTES], char buffer[static KH_AUDIT_HASH_TEXT])
{
	return sodium_bin2hex(buffer, KH_AUDIT_HASH_TEXT, hash, KH_AUDIT_HASH_BYTES);
}

/* ---- The hash ------------------------------------------------------------------------------------------- */

static void big_endian(int64_t number, uint8_t ret_bytes[static 8])
{
	for (int i = 0; i < 8; i++)
		ret_bytes[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
}

static void hash_bytes(crypto_hash_sha256_state *state, const void *bytes, size_t length)
{
	uint8_t size[8];

	big_endian((int64_t)length, size);
	crypto_hash_sha256_update(state, size, sizeof(size));
	if (length)
		crypto_hash_sha256_update(state, bytes, length);
}

static void hash_number(crypto_hash_sha256_state *state, int64_t number)
{
	uint8_t bytes[8];

	big_endian(number, bytes);
	hash_bytes(state, bytes, sizeof(bytes));
}

static void hash_text(crypto_hash_sha256_state *state, const char *text)
{
	hash_bytes(state, text, strlen(text));
}

static void hash_entry(const struct kh_audit *entry, uint8_t ret_hash[static KH_AUDIT_HASH_BYTES])
{
	static const char form[] = "khien audit 1\n";
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)form, strlen(form));
	hash_bytes(&state, entry->before, sizeof(entry->before));
	hash_number(&state, entry->number);
	hash_number(&state, entry->time);
	hash_number(&state, entry->uid);
	hash_number(&state, entry->login);
	hash_number(&state, entry->proven);
	hash_text(&state, entry->actor);
	hash_text(&state, entry->command);
	hash_number(&state, entry->change);
	hash_text(&state, entry->letter);
	hash_bytes(&state, entry->files, entry->files_bytes);
	hash_number(&state, entry->exit);
	crypto_hash_sha256_final(&state, ret_hash);
}

/* ---- The newest, as noted apart from the table ------------------------------------------------------------ */

int kh_audit_load(struct kh_ledger *ledger, struct kh_error *error)
{
	char text[128] = "", *space;
	size_t length;
	int code = kh_meta_get(ledger, META, NULL, text, sizeof(text), error);

	memset(&ledger->audit, 0, sizeof(ledger->audit));
	if (code <= 0)
		return code;
	space = strchr(text, ' ');
	if (!space)
		return 0; /* somebody has written there: nothing fits it, and verify says so */
	*space = '\0';
	if (kh_number_parse(text, 0, INT64_MAX - 1, &ledger->audit.number) < 0 ||
	    sodium_hex2bin(ledger->audit.hash, sizeof(ledger->audit.hash), space + 1, strlen(space + 1), NULL, &length,
			   NULL) < 0)
		memset(&ledger->audit, 0, sizeof(ledger->audit));
	return 0;
}

static int note_newest(struct kh_ledger *ledger, const struct kh_audit *entry, struct kh_error *error)
{
	char hash[KH_AUDIT_HASH_TEXT], text[32 + KH_AUDIT_HASH_TEXT];
	int code;

	snprintf(text, sizeof(text), "%lld %s", (long long)entry->number, kh_audit_hash_text(entry->hash, hash));
	code = kh_meta_put(ledger, META, 0, text, error);
	if (code < 0)
		return code;
	ledger->audit.number = entry->number;
	memcpy(ledger->audit.hash, entry->hash, sizeof(ledger->audit.hash));
	return 0;
}

int64_t kh_ledger_audit_newest(const struct kh_ledger *ledger)
{
	return ledger->audit.number;
}

/* ---- Adding ----------------------------------------------------------------------------------------------- */

/* After what was noted last, even if the table ends before it: what is missing must stay missing. */
static int next_number(struct kh_ledger *ledger, int64_t *ret_number, struct kh_error *error)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(ledger, KH_SQL_AUDIT_LAST, "SELECT coalesce(max(number), 0) FROM audit", &statement,
				 error);

	if (code >= 0)
		code = kh_sql_step(ledger, statement, error);
	if (code < 0)
		return code;
	*ret_number = sqlite3_column_int64(statement, 0);
	if (*ret_number < ledger->audit.number)
		*ret_number = ledger->audit.number;
	++*ret_number;
	return 0;
}

static int insert(struct kh_ledger *ledger, const struct kh_audit *entry, struct kh_error *error)
{
	sqlite3_stmt *statement;
	int code = kh_sql_cached(ledger, KH_SQL_AUDIT_NEW,
				 "INSERT INTO audit (" COLUMNS
				 ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
				 &statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, entry->number);
	kh_sql_bind_int(statement, 2, entry->time);
	kh_sql_bind_int(statement, 3, entry->uid);
	kh_sql_bind_int(statement, 4, entry->login);
	kh_sql_bind_int(statement, 5, entry->proven);
	kh_sql_bind_text(statement, 6, entry->actor);
	kh_sql_bind_text(statement, 7, entry->command);
	kh_sql_bind_int(statement, 8, entry->change);
	kh_sql_bind_text(statement, 9, entry->letter);
	kh_sql_bind_blob(statement, 10, entry->files ? (const void *)entry->files : "", entry->files_bytes);
	kh_sql_bind_int(statement, 11, entry->exit);
	kh_sql_bind_blob(statement, 12, entry->before, sizeof(entry->before));
	kh_sql_bind_blob(statement, 13, entry->hash, sizeof(entry->hash));
	return kh_sql_run(ledger, statement, error);
}

int kh_ledger_audit_add(struct kh_ledger *ledger, struct kh_audit *entry, struct kh_error *error)
{
	int code = kh_sql_writable(ledger, error);

	if (code >= 0)
		code = next_number(ledger, &entry->number, error);
	if (code < 0)
		return code;
	memcpy(entry->before, ledger->audit.hash, sizeof(entry->before));
	hash_entry(entry, entry->hash);
	code = insert(ledger, entry, error);
	return code < 0 ? code : note_newest(ledger, entry, error);
}

/* ---- Reading ---------------------------------------------------------------------------------------------- */

static void take_hash(sqlite3_stmt *statement, int column, uint8_t ret_hash[static KH_AUDIT_HASH_BYTES])
{
	memset(ret_hash, 0, KH_AUDIT_HASH_BYTES);
	if (sqlite3_column_bytes(statement, column) == KH_AUDIT_HASH_BYTES)
		memcpy(ret_hash, sqlite3_column_blob(statement, column), KH_AUDIT_HASH_BYTES);
}

/* Borrows from the statement. */
static struct kh_audit entry_of(sqlite3_stmt *statement)
{
	struct kh_audit entry = {
		.number = sqlite3_column_int64(statement, 0),
		.time = sqlite3_column_int64(statement, 1),
		.uid = sqlite3_column_int64(statement, 2),
		.login = sqlite3_column_int64(statement, 3),
		.proven = sqlite3_column_int64(statement, 4) != 0,
		.actor = kh_sql_text(statement, 5),
		.command = kh_sql_text(statement, 6),
		.change = sqlite3_column_int64(statement, 7),
		.letter = kh_sql_text(statement, 8),
		.files = sqlite3_column_blob(statement, 9),
		.files_bytes = (size_t)sqlite3_column_bytes(statement, 9),
		.exit = sqlite3_column_int(statement, 10),
	};

	take_hash(statement, 11, entry.before);
	take_hash(statement, 12, entry.hash);
	return entry;
}

int kh_ledger_audits(struct kh_ledger *ledger, int64_t before, int (*callback)(const struct kh_audit *, void *),
		     void *context)
{
	KH_STATEMENT(statement);
	int code =
		kh_sql_prepare(ledger, "SELECT " COLUMNS " FROM audit WHERE ?1 = 0 OR number < ?1 ORDER BY number DESC",
			       &statement, NULL);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, before);
	while ((code = kh_sql_step(ledger, statement, NULL)) == 1) {
		struct kh_audit entry = entry_of(statement);
		int stop = callback(&entry, context);

		if (stop)
			return stop;
	}
	return code;
}

/* ---- Proving ---------------------------------------------------------------------------------------------- */

static void find(struct kh_audit_report *report, enum kh_audit_fault fault, int64_t number, int64_t time)
{
	report->fault = fault;
	report->number = number;
	report->time = time;
}

/* Is this what must come next? It is counted when it is. */
static bool fits(struct kh_audit_report *report, const struct kh_audit *entry)
{
	uint8_t hash[KH_AUDIT_HASH_BYTES];

	if (entry->number != report->last_number + 1) { /* they come in ascending order */
		find(report, KH_AUDIT_MISSING, report->last_number + 1, report->last_time);
		return false;
	}
	hash_entry(entry, hash);
	if (memcmp(hash, entry->hash, sizeof(hash)) != 0) {
		find(report, KH_AUDIT_CHANGED, entry->number, entry->time);
		return false;
	}
	if (memcmp(entry->before, report->last_hash, sizeof(entry->before)) != 0) {
		/* this one is chained to another than stands there; the first is chained to none */
		find(report, report->last_number ? KH_AUDIT_REPLACED : KH_AUDIT_CHANGED,
		     report->last_number ? report->last_number : entry->number,
		     report->last_number ? report->last_time : entry->time);
		return false;
	}
	if (!report->entries++)
		report->first_time = entry->time;
	report->last_time = entry->time;
	report->last_number = entry->number;
	memcpy(report->last_hash, entry->hash, sizeof(report->last_hash));
	return true;
}

static int walk(struct kh_ledger *ledger, struct kh_audit_report *report, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(ledger, "SELECT " COLUMNS " FROM audit ORDER BY number", &statement, error);

	if (code < 0)
		return code;
	while ((code = kh_sql_step(ledger, statement, error)) == 1) {
		struct kh_audit entry = entry_of(statement);

		if (!fits(report, &entry))
			return 0;
		if (entry.number == ledger->audit.number + 1) {
			find(report, KH_AUDIT_ADDED, entry.number, entry.time);
			return 0;
		}
	}
	return code;
}

static int find_unrecorded(struct kh_ledger *ledger, struct kh_audit_report *report, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int64_t since = 0;
	int code = kh_meta_get(ledger, META_SINCE, &since, NULL, 0, error);

	if (code >= 0)
		code = kh_sql_prepare(ledger,
				      "SELECT id, time FROM changes WHERE id > ?1 AND NOT EXISTS"
				      " (SELECT 1 FROM audit WHERE audit.change = changes.id) ORDER BY id LIMIT 1",
				      &statement, error);
	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, since);
	code = kh_sql_step(ledger, statement, error);
	if (code == 1)
		find(report, KH_AUDIT_UNRECORDED, sqlite3_column_int64(statement, 0),
		     sqlite3_column_int64(statement, 1));
	return code < 0 ? code : 0;
}

int kh_ledger_audit_verify(struct kh_ledger *ledger, struct kh_audit_report *ret_report, struct kh_error *error)
{
	struct kh_audit_report report = {};
	int code = kh_ledger_refresh(ledger, error);

	if (code >= 0)
		code = walk(ledger, &report, error);
	if (code >= 0 && !report.fault) {
		if (report.last_number < ledger->audit.number)
			find(&report, KH_AUDIT_CUT, report.last_number + 1, report.last_time);
		else if (memcmp(report.last_hash, ledger->audit.hash, sizeof(report.last_hash)) != 0)
			find(&report, KH_AUDIT_REPLACED, report.last_number, report.last_time);
		else
			code = find_unrecorded(ledger, &report, error);
	}
	if (code < 0)
		return code;
	*ret_report = report;
	return 0;
}
