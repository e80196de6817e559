// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which way a file goes, and the way of the files in it. khien-parse is looked for beside this program, where a build has it, and then where
 * it is installed.
 */
#include "intake/intake.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "intake/private.h"
#include "model/wire.h"
#include "sandbox/sandbox.h"

#define PROGRAM "khien-parse"
#define DOCUMENTS "khien-parse-documents" /* which may take its place */
/* For 64 MB of the worst: a document of very many short values, and it once more as bytes. */
#define MEMORY_MAX ((size_t)4 << 30)
#define ANSWER_MAX ((size_t)1 << 30)
#define LOOK_BYTES 1024

/* ---- Programs -------------------------------------------------------------------------------------- */

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

int kh_parse(const char *file, const char *format, int fd, struct kh_document **ret_document, struct kh_error *error)
{
	char program[PATH_MAX], documents[PATH_MAX], *name KH_CLEANUP(kh_freep) = strdup(file);
	const char *const words[] = { PROGRAM, name, kh_lang_get(), kh_lang_folder(), format, NULL };
	const char *const readable[] = { kh_lang_folder(), documents, NULL };
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
	kh_program_find(PROGRAM, program);
	kh_program_find(DOCUMENTS, documents);
	code = kh_sandbox_run(&sandbox, &result, &why);
	if (!code && result.status) {
		code = -EPROTO;
		kh_fail(&why, code, "%s: %s", PROGRAM, result.complaint);
	}
	if (code)
		return fail_sandbox(file, code, &why, error);
	code = kh_wire_read(result.output.data, result.output.length, &document, &why);
	kh_bytes_clear(&result.output); /* a list of a million is 12 MB, as bytes and as document */
	if (code == -EINVAL && !why.hint[0]) /* not what the reader says: the answer itself makes no sense */
		return fail_sandbox(file, code, &why, error);
	if (code < 0) {
		if (error)
			*error = why;
		return code;
	}
	free(document->file); /* any bytes may be a file's name */
	document->file = strdup(file);
	if (!document->file)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	kh_document_date(document, time(NULL));
	*ret_document = KH_TAKE(document);
	return 0;
}

int kh_run(const char *const *words, int input, size_t output_max, struct kh_bytes *ret_output, struct kh_error *error)
{
	char program[PATH_MAX];
	const struct kh_sandbox sandbox = { .program = program,
					    .arguments = words,
					    .input = input,
					    .output_max = output_max,
					    .memory_max = MEMORY_MAX,
					    .seconds_max = KH_INTAKE_SECONDS };
	struct kh_sandbox_result result KH_CLEANUP(kh_sandbox_result_clear) = {};
	int code;

	snprintf(program, sizeof(program), "/usr/bin/%s", words[0]);
	if (access(program, X_OK) < 0)
		return kh_fail(error, -ENOPKG, _("%s is not installed"), words[0]);
	code = kh_sandbox_run(&sandbox, &result, error);
	if (code)
		return code;
	if (result.status)
		return kh_fail(error, -EPROTO, "%s: %s", words[0], result.complaint);
	*ret_output = result.output;
	result.output = (struct kh_bytes){};
	return 0;
}

int kh_memory_file(const void *data, size_t length)
{
	int fd KH_CLEANUP(kh_closep) = memfd_create("khien-part", MFD_CLOEXEC);
	int code = fd < 0 ? -errno : kh_file_write_fd(fd, data, length);

	return code < 0 ? code : KH_TAKE_FD(fd);
}

/* ---- Files and files in them ------------------------------------------------------------------------ */

struct walk {
	struct kh_documents *documents;
	size_t files, bytes; /* in the file */
};

/* Is it a picture that tesseract reads? */
static bool is_picture(const char *data, size_t length)
{
	static const struct {
		const char *bytes;
		size_t length;
	} marks[] = { { "\x89PNG\r\n", 6 }, { "\xff\xd8\xff", 3 }, { "II*\0", 4 }, { "MM\0*", 4 } };

	for (size_t i = 0; i < KH_ARRAY_SIZE(marks); i++)
		if (length >= marks[i].length && !memcmp(data, marks[i].bytes, marks[i].length))
			return true;
	return false;
}

static int read_parts(struct walk *walk, struct kh_document *document, int depth, struct kh_error *error);

static int read_one(struct walk *walk, const char *file, int fd, int depth, struct kh_error *error)
{
	struct kh_document *document = NULL;
	char look[LOOK_BYTES];
	ssize_t length = pread(fd, look, sizeof(look), 0);
	int code;

	if (length < 0)
		return kh_fail(error, -errno, "%s: %s", file, strerror(errno));
	if (memmem(look, (size_t)length, "%PDF-", 5)) /* readers of PDF take it there, too */
		return kh_pdf_read(file, fd, walk->documents, error);
	if (is_picture(look, (size_t)length))
		return kh_picture_read(file, fd, walk->documents, error);
	code = kh_parse(file, NULL, fd, &document, error);
	if (code < 0)
		return code;
	if (kh_documents_add(walk->documents, document) < 0)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	return read_parts(walk, document, depth, error);
}

/* A note of the document that the part is of. 0 or -ENOMEM. */
static int note_part(struct kh_document *document, const struct kh_error *why)
{
	char *note KH_CLEANUP(kh_freep) = NULL;

	if (asprintf(&note, why->hint[0] ? _("not read: %s (%s)") : _("not read: %s"), why->text, why->hint) < 0)
		return -ENOMEM;
	kh_text_printable(note);
	return kh_document_note(document, note);
}

static int read_part(struct walk *walk, const char *name, const struct kh_part *part, int depth, struct kh_error *error)
{
	int fd KH_CLEANUP(kh_closep) = -1;

	walk->files++;
	walk->bytes += part->length;
	if (depth >= KH_INTAKE_DEPTH_MAX || walk->files > KH_INTAKE_FILES_MAX || walk->bytes > KH_INTAKE_BYTES_MAX) {
		kh_fail(error, -EFBIG, _("%s: too many files in files"), name);
		return kh_hint(error, _("unpack it and read the files in it")), -EFBIG;
	}
	fd = kh_memory_file(part->data, part->length);
	if (fd < 0)
		return kh_fail(error, fd, "%s: %s", name, strerror(-fd));
	return read_one(walk, name, fd, depth + 1, error);
}

/* Each part is let go of as soon as it is read. */
static int read_parts(struct walk *walk, struct kh_document *document, int depth, struct kh_error *error)
{
	struct kh_part *parts KH_CLEANUP(kh_freep) = KH_TAKE(document->parts);
	size_t count = document->parts_count;
	int code = 0;

	document->parts_count = 0;
	for (size_t i = 0; i < count; i++) {
		char *name KH_CLEANUP(kh_freep) = NULL;
		struct kh_error why = {};

		if (!code && asprintf(&name, "%s/%s", document->file, parts[i].name) < 0)
			code = -ENOMEM;
		if (!code && read_part(walk, name, &parts[i], depth, &why) < 0)
			code = note_part(document, &why);
		kh_part_clear(&parts[i]);
	}
	return code ? kh_fail(error, code, _("out of memory")) : 0;
}

int kh_intake_read(const char *file, int fd, struct kh_documents *documents, struct kh_error *error)
{
	struct walk walk = { .documents = documents };
	size_t before = documents->count;
	int code = read_one(&walk, file, fd, 0, error);

	while (code < 0 && documents->count > before)
		kh_document_free(documents->list[--documents->count]);
	return code;
}
