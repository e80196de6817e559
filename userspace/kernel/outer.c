// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The outer maps: what is in a place, changes, and waiting for packets under way. Every change of an array-of-maps waits for an RCU grace
 * period in the kernel, so when one returns, no program still uses what was there.
 */
#include "kernel/private.h"

#include <errno.h>

int kh_inner_fd(int outer, uint32_t place, uint32_t *ret_id)
{
	uint32_t id = 0;
	int fd;

	if (bpf_map_lookup_elem(outer, &place, &id) < 0)
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return -errno;
	if (ret_id)
		*ret_id = id;
	return fd;
}

uint32_t kh_inner_id(int outer, uint32_t place)
{
	uint32_t id = 0;

	return bpf_map_lookup_elem(outer, &place, &id) < 0 ? 0 : id;
}

uint32_t kh_map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) < 0 ? 0 : info.id;
}

/* A change that changes nothing: place 0 is never used. */
void kh_wait_grace(struct kh_kernel *kernel)
{
	uint32_t unused = 0;

	bpf_map_update_elem(kernel->images, &unused, &kernel->images_template, BPF_ANY);
}

static void *make_change(void *context)
{
	struct kh_outer_change *change = context;
	int r = change->inner < 0 ? bpf_map_delete_elem(change->outer, &change->place)
				  : bpf_map_update_elem(change->outer, &change->place, &change->inner, BPF_ANY);

	change->code = r < 0 ? -errno : 0;
	return NULL;
}

void kh_outer_start(struct kh_outer_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		changes[i].threaded = !pthread_create(&changes[i].thread, NULL, make_change, &changes[i]);
}

int kh_outer_finish(struct kh_outer_change *changes, size_t count)
{
	int code = 0;

	for (size_t i = 0; i < count; i++) {
		if (changes[i].threaded)
			pthread_join(changes[i].thread, NULL);
		else
			make_change(&changes[i]);
		code = changes[i].code < 0 ? changes[i].code : code;
	}
	return code;
}

bool kh_outer_made(const struct kh_outer_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t id = kh_inner_id(changes[i].outer, changes[i].place);

		if (!id || id != kh_map_id(changes[i].inner))
			return false;
	}
	return true;
}

int kh_outer_change(struct kh_outer_change *changes, size_t count)
{
	if (count > 1)
		kh_outer_start(changes + 1, count - 1);
	return kh_outer_finish(changes, count);
}
