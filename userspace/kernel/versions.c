// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An upgrade, or a way back, to another ABI version: what the other version attached goes on filtering by its own list, until ours is in force
 * beside it; then its links and filters go over to our programs one after the other, its counts are read, its pins removed. When one is refused, all go back; what ours
 * counted until then is gone with it: the ledger follows one set of maps at a time.
 */
#include "kernel/private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

static int open_map(const char *folder, const char *name)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/maps/%s", folder, name);
	return bpf_obj_get(path);
}

static void close_other(struct kh_kernel *other)
{
	int *descriptors[] = { &other->records,	 &other->pending,   &other->control_map,
			       &other->counters, &other->sightings, &other->images };

	kh_records_forget(other);
	for (size_t i = 0; i < KH_ARRAY_SIZE(descriptors); i++)
		kh_closep(descriptors[i]);
	if (other->control)
		munmap(other->control, (size_t)sysconf(_SC_PAGESIZE));
	free(other);
}

void kh_others_close(struct kh_kernel *kernel)
{
	while (kernel->other) {
		struct kh_kernel *other = kernel->other;

		kernel->other = other->other;
		close_other(other);
	}
}

static int add_other(struct kh_kernel *kernel, const char *folder, int64_t version)
{
	struct kh_kernel *other = calloc(1, sizeof(*other));
	void *mapped;

	if (!other)
		return -ENOMEM;
	snprintf(other->folder, sizeof(other->folder), "%s/v%lld", folder, (long long)version);
	other->records = open_map(other->folder, "records");
	other->pending = open_map(other->folder, "pending");
	other->control_map = open_map(other->folder, "control");
	other->counters = open_map(other->folder, "counters");
	other->sightings = open_map(other->folder, "sightings");
	other->images = open_map(other->folder, "images");
	other->images_template = other->records_template = -1;
	if (other->control_map >= 0) {
		mapped = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			      other->control_map, 0);
		other->control = mapped == MAP_FAILED ? NULL : mapped;
	}
	other->other = kernel->other;
	kernel->other = other;
	return 0;
}

int kh_others_open(struct kh_kernel *kernel, const char *folder, struct kh_error *error)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	int code = entries ? 0 : -errno;

	while (code >= 0 && (entry = readdir(entries))) {
		int64_t version;

		if (entry->d_name[0] == 'v' && !kh_number_parse(entry->d_name + 1, 0, INT32_MAX, &version) &&
		    version != KH_ABI_VERSION)
			code = add_other(kernel, folder, version);
	}
	if (entries)
		closedir(entries);
	return code < 0 ? kh_fail(error, code, _("%s: %s"), folder, strerror(-code)) : 0;
}

bool kh_kernel_has_other(const struct kh_kernel *kernel)
{
	return kernel->other;
}

/* What its programs counted can be read as ours. */
static bool is_readable(const struct kh_kernel *other)
{
	return other->control && other->control->counts_version == KH_COUNTS_VERSION && other->records >= 0 &&
	       other->pending >= 0 && other->counters >= 0 && other->sightings >= 0;
}

/* Adds one count that was on its way to its record. Nobody else writes there any more. */
static int bring_home(struct kh_kernel *other, const struct kh_pending_count *count)
{
	struct kh_mapping mapping KH_CLEANUP(kh_unmap) = {};
	int fd KH_CLEANUP(kh_closep) = kh_inner_fd(other->records, count->place, NULL), code;
	struct kh_record *record;
	uint32_t entries;

	if (fd < 0)
		return fd;
	code = kh_map_array(fd, true, &mapping, &entries);
	if (code < 0 || count->slot >= entries)
		return code;
	record = (struct kh_record *)mapping.data + count->slot;
	record->packets += count->packets;
	record->bytes += count->bytes;
	if (!record->first_seen || (count->first_seen && count->first_seen < record->first_seen))
		record->first_seen = count->first_seen;
	if (record->last_seen < count->last_seen)
		record->last_seen = count->last_seen;
	return 0;
}

/* Its programs run no more, and the one that would empty the queues went with its daemon. */
static void empty_pending(struct kh_kernel *other)
{
	int cpus = libbpf_num_possible_cpus();
	struct kh_pending *all KH_CLEANUP(kh_freep) = cpus > 0 ? calloc((size_t)cpus, sizeof(*all)) : NULL;
	uint32_t zero = 0;

	if (!all || bpf_map_lookup_elem(other->pending, &zero, all) < 0)
		return;
	for (int cpu = 0; cpu < cpus; cpu++)
		for (uint32_t i = 0; i < all[cpu].queued && i < KH_PENDING_QUEUE; i++)
			bring_home(other, &all[cpu].queue[i]);
	memset(all, 0, (size_t)cpus * sizeof(*all));
	bpf_map_update_elem(other->pending, &zero, all, BPF_ANY);
}

int kh_kernel_take_over(struct kh_kernel *kernel,
			void (*callback)(struct kh_kernel *other, bool readable, void *context), void *context,
			struct kh_error *error)
{
	while (kernel->other) {
		struct kh_kernel *other = kernel->other;
		bool readable = is_readable(other);
		int code;

		if (readable)
			kh_pending_hold(other, true);
		code = kh_attached_move(kernel, other, error);
		if (code < 0) {
			if (readable)
				kh_pending_hold(other, false);
			if (!kernel->adopted) /* all as it was before */
				kh_version_remove(kernel->folder, NULL, NULL);
			return code;
		}
		kh_wait_grace(kernel);
		if (readable)
			empty_pending(other);
		if (callback)
			callback(other, readable, context);
		kh_pins_remove(other->folder, false, NULL, NULL); /* the links are ours by now */
		kernel->other = other->other;
		close_other(other);
	}
	return 0;
}
