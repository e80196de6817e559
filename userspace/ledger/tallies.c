// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many orders in which state, by letter and over distinct indicators: one pass over the orders, kept until one of
 * them is written. Status, lists and metrics ask often; orders change seldom.
 */
#include "ledger/private.h"

#include <errno.h>
#include <string.h>

struct pass {
	struct kh_tallies *tallies;
	struct kh_letter_tally *last; /* orders of one letter often follow each other */
	int64_t indicator; /* whose orders go by; 0: none yet */
	int64_t strongest; /* its state so far */
	bool drop; /* some active order of it drops */
};

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
	struct kh_tallies *tallies = pass->tallies;
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

static void count_letter(struct kh_letter_tally *tally, int64_t state, int64_t action)
{
	switch (state) {
	case KH_ORDER_ACTIVE:
		if (action == KH_ACTION_MONITOR)
			tally->monitored++;
		else
			tally->enforced++;
		break;
	case KH_ORDER_REVIEW:
		tally->review++;
		break;
	case KH_ORDER_REFUSED:
		tally->refused++;
		break;
	case KH_ORDER_UNENFORCEABLE:
		tally->unenforceable++;
		break;
	default:
		tally->ended++;
	}
}

static void end_indicator(struct pass *pass)
{
	if (!pass->indicator)
		return;
	pass->tallies->states[pass->strongest]++;
	if (pass->strongest == KH_ORDER_ACTIVE && !pass->drop)
		pass->tallies->monitored++;
}

/* Orders come by indicator: the strongest state is known when the next one begins. */
static void count_indicator(struct pass *pass, int64_t indicator, int64_t state, int64_t action)
{
	if (indicator != pass->indicator) {
		end_indicator(pass);
		pass->indicator = indicator;
		pass->strongest = state;
		pass->drop = false;
	}
	if (state < pass->strongest)
		pass->strongest = state;
	if (state == KH_ORDER_ACTIVE && action != KH_ACTION_MONITOR)
		pass->drop = true;
}

static int count_row(struct pass *pass, sqlite3_stmt *statement)
{
	int64_t state = sqlite3_column_int64(statement, 2), action = sqlite3_column_int64(statement, 3);
	struct kh_letter_tally *tally = tally_of(pass, sqlite3_column_int64(statement, 1));

	if (!tally)
		return -ENOMEM;
	if (state < 0 || state >= KH_ORDER_STATE_COUNT)
		return -EUCLEAN;
	count_letter(tally, state, action);
	count_indicator(pass, sqlite3_column_int64(statement, 0), state, action);
	return 0;
}

int kh_tallies_load(struct kh_ledger *ledger)
{
	KH_STATEMENT(statement);
	struct kh_tallies *tallies = &ledger->tallies;
	struct pass pass = { .tallies = tallies };
	int code;

	if (tallies->valid)
		return 0;
	code = kh_sql_prepare(ledger, "SELECT id / 1048576, letter, state, action FROM orders ORDER BY id", &statement,
			      NULL);
	if (code < 0)
		return code;
	tallies->letters_count = 0;
	tallies->monitored = 0;
	memset(tallies->states, 0, sizeof(tallies->states));
	while ((code = kh_sql_step(ledger, statement, NULL)) == 1)
		if ((code = count_row(&pass, statement)) < 0)
			break;
	if (code < 0)
		return code;
	end_indicator(&pass);
	tallies->valid = true;
	return 0;
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
