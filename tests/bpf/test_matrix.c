// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Carriers x networks x transports x destinations, at full length, at every shorter one, and with bytes changed at random: whatever the
 * packet, the verdict, the reason and the bytes counted are those of the reference, and each packet is counted once.
 */
#include "lab.h"

#include <stdio.h>
#include <string.h>

#include "frames.h"
#include "reference.h"

static const char *const carriers[] = { "",	    "q ",	   "ad q ",	    "q q q ",  "pppoe ",
					"q pppoe ", "ad q pppoe ", "q q ad pppoe ", "pppoe1 ", "pppoe=C021 " };

/* %s: destination */
static const char *const networks[] = {
	"4:192.0.2.57>%s",
	"4:192.0.2.57>%s opt=8",
	"4:192.0.2.57>%s opt=40",
	"4:192.0.2.57>%s ihl=4",
	"4:192.0.2.57>%s opt=4 ihl=15",
	"4:192.0.2.57>%s frag=0+",
	"4:192.0.2.57>%s opt=12 frag=185+",
	"4:192.0.2.57>%s frag=185",
	"6:2001:db8:1::57>%s",
	"6:2001:db8:1::57>%s hop",
	"6:2001:db8:1::57>%s ah=2 dst=1",
	"6:2001:db8:1::57>%s hop dst rt ah mh shim",
	"6:2001:db8:1::57>%s hop dst rt ah mh shim hip",
	"6:2001:db8:1::57>%s dst dst dst dst dst dst dst dst",
	"6:2001:db8:1::57>%s frag=0",
	"6:2001:db8:1::57>%s dst frag=0+ dst",
	"6:2001:db8:1::57>%s frag=9 hop",
	"6:2001:db8:1::57>%s hop rt dst dst dst frag=9+",
	/* for programs without an Ethernet header: see test_verdicts.c */
	"4:8.0.2.57>%s",
	"4:8.0.2.57>%s opt=8 frag=0+",
	"6:2001:db8:86dd:1::57>%s",
	"6:2001:db8:86dd:1::57>%s hop dst=2",
};
#define FIRST_BARE 18

static const char *const transports[] = { "tcp:1024>443 data=6", "udp:1024>53 data=1", "icmp data=8",
					  "gre data=4",		 "esp data=16",	       "vxlan data=9",
					  "proto=6 data=8",	 "proto=17 total-1" };
#define TRUNCATED_TRANSPORTS 2

/* By family: unlisted, dropped, monitored, with dropped ports. */
static const char *const destinations[2][4] = {
	{ "198.18.0.1", "203.0.113.7", "203.0.113.130", "203.0.113.20" },
	{ "2001:db8:f::1", "2001:db8:bad::7", "2001:db8:bad::8:1", "2001:db8:bad::20" },
};

static struct kh_compile_order orders[] = {
	{ .slot = 1, .action = KH_ACTION_DROP },
	{ .slot = 2, .action = KH_ACTION_MONITOR },
	{ .slot = 3, .action = KH_ACTION_DROP, .port = 443, .protocol = 6 },
	{ .slot = 4, .action = KH_ACTION_MONITOR, .port = 53, .protocol = 17 },
	{ .slot = 5, .action = KH_ACTION_DROP },
	{ .slot = 6, .action = KH_ACTION_MONITOR },
	{ .slot = 7, .action = KH_ACTION_DROP, .port = 443 },
	{ .slot = 8, .action = KH_ACTION_DROP, .port = 4789, .protocol = 17 },
};
static const char *const order_ranges[] = { "203.0.113.7",	"203.0.113.128/25", "203.0.113.20",
					    "203.0.113.20",	"2001:db8:bad::7",  "2001:db8:bad::8:0/112",
					    "2001:db8:bad::20", "2001:db8:bad::20" };
static const struct kh_naive_list list = { orders, KH_ARRAY_SIZE(orders), NULL, 0 };

/* What must have been counted in the end. */
static struct {
	uint64_t packets[LAB_PROGRAMS], refused;
	struct kh_record records[16];
} sent;

static void send_one(enum lab_program program, const char *text, const uint8_t *data, size_t length)
{
	struct lab_run run = { .program = program,
			       .ifindex = lab_is_out(program)  ? LAB_WAN
					  : lab_is_l3(program) ? LAB_WG
							       : LAB_LAN };
	enum kh_direction direction = lab_is_out(program) ? KH_EGRESS : KH_INGRESS;
	struct kh_counter before[KH_REASON_ROWS], after[KH_REASON_ROWS];
	struct reference reference;
	struct judgement judgement;
	enum lab_verdict verdict;

	if (lab_is_l3(program))
		reference_read_bare(data, length, (uint16_t)(data[12] << 8 | data[13]), &reference);
	else
		reference_read(data, length, &reference);
	reference_judge(&reference, &list, true, 0, &judgement);
	lab_read_reasons(run.ifindex, direction, before);
	verdict = lab_send(&run, data, length);
	if (verdict == LAB_REFUSED) {
		sent.refused++;
		return;
	}
	lab_read_reasons(run.ifindex, direction, after);
	if (verdict != (judgement.reason == KH_REASON_DROPPED ? LAB_DROPPED : LAB_PASSED))
		fail_msg("%s, %s, %zu bytes: %s", lab_program_names[program], text, length,
			 verdict == LAB_DROPPED ? "dropped" : "passed");
	before[judgement.reason].packets++;
	before[judgement.reason].bytes += reference.bytes;
	for (uint32_t i = 0; i < KH_REASON_COUNT; i++)
		if (memcmp(&before[i], &after[i], sizeof(before[i])))
			fail_msg(
				"%s, %s, %zu bytes: %s has %ld packets, %ld bytes more than it should; expected %s, %lu bytes",
				lab_program_names[program], text, length, lab_reason_name(i),
				(long)(after[i].packets - before[i].packets), (long)(after[i].bytes - before[i].bytes),
				lab_reason_name(judgement.reason), (unsigned long)reference.bytes);
	sent.packets[program]++;
	if (judgement.slot) {
		sent.records[judgement.slot].packets++;
		sent.records[judgement.slot].bytes += reference.bytes;
	}
}

