// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Letters and reports in running text. Two tiers: what stands as an item of a list, table or annex, or is written
 * defanged, is proposed for enforcement; what is only mentioned waits for review. What belongs to the letter itself
 * (contacts, links for reading, section numbers, versions) is not an indicator; links are counted in a note.
 */
#include "reader/prose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

#define SENTENCE_WORDS 8 /* a line with fewer is a heading, a cell, an item */
static void prose_clear(struct prose *prose)
{
	kh_clean_clear(&prose->clean);
	kh_clean_clear(&prose->ahead);
	kh_tokens_free(&prose->tokens);
	kh_tokens_free(&prose->ahead_tokens);
	kh_table_clear(&prose->table);
	kh_bytes_clear(&prose->joined);
	kh_bytes_clear(&prose->heed.sentence);
	free(prose->folded);
	free(prose->words);
}

static bool is_blank_line(const struct kh_line *line)
{
	for (size_t i = 0; i < line->length; i++) {
		if (!kh_is_blank(line->text[i]))
			return false;
	}
	return true;
}

/* Does the next line that is not blank begin with a value? 1, 0, -ENOMEM. */
static int value_ahead(struct prose *prose)
{
	struct kh_lines lines = *prose->rest;
	struct kh_line line;
	int result;

	do {
		if (kh_lines_next(&lines, &line) != 1)
			return 0;
	} while (is_blank_line(&line));
	result = kh_refang(line.text, line.length, &prose->ahead);
	if (!result)
		result = kh_tokens_read(&prose->ahead_tokens, &prose->ahead, KH_DOUBTED);
	return result ? result : kh_shape_of(&prose->ahead, &prose->ahead_tokens).leading > 0;
}

/* Is the line the rest of a sentence begun above, so that a value at its start is no item? 1, 0, -ENOMEM. */
static int continues(struct prose *prose)
{
	const struct kh_line_before *previous = &prose->previous;
	int ahead;

	if (prose->shape.marker || previous->item || previous->words < SENTENCE_WORDS ||
	    strchr(".:;!?", previous->last))
		return 0;
	if (!prose->shape.plain || previous->last == ',' || previous->last == '(')
		return 1;
	if (prose->section == KH_SECTION_ANNEX)
		return 0;
	ahead = value_ahead(prose);
	return ahead < 0 ? ahead : !ahead;
}

/* Does the token stand as an item of a list, table or annex? 1, 0, -ENOMEM. */
static int is_item(struct prose *prose, size_t which, int continued)
{
	bool annex = prose->section == KH_SECTION_ANNEX;

	if (prose->has_cve || kh_is_heading_number(&prose->clean, &prose->tokens.list[which], &prose->shape))
		return 0;
	switch (kh_stand_of(&prose->clean, &prose->tokens, which, &prose->shape)) {
	case KH_STANDS_FIRST:
		return !continued;
	case KH_STANDS_IN_CELL:
		return 1;
	case KH_STANDS_IN_COLUMN:
		return annex;
	case KH_STANDS_LABELLED:
		return annex || prose->about.accusing;
	default:
		return 0;
	}
}

/* ---- Names: domains and URLs -------------------------------------------------------------------- */

static void host_of(const char *text, char *ret_host, size_t size)
{
	const char *scheme = strstr(text, "://");
	const char *host = scheme ? scheme + 3 : text;
	size_t length = strcspn(host, "/?#");

	snprintf(ret_host, size, "%.*s", (int)(length < size ? length : size - 1), host);
}

/* Is the name an indicator, or part of the letter's furniture? */
static bool keeps_name(const struct prose *prose, const struct kh_token *token, bool item, const char *host)
{
	bool known = kh_domain_reference(host, strcspn(host, ":"));

	if (token->defanged)
		return true;
	if (known && (prose->section != KH_SECTION_ANNEX || !item || token->indicator.type == KH_TYPE_URL))
		return false;
	if (prose->about.agent || prose->references || prose->has_cve)
		return false;
	if (prose->about.accusing || (item && prose->shape.words == 0))
		return true;
	return !prose->about.reference && !prose->contact;
}

static void count_link(struct prose *prose, const char *host)
{
	size_t at = 0;

	while (at < HOSTS_SHOWN && prose->hosts[at][0] && strcmp(prose->hosts[at], host) != 0)
		at++;
	if (at < HOSTS_SHOWN)
		snprintf(prose->hosts[at], sizeof(prose->hosts[at]), "%s", host);
	prose->links++;
}

