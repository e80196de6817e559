/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Altering orders that exist: finds those that a request means, by value or letter, edits each, writes them under one change, applies,
 * and answers with what was altered. What is edited, and how, is the caller's (decide.c).
 */
#ifndef KHIEN_DAEMON_ALTER_H
#define KHIEN_DAEMON_ALTER_H

#include "daemon/impact.h"

struct kh_kept;
struct kh_kept_list;

struct kh_alter {
	const struct kh_request *request;
	struct kh_change change;
	struct kh_error error;
	json_t *rows;
	int64_t letter; /* 0: any */
	int64_t touched, partly;
	int64_t expires; /* extend */
	struct kh_kept *kept;
	size_t kept_count, kept_capacity;
	struct kh_kept_list *lists;
	size_t lists_count, lists_capacity;
	struct kh_spared spared;
	int (*edit)(struct kh_alter *alter, struct kh_order_row *row); /* 1 write it, 0 leave it */
};

/* `names`: member of the request that lists the targets. values_only: a REF is not a target. Returns the reply. */
json_t *kh_alter_all(struct kh_alter *alter, const char *kind, const char *names, bool values_only);
/* All orders of alter->letter. Returns the reply. */
json_t *kh_alter_letter(struct kh_alter *alter, const char *kind);
/* The single orders of that letter, not its lists, under the running change. 0, or -errno with alter->error. */
int kh_alter_rows(struct kh_alter *alter, int64_t letter);
/* The letter named by "ref", when there is one. NULL: go on. */
json_t *kh_alter_take_ref(struct kh_alter *alter, bool needed);

#endif
