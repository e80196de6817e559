// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images that are damaged or forged, and compilations that run out of memory. Whatever kh_image_check() lets through must be
 * safe to look up in; the images here end where their memory ends, so that the sanitizer sees a step beyond.
 */
#include "compile_case.h"

#include <errno.h>
#include <stdlib.h>

#define DROP KH_ACTION_DROP
#define MONITOR KH_ACTION_MONITOR
#define NESTED 40 /* more than the compiler keeps in a plain array */
#define SCATTERED 800 /* more than a page of any kind of slice */
#define LONES 300 /* more than a page */
#define ORDERS_MAX (NESTED + 5 * SCATTERED + LONES)

/* ---- Running out of memory --------------------------------------------------------------------- */

static long allocations_left = -1; /* -1: no limit */

static bool refuses(void)
{
	if (allocations_left < 0)
		return false;
	return allocations_left-- == 0; /* once: what comes after it must not hide it */
}

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
	return refuses() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refuses() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return refuses() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return refuses() ? NULL : __real_aligned_alloc(alignment, size);
}

/* ---- A list that fills every section ----------------------------------------------------------- */

static struct kh_compile_order orders[ORDERS_MAX];
static struct kh_range holes[1];
static struct kh_naive_list list = { orders, 0, holes, 1 };

static void add(kh_u128 first, kh_u128 last, uint8_t family, uint32_t deadline, enum kh_action action)
{
	size_t i = list.orders_count++;

	orders[i] =
		(struct kh_compile_order){ { first, last, family }, (uint32_t)i + 1, deadline, 0, 0, (uint8_t)action };
}

static int make_list(void **state)
{
	const kh_u128 net = range_of("2001:db8::").first, lone = range_of("2001:db9::1").first,
		      wide = range_of("2400::").first;
	uint64_t random = 1;

	(void)state;
	holes[0] = range_of("10.0.0.0/8");
	for (uint32_t i = 0; i < NESTED; i++)
		add(0x0affff00 - i, 0x0b000000 + i, 4, i + 1, i & 1 ? DROP : MONITOR);
	for (uint32_t i = 0; i < SCATTERED; i++) {
		uint32_t address = 0xc0000000 + random_below(&random, 0x10000);

		add(address, address, 4, 0, DROP);
		add(net + ((kh_u128)(2 * i) << 64), net + ((kh_u128)(2 * i) << 64) + UINT64_MAX, 6, 0, DROP);
		add(net + ((kh_u128)1 << 64) + 2 * i, net + ((kh_u128)1 << 64) + 2 * i, 6, 5 + (i & 1), MONITOR);
		add(wide + ((kh_u128)(600 * i) << 96), wide + ((kh_u128)(600 * i + (i & 1 ? 1 : 300)) << 96) - 1, 6, 0,
		    DROP);
		add(address, address, 4, 0, DROP);
		orders[list.orders_count - 1].port = 443;
	}
	for (uint32_t i = 0; i < LONES; i++)
		add(lone + ((kh_u128)i << 64), lone + ((kh_u128)i << 64), 6, 0, DROP);
	return 0;
}

static void test_no_allocation_may_fail_unnoticed(void **state)
{
	struct kh_image *image = NULL;
	long allocation = 0;
	int r;

	(void)state;
	for (;; allocation++) {
		struct kh_error error = {};

		allocations_left = allocation;
		r = kh_compile(list.orders, list.orders_count, list.holes, list.holes_count, 1, &image, &error);
		if (allocations_left >= 0)
			break; /* it was never reached */
		assert_int_equal(r, -ENOMEM);
		assert_null(image);
		assert_non_null(strstr(error.text, "memory"));
	}
	allocations_left = -1;
	assert_int_equal(r, 0);
	assert_true(allocation > 40);
	kh_image_free(image);
}

/* ---- Memory kept for the next one --------------------------------------------------------------- */

static struct kh_image *compile_with(struct kh_image **spare)
{
	struct kh_compile_input input = {
		.orders = orders, .orders_count = list.orders_count, .holes = holes, .holes_count = 1, .spare = spare
	};
	struct kh_image *image = NULL;

	assert_int_equal(kh_compile_all(&input, 1, &image, NULL), 0);
	return image;
}

