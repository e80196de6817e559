// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hostile packets: millions of random and mutated frames through the real programs on every hook. Each frame's verdict, and for each batch the
 * packets and bytes of every reason, are those of the reference parser and the linear scan; for each list so are the counts of every order
 * and all sightings together. A difference ends the run and prints the frame in hex with what sends it again.
 *
 *   frames [--seed N] [--frames N] [--list N [--batch N [--index N]]]
 *
 * What limits the rate is in tests/torture/frames.sh.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/text.h"
#include "hostile.h"
#include "reference.h"

#define BATCHES 800 /* of a list */
#define TC_MAX 3000 /* bytes: test runs of tc take what fits into a page beside its head and tail */
#define XDP_FIRST 3520 /* bytes of a frame in several buffers that are in the first: programs can read no further */

static const struct hook {
	enum lab_program program;
	uint32_t ifindex;
} hooks[] = {
	{ LAB_XDP, LAB_LAN },	 { LAB_XDP, LAB_WAN },	   { LAB_TC_IN, LAB_LAN },     { LAB_TC_IN, LAB_WAN },
	{ LAB_TC_OUT, LAB_WAN }, { LAB_TC_IN_L3, LAB_WG }, { LAB_TC_OUT_L3, LAB_WAN }, { LAB_XDP, LAB_LAN },
};

static struct {
	uint64_t seed, frames;
	uint32_t list, batch, index; /* UINT32_MAX: all */
} chosen = { .frames = 1000000, .list = UINT32_MAX, .batch = UINT32_MAX, .index = UINT32_MAX };

static struct {
	uint64_t frames, refused, lists;
	uint64_t reasons[KH_REASON_ROWS];
} tally;

/* What the list at hand must have counted. */
static struct kh_record wanted[HOSTILE_ORDERS + 1];
static uint64_t sighted;

/* A frame, and what is to become of it. */
struct trial {
	uint32_t list, batch, index;
	const struct hook *hook;
	struct hostile_frame frame;
	struct reference reference;
	struct judgement judgement;
};

static bool is_outbound(const struct hook *hook)
{
	return lab_is_out(hook->program) || hook->ifindex != LAB_WAN;
}

static enum kh_direction direction_of(const struct hook *hook)
{
	return lab_is_out(hook->program) ? KH_EGRESS : KH_INGRESS;
}

/* Headers that lie beyond the first of several buffers are as good as cut off; the bytes are all counted. */
static void read_buffers(struct trial *trial)
{
	const struct hostile_frame *frame = &trial->frame;
	uint64_t bytes;

	reference_read(frame->data, frame->length, &trial->reference);
	if (frame->length <= XDP_FIRST)
		return;
	bytes = trial->reference.bytes;
	reference_read(frame->data, XDP_FIRST, &trial->reference);
	trial->reference.bytes = bytes;
}

static void make(const struct kh_naive_list *list, struct trial *trial)
{
	struct hostile_frame *frame = &trial->frame;
	bool l3 = lab_is_l3(trial->hook->program);

	hostile_frame(trial->batch, trial->index, l3, frame);
	if (trial->hook->program != LAB_XDP && frame->length > TC_MAX)
		frame->length = TC_MAX;
	if (l3)
		reference_read_bare(frame->data, frame->length, (uint16_t)(frame->data[12] << 8 | frame->data[13]),
				    &trial->reference);
	else
		read_buffers(trial);
	reference_judge(&trial->reference, list, is_outbound(trial->hook), HOSTILE_NOW, &trial->judgement);
}

static enum lab_verdict send(const struct trial *trial)
{
	struct lab_run run = { .program = trial->hook->program, .ifindex = trial->hook->ifindex };

	return lab_send(&run, trial->frame.data, trial->frame.length);
}

static void show(const struct trial *trial)
{
	printf("%s on interface %u, %zu bytes, %s; expected %s by order %u, %lu bytes. The frame:\n",
	       lab_program_names[trial->hook->program], trial->hook->ifindex, trial->frame.length, trial->frame.how,
	       lab_reason_name(trial->judgement.reason), trial->judgement.slot, (unsigned long)trial->reference.bytes);
	for (size_t i = 0; i < trial->frame.length; i++)
		printf("%02x", trial->frame.data[i]);
	printf("\nsend it again: frames --seed %lu --list %u --batch %u --index %u\n", (unsigned long)chosen.seed,
	       trial->list, trial->batch, trial->index);
}

