// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of names as resolvers and browsers take them: dnsmasq, unbound, adblock, response policy zones. What they say of a name and all below it, and of a name
 * alone, is kept apart. Plain lists, wildcards and hosts files are list.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "reader/private.h"

#define SAMPLE_LINES 400

struct domains {
	struct kh_collector *collector;
	struct kh_line line;
	size_t exceptions, others, first_other;
};

/* A field of the line: to the next blank. */
struct field {
	const char *text;
	size_t length;
};

static struct field next_field(const char **at, const char *end)
{
	struct field field;

	while (*at < end && kh_is_blank(**at))
		++*at;
	field.text = *at;
	while (*at < end && !kh_is_blank(**at))
		++*at;
	field.length = (size_t)(*at - field.text);
	return field;
}

static bool is(const struct field *field, const char *text)
{
	return field->length == strlen(text) && !strncasecmp(field->text, text, field->length);
}

static bool starts(const char *at, const char *end, const char *with)
{
	return (size_t)(end - at) >= strlen(with) && !strncasecmp(at, with, strlen(with));
}

/* ---- One value ----------------------------------------------------------------------------------------- */

static int take_indicator(struct domains *domains, struct kh_indicator *indicator, const char *raw, size_t length)
{
	struct kh_place place = { .proposed = KH_UNENFORCEABLE,
				  .reason = KH_WHY_DOMAIN,
				  .section = KH_SECTION_LIST,
				  .page = domains->line.page,
				  .line = domains->line.number,
				  .raw = raw,
				  .raw_length = length };

	if (kh_indicator_enforceable(indicator)) {
		place.proposed = KH_ENFORCE;
		place.reason = KH_WHY_TABLE;
	}
	return kh_collect_take(domains->collector, indicator, &place);
}

static int other(struct domains *domains)
{
	if (!domains->others++)
		domains->first_other = (size_t)domains->line.number;
	return 0;
}

/* A name, or an address in its place. */
static int take_name(struct domains *domains, const char *text, size_t length, bool subdomains)
{
	struct kh_indicator indicator = {};
	struct kh_range range;
	int code = kh_name_read(text, length, &indicator);

	if (code == -ENOMEM)
		return code;
	if (code) {
		if (kh_range_scan(text, length, &range) != length)
			return other(domains);
		indicator = kh_indicator_of_range(&range);
	}
	if (indicator.type == KH_TYPE_DOMAIN)
		indicator.subdomains = indicator.subdomains || subdomains;
	return take_indicator(domains, &indicator, text, length);
}

/* ---- dnsmasq: address=/a/b/0.0.0.0 ------------------------------------------------------------------------ */

static const char *const options[] = { "address=/", "server=/", "local=/", NULL };

static bool is_dnsmasq(const char *at, const char *end)
{
	for (size_t i = 0; options[i]; i++)
		if (starts(at, end, options[i]))
			return true;
	return false;
}

static int read_dnsmasq(struct domains *domains, const char *at, const char *end)
{
	int result = 0;

	at = memchr(at, '/', (size_t)(end - at));
	while (!result) {
		const char *next = memchr(at + 1, '/', (size_t)(end - at - 1));

		if (!next)
			break;
		result = take_name(domains, at + 1, (size_t)(next - at - 1), true);
		at = next;
	}
	return result;
}

/* ---- unbound: local-zone: "a." always_null ----------------------------------------------------------------- */

static int read_unbound(struct domains *domains, const char *at, const char *end)
{
	struct field field, type;

	at += strlen("local-zone:");
	field = next_field(&at, end);
	type = next_field(&at, end);
	if (field.length >= 2 && (*field.text == '"' || *field.text == '\'')) {
		field.text++;
		field.length -= 2;
	}
	if (is(&type, "transparent") || is(&type, "typetransparent") || is(&type, "always_transparent") ||
	    is(&type, "nodefault")) {
		domains->exceptions++;
		return 0;
	}
	return take_name(domains, field.text, field.length, true);
}

/* ---- adblock: ||a^ ----------------------------------------------------------------------------------------- */

static int read_adblock(struct domains *domains, const char *at, const char *end)
{
	const char *name = at + 2, *stop = name;

	while (stop < end && !strchr("^/$*|", *stop) && !kh_is_blank(*stop))
		stop++;
	if (stop < end && *stop == '/' && stop + 1 < end)
		return other(domains); /* a part of a site */
	return take_name(domains, name, (size_t)(stop - name), true);
}

/* ---- Response policy zones: a CNAME . ------------------------------------------------------------------------ */

/* "24.0.113.0.203", "48.zz.1.db8.2001": the address backwards, its length before it. */
static int take_rpz_address(struct domains *domains, const char *text, size_t length)
{
	char forward[128] = "", copy[128], *parts[12] = {}, *save = NULL;
	struct kh_indicator indicator = {};
	size_t count = 0, used = 0;
	bool v4;

	if (length >= sizeof(copy))
		return other(domains);
	memcpy(copy, text, length);
	copy[length] = '\0';
	for (char *part = strtok_r(copy, ".", &save); part && count < KH_ARRAY_SIZE(parts);
	     part = strtok_r(NULL, ".", &save))
		parts[count++] = part;
	v4 = count == 5 && strcmp(parts[1], "zz") && strcmp(parts[2], "zz") && strcmp(parts[3], "zz");
	for (size_t i = count; i-- > 1;) {
		bool gap = !strcmp(parts[i], "zz");

		used += (size_t)snprintf(forward + used, sizeof(forward) - used, "%s%s",
					 gap ? (i == count - 1 ? ":" : "") : parts[i],
					 i > 1 ? (v4 ? "." : ":")
					 : gap ? ":"
					       : "");
	}
	snprintf(forward + used, sizeof(forward) - used, "/%s", count ? parts[0] : "");
	if (count < 3 || kh_indicator_parse(forward, &indicator, NULL) || !kh_indicator_enforceable(&indicator)) {
		kh_indicator_clear(&indicator);
		return other(domains);
	}
	return take_indicator(domains, &indicator, text, length);
}

