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
int kh_walls_build(const struct kh_sandbox *sandbox, struct kh_walls *ret_walls);
void kh_walls_clear(struct kh_walls *walls);

/* filter.c: the system calls that are allowed. 0 or -errno. */
int kh_filter_build(bool network, struct sock_fprog *ret_filter);

/* What the new process is given. */
struct kh_confined {
	const struct kh_sandbox *sandbox;
	const struct kh_walls *walls;
	int descriptors[3]; /* become 0, 1 and 2; all others are closed */
	int report; /* but this one, which exec closes: what fails is written to it as an errno */
	pid_t parent;
};
/* The new process, for clone(CLONE_VM | CLONE_VFORK) with all signals blocked. Does not return. */
int kh_confined_exec(void *context); /* struct kh_confined */

#endif
