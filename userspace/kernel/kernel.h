/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only code that touches BPF: loads the programs, keeps maps and links pinned, attaches and detaches, installs
 * generations, reads counters, runs packets through the live programs. Decides nothing about what is blocked.
 *
 * Everything lives in one folder on a bpffs, so that it goes on without the daemon and is found again by the next:
 *   <folder>/v2/maps/...                  v2: KH_ABI_VERSION; another version is built beside it, never mixed with it
 *   <folder>/v2/links/<hook>-<ifindex>    hook: xdp, xdp-generic, tc-ingress, tc-egress (bpffs allows no dots, so no names)
 *   <folder>/v2/programs/...
 * Where a libxdp dispatcher holds the XDP hook, our program and its link are pinned by libxdp, in a folder of its own.
 * What another version attached filters, and counts as attached, until kh_kernel_take_over(). A clsact filter (kernels without tcx, before 6.6) has no link; it is recognised by its handle, program and maps.
 */
#ifndef KHIEN_KERNEL_KERNEL_H
#define KHIEN_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "khien/abi.h"

struct kh_kernel;

/* Loads and verifies the programs on the running kernel, attaches and pins nothing. 0 and a sentence in `report`
 * (programs, verified instructions); or -errno with error (no BTF, no permission, a kernel that refuses: its last words). */
int kh_kernel_check(char *ret_report, size_t size, struct kh_error *error);

/* Opens the folder (made when missing; must be on a bpffs): adopts pinned maps, else makes and pins them; loads the programs, and moves
 * links and filters that carry an older program over to it, in place, undoing all when one fails. Links whose device is gone are unpinned. */
int kh_kernel_open(const char *folder, struct kh_kernel **ret_kernel, struct kh_error *error);
/* Closes descriptors; what is attached stays attached. Takes NULL. */
void kh_kernel_close(struct kh_kernel *kernel);
bool kh_kernel_adopted(const struct kh_kernel *kernel); /* the maps were there before */

/* Has another version (KH_ABI_VERSION) pins in the folder? Its list and its counts are in maps of its own. */
bool kh_kernel_has_other(const struct kh_kernel *kernel);
/* Moves what other versions attached over to our programs in place, undoing all of it when one refuses (-errno; they go on filtering as before). So
 * our list and interface table are to be in force already. Then calls back for each: where its counts are `readable` (KH_COUNTS_VERSION),
 * `other` is good for kh_kernel_records(), _drop_retired(), _counters(), _sightings() and _forget_sighting(). Its pins are removed last. */
int kh_kernel_take_over(struct kh_kernel *kernel,
			void (*callback)(struct kh_kernel *other, bool readable, void *context), void *context,
			struct kh_error *error);

/* Removes every link, filter and pin in the folder, of all versions, and nothing else. Works without programs. Names what was removed through `callback`. */
int kh_kernel_remove(const char *folder, void (*callback)(const char *what, void *context), void *context,
		     struct kh_error *error);

/* ---- Attaching ---------------------------------------------------------------------------------- */

enum kh_attached_mode {
	KH_ATTACHED_NONE,
	KH_ATTACHED_NATIVE, /* XDP in the driver */
	KH_ATTACHED_GENERIC, /* XDP after the stack took the packet */
	KH_ATTACHED_TC, /* tc ingress */
	KH_ATTACHED_CHAINED, /* XDP, called by a libxdp dispatcher with programs of others */
};
const char *kh_attached_mode_name(enum kh_attached_mode mode); /* "none" "native" "generic" "tc" "chained" */

enum kh_mode_wanted {
	KH_WANT_AUTO, /* native, else tc; chained where a dispatcher holds the hook */
	KH_WANT_NATIVE, /* or chained */
	KH_WANT_TC,
	KH_WANT_GENERIC,
};

struct kh_attach {
	uint32_t ifindex;
	const char *name; /* for messages */
	bool ethernet; /* has an Ethernet header (ARPHRD_ETHER); without one it is always tc */
	bool egress; /* also judge what leaves (WAN) */
	enum kh_mode_wanted wanted;
};

struct kh_attached {
	enum kh_attached_mode mode;
	bool egress;
	bool anew; /* kh_kernel_attach() had to put something on */
	char notice[256]; /* why not the best mode; empty: it is */
};

/* Attaches what is missing; what is attached already is left as it is, whatever mode it has, and nothing is put on a second time. 0; -EBUSY: another program holds
 * the hook (named in error), and is no dispatcher that takes ours in; -ENODEV; or -errno. On failure nothing new stays attached. */
int kh_kernel_attach(struct kh_kernel *kernel, const struct kh_attach *attach, struct kh_attached *ret_attached,
		     struct kh_error *error);
/* Is what was attached there still on? Of a bpf_link that somebody detached, or whose pin is gone, nobody is told: this asks. */
bool kh_kernel_is_attached(struct kh_kernel *kernel, uint32_t ifindex, const struct kh_attached *attached);
/* Takes off what this folder attached to the interface. */
int kh_kernel_detach(struct kh_kernel *kernel, uint32_t ifindex, struct kh_error *error);
/* Calls back for each interface that has something of ours attached (also ones not wanted any more). */
int kh_kernel_attachments(struct kh_kernel *kernel,
			  void (*callback)(uint32_t ifindex, const struct kh_attached *, void *), void *context);

