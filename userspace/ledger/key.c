// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The key of an indicator (private.h) and the walk over all that overlap a range.
 *
 * A range that overlaps [a, b] either starts inside it or starts before it and holds a; in the second case the shortest
 * prefix around it holds a as well. So for each prefix length one stretch of the index, from the network of a to b, has them all.
 */
#include "ledger/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KIND_IPV6 64
#define KIND_TEXT 240
#define BELOW "*."

static const enum kh_indicator_type text_types[] = { KH_TYPE_DOMAIN, KH_TYPE_URL, KH_TYPE_UNKNOWN };

static unsigned int bits_of(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

static unsigned int common_length(const struct kh_range *range)
{
	kh_u128 differ = range->first ^ range->last;
	unsigned int length = bits_of(range->family);

	for (; differ; differ >>= 1)
		length--;
	return length;
}

static void put_address(struct kh_key *key, kh_u128 address, uint8_t family)
{
	for (int shift = (int)bits_of(family) - 8; shift >= 0; shift -= 8)
		key->bytes[key->size++] = (uint8_t)(address >> shift);
}

static kh_u128 get_address(const uint8_t *bytes, size_t size)
{
	kh_u128 address = 0;

	for (size_t i = 0; i < size; i++)
		address = address << 8 | bytes[i];
	return address;
}

static void start_key(struct kh_key *key, uint8_t family, unsigned int length, kh_u128 first)
{
	key->bytes[0] = (uint8_t)(length + (family == 6 ? KIND_IPV6 : 0));
	key->size = 1;
	put_address(key, first, family);
}

void kh_key_of_range(const struct kh_range *range, struct kh_key *ret_key)
{
	start_key(ret_key, range->family, common_length(range), range->first);
	if (range->first != range->last)
		put_address(ret_key, range->last, range->family);
}

/* A name with all below it is another key than the name alone: as its canonical text. */
static int key_of_text(unsigned int kind, const struct kh_indicator *indicator, struct kh_key *ret_key)
{
	size_t length = indicator->text ? strlen(indicator->text) : 0,
	       before = indicator->subdomains ? strlen(BELOW) : 0;

	if (!length)
		return -EINVAL;
	if (length + before >= KH_KEY_MAX)
		return -E2BIG;
	ret_key->bytes[0] = (uint8_t)(KIND_TEXT + kind);
	memcpy(ret_key->bytes + 1, BELOW, before);
	memcpy(ret_key->bytes + 1 + before, indicator->text, length);
	ret_key->size = before + length + 1;
	return 0;
}

static bool valid_range(const struct kh_range *range)
{
	return (range->family == 4 || range->family == 6) && range->first <= range->last &&
	       range->last <= kh_address_max(range->family);
}

int kh_key_of(const struct kh_indicator *indicator, struct kh_key *ret_key)
{
	for (unsigned int i = 0; i < KH_ARRAY_SIZE(text_types); i++)
		if (indicator->type == text_types[i])
			return key_of_text(i, indicator, ret_key);
	if (!valid_range(&indicator->range))
		return -EINVAL;
	kh_key_of_range(&indicator->range, ret_key);
	if (indicator->type != KH_TYPE_ADDRESS_PORT)
		return 0;
	if (indicator->range.first != indicator->range.last || !indicator->port)
		return -EINVAL;
	ret_key->bytes[ret_key->size++] = (uint8_t)(indicator->port >> 8);
	ret_key->bytes[ret_key->size++] = (uint8_t)indicator->port;
	ret_key->bytes[ret_key->size++] = indicator->protocol;
	return 0;
}

static int read_text(unsigned int kind, const char *value, struct kh_indicator *ret_indicator)
{
	if (kind >= KH_ARRAY_SIZE(text_types) || !value[0])
		return -EUCLEAN;
	*ret_indicator = (struct kh_indicator){ .type = text_types[kind], .text = (char *)value };
	if (ret_indicator->type == KH_TYPE_DOMAIN && !strncmp(value, BELOW, strlen(BELOW))) {
		ret_indicator->subdomains = true;
		ret_indicator->text += strlen(BELOW);
	}
	return 0;
}

/* What follows the first address decides what it is. */
static int read_rest(const uint8_t *rest, size_t size, size_t width, struct kh_indicator *indicator)
{
	struct kh_range *range = &indicator->range;

	if (size == 3) {
		indicator->type = KH_TYPE_ADDRESS_PORT;
		indicator->port = (uint16_t)(rest[0] << 8 | rest[1]);
		indicator->protocol = rest[2];
		return indicator->port ? 0 : -EUCLEAN;
	}
	if (size == width)
		range->last = get_address(rest, width);
	else if (size)
		return -EUCLEAN;
	if (range->first > range->last)
		return -EUCLEAN;
	indicator->type = range->first == range->last	       ? KH_TYPE_ADDRESS
			  : kh_range_prefix_length(range) >= 0 ? KH_TYPE_PREFIX
							       : KH_TYPE_RANGE;
	return 0;
}

int kh_key_read(const void *bytes, size_t size, const char *value, struct kh_indicator *ret_indicator)
{
	struct kh_indicator indicator = {};
	const uint8_t *at = bytes;
	size_t width;
	int code;

	if (!size || !at)
		return -EUCLEAN;
	if (at[0] >= KIND_TEXT)
		return read_text(at[0] - KIND_TEXT, value, ret_indicator);
	indicator.range.family = at[0] < KIND_IPV6 ? 4 : 6;
	width = bits_of(indicator.range.family) / 8;
	if (size < 1 + width)
		return -EUCLEAN;
	indicator.range.first = indicator.range.last = get_address(at + 1, width);
	code = read_rest(at + 1 + width, size - 1 - width, width, &indicator);
	if (code < 0)
		return code;
	*ret_indicator = indicator;
	return 0;
}

static int find(struct kh_ledger *ledger, const struct kh_key *key, int64_t *ret_id)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(ledger, KH_SQL_INDICATOR_FIND, "SELECT id FROM indicators WHERE key = ?1", &statement,
				 NULL);

	if (code < 0)
		return code;
	kh_sql_bind_blob(statement, 1, key->bytes, key->size);
	code = kh_sql_step(ledger, statement, NULL);
	if (code == 1)
		*ret_id = sqlite3_column_int64(statement, 0);
	return code;
}

