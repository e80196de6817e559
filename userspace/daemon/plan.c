// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a plan: judge, write, apply, prove, answer.
 */
#include "daemon/plan.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/crash.h"
#include "common/lang.h"
#include "common/util.h"
#include "daemon/audit.h"
#include "daemon/impact.h"
#include "daemon/source.h"
#include "daemon/trust.h"
#include "reader/reader.h"

void kh_plan_clear(struct kh_plan *plan)
{
	for (size_t i = 0; i < plan->letters_count; i++) {
		struct kh_plan_letter *letter = &plan->letters[i];

		kh_letter_clear(&letter->head);
		free(letter->findings);
		free(letter->files);
		free(letter->judgements);
		free(letter->outcome);
	}
	for (size_t i = 0; i < plan->owned_count; i++)
		free(plan->owned[i]);
	free(KH_TAKE(plan->owned));
	plan->owned_count = plan->owned_capacity = 0;
	for (size_t i = 0; i < plan->files_count; i++)
		kh_document_free(plan->files[i].document);
	free(plan->letters);
	free(plan->files);
	plan->letters = NULL;
	plan->files = NULL;
	plan->letters_count = plan->files_count = 0;
}

int kh_plan_add(struct kh_plan_letter *letter, const struct kh_finding *finding, const char *file)
{
	size_t files_capacity = letter->capacity;
	int code = kh_grow(&letter->files, &files_capacity, letter->count + 1, sizeof(*letter->files));

	if (code >= 0)
		code = kh_grow(&letter->findings, &letter->capacity, letter->count + 1, sizeof(*letter->findings));
	if (code < 0)
		return code;
	letter->findings[letter->count] = *finding;
	letter->files[letter->count++] = file;
	return 0;
}

/* ---- Judging ------------------------------------------------------------------------------------ */

/* Was this value named with --accept? Only what waits for review can be accepted; a refusal stands. */
static bool is_accepted(json_t *accepted, const struct kh_finding *finding)
{
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&finding->indicator);
	size_t index;
	json_t *item;

	json_array_foreach(accepted, index, item) {
		struct kh_indicator named = {};
		char *text KH_CLEANUP(kh_freep) = NULL;
		const char *given = json_string_value(item);
		int code = given ? kh_reader_value(given, &named, NULL) : -EINVAL;

		if (code < 0 && code != -EDOM)
			continue;
		text = kh_indicator_format(&named);
		kh_indicator_clear(&named);
		if ((value && text && !strcmp(value, text)) || (finding->raw && !strcmp(finding->raw, given)))
			return true;
	}
	return false;
}

/* --accept-all-in: all that waits in one section, or in a picture. */
static bool is_in(const char *section, const struct kh_finding *finding)
{
	if (!section)
		return false;
	if (!strcmp(section, "scan"))
		return finding->reason == KH_WHY_SCAN;
	return !strcmp(section, kh_section_name(finding->section)) && finding->reason != KH_WHY_SCAN &&
	       finding->reason != KH_WHY_SCAN_DIFFERS;
}

int kh_plan_reserve(struct kh_plan_letter *letter, size_t before)
{
	size_t count = letter->count ? letter->count : 1;
	struct kh_judgement *judgements = realloc(letter->judgements, count * sizeof(*judgements));
	uint8_t *outcome;

	if (!judgements)
		return -ENOMEM;
	letter->judgements = judgements;
	outcome = realloc(letter->outcome, count);
	if (!outcome)
		return -ENOMEM;
	letter->outcome = outcome;
	memset(judgements + before, 0, (count - before) * sizeof(*judgements));
	memset(outcome + before, 0, count - before);
	return 0;
}

static int judge_letter(const struct kh_request *request, struct kh_plan *plan, size_t number)
{
	json_t *accepted = json_object_get(request->body, "accept");
	const char *section = kh_request_text(request->body, "accept_all_in");
	struct kh_plan_letter *letter = &plan->letters[number];
	int code = kh_plan_judge(request, plan, number);

	if (code < 0)
		return code;
	for (size_t i = 0; (accepted || section) && i < letter->count; i++)
		if (letter->judgements[i].decision == KH_REVIEW &&
		    kh_indicator_enforceable(&letter->findings[i].indicator) &&
		    (is_in(section, &letter->findings[i]) || is_accepted(accepted, &letter->findings[i])))
			letter->judgements[i].decision = KH_ENFORCE;
	return 0;
}

