// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Phrases that several screens share: times, where a row stood, why it is decided so, its state, what is wrong with a file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/render.h"
#include "cli/ring.h"
#include "common/lang.h"

/* ---- Times -------------------------------------------------------------------------------------- */

/* An RFC 3339 time of a reply, or NULL: only the shape is needed, the daemon made it. */
static const char *time_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";

	for (size_t i = 0; text && i < sizeof(shape) - 1; i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return NULL;
	return text;
}

const char *kh_when(const json_t *object, const char *name)
{
	const char *text = time_of(object, name);
	char *out;

	if (!text)
		return "";
	out = kh_ring_next();
	snprintf(out, RING_TEXT, "%.8s %.2s/%.2s/%.4s", text + 11, text + 8, text + 5, text);
	return out;
}

const char *kh_clock(const json_t *object, const char *name)
{
	const char *text = time_of(object, name);
	char *out;

	if (!text)
		return "";
	out = kh_ring_next();
	snprintf(out, RING_TEXT, "%.8s", text + 11);
	return out;
}

const char *kh_zone(const json_t *object, const char *name)
{
	const char *text = time_of(object, name);
	char *out;

	if (!text || strlen(text) != 25 || !strchr("+-", text[19]))
		return "UTC";
	out = kh_ring_next();
	snprintf(out, RING_TEXT, "UTC%c%s%.1s%s%.2s", text[19], text[20] == '0' ? "" : "1", text + 21,
		 strncmp(text + 23, "00", 2) ? ":" : "", strncmp(text + 23, "00", 2) ? text + 23 : "");
	return out;
}

const char *kh_date(const char *iso)
{
	char *out;

	if (strlen(iso) != 10 || iso[4] != '-' || iso[7] != '-')
		return iso;
	out = kh_ring_next();
	snprintf(out, RING_TEXT, "%.2s/%.2s/%.4s", iso + 8, iso + 5, iso);
	return out;
}

const char *kh_span(const json_t *object, const char *first, const char *last, const char *now)
{
	const char *from = time_of(object, first), *to = time_of(object, last);
	char *out;

	if (!to)
		return "";
	out = kh_ring_next();
	if (from && strncmp(from, to, 10) != 0)
		snprintf(out, RING_TEXT, "%s – %s", kh_when(object, first), kh_when(object, last));
	else if (from && strncmp(from, to, 19) != 0)
		snprintf(out, RING_TEXT, "%.8s–%s", from + 11,
			 now && !strncmp(now, to, 10) ? kh_clock(object, last) : kh_when(object, last));
	else
		snprintf(out, RING_TEXT, "%s",
			 now && !strncmp(now, to, 10) ? kh_clock(object, last) : kh_when(object, last));
	return out;
}

const char *kh_age(long long seconds)
{
	if (seconds < 60)
		return kh_printf(_("%lld s"), seconds);
	if (seconds < 3600)
		return kh_printf(_("%lld min"), seconds / 60);
	if (seconds < 2 * 86400)
		return kh_printf(_("%lld h"), seconds / 3600);
	return kh_printf(_("%lld days"), seconds / 86400);
}

/* ---- Rows --------------------------------------------------------------------------------------- */

const char *kh_source(const json_t *row)
{
	const char *file = kh_text_of(row, "file"), *base = strrchr(file, '/');
	char *out = kh_ring_next();
	size_t used;

	if (!strcmp(file, "-"))
		file = _("standard input");
	used = (size_t)snprintf(out, RING_TEXT, "%s", base && base[1] ? base + 1 : file);
	if (kh_number_of(row, "page") && used < RING_TEXT)
		used += (size_t)snprintf(out + used, RING_TEXT - used, _(" p.%lld"), kh_number_of(row, "page"));
	if (kh_number_of(row, "line") && used < RING_TEXT)
		snprintf(out + used, RING_TEXT - used, _(" l.%lld"), kh_number_of(row, "line"));
	return out;
}

const char *kh_reason(const json_t *row)
{
	const char *rule = kh_text_of(row, "rule"), *raw = kh_text_of(row, "raw");
	bool review = !strcmp(kh_text_of(row, "decision"), "review");
	char *out = kh_ring_next();
	size_t used = (size_t)snprintf(out, RING_TEXT, "%s", kh_text_of(row, "sentence"));

	if (rule[0] && used < RING_TEXT)
		used += (size_t)snprintf(out + used, RING_TEXT - used, ": %s", rule);
	if (review && raw[0] && strcmp(raw, kh_text_of(row, "value")) != 0 && used < RING_TEXT)
		used += (size_t)snprintf(out + used, RING_TEXT - used, _(" (written \"%s\")"), raw);
	if (kh_number_of(row, "cuts") && used < RING_TEXT)
		used += (size_t)snprintf(out + used, RING_TEXT - used,
					 ngettext(" (%lld never-block range is cut out)",
						  " (%lld never-block ranges are cut out)",
						  (unsigned long)kh_number_of(row, "cuts")),
					 kh_number_of(row, "cuts"));
	if (json_is_true(json_object_get(row, "unchanged")) && used < RING_TEXT)
		snprintf(out + used, RING_TEXT - used, "%s", _(" · as before"));
	return out;
}

const char *kh_packets(const json_t *row)
{
	long long count = kh_number_of(row, "packets");

	return kh_printf(ngettext("%s packet", "%s packets", (unsigned long)count), kh_count(count));
}

const char *kh_refs(const json_t *row)
{
	const json_t *refs = json_object_get(row, "refs");

	return json_array_size(refs) ? kh_joined(refs, 3) : _("by hand");
}

const char *kh_state(const json_t *row)
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

const char *kh_ends(const json_t *row)
{
	return kh_when(row, kh_has(row, "ends") ? "ends" : "expires");
}

void kh_show_confirmation(const json_t *reply)
{
	const json_t *waiting = json_object_get(reply, "unconfirmed");

	if (json_is_object(waiting))
		kh_say("%s → khien confirm %lld\n",
		       kh_tone(KH_TONE_WARN,
			       kh_printf(_("TAKEN BACK AT %s UNLESS CONFIRMED"), kh_when(waiting, "until"))),
		       kh_number_of(waiting, "change"));
}

void kh_show_alarms(const json_t *reply)
{
	const json_t *alarms = json_object_get(reply, "alarms");

	for (size_t i = 0; i < json_array_size(alarms); i++)
		kh_say("%s\n", kh_tone(KH_TONE_BAD, kh_text_at(alarms, i)));
}

const char *kh_errno_text(int code)
{
	switch (code) {
	case ENOENT:
		return _("there is no such file");
	case EACCES:
	case EPERM:
		return _("you may not read it");
	case EISDIR:
		return _("it is a folder");
	case ENOTDIR:
		return _("a part of the path is not a folder");
	case ENOSPC:
		return _("the disk is full");
	case ENOMEM:
		return _("out of memory");
	default:
		return strerror(code);
	}
}
