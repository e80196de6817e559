// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Freeing documents; names.
 */
#include "model/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void kh_letter_clear(struct kh_letter *letter)
{
	free(letter->number);
	free(letter->date);
	free(letter->issuer);
	free(letter->subject);
	free(letter->report_by);
	free_texts(letter->relays, letter->relays_count);
	memset(letter, 0, sizeof(*letter));
}

void kh_finding_clear(struct kh_finding *finding)
{
	kh_indicator_clear(&finding->indicator);
	free(finding->raw);
	free(finding->column);
	finding->raw = finding->column = NULL;
}

void kh_part_clear(struct kh_part *part)
{
	free(part->name);
	free(part->data);
	*part = (struct kh_part){};
}

void kh_document_free(struct kh_document *document)
{
	if (!document)
		return;
	free(document->file);
	kh_letter_clear(&document->letter);
	for (size_t i = 0; i < document->findings_count; i++)
		kh_finding_clear(&document->findings[i]);
	free(document->findings);
	kh_bulk_clear(&document->bulk);
	free_texts(document->cves, document->cves_count);
	free(document->grades);
	free_texts(document->hashes, document->hashes_count);
	free_texts(document->notes, document->notes_count);
	for (size_t i = 0; i < document->parts_count; i++)
		kh_part_clear(&document->parts[i]);
	free(document->parts);
	free(document);
}

void kh_document_date(struct kh_document *document, int64_t now)
{
	for (size_t i = 0; i < document->findings_count; i++) {
		struct kh_finding *finding = &document->findings[i];

		if (finding->proposed == KH_REVIEW ||
		    (finding->starts <= now && (!finding->expires || finding->expires > now)))
			continue;
		finding->proposed = KH_REVIEW;
		finding->reason = KH_WHY_OUTDATED;
	}
}

int kh_document_note(struct kh_document *document, const char *note)
{
	char *copy = strdup(note), **notes = realloc(document->notes, (document->notes_count + 1) * sizeof(*notes));

	if (notes)
		document->notes = notes;
	if (!copy || !notes) {
		free(copy);
		return -ENOMEM;
	}
	notes[document->notes_count++] = copy;
	return 0;
}

int kh_documents_add(struct kh_documents *documents, struct kh_document *document_take)
{
	if (kh_grow(&documents->list, &documents->capacity, documents->count + 1, sizeof(struct kh_document *)) < 0) {
		kh_document_free(document_take);
		return -ENOMEM;
	}
	documents->list[documents->count++] = document_take;
	return 0;
}

void kh_documents_clear(struct kh_documents *documents)
{
	for (size_t i = 0; i < documents->count; i++)
		kh_document_free(documents->list[i]);
	free(documents->list);
	*documents = (struct kh_documents){};
}

const char *kh_document_format(const char *name)
{
	static const char *const formats[] = {
#define X(format) format,
		KH_DOCUMENT_FORMATS(X)
#undef X
	};

	for (size_t i = 0; i < KH_ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i], name))
			return formats[i];
	return NULL;
}

struct kh_grade kh_document_grade(const struct kh_document *document, size_t cve)
{
	return cve < document->grades_count ? document->grades[cve] : (struct kh_grade){};
}

static const char *const levels[] = { [KH_LEVEL_NONE] = "",
				      [KH_LEVEL_LOW] = "low",
				      [KH_LEVEL_MEDIUM] = "medium",
				      [KH_LEVEL_HIGH] = "high",
				      [KH_LEVEL_CRITICAL] = "critical" };

const char *kh_level_name(unsigned level)
{
	return level < KH_ARRAY_SIZE(levels) ? levels[level] : "";
}

enum kh_level kh_level_from_name(const char *name)
{
	for (enum kh_level level = KH_LEVEL_LOW; level <= KH_LEVEL_CRITICAL; level++)
		if (!strcmp(levels[level], name))
			return level;
	return KH_LEVEL_NONE;
}

const char *kh_section_name(enum kh_section section)
{
	switch (section) {
	case KH_SECTION_BODY:
		break;
	case KH_SECTION_ANNEX:
		return "annex";
	case KH_SECTION_LIST:
		return "list";
	}
	return "body";
}

/* ---- What the letter says it lists ---------------------------------------------------------------- */

struct found {
	size_t addresses, mentioned, domains;
};

static struct found count(const struct kh_document *document)
{
	struct found found = { .addresses = kh_bulk_count(&document->bulk) };

	for (size_t i = 0; i < document->findings_count; i++) {
		const struct kh_finding *finding = &document->findings[i];
		bool address = kh_indicator_enforceable(&finding->indicator);

		found.domains += finding->indicator.type == KH_TYPE_DOMAIN;
		found.mentioned += address && finding->reason == KH_WHY_PROSE;
		found.addresses += address && finding->reason != KH_WHY_PROSE;
	}
	return found;
}

static bool differs(int announced, size_t found)
{
	return announced >= 0 && (size_t)announced != found;
}

int kh_document_compare(struct kh_document *document)
{
	const struct kh_announced *announced = &document->announced;
	struct found found = count(document);
	size_t addresses = found.addresses;
	char note[256];
	int code = 0;

	if (!addresses || !differs(announced->addresses, addresses + found.mentioned))
		addresses += found.mentioned;
	if (differs(announced->addresses, addresses)) {
		snprintf(note, sizeof(note),
			 _("the letter announces %d addresses, %zu were read: compare with the letter"),
			 announced->addresses, addresses);
		code = kh_document_note(document, note);
	}
	if (!code && differs(announced->domains, found.domains)) {
		snprintf(note, sizeof(note),
			 _("the letter announces %d domains, %zu were read: compare with the letter"),
			 announced->domains, found.domains);
		code = kh_document_note(document, note);
	}
	if (!code && differs(announced->hashes, document->hashes_count)) {
		snprintf(note, sizeof(note),
			 _("the letter announces %d hashes, %zu were read: compare with the letter"), announced->hashes,
			 document->hashes_count);
		code = kh_document_note(document, note);
	}
	return code;
}
