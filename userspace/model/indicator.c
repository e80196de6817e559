// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Indicators in canonical text and back.
 */
#include "model/indicator.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

#define DOMAIN_MAX 253 /* RFC 1035 2.3.4 */
#define LABEL_MAX 63
#define URL_MAX 2048

static const char *const names[] = {
#define X(symbol, name) [symbol] = name,
	KH_INDICATOR_TYPES(X)
#undef X
};

void kh_indicator_clear(struct kh_indicator *indicator)
{
	free(indicator->text);
	memset(indicator, 0, sizeof(*indicator));
}

int kh_indicator_copy(struct kh_indicator *ret_copy, const struct kh_indicator *indicator)
{
	char *text = indicator->text ? strdup(indicator->text) : NULL;

	if (indicator->text && !text)
		return -ENOMEM;
	*ret_copy = *indicator;
	ret_copy->text = text;
	return 0;
}

const char *kh_indicator_type_name(enum kh_indicator_type type)
{
	return (unsigned int)type < KH_TYPE_COUNT ? names[type] : "";
}

int kh_indicator_type_from_name(const char *name, enum kh_indicator_type *ret_type)
{
	for (size_t i = 0; i < KH_ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name))
			continue;
		*ret_type = (enum kh_indicator_type)i;
		return 0;
	}
	return -EINVAL;
}

char *kh_indicator_format(const struct kh_indicator *indicator)
{
	char range[KH_RANGE_TEXT], *text = NULL;
	const char *protocol = indicator->protocol == IPPROTO_TCP   ? "/tcp"
			       : indicator->protocol == IPPROTO_UDP ? "/udp"
								    : "";

	if (indicator->text && indicator->subdomains)
		return asprintf(&text, "*.%s", indicator->text) < 0 ? NULL : text;
	if (indicator->text)
		return strdup(indicator->text);
	kh_range_format(&indicator->range, range);
	if (indicator->type != KH_TYPE_ADDRESS_PORT)
		return strdup(range);
	if (asprintf(&text, indicator->range.family == 6 ? "[%s]:%u%s" : "%s:%u%s", range, indicator->port, protocol) <
	    0)
		return NULL;
	return text;
}

int kh_indicator_compare(const struct kh_indicator *a, const struct kh_indicator *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->text && b->text && (strcmp(a->text, b->text) || a->subdomains == b->subdomains))
		return strcmp(a->text, b->text);
	if (a->text || b->text)
		return a->subdomains - b->subdomains;
	if (kh_range_compare(&a->range, &b->range))
		return kh_range_compare(&a->range, &b->range);
	return a->port != b->port ? a->port - b->port : a->protocol - b->protocol;
}

bool kh_indicator_enforceable(const struct kh_indicator *indicator)
{
	return indicator->type == KH_TYPE_ADDRESS || indicator->type == KH_TYPE_PREFIX ||
	       indicator->type == KH_TYPE_RANGE || indicator->type == KH_TYPE_ADDRESS_PORT;
}

static enum kh_indicator_type type_of(const struct kh_range *range)
{
	int length = kh_range_prefix_length(range);

	if (range->first == range->last)
		return KH_TYPE_ADDRESS;
	return length < 0 ? KH_TYPE_RANGE : KH_TYPE_PREFIX;
}

struct kh_indicator kh_indicator_of_range(const struct kh_range *range)
{
	return (struct kh_indicator){ .range = *range, .type = type_of(range) };
}

/* ":443", ":443/tcp" after an address. */
static int parse_port(const char *text, uint16_t *ret_port, uint8_t *ret_protocol)
{
	char digits[8];
	size_t length = strcspn(text, "/");
	int64_t port;
	uint8_t protocol = 0;

	if (!length || length >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, length);
	digits[length] = '\0';
	if (digits[0] == '0' || kh_number_parse(digits, 1, 65535, &port) < 0)
		return -EINVAL;
	if (text[length] == '/') {
		if (!strcasecmp(text + length + 1, "tcp"))
			protocol = IPPROTO_TCP;
		else if (!strcasecmp(text + length + 1, "udp"))
			protocol = IPPROTO_UDP;
		else
			return -EINVAL;
	}
	*ret_port = (uint16_t)port;
	*ret_protocol = protocol;
	return 0;
}

