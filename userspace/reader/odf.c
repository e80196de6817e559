// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * OpenDocument text and spreadsheets (ISO/IEC 26300, content.xml). Of a spreadsheet each sheet is a page and a table; rows keep their numbers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "reader/flow.h"
#include "reader/package.h"

struct odf {
	struct kh_flow flow;
	int skipped, notes, paragraphs;
	bool sheets; /* a spreadsheet */
	bool item; /* the next paragraph begins an item of a list */
	size_t row, repeated; /* its number; how many rows it stands for */
	size_t span; /* of the cell */
	bool any_sheet;
};

static bool is(const char *name, const char *other)
{
	return !strcmp(name, other);
}

static size_t number(const char *const *attributes, const char *name)
{
	return kh_xml_number(kh_xml_attribute(attributes, name), 1, INT32_MAX / 2);
}

static int start_table(struct odf *odf, const char *const *attributes)
{
	const char *name = kh_xml_attribute(attributes, "name");
	int result = 0;

	if (odf->sheets && !odf->flow.tables) {
		odf->row = 0;
		if (odf->any_sheet)
			result = kh_flow_page(&odf->flow);
		odf->any_sheet = true;
		if (!result && name)
			result = kh_flow_text(&odf->flow, name, strlen(name));
		if (!result)
			result = kh_flow_break(&odf->flow);
	}
	return result ? result : kh_flow_table_begin(&odf->flow);
}

static int start_row(struct odf *odf, const char *const *attributes)
{
	odf->repeated = number(attributes, "number-rows-repeated");
	if (odf->flow.tables == 1)
		odf->row++;
	return kh_flow_row_begin(&odf->flow, odf->sheets ? odf->row : 0);
}

static int start_text(struct odf *odf, const char *name, const char *const *attributes)
{
	int result = 0;

	if (is(name, "p") || is(name, "h")) {
		bool item = odf->item;

		odf->paragraphs++;
		odf->item = false;
		return item ? kh_flow_item(&odf->flow) : 0;
	}
	if (is(name, "tab"))
		return kh_flow_text(&odf->flow, "\t", 1);
	if (is(name, "line-break"))
		return kh_flow_break(&odf->flow);
	if (is(name, "soft-page-break"))
		return kh_flow_page(&odf->flow);
	if (is(name, "list-item"))
		odf->item = true;
	else if (is(name, "note"))
		odf->notes++;
	else if (is(name, "s"))
		for (size_t i = number(attributes, "c"); i && i < 1000 && !result; i--)
			result = kh_flow_text(&odf->flow, " ", 1);
	return result;
}

static int start(void *context, const char *name, const char *const *attributes)
{
	struct odf *odf = context;

	if (odf->skipped || is(name, "tracked-changes") || is(name, "annotation") || is(name, "note-citation") ||
	    is(name, "title") || is(name, "desc") || is(name, "forms") || is(name, "calculation-settings")) {
		odf->skipped++;
		return 0;
	}
	if (is(name, "table"))
		return start_table(odf, attributes);
	if (is(name, "table-row"))
		return start_row(odf, attributes);
	if (is(name, "table-cell") || is(name, "covered-table-cell")) {
		odf->span = is(name, "table-cell") && !odf->sheets ? 1 : number(attributes, "number-columns-repeated");
		return kh_flow_cell_begin(&odf->flow);
	}
	return start_text(odf, name, attributes);
}

static int end(void *context, const char *name)
{
	struct odf *odf = context;

	if (odf->skipped) {
		odf->skipped--;
		return 0;
	}
	if (is(name, "p") || is(name, "h")) {
		odf->paragraphs--;
		return kh_flow_break(&odf->flow);
	}
	if (is(name, "note"))
		odf->notes--;
	if (is(name, "table-cell") || is(name, "covered-table-cell"))
		return kh_flow_cell_end(&odf->flow, odf->span);
	if (is(name, "table-row")) {
		if (odf->flow.tables == 1)
			odf->row += odf->repeated - 1;
		return kh_flow_row_end(&odf->flow);
	}
	return is(name, "table") ? kh_flow_table_end(&odf->flow) : 0;
}

static int text(void *context, const char *from, size_t length)
{
	struct odf *odf = context;

	return odf->paragraphs && !odf->skipped ? kh_flow_text(&odf->flow, from, length) : 0;
}

static bool is_kind(const struct kh_input *input, const char *type)
{
	struct kh_package package KH_CLEANUP(kh_package_close) = {};
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};

	if (!kh_package_is(input) || kh_package_open(input, NULL, &package) || !kh_package_has(&package, "content.xml"))
		return false;
	return !kh_package_read(&package, "mimetype", &bytes) && bytes.length >= strlen(type) &&
	       !memcmp(bytes.data, type, strlen(type));
}

int kh_odt_recognise(const struct kh_input *input)
{
	return is_kind(input, "application/vnd.oasis.opendocument.text");
}

int kh_ods_recognise(const struct kh_input *input)
{
	return is_kind(input, "application/vnd.oasis.opendocument.spreadsheet");
}

static int extract(const struct kh_input *input, bool sheets, struct kh_collector *collector, struct kh_bytes *ret_text)
{
	static const struct kh_xml xml = { start, end, text, NULL };
	struct kh_package package KH_CLEANUP(kh_package_close) = {};
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	struct odf odf = { .flow = { .text = ret_text }, .sheets = sheets };
	int result = kh_package_open(input, collector->error, &package);

	if (!result)
		result = kh_package_read(&package, "content.xml", &bytes);
	if (!result)
		result = kh_xml_parse(input, "content.xml", &bytes, &xml, &odf, collector->error);
	if (!result && odf.flow.line.length)
		result = kh_flow_break(&odf.flow);
	kh_flow_clear(&odf.flow);
	return result ? result : kh_package_note_pictures(&package, "Pictures/", collector);
}

int kh_odt_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text)
{
	return extract(input, false, collector, ret_text);
}

int kh_ods_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text)
{
	return extract(input, true, collector, ret_text);
}
