// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who is at the other end, and what that person may do: over real sockets, by what the kernel says of this process and its children.
 */
#include "daemon/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/util.h"

#define LOOK 64010
#define CHANGE 64011

static const struct kh_groups groups = { .look = LOOK, .change = CHANGE };

static enum kh_right right_of(uid_t uid, gid_t gid, gid_t *others, size_t count)
{
	struct kh_peer peer = { .uid = uid, .gid = gid, .groups = others, .groups_count = count };

	return kh_right_of(&peer, &groups);
}

static void root_changes_and_others_by_their_groups(void **state)
{
	gid_t both[] = { 7, LOOK, CHANGE }, look[] = { LOOK }, none[] = { 7, 8 };

	(void)state;
	assert_int_equal(right_of(0, 0, NULL, 0), KH_RIGHT_CHANGE);
	assert_int_equal(right_of(1000, 1000, both, 3), KH_RIGHT_CHANGE);
	assert_int_equal(right_of(1000, 1000, look, 1), KH_RIGHT_LOOK);
	assert_int_equal(right_of(1000, LOOK, none, 2), KH_RIGHT_LOOK);
	assert_int_equal(right_of(1000, CHANGE, NULL, 0), KH_RIGHT_CHANGE);
	assert_int_equal(right_of(1000, 1000, none, 2), KH_RIGHT_NONE);
	assert_int_equal(right_of(1000, 0, NULL, 0), KH_RIGHT_NONE); /* root's group is not root */
}

/* A group that there is not is nobody's, though nobody's number is that of "none". */
static void without_groups_only_root_may(void **state)
{
	const struct kh_groups none = { .look = (gid_t)-1, .change = (gid_t)-1 };
	gid_t odd[] = { (gid_t)-1 };
	struct kh_peer peer = { .uid = 1000, .gid = (gid_t)-1, .groups = odd, .groups_count = 1 };

	(void)state;
	assert_int_equal(kh_right_of(&peer, &none), KH_RIGHT_NONE);
	peer.uid = 0;
	assert_int_equal(kh_right_of(&peer, &none), KH_RIGHT_CHANGE);
}

static void a_name_tells_both(void **state)
{
	struct kh_peer peer = { .uid = 0, .login = 4000000001, .login_proven = true };
	char name[KH_ACTOR_BYTES];

	(void)state;
	assert_string_equal(kh_peer_name(&peer, name), "uid 4000000001 (root)");
	peer.login_proven = false;
	assert_string_equal(kh_peer_name(&peer, name), "root");
	peer.login_proven = true;
	peer.login = 0;
	assert_string_equal(kh_peer_name(&peer, name), "root");
	peer.login = -1;
	assert_string_equal(kh_peer_name(&peer, name), "root");
}

static int64_t own_login(void)
{
	FILE *file = fopen("/proc/self/loginuid", "re");
	long long login = 4294967295;

	if (file) {
		assert_int_equal(fscanf(file, "%lld", &login), 1);
		fclose(file);
	}
	return login == 4294967295 ? -1 : login;
}

static void the_kernel_says_who_it_is(void **state)
{
	struct kh_peer peer = {};
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(kh_peer_read(pair[0], &peer), 0);
	assert_int_equal(peer.uid, getuid());
	assert_int_equal(peer.gid, getgid());
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.groups_count, getgroups(0, NULL));
	assert_int_equal(peer.login, own_login());
	kh_peer_clear(&peer);
	assert_null(peer.groups);
	close(pair[0]);
	close(pair[1]);
}

/* A child makes the pair, in many groups, and hands one end over; it waits to be told before it ends. */
static int child_of(size_t groups_count, pid_t *ret_child, int *ret_hold)
{
	int hand[2], hold[2], fd = -1;
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	char byte = 'x';
	struct iovec vector = { &byte, 1 };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, hand), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, hold), 0);
	*ret_child = fork();
	if (!*ret_child) {
		gid_t *many = calloc(groups_count + 1, sizeof(*many));
		int pair[2];
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);

		for (size_t i = 0; many && i < groups_count; i++)
			many[i] = (gid_t)(70000 + i);
		if (!many || (groups_count && setgroups(groups_count, many)) ||
		    socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
			_exit(1);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pair[0], sizeof(int));
		close(hold[0]);
		_exit(sendmsg(hand[1], &message, 0) != 1 || read(hold[1], &byte, 1) < 0);
	}
	close(hold[1]);
	assert_int_equal(recvmsg(hand[0], &message, 0), 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	close(hand[0]);
	close(hand[1]);
	*ret_hold = hold[0];
	return fd;
}

static void let_end(pid_t child, int hold)
{
	int status;

	close(hold);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void many_groups_are_all_read(void **state)
{
	struct kh_peer peer = {};
	pid_t child;
	int hold, fd;

	(void)state;
	if (getuid()) {
		skip();
		return;
	}
	fd = child_of(300, &child, &hold);
	assert_int_equal(kh_peer_read(fd, &peer), 0);
	assert_int_equal(peer.pid, child);
	assert_int_equal(peer.groups_count, 300);
	assert_int_equal(peer.groups[299], 70299);
	kh_peer_clear(&peer);
	close(fd);
	let_end(child, hold);
}

/* Its number may be another's by then. */
static void of_one_that_has_ended_nothing_is_proven(void **state)
{
	struct kh_peer alive = {}, gone = {};
	pid_t child;
	int hold, fd = child_of(0, &child, &hold), process;
	socklen_t size = sizeof(process);

	(void)state;
	assert_int_equal(kh_peer_read(fd, &alive), 0);
	/* SO_PEERPIDFD, Linux 6.5 */
	if (!getsockopt(fd, SOL_SOCKET, 77, &process, &size)) {
		close(process);
		assert_int_equal(alive.login_proven, !access("/proc/self/loginuid", R_OK));
	} else {
		assert_false(alive.login_proven);
	}
	let_end(child, hold);
	assert_int_equal(kh_peer_read(fd, &gone), 0);
	assert_false(gone.login_proven);
	assert_int_equal(gone.login, -1);
	kh_peer_clear(&alive);
	kh_peer_clear(&gone);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_changes_and_others_by_their_groups),
		cmocka_unit_test(without_groups_only_root_may),
		cmocka_unit_test(a_name_tells_both),
		cmocka_unit_test(the_kernel_says_who_it_is),
		cmocka_unit_test(many_groups_are_all_read),
		cmocka_unit_test(of_one_that_has_ended_nothing_is_proven),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
