// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien source VERB: lists that the daemon fetches by itself. A refresh is asked for, then looked at until it is over: the daemon waits for
 * no server, so this does.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"
#include "common/text.h"

/* ---- How it looks ------------------------------------------------------------------------------------ */

static const char *state_text(const json_t *source)
{
	const char *state = kh_text_of(source, "state");

	if (json_is_true(json_object_get(source, "refreshing")))
		return kh_tone(KH_TONE_DIM, _("refreshing"));
	if (!strcmp(state, "current"))
		return kh_tone(KH_TONE_GOOD, _("current"));
	if (!strcmp(state, "held"))
		return kh_tone(KH_TONE_BAD, _("WAITS FOR A PERSON"));
	if (!strcmp(state, "failing"))
		return kh_tone(KH_TONE_WARN, _("failing"));
	return kh_tone(KH_TONE_DIM, !strcmp(state, "paused") ? _("paused") : _("not fetched yet"));
}

static const char *span_text(const json_t *source, const char *name)
{
	return kh_has(source, name) ? kh_age(kh_number_of(source, name)) : "";
}

static const char *action_text(const json_t *source)
{
	return !strcmp(kh_text_of(source, "action"), "monitor") ? _("monitored") : _("blocked");
}

/* "": a plain file. */
static const char *kind_text(const json_t *source)
{
	const char *kind = kh_text_of(source, "kind"), *unmarked = kh_text_of(source, "unmarked");

	if (!strcmp(kind, "taxii"))
		return _("TAXII 2.1 collection");
	if (strcmp(kind, "misp") != 0)
		return "";
	if (!strcmp(unmarked, "take"))
		return _("MISP feed, attributes without to_ids are taken");
	return !strcmp(unmarked, "skip") ? _("MISP feed, attributes without to_ids are left out")
					 : _("MISP feed, attributes without to_ids wait for review");
}

static void show_list(json_t *reply)
{
	const char *const titles[] = { _("SOURCE"), _("STATE"), _("ACTION"), _("VALUES"), _("AGE"), _("NEXT") };
	const json_t *sources = json_object_get(reply, "sources");
	struct kh_table *table;

	if (!json_array_size(sources)) {
		kh_say(_("There is no source. khien source add NAME ADDRESS\n"));
		return;
	}
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 1u << 3);
	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *source = json_array_get(sources, i);
		const char *const cells[] = { kh_text_of(source, "name"),
					      state_text(source),
					      action_text(source),
					      kh_has(source, "values") ? kh_count(kh_number_of(source, "values")) : "",
					      span_text(source, "age"),
					      kh_when(source, "next") };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
}

static void show_line(const char *label, const char *text)
{
	if (!text[0])
		return;
	kh_say_label(label);
	kh_say("%s\n", text);
}

static void show_held(const json_t *source)
{
	if (!kh_has(source, "held"))
		return;
	kh_say(_("It now has %lld values, it had %lld: the copy before stays in force.\n"),
	       kh_number_of(source, "held"), kh_number_of(source, "values"));
	kh_say(_("→ if that is right: khien source refresh %s --accept\n"), kh_text_of(source, "name"));
}

static void show_source(json_t *reply)
{
	const json_t *source = json_object_get(reply, "source");

	kh_say("%s · %s\n", kh_text_of(source, "name"), state_text(source));
	show_line(_("Address"), kh_text_of(source, "url"));
	show_line(_("Kind"), kind_text(source));
	show_line(_("Proxy"), kh_text_of(source, "proxy"));
	show_line(_("Letter"), kh_text_of(source, "ref"));
	show_line(_("Action"), action_text(source));
	show_line(_("Values"), kh_has(source, "values") ? kh_count(kh_number_of(source, "values")) : "");
	show_line(_("Age"), span_text(source, "age"));
	show_line(_("Changed"), kh_when(source, "changed"));
	show_line(_("Every"), span_text(source, "every"));
	show_line(_("Next"), kh_when(source, "next"));
	show_line(_("Until"), kh_when(source, "expires"));
	show_line(_("Problem"), kh_text_of(source, "problem"));
	show_held(source);
	if (kh_has(reply, "change"))
		kh_say("%s %s · khien undo %lld\n", kh_tone(KH_TONE_GOOD, _("DONE")), kh_clock(reply, "time"),
		       kh_number_of(reply, "change"));
}

static void show_plainly(json_t *reply)
{
	json_object_del(reply, "change"); /* an undo of it would put nothing back */
	show_source(reply);
}

static void show_removed(json_t *reply)
{
	kh_say(_("%s %s · the source %s is removed, %lld of its orders are withdrawn · khien undo %lld\n"),
	       kh_tone(KH_TONE_GOOD, _("DONE")), kh_clock(reply, "time"),
	       kh_text_of(json_object_get(reply, "source"), "name"), kh_number_of(reply, "changed"),
	       kh_number_of(reply, "change"));
}

/* ---- A refresh ------------------------------------------------------------------------------------------- */

static int exit_of(const json_t *source)
{
	const char *state = kh_text_of(source, "state");

	if (kh_number_of(source, "failures"))
		return KH_EXIT_FAILED;
	return kh_has(source, "problem") || !strcmp(state, "held") ? KH_EXIT_PARTLY : KH_EXIT_DONE;
}

