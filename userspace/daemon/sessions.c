// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Never locked out: the SSH session of whoever gives an order is spared of every block while its connection lives, whatever is on the list. Only a
 * connection that the kernel says is established on this machine counts, so nobody spares an address of their choice. Others who hold SSH
 * connections to this gateway and are on the list are not spared: that they are there is an alarm.
 */
#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/flows.h"
#include "daemon/log.h"
#include "daemon/private.h"

#define LOOK_SECONDS 5 /* between two looks whether the connections live */
#define ALARM_SECONDS 3600 /* how long status tells of one */
#define SSH_PORT 22

/* ---- Which orders are about an address ------------------------------------------------------------- */

struct ordered {
	int64_t change; /* touched by it last; 0: by any */
	bool found;
};

static int on_order(const struct kh_order_row *row, void *context)
{
	struct ordered *ordered = context;

	ordered->found = row->action == KH_ACTION_DROP && (!ordered->change || row->change == ordered->change);
	return ordered->found;
}

static bool is_ordered(struct kh_core *core, const struct kh_range *address, int64_t change)
{
	struct kh_order_filter filter = { .state = KH_ORDER_ACTIVE, .overlaps = address };
	struct ordered ordered = { .change = change };

	kh_ledger_orders(core->ledger, &filter, on_order, &ordered);
	return ordered.found;
}

static bool is_dropped(const struct kh_core *core, const struct kh_range *address)
{
	return kh_party_is_dropped(core->image, (uint32_t)kh_now(), address, 0, 0);
}

/* ---- Keeping them ------------------------------------------------------------------------------------ */

/* The guard anew, and the list where it holds such an address. */
static void spare_anew(struct kh_core *core, bool apply)
{
	struct kh_error error = {};
	int code = kh_protect(core, &error);

	if (code >= 0 && apply)
		code = kh_apply_now(core, &error);
	if (code < 0)
		kh_log_error(LOG_ERR, "session-not-spared", &error);
}

static void keep(struct kh_core *core, const struct kh_connection *session,
		 int (*write)(struct kh_ledger *, const char *, struct kh_error *))
{
	char text[KH_CONNECTION_TEXT];
	struct kh_error error = {};
	int code = kh_ledger_begin(core->ledger, &error);

	if (code >= 0)
		code = write(core->ledger, kh_connection_format(session, text), &error);
	if (code >= 0)
		code = kh_ledger_commit(core->ledger, &error);
	if (code < 0) {
		kh_ledger_rollback(core->ledger);
		kh_log_error(LOG_WARNING, "session-not-kept", &error);
	}
}

static int on_kept(const char *text, void *context)
{
	struct kh_core *core = context;
	struct kh_connection session;

	if (kh_connection_parse(text, &session) == 0)
		core->sessions[core->sessions_count++] = session;
	return core->sessions_count == KH_SESSIONS_MAX;
}

struct living {
	const struct kh_core *core;
	bool lives[KH_SESSIONS_MAX];
};

static int on_living(const struct kh_connection *connection, void *context)
{
	struct living *living = context;

	for (size_t i = 0; i < living->core->sessions_count; i++)
		if (kh_connection_same(connection, &living->core->sessions[i]))
			living->lives[i] = true;
	return 0;
}

/* Lets go of those that have ended. True: some had, and *ret_ordered says whether an order is about one. */
static bool drop_ended(struct kh_core *core, bool *ret_ordered)
{
	struct living living = { .core = core };
	size_t before = core->sessions_count, kept = 0;

	*ret_ordered = false;
	if (kh_connections(on_living, &living) < 0) /* it cannot be seen: nobody is locked out for that */
		return false;
	for (size_t i = 0; i < before; i++) {
		const struct kh_connection ended = core->sessions[i];
		char text[KH_CONNECTION_TEXT];

		if (living.lives[i]) {
			core->sessions[kept++] = ended;
			continue;
		}
		kh_log(LOG_NOTICE, "event=session-ended connection=\"%s\"", kh_connection_format(&ended, text));
		keep(core, &ended, kh_ledger_session_remove);
		*ret_ordered = *ret_ordered || is_ordered(core, &ended.peer, 0);
	}
	core->sessions_count = kept;
	return kept < before;
}

void kh_sessions_load(struct kh_core *core)
{
	bool ordered;

	kh_ledger_sessions(core->ledger, on_kept, core);
	if (core->sessions_count)
		drop_ended(core, &ordered);
	core->sessions_looked = kh_now();
}

void kh_sessions_tick(struct kh_core *core, int64_t now)
{
	bool ordered;

	if (!core->sessions_count || (now >= core->sessions_looked && now - core->sessions_looked < LOOK_SECONDS))
		return;
	core->sessions_looked = now;
	if (drop_ended(core, &ordered))
		spare_anew(core, ordered);
}

