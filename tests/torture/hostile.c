// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hostile frames: see hostile.h.
 */
#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEMPLATES 256 /* of either kind */
#define ADDRESSES 96 /* of either family */
#define HOLES 4
#define SHORTEST 14

struct template
{
	uint8_t *data;
	size_t length, network, payload;
	uint8_t version; /* 4 or 6 */
};

static uint64_t list_seed;
static struct lab_random numbers;
static struct kh_compile_order orders[HOSTILE_ORDERS];
static struct kh_range holes[HOLES];
static struct kh_range addresses[2][ADDRESSES];
static struct template templates[2][TEMPLATES]; /* with an Ethernet header, without */

/* splitmix64; never 0, which xorshift would stay at. */
static uint64_t mix(uint64_t seed, uint64_t value)
{
	uint64_t mixed = seed + (value + 1) * 0x9e3779b97f4a7c15ull;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ull;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebull;
	mixed ^= mixed >> 31;
	return mixed ? mixed : 1;
}

static uint32_t below(uint32_t limit)
{
	return lab_below(&numbers, limit);
}

static bool percent(uint32_t chance)
{
	return below(100) < chance;
}

static kh_u128 random_u128(void)
{
	return ((kh_u128)lab_random(&numbers) << 64) | lab_random(&numbers);
}

/* ---- Lists ---- */

/* Of few neighbourhoods, so that orders nest and packets meet them. */
static struct kh_range random_address(uint8_t family)
{
	static const char *const nets[2][4] = {
		{ "203.0.113.0", "198.18.0.0", "0.0.0.0", "255.255.255.0" },
		{ "2001:db8:bad::", "2001:db8:bad:1::", "::", "ffff:ffff:ffff:ffff::" }
	};
	struct kh_range range = lab_range(nets[family == 6][below(4)]);
	kh_u128 low = family == 6 && percent(50) ? (random_u128() >> 64) : below(256);

	range.first |= low;
	range.last = range.first;
	return range;
}

static struct kh_range random_range(uint8_t family)
{
	struct kh_range range = random_address(family), other = random_address(family);
	uint32_t longest = family == 4 ? 32 : 128;

	if (percent(10)) { /* across neighbourhoods */
		range.last = range.first > other.first ? range.first : other.first;
		range.first = range.first > other.first ? other.first : range.first;
		return range;
	}
	if (percent(50))
		return range;
	return kh_range_of_prefix(range.first, (uint8_t)(longest - below(percent(10) ? longest + 1 : 10)), family);
}

static void random_order(uint32_t slot, struct kh_compile_order *ret_order)
{
	static const uint8_t protocols[] = { 0, 6, 17 };
	uint8_t family = percent(50) ? 4 : 6;

	memset(ret_order, 0, sizeof(*ret_order));
	ret_order->slot = slot;
	ret_order->range = random_range(family);
	ret_order->action = percent(35) ? KH_ACTION_MONITOR : KH_ACTION_DROP;
	if (percent(30))
		ret_order->deadline = HOSTILE_NOW - 10 + below(20);
	if (percent(30)) {
		ret_order->range = random_address(family);
		ret_order->port = (uint16_t)(percent(50) ? 443 : 1 + below(3));
		ret_order->protocol = protocols[below(3)];
	}
}

/* Has an address at a border of `order` more orders in force than an image keeps? */
static bool is_crowded(const struct kh_naive_list *list, const struct kh_compile_order *order)
{
	static const uint16_t ports[] = { 0, 443, 1, 2, 3 };
	kh_u128 borders[] = { order->range.first, order->range.last };

	for (size_t i = 0; i < 2 * KH_ARRAY_SIZE(ports); i++) {
		struct kh_naive_query query = { .address = { .family = order->range.family }, .port = ports[i / 2] };

		query.address.first = query.address.last = borders[i % 2];
		for (query.protocol = 6; query.protocol <= 17; query.protocol += 11)
			if (kh_naive_chain_length(list, &query) > KH_UNDER_LINKS + 1)
				return true;
	}
	return false;
}

