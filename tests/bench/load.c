// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench-load: from prefixes in memory to enforced: kh_compile(), kh_kernel_prepare(), kh_kernel_switch() (from whose end on every packet is
 * judged by the new list), over a generation already in force, with
 * the prefixes sorted and in random order. And what a generation takes in the kernel, by the kernel's own account (memlock of its maps). The LPM
 * trie is filled beside it, by batch calls. bench-live loads the same lists into nft and ipset, push.sh through the daemon.
 */
#include "bench.h"

#include <getopt.h>
#include <string.h>

#include "bench.skel.h"
#include "common/text.h"

#define ROUNDS_MAX 99
#define LPM_MOST 2000000

struct settings {
	int64_t rounds;
	FILE *json;
};

static void run_list(const struct settings *settings, const char *what)
{
	struct bench_list *list KH_CLEANUP(bench_list_freep) = bench_list_make(what);
	struct kh_kernel *kernel = bench_kernel_open("khien");
	static double times[2][ROUNDS_MAX];
	double milliseconds[2], lpm = 0;
	struct kh_error error = {};
	uint64_t bytes;

	bench_install(kernel, list, false); /* the generation before */
	for (int64_t round = 0; round < settings->rounds; round++)
		for (int shuffled = 0; shuffled < 2; shuffled++)
			times[shuffled][round] = bench_install(kernel, list, shuffled);
	for (int shuffled = 0; shuffled < 2; shuffled++)
		milliseconds[shuffled] = bench_median(times[shuffled], (size_t)settings->rounds);
	bytes = bench_kernel_bytes("khien");
	if (list->count <= LPM_MOST) {
		struct bench_bpf *skeleton = bench_bpf_load();

		lpm = bench_lpm_fill(skeleton, list);
		bench_bpf__destroy(skeleton);
	}
	printf("%-12s %8zu  sorted %7.1f ms  unsorted %7.1f ms  kernel %6.1f MB", list->name, list->count,
	       milliseconds[0], milliseconds[1], (double)bytes / 1e6);
	if (lpm > 0)
		printf("  LPM trie %.0f ms", lpm);
	printf("\n");
	if (settings->json) {
		fprintf(settings->json,
			"{\"kind\": \"load\", \"list\": \"%s\", \"entries\": %zu, \"compile_install_ms\": %.1f, \"compile_install_sorted_ms\": %.1f, "
			"\"kernel_bytes\": %llu",
			list->name, list->count, milliseconds[1], milliseconds[0], (unsigned long long)bytes);
		if (lpm > 0)
			fprintf(settings->json, ", \"lpm_ms\": %.0f", lpm);
		fprintf(settings->json, "}\n");
	}
	kh_kernel_close(kernel);
	if (kh_kernel_remove("/mnt/khien", NULL, NULL, &error) < 0)
		bench_die("%s", error.text);
}

static const char usage[] = "bench-load [OPTION]... LIST...   compile, install, memory (as root)\n"
			    "  LIST         as for bench-lookup\n"
			    "  --rounds N   installations of each kind; the median is shown (5)\n"
			    "  --json FILE  write each result there, one object a line\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "json", required_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct settings settings = { .rounds = 5 };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'r' && kh_number_parse(optarg, 1, ROUNDS_MAX, &settings.rounds) == 0)
			continue;
		if (option == 'j' && (settings.json = fopen(optarg, "ae")))
			continue;
		fputs(usage, stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_enter();
	bench_drop_capabilities();
	for (int i = optind; i < argc; i++)
		run_list(&settings, argv[i]);
	return settings.json && fclose(settings.json) ? 1 : 0;
}
