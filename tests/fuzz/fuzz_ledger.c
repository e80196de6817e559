// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: what stands in the ledger's file. A ledger with something in every table is written once; each input changes it behind the ledger's
 * back, either cells (any value of any type in any column) or bytes of the file. Then it is opened, read by every question there is, written, undone and
 * verified. It may be refused as damaged; it may not crash, hang, or hand out what does not hold together.
 *
 * A cell is 5 bytes: column (2, over all tables), row, type and size, and then its bytes. A change of the file is 4: offset (3) and byte.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "ledger/audit.h"
#include "ledger/private.h"
#include "ledger/sources.h"

#define COLUMNS_MAX 512
#define NOW 2000
#define PAGES 1024
#define PAGE_BYTES 4608 /* of 4096, and what SQLite keeps beside them */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/dev/shm/kh-fuzz-ledger-XXXXXX";
static char path[sizeof(folder) + 16];
static uint8_t pages[PAGES * PAGE_BYTES] __attribute__((aligned(8)));
static uint8_t *image;
static size_t image_length;
static struct {
	char table[32], name[32];
} columns[COLUMNS_MAX];
static size_t columns_count;

/* ---- The ledger as it was ------------------------------------------------------------------------- */

static void put(struct kh_ledger *ledger, int64_t letter, const char *value, enum kh_order_state state, int64_t expires)
{
	struct kh_order_row row = { .letter = letter,
				    .state = state,
				    .reason = KH_WHY_ANNEX,
				    .raw = value,
				    .file = "cv.txt",
				    .line = 7,
				    .since = 1000,
				    .expires = expires };

	assert(kh_indicator_parse(value, &row.indicator, NULL) == 0);
	assert(kh_ledger_order_put(ledger, &row, NULL) >= 0);
	kh_indicator_clear(&row.indicator);
}

static int no_row(const struct kh_range *range, uint32_t line, void *context)
{
	(void)range;
	(void)line;
	(void)context;
	return 0;
}

static void put_bulk(struct kh_ledger *ledger, int64_t letter)
{
	struct kh_order_row terms = { .letter = letter, .reason = KH_WHY_TABLE, .file = "feed.txt", .since = 1000 };
	struct kh_bulk bulk = {};
	size_t made, unchanged;

	for (uint32_t i = 0; i < 12; i++) {
		char text[64];
		struct kh_range range;

		snprintf(text, sizeof(text), i % 2 ? "198.51.100.%u" : "2001:db8:5::%u", i * 7);
		assert(kh_range_parse(text, strlen(text), &range) == 0);
		assert(kh_bulk_add(&bulk, &range, i + 1) == 0);
	}
	assert(kh_bulk_sort(&bulk) >= 0);
	assert(kh_ledger_bulk_put(ledger, &terms, &bulk, no_row, NULL, &made, &unchanged, NULL) >= 0);
	kh_bulk_clear(&bulk);
}

static int any_force(const struct kh_force *force, void *context)
{
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&force->indicator);

	(void)context;
	assert(force->slot >= 1 && force->slot <= KH_SLOT_MAX && value);
	assert(force->action == KH_ACTION_DROP || force->action == KH_ACTION_MONITOR);
	assert(kh_indicator_enforceable(&force->indicator));
	assert(force->indicator.range.first <= force->indicator.range.last);
	return 0;
}

static int any_list(const struct kh_force_list *list, void *context)
{
	(void)context;
	assert(list->first_slot >= 1 && (uint64_t)list->first_slot + kh_bulk_count(list->values) - 1 <= KH_SLOT_MAX);
	assert(list->action == KH_ACTION_DROP || list->action == KH_ACTION_MONITOR);
	return 0;
}

static void audit(struct kh_ledger *ledger, int64_t change)
{
	struct kh_audit entry = { .time = 1000,
				  .login = -1,
				  .actor = "nam",
				  .command = "{\"op\":\"push\"}",
				  .change = change,
				  .letter = "" };

	assert(kh_ledger_audit_add(ledger, &entry, NULL) == 0);
}

