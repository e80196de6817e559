// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the benchmark happens: namespaces of its own, the daemon's capabilities, the shipped programs loaded and filled as the daemon does it,
 * and the benchmark's own programs beside them.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"

#define FOLDER "/mnt/"

void bench_die(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fputs("bench: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

double bench_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

double bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_doubles);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* ---- The place ----------------------------------------------------------------------------------- */

static void skip(const char *why)
{
	printf("skipped: %s\n", why);
	exit(BENCH_SKIPPED);
}

/* No router solicitations, no neighbour discovery: nothing is received but what we send. */
static void quiet_devices(void)
{
	FILE *file KH_CLEANUP(kh_fclosep) = fopen("/proc/sys/net/ipv6/conf/default/disable_ipv6", "we");

	if (file)
		fputs("1", file);
}

void bench_enter(void)
{
	static const unsigned devices[] = { BENCH_WAN, BENCH_LAN, BENCH_NFT, BENCH_STACK };

	if (geteuid() != 0)
		skip("loading packet programs needs root");
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		skip("this kernel has no BTF");
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		skip("cannot make namespaces here");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("bpf", "/mnt", "bpf", 0, NULL) < 0)
		bench_die("cannot mount a bpffs on /mnt: %s", strerror(errno));
	quiet_devices();
	for (size_t i = 0; i < KH_ARRAY_SIZE(devices); i++) {
		char command[160];

		snprintf(command, sizeof(command),
			 "ip link add bench%u index %u address 00:00:5e:00:53:01 type veth peer name far%u index %u",
			 devices[i], devices[i], devices[i], devices[i] + 1);
		if (system(command) != 0)
			bench_die("%s: failed", command);
	}
}

void bench_scratch(void)
{
	if (mount("bench", "/run", "tmpfs", 0, NULL) < 0)
		bench_die("cannot mount a tmpfs on /run: %s", strerror(errno));
}

/* userspace/systemd/khiend.service.in: CapabilityBoundingSet. */
void bench_drop_capabilities(void)
{
	static const int kept[] = { CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_ADMIN, CAP_SYS_RESOURCE, CAP_CHOWN };
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {}, have[2];

	if (syscall(SYS_capget, &header, have) < 0)
		bench_die("cannot read capabilities: %s", strerror(errno));
	for (size_t i = 0; i < KH_ARRAY_SIZE(kept); i++) {
		data[kept[i] / 32].permitted |= have[kept[i] / 32].permitted & 1u << kept[i] % 32;
		data[kept[i] / 32].effective = data[kept[i] / 32].permitted;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		bench_die("cannot give up capabilities: %s", strerror(errno));
}

/* ---- Khiên --------------------------------------------------------------------------------------- */

struct kh_kernel *bench_kernel_open(const char *name)
{
	const struct kh_interface interfaces[] = {
		{ .ifindex = BENCH_WAN, .role = KH_ROLE_WAN, .number = 1 },
		{ .ifindex = BENCH_LAN,
		  .role = KH_ROLE_LAN,
		  .number = 2,
		  .subnets_v4 = 1,
		  .v4 = { { BENCH_OFFICE_V4 & 0xffffff00, 0xffffff00 } } },
	};
	struct kh_kernel *kernel = NULL;
	struct kh_error error = {};
	char folder[128];

	snprintf(folder, sizeof(folder), FOLDER "%s", name);
	if (kh_kernel_open(folder, &kernel, &error) < 0 || kh_kernel_set_clock(kernel, 0, &error) < 0 ||
	    kh_kernel_set_interfaces(kernel, interfaces, KH_ARRAY_SIZE(interfaces), &error) < 0)
		bench_die("%s: %s", folder, error.text);
	return kernel;
}

struct kh_compile_order *bench_orders(const struct bench_list *list, size_t *ret_count)
{
	struct kh_compile_order *orders = calloc(list->count + 1, sizeof(*orders));
	size_t count = 0;

	if (!orders)
		bench_die("out of memory");
	for (size_t i = 0; i < list->count; i++) {
		const struct bench_entry *entry = &list->entries[i];

		if (entry->hole)
			continue;
		orders[count].range = kh_range_of_prefix(entry->first, entry->length, list->family);
		orders[count].slot = (uint32_t)count + 1;
		count++;
	}
	*ret_count = count;
	return orders;
}

struct kh_range *bench_holes(const struct bench_list *list, size_t *ret_count)
{
	struct kh_range *holes = calloc(list->holes_count + 1, sizeof(*holes));

	if (!holes)
		bench_die("out of memory");
	for (size_t i = 0; i < list->holes_count; i++)
		holes[i] = (struct kh_range){ list->holes[i].first, list->holes[i].last, list->family };
	*ret_count = list->holes_count;
	return holes;
}

/* The orders as a file in no order gives them; slots follow. */
static void shuffle(struct kh_compile_order *orders, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = bench_random() % i;
		struct kh_range range = orders[i - 1].range;

		orders[i - 1].range = orders[other].range;
		orders[other].range = range;
	}
}

