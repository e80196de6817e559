// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists change under live traffic: one processor sends frames at full speed through a veth pair to the attached native program, the other
 * puts one list after another in force. Every packet is accounted for: what was sent arrived or was refused by the device, what arrived has one
 * verdict in the counters, and for each class of packets what the indicators counted and what was seen behind the filter is what was sent. Classes
 * that both lists drop, each for another reason (the source in one, the destination in the other), would come through if a packet were
 * judged by some of both lists. KH_TEST_SWAPS asks for more or fewer than 1,000 swaps, 40 times as many flips.
 */
#include "flood.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTS 32 /* different ones */
#define GROWTHS 4 /* of them, lists that outgrow the array of their records */
#define EACH 2000 /* packets for every list, at least */
#define FLIPS_EACH 40 /* for every swap; even: list A stays */
#define FILLER 100 /* slots from here on are of orders that only take room */

enum fate {
	DROPPED,
	PASSED,
	EITHER, /* dropped by one of the lists */
	COUNTED, /* dropped by one, monitored by the other: counted always */
};

/* An order on a value in list A and on another in list B; NULL: none. */
static const struct class
{
	const char *name, *frame;
	enum fate fate;
	const char *values[2];
	uint16_t ports[2];
} classes[] = {
	{ .name = "in both",
	  .frame = "4:192.0.2.57>203.0.113.7 udp:1024>443",
	  .fate = DROPPED,
	  .values = { "203.0.113.7", "203.0.113.7" } },
	{ .name = "source in A, destination in B",
	  .frame = "4:198.51.100.1>203.0.113.1 udp:1024>443",
	  .fate = DROPPED,
	  .values = { "198.51.100.1", "203.0.113.1" } },
	{ .name = "destination in A, source in B",
	  .frame = "4:198.51.100.2>203.0.113.2 tcp:1024>443",
	  .fate = DROPPED,
	  .values = { "203.0.113.2", "198.51.100.2" } },
	{ .name = "source in A, destination in B, IPv6",
	  .frame = "6:2001:db8:5::1>2001:db8:bad::1 udp:1024>443",
	  .fate = DROPPED,
	  .values = { "2001:db8:5::1", "2001:db8:bad::/64" } },
	{ .name = "destination in A, source in B, IPv6",
	  .frame = "6:2001:db8:5::2>2001:db8:bad:1::1 udp:1024>443",
	  .fate = DROPPED,
	  .values = { "2001:db8:bad:1::1", "2001:db8:5::2" } },
	{ .name = "address in A, port in B, IPv6",
	  .frame = "6:2001:db8:1::57>2001:db8:bad:2::7 udp:1024>443",
	  .fate = DROPPED,
	  .values = { "2001:db8:bad:2::7", "2001:db8:bad:2::7" },
	  .ports = { 0, 443 } },
	{ .name = "port in A, address in B",
	  .frame = "4:192.0.2.57>203.0.113.3 tcp:1024>443",
	  .fate = DROPPED,
	  .values = { "203.0.113.3", "203.0.113.3" },
	  .ports = { 443, 0 } },
	{ .name = "a prefix in A, the address in B",
	  .frame = "4:192.0.2.57>203.0.114.77 udp:1024>443",
	  .fate = DROPPED,
	  .values = { "203.0.114.0/24", "203.0.114.77" } },
	{ .name = "in neither", .frame = "4:192.0.2.57>203.0.113.9 udp:1024>443", .fate = PASSED },
	{ .name = "in neither, IPv6", .frame = "6:2001:db8:1::57>2001:db8:bad:9::9 udp:1024>443", .fate = PASSED },
	{ .name = "allowed in both",
	  .frame = "4:192.0.2.57>203.0.115.9 udp:1024>443",
	  .fate = PASSED,
	  .values = { "203.0.115.0/24", "203.0.115.0/25" } },
	{ .name = "in one",
	  .frame = "4:192.0.2.57>203.0.113.4 udp:1024>443",
	  .fate = EITHER,
	  .values = { "203.0.113.4", NULL } },
	{ .name = "monitored in A, dropped in B",
	  .frame = "6:2001:db8:1::57>2001:db8:bad:3::1 udp:1024>443",
	  .fate = COUNTED,
	  .values = { "2001:db8:bad:3::/64", "2001:db8:bad:3::1" } },
};

