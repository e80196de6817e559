// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands that change orders which exist: accept reject enforce monitor extend unblock allow disallow undo. They differ in what they
 * must be given; one function serves them all.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

enum { REF = 1, TTL, NOTE, DRY_RUN };

static const struct kh_option options[] = {
	{ "ref", true, REF },
	{ "ttl", true, TTL },
	{ "note", true, NOTE },
	{ "dry-run", false, DRY_RUN },
};

/* Makes the request of a command whose arguments go into the member `names`. NULL with *ret_exit. */
static json_t *make_request(struct kh_cli *cli, int argc, char **argv, const char *names, int *ret_exit)
{
	json_t *request = kh_request(cli->command->name);
	int letter;

	*ret_exit = 0;
	while ((letter = kh_next_option(cli, argc, argv, options, KH_ARRAY_SIZE(options), ret_exit)) >= 0) {
		if (letter == REF)
			json_object_set_new(request, "ref", json_string(optarg));
		else if (letter == NOTE)
			json_object_set_new(request, "note", json_string(optarg));
		else if (letter == DRY_RUN)
			json_object_set_new(request, "dry_run", json_true());
		else if (letter == TTL && (*ret_exit = kh_put_duration(cli, request, "ttl", optarg)))
			break;
	}
	if (letter == -2 || *ret_exit) {
		json_decref(request);
		return NULL;
	}
	json_object_set_new(request, "lang", json_string(kh_lang_get()));
	json_object_set_new(request, names, kh_arguments(argc, argv, optind));
	if (!json_array_size(json_object_get(request, names)) && !json_object_get(request, "ref")) {
		json_decref(request);
		*ret_exit = kh_usage_error(cli, _("name at least one value"));
		return NULL;
	}
	return request;
}

static void show_rows(json_t *rows)
{
	const char *const titles[] = { _("INDICATOR"), _("STATE"), _("LETTER"), _("UNTIL") };
	struct kh_table *table;
	size_t index;
	json_t *row;

	if (!json_array_size(rows) || json_array_size(rows) > 50)
		return;
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles));
	json_array_foreach(rows, index, row) {
		const char *state = kh_text_of(row, "state");
		const char *const cells[] = { kh_text_of(row, "value"), state[0] ? state : kh_text_of(row, "note"),
					      json_string_value(json_array_get(json_object_get(row, "refs"), 0)), kh_when(row, "expires") };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
}

static int change(struct kh_cli *cli, int argc, char **argv, const char *names)
{
	json_t *request, *reply;
	int code;

	request = make_request(cli, argc, argv, names, &code);
	if (!request)
		return code;
	code = kh_ask(cli, request, &reply);
	if (!reply)
		return code;
	show_rows(json_object_get(reply, "rows"));
	if (json_object_get(reply, "change"))
		kh_say(_("%s %.8s · %zu changed · to take it back: khien undo %lld\n"), kh_tone(KH_TONE_GOOD, _("DONE")), kh_when(reply, "time"),
		       json_array_size(json_object_get(reply, "rows")), kh_number_of(reply, "change"));
	else
		kh_say(_("Nothing was changed.\n"));
	json_decref(reply);
	return code;
}

static int run_values(struct kh_cli *cli, int argc, char **argv)
{
	return change(cli, argc, argv, "values");
}

static int run_targets(struct kh_cli *cli, int argc, char **argv)
{
	return change(cli, argc, argv, "targets");
}

static int run_undo(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request, *reply;
	int64_t number = 0;
	int code = 0;

	if (kh_next_option(cli, argc, argv, NULL, 0, &code) == -2)
		return code;
	if (argc - optind > 1 || (argc > optind && kh_number_parse(argv[optind], 1, INT64_MAX, &number) < 0))
		return kh_usage_error(cli, _("name one change by its number, or none for the last"));
	request = kh_request("undo");
	if (number)
		json_object_set_new(request, "change", json_integer(number));
	code = kh_ask(cli, request, &reply);
	if (!reply)
		return code;
	kh_say(_("%s: change %lld is undone · %lld orders put back"), kh_tone(KH_TONE_GOOD, _("DONE")), kh_number_of(reply, "undone"),
	       kh_number_of(reply, "restored"));
	if (kh_number_of(reply, "skipped"))
		kh_say(_(" · %lld left as later changes made them"), kh_number_of(reply, "skipped"));
	kh_say(_(" · this is change %lld\n"), kh_number_of(reply, "change"));
	json_decref(reply);
	return code;
}

const struct kh_command kh_command_accept = {
	.name = "accept",
	.usage = "VALUE... [--ref NUMBER]",
	.summary = N_("enforce values that wait for review"),
	.run = run_values,
};
const struct kh_command kh_command_reject = {
	.name = "reject",
	.usage = "VALUE... [--ref NUMBER] --note TEXT",
	.summary = N_("take values off the review queue, with the reason"),
	.run = run_values,
};
const struct kh_command kh_command_enforce = {
	.name = "enforce",
	.usage = "NUMBER|VALUE...",
	.summary = N_("drop what is only monitored"),
	.run = run_targets,
};
const struct kh_command kh_command_monitor = {
	.name = "monitor",
	.usage = "NUMBER|VALUE...",
	.summary = N_("only count what is dropped"),
	.run = run_targets,
};
const struct kh_command kh_command_extend = {
	.name = "extend",
	.usage = "NUMBER|VALUE... --ttl 7d",
	.summary = N_("set a new deadline, counted from now"),
	.run = run_targets,
};
const struct kh_command kh_command_unblock = {
	.name = "unblock",
	.usage = "VALUE... | --ref NUMBER",
	.summary = N_("withdraw orders: of these values, or of a whole letter"),
	.run = run_values,
};
const struct kh_command kh_command_allow = {
	.name = "allow",
	.usage = "VALUE... --note TEXT [--ttl 4h]",
	.summary = N_("never block these; over an order for 4 hours unless --ttl says else"),
	.run = run_values,
};
const struct kh_command kh_command_disallow = {
	.name = "disallow",
	.usage = "VALUE...",
	.summary = N_("take values off the allow list"),
	.run = run_values,
};
const struct kh_command kh_command_undo = {
	.name = "undo",
	.usage = "[CHANGE]",
	.summary = N_("take back one change, whatever came after it"),
	.run = run_undo,
};
