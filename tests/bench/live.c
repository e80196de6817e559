// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-live: traffic through a real device. XDP live frames (BPF_F_TEST_XDP_LIVE_FRAMES, batches of 64, 60-byte UDP, the source from the
 * samples, a right IP checksum) are redirected into one end of a veth pair; the filter is on the other. One core generates, crosses,
 * decides and drops. Frames that arrived, by the time it took: Mpps.
 *
 *   hit      every source is listed; every frame must be dropped by the filter. Khiên is attached by userspace/kernel, as on a gateway.
 *   miss     no source is listed. So that the filter is measured and not the stack behind it, what passes is dropped right behind
 *            it, in the same hook: XDP programs are called by a program (bench_gate) that counts their verdict and ends the frame, the bare drop
 *            too; nft and iptables have a rule after theirs that drops.
 *   through  no source is listed and what passes goes up the stack, which receives and discards it (no address is configured):
 *            the whole way of a packet that nobody blocks. Here "bare" is no filter at all.
 *
 * "limit" is no matcher but what memory allows (bench.h).
 * Every frame that arrived is accounted for by the filter's own counters, or the benchmark fails.
 */
#include "nft.h"
#include "traffic.h"

#include <errno.h>
#include <getopt.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"
#include "common/text.h"

#define ROUNDS_MAX 99

enum contender { BARE, KHIEN, LIMIT, LPM, NFT, IPSET, CONTENDERS };
static const char *const contender_names[] = { "bare", "khien", "limit", "lpm", "nft", "ipset" };

enum traffic { HIT, MISS, THROUGH, TRAFFICS };
static const char *const traffic_names[] = { "hit", "miss", "through" };

struct settings {
	int64_t rounds;
	uint32_t cpu;
	bool through;
	bool have[CONTENDERS];
	FILE *json;
};

struct bench {
	const struct settings *settings;
	const struct bench_list *list;
	struct bench_bpf *skeleton;
	struct kh_kernel *khien;
	char folder[32]; /* for what nft and ipset load; in our mount namespace only */
	int link; /* of an XDP program that is not Khiên's, while it runs */
	double load_ms[CONTENDERS];
};

/* What was seen at the filter, and what it says it did. */
struct tally {
	uint64_t arrived, dropped, passed;
};

static const char *iptables; /* the command: the older one is the faster */

/* ---- Commands ------------------------------------------------------------------------------------ */

static int run_command(bool loud, const char *format, ...) KH_PRINTF(2, 3);
static int run_command(bool loud, const char *format, ...)
{
	char command[512];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof(command))
		bench_die("a command is too long");
	if (!loud)
		strncat(command, " >/dev/null 2>&1", sizeof(command) - (size_t)length - 1);
	return system(command);
}

/* Packets of the two rules that filter_on() makes. */
static void count_iptables(struct tally *tally)
{
	unsigned long long packets;
	char line[512];
	FILE *pipe;

	snprintf(line, sizeof(line), "%s -w -t raw -nvxL PREROUTING", iptables);
	pipe = popen(line, "re");
	while (pipe && fgets(line, sizeof(line), pipe))
		if (sscanf(line, "%llu", &packets) == 1)
			*(strstr(line, "match-set") ? &tally->dropped : &tally->passed) = packets;
	if (!pipe || pclose(pipe))
		bench_die("%s: failed", iptables);
}

/* ---- Filters ------------------------------------------------------------------------------------- */

static void write_elements(const struct bench *bench, FILE *file, const char *before, const char *after)
{
	for (size_t i = 0; i < bench->list->count; i++) {
		struct kh_range range =
			kh_range_of_prefix(bench->list->entries[i].first, bench->list->entries[i].length, 4);
		char text[KH_RANGE_TEXT];

		fprintf(file, "%s%s%s", before, kh_range_format(&range, text), after);
	}
}

