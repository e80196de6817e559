// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which collection a source means. Its address may be that of the collection (.../collections/ID/, or its .../objects/), of all collections, of an API
 * root, or of a discovery document (TAXII 2.1, sections 4 and 5). There is no guessing between two.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "fetch/private.h"

#define ROOTS_MAX 16
#define COLLECTIONS_MAX 1000 /* of one root */
#define LISTED_MAX 8 /* in a message */
#define TITLE_MAX 40

struct search {
	struct kh_feed *feed;
	char *url; /* of the objects of the first one that may be read; owned */
	size_t readable;
	struct kh_bytes names; /* of those that may be read, for the message */
};

/* ---- Addresses ------------------------------------------------------------------------------------------- */

/* The address with another path and no query. 0 or -errno. */
static int with_path(const char *url, const char *path, char ret_url[static KH_HTTP_URL_BYTES])
{
	CURLU *handle = curl_url();
	char *text = NULL;
	int code = -EINVAL;

	if (handle && !curl_url_set(handle, CURLUPART_URL, url, 0) && !curl_url_set(handle, CURLUPART_PATH, path, 0) &&
	    !curl_url_set(handle, CURLUPART_QUERY, NULL, 0) && !curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0) &&
	    !curl_url_get(handle, CURLUPART_URL, &text, 0) && strlen(text) < KH_HTTP_URL_BYTES) {
		snprintf(ret_url, KH_HTTP_URL_BYTES, "%s", text);
		code = 0;
	}
	curl_free(text);
	curl_url_cleanup(handle);
	return code;
}

/* What the server calls `other`, seen from `url`: it may be a path alone. */
static int resolve(const char *url, const char *other, char ret_url[static KH_HTTP_URL_BYTES])
{
	CURLU *handle = curl_url();
	char *text = NULL;
	int code = -EINVAL;

	if (handle && !curl_url_set(handle, CURLUPART_URL, url, 0) && !curl_url_set(handle, CURLUPART_URL, other, 0) &&
	    !curl_url_get(handle, CURLUPART_URL, &text, 0) && strlen(text) < KH_HTTP_URL_BYTES) {
		snprintf(ret_url, KH_HTTP_URL_BYTES, "%s", text);
		code = 0;
	}
	curl_free(text);
	curl_url_cleanup(handle);
	return code;
}

/* The path, with exactly one / at its end. malloc'ed; NULL: out of memory, or not an address. */
static char *path_of(const char *url)
{
	CURLU *handle = curl_url();
	char *path = NULL, *copy = NULL;
	size_t length;

	if (handle && !curl_url_set(handle, CURLUPART_URL, url, 0) && !curl_url_get(handle, CURLUPART_PATH, &path, 0)) {
		length = strlen(path);
		while (length && path[length - 1] == '/')
			length--;
		if (asprintf(&copy, "%.*s/", (int)length, path) < 0)
			copy = NULL;
	}
	curl_free(path);
	curl_url_cleanup(handle);
	return copy;
}

/* Where "ID/" begins in ".../collections/ID/" and ".../collections/ID/objects/"; NULL: it is another path. */
static const char *collection_in(const char *path)
{
	static const char word[] = "/collections/";
	const char *found = NULL, *id, *end;

	for (const char *at = path; (at = strstr(at, word)); at++)
		found = at;
	id = found ? found + strlen(word) : "";
	end = strchr(id, '/');
	return end && end > id && (!end[1] || !strcmp(end, "/objects/")) ? id : NULL;
}

/* ---- What the server says ----------------------------------------------------------------------------------- */

static int check_type(struct kh_feed *feed, const char *url, const char *type)
{
	if (!type || (!strstr(type, "version=2.0") && !strstr(type, "vnd.oasis.")))
		return 0;
	return kh_feed_fail(feed, -ENOTSUP, _("ask its operator for TAXII 2.1"), _("%s: the server speaks TAXII 2.0"),
			    url);
}

int kh_taxii_get(struct kh_feed *feed, const char *url, json_t **ret_object, struct kh_http_reply *ret_reply)
{
	const struct kh_http_ask ask = { .url = url, .accept = KH_TAXII_ACCEPT };
	struct kh_http_reply reply KH_CLEANUP(kh_http_reply_clear) = {};
	int code = kh_http_get(feed, &ask, &reply);

	if (code < 0 && reply.status == 406)
		return kh_feed_fail(feed, -ENOTSUP, _("ask its operator for TAXII 2.1"),
				    _("%s: the server does not speak TAXII 2.1 (status 406)"), url);
	if (!code)
		code = check_type(feed, url, reply.type);
	if (!code)
		code = kh_feed_json(feed, url, &reply.content, _("an answer of TAXII 2.1"), ret_object);
	if (code < 0 || !ret_reply)
		return code;
	kh_bytes_clear(&reply.content); /* the tree is there */
	*ret_reply = reply;
	reply = (struct kh_http_reply){};
	return 0;
}

/* ---- Looking for it ------------------------------------------------------------------------------------------ */

static int name_collection(struct search *search, const char *id, const char *title)
{
	char line[KH_FETCH_TEXT_MAX];
	int length = snprintf(line, sizeof(line), "%s%.64s \"%.*s\"", search->readable > 1 ? ", " : "", id, TITLE_MAX,
			      title);

	if (search->readable > LISTED_MAX)
		return 0;
	kh_text_printable(line);
	return kh_bytes_add(&search->names, line, (size_t)length);
}

