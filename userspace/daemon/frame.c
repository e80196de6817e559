// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames of the control protocol: requests are hostile until parsed here, replies are ours.
 */
#include "daemon/frame.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"

/* A parser that recurses must not be driven deep by a client. */
static bool too_deep(const char *text, size_t length)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']'))
			depth--;
		if (depth > KH_FRAME_DEPTH)
			return true;
	}
	return false;
}

int kh_frame_parse(const char *text, size_t length, json_t **ret_request, struct kh_error *error)
{
	json_error_t json_error;
	json_t *request;

	if (too_deep(text, length))
		return kh_fail(error, -EINVAL, _("malformed request: nested deeper than %d"), KH_FRAME_DEPTH);
	request = json_loadb(text, length, JSON_REJECT_DUPLICATES, &json_error);
	if (!request)
		return kh_fail_at(error, -EINVAL, json_error.line, _("malformed request: %s"), json_error.text);
	if (!json_is_object(request)) {
		json_decref(request);
		return kh_fail(error, -EINVAL, _("malformed request: not an object"));
	}
	*ret_request = request;
	return 0;
}

int kh_frame_render(const json_t *reply, char **ret_frame, size_t *ret_length)
{
	size_t length = json_dumpb(reply, NULL, 0, JSON_COMPACT);
	uint32_t header = (uint32_t)length;
	char *frame;

	if (!length)
		return -ENOMEM;
	if (length > KH_PROTO_MAX_REPLY)
		return -EMSGSIZE;
	frame = malloc(sizeof(header) + length);
	if (!frame)
		return -ENOMEM;
	memcpy(frame, &header, sizeof(header));
	json_dumpb(reply, frame + sizeof(header), length, JSON_COMPACT);
	*ret_frame = frame;
	*ret_length = sizeof(header) + length;
	return 0;
}

json_t *kh_frame_error(int exit_code, const struct kh_error *error)
{
	struct kh_error clean = *error; /* the text may quote the input */
	json_t *reply;

	kh_text_printable(clean.text);
	kh_text_printable(clean.hint);
	reply = json_pack("{s:i, s:{s:s, s:s}}", "exit", exit_code, "error", "text", clean.text, "hint", clean.hint);
	if (reply && clean.line)
		json_object_set_new(json_object_get(reply, "error"), "line", json_integer(clean.line));
	return reply;
}
