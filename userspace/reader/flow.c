// SPDX-License-Identifier: GPL-2.0-or-later
#include "reader/flow.h"

#include <errno.h>
#include <stdio.h>

void kh_flow_clear(struct kh_flow *flow)
{
	kh_bytes_clear(&flow->line);
}

static int check(const struct kh_flow *flow)
{
	return flow->text->length + flow->line.length > KH_FLOW_MAX ? -EFBIG : 0;
}

int kh_flow_text(struct kh_flow *flow, const char *text, size_t length)
{
	int result = kh_mark_text(&flow->line, text, length, flow->tables > 0);

	return result ? result : check(flow);
}

static bool is_blank(const struct kh_bytes *line)
{
	for (size_t i = 0; i < line->length; i++)
		if (!kh_is_blank((char)line->data[i]) && line->data[i] != KH_MARK_BREAK)
			return false;
	return true;
}

static int put_pages(struct kh_flow *flow)
{
	int result = 0;

	for (; flow->pages && !result; flow->pages--)
		result = kh_mark(flow->text, '\f');
	return result;
}

/* The line as it is, and its end. */
static int put_line(struct kh_flow *flow)
{
	int result = kh_bytes_add(flow->text, flow->line.data, flow->line.length);

	flow->line.length = 0;
	if (!result)
		result = kh_mark(flow->text, '\n');
	if (!result)
		result = put_pages(flow);
	return result ? result : check(flow);
}

int kh_flow_break(struct kh_flow *flow)
{
	if (!flow->tables)
		return put_line(flow);
	if (is_blank(&flow->line)) {
		flow->line.length = 0;
		return 0;
	}
	if (flow->line.data[flow->line.length - 1] == KH_MARK_BREAK)
		return 0;
	return kh_mark(&flow->line, KH_MARK_BREAK);
}

int kh_flow_item(struct kh_flow *flow)
{
	return kh_bytes_add(&flow->line, "- ", 2);
}

int kh_flow_page(struct kh_flow *flow)
{
	flow->pages++;
	return !flow->tables && is_blank(&flow->line) ? put_pages(flow) : 0;
}

int kh_flow_table_begin(struct kh_flow *flow)
{
	int result = 0;

	if (!flow->tables && !is_blank(&flow->line))
		result = put_line(flow);
	if (flow->tables++ || result)
		return result ? result : kh_flow_break(flow);
	flow->line.length = 0;
	result = kh_mark(flow->text, KH_MARK_TABLE);
	return result ? result : kh_mark(flow->text, '\n');
}

int kh_flow_table_end(struct kh_flow *flow)
{
	int result = 0;

	if (!flow->tables)
		return 0;
	if (flow->tables == 1 && flow->row)
		result = kh_flow_row_end(flow);
	if (flow->tables > 1)
		result = kh_flow_break(flow);
	flow->tables--;
	if (flow->tables || result)
		return result;
	flow->line.length = 0;
	result = put_pages(flow);
	if (!result)
		result = kh_mark(flow->text, KH_MARK_TABLE);
	return result ? result : kh_mark(flow->text, '\n');
}

int kh_flow_row_begin(struct kh_flow *flow, size_t number)
{
	char text[32];
	int result = 0;

	if (flow->tables != 1)
		return flow->tables ? kh_flow_break(flow) : 0;
	if (flow->row)
		result = kh_flow_row_end(flow);
	flow->row = true;
	flow->cells = 0;
	flow->line.length = 0;
	if (!result)
		result = kh_mark(flow->text, KH_MARK_ROW);
	if (result || !number || number > KH_MARK_ROW_MAX)
		return result;
	return kh_bytes_add(flow->text, text, (size_t)snprintf(text, sizeof(text), "%zu%c", number, KH_MARK_ROW));
}

int kh_flow_row_end(struct kh_flow *flow)
{
	int result = 0;

	if (flow->tables != 1 || !flow->row)
		return 0;
	if (flow->cell)
		result = kh_flow_cell_end(flow, 1);
	flow->row = false;
	if (!result)
		result = kh_mark(flow->text, '\n');
	return result ? result : put_pages(flow);
}

int kh_flow_cell_begin(struct kh_flow *flow)
{
	int result = 0;

	if (flow->tables != 1)
		return flow->tables ? kh_mark(&flow->line, ' ') : 0;
	if (!flow->row)
		result = kh_flow_row_begin(flow, 0);
	if (flow->cell && !result)
		result = kh_flow_cell_end(flow, 1);
	flow->line.length = 0;
	flow->cell = true;
	if (!flow->cells++ || result)
		return result;
	return kh_mark(flow->text, KH_MARK_CELL);
}

int kh_flow_cell_end(struct kh_flow *flow, size_t span)
{
	int result;

	if (flow->tables != 1 || !flow->cell)
		return 0;
	while (flow->line.length && (flow->line.data[flow->line.length - 1] == KH_MARK_BREAK ||
				     flow->line.data[flow->line.length - 1] == ' '))
		flow->line.length--;
	result = kh_bytes_add(flow->text, flow->line.data, flow->line.length);
	flow->line.length = 0;
	flow->cell = false;
	for (; span > 1 && span <= KH_TABLE_COLUMNS && !result; span--, flow->cells++)
		result = kh_mark(flow->text, KH_MARK_CELL);
	return result ? result : check(flow);
}
