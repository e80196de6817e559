/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes that wait for confirmation: unless somebody confirms one, the daemon undoes it at `until` by kh_ledger_undo(), which ends the waiting, as an
 * undo by a person does.
 *
 * Until then what it ordered is handed out by kh_ledger_force() with the earlier of its own deadline and `until`, so that packets pass again at that time
 * whether a daemon lives or not; what an order replaced is handed out beside it, so that an order in force before goes on. The deadlines kept in the
 * orders are as they were asked for.
 *
 * Times are wall-clock seconds. Writing calls need a transaction.
 */
#ifndef KHIEN_LEDGER_UNCONFIRMED_H
#define KHIEN_LEDGER_UNCONFIRMED_H

#include "ledger/ledger.h"

#define KH_UNCONFIRMED_MAX 64 /* that wait at one time */

struct kh_unconfirmed {
	int64_t change, until;
	int64_t held_by; /* a later change that waits too and wrote over this one: that one is decided first. 0: none */
	const char *kind, *actor; /* of the change */
};

/* The running change waits for confirmation until then. 0; -ENOSPC: too many wait; or -errno. */
int kh_ledger_unconfirmed_put(struct kh_ledger *ledger, int64_t until, struct kh_error *error);
/* Under the running change: `change` is confirmed. 1; 0: it does not wait; or -errno. */
int kh_ledger_unconfirmed_confirm(struct kh_ledger *ledger, int64_t change, struct kh_error *error);
/* The clock was set by so many seconds while they waited: changes after `after` (0: all) wait as long as they were to. How many, or -errno. */
int kh_ledger_unconfirmed_shift(struct kh_ledger *ledger, int64_t after, int64_t seconds, struct kh_error *error);

/* Those that wait, oldest first. Callback as for kh_ledger_changes(). */
int kh_ledger_unconfirmed(struct kh_ledger *ledger, int (*callback)(const struct kh_unconfirmed *, void *),
			  void *context);
int64_t kh_ledger_unconfirmed_next(struct kh_ledger *ledger); /* the earliest end of a waiting; 0: nothing waits */
int64_t kh_ledger_unconfirmed_until(struct kh_ledger *ledger, int64_t change); /* 0: it does not wait */

/* How the waiting of a change ended. */
struct kh_confirmation {
	int64_t change, until;
	int64_t ended_by, ended; /* the change that ended it, and when; 0: it waits */
	bool confirmed; /* else it was taken back */
};
/* Of `change`; 0: of the one whose waiting ended last. 1; 0: it was never to be confirmed; or -errno. */
int kh_ledger_confirmation(struct kh_ledger *ledger, int64_t change, struct kh_confirmation *ret_confirmation);

#endif
