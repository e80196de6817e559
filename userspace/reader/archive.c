// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ZIP archives of other files: each member is a file to be read by itself.
 */
#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "reader/package.h"
#include "reader/reader.h"

/* Folders, and what systems put beside the files of people. */
static bool is_file(const char *name)
{
	const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;

	return *base && *base != '.' && strncmp(name, "__MACOSX/", 9) && strcmp(base, "Thumbs.db") &&
	       strcmp(base, "desktop.ini");
}

static int take_member(struct kh_package *package, zip_uint64_t index, struct kh_collector *collector)
{
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	const char *name = zip_get_name(package->zip, index, 0);
	struct kh_error why = {}, *before = package->error;
	int result;

	if (!name || !is_file(name))
		return 0;
	package->error = &why;
	result = kh_package_read_at(package, index, &bytes);
	package->error = before;
	if (result == -ENOMEM)
		return result;
	if (result == -EFBIG) {
		if (before)
			*before = why;
		return result;
	}
	if (!result && bytes.length > KH_READER_MAX_BYTES) {
		kh_fail(&why, -EFBIG, _("larger than %zu MB"), KH_READER_MAX_BYTES >> 20);
		result = -EFBIG;
	}
	if (result)
		return kh_collect_note(collector, _("NOT READ: %s: %s"), name, why.text);
	return kh_collect_part(collector, name, bytes.data ? (const void *)bytes.data : "", bytes.length);
}

int kh_archive_read(const struct kh_input *input, struct kh_collector *collector)
{
	struct kh_package package KH_CLEANUP(kh_package_close) = {};
	int result = kh_package_open(input, collector->error, &package);

	for (zip_int64_t i = 0; !result && i < package.members; i++)
		result = take_member(&package, (zip_uint64_t)i, collector);
	if (!result && !collector->document->parts_count)
		result = kh_collect_note(collector, _("the archive holds no file that could be read"));
	return result;
}
