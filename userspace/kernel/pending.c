// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Brings the counts that the packet programs keep by CPU into the records (struct kh_pending in khien/abi.h). A user space that dies
 * in the middle leaves `hold` set: counting goes on, straight into the records, and the next to open the folder finishes.
 */
#include "kernel/private.h"

#include <errno.h>
#include <string.h>

#include "common/crash.h"
#include "common/util.h"

void kh_pending_hold(struct kh_kernel *kernel, bool hold)
{
	__atomic_store_n(&kernel->control->hold, hold, __ATOMIC_SEQ_CST);
}

/* Is nothing on its way on any CPU? What arrives meanwhile does not matter: it was not counted when we were asked. */
static bool is_empty(struct kh_kernel *kernel, int cpus)
{
	struct kh_pending *all KH_CLEANUP(kh_freep) = calloc((size_t)cpus, sizeof(*all));
	uint32_t zero = 0;

	if (!all || bpf_map_lookup_elem(kernel->pending, &zero, all) < 0)
		return false;
	for (int cpu = 0; cpu < cpus; cpu++) {
		if (all[cpu].busy || all[cpu].queued)
			return false;
	}
	return true;
}

int kh_pending_empty(struct kh_kernel *kernel)
{
	int cpus = libbpf_num_possible_cpus();

	for (int cpu = 0; cpu < cpus; cpu++) {
		uint8_t packet[64] = {};
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet), .repeat = 1);

		memcpy(packet, &cpu, sizeof(cpu));
		if (bpf_prog_test_run_opts(kernel->flush_program, &options) < 0)
			return -errno;
	}
	return cpus < 0 ? cpus : 0;
}

int kh_pending_flush(struct kh_kernel *kernel)
{
	int cpus = libbpf_num_possible_cpus(), code;

	if (cpus < 0)
		return cpus;
	if (is_empty(kernel, cpus))
		return 0;
	kh_pending_hold(kernel, true);
	kh_wait_grace(kernel);
	KH_CRASH_POINT("flush.held");
	code = kh_pending_empty(kernel);
	KH_CRASH_POINT("flush.emptied");
	kh_pending_hold(kernel, false);
	return code;
}
