// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MISP events (the JSON of its core format): attributes, also those of objects. What its author marks for detection (to_ids) is meant to be blocked; the
 * rest waits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "reader/tree.h"

struct misp {
	struct kh_collector *collector;
	size_t deleted, events;
};

enum kind { KIND_NONE, KIND_VALUE, KIND_WITH_PORT, KIND_TWO, KIND_HASH, KIND_NAMED_HASH, KIND_CVE };

static const struct {
	const char *type;
	enum kind kind;
} kinds[] = {
	{ "ip-src", KIND_VALUE },
	{ "ip-dst", KIND_VALUE },
	{ "domain", KIND_VALUE },
	{ "hostname", KIND_VALUE },
	{ "url", KIND_VALUE },
	{ "uri", KIND_VALUE },
	{ "ip-src|port", KIND_WITH_PORT },
	{ "ip-dst|port", KIND_WITH_PORT },
	{ "hostname|port", KIND_WITH_PORT },
	{ "domain|ip", KIND_TWO },
	{ "md5", KIND_HASH },
	{ "sha1", KIND_HASH },
	{ "sha256", KIND_HASH },
	{ "malware-sample", KIND_NAMED_HASH },
	{ "filename|md5", KIND_NAMED_HASH },
	{ "filename|sha1", KIND_NAMED_HASH },
	{ "filename|sha256", KIND_NAMED_HASH },
	{ "vulnerability", KIND_CVE },
};

static enum kind kind_of(const char *type)
{
	for (size_t i = 0; i < KH_ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].type, type))
			return kinds[i].kind;
	return KIND_NONE;
}

static int take_hash(struct misp *misp, const char *text)
{
	size_t length = strspn(text, "0123456789abcdefABCDEF");

	if (text[length + strspn(text + length, " \t\r\n")] || (length != 32 && length != 40 && length != 64))
		return 0;
	return kh_collect_hash(misp->collector, text, length);
}

