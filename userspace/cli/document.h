/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A document as it was read and judged here: its rows, for a terminal and for programs. A list of a million values is never a million
 * objects: of its plain values the terminal gets the first few, and the JSON form is written row by row.
 */
#ifndef KHIEN_CLI_DOCUMENT_H
#define KHIEN_CLI_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "guard/guard.h"
#include "model/document.h"

/* May be all zero: empty. */
struct kh_judged {
	struct kh_document *
		document; /* not owned; its findings grow by the values of its long list that the guard says something of */
	struct kh_judgement *judgements; /* of its findings */
	int only; /* rows of this decision only; -1: all. Set after kh_judged_make() */
	uint32_t *order; /* of its rows, by line: findings, then, counted on, plain values of the long list */
};

/* 0 or -ENOMEM. */
int kh_judged_make(struct kh_judged *judged, struct kh_document *document, const struct kh_guard *guard);
void kh_judged_clear(struct kh_judged *judged);

/* All but the rows: file, format, letter, announced, cves, hashes, notes (its own, then `more`). New reference; NULL: out of memory. */
json_t *kh_judged_head(const struct kh_judged *judged, const json_t *more);
/* How many rows there are by decision, as "enforce", "review", ... New reference. */
json_t *kh_judged_counts(const struct kh_judged *judged);
/* The findings and the first `most` of the plain values, by line. New reference; NULL: out of memory. */
json_t *kh_judged_rows(const struct kh_judged *judged, size_t most);
/* Writes the rows as comma-separated values (RFC 4180), with a line of names first if `names`. 0 or -ENOMEM. */
int kh_judged_write_csv(const struct kh_judged *judged, bool names, FILE *stream);
/* The rows that are about `value` (as typed), and what decided. New reference. */
json_t *kh_judged_rows_of(const struct kh_judged *judged, const struct kh_indicator *value);
/* Writes the head with all rows as "indicators", one a line. Takes the head. 0 or -ENOMEM; the stream keeps its own error. */
int kh_judged_write(const struct kh_judged *judged, json_t *head, FILE *stream);

#endif
