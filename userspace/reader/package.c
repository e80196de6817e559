// SPDX-License-Identifier: GPL-2.0-or-later
#include "reader/package.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

static int damaged(const struct kh_input *input, const char *what, struct kh_error *error)
{
	kh_fail(error, -EINVAL, _("%s: the file is damaged: %s"), input->file, what);
	kh_hint(error, _("have it sent again, or open it in an office program and save it anew"));
	return -EINVAL;
}

static int too_large(const struct kh_input *input, struct kh_error *error)
{
	kh_fail(error, -EFBIG, _("%s: unpacked, it is larger than %zu MB or has more than %d members"), input->file,
		KH_PACKAGE_INFLATED_MAX >> 20, KH_PACKAGE_MEMBERS_MAX);
	kh_hint(error, _("unpack it and read the files in it"));
	return -EFBIG;
}

int kh_package_open(const struct kh_input *input, struct kh_error *error, struct kh_package *ret_package)
{
	zip_error_t why;
	zip_source_t *source;
	zip_t *zip;
	int code;

	zip_error_init(&why);
	source = zip_source_buffer_create(input->text, input->length, 0, &why);
	if (!source)
		return -ENOMEM;
	zip = zip_open_from_source(source, ZIP_RDONLY, &why);
	if (!zip) {
		zip_source_free(source);
		code = zip_error_code_zip(&why) == ZIP_ER_MEMORY ? -ENOMEM
								 : damaged(input, zip_error_strerror(&why), error);
		zip_error_fini(&why);
		return code;
	}
	*ret_package = (struct kh_package){ zip, zip_get_num_entries(zip, 0), 0, input, error };
	if (ret_package->members <= KH_PACKAGE_MEMBERS_MAX)
		return 0;
	kh_package_close(ret_package);
	return too_large(input, error);
}

void kh_package_close(struct kh_package *package)
{
	if (package->zip)
		zip_discard(package->zip);
	package->zip = NULL;
}

bool kh_package_has(const struct kh_package *package, const char *name)
{
	return zip_name_locate(package->zip, name, 0) >= 0;
}

bool kh_package_holds(const struct kh_input *input, const char *name)
{
	struct kh_package package KH_CLEANUP(kh_package_close) = {};

	if (!kh_package_is(input) || kh_package_open(input, NULL, &package))
		return false;
	return kh_package_has(&package, name);
}

static int inflate(struct kh_package *package, zip_file_t *file, struct kh_bytes *bytes)
{
	char buffer[65536];
	zip_int64_t got;

	while ((got = zip_fread(file, buffer, sizeof(buffer))) > 0) {
		package->inflated += (size_t)got;
		if (package->inflated > KH_PACKAGE_INFLATED_MAX)
			return too_large(package->input, package->error);
		if (kh_bytes_add(bytes, buffer, (size_t)got))
			return -ENOMEM;
	}
	return got < 0 ? damaged(package->input, zip_file_strerror(file), package->error) : 0;
}

int kh_package_read_at(struct kh_package *package, zip_uint64_t index, struct kh_bytes *ret_bytes)
{
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	zip_stat_t status;
	zip_file_t *file;
	int code;

	zip_stat_init(&status);
	if (!zip_stat_index(package->zip, index, 0, &status) && (status.valid & ZIP_STAT_ENCRYPTION_METHOD) &&
	    status.encryption_method != ZIP_EM_NONE) {
		kh_fail(package->error, -ENOTSUP, _("%s: it is locked with a password"), package->input->file);
		kh_hint(package->error, _("unpack it with the password, or save it without one, and read that"));
		return -ENOTSUP;
	}
	file = zip_fopen_index(package->zip, index, 0);
	if (!file)
		return damaged(package->input, zip_strerror(package->zip), package->error);
	code = inflate(package, file, &bytes);
	zip_fclose(file);
	if (code)
		return code;
	*ret_bytes = bytes;
	bytes = (struct kh_bytes){};
	return 0;
}

int kh_package_read(struct kh_package *package, const char *name, struct kh_bytes *ret_bytes)
{
	zip_int64_t index = zip_name_locate(package->zip, name, 0);

	return index < 0 ? -ENOENT : kh_package_read_at(package, (zip_uint64_t)index, ret_bytes);
}

static bool is_picture(const char *name)
{
	static const char *const ends[] = { ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif" };
	size_t length = strlen(name);

	for (size_t i = 0; i < KH_ARRAY_SIZE(ends); i++)
		if (length > strlen(ends[i]) && !strcasecmp(name + length - strlen(ends[i]), ends[i]))
			return true;
	return false;
}

int kh_package_note_pictures(const struct kh_package *package, const char *folder, struct kh_collector *collector)
{
	size_t pictures = 0;

	for (zip_int64_t i = 0; i < package->members; i++) {
		const char *name = zip_get_name(package->zip, (zip_uint64_t)i, 0);

		pictures += name && !strncmp(name, folder, strlen(folder)) && is_picture(name);
	}
	if (!pictures)
		return 0;
	return kh_collect_note(collector, _("pictures in it: %zu; what they show is not read: compare with the letter"),
			       pictures);
}
