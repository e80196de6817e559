// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random lists and random packets: what the programs do and count, packet by packet and byte by byte, is what a linear scan over the orders
 * says. Lists nest and cluster, have ports, holes and deadlines; packets aim at the borders of the orders.
 */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "reference.h"

#define ORDERS_MAX 12000
#define HOLES_MAX 64
#define NOW 1700000000u

/* Where the slices of an image get long. */
enum spread {
	MIXED,
	HOSTS, /* in few /24 and /64 */
	SUBNETS, /* in few /16 and /32 */
	WIDE, /* no prefix longer than /18 and /32 */
};

struct shape {
	const char *name;
	enum spread spread;
	uint32_t orders, holes, packets;
	uint32_t nets; /* how few neighbourhoods all orders are in */
	uint32_t shortest_v4, shortest_v6; /* prefix lengths from here on */
	uint32_t percent_ports, percent_deadlines, percent_monitor, percent_ranges;
};

static const struct shape shapes[] = {
	{ "nested", MIXED, 300, 12, 3000, 2, 12, 20, 10, 30, 30, 10 },
	{ "crowded", MIXED, 1500, 30, 3000, 4, 20, 48, 15, 20, 20, 20 },
	{ "whole space", MIXED, 60, 20, 3000, 40, 1, 1, 20, 10, 50, 40 },
	{ "lonely addresses", MIXED, 4000, 10, 3000, 4000, 32, 128, 5, 5, 5, 0 },
	{ "plain drops", MIXED, 2000, 0, 3000, 60, 24, 64, 0, 0, 0, 0 },
	{ "ports", MIXED, 1200, 8, 3000, 12, 28, 112, 90, 30, 30, 0 },
	{ "full subnets", HOSTS, 3000, 20, 3000, 1, 30, 120, 2, 5, 10, 1 },
	{ "many subnets", SUBNETS, 3000, 20, 3000, 1, 23, 56, 2, 5, 10, 1 },
	{ "wide prefixes", WIDE, 3000, 20, 3000, 3000, 14, 24, 2, 5, 10, 1 },
	{ "long", MIXED, ORDERS_MAX, 40, 1500, 900, 22, 44, 5, 5, 5, 5 },
};

static struct lab_random numbers = { 0x6b69656d };
static struct kh_compile_order orders[ORDERS_MAX];
static struct kh_range holes[HOLES_MAX];
static struct kh_record wanted[ORDERS_MAX + 1];
static struct kh_record sighted[ORDERS_MAX + 1];

static bool percent(uint32_t chance)
{
	return lab_below(&numbers, 100) < chance;
}

static kh_u128 random_u128(void)
{
	return ((kh_u128)lab_random(&numbers) << 64) | lab_random(&numbers);
}

/* An address in one of the neighbourhoods of the list: the upper half is one of a few, the lower is anything, or close to a border. */
static struct kh_range random_address(const struct shape *shape, uint8_t family)
{
	uint32_t net = lab_below(&numbers, shape->nets), bits = family == 4 ? 16 : 96;
	struct lab_random of_net = { 0x1234567 + net * 2654435761u };
	kh_u128 high = family == 4 ? lab_random(&of_net) >> 48 : lab_random(&of_net) >> 32, low = random_u128();
	struct kh_range range = { .family = family };

	if (family == 6 && shape->spread == MIXED && percent(70)) /* few /64s, few /96s in them */
		low = ((low >> 32 & 7) << 64) | (low & 0x0000000300000fff);
	if (shape->spread == HOSTS)
		low = family == 4 ? low & 0x1ff : ((low >> 64 & 1) << 64) | (low & 0xffff);
	if (shape->spread == SUBNETS && family == 6)
		low = ((low >> 64 & 0xffff) << 64) | (low & 0xff);
	low &= ((kh_u128)1 << bits) - 1;
	if (percent(5))
		low = percent(50) ? 0 : ((kh_u128)1 << bits) - 1;
	if (percent(2))
		high = percent(50) ? 0 : kh_address_max(family) >> bits;
	range.first = range.last = high << bits | low;
	return range;
}

static struct kh_range random_range(const struct shape *shape, uint8_t family)
{
	uint32_t longest = family == 4 ? 32 : 128, shortest = family == 4 ? shape->shortest_v4 : shape->shortest_v6;
	struct kh_range range = random_address(shape, family), other;

	if (shape->spread == WIDE)
		longest = family == 4 ? 18 : 32;
	if (percent(shape->percent_ranges)) {
		other = random_address(shape, family);
		range.last = other.first;
		if (range.last < range.first) {
			range.last = range.first;
			range.first = other.first;
		}
		return range;
	}
	if (percent(30))
		shortest = longest;
	return kh_range_of_prefix(range.first, (uint8_t)(shortest + lab_below(&numbers, longest - shortest + 1)),
				  family);
}

