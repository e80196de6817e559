// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line of khiend, as one table: parsing and --help read the same rows.
 */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"

/* A row sets a string (value is not NULL), asks for a task (task is not KH_TASK_RUN), or sets a flag. */
static const struct row {
	const char *name;
	const char *value; /* NULL: takes none */
	size_t member; /* offset of the string or flag */
	const char *standard; /* default of the string */
	enum kh_task task;
	const char *help;
} rows[] = {
#define STRING(name, value, member, standard, help)                                           \
	{                                                                                     \
		name, value, offsetof(struct kh_options, member), standard, KH_TASK_RUN, help \
	}
#define TASK(name, task, help)                  \
	{                                       \
		name, NULL, 0, NULL, task, help \
	}
#define FLAG(name, member, help)                                                         \
	{                                                                                \
		name, NULL, offsetof(struct kh_options, member), NULL, KH_TASK_RUN, help \
	}
	STRING("config", "FILE", config, KH_SYSCONFDIR "/khien/khien.conf", N_("configuration")),
	STRING("state", "DIR", state, KH_STATEDIR, N_("folder of the ledger")),
	STRING("run", "DIR", run, "/run/khien", N_("folder of the control socket")),
	STRING("bpffs", "DIR", bpffs, "/sys/fs/bpf/khien", N_("folder of the pins, on a bpffs")),
	STRING("refresh", "SOCKET", refresh, "",
	       N_("where khien-refresh listens; without it khiend starts one itself")),
	TASK("check", KH_TASK_CHECK, N_("check the configuration against this machine, and change nothing")),
	FLAG("load", load, N_("with --check: verify the packet programs on this kernel too, and attach nothing")),
	TASK("detect", KH_TASK_DETECT, N_("print a [gateway] section proposed for this machine")),
	TASK("detach", KH_TASK_DETACH, N_("take everything off the interfaces: nothing is blocked any more")),
	TASK("new-ledger", KH_TASK_NEW_LEDGER,
	     N_("put a damaged ledger aside, so that khiend can start with an empty one")),
	FLAG("foreground", foreground, N_("stay in the foreground (khiend always does)")),
	TASK("version", KH_TASK_VERSION, N_("print the version")),
	TASK("help", KH_TASK_HELP, N_("print this")),
};

#define FIRST_CODE 256 /* beyond every character: what getopt_long returns for row 0 */

static void table_for_getopt(struct option ret_table[static KH_ARRAY_SIZE(rows) + 1])
{
	memset(ret_table, 0, (KH_ARRAY_SIZE(rows) + 1) * sizeof(*ret_table));
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		ret_table[i].name = rows[i].name;
		ret_table[i].has_arg = rows[i].value ? required_argument : no_argument;
		ret_table[i].val = FIRST_CODE + (int)i;
	}
}

/* 0, or -EINVAL when it asks for a second task. */
static int apply(struct kh_options *options, const struct row *row, const char *value)
{
	void *member = (char *)options + row->member;

	if (row->value) {
		*(const char **)member = value;
	} else if (row->task == KH_TASK_RUN) {
		*(bool *)member = true;
	} else {
		if (options->task != KH_TASK_RUN && options->task != row->task)
			return -EINVAL;
		options->task = row->task;
	}
	return 0;
}

int kh_options_parse(int argc, char **argv, struct kh_options *ret_options)
{
	struct option table[KH_ARRAY_SIZE(rows) + 1];
	struct kh_options options = { .task = KH_TASK_RUN };
	int code;

	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++)
		if (rows[i].value)
			apply(&options, &rows[i], rows[i].standard);
	table_for_getopt(table);
	while ((code = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (code == '?') { /* getopt has said what */
			fprintf(stderr, _("Try: %s --help\n"), "khiend");
			return -EINVAL;
		}
		if (apply(&options, &rows[code - FIRST_CODE], optarg) < 0) {
			fprintf(stderr, "khiend: %s\n",
				_("one of --check, --detect, --detach and --new-ledger at a time"));
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, _("khiend: what is \"%s\"? Options start with --; see %s --help\n"), argv[optind],
			"khiend");
		return -EINVAL;
	}
	if (options.load && options.task != KH_TASK_CHECK) {
		fprintf(stderr, "khiend: %s\n", _("--load goes with --check"));
		return -EINVAL;
	}
	*ret_options = options;
	return 0;
}

void kh_options_help(void)
{
	printf("%s\n\n", _("khiend [OPTIONS]: enforces the orders that khien gives it, by XDP and tc programs"));
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].value ? " " : "",
			 rows[i].value ? rows[i].value : "");
		printf("  %-16s %s", left, _(rows[i].help));
		if (rows[i].standard && rows[i].standard[0])
			printf(_(" (default: %s)"), rows[i].standard);
		putchar('\n');
	}
	printf("\n%s\n", _("Stopping khiend leaves the programs attached and blocking; `khien detach` takes them off.\n"
			   "More: man khiend, man khien.conf, man khien"));
}
