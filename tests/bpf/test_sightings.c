// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sightings, first-sight events and the interface table at their limits: what is lost is counted, the verdict never changes, and nothing that was
 * there is evicted.
 */
#include "lab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "frames.h"

#define NOW 1700000000u
#define DROPPED "203.0.113.7"
#define MONITORED "203.0.113.8"

static struct lab_evidence evidence;

/* One packet from 10.77.x.x to a listed address. */
static enum lab_verdict call(uint32_t machine, const char *destination, uint16_t segments)
{
	struct lab_run run = { .program = LAB_TC_IN, .ifindex = LAB_LAN, .gso_segs = segments };
	static struct frame frame;
	char text[128];

	snprintf(text, sizeof(text), "4:10.77.%u.%u>%s tcp:1024>443", machine / 256, machine % 256, destination);
	frame_build(text, &frame);
	return lab_send(&run, frame.data, frame.length);
}

static struct kh_sighting_key key_of(uint32_t machine, uint32_t slot)
{
	struct kh_sighting_key key = { .slot = slot, .interface = lab_number(LAB_LAN) };
	uint8_t address[16] = { [10] = 0xff, 0xff, 10, 77, (uint8_t)(machine / 256), (uint8_t)machine };

	memcpy(key.mac, FRAME_MAC, sizeof(key.mac));
	memcpy(key.address, address, sizeof(address));
	return key;
}

static const struct kh_sighting *sighting_of(uint32_t machine, uint32_t slot)
{
	struct kh_sighting_key key = key_of(machine, slot);

	lab_read(&evidence);
	return lab_sighting(&evidence, &key);
}

static void forget_all(void)
{
	lab_read(&evidence);
	for (size_t i = 0; i < evidence.sightings_count; i++)
		assert_int_equal(kh_kernel_forget_sighting(lab_kernel(), &evidence.sightings[i].key), 0);
}

static void count_event(const struct kh_event *event, void *context)
{
	assert_int_equal(event->reserved, 0);
	++*(size_t *)context;
}

static size_t drain_events(void)
{
	size_t count = 0;

	assert_true(kh_kernel_events_fd(lab_kernel()) >= 0);
	assert_true(kh_kernel_events(lab_kernel(), count_event, &count) >= 0);
	return count;
}

static void test_first_and_last(void **state)
{
	const struct kh_sighting *sighting;

	(void)state;
	lab_freeze_clock(NOW);
	call(1, DROPPED, 0);
	lab_freeze_clock(NOW + 5);
	call(1, DROPPED, 3);
	sighting = sighting_of(1, 1);
	assert_non_null(sighting);
	assert_int_equal(sighting->first_seen, NOW);
	assert_int_equal(sighting->last_seen, NOW + 5);
	assert_int_equal(sighting->packets, 4);
	assert_int_equal(sighting->bytes, 4 * 40);
	assert_int_equal(evidence.records[1].first_seen, NOW);
	assert_int_equal(evidence.records[1].last_seen, NOW + 5);
	assert_int_equal(drain_events(), 1);
}

/* DHCP moves addresses: the same one with another MAC is another machine. */
static void test_mac(void **state)
{
	struct lab_run run = { .program = LAB_XDP, .ifindex = LAB_LAN };
	struct kh_sighting_key key = key_of(1, 1);
	static struct frame frame;

	(void)state;
	frame_build("4:10.77.0.1>" DROPPED " tcp:1024>443", &frame);
	frame.data[11] ^= 1;
	key.mac[5] ^= 1;
	assert_int_equal(lab_send(&run, frame.data, frame.length), LAB_DROPPED);
	lab_read(&evidence);
	assert_int_equal(evidence.sightings_count, 2);
	assert_non_null(lab_sighting(&evidence, &key));
	assert_int_equal(drain_events(), 1);
}

static void test_forgotten(void **state)
{
	struct kh_sighting_key key = key_of(1, 1);

	(void)state;
	assert_int_equal(kh_kernel_forget_sighting(lab_kernel(), &key), 0);
	assert_int_equal(kh_kernel_forget_sighting(lab_kernel(), &key), -ENOENT);
	call(1, DROPPED, 0);
	assert_int_equal(sighting_of(1, 1)->packets, 1);
	assert_int_equal(drain_events(), 1); /* seen for the first time again */
}

