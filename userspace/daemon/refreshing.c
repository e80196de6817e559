// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "daemon/alter.h"
#include "daemon/audit.h"
#include "daemon/log.h"
#include "daemon/plan.h"
#include "daemon/source.h"
#include "daemon/trust.h"
#include "reader/reader.h"

/* ---- When ---------------------------------------------------------------------------------------------- */

struct choice {
	int64_t now;
	const char *asked; /* NULL: whatever is due */
	struct kh_source *source;
	bool found;
};

static int choose(const struct kh_source *source, void *context)
{
	struct choice *choice = context;

	if (choice->asked ? strcmp(source->name, choice->asked) != 0
			  : source->paused || (kh_source_due(source) > choice->now && source->checked <= choice->now))
		return 0;
	if (choice->found && kh_source_due(choice->source) <= kh_source_due(source))
		return 0;
	*choice->source = *source;
	choice->found = true;
	return 0;
}

/* ---- Writing down how it went ---------------------------------------------------------------------------- */

int kh_source_write(struct kh_core *core, struct kh_source *source, struct kh_error *error)
{
	int code = kh_ledger_begin(core->ledger, error);

	if (code < 0)
		return code;
	code = kh_ledger_source_put(core->ledger, source, error);
	if (code >= 0)
		code = kh_ledger_commit(core->ledger, error);
	if (code < 0)
		kh_ledger_rollback(core->ledger);
	return code;
}

static void write_down(struct kh_core *core, struct kh_source *source)
{
	struct kh_error error = {};

	if (kh_source_write(core, source, &error) < 0)
		kh_log_error(LOG_ERR, "source-not-written", &error);
}

static void note_failure(struct kh_core *core, struct kh_source *source, const char *text, const char *hint)
{
	source->checked = kh_now();
	source->failures++;
	snprintf(source->problem, sizeof(source->problem), hint && hint[0] ? "%s (%s)" : "%s", text ? text : "",
		 hint ? hint : "");
	kh_log(LOG_WARNING, "event=source-failed name=%s failures=%" PRId64 " problem=\"%s\"", source->name,
	       source->failures, source->problem);
	write_down(core, source);
}

static void note_current(struct kh_source *source)
{
	source->checked = source->fetched = kh_now();
	source->failures = 0;
	source->held = -1;
	source->problem[0] = '\0';
}

/* ---- The same copy ------------------------------------------------------------------------------------------ */

/* A request that the daemon makes itself. */
struct own {
	struct kh_request request;
	struct kh_peer peer;
	char actor[64];
	int fds[2];
	struct kh_audit_note note;
};

/* `vouched`: by what it may be enforced; NULL: nothing of that is known. */
static void own_begin(struct kh_core *core, const struct kh_source *source, json_t *body,
		      const struct kh_audit_note *vouched, struct own *own)
{
	if (vouched)
		own->note = *vouched;
	snprintf(own->actor, sizeof(own->actor), "source %s", source->name);
	own->request = (struct kh_request){
		.core = core, .peer = &own->peer, .actor = own->actor, .body = body, .note = &own->note
	};
}

/* Has less than half of its time left? Deadlines move no more often, for each move is a change of all values. */
bool kh_source_is_ageing(const struct kh_source *source)
{
	return source->ttl && source->until - kh_now() < source->ttl / 2;
}

static int64_t deadline_of(const struct kh_source *source)
{
	if (!source->ttl)
		return 0;
	return kh_source_is_ageing(source) ? kh_now() + source->ttl : source->until;
}

static int edit_renew(struct kh_alter *alter, struct kh_order_row *row)
{
	if ((row->state != KH_ORDER_ACTIVE && row->state != KH_ORDER_EXPIRED) || !row->expires ||
	    row->expires >= alter->expires)
		return 0;
	if (row->state == KH_ORDER_EXPIRED)
		row->since = kh_now();
	row->state = KH_ORDER_ACTIVE;
	row->expires = alter->expires;
	return 1;
}

