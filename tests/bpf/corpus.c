// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real lists, from the file to the verdict: `corpus OUT [--allow FILE]... FILE...` reads the files with the reader, compiles all of them into one
 * generation, and compares what kh_image_lookup() and, as root, the real programs say with the naive matcher, on addresses at the borders of the
 * list, in it and anywhere. The addresses that the image blocks go to OUT.4 and OUT.6 as "first-last" lines, sorted and merged, for
 * comparison with what other programs make of the same files. Allowed files are holes. KH_TEST_PROBES: how many addresses.
 */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"
#include "frames.h"
#include "nearby.h"
#include "reader/reader.h"
#include "reference.h"
#include "worlds.h"

#define FILES_MAX 64
#define PROBES 200000
#define PACKETS_SHARE 10 /* one probe in so many is also a packet */
#define LINEAR_TIMES 20 /* addresses that are also judged by a scan over the whole list */

static struct kh_document *documents[FILES_MAX];
static struct kh_compile_list lists[FILES_MAX];
static size_t documents_count, lists_count;
static struct kh_world world; /* all orders and holes, however they were held */
static struct kh_compile_order *findings; /* those that are in none of the bulk lists */
static size_t orders_capacity, holes_capacity, findings_count, findings_capacity;
static uint64_t numbers = 1;

static void die(const char *what, const char *about)
{
	fprintf(stderr, "corpus: %s: %s\n", about, what);
	exit(1);
}

/* ---- Reading ------------------------------------------------------------------------------------- */

static struct kh_compile_order *add_order(const struct kh_range *range)
{
	struct kh_compile_order *order;

	if (kh_grow(&world.orders, &orders_capacity, world.list.orders_count + 1, sizeof(*world.orders)) < 0)
		die("no memory", "orders");
	order = &world.orders[world.list.orders_count++];
	*order = (struct kh_compile_order){ .range = *range, .slot = (uint32_t)world.list.orders_count };
	return order;
}

static void add_hole(const struct kh_range *range)
{
	if (kh_grow(&world.holes, &holes_capacity, world.list.holes_count + 1, sizeof(*world.holes)) < 0)
		die("no memory", "holes");
	world.holes[world.list.holes_count++] = *range;
}

static void take_finding(const struct kh_finding *finding, bool allow)
{
	const struct kh_indicator *indicator = &finding->indicator;
	struct kh_compile_order *order;

	if (finding->proposed != KH_ENFORCE || indicator->type > KH_TYPE_RANGE)
		return;
	if (allow) {
		add_hole(&indicator->range);
		return;
	}
	if (kh_grow(&findings, &findings_capacity, findings_count + 1, sizeof(*findings)) < 0)
		die("no memory", "orders");
	order = add_order(&indicator->range);
	findings[findings_count++] = *order;
}

/* As the daemon takes it: a long list as it is, everything else value by value. */
static void take_file(const char *path, bool allow)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	struct kh_error error = {};
	struct kh_document *document = NULL;
	size_t length;

	if (documents_count == FILES_MAX)
		die("too many files", path);
	if (kh_file_read(path, KH_READER_MAX_BYTES, &text, &length) < 0)
		die("cannot be read", path);
	if (kh_reader_read(path, text, length, &document, &error) < 0)
		die(error.text, path);
	documents[documents_count++] = document;
	for (size_t i = 0; i < document->findings_count; i++)
		take_finding(&document->findings[i], allow);
	if (kh_bulk_count(&document->bulk) && !allow)
		lists[lists_count++] = (struct kh_compile_list){ .values = &document->bulk,
								 .first_slot = (uint32_t)world.list.orders_count + 1 };
	for (size_t i = 0; i < kh_bulk_count(&document->bulk); i++) {
		uint32_t line;
		struct kh_range range = kh_bulk_range(&document->bulk, i, &line);

		if (allow)
			add_hole(&range);
		else
			add_order(&range);
	}
}

