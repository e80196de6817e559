// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The laboratory of the packet tests: see lab.h. Looks behind kernel/kernel.h, for the programs that the daemon never probes and for the clock.
 */
#include "lab.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kernel/private.h"

const char *const lab_program_names[LAB_PROGRAMS] = { "xdp", "tc in", "tc in l3", "tc out", "tc out l3" };

static struct kh_kernel *kernel;

static const struct {
	uint32_t ifindex;
	uint8_t number;
	enum kh_role role;
} devices[] = {
	{ LAB_LAN, 3, KH_ROLE_LAN },
	{ LAB_WAN, 5, KH_ROLE_WAN },
	{ LAB_COVERED, 6, KH_ROLE_COVERED },
	{ LAB_UNKNOWN, 0, KH_ROLE_NONE },
	{ LAB_ANY, 7, KH_ROLE_LAN },
	{ LAB_WG, 8, KH_ROLE_LAN },
	{ LAB_FAR, KH_INTERFACES_MAX - 1, KH_ROLE_LAN },
};

uint8_t lab_number(uint32_t ifindex)
{
	for (size_t i = 0; i < KH_ARRAY_SIZE(devices); i++)
		if (devices[i].ifindex == ifindex)
			return devices[i].number;
	return 0;
}

static int cannot(const char *why)
{
	printf("skipped: %s\n", why);
	return LAB_SKIPPED;
}

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

int lab_enter(void)
{
	if (geteuid() != 0)
		return cannot("loading packet programs needs root");
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return cannot("this kernel has no BTF");
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		return cannot("cannot make namespaces here");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("bpf", "/mnt", "bpf", 0, NULL) < 0)
		die("cannot mount a bpffs on /mnt");
	for (size_t i = 0; i < KH_ARRAY_SIZE(devices); i++) {
		char command[128];

		snprintf(command, sizeof(command), "ip link add khb%u index %u type veth peer name khp%u index %u",
			 devices[i].ifindex, devices[i].ifindex, devices[i].ifindex, devices[i].ifindex + 500);
		if (system(command) != 0)
			die(command);
	}
	return 0;
}

static void subnet_v4(struct kh_interface *interface, const char *text)
{
	struct kh_range range = lab_range(text);

	interface->v4[interface->subnets_v4].network = (uint32_t)range.first;
	interface->v4[interface->subnets_v4].mask = (uint32_t) ~(range.last - range.first);
	interface->subnets_v4++;
}

static void subnet_v6(struct kh_interface *interface, const char *text)
{
	struct kh_range range = lab_range(text);
	struct kh_subnet_v6 *subnet = &interface->v6[interface->subnets_v6++];
	kh_u128 mask = ~(range.last - range.first);

	subnet->high = (uint64_t)(range.first >> 64);
	subnet->low = (uint64_t)range.first;
	subnet->mask_high = (uint64_t)(mask >> 64);
	subnet->mask_low = (uint64_t)mask;
}

/* The subnets of every LAN device; the last ones are those that the layer-3 tests must use (see test_verdicts.c). */
static void fill_interfaces(void)
{
	struct kh_interface table[KH_ARRAY_SIZE(devices)] = {};
	struct kh_error error = {};
	size_t count = 0;

	for (size_t i = 0; i < KH_ARRAY_SIZE(devices); i++) {
		struct kh_interface *interface = &table[count];

		if (devices[i].role == KH_ROLE_NONE)
			continue;
		count++;
		interface->ifindex = devices[i].ifindex;
		interface->role = (uint8_t)devices[i].role;
		interface->number = devices[i].number;
		interface->any_source = devices[i].ifindex == LAB_ANY;
		if (devices[i].role != KH_ROLE_LAN)
			continue;
		subnet_v4(interface, "10.77.0.0/16");
		subnet_v4(interface, "192.0.2.0/24");
		subnet_v4(interface, "8.0.2.0/24");
		subnet_v6(interface, "2001:db8:77::/48");
		subnet_v6(interface, "2001:db8:1::/64");
		subnet_v6(interface, "2001:db8:86dd:1::/64");
	}
	if (kh_kernel_set_interfaces(kernel, table, count, &error) < 0)
		fail_msg("interface table: %s", error.text);
}

int lab_setup(void **state)
{
	struct kh_error error = {};

	(void)state;
	if (kh_kernel_open(LAB_FOLDER, &kernel, &error) < 0)
		fail_msg("cannot open %s: %s", LAB_FOLDER, error.text);
	if (kh_kernel_set_clock(kernel, 0, &error) < 0)
		fail_msg("cannot set the clock: %s", error.text);
	fill_interfaces();
	return 0;
}