static void test_a_spare_image_is_taken_when_it_will_do(void **state)
{
	struct kh_image *wanted = compile_list(&list, 1), *spare = NULL, *image;
	const void *memory;

	(void)state;
	kh_image_spare(&spare, wanted->pages);
	assert_non_null(spare);
	memory = spare->data;
	memset(spare->data, 0xa5, spare->room * KH_PAGE_SIZE); /* what an older list left there */
	spare->clean = false;
	kh_image_spare(&spare, wanted->pages);
	assert_ptr_equal(spare->data, memory);

	image = compile_with(&spare);
	assert_null(spare);
	assert_ptr_equal(image->data, memory);
	assert_int_equal(image->pages, wanted->pages);
	assert_memory_equal(image->data, wanted->data, wanted->pages * KH_PAGE_SIZE);

	spare = KH_TAKE(image);
	spare->room = wanted->pages - 1; /* too short: it stays where it is */
	image = compile_with(&spare);
	assert_ptr_equal(spare->data, memory);
	assert_memory_equal(image->data, wanted->data, wanted->pages * KH_PAGE_SIZE);
	kh_image_free(image);

	spare->room = 3 * wanted->pages; /* far too long: it is not kept */
	kh_image_spare(&spare, wanted->pages);
	assert_in_range(spare->room, wanted->pages, 2 * wanted->pages);
	kh_image_free(spare);
	kh_image_free(wanted);
}

/* ---- Damaged ----------------------------------------------------------------------------------- */

/* FNV-1a 64 over words, as khien/abi.h says; written again here, so that the format cannot change unseen. */
static void seal(struct kh_image *image)
{
	uint64_t *words = image->data, sum = 14695981039346656037u;

	words[2] = 0;
	for (size_t i = 0; i < image->pages * KH_PAGE_SIZE / 8; i++)
		sum = (sum ^ words[i]) * 1099511628211u;
	words[2] = sum;
}

static int check(const struct kh_image *image, struct kh_error *error)
{
	return kh_image_check(image->data, image->pages * KH_PAGE_SIZE, error);
}

static void test_the_checksum_is_the_documented_one(void **state)
{
	struct kh_image *image = compile_list(&list, 1);
	uint64_t checksum = kh_image_header(image)->checksum;

	(void)state;
	seal(image);
	assert_true(kh_image_header(image)->checksum == checksum);
	kh_image_free(image);
}

static void test_truncated_images_are_refused(void **state)
{
	struct kh_image *image = compile_list(&list, 1);
	const size_t length = image->pages * KH_PAGE_SIZE;
	const size_t lengths[] = { 0, 1, 151, 4095, 4096, 800 * 4096, 801 * 4096, length - 4096, length - 1 };

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(lengths); i++) {
		void *part = malloc(lengths[i] + 1);
		struct kh_error error = {};

		assert_non_null(part);
		memcpy(part, image->data, lengths[i]);
		assert_int_equal(kh_image_check(part, lengths[i], &error), -EINVAL);
		assert_string_not_equal(error.text, "");
		free(part);
	}
	kh_image_free(image);
}

static void test_images_with_something_after_them_are_refused(void **state)
{
	struct kh_image *image = compile_list(&list, 1);
	size_t length = image->pages * KH_PAGE_SIZE;
	struct kh_image longer = { .data = calloc(1, length + KH_PAGE_SIZE), .pages = image->pages + 1 };

	(void)state;
	assert_non_null(longer.data);
	memcpy(longer.data, image->data, length);
	assert_int_equal(kh_image_check(longer.data, length, NULL), 0);
	assert_int_equal(kh_image_check(longer.data, length + 1, NULL), -EINVAL);
	seal(&longer);
	assert_int_equal(check(&longer, NULL), -EINVAL);
	free(longer.data);
	kh_image_free(image);
}

