// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attaches the programs: XDP and tcx by pinned bpf_link, clsact filters where the kernel has no tcx (before 6.6).
 * Programs of others are named and left alone.
 */
#include "kernel/private.h"

#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

/* From Linux 6.6; the headers of older distributions do not have them. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)

#define FILTER_HANDLE 0x4b48u
#define FILTER_PRIORITY 0x4b48u
#define PROGRAM_PREFIX "khien_"

const char *kh_attached_mode_name(enum kh_attached_mode mode)
{
	switch (mode) {
	case KH_ATTACHED_NONE:
		break;
	case KH_ATTACHED_NATIVE:
		return "native";
	case KH_ATTACHED_GENERIC:
		return "generic";
	case KH_ATTACHED_TC:
		return "tc";
	}
	return "none";
}

static void pin_path(const struct kh_kernel *kernel, const char *hook, uint32_t ifindex, char ret_path[static PATH_MAX + 64])
{
	snprintf(ret_path, PATH_MAX + 64, "%s/links/%s-%u", kernel->folder, hook, ifindex);
}

static int program_info(uint32_t id, struct bpf_prog_info *ret_info)
{
	int fd KH_CLEANUP(kh_closep) = bpf_prog_get_fd_by_id(id);
	__u32 length = sizeof(*ret_info);

	memset(ret_info, 0, sizeof(*ret_info));
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, ret_info, &length) < 0)
		return -errno;
	return 0;
}

/* Opens the pinned link of a hook; a link whose device is gone, or that is not on this device, is unpinned. fd or -ENOENT. */
static int open_link(const struct kh_kernel *kernel, const char *hook, uint32_t ifindex, struct bpf_link_info *ret_info)
{
	char path[PATH_MAX + 64];
	struct bpf_link_info info = {};
	__u32 length = sizeof(info), on;
	int fd;

	pin_path(kernel, hook, ifindex, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &length) < 0) {
		close(fd);
		return -errno;
	}
	on = info.xdp.ifindex; /* tcx has its index at the same place: the first member */
	if (on == ifindex) {
		*ret_info = info;
		return fd;
	}
	close(fd);
	unlink(path);
	return -ENOENT;
}

static bool has_link(const struct kh_kernel *kernel, const char *hook, uint32_t ifindex)
{
	struct bpf_link_info info;
	int fd KH_CLEANUP(kh_closep) = open_link(kernel, hook, ifindex, &info);

	return fd >= 0;
}

/* ---- clsact ------------------------------------------------------------------------------------- */

static int query_filter(uint32_t ifindex, enum bpf_tc_attach_point point, bool *ret_ours)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	struct bpf_prog_info info;
	int code = bpf_tc_query(&hook, &options);

	if (code < 0)
		return code;
	*ret_ours = !program_info(options.prog_id, &info) && !strncmp(info.name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX));
	return 0;
}

static bool has_filter(uint32_t ifindex, enum bpf_tc_attach_point point)
{
	bool ours = false;

	return !query_filter(ifindex, point, &ours) && ours;
}

static int attach_filter(uint32_t ifindex, enum bpf_tc_attach_point point, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY, .prog_fd = program,
		    .flags = BPF_TC_F_REPLACE);
	int code = bpf_tc_hook_create(&hook);

	if (code < 0 && code != -EEXIST)
		return code;
	hook.attach_point = point;
	return bpf_tc_attach(&hook, &options);
}

static void detach_filter(uint32_t ifindex, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

	if (has_filter(ifindex, point))
		bpf_tc_detach(&hook, &options); /* the filter only: the qdisc may serve others */
}

void kh_filters_remove(void (*callback)(const char *what, void *context), void *context)
{
	struct if_nameindex *names = if_nameindex();

	for (struct if_nameindex *at = names; at && at->if_index; at++) {
		static const struct {
			enum bpf_tc_attach_point point;
			const char *name;
		} points[] = { { BPF_TC_INGRESS, "ingress" }, { BPF_TC_EGRESS, "egress" } };

		for (size_t i = 0; i < KH_ARRAY_SIZE(points); i++) {
			char what[128];

			if (!has_filter(at->if_index, points[i].point))
				continue;
			detach_filter(at->if_index, points[i].point);
			snprintf(what, sizeof(what), "tc %s %s", points[i].name, at->if_name);
			if (callback)
				callback(what, context);
		}
	}
	if_freenameindex(names);
}

/* ---- One hook ----------------------------------------------------------------------------------- */

static int pin_link(const struct kh_kernel *kernel, int link, const char *hook, uint32_t ifindex)
{
	char path[PATH_MAX + 64];

	pin_path(kernel, hook, ifindex, path);
	unlink(path);
	return bpf_obj_pin(link, path) < 0 ? -errno : 0;
}