/* Replaces the interface table. Watched interfaces with the same number are counted together. -EINVAL: a number of KH_INTERFACES_MAX or
 * more; -ENOSPC: KH_INTERFACE_PROBES are not enough for these indexes. Then the table is as before. */
int kh_kernel_set_interfaces(struct kh_kernel *kernel, const struct kh_interface *interfaces, size_t count,
			     struct kh_error *error);

/* ---- Generations -------------------------------------------------------------------------------- */

struct kh_install;

/* A list of about so many pages is going to be prepared: its arrays are made beside, while it is compiled. Only time depends on it. Each call
 * drops what the one before made, if nobody took it; 0: nothing is going to be prepared. */
void kh_kernel_foresee(struct kh_kernel *kernel, size_t pages);

/* Prepares a generation beside the one in force: image array written and frozen, records array (kept, or a larger one) paired with it. Waits
 * for no grace period: nobody can still see what was in its place.
 * `fresh` slots have their records zeroed. Nothing changes for packets. On failure everything is undone: -EINVAL (no image), -EBUSY (retired
 * record arrays must be dropped first), or the kernel's errno. */
int kh_kernel_prepare(struct kh_kernel *kernel, const void *image, size_t pages, const uint32_t *fresh,
		      size_t fresh_count, struct kh_install **ret_install, struct kh_error *error);
/* The switch: one store, and every packet that arrives from then on is judged by the new list. Cannot fail. Consumes install. The old image
 * goes with kh_kernel_settle(). */
void kh_kernel_switch(struct kh_kernel *kernel, struct kh_install *install);
/* Ends what preparing and a switch began: waits until no packet is judged by the old list any more, brings the counts on their way into the
 * records, frees the old image. Some 25 ms that nobody has to wait for; what relies on it (preparing, switching, reading and dropping records, closing) does
 * it first. Nothing when there was no switch. */
void kh_kernel_settle(struct kh_kernel *kernel);
/* Drops a prepared generation. Takes NULL. */
void kh_kernel_abandon(struct kh_kernel *kernel, struct kh_install *install);

/* Header of the generation in force; -ENOENT when none is. */
int kh_kernel_generation(struct kh_kernel *kernel, struct kh_image_header *ret_header);
/* A copy of the image in force, malloc'ed. */
int kh_kernel_image(struct kh_kernel *kernel, void **ret_data, size_t *ret_length);

/* ---- The clock ---------------------------------------------------------------------------------- */

/* Tells the programs what time it is now: the wall clock and so many seconds. Call at start, when the clock stepped, and now and then. */
int kh_kernel_set_clock(struct kh_kernel *kernel, int64_t correction, struct kh_error *error);
/* The time that the programs keep by themselves, in wall-clock seconds; 0: they were told none yet. */
int kh_kernel_clock(struct kh_kernel *kernel, int64_t *ret_now, struct kh_error *error);

/* ---- Evidence ----------------------------------------------------------------------------------- */

/* Every record array there is: that of the generation in force, and retired ones not yet dropped. `map` is the kernel's id. */
int kh_kernel_records(struct kh_kernel *kernel,
		      int (*callback)(uint32_t map, const struct kh_record *records, size_t count, bool retired,
				      void *),
		      void *context);
/* Frees retired record arrays; call when their counts are safe. */
void kh_kernel_drop_retired(struct kh_kernel *kernel);

/* Counters summed over CPUs, indexed as abi.h says; *ret_map is the kernel's id. */
int kh_kernel_counters(struct kh_kernel *kernel, struct kh_counter ret_counters[static KH_COUNTERS], uint32_t *ret_map);

/* All sightings; *ret_entries is malloc'ed. */
struct kh_sighting_entry {
	struct kh_sighting_key key;
	struct kh_sighting value;
};
int kh_kernel_sightings(struct kh_kernel *kernel, struct kh_sighting_entry **ret_entries, size_t *ret_count,
			uint32_t *ret_map);
int kh_kernel_forget_sighting(struct kh_kernel *kernel, const struct kh_sighting_key *key);
void kh_kernel_losses(struct kh_kernel *kernel, uint64_t *ret_events, uint64_t *ret_sightings);

/* First sights: a descriptor to poll, then drain. */
int kh_kernel_events_fd(struct kh_kernel *kernel);
int kh_kernel_events(struct kh_kernel *kernel, void (*callback)(const struct kh_event *, void *), void *context);

/* ---- Proof -------------------------------------------------------------------------------------- */

enum kh_probe_program {
	KH_PROBE_XDP,
	KH_PROBE_TC_INGRESS,
	KH_PROBE_TC_EGRESS,
};
/* Runs one Ethernet frame (at least 14 bytes) through the live program on a device that is in no table, so nothing is counted.
 * *ret_dropped says the verdict. 0 or -errno. */
int kh_kernel_probe(struct kh_kernel *kernel, enum kh_probe_program program, const void *frame, size_t length,
		    bool *ret_dropped);
/* File descriptor of a program, for tests; borrowed. */
int kh_kernel_program_fd(struct kh_kernel *kernel, enum kh_probe_program program);

#endif
