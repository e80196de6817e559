// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables of letters and reports. What a column holds is said by its heading, else by its cells. A value that is all there is in a line of
 * its cell stands there as an indicator; in a column of sources, victims or remarks it does not. A port in a column of its own tells where an
 * address was seen; what is to be blocked is the address. Written as one value with it, it is part of the value.
 */
#include "reader/cut.h"
#include "reader/heed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

/* The row that is read. */
struct row {
	const struct kh_cell *cells;
	size_t count;
	int page, line;
	bool exempting, has_cve;
	bool unclear; /* the ends of a range, the last before the first */
	enum kh_talk talk; /* of a letter's table */
	bool holds_value; /* some cell does */
};

static struct kh_column *column_at(struct kh_table *table, size_t index)
{
	return &table->columns[index < KH_TABLE_COLUMNS ? index : KH_TABLE_COLUMNS - 1];
}

static bool is_blank_cell(const struct kh_cell *cell)
{
	for (size_t i = 0; i < cell->length; i++)
		if (!kh_is_blank(cell->text[i]) && cell->text[i] != KH_MARK_BREAK)
			return false;
	return true;
}

void kh_table_clear(struct kh_table *table)
{
	kh_table_begin(table);
	kh_clean_clear(&table->clean);
	kh_tokens_free(&table->tokens);
}

/* ---- Lines of cells ------------------------------------------------------------------------------- */

/* A cell is read no further than a line may be long (lines.c). */
static int scan(struct kh_table *table, const struct kh_cell *line, enum kh_doubt doubt)
{
	int result = kh_refang(line->text, line->length < KH_LINE_MAX ? line->length : KH_LINE_MAX, &table->clean);

	return result ? result : kh_tokens_read(&table->tokens, &table->clean, doubt);
}

static enum kh_doubt doubt_of(enum kh_role role)
{
	return role == KH_ROLE_VALUE ? KH_MEANT : KH_DOUBTED;
}

/* "10.1.2", "34.243/214.122" in a column of values: something is meant, and it is no value. */
static bool is_lookalike(struct kh_cell text)
{
	size_t digits = 0, points = 0;

	kh_cell_trim(&text);
	for (size_t i = 0; i < text.length; i++) {
		digits += kh_is_digit(text.text[i]);
		points += text.text[i] == '.' || text.text[i] == ':';
		if (kh_is_blank(text.text[i]) || kh_is_letter(text.text[i]))
			return false;
	}
	return digits >= 2 && points && text.length <= 64;
}

/* Heeds a line of a cell, once scanned. A feed's remarks are about what it lists, not about who is to be spared. 0 or -ENOMEM. */
static int heed(const struct kh_table *table, struct row *row, enum kh_role role)
{
	char *words KH_CLEANUP(kh_freep) = NULL;
	enum kh_talk talk;

	if (table->feed || role == KH_ROLE_SOURCE)
		return 0;
	words = kh_talk_fold(&table->clean, &table->tokens);
	if (!words)
		return -ENOMEM;
	talk = kh_talk_of(words);
	if (talk > row->talk)
		row->talk = talk;
	return 0;
}

/* By its own words, or by those that lead to its table. */
static bool is_spared(const struct kh_table *table, const struct row *row)
{
	const struct kh_heed *above = table->heed;

	return row->exempting || row->talk == KH_TALK_BYSTANDERS ||
	       (above && (above->exempt || (above->bystanders && row->talk != KH_TALK_ACCUSES)));
}

/* What the row is about, and whether there is a value in it. */
static int look(struct kh_table *table, struct row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		enum kh_role role = column_at(table, i)->role;
		struct kh_cell line;
		char *folded KH_CLEANUP(kh_freep) = kh_fold(row->cells[i].text, row->cells[i].length);

		if (!folded)
			return -ENOMEM;
		row->exempting = row->exempting || kh_is_sparing(folded);
		for (size_t at = 0; kh_cell_line(&row->cells[i], &at, &line);) {
			struct kh_pieces pieces;
			int result;

			kh_cell_join(&row->cells[i], &at, &line, &pieces, &table->clean);
			result = scan(table, &line, doubt_of(role));
			if (!result)
				result = heed(table, row, role);
			if (result)
				return result;
			row->holds_value = row->holds_value || table->tokens.count ||
					   (role == KH_ROLE_VALUE && is_lookalike(line));
			for (size_t j = 0; j < table->tokens.count; j++)
				row->has_cve =
					row->has_cve || (!table->feed && table->tokens.list[j].kind == KH_TOKEN_CVE);
		}
	}
	return 0;
}

