// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The presence bits, by those of IPv4: what nearly every packet is judged by, so they say no to an address that is next to a listed one, too.
 *
 * Orders on few addresses, and that is nearly all of a long list, are in the filter by each address: three bits of one word of 64, 12 bits in
 * all for each (a Bloom filter of one word: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007). One or two in
 * a hundred that are not listed look further in vain. With 8, 10, 12 and 14 bits misses among 1 M take the same within what the machine
 * drifts (75, 74, 76, 75 and 71, 68, 76 ns); 16 bits make 2 MiB and are slower (112 to 65 ns). Orders on many
 * addresses are in v4_wide, a bit for each net of a size that the list allows: the largest, from /18 to /23, that holds at most a 64th of the
 * address space without reason and does not throw together what lies apart (seven in eight of the runs of /24s stay runs). Both are as
 * short as can be: every line of them is one that a flood of strangers touches.
 *
 * Why presence bits by address and not by net: one miss in 16 fell into a net that holds something, and so did all that are next to
 * a listed address; each then waited for a line of the cells. By address one or two in a hundred do. Misses, ns, before and after, in turn:
 * 1 M random 104, 98, 112 -> 65, 65, 64; 100,000 random 50, 51 -> 50, 49; 100,000 clustered (half of the misses beside the list) 99, 99 -> 49,
 * 29 (the second while the machine was twice as fast); every second address of a block 170, 162 -> 48, 28; the program with no list 39 -> 42.
 */
#include "compile/private.h"

#include <errno.h>
#include <string.h>

#define WIDTHS (KH_V4_WIDE_SHIFT_MAX - KH_V4_SHIFT + 1)
#define KEY_BITS 12 /* of the filter for each key in it */
#define NETS ((size_t)64 * KH_V4_BLOCKS)
#define KEYS_MAX ((size_t)8 * KH_FILTER_WORDS) /* more would leave less than 8 bits for each */

/* Something that is done for each range of one reference, of at most a net. */
struct visitor {
	void (*range)(struct visitor *visitor, uint32_t first, uint32_t last);
	struct kh_image_base *base;
	uint64_t *nets; /* a bit for each /24 that holds a wide order */
	size_t small; /* addresses in small ranges */
};

static bool is_small(uint32_t first, uint32_t last)
{
	return last - first < KH_V4_SMALL;
}

static void count_small(struct visitor *visitor, uint32_t first, uint32_t last)
{
	if (is_small(first, last))
		visitor->small += last - first + 1;
}

static void put_wide(struct visitor *visitor, uint32_t first, uint32_t last)
{
	uint32_t net = first >> KH_V4_SHIFT;

	(void)last;
	visitor->nets[net / 64] |= UINT64_C(1) << net % 64;
}

static void put_small(struct visitor *visitor, uint32_t first, uint32_t last)
{
	struct kh_image_base *base = visitor->base;

	if (!is_small(first, last)) {
		put_wide(visitor, first, last);
		return;
	}
	for (uint64_t address = first; address <= last; address++)
		kh_filter_put(base, kh_hash_v4(base->header.v4_seed, (uint32_t)address));
}

static void visit_slice(struct visitor *visitor, uint32_t net, const struct kh_entry *slice)
{
	uint32_t count = slice[0].start;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t first = i ? slice[i].start : 0;
		uint32_t last = (i + 1 < count ? slice[i + 1].start : 1u << KH_V4_SHIFT) - 1;

		if (slice[i].ref)
			visitor->range(visitor, net | first, net | last);
	}
}

static void visit_cells(const struct kh_v4 *v4, struct visitor *visitor)
{
	for (size_t i = 0; i < v4->cells_count; i++) {
		uint64_t cell = v4->cells[i];
		uint32_t address = (uint32_t)(cell >> 32);

		if (KH_CELL_KIND(cell) == KH_CELL_SLICE)
			visit_slice(visitor, address, v4->entries + (cell & KH_CELL_FIRST));
		else if (KH_CELL_KIND(cell) == KH_CELL_ADDRESS)
			visitor->range(visitor, address, address);
		else if (cell & KH_REF_MASK)
			visitor->range(visitor, address, address | ((1u << KH_V4_SHIFT) - 1));
	}
}

