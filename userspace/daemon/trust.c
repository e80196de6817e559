// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/trust.h"

#include <errno.h>
#include <string.h>

#include "common/lang.h"
#include "common/util.h"
#include "daemon/audit.h"
#include "daemon/log.h"

void kh_trust_refused(const struct kh_request *request, const char *name, const struct kh_error *error, bool trial)
{
	kh_log(LOG_WARNING, "event=signature-refused file=\"%s\" error=\"%s\"", name, error->text);
	request->note->refused = KH_REFUSED_SIGNATURE;
	if (trial)
		kh_audit_refusal(request, KH_EXIT_FAILED);
}

/* ---- May it? ------------------------------------------------------------------------------------ */

bool kh_trust_is_typed(const struct kh_request *request)
{
	return !request->actor && request->peer->terminal && kh_request_flag(request->body, "typed");
}

int kh_trust_check(struct kh_core *core, struct kh_error *error)
{
	const struct kh_request *request = core->acting.request;
	int64_t change = kh_ledger_change_running(core->ledger);
	int blocks;

	if (!core->trust.on || !change || change != core->acting.change || !request->note || request->note->is_signed)
		return 0;
	blocks = kh_ledger_change_blocks(core->ledger, error);
	if (blocks <= 0)
		return blocks;
	if (kh_trust_is_typed(request))
		request->note->confirmed = true;
	if (request->note->confirmed)
		return 0;
	request->note->refused = KH_REFUSED_UNSIGNED;
	kh_fail(error, -EACCES,
		_("this is not signed with one of [trust] keys, and nobody has confirmed it at a terminal: nothing was changed"));
	kh_hint(error, _("sign the list, or do it at a terminal, as an administrator and without --yes"));
	return -EACCES;
}

void kh_trust_tell(const struct kh_request *request, json_t *reply)
{
	const struct kh_audit_note *note = request->note;
	bool confirm = !note->is_signed && kh_ledger_change_blocks(request->core->ledger, NULL) > 0;
	char id[KH_MINISIGN_ID_TEXT];
	json_t *keys;

	if (!request->core->trust.on)
		return;
	keys = json_array();
	for (size_t i = 0; i < note->keys_count; i++)
		json_array_append_new(keys, json_string(kh_minisign_id_text(note->keys[i], id)));
	json_object_set_new(reply, "trust", json_pack("{s:o, s:b}", "signed", keys, "confirm", confirm));
	if (confirm)
		json_array_append_new(
			json_object_get(reply, "notes"),
			json_string(_(
				"NOT SIGNED with one of [trust] keys: it takes an administrator's answer at a terminal")));
}
