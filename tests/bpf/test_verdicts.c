// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every row of verdict_table.c through every program that can meet such a packet: the verdict, and that exactly what the row says was counted,
 * and nothing else, anywhere.
 */
#include "verdict_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "reference.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* what a row leaves out is 0 */

/*
 * Where the symbols of the table lie. A test run takes the EtherType from bytes 12 and 13 of what it is given, also for programs that see no
 * Ethernet header: there the source addresses must hold 0x0800 or 0x86dd in those bytes.
 */
struct world {
	uint8_t family;
	bool bare;
	const char *office, *bad, *c2, *free, *foreign;
};

static const struct world worlds[] = {
	{ 4, false, "192.0.2.", "203.0.113.", "198.51.100.", "198.18.0.", "198.18.7." },
	{ 6, false, "2001:db8:1::", "2001:db8:bad::", "2001:db8:c2::", "2001:db8:f::", "2001:db8:ffff::" },
	{ 4, true, "8.0.2.", "8.0.113.", "8.0.100.", "8.0.18.", "8.0.7." },
	{ 6, true, "2001:db8:86dd:1::", "2001:db8:86dd:bad::", "2001:db8:86dd:c2::", "2001:db8:86dd:f::",
	  "2001:db8:86dd:ffff::" },
};

static void address_text(const struct world *world, const char *symbol, unsigned int host, char ret_text[static 64])
{
	const char *net = !strncmp(symbol, "office", 6) ? world->office
			  : !strncmp(symbol, "bad", 3)	? world->bad
			  : !strncmp(symbol, "c2", 2)	? world->c2
			  : !strncmp(symbol, "free", 4) ? world->free
							: world->foreign;

	snprintf(ret_text, 64, world->family == 4 ? "%s%u" : "%s%x", net, host);
}

/* The frame's text with its addresses: "ip:office.57>bad.7" becomes "4:192.0.2.57>203.0.113.7". */
static void expand(const struct world *world, const char *text, char ret_text[static 512])
{
	const char *ip = strstr(text, "ip:");
	char from[16], to[16], source[64], destination[64];
	unsigned int from_host, to_host;
	int used = 0;

	if (!ip) {
		snprintf(ret_text, 512, "%s%s", world->bare ? "raw " : "", text);
		return;
	}
	assert_int_equal(sscanf(ip, "ip:%15[a-z0-9].%u>%15[a-z0-9].%u%n", from, &from_host, to, &to_host, &used), 4);
	address_text(world, from, from_host, source);
	address_text(world, to, to_host, destination);
	snprintf(ret_text, 512, "%s%.*s%d:%s>%s%s", world->bare ? "raw " : "", (int)(ip - text), text, world->family,
		 source, destination, ip + used);
}

static struct kh_range range_of(const struct world *world, const char *net, unsigned int first, unsigned int host_bits)
{
	struct kh_range range;
	char text[64];

	address_text(world, net, first, text);
	range = lab_range(text);
	range.last = range.first + ((kh_u128)1 << host_bits) - 1;
	return range;
}

static void install_table(void)
{
	struct kh_compile_order *orders = calloc(table_orders_count * KH_ARRAY_SIZE(worlds), sizeof(*orders));
	struct kh_range *holes = calloc(table_holes_count * KH_ARRAY_SIZE(worlds), sizeof(*holes));
	size_t count = 0, holes_count = 0;

	assert_non_null(orders);
	assert_non_null(holes);
	for (size_t w = 0; w < KH_ARRAY_SIZE(worlds); w++) {
		for (size_t i = 0; i < table_orders_count; i++) {
			const struct table_order *order = &table_orders[i];

			orders[count].range = range_of(&worlds[w], order->net, order->first, order->host_bits);
			orders[count].slot = order->slot + (uint32_t)w * TABLE_SLOTS;
			orders[count].deadline = order->deadline;
			orders[count].port = order->port;
			orders[count].protocol = order->protocol;
			orders[count++].action = (uint8_t)order->action;
		}
		for (size_t i = 0; i < table_holes_count; i++)
			holes[holes_count++] = range_of(&worlds[w], table_holes[i].net, table_holes[i].first,
							table_holes[i].host_bits);
	}
	lab_install(lab_compile(orders, count, holes, holes_count));
	free(orders);
	free(holes);
}

