// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lists of tests/unit/worlds.h through the real programs: hundreds of small ones made to hurt, one after the other, and lists of 10,000 to
 * 1,000,000 orders. Time goes on while a list is in force. Every verdict is the naive matcher's, and so is what was counted: by reason,
 * and by indicator. KH_TEST_LISTS asks for more small lists, KH_TEST_SCALE for one larger, KH_TEST_PROBES for more packets.
 */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "nearby.h"
#include "reference.h"
#include "worlds.h"

#define BASE 1700000000u
#define ORDERS_MAX 40
#define XDP_EVERY 16 /* the kernel patches its text for each test run of XDP, which is slow */

static const struct hook {
	enum lab_program program;
	uint32_t ifindex;
	bool outbound;
} hooks[] = {
	{ LAB_TC_IN, LAB_LAN, true },
	{ LAB_TC_IN, LAB_WAN, false },
	{ LAB_TC_OUT, LAB_WAN, true },
	{ LAB_XDP, LAB_WAN, false },
};

/* What was sent under one list, and what it must have counted. */
struct trial {
	const char *name;
	struct kh_world world;
	struct kh_nearby *nearby; /* NULL: short enough to scan */
	uint64_t random;
	uint64_t *packets, *bytes; /* by slot */
	uint64_t reasons[KH_ARRAY_SIZE(hooks)][KH_REASON_ROWS];
};

