// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which letters the files of a push are: one, unless they carry different numbers. What is said of a letter besides its values: who issued it
 * (reader/issuers.h), what a person corrects (--ref, --date, --issuer), and whose advisory it passes on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "daemon/plan.h"
#include "reader/issuers.h"

#define ISSUER_BYTES 300

int kh_letter_year(const struct kh_letter *letter)
{
	int64_t year;
	char digits[5] = "";
	time_t now = time(NULL);
	struct tm calendar;

	if (letter->date && strlen(letter->date) >= 4) {
		memcpy(digits, letter->date, 4);
		if (!kh_number_parse(digits, 1900, 2999, &year))
			return (int)year;
	}
	gmtime_r(&now, &calendar);
	return calendar.tm_year + 1900;
}

/* What the head does not say yet. The number only when it is to count. */
static int copy_letter(struct kh_letter *to, const struct kh_letter *from, bool numbered)
{
	const char *const texts[] = { numbered ? from->number : NULL, from->date, from->issuer, from->subject,
				      from->report_by };
	char **const places[] = { &to->number, &to->date, &to->issuer, &to->subject, &to->report_by };

	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++) {
		if (!texts[i] || *places[i])
			continue;
		*places[i] = strdup(texts[i]);
		if (!*places[i])
			return -ENOMEM;
	}
	for (size_t i = 0; i < from->relays_count; i++) {
		char **relays = realloc(to->relays, (to->relays_count + 1) * sizeof(char *));

		if (!relays)
			return -ENOMEM;
		to->relays = relays;
		relays[to->relays_count] = strdup(from->relays[i]);
		if (!relays[to->relays_count])
			return -ENOMEM;
		to->relays_count++;
	}
	return 0;
}

/* ---- Files to letters ---------------------------------------------------------------------------- */

static bool same_number(const char *a, const char *b)
{
	char *x KH_CLEANUP(kh_freep) = kh_text_fold(a), *y KH_CLEANUP(kh_freep) = kh_text_fold(b);

	return x && y && !strcmp(x, y);
}

/* Is the letter of this number, or, for an annex, does it pass that letter on? */
static bool is_of(const struct kh_letter *head, const char *number, bool attached)
{
	bool found = head->number && same_number(head->number, number);

	for (size_t i = 0; i < head->relays_count && attached && !found; i++)
		found = same_number(head->relays[i], number);
	return found;
}

/* What the number of a file is worth, as the order in which files are given to letters. */
enum worth {
	READ, /* its own */
	ATTACHED, /* of the letter that it is an annex of */
	NONE, /* it belongs to the letter before it */
	WORTHS,
};

/* A number that may be misread is its own only when no file has one for sure. */
static enum worth worth_of(const struct kh_letter *letter, const char *ref, bool sure)
{
	if (!letter->number || (!ref && sure && letter->doubtful))
		return NONE;
	return letter->attached && !ref ? ATTACHED : READ;
}

/* The letter for the file at `index`; room for one a file was made. */
static struct kh_plan_letter *letter_for(struct kh_plan *plan, size_t index, const char *number, enum worth worth)
{
	size_t before = 0;

	for (size_t i = 0; i < plan->letters_count && worth != NONE; i++)
		if (is_of(&plan->letters[i].head, number, worth == ATTACHED))
			return &plan->letters[i];
	if (worth != NONE || !plan->letters_count)
		return &plan->letters[plan->letters_count++];
	for (size_t i = 0; i < index; i++)
		before = plan->files[i].letter;
	return &plan->letters[before];
}

/* Heads first, so that a list beside its letter finds it whatever the order. */
static int sort_files(struct kh_plan *plan, const char *ref)
{
	bool sure = false;
	int code = 0;

	for (size_t i = 0; i < plan->files_count; i++)
		sure = sure || (plan->files[i].document->letter.number && !plan->files[i].document->letter.doubtful);
	for (enum worth worth = READ; worth < WORTHS; worth++) {
		for (size_t i = 0; i < plan->files_count; i++) {
			struct kh_plan_file *file = &plan->files[i];
			const struct kh_letter *own = &file->document->letter;
			struct kh_plan_letter *letter;

			if (worth_of(own, ref, sure) != worth)
				continue;
			letter = letter_for(plan, i, ref ? ref : own->number, ref ? READ : worth);
			file->letter = (size_t)(letter - plan->letters);
			if (ref && !letter->head.number && !(letter->head.number = strdup(ref)))
				return -ENOMEM;
			code = copy_letter(&letter->head, own, worth != NONE);
			for (size_t j = 0; j < file->document->findings_count && code >= 0; j++)
				code = kh_plan_add(letter, &file->document->findings[j], file->document->file);
			if (code < 0)
				return code;
		}
	}
	return code;
}

