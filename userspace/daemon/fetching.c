// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien-refresh from the daemon's side: what it is told, the memory it writes to, and its end. It is at the other end of a socket; whether systemd started
 * it there, in a unit that may call out and nothing else, or this daemon did, makes no difference. Secrets (secrets.c) are handed over in memory: they are in no
 * argument, no environment, no log and no ledger.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/socket.h"
#include "common/text.h"
#include "daemon/log.h"
#include "daemon/source.h"

#define PROGRAM "khien-refresh"
#define AUTHORITY_MAX ((size_t)512 << 10)
#define ANSWER_MAX 16384

/* ---- What it is told ------------------------------------------------------------------------------------ */

static int copy_texts(struct kh_fetch_request *request, const struct kh_source *source, bool whole)
{
	const char *const texts[] = { source->name, source->url, source->etag, source->last_modified };
	char **const places[] = { &request->name, &request->url, &request->etag, &request->last_modified };

	for (size_t i = 0; i < (whole ? 2 : KH_ARRAY_SIZE(texts)); i++) {
		if (!texts[i][0])
			continue;
		*places[i] = strdup(texts[i]);
		if (!*places[i])
			return -ENOMEM;
	}
	return 0;
}

/* The source's own proxy, or that of the configuration; "none" is none. */
static int fill_proxy(struct kh_fetch_request *request, const struct kh_config *config, const struct kh_source *source,
		      struct kh_error *error)
{
	bool own = source->proxy[0] != '\0';
	const char *proxy = own ? source->proxy : config->proxy;
	const char *secrets = own ? source->proxy_credentials : config->proxy_credentials;

	if (!proxy[0] || !strcmp(proxy, KH_SOURCE_NO_PROXY))
		return 0;
	request->proxy = strdup(proxy);
	if (!request->proxy)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	return secrets[0] ? kh_secrets_read(secrets, &request->proxy_user, &request->proxy_password, NULL, error) : 0;
}

static int fill_request(struct kh_fetch_request *request, const struct kh_core *core, const struct kh_source *source,
			struct kh_error *error)
{
	/* of the same copy the server would send no bytes, and so nothing that a signature could be of */
	bool whole = kh_source_takes_trust(core, source) && kh_source_is_ageing(source);
	int code = copy_texts(request, source, whole);
	size_t length;

	if (code < 0)
		return kh_fail(error, code, _("out of memory"));
	request->bytes_max = source->bytes_max;
	request->entries_max = source->entries_max;
	request->kind = source->kind;
	request->unmarked = source->unmarked;
	code = fill_proxy(request, core->config, source, error);
	if (!code && source->credentials[0])
		code = kh_secrets_read(source->credentials, &request->user, &request->password, &request->bearer,
				       error);
	if (code < 0 || !source->authority[0])
		return code;
	code = kh_file_read(source->authority, AUTHORITY_MAX, &request->authority, &length);
	return code < 0 ? kh_fail(error, code, _("%s: cannot be read: %s"), source->authority, strerror(-code)) : 0;
}

