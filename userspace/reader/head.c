// SPDX-License-Identifier: GPL-2.0-or-later
#include "reader/head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_LINES ((size_t)25) /* when no "Kính gửi" ends the head */

void kh_head_clear(struct kh_head *head)
{
	for (size_t i = 0; i < head->count; i++)
		free(head->folded[i]);
}

/* Reads the lines above "Kính gửi". 0 or -ENOMEM. */
static int read_lines(const struct kh_input *input, struct kh_head *head)
{
	struct kh_lines lines;
	bool blank = false;

	kh_lines_init(&lines, input->text, input->length);
	while (head->count < KH_HEAD_LINES && !head->closed && kh_lines_next(&lines, &head->lines[head->count]) == 1) {
		char *folded = kh_fold(head->lines[head->count].text, head->lines[head->count].length);
		const char *start;

		if (!folded)
			return -ENOMEM;
		start = folded + strspn(folded, " \t\r\f\v");
		head->closed = kh_word_match(start, "kInh gUi") > 0;
		if (!*start || head->closed) {
			blank = true;
			free(folded);
			continue;
		}
		head->folded[head->count] = folded;
		head->after_blank[head->count++] = blank;
		blank = false;
	}
	while (!head->closed && head->count > OPEN_LINES)
		free(head->folded[--head->count]);
	return 0;
}

bool kh_head_cell(const struct kh_line *line, size_t *at, struct kh_head_cell *ret_cell)
{
	size_t start = *at, end;

	while (start < line->length && kh_is_blank(line->text[start]))
		start++;
	for (end = start; end < line->length && line->text[end] != '\t'; end++) {
		if (line->text[end] == ' ' && end + 1 < line->length && line->text[end + 1] == ' ')
			break;
	}
	*ret_cell = (struct kh_head_cell){ line->text + start, end - start };
	*at = end;
	return end > start;
}

/* Of a cell: how many letters and blanks are before it. */
struct place {
	size_t at, letters;
};

/* From where it was on: a line may have very many cells. */
static size_t place_of(const struct kh_line *line, const struct kh_head_cell *cell, struct place *place)
{
	for (; line->text + place->at < cell->text; place->at++)
		place->letters += (line->text[place->at] & 0xc0) != 0x80;
	return place->letters;
}

/* Is it the motto, or its first words? 1, 0, -ENOMEM. */
static int is_motto(const struct kh_head_cell *cell)
{
	char *folded KH_CLEANUP(kh_freep) = kh_fold(cell->text, cell->length);

	return folded ? kh_word_match(folded, "cOng hOa xA hOi") > 0 : -ENOMEM;
}

/* Where the right column may begin: lines are centred in it, so some begin left of the motto. 0: there is one column, or none could be told; -ENOMEM. */
static int find_border(const struct kh_head *head)
{
	for (size_t i = 0; i < head->count; i++) {
		const struct kh_line *line = &head->lines[i];
		struct kh_head_cell cell;
		struct place place = {};

		for (size_t at = 0; kh_head_cell(line, &at, &cell);) {
			int motto = place_of(line, &cell, &place) ? is_motto(&cell) : 0;

			if (motto)
				return motto < 0 ? motto : (int)(place.letters * 2 / 3);
		}
	}
	return 0;
}

/* Where the right column begins on the line; its length: not on this one. */
static size_t right_of(const struct kh_line *line, size_t border)
{
	struct kh_head_cell cell;
	struct place place = {};

	for (size_t at = 0; kh_head_cell(line, &at, &cell);)
		if (place_of(line, &cell, &place) >= border)
			return (size_t)(cell.text - line->text);
	return line->length;
}

/* Moves what stands right of the border behind all else. 0 or -ENOMEM. */
static int set_columns(struct kh_head *head)
{
	int border = find_border(head);
	struct kh_line right[KH_HEAD_LINES];
	size_t count = 0, rights = 0;

	if (border <= 0)
		return border;
	for (size_t i = 0; i < head->count; i++) {
		struct kh_line line = head->lines[i];
		size_t at = right_of(&line, (size_t)border), from = 0;
		struct kh_head_cell cell;

		if (at < line.length) {
			right[rights] = line;
			right[rights].text += at;
			right[rights++].length -= at;
		}
		line.length = at;
		if (!kh_head_cell(&line, &from, &cell))
			continue;
		head->after_blank[count] = head->after_blank[i];
		head->lines[count++] = line;
	}
	for (size_t i = 0; i < rights; i++) {
		head->after_blank[count] = false;
		head->lines[count++] = right[i];
	}
	kh_head_clear(head);
	for (head->count = 0; head->count < count; head->count++) {
		const struct kh_line *line = &head->lines[head->count];

		head->folded[head->count] = kh_fold(line->text, line->length);
		if (!head->folded[head->count])
			return -ENOMEM;
	}
	return 0;
}

int kh_head_read(const struct kh_input *input, struct kh_head *head)
{
	int result = read_lines(input, head);

	return result ? result : set_columns(head);
}
