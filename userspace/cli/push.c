// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien push FILE... and khien block VALUE...: a plan, a question, an act (plan.c).
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/letters.h"
#include "cli/plan.h"
#include "cli/render.h"
#include "common/file.h"
#include "common/lang.h"
#include "intake/intake.h"
#include "model/wire.h"

/* The files, then, of each, its documents: the daemon reads no foreign file. */
struct files {
	int fds[2 * KH_PROTO_MAX_FILES];
	size_t count;
};

static void close_files(struct files *files)
{
	while (files->count)
		close(files->fds[--files->count]);
}

static int open_all(const struct kh_cli *cli, char **names, size_t count, struct files *files)
{
	for (size_t i = 0; i < count; i++) {
		int fd = kh_input_open(names[i]);

		if (fd < 0) {
			kh_show_error(cli, kh_printf("%s: %s", kh_printable(names[i]), kh_errno_text(-fd)), NULL);
			return fd;
		}
		files->fds[files->count++] = fd;
	}
	return 0;
}

/* A descriptor of what stands in the file, or -errno with error. */
static int read_one(const char *name, int fd, struct kh_numbers *numbers, struct kh_error *error)
{
	struct kh_documents documents KH_CLEANUP(kh_documents_clear) = {};
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	int memory KH_CLEANUP(kh_closep) = memfd_create("khien-documents", MFD_CLOEXEC);
	int code = memory < 0 ? -errno : kh_intake_read(name, fd, &documents, error);

	if (code < 0)
		return memory < 0 ? kh_fail(error, code, "%s: %s", name, kh_errno_text(-code)) : code;
	for (size_t i = 0; i < documents.count && code >= 0; i++)
		code = kh_numbers_add(numbers, documents.list[i]);
	if (code >= 0)
		code = kh_wire_write_all(&documents, &bytes);
	if (code >= 0)
		code = kh_file_write_fd(memory, bytes.data, bytes.length);
	return code < 0 ? kh_fail(error, code, "%s: %s", name, kh_errno_text(-code)) : KH_TAKE_FD(memory);
}

static int read_all(const struct kh_cli *cli, char **names, size_t count, struct files *files,
		    struct kh_numbers *numbers)
{
	for (size_t i = 0; i < count; i++) {
		struct kh_error error = {};
		int fd = read_one(names[i], files->fds[i], numbers, &error);

		if (fd < 0) {
			kh_show_error(cli, kh_printable(error.text), error.hint[0] ? error.hint : NULL);
			return fd;
		}
		files->fds[files->count++] = fd;
	}
	return 0;
}

/* ---- Signatures ---------------------------------------------------------------------------------- */

#define SIGNATURE_ENDING ".minisig"

/* The text of a signature file; null where there is none to be expected. NULL: it cannot be read, which has been shown. */
static json_t *read_signature(const struct kh_cli *cli, const char *path, bool expected)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	size_t length;
	int code = kh_file_read(path, KH_PROTO_MAX_SIGNATURE, &text, &length);
	json_t *signature = code ? NULL : json_stringn(text, length);

	if (code == -ENOENT && !expected)
		return json_null();
	if (code == -EFBIG || (!code && !signature)) {
		kh_show_error(cli, kh_printf(_("%s: this is not a signature of minisign"), kh_printable(path)),
			      _("ask who sent the list for both files again, the list and the .minisig beside it"));
		return NULL;
	}
	if (code < 0)
		kh_show_error(cli, kh_printf("%s: %s", kh_printable(path), kh_errno_text(-code)), NULL);
	return signature;
}

/* What lies beside each file as FILE.minisig goes along; of a single one --signature may say where it is. */
static int add_signatures(const struct kh_cli *cli, json_t *request, int count, char **names)
{
	json_t *given KH_CLEANUP(kh_json_decrefp) = json_incref(json_object_get(request, ".signature")),
		      *all KH_CLEANUP(kh_json_decrefp) = json_array();
	bool any = false;

	json_object_del(request, ".signature");
	if (given && count != 1)
		return kh_usage_error(
			cli, _("--signature is for one FILE; of several, each has its own beside it: FILE.minisig"));
	for (int i = 0; i < count; i++) {
		char *path KH_CLEANUP(kh_freep) = NULL;
		bool beside = strcmp(names[i], "-") != 0;
		json_t *signature = json_null();

		if (asprintf(&path, "%s" SIGNATURE_ENDING, names[i]) < 0)
			return KH_EXIT_FAILED;
		if (given || beside)
			signature = read_signature(cli, given ? json_string_value(given) : path, given != NULL);
		if (!signature)
			return KH_EXIT_FAILED;
		any |= !json_is_null(signature);
		json_array_append_new(all, signature);
	}
	if (any)
		json_object_set(request, "signatures", all);
	return 0;
}

/* ---- The command --------------------------------------------------------------------------------- */

