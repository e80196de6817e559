// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a line of running text is beside its values: of bystanders, part of a User-Agent, cut in two by the width of the page.
 */
#include "reader/prose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "reader/cut.h"

/* ---- Bystanders ---------------------------------------------------------------------------------- */

#define BEFORE_BYTES ((size_t)300)

/* Whom the sentence speaks of where the value stands. */
static int talk_at(const struct prose *prose, const struct kh_token *token, enum kh_talk *ret_talk)
{
	const struct kh_bytes *sentence = &prose->heed.sentence;
	size_t own = strlen(prose->words) + 1;
	size_t from = token->start > BEFORE_BYTES ? token->start - BEFORE_BYTES : 0;
	struct kh_bytes text KH_CLEANUP(kh_bytes_clear) = { 0 };
	char *folded KH_CLEANUP(kh_freep) = NULL;
	int result = 0;

	while (from < token->start && (prose->clean.text[from] & 0xc0) == 0x80)
		from++;
	folded = kh_fold(prose->clean.text + from, token->start - from);
	if (!folded)
		return -ENOMEM;
	if (!from && sentence->length > own)
		result = kh_bytes_add(&text, sentence->data, sentence->length - own);
	if (!result)
		result = kh_bytes_add(&text, folded, strlen(folded) + 1);
	if (result)
		return result;
	*ret_talk = kh_talk_before((const char *)text.data);
	return 0;
}

/* Is the value a bystander's, by its line or what leads to it? 1, 0, -ENOMEM. */
static int is_bystander(const struct prose *prose, const struct kh_token *token, bool item)
{
	enum kh_talk talk = prose->about.talk;

	if (!item) {
		int result = talk_at(prose, token, &talk);

		if (result)
			return result;
		if (talk == KH_TALK_NEUTRAL)
			talk = prose->about.talk;
	}
	return talk == KH_TALK_BYSTANDERS || (item && prose->heed.bystanders && talk != KH_TALK_ACCUSES);
}

int kh_prose_spared(const struct prose *prose, const struct kh_token *token, bool item)
{
	if (prose->heed.exempt || prose->about.exempting)
		return 1;
	return is_bystander(prose, token, item);
}

/* ---- Values cut at the end of a line ---------------------------------------------------------------- */

bool kh_prose_is_cut(const struct prose *prose, const struct kh_token *token)
{
	return token->cut || (prose->cut_first && token == prose->tokens.list);
}

/* Characters before the token, on its line. */
static size_t column_of(const struct prose *prose, const struct kh_token *token)
{
	size_t column = 0;

	for (size_t i = 0, end = kh_origin(&prose->clean, token->start); i < end; i++)
		column += (prose->line.text[i] & 0xc0) != 0x80;
	return column;
}

/* In columns: the number below the value, on a line that holds no value, so that it is no row of its own. 1, 0, -ENOMEM. */
static int number_below(struct prose *prose, const struct kh_token *token, const struct kh_line *line,
			struct kh_line *ret_number)
{
	int result;

	if (!kh_word_in_column(line, column_of(prose, token), ret_number) || kh_line_number_alone(ret_number) < 0)
		return 0;
	result = kh_refang(line->text, line->length, &prose->ahead);
	if (!result)
		result = kh_tokens_read(&prose->ahead_tokens, &prose->ahead, KH_DOUBTED);
	return result ? result : !prose->ahead_tokens.count;
}

/* "203.0.113.1" and, alone on the next line or below it in its column, "2"; not where such numbers count the rows. 0 or -ENOMEM. */
static int look_for_rest(struct prose *prose)
{
	struct kh_lines lines = *prose->rest;
	struct kh_line line, number;
	int result = 0, alone;

	if (!prose->tokens.count || kh_lines_next(&lines, &line) != 1)
		return 0;
	alone = kh_line_number_alone(&line);
	if (alone >= 0 && prose->counter && alone == prose->counter + 1)
		return 0;
	for (size_t i = 0; i < prose->tokens.count && !result; i++) {
		struct kh_token *token = &prose->tokens.list[i];
		bool last = i + 1 == prose->tokens.count &&
			    !prose->clean.text[token->end + strspn(prose->clean.text + token->end, " \t\r")];

		if (token->kind != KH_TOKEN_VALUE || token->indicator.type != KH_TYPE_ADDRESS)
			continue;
		number = line;
		result = alone >= 0 ? last : number_below(prose, token, &line, &number);
		if (result > 0)
			result = kh_cut_address(prose->collector, &prose->clean, token, &number, prose->line.number);
	}
	return result;
}

/* "- java-" and, below it, "se.com": what is there is no name of its own. 0 or -ENOMEM. */
static int look_for_start(struct prose *prose)
{
	const struct kh_token *first = prose->tokens.list;

	prose->cut_first = prose->piece[0] && prose->tokens.count && first->kind == KH_TOKEN_VALUE &&
			   first->indicator.type == KH_TYPE_DOMAIN && !first->defanged &&
			   first->start == prose->shape.indent;
	if (!prose->cut_first)
		return 0;
	return kh_collect_note(prose->collector, _("line %d may be cut: is it %s%s?"), prose->line.number - 1,
			       prose->piece, first->indicator.text);
}

/* "AppleWebKit/537.36", "(KHTML, like Gecko)": how a User-Agent goes on. */
static bool begins_like_agent(const char *folded)
{
	size_t at = strspn(folded, " \t"), used = 0;

	if (strncmp(folded + at, "(khtml", 6) == 0)
		return true;
	while (kh_is_letter(folded[at + used]))
		used++;
	return used && folded[at + used] == '/' && kh_is_digit(folded[at + used + 1]);
}

void kh_prose_agent(struct prose *prose)
{
	bool goes_on = prose->agent && !prose->shape.marker && !prose->shape.plain &&
		       (prose->agent_open > 0 || begins_like_agent(prose->folded));

	prose->agent = kh_is_agent_line(prose->folded) || goes_on;
	if (!goes_on)
		prose->agent_open = 0;
	for (size_t i = 0; prose->agent && i < prose->line.length; i++)
		prose->agent_open += (prose->line.text[i] == '(') - (prose->line.text[i] == ')');
	prose->about.agent = prose->agent;
}

/* Half a name at the end of the line, for the next one. */
static void keep_piece(struct prose *prose)
{
	struct kh_line piece;

	prose->piece[0] = '\0';
	if (kh_line_ends_cut(&prose->line, &piece) && piece.length < sizeof(prose->piece))
		snprintf(prose->piece, sizeof(prose->piece), "%.*s", (int)piece.length, piece.text);
}

/* Looks for what a page's width has cut in two. 0 or -ENOMEM. */
int kh_prose_cuts(struct prose *prose)
{
	int number = kh_line_number_alone(&prose->line), result = look_for_start(prose);

	if (number > 0)
		prose->counter = number;
	if (!result)
		result = look_for_rest(prose);
	keep_piece(prose);
	return result;
}
