// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket: descriptors that come with a request, and the socket as a file.
 */
#include "control_case.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_files_are_handed_over_and_closed),
		CASE(test_files_of_the_next_request_stay_with_it),
		CASE(test_too_many_files_are_refused_and_closed),
		CASE(test_a_pipe_is_refused),
		CASE(test_socket_is_made_and_removed),
		CASE(test_stale_socket_is_replaced),
		CASE(test_busy_socket_is_refused),
		CASE(test_other_files_are_left_alone),
	};

	alarm(120); /* a test that waits for something that never comes */
	return cmocka_run_group_tests_name("control files", tests, NULL, NULL);
}
