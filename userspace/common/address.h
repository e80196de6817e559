/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses, prefixes and ranges as numbers: strict parsing, canonical text, arithmetic.
 * Numbers are in host order; IPv4 uses the low 32 bits. Nothing here resolves names.
 */
#ifndef KHIEN_COMMON_ADDRESS_H
#define KHIEN_COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 kh_u128;

/* All addresses from first to last, both included, first <= last. */
struct kh_range {
	kh_u128 first;
	kh_u128 last;
	uint8_t family; /* 4 or 6 */
};

#define KH_ADDRESS_TEXT 46 /* longest address and NUL */
#define KH_RANGE_TEXT 96 /* longest "first-last" and NUL */

/* Highest address of the family: 2^32 - 1 or 2^128 - 1. */
kh_u128 kh_address_max(uint8_t family);

/* Parses exactly `length` bytes as one address. IPv4: four decimal octets, no leading zeros (RFC 6943
 * 3.1.1). IPv6: RFC 4291 text forms, no zone id. 0, or -EINVAL. */
int kh_address_parse(const char *text, size_t length, struct kh_range *ret_address);

enum kh_host_bits {
	KH_HOST_BITS_NONE,
	KH_HOST_BITS_SET, /* 10.1.2.3/8: the range returned is the network, 10.0.0.0/8 */
};

/* Parses "address/length". 0 or -EINVAL; *ret_host_bits says whether the address had bits beyond the length. */
int kh_prefix_parse(const char *text, size_t length, struct kh_range *ret_range, enum kh_host_bits *ret_host_bits);

/* Address, prefix (host bits refused) or "first-last" of one family with first <= last. 0 or -EINVAL. */
int kh_range_parse(const char *text, size_t length, struct kh_range *ret_range);

/* The same at the start of the text: bytes used, or 0. Whatever follows: the caller looks whether the value ends there. */
size_t kh_range_scan(const char *text, size_t length, struct kh_range *ret_range);

/* Network byte order, 4 or 16 bytes, to a one-address range. family is 4 or 6. */
struct kh_range kh_range_from_bytes(const void *bytes, uint8_t family);
/* The first address as 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. */
void kh_range_to_mapped(const struct kh_range *range, uint8_t ret_bytes[static 16]);
/* The reverse: a mapped address becomes family 4. */
struct kh_range kh_range_from_mapped(const uint8_t bytes[static 16]);

/* The range of prefix `length` (0..32 or 0..128) that holds the address. */
struct kh_range kh_range_of_prefix(kh_u128 address, uint8_t length, uint8_t family);
/* Prefix length when the range is exactly one prefix, else -1. */
int kh_range_prefix_length(const struct kh_range *range);

bool kh_range_contains(const struct kh_range *outer, const struct kh_range *inner);
bool kh_range_overlaps(const struct kh_range *a, const struct kh_range *b);
/* Order by family, first, then last descending (enclosing ranges come first); for qsort. */
int kh_range_compare(const void *a, const void *b);

/* Canonical text: RFC 5952 for IPv6; "address", "address/length" or "first-last". Returns buffer. */
char *kh_range_format(const struct kh_range *range, char buffer[static KH_RANGE_TEXT]);

#endif
