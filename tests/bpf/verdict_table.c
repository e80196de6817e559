// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rows: see verdict_table.h. `bad` and `c2` hold what is listed, `office` the office machines (a few listed too), `free` the
 * rest of the world, `foreign` is no subnet of any device.
 */
#include "verdict_table.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* what a row leaves out is 0 */

#define D KH_ACTION_DROP
#define M KH_ACTION_MONITOR

const struct table_order table_orders[] = {
	{ 1, "bad", 7, 0, D, 0, 0, 0 },
	{ 2, "c2", 0, 8, D, 0, 0, 0 },
	{ 3, "c2", 7, 0, M, 0, 0, 0 }, /* inside a drop */
	{ 4, "bad", 128, 7, M, 0, 0, 0 },
	{ 16, "bad", 192, 6, D, 0, 0, 0 }, /* inside a monitor */
	{ 5, "bad", 20, 0, D, 443, 6, 0 },
	{ 6, "bad", 21, 0, M, 53, 17, 0 },
	{ 7, "bad", 22, 0, D, 8080, 0, 0 },
	{ 8, "bad", 23, 0, D, 0, 0, 0 },
	{ 9, "bad", 23, 0, D, 443, 6, 0 },
	{ 10, "bad", 24, 0, M, 0, 0, 0 },
	{ 11, "bad", 24, 0, D, 443, 6, 0 },
	{ 12, "bad", 25, 0, D, 0, 0, 0 },
	{ 13, "bad", 25, 0, M, 443, 6, 0 },
	{ 14, "bad", 26, 0, M, 0, 0, 0 },
	{ 15, "bad", 26, 0, M, 443, 6, 0 },
	{ 17, "office", 66, 0, D, 0, 0, 0 },
	{ 18, "office", 67, 0, M, 0, 0, 0 },
	{ 19, "office", 68, 0, D, 443, 6, 0 },
	/* deadlines */
	{ 20, "bad", 30, 0, D, 0, 0, TABLE_NOW + 1 },
	{ 21, "bad", 31, 0, D, 0, 0, TABLE_NOW },
	{ 22, "bad", 32, 0, D, 0, 0, TABLE_NOW - 1 },
	{ 23, "bad", 32, 3, D, 0, 0, 0 },
	{ 24, "bad", 40, 0, D, 0, 0, TABLE_NOW },
	{ 25, "bad", 40, 0, M, 0, 0, TABLE_NOW + 1 },
	{ 26, "bad", 41, 0, M, 0, 0, TABLE_NOW },
	{ 27, "bad", 50, 0, D, 443, 6, TABLE_NOW },
	{ 28, "bad", 51, 0, D, 443, 6, TABLE_NOW - 9 },
	{ 29, "bad", 51, 0, M, 443, 6, 0 },
	{ 36, "bad", 52, 0, D, 443, 6, TABLE_NOW + 9 },
	/* five, one in the other; the widest is in force */
	{ 30, "bad", 64, 0, D, 0, 0, TABLE_NOW - 5 },
	{ 31, "bad", 64, 1, D, 0, 0, TABLE_NOW - 4 },
	{ 32, "bad", 64, 2, D, 0, 0, TABLE_NOW - 3 },
	{ 33, "bad", 64, 3, D, 0, 0, TABLE_NOW - 2 },
	{ 34, "bad", 64, 4, D, 0, 0, TABLE_NOW + 100 },
	/* more than a chain can hold: the verdict must still be right */
	{ 40, "bad", 96, 0, D, 0, 0, TABLE_NOW - 6 },
	{ 41, "bad", 96, 1, D, 0, 0, TABLE_NOW - 5 },
	{ 42, "bad", 96, 2, D, 0, 0, TABLE_NOW - 4 },
	{ 43, "bad", 96, 3, D, 0, 0, TABLE_NOW - 3 },
	{ 44, "bad", 96, 4, D, 0, 0, TABLE_NOW - 2 },
	{ 45, "bad", 96, 5, D, 0, 0, 0 },
	/* under a hole */
	{ 46, "bad", 9, 0, D, 0, 0, 0 },
	{ 47, "bad", 10, 0, D, 443, 6, 0 },
};
const size_t table_orders_count = KH_ARRAY_SIZE(table_orders);

