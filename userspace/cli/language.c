// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration is looked at for this one key, leniently: to complain about it is the daemon's part. It counts only when
 * the daemon asked is the one of this machine, not another's socket.
 */
#include "cli/language.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "khien/proto.h"

#ifndef KH_SYSCONFDIR
#define KH_SYSCONFDIR "/etc"
#endif
#define CONFIGURATION_MAX ((size_t)1 << 20)
#define BLANKS " \t\r"

static const char *value_of(const char *line)
{
	line += strspn(line, BLANKS);
	if (strncmp(line, "language", 8) != 0)
		return NULL;
	line += 8 + strspn(line + 8, BLANKS);
	if (*line != '=')
		return NULL;
	line++;
	line += strspn(line, BLANKS);
	if (strcspn(line, BLANKS "#;") != 2)
		return NULL;
	return !strncmp(line, "vi", 2) ? "vi" : !strncmp(line, "en", 2) ? "en" : NULL;
}

const char *kh_language_of_configuration(const char *path)
{
	char *data KH_CLEANUP(kh_freep) = NULL, *rest = NULL;
	const char *found = NULL;
	bool gateway = false;
	size_t length;

	if (kh_file_read(path, CONFIGURATION_MAX, &data, &length) < 0)
		return NULL;
	for (char *line = strtok_r(data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		line += strspn(line, BLANKS);
		if (*line == '[')
			gateway = !strncmp(line, "[gateway]", 9);
		else if (gateway && !found)
			found = value_of(line);
	}
	return found;
}

const char *kh_language_find(int argc, char **argv)
{
	const char *found = NULL, *socket = getenv(KH_SOCKET_ENV);
	bool elsewhere = socket && socket[0];

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (!strncmp(argv[i], "--lang=", 7))
			found = argv[i] + 7;
		else if (!strcmp(argv[i], "--lang") && i + 1 < argc)
			found = argv[++i];
		else if (!strncmp(argv[i], "--socket", 8))
			elsewhere = true;
	}
	if (!found && !elsewhere)
		found = kh_language_of_configuration(KH_SYSCONFDIR "/khien/khien.conf");
	return found ? found : kh_lang_from_environment();
}
