/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between domains.c, dialects.c (dnsmasq, unbound, adblock), zone.c (response policy zones) and excepted.c. A list is read twice: what it says besides its blocks (exceptions, zones) is gathered
 * first, since it holds wherever it stands.
 */
#ifndef KHIEN_READER_DOMAINS_H
#define KHIEN_READER_DOMAINS_H

#include "reader/private.h"

/* ---- excepted.c: names, looked up by what is above and below them ------------------------------------------- */

struct kh_excepted {
	char *name; /* owned, lower case */
	bool below; /* said of what is below it (and of the name, where the dialect has no form for that alone) */
	bool inherits; /* holds for all below it, whatever is said of them */
};

struct kh_exceptions {
	struct kh_excepted *list;
	size_t count, capacity;
};

void kh_exceptions_clear(struct kh_exceptions *set);
int kh_exceptions_add(struct kh_exceptions *set, const char *name, bool below, bool inherits); /* 0 or -ENOMEM */
void kh_exceptions_sort(struct kh_exceptions *set); /* before it is asked */
/* Is it the name, or below one that inherits? */
bool kh_exceptions_cover(const struct kh_exceptions *set, const char *name);
/* Is the block of the name (`below`: and of all below it) taken back, as a whole or for a part? */
bool kh_exceptions_touch(const struct kh_exceptions *set, const char *name, bool below);

/* ---- domains.c ------------------------------------------------------------------------------------------------- */

#define KH_ZONE_NAME_MAX ((size_t)512)

struct kh_zone {
	char origin[KH_ZONE_NAME_MAX], name[KH_ZONE_NAME_MAX],
		owner[KH_ZONE_NAME_MAX]; /* without the last dot; "": not known */
	bool has_origin;
	bool inside; /* parentheses that a line before opened */
};

struct kh_domains {
	struct kh_collector *collector;
	struct kh_line line;
	bool gathering; /* the first of the two readings */
	struct kh_exceptions exceptions, zones; /* not blocked; blocked as a zone */
	struct kh_exceptions cancelled; /* whose rule is taken back */
	size_t excepted; /* lines */
	size_t others, first_other; /* lines that are none of these */
	size_t triggers, first_trigger; /* about something else than names and addresses asked for */
	struct kh_zone zone;
};

/* A field of a line: to the next blank. */
struct kh_field {
	const char *text;
	size_t length;
};

struct kh_field kh_field_next(const char **at, const char *end);
bool kh_field_is(const struct kh_field *field, const char *text); /* in any case of letters */

bool kh_field_is_one_of(const struct kh_field *field, const char *const *texts); /* NULL ends */

int kh_domains_other(struct kh_domains *domains);
/* A block of a name, or of an address in its place; `doubted`: it waits. 0, -ENOMEM, -EFBIG. */
int kh_domains_take(struct kh_domains *domains, struct kh_field name, bool subdomains, bool doubted);
int kh_domains_take_indicator(struct kh_domains *domains, struct kh_indicator *indicator, struct kh_field raw,
			      bool doubted);
/* The name is not blocked. */
int kh_domains_except(struct kh_domains *domains, struct kh_field name, bool below, bool inherits);

/* Puts the name into a set; what is no name says nothing. 0 or -ENOMEM. */
int kh_domains_gather(struct kh_exceptions *set, struct kh_field name, bool below, bool inherits);

/* ---- dialects.c: a line of each, without the blanks round it -------------------------------------------------- */

int kh_dnsmasq_read(struct kh_domains *domains, const char *at, const char *end);
int kh_unbound_read_zone(struct kh_domains *domains, const char *at, const char *end); /* after "local-zone:" */
int kh_unbound_read_data(struct kh_domains *domains, const char *at, const char *end); /* after "local-data:" */
int kh_adblock_read(struct kh_domains *domains, const char *at, const char *end);
int kh_adblock_read_exception(struct kh_domains *domains, const char *at, const char *end);

/* ---- zone.c ---------------------------------------------------------------------------------------------------- */

enum kh_record {
	KH_RECORD_NONE,
	KH_RECORD_FRAME, /* of the zone itself */
	KH_RECORD_POLICY, /* an alias: only policies have nothing else */
	KH_RECORD_DATA, /* addresses: as in any zone */
};

/* What the line is; *inside goes on from line to line. */
enum kh_record kh_zone_look(const struct kh_line *line, bool *inside);
int kh_zone_read(struct kh_domains *domains, const char *at, const char *end);

#endif
