/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the guard share: the rules as plain data, and the index that finds the narrowest of them.
 * Rule texts live in one buffer, so that rules can be moved, split and dropped without owning anything.
 */
#ifndef KHIEN_GUARD_PRIVATE_H
#define KHIEN_GUARD_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "guard/guard.h"

struct kh_rule {
	struct kh_range range;
	enum kh_decision_reason reason;
	size_t text; /* offset in kh_guard.texts */
	size_t order; /* in which it was added: of equals, the first speaks */
};

/* Rules sorted by kh_range_compare once indexed. Each half (IPv4, IPv6) is a balanced tree by position: the node of
 * [low, high) is its middle, and nodes[] holds at that place what is true of the whole of [low, high). */
struct kh_rules {
	struct kh_rule *rules;
	size_t count;
	size_t capacity;
	struct kh_rule_node {
		kh_u128 last; /* highest last address */
		size_t narrowest; /* position of the narrowest rule */
	} * nodes; /* NULL: not indexed */
	size_t split; /* position of the first IPv6 rule */
};

/* Names, sorted once indexed. */
struct kh_host {
	char *name; /* owned */
	bool below; /* and all below it */
	enum kh_decision_reason reason;
	size_t text; /* offset in kh_guard.texts */
	size_t order;
};
struct kh_hosts {
	struct kh_host *list;
	size_t count, capacity;
};

struct kh_guard {
	struct kh_hosts hosts;
	struct kh_rules refuse;
	struct kh_rules shared;
	struct kh_rules spared;
	struct kh_range *exempt;
	size_t exempt_count;
	size_t exempt_capacity;
	struct kh_range *holes; /* of the refuse rules: sorted, disjoint, merged */
	size_t holes_count;
	struct kh_range *cut; /* the same of the refuse and the spared ones */
	size_t cut_count;
	struct kh_range *ruled; /* the same of all rules: what no rule speaks about lies outside */
	size_t ruled_count;
	char *texts;
	size_t texts_length;
	size_t texts_capacity;
	size_t added;
	struct kh_guard_limits limits;
	bool sealed;
};

#define KH_RULE_NONE ((size_t)-1)

void kh_hosts_clear(struct kh_hosts *hosts);
int kh_hosts_add(struct kh_hosts *hosts, const struct kh_indicator *name, enum kh_decision_reason reason,
		 size_t text); /* 0 or -ENOMEM */
void kh_hosts_cut(struct kh_hosts *hosts, size_t count); /* the last ones go; before it is indexed */
void kh_hosts_index(struct kh_hosts *hosts);
/* The rule of the name, or of the nearest above it that speaks of all below; NULL: none. */
const struct kh_host *kh_hosts_find(const struct kh_hosts *hosts, const char *name);

/* Adds a name, as kh_guard_add() does a range. 0 or -ENOMEM. */
int kh_guard_add_host(struct kh_guard *guard, const struct kh_indicator *name, enum kh_decision_reason reason,
		      const char *rule);
/* warninglist.c: the whole file; not all or nothing, that is the caller's. 0, -EINVAL with error, -ENOMEM. */
int kh_guard_add_warninglist(struct kh_guard *guard, const char *name, const char *data, size_t length,
			     struct kh_error *error);

void kh_rules_clear(struct kh_rules *rules);
/* Appends; the index is gone until built again. 0 or -ENOMEM. */
int kh_rules_add(struct kh_rules *rules, const struct kh_rule *rule);
/* Sorts and indexes. 0 or -ENOMEM. */
int kh_rules_index(struct kh_rules *rules);
/* Position of the narrowest rule that holds the whole range, or KH_RULE_NONE. O(d log n), d = rules nested there. */
size_t kh_rules_containing(const struct kh_rules *rules, const struct kh_range *range);
/* The same for the narrowest rule that shares an address with it. */
size_t kh_rules_overlapping(const struct kh_rules *rules, const struct kh_range *range);

/* Is it wider than the configured limit? */
bool kh_guard_too_wide(const struct kh_guard *guard, const struct kh_range *range);

#endif
