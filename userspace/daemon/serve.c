// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The running daemon: brings up the core, then waits. Everything that happens comes through the loop of this file and
 * goes to the core at once; there are no threads. A reload is a new core on the new file, or the old file again.
 */
#include "daemon/serve.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "common/file.h"
#include "common/lang.h"
#include "daemon/check.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/core.h"
#include "daemon/log.h"
#include "netlink/links.h"

#define TICK_USEC 1000000u
#define ACCEPTED "khien.conf.accepted" /* in the state folder: the last configuration that served */

struct server {
	const struct kh_options *options;
	struct kh_config *config;
	char config_problem[640]; /* empty: the file itself serves */
	struct kh_core *core;
	struct kh_control_server *control;
	sd_event *event;
	sd_event_source *links, *events, *fetched, *tick, *clock, *settle;
	bool tick_put_off;
	int clock_fd;
	int failed; /* -errno: ended by itself, for this reason */
	struct kh_error error;
};

/* ---- Configuration ------------------------------------------------------------------------------ */

static void accepted_path(const struct server *server, char ret_path[static PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/" ACCEPTED, server->options->state);
}

static void keep_accepted(const struct server *server)
{
	char path[PATH_MAX], *text KH_CLEANUP(kh_freep) = NULL;
	size_t length;
	int r;

	if (server->config_problem[0])
		return;
	accepted_path(server, path);
	r = kh_file_read(server->options->config, KH_CONFIG_MAX_BYTES, &text, &length);
	if (!r)
		r = kh_file_write(path, text, length, 0600);
	if (r < 0)
		kh_log(LOG_WARNING, "event=config-not-kept path=%s error=\"%s\"", path, strerror(-r));
}

/* At boot a gateway must not stay open for a typing error: the copy that served last serves again, and says so. */
static int load_config(struct server *server, struct kh_config *ret_config, struct kh_error *error)
{
	int r = kh_config_load(server->options->config, ret_config, error);
	struct kh_error ignored;
	char path[PATH_MAX];

	server->config_problem[0] = '\0';
	if (!r)
		return 0;
	accepted_path(server, path);
	if (kh_config_load(path, ret_config, &ignored) < 0)
		return r;
	kh_lang_set(ret_config->language); /* the refusal again, in the office's language */
	if (!kh_config_load(server->options->config, ret_config, error))
		return 0;
	kh_log_error(LOG_ERR, "config-refused", error);
	snprintf(server->config_problem, sizeof(server->config_problem), "%s", error->text);
	kh_log(LOG_WARNING, "event=config-fallback path=%s", path);
	return 0;
}

/* What --check would say. The daemon starts all the same: half a protection is better than none. */
static void log_findings(const struct server *server, const struct kh_config *config)
{
	static const int levels[KH_SEVERITY_COUNT] = {
		[KH_NOTICE] = LOG_INFO, [KH_WARNING] = LOG_WARNING, [KH_ERROR] = LOG_ERR
	};
	struct kh_check *check KH_CLEANUP(kh_freep) = calloc(1, sizeof(*check));
	struct kh_links *links = NULL;

	if (!check || kh_links_read(&links, NULL) < 0)
		return;
	kh_check(config, links, check);
	kh_check_lists(config, check);
	kh_check_issuers(config, check);
	kh_check_proxy(config, check);
	kh_check_trust(config, check);
	kh_links_free(links);
	for (size_t i = 0; i < check->count; i++) {
		const struct kh_check_finding *finding = &check->findings[i];

		kh_log(levels[finding->severity], "event=config-finding file=%s line=%d text=\"%s\" hint=\"%s\"",
		       server->options->config, finding->line, finding->text, finding->hint);
	}
}

/* ---- The core in the loop ----------------------------------------------------------------------- */

static int on_links(sd_event_source *source KH_UNUSED, int fd KH_UNUSED, uint32_t events KH_UNUSED, void *data)
{
	kh_core_links_changed(((struct server *)data)->core);
	return 0;
}

static int on_events(sd_event_source *source KH_UNUSED, int fd KH_UNUSED, uint32_t events KH_UNUSED, void *data)
{
	kh_core_events(((struct server *)data)->core);
	return 0;
}

static int on_fetched(sd_event_source *source KH_UNUSED, int fd KH_UNUSED, uint32_t events KH_UNUSED, void *data)
{
	struct server *server = data;

	kh_core_fetched(server->core);
	kh_control_again(server->control);
	return 0;
}

static void core_stop(struct server *server)
{
	server->links = sd_event_source_disable_unref(server->links);
	server->events = sd_event_source_disable_unref(server->events);
	server->fetched = sd_event_source_disable_unref(server->fetched);
	kh_core_close(KH_TAKE(server->core));
}

static int core_start(struct server *server, const struct kh_config *config, struct kh_error *error)
{
	const struct kh_core_paths paths = {
		.state = server->options->state,
		.run = server->options->run,
		.bpffs = server->options->bpffs,
		.refresh = server->options->refresh,
		.config = server->options->config,
		.config_problem = server->config_problem[0] ? server->config_problem : NULL,
	};
	int r;

	kh_lang_set(config->language);
	log_findings(server, config);
	r = kh_core_open(&paths, config, &server->core, error);
	if (r < 0) {
		if (r == -EUCLEAN)
			kh_hint(error,
				_("restore a backup, or: khiend --new-ledger (keeps the damaged one under another name), and push the letters again"));
		return r;
	}
	r = sd_event_add_io(server->event, &server->links, kh_core_links_fd(server->core), EPOLLIN, on_links, server);
	if (r >= 0)
		r = sd_event_add_io(server->event, &server->events, kh_core_events_fd(server->core), EPOLLIN, on_events,
				    server);
	if (r >= 0)
		r = sd_event_add_io(server->event, &server->fetched, kh_core_fetched_fd(server->core), EPOLLIN,
				    on_fetched, server);
	if (r < 0) {
		core_stop(server);
		return kh_fail(error, r, _("cannot watch interfaces and events: %s"), strerror(-r));
	}
	return 0;
}

static json_t *on_request(void *context, const struct kh_peer *peer, json_t *request, const int *fds, size_t fds_count)
{
	return kh_core_request(((struct server *)context)->core, peer, request, fds, fds_count);
}

/* What an answer need not wait for comes after it: a long one goes out in pieces, and between them its reader must not wait for us. */
static void on_answered(void *context)
{
	sd_event_source_set_enabled(((struct server *)context)->settle, SD_EVENT_ONESHOT);
}

static int on_settle(sd_event_source *source KH_UNUSED, void *data)
{
	kh_core_settle(((struct server *)data)->core);
	return 0;
}

/* ---- Reload ------------------------------------------------------------------------------------- */

static void notify_ready(const struct server *server)
{
	if (server->config_problem[0])
		sd_notifyf(0, "READY=1\nSTATUS=Serving by the last accepted configuration: %s", server->config_problem);
	else
		sd_notifyf(0, "READY=1\nSTATUS=Serving by %s", server->options->config);
}

/* The new core could not begin: the old configuration again. When even that fails there is nothing left to serve. */
static void fall_back(struct server *server)
{
	server->failed = core_start(server, server->config, &server->error);
	if (server->failed < 0)
		sd_event_exit(server->event, 0);
}

static void reload(struct server *server)
{
	struct kh_config *config KH_CLEANUP(kh_freep) = calloc(1, sizeof(*config)), *old;
	char old_problem[sizeof(server->config_problem)];
	struct kh_error error = { 0 };
	int r = config ? kh_config_load(server->options->config, config, &error)
		       : kh_fail(&error, -ENOMEM, "%s", strerror(ENOMEM));

	if (r < 0) {
		kh_log_error(LOG_ERR, "reload-refused", &error);
		return;
	}
	memcpy(old_problem, server->config_problem, sizeof(old_problem));
	server->config_problem[0] = '\0';
	core_stop(server);
	r = core_start(server, config, &error);
	if (r < 0) {
		kh_log_error(LOG_ERR, "reload-refused", &error);
		memcpy(server->config_problem, old_problem, sizeof(old_problem));
		fall_back(server);
		return;
	}
	old = server->config;
	server->config = KH_TAKE(config);
	free(old);
	keep_accepted(server);
	kh_log(LOG_INFO, "event=reloaded config=%s", server->options->config);
}

static int on_signal(sd_event_source *source KH_UNUSED, const struct signalfd_siginfo *info, void *data)
{
	struct server *server = data;
	struct timespec now;

	if (info->ssi_signo == SIGCHLD) { /* khien-refresh has said already how it went */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		return 0;
	}
	if (info->ssi_signo != SIGHUP) {
		kh_log(LOG_INFO, "event=stopping signal=%u", info->ssi_signo);
		return sd_event_exit(server->event, 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	reload(server);
	notify_ready(server);
	return 0;
}

/* ---- Time --------------------------------------------------------------------------------------- */

static int on_tick(sd_event_source *source, uint64_t usec KH_UNUSED, void *data)
{
	struct server *server = data;

	/* Nor need it wait for this; but nobody who reads slowly puts it off twice. */
	server->tick_put_off = !server->tick_put_off && kh_control_is_answering(server->control);
	if (!server->tick_put_off)
		kh_core_tick(server->core);
	kh_control_again(server->control); /* a refresh that was ended, or removed with its source */
	return sd_event_source_set_time_relative(source, TICK_USEC);
}

/* A timer that never ends, but that the kernel cancels when the wall clock is set or the machine resumes. */
static int clock_arm(const struct server *server)
{
	const struct itimerspec never = { .it_value.tv_sec = (time_t)INT32_MAX * 2 };

	return timerfd_settime(server->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0 ? -errno
														: 0;
}

static int on_clock(sd_event_source *source KH_UNUSED, int fd, uint32_t events KH_UNUSED, void *data)
{
	struct server *server = data;
	uint64_t times;

	if (read(fd, &times, sizeof(times)) < 0 && errno != ECANCELED)
		return errno == EAGAIN ? 0 : -errno;
	clock_arm(server);
	kh_log(LOG_NOTICE, "event=clock-changed");
	kh_core_clock_changed(server->core);
	return 0;
}

/* ---- Life --------------------------------------------------------------------------------------- */

static int loop_prepare(struct server *server)
{
	static const int heeded[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t signals;
	int r = sd_event_new(&server->event);

	sigemptyset(&signals);
	for (size_t i = 0; i < KH_ARRAY_SIZE(heeded); i++)
		sigaddset(&signals, heeded[i]);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	for (size_t i = 0; i < KH_ARRAY_SIZE(heeded) && r >= 0; i++)
		r = sd_event_add_signal(server->event, NULL, heeded[i], on_signal, server);
	if (r >= 0)
		r = sd_event_set_watchdog(server->event, true); /* at half of WATCHDOG_USEC or soon after */
	if (r >= 0)
		r = sd_event_add_time_relative(server->event, &server->tick, CLOCK_MONOTONIC, TICK_USEC, 0, on_tick,
					       server);
	if (r >= 0)
		r = sd_event_source_set_enabled(server->tick, SD_EVENT_ON);
	if (r >= 0)
		r = sd_event_add_defer(server->event, &server->settle, on_settle, server);
	if (r >= 0)
		r = sd_event_source_set_priority(server->settle, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_source_set_enabled(server->settle, SD_EVENT_OFF);
	if (r < 0)
		return r;
	server->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (server->clock_fd < 0)
		return -errno;
	r = clock_arm(server);
	return r < 0 ? r : sd_event_add_io(server->event, &server->clock, server->clock_fd, EPOLLIN, on_clock, server);
}

static int serve(struct server *server, struct kh_error *error)
{
	char path[PATH_MAX];
	int r = loop_prepare(server);

	if (r < 0)
		return kh_fail(error, r, _("cannot set up the event loop: %s"), strerror(-r));
	server->config = calloc(1, sizeof(*server->config));
	if (!server->config)
		return kh_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	r = load_config(server, server->config, error);
	if (!r)
		r = core_start(server, server->config, error);
	if (r < 0)
		return r;
	keep_accepted(server);
	snprintf(path, sizeof(path), "%s/control.sock", server->options->run);
	r = kh_control_open(server->event, path, on_request, server, &server->control, error);
	if (r < 0)
		return r;
	kh_control_on_answered(server->control, on_answered);
	kh_log(LOG_INFO, "event=started version=" KH_VERSION " config=%s socket=%s", server->options->config, path);
	notify_ready(server);
	r = sd_event_loop(server->event);
	if (server->failed < 0) {
		*error = server->error;
		return server->failed;
	}
	if (r < 0)
		return kh_fail(error, r, _("the event loop failed: %s"), strerror(-r));
	return 0;
}

int kh_serve(const struct kh_options *options, struct kh_error *error)
{
	struct server server = { .options = options, .clock_fd = -1 };
	int r = serve(&server, error);

	sd_notify(0, "STOPPING=1");
	kh_control_close(server.control);
	core_stop(&server);
	sd_event_source_disable_unref(server.tick);
	sd_event_source_disable_unref(server.settle);
	sd_event_source_disable_unref(server.clock);
	kh_closep(&server.clock_fd);
	sd_event_unref(server.event);
	free(server.config);
	return r;
}