static double load_nft(const struct bench *bench)
{
	FILE *file KH_CLEANUP(kh_fclosep) = NULL;
	char path[64];
	double start;

	snprintf(path, sizeof(path), "%s/nft", bench->folder);
	file = fopen(path, "we");
	if (!file)
		bench_die("%s: %s", path, strerror(errno));
	fputs("table netdev bench {\n\tcounter dropped { }\n\tcounter passed { }\n"
	      "\tset blocked {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\tcounter\n\t\telements = {\n",
	      file);
	write_elements(bench, file, "", ",\n");
	fprintf(file,
		"\t\t}\n\t}\n\tchain filter {\n\t\ttype filter hook ingress device bench%u priority 0; policy accept;\n"
		"\t\tip saddr @blocked counter name dropped drop\n\t\tgoto passing\n\t}\n\tchain passing {\n\t\tcounter name passed\n\t}\n}\n",
		BENCH_NFT);
	fflush(file);
	start = bench_now_ms();
	if (run_command(true, "nft -f %s", path))
		bench_die("nft refused the list");
	return bench_now_ms() - start;
}

static double load_ipset(const struct bench *bench)
{
	FILE *file KH_CLEANUP(kh_fclosep) = NULL;
	size_t size = 1024;
	char path[64];
	double start;

	while (size < bench->list->count)
		size *= 2;
	snprintf(path, sizeof(path), "%s/ipset", bench->folder);
	file = fopen(path, "we");
	if (!file)
		bench_die("%s: %s", path, strerror(errno));
	fprintf(file, "create blocked hash:net family inet hashsize %zu maxelem 8000000 counters\n", size);
	write_elements(bench, file, "add blocked ", "\n");
	fflush(file);
	start = bench_now_ms();
	if (run_command(true, "ipset restore -file %s", path))
		bench_die("ipset refused the list");
	return bench_now_ms() - start;
}

static void attach(struct bench *bench, int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = 1U << 2 /* XDP_FLAGS_DRV_MODE */);

	bench->link = bpf_link_create(program, BENCH_WAN, BPF_XDP, &options);
	if (bench->link < 0)
		bench_die("cannot attach to a veth device: %s", strerror(errno));
}

static void filter_on(struct bench *bench, enum contender contender, enum traffic traffic)
{
	int khien = kh_kernel_program_fd(bench->khien, KH_PROBE_XDP);
	int lpm = bpf_program__fd(bench->skeleton->progs.bench_lpm);
	int limit = bpf_program__fd(bench->skeleton->progs.bench_limit);
	int drop = bpf_program__fd(bench->skeleton->progs.bench_drop);
	int program = contender == KHIEN ? khien : contender == LIMIT ? limit : contender == LPM ? lpm : drop;

	if (contender == NFT) {
		/* The rule behind is in a chain of its own: touching the one that names the set would list the set. */
		if (run_command(
			    true,
			    "nft 'flush chain netdev bench passing; add rule netdev bench passing counter name passed %s'",
			    traffic == MISS ? "drop" : "accept"))
			bench_die("nft refused a rule");
	} else if (contender == IPSET) {
		if (run_command(true, "%s -w -t raw -A PREROUTING -i bench%u -m set --match-set blocked src -j DROP",
				iptables, BENCH_STACK) ||
		    run_command(true, "%s -w -t raw -A PREROUTING -i bench%u -j %s", iptables, BENCH_STACK,
				traffic == MISS ? "DROP" : "ACCEPT"))
			bench_die("iptables refused a rule");
	} else if (traffic == MISS) {
		bench_select(bench->skeleton, program);
		attach(bench, bpf_program__fd(bench->skeleton->progs.bench_gate));
	} else if (contender == KHIEN) {
		bench_attach(bench->khien);
	} else if (contender != BARE || traffic == HIT) {
		attach(bench, program);
	}
}

static void filter_off(struct bench *bench, enum contender contender)
{
	struct kh_error error = {};

	if (bench->link >= 0)
		close(bench->link);
	bench->link = -1;
	if (contender == KHIEN && kh_kernel_detach(bench->khien, BENCH_WAN, &error) < 0)
		bench_die("%s", error.text);
	if (contender == IPSET && run_command(true, "%s -w -t raw -F PREROUTING", iptables))
		bench_die("iptables cannot be emptied");
}

