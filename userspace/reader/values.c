// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses and what is written after them: prefix length, port, end of a range. Text is refanged and NUL-terminated.
 * Where a number could be read two ways, nothing is guessed: the form is malformed and a person decides.
 */
#include "reader/heed.h"

#include <string.h>

#include "common/address.h"

static bool word_goes_on(char c)
{
	return kh_is_alnum(c) || c == '_';
}

/* Up to six digits at text + at; their number. */
static size_t digits(const char *text, size_t at, unsigned *ret_number)
{
	size_t used = 0;

	*ret_number = 0;
	for (; used < 6 && kh_is_digit(text[at + used]); used++)
		*ret_number = *ret_number * 10 + (unsigned)(text[at + used] - '0');
	return kh_is_digit(text[at + used]) ? 0 : used;
}

static size_t blanks(const char *text, size_t at)
{
	size_t used = 0;

	while (text[at + used] == ' ' || text[at + used] == '\t')
		used++;
	return used;
}

static size_t protocol_read(const char *text, size_t at, uint8_t *ret_protocol)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = { { "tcp", 6 }, { "udp", 17 } };
	size_t start = text[at] == '/' ? at + 1 : at + blanks(text, at);

	*ret_protocol = 0;
	start += text[start] == '(';
	for (size_t i = 0; i < KH_ARRAY_SIZE(names) && start > at; i++) {
		size_t used = 0;

		while (names[i].name[used] && kh_lower(text[start + used]) == names[i].name[used])
			used++;
		if (names[i].name[used] || word_goes_on(text[start + used]))
			continue;
		*ret_protocol = names[i].number;
		used += text[start - 1] == '(' && text[start + used] == ')';
		return start + used - at;
	}
	return 0;
}

size_t kh_port_read(const char *text, size_t at, uint16_t *ret_port, uint8_t *ret_protocol)
{
	uint8_t protocol = 0;
	unsigned number;
	size_t used = digits(text, at, &number);

	if (!used || number < 1 || number > 65535)
		return 0;
	used += protocol_read(text, at + used, &protocol);
	if (word_goes_on(text[at + used]))
		return 0;
	*ret_port = (uint16_t)number;
	*ret_protocol = protocol;
	return used;
}

size_t kh_port_next(const char *text, size_t at)
{
	size_t next = at + blanks(text, at);
	unsigned number;

	if (text[next] != ',' && text[next] != ';' && text[next] != '/' && text[next] != '&')
		return 0;
	next++;
	next += blanks(text, next);
	if (!kh_is_digit(text[next]) || !digits(text, next, &number))
		return 0;
	at = next;
	while (kh_is_digit(text[at]))
		at++;
	return word_goes_on(text[at]) || (text[at] == '.' && kh_is_digit(text[at + 1])) || text[at] == ':' ? 0 : next;
}

/* "port", "cong", "cổng" in composed or decomposed letters; bytes used, or 0. */
static size_t port_word(const char *text, size_t at)
{
	static const char *const words[] = { "ports", "port", "cổng", "cổng", "Cổng", "Cổng", "cong", "tcp", "udp" };

	for (size_t i = 0; i < KH_ARRAY_SIZE(words); i++) {
		size_t used = 0;

		while (words[i][used] && kh_lower(text[at + used]) == kh_lower(words[i][used]))
			used++;
		if (!words[i][used] && !kh_is_letter(text[at + used]))
			return used;
	}
	return 0;
}

/* " port 443", ", cổng: 443", " (port 443)"; where the number starts, or 0. */
static size_t spelled_port(const char *text, size_t at)
{
	size_t next = at + blanks(text, at), word;

	if (text[next] == ',' || text[next] == '(' || text[next] == ':' || text[next] == '|')
		next++;
	next += blanks(text, next);
	word = port_word(text, next);
	if (!word || next == at)
		return 0;
	next += word + blanks(text, next + word);
	if (text[next] == ':' || text[next] == '=' || text[next] == '/')
		next++;
	next += blanks(text, next);
	return kh_is_digit(text[next]) ? next : 0;
}

static void set_address(struct kh_value *value, enum kh_indicator_type type, size_t end)
{
	value->indicator = (struct kh_indicator){ .type = type, .range = value->address };
	value->end = end;
}

static enum kh_form set_port(const char *text, size_t at, struct kh_value *value)
{
	size_t used = kh_port_read(text, at, &value->indicator.port, &value->indicator.protocol);

	if (!used)
		return KH_FORM_NONE;
	value->indicator.type = KH_TYPE_ADDRESS_PORT;
	value->end = at + used;
	return KH_FORM_VALUE;
}

