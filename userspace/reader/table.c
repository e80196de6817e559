// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables of letters and reports. What a column holds is said by its heading, else by its cells. A value that is all there is in a line of
 * its cell stands there as an indicator; in a column of sources, victims or remarks it does not. An address with a port column beside it is
 * that address and port, but in a feed, where the port only tells where the address was seen.
 */
#include "reader/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

enum role {
	ROLE_UNKNOWN, /* no heading, or one that says nothing */
	ROLE_VALUE,
	ROLE_PORT,
	ROLE_SOURCE, /* reports, links for reading */
	ROLE_EXEMPT, /* victims, what is not to be blocked */
	ROLE_REMARK,
	ROLE_OTHER, /* dates, countries, file names, hashes, versions: no address is meant */
};

#define PORTS_MAX 16

struct port {
	uint16_t number;
	uint8_t protocol;
};

/* The row that is read. */
struct row {
	const struct kh_cell *cells;
	size_t count;
	int page, line;
	bool exempting, has_cve;
	struct port ports[PORTS_MAX];
	size_t ports_count, port_lines; /* lines of the port cell */
	bool holds_value; /* some cell does */
};

/* ---- Headings ------------------------------------------------------------------------------------ */

static const char *const exempt_words[] = { "nAn nhAn", "victim",    "victims",	  "target",
					    "targets",	"whitelist", "allowlist", NULL };
static const char *const other_words[] = { "type",     "loAi",	    "kiEu",	  "email",	"e-mail",   "version",
					   "versions", "phiEn bAn", "file name",  "filename",	"file",	    "files",
					   "tAp tin",  "tEp",	    "tEp tin",	  "mA bAm",	"hash",	    "hashes",
					   "md5",      "sha1",	    "sha256",	  "sha-1",	"sha-256",  "date",
					   "ngAy",     "time",	    "thOi gian",  "country",	"quOc gia", "asn",
					   "stt",      "tt",	    "user agent", "user-agent", "tags",	    NULL };
static const char *const address_words[] = {
	"ip",	  "ips",     "ipv4",	   "ipv6",	"ip address", "dIa chI",  "address", "addresses",
	"domain", "domains", "tEn miEn",   "indicator", "indicators", "ioc",	  "iocs",    "chI bAo",
	"c2",	  "c&c",     "cnc",	   "host",	"hosts",      "hostname", "fqdn",    "mAy chU",
	"server", "servers", "network",	   "cidr",	"prefix",     "netblock", "dst_ip",  "dstip",
	"src_ip", "srcip",   "ip_address", "ipaddress", NULL
};
static const char *const port_words[] = { "port", "ports", "cOng", "dst_port", "dstport", "dport", NULL };
static const char *const source_words[] = { "source",	 "sources",	 "nguOn",  "reference", "references",
					    "tham khAo", "bAo cAo",	 "report", "link",	"links",
					    "permalink", "urlhaus_link", NULL };
static const char *const value_words[] = { "url",     "urls",	   "uri",      "value", "values",
					   "giA trI", "dUOng dAn", "liEn kEt", NULL };
static const char *const remark_words[] = { "ghi chU",	"mO tA",   "note",    "notes",	     "comment",
					    "comments", "remark",  "remarks", "description", "nOi dung",
					    "details",	"context", NULL };

static enum role role_of(const char *folded)
{
	if (kh_word_find(folded, exempt_words))
		return ROLE_EXEMPT;
	if (kh_word_find(folded, other_words))
		return ROLE_OTHER;
	if (kh_word_find(folded, address_words))
		return ROLE_VALUE;
	if (kh_word_find(folded, port_words))
		return ROLE_PORT;
	if (kh_word_find(folded, source_words))
		return ROLE_SOURCE;
	if (kh_word_find(folded, value_words))
		return ROLE_VALUE;
	return kh_word_find(folded, remark_words) ? ROLE_REMARK : ROLE_UNKNOWN;
}

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

/* The lower of two heading rows names what the upper one spans. */
int kh_table_heading(struct kh_table *table, const struct kh_cell *cells, size_t count)
{
	for (size_t i = 0; i < count && i < KH_TABLE_COLUMNS; i++) {
		struct kh_column *column = &table->columns[i];
		char *folded KH_CLEANUP(kh_freep) = NULL, *heading;

		if (is_blank_cell(&cells[i]))
			continue;
		folded = kh_fold(cells[i].text, cells[i].length);
		heading = strndup(cells[i].text, cells[i].length);
		if (!folded || !heading) {
			free(heading);
			return -ENOMEM;
		}
		for (char *at = heading; *at; at++)
			*at = *at == KH_MARK_BREAK ? ' ' : *at;
		for (char *at = folded; *at; at++)
			*at = *at == KH_MARK_BREAK ? ' ' : *at;
		free(column->heading);
		column->heading = heading;
		column->role = (int)role_of(folded);
	}
	return 0;
}