/* The most crowded addresses are where a range begins: orders are tried one by one, and one that makes such a place too full is made anew. */
static void random_list(struct kh_naive_list *ret_list)
{
	for (uint32_t i = 0; i < HOLES; i++)
		holes[i] = random_range(percent(50) ? 4 : 6);
	*ret_list = (struct kh_naive_list){ orders, 0, NULL, 0 };
	for (uint32_t i = 0; i < HOSTILE_ORDERS; i++) {
		bool crowded;

		ret_list->orders_count = i + 1;
		do {
			random_order(i + 1, &orders[i]);
			crowded = false;
			for (uint32_t j = 0; j <= i && !crowded; j++)
				crowded = is_crowded(ret_list, &orders[j]);
		} while (crowded);
	}
	ret_list->holes = holes;
	ret_list->holes_count = HOLES;
}

/* Borders of the orders and the addresses beside them; the last are office machines. */
static void choose_addresses(void)
{
	for (uint8_t side = 0; side < 2; side++) {
		uint8_t family = side ? 6 : 4;

		for (uint32_t i = 0; i < ADDRESSES; i++) {
			const struct kh_compile_order *order = &orders[below(HOSTILE_ORDERS)];
			struct kh_range *address = &addresses[side][i];

			*address = random_address(family);
			if (order->range.family == family && i < ADDRESSES * 3 / 4)
				address->first = (percent(50) ? order->range.first : order->range.last) + below(3) - 1;
			else if (i >= ADDRESSES * 7 / 8)
				address->first = lab_range(side ? "2001:db8:1::" : "192.0.2.0").first + below(8);
			address->first &= kh_address_max(family);
			address->last = address->first;
		}
	}
}

/* ---- Templates ---- */

struct text {
	char data[768];
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text->length +=
		(size_t)vsnprintf(text->data + text->length, sizeof(text->data) - text->length, format, arguments);
	va_end(arguments);
	assert_in_range(text->length, 0, sizeof(text->data) - 1);
}

static void say_carriers(struct text *text)
{
	uint32_t tags = percent(50) ? 0 : below(5);

	while (tags--)
		say(text, "%s ", percent(70) ? "q" : "ad");
	if (percent(70))
		return;
	if (percent(60))
		say(text, "pppoe ");
	else if (percent(50))
		say(text, "pppoe1 ");
	else
		say(text, "pppoe=%04X ", below(65536));
}

static void say_options_v4(struct text *text)
{
	if (percent(30))
		say(text, "opt=%u ", 4 * below(11));
	if (percent(20))
		say(text, "frag=%u%s ", percent(50) ? 0 : below(8192), percent(50) ? "+" : "");
}

static void say_extensions_v6(struct text *text)
{
	static const char *const words[] = { "hop", "rt", "ah", "dst", "mh", "hip", "shim" };
	uint32_t count = percent(50) ? 0 : below(9);

	while (count--) {
		if (percent(15))
			say(text, "frag=%u%s ", percent(60) ? 0 : below(8192), percent(50) ? "+" : "");
		else
			say(text, "%s=%u ", words[below(KH_ARRAY_SIZE(words))], percent(70) ? 0 : below(4));
	}
}

static void say_transport(struct text *text)
{
	static const char *const words[] = { "icmp", "icmp6", "gre", "esp", "ipip", "sit", "vxlan", "none" };
	uint32_t near = percent(50) ? 1024 : below(5), far = percent(50) ? 443 : below(5);

	if (percent(40))
		say(text, "tcp:%u>%u/%u ", near, far, percent(80) ? 5 : below(16));
	else if (percent(60))
		say(text, "udp:%u>%u ", near, far);
	else if (percent(70))
		say(text, "%s ", words[below(KH_ARRAY_SIZE(words))]);
	else
		say(text, "proto=%u ", below(256));
}

/* Lengths and versions that lie, tails that IP does not count, frames that fill several pages. */
static void say_lies(struct text *text, bool may_have_type)
{
	say(text, "data=%u ", percent(97) ? below(40) : 1000 + below(8000));
	if (percent(20))
		say(text, "pad=%u ", below(20));
	if (percent(10))
		say(text,
		    percent(50)	  ? "total=%u "
		    : percent(50) ? "total+%u "
				  : "total-%u ",
		    below(percent(50) ? 80 : 2000));
	if (percent(5))
		say(text, "ver=%u ", below(16));
	if (may_have_type && percent(3))
		say(text, "type=%04x ", below(65536));
}