static void random_list(const struct shape *shape, struct kh_naive_list *ret_list)
{
	for (uint32_t i = 0; i < shape->orders; i++) {
		struct kh_compile_order *order = &orders[i];
		uint8_t family = percent(50) ? 4 : 6;

		memset(order, 0, sizeof(*order));
		order->slot = i + 1;
		order->action = percent(shape->percent_monitor) ? KH_ACTION_MONITOR : KH_ACTION_DROP;
		if (percent(shape->percent_deadlines))
			order->deadline = NOW - 50 + lab_below(&numbers, 100);
		order->range = random_range(shape, family);
		if (percent(20) && i) { /* the value of another order, or inside it */
			order->range = orders[lab_below(&numbers, i)].range;
			if (percent(50))
				order->range.last = order->range.first;
		}
		if (percent(shape->percent_ports)) {
			static const uint8_t protocols[] = { 0, 6, 17 };

			order->range.last = order->range.first;
			order->port = (uint16_t)(percent(50) ? 443 : 1 + lab_below(&numbers, 3));
			order->protocol = protocols[lab_below(&numbers, 3)];
		}
	}
	for (uint32_t i = 0; i < shape->holes; i++)
		holes[i] = random_range(shape, percent(50) ? 4 : 6);
	*ret_list = (struct kh_naive_list){ orders, shape->orders, holes, shape->holes };
}

/* Close to a border of an order, inside one, or anywhere. */
static struct kh_range aimed_address(const struct shape *shape, uint8_t family)
{
	const struct kh_compile_order *order = &orders[lab_below(&numbers, shape->orders)];
	struct kh_range range = random_address(shape, family);
	kh_u128 max = kh_address_max(family);

	if (order->range.family != family || percent(10))
		return range;
	switch (lab_below(&numbers, 6)) {
	case 0:
		range.first = order->range.first - 1;
		break;
	case 1:
		range.first = order->range.last;
		break;
	case 2:
		range.first = order->range.last + 1;
		break;
	case 3:
		range.first = order->range.first + random_u128() % (order->range.last - order->range.first + 1
									    ? order->range.last - order->range.first + 1
									    : max);
		break;
	default:
		range.first = order->range.first;
	}
	range.first &= max;
	range.last = range.first;
	return range;
}

