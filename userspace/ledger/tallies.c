// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many orders in which state, by letter and over distinct indicators: one pass over the orders, kept until one of
 * them is written. Status, lists and metrics ask often; orders change seldom.
 */
#include "ledger/private.h"

#include <errno.h>
#include <string.h>

struct pass {
	struct kh_ledger *ledger;
	struct kh_letter_tally *last; /* orders of one letter often follow each other */
	/* Who has an order in each state, and who an active one that drops: an indicator counts once, in its strongest state. */
	struct kh_ids states[KH_ORDER_STATE_COUNT], drops;
};

static void pass_clear(struct pass *pass)
{
	for (size_t i = 0; i < KH_ORDER_STATE_COUNT; i++)
		kh_ids_clear(&pass->states[i]);
	kh_ids_clear(&pass->drops);
}

/* Where the letter stands, or would stand. */
static size_t place_of(const struct kh_tallies *tallies, int64_t letter)
{
	size_t low = 0, high = tallies->letters_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (tallies->letters[middle].letter < letter)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct kh_letter_tally *tally_of(struct pass *pass, int64_t letter)
{
	struct kh_tallies *tallies = &pass->ledger->tallies;
	size_t place;

	if (pass->last && pass->last->letter == letter)
		return pass->last;
	place = place_of(tallies, letter);
	if (place == tallies->letters_count || tallies->letters[place].letter != letter) {
		if (kh_grow(&tallies->letters, &tallies->letters_capacity, tallies->letters_count + 1,
			    sizeof(*tallies->letters)) < 0)
			return NULL;
		memmove(&tallies->letters[place + 1], &tallies->letters[place],
			(tallies->letters_count - place) * sizeof(*tallies->letters));
		tallies->letters[place] = (struct kh_letter_tally){ .letter = letter };
		tallies->letters_count++;
	}
	pass->last = &tallies->letters[place];
	return pass->last;
}

static void count_letter(struct kh_letter_tally *tally, int64_t state, int64_t action, int64_t more)
{
	switch (state) {
	case KH_ORDER_ACTIVE:
		if (action == KH_ACTION_MONITOR)
			tally->monitored += more;
		else
			tally->enforced += more;
		break;
	case KH_ORDER_REVIEW:
		tally->review += more;
		break;
	case KH_ORDER_REFUSED:
		tally->refused += more;
		break;
	case KH_ORDER_UNENFORCEABLE:
		tally->unenforceable += more;
		break;
	default:
		tally->ended += more;
	}
}

static int count_row(struct pass *pass, sqlite3_stmt *statement)
{
	int64_t indicator = sqlite3_column_int64(statement, 0), state = sqlite3_column_int64(statement, 2);
	int64_t action = sqlite3_column_int64(statement, 3);
	struct kh_letter_tally *tally = tally_of(pass, sqlite3_column_int64(statement, 1));

	if (!tally)
		return -ENOMEM;
	if (state < 0 || state >= KH_ORDER_STATE_COUNT || !kh_ids_room(&pass->drops, indicator))
		return -EUCLEAN;
	count_letter(tally, state, action, 1);
	kh_ids_add(&pass->states[state], indicator);
	if (state == KH_ORDER_ACTIVE && action != KH_ACTION_MONITOR)
		kh_ids_add(&pass->drops, indicator);
	return 0;
}

static int count_rows(struct pass *pass)
{
	KH_STATEMENT(statement);
	int code = kh_sql_prepare(pass->ledger, "SELECT id / 1048576, letter, state, action FROM orders ORDER BY id",
				  &statement, NULL);

	while (code >= 0 && (code = kh_sql_step(pass->ledger, statement, NULL)) == 1)
		code = count_row(pass, statement);
	return code;
}

/* Both begin at a multiple of 64, and `ids` has room for all. */
static void add_all(struct kh_ids *ids, const struct kh_ids *more)
{
	for (int64_t word = 0; word < more->count / 64; word++)
		ids->bits[(more->first - ids->first) / 64 + word] |= more->bits[word];
}

static int count_lists(struct pass *pass)
{
	for (size_t i = 0; i < pass->ledger->bulks.count; i++) {
		const struct kh_held *held = &pass->ledger->bulks.list[i];
		struct kh_letter_tally *tally = held->absent ? NULL : tally_of(pass, held->letter);

		if (held->absent)
			continue;
		if (!tally)
			return -ENOMEM;
		count_letter(tally, held->state, held->action, kh_held_shown(held));
		add_all(&pass->states[held->state], &held->shown);
		if (held->state == KH_ORDER_ACTIVE && held->action != KH_ACTION_MONITOR)
			add_all(&pass->drops, &held->shown);
	}
	return 0;
}

static int make_room(struct pass *pass)
{
	int64_t next = kh_indicator_reserve(pass->ledger, 0, NULL);
	int code = next < 0 ? (int)next : kh_ids_reserve(&pass->drops, 0, next + 64);

	for (size_t i = 0; i < KH_ORDER_STATE_COUNT && code >= 0; i++)
		code = kh_ids_reserve(&pass->states[i], 0, next + 64);
	return code;
}

static int64_t count_bits(uint64_t bits)
{
	return __builtin_popcountll(bits);
}

static void count_indicators(const struct pass *pass)
{
	struct kh_tallies *tallies = &pass->ledger->tallies;

	for (int64_t word = 0; word < pass->drops.count / 64; word++) {
		uint64_t seen = 0;

		for (size_t state = 0; state < KH_ORDER_STATE_COUNT; state++) {
			tallies->states[state] += count_bits(pass->states[state].bits[word] & ~seen);
			seen |= pass->states[state].bits[word];
		}
		tallies->monitored += count_bits(pass->states[KH_ORDER_ACTIVE].bits[word] & ~pass->drops.bits[word]);
	}
}

int kh_tallies_load(struct kh_ledger *ledger)
{
	struct pass pass KH_CLEANUP(pass_clear) = { .ledger = ledger };
	struct kh_tallies *tallies = &ledger->tallies;
	int code;

	if (tallies->valid)
		return 0;
	code = kh_bulks_load(ledger, NULL);
	if (code >= 0)
		code = make_room(&pass);
	if (code < 0)
		return code;
	tallies->letters_count = 0;
	tallies->monitored = 0;
	memset(tallies->states, 0, sizeof(tallies->states));
	code = count_rows(&pass);
	if (code >= 0)
		code = count_lists(&pass);
	if (code < 0)
		return code;
	count_indicators(&pass);
	tallies->valid = true;
	return 0;
}

void kh_tallies_clear(struct kh_ledger *ledger)
{
	free(ledger->tallies.letters);
	memset(&ledger->tallies, 0, sizeof(ledger->tallies));
}

const struct kh_letter_tally *kh_tallies_letter(const struct kh_ledger *ledger, int64_t letter)
{
	static const struct kh_letter_tally none;
	size_t place = place_of(&ledger->tallies, letter);

	return place < ledger->tallies.letters_count && ledger->tallies.letters[place].letter == letter
		       ? &ledger->tallies.letters[place]
		       : &none;
}

int kh_ledger_order_counts(struct kh_ledger *ledger, int64_t ret_counts[static KH_ORDER_STATE_COUNT],
			   int64_t *ret_monitored)
{
	int code = kh_tallies_load(ledger);

	if (code < 0)
		return code;
	memcpy(ret_counts, ledger->tallies.states, sizeof(ledger->tallies.states));
	*ret_monitored = ledger->tallies.monitored;
	return 0;
}
