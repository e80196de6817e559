// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien reattach [INTERFACE] and khien detach.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"

static void show_reattach(json_t *reply)
{
	const json_t *rows = json_object_get(reply, "interfaces");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *problem = kh_text_of(row, "problem"), *mode = kh_text_of(row, "mode");
		bool attached = strcmp(mode, "none") != 0 && mode[0];

		kh_say("%s  %s%s%s\n", kh_text_of(row, "name"),
		       kh_tone(attached ? KH_TONE_GOOD : KH_TONE_BAD, attached ? mode : _("NOT ATTACHED")),
		       problem[0] ? ": " : "", problem);
	}
}

static int run_reattach(struct kh_cli *cli, json_t *request, int count, char **arguments)
{
	if (count)
		json_object_set_new(request, "interface", json_string(arguments[0]));
	return kh_ask(cli, request, show_reattach);
}

const struct kh_command kh_command_reattach = {
	.name = "reattach",
	.usage = "[INTERFACE]",
	.summary = N_("attach the packet programs anew; a link may bounce"),
	.arguments_max = 1,
	.run = run_reattach,
};

static void show_detach(json_t *reply)
{
	size_t count = json_array_size(json_object_get(reply, "removed"));

	kh_say("%s\n", kh_tone(KH_TONE_BAD, _("THIS GATEWAY IS NOT PROTECTED")));
	kh_say(ngettext("%zu piece of Khiên was taken off. To protect again: systemctl restart khiend\n",
			"%zu pieces of Khiên were taken off. To protect again: systemctl restart khiend\n", count),
	       count);
}

static int run_detach(struct kh_cli *cli, json_t *request, int count KH_UNUSED, char **arguments KH_UNUSED)
{
	return kh_ask(cli, request, show_detach);
}

const struct kh_command kh_command_detach = {
	.name = "detach",
	.usage = "",
	.summary = N_("take everything of Khiên off this gateway"),
	.help = N_("Nothing is blocked any more. The ledger stays, so that a restart of khiend protects as before."),
	.run = run_detach,
};
