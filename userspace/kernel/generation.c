// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Installs generations: a new image and its record array go into a free place of the outer maps, then one store makes the programs
 * use that place. After a grace period no packet is still being judged by the old place.
 */
#include "kernel/private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "common/crash.h"
#include "common/lang.h"
#include "common/util.h"

#define RECORDS_STEP 4096u /* record arrays grow to a multiple of this */

struct kh_install {
	uint32_t place;
};

void kh_unmap(struct kh_mapping *mapping)
{
	if (mapping->data)
		munmap(mapping->data, mapping->length);
	mapping->data = NULL;
}

int kh_map_array(int fd, bool writable, struct kh_mapping *ret_mapping, uint32_t *ret_entries)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	size_t size, page = (size_t)sysconf(_SC_PAGESIZE);
	void *data;

	if (bpf_obj_get_info_by_fd(fd, &info, &length) < 0)
		return -errno;
	size = ((size_t)info.value_size * info.max_entries + page - 1) / page * page;
	data = mmap(NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	ret_mapping->data = data;
	ret_mapping->length = size;
	*ret_entries = info.max_entries;
	return 0;
}

static void free_image(struct kh_kernel *kernel, uint32_t place)
{
	struct kh_outer_change changes[2];
	size_t count = 0;

	if (kh_inner_id(kernel->bases, place))
		changes[count++] = (struct kh_outer_change){ .outer = kernel->bases, .place = place, .inner = -1 };
	if (kh_inner_id(kernel->images, place))
		changes[count++] = (struct kh_outer_change){ .outer = kernel->images, .place = place, .inner = -1 };
	kh_outer_change(changes, count);
}

int kh_generations_tidy(struct kh_kernel *kernel, struct kh_error *error)
{
	uint32_t active = kernel->control->active;

	if (active >= KH_GENERATION_SLOTS ||
	    (active && (!kh_inner_id(kernel->bases, active) || !kh_inner_id(kernel->images, active) ||
			!kh_inner_id(kernel->records, active)))) {
		kh_fail(error, -EUCLEAN, _("%s: the generation in force has no list"), kernel->folder);
		kh_hint(error, _("remove everything and start again: khien detach"));
		return -EUCLEAN;
	}
	/* What the last to have the folder may have left undone. */
	kh_pending_hold(kernel, true);
	KH_CRASH_POINT("tidy.held");
	kh_wait_grace(kernel);
	kh_pending_empty(kernel);
	kh_pending_hold(kernel, false);
	KH_CRASH_POINT("tidy.emptied");
	for (uint32_t place = 1; place < KH_GENERATION_SLOTS; place++)
		if (place != active)
			free_image(kernel, place);
	KH_CRASH_POINT("tidy.freed");
	return 0;
}

/* Does another place hold the same record array? */
static bool is_held_elsewhere(struct kh_kernel *kernel, uint32_t place, uint32_t id)
{
	for (uint32_t other = 1; other < KH_GENERATION_SLOTS; other++)
		if (other != place && kh_inner_id(kernel->records, other) == id)
			return true;
	return false;
}

/* A place that is not in force and is not the last to hold counts that are still to be folded. */
static uint32_t free_place(struct kh_kernel *kernel)
{
	uint32_t active = kernel->control->active;

	for (uint32_t step = 1; step < KH_GENERATION_SLOTS; step++) {
		uint32_t place = (active + step - 1) % (KH_GENERATION_SLOTS - 1) + 1;
		uint32_t id = kh_inner_id(kernel->records, place);

		if (place != active && (!id || is_held_elsewhere(kernel, place, id)))
			return place;
	}
	return 0;
}

/* Zeroes the records of `fresh` slots. Mapped is only where they lie: to map all takes longer than all else here. */
static int zero_records(int fd, uint32_t entries, const uint32_t *fresh, size_t fresh_count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), first = entries, last = 0, offset, length;
	struct kh_record *records;
	uint8_t *data;

	for (size_t i = 0; i < fresh_count; i++) {
		if (fresh[i] >= entries)
			continue;
		first = fresh[i] < first ? fresh[i] : first;
		last = fresh[i] > last ? fresh[i] : last;
	}
	if (first == entries)
		return 0;
	offset = first * sizeof(*records) / page * page;
	length = (last + 1) * sizeof(*records) - offset;
	data = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
	if (data == MAP_FAILED)
		return -errno;
	records = (void *)(data + (first * sizeof(*records) - offset));
	for (size_t i = 0; i < fresh_count; i++)
		if (fresh[i] < entries)
			memset(&records[fresh[i] - first], 0, sizeof(*records));
	munmap(data, length);
	return 0;
}

