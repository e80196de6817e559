// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wall-clock time for the packet programs. They read jiffies (the cheapest clock there is) and add one offset; so a stepped
 * clock is one store here, and no deadline is ever rewritten.
 */
#include "kernel/private.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "common/lang.h"
#include "common/util.h"

__extension__ typedef unsigned __int128 kh_clock_wide;

static int read_jiffies(struct kh_kernel *kernel, uint64_t *ret_jiffies, double *ret_monotonic)
{
	uint8_t packet[64] = {}, out[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet), .data_out = out,
		    .data_size_out = sizeof(out), .repeat = 1);
	struct timespec now;

	if (bpf_prog_test_run_opts(kh_clock_program_fd(kernel), &options) < 0)
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &now);
	memcpy(ret_jiffies, out, sizeof(*ret_jiffies));
	*ret_monotonic = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	return 0;
}

/*
 * CONFIG_HZ. jiffies64 starts 300 seconds before 2^32 and runs with CLOCK_MONOTONIC (include/linux/jiffies.h), so each candidate
 * predicts what it must be now. They agree only around 300 s after boot; then two readings a moment apart decide.
 */
static int find_hz(struct kh_kernel *kernel, uint64_t jiffies, double monotonic)
{
	static const int candidates[] = { 100, 250, 300, 1000 };
	uint64_t later_jiffies = jiffies;
	double later = monotonic, best_error = HUGE_VAL;
	int best = 250;

	if (fabs(monotonic - 300) < 5) {
		while (later - monotonic < 0.2)
			if (read_jiffies(kernel, &later_jiffies, &later) < 0)
				return best;
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(candidates); i++) {
		double hz = candidates[i], error;

		if (later > monotonic)
			error = fabs((double)(later_jiffies - jiffies) / (later - monotonic) - hz) / hz;
		else
			error = fabs((double)(int64_t)(jiffies - (UINT64_C(1) << 32)) - hz * (monotonic - 300)) / hz;
		if (error < best_error) {
			best_error = error;
			best = candidates[i];
		}
	}
	return best;
}

int kh_kernel_clock(struct kh_kernel *kernel, int64_t *ret_now, struct kh_error *error)
{
	uint64_t jiffies;
	double monotonic;
	int code = read_jiffies(kernel, &jiffies, &monotonic);

	if (code < 0)
		return kh_fail(error, code, _("cannot read the kernel's clock: %s"), strerror(-code));
	/* as kh_wall_clock() of the packet programs */
	*ret_now = (int64_t)(((jiffies + kernel->control->clock_offset) * kernel->control->clock_mult) >> 32);
	return 0;
}

int kh_kernel_set_clock(struct kh_kernel *kernel, int64_t correction, struct kh_error *error)
{
	uint64_t jiffies, mult, now_jiffies;
	struct timespec now;
	kh_clock_wide wide;
	double monotonic;
	int code = read_jiffies(kernel, &jiffies, &monotonic);

	if (code < 0)
		return kh_fail(error, code, _("cannot read the kernel's clock: %s"), strerror(-code));
	mult = kernel->control->clock_mult;
	if (!mult)
		mult = (UINT64_C(1) << 32) / (uint64_t)find_hz(kernel, jiffies, monotonic);
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += correction;
	/* The jiffies that wall-clock time would be: (seconds * 2^32) / mult. */
	wide = ((kh_clock_wide)(uint64_t)now.tv_sec << 32) + ((kh_clock_wide)(uint64_t)now.tv_nsec << 32) / 1000000000u;
	now_jiffies = (uint64_t)(wide / mult);
	kernel->control->clock_mult = mult;
	__atomic_store_n(&kernel->control->clock_offset, now_jiffies - jiffies, __ATOMIC_SEQ_CST);
	return 0;
}
