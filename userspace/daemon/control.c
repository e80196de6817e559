// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket: listening and accepting. When all places are taken (KH_PROTO_MAX_CLIENTS), whoever has the least right to one makes room, so
 * that nobody who may connect can keep others out by being silent, slow or many. When nobody has to, or no descriptor is left, accepting pauses and
 * callers wait in the kernel's queue; it goes on when a client leaves, and is tried again every second.
 */
#include "daemon/control.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/file.h"
#include "common/lang.h"
#include "daemon/client.h"
#include "daemon/log.h"

#define RETRY_USEC 1000000u
#define BACKLOG 64
#define CUT_OFF_LOG_USEC 60000000u

static void accept_pause(struct kh_control_server *server)
{
	sd_event_source_set_enabled(server->accept_source, SD_EVENT_OFF);
	sd_event_source_set_time_relative(server->retry_source, RETRY_USEC);
	sd_event_source_set_enabled(server->retry_source, SD_EVENT_ONESHOT);
}

void kh_control_resume(struct kh_control_server *server)
{
	if (!server->accept_source)
		return; /* closing */
	sd_event_source_set_enabled(server->accept_source, SD_EVENT_ON);
	sd_event_source_set_enabled(server->retry_source, SD_EVENT_OFF);
}

static int on_retry(sd_event_source *source KH_UNUSED, uint64_t usec KH_UNUSED, void *data)
{
	kh_control_resume(data);
	return 0;
}

/* ---- Places -------------------------------------------------------------------------------------- */

/* Root can stop the daemon anyway, and is never too many. */
static bool is_too_many(const struct kh_client_standing *clients, size_t count, uid_t uid)
{
	unsigned int same = 0;

	for (size_t i = 0; i < count; i++)
		same += clients[i].uid == uid;
	return uid && same > KH_PROTO_MAX_CLIENTS_EACH;
}

/* The less right to its place, the more; 0: it keeps it. */
static int unworthy(const struct kh_client_standing *client, bool too_many)
{
	if (too_many)
		return client->owes ? 3 : 2;
	return client->overdue;
}

static void note_cut_off(struct kh_control_server *server, uid_t uid)
{
	uint64_t now;

	server->cut_off++;
	if (sd_event_now(server->event, CLOCK_MONOTONIC, &now) < 0 ||
	    (server->cut_off_logged_usec && now - server->cut_off_logged_usec < CUT_OFF_LOG_USEC))
		return;
	kh_log(LOG_WARNING, "event=clients-cut-off count=%u uid=%u", server->cut_off, uid);
	server->cut_off_logged_usec = now;
	server->cut_off = 0;
}

/* Of those with the least right, the one that has been there longest goes. */
static bool make_room(struct kh_control_server *server)
{
	struct kh_client_standing all[KH_PROTO_MAX_CLIENTS];
	struct kh_client *client = TAILQ_FIRST(&server->clients), *victim = NULL;
	size_t count = 0, chosen = 0;
	int most = 0;

	for (; client && count < KH_PROTO_MAX_CLIENTS; client = kh_client_next(client))
		kh_client_stand(client, &all[count++]);
	client = TAILQ_FIRST(&server->clients);
	for (size_t i = 0; i < count; i++, client = kh_client_next(client)) {
		int how = unworthy(&all[i], is_too_many(all, count, all[i].uid));

		if (how < most || !how || (how == most && all[i].since_usec >= all[chosen].since_usec))
			continue;
		most = how;
		victim = client;
		chosen = i;
	}
	if (!victim)
		return false;
	note_cut_off(server, all[chosen].uid);
	kh_client_free(victim);
	return true;
}

/* ---- Listening ----------------------------------------------------------------------------------- */

static int on_accept(sd_event_source *source KH_UNUSED, int listen_fd, uint32_t events KH_UNUSED, void *data)
{
	struct kh_control_server *server = data;
	int fd, r;

	if (server->clients_count >= KH_PROTO_MAX_CLIENTS && !make_room(server)) {
		accept_pause(server);
		return 0;
	}
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return 0;
		/* EMFILE, ENFILE, ENOMEM: the caller stays in the queue; polling on would spin */
		kh_log(LOG_WARNING, "event=accept-failed error=\"%s\"", strerror(errno));
		accept_pause(server);
		return 0;
	}
	r = kh_client_new_take(server, fd);
	if (r < 0)
		kh_log(LOG_WARNING, "event=accept-failed error=\"%s\"", strerror(-r));
	return 0;
}

/* 1: someone listens there, 0: nobody does (stale, or nothing there), or -errno. */
static int is_live(const struct sockaddr_un *address)
{
	int fd KH_CLEANUP(kh_closep) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
	    errno == EAGAIN) /* EAGAIN: its queue is full */
		return 1;
	return errno == ECONNREFUSED || errno == ENOENT ? 0 : -errno;
}