/* ---- What a row expects ---- */

struct expected {
	const struct table_row *row;
	const struct frame *frame;
	enum lab_program program;
	uint32_t ifindex;
	uint32_t slot;
	uint32_t packets;
	uint64_t bytes;
	bool counted;
	struct kh_sighting_key key; /* with row->sight */
};

#define EXPECT(expected, condition, ...)                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			print_error("row \"%s\", %s: ", (expected)->row->name, \
				    lab_program_names[(expected)->program]);   \
			fail_msg(__VA_ARGS__);                                 \
		}                                                              \
	} while (0)

static void expect_counters(const struct expected *expected, const struct lab_evidence *before,
			    const struct lab_evidence *after)
{
	enum kh_direction direction = lab_is_out(expected->program) ? KH_EGRESS : KH_INGRESS;
	size_t wanted =
		(size_t)(lab_counter(after, expected->ifindex, direction, expected->row->reason) - after->counters);

	for (size_t i = 0; i < KH_COUNTERS; i++) {
		uint64_t packets = after->counters[i].packets - before->counters[i].packets;
		uint64_t bytes = after->counters[i].bytes - before->counters[i].bytes;
		bool this = expected->counted && i == wanted;

		EXPECT(expected, packets == (this ? expected->packets : 0), "reason %s of row %zu: %lu packets more",
		       lab_reason_name((uint32_t)i % KH_REASON_ROWS), i / KH_REASON_ROWS, (unsigned long)packets);
		EXPECT(expected, bytes == (this ? expected->bytes : 0), "reason %s: %lu bytes more, not %lu",
		       lab_reason_name((uint32_t)i % KH_REASON_ROWS), (unsigned long)bytes,
		       (unsigned long)expected->bytes);
	}
}

static void expect_records(const struct expected *expected, const struct lab_evidence *before,
			   const struct lab_evidence *after)
{
	for (size_t i = 0; i < after->records_count; i++) {
		struct kh_record record = before->records[i];

		if (expected->counted && expected->slot && i == expected->slot) {
			record.packets += expected->packets;
			record.bytes += expected->bytes;
			record.first_seen = record.last_seen = TABLE_NOW;
		}
		EXPECT(expected, !memcmp(&record, &after->records[i], sizeof(record)),
		       "record %zu: %lu packets and %lu bytes more", i,
		       (unsigned long)(after->records[i].packets - before->records[i].packets),
		       (unsigned long)(after->records[i].bytes - before->records[i].bytes));
	}
}

static void expect_sightings(const struct expected *expected, const struct lab_evidence *before,
			     const struct lab_evidence *after)
{
	bool sighted = expected->counted && expected->row->sight != NOBODY;
	const struct kh_sighting *was = lab_sighting(before, &expected->key), *is = lab_sighting(after, &expected->key);
	struct kh_sighting value = { .first_seen = TABLE_NOW, .last_seen = TABLE_NOW };

	if (was)
		value = *was;
	EXPECT(expected, after->sightings_count == before->sightings_count + (sighted && !was), "%zu sightings more",
	       after->sightings_count - before->sightings_count);
	if (sighted) {
		EXPECT(expected, is, "no sighting as expected");
		value.packets += expected->packets;
		value.bytes += expected->bytes;
		EXPECT(expected, !memcmp(&value, is, sizeof(value)), "the sighting has %lu packets, %lu bytes",
		       (unsigned long)is->packets, (unsigned long)is->bytes);
	}
	for (size_t i = 0; i < before->sightings_count; i++) {
		const struct kh_sighting_entry *entry = &before->sightings[i];

		is = lab_sighting(after, &entry->key);
		EXPECT(expected, is, "a sighting is gone");
		EXPECT(expected,
		       (sighted && !memcmp(&entry->key, &expected->key, sizeof(entry->key))) ||
			       !memcmp(is, &entry->value, sizeof(*is)),
		       "a sighting of another has changed");
	}
}

