// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The image that the running transaction would make, against the one in force and the table of connections: so the preview is exact,
 * whatever other letters, allows and never-block rules say.
 */
#include "daemon/impact.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/flows.h"
#include "daemon/plan.h"

/* ---- From where the person types ------------------------------------------------------------------------- */

int kh_session_read(json_t *body, struct kh_session *ret_session)
{
	const char *text = kh_request_text(body, "session");
	struct kh_connection connection;

	if (!text || kh_connection_parse(text, &connection) < 0)
		return 0;
	*ret_session = (struct kh_session){ .address = connection.peer, .port = connection.peer_port };
	return 1;
}

/* ---- What is spared -------------------------------------------------------------------------------------- */

int kh_spared_add(const struct kh_request *request, struct kh_spared *spared, const struct kh_range *range)
{
	const struct kh_config_prefixes *management = &request->core->config->management;
	struct kh_session session = {};
	bool wanted = kh_session_read(request->body, &session) == 1 && kh_range_contains(range, &session.address);
	int code;

	for (size_t i = 0; i < management->count && !wanted; i++)
		wanted = kh_range_overlaps(&management->ranges[i], range);
	if (!wanted)
		return 0;
	code = kh_grow(&spared->ranges, &spared->capacity, spared->count + 1, sizeof(*spared->ranges));
	if (code >= 0)
		spared->ranges[spared->count++] = *range;
	return code;
}

void kh_spared_clear(struct kh_spared *spared)
{
	free(KH_TAKE(spared->ranges));
	spared->count = spared->capacity = 0;
}

/* ---- The answer ------------------------------------------------------------------------------------------ */

static json_t *protocol_json(uint8_t protocol)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {
		{ IPPROTO_TCP, "tcp" },	      { IPPROTO_UDP, "udp" }, { IPPROTO_ICMP, "icmp" },
		{ IPPROTO_ICMPV6, "icmpv6" }, { IPPROTO_GRE, "gre" }, { IPPROTO_SCTP, "sctp" },
	};
	char text[4];

	for (size_t i = 0; i < KH_ARRAY_SIZE(names); i++)
		if (names[i].number == protocol)
			return json_string(names[i].name);
	snprintf(text, sizeof(text), "%u", protocol);
	return json_string(text);
}

static json_t *cut_json(const struct kh_cut *cut)
{
	char machine[KH_RANGE_TEXT], remote[KH_RANGE_TEXT];

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "machine", kh_range_format(&cut->machine, machine), "remote",
			 kh_range_format(&cut->remote, remote), "port",
			 cut->port ? json_integer(cut->port) : json_null(), "protocol", protocol_json(cut->protocol),
			 "bytes", cut->bytes >= 0 ? json_integer(cut->bytes) : json_null(), "seconds",
			 cut->seconds >= 0 ? json_integer(cut->seconds) : json_null());
}

/* SSH is TCP, and its packets come from that port. */
static bool is_session_dropped(const struct kh_images *images, const struct kh_session *session)
{
	return session->address.family &&
	       kh_party_is_dropped(images->after, images->now, &session->address, session->port, IPPROTO_TCP) &&
	       !kh_party_is_dropped(images->before, images->now, &session->address, session->port, IPPROTO_TCP);
}

static bool is_held(const struct kh_spared *spared, const struct kh_range *address)
{
	for (size_t i = 0; i < spared->count; i++)
		if (kh_range_contains(&spared->ranges[i], address))
			return true;
	return false;
}

static json_t *impact_json(struct kh_survey *survey, const struct kh_spared *spared, const struct kh_session *session)
{
	bool dropped = is_session_dropped(&survey->images, session);
	json_t *impact = json_pack("{s:I, s:I, s:I, s:b, s:I}", "flows", (json_int_t)survey->flows, "machines",
				   (json_int_t)kh_survey_machines(survey), "management", (json_int_t)survey->managed,
				   "session", dropped, "tracked", (json_int_t)survey->tracked);
	json_t *list = json_array();

	for (size_t i = 0; i < survey->listed; i++)
		json_array_append_new(list, cut_json(&survey->list[i]));
	json_object_set_new(impact, "list", list);
	json_object_set_new(impact, "omitted", json_integer((json_int_t)(survey->flows - survey->listed)));
	json_object_set_new(impact, "spared",
			    json_pack("{s:I, s:b}", "management", (json_int_t)survey->saved, "session",
				      !dropped && session->address.family && is_held(spared, &session->address)));
	return impact;
}

static void add_note(json_t *reply, const char *text)
{
	json_t *notes = json_object_get(reply, "notes");

	if (!notes) {
		notes = json_array();
		json_object_set_new(reply, "notes", notes);
	}
	json_array_append_new(notes, kh_json_text(text));
}

static int survey_table(struct kh_survey *survey, struct kh_error *error)
{
	struct kh_conntrack *conntrack = NULL;
	int code = kh_conntrack_open(&conntrack, error);

	if (code < 0)
		return code;
	code = kh_conntrack_list(conntrack, survey->images.now, kh_survey_add, survey);
	kh_conntrack_close(conntrack);
	if (code == -EOPNOTSUPP)
		return kh_fail(error, code,
			       _("this kernel does not say which connections are alive (nf_conntrack_netlink)"));
	return code < 0 ? kh_fail(error, code, _("the table of connections cannot be read: %s"), strerror(-code)) : 0;
}

void kh_impact_answer(const struct kh_request *request, const struct kh_plan *plan, const struct kh_spared *spared,
		      json_t *reply)
{
	struct kh_core *core = request->core;
	const struct kh_config_prefixes *management = &core->config->management;
	struct kh_survey survey = { .images = { .before = core->image, .now = (uint32_t)kh_now() },
				    .management = management->ranges,
				    .management_count = management->count,
				    .spared = spared->ranges,
				    .spared_count = spared->count };
	struct kh_image *image = NULL;
	struct kh_session session = {};
	struct kh_error error = {};
	json_t *impact = NULL;
	int code = kh_foresee_image(core, &image, &error);

	survey.images.after = image;
	kh_session_read(request->body, &session);
	if (code >= 0)
		code = survey_table(&survey, &error);
	if (code >= 0)
		impact = impact_json(&survey, spared, &session);
	else
		add_note(reply, error.text);
	if (!impact && is_session_dropped(&survey.images, &session))
		add_note(reply, _("THE CONNECTION YOU TYPE ON COMES FROM AN ADDRESS THAT WOULD BE BLOCKED"));
	if (impact && plan)
		kh_known_answer(core, plan, impact);
	json_object_set_new(reply, "impact", impact ? impact : json_null());
	kh_survey_clear(&survey);
	kh_image_free(image);
}

void kh_impact_of_plan(const struct kh_request *request, const struct kh_plan *plan, json_t *reply)
{
	struct kh_spared spared = {};

	for (size_t i = 0; plan->action == KH_ACTION_DROP && i < plan->letters_count; i++) {
		const struct kh_plan_letter *letter = &plan->letters[i];

		for (size_t j = 0; j < letter->count; j++) {
			const struct kh_judgement *judgement = &letter->judgements[j];

			if (kh_indicator_enforceable(&letter->findings[j].indicator) &&
			    (judgement->decision == KH_REFUSE ||
			     (judgement->decision == KH_ENFORCE && judgement->cuts)))
				kh_spared_add(request, &spared, &letter->findings[j].indicator.range);
		}
	}
	kh_impact_answer(request, plan, &spared, reply);
	kh_spared_clear(&spared);
}
