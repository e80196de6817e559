// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Freeing documents; names.
 */
#include "model/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

void kh_letter_clear(struct kh_letter *letter)
{
	free(letter->number);
	free(letter->date);
	free(letter->issuer);
	free(letter->subject);
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

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
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
	if (kh_grow(&documents->list, &documents->capacity, documents->count + 1, sizeof(*documents->list)) < 0) {
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
