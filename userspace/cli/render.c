// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Output for people. libsmartcols lays the tables out; its widths need a UTF-8 locale, which lang.c sets.
 */
#include "cli/render.h"

#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

#define RING 16

static bool color, unaccented;

static char *ring_next(void)
{
	static char ring[RING][512];
	static unsigned int at;

	return ring[at++ % RING];
}

void kh_cli_language(const char *language)
{
	const char *terminal = getenv("TERM");

	kh_lang_set(language);
	unaccented = !strcmp(kh_lang_get(), "vi") && terminal && !strcmp(terminal, "linux") && isatty(STDOUT_FILENO);
}

void kh_cli_begin(struct kh_cli *cli, int argc, char **argv)
{
	const char *socket = getenv(KH_SOCKET_ENV), *terminal = getenv("TERM"), *language = NULL;

	kh_lang_init();
	color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && terminal && strcmp(terminal, "dumb");
	cli->socket = socket && socket[0] ? socket : KH_SOCKET_DEFAULT;
	for (int i = 1; i + 1 < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--lang"))
			language = argv[++i];
		else if (!strcmp(argv[i], "--socket"))
			cli->socket = argv[++i];
	}
	kh_cli_language(language ? language : kh_lang_from_environment());
	cli->color = color;
}

/* Takes the accents off where the console has none. */
static void put(FILE *stream, const char *text)
{
	char *plain KH_CLEANUP(kh_freep) = unaccented ? kh_text_unaccent(text) : NULL;

	fputs(plain ? plain : text, stream);
}

int kh_say(const char *format, ...)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length >= 0)
		put(stdout, text);
	return length;
}

void kh_complain(const char *format, ...)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) >= 0) {
		put(stderr, text);
		fputc('\n', stderr);
	}
	va_end(arguments);
}

const char *kh_tone(enum kh_tone tone, const char *text)
{
	static const char *const codes[] = {
		[KH_TONE_PLAIN] = "0", [KH_TONE_GOOD] = "32", [KH_TONE_WARN] = "33", [KH_TONE_BAD] = "1;31", [KH_TONE_DIM] = "2",
	};
	char *out = ring_next();

	if (!color || tone == KH_TONE_PLAIN)
		return text;
	snprintf(out, 512, "\033[%sm%s\033[0m", codes[tone], text);
	return out;
}

/* ---- Tables ------------------------------------------------------------------------------------- */

struct kh_table *kh_table_begin(const char *const *titles, size_t count)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return NULL;
	scols_table_enable_colors(table, color);
	scols_table_enable_noencoding(table, 1); /* kh_text_of made the cells safe; Vietnamese must not become \x.. */
	if (!isatty(STDOUT_FILENO)) {
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
		scols_table_enable_nowrap(table, 1);
	}
	for (size_t i = 0; i < count; i++)
		scols_table_new_column(table, titles[i], 0, i + 1 == count && isatty(STDOUT_FILENO) ? SCOLS_FL_WRAP : 0);
	return (struct kh_table *)table;
}

void kh_table_right(struct kh_table *table, size_t column)
{
	struct libscols_column *found = scols_table_get_column((struct libscols_table *)table, column);

	if (found)
		scols_column_set_flags(found, scols_column_get_flags(found) | SCOLS_FL_RIGHT);
}

/* A cell from kh_tone() gets its colour as the cell's, so that the escape does not count as text. */
static void set_cell(struct libscols_line *line, size_t column, const char *text)
{
	const char *end = text[0] == '\033' ? strchr(text, 'm') : NULL, *reset = end ? strrchr(end, '\033') : NULL;
	char escape[16], plain[512];

	if (!end || !reset || (size_t)(end - text) >= sizeof(escape) - 1) {
		scols_line_set_data(line, column, text);
		return;
	}
	snprintf(escape, sizeof(escape), "%.*s", (int)(end - text + 1), text);
	snprintf(plain, sizeof(plain), "%.*s", (int)(reset - end - 1), end + 1);
	scols_line_set_data(line, column, plain);
	scols_cell_set_color(scols_line_get_cell(line, column), escape);
}

void kh_table_row(struct kh_table *table, const char *const *cells)
{
	struct libscols_line *line = scols_table_new_line((struct libscols_table *)table, NULL);
	size_t count = scols_table_get_ncols((struct libscols_table *)table);

	for (size_t i = 0; line && i < count; i++)
		set_cell(line, i, cells[i] ? cells[i] : "");
}

void kh_table_end(struct kh_table *table)
{
	char *text KH_CLEANUP(kh_freep) = NULL;

	if (!table)
		return;
	if (!scols_print_table_to_string((struct libscols_table *)table, &text) && text)
		put(stdout, text);
	if (text && text[0] && text[strlen(text) - 1] != '\n')
		putchar('\n');
	scols_unref_table((struct libscols_table *)table);
}

/* ---- Members ------------------------------------------------------------------------------------ */

const char *kh_text_of(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	char *out;

	if (!text)
		return "";
	out = ring_next();
	snprintf(out, 512, "%s", text);
	kh_text_printable(out);
	return out;
}

long long kh_number_of(json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

const char *kh_when(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	char *out = ring_next();

	if (!text || strlen(text) < 19)
		return "";
	snprintf(out, 512, "%.8s %.2s/%.2s/%.4s", text + 11, text + 8, text + 5, text);
	return out;
}

static const char *scaled(long long value, double step, const char *const *units, size_t count)
{
	double scaled_value = (double)value;
	char *out = ring_next();
	size_t unit = 0;

	while (scaled_value >= step && unit + 1 < count) {
		scaled_value /= step;
		unit++;
	}
	if (unit)
		snprintf(out, 512, "%.1f %s", scaled_value, units[unit]);
	else
		snprintf(out, 512, "%lld%s", value, units[0]);
	return out;
}

const char *kh_count(long long count)
{
	static const char *const units[] = { "", "k", "M", "G" };

	return count < 100000 ? scaled(count, 1e18, units, 1) : scaled(count, 1000, units, KH_ARRAY_SIZE(units));
}

const char *kh_bytes(long long bytes)
{
	static const char *const units[] = { " B", "KiB", "MiB", "GiB", "TiB" };

	return scaled(bytes, 1024, units, KH_ARRAY_SIZE(units));
}

void kh_print_json(json_t *reply)
{
	json_object_del(reply, "exit");
	json_object_del(reply, "token");
	json_dumpf(reply, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
}
