// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien status: protected or not, and what is to be done, in ten lines.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/pins.h"
#include "cli/render.h"
#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "khien/proto.h"

#define PINS_ENV "KHIEN_BPFFS"
#define PINS_DEFAULT "/sys/fs/bpf/khien"
#define CALLERS_SHOWN 3
#define CALLERS_SECONDS 86400
#define ALLOWS_SHOWN 3

/* ---- Without a daemon --------------------------------------------------------------------------- */

static const char *pins_folder(void)
{
	const char *folder = getenv(PINS_ENV);

	return folder && folder[0] ? folder : PINS_DEFAULT;
}

/* The pinned links still say what enforces. */
static void show_pins(void)
{
	int error = 0;
	json_t *links KH_CLEANUP(kh_json_decrefp) = kh_pins_read(pins_folder(), &error);

	if (!links)
		kh_complain(_("what is attached cannot be seen in %s: %s; ask again as root"), pins_folder(),
			    kh_errno_text(error));
	else if (json_array_size(links))
		kh_complain(_("STILL ENFORCING without the daemon, as it was left: %s (%s)"), kh_joined(links, 8),
			    pins_folder());
	else
		kh_complain(_("NOTHING IS ATTACHED: THIS GATEWAY IS NOT PROTECTED (%s)"), pins_folder());
}

/* Why there is no daemon, where the last to be started left word. */
static void show_alert(const char *socket)
{
	char path[PATH_MAX], *text KH_CLEANUP(kh_freep) = NULL, *line, *rest;
	const char *slash = strrchr(socket, '/');
	size_t length;

	snprintf(path, sizeof(path), "%.*s" KH_ALERT_FILE, slash ? (int)(slash + 1 - socket) : 0, socket);
	if (kh_file_read(path, 4096, &text, &length) < 0)
		return;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		kh_complain("%s", line);
}

/* The same for programs. "attached" is null when it cannot be seen. */
static int ask_json(struct kh_cli *cli, json_t *request)
{
	int code, error;
	json_t *links KH_CLEANUP(kh_json_decrefp) = kh_pins_read(pins_folder(), &error),
		      *reply KH_CLEANUP(kh_json_decrefp) = NULL,
		      *extra KH_CLEANUP(kh_json_decrefp) =
			      json_pack("{s:s, s:O?}", "health", "unknown", "attached", links);

	cli->extra = extra;
	code = kh_call(cli, request, NULL, 0, &reply);
	cli->extra = NULL;
	if (reply)
		kh_json_print(reply);
	return code;
}

/* ---- Things to do ------------------------------------------------------------------------------- */

static bool is_notice(const json_t *problem)
{
	return !strcmp(kh_text_of(problem, "severity"), "notice");
}

/* Machines that called something listed today: each wants to be looked at. */
static json_t *ask_callers(struct kh_cli *cli)
{
	json_t *request KH_CLEANUP(kh_json_decrefp) = kh_request("stats"), *reply KH_CLEANUP(kh_json_decrefp) = NULL;

	json_object_set_new(request, "by", json_string("host"));
	json_object_set_new(request, "since", json_integer(CALLERS_SECONDS));
	json_object_set_new(request, "limit", json_integer(CALLERS_SHOWN));
	kh_call_quietly(cli, request, &reply);
	return json_incref(json_object_get(reply, "rows"));
}

static size_t count_todo(const json_t *reply, const json_t *callers)
{
	const json_t *problems = json_object_get(reply, "problems");
	size_t count = json_array_size(callers) + json_array_size(json_object_get(reply, "unconfirmed")) +
		       (kh_number_of(json_object_get(reply, "counts"), "review") > 0);

	for (size_t i = 0; i < json_array_size(problems); i++)
		count += !is_notice(json_array_get(problems, i));
	return count;
}

/* First, for their time runs out. How many they are. */
static size_t show_unconfirmed(const json_t *rows)
{
	size_t number = 0;

	for (; number < json_array_size(rows); number++) {
		const json_t *row = json_array_get(rows, number);

		kh_say(_("%zu. change %lld (%s, %s) is taken back at %s unless confirmed → khien confirm %lld\n"),
		       number + 1, kh_number_of(row, "change"), kh_text_of(row, "kind"), kh_text_of(row, "actor"),
		       kh_when(row, "until"), kh_number_of(row, "change"));
	}
	return number;
}

static void show_todo(const json_t *reply, const json_t *callers)
{
	const json_t *problems = json_object_get(reply, "problems");
	long long review = kh_number_of(json_object_get(reply, "counts"), "review");
	size_t number = show_unconfirmed(json_object_get(reply, "unconfirmed"));

	for (size_t i = 0; i < json_array_size(problems); i++) {
		const json_t *problem = json_array_get(problems, i);
		const char *step = kh_text_of(problem, "todo");

		if (!is_notice(problem))
			kh_say("%zu. %s%s%s\n", ++number, kh_tone(KH_TONE_WARN, kh_text_of(problem, "text")),
			       step[0] ? " → " : "", step);
	}
	if (review)
		kh_say(_("%zu. %lld wait for review → khien review\n"), ++number, review);
	for (size_t i = 0; i < json_array_size(callers); i++) {
		const char *host = kh_text_of(json_array_get(callers, i), "key");

		if (host[0])
			kh_say(_("%zu. %s called a listed address today → khien why %s\n"), ++number, host, host);
		else
			kh_say(_("%zu. a forged source called a listed address today → khien stats --by host\n"),
			       ++number);
	}
	for (size_t i = 0; i < json_array_size(problems); i++)
		if (is_notice(json_array_get(problems, i)))
			kh_say("· %s\n", kh_text_of(json_array_get(problems, i), "text"));
}

