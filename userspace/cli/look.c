// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands that only look: list show review stats history verify; and reattach, detach.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/plan.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

#define PAGE 5000

enum { REF = 1, EXPIRING, BY, SINCE, TOP };

/* Options into members of a request: durations and texts. NULL with *ret_exit. */
static json_t *make_request(struct kh_cli *cli, int argc, char **argv, const struct kh_option *options, size_t count, int *ret_exit)
{
	json_t *request = kh_request(cli->command->name);
	int64_t number;
	int letter;

	*ret_exit = 0;
	while (!*ret_exit && (letter = kh_next_option(cli, argc, argv, options, count, ret_exit)) >= 0) {
		if (letter == REF)
			json_object_set_new(request, "ref", json_string(optarg));
		else if (letter == BY)
			json_object_set_new(request, "by", json_string(optarg));
		else if (letter == EXPIRING)
			*ret_exit = kh_put_duration(cli, request, "expiring", optarg);
		else if (letter == SINCE)
			*ret_exit = kh_put_duration(cli, request, "since", optarg);
		else if (letter == TOP && kh_number_parse(optarg, 1, PAGE, &number) < 0)
			*ret_exit = kh_usage_error(cli, _("--top takes a number from 1 to %d"), PAGE);
		else if (letter == TOP)
			json_object_set_new(request, "limit", json_integer(number));
	}
	if (letter == -2 || *ret_exit) {
		json_decref(request);
		return NULL;
	}
	json_object_set_new(request, "lang", json_string(kh_lang_get()));
	return request;
}

/* State names are the JSON's; people read these. */
static const char *state_text(json_t *row)
{
	static const struct {
		const char *state, *text;
		enum kh_tone tone;
	} states[] = {
		{ "enforced", N_("blocked"), KH_TONE_GOOD },	       { "monitored", N_("monitored"), KH_TONE_WARN },
		{ "review", N_("waits for review"), KH_TONE_WARN },    { "refused", N_("refused"), KH_TONE_DIM },
		{ "unenforceable", N_("unenforceable"), KH_TONE_DIM }, { "expired", N_("expired"), KH_TONE_DIM },
		{ "withdrawn", N_("withdrawn"), KH_TONE_DIM },	       { "rejected", N_("rejected"), KH_TONE_DIM },
	};
	const char *state = kh_text_of(row, "state");

	for (size_t i = 0; i < KH_ARRAY_SIZE(states); i++)
		if (!strcmp(state, states[i].state))
			return kh_tone(states[i].tone, gettext(states[i].text));
	return state;
}

static void show_indicators(json_t *rows)
{
	const char *const titles[] = { _("INDICATOR"), _("STATE"), _("LETTER"), _("UNTIL"), _("PACKETS"), _("LAST SEEN") };
	struct kh_table *table = kh_table_begin(titles, KH_ARRAY_SIZE(titles));
	size_t index;
	json_t *row;

	kh_table_right(table, 4);
	json_array_foreach(rows, index, row) {
		const char *ref = json_string_value(json_array_get(json_object_get(row, "refs"), 0));
		const char *const cells[] = { kh_text_of(row, "value"),	 state_text(row),
					      ref ? ref : _("by hand"),	 kh_when(row, "expires"),
					      kh_count(kh_number_of(row, "packets")), kh_when(row, "last_seen") };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
}

static void show_allows(json_t *allows)
{
	const char *const titles[] = { _("ALLOWED"), _("UNTIL"), _("BY"), _("NOTE") };
	struct kh_table *table;
	size_t index;
	json_t *row;

	if (!json_array_size(allows))
		return;
	kh_say("\n");
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles));
	json_array_foreach(allows, index, row) {
		const char *const cells[] = { kh_text_of(row, "value"), kh_when(row, "expires"), kh_text_of(row, "actor"), kh_text_of(row, "note") };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
}

