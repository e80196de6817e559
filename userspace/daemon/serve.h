/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running daemon: one event loop over the core, the control socket, signals, timers. Owns them all; knows nothing of
 * what requests mean.
 */
#ifndef KHIEN_DAEMON_SERVE_H
#define KHIEN_DAEMON_SERVE_H

#include "daemon/options.h"
#include "common/error.h"

/* Serves until SIGTERM or SIGINT; enforcement stays in place after it. 0; or -errno with error when it cannot begin,
 * or when a reload left nothing that could serve. */
int kh_serve(const struct kh_options *options, struct kh_error *error);

#endif
