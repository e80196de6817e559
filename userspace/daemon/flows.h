/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which live connections a change of the list cuts: those that the image after it drops and the one before did not. What is only monitored
 * cuts nothing, and what was cut out by an allow or never-block neither: the images know. Looks at plain data; asks no kernel, ends nothing.
 */
#ifndef KHIEN_DAEMON_FLOWS_H
#define KHIEN_DAEMON_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compile/compile.h"
#include "netlink/conntrack.h"

#define KH_CUTS_LISTED 20 /* in one answer */

struct kh_images {
	const struct kh_image *before, *after; /* NULL: nothing is listed */
	uint32_t now; /* wall-clock seconds */
};

/* One connection that is cut, as a person sees it. */
struct kh_cut {
	struct kh_range machine, remote; /* one address each; remote is the one that is dropped */
	uint16_t port; /* that was called, host byte order; 0: the protocol has none */
	uint8_t protocol; /* IPPROTO_* */
	int64_t bytes, seconds; /* as of struct kh_flow */
};

/* Does the image drop packets from or to this party? port 0: by its address alone. */
bool kh_party_is_dropped(const struct kh_image *image, uint32_t now, const struct kh_range *address, uint16_t port,
			 uint8_t protocol);
/* Is this connection cut? Whichever end of whichever way is listed counts: before address translation and after. */
bool kh_flow_is_cut(const struct kh_images *images, const struct kh_flow *flow, struct kh_cut *ret_cut);

/* What a survey of the table comes to. Begins zeroed but for the first five; kh_survey_clear() at the end. */
struct kh_survey {
	struct kh_images images;
	const struct kh_range *management; /* borrowed */
	size_t management_count;
	const struct kh_range *spared; /* what is ordered and holds something that must never be blocked; borrowed */
	size_t spared_count;

	size_t tracked; /* connections in the table */
	size_t flows; /* that are cut */
	size_t managed; /* of them: those with an end in a management network */
	size_t saved; /* with an end in a management network that an order holds, and not cut */
	struct kh_range *machines; /* of `flows`, in any order, each as often as it stands there */
	size_t machines_count, machines_capacity;
	struct kh_cut list[KH_CUTS_LISTED]; /* the most bytes first */
	size_t listed;
};

/* Counts one more; a callback for kh_conntrack_list(): NULL begins anew. 0 or -ENOMEM. */
int kh_survey_add(const struct kh_flow *flow, void *context);
size_t kh_survey_machines(struct kh_survey *survey); /* how many different ones */
void kh_survey_clear(struct kh_survey *survey);

#endif
