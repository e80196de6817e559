// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * push: documents -> plan. block: typed values -> plan. The files of one push are one letter unless they carry different numbers.
 */
#include "daemon/plan.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "model/wire.h"
#include "reader/reader.h"

#define BLOCK_SECONDS 86400 /* deadline of a block without a letter */
#define BLOCK_VALUES_MAX 10000
#define DOCUMENTS_MAX ((size_t)1 << 30) /* what was read of one file */

static int year_of(const struct kh_letter *letter)
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

static int copy_letter(struct kh_letter *to, const struct kh_letter *from)
{
	const char *const texts[] = { from->number, from->date, from->issuer, from->subject, from->report_by };
	char **const places[] = { &to->number, &to->date, &to->issuer, &to->subject, &to->report_by };

	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++) {
		if (!texts[i] || *places[i])
			continue;
		*places[i] = strdup(texts[i]);
		if (!*places[i])
			return -ENOMEM;
	}
	return 0;
}

/* The letter of the plan that a number belongs to; a file without a number goes with the first. */
static struct kh_plan_letter *letter_for(struct kh_plan *plan, const char *number)
{
	char *folded KH_CLEANUP(kh_freep) = number ? kh_text_fold(number) : NULL;

	for (size_t i = 0; i < plan->letters_count; i++) {
		char *other KH_CLEANUP(kh_freep) =
			plan->letters[i].head.number ? kh_text_fold(plan->letters[i].head.number) : NULL;

		if (!folded || !other || !strcmp(folded, other))
			return &plan->letters[i];
	}
	return &plan->letters[plan->letters_count++]; /* room for one a file was made */
}

int kh_plan_hash(uint8_t sha256[static 32], int fd, const char *name, struct kh_error *error)
{
	char *data KH_CLEANUP(kh_freep) = NULL;
	size_t length;
	int code = kh_file_read_fd(fd, KH_READER_MAX_BYTES, &data, &length);

	if (code == -EFBIG) {
		kh_fail(error, code, _("%s: larger than %zu MiB"), name, KH_READER_MAX_BYTES >> 20);
		return kh_hint(error, _("split it, and push the parts with the same --ref")), code;
	}
	if (code < 0)
		return kh_fail(error, code, _("%s: cannot be read: %s"), name, strerror(-code));
	crypto_hash_sha256(sha256, (const unsigned char *)data, length);
	return 0;
}

/* A file in the file is told from it, and from the others, by its place and name. */
static void hash_part(uint8_t sha256[static 32], const uint8_t whole[static 32], size_t place, const char *name)
{
	crypto_hash_sha256_state state;
	uint8_t number = (uint8_t)place;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, whole, 32);
	crypto_hash_sha256_update(&state, &number, 1);
	crypto_hash_sha256_update(&state, (const unsigned char *)name, strlen(name));
	crypto_hash_sha256_final(&state, sha256);
}

/* Adds the documents of one file. */
static int read_file(struct kh_plan *plan, int fd, int read_fd, const char *name, struct kh_error *error)
{
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	char *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_plan_file *files;
	uint8_t sha256[32];
	size_t length;
	int code = kh_plan_hash(sha256, fd, name, error);

	if (code < 0)
		return code;
	code = kh_file_read_fd(read_fd, DOCUMENTS_MAX, &data, &length);
	if (code < 0)
		return kh_fail(error, code, _("%s: cannot be read: %s"), name, strerror(-code));
	code = kh_wire_read_all(data, length, &documents, error);
	if (code < 0)
		return code;
	files = realloc(plan->files, (plan->files_count + documents.count) * sizeof(*files));
	if (!files)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	plan->files = files;
	for (size_t i = 0; i < documents.count; i++) {
		struct kh_plan_file *file = &files[plan->files_count++];

		*file = (struct kh_plan_file){ .document = documents.list[i] };
		documents.list[i] = NULL;
		memcpy(file->sha256, sha256, sizeof(sha256));
		if (i)
			hash_part(file->sha256, sha256, i, file->document->file);
	}
	return 0;
}

