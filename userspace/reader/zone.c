// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Response policy zones (draft-vixie-dnsop-dns-rpz-00): "a CNAME ." and the like. What is blocked is what is answered with nothing, or with an answer of the zone's
 * own; triggers about clients and name servers are none of a block at a gateway.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "reader/domains.h"

/* ---- Rows ---------------------------------------------------------------------------------------------- */

struct record {
	struct kh_field owner, type, data; /* owner.length 0: that of the row before */
};

/* "owner [TTL] [class] type data", the owner left out when the row begins blank. */
static struct record record_of(const char *at, const char *end)
{
	struct record record = {};
	bool blank = at < end && kh_is_blank(*at);

	if (!blank)
		record.owner = kh_field_next(&at, end);
	record.type = kh_field_next(&at, end);
	while (record.type.length && (kh_field_is(&record.type, "IN") || kh_is_digit(*record.type.text)))
		record.type = kh_field_next(&at, end);
	record.data = kh_field_next(&at, end);
	if (record.data.length && *record.data.text == ';')
		record.data.length = 0;
	return record;
}

static bool is_data(const struct kh_field *type)
{
	return kh_field_is(type, "A") || kh_field_is(type, "AAAA");
}

static bool is_frame(const struct kh_field *type)
{
	static const char *const types[] = { "SOA", "NS", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(types); i++)
		if (kh_field_is(type, types[i]))
			return true;
	return false;
}

static bool holds(const char *at, const char *end, char c)
{
	const char *remark = memchr(at, ';', (size_t)(end - at));

	end = remark ? remark : end;
	return memchr(at, c, (size_t)(end - at)) != NULL;
}

/* Does the row belong to one that parentheses hold open? */
static bool goes_on(const char *at, const char *end, bool *inside)
{
	bool was = *inside;

	if (was)
		*inside = !holds(at, end, ')');
	return was;
}

enum kh_record kh_zone_look(const struct kh_line *line, bool *inside)
{
	const char *at = line->text, *end = at + line->length;
	struct record record = record_of(at, end);

	if (goes_on(at, end, inside))
		return KH_RECORD_FRAME;
	if (at < end && *at == '$')
		return KH_RECORD_FRAME;
	if (is_frame(&record.type)) {
		*inside = holds(at, end, '(') && !holds(at, end, ')');
		return KH_RECORD_FRAME;
	}
	if (!record.data.length)
		return KH_RECORD_NONE;
	if (kh_field_is(&record.type, "CNAME"))
		return KH_RECORD_POLICY;
	return is_data(&record.type) ? KH_RECORD_DATA : KH_RECORD_NONE;
}

/* ---- Names ---------------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, size_t length, const char *tail)
{
	size_t size = strlen(tail);

	return length > size && !strcasecmp(name + length - size, tail);
}

/* The whole name, without its last dot; `into` has KH_ZONE_NAME_MAX bytes. false: too long. */
static bool complete(const struct kh_zone *zone, struct kh_field name, char *into)
{
	bool absolute = name.length && name.text[name.length - 1] == '.', alone = !zone->has_origin || !*zone->origin;
	int used;

	if (name.length == 1 && *name.text == '@')
		used = snprintf(into, KH_ZONE_NAME_MAX, "%s", zone->origin);
	else if (name.length >= KH_ZONE_NAME_MAX)
		return false;
	else
		used = snprintf(into, KH_ZONE_NAME_MAX, "%.*s%s%s", (int)(name.length - absolute), name.text,
				absolute || alone ? "" : ".", absolute || alone ? "" : zone->origin);
	return used >= 0 && (size_t)used < KH_ZONE_NAME_MAX;
}

/* Takes the zone's own name from the end: what is left is asked for. */
static void strip(const struct kh_zone *zone, char *name)
{
	size_t length = strlen(name), size = strlen(zone->name);

	if (!size || length < size || strcasecmp(name + length - size, zone->name) != 0)
		return;
	if (length == size)
		*name = '\0';
	else if (name[length - size - 1] == '.')
		name[length - size - 1] = '\0';
}

static void set_origin(struct kh_zone *zone, const char *at, const char *end)
{
	char name[KH_ZONE_NAME_MAX] = "";
	struct kh_field field;

	kh_field_next(&at, end); /* $ORIGIN */
	field = kh_field_next(&at, end);
	if (!field.length || !complete(zone, field, name))
		return;
	memcpy(zone->origin, name, sizeof(name));
	zone->has_origin = true;
	if (!*zone->name)
		memcpy(zone->name, name, sizeof(name));
}

