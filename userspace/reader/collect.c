// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gathers what a reader finds into the document: every value once, in order of first appearance, with the strongest
 * proposal and where that one stood. Owns the document until the reader is done.
 */
#include "reader/heed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "common/lang.h"
#include "common/text.h"
#include "reader/reader.h"

#define RAW_MAX ((size_t)256)
#define COLUMN_MAX ((size_t)64)

static uint64_t hash_indicator(uint64_t seed, const struct kh_indicator *indicator)
{
	const struct kh_range *range = &indicator->range;

	seed = kh_hash_mix(seed ^
			   ((uint64_t)indicator->type << 32 | (uint64_t)indicator->port << 8 | indicator->protocol));
	if (indicator->text)
		return kh_hash_text(seed + indicator->subdomains, indicator->text);
	seed = kh_hash_mix(seed + (uint64_t)range->first + range->family);
	if (range->family == 6)
		seed = kh_hash_mix(seed + (uint64_t)(range->first >> 64));
	return kh_hash_mix(seed + (uint64_t)(range->last - range->first));
}

static bool same_indicator(const struct kh_indicator *a, const struct kh_indicator *b)
{
	if (a->type != b->type || a->port != b->port || a->protocol != b->protocol || a->subdomains != b->subdomains)
		return false;
	if (a->text || b->text)
		return a->text && b->text && strcmp(a->text, b->text) == 0;
	return a->range.family == b->range.family && a->range.first == b->range.first && a->range.last == b->range.last;
}

/* ---- Values ------------------------------------------------------------------------------------- */

/* The kernel's 16 random bytes for this process: nothing is asked of the world, and the input cannot know them. */
static uint64_t secret(void)
{
	const void *bytes = (const void *)getauxval(AT_RANDOM); // NOLINT(performance-no-int-to-ptr)
	uint64_t halves[2] = { 1, 2 };

	if (bytes)
		memcpy(halves, bytes, sizeof(halves));
	return kh_hash_mix(halves[0] ^ kh_hash_mix(halves[1]));
}

int kh_collector_init(struct kh_collector *collector, const char *file, const char *format, struct kh_error *error)
{
	uint64_t seed = secret();

	*collector = (struct kh_collector){ .error = error };
	collector->findings.seed = collector->cves.seed = collector->hashes.seed = seed;
	collector->document = calloc(1, sizeof(*collector->document));
	if (!collector->document)
		return -ENOMEM;
	collector->document->format = format;
	collector->document->announced = (struct kh_announced){ -1, -1, -1 };
	collector->document->file = strdup(file);
	return collector->document->file ? 0 : -ENOMEM;
}

void kh_collector_clear(struct kh_collector *collector)
{
	kh_document_free(collector->document);
	free(collector->findings.slots);
	free(collector->cves.slots);
	free(collector->hashes.slots);
	*collector = (struct kh_collector){ 0 };
}

static struct kh_finding *find(struct kh_collector *collector, uint64_t hash, const struct kh_indicator *indicator)
{
	size_t at = 0;
	int64_t position;

	while ((position = kh_index_next(&collector->findings, hash, &at)) >= 0) {
		struct kh_finding *finding = &collector->document->findings[position];

		if (same_indicator(&finding->indicator, indicator))
			return finding;
	}
	return NULL;
}

/* Of one line, with blanks of any kind as spaces. */
static void make_printable(char *text)
{
	bool plain = true; /* ASCII: the input holds no control characters but blanks */

	for (char *at = text; *at; at++) {
		*at = kh_is_blank(*at) ? ' ' : *at;
		plain = plain && !(*at & 0x80);
	}
	if (!plain)
		kh_text_printable(text);
}

/* What was written, printable, cut between characters. */
static char *make_shown(const char *text, size_t length, size_t most)
{
	char *shown;

	if (length > most)
		length = kh_utf8_check(text, most);
	shown = strndup(text, length);
	if (shown)
		make_printable(shown);
	return shown;
}

/* Raw form and column of the place. 0 or -ENOMEM. */
static int show_place(const struct kh_place *place, char **ret_raw, char **ret_column)
{
	char *raw KH_CLEANUP(kh_freep) = make_shown(place->raw, place->raw_length, RAW_MAX);
	char *column = NULL;

	if (!raw)
		return -ENOMEM;
	if (place->column_length) {
		column = make_shown(place->column, place->column_length, COLUMN_MAX);
		if (!column)
			return -ENOMEM;
	}
	*ret_raw = KH_TAKE(raw);
	*ret_column = column;
	return 0;
}

