// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nearest name by the optimal string alignment distance (Damerau 1964, restricted): a slip of the fingers is one step.
 */
#include "cli/nearest.h"

#include <string.h>

#define LONGEST 32 /* of names and of what is compared */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][LONGEST + 1];

	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return rows[a_length % 3][b_length];
}

const char *kh_nearest(const char *typed, const char *const *names, size_t count)
{
	size_t length = strlen(typed), best = length / 3 < 2 ? 2 : length / 3;
	const char *found = NULL;

	if (!length || length > LONGEST)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t steps = distance(typed, length, names[i], strnlen(names[i], LONGEST));

		if (!strncmp(typed, names[i], length)) /* the beginning of a name, cut short */
			steps = 0;
		if (steps < best + !found) {
			best = steps;
			found = names[i];
		}
	}
	return found;
}
