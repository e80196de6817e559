// SPDX-License-Identifier: GPL-2.0-or-later
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/lang.h"
#include "common/text.h"
#include "fetch/private.h"

#define CONNECT_SECONDS 20L
#define STALL_SECONDS 30L
#define STALL_BYTES 16L /* a second */
#define REDIRECTS_MAX 5L
#define LAST_SECONDS 10 /* what is left to tell it, before the walls end it */

struct kh_http {
	CURL *curl;
	int64_t bytes_left;
	int64_t deadline; /* milliseconds */
};

struct transfer {
	struct kh_feed *feed;
	const struct kh_http_ask *ask;
	struct kh_http_reply *reply;
	struct curl_slist *headers;
	char complaint[CURL_ERROR_SIZE];
	bool trusted; /* the source's own server: it gets user, password, token */
	bool too_large, no_memory;
};

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- What comes ------------------------------------------------------------------------------------- */

static size_t on_content(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	struct kh_http *http = transfer->feed->http;
	size_t length = size * count;

	if ((int64_t)length > http->bytes_left) {
		transfer->too_large = true;
		return 0;
	}
	http->bytes_left -= (int64_t)length;
	transfer->no_memory = kh_bytes_add(&transfer->reply->content, data, length) < 0;
	return transfer->no_memory ? 0 : length;
}

/* The value of a header of this name; NULL: it is another, or not fit to be kept. malloc'ed. */
static char *value_of(const char *line, size_t length, const char *name)
{
	size_t skip = strlen(name);

	if (length <= skip || strncasecmp(line, name, skip) != 0)
		return NULL;
	line += skip;
	length -= skip;
	while (length && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	while (length && (line[length - 1] == '\r' || line[length - 1] == '\n' || line[length - 1] == ' '))
		length--;
	for (size_t i = 0; i < length; i++)
		if (line[i] < ' ' || line[i] > '~')
			return NULL;
	return length && length <= KH_FETCH_TEXT_MAX ? strndup(line, length) : NULL;
}

/* Of the last of several answers: those before it redirect. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct kh_http_reply *reply = ((struct transfer *)context)->reply;
	const struct {
		const char *name;
		char **value;
	} wanted[] = { { "etag:", &reply->etag },
		       { "last-modified:", &reply->last_modified },
		       { "content-type:", &reply->type },
		       { "x-taxii-date-added-last:", &reply->added_last } };
	size_t length = size * count;
	bool begins = length >= 5 && !strncmp(line, "HTTP/", 5);

	for (size_t i = 0; i < KH_ARRAY_SIZE(wanted); i++) {
		char *value = begins ? NULL : value_of(line, length, wanted[i].name);

		if (!begins && !value)
			continue;
		free(*wanted[i].value);
		*wanted[i].value = value;
	}
	return length;
}

/* ---- What is asked ------------------------------------------------------------------------------------ */

static bool is_secure(const char *url)
{
	return !strncasecmp(url, "https:", 6);
}

/* Scheme, host and port of `a` and `b`, as libcurl understands them, since it is what connects. */
static bool same_server(const char *a, const char *b)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
	CURLU *one = curl_url(), *other = curl_url();
	bool same =
		one && other && !curl_url_set(one, CURLUPART_URL, a, 0) && !curl_url_set(other, CURLUPART_URL, b, 0);

	for (size_t i = 0; i < KH_ARRAY_SIZE(parts) && same; i++) {
		char *x = NULL, *y = NULL;

		same = !curl_url_get(one, parts[i], &x, CURLU_DEFAULT_PORT) &&
		       !curl_url_get(other, parts[i], &y, CURLU_DEFAULT_PORT) && !strcasecmp(x, y);
		curl_free(x);
		curl_free(y);
	}
	curl_url_cleanup(one);
	curl_url_cleanup(other);
	return same;
}

static bool add_header(struct transfer *transfer, const char *name, const char *value)
{
	char line[KH_FETCH_TEXT_MAX + 64];
	struct curl_slist *longer;

	if (!value)
		return true;
	snprintf(line, sizeof(line), "%s: %s", name, value);
	longer = curl_slist_append(transfer->headers, line);
	if (longer)
		transfer->headers = longer;
	return longer != NULL;
}

