// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/fetched.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"

#define REQUEST_MAGIC "KHGET\0\0\2"
#define ANSWER_MAGIC "KHGOT\0\0\1"
#define MAGIC_BYTES 8
#define NO_TEXT UINT32_MAX

static const char *const kind_names[] = { "file", "taxii", "misp" };
static const char *const unmarked_names[] = { "review", "take", "skip" };

_Static_assert(KH_ARRAY_SIZE(kind_names) == KH_FETCH_KIND_COUNT, "every kind has a name");
_Static_assert(KH_ARRAY_SIZE(unmarked_names) == KH_UNMARKED_COUNT, "so has every policy");

static int find_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -EINVAL;
}

const char *kh_fetch_kind_name(enum kh_fetch_kind kind)
{
	return kind_names[kind];
}

const char *kh_unmarked_name(enum kh_unmarked unmarked)
{
	return unmarked_names[unmarked];
}

int kh_fetch_kind_find(const char *name)
{
	return find_name(kind_names, KH_ARRAY_SIZE(kind_names), name);
}

int kh_unmarked_find(const char *name)
{
	return find_name(unmarked_names, KH_ARRAY_SIZE(unmarked_names), name);
}

void kh_fetch_request_clear(struct kh_fetch_request *request)
{
	char *const texts[] = { request->name,	request->url,	     request->etag,	     request->last_modified,
				request->user,	request->password,   request->bearer,	     request->authority,
				request->proxy, request->proxy_user, request->proxy_password };

	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++) {
		if (texts[i])
			explicit_bzero(texts[i], strlen(texts[i])); /* some of them are secret */
		free(texts[i]);
	}
	*request = (struct kh_fetch_request){};
}

void kh_fetch_answer_clear(struct kh_fetch_answer *answer)
{
	free(answer->text);
	free(answer->hint);
	free(answer->etag);
	free(answer->last_modified);
	*answer = (struct kh_fetch_answer){};
}

/* ---- Writing -------------------------------------------------------------------------------------- */

static int write_text(const char *text, struct kh_bytes *bytes)
{
	uint32_t length = text ? (uint32_t)strlen(text) : NO_TEXT;
	int code = kh_bytes_add(bytes, &length, sizeof(length));

	return code || !text ? code : kh_bytes_add(bytes, text, length);
}

static int write_texts(const char *const *texts, size_t count, struct kh_bytes *bytes)
{
	int code = 0;

	for (size_t i = 0; i < count && !code; i++)
		code = write_text(texts[i], bytes);
	return code;
}

int kh_fetch_request_write(const struct kh_fetch_request *request, struct kh_bytes *bytes)
{
	const char *const texts[] = { request->name,	      request->url,	      request->etag,
				      request->last_modified, request->user,	      request->password,
				      request->bearer,	      request->authority,     request->proxy,
				      request->proxy_user,    request->proxy_password };
	const int64_t numbers[] = { request->bytes_max, request->entries_max, request->kind, request->unmarked };
	int code = kh_bytes_add(bytes, REQUEST_MAGIC, MAGIC_BYTES);

	if (!code)
		code = write_texts(texts, KH_ARRAY_SIZE(texts), bytes);
	return code ? code : kh_bytes_add(bytes, numbers, sizeof(numbers));
}

int kh_fetch_answer_write(const struct kh_fetch_answer *answer, struct kh_bytes *bytes)
{
	const char *const texts[] = { answer->text, answer->hint, answer->etag, answer->last_modified };
	const int64_t numbers[] = { answer->result, answer->status, answer->bytes, answer->entries };
	int code = kh_bytes_add(bytes, ANSWER_MAGIC, MAGIC_BYTES);

	if (!code)
		code = write_texts(texts, KH_ARRAY_SIZE(texts), bytes);
	return code ? code : kh_bytes_add(bytes, numbers, sizeof(numbers));
}

/* ---- Reading -------------------------------------------------------------------------------------- */

struct cursor {
	const unsigned char *data;
	size_t left;
	size_t text_max;
	int code;
};

static bool take(struct cursor *cursor, void *to, size_t length)
{
	if (cursor->code)
		return false;
	if (length > cursor->left) {
		cursor->code = -EINVAL;
		return false;
	}
	memcpy(to, cursor->data, length);
	cursor->data += length;
	cursor->left -= length;
	return true;
}

