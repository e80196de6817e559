// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the headings of a table say of its columns.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "reader/heed.h"
#include "reader/private.h"

/* '_' and '-' count as spaces. */
static const char *const exempt_words[] = { "nAn nhAn", "victim",    "victims",	  "target",
					    "targets",	"whitelist", "allowlist", NULL };
static const char *const other_words[] = { "type",     "loAi",	    "kiEu",	  "email",    "e mail",	  "version",
					   "versions", "phiEn bAn", "file name",  "filename", "file",	  "files",
					   "tAp tin",  "tEp",	    "tEp tin",	  "mA bAm",   "hash",	  "hashes",
					   "md5",      "sha1",	    "sha256",	  "sha 1",    "sha 256",  "date",
					   "ngAy",     "time",	    "thOi gian",  "country",  "quOc gia", "asn",
					   "stt",      "tt",	    "user agent", "tags",     "status",	  NULL };
static const char *const address_words[] = {
	"ip",	    "ips",	 "ipv4",       "ipv6",	"dIa chI",   "address", "addresses", "domain",	"domains",
	"tEn miEn", "indicator", "indicators", "ioc",	"iocs",	     "chI bAo", "c2",	     "c&c",	"cnc",
	"host",	    "hosts",	 "hostname",   "fqdn",	"mAy chU",   "server",	"servers",   "network", "cidr",
	"prefix",   "netblock",	 "dstip",      "srcip", "ipaddress", NULL
};
static const char *const port_words[] = { "port", "ports", "cOng", "dstport", "dport", NULL };
static const char *const source_words[] = { "source",	 "sources",    "nguOn",	      "reference", "references",
					    "tham khAo", "bAo cAo",    "report",      "link",	   "links",
					    "permalink", "detail url", "details url", NULL };
static const char *const value_words[] = { "url",  "urls",    "uri",	   "value",    "values",
					   "data", "giA trI", "dUOng dAn", "liEn kEt", NULL };
static const char *const remark_words[] = { "ghi chU",	"mO tA",   "note",    "notes",	     "comment",
					    "comments", "remark",  "remarks", "description", "nOi dung",
					    "details",	"context", NULL };

static enum kh_role role_of(const char *folded)
{
	if (kh_word_find(folded, exempt_words))
		return KH_ROLE_EXEMPT;
	if (kh_word_find(folded, other_words))
		return KH_ROLE_OTHER;
	if (kh_word_find(folded, address_words))
		return KH_ROLE_VALUE;
	if (kh_word_find(folded, port_words))
		return KH_ROLE_PORT;
	if (kh_word_find(folded, source_words))
		return KH_ROLE_SOURCE;
	if (kh_word_find(folded, value_words))
		return KH_ROLE_VALUE;
	return kh_word_find(folded, remark_words) ? KH_ROLE_REMARK : KH_ROLE_UNKNOWN;
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
			*at = *at == KH_MARK_BREAK || *at == '_' || *at == '-' ? ' ' : *at;
		free(column->heading);
		column->heading = heading;
		column->role = role_of(folded);
		column->span = kh_span_heading(folded);
		table->valued = table->valued || column->role == KH_ROLE_VALUE;
		if (!table->feed && kh_talk_of(folded) == KH_TALK_BYSTANDERS)
			column->role = KH_ROLE_EXEMPT;
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
	table->valued = false;
}

int kh_table_names_values(const char *text, size_t length)
{
	char *folded KH_CLEANUP(kh_freep) = kh_fold(text, length);

	if (!folded)
		return -ENOMEM;
	for (char *at = folded; *at; at++)
		*at = *at == '_' || *at == '-' ? ' ' : *at;
	return role_of(folded) == KH_ROLE_VALUE;
}
