/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan: what push and block are about to order, letter by letter. Made from documents or typed values, judged by the guard,
 * written to the ledger in one transaction, applied or (dry run) rolled back: so the preview is the real thing.
 */
#ifndef KHIEN_DAEMON_PLAN_H
#define KHIEN_DAEMON_PLAN_H

#include <sodium.h>

#include "daemon/private.h"

struct kh_plan_letter {
	struct kh_letter head; /* number NULL: by hand */
	int year;
	int64_t id; /* of a letter known before; else 0 until it is written */
	struct kh_finding *findings; /* shallow copies; the documents own them, or the plan */
	const char **files; /* of each finding */
	size_t count, capacity;
	struct kh_judgement *judgements; /* of each finding, once judged */
	uint8_t *outcome; /* of each finding when written: 1 new or changed, 0 as it was */
};

struct kh_plan_file {
	struct kh_document *document;
	uint8_t sha256[32];
	size_t letter;
	int64_t loaded; /* loaded before: when; 0 */
	/* of the document's bulk list, when written: values new or changed, and as they were; the others have rows and became findings */
	size_t bulk_made, bulk_unchanged;
};

struct kh_plan {
	const char *kind; /* of the change */
	enum kh_action action;
	int64_t expires; /* 0: none */
	bool replaces; /* its one letter, known before, orders what the plan holds and nothing else; what a person decided stands */
	int64_t withdrawn; /* orders that this touched, when written */
	struct kh_plan_letter *letters;
	size_t letters_count;
	struct kh_plan_file *files;
	size_t files_count;
	char **owned; /* texts of findings that no document owns */
	size_t owned_count, owned_capacity;
	const char *date,
		*issuer; /* as a person corrects them, of its one letter; borrowed from the request; NULL: as read */
	bool corrected; /* that changed what the ledger holds of the letter, when written */
	size_t rows_each; /* rows of one decision in the answer, at most */
};

void kh_plan_clear(struct kh_plan *plan);
/* Adds a finding to a letter; 0 or -ENOMEM. */
int kh_plan_add(struct kh_plan_letter *letter, const struct kh_finding *finding, const char *file);
/* push.c: reads the files of a request into letters. What they hold is the plan's. 0 or -errno with error. */
int kh_plan_documents(const struct kh_request *request, struct kh_plan *plan, struct kh_error *error);
/* letters.c: gives the files to letters, names their issuers, takes what a person corrects. 0; -EMLINK: the request is wrong; or -ENOMEM; with error. */
int kh_plan_letters(const struct kh_request *request, struct kh_plan *plan, struct kh_error *error);
/* push.c: keeps, of findings of the same value, the strongest proposal; the others in their order. 0 or -ENOMEM. */
int kh_plan_keep_strongest(struct kh_plan_letter *letter);
/* Finds or makes the letter in the ledger, with what was corrected and the letters that it passes on. 0 or -errno with error. */
int kh_plan_put_letter(struct kh_core *core, struct kh_plan *plan, size_t index, struct kh_error *error);
int kh_letter_year(const struct kh_letter *letter); /* of its date, else this one */
/* The other letters that are the same advisory, each with how many values of `letter` (may be NULL) it orders too ("shared"). */
json_t *kh_json_chain(const struct kh_core *core, int64_t id, const struct kh_plan_letter *letter);
/* When an order of it ends: the plan's deadline, or the end its source gives it, whichever is first; 0: none. */
int64_t kh_plan_expires(const struct kh_plan *plan, const struct kh_finding *finding);
/* What the rows of a plan come to. Begins zeroed, with the hash initialised. */
struct kh_plan_tally {
	size_t decisions[KH_DECISION_COUNT];
	size_t unchanged, changed, omitted;
	crypto_hash_sha256_state hash;
};

/* plan_bulk.c: bulk lists on their way through a plan. */
/* Judges a letter. What the guard has to say something about comes out of its bulk lists and is a finding of it. 0 or -errno. */
int kh_plan_judge(const struct kh_request *request, struct kh_plan *plan, size_t letter);
/* Writes the bulk list of a file. Values that have rows are added to the findings of its letter, judged, and not written yet. */
int kh_plan_write_bulk(const struct kh_request *request, struct kh_plan *plan, struct kh_plan_file *file,
		       struct kh_error *error);
/* Adds what its lists come to, and rows while there is room. */
void kh_plan_answer_bulk(const struct kh_core *core, const struct kh_plan *plan, struct kh_plan_tally *tally,
			 json_t *rows);
/* Room for the judgement and outcome of each finding; the new ones are zero. 0 or -ENOMEM. */
int kh_plan_reserve(struct kh_plan_letter *letter, size_t before);

/* Judges, writes, applies (or rolls back for a dry run), proves, answers. Consumes nothing. */
json_t *kh_plan_run(const struct kh_request *request, struct kh_plan *plan);

/* The reply's body, in plan_answer.c: fills the tally; exit is KH_EXIT_PARTLY when something is not to be enforced. */
json_t *kh_plan_answer(const struct kh_core *core, const struct kh_plan *plan, struct kh_plan_tally *tally);
/* One row of the answer. */
json_t *kh_plan_row(const struct kh_core *core, const struct kh_plan *plan, const struct kh_plan_letter *letter,
		    const struct kh_finding *finding, const struct kh_judgement *judgement, const char *file,
		    bool changed);
/* The name of exactly this plan, from the tally's hash, which it ends. */
void kh_plan_token(struct kh_plan_tally *tally, char ret_token[static 33]);

/* What a file is, by its SHA-256; what stands in it, somebody without privileges has read (proto.h). 0 or -errno with error. */
int kh_plan_hash(uint8_t sha256[static 32], int fd, const char *name, struct kh_error *error);

#endif
