/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files in and out: caps, pipes, what is left behind when writing fails; growing arrays and errors.
 */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>

#include <cmocka.h>

#include "common/error.h"
#include "common/util.h"

static char folder[64];

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/khien-test-file.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *there, int flag, struct FTW *at)
{
	(void)there;
	(void)flag;
	(void)at;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* Entries of the folder, without "." and "..". */
static int entries(void)
{
	char command[128], answer[16] = "";
	FILE *pipe;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", folder);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	assert_non_null(fgets(answer, sizeof(answer), pipe));
	pclose(pipe);
	return (int)strtol(answer, NULL, 10);
}

static void write_file(const char *name, const void *data, size_t length)
{
	assert_int_equal(kh_file_write(in_folder(name), data, length, 0644), 0);
}

static void assert_file(const char *name, const void *data, size_t length)
{
	char *read KH_CLEANUP(kh_freep) = NULL;
	size_t got = 0;

	assert_int_equal(kh_file_read(in_folder(name), 1 << 20, &read, &got), 0);
	assert_int_equal(got, length);
	assert_memory_equal(read, data, length);
	assert_int_equal(read[got], '\0');
}

static void test_round_trip(void **state)
{
	static const char data[] = "a\0b\n\xff";
	struct stat there;

	(void)state;
	write_file("file", data, sizeof(data) - 1);
	assert_file("file", data, sizeof(data) - 1);
	assert_int_equal(stat(in_folder("file"), &there), 0);
	assert_int_equal(there.st_mode & 0777, 0644);
	write_file("file", "", 0); /* replaces; and an empty file is a file */
	assert_file("file", "", 0);
	assert_int_equal(kh_file_write(in_folder("file"), "x", 1, 0600), 0);
	assert_int_equal(stat(in_folder("file"), &there), 0);
	assert_int_equal(there.st_mode & 0777, 0600);
	assert_int_equal(entries(), 1);
}

static void test_limit(void **state)
{
	char *read KH_CLEANUP(kh_freep) = NULL;
	size_t got = 42;

	(void)state;
	write_file("file", "12345678", 8);
	assert_int_equal(kh_file_read(in_folder("file"), 7, &read, &got), -EFBIG);
	assert_null(read);
	assert_int_equal(got, 42);
	assert_int_equal(kh_file_read(in_folder("file"), 8, &read, &got), 0);
	assert_int_equal(got, 8);
}

/* Sizes around the first read of a pipe, which has no size to ask for. */
static void test_pipe(void **state)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 200000 };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(sizes); i++) {
		char command[96], *read KH_CLEANUP(kh_freep) = NULL;
		FILE *pipe;
		size_t got = 42;

		snprintf(command, sizeof(command), "head -c %zu /dev/zero", sizes[i]);
		pipe = popen(command, "re");
		assert_non_null(pipe);
		assert_int_equal(kh_file_read_fd(fileno(pipe), 200000, &read, &got), 0);
		assert_int_equal(got, sizes[i]);
		assert_int_equal(read[got], '\0');
		pclose(pipe);
		pipe = popen(command, "re");
		assert_non_null(pipe);
		if (sizes[i])
			assert_int_equal(kh_file_read_fd(fileno(pipe), sizes[i] - 1, &read, &got), -EFBIG);
		pclose(pipe);
	}
}

