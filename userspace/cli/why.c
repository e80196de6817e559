// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien why VALUE|MACHINE: one screen. The answer to "is it blocked, and on whose order" and to "the meeting broke".
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"

#define ORDERS_ASKED 12 /* of what a machine called: looked up one by one */
#define SIGHTINGS_SHOWN 12

/* What `khien allow` takes for a value: the address without its port. */
static const char *allowable(const char *value)
{
	const char *colon = strchr(value, ':'), *bracket = strchr(value, ']');

	if (value[0] == '[' && bracket)
		return kh_printf("%.*s", (int)(bracket - value - 1), value + 1);
	if (colon && !strchr(colon + 1, ':'))
		return kh_printf("%.*s", (int)(colon - value), value);
	return value;
}

static bool is_state(const json_t *row, const char *state)
{
	return !strcmp(kh_text_of(row, "state"), state);
}

/* "123/CATTT-MAU, annex, phuluc.txt l.4 · change 17 · no deadline" */
static void show_order(const json_t *row)
{
	const char *source = kh_source(row), *note = kh_text_of(row, "note");

	kh_say("  %s: %s", kh_state(row), kh_refs(row));
	if (!strcmp(kh_text_of(row, "section"), "annex"))
		kh_say(_(", annex"));
	if (source[0])
		kh_say(", %s", source);
	if (kh_has(row, "since"))
		kh_say(_(" · since %s"), kh_when(row, "since"));
	if (kh_number_of(row, "change"))
		kh_say(_(" · change %lld"), kh_number_of(row, "change"));
	if (kh_ends(row)[0])
		kh_say(_(" · until %s"), kh_ends(row));
	else if (is_state(row, "enforced") || is_state(row, "monitored"))
		kh_say(_(" · no deadline"));
	if (kh_has(row, "unconfirmed"))
		kh_say(_(", unless confirmed: khien confirm %lld"), kh_number_of(row, "unconfirmed"));
	kh_say("\n");
	if (note[0])
		kh_say("    \"%s\"\n", note);
	if (is_state(row, "review") || is_state(row, "refused") || is_state(row, "unenforceable"))
		kh_say("    %s\n", kh_reason(row));
}

/* ---- A machine of the office -------------------------------------------------------------------- */

/* The orders on a value a machine called. NULL: not to be had. */
static json_t *ask_orders(struct kh_cli *cli, const char *value)
{
	json_t *request KH_CLEANUP(kh_json_decrefp) = kh_request("why"), *reply KH_CLEANUP(kh_json_decrefp) = NULL;

	json_object_set_new(request, "value", json_string(value));
	kh_call_quietly(cli, request, &reply);
	return KH_TAKE(reply);
}

static void show_head(const json_t *reply)
{
	const json_t *machine = json_object_get(reply, "machine"),
		     *first = json_array_get(json_object_get(reply, "sightings"), 0);
	static const char *const members[] = { "address", "mac", "interface", "name" };

	kh_say("%s · %s", kh_text_of(reply, "value"), _("OFFICE MACHINE"));
	if (!kh_has(machine, "mac") && kh_has(first, "mac")) /* gone by now: as it was when it called */
		kh_say(" · %s", kh_text_of(first, "mac"));
	for (size_t i = 0; i < KH_ARRAY_SIZE(members); i++) {
		const char *text = kh_text_of(machine, members[i]);

		if (text[0] && strcmp(text, kh_text_of(reply, "value")) != 0)
			kh_say(" · %s", text);
	}
	kh_say("\n");
}

/* One thing it called, what becomes of it now, and on whose order. True: it is blocked. */
static bool show_call(struct kh_cli *cli, const json_t *row, const char *now, bool ask)
{
	const char *value = kh_text_of(row, "value"), *verdict;
	json_t *reply KH_CLEANUP(kh_json_decrefp) = ask ? ask_orders(cli, value) : NULL;
	const json_t *by = json_object_get(reply, "by");
	bool blocked;

	verdict = kh_text_of(reply, "verdict");
	blocked = !strcmp(verdict, "dropped");
	kh_say("%s  ", value);
	if (blocked)
		kh_say("%s ", kh_tone(KH_TONE_BAD, _("BLOCKED")));
	else if (!strcmp(verdict, "monitored"))
		kh_say("%s ", kh_tone(KH_TONE_WARN, _("MONITORED")));
	else if (reply)
		kh_say("%s ", kh_tone(KH_TONE_GOOD, _("NOT BLOCKED NOW")));
	kh_say("%s, %s\n", kh_packets(row), kh_span(row, "first_seen", "last_seen", now));
	for (size_t i = 0; i < json_array_size(by); i++)
		if (is_state(json_array_get(by, i), "enforced") || is_state(json_array_get(by, i), "monitored"))
			show_order(json_array_get(by, i));
	if (!reply && kh_has(row, "refs"))
		kh_say("  %s\n", kh_text_of(row, "refs"));
	return blocked;
}

