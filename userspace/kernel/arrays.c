// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two arrays of a generation: made, written, frozen. To make them and to touch each of their pages for the first time takes longer than
 * to copy the list into them, most of all in a virtual machine whose page tables the host shadows (7 us a page). It needs nothing of the list
 * but its length, so it is begun while the list is compiled.
 */
#include "kernel/private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "common/crash.h"
#include "common/util.h"

#define PAGES_AT_ONCE 32
#define GROWTH 64 /* arrays made beforehand have room for this part more, and serve a list that is so much shorter */

void kh_arrays_clear(struct kh_arrays *arrays)
{
	kh_unmap(&arrays->mapping);
	kh_closep(&arrays->base);
	kh_closep(&arrays->image);
	*arrays = (struct kh_arrays){ .base = -1, .image = -1 };
}

static int create_array(const char *name, size_t element, size_t entries, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE | flags);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), (__u32)element, (__u32)entries, &options);

	return fd < 0 ? -errno : fd;
}

/* The base is one element, written through a mapping; the rest is written by the kernel, whose own addresses the programs use. */
static int make_arrays(struct kh_arrays *arrays, size_t pages)
{
	size_t rest = pages - KH_BASE_PAGES;
	void *data;

	arrays->pages = pages;
	arrays->base = create_array("kh_base", sizeof(struct kh_image_base), 1, 0);
	if (arrays->base < 0)
		return arrays->base;
	arrays->image =
		create_array("kh_image", KH_PAGE_SIZE, rest ? rest : 1 /* a map has one at least */, BPF_F_INNER_MAP);
	if (arrays->image < 0)
		return arrays->image;
	data = mmap(NULL, sizeof(struct kh_image_base), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, arrays->base,
		    0);
	if (data == MAP_FAILED)
		return -errno;
	arrays->mapping = (struct kh_mapping){ data, sizeof(struct kh_image_base) };
	return 0;
}

/* `data` NULL: zeroes. */
static int write_pages(int fd, const uint8_t *data, size_t count)
{
	static const uint8_t zeroes[PAGES_AT_ONCE * KH_PAGE_SIZE];
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	uint32_t keys[PAGES_AT_ONCE];

	for (size_t at = 0; at < count;) {
		uint32_t here = count - at < PAGES_AT_ONCE ? (uint32_t)(count - at) : PAGES_AT_ONCE;

		for (uint32_t i = 0; i < here; i++)
			keys[i] = (uint32_t)at + i;
		if (bpf_map_update_batch(fd, keys, data ? data + at * KH_PAGE_SIZE : zeroes, &here, &options) < 0)
			return -errno;
		at += here;
	}
	return 0;
}

int kh_arrays_fill(struct kh_arrays *arrays, const void *image, size_t pages)
{
	const uint8_t *rest = (const uint8_t *)image + sizeof(struct kh_image_base);
	int code;

	memcpy(arrays->mapping.data, image, sizeof(struct kh_image_base));
	kh_unmap(&arrays->mapping); /* a frozen map must not be mapped for writing */
	code = write_pages(arrays->image, rest, pages - KH_BASE_PAGES);
	if (code < 0)
		return code;
	KH_CRASH_POINT("prepare.written");
	return bpf_map_freeze(arrays->base) < 0 || bpf_map_freeze(arrays->image) < 0 ? -errno : 0;
}

/* ---- Beforehand --------------------------------------------------------------------------------- */

static void *make_beforehand(void *context)
{
	struct kh_foreseen *foreseen = context;
	struct kh_arrays *arrays = &foreseen->arrays;

	foreseen->code = make_arrays(arrays, arrays->pages);
	if (foreseen->code < 0)
		return NULL;
	memset(arrays->mapping.data, 0, arrays->mapping.length);
	foreseen->code = write_pages(arrays->image, NULL, arrays->pages - KH_BASE_PAGES);
	return NULL;
}

void kh_kernel_foresee(struct kh_kernel *kernel, size_t pages)
{
	struct kh_foreseen *foreseen = &kernel->foreseen;

	kh_foreseen_drop(kernel);
	/* Not while there are three lists in the kernel. */
	if (pages < KH_BASE_PAGES || kernel->unsettled)
		return;
	foreseen->arrays = (struct kh_arrays){ .base = -1, .image = -1, .pages = pages + pages / GROWTH };
	foreseen->threaded = !pthread_create(&foreseen->thread, NULL, make_beforehand, foreseen);
}

void kh_foreseen_drop(struct kh_kernel *kernel)
{
	if (!kernel->foreseen.threaded)
		return;
	kernel->foreseen.threaded = false;
	pthread_join(kernel->foreseen.thread, NULL);
	kh_arrays_clear(&kernel->foreseen.arrays);
}

int kh_arrays_take(struct kh_kernel *kernel, size_t pages, struct kh_arrays *ret_arrays)
{
	struct kh_foreseen *foreseen = &kernel->foreseen;
	struct kh_arrays made = { .base = -1, .image = -1 };
	int code;

	if (foreseen->threaded) {
		foreseen->threaded = false;
		pthread_join(foreseen->thread, NULL);
		if (foreseen->code >= 0 && foreseen->arrays.pages >= pages &&
		    foreseen->arrays.pages <= pages + 2 * (pages / GROWTH)) {
			*ret_arrays = foreseen->arrays;
			return 0;
		}
		kh_arrays_clear(&foreseen->arrays);
	}
	code = make_arrays(&made, pages);
	if (code < 0)
		kh_arrays_clear(&made);
	else
		*ret_arrays = made;
	return code;
}
