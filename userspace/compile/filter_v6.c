// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The presence bits of IPv6. A listed /32 is a provider, and nearly all that comes from it are strangers: they must not look further than
 * the presence bits, either. So the filter has, of each /32, the /48s that hold anything; a range on many of them goes in by its /40s.
 *
 * Misses among 100,000 prefixes in 3,000 /32s, half of them inside a listed /32, ns, in turn, by the /32s alone and with the filter: 55.7, 51.2 and
 * 35.3, 33.3 (the program with no list: 24 to 27). Hits are the same within what the machine drifts: after one, the filter is not asked.
 */
#include "compile/private.h"

/* Something that is done with each key, the same key not twice in a row. */
struct visitor {
	void (*key)(struct visitor *visitor, uint64_t high, bool broad);
	struct kh_image_base *base;
	size_t keys;
	uint64_t narrow, broad; /* the first key of its kind that was not yet done with */
};

static void count_key(struct visitor *visitor, uint64_t high, bool broad)
{
	(void)high;
	(void)broad;
	visitor->keys++;
}

static void put_key(struct visitor *visitor, uint64_t high, bool broad)
{
	uint64_t seed = visitor->base->header.hash_seed;

	kh_filter_put(visitor->base, broad ? kh_hash_v6_broad(seed, high) : kh_hash_v6_narrow(seed, high));
}

static void visit_keys(struct visitor *visitor, uint64_t *next, uint64_t first, uint64_t last, unsigned int shift)
{
	first >>= shift;
	last >>= shift;
	for (uint64_t key = first < *next ? *next : first; key <= last; key++)
		visitor->key(visitor, key << shift, shift == KH_V6_BROAD_SHIFT);
	*next = last + 1;
}

/* Address bits 0..63, ascending from call to call. */
static void visit_range(struct visitor *visitor, uint64_t first, uint64_t last)
{
	if ((last >> KH_V6_NARROW_SHIFT) - (first >> KH_V6_NARROW_SHIFT) < KH_V6_NARROW_MAX)
		visit_keys(visitor, &visitor->narrow, first, last, KH_V6_NARROW_SHIFT);
	else
		visit_keys(visitor, &visitor->broad, first, last, KH_V6_BROAD_SHIFT);
}

static void visit_net(struct visitor *visitor, const struct kh_v6 *v6, const struct kh_v6_net *net)
{
	const struct kh_v6_mid *lines = &v6->mids[net->first];
	uint64_t high = (uint64_t)net->key << 32;

	for (size_t i = 0; i < (size_t)net->lines * KH_V6_MIDS; i++) {
		uint32_t ref = lines[i / KH_V6_MIDS].ref[i % KH_V6_MIDS];
		uint64_t first = lines[i / KH_V6_MIDS].start[i % KH_V6_MIDS];
		uint64_t last = first + (UINT64_C(1) << KH_V6_SPAN(ref)) - 1;
		uint64_t next = UINT64_C(1) << 32;

		if (i + 1 < (size_t)net->lines * KH_V6_MIDS)
			next = lines[(i + 1) / KH_V6_MIDS].start[(i + 1) % KH_V6_MIDS];
		if (last >= next)
			last = next - 1;
		if ((KH_V6_KIND(ref) != KH_V6_REFERENCE || ref & KH_REF_MASK) && last >= first)
			visit_range(visitor, high | first, high | last);
	}
}

static void visit_nets(struct visitor *visitor, const struct kh_v6 *v6)
{
	for (size_t i = 0; i < v6->nets_count; i++)
		if (v6->nets[i].lines != KH_V6_WHOLE)
			visit_net(visitor, v6, &v6->nets[i]);
}

size_t kh_filter_v6_count(const struct kh_v6 *v6)
{
	struct visitor visitor = { .key = count_key };

	visit_nets(&visitor, v6);
	return visitor.keys;
}

void kh_filter_v6_fill(const struct kh_v6 *v6, struct kh_image_base *base)
{
	struct visitor visitor = { .key = put_key, .base = base };

	visit_nets(&visitor, v6);
}

void kh_filter_v6_pairs(const struct kh_v6 *v6, struct kh_image_base *base, bool parts)
{
	for (size_t i = 0; i < v6->nets_count; i++) {
		const struct kh_v6_net *net = &v6->nets[i];
		uint32_t at = kh_hash_word(base->header.hash_seed, net->key) & base->header.v6_bits_mask;
		unsigned int pair = parts && net->lines != KH_V6_WHOLE ? KH_V6_PARTS : KH_V6_ANY;

		base->v6_bits[at / 4] = (uint8_t)(base->v6_bits[at / 4] | pair << at % 4 * 2);
	}
}
