/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the sandbox: what is prepared before the process is made, where memory and errors are still to be had, and what the new
 * process does with it, which is system calls alone.
 */
#ifndef KHIEN_SANDBOX_PRIVATE_H
#define KHIEN_SANDBOX_PRIVATE_H

#include <linux/filter.h>
#include <sys/types.h>

#include "sandbox/sandbox.h"

struct kh_walls {
	int landlock; /* rules; -1: the kernel has none */
	struct sock_fprog filter; /* of system calls */
};

/* 0 or -errno. */
int kh_walls_build(const char *program, struct kh_walls *ret_walls);
void kh_walls_clear(struct kh_walls *walls);

/* filter.c: the system calls that are allowed. 0 or -errno. */
int kh_filter_build(struct sock_fprog *ret_filter);

/* In the new process: `descriptors` become 0, 1 and 2, all others are closed but `report`, which exec closes. Does not return; what fails is
 * written to `report` as an errno. */
_Noreturn void kh_confined_exec(const struct kh_sandbox *sandbox, const struct kh_walls *walls, const int descriptors[static 3],
				int report, pid_t parent);

#endif
