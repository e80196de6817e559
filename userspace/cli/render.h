/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything a person sees goes out here: language, accents, colour, tables aligned for wide characters, numbers, times.
 * text.c and table.c are the form for people, json.c the form for programs.
 * Texts returned come from a ring of RING_SIZE buffers: good for one kh_say() or one table row.
 */
#ifndef KHIEN_CLI_RENDER_H
#define KHIEN_CLI_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/util.h"

/* Sets the language ("vi" or "en") and looks at the terminal: colour, accents. At any time. */
void kh_text_begin(const char *language);

int kh_say(const char *format, ...) KH_PRINTF(1, 2); /* to standard output */
void kh_complain(const char *format, ...) KH_PRINTF(1, 2); /* a line to standard error */
/* A line's label, padded to the column where the values of a screen begin. */
void kh_say_label(const char *label);

enum kh_tone {
	KH_TONE_PLAIN,
	KH_TONE_GOOD,
	KH_TONE_WARN,
	KH_TONE_BAD,
	KH_TONE_DIM,
};
/* The text in its tone when colour is on. */
const char *kh_tone(enum kh_tone tone, const char *text);

/* ---- Members of a reply, safe for a terminal; never NULL ---------------------------------------- */

const char *kh_printable(const char *text);
const char *kh_printf(const char *format, ...) KH_PRINTF(1, 2);
const char *kh_text_of(const json_t *object, const char *name);
const char *kh_text_at(const json_t *array, size_t index);
long long kh_number_of(const json_t *object, const char *name);
bool kh_has(const json_t *object, const char *name); /* there, and not null */
/* Texts of an array, joined by ", "; at most `most`, then how many more. */
const char *kh_joined(const json_t *array, size_t most);

/* Out of RFC 3339 times; "" for null. */
const char *kh_when(const json_t *object, const char *name); /* "22:47:10 20/01/2023" */
const char *kh_clock(const json_t *object, const char *name); /* "22:47:10" */
const char *kh_zone(const json_t *object, const char *name); /* "UTC+7" */
const char *kh_date(const char *iso); /* "2023-01-20" -> "20/01/2023"; another form stays as it is */
/* "22:47:12–23:00:58 20/01/2023"; the date goes when it is that of `now`, and comes twice when it differs. */
const char *kh_span(const json_t *object, const char *first, const char *last, const char *now);

const char *kh_count(long long count); /* "212", "1.2 M" */
const char *kh_bytes(long long bytes); /* "1.4 KiB" */
const char *kh_age(long long seconds); /* "3 h", in the largest unit that fits */
const char *kh_packets(const json_t *row); /* "212 packets" */

/* "phuluc.txt p.3 l.12": where a row stands in a document. "" when it was typed. */
const char *kh_source(const json_t *row);
/* Why a row is decided as it is, with the rule and what is cut out. */
const char *kh_reason(const json_t *row);
/* The letters of a row, or "by hand". */
const char *kh_refs(const json_t *row);
/* "blocked", "monitored", ... in its tone. */
const char *kh_state(const json_t *row);
/* When an order ends as things stand: its deadline, or before it the time by which its change is to be confirmed; "" for never. */
const char *kh_ends(const json_t *row);
/* Of an answer: until when its change waits for confirmation, and what is to be typed; nothing when it does not. */
void kh_show_confirmation(const json_t *reply);
/* Of an answer: others with SSH connections to this gateway whom it blocks. */
void kh_show_alarms(const json_t *reply);
/* What is wrong with a file, in words. */
const char *kh_errno_text(int code);

/* ---- Tables ------------------------------------------------------------------------------------- */

struct kh_table;
/* Titles once, then rows of as many cells; printed and freed by kh_table_end. `right` marks columns of numbers by bits. */
struct kh_table *kh_table_begin(const char *const *titles, size_t count, unsigned int right);
void kh_table_row(struct kh_table *table, const char *const *cells);
void kh_table_end(struct kh_table *table);

/* ---- JSON --------------------------------------------------------------------------------------- */

/* Prints an object without the protocol's own members. */
void kh_json_print(json_t *reply);
/* A value in that form, by jansson's flags. malloc'ed; NULL: out of memory. */
char *kh_json_text(const json_t *value, size_t flags);

#endif
