// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is the office protected, and if not, what is to be done? Every problem has a code, a sentence and a next step.
 */
#include "daemon/source.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

#define EXPIRING_SECONDS 86400

static struct kh_problem *add(struct kh_problem *problems, size_t *count, const char *code, const char *format, ...)
	KH_PRINTF(4, 5);

static struct kh_problem *add(struct kh_problem *problems, size_t *count, const char *code, const char *format, ...)
{
	static struct kh_problem spare;
	struct kh_problem *problem = *count < KH_PROBLEMS_MAX ? &problems[(*count)++] : &spare;
	va_list arguments;

	memset(problem, 0, sizeof(*problem));
	problem->code = code;
	va_start(arguments, format);
	vsnprintf(problem->text, sizeof(problem->text), format, arguments);
	va_end(arguments);
	return problem;
}

static void todo(struct kh_problem *problem, const char *format, ...) KH_PRINTF(2, 3);

static void todo(struct kh_problem *problem, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem->todo, sizeof(problem->todo), format, arguments);
	va_end(arguments);
}

static void check_interfaces(const struct kh_core *core, struct kh_problem *problems, size_t *count)
{
	size_t attached = 0;

	for (size_t i = 0; i < core->watches_count; i++) {
		const struct kh_watch *watch = &core->watches[i];

		if (watch->attached.mode != KH_ATTACHED_NONE)
			attached++;
		else
			todo(add(problems, count, "not-attached", _("%s is not protected: %s"), watch->asked,
				 watch->problem[0] ? watch->problem : _("detached")),
			     "%s%s",
			     core->detached   ? "systemctl restart khiend"
			     : watch->todo[0] ? watch->todo
					      : "khien reattach ",
			     core->detached || watch->todo[0] ? "" : watch->asked);
		if (watch->renamed)
			todo(add(problems, count, "renamed",
				 _("%s has been renamed: it is %s now, and is filtered until khiend is restarted"),
				 watch->asked, watch->name),
			     _("write %s in khien.conf"), watch->name);
		if (watch->attached.notice[0])
			add(problems, count, "mode", "%s", watch->attached.notice)->notice = true;
	}
	if (!attached)
		add(problems, count, "nothing-attached", _("no interface is protected"))->unprotected = true;
}

static bool is_watched(const struct kh_core *core, const struct kh_link *link)
{
	for (size_t i = 0; i < core->watches_count; i++) {
		const struct kh_link *watched = kh_link_by_index(core->links, core->watches[i].ifindex);

		if (watched && (watched == link || kh_link_is_above(core->links, link, watched)))
			return true;
	}
	return false;
}

static void check_links(const struct kh_core *core, struct kh_problem *problems, size_t *count)
{
	for (size_t i = 0; i < core->links->routes_count; i++) {
		const struct kh_link_route *route = &core->links->routes[i];
		const struct kh_link *link = kh_link_by_index(core->links, route->ifindex);

		if (route->is_default && link && !is_watched(core, link))
			todo(add(problems, count, "route-unwatched",
				 _("a default route leaves by %s, which is not watched"), link->name),
			     _("add %s to wan in khien.conf"), link->name);
	}
	for (size_t i = 0; i < core->links->links_count; i++) {
		const struct kh_link *link = &core->links->links[i];

		if (link->up && (link->forwards_v4 || link->forwards_v6) && link->type != 772 && !link->master &&
		    !is_watched(core, link))
			todo(add(problems, count, "no-role", _("%s forwards packets but is neither wan nor lan"),
				 link->name),
			     _("add %s to wan or lan in khien.conf"), link->name);
	}
}

struct problems {
	const struct kh_core *core;
	struct kh_problem *problems;
	size_t *count;
};

static int check_source(const struct kh_source *source, void *context)
{
	struct problems *all = context;

	if (source->held >= 0 && source->kind != KH_FETCH_FILE && kh_source_takes_trust(all->core, source))
		todo(add(all->problems, all->count, "source-held",
			 _("the source %s cannot be signed: a copy of it waits for an administrator"), source->name),
		     "khien source refresh %s --accept", source->name);
	else if (source->held >= 0)
		todo(add(all->problems, all->count, "source-held",
			 _("the source %s now has %lld values, it had %lld: the copy before stays in force"),
			 source->name, (long long)source->held, (long long)(source->count < 0 ? 0 : source->count)),
		     "khien source refresh %s --accept", source->name);
	else if (kh_source_stale(source, kh_now()))
		todo(add(all->problems, all->count, "source-stale", _("the source %s does not refresh: %s"),
			 source->name, source->problem),
		     "khien source show %s", source->name);
	return 0;
}

