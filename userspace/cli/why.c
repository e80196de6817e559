// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien why VALUE|MACHINE: one screen.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/util.h"

static void show_sighting(json_t *row, bool by_host)
{
	const char *host = kh_text_of(row, "host");

	if (by_host)
		kh_say("  %s", host[0] ? host : _("(spoofed source)"));
	else
		kh_say("  %s", kh_text_of(row, "value"));
	if (by_host && kh_text_of(row, "mac")[0])
		kh_say(" · %s", kh_text_of(row, "mac"));
	if (json_is_true(json_object_get(row, "gateway")))
		kh_say(_(" · the gateway itself"));
	kh_say(" · %s · ", kh_text_of(row, "interface"));
	kh_say(_("%s packets, %s to %s"), kh_count(kh_number_of(row, "packets")), kh_when(row, "first_seen"), kh_when(row, "last_seen"));
	if (!by_host && kh_text_of(row, "refs")[0])
		kh_say(_(" · by %s"), kh_text_of(row, "refs"));
	kh_say("\n");
}

static void show_machine(json_t *reply)
{
	json_t *machine = json_object_get(reply, "machine"), *rows = json_object_get(reply, "sightings"), *row;
	size_t index;

	kh_say("%s · %s", kh_text_of(reply, "value"), _("OFFICE MACHINE"));
	if (kh_text_of(machine, "mac")[0])
		kh_say(" · %s", kh_text_of(machine, "mac"));
	if (kh_text_of(machine, "interface")[0])
		kh_say(" · %s", kh_text_of(machine, "interface"));
	kh_say("\n");
	if (!json_array_size(rows)) {
		kh_say(_("It called nothing that is on a list.\n"));
		return;
	}
	kh_say(_("It called:\n"));
	json_array_foreach(rows, index, row)
		show_sighting(row, false);
	kh_say(_("If that is blocked by mistake: khien allow %s --ttl 4h --note \"...\"\n"), kh_text_of(json_array_get(rows, 0), "value"));
}

static void show_order(json_t *row)
{
	const char *ref = json_string_value(json_array_get(json_object_get(row, "refs"), 0)), *state = kh_text_of(row, "state"), *file;

	kh_say("  %s  %s  ", kh_text_of(row, "value"), ref ? ref : _("by hand"));
	file = kh_text_of(row, "file");
	if (file[0])
		kh_say(_("%s line %lld · "), file, kh_number_of(row, "line"));
	kh_say(_("%s since %s · change %lld · "), state, kh_when(row, "since"), kh_number_of(row, "change"));
	if (json_is_string(json_object_get(row, "expires")))
		kh_say(_("until %s\n"), kh_when(row, "expires"));
	else
		kh_say(_("no deadline\n"));
	if (kh_number_of(row, "packets"))
		kh_say(_("    %s packets, %s, last %s\n"), kh_count(kh_number_of(row, "packets")), kh_bytes(kh_number_of(row, "bytes")),
		       kh_when(row, "last_seen"));
	if (!strcmp(state, "review") || !strcmp(state, "refused") || !strcmp(state, "unenforceable"))
		kh_say("    %s %s\n", kh_text_of(row, "sentence"), kh_text_of(row, "rule"));
}

static void show_value(json_t *reply)
{
	const char *verdict = kh_text_of(reply, "verdict");
	json_t *never = json_object_get(reply, "never_block"), *row;
	size_t index;

	kh_say("%s  ", kh_text_of(reply, "value"));
	if (!strcmp(verdict, "dropped"))
		kh_say("%s\n", kh_tone(KH_TONE_BAD, _("BLOCKED")));
	else if (!strcmp(verdict, "monitored"))
		kh_say("%s\n", kh_tone(KH_TONE_WARN, _("MONITORED, not blocked")));
	else
		kh_say("%s\n", kh_tone(KH_TONE_GOOD, _("NOT BLOCKED")));
	json_array_foreach(json_object_get(reply, "by"), index, row)
		show_order(row);
	if (!json_array_size(json_object_get(reply, "by")))
		kh_say(_("  No letter and nobody by hand ordered anything about it.\n"));
	json_array_foreach(json_object_get(reply, "allow"), index, row) {
		kh_say(_("  Allowed by %s: \"%s\""), kh_text_of(row, "actor"), kh_text_of(row, "note"));
		if (json_is_string(json_object_get(row, "expires")))
			kh_say(_(", until %s"), kh_when(row, "expires"));
		kh_say(" (%s)\n", kh_text_of(row, "value"));
	}
	if (json_is_object(never))
		kh_say("  %s: %s\n", kh_text_of(never, "sentence"), kh_text_of(never, "rule"));
	if (json_array_size(json_object_get(reply, "sightings")))
		kh_say(_("Called by:\n"));
	json_array_foreach(json_object_get(reply, "sightings"), index, row)
		show_sighting(row, true);
	if (!strcmp(verdict, "dropped"))
		kh_say(_("If that is a mistake: khien allow %s --ttl 4h --note \"...\"\n"), kh_text_of(reply, "value"));
}

static int run_why(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request, *reply;
	int code = 0;

	if (kh_next_option(cli, argc, argv, NULL, 0, &code) == -2)
		return code;
	if (argc - optind != 1)
		return kh_usage_error(cli, _("name one value, or one machine by address or MAC"));
	request = kh_request("why");
	json_object_set_new(request, "value", json_string(argv[optind]));
	code = kh_ask(cli, request, &reply);
	if (!reply)
		return code;
	if (!strcmp(kh_text_of(reply, "verdict"), "machine"))
		show_machine(reply);
	else
		show_value(reply);
	json_decref(reply);
	return code;
}

const struct kh_command kh_command_why = {
	.name = "why",
	.usage = "VALUE|MACHINE",
	.summary = N_("is it blocked, by which order; or what did this machine call"),
	.run = run_why,
};
