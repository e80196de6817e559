/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands of khien share: the table entry, the options, and the call to the daemon. A command says what it
 * takes and how its answer looks to a person; it decides nothing. Options become members of the request by the table.
 */
#ifndef KHIEN_CLI_CLI_H
#define KHIEN_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/util.h"
#include "khien/proto.h"

struct kh_cli {
	const struct kh_command *command;
	const char *socket;
	bool json;
	int unreachable; /* the errno of the last connect, when it failed */
	json_t *extra; /* with --json: members for an error's object; borrowed; may be NULL */
};

enum kh_option_kind {
	KH_OPTION_END,
	KH_OPTION_FLAG, /* true */
	KH_OPTION_TEXT,
	KH_OPTION_TEXTS, /* may be given again: an array */
	KH_OPTION_DURATION, /* "7d", in seconds */
	KH_OPTION_NUMBER, /* 1 or more */
};

/* Of every command that blocks something. */
#define KH_CONFIRM_OPTION                                                                           \
	{                                                                                           \
		KH_OPTION_DURATION, "confirm-within", "5m", "confirm_within",                       \
			N_("taken back after 5 minutes (30s to 24h), unless khien confirm follows") \
	}

struct kh_option {
	enum kh_option_kind kind;
	const char *name; /* without the dashes */
	const char *argument; /* as help shows it: "NUMBER"; NULL for a flag */
	const char *member; /* of the request */
	const char *help; /* one line; translated when shown */
};

/* One command. Each is a constant in the file that implements it; main.c holds the table of them. */
struct kh_command {
	const char *name;
	const char *usage; /* after the name: "FILE... [--ttl 7d]" */
	const char *summary; /* one line; translated when shown */
	const char *help; /* what the options do not say; translated when shown; may be NULL */
	const struct kh_option *options; /* ends with KH_OPTION_END; NULL: none of its own */
	int arguments_min, arguments_max; /* -1: any number */
	/* `request` has the op and the options; borrowed. Returns enum kh_exit. */
	int (*run)(struct kh_cli *cli, json_t *request, int count, char **arguments);
};

extern const struct kh_command kh_command_read, kh_command_push, kh_command_review, kh_command_accept,
	kh_command_reject, kh_command_enforce, kh_command_monitor, kh_command_extend, kh_command_confirm,
	kh_command_undo, kh_command_block, kh_command_unblock, kh_command_allow, kh_command_disallow, kh_command_list,
	kh_command_show, kh_command_why, kh_command_status, kh_command_stats, kh_command_verify, kh_command_history,
	kh_command_reattach, kh_command_detach, kh_command_export, kh_command_source;

/* ---- options.c ---------------------------------------------------------------------------------- */

/* Takes what stands before the command (--json, --lang, --socket), sets language and terminal up. Returns the index of
 * the command's name, or -1 with *ret_exit: nothing more to do. `help` prints what khien can do. */
int kh_cli_begin(struct kh_cli *cli, int argc, char **argv, void (*help)(void), int *ret_exit);

/* Reads the options of cli->command (argv[0] is its name) and runs it. */
int kh_cli_run(struct kh_cli *cli, int argc, char **argv);

/* "usage" error: what is wrong, then how the command is used. Returns KH_EXIT_USAGE. */
int kh_usage_error(const struct kh_cli *cli, const char *format, ...) KH_PRINTF(2, 3);

/* A flag that is for the command and not for the daemon (its member begins with '.'): was it given? It leaves the request. */
bool kh_option_flag(json_t *request, const char *member);

/* Arguments as a member of the request: an array of texts. */
void kh_put_arguments(json_t *request, const char *member, int count, char **arguments);

/* ---- client.c ----------------------------------------------------------------------------------- */

json_t *kh_request(const char *op); /* with the session it is typed in, when there is one, and whether at a terminal */

/* session.c: SSH_CONNECTION of the session that this is typed in, also behind sudo; NULL: none. */
const char *kh_session_find(void);

/* input.c: a descriptor of the file, "-" for standard input, that can be read again and again (so a pipe is read to its end); or -errno. */
int kh_input_open(const char *name);

/* Sends `request` with descriptors, waits for the reply. Returns the exit code. *ret_reply is NULL when the reply is an
 * error or there is none: that has been shown. */
int kh_call(struct kh_cli *cli, json_t *request, const int *fds, size_t fds_count, json_t **ret_reply);
/* The same, silent: *ret_reply is NULL when anything is wrong. */
void kh_call_quietly(struct kh_cli *cli, json_t *request, json_t **ret_reply);
/* The same for what is answered in pages: *ret_reply has the rows of all of them under "indicators". */
int kh_call_all(struct kh_cli *cli, json_t *request, json_t **ret_reply);
/* Asks and shows: with --json the reply, else what `show` prints of it. */
int kh_ask(struct kh_cli *cli, json_t *request, void (*show)(json_t *reply));

/* Shows what is wrong and what to do next; with --json as an object. hint may be NULL. */
void kh_show_error(const struct kh_cli *cli, const char *text, const char *hint);

static inline void kh_json_decrefp(json_t **json)
{
	json_decref(*json);
}

#endif