static int attach_xdp(struct kh_kernel *kernel, const struct kh_attach *attach, bool generic)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int program = bpf_program__fd(kh_program_of_hook(kernel, "xdp", true));
	int link KH_CLEANUP(kh_closep) = bpf_link_create(program, (int)attach->ifindex, BPF_XDP, &options);

	if (link < 0)
		return -errno;
	return pin_link(kernel, link, generic ? "xdp-generic" : "xdp", attach->ifindex);
}

static int attach_tc(struct kh_kernel *kernel, const struct kh_attach *attach, bool egress)
{
	const char *hook = egress ? "tc-egress" : "tc-ingress";
	int program = bpf_program__fd(kh_program_of_hook(kernel, hook, attach->ethernet));
	int link KH_CLEANUP(kh_closep) = bpf_link_create(program, (int)attach->ifindex, egress ? TCX_EGRESS : TCX_INGRESS, NULL);

	if (link >= 0)
		return pin_link(kernel, link, hook, attach->ifindex);
	if (errno != EINVAL && errno != EOPNOTSUPP)
		return -errno;
	return attach_filter(attach->ifindex, egress ? BPF_TC_EGRESS : BPF_TC_INGRESS, program);
}

static bool has_tc(const struct kh_kernel *kernel, uint32_t ifindex, bool egress)
{
	return has_link(kernel, egress ? "tc-egress" : "tc-ingress", ifindex) ||
	       has_filter(ifindex, egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
}

static void look(const struct kh_kernel *kernel, uint32_t ifindex, struct kh_attached *ret_attached)
{
	memset(ret_attached, 0, sizeof(*ret_attached));
	if (has_link(kernel, "xdp", ifindex))
		ret_attached->mode = KH_ATTACHED_NATIVE;
	else if (has_link(kernel, "xdp-generic", ifindex))
		ret_attached->mode = KH_ATTACHED_GENERIC;
	else if (has_tc(kernel, ifindex, false))
		ret_attached->mode = KH_ATTACHED_TC;
	ret_attached->egress = has_tc(kernel, ifindex, true);
}

/* Another XDP program holds the hook: say which. */
static int name_owner(const struct kh_attach *attach, int code, struct kh_error *error)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_prog_info info;
	uint32_t id;

	if (bpf_xdp_query((int)attach->ifindex, 0, &query) < 0)
		return kh_fail(error, code, _("%s: cannot attach: %s"), attach->name, strerror(-code));
	id = query.prog_id ? query.prog_id : query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id;
	if (!id)
		return kh_fail(error, code, _("%s: cannot attach: %s"), attach->name, strerror(-code));
	if (program_info(id, &info) < 0)
		info.name[0] = '\0';
	kh_fail(error, -EBUSY, _("%s: another XDP program is attached: \"%s\", id %u"), attach->name, info.name, id);
	kh_hint(error, _("it was left alone; take it off, or set mode = tc in [gateway] to filter after it"));
	return -EBUSY;
}

static int attach_ingress(struct kh_kernel *kernel, const struct kh_attach *attach, struct kh_attached *attached, struct kh_error *error)
{
	int code = -EOPNOTSUPP;

	if (attach->ethernet && (attach->wanted == KH_WANT_AUTO || attach->wanted == KH_WANT_NATIVE)) {
		code = attach_xdp(kernel, attach, false);
		if (!code)
			attached->mode = KH_ATTACHED_NATIVE;
		if (code == -EBUSY || code == -EEXIST || (code < 0 && attach->wanted == KH_WANT_NATIVE))
			return name_owner(attach, code, error);
		if (code < 0)
			snprintf(attached->notice, sizeof(attached->notice), _("%s has no native XDP here (%s); filtered at tc instead"),
				 attach->name, strerror(-code));
	} else if (attach->ethernet && attach->wanted == KH_WANT_GENERIC) {
		code = attach_xdp(kernel, attach, true);
		if (code < 0)
			return name_owner(attach, code, error);
		attached->mode = KH_ATTACHED_GENERIC;
	}
	if (attached->mode != KH_ATTACHED_NONE)
		return 0;
	code = attach_tc(kernel, attach, false);
	if (code < 0)
		return kh_fail(error, code, _("%s: cannot attach at tc ingress: %s"), attach->name, strerror(-code));
	attached->mode = KH_ATTACHED_TC;
	return 0;
}

int kh_kernel_attach(struct kh_kernel *kernel, const struct kh_attach *attach, struct kh_attached *ret_attached, struct kh_error *error)
{
	struct kh_attached attached;
	bool was_attached;
	int code;

	look(kernel, attach->ifindex, &attached);
	was_attached = attached.mode != KH_ATTACHED_NONE;
	if (!was_attached) {
		code = attach_ingress(kernel, attach, &attached, error);
		if (code < 0)
			return code;
	}
	if (attach->egress && !attached.egress) {
		code = attach_tc(kernel, attach, true);
		if (code < 0) {
			if (!was_attached)
				kh_kernel_detach(kernel, attach->ifindex, NULL);
			return kh_fail(error, code, _("%s: cannot attach at tc egress: %s"), attach->name, strerror(-code));
		}
		attached.egress = true;
	}
	*ret_attached = attached;
	return 0;
}