/* Everything after the address that is not blank. */
static size_t word_end(const char *text, size_t at)
{
	while (text[at] && !kh_is_blank(text[at]) && !strchr(",;|()[]<>\"'", text[at]))
		at++;
	return at;
}

static enum kh_form malformed(const char *text, struct kh_value *value)
{
	value->end = word_end(text, value->end);
	while (strchr(".:-", text[value->end - 1]))
		value->end--;
	return KH_FORM_MALFORMED;
}

static struct kh_range unmapped(struct kh_range range);
static size_t address_run(const char *text, size_t at, struct kh_range *ret_address);

/* "/24", "/gate.php", "/" */
static enum kh_form after_slash(const char *text, size_t start, struct kh_value *value)
{
	size_t at = value->end + 1, used;
	enum kh_host_bits host_bits;
	unsigned number;

	if (!text[at] || kh_is_blank(text[at]) || strchr(",;|)\"'", text[at]))
		return KH_FORM_VALUE;
	used = digits(text, at, &number);
	if (!used || word_goes_on(text[at + used]))
		return kh_is_digit(text[at]) ? malformed(text, value) : KH_FORM_URL;
	if (text[at + used] == '/' || (text[at + used] == '.' && word_goes_on(text[at + used + 1])))
		return malformed(text, value);
	if (kh_prefix_parse(text + start, at + used - start, &value->indicator.range, &host_bits))
		return malformed(text, value);
	value->indicator.range = unmapped(value->indicator.range);
	value->indicator.type =
		value->indicator.range.first == value->indicator.range.last ? KH_TYPE_ADDRESS : KH_TYPE_PREFIX;
	value->host_bits = host_bits == KH_HOST_BITS_SET;
	value->end = at + used;
	return KH_FORM_VALUE;
}

/* " - 203.0.113.9"; "-9" is read as malformed: the last octet, or a remark? */
static enum kh_form after_dash(const char *text, struct kh_value *value)
{
	size_t at = value->end + blanks(text, value->end), dash = at, used;
	struct kh_range to;

	if (text[at] == '-')
		at++;
	else if (strncmp(text + at, "–", strlen("–")) == 0)
		at += strlen("–");
	else
		return KH_FORM_NONE;
	at += blanks(text, at);
	used = address_run(text, at, &to);
	if (!used)
		return dash == value->end && kh_is_digit(text[at]) ? malformed(text, value) : KH_FORM_NONE;
	value->end = at + used;
	if (to.family != value->address.family || to.first < value->address.first)
		return KH_FORM_MALFORMED;
	value->indicator.range.last = to.last;
	value->indicator.type = to.last == value->address.last			       ? KH_TYPE_ADDRESS
				: kh_range_prefix_length(&value->indicator.range) >= 0 ? KH_TYPE_PREFIX
										       : KH_TYPE_RANGE;
	return KH_FORM_VALUE;
}

/* ":443", "|443", "@80\": a port glued to the address. */
static enum kh_form after_glue(const char *text, struct kh_value *value)
{
	size_t at = value->end + 1, end;
	char glue = text[value->end];
	enum kh_form form;

	if (!kh_is_digit(text[at]))
		return KH_FORM_NONE;
	form = set_port(text, at, value);
	if (glue == '@' && (form == KH_FORM_NONE || text[value->end] != '\\')) {
		set_address(value, KH_TYPE_ADDRESS, at - 1);
		return KH_FORM_NONE;
	}
	if (form == KH_FORM_NONE)
		return glue == '|' ? KH_FORM_NONE : malformed(text, value);
	end = value->end;
	if (text[end] == '/' && text[end + 1] && !kh_is_blank(text[end + 1]))
		return KH_FORM_URL;
	if (text[end] == '.' && kh_is_digit(text[end + 1])) { /* "|443.5", ":80.1.2.3" */
		set_address(value, KH_TYPE_ADDRESS, at - 1);
		return glue == '|' ? KH_FORM_NONE : malformed(text, value);
	}
	if (text[end] != ',' || text[end + 1] == ' ') /* "ip:port,score" is a table, "ip:port, port" a list */
		value->more_ports = kh_port_next(text, end);
	return KH_FORM_VALUE;
}

static enum kh_form after_address(const char *text, size_t start, struct kh_value *value)
{
	enum kh_form form = KH_FORM_NONE;
	size_t port;

