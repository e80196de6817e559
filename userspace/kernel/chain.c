// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a dispatcher of libxdp holds the XDP hook, a copy of our program becomes one of those that it calls in turn. libxdp does it, atomically: a new
 * dispatcher with all of them takes the place of the old. It is loaded when it is first needed; without it, or where the kernel does not let a program
 * replace a function of another (freplace), the hook stays with its owner.
 *
 * Who is in a chain is told by libxdp's pins: <bpffs>/xdp/dispatch-IFINDEX-ID/progN-prog, ID being that of the program on the hook (libxdp's protocol.org, "Locking
 * and pinning").
 */
#include "kernel/private.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "common/util.h"

#define LIBRARY "libxdp.so.1"
#define RUN_PRIORITY 10 /* before those that do not say (50): what is dropped is dropped for all */

/* Its functions, as its header declares them. */
#define FUNCTIONS(X)                       \
	X(libxdp_get_error)                \
	X(libxdp_set_print)                \
	X(xdp_program__from_bpf_obj)       \
	X(xdp_program__set_run_prio)       \
	X(xdp_program__attach)             \
	X(xdp_program__detach)             \
	X(xdp_program__id)                 \
	X(xdp_program__close)              \
	X(xdp_multiprog__get_from_ifindex) \
	X(xdp_multiprog__attach_mode)      \
	X(xdp_multiprog__is_legacy)        \
	X(xdp_multiprog__next_prog)        \
	X(xdp_multiprog__close)

struct library {
	void *handle;
#define MEMBER(name) __typeof__(&name) name;
	FUNCTIONS(MEMBER)
#undef MEMBER
};

/* NULL: it is not installed, or another. Stays loaded. */
static const struct library *library(void)
{
	static struct library loaded;

	if (loaded.handle)
		return &loaded;
	loaded.handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!loaded.handle)
		return NULL;
#define FIND(name)                                            \
	*(void **)&loaded.name = dlsym(loaded.handle, #name); \
	if (!loaded.name) {                                   \
		dlclose(KH_TAKE(loaded.handle));              \
		return NULL;                                  \
	}
	FUNCTIONS(FIND)
#undef FIND
	loaded.libxdp_set_print(NULL);
	return &loaded;
}

/* ---- Who is in it ------------------------------------------------------------------------------- */

uint32_t kh_xdp_on_hook(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query((int)ifindex, 0, &query) < 0)
		return 0;
	return query.prog_id ? query.prog_id : query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id;
}

/* The program of a pin when it is ours and uses this control map; else 0. */
static uint32_t member_of_pin(const char *path, uint32_t control)
{
	int fd KH_CLEANUP(kh_closep) = bpf_obj_get(path);
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) < 0)
		return 0;
	return kh_program_is_ours(&info, control) ? info.id : 0;
}

uint32_t kh_chain_member(uint32_t control, uint32_t ifindex)
{
	const char *bpffs = secure_getenv(XDP_BPFFS_ENVVAR);
	uint32_t dispatcher = kh_xdp_on_hook(ifindex), member = 0;
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *folder;

	if (!dispatcher)
		return 0;
	snprintf(path, sizeof(path), "%s/xdp/dispatch-%u-%u", bpffs ? bpffs : "/sys/fs/bpf", ifindex, dispatcher);
	folder = opendir(path);
	if (!folder)
		return 0;
	while (!member && (entry = readdir(folder))) {
		const char *end = strrchr(entry->d_name, '-');
		char pin[PATH_MAX + 300];

		if (!end || strcmp(end, "-prog"))
			continue;
		snprintf(pin, sizeof(pin), "%s/%s", path, entry->d_name);
		member = member_of_pin(pin, control);
	}
	closedir(folder);
	return member;
}

/* ---- In and out --------------------------------------------------------------------------------- */

