/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reader makes of one file: the letter's head, the values found with where and how they stood, and
 * what else is worth keeping (CVEs, hashes). Plain data; made by reader/, used by guard/ and the daemon.
 */
#ifndef KHIEN_MODEL_DOCUMENT_H
#define KHIEN_MODEL_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/bulk.h"
#include "model/decision.h"
#include "model/indicator.h"

/* How grave a vulnerability is, as a letter says; all zero: it does not say. */
enum kh_level {
	KH_LEVEL_NONE,
	KH_LEVEL_LOW,
	KH_LEVEL_MEDIUM,
	KH_LEVEL_HIGH,
	KH_LEVEL_CRITICAL,
};

struct kh_grade {
	uint8_t level; /* enum kh_level */
	uint8_t score; /* CVSS base score in tenths, 1..100; 0: not said */
};

/* Head of a letter (cong van). Every field may be NULL: header parsing is best effort. */
struct kh_letter {
	char *number; /* "81/VNCERT-ĐPƯC", NFC, without spaces */
	char *date; /* "2019-03-15" */
	char *issuer; /* the line above the number, or the signing body */
	char *subject; /* after "V/v" */
	char *report_by; /* "2017-09-30": until when it asks to be answered */
	char **relays; /* numbers of the letters that it passes on, as `number`, in order of appearance */
	size_t relays_count;
	bool headed; /* it has the head of a letter, whatever could be read of it */
	bool attached; /* an annex: `number` is that of the letter it says it belongs to */
	bool doubtful; /* `number` is a guess: two readings of a picture differ */
};

enum kh_section {
	KH_SECTION_BODY,
	KH_SECTION_ANNEX,
	KH_SECTION_LIST, /* the whole file is a list */
};

/* How a document is written; found by content. "scan": read from pictures of pages. "zip", "eml": what holds other documents. */
#define KH_DOCUMENT_FORMATS(X) \
	X("list")              \
	X("text")              \
	X("pdf")               \
	X("scan")              \
	X("docx")              \
	X("odt")               \
	X("xlsx")              \
	X("ods")               \
	X("html")              \
	X("eml")               \
	X("zip")               \
	X("csv")               \
	X("domains")           \
	X("stix")              \
	X("misp")              \
	X("openioc")           \
	X("json")

/* One value and where it stood. */
struct kh_finding {
	struct kh_indicator indicator;
	enum kh_decision proposed; /* ENFORCE, REVIEW or UNENFORCEABLE; the guard may lower it, never raise it */
	enum kh_decision_reason reason;
	char *raw; /* as written, printable, at most 256 bytes; owned */
	int page; /* 1-based; 0: the format has no pages */
	int line; /* 1-based */
	enum kh_section section;
	char *column; /* heading of the table column it stands in, printable, at most 64 bytes; NULL: none; owned */
	int64_t starts, expires; /* its source calls it valid from and until then; Unix seconds; 0: not said */
};

/* A file that a file holds: a member of an archive, an attachment. As found, unread. */
struct kh_part {
	char *name; /* without the name of what holds it; printable */
	void *data;
	size_t length;
};

struct kh_announced {
	int addresses; /* what the letter says it lists; -1: it does not say */
	int domains;
	int hashes;
};

struct kh_document {
	char *file; /* as given by the caller; owned */
	const char *format; /* one of KH_DOCUMENT_FORMATS; a constant */
	struct kh_letter letter;
	struct kh_announced announced;
	struct kh_finding *findings; /* in document order, no two with the same value; the strongest proposal is kept */
	size_t findings_count;
	struct kh_bulk
		bulk; /* plain values of a long list, in none of the findings; sorted; empty in any other document */
	char **cves; /* "CVE-2022-21990", in order of first appearance, no duplicates */
	size_t cves_count;
	struct kh_grade *grades; /* of the CVEs, in their order */
	size_t grades_count; /* at most cves_count; of those behind nothing is said */
	char **hashes; /* lower-case hex of 32, 40 or 64 digits, no duplicates */
	size_t hashes_count;
	char **notes; /* sentences for a person, already translated (e.g. "no network indicators: ...") */
	size_t notes_count;
	size_t duplicates; /* values seen again */
	struct kh_part *parts; /* files in it, to be read by themselves */
	size_t parts_count;
};

/* Findings and plain values. */
static inline size_t kh_document_values(const struct kh_document *document)
{
	return document->findings_count + kh_bulk_count(&document->bulk);
}

/* The documents of one file: itself, and those of the files in it. May be all zero: empty. */
struct kh_documents {
	struct kh_document **list; /* owned, and each of them */
	size_t count, capacity;
};

void kh_letter_clear(struct kh_letter *letter);
void kh_finding_clear(struct kh_finding *finding);
void kh_document_free(struct kh_document *document); /* takes NULL */
static inline void kh_document_freep(struct kh_document **document)
{
	kh_document_free(*document);
}

/* Proposals that their source does not call valid at `now` (Unix seconds) wait for review. */
void kh_document_date(struct kh_document *document, int64_t now);
/* The announced counts against what was read: a note for each that differs. Addresses only mentioned in a sentence count when that makes it right. 0, -ENOMEM. */
int kh_document_compare(struct kh_document *document);
int kh_document_note(struct kh_document *document, const char *note); /* adds one; 0, -ENOMEM */
int kh_documents_add(struct kh_documents *documents,
		     struct kh_document *document_take); /* owns it in any case; 0, -ENOMEM */
void kh_documents_clear(struct kh_documents *documents);
void kh_part_clear(struct kh_part *part);

const char *kh_document_format(const char *name); /* the constant of that name; NULL: there is no such format */
/* What it says of its CVE at that place. */
struct kh_grade kh_document_grade(const struct kh_document *document, size_t cve);
const char *kh_level_name(unsigned level); /* "low" "medium" "high" "critical"; "": none */
enum kh_level kh_level_from_name(const char *name); /* KH_LEVEL_NONE when there is none of that name */
const char *kh_section_name(enum kh_section section); /* "body" "annex" "list" */

#endif
