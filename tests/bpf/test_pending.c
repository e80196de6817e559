// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts on their way to the records (struct kh_pending): packets hit on two processors, by XDP and tc, while records are read, lists switched
 * and record arrays replaced. Whatever is read holds all that was counted before the reading began, nothing that was not sent before
 * it ended, and in the end every packet and byte, once.
 */
#include "lab.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frames.h"
#include "kernel/private.h"

#define CLASSES 4
#define ROUNDS 60
#define BURST 32
#define BYTES 40 /* of each frame, from layer 3 on */

static const uint32_t slots[CLASSES] = { 5, 21, 37, 9 };

static struct frame frames[CLASSES];
static _Atomic uint64_t started[CLASSES], counted[CLASSES];
static _Atomic bool stop;

struct totals {
	uint64_t packets[CLASSES], bytes[CLASSES];
};
static struct totals dropped_arrays; /* what arrays held that are no more */

struct reading {
	struct totals now, retired;
};

static int add_records(uint32_t map, const struct kh_record *records, size_t count, bool retired, void *context)
{
	struct reading *reading = context;

	(void)map;
	for (size_t i = 0; i < CLASSES; i++) {
		assert_true(slots[i] < count);
		reading->now.packets[i] += records[slots[i]].packets;
		reading->now.bytes[i] += records[slots[i]].bytes;
		reading->retired.packets[i] += retired ? records[slots[i]].packets : 0;
		reading->retired.bytes[i] += retired ? records[slots[i]].bytes : 0;
	}
	return 0;
}

static struct reading read_all(void)
{
	struct reading reading = { .now = dropped_arrays };

	assert_int_equal(kh_kernel_records(lab_kernel(), add_records, &reading), 0);
	return reading;
}

static struct kh_install *prepare(uint32_t highest_slot)
{
	struct kh_compile_order orders[CLASSES + 1] = {};
	struct kh_install *install = NULL;
	struct kh_error error = {};
	struct kh_image *image;

	for (uint32_t i = 0; i < CLASSES; i++) {
		char value[KH_RANGE_TEXT];

		snprintf(value, sizeof(value), "203.0.113.%u", i + 1);
		orders[i] = (struct kh_compile_order){ .range = lab_range(value), .slot = slots[i] };
	}
	orders[CLASSES] = (struct kh_compile_order){ .range = lab_range("203.0.113.99"), .slot = highest_slot };
	image = lab_compile(orders, KH_ARRAY_SIZE(orders), NULL, 0);
	if (kh_kernel_prepare(lab_kernel(), image->data, image->pages, NULL, 0, &install, &error) < 0)
		fail_msg("cannot prepare: %s", error.text);
	kh_image_free(image);
	return install;
}

static void *send_all(void *context)
{
	uint32_t cpu = *(uint32_t *)context;
	struct lab_run run = { .ifindex = LAB_WAN };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (uint32_t turn = 0; !stop; turn++) {
		uint32_t class = turn % CLASSES;

		run.program = turn / CLASSES & 1 ? LAB_XDP : LAB_TC_IN;
		run.repeat = run.program == LAB_XDP ? 1 : turn % 3 ? 1 : BURST;
		started[class] += run.repeat;
		assert_int_equal(lab_send(&run, frames[class].data, frames[class].length), LAB_DROPPED);
		counted[class] += run.repeat;
	}
	return NULL;
}

static void check_reading(struct totals *last)
{
	struct reading reading;
	uint64_t least[CLASSES];

	for (size_t i = 0; i < CLASSES; i++)
		least[i] = counted[i];
	reading = read_all();
	for (size_t i = 0; i < CLASSES; i++) {
		uint64_t most = started[i];

		assert_in_range(reading.now.packets[i], least[i], most);
		assert_true(reading.now.packets[i] >= last->packets[i]);
		assert_in_range(reading.now.bytes[i], least[i] * BYTES, most * BYTES);
		dropped_arrays.packets[i] += reading.retired.packets[i];
		dropped_arrays.bytes[i] += reading.retired.bytes[i];
	}
	kh_kernel_drop_retired(lab_kernel());
	*last = reading.now;
}

