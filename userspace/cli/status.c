// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien status: protected or not, in ten lines.
 */
#include <dirent.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/util.h"

#define PINS "/sys/fs/bpf/khien/v1/links"

/* Without a daemon the pinned links still say what enforces. */
static void show_pins(void)
{
	struct dirent *entry;
	DIR *folder = opendir(PINS);
	size_t count = 0;

	while (folder && (entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	if (folder)
		closedir(folder);
	if (count)
		kh_complain(_("%zu attached programs go on enforcing without the daemon (%s)"), count, PINS);
	else
		kh_complain(_("nothing is attached: THIS GATEWAY IS NOT PROTECTED"));
}

static void show_headline(json_t *reply, size_t todo)
{
	const char *health = kh_text_of(reply, "health");

	if (!strcmp(health, "protected"))
		kh_say("%s", kh_tone(KH_TONE_GOOD, _("KHIÊN: PROTECTED")));
	else if (!strcmp(health, "degraded"))
		kh_say("%s", kh_tone(KH_TONE_WARN, _("KHIÊN: PROTECTED IN PART")));
	else
		kh_say("%s", kh_tone(KH_TONE_BAD, _("KHIÊN: NOT PROTECTED")));
	if (todo)
		kh_say(_(", %zu THINGS TO DO"), todo);
	kh_say("    %s\n", kh_text_of(reply, "name"));
}

static void show_interfaces(json_t *interfaces)
{
	size_t index;
	json_t *row;

	kh_say("%s", _("Interfaces"));
	json_array_foreach(interfaces, index, row) {
		const char *name = kh_text_of(row, "name"), *device = kh_text_of(row, "device"), *mode = kh_text_of(row, "mode");
		bool attached = json_is_true(json_object_get(row, "attached"));

		kh_say("%s%s", index ? " · " : "   ", name);
		if (strcmp(name, device))
			kh_say(" (%s)", device);
		kh_say(" %s %s", strcmp(kh_text_of(row, "role"), "wan") ? "LAN" : "WAN",
		       kh_tone(attached ? KH_TONE_GOOD : KH_TONE_BAD, attached ? mode : _("NOT ATTACHED")));
	}
	kh_say("\n");
}

static void show_orders(json_t *reply)
{
	json_t *counts = json_object_get(reply, "counts"), *verified = json_object_get(reply, "verified"), *allow;
	size_t index;

	kh_say(_("Blocked      %lld indicators of %lld letters"), kh_number_of(counts, "enforced"), kh_number_of(reply, "letters"));
	if (kh_number_of(counts, "monitored"))
		kh_say(_(" · %lld monitored"), kh_number_of(counts, "monitored"));
	if (json_is_object(verified))
		kh_say(_(" · verified %lld/%lld at %.8s"), kh_number_of(verified, "enforced"), kh_number_of(verified, "ordered"),
		       kh_when(verified, "time"));
	kh_say("\n");
	if (kh_number_of(counts, "unenforceable"))
		kh_say(_("Not enforceable here  %lld\n"), kh_number_of(counts, "unenforceable"));
	json_array_foreach(json_object_get(reply, "allows"), index, allow) {
		if (index >= 3)
			continue;
		kh_say(_("Allowed      %s"), kh_text_of(allow, "value"));
		if (json_is_string(json_object_get(allow, "expires")))
			kh_say(_(", until %s"), kh_when(allow, "expires"));
		kh_say(" (%s: \"%s\")\n", kh_text_of(allow, "actor"), kh_text_of(allow, "note"));
	}
	kh_say(_("Ending       %lld within 24 hours\n"), kh_number_of(reply, "expiring"));
	if (kh_number_of(reply, "sightings_lost") || kh_number_of(reply, "events_lost"))
		kh_say(_("Lost         %lld sightings, %lld events (table or buffer full)\n"), kh_number_of(reply, "sightings_lost"),
		       kh_number_of(reply, "events_lost"));
}

static int run_status(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request, *reply, *problem, *generation;
	size_t index, todo = 0, number = 0;
	long long review;
	int code = 0;

	if (kh_next_option(cli, argc, argv, NULL, 0, &code) == -2)
		return code;
	request = kh_request("status");
	code = kh_ask(cli, request, &reply);
	if (code == KH_EXIT_NO_DAEMON)
		show_pins();
	if (!reply)
		return code;
	review = kh_number_of(json_object_get(reply, "counts"), "review");
	json_array_foreach(json_object_get(reply, "problems"), index, problem)
		todo += strcmp(kh_text_of(problem, "severity"), "notice") != 0;
	show_headline(reply, todo + (review > 0));
	generation = json_object_get(reply, "generation");
	kh_say(_("Since %s · generation %lld at %.8s\n"), kh_when(reply, "since"), kh_number_of(generation, "number"),
	       kh_when(generation, "since"));
	show_interfaces(json_object_get(reply, "interfaces"));
	show_orders(reply);
	json_array_foreach(json_object_get(reply, "problems"), index, problem) {
		const char *step = kh_text_of(problem, "todo");
		bool notice = !strcmp(kh_text_of(problem, "severity"), "notice");

		if (notice)
			kh_say("· %s\n", kh_text_of(problem, "text"));
		else
			kh_say("%zu. %s%s%s\n", ++number, kh_tone(KH_TONE_WARN, kh_text_of(problem, "text")), step[0] ? " → " : "", step);
	}
	if (review)
		kh_say(_("%zu. %lld wait for review → khien review\n"), ++number, review);
	json_decref(reply);
	return code;
}

const struct kh_command kh_command_status = {
	.name = "status",
	.usage = "",
	.summary = N_("is the office protected, and what is to be done"),
	.help = N_("Exit code: 0 protected, 3 protected in part, 1 not protected, 4 no daemon.\n"),
	.run = run_status,
};
