/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Know before you act: what a change that is written, and not committed yet, would do to the connections that are alive; and, once it is
 * in force, ends them in the table too.
 */
#ifndef KHIEN_DAEMON_IMPACT_H
#define KHIEN_DAEMON_IMPACT_H

#include "daemon/private.h"

struct kh_plan;

/* From where the person types, by "session" of a request. family 0: not said. */
struct kh_session {
	struct kh_range address; /* one address */
	uint16_t port; /* host byte order */
};
/* 1; 0: there is none that is one. */
int kh_session_read(json_t *body, struct kh_session *ret_session);

/* What is ordered and holds something that must never be blocked, or is refused for it. Begins zeroed; kh_spared_clear() at the end. */
struct kh_spared {
	struct kh_range *ranges;
	size_t count, capacity;
};
/* Notes a range when a management network or the session is in it, or it in a management network. 0 or -ENOMEM. */
int kh_spared_add(const struct kh_request *request, struct kh_spared *spared, const struct kh_range *range);
void kh_spared_clear(struct kh_spared *spared);

/* Puts "impact" into the reply to a dry run, in the running transaction: of `plan` also what others order already (NULL: not that). What
 * cannot be found out is null, with a sentence in "notes". */
void kh_impact_answer(const struct kh_request *request, const struct kh_plan *plan, const struct kh_spared *spared,
		      json_t *reply);

/* The same of a plan: what of it is spared is found out, too. */
void kh_impact_of_plan(const struct kh_request *request, const struct kh_plan *plan, json_t *reply);

/* known.c: how many values of the plan are dropped already on the order of another letter: "known" and "known_by" of the impact. */
void kh_known_answer(const struct kh_core *core, const struct kh_plan *plan, json_t *impact);

#endif
