// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XLSX (ECMA-376 part 1, SpreadsheetML): each sheet, in the order of the workbook, is a page with its name and a table. Cells are what they hold,
 * formulas what they last came to; numbers stay as they are stored.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "reader/flow.h"
#include "reader/package.h"

#define SHEETS_MAX 256
#define PATH_MAX_BYTES 256

struct sheet {
	char name[128]; /* as shown; cut */
	char id[64], path[PATH_MAX_BYTES];
	bool hidden;
};

struct xlsx {
	struct kh_flow flow;
	struct sheet *sheets;
	size_t sheets_count;
	struct kh_bytes strings; /* the shared ones, each ended by a NUL */
	size_t *starts; /* in it */
	size_t starts_count, starts_capacity;
	struct kh_bytes value; /* of the cell */
	bool text; /* within t or v */
	int phonetic; /* within what tells how to say a word */
	char type[16];
	size_t row, column; /* of the row; cells begun in it */
};

static bool is(const char *name, const char *other)
{
	return !strcmp(name, other);
}

static void copy(char *to, size_t size, const char *from)
{
	size_t length = from ? strnlen(from, size - 1) : 0;

	while (length && from[length] && (from[length] & 0xc0) == 0x80)
		length--;
	memcpy(to, from ? from : "", length);
	to[length] = '\0';
}

static int no_end(void *context KH_UNUSED, const char *name KH_UNUSED)
{
	return 0;
}

static int no_text(void *context KH_UNUSED, const char *text KH_UNUSED, size_t length KH_UNUSED)
{
	return 0;
}

/* ---- The workbook: sheets, and where each lies ------------------------------------------------------ */

static int workbook_start(void *context, const char *name, const char *const *attributes)
{
	struct xlsx *xlsx = context;
	const char *state = kh_xml_attribute(attributes, "state");
	struct sheet *sheet = &xlsx->sheets[xlsx->sheets_count];

	if (!is(name, "sheet") || xlsx->sheets_count >= SHEETS_MAX)
		return 0;
	copy(sheet->name, sizeof(sheet->name), kh_xml_attribute(attributes, "name"));
	copy(sheet->id, sizeof(sheet->id), kh_xml_attribute(attributes, "id"));
	sheet->hidden = state && !is(state, "visible");
	xlsx->sheets_count++;
	return 0;
}

static int relations_start(void *context, const char *name, const char *const *attributes)
{
	struct xlsx *xlsx = context;
	const char *id = kh_xml_attribute(attributes, "Id"), *target = kh_xml_attribute(attributes, "Target");

	if (!is(name, "Relationship") || !id || !target)
		return 0;
	for (size_t i = 0; i < xlsx->sheets_count; i++)
		if (is(xlsx->sheets[i].id, id))
			snprintf(xlsx->sheets[i].path, PATH_MAX_BYTES, "%s%s", *target == '/' ? "" : "xl/",
				 target + (*target == '/'));
	return 0;
}

/* ---- Shared strings ---------------------------------------------------------------------------------- */

static int strings_start(void *context, const char *name, const char *const *attributes KH_UNUSED)
{
	struct xlsx *xlsx = context;

	if (is(name, "rPh"))
		xlsx->phonetic++;
	xlsx->text = is(name, "t") && !xlsx->phonetic;
	if (!is(name, "si"))
		return 0;
	if (kh_grow(&xlsx->starts, &xlsx->starts_capacity, xlsx->starts_count + 1, sizeof(*xlsx->starts)))
		return -ENOMEM;
	xlsx->starts[xlsx->starts_count++] = xlsx->strings.length;
	return 0;
}

static int strings_end(void *context, const char *name)
{
	struct xlsx *xlsx = context;

	xlsx->text = false;
	xlsx->phonetic -= is(name, "rPh") && xlsx->phonetic;
	return is(name, "si") ? kh_bytes_add(&xlsx->strings, "", 1) : 0;
}

static int strings_text(void *context, const char *text, size_t length)
{
	struct xlsx *xlsx = context;

	return xlsx->text ? kh_bytes_add(&xlsx->strings, text, length) : 0;
}

/* ---- A sheet -------------------------------------------------------------------------------------------- */

/* "C7": 3. 0: it does not say. */
static size_t column_of(const char *reference)
{
	size_t column = 0;

	for (; reference && *reference >= 'A' && *reference <= 'Z' && column < 100000; reference++)
		column = column * 26 + (size_t)(*reference - 'A') + 1;
	return column;
}

static int start_cell(struct xlsx *xlsx, const char *const *attributes)
{
	size_t column = column_of(kh_xml_attribute(attributes, "r"));
	int result = 0;

	copy(xlsx->type, sizeof(xlsx->type), kh_xml_attribute(attributes, "t"));
	xlsx->value.length = 0;
	if (!column || column > KH_TABLE_COLUMNS)
		column = xlsx->column + 1;
	while (xlsx->column + 1 < column && !result) {
		result = kh_flow_cell_begin(&xlsx->flow);
		if (!result)
			result = kh_flow_cell_end(&xlsx->flow, 1);
		xlsx->column++;
	}
	xlsx->column++;
	return result ? result : kh_flow_cell_begin(&xlsx->flow);
}