static CURLcode set_limits(const struct transfer *transfer, int64_t time_left)
{
	const struct kh_http *http = transfer->feed->http;
	CURL *curl = http->curl;
	const char *protocols = is_secure(transfer->feed->request->url) ? "https" : "http,https";
	CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
					is_secure(transfer->ask->url) ? "https" : protocols);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)time_left);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)http->bytes_left);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	return code;
}

/* No proxy is taken from the environment, and none is left out for some hosts. */
static CURLcode set_proxy(const struct transfer *transfer)
{
	const struct kh_fetch_request *request = transfer->feed->request;
	CURL *curl = transfer->feed->http->curl;
	CURLcode code = curl_easy_setopt(curl, CURLOPT_PROXY, request->proxy ? request->proxy : "");

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
	curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* they are not the server's */
	if (code || !request->proxy || !request->proxy_user)
		return code;
	curl_easy_setopt(curl, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
	code = curl_easy_setopt(curl, CURLOPT_PROXYUSERNAME, request->proxy_user);
	return code ? code
		    : curl_easy_setopt(curl, CURLOPT_PROXYPASSWORD,
				       request->proxy_password ? request->proxy_password : "");
}

static CURLcode set_trust(const struct transfer *transfer)
{
	const struct kh_fetch_request *request = transfer->feed->request;
	CURL *curl = transfer->feed->http->curl;
	CURLcode code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (!code && request->authority) {
		struct curl_blob blob = { request->authority, strlen(request->authority), CURL_BLOB_COPY };

		code = curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
	}
	if (!code && request->user && transfer->trusted) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		code = curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
		if (!code)
			code = curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password ? request->password : "");
	}
	if (!code && request->bearer && transfer->trusted) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		code = curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request->bearer);
	}
	return code;
}

static CURLcode prepare(struct transfer *transfer, int64_t time_left)
{
	const struct kh_fetch_request *request = transfer->feed->request;
	CURL *curl = transfer->feed->http->curl;
	CURLcode code;

	curl_easy_reset(curl); /* the connection stays */
	if ((request->user || request->bearer) && !is_secure(request->url))
		return CURLE_LOGIN_DENIED;
	transfer->trusted = same_server(request->url, transfer->ask->url);
	code = curl_easy_setopt(curl, CURLOPT_URL, transfer->ask->url);
	if (!code)
		code = set_limits(transfer, time_left);
	if (!code)
		code = set_proxy(transfer);
	if (!code)
		code = set_trust(transfer);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, ""); /* all that it can unpack */
	if (!add_header(transfer, "If-None-Match", transfer->ask->etag) ||
	    !add_header(transfer, "If-Modified-Since", transfer->ask->last_modified) ||
	    !add_header(transfer, "Accept", transfer->ask->accept))
		return CURLE_OUT_OF_MEMORY;
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "khien/" KH_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->complaint);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_content);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	return code;
}

/* ---- What to say --------------------------------------------------------------------------------------- */

/* Of a file there is one address, which everybody knows. */
static int say(const struct transfer *transfer, int code, const char *text, const char *hint)
{
	struct kh_feed *feed = transfer->feed;

	if (feed->request->kind == KH_FETCH_FILE)
		return kh_feed_fail(feed, code, hint, "%s", text);
	return kh_feed_fail(feed, code, hint, "%s: %s", transfer->ask->url, text);
}

static int say_too_large(const struct transfer *transfer)
{
	const struct kh_fetch_request *request = transfer->feed->request;
	char text[256];

	snprintf(text, sizeof(text), _("there is more than %lld KiB of it"),
		 (long long)(request->bytes_max * KH_HTTP_TIMES(request->kind)) >> 10);
	return say(transfer, -EFBIG, text, _("if that is right, add the source anew with a larger --max-size"));
}

static const char *reason_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return _("the server's name is not known");
	case CURLE_COULDNT_RESOLVE_PROXY:
		return _("the proxy's name is not known");
	case CURLE_PROXY:
		return _("the proxy did not let it through");
	case CURLE_COULDNT_CONNECT:
		return _("the server cannot be reached");
	case CURLE_OPERATION_TIMEDOUT:
		return _("the server is too slow");
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
		return _("the answer was cut off");
	case CURLE_TOO_MANY_REDIRECTS:
		return _("the server sends from one place to the next");
	case CURLE_UNSUPPORTED_PROTOCOL:
		return _("the server sends to a place that is not https");
	default:
		return _("it could not be fetched");
	}
}