static unsigned device_of(enum contender contender, enum traffic traffic)
{
	if (contender == NFT)
		return BENCH_NFT;
	return contender == IPSET || (contender == BARE && traffic == THROUGH) ? BENCH_STACK : BENCH_WAN;
}

/* ---- Counters ------------------------------------------------------------------------------------ */

static void count_khien(struct bench *bench, struct tally *tally)
{
	struct kh_counter *counters KH_CLEANUP(kh_freep) = calloc(KH_COUNTERS, sizeof(*counters));
	const struct kh_counter *row;
	uint32_t map;

	if (!counters || kh_kernel_counters(bench->khien, counters, &map) < 0)
		bench_die("cannot read the counters");
	row = counters + (1 * KH_DIRECTIONS + KH_INGRESS) * KH_REASON_ROWS;
	tally->dropped = row[KH_REASON_DROPPED].packets;
	tally->passed = row[KH_REASON_PASSED].packets;
}

static void count_map(const struct bpf_map *map, struct tally *tally)
{
	int cpus = libbpf_num_possible_cpus();
	struct kh_counter *values KH_CLEANUP(kh_freep) = calloc((size_t)cpus, sizeof(*values));

	for (uint32_t dropped = 0; dropped < 2; dropped++) {
		if (!values || bpf_map_lookup_elem(bpf_map__fd(map), &dropped, values) < 0)
			bench_die("cannot read the counters");
		for (int cpu = 0; cpu < cpus; cpu++)
			*(dropped ? &tally->dropped : &tally->passed) += values[cpu].packets;
	}
}

/* What the filter itself says, since it was made. */
static struct tally count(struct bench *bench, enum contender contender, enum traffic traffic)
{
	struct tally tally = { .arrived = bench_arrived(device_of(contender, traffic)) };

	switch (contender) {
	case BARE:
		*(traffic == THROUGH ? &tally.passed : &tally.dropped) =
			traffic == THROUGH ? bench_stack_received() : tally.arrived;
		break;
	case KHIEN:
		count_khien(bench, &tally);
		break;
	case LIMIT:
		count_map(bench->skeleton->maps.limit_counters, &tally);
		break;
	case LPM:
		count_map(bench->skeleton->maps.lpm_counters, &tally);
		break;
	case NFT:
		tally.dropped = bench_nft_counter("bench", "dropped");
		tally.passed = bench_nft_counter("bench", "passed");
		break;
	case IPSET:
		count_iptables(&tally);
		break;
	case CONTENDERS:
		abort();
	}
	return tally;
}

/* ---- Traffic ------------------------------------------------------------------------------------- */

/* Sends and returns Mpps; every frame that arrived must have got its verdict. */
static double run_traffic(struct bench *bench, enum contender contender, enum traffic traffic, uint64_t offset)
{
	struct bench_lane *lane = &bench->skeleton->bss->lanes[bench->settings->cpu % BENCH_CPUS];
	uint32_t warm = contender >= LPM ? 4 : 16, chunks = contender >= LPM ? 8 : 32;
	uint32_t packets = (warm + chunks) * BENCH_CHUNK + BENCH_BATCH;
	unsigned device = device_of(contender, traffic);
	struct tally before, after;
	uint64_t arrived, judged;
	double share;

	before = count(bench, contender, traffic);
	bench_send(bench->skeleton, device, offset, bench->settings->cpu, packets);
	after = count(bench, contender, traffic);
	arrived = after.arrived - before.arrived;
	judged = traffic == HIT || (contender == BARE && traffic == MISS) ? after.dropped - before.dropped
									  : after.passed - before.passed;
	share = (double)arrived / packets;
	if (judged != arrived || share < 0.98 || share > 1)
		bench_die("WRONG: %s, %s: of %u frames sent %llu arrived, of which %llu were rightly judged",
			  contender_names[contender], traffic_names[traffic], packets, (unsigned long long)arrived,
			  (unsigned long long)judged);
	return share * chunks * BENCH_CHUNK * 1e3 / (double)(lane->stamps[warm + chunks] - lane->stamps[warm]);
}