static int rank(enum kh_decision proposed)
{
	return proposed == KH_ENFORCE ? 2 : proposed == KH_UNENFORCEABLE ? 1 : 0;
}

static int strengthen(struct kh_finding *finding, const struct kh_place *place)
{
	char *raw, *column;

	if (rank(place->proposed) <= rank(finding->proposed))
		return 0;
	if (show_place(place, &raw, &column) < 0)
		return -ENOMEM;
	free(finding->raw);
	free(finding->column);
	finding->raw = raw;
	finding->column = column;
	finding->starts = place->starts;
	finding->expires = place->expires;
	finding->proposed = place->proposed;
	finding->reason = place->reason;
	finding->section = place->section;
	finding->page = place->page;
	finding->line = place->line;
	return 0;
}

/* Is there room for one more value? 0 or -EFBIG, with error. */
static int check_count(struct kh_collector *collector)
{
	const struct kh_document *document = collector->document;

	if (kh_document_values(document) < KH_READER_MAX_FINDINGS)
		return 0;
	kh_fail(collector->error, -EFBIG, _("%s: more than %zu values in one file"), document->file,
		KH_READER_MAX_FINDINGS);
	kh_hint(collector->error, _("split it into several files"));
	return -EFBIG;
}

static int reserve_finding(struct kh_collector *collector)
{
	struct kh_document *document = collector->document;
	int moved;

	if (check_count(collector))
		return -EFBIG;
	if (kh_grow(&document->findings, &collector->findings_capacity, document->findings_count + 1,
		    sizeof(*document->findings)))
		return -ENOMEM;
	moved = kh_index_reserve(&collector->findings);
	for (size_t i = 0; moved == 1 && i < document->findings_count; i++)
		kh_index_put(&collector->findings,
			     hash_indicator(collector->findings.seed, &document->findings[i].indicator), (uint32_t)i);
	return moved < 0 ? moved : 0;
}

static int add(struct kh_collector *collector, struct kh_indicator *indicator, const struct kh_place *place)
{
	struct kh_document *document = collector->document;
	uint64_t hash = hash_indicator(collector->findings.seed, indicator);
	struct kh_finding *finding = find(collector, hash, indicator);
	char *raw, *column;
	int result;

	if (finding) {
		document->duplicates++;
		return strengthen(finding, place);
	}
	result = reserve_finding(collector);
	if (result)
		return result;
	if (show_place(place, &raw, &column) < 0)
		return -ENOMEM;
	kh_index_put(&collector->findings, hash, (uint32_t)document->findings_count);
	document->findings[document->findings_count++] = (struct kh_finding){
		.indicator = *indicator,
		.proposed = place->proposed,
		.reason = place->reason,
		.raw = raw,
		.page = place->page,
		.line = place->line,
		.section = place->section,
		.column = column,
		.starts = place->starts,
		.expires = place->expires,
	};
	*indicator = (struct kh_indicator){ 0 };
	return 0;
}

/* Formats that people write by hand, or copy out of pages. */
static bool is_written(const char *format)
{
	static const char *const written[] = { "list", "text", "pdf", "scan", "docx",
					       "odt",  "xlsx", "ods", "html", "eml" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(written); i++)
		if (strcmp(format, written[i]) == 0)
			return true;
	return false;
}

/* Two values in one wait, with the guess in a note. 0 or -ENOMEM. */
static int doubt_glued(struct kh_collector *collector, const struct kh_indicator *indicator, struct kh_place *place)
{
	bool name = indicator->type == KH_TYPE_DOMAIN, unknown = indicator->type == KH_TYPE_UNKNOWN;
	const char *text = indicator->text;
	size_t cut;

	if (!text || !(name || unknown) || !is_written(collector->document->format))
		return 0;
	if (unknown && strchr(text, '%') && strchr(text, ':'))
		place->reason = KH_WHY_ZONE;
	cut = name ? kh_glued_name(text) : kh_glued_addresses(text, strlen(text));
	if (!cut)
		return 0;
	place->proposed = KH_REVIEW;
	place->reason = KH_WHY_GLUED;
	if (find(collector, hash_indicator(collector->findings.seed, indicator), indicator))
		return 0;
	return kh_collect_note(collector, _("perhaps two values written together: %s may be %.*s and %s"), text,
			       (int)cut, text, text + cut);
}

