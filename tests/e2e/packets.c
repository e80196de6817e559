// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random packets through the programs that a running khiend has attached, each verdict compared with the naive matcher:
 * `packets FOLDER LAN WAN COUNT SEED LIST...` in the namespace of the gateway. FOLDER is khiend's on the bpffs; the lists are plain,
 * one value a line, all of them drops. The packets count as if they had come by the interfaces; what must have been counted for each value
 * goes to standard output as "VALUE PACKETS BYTES", the verdicts to standard error. Exit 1: one was wrong.
 *
 * The orders of a packet are found by prefix (nearby.h); one packet in LINEAR_EVERY is judged by a scan over the whole list too.
 */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "common/file.h"
#include "common/util.h"
#include "frames.h"
#include "nearby.h"
#include "reference.h"

#define LINEAR_EVERY 5000

struct hook {
	const char *pin;
	bool xdp, outbound;
	uint32_t ifindex;
	int program;
};

static struct kh_compile_order *orders;
static size_t orders_count, orders_capacity;
static struct counted {
	uint64_t packets, bytes;
} * counted; /* by slot */
static uint64_t random_state;

static void die(const char *what, const char *about)
{
	fprintf(stderr, "packets: %s: %s\n", what, about);
	exit(2);
}

static uint64_t random_word(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dull;
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)((random_word() >> 32) * limit >> 32);
}

static kh_u128 random_u128(void)
{
	return ((kh_u128)random_word() << 64) | random_word();
}

static void add_order(const char *text, size_t length)
{
	struct kh_range range;

	if (kh_range_parse(text, length, &range) < 0)
		die("not a value", text);
	if (orders_count == orders_capacity) {
		orders_capacity = orders_capacity ? 2 * orders_capacity : 4096;
		orders = realloc(orders, orders_capacity * sizeof(*orders));
		if (!orders)
			die("no memory", "orders");
	}
	orders[orders_count] = (struct kh_compile_order){ .range = range, .slot = (uint32_t)orders_count + 1 };
	orders_count++;
}

static void read_list(const char *path)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	size_t length;

	if (kh_file_read(path, SIZE_MAX / 2, &text, &length) < 0)
		die("cannot read", path);
	for (char *line = text; *line;) {
		size_t size = strcspn(line, "\n");

		if (size)
			add_order(line, size);
		line += size + (line[size] == '\n');
	}
}

/* The program behind a pinned link. */
static int program_of(const char *folder, const struct hook *hook)
{
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);
	char path[4096];
	int link, program;

	snprintf(path, sizeof(path), "%s/v%d/links/%s-%u", folder, KH_ABI_VERSION, hook->pin, hook->ifindex);
	link = bpf_obj_get(path);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &size) < 0)
		die("nothing is attached", path);
	program = bpf_prog_get_fd_by_id(info.prog_id);
	if (program < 0)
		die("cannot get the program", path);
	close(link);
	return program;
}

/* One half are on the list, or next to a border of it; the others anywhere close, or anywhere. */
static struct kh_range random_address(uint8_t family)
{
	const struct kh_compile_order *order = &orders[below((uint32_t)orders_count)];
	kh_u128 max = kh_address_max(family), size, address;

	if (order->range.family != family)
		address = random_u128();
	else {
		size = order->range.last - order->range.first + 1;
		switch (below(8)) {
		case 0:
			address = order->range.first - 1;
			break;
		case 1:
			address = order->range.last + 1;
			break;
		case 2:
			address = order->range.last;
			break;
		case 3:
		case 4:
			address = size ? order->range.first + random_u128() % size : random_u128();
			break;
		case 5:
			address = order->range.first ^ (random_u128() & 0xffff);
			break;
		case 6:
			address = random_u128();
			break;
		default:
			address = order->range.first;
		}
	}
	address &= max;
	return (struct kh_range){ address, address, family };
}

