// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One connection of the control socket. It is in one of four states: waiting for a request, reading one, held until there is a reply, writing it;
 * it never reads ahead of the request it is on, so a descriptor always belongs to the request that it came with.
 */
#include "daemon/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "common/crash.h"
#include "common/lang.h"
#include "common/socket.h"
#include "daemon/frame.h"
#include "daemon/log.h"

#define KERNEL_MAX_FILES 253 /* SCM_MAX_FD: what one message can carry */
#define LATE_USEC 1000000u
#define WRITE_PROGRESS (64u << 10) /* bytes a slow reader must take in each idle time */

enum state {
	STATE_WAITING,
	STATE_READING,
	STATE_HELD, /* there is no reply yet */
	STATE_WRITING,
};

struct kh_client {
	TAILQ_ENTRY(kh_client) entry;
	struct kh_control_server *server;
	sd_event_source *io;
	sd_event_source *deadline;
	int fd;
	struct kh_peer peer;
	enum state state;
	bool served; /* has had a reply: may then wait as long as no one needs its place */
	bool last_reply; /* out of step: closed once the reply is out */
	uint64_t since_usec; /* struct kh_client_standing */

	uint32_t length; /* first the header, then what it announces */
	uint32_t header_got;
	char *body;
	uint32_t body_got;
	int files[KH_PROTO_MAX_FDS];
	size_t files_count;
	bool files_excess;

	char *reply;
	size_t reply_length;
	size_t reply_sent;
	size_t reply_checked; /* sent at the last deadline */
};

static void request_clear(struct kh_client *client)
{
	for (size_t i = 0; i < client->files_count; i++)
		close(client->files[i]);
	client->files_count = 0;
	client->files_excess = false;
	free(client->body);
	client->body = NULL;
	client->header_got = client->body_got = client->length = 0;
}

/* It is out, or nobody is there to take it. */
static void reply_end(struct kh_client *client)
{
	struct kh_control_server *server = client->server;

	free(KH_TAKE(client->reply));
	server->answering--;
	if (server->answered)
		server->answered(server->context);
}

void kh_client_free(struct kh_client *client)
{
	struct kh_control_server *server;

	if (!client)
		return;
	server = client->server;
	sd_event_source_disable_unref(client->io);
	sd_event_source_disable_unref(client->deadline);
	kh_closep(&client->fd);
	request_clear(client);
	if (client->reply)
		reply_end(client);
	TAILQ_REMOVE(&server->clients, client, entry);
	server->clients_count--;
	kh_peer_clear(&client->peer);
	free(client);
	kh_control_resume(server);
}

