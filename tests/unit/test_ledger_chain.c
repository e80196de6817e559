// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which letter a letter is: by number, year and issuer, where known; what a person corrects of it; and which letters are one advisory.
 */
#include "ledger_help.h"

static int print_letter(const struct kh_letter_row *row, void *context)
{
	print(context, "%s|%s|%s|%d\n", row->number, row->date ? row->date : "-", row->issuer ? row->issuer : "-",
	      row->year);
	return 0;
}

static const char *letters_text(struct env *env)
{
	clear(env);
	assert_int_equal(kh_ledger_letters(env->ledger, NULL, print_letter, env), 0);
	return env->text;
}

/* An annex pushed later with --ref says nothing of the issuer, or says it first: still one letter. */
static void a_letter_without_issuer_is_the_one_of_its_number(void **state)
{
	struct env *env = *state;
	int64_t known, unsaid, other;

	begin(env);
	known = put_letter(env, "941/CATTT-NCSC", "Cục An toàn thông tin", 2023, 10);
	assert_int_equal(put_letter(env, "941/cattt-ncsc", NULL, 2023, 11), known);
	assert_int_equal(put_letter(env, "941/CATTT-NCSC", "CỤC AN TOÀN THÔNG TIN", 2023, 12), known);
	unsaid = put_letter(env, "7/STTTT", NULL, 2023, 13);
	assert_int_equal(put_letter(env, "7/STTTT", "Sở A", 2023, 14), unsaid);
	other = put_letter(env, "7/STTTT", "Sở B", 2023, 15);
	assert_int_not_equal(other, unsaid);
	/* of two letters it could be either */
	assert_false(put_letter(env, "7/STTTT", NULL, 2023, 16) == unsaid ||
		     put_letter(env, "7/STTTT", NULL, 2023, 16) == other);
	assert_int_not_equal(put_letter(env, "941/CATTT-NCSC", NULL, 2024, 17), known);
	commit(env);
	assert_string_equal(letters_text(env), "941/CATTT-NCSC|-|-|2024\n"
					       "7/STTTT|-|-|2023\n"
					       "7/STTTT|-|Sở B|2023\n"
					       "7/STTTT|-|Sở A|2023\n"
					       "941/CATTT-NCSC|-|Cục An toàn thông tin|2023\n");
}

static void a_person_corrects_date_and_issuer(void **state)
{
	struct env *env = *state;
	const uint8_t scan[32] = { 1 }, other[32] = { 2 };
	int64_t letter, loaded, found = 0;

	begin(env);
	letter = put_letter(env, "12/BC-CATTT", "CC TON", 2013, 10);
	assert_int_equal(kh_ledger_document_put(env->ledger, letter, "scan.pdf", "scan", scan, 10, &loaded, NULL), 1);
	assert_int_equal(kh_ledger_letter_of_file(env->ledger, "12/bc-cattt", other, &found, NULL), 0);
	assert_int_equal(kh_ledger_letter_of_file(env->ledger, "13/BC-CATTT", scan, &found, NULL), 0);
	assert_int_equal(kh_ledger_letter_of_file(env->ledger, "12/bc-cattt", scan, &found, NULL), 1);
	assert_int_equal(found, letter);
	assert_int_equal(kh_ledger_letter_correct(env->ledger, letter, "2023-01-21", NULL, NULL), 1);
	assert_int_equal(kh_ledger_letter_correct(env->ledger, letter, NULL, "Cục An toàn thông tin", NULL), 1);
	assert_int_equal(kh_ledger_letter_correct(env->ledger, letter, "2023-01-21", "Cục An toàn thông tin", NULL), 0);
	commit(env);
	assert_string_equal(letters_text(env), "12/BC-CATTT|2023-01-21|Cục An toàn thông tin|2023\n");
	begin(env);
	assert_int_equal(put_letter(env, "12/BC-CATTT", "Cục An toàn thông tin", 2023, 11), letter);
	commit(env);
}

static const char *chain_text(struct env *env, int64_t letter)
{
	clear(env);
	assert_int_equal(kh_ledger_chain(env->ledger, letter, print_letter, env), 0);
	return env->text;
}

static void letters_that_pass_one_on_are_one_advisory(void **state)
{
	struct env *env = *state;
	const uint8_t annex[32] = { 7 };
	int64_t first, ministry, province, next, later, loaded;

	begin(env);
	province = put_letter(env, "46/STTTT-BCVT", NULL, 2019, 10); /* arrives before what it passes on */
	assert_int_equal(kh_ledger_relay_put(env->ledger, province, "58/vncert-ĐPƯC", NULL), 0);
	commit(env);
	assert_string_equal(chain_text(env, province), "");
	begin(env);
	first = put_letter(env, "58/VNCERT-ĐPƯC", NULL, 2019, 20);
	ministry = put_letter(env, "61/CNTT-YTĐT", NULL, 2020, 30);
	assert_int_equal(kh_ledger_relay_put(env->ledger, ministry, "58/VNCERT-ĐPƯC", NULL), 0);
	later = put_letter(env, "58/VNCERT-ĐPƯC", NULL, 2023, 40); /* the number again, years after */
	next = put_letter(env, "9/PA05", NULL, 2019, 50);
	assert_int_equal(kh_ledger_document_put(env->ledger, next, "a", "list", annex, 50, &loaded, NULL), 1);
	assert_int_equal(kh_ledger_document_put(env->ledger, province, "b", "list", annex, 50, &loaded, NULL), 1);
	commit(env);
	assert_string_equal(chain_text(env, first), "46/STTTT-BCVT|-|-|2019\n61/CNTT-YTĐT|-|-|2020\n");
	assert_string_equal(chain_text(env, ministry), "46/STTTT-BCVT|-|-|2019\n58/VNCERT-ĐPƯC|-|-|2019\n");
	assert_string_equal(chain_text(env, province),
			    "58/VNCERT-ĐPƯC|-|-|2019\n61/CNTT-YTĐT|-|-|2020\n9/PA05|-|-|2019\n");
	assert_string_equal(chain_text(env, next), "46/STTTT-BCVT|-|-|2019\n");
	assert_string_equal(chain_text(env, later), "");
	assert_string_equal(chain_text(env, KH_LETTER_BY_HAND), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_letter_without_issuer_is_the_one_of_its_number, setup, teardown),
		cmocka_unit_test_setup_teardown(a_person_corrects_date_and_issuer, setup, teardown),
		cmocka_unit_test_setup_teardown(letters_that_pass_one_on_are_one_advisory, setup, teardown),
	};

	return cmocka_run_group_tests_name("ledger-chain", tests, NULL, NULL);
}
