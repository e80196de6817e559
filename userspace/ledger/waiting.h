/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the ledger: what unconfirmed.c keeps of the changes that wait for confirmation, and what they make of deadlines.
 */
#ifndef KHIEN_LEDGER_WAITING_H
#define KHIEN_LEDGER_WAITING_H

#include "ledger/unconfirmed.h"

struct kh_held;

/* Changes that wait for confirmation (unconfirmed.c), oldest first. */
struct kh_waiting {
	bool valid; /* as in the file */
	size_t count;
	int64_t changes[KH_UNCONFIRMED_MAX], untils[KH_UNCONFIRMED_MAX];
};

/* What an order of an unconfirmed change comes to: it, until it is taken back, and what it replaced. */
struct kh_awaited {
	int64_t id; /* of the order */
	int64_t action, deadline;
};
struct kh_awaited_list {
	struct kh_awaited *list; /* by id */
	size_t count, capacity;
};
/* Active orders whose last change waits for confirmation. 0 or -errno. */
int kh_awaited_load(struct kh_ledger *ledger, struct kh_awaited_list *awaited, struct kh_error *error);
/* Place of the first of that order, or of what comes after it. */
size_t kh_awaited_find(const struct kh_awaited_list *awaited, int64_t id);
/* The deadline of a bulk list, the same way. 0 or -errno. */
int kh_awaited_bulk(struct kh_ledger *ledger, const struct kh_held *held, int64_t *ret_deadline,
		    struct kh_error *error);
/* Under the running change: the waiting of `change`, if it waits, is over. 1, 0 or -errno. */
int kh_unconfirmed_end(struct kh_ledger *ledger, int64_t change, struct kh_error *error);

#endif
