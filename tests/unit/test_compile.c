// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists that a compiler gets wrong, one by one: what each address gets, at each moment.
 */
#include "compile_case.h"

#include <errno.h>
#include <stdlib.h>

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* a table row leaves out what is zero */

#define ORDERS_MAX 32
#define HOLES_MAX 8
#define PROBES_MAX 24

struct order_row {
	const char *range; /* NULL ends the table */
	uint32_t slot;
	enum kh_action action;
	uint32_t deadline;
	uint16_t port;
	uint8_t protocol;
};

struct probe_row {
	const char *address; /* NULL ends the table */
	uint32_t slot; /* 0: none */
	enum kh_action action;
	uint32_t now;
	uint16_t port;
	uint8_t protocol;
};

struct list_case {
	const char *name;
	struct order_row orders[ORDERS_MAX];
	const char *holes[HOLES_MAX];
	struct probe_row probes[PROBES_MAX];
};

#define DROP KH_ACTION_DROP
#define MONITOR KH_ACTION_MONITOR

static const struct list_case cases[] = {
	{ "nothing",
	  {},
	  {},
	  { { "0.0.0.0", 0 },
	    { "255.255.255.255", 0 },
	    { "::", 0 },
	    { "2001:db8::1", 0 },
	    { "192.0.2.1", 0, DROP, 0, 443, 6 } } },
	{ "one address of a /24",
	  { { "192.0.2.7", 1 } },
	  {},
	  { { "192.0.2.6", 0 }, { "192.0.2.7", 1 }, { "192.0.2.8", 0 }, { "192.0.3.7", 0 }, { "192.1.2.7", 0 } } },
	{ "first and last octet",
	  { { "192.0.2.0", 1 }, { "192.0.3.255", 2 } },
	  {},
	  { { "192.0.1.255", 0 },
	    { "192.0.2.0", 1 },
	    { "192.0.2.1", 0 },
	    { "192.0.3.254", 0 },
	    { "192.0.3.255", 2 },
	    { "192.0.4.0", 0 } } },
	{ "first and last address",
	  { { "0.0.0.0", 1 }, { "255.255.255.255", 2 }, { "::", 3 }, { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 4 } },
	  {},
	  { { "0.0.0.0", 1 },
	    { "0.0.0.1", 0 },
	    { "255.255.255.254", 0 },
	    { "255.255.255.255", 2 },
	    { "::", 3 },
	    { "::1", 0 },
	    { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 0 },
	    { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 4 } } },
	{ "adjacent",
	  { { "192.0.2.0/25", 1 },
	    { "192.0.2.128/25", 2 },
	    { "192.0.3.0/24", 3 },
	    { "2001:db8::/33", 4 },
	    { "2001:db8:8000::/33", 5 },
	    { "2001:db9::/32", 6 },
	    { "2001:dba::/127", 7 },
	    { "2001:dba::2/127", 8 } },
	  {},
	  { { "192.0.2.127", 1 },
	    { "192.0.2.128", 2 },
	    { "192.0.2.255", 2 },
	    { "192.0.3.0", 3 },
	    { "192.0.4.0", 0 },
	    { "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", 4 },
	    { "2001:db8:8000::", 5 },
	    { "2001:db9::", 6 },
	    { "2001:db9:ffff:ffff:ffff:ffff:ffff:ffff", 6 },
	    { "2001:dba::1", 7 },
	    { "2001:dba::2", 8 },
	    { "2001:dba::4", 0 } } },
	{ "nested, the longest names it",
	  { { "198.51.0.0/16", 1 }, { "198.51.100.0/24", 2 }, { "198.51.100.64/26", 3 }, { "198.51.100.77", 4 } },
	  {},
	  { { "198.51.0.0", 1 },
	    { "198.51.99.255", 1 },
	    { "198.51.100.0", 2 },
	    { "198.51.100.64", 3 },
	    { "198.51.100.77", 4 },
	    { "198.51.100.78", 3 },
	    { "198.51.100.127", 3 },
	    { "198.51.100.128", 2 },
	    { "198.51.101.0", 1 },
	    { "198.52.0.0", 0 } } },
	{ "alone in IPv6",
	  { { "2001:db8:1::/48", 1 },
	    { "2001:db8:2::5", 2 },
	    { "2001:db8:3::/64", 3 },
	    { "2001:db8:3::100:0/112", 4 },
	    { "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 5 } },
	  {},
	  { { "2001:db8::", 0 },
	    { "2001:db8:0:ffff:ffff:ffff:ffff:ffff", 0 },
	    { "2001:db8:1::", 1 },
	    { "2001:db8:1:ffff:ffff:ffff:ffff:ffff", 1 },
	    { "2001:db8:2::4", 0 },
	    { "2001:db8:2::5", 2 },
	    { "2001:db8:2::6", 0 },
	    { "2001:db8:2:1::5", 0 },
	    { "2001:db8:3::ff:ffff", 3 },
	    { "2001:db8:3::100:0", 4 },
	    { "2001:db8:3::100:ffff", 4 },
	    { "2001:db8:3::101:0", 3 },
	    { "2001:db8:3:1::", 0 },
	    { "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe", 0 },
	    { "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 5 } } },
	{ "nested in IPv6",
	  { { "2001::/20", 1 },
	    { "2001:db8::/32", 2 },
	    { "2001:db8:1::/48", 3 },
	    { "2001:db8:1:1::/64", 4 },
	    { "2001:db8:1:1:8000::/65", 5 },
	    { "2001:db8:1:1:8000::1/128", 6 } },
	  {},
	  { { "2001:0:ffff::", 1 },
	    { "2001:fff:ffff::", 1 },
	    { "2001:1000::", 0 },
	    { "2001:db8::", 2 },
	    { "2001:db8:1::", 3 },
	    { "2001:db8:1:1::", 4 },
	    { "2001:db8:1:1:7fff::", 4 },
	    { "2001:db8:1:1:8000::", 5 },
	    { "2001:db8:1:1:8000::1", 6 },
	    { "2001:db8:1:1:8000::2", 5 },
	    { "2001:db8:1:1:ffff:ffff:ffff:ffff", 5 },
	    { "2001:db8:1:2::", 3 },
	    { "2001:db8:2::", 2 },
	    { "2001:db9::", 1 } } },
	{ "the whole space",
	  { { "0.0.0.0/0", 1 }, { "::/0", 2 } },
	  {},
	  { { "0.0.0.0", 1 },
	    { "192.0.2.1", 1 },
	    { "255.255.255.255", 1 },
	    { "::", 2 },
	    { "2001:db8::1", 2 },
	    { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2 } } },
	{ "the whole space with holes",
	  { { "0.0.0.0/0", 1 }, { "::/0", 2 }, { "192.0.2.1", 3 } },
	  { "192.0.2.0/24", "10.0.0.0/8", "0.0.0.0", "255.255.255.255", "2001:db8::/48", "2001:db9::1",
	    "2001:dba::/32" },
	  { { "0.0.0.0", 0 },
	    { "0.0.0.1", 1 },
	    { "192.0.1.255", 1 },
	    { "192.0.2.0", 0 },
	    { "192.0.2.1", 0 },
	    { "192.0.3.0", 1 },
	    { "9.255.255.255", 1 },
	    { "10.0.0.0", 0 },
	    { "10.255.255.255", 0 },
	    { "11.0.0.0", 1 },
	    { "255.255.255.254", 1 },
	    { "255.255.255.255", 0 },
	    { "2001:db8::", 0 },
	    { "2001:db8:0:ffff:ffff:ffff:ffff:ffff", 0 },
	    { "2001:db8:1::", 2 },
	    { "2001:db7::", 2 },
	    { "2001:db9::", 2 },
	    { "2001:db9::1", 0 },
	    { "2001:db9::2", 2 },
	    { "2001:dba::", 0 },
	    { "2001:dba:ffff:ffff:ffff:ffff:ffff:ffff", 0 },
	    { "2001:dbb::", 2 } } },
	{ "a hole wider than the order",
	  { { "192.0.2.7", 1 }, { "192.0.2.200-192.0.3.5", 2 }, { "192.0.2.7", 3, DROP, 0, 80, 6 } },
	  { "192.0.2.0/24", "192.0.2.128/25" },
	  { { "192.0.2.7", 0 },
	    { "192.0.2.255", 0 },
	    { "192.0.3.0", 2 },
	    { "192.0.3.5", 2 },
	    { "192.0.3.6", 0 },
	    { "192.0.2.7", 0, DROP, 0, 80, 6 } } },
	{ "drop beats monitor at any length",
	  { { "203.0.113.0/24", 1, DROP },
	    { "203.0.113.9", 2, MONITOR },
	    { "203.0.114.0/24", 3, MONITOR },
	    { "203.0.114.9", 4, DROP } },
	  {},
	  { { "203.0.113.8", 1, DROP },
	    { "203.0.113.9", 1, DROP },
	    { "203.0.114.8", 3, MONITOR },
	    { "203.0.114.9", 4, DROP } } },
	{ "twins",
	  { { "203.0.113.9", 1, MONITOR },
	    { "203.0.113.9", 5, DROP, 100 },
	    { "203.0.113.9", 4, DROP, 200 },
	    { "203.0.113.9", 3, DROP, 200 },
	    { "203.0.113.9", 3, DROP, 200 },
	    { "203.0.113.9", 2, MONITOR, 300 } },
	  {},
	  { { "203.0.113.9", 3, DROP, 0 },
	    { "203.0.113.9", 3, DROP, 199 },
	    { "203.0.113.9", 1, MONITOR, 200 },
	    { "203.0.113.9", 1, MONITOR, UINT32_MAX } } },
	{ "an expired order opens no hole",
	  { { "203.0.113.9", 1, DROP, 100 },
	    { "203.0.113.0/28", 2, DROP, 50 },
	    { "203.0.113.0/24", 3, DROP, 200 },
	    { "203.0.0.0/16", 4, MONITOR, 300 } },
	  {},
	  { { "203.0.113.9", 1, DROP, 0 },
	    { "203.0.113.9", 1, DROP, 99 },
	    { "203.0.113.9", 3, DROP, 100 },
	    { "203.0.113.9", 3, DROP, 199 },
	    { "203.0.113.9", 4, MONITOR, 200 },
	    { "203.0.113.9", 4, MONITOR, 299 },
	    { "203.0.113.9", 0, DROP, 300 },
	    { "203.0.113.8", 2, DROP, 49 },
	    { "203.0.113.8", 3, DROP, 50 } } },
	{ "the last second there is",
	  { { "203.0.113.9", 1, DROP, UINT32_MAX }, { "203.0.113.0/24", 2, DROP } },
	  {},
	  { { "203.0.113.9", 1, DROP, UINT32_MAX - 1 }, { "203.0.113.9", 2, DROP, UINT32_MAX } } },
	{ "the first second there is",
	  { { "203.0.113.9", 1, DROP, 1 } },
	  {},
	  { { "203.0.113.9", 1, DROP, 0 }, { "203.0.113.9", 0, DROP, 1 } } },
	{ "ranges that are no prefixes",
	  { { "192.0.2.250-192.0.3.5", 1 },
	    { "192.0.3.3-192.0.3.9", 2 },
	    { "2001:db8::fffe-2001:db8:0:1::1", 3 },
	    { "2001:db7:ffff::-2001:db9::1", 4 } },
	  {},
	  { { "192.0.2.249", 0 },
	    { "192.0.2.250", 1 },
	    { "192.0.3.2", 1 },
	    { "192.0.3.3", 2 },
	    { "192.0.3.5", 2 },
	    { "192.0.3.9", 2 },
	    { "192.0.3.10", 0 },
	    { "2001:db7:fffe:ffff::", 0 },
	    { "2001:db7:ffff::", 4 },
	    { "2001:db8::fffd", 4 },
	    { "2001:db8::fffe", 3 },
	    { "2001:db8:0:1::1", 3 },
	    { "2001:db8:0:1::2", 4 },
	    { "2001:db9::1", 4 },
	    { "2001:db9::2", 0 } } },
	{ "ports",
	  { { "203.0.113.9", 1, DROP, 0, 443, 6 },
	    { "203.0.113.9", 2, DROP, 0, 53, 0 },
	    { "2001:db8::9", 3, MONITOR, 50, 443, 17 },
	    { "203.0.113.0/24", 4, MONITOR },
	    { "203.0.113.9", 5, DROP, 0, 65535, 17 } },
	  {},
	  { { "203.0.113.9", 1, DROP, 0, 443, 6 },
	    { "203.0.113.9", 0, DROP, 0, 443, 17 },
	    { "203.0.113.9", 0, DROP, 0, 80, 6 },
	    { "203.0.113.9", 2, DROP, 0, 53, 6 },
	    { "203.0.113.9", 2, DROP, 0, 53, 17 },
	    { "203.0.113.10", 0, DROP, 0, 443, 6 },
	    { "203.0.113.9", 4, MONITOR },
	    { "2001:db8::9", 3, MONITOR, 49, 443, 17 },
	    { "2001:db8::9", 0, DROP, 50, 443, 17 },
	    { "2001:db8::9", 0 },
	    { "::203.0.113.9", 0, DROP, 0, 443, 6 },
	    { "203.0.113.9", 5, DROP, 0, 65535, 17 } } },
	{ "ports in chains",
	  { { "203.0.113.9", 1, DROP, 100, 443, 0 },
	    { "203.0.113.9", 2, DROP, 50, 443, 6 },
	    { "203.0.113.9", 3, MONITOR, 200, 443, 6 },
	    { "203.0.113.9", 4, MONITOR, 0, 443, 0 } },
	  {},
	  { { "203.0.113.9", 2, DROP, 49, 443, 6 },
	    { "203.0.113.9", 1, DROP, 50, 443, 6 },
	    { "203.0.113.9", 3, MONITOR, 100, 443, 6 },
	    { "203.0.113.9", 4, MONITOR, 200, 443, 6 },
	    { "203.0.113.9", 1, DROP, 49, 443, 17 },
	    { "203.0.113.9", 4, MONITOR, 100, 443, 17 } } },
	{ "seven drops and two monitors on one address",
	  { { "203.0.113.9", 1, DROP, 10 },
	    { "203.0.113.8/31", 2, DROP, 20 },
	    { "203.0.113.8/30", 3, DROP, 30 },
	    { "203.0.113.8/29", 4, DROP, 40 },
	    { "203.0.113.0/28", 5, DROP, 50 },
	    { "203.0.113.0/27", 6, DROP, 60 },
	    { "203.0.113.0/26", 7, DROP, 70 },
	    { "203.0.113.9", 8, MONITOR, 80 },
	    { "203.0.113.8/31", 9, MONITOR, 90 } },
	  {},
	  /* kept: the drops 1, 2, 3 and 7, the monitor 9 */
	  { { "203.0.113.9", 1, DROP, 9 },
	    { "203.0.113.9", 2, DROP, 10 },
	    { "203.0.113.9", 3, DROP, 29 },
	    { "203.0.113.9", 7, DROP, 30 },
	    { "203.0.113.9", 7, DROP, 69 },
	    { "203.0.113.9", 9, MONITOR, 70 },
	    { "203.0.113.9", 9, MONITOR, 89 },
	    { "203.0.113.9", 0, DROP, 90 } } },
	{ "one drop and six monitors on one address",
	  { { "203.0.113.9", 1, DROP, 10 },
	    { "203.0.113.9", 2, MONITOR, 20 },
	    { "203.0.113.8/31", 3, MONITOR, 30 },
	    { "203.0.113.8/30", 4, MONITOR, 40 },
	    { "203.0.113.8/29", 5, MONITOR, 50 },
	    { "203.0.113.0/28", 6, MONITOR, 60 },
	    { "203.0.113.0/27", 7, MONITOR } },
	  {},
	  { { "203.0.113.9", 1, DROP, 9 },
	    { "203.0.113.9", 2, MONITOR, 10 },
	    { "203.0.113.9", 3, MONITOR, 20 },
	    { "203.0.113.9", 4, MONITOR, 30 },
	    { "203.0.113.9", 7, MONITOR, 40 },
	    { "203.0.113.9", 7, MONITOR, UINT32_MAX } } },
	{ "monitors that the drops outlive take no place",
	  { { "203.0.113.9", 1, DROP, 10 },
	    { "203.0.113.8/31", 2, DROP, 20 },
	    { "203.0.113.8/30", 3, DROP, 30 },
	    { "203.0.113.9", 4, MONITOR, 5 },
	    { "203.0.113.8/31", 5, MONITOR, 25 },
	    { "203.0.113.8/30", 6, MONITOR, 40 },
	    { "203.0.113.8/29", 7, MONITOR, 50 } },
	  {},
	  { { "203.0.113.9", 3, DROP, 29 },
	    { "203.0.113.9", 6, MONITOR, 30 },
	    { "203.0.113.9", 7, MONITOR, 40 },
	    { "203.0.113.9", 0, DROP, 50 } } },
	{ "twins take no place either",
	  { { "203.0.113.9", 1, DROP, 10 },
	    { "203.0.113.9", 2, DROP, 10 },
	    { "203.0.113.9", 3, DROP, 10 },
	    { "203.0.113.9", 4, DROP, 10 },
	    { "203.0.113.9", 5, DROP, 10 },
	    { "203.0.113.8/31", 6, DROP, 20 },
	    { "203.0.113.8/30", 7, DROP, 30 } },
	  {},
	  { { "203.0.113.9", 1, DROP, 9 },
	    { "203.0.113.9", 6, DROP, 10 },
	    { "203.0.113.9", 7, DROP, 20 },
	    { "203.0.113.9", 0, DROP, 30 } } },
	{ "one address between two holes",
	  { { "192.0.2.0/24", 1 }, { "2001:db8::/32", 2 } },
	  { "192.0.2.11-192.0.2.20", "192.0.2.1-192.0.2.9", "2001:db8::2", "2001:db8::" },
	  { { "192.0.2.0", 1 },
	    { "192.0.2.9", 0 },
	    { "192.0.2.10", 1 },
	    { "192.0.2.11", 0 },
	    { "192.0.2.21", 1 },
	    { "2001:db8::", 0 },
	    { "2001:db8::1", 2 },
	    { "2001:db8::2", 0 },
	    { "2001:db8::3", 2 } } },
	{ "all but the last of each level",
	  { { "::/0", 1 }, { "2001:db8::/32", 2 }, { "2001:db9::/64", 3 }, { "0.0.0.0/0", 4 } },
	  { "ffff:ffff::/32", "2001:db8:ffff:ffff::/64", "2001:db9::ffff:ffff:ffff:ffff", "255.255.255.0/24" },
	  { { "ffff:fffe::", 1 },
	    { "ffff:ffff::", 0 },
	    { "ffff:ffff:ffff::", 0 },
	    { "2001:db8:ffff:fffe::", 2 },
	    { "2001:db8:ffff:ffff::", 0 },
	    { "2001:db9::ffff:ffff:ffff:fffe", 3 },
	    { "2001:db9::ffff:ffff:ffff:ffff", 0 },
	    { "2001:db9:0:1::", 1 },
	    { "255.255.254.255", 4 },
	    { "255.255.255.0", 0 },
	    { "255.255.255.255", 0 } } },
	{ "a block that is one order but for a few /24s",
	  { { "198.18.0.0/18", 1 }, { "198.18.5.0/24", 2 }, { "198.18.6.6", 3 } },
	  { "198.18.7.0/24" },
	  { { "198.18.0.0", 1 },
	    { "198.18.4.255", 1 },
	    { "198.18.5.0", 2 },
	    { "198.18.5.255", 2 },
	    { "198.18.6.5", 1 },
	    { "198.18.6.6", 3 },
	    { "198.18.7.0", 0 },
	    { "198.18.7.255", 0 },
	    { "198.18.8.0", 1 },
	    { "198.18.63.255", 1 },
	    { "198.18.64.0", 0 } } },
};

static void run_case(const struct list_case *test)
{
	struct kh_compile_order orders[ORDERS_MAX];
	struct kh_range holes[HOLES_MAX];
	struct kh_naive_list list = { orders, 0, holes, 0 };
	struct kh_error error = {};
	struct kh_image *image;

	for (const struct order_row *row = test->orders; row < test->orders + ORDERS_MAX && row->range; row++)
		orders[list.orders_count++] =
			(struct kh_compile_order){ range_of(row->range), row->slot,	      row->deadline, row->port,
						   row->protocol,	 (uint8_t)row->action };
	while (list.holes_count < HOLES_MAX && test->holes[list.holes_count]) {
		holes[list.holes_count] = range_of(test->holes[list.holes_count]);
		list.holes_count++;
	}
	image = compile_list(&list, 7);
	if (kh_image_check(image->data, image->pages * KH_PAGE_SIZE, &error) < 0)
		fail_msg("%s: %s", test->name, error.text);
	for (const struct probe_row *row = test->probes; row < test->probes + PROBES_MAX && row->address; row++) {
		struct kh_naive_query query = { range_of(row->address), row->now, row->port, row->protocol };
		struct kh_naive_verdict found = image_match(image, &query);

		if (found.slot != row->slot || (row->slot && found.action != row->action))
			fail_msg("%s: %s port %u at %u: found %u/%d, wanted %u/%d", test->name, row->address, row->port,
				 row->now, found.slot, (int)found.action, row->slot, (int)row->action);
		compare_with_naive(image, &list, &query); /* so that the naive matcher is tested too */
	}
	kh_image_free(image);
}

static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++)
		run_case(&cases[i]);
}

/* ---- The header ------------------------------------------------------------------------------ */

static void test_header_tells_what_it_holds(void **state)
{
	const struct kh_compile_order orders[] = {
		{ range_of("192.0.2.1"), 5, 0, 0, 0, DROP },	  { range_of("192.0.2.1"), 5, 99, 0, 0, DROP },
		{ range_of("192.0.2.0/24"), 6, 0, 0, 0, DROP },	  { range_of("2001:db8::/32"), 7, 0, 0, 0, MONITOR },
		{ range_of("192.0.2.1"), 8, 0, 443, 0, DROP },	  { range_of("10.1.2.3"), 9, 0, 0, 0, DROP },
		{ range_of("2001:db8:1::1"), 40, 5, 0, 0, DROP },
	};
	const struct kh_range holes[] = { range_of("10.0.0.0/8") };
	struct kh_naive_list list = { orders, KH_ARRAY_SIZE(orders), holes, 1 };
	struct kh_image *image = compile_list(&list, 123);
	const struct kh_image_header *header = kh_image_header(image);

	(void)state;
	assert_int_equal(header->generation, 123);
	assert_int_equal(header->pages, image->pages);
	assert_int_equal(header->indicators_v4, 2); /* 10.1.2.3 is in a hole */
	assert_int_equal(header->indicators_v6, 2);
	assert_int_equal(header->indicators_ports, 1);
	assert_int_equal(header->slots_needed, 41);
	assert_int_equal(header->ports_count, 2);
	assert_int_equal(header->v6_nets, 1);
	assert_int_equal(header->orders_count,
			 2); /* the monitor, and the drop that ends; the twin of slot 5 is never reached */
	kh_image_free(image);
}

static void test_the_same_list_gives_the_same_image(void **state)
{
	struct kh_compile_order orders[200];
	struct kh_naive_list list = { orders, KH_ARRAY_SIZE(orders), NULL, 0 };
	struct kh_image *first, *second;
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(orders); i++) {
		uint32_t kind = random_below(&random, 3);
		kh_u128 address = kind == 1 ? (kh_u128)random_next(&random) << 64 : random_below(&random, UINT32_MAX);

		orders[i] = (struct kh_compile_order){
			{ address, address, kind == 1 ? 6 : 4 }, (uint32_t)i + 1, random_below(&random, 3), 0, 0, DROP
		};
		if (kind == 2)
			orders[i].port = 443;
	}
	first = compile_list(&list, 5);
	for (size_t i = 0; i < KH_ARRAY_SIZE(orders) / 2; i++) { /* whatever the order of its lines */
		struct kh_compile_order swapped = orders[i];

		orders[i] = orders[KH_ARRAY_SIZE(orders) - 1 - i];
		orders[KH_ARRAY_SIZE(orders) - 1 - i] = swapped;
	}
	second = compile_list(&list, 6);
	assert_int_equal(first->pages, second->pages);
	((struct kh_image_header *)second->data)->generation = 5; /* nothing else depends on it, but the checksum */
	((struct kh_image_header *)second->data)->checksum = kh_image_header(first)->checksum;
	assert_memory_equal(first->data, second->data, first->pages * KH_PAGE_SIZE);
	kh_image_free(first);
	kh_image_free(second);
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void assert_refused(const struct kh_compile_order *order, const char *why)
{
	struct kh_compile_order orders[2] = { { range_of("192.0.2.1"), 1, 0, 0, 0, DROP }, *order };
	struct kh_image *image = (struct kh_image *)&orders;
	struct kh_error error = {};

	assert_int_equal(kh_compile(orders, 2, NULL, 0, 1, &image, &error), -EINVAL);
	assert_ptr_equal(image, &orders);
	if (!strstr(error.text, why) || !strstr(error.text, "Order 1 "))
		fail_msg("\"%s\" does not say \"Order 1\" and \"%s\"", error.text, why);
}

/* Memory of before, looked at by nobody any more, cleared beforehand or not: nothing of it shows. */
static void test_a_spare_image_leaves_no_trace(void **state)
{
	struct kh_compile_order orders[300];
	struct kh_compile_input input = { .orders = orders };
	struct kh_image *spare = NULL, *image, *alone;
	uint64_t random = 2;

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(orders); i++) {
		kh_u128 address = random_below(&random, UINT32_MAX);

		orders[i] = (struct kh_compile_order){ { address, address, 4 }, (uint32_t)i + 1, 0, 0, 0, DROP };
	}
	for (int round = 0; round < 6; round++) {
		input.orders_count = round % 2 ? 7 : KH_ARRAY_SIZE(orders);
		input.spare = NULL;
		assert_int_equal(kh_compile_all(&input, 9, &alone, NULL), 0);
		if (round >= 3 || !round)
			kh_image_spare(&spare, alone->pages);
		input.spare = &spare;
		assert_int_equal(kh_compile_all(&input, 9, &image, NULL), 0);
		assert_int_equal(image->pages, alone->pages);
		assert_memory_equal(image->data, alone->data, alone->pages * KH_PAGE_SIZE);
		kh_image_free(alone);
		kh_image_free(spare);
		spare = image;
	}
	kh_image_free(spare);
}

static void test_malformed_orders_are_refused(void **state)
{
	struct kh_compile_order order = { range_of("192.0.2.1"), 1, 0, 0, 0, DROP }, bad;

	(void)state;
	bad = order, bad.range.family = 5, assert_refused(&bad, "range");
	bad = order, bad.range.first++, assert_refused(&bad, "range");
	bad = order, bad.range.last = (kh_u128)1 << 32, assert_refused(&bad, "range");
	bad = order, bad.slot = 0, assert_refused(&bad, "slot");
	bad = order, bad.slot = KH_SLOT_MAX + 1, assert_refused(&bad, "slot");
	bad = order, bad.action = 2, assert_refused(&bad, "action");
	bad = order, bad.port = 1, bad.range.first--, assert_refused(&bad, "port");
	bad = order, bad.protocol = 6, assert_refused(&bad, "protocol");
	bad = order, bad.port = 1, bad.protocol = 1, assert_refused(&bad, "protocol");
}

static void test_malformed_holes_are_refused(void **state)
{
	struct kh_range hole = { 2, 1, 4 };
	struct kh_image *image = NULL;
	struct kh_error error = {};

	(void)state;
	assert_int_equal(kh_compile(NULL, 0, &hole, 1, 1, &image, &error), -EINVAL);
	assert_null(image);
	assert_non_null(strstr(error.text, "Exception 0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_header_tells_what_it_holds),
		cmocka_unit_test(test_the_same_list_gives_the_same_image),
		cmocka_unit_test(test_a_spare_image_leaves_no_trace),
		cmocka_unit_test(test_malformed_orders_are_refused),
		cmocka_unit_test(test_malformed_holes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
