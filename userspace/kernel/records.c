// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads the records: of the generation in force, and of those before it whose counts are still to be folded.
 */
#include "kernel/private.h"

#include "common/crash.h"
#include "common/util.h"

/* Mapped records keep their memory: those that are not in force any more must not be. */
void kh_records_forget(struct kh_kernel *kernel)
{
	kh_unmap(&kernel->records_seen);
	kernel->records_seen_id = 0;
}

/* Reads one array of records; the mapping of those in force is kept for the next time. */
static int read_records(struct kh_kernel *kernel, int fd, uint32_t id, bool in_force,
			int (*callback)(uint32_t map, const struct kh_record *records, size_t count, bool retired,
					void *),
			void *context)
{
	struct kh_mapping mapping = {};
	uint32_t count;
	int code;

	if (kernel->records_seen_id == id)
		return callback(id, kernel->records_seen.data, kernel->records_seen_count, !in_force, context);
	code = kh_map_array(fd, false, &mapping, &count);
	if (code < 0)
		return code;
	code = callback(id, mapping.data, count, !in_force, context);
	if (!in_force) {
		kh_unmap(&mapping);
		return code;
	}
	kh_records_forget(kernel);
	kernel->records_seen = mapping;
	kernel->records_seen_id = id;
	kernel->records_seen_count = count;
	return code;
}

int kh_kernel_records(struct kh_kernel *kernel,
		      int (*callback)(uint32_t map, const struct kh_record *records, size_t count, bool retired,
				      void *),
		      void *context)
{
	uint32_t active = kernel->control->active, kept = active ? kh_inner_id(kernel->records, active) : 0,
		 seen[KH_GENERATION_SLOTS] = {};
	int flushed;

	kh_kernel_settle(kernel);
	flushed = kh_pending_flush(kernel);
	if (flushed < 0)
		return flushed;
	for (uint32_t place = 1; place < KH_GENERATION_SLOTS; place++) {
		uint32_t id;
		bool known = false;
		int fd = kh_inner_fd(kernel->records, place, &id), code;

		if (fd < 0)
			continue;
		for (uint32_t i = 1; i < place; i++)
			known = known || seen[i] == id;
		seen[place] = id;
		code = known ? 0 : read_records(kernel, fd, id, id == kept, callback, context);
		close(fd);
		if (code)
			return code;
	}
	return 0;
}

void kh_kernel_drop_retired(struct kh_kernel *kernel)
{
	uint32_t active = kernel->control->active, kept = active ? kh_inner_id(kernel->records, active) : 0;

	kh_kernel_settle(kernel);
	KH_CRASH_POINT("retired.to-be-dropped");
	if (kernel->records_seen_id != kept)
		kh_records_forget(kernel);
	for (uint32_t place = 1; place < KH_GENERATION_SLOTS; place++) {
		uint32_t id = kh_inner_id(kernel->records, place);

		if (id && id != kept)
			bpf_map_delete_elem(kernel->records, &place);
	}
}