/* Leaves the path free, or fails with the reason. */
static int clear_stale(const struct sockaddr_un *address, struct kh_error *error)
{
	const char *path = address->sun_path;
	struct stat status;
	int live;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : kh_fail(error, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(status.st_mode)) {
		kh_fail(error, -EEXIST, _("%s exists and is not a socket"), path);
		kh_hint(error, _("move it away, or name another folder with --run"));
		return -EEXIST;
	}
	live = is_live(address);
	if (live < 0)
		return kh_fail(error, live, "%s: %s", path, strerror(-live));
	if (live) {
		kh_fail(error, -EADDRINUSE, _("another khiend listens on %s"), path);
		kh_hint(error,
			_("stop it first (systemctl stop khiend), or give this one its own --run, --state and --bpffs"));
		return -EADDRINUSE;
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return kh_fail(error, -errno, _("cannot remove the stale socket %s: %s"), path, strerror(errno));
	return 0;
}

static int make_folder(const char *path, struct kh_error *error)
{
	char copy[PATH_MAX];
	int r;

	snprintf(copy, sizeof(copy), "%s", path);
	r = kh_make_folders(dirname(copy), 0755);
	return r < 0 ? kh_fail(error, r, _("cannot make the folder of %s: %s"), path, strerror(-r)) : 0;
}

/* To those who may look, where there is such a group: the package makes it, and the unit starts the daemon in it. */
static void give_to_group(const char *path)
{
	struct kh_groups groups;
	struct stat status;

	kh_groups_find(&groups);
	if (groups.look == (gid_t)-1 || (!lstat(path, &status) && status.st_gid == groups.look))
		return;
	if (lchown(path, (uid_t)-1, groups.look) < 0)
		kh_log(LOG_WARNING, "event=socket-group path=%s group=" KH_GROUP_LOOK " error=\"%s\"", path,
		       strerror(errno));
}

/* Binds with the right mode from the first moment. */
static int bind_and_listen(int fd, const struct sockaddr_un *address, struct kh_error *error)
{
	mode_t mask = umask(0117);
	int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;

	umask(mask);
	if (r < 0)
		return kh_fail(error, r, _("cannot listen on %s: %s"), address->sun_path, strerror(-r));
	give_to_group(address->sun_path);
	if (listen(fd, BACKLOG) < 0) {
		r = kh_fail(error, -errno, _("cannot listen on %s: %s"), address->sun_path, strerror(errno));
		unlink(address->sun_path);
	}
	return r;
}

static int open_socket(const char *path, struct kh_error *error)
{
	int fd KH_CLEANUP(kh_closep) = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	if (strlen(path) >= sizeof(address.sun_path)) {
		kh_fail(error, -ENAMETOOLONG, _("the socket path %s is longer than %zu bytes"), path,
			sizeof(address.sun_path) - 1);
		kh_hint(error, _("name a shorter folder with --run"));
		return -ENAMETOOLONG;
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	r = make_folder(path, error);
	if (!r)
		r = clear_stale(&address, error);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return kh_fail(error, -errno, _("cannot listen on %s: %s"), path, strerror(errno));
	r = bind_and_listen(fd, &address, error);
	return r < 0 ? r : KH_TAKE_FD(fd);
}

static void server_freep(struct kh_control_server **server)
{
	kh_control_close(*server);
}

int kh_control_open(sd_event *event, const char *path, kh_control_handler handler, void *context,
		    struct kh_control_server **ret_server, struct kh_error *error)
{
	struct kh_control_server *server KH_CLEANUP(server_freep) = calloc(1, sizeof(*server));
	struct stat status;
	int r;

	if (!server)
		return kh_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	server->fd = -1;
	server->event = sd_event_ref(event);
	server->handler = handler;
	server->context = context;
	server->idle_usec = KH_PROTO_IDLE_SECONDS * 1000000ull;
	TAILQ_INIT(&server->clients);

	r = open_socket(path, error);
	if (r < 0)
		return r;
	server->fd = r;
	server->path = strdup(path);
	if (!server->path) {
		unlink(path);
		return kh_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	}
	if (!lstat(path, &status)) {
		server->device = status.st_dev;
		server->inode = status.st_ino;
	}
	r = sd_event_add_time_relative(event, &server->retry_source, CLOCK_MONOTONIC, RETRY_USEC, 0, on_retry, server);
	if (r >= 0)
		r = sd_event_source_set_enabled(server->retry_source, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_io(event, &server->accept_source, server->fd, EPOLLIN, on_accept, server);
	if (r < 0)
		return kh_fail(error, r, _("cannot listen on %s: %s"), path, strerror(-r));
	*ret_server = KH_TAKE(server);
	return 0;
}

void kh_control_again(struct kh_control_server *server)
{
	struct kh_client *client = TAILQ_FIRST(&server->clients);

	/* An answered one moves to the end of the list, and is met there once more: then it is not held. */
	while (client) {
		struct kh_client *next = kh_client_next(client);

		kh_client_again(client);
		client = next;
	}
}

void kh_control_on_answered(struct kh_control_server *server, void (*answered)(void *context))
{
	server->answered = answered;
}

bool kh_control_is_answering(const struct kh_control_server *server)
{
	return server->answering > 0;
}

void kh_control_set_idle(struct kh_control_server *server, uint64_t usec)
{
	server->idle_usec = usec;
}

void kh_control_close(struct kh_control_server *server)
{
	struct stat status;

	if (!server)
		return;
	server->accept_source = sd_event_source_disable_unref(server->accept_source);
	while (!TAILQ_EMPTY(&server->clients))
		kh_client_free(TAILQ_FIRST(&server->clients));
	sd_event_source_disable_unref(server->retry_source);
	/* someone else may have put another socket there since */
	if (server->path && !lstat(server->path, &status) && status.st_dev == server->device &&
	    status.st_ino == server->inode)
		unlink(server->path);
	kh_closep(&server->fd);
	free(server->path);
	sd_event_unref(server->event);
	free(server);
}
