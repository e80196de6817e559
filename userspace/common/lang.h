/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message language. English is in the sources; userspace/po/ holds Vietnamese. The catalogue is chosen
 * by us and not by an installed locale: Debian installs none, and glibc ignores LANGUAGE under "C".
 */
#ifndef KHIEN_COMMON_LANG_H
#define KHIEN_COMMON_LANG_H

#include <libintl.h>
#include <stdbool.h>

#define _(text) gettext(text)
#define N_(text) (text)

/* Where the catalogues lie; KHIEN_LOCALEDIR in the environment wins (uninstalled use, tests). Once, at start. */
void kh_lang_init(void);
/* The folder they lie in. */
const char *kh_lang_folder(void);
/* "vi" or "en"; anything else counts as "en". May be called again at any time. */
void kh_lang_set(const char *language);
/* The language in use: "vi" or "en". */
const char *kh_lang_get(void);
/* What the environment asks for (LC_ALL, LC_MESSAGES, LANG, LANGUAGE by name): "vi" or "en". */
const char *kh_lang_from_environment(void);

#endif
