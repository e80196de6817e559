// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lists of the benchmark, generated from a fixed seed or read from a file, with an oracle of its own: merged intervals, found by halving.
 * It shares nothing with userspace/compile but the sorting of numbers.
 */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

uint64_t bench_random(void)
{
	static uint64_t state = 20260115;
	uint64_t x = state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint64_t random_below(uint64_t limit)
{
	return bench_random() % limit;
}

static kh_u128 last_of(const struct bench_list *list, const struct bench_entry *entry)
{
	return kh_range_of_prefix(entry->first, entry->length, list->family).last;
}

/* ---- Growing a list ------------------------------------------------------------------------------ */

struct builder {
	struct bench_list *list;
	size_t capacity;
};

static void add(struct builder *builder, kh_u128 address, unsigned length, bool hole)
{
	struct bench_list *list = builder->list;

	if (kh_grow(&list->entries, &builder->capacity, list->count + 1, sizeof(*list->entries)) < 0)
		bench_die("out of memory");
	list->entries[list->count++] =
		(struct bench_entry){ kh_range_of_prefix(address, (uint8_t)length, list->family).first, (uint8_t)length,
				      hole };
}

static int compare_entries(const void *left, const void *right)
{
	const struct bench_entry *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->length > b->length) - (a->length < b->length);
}

/* Sorts and drops what stands there twice. */
static void tidy(struct bench_list *list)
{
	size_t kept = 0;

	qsort(list->entries, list->count, sizeof(*list->entries), compare_entries);
	for (size_t i = 0; i < list->count; i++)
		if (!kept || compare_entries(&list->entries[kept - 1], &list->entries[i]))
			list->entries[kept++] = list->entries[i];
	list->count = kept;
}

/* Calls `more` until there are `wanted` different entries. */
static void fill(struct builder *builder, size_t wanted, void (*more)(struct builder *, size_t missing))
{
	while (builder->list->count < wanted) {
		more(builder, wanted - builder->list->count);
		tidy(builder->list);
	}
}

/* A uniform address of the Internet at large: not 0/8, 10/8, 127/8, 192.0.2.0/24 (the office) or from 224/4 on. */
static uint32_t random_v4(void)
{
	for (;;) {
		uint32_t address = (uint32_t)bench_random(), top = address >> 24;

		if (top && top != 10 && top != 127 && top < 224 && address >> 8 != BENCH_OFFICE_V4 >> 8)
			return address;
	}
}

static void more_random(struct builder *builder, size_t missing)
{
	for (size_t i = 0; i < missing; i++)
		add(builder, random_v4(), 32, false);
}

/*
 * As public feeds are: half of the addresses alone in their /24, half many in one; all in a quarter of the /16s
 * (a feed of 120,000 addresses measured: 65,000 /24s in 18,000 /16s, a third of the addresses in 1,000 /24s).
 */
static void more_clustered(struct builder *builder, size_t missing)
{
	static uint16_t pool[18000];

	if (!pool[0])
		for (size_t i = 0; i < KH_ARRAY_SIZE(pool); i++)
			pool[i] = (uint16_t)(random_v4() >> 16);
	for (size_t i = 0; i < missing;) {
		uint32_t net =
			(uint32_t)pool[random_below(KH_ARRAY_SIZE(pool))] << 16 | (uint32_t)(bench_random() & 0xff00);
		size_t many = random_below(48) ? 1 : (size_t)2 << random_below(7);

		if (net >> 8 == BENCH_OFFICE_V4 >> 8)
			continue;
		for (size_t k = 0; k < many && i < missing; k++, i++)
			add(builder, net | (uint32_t)(bench_random() & 0xff), 32, false);
	}
}

