// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses as numbers. IPv4 is parsed by hand, since no library refuses leading zeros and everything else that
 * programs read differently; IPv6 by inet_pton. Printing is our own: C libraries differ about ::1:2 and ::0.1.0.2.
 */
#include "common/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

kh_u128 kh_address_max(uint8_t family)
{
	return family == 4 ? (kh_u128)UINT32_MAX : ~(kh_u128)0;
}

/* Four octets, decimal, no leading zeros. */
static int parse_v4(const char *text, size_t length, uint32_t *ret_address)
{
	uint32_t address = 0;
	size_t at = 0;

	for (int octet = 0; octet < 4; octet++) {
		uint32_t value = 0;
		size_t digits = 0;

		if (octet && (at >= length || text[at++] != '.'))
			return -EINVAL;
		while (at < length && text[at] >= '0' && text[at] <= '9' && digits < 4) {
			value = value * 10 + (uint32_t)(text[at++] - '0');
			digits++;
		}
		if (!digits || digits > 3 || value > 255 || (digits > 1 && text[at - digits] == '0'))
			return -EINVAL;
		address = address << 8 | value;
	}
	if (at != length)
		return -EINVAL;
	*ret_address = address;
	return 0;
}

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

int kh_address_parse(const char *text, size_t length, struct kh_range *ret_address)
{
	char copy[KH_ADDRESS_TEXT];
	uint8_t bytes[16];
	uint32_t v4;

	if (!parse_v4(text, length, &v4)) {
		*ret_address = (struct kh_range){ .first = v4, .last = v4, .family = 4 };
		return 0;
	}
	if (!length || length >= sizeof(copy) || !memchr(text, ':', length) || memchr(text, '\0', length))
		return -EINVAL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET6, copy, bytes) != 1)
		return -EINVAL;
	*ret_address = kh_range_from_bytes(bytes, 6);
	return 0;
}

struct kh_range kh_range_of_prefix(kh_u128 address, uint8_t length, uint8_t family)
{
	kh_u128 max = kh_address_max(family);
	uint8_t bits = family == 4 ? 32 : 128;
	kh_u128 host = length >= bits ? 0 : (length ? max >> length : max);

	return (struct kh_range){ .first = address & ~host & max, .last = (address & max) | host, .family = family };
}

int kh_prefix_parse(const char *text, size_t length, struct kh_range *ret_range, enum kh_host_bits *ret_host_bits)
{
	const char *slash = memchr(text, '/', length);
	struct kh_range address, range;
	unsigned int bits = 0;
	size_t digits;

	if (!slash || kh_address_parse(text, (size_t)(slash - text), &address) < 0)
		return -EINVAL;
	digits = length - (size_t)(slash - text) - 1;
	if (!digits || digits > 3 || (digits > 1 && slash[1] == '0'))
		return -EINVAL;
	for (size_t i = 1; i <= digits; i++) {
		if (slash[i] < '0' || slash[i] > '9')
			return -EINVAL;
		bits = bits * 10 + (unsigned int)(slash[i] - '0');
	}
	if (bits > (address.family == 4 ? 32u : 128u))
		return -EINVAL;
	range = kh_range_of_prefix(address.first, (uint8_t)bits, address.family);
	*ret_host_bits = range.first == address.first ? KH_HOST_BITS_NONE : KH_HOST_BITS_SET;
	*ret_range = range;
	return 0;
}

int kh_range_parse(const char *text, size_t length, struct kh_range *ret_range)
{
	const char *dash = memchr(text, '-', length);
	enum kh_host_bits host_bits;
	struct kh_range first, last;

	if (memchr(text, '/', length)) {
		if (kh_prefix_parse(text, length, &first, &host_bits) < 0 || host_bits != KH_HOST_BITS_NONE)
			return -EINVAL;
		*ret_range = first;
		return 0;
	}
	if (!dash)
		return kh_address_parse(text, length, ret_range);
	if (kh_address_parse(text, (size_t)(dash - text), &first) < 0 ||
	    kh_address_parse(dash + 1, length - (size_t)(dash - text) - 1, &last) < 0)
		return -EINVAL;
	if (first.family != last.family || first.first > last.first)
		return -EINVAL;
	first.last = last.first;
	*ret_range = first;
	return 0;
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
