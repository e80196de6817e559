// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * push: documents -> plan; which letters they are, letters.c knows. block: typed values -> plan.
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
#include "daemon/audit.h"
#include "daemon/trust.h"
#include "model/wire.h"
#include "reader/reader.h"

#define BLOCK_SECONDS 86400 /* deadline of a block without a letter */
#define BLOCK_VALUES_MAX 10000
#define DOCUMENTS_MAX ((size_t)1 << 30) /* what was read of one file */

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
static int read_file(const struct kh_request *request, struct kh_plan *plan, int fd, int read_fd, const char *name,
		     struct kh_error *error)
{
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	char *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_plan_file *files;
	uint8_t sha256[32];
	size_t length;
	int code = kh_plan_hash(sha256, fd, name, error);

	if (code < 0)
		return code;
	kh_audit_file(request, sha256);
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

int kh_plan_keep_strongest(struct kh_plan_letter *letter)
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

/* ---- push ---------------------------------------------------------------------------------------- */

int kh_plan_documents(const struct kh_request *request, struct kh_plan *plan, struct kh_error *error)
{
	json_t *names = json_object_get(request->body, "files");
	size_t count = json_array_size(names);
	int code = 0;

	for (size_t i = 0; i < count && code >= 0; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		code = read_file(request, plan, request->fds[i], request->fds[count + i], name ? name : "-", error);
	}
	if (code < 0)
		return code;
	plan->letters = calloc(plan->files_count + 1, sizeof(*plan->letters));
	if (!plan->letters)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	return kh_plan_letters(request, plan, error);
}

static void set_terms(const struct kh_request *request, struct kh_plan *plan, int64_t seconds)
{
	plan->action = kh_request_flag(request->body, "monitor") ? KH_ACTION_MONITOR : KH_ACTION_DROP;
	seconds = kh_request_number(request->body, "ttl", seconds);
	plan->expires = seconds > 0 ? kh_now() + seconds : 0;
}

static json_t *push(const struct kh_request *request)
{
	struct kh_plan plan = { .kind = "push" };
	struct kh_error error = {};
	json_t *reply;
	int code;

	set_terms(request, &plan, 0);
	code = kh_plan_documents(request, &plan, &error);
	if (code < 0)
		reply = kh_reply_error(code == -EMLINK ? KH_EXIT_USAGE : KH_EXIT_FAILED, &error);
	else
		reply = kh_plan_run(request, &plan);
	kh_plan_clear(&plan);
	return reply;
}

json_t *kh_op_push(const struct kh_request *request)
{
	struct kh_request held = *request; /* with the files as the daemon holds them, where they are signed */
	struct kh_signed sign = {};
	json_t *reply;

	if (!request->fds_count || 2 * json_array_size(json_object_get(request->body, "files")) != request->fds_count)
		return kh_reply_usage(
			_("push needs two descriptors for each file it names: the file, and what was read of it"));
	reply = kh_signed_files(request, &sign);
	held.fds = sign.fds;
	if (!reply) {
		reply = push(&held);
		json_array_extend(json_object_get(reply, "notes"), sign.notes);
	}
	json_decref(sign.notes);
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
	plan.letters[0].year = kh_letter_year(&plan.letters[0].head);
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
