// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: office files and archives. The first byte says which, and which of their parts is made of the bytes; the others are as short as they may be. XML
 * is either the bytes themselves or, so that most of it is well-formed, their translation: a control character opens or closes an element, the rest is text.
 */
#include "fuzz.h"
#include "stored_zip.h"

#define DEPTH_MAX 64

/* Elements, by the control character that opens each; those that end in '/' are empty. NULs close one. */
struct dialect {
	const char *root, *end;
	const char *elements[24];
};

static const struct dialect wordprocessing = { "<w:document xmlns:w=\"w\"><w:body>",
					       "</w:body></w:document>",
					       { "w:p",
						 "w:r",
						 "w:t",
						 "w:tbl",
						 "w:tr",
						 "w:tc",
						 "w:gridSpan w:val=\"3\"/",
						 "w:br/",
						 "w:br w:type=\"page\"/",
						 "w:tab/",
						 "w:vanish/",
						 "w:vanish w:val=\"0\"/",
						 "w:del",
						 "w:instrText",
						 "w:lastRenderedPageBreak/",
						 "w:numPr/",
						 "w:txbxContent",
						 "w:noBreakHyphen/",
						 "w:gridSpan w:val=\"99999\"/",
						 "w:webHidden/",
						 "w:ins" } };
static const struct dialect opendocument = { "<o:d xmlns:t=\"t\" xmlns:o=\"o\">",
					     "</o:d>",
					     { "t:p",
					       "t:h",
					       "t:span",
					       "t:table t:name=\"a\"",
					       "t:table-row",
					       "t:table-cell",
					       "t:covered-table-cell/",
					       "t:table-cell t:number-columns-repeated=\"3\"",
					       "t:table-cell t:number-columns-repeated=\"99999\"/",
					       "t:table-row t:number-rows-repeated=\"1000000\"",
					       "t:s t:c=\"4\"/",
					       "t:tab/",
					       "t:line-break/",
					       "t:soft-page-break/",
					       "t:list-item",
					       "t:note",
					       "t:note-citation",
					       "t:tracked-changes",
					       "t:annotation",
					       "t:a",
					       "t:table" } };
static const struct dialect spreadsheet = { "<worksheet>",
					    "</worksheet>",
					    { "row",
					      "row r=\"7\"",
					      "row r=\"2147483647\"",
					      "c",
					      "c r=\"C3\"",
					      "c t=\"s\"",
					      "c t=\"str\"",
					      "c t=\"inlineStr\"",
					      "c t=\"b\"",
					      "c t=\"e\"",
					      "v",
					      "f",
					      "is",
					      "t",
					      "rPh",
					      "c r=\"XFD9\"",
					      "si",
					      "sst",
					      "c r=\"B2\" t=\"s\"",
					      "r" } };

static const struct container {
	const char *kind; /* names of the members that do not change, and what they hold, by twos */
	const char *part; /* the one that is made */
	const struct dialect *dialect; /* NULL: of the bytes only */
	const char *others[8];
} containers[] = {
	{ "docx", "word/document.xml", &wordprocessing, { NULL } },
	{ "docx", "word/footnotes.xml", &wordprocessing, { "word/document.xml", "<d/>" } },
	{ "odt", "content.xml", &opendocument, { "mimetype", "application/vnd.oasis.opendocument.text" } },
	{ "ods", "content.xml", &opendocument, { "mimetype", "application/vnd.oasis.opendocument.spreadsheet" } },
	{ "xlsx",
	  "xl/a",
	  &spreadsheet,
	  { "xl/workbook.xml", "<w><sheet name=\"a\" id=\"1\"/></w>", "xl/_rels/workbook.xml.rels",
	    "<r><Relationship Id=\"1\" Target=\"a\"/></r>", "xl/sharedStrings.xml",
	    "<s><si><t>203.0.113.7</t></si><si><t>IP</t></si></s>" } },
	{ "xlsx",
	  "xl/sharedStrings.xml",
	  &spreadsheet,
	  { "xl/workbook.xml", "<w><sheet name=\"a\" id=\"1\"/></w>", "xl/_rels/workbook.xml.rels",
	    "<r><Relationship Id=\"1\" Target=\"a\"/></r>", "xl/a",
	    "<w><row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c></row></w>" } },
	{ "xlsx", "xl/workbook.xml", NULL, { "xl/a", "<w/>" } },
	{ "xlsx",
	  "xl/_rels/workbook.xml.rels",
	  NULL,
	  { "xl/workbook.xml", "<w><sheet name=\"a\" id=\"1\" state=\"hidden\"/></w>", "xl/a", "<w/>" } },
	{ "zip", "a.txt", NULL, { "b.txt", "203.0.113.9\n" } },
};

static int put_text(struct kh_bytes *xml, char c)
{
	switch (c) {
	case '<':
		return kh_bytes_add(xml, "&lt;", 4);
	case '&':
		return kh_bytes_add(xml, "&amp;", 5);
	default:
		return kh_bytes_add(xml, &c, 1);
	}
}

static void put_tag(struct kh_bytes *xml, const char *element, bool closing)
{
	kh_bytes_add(xml, closing ? "</" : "<", closing ? 2 : 1);
	kh_bytes_add(xml, element, closing ? strcspn(element, " ") : strlen(element));
	kh_bytes_add(xml, ">", 1);
}

static void translate(const struct dialect *dialect, const uint8_t *data, size_t size, struct kh_bytes *xml)
{
	const char *opened[DEPTH_MAX];
	size_t depth = 0;

	kh_bytes_add(xml, dialect->root, strlen(dialect->root));
	for (size_t i = 0; i < size; i++) {
		const char *element = data[i] && data[i] < ' ' && data[i] != '\n'
					      ? dialect->elements[(data[i] - 1) % KH_ARRAY_SIZE(dialect->elements)]
					      : NULL;

		if (!data[i] && depth) {
			put_tag(xml, opened[--depth], true);
		} else if (element && depth < DEPTH_MAX) {
			put_tag(xml, element, false);
			if (element[strlen(element) - 1] != '/')
				opened[depth++] = element;
		} else if (data[i] >= ' ' || data[i] == '\n') {
			put_text(xml, (char)data[i]);
		}
	}
	while (depth)
		put_tag(xml, opened[--depth], true);
	kh_bytes_add(xml, dialect->end, strlen(dialect->end));
}

static void read_container(const struct container *container, const void *data, size_t size)
{
	struct kh_bytes zip KH_CLEANUP(kh_bytes_clear) = {};
	struct stored members[8] = {};
	size_t count = 0;

	for (size_t i = 0; container->others[i]; i += 2)
		members[count++] = (struct stored){ container->others[i], container->others[i + 1],
						    strlen(container->others[i + 1]) };
	members[count] = (struct stored){ container->part, data, size };
	if (!put_zip(&zip, members))
		fuzz_read(zip.data, zip.length, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kh_bytes xml KH_CLEANUP(kh_bytes_clear) = {};
	size_t which = size ? (data[0] & 0x7f) % (KH_ARRAY_SIZE(containers) + 1) : 0;
	const struct container *container = &containers[which];

	if (!size)
		return 0;
	if (which == KH_ARRAY_SIZE(containers)) { /* a damaged archive, or any other */
		fuzz_read_within("PK\3\4", data + 1, size - 1, "");
	} else if (!container->dialect || data[0] & 0x80) {
		read_container(container, data + 1, size - 1);
	} else {
		translate(container->dialect, data + 1, size - 1, &xml);
		read_container(container, xml.data, xml.length);
	}
	return 0;
}
