// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reference parser: see reference.h. A layer is a window (data, length) that only ever gets shorter.
 */
#include "reference.h"

#include <string.h>

static unsigned int word(const uint8_t *at)
{
	return at[0] * 256u + at[1];
}

static void give_up(struct reference *reference, enum kh_reason reason)
{
	reference->reason = reason;
}

/* `promised`: what the lengths above say is left; `length`: what is really there. */
static void read_transport(struct reference *reference, const uint8_t *data, size_t length, size_t promised,
			   bool first_of_many)
{
	size_t needed = reference->protocol == 6 ? 20 : reference->protocol == 17 ? 8 : 0;

	if (reference->protocol == 4 || reference->protocol == 41 || reference->protocol == 47 ||
	    reference->protocol == 50)
		give_up(reference, KH_REASON_ENCAPSULATED);
	if (needed == 0)
		return;
	if (length < needed || promised < needed) {
		give_up(reference, first_of_many ? KH_REASON_FRAGMENT : KH_REASON_L4_TRUNCATED);
		return;
	}
	reference->ports = true;
	reference->source_port = (uint16_t)word(data);
	reference->destination_port = (uint16_t)word(data + 2);
	if (reference->protocol == 17 && reference->destination_port == 4789)
		give_up(reference, KH_REASON_ENCAPSULATED);
}

static void read_ipv4(struct reference *reference, const uint8_t *data, size_t length)
{
	size_t header, total, offset;
	bool more;

	if (length < 20) {
		give_up(reference, KH_REASON_TOO_SHORT);
		return;
	}
	if (data[0] / 16 != 4) {
		give_up(reference, KH_REASON_BAD_VERSION);
		return;
	}
	reference->addresses = true;
	reference->source = kh_range_from_bytes(data + 12, 4);
	reference->destination = kh_range_from_bytes(data + 16, 4);
	reference->protocol = data[9];
	header = data[0] % 16 * 4u;
	total = word(data + 2);
	if (total == 0 || total > length)
		total = length;
	reference->bytes = total;
	offset = word(data + 6) % 0x2000;
	more = data[6] & 0x20;
	if (header < 20 || header > total)
		give_up(reference, KH_REASON_BAD_HEADER);
	else if (offset != 0)
		give_up(reference, KH_REASON_FRAGMENT);
	else
		read_transport(reference, data + header, length - header, total - header, more);
}

static bool is_extension(uint8_t protocol)
{
	static const uint8_t all[] = { 0, 43, 44, 51, 60, 135, 139, 140 };

	return memchr(all, protocol, sizeof(all)) != NULL;
}

static void read_extensions(struct reference *reference, const uint8_t *data, size_t length, size_t promised)
{
	bool first_of_many = false;
	size_t at = 0;

	for (int headers = 0; is_extension(reference->protocol); headers++) {
		const uint8_t *here = data + at;
		size_t size;

		if (headers == 6 || length - at < 8) {
			give_up(reference, KH_REASON_EXTENSION_HEADERS);
			return;
		}
		size = reference->protocol == 44   ? 8
		       : reference->protocol == 51 ? (here[1] + 2u) * 4
						   : (here[1] + 1u) * 8;
		if (reference->protocol == 44) {
			reference->protocol = here[0];
			if (word(here + 2) / 8 != 0) {
				give_up(reference, KH_REASON_FRAGMENT);
				return;
			}
			first_of_many = here[3] % 2;
		} else {
			reference->protocol = here[0];
		}
		at += size;
		if (at > length) {
			give_up(reference, KH_REASON_EXTENSION_HEADERS);
			return;
		}
	}
	read_transport(reference, data + at, length - at, promised > at ? promised - at : 0, first_of_many);
}

