// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables. libsmartcols lays them out; its widths need a UTF-8 locale, which common/lang.c sets. On a terminal the last
 * column is broken between words here: the library would break within them, and within addresses.
 */
#include <libsmartcols.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/render.h"
#include "common/text.h"

#define COLUMNS_MAX 8
#define NARROWEST 16 /* a last column with less room than this is left to the terminal */

struct kh_table {
	struct libscols_table *scols;
	size_t count;
	size_t widths[COLUMNS_MAX];
};

struct kh_table *kh_table_begin(const char *const *titles, size_t count, unsigned int right)
{
	struct kh_table *table = calloc(1, sizeof(*table));

	if (table)
		table->scols = scols_new_table();
	if (!table || !table->scols || count > COLUMNS_MAX) {
		kh_table_end(table);
		return NULL;
	}
	scols_table_enable_colors(table->scols, kh_tone(KH_TONE_GOOD, "")[0] != '\0');
	/* cells are safe already; Vietnamese must not become \x.. */
	scols_table_enable_noencoding(table->scols, 1);
	scols_table_set_termforce(table->scols, SCOLS_TERMFORCE_NEVER); /* neither cut nor squeezed */
	for (size_t i = 0; i < count; i++) {
		int flags = (right & 1u << i ? SCOLS_FL_RIGHT : 0) | (i + 1 == count ? SCOLS_FL_WRAP : 0);
		struct libscols_column *column = scols_table_new_column(table->scols, titles[i], 0, flags);

		if (column && i + 1 == count)
			scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
		table->widths[i] = kh_text_columns(titles[i]);
	}
	table->count = count;
	return table;
}

/* A cell from kh_tone() gets its colour as the cell's, so that the escape does not count as text. */
static void set_cell(struct kh_table *table, struct libscols_line *line, size_t column, const char *text)
{
	const char *end = text[0] == '\033' ? strchr(text, 'm') : NULL, *reset = end ? strrchr(end, '\033') : NULL;
	char escape[16], plain[1024];
	size_t width;

	if (end && reset && (size_t)(end - text) < sizeof(escape) - 1) {
		snprintf(escape, sizeof(escape), "%.*s", (int)(end - text + 1), text);
		snprintf(plain, sizeof(plain), "%.*s", (int)(reset - end - 1), end + 1);
		scols_cell_set_color(scols_line_get_cell(line, column), escape);
		text = plain;
	}
	scols_line_set_data(line, column, text);
	width = kh_text_columns(text);
	table->widths[column] = width > table->widths[column] ? width : table->widths[column];
}

void kh_table_row(struct kh_table *table, const char *const *cells)
{
	struct libscols_line *line = table ? scols_table_new_line(table->scols, NULL) : NULL;

	for (size_t i = 0; line && i < table->count; i++)
		set_cell(table, line, i, cells[i] ? cells[i] : "");
}

/* Room for the last column on this terminal; 0: as much as it wants. */
static size_t room(const struct kh_table *table)
{
	size_t used = table->count - 1; /* one blank between columns */
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	for (size_t i = 0; i + 1 < table->count; i++)
		used += table->widths[i];
	return size.ws_col >= used + NARROWEST ? size.ws_col - used : 0;
}

/* Blanks become line ends so that no line is wider than `width`; a longer word stays whole. In place. */
static void break_words(char *text, size_t width)
{
	char *line = text, *blank = strchr(text, ' '), *before = NULL;

	for (;;) {
		bool wide;

		if (blank)
			*blank = '\0';
		wide = kh_text_columns(line) > width;
		if (blank)
			*blank = ' ';
		if (wide && before) {
			*before = '\n';
			line = before + 1;
		}
		if (!blank)
			return;
		before = blank;
		blank = strchr(blank + 1, ' ');
	}
}

static void break_cells(struct kh_table *table, size_t width)
{
	struct libscols_column *last = scols_table_get_column(table->scols, table->count - 1);
	struct libscols_iter *at = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line;

	while (at && !scols_table_next_line(table->scols, at, &line)) {
		const char *data = scols_line_get_column_data(line, last);
		char *text KH_CLEANUP(kh_freep) = data ? strdup(data) : NULL;

		if (!text || kh_text_columns(text) <= width)
			continue;
		break_words(text, width);
		scols_line_set_data(line, table->count - 1, text);
	}
	scols_free_iter(at);
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
	size_t width = table && table->count ? room(table) : 0;

	if (!table)
		return;
	if (width)
		break_cells(table, width);
	if (table->count && !scols_print_table_to_string(table->scols, &text) && text)
		print(text);
	scols_unref_table(table->scols);
	free(table);
}