/* Whole families: every prefix from /25 to /32 of a /24. */
static void more_nested(struct builder *builder, size_t missing)
{
	for (size_t i = 0; i < missing;) {
		uint32_t net = random_v4() & 0xffffff00;

		for (unsigned length = 25; length <= 32; length++)
			for (uint32_t at = 0; at < 256 && i < missing; at += 1u << (32 - length), i++)
				add(builder, net | at, length, false);
	}
}

static void more_holes(struct builder *builder, size_t missing)
{
	if (!builder->list->count)
		add(builder, 45u << 24, 8, false);
	for (size_t i = 0; i < missing; i++)
		add(builder, 45u << 24 | (uint32_t)(bench_random() & 0xffffff), 32, true);
}

static void more_second(struct builder *builder, size_t missing)
{
	for (size_t i = 0; i < missing; i++)
		add(builder, (45u << 24) + 2 * (uint32_t)i, 32, false);
}

/* Prefixes of 3,000 /32s, one in four inside another that is listed. */
static void more_random6(struct builder *builder, size_t missing)
{
	static const uint8_t lengths[] = { 36, 40, 44, 48, 48, 48, 56, 56, 64, 64, 64, 96, 128, 128, 128, 128 };
	static uint32_t pool[3000];
	const struct bench_list *list = builder->list;
	size_t known = list->count;

	if (!pool[0])
		for (size_t i = 0; i < KH_ARRAY_SIZE(pool); i++)
			pool[i] = 1u << 29 | (uint32_t)(bench_random() >> 35);
	for (size_t i = 0; i < missing; i++) {
		kh_u128 address = (kh_u128)pool[random_below(KH_ARRAY_SIZE(pool))] << 96 |
				  (kh_u128)(uint32_t)bench_random() << 64 | bench_random();
		unsigned length = lengths[random_below(KH_ARRAY_SIZE(lengths))];

		if (known + i && !random_below(4)) {
			const struct bench_entry *outer = &list->entries[random_below(known + i)];
			kh_u128 inside = last_of(list, outer) - outer->first;

			if (outer->length < 120) {
				address = outer->first | (address & inside);
				length = outer->length + 1 + (unsigned)random_below(128u - outer->length);
			}
		}
		add(builder, address, length, false);
	}
}

static const struct {
	const char *name;
	uint8_t family;
	uint8_t near_percent;
	void (*more)(struct builder *builder, size_t missing);
} kinds[] = {
	{ "random", 4, 0, more_random }, { "clustered", 4, 50, more_clustered }, { "nested", 4, 100, more_nested },
	{ "holes", 4, 100, more_holes }, { "second", 4, 100, more_second },	 { "random6", 6, 50, more_random6 },
};

/* ---- From a file --------------------------------------------------------------------------------- */

static void read_file(struct builder *builder, const char *path)
{
	FILE *file KH_CLEANUP(kh_fclosep) = fopen(path, "re");
	char line[512];
	struct bench_list *list = builder->list;
	const char *name = strrchr(path, '/');

	if (!file)
		bench_die("%s: %s", path, strerror(errno));
	snprintf(list->name, sizeof(list->name), "%s", name ? name + 1 : path);
	list->near_percent = 50;
	while (fgets(line, sizeof(line), file)) {
		size_t length = strcspn(line, " \t\r\n;#");
		enum kh_host_bits bits;
		struct kh_range range;

		if (kh_address_parse(line, length, &range) < 0 && kh_prefix_parse(line, length, &range, &bits) < 0)
			continue;
		if (!list->family)
			list->family = range.family;
		if (range.family == list->family)
			add(builder, range.first, (unsigned)kh_range_prefix_length(&range), false);
	}
	if (!list->count)
		bench_die("%s: no addresses", path);
	tidy(list);
}

/* ---- The oracle ---------------------------------------------------------------------------------- */

static struct bench_interval *merge(const struct bench_list *list, bool holes, size_t *ret_count)
{
	struct bench_interval *merged = calloc(list->count + 1, sizeof(*merged));
	size_t count = 0;

