// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien-refresh from the daemon's side: what it is told, the memory it writes to, and its end. Secrets are read here, from files that
 * root alone can read, and handed over in memory: they are in no argument, no environment, no log and no ledger.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "daemon/log.h"
#include "daemon/source.h"

#define PROGRAM "khien-refresh"
#define CREDENTIALS_MAX 4096
#define AUTHORITY_MAX ((size_t)512 << 10)
#define ANSWER_MAX 16384
#define FIRST_FD 16 /* above those that the program gets */

/* ---- Secrets ------------------------------------------------------------------------------------------ */

/* "key = value" -> the member of that name, or NULL. */
static char **member_of(struct kh_fetch_request *request, const char *key)
{
	if (!strcmp(key, "user"))
		return &request->user;
	if (!strcmp(key, "password"))
		return &request->password;
	return strcmp(key, "token") != 0 ? NULL : &request->bearer;
}

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && strchr(" \t\r", text[length - 1]))
		text[--length] = '\0';
	return text;
}

static int take_line(struct kh_fetch_request *request, char *line)
{
	char *equals = strchr(line, '='), **member;

	line = trim(line);
	if (!line[0] || line[0] == '#')
		return 0;
	if (!equals)
		return -EINVAL;
	*equals = '\0';
	member = member_of(request, trim(line));
	if (!member || *member)
		return -EINVAL;
	*member = strdup(trim(equals + 1));
	return *member ? 0 : -ENOMEM;
}

/* Its lines are never shown, not even a wrong one. */
static int take_credentials(struct kh_fetch_request *request, char *text, const char *path, struct kh_error *error)
{
	int code = 0, number = 0;
	char *rest = text, *line;

	while (!code && (line = strsep(&rest, "\n"))) {
		number++;
		code = take_line(request, line);
	}
	if (code == -EINVAL ||
	    (!code && (!request->user == !request->bearer || (request->bearer && request->password)))) {
		kh_fail(error, -EINVAL, _("%s: line %d is not what such a file holds"), path, number);
		kh_hint(error, _("write two lines, user = NAME and password = TEXT, or one, token = TEXT"));
		return -EINVAL;
	}
	return code ? kh_fail(error, code, _("out of memory")) : 0;
}

static int read_credentials(struct kh_fetch_request *request, const char *path, struct kh_error *error)
{
	int fd KH_CLEANUP(kh_closep) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char *text = NULL;
	struct stat status;
	size_t length = 0;
	int code;

	if (fd < 0 || fstat(fd, &status) < 0)
		return kh_fail(error, -errno, _("%s: cannot be read: %s"), path, strerror(errno));
	if (!S_ISREG(status.st_mode) || (status.st_mode & 077) || status.st_uid != geteuid()) {
		kh_fail(error, -EPERM, _("%s: others than root may read it, or it is no plain file"), path);
		kh_hint(error, "chown root: %s && chmod 0600 %s", path, path);
		return -EPERM;
	}
	code = kh_file_read_fd(fd, CREDENTIALS_MAX, &text, &length);
	if (code < 0)
		return kh_fail(error, code, _("%s: cannot be read: %s"), path, strerror(-code));
	if (strlen(text) != length)
		code = kh_fail(error, -EINVAL, _("%s: cannot be read: %s"), path, strerror(EINVAL));
	else
		code = take_credentials(request, text, path, error);
	explicit_bzero(text, length);
	free(text);
	return code;
}

/* ---- What it is told ------------------------------------------------------------------------------------ */

static int copy_texts(struct kh_fetch_request *request, const struct kh_source *source)
{
	const char *const texts[] = { source->name, source->url, source->etag, source->last_modified };
	char **const places[] = { &request->name, &request->url, &request->etag, &request->last_modified };

	for (size_t i = 0; i < KH_ARRAY_SIZE(texts); i++) {
		if (!texts[i][0])
			continue;
		*places[i] = strdup(texts[i]);
		if (!*places[i])
			return -ENOMEM;
	}
	return 0;
}

static int fill_request(struct kh_fetch_request *request, const struct kh_source *source, struct kh_error *error)
{
	int code = copy_texts(request, source);
	size_t length;

	if (code < 0)
		return kh_fail(error, code, _("out of memory"));
	request->bytes_max = source->bytes_max;
	request->entries_max = source->entries_max;
	if (source->credentials[0])
		code = read_credentials(request, source->credentials, error);
	if (code < 0 || !source->authority[0])
		return code;
	code = kh_file_read(source->authority, AUTHORITY_MAX, &request->authority, &length);
	return code < 0 ? kh_fail(error, code, _("%s: cannot be read: %s"), source->authority, strerror(-code)) : 0;
}

static int memory(int *ret_fd)
{
	int fd KH_CLEANUP(kh_closep) = memfd_create("khien-source", MFD_CLOEXEC);

	*ret_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	return *ret_fd < 0 ? -errno : 0;
}

