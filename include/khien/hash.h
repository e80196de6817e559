/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hashes of the generation image (khien/abi.h). The compiler (userspace/compile/) and the packet programs (bpf/) use these and nothing else.
 */
#ifndef KHIEN_HASH_H
#define KHIEN_HASH_H

#include <linux/types.h>

#include "khien/abi.h"

static inline __attribute__((always_inline)) __u64 kh_hash_net(__u64 seed, __u64 net)
{
	__u64 x = (net ^ seed) * 0x9e3779b97f4a7c15ull;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9ull;
}

/* An address in the filter. One multiplication: what is hashed has 32 bits. */
static inline __attribute__((always_inline)) __u64 kh_hash_v4(__u64 seed, __u32 address)
{
	return (address ^ seed) * 0x9e3779b97f4a7c15ull;
}

/* A part of a /32 in the filter: its 2^16th (a /48), or its 2^8th (a /40). */
static inline __attribute__((always_inline)) __u64 kh_hash_v6_narrow(__u64 seed, __u64 high)
{
	return kh_hash_net(seed, high >> KH_V6_NARROW_SHIFT);
}

static inline __attribute__((always_inline)) __u64 kh_hash_v6_broad(__u64 seed, __u64 high)
{
	return kh_hash_net(~seed, high >> KH_V6_BROAD_SHIFT);
}

/* What such a hash stands for in the filter: its word, and whether all three of its bits are set in it. */
static inline __attribute__((always_inline)) __u32 kh_filter_word(__u64 hash, __u32 words)
{
	return (__u32)((hash >> 32) * words >> 32);
}

static inline __attribute__((always_inline)) __u64 kh_filter_bits(__u64 hash)
{
	return 1ull << (hash >> 34 & 63) | 1ull << (hash >> 28 & 63) | 1ull << (hash >> 22 & 63);
}

static inline __attribute__((always_inline)) __u64 kh_filter_has(__u64 word, __u64 hash)
{
	return word >> (hash >> 34 & 63) & word >> (hash >> 28 & 63) & word >> (hash >> 22 & 63) & 1;
}

static inline __attribute__((always_inline)) __u32 kh_hash_word(__u64 seed, __u64 word)
{
	return (__u32)(kh_hash_net(seed, word) >> 32);
}

static inline __attribute__((always_inline)) __u32 kh_hash_address(__u64 seed, __u64 high, __u64 low)
{
	return kh_hash_word(seed + ((__u64)kh_hash_word(seed, high) << 7), low);
}

static inline __attribute__((always_inline)) __u32 kh_hash_port(__u32 address_hash, __u16 port, __u8 protocol)
{
	return kh_hash_word(address_hash, ((__u64)protocol << 16) | port);
}

#endif
