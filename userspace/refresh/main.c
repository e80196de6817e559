// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien-refresh: one refresh of one source, so that the daemon need not wait for strangers. The daemon is at the other end of standard input, a
 * socket (model/fetched.h). Whoever started it, the daemon or systemd in a unit of its own: it becomes nobody before it does anything, if it is not yet.
 *
 * It reads none of what comes itself: khien-fetch talks to the server, khien-parse reads, each behind the walls of the sandbox.
 * Ends by itself within REFRESH_SECONDS, and with the daemon.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/socket.h"
#include "common/text.h"
#include "common/util.h"
#include "intake/intake.h"
#include "model/fetched.h"
#include "model/wire.h"
#include "sandbox/sandbox.h"

#define PROGRAM "khien-fetch"
#define SIGNATURE_ENDING ".minisig"
#define REFRESH_SECONDS 600 /* fetching, and reading what came */
#define MEMORY_MAX ((size_t)1 << 30) /* with the stacks of a resolver's threads */

static int memory[KH_REFRESH_FDS]; /* enum kh_refresh_fd */

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
	code = fetch(request, input, memory[KH_REFRESH_SIGNATURE], &own, error);
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
	int code = answer->bytes ? kh_intake_read(request->name, memory[KH_REFRESH_CONTENT], &documents, error)
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
		code = kh_file_write_fd(memory[KH_REFRESH_DOCUMENTS], bytes.data, bytes.length);
	return code < 0 ? kh_fail(error, code, "%s: %s", request->name, strerror(-code)) : 0;
}

/* Also reads it, before the signature is fetched: that changes the request. */
static int fetch_and_read(struct kh_fetch_request *request, enum kh_refresh_task task, struct kh_fetch_answer *answer,
			  struct kh_error *error)
{
	int code = 0;

	if (task == KH_REFRESH_READ)
		*answer = (struct kh_fetch_answer){ .result = KH_FETCH_NEW, .bytes = request->bytes_max };
	else
		code = fetch(request, memory[KH_REFRESH_REQUEST], memory[KH_REFRESH_CONTENT], answer, error);
	if (code < 0 || answer->result != KH_FETCH_NEW)
		return code;
	code = read_content(request, answer, error);
	if (!code && task == KH_REFRESH_SIGNED && request->kind == KH_FETCH_FILE)
		code = fetch_signature(request, answer, error);
	return code;
}

static int refresh(enum kh_refresh_task task, struct kh_fetch_answer *answer)
{
	struct kh_fetch_request request KH_CLEANUP(kh_fetch_request_clear) = {};
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	char *data KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = {};
	size_t length, rest;
	int code = kh_file_read_fd(memory[KH_REFRESH_REQUEST], KH_FETCH_INPUT_MAX, &data, &length);

	if (!code)
		code = kh_fetch_request_read(data, length, &request, &rest);
	free(KH_TAKE(data)); /* the kept copy is for khien-fetch */
	if (code < 0)
		return code;
	code = fetch_and_read(&request, task, answer, &error);
	if (code < 0)
		say(answer, &error);
	code = kh_fetch_answer_write(answer, &bytes);
	return code < 0 ? code : kh_file_write_fd(memory[KH_REFRESH_ANSWER], bytes.data, bytes.length);
}

/* ---- The daemon ---------------------------------------------------------------------------------------- */

/* The next thing that happens at the socket is its end: nobody waits any more, and the signal ends this program, and with it those that it started. */
static int end_with_daemon(void)
{
	char byte;

	if (fcntl(STDIN_FILENO, F_SETOWN, getpid()) < 0 || fcntl(STDIN_FILENO, F_SETFL, O_ASYNC) < 0)
		return -errno;
	return recv(STDIN_FILENO, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) ? 0 : -ECONNRESET; /* before that? */
}

static int say_done(void)
{
	const char done = 1;
	int flags = fcntl(STDIN_FILENO, F_SETFL, 0);

	return flags < 0 ? -errno : kh_socket_send(STDIN_FILENO, &done, sizeof(done), NULL, 0);
}

int main(void)
{
	struct kh_fetch_answer answer KH_CLEANUP(kh_fetch_answer_clear) = {};
	struct kh_refresh_call call = {};
	int code = kh_sandbox_lower(getppid());

	alarm(REFRESH_SECONDS);
	if (!code)
		code = kh_socket_receive(STDIN_FILENO, &call, sizeof(call), memory, KH_REFRESH_FDS);
	if (code == -ENOTSOCK)
		fprintf(stderr, "khien-refresh is started by khiend, or by systemd for it (khien-refresh.socket)\n");
	if (!code)
		code = end_with_daemon();
	kh_lang_init();
	call.language[sizeof(call.language) - 1] = '\0';
	kh_lang_set(call.language);
	if (!code)
		code = refresh((enum kh_refresh_task)call.task, &answer);
	if (!code)
		code = say_done();
	return code < 0;
}
