/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of khiend. Only reads it; main.c acts on it.
 */
#ifndef KHIEN_DAEMON_OPTIONS_H
#define KHIEN_DAEMON_OPTIONS_H

#include <stdbool.h>

enum kh_task {
	KH_TASK_RUN,
	KH_TASK_CHECK,
	KH_TASK_DETECT,
	KH_TASK_DETACH,
	KH_TASK_NEW_LEDGER,
	KH_TASK_VERSION,
	KH_TASK_HELP,
};

struct kh_options {
	enum kh_task task;
	bool load; /* with KH_TASK_CHECK: the programs too */
	bool foreground; /* accepted; there is no other way */
	const char *config; /* never NULL, nor are the others */
	const char *state;
	const char *run;
	const char *bpffs;
	const char *refresh; /* "": khiend starts it itself */
};

/* Fills *ret_options, pointing into argv. 0, or -EINVAL after saying on standard error what is wrong. */
int kh_options_parse(int argc, char **argv, struct kh_options *ret_options);
void kh_options_help(void); /* on standard output */

#endif
