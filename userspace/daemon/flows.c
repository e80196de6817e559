// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections against two images. Most of them are nobody's: one look at the presence bits for each end.
 */
#include "daemon/flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static bool is_drop(const struct kh_image *image, uint32_t reference, uint32_t now)
{
	enum kh_action action;
	uint32_t slot;

	return reference && kh_image_resolve(image, reference, now, &slot, &action) && action == KH_ACTION_DROP;
}

bool kh_party_is_dropped(const struct kh_image *image, uint32_t now, const struct kh_range *address, uint16_t port,
			 uint8_t protocol)
{
	if (!image)
		return false;
	return is_drop(image, kh_image_lookup(image, address), now) ||
	       (port && is_drop(image, kh_image_lookup_port(image, address, port, protocol), now));
}

/* One end of a connection. */
struct party {
	const struct kh_range *address;
	uint16_t port;
};

/* The ends, the called one before the caller: of an office machine that calls out the remote one is found first. */
static void parties_of(const struct kh_flow *flow, struct party ret_parties[static 4])
{
	ret_parties[0] = (struct party){ &flow->original.destination, flow->original.destination_port };
	ret_parties[1] = (struct party){ &flow->reply.source, flow->reply.source_port };
	ret_parties[2] = (struct party){ &flow->original.source, flow->original.source_port };
	ret_parties[3] = (struct party){ &flow->reply.destination, flow->reply.destination_port };
}

static bool same(const struct party *a, const struct party *b)
{
	return a->port == b->port && a->address->first == b->address->first;
}

/* Which end the image drops, or -1. What address translation left alone is asked about once. */
static int dropped_party(const struct kh_image *image, uint32_t now, const struct party parties[static 4],
			 uint8_t protocol)
{
	for (int i = 0; i < 4; i++) {
		if (i % 2 && same(&parties[i], &parties[i - 1]))
			continue;
		if (kh_party_is_dropped(image, now, parties[i].address, parties[i].port, protocol))
			return i;
	}
	return -1;
}

bool kh_flow_is_cut(const struct kh_images *images, const struct kh_flow *flow, struct kh_cut *ret_cut)
{
	struct party parties[4];
	int remote;

	parties_of(flow, parties);
	remote = dropped_party(images->after, images->now, parties, flow->original.protocol);
	if (remote < 0 || dropped_party(images->before, images->now, parties, flow->original.protocol) >= 0)
		return false;
	*ret_cut = (struct kh_cut){
		.machine = remote < 2 ? flow->original.source : flow->reply.source, /* as the office has it */
		.remote = *parties[remote].address,
		.port = flow->original.destination_port,
		.protocol = flow->original.protocol,
		.bytes = flow->bytes,
		.seconds = flow->seconds,
	};
	return true;
}

/* ---- A survey -------------------------------------------------------------------------------------------- */

static bool is_in(const struct kh_range *ranges, size_t count, const struct kh_range *address)
{
	for (size_t i = 0; i < count; i++)
		if (kh_range_contains(&ranges[i], address))
			return true;
	return false;
}

/* Has it an end in a management network? With `spared`: that one is held by an order. */
static bool is_managed(const struct kh_survey *survey, const struct kh_flow *flow, bool spared)
{
	struct party parties[4];

	if (!survey->management_count || (spared && !survey->spared_count))
		return false;
	parties_of(flow, parties);
	for (size_t i = 0; i < KH_ARRAY_SIZE(parties); i++)
		if (is_in(survey->management, survey->management_count, parties[i].address) &&
		    (!spared || is_in(survey->spared, survey->spared_count, parties[i].address)))
			return true;
	return false;
}

/* Most bytes first; what has not been counted comes last, then the longest. */
static bool is_before(const struct kh_cut *a, const struct kh_cut *b)
{
	return a->bytes != b->bytes ? a->bytes > b->bytes : a->seconds > b->seconds;
}

static void list(struct kh_survey *survey, const struct kh_cut *cut)
{
	size_t at = survey->listed;

	while (at && is_before(cut, &survey->list[at - 1]))
		at--;
	if (at == KH_CUTS_LISTED)
		return;
	if (survey->listed < KH_CUTS_LISTED)
		survey->listed++;
	memmove(&survey->list[at + 1], &survey->list[at], (survey->listed - at - 1) * sizeof(*cut));
	survey->list[at] = *cut;
}

int kh_survey_add(const struct kh_flow *flow, void *context)
{
	struct kh_survey *survey = context;
	struct kh_cut cut;
	int code;

	if (!flow) {
		survey->tracked = survey->flows = survey->managed = survey->saved = 0;
		survey->machines_count = survey->listed = 0;
		return 0;
	}
	survey->tracked++;
	if (!kh_flow_is_cut(&survey->images, flow, &cut)) {
		survey->saved += is_managed(survey, flow, true);
		return 0;
	}
	code = kh_grow(&survey->machines, &survey->machines_capacity, survey->machines_count + 1,
		       sizeof(*survey->machines));
	if (code < 0)
		return code;
	survey->machines[survey->machines_count++] = cut.machine;
	survey->flows++;
	survey->managed += is_managed(survey, flow, false);
	list(survey, &cut);
	return 0;
}

size_t kh_survey_machines(struct kh_survey *survey)
{
	size_t count = survey->machines_count > 0;

	if (survey->machines_count)
		qsort(survey->machines, survey->machines_count, sizeof(*survey->machines), kh_range_compare);
	for (size_t i = 1; i < survey->machines_count; i++)
		count += kh_range_compare(&survey->machines[i - 1], &survey->machines[i]) != 0;
	return count;
}

void kh_survey_clear(struct kh_survey *survey)
{
	free(KH_TAKE(survey->machines));
	survey->machines_count = survey->machines_capacity = 0;
}
