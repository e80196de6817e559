/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands of khien share: the table entry, the options every command has, and the call to the daemon. A command reads its arguments,
 * asks the daemon, and shows the answer through render.h; it decides nothing.
 */
#ifndef KHIEN_CLI_CLI_H
#define KHIEN_CLI_CLI_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "khien/proto.h"

struct kh_cli {
	const struct kh_command *command;
	const char *socket;
	bool json;
	bool color; /* standard output is a terminal that shows it */
	bool unaccented; /* a console that cannot show Vietnamese */
};

/* One command of the table in main.c. */
struct kh_command {
	const char *name;
	const char *usage; /* after the name: "FILE... [--ttl 7d]" */
	const char *summary; /* one line; translated when shown */
	const char *help; /* options and examples; translated when shown; may be NULL */
	int (*run)(struct kh_cli *cli, int argc, char **argv); /* argv[0] is the command's name; returns enum kh_exit */
};

extern const struct kh_command kh_command_push, kh_command_block, kh_command_review, kh_command_accept, kh_command_reject, kh_command_enforce,
	kh_command_monitor, kh_command_extend, kh_command_unblock, kh_command_allow, kh_command_disallow, kh_command_undo, kh_command_list,
	kh_command_show, kh_command_why, kh_command_status, kh_command_stats, kh_command_verify, kh_command_history, kh_command_reattach,
	kh_command_detach, kh_command_read;

/* Long options that a command adds to the common ones (--json --lang --socket --help); `letter` is what next() returns. */
struct kh_option {
	const char *name;
	bool argument;
	int letter; /* unique within the command, below 1000 */
};

/* Walks the options: returns a command's letter, with optarg; -1 at the end; -2: the command is over, with *ret_exit (help, bad option).
 * Common options are handled inside. Options and arguments may be mixed; afterwards argv[optind..] are the arguments. */
int kh_next_option(struct kh_cli *cli, int argc, char **argv, const struct kh_option *options, size_t count, int *ret_exit);

/* "usage" error: what is wrong, then how to ask for help. Returns KH_EXIT_USAGE. */
int kh_usage_error(const struct kh_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A request with op; the caller adds members. NULL: out of memory. */
json_t *kh_request(const char *op);
/* Sends `request` (taken) with descriptors, waits for the reply. Returns the reply's exit code, and the reply unless it is an error or the daemon
 * cannot be reached: those are shown here and *ret_reply is NULL. */
int kh_call(const struct kh_cli *cli, json_t *request, const int *fds, size_t fds_count, json_t **ret_reply);
/* The same for a command that only shows: with --json prints the reply and leaves *ret_reply NULL. */
int kh_ask(const struct kh_cli *cli, json_t *request, json_t **ret_reply);

/* Duration option into a request member. 0, or KH_EXIT_USAGE after saying why. */
int kh_put_duration(const struct kh_cli *cli, json_t *request, const char *name, const char *text);
/* Arguments from `from` on, as an array of strings. */
json_t *kh_arguments(int argc, char **argv, int from);

#endif
