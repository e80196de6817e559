// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What people ask about sources. Each act is a change in the history, also where it touches no order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/alter.h"
#include "daemon/source.h"
#include "daemon/trust.h"

/* ---- JSON -------------------------------------------------------------------------------------------- */

static const char *state_of(const struct kh_source *source)
{
	if (source->paused)
		return "paused";
	if (source->held >= 0)
		return "held";
	if (source->failures)
		return "failing";
	return source->fetched ? "current" : "new";
}

static bool is_refreshing(const struct kh_core *core, const char *name)
{
	const struct kh_sources *sources = core->sources;

	for (size_t i = 0; i < sources->asked_count; i++)
		if (!strcmp(sources->asked[i].source, name))
			return true;
	return sources->fetching.runs && !strcmp(sources->fetching.source, name);
}

static json_t *number_or_null(int64_t number, bool there)
{
	return there ? json_integer(number) : json_null();
}

static json_t *source_json(const struct kh_core *core, const struct kh_source *source)
{
	int64_t due = kh_source_due(source), now = kh_now();
	json_t *object = json_pack("{s:s, s:s, s:s+, s:s, s:s, s:b, s:o, s:I, s:o}", "name", source->name, "url",
				   source->url, "ref", "source/", source->name, "state", state_of(source), "action",
				   source->action == KH_ACTION_MONITOR ? "monitor" : "drop", "refreshing",
				   is_refreshing(core, source->name), "values",
				   number_or_null(source->count, source->count >= 0), "every",
				   (json_int_t)source->every, "ttl", number_or_null(source->ttl, source->ttl > 0));

	json_object_set_new(object, "checked", kh_json_time(core, source->checked));
	json_object_set_new(object, "fetched", kh_json_time(core, source->fetched));
	json_object_set_new(object, "age", number_or_null(now - source->fetched, source->fetched > 0));
	json_object_set_new(object, "changed", kh_json_time(core, source->changed));
	json_object_set_new(object, "next", source->paused ? json_null() : kh_json_time(core, due ? due : now));
	json_object_set_new(object, "expires", kh_json_time(core, source->until));
	json_object_set_new(object, "failures", json_integer(source->failures));
	json_object_set_new(object, "problem", kh_json_text(source->problem));
	json_object_set_new(object, "held", number_or_null(source->held, source->held >= 0));
	json_object_set_new(object, "max_bytes", json_integer(source->bytes_max));
	json_object_set_new(object, "max_values", json_integer(source->entries_max));
	json_object_set_new(object, "credentials", kh_json_text(source->credentials));
	json_object_set_new(object, "authority", kh_json_text(source->authority));
	json_object_set_new(object, "kind", json_string(kh_fetch_kind_name(source->kind)));
	json_object_set_new(object, "unmarked",
			    source->kind == KH_FETCH_MISP ? json_string(kh_unmarked_name(source->unmarked))
							  : json_null());
	json_object_set_new(object, "proxy", kh_json_text(source->proxy));
	json_object_set_new(object, "proxy_credentials", kh_json_text(source->proxy_credentials));
	return object;
}

static json_t *reply_source(const struct kh_core *core, const struct kh_source *source)
{
	json_t *reply = kh_reply(KH_EXIT_DONE);

	json_object_set_new(reply, "source", source_json(core, source));
	return reply;
}

/* ---- Which ---------------------------------------------------------------------------------------------- */

/* The source named in the request. NULL; or a reply that ends it. */
static json_t *find(const struct kh_request *request, struct kh_source *ret_source)
{
	const char *name = kh_request_text(request->body, "name");
	struct kh_error error = {};
	int code = name ? kh_ledger_source_find(request->core->ledger, name, ret_source) : 0;

	if (code == 1)
		return NULL;
	kh_fail(&error, -ENOENT, _("there is no source \"%s\""), name ? name : "");
	kh_hint(&error, _("khien source list shows them"));
	return kh_reply_error(KH_EXIT_FAILED, &error);
}