static void fold(struct kh_ledger *ledger)
{
	const struct kh_fold_record record = {
		.slot = 1, .raw = { .packets = 5, .bytes = 500, .first_seen = 900, .last_seen = 950 }
	};
	const struct kh_fold_sighting sighting = { .key = { .slot = 1 },
						   .interface = "eth1",
						   .raw = { .packets = 2, .bytes = 80 } };
	const struct kh_fold_counter counter = { .interface = "eth1",
						 .reason = KH_REASON_DROPPED,
						 .raw = { .packets = 5, .bytes = 500 } };

	kh_ledger_fold_records(ledger, 9, &record, 1, NULL);
	kh_ledger_fold_sightings(ledger, 10, &sighting, 1, NULL);
	kh_ledger_fold_counters(ledger, 11, &counter, 1, NULL);
}

static void first_change(struct kh_ledger *ledger)
{
	struct kh_change change = { .time = 1000, .uid = 1000, .actor = "nam", .kind = "push" };
	struct kh_letter letter = { .number = (char *)"1/A", .issuer = (char *)"NCSC", .date = (char *)"2020-02-03" };
	struct kh_source source = {
		.name = "feed", .url = "https://feeds.example.vn/a", .every = 60, .count = 3, .held = -1
	};
	struct kh_allow_row allow = { .note = "hop", .actor = "nam", .since = 1000, .expires = 5000, .active = true };
	static const uint8_t sha256[32] = { 1 };
	int64_t id, loaded;

	assert(kh_ledger_begin(ledger, NULL) == 0 && kh_ledger_change_begin(ledger, &change, NULL) == 0);
	assert(kh_ledger_letter_put(ledger, &letter, 2020, 1, &id, NULL) == 0);
	assert(kh_ledger_document_put(ledger, id, "cv.txt", "text", sha256, 1, &loaded, NULL) == 1);
	assert(kh_ledger_letter_fact(ledger, id, "cve", "CVE-2020-0601", NULL) >= 0);
	assert(kh_ledger_relay_put(ledger, id, "2/B", NULL) >= 0);
	for (int i = 0; i < 6; i++) {
		char value[64];

		snprintf(value, sizeof(value), i % 3 ? "203.0.113.%d" : "2001:db8:bad::%d", i);
		put(ledger, i % 2 ? id : 1, value, (enum kh_order_state)(i % 4), i % 3 * 1500);
	}
	put(ledger, id, "203.0.113.7:443/tcp", KH_ORDER_ACTIVE, 0);
	put(ledger, id, "203.0.113.128/25", KH_ORDER_ACTIVE, 0);
	put(ledger, 1, "c2.example", KH_ORDER_UNENFORCEABLE, 0);
	put_bulk(ledger, id);
	assert(kh_range_parse("198.51.100.0/24", 15, &allow.range) == 0 &&
	       kh_ledger_allow_put(ledger, &allow, NULL) == 1);
	source.letter = id;
	assert(kh_ledger_source_put(ledger, &source, NULL) >= 0);
	assert(kh_ledger_session_put(ledger, "203.0.113.7 51234 192.0.2.129 22", NULL) == 0);
	assert(kh_ledger_health_put(ledger, "degraded", "a", 1000, NULL) == 0);
	assert(kh_ledger_force(ledger, 1000, 60, any_force, any_list, NULL, NULL) == 0);
	fold(ledger);
	audit(ledger, change.id);
	assert(kh_ledger_commit(ledger, NULL) == 0);
}

static void second_change(struct kh_ledger *ledger)
{
	struct kh_change change = { .time = 1100, .uid = 1000, .actor = "nam", .kind = "unblock" };

	assert(kh_ledger_begin(ledger, NULL) == 0 && kh_ledger_change_begin(ledger, &change, NULL) == 0);
	put(ledger, 2, "203.0.113.1", KH_ORDER_WITHDRAWN, 0);
	assert(kh_ledger_unconfirmed_put(ledger, 1500, NULL) == 0);
	assert(kh_ledger_force(ledger, 1100, 60, any_force, any_list, NULL, NULL) == 0);
	audit(ledger, change.id);
	assert(kh_ledger_commit(ledger, NULL) == 0);
}

