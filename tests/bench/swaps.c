// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-swaps: generations swapped under full live load. Two lists take turns, as fast as they can be installed; half of the sources are in both and
 * must always be dropped, half are in neither and must always pass. Every frame is accounted for. The two lists number their orders
 * differently, so a packet that were judged by a mixture of both would be counted nowhere or twice: the records must add up too.
 * (tests/bpf/test_switching.c looks at single packets.)
 */
#include "traffic.h"

#include <getopt.h>
#include <pthread.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "bench.skel.h"
#include "common/text.h"

#define ENTRIES "random:10000"
#define PACKETS (1u << 18) /* of one run; a multiple of BENCH_BATCH and of the samples' pattern */

struct sender {
	struct bench_bpf *skeleton;
	uint64_t sent;
	uint32_t cpu;
	int stop;
};

static void *send_until(void *argument)
{
	struct sender *sender = argument;

	bench_pin(sender->cpu);
	while (!__atomic_load_n(&sender->stop, __ATOMIC_ACQUIRE)) {
		bench_send(sender->skeleton, BENCH_WAN, 0, sender->cpu, PACKETS);
		sender->sent += PACKETS;
	}
	return NULL;
}

/* Two images of one list; the second one has the slots the other way round. */
static struct kh_image *compile(const struct bench_list *list, bool backwards)
{
	static uint64_t generation;
	size_t count;
	struct kh_compile_order *orders KH_CLEANUP(kh_freep) = bench_orders(list, &count);
	struct kh_image *image = NULL;
	struct kh_error error = {};

	for (size_t i = 0; backwards && i < count; i++)
		orders[i].slot = (uint32_t)(count - i);
	if (kh_compile(orders, count, NULL, 0, ++generation, &image, &error) < 0)
		bench_die("cannot compile: %s", error.text);
	return image;
}

static void install(struct kh_kernel *kernel, const struct kh_image *image)
{
	struct kh_install *prepared;
	struct kh_error error = {};

	if (kh_kernel_prepare(kernel, image->data, image->pages, NULL, 0, &prepared, &error) < 0)
		bench_die("cannot install: %s", error.text);
	kh_kernel_switch(kernel, prepared);
	kh_kernel_drop_retired(kernel);
}

static int add_packets(uint32_t map, const struct kh_record *records, size_t count, bool retired, void *context)
{
	(void)map;
	(void)retired;
	for (size_t i = 0; i < count; i++)
		*(uint64_t *)context += records[i].packets;
	return 0;
}

/* Returns how many packets did not get what they must get. */
static uint64_t check(struct kh_kernel *kernel, uint64_t sent, uint64_t arrived)
{
	static struct kh_counter counters[KH_COUNTERS];
	const struct kh_counter *row = counters + (1 * KH_DIRECTIONS + KH_INGRESS) * KH_REASON_ROWS;
	uint64_t seen = 0, recorded = 0, dropped, passed;
	uint32_t map;

	if (kh_kernel_counters(kernel, counters, &map) < 0 || kh_kernel_records(kernel, add_packets, &recorded) < 0)
		bench_die("cannot read the counters");
	for (uint32_t reason = 0; reason < KH_REASON_COUNT; reason++)
		seen += row[reason].packets;
	dropped = row[KH_REASON_DROPPED].packets;
	passed = row[KH_REASON_PASSED].packets;
	if (arrived != sent || seen != sent || recorded != dropped)
		bench_die("WRONG: %llu frames sent, %llu arrived, %llu judged; %llu dropped, %llu in the records",
			  (unsigned long long)sent, (unsigned long long)arrived, (unsigned long long)seen,
			  (unsigned long long)dropped, (unsigned long long)recorded);
	return (dropped > sent / 2 ? dropped - sent / 2 : sent / 2 - dropped) + (sent - dropped - passed);
}

static void run(int64_t swaps, FILE *json)
{
	struct bench_list *list KH_CLEANUP(bench_list_freep) = bench_list_make(ENTRIES);
	kh_u128 *samples KH_CLEANUP(kh_freep) = calloc(BENCH_SAMPLES_V4, sizeof(*samples));
	struct kh_image *images[2] = { compile(list, false), compile(list, true) };
	struct kh_kernel *kernel = bench_kernel_open("khien");
	struct sender sender = { .skeleton = bench_bpf_load(), .cpu = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN) - 1 };
	size_t half = BENCH_SAMPLES_V4 / 2;
	uint64_t wrong, sent;
	pthread_t thread;
	double start;

	if (!samples)
		bench_die("out of memory");
	bench_list_sample(list, true, samples, half);
	bench_list_sample(list, false, samples + half, half);
	for (size_t i = 1; i < half; i += 2) { /* in turn: one listed, one not */
		kh_u128 listed = samples[i];

		samples[i] = samples[half + i - 1];
		samples[half + i - 1] = listed;
	}
	bench_samples_set(sender.skeleton, 4, samples, BENCH_SAMPLES_V4);
	install(kernel, images[0]);
	bench_attach(kernel);
	start = bench_now_ms();
	if (pthread_create(&thread, NULL, send_until, &sender))
		bench_die("cannot start a thread");
	for (int64_t i = 1; i <= swaps; i++)
		install(kernel, images[i % 2]);
	start = bench_now_ms() - start;
	__atomic_store_n(&sender.stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	sent = sender.sent;
	wrong = check(kernel, sent, bench_arrived(BENCH_WAN));
	printf("%lld generations installed in %.1f s under %.1f M packets: %llu packets judged wrongly\n",
	       (long long)swaps, start / 1e3, (double)sent / 1e6, (unsigned long long)wrong);
	if (json)
		fprintf(json, "{\"kind\": \"swaps\", \"swaps\": %lld, \"packets\": %llu, \"wrong\": %llu}\n",
			(long long)swaps, (unsigned long long)sent, (unsigned long long)wrong);
	kh_kernel_close(kernel);
	if (wrong)
		exit(1);
	kh_image_free(images[0]);
	kh_image_free(images[1]);
	bench_bpf__destroy(sender.skeleton);
}

static const char usage[] = "bench-swaps [--swaps N] [--json FILE]   generations swapped under live load (as root)\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "swaps", required_argument, NULL, 's' },
		{ "json", required_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	FILE *json KH_CLEANUP(kh_fclosep) = NULL;
	int64_t swaps = 50;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 's' && kh_number_parse(optarg, 1, 100000, &swaps) == 0)
			continue;
		if (option == 'j' && (json = fopen(optarg, "ae")))
			continue;
		fputs(usage, stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		puts("this machine has one core: it cannot install and send at the same time");
		return BENCH_SKIPPED;
	}
	bench_enter();
	bench_device_up(BENCH_WAN);
	bench_drop_capabilities();
	run(swaps, json);
	return 0;
}
