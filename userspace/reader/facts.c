// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is kept of a document besides values: CVE numbers with how grave each is, and hashes of files. No two alike.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "reader/private.h"
#include "reader/reader.h"

/* Adds text_take unless it is there; owns it in any case. */
static int collect_fact(struct kh_index *index, char ***list, size_t *count, size_t *capacity, char *text_take)
{
	char *text KH_CLEANUP(kh_freep) = text_take;
	size_t at = 0;
	int64_t position;
	uint64_t hash;
	int moved;

	if (!text || *count >= KH_READER_MAX_FINDINGS)
		return text ? 0 : -ENOMEM;
	hash = kh_hash_text(index->seed, text);
	while ((position = kh_index_next(index, hash, &at)) >= 0) {
		if (strcmp((*list)[position], text) == 0)
			return 0;
	}
	if (kh_grow(list, capacity, *count + 1, sizeof(**list)))
		return -ENOMEM;
	moved = kh_index_reserve(index);
	if (moved < 0)
		return moved;
	for (size_t i = 0; moved == 1 && i < *count; i++)
		kh_index_put(index, kh_hash_text(index->seed, (*list)[i]), (uint32_t)i);
	kh_index_put(index, hash, (uint32_t)*count);
	(*list)[(*count)++] = KH_TAKE(text);
	return 0;
}

/* "CVE-2022-21990" in capitals. malloc'ed; NULL: out of memory. */
static char *cve_name(const char *text, size_t length)
{
	char *copy = strndup(text, length);

	for (char *at = copy; at && *at; at++)
		*at = *at >= 'a' && *at <= 'z' ? (char)(*at - 32) : *at;
	return copy;
}

int kh_collect_cve(struct kh_collector *collector, const char *text, size_t length)
{
	struct kh_document *document = collector->document;
	char *copy = cve_name(text, length);

	return collect_fact(&collector->cves, &document->cves, &document->cves_count, &collector->cves_capacity, copy);
}

int kh_collect_hash(struct kh_collector *collector, const char *text, size_t length)
{
	struct kh_document *document = collector->document;
	char *copy = strndup(text, length);

	for (char *at = copy; at && *at; at++)
		*at = kh_lower(*at);
	return collect_fact(&collector->hashes, &document->hashes, &document->hashes_count, &collector->hashes_capacity,
			    copy);
}

int64_t kh_collect_find_cve(const struct kh_collector *collector, const char *text, size_t length)
{
	char *name KH_CLEANUP(kh_freep) = cve_name(text, length);
	size_t at = 0;
	int64_t position;
	uint64_t hash;

	if (!name || !collector->document->cves_count)
		return name ? -ENOENT : -ENOMEM;
	hash = kh_hash_text(collector->cves.seed, name);
	while ((position = kh_index_next(&collector->cves, hash, &at)) >= 0)
		if (!strcmp(collector->document->cves[position], name))
			return position;
	return -ENOENT;
}

int kh_collect_grade(struct kh_collector *collector, size_t position, const struct kh_grade *grade)
{
	struct kh_document *document = collector->document;
	struct kh_grade *held;

	if (kh_grow(&document->grades, &collector->grades_capacity, position + 1, sizeof(*document->grades)))
		return -ENOMEM;
	while (document->grades_count <= position)
		document->grades[document->grades_count++] = (struct kh_grade){};
	held = &document->grades[position];
	if (!held->score)
		held->score = grade->score;
	if (!held->level)
		held->level = grade->level;
	return 0;
}
