/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources: lists that are fetched again and again. A source has a letter of its own, "source/NAME", whose orders are what it brought last;
 * this row keeps where it comes from, on what terms, and how the last refresh went. No secret: credentials are named by the path of a file.
 */
#ifndef KHIEN_LEDGER_SOURCES_H
#define KHIEN_LEDGER_SOURCES_H

#include "ledger/ledger.h"
#include "model/fetched.h"

#define KH_SOURCES_MAX 64
#define KH_SOURCE_NAME_BYTES 33 /* with NUL, as all of these */
#define KH_SOURCE_URL_BYTES 2048
#define KH_SOURCE_PATH_BYTES 512
#define KH_SOURCE_VALIDATOR_BYTES 1025
#define KH_SOURCE_TEXT_BYTES 768
#define KH_SOURCE_DIGEST_BYTES 65

/* Plain data, copied by assignment. Times are Unix seconds, 0: never. */
struct kh_source {
	int64_t id;
	char name[KH_SOURCE_NAME_BYTES];
	char url[KH_SOURCE_URL_BYTES];
	enum kh_fetch_kind kind; /* what stands there */
	enum kh_unmarked unmarked;
	char credentials[KH_SOURCE_PATH_BYTES], authority[KH_SOURCE_PATH_BYTES]; /* paths; "": none */
	char proxy[KH_FETCH_PROXY_BYTES]; /* http://..., socks5h://..., "none"; "": that of the configuration, if any */
	char proxy_credentials
		[KH_SOURCE_PATH_BYTES]; /* path; "": none, or with the proxy of the configuration its own */
	int64_t letter;
	int64_t every, ttl; /* seconds; ttl 0: what it brings has no deadline */
	int64_t bytes_max, entries_max;
	enum kh_action action;
	bool paused;
	int64_t checked; /* tried last */
	int64_t fetched; /* known to be current last */
	int64_t changed; /* brought something else last */
	int64_t until; /* deadline of what it brought; 0: none */
	int64_t count; /* values of the copy in force; -1: there is none yet */
	int64_t held; /* values of a copy that waits for a person; -1: none waits */
	int64_t failures; /* since it was current */
	char etag[KH_SOURCE_VALIDATOR_BYTES], last_modified[KH_SOURCE_VALIDATOR_BYTES]; /* of the copy in force */
	char digest[KH_SOURCE_DIGEST_BYTES]; /* SHA-256 of it, in hex */
	char problem[KH_SOURCE_TEXT_BYTES]; /* of the last try; "": none */
};

/* Writes all of it: a new row where the id is 0 (then it is filled), else that row. 0; -EEXIST: the name is taken; or -errno. */
int kh_ledger_source_put(struct kh_ledger *ledger, struct kh_source *source, struct kh_error *error);
/* 0 or -errno. What it brought stays. */
int kh_ledger_source_remove(struct kh_ledger *ledger, int64_t id, struct kh_error *error);
/* By name. callback returns 0 to go on, else that is returned. */
int kh_ledger_sources(struct kh_ledger *ledger, int (*callback)(const struct kh_source *, void *), void *context);
/* 1 and *ret_source; 0: there is none of that name; or -errno. */
int kh_ledger_source_find(struct kh_ledger *ledger, const char *name, struct kh_source *ret_source);

struct kh_order_terms {
	enum kh_order_state state;
	enum kh_action action;
	int64_t expires;
	bool by_person; /* last changed by a person, and not as a part of the whole source */
};
/* The terms of the order of this value in that letter, where it has a row of its own: 1; 0: there is none; or -errno. */
int kh_ledger_order_terms(struct kh_ledger *ledger, int64_t letter, const struct kh_indicator *indicator,
			  struct kh_order_terms *ret_terms);

#endif
