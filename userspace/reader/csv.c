// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Columns with headings, quotes (RFC 4180), or the value not in the first of them, divided by comma, semicolon, tab or bar. What a plain list is with further columns
 * after its values is list.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "reader/private.h"

#define SAMPLE_ROWS 200
#define ROW_MAX ((size_t)1 << 20) /* a row is no longer: else a quote that never ends is one */

struct csv {
	const char *at, *end;
	char delimiter;
	int line;
	/* the row */
	struct kh_bytes text; /* of cells without their quotes */
	size_t starts[KH_TABLE_COLUMNS + 1];
	size_t count;
	int row_line;
	bool quoted, comment;
	size_t columns; /* of the first row */
	struct kh_bytes joined; /* a value that a comma in it parted in two cells */
};

static void csv_clear(struct csv *csv)
{
	kh_bytes_clear(&csv->text);
	kh_bytes_clear(&csv->joined);
}

static struct csv csv_of(const struct kh_input *input, char delimiter)
{
	return (struct csv){ .at = input->text, .end = input->text + input->length, .delimiter = delimiter, .line = 1 };
}

/* Where the quoted cell at `at` ends, behind its quote; NULL: it does not, within reason. */
static const char *quote_end(const struct csv *csv, const char *at)
{
	const char *end = csv->end - at > (ptrdiff_t)ROW_MAX ? at + ROW_MAX : csv->end;

	for (at++; at < end; at++) {
		if (*at != '"')
			continue;
		if (at + 1 >= csv->end || at[1] != '"')
			return at + 1;
		at++;
	}
	return NULL;
}

static int put_char(struct csv *csv, char c)
{
	return kh_bytes_add(&csv->text, &c, 1);
}

/* One cell; csv->at stands at the delimiter or the line end behind it. 0, -ENOMEM, -E2BIG: the row is too long. */
static int take_cell(struct csv *csv)
{
	const char *end;
	int result = 0;

	if (csv->delimiter != '\t')
		while (csv->at < csv->end && *csv->at == ' ')
			csv->at++;
	end = csv->at < csv->end && *csv->at == '"' ? quote_end(csv, csv->at) : NULL;
	if (end) {
		csv->quoted = true;
		for (csv->at++; csv->at < end - 1 && !result; csv->at++) {
			csv->line += *csv->at == '\n';
			if (*csv->at == '\r')
				continue;
			result = put_char(csv, *csv->at == '\n' ? KH_MARK_BREAK : *csv->at);
			csv->at += *csv->at == '"';
		}
		csv->at = end;
	}
	while (csv->at < csv->end && *csv->at != csv->delimiter && *csv->at != '\n' && !result) {
		if (*csv->at != '\r')
			result = put_char(csv, *csv->at);
		csv->at++;
		if (csv->text.length > ROW_MAX)
			return -E2BIG;
	}
	return result;
}

/* 1: a row; 0: no more; -ENOMEM, -E2BIG. Blank lines are none. */
static int next_row(struct csv *csv)
{
	int result = 0;

	while (csv->at < csv->end && (*csv->at == '\n' || *csv->at == '\r')) {
		csv->line += *csv->at == '\n';
		csv->at++;
	}
	if (csv->at >= csv->end)
		return 0;
	csv->text.length = 0;
	csv->count = 0;
	csv->quoted = false;
	csv->row_line = csv->line;
	csv->comment = *csv->at == '#' || *csv->at == ';' || (csv->end - csv->at > 1 && !memcmp(csv->at, "//", 2));
	while (csv->comment && csv->at < csv->end && *csv->at && strchr("#;/ ", *csv->at))
		csv->at++;
	for (;;) {
		/* what is behind the last column belongs to it */
		if (csv->count < KH_TABLE_COLUMNS)
			csv->starts[csv->count++] = csv->text.length;
		else if (!result)
			result = put_char(csv, KH_MARK_BREAK);
		if (!result)
			result = take_cell(csv);
		if (result || csv->at >= csv->end || *csv->at != csv->delimiter)
			break;
		csv->at++;
	}
	csv->starts[csv->count] = csv->text.length;
	if (csv->at < csv->end) {
		csv->at++;
		csv->line++;
	}
	return result ? result : 1;
}