int kh_collect_take(struct kh_collector *collector, struct kh_indicator *indicator, const struct kh_place *place)
{
	struct kh_place wide = *place;
	int result;

	if (indicator->type == KH_TYPE_DOMAIN && kh_name_is_public_suffix(indicator->text)) {
		wide.proposed = KH_REVIEW;
		wide.reason = KH_WHY_TOO_WIDE;
	}
	if (indicator->type == KH_TYPE_UNKNOWN && indicator->text)
		make_printable(indicator->text);
	result = doubt_glued(collector, indicator, &wide);
	if (!result)
		result = add(collector, indicator, &wide);
	kh_indicator_clear(indicator);
	return result;
}

int kh_collect_top_level(struct kh_collector *collector, const char *text, size_t length, const struct kh_place *place)
{
	struct kh_place wide = *place;
	struct kh_indicator indicator = { .type = KH_TYPE_UNKNOWN };

	while (length && (*text == '*' || *text == '.')) {
		text++;
		length--;
	}
	while (length && text[length - 1] == '.')
		length--;
	if (asprintf(&indicator.text, "*.%.*s", (int)length, text) < 0)
		return -ENOMEM;
	wide.proposed = KH_REVIEW;
	wide.reason = KH_WHY_TOO_WIDE;
	return kh_collect_take(collector, &indicator, &wide);
}

struct kh_place kh_place_of(const struct kh_line *line, const struct kh_clean *clean, const struct kh_token *token,
			    enum kh_section section)
{
	size_t start = kh_origin(clean, token->start), end = kh_origin(clean, token->end);

	return (struct kh_place){
		.section = section,
		.page = line->page,
		.line = line->number,
		.raw = line->text + start,
		.raw_length = end - start,
	};
}

/* ---- Long lists --------------------------------------------------------------------------------- */

int kh_collect_bulk(struct kh_collector *collector, const struct kh_range *range, int line)
{
	int result = check_count(collector);

	return result ? result : kh_bulk_add(&collector->document->bulk, range, (uint32_t)line);
}

static bool is_in_bulk(const struct kh_bulk *bulk, const struct kh_indicator *indicator)
{
	return kh_indicator_enforceable(indicator) && indicator->type != KH_TYPE_ADDRESS_PORT &&
	       kh_bulk_holds(bulk, &indicator->range);
}

/* A plain value is the strongest proposal there is: a finding of the same value is a duplicate of it. */
int kh_collect_bulk_end(struct kh_collector *collector)
{
	struct kh_document *document = collector->document;
	int64_t dropped = kh_bulk_sort(&document->bulk);
	size_t kept = 0;

	if (dropped < 0)
		return -ENOMEM;
	document->duplicates += (size_t)dropped;
	for (size_t i = 0; i < document->findings_count; i++) {
		if (is_in_bulk(&document->bulk, &document->findings[i].indicator)) {
			document->duplicates++;
			kh_finding_clear(&document->findings[i]);
		} else {
			document->findings[kept++] = document->findings[i];
		}
	}
	document->findings_count = kept;
	return 0;
}

/* ---- Parts and notes ---------------------------------------------------------------------------- */

int kh_collect_part(struct kh_collector *collector, const char *name, const void *data, size_t length)
{
	struct kh_document *document = collector->document;
	struct kh_part part = { .name = strdup(name), .data = malloc(length + 1), .length = length };

	if (!part.name || !part.data ||
	    kh_grow(&document->parts, &collector->parts_capacity, document->parts_count + 1,
		    sizeof(*document->parts))) {
		kh_part_clear(&part);
		return -ENOMEM;
	}
	kh_text_printable(part.name);
	memcpy(part.data, data, length);
	document->parts[document->parts_count++] = part;
	return 0;
}

int kh_collect_note(struct kh_collector *collector, const char *format, ...)
{
	char *note KH_CLEANUP(kh_freep) = NULL;
	va_list values;
	int length;

	va_start(values, format);
	length = vasprintf(&note, format, values);
	va_end(values);
	if (length < 0)
		return -ENOMEM;
	kh_text_printable(note);
	return kh_document_note(collector->document, note);
}