/* Asks page after page and gathers all rows in the first reply. */
static int ask_all(struct kh_cli *cli, json_t *request, json_t **ret_reply)
{
	json_t *first = NULL, *reply;
	int code;

	do {
		long long next;

		code = kh_call(cli, json_copy(request), NULL, 0, &reply);
		if (!reply)
			break;
		next = kh_number_of(reply, "next");
		json_object_set_new(request, "after", json_integer(next));
		if (first) {
			json_array_extend(json_object_get(first, "indicators"), json_object_get(reply, "indicators"));
			json_decref(reply);
		} else {
			first = reply;
		}
		if (!next)
			break;
	} while (true);
	json_decref(request);
	if (first)
		json_object_del(first, "next");
	if (first && cli->json) {
		kh_print_json(first);
		json_decref(first);
		first = NULL;
	}
	*ret_reply = first;
	return code;
}

static int run_list(struct kh_cli *cli, int argc, char **argv)
{
	static const struct kh_option options[] = { { "ref", true, REF }, { "expiring", true, EXPIRING } };
	json_t *request, *reply;
	int code;

	request = make_request(cli, argc, argv, options, KH_ARRAY_SIZE(options), &code);
	if (!request)
		return code;
	code = ask_all(cli, request, &reply);
	if (!reply)
		return code;
	if (json_array_size(json_object_get(reply, "indicators")))
		show_indicators(json_object_get(reply, "indicators"));
	else
		kh_say(_("No orders are in force here.\n"));
	show_allows(json_object_get(reply, "allows"));
	json_decref(reply);
	return code;
}

static int run_review(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request, *reply;
	int code;

	request = make_request(cli, argc, argv, NULL, 0, &code);
	if (!request)
		return code;
	if (argc > optind)
		json_object_set_new(request, "ref", json_string(argv[optind]));
	code = ask_all(cli, request, &reply);
	if (!reply)
		return code;
	if (json_array_size(json_object_get(reply, "indicators"))) {
		const char *const titles[] = { _("INDICATOR"), _("LETTER"), _("WRITTEN AS"), _("REASON") };
		struct kh_table *table = kh_table_begin(titles, KH_ARRAY_SIZE(titles));
		size_t index;
		json_t *row;

		json_array_foreach(json_object_get(reply, "indicators"), index, row) {
			const char *const cells[] = { kh_text_of(row, "value"),
						      json_string_value(json_array_get(json_object_get(row, "refs"), 0)),
						      kh_text_of(row, "raw"), kh_text_of(row, "sentence") };

			kh_table_row(table, cells);
		}
		kh_table_end(table);
		kh_say(_("khien accept VALUE --ref NUMBER · khien reject VALUE --ref NUMBER --note TEXT\n"));
	} else {
		kh_say(_("Nothing waits for review.\n"));
	}
	json_decref(reply);
	return code;
}

static int run_show(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request, *reply, *letter, *cves, *item;
	size_t index;
	int code;

	request = make_request(cli, argc, argv, NULL, 0, &code);
	if (!request)
		return code;
	if (argc - optind != 1) {
		json_decref(request);
		return kh_usage_error(cli, _("name one letter"));
	}
	json_object_set_new(request, "ref", json_string(argv[optind]));
	code = ask_all(cli, request, &reply);
	if (!reply)
		return code;
	letter = json_object_get(reply, "letter");
	kh_say(_("Letter %s · %s · %s\n"), kh_text_of(letter, "number"), kh_text_of(letter, "date"), kh_text_of(letter, "issuer"));
	kh_say("%s\n", kh_text_of(letter, "subject"));
	kh_say(_("Received %s · dropped or counted %s packets\n"), kh_when(letter, "received"), kh_count(kh_number_of(letter, "packets")));
	cves = json_object_get(reply, "cves");
	json_array_foreach(cves, index, item)
		kh_say("%s%s", index ? ", " : _("Vulnerabilities: "), json_string_value(item));
	if (json_array_size(cves))
		kh_say("\n");
	if (json_array_size(json_object_get(reply, "hashes")))
		kh_say(_("File hashes kept: %zu\n"), json_array_size(json_object_get(reply, "hashes")));
	if (json_array_size(json_object_get(reply, "indicators")))
		show_indicators(json_object_get(reply, "indicators"));
	else
		kh_say(_("No network indicators in this letter.\n"));
	json_decref(reply);
	return code;
}

