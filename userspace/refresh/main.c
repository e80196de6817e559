// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien-refresh LANGUAGE FOLDER [signed | read]: one refresh of one source, so that the daemon need not wait for strangers. Started by the daemon
 * (daemon/fetching.c); becomes nobody before it does anything.
 *
 *   0 request and kept copy (model/fetched.h)   1 the answer   3 what was fetched   4 the documents in it (model/wire.h)
 *   5 what was fetched from URL.minisig, nothing where there is none
 *
 * signed: that is fetched too, for a file that is new; why it could not be is the answer's text. read: nothing is fetched, what is on 3 is read.
 *
 * It reads none of what comes itself: khien-fetch talks to the server, khien-parse reads, each behind the walls of the sandbox.
 * Ends by itself within REFRESH_SECONDS, and with the daemon.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "intake/intake.h"
#include "model/fetched.h"
#include "model/wire.h"
#include "sandbox/sandbox.h"

#define PROGRAM "khien-fetch"
#define CONTENT_FD 3
#define DOCUMENTS_FD 4
#define SIGNATURE_FD 5
#define SIGNATURE_ENDING ".minisig"
#define REFRESH_SECONDS 600 /* fetching, and reading what came */
#define MEMORY_MAX ((size_t)1 << 30) /* with the stacks of a resolver's threads */

/* ---- Fetching ------------------------------------------------------------------------------------------ */

static void say(struct kh_fetch_answer *answer, const struct kh_error *why)
{
	kh_fetch_answer_clear(answer);
	answer->result = KH_FETCH_FAILED;
	answer->text = strdup(why->text);
	answer->hint = why->hint[0] ? strdup(why->hint) : NULL;
}

/* By the request that is on `input`: the answer, and the content on its descriptor. 0; or -errno with error: then there is no answer. */
static int fetch(const struct kh_fetch_request *request, int input, int content, struct kh_fetch_answer *ret_answer,
		 struct kh_error *error)
{
	char program[PATH_MAX];
	const char *const words[] = { PROGRAM, kh_lang_get(), kh_lang_folder(), NULL };
	const char *const readable[] = { kh_lang_folder(),
					 "/etc/ssl",
					 "/etc/ca-certificates",
					 "/etc/pki",
					 "/etc/hosts",
					 "/etc/host.conf",
					 "/etc/gai.conf",
					 "/etc/resolv.conf",
					 "/etc/nsswitch.conf",
					 "/run/systemd/resolve",
					 NULL };
	struct kh_sandbox sandbox = { .program = program,
				      .arguments = words,
				      .readable = readable,
				      .input = input,
				      .output_max = (size_t)request->bytes_max + 16384,
				      .memory_max = MEMORY_MAX,
				      .seconds_max = kh_fetch_seconds(request->kind),
				      .network = true };
	struct kh_sandbox_result result KH_CLEANUP(kh_sandbox_result_clear) = {};
	size_t rest = 0;
	int code;

	kh_program_find(PROGRAM, program);
	code = kh_sandbox_run(&sandbox, &result, error);
	if (!code && result.status)
		code = kh_fail(error, -EPROTO, "%s: %s", PROGRAM, result.complaint);
	if (!code && kh_fetch_answer_read(result.output.data, result.output.length, ret_answer, &rest) < 0)
		code = kh_fail(error, -EPROTO, _("%s gave no answer that makes sense"), PROGRAM);
	if (code < 0)
		return code;
	ret_answer->bytes = (int64_t)(result.output.length - rest);
	if (ret_answer->result == KH_FETCH_NEW)
		code = kh_file_write_fd(content, result.output.data + rest, result.output.length - rest);
	return code < 0 ? kh_fail(error, code, "%s: %s", request->name, strerror(-code)) : 0;
}

/* The address with the ending put to its path, before a query. malloc'ed, or NULL. */
static char *signature_url(const char *url)
{
	int path = (int)strcspn(url, "?#");
	char *text;

	return asprintf(&text, "%.*s" SIGNATURE_ENDING "%s", path, url, url + path) < 0 ? NULL : text;
}

/* What is missing is told in the answer: whether it matters, the daemon knows. */
static int fetch_signature(struct kh_fetch_request *request, struct kh_fetch_answer *answer, struct kh_error *error)
{
	struct kh_fetch_answer own KH_CLEANUP(kh_fetch_answer_clear) = {};
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	int input KH_CLEANUP(kh_closep) = memfd_create("khien-signature", MFD_CLOEXEC);
	char *content = request->url;
	int code = input < 0 ? -errno : 0;

	free(KH_TAKE(request->etag));
	free(KH_TAKE(request->last_modified));
	request->bytes_max = KH_FETCH_SIGNATURE_MAX;
	request->url = signature_url(content);
	free(content);
	if (!code && !request->url)
		code = -ENOMEM;
	if (!code)
		code = kh_fetch_request_write(request, &bytes);
	if (!code)
		code = kh_file_write_fd(input, bytes.data, bytes.length);
	if (bytes.data)
		explicit_bzero(bytes.data, bytes.length);
	if (code < 0)
		return kh_fail(error, code, "%s: %s", request->name, strerror(-code));
	code = fetch(request, input, SIGNATURE_FD, &own, error);
	if (code < 0 || own.result != KH_FETCH_FAILED || answer->text)
		return code;
	answer->text = KH_TAKE(own.text);
	return 0;
}

