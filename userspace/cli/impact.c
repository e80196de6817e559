// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a plan would do to the connections that are alive: shown before the question, and what became of them after the act.
 */
#include <stdio.h>
#include <string.h>

#include "cli/plan.h"
#include "cli/render.h"
#include "common/address.h"
#include "common/lang.h"
#include "common/text.h"

#define ROWS_SHOWN 8
#define KNOWN_SHOWN 3

/* "443/tcp", "icmp" */
static const char *port_of(const json_t *row)
{
	const char *protocol = kh_text_of(row, "protocol");

	return kh_has(row, "port") ? kh_printf("%lld/%s", kh_number_of(row, "port"), protocol) : protocol;
}

static void show_connections(const json_t *impact)
{
	const char *const titles[] = { _("MACHINE"), _("OUTSIDE ADDRESS"), _("PORT"), _("DATA"), _("OPEN FOR") };
	const json_t *list = json_object_get(impact, "list");
	struct kh_table *table = kh_table_begin(titles, KH_ARRAY_SIZE(titles), 1u << 3 | 1u << 4);
	long long count = kh_number_of(impact, "flows");
	bool unknown = false;
	size_t shown = 0;

	for (; shown < json_array_size(list) && shown < ROWS_SHOWN; shown++) {
		const json_t *row = json_array_get(list, shown);
		const char *const cells[] = { kh_text_of(row, "machine"), kh_text_of(row, "remote"), port_of(row),
					      kh_has(row, "bytes") ? kh_bytes(kh_number_of(row, "bytes")) : "?",
					      kh_has(row, "seconds") ? kh_age(kh_number_of(row, "seconds")) : "?" };

		unknown |= !kh_has(row, "bytes") || !kh_has(row, "seconds");
		kh_table_row(table, cells);
	}
	kh_table_end(table);
	if (count > (long long)shown)
		kh_say(_("… and %zu more\n"), (size_t)count - shown);
	if (unknown)
		kh_say("%s\n",
		       kh_tone(KH_TONE_DIM,
			       _("?: not counted; from now on it is with: sysctl net.netfilter.nf_conntrack_acct=1 "
				 "net.netfilter.nf_conntrack_timestamp=1")));
}

static void show_cut(const json_t *impact)
{
	long long flows = kh_number_of(impact, "flows"), machines = kh_number_of(impact, "machines");
	bool calm = !kh_number_of(impact, "management") && !json_is_true(json_object_get(impact, "session"));

	if (!flows && !kh_number_of(impact, "tracked")) {
		kh_say(_(
			"Impact: no connection is tracked on this gateway now, so what would be cut cannot be said\n"));
		return;
	}
	if (!flows) {
		kh_say(_("Impact: no live connection is cut\n"));
		return;
	}
	kh_say(ngettext("Impact: cuts %lld connection", "Impact: cuts %lld connections", (unsigned long)flows), flows);
	kh_say(ngettext(" of %lld machine", " of %lld machines", (unsigned long)machines), machines);
	kh_say("%s\n", calm ? _("; management networks are not affected") : "");
	show_connections(impact);
}

static void show_warnings(const json_t *impact, const json_t *request)
{
	const json_t *spared = json_object_get(impact, "spared");
	long long managed = kh_number_of(impact, "management"), saved = kh_number_of(spared, "management");

	if (json_is_true(json_object_get(impact, "session"))) {
		const char *session = kh_text_of(request, "session");

		session = kh_printf("%.*s", (int)strcspn(session, " "), session);
		kh_say("%s\n", kh_tone(KH_TONE_BAD,
				       _("YOUR OWN CONNECTION WOULD BE CUT: YOU WOULD BE LOCKED OUT OF THIS GATEWAY")));
		kh_say(_("→ first: khien allow %s --note \"…\", or put it into management of khien.conf\n"), session);
	}
	if (managed)
		kh_say("%s\n",
		       kh_tone(KH_TONE_WARN, kh_printf(ngettext("%lld of them has an end in a management network",
								"%lld of them have an end in a management network",
								(unsigned long)managed),
						       managed)));
	if (saved)
		kh_say(ngettext("Spared, because never-block cuts it out: %lld connection of a management network\n",
				"Spared, because never-block cuts them out: %lld connections of a management network\n",
				(unsigned long)saved),
		       saved);
	if (json_is_true(json_object_get(spared, "session")))
		kh_say(_("Spared, because never-block cuts it out: your own connection\n"));
}

static void show_known(const json_t *impact)
{
	const json_t *by = json_object_get(impact, "known_by");
	long long known = kh_number_of(impact, "known");

	if (!known)
		return;
	kh_say(ngettext("%lld value is blocked already on another order",
			"%lld values are blocked already on another order", (unsigned long)known),
	       known);
	for (size_t i = 0; i < json_array_size(by) && i < KNOWN_SHOWN; i++) {
		const json_t *row = json_array_get(by, i);

		kh_say("%s%s (%s)", i ? ", " : ": ", kh_text_of(row, "value"),
		       kh_has(row, "ref") ? kh_text_of(row, "ref") : _("by hand"));
	}
	kh_say(known > KNOWN_SHOWN ? " …\n" : "\n");
}

void kh_impact_show(const json_t *plan, const json_t *request)
{
	const json_t *impact = json_object_get(plan, "impact");

	if (!json_is_object(impact))
		return;
	show_cut(impact);
	show_warnings(impact, request);
	show_known(impact);
}

void kh_impact_show_end(struct kh_cli *cli, const json_t *plan, const json_t *reply)
{
	json_t *request KH_CLEANUP(kh_json_decrefp) = NULL, *answer KH_CLEANUP(kh_json_decrefp) = NULL;
	long long cut;

	if (!kh_number_of(json_object_get(plan, "impact"), "flows") || !kh_has(reply, "change"))
		return;
	request = kh_request("cut");
	json_object_set(request, "change", json_object_get(reply, "change"));
	kh_call_quietly(cli, request, &answer);
	cut = kh_number_of(answer, "cut");
	if (cut)
		kh_say(ngettext("%lld connection was cut\n", "%lld connections were cut\n", (unsigned long)cut), cut);
}