struct events {
	size_t count;
	struct kh_event last;
};

static void keep_event(const struct kh_event *event, void *context)
{
	struct events *events = context;

	events->count++;
	events->last = *event;
}

/* An event for each new sighting, and only then. */
static void expect_event(const struct expected *expected, const struct lab_evidence *before)
{
	bool fresh = expected->counted && expected->row->sight != NOBODY && !lab_sighting(before, &expected->key);
	struct events events = {};
	struct reference reference;

	assert_true(kh_kernel_events(lab_kernel(), keep_event, &events) >= 0);
	EXPECT(expected, events.count == fresh, "%zu events", events.count);
	if (!fresh)
		return;
	EXPECT(expected, !memcmp(&events.last.key, &expected->key, sizeof(expected->key)),
	       "the event is about another");
	EXPECT(expected, events.last.seconds == TABLE_NOW, "the event is of another time");
	EXPECT(expected,
	       events.last.action == (expected->row->reason == KH_REASON_DROPPED ? KH_ACTION_DROP : KH_ACTION_MONITOR),
	       "the event has action %d", events.last.action);
	reference_read_bare(expected->frame->data + expected->frame->network,
			    expected->frame->length - expected->frame->network,
			    expected->frame->data[expected->frame->network] >> 4 == 4 ? 0x0800 : 0x86dd, &reference);
	EXPECT(expected,
	       events.last.remote_port == reference.destination_port && events.last.protocol == reference.protocol,
	       "the event has port %d, protocol %d", events.last.remote_port, events.last.protocol);
}

