// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Talks to khiend: one request, one reply, by khien/proto.h. Nothing of a reply is believed before its size and shape are checked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/socket.h"

json_t *kh_request(const char *op)
{
	json_t *request = json_pack("{s:i, s:s, s:s, s:s*}", "v", KH_PROTO_VERSION, "op", op, "lang", kh_lang_get(),
				    "session", kh_session_find());

	if (isatty(STDIN_FILENO))
		json_object_set_new(request, "typed", json_true());
	return request;
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

static int send_request(int fd, json_t *request, const int *fds, size_t fds_count)
{
	char *text KH_CLEANUP(kh_freep) = json_dumps(request, JSON_COMPACT), *frame KH_CLEANUP(kh_freep) = NULL;
	size_t size = text ? strlen(text) : 0;
	uint32_t length = (uint32_t)size;
	int code;

	if (size > KH_PROTO_MAX_REQUEST)
		return -E2BIG;
	frame = text ? malloc(sizeof(length) + size) : NULL;
	if (!frame)
		return -ENOMEM;
	memcpy(frame, &length, sizeof(length));
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): its length goes before it */
	memcpy(frame + sizeof(length), text, size);
	code = kh_socket_send(fd, frame, sizeof(length) + size, fds, fds_count);
	/* it may have answered, refusing, before it read everything */
	return code == -EPIPE || code == -ECONNRESET ? 0 : code;
}

static int receive_reply(int fd, json_t **ret_reply)
{
	json_t *reply KH_CLEANUP(kh_json_decrefp) = NULL, *code_member;
	char *text KH_CLEANUP(kh_freep) = NULL;
	uint32_t length;
	int code = receive_all(fd, (char *)&length, sizeof(length));

	if (code < 0)
		return code;
	if (length > KH_PROTO_MAX_REPLY)
		return -EBADMSG;
	text = malloc(length + (size_t)1);
	if (!text)
		return -ENOMEM;
	code = receive_all(fd, text, length);
	if (code < 0)
		return code;
	reply = json_loadb(text, length, 0, NULL);
	code_member = json_object_get(reply, "exit");
	if (!json_is_integer(code_member) || json_integer_value(code_member) < KH_EXIT_DONE ||
	    json_integer_value(code_member) > KH_EXIT_PARTLY)
		return -EBADMSG;
	*ret_reply = KH_TAKE(reply);
	return 0;
}

/* ---- What went wrong ---------------------------------------------------------------------------- */

void kh_show_error(const struct kh_cli *cli, const char *text, const char *hint)
{
	if (cli->json) {
		json_t *object KH_CLEANUP(kh_json_decrefp) =
			json_pack("{s:{s:s, s:s?}}", "error", "text", text, "hint", hint);

		if (cli->extra)
			json_object_update(object, cli->extra);
		kh_json_print(object);
		return;
	}
	kh_complain("khien %s: %s", cli->command->name, kh_printable(text));
	if (hint && hint[0])
		kh_complain("→ %s", kh_printable(hint));
}

static int show_unreachable(const struct kh_cli *cli, int code)
{
	char text[512];

	switch (code) {
	case -EACCES:
	case -EPERM:
		snprintf(text, sizeof(text), _("no permission for %s"), cli->socket);
		kh_show_error(
			cli, text,
			_("run it as root (sudo khien ...), or as a member of the group khien; to change something, of khien-admin too"));
		break;
	case -ENOENT:
	case -ECONNREFUSED:
		snprintf(text, sizeof(text), _("the daemon is not running: nobody answers on %s"), cli->socket);
		kh_show_error(cli, text,
			      _("start it: systemctl start khiend; see why it stopped: journalctl -u khiend -e"));
		break;
	default:
		snprintf(text, sizeof(text), _("the daemon cannot be reached on %s: %s"), cli->socket, strerror(-code));
		kh_show_error(cli, text, NULL);
	}
	return KH_EXIT_NO_DAEMON;
}

static int show_broken(const struct kh_cli *cli, int code)
{
	char text[512];

	switch (code) {
	case -E2BIG:
		kh_show_error(cli, _("too much for one request"),
			      _("write the values into a file, one a line, and push the file"));
		return KH_EXIT_USAGE;
	case -EBADMSG:
		snprintf(text, sizeof(text), _("what answers on %s is not khiend, or not of this version"),
			 cli->socket);
		kh_show_error(cli, text, _("update both together, then: systemctl restart khiend"));
		break;
	case -ECONNRESET:
		kh_show_error(
			cli, _("the daemon went away before it answered"),
			_("what was asked may have been done or not: khien history tells; why it stopped: journalctl -u khiend -e"));
		break;
	default:
		snprintf(text, sizeof(text), _("the talk with the daemon failed: %s"), strerror(-code));
		kh_show_error(cli, text, NULL);
	}
	return KH_EXIT_NO_DAEMON;
}

/* ---- Asking ------------------------------------------------------------------------------------- */

static int exchange(int fd, json_t *request, const int *fds, size_t fds_count, json_t **ret_reply)
{
	int code = send_request(fd, request, fds, fds_count);

	return code < 0 ? code : receive_reply(fd, ret_reply);
}

int kh_call(struct kh_cli *cli, json_t *request, const int *fds, size_t fds_count, json_t **ret_reply)
{
	json_t *reply KH_CLEANUP(kh_json_decrefp) = NULL, *error;
	int fd KH_CLEANUP(kh_closep) = kh_socket_connect(cli->socket);
	int code;

	*ret_reply = NULL;
	cli->unreachable = fd < 0 ? -fd : 0;
	if (fd < 0)
		return show_unreachable(cli, fd);
	code = exchange(fd, request, fds, fds_count, &reply);
	if (code < 0)
		return show_broken(cli, code);
	code = (int)kh_number_of(reply, "exit");
	error = json_object_get(reply, "error");
	if (!error)
		*ret_reply = KH_TAKE(reply);
	else if (cli->json)
		kh_json_print(reply);
	else
		kh_show_error(cli, kh_text_of(error, "text"), kh_text_of(error, "hint"));
	return code;
}

void kh_call_quietly(struct kh_cli *cli, json_t *request, json_t **ret_reply)
{
	json_t *reply KH_CLEANUP(kh_json_decrefp) = NULL;
	int fd KH_CLEANUP(kh_closep) = kh_socket_connect(cli->socket);

	*ret_reply = NULL;
	if (fd >= 0 && exchange(fd, request, NULL, 0, &reply) >= 0 && !json_object_get(reply, "error"))
		*ret_reply = KH_TAKE(reply);
}

int kh_ask(struct kh_cli *cli, json_t *request, void (*show)(json_t *reply))
{
	json_t *reply KH_CLEANUP(kh_json_decrefp) = NULL;
	int code = kh_call(cli, request, NULL, 0, &reply);

	if (reply && cli->json)
		kh_json_print(reply);
	else if (reply)
		show(reply);
	return code;
}