static int run_stats(struct kh_cli *cli, int argc, char **argv)
{
	static const struct kh_option options[] = { { "by", true, BY }, { "since", true, SINCE }, { "top", true, TOP } };
	const char *const titles[] = { _("WHAT"), "", _("PACKETS"), _("BYTES"), _("FIRST SEEN"), _("LAST SEEN") };
	json_t *request, *reply, *total, *row;
	struct kh_table *table;
	size_t index;
	int code;

	request = make_request(cli, argc, argv, options, KH_ARRAY_SIZE(options), &code);
	if (!request)
		return code;
	code = kh_ask(cli, request, &reply);
	if (!reply)
		return code;
	total = json_object_get(reply, "total");
	kh_say(_("Seen %s packets · dropped %s (%s) · monitored %s\n"), kh_count(kh_number_of(total, "packets_seen")),
	       kh_count(kh_number_of(total, "packets_dropped")), kh_bytes(kh_number_of(total, "bytes_dropped")),
	       kh_count(kh_number_of(total, "packets_monitored")));
	if (!json_array_size(json_object_get(reply, "rows"))) {
		kh_say(_("0 packets: no connection to or from a listed address.\n"));
		json_decref(reply);
		return code;
	}
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles));
	kh_table_right(table, 2);
	kh_table_right(table, 3);
	json_array_foreach(json_object_get(reply, "rows"), index, row) {
		const char *key = kh_text_of(row, "key");
		const char *const cells[] = { key[0] ? key : _("(spoofed)"), kh_text_of(row, "extra"), kh_count(kh_number_of(row, "packets")),
					      kh_bytes(kh_number_of(row, "bytes")), kh_when(row, "first_seen"), kh_when(row, "last_seen") };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
	json_decref(reply);
	return code;
}

static int run_history(struct kh_cli *cli, int argc, char **argv)
{
	static const struct kh_option options[] = { { "changes", false, 99 }, { "top", true, TOP } };
	const char *const titles[] = { _("CHANGE"), _("WHEN"), _("WHO"), _("WHAT"), _("ORDERS"), _("NOTE") };
	json_t *request, *reply, *row;
	struct kh_table *table;
	size_t index;
	int code;

	request = make_request(cli, argc, argv, options, KH_ARRAY_SIZE(options), &code);
	if (!request)
		return code;
	code = kh_ask(cli, request, &reply);
	if (!reply)
		return code;
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles));
	kh_table_right(table, 0);
	kh_table_right(table, 4);
	json_array_foreach(json_object_get(reply, "changes"), index, row) {
		char number[24], orders[24], note[512];

		snprintf(number, sizeof(number), "%lld", kh_number_of(row, "id"));
		snprintf(orders, sizeof(orders), "%lld", kh_number_of(row, "orders") + kh_number_of(row, "allows"));
		if (kh_number_of(row, "undone_by"))
			snprintf(note, sizeof(note), _("undone by %lld"), kh_number_of(row, "undone_by"));
		else if (kh_number_of(row, "undoes"))
			snprintf(note, sizeof(note), _("undoes %lld"), kh_number_of(row, "undoes"));
		else
			snprintf(note, sizeof(note), "%s", kh_text_of(row, "note"));
		{
			const char *const cells[] = { number, kh_when(row, "time"), kh_text_of(row, "actor"), kh_text_of(row, "kind"), orders, note };

			kh_table_row(table, cells);
		}
	}
	kh_table_end(table);
	json_decref(reply);
	return code;
}

