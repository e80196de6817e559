// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien: the table of commands, and nothing else.
 */
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/util.h"

static const struct kh_command *const commands[] = {
	&kh_command_read,    &kh_command_push,	   &kh_command_review,	 &kh_command_accept, &kh_command_reject,   &kh_command_enforce,
	&kh_command_monitor, &kh_command_extend,   &kh_command_undo,	 &kh_command_block,  &kh_command_unblock,  &kh_command_allow,
	&kh_command_disallow, &kh_command_list,	   &kh_command_show,	 &kh_command_why,    &kh_command_status,   &kh_command_stats,
	&kh_command_verify,  &kh_command_history,  &kh_command_reattach, &kh_command_detach,
};

static int show_help(void)
{
	kh_say(_("Usage: khien COMMAND [ARGUMENTS] [--json] [--lang vi|en] [--socket PATH]\n\n"));
	for (size_t i = 0; i < KH_ARRAY_SIZE(commands); i++)
		kh_say("  %-9s %s\n", commands[i]->name, gettext(commands[i]->summary));
	kh_say(_("\nkhien COMMAND --help tells more; the manual is khien(1).\n"));
	return KH_EXIT_DONE;
}

/* The command whose name shares the longest beginning with what was typed. */
static const char *nearest(const char *typed)
{
	const char *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < KH_ARRAY_SIZE(commands); i++) {
		size_t same = 0;

		while (typed[same] && typed[same] == commands[i]->name[same])
			same++;
		if (same > longest) {
			longest = same;
			best = commands[i]->name;
		}
	}
	return best;
}

int main(int argc, char **argv)
{
	struct kh_cli cli = {};
	const char *near;
	int at;

	kh_cli_begin(&cli, argc, argv);
	for (at = 1; at < argc && argv[at][0] == '-'; at++) {
		if (!strcmp(argv[at], "--lang") || !strcmp(argv[at], "--socket"))
			at++;
		else if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h"))
			return show_help();
		else if (!strcmp(argv[at], "--version"))
			return kh_say("khien %s\n", KH_VERSION), KH_EXIT_DONE;
	}
	if (at >= argc)
		return show_help(), KH_EXIT_USAGE;
	for (size_t i = 0; i < KH_ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[at], commands[i]->name))
			continue;
		cli.command = commands[i];
		return commands[i]->run(&cli, argc - at, argv + at);
	}
	near = nearest(argv[at]);
	kh_complain(_("khien: there is no command \"%s\""), argv[at]);
	if (near)
		kh_complain(_("did you mean: khien %s"), near);
	return KH_EXIT_USAGE;
}