void kh_table_begin(struct kh_table *table)
{
	for (size_t i = 0; i < KH_TABLE_COLUMNS; i++) {
		free(table->columns[i].heading);
		table->columns[i] = (struct kh_column){};
	}
	table->rows = 0;
}

void kh_table_clear(struct kh_table *table)
{
	kh_table_begin(table);
	kh_clean_clear(&table->clean);
	kh_tokens_free(&table->tokens);
}

/* ---- Lines of cells ------------------------------------------------------------------------------- */

/* The next line of the cell from *at on; false: no more. */
static bool next_line(const struct kh_cell *cell, size_t *at, struct kh_cell *ret_line)
{
	size_t end = *at;

	if (*at > cell->length)
		return false;
	while (end < cell->length && cell->text[end] != KH_MARK_BREAK && cell->text[end] != KH_MARK_CELL)
		end++;
	*ret_line = (struct kh_cell){ cell->text + *at, end - *at };
	*at += ret_line->length + 1;
	return true;
}

/* A cell is read no further than a line may be long (lines.c). */
static int scan(struct kh_table *table, const struct kh_cell *line, enum kh_doubt doubt)
{
	int result = kh_refang(line->text, line->length < KH_LINE_MAX ? line->length : KH_LINE_MAX, &table->clean);

	return result ? result : kh_tokens_read(&table->tokens, &table->clean, doubt);
}

static enum kh_doubt doubt_of(enum role role)
{
	return role == ROLE_VALUE ? KH_MEANT : KH_DOUBTED;
}

/* "443", "443, 8080", "8443/tcp" */
static void read_ports(struct row *row, const struct kh_cell *cell)
{
	char text[64];
	size_t length = cell->length < sizeof(text) - 1 ? cell->length : sizeof(text) - 1, at = 0;

	memcpy(text, cell->text, length);
	text[length] = '\0';
	row->port_lines = 1;
	for (size_t i = 0; i < length; i++)
		row->port_lines += text[i] == KH_MARK_BREAK;
	while (at < length && row->ports_count < PORTS_MAX) {
		struct port *port = &row->ports[row->ports_count];
		size_t used = kh_is_digit(text[at]) ? kh_port_read(text, at, &port->number, &port->protocol) : 0;

		if (used)
			row->ports_count++;
		else if (!kh_is_blank(text[at]) && !strchr(",;/|", text[at]) && text[at] != KH_MARK_BREAK)
			break;
		at += used ? used : 1;
	}
	if (at < length)
		row->ports_count = 0; /* "any", "80-90", "--": no port to hold on to */
}

/* What the row is about, and whether there is a value in it. */
static int look(struct kh_table *table, struct row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		enum role role = column_at(table, i)->role;
		struct kh_cell line;
		char *folded KH_CLEANUP(kh_freep) = kh_fold(row->cells[i].text, row->cells[i].length);

		if (!folded)
			return -ENOMEM;
		row->exempting = row->exempting || kh_is_exempting(folded);
		if (role == ROLE_PORT)
			read_ports(row, &row->cells[i]);
		for (size_t at = 0; next_line(&row->cells[i], &at, &line);) {
			int result = scan(table, &line, doubt_of(role));

			if (result)
				return result;
			row->holds_value = row->holds_value || table->tokens.count;
			for (size_t j = 0; j < table->tokens.count; j++)
				row->has_cve = row->has_cve || table->tokens.list[j].kind == KH_TOKEN_CVE;
		}
	}
	return 0;
}

/* ---- Values ---------------------------------------------------------------------------------------- */

static bool is_named(const struct kh_token *token)
{
	return token->indicator.type == KH_TYPE_DOMAIN || token->indicator.type == KH_TYPE_URL;
}

/* The host of a URL, or the name itself. */
static const char *host_of(const struct kh_token *token, size_t *ret_length)
{
	const char *scheme = strstr(token->indicator.text, "://"), *host = scheme ? scheme + 3 : token->indicator.text;

	*ret_length = strcspn(host, ":/?#");
	return host;
}

