/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program on hostile input. It gets the input, may compute, read what is installed on the system, and write its answer; and nothing
 * else: no other file, no network (unless it is the one that fetches), no other process, no signal to anybody, for a limited time, in limited
 * memory. Another installed program may take its place, behind the same walls.
 *
 * What holds it: a fresh process image with no descriptor but three; no capability, and the user `nobody` where root may become it; no
 * new privileges; Landlock (Linux 5.13; where the kernel has none, it can read what its user can); seccomp with a list of what is allowed, all else
 * fails with EPERM; resource limits; and it dies with whoever started it. A parser with a hole in it then gives a wrong
 * answer at worst, and answers are checked (model/wire.h).
 *
 * It does not know documents. Blocks until the program has ended.
 */
#ifndef KHIEN_SANDBOX_SANDBOX_H
#define KHIEN_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/bytes.h"
#include "common/error.h"

struct kh_sandbox {
	const char *program; /* absolute path */
	const char *const *arguments; /* the first is the program's name; NULL ends */
	const char *const *readable; /* folders and files that it may read besides; NULL ends; NULL: none */
	int input; /* regular file or memfd, read from its start; borrowed (its offset moves); -1: none */
	size_t output_max; /* bytes of the answer */
	size_t memory_max; /* bytes of address space */
	unsigned int seconds_max; /* of processor time, and as many of real time */
	bool network; /* it may call out by TCP and UDP, and have threads (a resolver is one); and still listen to nobody */
};

struct kh_sandbox_result {
	int status; /* exit status of the program */
	struct kh_bytes output; /* what it wrote */
	char complaint[256]; /* the beginning of what it wrote to standard error; printable; may be empty */
};

/* Runs it to its end. 0 and *ret_result, also when the status is not 0; -ENOENT: there is no such program; -ETIMEDOUT; -EFBIG: more
 * output than output_max; -EPROTO: it was ended by a signal (out of memory, a fault); -ENOMEM or another errno: it could not be started.
 * With error, which does not name the document. On failure *ret_result is empty, and the program is gone. */
int kh_sandbox_run(const struct kh_sandbox *sandbox, struct kh_sandbox_result *ret_result, struct kh_error *error);
void kh_sandbox_result_clear(struct kh_sandbox_result *result);

/* The calling program becomes nobody if it may, has no capability from here on and gets no new privileges, and ends when its parent does. 0;
 * -ESRCH: the parent has ended already; or -errno. */
int kh_sandbox_lower(pid_t parent);

#endif
