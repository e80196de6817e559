// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khiend: reads its command line and does what it says. Serving is serve.c's, the rest is tasks.c's.
 * Exit codes: 0 done, 1 failed (said why), 2 the command line is wrong.
 */
#include <sys/stat.h>

#include "common/lang.h"
#include "common/memory.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/platform.h"
#include "daemon/serve.h"
#include "daemon/tasks.h"
#include "khien/proto.h"

/* What a list of a million takes at its peak, and room for what comes beside it. */
#define HEAP_BYTES ((size_t)256 << 20)

static int run(const struct kh_options *options)
{
	int run_lock KH_CLEANUP(kh_closep) = -1, state_lock KH_CLEANUP(kh_closep) = -1,
		     bpffs_lock KH_CLEANUP(kh_closep) = -1;
	struct kh_error error = { 0 };

	if (kh_platform_privileges(&error) < 0 || kh_platform_bpffs(options->bpffs, &error) < 0)
		return kh_failed(&error);
	run_lock = kh_platform_lock(options->run, 0755, &error);
	if (run_lock >= 0)
		state_lock = kh_platform_lock(options->state, 0700, &error);
	if (state_lock >= 0)
		bpffs_lock = kh_platform_lock(options->bpffs, 0700, &error);
	if (bpffs_lock < 0)
		return kh_failed(&error);
	kh_platform_descriptors();
	kh_memory_heap(HEAP_BYTES);
	return kh_serve(options, &error) < 0 ? kh_failed(&error) : KH_EXIT_DONE;
}

int main(int argc, char **argv)
{
	struct kh_options options;

	umask(0022);
	kh_lang_init();
	kh_lang_set(kh_lang_from_environment());
	kh_log_init();
	if (kh_options_parse(argc, argv, &options) < 0)
		return KH_EXIT_USAGE;
	switch (options.task) {
	case KH_TASK_RUN:
		return run(&options);
	case KH_TASK_CHECK:
		return kh_task_check(&options);
	case KH_TASK_DETECT:
		return kh_task_detect();
	case KH_TASK_DETACH:
		return kh_task_detach(&options);
	case KH_TASK_NEW_LEDGER:
		return kh_task_new_ledger(&options);
	case KH_TASK_VERSION:
		printf("khiend %s\n", KH_VERSION);
		return KH_EXIT_DONE;
	case KH_TASK_HELP:
		kh_options_help();
		return KH_EXIT_DONE;
	}
	return KH_EXIT_USAGE;
}
