/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this module share.
 */
#ifndef KHIEN_KERNEL_PRIVATE_H
#define KHIEN_KERNEL_PRIVATE_H

#include <limits.h>
#include <pthread.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel/kernel.h"

struct khien_bpf;

struct kh_mapping {
	void *data;
	size_t length;
};

/* A change of an outer map: outer.c. */
struct kh_outer_change {
	int outer;
	uint32_t place;
	int inner; /* -1: remove what is there */
	int code;
	/* the change's own */
	pthread_t thread;
	bool threaded;
};

/* The arrays of a generation: arrays.c. */
struct kh_arrays {
	int base, image; /* -1: none */
	size_t pages; /* that they have room for */
	struct kh_mapping mapping; /* of the base, until it is frozen */
};

/* Arrays that are being made for the list that is being compiled. */
struct kh_foreseen {
	struct kh_arrays arrays;
	int code;
	pthread_t thread;
	bool threaded; /* else there are none */
};

struct kh_kernel {
	char folder[PATH_MAX]; /* with the version */
	struct khien_bpf *skeleton;
	bool adopted;
	int bases, images, records, pending, control_map, interfaces, counters, sightings,
		events; /* descriptors; borrowed from the skeleton */
	int flush_program;
	struct kh_control *control; /* mapped */
	struct ring_buffer *ring;
	void (*event_callback)(const struct kh_event *event, void *context);
	void *event_context;
	bool unsettled; /* a switch was made, and kh_kernel_settle() not yet */
	uint32_t left_place; /* by it; 0: none was in force */
	/* made by the last to prepare, but not yet returned from their grace period */
	struct kh_outer_change changes[3];
	size_t changes_count;
	struct kh_foreseen foreseen;
	/* Dispatchers (ids of their programs) that did not take ours in, and why: not tried again and again. By index modulo. */
	struct kh_chain_refusal {
		uint32_t dispatcher;
		int code;
	} refusals[KH_INTERFACES_MAX];
	/* the records in force, as they were last read: mapping a million of them anew takes milliseconds */
	struct kh_mapping records_seen;
	uint32_t records_seen_id, records_seen_count;
	int images_template, records_template; /* small inner arrays, for grace periods and first creation */
	/* The same for each version of the ABI besides ours that has pins in the folder: a list, in which only folder, descriptors of maps (-1: none)
	 * and the control page are set. */
	struct kh_kernel *other;
};

/* load.c */
/* Empties and removes one folder of pins; only what we made can be in it. `detach`: links are taken off their hooks too. 0 or -errno. */
int kh_pins_remove(const char *path, bool detach, void (*callback)(const char *what, void *context), void *context);
/* Removes what one version made, filters too; `path` is its folder. 0 or -errno. */
int kh_version_remove(const char *path, void (*callback)(const char *what, void *context), void *context);
struct bpf_program *kh_program_of_hook(const struct kh_kernel *kernel, const char *hook, bool ethernet);
/* Has every map of an object that is not loaded yet found, or pinned, in the folder. 0 or -errno. */
int kh_maps_pin(struct bpf_object *object, const char *folder);
/* The object file of the programs. */
const void *kh_object_bytes(size_t *ret_size);
int kh_clock_program_fd(struct kh_kernel *kernel);

/* versions.c: finds those that are there. 0 or -errno. */
int kh_others_open(struct kh_kernel *kernel, const char *folder, struct kh_error *error);
void kh_others_close(struct kh_kernel *kernel);

/* attach.c */
/* Path of the pin of a link. */
void kh_pin_path(const struct kh_kernel *kernel, const char *hook, uint32_t ifindex,
		 char ret_path[static PATH_MAX + 64]);
int kh_program_info(uint32_t id, struct bpf_prog_info *ret_info);
/* Opens the pinned link of a hook; a link whose device is gone, or that is not on this device, is unpinned. fd or -ENOENT. */
int kh_link_open(const struct kh_kernel *kernel, const char *hook, uint32_t ifindex, struct bpf_link_info *ret_info);
/* Takes a pinned link off its hook and removes the pin. Unlinking alone would detach some time later. 0 or -errno. */
int kh_link_remove(const char *path);

