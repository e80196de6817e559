// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A million values go through some ten arrays of many megabytes. Fresh from the kernel in small pages they cost more than the work done on
 * them: 3 ms a megabyte in a virtual machine whose page tables the host shadows, against 0.1 in huge pages, or none where they are kept.
 */
#include "common/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((uintptr_t)1 << 21)

void kh_memory_heap(size_t bytes)
{
	uintptr_t first = (uintptr_t)sbrk(0), end;
	void *volatile reach; /* else the compiler leaves it out */

	/* Arrays of their own mapping would go back to the kernel each time. */
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, bytes < INT32_MAX / 2 ? 2 * (int)bytes : INT32_MAX);
	reach = malloc(bytes);
	free(reach);
	end = (uintptr_t)sbrk(0);
	first = (first + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	if (end > first && end - first <= 2 * bytes)
		madvise((void *)first, end - first, MADV_HUGEPAGE); /* an advice: nothing depends on it */
}
