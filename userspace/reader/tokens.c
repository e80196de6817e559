// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds what could be a value on a refanged line: addresses, host names, URLs, look-alikes, CVE numbers, hashes.
 * It knows nothing about the document; whether a value is an order is decided by how it stands (shape.c, context.c).
 */
#include "reader/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

void kh_scan(struct kh_scanner *scanner, const struct kh_clean *line, enum kh_doubt doubt)
{
	*scanner = (struct kh_scanner){ .line = line, .doubt = doubt };
	for (size_t i = 0; doubt == KH_MEANT && i < line->length && !scanner->wide; i++)
		scanner->wide = line->text[i] & 0x80;
}

void kh_token_clear(struct kh_token *token)
{
	kh_indicator_clear(&token->indicator);
	*token = (struct kh_token){ 0 };
}

/* Letters, digits, '.', '-', '_': the run that a name, number or version stands in. */
static size_t name_run(const char *text, size_t at)
{
	size_t used = 0;

	while (kh_is_alnum(text[at + used]) || text[at + used] == '_' || text[at + used] == '-' ||
	       text[at + used] == '.')
		used++;
	return used;
}

/* Can a value begin here? Not inside a word, a version behind a name ("Chrome/51.0.2704.103"), or a path. */
static bool starts(const char *text, size_t at, enum kh_doubt doubt)
{
	char before = at ? text[at - 1] : ' ', before2 = at > 1 ? text[at - 2] : ' ';

	if (!kh_is_alnum(text[at]) && text[at] != '[' && text[at] != ':' &&
	    !(text[at] == '_' && doubt == KH_MEANT && kh_is_alnum(text[at + 1])))
		return false;
	if (kh_is_word(before))
		return false;
	if (before == '/' || before == '\\' || before == '.' || before == '-')
		return !kh_is_word(before2) && before2 != ':';
	return before != ':' || text[at] != ':';
}

/* Marks the token, and gives back 1 for the scanner. */
static int found(struct kh_scanner *scanner, enum kh_token_kind kind, size_t start, size_t end, struct kh_token *token)
{
	token->kind = kind;
	token->start = start;
	token->end = end;
	token->defanged = false;
	for (size_t i = start; i < end; i++)
		token->defanged = token->defanged || (scanner->line->origin[i] & KH_DEFANGED);
	scanner->at = end;
	return 1;
}

static int found_malformed(struct kh_scanner *scanner, size_t start, size_t end, struct kh_token *token)
{
	*token = (struct kh_token){ .indicator = { .type = KH_TYPE_UNKNOWN } };
	token->indicator.text = strndup(scanner->line->text + start, end - start);
	if (!token->indicator.text)
		return -ENOMEM;
	return found(scanner, KH_TOKEN_MALFORMED, start, end, token);
}

/* A name or URL: the model brings it to its canonical form. 1, 0 (not one after all), -ENOMEM. */
static int found_named(struct kh_scanner *scanner, const char *scheme, size_t start, size_t end, struct kh_token *token)
{
	size_t prefix = strlen(scheme), length = end - start;
	char *text KH_CLEANUP(kh_freep) = malloc(prefix + length + 1);
	struct kh_indicator indicator = { 0 };
	int result;

	if (!text)
		return -ENOMEM;
	memcpy(text, scheme, prefix);
	memcpy(text + prefix, scanner->line->text + start, length);
	text[prefix + length] = '\0';
	result = kh_indicator_parse(text, &indicator, NULL);
	if (result == -ENOMEM)
		return result;
	if (result == 0 && indicator.type != KH_TYPE_DOMAIN && indicator.type != KH_TYPE_URL)
		kh_indicator_clear(&indicator);
	else if (result == 0) {
		*token = (struct kh_token){ .indicator = indicator };
		return found(scanner, KH_TOKEN_VALUE, start, end, token);
	}
	return 0;
}

/* ---- URLs --------------------------------------------------------------------------------------- */

