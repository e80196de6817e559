/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything a person sees goes out here: language, accents, colour, tables aligned for wide characters, numbers, times.
 */
#ifndef KHIEN_CLI_RENDER_H
#define KHIEN_CLI_RENDER_H

#include <jansson.h>

#include "cli/cli.h"

/* Language, socket and terminal, from the environment and from options that stand before the command. */
void kh_cli_begin(struct kh_cli *cli, int argc, char **argv);
/* Sets the language that messages are in: "vi" or "en". */
void kh_cli_language(const char *language);

int kh_say(const char *format, ...) __attribute__((format(printf, 1, 2))); /* to standard output */
void kh_complain(const char *format, ...) __attribute__((format(printf, 1, 2))); /* a line to standard error */

enum kh_tone {
	KH_TONE_PLAIN,
	KH_TONE_GOOD,
	KH_TONE_WARN,
	KH_TONE_BAD,
	KH_TONE_DIM,
};
/* The text in its tone when colour is on. A ring of buffers: good for one kh_say(). */
const char *kh_tone(enum kh_tone tone, const char *text);

/* A table: titles once, rows of as many cells; printed and freed by kh_table_end. */
struct kh_table;
struct kh_table *kh_table_begin(const char *const *titles, size_t count);
void kh_table_row(struct kh_table *table, const char *const *cells);
void kh_table_right(struct kh_table *table, size_t column); /* numbers */
void kh_table_end(struct kh_table *table);

/* Members of a reply; never NULL. Text is safe for a terminal. */
const char *kh_text_of(json_t *object, const char *name);
long long kh_number_of(json_t *object, const char *name);

/* "22:47:10 20/01/2023" out of an RFC 3339 time; "" for null. A ring of buffers. */
const char *kh_when(json_t *object, const char *name);
/* "212", "1.2 M": packets; "1,4 kB": bytes. A ring of buffers. */
const char *kh_count(long long count);
const char *kh_bytes(long long bytes);

void kh_print_json(json_t *reply); /* without the protocol's own members */

#endif