/* ---- Values ---------------------------------------------------------------------------------------- */

static bool is_named(const struct kh_token *token)
{
	return token->indicator.type == KH_TYPE_DOMAIN || token->indicator.type == KH_TYPE_URL;
}

/* What stands at a place of the table. */
struct spot {
	const struct row *row;
	const struct kh_column *column;
	struct kh_line line;
	bool plain;
};

/* A heading that says nothing, where others name the values: families of malware and reporters have the form of names too. */
static bool is_beside(const struct kh_table *table, const struct kh_column *column)
{
	return table->feed && table->valued && column->role == KH_ROLE_UNKNOWN && column->heading;
}

/* The host of a URL, or the name itself. */
static const char *host_of(const struct kh_token *token, size_t *ret_length)
{
	const char *scheme = strstr(token->indicator.text, "://"), *host = scheme ? scheme + 3 : token->indicator.text;

	*ret_length = strcspn(host, ":/?#");
	return host;
}

static int collect_name(struct kh_table *table, const struct spot *spot, struct kh_token *token, struct kh_place *place)
{
	enum kh_role role = spot->column->role;
	bool plain = spot->plain;
	size_t length;
	const char *host = host_of(token, &length);
	bool reading = role == KH_ROLE_SOURCE || role == KH_ROLE_EXEMPT || role == KH_ROLE_OTHER ||
		       (role == KH_ROLE_REMARK && !token->defanged) ||
		       (is_beside(table, spot->column) && !token->defanged) ||
		       (!token->defanged && !(role == KH_ROLE_VALUE && plain) && kh_domain_reference(host, length));

	if (reading) {
		table->links += role != KH_ROLE_OTHER;
		return 0;
	}
	if (token->indicator.type == KH_TYPE_DOMAIN && kh_token_is_wildcard(&table->clean, token))
		token->indicator.subdomains = true;
	place->proposed = KH_UNENFORCEABLE;
	place->reason = token->indicator.type == KH_TYPE_URL ? KH_WHY_URL : KH_WHY_DOMAIN;
	if (token->cut || (!table->feed && is_spared(table, spot->row))) {
		place->proposed = KH_REVIEW;
		place->reason = token->cut ? KH_WHY_CUT : KH_WHY_CONTEXT;
	}
	return kh_collect_take(table->collector, &token->indicator, place);
}

static void propose(const struct kh_table *table, const struct spot *spot, const struct kh_token *token,
		    struct kh_place *place)
{
	const struct row *row = spot->row;
	enum kh_role role = spot->column->role;
	bool plain = spot->plain;

	place->proposed = KH_REVIEW;
	if (token->kind == KH_TOKEN_MALFORMED) {
		place->reason = KH_WHY_MALFORMED;
	} else if (token->cut) {
		place->reason = KH_WHY_CUT;
	} else if (token->host_bits) {
		place->reason = KH_WHY_HOST_BITS;
	} else if (role == KH_ROLE_EXEMPT || is_spared(table, row)) {
		place->reason = KH_WHY_CONTEXT;
	} else if (row->unclear) {
		place->reason = KH_WHY_UNCLEAR;
	} else if (role == KH_ROLE_SOURCE || role == KH_ROLE_REMARK || role == KH_ROLE_OTHER ||
		   is_beside(table, spot->column)) {
		place->reason = KH_WHY_COLUMN;
	} else if (row->has_cve || (!plain && !token->defanged)) {
		place->reason = KH_WHY_PROSE;
	} else {
		place->proposed = KH_ENFORCE;
		place->reason = !plain				     ? KH_WHY_DEFANGED
				: table->section == KH_SECTION_ANNEX ? KH_WHY_ANNEX
								     : KH_WHY_TABLE;
	}
}

