// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "fetch/private.h"

#define STATE "x_khien"
#define FORM 1 /* of what is kept: of another one nothing is read, and all is fetched */
#define LAST_LINE "]}"

const char *kh_json_string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

int kh_feed_json(struct kh_feed *feed, const char *url, const struct kh_bytes *content, const char *what,
		 json_t **ret_object)
{
	json_error_t why;
	json_t *object = json_loadb((const char *)content->data, content->length, JSON_ALLOW_NUL, &why);

	if (json_is_object(object)) {
		*ret_object = object;
		return 0;
	}
	json_decref(object);
	if (json_error_code(&why) == json_error_out_of_memory)
		return kh_feed_fail(feed, -ENOMEM, NULL, "%s", _("out of memory"));
	if (object || !content->length)
		return kh_feed_fail(feed, -EPROTO, NULL, _("%s: this is not %s"), url, what);
	return kh_feed_fail(feed, -EPROTO, NULL, _("%s: this is not %s: line %d: %s"), url, what, why.line, why.text);
}

/* ---- Items ---------------------------------------------------------------------------------------------- */

static void clear_item(struct kh_copy_item *item)
{
	free(item->id);
	free(item->version);
	free(item->text);
}

void kh_copy_clear(struct kh_copy *copy)
{
	for (size_t i = 0; i < copy->count; i++)
		clear_item(&copy->items[i]);
	free(copy->items);
	*copy = (struct kh_copy){};
}

/* Takes the text. 0 or -ENOMEM. */
static int push_item(struct kh_copy *copy, const char *id, const char *version, char *text_take, bool ended)
{
	struct kh_copy_item item = { strdup(id), strdup(version), text_take, copy->count, ended };

	if (!item.id || !item.version || !item.text ||
	    kh_grow(&copy->items, &copy->capacity, copy->count + 1, sizeof(*copy->items)) < 0) {
		clear_item(&item);
		return -ENOMEM;
	}
	copy->bytes += strlen(item.text);
	copy->items[copy->count++] = item;
	return 0;
}

/* With what is outdone by what came later, twice as much may come. */
static int check_size(struct kh_feed *feed, const struct kh_copy *copy)
{
	const struct kh_fetch_request *request = feed->request;

	if (request->kind == KH_FETCH_TAXII && (int64_t)copy->count > 2 * request->entries_max)
		return kh_feed_fail(feed, -E2BIG, _("if that is right, add the source anew with a larger --max-values"),
				    _("there are more than %lld values in it"), (long long)request->entries_max);
	if ((int64_t)copy->bytes > 2 * request->bytes_max)
		return kh_feed_fail(feed, -EFBIG, _("if that is right, add the source anew with a larger --max-size"),
				    _("there is more than %lld KiB of it"), (long long)request->bytes_max >> 10);
	return 0;
}

int kh_copy_add(struct kh_feed *feed, struct kh_copy *copy, const char *id, const char *version, const json_t *item,
		bool ended)
{
	char *text = json_dumps(item, JSON_COMPACT);
	int code = text ? push_item(copy, id, version, text, ended) : -ENOMEM;

	return code < 0 ? kh_feed_fail(feed, code, NULL, "%s", _("out of memory")) : check_size(feed, copy);
}

int kh_copy_keep(struct kh_feed *feed, struct kh_copy *copy, const struct kh_copy_item *item)
{
	char *text = strdup(item->text);
	int code = text ? push_item(copy, item->id, item->version, text, item->ended) : -ENOMEM;

	return code < 0 ? kh_feed_fail(feed, code, NULL, "%s", _("out of memory")) : check_size(feed, copy);
}

static int compare_items(const void *a, const void *b)
{
	const struct kh_copy_item *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	if (!order)
		order = kh_time_compare(x->version, y->version);
	return order ? order : x->number < y->number ? -1 : x->number > y->number;
}

void kh_copy_settle(struct kh_copy *copy)
{
	size_t kept = 0;

	if (copy->count)
		qsort(copy->items, copy->count, sizeof(*copy->items), compare_items);
	for (size_t i = 0; i < copy->count; i++) {
		struct kh_copy_item *item = &copy->items[i];

		if (item->ended || (i + 1 < copy->count && !strcmp(item->id, copy->items[i + 1].id))) {
			copy->bytes -= strlen(item->text);
			clear_item(item);
		} else {
			copy->items[kept++] = *item;
		}
	}
	copy->count = kept;
}