static void find_columns(sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;

	assert(sqlite3_prepare_v2(db,
				  "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c"
				  " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY 1, c.cid",
				  -1, &statement, NULL) == SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW && columns_count < COLUMNS_MAX) {
		snprintf(columns[columns_count].table, sizeof(columns[0].table), "%s",
			 sqlite3_column_text(statement, 0));
		snprintf(columns[columns_count++].name, sizeof(columns[0].name), "%s",
			 sqlite3_column_text(statement, 1));
	}
	sqlite3_finalize(statement);
}

static void remove_files(void)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-lock", ".lock" };
	char name[sizeof(path) + 8];

	for (size_t i = 0; i < KH_ARRAY_SIZE(tails); i++) {
		snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		unlink(name);
	}
}

static void remove_all(void)
{
	remove_files();
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct kh_ledger *ledger = NULL;
	FILE *file;

	(void)argc;
	(void)argv;
	/* From one block, instead of thousands of allocations a run: none of it is ours to check. */
	assert(sqlite3_config(SQLITE_CONFIG_PAGECACHE, pages, PAGE_BYTES, PAGES) == SQLITE_OK);
	assert(mkdtemp(folder));
	atexit(remove_all);
	snprintf(path, sizeof(path), "%s/ledger.db", folder);
	assert(kh_ledger_open(path, &ledger, NULL) == 0);
	first_change(ledger);
	second_change(ledger);
	find_columns(ledger->db);
	kh_ledger_close(ledger);
	file = fopen(path, "re");
	assert(file && !fseek(file, 0, SEEK_END));
	image_length = (size_t)ftell(file);
	image = malloc(image_length);
	rewind(file);
	assert(image && fread(image, 1, image_length, file) == image_length);
	fclose(file);
	return 0;
}

/* ---- Behind its back ------------------------------------------------------------------------------ */

static void write_image(const uint8_t *data, size_t size, bool bytes)
{
	uint8_t *copy KH_CLEANUP(kh_freep) = malloc(image_length);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert(copy && fd >= 0);
	memcpy(copy, image, image_length);
	for (; bytes && size >= 4; data += 4, size -= 4)
		copy[((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % image_length] = data[3];
	assert(write(fd, copy, image_length) == (ssize_t)image_length);
	close(fd);
}

static void bind(sqlite3_stmt *statement, uint8_t type, const uint8_t *data, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size && i < 8; i++)
		number = number << 8 | data[i];
	switch (type & 7) {
	case 0:
		sqlite3_bind_null(statement, 1);
		break;
	case 1:
		sqlite3_bind_int64(statement, 1, (int64_t)number);
		break;
	case 2:
		sqlite3_bind_int64(statement, 1, -(int64_t)(number >> 1));
		break;
	case 3:
		sqlite3_bind_double(statement, 1, (double)number * 1e10);
		break;
	case 4:
	case 5:
		sqlite3_bind_text(statement, 1, (const char *)data, (int)size, SQLITE_TRANSIENT);
		break;
	default:
		sqlite3_bind_blob(statement, 1, data, (int)size, SQLITE_TRANSIENT);
	}
}

/* The row is one of the table's first, by its order in the file. */
static void change_cell(sqlite3 *db, size_t column, unsigned int row, uint8_t type, const uint8_t *data, size_t size)
{
	char sql[512];
	sqlite3_stmt *statement = NULL;

	snprintf(sql, sizeof(sql), "UPDATE OR REPLACE %s SET %s = ?1 WHERE %s IN (SELECT %s FROM %s LIMIT 1 OFFSET %u)",
		 columns[column].table, columns[column].name, columns[column].name, columns[column].name,
		 columns[column].table, row);
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return;
	bind(statement, type, data, size);
	sqlite3_step(statement);
	sqlite3_finalize(statement);
}

static void change_cells(const uint8_t *data, size_t size)
{
	sqlite3 *db = NULL;

	assert(sqlite3_open(path, &db) == SQLITE_OK);
	sqlite3_exec(db, "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; DROP TRIGGER audit_update; BEGIN", NULL,
		     NULL, NULL);
	while (size >= 4) {
		size_t length = data[3] >> 3;

		length = length < size - 4 ? length : size - 4;
		change_cell(db, ((size_t)data[0] << 8 | data[1]) % columns_count, data[2] & 15, data[3], data + 4,
			    length);
		data += 4 + length;
		size -= 4 + length;
	}
	sqlite3_exec(
		db,
		"CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit is only added to'); END;"
		"COMMIT",
		NULL, NULL, NULL);
	sqlite3_close(db);
}

/* ---- Using it -------------------------------------------------------------------------------------- */

static size_t sum; /* of lengths, so that every string is read to its end */

static void text(const char *string)
{
	assert(string);
	sum += strlen(string);
}

static int on_order(const struct kh_order_row *row, void *context)
{
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&row->indicator);

	(void)context;
	assert(value);
	text(row->value);
	text(row->number);
	text(row->rule);
	text(row->note);
	text(row->raw);
	text(row->file);
	text(kh_order_state_name(row->state));
	text(kh_decision_name(row->decision));
	text(kh_decision_reason_name(row->reason));
	text(kh_section_name(row->section));
	return 0;
}