static int on_established(const struct kh_connection *connection, void *context)
{
	return kh_connection_same(connection, context);
}

void kh_session_take(struct kh_core *core, const char *text)
{
	struct kh_connection session;

	if (!text || kh_connection_parse(text, &session) < 0)
		return;
	for (size_t i = 0; i < core->sessions_count; i++)
		if (kh_connection_same(&core->sessions[i], &session))
			return;
	if (core->sessions_count == KH_SESSIONS_MAX || kh_connections(on_established, &session) != 1) {
		kh_log(LOG_NOTICE, "event=session-not-spared connection=\"%s\" reason=%s", text,
		       core->sessions_count == KH_SESSIONS_MAX ? "too-many" : "not-established");
		return;
	}
	core->sessions[core->sessions_count++] = session;
	keep(core, &session, kh_ledger_session_put);
	kh_log(LOG_INFO, "event=session-spared connection=\"%s\"", text);
	spare_anew(core, is_ordered(core, &session.peer, 0));
}

/* ---- What a change comes to for them ----------------------------------------------------------------- */

/* Has it been said of the same address before? One person may have several connections. */
static bool is_repeated(const struct kh_core *core, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!kh_range_compare(&core->sessions[i].peer, &core->sessions[index].peer))
			return true;
	return false;
}

void kh_sessions_note(struct kh_core *core, int64_t change, json_t *notes)
{
	for (size_t i = 0; i < core->sessions_count; i++) {
		const struct kh_connection *session = &core->sessions[i];
		char peer[KH_RANGE_TEXT], text[512];

		if (is_repeated(core, i) || !is_ordered(core, &session->peer, change))
			continue;
		snprintf(
			text, sizeof(text),
			_("%s is where an SSH session at work here comes from (port %u): it is not blocked as long as that connection lasts"),
			kh_range_format(&session->peer, peer), session->peer_port);
		json_array_append_new(notes, json_string(text));
	}
}

struct alarming {
	struct kh_core *core;
	int64_t change;
	json_t *alarms;
};

static bool is_ssh(const struct kh_core *core, const struct kh_connection *connection)
{
	bool ssh = connection->local_port == SSH_PORT;

	for (size_t i = 0; i < core->sessions_count; i++) {
		if (!kh_range_compare(&core->sessions[i].peer, &connection->peer))
			return false; /* spared */
		ssh = ssh || core->sessions[i].local_port == connection->local_port;
	}
	return ssh;
}

static void add_alarm(struct alarming *alarming, const char *peer)
{
	struct kh_core *core = alarming->core;
	struct kh_alarm *alarm = &core->alarms[core->alarms_next++ % KH_ALARMS_MAX];

	*alarm = (struct kh_alarm){ .since = kh_now(), .change = alarming->change };
	snprintf(alarm->peer, sizeof(alarm->peer), "%s", peer);
	kh_log(LOG_ALERT, "event=ssh-peer-blocked peer=%s change=%lld", peer, (long long)alarming->change);
	if (!alarming->alarms)
		alarming->alarms = json_array();
	json_array_append_new(alarming->alarms, json_string(kh_alarm_text(alarm, (char[256]){ "" }, 256)));
}

static int on_connection(const struct kh_connection *connection, void *context)
{
	struct alarming *alarming = context;
	const struct kh_core *core = alarming->core;
	char peer[KH_RANGE_TEXT];

	if (!is_ssh(core, connection) || !is_dropped(core, &connection->peer) ||
	    !is_ordered(alarming->core, &connection->peer, alarming->change))
		return 0;
	kh_range_format(&connection->peer, peer);
	for (size_t i = 0; i < KH_ALARMS_MAX; i++)
		if (core->alarms[i].change == alarming->change && !strcmp(core->alarms[i].peer, peer))
			return 0;
	add_alarm(alarming, peer);
	return json_array_size(alarming->alarms) == KH_ALARMS_MAX;
}

const char *kh_alarm_text(const struct kh_alarm *alarm, char *text, size_t size)
{
	snprintf(text, size, _("%s holds an SSH connection to this gateway and is on the list: change %lld blocks it"),
		 alarm->peer, (long long)alarm->change);
	return text;
}

bool kh_alarm_is_fresh(const struct kh_alarm *alarm, int64_t now)
{
	return alarm->since && now >= alarm->since && now - alarm->since < ALARM_SECONDS;
}

void kh_sessions_alarm(struct kh_core *core, int64_t change, json_t *reply)
{
	struct alarming alarming = { .core = core, .change = change };

	kh_connections(on_connection, &alarming);
	if (alarming.alarms)
		json_object_set_new(reply, "alarms", alarming.alarms);
}
