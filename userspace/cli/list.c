// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orders as they stand: list, show, review. The daemon answers in pages; here they are put together again.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/letters.h"
#include "cli/render.h"
#include "common/lang.h"

/* A page more: its rows, and the letters that the pages before it did not have. */
static void add_page(json_t *first, const json_t *page)
{
	json_t *letters = json_object_get(first, "letters"), *letter;
	size_t index, before = json_array_size(letters);

	json_array_extend(json_object_get(first, "indicators"), json_object_get(page, "indicators"));
	json_array_foreach(json_object_get(page, "letters"), index, letter) {
		bool known = false;

		for (size_t i = 0; i < before && !known; i++)
			known = json_equal(json_array_get(letters, i), letter);
		if (!known)
			json_array_append(letters, letter);
	}
}

int kh_call_all(struct kh_cli *cli, json_t *request, json_t **ret_reply)
{
	json_t *first KH_CLEANUP(kh_json_decrefp) = NULL;
	long long after = 0, next;
	int code;

	do {
		json_t *reply KH_CLEANUP(kh_json_decrefp) = NULL;

		if (after)
			json_object_set_new(request, "after", json_integer(after));
		code = kh_call(cli, request, NULL, 0, &reply);
		if (!reply)
			return code; /* half a list would look like a whole one */
		next = kh_number_of(reply, "next");
		if (first)
			add_page(first, reply);
		else
			first = json_incref(reply);
		if (next <= after) /* the end; or a daemon that would keep us here for ever */
			break;
		after = next;
	} while (true);
	json_object_del(first, "next");
	*ret_reply = KH_TAKE(first);
	return code;
}

static int ask_all(struct kh_cli *cli, json_t *request, void (*show)(json_t *reply))
{
	json_t *reply KH_CLEANUP(kh_json_decrefp) = NULL;
	int code = kh_call_all(cli, request, &reply);

	if (!reply)
		return code;
	if (cli->json)
		kh_json_print(reply);
	else
		show(reply);
	return code;
}

static void show_orders(const json_t *rows, bool source)
{
	const char *const titles[] = { _("INDICATOR"), _("STATE"),   source ? _("SOURCE") : _("LETTER"),
				       _("UNTIL"),     _("PACKETS"), _("LAST SEEN") };
	struct kh_table *table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 1u << 4);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *const cells[] = { kh_text_of(row, "value"),
					      kh_state(row),
					      source ? kh_source(row) : kh_refs(row),
					      kh_ends(row),
					      kh_count(kh_number_of(row, "packets")),
					      kh_when(row, "last_seen") };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
}

static void show_allows(const json_t *allows)
{
	const char *const titles[] = { _("ALLOWED"), _("UNTIL"), _("BY"), _("NOTE") };
	struct kh_table *table;

	if (!json_array_size(allows))
		return;
	kh_say("\n");
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 0);
	for (size_t i = 0; i < json_array_size(allows); i++) {
		const json_t *row = json_array_get(allows, i);
		const char *const cells[] = { kh_text_of(row, "value"),
					      kh_has(row, "expires") ? kh_when(row, "expires") : _("no deadline"),
					      kh_text_of(row, "actor"), kh_text_of(row, "note") };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
}

/* ---- list --------------------------------------------------------------------------------------- */

static void show_list(json_t *reply)
{
	const json_t *rows = json_object_get(reply, "indicators");
	size_t count = json_array_size(rows);

	if (count) {
		show_orders(rows, false);
		kh_say(ngettext("%zu order\n", "%zu orders\n", count), count);
	} else {
		kh_say(_("No order is in force.\n"));
	}
	show_allows(json_object_get(reply, "allows"));
}

static int run_list(struct kh_cli *cli, json_t *request, int count KH_UNUSED, char **arguments KH_UNUSED)
{
	return ask_all(cli, request, show_list);
}

static const struct kh_option list_options[] = {
	{ KH_OPTION_TEXT, "ref", "NUMBER", "ref", N_("only of this letter") },
	{ KH_OPTION_DURATION, "expiring", "24h", "expiring", N_("only what ends within 24 hours") },
	{},
};

const struct kh_command kh_command_list = {
	.name = "list",
	.usage = "[--ref NUMBER] [--expiring 24h]",
	.summary = N_("the orders in force, and the allow list"),
	.options = list_options,
	.run = run_list,
};

/* ---- review ------------------------------------------------------------------------------------- */

