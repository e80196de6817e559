/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unix stream sockets between the programs of this package, and the descriptors that go over them.
 */
#ifndef KHIEN_COMMON_SOCKET_H
#define KHIEN_COMMON_SOCKET_H

#include <stddef.h>
#include <sys/socket.h>

#define KH_SOCKET_FDS_MAX 64 /* descriptors that go with one message */

/* Connects to the socket of that path; close-on-exec. A descriptor, or -ENAMETOOLONG or the errno of connect. */
int kh_socket_connect(const char *path);
/* Sends all of it; the descriptors (KH_SOCKET_FDS_MAX at most, borrowed) go with the first byte. No SIGPIPE. 0 or -errno. */
int kh_socket_send(int fd, const void *data, size_t length, const int *fds, size_t fds_count);
/* Takes the descriptors out of a message received: *ret_fds has room for `room` of them, those beyond are closed. How many came. MSG_CTRUNC in
 * its flags: there were more. */
size_t kh_socket_fds(struct msghdr *message, int *ret_fds, size_t room);
/* Waits for one message of exactly `length` bytes, which came with exactly `count` descriptors: close-on-exec, owned by the caller. 0; -ECONNRESET: the other
 * end is closed; -EPROTO: there were fewer or more, and those that came are closed; or the errno of recvmsg. */
int kh_socket_receive(int fd, void *data, size_t length, int *ret_fds, size_t count);

#endif
