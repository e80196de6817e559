/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of a ledger as bytes, for the tests that damage them.
 */
#ifndef KHIEN_TESTS_LEDGER_FILES_H
#define KHIEN_TESTS_LEDGER_FILES_H

#include "ledger_help.h"

struct bytes {
	char *data;
	size_t size;
};

KH_UNUSED static struct bytes read_bytes(const char *path)
{
	struct bytes bytes = {};
	FILE *file = fopen(path, "rb");

	if (!file)
		return bytes;
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	bytes.size = (size_t)ftell(file);
	bytes.data = malloc(bytes.size + 1);
	rewind(file);
	assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
	fclose(file);
	return bytes;
}

KH_UNUSED static void write_bytes(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

KH_UNUSED static void assert_bytes(const char *path, const struct bytes *expected)
{
	struct bytes now = read_bytes(path);

	assert_int_equal(now.size, expected->size);
	if (expected->size)
		assert_memory_equal(now.data, expected->data, expected->size);
	free(now.data);
}

KH_UNUSED static const char *beside(const struct env *env, const char *suffix)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s%s", env->path, suffix);
	return path;
}

#endif