static void expect_verdict(const struct trial *trial, enum lab_verdict verdict)
{
	enum lab_verdict should = trial->judgement.reason == KH_REASON_DROPPED ? LAB_DROPPED : LAB_PASSED;

	if (verdict == should)
		return;
	show(trial);
	fail_msg("the verdict was %s", verdict == LAB_DROPPED ? "to drop" : "to pass");
}

static void count(const struct trial *trial, struct kh_counter reasons[static KH_REASON_ROWS])
{
	reasons[trial->judgement.reason].packets++;
	reasons[trial->judgement.reason].bytes += trial->reference.bytes;
}

/* The same frame alone: are its reason and bytes wrong by themselves? */
static bool try_alone(const struct kh_naive_list *list, struct trial *trial)
{
	struct kh_counter should[KH_REASON_ROWS], is[KH_REASON_ROWS];
	bool wrong = false;

	make(list, trial);
	lab_read_reasons(trial->hook->ifindex, direction_of(trial->hook), should);
	if (send(trial) == LAB_REFUSED)
		return false;
	lab_read_reasons(trial->hook->ifindex, direction_of(trial->hook), is);
	count(trial, should);
	for (uint32_t i = 0; i < KH_REASON_COUNT; i++)
		if (memcmp(&is[i], &should[i], sizeof(is[i]))) {
			printf("%s has %ld packets, %ld bytes more than it should\n", lab_reason_name(i),
			       (long)(is[i].packets - should[i].packets), (long)(is[i].bytes - should[i].bytes));
			wrong = true;
		}
	if (wrong)
		show(trial);
	return wrong;
}

static void explain(const struct kh_naive_list *list, struct trial *trial)
{
	for (trial->index = 0; trial->index < HOSTILE_BATCH; trial->index++)
		if (try_alone(list, trial))
			fail_msg("a reason is not the reference's");
	fail_msg("seed %lu, list %u, batch %u: reasons are wrong for the frames together, and right for each alone",
		 (unsigned long)chosen.seed, trial->list, trial->batch);
}

static void account(const struct trial *trial)
{
	struct kh_record *record = &wanted[trial->judgement.slot];

	tally.frames++;
	tally.reasons[trial->judgement.reason]++;
	if (!trial->judgement.slot)
		return;
	record->packets++;
	record->bytes += trial->reference.bytes;
	record->first_seen = record->last_seen = HOSTILE_NOW;
	sighted += trial->judgement.on_destination && is_outbound(trial->hook);
}

static void run_batch(const struct kh_naive_list *list, struct trial *trial)
{
	struct kh_counter should[KH_REASON_ROWS], is[KH_REASON_ROWS];

	trial->hook = &hooks[trial->batch / 8 % KH_ARRAY_SIZE(hooks)];
	lab_read_reasons(trial->hook->ifindex, direction_of(trial->hook), should);
	for (trial->index = 0; trial->index < HOSTILE_BATCH; trial->index++) {
		enum lab_verdict verdict;

		if (chosen.index != UINT32_MAX && trial->index != chosen.index)
			continue;
		make(list, trial);
		verdict = send(trial);
		if (verdict == LAB_REFUSED) {
			tally.refused++;
			continue;
		}
		expect_verdict(trial, verdict);
		count(trial, should);
		account(trial);
	}
	lab_read_reasons(trial->hook->ifindex, direction_of(trial->hook), is);
	if (memcmp(should, is, KH_REASON_COUNT * sizeof(should[0])))
		explain(list, trial);
}

