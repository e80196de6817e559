/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request over HTTP or HTTPS: what a source's server has now. A step before "read" of the first journey: fetch - read - review - ledger.
 *
 * Runs in khien-fetch, behind the walls of the sandbox: no privilege, no file but the system's certificates and resolver settings, no
 * process. It keeps nothing, and reads nothing of what comes. The server's certificate is always verified; there is no way to say otherwise.
 *
 * Limits: KH_FETCH_SECONDS for all of it, 20 seconds to connect, 30 seconds of (nearly) no progress, 5 redirects, never from https to http;
 * request->bytes_max of content after unpacking (gzip, deflate, what libcurl knows), so that a small answer cannot become a large one.
 * User, password and token go to the server that was named, by https only, and to no other one that it redirects to.
 */
#ifndef KHIEN_FETCH_FETCH_H
#define KHIEN_FETCH_FETCH_H

#include "model/fetched.h"

/* Fills *ret_answer, and *ret_content when its result is KH_FETCH_NEW. Whatever goes wrong is an answer, in words: a certificate that is not
 * trusted, a name or server that is not there, an answer cut off, too large, too slow, or one other than 200 and 304. */
void kh_fetch(const struct kh_fetch_request *request, struct kh_bytes *ret_content, struct kh_fetch_answer *ret_answer);

#endif
