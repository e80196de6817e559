// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DOCX (ECMA-376 part 1, WordprocessingML): the text as it is read on the page. What was deleted while changes were tracked, field codes, hidden text
 * and the addresses behind links are not on the page. Pages are where the program that saved the file last saw them break.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "reader/flow.h"
#include "reader/package.h"

struct docx {
	struct kh_flow flow;
	int skipped; /* depth of elements within one that is not on the page */
	bool text; /* within t */
	bool hidden; /* the run */
	bool rendered; /* it says where pages broke */
	size_t span; /* of the cell */
	int boxes; /* open text boxes */
};

static bool is(const char *name, const char *other)
{
	return !strcmp(name, other);
}

static bool is_off(const char *const *attributes)
{
	const char *value = kh_xml_attribute(attributes, "val");

	return value && (is(value, "0") || is(value, "false") || is(value, "off") || is(value, "none"));
}

static bool is_not_on_page(const char *name)
{
	static const char *const names[] = { "del",
					     "moveFrom",
					     "instrText",
					     "delText",
					     "delInstrText",
					     "Fallback",
					     "sdtPr",
					     "pPrChange",
					     "rPrChange",
					     "tblPrChange",
					     "footnoteRef",
					     "separator",
					     "continuationSeparator" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(names); i++)
		if (is(name, names[i]))
			return true;
	return false;
}

static int start_break(struct docx *docx, const char *const *attributes)
{
	const char *type = kh_xml_attribute(attributes, "type");

	if (type && is(type, "page"))
		return docx->rendered ? kh_flow_break(&docx->flow) : kh_flow_page(&docx->flow);
	return kh_flow_break(&docx->flow);
}

static int start_table(struct docx *docx, const char *name)
{
	if (is(name, "tbl"))
		return kh_flow_table_begin(&docx->flow);
	if (is(name, "tr"))
		return kh_flow_row_begin(&docx->flow, 0);
	docx->span = 1;
	return kh_flow_cell_begin(&docx->flow);
}

static int start(void *context, const char *name, const char *const *attributes)
{
	struct docx *docx = context;

	if (docx->skipped || is_not_on_page(name)) {
		docx->skipped++;
		return 0;
	}
	if (is(name, "t")) {
		docx->text = true;
	} else if (is(name, "r")) {
		docx->hidden = false;
	} else if (is(name, "vanish") || is(name, "webHidden")) {
		docx->hidden = docx->hidden || (is(name, "vanish") && !is_off(attributes));
	} else if (is(name, "tbl") || is(name, "tr") || is(name, "tc")) {
		return start_table(docx, name);
	} else if (is(name, "gridSpan")) {
		const char *value = kh_xml_attribute(attributes, "val");

		docx->span = kh_xml_number(value, 1, KH_TABLE_COLUMNS);
	} else if (is(name, "tab")) {
		return docx->hidden ? 0 : kh_flow_text(&docx->flow, "\t", 1);
	} else if (is(name, "noBreakHyphen")) {
		return kh_flow_text(&docx->flow, "-", 1);
	} else if (is(name, "br") || is(name, "cr")) {
		return start_break(docx, attributes);
	} else if (is(name, "lastRenderedPageBreak")) {
		return kh_flow_page(&docx->flow);
	} else if (is(name, "numPr")) {
		return kh_flow_item(&docx->flow);
	} else if (is(name, "txbxContent")) {
		docx->boxes++;
		return kh_flow_break(&docx->flow);
	}
	return 0;
}

static int end(void *context, const char *name)
{
	struct docx *docx = context;

	if (docx->skipped) {
		docx->skipped--;
		return 0;
	}
	if (is(name, "t"))
		docx->text = false;
	else if (is(name, "r"))
		docx->hidden = false;
	else if (is(name, "p"))
		return kh_flow_break(&docx->flow);
	else if (is(name, "tc"))
		return kh_flow_cell_end(&docx->flow, docx->span);
	else if (is(name, "tr"))
		return kh_flow_row_end(&docx->flow);
	else if (is(name, "tbl"))
		return kh_flow_table_end(&docx->flow);
	else if (is(name, "txbxContent"))
		docx->boxes--;
	return 0;
}

static int text(void *context, const char *from, size_t length)
{
	struct docx *docx = context;

	return docx->text && !docx->skipped && !docx->hidden ? kh_flow_text(&docx->flow, from, length) : 0;
}

static int read_part(struct kh_package *package, const char *name, struct kh_bytes *ret_text)
{
	static const struct kh_xml xml = { start, end, text, NULL };
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	struct docx docx = { .flow = { .text = ret_text } };
	int result = kh_package_read(package, name, &bytes);

	if (result)
		return result;
	docx.rendered = bytes.length && memmem(bytes.data, bytes.length, "lastRenderedPageBreak", 21);
	result = kh_xml_parse(package->input, name, &bytes, &xml, &docx, package->error);
	if (!result && docx.flow.line.length)
		result = kh_flow_break(&docx.flow);
	kh_flow_clear(&docx.flow);
	return result;
}

int kh_docx_recognise(const struct kh_input *input)
{
	return kh_package_holds(input, "word/document.xml");
}

int kh_docx_extract(const struct kh_input *input, struct kh_collector *collector, struct kh_bytes *ret_text)
{
	struct kh_package package KH_CLEANUP(kh_package_close) = {};
	int result = kh_package_open(input, collector->error, &package);

	if (!result)
		result = read_part(&package, "word/document.xml", ret_text);
	if (!result)
		result = read_part(&package, "word/footnotes.xml", ret_text);
	if (!result || result == -ENOENT)
		result = kh_package_note_pictures(&package, "word/media/", collector);
	return result;
}