static void random_frame(const struct shape *shape, struct frame *ret_frame)
{
	static const char *const carriers[] = { "", "", "q ", "q pppoe " };
	static const char *const transports[] = { "tcp:%u>%u data=%u", "udp:%u>%u data=%u", "frag=0+ udp:%u>%u data=%u",
						  "icmp proto=%u data=%u" };
	uint8_t family = percent(50) ? 4 : 6;
	char source[KH_RANGE_TEXT], destination[KH_RANGE_TEXT], transport[64], text[512];
	struct kh_range from = aimed_address(shape, family), to = aimed_address(shape, family);
	uint32_t near = 1 + lab_below(&numbers, 4), remote = percent(50) ? 443 : 1 + lab_below(&numbers, 4);

	if (percent(50)) { /* an office machine: one of eight */
		from.first = family == 4 ? 0xc0000200u + lab_below(&numbers, 8)
					 : lab_range("2001:db8:1::").first + lab_below(&numbers, 8);
		from.last = from.first;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(transport, sizeof(transport), transports[lab_below(&numbers, 4)], percent(50) ? near : remote,
		 percent(50) ? remote : near, lab_below(&numbers, 60));
#pragma GCC diagnostic pop
	snprintf(text, sizeof(text), "%s%d:%s>%s %s", carriers[lab_below(&numbers, 4)], family,
		 kh_range_format(&from, source), kh_range_format(&to, destination), transport);
	frame_build(text, ret_frame);
}

/* Has one of the sides more orders than an image keeps? Then only the verdict is promised, not which order it names. */
static bool is_crowded(const struct reference *reference, const struct kh_naive_list *list)
{
	for (int side = 0; side < 2; side++) {
		struct kh_naive_query query = { .address = side ? reference->destination : reference->source };

		if (kh_naive_chain_length(list, &query) > KH_UNDER_LINKS + 1)
			return true;
		query.port = reference->ports ? (side ? reference->destination_port : reference->source_port) : 0;
		query.protocol = reference->protocol;
		if (query.port && kh_naive_chain_length(list, &query) > KH_UNDER_LINKS + 1)
			return true;
	}
	return false;
}

static void count(struct kh_record *record, uint64_t bytes, uint32_t now)
{
	record->packets++;
	record->bytes += bytes;
	record->last_seen = now;
	if (!record->first_seen)
		record->first_seen = now;
}

static void send_random(const struct shape *shape, const struct kh_naive_list *list, uint32_t now)
{
	static const struct {
		enum lab_program program;
		uint32_t ifindex;
	} hooks[] = { { LAB_XDP, LAB_LAN },
		      { LAB_XDP, LAB_WAN },
		      { LAB_TC_IN, LAB_LAN },
		      { LAB_TC_IN, LAB_WAN },
		      { LAB_TC_OUT, LAB_WAN } };
	static struct frame frame;
	uint32_t hook = lab_below(&numbers, KH_ARRAY_SIZE(hooks));
	struct lab_run run = { .program = hooks[hook].program, .ifindex = hooks[hook].ifindex };
	bool outbound = run.ifindex == LAB_LAN || run.program == LAB_TC_OUT, crowded;
	struct reference reference;
	struct judgement judgement;

	random_frame(shape, &frame);
	reference_read(frame.data, frame.length, &reference);
	crowded = is_crowded(&reference, list);
	if (crowded) {
		run.ifindex = LAB_UNKNOWN;
		outbound = run.program == LAB_TC_OUT;
	}
	reference_judge(&reference, list, outbound, now, &judgement);
	if (lab_send(&run, frame.data, frame.length) !=
	    (judgement.reason == KH_REASON_DROPPED ? LAB_DROPPED : LAB_PASSED)) {
		char source[KH_RANGE_TEXT], destination[KH_RANGE_TEXT];

		fail_msg("%s: %s to %s, ports %u %u, protocol %u: expected %s by order %u", shape->name,
			 kh_range_format(&reference.source, source),
			 kh_range_format(&reference.destination, destination), reference.source_port,
			 reference.destination_port, reference.protocol, lab_reason_name(judgement.reason),
			 judgement.slot);
	}
	if (crowded || !judgement.slot)
		return;
	count(&wanted[judgement.slot], reference.bytes, now);
	if (judgement.on_destination && outbound)
		count(&sighted[judgement.slot], reference.bytes, now);
}

static void expect_records(const struct shape *shape, const struct lab_evidence *evidence)
{
	size_t counted = 0;

	for (uint32_t slot = 1; slot <= shape->orders; slot++) {
		const struct kh_record *is = &evidence->records[slot], *should = &wanted[slot];

		if (memcmp(is, should, sizeof(*is)))
			fail_msg(
				"%s, order %u: %lu packets, %lu bytes, first %u, last %u, but expected %lu, %lu, %u, %u",
				shape->name, slot, (unsigned long)is->packets, (unsigned long)is->bytes, is->first_seen,
				is->last_seen, (unsigned long)should->packets, (unsigned long)should->bytes,
				should->first_seen, should->last_seen);
		counted += is->packets > 0;
	}
	if (counted < 5)
		fail_msg("%s: only %zu orders were met", shape->name, counted);
}

/* Over all machines. */
static void expect_sightings(const struct shape *shape, const struct lab_evidence *evidence)
{
	struct kh_record *sums = calloc(shape->orders + 1, sizeof(*sums));

	assert_non_null(sums);
	for (size_t i = 0; i < evidence->sightings_count; i++) {
		const struct kh_sighting_entry *entry = &evidence->sightings[i];

		assert_in_range(entry->key.slot, 1, shape->orders);
		sums[entry->key.slot].packets += entry->value.packets;
		sums[entry->key.slot].bytes += entry->value.bytes;
	}
	for (uint32_t slot = 1; slot <= shape->orders; slot++)
		if (sums[slot].packets != sighted[slot].packets || sums[slot].bytes != sighted[slot].bytes)
			fail_msg("%s, order %u: sightings of %lu packets, %lu expected", shape->name, slot,
				 (unsigned long)sums[slot].packets, (unsigned long)sighted[slot].packets);
	free(sums);
}

static void forget_everything(const struct lab_evidence *evidence, uint32_t *slots, size_t count)
{
	for (size_t i = 0; i < evidence->sightings_count; i++)
		assert_int_equal(kh_kernel_forget_sighting(lab_kernel(), &evidence->sightings[i].key), 0);
	for (uint32_t i = 0; i < count; i++)
		slots[i] = i;
	memset(wanted, 0, sizeof(wanted));
	memset(sighted, 0, sizeof(sighted));
}

static void test_random_lists(void **state)
{
	static const uint32_t times[] = { NOW - 51, NOW - 7, NOW, NOW + 50 };
	static struct lab_evidence evidence;
	static uint32_t slots[ORDERS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(shapes); i++) {
		const struct shape *shape = &shapes[i];
		struct kh_install *install = NULL;
		struct kh_naive_list list;
		struct kh_image *image;
		struct kh_error error;

		random_list(shape, &list);
		image = lab_compile(orders, shape->orders, holes, shape->holes);
		lab_read(&evidence);
		forget_everything(&evidence, slots, KH_ARRAY_SIZE(slots));
		assert_int_equal(kh_kernel_prepare(lab_kernel(), image->data, image->pages, slots, KH_ARRAY_SIZE(slots),
						   &install, &error),
				 0);
		kh_kernel_switch(lab_kernel(), install);
		kh_kernel_drop_retired(lab_kernel());
		kh_image_free(image);
		for (size_t t = 0; t < KH_ARRAY_SIZE(times); t++) {
			lab_freeze_clock(times[t]);
			for (uint32_t packet = 0; packet < shape->packets / KH_ARRAY_SIZE(times); packet++)
				send_random(shape, &list, times[t]);
		}
		lab_read(&evidence);
		expect_records(shape, &evidence);
		expect_sightings(shape, &evidence);
	}
	lab_evidence_clear(&evidence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_lists),
	};
	int code = lab_enter();

	return code ? code : cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
