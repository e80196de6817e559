// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names that a list takes back, sorted from their last label on: what is below a name follows it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "reader/domains.h"

void kh_exceptions_clear(struct kh_exceptions *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->list[i].name);
	free(set->list);
	*set = (struct kh_exceptions){};
}

int kh_exceptions_add(struct kh_exceptions *set, const char *name, bool below, bool inherits)
{
	char *copy;

	if (kh_grow(&set->list, &set->capacity, set->count + 1, sizeof(*set->list)))
		return -ENOMEM;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	set->list[set->count++] = (struct kh_excepted){ copy, below, inherits };
	return 0;
}

/* From the end; a dot goes before all else, the end before a dot. */
static int compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
	while (a_length && b_length) {
		char x = a[--a_length], y = b[--b_length];

		if (x != y)
			return x == '.' ? -1 : y == '.' ? 1 : (unsigned char)x < (unsigned char)y ? -1 : 1;
	}
	return (a_length > 0) - (b_length > 0);
}

static int compare_names(const void *a, const void *b)
{
	const struct kh_excepted *x = a, *y = b;

	return compare(x->name, strlen(x->name), y->name, strlen(y->name));
}

void kh_exceptions_sort(struct kh_exceptions *set)
{
	if (set->count)
		qsort(set->list, set->count, sizeof(*set->list), compare_names);
}

/* The first that does not go before the name. */
static size_t find(const struct kh_exceptions *set, const char *name)
{
	size_t from = 0, to = set->count, length = strlen(name);

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (compare(set->list[middle].name, strlen(set->list[middle].name), name, length) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool is_inherited(const struct kh_exceptions *set, const char *name)
{
	for (const char *above = strchr(name, '.'); above; above = strchr(above, '.')) {
		above++;
		for (size_t i = find(set, above); i < set->count && !strcmp(set->list[i].name, above); i++)
			if (set->list[i].inherits)
				return true;
	}
	return false;
}

bool kh_exceptions_cover(const struct kh_exceptions *set, const char *name)
{
	size_t at = find(set, name);

	return (at < set->count && !strcmp(set->list[at].name, name)) || is_inherited(set, name);
}

bool kh_exceptions_touch(const struct kh_exceptions *set, const char *name, bool below)
{
	size_t at = find(set, name), length = strlen(name), size;

	for (; at < set->count && !strcmp(set->list[at].name, name); at++)
		if (set->list[at].below == below)
			return true;
	size = at < set->count ? strlen(set->list[at].name) : 0;
	if (below && size > length && set->list[at].name[size - length - 1] == '.' &&
	    !strcmp(set->list[at].name + size - length, name))
		return true;
	return is_inherited(set, name);
}
