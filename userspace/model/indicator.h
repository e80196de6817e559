/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An indicator: the value that an order is about, in canonical form. Plain data, no behaviour but
 * parsing what a person typed and printing it again; the two are inverse.
 */
#ifndef KHIEN_MODEL_INDICATOR_H
#define KHIEN_MODEL_INDICATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/error.h"

/* Names as in JSON: "address", "prefix", "range", "address-port", "domain", "url", "unknown". Order is stored: append only.
 * KH_TYPE_UNKNOWN is what looks like an address and is none ("1.2.3.4.5"): it only ever waits for review, is never
 * enforceable and never parsed; its text is the value as written. */
#define KH_INDICATOR_TYPES(X)                   \
	X(KH_TYPE_ADDRESS, "address")           \
	X(KH_TYPE_PREFIX, "prefix")             \
	X(KH_TYPE_RANGE, "range")               \
	X(KH_TYPE_ADDRESS_PORT, "address-port") \
	X(KH_TYPE_DOMAIN, "domain")             \
	X(KH_TYPE_URL, "url")                   \
	X(KH_TYPE_UNKNOWN, "unknown")

enum kh_indicator_type {
#define X(symbol, name) symbol,
	KH_INDICATOR_TYPES(X)
#undef X
		KH_TYPE_COUNT,
};

struct kh_indicator {
	struct kh_range range; /* address, prefix, range, address-port; first, so that a million of them pack well */
	enum kh_indicator_type type;
	uint16_t port; /* address-port: 1..65535 */
	uint8_t protocol; /* address-port: 6 TCP, 17 UDP, 0 both */
	bool subdomains; /* domain: it and all below it, not it alone */
	char *text; /* domain, url: canonical, lower-case host; unknown: as written; owned; NULL for the others */
};

void kh_indicator_clear(struct kh_indicator *indicator);
int kh_indicator_copy(struct kh_indicator *ret_copy, const struct kh_indicator *indicator); /* 0 or -ENOMEM */

const char *kh_indicator_type_name(enum kh_indicator_type type);
int kh_indicator_type_from_name(const char *name, enum kh_indicator_type *ret_type); /* 0 or -EINVAL */

/* Text of the value, the key under which it is kept: "203.0.113.7", "203.0.113.0/24", "203.0.113.1-203.0.113.9",
 * "203.0.113.7:443", "203.0.113.7:443/tcp", "[2001:db8::1]:443/udp", "c2.example", "*.c2.example" (it and all below it). malloc'ed; NULL: out of memory. */
char *kh_indicator_format(const struct kh_indicator *indicator);

/* Parses what a person typed, plain form, in the forms above (a range "a-b" that is exactly one prefix becomes
 * that prefix; a /32 or /128 becomes an address). Defanged forms ("203.0.113[.]7", "hxxp://") are the reader's
 * business and not understood here. 0; -EINVAL with error; -EDOM when host bits are set: *ret then holds the
 * network, and the caller decides. On other failures *ret is unchanged. */
int kh_indicator_parse(const char *text, struct kh_indicator *ret_indicator, struct kh_error *error);

/* An order of values; 0: the same value. */
int kh_indicator_compare(const struct kh_indicator *a, const struct kh_indicator *b);

/* The address, prefix or range that it is. */
struct kh_indicator kh_indicator_of_range(const struct kh_range *range);

/* Can the packet programs of this version enforce it? (domains, URLs and unknown: no) */
bool kh_indicator_enforceable(const struct kh_indicator *indicator);

#endif
