/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of the control protocol (khien/proto.h): bytes to JSON and back. No sockets here.
 */
#ifndef KHIEN_DAEMON_FRAME_H
#define KHIEN_DAEMON_FRAME_H

#include <jansson.h>
#include <stddef.h>

#include "common/error.h"
#include "khien/proto.h"

#define KH_FRAME_DEPTH 16 /* how deep a request may nest; the protocol needs 3 */

/* What json_loadb() does, and safely when there is no memory. 0, -EINVAL with *ret_error, or -ENOMEM; then *ret_value is NULL. Not from two threads. */
int kh_frame_load(const char *text, size_t length, size_t flags, json_t **ret_value, json_error_t *ret_error);

/* The text of a request, without its header, to an object. 0, or -EINVAL or -ENOMEM with error. */
int kh_frame_parse(const char *text, size_t length, json_t **ret_request, struct kh_error *error);

/* A reply to header and text in one malloc'ed buffer of exactly that size. 0, -EMSGSIZE beyond KH_PROTO_MAX_REPLY, or -ENOMEM. */
int kh_frame_render(const json_t *reply, char **ret_frame, size_t *ret_length);

/* {"exit": exit_code, "error": {"text", "hint", "line"}}; line only when the error has one. NULL: out of memory. */
json_t *kh_frame_error(int exit_code, const struct kh_error *error);

#endif
