// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands that change orders which exist: accept reject enforce monitor extend unblock allow disallow confirm undo. They differ in what
 * they must be given; one screen serves them all.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/text.h"

#define ROWS_SHOWN 50

/* Of an order in force, or an entry of the allow list. */
static const char *deadline_of(const json_t *row)
{
	const char *state = kh_text_of(row, "state");
	bool ended = state[0] ? strcmp(state, "enforced") != 0 && strcmp(state, "monitored") != 0
			      : !json_is_true(json_object_get(row, "active"));

	if (ended)
		return "";
	return kh_ends(row)[0] ? kh_ends(row) : _("no deadline");
}

static void show_rows(const json_t *rows)
{
	const char *const titles[] = { _("INDICATOR"), _("STATE"), _("LETTER"), _("UNTIL") };
	size_t count = json_array_size(rows);
	struct kh_table *table;

	if (!count)
		return;
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 0);
	for (size_t i = 0; i < count && i < ROWS_SHOWN; i++) {
		const json_t *row = json_array_get(rows, i);
		bool allow = !kh_has(row, "state"); /* an entry of the allow list */
		const char *state =
			json_is_true(json_object_get(row, "active")) ? _("allowed") : _("no longer allowed");
		const char *const cells[] = { kh_text_of(row, "value"), allow ? state : kh_state(row),
					      allow ? "" : kh_refs(row), deadline_of(row) };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
	if (count > ROWS_SHOWN)
		kh_say(_("… and %zu more\n"), count - ROWS_SHOWN);
}

static void show_change(json_t *reply)
{
	const json_t *rows = json_object_get(reply, "rows"), *notes = json_object_get(reply, "notes");
	size_t count = json_array_size(rows);

	for (size_t i = 0; i < json_array_size(notes); i++)
		kh_say("· %s\n", kh_text_at(notes, i));
	show_rows(rows);
	if (!kh_has(reply, "change")) {
		kh_say(_("Nothing was changed.\n"));
		return;
	}
	kh_say("%s %s", kh_tone(KH_TONE_GOOD, _("DONE")), kh_clock(reply, "time"));
	kh_say(ngettext(" · %zu changed", " · %zu changed", count), count);
	kh_say(" · khien undo %lld\n", kh_number_of(reply, "change"));
	kh_show_confirmation(reply);
	kh_show_alarms(reply);
}

static int run_values(struct kh_cli *cli, json_t *request, int count, char **values)
{
	if (!count && !kh_has(request, "ref"))
		return kh_usage_error(cli, _("name at least one value, or a letter with --ref"));
	kh_put_arguments(request, "values", count, values);
	return kh_ask(cli, request, show_change);
}

static int run_targets(struct kh_cli *cli, json_t *request, int count, char **targets)
{
	kh_put_arguments(request, "targets", count, targets);
	return kh_ask(cli, request, show_change);
}

static int run_noted(struct kh_cli *cli, json_t *request, int count, char **values)
{
	if (!kh_has(request, "note"))
		return kh_usage_error(cli, _("say why: --note TEXT"));
	return run_values(cli, request, count, values);
}

static int run_extend(struct kh_cli *cli, json_t *request, int count, char **targets)
{
	if (!kh_has(request, "ttl"))
		return kh_usage_error(cli, _("say for how long from now: --ttl 7d"));
	return run_targets(cli, request, count, targets);
}

static void show_undo(json_t *reply)
{
	kh_say(_("%s %s · change %lld is undone: %lld put back"), kh_tone(KH_TONE_GOOD, _("DONE")),
	       kh_clock(reply, "time"), kh_number_of(reply, "undone"), kh_number_of(reply, "restored"));
	if (kh_number_of(reply, "skipped"))
		kh_say(_(", %lld left as later changes made them"), kh_number_of(reply, "skipped"));
	kh_say(" · khien undo %lld\n", kh_number_of(reply, "change"));
}

static void show_confirm(json_t *reply)
{
	const json_t *confirmed = json_object_get(reply, "confirmed");

	kh_say("%s %s", kh_tone(KH_TONE_GOOD, _("DONE")), kh_clock(reply, "time"));
	if (kh_has(reply, "clock"))
		kh_say(_(" · the clock is believed, and orders end by it"));
	for (size_t i = 0; i < json_array_size(confirmed); i++)
		kh_say(_(" · change %lld stays"), (long long)json_integer_value(json_array_get(confirmed, i)));
	kh_say("\n");
}

/* The change that is named, else those that the daemon chooses. */
static int run_change(struct kh_cli *cli, json_t *request, int count, char **arguments, void (*show)(json_t *reply))
{
	int64_t number;

	if (count && kh_number_parse(arguments[0], 1, INT64_MAX, &number) < 0)
		return kh_usage_error(cli, _("\"%s\" is not the number of a change; khien history lists them"),
				      arguments[0]);
	if (count)
		json_object_set_new(request, "change", json_integer(number));
	return kh_ask(cli, request, show);
}