static int collect_name(struct kh_table *table, struct kh_token *token, enum role role, bool plain,
			struct kh_place *place)
{
	size_t length;
	const char *host = host_of(token, &length);
	bool reading = role == ROLE_SOURCE || role == ROLE_EXEMPT || role == ROLE_OTHER ||
		       (role == ROLE_REMARK && !token->defanged) ||
		       (!token->defanged && !(role == ROLE_VALUE && plain) && kh_domain_reference(host, length));

	if (reading) {
		table->links += role != ROLE_OTHER;
		return 0;
	}
	place->proposed = KH_UNENFORCEABLE;
	place->reason = token->indicator.type == KH_TYPE_URL ? KH_WHY_URL : KH_WHY_DOMAIN;
	return kh_collect_take(table->collector, &token->indicator, place);
}

static void propose(const struct kh_table *table, const struct row *row, const struct kh_token *token, enum role role,
		    bool plain, struct kh_place *place)
{
	place->proposed = KH_REVIEW;
	if (token->kind == KH_TOKEN_MALFORMED) {
		place->reason = KH_WHY_MALFORMED;
	} else if (token->host_bits) {
		place->reason = KH_WHY_HOST_BITS;
	} else if (role == ROLE_EXEMPT || row->exempting) {
		place->reason = KH_WHY_CONTEXT;
	} else if (role == ROLE_SOURCE || role == ROLE_REMARK || role == ROLE_OTHER) {
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

/* An address beside ports: once with each. Lines of the two cells go together when they are as many. */
static int collect_ports(struct kh_table *table, const struct row *row, const struct kh_token *token, size_t line,
			 size_t lines, const struct kh_place *place)
{
	bool paired = lines > 1 && lines == row->port_lines && row->ports_count == lines;
	int result = 0;

	for (size_t i = paired ? line : 0; i < (paired ? line + 1 : row->ports_count) && !result; i++) {
		struct kh_indicator indicator = token->indicator;

		indicator.type = KH_TYPE_ADDRESS_PORT;
		indicator.port = row->ports[i].number;
		indicator.protocol = row->ports[i].protocol;
		result = kh_collect_take(table->collector, &indicator, place);
	}
	return result;
}

/* What stands at a place of the table. */
struct spot {
	const struct row *row;
	const struct kh_column *column;
	struct kh_line line;
	size_t index, lines; /* of the cell */
	bool plain;
};

static int collect(struct kh_table *table, const struct spot *spot, struct kh_token *token)
{
	enum role role = spot->column->role;
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
		return collect_name(table, token, role, spot->plain, &place);
	if (role == ROLE_PORT || (role == ROLE_OTHER && !token->defanged) ||
	    (token->kind == KH_TOKEN_MALFORMED && !(spot->plain && (role == ROLE_VALUE || table->feed))))
		return 0;
	propose(table, spot->row, token, role, spot->plain, &place);
	if (spot->row->ports_count && !table->feed && place.proposed == KH_ENFORCE &&
	    token->indicator.type == KH_TYPE_ADDRESS)
		return collect_ports(table, spot->row, token, spot->index, spot->lines, &place);
	return kh_collect_take(table->collector, &token->indicator, &place);
}

static int read_cell(struct kh_table *table, const struct row *row, size_t index)
{
	const struct kh_cell *cell = &row->cells[index];
	struct spot spot = { .row = row, .column = column_at(table, index), .lines = 1 };
	struct kh_cell line;
	int result = 0;

	for (size_t i = 0; i < cell->length; i++)
		spot.lines += cell->text[i] == KH_MARK_BREAK;
	for (size_t at = 0; !result && next_line(cell, &at, &line); spot.index++) {
		result = scan(table, &line, doubt_of((enum role)spot.column->role));
		if (result || !table->tokens.count)
			continue;
		spot.line = (struct kh_line){ line.text, line.length, row->line, row->page };
		spot.plain = kh_shape_of(&table->clean, &table->tokens).plain;
		for (size_t i = 0; i < table->tokens.count && !result; i++)
			result = collect(table, &spot, &table->tokens.list[i]);
	}
	return result;
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
		if (!table->rows)
			return kh_table_heading(table, cells, count);
		if (!blank && !table->skipped++)
			table->first_skipped = (size_t)line;
		return 0;
	}
	table->rows++;
	for (size_t i = 0; i < count && !result; i++)
		result = read_cell(table, &row, i);
	return result;
}
