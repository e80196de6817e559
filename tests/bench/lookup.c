// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-lookup: what one look-up costs, by list and contender. bench.h says how it is measured.
 */
#include "harness.h"

#include <errno.h>
#include <getopt.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"
#include "common/text.h"

#define ROUNDS_MAX 99
#define LPM_MOST 2000000 /* entries; beyond, Khiên only */
#define HOT_CHUNKS 240

enum contender {
	HARNESS,
	FLOOR,
	KHIEN,
	LIMIT,
	LPM,
	CONTENDERS,
};
static const char *const contender_names[] = { "harness", "floor", "khien", "limit", "lpm" };

struct settings {
	int64_t rounds;
	uint32_t cpu;
	bool lpm;
	FILE *json; /* one object a line */
};

struct bench {
	const struct settings *settings;
	struct bench_bpf *skeleton;
	struct kh_kernel *floor, *khien;
	uint32_t ifindex;
	uint8_t family;
	bool destination;
};

static int program_of(const struct bench *bench, enum contender contender)
{
	switch (contender) {
	case HARNESS:
		break;
	case FLOOR:
		return kh_kernel_program_fd(bench->floor, KH_PROBE_XDP);
	case KHIEN:
		return kh_kernel_program_fd(bench->khien, KH_PROBE_XDP);
	case LIMIT:
		return bpf_program__fd(bench->skeleton->progs.bench_limit);
	case LPM:
		return bpf_program__fd(bench->skeleton->progs.bench_lpm);
	case CONTENDERS:
		abort();
	}
	return bpf_program__fd(bench->skeleton->progs.bench_drop);
}

static uint32_t expected_of(enum contender contender, bool hit)
{
	if (contender == HARNESS)
		return XDP_DROP;
	return hit && contender != FLOOR ? XDP_DROP : XDP_PASS;
}

/* Samples to walk over before timing: all of a long list. What touches less, or is slow, needs fewer. */
static uint32_t warm_chunks(enum contender contender, size_t entries, size_t samples)
{
	static const size_t most[CONTENDERS] = { 1u << 15, 1u << 18, SIZE_MAX, SIZE_MAX, 1u << 17 };
	size_t packets = entries * 2 < samples ? entries * 2 : samples;

	if (packets > most[contender])
		packets = most[contender];
	return (uint32_t)(packets / BENCH_CHUNK) + 2;
}

/* All contenders in turn, several times; medians in ret_ns, 0 for who does not run. */
static void measure(const struct bench *bench, const struct bench_list *list, bool hit,
		    double ret_ns[static CONTENDERS])
{
	size_t samples = bench->family == 4 ? BENCH_SAMPLES_V4 : BENCH_SAMPLES_V6;
	static double times[CONTENDERS][ROUNDS_MAX];
	bool runs[CONTENDERS] = { true, true, true };

	runs[LPM] = bench->settings->lpm && list->count <= LPM_MOST && !bench->destination;
	runs[LIMIT] = bench_limit_set(bench->skeleton, list, hit) && !bench->destination;

	for (int64_t round = 0; round < bench->settings->rounds; round++) {
		for (enum contender contender = HARNESS; contender < CONTENDERS; contender++) {
			char what[160];
			struct bench_run run = { .skeleton = bench->skeleton,
						 .what = what,
						 .offset = (uint64_t)round * 7 * BENCH_CHUNK,
						 .ifindex = bench->ifindex,
						 .cpu = bench->settings->cpu,
						 .family = bench->family,
						 .destination = bench->destination };

			if (!runs[contender])
				continue;
			snprintf(what, sizeof(what), "%s, %s of %zu, %s", contender_names[contender], list->name,
				 list->count, hit ? "hit" : "miss");
			bench_select(bench->skeleton, program_of(bench, contender));
			times[contender][round] = bench_run_ns(&run, warm_chunks(contender, list->count, samples),
							       contender == LPM ? 8 : 24, expected_of(contender, hit));
		}
	}
	for (enum contender contender = HARNESS; contender < CONTENDERS; contender++)
		ret_ns[contender] =
			runs[contender] ? bench_median(times[contender], (size_t)bench->settings->rounds) : 0;
}

