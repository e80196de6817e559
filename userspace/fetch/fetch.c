// SPDX-License-Identifier: GPL-2.0-or-later
#include "fetch/private.h"

#include "common/util.h"

static void fetch_file(struct kh_feed *feed)
{
	const struct kh_fetch_request *request = feed->request;
	const struct kh_http_ask ask = { .url = request->url,
					 .etag = request->etag,
					 .last_modified = request->last_modified };
	struct kh_http_reply reply KH_CLEANUP(kh_http_reply_clear) = {};

	if (kh_http_get(feed, &ask, &reply) < 0)
		return;
	if (reply.status == 304) {
		feed->answer->result = KH_FETCH_SAME;
		return;
	}
	feed->answer->result = KH_FETCH_NEW;
	feed->answer->etag = KH_TAKE(reply.etag);
	feed->answer->last_modified = KH_TAKE(reply.last_modified);
	*feed->content = reply.content;
	reply.content = (struct kh_bytes){};
}

void kh_fetch(const struct kh_fetch_request *request, const void *kept, size_t length, struct kh_bytes *ret_content,
	      struct kh_fetch_answer *ret_answer)
{
	static const kh_feed_fetch kinds[] = {
		[KH_FETCH_FILE] = fetch_file,
		[KH_FETCH_TAXII] = kh_fetch_taxii,
		[KH_FETCH_MISP] = kh_fetch_misp,
	};
	struct kh_feed feed = {
		.request = request, .kept = kept, .kept_length = length, .content = ret_content, .answer = ret_answer
	};

	_Static_assert(KH_ARRAY_SIZE(kinds) == KH_FETCH_KIND_COUNT, "every kind is fetched");
	*ret_answer = (struct kh_fetch_answer){};
	*ret_content = (struct kh_bytes){};
	if (kh_http_open(&feed) == 0)
		kinds[request->kind](&feed);
	if (ret_answer->result == KH_FETCH_NEW)
		ret_answer->bytes = (int64_t)ret_content->length;
	else
		kh_bytes_clear(ret_content);
	kh_http_close(feed.http);
}