static void show_machine(struct kh_cli *cli, const json_t *reply)
{
	const json_t *rows = json_object_get(reply, "sightings");
	const char *now = json_string_value(json_object_get(reply, "now"));
	size_t count = json_array_size(rows);

	show_head(reply);
	if (!count) {
		kh_say(_("It called nothing that is on a list.\n"));
		return;
	}
	for (size_t i = 0; i < count && i < SIGHTINGS_SHOWN; i++) {
		const json_t *row = json_array_get(rows, i);

		if (show_call(cli, row, now, i < ORDERS_ASKED))
			kh_say(_("  If that is a mistake: khien allow %s --ttl 4h --note \"…\"\n"),
			       allowable(kh_text_of(row, "value")));
	}
	if (count > SIGHTINGS_SHOWN)
		kh_say(_("… and %zu more\n"), count - SIGHTINGS_SHOWN);
}

/* ---- A value ------------------------------------------------------------------------------------ */

static void show_verdict(const json_t *reply)
{
	const char *verdict = kh_text_of(reply, "verdict");

	kh_say("%s · ", kh_text_of(reply, "value"));
	if (!strcmp(verdict, "dropped"))
		kh_say("%s\n", kh_tone(KH_TONE_BAD, _("BLOCKED")));
	else if (!strcmp(verdict, "monitored"))
		kh_say("%s\n", kh_tone(KH_TONE_WARN, _("MONITORED, not blocked")));
	else
		kh_say("%s\n", kh_tone(KH_TONE_GOOD, _("NOT BLOCKED")));
}

static void show_orders(const json_t *reply, const char *now)
{
	const json_t *rows = json_object_get(reply, "by");

	if (!json_array_size(rows))
		kh_say(_("  No letter and nobody by hand ordered anything about it.\n"));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (strcmp(kh_text_of(row, "value"), kh_text_of(reply, "value")) != 0)
			kh_say(_("Inside %s:\n"), kh_text_of(row, "value"));
		show_order(row);
		if (kh_number_of(row, "packets"))
			kh_say("    %s, %s, %s\n", kh_packets(row), kh_bytes(kh_number_of(row, "bytes")),
			       kh_span(row, "first_seen", "last_seen", now));
	}
}

/* What keeps it from being blocked, whatever was ordered. */
static void show_exceptions(const json_t *reply)
{
	const json_t *rows = json_object_get(reply, "allow"), *never = json_object_get(reply, "never_block");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		kh_say(_("Allowed: %s by %s, \"%s\""), kh_text_of(row, "value"), kh_text_of(row, "actor"),
		       kh_text_of(row, "note"));
		if (kh_has(row, "expires"))
			kh_say(_(", until %s"), kh_when(row, "expires"));
		kh_say("\n");
	}
	if (json_is_object(never))
		kh_say(_("Rule: %s: %s\n"), kh_text_of(never, "sentence"), kh_text_of(never, "rule"));
}

static void show_callers(const json_t *rows, const char *now)
{
	size_t count = json_array_size(rows);

	if (count)
		kh_say(_("Called by:\n"));
	for (size_t i = 0; i < count && i < SIGHTINGS_SHOWN; i++) {
		const json_t *row = json_array_get(rows, i);
		const char *host = kh_text_of(row, "host"), *mac = kh_text_of(row, "mac");

		kh_say("  %s%s%s · %s", host[0] ? host : _("(spoofed source)"), mac[0] ? " · " : "", mac,
		       kh_text_of(row, "interface"));
		if (json_is_true(json_object_get(row, "gateway")))
			kh_say(_(" · the gateway itself"));
		kh_say(" · %s, %s\n", kh_packets(row), kh_span(row, "first_seen", "last_seen", now));
	}
	if (count > SIGHTINGS_SHOWN)
		kh_say(_("… and %zu more\n"), count - SIGHTINGS_SHOWN);
}

static void show_value(const json_t *reply)
{
	const char *now = json_string_value(json_object_get(reply, "now"));

	show_verdict(reply);
	show_orders(reply, now);
	show_exceptions(reply);
	show_callers(json_object_get(reply, "sightings"), now);
	if (!strcmp(kh_text_of(reply, "verdict"), "dropped"))
		kh_say(_("If that is a mistake: khien allow %s --ttl 4h --note \"…\"\n"),
		       allowable(kh_text_of(reply, "value")));
}

static int run_why(struct kh_cli *cli, json_t *request, int count KH_UNUSED, char **arguments)
{
	json_t *reply KH_CLEANUP(kh_json_decrefp) = NULL;
	int code;

	json_object_set_new(request, "value", json_string(arguments[0]));
	code = kh_call(cli, request, NULL, 0, &reply);
	if (!reply)
		return code;
	if (cli->json)
		kh_json_print(reply);
	else if (!strcmp(kh_text_of(reply, "verdict"), "machine"))
		show_machine(cli, reply);
	else
		show_value(reply);
	return code;
}

const struct kh_command kh_command_why = {
	.name = "why",
	.usage = "VALUE|MACHINE",
	.summary = N_("is it blocked, by which order; or what did this machine call"),
	.help = N_("MACHINE is an address of the office, or a MAC."),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_why,
};
