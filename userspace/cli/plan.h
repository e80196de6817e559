/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Look before you act: what a push, block or accept will do, the question, the act, and what came of it.
 */
#ifndef KHIEN_CLI_PLAN_H
#define KHIEN_CLI_PLAN_H

#include "cli/cli.h"

/* Options of every command that asks first; their flags leave the request in kh_plan_command(). */
#define KH_PLAN_OPTIONS                                                             \
	{ KH_OPTION_FLAG, "dry-run", NULL, "dry_run", N_("show, change nothing") }, \
	{                                                                           \
		KH_OPTION_FLAG, "yes", NULL, ".yes", N_("do not ask")               \
	}

/* Shows, asks, sends and proves. `request` has everything but the token. Returns the exit code. */
int kh_plan_command(struct kh_cli *cli, json_t *request, const int *fds, size_t fds_count);

/* ---- impact.c: live connections ------------------------------------------------------------------ */

/* What the plan would cut, who is among it, and what is blocked already. `request`: that it was asked for with. */
void kh_impact_show(const json_t *plan, const json_t *request);
/* After the act: how many connections of the shown plan were cut. */
void kh_impact_show_end(struct kh_cli *cli, const json_t *plan, const json_t *reply);

/* ---- rows.c: rows grouped by decision ----------------------------------------------------------- */

/* At most `most` rows of a group (0: all that are there); how many more there are, by the counts, is said. */
void kh_rows_show(const json_t *rows, const json_t *counts, size_t most, bool monitor);
/* "To block 27 · to review 3 · ...", from the counts of a plan. */
void kh_rows_show_counts(const json_t *counts, bool monitor);

#endif
