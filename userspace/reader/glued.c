// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two values with nothing between, as copying out of a page leaves them: "c2.ddns.infogate.dcsvn.example", "203.0.113.7198.51.100.9". Where one ends and the next
 * begins is a guess, for a person to check; and cells and lines whose value goes on below, so that either half is the wrong value.
 */
#include "reader/heed.h"

#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/util.h"

static size_t labels_of(const char *text, size_t length)
{
	size_t count = 1;

	for (size_t i = 0; i < length; i++)
		count += text[i] == '.';
	return count;
}

/* Words that begin like a top-level domain. */
static bool is_word(const char *label, size_t length)
{
	static const char *const words[] = {
		"com",	       "net",	       "org",	      "info",	       "biz",	       "compute",
		"computer",    "community",    "commerce",    "company",       "comcast",      "common",
		"comms",       "comodo",       "connect",     "network",       "networks",     "netapp",
		"netflix",     "netlify",      "information", "infosec",       "infoblox",     "infra",
		"organic",     "organization", "nets",	      "complete",      "comm",	       "command",
		"netscaler",   "orgs",	       "internal",    "international", "internet",     "interface",
		"integration", "ingest",       "ingress",     "public",	       "publish",      "publisher",
		"publishers",  "appstore",     "appspot",     "application",   "applications", "cloudapp",
		"cloudfront",  "hosting",      "windows",     "article",       "catalog",      "mobile",
		"storefront",  "newsletter",   "developer",   "developers",    "development",  "devices"
	};

	for (size_t i = 0; i < KH_ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == length && strncasecmp(words[i], label, length) == 0)
			return true;
	return false;
}

/* Do the bytes end in a suffix under which names are registered, one that says where a name ends? Two letters are in every word: they count with the label before
 * them ("com.vn"). */
static bool ends_name(const char *name, size_t length, size_t end)
{
	char copy[256];
	const char *before;

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, name, length);
	copy[length] = '\0';
	if (end > 2 && kh_name_is_top_level(copy + length - end, end))
		return true;
	copy[length - end - 1] = '\0';
	before = strrchr(copy, '.');
	copy[length - end - 1] = '.';
	return before && kh_name_is_public_suffix(before + 1);
}

/* Where the suffix of the whole name begins: what is in it is no end of another. */
static size_t suffix_of(const char *name)
{
	const char *label = name;

	while (!kh_name_is_public_suffix(label) && strchr(label, '.'))
		label = strchr(label, '.') + 1;
	return (size_t)(label - name);
}

size_t kh_glued_name(const char *name)
{
	size_t length = strlen(name), suffix = labels_of(name, length) < 5 ? 0 : suffix_of(name);

	for (const char *label = name; (label = strchr(label, '.')) && (size_t)(label + 1 - name) < suffix;) {
		size_t size = strcspn(++label, ".");

		for (size_t end = size < 2 ? 0 : size - 2; end >= 2; end--) {
			size_t cut = (size_t)(label - name) + end;

			if (is_word(label, size) || !kh_is_letter(label[end]) || labels_of(name, cut) < 3 ||
			    labels_of(name + cut, length - cut) < 3 || !ends_name(name, cut, end))
				continue;
			return cut;
		}
	}
	return 0;
}

size_t kh_glued_addresses(const char *text, size_t length)
{
	size_t at = 0, digits;
	struct kh_range range;

	if (labels_of(text, length) != 7)
		return 0;
	for (int dots = 0; dots < 3; at++)
		dots += text[at] == '.';
	digits = strspn(text + at, "0123456789");
	if (digits < 4 || digits > 6)
		return 0;
	for (size_t first = digits > 3 ? 3 : digits - 1; first >= 1; first--)
		if (!kh_address_parse(text, at + first, &range) &&
		    !kh_address_parse(text + at + first, length - at - first, &range))
			return at + first;
	return 0;
}

/* The line without the blanks round it. */
static struct kh_line trimmed(struct kh_line line)
{
	while (line.length && kh_is_blank(*line.text)) {
		line.text++;
		line.length--;
	}
	while (line.length && kh_is_blank(line.text[line.length - 1]))
		line.length--;
	return line;
}

int kh_line_number_alone(const struct kh_line *line)
{
	struct kh_line text = trimmed(*line);
	int number = 0;

	if (!text.length || text.length > 3)
		return -1;
	for (size_t i = 0; i < text.length; i++) {
		if (!kh_is_digit(text.text[i]))
			return -1;
		number = number * 10 + text.text[i] - '0';
	}
	return number;
}

bool kh_line_ends_cut(const struct kh_line *line, struct kh_line *ret_piece)
{
	struct kh_line text = trimmed(*line);
	size_t from = text.length;

	while (from && (kh_is_alnum(text.text[from - 1]) || strchr("-._[]", text.text[from - 1])))
		from--;
	*ret_piece = (struct kh_line){ text.text + from, text.length - from, line->number, line->page };
	if (ret_piece->length < 2 || text.text[text.length - 1] != '-' || !kh_is_alnum(text.text[text.length - 2]))
		return false;
	return !from || (from <= 6 && kh_is_blank(text.text[from - 1])); /* alone, or behind a list marker */
}