/* In a list a comma ends the column; in prose it may be part of the link. */
static size_t url_end(const char *text, size_t at, enum kh_doubt doubt)
{
	size_t end = at;

	while (text[end] && !kh_is_blank(text[end]) && !strchr("<>\"'`|{}", text[end]) &&
	       (text[end] != ',' || doubt != KH_MEANT) && strncmp(text + end, "](", 2) != 0)
		end++;
	while (end > at && strchr(".,;:!?)]*", text[end - 1]))
		end--;
	return end;
}

static size_t scheme_length(const char *text, size_t at)
{
	size_t used = 0;

	while (used < 12 && (kh_is_alnum(text[at + used]) || text[at + used] == '+'))
		used++;
	return used >= 2 && kh_is_letter(text[at]) && strncmp(text + at + used, "://", 3) == 0 ? used + 3 : 0;
}

/* "tcp://203.0.113.7:443" is the address and port, not a page. */
static bool transport_address(const char *text, size_t at, size_t scheme, size_t end, struct kh_value *ret_value)
{
	bool tcp = strncmp(text + at, "tcp", 3) == 0, udp = strncmp(text + at, "udp", 3) == 0;

	if (scheme != 6 || (!tcp && !udp) || kh_value_read(text, at + scheme, ret_value) != KH_FORM_VALUE)
		return false;
	if (ret_value->end + (text[ret_value->end] == '/') < end)
		return false;
	if (ret_value->indicator.type == KH_TYPE_ADDRESS_PORT)
		ret_value->indicator.protocol = tcp ? 6 : 17;
	return true;
}

/* A host in brackets is an IPv6 address, or a word for the reader to fill in: "http://[domain]/". */
static bool is_host(const char *text, size_t at)
{
	struct kh_value value;
	enum kh_form form;

	if (text[at] != '[')
		return kh_is_alnum(text[at]) || text[at] == '_' || (text[at] & 0x80);
	form = kh_value_read(text, at, &value);
	return form == KH_FORM_VALUE || form == KH_FORM_URL;
}

static int read_url(struct kh_scanner *scanner, size_t at, struct kh_token *token)
{
	const char *text = scanner->line->text;
	size_t scheme = scheme_length(text, at), end;
	struct kh_value value;
	int result;

	if (!scheme)
		return 0;
	end = url_end(text, at + scheme, scanner->doubt);
	if (transport_address(text, at, scheme, end, &value)) {
		*token = (struct kh_token){ .indicator = value.indicator };
		return found(scanner, KH_TOKEN_VALUE, at, end, token);
	}
	result = end > at + scheme && is_host(text, at + scheme) ? found_named(scanner, "", at, end, token) : 0;
	if (result == 0)
		scanner->at = end; /* the host of a link that is none is not a value of its own */
	return result == 0 ? -EAGAIN : result;
}

/* "c2.example/gate.php", "203.0.113.7/gate.php": a URL that left out its scheme. */
static int read_bare_url(struct kh_scanner *scanner, size_t at, struct kh_token *token)
{
	size_t end = url_end(scanner->line->text, at, scanner->doubt);
	int result = found_named(scanner, "http://", at, end, token);

	if (result == 0)
		scanner->at = end; /* so that a long path is not searched from each of its parts */
	return result == 0 ? -EAGAIN : result;
}

/* ---- CVE numbers and hashes --------------------------------------------------------------------- */

static size_t cve_length(const char *text, size_t at)
{
	size_t used = 4, sequence = 0;

	for (size_t i = 0; i < 4; i++) {
		if (kh_lower(text[at + i]) != "cve-"[i])
			return 0;
	}
	for (; used < 8; used++) {
		if (!kh_is_digit(text[at + used]))
			return 0;
	}
	if (text[at + used++] != '-')
		return 0;
	for (; kh_is_digit(text[at + used]); used++)
		sequence++;
	return sequence >= 4 && sequence <= 7 && !kh_is_word(text[at + used]) ? used : 0;
}

