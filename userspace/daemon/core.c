// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening and closing, and what the event loop asks for: time passes, links change, the clock steps, somebody calls out.
 */
#include "daemon/private.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/crash.h"
#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "daemon/kernels.h"
#include "daemon/log.h"
#include "daemon/source.h"
#include "daemon/trust.h"

#define EVENTS_LOGGED_PER_SECOND 20

static int open_ledger(struct kh_core *core, struct kh_error *error)
{
	char path[PATH_MAX];
	int code = kh_make_folders(core->state, 0700);

	if (code < 0)
		return kh_fail(error, code, _("cannot make %s: %s"), core->state, strerror(-code));
	snprintf(path, sizeof(path), "%s/" KH_CORE_LEDGER, core->state);
	return kh_ledger_open(path, &core->ledger, error);
}

/* The last counts of another version, which the packet programs of this one do not know. */
static void on_other(struct kh_kernel *other, bool readable, void *context)
{
	struct kh_core *core = context;
	struct kh_kernel *own = core->kernel;
	struct kh_error error = {};

	kh_log(LOG_NOTICE, "event=taken-over counts=%s", readable ? "kept" : "as-folded-last");
	if (!readable)
		return;
	core->kernel = other;
	if (kh_collect(core, &error) < 0)
		kh_log_error(LOG_ERR, "counts-not-folded", &error);
	core->kernel = own;
}

/* An upgrade from another version of the ABI: our list is in force beside its, and now the hooks go over to it. */
static int take_over(struct kh_core *core, struct kh_error *error)
{
	int code;

	if (!kh_kernel_has_other(core->kernel))
		return 0;
	code = kh_kernel_take_over(core->kernel, on_other, core, error);
	if (code >= 0)
		code = kh_interfaces_refresh(core, error);
	return code < 0 ? code : kh_collect(core, error);
}

/* A full disk keeps nobody from being protected: the list in force goes on, and what was to be written is made up for when there is room. */
static int go_on(struct kh_core *core, int code, const struct kh_error *error)
{
	if (code != -ENOSPC || !core->image)
		return code;
	kh_log_error(LOG_ERR, "ledger-not-written", error);
	core->ledger_failing = core->apply_due = true;
	snprintf(core->ledger_problem, sizeof(core->ledger_problem), "%s", error->text);
	return 0;
}

/* Protection first: with a list from the kernel or from disk, packets are judged before the ledger is even read. */
static int open_parts(struct kh_core *core, const char *run, struct kh_error *error)
{
	struct kh_error restored = {};
	int64_t kept = 0; /* the time that the programs keep */
	int code = kh_kernel_open(core->bpffs, &core->kernel, error);

	if (code < 0) {
		kh_kernels_refused(core->state, run, error);
		return code;
	}
	kh_kernels_worked(core->state, run);
	code = kh_kernel_clock(core->kernel, &kept, error);
	if (code >= 0 && !kept)
		code = kh_kernel_set_clock(core->kernel, 0, error);
	if (code < 0)
		return code;
	KH_CRASH_POINT("start.kernel");
	if (kh_restore_image(core, &restored) < 0)
		kh_log_error(LOG_ERR, "image-not-restored", &restored);
	KH_CRASH_POINT("start.restored");
	code = open_ledger(core, error);
	KH_CRASH_POINT("start.ledger");
	if (code >= 0) {
		kh_clock_start(core, kept); /* before anything ends by it */
		code = kh_sources_open(core, error);
	}
	if (code >= 0)
		code = kh_links_monitor_open(&core->monitor, error);
	if (code >= 0)
		code = kh_interfaces_refresh(core, error);
	KH_CRASH_POINT("start.attached");
	if (code >= 0) {
		kh_sessions_load(core);
		code = kh_protect(core, error);
	}
	/* What another version counted comes first into the ledger. */
	if (code >= 0 && !kh_kernel_has_other(core->kernel))
		code = go_on(core, kh_collect(core, error), error);
	KH_CRASH_POINT("start.collected");
	if (code >= 0)
		code = go_on(core, kh_apply_now(core, error), error);
	return code < 0 ? code : take_over(core, error);
}