/* Not sd_event_now(): that is when the loop woke up, and the request just answered may have taken long. */
static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static int deadline_arm(struct kh_client *client)
{
	int r = sd_event_source_set_time(client->deadline, now_usec() + client->server->idle_usec);

	return r < 0 ? r : sd_event_source_set_enabled(client->deadline, SD_EVENT_ONESHOT);
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

/* In that state, for as long as nobody needs its place. */
static int wait_as(struct kh_client *client, enum state state, uint32_t events)
{
	struct kh_control_server *server = client->server;
	int r;

	client->state = state;
	client->since_usec = now_usec();
	TAILQ_REMOVE(&server->clients, client, entry);
	TAILQ_INSERT_TAIL(&server->clients, client, entry);
	r = sd_event_source_set_enabled(client->deadline, SD_EVENT_OFF);
	return r < 0 ? r : sd_event_source_set_io_events(client->io, events);
}

static int wait_for_request(struct kh_client *client)
{
	client->served = true;
	return wait_as(client, STATE_WAITING, EPOLLIN);
}

/* ---- Reply -------------------------------------------------------------------------------------- */

static int reply_write(struct kh_client *client)
{
	ssize_t sent = send(client->fd, client->reply + client->reply_sent, client->reply_length - client->reply_sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	client->reply_sent += (size_t)sent;
	client->since_usec = now_usec();
	if (client->reply_sent < client->reply_length)
		return 0;
	reply_end(client);
	return client->last_reply ? -ESHUTDOWN : wait_for_request(client);
}

/* Takes the reference over. */
static int reply_start_take(struct kh_client *client, json_t *object)
{
	int r = object ? kh_frame_render(object, &client->reply, &client->reply_length) : -ENOMEM;

	json_decref(object);
	if (r == -EMSGSIZE) {
		struct kh_error error;

		kh_fail(&error, r, _("the answer is larger than %u MiB"), KH_PROTO_MAX_REPLY >> 20);
		kh_hint(&error, _("ask for less at once: give a limit or a letter"));
		object = kh_frame_error(KH_EXIT_FAILED, &error);
		r = object ? kh_frame_render(object, &client->reply, &client->reply_length) : -ENOMEM;
		json_decref(object);
	}
	if (r < 0)
		return r;
	client->server->answering++;
	client->state = STATE_WRITING;
	client->reply_sent = client->reply_checked = 0;
	r = sd_event_source_set_io_events(client->io, EPOLLOUT);
	if (r < 0)
		return r;
	r = deadline_arm(client);
	return r < 0 ? r : reply_write(client);
}

/* ---- Request ------------------------------------------------------------------------------------ */

/* Only regular files (a memfd is one): reading a pipe or a terminal would hold up everyone. */
static int files_check(const struct kh_client *client, struct kh_error *error)
{
	struct stat status;

	if (client->files_excess) {
		kh_fail(error, -E2BIG, _("more than %d files with one request"), KH_PROTO_MAX_FDS);
		kh_hint(error, _("push them in several goes; files with the same letter number join"));
		return -E2BIG;
	}
	for (size_t i = 0; i < client->files_count; i++) {
		if (!fstat(client->files[i], &status) && S_ISREG(status.st_mode))
			continue;
		kh_fail(error, -EINVAL, _("file %zu of the request is not a regular file"), i + 1);
		kh_hint(error, _("save it to a file first, then push that"));
		return -EINVAL;
	}
	return 0;
}

static json_t *request_answer(struct kh_client *client)
{
	char language[3];
	struct kh_error error = { 0 };
	json_t *request = NULL, *reply;
	const char *asked;

	if (kh_frame_parse(client->body, client->length, &request, &error) < 0)
		return kh_frame_error(KH_EXIT_USAGE, &error);

	snprintf(language, sizeof(language), "%s", kh_lang_get());
	asked = json_string_value(json_object_get(request, "lang"));
	if (asked)
		kh_lang_set(asked);
	if (files_check(client, &error) < 0)
		reply = kh_frame_error(KH_EXIT_USAGE, &error);
	else
		reply = client->server->handler(client->server->context, &client->peer, request, client->files,
						client->files_count);
	kh_lang_set(language);
	json_decref(request);
	return reply;
}

static void files_take(struct kh_client *client, struct msghdr *message)
{
	size_t room = KH_PROTO_MAX_FDS - client->files_count;
	size_t came = kh_socket_fds(message, client->files + client->files_count, room);

	client->files_count += came < room ? came : room;
	/* truncated: no room for them in our table of descriptors */
	if (came > room || message->msg_flags & MSG_CTRUNC)
		client->files_excess = true;
}

/* Up to `size` bytes. More than 0, 0: nothing there yet, or -errno. */
static ssize_t receive(struct kh_client *client, void *data, size_t size)
{
	union {
		char bytes[CMSG_SPACE(KERNEL_MAX_FILES * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec vector = { .iov_base = data, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	files_take(client, &message);
	return got ? got : -ECONNRESET;
}

static int header_check(struct kh_client *client)
{
	struct kh_error error;

	if (client->length > KH_PROTO_MAX_REQUEST) {
		kh_fail(&error, -EMSGSIZE, _("a request of %u bytes is larger than the limit of %u"), client->length,
			KH_PROTO_MAX_REQUEST);
		kh_hint(&error, _("give long lists as a file"));
		client->last_reply = true;
		request_clear(client);
		return reply_start_take(client, kh_frame_error(KH_EXIT_USAGE, &error));
	}
	client->body = malloc((size_t)client->length + 1);
	return client->body ? 0 : -ENOMEM;
}

static int answer(struct kh_client *client)
{
	json_t *reply = request_answer(client);
	int r;

	KH_CRASH_POINT("request.done");
	if (json_is_null(reply))
		return client->state == STATE_HELD ? 0 : wait_as(client, STATE_HELD, EPOLLRDHUP);
	r = reply_start_take(client, reply);
	KH_CRASH_POINT("request.answered");
	request_clear(client);
	return r;
}

static int request_read(struct kh_client *client)
{
	ssize_t got;
	int r;

	if (client->header_got < sizeof(client->length)) {
		got = receive(client, (char *)&client->length + client->header_got,
			      sizeof(client->length) - client->header_got);
		if (got <= 0)
			return (int)got;
		if (client->state == STATE_WAITING)
			client->since_usec = now_usec();
		if (client->state == STATE_WAITING && client->served) {
			r = deadline_arm(client);
			if (r < 0)
				return r;
		}
		client->state = STATE_READING;
		client->header_got += (uint32_t)got;
		if (client->header_got < sizeof(client->length))
			return 0;
		r = header_check(client);
		if (r < 0 || client->state != STATE_READING || client->length)
			return r;
	} else {
		got = receive(client, client->body + client->body_got, client->length - client->body_got);
		if (got <= 0)
			return (int)got;
		client->body_got += (uint32_t)got;
	}
	if (client->body_got < client->length)
		return 0;
	return answer(client);
}

/* ---- Life --------------------------------------------------------------------------------------- */

static void end_failed(struct kh_client *client, int code)
{
	if (code != -ECONNRESET && code != -ESHUTDOWN && code != -EPIPE)
		kh_log(LOG_WARNING, "event=client-failed pid=%d uid=%u error=\"%s\"", (int)client->peer.pid,
		       client->peer.uid, strerror(-code));
	kh_client_free(client);
}

static int on_io(sd_event_source *source KH_UNUSED, int fd KH_UNUSED, uint32_t events KH_UNUSED, void *data)
{
	struct kh_client *client = data;
	int r;

	if (client->state == STATE_HELD)
		r = -ECONNRESET; /* it has left: nothing else is watched for */
	else
		r = client->state == STATE_WRITING ? reply_write(client) : request_read(client);
	if (r < 0)
		end_failed(client, r);
	return 0;
}

void kh_client_again(struct kh_client *client)
{
	int r = client->state == STATE_HELD ? answer(client) : 0;

	if (r < 0)
		end_failed(client, r);
}

struct kh_client *kh_client_next(struct kh_client *client)
{
	return TAILQ_NEXT(client, entry);
}

static int on_deadline(sd_event_source *source KH_UNUSED, uint64_t usec, void *data)
{
	struct kh_client *client = data;
	bool moving = client->state == STATE_WRITING && client->reply_sent - client->reply_checked >= WRITE_PROGRESS;
	bool held_up = now_usec() - usec > LATE_USEC; /* by another request: its bytes may be waiting for us */

	if ((moving || held_up) && deadline_arm(client) >= 0) {
		client->reply_checked = client->reply_sent;
		return 0;
	}
	kh_log(LOG_NOTICE, "event=client-timeout pid=%d uid=%u while=%s", (int)client->peer.pid, client->peer.uid,
	       client->state == STATE_WRITING ? "writing" : "reading");
	kh_client_free(client);
	return 0;
}

void kh_client_stand(const struct kh_client *client, struct kh_client_standing *ret_standing)
{
	struct pollfd ready = { client->fd, client->state == STATE_WRITING ? POLLOUT : POLLIN, 0 };
	uint64_t waits = now_usec() - client->since_usec, idle = client->server->idle_usec;
	uint64_t grace = KH_PROTO_GRACE_SECONDS * 1000000ull;

	ret_standing->uid = client->peer.uid;
	ret_standing->since_usec = client->since_usec;
	ret_standing->owes = client->state != STATE_HELD && poll(&ready, 1, 0) == 0;
	if (client->state == STATE_HELD)
		ret_standing->overdue = waits >= idle;
	else
		ret_standing->overdue = ret_standing->owes && waits >= (idle < grace ? idle : grace);
}

/* Whose turn it is: root's, and of each other user the first connection's; then the second ones', and so on. */
static int take_turn(struct kh_client *client)
{
	const struct kh_client *other;
	int64_t before = 0;

	TAILQ_FOREACH(other, &client->server->clients, entry)
		before += other != client && other->peer.uid == client->peer.uid;
	return sd_event_source_set_priority(client->io, SD_EVENT_PRIORITY_NORMAL + (client->peer.uid ? before : 0));
}

int kh_client_new_take(struct kh_control_server *server, int fd)
{
	struct kh_client *client = calloc(1, sizeof(*client));
	int r = client ? kh_peer_read(fd, &client->peer) : -ENOMEM;

	if (r < 0) {
		free(client);
		close(fd);
		return r;
	}
	client->server = server;
	client->fd = fd;
	client->since_usec = now_usec();
	TAILQ_INSERT_TAIL(&server->clients, client, entry);
	server->clients_count++;
	r = sd_event_add_io(server->event, &client->io, fd, EPOLLIN, on_io, client);
	if (r >= 0)
		r = take_turn(client);
	if (r >= 0)
		r = sd_event_add_time_relative(server->event, &client->deadline, CLOCK_MONOTONIC, server->idle_usec, 0,
					       on_deadline, client);
	if (r < 0)
		kh_client_free(client);
	return r < 0 ? r : 0;
}