static void check_clock(const struct kh_core *core, struct kh_problem *problems, size_t *count)
{
	char wall[KH_TIME_TEXT], known[KH_TIME_TEXT];

	if (!kh_clock_doubted())
		return;
	kh_time_format_local((int64_t)time(NULL), core->config->timezone, wall);
	kh_time_format_local(kh_now(), core->config->timezone, known);
	todo(add(problems, count, "clock",
		 _("the clock says %s and is not believed: orders end as if it were %s, by the time that passes"), wall,
		 known),
	     "%s", _("timedatectl; if the clock is right: khien confirm clock"));
}

size_t kh_problems(struct kh_core *core, struct kh_problem ret_problems[static KH_PROBLEMS_MAX])
{
	size_t count = 0;

	check_interfaces(core, ret_problems, &count);
	if (!core->image)
		add(ret_problems, &count, "no-generation", _("no list is installed"))->unprotected = true;
	check_links(core, ret_problems, &count);
	if (core->guard_problem[0])
		todo(add(ret_problems, &count, "never-block", "%s", core->guard_problem), "khiend --check");
	if (core->trust.problem[0])
		todo(add(ret_problems, &count, "trust-keys", _("not all of [trust] keys can be read: %s"),
			 core->trust.problem),
		     "khiend --check");
	if (core->config_problem[0])
		todo(add(ret_problems, &count, "configuration",
			 _("the configuration was refused; the last accepted one serves: %s"), core->config_problem),
		     "khiend --check");
	if (core->ledger_failing)
		add(ret_problems, &count, "ledger", _("the ledger cannot be written: %s"), core->ledger_problem);
	if (core->missed)
		todo(add(ret_problems, &count, "ledger-older",
			 _("the ledger is older than the list that was in force (generation %llu): changes are missing from it"),
			 (unsigned long long)core->missed),
		     _("khien history; push again what is missing, then: systemctl restart khiend"));
	check_clock(core, ret_problems, &count);
	if (core->round.astray[0])
		todo(add(ret_problems, &count, "verify", _("%s is ordered and not enforced"), core->round.astray),
		     "khien verify");
	else if (core->verified && core->verified_enforced != core->verified_ordered)
		todo(add(ret_problems, &count, "verify", _("only %lld of %lld orders are enforced"),
			 (long long)core->verified_enforced, (long long)core->verified_ordered),
		     "khien verify");
	for (size_t i = 0; i < KH_ALARMS_MAX; i++)
		if (kh_alarm_is_fresh(&core->alarms[i], kh_now()))
			todo(add(ret_problems, &count, "ssh-peer", "%s",
				 kh_alarm_text(&core->alarms[i], (char[256]){ "" }, 256)),
			     _("find out who that is: journalctl -u ssh; last -i"));
	kh_ledger_sources(core->ledger, check_source, &(struct problems){ core, ret_problems, &count });
	if (core->config->exempt.count)
		add(ret_problems, &count, "exempt",
		    _("[guard] exempt is set: special-purpose ranges can be blocked (for laboratories)"))
			->notice = true;
	return count;
}

const char *kh_health(const struct kh_problem *problems, size_t count)
{
	const char *health = "protected";

	for (size_t i = 0; i < count; i++) {
		if (problems[i].unprotected)
			return "unprotected";
		if (!problems[i].notice)
			health = "degraded";
	}
	return health;
}

/* ---- The answer --------------------------------------------------------------------------------- */

static json_t *problems_json(const struct kh_problem *problems, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_pack("{s:s, s:s, s:o, s:o}", "code", problems[i].code, "severity",
						       problems[i].unprotected ? "unprotected"
						       : problems[i].notice    ? "notice"
									       : "degraded",
						       "text", kh_json_text(problems[i].text), "todo",
						       kh_json_text(problems[i].todo)));
	return array;
}

static json_t *interfaces_json(const struct kh_core *core)
{
	json_t *array = json_array();

	for (size_t i = 0; i < core->watches_count; i++) {
		const struct kh_watch *watch = &core->watches[i];

		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "name", watch->asked, "device",
						       watch->name, "role", watch->role == KH_ROLE_WAN ? "wan" : "lan",
						       "mode", kh_attached_mode_name(watch->attached.mode), "attached",
						       watch->attached.mode != KH_ATTACHED_NONE, "egress",
						       watch->attached.egress));
	}
	return array;
}

