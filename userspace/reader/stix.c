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

/* An object comes again when it was changed: its latest form counts. */
struct version {
	const char *id, *modified;
	size_t number; /* of the object in the walk */
};

struct stix {
	struct kh_collector *collector;
	struct version *versions;
	size_t count, capacity;
	bool *outdone; /* by number: a later form is there */
	size_t number;
	const char *author; /* id of the report's */
	struct kh_claim claim; /* of the indicator */
	size_t context, foreign, earlier; /* objects that are none, patterns in other languages */
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
	if (kh_tree_true(object, "revoked")) {
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

static int compare_versions(const void *a, const void *b)
{
	const struct version *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	if (!order)
		order = kh_time_compare(x->modified, y->modified);
	return order ? order : x->number < y->number ? -1 : x->number > y->number;
}

static bool is_object(const char *key, const json_t *object)
{
	return !strcmp(key, "objects") ||
	       (!*key && strcmp(kh_tree_text(object, "type"), "bundle") != 0 && !json_object_get(object, "objects"));
}

static int visit_version(void *context, const char *key, json_t *object, int line KH_UNUSED, bool *ret_inside)
{
	struct stix *stix = context;
	const char *id = kh_tree_text(object, "id"), *type = kh_tree_text(object, "type");

	if (!is_object(key, object))
		return 0;
	*ret_inside = false;
	if (!strcmp(type, "report") && !stix->author)
		stix->author = kh_tree_text(object, "created_by_ref");
	if (kh_grow(&stix->versions, &stix->capacity, stix->count + 1, sizeof(*stix->versions)))
		return -ENOMEM;
	stix->versions[stix->count] = (struct version){ id, kh_tree_text(object, "modified"), stix->count };
	stix->count++;
	return 0;
}

static int find_versions(struct stix *stix, struct kh_tree *tree)
{
	int result = kh_tree_walk(tree, visit_version, stix);

	if (result)
		return result;
	stix->outdone = calloc(stix->count + 1, sizeof(*stix->outdone));
	if (!stix->outdone)
		return -ENOMEM;
	if (stix->count)
		qsort(stix->versions, stix->count, sizeof(*stix->versions), compare_versions);
	for (size_t i = 0; i + 1 < stix->count; i++)
		stix->outdone[stix->versions[i].number] =
			*stix->versions[i].id && !strcmp(stix->versions[i].id, stix->versions[i + 1].id) &&
			kh_time_compare(stix->versions[i].modified, stix->versions[i + 1].modified) < 0;
	return 0;
}

static void stix_clear(struct stix *stix)
{
	free(stix->versions);
	free(stix->outdone);
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

	if (!is_object(key, object))
		return 0;
	*ret_inside = false;
	if (stix->outdone[stix->number++]) {
		stix->earlier += !strcmp(type, "indicator");
		return 0;
	}
	stix->context += is_context(type);
	if (!strcmp(type, "indicator"))
		return read_indicator(stix, object, line);
	if (!strcmp(type, "report"))
		return read_report(stix, object);
	if (!strcmp(type, "identity") && stix->author && !strcmp(kh_tree_text(object, "id"), stix->author))
		return set_text(&stix->collector->document->letter.issuer, kh_tree_text(object, "name"),
				strlen(kh_tree_text(object, "name")));
	return !strcmp(type, "vulnerability") ? kh_tree_cve(stix->collector, kh_tree_text(object, "name")) : 0;
}

/* A bundle, an envelope, objects without either. */
int kh_stix_recognise(const struct kh_input *input)
{
	if (!kh_tree_looks(input, "{[", "\""))
		return 0;
	if (kh_tree_has(input, "type", "bundle") || kh_tree_has(input, "stix_header", NULL))
		return 1;
	if (!kh_tree_looks(input, "{[", "\"indicator--") && !kh_tree_looks(input, "{[", "\"spec_version\""))
		return 0;
	return kh_tree_has(input, "objects", NULL) ||
	       (kh_tree_has(input, "type", NULL) && kh_tree_has(input, "id", NULL));
}

/* STIX 1 has a JSON form, too. */
static int check_version(struct kh_tree *tree)
{
	const char *version = kh_tree_text(tree->root, "spec_version");

	if ((!*version || *version == '2') && !json_object_get(tree->root, "stix_header"))
		return 0;
	kh_fail(tree->collector->error, -ENOTSUP, _("%s: unsupported version of STIX"), tree->input->file);
	kh_hint(tree->collector->error, _("ask the sender for STIX 2.0 or 2.1, or for a list"));
	return -ENOTSUP;
}

int kh_stix_read(const struct kh_input *input, struct kh_collector *collector)
{
	struct kh_tree tree KH_CLEANUP(kh_tree_close) = {};
	struct stix stix KH_CLEANUP(stix_clear) = { .collector = collector };
	int result = kh_tree_open(input, collector, &tree);

	if (!result)
		result = check_version(&tree);
	if (!result)
		result = find_versions(&stix, &tree);
	if (!result)
		result = kh_tree_walk(&tree, visit, &stix);
	if (!result && stix.earlier)
		result = kh_collect_note(collector,
					 _("earlier forms of indicators that the file holds changed, not taken: %zu"),
					 stix.earlier);
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
