// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generations one after the other: preparing changes nothing, switching changes everything at once, abandoning leaves nothing; counters outlive
 * lists, growth and restarts; a closed and opened folder goes on where it was.
 */
#include "lab.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "frames.h"

#define FIRST "203.0.113.7"
#define SECOND "203.0.113.8"

static bool drops(const char *destination)
{
	struct lab_run run = { .program = LAB_XDP, .ifindex = LAB_LAN };
	static struct frame frame;
	char text[128];

	snprintf(text, sizeof(text), "4:192.0.2.57>%s tcp:1024>443", destination);
	frame_build(text, &frame);
	return lab_send(&run, frame.data, frame.length) == LAB_DROPPED;
}

static struct kh_image *compile_one(const char *value, uint32_t slot)
{
	struct kh_compile_order order = { .range = lab_range(value), .slot = slot };

	return lab_compile(&order, 1, NULL, 0);
}

static struct kh_install *prepare(const struct kh_image *image, const uint32_t *fresh, size_t fresh_count)
{
	struct kh_install *install = NULL;
	struct kh_error error = {};

	if (kh_kernel_prepare(lab_kernel(), image->data, image->pages, fresh, fresh_count, &install, &error) < 0)
		fail_msg("cannot prepare: %s", error.text);
	return install;
}

/* The newest map of that name in the kernel; a descriptor, or -1. */
static int newest_map(const char *name)
{
	uint32_t id = 0;
	int newest = -1;

	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = {};
		__u32 length = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &length) || strcmp(info.name, name)) {
			close(fd);
			continue;
		}
		if (newest >= 0)
			close(newest);
		newest = fd;
	}
	return newest;
}

static uint64_t generation(void)
{
	struct kh_image_header header;

	return kh_kernel_generation(lab_kernel(), &header) < 0 ? 0 : header.generation;
}

struct sums {
	uint64_t packets[3], bytes[3]; /* of slots 0..2, over all arrays */
	size_t arrays, retired, longest;
};

static int add_records(uint32_t map, const struct kh_record *records, size_t count, bool retired, void *context)
{
	struct sums *sums = context;

	assert_true(map > 0);
	sums->arrays++;
	sums->retired += retired;
	if (!retired)
		sums->longest = count;
	for (size_t slot = 0; slot < 3; slot++) {
		sums->packets[slot] += records[slot].packets;
		sums->bytes[slot] += records[slot].bytes;
	}
	return 0;
}

static struct sums sum_records(void)
{
	struct sums sums = {};

	assert_int_equal(kh_kernel_records(lab_kernel(), add_records, &sums), 0);
	return sums;
}

static void test_nothing_yet(void **state)
{
	struct kh_image_header header;
	size_t length;
	void *data;

	(void)state;
	assert_false(kh_kernel_adopted(lab_kernel()));
	assert_int_equal(kh_kernel_generation(lab_kernel(), &header), -ENOENT);
	assert_int_equal(kh_kernel_image(lab_kernel(), &data, &length), -ENOENT);
	assert_int_equal(sum_records().arrays, 0);
}

static void test_prepare_and_switch(void **state)
{
	struct kh_image *first = compile_one(FIRST, 1), *second = compile_one(SECOND, 2);
	uint64_t number = kh_image_header(second)->generation;
	struct kh_install *install;
	size_t length = 0;
	void *copy = NULL;

	(void)state;
	install = prepare(first, NULL, 0);
	assert_false(drops(FIRST));
	kh_kernel_switch(lab_kernel(), install);
	assert_true(drops(FIRST));
	assert_false(drops(SECOND));

	install = prepare(second, NULL, 0);
	assert_true(drops(FIRST));
	assert_false(drops(SECOND));
	assert_int_equal(generation(), kh_image_header(first)->generation);
	kh_kernel_switch(lab_kernel(), install);
	assert_false(drops(FIRST));
	assert_true(drops(SECOND));
	assert_int_equal(generation(), number);
	assert_int_equal(kh_kernel_image(lab_kernel(), &copy, &length), 0);
	assert_int_equal(length, second->pages * KH_PAGE_SIZE);
	assert_memory_equal(copy, second->data, length);
	free(copy);

	/* The counters did not notice. */
	assert_int_equal(sum_records().packets[1], 2);
	assert_int_equal(sum_records().packets[2], 1);
	assert_int_equal(sum_records().arrays, 1);
	kh_image_free(first);
	kh_image_free(second);
}