static void measure(struct bench *bench, enum traffic traffic, double ret_mpps[static CONTENDERS])
{
	static double mpps[CONTENDERS][ROUNDS_MAX];
	const struct settings *settings = bench->settings;

	bench_limit_set(bench->skeleton, bench->list, traffic == HIT);
	for (int64_t round = 0; round < settings->rounds; round++) {
		for (enum contender contender = BARE; contender < CONTENDERS; contender++) {
			if (!settings->have[contender])
				continue;
			filter_on(bench, contender, traffic);
			mpps[contender][round] =
				run_traffic(bench, contender, traffic, (uint64_t)round * 11 * BENCH_CHUNK);
			filter_off(bench, contender);
		}
	}
	for (enum contender contender = BARE; contender < CONTENDERS; contender++)
		ret_mpps[contender] =
			settings->have[contender] ? bench_median(mpps[contender], (size_t)settings->rounds) : 0;
}

/* ---- One list ------------------------------------------------------------------------------------ */

static void report(const struct bench *bench, enum traffic traffic, const double mpps[static CONTENDERS])
{
	FILE *json = bench->settings->json;

	printf("%-10s %8zu %-8s", bench->list->name, bench->list->count, traffic_names[traffic]);
	for (enum contender contender = BARE; contender < CONTENDERS; contender++)
		printf(mpps[contender] > 0 ? " %7.2f" : "       -", mpps[contender]);
	printf("\n");
	fflush(stdout);
	if (!json)
		return;
	fprintf(json, "{\"kind\": \"%s\", \"entries\": %zu, \"case\": \"%s\"", traffic == THROUGH ? "through" : "live",
		bench->list->count, traffic == THROUGH ? "miss" : traffic_names[traffic]);
	for (enum contender contender = BARE; contender < CONTENDERS; contender++) {
		if (mpps[contender] > 0)
			fprintf(json, ", \"%s_mpps\": %.3f", contender_names[contender], mpps[contender]);
		else
			fprintf(json, ", \"%s_mpps\": null", contender_names[contender]);
	}
	fprintf(json, ", \"rounds\": %d}\n", (int)bench->settings->rounds);
}

static void report_loads(const struct bench *bench)
{
	printf("loaded %zu:", bench->list->count);
	for (enum contender contender = LPM; contender < CONTENDERS; contender++)
		if (bench->settings->have[contender])
			printf("  %s %.0f ms", contender_names[contender], bench->load_ms[contender]);
	printf("\n");
	for (enum contender contender = LPM; bench->settings->json && contender < CONTENDERS; contender++)
		if (bench->settings->have[contender])
			fprintf(bench->settings->json, "{\"kind\": \"load\", \"entries\": %zu, \"%s_ms\": %.0f}\n",
				bench->list->count, contender_names[contender], bench->load_ms[contender]);
}

static void run_list(const struct settings *settings, const char *what, bool first)
{
	struct bench_list *list KH_CLEANUP(bench_list_freep) = bench_list_make(what);
	kh_u128 *samples KH_CLEANUP(kh_freep) = calloc(BENCH_SAMPLES_V4, sizeof(*samples));
	struct bench bench = { .settings = settings, .list = list, .folder = "/run", .link = -1 };
	struct kh_error error = {};
	double mpps[CONTENDERS];

	if (!samples || list->family != 4)
		bench_die("%s: live traffic is IPv4", what);
	if (!first && (run_command(!settings->have[NFT], "nft delete table netdev bench") & settings->have[NFT]))
		bench_die("nft cannot be emptied");
	if (!first && settings->have[IPSET] && run_command(true, "ipset destroy blocked"))
		bench_die("ipset cannot be emptied");
	bench.skeleton = bench_bpf_load();
	bench.khien = bench_kernel_open("khien");
	bench_install(bench.khien, list, false);
	if (settings->have[LPM])
		bench.load_ms[LPM] = bench_lpm_fill(bench.skeleton, list);
	if (settings->have[NFT])
		bench.load_ms[NFT] = load_nft(&bench);
	if (settings->have[IPSET])
		bench.load_ms[IPSET] = load_ipset(&bench);
	report_loads(&bench);
	for (enum traffic traffic = HIT; traffic < (settings->through ? TRAFFICS : THROUGH); traffic++) {
		bench_list_sample(list, traffic == HIT, samples, BENCH_SAMPLES_V4);
		bench_samples_set(bench.skeleton, 4, samples, BENCH_SAMPLES_V4);
		measure(&bench, traffic, mpps);
		report(&bench, traffic, mpps);
	}
	kh_kernel_close(bench.khien);
	bench_bpf__destroy(bench.skeleton);
	if (kh_kernel_remove("/mnt/khien", NULL, NULL, &error) < 0)
		bench_die("%s", error.text);
}