static int on_letter(const struct kh_letter_row *row, void *context)
{
	(void)context;
	text(row->number);
	sum += row->date ? strlen(row->date) : 0;
	sum += row->issuer ? strlen(row->issuer) : 0;
	sum += row->subject ? strlen(row->subject) : 0;
	return 0;
}

static int on_change(const struct kh_change *row, void *context)
{
	(void)context;
	text(row->actor);
	text(row->kind);
	sum += row->note ? strlen(row->note) : 0;
	return 0;
}

static int on_total(const struct kh_total *total, void *context)
{
	(void)context;
	text(total->key);
	text(total->extra);
	return 0;
}

static int on_sighting(const struct kh_sighting_row *row, void *context)
{
	(void)context;
	text(row->value);
	text(row->numbers);
	text(row->host);
	text(row->mac);
	text(row->interface);
	return 0;
}

static int on_allow(const struct kh_allow_row *row, void *context)
{
	(void)context;
	text(row->value);
	text(row->note);
	text(row->actor);
	assert((row->range.family == 4 || row->range.family == 6) && row->range.first <= row->range.last);
	return 0;
}

static int on_audit(const struct kh_audit *row, void *context)
{
	(void)context;
	text(row->actor);
	text(row->command);
	text(row->letter);
	for (size_t i = 0; i < row->files_bytes; i++)
		sum += row->files[i];
	return 0;
}

static int on_source(const struct kh_source *source, void *context)
{
	(void)context;
	text(source->name);
	text(source->url);
	text(source->proxy);
	text(source->problem);
	text(kh_fetch_kind_name(source->kind));
	text(kh_unmarked_name(source->unmarked));
	return 0;
}

static int on_pair(const char *kind, const char *value, void *context)
{
	(void)context;
	text(kind);
	text(value);
	return 0;
}

static int on_session(const char *connection, void *context)
{
	(void)context;
	text(connection);
	return 0;
}

static int on_unconfirmed(const struct kh_unconfirmed *row, void *context)
{
	(void)context;
	text(row->kind);
	text(row->actor);
	return 0;
}

static int on_bulk(const struct kh_bulk_row *row, void *context)
{
	(void)context;
	assert(row->count >= 0 && (uint64_t)row->count <= kh_bulk_count(row->values));
	for (size_t i = 0; i < kh_bulk_count(row->values); i++) {
		uint32_t line;
		struct kh_range range = kh_bulk_range(row->values, i, &line);

		assert(range.first <= range.last);
	}
	return 0;
}

