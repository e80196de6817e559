// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which of a pattern's values can be blocked.
 */
#include "reader/pattern.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"
#include "reader/pattern_terms.h"

static bool is_any(const char *path, const char *const *paths)
{
	for (; *paths; paths++)
		if (!strcmp(path, *paths))
			return true;
	return false;
}

static bool names_value(const char *path)
{
	static const char *const paths[] = { "ipv4-addr:value",
					     "ipv6-addr:value",
					     "domain-name:value",
					     "url:value",
					     "network-traffic:dst_ref.value",
					     "network-traffic:src_ref.value",
					     NULL };

	return is_any(path, paths);
}

static bool names_hash(const char *path)
{
	return strstr(path, ":hashes.") || strstr(path, ".hashes.");
}

static bool is_asked(const struct kh_pattern_test *proposition)
{
	return !proposition->negated && proposition->op != KH_OP_OTHER && proposition->values_count;
}

/* "dst" or "src"; the side of a traffic object that the path is about. */
static const char *side_of(const char *path)
{
	if (!strncmp(path, "network-traffic:dst_", 20))
		return "dst";
	return !strncmp(path, "network-traffic:src_", 20) ? "src" : NULL;
}

/* Propositions beside the value that only say again what it is, or which port and protocol. */
static bool belongs(const struct kh_pattern_test *proposition, const char *side, struct kh_pattern_value *value)
{
	static const char *const types[] = { "ipv4-addr", "ipv6-addr", "domain-name", NULL };
	const char *own = side_of(proposition->path), *text;

	if (proposition->negated || proposition->op != KH_OP_EQUAL)
		return false;
	text = proposition->values[0];
	if (!strcmp(proposition->path, "network-traffic:protocols[")) {
		if (!strcasecmp(text, "tcp") || !strcasecmp(text, "udp"))
			value->protocol = !strcasecmp(text, "tcp") ? 6 : 17;
		return true;
	}
	if (!own || strcmp(own, side) != 0)
		return false;
	own = proposition->path + 20;
	if (!strcmp(own, "ref.type"))
		return is_any(text, types);
	if (!strcmp(own, "port")) {
		int64_t port;

		if (kh_number_parse(text, 1, 65535, &port))
			return false;
		value->port = (uint16_t)port;
		return true;
	}
	return false;
}

/* May the value of proposition `which` be blocked alone? */
static bool stands_alone(const struct kh_pattern *pattern, const struct kh_pattern_term *term, uint8_t which,
			 struct kh_pattern_value *value)
{
	const struct kh_pattern_test *asked = &pattern->propositions[term->parts[which]];
	const char *side = side_of(asked->path);

	if (!is_asked(asked) || term->open || pattern->conditional)
		return false;
	for (uint8_t i = 0; i < term->count; i++)
		if (i != which && (!side || !belongs(&pattern->propositions[term->parts[i]], side, value)))
			return false;
	return true;
}

static int hand_out(const struct kh_pattern *pattern, const struct kh_pattern_term *term, kh_pattern_take take,
		    void *context)
{
	int result = 0;

	for (uint8_t i = 0; i < term->count; i++) {
		const struct kh_pattern_test *proposition = &pattern->propositions[term->parts[i]];
		struct kh_pattern_value value = { .hash = names_hash(proposition->path) };

		if (!value.hash && !names_value(proposition->path))
			continue;
		value.alone = stands_alone(pattern, term, i, &value);
		if (!value.alone)
			value.port = value.protocol = 0;
		for (size_t j = 0; j < proposition->values_count && !result; j++) {
			value.text = proposition->values[j];
			result = take(context, &value);
		}
	}
	return result;
}

int kh_pattern_read(const char *pattern, size_t *ret_at, kh_pattern_take take, void *context)
{
	struct kh_pattern parsed KH_CLEANUP(kh_pattern_clear) = { .text = pattern, .at = pattern };
	struct kh_pattern_terms terms KH_CLEANUP(kh_pattern_terms_clear) = {};
	int result = kh_pattern_parse(&parsed, &terms);

	*ret_at = (size_t)(parsed.at - pattern);
	for (size_t i = 0; i < terms.count && !result; i++)
		result = hand_out(&parsed, &terms.list[i], take, context);
	return result;
}