/* ---- Writing ------------------------------------------------------------------------------------ */

static enum kh_order_state state_of(enum kh_decision decision)
{
	switch (decision) {
	case KH_ENFORCE:
		return KH_ORDER_ACTIVE;
	case KH_REVIEW:
		return KH_ORDER_REVIEW;
	case KH_REFUSE:
		return KH_ORDER_REFUSED;
	case KH_UNENFORCEABLE:
	case KH_DECISION_COUNT:
		break;
	}
	return KH_ORDER_UNENFORCEABLE;
}

/* Has a person decided on this value of this letter before? Pushing the letter again does not put it back into the queue. */
static bool is_decided(struct kh_core *core, int64_t letter, const struct kh_finding *finding)
{
	enum kh_order_state state;

	return kh_ledger_order_state(core->ledger, letter, &finding->indicator, &state) == 1 &&
	       (state == KH_ORDER_ACTIVE || state == KH_ORDER_REJECTED);
}

/* Of a source: does a person's decision stand, or is it ordered just so already? That it moved to another line is no change. */
static bool is_settled(struct kh_core *core, int64_t letter, const struct kh_order_row *row)
{
	struct kh_order_terms terms;

	return kh_ledger_order_terms(core->ledger, letter, &row->indicator, &terms) == 1 &&
	       (terms.by_person ||
		(terms.state == row->state && terms.action == row->action && terms.expires == row->expires));
}

int64_t kh_plan_expires(const struct kh_plan *plan, const struct kh_finding *finding)
{
	if (!finding->expires || (plan->expires && plan->expires < finding->expires))
		return plan->expires;
	return finding->expires;
}

static int write_finding(const struct kh_request *request, const struct kh_plan *plan, struct kh_plan_letter *letter,
			 size_t i, struct kh_error *error)
{
	const struct kh_finding *finding = &letter->findings[i];
	const struct kh_judgement *judgement = &letter->judgements[i];
	bool active = judgement->decision == KH_ENFORCE;
	const char *note = kh_request_text(request->body, "note");
	struct kh_order_row row = {
		.letter = letter->id,
		.indicator = finding->indicator,
		.state = state_of(judgement->decision),
		.action = plan->action,
		.decision = judgement->decision,
		.reason = judgement->reason,
		.rule = judgement->rule,
		.note = note ? note : "",
		.raw = finding->raw ? finding->raw : "",
		.file = letter->files[i] ? letter->files[i] : "",
		.page = finding->page,
		.line = finding->line,
		.section = finding->section,
		.since = kh_now(),
		.expires = active ? kh_plan_expires(plan, finding) : 0,
	};
	int code;

	if (judgement->decision == KH_REVIEW && is_decided(request->core, letter->id, finding))
		return 0;
	if (plan->replaces && is_settled(request->core, letter->id, &row))
		return 0;
	code = kh_ledger_order_put(request->core->ledger, &row, error);
	if (code >= 0)
		letter->outcome[i] = (uint8_t)code;
	return code;
}

/* "CVE-2022-21990 88 high": score in tenths, "-" where no word is given. */
static int write_grade(struct kh_core *core, int64_t letter, const struct kh_document *document, size_t cve,
		       struct kh_error *error)
{
	struct kh_grade grade = kh_document_grade(document, cve);
	char fact[64];

	if (!grade.score && !grade.level)
		return 0;
	snprintf(fact, sizeof(fact), "%s %u %s", document->cves[cve], grade.score,
		 grade.level ? kh_level_name(grade.level) : "-");
	return kh_ledger_letter_fact(core->ledger, letter, "cve-grade", fact, error);
}

