// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A MISP feed -> its events in one file: {"response": [{"Event": ...}, ...]}, of each what the reader reads. The manifest lists the events with the time
 * of their last change; only those are fetched whose time is another than that of the kept copy, and what it no longer lists is left out.
 *
 * An event that is missing or cannot be read does not hold up the others: it stays as it was kept, or out, the answer says so, and it is
 * asked for again the next time.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "fetch/private.h"

#define EVENTS_MAX 20000
#define UUID_BYTES 36
#define MARK "x_khien"
#define MANIFEST "manifest.json"

struct misp {
	struct kh_feed *feed;
	char manifest_url[KH_HTTP_URL_BYTES];
	struct kh_copy kept, copy;
	char *etag, *last_modified; /* of the manifest */
	size_t unread;
	char unread_text[KH_FETCH_TEXT_MAX]; /* why the first of them was not */
};

static void misp_clear(struct misp *misp)
{
	kh_copy_clear(&misp->kept);
	kh_copy_clear(&misp->copy);
	free(misp->etag);
	free(misp->last_modified);
}

static bool is_uuid(const char *text)
{
	for (size_t i = 0; i < UUID_BYTES; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
							    : !text[i] || !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	return !text[UUID_BYTES];
}

/* A time as MISP writes it, in quotation marks or without. "": none. */
static void stamp_of(const json_t *object, char ret_stamp[static 32])
{
	const json_t *stamp = json_object_get(object, "timestamp");

	ret_stamp[0] = '\0';
	if (json_is_integer(stamp))
		snprintf(ret_stamp, 32, "%lld", (long long)json_integer_value(stamp));
	else if (json_is_string(stamp) && json_string_length(stamp) < 32)
		snprintf(ret_stamp, 32, "%s", json_string_value(stamp));
}

/* ---- Addresses --------------------------------------------------------------------------------------------- */

/* The file beside the manifest, or the manifest itself of a folder's address. */
static int address_of(const char *url, const char *file, char ret_url[static KH_HTTP_URL_BYTES])
{
	CURLU *handle = curl_url();
	char *path = NULL, *whole = NULL, *text = NULL;
	int code = -EINVAL, folder;

	if (handle && !curl_url_set(handle, CURLUPART_URL, url, 0) && !curl_url_get(handle, CURLUPART_PATH, &path, 0)) {
		size_t length = strlen(path);
		bool named = length >= 5 && !strcmp(path + length - 5, ".json");

		folder = named ? (int)(strrchr(path, '/') + 1 - path) : (int)length;
		if (asprintf(&whole, "%.*s%s%s", folder, path, named || path[length - 1] == '/' ? "" : "/",
			     named && !file ? path + folder
			     : file	    ? file
					    : MANIFEST) < 0)
			whole = NULL;
	}
	if (whole && !curl_url_set(handle, CURLUPART_PATH, whole, 0) &&
	    !curl_url_get(handle, CURLUPART_URL, &text, 0) && strlen(text) < KH_HTTP_URL_BYTES) {
		snprintf(ret_url, KH_HTTP_URL_BYTES, "%s", text);
		code = 0;
	}
	curl_free(path);
	curl_free(text);
	free(whole);
	curl_url_cleanup(handle);
	return code;
}

/* ---- One event ---------------------------------------------------------------------------------------------- */

/* Adds the plain members of these names to a copy. */
static bool keep(json_t *copy, const json_t *object, const char *const *names)
{
	bool kept = copy != NULL;

	for (; kept && *names; names++) {
		json_t *value = json_object_get(object, *names);

		if (json_is_string(value) || json_is_boolean(value) || json_is_integer(value))
			kept = !json_object_set(copy, *names, value);
	}
	return kept;
}

/* to_ids, as the reader understands it. */
static bool is_marked(const json_t *attribute)
{
	const json_t *mark = json_object_get(attribute, "to_ids");
	const char *text = json_string_value(mark);

	return json_is_true(mark) || json_integer_value(mark) == 1 ||
	       (text && (!strcmp(text, "1") || !strcmp(text, "true")));
}

/* An attribute by itself, under the policy of the source. */
static bool keep_attribute(json_t *list, const json_t *attribute, enum kh_unmarked unmarked)
{
	static const char *const names[] = { "type", "value", "to_ids", "deleted", NULL };
	bool marked = is_marked(attribute);
	json_t *copy;

	if (!marked && unmarked == KH_UNMARKED_SKIP)
		return true;
	copy = json_object();
	if (json_array_append_new(list, copy) < 0 || !keep(copy, attribute, names))
		return false;
	return marked || unmarked != KH_UNMARKED_TAKE || !json_object_set_new(copy, "to_ids", json_true());
}

static bool keep_attributes(json_t *copy, const json_t *object, enum kh_unmarked unmarked)
{
	const json_t *attributes = json_object_get(object, "Attribute");
	json_t *list = json_array();
	bool kept = !json_object_set_new(copy, "Attribute", list);

	for (size_t i = 0; i < json_array_size(attributes) && kept; i++)
		kept = keep_attribute(list, json_array_get(attributes, i), unmarked);
	return kept;
}

static bool keep_objects(json_t *copy, const json_t *event, enum kh_unmarked unmarked)
{
	static const char *const names[] = { "name", "deleted", NULL };
	const json_t *objects = json_object_get(event, "Object");
	json_t *list = json_array();
	bool kept = !json_object_set_new(copy, "Object", list);

	for (size_t i = 0; i < json_array_size(objects) && kept; i++) {
		json_t *object = json_object();

		kept = !json_array_append_new(list, object) && keep(object, json_array_get(objects, i), names) &&
		       keep_attributes(object, json_array_get(objects, i), unmarked);
	}
	return kept;
}

/* What the reader reads of it: samples, pictures, tags and what is related are most of an event. NULL: out of memory. */
static json_t *strip(const json_t *event, enum kh_unmarked unmarked)
{
	static const char *const names[] = { "info", "date", "uuid", NULL }, *const name[] = { "name", NULL };
	json_t *copy = json_object(), *author = json_object();

	if (!json_object_set_new(copy, "Orgc", author) && keep(copy, event, names) &&
	    keep(author, json_object_get(event, "Orgc"), name) && keep_attributes(copy, event, unmarked) &&
	    keep_objects(copy, event, unmarked))
		return copy;
	json_decref(copy);
	return NULL;
}

static int add_event(struct misp *misp, const char *uuid, const char *stamp, const json_t *event)
{
	json_t *line KH_CLEANUP(kh_json_freep) =
		json_pack("{s:o, s:{s:s, s:s}}", "Event", strip(event, misp->feed->request->unmarked), MARK, "uuid",
			  uuid, "timestamp", stamp);

	if (!line)
		return kh_feed_fail(misp->feed, -ENOMEM, NULL, "%s", _("out of memory"));
	return kh_copy_add(misp->feed, &misp->copy, uuid, stamp, line, false);
}

static bool name_event(const json_t *item, const char **id, const char **version)
{
	const json_t *mark = json_object_get(item, MARK);

	*id = kh_json_string(mark, "uuid");
	*version = kh_json_string(mark, "timestamp");
	return is_uuid(*id);
}

static int compare_id(const void *key, const void *item)
{
	return strcmp(key, ((const struct kh_copy_item *)item)->id);
}

static const struct kh_copy_item *find_kept(const struct misp *misp, const char *uuid)
{
	return misp->kept.count
		       ? bsearch(uuid, misp->kept.items, misp->kept.count, sizeof(*misp->kept.items), compare_id)
		       : NULL;
}

/* 0; -EPROTO: it is not there, or not readable; or another -errno. */
static int fetch_event(struct misp *misp, const char *uuid, const char *stamp)
{
	json_t *object KH_CLEANUP(kh_json_freep) = NULL;
	struct kh_http_reply reply KH_CLEANUP(kh_http_reply_clear) = {};
	char file[UUID_BYTES + 8], url[KH_HTTP_URL_BYTES];
	const struct kh_http_ask ask = { .url = url, .accept = "application/json" };
	int code;

	snprintf(file, sizeof(file), "%s.json", uuid);
	if (address_of(misp->manifest_url, file, url) < 0)
		return kh_feed_fail(misp->feed, -EINVAL, NULL, "%s: %s", misp->manifest_url, strerror(EINVAL));
	code = kh_http_get(misp->feed, &ask, &reply);
	if (code == -EPROTO && reply.status != 404 && reply.status != 410)
		return -EREMOTEIO; /* closed, or out of order: not a matter of this event */
	if (!code)
		code = kh_feed_json(misp->feed, url, &reply.content, _("an event of MISP"), &object);
	if (code < 0)
		return code;
	kh_bytes_clear(&reply.content); /* the tree is there */
	if (!json_is_object(json_object_get(object, "Event")))
		return kh_feed_fail(misp->feed, -EPROTO, NULL, _("%s: this is not %s"), url, _("an event of MISP"));
	return add_event(misp, uuid, stamp, json_object_get(object, "Event"));
}

static int take_event(struct misp *misp, const char *uuid, const json_t *entry)
{
	const struct kh_copy_item *item = find_kept(misp, uuid);
	char stamp[32];
	int code;

	stamp_of(entry, stamp);
	if (item && stamp[0] && !strcmp(item->version, stamp))
		return kh_copy_keep(misp->feed, &misp->copy, item);
	code = fetch_event(misp, uuid, stamp);
	if (code != -EPROTO)
		return code;
	if (!misp->unread++)
		snprintf(misp->unread_text, sizeof(misp->unread_text), "%s", misp->feed->answer->text);
	return item ? kh_copy_keep(misp->feed, &misp->copy, item) : 0;
}

/* ---- All of them ---------------------------------------------------------------------------------------------- */

/* The manifest; *ret_manifest NULL: it is the one of the kept copy. 0 or -errno. */
static int fetch_manifest(struct misp *misp, json_t **ret_manifest)
{
	const struct kh_fetch_request *request = misp->feed->request;
	const struct kh_http_ask ask = { .url = misp->manifest_url,
					 .accept = "application/json",
					 .etag = request->etag,
					 .last_modified = request->last_modified };
	struct kh_http_reply reply KH_CLEANUP(kh_http_reply_clear) = {};
	json_t *manifest KH_CLEANUP(kh_json_freep) = NULL;
	const char *uuid;
	json_t *entry;
	int code = kh_http_get(misp->feed, &ask, &reply);

	*ret_manifest = NULL;
	if (code < 0 || reply.status == 304)
		return code;
	code = kh_feed_json(misp->feed, misp->manifest_url, &reply.content, _("the manifest of a MISP feed"),
			    &manifest);
	if (code < 0)
		return code;
	json_object_foreach(manifest, uuid, entry)
		if (!is_uuid(uuid) || !json_is_object(entry))
			return kh_feed_fail(
				misp->feed, -EPROTO, _("the address is that of manifest.json, or of its folder"),
				_("%s: this is not %s"), misp->manifest_url, _("the manifest of a MISP feed"));
	if (json_object_size(manifest) > EVENTS_MAX)
		return kh_feed_fail(misp->feed, -E2BIG, NULL, _("%s: it lists %zu events, more than %d"),
				    misp->manifest_url, json_object_size(manifest), EVENTS_MAX);
	misp->etag = KH_TAKE(reply.etag);
	misp->last_modified = KH_TAKE(reply.last_modified);
	*ret_manifest = KH_TAKE(manifest);
	return 0;
}

static int take_events(struct misp *misp, json_t *manifest)
{
	const char *uuid;
	json_t *entry;
	int code = 0;

	json_object_foreach(manifest, uuid, entry) {
		code = take_event(misp, uuid, entry);
		if (code < 0)
			return code;
	}
	kh_copy_settle(&misp->copy);
	return 0;
}

/* A manifest of which not all was read is not the one of the copy. */
static void finish(struct misp *misp, size_t listed)
{
	struct kh_feed *feed = misp->feed;
	json_t *state KH_CLEANUP(kh_json_freep) = json_object();

	if (misp->unread && !misp->copy.count)
		return; /* the answer is why */
	if (kh_copy_write(feed, &misp->copy, "", state, "response", feed->content) < 0)
		return;
	feed->answer->result = KH_FETCH_NEW;
	kh_feed_forgive(feed); /* an event that could not be read */
	if (misp->unread) {
		kh_feed_remark(feed, _("events that could not be read: %zu of %zu (%s)"), misp->unread, listed,
			       misp->unread_text);
		return;
	}
	feed->answer->etag = KH_TAKE(misp->etag);
	feed->answer->last_modified = KH_TAKE(misp->last_modified);
}

void kh_fetch_misp(struct kh_feed *feed)
{
	struct misp misp KH_CLEANUP(misp_clear) = { .feed = feed };
	json_t *manifest KH_CLEANUP(kh_json_freep) = NULL, *state KH_CLEANUP(kh_json_freep) = NULL;

	if (address_of(feed->request->url, NULL, misp.manifest_url) < 0) {
		kh_feed_fail(feed, -EINVAL, NULL, _("%s is not the address of a file on a server"), feed->request->url);
		return;
	}
	if (kh_copy_read(feed, name_event, &state, &misp.kept) < 0) {
		kh_feed_fail(feed, -ENOMEM, NULL, "%s", _("out of memory"));
		return;
	}
	if (fetch_manifest(&misp, &manifest) < 0)
		return;
	if (!manifest)
		feed->answer->result = KH_FETCH_SAME;
	else if (take_events(&misp, manifest) == 0)
		finish(&misp, json_object_size(manifest));
}