/* A list that does not change for long must not run out of time while its source still has it. */
static void renew(struct kh_core *core, struct kh_source *source, const struct kh_audit_note *vouched)
{
	json_t *body = json_pack("{s:s, s:s}", "op", "source", "name", source->name), *reply;
	struct own own = {};
	struct kh_alter alter = {
		.request = &own.request, .letter = source->letter, .expires = kh_now() + source->ttl, .edit = edit_renew
	};

	own_begin(core, source, body, vouched, &own);
	reply = kh_alter_letter(&alter, "source");
	if (json_object_get(reply, "error"))
		kh_log_error(LOG_ERR, "source-not-renewed", &alter.error);
	else
		source->until = alter.expires;
	json_decref(reply);
	json_decref(body);
}

/* It is current, and still something is missing in it. */
static void note_remark(struct kh_source *source, const struct kh_fetch_answer *answer)
{
	if (!answer->text ||
	    source->kind ==
		    KH_FETCH_FILE) /* of a file: only that it has no signature, which a person has taken it without */
		return;
	snprintf(source->problem, sizeof(source->problem), "%s", answer->text);
	kh_log(LOG_WARNING, "event=source-incomplete name=%s problem=\"%s\"", source->name, source->problem);
}

static void hold(struct kh_core *core, struct kh_source *source, int64_t count)
{
	source->checked = kh_now();
	source->failures = 0;
	source->problem[0] = '\0';
	source->held = count;
	kh_log(LOG_WARNING, "event=source-held name=%s values=%" PRId64 " before=%" PRId64, source->name, count,
	       source->count);
	write_down(core, source);
}

static void take_same(struct kh_core *core, struct kh_source *source, const struct kh_fetch_answer *answer,
		      const struct kh_audit_note *vouched)
{
	bool ageing = kh_source_is_ageing(source);

	note_current(source);
	note_remark(source, answer);
	if (ageing && kh_source_takes_trust(core, source) && !vouched->is_signed && !vouched->confirmed) {
		hold(core, source, source->count); /* it goes on to its deadline, and no further by itself */
		return;
	}
	if (ageing)
		renew(core, source, vouched);
	kh_log(LOG_INFO, "event=source-current name=%s", source->name);
	write_down(core, source);
}

/* ---- Another copy ---------------------------------------------------------------------------------------------- */

static bool is_alarming(const struct kh_source *source, int64_t count)
{
	int64_t apart = count > source->count ? count - source->count : source->count - count;

	if (!count)
		return true;
	if (source->count < 0 || apart < KH_SOURCE_APART)
		return false;
	return count <= source->count / 2 || count >= source->count * 2;
}

static int64_t count_values(const struct kh_plan *plan)
{
	int64_t count = 0;

	for (size_t i = 0; i < plan->files_count; i++)
		count += (int64_t)kh_document_values(plan->files[i].document);
	return count;
}

static void note_copy(struct kh_source *source, const struct kh_fetch_answer *answer, const char *digest, int64_t count)
{
	snprintf(source->etag, sizeof(source->etag), "%s", answer->etag ? answer->etag : "");
	snprintf(source->last_modified, sizeof(source->last_modified), "%s",
		 answer->last_modified ? answer->last_modified : "");
	snprintf(source->digest, sizeof(source->digest), "%s", digest);
	source->count = count;
}

static void enforce(struct kh_core *core, struct kh_source *source, const struct own *own, struct kh_plan *plan,
		    const struct kh_fetch_answer *answer, const char *digest)
{
	int64_t count = count_values(plan);
	json_t *reply = kh_plan_run(&own->request, plan), *error = json_object_get(reply, "error");

	if (error) {
		kh_audit_request(&own->request, KH_EXIT_FAILED);
		note_failure(core, source, json_string_value(json_object_get(error, "text")),
			     json_string_value(json_object_get(error, "hint")));
	} else {
		json_int_t change = json_integer_value(json_object_get(reply, "change"));

		note_current(source);
		note_remark(source, answer);
		note_copy(source, answer, digest, count);
		source->changed = change || !source->changed ? source->fetched : source->changed;
		source->until = plan->expires;
		kh_log(LOG_NOTICE, "event=source-changed name=%s values=%" PRId64 " change=%" JSON_INTEGER_FORMAT,
		       source->name, count, change); /* change 0: other bytes, the same values */
		write_down(core, source);
		kh_kept_write(core, source, core->sources->fetching.content);
	}
	json_decref(reply);
}