static json_t *generation_json(const struct kh_core *core)
{
	const struct kh_image_header *header;

	if (!core->image)
		return json_null();
	header = kh_image_header(core->image);
	return json_pack("{s:I, s:o, s:i, s:i, s:i, s:i, s:I}", "number", (json_int_t)header->generation, "since",
			 kh_json_time(core, core->generation_since), "ipv4", (int)header->indicators_v4, "ipv6",
			 (int)header->indicators_v6, "ports", (int)header->indicators_ports, "domains", 0, "bytes",
			 (json_int_t)header->pages * KH_PAGE_SIZE);
}

static int on_allow(const struct kh_allow_row *row, void *context)
{
	json_array_append_new(((json_t **)context)[0],
			      kh_json_allow(*(const struct kh_core **)((json_t **)context)[1], row));
	return 0;
}

static json_t *allows_json(struct kh_core *core)
{
	json_t *array = json_array();
	const struct kh_core *borrowed = core;
	void *context[] = { array, &borrowed };

	kh_ledger_allows(core->ledger, true, on_allow, context);
	return array;
}

static int count_one(const struct kh_order_row *row, void *context)
{
	(void)row;
	++*(int64_t *)context;
	return 0;
}

static json_t *counts_json(struct kh_core *core)
{
	int64_t counts[KH_ORDER_STATE_COUNT] = {}, monitored = 0;

	kh_ledger_order_counts(core->ledger, counts, &monitored);
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "enforced", (json_int_t)(counts[KH_ORDER_ACTIVE] - monitored),
			 "monitored", (json_int_t)monitored, "review", (json_int_t)counts[KH_ORDER_REVIEW], "refused",
			 (json_int_t)counts[KH_ORDER_REFUSED], "unenforceable",
			 (json_int_t)counts[KH_ORDER_UNENFORCEABLE]);
}

json_t *kh_op_status(const struct kh_request *request)
{
	struct kh_core *core = request->core;
	struct kh_order_filter expiring = { .state = KH_ORDER_ACTIVE, .expires_before = kh_now() + EXPIRING_SECONDS };
	struct kh_problem problems[KH_PROBLEMS_MAX];
	size_t count = kh_problems(core, problems);
	const char *health = kh_health(problems, count);
	uint64_t events = 0, sightings = 0;
	int64_t since = 0, soon = 0;
	char state[32];
	json_t *reply = kh_reply(!strcmp(health, "protected")  ? KH_EXIT_DONE
				 : !strcmp(health, "degraded") ? KH_EXIT_PARTLY
							       : KH_EXIT_FAILED);

	if (!kh_ledger_health(core->ledger, state, sizeof(state), &since) && strcmp(state, health))
		since = kh_now();
	kh_ledger_orders(core->ledger, &expiring, count_one, &soon);
	kh_kernel_losses(core->kernel, &events, &sightings);
	json_object_set_new(reply, "health", json_string(health));
	json_object_set_new(reply, "since", kh_json_time(core, since));
	json_object_set_new(reply, "name", kh_json_text(core->config->name));
	json_object_set_new(reply, "language", json_string(core->config->language));
	json_object_set_new(reply, "problems", problems_json(problems, count));
	json_object_set_new(reply, "interfaces", interfaces_json(core));
	json_object_set_new(reply, "generation", generation_json(core));
	json_object_set_new(reply, "counts", counts_json(core));
	json_object_set_new(reply, "letters", json_integer(kh_letters_count(core)));
	json_object_set_new(reply, "allows", allows_json(core));
	json_object_set_new(reply, "expiring", json_integer(soon));
	json_object_set_new(reply, "unconfirmed", kh_unconfirmed_json(core));
	json_object_set_new(reply, "verified",
			    core->verified ? json_pack("{s:I, s:I, s:o}", "ordered", (json_int_t)core->verified_ordered,
						       "enforced", (json_int_t)core->verified_enforced, "time",
						       kh_json_time(core, core->verified))
					   : json_null());
	json_object_set_new(reply, "events_lost", json_integer((json_int_t)events));
	json_object_set_new(reply, "sightings_lost", json_integer((json_int_t)sightings));
	json_object_set_new(reply, "version", json_string(KH_VERSION));
	return reply;
}
