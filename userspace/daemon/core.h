/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core owns all state of a running daemon and is the only place where the modules meet:
 * reader -> guard -> ledger -> compile -> kernel, and kernel -> ledger -> reply.
 * Requests (requests.c and its siblings) act on it; main drives it from the event loop.
 */
#ifndef KHIEN_DAEMON_CORE_H
#define KHIEN_DAEMON_CORE_H

#include <jansson.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/config.h"
#include "daemon/control.h"

struct kh_core;

#define KH_CORE_LEDGER "ledger.db" /* in the state folder */

struct kh_core_paths {
	const char *state; /* folder of the ledger and the image; 0700 */
	const char *run; /* folder of the socket and the lock */
	const char *bpffs; /* folder of the pins, on a bpffs */
	const char *refresh; /* the socket at which khien-refresh listens; "": the core starts it itself */
	const char *config; /* the configuration file, for messages */
	const char *
		config_problem; /* why the last accepted copy serves and not that file (status: degraded); NULL: it does not */
};

/* Brings everything up: ledger, maps (adopted or new), generation, links. The configuration is borrowed and must outlive the core. */
int kh_core_open(const struct kh_core_paths *paths, const struct kh_config *config, struct kh_core **ret_core,
		 struct kh_error *error);
/* Folds the counters and lets go; enforcement stays in place. Takes NULL. */
void kh_core_close(struct kh_core *core);

/* One request of the control protocol; a kh_control_handler. */
json_t *kh_core_request(void *context, const struct kh_peer *peer, json_t *request, const int *fds, size_t fds_count);

/* For the event loop. */
void kh_core_settle(struct kh_core *core); /* after an answer: what it need not wait for (kh_kernel_settle) */
void kh_core_tick(struct kh_core *core); /* every second: fold counters when due, expire, health */
void kh_core_links_changed(
	struct kh_core *core); /* the netlink monitor reported something: re-attach, re-judge, re-compile */
void kh_core_clock_changed(struct kh_core *core); /* the wall clock stepped */
int kh_core_links_fd(const struct kh_core *core); /* to poll */
int kh_core_fetched_fd(const struct kh_core *core); /* a source has been fetched; to poll, then kh_core_fetched() */
void kh_core_fetched(struct kh_core *core);
int kh_core_events_fd(const struct kh_core *core); /* first sights; to poll, then kh_core_events() */
void kh_core_events(struct kh_core *core);

#endif
