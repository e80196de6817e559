// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Talks to khiend: one request, one reply (khien/proto.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/util.h"

json_t *kh_request(const char *op)
{
	return json_pack("{s:i, s:s, s:s}", "v", KH_PROTO_VERSION, "op", op, "lang", kh_lang_get());
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int code = -errno;

		close(fd);
		return code;
	}
	return fd;
}

static int send_all(int fd, const char *data, size_t length, const int *fds, size_t fds_count)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * KH_PROTO_MAX_FILES)];
		struct cmsghdr align;
	} control = {};

	while (length) {
		struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = length };
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
		data += sent;
		length -= (size_t)sent;
	}
	return 0;
}

static int receive_all(int fd, char *data, size_t length)
{
	while (length) {
		ssize_t got = recv(fd, data, length, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ECONNRESET;
		data += got;
		length -= (size_t)got;
	}
	return 0;
}

static int exchange(int fd, json_t *request, const int *fds, size_t fds_count, json_t **ret_reply)
{
	char *text KH_CLEANUP(kh_freep) = json_dumps(request, JSON_COMPACT), *frame KH_CLEANUP(kh_freep) = NULL,
	     *answer KH_CLEANUP(kh_freep) = NULL;
	uint32_t length;
	json_t *reply;
	int code;

	if (!text)
		return -ENOMEM;
	if (strlen(text) > KH_PROTO_MAX_REQUEST)
		return -E2BIG;
	length = (uint32_t)strlen(text);
	frame = malloc(sizeof(length) + length);
	if (!frame)
		return -ENOMEM;
	memcpy(frame, &length, sizeof(length));
	memcpy(frame + sizeof(length), text, length);
	code = send_all(fd, frame, sizeof(length) + length, fds, fds_count);
	if (code >= 0)
		code = receive_all(fd, (char *)&length, sizeof(length));
	if (code < 0)
		return code;
	if (length > KH_PROTO_MAX_REPLY)
		return -EMSGSIZE;
	answer = malloc(length);
	if (!answer)
		return -ENOMEM;
	code = receive_all(fd, answer, length);
	if (code < 0)
		return code;
	reply = json_loadb(answer, length, 0, NULL);
	if (!json_is_object(reply)) {
		json_decref(reply);
		return -EBADMSG;
	}
	*ret_reply = reply;
	return 0;
}

static int unreachable(const struct kh_cli *cli, int code)
{
	if (code == -EACCES) {
		kh_complain(_("khien: no permission for %s"), cli->socket);
		kh_complain(_("run as root, or as a member of the group khien-admin"));
		return KH_EXIT_NO_DAEMON;
	}
	kh_complain(_("khien: the daemon does not answer on %s: %s"), cli->socket, strerror(-code));
	kh_complain(_("start it: systemctl start khiend; see why it stopped: journalctl -u khiend -e"));
	return KH_EXIT_NO_DAEMON;
}

static void show_error(const struct kh_cli *cli, json_t *error)
{
	const char *hint = kh_text_of(error, "hint");

	kh_complain("khien %s: %s", cli->command->name, kh_text_of(error, "text"));
	if (hint[0])
		kh_complain("→ %s", hint);
}

int kh_call(const struct kh_cli *cli, json_t *request, const int *fds, size_t fds_count, json_t **ret_reply)
{
	int fd KH_CLEANUP(kh_closep) = connect_to(cli->socket);
	json_t *reply = NULL, *error;
	int code = fd < 0 ? fd : exchange(fd, request, fds, fds_count, &reply);

	*ret_reply = NULL;
	json_decref(request);
	if (code < 0)
		return unreachable(cli, code);
	code = (int)kh_number_of(reply, "exit");
	error = json_object_get(reply, "error");
	if (!error) {
		*ret_reply = reply;
		return code;
	}
	if (cli->json)
		kh_print_json(reply);
	else
		show_error(cli, error);
	json_decref(reply);
	return code;
}

int kh_ask(const struct kh_cli *cli, json_t *request, json_t **ret_reply)
{
	int code = kh_call(cli, request, NULL, 0, ret_reply);

	if (*ret_reply && cli->json) {
		kh_print_json(*ret_reply);
		json_decref(*ret_reply);
		*ret_reply = NULL;
	}
	return code;
}
