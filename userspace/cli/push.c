// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien push FILE... and khien block VALUE...
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/plan.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/util.h"

enum { REF = 1, TTL, MONITOR, DRY_RUN, YES, ACCEPT, NOTE };

static const struct kh_option options[] = {
	{ "ref", true, REF },	{ "ttl", true, TTL }, { "monitor", false, MONITOR }, { "dry-run", false, DRY_RUN },
	{ "yes", false, YES }, { "accept", true, ACCEPT }, { "note", true, NOTE },
};

/* Reads the options of both commands into the request. 0; or -2 with *ret_exit. */
static int read_options(struct kh_cli *cli, int argc, char **argv, json_t *request, struct kh_plan_options *plan, int *ret_exit)
{
	json_t *accept = json_array();
	int letter;

	json_object_set_new(request, "accept", accept);
	while ((letter = kh_next_option(cli, argc, argv, options, KH_ARRAY_SIZE(options), ret_exit)) >= 0) {
		switch (letter) {
		case REF:
			json_object_set_new(request, "ref", json_string(optarg));
			break;
		case NOTE:
			json_object_set_new(request, "note", json_string(optarg));
			break;
		case TTL:
			*ret_exit = kh_put_duration(cli, request, "ttl", optarg);
			if (*ret_exit)
				return -2;
			break;
		case ACCEPT:
			json_array_append_new(accept, json_string(optarg));
			break;
		case MONITOR:
			plan->monitor = true;
			break;
		case DRY_RUN:
			plan->dry_run = true;
			break;
		case YES:
			plan->yes = true;
			break;
		}
	}
	return letter == -2 ? -2 : 0;
}

/* Standard input into memory, so that the daemon can read it twice: for the plan and for the act. */
static int open_input(void)
{
	int fd = memfd_create("khien-input", MFD_CLOEXEC);
	char buffer[65536];
	ssize_t got;

	while (fd >= 0 && (got = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
		if (write(fd, buffer, (size_t)got) != got) {
			close(fd);
			return -1;
		}
	}
	return fd;
}

static int open_files(const struct kh_cli *cli, int count, char **names, int *fds, json_t *request)
{
	json_t *array = json_array();

	json_object_set_new(request, "files", array);
	for (int i = 0; i < count; i++) {
		fds[i] = strcmp(names[i], "-") ? open(names[i], O_RDONLY | O_CLOEXEC | O_NOCTTY) : open_input();
		if (fds[i] < 0) {
			kh_complain("khien %s: %s: %s", cli->command->name, names[i], strerror(errno));
			while (i--)
				close(fds[i]);
			return -1;
		}
		json_array_append_new(array, json_string(names[i]));
	}
	return 0;
}

static int run_push(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request = kh_request("push");
	struct kh_plan_options plan = {};
	int fds[KH_PROTO_MAX_FILES], count, code = 0;

	if (read_options(cli, argc, argv, request, &plan, &code) < 0) {
		json_decref(request);
		return code;
	}
	count = argc - optind;
	if (count < 1 || count > KH_PROTO_MAX_FILES) {
		json_decref(request);
		return kh_usage_error(cli, _("name 1 to %d files"), KH_PROTO_MAX_FILES);
	}
	if (open_files(cli, count, argv + optind, fds, request) < 0) {
		json_decref(request);
		return KH_EXIT_FAILED;
	}
	code = kh_plan_command(cli, request, fds, (size_t)count, &plan);
	while (count--)
		close(fds[count]);
	return code;
}

static int run_block(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request = kh_request("block");
	struct kh_plan_options plan = {};
	int code = 0;

	if (read_options(cli, argc, argv, request, &plan, &code) < 0) {
		json_decref(request);
		return code;
	}
	if (optind >= argc) {
		json_decref(request);
		return kh_usage_error(cli, _("name at least one value"));
	}
	json_object_set_new(request, "values", kh_arguments(argc, argv, optind));
	return kh_plan_command(cli, request, NULL, 0, &plan);
}

const struct kh_command kh_command_push = {
	.name = "push",
	.usage = "FILE... [--ref NUMBER] [--ttl 7d] [--monitor] [--dry-run] [--yes] [--accept VALUE]...",
	.summary = N_("read letters or lists, show what they order, enforce it"),
	.help = N_("  FILE               a letter as text, or a list; - is standard input\n"
		   "  --ref NUMBER       the letter's number, when the file does not say it\n"
		   "  --ttl 7d           ends by itself after 7 days (30m, 4h, 2w)\n"
		   "  --monitor          count only, drop nothing\n"
		   "  --accept VALUE     also enforce this value, which would wait for review\n"
		   "  --dry-run          show, change nothing\n"
		   "  --yes              do not ask\n"),
	.run = run_push,
};

const struct kh_command kh_command_block = {
	.name = "block",
	.usage = "VALUE... [--ttl 24h] [--ref NUMBER] [--note TEXT] [--monitor] [--dry-run] [--yes]",
	.summary = N_("block addresses by hand; without --ref for 24 hours"),
	.help = N_("  VALUE              203.0.113.7, 203.0.113.0/24, 203.0.113.7:443/tcp, [2001:db8::1]:443\n"
		   "  --ref NUMBER       under this letter, without deadline\n"
		   "  --ttl 4h           ends by itself after 4 hours\n"
		   "  --note TEXT        why\n"
		   "  --monitor          count only, drop nothing\n"
		   "  --dry-run          show, change nothing\n"
		   "  --yes              do not ask\n"),
	.run = run_block,
};
