// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The number, date and issuer of a letter, as a person says them (letters.h). A letter is found again by its number, so one that could not be read is
 * asked for: --yes answers what can be answered with yes, and this cannot.
 */
#include "cli/letters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/render.h"
#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"

#ifndef KH_SYSCONFDIR
#define KH_SYSCONFDIR "/etc"
#endif
#define ISSUERS_DEFAULT KH_SYSCONFDIR "/khien/issuers.d"
#define ISSUERS_ENV "KHIEN_ISSUERS"
#define NUMBER_BYTES 160
#define ISSUER_BYTES 300
#define TRIES 3

/* ---- Options ------------------------------------------------------------------------------------ */

int kh_letter_options(const struct kh_cli *cli, json_t *request, const char *date, const char *issuer)
{
	const char *day = json_string_value(json_object_get(request, date)),
		   *name = json_string_value(json_object_get(request, issuer));
	char iso[KH_DATE_TEXT];

	if (day && kh_date_parse(day, iso) < 0)
		return kh_usage_error(cli, _("\"%s\" is not a date; write 21/01/2023 or 2023-01-21"), day);
	if (day)
		json_object_set_new(request, date, json_string(iso));
	if (name && (!name[strspn(name, " ")] || strlen(name) >= ISSUER_BYTES))
		return kh_usage_error(cli, _("--issuer takes the name of an agency, of 1 to %d bytes"),
				      ISSUER_BYTES - 1);
	return 0;
}

/* ---- Issuers ------------------------------------------------------------------------------------ */

struct loading {
	struct kh_issuers *issuers;
	const char *folder;
	json_t *notes;
};

static int load_file(const char *name, int code, const char *data, size_t length, void *context)
{
	struct loading *loading = context;
	struct kh_error error = {};

	if (code >= 0)
		code = kh_issuers_add(loading->issuers, name, data, length, &error);
	else
		kh_fail(&error, code, "%s: %s", name, kh_errno_text(-code));
	if (code < 0)
		json_array_append_new(loading->notes,
				      json_string(kh_printf(_("issuers not taken: %s/%s"),
							    kh_printable(loading->folder), kh_printable(error.text))));
	return 0;
}

struct kh_issuers *kh_letter_issuers(const char *folder, json_t *notes)
{
	const char *named = folder ? folder : getenv(ISSUERS_ENV);
	struct loading loading = { .issuers = kh_issuers_new(),
				   .folder = named && named[0] ? named : ISSUERS_DEFAULT,
				   .notes = notes };
	int code = 0;

	if (loading.issuers)
		code = kh_folder_read(loading.folder, KH_ISSUERS_ENDING, KH_ISSUERS_FILE_BYTES, load_file, &loading);
	if (code < 0 && (code != -ENOENT || loading.folder == named))
		json_array_append_new(notes,
				      json_string(kh_printf(_("issuers not taken: %s: %s"),
							    kh_printable(loading.folder), kh_errno_text(-code))));
	return loading.issuers;
}

/* ---- A number that could not be read ------------------------------------------------------------ */

int kh_numbers_add(struct kh_numbers *numbers, const struct kh_document *document)
{
	const struct kh_letter *letter = &document->letter;

	if (letter->number && !letter->doubtful)
		numbers->known = true;
	else if (!letter->headed || (numbers->file && numbers->guess))
		return 0;
	else if (!numbers->file || letter->number) {
		free(numbers->file);
		numbers->file = strdup(document->file);
		numbers->guess = letter->number ? strdup(letter->number) : NULL;
		if (!numbers->file || (letter->number && !numbers->guess))
			return -ENOMEM;
	}
	return 0;
}

void kh_numbers_clear(struct kh_numbers *numbers)
{
	free(numbers->file);
	free(numbers->guess);
	*numbers = (struct kh_numbers){};
}

/* The line typed, without blanks at its ends; NULL: the end of it. */
static const char *read_answer(char line[static NUMBER_BYTES])
{
	char *start, *end;

	if (!fgets(line, NUMBER_BYTES, stdin))
		return NULL;
	start = line + strspn(line, " \t\r\n");
	end = start + strlen(start);
	while (end > start && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	return start;
}

static int ask(json_t *request, const struct kh_numbers *numbers)
{
	char line[NUMBER_BYTES];
	const char *answer = "";

	kh_say(numbers->guess ? _("%s: the number of the letter could not be read for sure.\n")
			      : _("%s: the number of the letter could not be read.\n"),
	       kh_printable(numbers->file));
	for (int i = 0; i < TRIES && answer && !*answer; i++) {
		if (numbers->guess)
			kh_say(_("Number of the letter [%s]: "), kh_printable(numbers->guess));
		else
			kh_say(_("Number of the letter: "));
		fflush(stdout);
		answer = read_answer(line);
		if (answer && !*answer && numbers->guess)
			answer = numbers->guess;
	}
	if (answer && *answer && kh_utf8_check(answer, strlen(answer)) == strlen(answer)) {
		json_object_set_new(request, "ref", json_string(answer));
		return 0;
	}
	kh_say("%s%s", answer ? "" : "\n", _("Nothing was changed.\n"));
	return KH_EXIT_FAILED;
}

int kh_numbers_ask(const struct kh_cli *cli, json_t *request, const struct kh_numbers *numbers)
{
	const char *ref = json_string_value(json_object_get(request, "ref")), *file;

	if (numbers->known || !numbers->file || (ref && *ref))
		return 0;
	if (isatty(STDIN_FILENO) && !cli->json)
		return ask(request, numbers);
	file = strcmp(numbers->file, "-") != 0 ? kh_printable(numbers->file) : _("standard input");
	kh_show_error(
		cli,
		numbers->guess
			? kh_printf(_("%s: the number of the letter could not be read for sure (%s?), and there is "
				      "no terminal to ask on"),
				    file, kh_printable(numbers->guess))
			: kh_printf(_("%s: the number of the letter could not be read, and there is no "
				      "terminal to ask on"),
				    file),
		_("say it: --ref NUMBER"));
	return KH_EXIT_USAGE;
}

/* ---- Vulnerabilities ---------------------------------------------------------------------------- */

static const char *level_text(const char *name)
{
	static const char *const texts[] = { [KH_LEVEL_LOW] = N_("low"),
					     [KH_LEVEL_MEDIUM] = N_("medium"),
					     [KH_LEVEL_HIGH] = N_("high"),
					     [KH_LEVEL_CRITICAL] = N_("critical") };
	enum kh_level level = kh_level_from_name(name);

	return level ? _(texts[level]) : "";
}

const char *kh_cve_text(const json_t *row)
{
	const char *level = level_text(kh_text_of(row, "severity")), *cve = kh_text_of(row, "cve");
	double score = json_number_value(json_object_get(row, "cvss"));

	if (score > 0)
		return kh_printf("%s (%.1f%s%s)", cve, score, *level ? ", " : "", level);
	return *level ? kh_printf("%s (%s)", cve, level) : cve;
}

const char *kh_cves_of(const json_t *object, size_t most)
{
	const json_t *rows = json_object_get(object, "vulnerabilities");
	json_t *texts KH_CLEANUP(kh_json_decrefp) = json_array();

	if (!json_array_size(rows))
		return kh_joined(json_object_get(object, "cves"), most);
	for (size_t i = 0; i < json_array_size(rows); i++)
		json_array_append_new(texts, json_string(kh_cve_text(json_array_get(rows, i))));
	return kh_joined(texts, most);
}
