// SPDX-License-Identifier: GPL-2.0-or-later
#include "fetch/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

#define CONNECT_SECONDS 20L
#define STALL_SECONDS 30L
#define STALL_BYTES 16L /* a second */
#define REDIRECTS_MAX 5L

struct transfer {
	const struct kh_fetch_request *request;
	struct kh_bytes *content;
	struct kh_fetch_answer *answer;
	CURL *curl;
	struct curl_slist *headers;
	char complaint[CURL_ERROR_SIZE];
	bool too_large, no_memory;
};

/* ---- What comes ------------------------------------------------------------------------------------- */

static size_t on_content(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t length = size * count;

	if (length > (size_t)transfer->request->bytes_max - transfer->content->length) {
		transfer->too_large = true;
		return 0;
	}
	transfer->no_memory = kh_bytes_add(transfer->content, data, length) < 0;
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
	struct kh_fetch_answer *answer = ((struct transfer *)context)->answer;
	size_t length = size * count;
	char *value;

	if (length >= 5 && !strncmp(line, "HTTP/", 5)) {
		free(KH_TAKE(answer->etag));
		free(KH_TAKE(answer->last_modified));
	}
	value = value_of(line, length, "etag:");
	if (value) {
		free(answer->etag);
		answer->etag = value;
	}
	value = value_of(line, length, "last-modified:");
	if (value) {
		free(answer->last_modified);
		answer->last_modified = value;
	}
	return length;
}

/* ---- What is asked ------------------------------------------------------------------------------------ */

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

static CURLcode set_limits(const struct transfer *transfer)
{
	CURL *curl = transfer->curl;
	bool secure = !strncasecmp(transfer->request->url, "https:", 6);
	CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http,https");

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)KH_FETCH_SECONDS - 10); /* before the walls end it */
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->request->bytes_max);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	return code;
}

static CURLcode set_trust(const struct transfer *transfer)
{
	const struct kh_fetch_request *request = transfer->request;
	CURL *curl = transfer->curl;
	CURLcode code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (!code && request->authority) {
		struct curl_blob blob = { request->authority, strlen(request->authority), CURL_BLOB_COPY };

		code = curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
	}
	if (!code && request->user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		code = curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
		if (!code)
			code = curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password ? request->password : "");
	}
	if (!code && request->bearer) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		code = curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request->bearer);
	}
	return code;
}

static CURLcode prepare(struct transfer *transfer)
{
	const struct kh_fetch_request *request = transfer->request;
	CURL *curl = transfer->curl;
	CURLcode code;

	if ((request->user || request->bearer) && strncasecmp(request->url, "https:", 6) != 0)
		return CURLE_LOGIN_DENIED;
	code = curl_easy_setopt(curl, CURLOPT_URL, request->url);
	if (!code)
		code = set_limits(transfer);
	if (!code)
		code = set_trust(transfer);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, ""); /* all that it can unpack */
	if (!add_header(transfer, "If-None-Match", request->etag) ||
	    !add_header(transfer, "If-Modified-Since", request->last_modified))
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

static char *clipped(const char *text)
{
	char *copy = strdup(text);

	if (copy && strlen(copy) > KH_FETCH_TEXT_MAX)
		copy[KH_FETCH_TEXT_MAX] = '\0';
	return copy;
}

static void say(struct kh_fetch_answer *answer, const char *text, const char *hint)
{
	answer->result = KH_FETCH_FAILED;
	free(answer->text);
	free(answer->hint);
	answer->text = clipped(text);
	answer->hint = hint ? clipped(hint) : NULL;
}

static void say_too_large(struct transfer *transfer)
{
	char text[256];

	snprintf(text, sizeof(text), _("there is more than %lld KiB of it"),
		 (long long)transfer->request->bytes_max >> 10);
	say(transfer->answer, text, _("if that is right, add the source anew with a larger --max-size"));
}

static void say_failure(struct transfer *transfer, CURLcode code)
{
	const char *detail = transfer->complaint[0] ? transfer->complaint : curl_easy_strerror(code);
	struct kh_fetch_answer *answer = transfer->answer;
	char text[512];

	if (transfer->no_memory || code == CURLE_OUT_OF_MEMORY) {
		say(answer, _("out of memory"), NULL);
		return;
	}
	if (transfer->too_large || code == CURLE_FILESIZE_EXCEEDED) {
		say_too_large(transfer);
		return;
	}
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		snprintf(text, sizeof(text), _("the server's certificate is not trusted: %s"), detail);
		say(answer, text, _("an office's own authority is named with --authority FILE"));
		return;
	case CURLE_LOGIN_DENIED:
		say(answer, _("user, password and token are sent by https only"), NULL);
		return;
	case CURLE_COULDNT_RESOLVE_HOST:
		snprintf(text, sizeof(text), _("the server's name is not known: %s"), detail);
		break;
	case CURLE_COULDNT_CONNECT:
		snprintf(text, sizeof(text), _("the server cannot be reached: %s"), detail);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		snprintf(text, sizeof(text), _("the server is too slow: %s"), detail);
		break;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
		snprintf(text, sizeof(text), _("the answer was cut off: %s"), detail);
		break;
	case CURLE_TOO_MANY_REDIRECTS:
		snprintf(text, sizeof(text), _("the server sends from one place to the next: %s"), detail);
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
		snprintf(text, sizeof(text), _("the server sends to a place that is not https: %s"), detail);
		break;
	default:
		snprintf(text, sizeof(text), _("it could not be fetched: %s"), detail);
	}
	say(answer, text, NULL);
}

static void say_status(struct transfer *transfer)
{
	struct kh_fetch_answer *answer = transfer->answer;
	char text[128];

	if (answer->status == 200) {
		answer->result = KH_FETCH_NEW;
		answer->bytes = (int64_t)transfer->content->length;
	} else if (answer->status == 304 && (transfer->request->etag || transfer->request->last_modified)) {
		answer->result = KH_FETCH_SAME;
	} else {
		snprintf(text, sizeof(text), _("the server answered with status %lld"), (long long)answer->status);
		say(answer, text,
		    answer->status == 401 || answer->status == 403 ? _("look at the source's credentials") : NULL);
	}
}

void kh_fetch(const struct kh_fetch_request *request, struct kh_bytes *ret_content, struct kh_fetch_answer *ret_answer)
{
	struct transfer transfer = { .request = request, .content = ret_content, .answer = ret_answer };
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
	long status = 0;

	*ret_answer = (struct kh_fetch_answer){};
	transfer.curl = code ? NULL : curl_easy_init();
	if (!transfer.curl) {
		say(ret_answer, _("out of memory"), NULL);
		return;
	}
	code = prepare(&transfer);
	if (!code)
		code = curl_easy_perform(transfer.curl);
	curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
	ret_answer->status = status;
	if (code)
		say_failure(&transfer, code);
	else
		say_status(&transfer);
	if (ret_answer->result != KH_FETCH_NEW)
		kh_bytes_clear(ret_content);
	curl_slist_free_all(transfer.headers);
	curl_easy_cleanup(transfer.curl);
	curl_global_cleanup();
}