	if (!merged)
		bench_die("out of memory");
	for (size_t i = 0; i < list->count; i++) {
		const struct bench_entry *entry = &list->entries[i];
		kh_u128 last = last_of(list, entry);

		if (entry->hole != holes)
			continue;
		if (count && merged[count - 1].last >= entry->first) {
			if (last > merged[count - 1].last)
				merged[count - 1].last = last;
			continue;
		}
		merged[count++] = (struct bench_interval){ entry->first, last };
	}
	*ret_count = count;
	return merged;
}

static bool within(const struct bench_interval *intervals, size_t count, kh_u128 address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (intervals[middle].last < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && intervals[low].first <= address;
}

bool bench_list_blocks(const struct bench_list *list, kh_u128 address)
{
	return within(list->blocked, list->blocked_count, address) && !within(list->holes, list->holes_count, address);
}

struct bench_list *bench_list_make(const char *what)
{
	struct bench_list *list = calloc(1, sizeof(*list));
	struct builder builder = { .list = list };
	const char *colon = strchr(what, ':');
	bool made = false;
	int64_t wanted;

	if (!list)
		bench_die("out of memory");
	for (size_t i = 0; colon && i < KH_ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].name) != (size_t)(colon - what) ||
		    strncmp(what, kinds[i].name, (size_t)(colon - what)))
			continue;
		if (kh_number_parse(colon + 1, 1, 8000000, &wanted) < 0)
			bench_die("%s: how many?", what);
		snprintf(list->name, sizeof(list->name), "%s", kinds[i].name);
		list->family = kinds[i].family;
		list->near_percent = kinds[i].near_percent;
		fill(&builder, (size_t)wanted, kinds[i].more);
		made = true;
	}
	if (!made)
		read_file(&builder, what);
	list->blocked = merge(list, false, &list->blocked_count);
	list->holes = merge(list, true, &list->holes_count);
	return list;
}

void bench_list_free(struct bench_list *list)
{
	if (!list)
		return;
	free(list->entries);
	free(list->blocked);
	free(list->holes);
	free(list);
}

/* ---- Samples ------------------------------------------------------------------------------------- */

static kh_u128 random_inside(kh_u128 first, kh_u128 last)
{
	return first | (((kh_u128)bench_random() << 64 | bench_random()) & (last - first));
}

static kh_u128 random_anywhere(uint8_t family)
{
	if (family == 4)
		return random_v4();
	return (kh_u128)(bench_random() >> 3 | 1ull << 61) << 64 | bench_random();
}

void bench_list_sample(const struct bench_list *list, bool hit, kh_u128 *samples, size_t count)
{
	uint8_t near = list->family == 4 ? 24 : 32;
	unsigned tries = 0;

	for (size_t i = 0; i < count;) {
		const struct bench_entry *entry = &list->entries[random_below(list->count)];
		kh_u128 address;

		if (hit && list->holes_count) {
			const struct bench_interval *interval = &list->blocked[random_below(list->blocked_count)];

			address = random_inside(interval->first, interval->last);
		} else if (hit || (entry->hole && tries < 16)) {
			address = random_inside(entry->first, last_of(list, entry));
		} else if (i % 100 < list->near_percent && tries < 32) {
			struct kh_range around = kh_range_of_prefix(
				entry->first, entry->length < near ? entry->length : near, list->family);

			/* Where all of it is listed: the network beside it. */
			address = random_inside(around.first, around.last);
			if (tries > 16)
				address = (address + (around.last - around.first) + 1) & kh_address_max(list->family);
		} else {
			address = random_anywhere(list->family);
		}
		if (bench_list_blocks(list, address) != hit ||
		    (list->family == 4 && address >> 8 == BENCH_OFFICE_V4 >> 8)) {
			if (++tries > 1000000)
				bench_die("%s: no %s to be found", list->name, hit ? "hit" : "miss");
			continue;
		}
		tries = 0;
		samples[i++] = address;
	}
}