/* Without a key that cannot be read, less can be signed: nobody is let in by that, and nothing in force is let go of. */
static void open_trust(struct kh_core *core)
{
	struct kh_error error = {};

	if (kh_trust_read(core->config, &core->trust, &error) >= 0)
		return;
	snprintf(core->trust.problem, sizeof(core->trust.problem), "%s", error.text);
	kh_log_error(LOG_ERR, "trust-keys", &error);
}

int kh_core_open(const struct kh_core_paths *paths, const struct kh_config *config, struct kh_core **ret_core,
		 struct kh_error *error)
{
	struct kh_core *core = calloc(1, sizeof(*core));
	int code;

	if (!core || sodium_init() < 0) {
		free(core);
		return kh_fail(error, -ENOMEM, _("out of memory"));
	}
	core->config = config;
	snprintf(core->state, sizeof(core->state), "%s", paths->state);
	snprintf(core->bpffs, sizeof(core->bpffs), "%s", paths->bpffs);
	snprintf(core->refresh, sizeof(core->refresh), "%s", paths->refresh);
	snprintf(core->config_problem, sizeof(core->config_problem), "%s",
		 paths->config_problem ? paths->config_problem : "");
	open_trust(core);
	code = open_parts(core, paths->run, error);
	if (code < 0) {
		kh_core_close(core);
		return code;
	}
	kh_core_tick(core);
	*ret_core = core;
	return 0;
}

void kh_core_close(struct kh_core *core)
{
	struct kh_error error = {};

	if (!core)
		return;
	if (core->ledger && core->kernel && core->guard && !core->detached && !kh_kernel_has_other(core->kernel) &&
	    kh_collect(core, &error) < 0)
		kh_log_error(LOG_WARNING, "counts-not-folded", &error);
	if (core->kernel && !core->detached)
		kh_cut_pending(core);
	kh_sources_close(core);
	kh_readings_close(core);
	kh_keep_image(core, true);
	kh_links_monitor_close(core->monitor);
	kh_ledger_close(core->ledger);
	kh_kernel_close(core->kernel);
	kh_guard_free(core->guard);
	kh_links_free(core->links);
	kh_image_free(core->image);
	kh_image_free(core->spare);
	free(core->folded);
	free(core->holes);
	free(core);
}

/* ---- Time passes -------------------------------------------------------------------------------- */

static void expire(struct kh_core *core, int64_t now)
{
	int64_t next = kh_ledger_next_deadline(core->ledger);
	json_auto_t *body = NULL;
	struct kh_request request = { .core = core, .actor = "khiend" };
	struct kh_change change;
	struct kh_error error = {};
	int64_t count;
	int code;

	if (!next || next > now)
		return;
	body = json_pack("{s:s}", "op", "expire");
	request.body = body;
	if (kh_change_start(&request, "expire", 0, &change, &error) < 0) {
		kh_log_error(LOG_ERR, "expire-failed", &error);
		return;
	}
	KH_CRASH_POINT("expire.started");
	count = kh_ledger_expire(core->ledger, now, &error);
	KH_CRASH_POINT("expire.written");
	if (count < 0) {
		kh_ledger_rollback(core->ledger);
		kh_log_error(LOG_ERR, "expire-failed", &error);
		return;
	}
	code = kh_apply(core, &error);
	KH_CRASH_POINT("expire.applied");
	if (code < 0)
		kh_log_error(LOG_ERR, "expire-failed", &error);
	else
		kh_log(LOG_NOTICE, "event=expired change=%lld orders=%lld", (long long)change.id, (long long)count);
}

static void put_health(struct kh_core *core, const char *health, const char *problem, int64_t now)
{
	if (kh_ledger_begin(core->ledger, NULL) < 0)
		return;
	if (kh_ledger_health_put(core->ledger, health, problem, now, NULL) < 0 ||
	    kh_ledger_commit(core->ledger, NULL) < 0)
		kh_ledger_rollback(core->ledger);
	kh_log(!strcmp(health, "protected") ? LOG_NOTICE : LOG_WARNING, "event=health state=%s problem=\"%s\"", health,
	       problem);
}

static void note_health(struct kh_core *core, int64_t now)
{
	struct kh_problem problems[KH_PROBLEMS_MAX];
	size_t count = kh_problems(core, problems);
	const char *health = kh_health(problems, count);
	char before[32] = "";
	int64_t since;

	kh_ledger_health(core->ledger, before, sizeof(before), &since);
	if (core->gap[0] && !strcmp(before, "protected")) { /* over already, but it was */
		put_health(core, "degraded", core->gap, now);
		snprintf(before, sizeof(before), "degraded");
	}
	core->gap[0] = '\0';
	if (strcmp(before, health))
		put_health(core, health, count ? problems[0].text : "", now);
}