/* ---- One value in several files of a letter: the annex confirms what was read from a picture ------------- */

static int rank(const struct kh_finding *finding)
{
	return finding->proposed == KH_ENFORCE ? 0 : finding->proposed == KH_UNENFORCEABLE ? 1 : 2;
}

static int compare_places(const void *a, const void *b, void *context)
{
	const struct kh_finding *findings = context, *x = &findings[*(const uint32_t *)a],
				*y = &findings[*(const uint32_t *)b];
	int order = kh_indicator_compare(&x->indicator, &y->indicator);

	if (!order)
		order = rank(x) - rank(y);
	return order ? order : *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

/* Keeps, of findings of the same value, the strongest proposal; the others in their order. 0 or -ENOMEM. */
static int keep_strongest(struct kh_plan_letter *letter)
{
	uint32_t *order KH_CLEANUP(kh_freep) = calloc(letter->count + 1, sizeof(*order));
	bool *weaker KH_CLEANUP(kh_freep) = calloc(letter->count + 1, sizeof(*weaker));
	size_t kept = 0;

	if (!order || !weaker)
		return -ENOMEM;
	for (size_t i = 0; i < letter->count; i++)
		order[i] = (uint32_t)i;
	if (letter->count)
		qsort_r(order, letter->count, sizeof(*order), compare_places, letter->findings);
	for (size_t i = 1; i < letter->count; i++)
		weaker[order[i]] = !kh_indicator_compare(&letter->findings[order[i - 1]].indicator,
							 &letter->findings[order[i]].indicator);
	for (size_t i = 0; i < letter->count; i++) {
		if (weaker[i])
			continue;
		letter->findings[kept] = letter->findings[i];
		letter->files[kept++] = letter->files[i];
	}
	letter->count = kept;
	return 0;
}

/* Findings of all files, gathered by letter. Heads first, so that a list beside its letter finds it whatever the order. */
static int sort_files(struct kh_plan *plan, const char *ref)
{
	int code = 0;

	for (int numbered = 1; numbered >= 0; numbered--) {
		for (size_t i = 0; i < plan->files_count; i++) {
			struct kh_plan_file *file = &plan->files[i];
			const char *number = ref ? ref : file->document->letter.number;
			struct kh_plan_letter *letter;

			if ((file->document->letter.number != NULL) != numbered)
				continue;
			letter = letter_for(plan, number);
			file->letter = (size_t)(letter - plan->letters);
			if (ref && !letter->head.number && !(letter->head.number = strdup(ref)))
				return -ENOMEM;
			code = copy_letter(&letter->head, &file->document->letter);
			for (size_t j = 0; j < file->document->findings_count && code >= 0; j++)
				code = kh_plan_add(letter, &file->document->findings[j], file->document->file);
			if (code < 0)
				return code;
		}
	}
	for (size_t i = 0; i < plan->letters_count && code >= 0 && plan->files_count > 1; i++)
		code = keep_strongest(&plan->letters[i]);
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
		plan->letters[i].year = year_of(head);
	}
	return 0;
}

