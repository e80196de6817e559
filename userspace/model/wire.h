/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A document as bytes, for between processes: whoever reads foreign files has no privileges, whoever has privileges reads only
 * this. So what arrives is as hostile as the file was. A document that is accepted holds together as one fresh from the
 * reader does: values canonical, proposals that fit them, lists sorted, text UTF-8 without control characters.
 *
 * Numbers are little-endian, texts their length (32 bits; all ones: NULL) and their bytes. A value goes as its canonical text and is parsed
 * again, so there is one parser of values and no second set of rules. Not a format to keep: both ends are of one version.
 */
#ifndef KHIEN_MODEL_WIRE_H
#define KHIEN_MODEL_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "model/document.h"

#define KH_WIRE_MAGIC "KHDOC\0\0\1"
#define KH_WIRE_ERROR_MAGIC "KHERR\0\0\1"
#define KH_WIRE_SET_MAGIC "KHSET\0\0\1"
#define KH_WIRE_SET_MAX 1024 /* documents of one file */
#define KH_WIRE_NO_TEXT UINT32_MAX

/* Appends the document. 0, or -ENOMEM (then `bytes` holds a part of it). */
int kh_wire_write(const struct kh_document *document, struct kh_bytes *bytes);

/* Appends why there is no document. 0 or -ENOMEM. */
int kh_wire_write_error(int code, const struct kh_error *why, struct kh_bytes *bytes);

/* Reads what kh_wire_write() appended, no more and no less. 0; -EINVAL with error, which names the part that is wrong;
 * -ENOMEM; or the code and the error that kh_wire_write_error() appended. On failure
 * *ret_document is unchanged. No count makes it take memory that the bytes do not bear out. */
int kh_wire_read(const void *data, size_t length, struct kh_document **ret_document, struct kh_error *error);

/* The documents of one file, each as above. 0 or -ENOMEM. */
int kh_wire_write_all(const struct kh_documents *documents, struct kh_bytes *bytes);
/* Reads them back, at least one, none of which has parts, onto the end of *documents. Errors as above; on failure *documents is unchanged. */
int kh_wire_read_all(const void *data, size_t length, struct kh_documents *documents, struct kh_error *error);

#endif
