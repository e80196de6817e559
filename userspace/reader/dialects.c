// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lines of dnsmasq, unbound and adblock lists. A form that is none of a block is never taken for one: what sends a name on, lets it pass, or holds only under a
 * condition is an exception, or waits.
 */
#include <errno.h>
#include <string.h>

#include "common/util.h"
#include "reader/domains.h"

static bool starts(const char *at, const char *end, const char *with)
{
	return (size_t)(end - at) >= strlen(with) && !strncasecmp(at, with, strlen(with));
}

/* ---- dnsmasq: address=/a/b/0.0.0.0 ------------------------------------------------------------------------ */

/* "0.0.0.0", "127.0.0.1", "::", "::1": nowhere. */
static bool is_nowhere(const struct kh_field *address)
{
	struct kh_range range;

	if (!address->length || kh_range_scan(address->text, address->length, &range) != address->length ||
	    range.first != range.last)
		return false;
	return range.family == 4 ? range.first == 0 || range.first == 0x7f000001 : range.first <= 1;
}

/* Names end with a slash; what is behind the last one is where they go: nowhere, or on to a resolver. */
int kh_dnsmasq_read(struct kh_domains *domains, const char *at, const char *end)
{
	bool address = starts(at, end, "address=/");
	const char *remark = memmem(at, (size_t)(end - at), " #", 2), *stop = remark ? remark : end;
	const char *name = memchr(at, '/', (size_t)(stop - at)), *last = memrchr(name, '/', (size_t)(stop - name));
	const char *rest = last + 1;
	struct kh_field to = kh_field_next(&rest, stop), field;
	bool blocks = !to.length || *to.text == '#' ? address || !to.length : address && is_nowhere(&to);
	bool doubted = address && !blocks;
	int result = 0;

	if (name == last)
		return kh_domains_other(domains);
	for (name++; name <= last && !result; name = stop + 1) {
		stop = memchr(name, '/', (size_t)(end - name));
		field = (struct kh_field){ name + (*name == '.'), (size_t)(stop - name) - (*name == '.') };
		result = blocks || doubted ? kh_domains_take(domains, field, true, doubted)
					   : kh_domains_except(domains, field, true, false);
	}
	return result;
}

/* ---- unbound: local-zone: "a." always_null ----------------------------------------------------------------- */

static struct kh_field unquoted(struct kh_field field)
{
	if (field.length >= 2 && (*field.text == '"' || *field.text == '\'')) {
		field.text++;
		field.length -= field.text[field.length - 2] == field.text[-1] ? 2 : 1;
	}
	return field;
}

int kh_unbound_read_zone(struct kh_domains *domains, const char *at, const char *end)
{
	static const char *const blocking[] = { "always_nxdomain", "always_null", "always_refuse",   "always_nodata",
						"always_deny",	   "static",	  "refuse",	     "deny",
						"redirect",	   "inform_deny", "inform_redirect", NULL };
	static const char *const passing[] = { "transparent", "typetransparent", "always_transparent",
					       "nodefault",   "inform",		 "noview",
					       "block_a",     "ipset",		 NULL };
	struct kh_field name = unquoted(kh_field_next(&at, end)), type = unquoted(kh_field_next(&at, end));

	if (kh_field_is_one_of(&type, passing))
		return kh_domains_except(domains, name, true, false);
	if (!kh_field_is_one_of(&type, blocking))
		return kh_domains_other(domains);
	return domains->gathering ? kh_domains_gather(&domains->zones, name, true, true)
				  : kh_domains_take(domains, name, true, false);
}

/* Is it in one of the zones, which says all of it? 1, 0, -ENOMEM. */
static int is_in_zone(const struct kh_domains *domains, struct kh_field name)
{
	struct kh_indicator indicator = {};
	int result = kh_name_read(name.text, name.length, &indicator);

	if (!result)
		result = kh_exceptions_cover(&domains->zones, indicator.text);
	kh_indicator_clear(&indicator);
	return result == -EINVAL ? 0 : result;
}

/* local-data: "a. 60 IN A 0.0.0.0": outside of the zones, for that name alone. An address of somebody may be where the office has it. */
int kh_unbound_read_data(struct kh_domains *domains, const char *at, const char *end)
{
	struct kh_field name, type, data;
	int result;

	if (domains->gathering)
		return 0;
	while (at < end && (kh_is_blank(*at) || *at == '"' || *at == '\''))
		at++;
	name = kh_field_next(&at, end);
	type = kh_field_next(&at, end);
	while (type.length && (kh_field_is(&type, "IN") || kh_is_digit(*type.text)))
		type = kh_field_next(&at, end);
	data = kh_field_next(&at, end);
	while (data.length && strchr("\"'", data.text[data.length - 1]))
		data.length--;
	result = is_in_zone(domains, name);
	if (result)
		return result < 0 ? result : 0;
	if (!kh_field_is(&type, "A") && !kh_field_is(&type, "AAAA"))
		return kh_domains_other(domains);
	return kh_domains_take(domains, name, false, !is_nowhere(&data));
}

/* ---- adblock: ||a^ ----------------------------------------------------------------------------------------- */

enum rule { RULE_BLOCKS, RULE_NARROWED, RULE_CANCELS };

/* Options that leave a rule one about all of the site. Any other says where, when, or for what it holds. */
static enum rule rule_of(const char *at, const char *end)
{
	static const char *const wide[] = { "important", "all", "document", "doc", "third-party", "3p", NULL };
	enum rule rule = RULE_BLOCKS;

	while (at < end) {
		const char *stop = memchr(at, ',', (size_t)(end - at));
		struct kh_field option = { at, (size_t)((stop ? stop : end) - at) };

		if (kh_field_is(&option, "badfilter"))
			return RULE_CANCELS;
		if (!kh_field_is_one_of(&option, wide))
			rule = RULE_NARROWED;
		at = option.text + option.length + 1;
	}
	return rule;
}

/* The name that a rule begins with; *ret_rest is what comes after it. */
static struct kh_field rule_name(const char *at, const char *end, const char **ret_rest)
{
	struct kh_field name = { at, 0 };

	if (starts(at, end, "*."))
		name.text += 2;
	for (at = name.text; at < end && !strchr("^/$*|", *at) && !kh_is_blank(*at);)
		at++;
	name.length = (size_t)(at - name.text);
	*ret_rest = at;
	return name;
}

int kh_adblock_read(struct kh_domains *domains, const char *at, const char *end)
{
	const char *rest, *options;
	struct kh_field name = rule_name(at + 2, end, &rest);
	enum rule rule;

	options = memchr(rest, '$', (size_t)(end - rest));
	rule = options ? rule_of(options + 1, end) : RULE_BLOCKS;
	if (rule == RULE_CANCELS && domains->gathering)
		return kh_domains_gather(&domains->cancelled, name, true, false);
	if (rule == RULE_CANCELS) {
		domains->excepted++;
		return 0;
	}
	if (rest < end && *rest == '/' && rest + 1 < end)
		return kh_domains_other(domains); /* a part of a site */
	return kh_domains_take(domains, name, true, rule == RULE_NARROWED);
}

/* "@@||a^", "@@a", "@@|https://a/" */
int kh_adblock_read_exception(struct kh_domains *domains, const char *at, const char *end)
{
	const char *scheme, *rest;

	for (at += 2; at < end && *at == '|';)
		at++;
	scheme = memmem(at, (size_t)(end - at), "://", 3);
	if (scheme && scheme - at <= 6)
		at = scheme + 3;
	return kh_domains_except(domains, rule_name(at, end, &rest), true, true);
}
