/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's log: one line an event, "event=... key=value", on standard error. Under the journal each line carries its
 * priority (sd-daemon(3)); on a terminal it does not. Library modules never log: they return errors.
 */
#ifndef KHIEN_DAEMON_LOG_H
#define KHIEN_DAEMON_LOG_H

#include <syslog.h>

#include "common/error.h"

/* Looks where standard error goes. Once, at start; without it lines are plain and LOG_DEBUG is left out.
 * KHIEN_DEBUG=1 in the environment shows LOG_DEBUG too. */
void kh_log_init(void);

/* level is LOG_ALERT (somebody must look now), LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or LOG_DEBUG. Keeps errno. Control characters and bad UTF-8 in values
 * become '?', so a value cannot forge a line; what does not fit in 2 KiB is cut. */
void kh_log(int level, const char *format, ...) KH_PRINTF(2, 3);

/* "event=EVENT error="text" hint="hint"". */
void kh_log_error(int level, const char *event, const struct kh_error *error);

#endif
