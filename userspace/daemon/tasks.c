// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What khiend does besides serving: looks at the configuration, proposes one, takes everything off, puts a ledger aside.
 * Prints to standard output; errors go to the log.
 */
#include "daemon/tasks.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "daemon/check.h"
#include "daemon/core.h"
#include "daemon/log.h"
#include "daemon/platform.h"
#include "kernel/kernel.h"
#include "khien/proto.h"
#include "ledger/ledger.h"
#include "netlink/links.h"

int kh_failed(const struct kh_error *error)
{
	if (!isatty(STDERR_FILENO)) {
		kh_log_error(LOG_ERR, "failed", error);
		return KH_EXIT_FAILED;
	}
	fprintf(stderr, "khiend: %s\n", error->text);
	if (error->hint[0])
		fprintf(stderr, "    %s\n", error->hint);
	return KH_EXIT_FAILED;
}

/* ---- --check and --detect ----------------------------------------------------------------------- */

static void links_freep(struct kh_links **links)
{
	kh_links_free(*links);
}

static int check_programs(void)
{
	struct kh_error error = { 0 };
	char report[1024];

	if (kh_kernel_check(report, sizeof(report), &error) < 0)
		return kh_failed(&error);
	printf("%s\n", report);
	return KH_EXIT_DONE;
}

int kh_task_check(const struct kh_options *options)
{
	struct kh_config *config KH_CLEANUP(kh_freep) = calloc(1, sizeof(*config));
	struct kh_check *findings KH_CLEANUP(kh_freep) = calloc(1, sizeof(*findings));
	struct kh_links *links KH_CLEANUP(links_freep) = NULL;
	struct kh_error error = { 0 };
	int code = KH_EXIT_DONE;

	if (!config || !findings) {
		kh_fail(&error, -ENOMEM, _("out of memory"));
		return kh_failed(&error);
	}
	if (kh_config_load(options->config, config, &error) < 0 || kh_links_read(&links, &error) < 0)
		return kh_failed(&error);
	kh_lang_set(config->language);
	kh_check(config, links, findings);
	kh_check_lists(config, findings);
	kh_check_issuers(config, findings);
	kh_check_proxy(config, findings);
	kh_check_trust(config, findings);
	kh_check_print(stdout, options->config, findings);
	if (kh_check_worst(findings) == KH_ERROR)
		code = KH_EXIT_FAILED;
	else
		printf(_("%s: in order\n"), options->config);
	if (options->load && check_programs())
		code = KH_EXIT_FAILED;
	return code;
}

int kh_task_detect(void)
{
	struct kh_links *links KH_CLEANUP(links_freep) = NULL;
	char *text KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = { 0 };

	if (kh_links_read(&links, &error) < 0)
		return kh_failed(&error);
	text = kh_check_detect(links);
	if (!text) {
		kh_fail(&error, -ENOMEM, _("out of memory"));
		return kh_failed(&error);
	}
	fputs(text, stdout);
	return KH_EXIT_DONE;
}

/* ---- --detach and --new-ledger ------------------------------------------------------------------ */

static void removed(const char *what, void *context)
{
	size_t *count = context;

	(*count)++;
	printf(_("removed: %s\n"), what);
}

int kh_task_detach(const struct kh_options *options)
{
	int lock KH_CLEANUP(kh_closep) = -1;
	struct kh_error error = { 0 };
	size_t count = 0;

	if (kh_platform_privileges(&error) < 0)
		return kh_failed(&error);
	if (!access(options->bpffs, F_OK)) {
		lock = kh_platform_lock(options->bpffs, 0700, &error);
		if (lock == -EBUSY)
			kh_hint(&error, _("khiend runs: use `khien detach`, or stop it first (systemctl stop khiend)"));
		if (lock < 0 || kh_kernel_remove(options->bpffs, removed, &count, &error) < 0)
			return kh_failed(&error);
	}
	if (!count)
		printf(_("nothing of khiend is attached under %s\n"), options->bpffs);
	return KH_EXIT_DONE;
}

int kh_task_new_ledger(const struct kh_options *options)
{
	struct kh_error error = { 0 };
	int lock KH_CLEANUP(kh_closep) = kh_platform_lock(options->state, 0700, &error), r;
	char path[PATH_MAX], aside[PATH_MAX];
	struct kh_ledger *ledger = NULL;

	if (lock < 0)
		return kh_failed(&error);
	snprintf(path, sizeof(path), "%s/" KH_CORE_LEDGER, options->state);
	if (access(path, F_OK) < 0) {
		printf(_("%s: there is no ledger yet; khiend makes one when it starts\n"), path);
		return KH_EXIT_DONE;
	}
	r = kh_ledger_open(path, &ledger, &error);
	if (!r) {
		kh_ledger_close(ledger);
		kh_fail(&error, -EEXIST, _("%s is in order, so it stays: it holds what is ordered"), path);
		kh_hint(&error, _("to begin anew all the same, move it away by hand"));
		return kh_failed(&error);
	}
	if (r != -EUCLEAN)
		return kh_failed(&error);
	r = kh_ledger_set_aside(path, aside, sizeof(aside));
	if (r < 0) {
		kh_fail(&error, r, _("cannot move %s aside: %s"), path, strerror(-r));
		return kh_failed(&error);
	}
	printf(_("the damaged ledger is kept as %s\nWhat it ordered is in force until khiend starts: then load the letters again.\n"),
	       aside);
	return KH_EXIT_DONE;
}