static void read_orders(struct kh_ledger *ledger)
{
	const struct kh_range all = kh_range_of_prefix(0, 0, 4);
	int64_t counts[KH_ORDER_STATE_COUNT], monitored;

	kh_ledger_orders(ledger, &(struct kh_order_filter){ .state = -1 }, on_order, NULL);
	kh_ledger_orders(ledger, &(struct kh_order_filter){ .state = -1, .overlaps = &all }, on_order, NULL);
	kh_ledger_orders(ledger, &(struct kh_order_filter){ .state = KH_ORDER_ACTIVE, .letter = 2, .limit = 3 },
			 on_order, NULL);
	kh_ledger_orders(ledger, &(struct kh_order_filter){ .state = -1, .value = "198.51.100.7" }, on_order, NULL);
	kh_ledger_order_counts(ledger, counts, &monitored);
	kh_ledger_bulks(ledger, 0, on_bulk, NULL);
	kh_ledger_allows(ledger, false, on_allow, NULL);
	kh_ledger_next_deadline(ledger);
}

static void read_rest(struct kh_ledger *ledger)
{
	static const char *const by[] = { "indicator", "advisory", "interface", "reason", "host" };
	struct kh_audit_report report;
	struct kh_source source;
	char state[32];
	int64_t since;

	kh_ledger_letters(ledger, NULL, on_letter, NULL);
	kh_ledger_letters(ledger, "1", on_letter, NULL);
	kh_ledger_letter_head(ledger, 2, on_letter, NULL);
	kh_ledger_chain(ledger, 2, on_letter, NULL);
	kh_ledger_letter_facts(ledger, 2, on_pair, NULL);
	kh_ledger_changes(ledger, 0, on_change, NULL);
	for (size_t i = 0; i < KH_ARRAY_SIZE(by); i++)
		kh_ledger_totals(ledger, by[i], 0, 100, on_total, NULL);
	kh_ledger_sightings(ledger, NULL, NULL, 0, on_sighting, NULL);
	kh_ledger_sources(ledger, on_source, NULL);
	kh_ledger_source_find(ledger, "feed", &source);
	kh_ledger_sessions(ledger, on_session, NULL);
	kh_ledger_unconfirmed(ledger, on_unconfirmed, NULL);
	kh_ledger_unconfirmed_next(ledger);
	kh_ledger_health(ledger, state, sizeof(state), &since);
	kh_ledger_audits(ledger, 0, on_audit, NULL);
	if (kh_ledger_audit_verify(ledger, &report, NULL) == 0)
		text(kh_audit_fault_name(report.fault));
}

static int write_all(struct kh_ledger *ledger)
{
	struct kh_change change = { .time = NOW, .uid = 1, .actor = "nam", .kind = "undo" };
	struct kh_audit entry = { .time = NOW, .login = -1, .actor = "nam", .command = "{}", .letter = "" };
	struct kh_undo_result result;
	int64_t id;
	int code = kh_ledger_begin(ledger, NULL);

	if (code >= 0)
		code = kh_ledger_change_begin(ledger, &change, NULL);
	if (code >= 0)
		code = kh_ledger_undo(ledger, 1, &id, &result, NULL);
	if (code >= 0)
		code = (int)kh_ledger_expire(ledger, NOW, NULL);
	if (code >= 0) {
		fold(ledger);
		code = kh_ledger_force(ledger, NOW, 60, any_force, any_list, NULL, NULL);
	}
	if (code >= 0)
		code = kh_ledger_audit_add(ledger, &entry, NULL);
	if (code >= 0)
		code = kh_ledger_commit(ledger, NULL);
	kh_ledger_rollback(ledger);
	return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kh_ledger *ledger = NULL;
	struct kh_error error = {};
	bool bytes = size && data[0] & 1;

	if (!size)
		return 0;
	remove_files();
	write_image(data + 1, size - 1, bytes);
	if (!bytes)
		change_cells(data + 1, size - 1);
	if (kh_ledger_open(path, &ledger, &error) < 0) {
		assert(!ledger && error.text[0]);
		return 0;
	}
	read_orders(ledger);
	read_rest(ledger);
	write_all(ledger);
	read_orders(ledger);
	kh_ledger_close(ledger);
	return 0;
}
