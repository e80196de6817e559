/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every map of the packet programs. User space pins them, so that a restart of the daemon changes nothing.
 */
#ifndef KHIEN_BPF_MAPS_H
#define KHIEN_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "khien/abi.h"

/* The types of the inner arrays. All bases are alike; the other two are as long as their list needs (BPF_F_INNER_MAP, 5.10). */
struct kh_base_array {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct kh_image_base));
	__uint(map_flags, BPF_F_MMAPABLE);
};

struct kh_image_array {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, KH_PAGE_SIZE);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
};

struct kh_record_array {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct kh_record));
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
};

/* Generation images in two parts and their records, by place: one index names all, so that one store switches all. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, KH_GENERATION_SLOTS);
	__type(key, __u32);
	__array(values, struct kh_base_array);
} bases SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, KH_GENERATION_SLOTS);
	__type(key, __u32);
	__array(values, struct kh_image_array);
} images SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, KH_GENERATION_SLOTS);
	__type(key, __u32);
	__array(values, struct kh_record_array);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct kh_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KH_INTERFACE_PLACES);
	__type(key, __u32);
	__type(value, struct kh_interface);
} interfaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KH_COUNTERS);
	__type(key, __u32);
	__type(value, struct kh_counter);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kh_pending);
} pending SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KH_RECENTS);
	__type(key, __u32);
	__type(value, struct kh_recent);
} recents SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KH_SIGHTINGS_MAX);
	__type(key, struct kh_sighting_key);
	__type(value, struct kh_sighting);
} sightings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, KH_EVENTS_BYTES);
} events SEC(".maps");

#endif
