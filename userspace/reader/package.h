/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ZIP packages in memory (libzip) and the XML in them (expat). Both hostile: what is inflated is limited in all, elements in depth, and there
 * are no document types, so no entities of a document's own.
 */
#ifndef KHIEN_READER_PACKAGE_H
#define KHIEN_READER_PACKAGE_H

#include <zip.h>

#include "reader/private.h"

#define KH_PACKAGE_INFLATED_MAX ((size_t)256 << 20) /* all members that are read */
#define KH_PACKAGE_MEMBERS_MAX 4096

struct kh_package {
	zip_t *zip;
	zip_int64_t members;
	size_t inflated;
	const struct kh_input *input;
	struct kh_error *error; /* may be NULL */
};

/* 0; -EINVAL, -EFBIG with error; -ENOMEM. */
int kh_package_open(const struct kh_input *input, struct kh_error *error, struct kh_package *ret_package);
void kh_package_close(struct kh_package *package);
bool kh_package_has(const struct kh_package *package, const char *name);
/* Is there a member `name` in the input? An input that is no package has none. */
bool kh_package_holds(const struct kh_input *input, const char *name);
/* 0; -ENOENT without error; -EINVAL, -EFBIG, -ENOTSUP (locked with a password) with error; -ENOMEM. */
int kh_package_read(struct kh_package *package, const char *name, struct kh_bytes *ret_bytes);
int kh_package_read_at(struct kh_package *package, zip_uint64_t index, struct kh_bytes *ret_bytes);
/* Notes how many pictures lie under `folder`: what they show is not read. 0 or -ENOMEM. */
int kh_package_note_pictures(const struct kh_package *package, const char *folder, struct kh_collector *collector);

/* Names come without their namespace. A function that does not return 0 ends the parsing with that. */
struct kh_xml {
	int (*start)(void *context, const char *name, const char *const *attributes);
	int (*end)(void *context, const char *name);
	int (*text)(void *context, const char *text, size_t length);
	int *line; /* NULL, or kept at the line where an element begins */
};
/* The value, NULL: it has none of that name. */
const char *kh_xml_attribute(const char *const *attributes, const char *name);
/* The number that it is; `otherwise` when it is none from 1 to `most`. */
size_t kh_xml_number(const char *value, size_t otherwise, size_t most);
/* "part" names what is parsed. 0, what a function returned, -EINVAL with error, -ENOMEM. */
int kh_xml_parse(const struct kh_input *input, const char *part, const struct kh_bytes *bytes, const struct kh_xml *xml,
		 void *context, struct kh_error *error);

#endif
