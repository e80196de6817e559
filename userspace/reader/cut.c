// SPDX-License-Identifier: GPL-2.0-or-later
#include "reader/cut.h"

#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/lang.h"
#include "reader/heed.h"

/* ---- Pieces --------------------------------------------------------------------------------------- */

static bool is_plain(const char *text, size_t length)
{
	if (!length || length > KH_PIECE_BYTES)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!kh_is_alnum(text[i]) && !strchr(".-_[]", text[i]))
			return false;
	return true;
}

/* Is it an address or name, once undone of its defanging? *ret_suffix: one under which anybody may register. */
static bool is_whole(const char *text, size_t length, struct kh_clean *clean, bool *ret_suffix)
{
	struct kh_range range;

	*ret_suffix = false;
	if (kh_refang(text, length, clean) || !clean->length || !strchr(clean->text, '.') ||
	    strchr(".-", clean->text[clean->length - 1]))
		return false;
	if (!kh_address_parse(clean->text, clean->length, &range))
		return true;
	if (!kh_domain_plausible(clean->text, clean->length, KH_DOUBTED))
		return false;
	*ret_suffix = kh_name_is_public_suffix(clean->text);
	return true;
}

/* Does the piece belong below those that are there? */
static bool belongs(const struct kh_pieces *pieces, const char *text, size_t length, struct kh_clean *clean)
{
	bool suffix;

	if (!pieces->count)
		return memchr(text, '.', length) != NULL;
	if (pieces->count == 1)
		return *text == '.' || !is_whole(pieces->text, pieces->length, clean, &suffix);
	return strchr(".-", pieces->text[pieces->length - 1]) || !is_whole(text, length, clean, &suffix) || suffix;
}

enum kh_piece kh_pieces_add(struct kh_pieces *pieces, const char *text, size_t length, struct kh_clean *clean)
{
	bool suffix;

	if (pieces->count == KH_PIECES_MAX || !is_plain(text, length) || !belongs(pieces, text, length, clean))
		return KH_PIECE_NONE;
	memcpy(pieces->text + pieces->length, text, length);
	pieces->length += length;
	if (!pieces->count++)
		return KH_PIECE_MORE;
	return is_whole(pieces->text, pieces->length, clean, &suffix) ? KH_PIECE_WHOLE : KH_PIECE_MORE;
}

/* ---- Cells ---------------------------------------------------------------------------------------- */

bool kh_cell_line(const struct kh_cell *cell, size_t *at, struct kh_cell *ret_line)
{
	size_t end = *at;

	if (*at > cell->length)
		return false;
	while (end < cell->length && cell->text[end] != KH_MARK_BREAK && cell->text[end] != KH_MARK_CELL)
		end++;
	*ret_line = (struct kh_cell){ cell->text + *at, end - *at };
	*at += ret_line->length + 1;
	return true;
}

void kh_cell_trim(struct kh_cell *text)
{
	while (text->length && kh_is_blank(text->text[text->length - 1]))
		text->length--;
	while (text->length && kh_is_blank(*text->text)) {
		text->text++;
		text->length--;
	}
}

bool kh_cell_join(const struct kh_cell *cell, size_t *at, struct kh_cell *line, struct kh_pieces *pieces,
		  struct kh_clean *clean)
{
	struct kh_cell piece = *line;
	enum kh_piece kind = KH_PIECE_MORE;
	size_t ahead = *at;

	if (ahead > cell->length) /* nearly always: there is but one line */
		return false;
	pieces->length = pieces->count = 0;
	do {
		kh_cell_trim(&piece);
		kind = kh_pieces_add(pieces, piece.text, piece.length, clean);
	} while (kind == KH_PIECE_MORE && kh_cell_line(cell, &ahead, &piece));
	if (kind != KH_PIECE_WHOLE)
		return false;
	*line = (struct kh_cell){ pieces->text, pieces->length };
	*at = ahead;
	return true;
}

/* ---- Addresses that are whole, and may go on ------------------------------------------------------- */

int kh_cut_address(struct kh_collector *collector, const struct kh_clean *clean, struct kh_token *token,
		   const struct kh_line *below, int number)
{
	struct kh_cell digits = { below->text, below->length };
	struct kh_range range;
	char text[KH_RANGE_TEXT];

	if (token->kind != KH_TOKEN_VALUE || token->indicator.type != KH_TYPE_ADDRESS ||
	    token->indicator.range.family != 4 || token->end - token->start > 15 || kh_line_number_alone(below) < 0)
		return 0;
	kh_cell_trim(&digits);
	snprintf(text, sizeof(text), "%.*s%.*s", (int)(token->end - token->start), clean->text + token->start,
		 (int)digits.length, digits.text);
	if (kh_address_parse(text, strlen(text), &range))
		return 0;
	token->cut = true;
	return kh_collect_note(collector, _("line %d may be cut: is it %s%s?"), number, text, "");
}
