/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a source's server has now: a file, a TAXII 2.1 collection, or a MISP feed. A step before "read" of the first journey: fetch - read -
 * review - ledger.
 *
 * Runs in khien-fetch, behind the walls of the sandbox: no privilege, no file but the system's certificates and resolver settings, no
 * process. It keeps nothing. Of a file it reads nothing; of a collection or feed what it takes to ask for the rest of it.
 *
 *   fetch.c   which kind it is; a file is one request
 *   http.c    one request after the other to one server, under one budget of bytes and time
 *   say.c     what went wrong, in words
 *   copy.c    the copy that is kept of a collection or feed: read back, brought up to date, written
 *   taxii.c   collections: one page after the other      taxii_find.c   which collection
 *   misp.c    feeds: the manifest, and the events that have changed
 */
#ifndef KHIEN_FETCH_FETCH_H
#define KHIEN_FETCH_FETCH_H

#include "model/fetched.h"

/* `kept` are the bytes of the copy that was in force last, as this function made it then; none: length 0. It helps to ask for less, and never
 * decides what is in the answer: damaged, of another form, of another collection, it is as if there were none.
 *
 * Fills *ret_answer, and *ret_content when its result is KH_FETCH_NEW: always all of the list, never a difference. Whatever goes wrong is an answer, in
 * words: a certificate that is not trusted, a name or server that is not there, an answer cut off, too large, too slow, of another form. */
void kh_fetch(const struct kh_fetch_request *request, const void *kept, size_t length, struct kh_bytes *ret_content,
	      struct kh_fetch_answer *ret_answer);

#endif