/* ---- Reading it back ----------------------------------------------------------------------------------- */

struct lines {
	const char *at;
	size_t left;
};

/* The next one, without its end. */
static bool next_line(struct lines *lines, const char **ret_line, size_t *ret_length)
{
	const char *end = lines->left ? memchr(lines->at, '\n', lines->left) : NULL;

	if (!end)
		return false;
	*ret_line = lines->at;
	*ret_length = (size_t)(end - lines->at);
	lines->left -= *ret_length + 1;
	lines->at = end + 1;
	return true;
}

/* The first line is the beginning of an object. */
static json_t *read_state(const char *line, size_t length)
{
	struct kh_bytes whole KH_CLEANUP(kh_bytes_clear) = {};
	json_t *object KH_CLEANUP(kh_json_freep) = NULL, *state;

	if (kh_bytes_add(&whole, line, length) < 0 || kh_bytes_add(&whole, LAST_LINE, strlen(LAST_LINE)) < 0)
		return NULL;
	object = json_loadb((const char *)whole.data, whole.length, 0, NULL);
	state = json_object_get(object, STATE);
	return json_integer_value(json_object_get(state, "form")) == FORM ? json_incref(state) : NULL;
}

static int read_item(struct kh_copy *copy, const char *line, size_t length,
		     bool (*name)(const json_t *item, const char **id, const char **version))
{
	json_t *item KH_CLEANUP(kh_json_freep) = NULL;
	const char *id = NULL, *version = NULL;
	char *text;

	if (length && line[length - 1] == ',')
		length--;
	item = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(item) || !name(item, &id, &version))
		return -EINVAL;
	text = strndup(line, length);
	return text ? push_item(copy, id, version, text, false) : -ENOMEM;
}

int kh_copy_read(const struct kh_feed *feed, bool (*name)(const json_t *item, const char **id, const char **version),
		 json_t **ret_state, struct kh_copy *copy)
{
	struct lines lines = { feed->kept, feed->kept_length };
	json_t *state KH_CLEANUP(kh_json_freep) = NULL;
	const char *line;
	size_t length;
	int code = 0;

	*ret_state = NULL;
	if (next_line(&lines, &line, &length))
		state = read_state(line, length);
	if (!state)
		return 0;
	while (!code && (code = next_line(&lines, &line, &length) ? 0 : -EINVAL) == 0) {
		if (length == strlen(LAST_LINE) && !memcmp(line, LAST_LINE, length))
			break;
		code = read_item(copy, line, length, name);
	}
	if (code < 0) {
		kh_copy_clear(copy);
		return code == -ENOMEM ? code : 0;
	}
	*ret_state = KH_TAKE(state);
	return 1;
}

/* ---- Writing it ------------------------------------------------------------------------------------------ */

static int write_head(const char *head, json_t *state, const char *list, struct kh_bytes *bytes)
{
	char *text KH_CLEANUP(kh_freep) = NULL, *line KH_CLEANUP(kh_freep) = NULL;

	json_object_set_new(state, "form", json_integer(FORM));
	text = json_dumps(state, JSON_COMPACT | JSON_SORT_KEYS);
	if (!text || asprintf(&line, "{%s\"" STATE "\":%s,\"%s\":[\n", head, text, list) < 0)
		return -ENOMEM;
	return kh_bytes_add(bytes, line, strlen(line));
}

int kh_copy_write(struct kh_feed *feed, const struct kh_copy *copy, const char *head, json_t *state, const char *list,
		  struct kh_bytes *ret_content)
{
	int code = copy->count ? write_head(head, state, list, ret_content) : 0;

	for (size_t i = 0; i < copy->count && !code; i++) {
		const char *text = copy->items[i].text, *end = i + 1 < copy->count ? ",\n" : "\n";

		code = kh_bytes_add(ret_content, text, strlen(text));
		if (!code)
			code = kh_bytes_add(ret_content, end, strlen(end));
	}
	if (!code && copy->count)
		code = kh_bytes_add(ret_content, LAST_LINE "\n", strlen(LAST_LINE) + 1);
	if (code < 0)
		return kh_feed_fail(feed, code, NULL, "%s", _("out of memory"));
	if ((int64_t)ret_content->length <= feed->request->bytes_max)
		return 0;
	return kh_feed_fail(feed, -EFBIG, _("if that is right, add the source anew with a larger --max-size"),
			    _("there is more than %lld KiB of it"), (long long)feed->request->bytes_max >> 10);
}