/* The start of authority stands at the zone's own name. */
static void set_zone(struct kh_zone *zone, const struct record *record)
{
	char name[KH_ZONE_NAME_MAX] = "";

	if (kh_field_is(&record->type, "SOA") && record->owner.length && complete(zone, record->owner, name) && *name)
		memcpy(zone->name, name, sizeof(name));
}

/* ---- Policies ------------------------------------------------------------------------------------------- */

/* "24.0.113.0.203", "48.zz.1.db8.2001": the address backwards, its length before it. false: it is none. */
static bool read_address(const char *text, size_t length, struct kh_indicator *ret_indicator)
{
	char forward[128] = "", copy[128], *parts[12] = {}, *save = NULL;
	size_t count = 0, used = 0;
	bool v4;

	if (length >= sizeof(copy))
		return false;
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
	return count >= 3 && !kh_indicator_parse(forward, ret_indicator, NULL) &&
	       kh_indicator_enforceable(ret_indicator);
}

static int take_address(struct kh_domains *domains, const char *name, size_t length, struct kh_field raw)
{
	struct kh_indicator indicator = {};

	if (read_address(name, length, &indicator))
		return kh_domains_take_indicator(domains, &indicator, raw, false);
	kh_indicator_clear(&indicator);
	return kh_domains_other(domains);
}

static int take_trigger(struct kh_domains *domains, struct kh_field raw)
{
	static const char *const others[] = { ".rpz-client-ip", ".rpz-nsip", ".rpz-nsdname" };
	const char *name = domains->zone.owner;
	size_t length = strlen(name);
	bool wide = !strncmp(name, "*.", 2);

	for (size_t i = 0; i < KH_ARRAY_SIZE(others); i++) {
		if (!ends_with(name, length, others[i]))
			continue;
		if (!domains->gathering && !domains->triggers++)
			domains->first_trigger = (size_t)domains->line.number;
		return 0;
	}
	if (ends_with(name, length, ".rpz-ip"))
		return take_address(domains, name, length - strlen(".rpz-ip"), raw);
	return kh_domains_take(domains, (struct kh_field){ name, length }, wide, false);
}

/* Is the answer that of the name itself? "." is nothing, "*." is no data, an alias of another name an answer of the zone's own. */
static bool is_exempt(const struct kh_zone *zone, const struct kh_field *data)
{
	static const char *const passing[] = { "rpz-passthru", "rpz-tcp-only" };
	char target[KH_ZONE_NAME_MAX];

	for (size_t i = 0; i < KH_ARRAY_SIZE(passing); i++)
		if (data->length >= strlen(passing[i]) && !strncasecmp(data->text, passing[i], strlen(passing[i])))
			return true;
	if (!complete(zone, *data, target))
		return false;
	strip(zone, target);
	return *target && !strcasecmp(target, zone->owner);
}

static int read_policy(struct kh_domains *domains, const struct record *record, struct kh_field raw)
{
	const char *name = domains->zone.owner;
	bool wide = !strncmp(name, "*.", 2);

	if (!*name)
		return 0; /* of the zone itself */
	if (kh_field_is(&record->type, "CNAME") && is_exempt(&domains->zone, &record->data))
		return kh_domains_except(domains, (struct kh_field){ name + 2 * wide, strlen(name) - 2 * wide }, wide,
					 false);
	return take_trigger(domains, raw);
}

int kh_zone_read(struct kh_domains *domains, const char *at, const char *end)
{
	struct kh_zone *zone = &domains->zone;
	struct record record = record_of(at, end);

	if (goes_on(at, end, &zone->inside))
		return 0;
	if (*at == '$') {
		if (kh_field_is(&record.owner, "$ORIGIN"))
			set_origin(zone, at, end);
		return 0;
	}
	if (is_frame(&record.type)) {
		zone->inside = holds(at, end, '(') && !holds(at, end, ')');
		set_zone(zone, &record);
		return 0;
	}
	if (!record.data.length || (!kh_field_is(&record.type, "CNAME") && !is_data(&record.type)))
		return kh_domains_other(domains);
	if (record.owner.length) {
		if (!complete(zone, record.owner, zone->owner)) {
			*zone->owner = '\0';
			return kh_domains_other(domains);
		}
		strip(zone, zone->owner);
	}
	return read_policy(domains, &record, record.owner.length ? record.owner : record.data);
}