/* Reads the documents, and takes them, or holds them back. */
static void take_documents(struct kh_core *core, struct kh_source *source, const struct kh_fetch_answer *answer,
			   const char *digest, const struct kh_audit_note *vouched)
{
	const struct kh_fetching *fetching = &core->sources->fetching;
	json_t *body = json_pack("{s:s, s:[s], s:s+, s:b, s:i}", "op", "source", "files", source->name, "ref",
				 "source/", source->name, "monitor", source->action == KH_ACTION_MONITOR, "rows", 0);
	struct kh_plan plan = {
		.kind = "source", .replaces = true, .action = source->action, .expires = deadline_of(source)
	};
	struct own own = { .fds = { fetching->content, fetching->documents } };
	struct kh_error error = {};
	int64_t count;

	own_begin(core, source, body, vouched, &own);
	own.request.fds = own.fds;
	own.request.fds_count = KH_ARRAY_SIZE(own.fds);
	if (kh_plan_documents(&own.request, &plan, &error) < 0) {
		note_failure(core, source, error.text, error.hint);
	} else {
		plan.letters[0].id = source->letter;
		count = count_values(&plan);
		if (is_alarming(source, count) && !fetching->accept)
			hold(core, source, count);
		else
			enforce(core, source, &own, &plan, answer, digest);
	}
	kh_plan_clear(&plan);
	json_decref(body);
}

/* ---- Who signed it ----------------------------------------------------------------------------------------- */

bool kh_source_takes_trust(const struct kh_core *core, const struct kh_source *source)
{
	return core->trust.on && source->action == KH_ACTION_DROP;
}

/* The signature that came with the content. 1 and its key in the note; 0: none came; or -errno with error: it is bad, which is written down. */
static int verify(struct kh_core *core, const struct kh_source *source, struct kh_audit_note *vouched,
		  struct kh_error *error)
{
	const struct kh_fetching *fetching = &core->sources->fetching;
	json_auto_t *body = json_pack("{s:s, s:s}", "op", "source", "name", source->name);
	char *text KH_CLEANUP(kh_freep) = NULL, *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_minisign signature;
	size_t text_length, length;
	struct own own = {};
	int code = kh_file_read_fd(fetching->signature, KH_FETCH_SIGNATURE_MAX, &text, &text_length);

	if (!code && !text_length)
		return 0;
	if (!code)
		code = kh_file_read_fd(fetching->content, KH_READER_MAX_BYTES, &data, &length);
	if (code < 0)
		return kh_fail(error, code, "%s: %s", source->name, strerror(-code));
	code = kh_trust_verify(&core->trust, source->name, text, text_length, data, length, &signature, error);
	if (code < 0) {
		own_begin(core, source, body, NULL, &own);
		kh_trust_refused(&own.request, source->name, error, true);
		return code;
	}
	memcpy(vouched->keys[0], signature.id, sizeof(signature.id));
	vouched->keys_count = 1;
	vouched->is_signed = true;
	return 1;
}

/* May it be enforced? If not, that is written down, and the copy before stays in force. */
static bool vouch(struct kh_core *core, struct kh_source *source, const struct kh_fetch_answer *answer,
		  struct kh_audit_note *vouched)
{
	struct kh_error error = {};
	int code;