int lab_teardown(void **state)
{
	struct kh_error error = {};

	(void)state;
	kh_kernel_close(kernel);
	kernel = NULL;
	return kh_kernel_remove(LAB_FOLDER, NULL, NULL, &error);
}

struct kh_kernel *lab_kernel(void)
{
	return kernel;
}

void lab_reopen(void)
{
	struct kh_error error = {};

	kh_kernel_close(kernel);
	kernel = NULL;
	if (kh_kernel_open(LAB_FOLDER, &kernel, &error) < 0)
		fail_msg("cannot open %s again: %s", LAB_FOLDER, error.text);
}

/* ---- Lists ---- */

struct kh_range lab_range(const char *text)
{
	struct kh_range range = {};

	if (kh_range_parse(text, strlen(text), &range) < 0)
		fail_msg("bad range in the test: %s", text);
	return range;
}

struct kh_image *lab_compile(const struct kh_compile_order *orders, size_t orders_count, const struct kh_range *holes,
			     size_t holes_count)
{
	static uint64_t generation;
	struct kh_image *image = NULL;
	struct kh_error error = {};

	if (kh_compile(orders, orders_count, holes, holes_count, ++generation, &image, &error) < 0)
		fail_msg("cannot compile: %s", error.text);
	return image;
}

void lab_install(struct kh_image *image)
{
	struct kh_install *install = NULL;
	struct kh_error error = {};

	if (kh_kernel_prepare(kernel, image->data, image->pages, NULL, 0, &install, &error) < 0)
		fail_msg("cannot install: %s", error.text);
	kh_kernel_switch(kernel, install);
	kh_image_free(image);
}

void lab_flip(void)
{
	uint32_t active = kernel->control->active;

	for (uint32_t place = 1; place < KH_GENERATION_SLOTS; place++) {
		uint32_t id = 0;

		if (place == active || bpf_map_lookup_elem(kernel->images, &place, &id) < 0 || !id)
			continue;
		__atomic_store_n(&kernel->control->active, place, __ATOMIC_SEQ_CST);
		return;
	}
	fail_msg("there is no other generation");
}

/* ---- Packets ---- */

static int program_fd(enum lab_program program)
{
	switch (program) {
	case LAB_XDP:
		break;
	case LAB_TC_IN:
		return kh_kernel_program_fd(kernel, KH_PROBE_TC_INGRESS);
	case LAB_TC_OUT:
		return kh_kernel_program_fd(kernel, KH_PROBE_TC_EGRESS);
	case LAB_TC_IN_L3:
		return bpf_program__fd(kh_program_of_hook(kernel, "tc-ingress", false));
	case LAB_TC_OUT_L3:
		return bpf_program__fd(kh_program_of_hook(kernel, "tc-egress", false));
	case LAB_PROGRAMS:
		abort();
	}
	return kh_kernel_program_fd(kernel, KH_PROBE_XDP);
}

/* As test runs see it, whatever the program is: see LAB_REFUSED. */
static bool is_short_ip(const uint8_t *frame, size_t length)
{
	return (!memcmp(frame + 12, "\x08\x00", 2) && length < 14 + 20) ||
	       (!memcmp(frame + 12, "\x86\xdd", 2) && length < 14 + 40);
}

enum lab_verdict lab_send(const struct lab_run *run, const void *frame, size_t length)
{
	struct __sk_buff skb = { .ifindex = run->ifindex,
				 .ingress_ifindex = run->came_by,
				 .gso_segs = run->gso_segs,
				 .gso_size = run->gso_size };
	struct xdp_md xdp = { .ingress_ifindex = run->ifindex, .data_end = (uint32_t)length };
	bool is_xdp = run->program == LAB_XDP;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (uint32_t)length,
		    .ctx_in = is_xdp ? (void *)&xdp : (void *)&skb, .ctx_size_in = is_xdp ? sizeof(xdp) : sizeof(skb),
		    .repeat = run->repeat ? (int)run->repeat : 1);
	int dropped = is_xdp ? XDP_DROP : TC_ACT_SHOT, passed = is_xdp ? XDP_PASS : TC_ACT_UNSPEC;

	if (bpf_prog_test_run_opts(program_fd(run->program), &options) < 0) {
		if (errno == EINVAL && !is_xdp && is_short_ip(frame, length))
			return LAB_REFUSED;
		fail_msg("%s, %zu bytes: the test run failed: %s", lab_program_names[run->program], length,
			 strerror(errno));
	}
	if ((int)options.retval != dropped && (int)options.retval != passed)
		fail_msg("%s returned %d", lab_program_names[run->program], (int)options.retval);
	return (int)options.retval == dropped ? LAB_DROPPED : LAB_PASSED;
}

