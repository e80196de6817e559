// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses as numbers. Read by hand: no library refuses leading zeros and everything else that programs read
 * differently, and a million lines are to be read. Printing is our own, too: C libraries differ about ::1:2 and ::0.1.0.2.
 */
#include "common/address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

kh_u128 kh_address_max(uint8_t family)
{
	return family == 4 ? (kh_u128)UINT32_MAX : ~(kh_u128)0;
}

/* ---- Reading: each takes what stands at the start of the text; bytes used, or 0 ------------------ */

/* Four octets, decimal, no leading zeros. */
static size_t scan_v4(const char *text, size_t length, uint32_t *ret_address)
{
	uint32_t address = 0;
	size_t at = 0;

	for (int octet = 0; octet < 4; octet++) {
		uint32_t value = 0;
		size_t digits = 0;

		if (octet && (at >= length || text[at++] != '.'))
			return 0;
		while (at < length && text[at] >= '0' && text[at] <= '9' && digits < 4) {
			value = value * 10 + (uint32_t)(text[at++] - '0');
			digits++;
		}
		if (!digits || digits > 3 || value > 255 || (digits > 1 && text[at - digits] == '0'))
			return 0;
		address = address << 8 | value;
	}
	*ret_address = address;
	return at;
}

/* One to four hexadecimal digits. */
static size_t scan_group(const char *text, size_t length, uint32_t *ret_group)
{
	static const uint8_t digits[256] = {
		/* and one: 0 is none */
		['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,	['6'] = 7,  ['7'] = 8,
		['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
		['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16
	};
	uint32_t group = 0, digit;
	size_t at = 0;

	for (; at < length && at < 5 && (digit = digits[(unsigned char)text[at]]) > 0; at++)
		group = group << 4 | (digit - 1);
	*ret_group = group;
	return at < 5 ? at : 0;
}

/* Groups with ':' between them, at most `most`; an IPv4 address is two, and the last. */
static size_t scan_groups(const char *text, size_t length, int most, kh_u128 *ret_value, int *ret_count)
{
	size_t at = 0, used;
	kh_u128 value = 0;
	int count = 0;

	while (count < most && (count == 0 || (at < length && text[at] == ':'))) {
		size_t from = at + (count > 0);
		uint32_t group;

		used = scan_group(text + from, length - from, &group);
		if (used && from + used < length && text[from + used] == '.') {
			used = scan_v4(text + from, length - from, &group);
			if (used && count + 2 <= most) {
				value = value << 32 | group;
				count += 2;
				at = from + used;
			}
			break;
		}
		if (!used)
			break;
		value = value << 16 | group;
		count++;
		at = from + used;
	}
	*ret_value = value;
	*ret_count = count;
	return at;
}

/* RFC 4291 2.2: eight groups, or fewer round one "::". */
static size_t scan_v6(const char *text, size_t length, kh_u128 *ret_address)
{
	kh_u128 high, low;
	int before, after;
	size_t at = scan_groups(text, length, 8, &high, &before);

	if (before < 8) {
		if (length - at < 2 || text[at] != ':' || text[at + 1] != ':' || memchr(text, '.', at))
			return 0;
		at += 2;
		at += scan_groups(text + at, length - at, 7 - before, &low, &after);
		high = low | (before ? high << (128 - 16 * before) : 0);
	}
	*ret_address = high;
	return at;
}

static size_t scan_address(const char *text, size_t length, struct kh_range *ret_address)
{
	kh_u128 address;
	uint32_t v4;
	size_t used = scan_v4(text, length, &v4);

	if (used) {
		*ret_address = (struct kh_range){ .first = v4, .last = v4, .family = 4 };
		return used;
	}
	used = scan_v6(text, length, &address);
	if (used)
		*ret_address = (struct kh_range){ .first = address, .last = address, .family = 6 };
	return used;
}

/* A prefix length, without leading zeros. */
static size_t scan_bits(const char *text, size_t length, uint8_t family, uint8_t *ret_bits)
{
	unsigned int bits = 0;
	size_t at = 0;

	for (; at < length && at < 4 && text[at] >= '0' && text[at] <= '9'; at++)
		bits = bits * 10 + (unsigned int)(text[at] - '0');
	if (!at || at > 3 || (at > 1 && text[0] == '0') || bits > (family == 4 ? 32u : 128u))
		return 0;
	*ret_bits = (uint8_t)bits;
	return at;
}

int kh_address_parse(const char *text, size_t length, struct kh_range *ret_address)
{
	struct kh_range address;
	size_t used = scan_address(text, length, &address);

	if (!used || used != length)
		return -EINVAL;
	*ret_address = address;
	return 0;
}

int kh_prefix_parse(const char *text, size_t length, struct kh_range *ret_range, enum kh_host_bits *ret_host_bits)
{
	struct kh_range address;
	size_t used = scan_address(text, length, &address), digits;
	uint8_t bits;

	if (!used || used == length || text[used] != '/')
		return -EINVAL;
	digits = scan_bits(text + used + 1, length - used - 1, address.family, &bits);
	if (!digits || used + 1 + digits != length)
		return -EINVAL;
	*ret_range = kh_range_of_prefix(address.first, bits, address.family);
	*ret_host_bits = ret_range->first == address.first ? KH_HOST_BITS_NONE : KH_HOST_BITS_SET;
	return 0;
}

size_t kh_range_scan(const char *text, size_t length, struct kh_range *ret_range)
{
	struct kh_range range, other;
	size_t used = scan_address(text, length, &range), more;
	uint8_t bits;

	if (used && used < length && text[used] == '/') {
		more = scan_bits(text + used + 1, length - used - 1, range.family, &bits);
		if (!more)
			return 0;
		other = kh_range_of_prefix(range.first, bits, range.family);
		if (other.first != range.first)
			return 0;
		range = other;
		used += 1 + more;
	} else if (used && used < length && text[used] == '-') {
		more = scan_address(text + used + 1, length - used - 1, &other);
		if (!more || other.family != range.family || other.first < range.first)
			return 0;
		range.last = other.last;
		used += 1 + more;
	}
	if (used)
		*ret_range = range;
	return used;
}

int kh_range_parse(const char *text, size_t length, struct kh_range *ret_range)
{
	struct kh_range range;
	size_t used = kh_range_scan(text, length, &range);

	if (!used || used != length)
		return -EINVAL;
	*ret_range = range;
	return 0;
}

/* ---- Arithmetic --------------------------------------------------------------------------------- */

static kh_u128 from_bytes(const uint8_t *bytes, size_t count)
{
	kh_u128 value = 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

struct kh_range kh_range_from_bytes(const void *bytes, uint8_t family)
{
	kh_u128 address = from_bytes(bytes, family == 4 ? 4 : 16);

	return (struct kh_range){ .first = address, .last = address, .family = family };
}

struct kh_range kh_range_of_prefix(kh_u128 address, uint8_t length, uint8_t family)
{
	kh_u128 max = kh_address_max(family);
	uint8_t bits = family == 4 ? 32 : 128;
	kh_u128 host = length >= bits ? 0 : (length ? max >> length : max);

	return (struct kh_range){ .first = address & ~host & max, .last = (address & max) | host, .family = family };
}

static void to_bytes(kh_u128 value, uint8_t bytes[static 16])
{
	for (int i = 15; i >= 0; i--) {
		bytes[i] = (uint8_t)value;
		value >>= 8;
	}
}

void kh_range_to_mapped(const struct kh_range *range, uint8_t ret_bytes[static 16])
{
	to_bytes(range->first, ret_bytes);
	if (range->family == 4)
		ret_bytes[10] = ret_bytes[11] = 0xff;
}

struct kh_range kh_range_from_mapped(const uint8_t bytes[static 16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(bytes, prefix, sizeof(prefix)) ? kh_range_from_bytes(bytes, 6)
						     : kh_range_from_bytes(bytes + 12, 4);
}

int kh_range_prefix_length(const struct kh_range *range)
{
	kh_u128 host = range->first ^ range->last;
	int bits = range->family == 4 ? 32 : 128, length = bits;

	if (host & (host + 1)) /* not 0..01..1 */
		return -1;
	if (range->first & host)
		return -1;
	while (host) {
		host >>= 1;
		length--;
	}
	return length;
}

bool kh_range_contains(const struct kh_range *outer, const struct kh_range *inner)
{
	return outer->family == inner->family && outer->first <= inner->first && inner->last <= outer->last;
}

bool kh_range_overlaps(const struct kh_range *a, const struct kh_range *b)
{
	return a->family == b->family && a->first <= b->last && b->first <= a->last;
}

int kh_range_compare(const void *a, const void *b)
{
	const struct kh_range *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return 0;
}

/* ---- Printing ----------------------------------------------------------------------------------- */

static void format_v4(uint32_t address, char *buffer, size_t size)
{
	snprintf(buffer, size, "%u.%u.%u.%u", address >> 24, address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff);
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2). Its length; 0: none. */
static int zero_run(const unsigned int groups[static 8], int *ret_start)
{
	int best = 1;

	for (int start = 0; start < 8; start++) {
		int end = start;

		while (end < 8 && !groups[end])
			end++;
		if (end - start > best) {
			best = end - start;
			*ret_start = start;
		}
	}
	return best > 1 ? best : 0;
}

/* RFC 5952; of the addresses that embed IPv4 only ::ffff:0:0/96 is printed with dots (its section 5). */
static void format_v6(kh_u128 address, char buffer[static KH_ADDRESS_TEXT])
{
	unsigned int groups[8];
	int start = 8, run;
	size_t used = 0;

	if (address >> 32 == 0xffff) {
		memcpy(buffer, "::ffff:", 8);
		format_v4((uint32_t)address, buffer + 7, KH_ADDRESS_TEXT - 7);
		return;
	}
	for (int i = 0; i < 8; i++)
		groups[i] = (unsigned int)(address >> (112 - 16 * i)) & 0xffff;
	run = zero_run(groups, &start);
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			used += (size_t)snprintf(buffer + used, KH_ADDRESS_TEXT - used, "::");
			i += run - 1;
			continue;
		}
		used += (size_t)snprintf(buffer + used, KH_ADDRESS_TEXT - used, i && i != start + run ? ":%x" : "%x",
					 groups[i]);
	}
}

static void format_address(kh_u128 address, uint8_t family, char buffer[static KH_ADDRESS_TEXT])
{
	if (family == 4)
		format_v4((uint32_t)address, buffer, KH_ADDRESS_TEXT);
	else
		format_v6(address, buffer);
}

char *kh_range_format(const struct kh_range *range, char buffer[static KH_RANGE_TEXT])
{
	char first[KH_ADDRESS_TEXT], last[KH_ADDRESS_TEXT];
	int length = kh_range_prefix_length(range), bits = range->family == 4 ? 32 : 128;

	format_address(range->first, range->family, first);
	if (length == bits) {
		snprintf(buffer, KH_RANGE_TEXT, "%s", first);
	} else if (length >= 0) {
		snprintf(buffer, KH_RANGE_TEXT, "%s/%d", first, length);
	} else {
		format_address(range->last, range->family, last);
		snprintf(buffer, KH_RANGE_TEXT, "%s-%s", first, last);
	}
	return buffer;
}