/* Blocks with a reference in common: their nets, but for those that have a cell. */
static void put_common(const struct kh_v4 *v4, uint64_t *nets)
{
	for (size_t block = 0; block < KH_V4_BLOCKS; block++)
		if (v4->common[block])
			nets[block] = UINT64_MAX;
	for (size_t i = 0; i < v4->cells_count; i++) {
		uint32_t net = (uint32_t)(v4->cells[i] >> (32 + KH_V4_SHIFT));

		nets[net / 64] &= ~(UINT64_C(1) << net % 64);
	}
}

/* What the bits say, by the size of the net: nets that hold anything, and runs of such nets side by side. */
struct shape {
	size_t held, runs;
};

static void count_nets(const uint64_t *nets, struct shape ret_shapes[static WIDTHS])
{
	/* the lowest bit of each net of a word */
	static const uint64_t lowest[WIDTHS] = { UINT64_MAX,
						 0x5555555555555555,
						 0x1111111111111111,
						 0x0101010101010101,
						 0x0001000100010001,
						 0x0000000100000001,
						 1 };
	uint64_t before[WIDTHS] = {};

	memset(ret_shapes, 0, WIDTHS * sizeof(*ret_shapes));
	for (size_t i = 0; i < KH_V4_BLOCKS; i++) {
		uint64_t word = nets[i];

		if (!word) {
			memset(before, 0, sizeof(before));
			continue;
		}
		for (unsigned int step = 0; step < WIDTHS; step++) {
			unsigned int width = 1u << step;

			if (step)
				word = (word | word >> width / 2) & lowest[step];
			ret_shapes[step].held += (size_t)__builtin_popcountll(word);
			ret_shapes[step].runs += (size_t)__builtin_popcountll(
				word & ~(width < 64 ? word << width | before[step] : before[step]));
			before[step] = word >> (64 - width);
		}
	}
}

static unsigned int choose_shift(const struct shape shapes[static WIDTHS])
{
	unsigned int step = WIDTHS - 1;

	while (step > KH_V4_WIDE_SHIFT_MIN - KH_V4_SHIFT &&
	       ((shapes[step].held << step) - shapes[0].held > NETS / 64 || 8 * shapes[step].runs < 7 * shapes[0].runs))
		step--;
	return KH_V4_SHIFT + step;
}

static void put_bits(const uint64_t *nets, struct kh_image_base *base)
{
	unsigned int step = base->header.v4_wide_shift - KH_V4_SHIFT;

	for (uint32_t i = 0; i < KH_V4_BLOCKS; i++) {
		for (uint64_t word = nets[i]; word; word &= word - 1) {
			uint32_t net = (i * 64 + (uint32_t)__builtin_ctzll(word)) >> step;

			base->v4_wide[net / 64] |= UINT64_C(1) << net % 64;
		}
	}
}

static uint32_t words_for(size_t keys)
{
	size_t words = keys * KEY_BITS / 64 + 1;

	return words < KH_FILTER_WORDS ? (uint32_t)words : KH_FILTER_WORDS;
}

int kh_filter_fill(const struct kh_v4 *v4, const struct kh_v6 *v6, struct kh_image_base *base)
{
	uint64_t *nets KH_CLEANUP(kh_freep) = calloc(KH_V4_BLOCKS, sizeof(*nets));
	struct visitor visitor = { .range = count_small, .base = base, .nets = nets };
	size_t parts = kh_filter_v6_count(v6);
	struct shape shapes[WIDTHS];

	if (!nets)
		return -ENOMEM;
	visit_cells(v4, &visitor);
	visitor.range = put_small;
	if (visitor.small > KEYS_MAX) {
		visitor.range = put_wide;
		visitor.small = 0;
	}
	if (visitor.small + parts > KEYS_MAX)
		parts = 0;
	base->header.filter_words = words_for(visitor.small + parts);
	if (parts)
		kh_filter_v6_fill(v6, base);
	kh_filter_v6_pairs(v6, base, parts != 0);
	put_common(v4, nets);
	visit_cells(v4, &visitor);
	count_nets(nets, shapes);
	base->header.v4_wide_shift = choose_shift(shapes);
	put_bits(nets, base);
	return 0;
}