/* What was counted by slot, in all record arrays there were; and what stood in the counters before. */
static struct {
	uint64_t packets[FILLER], on_destination[FILLER];
	uint64_t reasons_before[KH_REASON_ROWS];
	struct flood_tally before;
} counted;

static uint32_t swaps = 1000;

/* ---- Lists --------------------------------------------------------------------------------------- */

/* The slot of an order: two for each class, or one where both are the same. */
static uint32_t slot_of(size_t class, size_t list)
{
	const char *const *values = classes[class].values;
	const uint16_t *ports = classes[class].ports;
	bool same = values[0] && values[1] && !strcmp(values[0], values[1]) && ports[0] == ports[1];

	return (uint32_t)(1 + 2 * class + (same ? 0 : list));
}

/* Everything else differs too: how many orders there are, what the neighbours are, so that each section lies elsewhere. */
static struct kh_image *compile_list(size_t list, uint32_t filler)
{
	size_t count = 0, size = KH_ARRAY_SIZE(classes) + filler;
	struct kh_compile_order *orders = calloc(size, sizeof(*orders));
	const struct kh_range holes[] = { lab_range("203.0.115.8/29") };
	struct kh_image *image;

	assert_non_null(orders);
	for (size_t i = 0; i < KH_ARRAY_SIZE(classes); i++) {
		if (classes[i].values[list])
			orders[count++] = (struct kh_compile_order){
				.range = lab_range(classes[i].values[list]),
				.slot = slot_of(i, list),
				.port = classes[i].ports[list],
				.action = classes[i].fate == COUNTED && !list ? KH_ACTION_MONITOR : KH_ACTION_DROP,
			};
	}
	for (uint32_t i = 0; i < filler; i++) {
		char value[KH_RANGE_TEXT];

		if (i % 2)
			snprintf(value, sizeof(value), "2001:db8:%x:%x::/64", 0x1000 + i / 16, i);
		else
			snprintf(value, sizeof(value), "198.%u.%u.%u", list ? 19 : 18, i >> 7 & 0xff, i & 0x7f);
		orders[count++] = (struct kh_compile_order){ .range = lab_range(value), .slot = FILLER + i };
	}
	image = lab_compile(orders, count, holes, KH_ARRAY_SIZE(holes));
	free(orders);
	return image;
}

/* ---- What was counted ------------------------------------------------------------------------------ */

static int add_records(uint32_t map, const struct kh_record *records, size_t count, bool retired, void *context)
{
	(void)map;
	if (!retired && context)
		return 0;
	for (size_t slot = 0; slot < FILLER && slot < count; slot++)
		counted.packets[slot] += records[slot].packets;
	return 0;
}

/* As the daemon does it when a longer array took over: after the switch nothing counts in the old one any more. */
static void fold_retired(void)
{
	bool only_retired = true;

	assert_int_equal(kh_kernel_records(lab_kernel(), add_records, &only_retired), 0);
	kh_kernel_drop_retired(lab_kernel());
}

static void add_sightings(void)
{
	struct kh_sighting_entry *entries = NULL;
	size_t count;
	uint32_t map;

	assert_int_equal(kh_kernel_sightings(lab_kernel(), &entries, &count, &map), 0);
	for (size_t i = 0; i < count; i++) {
		assert_in_range(entries[i].key.slot, 1, FILLER - 1);
		counted.on_destination[entries[i].key.slot] += entries[i].value.packets;
	}
	free(entries);
}

static void read_reasons(uint64_t ret_reasons[static KH_REASON_ROWS])
{
	struct kh_counter counters[KH_REASON_ROWS];

	lab_read_reasons(LAB_LAN, KH_INGRESS, counters);
	for (size_t i = 0; i < KH_REASON_ROWS; i++)
		ret_reasons[i] = counters[i].packets;
}

