// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien-parse and its answer. It is looked for beside this program, where a build has it, and then where it is installed.
 */
#include "intake/intake.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "model/wire.h"
#include "sandbox/sandbox.h"

#define PROGRAM "khien-parse"
/* For 64 MB of the worst: a document of very many short values, and it once more as bytes. */
#define MEMORY_MAX ((size_t)4 << 30)
#define ANSWER_MAX ((size_t)1 << 30)

static void find_program(char ret_path[static PATH_MAX])
{
	char self[PATH_MAX] = "";
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = length > 0 ? strrchr(self, '/') : NULL;

	if (slash) {
		*slash = '\0';
		if (snprintf(ret_path, PATH_MAX, "%s/" PROGRAM, self) < PATH_MAX && !access(ret_path, X_OK))
			return;
	}
	snprintf(ret_path, PATH_MAX, KH_PREFIX "/libexec/khien/" PROGRAM);
}

/* The sandbox knows no document: its errors get the file's name. */
static int fail_sandbox(const char *file, int code, const struct kh_error *why, struct kh_error *error)
{
	kh_fail(error, code, "%s: %s", file, why->text);
	if (code == -ENOENT)
		kh_hint(error, _("install the package khien again, whole"));
	else
		kh_hint(error, _("look at the file on another machine before you trust it"));
	return code;
}

int kh_intake_read(const char *file, int fd, struct kh_document **ret_document, struct kh_error *error)
{
	char program[PATH_MAX], *name KH_CLEANUP(kh_freep) = strdup(file);
	const char *const words[] = { PROGRAM, name, kh_lang_get(), kh_lang_folder(), NULL };
	const char *const readable[] = { kh_lang_folder(), NULL };
	const struct kh_sandbox sandbox = { .program = program,
					    .arguments = words,
					    .readable = readable,
					    .input = fd,
					    .output_max = ANSWER_MAX,
					    .memory_max = MEMORY_MAX,
					    .seconds_max = KH_INTAKE_SECONDS };
	struct kh_sandbox_result result KH_CLEANUP(kh_sandbox_result_clear) = {};
	struct kh_document *document KH_CLEANUP(kh_document_freep) = NULL;
	struct kh_error why = {};
	int code;

	if (!name)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	kh_text_printable(name);
	find_program(program);
	code = kh_sandbox_run(&sandbox, &result, &why);
	if (!code && result.status) {
		code = -EPROTO;
		kh_fail(&why, code, "%s: %s", PROGRAM, result.complaint);
	}
	if (code)
		return fail_sandbox(file, code, &why, error);
	code = kh_wire_read(result.output.data, result.output.length, &document, error);
	if (code < 0)
		return code;
	free(document->file); /* any bytes may be a file's name */
	document->file = strdup(file);
	if (!document->file)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	*ret_document = KH_TAKE(document);
	return 0;
}