static void test_every_flipped_bit_is_seen(void **state)
{
	struct kh_image *image = compile_list(&list, 1);
	uint8_t *bytes = image->data;
	uint64_t random = 2;

	(void)state;
	for (int i = 0; i < 200; i++) {
		size_t at =
			random_next(&random) % (i < 50 ? sizeof(struct kh_image_header) : image->pages * KH_PAGE_SIZE);
		uint8_t bit = (uint8_t)(1u << random_below(&random, 8));

		bytes[at] ^= bit;
		assert_int_equal(check(image, NULL), -EINVAL);
		bytes[at] ^= bit;
	}
	assert_int_equal(check(image, NULL), 0);
	kh_image_free(image);
}

/* ---- Forged: wrong, and with the right checksum ------------------------------------------------- */

#define HEADER(image) ((struct kh_image_header *)(image)->data)
#define SECTION(image, type, page) ((type *)(void *)((uint8_t *)(image)->data + (size_t)(page)*KH_PAGE_SIZE))

#define BASE(image) ((struct kh_image_base *)(image)->data)
#define CELLS(image) SECTION(image, uint64_t, HEADER(image)->v4_cells_page)
#define CELL 0

/* A cell of a slice of so many entries, the second of which starts there. */
#define SLICE(image, first, count, second)                                                                   \
	do {                                                                                                 \
		struct kh_entry *entries_ = SECTION(image, struct kh_entry, HEADER(image)->v4_entries_page); \
		CELLS(image)[CELL] = KH_CELL_SLICE << 30 | (first);                                          \
		entries_[first].start = (count);                                                             \
		entries_[(first) + 1].start = (second);                                                      \
	} while (0)

#define MIDS(image) SECTION(image, struct kh_v6_mid, HEADER(image)->v6_mid_page)
#define LONES_OF(image) SECTION(image, struct kh_v6_lone, HEADER(image)->v6_lone_page)
#define LONES_END(image) (4 * 64 * (HEADER(image)->v6_low_page - HEADER(image)->v6_lone_page))
#define LOWS(image) SECTION(image, struct kh_v6_low, HEADER(image)->v6_low_page)

/* The /32 with the long slice. */
static struct kh_v6_net *net_of_slice(struct kh_image *image)
{
	struct kh_v6_net *net = SECTION(image, struct kh_v6_net, HEADER(image)->v6_nets_page);

	while (net->key != 0x20010db8)
		net++;
	assert_true(net->lines > KH_V6_GROUPS && net->group_shift);
	return net;
}

/* One forgery: an expression over `image`, and the name of what it breaks. */
#define FORGERY(name, ...)                               \
	static void forge_##name(struct kh_image *image) \
	{                                                \
		__VA_ARGS__;                             \
	}

