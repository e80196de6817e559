// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The benchmark's own packet programs: the harness that changes an address and calls the program under test, the contender with the
 * kernel's LPM trie, the generator of live frames, and programs that do nothing.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "khien/hash.h"
#include "packet.h"
#include "parse.h"

#include "bench_shared.h"

char LICENSE[] SEC("license") = "GPL";

struct bench_lane lanes[BENCH_CPUS];
__be32 samples_v4[BENCH_SAMPLES_V4];
struct bench_v6 samples_v6[BENCH_SAMPLES_V6];
__u32 samples_mask;

/* The program under test; the place is constant, so the call is a direct jump. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} under_test SEC(".maps");

/* A tail call out of a subprogram ends that subprogram only: the verdict comes back here. */
static __noinline int judge(struct xdp_md *context)
{
	int verdict = XDP_ABORTED;

	bpf_tail_call_static(context, &under_test, 0);
	asm volatile("" : "+r"(verdict)); /* the compiler must not know what is returned: it is not that */
	return verdict;
}

static __always_inline struct bench_lane *next_sample(__u32 *ret_index)
{
	struct bench_lane *lane = &lanes[bpf_get_smp_processor_id() & (BENCH_CPUS - 1)];
	__u64 position = lane->position++;

	if (!(position & (BENCH_CHUNK - 1)))
		lane->stamps[position / BENCH_CHUNK & (BENCH_STAMPS - 1)] = bpf_ktime_get_ns();
	*ret_index = (__u32)(position + lane->offset) & samples_mask;
	return lane;
}

static __always_inline void *frame_at(struct xdp_md *context, __u32 offset, __u32 size)
{
	__u8 *at = (__u8 *)(long)context->data + offset;

	return at + size > (__u8 *)(long)context->data_end ? NULL : at;
}

static __always_inline int run_v4(struct xdp_md *context, __u32 offset)
{
	__u32 index;
	struct bench_lane *lane = next_sample(&index);
	__be32 *address = frame_at(context, sizeof(struct ethhdr) + offset, sizeof(*address));
	int verdict;

	if (!address)
		return XDP_ABORTED;
	*address = samples_v4[index & (BENCH_SAMPLES_V4 - 1)];
	verdict = judge(context);
	lane->verdicts[verdict & (BENCH_VERDICTS - 1)]++;
	return verdict;
}

SEC("xdp.frags")
int bench_v4_source(struct xdp_md *context)
{
	return run_v4(context, __builtin_offsetof(struct iphdr, saddr));
}

SEC("xdp.frags")
int bench_v4_destination(struct xdp_md *context)
{
	return run_v4(context, __builtin_offsetof(struct iphdr, daddr));
}

SEC("xdp.frags")
int bench_v6_source(struct xdp_md *context)
{
	__u32 index, offset = sizeof(struct ethhdr) + __builtin_offsetof(struct ipv6hdr, saddr);
	struct bench_lane *lane = next_sample(&index);
	struct in6_addr *address = frame_at(context, offset, sizeof(*address));
	const struct bench_v6 *sample = &samples_v6[index & (BENCH_SAMPLES_V6 - 1)];
	int verdict;

	if (!address)
		return XDP_ABORTED;
	__builtin_memcpy(address->in6_u.u6_addr32, &sample->high, 8);
	__builtin_memcpy(address->in6_u.u6_addr32 + 2, &sample->low, 8);
	verdict = judge(context);
	lane->verdicts[verdict & (BENCH_VERDICTS - 1)]++;
	return verdict;
}

/* Programs that decide at once: what the harness costs, and how much traffic can be handed over at all. */
SEC("xdp.frags")
int bench_drop(struct xdp_md *context)
{
	(void)context;
	return XDP_DROP;
}

SEC("xdp.frags")
int bench_pass(struct xdp_md *context)
{
	(void)context;
	return XDP_PASS;
}

/* ---- What memory allows -------------------------------------------------------------------------- */

struct limit_bits { /* all zero */
	__u8 bytes[BENCH_LIMIT_ENTRIES * 2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct limit_bits);
} limit_bits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BENCH_LIMIT_ENTRIES);
	__type(key, __u32);
	__type(value, struct kh_record);
} limit_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2); /* passed, dropped */
	__type(key, __u32);
	__type(value, struct kh_counter);
} limit_counters SEC(".maps");

__u32 limit_mask; /* entries of the list, as a power of two, - 1 */
__u32 limit_hit; /* the verdict, told beforehand */

