// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The answer to a plan: letters, rows with their decisions and where each stood, counts, and the token that names the plan, so
 * that what was shown is what is enforced.
 */
#include "daemon/plan.h"

#include <string.h>

#include "common/lang.h"
#include "common/util.h"

json_t *kh_plan_row(const struct kh_core *core, const struct kh_plan *plan, const struct kh_plan_letter *letter,
		    const struct kh_finding *finding, const struct kh_judgement *judgement, const char *file,
		    bool changed)
{
	char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&finding->indicator);
	json_t *row = json_pack("{s:o, s:s, s:s, s:s, s:o, s:s, s:o, s:o}", "value", kh_json_text(value), "type",
				kh_indicator_type_name(finding->indicator.type), "decision",
				kh_decision_name(judgement->decision), "reason",
				kh_decision_reason_name(judgement->reason), "rule", kh_json_text(judgement->rule),
				"sentence", gettext(kh_decision_reason_sentence(judgement->reason)), "raw",
				kh_json_text(finding->raw), "file", kh_json_text(file));

	json_object_set_new(row, "page", finding->page ? json_integer(finding->page) : json_null());
	json_object_set_new(row, "line", finding->line ? json_integer(finding->line) : json_null());
	json_object_set_new(row, "section", json_string(kh_section_name(finding->section)));
	json_object_set_new(row, "cuts", json_integer((json_int_t)judgement->cuts));
	json_object_set_new(row, "unchanged", json_boolean(!changed));
	json_object_set_new(row, "expires",
			    kh_json_time(core, judgement->decision == KH_ENFORCE ? kh_plan_expires(plan, finding) : 0));
	json_object_set_new(row, "ref", kh_json_text(letter->head.number));
	return row;
}

static json_t *rows_of(const struct kh_core *core, const struct kh_plan *plan, struct kh_plan_tally *tally)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < plan->letters_count; i++) {
		const struct kh_plan_letter *letter = &plan->letters[i];

		for (size_t j = 0; j < letter->count; j++) {
			const struct kh_judgement *judgement = &letter->judgements[j];
			char *value KH_CLEANUP(kh_freep) = kh_indicator_format(&letter->findings[j].indicator);
			uint8_t decision = (uint8_t)judgement->decision;

			if (!value)
				continue;
			tally->decisions[judgement->decision]++;
			*(letter->outcome[j] ? &tally->changed : &tally->unchanged) += 1;
			crypto_hash_sha256_update(&tally->hash, (const unsigned char *)value, strlen(value) + 1);
			crypto_hash_sha256_update(&tally->hash, &decision, 1);
			crypto_hash_sha256_update(&tally->hash, &letter->outcome[j], 1);
			if (tally->decisions[decision] > plan->rows_each) {
				tally->omitted++;
				continue;
			}
			json_array_append_new(rows, kh_plan_row(core, plan, letter, &letter->findings[j], judgement,
								letter->files[j], letter->outcome[j]));
		}
	}
	kh_plan_answer_bulk(core, plan, tally, rows);
	return rows;
}

static json_t *letters_of(const struct kh_core *core, const struct kh_plan *plan)
{
	json_t *letters = json_array();

	for (size_t i = 0; i < plan->letters_count; i++) {
		const struct kh_letter *head = &plan->letters[i].head;
		json_t *letter =
			json_pack("{s:o, s:o, s:o, s:o, s:o}", "report_by", kh_json_text(head->report_by), "number",
				  kh_json_text(head->number), "date", kh_json_text(head->date), "issuer",
				  kh_json_text(head->issuer), "subject", kh_json_text(head->subject));
		json_t *files = json_array(), *cves = json_array(), *grades = json_array(), *relays = json_array();
		int64_t loaded = 0;
		size_t hashes = 0;

		for (size_t j = 0; j < plan->files_count; j++) {
			const struct kh_document *document = plan->files[j].document;

			if (plan->files[j].letter != i)
				continue;
			json_array_append_new(files, kh_json_text(document->file));
			for (size_t k = 0; k < document->cves_count; k++) {
				struct kh_grade grade = kh_document_grade(document, k);

				json_array_append_new(cves, kh_json_text(document->cves[k]));
				json_array_append_new(grades, kh_json_grade(document->cves[k], grade.score,
									    kh_level_name(grade.level)));
			}
			hashes += document->hashes_count;
			if (plan->files[j].loaded)
				loaded = plan->files[j].loaded;
		}
		json_object_set_new(letter, "files", files);
		for (size_t j = 0; j < head->relays_count; j++)
			json_array_append_new(relays, kh_json_text(head->relays[j]));
		json_object_set_new(letter, "cves", cves);
		json_object_set_new(letter, "vulnerabilities", grades);
		json_object_set_new(letter, "relays", relays);
		json_object_set_new(letter, "chain", kh_json_chain(core, plan->letters[i].id, &plan->letters[i]));
		json_object_set_new(letter, "hashes", json_integer((json_int_t)hashes));
		if (loaded)
			json_object_set_new(letter, "duplicate_since", kh_json_time(core, loaded));
		json_array_append_new(letters, letter);
	}
	return letters;
}

static json_t *notes_of(const struct kh_plan *plan)
{
	json_t *notes = json_array();

	for (size_t i = 0; i < plan->files_count; i++)
		for (size_t j = 0; j < plan->files[i].document->notes_count; j++)
			json_array_append_new(notes, kh_json_text(plan->files[i].document->notes[j]));
	return notes;
}

void kh_plan_token(struct kh_plan_tally *tally, char ret_token[static 33])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(&tally->hash, digest);
	sodium_bin2hex(ret_token, 33, digest, 16);
}

json_t *kh_plan_answer(const struct kh_core *core, const struct kh_plan *plan, struct kh_plan_tally *tally)
{
	json_t *reply = kh_reply(KH_EXIT_DONE);
	json_t *rows = rows_of(core, plan, tally);

	json_object_set_new(reply, "letters", letters_of(core, plan));
	json_object_set_new(reply, "rows", rows);
	json_object_set_new(reply, "omitted", json_integer((json_int_t)tally->omitted));
	json_object_set_new(reply, "counts",
			    json_pack("{s:I, s:I, s:I, s:I, s:I}", "enforce", (json_int_t)tally->decisions[KH_ENFORCE],
				      "review", (json_int_t)tally->decisions[KH_REVIEW], "refuse",
				      (json_int_t)tally->decisions[KH_REFUSE], "unenforceable",
				      (json_int_t)tally->decisions[KH_UNENFORCEABLE], "unchanged",
				      (json_int_t)tally->unchanged));
	json_object_set_new(reply, "action", json_string(plan->action == KH_ACTION_MONITOR ? "monitor" : "drop"));
	json_object_set_new(reply, "expires", kh_json_time(core, plan->expires));
	json_object_set_new(reply, "notes", notes_of(plan));
	if (tally->decisions[KH_REVIEW] + tally->decisions[KH_REFUSE] + tally->decisions[KH_UNENFORCEABLE])
		json_object_set_new(reply, "exit", json_integer(KH_EXIT_PARTLY));
	return reply;
}