double bench_install(struct kh_kernel *kernel, const struct bench_list *list, bool shuffled)
{
	static const struct bench_list none;
	static uint64_t generation;
	size_t orders_count, holes_count;
	struct kh_compile_order *orders KH_CLEANUP(kh_freep) = bench_orders(list ? list : &none, &orders_count);
	struct kh_range *holes KH_CLEANUP(kh_freep) = bench_holes(list ? list : &none, &holes_count);
	struct kh_install *install;
	struct kh_image *image;
	struct kh_error error = {};
	double start, milliseconds;

	if (shuffled)
		shuffle(orders, orders_count);
	start = bench_now_ms();
	if (kh_compile(orders, orders_count, holes, holes_count, ++generation, &image, &error) < 0)
		bench_die("cannot compile: %s", error.text);
	if (kh_kernel_prepare(kernel, image->data, image->pages, NULL, 0, &install, &error) < 0)
		bench_die("cannot install: %s", error.text);
	kh_kernel_switch(kernel, install);
	milliseconds = bench_now_ms() - start;
	kh_image_free(image);
	kh_kernel_drop_retired(kernel);
	return milliseconds;
}

static uint64_t memlock_of(int map)
{
	char path[64], line[128];
	FILE *file KH_CLEANUP(kh_fclosep) = NULL;
	unsigned long long bytes = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	return bytes;
}

/* The inner maps of one pinned outer map, each counted once. */
static uint64_t inner_bytes(const char *path)
{
	int outer KH_CLEANUP(kh_closep) = bpf_obj_get(path);
	uint32_t seen[64], known = 0, id;
	uint64_t bytes = 0;

	if (outer < 0)
		bench_die("%s: %s", path, strerror(errno));
	for (uint32_t place = 0; place < KH_ARRAY_SIZE(seen); place++) {
		int inner KH_CLEANUP(kh_closep) = -1;
		bool again = false;

		if (bpf_map_lookup_elem(outer, &place, &id) < 0)
			continue;
		for (uint32_t i = 0; i < known; i++)
			again = again || seen[i] == id;
		if (again)
			continue;
		seen[known++] = id;
		inner = bpf_map_get_fd_by_id(id);
		if (inner >= 0)
			bytes += memlock_of(inner);
	}
	return bytes;
}

uint64_t bench_kernel_bytes(const char *name)
{
	static const char *const outer[] = { "bases", "images", "records" };
	uint64_t bytes = 0;

	for (size_t i = 0; i < KH_ARRAY_SIZE(outer); i++) {
		char path[160];

		snprintf(path, sizeof(path), FOLDER "%s/v%d/maps/%s", name, KH_ABI_VERSION, outer[i]);
		bytes += inner_bytes(path);
	}
	return bytes;
}

/* ---- The benchmark's own programs ---------------------------------------------------------------- */

struct bench_bpf *bench_bpf_load(void)
{
	struct bench_bpf *skeleton = bench_bpf__open_and_load();

	if (!skeleton)
		bench_die("the kernel refused the benchmark's programs: %s", strerror(errno));
	return skeleton;
}

void bench_select(struct bench_bpf *skeleton, int program_fd)
{
	uint32_t place = 0;

	if (bpf_map_update_elem(bpf_map__fd(skeleton->maps.under_test), &place, &program_fd, BPF_ANY) < 0)
		bench_die("the harness cannot call this program: %s", strerror(errno));
}

double bench_lpm_fill(struct bench_bpf *skeleton, const struct bench_list *list)
{
	bool v4 = list->family == 4;
	size_t key_size = v4 ? sizeof(struct bench_lpm_v4_key) : sizeof(struct bench_lpm_v6_key);
	uint8_t *keys KH_CLEANUP(kh_freep) = calloc(list->count, key_size);
	uint32_t *values KH_CLEANUP(kh_freep) = calloc(list->count, sizeof(*values)), count = (uint32_t)list->count;
	double start;

	if (!keys || !values)
		bench_die("out of memory");
	for (size_t i = 0; i < list->count; i++) {
		const struct bench_entry *entry = &list->entries[i];
		struct bench_lpm_v6_key v6 = { entry->length, htobe64((uint64_t)(entry->first >> 64)),
					       htobe64((uint64_t)entry->first) };
		struct bench_lpm_v4_key key = { entry->length, htonl((uint32_t)entry->first) };

		memcpy(keys + i * key_size, v4 ? (void *)&key : (void *)&v6, key_size);
		values[i] = !entry->hole;
	}
	start = bench_now_ms();
	if (bpf_map_update_batch(bpf_map__fd(v4 ? skeleton->maps.lpm_v4 : skeleton->maps.lpm_v6), keys, values, &count,
				 NULL) < 0)
		bench_die("cannot fill the LPM trie: %s", strerror(errno));
	return bench_now_ms() - start;
}

bool bench_limit_set(struct bench_bpf *skeleton, const struct bench_list *list, bool hit)
{
	uint32_t entries = 1;

	while (entries < list->count && entries < BENCH_LIMIT_ENTRIES)
		entries *= 2;
	skeleton->bss->limit_mask = entries - 1;
	skeleton->bss->limit_hit = hit;
	return list->count <= entries;
}

void bench_samples_set(struct bench_bpf *skeleton, uint8_t family, const kh_u128 *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (family == 4)
			skeleton->bss->samples_v4[i] = htonl((uint32_t)samples[i]);
		else
			skeleton->bss->samples_v6[i] = (struct bench_v6){ htobe64((uint64_t)(samples[i] >> 64)),
									  htobe64((uint64_t)samples[i]) };
	}
	skeleton->bss->samples_mask = (uint32_t)count - 1;
}
