// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A collection of TAXII 2.1 -> one STIX 2.1 bundle of its indicators (section 5.4 of the standard; what else a collection holds no gateway blocks).
 *
 * A refresh asks for what was added after the last one (added_after), and brings the kept copy up to date: of the forms of an object the
 * newest (`modified`) stays, and one that is revoked goes. What the reader gets, and what becomes the copy in force, is always the whole list.
 *
 * That does not stand alone: what is deleted from a collection, instead of being revoked, is in no difference, nor is what was added with the very
 * time up to which was asked. A source promises that what its server no longer lists is withdrawn. So all of it is fetched again when WHOLE_SECONDS have
 * passed since that was done last: a mistake that the sender deletes blocks nobody for longer. A server that does not say how far an answer goes
 * (X-TAXII-Date-Added-Last) is asked for all of it each time.
 *
 * Where the copy ends stands in the copy itself, so both are in force together or not at all.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/lang.h"
#include "common/text.h"
#include "fetch/private.h"

#define WHOLE_SECONDS 86400
#define PAGES_MAX 2000
#define PAGE_ITEMS "1000" /* asked for; a server may give fewer */
#define TIME_MAX 40
#define HEAD "\"type\":\"bundle\",\"id\":\"bundle--1f6d2f0c-6e1b-4d55-9d0c-5a7b8f3e2c10\","

struct taxii {
	struct kh_feed *feed;
	char url[KH_HTTP_URL_BYTES]; /* of the objects */
	struct kh_copy copy;
	bool partial; /* only what is new */
	int64_t whole; /* when all of it was fetched last */
	char after[TIME_MAX]; /* what is asked for was added after that; "": all */
	char last[TIME_MAX]; /* when the last object of what came was added; "": not known */
	char *next; /* what the server calls the next page; NULL: nothing */
	char **seen; /* all that it called them */
	size_t seen_count, seen_capacity, added;
};

static void taxii_clear(struct taxii *taxii)
{
	kh_copy_clear(&taxii->copy);
	free(taxii->next);
	for (size_t i = 0; i < taxii->seen_count; i++)
		free(taxii->seen[i]);
	free(taxii->seen);
}

/* ---- The kept copy ------------------------------------------------------------------------------------- */

static bool name_object(const json_t *item, const char **id, const char **version)
{
	*id = kh_json_string(item, "id");
	*version = kh_json_string(item, "modified");
	return **id != '\0';
}

static bool is_time(const char *text)
{
	size_t length = strlen(text);

	return length >= 20 && length < TIME_MAX && strspn(text, "0123456789-:.TZ+") == length;
}

/* What is kept may be brought up to date when it is of this collection, says where it ends, and is not too old. 0 or -ENOMEM. */
static int take_kept(struct taxii *taxii)
{
	json_t *state KH_CLEANUP(kh_json_freep) = NULL;
	int64_t now = time(NULL), whole;
	int code = kh_copy_read(taxii->feed, name_object, &state, &taxii->copy);

	taxii->whole = now;
	if (code < 0)
		return kh_feed_fail(taxii->feed, code, NULL, "%s", _("out of memory"));
	whole = json_integer_value(json_object_get(state, "whole"));
	if (code && !strcmp(kh_json_string(state, "collection"), taxii->url) &&
	    is_time(kh_json_string(state, "last")) && whole <= now && now - whole < WHOLE_SECONDS) {
		taxii->partial = true;
		taxii->whole = whole;
		snprintf(taxii->after, sizeof(taxii->after), "%s", kh_json_string(state, "last"));
		snprintf(taxii->last, sizeof(taxii->last), "%s", taxii->after);
	} else {
		kh_copy_clear(&taxii->copy);
	}
	return 0;
}

/* ---- One page -------------------------------------------------------------------------------------------- */

/* Adds "name=value" to the query. */
static bool ask_for(CURLU *handle, const char *name, const char *value)
{
	char *pair = NULL;
	bool added = asprintf(&pair, "%s=%s", name, value) >= 0 &&
		     !curl_url_set(handle, CURLUPART_QUERY, pair, CURLU_APPENDQUERY | CURLU_URLENCODE);

	free(pair);
	return added;
}

static int page_address(const struct taxii *taxii, char ret_url[static KH_HTTP_URL_BYTES])
{
	CURLU *handle = curl_url();
	char *text = NULL;
	int code = -EINVAL;

	if (handle && !curl_url_set(handle, CURLUPART_URL, taxii->url, 0) && ask_for(handle, "limit", PAGE_ITEMS) &&
	    ask_for(handle, "match[type]", "indicator") &&
	    (!taxii->after[0] || ask_for(handle, "added_after", taxii->after)) &&
	    (!taxii->next || ask_for(handle, "next", taxii->next)) && !curl_url_get(handle, CURLUPART_URL, &text, 0) &&
	    strlen(text) < KH_HTTP_URL_BYTES) {
		snprintf(ret_url, KH_HTTP_URL_BYTES, "%s", text);
		code = 0;
	}
	curl_free(text);
	curl_url_cleanup(handle);
	return code < 0 ? kh_feed_fail(taxii->feed, code, NULL, _("%s: its next page has no address that can be used"),
				       taxii->url)
			: 0;
}