/* A letter without a number is kept under its first file's name, so that it can be found and undone. */
static int name_letters(struct kh_plan *plan)
{
	for (size_t i = 0; i < plan->letters_count; i++) {
		struct kh_letter *head = &plan->letters[i].head;

		for (size_t j = 0; j < plan->files_count && !head->number; j++) {
			const char *name = plan->files[j].document->file, *base = strrchr(name, '/');

			if (plan->files[j].letter == i && !(head->number = strdup(base ? base + 1 : name)))
				return -ENOMEM;
		}
		plan->letters[i].year = kh_letter_year(head);
	}
	return 0;
}

/* ---- Issuers ------------------------------------------------------------------------------------ */

struct naming {
	struct kh_issuers *issuers;
	struct kh_plan *plan;
	const char *folder;
};

/* Said with the plan, of its first file. 0 or -ENOMEM. */
static int note(const struct naming *naming, const char *text)
{
	char *whole KH_CLEANUP(kh_freep) = NULL;

	if (asprintf(&whole, _("issuers not taken: %s/%s"), naming->folder, text) < 0)
		return -ENOMEM;
	kh_text_printable(whole);
	return kh_document_note(naming->plan->files[0].document, whole);
}

static int take_file(const char *name, int code, const char *data, size_t length, void *context)
{
	const struct naming *naming = context;
	struct kh_error error = {};

	if (code >= 0)
		code = kh_issuers_add(naming->issuers, name, data, length, &error);
	else
		kh_fail(&error, code, "%s: %s", name, strerror(-code));
	return code < 0 ? note(naming, error.text) : 0;
}

/* Read anew for each push: a file that was put there a moment ago counts. */
static int name_issuers(const struct kh_core *core, struct kh_plan *plan)
{
	struct kh_issuers *issuers KH_CLEANUP(kh_issuers_freep) = NULL;
	struct naming naming = { .plan = plan, .folder = core->config->issuers };
	bool wanted = false;
	int code = 0;

	for (size_t i = 0; i < plan->letters_count; i++)
		wanted = wanted || plan->letters[i].head.number || plan->letters[i].head.issuer;
	if (!wanted)
		return 0;
	naming.issuers = issuers = kh_issuers_new();
	if (!issuers)
		return -ENOMEM;
	code = kh_folder_read(naming.folder, KH_ISSUERS_ENDING, KH_ISSUERS_FILE_BYTES, take_file, &naming);
	if (code == -ENOMEM)
		return code;
	code = 0; /* khiend --check says what is wrong with a folder */
	for (size_t i = 0; i < plan->letters_count && code >= 0; i++)
		code = kh_issuers_name(issuers, &plan->letters[i].head);
	return code;
}

/* ---- Corrections -------------------------------------------------------------------------------- */

static int replace(char **field, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (!copy)
		return text ? -ENOMEM : 0;
	kh_text_printable(copy);
	free(*field);
	*field = copy;
	return 0;
}