static void fill_key(struct expected *expected)
{
	struct kh_sighting_key *key = &expected->key;
	const struct frame *frame = expected->frame;
	bool is_ipv4 = frame->data[frame->network] >> 4 == 4;

	if (expected->row->sight == NOBODY)
		return;
	key->slot = expected->slot;
	key->interface = lab_number(expected->ifindex);
	key->flags = expected->row->sight == SPOOFED   ? KH_SIGHTING_SPOOFED
		     : expected->row->sight == GATEWAY ? KH_SIGHTING_GATEWAY
						       : 0;
	if (expected->row->sight == SPOOFED)
		return;
	if (is_ipv4)
		memcpy(key->address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	memcpy(key->address + (is_ipv4 ? 12 : 0), frame->data + frame->network + (is_ipv4 ? 12 : 8), is_ipv4 ? 4 : 16);
	if (expected->row->sight == MACHINE && !lab_is_l3(expected->program))
		memcpy(key->mac, FRAME_MAC, 6);
}

/* ---- Running ---- */

static bool applies(const struct table_row *row, const struct world *world, enum lab_program program)
{
	bool ethernet = (row->only & ONLY_ETHERNET) || !strncmp(row->frame, "q", 1) || !strncmp(row->frame, "ad", 2) ||
			!strncmp(row->frame, "pppoe", 5);

	if (lab_is_out(program) != (row->where == AT_OUT) || lab_is_l3(program) != world->bare ||
	    (world->bare && ethernet))
		return false;
	if (row->only & (program == LAB_XDP ? ONLY_TC : ONLY_XDP))
		return false;
	return !(row->only & (world->family == 4 ? ONLY_IPV6 : ONLY_IPV4));
}

static void try_row(const struct table_row *row, size_t w, enum lab_program program)
{
	static struct lab_evidence before, after; /* freed at the next reading */
	static struct frame frame;
	uint32_t usual = row->where == AT_LAN ? (worlds[w].bare ? LAB_WG : LAB_LAN) : LAB_WAN;
	struct lab_run run = { .program = program,
			       .ifindex = row->device ? row->device : usual,
			       .came_by = row->came_by,
			       .gso_segs = row->gso_segs,
			       .gso_size = row->gso_size };
	struct expected expected = { .row = row, .frame = &frame, .program = program, .ifindex = run.ifindex };
	char text[512];
	enum lab_verdict verdict;

	expand(&worlds[w], row->frame, text);
	frame_build(text, &frame);
	expected.slot = row->slot ? row->slot + (uint32_t)w * TABLE_SLOTS : 0;
	expected.packets = row->packets ? row->packets : 1;
	expected.bytes = row->bytes == NO_BYTES ? 0 : row->bytes ? row->bytes : frame.datagram;
	expected.counted = run.ifindex != LAB_UNKNOWN;
	fill_key(&expected);
	lab_read(&before);
	verdict = lab_send(&run, frame.data, frame.length);
	if (verdict == LAB_REFUSED)
		return;
	lab_read(&after);
	EXPECT(&expected, verdict == (row->reason == KH_REASON_DROPPED ? LAB_DROPPED : LAB_PASSED), "the verdict is %d",
	       verdict);
	expect_counters(&expected, &before, &after);
	expect_records(&expected, &before, &after);
	expect_sightings(&expected, &before, &after);
	expect_event(&expected, &before);
	EXPECT(&expected, !after.events_lost && !after.sightings_lost, "something was lost");
}

/* Every program, in every world that fits it. */
static void try_everywhere(const struct table_row *row)
{
	size_t tried = 0;

	for (enum lab_program program = 0; program < LAB_PROGRAMS; program++) {
		for (size_t w = 0; w < KH_ARRAY_SIZE(worlds); w++) {
			if (!applies(row, &worlds[w], program))
				continue;
			try_row(row, w, program);
			tried++;
		}
	}
	if (!tried)
		fail_msg("row \"%s\" was never tried", row->name);
}

static void test_no_generation(void **state)
{
	static const struct table_row rows[] = {
		{ "no list: any packet", AT_LAN, "ip:office.57>bad.7 tcp:1024>443", KH_REASON_NO_GENERATION },
		{ "no list: out", AT_OUT, "ip:office.57>bad.7 tcp:1024>443", KH_REASON_NO_GENERATION },
		{ "no list: odd", AT_WAN, "ip:bad.7>office.57 ver=5", KH_REASON_NO_GENERATION },
		{ "no list: arp", AT_LAN, "type=0806 data=28", KH_REASON_NO_GENERATION, 0, NOBODY, ONLY_ETHERNET, 28 },
		{ "no list: in no table", AT_LAN, "ip:office.57>bad.7", KH_REASON_NO_GENERATION,
		  .device = LAB_UNKNOWN },
		{ "no list: already judged", AT_OUT, "ip:office.57>bad.7", KH_REASON_ALREADY_JUDGED,
		  .came_by = LAB_LAN },
	};

	(void)state;
	for (size_t i = 0; i < KH_ARRAY_SIZE(rows); i++)
		try_everywhere(&rows[i]);
}

static void test_table(void **state)
{
	(void)state;
	install_table();
	for (size_t i = 0; i < table_rows_count; i++)
		try_everywhere(&table_rows[i]);
	/* Once more: what is known makes no event, and adds up. */
	for (size_t i = 0; i < table_rows_count; i += 5)
		try_everywhere(&table_rows[i]);
}

/* A list of nothing judges: passed is not no-generation. */
static void test_empty_list(void **state)
{
	static const struct table_row row = { "empty list", AT_LAN, "ip:office.57>bad.7 tcp:1024>443",
					      KH_REASON_PASSED };

	(void)state;
	lab_install(lab_compile(NULL, 0, NULL, 0));
	try_everywhere(&row);
}

static int setup(void **state)
{
	int code = lab_setup(state);

	lab_freeze_clock(TABLE_NOW);
	return code;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_generation),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_empty_list),
	};
	int code = lab_enter();

	return code ? code : cmocka_run_group_tests(tests, setup, lab_teardown);
}