struct listing {
	const struct kh_core *core;
	json_t *sources;
};

static int on_source(const struct kh_source *source, void *context)
{
	struct listing *listing = context;

	json_array_append_new(listing->sources, source_json(listing->core, source));
	return 0;
}

json_t *kh_op_source_list(const struct kh_request *request)
{
	struct listing listing = { request->core, json_array() };
	json_t *reply = kh_reply(KH_EXIT_DONE);

	kh_ledger_sources(request->core->ledger, on_source, &listing);
	json_object_set_new(reply, "sources", listing.sources);
	return reply;
}

json_t *kh_op_source_show(const struct kh_request *request)
{
	struct kh_source source;
	json_t *reply = find(request, &source);

	if (!reply && kh_request_flag(request->body, "wait") && is_refreshing(request->core, source.name))
		return json_null(); /* not yet: control.h */
	return reply ? reply : reply_source(request->core, &source);
}

/* ---- Adding ----------------------------------------------------------------------------------------------- */

static int count_source(const struct kh_source *source, void *context)
{
	(void)source;
	++*(int *)context;
	return 0;
}

/* The letter of its orders, and its row. */
static int write_new(struct kh_core *core, struct kh_source *source, struct kh_error *error)
{
	char number[KH_SOURCE_NAME_BYTES + 8], issuer[] = "source";
	struct kh_letter letter = { .number = number, .issuer = issuer, .subject = source->url };
	int count = 0, code;

	kh_ledger_sources(core->ledger, count_source, &count);
	if (count >= KH_SOURCES_MAX)
		return kh_fail(error, -ENOSPC, _("there are %d sources already"), count);
	snprintf(number, sizeof(number), "source/%s", source->name);
	/* year 0: it is the same letter whenever a source of this name is added again */
	code = kh_ledger_letter_put(core->ledger, &letter, 0, kh_now(), &source->letter, error);
	return code < 0 ? code : kh_ledger_source_put(core->ledger, source, error);
}

/* Under a change of its own: `write` puts the row. A reply. */
static json_t *change_source(const struct kh_request *request, const char *kind, struct kh_source *source,
			     int (*write)(struct kh_core *, struct kh_source *, struct kh_error *))
{
	struct kh_core *core = request->core;
	struct kh_error error = {};
	struct kh_change change;
	json_t *reply;
	int code = kh_change_start(request, kind, source->letter, &change, &error);

	if (code < 0)
		return kh_reply_error(KH_EXIT_FAILED, &error);
	code = write(core, source, &error);
	if (code >= 0)
		code = kh_commit(core, &error);
	if (code < 0) {
		kh_ledger_rollback(core->ledger);
		return kh_reply_error(KH_EXIT_FAILED, &error);
	}
	reply = reply_source(core, source);
	json_object_set_new(reply, "change", json_integer(change.id));
	json_object_set_new(reply, "time", kh_json_time(core, kh_now()));
	return reply;
}

static int write_again(struct kh_core *core, struct kh_source *source, struct kh_error *error)
{
	return kh_ledger_source_put(core->ledger, source, error);
}

static int write_removed(struct kh_core *core, struct kh_source *source, struct kh_error *error)
{
	kh_kept_remove(core, source->name); /* without it, a source that stays fetches all of it */
	return kh_ledger_source_remove(core->ledger, source->id, error);
}

json_t *kh_op_source_add(const struct kh_request *request)
{
	struct kh_source source;
	struct kh_error error = {};
	int code = kh_source_take(request->body, &source, &error);

	if (code < 0)
		return kh_reply_error(KH_EXIT_USAGE, &error);
	return change_source(request, "source-add", &source, write_new);
}

/* ---- Changing ------------------------------------------------------------------------------------------------ */

static json_t *set_paused(const struct kh_request *request, const char *kind, bool paused)
{
	struct kh_source source;
	json_t *reply = find(request, &source);

	if (reply)
		return reply;
	if (source.paused == paused)
		return reply_source(request->core, &source);
	source.paused = paused;
	return change_source(request, kind, &source, write_again);
}

