// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * OpenIOC 1.0 and 1.1. An item that alone makes the indicator match is an order; under an AND, negated, or compared in another way than "is", it
 * waits. Items about files other than their hashes, registry keys and the like are only counted.
 */
#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "reader/package.h"
#include "reader/tree.h"

#define NESTED_MAX 64
#define TEXT_MAX ((size_t)4096)

enum search { SEARCH_OTHER, SEARCH_VALUE, SEARCH_HASH };

struct openioc {
	struct kh_collector *collector;
	struct kh_bytes text; /* of the innermost element that has any */
	bool all[NESTED_MAX]; /* of each <Indicator> around: its parts must hold together */
	size_t nested, others;
	enum search search; /* of the item */
	bool item; /* within one */
	bool narrowed;
	int line; /* kept by the parser */
	int item_line;
};

static enum search search_of(const char *term)
{
	static const struct {
		const char *term;
		enum search search;
	} terms[] = {
		{ "RouteEntryItem/Destination", SEARCH_VALUE },
		{ "PortItem/remoteIP", SEARCH_VALUE },
		{ "Network/DNS", SEARCH_VALUE },
		{ "Network/URI", SEARCH_VALUE },
		{ "DnsEntryItem/Host", SEARCH_VALUE },
		{ "DnsEntryItem/RecordName", SEARCH_VALUE },
		{ "UrlHistoryItem/URL", SEARCH_VALUE },
		{ "UrlHistoryItem/HostName", SEARCH_VALUE },
		{ "FileItem/Md5sum", SEARCH_HASH },
		{ "FileItem/Sha1sum", SEARCH_HASH },
		{ "FileItem/Sha256sum", SEARCH_HASH },
	};

	for (size_t i = 0; term && i < KH_ARRAY_SIZE(terms); i++)
		if (!strcasecmp(term, terms[i].term))
			return terms[i].search;
	return SEARCH_OTHER;
}

static bool is(const char *value, const char *expected)
{
	return value && !strcasecmp(value, expected);
}

static int on_start(void *context, const char *name, const char *const *attributes)
{
	struct openioc *openioc = context;

	openioc->text.length = 0;
	if (!strcmp(name, "Indicator")) {
		if (openioc->nested >= NESTED_MAX)
			return -EINVAL;
		openioc->all[openioc->nested++] = !is(kh_xml_attribute(attributes, "operator"), "OR");
	} else if (!strcmp(name, "IndicatorItem")) {
		openioc->item = true;
		openioc->search = SEARCH_OTHER;
		openioc->item_line = openioc->line;
		openioc->narrowed = !is(kh_xml_attribute(attributes, "condition"), "is") ||
				    is(kh_xml_attribute(attributes, "negate"), "true");
		for (size_t i = 0; i < openioc->nested; i++)
			openioc->narrowed = openioc->narrowed || openioc->all[i];
	} else if (!strcmp(name, "Context")) {
		openioc->search = search_of(kh_xml_attribute(attributes, "search"));
		if (!openioc->item) { /* no item says how it is meant */
			openioc->item_line = openioc->line;
			openioc->narrowed = true;
		}
	}
	return 0;
}

static int on_text(void *context, const char *text, size_t length)
{
	struct openioc *openioc = context;
	size_t left = TEXT_MAX - openioc->text.length;

	return kh_bytes_add(&openioc->text, text, length < left ? length : left);
}

/* Without the white space around it; NUL-terminated. Cut between characters. */
static int finish_text(struct openioc *openioc, const char **ret_text)
{
	char *text;
	size_t length = kh_utf8_check((const char *)openioc->text.data, openioc->text.length), start = 0;

	openioc->text.length = length;
	if (kh_bytes_add(&openioc->text, "", 1))
		return -ENOMEM;
	text = (char *)openioc->text.data;
	while (length && kh_is_blank(text[length - 1]))
		text[--length] = '\0';
	while (kh_is_blank(text[start]))
		start++;
	*ret_text = text + start;
	return 0;
}

static int take_item(struct openioc *openioc, const char *text)
{
	struct kh_claim claim = { .proposed = openioc->narrowed ? KH_REVIEW : KH_ENFORCE,
				  .reason = openioc->narrowed ? KH_WHY_CONDITION : KH_WHY_ACTIONABLE,
				  .line = openioc->item_line };
	size_t length = strlen(text);

	if (openioc->search == SEARCH_VALUE)
		return kh_tree_value(openioc->collector, text, &claim);
	if (openioc->search == SEARCH_HASH && (length == 32 || length == 40 || length == 64) &&
	    strspn(text, "0123456789abcdefABCDEF") == length)
		return kh_collect_hash(openioc->collector, text, length);
	openioc->others++;
	return 0;
}

static int set_field(char **field, const char *text)
{
	char *copy;

	if (*field || !*text)
		return 0;
	copy = kh_compose(text, strlen(text));
	if (!copy)
		return -ENOMEM;
	kh_text_printable(copy);
	*field = copy;
	return 0;
}

/* The head; what is of links, tags and so on is not asked. */
static int take_field(struct openioc *openioc, const char *name, const char *text)
{
	struct kh_letter *letter = &openioc->collector->document->letter;
	char date[11] = "";

	if (!strcmp(name, "short_description"))
		return set_field(&letter->subject, text);
	if (!strcmp(name, "authored_by"))
		return set_field(&letter->issuer, text);
	if (strcmp(name, "authored_date") != 0 || strlen(text) < 10 || !kh_tree_time(text))
		return 0;
	memcpy(date, text, 10);
	return set_field(&letter->date, date);
}

static int on_end(void *context, const char *name)
{
	struct openioc *openioc = context;
	const char *text;
	int result = 0;

	if (!strcmp(name, "Indicator") && openioc->nested)
		openioc->nested--;
	if (!strcmp(name, "IndicatorItem")) { /* what it said is of its own content */
		openioc->item = false;
		openioc->search = SEARCH_OTHER;
	}
	if (openioc->text.length && finish_text(openioc, &text))
		return -ENOMEM;
	if (openioc->text.length)
		result = !strcmp(name, "Content") && openioc->nested ? take_item(openioc, text)
								     : take_field(openioc, name, text);
	openioc->text.length = 0;
	return result;
}

int kh_openioc_recognise(const struct kh_input *input)
{
	return (kh_tree_looks(input, "<", "<ioc ") || kh_tree_looks(input, "<", "<OpenIOC")) &&
	       kh_tree_looks(input, "<", "<Indicator");
}

static void openioc_clear(struct openioc *openioc)
{
	kh_bytes_clear(&openioc->text);
}

int kh_openioc_read(const struct kh_input *input, struct kh_collector *collector)
{
	struct openioc openioc KH_CLEANUP(openioc_clear) = { .collector = collector };
	const struct kh_xml xml = { on_start, on_end, on_text, &openioc.line };
	struct kh_bytes bytes KH_CLEANUP(kh_bytes_clear) = {};
	int result = kh_bytes_add(&bytes, input->text, input->length);

	if (!result)
		result = kh_xml_parse(input, "OpenIOC", &bytes, &xml, &openioc, collector->error);
	if (!result && openioc.others)
		result = kh_collect_note(
			collector, _("items about what is neither a network value nor a file's hash, not taken: %zu"),
			openioc.others);
	return result;
}
