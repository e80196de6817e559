// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cells of IPv4 into their buckets: cuckoo hashing with two homes and 8 places each (Dietzfelbinger and Weidling, "Balanced
 * allocation and dictionaries with tightly packed constant size bins", 2007). Four places in five are taken: 10 MB for a million, and
 * of ten cells nine are in their first home.
 *
 * How many places of a bucket are taken is kept beside, a byte a bucket: the buckets themselves are only written, and fetched well before.
 *
 * Why a hash under the bits and not cells in their order: where a net's cell is depends on the address alone, so in a flood from listed
 * sources it is asked for at once, without the bits (bpf/match.h). Three lines one after the other (bits, rank, cell: 121, 91 and 143 ns
 * of a hit among 1 M, by where samples of the program fall) become one; a hit takes two thirds.
 */
#include "compile/private.h"

#include <errno.h>
#include <string.h>

#define FILL_NUMERATOR 4
#define FILL_DENOMINATOR 5
#define MOVES_MAX 500 /* cells moved to make room for one */
#define SEEDS_MAX 64 /* at this fill one does, unless somebody has chosen the nets */
#define AHEAD 32 /* cells whose buckets are on their way */

struct cells {
	uint64_t seed;
	uint32_t buckets;
	uint64_t (*table)[KH_CELLS_PER_BUCKET];
	uint8_t *taken;
};

struct homes {
	uint32_t first, second;
};

uint32_t kh_cells_buckets(size_t count)
{
	size_t pages = count * FILL_DENOMINATOR / (FILL_NUMERATOR * KH_CELLS_PER_BUCKET * KH_LINES_PER_PAGE) + 1;

	return (uint32_t)(pages * KH_LINES_PER_PAGE);
}

static uint64_t digest(const uint64_t *cells, size_t count)
{
	uint64_t sum = count;

	for (size_t i = 0; i < count; i++)
		sum = (sum ^ cells[i]) * 0x9e3779b97f4a7c15u;
	return sum ^ sum >> 32;
}

static struct homes homes_of(const struct cells *cells, uint64_t cell)
{
	uint64_t hash = kh_hash_net(cells->seed, (uint32_t)(cell >> 32) >> KH_V4_SHIFT);

	return (struct homes){ (uint32_t)((hash >> 32) * cells->buckets >> 32),
			       (uint32_t)((hash & UINT32_MAX) * cells->buckets >> 32) };
}

static bool put(struct cells *cells, uint32_t bucket, uint64_t cell)
{
	if (cells->taken[bucket] == KH_CELLS_PER_BUCKET)
		return false;
	cells->table[bucket][cells->taken[bucket]++] = cell;
	return true;
}

/* Both homes of the cell are full: it takes the place of another, which goes to its other home. False: that led nowhere. */
static bool make_room(struct cells *cells, uint32_t bucket, uint64_t cell)
{
	for (unsigned int move = 0; move < MOVES_MAX; move++) {
		uint64_t *place = &cells->table[bucket][(cell ^ move) % KH_CELLS_PER_BUCKET], other = *place;
		struct homes homes = homes_of(cells, other);

		*place = cell;
		cell = other;
		bucket = bucket == homes.first ? homes.second : homes.first;
		if (put(cells, bucket, cell))
			return true;
	}
	return false;
}

/* True: every cell has its place. */
static bool fill(struct cells *cells, const uint64_t *list, size_t count)
{
	struct homes homes[AHEAD];

	for (size_t i = 0; i < count + AHEAD; i++) {
		struct homes *at = &homes[i % AHEAD];

		if (i >= AHEAD && !put(cells, at->first, list[i - AHEAD]) && !put(cells, at->second, list[i - AHEAD]) &&
		    !make_room(cells, at->second, list[i - AHEAD]))
			return false;
		if (i < count) {
			*at = homes_of(cells, list[i]);
			__builtin_prefetch(&cells->table[at->first], 1);
		}
	}
	return true;
}

int kh_cells_hash(const struct kh_v4 *v4, uint32_t buckets, void *table, uint64_t *ret_seed)
{
	uint8_t *taken KH_CLEANUP(kh_freep) = malloc(buckets);
	struct cells cells = { .buckets = buckets, .table = table, .taken = taken };
	uint64_t start = digest(v4->cells, v4->cells_count);

	if (!taken)
		return -ENOMEM;
	for (unsigned int attempt = 1; attempt <= SEEDS_MAX; attempt++) {
		cells.seed = start + attempt * 0x9e3779b97f4a7c15u;
		memset(taken, 0, buckets);
		if (fill(&cells, v4->cells, v4->cells_count)) {
			*ret_seed = cells.seed;
			return 0;
		}
		memset(table, 0, (size_t)buckets * sizeof(*cells.table));
	}
	return -E2BIG;
}