static int run_push(struct kh_cli *cli, json_t *request, int count, char **names)
{
	struct files files KH_CLEANUP(close_files) = {};
	struct kh_numbers numbers KH_CLEANUP(kh_numbers_clear) = {};
	const char *section = json_string_value(json_object_get(request, "accept_all_in"));
	int code = kh_letter_options(cli, request, "date", "issuer");

	if (code)
		return code;
	if (section && strcmp(section, "annex") && strcmp(section, "body") && strcmp(section, "list") &&
	    strcmp(section, "scan"))
		return kh_usage_error(cli, _("--accept-all-in takes annex, body, list or scan"));
	if (count > KH_PROTO_MAX_FILES)
		return kh_usage_error(cli, _("at most %d files at a time"), KH_PROTO_MAX_FILES);
	code = add_signatures(cli, request, count, names);
	if (code)
		return code;
	if (open_all(cli, names, (size_t)count, &files) < 0 ||
	    read_all(cli, names, (size_t)count, &files, &numbers) < 0)
		return KH_EXIT_FAILED;
	code = kh_numbers_ask(cli, request, &numbers);
	if (code)
		return code;
	kh_put_arguments(request, "files", count, names);
	return kh_plan_command(cli, request, files.fds, files.count);
}

static int run_block(struct kh_cli *cli, json_t *request, int count, char **values)
{
	kh_put_arguments(request, "values", count, values);
	return kh_plan_command(cli, request, NULL, 0);
}

static const struct kh_option push_options[] = {
	{ KH_OPTION_TEXT, "ref", "NUMBER", "ref",
	  N_("the letter's number, when the file does not say it or says it wrong") },
	{ KH_OPTION_TEXT, "date", "DATE", "date", N_("its date, likewise: 21/01/2023 or 2023-01-21") },
	{ KH_OPTION_TEXT, "issuer", "TEXT", "issuer", N_("who issued it, likewise") },
	{ KH_OPTION_DURATION, "ttl", "7d", "ttl", N_("ends by itself after 7 days (30m, 4h, 2w); else never") },
	{ KH_OPTION_FLAG, "monitor", NULL, "monitor", N_("count only, drop nothing") },
	{ KH_OPTION_TEXTS, "accept", "VALUE", "accept", N_("also enforce this value, which would wait for review") },
	{ KH_OPTION_TEXT, "accept-all-in", "SECTION", "accept_all_in",
	  N_("the same for all that waits in the annex, body or list, or was read from a picture in both ways (scan)") },
	{ KH_OPTION_TEXT, "signature", "FILE", ".signature",
	  N_("the signature (minisign) of the file; else FILE.minisig beside it, when it is there") },
	{ KH_OPTION_TEXT, "note", "TEXT", "note", N_("a note for the history") },
	KH_CONFIRM_OPTION,
	KH_PLAN_OPTIONS,
	{},
};

const struct kh_command kh_command_push = {
	.name = "push",
	.usage =
		"FILE... [--ref NUMBER] [--date DATE] [--issuer TEXT] [--ttl 7d] [--monitor] [--accept VALUE]... [--accept-all-in SECTION] [--signature FILE] [--note TEXT] [--confirm-within 5m] [--dry-run] [--yes]",
	.summary = N_("read letters or lists, show what they order, enforce it"),
	.help = N_(
		"FILE is whatever was sent: a letter (text, PDF, DOCX, ODT, a web page, mail, a scan), a table (XLSX, ODS, CSV), a list,\n"
		"STIX, MISP, an archive of these, or what \"khien read --json\" printed on another machine; - is standard input.\n"
		"Several files are one letter unless they carry different numbers; what an annex confirms of a scan is not asked about.\n"
		"A number that could not be read is asked for; without a terminal, say it with --ref."),
	.options = push_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_push,
};

static const struct kh_option block_options[] = {
	{ KH_OPTION_DURATION, "ttl", "4h", "ttl", N_("ends by itself after 4 hours (30m, 7d, 2w)") },
	{ KH_OPTION_TEXT, "ref", "NUMBER", "ref", N_("under this letter; then without deadline") },
	{ KH_OPTION_TEXT, "note", "TEXT", "note", N_("why") },
	{ KH_OPTION_FLAG, "monitor", NULL, "monitor", N_("count only, drop nothing") },
	KH_CONFIRM_OPTION,
	KH_PLAN_OPTIONS,
	{},
};

const struct kh_command kh_command_block = {
	.name = "block",
	.usage =
		"VALUE... [--ttl 24h] [--ref NUMBER] [--note TEXT] [--monitor] [--confirm-within 5m] [--dry-run] [--yes]",
	.summary = N_("block addresses by hand; without --ref for 24 hours"),
	.help = N_(
		"VALUE is 203.0.113.7, 203.0.113.0/24, 203.0.113.1-203.0.113.9, 203.0.113.7:443/tcp or [2001:db8::1]:443,\n"
		"also as letters write it: 203[.]0[.]113[.]7."),
	.options = block_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_block,
};