static void random_frame(struct frame *ret_frame)
{
	static const char *const carriers[] = { "", "q ", "q pppoe ", "ad q " };
	static const char *const transports[] = { "tcp:%u>%u data=%u", "udp:%u>%u data=%u",
						  "frag=0+ udp:%u>%u data=%u" };
	uint8_t family = below(2) ? 4 : 6;
	struct kh_range from = random_address(family), to = random_address(family);
	char source[KH_RANGE_TEXT], destination[KH_RANGE_TEXT], transport[64], text[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(transport, sizeof(transport), transports[below(3)], below(65536), below(65536), below(200));
#pragma GCC diagnostic pop
	snprintf(text, sizeof(text), "%s%d:%s>%s %s", carriers[below(4)], family, kh_range_format(&from, source),
		 kh_range_format(&to, destination), transport);
	frame_build(text, ret_frame);
}

static bool send_frame(const struct hook *hook, const struct frame *frame)
{
	struct __sk_buff skb = { .ifindex = hook->ifindex };
	struct xdp_md xdp = { .ingress_ifindex = hook->ifindex, .data_end = (uint32_t)frame->length };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->data, .data_size_in = (uint32_t)frame->length,
		    .ctx_in = hook->xdp ? (void *)&xdp : (void *)&skb,
		    .ctx_size_in = hook->xdp ? sizeof(xdp) : sizeof(skb), .repeat = 1);

	if (bpf_prog_test_run_opts(hook->program, &options) < 0)
		die("a test run failed", strerror(errno));
	if (options.retval != (uint32_t)(hook->xdp ? XDP_DROP : TC_ACT_SHOT) &&
	    options.retval != (uint32_t)(hook->xdp ? XDP_PASS : TC_ACT_UNSPEC))
		die("an unknown verdict", hook->pin);
	return options.retval == (uint32_t)(hook->xdp ? XDP_DROP : TC_ACT_SHOT);
}

/* False: the verdict was wrong. */
static bool try_one(const struct hook *hook, struct kh_nearby *nearby, bool linear)
{
	static struct frame frame;
	struct kh_naive_list list, whole = { .orders = orders, .orders_count = orders_count };
	struct reference reference;
	struct judgement judgement, again;
	bool dropped;

	random_frame(&frame);
	reference_read(frame.data, frame.length, &reference);
	if (!kh_nearby_list(nearby, (struct kh_range[]){ reference.source, reference.destination }, 2, &list))
		die("no memory", "orders of a packet");
	reference_judge(&reference, &list, hook->outbound, 0, &judgement);
	if (linear) {
		reference_judge(&reference, &whole, hook->outbound, 0, &again);
		if (again.slot != judgement.slot || again.reason != judgement.reason)
			die("the reference disagrees with itself", "nearby.c or naive.c is wrong");
	}
	dropped = send_frame(hook, &frame);
	if (judgement.slot) {
		counted[judgement.slot].packets++;
		counted[judgement.slot].bytes += reference.bytes;
	}
	if (dropped != (judgement.slot != 0)) {
		char source[KH_RANGE_TEXT], destination[KH_RANGE_TEXT];

		fprintf(stderr, "%s: %s to %s was %s\n", hook->pin, kh_range_format(&reference.source, source),
			kh_range_format(&reference.destination, destination), dropped ? "dropped" : "passed");
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct hook hooks[] = { { .pin = "xdp", .xdp = true, .outbound = true },
				{ .pin = "xdp", .xdp = true },
				{ .pin = "tc-egress", .outbound = true } };
	struct kh_naive_list list;
	struct kh_nearby *nearby;
	size_t wrong = 0, met = 0, values = 0;

	if (argc < 7)
		die("usage", "packets FOLDER LAN WAN COUNT SEED LIST...");
	for (size_t i = 0; i < KH_ARRAY_SIZE(hooks); i++) {
		const char *name = argv[i ? 3 : 2];

		hooks[i].ifindex = if_nametoindex(name);
		if (!hooks[i].ifindex)
			die("no such interface", name);
		hooks[i].program = program_of(argv[1], &hooks[i]);
	}
	random_state = strtoull(argv[5], NULL, 10) * 2 + 1;
	for (int i = 6; i < argc; i++)
		read_list(argv[i]);
	counted = calloc(orders_count + 1, sizeof(*counted));
	list = (struct kh_naive_list){ .orders = orders, .orders_count = orders_count };
	nearby = kh_nearby_make(&list);
	if (!counted || !nearby || !orders_count)
		die("nothing to try", argv[6]);
	for (uint64_t i = 0; i < strtoull(argv[4], NULL, 10); i++)
		wrong += !try_one(&hooks[below(KH_ARRAY_SIZE(hooks))], nearby, i % LINEAR_EVERY == 0);
	for (size_t slot = 1; slot <= orders_count; slot++) {
		char text[KH_RANGE_TEXT];

		if (!counted[slot].packets)
			continue;
		values++;
		met += counted[slot].packets;
		printf("%s %llu %llu\n", kh_range_format(&orders[slot - 1].range, text),
		       (unsigned long long)counted[slot].packets, (unsigned long long)counted[slot].bytes);
	}
	fprintf(stderr, "wrong %zu dropped %zu by %zu of %zu values\n", wrong, met, values, orders_count);
	kh_nearby_free(nearby);
	free(counted);
	free(orders);
	return wrong > 0;
}