/* What the reader reads of an indicator, and what makes it a valid one. */
static json_t *strip(const json_t *object)
{
	static const char *const kept[] = { "type",	   "spec_version",   "id",
					    "created",	   "modified",	     "name",
					    "pattern",	   "pattern_type",   "valid_from",
					    "valid_until", "pattern_version" };
	json_t *copy = json_object();

	for (size_t i = 0; i < KH_ARRAY_SIZE(kept); i++) {
		json_t *value = json_object_get(object, kept[i]);

		if (value && json_object_set(copy, kept[i], value) < 0) {
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

static int take_object(struct taxii *taxii, const json_t *object)
{
	json_t *stripped KH_CLEANUP(kh_json_freep) = NULL;
	const char *id = kh_json_string(object, "id");

	if (strcmp(kh_json_string(object, "type"), "indicator") != 0 || strncmp(id, "indicator--", 11) != 0 ||
	    strlen(id) > KH_FETCH_TEXT_MAX)
		return 0;
	stripped = strip(object);
	if (!stripped)
		return kh_feed_fail(taxii->feed, -ENOMEM, NULL, "%s", _("out of memory"));
	taxii->added++;
	return kh_copy_add(taxii->feed, &taxii->copy, id, kh_json_string(object, "modified"), stripped,
			   json_is_true(json_object_get(object, "revoked")));
}

/* ---- To the next one ---------------------------------------------------------------------------------------- */

static int fail_paging(struct taxii *taxii, const char *what)
{
	return kh_feed_fail(taxii->feed, -ELOOP, _("ask its operator; the copy before stays in force"), "%s: %s",
			    taxii->url, what);
}

/* A page that was there already would be followed by all that followed it. */
static int note_next(struct taxii *taxii, const char *next)
{
	char *copy;

	for (size_t i = 0; i < taxii->seen_count; i++)
		if (!strcmp(taxii->seen[i], next))
			return fail_paging(taxii, _("the server's pages go in a circle"));
	copy = strdup(next);
	if (!copy || kh_grow(&taxii->seen, &taxii->seen_capacity, taxii->seen_count + 1, sizeof(*taxii->seen)) < 0) {
		free(copy);
		return kh_feed_fail(taxii->feed, -ENOMEM, NULL, "%s", _("out of memory"));
	}
	taxii->seen[taxii->seen_count++] = copy;
	free(taxii->next);
	taxii->next = strdup(next);
	return taxii->next ? 0 : kh_feed_fail(taxii->feed, -ENOMEM, NULL, "%s", _("out of memory"));
}

/* 1: there is another page, and how to ask for it is known; 0: that was the last; or -errno. */
static int go_on(struct taxii *taxii, const json_t *envelope, const struct kh_http_reply *reply)
{
	const json_t *next = json_object_get(envelope, "next");
	bool dated = reply->added_last && is_time(reply->added_last);
	int code;

	if (dated)
		snprintf(taxii->last, sizeof(taxii->last), "%s", reply->added_last);
	else if (json_array_size(json_object_get(envelope, "objects")))
		taxii->last[0] = '\0'; /* it does not say how far this goes */
	if (!json_is_true(json_object_get(envelope, "more")))
		return 0;
	if (json_is_string(next) && *json_string_value(next)) {
		code = note_next(taxii, json_string_value(next));
		return code < 0 ? code : 1;
	}
	free(KH_TAKE(taxii->next)); /* by time, then */
	if (!dated || kh_time_compare(taxii->last, taxii->after) <= 0)
		return fail_paging(taxii, _("the server has more, and does not say how to ask for it"));
	snprintf(taxii->after, sizeof(taxii->after), "%s", taxii->last);
	return 1;
}

static int take_page(struct taxii *taxii)
{
	json_t *envelope KH_CLEANUP(kh_json_freep) = NULL;
	struct kh_http_reply reply KH_CLEANUP(kh_http_reply_clear) = {};
	char url[KH_HTTP_URL_BYTES];
	const json_t *objects;
	int code = page_address(taxii, url);

	if (!code)
		code = kh_taxii_get(taxii->feed, url, &envelope, &reply);
	if (code < 0)
		return code;
	objects = json_object_get(envelope, "objects"); /* an envelope of nothing is empty */
	if (objects ? !json_is_array(objects) : json_object_size(envelope) && !json_object_get(envelope, "more"))
		return kh_feed_fail(taxii->feed, -EPROTO, NULL, _("%s: this is not %s"), url,
				    _("a page of a collection of TAXII 2.1"));
	for (size_t i = 0; i < json_array_size(objects) && !code; i++)
		code = take_object(taxii, json_array_get(objects, i));
	return code < 0 ? code : go_on(taxii, envelope, &reply);
}

static int take_pages(struct taxii *taxii)
{
	int code = 1;

	for (size_t pages = 0; code == 1; pages++) {
		if (pages == PAGES_MAX)
			return fail_paging(taxii, _("the server's pages do not end"));
		code = take_page(taxii);
	}
	return code;
}

/* ---- All of it --------------------------------------------------------------------------------------------- */

static int write_copy(struct taxii *taxii)
{
	json_t *state KH_CLEANUP(kh_json_freep) = json_pack("{s:s}", "collection", taxii->url);

	if (state && taxii->last[0]) { /* without it, times would only make every copy another one */
		json_object_set_new(state, "last", json_string(taxii->last));
		json_object_set_new(state, "whole", json_integer(taxii->whole));
	}
	if (!state)
		return kh_feed_fail(taxii->feed, -ENOMEM, NULL, "%s", _("out of memory"));
	kh_copy_settle(&taxii->copy);
	return kh_copy_write(taxii->feed, &taxii->copy, HEAD, state, "objects", taxii->feed->content);
}

void kh_fetch_taxii(struct kh_feed *feed)
{
	struct taxii taxii KH_CLEANUP(taxii_clear) = { .feed = feed };
	int code = kh_taxii_find(feed, taxii.url);

	if (!code)
		code = take_kept(&taxii);
	if (!code)
		code = take_pages(&taxii);
	if (code < 0)
		return;
	if (taxii.partial && !taxii.added)
		feed->answer->result = KH_FETCH_SAME;
	else if (write_copy(&taxii) == 0)
		feed->answer->result = KH_FETCH_NEW;
}