static size_t hash_length(const char *text, size_t at)
{
	size_t used = 0, digits = 0;

	for (; kh_is_hex(text[at + used]); used++)
		digits += kh_is_digit(text[at + used]);
	return (used == 32 || used == 40 || used == 64) && digits && !kh_is_word(text[at + used]) ? used : 0;
}

/* ---- Addresses and names ------------------------------------------------------------------------ */

static int read_address(struct kh_scanner *scanner, size_t at, struct kh_token *token)
{
	const char *text = scanner->line->text;
	struct kh_value value;

	switch (kh_value_read(text, at, &value)) {
	case KH_FORM_VALUE:
		break;
	case KH_FORM_MALFORMED:
		return found_malformed(scanner, at, value.end, token);
	case KH_FORM_URL:
		return read_bare_url(scanner, at, token);
	default:
		return 0;
	}
	if (at && text[at - 1] == '@') /* bob@[192.0.2.1] and the like */
		return 0;
	if (value.more_ports) {
		scanner->address = value.address;
		scanner->address_start = at;
		scanner->more_ports = value.more_ports;
	}
	*token = (struct kh_token){ .indicator = value.indicator, .host_bits = value.host_bits };
	return found(scanner, KH_TOKEN_VALUE, at, value.end, token);
}

/* Colons and hex digits that could be IPv6; in doubt "ab::cd" is a name in a program. */
static bool may_be_address6(const char *text, size_t at, enum kh_doubt doubt)
{
	size_t used = text[at] == '[', colons = 0, digits = 0, hex = 0;

	if (at && text[at - 1] == ':')
		return false;
	for (; used < 64 && (kh_is_hex(text[at + used]) || text[at + used] == ':' || text[at + used] == '.'); used++) {
		colons += text[at + used] == ':';
		digits += kh_is_digit(text[at + used]);
		hex += kh_is_hex(text[at + used]);
	}
	return colons >= 2 && (doubt == KH_MEANT || (digits >= 1 && hex >= 4));
}

static bool defanged_within(const struct kh_clean *line, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++) {
		if (line->origin[i] & KH_DEFANGED)
			return true;
	}
	return false;
}

/* "truc@giamsat.example", also with blanks round the '@'. */
static bool is_mail_host(const char *text, size_t at)
{
	size_t least = at > 2 ? at - 2 : 0;

	while (at > least && text[at - 1] == ' ')
		at--;
	return at && text[at - 1] == '@';
}

/* A host name; the run is left behind when it is a mail address, a path or a file. */
static int read_name(struct kh_scanner *scanner, size_t at, size_t run, struct kh_token *token)
{
	const char *text = scanner->line->text;
	size_t length = run, end;
	char after;
	enum kh_doubt doubt;

	while (length && (text[at + length - 1] == '.' || text[at + length - 1] == '-'))
		length--;
	end = at + length;
	after = text[end];
	doubt = defanged_within(scanner->line, at, end) ? KH_MEANT : scanner->doubt;
	if (is_mail_host(text, at) || (after == '@' && kh_is_alnum(text[end + 1])) || (after & 0x80))
		return 0;
	if (after == '\\' || !kh_domain_plausible(text + at, length, doubt))
		return 0;
	if (after == '/' && text[end + 1] && !kh_is_blank(text[end + 1]))
		return read_bare_url(scanner, at, token);
	if (after == ':' && kh_is_digit(text[end + 1])) {
		uint16_t port;
		uint8_t protocol;
		size_t used = kh_port_read(text, end + 1, &port, &protocol);

		if (used && text[end + 1 + used] == '/' && !kh_is_blank(text[end + 2 + used]))
			return read_bare_url(scanner, at, token);
	}
	return found_named(scanner, "", at, end, token);
}

