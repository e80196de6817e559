/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What khiend needs of the machine before it can begin: privileges, a bpffs, folders that no other daemon uses.
 * Every failure comes with the next step.
 */
#ifndef KHIEN_DAEMON_PLATFORM_H
#define KHIEN_DAEMON_PLATFORM_H

#include "common/error.h"

/* Capabilities that BPF and netlink need. 0, or -EPERM with error naming the ones that are missing. */
int kh_platform_privileges(struct kh_error *error);

/* Makes sure that `folder` will be on a bpffs: mounts one at /sys/fs/bpf when the folder is below it and nothing is mounted there
 * yet. 0, -EINVAL (another file system), or the errno of mount. */
int kh_platform_bpffs(const char *folder, struct kh_error *error);

/* Makes the folder (with `mode`) and locks it until the descriptor returned is closed. -EBUSY: another khiend has it. */
int kh_platform_lock(const char *folder, unsigned int mode, struct kh_error *error);

/* Every client may hand over KH_PROTO_MAX_FDS descriptors: raises the soft limit as far as needed and allowed. */
void kh_platform_descriptors(void);

#endif