/* The order stands on the source: no machine is named for it. */
static bool is_on_source(size_t class, size_t list)
{
	struct kh_range value = lab_range(classes[class].values[list]);
	const char *from = strchr(classes[class].frame, ':') + 1;
	char source[KH_ADDRESS_TEXT] = {};
	struct kh_range address;

	memcpy(source, from, strcspn(from, ">"));
	address = lab_range(source);
	return kh_range_contains(&value, &address);
}

/* Packets of a class, by the indicators that they met. */
static uint64_t counted_of(size_t class)
{
	uint64_t packets = 0;

	for (size_t list = 0; list < 2; list++) {
		uint32_t slot = slot_of(class, list);

		if (!classes[class].values[list] || (list && slot == slot_of(class, 0)))
			continue;
		packets += counted.packets[slot];
		if (counted.on_destination[slot] != (is_on_source(class, list) ? 0 : counted.packets[slot]))
			fail_msg("%s, list %c: %lu packets counted, %lu sighted", classes[class].name, "AB"[list],
				 (unsigned long)counted.packets[slot], (unsigned long)counted.on_destination[slot]);
	}
	return packets;
}

/* What became of the packets of a class. Returns how many were judged. */
static uint64_t check_class(size_t class, uint64_t sent, uint64_t passed)
{
	uint64_t met = counted_of(class), judged = met + passed;
	const char *name = classes[class].name;

	switch (classes[class].fate) {
	case DROPPED:
		if (passed)
			fail_msg("%s: %lu of %lu packets came through", name, (unsigned long)passed,
				 (unsigned long)sent);
		break;
	case PASSED:
		if (met)
			fail_msg("%s: %lu of %lu packets met an order", name, (unsigned long)met, (unsigned long)sent);
		break;
	case EITHER: /* both lists were in force */
		assert_true(met > sent / 100 && passed > sent / 100);
		break;
	case COUNTED:
		assert_true(passed > sent / 100 && met - passed > sent / 100);
		judged = met;
		break;
	}
	if (judged > sent)
		fail_msg("%s: %lu sent, %lu counted, %lu came through", name, (unsigned long)sent, (unsigned long)met,
			 (unsigned long)passed);
	return judged;
}

/* Every packet of every class, against the reasons and the device. */
static void check_everything(void)
{
	uint64_t reasons[KH_REASON_ROWS], sent = 0, judged = 0, dropped = 0, passed = 0, by_reason = 0;
	struct flood_tally tally;

	flood_read(&tally);
	read_reasons(reasons);
	for (uint32_t i = 0; i < KH_REASON_ROWS; i++) {
		reasons[i] -= counted.reasons_before[i];
		by_reason += reasons[i];
		if (reasons[i] && i != KH_REASON_DROPPED && i != KH_REASON_PASSED && i != KH_REASON_MONITORED)
			fail_msg("%lu packets %s", (unsigned long)reasons[i], lab_reason_name(i));
	}
	assert_int_equal(kh_kernel_records(lab_kernel(), add_records, NULL), 0);
	add_sightings();
	for (size_t i = 0; i < KH_ARRAY_SIZE(classes); i++) {
		uint64_t of_class = check_class(i, tally.sent[i], tally.passed[i]);

		sent += tally.sent[i];
		judged += of_class;
		passed += tally.passed[i];
		dropped += of_class - tally.passed[i];
	}
	printf("    %lu packets sent, %lu refused by a full queue, %lu dropped, %lu monitored, %lu passed\n",
	       (unsigned long)sent, (unsigned long)(sent - judged), (unsigned long)reasons[KH_REASON_DROPPED],
	       (unsigned long)reasons[KH_REASON_MONITORED], (unsigned long)reasons[KH_REASON_PASSED]);
	assert_int_equal(by_reason, judged);
	assert_int_equal(tally.arrived - counted.before.arrived, judged);
	assert_int_equal(tally.refused - counted.before.refused, sent - judged);
	assert_int_equal(reasons[KH_REASON_DROPPED], dropped);
	assert_int_equal(reasons[KH_REASON_PASSED] + reasons[KH_REASON_MONITORED], passed);
	assert_int_equal(tally.strange, 0);
}