static int run_undo(struct kh_cli *cli, json_t *request, int count, char **arguments)
{
	return run_change(cli, request, count, arguments, show_undo);
}

static int run_confirm(struct kh_cli *cli, json_t *request, int count, char **arguments)
{
	if (count && !strcmp(arguments[0], "clock")) {
		json_object_set_new(request, "clock", json_true());
		return kh_ask(cli, request, show_confirm);
	}
	return run_change(cli, request, count, arguments, show_confirm);
}

static const struct kh_option accept_options[] = {
	{ KH_OPTION_TEXT, "ref", "NUMBER", "ref", N_("only under this letter") },
	KH_CONFIRM_OPTION,
	{},
};
static const struct kh_option enforce_options[] = {
	KH_CONFIRM_OPTION,
	{},
};
static const struct kh_option reject_options[] = {
	{ KH_OPTION_TEXT, "ref", "NUMBER", "ref", N_("only under this letter") },
	{ KH_OPTION_TEXT, "note", "TEXT", "note", N_("why") },
	{},
};
static const struct kh_option extend_options[] = {
	{ KH_OPTION_DURATION, "ttl", "7d", "ttl", N_("ends 7 days from now (30m, 4h, 2w)") },
	{},
};
static const struct kh_option unblock_options[] = {
	{ KH_OPTION_TEXT, "ref", "NUMBER", "ref", N_("only under this letter; without values: the whole letter") },
	{ KH_OPTION_TEXT, "note", "TEXT", "note", N_("why") },
	{},
};
static const struct kh_option allow_options[] = {
	{ KH_OPTION_TEXT, "note", "TEXT", "note", N_("why; it must be given") },
	{ KH_OPTION_DURATION, "ttl", "4h", "ttl", N_("ends by itself after 4 hours (30m, 7d, 2w)") },
	{},
};

const struct kh_command kh_command_accept = {
	.name = "accept",
	.usage = "VALUE... [--ref NUMBER] [--confirm-within 5m]",
	.summary = N_("enforce values that wait for review"),
	.options = accept_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_values,
};
const struct kh_command kh_command_reject = {
	.name = "reject",
	.usage = "VALUE... --note TEXT [--ref NUMBER]",
	.summary = N_("take values off the review queue, with the reason"),
	.options = reject_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_noted,
};
const struct kh_command kh_command_enforce = {
	.name = "enforce",
	.usage = "NUMBER|VALUE... [--confirm-within 5m]",
	.options = enforce_options,
	.summary = N_("drop what is only monitored"),
	.help = N_("NUMBER is a letter's: capitals, blanks and accents do not matter, and its beginning is enough."),
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_targets,
};
const struct kh_command kh_command_monitor = {
	.name = "monitor",
	.usage = "NUMBER|VALUE...",
	.summary = N_("only count what is dropped now"),
	.help = N_("NUMBER is a letter's: capitals, blanks and accents do not matter, and its beginning is enough."),
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_targets,
};
const struct kh_command kh_command_extend = {
	.name = "extend",
	.usage = "NUMBER|VALUE... --ttl 7d",
	.summary = N_("set a new deadline, counted from now"),
	.options = extend_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_extend,
};
const struct kh_command kh_command_unblock = {
	.name = "unblock",
	.usage = "VALUE... | --ref NUMBER",
	.summary = N_("withdraw orders: of these values, or of a whole letter"),
	.options = unblock_options,
	.arguments_max = -1,
	.run = run_values,
};
const struct kh_command kh_command_allow = {
	.name = "allow",
	.usage = "VALUE... --note TEXT [--ttl 4h]",
	.summary = N_("never block these; over an order for 4 hours, unless --ttl says else"),
	.options = allow_options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_noted,
};
const struct kh_command kh_command_disallow = {
	.name = "disallow",
	.usage = "VALUE...",
	.summary = N_("take values off the allow list"),
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run_values,
};
const struct kh_command kh_command_confirm = {
	.name = "confirm",
	.usage = "[CHANGE|clock]",
	.summary = N_("keep a change that would be taken back (--confirm-within)"),
	.help = N_(
		"Without a number it keeps all changes that wait, and says which. \"clock\" says that the clock is right, where status doubts it."),
	.arguments_max = 1,
	.run = run_confirm,
};
const struct kh_command kh_command_undo = {
	.name = "undo",
	.usage = "[CHANGE]",
	.summary = N_("take back one change, whatever came after it"),
	.help = N_(
		"Without a number it is the newest change that a person made. What later changes touched stays as they left it."),
	.arguments_max = 1,
	.run = run_undo,
};
