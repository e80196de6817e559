/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * indicator -> enforce | review | refuse, with the reason; and the holes that the compiler cuts out of every
 * block. Pure: the caller reads the files and asks the kernel, the guard only judges.
 *
 * Two lists of ranges: `refuse` (never-block: refused, and cut out of anything wider) and `shared`
 * (shared infrastructure: waits for review). Plus limits on width.
 * An indicator inside a refuse range is refused. One that is wider than a refuse range and contains it is not
 * refused for that: the range is cut out of it at compile time (holes), and the judgement says so in `cuts`.
 */
#ifndef KHIEN_GUARD_GUARD_H
#define KHIEN_GUARD_GUARD_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "model/document.h"

struct kh_guard;

struct kh_guard_limits {
	int widest_ipv4; /* shortest prefix length enforced without review, 0..32; default 20 */
	int widest_ipv6; /* 0..128; default 48 */
	uint64_t letter_ipv4; /* IPv4 addresses one letter may cover; default 65536 */
};

struct kh_judgement {
	enum kh_decision decision;
	enum kh_decision_reason reason;
	char rule[160]; /* which rule: "resolvers.list:3 label", "eth0", "management: 10.20.0.0/24"; may be empty */
	size_t cuts; /* holes (merged refuse ranges) in the indicator, cut out of it when it is enforced; 0 when refused */
};

struct kh_guard *kh_guard_new(void); /* default limits, no ranges; NULL: out of memory */
void kh_guard_free(struct kh_guard *guard); /* takes NULL */
void kh_guard_set_limits(struct kh_guard *guard, const struct kh_guard_limits *limits);

/* Adds one range. reason is one of the refuse reasons, or KH_WHY_SHARED. rule is copied, cut to fit; where several ranges
 * hold a value, the narrowest names the reason. 0 or -ENOMEM. */
int kh_guard_add(struct kh_guard *guard, const struct kh_range *range, enum kh_decision_reason reason,
		 const char *rule);

/* Most that the file of a list may hold, in bytes. */
#define KH_GUARD_LIST_BYTES ((size_t)8 << 20)
/* Is the entry of a folder of lists one: "*.list" or "*.json", not hidden? 1 or 0: a filter for scandir(3). */
int kh_guard_is_list(const struct dirent *entry);

/* Adds a list file: one address, prefix, range or name ("c2.example", or "*.c2.example": it and all below it) a line, '#' comments; what follows the value on its line is a label.
 * The line `@kind special-purpose|never-block|shared-infrastructure` sets the reason for the lines after it
 * (never-block at the start of a file). `name` is the file's base name, for rule texts: "name:line label". A file that
 * begins with '{' is a MISP warninglist of addresses or names, never-block, or shared-infrastructure when its name ends in ".shared.json". All or
 * nothing: -EINVAL with the line (a whole address family is an error too), -ENOMEM; seal again also after a failure. */
int kh_guard_add_list(struct kh_guard *guard, const char *name, const char *data, size_t length,
		      struct kh_error *error);

/* Takes `range` out of the special-purpose ranges again, as `[guard] exempt` orders; other rules are not touched. In any
 * order with the adds: it takes effect at the next seal. 0 or -ENOMEM. */
int kh_guard_exempt(struct kh_guard *guard, const struct kh_range *range);

/* Spares one range: it is among the holes and found by kh_guard_find() as KH_WHY_SESSION, and is judged as if it were not there: what orders it stands, and is
 * in force once it is spared no longer. rule as above. 0 or -ENOMEM. */
int kh_guard_spare(struct kh_guard *guard, const struct kh_range *range, const char *rule);

/* Must be called after the last add or exempt and before judging: sorts and indexes. 0 or -ENOMEM. */
int kh_guard_seal(struct kh_guard *guard);

/* Judges one finding. O(d log n) for n rules, d of them nested round the value. The reader's question about the value
 * itself (host bits, malformed) outlives too-wide and shared; a refusal outlives it. A malformed value is left as proposed. A domain that a
 * name rule speaks of is refused, or waits; of a URL on such a host the reason says that the host cannot be blocked for it. */
void kh_guard_judge(const struct kh_guard *guard, const struct kh_finding *finding, struct kh_judgement *ret_judgement);

/* Bulk lists of one letter; each sorted. */
struct kh_guard_bulks {
	const struct kh_bulk *const *lists;
	size_t count;
};

/* Judges all findings of one letter, in order: as above, then the letter's width limit: when the IPv4 addresses it
 * would enforce, those of its bulk lists with them (all sifted; NULL: it has none), each counted once, number more than
 * limits.letter_ipv4, every prefix and range of it (not single addresses) waits. True: so it is; the prefixes and ranges
 * of the bulk lists are then to be taken out (KH_SIFT_WIDE) and all judged again, which gives them the same reason. */
bool kh_guard_judge_all(const struct kh_guard *guard, const struct kh_finding *findings, size_t count,
			const struct kh_guard_bulks *bulks, struct kh_judgement *ret_judgements);

enum kh_sift {
	KH_SIFT_RULES, /* what a rule speaks about: refused, too wide, shared, or with never-block ranges inside */
	KH_SIFT_WIDE, /* every prefix and range: the letter covers too much */
};

/* Takes values out of a sorted bulk list. For each, in the order of the list, `out` gets the finding that it is in a
 * shorter list (proposed ENFORCE, KH_WHY_TABLE, section LIST, no page, its line; borrowed, raw is its canonical text),
 * to be judged with the letter's others. What stays after KH_SIFT_RULES, the guard enforces as KH_WHY_TABLE without a
 * rule or a cut, unless the letter is too wide. O(values + rules). 0, or what `out` returned (< 0 stops it): then the
 * value in question and those after it are still in the list. */
int kh_guard_sift(const struct kh_guard *guard, struct kh_bulk *bulk, enum kh_sift what,
		  int (*out)(const struct kh_finding *finding, void *context), void *context);

/*
 * A letter with bulk lists, in full:
 *
 *   for each list: kh_guard_sift(guard, list, KH_SIFT_RULES, add to the findings)
 *   if (kh_guard_judge_all(guard, findings, count, lists, judgements) and there are lists)
 *           for each list: kh_guard_sift(guard, list, KH_SIFT_WIDE, add to the findings)
 *           kh_guard_judge_all(guard, findings, count, lists, judgements)
 */

/* The refuse ranges and those that are spared, sorted, disjoint, merged: what compile cuts out. Borrowed until the guard is freed. */
void kh_guard_holes(const struct kh_guard *guard, const struct kh_range **ret_holes, size_t *ret_count);

/* Is there a rule (refuse, spared or shared) that overlaps the range? Fills reason and rule of the narrowest; 1, or 0: none. */
int kh_guard_find(const struct kh_guard *guard, const struct kh_range *range, enum kh_decision_reason *ret_reason,
		  char *ret_rule, size_t rule_size);

#endif