	if (!kh_source_takes_trust(core, source))
		return true;
	code = verify(core, source, vouched, &error);
	if (code == 1 || (!code && vouched->confirmed))
		return true;
	if (code < 0) {
		note_failure(core, source, error.text, error.hint);
	} else if (source->kind != KH_FETCH_FILE) { /* it is many files: there is none to sign */
		hold(core, source, answer->entries);
	} else {
		kh_fail(&error, -ENOKEY, _("it is not signed: %s"), answer->text ? answer->text : "");
		kh_hint(&error,
			_("an administrator can take this copy, at a terminal: khien source refresh %s --accept"),
			source->name);
		note_failure(core, source, error.text, error.hint);
	}
	return false;
}

static void take_new(struct kh_core *core, struct kh_source *source, const struct kh_fetch_answer *answer,
		     struct kh_audit_note *vouched)
{
	char digest[KH_SOURCE_DIGEST_BYTES];
	struct kh_error error = {};
	uint8_t sha256[32];
	int code = kh_plan_hash(sha256, core->sources->fetching.content, source->name, &error);

	sodium_bin2hex(digest, sizeof(digest), sha256, code < 0 ? 0 : sizeof(sha256));
	if (code < 0) {
		note_failure(core, source, error.text, error.hint);
	} else if (!vouch(core, source, answer, vouched)) {
		return;
	} else if (!strcmp(digest, source->digest)) { /* a server without ETag, or with another one for the same */
		note_copy(source, answer, digest, source->count);
		take_same(core, source, answer, vouched);
		kh_kept_write(core, source, core->sources->fetching.content); /* it may have been lost */
	} else {
		take_documents(core, source, answer, digest, vouched);
	}
}

/* ---- Every second ----------------------------------------------------------------------------------------- */

static void finish(struct kh_core *core, const struct kh_fetch_answer *answer)
{
	struct kh_source *source KH_CLEANUP(kh_freep) = malloc(sizeof(*source));

	struct kh_audit_note vouched = { .confirmed = core->sources->fetching.confirmed };

	if (!source || kh_ledger_source_find(core->ledger, core->sources->fetching.source, source) != 1)
		return; /* removed meanwhile */
	if (answer->result == KH_FETCH_NEW)
		take_new(core, source, answer, &vouched);
	else if (answer->result == KH_FETCH_SAME)
		take_same(core, source, answer, &vouched);
	else
		note_failure(core, source, answer->text, answer->hint);
}

static void start(struct kh_core *core)
{
	struct kh_sources *sources = core->sources;
	struct kh_source *source KH_CLEANUP(kh_freep) = malloc(sizeof(*source));
	struct choice choice = { .now = kh_now(), .source = source };
	struct kh_asked asked = {};
	struct kh_error error = {};

	if (!source)
		return;
	if (sources->asked_count) {
		asked = sources->asked[0];
		choice.asked = asked.source;
	}
	kh_ledger_sources(core->ledger, choose, &choice);
	if (choice.found && kh_fetching_start(core, source, &asked, &error) < 0)
		note_failure(core, source, error.text, error.hint);
	if (sources->asked_count)
		memmove(sources->asked, sources->asked + 1, --sources->asked_count * sizeof(*sources->asked));
}

void kh_sources_tick(struct kh_core *core)
{
	struct kh_fetch_answer answer KH_CLEANUP(kh_fetch_answer_clear) = {};
	struct kh_fetching *fetching;

	if (core->detached)
		return;
	fetching = &core->sources->fetching;
	if (!fetching->runs) {
		start(core);
	} else if (kh_fetching_poll(fetching, &answer)) {
		finish(core, &answer);
		kh_fetching_end(fetching);
	}
}

int kh_sources_open(struct kh_core *core, struct kh_error *error)
{
	core->sources = calloc(1, sizeof(*core->sources));
	if (!core->sources)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	core->sources->fetched = epoll_create1(EPOLL_CLOEXEC);
	return core->sources->fetched < 0 ? kh_fail(error, -errno, _("cannot watch sources: %s"), strerror(errno)) : 0;
}

void kh_sources_close(struct kh_core *core)
{
	if (!core->sources)
		return;
	if (core->sources->fetching.runs)
		kh_fetching_end(&core->sources->fetching);
	kh_closep(&core->sources->fetched);
	free(KH_TAKE(core->sources));
}
