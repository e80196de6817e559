// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket over a real socket in a temporary folder. Server and clients share one thread: a client writes,
 * then the event loop turns until there is something to read. Nothing here depends on how fast that is.
 */
#include "control_case.h"

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

/* A request that cannot be answered yet is handed over again, until it can be; others are answered meanwhile, and who waits may leave. */
static void test_a_reply_may_come_later(void **state)
{
	struct fixture *f = *state;
	int waits = dial(f), other = dial(f), leaves = dial(f);
	json_t *reply;

	f->not_yet = true;
	give_frame(f, waits, "{}", 2);
	give_frame(f, leaves, "{}", 2);
	settle(f);
	assert_int_equal(f->calls, 2);
	kh_control_again(f->server);
	assert_int_equal(f->calls, 4);
	close(leaves);
	settle(f);
	kh_control_again(f->server);
	assert_int_equal(f->calls, 5);
	f->not_yet = false;
	assert_int_equal(ask(f, other, "{}", NULL), 0);
	kh_control_again(f->server);
	reply = take_reply(f, waits);
	assert_non_null(reply);
	json_decref(reply);
	kh_control_again(f->server);
	assert_int_equal(f->calls, 7);
	assert_int_equal(ask(f, waits, "{}", NULL), 0);
	close(waits);
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

	kh_control_set_idle(f->server, FAR_USEC);
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

/* The idle time is far away: it is the others, who want their places, that the silent ones are cut off for. */
static void test_the_silent_make_room(void **state)
{
	struct fixture *f = *state;
	int fds[KH_PROTO_MAX_CLIENTS], late;

	kh_control_set_idle(f->server, FAR_USEC);
	for (size_t i = 0; i < KH_ARRAY_SIZE(fds); i++) {
		fds[i] = dial(f);
		if (i % 2)
			give(f, fds[i], "\x20\0\0\0{\"say", 9);
	}
	settle(f);
	assert_int_equal(f->server->clients_count, KH_PROTO_MAX_CLIENTS);
	late = dial(f);
	assert_int_equal(ask(f, late, "{}", NULL), 0);
	assert_true(is_cut(f, fds[0]));
	assert_int_equal(f->server->clients_count, KH_PROTO_MAX_CLIENTS);
	for (size_t i = 0; i < KH_ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(late);
}

/* As another user, who may connect. */
static int dial_as_stranger(const struct fixture *f)
{
	int fd;

	assert_int_equal(chmod(f->folder, 0711), 0);
	assert_int_equal(chmod(f->path, 0666), 0);
	assert_int_equal(seteuid(65534), 0);
	fd = dial(f);
	assert_int_equal(seteuid(0), 0);
	return fd;
}

/* However busy or silent: at once, and nobody else for them. */
static void test_no_user_takes_all_places(void **state)
{
	struct fixture *f = *state;
	int strangers[KH_PROTO_MAX_CLIENTS - 4], roots[4], late[KH_PROTO_MAX_CLIENTS];

	if (getuid() != 0)
		skip();
	kh_control_set_idle(f->server, FAR_USEC);
	for (size_t i = 0; i < KH_ARRAY_SIZE(roots); i++)
		roots[i] = dial(f);
	f->not_yet = true;
	for (size_t i = 0; i < KH_ARRAY_SIZE(strangers); i++) {
		strangers[i] = dial_as_stranger(f);
		if (i % 2)
			give_frame(f, strangers[i], "{}", 2);
	}
	settle(f);
	f->not_yet = false;
	assert_int_equal(f->server->clients_count, KH_PROTO_MAX_CLIENTS);
	/* first those that have asked for nothing, then those that wait for an answer, down to what each may have */
	for (size_t i = 0; i < KH_ARRAY_SIZE(strangers) - KH_PROTO_MAX_CLIENTS_EACH; i++) {
		late[i] = dial(f);
		assert_int_equal(ask(f, late[i], "{}", NULL), 0);
		if (i < KH_ARRAY_SIZE(strangers) / 2)
			assert_true(is_cut(f, strangers[2 * i]));
		else
			assert_true(is_cut(f, strangers[2 * (i - KH_ARRAY_SIZE(strangers) / 2) + 1]));
		assert_int_equal(f->server->clients_count, KH_PROTO_MAX_CLIENTS);
		assert_int_equal(ask(f, late[0], "{}", NULL), 0);
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(strangers) - KH_PROTO_MAX_CLIENTS_EACH; i++)
		close(late[i]);
	for (size_t i = 0; i < KH_ARRAY_SIZE(roots); i++) {
		assert_int_equal(ask(f, roots[i], "{}", NULL), 0);
		close(roots[i]);
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(strangers); i++)
		close(strangers[i]);
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
		CASE(test_a_reply_may_come_later),
		CASE(test_it_is_told_when_an_answer_is_out),
		CASE(test_reader_that_stands_still_is_cut_off),
		CASE(test_client_may_leave_at_any_point),
		CASE(test_forty_clients_at_once),
		CASE(test_the_longest_waiting_makes_room),
		CASE(test_the_silent_make_room),
		CASE(test_no_user_takes_all_places),
		CASE(test_no_descriptor_left_backs_off),
	};

	alarm(120); /* a test that waits for something that never comes */
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