static int memory(int *ret_fd)
{
	*ret_fd = memfd_create("khien-source", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return *ret_fd < 0 ? -errno : 0;
}

static int write_bytes(const struct kh_fetch_request *request, int *ret_fd)
{
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	int code = kh_fetch_request_write(request, &bytes);

	if (!code)
		code = memory(ret_fd);
	if (!code)
		code = kh_file_write_fd(*ret_fd, bytes.data, bytes.length);
	if (bytes.data)
		explicit_bzero(bytes.data, bytes.length);
	return code;
}

/* The request, and after it the kept copy. */
static int write_request(const struct kh_core *core, const struct kh_source *source, int *ret_fd,
			 struct kh_error *error)
{
	struct kh_fetch_request request KH_CLEANUP(kh_fetch_request_clear) = {};
	int code = fill_request(&request, core, source, error);

	if (code < 0)
		return code;
	code = write_bytes(&request, ret_fd);
	if (!code)
		code = kh_kept_append(core, source, *ret_fd);
	if (!code && lseek(*ret_fd, 0, SEEK_SET) < 0)
		code = -errno;
	return code < 0 ? kh_fail(error, code, "%s: %s", source->name, strerror(-code)) : 0;
}

/* ---- The program ------------------------------------------------------------------------------------------ */

/* One of our own, at the other end of *ret_socket. What becomes of it is said there. 0 or -errno. */
static int spawn(int *ret_socket, const char *program)
{
	char *const words[] = { (char[]){ PROGRAM }, NULL };
	char folder[PATH_MAX + 32];
	char *const environment[] = { (char[]){ "LC_ALL=C.UTF-8" }, folder, NULL };
	int ends[2], code;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	snprintf(folder, sizeof(folder), "KHIEN_LOCALEDIR=%s", kh_lang_folder());
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	code = posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
	for (int i = STDOUT_FILENO; i <= STDERR_FILENO && !code; i++)
		code = posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_WRONLY | O_CLOEXEC, 0);
	if (!code)
		code = posix_spawn(&pid, program, &actions, &attributes, words, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	close(ends[1]);
	if (code)
		close(ends[0]);
	else
		*ret_socket = ends[0];
	return -code;
}

static int reach(const struct kh_core *core, struct kh_fetching *fetching, struct kh_error *error)
{
	char program[PATH_MAX];
	int code;

	if (core->refresh[0]) {
		code = fetching->socket = kh_socket_connect(core->refresh);
		if (code >= 0)
			return 0;
		kh_fail(error, code, _("%s does not answer at %s: %s"), PROGRAM, core->refresh, strerror(-code));
		kh_hint(error, _("look at: systemctl status khien-refresh.socket"));
		return code;
	}
	kh_program_find(PROGRAM, program);
	code = spawn(&fetching->socket, program);
	return code < 0 ? kh_fail(error, code, _("%s could not be started: %s"), program, strerror(-code)) : 0;
}

static int tell(const struct kh_core *core, const struct kh_fetching *fetching, int request, enum kh_refresh_task task)
{
	const int fds[KH_REFRESH_FDS] = { [KH_REFRESH_REQUEST] = request,
					  [KH_REFRESH_ANSWER] = fetching->answer,
					  [KH_REFRESH_CONTENT] = fetching->content,
					  [KH_REFRESH_DOCUMENTS] = fetching->documents,
					  [KH_REFRESH_SIGNATURE] = fetching->signature };
	struct kh_refresh_call call = { .task = (uint8_t)task };
	struct epoll_event event = { .events = EPOLLIN };
	int code;

	snprintf(call.language, sizeof(call.language), "%s", kh_lang_get());
	code = kh_socket_send(fetching->socket, &call, sizeof(call), fds, KH_ARRAY_SIZE(fds));
	if (!code && epoll_ctl(core->sources->fetched, EPOLL_CTL_ADD, fetching->socket, &event) < 0)
		code = -errno;
	return code;
}

/* With memory for what it writes, where there is none yet. On failure nothing runs and nothing is held. */
static int launch(const struct kh_core *core, struct kh_fetching *fetching, int request, enum kh_refresh_task task,
		  struct kh_error *error)
{
	int *const all[] = { &fetching->answer, &fetching->content, &fetching->documents, &fetching->signature };
	int code = 0;

	for (size_t i = 0; i < KH_ARRAY_SIZE(all) && !code; i++)
		code = *all[i] < 0 ? memory(all[i]) : 0;
	code = code < 0 ? kh_fail(error, code, "%s: %s", PROGRAM, strerror(-code)) : reach(core, fetching, error);
	if (!code) {
		code = tell(core, fetching, request, task);
		if (code < 0)
			kh_fail(error, code, "%s: %s", PROGRAM, strerror(-code));
	}
	fetching->runs = code >= 0;
	fetching->since = kh_now();
	if (code < 0)
		kh_fetching_end(fetching);
	return code;
}

static const struct kh_fetching nothing = {
	.socket = -1, .answer = -1, .content = -1, .documents = -1, .signature = -1
};

int kh_fetching_start(struct kh_core *core, const struct kh_source *source, const struct kh_asked *asked,
		      struct kh_error *error)
{
	struct kh_fetching *fetching = &core->sources->fetching;
	int request KH_CLEANUP(kh_closep) = -1, code;

	*fetching = nothing;
	fetching->accept = asked->accept;
	fetching->confirmed = asked->confirmed;
	snprintf(fetching->source, sizeof(fetching->source), "%s", source->name);
	code = write_request(core, source, &request, error);
	if (code < 0)
		return code;
	return launch(core, fetching, request,
		      kh_source_takes_trust(core, source) ? KH_REFRESH_SIGNED : KH_REFRESH_FETCH, error);
}

int kh_fetching_read(struct kh_core *core, struct kh_fetching *fetching, const char *name, const void *data,
		     size_t length, struct kh_error *error)
{
	struct kh_fetch_request request KH_CLEANUP(kh_fetch_request_clear) = {
		.name = strdup(name), .url = strdup(""), .bytes_max = (int64_t)length + 1, .entries_max = INT64_MAX
	};
	int fd KH_CLEANUP(kh_closep) = -1, code = request.name && request.url ? 0 : -ENOMEM;

	*fetching = nothing;
	if (!code)
		code = write_bytes(&request, &fd);
	if (!code)
		code = memory(&fetching->content);
	if (!code)
		code = kh_file_write_fd(fetching->content, data, length);
	/* the program that reads is nobody's, and what is signed shall stay so */
	if (!code &&
	    fcntl(fetching->content, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		code = -errno;
	if (!code && lseek(fd, 0, SEEK_SET) < 0)
		code = -errno;
	if (!code)
		return launch(core, fetching, fd, KH_REFRESH_READ, error);
	kh_fetching_end(fetching);
	return kh_fail(error, code, "%s: %s", name, strerror(-code));
}

/* ---- Its end ---------------------------------------------------------------------------------------------- */

static void say(struct kh_fetch_answer *answer, const char *text)
{
	*answer = (struct kh_fetch_answer){ .result = KH_FETCH_FAILED, .text = strdup(text) };
}

static void read_answer(const struct kh_fetching *fetching, struct kh_fetch_answer *ret_answer)
{
	char *data KH_CLEANUP(kh_freep) = NULL;
	size_t length, rest;
	int code = kh_file_read_fd(fetching->answer, ANSWER_MAX, &data, &length);

	if (!code)
		code = kh_fetch_answer_read(data, length, ret_answer, &rest);
	if (code < 0)
		say(ret_answer, _("the refresh broke off"));
}

int kh_fetching_poll(struct kh_fetching *fetching, struct kh_fetch_answer *ret_answer)
{
	int64_t taken = kh_now() - fetching->since;
	char done;
	ssize_t got = recv(fetching->socket, &done, sizeof(done), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR) && taken >= 0 && taken < KH_SOURCE_PATIENCE)
		return 0;
	if (got == sizeof(done))
		read_answer(fetching, ret_answer);
	else /* it ended before; or it should have given up, or the clock was set */
		say(ret_answer, _("the refresh broke off"));
	fetching->runs = false;
	kh_closep(&fetching->socket);
	fetching->socket = -1;
	return 1;
}

void kh_fetching_end(struct kh_fetching *fetching)
{
	int *const all[] = { &fetching->socket, &fetching->answer, &fetching->content, &fetching->documents,
			     &fetching->signature };

	for (size_t i = 0; i < KH_ARRAY_SIZE(all); i++) {
		kh_closep(all[i]);
		*all[i] = -1;
	}
	fetching->runs = false;
	fetching->source[0] = '\0';
}
