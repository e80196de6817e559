// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attaches the programs: XDP and tcx by pinned bpf_link, clsact filters (filters.c) where the kernel has no tcx (before 6.6).
 * Programs of others are named and left alone.
 */
#include "kernel/private.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#include "common/crash.h"
#include "common/lang.h"
#include "common/util.h"

/* From Linux 6.6; the headers of older distributions do not have them. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)

#define DISPATCHER "xdp_dispatcher" /* libxdp's, from which the programs of several tools are called in turn */

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
	case KH_ATTACHED_CHAINED:
		return "chained";
	}
	return "none";
}

int kh_program_info(uint32_t id, struct bpf_prog_info *ret_info)
{
	int fd KH_CLEANUP(kh_closep) = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) < 0)
		return -errno;
	*ret_info = info;
	return 0;
}

void kh_pin_path(const struct kh_kernel *kernel, const char *hook, uint32_t ifindex,
		 char ret_path[static PATH_MAX + 64])
{
	snprintf(ret_path, PATH_MAX + 64, "%s/links/%s-%u", kernel->folder, hook, ifindex);
}

int kh_link_open(const struct kh_kernel *kernel, const char *hook, uint32_t ifindex, struct bpf_link_info *ret_info)
{
	char path[PATH_MAX + 64];
	struct bpf_link_info info = {};
	__u32 length = sizeof(info), on;
	int fd;

	kh_pin_path(kernel, hook, ifindex, path);
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
	int fd KH_CLEANUP(kh_closep) = kh_link_open(kernel, hook, ifindex, &info);

	return fd >= 0;
}

/* ---- One hook ----------------------------------------------------------------------------------- */

static int pin_link(const struct kh_kernel *kernel, int link, const char *hook, uint32_t ifindex)
{
	char path[PATH_MAX + 64];
	int code;

	KH_CRASH_POINT("attach.linked");
	kh_pin_path(kernel, hook, ifindex, path);
	unlink(path);
	code = bpf_obj_pin(link, path) < 0 ? -errno : 0;
	KH_CRASH_POINT("attach.pinned");
	return code;
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
	int link KH_CLEANUP(kh_closep) =
		bpf_link_create(program, (int)attach->ifindex, egress ? TCX_EGRESS : TCX_INGRESS, NULL);

	if (link >= 0)
		return pin_link(kernel, link, hook, attach->ifindex);
	if (errno != EINVAL && errno != EOPNOTSUPP)
		return -errno;
	return kh_filter_attach(attach->ifindex, egress ? BPF_TC_EGRESS : BPF_TC_INGRESS, program);
}

static bool has_tc(const struct kh_kernel *kernel, uint32_t ifindex, bool egress)
{
	return has_link(kernel, egress ? "tc-egress" : "tc-ingress", ifindex) ||
	       kh_filter_get(kh_map_id(kernel->control_map), ifindex, egress ? BPF_TC_EGRESS : BPF_TC_INGRESS, NULL);
}

/* What another version attached filters until it is taken over, and counts as ours. */
static void look(const struct kh_kernel *kernel, uint32_t ifindex, struct kh_attached *ret_attached)
{
	memset(ret_attached, 0, sizeof(*ret_attached));
	for (; kernel; kernel = kernel->other) {
		if (ret_attached->mode == KH_ATTACHED_NONE && has_link(kernel, "xdp", ifindex))
			ret_attached->mode = KH_ATTACHED_NATIVE;
		if (ret_attached->mode == KH_ATTACHED_NONE && has_link(kernel, "xdp-generic", ifindex))
			ret_attached->mode = KH_ATTACHED_GENERIC;
		if (ret_attached->mode == KH_ATTACHED_NONE && has_tc(kernel, ifindex, false))
			ret_attached->mode = KH_ATTACHED_TC;
		if (ret_attached->mode == KH_ATTACHED_NONE && kh_chain_member(kh_map_id(kernel->control_map), ifindex))
			ret_attached->mode = KH_ATTACHED_CHAINED;
		ret_attached->egress = ret_attached->egress || has_tc(kernel, ifindex, true);
	}
}

/* One of those that the dispatcher there calls in turn, if it takes us in; asked once, as it takes a load of the programs to find out. */
static int attach_chained(struct kh_kernel *kernel, const struct kh_attach *attach, uint32_t dispatcher,
			  struct kh_attached *attached)
{
	struct kh_chain_refusal *refusal = &kernel->refusals[attach->ifindex % KH_INTERFACES_MAX];
	uint32_t member;

	if (refusal->dispatcher != dispatcher)
		*refusal = (struct kh_chain_refusal){ dispatcher, kh_chain_join(kernel, attach->ifindex, &member) };
	if (refusal->code)
		return refusal->code;
	refusal->dispatcher = 0; /* it was replaced by a new one */
	attached->mode = KH_ATTACHED_CHAINED;
	return 0;
}

static int dispatcher_refused(const struct kh_attach *attach, uint32_t id, int code, struct kh_error *error)
{
	kh_fail(error, -EBUSY,
		_("%s: a libxdp dispatcher holds the XDP hook (id %u), and does not take us into its chain: %s"),
		attach->name, id, code == -ELIBACC ? _("libxdp is not installed") : strerror(-code));
	kh_hint(error,
		code == -ELIBACC
			? _("apt-get install libxdp1, and: khien reattach %s; or set mode = tc in [gateway] to filter after its programs")
			: _("its programs (xdp-loader status %s) were left alone; to filter after them set mode = tc in [gateway]"),
		attach->name);
	return -EBUSY;
}

