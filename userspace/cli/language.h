/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which language to speak: --lang, then the gateway's configuration, then the locale's name.
 */
#ifndef KHIEN_CLI_LANGUAGE_H
#define KHIEN_CLI_LANGUAGE_H

/* What --lang says wherever it stands, as written; else "vi" or "en". */
const char *kh_language_find(int argc, char **argv);

/* `language` of [gateway] in the configuration at `path`: "vi" or "en"; NULL: not said, or the file cannot be read. */
const char *kh_language_of_configuration(const char *path);

#endif