static void take_magic(struct cursor *cursor, const char *magic)
{
	char found[MAGIC_BYTES];

	if (take(cursor, found, sizeof(found)) && memcmp(found, magic, sizeof(found)) != 0)
		cursor->code = -EINVAL;
}

static char *take_text(struct cursor *cursor)
{
	uint32_t length;
	char *text;

	if (!take(cursor, &length, sizeof(length)) || length == NO_TEXT)
		return NULL;
	if (length > cursor->left || length > cursor->text_max || memchr(cursor->data, '\0', length)) {
		cursor->code = -EINVAL;
		return NULL;
	}
	text = malloc((size_t)length + 1);
	if (!text) {
		cursor->code = -ENOMEM;
		return NULL;
	}
	take(cursor, text, length);
	text[length] = '\0';
	return text;
}

int kh_fetch_request_read(const void *data, size_t length, struct kh_fetch_request *ret_request, size_t *ret_rest)
{
	struct cursor cursor = { data, length, KH_FETCH_REQUEST_MAX, 0 };
	struct kh_fetch_request request = {};
	char **const texts[] = { &request.name,	 &request.url,	      &request.etag,	      &request.last_modified,
				 &request.user,	 &request.password,   &request.bearer,	      &request.authority,
				 &request.proxy, &request.proxy_user, &request.proxy_password };
	int64_t kind = -1, unmarked = -1;

	take_magic(&cursor, REQUEST_MAGIC);
	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++)
		*texts[i] = take_text(&cursor);
	take(&cursor, &request.bytes_max, sizeof(request.bytes_max));
	take(&cursor, &request.entries_max, sizeof(request.entries_max));
	take(&cursor, &kind, sizeof(kind));
	take(&cursor, &unmarked, sizeof(unmarked));
	if (!cursor.code && (!request.name || !request.url || request.bytes_max < 1 || kind < 0 ||
			     kind >= KH_FETCH_KIND_COUNT || unmarked < 0 || unmarked >= KH_UNMARKED_COUNT))
		cursor.code = -EINVAL;
	if (cursor.code) {
		kh_fetch_request_clear(&request);
		return cursor.code;
	}
	request.kind = (enum kh_fetch_kind)kind;
	request.unmarked = (enum kh_unmarked)unmarked;
	*ret_request = request;
	*ret_rest = length - cursor.left;
	return 0;
}

/* The program that wrote it speaks with strangers. */
static bool is_plausible(const struct kh_fetch_answer *answer, int64_t result)
{
	const char *const texts[] = { answer->etag, answer->last_modified };

	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++)
		for (const char *c = texts[i]; c && *c; c++)
			if (*c < ' ' || *c > '~')
				return false;
	return result >= 0 && result < KH_FETCH_RESULT_COUNT && answer->status >= 0 && answer->status < 1000 &&
	       answer->bytes >= 0 && answer->entries >= 0 && (result != KH_FETCH_FAILED || answer->text);
}

int kh_fetch_answer_read(const void *data, size_t length, struct kh_fetch_answer *ret_answer, size_t *ret_rest)
{
	struct cursor cursor = { data, length, KH_FETCH_TEXT_MAX, 0 };
	struct kh_fetch_answer answer = {};
	char **const texts[] = { &answer.text, &answer.hint, &answer.etag, &answer.last_modified };
	int64_t result = -1;

	take_magic(&cursor, ANSWER_MAGIC);
	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++)
		*texts[i] = take_text(&cursor);
	take(&cursor, &result, sizeof(result));
	take(&cursor, &answer.status, sizeof(answer.status));
	take(&cursor, &answer.bytes, sizeof(answer.bytes));
	take(&cursor, &answer.entries, sizeof(answer.entries));
	if (!cursor.code && !is_plausible(&answer, result))
		cursor.code = -EINVAL;
	if (cursor.code) {
		kh_fetch_answer_clear(&answer);
		return cursor.code;
	}
	if (answer.text)
		kh_text_printable(answer.text);
	if (answer.hint)
		kh_text_printable(answer.hint);
	answer.result = (enum kh_fetch_result)result;
	*ret_answer = answer;
	*ret_rest = length - cursor.left;
	return 0;
}