/* ---- The tests ----------------------------------------------------------------------------------- */

static int setup(void **state)
{
	const char *frames[KH_ARRAY_SIZE(classes)];

	for (size_t i = 0; i < KH_ARRAY_SIZE(classes); i++)
		frames[i] = classes[i].frame;
	if (lab_setup(state) < 0)
		return -1;
	flood_open(frames, KH_ARRAY_SIZE(classes));
	return 0;
}

static int teardown(void **state)
{
	flood_close();
	return lab_teardown(state);
}

static void install(const struct kh_image *image, const uint32_t *fresh, size_t count)
{
	struct kh_install *prepared = NULL;
	struct kh_error error = {};

	if (kh_kernel_prepare(lab_kernel(), image->data, image->pages, fresh, count, &prepared, &error) < 0)
		fail_msg("cannot install: %s", error.text);
	kh_kernel_switch(lab_kernel(), prepared);
	fold_retired();
}

/* Puts list A in force, with all counts at zero, and lets the traffic begin. */
static void begin(void)
{
	struct kh_sighting_entry *entries = NULL;
	struct kh_image *image = compile_list(0, 10);
	uint32_t slots[FILLER], map;
	size_t count;

	for (uint32_t i = 0; i < FILLER; i++)
		slots[i] = i;
	install(image, slots, FILLER);
	kh_image_free(image);
	assert_int_equal(kh_kernel_sightings(lab_kernel(), &entries, &count, &map), 0);
	for (size_t i = 0; i < count; i++)
		kh_kernel_forget_sighting(lab_kernel(), &entries[i].key);
	free(entries);
	memset(&counted, 0, sizeof(counted));
	read_reasons(counted.reasons_before);
	flood_read(&counted.before);
	flood_start();
}

static void test_swaps(void **state)
{
	struct kh_image *images[LISTS], *larger;

	(void)state;
	for (uint32_t i = 0; i < LISTS; i++) /* compiling under traffic would only take time */
		images[i] = compile_list(i % 2, 10 * i);
	begin();
	for (uint32_t i = 1; i <= swaps; i++) {
		if (i % (swaps / GROWTHS)) {
			install(images[i % LISTS], NULL, 0);
		} else {
			larger = compile_list(i % 2, 5000 * i / (swaps / GROWTHS));
			install(larger, NULL, 0);
			kh_image_free(larger);
		}
		flood_wait(EACH);
	}
	flood_stop();
	check_everything();
	for (uint32_t i = 0; i < LISTS; i++)
		kh_image_free(images[i]);
}

/* Much faster than any grace period, so that many a packet has the switch in its middle. */
static void test_flips(void **state)
{
	struct kh_image *image = compile_list(1, 64);
	struct kh_install *install = NULL;
	struct kh_error error = {};
	struct lab_random numbers = { 1 };

	(void)state;
	begin();
	assert_int_equal(kh_kernel_prepare(lab_kernel(), image->data, image->pages, NULL, 0, &install, &error), 0);
	for (uint32_t i = 0; i < FLIPS_EACH * swaps; i++) {
		lab_flip();
		if (i % 64 == 0)
			flood_wait(EACH); /* whoever is slow, both run */
		for (uint32_t wait = lab_below(&numbers, 3000); wait; wait--)
			atomic_signal_fence(memory_order_seq_cst);
	}
	flood_stop();
	check_everything();
	kh_kernel_abandon(lab_kernel(), install);
	kh_image_free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_swaps),
		cmocka_unit_test(test_flips),
	};
	const char *asked = getenv("KH_TEST_SWAPS");
	int code = lab_enter();

	if (asked && strtoul(asked, NULL, 10) >= GROWTHS)
		swaps = (uint32_t)strtoul(asked, NULL, 10);
	return code ? code : cmocka_run_group_tests(tests, setup, teardown);
}
