// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files with a user and a password, or a token.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "daemon/source.h"

#define CREDENTIALS_MAX 4096

struct secrets {
	char **user, **password, **bearer; /* bearer NULL: there can be none */
};

/* "key = value" -> where it goes, or NULL. */
static char **member_of(const struct secrets *secrets, const char *key)
{
	if (!strcmp(key, "user"))
		return secrets->user;
	if (!strcmp(key, "password"))
		return secrets->password;
	return strcmp(key, "token") != 0 ? NULL : secrets->bearer;
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

static int take_line(const struct secrets *secrets, char *line)
{
	char *equals = strchr(line, '='), **member;

	line = trim(line);
	if (!line[0] || line[0] == '#')
		return 0;
	if (!equals)
		return -EINVAL;
	*equals = '\0';
	member = member_of(secrets, trim(line));
	if (!member || *member)
		return -EINVAL;
	*member = strdup(trim(equals + 1));
	return *member ? 0 : -ENOMEM;
}

/* A user, or a token, and a password only with a user. */
static bool is_whole(const struct secrets *secrets)
{
	bool token = secrets->bearer && *secrets->bearer;

	return token ? !*secrets->user && !*secrets->password : *secrets->user != NULL;
}

/* Its lines are never shown, not even a wrong one. */
static int take_lines(const struct secrets *secrets, char *text, const char *path, struct kh_error *error)
{
	int code = 0, number = 0;
	char *rest = text, *line;

	while (!code && (line = strsep(&rest, "\n"))) {
		number++;
		code = take_line(secrets, line);
	}
	if (code == -EINVAL || (!code && !is_whole(secrets))) {
		kh_fail(error, -EINVAL, _("%s: line %d is not what such a file holds"), path, number);
		kh_hint(error, "%s",
			secrets->bearer ? _("write two lines, user = NAME and password = TEXT, or one, token = TEXT")
					: _("write two lines, user = NAME and password = TEXT"));
		return -EINVAL;
	}
	return code ? kh_fail(error, code, _("out of memory")) : 0;
}

int kh_secrets_read(const char *path, char **user, char **password, char **bearer, struct kh_error *error)
{
	const struct secrets secrets = { user, password, bearer };
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
		code = take_lines(&secrets, text, path, error);
	explicit_bzero(text, length);
	free(text);
	return code;
}
