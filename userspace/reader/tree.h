/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON as a tree, with the lines of its objects; and values that stand alone in it (jansson has no positions).
 */
#ifndef KHIEN_READER_TREE_H
#define KHIEN_READER_TREE_H

#include <jansson.h>

#include "reader/private.h"

struct kh_tree {
	const struct kh_input *input;
	struct kh_collector *collector;
	json_t *root;
	int *lines; /* of each object, in the order in which they begin */
	size_t lines_count, next;
};

/* Does it begin with one of `first`, and hold `word`? */
bool kh_tree_looks(const struct kh_input *input, const char *first, const char *word);
/* Has the object at the top, or the first one of the array there, a member of that name, and that text (NULL: any value)? Names in the depth, and
 * texts that only look like names, do not count. */
bool kh_tree_has(const struct kh_input *input, const char *name, const char *text);
/* 0; -EINVAL with error (line, column); -ENOMEM. */
int kh_tree_open(const struct kh_input *input, struct kh_collector *collector, struct kh_tree *ret_tree);
void kh_tree_close(struct kh_tree *tree);

/* Is called for each object, outer ones first; key: of the member that it, or the array that holds it, is the value of; "" at the top. Returns 0 and
 * *ret_inside false to leave out what is in it; or -errno. */
typedef int (*kh_tree_visitor)(void *context, const char *key, json_t *object, int line, bool *ret_inside);
int kh_tree_walk(struct kh_tree *tree, kh_tree_visitor visit, void *context);

const char *kh_tree_text(const json_t *object, const char *name); /* "" when there is none; no NUL is in it */
bool kh_tree_true(const json_t *object, const char *name); /* true, 1, "1", "true" */
/* "2022-06-24T13:12:26.333619Z" or a date alone; Unix seconds; 0: neither. */
int64_t kh_tree_time(const char *text);

/* How a source speaks of a value. */
struct kh_claim {
	enum kh_decision proposed; /* ENFORCE or REVIEW */
	enum kh_decision_reason reason;
	int64_t starts, expires; /* 0: not said */
	int line;
	uint16_t port; /* 0: all */
	uint8_t protocol; /* 0: all */
	/* Of a value that was read elsewhere, where it stood there: */
	const char *raw; /* NULL: the value as written here, on a list */
	enum kh_section section; /* only with raw */
	int page;
};
/* Adds a value as the source writes it. Names and URLs become unenforceable where an address would be enforced. "tcp://a:1", "a|1" are understood. Text that
 * is no value waits as malformed. 0, -ENOMEM, -EFBIG. */
int kh_tree_value(struct kh_collector *collector, const char *text, const struct kh_claim *claim);
/* Adds the CVE number that the text begins with, if it does. 0 or -ENOMEM. */
int kh_tree_cve(struct kh_collector *collector, const char *text);

#endif
