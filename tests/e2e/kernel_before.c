// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Put before libbpf by LD_PRELOAD, so that khiend as it is built meets another kernel:
 *   KH_TEST_NO_TCX       set: one before Linux 6.6, which does not know the attach types of tcx (EINVAL)
 *   KH_TEST_UPDATE_FAILS N: the N-th bpf_link_update() of the process, from 1, is refused (EPERM)
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#define TCX_INGRESS 46
#define TCX_EGRESS 47

int bpf_link_create(int program, int target, enum bpf_attach_type type, const struct bpf_link_create_opts *options)
{
	int (*next)(int, int, enum bpf_attach_type, const struct bpf_link_create_opts *) =
		(__typeof__(next))dlsym(RTLD_NEXT, "bpf_link_create");

	if (getenv("KH_TEST_NO_TCX") && (type == TCX_INGRESS || type == TCX_EGRESS)) {
		errno = EINVAL;
		return -EINVAL;
	}
	return next(program, target, type, options);
}

int bpf_link_update(int link, int program, const struct bpf_link_update_opts *options)
{
	static int count;
	int (*next)(int, int, const struct bpf_link_update_opts *) =
		(__typeof__(next))dlsym(RTLD_NEXT, "bpf_link_update");
	const char *fails = getenv("KH_TEST_UPDATE_FAILS");

	if (fails && ++count == atoi(fails)) {
		errno = EPERM;
		return -EPERM;
	}
	return next(link, program, options);
}