static int collect_name(struct prose *prose, struct kh_token *token, bool item)
{
	struct kh_place place = kh_place_of(&prose->line, &prose->clean, token, prose->section);
	char host[sizeof(prose->hosts[0])];
	int spared;

	host_of(token->indicator.text, host, sizeof(host));
	if (!keeps_name(prose, token, item, host)) {
		count_link(prose, host);
		return 0;
	}
	spared = kh_prose_spared(prose, token, item);
	if (spared < 0)
		return spared;
	if (kh_prose_is_cut(prose, token)) {
		place.proposed = KH_REVIEW;
		place.reason = KH_WHY_CUT;
		return kh_collect_take(prose->collector, &token->indicator, &place);
	}
	place.proposed = spared ? KH_REVIEW : KH_UNENFORCEABLE;
	place.reason = spared ? KH_WHY_CONTEXT : token->indicator.type == KH_TYPE_URL ? KH_WHY_URL : KH_WHY_DOMAIN;
	return kh_collect_take(prose->collector, &token->indicator, &place);
}

/* ---- Addresses ---------------------------------------------------------------------------------- */

/* "phiên bản 14.0.4.1"; 1, 0, -ENOMEM. */
static int is_version(const struct prose *prose, const struct kh_token *token)
{
	size_t from = token->start > 40 ? token->start - 40 : 0;
	char *folded KH_CLEANUP(kh_freep) = NULL;

	while (from < token->start && (prose->clean.text[from] & 0xc0) == 0x80)
		from++;
	folded = kh_fold(prose->clean.text + from, token->start - from);
	return folded ? kh_is_version_before(folded) : -ENOMEM;
}

static void propose(const struct prose *prose, const struct kh_token *token, bool item, bool spared,
		    struct kh_place *place)
{
	place->proposed = KH_REVIEW;
	if (token->kind == KH_TOKEN_MALFORMED) {
		place->reason = KH_WHY_MALFORMED;
	} else if (token->host_bits) {
		place->reason = KH_WHY_HOST_BITS;
	} else if (!item && !token->defanged) {
		place->reason = KH_WHY_PROSE;
	} else if (spared) {
		place->reason = KH_WHY_CONTEXT;
	} else if (prose->heed.versions && !token->defanged) {
		place->reason = KH_WHY_PROSE;
	} else {
		place->proposed = KH_ENFORCE;
		place->reason = !item				     ? KH_WHY_DEFANGED
				: prose->section == KH_SECTION_ANNEX ? KH_WHY_ANNEX
								     : KH_WHY_TABLE;
	}
}

static int collect_address(struct prose *prose, struct kh_token *token, bool item)
{
	struct kh_place place = kh_place_of(&prose->line, &prose->clean, token, prose->section);
	int version, spared;

	if (!token->defanged) {
		if ((!item && prose->about.agent) || kh_is_heading_number(&prose->clean, token, &prose->shape))
			return 0;
		if (token->kind == KH_TOKEN_MALFORMED && (!item || prose->contact) &&
		    !kh_glued_addresses(token->indicator.text, strlen(token->indicator.text)))
			return 0;
		version = item ? 0 : is_version(prose, token);
		if (version)
			return version < 0 ? version : 0;
	}
	spared = kh_prose_spared(prose, token, item);
	if (spared < 0)
		return spared;
	propose(prose, token, item, spared, &place);
	if (kh_prose_is_cut(prose, token)) {
		place.proposed = KH_REVIEW;
		place.reason = KH_WHY_CUT;
	}
	return kh_collect_take(prose->collector, &token->indicator, &place);
}

/* ---- Lines -------------------------------------------------------------------------------------- */

static int collect_token(struct prose *prose, size_t which, int continued)
{
	struct kh_token *token = &prose->tokens.list[which];
	const char *text = prose->clean.text + token->start;
	int item;

	if (token->kind == KH_TOKEN_CVE)
		return kh_collect_cve(prose->collector, text, token->end - token->start);
	if (token->kind == KH_TOKEN_HASH)
		return kh_collect_hash(prose->collector, text, token->end - token->start);
	item = is_item(prose, which, continued);
	if (item < 0)
		return item;
	if (item)
		prose->previous.item = true;
	if (token->indicator.type == KH_TYPE_DOMAIN || token->indicator.type == KH_TYPE_URL)
		return collect_name(prose, token, item);
	return collect_address(prose, token, item);
}

static void enter(struct prose *prose)
{
	if (kh_is_annex_heading(prose->folded, prose->line.text, prose->line.length)) {
		prose->section = KH_SECTION_ANNEX;
		prose->references = false;
		prose->heed.exempt = prose->heed.bystanders = false;
	} else if (kh_is_reference_heading(prose->folded)) {
		prose->references = true;
	} else if (prose->references && prose->shape.words >= 2 && prose->shape.last == ':') {
		prose->references = false;
	}
	prose->contact = kh_is_contact_line(prose->folded) ||
			 (prose->contact && !prose->shape.marker && !strchr(".:;!?", prose->previous.last));
}

static struct about about_of(const char *folded, const char *words)
{
	return (struct about){
		.agent = kh_is_agent_line(folded),
		.accusing = kh_is_accusing(folded),
		.exempting = kh_is_exempting(folded),
		.reference = kh_is_reference_line(folded),
		.talk = kh_talk_of(words),
	};
}

