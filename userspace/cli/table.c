// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables. libsmartcols lays them out; its widths need a UTF-8 locale, which common/lang.c sets.
 */
#include <libsmartcols.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/render.h"

static struct libscols_table *table_of(struct kh_table *table)
{
	return (struct libscols_table *)table;
}

struct kh_table *kh_table_begin(const char *const *titles, size_t count, unsigned int right)
{
	struct libscols_table *table = scols_new_table();
	bool terminal = isatty(STDOUT_FILENO);

	if (!table)
		return NULL;
	scols_table_enable_colors(table, kh_tone(KH_TONE_GOOD, "")[0] != '\0');
	scols_table_enable_noencoding(table, 1); /* cells are safe already; Vietnamese must not become \x.. */
	if (!terminal) {
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
		scols_table_enable_nowrap(table, 1);
	}
	for (size_t i = 0; i < count; i++) {
		int flags = right & 1u << i ? SCOLS_FL_RIGHT : 0;

		if (i + 1 == count && terminal)
			flags |= SCOLS_FL_WRAP;
		scols_table_new_column(table, titles[i], 0, flags);
	}
	return (struct kh_table *)table;
}

/* A cell from kh_tone() gets its colour as the cell's, so that the escape does not count as text. */
static void set_cell(struct libscols_line *line, size_t column, const char *text)
{
	const char *end = text[0] == '\033' ? strchr(text, 'm') : NULL, *reset = end ? strrchr(end, '\033') : NULL;
	char escape[16], plain[1024];

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
	struct libscols_line *line = table ? scols_table_new_line(table_of(table), NULL) : NULL;
	size_t count = line ? scols_table_get_ncols(table_of(table)) : 0;

	for (size_t i = 0; i < count; i++)
		set_cell(line, i, cells[i] ? cells[i] : "");
}

/* Blanks that pad the last column are taken off: they only make a terminal wrap. */
static void print(char *text)
{
	for (char *line = strtok_r(text, "\n", &text); line; line = strtok_r(NULL, "\n", &text)) {
		size_t length = strlen(line);

		while (length && line[length - 1] == ' ')
			length--;
		kh_say("%.*s\n", (int)length, line);
	}
}

void kh_table_end(struct kh_table *table)
{
	char *text KH_CLEANUP(kh_freep) = NULL;

	if (!table)
		return;
	if (!scols_print_table_to_string(table_of(table), &text) && text)
		print(text);
	scols_unref_table(table_of(table));
}
