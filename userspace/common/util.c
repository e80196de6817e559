// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Growing arrays.
 */
#include "common/util.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

int kh_grow(void *array, size_t *capacity, size_t wanted, size_t size)
{
	size_t next = *capacity ? *capacity : 8;
	void *old, *grown;

	if (wanted <= *capacity)
		return 0;
	while (next < wanted) {
		if (next > SIZE_MAX / 2 / size)
			return -ENOMEM;
		next *= 2;
	}
	memcpy(&old, array, sizeof(old)); /* *array is a pointer of any type */
	grown = realloc(old, next * size);
	if (!grown)
		return -ENOMEM;
	memcpy(array, &grown, sizeof(grown));
	*capacity = next;
	return 0;
}