json_t *kh_op_source_pause(const struct kh_request *request)
{
	return set_paused(request, "source-pause", true);
}

json_t *kh_op_source_resume(const struct kh_request *request)
{
	return set_paused(request, "source-resume", false);
}

/* As every second: what a refresh says is in the daemon's language, whoever asks. */
static void move_on(struct kh_core *core)
{
	const char *asked = kh_lang_get();

	kh_lang_set(core->config->language);
	kh_sources_tick(core);
	kh_lang_set(asked);
}

json_t *kh_op_source_refresh(const struct kh_request *request)
{
	struct kh_source source;
	struct kh_sources *sources = request->core->sources;
	json_t *reply = find(request, &source);
	struct kh_asked *asked = NULL;

	if (reply)
		return reply;
	for (size_t i = 0; sources && i < sources->asked_count; i++)
		if (!strcmp(sources->asked[i].source, source.name))
			asked = &sources->asked[i];
	if (!asked && sources && sources->asked_count < KH_SOURCES_MAX)
		asked = &sources->asked[sources->asked_count++];
	if (!asked)
		return kh_reply_usage(_("out of memory"));
	snprintf(asked->source, sizeof(asked->source), "%s", source.name);
	asked->accept = kh_request_flag(request->body, "accept");
	asked->confirmed = asked->accept && kh_trust_is_typed(request);
	reply = reply_source(request->core, &source);
	move_on(request->core);
	return reply;
}

static int edit_promote(struct kh_alter *alter, struct kh_order_row *row)
{
	struct kh_order_terms terms;

	if (row->state != KH_ORDER_ACTIVE || row->action == KH_ACTION_DROP)
		return 0;
	if (kh_ledger_order_terms(alter->request->core->ledger, row->letter, &row->indicator, &terms) == 1 &&
	    terms.by_person)
		return 0;
	row->action = KH_ACTION_DROP;
	row->since = kh_now();
	return 1;
}

static int edit_withdraw(struct kh_alter *alter, struct kh_order_row *row)
{
	(void)alter;
	if (row->state == KH_ORDER_WITHDRAWN || row->state == KH_ORDER_REJECTED || row->state == KH_ORDER_EXPIRED)
		return 0;
	row->state = KH_ORDER_WITHDRAWN;
	row->since = kh_now();
	return 1;
}

/* Orders first, then the row: between them nothing is wrong, and asking again ends it. */
static json_t *change_orders(const struct kh_request *request, const char *kind, struct kh_source *source,
			     int (*edit)(struct kh_alter *, struct kh_order_row *),
			     int (*write)(struct kh_core *, struct kh_source *, struct kh_error *))
{
	struct kh_alter alter = { .request = request, .letter = source->letter, .edit = edit };
	json_t *altered = kh_alter_letter(&alter, kind), *reply;

	if (json_object_get(altered, "error"))
		return altered;
	reply = change_source(request, kind, source, write);
	json_object_set(reply, "changed", json_object_get(altered, "changed"));
	if (json_object_get(altered, "change")) /* the one that an undo is about */
		json_object_set(reply, "change", json_object_get(altered, "change"));
	json_decref(altered);
	return reply;
}

json_t *kh_op_source_promote(const struct kh_request *request)
{
	struct kh_source source;
	json_t *reply = find(request, &source);

	if (reply)
		return reply;
	if (source.action == KH_ACTION_DROP)
		return reply_source(request->core, &source);
	source.action = KH_ACTION_DROP;
	return change_orders(request, "source-promote", &source, edit_promote, write_again);
}

json_t *kh_op_source_remove(const struct kh_request *request)
{
	struct kh_source source;
	json_t *reply = find(request, &source);

	if (reply)
		return reply;
	if (request->core->sources->fetching.runs && !strcmp(request->core->sources->fetching.source, source.name))
		kh_fetching_end(&request->core->sources->fetching); /* nobody waits for it any more */
	return change_orders(request, "source-remove", &source, edit_withdraw, write_removed);
}
