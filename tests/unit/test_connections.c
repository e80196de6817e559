// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections: what sshd says of one, what the kernel lists, and that a real one is found while it lives.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/util.h"
#include "netlink/connections.h"

static const char *text_of(const struct kh_connection *connection)
{
	static char text[KH_CONNECTION_TEXT];

	return kh_connection_format(connection, text);
}

static void what_sshd_says_is_read(void **state)
{
	static const char *const good[][2] = {
		{ "203.0.113.7 51234 192.0.2.129 22", "203.0.113.7 51234 192.0.2.129 22" },
		{ "2001:DB8::7 1 2001:db8:fe::1 65535", "2001:db8::7 1 2001:db8:fe::1 65535" },
		{ "::ffff:203.0.113.7 51234 ::ffff:192.0.2.129 22", "203.0.113.7 51234 192.0.2.129 22" },
		{ "fe80::1%eth0 51234 fe80::2%eth0 22", "fe80::1 51234 fe80::2 22" },
	};
	static const char *const bad[] = { "",
					   "203.0.113.7",
					   "203.0.113.7 51234 192.0.2.129",
					   "203.0.113.7 0 192.0.2.129 22",
					   "203.0.113.7 51234 192.0.2.129 65536",
					   "203.0.113.7 51234 192.0.2.129 22 more",
					   "203.0.113.7 51234 192.0.2.129 22x",
					   "203.0.113.0/24 51234 192.0.2.129 22",
					   "gateway.example 51234 192.0.2.129 22",
					   "203.0.113.7 -1 192.0.2.129 22" };
	struct kh_connection connection;

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(good); i++) {
		assert_int_equal(kh_connection_parse(good[i][0], &connection), 0);
		assert_string_equal(text_of(&connection), good[i][1]);
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(bad); i++)
		assert_int_equal(kh_connection_parse(bad[i], &connection), -EINVAL);
}

/* As a machine of this byte order prints it. */
static void the_kernels_lines_are_read(void **state)
{
	struct kh_connection connection;
	char line[256];

	(void)state;
	snprintf(line, sizeof(line), "   3: %08X:0016 %08X:C822 01 00000000:00000000 02:000A 0 0 1 1 0\n",
		 inet_addr("192.0.2.129"), inet_addr("203.0.113.7"));
	assert_int_equal(kh_connection_read(line, &connection), 1);
	assert_string_equal(text_of(&connection), "203.0.113.7 51234 192.0.2.129 22");
	snprintf(line, sizeof(line), "  12: %08X%08X%08X%08X:0016 %08X%08X%08X%08X:0001 01 0:0 2:0 0 0 0 1\n", 0, 0,
		 htonl(0xffff), inet_addr("192.0.2.129"), htonl(0x20010db8), 0, htonl(0xaabb), htonl(0xccdd0007));
	assert_int_equal(kh_connection_read(line, &connection), 1);
	assert_string_equal(text_of(&connection), "2001:db8::aabb:ccdd:7 1 192.0.2.129 22");
	snprintf(line, sizeof(line), "   3: %08X:0016 00000000:0000 0A 00000000:00000000\n", inet_addr("192.0.2.129"));
	assert_int_equal(kh_connection_read(line, &connection), 0); /* it listens */
	assert_int_equal(kh_connection_read("  sl  local_address rem_address   st tx_queue rx_queue\n", &connection),
			 0);
	assert_int_equal(kh_connection_read("   3: 0102:0016 0304:C822 01 0\n", &connection), 0);
	assert_int_equal(kh_connection_read("", &connection), 0);
}

static int on_connection(const struct kh_connection *connection, void *context)
{
	return kh_connection_same(connection, context);
}

/* Over loopback, by an IPv6 socket that serves IPv4, as sshd has it. */
static void a_real_one_is_found_while_it_lives(void **state)
{
	int server = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), client, served, off = 0;
	struct sockaddr_in6 local = { .sin6_family = AF_INET6 };
	struct sockaddr_in address = { .sin_family = AF_INET }, from;
	socklen_t length = sizeof(local);
	struct kh_connection wanted;
	char text[128];

	(void)state;
	if (server < 0)
		skip();
	assert_int_equal(setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	assert_int_equal(bind(server, (struct sockaddr *)&local, sizeof(local)), 0);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&local, &length), 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = local.sin6_port;
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	served = accept(server, NULL, NULL);
	length = sizeof(from);
	assert_int_equal(getsockname(client, (struct sockaddr *)&from, &length), 0);
	snprintf(text, sizeof(text), "127.0.0.1 %u 127.0.0.1 %u", ntohs(from.sin_port), ntohs(local.sin6_port));
	assert_int_equal(kh_connection_parse(text, &wanted), 0);
	assert_int_equal(kh_connections(on_connection, &wanted), 1);
	wanted.peer_port ^= 1;
	assert_int_equal(kh_connections(on_connection, &wanted), 0);
	wanted.peer_port ^= 1;
	close(client);
	close(served);
	close(server);
	assert_int_equal(kh_connections(on_connection, &wanted), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_sshd_says_is_read),
		cmocka_unit_test(the_kernels_lines_are_read),
		cmocka_unit_test(a_real_one_is_found_while_it_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