/* ---- The screen --------------------------------------------------------------------------------- */

static void show_headline(const json_t *reply, size_t todo)
{
	const char *health = kh_text_of(reply, "health");

	if (!strcmp(health, "protected"))
		kh_say("%s", kh_tone(KH_TONE_GOOD, _("KHIÊN: PROTECTED")));
	else if (!strcmp(health, "degraded"))
		kh_say("%s", kh_tone(KH_TONE_WARN, _("KHIÊN: PROTECTED IN PART")));
	else
		kh_say("%s", kh_tone(KH_TONE_BAD, _("KHIÊN: NOT PROTECTED")));
	if (todo)
		kh_say(ngettext(", %zu THING TO DO", ", %zu THINGS TO DO", todo), todo);
	kh_say("        %s\n", kh_text_of(reply, "name"));
}

static void show_since(const json_t *reply)
{
	const json_t *generation = json_object_get(reply, "generation");

	if (kh_has(reply, "since"))
		kh_say(_("Since %s (%s)"), kh_when(reply, "since"), kh_zone(reply, "since"));
	if (kh_has(reply, "generation"))
		kh_say(_("%sgeneration %lld at %s\n"), kh_has(reply, "since") ? " · " : "",
		       kh_number_of(generation, "number"), kh_clock(generation, "since"));
	else
		kh_say(_("%sno list is installed\n"), kh_has(reply, "since") ? " · " : "");
}

static void show_interfaces(const json_t *rows)
{
	kh_say_label(_("Interfaces"));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *name = kh_text_of(row, "name"), *device = kh_text_of(row, "device"),
			   *mode = kh_text_of(row, "mode");
		bool attached = json_is_true(json_object_get(row, "attached"));

		kh_say("%s%s", i ? " · " : "", name);
		if (device[0] && strcmp(name, device) != 0)
			kh_say(" (%s)", device);
		kh_say(" %s %s", strcmp(kh_text_of(row, "role"), "wan") != 0 ? "LAN" : "WAN",
		       kh_tone(attached ? KH_TONE_GOOD : KH_TONE_BAD, attached ? mode : _("NOT ATTACHED")));
	}
	kh_say("\n");
}

static void show_allows(const json_t *rows)
{
	for (size_t i = 0; i < json_array_size(rows) && i < ALLOWS_SHOWN; i++) {
		const json_t *row = json_array_get(rows, i);

		kh_say_label(i ? "" : _("Allowed"));
		kh_say("%s", kh_text_of(row, "value"));
		if (kh_has(row, "expires"))
			kh_say(_(", until %s"), kh_when(row, "expires"));
		kh_say(" (%s: \"%s\")\n", kh_text_of(row, "actor"), kh_text_of(row, "note"));
	}
	if (json_array_size(rows) > ALLOWS_SHOWN) {
		kh_say_label("");
		kh_say(_("… and %zu more\n"), json_array_size(rows) - ALLOWS_SHOWN);
	}
}

static void show_orders(const json_t *reply)
{
	const json_t *counts = json_object_get(reply, "counts"), *verified = json_object_get(reply, "verified");

	kh_say_label(_("Blocked"));
	kh_say(ngettext("%lld indicator", "%lld indicators", (unsigned long)kh_number_of(counts, "enforced")),
	       kh_number_of(counts, "enforced"));
	kh_say(ngettext(" by %lld letter", " by %lld letters", (unsigned long)kh_number_of(reply, "letters")),
	       kh_number_of(reply, "letters"));
	if (kh_number_of(counts, "monitored"))
		kh_say(_(" · %lld monitored"), kh_number_of(counts, "monitored"));
	if (kh_has(reply, "verified"))
		kh_say(_(" · verified %lld/%lld at %.5s"), kh_number_of(verified, "enforced"),
		       kh_number_of(verified, "ordered"), kh_clock(verified, "time"));
	kh_say("\n");
	if (kh_number_of(counts, "unenforceable")) {
		kh_say_label(_("Not enforceable here"));
		kh_say("%lld\n", kh_number_of(counts, "unenforceable"));
	}
	show_allows(json_object_get(reply, "allows"));
	kh_say_label(_("Ending"));
	kh_say(_("%lld within 24 hours\n"), kh_number_of(reply, "expiring"));
	if (kh_number_of(reply, "sightings_lost") || kh_number_of(reply, "events_lost")) {
		kh_say_label(_("Lost"));
		kh_say(_("%lld sightings, %lld events: a table or buffer was full; verdicts are unaffected\n"),
		       kh_number_of(reply, "sightings_lost"), kh_number_of(reply, "events_lost"));
	}
}

static int run_status(struct kh_cli *cli, json_t *request, int count KH_UNUSED, char **arguments KH_UNUSED)
{
	json_t *reply KH_CLEANUP(kh_json_decrefp) = NULL, *callers KH_CLEANUP(kh_json_decrefp) = NULL;
	int code;

	if (cli->json)
		return ask_json(cli, request);
	code = kh_call(cli, request, NULL, 0, &reply);
	if (!reply) {
		if (code == KH_EXIT_NO_DAEMON && cli->unreachable != EACCES) {
			show_alert(cli->socket);
			show_pins();
		}
		return code;
	}
	callers = ask_callers(cli);
	show_headline(reply, count_todo(reply, callers));
	show_since(reply);
	show_interfaces(json_object_get(reply, "interfaces"));
	show_orders(reply);
	show_todo(reply, callers);
	return code;
}

const struct kh_command kh_command_status = {
	.name = "status",
	.usage = "",
	.summary = N_("is the office protected, and what is to be done"),
	.help = N_(
		"Exit code: 0 protected, 3 protected in part, 1 not protected, 4 no daemon (then it says what still enforces)."),
	.run = run_status,
};