/* ---- Reading ------------------------------------------------------------------------------------------- */

static int64_t count_entries(const struct kh_documents *documents)
{
	int64_t count = 0;

	for (size_t i = 0; i < documents->count; i++)
		count += (int64_t)kh_document_values(documents->list[i]);
	return count;
}

/* An empty file is an error to the reader, whom a person asked; a list that has become empty is a list without values. */
static int read_nothing(const char *name, struct kh_documents *documents, struct kh_error *error)
{
	struct kh_document *document = calloc(1, sizeof(*document));

	if (document) {
		document->file = strdup(name);
		document->format = kh_document_format("list");
		document->announced = (struct kh_announced){ -1, -1, -1 };
	}
	if (!document || !document->file || kh_documents_add(documents, document) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory")); /* and this program ends */
	return 0;
}

/* The documents on their descriptor, and their number of values in the answer. */
static int read_content(const struct kh_fetch_request *request, struct kh_fetch_answer *answer, struct kh_error *error)
{
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	int code = answer->bytes ? kh_intake_read(request->name, CONTENT_FD, &documents, error)
				 : read_nothing(request->name, &documents, error);

	if (code < 0)
		return code;
	answer->entries = count_entries(&documents);
	if (answer->entries > request->entries_max) {
		kh_fail(error, -E2BIG, _("there are %lld values in it, more than %lld"), (long long)answer->entries,
			(long long)request->entries_max);
		kh_hint(error, _("if that is right, add the source anew with a larger --max-values"));
		return -E2BIG;
	}
	code = kh_wire_write_all(&documents, &bytes);
	if (!code)
		code = kh_file_write_fd(DOCUMENTS_FD, bytes.data, bytes.length);
	return code < 0 ? kh_fail(error, code, "%s: %s", request->name, strerror(-code)) : 0;
}

static bool is_task(const char *task, const char *word)
{
	return task && !strcmp(task, word);
}

/* Also reads it, before the signature is fetched: that changes the request. */
static int fetch_and_read(struct kh_fetch_request *request, const char *task, struct kh_fetch_answer *answer,
			  struct kh_error *error)
{
	bool only_reads = is_task(task, KH_REFRESH_READ);
	int code = 0;

	if (only_reads)
		*answer = (struct kh_fetch_answer){ .result = KH_FETCH_NEW, .bytes = request->bytes_max };
	else
		code = fetch(request, STDIN_FILENO, CONTENT_FD, answer, error);
	if (code < 0 || answer->result != KH_FETCH_NEW)
		return code;
	code = read_content(request, answer, error);
	if (!code && is_task(task, KH_REFRESH_SIGNED) && request->kind == KH_FETCH_FILE)
		code = fetch_signature(request, answer, error);
	return code;
}

static int refresh(const char *task, struct kh_fetch_answer *answer)
{
	struct kh_fetch_request request KH_CLEANUP(kh_fetch_request_clear) = {};
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	char *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = {};
	size_t length, rest;
	int code = kh_file_read_fd(STDIN_FILENO, KH_FETCH_INPUT_MAX, &data, &length);

	if (!code)
		code = kh_fetch_request_read(data, length, &request, &rest);
	free(KH_TAKE(data)); /* the kept copy is for khien-fetch */
	if (code < 0)
		return code;
	code = fetch_and_read(&request, task, answer, &error);
	if (code < 0)
		say(answer, &error);
	code = kh_fetch_answer_write(answer, &bytes);
	return code < 0 ? code : kh_file_write_fd(STDOUT_FILENO, bytes.data, bytes.length);
}

int main(int count, char **words)
{
	struct kh_fetch_answer answer KH_CLEANUP(kh_fetch_answer_clear) = {};
	pid_t parent = getppid();
	int code;

	if (count != 3 && count != 4) {
		fprintf(stderr, "usage: khien-refresh LANGUAGE FOLDER [" KH_REFRESH_SIGNED " | " KH_REFRESH_READ "]\n");
		return 2;
	}
	code = kh_sandbox_lower(parent);
	alarm(REFRESH_SECONDS);
	setenv("KHIEN_LOCALEDIR", words[2], 1);
	kh_lang_init();
	kh_lang_set(words[1]);
	if (!code)
		code = refresh(count == 4 ? words[3] : NULL, &answer);
	return code < 0;
}
