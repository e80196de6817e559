// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * khien history: the changes of orders; --audit: who asked for what, also in vain; --verify: that nobody has changed that record since.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/render.h"
#include "common/lang.h"

/* ---- Changes -------------------------------------------------------------------------------------------- */

/* What became of a change that was to be confirmed. */
static const char *confirmation(const json_t *row)
{
	const json_t *confirmation = json_object_get(row, "confirmation");
	const char *state = kh_text_of(confirmation, "state");

	if (!strcmp(state, "waiting"))
		return kh_printf(_("waits for confirmation until %s"), kh_when(confirmation, "until"));
	return !strcmp(state, "confirmed")
		       ? kh_printf(_("confirmed by %lld"), kh_number_of(confirmation, "by"))
		       : kh_printf(_("not confirmed, taken back by %lld"), kh_number_of(confirmation, "by"));
}

/* What happened to it since, else what was said of it. */
static const char *note_of(const json_t *row)
{
	const char *note = kh_text_of(row, "note");

	if (kh_number_of(row, "undone_by"))
		note = kh_printf(_("undone by %lld"), kh_number_of(row, "undone_by"));
	else if (kh_number_of(row, "undoes"))
		note = kh_printf(_("undoes %lld"), kh_number_of(row, "undoes"));
	if (!kh_has(row, "confirmation"))
		return note;
	return note[0] && !kh_number_of(row, "undone_by") ? kh_printf("%s · %s", confirmation(row), note)
							  : confirmation(row);
}

static void show_changes(json_t *reply)
{
	const char *const titles[] = { _("CHANGE"), _("WHEN"), _("WHO"), _("ACT"), _("ORDERS"), _("NOTE") };
	const json_t *rows = json_object_get(reply, "changes");
	struct kh_table *table;

	if (!json_array_size(rows)) {
		kh_say(_("Nobody has changed anything yet.\n"));
		return;
	}
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 1u << 0 | 1u << 4);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *const cells[] = { kh_printf("%lld", kh_number_of(row, "id")),
					      kh_when(row, "time"),
					      kh_text_of(row, "actor"),
					      kh_text_of(row, "kind"),
					      kh_printf("%lld",
							kh_number_of(row, "orders") + kh_number_of(row, "allows")),
					      note_of(row) };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
}

/* ---- The audit ------------------------------------------------------------------------------------------ */

/* "van (root)"; a login that could not be proven is said to be none that counts. */
static const char *who(const json_t *row)
{
	const json_t *login = json_object_get(row, "login");

	if (!json_is_object(login) || json_is_true(json_object_get(login, "proven")))
		return kh_text_of(row, "actor");
	return kh_printf(_("%s (login %s, not proven)"), kh_text_of(row, "actor"), kh_text_of(login, "name"));
}

/* What was asked for, as it is typed. */
static const char *asked(const json_t *row)
{
	static const char *const names[] = { "files", "values", "targets" };
	const json_t *command = json_object_get(row, "command");
	const char *what = "";

	for (size_t i = 0; i < KH_ARRAY_SIZE(names) && !what[0]; i++)
		if (json_array_size(json_object_get(command, names[i])))
			what = kh_joined(json_object_get(command, names[i]), 2);
	if (!what[0])
		what = kh_text_of(command, "name");
	if (!what[0])
		what = kh_text_of(command, "interface");
	if (!what[0] && kh_has(command, "change"))
		what = kh_printf("%lld", kh_number_of(command, "change"));
	return what[0] ? kh_printf("%s %s", kh_text_of(command, "op"), what) : kh_text_of(command, "op");
}

/* With by what it could be enforced, where [trust] asks for that. */
static const char *done(const char *how, const json_t *command)
{
	if (kh_has(command, "confirmed"))
		return kh_printf(_("%s, confirmed at a terminal"), how);
	if (json_array_size(json_object_get(command, "signed")))
		return kh_printf(_("%s, signed with %s"), how, kh_joined(json_object_get(command, "signed"), 4));
	return how;
}

static const char *result(const json_t *row)
{
	const json_t *command = json_object_get(row, "command");
	const char *refused = kh_text_of(command, "refused");

	if (!strcmp(refused, "signature"))
		return kh_tone(KH_TONE_BAD, _("bad signature"));
	if (!strcmp(refused, "unsigned"))
		return kh_tone(KH_TONE_BAD, _("neither signed nor confirmed"));
	if (refused[0])
		return kh_tone(KH_TONE_BAD, _("no right"));
	switch (kh_number_of(row, "exit")) {
	case KH_EXIT_DONE:
		return done(_("done"), command);
	case KH_EXIT_PARTLY:
		return done(_("done in part"), command);
	default:
		return kh_tone(KH_TONE_WARN, _("failed"));
	}
}

