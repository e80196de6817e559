/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who issues letters: files (rules/issuers.d) that lead from the code in a letter's number and from the names in its head to one name of the
 * issuer. Agencies are renamed, merged and moved, and each province has codes of its own: so they stand in files, not here. Pure, no files
 * are opened here.
 */
#ifndef KHIEN_READER_ISSUERS_H
#define KHIEN_READER_ISSUERS_H

#include <stddef.h>

#include "common/error.h"
#include "model/document.h"

#define KH_ISSUERS_ENDING ".list" /* of the files in a folder of them */
#define KH_ISSUERS_FILE_BYTES ((size_t)1 << 20) /* of one file, at most */
#define KH_ISSUERS_KEYS_MAX ((size_t)4096)

struct kh_issuers;

struct kh_issuers *kh_issuers_new(void); /* NULL: out of memory */
void kh_issuers_free(struct kh_issuers *issuers); /* takes NULL */
static inline void kh_issuers_freep(struct kh_issuers **issuers)
{
	kh_issuers_free(*issuers);
}

/* Adds a file, all of it or nothing; `name` is for messages. What it says of a code or name replaces what the files before it said: files are given
 * in the order of their names. 0; -EINVAL with error ("NAME:LINE: ...") and hint; -ENOMEM. */
int kh_issuers_add(struct kh_issuers *issuers, const char *name, const char *data, size_t length,
		   struct kh_error *error);

/* Puts the issuer's own name into the letter: by the name in its head, in whatever form, or where that says nothing, by the code in its number. An issuer
 * that is not known stays as it was read. 0 or -ENOMEM. */
int kh_issuers_name(const struct kh_issuers *issuers, struct kh_letter *letter);

#endif
