/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked of the program that fetches, and what it answers: plain structs, and their form as bytes between processes.
 * Written by the daemon, read by khien-refresh and khien-fetch; the answer goes the other way, and is checked where it is read.
 *
 *   khien-refresh has the daemon at the other end of a socket, its standard input. It gets one message: what to do, and the descriptors below. When it has
 *   written what it has to say, it sends one byte. The daemon closes the socket when nobody waits any more.
 *
 *   bytes: magic, then texts in the order of the struct, each a 32-bit length (host order) and its bytes; numbers are 64 bits.
 *   After a request stands the copy that is kept of a collection or feed, if there is one; after an answer, what was fetched.
 *   A text of an answer is printable and at most KH_FETCH_TEXT_MAX bytes.
 */
#ifndef KHIEN_MODEL_FETCHED_H
#define KHIEN_MODEL_FETCHED_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"

#define KH_FETCH_TEXT_MAX 1024 /* of an answer: a longer validator is not kept */
#define KH_FETCH_PROXY_BYTES 300 /* of the address of a proxy, with NUL */
#define KH_FETCH_SIGNATURE_MAX 8192 /* bytes of a file beside the content that signs it: URL.minisig */
#define KH_FETCH_REQUEST_MAX ((size_t)1 << 20) /* with the certificates of an authority */
#define KH_FETCH_INPUT_MAX (KH_FETCH_REQUEST_MAX + 4096 + ((size_t)64 << 20)) /* with the kept copy */

enum kh_refresh_task {
	KH_REFRESH_FETCH, /* fetches, and reads what came */
	KH_REFRESH_SIGNED, /* and fetches URL.minisig, for a file that is new; why it could not be is the answer's text */
	KH_REFRESH_READ, /* fetches nothing, reads what stands on KH_REFRESH_CONTENT */
};
struct kh_refresh_call { /* the message */
	char language[3]; /* "vi" "en" */
	uint8_t task; /* enum kh_refresh_task */
};
enum kh_refresh_fd { /* of memory; the daemon's */
		     KH_REFRESH_REQUEST, /* a request and the kept copy; read */
		     KH_REFRESH_ANSWER, /* an answer; written, as are the others */
		     KH_REFRESH_CONTENT, /* what was fetched */
		     KH_REFRESH_DOCUMENTS, /* the documents in it (model/wire.h) */
		     KH_REFRESH_SIGNATURE, /* what was fetched from URL.minisig; nothing where there is none */
		     KH_REFRESH_FDS,
};

/* What stands at the address of a source. Stored: never renumber. */
enum kh_fetch_kind {
	KH_FETCH_FILE, /* one file, whatever the reader reads */
	KH_FETCH_TAXII, /* a TAXII 2.1 collection, or the server that has it */
	KH_FETCH_MISP, /* a MISP feed: manifest.json and the events that it lists */
	KH_FETCH_KIND_COUNT,
};

/* What becomes of what its author does not mark as one to block (MISP: to_ids). Stored: never renumber. */
enum kh_unmarked {
	KH_UNMARKED_REVIEW, /* waits for review */
	KH_UNMARKED_TAKE, /* is taken like the others */
	KH_UNMARKED_SKIP, /* is left out */
	KH_UNMARKED_COUNT,
};

/* Texts may be NULL: not given. */
struct kh_fetch_request {
	char *name; /* of the source, for messages */
	char *url; /* http: or https:, without user and password */
	char *etag, *last_modified; /* of the copy that is there */
	char *user, *password; /* Basic */
	char *bearer;
	char *authority; /* certificates (PEM) to trust instead of the system's */
	char *proxy; /* http://HOST:PORT or socks5h://HOST:PORT */
	char *proxy_user, *proxy_password; /* for the proxy alone */
	int64_t bytes_max; /* of the content, unpacked */
	int64_t entries_max; /* values in it */
	enum kh_fetch_kind kind;
	enum kh_unmarked unmarked;
};

enum kh_fetch_result {
	KH_FETCH_NEW, /* there is content */
	KH_FETCH_SAME, /* the server says that the copy is current */
	KH_FETCH_FAILED, /* text tells why */
	KH_FETCH_RESULT_COUNT,
};

struct kh_fetch_answer {
	enum kh_fetch_result result;
	int64_t status; /* of HTTP; 0: there was none */
	char *text, *hint; /* why it failed, or what is missing in it though it did not, translated; else NULL */
	char *etag, *last_modified;
	int64_t bytes; /* of content */
	int64_t entries; /* values found in it, of all kinds; filled by khien-refresh */
};

void kh_fetch_request_clear(struct kh_fetch_request *request);
void kh_fetch_answer_clear(struct kh_fetch_answer *answer);

const char *kh_fetch_kind_name(enum kh_fetch_kind kind); /* "file" "taxii" "misp" */
const char *kh_unmarked_name(enum kh_unmarked unmarked); /* "review" "take" "skip" */
/* The value of that name, or -EINVAL. */
int kh_fetch_kind_find(const char *name);
int kh_unmarked_find(const char *name);

/* How long all of one fetch may take, in seconds: of a collection or feed, it is many requests. */
static inline unsigned int kh_fetch_seconds(enum kh_fetch_kind kind)
{
	return kind == KH_FETCH_FILE ? 180 : 420;
}

/* Append. 0 or -ENOMEM. */
int kh_fetch_request_write(const struct kh_fetch_request *request, struct kh_bytes *bytes);
int kh_fetch_answer_write(const struct kh_fetch_answer *answer, struct kh_bytes *bytes);

/* Read back what stands at the beginning; what follows it begins at *ret_rest. 0, -EINVAL or -ENOMEM; on failure *ret_* is unchanged. */
int kh_fetch_request_read(const void *data, size_t length, struct kh_fetch_request *ret_request, size_t *ret_rest);
int kh_fetch_answer_read(const void *data, size_t length, struct kh_fetch_answer *ret_answer, size_t *ret_rest);

#endif
