// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of names as resolvers and browsers take them: dnsmasq, unbound, adblock; response policy zones are zone.c's. What they say of a name and all below it, and of a name
 * alone, is kept apart; what they only send on, or allow, is not taken. Plain lists, wildcards and hosts files are list.c's.
 */
#include "reader/domains.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

#define SAMPLE_LINES 400

static void domains_clear(struct kh_domains *domains)
{
	kh_exceptions_clear(&domains->exceptions);
	kh_exceptions_clear(&domains->zones);
	kh_exceptions_clear(&domains->cancelled);
}

struct kh_field kh_field_next(const char **at, const char *end)
{
	struct kh_field field;

	while (*at < end && kh_is_blank(**at))
		++*at;
	field.text = *at;
	while (*at < end && !kh_is_blank(**at))
		++*at;
	field.length = (size_t)(*at - field.text);
	return field;
}

bool kh_field_is(const struct kh_field *field, const char *text)
{
	return field->length == strlen(text) && !strncasecmp(field->text, text, field->length);
}

bool kh_field_is_one_of(const struct kh_field *field, const char *const *texts)
{
	for (; *texts; texts++)
		if (kh_field_is(field, *texts))
			return true;
	return false;
}

static bool starts(const char *at, const char *end, const char *with)
{
	return (size_t)(end - at) >= strlen(with) && !strncasecmp(at, with, strlen(with));
}

/* ---- One value ----------------------------------------------------------------------------------------- */

int kh_domains_take_indicator(struct kh_domains *domains, struct kh_indicator *indicator, struct kh_field raw,
			      bool doubted)
{
	struct kh_place place = { .proposed = KH_UNENFORCEABLE,
				  .reason = KH_WHY_DOMAIN,
				  .section = KH_SECTION_LIST,
				  .page = domains->line.page,
				  .line = domains->line.number,
				  .raw = raw.text,
				  .raw_length = raw.length };
	bool held = doubted || (indicator->type == KH_TYPE_DOMAIN &&
				(kh_exceptions_touch(&domains->exceptions, indicator->text, indicator->subdomains) ||
				 kh_exceptions_cover(&domains->cancelled, indicator->text)));

	if (domains->gathering) {
		kh_indicator_clear(indicator);
		return 0;
	}
	if (kh_indicator_enforceable(indicator)) {
		place.proposed = KH_ENFORCE;
		place.reason = KH_WHY_TABLE;
	}
	if (held) {
		place.proposed = KH_REVIEW;
		place.reason = KH_WHY_CONDITION;
	}
	return kh_collect_take(domains->collector, indicator, &place);
}

int kh_domains_other(struct kh_domains *domains)
{
	if (!domains->gathering && !domains->others++)
		domains->first_other = (size_t)domains->line.number;
	return 0;
}

/* What is no name. */
static int take_other(struct kh_domains *domains, struct kh_field name, bool doubted)
{
	struct kh_indicator indicator = {};
	struct kh_range range;

	if (name.length && kh_range_scan(name.text, name.length, &range) == name.length) {
		indicator = kh_indicator_of_range(&range);
		return kh_domains_take_indicator(domains, &indicator, name, doubted);
	}
	if (!kh_name_is_top_level(name.text, name.length))
		return kh_domains_other(domains);
	return kh_collect_top_level(domains->collector, name.text, name.length,
				    &(struct kh_place){ .section = KH_SECTION_LIST,
							.page = domains->line.page,
							.line = domains->line.number,
							.raw = name.text,
							.raw_length = name.length });
}

int kh_domains_take(struct kh_domains *domains, struct kh_field name, bool subdomains, bool doubted)
{
	struct kh_indicator indicator = {};
	int code;

	if (domains->gathering)
		return 0;
	code = kh_name_read(name.text, name.length, &indicator);
	if (code == -ENOMEM)
		return code;
	if (code)
		return take_other(domains, name, doubted);
	indicator.subdomains = indicator.subdomains || subdomains;
	return kh_domains_take_indicator(domains, &indicator, name, doubted);
}

/* Puts the name into the set; what is no name says nothing. */
int kh_domains_gather(struct kh_exceptions *set, struct kh_field name, bool below, bool inherits)
{
	struct kh_indicator indicator = {};
	int result = kh_name_read(name.text, name.length, &indicator);

	if (!result)
		result = kh_exceptions_add(set, indicator.text, below, inherits);
	kh_indicator_clear(&indicator);
	return result == -ENOMEM ? result : 0;
}

int kh_domains_except(struct kh_domains *domains, struct kh_field name, bool below, bool inherits)
{
	if (domains->gathering)
		return kh_domains_gather(&domains->exceptions, name, below, inherits);
	domains->excepted++;
	return 0;
}

/* ---- Lines ----------------------------------------------------------------------------------------------------- */

static const char *const dnsmasq[] = { "address=/", "server=/", "local=/", NULL };