static struct kh_image *compile_all(void)
{
	struct kh_compile_input input = { .orders = findings,
					  .orders_count = findings_count,
					  .lists = lists,
					  .lists_count = lists_count,
					  .holes = world.holes,
					  .holes_count = world.list.holes_count };
	struct kh_image *image = NULL;
	struct kh_error error = {};

	if (kh_compile_all(&input, 1, &image, &error) < 0 ||
	    kh_image_check(image->data, image->pages * KH_PAGE_SIZE, &error) < 0)
		die(error.text, "compile");
	return image;
}

/* ---- The merged set ------------------------------------------------------------------------------- */

static int compare_borders(const void *left, const void *right)
{
	const kh_u128 *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static size_t gather_borders(uint8_t family, kh_u128 *borders)
{
	const struct kh_naive_list *list = &world.list;
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < list->orders_count + list->holes_count; i++) {
		const struct kh_range *range =
			i < list->orders_count ? &list->orders[i].range : &list->holes[i - list->orders_count];

		if (range->family != family)
			continue;
		borders[count++] = range->first;
		if (range->last != kh_address_max(family))
			borders[count++] = range->last + 1;
	}
	qsort(borders, count, sizeof(*borders), compare_borders);
	for (size_t i = 0; i < count; i++)
		if (!kept || borders[kept - 1] != borders[i])
			borders[kept++] = borders[i];
	return kept;
}

static void print_range(FILE *file, kh_u128 first, kh_u128 last, uint8_t family)
{
	struct kh_range from = { first, first, family }, to = { last, last, family };
	char a[KH_RANGE_TEXT], b[KH_RANGE_TEXT];

	fprintf(file, "%s-%s\n", kh_range_format(&from, a), kh_range_format(&to, b));
}

/* What the image says changes at borders only, and here it is asked at every one. Returns how many ranges there are. */
static size_t write_merged(const struct kh_image *image, uint8_t family, const char *out)
{
	kh_u128 *borders KH_CLEANUP(kh_freep) =
		calloc(2 * (world.list.orders_count + world.list.holes_count) + 1, sizeof(*borders));
	FILE *file KH_CLEANUP(kh_fclosep) = NULL;
	char path[4096];
	size_t count, ranges = 0;
	bool open = false;
	kh_u128 first = 0;

	snprintf(path, sizeof(path), "%s.%d", out, family);
	file = fopen(path, "we");
	if (!borders || !file)
		die("cannot be written", path);
	count = gather_borders(family, borders);
	for (size_t i = 0; i < count; i++) {
		struct kh_range address = { borders[i], borders[i], family };
		bool blocked = kh_image_lookup(image, &address) != KH_REF_NONE;

		if (blocked && !open)
			first = borders[i];
		if (open && !blocked)
			print_range(file, first, borders[i] - 1, family);
		ranges += open && !blocked;
		open = blocked;
	}
	if (open)
		print_range(file, first, kh_address_max(family), family);
	return ranges + open;
}

/* ---- Against the naive matcher --------------------------------------------------------------------- */

static struct kh_naive_verdict from_image(const struct kh_image *image, const struct kh_range *address)
{
	struct kh_naive_verdict verdict = {};

	kh_image_resolve(image, kh_image_lookup(image, address), 0, &verdict.slot, &verdict.action);
	return verdict;
}

static void probe(const struct kh_image *image, struct kh_nearby *nearby, bool linear)
{
	struct kh_naive_query query = { .address = kh_world_address(&world, &numbers,
								    kh_world_below(&numbers, 2) ? 4 : 6) };
	struct kh_naive_verdict found = from_image(image, &query.address), wanted;
	struct kh_naive_list near;
	char text[KH_RANGE_TEXT];

	if (!kh_nearby_list(nearby, &query.address, 1, &near))
		die("no memory", "orders of an address");
	wanted = kh_naive_match(linear ? &world.list : &near, &query);
	if (found.slot != wanted.slot || found.action != wanted.action) {
		fprintf(stderr, "%s: found %u, wanted %u\n", kh_range_format(&query.address, text), found.slot,
			wanted.slot);
		exit(1);
	}
}