/* The array of the image in force: its length in pages. */
static uint32_t image_array_pages(void)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	int fd = newest_map("kh_image");

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
	close(fd);
	return info.max_entries;
}

/* Arrays made beforehand serve the list, whatever was expected of its length, and leave nothing in it. */
static void test_foreseen(void **state)
{
	struct kh_image *image = compile_one(SECOND, 2);
	const size_t pages = image->pages, expected[] = { 0, 1, pages - 1, pages, pages + 4, 4 * pages };
	const bool taken[] = { false, false, true, true, true, false };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(expected); i++) {
		struct kh_install *install;
		size_t length = 0;
		void *copy = NULL;

		kh_kernel_settle(lab_kernel());
		kh_kernel_foresee(lab_kernel(), 2 * pages); /* nobody takes these */
		kh_kernel_foresee(lab_kernel(), expected[i]);
		install = prepare(image, NULL, 0);
		assert_int_equal(image_array_pages() > pages - KH_BASE_PAGES, taken[i]);
		kh_kernel_switch(lab_kernel(), install);
		assert_true(drops(SECOND));
		assert_false(drops(FIRST));
		assert_int_equal(kh_kernel_image(lab_kernel(), &copy, &length), 0);
		assert_int_equal(length, pages * KH_PAGE_SIZE);
		assert_memory_equal(copy, image->data, length);
		free(copy);
	}
	kh_kernel_settle(lab_kernel());
	kh_kernel_foresee(lab_kernel(), pages);
	kh_kernel_foresee(lab_kernel(), 0);
	kh_image_free(image);
}

static void test_abandon(void **state)
{
	struct kh_image *image = compile_one(FIRST, 1);
	struct sums before = sum_records(), after;
	uint64_t number = generation();

	(void)state;
	kh_kernel_abandon(lab_kernel(), NULL);
	/* Oftener than there are places: nothing may be left behind. */
	for (int i = 0; i < 3 * KH_GENERATION_SLOTS; i++)
		kh_kernel_abandon(lab_kernel(), prepare(image, NULL, 0));
	assert_int_equal(generation(), number);
	assert_true(drops(SECOND));
	assert_false(drops(FIRST));
	after = sum_records();
	assert_int_equal(after.arrays, before.arrays);
	assert_int_equal(after.packets[1], before.packets[1]);
	kh_image_free(image);
}

static void expect_refusal(const void *image, size_t pages, int expected)
{
	struct kh_install *install = NULL;
	struct kh_error error = {};
	struct sums before = sum_records();
	uint64_t number = generation();
	int code = kh_kernel_prepare(lab_kernel(), image, pages, NULL, 0, &install, &error);

	assert_int_equal(code, expected);
	assert_null(install);
	assert_true(error.text[0]);
	assert_int_equal(generation(), number);
	assert_int_equal(sum_records().arrays, before.arrays);
	assert_true(drops(SECOND));
	assert_false(drops(FIRST));
}

static void test_no_image(void **state)
{
	struct kh_image *image = compile_one(FIRST, 1);
	struct kh_image_header *header = image->data, good = *header;

	(void)state;
	expect_refusal(image->data, image->pages - 1, -EINVAL);
	header->slots_needed = UINT32_MAX;
	expect_refusal(image->data, image->pages, -EINVAL);
	*header = good;
	header->abi_version++;
	expect_refusal(image->data, image->pages, -EINVAL);
	*header = good;
	header->magic++;
	expect_refusal(image->data, image->pages, -EINVAL);
	kh_image_free(image);
}