static size_t number_from(const char *variable, size_t otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void random_frame(struct trial *trial, struct frame *ret_frame)
{
	static const char *const carriers[] = { "", "", "", "q ", "q pppoe " };
	static const char *const transports[] = { "tcp:%u>%u", "udp:%u>%u", "tcp:%u>%u", "frag=0+ udp:%u>%u",
						  "icmp data=%u" };
	static const uint32_t ports[] = { 1, 2, 3, 443, 700 };
	uint8_t family = kh_world_below(&trial->random, 2) ? 4 : 6;
	struct kh_range from = kh_world_address(&trial->world, &trial->random, family),
			to = kh_world_address(&trial->world, &trial->random, family);
	char source[KH_RANGE_TEXT], destination[KH_RANGE_TEXT], transport[64], text[512];

	if (kh_world_below(&trial->random, 2)) /* an office machine, on no small list but by a broad order */
		from.first = from.last = family == 4 ? 0xc0000239u : lab_range("2001:db8:1::57").first;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(transport, sizeof(transport), transports[kh_world_below(&trial->random, 5)],
		 ports[kh_world_below(&trial->random, 5)], ports[kh_world_below(&trial->random, 5)]);
#pragma GCC diagnostic pop
	snprintf(text, sizeof(text), "%s%d:%s>%s %s", carriers[kh_world_below(&trial->random, 5)], family,
		 kh_range_format(&from, source), kh_range_format(&to, destination), transport);
	frame_build(text, ret_frame);
}

/* More orders on one side than an image keeps? Then only the verdict is promised, not which order it names. */
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

static void send_one(struct trial *trial, uint32_t now)
{
	static struct frame frame;
	size_t number = kh_world_below(&trial->random, XDP_EVERY) ? kh_world_below(&trial->random, 3) : 3;
	const struct hook *hook = &hooks[number];
	struct lab_run run = { .program = hook->program, .ifindex = hook->ifindex };
	struct kh_naive_list near = trial->world.list;
	struct reference reference;
	struct judgement judgement;
	enum lab_verdict verdict;
	bool crowded;

	random_frame(trial, &frame);
	reference_read(frame.data, frame.length, &reference);
	if (trial->nearby)
		assert_true(kh_nearby_list(trial->nearby,
					   (struct kh_range[]){ reference.source, reference.destination }, 2, &near));
	crowded = is_crowded(&reference, &near);
	if (crowded)
		run.ifindex = LAB_UNKNOWN; /* judged, and not counted */
	reference_judge(&reference, &near, crowded ? hook->program == LAB_TC_OUT : hook->outbound, now, &judgement);
	verdict = lab_send(&run, frame.data, frame.length);
	if (verdict != (judgement.reason == KH_REASON_DROPPED ? LAB_DROPPED : LAB_PASSED)) {
		char source[KH_RANGE_TEXT], destination[KH_RANGE_TEXT];

		fail_msg("%s, %s, at %u: %s to %s, ports %u %u, protocol %u: expected %s by order %u", trial->name,
			 lab_program_names[hook->program], now - BASE, kh_range_format(&reference.source, source),
			 kh_range_format(&reference.destination, destination), reference.source_port,
			 reference.destination_port, reference.protocol, lab_reason_name(judgement.reason),
			 judgement.slot);
	}
	if (crowded)
		return;
	trial->reasons[number][judgement.reason]++;
	if (judgement.slot) {
		trial->packets[judgement.slot]++;
		trial->bytes[judgement.slot] += reference.bytes;
	}
}

/* Compiles and installs the list, with all counts at zero. */
static void install(const struct trial *trial)
{
	const struct kh_naive_list *list = &trial->world.list;
	struct kh_image *image = lab_compile(list->orders, list->orders_count, list->holes, list->holes_count);
	uint32_t *slots = calloc(list->orders_count + 1, sizeof(*slots));
	struct kh_install *prepared = NULL;
	struct kh_error error = {};

	assert_non_null(slots);
	for (uint32_t i = 0; i <= list->orders_count; i++)
		slots[i] = i;
	if (kh_kernel_prepare(lab_kernel(), image->data, image->pages, slots, list->orders_count + 1, &prepared,
			      &error) < 0)
		fail_msg("%s: cannot install: %s", trial->name, error.text);
	kh_kernel_switch(lab_kernel(), prepared);
	kh_kernel_drop_retired(lab_kernel());
	kh_image_free(image);
	free(slots);
}

static int check_records(uint32_t map, const struct kh_record *records, size_t count, bool retired, void *context)
{
	const struct trial *trial = context;

	(void)map;
	if (retired)
		return 0;
	assert_true(count > trial->world.list.orders_count);
	for (size_t slot = 1; slot <= trial->world.list.orders_count; slot++)
		if (records[slot].packets != trial->packets[slot] || records[slot].bytes != trial->bytes[slot])
			fail_msg("%s, order %zu: counted %lu packets, %lu bytes, but expected %lu, %lu", trial->name,
				 slot, (unsigned long)records[slot].packets, (unsigned long)records[slot].bytes,
				 (unsigned long)trial->packets[slot], (unsigned long)trial->bytes[slot]);
	return 0;
}

/* `before` is what stood there at first and becomes what stands there now. */
static void check_reasons(struct trial *trial, struct kh_counter before[][KH_REASON_ROWS])
{
	for (size_t hook = 0; hook < KH_ARRAY_SIZE(hooks); hook++) {
		struct kh_counter now[KH_REASON_ROWS];
		enum kh_direction direction = lab_is_out(hooks[hook].program) ? KH_EGRESS : KH_INGRESS;

		if (hooks[hook].program == LAB_XDP) /* counted with the hook before, of the same device */
			continue;
		lab_read_reasons(hooks[hook].ifindex, direction, now);
		for (uint32_t reason = 0; reason < KH_REASON_COUNT; reason++) {
			uint64_t wanted = trial->reasons[hook][reason];

			if (hooks[hook].program == LAB_TC_IN && hooks[hook].ifindex == LAB_WAN)
				wanted += trial->reasons[3][reason];
			if (now[reason].packets - before[hook][reason].packets != wanted)
				fail_msg("%s, %s: %lu packets %s, expected %lu", trial->name,
					 lab_program_names[hooks[hook].program],
					 (unsigned long)(now[reason].packets - before[hook][reason].packets),
					 lab_reason_name(reason), (unsigned long)wanted);
		}
		memcpy(before[hook], now, sizeof(now));
	}
}

static void forget_sightings(void)
{
	struct kh_sighting_entry *entries = NULL;
	size_t count;
	uint32_t map;

	assert_int_equal(kh_kernel_sightings(lab_kernel(), &entries, &count, &map), 0);
	for (size_t i = 0; i < count; i++)
		kh_kernel_forget_sighting(lab_kernel(), &entries[i].key);
	free(entries);
}

/* Puts the list in force and sends `packets` while the time goes from before the first deadline until after the last. */
static void try_list(enum kh_world_kind kind, size_t size, uint64_t seed, uint32_t packets, uint32_t moments)
{
	static struct kh_counter reasons[KH_ARRAY_SIZE(hooks)][KH_REASON_ROWS];
	struct trial trial = { .name = kh_world_names[kind], .random = seed };

	assert_true(kh_world_make(kind, size, seed, BASE, &trial.world));
	trial.packets = calloc(trial.world.list.orders_count + 1, sizeof(*trial.packets));
	trial.bytes = calloc(trial.world.list.orders_count + 1, sizeof(*trial.bytes));
	assert_true(trial.packets && trial.bytes);
	if (size > ORDERS_MAX) {
		trial.nearby = kh_nearby_make(&trial.world.list);
		assert_non_null(trial.nearby);
	}
	install(&trial);
	for (uint32_t moment = 0; moment < moments; moment++) {
		uint32_t now = BASE + moment * (KH_WORLD_MOMENTS + 1) / (moments - 1);

		lab_freeze_clock(now);
		for (uint32_t i = 0; i < packets / moments; i++)
			send_one(&trial, now);
	}
	assert_int_equal(kh_kernel_records(lab_kernel(), check_records, &trial), 0);
	check_reasons(&trial, reasons);
	kh_nearby_free(trial.nearby);
	free(trial.packets);
	free(trial.bytes);
	kh_world_clear(&trial.world);
}

static void test_lists_made_to_hurt(void **state)
{
	size_t lists = number_from("KH_TEST_LISTS", 20);

	(void)state;
	for (uint64_t seed = 1; seed <= lists; seed++) {
		for (enum kh_world_kind kind = 0; kind < KH_WORLD_SMALL; kind++)
			try_list(kind, ORDERS_MAX, seed, 200, 4);
		forget_sightings();
	}
}

static void test_large_lists(void **state)
{
	size_t counts[] = { 10000, 100000, 1000000, number_from("KH_TEST_SCALE", 0) };
	uint32_t packets = (uint32_t)number_from("KH_TEST_PROBES", 12000);

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(counts) && counts[i]; i++) {
		try_list(KH_WORLD_RANDOM, counts[i], 1, packets, 7);
		try_list(KH_WORLD_CLUSTERED, counts[i], 1, packets, 7);
		forget_sightings();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_made_to_hurt),
		cmocka_unit_test(test_large_lists),
	};
	int code = lab_enter();

	return code ? code : cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