static const char *number(double ns, char text[static 32])
{
	if (ns > 0)
		snprintf(text, 32, "%.1f", ns);
	else
		snprintf(text, 32, "null");
	return text;
}

static void report(const struct bench *bench, const struct bench_list *list, const char *kind, const char *what,
		   const double ns[static CONTENDERS])
{
	char lpm[32], limit[32];

	printf("%-4u %-28s %8zu %-8s %8.1f %8.1f %8.1f %8s %8s %9.2f\n", bench->family, list->name, list->count, what,
	       ns[HARNESS], ns[FLOOR], ns[KHIEN], ns[LIMIT] > 0 ? number(ns[LIMIT], limit) : "-",
	       ns[LPM] > 0 ? number(ns[LPM], lpm) : "-", ns[KHIEN] / ns[FLOOR]);
	fflush(stdout);
	if (!bench->settings->json)
		return;
	fprintf(bench->settings->json,
		"{\"kind\": \"%s\", \"family\": \"ipv%u\", \"list\": \"%s\", \"entries\": %zu, \"case\": \"%s\", \"floor_ns\": %.1f, "
		"\"khien_ns\": %.1f, \"lpm_ns\": %s, \"limit_ns\": %s, \"harness_ns\": %.1f, \"rounds\": %d}\n",
		kind, bench->family, list->name, list->count, what, ns[FLOOR], ns[KHIEN], number(ns[LPM], lpm),
		number(ns[LIMIT], limit), ns[HARNESS], (int)bench->settings->rounds);
	fflush(bench->settings->json);
}

/* Programs of a contender are made anew for each list, so that no list inherits the arrays of a longer one. */
static void open_bench(struct bench *bench, const struct settings *settings, const struct bench_list *list)
{
	*bench = (struct bench){ .settings = settings, .ifindex = BENCH_WAN, .family = list->family };
	bench->skeleton = bench_bpf_load();
	bench->floor = bench_kernel_open("floor");
	bench->khien = bench_kernel_open("khien");
	bench_install(bench->floor, NULL, false);
}

static void close_bench(struct bench *bench)
{
	struct kh_error error = {};

	kh_kernel_close(bench->floor);
	kh_kernel_close(bench->khien);
	bench_bpf__destroy(bench->skeleton);
	if (kh_kernel_remove("/mnt/floor", NULL, NULL, &error) < 0 ||
	    kh_kernel_remove("/mnt/khien", NULL, NULL, &error) < 0)
		bench_die("%s", error.text);
}

static void run_list(const struct settings *settings, const char *what)
{
	struct bench_list *list KH_CLEANUP(bench_list_freep) = bench_list_make(what);
	size_t count = list->family == 4 ? BENCH_SAMPLES_V4 : BENCH_SAMPLES_V6;
	kh_u128 *samples KH_CLEANUP(kh_freep) = calloc(count, sizeof(*samples));
	struct bench bench;
	double ns[CONTENDERS], milliseconds;

	if (!samples)
		bench_die("out of memory");
	open_bench(&bench, settings, list);
	milliseconds = bench_install(bench.khien, list, false);
	if (settings->lpm && list->count <= LPM_MOST)
		bench_lpm_fill(bench.skeleton, list);
	for (int hit = 0; hit < 2; hit++) {
		bench_list_sample(list, hit, samples, count);
		bench_samples_set(bench.skeleton, list->family, samples, count);
		measure(&bench, list, hit, ns);
		report(&bench, list, "lookup", hit ? "hit" : "miss", ns);
	}
	printf("     %-28s %8zu compiled and installed in %.1f ms, %.1f MB in the kernel\n", list->name, list->count,
	       milliseconds, (double)bench_kernel_bytes("khien") / 1e6);
	close_bench(&bench);
}