static void read_ipv6(struct reference *reference, const uint8_t *data, size_t length)
{
	size_t total;

	if (length < 40) {
		give_up(reference, KH_REASON_TOO_SHORT);
		return;
	}
	if (data[0] / 16 != 6) {
		give_up(reference, KH_REASON_BAD_VERSION);
		return;
	}
	reference->addresses = true;
	reference->source = kh_range_from_bytes(data + 8, 6);
	reference->destination = kh_range_from_bytes(data + 24, 6);
	reference->protocol = data[6];
	total = 40 + word(data + 4);
	if (total == 40 || total > length)
		total = length;
	reference->bytes = total;
	read_extensions(reference, data + 40, length - 40, total - 40);
}

void reference_read_bare(const uint8_t *data, size_t length, uint16_t type, struct reference *ret_reference)
{
	memset(ret_reference, 0, sizeof(*ret_reference));
	ret_reference->reason = KH_REASON_PASSED;
	ret_reference->bytes = length;
	if (type == 0x0800)
		read_ipv4(ret_reference, data, length);
	else if (type == 0x86dd)
		read_ipv6(ret_reference, data, length);
	else
		give_up(ret_reference, KH_REASON_NOT_IP);
}

static void read_pppoe(const uint8_t *data, size_t length, struct reference *ret_reference)
{
	unsigned int protocol;

	if (length < 8) {
		give_up(ret_reference, KH_REASON_TOO_SHORT);
		return;
	}
	protocol = word(data + 6);
	if (protocol == 0x0021)
		reference_read_bare(data + 8, length - 8, 0x0800, ret_reference);
	else if (protocol == 0x0057)
		reference_read_bare(data + 8, length - 8, 0x86dd, ret_reference);
	else if (data[6] >= 0x80 && data[6] % 2 == 0) /* IPCP, LCP, PAP, CHAP ... */
		give_up(ret_reference, KH_REASON_NOT_IP);
	else
		give_up(ret_reference, KH_REASON_PPP_OTHER);
}

void reference_read(const uint8_t *data, size_t length, struct reference *ret_reference)
{
	size_t at = 14, tags = 0;
	unsigned int type;

	memset(ret_reference, 0, sizeof(*ret_reference));
	type = word(data + 12);
	while ((type == 0x8100 || type == 0x88a8) && tags < 2) {
		if (length < at + 4) {
			give_up(ret_reference, KH_REASON_TOO_SHORT);
			return;
		}
		type = word(data + at + 2);
		at += 4;
		tags++;
	}
	ret_reference->bytes = length - at;
	if (type == 0x8100 || type == 0x88a8)
		give_up(ret_reference, KH_REASON_TOO_MANY_TAGS);
	else if (type == 0x8864)
		read_pppoe(data + at, length - at, ret_reference);
	else
		reference_read_bare(data + at, length - at, (uint16_t)type, ret_reference);
}

static struct kh_naive_verdict judge_side(const struct reference *reference, const struct kh_naive_list *list,
					  bool destination, uint32_t now)
{
	struct kh_naive_query query = { .address = destination ? reference->destination : reference->source,
					.now = now };

	if (reference->ports) {
		query.port = destination ? reference->destination_port : reference->source_port;
		query.protocol = reference->protocol;
	}
	return kh_naive_side(list, &query);
}

void reference_judge(const struct reference *reference, const struct kh_naive_list *list, bool outbound, uint32_t now,
		     struct judgement *ret_judgement)
{
	struct kh_naive_verdict remote, near;

	ret_judgement->reason = reference->reason;
	ret_judgement->slot = 0;
	if (!reference->addresses)
		return;
	remote = judge_side(reference, list, outbound, now);
	near = judge_side(reference, list, !outbound, now);
	ret_judgement->on_destination = outbound;
	if (!remote.slot || (near.slot && remote.action == KH_ACTION_MONITOR && near.action == KH_ACTION_DROP)) {
		remote = near;
		ret_judgement->on_destination = !outbound;
	}
	ret_judgement->slot = remote.slot;
	if (remote.slot)
		ret_judgement->reason = remote.action == KH_ACTION_DROP ? KH_REASON_DROPPED : KH_REASON_MONITORED;
}