int kh_plan_documents(const struct kh_request *request, struct kh_plan *plan, struct kh_error *error)
{
	json_t *names = json_object_get(request->body, "files");
	const char *ref = kh_request_text(request->body, "ref");
	size_t count = json_array_size(names);
	int code = 0;

	for (size_t i = 0; i < count && code >= 0; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		code = read_file(plan, request->fds[i], request->fds[count + i], name ? name : "-", error);
	}
	if (code < 0)
		return code;
	plan->letters = calloc(plan->files_count + 1, sizeof(*plan->letters));
	if (!plan->letters || sort_files(plan, ref && ref[0] ? ref : NULL) < 0 || name_letters(plan) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	return 0;
}

static void set_terms(const struct kh_request *request, struct kh_plan *plan, int64_t seconds)
{
	plan->action = kh_request_flag(request->body, "monitor") ? KH_ACTION_MONITOR : KH_ACTION_DROP;
	seconds = kh_request_number(request->body, "ttl", seconds);
	plan->expires = seconds > 0 ? kh_now() + seconds : 0;
}

json_t *kh_op_push(const struct kh_request *request)
{
	struct kh_plan plan = { .kind = "push" };
	struct kh_error error = {};
	json_t *reply;

	if (!request->fds_count || 2 * json_array_size(json_object_get(request->body, "files")) != request->fds_count)
		return kh_reply_usage(
			_("push needs two descriptors for each file it names: the file, and what was read of it"));
	set_terms(request, &plan, 0);
	if (kh_plan_documents(request, &plan, &error) < 0)
		reply = kh_reply_error(KH_EXIT_FAILED, &error);
	else
		reply = kh_plan_run(request, &plan);
	kh_plan_clear(&plan);
	return reply;
}

/* ---- block -------------------------------------------------------------------------------------- */

static int add_typed(struct kh_plan_letter *letter, const char *text, struct kh_error *error)
{
	struct kh_finding finding = { .proposed = KH_ENFORCE, .reason = KH_WHY_TYPED, .section = KH_SECTION_LIST };
	int code = kh_reader_value(text, &finding.indicator, error);

	if (code == -EDOM) {
		char network[KH_RANGE_TEXT];

		kh_range_format(&finding.indicator.range, network);
		kh_fail(error, -EINVAL, _("%s has bits set beyond its length"), text);
		kh_hint(error, _("write %s for the whole network, or the address alone"), network);
		return -EINVAL;
	}
	if (code < 0)
		return code;
	finding.raw = strdup(text);
	code = finding.raw ? kh_plan_add(letter, &finding, "") : -ENOMEM;
	if (code < 0) {
		kh_finding_clear(&finding);
		return kh_fail(error, code, _("out of memory"));
	}
	return 0;
}

json_t *kh_op_block(const struct kh_request *request)
{
	json_t *values = json_object_get(request->body, "values"), *item, *reply = NULL;
	const char *ref = kh_request_text(request->body, "ref");
	struct kh_plan plan = { .kind = "block" };
	struct kh_error error = {};
	size_t index;
	int code = 0;

	if (!json_array_size(values) || json_array_size(values) > BLOCK_VALUES_MAX)
		return kh_reply_usage(_("block needs 1 to %d values"), BLOCK_VALUES_MAX);
	plan.letters = calloc(1, sizeof(*plan.letters));
	if (!plan.letters || (ref && ref[0] && !(plan.letters[0].head.number = strdup(ref)))) {
		kh_plan_clear(&plan);
		return kh_reply_usage(_("out of memory"));
	}
	plan.letters_count = 1;
	if (ref && ref[0]) { /* an existing letter by any form of its number, else a new one */
		int64_t id;
		char number[256];

		reply = kh_require_letter(request->core, ref, &id, number, sizeof(number));
		if (!reply) {
			free(plan.letters[0].head.number);
			plan.letters[0].head.number = strdup(number);
			plan.letters[0].id = id;
		} else if (json_integer_value(json_object_get(reply, "exit")) == KH_EXIT_USAGE) {
			kh_plan_clear(&plan);
			return reply;
		}
		json_decref(reply);
	}
	plan.letters[0].year = year_of(&plan.letters[0].head);
	set_terms(request, &plan, ref && ref[0] ? 0 : BLOCK_SECONDS);
	json_array_foreach(values, index, item) {
		const char *text = json_string_value(item);

		code = text ? add_typed(&plan.letters[0], text, &error) : -EINVAL;
		if (code < 0)
			break;
	}
	reply = code < 0 ? kh_reply_error(KH_EXIT_FAILED, &error) : kh_plan_run(request, &plan);
	for (size_t i = 0; i < plan.letters[0].count; i++)
		kh_finding_clear(&plan.letters[0].findings[i]);
	kh_plan_clear(&plan);
	return reply;
}
