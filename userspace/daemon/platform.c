// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What khiend needs of the machine. Looks, mounts a bpffs where that is safe, and locks; nothing else is changed.
 */
#include "daemon/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "common/file.h"
#include "common/lang.h"
#include "daemon/log.h"
#include "khien/proto.h"

#define BPFFS "/sys/fs/bpf"
#define SPARE_DESCRIPTORS 512 /* maps, links, programs, the ledger, sockets */

static int effective_capabilities(uint64_t *ret_capabilities)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	*ret_capabilities = data[0].effective | (uint64_t)data[1].effective << 32;
	return 0;
}

int kh_platform_privileges(struct kh_error *error)
{
	/* CAP_SYS_ADMIN: finding maps and links again by their ids (kernel 6.1, bpf(2) *_GET_FD_BY_ID) */
	static const struct {
		int number;
		const char *name;
	} wanted[] = {
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
		{ CAP_BPF, "CAP_BPF" },
		{ CAP_PERFMON, "CAP_PERFMON" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
	};
	char missing[128] = "";
	uint64_t have = 0;

	if (effective_capabilities(&have) < 0)
		return 0; /* the kernel itself will refuse what is not allowed */
	for (size_t i = 0; i < KH_ARRAY_SIZE(wanted); i++) {
		size_t at = strlen(missing);

		if (!(have >> wanted[i].number & 1))
			snprintf(missing + at, sizeof(missing) - at, " %s", wanted[i].name);
	}
	if (!missing[0])
		return 0;
	kh_fail(error, -EPERM, _("khiend may not load packet programs: missing%s"), missing);
	if (geteuid())
		kh_hint(error, _("run it as root, or: systemctl start khiend"));
	else
		kh_hint(error,
			_("this root is restricted: look at CapabilityBoundingSet of the unit, or at the container"));
	return -EPERM;
}

/* Type of the file system that `folder` is on, or will be on when it is made. */
static int filesystem_of(const char *folder, long *ret_type)
{
	char path[PATH_MAX];
	struct statfs status;

	snprintf(path, sizeof(path), "%s", folder);
	while (statfs(path, &status) < 0) {
		char *slash = strrchr(path, '/');

		if (errno != ENOENT)
			return -errno;
		if (!slash)
			snprintf(path, sizeof(path), ".");
		else
			slash[slash == path] = '\0';
	}
	*ret_type = (long)status.f_type;
	return 0;
}

/* A mount in a private mount namespace (ip netns exec makes one) is gone with its last process, and the pins with it. */
static bool mounts_are_shared_with_init(void)
{
	struct stat ours, of_init;

	/* a sandbox that hides init's is not init's */
	return !stat("/proc/self/ns/mnt", &ours) && !stat("/proc/1/ns/mnt", &of_init) && ours.st_ino == of_init.st_ino;
}

int kh_platform_bpffs(const char *folder, struct kh_error *error)
{
	long type;
	int r = filesystem_of(folder, &type);

	if (r < 0)
		return kh_fail(error, r, "%s: %s", folder, strerror(-r));
	if (type == BPF_FS_MAGIC)
		return 0;
	if (strncmp(folder, BPFFS "/", strlen(BPFFS "/")) != 0) {
		kh_fail(error, -EINVAL, _("%s is not on a bpffs"), folder);
		kh_hint(error, _("name a folder below /sys/fs/bpf with --bpffs, or: mount -t bpf bpf DIR"));
		return -EINVAL;
	}
	if (!mounts_are_shared_with_init()) {
		kh_fail(error, -EINVAL,
			_("no bpffs at %s, and this is a private mount namespace: pins would vanish with it"), BPFFS);
		kh_hint(error,
			_("mount -t bpf bpf /sys/fs/bpf outside first; to enter a network namespace use nsenter --net=/run/netns/NAME, not ip netns exec"));
		return -EINVAL;
	}
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0) {
		r = kh_fail(error, -errno, _("cannot mount a bpffs at %s: %s"), BPFFS, strerror(errno));
		kh_hint(error, _("as root: mount -t bpf bpf /sys/fs/bpf"));
		return r;
	}
	kh_log(LOG_NOTICE, "event=bpffs-mounted path=" BPFFS);
	return 0;
}

int kh_platform_lock(const char *folder, unsigned int mode, struct kh_error *error)
{
	int fd KH_CLEANUP(kh_closep) = -1;
	int r = kh_make_folders(folder, mode);

	if (r < 0)
		return kh_fail(error, r, _("cannot make the folder %s: %s"), folder, strerror(-r));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return kh_fail(error, -errno, "%s: %s", folder, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return kh_fail(error, -errno, _("cannot lock %s: %s"), folder, strerror(errno));
		kh_fail(error, -EBUSY, _("another khiend uses %s"), folder);
		kh_hint(error,
			_("stop it first (systemctl stop khiend), or give this one its own --state, --run and --bpffs"));
		return -EBUSY;
	}
	return KH_TAKE_FD(fd);
}

void kh_platform_descriptors(void)
{
	rlim_t wanted = KH_PROTO_MAX_CLIENTS * (KH_PROTO_MAX_FDS + 1) + SPARE_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		kh_log(LOG_WARNING, "event=descriptor-limit wanted=%ju error=\"%s\"", (uintmax_t)wanted,
		       strerror(errno));
}
