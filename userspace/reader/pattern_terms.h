/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the parser of patterns and what asks which of their values can be blocked. A comparison expression becomes terms: tests that must hold together. OR puts terms
 * side by side, AND makes each pair of terms one.
 */
#ifndef KHIEN_READER_PATTERN_TERMS_H
#define KHIEN_READER_PATTERN_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KH_TERM_TESTS_MAX 16

enum kh_pattern_op { KH_OP_EQUAL, KH_OP_IN, KH_OP_ISSUBSET, KH_OP_OTHER };

struct kh_pattern_test {
	char *path; /* "ipv4-addr:value"; quotes around keys taken away */
	enum kh_pattern_op op;
	bool negated;
	bool given; /* its values were handed out */
	char **values; /* of a set, or the one */
	size_t values_count, values_capacity;
};

struct kh_pattern_term {
	uint32_t parts[KH_TERM_TESTS_MAX]; /* propositions, by number */
	uint8_t count;
	bool open; /* more than that, or not asked for */
};

struct kh_pattern_terms {
	struct kh_pattern_term *list;
	size_t count, capacity;
};

struct kh_pattern {
	const char *text, *at;
	struct kh_pattern_test *propositions;
	size_t count, capacity;
	int depth;
	size_t work; /* terms that AND may still make */
	bool conditional; /* order, time or number of observations matters */
};

/* All of the text, onto the end of terms. 0; -EINVAL: pattern->at is where it ends to be one; -E2BIG, -ENOMEM. */
int kh_pattern_parse(struct kh_pattern *pattern, struct kh_pattern_terms *terms);
void kh_pattern_clear(struct kh_pattern *pattern);
void kh_pattern_terms_clear(struct kh_pattern_terms *terms);

#endif