void kh_core_settle(struct kh_core *core)
{
	if (!core || core->detached)
		return;
	kh_cut_pending(core);
	kh_kernel_settle(core->kernel);
	if (core->image)
		kh_image_spare(&core->spare, core->image->pages);
}

void kh_core_fetched(struct kh_core *core)
{
	if (!core->detached)
		kh_sources_tick(core);
	else if (core->sources->fetching.runs) /* nothing is ordered by itself any more */
		kh_fetching_end(&core->sources->fetching);
	kh_readings_tick(core);
}

void kh_core_tick(struct kh_core *core)
{
	struct kh_error error = {};
	int64_t now;

	if (core->detached)
		return;
	kh_clock_tick(core);
	now = kh_now();
	core->events_logged = 0;
	kh_core_settle(core);
	kh_lang_set(core->config->language);
	if (now - core->collected >= KH_COLLECT_SECONDS || now < core->collected) {
		core->ledger_failing = kh_collect(core, &error) < 0;
		snprintf(core->ledger_problem, sizeof(core->ledger_problem), "%s", error.text);
		if (core->ledger_failing)
			core->collected = now; /* try again in a while, not every second */
		else if (core->apply_due)
			core->apply_due = kh_apply_now(core, &error) < 0;
		kh_clock_remember(core);
	}
	kh_unconfirmed_tick(core, now); /* before orders end: their rows are then as the change left them */
	expire(core, now);
	kh_verify_slice(core, now);
	kh_sessions_tick(core, now);
	kh_sources_tick(core);
	kh_readings_tick(core);
	kh_keep_image(core, false);
	kh_interfaces_look(core);
	note_health(core, now);
}

void kh_core_clock_changed(struct kh_core *core)
{
	kh_lang_set(core->config->language);
	kh_clock_watch(core);
}

void kh_core_links_changed(struct kh_core *core)
{
	unsigned int changes = kh_links_monitor_drain(core->monitor);
	struct kh_error error = {};
	int code;

	if (!changes || core->detached)
		return;
	kh_lang_set(core->config->language);
	code = kh_interfaces_refresh(core, &error);
	if (code >= 0 && changes & KH_LINKS_CHANGED)
		code = kh_protect(core, &error);
	if (code >= 0 && changes & KH_LINKS_CHANGED)
		code = kh_apply_now(core, &error);
	if (code < 0)
		kh_log_error(LOG_ERR, "links-change-failed", &error);
	note_health(core, kh_now());
}

/* ---- First sights ------------------------------------------------------------------------------- */

static void on_event(const struct kh_event *event, void *context)
{
	struct kh_core *core = context;
	struct kh_range host = kh_range_from_mapped(event->key.address);
	const char *interface = kh_interface_name(core, event->key.interface);
	char text[KH_RANGE_TEXT];

	if (core->events_logged++ >= EVENTS_LOGGED_PER_SECOND)
		return;
	kh_log(LOG_WARNING,
	       "event=first-sight host=%s mac=%02x:%02x:%02x:%02x:%02x:%02x interface=%s slot=%u port=%u action=%s spoofed=%d",
	       kh_range_format(&host, text), event->key.mac[0], event->key.mac[1], event->key.mac[2], event->key.mac[3],
	       event->key.mac[4], event->key.mac[5], interface ? interface : "", event->key.slot, event->remote_port,
	       event->action == KH_ACTION_MONITOR ? "monitor" : "drop", !!(event->key.flags & KH_SIGHTING_SPOOFED));
}

int kh_core_links_fd(const struct kh_core *core)
{
	return kh_links_monitor_fd(core->monitor);
}

int kh_core_fetched_fd(const struct kh_core *core)
{
	return core->sources->fetched;
}

int kh_core_events_fd(const struct kh_core *core)
{
	return kh_kernel_events_fd(core->kernel);
}

void kh_core_events(struct kh_core *core)
{
	if (!core->detached)
		kh_kernel_events(core->kernel, on_event, core);
}