static void show_review(json_t *reply)
{
	const char *const titles[] = { _("INDICATOR"), _("LETTER"), _("SOURCE"), _("REASON") };
	const json_t *rows = json_object_get(reply, "indicators");
	struct kh_table *table;

	if (!json_array_size(rows)) {
		kh_say(_("Nothing waits for review.\n"));
		return;
	}
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 0);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *const cells[] = { kh_text_of(row, "value"), kh_refs(row), kh_source(row), kh_reason(row) };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
	kh_say(_(
		"To block: khien accept VALUE --ref NUMBER · to dismiss: khien reject VALUE --ref NUMBER --note TEXT\n"));
}

static int put_ref(struct kh_cli *cli, json_t *request, int count, char **arguments, void (*show)(json_t *reply))
{
	if (count)
		json_object_set_new(request, "ref", json_string(arguments[0]));
	return ask_all(cli, request, show);
}

static int run_review(struct kh_cli *cli, json_t *request, int count, char **arguments)
{
	return put_ref(cli, request, count, arguments, show_review);
}

const struct kh_command kh_command_review = {
	.name = "review",
	.usage = "[NUMBER]",
	.summary = N_("what waits for a decision"),
	.help = N_("NUMBER is a letter's: capitals, blanks and accents do not matter, and its beginning is enough."),
	.arguments_max = 1,
	.run = run_review,
};

/* ---- show --------------------------------------------------------------------------------------- */

static void show_letter(const json_t *letter)
{
	const json_t *counts = json_object_get(letter, "counts");

	kh_say(_("Letter %s"), kh_text_of(letter, "number"));
	if (kh_has(letter, "date"))
		kh_say(", %s", kh_date(kh_text_of(letter, "date")));
	if (kh_has(letter, "issuer"))
		kh_say(" · %s", kh_text_of(letter, "issuer"));
	kh_say("\n");
	if (kh_has(letter, "subject"))
		kh_say("%s\n", kh_text_of(letter, "subject"));
	kh_say(_("Received %s · blocked %lld · monitored %lld · waiting %lld · refused %lld · unenforceable %lld · ended %lld\n"),
	       kh_when(letter, "received"), kh_number_of(counts, "enforced"), kh_number_of(counts, "monitored"),
	       kh_number_of(counts, "review"), kh_number_of(counts, "refused"), kh_number_of(counts, "unenforceable"),
	       kh_number_of(counts, "ended"));
	if (kh_number_of(letter, "packets"))
		kh_say(_("Stopped or counted: %s, %s, %s\n"), kh_packets(letter),
		       kh_bytes(kh_number_of(letter, "bytes")), kh_span(letter, "first_seen", "last_seen", NULL));
}

static void show_facts(const char *label, const json_t *facts)
{
	if (!json_array_size(facts))
		return;
	kh_say("%s", label);
	for (size_t i = 0; i < json_array_size(facts); i++)
		kh_say("%s%s", i ? ", " : " ", kh_text_at(facts, i));
	kh_say("\n");
}

static void show_vulnerabilities(const json_t *reply)
{
	const json_t *rows = json_object_get(reply, "vulnerabilities");

	if (!json_array_size(rows)) {
		show_facts(_("Vulnerabilities:"), json_object_get(reply, "cves"));
		return;
	}
	kh_say("%s", _("Vulnerabilities:"));
	for (size_t i = 0; i < json_array_size(rows); i++)
		kh_say("%s%s", i ? ", " : " ", kh_cve_text(json_array_get(rows, i)));
	kh_say("\n");
}

/* The letters that it passes on, and those that are the same advisory. */
static void show_chain(const json_t *reply)
{
	const json_t *relays = json_object_get(reply, "relays"), *chain = json_object_get(reply, "chain");

	if (json_array_size(relays))
		kh_say(_("Passes on: %s\n"), kh_joined(relays, 4));
	for (size_t i = 0; i < json_array_size(chain); i++)
		kh_say(_("The same advisory as %s, here since %s\n"), kh_text_of(json_array_get(chain, i), "number"),
		       kh_when(json_array_get(chain, i), "received"));
}

static void show_show(json_t *reply)
{
	const json_t *rows = json_object_get(reply, "indicators");

	show_letter(json_object_get(reply, "letter"));
	show_chain(reply);
	show_vulnerabilities(reply);
	show_facts(_("File hashes:"), json_object_get(reply, "hashes"));
	if (json_array_size(rows))
		show_orders(rows, true);
	else
		kh_say(_("No network indicators in this letter.\n"));
}

static int run_show(struct kh_cli *cli, json_t *request, int count, char **arguments)
{
	return put_ref(cli, request, count, arguments, show_show);
}

const struct kh_command kh_command_show = {
	.name = "show",
	.usage = "NUMBER",
	.summary = N_("one letter, with everything it ordered"),
	.help = N_("NUMBER is a letter's: capitals, blanks and accents do not matter, and its beginning is enough."),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_show,
};
