/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person says of a letter, or is asked about it: its number, date and issuer.
 */
#ifndef KHIEN_CLI_LETTERS_H
#define KHIEN_CLI_LETTERS_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/cli.h"
#include "model/document.h"
#include "reader/issuers.h"

/* --ref, --date and --issuer, under these names in the request ("date", or ".date" when they are not for the daemon). The date becomes "2023-01-21". 0, or the
 * exit code: one of them is wrong, and that was said. */
int kh_letter_options(const struct kh_cli *cli, json_t *request, const char *date, const char *issuer);

/* The issuers of the folder (NULL: where the package has them). What cannot be used is added to the notes; of a folder that was not named and is not there
 * nothing is said. NULL: out of memory. */
struct kh_issuers *kh_letter_issuers(const char *folder, json_t *notes);

/* What is known of the numbers of the files of one push. Begins all zero. */
struct kh_numbers {
	bool known; /* some file carries one for sure */
	char *file; /* the first that is a letter and carries none for sure; NULL: there is none */
	char *guess; /* what was read there; NULL: nothing */
};
int kh_numbers_add(struct kh_numbers *numbers, const struct kh_document *document); /* 0 or -ENOMEM */
void kh_numbers_clear(struct kh_numbers *numbers);
/* Asks for the number where one is needed, into the request as "ref". 0, or the exit code: there is nobody to ask, or no answer; that was said. */
int kh_numbers_ask(const struct kh_cli *cli, json_t *request, const struct kh_numbers *numbers);

/* "CVE-2022-21990 (8.8, high)": a row of "vulnerabilities". */
const char *kh_cve_text(const json_t *row);
/* "CVE-2022-21990 (8.8, high), ...": of a document or letter, at most `most`, then how many more. "": it names none. */
const char *kh_cves_of(const json_t *object, size_t most);

#endif
