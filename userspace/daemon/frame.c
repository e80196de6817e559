// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames of the control protocol: requests are hostile until parsed here, replies are ours.
 */
#include "daemon/frame.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

/* ---- JSON without memory -------------------------------------------------------------------------- */

#define RESERVE_BYTES \
	((size_t)4    \
	 << 20) /* twice a text of KH_PROTO_MAX_REQUEST, as jansson doubles it, and what one piece of input takes */

/* jansson does not look whether there was memory for the text of a string, and reads and writes beyond what there is. So while it parses there always
 * is: from the reserve. Then the input ends at once for it, and all of it is forgotten. */
static struct {
	const char *text;
	size_t left;
	bool parsing, starved;
	size_t used;
	_Alignas(16) uint8_t memory[RESERVE_BYTES];
} reserve;

static void *take(size_t size)
{
	void *memory = malloc(size);

	if (memory || !reserve.parsing)
		return memory;
	reserve.starved = true;
	size = (size + 15) / 16 * 16;
	if (size > sizeof(reserve.memory) - reserve.used)
		return NULL;
	memory = reserve.memory + reserve.used;
	reserve.used += size;
	return memory;
}

static void give_back(void *memory)
{
	const uint8_t *at = memory;

	if (at < reserve.memory || at >= reserve.memory + sizeof(reserve.memory))
		free(memory);
}

static size_t next_piece(void *buffer, size_t size, void *context KH_UNUSED)
{
	if (reserve.starved)
		return 0;
	size = size < reserve.left ? size : reserve.left;
	memcpy(buffer, reserve.text, size);
	reserve.text += size;
	reserve.left -= size;
	return size;
}

int kh_frame_load(const char *text, size_t length, size_t flags, json_t **ret_value, json_error_t *ret_error)
{
	json_t *value;

	json_set_alloc_funcs(take, give_back);
	reserve.text = text;
	reserve.left = length;
	reserve.starved = false;
	reserve.used = 0;
	reserve.parsing = true;
	value = json_load_callback(next_piece, NULL, flags, ret_error);
	if (reserve.starved) {
		json_decref(value);
		value = NULL;
	}
	reserve.parsing = false;
	*ret_value = value;
	return value ? 0 : reserve.starved ? -ENOMEM : -EINVAL;
}

/* ---- Requests and replies --------------------------------------------------------------------------- */

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
	int code;

	if (too_deep(text, length))
		return kh_fail(error, -EINVAL, _("malformed request: nested deeper than %d"), KH_FRAME_DEPTH);
	code = kh_frame_load(text, length, JSON_REJECT_DUPLICATES, &request, &json_error);
	if (code == -ENOMEM)
		return kh_fail(error, code, _("out of memory"));
	if (code < 0)
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
	if (json_dumpb(reply, frame + sizeof(header), length, JSON_COMPACT) != length) {
		free(frame);
		return -ENOMEM;
	}
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