/* ---- Evidence ---- */

static int copy_records(uint32_t map, const struct kh_record *records, size_t count, bool retired, void *context)
{
	struct lab_evidence *evidence = context;

	(void)map;
	if (retired)
		return 0;
	evidence->records = malloc(count * sizeof(*records));
	assert_non_null(evidence->records);
	memcpy(evidence->records, records, count * sizeof(*records));
	evidence->records_count = count;
	return 0;
}

void lab_evidence_clear(struct lab_evidence *evidence)
{
	free(evidence->records);
	free(evidence->sightings);
	memset(evidence, 0, sizeof(*evidence));
}

void lab_read(struct lab_evidence *evidence)
{
	uint32_t map;

	lab_evidence_clear(evidence);
	assert_int_equal(kh_kernel_counters(kernel, evidence->counters, &map), 0);
	assert_int_equal(kh_kernel_records(kernel, copy_records, evidence), 0);
	assert_int_equal(kh_kernel_sightings(kernel, &evidence->sightings, &evidence->sightings_count, &map), 0);
	kh_kernel_losses(kernel, &evidence->events_lost, &evidence->sightings_lost);
}

const struct kh_counter *lab_counter(const struct lab_evidence *evidence, uint32_t ifindex, enum kh_direction direction,
				     enum kh_reason reason)
{
	return &evidence->counters[(lab_number(ifindex) * KH_DIRECTIONS + direction) * KH_REASON_ROWS + reason];
}

void lab_read_reasons(uint32_t ifindex, enum kh_direction direction,
		      struct kh_counter ret_reasons[static KH_REASON_ROWS])
{
	static struct kh_counter values[1024];
	int cpus = libbpf_num_possible_cpus();

	assert_true(cpus > 0 && cpus <= (int)KH_ARRAY_SIZE(values));
	memset(ret_reasons, 0, KH_REASON_ROWS * sizeof(*ret_reasons));
	for (uint32_t reason = 0; reason < KH_REASON_COUNT; reason++) {
		uint32_t index = (lab_number(ifindex) * KH_DIRECTIONS + direction) * KH_REASON_ROWS + reason;

		assert_int_equal(bpf_map_lookup_elem(kernel->counters, &index, values), 0);
		for (int cpu = 0; cpu < cpus; cpu++) {
			ret_reasons[reason].packets += values[cpu].packets;
			ret_reasons[reason].bytes += values[cpu].bytes;
		}
	}
}

const struct kh_sighting *lab_sighting(const struct lab_evidence *evidence, const struct kh_sighting_key *key)
{
	for (size_t i = 0; i < evidence->sightings_count; i++)
		if (!memcmp(&evidence->sightings[i].key, key, sizeof(*key)))
			return &evidence->sightings[i].value;
	return NULL;
}

void lab_fill_sightings(uint32_t count)
{
	struct kh_sighting_key *keys = calloc(count, sizeof(*keys));
	struct kh_sighting *values = calloc(count, sizeof(*values));
	uint32_t done = count;

	assert_non_null(keys);
	assert_non_null(values);
	for (uint32_t i = 0; i < count; i++) {
		memcpy(keys[i].address, &i, sizeof(i));
		values[i].packets = i;
	}
	assert_int_equal(bpf_map_update_batch(kernel->sightings, keys, values, &done, NULL), 0);
	free(keys);
	free(values);
}

const char *lab_reason_name(uint32_t reason)
{
	static const char *const names[] = {
#define KH_REASON(symbol, name, help) name,
#include "khien/reasons.def"
#undef KH_REASON
	};

	return reason < KH_ARRAY_SIZE(names) ? names[reason] : "?";
}

/* ---- The clock ---- */

/* With a multiplier of 1 one second takes 2^32 jiffies. */
void lab_freeze_clock(uint32_t seconds)
{
	uint8_t packet[64] = {}, out[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet), .data_out = out,
		    .data_size_out = sizeof(out), .repeat = 1);
	uint64_t jiffies;

	assert_int_equal(bpf_prog_test_run_opts(kh_clock_program_fd(kernel), &options), 0);
	memcpy(&jiffies, out, sizeof(jiffies));
	kernel->control->clock_mult = 1;
	kernel->control->clock_offset = ((uint64_t)seconds << 32) + (1u << 31) - jiffies;
}

void lab_thaw_clock(void)
{
	struct kh_error error = {};

	kernel->control->clock_mult = 0;
	if (kh_kernel_set_clock(kernel, 0, &error) < 0)
		fail_msg("cannot set the clock: %s", error.text);
}

/* ---- Random numbers ---- */

uint64_t lab_random(struct lab_random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * 0x2545f4914f6cdd1dull;
}