/* 1: it was such a line. */
static int read_rpz(struct domains *domains, const char *at, const char *end, bool look)
{
	struct field name = next_field(&at, end), field = next_field(&at, end);
	static const char tail[] = ".rpz-ip";

	while (field.length && (is(&field, "IN") || kh_is_digit(*field.text)))
		field = next_field(&at, end);
	if (!is(&field, "CNAME"))
		return 0;
	field = next_field(&at, end);
	if (!field.length || look)
		return field.length > 0;
	if (starts(field.text, end, "rpz-passthru")) {
		domains->exceptions++;
		return 1;
	}
	if (name.length > strlen(tail) && !strncasecmp(name.text + name.length - strlen(tail), tail, strlen(tail)))
		return take_rpz_address(domains, name.text, name.length - strlen(tail)) ? -ENOMEM : 1;
	return take_name(domains, name.text, name.length, false) ? -ENOMEM : 1;
}

/* ---- Lines ----------------------------------------------------------------------------------------------------- */

enum kind { KIND_NONE, KIND_EMPTY, KIND_DNSMASQ, KIND_UNBOUND, KIND_ADBLOCK, KIND_EXCEPTION, KIND_FRAME, KIND_RPZ };

static enum kind kind_of(const char *at, const char *end)
{
	static const char *const frames[] = { "server:", "local-data:", "[Adblock", "$TTL",
					      "$ORIGIN", "define-tag:", NULL };

	if (at == end || *at == '!' || *at == '#' || *at == ';')
		return KIND_EMPTY;
	for (size_t i = 0; frames[i]; i++)
		if (starts(at, end, frames[i]))
			return KIND_FRAME;
	if (is_dnsmasq(at, end))
		return KIND_DNSMASQ;
	if (starts(at, end, "local-zone:"))
		return KIND_UNBOUND;
	if (starts(at, end, "@@"))
		return KIND_EXCEPTION;
	if (starts(at, end, "||"))
		return KIND_ADBLOCK;
	return read_rpz(NULL, at, end, true) ? KIND_RPZ : KIND_NONE;
}

/* The record at the head of a zone, over several lines. */
static bool is_zone_head(const char *at, const char *end)
{
	return memmem(at, (size_t)(end - at), " SOA ", 5) || memmem(at, (size_t)(end - at), " NS ", 4) ||
	       memmem(at, (size_t)(end - at), "\tSOA\t", 5) || memmem(at, (size_t)(end - at), "\tNS\t", 4) ||
	       memmem(at, (size_t)(end - at), ")", 1) || kh_is_digit(*at);
}

static int read_line(struct domains *domains)
{
	const char *at = domains->line.text + kh_list_indent(&domains->line),
		   *end = domains->line.text + domains->line.length;
	int result;

	while (end > at && kh_is_blank(end[-1]))
		end--;
	switch (kind_of(at, end)) {
	case KIND_DNSMASQ:
		return read_dnsmasq(domains, at, end);
	case KIND_UNBOUND:
		return read_unbound(domains, at, end);
	case KIND_ADBLOCK:
		return read_adblock(domains, at, end);
	case KIND_RPZ:
		result = read_rpz(domains, at, end, false);
		return result < 0 ? result : 0;
	case KIND_EXCEPTION:
		domains->exceptions++;
		return 0;
	case KIND_EMPTY:
	case KIND_FRAME:
		return 0;
	case KIND_NONE:
		break;
	}
	return is_zone_head(at, end) ? 0 : other(domains);
}

int kh_domains_recognise(const struct kh_input *input)
{
	size_t mine = 0, all = 0;
	struct kh_lines lines;
	struct kh_line line;

	kh_lines_init(&lines, input->text, input->length);
	while (all < SAMPLE_LINES && kh_lines_next(&lines, &line) == 1) {
		const char *at = line.text + kh_list_indent(&line), *end = line.text + line.length;
		enum kind kind = kind_of(at, end);

		if (kind == KIND_EMPTY || kind == KIND_FRAME)
			continue;
		all++;
		mine += kind != KIND_NONE;
	}
	return mine && mine * 10 >= all * 6;
}

int kh_domains_read(const struct kh_input *input, struct kh_collector *collector)
{
	struct domains domains = { .collector = collector };
	struct kh_lines lines;
	int result, code = 0;

	kh_lines_init(&lines, input->text, input->length);
	while (!code && (result = kh_lines_next(&lines, &domains.line)) == 1)
		code = read_line(&domains);
	if (code)
		return code;
	if (result)
		return kh_fail_long_line(input, &domains.line, collector->error);
	if (domains.others)
		code = kh_collect_note(collector, _("lines without a value: %zu, the first is line %zu"),
				       domains.others, domains.first_other);
	if (!code && domains.exceptions)
		code = kh_collect_note(collector,
				       _("exceptions of the list (names that it does not block), not taken: %zu"),
				       domains.exceptions);
	return code;
}