static int parse_address_port(const char *text, struct kh_indicator *indicator)
{
	const char *end, *colon;
	struct kh_range address;
	int code;

	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || end[1] != ':')
			return -EINVAL;
		colon = end + 1;
		code = kh_address_parse(text + 1, (size_t)(end - text - 1), &address);
		if (!code && address.family != 6)
			return -EINVAL;
	} else {
		colon = strchr(text, ':');
		if (!colon)
			return -EINVAL;
		code = kh_address_parse(text, (size_t)(colon - text), &address);
	}
	if (code < 0 || parse_port(colon + 1, &indicator->port, &indicator->protocol) < 0)
		return -EINVAL;
	indicator->type = KH_TYPE_ADDRESS_PORT;
	indicator->range = address;
	return 0;
}

static bool is_domain(const char *text, size_t length)
{
	size_t label = 0, labels = 1, letters = 0;

	if (!length || length > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '.') {
			if (!label || text[i - 1] == '-')
				return false;
			label = 0;
			labels++;
			letters = 0;
			continue;
		}
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		      (c == '-' && label)))
			return false;
		letters += c > '9';
		if (++label > LABEL_MAX)
			return false;
	}
	return label && labels > 1 && letters && text[length - 1] != '-'; /* the last label is not a number */
}

static char *lower(const char *text, size_t length)
{
	char *copy = strndup(text, length);

	for (char *at = copy; at && *at; at++)
		*at = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
	return copy;
}

/* "scheme://host..." with the scheme and the host in lower case. */
static int parse_url(const char *text, struct kh_indicator *indicator)
{
	const char *host = strstr(text, "://");
	size_t length = strlen(text), fixed;
	char *url;

	if (!host || host == text || length > URL_MAX || kh_utf8_check(text, length) < length)
		return -EINVAL;
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return -EINVAL;
	for (const char *at = text; at < host; at++)
		if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
		      *at == '+' || *at == '-' || *at == '.'))
			return -EINVAL;
	host += 3;
	fixed = (size_t)(host - text) + strcspn(host, "/?#");
	if (fixed == (size_t)(host - text))
		return -EINVAL;
	url = strdup(text);
	if (!url)
		return -ENOMEM;
	for (size_t i = 0; i < fixed; i++)
		url[i] = (char)(url[i] >= 'A' && url[i] <= 'Z' ? url[i] + ('a' - 'A') : url[i]);
	indicator->type = KH_TYPE_URL;
	indicator->text = url;
	return 0;
}

static int parse_name(const char *text, struct kh_indicator *indicator)
{
	size_t length = strlen(text);

	if (strstr(text, "://"))
		return parse_url(text, indicator);
	if (strncmp(text, "*.", 2) == 0) {
		indicator->subdomains = true;
		text += 2;
		length -= 2;
	}
	if (length > 1 && text[length - 1] == '.') /* the root's dot */
		length--;
	if (!is_domain(text, length))
		return -EINVAL;
	indicator->type = KH_TYPE_DOMAIN;
	indicator->text = lower(text, length);
	return indicator->text ? 0 : -ENOMEM;
}

static int parse_range(const char *text, struct kh_indicator *indicator)
{
	enum kh_host_bits host_bits = KH_HOST_BITS_NONE;
	size_t length = strlen(text);
	struct kh_range range;
	int code = strchr(text, '/') ? kh_prefix_parse(text, length, &range, &host_bits)
				     : kh_range_parse(text, length, &range);

	if (code < 0)
		return code;
	indicator->range = range;
	indicator->type = type_of(&range);
	return host_bits == KH_HOST_BITS_SET ? -EDOM : 0;
}

int kh_indicator_parse(const char *text, struct kh_indicator *ret_indicator, struct kh_error *error)
{
	struct kh_indicator indicator = {};
	char shown[128];
	int code = parse_range(text, &indicator);

	if (code == -EINVAL)
		code = parse_address_port(text, &indicator);
	if (code == -EINVAL)
		code = parse_name(text, &indicator);
	if (!code || code == -EDOM) {
		*ret_indicator = indicator;
		return code == -EDOM ? kh_fail(error, code, _("%s has bits set beyond its length"), text) : 0;
	}
	if (code == -ENOMEM)
		return kh_fail(error, code, _("out of memory"));
	snprintf(shown, sizeof(shown), "%s", text);
	kh_text_printable(shown);
	kh_fail(error, -EINVAL, _("\"%s\" is not an address, a prefix, a range, an address with port, or a domain"),
		shown);
	kh_hint(error,
		_("write 203.0.113.7, 203.0.113.0/24, 203.0.113.1-203.0.113.9, 203.0.113.7:443/tcp or [2001:db8::1]:443"));
	return -EINVAL;
}
