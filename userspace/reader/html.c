// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HTML: what a browser would show, without running anything. Addresses behind links are not shown; scripts, styles and hidden parts neither.
 */
#include <errno.h>
#include <libxml/HTMLparser.h>
#include <limits.h>
#include <string.h>

#include "common/util.h"
#include "reader/flow.h"
#include "reader/html.h"
#include "reader/package.h"

struct html {
	struct kh_flow *flow;
	htmlParserCtxtPtr parser;
	int skipped, pre;
	size_t span;
	int result;
};

static bool is_any(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcasecmp(name, *names))
			return true;
	return false;
}

static const char *const not_shown[] = { "head", "script", "style",  "template", "noscript", "svg",
					 "math", "object", "iframe", "select",	 "textarea", NULL };
static const char *const blocks[] = { "p",	  "div",	"h1",	   "h2",      "h3",	    "h4",     "h5",
				      "h6",	  "ul",		"ol",	   "li",      "dl",	    "dt",     "dd",
				      "pre",	  "blockquote", "section", "article", "header",	    "footer", "main",
				      "aside",	  "nav",	"address", "figure",  "figcaption", "center", "form",
				      "fieldset", "hr",		NULL };

static void keep(struct html *html, int result)
{
	if (!result || html->result)
		return;
	html->result = result;
	xmlStopParser(html->parser);
}

static bool is_blank(const struct kh_bytes *line)
{
	for (size_t i = 0; i < line->length; i++)
		if (!kh_is_blank((char)line->data[i]))
			return false;
	return true;
}

/* A line ends, if one has begun. */
static int end_line(struct html *html)
{
	return !html->flow->tables && is_blank(&html->flow->line) ? 0 : kh_flow_break(html->flow);
}

static bool is_hidden(const char *const *attributes)
{
	for (; attributes && *attributes; attributes += 2) {
		const char *value = attributes[1] ? attributes[1] : "", *display;

		if (!strcasecmp(attributes[0], "hidden"))
			return true;
		if (strcasecmp(attributes[0], "style") != 0)
			continue;
		display = strcasestr(value, "display");
		if (display && !strncasecmp(display + 7 + strspn(display + 7, " :"), "none", 4))
			return true;
	}
	return false;
}

static size_t span_of(const char *const *attributes)
{
	for (; attributes && *attributes; attributes += 2)
		if (!strcasecmp(attributes[0], "colspan") && attributes[1])
			return kh_xml_number(attributes[1], 1, KH_TABLE_COLUMNS);
	return 1;
}

static int start_table(struct html *html, const char *name, const char *const *attributes)
{
	if (!strcasecmp(name, "table"))
		return kh_flow_table_begin(html->flow);
	if (!strcasecmp(name, "tr"))
		return kh_flow_row_begin(html->flow, 0);
	html->span = span_of(attributes);
	return kh_flow_cell_begin(html->flow);
}

static bool is_table(const char *name)
{
	static const char *const names[] = { "table", "tr", "td", "th", NULL };

	return is_any(name, names);
}

static void on_start(void *context, const xmlChar *element, const xmlChar **given)
{
	struct html *html = context;
	const char *name = (const char *)element, *const *attributes = (const char *const *)given;

	if (html->result)
		return;
	if (html->skipped || is_any(name, not_shown) || is_hidden(attributes)) {
		html->skipped++;
		return;
	}
	html->pre += !strcasecmp(name, "pre");
	if (is_table(name))
		return keep(html, start_table(html, name, attributes));
	if (!strcasecmp(name, "br"))
		return keep(html, kh_flow_break(html->flow));
	if (is_any(name, blocks))
		keep(html, end_line(html));
	if (!strcasecmp(name, "li"))
		keep(html, kh_flow_item(html->flow));
}

static void on_end(void *context, const xmlChar *element)
{
	struct html *html = context;
	const char *name = (const char *)element;

	if (html->result)
		return;
	if (html->skipped) {
		html->skipped--;
		return;
	}
	html->pre -= !strcasecmp(name, "pre") && html->pre;
	if (!strcasecmp(name, "table"))
		keep(html, kh_flow_table_end(html->flow));
	else if (!strcasecmp(name, "tr"))
		keep(html, kh_flow_row_end(html->flow));
	else if (is_table(name))
		keep(html, kh_flow_cell_end(html->flow, html->span));
	else if (is_any(name, blocks))
		keep(html, end_line(html));
}

/* White space is one space, none at the beginning of a line. */
static int put_words(struct html *html, const char *text, size_t length)
{
	const struct kh_bytes *line = &html->flow->line;
	int result = 0;

	for (size_t at = 0; at < length && !result;) {
		size_t used = 0;

		if (kh_is_blank(text[at])) {
			char last = line->length ? (char)line->data[line->length - 1] : ' ';

			while (at < length && kh_is_blank(text[at]))
				at++;
			if (!kh_is_blank(last) && last != KH_MARK_BREAK)
				result = kh_flow_text(html->flow, " ", 1);
			continue;
		}
		while (at + used < length && !kh_is_blank(text[at + used]))
			used++;
		result = kh_flow_text(html->flow, text + at, used);
		at += used;
	}
	return result;
}

static int put_lines(struct html *html, const char *text, size_t length)
{
	int result = 0;

	for (size_t at = 0; at < length && !result;) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t used = end ? (size_t)(end - text) - at : length - at;

		result = kh_flow_text(html->flow, text + at, used);
		if (!result && end)
			result = kh_flow_break(html->flow);
		at += used + 1;
	}
	return result;
}

static void on_text(void *context, const xmlChar *text, int length)
{
	struct html *html = context;

	if (html->skipped || html->result || length <= 0)
		return;
	keep(html, html->pre ? put_lines(html, (const char *)text, (size_t)length)
			     : put_words(html, (const char *)text, (size_t)length));
}

int kh_html_flow(const char *text, size_t length, struct kh_flow *flow)
{
	struct html html = { .flow = flow, .parser = htmlNewParserCtxt() };
	htmlSAXHandler handler = { .startElement = on_start,
				   .endElement = on_end,
				   .characters = on_text,
				   .ignorableWhitespace = on_text,
				   .cdataBlock = on_text };
	htmlDocPtr document;

	if (!html.parser)
		return -ENOMEM;
	memcpy(html.parser->sax, &handler, sizeof(handler));
	html.parser->userData = &html;
	document =
		htmlCtxtReadMemory(html.parser, text, length < INT_MAX ? (int)length : INT_MAX, NULL, "UTF-8",
				   HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
	if (document)
		xmlFreeDoc(document);
	if (html.parser->errNo == XML_ERR_NO_MEMORY && !html.result)
		html.result = -ENOMEM;
	htmlFreeParserCtxt(html.parser);
	while (!html.result && flow->tables)
		html.result = kh_flow_table_end(flow);
	if (!html.result && flow->line.length)
		html.result = kh_flow_break(flow);
	return html.result;
}

int kh_html_extract(const struct kh_input *input, struct kh_collector *collector KH_UNUSED, struct kh_bytes *ret_text)
{
	struct kh_flow flow KH_CLEANUP(kh_flow_clear) = { .text = ret_text };

	return kh_html_flow(input->text, input->length, &flow);
}