/* Our object once more, on the same maps; of its programs only the one for XDP will be loaded, as the function of a dispatcher. */
static int open_copy(const struct kh_kernel *kernel, struct bpf_object **ret_object, const char **ret_section)
{
	size_t size;
	const void *bytes = kh_object_bytes(&size);
	struct bpf_object *object = bpf_object__open_mem(bytes, size, NULL);
	const char *wanted = bpf_program__name(kh_program_of_hook(kernel, "xdp", true));
	struct bpf_program *program;
	int code;

	if (!object)
		return -errno;
	*ret_section = NULL;
	bpf_object__for_each_program(program, object) {
		bool is_wanted = !strcmp(bpf_program__name(program), wanted);

		bpf_program__set_autoload(program, is_wanted);
		if (is_wanted)
			*ret_section = bpf_program__section_name(program);
	}
	code = kh_maps_pin(object, kernel->folder);
	if (code < 0 || !*ret_section) {
		bpf_object__close(object);
		return code < 0 ? code : -ENOENT;
	}
	*ret_object = object;
	return 0;
}

/* 0, or the error of libxdp; *ret_mode is that of the dispatcher, which those in it share. */
static int mode_of(const struct library *xdp, uint32_t ifindex, enum xdp_attach_mode *ret_mode)
{
	struct xdp_multiprog *chain = xdp->xdp_multiprog__get_from_ifindex((int)ifindex);
	long code = xdp->libxdp_get_error(chain);

	if (code)
		return (int)code;
	*ret_mode = xdp->xdp_multiprog__attach_mode(chain);
	if (xdp->xdp_multiprog__is_legacy(chain))
		code = -EBUSY;
	xdp->xdp_multiprog__close(chain);
	return (int)code;
}

int kh_chain_join(const struct kh_kernel *kernel, uint32_t ifindex, uint32_t *ret_member)
{
	const struct library *xdp = library();
	struct bpf_object *object = NULL;
	struct xdp_program *program;
	enum xdp_attach_mode mode = XDP_MODE_NATIVE;
	const char *section = NULL;
	int code;

	if (!xdp)
		return -ELIBACC;
	code = mode_of(xdp, ifindex, &mode);
	if (code >= 0)
		code = open_copy(kernel, &object, &section);
	if (code < 0)
		return code;
	program = xdp->xdp_program__from_bpf_obj(object, section);
	code = (int)xdp->libxdp_get_error(program);
	if (!code) {
		code = xdp->xdp_program__set_run_prio(program, RUN_PRIORITY);
		if (!code)
			code = xdp->xdp_program__attach(program, (int)ifindex, mode, 0);
		if (!code)
			*ret_member = xdp->xdp_program__id(program);
		xdp->xdp_program__close(program);
	}
	bpf_object__close(object); /* what is in the chain is pinned by libxdp */
	return code;
}

int kh_chain_leave(uint32_t ifindex, uint32_t member)
{
	const struct library *xdp = library();
	struct xdp_program *program = NULL;
	struct xdp_multiprog *chain;
	int code = -ENOENT;

	if (!xdp)
		return -ELIBACC;
	chain = xdp->xdp_multiprog__get_from_ifindex((int)ifindex);
	if (xdp->libxdp_get_error(chain))
		return (int)xdp->libxdp_get_error(chain);
	while ((program = xdp->xdp_multiprog__next_prog(program, chain)))
		if (xdp->xdp_program__id(program) == member) {
			code = xdp->xdp_program__detach(program, (int)ifindex, xdp->xdp_multiprog__attach_mode(chain),
							0);
			break;
		}
	xdp->xdp_multiprog__close(chain);
	return code;
}

void kh_chains_remove(uint32_t control, void (*callback)(const char *what, void *context), void *context)
{
	struct if_nameindex *names = if_nameindex();

	for (struct if_nameindex *at = names; at && at->if_index; at++) {
		uint32_t member = kh_chain_member(control, at->if_index);
		char what[IF_NAMESIZE + 32];

		if (!member || kh_chain_leave(at->if_index, member) < 0 || !callback)
			continue;
		snprintf(what, sizeof(what), "xdp chain %s", at->if_name);
		callback(what, context);
	}
	if_freenameindex(names);
}
