// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * expat, with limits.
 */
#include <errno.h>
#include <expat.h>
#include <limits.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "reader/package.h"

#define DEPTH_MAX 512
#define SEPARATOR '|'

struct parsing {
	XML_Parser parser;
	const struct kh_xml *xml;
	void *context;
	int depth, result;
};

static const char *local(const char *name)
{
	const char *bar = strrchr(name, SEPARATOR);

	return bar ? bar + 1 : name;
}

const char *kh_xml_attribute(const char *const *attributes, const char *name)
{
	for (; *attributes; attributes += 2)
		if (!strcmp(local(attributes[0]), name))
			return attributes[1];
	return NULL;
}

size_t kh_xml_number(const char *value, size_t otherwise, size_t most)
{
	int64_t number;

	return value && !kh_number_parse(value, 1, (int64_t)most, &number) ? (size_t)number : otherwise;
}

static void stop(struct parsing *parsing, int result)
{
	if (!result || parsing->result)
		return;
	parsing->result = result;
	XML_StopParser(parsing->parser, XML_FALSE);
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct parsing *parsing = context;

	if (++parsing->depth > DEPTH_MAX)
		return stop(parsing, -EINVAL);
	if (parsing->xml->line)
		*parsing->xml->line = (int)XML_GetCurrentLineNumber(parsing->parser);
	if (!parsing->result)
		stop(parsing, parsing->xml->start(parsing->context, local(name), (const char *const *)attributes));
}

static void on_end(void *context, const XML_Char *name)
{
	struct parsing *parsing = context;

	parsing->depth--;
	if (!parsing->result)
		stop(parsing, parsing->xml->end(parsing->context, local(name)));
}

static void on_text(void *context, const XML_Char *text, int length)
{
	struct parsing *parsing = context;

	if (!parsing->result)
		stop(parsing, parsing->xml->text(parsing->context, text, (size_t)length));
}

static void on_doctype(void *context, const XML_Char *name KH_UNUSED, const XML_Char *system KH_UNUSED,
		       const XML_Char *public KH_UNUSED, int internal KH_UNUSED)
{
	stop(context, -EINVAL);
}

static int feed(struct parsing *parsing, const struct kh_bytes *bytes)
{
	const char *at = (const char *)bytes->data;
	size_t left = bytes->length;

	while (left > INT_MAX / 2) {
		if (XML_Parse(parsing->parser, at, INT_MAX / 2, 0) != XML_STATUS_OK)
			return -EINVAL;
		at += INT_MAX / 2;
		left -= INT_MAX / 2;
	}
	return XML_Parse(parsing->parser, at ? at : "", (int)left, 1) == XML_STATUS_OK ? 0 : -EINVAL;
}

int kh_xml_parse(const struct kh_input *input, const char *part, const struct kh_bytes *bytes, const struct kh_xml *xml,
		 void *context, struct kh_error *error)
{
	struct parsing parsing = { .parser = XML_ParserCreateNS(NULL, SEPARATOR), .xml = xml, .context = context };
	enum XML_Error code = XML_ERROR_NONE;
	int line = 0, result;

	if (!parsing.parser)
		return -ENOMEM;
	XML_SetUserData(parsing.parser, &parsing);
	XML_SetElementHandler(parsing.parser, on_start, on_end);
	XML_SetCharacterDataHandler(parsing.parser, on_text);
	XML_SetStartDoctypeDeclHandler(parsing.parser, on_doctype);
	result = feed(&parsing, bytes);
	if (result) {
		code = XML_GetErrorCode(parsing.parser);
		line = (int)XML_GetCurrentLineNumber(parsing.parser);
	}
	XML_ParserFree(parsing.parser);
	if (!result || code == XML_ERROR_NO_MEMORY)
		return result ? -ENOMEM : 0;
	if (parsing.result && parsing.result != -EINVAL)
		return parsing.result;
	kh_fail_at(error, -EINVAL, line, _("%s: %s, line %d: the file is damaged: %s"), input->file, part, line,
		   parsing.result ? _("not as such files are written") : XML_ErrorString(code));
	kh_hint(error, _("have it sent again, or open it in an office program and save it anew"));
	return -EINVAL;
}
