/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two addresses beside each other: two values, or the ends of a range.
 */
#ifndef KHIEN_READER_SPAN_H
#define KHIEN_READER_SPAN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"

enum kh_span_end { KH_SPAN_NONE, KH_SPAN_FIRST, KH_SPAN_LAST };

/* Of the rows of a list. */
struct kh_spans {
	size_t rows, pairs, rising,
		blocks; /* with a value; with two beside each other; in order and near; on bit borders, or one address twice */
};

/* Are they the first and the last address of a range? `spans`: those of the list are. */
bool kh_span_join(const struct kh_range *first, const struct kh_range *last, bool spans, struct kh_range *ret_range);
/* Is it a heading (folded) of first or last addresses? */
enum kh_span_end kh_span_heading(const char *folded);
void kh_spans_add(struct kh_spans *spans, const struct kh_range *first, const struct kh_range *last);
bool kh_spans_all(const struct kh_spans *spans);

struct kh_input;
/* Are two addresses beside each other, in this list, the first and the last of a range? *ret_named: its headings say so. 1, 0, -ENOMEM. */
int kh_spans_of(const struct kh_input *input, bool *ret_named);

#endif