/* Another XDP program holds the hook: joins it where it is a dispatcher, else says which. */
static int meet_owner(struct kh_kernel *kernel, const struct kh_attach *attach, int code, struct kh_attached *attached,
		      struct kh_error *error)
{
	uint32_t id = kh_xdp_on_hook(attach->ifindex);
	struct bpf_prog_info info;

	if (!id)
		return kh_fail(error, code, _("%s: cannot attach: %s"), attach->name, strerror(-code));
	if (kh_program_info(id, &info) < 0)
		info.name[0] = '\0';
	if (!strcmp(info.name, DISPATCHER)) {
		code = attach_chained(kernel, attach, id, attached);
		return code ? dispatcher_refused(attach, id, code, error) : 0;
	}
	kh_fail(error, -EBUSY, _("%s: another XDP program is attached: \"%s\", id %u"), attach->name, info.name, id);
	kh_hint(error, _("it was left alone; take it off, or set mode = tc in [gateway] to filter after it"));
	return -EBUSY;
}

static int attach_ingress(struct kh_kernel *kernel, const struct kh_attach *attach, struct kh_attached *attached,
			  struct kh_error *error)
{
	int code = -EOPNOTSUPP;

	if (attach->ethernet && (attach->wanted == KH_WANT_AUTO || attach->wanted == KH_WANT_NATIVE)) {
		code = attach_xdp(kernel, attach, false);
		if (!code)
			attached->mode = KH_ATTACHED_NATIVE;
		if (code == -EBUSY || code == -EEXIST || (code < 0 && attach->wanted == KH_WANT_NATIVE))
			return meet_owner(kernel, attach, code, attached, error);
		if (code < 0)
			snprintf(attached->notice, sizeof(attached->notice),
				 _("%s has no native XDP here (%s); filtered at tc instead"), attach->name,
				 strerror(-code));
	} else if (attach->ethernet && attach->wanted == KH_WANT_GENERIC) {
		code = attach_xdp(kernel, attach, true);
		if (code < 0)
			return meet_owner(kernel, attach, code, attached, error);
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

int kh_kernel_attach(struct kh_kernel *kernel, const struct kh_attach *attach, struct kh_attached *ret_attached,
		     struct kh_error *error)
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
		attached.anew = true;
	} else if (attached.mode == KH_ATTACHED_TC && attach->ethernet && attach->wanted == KH_WANT_AUTO) {
		snprintf(attached.notice, sizeof(attached.notice),
			 _("%s is filtered at tc and not by native XDP; to try that again: khien reattach %s"),
			 attach->name, attach->name);
	}
	if (attached.mode == KH_ATTACHED_CHAINED)
		snprintf(attached.notice, sizeof(attached.notice),
			 _("%s is filtered in the chain of a libxdp dispatcher, together with programs of others"),
			 attach->name);
	KH_CRASH_POINT("attach.ingress");
	if (attach->egress && !attached.egress) {
		code = attach_tc(kernel, attach, true);
		if (code < 0) {
			if (!was_attached)
				kh_kernel_detach(kernel, attach->ifindex, NULL);
			return kh_fail(error, code, _("%s: cannot attach at tc egress: %s"), attach->name,
				       strerror(-code));
		}
		attached.egress = attached.anew = true;
	}
	*ret_attached = attached;
	return 0;
}

bool kh_kernel_is_attached(struct kh_kernel *kernel, uint32_t ifindex, const struct kh_attached *attached)
{
	struct kh_attached now;

	look(kernel, ifindex, &now);
	return now.mode == attached->mode && (now.egress || !attached->egress);
}

int kh_link_remove(const char *path)
{
	int link KH_CLEANUP(kh_closep) = bpf_obj_get(path);

	if (link >= 0)
		bpf_link_detach(link); /* fails when the device is gone; then there is nothing to take off */
	KH_CRASH_POINT("detach.taken-off");
	return unlink(path) < 0 ? -errno : 0;
}

static int detach(const struct kh_kernel *kernel, uint32_t ifindex, struct kh_error *error)
{
	uint32_t member = kh_chain_member(kh_map_id(kernel->control_map), ifindex);
	static const char *const hooks[] = { "xdp", "xdp-generic", "tc-ingress", "tc-egress" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(hooks); i++) {
		char path[PATH_MAX + 64];
		int code;

		kh_pin_path(kernel, hooks[i], ifindex, path);
		code = kh_link_remove(path);
		if (code < 0 && code != -ENOENT)
			return kh_fail(error, code, _("cannot remove %s: %s"), path, strerror(-code));
	}
	for (size_t i = 0; i < KH_FILTER_POINTS; i++)
		kh_filter_detach(kh_map_id(kernel->control_map), ifindex, kh_filter_points[i].point);
	if (member) {
		int code = kh_chain_leave(ifindex, member);

		if (code < 0)
			return kh_fail(error, code, _("cannot leave the chain of interface %u: %s"), ifindex,
				       strerror(-code));
	}
	return 0;
}

int kh_kernel_detach(struct kh_kernel *kernel, uint32_t ifindex, struct kh_error *error)
{
	kernel->refusals[ifindex % KH_INTERFACES_MAX] =
		(struct kh_chain_refusal){}; /* who asks for it wants another try */
	for (const struct kh_kernel *each = kernel; each; each = each->other) {
		int code = detach(each, ifindex, error);

		if (code < 0)
			return code;
	}
	return 0;
}

int kh_kernel_attachments(struct kh_kernel *kernel,
			  void (*callback)(uint32_t ifindex, const struct kh_attached *, void *), void *context)
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