int kh_key_find(struct kh_ledger *ledger, const char *value, int64_t *ret_id)
{
	struct kh_indicator indicator = {};
	struct kh_key key;
	int code = 0;

	for (unsigned int i = 0; i < KH_ARRAY_SIZE(text_types) && code == 0; i++) {
		struct kh_indicator text = { .text = (char *)(uintptr_t)value };

		if (!key_of_text(i, &text, &key))
			code = find(ledger, &key, ret_id);
	}
	if (code)
		return code;
	if (kh_indicator_parse(value, &indicator, NULL) < 0 || kh_key_of(&indicator, &key) < 0) {
		kh_indicator_clear(&indicator);
		return 0;
	}
	kh_indicator_clear(&indicator);
	return find(ledger, &key, ret_id);
}

/* Appends the ids of one stretch of the index. */
static int walk(struct kh_ledger *ledger, sqlite3_stmt *statement, const struct kh_range *range, FILE *ids)
{
	int code;

	while ((code = kh_sql_step(ledger, statement, NULL)) == 1) {
		struct kh_indicator indicator;
		const void *bytes = sqlite3_column_blob(statement, 1);

		if (kh_key_read(bytes, (size_t)sqlite3_column_bytes(statement, 1), "", &indicator) < 0)
			return -EUCLEAN;
		if (kh_range_overlaps(&indicator.range, range))
			fprintf(ids, "%s%lld", ftell(ids) > 1 ? "," : "",
				(long long)sqlite3_column_int64(statement, 0));
	}
	return code;
}

static int walk_all(struct kh_ledger *ledger, const struct kh_range *range, FILE *ids)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(ledger, "SELECT id, key FROM indicators WHERE key >= ?1 AND key <= ?2", &statement,
				  NULL);

	for (unsigned int length = 0; length <= bits_of(range->family) && code >= 0; length++) {
		struct kh_range around = kh_range_of_prefix(range->first, (uint8_t)length, range->family);
		struct kh_key low, high;

		start_key(&low, range->family, length, around.first);
		start_key(&high, range->family, length, range->last);
		memset(high.bytes + high.size, 0xff, 17); /* more than anything that may follow the address */
		high.size += 17;
		kh_sql_bind_blob(statement, 1, low.bytes, low.size);
		kh_sql_bind_blob(statement, 2, high.bytes, high.size);
		code = walk(ledger, statement, range, ids);
		sqlite3_reset(statement);
	}
	return code;
}

int kh_key_overlaps(struct kh_ledger *ledger, const struct kh_range *range, char **ret_ids)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	size_t size = 0;
	FILE *ids;
	int code;

	if (!valid_range(range))
		return -EINVAL;
	ids = open_memstream(&text, &size);
	if (!ids)
		return -ENOMEM;
	fputc('[', ids);
	code = walk_all(ledger, range, ids);
	fputc(']', ids);
	if (fclose(ids) && code >= 0)
		code = -ENOMEM;
	if (code < 0)
		return code;
	*ret_ids = KH_TAKE(text);
	return 0;
}