static bool try_iptables(const char *command)
{
	iptables = command;
	return !run_command(
		false,
		"(ipset -q destroy bench_try; ipset create bench_try hash:net counters && %s -w -t raw -A PREROUTING -m set --match-set bench_try src -j DROP && "
		"%s -w -t raw -F PREROUTING && ipset destroy bench_try)",
		command, command);
}

/* Says which contenders this machine cannot have, and why. */
static void find_contenders(struct settings *settings)
{
	for (enum contender contender = BARE; contender < CONTENDERS; contender++)
		settings->have[contender] = true;
	if (run_command(
		    false,
		    "nft 'add table netdev bench_try; add chain netdev bench_try c { type filter hook ingress device bench%u priority 0; }; "
		    "add set netdev bench_try s { type ipv4_addr; flags interval; counter; }; delete table netdev bench_try'",
		    BENCH_NFT)) {
		printf("left out: nft (no nft command, or no netdev ingress or interval sets in this kernel)\n");
		settings->have[NFT] = false;
	}
	if (try_iptables("iptables-legacy") || try_iptables("iptables")) {
		printf("ipset with %s\n", iptables);
	} else {
		printf("left out: ipset (no ipset or iptables command, or no ip_set_hash_net, xt_set or raw table in this kernel)\n");
		settings->have[IPSET] = false;
	}
}

static const char usage[] = "bench-live [OPTION]... LIST...   live traffic through a veth pair (as root)\n"
			    "  LIST         random:N, as for bench-lookup; IPv4\n"
			    "  --rounds N   turns of each contender; the median is shown (5)\n"
			    "  --through    also the whole way up the stack of what passes\n"
			    "  --json FILE  write each result there, one object a line\n"
			    "  --cpu N      the core that does everything (the last)\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "through", no_argument, NULL, 't' },
		{ "json", required_argument, NULL, 'j' },
		{ "cpu", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	static const unsigned devices[] = { BENCH_WAN, BENCH_NFT, BENCH_STACK };
	struct settings settings = { .rounds = 5, .cpu = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN) - 1 };
	int64_t value;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'r' && kh_number_parse(optarg, 1, ROUNDS_MAX, &settings.rounds) == 0)
			continue;
		if (option == 'c' && kh_number_parse(optarg, 0, BENCH_CPUS - 1, &value) == 0) {
			settings.cpu = (uint32_t)value;
		} else if (option == 'j' && (settings.json = fopen(optarg, "ae"))) {
			setvbuf(settings.json, NULL, _IOLBF, 0);
		} else if (option == 't') {
			settings.through = true;
		} else {
			fputs(usage, stderr);
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_enter();
	bench_scratch();
	for (size_t i = 0; i < KH_ARRAY_SIZE(devices); i++)
		bench_device_up(devices[i]);
	find_contenders(&settings);
	bench_drop_capabilities();
	bench_pin(settings.cpu);
	printf("%-10s %8s %-8s %7s %7s %7s %7s %7s %7s\n", "list", "entries", "Mpps:", "bare", "khien", "limit", "lpm",
	       "nft", "ipset");
	for (int i = optind; i < argc; i++)
		run_list(&settings, argv[i], i == optind);
	return 0;
}
