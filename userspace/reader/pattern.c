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

static bool ends_in(const char *text, const char *ending)
{
	size_t length = strlen(text), size = strlen(ending);

	return length >= size && !strcasecmp(text + length - size, ending);
}

/* Paths whose value is what packets go to. */
static bool names_value(const char *path)
{
	static const char *const paths[] = { "ipv4-addr:value",
					     "ipv6-addr:value",
					     "domain-name:value",
					     "hostname:value",
					     "url:value",
					     "network-traffic:dst_ref.value",
					     "network-traffic:src_ref.value",
					     NULL };

	return is_any(path, paths);
}

/* Paths whose value only goes with another: what a name resolves to, what a request asks for. Such a value is shown, never blocked. */
static bool names_relation(const char *path)
{
	static const char *const paths[] = { "domain-name:resolves_to_refs[.value", NULL };

	return is_any(path, paths) || (!strncmp(path, "network-traffic:", 16) && ends_in(path, ".Host")) ||
	       (!strncmp(path, "network-traffic:", 16) && ends_in(path, "_ref.value") && !names_value(path));
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

/* "tcp" and "udp" go to the value; the family says nothing that its address does not. */
static bool takes_protocol(const char *text, struct kh_pattern_value *value)
{
	uint8_t protocol = !strcasecmp(text, "tcp") ? 6 : !strcasecmp(text, "udp") ? 17 : 0;

	if (!protocol)
		return !strcasecmp(text, "ipv4") || !strcasecmp(text, "ipv6");
	if (value->protocol && value->protocol != protocol)
		return false;
	value->protocol = protocol;
	return true;
}

static bool takes_port(const char *text, struct kh_pattern_value *value)
{
	int64_t port;

	if (kh_number_parse(text, 1, 65535, &port) || (value->port && value->port != port))
		return false;
	value->port = (uint16_t)port;
	return true;
}

/* Propositions beside the value that only say again what it is, or which port and protocol. */
static bool belongs(const struct kh_pattern_test *proposition, const char *side, struct kh_pattern_value *value)
{
	static const char *const types[] = { "ipv4-addr", "ipv6-addr", "domain-name", NULL };
	const char *own = side_of(proposition->path), *text;

	if (proposition->negated || proposition->op != KH_OP_EQUAL)
		return false;
	text = proposition->values[0];
	if (!strcmp(proposition->path, "network-traffic:protocols["))
		return takes_protocol(text, value);
	if (!own || strcmp(own, side) != 0)
		return false;
	own = proposition->path + 20;
	if (!strcmp(own, "ref.type"))
		return is_any(text, types);
	return !strcmp(own, "port") && takes_port(text, value);
}

/* May the value of proposition `which` be blocked alone? A protocol without a port cannot be told to the packet programs. */
static bool stands_alone(const struct kh_pattern *pattern, const struct kh_pattern_term *term, uint8_t which,
			 struct kh_pattern_value *value)
{
	const struct kh_pattern_test *asked = &pattern->propositions[term->parts[which]];
	const char *side = side_of(asked->path);

	if (!is_asked(asked) || !names_value(asked->path) || term->open || pattern->conditional)
		return false;
	for (uint8_t i = 0; i < term->count; i++)
		if (i != which && (!side || !belongs(&pattern->propositions[term->parts[i]], side, value)))
			return false;
	return value->port || !value->protocol;
}

static int give(const struct kh_pattern_test *proposition, struct kh_pattern_value *value, kh_pattern_take take,
		void *context)
{
	int result = 0;

	for (size_t i = 0; i < proposition->values_count && !result; i++) {
		value->text = proposition->values[i];
		result = take(context, value);
	}
	return result;
}

/* What can be blocked, term by term. */
static int give_orders(struct kh_pattern *pattern, const struct kh_pattern_term *term, kh_pattern_take take,
		       void *context)
{
	int result = 0;

	for (uint8_t i = 0; i < term->count && !result; i++) {
		struct kh_pattern_test *proposition = &pattern->propositions[term->parts[i]];
		struct kh_pattern_value value = { .alone = true };

		if (!stands_alone(pattern, term, i, &value))
			continue;
		proposition->given = true;
		result = give(proposition, &value, take, context);
	}
	return result;
}

/* Hashes, and the values that no term gave: a term need not hold all of its tests. */
static int give_others(const struct kh_pattern *pattern, kh_pattern_take take, void *context)
{
	int result = 0;

	for (size_t i = 0; i < pattern->count && !result; i++) {
		const struct kh_pattern_test *proposition = &pattern->propositions[i];
		struct kh_pattern_value value = { .hash = names_hash(proposition->path) };

		if (proposition->given || (value.hash && !is_asked(proposition)))
			continue;
		if (value.hash || names_value(proposition->path) || names_relation(proposition->path))
			result = give(proposition, &value, take, context);
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
		result = give_orders(&parsed, &terms.list[i], take, context);
	return result ? result : give_others(&parsed, take, context);
}
