/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last kernel on which khiend ran, and the alert when another refuses its programs.
 */
#ifndef KHIEN_DAEMON_KERNELS_H
#define KHIEN_DAEMON_KERNELS_H

#include "common/error.h"

/* The packet programs were accepted: keeps uname -r in the folder `state`, takes back an alert in the folder `run`. What cannot be written is logged. */
void kh_kernels_worked(const char *state, const char *run);
/* They were not, and error says why. Where another kernel worked before, its name becomes the hint, and error and hint are logged with LOG_ALERT
 * and left in `run` (KH_ALERT_FILE, two lines), for khien status shows them while there is no daemon. Else nothing. */
void kh_kernels_refused(const char *state, const char *run, struct kh_error *error);

#endif