static void test_nothing_is_lost_and_nothing_counted_twice(void **state)
{
	uint32_t cpus[] = { 0, sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 : 0 }, highest = 1000;
	struct totals last = {};
	pthread_t threads[2];

	(void)state;
	kh_kernel_switch(lab_kernel(), prepare(highest));
	for (size_t i = 0; i < KH_ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_all, &cpus[i]), 0);
	for (int round = 0; round < ROUNDS; round++) {
		if (round % 3 == 1)
			kh_kernel_switch(lab_kernel(), prepare(highest));
		if (round % 3 == 2) /* a longer record array */
			kh_kernel_switch(lab_kernel(), prepare(highest += highest < 1000000 ? highest : 0));
		check_reading(&last);
	}
	stop = true;
	for (size_t i = 0; i < KH_ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	last = read_all().now;
	for (size_t i = 0; i < CLASSES; i++) {
		assert_true(counted[i] > 0);
		assert_int_equal(last.packets[i], counted[i]);
		assert_int_equal(last.bytes[i], counted[i] * BYTES);
	}
}

static void send_one(uint32_t class)
{
	struct lab_run run = { .program = LAB_XDP, .ifindex = LAB_WAN };

	assert_int_equal(lab_send(&run, frames[class].data, frames[class].length), LAB_DROPPED);
}

/* A user space that died with `hold` set, or with counts on their way, takes nothing with it. */
static void test_death(void **state)
{
	struct totals before = read_all().now, after;

	(void)state;
	send_one(0);
	kh_pending_hold(lab_kernel(), true);
	send_one(0);
	send_one(3);
	lab_reopen();
	assert_int_equal(lab_kernel()->control->hold, 0);
	send_one(3);
	after = read_all().now;
	assert_int_equal(after.packets[0], before.packets[0] + 2);
	assert_int_equal(after.packets[3], before.packets[3] + 2);
}

static uint32_t pending_places(void)
{
	static struct kh_pending pending[1024];
	int cpus = libbpf_num_possible_cpus();
	uint32_t zero = 0, used = 0;

	assert_true(cpus > 0 && cpus <= (int)KH_ARRAY_SIZE(pending));
	assert_int_equal(bpf_map_lookup_elem(lab_kernel()->pending, &zero, pending), 0);
	for (int cpu = 0; cpu < cpus; cpu++)
		used += pending[cpu].queued;
	return used;
}

/* After a switch the place of the old generation may get other records: no count may be left that belongs there. */
static void test_a_switch_leaves_nothing_pending(void **state)
{
	struct totals before = read_all().now, after;

	(void)state;
	send_one(0);
	send_one(3);
	assert_in_range(pending_places(), 1, 4);
	kh_kernel_switch(lab_kernel(), prepare(1000));
	kh_kernel_settle(lab_kernel());
	assert_int_equal(pending_places(), 0);
	after = read_all().now;
	assert_int_equal(after.packets[0], before.packets[0] + 1);
	assert_int_equal(after.packets[3], before.packets[3] + 1);
}

/* Between the switch and what follows it packets are judged by the new list and counted, straight into its records; and what follows is made
 * up for by the next to prepare. */
static void test_before_a_switch_settles(void **state)
{
	struct totals before = read_all().now, after;
	int pending;

	(void)state;
	send_one(0);
	pending = (int)pending_places();
	assert_in_range(pending, 1, 4);
	kh_kernel_switch(lab_kernel(), prepare(1000));
	send_one(0);
	send_one(3);
	assert_int_equal(pending_places(), pending);
	kh_kernel_switch(lab_kernel(), prepare(1000));
	assert_int_equal(pending_places(), 0);
	send_one(3);
	kh_kernel_settle(lab_kernel());
	kh_kernel_settle(lab_kernel());
	after = read_all().now;
	assert_int_equal(after.packets[0], before.packets[0] + 2);
	assert_int_equal(after.packets[3], before.packets[3] + 2);
}

/* A count goes to the array of the generation that judged, whichever is in force when it gets there. */
static void test_each_array_its_own(void **state)
{
	struct kh_install *install = prepare(2000000); /* has another array than the one in force */
	struct reading before = read_all(), after;

	(void)state;
	send_one(0);
	lab_flip();
	send_one(0);
	send_one(0);
	lab_flip();
	after = read_all();
	assert_int_equal(after.now.packets[0], before.now.packets[0] + 3);
	assert_int_equal(after.retired.packets[0], before.retired.packets[0] + 2);
	kh_kernel_abandon(lab_kernel(), install);
}