const struct table_hole table_holes[] = {
	{ "c2", 99, 0 }, /* inside a drop */
	{ "bad", 8, 2 }, /* around two drops */
};
const size_t table_holes_count = KH_ARRAY_SIZE(table_holes);

#define PASSED KH_REASON_PASSED
#define DROPPED KH_REASON_DROPPED
#define MONITORED KH_REASON_MONITORED

const struct table_row table_rows[] = {
	/* ---- Nothing matches ---- */
	{ "unlisted, tcp", AT_LAN, "ip:office.57>free.1 tcp:1024>443 data=10", PASSED },
	{ "unlisted, udp", AT_WAN, "ip:free.1>office.57 udp:53>1024 data=40", PASSED },
	{ "unlisted, from the gateway", AT_OUT, "ip:office.57>free.1 tcp:1024>443", PASSED },
	{ "neighbour of a listed address", AT_LAN, "ip:office.57>bad.6 tcp:1024>443", PASSED },
	{ "icmp", AT_LAN, "ip:office.57>free.1 icmp data=64", PASSED },
	{ "icmp6", AT_LAN, "ip:office.57>free.1 icmp6 data=64", PASSED },
	{ "a protocol without ports", AT_LAN, "ip:office.57>free.1 proto=132 data=12", PASSED },
	{ "no payload at all", AT_LAN, "ip:office.57>free.1 none", PASSED },
	{ "arp", AT_LAN, "type=0806 data=28", KH_REASON_NOT_IP, 0, NOBODY, ONLY_ETHERNET, 28 },
	{ "an 802.3 length", AT_LAN, "type=0026 data=38", KH_REASON_NOT_IP, 0, NOBODY, ONLY_ETHERNET, 38 },
	{ "arp in a tag", AT_LAN, "q type=0806 data=28", KH_REASON_NOT_IP, 0, NOBODY, ONLY_ETHERNET, 28 },
	{ "pppoe discovery", AT_LAN, "type=8863 data=46", KH_REASON_NOT_IP, 0, NOBODY, ONLY_ETHERNET, 46 },
	{ "lcp", AT_WAN, "pppoe=C021 data=10", KH_REASON_NOT_IP, 0, NOBODY, ONLY_ETHERNET, 18 },
	{ "ipcp in a tag", AT_WAN, "q pppoe=8021 data=10", KH_REASON_NOT_IP, 0, NOBODY, ONLY_ETHERNET, 18 },
	{ "only an ethernet header", AT_LAN, "type=0806", KH_REASON_NOT_IP, 0, NOBODY, ONLY_ETHERNET, NO_BYTES },

	/* ---- An order on an address ---- */
	{ "drop, calling out", AT_LAN, "ip:office.57>bad.7 tcp:1024>443", DROPPED, 1, MACHINE },
	{ "drop, coming in", AT_WAN, "ip:bad.7>office.57 tcp:443>1024", DROPPED, 1 },
	{ "drop, called by the gateway", AT_OUT, "ip:office.1>bad.7 tcp:1024>443", DROPPED, 1, GATEWAY },
	{ "drop, icmp", AT_LAN, "ip:office.57>bad.7 icmp data=64", DROPPED, 1, MACHINE },
	{ "drop, icmp6: none is exempt", AT_LAN, "ip:office.57>bad.7 icmp6 data=24", DROPPED, 1, MACHINE, ONLY_IPV6 },
	{ "drop in a prefix", AT_LAN, "ip:office.57>c2.200 udp:1024>53", DROPPED, 2, MACHINE },
	{ "first address of a prefix", AT_LAN, "ip:office.57>c2.0 udp:1024>53", DROPPED, 2, MACHINE },
	{ "last address of a prefix", AT_LAN, "ip:office.57>c2.255 udp:1024>53", DROPPED, 2, MACHINE },
	{ "monitor, calling out", AT_LAN, "ip:office.57>bad.130 tcp:1024>443", MONITORED, 4, MACHINE },
	{ "monitor, coming in", AT_WAN, "ip:bad.130>office.57 tcp:443>1024", MONITORED, 4 },
	{ "monitor, called by the gateway", AT_OUT, "ip:office.1>bad.130 tcp:1024>443", MONITORED, 4, GATEWAY },
	{ "a monitor inside a drop does not open it", AT_LAN, "ip:office.57>c2.7 tcp:1024>443", DROPPED, 2, MACHINE },
	{ "a drop inside a monitor", AT_LAN, "ip:office.57>bad.200 tcp:1024>443", DROPPED, 16, MACHINE },
	{ "a hole in a drop", AT_LAN, "ip:office.57>c2.99 tcp:1024>443", PASSED },
	{ "a hole around a drop", AT_LAN, "ip:office.57>bad.9 tcp:1024>443", PASSED },
	{ "a hole around an order on a port", AT_LAN, "ip:office.57>bad.10 tcp:1024>443", PASSED },

	/* ---- Both sides match: drop first, then the remote side; counted once ---- */
	{ "lan: both drop", AT_LAN, "ip:office.66>bad.7 tcp:1024>443", DROPPED, 1, MACHINE },
	{ "lan: source monitor, destination drop", AT_LAN, "ip:office.67>bad.7 tcp:1024>443", DROPPED, 1, MACHINE },
	{ "lan: source drop, destination monitor", AT_LAN, "ip:office.66>bad.130 tcp:1024>443", DROPPED, 17 },
	{ "lan: both monitor", AT_LAN, "ip:office.67>bad.130 tcp:1024>443", MONITORED, 4, MACHINE },
	{ "lan: only the source", AT_LAN, "ip:office.66>free.1 tcp:1024>443", DROPPED, 17 },
	{ "wan: both drop", AT_WAN, "ip:bad.7>office.66 tcp:443>1024", DROPPED, 1 },
	{ "wan: source monitor, destination drop", AT_WAN, "ip:bad.130>office.66 tcp:443>1024", DROPPED, 17 },
	{ "wan: source drop, destination monitor", AT_WAN, "ip:bad.7>office.67 tcp:443>1024", DROPPED, 1 },
	{ "wan: both monitor", AT_WAN, "ip:bad.130>office.67 tcp:443>1024", MONITORED, 4 },
	{ "wan: only the destination", AT_WAN, "ip:free.1>office.66 tcp:443>1024", DROPPED, 17 },
	{ "out: both drop", AT_OUT, "ip:office.66>bad.7 tcp:1024>443", DROPPED, 1, GATEWAY },
	{ "out: source drop, destination monitor", AT_OUT, "ip:office.66>bad.130 tcp:1024>443", DROPPED, 17 },
	{ "out: only the source", AT_OUT, "ip:office.67>free.1 tcp:1024>443", MONITORED, 18 },

	/* ---- An order on an address and port ---- */
	{ "port: the remote one", AT_LAN, "ip:office.57>bad.20 tcp:1024>443 data=5", DROPPED, 5, MACHINE },
	{ "port: another", AT_LAN, "ip:office.57>bad.20 tcp:1024>444", PASSED },
	{ "port: ours, calling out", AT_LAN, "ip:office.57>bad.20 tcp:443>1024", PASSED },
	{ "port: another protocol", AT_LAN, "ip:office.57>bad.20 udp:1024>443", PASSED },
	{ "port: coming in from it", AT_WAN, "ip:bad.20>office.57 tcp:443>1024", DROPPED, 5 },
	{ "port: coming in to ours", AT_WAN, "ip:bad.20>office.57 tcp:1024>443", PASSED },
	{ "port: called by the gateway", AT_OUT, "ip:office.1>bad.20 tcp:1024>443", DROPPED, 5, GATEWAY },
	{ "port: monitor, udp", AT_LAN, "ip:office.57>bad.21 udp:1024>53", MONITORED, 6, MACHINE },
	{ "port: monitor, not tcp", AT_LAN, "ip:office.57>bad.21 tcp:1024>53", PASSED },
	{ "port: both protocols, tcp", AT_LAN, "ip:office.57>bad.22 tcp:1024>8080", DROPPED, 7, MACHINE },
	{ "port: both protocols, udp", AT_LAN, "ip:office.57>bad.22 udp:1024>8080", DROPPED, 7, MACHINE },
	{ "port: icmp has none", AT_LAN, "ip:office.57>bad.20 icmp data=8", PASSED },
	{ "port: between drops the address", AT_LAN, "ip:office.57>bad.23 tcp:1024>443", DROPPED, 8, MACHINE },
	{ "port: a drop beats a monitored address", AT_LAN, "ip:office.57>bad.24 tcp:1024>443", DROPPED, 11, MACHINE },
	{ "port: elsewhere the address is monitored", AT_LAN, "ip:office.57>bad.24 tcp:1024>80", MONITORED, 10, MACHINE },
	{ "port: a monitor does not open a dropped address", AT_LAN, "ip:office.57>bad.25 tcp:1024>443", DROPPED, 12, MACHINE },
	{ "port: between monitors the address", AT_LAN, "ip:office.57>bad.26 tcp:1024>443", MONITORED, 14, MACHINE },
	{ "port: of the near side, as it answers", AT_LAN, "ip:office.68>free.1 tcp:443>1024", DROPPED, 19 },
	{ "port: of the near side, as it is called", AT_WAN, "ip:free.1>office.68 tcp:1024>443", DROPPED, 19 },
	{ "port: of the near side, another", AT_LAN, "ip:office.68>free.1 tcp:1024>443", PASSED },
	{ "port: near drop beats remote monitor", AT_LAN, "ip:office.68>bad.130 tcp:443>1024", DROPPED, 19 },

	/* ---- Deadlines ---- */
	{ "deadline: the last second", AT_LAN, "ip:office.57>bad.30 tcp:1024>443", DROPPED, 20, MACHINE },
	{ "deadline: now", AT_LAN, "ip:office.57>bad.31 tcp:1024>443", PASSED },
	{ "deadline: over, the prefix goes on", AT_LAN, "ip:office.57>bad.32 tcp:1024>443", DROPPED, 23, MACHINE },
	{ "deadline: over, the monitor goes on", AT_LAN, "ip:office.57>bad.40 tcp:1024>443", MONITORED, 25, MACHINE },
	{ "deadline: a monitor ends too", AT_LAN, "ip:office.57>bad.41 tcp:1024>443", PASSED },
	{ "deadline: of a port, over", AT_LAN, "ip:office.57>bad.50 tcp:1024>443", PASSED },
	{ "deadline: of a port, the monitor goes on", AT_LAN, "ip:office.57>bad.51 tcp:1024>443", MONITORED, 29, MACHINE },
	{ "deadline: of a port, not yet", AT_LAN, "ip:office.57>bad.52 tcp:1024>443", DROPPED, 36, MACHINE },
	{ "deadline: four over, the fifth holds", AT_LAN, "ip:office.57>bad.64 tcp:1024>443", DROPPED, 34, MACHINE },
	{ "deadline: two over, the third holds", AT_LAN, "ip:office.57>bad.68 tcp:1024>443", DROPPED, 34, MACHINE },
	{ "deadline: five over, the sixth holds", AT_LAN, "ip:office.57>bad.96 tcp:1024>443", DROPPED, 45, MACHINE },

	/* ---- Addresses readable, the rest odd: the address match first ---- */
	{ "ihl below 5", AT_LAN, "ip:office.57>free.1 ihl=4 tcp:1024>443", KH_REASON_BAD_HEADER, 0, NOBODY, ONLY_IPV4 },
	{ "ihl below 5, listed", AT_LAN, "ip:office.57>bad.7 ihl=4 tcp:1024>443", DROPPED, 1, MACHINE, ONLY_IPV4 },
	{ "ihl below 5, port listed", AT_LAN, "ip:office.57>bad.20 ihl=4 tcp:1024>443", KH_REASON_BAD_HEADER, 0, NOBODY, ONLY_IPV4 },
	{ "ihl 0", AT_LAN, "ip:office.57>free.1 ihl=0 tcp:1024>443", KH_REASON_BAD_HEADER, 0, NOBODY, ONLY_IPV4 },
	{ "ihl beyond the packet", AT_LAN, "ip:office.57>free.1 ihl=15 tcp:1024>443", KH_REASON_BAD_HEADER, 0, NOBODY, ONLY_IPV4 },
	{ "ihl beyond the packet, listed", AT_LAN, "ip:office.57>bad.7 ihl=15 tcp:1024>443", DROPPED, 1, MACHINE, ONLY_IPV4 },
	{ "options, port listed", AT_LAN, "ip:office.57>bad.20 opt=4 tcp:1024>443", DROPPED, 5, MACHINE, ONLY_IPV4 },
	{ "all options, port listed", AT_LAN, "ip:office.57>bad.20 opt=40 tcp:1024>443", DROPPED, 5, MACHINE, ONLY_IPV4 },
	{ "total below the header", AT_LAN, "ip:office.57>free.1 tcp:1024>443 total=19", KH_REASON_BAD_HEADER, 0, NOBODY, ONLY_IPV4, 19 },
	{ "total below the header, listed", AT_LAN, "ip:office.57>bad.7 tcp:1024>443 total=19", DROPPED, 1, MACHINE, ONLY_IPV4, 19 },
	{ "6 extension headers, port listed", AT_LAN, "ip:office.57>bad.20 hop dst rt=2 ah mh=1 hip tcp:1024>443", DROPPED, 5, MACHINE,
	  ONLY_IPV6 },
	{ "6 extension headers", AT_LAN, "ip:office.57>free.1 hop dst rt dst shim dst udp:1024>443", PASSED, 0, NOBODY, ONLY_IPV6 },
	{ "7 extension headers", AT_LAN, "ip:office.57>free.1 hop dst rt dst dst dst dst tcp:1024>443", KH_REASON_EXTENSION_HEADERS, 0, NOBODY,
	  ONLY_IPV6 },
	{ "7 extension headers, listed", AT_LAN, "ip:office.57>bad.7 hop dst rt dst dst dst dst tcp:1024>443", DROPPED, 1, MACHINE, ONLY_IPV6 },
	{ "7 extension headers, port listed", AT_LAN, "ip:office.57>bad.20 hop dst rt dst dst dst dst tcp:1024>443",
	  KH_REASON_EXTENSION_HEADERS, 0, NOBODY, ONLY_IPV6 },
	{ "an extension header beyond the packet", AT_LAN, "ip:office.57>free.1 dst=1 cut-1", KH_REASON_EXTENSION_HEADERS, 0, NOBODY, ONLY_IPV6,
	  55 },
	{ "no transport header", AT_LAN, "ip:office.57>free.1 proto=6", KH_REASON_L4_TRUNCATED },
	{ "no transport header, listed", AT_LAN, "ip:office.57>bad.7 proto=17", DROPPED, 1, MACHINE },
	{ "tcp cut short", AT_LAN, "ip:office.57>bad.20 tcp:1024>443 total-1 cut-1", KH_REASON_L4_TRUNCATED, 0, NOBODY, ONLY_IPV4, 39 },
	{ "tcp cut short", AT_LAN, "ip:office.57>bad.20 tcp:1024>443 total-1 cut-1", KH_REASON_L4_TRUNCATED, 0, NOBODY, ONLY_IPV6, 59 },
	{ "udp cut short by ip alone", AT_LAN, "ip:office.57>bad.21 udp:1024>53 total-1", KH_REASON_L4_TRUNCATED, 0, NOBODY, ONLY_IPV4, 27 },
	{ "udp cut short by ip alone", AT_LAN, "ip:office.57>bad.21 udp:1024>53 total-1", KH_REASON_L4_TRUNCATED, 0, NOBODY, ONLY_IPV6, 47 },
	{ "first fragment with ports", AT_LAN, "ip:office.57>bad.20 frag=0+ tcp:1024>443 data=20", DROPPED, 5, MACHINE },
	{ "first fragment with ports, unlisted", AT_LAN, "ip:office.57>free.1 frag=0+ tcp:1024>443 data=20", PASSED },
	{ "first fragment without ports", AT_LAN, "ip:office.57>bad.20 frag=0+ proto=6 data=8", KH_REASON_FRAGMENT },
	{ "first fragment without ports, listed", AT_LAN, "ip:office.57>bad.7 frag=0+ proto=6 data=8", DROPPED, 1, MACHINE },
	{ "an atomic fragment", AT_LAN, "ip:office.57>bad.20 frag=0 tcp:1024>443", DROPPED, 5, MACHINE },
	{ "an atomic fragment cut short", AT_LAN, "ip:office.57>bad.20 frag=0 proto=6 data=8", KH_REASON_L4_TRUNCATED },
	{ "a later fragment", AT_LAN, "ip:office.57>free.1 frag=185+ proto=6 data=40", KH_REASON_FRAGMENT },
	{ "the last fragment", AT_LAN, "ip:office.57>free.1 frag=185 proto=17 data=40", KH_REASON_FRAGMENT },
	{ "a later fragment, listed", AT_LAN, "ip:office.57>bad.7 frag=185 proto=6 data=40", DROPPED, 1, MACHINE },
	{ "a later fragment, monitored", AT_LAN, "ip:office.57>bad.130 frag=185 proto=6 data=40", MONITORED, 4, MACHINE },
	{ "a later fragment has no ports", AT_LAN, "ip:office.57>bad.20 frag=185 tcp:1024>443", KH_REASON_FRAGMENT },
	{ "the least later fragment", AT_LAN, "ip:office.57>bad.20 frag=1 tcp:1024>443", KH_REASON_FRAGMENT },

	/* ---- Tunnels: the outer addresses only ---- */
	{ "ip in ip", AT_LAN, "ip:office.57>free.1 ipip data=40", KH_REASON_ENCAPSULATED },
	{ "6in4", AT_LAN, "ip:office.57>free.1 sit data=60", KH_REASON_ENCAPSULATED },
	{ "gre", AT_LAN, "ip:office.57>free.1 gre data=24", KH_REASON_ENCAPSULATED },
	{ "esp", AT_WAN, "ip:free.1>office.57 esp data=24", KH_REASON_ENCAPSULATED },
	{ "vxlan", AT_LAN, "ip:office.57>free.1 vxlan data=50", KH_REASON_ENCAPSULATED },
	{ "vxlan over tcp is tcp", AT_LAN, "ip:office.57>free.1 tcp:1024>4789", PASSED },
	{ "gre, listed", AT_LAN, "ip:office.57>bad.7 gre data=24", DROPPED, 1, MACHINE },
	{ "esp, monitored", AT_OUT, "ip:office.1>bad.130 esp data=24", MONITORED, 4, GATEWAY },
	{ "vxlan, listed", AT_WAN, "ip:bad.7>office.57 vxlan data=50", DROPPED, 1 },

	/* ---- Addresses not readable ---- */
	{ "19 bytes of ipv4", AT_LAN, "ip:office.57>bad.7 cut=33", KH_REASON_TOO_SHORT, 0, NOBODY, ONLY_IPV4 | ONLY_ETHERNET, 19 },
	{ "39 bytes of ipv6", AT_LAN, "ip:office.57>bad.7 cut=53", KH_REASON_TOO_SHORT, 0, NOBODY, ONLY_IPV6 | ONLY_ETHERNET, 39 },
	{ "no layer 3 at all", AT_LAN, "ip:office.57>bad.7 cut=14", KH_REASON_TOO_SHORT, 0, NOBODY, ONLY_ETHERNET, NO_BYTES },
	{ "half a tag", AT_LAN, "q ip:office.57>bad.7 cut=17", KH_REASON_TOO_SHORT, 0, NOBODY, 0, NO_BYTES },
	{ "half a session header", AT_LAN, "pppoe ip:office.57>bad.7 cut=21", KH_REASON_TOO_SHORT, 0, NOBODY, 0, 7 },
	{ "ip version 5", AT_LAN, "ip:office.57>bad.7 tcp:1024>443 ver=5", KH_REASON_BAD_VERSION },
	{ "ip version of the other", AT_LAN, "ip:office.57>bad.7 tcp:1024>443 ver=6", KH_REASON_BAD_VERSION, 0, NOBODY, ONLY_IPV4 },
	{ "ip version of the other", AT_LAN, "ip:office.57>bad.7 tcp:1024>443 ver=4", KH_REASON_BAD_VERSION, 0, NOBODY, ONLY_IPV6 },
	{ "3 tags", AT_LAN, "q q q ip:office.57>bad.7 tcp:1024>443", KH_REASON_TOO_MANY_TAGS, 0, NOBODY, ONLY_IPV4, 44 },
	{ "3 tags", AT_LAN, "ad q q ip:office.57>bad.7 tcp:1024>443", KH_REASON_TOO_MANY_TAGS, 0, NOBODY, ONLY_IPV6, 64 },
	{ "compressed ppp protocol", AT_WAN, "pppoe1 ip:bad.7>office.57 tcp:443>1024", KH_REASON_PPP_OTHER, 0, NOBODY, ONLY_IPV4, 47 },
	{ "compressed ppp protocol", AT_WAN, "q pppoe1 ip:bad.7>office.57 tcp:443>1024", KH_REASON_PPP_OTHER, 0, NOBODY, ONLY_IPV6, 67 },
	{ "multilink ppp", AT_WAN, "pppoe=003D data=30", KH_REASON_PPP_OTHER, 0, NOBODY, ONLY_ETHERNET, 38 },

	/* ---- Carriers ---- */
	{ "1 tag, drop", AT_LAN, "q ip:office.57>bad.7 tcp:1024>443", DROPPED, 1, MACHINE },
	{ "1 service tag, drop", AT_LAN, "ad ip:office.57>bad.7 tcp:1024>443", DROPPED, 1, MACHINE },
	{ "2 tags, port", AT_LAN, "ad q ip:office.57>bad.20 tcp:1024>443", DROPPED, 5, MACHINE },
	{ "2 tags, monitor", AT_WAN, "q q ip:bad.130>office.57 tcp:443>1024", MONITORED, 4 },
	{ "pppoe, drop", AT_WAN, "pppoe ip:bad.7>office.57 tcp:443>1024", DROPPED, 1 },
	{ "pppoe in a tag, drop", AT_WAN, "q pppoe ip:bad.7>office.57 tcp:443>1024", DROPPED, 1 },
	{ "pppoe in 2 tags, port", AT_WAN, "ad q pppoe ip:bad.20>office.57 tcp:443>1024", DROPPED, 5 },
	{ "pppoe in a tag, unlisted", AT_OUT, "q pppoe ip:office.1>free.1 tcp:443>1024", PASSED },
	{ "pppoe in a tag, called by the gateway", AT_OUT, "q pppoe ip:office.1>bad.7 tcp:1024>443", DROPPED, 1, GATEWAY },

	/* ---- Counting ---- */
	{ "padding is not counted", AT_LAN, "ip:office.57>bad.7 udp:1024>53 data=1 pad=17", DROPPED, 1, MACHINE },
	{ "padding in a tag and session", AT_WAN, "q pppoe ip:bad.7>office.57 udp:1024>53 pad=9", DROPPED, 1 },
	{ "a length that lies: what is there counts", AT_LAN, "ip:office.57>bad.7 udp:1024>53 total=9000", DROPPED, 1, MACHINE },
	{ "no length (a jumbo buffer)", AT_LAN, "ip:office.57>bad.7 udp:1024>53 data=100 total=0", DROPPED, 1, MACHINE },
	{ "jumbo, in several parts", AT_LAN, "ip:office.57>bad.7 tcp:1024>443 data=8900", DROPPED, 1, MACHINE, ONLY_XDP },
	{ "jumbo, in several parts and padded", AT_WAN, "q pppoe ip:free.1>office.57 udp:1024>443 data=8900 pad=50", PASSED, 0, NOBODY, ONLY_XDP },
	{ "3 segments of tcp", AT_OUT, "ip:office.57>bad.7 tcp:1024>443/8 data=300", DROPPED, 1, GATEWAY, ONLY_TC | ONLY_IPV4, 352 + 2 * 52, 0, 0, 3,
	  100, 3 },
	{ "3 segments of tcp", AT_OUT, "ip:office.57>bad.7 tcp:1024>443/8 data=300", DROPPED, 1, GATEWAY, ONLY_TC | ONLY_IPV6, 372 + 2 * 72, 0, 0, 3,
	  100, 3 },
	{ "2 segments of udp, in", AT_LAN, "ip:office.57>free.1 udp:1024>443 data=200", PASSED, 0, NOBODY, ONLY_TC | ONLY_IPV4, 228 + 28, 0, 0, 2, 100,
	  2 },
	{ "segments in a tag and session", AT_OUT, "q pppoe ip:office.57>free.1 tcp:1024>443 data=200", PASSED, 0, NOBODY, ONLY_TC | ONLY_IPV6,
	  260 + 60, 0, 0, 2, 100, 2 },
	{ "segments not yet counted (from a guest)", AT_LAN, "ip:office.57>bad.7 tcp:1024>443 data=250", DROPPED, 1, MACHINE, ONLY_TC | ONLY_IPV4,
	  290 + 2 * 40, 0, 0, 0, 100, 3 },
	{ "segments already judged", AT_OUT, "ip:office.57>bad.7 tcp:1024>443 data=200", KH_REASON_ALREADY_JUDGED, 0, NOBODY, ONLY_TC | ONLY_IPV4,
	  240 + 40, 0, LAB_LAN, 2, 100, 2 },

	/* ---- Direction: what ingress judged, egress skips ---- */
	{ "out: judged on the lan", AT_OUT, "ip:office.57>bad.7 tcp:1024>443", KH_REASON_ALREADY_JUDGED, .came_by = LAB_LAN },
	{ "out: judged below a vlan", AT_OUT, "ip:office.57>bad.7 tcp:1024>443", KH_REASON_ALREADY_JUDGED, .came_by = LAB_COVERED },
	{ "out: judged on the wan", AT_OUT, "ip:office.57>bad.7 tcp:1024>443", KH_REASON_ALREADY_JUDGED, .came_by = LAB_WAN },
	{ "out: judged, arp", AT_OUT, "type=0806 data=28", KH_REASON_ALREADY_JUDGED, 0, NOBODY, ONLY_ETHERNET, 28, .came_by = LAB_LAN },
	{ "out: judged, through pppoe", AT_OUT, "q pppoe ip:office.57>bad.7 tcp:1024>443", KH_REASON_ALREADY_JUDGED, .came_by = LAB_WG },
	{ "out: from a device nobody watches", AT_OUT, "ip:office.57>bad.7 tcp:1024>443", DROPPED, 1, GATEWAY, .came_by = LAB_UNKNOWN },

	/* ---- The interface table ---- */
	{ "not in the table: judged, never counted", AT_LAN, "ip:office.57>bad.7 tcp:1024>443", DROPPED, 1, MACHINE, .device = LAB_UNKNOWN },
	{ "not in the table: port", AT_WAN, "ip:bad.20>office.57 tcp:443>1024", DROPPED, 5, NOBODY, .device = LAB_UNKNOWN },
	{ "not in the table: unlisted", AT_LAN, "ip:office.57>free.1 tcp:1024>443", PASSED, .device = LAB_UNKNOWN },
	{ "not in the table: monitored", AT_LAN, "ip:office.57>bad.130 tcp:1024>443", MONITORED, 4, MACHINE, .device = LAB_UNKNOWN },
	{ "not in the table: odd", AT_LAN, "ip:office.57>free.1 ver=5", KH_REASON_BAD_VERSION, .device = LAB_UNKNOWN },
	{ "not in the table: out", AT_OUT, "ip:office.1>bad.7 tcp:1024>443", DROPPED, 1, GATEWAY, .device = LAB_UNKNOWN },
	{ "not in the table: out, judged", AT_OUT, "ip:office.57>bad.7 tcp:1024>443", KH_REASON_ALREADY_JUDGED, .device = LAB_UNKNOWN, .came_by = LAB_LAN },
	{ "another in its place of the table", AT_LAN, "ip:office.57>bad.7 tcp:1024>443", DROPPED, 1, MACHINE, .device = LAB_FAR },

	/* ---- Sightings ---- */
	{ "a source of no subnet", AT_LAN, "ip:foreign.9>bad.7 tcp:1024>443", DROPPED, 1, SPOOFED },
	{ "another source of no subnet", AT_LAN, "ip:foreign.10>bad.7 udp:1024>53", DROPPED, 1, SPOOFED },
	{ "a source of no subnet, monitored", AT_LAN, "ip:foreign.9>bad.130 tcp:1024>443", MONITORED, 4, SPOOFED },
	{ "any source on this device", AT_LAN, "ip:foreign.9>bad.7 tcp:1024>443", DROPPED, 1, MACHINE, .device = LAB_ANY },
	{ "the gateway's address is of no subnet", AT_OUT, "ip:foreign.1>bad.7 tcp:1024>443", DROPPED, 1, GATEWAY },
};
const size_t table_rows_count = KH_ARRAY_SIZE(table_rows);
