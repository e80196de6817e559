// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien-parse-documents: see answer.h. Reads everything; started by khien-parse for what that leaves.
 */
#include "parse/answer.h"
#include "reader/reader.h"

int main(int count, char **words)
{
	bool other;

	return kh_parse_answer(count, words, kh_reader_read, &other);
}