/* One more port of the address before. */
static int next_port(struct kh_scanner *scanner, struct kh_token *token)
{
	const char *text = scanner->line->text;
	struct kh_indicator indicator = { .type = KH_TYPE_ADDRESS_PORT, .range = scanner->address };
	size_t at = scanner->more_ports, used = kh_port_read(text, at, &indicator.port, &indicator.protocol);

	scanner->more_ports = 0;
	if (!used)
		return 0;
	scanner->more_ports = kh_port_next(text, at + used);
	*token = (struct kh_token){ .indicator = indicator };
	return found(scanner, KH_TOKEN_VALUE, scanner->address_start, at + used, token);
}

static int read_at(struct kh_scanner *scanner, size_t at, size_t run, struct kh_token *token)
{
	const char *text = scanner->line->text;
	size_t used = cve_length(text, at);
	int result;

	if (used) {
		*token = (struct kh_token){ 0 };
		return found(scanner, KH_TOKEN_CVE, at, at + used, token);
	}
	result = read_url(scanner, at, token);
	if (result)
		return result;
	if (run >= 3 && memchr(text + at, '.', run)) {
		result = read_name(scanner, at, run, token);
		if (result)
			return result;
	}
	used = hash_length(text, at);
	if (used) {
		*token = (struct kh_token){ 0 };
		return found(scanner, KH_TOKEN_HASH, at, at + used, token);
	}
	if (kh_is_digit(text[at]) || may_be_address6(text, at, scanner->doubt))
		return read_address(scanner, at, token);
	return 0;
}

/* "tênmiền.vn" where names are meant. */
static int read_wide(struct kh_scanner *scanner, size_t at, struct kh_token *token)
{
	struct kh_indicator indicator = {};
	size_t end = 0;
	int result = kh_name_scan(scanner->line->text, at, &indicator, &end);

	if (result <= 0)
		return result;
	*token = (struct kh_token){ .indicator = indicator };
	return found(scanner, KH_TOKEN_VALUE, at, end, token);
}

int kh_scan_next(struct kh_scanner *scanner, struct kh_token *ret_token)
{
	const char *text = scanner->line->text;
	int result;

	if (scanner->more_ports) {
		result = next_port(scanner, ret_token);
		if (result)
			return result;
	}
	while (scanner->at < scanner->line->length) {
		size_t at = scanner->at, run;

		result = scanner->wide ? read_wide(scanner, at, ret_token) : 0;
		if (result)
			return result;
		if (!starts(text, at, scanner->doubt)) {
			scanner->at++;
			continue;
		}
		run = name_run(text, at);
		result = read_at(scanner, at, run, ret_token);
		if (result && result != -EAGAIN)
			return result;
		if (!result)
			scanner->at = at + (run ? run : 1);
	}
	return 0;
}

int kh_tokens_read(struct kh_tokens *tokens, const struct kh_clean *line, enum kh_doubt doubt)
{
	struct kh_scanner scanner;
	int result;

	kh_tokens_clear(tokens);
	kh_scan(&scanner, line, doubt);
	for (;;) {
		result = kh_grow(&tokens->list, &tokens->capacity, tokens->count + 1, sizeof(*tokens->list));
		if (result)
			return result;
		result = kh_scan_next(&scanner, &tokens->list[tokens->count]);
		if (result <= 0)
			return result;
		tokens->count++;
	}
}

bool kh_token_is_wildcard(const struct kh_clean *line, const struct kh_token *token)
{
	size_t start = token->start;

	return start >= 2 && line->text[start - 1] == '.' && line->text[start - 2] == '*' &&
	       (start == 2 || !kh_is_word(line->text[start - 3]));
}

void kh_tokens_clear(struct kh_tokens *tokens)
{
	for (size_t i = 0; i < tokens->count; i++)
		kh_token_clear(&tokens->list[i]);
	tokens->count = 0;
}

void kh_tokens_free(struct kh_tokens *tokens)
{
	kh_tokens_clear(tokens);
	free(tokens->list);
	*tokens = (struct kh_tokens){ 0 };
}
