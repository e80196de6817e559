// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket over a real socket in a temporary folder. Server and clients share one thread: a client writes,
 * then the event loop turns until there is something to read. Nothing here depends on how fast that is.
 */
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
};

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Those that a child would get. The test was started with some. */
static int count_inheritable(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++) {
		int flags = fcntl(fd, F_GETFD);

		count += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	return count;
}

/* Echoes "say", and notes what it was given. */
static json_t *handle(void *context, const struct kh_peer *peer, json_t *request, const int *fds, size_t fds_count)
{
	struct fixture *f = context;
	json_t *reply = json_object();

	f->calls++;
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

static void note_answered(void *context)
{
	struct fixture *f = context;

	f->answered++;
}

static int setup(void **state)
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

static int teardown(void **state)
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

static int dial(const struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Turns the loop until everything that can be done now is done. */
static void settle(struct fixture *f)
{
	while (sd_event_run(f->event, 0) > 0)
		;
}

/* Reads up to `size` bytes, turning the loop meanwhile; fewer only at the end of the stream. A test that waits for ever is
 * ended by the alarm set in main. */
static size_t take(struct fixture *f, int fd, void *data, size_t size)
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

static bool is_cut(struct fixture *f, int fd)
{
	char byte;

	return take(f, fd, &byte, 1) == 0;
}

static json_t *take_reply(struct fixture *f, int fd)
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

static void give(struct fixture *f, int fd, const void *data, size_t size)
{
	for (size_t sent = 0; sent < size;) {
		ssize_t n = send(fd, (const char *)data + sent, size - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else
			sd_event_run(f->event, 10000);
	}
}

static void give_frame(struct fixture *f, int fd, const char *text, size_t length)
{
	uint32_t header = (uint32_t)length;

	give(f, fd, &header, sizeof(header));
	give(f, fd, text, length);
}

/* Exit code of the reply to `text`; its error text in `error` (may be NULL). -1: no reply. */
static int ask(struct fixture *f, int fd, const char *text, char *error)
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

static void give_files(int fd, const void *data, size_t size, const int *files, size_t count)
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

static int make_file(const char *text)
{
	int fd = memfd_create("khien-test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

/* ---- Requests ----------------------------------------------------------------------------------- */

static void test_answers_each_request(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	for (int i = 1; i <= 3; i++) {
		json_t *reply;

		give_frame(f, fd, "{\"say\": \"chào\"}", strlen("{\"say\": \"chào\"}"));
		reply = take_reply(f, fd);
		assert_string_equal(json_string_value(json_object_get(reply, "said")), "chào");
		assert_int_equal(f->calls, i);
		json_decref(reply);
	}
	assert_int_equal(f->peer.uid, getuid());
	assert_int_equal(f->peer.gid, getgid());
	assert_int_equal(f->peer.pid, getpid());
	assert_int_equal(f->inheritable, f->inheritable_before);
	close(fd);
	settle(f);
	assert_int_equal(f->server->clients_count, 0);
}

static void test_requests_sent_ahead_are_answered_in_turn(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	for (char c = 'a'; c <= 'e'; c++) {
		char text[] = "{\"say\":\"?\"}";

		*strchr(text, '?') = c;
		give_frame(f, fd, text, strlen(text));
	}
	for (char c = 'a'; c <= 'e'; c++) {
		json_t *reply = take_reply(f, fd);

		assert_int_equal(json_string_value(json_object_get(reply, "said"))[0], c);
		json_decref(reply);
	}
	close(fd);
}

static void test_request_may_come_byte_by_byte(void **state)
{
	struct fixture *f = *state;
	const char text[] = "\x0d\0\0\0{\"say\":\"one\"}";
	int fd = dial(f);
	json_t *reply;

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(f->calls, 0);
		give(f, fd, text + i, 1);
		settle(f);
	}
	reply = take_reply(f, fd);
	assert_string_equal(json_string_value(json_object_get(reply, "said")), "one");
	json_decref(reply);
	close(fd);
}

static void test_garbage_is_answered_and_the_connection_goes_on(void **state)
{
	static const char *const garbage[] = {
		"",
		"{",
		"null",
		"[]",
		"\"text\"",
		"{\"a\":1,\"a\":2}",
		"{} {}",
		"\x80\xff{}",
		"{\"a\":\"\xc3\"}",
		"{\"a\":\"\\u0000\"}",
		"GET / HTTP/1.1\r\n\r\n",
	};
	struct fixture *f = *state;
	int fd = dial(f);
	char error[512];

	for (size_t i = 0; i < KH_ARRAY_SIZE(garbage); i++) {
		assert_int_equal(ask(f, fd, garbage[i], error), KH_EXIT_USAGE);
		assert_true(strlen(error) > 10);
	}
	assert_int_equal(f->calls, 0);
	assert_int_equal(ask(f, fd, "{}", NULL), 0);
	assert_int_equal(f->calls, 1);
	close(fd);
}

static void test_nesting_is_limited(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);
	char error[512];
	char *deep = malloc(KH_PROTO_MAX_REQUEST + 1);

	/* 16 levels: the object and 15 lists */
	assert_int_equal(ask(f, fd, "{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", NULL), 0);
	assert_int_equal(ask(f, fd, "{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", error), KH_EXIT_USAGE);
	assert_non_null(strstr(error, "nested"));
	/* brackets in a string are text */
	assert_int_equal(ask(f, fd, "{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}", NULL), 0);
	memset(deep, '[', KH_PROTO_MAX_REQUEST);
	deep[KH_PROTO_MAX_REQUEST] = '\0';
	assert_int_equal(ask(f, fd, deep, NULL), KH_EXIT_USAGE);
	free(deep);
	close(fd);
}

static void test_size_is_limited(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(KH_PROTO_MAX_REQUEST + 2);
	uint32_t header = KH_PROTO_MAX_REQUEST + 1;
	int fd = dial(f);
	json_t *reply;

	memset(text, ' ', KH_PROTO_MAX_REQUEST);
	memcpy(text, "{}", 2);
	text[KH_PROTO_MAX_REQUEST] = '\0';
	assert_int_equal(ask(f, fd, text, NULL), 0);
	free(text);

	give(f, fd, &header, sizeof(header));
	reply = take_reply(f, fd);
	assert_int_equal(json_integer_value(json_object_get(reply, "exit")), KH_EXIT_USAGE);
	json_decref(reply);
	assert_true(is_cut(f, fd)); /* what follows cannot be told from a request */
	close(fd);
	assert_int_equal(f->server->clients_count, 0);
}

/* ---- Slow and silent ---------------------------------------------------------------------------- */

static void test_silent_and_half_requests_are_cut_off(void **state)
{
	struct fixture *f = *state;
	int served = dial(f), silent, half;

	assert_int_equal(ask(f, served, "{}", NULL), 0);
	kh_control_set_idle(f->server, SHORT_USEC);
	silent = dial(f);
	half = dial(f);
	give(f, half, "\x20\0\0\0{\"say", 9);
	assert_true(is_cut(f, half));
	assert_true(is_cut(f, silent));
	/* the one that is between two requests stays */
	assert_int_equal(f->server->clients_count, 1);
	assert_int_equal(ask(f, served, "{}", NULL), 0);
	give(f, served, "\x20", 1);
	assert_true(is_cut(f, served));
	close(served);
	close(silent);
	close(half);
}

static void test_trickle_does_not_buy_time(void **state)
{
	struct fixture *f = *state;
	uint32_t header = KH_PROTO_MAX_REQUEST, sent;
	int fd;

	kh_control_set_idle(f->server, SHORT_USEC);
	fd = dial(f);
	give(f, fd, &header, sizeof(header));
	for (sent = 0; sent < header; sent++) {
		if (send(fd, " ", 1, MSG_NOSIGNAL) < 0)
			break;
		sd_event_run(f->event, 0);
	}
	assert_true(sent < header);
	close(fd);
}

static void test_large_reply_does_not_hold_up_others(void **state)
{
	struct fixture *f = *state;
	int reader = dial(f), other = dial(f);
	json_t *reply;

	f->reply_bytes = 8u << 20;
	give_frame(f, reader, "{}", 2);
	settle(f);
	assert_int_equal(f->calls, 1);
	f->reply_bytes = 0;
	assert_int_equal(ask(f, other, "{}", NULL), 0);
	reply = take_reply(f, reader);
	assert_int_equal(json_string_length(json_object_get(reply, "padding")), 8u << 20);
	json_decref(reply);
	assert_int_equal(ask(f, reader, "{}", NULL), 0);
	close(reader);
	close(other);
}

/* Out is an answer to its last byte, or when nobody is there to take it. */
static void test_it_is_told_when_an_answer_is_out(void **state)
{
	struct fixture *f = *state;
	int reader = dial(f), other = dial(f), leaves = dial(f);
	json_t *reply;

	kh_control_on_answered(f->server, note_answered);
	assert_int_equal(ask(f, other, "{}", NULL), 0);
	assert_int_equal(f->answered, 1);
	f->reply_bytes = 8u << 20;
	give_frame(f, reader, "{}", 2);
	give_frame(f, leaves, "{}", 2);
	settle(f);
	assert_int_equal(f->calls, 3);
	assert_int_equal(f->answered, 1);
	assert_true(kh_control_is_answering(f->server));
	reply = take_reply(f, reader);
	json_decref(reply);
	settle(f);
	assert_int_equal(f->answered, 2);
	assert_true(kh_control_is_answering(f->server));
	close(leaves);
	settle(f);
	assert_int_equal(f->answered, 3);
	assert_false(kh_control_is_answering(f->server));
	close(reader);
	close(other);
}

static void test_reader_that_stands_still_is_cut_off(void **state)
{
	struct fixture *f = *state;
	size_t size = 8u << 20, got;
	char *sink = malloc(size);
	int fd;

	kh_control_set_idle(f->server, SHORT_USEC);
	fd = dial(f);
	f->reply_bytes = size;
	give_frame(f, fd, "{}", 2);
	do
		assert_true(sd_event_run(f->event, 10000) >= 0);
	while (!f->calls || f->server->clients_count);
	got = take(f, fd, sink, size);
	assert_true(got < size);
	free(sink);
	close(fd);
}

static void test_client_may_leave_at_any_point(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	close(fd);
	fd = dial(f);
	give(f, fd, "\x20\0", 2);
	close(fd);
	fd = dial(f);
	give(f, fd, "\x20\0\0\0{\"say", 9);
	settle(f);
	close(fd);
	fd = dial(f);
	f->reply_bytes = 8u << 20;
	give_frame(f, fd, "{}", 2);
	settle(f);
	close(fd);
	settle(f);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->server->clients_count, 0);
}

/* ---- Descriptors -------------------------------------------------------------------------------- */

static void test_files_are_handed_over_and_closed(void **state)
{
	struct fixture *f = *state;
	int files[] = { make_file("một "), make_file("hai "), make_file("ba") };
	int fd = dial(f), before;

	assert_int_equal(ask(f, fd, "{}", NULL), 0);
	assert_int_equal(f->files_count, 0);
	before = count_descriptors();
	give_files(fd, "\x02\0\0\0{}", 6, files, 3);
	json_decref(take_reply(f, fd));
	assert_int_equal(f->files_count, 3);
	assert_string_equal(f->files_text, "một hai ba");
	assert_int_equal(f->inheritable, f->inheritable_before);
	assert_int_equal(count_descriptors(), before);
	/* they belonged to that request alone */
	assert_int_equal(ask(f, fd, "{}", NULL), 0);
	assert_int_equal(f->files_count, 0);
	close(fd);
	for (size_t i = 0; i < KH_ARRAY_SIZE(files); i++)
		close(files[i]);
}

static void test_files_of_the_next_request_stay_with_it(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f), file = make_file("x");

	give_files(fd, "\x02\0\0\0{}", 6, &file, 1);
	give_files(fd, "\x02\0\0\0{}\x02\0\0\0{}", 12, (const int[]){ file, file }, 2);
	json_decref(take_reply(f, fd));
	assert_int_equal(f->files_count, 1);
	json_decref(take_reply(f, fd));
	assert_int_equal(f->files_count, 2);
	json_decref(take_reply(f, fd));
	assert_int_equal(f->files_count, 0);
	close(fd);
	close(file);
}

static void test_too_many_files_are_refused_and_closed(void **state)
{
	struct fixture *f = *state;
	int files[KH_PROTO_MAX_FDS + 1], fd = dial(f), before;
	char error[512];
	json_t *reply;

	for (size_t i = 0; i < KH_ARRAY_SIZE(files); i++)
		files[i] = make_file("x");
	assert_int_equal(ask(f, fd, "{}", NULL), 0);
	before = count_descriptors();
	give_files(fd, "\x02\0\0\0{}", 6, files, KH_PROTO_MAX_FDS);
	json_decref(take_reply(f, fd));
	assert_int_equal(f->files_count, KH_PROTO_MAX_FDS);

	give_files(fd, "\x02\0\0\0{}", 6, files, KH_PROTO_MAX_FDS + 1);
	reply = take_reply(f, fd);
	assert_int_equal(json_integer_value(json_object_get(reply, "exit")), KH_EXIT_USAGE);
	json_decref(reply);
	/* nor in two goes */
	give_files(fd, "\x02\0", 2, files, KH_PROTO_MAX_FDS / 2 + 1);
	give_files(fd, "\0\0{}", 4, files, KH_PROTO_MAX_FDS / 2 + 1);
	reply = take_reply(f, fd);
	assert_int_equal(json_integer_value(json_object_get(reply, "exit")), KH_EXIT_USAGE);
	json_decref(reply);

	assert_int_equal(f->calls, 2);
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(ask(f, fd, "{}", error), 0);
	close(fd);
	for (size_t i = 0; i < KH_ARRAY_SIZE(files); i++)
		close(files[i]);
}

static void test_a_pipe_is_refused(void **state)
{
	struct fixture *f = *state;
	int pipes[2], fd = dial(f);
	json_t *reply;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	give_files(fd, "\x02\0\0\0{}", 6, pipes, 1);
	reply = take_reply(f, fd);
	assert_int_equal(json_integer_value(json_object_get(reply, "exit")), KH_EXIT_USAGE);
	json_decref(reply);
	assert_int_equal(f->calls, 0);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

/* ---- Many --------------------------------------------------------------------------------------- */

static void test_forty_clients_at_once(void **state)
{
	struct fixture *f = *state;
	int fds[40];

	for (size_t i = 0; i < KH_ARRAY_SIZE(fds); i++) {
		fds[i] = dial(f);
		give_frame(f, fds[i], "{}", 2);
	}
	settle(f);
	assert_int_equal(f->server->clients_count, KH_PROTO_MAX_CLIENTS);
	for (size_t i = 0; i < KH_ARRAY_SIZE(fds); i++) {
		json_t *reply = take_reply(f, fds[i]);

		assert_non_null(reply);
		json_decref(reply);
		close(fds[i]);
	}
	assert_int_equal(f->calls, 40);
	settle(f);
	assert_int_equal(f->server->clients_count, 0);
}

static void test_the_longest_waiting_makes_room(void **state)
{
	struct fixture *f = *state;
	int fds[KH_PROTO_MAX_CLIENTS], late;

	kh_control_set_idle(f->server, SHORT_USEC);
	for (size_t i = 0; i < KH_ARRAY_SIZE(fds); i++) {
		fds[i] = dial(f);
		assert_int_equal(ask(f, fds[i], "{}", NULL), 0);
	}
	assert_int_equal(ask(f, fds[0], "{}", NULL), 0); /* now number 1 has waited longest */
	late = dial(f);
	assert_int_equal(ask(f, late, "{}", NULL), 0);
	assert_true(is_cut(f, fds[1]));
	assert_int_equal(f->server->clients_count, KH_PROTO_MAX_CLIENTS);
	assert_int_equal(ask(f, fds[0], "{}", NULL), 0);
	for (size_t i = 0; i < KH_ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(late);
}

static void test_no_descriptor_left_backs_off(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, none = { 0 };
	int first = dial(f), second, enabled;

	assert_int_equal(ask(f, first, "{}", NULL), 0);
	second = dial(f);
	give_frame(f, second, "{}", 2);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	settle(f); /* would never end if it went on polling */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(f->server->clients_count, 1);
	sd_event_source_get_enabled(f->server->accept_source, &enabled);
	assert_int_equal(enabled, SD_EVENT_OFF);
	json_decref(take_reply(f, second)); /* served after a while */
	assert_int_equal(f->calls, 2);
	close(first);
	close(second);
}

/* ---- The socket --------------------------------------------------------------------------------- */

static void test_socket_is_made_and_removed(void **state)
{
	struct fixture *f = *state;
	struct stat status;

	assert_int_equal(lstat(f->path, &status), 0);
	assert_true(S_ISSOCK(status.st_mode));
	assert_int_equal(status.st_mode & 07777, 0660);
	kh_control_close(f->server);
	f->server = NULL;
	assert_int_equal(lstat(f->path, &status), -1);
}

static void test_stale_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	kh_control_close(f->server);
	f->server = NULL;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
	assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
	close(stale); /* its file stays, as after a crash */
	assert_int_equal(kh_control_open(f->event, f->path, handle, f, &f->server, &f->error), 0);
	fd = dial(f);
	assert_int_equal(ask(f, fd, "{}", NULL), 0);
	close(fd);
}

static void test_busy_socket_is_refused(void **state)
{
	struct fixture *f = *state;
	struct kh_control_server *second = (void *)f;
	int fd;

	assert_int_equal(kh_control_open(f->event, f->path, handle, f, &second, &f->error), -EADDRINUSE);
	assert_ptr_equal(second, f);
	assert_non_null(strstr(f->error.text, f->path));
	assert_true(f->error.hint[0]);
	fd = dial(f);
	assert_int_equal(ask(f, fd, "{}", NULL), 0);
	close(fd);
}

static void test_other_files_are_left_alone(void **state)
{
	struct fixture *f = *state;
	struct kh_control_server *second = NULL;
	struct stat status;
	char path[128], longer[200];

	snprintf(path, sizeof(path), "%s/file", f->folder);
	close(open(path, O_CREAT | O_CLOEXEC | O_WRONLY, 0600));
	assert_int_equal(kh_control_open(f->event, path, handle, f, &second, &f->error), -EEXIST);
	assert_int_equal(lstat(path, &status), 0);

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	longer[0] = '/';
	assert_int_equal(kh_control_open(f->event, longer, handle, f, &second, &f->error), -ENAMETOOLONG);

	/* a socket put in our place is not ours to remove */
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(kh_control_open(f->event, f->path, handle, f, &second, &f->error), 0);
	kh_control_close(f->server);
	f->server = second;
	assert_int_equal(lstat(f->path, &status), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_answers_each_request),
		CASE(test_requests_sent_ahead_are_answered_in_turn),
		CASE(test_request_may_come_byte_by_byte),
		CASE(test_garbage_is_answered_and_the_connection_goes_on),
		CASE(test_nesting_is_limited),
		CASE(test_size_is_limited),
		CASE(test_silent_and_half_requests_are_cut_off),
		CASE(test_trickle_does_not_buy_time),
		CASE(test_large_reply_does_not_hold_up_others),
		CASE(test_it_is_told_when_an_answer_is_out),
		CASE(test_reader_that_stands_still_is_cut_off),
		CASE(test_client_may_leave_at_any_point),
		CASE(test_files_are_handed_over_and_closed),
		CASE(test_files_of_the_next_request_stay_with_it),
		CASE(test_too_many_files_are_refused_and_closed),
		CASE(test_a_pipe_is_refused),
		CASE(test_forty_clients_at_once),
		CASE(test_the_longest_waiting_makes_room),
		CASE(test_no_descriptor_left_backs_off),
		CASE(test_socket_is_made_and_removed),
		CASE(test_stale_socket_is_replaced),
		CASE(test_busy_socket_is_refused),
		CASE(test_other_files_are_left_alone),
	};

	alarm(120); /* a test that waits for something that never comes */
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