/* The kernel refuses a descriptor, later and later on the way: the old list stays, whole, and nothing else does. */
static void test_refused(void **state)
{
	struct kh_compile_order order = { .range = lab_range(FIRST), .slot = (uint32_t)sum_records().longest };
	struct kh_image *image = lab_compile(&order, 1, NULL, 0);
	struct kh_install *install = NULL;
	struct rlimit limit, low;
	struct kh_error error;
	int next = dup(0), code = -EMFILE;
	rlim_t refusals = 0;

	(void)state;
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (; code == -EMFILE && refusals < 10; refusals++) {
		low = (struct rlimit){ (rlim_t)next + refusals, limit.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
		code = kh_kernel_prepare(lab_kernel(), image->data, image->pages, NULL, 0, &install, &error);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		if (code < 0)
			assert_null(install);
		assert_true(drops(SECOND));
		assert_false(drops(FIRST));
		assert_int_equal(sum_records().arrays, code < 0 ? 1 : 2);
	}
	assert_int_equal(code, 0);
	assert_in_range(refusals, 3, 9);
	kh_kernel_abandon(lab_kernel(), install);
	assert_int_equal(sum_records().arrays, 1);
	kh_image_free(image);
}

/* A slot that serves a new indicator starts at zero; the others go on. */
static void test_fresh_slots(void **state)
{
	struct kh_image *image = compile_one(SECOND, 2);
	static const uint32_t fresh[] = { 1, KH_SLOT_MAX };

	(void)state;
	assert_true(sum_records().packets[1] > 0);
	kh_kernel_switch(lab_kernel(), prepare(image, fresh, KH_ARRAY_SIZE(fresh)));
	assert_int_equal(sum_records().packets[1], 0);
	assert_int_equal(sum_records().bytes[1], 0);
	assert_true(sum_records().packets[2] > 0);
	kh_image_free(image);
}

/* Installs a list that needs a longer record array than the one in force. */
static struct kh_install *prepare_longer(void)
{
	struct kh_compile_order orders[] = { { .range = lab_range(SECOND), .slot = 2 },
					     { .range = lab_range(FIRST), .slot = (uint32_t)sum_records().longest } };
	struct kh_image *image = lab_compile(orders, KH_ARRAY_SIZE(orders), NULL, 0);
	struct kh_install *install = NULL;
	struct kh_error error = {};
	int code = kh_kernel_prepare(lab_kernel(), image->data, image->pages, NULL, 0, &install, &error);

	kh_image_free(image);
	if (code < 0) {
		assert_int_equal(code, -EBUSY);
		assert_true(error.text[0]);
	}
	return install;
}

static void test_growth(void **state)
{
	struct sums before = sum_records(), after;

	(void)state;
	kh_kernel_switch(lab_kernel(), prepare_longer());
	after = sum_records();
	assert_true(after.longest > before.longest);
	assert_int_equal(after.arrays, 2);
	assert_int_equal(after.retired, 1);
	assert_int_equal(after.packets[2], before.packets[2]);
	assert_true(drops(SECOND));
	assert_true(drops(FIRST));
	after = sum_records();
	assert_int_equal(after.packets[2], before.packets[2] + 1);
	assert_int_equal(after.bytes[2], before.bytes[2] + 40);

	/* Retired counts are never overwritten: when every place has some, the next growth is refused. */
	kh_kernel_switch(lab_kernel(), prepare_longer());
	assert_int_equal(sum_records().retired, 2);
	assert_int_equal(sum_records().packets[2], before.packets[2] + 1);
	assert_null(prepare_longer());
	assert_true(drops(SECOND));

	kh_kernel_drop_retired(lab_kernel());
	after = sum_records();
	assert_int_equal(after.arrays, 1);
	assert_int_equal(after.packets[2], 1); /* since the last growth */
	kh_kernel_abandon(lab_kernel(), prepare_longer());
	assert_int_equal(sum_records().arrays, 1);
}

static void test_adoption(void **state)
{
	struct kh_install *install;
	struct kh_image *image = compile_one(FIRST, 1);
	static struct lab_evidence before, after;
	uint64_t number = generation();
	struct kh_counter total = {};

	(void)state;
	drops(SECOND);
	lab_read(&before);
	install = prepare(image, NULL, 0); /* and dies before the switch */
	lab_reopen();
	free(install);
	assert_true(kh_kernel_adopted(lab_kernel()));
	assert_int_equal(generation(), number);
	lab_read(&after);
	assert_memory_equal(before.counters, after.counters, sizeof(before.counters));
	assert_int_equal(before.sightings_count, after.sightings_count);
	assert_int_equal(before.records_count, after.records_count);
	assert_memory_equal(before.records, after.records, before.records_count * sizeof(*before.records));

	/* ... and go on: the interface table is there too. */
	assert_true(drops(SECOND));
	lab_read(&after);
	assert_int_equal(after.records[2].packets, before.records[2].packets + 1);
	total = *lab_counter(&after, LAB_LAN, KH_INGRESS, KH_REASON_DROPPED);
	assert_int_equal(total.packets, lab_counter(&before, LAB_LAN, KH_INGRESS, KH_REASON_DROPPED)->packets + 1);

	/* Nothing of what was prepared is in the way. */
	for (int i = 0; i < 2 * KH_GENERATION_SLOTS; i++)
		kh_kernel_switch(lab_kernel(), prepare(image, NULL, 0));
	assert_true(drops(FIRST));
	assert_false(drops(SECOND));
	lab_evidence_clear(&before);
	lab_evidence_clear(&after);
	kh_image_free(image);
}

/* The real clock: what is counted now was seen now. */
static void test_clock(void **state)
{
	static struct lab_evidence evidence;
	struct kh_image *image;
	time_t now = time(NULL);
	struct kh_compile_order orders[] = {
		{ .range = lab_range(FIRST), .slot = 1, .deadline = (uint32_t)now + 3600 },
		{ .range = lab_range(SECOND), .slot = 2, .deadline = (uint32_t)now - 60 }
	};
	static const uint32_t fresh[] = { 1, 2 };

	(void)state;
	image = lab_compile(orders, KH_ARRAY_SIZE(orders), NULL, 0);
	kh_kernel_switch(lab_kernel(), prepare(image, fresh, 2));
	lab_freeze_clock(1);
	assert_true(drops(SECOND)); /* long ago */
	lab_thaw_clock();
	assert_true(drops(FIRST));
	assert_false(drops(SECOND));
	lab_read(&evidence);
	assert_in_range(evidence.records[1].last_seen, now - 1, time(NULL) + 1);
	assert_int_equal(evidence.records[2].last_seen, 1);
	lab_freeze_clock((uint32_t)now + 3600);
	assert_false(drops(FIRST));
	lab_thaw_clock();
	lab_evidence_clear(&evidence);
	kh_image_free(image);
}

/* Frames given to the probe leave no trace, whatever their verdict. */
static void test_probe(void **state)
{
	static struct lab_evidence before, after;
	static struct frame frame;
	bool dropped;

	(void)state;
	lab_read(&before);
	for (enum kh_probe_program program = KH_PROBE_XDP; program <= KH_PROBE_TC_EGRESS; program++) {
		frame_build("q pppoe 4:192.0.2.57>" FIRST " tcp:1024>443", &frame);
		assert_int_equal(kh_kernel_probe(lab_kernel(), program, frame.data, frame.length, &dropped), 0);
		assert_true(dropped);
		frame_build("4:192.0.2.57>" SECOND " tcp:1024>443", &frame);
		assert_int_equal(kh_kernel_probe(lab_kernel(), program, frame.data, frame.length, &dropped), 0);
		assert_false(dropped);
	}
	lab_read(&after);
	assert_memory_equal(before.counters, after.counters, sizeof(before.counters));
	assert_memory_equal(before.records, after.records, before.records_count * sizeof(*before.records));
	assert_int_equal(before.sightings_count, after.sightings_count);
	lab_evidence_clear(&before);
	lab_evidence_clear(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_yet), cmocka_unit_test(test_prepare_and_switch),
		cmocka_unit_test(test_foreseen),    cmocka_unit_test(test_abandon),
		cmocka_unit_test(test_no_image),    cmocka_unit_test(test_refused),
		cmocka_unit_test(test_fresh_slots), cmocka_unit_test(test_growth),
		cmocka_unit_test(test_adoption),    cmocka_unit_test(test_clock),
		cmocka_unit_test(test_probe),
	};
	int code = lab_enter();

	return code ? code : cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
