// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads what the packet programs counted, fills the interface table, and runs packets through the live programs.
 */
#include "kernel/private.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

int kh_kernel_counters(struct kh_kernel *kernel, struct kh_counter ret_counters[static KH_COUNTERS], uint32_t *ret_map)
{
	int cpus = libbpf_num_possible_cpus();
	struct bpf_map_info info = {};
	__u32 length = sizeof(info), count = KH_COUNTERS, batch = 0;
	struct kh_counter *values KH_CLEANUP(kh_freep) = NULL;
	uint32_t *keys KH_CLEANUP(kh_freep) = NULL;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus * KH_COUNTERS, sizeof(*values));
	keys = calloc(KH_COUNTERS, sizeof(*keys));
	if (!values || !keys)
		return -ENOMEM;
	if (bpf_obj_get_info_by_fd(kernel->counters, &info, &length) < 0)
		return -errno;
	if (bpf_map_lookup_batch(kernel->counters, NULL, &batch, keys, values, &count, NULL) < 0 && errno != ENOENT)
		return -errno;
	memset(ret_counters, 0, sizeof(ret_counters[0]) * KH_COUNTERS);
	for (uint32_t i = 0; i < count; i++) {
		for (int cpu = 0; cpu < cpus; cpu++) {
			const struct kh_counter *value = &values[(size_t)i * (size_t)cpus + (size_t)cpu];

			ret_counters[keys[i]].packets += value->packets;
			ret_counters[keys[i]].bytes += value->bytes;
		}
	}
	*ret_map = info.id;
	return 0;
}

int kh_kernel_sightings(struct kh_kernel *kernel, struct kh_sighting_entry **ret_entries, size_t *ret_count,
			uint32_t *ret_map)
{
	struct kh_sighting_entry *entries KH_CLEANUP(kh_freep) = NULL;
	struct kh_sighting_key key, last, *previous = NULL;
	size_t count = 0, capacity = 0;
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(kernel->sightings, &info, &length) < 0)
		return -errno;
	while (count < KH_SIGHTINGS_MAX && !bpf_map_get_next_key(kernel->sightings, previous, &key)) {
		int code = kh_grow(&entries, &capacity, count + 1, sizeof(*entries));

		if (code < 0)
			return code;
		entries[count].key = key;
		last = key;
		previous = &last;
		if (!bpf_map_lookup_elem(kernel->sightings, &key, &entries[count].value))
			count++;
	}
	*ret_entries = KH_TAKE(entries);
	*ret_count = count;
	*ret_map = info.id;
	return 0;
}

int kh_kernel_forget_sighting(struct kh_kernel *kernel, const struct kh_sighting_key *key)
{
	return bpf_map_delete_elem(kernel->sightings, key) < 0 ? -errno : 0;
}

void kh_kernel_losses(struct kh_kernel *kernel, uint64_t *ret_events, uint64_t *ret_sightings)
{
	*ret_events = __atomic_load_n(&kernel->control->events_lost, __ATOMIC_RELAXED);
	*ret_sightings = __atomic_load_n(&kernel->control->sightings_lost, __ATOMIC_RELAXED);
}

static int on_event(void *context, void *data, size_t size)
{
	struct kh_kernel *kernel = context;

	if (size >= sizeof(struct kh_event) && kernel->event_callback)
		kernel->event_callback(data, kernel->event_context);
	return 0;
}

int kh_kernel_events_fd(struct kh_kernel *kernel)
{
	if (!kernel->ring)
		kernel->ring = ring_buffer__new(kernel->events, on_event, kernel, NULL);
	return kernel->ring ? ring_buffer__epoll_fd(kernel->ring) : -errno;
}

int kh_kernel_events(struct kh_kernel *kernel, void (*callback)(const struct kh_event *, void *), void *context)
{
	if (kh_kernel_events_fd(kernel) < 0)
		return -ENOMEM;
	kernel->event_callback = callback;
	kernel->event_context = context;
	return ring_buffer__consume(kernel->ring);
}

/* Where an entry goes: its index, then the next places. */
static int place_interface(struct kh_interface table[static KH_INTERFACE_PLACES], const struct kh_interface *entry)
{
	for (uint32_t probe = 0; probe < KH_INTERFACE_PROBES; probe++) {
		struct kh_interface *place = &table[(entry->ifindex + probe) & (KH_INTERFACE_PLACES - 1)];

		if (place->ifindex)
			continue;
		*place = *entry;
		return 0;
	}
	return -ENOSPC;
}

int kh_kernel_set_interfaces(struct kh_kernel *kernel, const struct kh_interface *interfaces, size_t count,
			     struct kh_error *error)
{
	struct kh_interface *table KH_CLEANUP(kh_freep) = calloc(KH_INTERFACE_PLACES, sizeof(*table));

	if (!table)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	for (size_t i = 0; i < count; i++) {
		if (interfaces[i].number >= KH_INTERFACES_MAX)
			return kh_fail(error, -EINVAL, _("more than %d interfaces"), KH_INTERFACES_MAX);
		if (place_interface(table, &interfaces[i]) < 0)
			return kh_fail(error, -ENOSPC, _("no room in the interface table for index %u"),
				       interfaces[i].ifindex);
	}
	/* Only what differs is written: a packet that meets a place while it is written loses at most its accounting. */
	for (uint32_t place = 0; place < KH_INTERFACE_PLACES; place++) {
		struct kh_interface now;

		if (!bpf_map_lookup_elem(kernel->interfaces, &place, &now) && !memcmp(&now, &table[place], sizeof(now)))
			continue;
		if (bpf_map_update_elem(kernel->interfaces, &place, &table[place], BPF_ANY) < 0)
			return kh_fail(error, -errno, _("cannot write the interface table: %s"), strerror(errno));
	}
	return 0;
}

int kh_kernel_probe(struct kh_kernel *kernel, enum kh_probe_program program, const void *frame, size_t length,
		    bool *ret_dropped)
{
	uint8_t out[2048];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (__u32)length, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = 1);

	if (bpf_prog_test_run_opts(kh_kernel_program_fd(kernel, program), &options) < 0)
		return -errno;
	*ret_dropped =
		program == KH_PROBE_XDP ? options.retval == 1 /* XDP_DROP */ : options.retval == 2 /* TC_ACT_SHOT */;
	return 0;
}
