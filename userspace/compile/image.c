// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sections -> one image: where each begins, what it holds, the checksum.
 */
#include "compile/private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define SPARE_GROWTH 64 /* a spare image has room for this part more than the list of now takes */
#define CHECKSUM_WORD (offsetof(struct kh_image_header, checksum) / sizeof(uint64_t))

uint64_t kh_image_checksum(const void *data, size_t length)
{
	const uint64_t *words = data;
	uint64_t sum = 0xcbf29ce484222325u;

	for (size_t i = 0; i < length / sizeof(*words); i++)
		sum = (sum ^ (i == CHECKSUM_WORD ? 0 : words[i])) * 0x100000001b3u;
	return sum;
}

static size_t pages_of(size_t count, size_t per_page)
{
	return (count + per_page - 1) / per_page;
}

/* Fills the places and masks of the header. 0 or -E2BIG. */
static int lay_out(const struct kh_parts *parts, struct kh_image_header *ret_header)
{
	const struct kh_table *v6 = &parts->hashes.v6, *ports = &parts->hashes.ports;
	uint32_t v4_buckets = kh_cells_buckets(parts->v4.cells_count);
	size_t sections[] = {
		KH_BASE_PAGES,
		pages_of(v4_buckets, KH_LINES_PER_PAGE),
		pages_of(parts->v4.entries_count, KH_ENTRIES_PER_PAGE),
		pages_of(v6->buckets, KH_LINES_PER_PAGE),
		pages_of(parts->v6.mids_count, KH_LINES_PER_PAGE),
		pages_of(parts->v6.lones_count, KH_LINES_PER_PAGE * KH_V6_LONES_PER_LINE),
		pages_of(parts->v6.lows_count, KH_LINES_PER_PAGE),
		pages_of(ports->buckets, KH_LINES_PER_PAGE),
		pages_of(parts->chains.count, KH_ORDERS_PER_PAGE),
	};
	uint32_t *starts[] = {
		&ret_header->v4_cells_page, &ret_header->v4_entries_page, &ret_header->v6_nets_page,
		&ret_header->v6_mid_page,   &ret_header->v6_lone_page,	  &ret_header->v6_low_page,
		&ret_header->ports_page,    &ret_header->orders_page,	  &ret_header->pages,
	};
	size_t page = 0;

	_Static_assert(KH_ARRAY_SIZE(sections) == KH_ARRAY_SIZE(starts), "each section is followed by a start");
	for (size_t i = 0; i < KH_ARRAY_SIZE(sections); i++) {
		page += sections[i];
		if (page > KH_IMAGE_MAX_PAGES)
			return -E2BIG;
		*starts[i] = (uint32_t)page;
	}
	ret_header->v4_buckets = v4_buckets;
	ret_header->v6_bits_mask = v6->count ? v6->bits - 1 : 0;
	ret_header->v6_nets_mask = v6->count ? v6->buckets - 1 : 0;
	ret_header->ports_bits_mask = ports->count ? ports->bits - 1 : 0;
	ret_header->ports_mask = ports->count ? ports->buckets - 1 : 0;
	return 0;
}

static void *section(const struct kh_image *image, uint32_t page)
{
	return (uint8_t *)image->data + (size_t)page * KH_PAGE_SIZE;
}

static void copy(const struct kh_image *image, uint32_t page, const void *from, size_t count, size_t size)
{
	if (count)
		memcpy(section(image, page), from, count * size);
}

static void set_bit(uint8_t *bitmap, uint32_t bit)
{
	bitmap[bit >> 3] = (uint8_t)(bitmap[bit >> 3] | 1u << (bit & 7));
}

static void fill_hashes(const struct kh_image *image, const struct kh_parts *parts)
{
	struct kh_image_base *base = image->data;
	const struct kh_image_header *header = &base->header;
	struct kh_v6_net *nets = section(image, header->v6_nets_page);
	struct kh_port_entry *ports = section(image, header->ports_page);

	for (size_t i = 0; i < parts->v6.nets_count; i++) {
		nets[parts->hashes.v6.place[i]] = parts->v6.nets[i];
	}
	for (size_t i = 0; i < parts->ports.count; i++) {
		const struct kh_port_entry *entry = &parts->ports.entries[i];
		uint32_t hash = kh_hash_address(header->hash_seed, entry->address_high, entry->address_low);

		ports[parts->hashes.ports.place[i]] = *entry;
		set_bit(base->ports_bits, hash & header->ports_bits_mask);
	}
}