static int collect(struct kh_table *table, const struct spot *spot, struct kh_token *token)
{
	enum kh_role role = spot->column->role;
	struct kh_place place = kh_place_of(&spot->line, &table->clean, token, table->section);
	const char *text = table->clean.text + token->start;

	if (spot->column->heading) {
		place.column = spot->column->heading;
		place.column_length = strlen(place.column);
	}
	if (token->kind == KH_TOKEN_CVE)
		return kh_collect_cve(table->collector, text, token->end - token->start);
	if (token->kind == KH_TOKEN_HASH)
		return kh_collect_hash(table->collector, text, token->end - token->start);
	if (token->kind != KH_TOKEN_MALFORMED && is_named(token))
		return collect_name(table, spot, token, &place);
	if (role == KH_ROLE_PORT || (role == KH_ROLE_OTHER && !token->defanged) ||
	    (token->kind == KH_TOKEN_MALFORMED && !(spot->plain && (role == KH_ROLE_VALUE || table->feed))))
		return 0;
	propose(table, spot, token, &place);
	return kh_collect_take(table->collector, &token->indicator, &place);
}

static int collect_lookalike(struct kh_table *table, const struct spot *spot)
{
	struct kh_indicator indicator = { .type = KH_TYPE_UNKNOWN };
	struct kh_place place = { .proposed = KH_REVIEW,
				  .reason = KH_WHY_MALFORMED,
				  .section = table->section,
				  .page = spot->line.page,
				  .line = spot->line.number };
	struct kh_cell text = { spot->line.text, spot->line.length };

	kh_cell_trim(&text);
	place.raw = text.text;
	place.raw_length = text.length;
	if (kh_guess_address(text.text, text.length, &indicator) == text.length) {
		place.reason = KH_WHY_UNCLEAR;
		return kh_collect_take(table->collector, &indicator, &place);
	}
	indicator = (struct kh_indicator){ .type = KH_TYPE_UNKNOWN };
	indicator.text = strndup(text.text, text.length);
	return indicator.text ? kh_collect_take(table->collector, &indicator, &place) : -ENOMEM;
}

/* Is the value on the line, at *at in its cell, half of one? 0 or -ENOMEM. */
static int look_for_cuts(struct kh_table *table, const struct spot *spot, const struct kh_cell *cell, size_t at,
			 bool joined)
{
	struct kh_token *last = &table->tokens.list[table->tokens.count - 1];
	struct kh_cell below;

	if (joined) {
		for (size_t i = 0; i < table->tokens.count; i++)
			table->tokens.list[i].cut = true;
		return kh_collect_note(table->collector, _("line %d may be cut: is it %s%s?"), spot->line.number,
				       table->clean.text, "");
	}
	if (!kh_cell_line(cell, &at, &below) || table->clean.text[last->end])
		return 0;
	return kh_cut_address(table->collector, &table->clean, last,
			      &(struct kh_line){ .text = below.text, .length = below.length }, spot->line.number);
}

static int read_cell(struct kh_table *table, const struct row *row, size_t index)
{
	const struct kh_cell *cell = &row->cells[index];
	struct spot spot = { .row = row, .column = column_at(table, index) };
	struct kh_pieces pieces;
	struct kh_cell line;
	int result = 0;

	for (size_t at = 0; !result && kh_cell_line(cell, &at, &line);) {
		bool joined = kh_cell_join(cell, &at, &line, &pieces, &table->clean);

		result = scan(table, &line, doubt_of(spot.column->role));
		spot.line = (struct kh_line){ line.text, line.length, row->line, row->page };
		if (!result && !table->tokens.count && spot.column->role == KH_ROLE_VALUE && is_lookalike(line))
			result = collect_lookalike(table, &spot);
		if (result || !table->tokens.count)
			continue;
		spot.plain = kh_shape_of(&table->clean, &table->tokens).plain;
		result = look_for_cuts(table, &spot, cell, at, joined);
		for (size_t i = 0; i < table->tokens.count && !result; i++)
			result = collect(table, &spot, &table->tokens.list[i]);
	}
	return result;
}

