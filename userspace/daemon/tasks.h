/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tasks of khiend that end by themselves. Each returns the exit code and has said what was wrong.
 */
#ifndef KHIEN_DAEMON_TASKS_H
#define KHIEN_DAEMON_TASKS_H

#include "common/error.h"
#include "daemon/options.h"

int kh_task_check(const struct kh_options *options); /* and with options->load, the packet programs on this kernel */
int kh_task_detect(void);
/* Refused while a daemon serves these pins. */
int kh_task_detach(const struct kh_options *options);
/* Only a damaged ledger is put aside. */
int kh_task_new_ledger(const struct kh_options *options);

/* Logs the error, or says it to the person at the terminal; the exit code for it. */
int kh_failed(const struct kh_error *error);

#endif