static int correct(const struct kh_request *request, struct kh_plan *plan, struct kh_error *error)
{
	const char *date = kh_request_text(request->body, "date"), *issuer = kh_request_text(request->body, "issuer");
	char iso[KH_DATE_TEXT];

	if (!date && !issuer)
		return 0;
	if ((date && (kh_date_parse(date, iso) < 0 || strcmp(date, iso) != 0)) ||
	    (issuer && (!issuer[0] || strlen(issuer) >= ISSUER_BYTES))) {
		kh_fail(error, -EMLINK, _("a date is written 2023-01-21, and an issuer has 1 to %d bytes"),
			ISSUER_BYTES - 1);
		return -EMLINK;
	}
	if (plan->letters_count > 1) {
		kh_fail(error, -EMLINK,
			_("--date and --issuer are of one letter, and these files carry several numbers: %s, %s"),
			plan->letters[0].head.number, plan->letters[1].head.number);
		return kh_hint(error, _("push the letters one by one, or say which one it is: --ref NUMBER")), -EMLINK;
	}
	plan->date = date;
	plan->issuer = issuer;
	if (replace(&plan->letters[0].head.date, date) < 0 || replace(&plan->letters[0].head.issuer, issuer) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	return 0;
}

int kh_plan_letters(const struct kh_request *request, struct kh_plan *plan, struct kh_error *error)
{
	const char *ref = kh_request_text(request->body, "ref");
	int code = sort_files(plan, ref && ref[0] ? ref : NULL);

	for (size_t i = 0; i < plan->letters_count && code >= 0 && plan->files_count > 1; i++)
		code = kh_plan_keep_strongest(&plan->letters[i]);
	if (code >= 0)
		code = name_issuers(request->core, plan);
	if (code < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	code = correct(request, plan, error);
	if (code >= 0 && name_letters(plan) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	return code;
}

/* ---- Into the ledger ---------------------------------------------------------------------------- */

/* The same file again is the same letter, whatever was corrected of it since. */
static int find_by_file(struct kh_ledger *ledger, const struct kh_plan *plan, size_t index, struct kh_error *error)
{
	struct kh_plan_letter *letter = &plan->letters[index];
	int code = 0;

	for (size_t i = 0; i < plan->files_count && !code; i++)
		if (plan->files[i].letter == index)
			code = kh_ledger_letter_of_file(ledger, letter->head.number, plan->files[i].sha256, &letter->id,
							error);
	return code;
}

int kh_plan_put_letter(struct kh_core *core, struct kh_plan *plan, size_t index, struct kh_error *error)
{
	struct kh_plan_letter *letter = &plan->letters[index];
	const struct kh_letter *head = &letter->head;
	int code = 0;

	if (!letter->id && !head->number)
		letter->id = KH_LETTER_BY_HAND;
	if (!letter->id)
		code = find_by_file(core->ledger, plan, index, error);
	if (code >= 0 && !letter->id)
		code = kh_ledger_letter_put(core->ledger, head, letter->year, kh_now(), &letter->id, error);
	if (code >= 0 && (plan->date || plan->issuer)) {
		code = kh_ledger_letter_correct(core->ledger, letter->id, plan->date, plan->issuer, error);
		plan->corrected = code == 1;
	}
	for (size_t i = 0; i < head->relays_count && code >= 0; i++)
		code = kh_ledger_relay_put(core->ledger, letter->id, head->relays[i], error);
	return code;
}

/* ---- Answers ------------------------------------------------------------------------------------ */

struct chain {
	const struct kh_core *core;
	const struct kh_plan_letter *letter; /* NULL: the values that both order are not counted */
	json_t *array;
};

static int on_chain(const struct kh_letter_row *row, void *context)
{
	struct chain *chain = context;
	json_t *other =
		json_pack("{s:o, s:o, s:o, s:o}", "number", kh_json_text(row->number), "date", kh_json_text(row->date),
			  "issuer", kh_json_text(row->issuer), "received", kh_json_time(chain->core, row->received));
	enum kh_order_state state;
	json_int_t shared = 0;

	for (size_t i = 0; chain->letter && i < chain->letter->count; i++)
		shared += kh_ledger_order_state(chain->core->ledger, row->id, &chain->letter->findings[i].indicator,
						&state) == 1;
	if (chain->letter)
		json_object_set_new(other, "shared", json_integer(shared));
	json_array_append_new(chain->array, other);
	return 0;
}

json_t *kh_json_chain(const struct kh_core *core, int64_t id, const struct kh_plan_letter *letter)
{
	struct chain chain = { .core = core, .letter = letter, .array = json_array() };

	kh_ledger_chain(core->ledger, id, on_chain, &chain);
	return chain.array;
}

json_t *kh_json_grade(const char *cve, unsigned score, const char *level)
{
	return json_pack("{s:o, s:o, s:o}", "cve", kh_json_text(cve), "cvss",
			 score ? json_real(score / 10.0) : json_null(), "severity", kh_json_text(level));
}

void kh_letters_note(struct kh_letter_ids *seen, int64_t id)
{
	for (size_t i = seen->count; i > 0; i--)
		if (seen->ids[i - 1] == id)
			return;
	if (seen->count < KH_ARRAY_SIZE(seen->ids) && id != KH_LETTER_BY_HAND)
		seen->ids[seen->count++] = id;
}

static int on_head(const struct kh_letter_row *row, void *context)
{
	struct chain *heads = context;

	json_array_append_new(heads->array, json_pack("{s:o, s:o, s:o, s:o, s:o}", "number", kh_json_text(row->number),
						      "date", kh_json_text(row->date), "issuer",
						      kh_json_text(row->issuer), "subject", kh_json_text(row->subject),
						      "received", kh_json_time(heads->core, row->received)));
	return 0;
}

json_t *kh_letters_json(const struct kh_core *core, const struct kh_letter_ids *seen)
{
	struct chain heads = { .core = core, .array = json_array() };

	for (size_t i = 0; i < seen->count; i++)
		kh_ledger_letter_head(core->ledger, seen->ids[i], on_head, &heads);
	return heads.array;
}
