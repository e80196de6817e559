/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the fetcher. Functions that fail return -errno with feed->answer filled: its result is then KH_FETCH_FAILED.
 */
#ifndef KHIEN_FETCH_PRIVATE_H
#define KHIEN_FETCH_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>

#include "fetch/fetch.h"

/* One refresh. */
struct kh_feed {
	const struct kh_fetch_request *request;
	const void *kept; /* the copy of the last one; borrowed */
	size_t kept_length;
	struct kh_bytes *content; /* what the answer brings */
	struct kh_fetch_answer *answer;
	struct kh_http *http;
};

/* A kind of source: fills feed->content and feed->answer. */
typedef void (*kh_feed_fetch)(struct kh_feed *feed);
void kh_fetch_taxii(struct kh_feed *feed);
void kh_fetch_misp(struct kh_feed *feed);

/* ---- say.c ------------------------------------------------------------------------------------------- */

/* The answer is a failure, with this text; returns code. hint: NULL or what to do next. */
int kh_feed_fail(struct kh_feed *feed, int code, const char *hint, const char *format, ...) KH_PRINTF(4, 5);
/* It is no failure: the answer is without a text again. */
void kh_feed_forgive(struct kh_feed *feed);
/* No failure, but less than all: the answer says what is missing. */
void kh_feed_remark(struct kh_feed *feed, const char *format, ...) KH_PRINTF(2, 3);

/* ---- http.c ------------------------------------------------------------------------------------------ */

#define KH_HTTP_URL_BYTES 4096

/*
 * The connection to a server, kept over all requests of one refresh.
 *
 * Limits: kh_fetch_seconds() for all of it, 20 seconds to connect, 30 seconds of (nearly) no progress, 5 redirects, never from https to http;
 * KH_HTTP_TIMES times request->bytes_max of content in all, after unpacking (gzip, deflate, what libcurl knows), so that a small answer cannot
 * become a large one: of a collection or feed most of what comes is not kept.
 *
 * The server's certificate is always verified, through a proxy too; there is no way to say otherwise. User, password and token go by https
 * only, to scheme, host and port of the source's own address and no other, be it by a redirect or by what the server says; those of the
 * proxy to the proxy only.
 */
struct kh_http;
#define KH_HTTP_TIMES(kind) ((kind) == KH_FETCH_FILE ? 1 : 4)

struct kh_http_ask {
	const char *url;
	const char *accept; /* NULL: whatever there is */
	const char *etag, *last_modified; /* of the copy that is there; NULL: none */
};

struct kh_http_reply {
	long status; /* 200, or 304 where ask named a copy; after a failure any, 0: there was none */
	struct kh_bytes content;
	char *etag, *last_modified; /* NULL: none, or not fit to be kept */
	char *type; /* Content-Type */
	char *added_last; /* X-TAXII-Date-Added-Last */
};

int kh_http_open(struct kh_feed *feed); /* feed->http */
void kh_http_close(struct kh_http *http); /* takes NULL */
/* Another status than those of struct kh_http_reply is -EPROTO. *ret_reply is to be cleared in any case. */
int kh_http_get(struct kh_feed *feed, const struct kh_http_ask *ask, struct kh_http_reply *ret_reply);
void kh_http_reply_clear(struct kh_http_reply *reply);

/* ---- copy.c ------------------------------------------------------------------------------------------ */

/*
 * What is kept of a collection or feed, and what the reader gets: JSON with one item a line, so that it is read back without all of it
 * as a tree in memory.
 *
 *   {HEAD,"x_khien":{"form":1, ... },"LIST":[
 *   {item},
 *   {item}
 *   ]}
 */
struct kh_copy_item {
	char *id; /* what it is told apart by */
	char *version; /* as text; what is newer: kh_time_compare() */
	char *text; /* JSON, no newline */
	size_t number; /* in the order in which they were added */
	bool ended; /* its author took it back: it counts as a version, and is not written */
};

struct kh_copy {
	struct kh_copy_item *items;
	size_t count, capacity;
	size_t bytes; /* of all texts */
};

/* The state and the items of the kept copy, named by `name` (false: the line is of no use, and neither is the copy). 1; 0: there is none that
 * can be used, *ret_state is NULL and *copy empty; or -ENOMEM. */
int kh_copy_read(const struct kh_feed *feed, bool (*name)(const json_t *item, const char **id, const char **version),
		 json_t **ret_state, struct kh_copy *copy);
/* Adds an item as JSON. Ids are at most KH_FETCH_TEXT_MAX bytes. 0 or -errno: more items or bytes than the request allows. */
int kh_copy_add(struct kh_feed *feed, struct kh_copy *copy, const char *id, const char *version, const json_t *item,
		bool ended);
/* Adds one of another copy. */
int kh_copy_keep(struct kh_feed *feed, struct kh_copy *copy, const struct kh_copy_item *item);
/* Of several items with one id the newest stays, of those alike the one added last, none that has ended. In order of ids. */
void kh_copy_settle(struct kh_copy *copy);
/* head: members before the state, as JSON with a comma after it, or "". Writes nothing for no items: an empty list is an empty file. 0 or -errno. */
int kh_copy_write(struct kh_feed *feed, const struct kh_copy *copy, const char *head, json_t *state, const char *list,
		  struct kh_bytes *ret_content);
void kh_copy_clear(struct kh_copy *copy);

/* What the server said, as JSON: an object, or -EPROTO with `what` in the message. */
int kh_feed_json(struct kh_feed *feed, const char *url, const struct kh_bytes *content, const char *what,
		 json_t **ret_object);
static inline void kh_json_freep(json_t **json)
{
	json_decref(*json);
}
const char *kh_json_string(const json_t *object, const char *name); /* "" when there is none */

/* ---- taxii_find.c ------------------------------------------------------------------------------------ */

#define KH_TAXII_ACCEPT "application/taxii+json;version=2.1"

/* The address of the objects of the collection that the source means: its own where that names one, else of the only one that may be read. 0;
 * or -errno: none, or several, which the message lists. */
int kh_taxii_find(struct kh_feed *feed, char ret_url[static KH_HTTP_URL_BYTES]);
/* One document of the server, as JSON; *ret_reply may be NULL. */
int kh_taxii_get(struct kh_feed *feed, const char *url, json_t **ret_object, struct kh_http_reply *ret_reply);

#endif