/* " 443 " to the end. */
static bool reads_port(const char *text, uint16_t *ret_port)
{
	size_t start = strspn(text, " \t\r\n"), length = strcspn(text + start, " \t\r\n");
	char digits[8];
	int64_t port;

	if (!length || length >= sizeof(digits) || text[start + length + strspn(text + start + length, " \t\r\n")])
		return false;
	memcpy(digits, text + start, length);
	digits[length] = '\0';
	if (kh_number_parse(digits, 1, 65535, &port))
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

/* "203.0.113.7|443"; of a host name with a port the name. "c2.example|203.0.113.7": both. What is no port makes all of it malformed: the
 * address alone would be more than is meant. */
static int take_pair(struct misp *misp, enum kind kind, const char *text, struct kh_claim *claim)
{
	char left[512];
	const char *bar = strchr(text, '|');
	int result;

	if (!bar || (size_t)(bar - text) >= sizeof(left) ||
	    (kind == KIND_WITH_PORT && !reads_port(bar + 1, &claim->port)))
		return kh_tree_value(misp->collector, text, claim);
	memcpy(left, text, (size_t)(bar - text));
	left[bar - text] = '\0';
	result = kh_tree_value(misp->collector, left, claim);
	return result || kind == KIND_WITH_PORT ? result : kh_tree_value(misp->collector, bar + 1, claim);
}

static int read_attribute(struct misp *misp, json_t *object, int line)
{
	const char *value = kh_tree_text(object, "value"), *bar = strrchr(value, '|');
	enum kind kind = kind_of(kh_tree_text(object, "type"));
	struct kh_claim claim = { .proposed = KH_ENFORCE, .reason = KH_WHY_ACTIONABLE, .line = line };

	if (kh_tree_true(object, "deleted")) {
		misp->deleted += kind != KIND_NONE;
		return 0;
	}
	if (!kh_tree_true(object, "to_ids")) {
		claim.proposed = KH_REVIEW;
		claim.reason = KH_WHY_NOT_ACTIONABLE;
	}
	switch (kind) {
	case KIND_VALUE:
		return kh_tree_value(misp->collector, value, &claim);
	case KIND_WITH_PORT:
	case KIND_TWO:
		return take_pair(misp, kind, value, &claim);
	case KIND_HASH:
		return take_hash(misp, value + strspn(value, " \t"));
	case KIND_NAMED_HASH:
		return bar ? take_hash(misp, bar + 1) : 0;
	case KIND_CVE:
		return kh_tree_cve(misp->collector, value);
	case KIND_NONE:
		break;
	}
	return 0;
}

static int set_text(char **to, const char *text)
{
	char *copy;

	if (*to || !*text)
		return 0;
	copy = kh_compose(text, strlen(text));
	if (!copy)
		return -ENOMEM;
	kh_text_printable(copy);
	*to = copy;
	return 0;
}

static int read_event(struct misp *misp, json_t *object)
{
	struct kh_letter *letter = &misp->collector->document->letter;
	const char *date = kh_tree_text(object, "date");
	int result = set_text(&letter->subject, kh_tree_text(object, "info"));

	if (!result && strlen(date) == 10 && kh_tree_time(date))
		result = set_text(&letter->date, date);
	return result ? result : set_text(&letter->issuer, kh_tree_text(json_object_get(object, "Orgc"), "name"));
}

static int visit(void *context, const char *key, json_t *object, int line, bool *ret_inside)
{
	static const char *const others[] = { "RelatedEvent", "Galaxy", "Tag",		"ShadowAttribute",
					      "Org",	      "Orgc",	"SharingGroup", "RelatedAttribute",
					      "EventReport" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(others); i++)
		*ret_inside = *ret_inside && strcmp(key, others[i]) != 0;
	if (!*ret_inside)
		return 0;
	if (!strcmp(key, "Event")) {
		((struct misp *)context)->events++;
		return read_event(context, object);
	}
	if (!strcmp(key, "Object"))
		*ret_inside = !kh_tree_true(object, "deleted");
	return !strcmp(key, "Attribute") ? read_attribute(context, object, line) : 0;
}

/* {"5a5b…-…": {"Orgc": …, "timestamp": …}, …} */
static bool is_manifest(const struct kh_input *input)
{
	const char *brace = memchr(input->text, '{', input->length);
	size_t left = brace ? input->length - (size_t)(brace - input->text) : 0, at = 1;

	while (at < left && kh_is_blank(brace[at]))
		at++;
	if (at + 38 > left || brace[at] != '"' || brace[at + 37] != '"')
		return false;
	for (size_t i = 0; i < 36; i++) {
		char c = brace[at + 1 + i];

		if (i == 8 || i == 13 || i == 18 || i == 23 ? c != '-' : !kh_is_hex(c))
			return false;
	}
	return kh_tree_looks(input, "{", "\"timestamp\"") && kh_tree_looks(input, "{", "\"info\"");
}

int kh_misp_recognise(const struct kh_input *input)
{
	if (!kh_tree_looks(input, "{[", "\""))
		return 0;
	if (kh_tree_has(input, "Event", NULL) || kh_tree_has(input, "Attribute", NULL))
		return 1;
	if (kh_tree_has(input, "response", NULL) &&
	    (kh_tree_looks(input, "{", "\"Attribute\"") || kh_tree_looks(input, "{", "\"Event\"")))
		return 1;
	return is_manifest(input);
}

int kh_misp_read(const struct kh_input *input, struct kh_collector *collector)
{
	struct kh_tree tree KH_CLEANUP(kh_tree_close) = {};
	struct misp misp = { .collector = collector };
	struct kh_letter *letter = &collector->document->letter;
	int result = kh_tree_open(input, collector, &tree);

	if (!result && is_manifest(input)) {
		kh_fail(collector->error, -ENOTSUP, _("%s: this is the index of a MISP feed, not one of its events"),
			input->file);
		kh_hint(collector->error,
			_("read the files UUID.json beside it, or have all of it fetched: khien source add NAME ADDRESS --kind misp"));
		return -ENOTSUP;
	}
	if (!result)
		result = kh_tree_walk(&tree, visit, &misp);
	if (!result && misp.events > 1) { /* the head of one would be a false one for the others */
		free(KH_TAKE(letter->subject));
		free(KH_TAKE(letter->date));
		result = kh_collect_note(collector, _("events in this file: %zu; it is read as one list"), misp.events);
	}
	if (!result && misp.deleted)
		result = kh_collect_note(collector, _("attributes that their author deleted, not taken: %zu"),
					 misp.deleted);
	return result;
}