static void test_full_table(void **state)
{
	struct kh_sighting_key known = key_of(1, 1);
	uint64_t dropped;

	(void)state;
	lab_read(&evidence);
	dropped = evidence.records[1].packets;
	lab_fill_sightings(KH_SIGHTINGS_MAX - (uint32_t)evidence.sightings_count);
	assert_int_equal(call(2, DROPPED, 0), LAB_DROPPED);
	assert_int_equal(call(2, DROPPED, 5), LAB_DROPPED);
	assert_int_equal(call(3, MONITORED, 0), LAB_PASSED);
	assert_int_equal(call(1, DROPPED, 0), LAB_DROPPED); /* has its place */
	lab_read(&evidence);
	assert_int_equal(evidence.sightings_lost, 7);
	assert_int_equal(evidence.events_lost, 0);
	assert_int_equal(evidence.sightings_count, KH_SIGHTINGS_MAX);
	assert_int_equal(lab_sighting(&evidence, &known)->packets, 2);
	assert_int_equal(evidence.records[1].packets, dropped + 7);
	assert_int_equal(drain_events(), 0);

	/* A place that is free again serves the next. */
	assert_int_equal(kh_kernel_forget_sighting(lab_kernel(), &known), 0);
	assert_int_equal(call(4, DROPPED, 0), LAB_DROPPED);
	assert_int_equal(sighting_of(4, 1)->packets, 1);
	assert_int_equal(evidence.sightings_lost, 7);
	assert_int_equal(drain_events(), 1);
	forget_all();
}

static void test_full_buffer(void **state)
{
	uint32_t machines = KH_EVENTS_BYTES / sizeof(struct kh_event) - 500;
	size_t events;

	(void)state;
	for (uint32_t machine = 0; machine < machines; machine++)
		assert_int_equal(call(machine, machine % 2 ? DROPPED : MONITORED, 0),
				 machine % 2 ? LAB_DROPPED : LAB_PASSED);
	lab_read(&evidence);
	assert_int_equal(evidence.sightings_count, machines);
	assert_int_equal(evidence.sightings_lost, 7);
	assert_true(evidence.events_lost > 0);
	events = drain_events();
	assert_int_equal(events + evidence.events_lost, machines);
	call(machines, DROPPED, 0); /* there is room again */
	assert_int_equal(drain_events(), 1);
	forget_all();
}

/* ---- The interface table ---- */

static void test_interface_limits(void **state)
{
	struct kh_interface table[KH_INTERFACE_PROBES + 1] = {};
	struct kh_error error = {};

	(void)state;
	for (uint32_t i = 0; i < KH_ARRAY_SIZE(table); i++) {
		table[i].ifindex = LAB_LAN + i * KH_INTERFACE_PLACES;
		table[i].role = KH_ROLE_WAN;
		table[i].number = (uint8_t)(20 + i);
	}
	assert_int_equal(kh_kernel_set_interfaces(lab_kernel(), table, KH_ARRAY_SIZE(table), &error), -ENOSPC);
	assert_true(error.text[0]);
	table[1].number = KH_INTERFACES_MAX;
	assert_int_equal(kh_kernel_set_interfaces(lab_kernel(), table, 2, &error), -EINVAL);
	/* What was refused changed nothing: still a LAN. */
	call(1, DROPPED, 0);
	assert_non_null(sighting_of(1, 1));
	forget_all();
	drain_events();
}

/* A LAN that becomes a WAN, and one that is watched no more. */
static void test_interfaces_change(void **state)
{
	struct kh_interface table = { .ifindex = LAB_LAN, .role = KH_ROLE_WAN, .number = lab_number(LAB_LAN) };
	struct kh_error error = {};
	uint64_t counted;

	(void)state;
	assert_int_equal(kh_kernel_set_interfaces(lab_kernel(), &table, 1, &error), 0);
	assert_int_equal(call(1, DROPPED, 0), LAB_DROPPED);
	lab_read(&evidence);
	assert_int_equal(evidence.sightings_count, 0);
	counted = lab_counter(&evidence, LAB_LAN, KH_INGRESS, KH_REASON_DROPPED)->packets;
	assert_int_equal(kh_kernel_set_interfaces(lab_kernel(), NULL, 0, &error), 0);
	assert_int_equal(call(1, DROPPED, 0), LAB_DROPPED);
	lab_read(&evidence);
	assert_int_equal(lab_counter(&evidence, LAB_LAN, KH_INGRESS, KH_REASON_DROPPED)->packets, counted);
	lab_evidence_clear(&evidence);
}

static int setup(void **state)
{
	int code = lab_setup(state);
	struct kh_compile_order orders[] = {
		{ .range = lab_range(DROPPED), .slot = 1 },
		{ .range = lab_range(MONITORED), .slot = 2, .action = KH_ACTION_MONITOR }
	};

	lab_install(lab_compile(orders, KH_ARRAY_SIZE(orders), NULL, 0));
	return code;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_and_last),	  cmocka_unit_test(test_mac),
		cmocka_unit_test(test_forgotten),	  cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_full_buffer),	  cmocka_unit_test(test_interface_limits),
		cmocka_unit_test(test_interfaces_change),
	};
	int code = lab_enter();

	return code ? code : cmocka_run_group_tests(tests, setup, lab_teardown);
}