/* An office machine calling 1,000 listed addresses: each packet is dropped, counted and sighted. */
static void run_sightings(const struct settings *settings)
{
	struct bench_list *list KH_CLEANUP(bench_list_freep) = bench_list_make("random:1000");
	kh_u128 *samples KH_CLEANUP(kh_freep) = calloc(BENCH_SAMPLES_V4, sizeof(*samples));
	struct kh_sighting_entry *entries KH_CLEANUP(kh_freep) = NULL;
	struct bench bench;
	double ns[CONTENDERS];
	size_t sighted;
	uint32_t map;

	if (!samples)
		bench_die("out of memory");
	open_bench(&bench, settings, list);
	bench.ifindex = BENCH_LAN;
	bench.destination = true;
	bench_install(bench.khien, list, false);
	bench_list_sample(list, true, samples, BENCH_SAMPLES_V4);
	bench_samples_set(bench.skeleton, 4, samples, BENCH_SAMPLES_V4);
	measure(&bench, list, true, ns);
	if (kh_kernel_sightings(bench.khien, &entries, &sighted, &map) < 0 || sighted != list->count)
		bench_die("WRONG: %zu of %zu pairs were sighted", sighted, list->count);
	report(&bench, list, "sighting", "hit", ns);
	close_bench(&bench);
}

/* ---- One hot indicator, one core and two -------------------------------------------------------- */

struct hot {
	struct bench_run run;
	pthread_barrier_t *start;
};

static void *run_hot(void *argument)
{
	struct hot *hot = argument;

	bench_pin(hot->run.cpu);
	pthread_barrier_wait(hot->start);
	bench_run(&hot->run, HOT_CHUNKS, XDP_DROP);
	return NULL;
}

/* Packets a microsecond of one lane between two moments. */
static double rate_between(const struct bench_lane *lane, uint64_t from, uint64_t to)
{
	uint32_t first = 0, last = HOT_CHUNKS;

	while (first < last && lane->stamps[first] < from)
		first++;
	while (last > first && lane->stamps[last] > to)
		last--;
	if (last <= first + 8)
		bench_die("the two cores did not run at the same time");
	return (double)(last - first) * BENCH_CHUNK * 1e3 / (double)(lane->stamps[last] - lane->stamps[first]);
}

/* Both cores together, over the time in which both were running. */
static double hot_rate(const struct bench *bench, unsigned cores)
{
	pthread_barrier_t start;
	pthread_t threads[2];
	struct hot hot[2];
	const struct bench_lane *lanes[2];
	uint64_t from = 0, to = UINT64_MAX;
	double rate = 0;

	pthread_barrier_init(&start, NULL, cores);
	for (unsigned i = 0; i < cores; i++) {
		hot[i] = (struct hot){ { .skeleton = bench->skeleton,
					 .what = "one hot indicator",
					 .ifindex = bench->ifindex,
					 .cpu = i,
					 .family = 4 },
				       &start };
		lanes[i] = bench_lane_of(&hot[i].run);
		if (pthread_create(&threads[i], NULL, run_hot, &hot[i]))
			bench_die("cannot start a thread");
	}
	for (unsigned i = 0; i < cores; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
	for (unsigned i = 0; i < cores; i++) {
		from = lanes[i]->stamps[0] > from ? lanes[i]->stamps[0] : from;
		to = lanes[i]->stamps[HOT_CHUNKS] < to ? lanes[i]->stamps[HOT_CHUNKS] : to;
	}
	for (unsigned i = 0; i < cores; i++)
		rate += rate_between(lanes[i], from, to);
	return rate;
}

static int add_packets(uint32_t map, const struct kh_record *records, size_t count, bool retired, void *context)
{
	(void)map;
	(void)retired;
	for (size_t i = 0; i < count; i++)
		*(uint64_t *)context += records[i].packets;
	return 0;
}

static void run_hot_indicator(const struct settings *settings)
{
	struct bench_list *list KH_CLEANUP(bench_list_freep) = bench_list_make("random:1000");
	static double one[ROUNDS_MAX], two[ROUNDS_MAX];
	uint64_t counted = 0, sent;
	kh_u128 sample = list->entries[list->count / 2].first;
	struct bench bench;
	double single, both;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		printf("one hot indicator: left out, this machine has one core\n");
		return;
	}
	open_bench(&bench, settings, list);
	bench_install(bench.khien, list, false);
	bench_samples_set(bench.skeleton, 4, &sample, 1);
	bench_select(bench.skeleton, program_of(&bench, KHIEN));
	for (int64_t round = 0; round < settings->rounds; round++) {
		one[round] = hot_rate(&bench, 1);
		two[round] = hot_rate(&bench, 2);
	}
	/* Nothing may be lost: what the programs keep back on the CPUs is at most a few packets for each. */
	sent = (uint64_t)settings->rounds * 3 * (HOT_CHUNKS * BENCH_CHUNK + 1);
	kh_kernel_records(bench.khien, add_packets, &counted);
	single = bench_median(one, (size_t)settings->rounds);
	both = bench_median(two, (size_t)settings->rounds);
	printf("one hot indicator: %.1f Mpps on one core, %.1f on two: %.2f x; %llu of %llu packets in the records\n",
	       single, both, both / single, (unsigned long long)counted, (unsigned long long)sent);
	if (settings->json)
		fprintf(settings->json,
			"{\"kind\": \"hot\", \"one_mpps\": %.2f, \"two_mpps\": %.2f, \"sent\": %llu, \"recorded\": %llu}\n",
			single, both, (unsigned long long)sent, (unsigned long long)counted);
	close_bench(&bench);
}

