/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The heap of a program that handles long lists.
 */
#ifndef KHIEN_COMMON_MEMORY_H
#define KHIEN_COMMON_MEMORY_H

#include <stddef.h>

/* Makes `bytes` of address space ready for the heap, in huge pages where the kernel has them, and keeps what is freed of it: what one list
 * took the next one finds in place. Address space only: memory is taken when it is used. Once, early; without room everything goes on as it is. */
void kh_memory_heap(size_t bytes);

#endif