static bool is_dnsmasq(const char *at, const char *end)
{
	for (size_t i = 0; dnsmasq[i]; i++)
		if (starts(at, end, dnsmasq[i]))
			return true;
	return false;
}

enum kind { KIND_NONE, KIND_EMPTY, KIND_DNSMASQ, KIND_UNBOUND, KIND_DATA, KIND_ADBLOCK, KIND_EXCEPTION, KIND_FRAME };

static enum kind kind_of(const char *at, const char *end)
{
	if (at == end || *at == '!' || *at == '#' || *at == ';')
		return KIND_EMPTY;
	if (starts(at, end, "server:") || starts(at, end, "[Adblock") || starts(at, end, "define-tag:"))
		return KIND_FRAME;
	if (is_dnsmasq(at, end))
		return KIND_DNSMASQ;
	if (starts(at, end, "local-zone:"))
		return KIND_UNBOUND;
	if (starts(at, end, "local-data:"))
		return KIND_DATA;
	if (starts(at, end, "@@"))
		return KIND_EXCEPTION;
	return starts(at, end, "||") ? KIND_ADBLOCK : KIND_NONE;
}

static int read_line(struct kh_domains *domains)
{
	const char *at = domains->line.text + kh_list_indent(&domains->line),
		   *end = domains->line.text + domains->line.length;

	while (end > at && kh_is_blank(end[-1]))
		end--;
	switch (domains->zone.inside ? KIND_NONE : kind_of(at, end)) {
	case KIND_DNSMASQ:
		return kh_dnsmasq_read(domains, at, end);
	case KIND_UNBOUND:
		return kh_unbound_read_zone(domains, at + strlen("local-zone:"), end);
	case KIND_DATA:
		return kh_unbound_read_data(domains, at + strlen("local-data:"), end);
	case KIND_ADBLOCK:
		return kh_adblock_read(domains, at, end);
	case KIND_EXCEPTION:
		return kh_adblock_read_exception(domains, at, end);
	case KIND_EMPTY:
	case KIND_FRAME:
		return 0;
	case KIND_NONE:
		break;
	}
	return kh_zone_read(domains, domains->line.text, end);
}

int kh_domains_recognise(const struct kh_input *input)
{
	size_t mine = 0, all = 0, policies = 0, data = 0;
	bool inside = false, zone = false;
	struct kh_lines lines;
	struct kh_line line;

	kh_lines_init(&lines, input->text, input->length);
	while (all < SAMPLE_LINES && kh_lines_next(&lines, &line) == 1) {
		const char *at = line.text + kh_list_indent(&line), *end = line.text + line.length;
		enum kind kind = kind_of(at, end);
		enum kh_record record = kind == KIND_NONE ? kh_zone_look(&line, &inside) : KH_RECORD_NONE;

		zone = zone || record == KH_RECORD_FRAME;
		if (kind == KIND_EMPTY || kind == KIND_FRAME || record == KH_RECORD_FRAME)
			continue;
		all++;
		mine += kind != KIND_NONE && kind != KIND_DATA;
		policies += record == KH_RECORD_POLICY;
		data += record == KH_RECORD_DATA || kind == KIND_DATA;
		zone = zone || kind == KIND_DATA;
	}
	mine += policies + (policies || zone ? data : 0);
	return mine && mine * 10 >= all * 6;
}

static int read_lines(struct kh_domains *domains, const struct kh_input *input)
{
	struct kh_lines lines;
	int result = 0, code = 0;

	domains->zone = (struct kh_zone){};
	kh_lines_init(&lines, input->text, input->length);
	while (!code && (result = kh_lines_next(&lines, &domains->line)) == 1)
		code = read_line(domains);
	if (!code && result)
		code = kh_fail_long_line(input, &domains->line, domains->collector->error);
	return code;
}

static int add_notes(const struct kh_domains *domains)
{
	int code = 0;

	if (domains->others)
		code = kh_collect_note(domains->collector, _("lines without a value: %zu, the first is line %zu"),
				       domains->others, domains->first_other);
	if (!code && domains->excepted)
		code = kh_collect_note(domains->collector,
				       _("exceptions of the list (names that it does not block), not taken: %zu"),
				       domains->excepted);
	if (!code && domains->triggers)
		code = kh_collect_note(domains->collector,
				       _("rules about clients and name servers, not taken: %zu, the first is line %zu"),
				       domains->triggers, domains->first_trigger);
	return code;
}

int kh_domains_read(const struct kh_input *input, struct kh_collector *collector)
{
	struct kh_domains domains KH_CLEANUP(domains_clear) = { .collector = collector, .gathering = true };
	int result = read_lines(&domains, input);

	kh_exceptions_sort(&domains.exceptions);
	kh_exceptions_sort(&domains.zones);
	kh_exceptions_sort(&domains.cancelled);
	domains.gathering = false;
	if (!result)
		result = read_lines(&domains, input);
	return result ? result : add_notes(&domains);
}