static const char usage[] =
	"bench-lookup [OPTION]... [LIST]...   what one look-up costs (as root)\n"
	"  LIST         random:N clustered:N nested:N holes:N second:N (every second address) random6:N, or a file of addresses and prefixes\n"
	"  --rounds N   turns of each contender; the median is shown (5)\n"
	"  --no-lpm     without the kernel's LPM trie, which takes most of the time\n"
	"  --sighting   hits from the office, with sightings\n"
	"  --hot        one hot indicator on one core and on two\n"
	"  --json FILE  write each result there, one object a line\n"
	"  --cpu N      measure there (the last)\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "no-lpm", no_argument, NULL, 'l' },
		{ "sighting", no_argument, NULL, 's' },
		{ "hot", no_argument, NULL, 'h' },
		{ "json", required_argument, NULL, 'j' },
		{ "cpu", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	struct settings settings = { .rounds = 5, .lpm = true, .cpu = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN) - 1 };
	bool sightings = false, hot = false;
	int option;
	int64_t value;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'r' && kh_number_parse(optarg, 1, ROUNDS_MAX, &settings.rounds) == 0)
			continue;
		if (option == 'c' && kh_number_parse(optarg, 0, BENCH_CPUS - 1, &value) == 0) {
			settings.cpu = (uint32_t)value;
		} else if (option == 'j' && (settings.json = fopen(optarg, "ae"))) {
			setvbuf(settings.json, NULL, _IOLBF, 0);
		} else if (option == 'l') {
			settings.lpm = false;
		} else if (option == 's') {
			sightings = true;
		} else if (option == 'h') {
			hot = true;
		} else {
			fputs(usage, stderr);
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_enter();
	bench_drop_capabilities();
	bench_pin(settings.cpu);
	printf("%-4s %-28s %8s %-8s %8s %8s %8s %8s %8s %9s\n", "IPv", "list", "entries", "ns:", "harness", "floor",
	       "khien", "limit", "lpm", "x floor");
	for (int i = optind; i < argc; i++)
		run_list(&settings, argv[i]);
	if (sightings)
		run_sightings(&settings);
	if (hot)
		run_hot_indicator(&settings);
	if (bench_disturbed)
		printf("note: %u runs shared their core with other work of this machine\n", bench_disturbed);
	return 0;
}
