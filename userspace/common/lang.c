// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chooses the catalogue. glibc looks at LANGUAGE only when the locale is not "C", so the locale is C.UTF-8 (built into glibc
 * since 2.35) and LANGUAGE says the rest; its cache is told of a change by the counter that glibc provides for it.
 */
#include "common/lang.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#ifndef KH_PREFIX
#define KH_PREFIX "/usr/local"
#endif

extern int _nl_msg_cat_cntr; /* glibc manual, "Being a gettext grok" */

static const char *current = "en";

const char *kh_lang_folder(void)
{
	const char *folder = getenv("KHIEN_LOCALEDIR");

	return folder ? folder : KH_PREFIX "/share/locale";
}

void kh_lang_init(void)
{
	setlocale(LC_ALL, "C.UTF-8");
	bindtextdomain("khien", kh_lang_folder());
	bind_textdomain_codeset("khien", "UTF-8");
	textdomain("khien");
}

void kh_lang_set(const char *language)
{
	current = language && !strcmp(language, "vi") ? "vi" : "en";
	setenv("LANGUAGE", current, 1);
	_nl_msg_cat_cntr++;
}

const char *kh_lang_get(void)
{
	return current;
}

const char *kh_lang_from_environment(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (!value || !value[0])
			continue;
		if (!strcmp(value, "C") || !strcmp(value, "POSIX")) {
			if (!i) /* LC_ALL=C is how a script asks for English */
				break;
			continue;
		}
		if (!strncmp(value, "C.", 2)) /* says UTF-8, not English: Debian without locales has nothing else */
			continue;
		return !strncmp(value, "vi", 2) &&
				       (value[2] == '\0' || value[2] == '_' || value[2] == '.' || value[2] == ':')
			       ? "vi"
			       : "en";
	}
	return "en";
}