static void show_audit(json_t *reply)
{
	const char *const titles[] = { _("ENTRY"),  _("WHEN"),	 _("WHO"),   _("ASKED"),
				       _("LETTER"), _("CHANGE"), _("RESULT") };
	const json_t *rows = json_object_get(reply, "entries");
	struct kh_table *table;

	if (!json_array_size(rows)) {
		kh_say(_("Nobody has changed anything yet.\n"));
		return;
	}
	table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 1u << 0 | 1u << 5);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *const cells[] = { kh_printf("%lld", kh_number_of(row, "entry")),
					      kh_when(row, "time"),
					      who(row),
					      asked(row),
					      kh_text_of(row, "letter"),
					      kh_has(row, "change") ? kh_printf("%lld", kh_number_of(row, "change"))
								    : "",
					      result(row) };

		kh_table_row(table, cells);
	}
	kh_table_end(table);
}

/* ---- Its chain ------------------------------------------------------------------------------------------ */

static const struct {
	const char *what, *sentence;
} faults[] = {
	{ "changed", N_("ENTRY %lld WAS CHANGED: it is not what its hash says") },
	{ "missing", N_("ENTRY %lld IS MISSING") },
	{ "replaced", N_("ENTRY %lld WAS REPLACED: what follows is chained to another one") },
	{ "cut", N_("ENTRY %lld IS MISSING, and all that came after it: they were there") },
	{ "added", N_("ENTRY %lld WAS PUT IN behind the last one that khiend wrote") },
	{ "unrecorded", N_("CHANGE %lld HAS NO ENTRY: khiend did not make it") },
};

static void show_fault(const json_t *fault)
{
	const char *what = kh_text_of(fault, "what"), *sentence = N_("THE AUDIT IS BROKEN AT %lld"), *when;

	for (size_t i = 0; i < KH_ARRAY_SIZE(faults); i++)
		if (!strcmp(what, faults[i].what))
			sentence = faults[i].sentence;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* of the table above */
	kh_say("%s", kh_tone(KH_TONE_BAD, kh_printf(gettext(sentence), kh_number_of(fault, "number"))));
#pragma GCC diagnostic pop
	when = kh_when(fault, "time");
	if (when[0])
		kh_say(!strcmp(what, "missing") || !strcmp(what, "cut") ? _(" · the one before it is of %s")
									: _(" · it says %s"),
		       when);
	kh_say("\n");
	kh_say(_(
		"→ keep a copy of the ledger as it is; what was written at the time is in the journal: journalctl -u khiend --grep event=audit\n"));
}

static void show_verified(json_t *reply)
{
	const json_t *fault = json_object_get(reply, "fault");
	long long entries = kh_number_of(reply, "entries");

	if (entries) {
		kh_say(ngettext("%lld entry", "%lld entries", (unsigned long)entries), entries);
		kh_say(_(", %s to %s\n"), kh_when(reply, "first"), kh_when(reply, "last"));
		kh_say(_("The last that fits: entry %lld, hash %s\n"), kh_number_of(reply, "entry"),
		       kh_text_of(reply, "hash"));
	} else if (!json_is_object(fault)) {
		kh_say(_("There is no entry yet.\n"));
	}
	if (json_is_object(fault)) {
		show_fault(fault);
		return;
	}
	kh_say("%s\n", kh_tone(KH_TONE_GOOD, _("THE CHAIN IS WHOLE.")));
	if (entries)
		kh_say(_("The journal must say the same hash: journalctl -u khiend --grep 'event=audit entry=%lld '\n"),
		       kh_number_of(reply, "entry"));
}

/* ---- The command ---------------------------------------------------------------------------------------- */

static int run_history(struct kh_cli *cli, json_t *request, int count KH_UNUSED, char **arguments KH_UNUSED)
{
	bool changes = kh_option_flag(request, ".changes"), audit = kh_option_flag(request, ".audit"),
	     verify = kh_option_flag(request, ".verify");

	if (changes + audit + verify > 1)
		return kh_usage_error(cli, _("--changes, --audit and --verify are three questions: one at a time"));
	if (verify && (kh_has(request, "before") || kh_has(request, "limit")))
		return kh_usage_error(cli, _("--verify looks at all entries"));
	if (audit || verify)
		json_object_set_new(request, "op", json_string(audit ? "audit" : "audit-verify"));
	return kh_ask(cli, request, verify ? show_verified : audit ? show_audit : show_changes);
}

static const struct kh_option history_options[] = {
	{ KH_OPTION_FLAG, "changes", NULL, ".changes", N_("changes of orders (the default)") },
	{ KH_OPTION_FLAG, "audit", NULL, ".audit",
	  N_("each request that changed something or tried to, and what the daemon did by itself") },
	{ KH_OPTION_FLAG, "verify", NULL, ".verify", N_("prove that nobody has changed the audit") },
	{ KH_OPTION_NUMBER, "before", "NUMBER", "before", N_("older than this change, or entry") },
	{ KH_OPTION_NUMBER, "top", "N", "limit", N_("the newest N (50)") },
	{},
};

const struct kh_command kh_command_history = {
	.name = "history",
	.usage = "[--changes | --audit] [--before NUMBER] [--top N] | --verify",
	.summary = N_("who changed what, when; newest first"),
	.help = N_(
		"Each entry of the audit is chained to the one before by its hash, and the journal has the same hash. --verify names the\n"
		"first entry that does not fit; khiend(8) tells how to compare with the journal."),
	.options = history_options,
	.run = run_history,
};
