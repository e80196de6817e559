// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/connections.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"

#define ESTABLISHED 1 /* TCP_ESTABLISHED of the kernel: include/net/tcp_states.h */

/* "::ffff:203.0.113.7" is 203.0.113.7. */
static struct kh_range unmapped(const struct kh_range *address)
{
	uint8_t bytes[16];

	kh_range_to_mapped(address, bytes);
	return kh_range_from_mapped(bytes);
}

static int parse_address(const char *text, struct kh_range *ret_address)
{
	int code = kh_address_parse(text, strcspn(text, "%"), ret_address);

	if (!code)
		*ret_address = unmapped(ret_address);
	return code;
}

static int parse_port(const char *text, uint16_t *ret_port)
{
	int64_t number;

	if (kh_number_parse(text, 1, UINT16_MAX, &number) < 0)
		return -EINVAL;
	*ret_port = (uint16_t)number;
	return 0;
}

int kh_connection_parse(const char *text, struct kh_connection *ret_connection)
{
	struct kh_connection connection;
	char peer[64], peer_port[8], local[64], local_port[8];
	int end = 0;

	if (sscanf(text, "%63s %7s %63s %7s%n", peer, peer_port, local, local_port, &end) != 4 || text[end])
		return -EINVAL;
	if (parse_address(peer, &connection.peer) < 0 || parse_port(peer_port, &connection.peer_port) < 0 ||
	    parse_address(local, &connection.local) < 0 || parse_port(local_port, &connection.local_port) < 0)
		return -EINVAL;
	*ret_connection = connection;
	return 0;
}

char *kh_connection_format(const struct kh_connection *connection, char buffer[static KH_CONNECTION_TEXT])
{
	char peer[KH_RANGE_TEXT], local[KH_RANGE_TEXT];

	kh_range_format(&connection->peer, peer);
	kh_range_format(&connection->local, local);
	snprintf(buffer, KH_CONNECTION_TEXT, "%.45s %u %.45s %u", peer, connection->peer_port, local,
		 connection->local_port);
	return buffer;
}

bool kh_connection_same(const struct kh_connection *a, const struct kh_connection *b)
{
	return a->peer_port == b->peer_port && a->local_port == b->local_port &&
	       !kh_range_compare(&a->peer, &b->peer) && !kh_range_compare(&a->local, &b->local);
}

/* The kernel prints each 32 bits of the address as a number of its own byte order. */
static int read_address(const char *digits, struct kh_range *ret_address)
{
	size_t words = strlen(digits) / 8;
	uint32_t bytes[4];

	if (strlen(digits) != 8 && strlen(digits) != 32)
		return -EINVAL;
	for (size_t i = 0; i < words; i++) {
		unsigned int word;

		if (sscanf(digits + 8 * i, "%8x", &word) != 1)
			return -EINVAL;
		bytes[i] = word;
	}
	*ret_address = kh_range_from_bytes(bytes, words == 1 ? 4 : 6);
	*ret_address = unmapped(ret_address);
	return 0;
}

int kh_connection_read(const char *line, struct kh_connection *ret_connection)
{
	unsigned int local_port, peer_port, state;
	char local[33], peer[33];
	struct kh_connection connection;

	if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%4x %2x ", local, &local_port, peer, &peer_port,
		   &state) != 5 ||
	    state != ESTABLISHED)
		return 0;
	if (read_address(local, &connection.local) < 0 || read_address(peer, &connection.peer) < 0)
		return 0;
	connection.local_port = (uint16_t)local_port;
	connection.peer_port = (uint16_t)peer_port;
	*ret_connection = connection;
	return 1;
}

static int read_file(const char *path, int (*callback)(const struct kh_connection *, void *), void *context)
{
	FILE *file KH_CLEANUP(kh_fclosep) = fopen(path, "re");
	struct kh_connection connection;
	char line[512];
	int code = 0;

	if (!file)
		return errno == ENOENT ? 0 : -errno; /* a kernel without IPv6 */
	while (!code && fgets(line, sizeof(line), file))
		if (kh_connection_read(line, &connection))
			code = callback(&connection, context);
	return code;
}

int kh_connections(int (*callback)(const struct kh_connection *connection, void *context), void *context)
{
	int code = read_file("/proc/net/tcp", callback, context);

	return code ? code : read_file("/proc/net/tcp6", callback, context);
}
