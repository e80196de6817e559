// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The terms of a source: a request to add one -> struct kh_source, strictly; when it is due, and when that it fails is no longer usual.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/lang.h"
#include "daemon/proxy.h"
#include "daemon/source.h"

#define EVERY_SECONDS (6 * 3600)
#define RETRY_SECONDS 60 /* after the first failure; then twice as long each time */
#define STALE_TIMES 3 /* as old as so many intervals */

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length && length < KH_SOURCE_NAME_BYTES && name[0] != '-' && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == length;
}

/* Scheme, host, and nothing secret. */
static int check_url(const char *url, struct kh_error *error)
{
	bool secure = !strncasecmp(url, "https://", 8), plain = !strncasecmp(url, "http://", 7);
	const char *host = secure ? url + 8 : plain ? url + 7 : "";
	size_t length = strcspn(host, "/?#");

	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~')
			length = 0;
	if (!length || strlen(url) >= KH_SOURCE_URL_BYTES || host[0] == ':') {
		kh_fail(error, -EINVAL, _("%s is not the address of a file on a server"), url);
		return kh_hint(error, _("write it as https://feeds.example/list.txt")), -EINVAL;
	}
	if (memchr(host, '@', length)) { /* not shown: it holds a password */
		kh_fail(error, -EINVAL, _("user and password do not belong into the address"));
		return kh_hint(error, _("put them into a file for root alone, and name it with --credentials")),
		       -EINVAL;
	}
	return 0;
}

static int take_number(json_t *body, const char *name, int64_t otherwise, int64_t low, int64_t high,
		       int64_t *ret_number, struct kh_error *error)
{
	*ret_number = kh_request_number(body, name, otherwise);
	if (*ret_number == otherwise || (*ret_number >= low && *ret_number <= high))
		return 0;
	return kh_fail(error, -EINVAL, _("%s is out of range: %lld to %lld"), name, (long long)low, (long long)high);
}

static int take_path(json_t *body, const char *name, char ret_path[static KH_SOURCE_PATH_BYTES], struct kh_error *error)
{
	const char *path = kh_request_text(body, name);

	if (!path || !path[0])
		return 0;
	if (path[0] != '/' || strlen(path) >= KH_SOURCE_PATH_BYTES)
		return kh_fail(error, -EINVAL, _("%s: write the whole path, from / on"), path);
	snprintf(ret_path, KH_SOURCE_PATH_BYTES, "%s", path);
	return 0;
}

/* One of several words; none: the first. */
static int take_choice(json_t *body, const char *name, int (*find)(const char *), int *ret_choice,
		       struct kh_error *error)
{
	const char *word = kh_request_text(body, name);

	*ret_choice = word ? find(word) : 0;
	return *ret_choice >= 0 ? 0 : kh_fail(error, -EINVAL, _("%s: there is no \"%.64s\""), name, word);
}

static int take_kind(json_t *body, struct kh_source *source, struct kh_error *error)
{
	int kind = 0, unmarked = 0, code = take_choice(body, "kind", kh_fetch_kind_find, &kind, error);

	if (code < 0)
		return kh_hint(error, _("write --kind file, --kind taxii or --kind misp")), code;
	code = take_choice(body, "unmarked", kh_unmarked_find, &unmarked, error);
	if (code < 0)
		return kh_hint(error, _("write --without-to-ids review, take or skip")), code;
	if (unmarked != KH_UNMARKED_REVIEW && kind != KH_FETCH_MISP)
		return kh_fail(error, -EINVAL, _("--without-to-ids is for --kind misp"));
	source->kind = (enum kh_fetch_kind)kind;
	source->unmarked = (enum kh_unmarked)unmarked;
	return 0;
}

static int take_proxy(json_t *body, struct kh_source *source, struct kh_error *error)
{
	const char *proxy = kh_request_text(body, "proxy");
	int code = take_path(body, "proxy_credentials", source->proxy_credentials, error);

	if (!code && proxy && strcmp(proxy, KH_SOURCE_NO_PROXY) != 0)
		code = kh_proxy_check(proxy, error);
	if (code < 0)
		return code;
	if (source->proxy_credentials[0] && (!proxy || !strcmp(proxy, KH_SOURCE_NO_PROXY)))
		return kh_fail(error, -EINVAL, _("--proxy-credentials goes with --proxy"));
	snprintf(source->proxy, sizeof(source->proxy), "%s", proxy ? proxy : "");
	return 0;
}

static int take_terms(json_t *body, struct kh_source *source, struct kh_error *error)
{
	int code = take_number(body, "every", EVERY_SECONDS, KH_SOURCE_EVERY_MIN, KH_SOURCE_EVERY_MAX, &source->every,
			       error);

	if (!code)
		code = take_number(body, "ttl", 0, KH_SOURCE_EVERY_MIN, KH_SOURCE_TTL_MAX, &source->ttl, error);
	if (!code)
		code = take_number(body, "max_bytes", KH_SOURCE_BYTES_MAX / 4, 1, KH_SOURCE_BYTES_MAX,
				   &source->bytes_max, error);
	if (!code)
		code = take_number(body, "max_values", KH_SOURCE_ENTRIES_MAX / 4, 1, KH_SOURCE_ENTRIES_MAX,
				   &source->entries_max, error);
	if (!code)
		code = take_path(body, "credentials", source->credentials, error);
	if (!code)
		code = take_path(body, "authority", source->authority, error);
	if (!code)
		code = take_kind(body, source, error);
	if (!code)
		code = take_proxy(body, source, error);
	if (!code && source->ttl && source->ttl < 2 * source->every)
		code = kh_fail(error, -EINVAL,
			       _("--ttl must be at least twice --every: else a list ends between two refreshes"));
	if (!code && source->credentials[0] && strncasecmp(source->url, "https:", 6) != 0)
		code = kh_fail(error, -EINVAL, _("user, password and token are sent by https only"));
	source->action = kh_request_flag(body, "drop") ? KH_ACTION_DROP : KH_ACTION_MONITOR;
	return code;
}

int kh_source_take(json_t *body, struct kh_source *source, struct kh_error *error)
{
	const char *name = kh_request_text(body, "name"), *url = kh_request_text(body, "url");
	int code;

	*source = (struct kh_source){ .count = -1, .held = -1 };
	if (!name || !is_name(name)) {
		kh_fail(error, -EINVAL, _("\"%s\" cannot be the name of a source"), name ? name : "");
		return kh_hint(error, _("at most 32 of a-z, 0-9, - _ and .")), -EINVAL;
	}
	code = check_url(url ? url : "", error);
	if (code < 0)
		return code;
	snprintf(source->name, sizeof(source->name), "%s", name);
	snprintf(source->url, sizeof(source->url), "%s", url);
	return take_terms(body, source, error);
}

/* ---- When ---------------------------------------------------------------------------------------------- */

int64_t kh_source_due(const struct kh_source *source)
{
	int64_t wait = source->every;

	for (int64_t i = 0, retry = RETRY_SECONDS; i < source->failures && i < 32; i++, retry *= 2) {
		wait = retry;
		if (retry >= source->every) {
			wait = source->every;
			break;
		}
	}
	return source->checked ? source->checked + wait : 0;
}

bool kh_source_stale(const struct kh_source *source, int64_t now)
{
	return source->failures && !source->paused &&
	       (!source->fetched || now - source->fetched > STALE_TIMES * source->every);
}