static int write_files(struct kh_core *core, struct kh_plan *plan, struct kh_error *error)
{
	for (size_t i = 0; i < plan->files_count; i++) {
		struct kh_plan_file *file = &plan->files[i];
		const struct kh_document *document = file->document;
		int64_t letter = plan->letters[file->letter].id;
		int code = kh_ledger_document_put(core->ledger, letter, document->file, document->format, file->sha256,
						  kh_now(), &file->loaded, error);

		if (code == 1)
			file->loaded = 0;
		for (size_t j = 0; j < document->cves_count && code >= 0; j++)
			code = kh_ledger_letter_fact(core->ledger, letter, "cve", document->cves[j], error);
		for (size_t j = 0; j < document->grades_count && code >= 0; j++)
			code = write_grade(core, letter, document, j, error);
		for (size_t j = 0; j < document->hashes_count && code >= 0; j++)
			code = kh_ledger_letter_fact(core->ledger, letter, "hash", document->hashes[j], error);
		if (code < 0)
			return code;
	}
	return 0;
}

static int write_plan(const struct kh_request *request, struct kh_plan *plan, struct kh_error *error)
{
	for (size_t i = 0; i < plan->letters_count; i++) {
		struct kh_plan_letter *letter = &plan->letters[i];
		int code = kh_plan_put_letter(request->core, plan, i, error);

		kh_audit_letter(request, letter->head.number);
		for (size_t j = 0; j < letter->count && code >= 0; j++)
			code = write_finding(request, plan, letter, j, error);
		if (code < 0)
			return code;
	}
	for (size_t i = 0; i < plan->files_count; i++) {
		struct kh_plan_letter *letter = &plan->letters[plan->files[i].letter];
		size_t before = letter->count;
		int code = kh_plan_write_bulk(request, plan, &plan->files[i], error);

		for (size_t j = before; j < letter->count && code >= 0; j++)
			code = write_finding(request, plan, letter, j, error);
		if (code < 0)
			return code;
	}
	return write_files(request->core, plan, error);
}

/* ---- Acting ---------------------------------------------------------------------------------------- */

static void note_proof(struct kh_proof *proof, int dropped)
{
	proof->tried += dropped != -ENODATA;
	proof->blocked += dropped == 1;
	proof->cut += dropped == -ENODATA;
}

/* Tries what was just ordered, evenly over the plan, up to KH_PROOF_MAX. */
static json_t *prove(struct kh_core *core, const struct kh_plan *plan, size_t enforced)
{
	size_t step = enforced / KH_PROOF_MAX + 1, seen = 0;
	struct kh_proof proof = {};

	if (plan->action != KH_ACTION_DROP)
		return json_null();
	for (size_t i = 0; i < plan->letters_count; i++) {
		const struct kh_plan_letter *letter = &plan->letters[i];

		for (size_t j = 0; j < letter->count; j++) {
			int dropped;

			if (letter->judgements[j].decision != KH_ENFORCE || seen++ % step)
				continue;
			dropped = kh_prove_one(core, &letter->findings[j].indicator);
			note_proof(&proof, dropped);
		}
	}
	for (size_t i = 0; i < plan->files_count; i++) {
		const struct kh_bulk *bulk = &plan->files[i].document->bulk;

		for (size_t j = (step - seen % step) % step; j < kh_bulk_count(bulk); j += step) {
			struct kh_indicator indicator = { .type = KH_TYPE_RANGE };
			uint32_t line;

			indicator.range = kh_bulk_range(bulk, j, &line);
			note_proof(&proof, kh_prove_one(core, &indicator));
		}
		seen += kh_bulk_count(bulk);
	}
	return json_pack("{s:I, s:I, s:I}", "tried", (json_int_t)proof.tried, "blocked", (json_int_t)proof.blocked,
			 "cut", (json_int_t)proof.cut);
}

static json_t *refuse_changed_plan(struct kh_core *core)
{
	struct kh_error error = {};

	kh_ledger_rollback(core->ledger);
	kh_fail(&error, -ESTALE, _("the plan has changed since it was shown: nothing was changed"));
	kh_hint(&error, _("look at it again and confirm again"));
	return kh_reply_error(KH_EXIT_FAILED, &error);
}

/* A letter read for the first time is kept, with the vulnerabilities and hashes it names, even when it orders nothing. */
static bool has_new_file(const struct kh_plan *plan)
{
	for (size_t i = 0; i < plan->files_count; i++)
		if (!plan->files[i].loaded)
			return true;
	return false;
}