static int take_collection(struct search *search, const char *url, const json_t *collection)
{
	const char *id = kh_json_string(collection, "id");
	char *path KH_CLEANUP(kh_freep) = NULL, *whole KH_CLEANUP(kh_freep) = NULL;
	char found[KH_HTTP_URL_BYTES];

	if (!json_is_true(json_object_get(collection, "can_read")) || !*id ||
	    id[strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.")])
		return 0;
	search->readable++;
	if (search->readable == 1) {
		path = path_of(url);
		if (!path || asprintf(&whole, "%s%s/objects/", path, id) < 0 || with_path(url, whole, found) < 0)
			return -ENOMEM;
		search->url = strdup(found);
		if (!search->url)
			return -ENOMEM;
	}
	return name_collection(search, id, kh_json_string(collection, "title"));
}

static int take_collections(struct search *search, const char *url, const json_t *object)
{
	const json_t *collections = json_object_get(object, "collections");
	int code = 0;

	for (size_t i = 0; i < json_array_size(collections) && i < COLLECTIONS_MAX && !code; i++)
		code = take_collection(search, url, json_array_get(collections, i));
	return code < 0 ? kh_feed_fail(search->feed, code, NULL, "%s", _("out of memory")) : 0;
}

static int look_in_root(struct search *search, const char *url)
{
	char *path KH_CLEANUP(kh_freep) = path_of(url), *whole KH_CLEANUP(kh_freep) = NULL;
	json_t *object KH_CLEANUP(kh_json_freep) = NULL;
	char collections[KH_HTTP_URL_BYTES];
	int code;

	if (!path || asprintf(&whole, "%scollections/", path) < 0 || with_path(url, whole, collections) < 0)
		return kh_feed_fail(search->feed, -EPROTO, NULL, _("%s: this is not the address of an API root"), url);
	code = kh_taxii_get(search->feed, collections, &object, NULL);
	return code < 0 ? code : take_collections(search, collections, object);
}

/* Roots that are closed to us are left out, as long as one is open. */
static int look_in_roots(struct search *search, const char *url, const json_t *roots)
{
	size_t open = 0;
	int code = 0;

	for (size_t i = 0; i < json_array_size(roots) && i < ROOTS_MAX; i++) {
		const char *name = json_string_value(json_array_get(roots, i));
		char root[KH_HTTP_URL_BYTES];

		if (!name || resolve(url, name, root) < 0)
			continue;
		code = look_in_root(search, root);
		if (code < 0 && code != -EPROTO)
			return code;
		open += !code;
	}
	if (!open)
		return code;
	kh_feed_forgive(search->feed);
	return 0;
}

static int look(struct search *search, const char *url)
{
	json_t *object KH_CLEANUP(kh_json_freep) = NULL;
	int code = kh_taxii_get(search->feed, url, &object, NULL);

	if (code < 0)
		return code;
	if (json_is_array(json_object_get(object, "api_roots")))
		return look_in_roots(search, url, json_object_get(object, "api_roots"));
	if (json_is_array(json_object_get(object, "collections")))
		return take_collections(search, url, object);
	if (json_is_array(json_object_get(object, "versions")))
		return look_in_root(search, url);
	return kh_feed_fail(search->feed, -EPROTO,
			    _("name a collection (.../collections/ID/), an API root or a discovery document"),
			    _("%s: this is nothing that TAXII 2.1 knows"), url);
}

static int choose(struct search *search, char ret_url[static KH_HTTP_URL_BYTES])
{
	struct kh_feed *feed = search->feed;
	const char *url = feed->request->url;
	char hint[KH_HTTP_URL_BYTES + 128];
	size_t base;

	if (!search->readable)
		return kh_feed_fail(feed, -ENOENT, _("ask its operator for one, or look at the source's credentials"),
				    _("%s: no collection there may be read"), url);
	if (search->readable == 1) {
		snprintf(ret_url, KH_HTTP_URL_BYTES, "%s", search->url);
		return 0;
	}
	base = (size_t)(strstr(search->url, "/collections/") + strlen("/collections/") - search->url);
	snprintf(hint, sizeof(hint), _("name one of them when you add the source: %.*sID/"), (int)base, search->url);
	return kh_feed_fail(feed, -ENOTUNIQ, hint, _("%zu collections may be read there: %.*s%s"), search->readable,
			    (int)search->names.length, (const char *)search->names.data,
			    search->readable > LISTED_MAX ? ", ..." : "");
}

int kh_taxii_find(struct kh_feed *feed, char ret_url[static KH_HTTP_URL_BYTES])
{
	const char *url = feed->request->url, *id;
	char *path KH_CLEANUP(kh_freep) = path_of(url), *whole KH_CLEANUP(kh_freep) = NULL;
	struct search search = { .feed = feed };
	int code;

	if (!path)
		return kh_feed_fail(feed, -EINVAL, NULL, _("%s is not the address of a file on a server"), url);
	id = collection_in(path);
	if (id) {
		if (asprintf(&whole, "%.*sobjects/", (int)(strchr(id, '/') + 1 - path), path) < 0 ||
		    with_path(url, whole, ret_url) < 0)
			return kh_feed_fail(feed, -ENOMEM, NULL, "%s", _("out of memory"));
		return 0;
	}
	code = look(&search, url);
	if (!code)
		code = choose(&search, ret_url);
	free(search.url);
	kh_bytes_clear(&search.names);
	return code;
}
