// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers from the audit: its entries, and whether its chain holds.
 */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/audit.h"
#include "daemon/frame.h"

#define ENTRIES_USUAL 50

struct listing {
	const struct kh_core *core;
	json_t *entries;
	size_t limit;
	int64_t last;
};

static json_t *login_json(const struct kh_audit *entry)
{
	char name[64];

	if (entry->login < 0)
		return json_null();
	return json_pack("{s:I, s:o, s:b}", "uid", (json_int_t)entry->login, "name",
			 kh_json_text(kh_user_name(entry->login, name)), "proven", entry->proven);
}

static json_t *files_json(const struct kh_audit *entry)
{
	json_t *files = json_array();

	for (size_t at = 0; at + 32 <= entry->files_bytes; at += 32) {
		char text[65];

		sodium_bin2hex(text, sizeof(text), entry->files + at, 32);
		json_array_append_new(files, json_string(text));
	}
	return files;
}

static int on_entry(const struct kh_audit *entry, void *context)
{
	struct listing *listing = context;
	json_error_t fault;
	json_t *command;
	char hash[KH_AUDIT_HASH_TEXT];

	kh_frame_load(entry->command, strlen(entry->command), 0, &command,
		      &fault); /* NULL: somebody has written there */
	json_array_append_new(listing->entries,
			      json_pack("{s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:s}", "entry",
					(json_int_t)entry->number, "time", kh_json_time(listing->core, entry->time),
					"uid", (json_int_t)entry->uid, "login", login_json(entry), "actor",
					kh_json_text(entry->actor), "command", command ? command : json_null(),
					"change", entry->change ? json_integer(entry->change) : json_null(), "letter",
					kh_json_text(entry->letter), "files", files_json(entry), "exit", entry->exit,
					"hash", kh_audit_hash_text(entry->hash, hash)));
	listing->last = entry->number;
	return json_array_size(listing->entries) >= listing->limit;
}

json_t *kh_op_audit(const struct kh_request *request)
{
	int64_t limit = kh_request_number(request->body, "limit", ENTRIES_USUAL);
	struct listing listing = { .core = request->core,
				   .entries = json_array(),
				   .limit = limit > 0 && limit <= KH_ROWS_MAX ? (size_t)limit : KH_ROWS_MAX };
	int code = kh_ledger_audits(request->core->ledger, kh_request_number(request->body, "before", 0), on_entry,
				    &listing);
	json_t *reply;

	if (code < 0) {
		json_decref(listing.entries);
		return kh_reply_ledger(code);
	}
	reply = kh_reply(KH_EXIT_DONE);
	json_object_set_new(reply, "entries", listing.entries);
	return reply;
}

/* ---- The chain -------------------------------------------------------------------------------------------- */

static json_t *fault_json(const struct kh_core *core, const struct kh_audit_report *report)
{
	if (report->fault == KH_AUDIT_WHOLE)
		return json_null();
	return json_pack("{s:s, s:I, s:o}", "what", kh_audit_fault_name(report->fault), "number",
			 (json_int_t)report->number, "time", kh_json_time(core, report->time));
}

json_t *kh_op_audit_verify(const struct kh_request *request)
{
	struct kh_core *core = request->core;
	struct kh_audit_report report = {};
	struct kh_error error = {};
	char hash[KH_AUDIT_HASH_TEXT];
	json_t *reply;

	if (kh_ledger_audit_verify(core->ledger, &report, &error) < 0)
		return kh_reply_error(KH_EXIT_FAILED, &error);
	reply = kh_reply(report.fault == KH_AUDIT_WHOLE ? KH_EXIT_DONE : KH_EXIT_FAILED);
	json_object_set_new(reply, "entries", json_integer(report.entries));
	json_object_set_new(reply, "first", kh_json_time(core, report.first_time));
	json_object_set_new(reply, "last", kh_json_time(core, report.last_time));
	json_object_set_new(reply, "entry", json_integer(report.last_number));
	json_object_set_new(reply, "hash",
			    report.entries ? json_string(kh_audit_hash_text(report.last_hash, hash)) : json_null());
	json_object_set_new(reply, "fault", fault_json(core, &report));
	return reply;
}
