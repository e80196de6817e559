// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Positions by hashed value: open addressing, for values that lie elsewhere.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/util.h"
#include "reader/private.h"
#include "reader/reader.h"

uint64_t kh_hash_mix(uint64_t value)
{
	value ^= value >> 30;
	value *= 0xbf58476d1ce4e5b9u;
	value ^= value >> 27;
	value *= 0x94d049bb133111ebu;
	return value ^ value >> 31;
}

uint64_t kh_hash_text(uint64_t seed, const char *text)
{
	for (; *text; text++)
		seed = kh_hash_mix(seed + (unsigned char)*text);
	return seed;
}

/* A slot is the position + 1 and, above it, bits of the hash: a probe that does not match is seen without touching the
 * value, which lies elsewhere in memory. */
#define POSITION_BITS 23
#define POSITION_MASK ((1u << POSITION_BITS) - 1)
_Static_assert(KH_READER_MAX_FINDINGS < POSITION_MASK, "a position fits its bits");

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) & ~POSITION_MASK;
}

void kh_index_put(struct kh_index *index, uint64_t hash, uint32_t position)
{
	size_t at = hash & (index->size - 1);

	while (index->slots[at])
		at = (at + 1) & (index->size - 1);
	index->slots[at] = tag_of(hash) | (position + 1);
	index->used++;
}

int64_t kh_index_next(const struct kh_index *index, uint64_t hash, size_t *at)
{
	uint32_t tag = tag_of(hash);

	while (index->size) {
		uint32_t slot = index->slots[(hash + *at) & (index->size - 1)];

		++*at;
		if (!slot)
			break;
		if ((slot & ~POSITION_MASK) == tag)
			return (slot & POSITION_MASK) - 1;
	}
	return -1;
}

int kh_index_reserve(struct kh_index *index)
{
	size_t size = index->size ? index->size * 2 : 64;
	uint32_t *slots;

	if (index->used + 1 <= index->size / 4 * 3)
		return 0;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(index->slots);
	index->slots = slots;
	index->size = size;
	index->used = 0;
	return 1;
}