/* The programs judge both addresses of a packet; nothing is counted. */
static void probe_packet(struct kh_nearby *nearby)
{
	static struct frame frame;
	struct lab_run run = { .program = kh_world_below(&numbers, 8) ? LAB_TC_IN : LAB_XDP, .ifindex = LAB_UNKNOWN };
	uint8_t family = kh_world_below(&numbers, 2) ? 4 : 6;
	struct kh_range from = kh_world_address(&world, &numbers, family),
			to = kh_world_address(&world, &numbers, family);
	char source[KH_RANGE_TEXT], destination[KH_RANGE_TEXT], text[512];
	struct reference reference;
	struct judgement judgement;
	struct kh_naive_list near;

	snprintf(text, sizeof(text), "%d:%s>%s udp:1024>443", family, kh_range_format(&from, source),
		 kh_range_format(&to, destination));
	frame_build(text, &frame);
	reference_read(frame.data, frame.length, &reference);
	if (!kh_nearby_list(nearby, (struct kh_range[]){ from, to }, 2, &near))
		die("no memory", "orders of a packet");
	reference_judge(&reference, &near, false, 0, &judgement);
	if (lab_send(&run, frame.data, frame.length) != (judgement.slot ? LAB_DROPPED : LAB_PASSED)) {
		fprintf(stderr, "%s: expected %s\n", text, lab_reason_name(judgement.reason));
		exit(1);
	}
}

static void compare(const struct kh_image *image, bool programs)
{
	const char *asked = getenv("KH_TEST_PROBES");
	size_t probes = asked ? strtoul(asked, NULL, 10) : PROBES;
	struct kh_nearby *nearby = kh_nearby_make(&world.list);

	if (!nearby)
		die("no memory", "orders");
	for (size_t i = 0; i < probes; i++) {
		probe(image, nearby, i % (probes / LINEAR_TIMES + 1) == 0);
		if (programs && i % PACKETS_SHARE == 0)
			probe_packet(nearby);
	}
	printf("%zu addresses%s", probes, programs ? "" : ", no packets (they need root)");
	if (programs)
		printf(", %zu packets", (probes + PACKETS_SHARE - 1) / PACKETS_SHARE);
	kh_nearby_free(nearby);
}

int main(int argc, char **argv)
{
	bool programs = geteuid() == 0 && lab_enter() == 0;
	struct kh_image *image;
	size_t v4, v6;

	for (int i = 2; i < argc; i++) {
		bool allow = !strcmp(argv[i], "--allow") && i + 1 < argc;

		i += allow;
		take_file(argv[i], allow);
	}
	if (argc < 3 || !world.list.orders_count)
		die("nothing to block", argc < 2 ? "usage: corpus OUT [--allow FILE]... FILE..." : argv[1]);
	world.list.orders = world.orders;
	world.list.holes = world.holes;
	image = compile_all();
	v4 = write_merged(image, 4, argv[1]);
	v6 = write_merged(image, 6, argv[1]);
	printf("%zu values, %zu allowed, %zu + %zu ranges; ", world.list.orders_count, world.list.holes_count, v4, v6);
	if (programs) {
		struct kh_install *install = NULL;
		struct kh_error error = {};

		lab_setup(NULL);
		if (kh_kernel_prepare(lab_kernel(), image->data, image->pages, NULL, 0, &install, &error) < 0)
			die(error.text, "install");
		kh_kernel_switch(lab_kernel(), install);
	}
	compare(image, programs);
	printf(" agree\n");
	if (programs)
		lab_teardown(NULL);
	kh_image_free(image);
	for (size_t i = 0; i < documents_count; i++)
		kh_document_free(documents[i]);
	free(findings);
	kh_world_clear(&world);
	return 0;
}