/* The whole file, wherever the descriptor stands; and it stays there. */
static void test_from_the_start(void **state)
{
	int fd KH_CLEANUP(kh_closep) = -1;
	char *read KH_CLEANUP(kh_freep) = NULL;
	size_t got;

	(void)state;
	write_file("file", "12345678", 8);
	fd = open(in_folder("file"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_int_equal(kh_file_read_fd(fd, 100, &read, &got), 0);
	assert_int_equal(got, 8);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
}

/* Files of /proc say 0 bytes and have more. */
static void test_size_zero_with_content(void **state)
{
	char *read KH_CLEANUP(kh_freep) = NULL;
	size_t got;

	(void)state;
	assert_int_equal(kh_file_read("/proc/self/status", 1 << 20, &read, &got), 0);
	assert_non_null(strstr(read, "\nPid:"));
	assert_int_equal(strlen(read), got);
}

static void test_read_errors(void **state)
{
	char *read = NULL;
	size_t got;

	(void)state;
	assert_int_equal(kh_file_read(in_folder("missing"), 10, &read, &got), -ENOENT);
	assert_int_equal(kh_file_read(folder, 10, &read, &got), -EISDIR);
	assert_int_equal(kh_file_read_fd(-1, 10, &read, &got), -EBADF);
	assert_null(read);
}

/* A full disk: the old file stays, the temporary one goes. */
static void test_write_fails(void **state)
{
	struct rlimit before, small = { .rlim_cur = 4 };
	char data[64] = "";

	(void)state;
	write_file("file", "old", 3);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(kh_file_write(in_folder("file"), data, sizeof(data), 0644), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_file("file", "old", 3);
	assert_int_equal(entries(), 1);
	assert_int_equal(kh_file_write(in_folder("missing/file"), "x", 1, 0644), -ENOENT);
	assert_int_equal(mkdir(in_folder("taken"), 0755), 0);
	assert_int_equal(kh_file_write(in_folder("taken"), "x", 1, 0644), -EISDIR);
	assert_int_equal(entries(), 2);
}

static void test_write_refuses_long_names(void **state)
{
	char path[5000];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(kh_file_write(path, "x", 1, 0644), -ENAMETOOLONG);
	assert_int_equal(kh_make_folders(path, 0755), -ENAMETOOLONG);
}

static void test_folders(void **state)
{
	struct stat there;

	(void)state;
	assert_int_equal(kh_make_folders(in_folder("a/b//c/"), 0750), 0);
	assert_int_equal(stat(in_folder("a/b/c"), &there), 0);
	assert_true(S_ISDIR(there.st_mode));
	assert_int_equal(there.st_mode & 0777, 0750);
	assert_int_equal(kh_make_folders(in_folder("a/b/c"), 0750), 0); /* there already */
	assert_int_equal(kh_make_folders("/", 0755), 0);
	write_file("file", "", 0);
	assert_int_equal(kh_make_folders(in_folder("file"), 0755), -ENOTDIR);
	assert_int_equal(kh_make_folders(in_folder("file/x"), 0755), -ENOTDIR);
	assert_int_equal(kh_make_folders("", 0755), -ENOENT);
}

static void test_grow(void **state)
{
	uint64_t *array = NULL, *before;
	size_t capacity = 0;

	(void)state;
	assert_int_equal(kh_grow(&array, &capacity, 1, sizeof(*array)), 0);
	assert_true(capacity >= 1);
	array[0] = 77;
	assert_int_equal(kh_grow(&array, &capacity, 1000, sizeof(*array)), 0);
	assert_true(capacity >= 1000);
	assert_int_equal(array[0], 77);
	array[999] = 1; /* ASan looks */
	before = array;
	assert_int_equal(kh_grow(&array, &capacity, 5, sizeof(*array)), 0);
	assert_ptr_equal(array, before);
	capacity = 1000;
	assert_int_equal(kh_grow(&array, &capacity, SIZE_MAX / 4, sizeof(*array)), -ENOMEM);
	assert_ptr_equal(array, before);
	assert_int_equal(capacity, 1000);
	free(array);
}

static void test_errors(void **state)
{
	struct kh_error error = { .hint = "old", .line = 9, .column = 9 };
	char text[1000];

	(void)state;
	assert_int_equal(kh_fail_at(&error, -EINVAL, 7, "%s here", "bad"), -EINVAL);
	assert_string_equal(error.text, "bad here");
	assert_string_equal(error.hint, "");
	assert_int_equal(error.line, 7);
	assert_int_equal(error.column, 0);
	kh_hint(&error, "write %d", 5);
	assert_string_equal(error.hint, "write 5");
	assert_string_equal(error.text, "bad here");
	assert_int_equal(kh_fail(&error, -EIO, "x"), -EIO);
	assert_int_equal(error.line, 0);
	assert_string_equal(error.hint, "");
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	kh_fail(&error, -EIO, "%s", text);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	assert_int_equal(kh_fail(NULL, -EIO, "x"), -EIO);
	kh_hint(NULL, "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test_setup_teardown(test_from_the_start, setup, teardown),
		cmocka_unit_test(test_size_zero_with_content),
		cmocka_unit_test_setup_teardown(test_read_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_fails, setup, teardown),
		cmocka_unit_test(test_write_refuses_long_names),
		cmocka_unit_test_setup_teardown(test_folders, setup, teardown),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_errors),
	};

	umask(022);
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