FORGERY(magic, HEADER(image)->magic++)
FORGERY(abi, HEADER(image)->abi_version++)
FORGERY(pages, HEADER(image)->pages--)
FORGERY(section_order, HEADER(image)->v4_entries_page = HEADER(image)->v4_cells_page - 1)
FORGERY(sections_in_level_1, HEADER(image)->v4_cells_page = KH_BASE_PAGES - 1)
FORGERY(last_section, HEADER(image)->orders_page = HEADER(image)->pages + 1)
FORGERY(slots, HEADER(image)->slots_needed--)
FORGERY(too_many_slots, HEADER(image)->slots_needed = KH_SLOT_MAX + 2)
FORGERY(v6_mask, HEADER(image)->v6_nets_mask = 2 * HEADER(image)->v6_nets_mask + 1)
FORGERY(v6_bits_mask, HEADER(image)->v6_bits_mask--)
FORGERY(v6_bits_many, HEADER(image)->v6_bits_mask = KH_BITS_BYTES * 16 - 1)
FORGERY(ports_bits_few, HEADER(image)->ports_bits_mask = 1)
FORGERY(v6_nets, HEADER(image)->v6_nets++)
FORGERY(wide_first, HEADER(image)->v6_wide_first = UINT32_MAX)
FORGERY(wide_lines, HEADER(image)->v6_wide_lines = UINT32_MAX)
FORGERY(ports_mask, HEADER(image)->ports_mask = UINT32_MAX)
FORGERY(ports_count, HEADER(image)->ports_count--)
FORGERY(block_reference, BASE(image)->v4_common[5] = KH_REF_CONDITIONAL | HEADER(image)->orders_count)
FORGERY(block_reference_high, BASE(image)->v4_common[5] = 1u << 24 | KH_REF_CONDITIONAL)
FORGERY(no_buckets, HEADER(image)->v4_buckets = 0)
FORGERY(buckets_beyond, HEADER(image)->v4_buckets++)
FORGERY(cell_kind, CELLS(image)[CELL] = 1)
FORGERY(cell_reference, CELLS(image)[CELL] = KH_CELL_ADDRESS << 30 | 0x7ffffe)
FORGERY(cell_reference_high, CELLS(image)[CELL] = KH_CELL_NET << 30 | 1u << 24 | 1)
FORGERY(cell_beyond, CELLS(image)[CELL] = UINT32_MAX)
FORGERY(cell_long, SLICE(image, 0, KH_ENTRIES_PER_PAGE + 1, 1))
FORGERY(cell_empty, SLICE(image, 0, 0, 1))
FORGERY(cell_wide, SLICE(image, 0, 2, 1u << KH_V4_SHIFT))
FORGERY(entry_order, SECTION(image, struct kh_entry, HEADER(image)->v4_entries_page)[1].start = 0)
FORGERY(entry_reference, SECTION(image, struct kh_entry, HEADER(image)->v4_entries_page)[1].ref = KH_REF_MASK)
FORGERY(entry_low, SECTION(image, struct kh_entry, HEADER(image)->v4_entries_page)[1].ref = KH_V6_LOW << 30)
FORGERY(shift_small, HEADER(image)->v4_wide_shift = KH_V4_WIDE_SHIFT_MIN - 1)
FORGERY(shift_large, HEADER(image)->v4_wide_shift = KH_V4_WIDE_SHIFT_MAX + 1)
FORGERY(no_words, HEADER(image)->filter_words = 0)
FORGERY(words_beyond, HEADER(image)->filter_words = KH_FILTER_WORDS + 1)
FORGERY(net_beyond, net_of_slice(image)->first = UINT32_MAX)
FORGERY(net_lines, net_of_slice(image)->lines = KH_V6_WHOLE - 1)
FORGERY(net_whole, net_of_slice(image)->first = KH_REF_MASK + 1; net_of_slice(image)->lines = KH_V6_WHOLE)
FORGERY(net_groups_few, net_of_slice(image)->group_shift--)
FORGERY(net_groups_many, net_of_slice(image)->group_shift = 32)
FORGERY(net_start, net_of_slice(image)->starts[0]++)
FORGERY(net_start_extra, net_of_slice(image)->starts[KH_V6_GROUPS - 2] = 0)
FORGERY(mid_reference, MIDS(image)[0].ref[0] = KH_REF_MASK)
FORGERY(mid_last_reference, MIDS(image)[0].ref[KH_V6_MIDS - 1] = KH_REF_MASK)
FORGERY(mid_low, MIDS(image)[0].ref[0] = UINT32_MAX)
FORGERY(mid_kind, MIDS(image)[0].ref[0] |= 3u << 30)
FORGERY(mid_span, MIDS(image)[0].ref[0] = 33u << 24 | 1)
FORGERY(mid_lone_beyond, MIDS(image)[0].ref[0] = KH_V6_LONE << 30 | LONES_END(image))
FORGERY(mid_low_beyond, MIDS(image)[0].ref[0] = KH_V6_LOW << 30 | KH_V6_INDEX)
FORGERY(lone_kind, LONES_OF(image)[1].ref |= KH_V6_LOW << 30)
FORGERY(lone_reference, LONES_OF(image)[1].ref = KH_REF_INDEX)
FORGERY(lone_order, LONES_OF(image)[1].ref = KH_REF_MASK)
FORGERY(lone_around, LONES_OF(image)[LONES - 1].around = KH_REF_MASK)
FORGERY(lone_around_high, LONES_OF(image)[1].around = 1u << 24)
FORGERY(lone_end, LONES_OF(image)[1].start = UINT64_MAX; LONES_OF(image)[1].ref |= 1u << 24)
FORGERY(lone_last, LONES_OF(image)[LONES_END(image) - 1].around = KH_REF_INDEX)
FORGERY(low_empty, LOWS(image)[0].lines = 0)
FORGERY(low_lines_beyond, LOWS(image)[0].lines = UINT32_MAX)
FORGERY(low_reference, LOWS(image)[1].ref[0] = KH_V6_LOW << 30)
FORGERY(low_last_reference, LOWS(image)[1].ref[KH_V6_LOWS - 1] = KH_REF_MASK)
FORGERY(order_slot, SECTION(image, struct kh_order, HEADER(image)->orders_page)[0].slot = 0)
FORGERY(order_slot_beyond, SECTION(image, struct kh_order, HEADER(image)->orders_page)[0].slot = KH_SLOT_MAX)
FORGERY(order_action, SECTION(image, struct kh_order, HEADER(image)->orders_page)[0].action = 2)
FORGERY(order_circle, SECTION(image, struct kh_order, HEADER(image)->orders_page)[3].under = KH_REF_CONDITIONAL | 3)
FORGERY(order_under, SECTION(image, struct kh_order, HEADER(image)->orders_page)[3].under = KH_REF_MASK + 1)