static int run_verify(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request, *reply;
	int code;

	request = make_request(cli, argc, argv, NULL, 0, &code);
	if (!request)
		return code;
	code = kh_ask(cli, request, &reply);
	if (!reply)
		return code;
	kh_say(_("Ordered %lld · tried %lld · dropped %lld"), kh_number_of(reply, "ordered"), kh_number_of(reply, "tried"),
	       kh_number_of(reply, "enforced"));
	if (kh_number_of(reply, "cut"))
		kh_say(_(" · %lld cut out by allow or never-block"), kh_number_of(reply, "cut"));
	kh_say("\n%s\n", json_array_size(json_object_get(reply, "differences")) ?
				 kh_tone(KH_TONE_BAD, _("NOT ENFORCED AS ORDERED:")) :
				 kh_tone(KH_TONE_GOOD, _("What is ordered is what is enforced.")));
	if (json_array_size(json_object_get(reply, "differences")))
		show_indicators(json_object_get(reply, "differences"));
	json_decref(reply);
	return code;
}

static int run_reattach(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request, *reply, *row;
	size_t index;
	int code;

	request = make_request(cli, argc, argv, NULL, 0, &code);
	if (!request)
		return code;
	if (argc > optind)
		json_object_set_new(request, "interface", json_string(argv[optind]));
	code = kh_ask(cli, request, &reply);
	if (!reply)
		return code;
	json_array_foreach(json_object_get(reply, "interfaces"), index, row)
		kh_say("%s  %s  %s\n", kh_text_of(row, "name"), kh_text_of(row, "mode"), kh_text_of(row, "problem"));
	json_decref(reply);
	return code;
}

static int run_detach(struct kh_cli *cli, int argc, char **argv)
{
	json_t *request, *reply;
	int code;

	request = make_request(cli, argc, argv, NULL, 0, &code);
	if (!request)
		return code;
	code = kh_ask(cli, request, &reply);
	if (!reply)
		return code;
	kh_say(_("%s: everything of Khiên was taken off this gateway (%zu pieces). To protect again: systemctl restart khiend\n"),
	       kh_tone(KH_TONE_BAD, _("UNPROTECTED")), json_array_size(json_object_get(reply, "removed")));
	json_decref(reply);
	return code;
}

const struct kh_command kh_command_list = {
	.name = "list",
	.usage = "[--ref NUMBER] [--expiring 24h]",
	.summary = N_("the orders in force, and the allow list"),
	.run = run_list,
};
const struct kh_command kh_command_review = {
	.name = "review",
	.usage = "[NUMBER]",
	.summary = N_("what waits for a decision"),
	.run = run_review,
};
const struct kh_command kh_command_show = {
	.name = "show",
	.usage = "NUMBER",
	.summary = N_("one letter, with everything it ordered"),
	.run = run_show,
};
const struct kh_command kh_command_stats = {
	.name = "stats",
	.usage = "[--by indicator|advisory|interface|reason|host] [--since 1h] [--top N]",
	.summary = N_("what was dropped and counted"),
	.run = run_stats,
};
const struct kh_command kh_command_history = {
	.name = "history",
	.usage = "[--changes] [--top N]",
	.summary = N_("who changed what, when"),
	.run = run_history,
};
const struct kh_command kh_command_verify = {
	.name = "verify",
	.usage = "",
	.summary = N_("prove that what is ordered is what is enforced"),
	.run = run_verify,
};
const struct kh_command kh_command_reattach = {
	.name = "reattach",
	.usage = "[INTERFACE]",
	.summary = N_("attach the packet programs anew; a link may bounce"),
	.run = run_reattach,
};
const struct kh_command kh_command_detach = {
	.name = "detach",
	.usage = "",
	.summary = N_("take everything of Khiên off this gateway"),
	.run = run_detach,
};