static int say_proxy(const struct transfer *transfer, long status)
{
	char text[128];

	snprintf(text, sizeof(text), _("the proxy answered with status %ld"), status);
	return say(transfer, -EPROTO, text, status == 407 ? _("look at the credentials of the proxy") : NULL);
}

static int say_failure(const struct transfer *transfer, CURLcode code)
{
	const char *detail = transfer->complaint[0] ? transfer->complaint : curl_easy_strerror(code);
	char text[512];
	long proxy_status = 0;

	curl_easy_getinfo(transfer->feed->http->curl, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (transfer->no_memory || code == CURLE_OUT_OF_MEMORY)
		return say(transfer, -ENOMEM, _("out of memory"), NULL);
	if (transfer->too_large || code == CURLE_FILESIZE_EXCEEDED)
		return say_too_large(transfer);
	if (code == CURLE_LOGIN_DENIED)
		return say(transfer, -EACCES, _("user, password and token are sent by https only"), NULL);
	if (proxy_status >= 300)
		return say_proxy(transfer, proxy_status);
	if (code == CURLE_PEER_FAILED_VERIFICATION) {
		snprintf(text, sizeof(text), _("the server's certificate is not trusted: %s"), detail);
		return say(transfer, -EACCES, text, _("an office's own authority is named with --authority FILE"));
	}
	snprintf(text, sizeof(text), "%s: %s", reason_of(code), detail);
	return say(transfer, -EIO, text, NULL);
}

static int say_status(const struct transfer *transfer)
{
	const struct kh_fetch_request *request = transfer->feed->request;
	const struct kh_http_reply *reply = transfer->reply;
	const char *hint = NULL;
	char text[128];

	transfer->feed->answer->status = reply->status;
	if (reply->status == 200 || (reply->status == 304 && (transfer->ask->etag || transfer->ask->last_modified)))
		return 0;
	if (reply->status == 407)
		return say_proxy(transfer, reply->status);
	if (reply->status == 401 || reply->status == 403)
		hint = transfer->trusted || (!request->user && !request->bearer)
			       ? _("look at the source's credentials")
			       : _("user, password and token go to the server in the source's address only: add the source with an address on that server");
	snprintf(text, sizeof(text), _("the server answered with status %lld"), (long long)reply->status);
	return say(transfer, -EPROTO, text, hint);
}

/* ---- All of it ------------------------------------------------------------------------------------------ */

int kh_http_open(struct kh_feed *feed)
{
	const struct kh_fetch_request *request = feed->request;
	struct kh_http *http = calloc(1, sizeof(*http));

	if (http && !curl_global_init(CURL_GLOBAL_DEFAULT))
		http->curl = curl_easy_init();
	if (!http || !http->curl) {
		free(http);
		return kh_feed_fail(feed, -ENOMEM, NULL, "%s", _("out of memory"));
	}
	http->bytes_left = request->bytes_max * KH_HTTP_TIMES(request->kind);
	http->deadline = milliseconds() + ((int64_t)kh_fetch_seconds(request->kind) - LAST_SECONDS) * 1000;
	feed->http = http;
	return 0;
}

void kh_http_close(struct kh_http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	curl_global_cleanup();
	free(http);
}

int kh_http_get(struct kh_feed *feed, const struct kh_http_ask *ask, struct kh_http_reply *ret_reply)
{
	struct transfer transfer = { .feed = feed, .ask = ask, .reply = ret_reply };
	int64_t time_left = feed->http->deadline - milliseconds();
	CURLcode code;
	int result;

	*ret_reply = (struct kh_http_reply){};
	if (time_left <= 0)
		return kh_feed_fail(feed, -ETIMEDOUT, NULL, _("not all of it could be fetched in %u seconds"),
				    kh_fetch_seconds(feed->request->kind) - LAST_SECONDS);
	code = prepare(&transfer, time_left);
	if (!code)
		code = curl_easy_perform(feed->http->curl);
	curl_easy_getinfo(feed->http->curl, CURLINFO_RESPONSE_CODE, &ret_reply->status);
	result = code ? say_failure(&transfer, code) : say_status(&transfer);
	curl_slist_free_all(transfer.headers);
	return result;
}

void kh_http_reply_clear(struct kh_http_reply *reply)
{
	kh_bytes_clear(&reply->content);
	free(reply->etag);
	free(reply->last_modified);
	free(reply->type);
	free(reply->added_last);
	*reply = (struct kh_http_reply){};
}