	switch (text[value->end]) {
	case '/':
		return after_slash(text, start, value);
	case ':':
	case '|':
	case '@':
		form = after_glue(text, value);
		break;
	default:
		form = after_dash(text, value);
	}
	if (form != KH_FORM_NONE)
		return form;
	port = spelled_port(text, value->end);
	if (port && set_port(text, port, value) == KH_FORM_VALUE)
		value->more_ports = kh_port_next(text, value->end);
	return KH_FORM_VALUE;
}

/* Digits and dots: how many numbers, and whether one could be an octet by its length. */
static size_t numbers(const char *text, size_t length, bool *ret_short)
{
	size_t count = 1, size = 0;

	*ret_short = true;
	for (size_t i = 0; i < length; i++) {
		size = text[i] == '.' ? 0 : size + 1;
		count += text[i] == '.';
		if (size > 3 || (text[i] == '.' && i + 1 < length && text[i + 1] == '.'))
			*ret_short = false;
	}
	return count;
}

static size_t run4(const char *text, size_t at)
{
	size_t length = 0;

	while (kh_is_digit(text[at + length]) || (text[at + length] == '.' && kh_is_digit(text[at + length + 1])))
		length++;
	return length;
}

#define RUN6_MAX 64 /* longer than any address: a run is not searched to its end again and again */

static size_t run6(const char *text, size_t at)
{
	size_t length = 0, colons = 0, hex = 0;

	for (; kh_is_hex(text[at + length]) || text[at + length] == ':' ||
	       (text[at + length] == '.' && kh_is_digit(text[at + length + 1]));
	     length++) {
		if (length > RUN6_MAX)
			return 0;
		colons += text[at + length] == ':';
		hex += kh_is_hex(text[at + length]);
	}
	while (length > 2 && text[at + length - 1] == ':' && text[at + length - 2] != ':') {
		length--;
		colons--;
	}
	return colons >= 2 && hex >= 1 ? length : 0;
}

/* Mapped addresses (::ffff:a.b.c.d, or ::ffff:0:0/96 and longer) are their IPv4 addresses: that is what stands in packets. */
static struct kh_range unmapped(struct kh_range range)
{
	if (range.family == 6 && range.first >> 32 == 0xffff && range.last >> 32 == 0xffff) {
		range.family = 4;
		range.first &= 0xffffffff;
		range.last &= 0xffffffff;
	}
	return range;
}

/* One address with nothing read after it; bytes used, or 0. */
static size_t address_run(const char *text, size_t at, struct kh_range *ret_address)
{
	size_t length = run6(text, at);

	if (!length || kh_address_parse(text + at, length, ret_address))
		length = run4(text, at);
	if (!length || word_goes_on(text[at + length]) || kh_address_parse(text + at, length, ret_address))
		return 0;
	*ret_address = unmapped(*ret_address);
	return length;
}

static enum kh_form bracketed6(const char *text, size_t at, struct kh_value *ret_value)
{
	size_t length = run6(text, at + 1);

	if (length && text[at + 1 + length] == '%' && word_goes_on(text[at + 2 + length])) {
		ret_value->end = at + 1 + length;
		ret_value->end = word_end(text, ret_value->end);
		ret_value->end += text[ret_value->end] == ']';
		return malformed(text, ret_value);
	}
	if (!length || text[at + 1 + length] != ']' || kh_address_parse(text + at + 1, length, &ret_value->address))
		return KH_FORM_NONE;
	set_address(ret_value, KH_TYPE_ADDRESS, at + length + 2);
	if (text[ret_value->end] != ':' || !kh_is_digit(text[ret_value->end + 1]))
		return KH_FORM_VALUE;
	return after_glue(text, ret_value);
}

enum kh_form kh_value_read(const char *text, size_t at, struct kh_value *ret_value)
{
	bool octets;
	size_t length, count;

	*ret_value = (struct kh_value){ 0 };
	if (text[at] == '[')
		return bracketed6(text, at, ret_value);
	length = address_run(text, at, &ret_value->address);
	if (length) {
		set_address(ret_value, KH_TYPE_ADDRESS, at + length);
		if (text[at + length] == '%' && word_goes_on(text[at + length + 1]) && memchr(text + at, ':', length))
			return malformed(text, ret_value); /* a zone id: not the bare address */
		return after_address(text, at, ret_value);
	}
	length = run4(text, at);
	count = length ? numbers(text + at, length, &octets) : 0;
	if (length && !word_goes_on(text[at + length]) && kh_glued_addresses(text + at, length)) {
		ret_value->end = at + length;
		return KH_FORM_MALFORMED;
	}
	if (count < 4 || count > 6 || !octets || word_goes_on(text[at + length]) || text[at + length] == '-')
		return KH_FORM_NONE;
	ret_value->end = at + length;
	return malformed(text, ret_value);
}
