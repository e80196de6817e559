/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the control socket share: a server in a loop of its own that notes what its handler is given, and clients.
 */
#ifndef KHIEN_TESTS_CONTROL_CASE_H
#define KHIEN_TESTS_CONTROL_CASE_H

#include "daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <cmocka.h>

#include "daemon/client.h"

#define SHORT_USEC 20000
#define FAR_USEC 1000000000u

struct fixture {
	char folder[64], path[96];
	sd_event *event;
	struct kh_control_server *server;
	struct kh_error error;
	unsigned int calls, answered;
	struct kh_peer peer;
	size_t files_count;
	char files_text[128];
	int inheritable, inheritable_before;
	size_t reply_bytes; /* of padding, when not 0 */
	bool not_yet;
};

static inline int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Those that a child would get. The test was started with some. */
static inline int count_inheritable(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++) {
		int flags = fcntl(fd, F_GETFD);

		count += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	return count;
}

/* Echoes "say", and notes what it was given. */
static inline json_t *handle(void *context, const struct kh_peer *peer, json_t *request, const int *fds,
			     size_t fds_count)
{
	struct fixture *f = context;
	json_t *reply;

	f->calls++;
	if (f->not_yet)
		return json_null();
	reply = json_object();
	f->peer = *peer;
	f->files_count = fds_count;
	f->files_text[0] = '\0';
	f->inheritable = count_inheritable();
	for (size_t i = 0; i < fds_count; i++) {
		size_t at = strlen(f->files_text);
		ssize_t got = pread(fds[i], f->files_text + at, sizeof(f->files_text) - at - 1, 0);

		f->files_text[at + (got > 0 ? (size_t)got : 0)] = '\0';
	}
	json_object_set_new(reply, "exit", json_integer(0));
	json_object_set(reply, "said", json_object_get(request, "say"));
	if (f->reply_bytes) {
		char *padding = malloc(f->reply_bytes);

		memset(padding, 'x', f->reply_bytes);
		json_object_set_new(reply, "padding", json_stringn(padding, f->reply_bytes));
		free(padding);
	}
	return reply;
}

static inline void note_answered(void *context)
{
	struct fixture *f = context;

	f->answered++;
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->inheritable_before = count_inheritable();
	strcpy(f->folder, "/tmp/khien-control-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/run/control.sock", f->folder);
	assert_true(sd_event_new(&f->event) >= 0);
	assert_int_equal(kh_control_open(f->event, f->path, handle, f, &f->server, &f->error), 0);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	kh_control_close(f->server);
	sd_event_unref(f->event);
	snprintf(command, sizeof(command), "rm -rf %s", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static inline int dial(const struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Turns the loop until everything that can be done now is done. */
static inline void settle(struct fixture *f)
{
	while (sd_event_run(f->event, 0) > 0)
		;
}

/* Reads up to `size` bytes, turning the loop meanwhile; fewer only at the end of the stream. A test that waits for ever is
 * ended by the alarm set in main. */
static inline size_t take(struct fixture *f, int fd, void *data, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = recv(fd, (char *)data + got, size - got, 0);

		if (n > 0)
			got += (size_t)n;
		else if (n == 0 || errno == ECONNRESET)
			break;
		else
			assert_true(sd_event_run(f->event, 10000) >= 0);
	}
	return got;
}

static inline bool is_cut(struct fixture *f, int fd)
{
	char byte;

	return take(f, fd, &byte, 1) == 0;
}

static inline json_t *take_reply(struct fixture *f, int fd)
{
	uint32_t length;
	json_t *reply;
	char *text;

	if (take(f, fd, &length, sizeof(length)) < sizeof(length))
		return NULL;
	text = malloc(length);
	assert_int_equal(take(f, fd, text, length), length);
	reply = json_loadb(text, length, 0, NULL);
	free(text);
	assert_non_null(reply);
	return reply;
}

static inline void give(struct fixture *f, int fd, const void *data, size_t size)
{
	for (size_t sent = 0; sent < size;) {
		ssize_t n = send(fd, (const char *)data + sent, size - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else
			sd_event_run(f->event, 10000);
	}
}

static inline void give_frame(struct fixture *f, int fd, const char *text, size_t length)
{
	uint32_t header = (uint32_t)length;

	give(f, fd, &header, sizeof(header));
	give(f, fd, text, length);
}

/* Exit code of the reply to `text`; its error text in `error` (may be NULL). -1: no reply. */
static inline int ask(struct fixture *f, int fd, const char *text, char *error)
{
	json_t *reply;
	int code;

	give_frame(f, fd, text, strlen(text));
	reply = take_reply(f, fd);
	if (!reply)
		return -1;
	code = (int)json_integer_value(json_object_get(reply, "exit"));
	if (error) {
		const char *said = json_string_value(json_object_get(json_object_get(reply, "error"), "text"));

		snprintf(error, 512, "%s", said ? said : "");
	}
	json_decref(reply);
	return code;
}

static inline void give_files(int fd, const void *data, size_t size, const int *files, size_t count)
{
	char control[CMSG_SPACE(2 * KH_PROTO_MAX_FDS * sizeof(int))] = { 0 };
	struct iovec vector = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), files, count * sizeof(int));
	assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), size);
}

static inline int make_file(const char *text)
{
	int fd = memfd_create("khien-test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

/* ---- Requests ----------------------------------------------------------------------------------- */

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
