// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The values of bulk lists: reading them, finding one, walking two lists side by side, and sets of their indicators.
 */
#include "ledger/private.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "common/lang.h"

/* ---- Members -------------------------------------------------------------------------------------- */

void kh_members_free(struct kh_members *members)
{
	if (!members)
		return;
	kh_bulk_clear(&members->values);
	free(members->indicators);
	kh_ids_clear(&members->ids);
	free(members);
}

/* The shorter one leads; where it is much shorter each of its values is looked up, else both are walked. */
void kh_members_meet(const struct kh_members *a, const struct kh_members *b,
		     void (*callback)(size_t a, size_t b, void *context), void *context)
{
	size_t a_count = kh_members_count(a), b_count = kh_members_count(b), i = 0, j = 0;
	uint32_t line, indicator;

	if (a_count < b_count / 16) {
		for (; i < a_count; i++) {
			struct kh_range range = kh_member_range(a, i, &line, &indicator);
			int64_t found = kh_bulk_find(&b->values, &range);

			if (found >= 0)
				callback(i, (size_t)found, context);
		}
		return;
	}
	while (i < a_count && j < b_count) {
		struct kh_range x = kh_member_range(a, i, &line, &indicator);
		struct kh_range y = kh_member_range(b, j, &line, &indicator);
		int order = kh_range_compare(&x, &y);

		if (!order)
			callback(i, j, context);
		i += order <= 0;
		j += order >= 0;
	}
}

/* ---- Sets of indicators ----------------------------------------------------------------------------- */

int kh_ids_reserve(struct kh_ids *ids, int64_t low, int64_t high)
{
	struct kh_ids wider = { .first = low / 64 * 64 };

	if (ids->count && ids->first < wider.first)
		wider.first = ids->first;
	wider.count = (high - wider.first) / 64 * 64 + 64;
	if (ids->count && ids->first + ids->count > wider.first + wider.count)
		wider.count = ids->first + ids->count - wider.first;
	if (ids->count && wider.first == ids->first && wider.count == ids->count)
		return 0;
	wider.bits = calloc((size_t)wider.count / 64, sizeof(*wider.bits));
	if (!wider.bits)
		return -ENOMEM;
	if (ids->count)
		memcpy(wider.bits + (ids->first - wider.first) / 64, ids->bits,
		       (size_t)ids->count / 64 * sizeof(*ids->bits));
	free(ids->bits);
	*ids = wider;
	return 0;
}

void kh_ids_clear(struct kh_ids *ids)
{
	free(ids->bits);
	memset(ids, 0, sizeof(*ids));
}

static int index_ids(struct kh_members *members)
{
	size_t count = kh_members_count(members);
	uint32_t low = UINT32_MAX, high = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t indicator = members->indicators[i];

		low = indicator < low ? indicator : low;
		high = indicator > high ? indicator : high;
	}
	if (!count)
		return 0;
	if (kh_ids_reserve(&members->ids, low, high) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		kh_ids_add(&members->ids, members->indicators[i]);
	return 0;
}

/* ---- Reading values --------------------------------------------------------------------------------- */

/* Appends `count` elements of `each` bytes. */
static int append(void *array, size_t before, size_t count, size_t each, const uint8_t *data)
{
	uint8_t *longer = realloc(*(void **)array, (before + count) * each);

	if (!longer)
		return -ENOMEM;
	memcpy(longer + before * each, data, count * each);
	*(void **)array = longer;
	return 0;
}

/* Values, then the indicators of each. */
static int add_part(struct kh_members *members, int family, const uint8_t *data, size_t size)
{
	struct kh_bulk *values = &members->values;
	size_t each = family == 4 ? sizeof(*values->v4) : sizeof(*values->v6), count;
	int code;

	if ((family != 4 && family != 6) || !size || size % (each + sizeof(uint32_t)) ||
	    (family == 4 && values->v6_count))
		return -EUCLEAN;
	count = size / (each + sizeof(uint32_t));
	code = append(&members->indicators, kh_members_count(members), count, sizeof(uint32_t), data + count * each);
	if (code >= 0 && family == 4)
		code = append(&values->v4, values->v4_count, count, each, data);
	else if (code >= 0)
		code = append(&values->v6, values->v6_count, count, each, data);
	if (code < 0)
		return code;
	*(family == 4 ? &values->v4_count : &values->v6_count) += count;
	return 0;
}

/* A damaged file must not make the searches go astray. */
static bool is_sorted(const struct kh_members *members)
{
	struct kh_range before = {};

	for (size_t i = 0; i < kh_members_count(members); i++) {
		uint32_t line, indicator;
		struct kh_range range = kh_member_range(members, i, &line, &indicator);

		if (range.first > range.last || !indicator || (i && kh_range_compare(&before, &range) >= 0))
			return false;
		before = range;
	}
	return true;
}

static int read_members(struct kh_ledger *ledger, int64_t bulk, struct kh_members *members, struct kh_error *error)
{
	KH_CACHED(statement);
	int code = kh_sql_cached(
		ledger, KH_SQL_BULK_PART,
		"SELECT family, data FROM bulk_parts WHERE id BETWEEN ?1 * 1048576 AND ?1 * 1048576 + 1048575 ORDER BY id",
		&statement, error);

	if (code < 0)
		return code;
	kh_sql_bind_int(statement, 1, bulk);
	while ((code = kh_sql_step(ledger, statement, error)) == 1) {
		const void *data = sqlite3_column_blob(statement, 1);

		code = add_part(members, sqlite3_column_int(statement, 0), data,
				(size_t)sqlite3_column_bytes(statement, 1));
		if (code < 0)
			break;
	}
	if (code >= 0)
		code = is_sorted(members) ? index_ids(members) : -EUCLEAN;
	if (code == -EUCLEAN)
		return kh_sql_fail(ledger, SQLITE_CORRUPT, error);
	return code == -ENOMEM ? kh_fail(error, code, _("out of memory")) : code;
}

_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "parts are written and read as they lie in memory");

int kh_members_read(struct kh_ledger *ledger, int64_t bulk, struct kh_members **ret_members, struct kh_error *error)
{
	struct kh_bulks *bulks = &ledger->bulks;
	struct kh_members *members;
	int code;

	for (size_t i = 0; i < bulks->members_count; i++) {
		if (bulks->members[i]->bulk != bulk)
			continue;
		*ret_members = bulks->members[i];
		return 0;
	}
	members = calloc(1, sizeof(*members));
	if (!members)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	members->bulk = bulk;
	code = read_members(ledger, bulk, members, error);
	if (code >= 0)
		code = kh_bulks_adopt(ledger, members);
	else
		kh_members_free(members);
	if (code < 0)
		return code;
	members->pending = false;
	*ret_members = members;
	return 0;
}

int kh_bulks_adopt(struct kh_ledger *ledger, struct kh_members *members_take)
{
	struct kh_bulks *bulks = &ledger->bulks;

	members_take->pending = true;
	if ((!members_take->ids.count && index_ids(members_take) < 0) ||
	    kh_grow(&bulks->members, &bulks->members_capacity, bulks->members_count + 1, sizeof(void *)) < 0) {
		kh_members_free(members_take);
		return -ENOMEM;
	}
	bulks->members[bulks->members_count++] = members_take;
	return 0;
}