static void install(const struct kh_naive_list *list)
{
	static struct lab_evidence evidence;
	struct kh_image *image = lab_compile(list->orders, list->orders_count, list->holes, list->holes_count);
	uint32_t slots[HOSTILE_ORDERS + 1];
	struct kh_install *prepared = NULL;
	struct kh_error error = {};

	lab_read(&evidence);
	for (size_t i = 0; i < evidence.sightings_count; i++)
		assert_int_equal(kh_kernel_forget_sighting(lab_kernel(), &evidence.sightings[i].key), 0);
	lab_evidence_clear(&evidence);
	for (uint32_t i = 0; i <= HOSTILE_ORDERS; i++)
		slots[i] = i;
	if (kh_kernel_prepare(lab_kernel(), image->data, image->pages, slots, KH_ARRAY_SIZE(slots), &prepared, &error) <
	    0)
		fail_msg("cannot install: %s", error.text);
	kh_kernel_switch(lab_kernel(), prepared);
	kh_kernel_settle(lab_kernel());
	kh_image_free(image);
	memset(wanted, 0, sizeof(wanted));
	sighted = 0;
}

/* Sightings that found no room are counted as lost: no packet is missing. */
static void expect_evidence(uint32_t number, uint64_t lost_before)
{
	static struct lab_evidence evidence;
	uint64_t sum = 0;

	lab_read(&evidence);
	for (uint32_t slot = 1; slot <= HOSTILE_ORDERS; slot++)
		if (memcmp(&evidence.records[slot], &wanted[slot], sizeof(wanted[slot])))
			fail_msg("seed %lu, list %u, order %u: %lu packets, %lu bytes, but expected %lu, %lu",
				 (unsigned long)chosen.seed, number, slot,
				 (unsigned long)evidence.records[slot].packets,
				 (unsigned long)evidence.records[slot].bytes, (unsigned long)wanted[slot].packets,
				 (unsigned long)wanted[slot].bytes);
	for (size_t i = 0; i < evidence.sightings_count; i++)
		sum += evidence.sightings[i].value.packets;
	sum += evidence.sightings_lost - lost_before;
	if (sum != sighted)
		fail_msg("seed %lu, list %u: sightings of %lu packets, %lu expected", (unsigned long)chosen.seed,
			 number, (unsigned long)sum, (unsigned long)sighted);
	lab_evidence_clear(&evidence);
}

static void run_list(uint32_t number)
{
	static struct trial trial;
	struct kh_naive_list list;
	uint64_t lost, events;

	hostile_begin(chosen.seed, number, &list);
	install(&list);
	kh_kernel_losses(lab_kernel(), &events, &lost);
	trial.list = number;
	for (trial.batch = 0; trial.batch < BATCHES; trial.batch++)
		if (chosen.batch == UINT32_MAX || trial.batch == chosen.batch)
			run_batch(&list, &trial);
	expect_evidence(number, lost);
	hostile_end();
	tally.lists++;
}

static void test_hostile_frames(void **state)
{
	(void)state;
	lab_freeze_clock(HOSTILE_NOW);
	if (chosen.list != UINT32_MAX) {
		run_list(chosen.list);
		return;
	}
	for (uint32_t number = 0; tally.frames + tally.refused < chosen.frames; number++)
		run_list(number);
}

static void read_options(int argc, char **argv)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	chosen.seed = (uint64_t)now.tv_sec * 1000003 + (uint64_t)now.tv_nsec;
	for (int i = 1; i + 1 < argc; i += 2) {
		uint64_t value = strtoull(argv[i + 1], NULL, 10);

		if (!strcmp(argv[i], "--seed"))
			chosen.seed = value;
		else if (!strcmp(argv[i], "--frames"))
			chosen.frames = value;
		else if (!strcmp(argv[i], "--list"))
			chosen.list = (uint32_t)value;
		else if (!strcmp(argv[i], "--batch"))
			chosen.batch = (uint32_t)value;
		else if (!strcmp(argv[i], "--index"))
			chosen.index = (uint32_t)value;
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_frames),
	};
	int code;

	read_options(argc, argv);
	printf("seed %lu\n", (unsigned long)chosen.seed);
	code = lab_enter();
	if (!code)
		code = cmocka_run_group_tests(tests, lab_setup, lab_teardown);
	if (code)
		return code;
	printf("figure frames_tried %lu\nfigure frames_lists %lu\nfigure frames_unsendable %lu\n",
	       (unsigned long)tally.frames, (unsigned long)tally.lists, (unsigned long)tally.refused);
	for (uint32_t i = 0; i < KH_REASON_COUNT; i++)
		printf("reason %s %lu\n", lab_reason_name(i), (unsigned long)tally.reasons[i]);
	return 0;
}