static size_t cells_of(const struct csv *csv, struct kh_cell cells[static KH_TABLE_COLUMNS])
{
	for (size_t i = 0; i < csv->count; i++)
		cells[i] = (struct kh_cell){ (csv->text.data ? (const char *)csv->text.data : "") + csv->starts[i],
					     csv->starts[i + 1] - csv->starts[i] };
	return csv->count;
}

/* ---- What it is ------------------------------------------------------------------------------------------ */

/* An address, or a name with a scheme: what is a value wherever it stands. */
static bool is_value(const struct kh_cell *cell)
{
	struct kh_range range;
	size_t start = 0, used;

	while (start < cell->length && cell->text[start] == ' ')
		start++;
	if (cell->length - start > 10 && memmem(cell->text + start, 10, "://", 3))
		return true;
	used = kh_range_scan(cell->text + start, cell->length - start, &range);
	return used &&
	       (used + start == cell->length || (cell->text[start + used] && strchr(": |#", cell->text[start + used])));
}

struct look {
	size_t rows, same; /* as many cells as the first */
	size_t quoted, first, later; /* rows with quotes; with a value in the first column; with one behind it */
	bool headings; /* the first row names a column of values, and holds none */
	struct kh_spans spans;
};

/* Is it a row of headings? One column at least names values, none is one. 1, 0, -ENOMEM. */
static int is_heading_row(const struct kh_cell *cells, size_t count)
{
	int names = 0;

	for (size_t i = 0; i < count; i++)
		if (is_value(&cells[i]) || cells[i].length > 60)
			return 0;
	for (size_t i = 0; i < count && count > 1 && !names; i++)
		names = kh_table_names_values(cells[i].text, cells[i].length);
	return names;
}

/* The first two addresses that stand beside each other. */
static void look_at_pairs(const struct kh_cell *cells, size_t count, struct kh_spans *spans)
{
	struct kh_range first = {}, next;
	bool beside = false, counted = false;

	for (size_t i = 0; i < count; i++) {
		bool address =
			cells[i].length && kh_range_scan(cells[i].text, cells[i].length, &next) == cells[i].length;

		if (address && !counted) {
			spans->rows++;
			counted = true;
		}
		if (address && beside) {
			kh_spans_add(spans, &first, &next);
			return;
		}
		beside = address;
		first = next;
	}
}

static int look_at(const struct kh_input *input, char delimiter, struct look *look)
{
	struct csv csv KH_CLEANUP(csv_clear) = csv_of(input, delimiter);
	struct kh_cell cells[KH_TABLE_COLUMNS];
	size_t columns = 0, count;
	int result = 0;

	while (look->rows < SAMPLE_ROWS && (result = next_row(&csv)) == 1) {
		bool later = false;

		count = cells_of(&csv, cells);
		if (!look->rows) {
			int headings = is_heading_row(cells, count);

			if (headings < 0)
				return headings;
			look->headings = headings || (!csv.comment && look->headings);
		}
		if (csv.comment)
			continue;
		columns = look->rows++ ? columns : count;
		look->same += count == columns && count > 1;
		look->quoted += csv.quoted;
		look->first += is_value(&cells[0]);
		for (size_t i = 1; i < count; i++)
			later = later || is_value(&cells[i]);
		look->later += later;
		look_at_pairs(cells, count, &look->spans);
	}
	if (result == -E2BIG) /* no table has such rows */
		look->rows = 0;
	return result == -ENOMEM ? result : 0;
}

