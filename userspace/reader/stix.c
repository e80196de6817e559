// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STIX 2.0 and 2.1: bundles, and envelopes as TAXII sends them. Indicators are orders; observed data and bare observables are context, which may be
 * victims, and are only counted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "reader/pattern.h"
#include "reader/tree.h"

struct stix {
	struct kh_collector *collector;
	struct kh_claim claim; /* of the indicator */
	size_t context, foreign; /* objects that are none, patterns in other languages */
};

static int take_value(void *context, const struct kh_pattern_value *value)
{
	struct stix *stix = context;
	struct kh_claim claim = stix->claim;
	size_t length = strlen(value->text);

	if (value->hash) {
		if ((length == 32 || length == 40 || length == 64) &&
		    strspn(value->text, "0123456789abcdefABCDEF") == length)
			return kh_collect_hash(stix->collector, value->text, length);
		return 0;
	}
	claim.port = value->port;
	claim.protocol = value->protocol;
	if (!value->alone) {
		claim.proposed = KH_REVIEW;
		claim.reason = KH_WHY_CONDITION;
	}
	return kh_tree_value(stix->collector, value->text, &claim);
}

static int read_indicator(struct stix *stix, json_t *object, int line)
{
	const char *pattern = kh_tree_text(object, "pattern"), *type = kh_tree_text(object, "pattern_type");
	char id[80] = "";
	size_t at = 0;
	int result;

	if (*type && strcmp(type, "stix") != 0) {
		stix->foreign++;
		return 0;
	}
	stix->claim = (struct kh_claim){ .proposed = KH_ENFORCE,
					 .reason = KH_WHY_ACTIONABLE,
					 .starts = kh_tree_time(kh_tree_text(object, "valid_from")),
					 .expires = kh_tree_time(kh_tree_text(object, "valid_until")),
					 .line = line };
	if (json_is_true(json_object_get(object, "revoked"))) {
		stix->claim.proposed = KH_REVIEW;
		stix->claim.reason = KH_WHY_REVOKED;
	}
	result = kh_pattern_read(pattern, &at, take_value, stix);
	if (result != -EINVAL && result != -E2BIG)
		return result;
	strncpy(id, kh_tree_text(object, "id"), sizeof(id) - 1);
	kh_text_printable(id);
	return kh_collect_note(stix->collector,
			       _("NOT READ: line %d: %s: its pattern is not understood at character %zu"), line, id,
			       at + 1);
}

static int set_text(char **to, const char *text, size_t length)
{
	char *copy;

	if (*to || !length)
		return 0;
	copy = kh_compose(text, length);
	if (!copy)
		return -ENOMEM;
	kh_text_printable(copy);
	*to = copy;
	return 0;
}

static int read_report(struct stix *stix, json_t *object)
{
	struct kh_letter *letter = &stix->collector->document->letter;
	const char *name = kh_tree_text(object, "name"), *date = kh_tree_text(object, "published");
	int result = set_text(&letter->subject, name, strlen(name));

	return result || strlen(date) < 10 || !kh_tree_time(date) ? result : set_text(&letter->date, date, 10);
}

static bool is_context(const char *type)
{
	static const char *const types[] = { "observed-data", "ipv4-addr", "ipv6-addr",
					     "domain-name",   "url",	   "network-traffic" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

static int visit(void *context, const char *key, json_t *object, int line, bool *ret_inside)
{
	struct stix *stix = context;
	const char *type = kh_tree_text(object, "type");

	if (strcmp(key, "objects") != 0)
		return 0;
	*ret_inside = false;
	stix->context += is_context(type);
	if (!strcmp(type, "indicator"))
		return read_indicator(stix, object, line);
	if (!strcmp(type, "report"))
		return read_report(stix, object);
	return !strcmp(type, "vulnerability") && !strncasecmp(kh_tree_text(object, "name"), "CVE-", 4) &&
			       strlen(kh_tree_text(object, "name")) < 24
		       ? kh_collect_cve(stix->collector, kh_tree_text(object, "name"),
					strlen(kh_tree_text(object, "name")))
		       : 0;
}

int kh_stix_recognise(const struct kh_input *input)
{
	return kh_tree_looks(input, "{", "\"bundle\"") ||
	       (kh_tree_looks(input, "{", "\"objects\"") && kh_tree_looks(input, "{", "\"spec_version\""));
}

/* STIX 1 has a JSON form, too. */
static int check_version(struct kh_tree *tree)
{
	const char *version = kh_tree_text(tree->root, "spec_version");

	if (json_is_array(json_object_get(tree->root, "objects")) && (!*version || *version == '2'))
		return 0;
	if (!strcmp(kh_tree_text(tree->root, "type"), "bundle") && !json_object_get(tree->root, "objects") &&
	    (!*version || *version == '2'))
		return 0;
	kh_fail(tree->collector->error, -ENOTSUP, _("%s: unsupported version of STIX"), tree->input->file);
	kh_hint(tree->collector->error, _("ask the sender for STIX 2.0 or 2.1, or for a list"));
	return -ENOTSUP;
}

int kh_stix_read(const struct kh_input *input, struct kh_collector *collector)
{
	struct kh_tree tree KH_CLEANUP(kh_tree_close) = {};
	struct stix stix = { .collector = collector };
	int result = kh_tree_open(input, collector, &tree);

	if (!result)
		result = check_version(&tree);
	if (!result)
		result = kh_tree_walk(&tree, visit, &stix);
	if (!result && stix.foreign)
		result = kh_collect_note(collector,
					 _("indicators in other pattern languages (YARA, Snort, ...), not read: %zu"),
					 stix.foreign);
	if (!result && stix.context)
		result = kh_collect_note(collector,
					 _("observations that are no indicators (they may be victims), not taken: %zu"),
					 stix.context);
	return result;
}
