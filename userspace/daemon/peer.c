// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/file.h"
#include "common/text.h"
#include "common/util.h"

#ifndef SO_PEERPIDFD /* Linux 6.5; the headers of older distributions do not have it */
#define SO_PEERPIDFD 77
#endif

#define GROUPS_USUAL 64
#define LOGIN_BYTES 32
#define STAT_BYTES 4096
#define NO_LOGIN ((uint32_t)-1)

/* Those beyond its own are not known where the kernel refuses: then it is in none of them. */
static int read_groups(int fd, struct kh_peer *peer)
{
	socklen_t size = GROUPS_USUAL * sizeof(gid_t);

	for (int tries = 0; tries < 2; tries++) {
		gid_t *groups = malloc(size);

		if (!groups)
			return -ENOMEM;
		if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size)) {
			peer->groups = groups;
			peer->groups_count = size / sizeof(gid_t);
			return 0;
		}
		free(groups);
		if (errno != ERANGE) /* else size says how many there are */
			break;
	}
	return 0;
}

/* Has the process not ended? Then its number is still its own. */
static bool is_alive(int process)
{
	struct pollfd end = { process, POLLIN, 0 };

	return poll(&end, 1, 0) == 0;
}

static void read_login(struct kh_peer *peer)
{
	char path[64], *text KH_CLEANUP(kh_freep) = NULL;
	int64_t login;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)peer->pid);
	if (kh_file_read(path, LOGIN_BYTES, &text, &length) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	if (kh_number_parse(text, 0, UINT32_MAX, &login) < 0)
		return;
	peer->login_proven = true; /* if the process is the one */
	if (login != NO_LOGIN)
		peer->login = login;
}

/* After the name in parentheses, which may hold any bytes: state, parent, group, session, terminal, the terminal's group in the foreground. */
static bool is_at_terminal(const char *stat)
{
	const char *rest = strrchr(stat, ')');
	int group, terminal, foreground;

	return rest && sscanf(rest + 1, " %*c %*d %d %*d %d %d", &group, &terminal, &foreground) == 3 && terminal &&
	       group == foreground;
}

static void read_terminal(struct kh_peer *peer)
{
	char path[64], *text KH_CLEANUP(kh_freep) = NULL;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)peer->pid);
	if (!kh_file_read(path, STAT_BYTES, &text, &length))
		peer->terminal = is_at_terminal(text);
}

static void read_process(int fd, struct kh_peer *peer)
{
	int process KH_CLEANUP(kh_closep) = -1;
	socklen_t size = sizeof(process);
	bool known;

	peer->login = -1;
	if (peer->pid <= 0)
		return; /* of another pid namespace */
	known = !getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &process, &size);
	if (!known)
		process = -1;
	read_login(peer);
	read_terminal(peer);
	/* asked after reading: it was the peer's all the while */
	peer->login_proven = peer->login_proven && known && is_alive(process);
	peer->terminal = peer->terminal && (!known || is_alive(process));
}

int kh_peer_read(int fd, struct kh_peer *ret_peer)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	struct kh_peer peer = {};
	int code;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return -errno;
	peer.uid = credentials.uid;
	peer.gid = credentials.gid;
	peer.pid = credentials.pid;
	code = read_groups(fd, &peer);
	if (code < 0)
		return code;
	read_process(fd, &peer);
	*ret_peer = peer;
	return 0;
}

void kh_peer_clear(struct kh_peer *peer)
{
	free(KH_TAKE(peer->groups));
	peer->groups_count = 0;
}

/* ---- Rights ----------------------------------------------------------------------------------------------- */

static gid_t group_of(const char *name)
{
	const struct group *group = getgrnam(name);

	return group ? group->gr_gid : (gid_t)-1;
}

void kh_groups_find(struct kh_groups *ret_groups)
{
	ret_groups->look = group_of(KH_GROUP_LOOK);
	ret_groups->change = group_of(KH_GROUP_CHANGE);
}

static bool is_in(const struct kh_peer *peer, gid_t group)
{
	if (group == (gid_t)-1)
		return false;
	for (size_t i = 0; i < peer->groups_count; i++)
		if (peer->groups[i] == group)
			return true;
	return peer->gid == group;
}

enum kh_right kh_right_of(const struct kh_peer *peer, const struct kh_groups *groups)
{
	if (!peer->uid || is_in(peer, groups->change))
		return KH_RIGHT_CHANGE;
	return is_in(peer, groups->look) ? KH_RIGHT_LOOK : KH_RIGHT_NONE;
}

/* ---- Names ------------------------------------------------------------------------------------------------ */

char *kh_user_name(int64_t uid, char buffer[static 64])
{
	struct passwd entry, *found = NULL;
	char space[1024];

	if (!getpwuid_r((uid_t)uid, &entry, space, sizeof(space), &found) && found)
		snprintf(buffer, 64, "%s", entry.pw_name);
	else
		snprintf(buffer, 64, "uid %lld", (long long)uid);
	return buffer;
}

char *kh_peer_name(const struct kh_peer *peer, char buffer[static KH_ACTOR_BYTES])
{
	char acting[64], login[64];

	kh_user_name(peer->uid, acting);
	if (peer->login_proven && peer->login >= 0 && peer->login != (int64_t)peer->uid)
		snprintf(buffer, KH_ACTOR_BYTES, "%s (%s)", kh_user_name(peer->login, login), acting);
	else
		snprintf(buffer, KH_ACTOR_BYTES, "%s", acting);
	return buffer;
}