/* A slice that is right but for the page border in it. */
static void forge_cell_crosses(struct kh_image *image)
{
	struct kh_entry *entries = SECTION(image, struct kh_entry, HEADER(image)->v4_entries_page);

	assert_true(HEADER(image)->v6_nets_page - HEADER(image)->v4_entries_page >= 2);
	for (uint32_t i = 0; i < 3; i++)
		entries[KH_ENTRIES_PER_PAGE - 2 + i] = (struct kh_entry){ i, KH_REF_NONE };
	for (uint32_t i = 0; i < HEADER(image)->v4_buckets * KH_CELLS_PER_BUCKET; i++)
		if (KH_CELL_KIND(CELLS(image)[i]) == KH_CELL_SLICE)
			CELLS(image)[i] = 0;
	SLICE(image, KH_ENTRIES_PER_PAGE - 2, 3, 1);
}

/* Sections and masks that fit each other, and are no power of two. */
static void forge_mask_no_power(struct kh_image *image)
{
	struct kh_image_header *header = HEADER(image);
	uint32_t pages = header->orders_page - ++header->ports_page;
	const struct kh_port_entry *entries = SECTION(image, struct kh_port_entry, header->ports_page);

	header->ports_mask = pages * KH_LINES_PER_PAGE - 1;
	header->ports_count = 0;
	for (uint32_t i = 0; i < pages * KH_LINES_PER_PAGE * KH_PORTS_PER_BUCKET; i++)
		header->ports_count += entries[i].family != 0;
}

/* Orders that are right, and more of them than the section holds. */
static void forge_orders_count(struct kh_image *image)
{
	struct kh_image_header *header = HEADER(image);
	uint32_t room = (header->pages - header->orders_page) * KH_ORDERS_PER_PAGE;

	while (header->orders_count < room)
		SECTION(image, struct kh_order, header->orders_page)[header->orders_count++].slot = 1;
	header->orders_count++;
}

static const struct {
	const char *name;
	void (*forge)(struct kh_image *image);
} forgeries[] = {
#define ROW(name)                   \
	{                           \
#name, forge_##name \
	}
	ROW(magic),
	ROW(abi),
	ROW(pages),
	ROW(section_order),
	ROW(sections_in_level_1),
	ROW(last_section),
	ROW(orders_count),
	ROW(slots),
	ROW(too_many_slots),
	ROW(v6_mask),
	ROW(v6_bits_mask),
	ROW(v6_bits_many),
	ROW(ports_bits_few),
	ROW(v6_nets),
	ROW(wide_first),
	ROW(wide_lines),
	ROW(ports_mask),
	ROW(ports_count),
	ROW(block_reference),
	ROW(block_reference_high),
	ROW(no_buckets),
	ROW(buckets_beyond),
	ROW(cell_kind),
	ROW(cell_reference),
	ROW(cell_reference_high),
	ROW(cell_wide),
	ROW(cell_crosses),
	ROW(mask_no_power),
	ROW(net_beyond),
	ROW(net_lines),
	ROW(net_whole),
	ROW(net_groups_few),
	ROW(net_groups_many),
	ROW(net_start),
	ROW(net_start_extra),
	ROW(cell_beyond),
	ROW(cell_long),
	ROW(cell_empty),
	ROW(entry_order),
	ROW(entry_reference),
	ROW(entry_low),
	ROW(shift_small),
	ROW(shift_large),
	ROW(no_words),
	ROW(words_beyond),
	ROW(mid_reference),
	ROW(mid_last_reference),
	ROW(mid_low),
	ROW(mid_kind),
	ROW(mid_span),
	ROW(mid_lone_beyond),
	ROW(mid_low_beyond),
	ROW(lone_kind),
	ROW(lone_reference),
	ROW(lone_order),
	ROW(lone_around),
	ROW(lone_around_high),
	ROW(lone_end),
	ROW(lone_last),
	ROW(low_empty),
	ROW(low_lines_beyond),
	ROW(low_reference),
	ROW(low_last_reference),
	ROW(order_slot),
	ROW(order_slot_beyond),
	ROW(order_action),
	ROW(order_circle),
	ROW(order_under),
};

