// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a change blocks is ended in the table of connections too: nothing waits for a time-out there, a flow that was handed to hardware comes
 * back to where packets are judged, and nobody reads in the table that an office machine still talks to it. After the answer is out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/flows.h"
#include "daemon/impact.h"
#include "daemon/log.h"

struct gather {
	struct kh_images images;
	struct kh_flow_key *keys;
	size_t count, capacity;
};

static int on_flow(const struct kh_flow *flow, void *context)
{
	struct gather *gather = context;
	struct kh_cut cut;
	int code;

	if (!flow) {
		gather->count = 0;
		return 0;
	}
	if (!kh_flow_is_cut(&gather->images, flow, &cut))
		return 0;
	code = kh_grow(&gather->keys, &gather->capacity, gather->count + 1, sizeof(*gather->keys));
	if (code >= 0)
		gather->keys[gather->count++] = flow->key;
	return code;
}

/* How many were ended, or -errno. */
static int64_t cut_all(const struct kh_images *images, struct kh_error *error)
{
	struct gather gather = { .images = *images };
	struct kh_conntrack *conntrack = NULL;
	int64_t cut = 0;
	int code = kh_conntrack_open(&conntrack, error);

	if (code < 0)
		return code;
	code = kh_conntrack_list(conntrack, images->now, on_flow, &gather);
	for (size_t i = 0; i < gather.count && code >= 0; i++) {
		code = kh_conntrack_delete(conntrack, &gather.keys[i]);
		cut += code > 0;
	}
	free(gather.keys);
	kh_conntrack_close(conntrack);
	return code < 0 ? kh_fail(error, code, _("the table of connections cannot be read: %s"), strerror(-code)) : cut;
}

static void remember(struct kh_core *core, int64_t change, int64_t count)
{
	core->cuts[core->cuts_next++ % KH_CUTS_KEPT] = (struct kh_cut_done){ change, count };
}

void kh_cut_order(struct kh_core *core, int64_t change, bool switched)
{
	if (change && switched)
		core->cut_pending = change;
	else if (change)
		remember(core, change, 0);
}

void kh_cut_pending(struct kh_core *core)
{
	const struct kh_images images = { .before = core->spare, .after = core->image, .now = (uint32_t)kh_now() };
	int64_t change = core->cut_pending, count;
	struct kh_error error = {};

	if (!change)
		return;
	core->cut_pending = 0;
	kh_kernel_settle(
		core->kernel); /* no packet is judged by the list before any more, which could bring an entry back */
	count = cut_all(&images, &error);
	remember(core, change, count < 0 ? -1 : count);
	if (count > 0)
		kh_log(LOG_NOTICE, "event=flows-cut change=%lld count=%lld", (long long)change, (long long)count);
	if (count == -EOPNOTSUPP && !core->table_missed)
		kh_log_error(LOG_INFO, "no-connection-table", &error);
	else if (count < 0 && count != -EOPNOTSUPP)
		kh_log_error(LOG_WARNING, "flows-not-cut", &error);
	core->table_missed |= count == -EOPNOTSUPP;
}

json_t *kh_op_cut(const struct kh_request *request)
{
	int64_t change = kh_request_number(request->body, "change", 0);
	struct kh_core *core = request->core;
	struct kh_error error = {};
	json_t *reply;

	kh_cut_pending(core); /* whoever asks would rather wait */
	for (size_t i = 0; i < KH_CUTS_KEPT; i++) {
		const struct kh_cut_done *done = &core->cuts[i];

		if (!change || done->change != change)
			continue;
		reply = kh_reply(KH_EXIT_DONE);
		json_object_set_new(reply, "cut", done->count < 0 ? json_null() : json_integer(done->count));
		return reply;
	}
	kh_fail(&error, -ENOENT,
		_("change %lld is none of the last %d: how many connections it cut is no longer known"),
		(long long)change, KH_CUTS_KEPT);
	kh_hint(&error, _("the log has it: journalctl -u khiend -g flows-cut"));
	return kh_reply_error(KH_EXIT_FAILED, &error);
}