static void make_template(bool l3, struct template *ret_template)
{
	static struct frame frame;
	struct text text = { .length = 0 };
	bool v6 = percent(50);

	if (l3)
		say(&text, "raw ");
	else
		say_carriers(&text);
	if (v6)
		say(&text, "6:2001:db8:86dd:1::57>2001:db8:f::1 ");
	else
		say(&text, "4:8.0.2.57>198.18.0.1 ");
	if (v6)
		say_extensions_v6(&text);
	else
		say_options_v4(&text);
	if (!v6 && percent(5))
		say(&text, "ihl=%u ", below(16));
	say_transport(&text);
	say_lies(&text, !l3);
	frame_build(text.data, &frame);
	*ret_template = (struct template){ .data = malloc(frame.length),
					   .length = frame.length,
					   .network = frame.network,
					   .payload = frame.payload,
					   .version = v6 ? 6 : 4 };
	assert_non_null(ret_template->data);
	memcpy(ret_template->data, frame.data, frame.length);
}

void hostile_begin(uint64_t seed, uint32_t number, struct kh_naive_list *ret_list)
{
	hostile_end();
	list_seed = mix(mix(seed, 0), number);
	numbers.state = list_seed;
	random_list(ret_list);
	choose_addresses();
	for (size_t i = 0; i < 2 * TEMPLATES; i++)
		make_template(i % 2, &templates[i % 2][i / 2]);
}

void hostile_end(void)
{
	for (size_t i = 0; i < 2 * TEMPLATES; i++) {
		free(templates[i % 2][i / 2].data);
		templates[i % 2][i / 2].data = NULL;
	}
}

/* ---- Frames ---- */

static void write_address(uint8_t *at, const struct kh_range *address)
{
	kh_u128 value = address->first;

	for (size_t i = address->family == 4 ? 4 : 16; i-- > 0; value >>= 8)
		at[i] = (uint8_t)value;
}

/* Without an Ethernet header the source has to leave the type alone. */
static void aim(struct hostile_frame *frame, const struct template *template, bool l3)
{
	bool v6 = template->version == 6;
	uint8_t *network = frame->data + template->network;

	write_address(network + (v6 ? 24 : 16), &addresses[v6][below(ADDRESSES)]);
	if (!l3)
		write_address(network + (v6 ? 8 : 12), &addresses[v6][below(ADDRESSES)]);
	else if (percent(30))
		network[v6 ? 23 : 15] = (uint8_t)below(256);
}

static void start(struct hostile_frame *frame, bool l3)
{
	const struct template *template = &templates[l3][below(TEMPLATES)];

	memcpy(frame->data, template->data, template->length);
	frame->length = template->length;
	aim(frame, template, l3);
}

/* Where headers are. */
static size_t some_place(const struct hostile_frame *frame)
{
	return below((uint32_t)(frame->length < 96 ? frame->length : 96));
}

static void change_bits(struct hostile_frame *frame)
{
	for (uint32_t count = 1 + below(4); count--;)
		frame->data[some_place(frame)] ^= (uint8_t)(1u << below(8));
}

static void change_bytes(struct hostile_frame *frame)
{
	static const uint8_t interesting[] = { 0x00, 0x01, 0x04, 0x06, 0x08, 0x11, 0x21, 0x29, 0x2b, 0x2c, 0x2f, 0x32,
					       0x33, 0x3c, 0x40, 0x44, 0x45, 0x46, 0x4f, 0x57, 0x60, 0x64, 0x7f, 0x80,
					       0x81, 0x86, 0x87, 0x88, 0x8b, 0x8c, 0xa8, 0xc0, 0xdd, 0xfe, 0xff };

	for (uint32_t count = 1 + below(4); count--;)
		frame->data[some_place(frame)] =
			(uint8_t)(percent(60) ? interesting[below(KH_ARRAY_SIZE(interesting))] : below(256));
}