static void test_forged_images_are_refused(void **state)
{
	struct kh_image *image = compile_list(&list, 1);
	const size_t length = image->pages * KH_PAGE_SIZE;
	void *original = malloc(length);

	(void)state;
	assert_non_null(original);
	memcpy(original, image->data, length);
	for (size_t i = 0; i < KH_ARRAY_SIZE(forgeries); i++) {
		forgeries[i].forge(image);
		seal(image);
		if (check(image, NULL) != -EINVAL)
			fail_msg("%s is let through", forgeries[i].name);
		memcpy(image->data, original, length);
	}
	assert_int_equal(check(image, NULL), 0);
	free(original);
	kh_image_free(image);
}

/* Asks for every listed address and for strangers; the answers do not matter, the sanitizer's silence does. */
static void look_everywhere(const struct kh_image *image, uint64_t *random)
{
	for (size_t i = 0; i < list.orders_count; i++) {
		struct kh_naive_query query = { .address = orders[i].range, .now = random_below(random, 50) };

		image_match(image, &query);
		query.address.first = query.address.last + 1;
		image_match(image, &query);
		query.address.first = orders[i].range.family == 4
					      ? random_below(random, UINT32_MAX)
					      : (kh_u128)random_next(random) << 64 | random_next(random);
		image_match(image, &query);
		query.address = orders[i].range;
		query.port = 443;
		query.protocol = 6;
		image_match(image, &query);
	}
}

static void test_what_passes_the_check_is_safe(void **state)
{
	static const uint32_t values[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
	struct kh_image *image = compile_list(&list, 1);
	uint32_t *words = image->data;
	size_t passed = 0, level_1_end = (size_t)KH_BASE_PAGES * KH_PAGE_SIZE / 4,
	       end = image->pages * KH_PAGE_SIZE / 4;
	uint64_t random = 7;

	(void)state;
	for (int i = 0; i < 400; i++) {
		uint32_t kind = random_below(&random, 8);
		size_t at = i < 150 ? 6 + (size_t)i % 32 : /* the header but magic and checksum, each word some times */
				    kind ? level_1_end + random_next(&random) % (end - level_1_end)
					 : random_next(&random) % end;
		uint32_t old = words[at];

		if (kind < 5)
			words[at] = values[kind];
		else
			words[at] = kind == 5 ? old + 1 : kind == 6 ? old - 1 : old ^ 1u << random_below(&random, 32);
		seal(image);
		if (check(image, NULL) == 0) {
			passed++;
			look_everywhere(image, &random);
		}
		words[at] = old;
	}
	assert_true(passed > 20);
	kh_image_free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_allocation_may_fail_unnoticed),
		cmocka_unit_test(test_a_spare_image_is_taken_when_it_will_do),
		cmocka_unit_test(test_the_checksum_is_the_documented_one),
		cmocka_unit_test(test_truncated_images_are_refused),
		cmocka_unit_test(test_images_with_something_after_them_are_refused),
		cmocka_unit_test(test_every_flipped_bit_is_seen),
		cmocka_unit_test(test_forged_images_are_refused),
		cmocka_unit_test(test_what_passes_the_check_is_safe),
	};

	return cmocka_run_group_tests(tests, make_list, NULL);
}