/* The record array for `needed` slots: the one in force when it is long enough, else a new one. */
static int take_records(struct kh_kernel *kernel, uint32_t needed, const uint32_t *fresh, size_t fresh_count)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	uint32_t active = kernel->control->active, entries = 0;
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	int fd = active ? kh_inner_fd(kernel->records, active, NULL) : -ENOENT;

	if (fd >= 0) {
		int code = bpf_obj_get_info_by_fd(fd, &info, &length) < 0 ? -errno : 0;

		if (code >= 0 && info.max_entries >= needed)
			code = zero_records(fd, info.max_entries, fresh, fresh_count);
		if (code >= 0 && info.max_entries >= needed)
			return fd;
		close(fd);
		if (code < 0)
			return code;
	}
	entries = (needed + needed / 32 + RECORDS_STEP) / RECORDS_STEP * RECORDS_STEP;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "kh_records", sizeof(__u32), sizeof(struct kh_record), entries,
			    &options);
	return fd < 0 ? -errno : fd;
}

static void finish_changes(struct kh_kernel *kernel)
{
	kh_outer_finish(kernel->changes, kernel->changes_count);
	kernel->changes_count = 0;
}

static int refuse_list(struct kh_error *error, int code, size_t pages)
{
	kh_fail(error, code, _("the kernel has no room for the list (%zu KiB): %s"), pages * 4, strerror(-code));
	kh_hint(error, _("the list before stays in force; free memory, or push a shorter list"));
	return code;
}

int kh_kernel_prepare(struct kh_kernel *kernel, const void *image, size_t pages, const uint32_t *fresh,
		      size_t fresh_count, struct kh_install **ret_install, struct kh_error *error)
{
	const struct kh_image_header *header = image;
	struct kh_arrays arrays KH_CLEANUP(kh_arrays_clear) = { .base = -1, .image = -1 };
	int records_fd KH_CLEANUP(kh_closep) = -1;
	struct kh_install *install KH_CLEANUP(kh_freep) = calloc(1, sizeof(*install));
	struct kh_outer_change *changes = kernel->changes;
	size_t count;
	uint32_t place;
	int code, filled;

	kh_kernel_settle(kernel);
	finish_changes(kernel);
	place = free_place(kernel);
	if (header->magic != KH_IMAGE_MAGIC || header->abi_version != KH_ABI_VERSION || header->pages != pages ||
	    pages < KH_BASE_PAGES || header->slots_needed > KH_SLOT_MAX + 1)
		return kh_fail(error, -EINVAL, _("this is no list that can be installed"));
	if (!install)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	if (!place)
		return kh_fail(error, -EBUSY, _("older counters are not yet in the ledger; try again"));
	code = kh_arrays_take(kernel, pages, &arrays);
	if (code < 0)
		return refuse_list(error, code, pages);
	KH_CRASH_POINT("prepare.arrays");
	records_fd = take_records(kernel, header->slots_needed, fresh, fresh_count);
	if (records_fd < 0)
		return kh_fail(error, records_fd, _("the kernel has no room for the counters: %s"),
			       strerror(-records_fd));
	KH_CRASH_POINT("prepare.records");
	changes[0] = (struct kh_outer_change){ .outer = kernel->bases, .place = place, .inner = arrays.base };
	changes[1] = (struct kh_outer_change){ .outer = kernel->images, .place = place, .inner = arrays.image };
	changes[2] = (struct kh_outer_change){ .outer = kernel->records, .place = place, .inner = records_fd };
	count = kh_map_id(records_fd) == kh_inner_id(kernel->records, place) ? 2 : 3;
	/* No program looks at this place, so the arrays are put in while they are filled; and as there is nothing in it that anybody could still
	 * see, nobody waits for the grace periods: they are over when the generation before goes, or by the next to prepare. */
	kh_outer_start(changes, count);
	KH_CRASH_POINT("prepare.started");
	filled = kh_arrays_fill(&arrays, image, pages);
	KH_CRASH_POINT("prepare.filled");
	if (filled >= 0 && kh_outer_made(changes, count)) {
		kernel->changes_count = count;
		code = 0;
	} else {
		code = kh_outer_finish(changes, count);
	}
	if (code < 0 || filled < 0) {
		free_image(kernel, place);
		if (count == 3)
			bpf_map_delete_elem(kernel->records, &place);
		return filled < 0 ? refuse_list(error, filled, pages)
				  : kh_fail(error, code, _("the kernel refused the list: %s"), strerror(-code));
	}
	install->place = place;
	*ret_install = KH_TAKE(install);
	return 0;
}