/* A type, a protocol or a length of two bytes. */
static void change_word(struct hostile_frame *frame)
{
	static const uint16_t interesting[] = { 0x0800, 0x86dd, 0x8100, 0x88a8, 0x8863, 0x8864, 0x0806,
						0x9100, 0x0021, 0x0057, 0xc021, 0x0000, 0x0001, 0x0013,
						0x0014, 0x0028, 0x1fff, 0x2000, 0x3fff, 0xffff };
	size_t at = some_place(frame) & ~(size_t)1;
	uint16_t value = (uint16_t)(percent(70) ? interesting[below(KH_ARRAY_SIZE(interesting))] : below(1600));

	if (percent(30))
		at = 12 + 4 * below(4);
	if (at + 2 > frame->length)
		return;
	frame->data[at] = (uint8_t)(value >> 8);
	frame->data[at + 1] = (uint8_t)value;
}

static void cut(struct hostile_frame *frame)
{
	if (frame->length > SHORTEST)
		frame->length = SHORTEST + below((uint32_t)(frame->length - SHORTEST));
}

static void remove_part(struct hostile_frame *frame)
{
	size_t at = some_place(frame), size = 1 + below(12);

	if (at + size > frame->length || frame->length - size < SHORTEST)
		return;
	memmove(frame->data + at, frame->data + at + size, frame->length - at - size);
	frame->length -= size;
}

static void repeat_part(struct hostile_frame *frame)
{
	size_t at = some_place(frame), size = 4 * (1 + below(3));

	if (at + size > frame->length || frame->length + size > sizeof(frame->data))
		return;
	memmove(frame->data + at + size, frame->data + at, frame->length - at);
	frame->length += size;
}

/* The head of this frame and the tail of another. */
static void glue(struct hostile_frame *frame, bool l3)
{
	const struct template *other = &templates[l3][below(TEMPLATES)];
	size_t at = some_place(frame), from = below((uint32_t)(other->length < 96 ? other->length : 96));

	memcpy(frame->data + at, other->data + from, other->length - from);
	frame->length = at + other->length - from;
	if (frame->length < SHORTEST)
		frame->length = SHORTEST;
}

static void random_bytes(struct hostile_frame *frame)
{
	frame->length = SHORTEST + below(percent(95) ? 120 : 2000);
	for (size_t i = 0; i < frame->length; i += 8) {
		uint64_t value = lab_random(&numbers);

		memcpy(frame->data + i, &value, 8);
	}
	if (percent(80)) {
		bool v6 = percent(50);

		memcpy(frame->data + 12, v6 ? "\x86\xdd" : "\x08\x00", 2);
		if (percent(80) && frame->length > SHORTEST)
			frame->data[14] = (uint8_t)(v6 ? 0x60 : percent(50) ? 0x45 : 0x40 | below(16));
	}
}

static void mutate(struct hostile_frame *frame, bool l3)
{
	switch (below(8)) {
	case 0:
		frame->how = "bits changed";
		change_bits(frame);
		break;
	case 1:
		frame->how = "bytes changed";
		change_bytes(frame);
		break;
	case 2:
		frame->how = "a word changed";
		change_word(frame);
		break;
	case 3:
		frame->how = "cut";
		cut(frame);
		break;
	case 4:
		frame->how = "a part removed";
		remove_part(frame);
		break;
	case 5:
		frame->how = "a part twice";
		repeat_part(frame);
		break;
	case 6:
		frame->how = "two frames in one";
		glue(frame, l3);
		break;
	default:
		frame->how = "random bytes";
		random_bytes(frame);
	}
}

void hostile_frame(uint32_t batch, uint32_t index, bool l3, struct hostile_frame *ret_frame)
{
	uint64_t seed = mix(list_seed, batch);

	if (batch % 8 == 7) {
		numbers.state = seed;
		start(ret_frame, l3);
		ret_frame->length = SHORTEST + index % (ret_frame->length - SHORTEST + 1);
		ret_frame->how = "one of every length";
		return;
	}
	numbers.state = mix(seed, index);
	start(ret_frame, l3);
	ret_frame->how = "as built";
	for (uint32_t times = below(4); times--;)
		mutate(ret_frame, l3);
}