int kh_link_remove(const char *path)
{
	int link KH_CLEANUP(kh_closep) = bpf_obj_get(path);

	if (link >= 0)
		bpf_link_detach(link); /* fails when the device is gone; then there is nothing to take off */
	return unlink(path) < 0 ? -errno : 0;
}

int kh_kernel_detach(struct kh_kernel *kernel, uint32_t ifindex, struct kh_error *error)
{
	static const char *const hooks[] = { "xdp", "xdp-generic", "tc-ingress", "tc-egress" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(hooks); i++) {
		char path[PATH_MAX + 64];
		int code;

		pin_path(kernel, hooks[i], ifindex, path);
		code = kh_link_remove(path);
		if (code < 0 && code != -ENOENT)
			return kh_fail(error, code, _("cannot remove %s: %s"), path, strerror(-code));
	}
	detach_filter(ifindex, BPF_TC_INGRESS);
	detach_filter(ifindex, BPF_TC_EGRESS);
	return 0;
}

/* Splits "tc-egress-7". The hook's length, or 0. */
static size_t split_pin(const char *name, uint32_t *ret_ifindex)
{
	const char *dash = strrchr(name, '-');
	int64_t number;

	if (!dash || kh_number_parse(dash + 1, 1, UINT32_MAX, &number) < 0)
		return 0;
	*ret_ifindex = (uint32_t)number;
	return (size_t)(dash - name);
}

int kh_kernel_attachments(struct kh_kernel *kernel, void (*callback)(uint32_t ifindex, const struct kh_attached *, void *), void *context)
{
	struct if_nameindex *names = if_nameindex();

	if (!names)
		return -errno;
	for (struct if_nameindex *at = names; at->if_index; at++) {
		struct kh_attached attached;

		look(kernel, at->if_index, &attached);
		if (attached.mode != KH_ATTACHED_NONE || attached.egress)
			callback(at->if_index, &attached, context);
	}
	if_freenameindex(names);
	return 0;
}

/* ---- Adoption ----------------------------------------------------------------------------------- */

struct move {
	int link;
	uint32_t old_program;
};

/* Moves one link to the program that this build would attach there. 1 moved, 0 it carries the same already, or -errno. */
static int move_link(struct kh_kernel *kernel, const char *hook, uint32_t ifindex, struct move *ret_move)
{
	struct bpf_link_info info;
	struct bpf_prog_info old, fresh;
	struct bpf_program *program;
	__u32 length = sizeof(fresh);
	int fd KH_CLEANUP(kh_closep) = open_link(kernel, hook, ifindex, &info);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (program_info(info.prog_id, &old) < 0)
		return -errno;
	program = kh_program_of_hook(kernel, hook, !strstr(old.name, "_l3"));
	memset(&fresh, 0, sizeof(fresh));
	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &fresh, &length) < 0)
		return -errno;
	if (!memcmp(old.tag, fresh.tag, sizeof(old.tag)))
		return 0;
	if (bpf_link_update(fd, bpf_program__fd(program), NULL) < 0)
		return -errno;
	ret_move->link = KH_TAKE_FD(fd);
	ret_move->old_program = info.prog_id;
	return 1;
}

static void move_back(const struct move *move)
{
	int program KH_CLEANUP(kh_closep) = bpf_prog_get_fd_by_id(move->old_program);

	if (program >= 0)
		bpf_link_update(move->link, program, NULL);
}

int kh_links_move(struct kh_kernel *kernel, struct kh_error *error)
{
	struct move moves[4 * KH_INTERFACES_MAX];
	char path[PATH_MAX + 16];
	struct dirent *entry;
	size_t count = 0;
	int code = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/links", kernel->folder);
	folder = opendir(path);
	if (!folder)
		return kh_fail(error, -errno, _("cannot read %s: %s"), path, strerror(errno));
	while (code >= 0 && count < KH_ARRAY_SIZE(moves) && (entry = readdir(folder))) {
		uint32_t ifindex;
		char hook[32];
		size_t length = split_pin(entry->d_name, &ifindex);

		if (!length || length >= sizeof(hook))
			continue;
		memcpy(hook, entry->d_name, length);
		hook[length] = '\0';
		code = move_link(kernel, hook, ifindex, &moves[count]);
		if (code > 0)
			count++;
	}
	closedir(folder);
	for (size_t i = 0; i < count; i++) {
		if (code < 0)
			move_back(&moves[i]);
		close(moves[i].link);
	}
	return code < 0 ? kh_fail(error, code, _("cannot move the attached programs to this version: %s"), strerror(-code)) : 0;
}