static int read_line(struct prose *prose)
{
	struct kh_line_before before = prose->previous;
	int result = kh_refang(prose->line.text, prose->line.length, &prose->clean), continued = 0;

	if (!result)
		result = kh_tokens_read(&prose->tokens, &prose->clean, KH_DOUBTED);
	if (result)
		return result;
	free(prose->folded);
	free(prose->words);
	prose->folded = kh_fold(prose->line.text, prose->line.length);
	prose->words = kh_talk_fold(&prose->clean, &prose->tokens);
	if (!prose->folded || !prose->words)
		return -ENOMEM;
	prose->shape = kh_shape_of(&prose->clean, &prose->tokens);
	prose->has_cve = false;
	for (size_t i = 0; i < prose->tokens.count; i++)
		prose->has_cve = prose->has_cve || prose->tokens.list[i].kind == KH_TOKEN_CVE;
	if (prose->tokens.count)
		prose->about = about_of(prose->folded, prose->words);
	kh_prose_agent(prose);
	enter(prose);
	if (kh_prose_cuts(prose))
		return -ENOMEM;
	if (kh_heed_sentence(&prose->heed, prose->words, &prose->shape, &before))
		return -ENOMEM;
	if (prose->shape.leading)
		continued = continues(prose);
	if (continued < 0)
		return continued;
	prose->previous.item = false;
	for (size_t i = 0; i < prose->tokens.count && !result; i++)
		result = collect_token(prose, i, continued);
	if (!result)
		result = kh_grades_line(prose->collector, prose->folded);
	if (!prose->previous.item)
		kh_heed_line(&prose->heed, prose->folded, &prose->shape, &before);
	prose->previous.last = prose->shape.last;
	prose->previous.words = prose->shape.words;
	if (continued && before.words > prose->shape.words)
		prose->previous.words = before.words;
	return result;
}

/* The number of the row in its document, if the line says it; *at moves behind it. */
static int row_number(const struct prose *prose, const char **at)
{
	const char *end = prose->line.text + prose->line.length, *digit = *at;
	int number = 0;

	while (digit < end && kh_is_digit(*digit) && number <= KH_MARK_ROW_MAX / 10)
		number = number * 10 + (*digit++ - '0');
	if (digit == *at || digit >= end || *digit != KH_MARK_ROW || !number)
		return prose->line.number;
	*at = digit + 1;
	return number;
}

/* A row of a table, as text with marks has it. The last of very many cells holds the rest of the line. */
static int read_row(struct prose *prose)
{
	struct kh_cell cells[KH_TABLE_COLUMNS];
	const char *at = prose->line.text + 1, *end = prose->line.text + prose->line.length;
	int number = row_number(prose, &at);
	size_t count = 0;

	while (count < KH_TABLE_COLUMNS) {
		const char *next = count + 1 < KH_TABLE_COLUMNS ? memchr(at, KH_MARK_CELL, (size_t)(end - at)) : NULL;

		cells[count++] = (struct kh_cell){ at, (size_t)((next ? next : end) - at) };
		if (!next)
			break;
		at = next + 1;
	}
	prose->table.section = prose->section;
	prose->table.heed = &prose->heed;
	prose->previous = (struct kh_line_before){ .last = '.', .item = true };
	return kh_table_row(&prose->table, cells, count, prose->line.page, number);
}

static int read_marked(struct prose *prose)
{
	switch (prose->line.text[0]) {
	case KH_MARK_TABLE:
		kh_table_begin(&prose->table);
		return 0;
	case KH_MARK_ROW:
		return read_row(prose);
	default:
		return read_line(prose);
	}
}

static int add_notes(struct prose *prose)
{
	char shown[HOSTS_SHOWN * 66] = "";
	size_t length = 0;

	if (!prose->links)
		return 0;
	for (size_t i = 0; i < HOSTS_SHOWN && prose->hosts[i][0]; i++)
		length += (size_t)snprintf(shown + length, sizeof(shown) - length, "%s%s", i ? ", " : "",
					   prose->hosts[i]);
	return kh_collect_note(prose->collector,
			       _("links for reading and contacts are not taken as indicators: %zu (%s)"), prose->links,
			       shown);
}

int kh_prose_read(const struct kh_input *input, struct kh_collector *collector)
{
	struct kh_lines lines;
	struct prose prose KH_CLEANUP(prose_clear) = {
		.collector = collector, .rest = &lines, .previous = { .last = '.' }, .table = { .collector = collector }
	};
	int result;

	kh_lines_init(&lines, input->text, input->length);
	while ((result = kh_lines_next(&lines, &prose.line)) == 1) {
		if (is_blank_line(&prose.line)) {
			prose.piece[0] = '\0';
			continue;
		}
		result = kh_unwrap(&lines, &prose.line, &prose.joined);
		if (!result)
			result = read_marked(&prose);
		if (result)
			return result;
	}
	if (result)
		return kh_fail_long_line(input, &prose.line, collector->error);
	return add_notes(&prose);
}
