// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ctnetlink by libmnl: the talk with the kernel. What a message says, flow.c reads.
 */
#include "netlink/conntrack.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/lang.h"
#include "common/util.h"
#include "netlink/private.h"

#define BUFFER_BYTES 65536 /* the kernel fills up to 32 KiB at a time once it sees that there is room */
#define ATTEMPTS 5

/* There as soon as the module is. Asked first, because asking ctnetlink loads the modules, which is not ours to do. */
#define TABLE "/proc/sys/net/netfilter/nf_conntrack_count"

struct kh_conntrack {
	struct mnl_socket *socket;
	unsigned int port, sequence;
	_Alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];
};

static int fail_without_table(struct kh_error *error)
{
	return kh_fail(
		error, -EOPNOTSUPP,
		_("this kernel keeps no table of connections (nf_conntrack): which ones are alive cannot be said"));
}

int kh_conntrack_open(struct kh_conntrack **ret_conntrack, struct kh_error *error)
{
	struct kh_conntrack *conntrack;
	int code = 0;

	if (access(TABLE, F_OK) < 0)
		return fail_without_table(error);
	conntrack = calloc(1, sizeof(*conntrack));
	if (!conntrack)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	conntrack->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!conntrack->socket || mnl_socket_bind(conntrack->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		code = -errno;
	if (code < 0) {
		kh_conntrack_close(conntrack);
		if (code == -EPROTONOSUPPORT)
			return fail_without_table(error);
		return kh_fail(error, code, _("the table of connections cannot be reached: %s"), strerror(-code));
	}
	conntrack->port = mnl_socket_get_portid(conntrack->socket);
	*ret_conntrack = conntrack;
	return 0;
}

void kh_conntrack_close(struct kh_conntrack *conntrack)
{
	if (!conntrack)
		return;
	if (conntrack->socket)
		mnl_socket_close(conntrack->socket);
	free(conntrack);
}

static struct nlmsghdr *begin(struct kh_conntrack *conntrack, unsigned int what, unsigned int flags, uint8_t family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(conntrack->buffer);
	struct nfgenmsg *message;

	header->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | what);
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header->nlmsg_seq = ++conntrack->sequence;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->nfgen_family = family;
	message->version = NFNETLINK_V0;
	return header;
}

static ssize_t receive(struct kh_conntrack *conntrack)
{
	ssize_t length;

	do
		length = mnl_socket_recvfrom(conntrack->socket, conntrack->buffer, sizeof(conntrack->buffer));
	while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : length;
}

/* The code in NLMSG_ERROR or NLMSG_DONE: 0 or -errno. */
static int code_in(const struct nlmsghdr *header)
{
	int32_t code = -EBADMSG;

	if (mnl_nlmsg_get_payload_len(header) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(header), sizeof(code));
	return code > 0 ? -EBADMSG : code;
}

/* ---- Listing --------------------------------------------------------------------------------------------- */

struct listing {
	int (*callback)(const struct kh_flow *flow, void *context);
	void *context;
	int64_t now;
	int code; /* < 0: the callback wants no more; the rest is read all the same, or the next question would meet it */
	bool interrupted, done;
};

static void take(const struct nlmsghdr *header, struct listing *listing)
{
	struct kh_flow flow;

	listing->interrupted |= !!(header->nlmsg_flags & NLM_F_DUMP_INTR);
	if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) {
		int code = code_in(header);

		listing->done = true;
		if (listing->code >= 0)
			listing->code = code;
	} else if (header->nlmsg_type == NLMSG_OVERRUN) {
		listing->interrupted = true;
	} else if (listing->code >= 0 && !listing->interrupted &&
		   !kh_flow_parse(header, header->nlmsg_len, listing->now, &flow)) {
		listing->code = listing->callback(&flow, listing->context);
	}
}

static int list_once(struct kh_conntrack *conntrack, struct listing *listing)
{
	const struct nlmsghdr *header = begin(conntrack, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);

	if (mnl_socket_sendto(conntrack->socket, header, header->nlmsg_len) < 0)
		return -errno;
	while (!listing->done) {
		ssize_t length = receive(conntrack);
		int left = (int)length;

		if (length < 0)
			return (int)length;
		header = (const struct nlmsghdr *)conntrack->buffer;
		for (; mnl_nlmsg_ok(header, left) && !listing->done; header = mnl_nlmsg_next(header, &left))
			if (mnl_nlmsg_seq_ok(header, conntrack->sequence) &&
			    mnl_nlmsg_portid_ok(header, conntrack->port))
				take(header, listing);
	}
	return listing->code;
}

int kh_conntrack_list(struct kh_conntrack *conntrack, int64_t now,
		      int (*callback)(const struct kh_flow *flow, void *context), void *context)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		struct listing listing = { .callback = callback, .context = context, .now = now };
		int code = callback(NULL, context);

		if (code < 0)
			return code;
		code = list_once(conntrack, &listing);
		if (code == -EINVAL && !listing.interrupted) /* so it is said that nobody answers for this subsystem */
			return -EOPNOTSUPP;
		if (code < 0 || !listing.interrupted)
			return code;
	}
	return -EINTR;
}

/* ---- Ending ---------------------------------------------------------------------------------------------- */

int kh_conntrack_delete(struct kh_conntrack *conntrack, const struct kh_flow_key *key)
{
	struct nlmsghdr *header = begin(conntrack, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, key->family);

	mnl_attr_put(header, NLA_F_NESTED | CTA_TUPLE_ORIG, key->length, key->tuple);
	mnl_attr_put_u32(header, CTA_ID, key->id);
	if (key->zone)
		mnl_attr_put_u16(header, CTA_ZONE, htobe16(key->zone));
	if (mnl_socket_sendto(conntrack->socket, header, header->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t length = receive(conntrack);
		int left = (int)length, code;

		if (length < 0)
			return (int)length;
		header = (struct nlmsghdr *)conntrack->buffer;
		for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
			if (header->nlmsg_type != NLMSG_ERROR || !mnl_nlmsg_seq_ok(header, conntrack->sequence) ||
			    !mnl_nlmsg_portid_ok(header, conntrack->port))
				continue;
			code = code_in(header);
			return code == -ENOENT ? 0 : code < 0 ? code : 1;
		}
	}
}
