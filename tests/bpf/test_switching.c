// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists change while packets run: switches between two lists, with packets of every kind running all the while on another processor. Each packet
 * is judged by one of the two, wholly. The lists are made so that a mixture would show: packets that both lists drop, but each for another
 * reason (the source or the destination, the address or the port, IPv4's lonely cells or slices), would pass if the reasons were looked up in
 * different lists. The native program under traffic at full speed: test_live.c.
 */
#include "lab.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"

#define SWITCHES 100
#define FLIP_ROUNDS 1500 /* of traffic, while lists flip as fast as they can */
#define BURST 64 /* packets of a class before it is the next one's turn */

enum always {
	DROPPED_ALWAYS,
	PASSED_ALWAYS,
	EITHER, /* dropped by one of the lists */
};

static const struct {
	const char *name, *frame;
	enum always always;
	uint32_t ifindex; /* one each, so that every class has its own counters */
	enum lab_program program;
} classes[] = {
	{ "in both lists", "4:192.0.2.57>203.0.113.7 tcp:1024>443", DROPPED_ALWAYS, LAB_LAN, LAB_XDP },
	{ "source in A, destination in B", "4:198.51.100.1>203.0.113.1 tcp:1024>443", DROPPED_ALWAYS, LAB_WAN,
	  LAB_TC_IN },
	{ "destination in A, source in B", "4:198.51.100.2>203.0.113.2 udp:1024>443", DROPPED_ALWAYS, LAB_COVERED,
	  LAB_TC_IN },
	{ "address in A, port in B, IPv6", "6:2001:db8:1::57>2001:db8:bad::7 tcp:1024>443", DROPPED_ALWAYS, LAB_ANY,
	  LAB_XDP },
	{ "port in A, address in B", "4:192.0.2.57>203.0.113.3 tcp:1024>443", DROPPED_ALWAYS, LAB_WG, LAB_TC_IN },
	{ "in neither", "4:192.0.2.57>203.0.113.9 tcp:1024>443", PASSED_ALWAYS, LAB_FAR, LAB_XDP },
	{ "in one", "4:192.0.2.57>203.0.113.4 tcp:1024>443", EITHER, LAB_WAN, LAB_TC_OUT },
};

static struct {
	_Atomic bool stop;
	_Atomic uint64_t rounds;
	struct frame frames[KH_ARRAY_SIZE(classes)];
	const char *broken; /* a class with a verdict that it must never have */
} traffic;

static void *run_traffic(void *unused)
{
	while (!traffic.stop && !traffic.broken) {
		for (size_t i = 0; i < KH_ARRAY_SIZE(classes); i++) {
			/* Repeated test runs of XDP patch kernel text each time, which is slow. */
			uint32_t repeat = classes[i].program == LAB_XDP ? 1 : BURST;
			struct lab_run run = { .program = classes[i].program,
					       .ifindex = classes[i].ifindex,
					       .repeat = repeat };

			for (uint32_t sent = 0; sent < BURST; sent += repeat) {
				enum lab_verdict verdict =
					lab_send(&run, traffic.frames[i].data, traffic.frames[i].length);

				if (classes[i].always != EITHER &&
				    verdict != (classes[i].always == DROPPED_ALWAYS ? LAB_DROPPED : LAB_PASSED))
					traffic.broken = classes[i].name;
			}
		}
		traffic.rounds++;
	}
	return unused;
}

static size_t add(struct kh_compile_order *orders, size_t count, const char *value, uint16_t port)
{
	orders[count].range = lab_range(value);
	orders[count].slot = (uint32_t)count + 1;
	orders[count].port = port;
	return count + 1;
}

/* Everything else differs too: how many orders there are, what the neighbours are, so that each section lies elsewhere. */
static struct kh_image *compile_list(bool second, uint32_t filler)
{
	struct kh_compile_order orders[600] = {};
	size_t count = 0;

	count = add(orders, count, "203.0.113.7", 0);
	count = add(orders, count, second ? "203.0.113.1" : "198.51.100.1", 0);
	count = add(orders, count, second ? "198.51.100.2" : "203.0.113.2", 0);
	count = add(orders, count, "2001:db8:bad::7", second ? 443 : 0);
	count = add(orders, count, "203.0.113.3", second ? 0 : 443);
	if (second)
		count = add(orders, count, "203.0.113.4", 0);
	for (uint32_t i = 0; i < filler; i++) {
		char value[KH_RANGE_TEXT];

		snprintf(value, sizeof(value), i % 2 ? "198.18.%u.%u/31" : "2001:db8:%x:%x::/64", i / 16 + 1,
			 i % 16 * 2);
		count = add(orders, count, value, 0);
		if (second && i < 16) { /* the /24s of the listed addresses become slices */
			snprintf(value, sizeof(value), "%s.%u", i % 2 ? "203.0.113" : "198.51.100", 64 + 4 * i);
			count = add(orders, count, value, 0);
		}
	}
	return lab_compile(orders, count, NULL, 0);
}

static void expect_class(size_t i, const struct lab_evidence *before, const struct lab_evidence *after,
			 uint64_t packets)
{
	enum kh_direction direction = lab_is_out(classes[i].program) ? KH_EGRESS : KH_INGRESS;
	uint64_t dropped = lab_counter(after, classes[i].ifindex, direction, KH_REASON_DROPPED)->packets -
			   lab_counter(before, classes[i].ifindex, direction, KH_REASON_DROPPED)->packets;
	uint64_t passed = lab_counter(after, classes[i].ifindex, direction, KH_REASON_PASSED)->packets -
			  lab_counter(before, classes[i].ifindex, direction, KH_REASON_PASSED)->packets;

	if (dropped + passed != packets)
		fail_msg("%s: %lu packets sent, %lu dropped, %lu passed", classes[i].name, (unsigned long)packets,
			 (unsigned long)dropped, (unsigned long)passed);
	switch (classes[i].always) {
	case DROPPED_ALWAYS:
		if (passed)
			fail_msg("%s: %lu of %lu packets passed", classes[i].name, (unsigned long)passed,
				 (unsigned long)packets);
		break;
	case PASSED_ALWAYS:
		if (dropped)
			fail_msg("%s: %lu of %lu packets were dropped", classes[i].name, (unsigned long)dropped,
				 (unsigned long)packets);
		break;
	case EITHER: /* both lists were really in force */
		assert_true(dropped > packets / 100);
		assert_true(passed > packets / 100);
		break;
	}
}

/* Calls `change` an even number of times under traffic: at least `times` times with `each` rounds of packets for each, and until there were
 * `rounds` rounds. */
static void run_under_traffic(void (*change)(uint32_t i), uint32_t times, uint64_t each, uint64_t rounds)
{
	static struct lab_evidence before, after;
	pthread_t thread;

	for (size_t i = 0; i < KH_ARRAY_SIZE(classes); i++)
		frame_build(classes[i].frame, &traffic.frames[i]);
	traffic.stop = false;
	traffic.rounds = 0;
	traffic.broken = NULL;
	lab_read(&before);
	assert_int_equal(pthread_create(&thread, NULL, run_traffic, NULL), 0);
	for (uint32_t i = 0; (i < times || i % 2 || traffic.rounds < rounds) && !traffic.broken; i++) {
		change(i);
		while (traffic.rounds < i * each && !traffic.broken)
			sched_yield();
	}
	traffic.stop = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (traffic.broken)
		fail_msg("%s: a verdict that neither list gives", traffic.broken);
	lab_read(&after);
	for (size_t i = 0; i < KH_ARRAY_SIZE(classes); i++)
		expect_class(i, &before, &after, traffic.rounds * BURST);
	/* The first class has the same record in both lists. */
	assert_int_equal(after.records[1].packets - before.records[1].packets, traffic.rounds * BURST);
	lab_evidence_clear(&before);
	lab_evidence_clear(&after);
}

static void install_next(uint32_t i)
{
	lab_install(compile_list(i % 2 == 0, i));
}

static void test_switches(void **state)
{
	(void)state;
	lab_install(compile_list(false, 0));
	run_under_traffic(install_next, SWITCHES, 10, 0);
}

/* Much faster than any grace period, so that many a packet has the switch in its middle. */
static void flip(uint32_t i)
{
	static struct lab_random numbers = { 1 };

	(void)i;
	for (uint32_t wait = lab_below(&numbers, 1000); wait; wait--)
		atomic_signal_fence(memory_order_seq_cst);
	lab_flip();
}

static void test_flips(void **state)
{
	struct kh_image *image = compile_list(true, 64);
	struct kh_install *install = NULL;
	struct kh_error error;

	(void)state;
	lab_install(compile_list(false, 32));
	assert_int_equal(kh_kernel_prepare(lab_kernel(), image->data, image->pages, NULL, 0, &install, &error), 0);
	run_under_traffic(flip, 0, 0, FLIP_ROUNDS);
	kh_kernel_abandon(lab_kernel(), install);
	kh_image_free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_flips),
	};
	int code = lab_enter();

	return code ? code : cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