void kh_kernel_switch(struct kh_kernel *kernel, struct kh_install *install)
{
	kh_kernel_settle(kernel);
	kernel->unsettled = true;
	kernel->left_place = kernel->control->active;
	kh_pending_hold(kernel, true);
	KH_CRASH_POINT("switch.held");
	__atomic_store_n(&kernel->control->active, install->place, __ATOMIC_SEQ_CST);
	KH_CRASH_POINT("switch.stored");
	free(install);
}

void kh_kernel_settle(struct kh_kernel *kernel)
{
	if (!kernel->unsettled)
		return;
	kernel->unsettled = false;
	finish_changes(kernel);
	kh_wait_grace(kernel);
	KH_CRASH_POINT("settle.waited");
	/* No count of the old place may be left when it is filled again: its records may be other ones then. */
	kh_pending_empty(kernel);
	KH_CRASH_POINT("settle.emptied");
	kh_pending_hold(kernel, false);
	KH_CRASH_POINT("settle.let-go");
	if (kernel->left_place)
		free_image(kernel, kernel->left_place);
	KH_CRASH_POINT("settle.freed");
}

void kh_kernel_abandon(struct kh_kernel *kernel, struct kh_install *install)
{
	uint32_t active = kernel->control->active;

	if (!install)
		return;
	finish_changes(kernel);
	free_image(kernel, install->place);
	if (!active || kh_inner_id(kernel->records, install->place) != kh_inner_id(kernel->records, active))
		bpf_map_delete_elem(kernel->records, &install->place);
	free(install);
}

/* Maps an inner array of the generation in force, read-only. */
static int map_inner(struct kh_kernel *kernel, int outer, struct kh_mapping *ret_mapping)
{
	uint32_t active = kernel->control->active, entries;
	int fd KH_CLEANUP(kh_closep) = active ? kh_inner_fd(outer, active, NULL) : -ENOENT;

	return fd < 0 ? fd : kh_map_array(fd, false, ret_mapping, &entries);
}

int kh_kernel_image(struct kh_kernel *kernel, void **ret_data, size_t *ret_length)
{
	struct kh_mapping base KH_CLEANUP(kh_unmap) = {}, rest KH_CLEANUP(kh_unmap) = {};
	int code = map_inner(kernel, kernel->bases, &base);
	size_t length;
	uint8_t *copy;

	if (code >= 0)
		code = map_inner(kernel, kernel->images, &rest);
	if (code < 0)
		return code;
	length = (size_t)((const struct kh_image_base *)base.data)->header.pages * KH_PAGE_SIZE;
	if (length < sizeof(struct kh_image_base) || length - sizeof(struct kh_image_base) > rest.length)
		return -EUCLEAN;
	copy = aligned_alloc(KH_PAGE_SIZE, length);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, base.data, sizeof(struct kh_image_base));
	memcpy(copy + sizeof(struct kh_image_base), rest.data, length - sizeof(struct kh_image_base));
	*ret_data = copy;
	*ret_length = length;
	return 0;
}

int kh_kernel_generation(struct kh_kernel *kernel, struct kh_image_header *ret_header)
{
	struct kh_mapping base KH_CLEANUP(kh_unmap) = {};
	int code = map_inner(kernel, kernel->bases, &base);

	if (code < 0)
		return code;
	*ret_header = ((const struct kh_image_base *)base.data)->header;
	return 0;
}
