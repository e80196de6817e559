/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ZIP files of our own, in memory. */
#ifndef KHIEN_TESTS_ZIP_FILE_H
#define KHIEN_TESTS_ZIP_FILE_H

#include <string.h>
#include <zip.h>

#include "common/bytes.h"

struct member {
	const char *name, *text;
	size_t length; /* 0: that of the text */
	const char *password;
};

/* Members up to one without a name. */
static void make_zip(const struct member *members, struct kh_bytes *ret_bytes)
{
	zip_error_t error;
	zip_source_t *source;
	zip_stat_t status;
	zip_t *zip;

	zip_error_init(&error);
	source = zip_source_buffer_create(NULL, 0, 0, &error);
	assert_non_null(source);
	zip_source_keep(source);
	zip = zip_open_from_source(source, ZIP_TRUNCATE, &error);
	assert_non_null(zip);
	for (; members->name; members++) {
		size_t length = members->length ? members->length : strlen(members->text);
		zip_int64_t index = zip_file_add(zip, members->name, zip_source_buffer(zip, members->text, length, 0),
						 ZIP_FL_ENC_UTF_8);

		assert_true(index >= 0);
		if (members->password)
			assert_int_equal(
				zip_file_set_encryption(zip, (zip_uint64_t)index, ZIP_EM_AES_256, members->password),
				0);
	}
	assert_int_equal(zip_close(zip), 0);
	zip_stat_init(&status);
	assert_int_equal(zip_source_stat(source, &status), 0);
	ret_bytes->data = malloc(status.size + 1);
	ret_bytes->length = ret_bytes->capacity = status.size;
	assert_int_equal(zip_source_open(source), 0);
	assert_int_equal(zip_source_read(source, ret_bytes->data, status.size), status.size);
	zip_source_close(source);
	zip_source_free(source);
}

#endif