SEC("xdp.frags")
int bench_limit(struct xdp_md *context)
{
	struct kh_cursor cursor = { .at = (const __u8 *)(long)context->data,
				    .end = (const __u8 *)(long)context->data_end,
				    .xdp = context };
	struct kh_packet packet = { .packets = 1, .direction = KH_INGRESS, .ifindex = context->ingress_ifindex };
	__u32 zero = 0, hash, index, dropped = limit_hit != 0;
	const struct limit_bits *bits;
	struct kh_counter *counter;

	kh_parse_ethernet(&cursor, &packet);
	hash = kh_hash_address(0, packet.source_high, packet.source_low);
	bits = bpf_map_lookup_elem(&limit_bits, &zero);
	if (!bits)
		return XDP_ABORTED;
	if (dropped) {
		struct kh_record *record;

		/* which of the N it is has to be read from somewhere: 14 bits an entry, and the record is known only then */
		index = (__u32)((__u64)hash * (limit_mask + 1) * 7 / 4 >> 32);
		index = (hash + bits->bytes[index & (BENCH_LIMIT_ENTRIES * 2 - 1)]) & limit_mask;
		record = bpf_map_lookup_elem(&limit_records, &index);
		if (record) {
			__sync_fetch_and_add(&record->packets, packet.packets);
			__sync_fetch_and_add(&record->bytes, packet.bytes);
		}
	} else {
		index = hash & (limit_mask << 1 | 1) & (BENCH_LIMIT_ENTRIES * 2 - 1);
		if (bits->bytes[index]) /* none is set */
			dropped = 1;
	}
	counter = bpf_map_lookup_elem(&limit_counters, &dropped);
	if (counter) {
		counter->packets += packet.packets;
		counter->bytes += packet.bytes;
	}
	return dropped ? XDP_DROP : XDP_PASS;
}

/* ---- Live traffic ------------------------------------------------------------------------------- */

__u32 generate_to; /* ifindex */
__u32 generate_sum; /* of the IPv4 header without source and checksum, 16-bit words */

SEC("xdp.frags")
int bench_generate(struct xdp_md *context)
{
	struct iphdr *header = frame_at(context, sizeof(struct ethhdr), sizeof(*header));
	__u32 index, sum;
	__be32 source;

	next_sample(&index);
	if (!header)
		return XDP_ABORTED;
	source = samples_v4[index & (BENCH_SAMPLES_V4 - 1)];
	sum = generate_sum + (source & 0xffff) + (source >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	header->saddr = source;
	header->check = (__u16)~sum;
	return (int)bpf_redirect(generate_to, 0);
}

/* The verdict of the program under test is counted, then the frame ends here, whatever it was. */
SEC("xdp.frags")
int bench_gate(struct xdp_md *context)
{
	struct bench_lane *lane = &lanes[bpf_get_smp_processor_id() & (BENCH_CPUS - 1)];

	lane->verdicts[judge(context) & (BENCH_VERDICTS - 1)]++;
	return XDP_DROP;
}

/* ---- The kernel's LPM trie ---------------------------------------------------------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1 << 23);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bench_lpm_v4_key);
	__type(value, __u32); /* 1: drop; 0: a hole */
} lpm_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1 << 23);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bench_lpm_v6_key);
	__type(value, __u32);
} lpm_v6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2); /* passed, dropped */
	__type(key, __u32);
	__type(value, struct kh_counter);
} lpm_counters SEC(".maps");

SEC("xdp.frags")
int bench_lpm(struct xdp_md *context)
{
	struct kh_cursor cursor = { .at = (const __u8 *)(long)context->data,
				    .end = (const __u8 *)(long)context->data_end,
				    .xdp = context };
	struct kh_packet packet = { .packets = 1, .direction = KH_INGRESS, .ifindex = context->ingress_ifindex };
	const __u32 *value = NULL;
	struct kh_counter *counter;
	__u32 dropped;

	kh_parse_ethernet(&cursor, &packet);
	if (packet.family == 4) {
		struct bench_lpm_v4_key key = { 32, bpf_htonl((__u32)packet.source_low) };

		value = bpf_map_lookup_elem(&lpm_v4, &key);
	} else if (packet.family == 6) {
		struct bench_lpm_v6_key key = { 128, bpf_cpu_to_be64(packet.source_high),
						bpf_cpu_to_be64(packet.source_low) };

		value = bpf_map_lookup_elem(&lpm_v6, &key);
	}
	dropped = value && *value;
	counter = bpf_map_lookup_elem(&lpm_counters, &dropped);
	if (counter) {
		counter->packets += packet.packets;
		counter->bytes += packet.bytes;
	}
	return dropped ? XDP_DROP : XDP_PASS;
}
