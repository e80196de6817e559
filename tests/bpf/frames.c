// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames from text: see frames.h. Writes bytes by hand and knows nothing of the programs under test.
 */
#include "frames.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

struct builder {
	struct frame *frame;
	size_t type; /* where the two bytes of the EtherType or PPP protocol are, 0: none */
	size_t next; /* where the byte of the IP protocol is, 0: none */
	bool type_fixed, next_fixed, ppp, ppp_compressed;
	size_t pppoe; /* header, 0: none */
	size_t udp; /* header, 0: none */
	size_t padding;
	int version; /* of the IP header; 0: none yet */
	long total; /* what to write; with total_relative, what to add */
	bool total_set, total_relative;
	size_t cut;
	long cut_off;
};

static uint8_t *append(struct builder *builder, size_t size)
{
	struct frame *frame = builder->frame;
	uint8_t *at = frame->data + frame->length;

	assert_true(frame->length + size <= sizeof(frame->data));
	memset(at, 0, size);
	frame->length += size;
	return at;
}

static void put16(uint8_t *at, unsigned long value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The layer that begins now is of this EtherType. */
static void say_type(struct builder *builder, unsigned long type)
{
	if (!builder->type || builder->type_fixed)
		return;
	if (builder->ppp)
		type = type == 0x0800 ? 0x0021 : 0x0057;
	if (builder->ppp_compressed)
		builder->frame->data[builder->type] = (uint8_t)type;
	else
		put16(builder->frame->data + builder->type, type);
}

static void say_next(struct builder *builder, unsigned long protocol)
{
	if (builder->next && !builder->next_fixed)
		builder->frame->data[builder->next] = (uint8_t)protocol;
	builder->next_fixed = false;
}

static void add_ethernet(struct builder *builder)
{
	uint8_t *at = append(builder, 14);

	memcpy(at, "\x00\x00\x5e\x00\x53\x01", 6);
	memcpy(at + 6, FRAME_MAC, 6);
	builder->type = 12;
}

static void add_tag(struct builder *builder, unsigned long type)
{
	say_type(builder, type);
	put16(append(builder, 4), 0x0123);
	builder->type = builder->frame->length - 2;
	builder->type_fixed = false;
}

static void add_pppoe(struct builder *builder, const char *protocol, bool compressed)
{
	uint8_t *at;

	say_type(builder, 0x8864);
	builder->pppoe = builder->frame->length;
	at = append(builder, compressed ? 7 : 8);
	at[0] = 0x11;
	put16(at + 2, 0x4b48);
	builder->type = builder->pppoe + 6;
	builder->type_fixed = protocol != NULL;
	builder->ppp = true;
	builder->ppp_compressed = compressed;
	if (protocol)
		put16(at + 6, strtoul(protocol, NULL, 16));
}

static void add_network(struct builder *builder, const char *addresses, int version)
{
	char source[96], *destination;
	int family = version == 4 ? AF_INET : AF_INET6;
	uint8_t *at;

	say_type(builder, version == 4 ? 0x0800 : 0x86dd);
	builder->version = version;
	builder->frame->network = builder->frame->length;
	at = append(builder, version == 4 ? 20 : 40);
	snprintf(source, sizeof(source), "%s", addresses);
	destination = strchr(source, '>');
	assert_non_null(destination);
	*destination++ = '\0';
	at[0] = version == 4 ? 0x45 : 0x60;
	assert_int_equal(inet_pton(family, source, at + (version == 4 ? 12 : 8)), 1);
	assert_int_equal(inet_pton(family, destination, at + (version == 4 ? 16 : 24)), 1);
	at[version == 4 ? 8 : 7] = 64;
	builder->next = builder->frame->network + (version == 4 ? 9 : 6);
	at[version == 4 ? 9 : 6] = 253; /* for experiments: no transport follows unless a word says so */
}

static void add_options(struct builder *builder, unsigned long size)
{
	memset(append(builder, size), 1, size); /* no-operation */
	builder->frame->data[builder->frame->network] = (uint8_t)(0x45 + size / 4);
}

static void add_extension(struct builder *builder, unsigned long protocol, unsigned long units)
{
	uint8_t *at;

	say_next(builder, protocol);
	builder->next = builder->frame->length;
	at = append(builder, protocol == 51 ? (units + 3) * 4 : (units + 1) * 8);
	at[0] = 59;
	at[1] = (uint8_t)(protocol == 51 ? units + 1 : units);
}

static void add_fragment(struct builder *builder, const char *text)
{
	unsigned long offset = strtoul(text, NULL, 10);
	bool more = strchr(text, '+') != NULL;

	if (builder->version == 4) {
		put16(builder->frame->data + builder->frame->network + 6, offset | (more ? 0x2000 : 0));
		return;
	}
	add_extension(builder, 44, 0);
	put16(builder->frame->data + builder->frame->length - 6, offset << 3 | more);
}

static void add_transport(struct builder *builder, const char *ports, bool tcp)
{
	unsigned int source, destination, words = 5;
	uint8_t *at;

	assert_true(sscanf(ports, "%u>%u/%u", &source, &destination, &words) >= 2);
	say_next(builder, tcp ? 6 : 17);
	if (!tcp)
		builder->udp = builder->frame->length;
	at = append(builder, tcp ? 4u * words : 8);
	put16(at, source);
	put16(at + 2, destination);
	if (tcp)
		at[12] = (uint8_t)(words << 4);
	builder->frame->payload = builder->frame->length;
}

static void set_total(struct builder *builder, const char *text)
{
	builder->total_set = true;
	builder->total_relative = *text != '=';
	builder->total = strtol(*text == '=' ? text + 1 : text, NULL, 10);
}

static void set_nibble(struct builder *builder, unsigned long value, bool high)
{
	uint8_t *at = builder->frame->data + builder->frame->network;

	*at = high ? (uint8_t)((*at & 0x0f) | value << 4) : (uint8_t)((*at & 0xf0) | value);
}

static const struct {
	const char *name;
	uint8_t number;
	bool extension;
} protocols[] = {
	{ "hop", 0, true },   { "rt", 43, true },     { "ah", 51, true },   { "dst", 60, true },   { "mh", 135, true },
	{ "hip", 139, true }, { "shim", 140, true },  { "icmp", 1, false }, { "ipip", 4, false },  { "sit", 41, false },
	{ "gre", 47, false }, { "icmp6", 58, false }, { "esp", 50, false }, { "none", 59, false },
};

static bool add_protocol(struct builder *builder, const char *word, const char *value)
{
	size_t length = value ? (size_t)(value - word - 1) : strlen(word);

	for (size_t i = 0; i < KH_ARRAY_SIZE(protocols); i++) {
		if (strlen(protocols[i].name) != length || strncmp(word, protocols[i].name, length))
			continue;
		if (protocols[i].extension)
			add_extension(builder, protocols[i].number, value ? strtoul(value, NULL, 10) : 0);
		else
			say_next(builder, protocols[i].number);
		return true;
	}
	return false;
}

/* Words that begin or change a layer below IP. */
static bool add_link_word(struct builder *builder, const char *word, const char *value)
{
	if (!strcmp(word, "q"))
		add_tag(builder, 0x8100);
	else if (!strcmp(word, "ad"))
		add_tag(builder, 0x88a8);
	else if (!strcmp(word, "pppoe") || !strncmp(word, "pppoe=", 6))
		add_pppoe(builder, value, false);
	else if (!strcmp(word, "pppoe1"))
		add_pppoe(builder, NULL, true);
	else if (!strncmp(word, "type=", 5)) {
		put16(builder->frame->data + builder->type, strtoul(value, NULL, 16));
		builder->type_fixed = true;
	} else
		return false;
	return true;
}

static bool add_ip_word(struct builder *builder, const char *word, const char *value)
{
	unsigned long number = value ? strtoul(value, NULL, 10) : 0;

	if (!strncmp(word, "4:", 2))
		add_network(builder, word + 2, 4);
	else if (!strncmp(word, "6:", 2))
		add_network(builder, word + 2, 6);
	else if (!strncmp(word, "opt=", 4))
		add_options(builder, number);
	else if (!strncmp(word, "ver=", 4))
		set_nibble(builder, number, true);
	else if (!strncmp(word, "ihl=", 4))
		set_nibble(builder, number, false);
	else if (!strncmp(word, "total", 5))
		set_total(builder, word + 5);
	else if (!strncmp(word, "frag=", 5))
		add_fragment(builder, value);
	else if (!strncmp(word, "proto=", 6)) {
		builder->frame->data[builder->next] = (uint8_t)number;
		builder->next_fixed = true;
	} else
		return add_protocol(builder, word, value);
	return true;
}

static void add_word(struct builder *builder, const char *word)
{
	const char *value = strchr(word, '=');
	unsigned long number;

	value = value ? value + 1 : NULL;
	number = value ? strtoul(value, NULL, 10) : 0;
	if (!strncmp(word, "tcp:", 4))
		add_transport(builder, word + 4, true);
	else if (!strncmp(word, "udp:", 4))
		add_transport(builder, word + 4, false);
	else if (!strcmp(word, "vxlan")) {
		add_transport(builder, "49152>4789", false);
		append(builder, 8)[0] = 0x08;
	} else if (!strncmp(word, "data=", 5))
		memset(append(builder, number), 0xd5, number);
	else if (!strncmp(word, "pad=", 4))
		builder->padding = number;
	else if (!strncmp(word, "cut=", 4))
		builder->cut = number;
	else if (!strncmp(word, "cut-", 4))
		builder->cut_off = strtol(word + 4, NULL, 10);
	else if (!add_link_word(builder, word, value) && !add_ip_word(builder, word, value))
		fail_msg("unknown word in a frame: %s", word);
}

static void fill_lengths(struct builder *builder)
{
	struct frame *frame = builder->frame;
	uint8_t *network = frame->data + frame->network;
	long total = builder->version == 4 ? (long)frame->datagram : (long)frame->datagram - 40;

	if (builder->pppoe)
		put16(frame->data + builder->pppoe + 4, frame->length - builder->pppoe - 6);
	if (builder->udp)
		put16(frame->data + builder->udp + 4, frame->length - builder->udp);
	if (builder->total_set)
		total = builder->total_relative ? total + builder->total : builder->total;
	if (builder->version)
		put16(network + (builder->version == 4 ? 2 : 4), (unsigned long)total);
}

void frame_build(const char *text, struct frame *ret_frame)
{
	struct builder builder = { .frame = ret_frame };
	char *words KH_CLEANUP(kh_freep) = strdup(text), *rest = words, *word;

	assert_non_null(words);
	ret_frame->length = ret_frame->network = ret_frame->payload = 0;
	if (strncmp(text, "raw ", 4))
		add_ethernet(&builder);
	else
		rest += 4;
	while ((word = strsep(&rest, " ")))
		if (*word)
			add_word(&builder, word);
	if (!builder.version)
		ret_frame->network = ret_frame->length;
	if (!ret_frame->payload)
		ret_frame->payload = ret_frame->length;
	ret_frame->datagram = ret_frame->length - ret_frame->network;
	fill_lengths(&builder);
	append(&builder, builder.padding);
	if (builder.cut)
		ret_frame->length = builder.cut;
	ret_frame->length -= (size_t)builder.cut_off;
}