/* The delimiter, or '\0': it is none of these; -ENOMEM. *ret_spans: two addresses beside each other are the ends of a range. */
static int find_delimiter(const struct kh_input *input, bool *ret_spans)
{
	static const char delimiters[] = ",;\t|";

	for (const char *delimiter = delimiters; *delimiter; delimiter++) {
		struct look look = {};
		int result = look_at(input, *delimiter, &look);

		if (result)
			return result;
		if (!look.rows || look.same * 10 < look.rows * 8)
			continue;
		if (look.headings || (look.quoted * 2 > look.rows && look.first + look.later) ||
		    (look.first * 2 < look.rows && look.later * 2 > look.rows)) {
			*ret_spans = kh_spans_all(&look.spans);
			return *delimiter;
		}
	}
	return 0;
}

/* ---- Reading ------------------------------------------------------------------------------------------------ */

int kh_csv_recognise(const struct kh_input *input)
{
	bool spans;
	int delimiter = find_delimiter(input, &spans);

	return delimiter < 0 ? delimiter : delimiter != 0;
}

/* "8" and "217.199.160" where the row has a cell too many: one value with a comma for a dot. 0 or -ENOMEM. */
static int join_cells(struct csv *csv, struct kh_cell *cells, size_t *count)
{
	struct kh_indicator guess;

	csv->joined.length = 0;
	for (size_t i = 0; i + 1 < *count; i++) {
		size_t length = cells[i].length + 1 + cells[i + 1].length;

		if (cells[i].length > 3 || cells[i + 1].length > 11)
			continue;
		csv->joined.length = 0;
		if (kh_bytes_add(&csv->joined, cells[i].text, cells[i].length) || kh_bytes_add(&csv->joined, ",", 1) ||
		    kh_bytes_add(&csv->joined, cells[i + 1].text, cells[i + 1].length))
			return -ENOMEM;
		if (kh_guess_address((const char *)csv->joined.data, length, &guess) != length)
			continue;
		cells[i] = (struct kh_cell){ (const char *)csv->joined.data, length };
		memmove(&cells[i + 1], &cells[i + 2], (*count - i - 2) * sizeof(*cells));
		--*count;
		break;
	}
	return 0;
}

static int read_row(struct kh_table *table, struct csv *csv)
{
	struct kh_cell cells[KH_TABLE_COLUMNS];
	size_t count = cells_of(csv, cells);
	int heading, result = 0;

	csv->columns = csv->columns ? csv->columns : count;
	if (csv->delimiter == ',' && count == csv->columns + 1)
		result = join_cells(csv, cells, &count);
	if (result)
		return result;
	if (!csv->comment)
		return kh_table_row(table, cells, count, 0, csv->row_line);
	if (count > 1 && cells[0].length == 6 && !memcmp(cells[0].text, "fields", 6)) { /* Zeek */
		count--;
		memmove(cells, cells + 1, count * sizeof(*cells));
	}
	heading = table->rows ? 0 : is_heading_row(cells, count);
	return heading > 0 ? kh_table_heading(table, cells, count) : heading;
}

static int fail_long_row(const struct kh_input *input, const struct csv *csv, struct kh_error *error)
{
	kh_fail_at(error, -EINVAL, csv->row_line, _("%s: line %d: a row of more than %zu bytes"), input->file,
		   csv->row_line, ROW_MAX);
	kh_hint(error, _("write one value a line"));
	return -EINVAL;
}

int kh_csv_read(const struct kh_input *input, struct kh_collector *collector)
{
	bool spans = false;
	int delimiter = find_delimiter(input, &spans), result;
	struct csv csv KH_CLEANUP(csv_clear) = csv_of(input, (char)delimiter);
	struct kh_table table KH_CLEANUP(
		kh_table_clear) = { .collector = collector, .section = KH_SECTION_LIST, .feed = true, .spans = spans };

	if (delimiter < 0)
		return delimiter;
	while ((result = next_row(&csv)) == 1) {
		result = read_row(&table, &csv);
		if (result)
			return result;
	}
	if (result == -E2BIG)
		return fail_long_row(input, &csv, collector->error);
	return result ? result : kh_table_end(&table);
}
