/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is at the other end of the control socket, as the kernel says it, and what that person may do. Nothing the peer itself says counts.
 */
#ifndef KHIEN_DAEMON_PEER_H
#define KHIEN_DAEMON_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kh_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	gid_t *groups; /* the others that it is in */
	size_t groups_count;
	int64_t login; /* the uid it logged in with, kept through sudo (/proc/PID/loginuid); -1: none, or not known */
	bool terminal; /* it has a controlling terminal and is in the foreground of it (/proc/PID/stat); from Linux 6.5 proven as the login is */
	bool login_proven; /* from Linux 6.5: it was read of the process that has connected, and of no later one with its number */
};

/* Asks the kernel about the peer of a Unix socket, at the time when it connected. 0; or -errno, then *ret_peer is unchanged. */
int kh_peer_read(int fd, struct kh_peer *ret_peer);
void kh_peer_clear(struct kh_peer *peer);

#define KH_GROUP_LOOK "khien"
#define KH_GROUP_CHANGE "khien-admin"

enum kh_right {
	KH_RIGHT_NONE,
	KH_RIGHT_LOOK, /* members of KH_GROUP_LOOK */
	KH_RIGHT_CHANGE, /* root, and members of KH_GROUP_CHANGE */
};

/* As the groups of this machine are numbered; (gid_t)-1: there is none of that name. */
struct kh_groups {
	gid_t look, change;
};
void kh_groups_find(struct kh_groups *ret_groups);
/* The most that it may do. */
enum kh_right kh_right_of(const struct kh_peer *peer, const struct kh_groups *groups);

#define KH_ACTOR_BYTES 160
/* "van", or "van (root)" where it is proven that root is van; "uid 1000" for who has no name. Returns buffer. */
char *kh_peer_name(const struct kh_peer *peer, char buffer[static KH_ACTOR_BYTES]);
/* The name of a user. Returns buffer. */
char *kh_user_name(int64_t uid, char buffer[static 64]);

#endif
