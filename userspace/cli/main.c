// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien: the table of commands, and nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/nearest.h"
#include "cli/render.h"
#include "common/lang.h"

/* In the order of a night's work, which is the order of the help. */
static const struct kh_command *const commands[] = {
	&kh_command_read,    &kh_command_push,	   &kh_command_review,	&kh_command_accept,   &kh_command_reject,
	&kh_command_block,   &kh_command_unblock,  &kh_command_allow,	&kh_command_disallow, &kh_command_enforce,
	&kh_command_monitor, &kh_command_extend,   &kh_command_confirm, &kh_command_undo,     &kh_command_status,
	&kh_command_why,     &kh_command_list,	   &kh_command_show,	&kh_command_stats,    &kh_command_history,
	&kh_command_verify,  &kh_command_reattach, &kh_command_detach,	&kh_command_export,   &kh_command_source,
};

static void show_help(void)
{
	kh_say(_("Usage: khien COMMAND [ARGUMENTS] [--json] [--lang vi|en] [--socket PATH]\n\n"));
	for (size_t i = 0; i < KH_ARRAY_SIZE(commands); i++)
		kh_say("  %-9s %s\n", commands[i]->name, gettext(commands[i]->summary));
	kh_say(_("\nkhien COMMAND --help tells more; the manual is khien(1).\n"));
}

static const struct kh_command *find(const char *name)
{
	for (size_t i = 0; i < KH_ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int complain(const char *typed)
{
	const char *names[KH_ARRAY_SIZE(commands)], *near;

	for (size_t i = 0; i < KH_ARRAY_SIZE(commands); i++)
		names[i] = commands[i]->name;
	near = kh_nearest(typed, names, KH_ARRAY_SIZE(commands));
	kh_complain(_("khien: there is no command \"%s\""), kh_printable(typed));
	if (near)
		kh_complain(_("→ did you mean: khien %s"), near);
	else
		kh_complain(_("→ khien --help lists them"));
	return KH_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct kh_cli cli = {};
	int code = 0, at = kh_cli_begin(&cli, argc, argv, show_help, &code);

	if (at >= 0) {
		cli.command = find(argv[at]);
		code = cli.command ? kh_cli_run(&cli, argc - at, argv + at) : complain(argv[at]);
	}
	if ((fflush(stdout) || ferror(stdout)) && code == KH_EXIT_DONE) { /* a full disk behind "> file" */
		kh_complain(_("khien: the answer could not be written"));
		code = KH_EXIT_FAILED;
	}
	return code;
}
