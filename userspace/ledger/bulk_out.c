// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way of single values out of bulk lists. A row of a value and letter always speaks before the letter's lists, so nothing is written
 * in a list: when an undo takes the row away, the list speaks again.
 */
#include "ledger/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"

int kh_held_hide(struct kh_held *held, size_t index)
{
	const struct kh_ids *all = &held->members->ids;
	size_t count = kh_members_count(held->members);
	uint32_t line, indicator;

	if (!held->hidden) {
		struct kh_ids shown = {};
		uint64_t *hidden = calloc(count / 64 + 1, sizeof(*hidden));

		if (!hidden || kh_ids_reserve(&shown, all->first, all->first + all->count - 1) < 0) {
			free(hidden);
			return -ENOMEM;
		}
		memcpy(shown.bits, all->bits, (size_t)all->count / 64 * sizeof(*all->bits));
		held->hidden = hidden;
		held->shown = shown;
	}
	if (!kh_held_shows(held, index))
		return 0;
	held->hidden[index / 64] |= 1ull << index % 64;
	held->hidden_count++;
	kh_member_range(held->members, index, &line, &indicator);
	kh_ids_drop(&held->shown, indicator);
	return 0;
}

static bool is_plain(const struct kh_indicator *indicator)
{
	return indicator->type == KH_TYPE_ADDRESS || indicator->type == KH_TYPE_PREFIX ||
	       indicator->type == KH_TYPE_RANGE;
}

static int hide_everywhere(struct kh_ledger *ledger, int64_t letter, const struct kh_range *range)
{
	for (size_t i = 0; i < ledger->bulks.count; i++) {
		struct kh_held *held = &ledger->bulks.list[i];
		int64_t found;

		if (held->absent || held->letter != letter)
			continue;
		found = kh_bulk_find(&held->members->values, range);
		if (found >= 0 && kh_held_hide(held, (size_t)found) < 0)
			return -ENOMEM;
	}
	return 0;
}

int kh_bulks_hide_rows(struct kh_ledger *ledger, struct kh_error *error)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(ledger,
				  "SELECT o.letter, i.key FROM (SELECT DISTINCT letter FROM bulks) b"
				  " CROSS JOIN orders o ON o.letter = b.letter JOIN indicators i ON i.id = o.indicator",
				  &statement, error);

	while (code >= 0 && (code = kh_sql_step(ledger, statement, error)) == 1) {
		const void *key = sqlite3_column_blob(statement, 1);
		struct kh_indicator indicator;

		if (kh_key_read(key, (size_t)sqlite3_column_bytes(statement, 1), "-", &indicator) < 0)
			return kh_sql_fail(ledger, SQLITE_CORRUPT, error);
		if (is_plain(&indicator))
			code = hide_everywhere(ledger, sqlite3_column_int64(statement, 0), &indicator.range);
	}
	return code;
}

/* ?1 order id ?2 indicator ?3 line ?4 list: an order as the list tells it; the columns of `orders` in their order. */
#define ORDER_OF(list)                                                                                            \
	"?1, ?2, " list ".letter, " list ".state, " list ".action, 0, " TABLE ", 2, 0, ?3, " list ".since, " list \
	".expires, " list ".change, '', " list ".note, NULL, " list ".file"
#define TABLE "0"
_Static_assert(KH_WHY_TABLE == 0 && KH_ENFORCE == 0 && KH_SECTION_LIST == 2, "numbers in the statements here");

static int make_row(struct kh_ledger *ledger, const struct kh_held *held, size_t index, struct kh_error *error)
{
	static const char *const steps[] = {
		"INSERT INTO orders SELECT " ORDER_OF("b") " FROM bulks b WHERE b.id = ?4",
		"INSERT OR IGNORE INTO orders_before SELECT b.at_change, b.after_change, " ORDER_OF(
			"b") " FROM bulks_before b WHERE b.id = ?4",
		("INSERT OR IGNORE INTO orders_made SELECT m.at_change, ?1, ?1, 1, m.after_change FROM bulks_made m"
		 " WHERE ?4 BETWEEN m.first AND m.last AND ?2 AND ?3 IS NOT NULL"),
	};
	uint32_t line, indicator;
	struct kh_range range = kh_member_range(held->members, index, &line, &indicator);
	const int64_t values[4] = { KH_ORDER_ID((int64_t)indicator, held->letter), indicator, line, held->id };
	int code = kh_bulk_name(ledger, indicator, &range, error);

	for (size_t i = 0; i < KH_ARRAY_SIZE(steps) && code >= 0; i++) {
		int64_t rows = kh_sql_change(ledger, steps[i], values, error);

		code = rows < 0 ? (int)rows : 0;
	}
	return code;
}

int kh_bulk_take_out(struct kh_ledger *ledger, int64_t letter, const struct kh_indicator *indicator,
		     struct kh_error *error)
{
	int code = is_plain(indicator) ? kh_bulks_load(ledger, error) : 0;

	if (code < 0 || !is_plain(indicator))
		return code;
	for (size_t i = ledger->bulks.count; i-- > 0 && code >= 0;) {
		struct kh_held *held = &ledger->bulks.list[i];
		int64_t found;

		if (held->absent || held->letter != letter)
			continue;
		found = kh_bulk_find(&held->members->values, &indicator->range);
		if (found < 0)
			continue;
		if (!kh_held_shows(held, (size_t)found))
			break;
		code = kh_change_flush(ledger, error); /* a list of this very change is to be found among those made */
		if (code >= 0)
			code = make_row(ledger, held, (size_t)found, error);
		break;
	}
	if (code < 0)
		return code;
	return hide_everywhere(ledger, letter, &indicator->range) < 0 ? kh_fail(error, -ENOMEM, _("out of memory")) : 0;
}