/* filters.c; `control`: the id of the control map of the folder whose filters are meant */
#define KH_FILTER_POINTS 2
struct kh_filter_point {
	enum bpf_tc_attach_point point;
	const char *hook;
};
extern const struct kh_filter_point kh_filter_points[KH_FILTER_POINTS];
/* Does the program count and look up in the maps of the folder that this control map is of? */
bool kh_program_uses(uint32_t program, uint32_t control);
/* One of our programs, by its name and by that map? */
bool kh_program_is_ours(const struct bpf_prog_info *info, uint32_t control);
/* Is a filter of ours there? ret_program may be NULL. */
bool kh_filter_get(uint32_t control, uint32_t ifindex, enum bpf_tc_attach_point point,
		   struct bpf_prog_info *ret_program);
/* Attaches, or replaces ours in place. */
int kh_filter_attach(uint32_t ifindex, enum bpf_tc_attach_point point, int program);
void kh_filter_detach(uint32_t control, uint32_t ifindex, enum bpf_tc_attach_point point);
void kh_filters_remove(uint32_t control, void (*callback)(const char *what, void *context), void *context);

/* chain.c; `control`: as in filters.c */
/* Id of the program on the XDP hook; 0: none. */
uint32_t kh_xdp_on_hook(uint32_t ifindex);
/* Id of our program in the chain of the dispatcher there; 0: none is. */
uint32_t kh_chain_member(uint32_t control, uint32_t ifindex);
/* Into the chain, before those that have no priority of their own. 0; -ELIBACC: libxdp is not installed; -EBUSY: what holds the hook is no
 * dispatcher; -EOPNOTSUPP: the kernel or the dispatcher does not allow it; or -errno. */
int kh_chain_join(const struct kh_kernel *kernel, uint32_t ifindex, uint32_t *ret_member);
/* Out of it; the dispatcher goes with its last program. 0, -ENOENT or -errno. */
int kh_chain_leave(uint32_t ifindex, uint32_t member);
void kh_chains_remove(uint32_t control, void (*callback)(const char *what, void *context), void *context);

/* move.c: what `from` (ourselves, or another version) attached goes over to our programs, in place; links of another version are pinned in our folder
 * too. All, or nothing. */
int kh_attached_move(struct kh_kernel *kernel, const struct kh_kernel *from, struct kh_error *error);

/* generation.c */
void kh_records_forget(struct kh_kernel *kernel);
int kh_generations_tidy(struct kh_kernel *kernel, struct kh_error *error);
/* Maps a whole array, read-only. The caller unmaps. */
int kh_map_array(int fd, bool writable, struct kh_mapping *ret_mapping, uint32_t *ret_entries);
void kh_unmap(struct kh_mapping *mapping);

/* arrays.c */
void kh_arrays_clear(struct kh_arrays *arrays);
/* Those made beforehand when they will do, else new ones. 0, or -errno: no room in the kernel. */
int kh_arrays_take(struct kh_kernel *kernel, size_t pages, struct kh_arrays *ret_arrays);
/* Writes the image, and freezes them. 0 or -errno. */
int kh_arrays_fill(struct kh_arrays *arrays, const void *image, size_t pages);
void kh_foreseen_drop(struct kh_kernel *kernel);

/* outer.c */
uint32_t kh_map_id(int fd); /* 0: none */
uint32_t kh_inner_id(int outer, uint32_t place); /* 0: none */
int kh_inner_fd(int outer, uint32_t place, uint32_t *ret_id);
/* Returns when every packet that was under way has been judged and counted. */
void kh_wait_grace(struct kh_kernel *kernel);

/* Makes changes of several outer maps at once, each in a thread of its own, or one after the other where threads cannot be had: each waits
 * for a grace period, some 8 ms. 0, or the error of one of them; the others are made all the same. */
int kh_outer_change(struct kh_outer_change *changes, size_t count);
/* The same in two steps, for work to be done while they wait. Descriptors stay open in between. */
void kh_outer_start(struct kh_outer_change *changes, size_t count);
int kh_outer_finish(struct kh_outer_change *changes, size_t count);
/* Are all of them made? Whoever looks now sees them; only kh_outer_finish() knows that nobody still sees what was there. */
bool kh_outer_made(const struct kh_outer_change *changes, size_t count);

/* pending.c */
/* Makes the programs count straight into the records, from a grace period later on. */
void kh_pending_hold(struct kh_kernel *kernel, bool hold);
/* While held, and after a grace period: all counts into the records. 0 or -errno. */
int kh_pending_empty(struct kh_kernel *kernel);
/* All of it: what has been counted until now is in the records when this returns 0. */
int kh_pending_flush(struct kh_kernel *kernel);

#endif