static json_t *finish(const struct kh_request *request, const struct kh_plan *plan, const struct kh_change *change,
		      struct kh_plan_tally *tally, json_t *reply)
{
	struct kh_core *core = request->core;
	struct kh_error error = {};
	int code;

	if (!tally->changed && !plan->withdrawn && !plan->corrected && (plan->replaces || !has_new_file(plan))) {
		/* the same file again: not even a change number is spent */
		kh_ledger_rollback(core->ledger);
		return reply;
	}
	kh_audit_exit(request, (int)json_integer_value(json_object_get(reply, "exit")));
	code = tally->changed ? kh_confirm_begin(request, &error) : 0;
	KH_CRASH_POINT("push.to-be-confirmed");
	if (code < 0)
		kh_ledger_rollback(core->ledger);
	else
		code = kh_apply(core, &error);
	if (code < 0) {
		json_decref(reply);
		return kh_reply_error(KH_EXIT_FAILED, &error);
	}
	KH_CRASH_POINT("push.applied");
	json_object_set_new(reply, "change", json_integer(change->id));
	json_object_set_new(reply, "time", kh_json_time(core, kh_now()));
	if (core->image)
		json_object_set_new(reply, "generation",
				    json_integer((json_int_t)kh_image_header(core->image)->generation));
	json_object_set_new(reply, "proof", prove(core, plan, tally->decisions[KH_ENFORCE]));
	kh_confirm_tell(core, change->id, reply);
	kh_sessions_alarm(core, change->id, reply);
	KH_CRASH_POINT("push.proved");
	return reply;
}

/* In the transaction, which ends here. */
static json_t *finish_dry_run(const struct kh_request *request, const struct kh_plan *plan, const char *token,
			      json_t *reply)
{
	kh_impact_of_plan(request, plan, reply);
	kh_trust_tell(request, reply);
	kh_ledger_rollback(request->core->ledger);
	json_object_set_new(reply, "token", json_string(token));
	return reply;
}

static size_t rows_wanted(json_t *body)
{
	int64_t wanted = kh_request_number(body, "rows", KH_ROWS_MAX);

	return wanted < 0 || wanted > KH_ROWS_MAX ? KH_ROWS_MAX : (size_t)wanted;
}

json_t *kh_plan_run(const struct kh_request *request, struct kh_plan *plan)
{
	const char *expected = kh_request_text(request->body, "token");
	struct kh_core *core = request->core;
	struct kh_error error = {};
	struct kh_change change;
	struct kh_plan_tally tally = {};
	char token[33];
	json_t *reply;
	int code = 0;

	crypto_hash_sha256_init(&tally.hash);
	plan->rows_each = rows_wanted(request->body);
	for (size_t i = 0; i < plan->letters_count && code >= 0; i++)
		code = judge_letter(request, plan, i);
	if (code < 0) {
		kh_fail(&error, code, _("out of memory"));
		return kh_reply_error(KH_EXIT_FAILED, &error);
	}
	code = kh_change_start(request, plan->kind, 0, &change, &error);
	if (code < 0)
		return kh_reply_error(KH_EXIT_FAILED, &error);
	KH_CRASH_POINT("push.started");
	if (plan->replaces) {
		plan->withdrawn = kh_plan_replace(request, plan, &error);
		code = plan->withdrawn < 0 ? (int)plan->withdrawn : 0;
	}
	if (code >= 0)
		code = write_plan(request, plan, &error);
	KH_CRASH_POINT("push.written");
	if (code < 0) {
		kh_ledger_rollback(core->ledger);
		return kh_reply_error(KH_EXIT_FAILED, &error);
	}
	reply = kh_plan_answer(core, plan, &tally);
	kh_sessions_note(core, change.id, json_object_get(reply, "notes"));
	kh_plan_token(&tally, token);
	if (kh_request_flag(request->body, "dry_run"))
		return finish_dry_run(request, plan, token, reply);
	if (expected && strcmp(expected, token)) {
		json_decref(reply);
		return refuse_changed_plan(core);
	}
	return finish(request, plan, &change, &tally, reply);
}