static int sheet_start(void *context, const char *name, const char *const *attributes)
{
	struct xlsx *xlsx = context;
	const char *number;

	if (is(name, "rPh"))
		xlsx->phonetic++;
	xlsx->text = (is(name, "t") || is(name, "v")) && !xlsx->phonetic;
	if (is(name, "row")) {
		number = kh_xml_attribute(attributes, "r");
		xlsx->row = kh_xml_number(number, xlsx->row + 1, INT32_MAX);
		xlsx->column = 0;
		return kh_flow_row_begin(&xlsx->flow, xlsx->row);
	}
	return is(name, "c") ? start_cell(xlsx, attributes) : 0;
}

static int put_value(struct xlsx *xlsx)
{
	const char *value;
	size_t index;
	int result = kh_bytes_add(&xlsx->value, "", 1);

	if (result)
		return result;
	value = (const char *)xlsx->value.data;
	if (is(xlsx->type, "s")) {
		index = *value == '0' ? 0 : kh_xml_number(value, SIZE_MAX, INT32_MAX);
		value = index < xlsx->starts_count ? (const char *)xlsx->strings.data + xlsx->starts[index] : "";
	} else if (is(xlsx->type, "e") || is(xlsx->type, "b")) {
		value = "";
	}
	return kh_flow_text(&xlsx->flow, value, strlen(value));
}

static int sheet_end(void *context, const char *name)
{
	struct xlsx *xlsx = context;
	int result = 0;

	xlsx->text = false;
	xlsx->phonetic -= is(name, "rPh") && xlsx->phonetic;
	if (is(name, "row"))
		return kh_flow_row_end(&xlsx->flow);
	if (!is(name, "c"))
		return 0;
	result = put_value(xlsx);
	return result ? result : kh_flow_cell_end(&xlsx->flow, 1);
}

static int sheet_text(void *context, const char *text, size_t length)
{
	struct xlsx *xlsx = context;

	if (!xlsx->text)
		return 0;
	return xlsx->value.length + length > KH_FLOW_MAX ? -EFBIG : kh_bytes_add(&xlsx->value, text, length);
}

/* ---- All of it ------------------------------------------------------------------------------------------- */

static int parse(struct kh_package *package, const char *name, const struct kh_xml *xml, struct xlsx *xlsx)
{
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	int result = kh_package_read(package, name, &bytes);

	return result ? result : kh_xml_parse(package->input, name, &bytes, xml, xlsx, package->error);
}

static int read_sheet(struct kh_package *package, struct xlsx *xlsx, struct sheet *sheet,
		      struct kh_collector *collector)
{
	static const struct kh_xml cells = { sheet_start, sheet_end, sheet_text, NULL };
	int result = kh_flow_text(&xlsx->flow, sheet->name, strlen(sheet->name));

	xlsx->row = 0;
	if (!result)
		result = kh_flow_break(&xlsx->flow);
	if (!result)
		result = kh_flow_table_begin(&xlsx->flow);
	if (!result)
		result = parse(package, sheet->path, &cells, xlsx);
	if (result == -ENOENT)
		result = kh_collect_note(collector, _("the sheet \"%s\" is not in the file"), sheet->name);
	if (!result)
		result = kh_flow_table_end(&xlsx->flow);
	if (!result && sheet->hidden)
		result = kh_collect_note(collector, _("the sheet \"%s\" is hidden; it was read too"), sheet->name);
	return result;
}

static int read_workbook(struct kh_package *package, struct xlsx *xlsx, struct kh_collector *collector)
{
	static const struct kh_xml workbook = { workbook_start, no_end, no_text, NULL },
				   relations = { relations_start, no_end, no_text, NULL },
				   strings = { strings_start, strings_end, strings_text, NULL };
	int result = parse(package, "xl/workbook.xml", &workbook, xlsx);

	if (!result)
		result = parse(package, "xl/_rels/workbook.xml.rels", &relations, xlsx);
	if (!result)
		result = parse(package, "xl/sharedStrings.xml", &strings, xlsx);
	if (result == -ENOENT)
		result = 0;
	for (size_t i = 0; i < xlsx->sheets_count && !result; i++) {
		if (i)
			result = kh_flow_page(&xlsx->flow);
		if (!result)
			result = read_sheet(package, xlsx, &xlsx->sheets[i], collector);
	}
	return result ? result : kh_package_note_pictures(package, "xl/media/", collector);
}

static void clear(struct xlsx *xlsx)
{
	kh_flow_clear(&xlsx->flow);
	kh_bytes_clear(&xlsx->strings);
	kh_bytes_clear(&xlsx->value);
	free(xlsx->sheets);
	free(xlsx->starts);
}

int kh_xlsx_recognise(const struct kh_input *input)
{
	return kh_package_holds(input, "xl/workbook.xml");
}

int kh_xlsx_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text)
{
	struct kh_package package KH_CLEANUP(kh_package_close) = {};
	struct xlsx xlsx KH_CLEANUP(clear) = { .flow = { .text = ret_text },
					       .sheets = calloc(SHEETS_MAX, sizeof(*xlsx.sheets)) };
	int result = xlsx.sheets ? kh_package_open(input, collector->error, &package) : -ENOMEM;

	return result ? result : read_workbook(&package, &xlsx, collector);
}
