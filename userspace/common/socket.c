// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/socket.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/util.h"

union control {
	char space[CMSG_SPACE(sizeof(int) * KH_SOCKET_FDS_MAX)];
	struct cmsghdr align;
};

int kh_socket_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd KH_CLEANUP(kh_closep) = -1;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return KH_TAKE_FD(fd);
}

int kh_socket_send(int fd, const void *data, size_t length, const int *fds, size_t fds_count)
{
	const char *at = data;
	union control control = {};

	while (length) {
		struct iovec part = { .iov_base = (void *)(uintptr_t)at, .iov_len = length };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
		ssize_t sent;

		if (fds_count) {
			struct cmsghdr *header;

			message.msg_control = control.space;
			message.msg_controllen = CMSG_SPACE(sizeof(int) * fds_count);
			header = CMSG_FIRSTHDR(&message);
			header->cmsg_level = SOL_SOCKET;
			header->cmsg_type = SCM_RIGHTS;
			header->cmsg_len = CMSG_LEN(sizeof(int) * fds_count);
			memcpy(CMSG_DATA(header), fds, sizeof(int) * fds_count);
		}
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		fds_count = 0;
		at += sent;
		length -= (size_t)sent;
	}
	return 0;
}

size_t kh_socket_fds(struct msghdr *message, int *ret_fds, size_t room)
{
	size_t taken = 0;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < here; i++, taken++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
			if (taken < room)
				ret_fds[taken] = fd;
			else
				close(fd);
		}
	}
	return taken;
}

int kh_socket_receive(int fd, void *data, size_t length, int *ret_fds, size_t count)
{
	union control control;
	struct iovec part = { .iov_base = data, .iov_len = length };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space)
	};
	ssize_t got;
	size_t taken;

	do
		got = recvmsg(fd, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got ? -errno : -ECONNRESET;
	taken = kh_socket_fds(&message, ret_fds, count);
	if ((size_t)got == length && taken == count && !(message.msg_flags & MSG_CTRUNC))
		return 0;
	for (size_t i = 0; i < taken && i < count; i++)
		close(ret_fds[i]);
	return -EPROTO;
}
