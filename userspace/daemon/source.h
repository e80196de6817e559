/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources that refresh themselves: the way of an order (fetch - read - review - ledger - compile - install - verify) without a person who pushes.
 *
 *   sources.c      what people ask: add, list, show, refresh, pause, resume, promote, remove
 *   source_terms.c what a new one may be, and when it is due      proxy.c   and its proxy
 *   refreshing.c   every second, and what becomes of an answer: failed, current, new, or waiting for a person
 *   fetching.c     the program that fetches and reads, khien-refresh: called, waited for without waiting, let go
 *   secrets.c      user, password and token, from files for root alone
 *   kept.c         the copy in force of a collection or feed, so that the next refresh need not bring all of it
 *   replace.c      what a new copy no longer holds is withdrawn
 *
 * Contract. One refresh at a time, in another process; the loop of the daemon never waits for a stranger. What it brings goes the way of
 * a push (plan.c: the guard judges every value) under the letter "source/NAME", as one change by "source NAME", and replaces what the copy
 * before brought. Until then, and whatever goes wrong, the copy before stays in force. A copy that is the same is no change.
 *
 * A copy with half as many values or fewer, twice as many or more (and ten at least between them), or none, waits for a person: `khien source
 * refresh NAME --accept`. So does nothing else: a source's terms were a person's decision when it was added.
 *
 * What a person decided about a single value (unblock, monitor, reject ...) stays decided, whatever the source brings.
 *
 * A source that fails is tried again after 1, 2, 4 ... minutes, at most after its time. Times are wall-clock; a clock set back makes it due.
 */
#ifndef KHIEN_DAEMON_SOURCE_H
#define KHIEN_DAEMON_SOURCE_H

#include "daemon/private.h"
#include "ledger/sources.h"
#include "model/fetched.h"

#define KH_SOURCE_EVERY_MIN 300 /* seconds: no server is asked more often */
#define KH_SOURCE_EVERY_MAX (30 * 86400)
#define KH_SOURCE_TTL_MAX (366 * 86400)
#define KH_SOURCE_BYTES_MAX ((int64_t)64 << 20) /* what the reader takes */
#define KH_SOURCE_ENTRIES_MAX 2000000
#define KH_SOURCE_NO_PROXY "none"
#define KH_SOURCE_APART 10 /* values: smaller lists may double */
#define KH_SOURCE_PATIENCE 630 /* seconds; khien-refresh gives up before */

/* One refresh that runs. */
struct kh_fetching {
	char source[KH_SOURCE_NAME_BYTES];
	bool runs; /* else it has ended, or there was none */
	int socket; /* to khien-refresh, which ends when it is closed */
	int answer, content, documents, signature; /* memory that it writes */
	int64_t since;
	bool accept; /* a person has said that its size is right */
	bool confirmed; /* at a terminal, and so that it may be enforced without a signature (trust.h) */
};

struct kh_asked {
	char source[KH_SOURCE_NAME_BYTES];
	bool accept, confirmed;
};

struct kh_sources {
	int fetched; /* epoll: what khien-refresh says */
	struct kh_fetching fetching;
	struct kh_asked asked[KH_SOURCES_MAX];
	size_t asked_count;
};

/* fetching.c */
/* Calls khien-refresh where the core says that it listens, or starts one. `asked`: by a person, or zeroes. 0; or -errno with error: nothing runs. */
int kh_fetching_start(struct kh_core *core, const struct kh_source *source, const struct kh_asked *asked,
		      struct kh_error *error);
/* The same to read without fetching: these bytes, which are copied and sealed, under this name. Its documents are on `documents` when it has ended. 0; or -errno
 * with error: nothing runs. */
int kh_fetching_read(struct kh_core *core, struct kh_fetching *fetching, const char *name, const void *data,
		     size_t length, struct kh_error *error);
/* Does it matter for this source who signed its copies? */
bool kh_source_takes_trust(const struct kh_core *core, const struct kh_source *source);
/* Is it to be fetched whole, though it may be the same: so that its deadline can move by what is signed? */
bool kh_source_is_ageing(const struct kh_source *source);
/* 1: it has ended, and *ret_answer says how (a program that broke off is a failure too); 0: it runs. Never waits. */
int kh_fetching_poll(struct kh_fetching *fetching, struct kh_fetch_answer *ret_answer);
void kh_fetching_end(struct kh_fetching *fetching); /* ends it when it runs, and lets go of what it wrote */

/* secrets.c */
/* Reads "user = NAME" and "password = TEXT", or "token = TEXT", which are malloc'ed; they are in no message, not even a wrong line. The file is root's and
 * nobody else may read it. bearer NULL: a token is an error. 0, or -errno with error; then what was read is in the outputs, for the caller to clear. */
int kh_secrets_read(const char *path, char **user, char **password, char **bearer, struct kh_error *error);

/* kept.c */
/* Keeps what is in force now: the bytes of which source->digest is the SHA-256. Nothing for a file. A failure is logged. */
void kh_kept_write(const struct kh_core *core, const struct kh_source *source, int content);
/* Appends the copy to a request when there is one and it is that of source->digest. 0 or -errno. */
int kh_kept_append(const struct kh_core *core, const struct kh_source *source, int request);
void kh_kept_remove(const struct kh_core *core, const char *name);

/* refreshing.c */
int kh_sources_open(struct kh_core *core, struct kh_error *error); /* 0 or -errno */
void kh_sources_tick(struct kh_core *core);
void kh_sources_close(struct kh_core *core); /* also of one that was not opened */
/* Puts the row under a change of its own. 0 or -errno. */
int kh_source_write(struct kh_core *core, struct kh_source *source, struct kh_error *error);

/* source_terms.c: 0; or -EINVAL with error, which shows nothing secret. */
int kh_source_take(json_t *body, struct kh_source *ret_source, struct kh_error *error);
int64_t kh_source_due(const struct kh_source *source); /* when; 0: now */
/* Is it failing for longer than is usual, or without any copy? */
bool kh_source_stale(const struct kh_source *source, int64_t now);

/* replace.c */
struct kh_plan;
/* Under the running change: withdraws what the letter orders and the plan does not hold, and gives its lists the plan's deadline. How many
 * orders were touched, or -errno. */
int64_t kh_plan_replace(const struct kh_request *request, const struct kh_plan *plan, struct kh_error *error);

#endif