/* ---- Ranges in two cells ------------------------------------------------------------------------- */

static bool is_address(struct kh_cell cell, struct kh_range *ret_range)
{
	kh_cell_trim(&cell);
	return cell.length && kh_range_scan(cell.text, cell.length, ret_range) == cell.length &&
	       ret_range->first == ret_range->last;
}

/* Do the cell and the one after it hold the ends of a range? They may also say so, and be none: then the row is unclear. */
static bool is_span(const struct kh_table *table, struct row *row, size_t index, struct kh_range *ret_range)
{
	struct kh_range first, last;
	const struct kh_column *column = &table->columns[index];
	bool named, free;

	if (!table->feed || index + 1 >= row->count || index + 1 >= KH_TABLE_COLUMNS ||
	    !is_address(row->cells[index], &first) || !is_address(row->cells[index + 1], &last))
		return false;
	named = column[0].span == KH_SPAN_FIRST && column[1].span == KH_SPAN_LAST;
	free = !column[0].heading && !column[1].heading;
	if (!named && !free)
		return false;
	if (kh_span_join(&first, &last, named || table->spans, ret_range))
		return true;
	row->unclear = named || table->spans;
	return false;
}

static int collect_span(struct kh_table *table, const struct row *row, size_t index, const struct kh_range *range)
{
	const struct kh_cell *cell = &row->cells[index];
	struct kh_indicator indicator = kh_indicator_of_range(range);
	struct kh_place place = { .proposed = row->exempting ? KH_REVIEW : KH_ENFORCE,
				  .reason = row->exempting ? KH_WHY_CONTEXT : KH_WHY_TABLE,
				  .section = table->section,
				  .page = row->page,
				  .line = row->line,
				  .raw = cell->text,
				  .raw_length = cell->length };

	if (table->columns[index].heading) {
		place.column = table->columns[index].heading;
		place.column_length = strlen(place.column);
	}
	return kh_collect_take(table->collector, &indicator, &place);
}

int kh_table_end(struct kh_table *table)
{
	int result = 0;

	if (table->skipped)
		result = kh_collect_note(table->collector, _("lines without a value: %zu, the first is line %zu"),
					 table->skipped, table->first_skipped);
	if (!result && table->links)
		result = kh_collect_note(table->collector,
					 _("links in columns of sources and remarks are not taken as indicators: %zu"),
					 table->links);
	return result;
}

/* A row of one cell is a title of those below it: "Danh sách máy bị nhiễm". 0 or -ENOMEM. */
static int heed_title(struct kh_table *table, const struct kh_cell *cells, size_t count)
{
	char *folded KH_CLEANUP(kh_freep) = NULL;
	size_t title = count;

	for (size_t i = 0; i < count; i++) {
		if (is_blank_cell(&cells[i]))
			continue;
		if (title < count)
			return 0;
		title = i;
	}
	folded = kh_fold(cells[title].text, cells[title].length);
	if (!folded)
		return -ENOMEM;
	kh_heed_title(table->heed, folded);
	return 0;
}

int kh_table_row(struct kh_table *table, const struct kh_cell *cells, size_t count, int page, int line)
{
	struct row row = { .cells = cells, .count = count, .page = page, .line = line };
	int result = look(table, &row);

	if (result)
		return result;
	if (!row.holds_value) {
		bool blank = true;

		for (size_t i = 0; i < count; i++)
			blank = blank && is_blank_cell(&cells[i]);
		if (!blank && table->heed && heed_title(table, cells, count))
			return -ENOMEM;
		if (!table->rows && !(table->feed && table->valued))
			return kh_table_heading(table, cells, count);
		if (!blank && !table->skipped++)
			table->first_skipped = (size_t)line;
		return 0;
	}
	table->rows++;
	for (size_t i = 0; i < count && !result; i++) {
		struct kh_range range;

		if (is_span(table, &row, i, &range))
			result = collect_span(table, &row, i++, &range);
		else
			result = read_cell(table, &row, i);
	}
	return result ? result : kh_grades_row(table->collector, table->columns, cells, count);
}