static void send_everywhere(const char *text, size_t network, const uint8_t *data, size_t length)
{
	for (enum lab_program program = 0; program < LAB_PROGRAMS; program++)
		if (lab_is_l3(program) == (network >= FIRST_BARE))
			send_one(program, text, data, length);
}

struct combination {
	size_t carrier, network, transport, destination;
	char text[512];
};

/* Calls back for each frame there is. */
static void for_each_frame(void (*callback)(const struct combination *combination, const struct frame *frame))
{
	static struct combination at;
	static struct frame frame;

	for (at.carrier = 0; at.carrier < KH_ARRAY_SIZE(carriers); at.carrier++) {
		for (at.network = 0; at.network < KH_ARRAY_SIZE(networks); at.network++) {
			if (at.network >= FIRST_BARE && at.carrier)
				continue;
			for (at.transport = 0; at.transport < KH_ARRAY_SIZE(transports); at.transport++) {
				for (at.destination = 0; at.destination < 4; at.destination++) {
					const char *address =
						destinations[networks[at.network][0] == '6'][at.destination];
					char network[256];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
					snprintf(network, sizeof(network), networks[at.network], address);
#pragma GCC diagnostic pop
					snprintf(at.text, sizeof(at.text), "%s%s%s %s",
						 at.network >= FIRST_BARE ? "raw " : "", carriers[at.carrier], network,
						 transports[at.transport]);
					frame_build(at.text, &frame);
					callback(&at, &frame);
				}
			}
		}
	}
}

static void send_whole(const struct combination *combination, const struct frame *frame)
{
	send_everywhere(combination->text, combination->network, frame->data, frame->length);
}

static void test_whole(void **state)
{
	(void)state;
	for_each_frame(send_whole);
}

static void send_lengths(const struct combination *combination, const struct frame *frame)
{
	if (combination->transport >= TRUNCATED_TRANSPORTS ||
	    combination->destination != 2 + (combination->carrier + combination->network) % 2)
		return;
	for (size_t length = 14; length < frame->length; length++)
		send_everywhere(combination->text, combination->network, frame->data, length);
}

static void test_every_length(void **state)
{
	(void)state;
	for_each_frame(send_lengths);
}

static struct lab_random numbers = { 0x6b6869656e };

static void send_changed(const struct combination *combination, const struct frame *frame)
{
	static uint8_t data[FRAME_SIZE];
	uint32_t changes = 1 + lab_below(&numbers, 3);

	for (uint32_t round = 0; round < 3; round++) {
		memcpy(data, frame->data, frame->length);
		for (uint32_t i = 0; i < changes; i++) {
			uint32_t at = lab_below(&numbers, (uint32_t)frame->length);

			if (lab_below(&numbers, 2))
				data[at] ^= (uint8_t)(1u << lab_below(&numbers, 8));
			else
				data[at] = (uint8_t)lab_below(&numbers, 256);
		}
		send_everywhere(combination->text, combination->network, data, frame->length - lab_below(&numbers, 4));
	}
}

static void test_changed_bytes(void **state)
{
	(void)state;
	for_each_frame(send_changed);
}

/* Everything sent so far is in the counters, once, as the daemon reads them. */
static void test_sums(void **state)
{
	static struct lab_evidence evidence;
	uint64_t counted = 0, packets = 0;

	(void)state;
	lab_read(&evidence);
	for (size_t i = 0; i < KH_COUNTERS; i++)
		counted += evidence.counters[i].packets;
	for (size_t i = 0; i < LAB_PROGRAMS; i++) {
		assert_true(sent.packets[i] > 400);
		packets += sent.packets[i];
	}
	assert_int_equal(counted, packets);
	assert_true(sent.refused < packets / 20);
	for (size_t i = 0; i < KH_ARRAY_SIZE(orders); i++) {
		const struct kh_record *record = &evidence.records[orders[i].slot];

		assert_int_equal(record->packets, sent.records[orders[i].slot].packets);
		assert_int_equal(record->bytes, sent.records[orders[i].slot].bytes);
		assert_true(record->packets > 0);
	}
	lab_evidence_clear(&evidence);
}

static int setup(void **state)
{
	int code = lab_setup(state);

	for (size_t i = 0; i < KH_ARRAY_SIZE(orders); i++)
		orders[i].range = lab_range(order_ranges[i]);
	lab_install(lab_compile(orders, KH_ARRAY_SIZE(orders), NULL, 0));
	return code;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_sums),
	};
	int code = lab_enter();

	return code ? code : cmocka_run_group_tests(tests, setup, lab_teardown);
}
