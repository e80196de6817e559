/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The review screen: what a push or block will do, the question, and what came of it.
 */
#ifndef KHIEN_CLI_PLAN_H
#define KHIEN_CLI_PLAN_H

#include "cli/cli.h"

struct kh_plan_options {
	bool yes, dry_run, monitor;
};

/* Shows, asks, sends and proves. `request` (taken) lacks only dry_run and token. Returns the exit code. */
int kh_plan_command(struct kh_cli *cli, json_t *request, const int *fds, size_t fds_count, const struct kh_plan_options *options);

/* The rows grouped by decision, at most `most` a group (0: all). */
void kh_plan_show_rows(json_t *rows, size_t most);

#endif