static int wait_for(struct kh_cli *cli, const char *name, json_t **ret_reply)
{
	json_t *request KH_CLEANUP(kh_json_decrefp) = kh_request("source-show");
	int code;

	json_object_set_new(request, "name", json_string(name));
	json_object_set_new(request, "wait", json_true());
	code = kh_call(cli, request, NULL, 0, ret_reply);
	return *ret_reply ? exit_of(json_object_get(*ret_reply, "source")) : code;
}

static int run_refresh(struct kh_cli *cli, json_t *request)
{
	json_t *asked KH_CLEANUP(kh_json_decrefp) = NULL, *reply KH_CLEANUP(kh_json_decrefp) = NULL;
	int code = kh_call(cli, request, NULL, 0, &asked);

	if (!asked)
		return code;
	code = wait_for(cli, json_string_value(json_object_get(request, "name")), &reply);
	if (reply && cli->json)
		kh_json_print(reply);
	else if (reply)
		show_source(reply);
	return code;
}

/* ---- The verbs ------------------------------------------------------------------------------------------- */

static const struct verb {
	const char *name, *op;
	int arguments; /* besides the verb */
	void (*show)(json_t *reply);
} verbs[] = {
	{ "add", "source-add", 2, show_plainly },	 { "list", "source-list", 0, show_list },
	{ "show", "source-show", 1, show_source },	 { "refresh", "source-refresh", 1, NULL },
	{ "pause", "source-pause", 1, show_plainly },	 { "resume", "source-resume", 1, show_plainly },
	{ "promote", "source-promote", 1, show_source }, { "remove", "source-remove", 1, show_removed },
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < KH_ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int run_source(struct kh_cli *cli, json_t *request, int count, char **arguments)
{
	const struct verb *verb = find_verb(arguments[0]);

	if (!verb)
		return kh_usage_error(cli, _("there is no \"%s\" for sources"), arguments[0]);
	if (count - 1 < verb->arguments)
		return kh_usage_error(cli, _("something is missing"));
	if (count - 1 > verb->arguments)
		return kh_usage_error(cli, _("\"%s\" is too much"), arguments[verb->arguments + 1]);
	json_object_set_new(request, "op", json_string(verb->op));
	if (count > 1)
		json_object_set_new(request, "name", json_string(arguments[1]));
	if (count > 2)
		json_object_set_new(request, "url", json_string(arguments[2]));
	return verb->show ? kh_ask(cli, request, verb->show) : run_refresh(cli, request);
}

static const struct kh_option source_options[] = {
	{ KH_OPTION_DURATION, "every", "6h", "every", N_("add: how often it is fetched (5m to 30d)") },
	{ KH_OPTION_DURATION, "ttl", "7d", "ttl",
	  N_("add: what it brought ends 7 days after it was last known to be current; else never") },
	{ KH_OPTION_FLAG, "drop", NULL, "drop", N_("add: block at once; else it is monitored until it is promoted") },
	{ KH_OPTION_TEXT, "credentials", "FILE", "credentials",
	  N_("add: file with user and password, or a token; for root alone (mode 0600)") },
	{ KH_OPTION_TEXT, "authority", "FILE", "authority",
	  N_("add: certificates (PEM) to trust instead of the system's") },
	{ KH_OPTION_NUMBER, "max-size", "BYTES", "max_bytes", N_("add: larger ones are refused (16 MiB; at most 64)") },
	{ KH_OPTION_NUMBER, "max-values", "N", "max_values",
	  N_("add: longer ones are refused (500000; at most 2000000)") },
	{ KH_OPTION_TEXT, "kind", "KIND", "kind",
	  N_("add: file, taxii (a collection of TAXII 2.1) or misp (a feed with a manifest); else file") },
	{ KH_OPTION_TEXT, "without-to-ids", "WHAT", "unmarked",
	  N_("add: MISP attributes without to_ids: review (they wait), take or skip; else review") },
	{ KH_OPTION_TEXT, "proxy", "ADDRESS", "proxy",
	  N_("add: http://HOST:PORT, socks5h://HOST:PORT, or none; else that of khien.conf") },
	{ KH_OPTION_TEXT, "proxy-credentials", "FILE", "proxy_credentials",
	  N_("add: file with user and password for the proxy; for root alone (mode 0600)") },
	{ KH_OPTION_FLAG, "accept", NULL, "accept",
	  N_("refresh: take it even if it has become much longer, shorter or empty") },
	{},
};

const struct kh_command kh_command_source = {
	.name = "source",
	.usage = "add NAME ADDRESS [OPTIONS] | list | show|refresh|pause|resume|promote|remove NAME",
	.summary = N_("lists that refresh themselves from a server"),
	.help = N_(
		"ADDRESS is that of a file by https (or http): a list, CSV, STIX, MISP, whatever khien read reads. A new copy replaces the one before\n"
		"as a change in the history; when the server fails, the last good copy stays in force. A copy that suddenly doubles,\n"
		"halves or is empty waits for a person. With --kind, ADDRESS is that of a TAXII collection (or of its server, when it has\n"
		"one that may be read), or of a MISP feed's manifest.json or folder. Its orders are the letter source/NAME. promote: from now on it blocks."),
	.options = source_options,
	.arguments_min = 1,
	.arguments_max = 3,
	.run = run_source,
};
