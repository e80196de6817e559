/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this module share.
 */
#ifndef KHIEN_KERNEL_PRIVATE_H
#define KHIEN_KERNEL_PRIVATE_H

#include <limits.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/kernel.h"

struct khien_bpf;

struct kh_kernel {
	char folder[PATH_MAX]; /* with the version */
	struct khien_bpf *skeleton;
	bool adopted;
	int images, records, control_map, interfaces, counters, sightings, events; /* descriptors; borrowed from the skeleton */
	struct kh_control *control; /* mapped */
	struct ring_buffer *ring;
	void (*event_callback)(const struct kh_event *event, void *context);
	void *event_context;
	int images_template, records_template; /* small inner arrays, for grace periods and first creation */
};

struct kh_mapping {
	void *data;
	size_t length;
};

/* attach.c */
int kh_links_move(struct kh_kernel *kernel, struct kh_error *error);
struct bpf_program *kh_program_of_hook(struct kh_kernel *kernel, const char *hook, bool ethernet);

/* Takes a pinned link off its hook and removes the pin. Unlinking alone would detach some time later. 0 or -errno. */
int kh_link_remove(const char *path);

int kh_clock_program_fd(struct kh_kernel *kernel);
void kh_filters_remove(void (*callback)(const char *what, void *context), void *context);

/* generation.c */
int kh_generations_tidy(struct kh_kernel *kernel, struct kh_error *error);
int kh_inner_fd(int outer, uint32_t place, uint32_t *ret_id);
/* Maps a whole array, read-only. The caller unmaps. */
int kh_map_array(int fd, bool writable, struct kh_mapping *ret_mapping, uint32_t *ret_entries);
void kh_unmap(struct kh_mapping *mapping);

#endif