/* The queue filled, more than once over; read at every level of it. */
static void test_all_places(void **state)
{
	static struct kh_compile_order orders[3 * KH_PENDING_QUEUE + 3];
	static struct lab_evidence evidence;
	static const uint32_t base = 300;

	(void)state;
	for (uint32_t i = 0; i < KH_ARRAY_SIZE(orders); i++)
		orders[i] =
			(struct kh_compile_order){ .range = { 0xcb007100u + i, 0xcb007100u + i, 4 }, .slot = base + i };
	lab_install(lab_compile(orders, KH_ARRAY_SIZE(orders), NULL, 0));
	for (uint32_t sent = 1; sent <= KH_ARRAY_SIZE(orders); sent++) {
		for (uint32_t i = 0; i < sent; i++) {
			struct lab_run run = { .program = LAB_TC_IN, .ifindex = LAB_WAN };
			static struct frame frame;
			char text[128];

			snprintf(text, sizeof(text), "4:203.0.113.%u>192.0.2.57 tcp:1024>443", i);
			frame_build(text, &frame);
			assert_int_equal(lab_send(&run, frame.data, frame.length), LAB_DROPPED);
		}
		lab_read(&evidence);
		for (uint32_t i = 0; i < KH_ARRAY_SIZE(orders); i++)
			assert_int_equal(evidence.records[base + i].packets, i < sent ? sent - i : 0);
		lab_evidence_clear(&evidence);
	}
	assert_int_equal(pending_places(), 0);
}

/* A full queue with a count whose record is not there: all others arrive. */
static void test_a_record_that_is_not_there(void **state)
{
	static struct kh_pending pending[1024];
	struct totals before = read_all().now, after;
	uint32_t zero = 0, place = lab_kernel()->control->active;
	struct kh_pending_count one = { .slot = slots[0], .place = place, .packets = 1, .bytes = BYTES };
	cpu_set_t set, before_set;

	(void)state;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	assert_int_equal(sched_getaffinity(0, sizeof(before_set), &before_set), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	assert_int_equal(bpf_map_lookup_elem(lab_kernel()->pending, &zero, pending), 0);
	for (uint32_t i = 0; i < KH_PENDING_QUEUE; i++)
		pending[0].queue[i] = one;
	pending[0].queue[3].slot = KH_SLOT_MAX;
	pending[0].queue[4].place = KH_GENERATION_SLOTS;
	pending[0].queued = KH_PENDING_QUEUE;
	assert_int_equal(bpf_map_update_elem(lab_kernel()->pending, &zero, pending, BPF_ANY), 0);
	send_one(1); /* after the first listed packet of its queue, the second takes along what waits */
	send_one(1);
	assert_int_equal(sched_setaffinity(0, sizeof(before_set), &before_set), 0);
	assert_int_equal(pending_places(), 1);
	after = read_all().now;
	assert_int_equal(after.packets[0], before.packets[0] + KH_PENDING_QUEUE - 2);
	assert_int_equal(after.packets[1], before.packets[1] + 2);
}

/* The first and the last time are those of the packets, not of their way into the record. */
static void test_times(void **state)
{
	static const uint32_t fresh[] = { 5 };
	static struct lab_evidence evidence;
	struct kh_install *install = NULL;
	struct kh_error error = {};
	struct kh_compile_order order = { .range = lab_range("203.0.113.1"), .slot = 5 };
	struct kh_image *image = lab_compile(&order, 1, NULL, 0);

	(void)state;
	assert_int_equal(kh_kernel_prepare(lab_kernel(), image->data, image->pages, fresh, 1, &install, &error), 0);
	kh_kernel_switch(lab_kernel(), install);
	kh_image_free(image);
	for (uint32_t second = 100; second <= 300; second += 100) {
		lab_freeze_clock(second);
		send_one(0);
	}
	lab_freeze_clock(1000);
	lab_read(&evidence);
	assert_int_equal(evidence.records[5].packets, 3);
	assert_int_equal(evidence.records[5].first_seen, 100);
	assert_int_equal(evidence.records[5].last_seen, 300);
	send_one(0);
	lab_read(&evidence);
	assert_int_equal(evidence.records[5].first_seen, 100);
	assert_int_equal(evidence.records[5].last_seen, 1000);
	lab_thaw_clock();
	lab_evidence_clear(&evidence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost_and_nothing_counted_twice),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_a_switch_leaves_nothing_pending),
		cmocka_unit_test(test_before_a_switch_settles),
		cmocka_unit_test(test_each_array_its_own),
		cmocka_unit_test(test_a_record_that_is_not_there),
		cmocka_unit_test(test_all_places),
		cmocka_unit_test(test_times),
	};
	int code = lab_enter();

	for (uint32_t i = 0; i < CLASSES; i++) {
		char text[128];

		snprintf(text, sizeof(text), "4:203.0.113.%u>192.0.2.57 tcp:1024>443", i + 1);
		frame_build(text, &frames[i]);
	}
	return code ? code : cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