static int write_request(const struct kh_source *source, int *ret_fd, struct kh_error *error)
{
	struct kh_fetch_request request KH_CLEANUP(kh_fetch_request_clear) = {};
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	int code = fill_request(&request, source, error);

	if (code < 0)
		return code;
	code = kh_fetch_request_write(&request, &bytes);
	if (!code)
		code = memory(ret_fd);
	if (!code)
		code = kh_file_write_fd(*ret_fd, bytes.data, bytes.length);
	if (!code && lseek(*ret_fd, 0, SEEK_SET) < 0)
		code = -errno;
	if (bytes.data)
		explicit_bzero(bytes.data, bytes.length);
	return code < 0 ? kh_fail(error, code, "%s: %s", source->name, strerror(-code)) : 0;
}

/* ---- The program ------------------------------------------------------------------------------------------ */

/* 0 or an errno. */
static int spawn(struct kh_fetching *fetching, int request, const char *program)
{
	char *const words[] = { (char[]){ PROGRAM }, (char *)(uintptr_t)kh_lang_get(),
				(char *)(uintptr_t)kh_lang_folder(), NULL };
	char *const environment[] = { (char[]){ "LC_ALL=C.UTF-8" }, NULL };
	const int given[] = { request, fetching->answer, -1, fetching->content, fetching->documents };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int code;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	code = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY | O_CLOEXEC, 0);
	for (int i = 0; i < (int)KH_ARRAY_SIZE(given) && !code; i++)
		code = given[i] < 0 ? 0 : posix_spawn_file_actions_adddup2(&actions, given[i], i);
	if (!code)
		code = posix_spawn(&fetching->pid, program, &actions, &attributes, words, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return code;
}

int kh_fetching_start(struct kh_fetching *fetching, const struct kh_source *source, bool accept, struct kh_error *error)
{
	int request KH_CLEANUP(kh_closep) = -1;
	char program[PATH_MAX];
	int code;

	*fetching = (struct kh_fetching){ .answer = -1, .content = -1, .documents = -1, .accept = accept };
	snprintf(fetching->source, sizeof(fetching->source), "%s", source->name);
	code = write_request(source, &request, error);
	if (code < 0)
		return code;
	kh_program_find(PROGRAM, program);
	code = memory(&fetching->answer);
	if (!code)
		code = memory(&fetching->content);
	if (!code)
		code = memory(&fetching->documents);
	if (!code)
		code = -spawn(fetching, request, program);
	if (code < 0) {
		fetching->pid = 0;
		kh_fetching_end(fetching);
		return kh_fail(error, code, _("%s could not be started: %s"), program, strerror(-code));
	}
	fetching->since = kh_now();
	return 0;
}

/* ---- Its end ---------------------------------------------------------------------------------------------- */

static void say(struct kh_fetch_answer *answer, const char *text)
{
	*answer = (struct kh_fetch_answer){ .result = KH_FETCH_FAILED, .text = strdup(text) };
}

static void read_answer(const struct kh_fetching *fetching, int status, struct kh_fetch_answer *ret_answer)
{
	char *data KH_CLEANUP(kh_freep) = NULL;
	size_t length, rest;
	int code = WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EPROTO;

	if (!code && lseek(fetching->answer, 0, SEEK_SET) < 0)
		code = -errno;
	if (!code)
		code = kh_file_read_fd(fetching->answer, ANSWER_MAX, &data, &length);
	if (!code)
		code = kh_fetch_answer_read(data, length, ret_answer, &rest);
	if (code < 0)
		say(ret_answer, _("the refresh broke off"));
}

int kh_fetching_poll(struct kh_fetching *fetching, struct kh_fetch_answer *ret_answer)
{
	int64_t taken = kh_now() - fetching->since;
	int status = 0;
	pid_t ended = waitpid(fetching->pid, &status, WNOHANG);

	if (ended == 0 && taken >= 0 && taken < KH_SOURCE_PATIENCE)
		return 0;
	if (ended == 0 && !kill(fetching->pid, SIGKILL)) /* it should have given up; or the clock was set */
		waitpid(fetching->pid, NULL, 0);
	fetching->pid = 0;
	if (ended <= 0)
		say(ret_answer, _("the refresh broke off"));
	else
		read_answer(fetching, status, ret_answer);
	return 1;
}

void kh_fetching_end(struct kh_fetching *fetching)
{
	int *const all[] = { &fetching->answer, &fetching->content, &fetching->documents };

	if (fetching->pid > 0 && !kill(fetching->pid, SIGKILL))
		waitpid(fetching->pid, NULL, 0);
	for (size_t i = 0; i < KH_ARRAY_SIZE(all); i++) {
		kh_closep(all[i]);
		*all[i] = -1;
	}
	fetching->pid = 0;
	fetching->source[0] = '\0';
}
