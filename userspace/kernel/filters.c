// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tc by clsact filters, for kernels without tcx (before 6.6). A filter has no link and no pin: it is ours when it has our handle, the name of one
 * of our programs, and uses the control map of our folder.
 */
#include "kernel/private.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "common/util.h"

#define HANDLE 0x4b48u
#define PRIORITY 0x4b48u
#define PROGRAM_PREFIX "khien_"
#define PROGRAM_MAPS 32

const struct kh_filter_point kh_filter_points[KH_FILTER_POINTS] = { { BPF_TC_INGRESS, "tc-ingress" },
								    { BPF_TC_EGRESS, "tc-egress" } };

bool kh_program_uses(uint32_t program, uint32_t control)
{
	int fd KH_CLEANUP(kh_closep) = bpf_prog_get_fd_by_id(program);
	uint32_t maps[PROGRAM_MAPS] = {};
	struct bpf_prog_info info = { .nr_map_ids = PROGRAM_MAPS, .map_ids = (uintptr_t)maps };
	__u32 length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) < 0)
		return false;
	for (uint32_t i = 0; i < info.nr_map_ids && i < PROGRAM_MAPS; i++)
		if (maps[i] == control)
			return true;
	return false;
}

bool kh_program_is_ours(const struct bpf_prog_info *info, uint32_t control)
{
	return !strncmp(info->name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) && kh_program_uses(info->id, control);
}

bool kh_filter_get(uint32_t control, uint32_t ifindex, enum bpf_tc_attach_point point,
		   struct bpf_prog_info *ret_program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = HANDLE, .priority = PRIORITY);
	struct bpf_prog_info info;

	if (bpf_tc_query(&hook, &options) < 0 || kh_program_info(options.prog_id, &info) < 0)
		return false;
	if (!kh_program_is_ours(&info, control))
		return false;
	if (ret_program)
		*ret_program = info;
	return true;
}

int kh_filter_attach(uint32_t ifindex, enum bpf_tc_attach_point point, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = HANDLE, .priority = PRIORITY, .prog_fd = program,
		    .flags = BPF_TC_F_REPLACE);
	int code = bpf_tc_hook_create(&hook);

	if (code < 0 && code != -EEXIST)
		return code;
	hook.attach_point = point;
	return bpf_tc_attach(&hook, &options);
}

void kh_filter_detach(uint32_t control, uint32_t ifindex, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = HANDLE, .priority = PRIORITY);

	if (kh_filter_get(control, ifindex, point, NULL))
		bpf_tc_detach(&hook, &options); /* the filter only: the qdisc may serve others */
}

void kh_filters_remove(uint32_t control, void (*callback)(const char *what, void *context), void *context)
{
	struct if_nameindex *names = if_nameindex();

	for (struct if_nameindex *at = names; at && at->if_index; at++) {
		for (size_t i = 0; i < KH_FILTER_POINTS; i++) {
			char what[128];

			if (!kh_filter_get(control, at->if_index, kh_filter_points[i].point, NULL))
				continue;
			kh_filter_detach(control, at->if_index, kh_filter_points[i].point);
			snprintf(what, sizeof(what), "%s %s", kh_filter_points[i].hook, at->if_name);
			if (callback)
				callback(what, context);
		}
	}
	if_freenameindex(names);
}