static int fill(const struct kh_image *image, const struct kh_parts *parts)
{
	struct kh_image_base *base = image->data;
	struct kh_image_header *header = &base->header;
	uint64_t seed = 0;
	int r;

	memcpy(base->v4_common, parts->v4.common, sizeof(base->v4_common));
	copy(image, header->v4_entries_page, parts->v4.entries, parts->v4.entries_count, sizeof(*parts->v4.entries));
	copy(image, header->v6_mid_page, parts->v6.mids, parts->v6.mids_count, sizeof(*parts->v6.mids));
	copy(image, header->v6_lone_page, parts->v6.lones, parts->v6.lones_count, sizeof(*parts->v6.lones));
	copy(image, header->v6_low_page, parts->v6.lows, parts->v6.lows_count, sizeof(*parts->v6.lows));
	copy(image, header->orders_page, parts->chains.orders, parts->chains.count, sizeof(*parts->chains.orders));
	fill_hashes(image, parts);
	r = kh_cells_hash(&parts->v4, header->v4_buckets, section(image, header->v4_cells_page), &seed);
	if (r < 0)
		return r;
	header->v4_seed = seed;
	return kh_filter_fill(&parts->v4, &parts->v6, base);
}

static void image_freep(struct kh_image **image)
{
	kh_image_free(*image);
}

/* An image of undefined contents. NULL: no memory. */
static struct kh_image *make_image(size_t pages, size_t room)
{
	struct kh_image *image = calloc(1, sizeof(*image));

	if (!image)
		return NULL;
	image->pages = pages;
	image->room = room;
	image->data = aligned_alloc(KH_PAGE_SIZE, room * KH_PAGE_SIZE);
	if (!image->data) {
		free(image);
		return NULL;
	}
	/* huge pages are faster to fill; without them it goes as well */
	madvise(image->data, room * KH_PAGE_SIZE, MADV_HUGEPAGE);
	return image;
}

static struct kh_image *take_image(struct kh_image **spare, size_t pages)
{
	struct kh_image *image;

	if (!spare || !*spare || (*spare)->room < pages)
		return make_image(pages, pages);
	image = KH_TAKE(*spare);
	image->pages = pages;
	return image;
}

void kh_image_spare(struct kh_image **spare, size_t pages)
{
	size_t room = pages + pages / SPARE_GROWTH;

	if (!*spare || (*spare)->room < room || (*spare)->room > 2 * room) {
		kh_image_free(*spare);
		*spare = make_image(room, room);
	}
	if (!*spare || (*spare)->clean)
		return;
	memset((*spare)->data, 0, (*spare)->room * KH_PAGE_SIZE);
	(*spare)->clean = true;
}

int kh_image_assemble(const struct kh_parts *parts, struct kh_image **spare, struct kh_image **ret_image)
{
	struct kh_image *image KH_CLEANUP(image_freep) = NULL;
	struct kh_image_header header = {
		.magic = KH_IMAGE_MAGIC,
		.abi_version = KH_ABI_VERSION,
		.generation = parts->generation,
		.hash_seed = parts->hashes.seed,
		.v6_wide_first = parts->v6.wide_first,
		.v6_wide_lines = parts->v6.wide_lines,
		.v6_nets = (uint32_t)parts->v6.nets_count,
		.ports_count = (uint32_t)parts->ports.count,
		.orders_count = (uint32_t)parts->chains.count,
		.slots_needed = parts->slots_needed,
		.indicators_v4 = parts->indicators_v4,
		.indicators_v6 = parts->indicators_v6,
		.indicators_ports = parts->indicators_ports,
	};
	int r = lay_out(parts, &header);

	if (r < 0)
		return r;
	image = take_image(spare, header.pages);
	if (!image)
		return -ENOMEM;
	if (!image->clean)
		memset(image->data, 0, image->pages * KH_PAGE_SIZE);
	image->clean = false;
	memcpy(image->data, &header, sizeof(header));
	r = fill(image, parts);
	if (r < 0)
		return r;
	((struct kh_image_header *)image->data)->checksum = kh_image_checksum(image->data, image->pages * KH_PAGE_SIZE);
	*ret_image = KH_TAKE(image);
	return 0;
}

void kh_image_free(struct kh_image *image)
{
	if (!image)
		return;
	free(image->data);
	free(image);
}
